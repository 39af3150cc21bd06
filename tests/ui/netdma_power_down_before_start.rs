//! Power notifications exist only while started.

use nmr_netdma::Irql;
use nmr_netdma::irql::Passive;
use nmr_netdma::netdma::{Provider, Registered};

fn power_down<P: Provider>(registered: &Registered<P>, irql: &mut Irql<Passive>) {
    let _ = registered.power_down(irql);
}

fn main() {}
