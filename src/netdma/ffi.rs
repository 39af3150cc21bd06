//! The crossing between [`netdma`](super) and `NDIS.SYS`: calls out, callbacks in, and the pointers that cross.
//!
//! Every callback does the same: recover the context, state the level, wrap the arguments, call the trait, convert the
//! result.
//!
//! # Safety
//!
//! What this file relies on is what `netdma.h` and its reference pages promise:
//!
//! * A provider context is used from the registering call until `NetDmaDeregisterProvider` returns. It is a
//!   `PoolBox<Inner<P>>`, made in [`Registration::new`] and freed by the registration's drop.
//! * A channel context is used from the allocating callback until the freeing one, which comes once, at the latest inside
//!   `NetDmaProviderStop`. It is a `PoolBox<Allocation<P>>`, made in [`allocate`] and freed in [`free`].
//! * NetDMA's handle of a channel and the completion word live from the allocating callback until the freeing one returns. They are
//!   used inside a [`Gate`] only, which is open no longer than that.
#![expect(unsafe_code, reason = "calls NDIS.SYS and is called by it")]

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::transmute;
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::affinity::Affinities;
use super::channel::{self, Abort, Channel, Link, Reset, SuspendResume};
use super::completion::Completion;
use super::descriptor::{ALIGNMENT, Chain, Refusal, Rules, Transfer, WORDS};
use super::interface::{Interface, Version};
use super::provider::{Attributes, Characteristics, Failed, Name, Provider, RegisterError};
use crate::context::{self, PoolBox};
use crate::irql::{self, AtMostDispatch, Dispatch, Irql, Passive};
use crate::lifetime::{Hold, Image};
use crate::status::{Error, Result, Status};
use crate::sys;

// Calls out that concern no provider.

/// `NetDmaPnPEventNotify`.
pub(super) type Notify = unsafe extern "system" fn(sys::PVOID, sys::PNET_DMA_PNP_NOTIFICATION);

/// The address of a function that `NDIS.SYS` may or may not export.
fn routine<const LENGTH: usize>(
    name: &[u16; LENGTH],
    _irql: &mut Irql<Passive>,
) -> Option<NonNull<c_void>> {
    let bytes = size_of_val(name) as u16;
    let mut name = sys::UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: name.as_ptr().cast_mut(),
    };
    // SAFETY: the string describes `LENGTH` characters that outlive the call, which only reads them; the level is proven by
    // the argument.
    NonNull::new(unsafe { sys::NdisGetRoutineAddress(&mut name) })
}

/// The letters of an ASCII name.
const fn wide<const LENGTH: usize>(text: &[u8; LENGTH]) -> [u16; LENGTH] {
    let mut units = [0; LENGTH];
    let mut index = 0;
    while index < LENGTH {
        units[index] = text[index] as u16;
        index += 1;
    }
    units
}

/// The version of the interface; 1.0, which has no function to ask, if there is none.
pub(super) fn version(irql: &mut Irql<Passive>) -> Version {
    const NAME: [u16; 16] = wide(b"NetDmaGetVersion");
    let Some(address) = routine(&NAME, irql) else {
        return Version::V1_0;
    };
    // SAFETY: NDIS.SYS exports under this name the function that netdma.h declares as `UINT NetDmaGetVersion(VOID)`.
    let get_version =
        unsafe { transmute::<NonNull<c_void>, unsafe extern "system" fn() -> sys::UINT>(address) };
    // SAFETY: NDIS.SYS stays loaded, since this image imports from it, and `irql` proves PASSIVE_LEVEL.
    Version::from_bits(unsafe { get_version() })
}

/// The notification function, if there is one.
pub(super) fn notify(irql: &mut Irql<Passive>) -> Option<Notify> {
    const NAME: [u16; 20] = wide(b"NetDmaPnPEventNotify");
    let address = routine(&NAME, irql)?;
    // SAFETY: NDIS.SYS exports under this name the function that netdma.h declares with this signature.
    Some(unsafe { transmute::<NonNull<c_void>, Notify>(address) })
}

// Providers.

/// What NetDMA holds as the context of a provider.
pub(super) struct Inner<P> {
    provider: P,
    version: Version,
    maximum_channels: u32,
    name: Name,
    // Of the last start; callbacks that need them come after it.
    maximum_transfer_size: AtomicU32,
    maximum_address: AtomicU64,
}

impl<P> Inner<P> {
    fn rules(&self) -> Rules {
        Rules {
            version: self.version,
            maximum_transfer_size: self.maximum_transfer_size.load(Ordering::Relaxed),
            maximum_address: self.maximum_address.load(Ordering::Relaxed),
        }
    }
}

const REGISTERED: u8 = 0;
const STARTED: u8 = 1;
const POWERED_DOWN: u8 = 2;
const DEREGISTERED: u8 = 3;
/// A transition is under way.
const BUSY: u8 = 4;

/// A provider that is or was registered, and the phase that it is in.
///
/// # Invariants
///
/// * `handle` came from a registration that succeeded and has been deregistered if and only if `phase` is `DEREGISTERED`.
/// * `inner` is the context of that registration.
pub(super) struct Registration<P: Provider> {
    handle: NonNull<c_void>,
    inner: NonNull<Inner<P>>,
    notify: Option<Notify>,
    phase: AtomicU8,
    _hold: Hold,
    _owns: PhantomData<Inner<P>>,
}

// SAFETY: the provider inside is `Send` and `Sync` by its trait, and NetDMA's handle is bound to no thread.
unsafe impl<P: Provider> Send for Registration<P> {}
// SAFETY: shared access reaches the provider, which is `Sync` by its trait, and transitions, of which `phase` lets one pass at a
// time.
unsafe impl<P: Provider> Sync for Registration<P> {}

impl<P: Provider> Registration<P> {
    pub(super) fn new(
        image: &Image,
        interface: &Interface,
        provider: P,
        characteristics: &Characteristics,
        irql: &mut Irql<Passive>,
    ) -> Result<Self, Failed<P>> {
        let Some(version) = interface.version.common(characteristics.version) else {
            return Err(Failed {
                provider,
                error: RegisterError::Unsupported,
            });
        };
        let hold = match image.hold(
            "NetDMA provider of device",
            characteristics.device.as_ptr().addr(),
            irql,
        ) {
            Ok(hold) => hold,
            Err(error) => {
                return Err(Failed {
                    provider,
                    error: error.into(),
                });
            }
        };
        let inner = Inner {
            provider,
            version,
            maximum_channels: characteristics.maximum_channels,
            name: characteristics.name,
            maximum_transfer_size: AtomicU32::new(0),
            maximum_address: AtomicU64::new(0),
        };
        let inner = match PoolBox::try_new(inner, irql) {
            Ok(inner) => inner,
            Err(Inner { provider, .. }) => {
                return Err(Failed {
                    provider,
                    error: Error::INSUFFICIENT_RESOURCES.into(),
                });
            }
        };
        let mut table = table(interface, characteristics, &inner);
        let context = inner.into_raw();
        let mut handle = ptr::null_mut();
        // SAFETY:
        // * The context is a live `Inner<P>`, which the callbacks in the table, made for `P`, expect.
        // * The table has the size, flags and members of its version, and outlives the call; its name lies in the context.
        // * The level is proven by the argument.
        let status = unsafe {
            sys::NetDmaRegisterProvider(context.as_ptr().cast(), &mut handle, &mut table)
        };
        let error = match (Error::new(Status(status)), NonNull::new(handle)) {
            (None, Some(handle)) => {
                return Ok(Self {
                    handle,
                    inner: context,
                    notify: interface.notify,
                    phase: AtomicU8::new(REGISTERED),
                    _hold: hold,
                    _owns: PhantomData,
                });
            }
            (None, None) => RegisterError::Unsupported,
            (Some(error), _) => RegisterError::Failed(error),
        };
        // SAFETY: the pointer was made above and NetDMA uses a context no longer than the registration, of which there is none.
        let inner = unsafe { PoolBox::from_raw(context) };
        Err(Failed {
            provider: inner.into_inner().provider,
            error,
        })
    }

    pub(super) fn provider(&self) -> &P {
        &self.inner().provider
    }

    pub(super) fn version(&self) -> Version {
        self.inner().version
    }

    fn inner(&self) -> &Inner<P> {
        // SAFETY: `inner` is the registration's context, which is freed by the drop of `self` only and of which only shared
        // references are made.
        unsafe { self.inner.as_ref() }
    }

    /// Goes from one phase to another by `act`, or stays if `act` fails.
    fn transition(&self, from: u8, to: u8, act: impl FnOnce() -> Result<()>) -> Result<()> {
        if self
            .phase
            .compare_exchange(from, BUSY, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return Err(Error::INVALID_DEVICE_STATE);
        }
        let result = act();
        self.phase
            .store(if result.is_ok() { to } else { from }, Ordering::Release);
        result
    }

    pub(super) fn start(&self, attributes: &Attributes, _irql: &mut Irql<Passive>) -> Result<()> {
        attributes.check(self.inner().maximum_channels)?;
        self.transition(REGISTERED, STARTED, || {
            self.inner()
                .maximum_transfer_size
                .store(attributes.maximum_transfer_size, Ordering::Relaxed);
            self.inner()
                .maximum_address
                .store(attributes.maximum_address, Ordering::Relaxed);
            let mut table = sys::NET_DMA_PROVIDER_ATTRIBUTES {
                MajorHwVersion: attributes.hardware_version.0,
                MinorHwVersion: attributes.hardware_version.1,
                Size: size_of::<sys::NET_DMA_PROVIDER_ATTRIBUTES>() as u16,
                Flags: 0,
                VendorId: attributes.vendor,
                DmaChannelCount: attributes.channels,
                MaximumTransferSize: attributes.maximum_transfer_size,
                MaximumAddressSpace: sys::physical_address(attributes.maximum_address),
            };
            // SAFETY: the handle is that of a registered provider that is not started, by the phase; the attributes are filled in
            // and outlive the call; the level is proven by the argument of `start`.
            unsafe { sys::NetDmaProviderStart(self.handle.as_ptr(), &mut table) };
            Ok(())
        })
    }

    pub(super) fn stop(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.transition(STARTED, REGISTERED, || {
            self.call_stop(irql);
            Ok(())
        })
        .or_else(|_| {
            self.transition(POWERED_DOWN, REGISTERED, || {
                self.call_stop(irql);
                Ok(())
            })
        })
    }

    fn call_stop(&self, _irql: &mut Irql<Passive>) {
        // SAFETY: both callers have taken the phase away from `STARTED` or `POWERED_DOWN`, so the handle is that of a started
        // provider and nobody else stops it; the level is proven by the argument.
        unsafe { sys::NetDmaProviderStop(self.handle.as_ptr()) };
    }

    pub(super) fn power_down(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.transition(STARTED, POWERED_DOWN, || {
            self.notify(sys::NetDmaNotificationProviderPowerDown, irql)
        })
    }

    pub(super) fn power_up(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.transition(POWERED_DOWN, STARTED, || {
            self.notify(sys::NetDmaNotificationProviderPowerUp, irql)
        })
    }

    fn notify(
        &self,
        code: sys::NET_DMA_PNP_NOTIFICATION_CODE,
        _irql: &mut Irql<Passive>,
    ) -> Result<()> {
        // Before 1.1 a provider is not expected to know of notifications, even if the system does.
        let notify = self
            .notify
            .filter(|_| self.version() >= Version::V1_1)
            .ok_or(Error::NOT_SUPPORTED)?;
        let mut event = sys::NET_DMA_PNP_NOTIFICATION {
            StructureRevision: sys::NET_DMA_PNP_NOTIFICATION_REVISION_1,
            StructureSize: size_of::<sys::NET_DMA_PNP_NOTIFICATION>() as u32,
            NotificationCode: code,
            Buffer: ptr::null_mut(),
            BufferLength: 0,
        };
        // SAFETY: the handle is registered, by the phase that both callers hold; the event is one of the two that a provider may
        // send and outlives the call; the level is proven by the argument.
        unsafe { notify(self.handle.as_ptr(), &mut event) };
        Ok(())
    }

    pub(super) fn deregister(&self, irql: &mut Irql<Passive>) {
        // If it is not started, there is nothing to stop.
        let _ = self.stop(irql);
        let _ = self.transition(REGISTERED, DEREGISTERED, || {
            // SAFETY: by the phase the handle is registered, not started, and nobody else deregisters it; the level is
            // proven by the argument of `deregister`.
            unsafe { sys::NetDmaDeregisterProvider(self.handle.as_ptr()) };
            Ok(())
        });
    }
}

impl<P: Provider> Drop for Registration<P> {
    fn drop(&mut self) {
        // SAFETY: the documentation of every type that owns a registration demands PASSIVE_LEVEL for its drop; debug
        // builds check it.
        let mut irql = unsafe { Irql::assume() };
        self.deregister(&mut irql);
        // SAFETY: `self` is borrowed exclusively, so no transition is under way and the provider is deregistered now, after which
        // NetDMA does not use the context; nobody else holds it, and this runs once.
        drop(unsafe { PoolBox::from_raw(self.inner) });
    }
}

impl<P: Provider> fmt::Debug for Registration<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase.load(Ordering::Relaxed) {
            REGISTERED => "registered",
            STARTED => "started",
            POWERED_DOWN => "powered down",
            DEREGISTERED => "deregistered",
            _ => "in transition",
        };
        formatter.write_fmt(format_args!(
            "NetDMA provider {:?} {}: {phase}",
            self.inner().name,
            self.version()
        ))
    }
}

/// The optional operations of a provider's channels.
///
/// Each can be chosen only if the channel has its trait, as in `Optional::none().abort().reset()`, and suspending cannot be chosen
/// without resuming.
pub struct Optional<P> {
    suspend: sys::DMA_SUSPEND_HANDLER,
    resume: sys::DMA_RESUME_HANDLER,
    abort: sys::DMA_ABORT_HANDLER,
    reset: sys::DMA_RESET_HANDLER,
    _of: PhantomData<fn(P)>,
}

impl<P: Provider> Optional<P> {
    /// None of them.
    pub const fn none() -> Self {
        Self {
            suspend: None,
            resume: None,
            abort: None,
            reset: None,
            _of: PhantomData,
        }
    }

    /// Suspending and resuming.
    ///
    /// The header declares the result of suspending as a pointer to a pointer, while the text has it receive a physical
    /// address. The text is followed: the address is stored where the parameter points. Both are 64 bits wide here; where
    /// pointers are shorter this does not compile, since the store would overwrite what lies behind. No source tells which of the
    /// two Windows means. A provider that wants no risk leaves this out.
    #[doc(alias = "SuspendDma")]
    #[doc(alias = "ResumeDma")]
    pub const fn suspend_resume(self) -> Self
    where
        P::Channel: SuspendResume<P>,
    {
        Self {
            suspend: Some(suspend::<P>),
            resume: Some(resume::<P>),
            ..self
        }
    }

    /// Aborting.
    #[doc(alias = "AbortDma")]
    pub const fn abort(self) -> Self
    where
        P::Channel: Abort<P>,
    {
        Self {
            abort: Some(abort::<P>),
            ..self
        }
    }

    /// Resetting.
    #[doc(alias = "ResetChannel")]
    pub const fn reset(self) -> Self
    where
        P::Channel: Reset<P>,
    {
        Self {
            reset: Some(reset::<P>),
            ..self
        }
    }
}

impl<P> fmt::Debug for Optional<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Optional")
            .field("suspend_resume", &self.suspend.is_some())
            .field("abort", &self.abort.is_some())
            .field("reset", &self.reset.is_some())
            .finish()
    }
}

/// What a provider of type `P` registers.
fn table<P: Provider>(
    interface: &Interface,
    characteristics: &Characteristics,
    inner: &Inner<P>,
) -> sys::NET_DMA_PROVIDER_CHARACTERISTICS {
    // The name came with the 1.1 form of the structure; 1.0 knows the structure that ends before it.
    let size = if interface.version >= Version::V1_1 {
        size_of::<sys::NET_DMA_PROVIDER_CHARACTERISTICS>()
    } else {
        core::mem::offset_of!(sys::NET_DMA_PROVIDER_CHARACTERISTICS, FriendlyName)
    };
    let units = inner.name.units();
    let bytes = size_of_val(units) as u16;
    sys::NET_DMA_PROVIDER_CHARACTERISTICS {
        MajorVersion: inner.version.major() as u8,
        MinorVersion: inner.version.minor() as u8,
        Size: size as u16,
        Flags: characteristics.capabilities.known_to(inner.version).bits(),
        PhysicalDeviceObject: characteristics.device.as_ptr(),
        MaxDmaChannelCount: inner.maximum_channels,
        SetDmaChannelCpuAffinity: Some(set_channel_cpu_affinity::<P>),
        AllocateDmaChannel: Some(allocate::<P>),
        FreeDmaChannel: Some(free::<P>),
        StartDma: Some(start::<P>),
        SuspendDma: P::OPTIONAL.suspend,
        ResumeDma: P::OPTIONAL.resume,
        AbortDma: P::OPTIONAL.abort,
        AppendDma: Some(append::<P>),
        ResetChannel: P::OPTIONAL.reset,
        FriendlyName: sys::UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: units.as_ptr().cast_mut(),
        },
    }
}

// Callbacks of a provider.

/// The answer to a callback that documents success, no resources, and failure.
fn answer(result: Result<()>) -> sys::NTSTATUS {
    match result {
        Ok(()) => sys::STATUS_SUCCESS,
        Err(Error::INSUFFICIENT_RESOURCES) => sys::STATUS_INSUFFICIENT_RESOURCES,
        Err(_) => sys::STATUS_UNSUCCESSFUL,
    }
}

/// `DMA_CHANNELS_CPU_AFFINITY_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it inside the registration of a `P`, at PASSIVE_LEVEL, with an array of so many bytes.
unsafe extern "system" fn set_channel_cpu_affinity<P: Provider>(
    context: sys::PVOID,
    array: sys::PNET_DMA_CHANNEL_CPU_AFFINITY,
    bytes: sys::ULONG,
) -> sys::NTSTATUS {
    // SAFETY: the context is the `Inner<P>` that `Registration::new` passes; it is freed after the registering call at the earliest
    // and only shared.
    let inner = unsafe { context::borrow::<Inner<P>>(context) };
    // SAFETY: the documentation of the callback says PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    let count = bytes as usize / size_of::<sys::NET_DMA_CHANNEL_CPU_AFFINITY>();
    let entries = if array.is_null() || count == 0 {
        &[]
    } else if array.is_aligned() {
        // SAFETY: the array is not null, aligned, and so many bytes long as NetDMA says; nobody writes to it during the callback.
        unsafe { slice::from_raw_parts(array.cast_const(), count) }
    } else {
        return sys::STATUS_UNSUCCESSFUL;
    };
    answer(
        inner
            .provider
            .set_channel_cpu_affinity(Affinities::new(entries), &mut irql),
    )
}

/// What NetDMA holds as the context of a channel.
struct Allocation<P: Provider> {
    inner: NonNull<Inner<P>>,
    channel: P::Channel,
    link: Link,
    /// Whether a start has succeeded, and no abort or reset came after it.
    started: AtomicBool,
}

impl<P: Provider> Allocation<P> {
    fn inner<'a>(&self) -> &'a Inner<P> {
        // SAFETY: NetDMA frees every channel before the provider is stopped, hence before the context of the provider is
        // freed, and the caller is a callback of the channel.
        unsafe { self.inner.as_ref() }
    }
}

/// Reads what NetDMA wants of a channel, and the address of the completion word, null if there is none.
///
/// # Safety
///
/// `parameters` is null or points to a structure as long as its own `Size` says, or longer.
unsafe fn read_parameters(
    parameters: sys::PNET_DMA_CHANNEL_PARAMETERS,
) -> Result<(channel::ChannelParameters, *mut u64)> {
    /// Revision 2 and what is longer.
    const EXTENDED: usize = sys::SIZEOF_NET_DMA_CHANNEL_PARAMETERS_REVISION_2 as usize;

    if parameters.is_null() || !parameters.is_aligned() {
        return Err(Error::UNSUCCESSFUL);
    }
    // SAFETY: every revision begins with the revision and the size, and the pointer is aligned.
    let [revision, size] = unsafe { parameters.cast::<[u16; 2]>().read() };
    if revision < sys::NET_DMA_CHANNEL_REVISION_1 as u16
        || usize::from(size) < sys::SIZEOF_NET_DMA_CHANNEL_PARAMETERS_REVISION_1 as usize
    {
        return Err(Error::UNSUCCESSFUL);
    }
    // SAFETY: the structure is at least as long as revision 1, whose size is counted without the padding that its
    // alignment gives it.
    let fixed = unsafe {
        parameters
            .cast::<sys::NET_DMA_CHANNEL_PARAMETERS_V1>()
            .read()
    };
    let extended =
        if revision >= sys::NET_DMA_CHANNEL_REVISION_2 as u16 && usize::from(size) >= EXTENDED {
            // SAFETY: revision and size say that the structure has the member.
            Some(unsafe { (*parameters).ProcessorAffinityMaskEx })
        } else {
            None
        };
    let wanted = channel::parameters(&fixed, extended)?;
    let word = wanted
        .completion_address()
        .map_or(ptr::null_mut(), |_| fixed.CompletionVirtualAddress.cast());
    Ok((wanted, word))
}

/// `DMA_CHANNEL_ALLOCATE_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it while a `P` is started, at DISPATCH_LEVEL or below, with parameters and a place for the context.
unsafe extern "system" fn allocate<P: Provider>(
    context: sys::PVOID,
    parameters: sys::PNET_DMA_CHANNEL_PARAMETERS,
    handle: sys::PVOID,
    result: *mut sys::PVOID,
) -> sys::NTSTATUS {
    // SAFETY: the context is the `Inner<P>` of a registered provider, freed after its deregistration and only shared.
    let inner = unsafe { context::borrow::<Inner<P>>(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    // SAFETY: NetDMA passes a structure of the revision and size that it names.
    let (wanted, completion) = match unsafe { read_parameters(parameters) } {
        Ok(read) => read,
        Err(error) => return answer(Err(error)),
    };
    let channel::Allocated {
        channel,
        processor,
        link,
    } = match inner.provider.allocate_channel(&wanted, &mut irql) {
        Ok(allocated) => allocated,
        Err(error) => return answer(Err(error)),
    };
    if !link.gate().claim() {
        // Dropped and not freed: freeing would end the work of the channel that has the link.
        drop(channel);
        return sys::STATUS_INSUFFICIENT_RESOURCES;
    }
    let allocation = Allocation::<P> {
        inner: NonNull::from(inner),
        channel,
        link: link.clone(),
        started: AtomicBool::new(false),
    };
    let allocation = match PoolBox::try_new(allocation, &mut irql) {
        Ok(allocation) => allocation,
        Err(Allocation { channel, .. }) => {
            link.gate().close();
            channel.free(&inner.provider, &mut irql);
            return sys::STATUS_INSUFFICIENT_RESOURCES;
        }
    };
    // SAFETY: `read_parameters` accepted the structure, so it has this member, which is the provider's to write.
    unsafe { (*parameters).CpuNumber = processor };
    // SAFETY: NetDMA passes the address of the variable that receives the context.
    unsafe { result.write(allocation.into_raw().as_ptr().cast()) };
    // SAFETY: the gate was claimed above. Handle and completion word live until the freeing callback returns, which closes
    // it first.
    unsafe { link.gate().open(handle, completion) };
    sys::STATUS_SUCCESS
}

/// `DMA_CHANNEL_FREE_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it once for each channel, at DISPATCH_LEVEL or below, and does not name the channel again.
unsafe extern "system" fn free<P: Provider>(context: sys::PVOID) {
    let Some(context) = NonNull::new(context.cast::<Allocation<P>>()) else {
        return;
    };
    // SAFETY: the context was made in `allocate` for the same `P`; NetDMA frees a channel once and has nothing outstanding on
    // it, so nobody borrows it.
    let allocation = unsafe { PoolBox::from_raw(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    let inner = allocation.inner();
    let Allocation { channel, link, .. } = allocation.into_inner();
    link.gate().close();
    channel.free(&inner.provider, &mut irql);
}

/// What the first descriptor of a chain makes of it; `None` if it is empty.
///
/// # Safety
///
/// `descriptor` is null or points to a descriptor that can be read.
unsafe fn read_chain(
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: u32,
    rules: Rules,
) -> Result<Option<Chain>, Refusal> {
    if count == 0 {
        return Ok(None);
    }
    let words = descriptor.cast::<u64>();
    if words.is_null() || !words.addr().is_multiple_of(ALIGNMENT as usize) {
        return Err(Refusal::Unaligned);
    }
    let mut copy = [0; WORDS];
    for (index, word) in copy.iter_mut().enumerate() {
        // SAFETY: a descriptor has more than `WORDS` words, so the result is inside it.
        let source = unsafe { words.add(index) };
        // SAFETY: `source` is an aligned word of a descriptor that NetDMA lets the provider read. It may be written to at the same
        // time, by a client; a volatile read takes what is there, once.
        *word = unsafe { source.read_volatile() };
    }
    Chain::begin(sys::physical_address_bits(physical), &copy, count, rules).map(Some)
}

impl Transfer {
    /// Reads the transfer out of the words of the descriptor at the physical address `descriptor`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    ///
    /// # Safety
    ///
    /// As far as the transfer is in order, the memory that the words name is as
    /// [`PhysicalRange::new`](crate::physical_memory::PhysicalRange::new) asks for.
    pub unsafe fn parse(
        descriptor: u64,
        words: &[u64; WORDS],
        rules: &Rules,
    ) -> Result<Self, Refusal> {
        Self::read(descriptor, words, rules)
    }
}

impl Chain {
    /// A chain of `count` descriptors that begins with the words of the descriptor at the physical address `descriptor`.
    ///
    /// NetDMA's chains arrive made. This is for tests, and for work that a driver gives itself.
    ///
    /// # Errors
    ///
    /// [`Refusal::Empty`], or what is wrong with the first descriptor.
    ///
    /// # Safety
    ///
    /// The memory that the descriptors of the chain name, and they themselves, are as
    /// [`PhysicalRange::new`](crate::physical_memory::PhysicalRange::new) asks for, until the last of them is done.
    pub unsafe fn new(
        descriptor: u64,
        words: &[u64; WORDS],
        count: u32,
        rules: Rules,
    ) -> Result<Self, Refusal> {
        Self::begin(descriptor, words, count, rules)
    }
}

/// `DMA_START_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it for an allocated channel, at DISPATCH_LEVEL or below, with the virtual and the physical address of the first
/// descriptor.
unsafe extern "system" fn start<P: Provider>(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    // SAFETY: the context was made in `allocate` for the same `P` and is freed when NetDMA has nothing outstanding; it is only
    // shared until then.
    let allocation = unsafe { context::borrow::<Allocation<P>>(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    let inner = allocation.inner();
    // SAFETY: NetDMA passes the address of the first descriptor.
    let result = match unsafe { read_chain(descriptor, physical, count, inner.rules()) } {
        Ok(Some(chain)) => allocation.channel.start(&inner.provider, &chain, &mut irql),
        Ok(None) => Err(Refusal::Empty.into()),
        Err(refusal) => Err(refusal.into()),
    };
    if result.is_ok() {
        allocation.started.store(true, Ordering::Relaxed);
    }
    answer(result)
}

/// `DMA_APPEND_HANDLER`.
///
/// # Safety
///
/// As for [`start`].
unsafe extern "system" fn append<P: Provider>(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    // SAFETY: the context was made in `allocate` for the same `P` and is freed when NetDMA has nothing outstanding; it is only
    // shared until then.
    let allocation = unsafe { context::borrow::<Allocation<P>>(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    let inner = allocation.inner();
    if !allocation.started.load(Ordering::Relaxed) {
        return sys::STATUS_UNSUCCESSFUL;
    }
    // SAFETY: NetDMA passes the address of the first descriptor.
    let result = match unsafe { read_chain(descriptor, physical, count, inner.rules()) } {
        Ok(Some(chain)) => allocation
            .channel
            .append(&inner.provider, &chain, &mut irql),
        Ok(None) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    };
    done(result)
}

/// The answer to a callback that documents success and failure only.
fn done(result: Result<()>) -> sys::NTSTATUS {
    match result {
        Ok(()) => sys::STATUS_SUCCESS,
        Err(_) => sys::STATUS_UNSUCCESSFUL,
    }
}

/// `DMA_SUSPEND_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it for an allocated channel, at DISPATCH_LEVEL or below, with a place for a physical address.
unsafe extern "system" fn suspend<P: Provider>(
    context: sys::PVOID,
    last: *mut sys::PPHYSICAL_ADDRESS,
) -> sys::NTSTATUS
where
    P::Channel: SuspendResume<P>,
{
    const {
        assert!(
            size_of::<sys::PPHYSICAL_ADDRESS>() == size_of::<sys::PHYSICAL_ADDRESS>(),
            "the place has room for a pointer and no more"
        );
    }
    // SAFETY: the context was made in `allocate` for the same `P` and is freed when NetDMA has nothing outstanding; it is only
    // shared until then.
    let allocation = unsafe { context::borrow::<Allocation<P>>(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    if last.is_null() {
        return sys::STATUS_UNSUCCESSFUL;
    }
    let provider = &allocation.inner().provider;
    match allocation.channel.suspend(provider, &mut irql) {
        Ok(descriptor) => {
            // SAFETY: NetDMA passes the address of a variable of eight bytes, a pointer or an address, to be written.
            unsafe {
                last.cast::<sys::PHYSICAL_ADDRESS>()
                    .write_unaligned(sys::physical_address(descriptor));
            }
            sys::STATUS_SUCCESS
        }
        Err(_) => sys::STATUS_UNSUCCESSFUL,
    }
}

/// `DMA_RESUME_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it for an allocated channel, at DISPATCH_LEVEL or below.
unsafe extern "system" fn resume<P: Provider>(context: sys::PVOID) -> sys::NTSTATUS
where
    P::Channel: SuspendResume<P>,
{
    // SAFETY: the context was made in `allocate` for the same `P` and is freed when NetDMA has nothing outstanding; it is only
    // shared until then.
    let allocation = unsafe { context::borrow::<Allocation<P>>(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    done(
        allocation
            .channel
            .resume(&allocation.inner().provider, &mut irql),
    )
}

/// `DMA_ABORT_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it for an allocated channel, at DISPATCH_LEVEL or below.
unsafe extern "system" fn abort<P: Provider>(context: sys::PVOID) -> sys::NTSTATUS
where
    P::Channel: Abort<P>,
{
    // SAFETY: the context was made in `allocate` for the same `P` and is freed when NetDMA has nothing outstanding; it is only
    // shared until then.
    let allocation = unsafe { context::borrow::<Allocation<P>>(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    allocation.started.store(false, Ordering::Relaxed);
    done(
        allocation
            .channel
            .abort(&allocation.inner().provider, &mut irql),
    )
}

/// `DMA_RESET_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it for an allocated channel, at DISPATCH_LEVEL or below.
unsafe extern "system" fn reset<P: Provider>(context: sys::PVOID) -> sys::NTSTATUS
where
    P::Channel: Reset<P>,
{
    // SAFETY: the context was made in `allocate` for the same `P` and is freed when NetDMA has nothing outstanding; it is only
    // shared until then.
    let allocation = unsafe { context::borrow::<Allocation<P>>(context) };
    // SAFETY: the documentation of the callback says DISPATCH_LEVEL or below.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    allocation.started.store(false, Ordering::Relaxed);
    done(
        allocation
            .channel
            .reset(&allocation.inner().provider, &mut irql),
    )
}

// Links.

const OPEN: u32 = 1;
const CALLER: u32 = 2;

/// What is behind a [`Link`]: a door with NetDMA's handle and the completion word behind it.
///
/// # Invariants
///
/// While `word` has `OPEN`, or a caller that found it open is inside, `channel` and `completion` are those of a channel that has not
/// been freed. One exception: a caller in `NetDmaInterruptDpc`, whose own client frees the channel.
pub(super) struct Gate {
    claimed: AtomicBool,
    /// `OPEN`, and the number of callers times `CALLER`.
    word: AtomicU32,
    channel: AtomicPtr<c_void>,
    completion: AtomicPtr<u64>,
    /// For each processor, the calls of `NetDmaInterruptDpc` in progress on it.
    calls: [AtomicU8; sys::MAXIMUM_PROC_PER_GROUP as usize],
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            claimed: AtomicBool::new(false),
            word: AtomicU32::new(0),
            channel: AtomicPtr::new(ptr::null_mut()),
            completion: AtomicPtr::new(ptr::null_mut()),
            calls: [const { AtomicU8::new(0) }; sys::MAXIMUM_PROC_PER_GROUP as usize],
        }
    }

    /// Takes the gate for one allocation; whether nobody has it.
    fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::Acquire)
    }

    /// Opens the gate.
    ///
    /// # Safety
    ///
    /// * The caller has claimed the gate.
    /// * `channel` is NetDMA's handle of a channel, `completion` null or its completion word, and both live until
    ///   [`close`](Self::close) returns.
    unsafe fn open(&self, channel: sys::PVOID, completion: *mut u64) {
        self.channel.store(channel, Ordering::Relaxed);
        self.completion.store(completion, Ordering::Relaxed);
        self.word.fetch_or(OPEN, Ordering::Release);
    }

    /// Closes the gate, waits until nobody is inside, and gives it up.
    fn close(&self) {
        self.word.fetch_and(!OPEN, Ordering::AcqRel);
        // A client that frees its channel in its own completion is inside on this processor, and waiting for it would last forever.
        // Below DISPATCH_LEVEL this cannot be.
        let own = if irql::current() >= sys::DISPATCH_LEVEL as u8 {
            u32::from(self.calls_here().load(Ordering::Relaxed))
        } else {
            0
        };
        while self.word.load(Ordering::Acquire) / CALLER > own {
            core::hint::spin_loop();
        }
        self.claimed.store(false, Ordering::Release);
    }

    fn calls_here(&self) -> &AtomicU8 {
        // SAFETY: the function has no precondition.
        let processor = unsafe { sys::KeGetCurrentProcessorNumber() };
        &self.calls[processor as usize % self.calls.len()]
    }

    pub(super) fn is_open(&self) -> bool {
        self.word.load(Ordering::Relaxed) & OPEN != 0
    }

    /// Enters if the gate is open.
    ///
    /// To be used at DISPATCH_LEVEL or above only, because [`close`](Self::close) waits for the caller at any level.
    #[inline]
    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        let before = self.word.fetch_add(CALLER, Ordering::Acquire);
        let entered = Entered {
            gate: self,
            channel: self.channel.load(Ordering::Relaxed),
            completion: self.completion.load(Ordering::Relaxed),
        };
        // Dropping it leaves.
        (before & OPEN != 0).then_some(entered)
    }
}

/// A caller inside a [`Gate`].
pub(super) struct Entered<'a> {
    gate: &'a Gate,
    channel: sys::PVOID,
    completion: *mut u64,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        self.gate.word.fetch_sub(CALLER, Ordering::Release);
    }
}

impl Entered<'_> {
    #[inline]
    pub(super) fn isr(&self, completed: u64, _irql: &mut Irql<irql::Device>) -> u32 {
        let mut processor = 0;
        // SAFETY: the handle is that of an allocated channel by the invariant of the gate, which the caller is inside of; the
        // processor is written to a local variable; the level is proven by the argument.
        unsafe {
            sys::NetDmaIsr(
                self.channel,
                sys::physical_address(completed),
                &mut processor,
            )
        };
        processor
    }

    #[inline]
    pub(super) fn publish(&self, completion: Completion) {
        if self.completion.is_null() {
            return;
        }
        // SAFETY: by the invariant of the gate this is the completion word of an allocated channel: eight bytes, aligned as checked
        // when it was allocated, written by this function only and read by others with whole accesses.
        let word = unsafe { AtomicU64::from_ptr(self.completion) };
        word.store(completion.word(), Ordering::Release);
    }

    #[inline]
    pub(super) fn interrupt_dpc(self, completed: u64, _irql: &mut Irql<Dispatch>) {
        let calls = self.gate.calls_here();
        calls.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the handle is that of an allocated channel by the invariant of the gate, which the caller is inside of; the
        // level is proven by the argument.
        unsafe { sys::NetDmaInterruptDpc(self.channel, sys::physical_address(completed)) };
        calls.fetch_sub(1, Ordering::Relaxed);
    }
}
