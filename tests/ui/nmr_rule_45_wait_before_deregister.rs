//! Only a deregistration that has begun can be waited for.

use nmr_netdma::irql::{BelowDispatch, Irql};
use nmr_netdma::nmr::{Client, ClientRegistration};

fn wait<C: Client>(client: ClientRegistration<C>, irql: &mut Irql<BelowDispatch>) {
    let _ = client.wait(irql);
}

fn main() {}
