//! Deregistering consumes the registration.

use nmr_netdma::irql::{BelowDispatch, Irql};
use nmr_netdma::nmr::{Provider, ProviderRegistration};

fn twice<P: Provider>(provider: ProviderRegistration<P>, irql: &mut Irql<BelowDispatch>) {
    let _ = provider.deregister(irql);
    let _ = provider.deregister(irql);
}

fn main() {}
