//! Memory cannot be mapped in an interrupt service routine.

use nmr_netdma::irql::{self, Irql};
use nmr_netdma::kmdf::{Interrupt, InterruptHandle, memory};

struct Message;

impl Interrupt for Message {
    fn isr(&self, _: &InterruptHandle<'_>, _: u32, irql: &mut Irql<irql::Device>) -> bool {
        memory::copy_physical(0x1000, 0x2000, 8, irql).is_ok()
    }
}

fn main() {}
