//! [`Provider`] and its registration: [`Registered`], [`Started`], [`Engine`].

use core::fmt;

use bitflags::bitflags;

use super::affinity::Affinities;
use super::channel::{Allocated, Channel, ChannelParameters};
pub use super::ffi::channel::{Optional, TextOverHeader};
use super::ffi::provider::Registration;
use super::interface::{Interface, Version};
use crate::irql::{AtMostDispatch, Irql, Passive};
use crate::lifetime::Image;
use crate::status::{Error, Result};
use crate::sys;

/// A DMA engine, as its driver offers it.
///
/// Callbacks arrive on any processor, at the same time as others, and from inside the driver's own calls of this module.
pub trait Provider: Sized + Send + Sync + 'static {
    /// A channel that NetDMA has allocated.
    type Channel: Channel<Self>;

    /// The optional operations that its channels offer to NetDMA; none unless said otherwise.
    const OPTIONAL: Optional<Self> = Optional::none();

    /// NetDMA says on which processors the channels are to interrupt.
    ///
    /// Called inside [`Registered::register`], at most once, on systems with message interrupts: nothing that register returns
    /// exists yet, and the caller must hold no lock that this needs. The driver applies it when it filters its
    /// resource requirements.
    ///
    /// # Errors
    ///
    /// NetDMA is told that nothing was applied. Whether it registers the provider all the same is not documented.
    #[doc(alias = "SetDmaChannelCpuAffinity")]
    fn set_channel_cpu_affinity(
        &self,
        affinities: Affinities<'_>,
        irql: &mut Irql<Passive>,
    ) -> Result<()>;

    /// A client wants a channel: choose a free one, best one that interrupts on a processor that the client asks for.
    ///
    /// Called while started, as early as inside start.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`] if none is free or there is no memory. Every other error is reported as
    /// [`Error::UNSUCCESSFUL`].
    #[doc(alias = "AllocateDmaChannel")]
    fn allocate_channel(
        &self,
        parameters: &ChannelParameters,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<Allocated<Self::Channel>>;
}

bitflags! {
    /// What a provider can do beyond copying. Told to NetDMA as far as the registered version knows it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Capabilities: u32 {
        /// Direct cache access. From 2.0 on.
        const DIRECT_CACHE_ACCESS = sys::NET_DMA_PROVIDER_CHARACTERISTICS_DCA_SUPPORTED;
        /// Processor groups. From 2.1 on.
        const PROCESSOR_GROUPS = sys::NET_DMA_PROVIDER_SUPPORTS_PROC_GROUPS;
    }
}

impl Capabilities {
    /// Those that a provider of `version` may claim.
    pub(super) fn known_to(self, version: Version) -> Self {
        if version >= Version::V2_1 {
            self
        } else if version >= Version::V2_0 {
            self & Self::DIRECT_CACHE_ACCESS
        } else {
            Self::empty()
        }
    }
}

/// The name of a provider, for people.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    units: [u16; Self::ROOM],
    length: usize,
}

impl Name {
    const ROOM: usize = 64;

    /// The name `text`.
    ///
    /// ```
    /// const NAME: nmr_netdma::netdma::Name = nmr_netdma::netdma::Name::new("A copy engine");
    /// ```
    ///
    /// # Panics
    ///
    /// If `text` is empty, longer than 64 bytes, or not ASCII; in a `const` that is a compile-time error.
    pub const fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= Self::ROOM && bytes.is_ascii(),
            "a name has 1 to 64 ASCII letters"
        );
        let mut units = [0; Self::ROOM];
        let mut index = 0;
        while index < bytes.len() {
            units[index] = bytes[index] as u16;
            index += 1;
        }
        Self {
            units,
            length: bytes.len(),
        }
    }

    pub(super) fn units(&self) -> &[u16] {
        &self.units[..self.length]
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for unit in self.units() {
            fmt::Write::write_char(formatter, char::from_u32(u32::from(*unit)).unwrap_or('?'))?;
        }
        Ok(())
    }
}

/// What a provider is, for its whole registration.
#[derive(Clone, Debug)]
#[doc(alias = "NET_DMA_PROVIDER_CHARACTERISTICS")]
pub struct Characteristics {
    /// The highest version that the provider can do. It registers with this one or the system's, whichever is lower.
    pub version: Version,
    /// What else it can do.
    pub capabilities: Capabilities,
    /// The physical device object of the device that the engine is.
    pub device: PhysicalDevice,
    /// The most channels that a device of this type can have.
    pub maximum_channels: u32,
    /// Its name. Part of the registration from 2.0 on.
    pub name: Name,
}

pub use crate::physical_device::PhysicalDevice;

/// What the engine turned out to be when the device started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "NET_DMA_PROVIDER_ATTRIBUTES")]
pub struct Attributes {
    /// Major and minor version of the hardware.
    pub hardware_version: (u8, u8),
    /// The PCI vendor identifier.
    pub vendor: u32,
    /// The channels there are, at least 1 and at most the registered maximum.
    pub channels: u32,
    /// The most bytes of one descriptor, at least [`MINIMUM_TRANSFER_SIZE`](Self::MINIMUM_TRANSFER_SIZE).
    pub maximum_transfer_size: u32,
    /// The highest physical address that the engine can reach.
    pub maximum_address: u64,
}

impl Attributes {
    /// What every engine must be able to copy with one descriptor, in bytes.
    pub const MINIMUM_TRANSFER_SIZE: u32 = 4096;

    pub(super) fn check(&self, maximum_channels: u32) -> Result<()> {
        if (1..=maximum_channels).contains(&self.channels)
            && self.maximum_transfer_size >= Self::MINIMUM_TRANSFER_SIZE
        {
            Ok(())
        } else {
            Err(Error::INVALID_PARAMETER)
        }
    }
}

/// Why there is no registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// This system has no NetDMA that works: Windows 8 or later. The driver does without.
    Unsupported,
    /// Something failed.
    Failed(Error),
}

impl From<Error> for RegisterError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<RegisterError> for Error {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Unsupported => Error::NOT_SUPPORTED,
            RegisterError::Failed(error) => error,
        }
    }
}

impl fmt::Display for RegisterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => formatter.write_str("this system has no NetDMA"),
            Self::Failed(error) => fmt::Display::fmt(error, formatter),
        }
    }
}

/// A registration that did not come about.
pub struct Failed<P> {
    /// What was to be registered.
    pub provider: P,
    /// Why it was not.
    pub error: RegisterError,
}

impl<P> fmt::Debug for Failed<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Failed")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// A registered provider that is not started.
///
/// Dropping it deregisters, at PASSIVE_LEVEL.
#[derive(Debug)]
#[must_use = "dropping it deregisters the provider"]
pub struct Registered<P: Provider>(Registration<P>);

/// A started provider: NetDMA may allocate and use its channels.
///
/// Dropping it stops and deregisters, at PASSIVE_LEVEL.
#[derive(Debug)]
#[must_use = "dropping it stops and deregisters the provider"]
pub struct Started<P: Provider>(Registration<P>);

/// A registered provider whose phase is checked when the program runs: for a device context, whose callbacks share it.
///
/// A transition waits for another one that is under way. It answers [`Error::INVALID_DEVICE_STATE`] if the engine is in another
/// phase, and has no effect then. Dropping the engine stops and deregisters as needed, at PASSIVE_LEVEL.
#[derive(Debug)]
#[must_use = "dropping it deregisters the provider"]
pub struct Engine<P: Provider>(Registration<P>);

/// A start that was refused.
#[derive(Debug)]
pub struct NotStarted<P: Provider> {
    /// The provider, registered as before.
    pub registered: Registered<P>,
    /// Why.
    pub error: Error,
}

impl<P: Provider> Registered<P> {
    /// Registers `provider` with NetDMA. To be called in AddDevice: NetDMA's choice of processors comes too late
    /// otherwise.
    ///
    /// # Errors
    ///
    /// The provider comes back with the reason. [`RegisterError::Unsupported`] is no fault of the driver.
    #[doc(alias = "NetDmaRegisterProvider")]
    pub fn register(
        image: &Image,
        interface: &Interface,
        provider: P,
        characteristics: &Characteristics,
        irql: &mut Irql<Passive>,
    ) -> Result<Self, Failed<P>> {
        Registration::new(image, interface, provider, characteristics, irql).map(Self)
    }

    /// Starts it. Channels may be allocated and used before this returns.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if `attributes` are out of their bounds, which NetDMA itself has no way to say.
    #[doc(alias = "NetDmaProviderStart")]
    pub fn start(
        self,
        attributes: &Attributes,
        irql: &mut Irql<Passive>,
    ) -> Result<Started<P>, NotStarted<P>> {
        match self.0.start(attributes, irql) {
            Ok(()) => Ok(Started(self.0)),
            Err(error) => Err(NotStarted {
                registered: self,
                error,
            }),
        }
    }

    /// Deregisters it: the same as dropping it, said aloud.
    #[doc(alias = "NetDmaDeregisterProvider")]
    pub fn deregister(self, irql: &mut Irql<Passive>) {
        self.0.deregister(irql);
    }

    /// The provider.
    pub fn provider(&self) -> &P {
        self.0.provider()
    }

    /// The version that it is registered with.
    pub fn version(&self) -> Version {
        self.0.version()
    }

    /// The registration for shared use.
    pub fn into_engine(self) -> Engine<P> {
        Engine(self.0)
    }
}

impl<P: Provider> Started<P> {
    /// Stops it: waits until nothing is outstanding and every channel has been freed.
    ///
    /// The caller must hold no lock that [`Channel::free`] needs, and its interrupts must still work.
    #[doc(alias = "NetDmaProviderStop")]
    pub fn stop(self, irql: &mut Irql<Passive>) -> Registered<P> {
        // It is started, by its type, and nobody else is in a transition, since it is owned here.
        let stopped = self.0.stop(irql);
        debug_assert_eq!(stopped, Ok(()));
        Registered(self.0)
    }

    /// Says that the device is about to leave its working state, so that clients drain their channels.
    ///
    /// # Errors
    ///
    /// [`Error::NOT_SUPPORTED`] before NetDMA 1.1, [`Error::INVALID_DEVICE_STATE`] if that was said already.
    #[doc(alias = "NetDmaPnPEventNotify")]
    pub fn power_down(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.0.power_down(irql)
    }

    /// Says that the device works again. NetDMA starts every allocated channel anew.
    ///
    /// # Errors
    ///
    /// [`Error::NOT_SUPPORTED`] before NetDMA 1.1, [`Error::INVALID_DEVICE_STATE`] without a power-down before.
    #[doc(alias = "NetDmaPnPEventNotify")]
    pub fn power_up(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.0.power_up(irql)
    }

    /// The provider.
    pub fn provider(&self) -> &P {
        self.0.provider()
    }

    /// The version that it is registered with.
    pub fn version(&self) -> Version {
        self.0.version()
    }
}

impl<P: Provider> Engine<P> {
    /// Starts it, as [`Registered::start`].
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if `attributes` are out of their bounds.
    pub fn start(&self, attributes: &Attributes, irql: &mut Irql<Passive>) -> Result<()> {
        self.0.start(attributes, irql)
    }

    /// Stops it, as [`Started::stop`].
    ///
    /// # Errors
    ///
    /// Only those of the wrong phase.
    pub fn stop(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.0.stop(irql)
    }

    /// As [`Started::power_down`].
    ///
    /// # Errors
    ///
    /// [`Error::NOT_SUPPORTED`] before NetDMA 1.1.
    pub fn power_down(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.0.power_down(irql)
    }

    /// As [`Started::power_up`].
    ///
    /// # Errors
    ///
    /// [`Error::NOT_SUPPORTED`] before NetDMA 1.1.
    pub fn power_up(&self, irql: &mut Irql<Passive>) -> Result<()> {
        self.0.power_up(irql)
    }

    /// Stops and deregisters, as far as that is still to do. Later transitions are refused; the provider stays.
    ///
    /// To be called in the device's cleanup callback, while the device is still there.
    pub fn deregister(&self, irql: &mut Irql<Passive>) {
        self.0.deregister(irql);
    }

    /// The provider.
    pub fn provider(&self) -> &P {
        self.0.provider()
    }

    /// The version that it is registered with.
    pub fn version(&self) -> Version {
        self.0.version()
    }
}
