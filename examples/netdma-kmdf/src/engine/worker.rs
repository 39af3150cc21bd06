//! [`Worker`]: the DPC that copies.

use core::mem::replace;
use core::sync::atomic::Ordering;

use nmr_netdma::irql::{AtMostDispatch, Dispatch};
use nmr_netdma::kmdf::memory::{self, DescriptorReader};
use nmr_netdma::kmdf::{Dpc, DpcHandle, DpcRoutine, Shared, debug_print};
use nmr_netdma::netdma::{ControlFlags, OpenLink, Transfer, TransferStatus, Work};
use nmr_netdma::{Irql, Result};

use super::lane::{LaneState, List};
use super::notifier::{self, Notifier};
use crate::hardware::Hardware;

/// How many descriptors one run of the DPC does at most.
const SLICE_DESCRIPTORS: u32 = 64;
/// After how many bytes one run of the DPC ends.
const SLICE_BYTES: u32 = 256 * 1024;

/// The DPC that copies.
pub(super) struct Worker {
    index: u32,
    state: Shared<LaneState>,
    notify: Shared<Dpc<Notifier>>,
    hardware: Shared<Hardware>,
}

impl DpcRoutine for Worker {
    fn run(&self, dpc: &DpcHandle<'_>, irql: &mut Irql<Dispatch>) {
        // While the link is open the channel is not freed: whoever frees it waits for the end of the slice.
        let Some(mut link) = self.state.link.open(irql) else {
            return;
        };
        if self.list(&mut link, |list| replace(&mut list.at_work, true)) {
            return;
        }
        let (mut descriptors, mut bytes) = (0, 0);
        while descriptors < SLICE_DESCRIPTORS && bytes < SLICE_BYTES {
            match self.step(&mut link) {
                Step::Copied(length) => bytes += length,
                Step::Halted => {}
                Step::NothingToDo => return,
            }
            descriptors += 1;
        }
        self.list(&mut link, |list| list.at_work = false);
        dpc.enqueue();
    }
}

/// What a worker did with one descriptor.
enum Step {
    /// So many bytes.
    Copied(u32),
    /// The channel stands still until it is started anew.
    Halted,
    NothingToDo,
}

impl Worker {
    pub(super) fn new(
        index: u32,
        state: Shared<LaneState>,
        notify: Shared<Dpc<Notifier>>,
        hardware: Shared<Hardware>,
    ) -> Self {
        Self {
            index,
            state,
            notify,
            hardware,
        }
    }

    pub(super) fn state(&self) -> &LaneState {
        &self.state
    }

    fn list<R>(&self, link: &mut OpenLink<'_>, body: impl FnOnce(&mut List) -> R) -> R {
        self.state.list.with(link.irql(), |list, _| body(list))
    }

    /// Takes the next descriptor off the list and does what it asks for. If there is none, the work is over.
    fn step(&self, link: &mut OpenLink<'_>) -> Step {
        let (lease, irql) = link.split();
        let (next, generation) = self.state.list.with(irql, |list, irql| {
            list.visits += 1;
            let next = if list.suspended {
                Ok(None)
            } else {
                list.cursor.next(lease, &mut DescriptorReader::new(irql))
            };
            list.at_work = !matches!(next, Ok(None));
            (next, list.generation)
        });
        let copied = match next {
            Ok(Some(transfer)) => {
                copy(&transfer, irql).map(|bytes| (transfer.descriptor, transfer.flags, bytes))
            }
            Ok(None) => return Step::NothingToDo,
            Err(refusal) => {
                debug_print(format_args!(
                    "netdma-kmdf: channel {}: {refusal}\n",
                    self.index
                ));
                Err(refusal.into())
            }
        };
        match copied {
            Ok((descriptor, flags, bytes)) => {
                self.state.counters.descriptor(bytes);
                self.complete(descriptor, flags, link);
                Step::Copied(bytes)
            }
            Err(_) => {
                self.halt(generation, link);
                Step::Halted
            }
        }
    }

    /// Tells what `flags` ask to be told.
    fn complete(&self, descriptor: u64, flags: ControlFlags, link: &mut OpenLink<'_>) {
        self.state.completed.store(descriptor, Ordering::Release);
        if flags.contains(ControlFlags::STATUS) {
            let more = self.list(link, |list| list.cursor.has_more());
            let status = if more {
                TransferStatus::Active
            } else {
                TransferStatus::Idle
            };
            link.publish(descriptor, status);
        }
        if flags.contains(ControlFlags::INTERRUPT) {
            self.ring(link);
        }
    }

    /// Gives up the list of this generation and says that the channel stands still until it is started anew. No effect if it
    /// has been.
    fn halt(&self, generation: u64, link: &mut OpenLink<'_>) {
        let state = &self.state;
        let halts = state.list.with(link.irql(), |list, irql| {
            if list.generation != generation {
                return false;
            }
            list.cursor.clear();
            list.halted = true;
            state.halted.store(true, Ordering::Release);
            // Under the lock, so that a list that is begun now is not taken for halted.
            if let Some(link) = state.link.open(irql) {
                let last = state.completed.load(Ordering::Relaxed);
                link.publish(last, TransferStatus::Halted);
            }
            true
        });
        if halts {
            state.counters.halt();
            self.ring(link);
        }
    }

    fn ring(&self, link: &mut OpenLink<'_>) {
        if self.hardware.is_software() {
            let irql = link.irql();
            irql.at_device(|irql| notifier::notify(&self.state, &self.notify, irql));
            return;
        }
        // It fails only if the device is gone, and interrupts with it. The completion word tells as well.
        let _ = self.hardware.ring(self.index);
    }
}

/// Copies what `transfer` asks for, and answers how many bytes that were.
fn copy(transfer: &Transfer<'_>, irql: &mut Irql<AtMostDispatch>) -> Result<u32> {
    let mut bytes = 0;
    if let Work::Copy(pieces) = &transfer.work {
        for piece in pieces.iter() {
            memory::copy_physical(piece.source, piece.destination, irql)?;
            bytes += piece.source.length();
        }
    }
    Ok(bytes)
}
