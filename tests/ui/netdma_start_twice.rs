//! Starting consumes the registration: a started provider cannot be started.

use nmr_netdma::Irql;
use nmr_netdma::irql::Passive;
use nmr_netdma::netdma::{Attributes, Provider, Registered};

fn twice<P: Provider>(registered: Registered<P>, attributes: &Attributes, irql: &mut Irql<Passive>) {
    let _first = registered.start(attributes, irql);
    let _second = registered.start(attributes, irql);
}

fn main() {}
