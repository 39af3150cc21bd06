//! A work item cannot be queued by an interrupt service routine, which has a DPC for that.

use nmr_netdma::irql::{self, Irql};
use nmr_netdma::kmdf::{Interrupt, InterruptHandle, WorkItem};

struct Message {
    item: WorkItem,
}

impl Interrupt for Message {
    fn isr(&self, _: &InterruptHandle<'_>, _: u32, irql: &mut Irql<irql::Device>) -> bool {
        self.item.enqueue(irql)
    }
}

fn main() {}
