//! An interrupt's handle does not outlive the callback that gets it.

use nmr_netdma::irql::{self, Irql};
use nmr_netdma::kmdf::{Interrupt, InterruptHandle, SpinLock};

struct Message {
    handle: SpinLock<Option<InterruptHandle<'static>>>,
}

impl Interrupt for Message {
    fn isr(&self, interrupt: &InterruptHandle<'_>, _: u32, _: &mut Irql<irql::Device>) -> bool {
        true
    }
}

fn keep<'a>(interrupt: &InterruptHandle<'a>) -> InterruptHandle<'static> {
    *interrupt
}

fn main() {}
