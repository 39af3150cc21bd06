//! The NetDMA interface: the side that calls providers.
//!
//! Providers register with the functions that ndis.sys exports. [`NetDma`] is what the network stack is on Windows: it opens
//! channels and gives them descriptors.
//!
//! | file | what it holds |
//! |---|---|
//! | `exports` | the C functions |
//! | `life` | what they do: registration to deregistration, power, interrupts |
//! | `provider` | a provider, its phases, and who is using it |
//! | `handlers` | calls into a provider |
//! | `client` | a client and its copies, as the TCP/IP stack has them |
//! | `channel` | a channel, its descriptors and its statistics |
//! | `memory` | ring and completion word |
//! | [`violation`] | the rules |
//!
//! # Version
//!
//! | system | interface | channel parameters |
//! |---|---|---|
//! | Windows Vista SP1 | 2.0 | revision 1, 40 bytes |
//! | Windows 7 | 2.1 | revision 2, 56 bytes with processor group |
//! | Windows 10 | none: registration succeeds with a null handle, `NetDmaIsr` stores processor 0, `NetDmaGetVersion` answers 0 | |
//!
//! # Design
//!
//! * **Processors are spread by number**: channel k is asked to interrupt processor k modulo the number of processors,
//!   whatever the seed. What Windows picks depends on its own load; a rule that a reader can predict makes tests
//!   readable, and [`AffinityPlan`] gives the others.
//! * **A provider that cannot take note of its affinity stays registered**, since none of Microsoft's pages says otherwise.
//! * **Calls into a provider are counted**, so that a stop knows when nobody is in it, and no lock is held over them.
//! * **Waits have a limit** where Windows would hang: then the rule [`OUTSTANDING`](violation::OUTSTANDING) says what was left,
//!   and the life goes on.
//! * **Transfers are not checked**: a test can send what Windows would not.
//! * **Handles are numbers** that are no addresses and are not used twice, so that a stale one is found out.

mod channel;
mod client;
mod exports;
mod handlers;
mod life;
mod memory;
mod provider;
pub mod violation;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::time::Duration;

use nmr_netdma::sys;

use self::channel::Object;
use self::client::Notes;
pub use self::client::{
    Client, ClientChannel, DmaCopy, Notification, Part, PhysicalPart, Progress,
};
use self::handlers::Operation;
use self::memory::Memory;
use self::provider::Provider;
use crate::kernel::{self, Config, Kernel, Machine, Os};
use crate::platform::{self, Mutex};
use crate::verifier::Leak;

/// Descriptors in a channel's ring, unless asked otherwise.
const RING: usize = 256;
/// Freed channels whose memory is watched.
const CONDEMNED: usize = 16;
const HANDLES: usize = 0x8E7D << (usize::BITS - 16);

/// A registered provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(usize);

/// What the interface knows of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderInfo {
    /// Names it in [`NetDma::open`].
    pub id: ProviderId,
    /// Its friendly name.
    pub name: String,
    /// The version it registered with: major, minor.
    pub version: (u8, u8),
    /// Whether it is started.
    pub started: bool,
    /// Whether it has direct cache access, by its flags.
    pub direct_cache_access: bool,
    /// Channels that it has, `DmaChannelCount`; 0 before its first start.
    pub channels: u32,
    /// The longest transfer in bytes, `MaximumTransferSize`; 0 before its first start.
    pub maximum_transfer: u32,
    /// For each channel of `MaxDmaChannelCount` the processor that it was asked to interrupt. Empty if it was not asked, as
    /// without MSI-X.
    pub affinity: Vec<Option<u32>>,
}

/// One element of the array that tells a provider which processors to interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affinity {
    /// `DmaChannel`.
    pub channel: u32,
    /// `CpuNumber`.
    pub processor: u32,
}

/// What providers whose devices have MSI-X are told in `SetDmaChannelCpuAffinity`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AffinityPlan {
    /// Channel k interrupts processor k modulo the number of processors.
    #[default]
    Spread,
    /// Channel k interrupts processor `list[k % list.len()]`.
    Processors(Vec<u32>),
    /// This very array, sensible or not.
    Array {
        /// What it says.
        entries: Vec<Affinity>,
        /// `CpuAffinityArraySize` in bytes. If it says more than there are entries, the rest is 0xFF.
        bytes: u32,
    },
    /// Nothing: the handler is not called.
    Silent,
}

/// One copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The physical address to copy from.
    pub source: u64,
    /// The physical address to copy to.
    pub destination: u64,
    /// Bytes.
    pub length: u32,
    /// `NET_DMA_*` control flags, besides those that the channel sets in the last one of a batch.
    pub flags: u32,
}

/// One descriptor: a copy, each side of which may continue on a second page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// The copy. `NET_DMA_SOURCE_PAGE_BREAK` and `NET_DMA_DESTINATION_PAGE_BREAK` are among its flags.
    pub transfer: Transfer,
    /// `NextSourceAddress`.
    pub next_source: u64,
    /// `NextDestinationAddress`.
    pub next_destination: u64,
}

impl From<Transfer> for Descriptor {
    fn from(transfer: Transfer) -> Self {
        Self {
            transfer,
            next_source: 0,
            next_destination: 0,
        }
    }
}

/// What a channel is allocated with. The default is what Windows asks for; everything else is what a provider has to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRequest {
    /// A bit for each processor that DPCs may run on.
    pub processors: u64,
    /// Descriptors in the ring, a power of two from 2 to 65536, of which one is always free.
    pub descriptors: usize,
    /// `ChannelPriority`.
    pub priority: u32,
    /// `Flags`, of which none is defined.
    pub flags: u32,
    /// `Revision` and `Size`, up to 120, instead of those of the system.
    pub form: Option<(u16, u16)>,
    /// Where the completion word is.
    pub completion: CompletionPlace,
}

impl Default for ChannelRequest {
    fn default() -> Self {
        Self {
            processors: u64::MAX,
            descriptors: RING,
            priority: 0,
            flags: 0,
            form: None,
            completion: CompletionPlace::Given,
        }
    }
}

/// Where a provider is told that the completion word is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompletionPlace {
    /// Where it should be: aligned, by both addresses.
    #[default]
    Given,
    /// Nowhere. What is done is known from `NetDmaInterruptDpc` only, here as in the two that follow.
    Absent,
    /// By its virtual address, without a physical one.
    VirtualOnly,
    /// By its physical address, without a virtual one.
    PhysicalOnly,
    /// So many bytes, less than 8185, behind the beginning of a page.
    At(usize),
}

/// How what is handed over differs from what Windows would send. The default does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Malformed {
    /// `DescriptorCount`.
    pub count: Option<u32>,
    /// Links: the index of a descriptor in this call, and its `NextDescriptor`.
    pub links: Vec<(usize, u64)>,
    /// `DescriptorPhysicalAddress`.
    pub physical: Option<u64>,
    /// Whether `DescriptorVirtualAddress` is null.
    pub null_virtual: bool,
}

/// What happened on a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelStatistics {
    /// Descriptors that were completed.
    pub descriptors: u64,
    /// Bytes that they moved.
    pub bytes: u64,
    /// Calls of `NetDmaIsr`.
    pub interrupts: u64,
    /// The same by processor.
    pub isr_processors: BTreeMap<u32, u64>,
    /// Calls of `NetDmaInterruptDpc` by processor.
    pub dpc_processors: BTreeMap<u32, u64>,
    /// Changes of the completion word that were seen.
    pub completion_writes: u64,
    /// Completed descriptors that asked for an interrupt, for which no `NetDmaInterruptDpc` has come yet.
    pub missing_interrupts: u64,
    /// Halts that the completion word reported. Each loses what was outstanding.
    pub faults: u64,
}

/// The NetDMA interface of a machine, as a client sees it.
#[derive(Clone, Copy)]
pub struct NetDma<'a> {
    machine: &'a Arc<Machine>,
}

impl Kernel {
    /// The NetDMA interface of this machine.
    pub fn netdma(&self) -> NetDma<'_> {
        NetDma {
            machine: self.machine(),
        }
    }
}

impl NetDma<'_> {
    /// The version of the interface, major and minor; `None` where there is no NetDMA.
    pub fn version(&self) -> Option<(u8, u8)> {
        self.machine.ndis.interface
    }

    /// The providers that are registered, in order of registration.
    pub fn providers(&self) -> Vec<ProviderInfo> {
        self.machine
            .ndis
            .registry
            .lock()
            .providers
            .values()
            .map(|provider| provider.info())
            .collect()
    }

    /// The handlers of `provider`, the other members being zero, and the context to call them with; `None` if it is not registered.
    ///
    /// For whoever wants to be NetDMA himself: a measurement that this interface is not to be part of, or hostile arguments. Channels
    /// that are allocated so are unknown here; their handle must not be used in calls of `NetDmaIsr` and `NetDmaInterruptDpc`.
    pub fn handlers(
        &self,
        provider: ProviderId,
    ) -> Option<(sys::NET_DMA_PROVIDER_CHARACTERISTICS, sys::PVOID)> {
        let registry = self.machine.ndis.registry.lock();
        Some(registry.providers.get(&provider.0)?.handlers.table())
    }

    /// Has `provider` allocate a channel whose DPCs run on one of `processors`, a bit for each.
    ///
    /// # Errors
    ///
    /// * `STATUS_NO_SUCH_DEVICE`: it is not registered.
    /// * `STATUS_INVALID_PARAMETER`: the machine has none of the processors.
    /// * `STATUS_DEVICE_NOT_READY`: it is not started, or its device has no power.
    /// * `STATUS_UNSUCCESSFUL`: it broke a rule of allocation.
    /// * What it answers itself: `STATUS_INSUFFICIENT_RESOURCES` if it has no channel left.
    pub fn open(&self, provider: ProviderId, processors: u64) -> Result<Channel, sys::NTSTATUS> {
        self.open_as(
            provider,
            &ChannelRequest {
                processors,
                ..ChannelRequest::default()
            },
        )
    }

    /// The same as `request` says, sensible or not.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); `STATUS_INVALID_PARAMETER` also for a ring, a size or a place that `request` cannot have.
    pub fn open_as(
        &self,
        provider: ProviderId,
        request: &ChannelRequest,
    ) -> Result<Channel, sys::NTSTATUS> {
        let machine = self.machine;
        let provider = machine
            .ndis
            .registry
            .lock()
            .providers
            .get(&provider.0)
            .cloned();
        let Some(provider) = provider else {
            return Err(sys::STATUS_NO_SUCH_DEVICE);
        };
        let request = ChannelRequest {
            processors: request.processors & machine.ndis.every_processor(),
            ..request.clone()
        };
        let ring =
            request.descriptors.is_power_of_two() && (2..=65536).contains(&request.descriptors);
        let form = request
            .form
            .is_none_or(|(_, size)| usize::from(size) <= handlers::LONGEST);
        let place = !matches!(request.completion, CompletionPlace::At(8185..));
        if request.processors == 0 || !ring || !form || !place {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        let object = on(machine, || Object::open(machine, &provider, &request))?;
        Ok(Channel {
            machine: Arc::clone(machine),
            object,
        })
    }

    /// Chooses what providers that register from now on are told about processors.
    pub fn set_affinity(&self, plan: AffinityPlan) {
        self.machine.ndis.settings.lock().affinity = plan;
    }

    /// How long a provider may go without completing anything while it is waited for; 10 s by default.
    pub fn set_patience(&self, patience: Duration) {
        self.machine.ndis.settings.lock().patience = patience;
    }

    /// Whether a start opens a channel, runs a NULL transfer on it and frees it, all before `NetDmaProviderStart` returns.
    /// Windows may; off by default.
    pub fn set_probe(&self, probe: bool) {
        self.machine.ndis.settings.lock().probe = probe;
    }

    /// Chooses what clients do in each call of `NetDmaInterruptDpc`, which tells them of completed descriptors: at DISPATCH_LEVEL, and
    /// inside the provider's DPC.
    pub fn set_completed(&self, completed: impl Fn() + Send + Sync + 'static) {
        self.machine.ndis.settings.lock().completed = Some(Arc::new(completed));
    }
}

impl fmt::Debug for NetDma<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NetDma")
            .field("providers", &self.providers())
            .finish()
    }
}

/// A channel that a client owns. Dropping it frees it.
///
/// It may be used by several threads. After its provider was stopped everything answers `STATUS_DEVICE_NOT_READY`.
pub struct Channel {
    machine: Arc<Machine>,
    object: Arc<Object>,
}

impl Channel {
    /// The processor that the provider runs the channel's DPC on, `CpuNumber`.
    pub fn processor(&self) -> u32 {
        self.object.processor()
    }

    /// Gives the engine descriptors for `transfers`, the last of which asks for status and interrupt. The first batch is
    /// a start, each later one an append. The answer is a ticket to [`wait`](Self::wait) for.
    ///
    /// A batch that is longer than the ring is split. If there is no room, this waits.
    ///
    /// # Errors
    ///
    /// * `STATUS_INVALID_PARAMETER`: there are no transfers.
    /// * `STATUS_DEVICE_NOT_READY`: the provider is stopped or without power.
    /// * `STATUS_IO_TIMEOUT`: there was no room, and nothing was completed for the interface's patience.
    /// * `STATUS_IO_DEVICE_ERROR`: the engine halted in a part of a split batch.
    /// * What the provider answers itself.
    pub fn submit(&self, transfers: &[Transfer]) -> Result<u64, sys::NTSTATUS> {
        on(&self.machine, || {
            self.object.submit(&self.machine, transfers, true)
        })
    }

    /// The same, but the last one asks for status only.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_polled(&self, transfers: &[Transfer]) -> Result<u64, sys::NTSTATUS> {
        on(&self.machine, || {
            self.object.submit(&self.machine, transfers, false)
        })
    }

    /// As [`submit`](Self::submit), with descriptors to whose flags nothing is added: if the last one of a batch does not ask
    /// for status, only a later one tells that it is done.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_descriptors(&self, descriptors: &[Descriptor]) -> Result<u64, sys::NTSTATUS> {
        on(&self.machine, || {
            self.object
                .submit_descriptors(&self.machine, descriptors, 0)
        })
    }

    /// Has the engine start a new list, be it active or suspended. What was not done is lost; the last descriptor asks for
    /// status and interrupt.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit); `STATUS_INVALID_PARAMETER` also if there is no room. After a refusal, too, what was not done
    /// counts as lost.
    pub fn restart(&self, transfers: &[Transfer]) -> Result<u64, sys::NTSTATUS> {
        let descriptors: Vec<_> = transfers
            .iter()
            .map(|transfer| (*transfer).into())
            .collect();
        on(&self.machine, || {
            self.object.restart(&self.machine, &descriptors)
        })
    }

    /// Has the engine append, although a start may be due; the rule
    /// [`APPEND_WITHOUT_START`](violation::APPEND_WITHOUT_START) says that it refuses then.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit); `STATUS_INVALID_PARAMETER` also if there is no room.
    pub fn append(&self, transfers: &[Transfer]) -> Result<u64, sys::NTSTATUS> {
        let descriptors: Vec<_> = transfers
            .iter()
            .map(|transfer| (*transfer).into())
            .collect();
        on(&self.machine, || {
            self.object.append(&self.machine, &descriptors)
        })
    }

    /// Has the engine start a new list or append, as [`restart`](Self::restart) and [`append`](Self::append) do, with descriptors
    /// to whose flags nothing is added, and not as it should be.
    ///
    /// Before version 2.0 everything given counts as such; from then on no more than the count says.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn submit_malformed(
        &self,
        start: bool,
        descriptors: &[Descriptor],
        malformed: &Malformed,
    ) -> Result<u64, sys::NTSTATUS> {
        on(&self.machine, || {
            self.object
                .submit_malformed(&self.machine, descriptors, start, malformed)
        })
    }

    /// The physical address of the `index`-th descriptor that will be given next.
    pub fn descriptor_address(&self, index: usize) -> Option<u64> {
        self.object.descriptor_address(index)
    }

    /// Suspends the channel; how many descriptors have been done since the allocation, which compares with tickets.
    ///
    /// # Errors
    ///
    /// `STATUS_NOT_SUPPORTED` if the provider cannot, `STATUS_DEVICE_NOT_READY`, or what the provider answers.
    pub fn suspend(&self) -> Result<u64, sys::NTSTATUS> {
        on(&self.machine, || self.object.suspend(&self.machine))
    }

    /// Replaces everything that a suspended channel has not done; the ticket of the last. Tickets of what is replaced are
    /// lost.
    ///
    /// # Errors
    ///
    /// `STATUS_INVALID_PARAMETER` if the channel is not suspended or has done nothing, if there is no room, or if the number
    /// differs for a provider from 2.0 on, which counts.
    pub fn edit(&self, transfers: &[Transfer]) -> Result<u64, sys::NTSTATUS> {
        let descriptors: Vec<_> = transfers
            .iter()
            .map(|transfer| (*transfer).into())
            .collect();
        on(&self.machine, || self.object.edit(&descriptors))
    }

    /// Resumes the channel.
    ///
    /// # Errors
    ///
    /// As [`suspend`](Self::suspend).
    pub fn resume(&self) -> Result<(), sys::NTSTATUS> {
        self.control(Operation::Resume)
    }

    /// Aborts what the channel does; what is outstanding is lost, and the next batch is a start.
    ///
    /// # Errors
    ///
    /// As [`suspend`](Self::suspend).
    pub fn abort(&self) -> Result<(), sys::NTSTATUS> {
        self.control(Operation::Abort)
    }

    /// Resets the channel, and makes traps of all its descriptors.
    ///
    /// # Errors
    ///
    /// As [`suspend`](Self::suspend).
    pub fn reset(&self) -> Result<(), sys::NTSTATUS> {
        self.control(Operation::Reset)
    }

    fn control(&self, operation: Operation) -> Result<(), sys::NTSTATUS> {
        on(&self.machine, || {
            self.object.control(&self.machine, operation)
        })
    }

    /// Waits until everything up to `ticket` is completed; whether that came within `timeout`. A halt ends the wait.
    pub fn wait(&self, ticket: u64, timeout: Duration) -> bool {
        on(&self.machine, || {
            self.object.wait(&self.machine, ticket, timeout)
        })
    }

    /// What happened so far.
    pub fn statistics(&self) -> ChannelStatistics {
        self.object.statistics()
    }

    /// Waits until nothing is outstanding, then has the provider free the channel.
    pub fn free(self) {}

    /// Has the provider free the channel without waiting for anything, as Windows never does. What is outstanding is lost.
    pub fn free_at_once(self) {
        on(&self.machine, || {
            if let Ok(_caller) = self.object.provider.admit_to_free() {
                self.object.free_at_once(&self.machine);
            }
        });
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        on(&self.machine, || {
            // Otherwise a stop frees it, or has.
            if let Ok(_caller) = self.object.provider.admit_to_free() {
                self.object.free(&self.machine);
            }
        });
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(formatter)
    }
}

/// What is registered and allocated, by handle, hence in order.
#[derive(Default)]
struct Registry {
    handles: usize,
    providers: BTreeMap<usize, Arc<Provider>>,
    channels: BTreeMap<usize, Arc<Object>>,
    clients: BTreeMap<usize, Arc<Notes>>,
}

struct Settings {
    affinity: AffinityPlan,
    patience: Duration,
    probe: bool,
    completed: Option<Completed>,
}

/// What a client does when it is told of completed descriptors.
type Completed = Arc<dyn Fn() + Send + Sync>;

pub(crate) struct State {
    interface: Option<(u8, u8)>,
    /// Of group 0.
    processors: u32,
    settings: Mutex<Settings>,
    registry: Mutex<Registry>,
    condemned: Mutex<VecDeque<(String, Memory)>>,
}

impl State {
    pub(crate) fn new(config: &Config) -> Self {
        let interface = match config.os {
            Os::VistaSp1 => Some((2, 0)),
            Os::Win7 => Some((2, 1)),
            Os::Win10 => None,
        };
        let settings = Settings {
            affinity: AffinityPlan::default(),
            patience: Duration::from_secs(10),
            probe: false,
            completed: None,
        };
        Self {
            interface,
            processors: config.group_mask(0).count_ones(),
            settings: Mutex::new(settings),
            registry: Mutex::default(),
            condemned: Mutex::default(),
        }
    }

    fn patience(&self) -> Duration {
        self.settings.lock().patience
    }

    /// A bit for each processor that a mask can name: 64, and on Windows Vista 32.
    fn every_processor(&self) -> u64 {
        let nameable = if self.interface == Some((2, 0)) {
            32
        } else {
            64
        };
        u64::MAX >> (64 - self.processors.clamp(1, nameable))
    }

    fn new_handle(&self) -> usize {
        let mut registry = self.registry.lock();
        registry.handles += 1;
        HANDLES | registry.handles << 4
    }

    /// Tells every client.
    fn tell(&self, notification: Notification) {
        for notes in self.registry.lock().clients.values() {
            notes.lock().push(notification);
        }
    }

    /// Whether `handle` was ever given out.
    fn was_given(&self, handle: usize) -> bool {
        let last = HANDLES | self.registry.lock().handles << 4;
        handle.is_multiple_of(16) && (HANDLES + 1..=last).contains(&handle)
    }

    /// Watches the memory of a channel that was freed.
    fn condemn(&self, machine: &Machine, name: String, memory: Memory) {
        memory.condemn();
        let mut condemned = self.condemned.lock();
        condemned.push_back((name, memory));
        let oldest = if condemned.len() > CONDEMNED {
            condemned.pop_front()
        } else {
            None
        };
        drop(condemned);
        if let Some((name, memory)) = oldest {
            examine(machine, &name, &memory);
        }
    }
}

/// Records whether somebody wrote to the memory of a freed channel.
fn examine(machine: &Machine, name: &str, memory: &Memory) {
    if !memory.untouched() {
        machine.violated(&violation::COMPLETION_AFTER_FREE, format_args!("{name}"));
    }
}

pub(crate) fn leaks(machine: &Arc<Machine>, leaks: &mut Vec<Leak>) {
    let registry = mem::take(&mut *machine.ndis.registry.lock());
    for provider in registry.providers.values() {
        leaks.push(Leak {
            kind: "netdma provider registration",
            detail: format!("'{}'", provider.name),
        });
    }
    for channel in registry.channels.values() {
        let outstanding = channel.outstanding();
        leaks.push(Leak {
            kind: "netdma channel",
            detail: format!("{channel}, {outstanding} descriptors outstanding"),
        });
        drop(channel.close());
    }
    for (name, memory) in mem::take(&mut *machine.ndis.condemned.lock()) {
        examine(machine, &name, &memory);
    }
}

/// Runs `body` on a thread of `machine`: this one, if it is one.
fn on<R>(machine: &Arc<Machine>, body: impl FnOnce() -> R) -> R {
    match kernel::try_current() {
        Some(thread) if Arc::ptr_eq(&thread.machine, machine) => body(),
        _ => kernel::enter(machine, 0, 0, body),
    }
}

/// The moment that `duration` from now is.
fn deadline(duration: Duration) -> u64 {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    platform::now().saturating_add(nanoseconds)
}
