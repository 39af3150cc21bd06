//! A detach callback may run at DISPATCH_LEVEL, so it cannot wait.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::nmr::{Client, ClientRegistration};

fn detach<C: Client>(other: ClientRegistration<C>, irql: &mut Irql<AtMostDispatch>) {
    let _ = other.deregister(irql);
}

fn main() {}
