//! A provider that is started cannot be deregistered: it has to be stopped first.

use nmr_netdma::Irql;
use nmr_netdma::irql::Passive;
use nmr_netdma::netdma::{Provider, Started};

fn deregister<P: Provider>(started: Started<P>, irql: &mut Irql<Passive>) {
    started.deregister(irql);
}

fn main() {}
