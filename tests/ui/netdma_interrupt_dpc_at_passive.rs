//! `NetDmaInterruptDpc` belongs into a DPC.

use nmr_netdma::Irql;
use nmr_netdma::irql::Passive;
use nmr_netdma::netdma::Link;

fn thread(link: &Link, irql: &mut Irql<Passive>) {
    if let Some(link) = link.open(irql) {
        link.interrupt_dpc(None);
    }
}

fn main() {}
