//! A registration that is being deregistered is gone.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::nmr::{Client, ClientRegistration};

fn reach<C: Client>(client: ClientRegistration<C>, irql: &mut Irql<AtMostDispatch>) {
    let ending = client.begin_deregister(irql);
    let _: &C = &client;
    drop(ending);
}

fn main() {}
