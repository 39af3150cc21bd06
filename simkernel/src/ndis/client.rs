//! A client: what the TCP/IP stack is to NetDMA on Windows.
//!
//! # Design
//!
//! * **No symbols.** ndis.sys exports its client functions by names that are public, with signatures that are not. An invented
//!   signature would be linked against and prove nothing, so a client is a Rust value; its methods bear the C names as aliases.
//! * **Chains become descriptors page by page**, at most 4096 bytes each, as a stack that fills a receive buffer from packets
//!   has them. A side that runs into another page has its page-break flag from version 2.0 on; before, there is none, and
//!   the descriptor ends with the page.
//! * **Descriptors are pending until they are many**, or until somebody flushes or asks after them. A batch asks for one
//!   completion write, and for one interrupt unless the client polls.
//! * **Where the processor goes is said first.** A list for a provider with direct cache access begins with a context change, and
//!   descriptors then ask for it.
//! * **A refused batch is a failed one**: the client copies by itself then, which is not simulated.
//! * `NetDmaPrefetchNextDescriptor` is missing. It warms a cache, of which there is none here.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::time::Duration;

use nmr_netdma::sys;

use super::{Channel, Descriptor, NetDma, ProviderId, ProviderInfo, Transfer, on};
use crate::kernel::Machine;
use crate::mm::Buffer;
use crate::platform::{self, Mutex};

const PAGE: u64 = 4096;
/// Descriptors that may be pending, unless asked otherwise.
const PENDING: usize = 32;

/// What clients are told of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// `NetDmaNotificationProviderRegistered`.
    Registered(ProviderId),
    /// `NetDmaNotificationProviderArrival`: it was started.
    Arrival(ProviderId),
    /// `NetDmaNotificationProviderRemoval`: it is being stopped, and its channels go.
    Removal(ProviderId),
    /// `NetDmaNotificationProviderPowerDown`.
    PowerDown(ProviderId),
    /// `NetDmaNotificationProviderPowerUp`.
    PowerUp(ProviderId),
}

/// What one client was told and has not looked at.
pub(super) type Notes = Mutex<Vec<Notification>>;

/// A registered client. Dropping it deregisters it; its channels are independent values.
#[doc(alias = "NetDmaRegisterClient")]
#[doc(alias = "NetDmaDeregisterClient")]
pub struct Client {
    machine: Arc<Machine>,
    handle: usize,
    notes: Arc<Notes>,
}

impl NetDma<'_> {
    /// Registers a client.
    ///
    /// # Errors
    ///
    /// `STATUS_NOT_SUPPORTED` where there is no NetDMA.
    #[doc(alias = "NetDmaRegisterClient")]
    pub fn register_client(&self) -> Result<Client, sys::NTSTATUS> {
        let machine = self.machine;
        if self.version().is_none() {
            return Err(sys::STATUS_NOT_SUPPORTED);
        }
        let handle = machine.ndis.new_handle();
        let notes = Arc::new(Notes::default());
        let mut registry = machine.ndis.registry.lock();
        registry.clients.insert(handle, Arc::clone(&notes));
        drop(registry);
        Ok(Client {
            machine: Arc::clone(machine),
            handle,
            notes,
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut registry = self.machine.ndis.registry.lock();
        registry.clients.remove(&self.handle);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "client {:#x}", self.handle)
    }
}

impl Client {
    fn netdma(&self) -> NetDma<'_> {
        NetDma {
            machine: &self.machine,
        }
    }

    /// The providers that are registered.
    #[doc(alias = "NetDmaEnumerateDmaProviders")]
    pub fn providers(&self) -> Vec<ProviderInfo> {
        self.netdma().providers()
    }

    /// What happened to providers since the last call.
    pub fn notifications(&self) -> Vec<Notification> {
        mem::take(&mut *self.notes.lock())
    }

    /// A channel of the first provider that has one left, for DPCs on one of `processors`.
    ///
    /// # Errors
    ///
    /// What the last provider that was asked answered; `STATUS_NO_SUCH_DEVICE` if there is none.
    #[doc(alias = "NetDmaAllocateChannel")]
    pub fn allocate_channel(&self, processors: u64) -> Result<ClientChannel, sys::NTSTATUS> {
        let mut result = Err(sys::STATUS_NO_SUCH_DEVICE);
        for provider in self.providers() {
            result = self.allocate_channel_of(provider.id, processors);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// A channel of this provider.
    ///
    /// # Errors
    ///
    /// As [`NetDma::open`].
    pub fn allocate_channel_of(
        &self,
        provider: ProviderId,
        processors: u64,
    ) -> Result<ClientChannel, sys::NTSTATUS> {
        let channel = self.netdma().open(provider, processors)?;
        Ok(ClientChannel {
            channel,
            pending: Mutex::default(),
        })
    }
}

/// Part of a buffer that is contiguous for a program, as an MDL describes one.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The buffer.
    pub buffer: &'a Buffer,
    /// Where the part begins.
    pub start: usize,
    /// Bytes.
    pub length: usize,
}

impl<'a> Part<'a> {
    /// All of `buffer`.
    pub fn whole(buffer: &'a Buffer) -> Self {
        Self {
            buffer,
            start: 0,
            length: buffer.length(),
        }
    }

    fn exists(&self) -> bool {
        let end = self.start.checked_add(self.length);
        end.is_some_and(|end| end <= self.buffer.length())
    }
}

/// Part of physical memory.
#[derive(Clone, Copy, Debug)]
pub struct PhysicalPart {
    /// Where it begins.
    pub start: u64,
    /// Bytes.
    pub length: usize,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its descriptors have not been flushed.
    Pending,
    /// The engine has them.
    Running,
    /// It is done.
    Complete,
    /// It was refused or lost.
    Failed,
}

/// Descriptors that are flushed together.
#[derive(Default)]
struct Batch {
    /// `None` as long as it is not flushed; then its number of descriptors and the ticket of the last.
    flushed: Mutex<Option<Result<(u64, u64), sys::NTSTATUS>>>,
}

struct Pending {
    batch: Arc<Batch>,
    descriptors: Vec<Descriptor>,
    maximum: usize,
    /// Whether batches ask for no interrupt.
    polls: bool,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            batch: Arc::default(),
            descriptors: Vec::new(),
            maximum: PENDING,
            polls: false,
        }
    }
}

/// A copy that a channel was asked for.
#[derive(Clone)]
#[must_use]
pub struct DmaCopy {
    batch: Arc<Batch>,
    /// Descriptors of the batch up to its last one.
    end: u64,
}

impl fmt::Debug for DmaCopy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flushed = *self.batch.flushed.lock();
        write!(formatter, "copy up to {} of {flushed:x?}", self.end)
    }
}

impl DmaCopy {
    fn ticket(&self) -> Option<Result<u64, sys::NTSTATUS>> {
        let flushed = *self.batch.flushed.lock();
        flushed.map(|result| result.map(|(count, ticket)| ticket - (count - self.end)))
    }
}

/// A client's channel. Dropping it flushes nothing: what is pending is forgotten, what the engine has is waited for.
///
/// It may be used by several threads.
#[doc(alias = "NetDmaFreeChannel")]
pub struct ClientChannel {
    channel: Channel,
    pending: Mutex<Pending>,
}

impl fmt::Debug for ClientChannel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt(formatter)
    }
}

impl ClientChannel {
    /// The channel below, for statistics, and to do with it what no client does.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether batches ask for an interrupt, as they do by default, or are polled for.
    pub fn set_polled(&self, polled: bool) {
        self.pending.lock().polls = polled;
    }

    /// After how many pending descriptors they are flushed.
    #[doc(alias = "NetDmaGetMaxPendingDescriptors")]
    pub fn max_pending_descriptors(&self) -> usize {
        self.pending.lock().maximum
    }

    /// Sets that number; 0 counts as 1.
    #[doc(alias = "NetDmaSetMaxPendingDescriptors")]
    pub fn set_max_pending_descriptors(&self, maximum: usize) {
        self.pending.lock().maximum = maximum.max(1);
    }

    /// Copies the parts of `source`, one after the other, to `destination`.
    ///
    /// # Errors
    ///
    /// `STATUS_INVALID_PARAMETER` if a part is not within its buffer or the parts are longer than `destination`, or nothing is
    /// to be copied; what a flush answers, if one was due.
    #[doc(alias = "NetDmaChainCopyVirtualToVirtual")]
    pub fn chain_copy_virtual_to_virtual(
        &self,
        destination: Part<'_>,
        source: &[Part<'_>],
    ) -> Result<DmaCopy, sys::NTSTATUS> {
        if !source.iter().all(Part::exists) {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        let parts = source.iter().map(|part| {
            let address = |offset: usize| part.buffer.physical_at(part.start + offset);
            (part.length, address)
        });
        self.chain_copy(destination, parts)
    }

    /// The same from physical memory, of which nothing is checked.
    ///
    /// # Errors
    ///
    /// As [`chain_copy_virtual_to_virtual`](Self::chain_copy_virtual_to_virtual).
    #[doc(alias = "NetDmaChainCopyPhysicalToVirtual")]
    pub fn chain_copy_physical_to_virtual(
        &self,
        destination: Part<'_>,
        source: &[PhysicalPart],
    ) -> Result<DmaCopy, sys::NTSTATUS> {
        let parts = source.iter().map(|part| {
            let address = |offset: usize| part.start.checked_add(offset as u64);
            (part.length, address)
        });
        self.chain_copy(destination, parts)
    }

    fn chain_copy(
        &self,
        destination: Part<'_>,
        source: impl Iterator<Item = (usize, impl Fn(usize) -> Option<u64>)>,
    ) -> Result<DmaCopy, sys::NTSTATUS> {
        if !destination.exists() {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        let breaks = self.channel.object.provider.version.0 >= 2;
        let mut descriptors = Vec::new();
        let mut done = 0;
        for (length, address) in source {
            let to = destination.start + done;
            done += length;
            if done > destination.length {
                return Err(sys::STATUS_INVALID_PARAMETER);
            }
            let target = |offset: usize| destination.buffer.physical_at(to + offset);
            split(length, breaks, &address, &target, &mut descriptors)
                .ok_or(sys::STATUS_INVALID_PARAMETER)?;
        }
        self.queue(&descriptors)
    }

    /// A transfer of nothing, which completes after everything before it.
    ///
    /// # Errors
    ///
    /// What a flush answers, if one was due.
    #[doc(alias = "NetDmaNullTransfer")]
    pub fn null_transfer(&self) -> Result<DmaCopy, sys::NTSTATUS> {
        let nothing = Transfer {
            flags: sys::NET_DMA_NULL_TRANSFER,
            ..Transfer::default()
        };
        self.queue(&[nothing.into()])
    }

    fn queue(&self, descriptors: &[Descriptor]) -> Result<DmaCopy, sys::NTSTATUS> {
        if descriptors.is_empty() {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        let mut pending = self.pending.lock();
        pending.descriptors.extend_from_slice(descriptors);
        let copy = DmaCopy {
            batch: Arc::clone(&pending.batch),
            end: pending.descriptors.len() as u64,
        };
        let due = pending.descriptors.len() >= pending.maximum;
        drop(pending);
        if due {
            self.flush_pending_descriptors()?;
        }
        Ok(copy)
    }

    /// Gives what is pending to the engine.
    ///
    /// # Errors
    ///
    /// As [`Channel::submit`]. What was pending has failed then.
    #[doc(alias = "NetDmaFlushPendingDescriptors")]
    pub fn flush_pending_descriptors(&self) -> Result<(), sys::NTSTATUS> {
        let mut pending = self.pending.lock();
        let batch = mem::take(&mut pending.batch);
        let descriptors = mem::take(&mut pending.descriptors);
        let polls = pending.polls;
        drop(pending);
        if descriptors.is_empty() {
            return Ok(());
        }
        // The lock is given back: the provider is called.
        let count = descriptors.len() as u64;
        let result = self.hand_over(descriptors, polls);
        *batch.flushed.lock() = Some(result.map(|ticket| (count, ticket)));
        result.map(|_| ())
    }

    fn hand_over(
        &self,
        mut descriptors: Vec<Descriptor>,
        polls: bool,
    ) -> Result<u64, sys::NTSTATUS> {
        let Channel { machine, object } = &self.channel;
        if object.provider.direct_cache_access {
            for descriptor in &mut descriptors {
                if descriptor.transfer.flags & sys::NET_DMA_NULL_TRANSFER == 0 {
                    descriptor.transfer.flags |= sys::NET_DMA_DESTINATION_DCA_ENABLE;
                }
            }
            if object.needs_start() {
                let change = Transfer {
                    length: self.channel.processor() & 0xFF,
                    flags: sys::NET_DMA_OP_TYPE_CONTEXT_CHANGE | sys::NET_DMA_DCA_CONTEXT_CHANGE,
                    ..Transfer::default()
                };
                descriptors.insert(0, change.into());
            }
        }
        on(machine, || {
            object.submit_descriptors(machine, &descriptors, super::channel::ask(!polls))
        })
    }

    /// How far a copy is, by the completion word. Asking after a pending one flushes it.
    #[doc(alias = "NetDmaIsDmaCopyComplete")]
    pub fn is_dma_copy_complete(&self, copy: &DmaCopy) -> Progress {
        self.flush(copy);
        match copy.ticket() {
            None => Progress::Pending,
            Some(Err(_)) => Progress::Failed,
            Some(Ok(ticket)) => {
                let Channel { machine, object } = &self.channel;
                on(machine, || object.process(machine));
                object.progress(ticket)
            }
        }
    }

    /// Flushes `copy` if it is pending. If that is refused, the copy says so.
    fn flush(&self, copy: &DmaCopy) {
        let pending = Arc::ptr_eq(&self.pending.lock().batch, &copy.batch);
        if pending {
            let _ = self.flush_pending_descriptors();
        }
    }

    /// Waits until a copy is done; whether it was done within `timeout`.
    pub fn wait(&self, copy: &DmaCopy, timeout: Duration) -> bool {
        let limit = super::deadline(timeout);
        self.flush(copy);
        loop {
            match copy.ticket() {
                Some(Ok(ticket)) => {
                    let left = limit.saturating_sub(platform::now());
                    return self.channel.wait(ticket, Duration::from_nanos(left));
                }
                Some(Err(_)) => return false,
                // Another thread is flushing it.
                None if platform::now() >= limit => return false,
                None => platform::sleep(Duration::from_micros(20)),
            }
        }
    }
}

/// Descriptors for `length` bytes; `None` if an address does not exist.
fn split(
    length: usize,
    breaks: bool,
    source: &impl Fn(usize) -> Option<u64>,
    destination: &impl Fn(usize) -> Option<u64>,
    descriptors: &mut Vec<Descriptor>,
) -> Option<()> {
    let mut done = 0;
    while done < length {
        let (from, to) = (source(done)?, destination(done)?);
        let (first, second) = ((PAGE - from % PAGE) as usize, (PAGE - to % PAGE) as usize);
        let mut piece = (length - done).min(PAGE as usize);
        if !breaks {
            piece = piece.min(first).min(second);
        }
        let mut flags = 0;
        let (mut next_source, mut next_destination) = (0, 0);
        if piece > first {
            flags |= sys::NET_DMA_SOURCE_PAGE_BREAK;
            next_source = source(done + first)?;
        }
        if piece > second {
            flags |= sys::NET_DMA_DESTINATION_PAGE_BREAK;
            next_destination = destination(done + second)?;
        }
        descriptors.push(Descriptor {
            transfer: Transfer {
                source: from,
                destination: to,
                length: piece as u32,
                flags,
            },
            next_source,
            next_destination,
        });
        done += piece;
    }
    Some(())
}
