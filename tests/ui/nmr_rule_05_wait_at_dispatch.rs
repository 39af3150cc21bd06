//! Waiting for a deregistration takes proof that the level is below DISPATCH_LEVEL.

use nmr_netdma::irql::{Dispatch, Irql};
use nmr_netdma::nmr::{Client, ClientRegistration, DeregisteringProvider, Provider};

fn both<C: Client>(client: ClientRegistration<C>, irql: &mut Irql<Dispatch>) {
    let _ = client.deregister(irql);
}

fn later<P: Provider>(provider: DeregisteringProvider<P>, irql: &mut Irql<Dispatch>) {
    let _ = provider.wait(irql);
}

fn main() {}
