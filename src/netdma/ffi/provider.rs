//! [`Registration`]: a provider that NetDMA knows, and what NetDMA asks of it.
//!
//! # Safety
//!
//! NetDMA uses a provider's context from the registering call until `NetDmaDeregisterProvider` returns. It is a
//! `PoolBox<Inner<P>>`, made in [`Registration::new`] and freed by the registration's drop.
#![expect(unsafe_code, reason = "calls NDIS.SYS and is called by it")]

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::super::affinity::Affinities;
use super::super::descriptor::Rules;
use super::super::interface::{Interface, Version};
use super::super::lease::{Mark, Term};
use super::super::provider::{Attributes, Characteristics, Failed, Name, Provider, RegisterError};
use super::{Notify, answer, channel};
use crate::context::{self, PoolBox};
use crate::irql::{self, Irql, Passive};
use crate::lifetime::{self, Hold, Image};
use crate::physical_device::PhysicalDevice;
use crate::status::{Error, Result, Status};
use crate::sys;

/// What NetDMA holds as the context of a provider.
pub(in crate::netdma) struct Inner<P> {
    pub(super) provider: P,
    version: Version,
    device: PhysicalDevice,
    maximum_channels: u32,
    name: Name,
    // Of the last start; callbacks that need them come after it.
    maximum_transfer_size: AtomicU32,
    maximum_address: AtomicU64,
    /// Channels have to be started after it.
    power_up: Mark,
}

impl<P> Inner<P> {
    pub(super) fn rules(&self) -> Rules {
        Rules {
            version: self.version,
            maximum_transfer_size: self.maximum_transfer_size.load(Ordering::Relaxed),
            maximum_address: self.maximum_address.load(Ordering::Relaxed),
        }
    }

    /// Whether a channel that was started at the beginning of `term` may go on.
    pub(super) fn has_power_since(&self, term: Term) -> bool {
        self.power_up.is_before(term)
    }
}

const REGISTERED: u8 = 0;
const STARTED: u8 = 1;
const POWERED_DOWN: u8 = 2;
const DEREGISTERED: u8 = 3;
/// A transition is under way.
const BUSY: u8 = 4;

/// How long to sleep between two looks at a transition that is under way, in milliseconds.
const INTERVAL: u64 = 1;

/// A provider that is or was registered, and the phase that it is in.
///
/// # Invariants
///
/// * `handle` came from a registration that succeeded and has been deregistered if and only if `phase` is `DEREGISTERED`.
/// * `inner` is the context of that registration.
pub(in crate::netdma) struct Registration<P: Provider> {
    handle: NonNull<c_void>,
    inner: NonNull<Inner<P>>,
    notify: Option<Notify>,
    phase: AtomicU8,
    hold: ManuallyDrop<Hold>,
    _owns: PhantomData<Inner<P>>,
}

// SAFETY: the provider inside is `Send` and `Sync` by its trait, and NetDMA's handle is bound to no thread.
unsafe impl<P: Provider> Send for Registration<P> {}
// SAFETY: shared access reaches the provider, which is `Sync` by its trait, and transitions, of which `phase` lets one pass at a
// time.
unsafe impl<P: Provider> Sync for Registration<P> {}

impl<P: Provider> Registration<P> {
    pub(in crate::netdma) fn new(
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
            device: characteristics.device.clone(),
            maximum_channels: characteristics.maximum_channels,
            name: characteristics.name,
            maximum_transfer_size: AtomicU32::new(0),
            maximum_address: AtomicU64::new(0),
            power_up: Mark::new(),
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
                    hold: ManuallyDrop::new(hold),
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

    pub(in crate::netdma) fn provider(&self) -> &P {
        &self.inner().provider
    }

    pub(in crate::netdma) fn version(&self) -> Version {
        self.inner().version
    }

    fn inner(&self) -> &Inner<P> {
        // SAFETY: `inner` is the registration's context, which is freed by the drop of `self` only and of which only shared
        // references are made.
        unsafe { self.inner.as_ref() }
    }

    /// Takes the phase away, so that nobody else is in a transition; the phase that it was. One that is under way is waited for.
    ///
    /// A transition does not wait for itself: NetDMA's callbacks have no proof of PASSIVE_LEVEL, but the one inside
    /// registration, when there is no value of this type yet.
    fn begin(&self, irql: &mut Irql<Passive>) -> u8 {
        loop {
            match self.phase.swap(BUSY, Ordering::Acquire) {
                BUSY => lifetime::sleep(INTERVAL, irql),
                phase => return phase,
            }
        }
    }

    fn end(&self, phase: u8) {
        self.phase.store(phase, Ordering::Release);
    }

    /// Goes from one phase to another by `act`, or stays if `act` fails.
    fn transition(
        &self,
        from: u8,
        to: u8,
        irql: &mut Irql<Passive>,
        act: impl FnOnce(&mut Irql<Passive>) -> Result<()>,
    ) -> Result<()> {
        let phase = self.begin(irql);
        if phase != from {
            self.end(phase);
            return Err(Error::INVALID_DEVICE_STATE);
        }
        let result = act(irql);
        self.end(if result.is_ok() { to } else { from });
        result
    }

    pub(in crate::netdma) fn start(
        &self,
        attributes: &Attributes,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        attributes.check(self.inner().maximum_channels)?;
        self.transition(REGISTERED, STARTED, irql, |irql| {
            self.call_start(attributes, irql);
            Ok(())
        })
    }

    fn call_start(&self, attributes: &Attributes, _irql: &mut Irql<Passive>) {
        let inner = self.inner();
        let size = attributes.maximum_transfer_size;
        inner.maximum_transfer_size.store(size, Ordering::Relaxed);
        let address = attributes.maximum_address;
        inner.maximum_address.store(address, Ordering::Relaxed);
        let mut table = sys::NET_DMA_PROVIDER_ATTRIBUTES {
            MajorHwVersion: attributes.hardware_version.0,
            MinorHwVersion: attributes.hardware_version.1,
            Size: size_of::<sys::NET_DMA_PROVIDER_ATTRIBUTES>() as u16,
            Flags: 0,
            VendorId: attributes.vendor,
            DmaChannelCount: attributes.channels,
            MaximumTransferSize: size,
            MaximumAddressSpace: sys::physical_address(address),
        };
        // SAFETY: the caller has taken the phase away from `REGISTERED`, so the handle is that of a registered provider that is
        // not started; the attributes are filled in and outlive the call; the level is proven by the argument.
        unsafe { sys::NetDmaProviderStart(self.handle.as_ptr(), &mut table) };
    }

    pub(in crate::netdma) fn stop(&self, irql: &mut Irql<Passive>) -> Result<()> {
        match self.begin(irql) {
            STARTED | POWERED_DOWN => {
                self.call_stop(irql);
                self.end(REGISTERED);
                Ok(())
            }
            phase => {
                self.end(phase);
                Err(Error::INVALID_DEVICE_STATE)
            }
        }
    }

    fn call_stop(&self, _irql: &mut Irql<Passive>) {
        // SAFETY: the callers have taken the phase away from `STARTED` or `POWERED_DOWN`, so the handle is that of a started
        // provider and nobody else stops it; the level is proven by the argument.
        unsafe { sys::NetDmaProviderStop(self.handle.as_ptr()) };
    }

    pub(in crate::netdma) fn power_down(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.transition(STARTED, POWERED_DOWN, irql, |irql| {
            self.notify(sys::NetDmaNotificationProviderPowerDown, irql)
        })
    }

    pub(in crate::netdma) fn power_up(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.transition(POWERED_DOWN, STARTED, irql, |irql| {
            // Before NetDMA starts channels, which it does in the call.
            self.inner().power_up.set();
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

    /// Stops and deregisters, as far as that is still to do.
    pub(in crate::netdma) fn deregister(&self, irql: &mut Irql<Passive>) {
        let phase = self.begin(irql);
        if matches!(phase, STARTED | POWERED_DOWN) {
            self.call_stop(irql);
        }
        if phase != DEREGISTERED {
            self.call_deregister(irql);
        }
        self.end(DEREGISTERED);
    }

    fn call_deregister(&self, _irql: &mut Irql<Passive>) {
        // SAFETY: the caller has taken the phase away and found it registered, and has stopped what was started; the level is
        // proven by the argument.
        unsafe { sys::NetDmaDeregisterProvider(self.handle.as_ptr()) };
    }
}

impl<P: Provider> Drop for Registration<P> {
    fn drop(&mut self) {
        let level = irql::current();
        debug_assert_eq!(
            level, 0,
            "a NetDMA provider is deregistered at PASSIVE_LEVEL"
        );
        if u32::from(level) != sys::PASSIVE_LEVEL {
            // NetDMA keeps the provider, so its context stays, and so does the hold: unloading then says what was dropped where
            // it could not be deregistered.
            return;
        }
        // SAFETY: the level has been read just above, and is that of this thread until it changes it itself.
        let mut irql = unsafe { Irql::<Passive>::assume() };
        self.deregister(&mut irql);
        // SAFETY: `self` is borrowed exclusively, so no transition is under way and the provider is deregistered now, after which
        // NetDMA does not use the context; nobody else holds it, and this runs once.
        drop(unsafe { PoolBox::from_raw(self.inner) });
        // SAFETY: this is the drop, so it is not used again, and only here it is dropped.
        unsafe { ManuallyDrop::drop(&mut self.hold) };
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
        PhysicalDeviceObject: inner.device.as_ptr(),
        MaxDmaChannelCount: inner.maximum_channels,
        SetDmaChannelCpuAffinity: Some(set_channel_cpu_affinity::<P>),
        AllocateDmaChannel: Some(channel::allocate::<P>),
        FreeDmaChannel: Some(channel::free::<P>),
        StartDma: Some(channel::start::<P>),
        SuspendDma: P::OPTIONAL.suspend,
        ResumeDma: P::OPTIONAL.resume,
        AbortDma: P::OPTIONAL.abort,
        AppendDma: Some(channel::append::<P>),
        ResetChannel: P::OPTIONAL.reset,
        FriendlyName: sys::UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: units.as_ptr().cast_mut(),
        },
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
