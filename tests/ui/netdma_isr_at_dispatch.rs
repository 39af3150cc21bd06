//! `NetDmaIsr` belongs into an interrupt service routine.

use nmr_netdma::Irql;
use nmr_netdma::irql::Dispatch;
use nmr_netdma::netdma::Link;

fn dpc(link: &Link, irql: &mut Irql<Dispatch>) {
    let _ = link.isr(0, irql);
}

fn main() {}
