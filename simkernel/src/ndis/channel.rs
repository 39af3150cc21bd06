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

mod completion;
mod ring;
mod submission;

use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::fmt;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use nmr_netdma::sys;

use self::ring::{Inner, Life};
pub(super) use self::submission::ask;
use super::handlers::Request;
use super::memory::{Memory, WORDS};
use super::provider::Provider;
use super::{ChannelRequest, ChannelStatistics, Progress, violation};
use crate::kernel::Machine;
use crate::platform::{Condvar, Mutex};

const COMPLETED: u32 = sys::NET_DMA_STATUS_UPDATE_ON_COMPLETION;
const INTERRUPT: u32 = sys::NET_DMA_INTERRUPT_ON_COMPLETION;

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
