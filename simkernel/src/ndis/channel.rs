//! A channel: its descriptors on their way through a provider, and what the completion word says of them.
//!
//! # Design
//!
//! * **Descriptors are counted**, from the channel's allocation on; the n-th lies in slot n modulo the size of the ring.
//!   A ticket is the count after a batch.
//! * **One slot stays free**: that of the last descriptor done, since an engine may look at its link again.
//! * **One thread submits at a time**, in a turn that is a flag and not a lock, so that no lock is held while the provider is
//!   called. Interrupts and DPCs need no turn.
//! * **A wait polls**: at once for transfers that ask for no interrupt, otherwise when none came for a while. A lost
//!   interrupt therefore costs time and shows in the statistics.
//! * **After a halt** what was outstanding has failed, and the next batch is a new list.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::fmt;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use core::time::Duration;

use nmr_netdma::sys;

use super::handlers::{Operation, Request};
use super::memory::{Memory, NEXT, WORDS, Words};
use super::provider::Provider;
use super::{
    ChannelRequest, ChannelStatistics, Descriptor, Malformed, Progress, Transfer, deadline,
    violation,
};
use crate::kernel::{self, Machine};
use crate::platform::{self, Condvar, Mutex};

/// How long a wait trusts in the interrupt before it looks at the completion word.
const TRUST: Duration = Duration::from_millis(20);
/// How often the completion word is looked at otherwise.
const POLL: Duration = Duration::from_micros(50);

const COMPLETED: u32 = sys::NET_DMA_STATUS_UPDATE_ON_COMPLETION;
const INTERRUPT: u32 = sys::NET_DMA_INTERRUPT_ON_COMPLETION;
const ADDRESS: u64 = !63;
const OPERATION: u32 = 0xFF00_0000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Allocating,
    Open,
    /// Nothing more is submitted; what is outstanding is waited for.
    Freeing,
    /// The provider's callback may have returned: what the channel had may be another's already.
    HandedBack,
    Freed,
}

struct Inner {
    life: Life,
    /// Whether a thread has its turn to submit or free.
    turn: bool,
    /// Threads in an abort or a reset, which need no turn.
    stopping: u32,
    /// Whether the engine has a list that more can be appended to.
    running: bool,
    /// The completion word that the channel was suspended with.
    suspended: Option<u64>,
    /// Descriptors that a start or a change dropped; the one in progress may still be done.
    dropped: Range<u64>,
    memory: Option<Memory>,
    /// What each slot of the ring was filled with.
    given: Vec<Words>,
    /// Descriptors given so far.
    head: u64,
    /// Descriptors done so far, or failed.
    tail: u64,
    /// The last one that was done.
    last_done: Option<u64>,
    /// Of those, the ones that were lost in a halt.
    failed: Vec<Range<u64>>,
    word: u64,
    statistics: ChannelStatistics,
}

/// A channel as the interface sees it.
pub(super) struct Object {
    pub(super) handle: usize,
    pub(super) provider: Arc<Provider>,
    number: u32,
    context: AtomicPtr<c_void>,
    processor: AtomicU32,
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "channel {} of '{}'",
            self.number, self.provider.name
        )
    }
}

/// What the last descriptor of a batch asks for.
pub(super) fn ask(interrupt: bool) -> u32 {
    if interrupt {
        COMPLETED | INTERRUPT
    } else {
        COMPLETED
    }
}

/// The turn of a thread to submit or free.
struct Turn<'a>(&'a Object);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.inner.lock().turn = false;
        self.0.changed.notify_all();
    }
}

/// A thread in an abort or a reset. Until it is over the channel is not freed.
struct Stopping<'a>(&'a Object);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.inner.lock().stopping -= 1;
        self.0.changed.notify_all();
    }
}

impl Inner {
    fn capacity(&self) -> usize {
        self.given.len() - 1
    }

    fn free_slots(&self) -> usize {
        self.capacity() - (self.head - self.tail) as usize
    }

    /// How far everything up to `ticket` is.
    fn progress(&self, ticket: u64) -> Progress {
        let last = ticket.wrapping_sub(1);
        let over = ticket > self.head || matches!(self.life, Life::Allocating | Life::Freed);
        if self.failed.iter().any(|range| range.contains(&last)) {
            Progress::Failed
        } else if ticket <= self.tail {
            Progress::Complete
        } else if over {
            Progress::Failed
        } else {
            Progress::Running
        }
    }

    fn slot(&self, descriptor: u64) -> usize {
        (descriptor % self.given.len() as u64) as usize
    }

    fn flags(&self, descriptor: u64) -> u32 {
        (self.given[self.slot(descriptor)][0] >> 32) as u32
    }

    /// Counts what is not done as lost.
    fn drop_outstanding(&mut self) {
        self.dropped = self.tail.saturating_sub(1)..self.head;
        if self.tail < self.head {
            self.failed.push(self.tail..self.head);
        }
        self.tail = self.head;
    }

    /// Makes the descriptors that were dropped traps, but not the last one done before.
    fn poison_dropped(&self) {
        let Some(memory) = &self.memory else { return };
        for descriptor in self.dropped.clone().skip(1) {
            // Its slot may have been given again.
            if self.descriptor_in(self.slot(descriptor)) == Some(descriptor) {
                memory.poison(self.slot(descriptor));
            }
        }
    }

    /// Writes descriptors for `part` behind the last one given. The last one also has `ask`.
    fn fill(&mut self, part: &[Descriptor], ask: u32, counts: bool) {
        for (index, descriptor) in part.iter().enumerate() {
            let last = index + 1 == part.len();
            let cookie = self.head + index as u64;
            let slot = self.slot(cookie);
            let Some(memory) = &self.memory else { return };
            let transfer = descriptor.transfer;
            let flags = transfer.flags | if last { ask } else { 0 };
            let next = if last && !counts {
                0
            } else {
                memory.physical(slot + 1)
            };
            let words: Words = [
                u64::from(transfer.length) | u64::from(flags) << 32,
                transfer.source,
                transfer.destination,
                next,
                descriptor.next_source,
                descriptor.next_destination,
                cookie,
                !cookie,
            ];
            memory.write(slot, &words);
            self.given[slot] = words;
        }
    }

    /// Changes links of descriptors that were just filled.
    fn relink(&mut self, links: &[(usize, u64)]) {
        for (index, next) in links {
            let slot = self.slot(self.head + *index as u64);
            self.given[slot][NEXT] = *next;
            if let Some(memory) = &self.memory {
                memory.link(slot, *next);
            }
        }
    }

    /// The latest descriptor that was given in `slot`.
    fn descriptor_in(&self, slot: usize) -> Option<u64> {
        let last = self.head.checked_sub(1)?;
        let back = (self.slot(last) + self.given.len() - slot) % self.given.len();
        last.checked_sub(back as u64)
    }
}

impl Object {
    /// Has `provider` allocate a channel with a ring of a power of two of descriptors.
    pub(super) fn open(
        machine: &Arc<Machine>,
        provider: &Arc<Provider>,
        wanted: &ChannelRequest,
    ) -> Result<Arc<Self>, sys::NTSTATUS> {
        let _caller = provider.admit()?;
        let processors = wanted.processors;
        let memory = Memory::new(machine, wanted.descriptors, wanted.completion);
        let handle = machine.ndis.new_handle();
        let (completion_virtual, completion_physical) = memory.completion_addresses();
        let request = Request {
            completion_virtual,
            completion_physical,
            wanted,
            handle: ptr::without_provenance_mut(handle),
        };
        let word = memory.completion();
        let object = Arc::new(Self {
            handle,
            provider: Arc::clone(provider),
            number: provider.number_channel(),
            context: AtomicPtr::new(ptr::null_mut()),
            processor: AtomicU32::new(0),
            inner: Mutex::new(Inner {
                life: Life::Allocating,
                turn: false,
                stopping: 0,
                running: false,
                suspended: None,
                dropped: 0..0,
                given: vec![[0; WORDS]; memory.slots()],
                memory: Some(memory),
                head: 0,
                tail: 0,
                last_done: None,
                failed: Vec::new(),
                word,
                statistics: ChannelStatistics::default(),
            }),
            changed: Condvar::new(),
        });
        // Before the call: an interrupt may name the channel as soon as the provider knows it.
        machine
            .ndis
            .registry
            .lock()
            .channels
            .insert(handle, Arc::clone(&object));
        let granted = match provider.handlers.allocate(machine, &request) {
            Ok(granted) => granted,
            Err(status) => {
                machine.trace(
                    "netdma",
                    format_args!("{object}: allocation refused, {status:#010X}"),
                );
                object.retire(machine);
                return Err(status);
            }
        };
        let Some(context) = granted.context else {
            machine.violated(
                &violation::CHANNEL_CONTEXT,
                format_args!("{object}: none was stored"),
            );
            object.retire(machine);
            return Err(sys::STATUS_UNSUCCESSFUL);
        };
        let others: Vec<_> = machine
            .channels_of(provider)
            .into_iter()
            .filter(|other| other.handle != handle && other.is_allocated())
            .collect();
        if let Some(other) = others.iter().find(|other| other.holds(context)) {
            machine.violated(
                &violation::CHANNEL_CONTEXT,
                format_args!("{object} has that of {other}"),
            );
            object.retire(machine);
            return Err(sys::STATUS_UNSUCCESSFUL);
        }
        if others.len() >= provider.channels() as usize {
            let channels = provider.channels();
            machine.violated(
                &violation::TOO_MANY_CHANNELS,
                format_args!("{object}: it was started with {channels}"),
            );
        }
        object.context.store(context, Ordering::Release);
        let processor = granted
            .processor
            .filter(|&processor| processor < 64 && processors >> processor & 1 != 0);
        let Some(processor) = processor else {
            match granted.processor {
                Some(number) => machine.violated(
                    &violation::CPU_NUMBER,
                    format_args!("{object}: {number} is not in the mask {processors:#x}"),
                ),
                None => machine.violated(
                    &violation::CPU_NUMBER,
                    format_args!("{object}: none was written"),
                ),
            }
            object.hand_back(machine);
            return Err(sys::STATUS_UNSUCCESSFUL);
        };
        object.processor.store(processor, Ordering::Release);
        object.inner.lock().life = Life::Open;
        machine.trace(
            "netdma",
            format_args!("{object}: allocated for processors {processors:#x}, runs on {processor}"),
        );
        Ok(object)
    }

    /// Whether the provider has granted it and not been told to free it.
    fn is_allocated(&self) -> bool {
        matches!(self.inner.lock().life, Life::Open | Life::Freeing)
    }

    fn holds(&self, context: *mut c_void) -> bool {
        self.context.load(Ordering::Acquire) == context
    }

    pub(super) fn processor(&self) -> u32 {
        self.processor.load(Ordering::Acquire)
    }

    pub(super) fn statistics(&self) -> ChannelStatistics {
        self.inner.lock().statistics.clone()
    }

    /// How far everything up to `ticket` is, as far as that was looked at.
    pub(super) fn progress(&self, ticket: u64) -> Progress {
        self.inner.lock().progress(ticket)
    }

    /// Whether the next batch is a start.
    pub(super) fn needs_start(&self) -> bool {
        !self.inner.lock().running
    }

    /// Descriptors given and not done.
    pub(super) fn outstanding(&self) -> u64 {
        let inner = self.inner.lock();
        inner.head - inner.tail
    }

    /// Waits for the turn to submit.
    fn take_turn(&self) -> Result<Turn<'_>, sys::NTSTATUS> {
        let mut inner = self.inner.lock();
        while inner.turn {
            inner = self.changed.wait(inner);
        }
        if inner.life != Life::Open {
            return Err(sys::STATUS_DEVICE_NOT_READY);
        }
        inner.turn = true;
        Ok(Turn(self))
    }

    /// Begins an abort or a reset, of a channel that is not freed.
    fn begin_stop(&self) -> Result<Stopping<'_>, sys::NTSTATUS> {
        let mut inner = self.inner.lock();
        if inner.life != Life::Open {
            return Err(sys::STATUS_DEVICE_NOT_READY);
        }
        inner.stopping += 1;
        Ok(Stopping(self))
    }

    /// Gives the engine descriptors for `transfers`; the last one of each part that fits into the ring also has `ask`.
    pub(super) fn submit(
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
    pub(super) fn submit_descriptors(
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
    pub(super) fn restart(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
    ) -> Result<u64, sys::NTSTATUS> {
        self.one_part(machine, transfers, ask(true), true, &Malformed::default())
    }

    /// Has the provider append, whatever it is doing.
    pub(super) fn append(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
    ) -> Result<u64, sys::NTSTATUS> {
        self.one_part(machine, transfers, ask(true), false, &Malformed::default())
    }

    /// Has the provider begin a list or append, not as it should be done.
    pub(super) fn submit_malformed(
        &self,
        machine: &Arc<Machine>,
        transfers: &[Descriptor],
        start: bool,
        malformed: &Malformed,
    ) -> Result<u64, sys::NTSTATUS> {
        self.one_part(machine, transfers, 0, start, malformed)
    }

    /// Where the `index`-th descriptor that will be given next is.
    pub(super) fn descriptor_address(&self, index: usize) -> Option<u64> {
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
    pub(super) fn suspend(&self, machine: &Arc<Machine>) -> Result<u64, sys::NTSTATUS> {
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
    pub(super) fn edit(&self, transfers: &[Descriptor]) -> Result<u64, sys::NTSTATUS> {
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
    pub(super) fn control(
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

    /// Looks at the completion word; whether it changed.
    pub(super) fn process(&self, machine: &Machine) -> bool {
        let changed = self.look(machine, &mut self.inner.lock());
        if changed {
            self.changed.notify_all();
        }
        changed
    }

    fn look(&self, machine: &Machine, inner: &mut Inner) -> bool {
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
    pub(super) fn wait(&self, machine: &Arc<Machine>, ticket: u64, timeout: Duration) -> bool {
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
    pub(super) fn drain(&self, machine: &Arc<Machine>) {
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

    /// The device lost its context: the next batch is a new list.
    pub(super) fn forget_list(&self) {
        self.inner.lock().running = false;
    }

    /// Waits for outstanding work and has the provider free the channel; once.
    pub(super) fn free(&self, machine: &Arc<Machine>) {
        if self.begin_free() {
            self.drain(machine);
            self.hand_back(machine);
        }
    }

    /// The same without waiting.
    pub(super) fn free_at_once(&self, machine: &Arc<Machine>) {
        if self.begin_free() {
            self.hand_back(machine);
        }
    }

    /// Whether this is the one who frees the channel. Nobody submits any more.
    fn begin_free(&self) -> bool {
        let mut inner = self.inner.lock();
        if inner.life != Life::Open {
            return false;
        }
        inner.life = Life::Freeing;
        while inner.turn || inner.stopping > 0 {
            inner = self.changed.wait(inner);
        }
        true
    }

    /// Has the provider free the channel.
    fn hand_back(&self, machine: &Machine) {
        self.inner.lock().life = Life::HandedBack;
        self.provider
            .handlers
            .free(machine, self.context.load(Ordering::Acquire));
        machine.trace("netdma", format_args!("{self}: freed"));
        self.retire(machine);
    }

    /// Forgets the channel, and keeps its memory for a while to see whether somebody still writes to it.
    fn retire(&self, machine: &Machine) {
        machine.ndis.registry.lock().channels.remove(&self.handle);
        let memory = self.close();
        if let Some(memory) = memory {
            machine.ndis.condemn(machine, format!("{self}"), memory);
        }
    }

    /// Ends the channel without calling the provider; its memory.
    pub(super) fn close(&self) -> Option<Memory> {
        let mut inner = self.inner.lock();
        inner.life = Life::Freed;
        let memory = inner.memory.take();
        drop(inner);
        self.changed.notify_all();
        memory
    }

    /// The provider's interrupt service routine tells that the channel interrupted; the processor for its DPC.
    pub(super) fn interrupted(&self, machine: &Machine, descriptor: u64) -> u32 {
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
    pub(super) fn deferred(&self, machine: &Machine, descriptor: u64) {
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

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        formatter
            .debug_struct("Channel")
            .field("of", &self.provider.name)
            .field("number", &self.number)
            .field("life", &inner.life)
            .field("given", &inner.head)
            .field("done", &inner.tail)
            .finish_non_exhaustive()
    }
}
