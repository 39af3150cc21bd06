//! What is done: the completion word, interrupts and DPCs, and those who wait.

use alloc::format;
use alloc::sync::Arc;
use core::time::Duration;

use nmr_netdma::sys;

use super::{INTERRUPT, Inner, Object};
use crate::kernel::{self, Machine};
use crate::ndis::memory::Memory;
use crate::ndis::{Progress, deadline, violation};
use crate::platform;

/// How long a wait trusts in the interrupt before it looks at the completion word.
const TRUST: Duration = Duration::from_millis(20);
/// How often the completion word is looked at otherwise.
pub(super) const POLL: Duration = Duration::from_micros(50);

const ADDRESS: u64 = !63;
const OPERATION: u32 = 0xFF00_0000;

impl Object {
    /// Looks at the completion word; whether it changed.
    pub(in crate::ndis) fn process(&self, machine: &Machine) -> bool {
        let changed = self.look(machine, &mut self.inner.lock());
        if changed {
            self.changed.notify_all();
        }
        changed
    }

    pub(super) fn look(&self, machine: &Machine, inner: &mut Inner) -> bool {
        let Some(memory) = &inner.memory else {
            return false;
        };
        let word = memory.completion();
        if !memory.has_completion() {
            if word != inner.word {
                inner.word = word;
                machine.violated(
                    &violation::COMPLETION_ABSENT,
                    format_args!("{self}: {word:#x}"),
                );
            }
            return false;
        }
        // The slot of the last descriptor done is given again only after a later one is done, so an equal word says nothing new.
        if word == inner.word {
            return false;
        }
        inner.word = word;
        inner.statistics.completion_writes += 1;
        let address = word & ADDRESS;
        let suspended = word & u64::from(sys::NET_DMA_TRANSFER_STATUS_MASK)
            == sys::NetDmaTransferStatusSuspend as u64;
        let halted = match (word & u64::from(sys::NET_DMA_TRANSFER_STATUS_MASK)) as i32 {
            sys::NetDmaTransferStatusActive
            | sys::NetDmaTransferStatusIdle
            | sys::NetDmaTransferStatusSuspend => false,
            sys::NetDmaTransferStatusHalted => true,
            sys::NetDmaTransferStatusArmed => return true,
            _ => {
                machine.violated(
                    &violation::COMPLETION_STATUS,
                    format_args!("{self}: {word:#x}"),
                );
                return true;
            }
        };
        let descriptor = memory
            .slot_at(address)
            .and_then(|slot| inner.descriptor_in(slot));
        match descriptor {
            Some(descriptor) if descriptor >= inner.tail => {
                self.complete(machine, inner, descriptor + 1)
            }
            Some(descriptor) if inner.last_done == Some(descriptor) => {}
            Some(descriptor) if inner.dropped.contains(&descriptor) => {}
            // A halt or a suspension before anything was done has no descriptor to name.
            _ if (halted || suspended) && address == 0 => {}
            _ => machine.violated(
                &violation::COMPLETION_ADDRESS,
                format_args!(
                    "{self}: {word:#x}; done {}, given {}",
                    inner.tail, inner.head
                ),
            ),
        }
        if halted {
            self.halted(machine, inner);
        }
        true
    }

    /// What is outstanding is lost.
    fn halted(&self, machine: &Machine, inner: &mut Inner) {
        inner.statistics.faults += 1;
        inner.running = false;
        if inner.tail < inner.head {
            inner.failed.push(inner.tail..inner.head);
        }
        let lost = inner.head - inner.tail;
        inner.tail = inner.head;
        machine.trace(
            "netdma",
            format_args!("{self}: halted, {lost} descriptors lost"),
        );
    }

    /// Counts the descriptors before `end` as done and takes their slots back.
    fn complete(&self, machine: &Machine, inner: &mut Inner, end: u64) {
        let Some(memory) = &inner.memory else { return };
        for descriptor in inner.tail..end {
            let slot = inner.slot(descriptor);
            let mut found = memory.read(slot);
            let given = inner.given[slot];
            if !self.provider.counts_chains() {
                // Reserved1 and Reserved2 are the provider's own.
                found[4..6].copy_from_slice(&given[4..6]);
            }
            if found != given {
                machine.violated(
                    &violation::DESCRIPTOR_CHANGED,
                    format_args!("{self}: descriptor {descriptor}"),
                );
            }
            let flags = inner.flags(descriptor);
            inner.statistics.descriptors += 1;
            if flags & (OPERATION | sys::NET_DMA_NULL_TRANSFER) == 0 {
                inner.statistics.bytes += given[0] & 0xFFFF_FFFF;
            }
            if flags & OPERATION == 0 && flags & INTERRUPT != 0 {
                inner.statistics.missing_interrupts += 1;
            }
            if let Some(previous) = descriptor.checked_sub(1) {
                memory.poison(inner.slot(previous));
            }
        }
        inner.tail = end;
        inner.last_done = end.checked_sub(1);
    }

    /// Waits until everything up to `ticket` is done; whether it is.
    pub(in crate::ndis) fn wait(
        &self,
        machine: &Arc<Machine>,
        ticket: u64,
        timeout: Duration,
    ) -> bool {
        let limit = deadline(timeout);
        let mut inner = self.inner.lock();
        loop {
            match inner.progress(ticket) {
                Progress::Complete => return true,
                Progress::Failed => return false,
                Progress::Pending | Progress::Running => {}
            }
            let asked = inner.flags(ticket - 1) & INTERRUPT != 0;
            let slice = if asked { TRUST } else { POLL };
            let tail = inner.tail;
            let now = platform::now();
            let left = Duration::from_nanos(limit.saturating_sub(now));
            inner = self.changed.wait_timeout(inner, slice.min(left));
            let slept = platform::now() - now;
            if inner.tail == tail && slept >= slice.min(left).as_nanos() as u64 {
                drop(inner);
                let changed = self.process(machine);
                inner = self.inner.lock();
                if !changed && platform::now() >= limit {
                    return false;
                }
            }
        }
    }

    /// Waits until nothing is outstanding, as long as there is progress; records what is left otherwise.
    pub(in crate::ndis) fn drain(&self, machine: &Arc<Machine>) {
        let patience = machine.ndis.patience();
        let mut limit = deadline(patience);
        let mut inner = self.inner.lock();
        let mut tail = inner.tail;
        while inner.tail < inner.head {
            if inner.tail != tail {
                tail = inner.tail;
                limit = deadline(patience);
            } else if platform::now() >= limit {
                let (left, head) = (inner.head - inner.tail, inner.head);
                drop(inner);
                let detail =
                    format!("{self}: {left} of {head} descriptors outstanding after {patience:?}");
                machine.violated(&violation::OUTSTANDING, format_args!("{detail}"));
                return;
            }
            drop(self.changed.wait_timeout(inner, POLL));
            self.process(machine);
            inner = self.inner.lock();
        }
    }

    /// The provider's interrupt service routine tells that the channel interrupted; the processor for its DPC.
    pub(in crate::ndis) fn interrupted(&self, machine: &Machine, descriptor: u64) -> u32 {
        let processor = kernel::current().processor.get();
        let mut inner = self.inner.lock();
        inner.statistics.interrupts += 1;
        *inner
            .statistics
            .isr_processors
            .entry(processor)
            .or_insert(0) += 1;
        self.check_descriptor(machine, &inner, "NetDmaIsr", descriptor);
        self.processor()
    }

    /// The provider's DPC tells that there may be news.
    pub(in crate::ndis) fn deferred(&self, machine: &Machine, descriptor: u64) {
        let processor = kernel::current().processor.get();
        let mut inner = self.inner.lock();
        *inner
            .statistics
            .dpc_processors
            .entry(processor)
            .or_insert(0) += 1;
        self.check_descriptor(machine, &inner, "NetDmaInterruptDpc", descriptor);
        let named = self.processor();
        if inner.statistics.interrupts == 0 {
            machine.violated(&violation::DPC_WITHOUT_ISR, format_args!("{self}"));
        } else if processor != named {
            machine.violated(
                &violation::DPC_PROCESSOR,
                format_args!("{self}: on processor {processor}, NetDmaIsr named {named}"),
            );
        }
        if inner.memory.as_ref().is_some_and(Memory::has_completion) {
            self.look(machine, &mut inner);
        } else {
            self.told(machine, &mut inner, descriptor);
        }
        inner.statistics.missing_interrupts = 0;
        drop(inner);
        self.changed.notify_all();
    }

    /// Takes the word of a DPC for what is done, where there is no other.
    fn told(&self, machine: &Machine, inner: &mut Inner, address: u64) {
        let Some(memory) = &inner.memory else { return };
        let done = memory
            .slot_at(address)
            .and_then(|slot| inner.descriptor_in(slot));
        match done {
            Some(descriptor) if descriptor >= inner.tail => {
                self.complete(machine, inner, descriptor + 1);
            }
            None if address == 0 => self.halted(machine, inner),
            _ => {}
        }
    }

    fn check_descriptor(&self, machine: &Machine, inner: &Inner, function: &str, address: u64) {
        let known = match &inner.memory {
            Some(memory) => memory
                .slot_at(address)
                .is_some_and(|slot| inner.descriptor_in(slot).is_some()),
            None => true,
        };
        if address != 0 && !known {
            machine.violated(
                &violation::ISR_DESCRIPTOR,
                format_args!("{self}: {function} was told {address:#x}"),
            );
        }
    }
}
