//! Descriptors on their way to the provider, and the operations that stop them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::Ordering;

use nmr_netdma::sys;

use super::completion::POLL;
use super::{COMPLETED, INTERRUPT, Inner, Object};
use crate::kernel::Machine;
use crate::ndis::handlers::Operation;
use crate::ndis::memory::{Memory, NEXT};
use crate::ndis::{Descriptor, Malformed, Transfer, deadline, violation};
use crate::platform;

impl Object {
    /// Gives the engine descriptors for `transfers`; the last one of each part that fits into the ring also has `ask`.
    pub(in crate::ndis) fn submit(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Transfer],
        interrupt: bool,
    ) -> Result<u64, sys::NTSTATUS> {
        let descriptors: Vec<_> = transfers
            .iter()
            .map(|transfer| (*transfer).into())
            .collect();
        self.submit_descriptors(machine, &descriptors, ask(interrupt))
    }

    /// Gives the engine `transfers`; the last one of each part that fits into the ring also has `ask`.
    pub(in crate::ndis) fn submit_descriptors(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
        ask: u32,
    ) -> Result<u64, sys::NTSTATUS> {
        if transfers.is_empty() {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        let _caller = self.provider.admit()?;
        let _turn = self.take_turn()?;
        let faults = self.inner.lock().statistics.faults;
        let mut ticket = 0;
        let mut rest = transfers;
        while !rest.is_empty() {
            let count = self.wait_for_slots(machine, rest.len())?;
            let (part, left) = rest.split_at(count);
            let start = !self.inner.lock().running;
            ticket = self.hand_over(machine, part, ask, start, &Malformed::default())?;
            rest = left;
            if !rest.is_empty() && self.inner.lock().statistics.faults != faults {
                return Err(sys::STATUS_IO_DEVICE_ERROR);
            }
        }
        Ok(ticket)
    }

    /// Waits until the ring has room for `wanted` descriptors, or is as empty as it gets; how many fit.
    fn wait_for_slots(
        &self,
        machine: &Arc<Machine>,
        wanted: usize,
    ) -> Result<usize, sys::NTSTATUS> {
        let patience = machine.ndis.patience();
        let mut limit = deadline(patience);
        let mut inner = self.inner.lock();
        let count = wanted.min(inner.capacity());
        while inner.free_slots() < count {
            let tail = inner.tail;
            drop(self.changed.wait_timeout(inner, POLL));
            self.process(machine);
            inner = self.inner.lock();
            if inner.tail != tail {
                limit = deadline(patience);
            } else if !self.provider.open_for_work() {
                return Err(sys::STATUS_DEVICE_NOT_READY);
            } else if platform::now() >= limit {
                return Err(sys::STATUS_IO_TIMEOUT);
            }
        }
        Ok(count)
    }

    /// Fills descriptors for `part`, which fits, and calls the provider; the ticket.
    fn hand_over(
        &self,
        machine: &Arc<Machine>,
        part: &[Descriptor],
        ask: u32,
        start: bool,
        malformed: &Malformed,
    ) -> Result<u64, sys::NTSTATUS> {
        let counts = self.provider.counts_chains();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        if start {
            // A halt that is there already is none of the new list.
            self.look(machine, inner);
        }
        let Some(memory) = &inner.memory else {
            return Err(sys::STATUS_DEVICE_NOT_READY);
        };
        let first = inner.head;
        if start && inner.running {
            // The engine may be at work. What it has not done it is to drop, apart from the descriptor in progress.
            inner.drop_outstanding();
        } else if start {
            // The engine is idle, and a second halt at the same place must be a change.
            memory.arm();
            inner.word = memory.completion();
            inner.suspended = inner.suspended.map(|_| inner.word);
        }
        inner.fill(part, ask, counts);
        inner.relink(&malformed.links);
        let Some(memory) = &inner.memory else {
            return Err(sys::STATUS_DEVICE_NOT_READY);
        };
        let first_slot = inner.slot(first);
        if !start && !counts && inner.running {
            // An engine that is still before the last descriptor runs on by itself; the call is for one that is not.
            let previous = inner.slot(first - 1);
            memory.link(previous, memory.physical(first_slot));
            inner.given[previous][NEXT] = memory.physical(first_slot);
        }
        let count = malformed.count.unwrap_or(part.len() as u32);
        // Of a counted list no more is to be done.
        let given = if counts {
            part.len().min(count as usize)
        } else {
            part.len()
        };
        let descriptor = (
            if malformed.null_virtual {
                ptr::null_mut()
            } else {
                memory.virtual_address(first_slot)
            },
            malformed
                .physical
                .unwrap_or_else(|| memory.physical(first_slot)),
        );
        inner.head += given as u64;
        let ticket = inner.head;
        let faults = inner.statistics.faults;
        drop(guard);

        if start {
            machine.trace("netdma", format_args!("{self}: start"));
        }
        let context = self.context.load(Ordering::Acquire);
        let status = self
            .provider
            .handlers
            .run(machine, context, start, descriptor, count);

        let mut inner = self.inner.lock();
        if status == sys::STATUS_SUCCESS
            && !start
            && !inner.running
            && inner.statistics.faults == faults
        {
            machine.violated(
                &violation::APPEND_WITHOUT_START,
                format_args!("{self} accepted an append"),
            );
        }
        if status == sys::STATUS_SUCCESS {
            if start {
                inner.suspended = None;
                inner.poison_dropped();
            }
            // It may have halted already.
            inner.running = inner.statistics.faults == faults;
            return Ok(ticket);
        }
        machine.trace(
            "netdma",
            format_args!("{self}: {} descriptors refused, {status:#010X}", part.len()),
        );
        self.withdraw(&mut inner, first..first + part.len() as u64);
        Err(status)
    }

    /// Takes back `refused`, the descriptors that the provider refused.
    fn withdraw(&self, inner: &mut Inner, refused: Range<u64>) {
        let first = refused.start;
        if inner.tail > first {
            // It refused and ran them all the same; then they are done.
            return;
        }
        let Some(memory) = &inner.memory else { return };
        for descriptor in refused {
            memory.poison(inner.slot(descriptor));
        }
        if inner.running && !self.provider.counts_chains() {
            let previous = inner.slot(first - 1);
            memory.link(previous, 0);
            inner.given[previous][NEXT] = 0;
        }
        inner.head = first;
    }

    /// Has the provider begin a new list, whatever it is doing.
    pub(in crate::ndis) fn restart(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
    ) -> Result<u64, sys::NTSTATUS> {
        self.one_part(machine, transfers, ask(true), true, &Malformed::default())
    }

    /// Has the provider append, whatever it is doing.
    pub(in crate::ndis) fn append(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
    ) -> Result<u64, sys::NTSTATUS> {
        self.one_part(machine, transfers, ask(true), false, &Malformed::default())
    }

    /// Has the provider begin a list or append, not as it should be done.
    pub(in crate::ndis) fn submit_malformed(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
        start: bool,
        malformed: &Malformed,
    ) -> Result<u64, sys::NTSTATUS> {
        self.one_part(machine, transfers, 0, start, malformed)
    }

    /// Where the `index`-th descriptor that will be given next is.
    pub(in crate::ndis) fn descriptor_address(&self, index: usize) -> Option<u64> {
        let inner = self.inner.lock();
        let memory = inner.memory.as_ref()?;
        Some(memory.physical(inner.slot(inner.head + index as u64)))
    }

    fn one_part(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
        ask: u32,
        start: bool,
        malformed: &Malformed,
    ) -> Result<u64, sys::NTSTATUS> {
        let _caller = self.provider.admit()?;
        let _turn = self.take_turn()?;
        if transfers.is_empty() || transfers.len() > self.inner.lock().free_slots() {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        self.hand_over(machine, transfers, ask, start, malformed)
    }

    /// Suspends the channel; how many descriptors are done.
    pub(in crate::ndis) fn suspend(&self, machine: &Arc<Machine>) -> Result<u64, sys::NTSTATUS> {
        let _caller = self.provider.admit()?;
        let _turn = self.take_turn()?;
        let context = self.context.load(Ordering::Acquire);
        let last = self.provider.handlers.suspend(machine, context)?;
        let mut inner = self.inner.lock();
        self.look(machine, &mut inner);
        let said = last | sys::NetDmaTransferStatusSuspend as u64;
        if inner.word != said {
            machine.violated(
                &violation::SUSPEND,
                format_args!("{self}: answered {last:#x}, wrote {:#x}", inner.word),
            );
        }
        inner.suspended = Some(inner.word);
        let done = inner.tail;
        drop(inner);
        machine.trace("netdma", format_args!("{self}: suspended after {done}"));
        self.changed.notify_all();
        Ok(done)
    }

    /// Puts `transfers` in the place of everything that a suspended channel has not done.
    pub(in crate::ndis) fn edit(&self, transfers: &[Descriptor]) -> Result<u64, sys::NTSTATUS> {
        let _turn = self.take_turn()?;
        let counts = self.provider.counts_chains();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let outstanding = (inner.head - inner.tail) as usize;
        let fits = if counts {
            transfers.len() == outstanding
        } else {
            outstanding > 0 && !transfers.is_empty()
        };
        let Some(last) = inner.tail.checked_sub(1) else {
            return Err(sys::STATUS_INVALID_PARAMETER);
        };
        if inner.suspended.is_none() || !fits || transfers.len() > inner.free_slots() {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        inner.drop_outstanding();
        let first = inner.head;
        inner.fill(transfers, COMPLETED | INTERRUPT, counts);
        if let Some(memory) = &inner.memory {
            let (previous, next) = (inner.slot(last), memory.physical(inner.slot(first)));
            memory.link(previous, next);
            inner.given[previous][NEXT] = next;
        }
        inner.head = first + transfers.len() as u64;
        inner.poison_dropped();
        Ok(inner.head)
    }

    /// Has the provider resume, abort or reset the channel.
    pub(in crate::ndis) fn control(
        &self,
        machine: &Arc<Machine>,
        operation: Operation,
    ) -> Result<(), sys::NTSTATUS> {
        let _caller = self.provider.admit()?;
        let resume = operation == Operation::Resume;
        // Aborts and resets come when they come.
        let (_turn, _stopping) = if resume {
            (Some(self.take_turn()?), None)
        } else {
            (None, Some(self.begin_stop()?))
        };
        if resume {
            let inner = self.inner.lock();
            let word = inner.memory.as_ref().map(Memory::completion);
            if inner.suspended.is_some() && inner.suspended != word {
                machine.violated(
                    &violation::RUNS_SUSPENDED,
                    format_args!("{self}: {:#x?}, was {:#x?}", word, inner.suspended),
                );
            }
        }
        let context = self.context.load(Ordering::Acquire);
        let result = self.provider.handlers.control(machine, context, operation);
        machine.trace("netdma", format_args!("{self}: {operation:?} {result:x?}"));
        result?;
        let mut inner = self.inner.lock();
        inner.suspended = None;
        if !resume {
            self.look(machine, &mut inner);
            let mask = u64::from(sys::NET_DMA_TRANSFER_STATUS_MASK);
            if inner.word & mask != sys::NetDmaTransferStatusHalted as u64 {
                machine.violated(
                    &violation::HALT,
                    format_args!("{self}: {operation:?} left {:#x}", inner.word),
                );
            }
            inner.running = false;
        }
        if operation == Operation::Reset
            && let Some(memory) = &inner.memory
        {
            for slot in 0..memory.slots() {
                memory.poison(slot);
            }
        }
        drop(inner);
        self.changed.notify_all();
        Ok(())
    }
}

/// What the last descriptor of a batch asks for.
pub(in crate::ndis) fn ask(interrupt: bool) -> u32 {
    if interrupt {
        COMPLETED | INTERRUPT
    } else {
        COMPLETED
    }
}
