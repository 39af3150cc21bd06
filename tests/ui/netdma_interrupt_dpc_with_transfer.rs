//! NetDMA's clients may free the channel in the call of the DPC, so no transfer outlives it.

use nmr_netdma::Irql;
use nmr_netdma::irql::Dispatch;
use nmr_netdma::kmdf::memory::DescriptorReader;
use nmr_netdma::netdma::{Cursor, Link};

fn finish(link: &Link, cursor: &mut Cursor, irql: &mut Irql<Dispatch>) {
    let Some(mut open) = link.open(irql) else {
        return;
    };
    let (lease, irql) = open.split();
    let transfer = cursor.next(lease, &mut DescriptorReader::new(irql));
    open.interrupt_dpc(None);
    drop(transfer);
}

fn main() {}
