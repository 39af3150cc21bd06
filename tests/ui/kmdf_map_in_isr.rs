//! Memory cannot be mapped in an interrupt service routine.

use nmr_netdma::irql::{self, Irql};
use nmr_netdma::kmdf::{Interrupt, InterruptHandle, memory};
use nmr_netdma::physical_memory::PhysicalRange;

struct Message {
    source: PhysicalRange<'static>,
    destination: PhysicalRange<'static>,
}

impl Interrupt for Message {
    fn isr(&self, _: &InterruptHandle<'_>, _: u32, irql: &mut Irql<irql::Device>) -> bool {
        memory::copy_physical(self.source, self.destination, irql).is_ok()
    }
}

fn main() {}
