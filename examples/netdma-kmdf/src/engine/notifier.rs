//! From an interrupt of a lane to NetDMA: what its service routine does, and the DPC behind it.

use core::sync::atomic::Ordering;

use nmr_netdma::Irql;
use nmr_netdma::irql::{self, Dispatch};
use nmr_netdma::kmdf::{Dpc, DpcHandle, DpcRoutine, Shared, current_processor};

use super::lane::LaneState;

/// Tells NetDMA of an interrupt, and queues `notify` where NetDMA says.
pub(super) fn notify(state: &LaneState, notify: &Dpc<Notifier>, irql: &mut Irql<irql::Device>) {
    state.counters.interrupt();
    let allocation = state.allocation.load(Ordering::Acquire);
    if let Some(processor) = state
        .link
        .isr(state.completed.load(Ordering::Acquire), irql)
    {
        // A processor that does not exist leaves the DPC where it was aimed when the channel was allocated.
        if notify.set_target_processor(processor).is_ok() {
            state.wanted.store(processor, Ordering::Relaxed);
        }
        state.rang.store(allocation, Ordering::Release);
        notify.enqueue();
    }
}

/// The DPC that tells NetDMA of interrupts.
pub(super) struct Notifier {
    state: Shared<LaneState>,
}

impl Notifier {
    pub(super) fn new(state: Shared<LaneState>) -> Self {
        Self { state }
    }
}

impl DpcRoutine for Notifier {
    fn run(&self, dpc: &DpcHandle<'_>, irql: &mut Irql<Dispatch>) {
        let wanted = self.state.wanted.load(Ordering::Relaxed);
        // One that was queued for an allocation before, is where that one wanted it.
        if current_processor() != wanted && dpc.set_target_processor(wanted).is_ok() {
            dpc.enqueue();
            return;
        }
        if let Some(link) = self.state.link.open(irql) {
            // Inside the link, so that nothing is told that is of an allocation before.
            let rang = self.state.rang.swap(0, Ordering::Acquire);
            if rang != self.state.allocation.load(Ordering::Acquire) {
                return;
            }
            let halted = self.state.halted.swap(false, Ordering::Acquire);
            match self.state.completed.load(Ordering::Acquire) {
                // A list was begun since the interrupt, and will interrupt itself. To NetDMA, no descriptor means an error.
                0 if !halted => {}
                completed => link.interrupt_dpc((!halted).then_some(completed)),
            }
        }
    }
}
