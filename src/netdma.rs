//! NetDMA providers: a DMA engine offered to the network stack (`netdma.h`, `NDIS.SYS`).
//!
//! Windows Vista SP1 to Windows 7 copy received data with whatever engine a driver offers. A driver implements
//! [`Provider`] for the engine and [`Channel`] for one of its channels, and registers.
//!
//! # Protocol
//!
//! | step | who calls | level | here |
//! |---|---|---|---|
//! | find the interface and its version | driver | PASSIVE | [`Interface::find`] |
//! | register, in AddDevice | driver | PASSIVE | [`Registered::register`] |
//! | processor of each channel's interrupt, inside register | NetDMA | PASSIVE | [`Provider::set_channel_cpu_affinity`] |
//! | start, when every handler can run | driver | PASSIVE | [`Registered::start`] |
//! | allocate a channel, as early as inside start | NetDMA | up to DISPATCH | [`Provider::allocate_channel`] |
//! | run a chain of descriptors | NetDMA | up to DISPATCH | [`Channel::start`], [`Channel::append`] |
//! | suspend, resume, abort, reset a channel, if offered | NetDMA | up to DISPATCH | [`SuspendResume`], [`Abort`], [`Reset`] |
//! | tell how far the channel is, without interrupt | driver | DISPATCH | [`OpenLink::publish`] |
//! | tell by interrupt | driver | device, then DISPATCH | [`Link::isr`], [`OpenLink::interrupt_dpc`] |
//! | free the channel, at the latest inside stop | NetDMA | up to DISPATCH | [`Channel::free`] |
//! | around a low-power state | driver | PASSIVE | [`Started::power_down`], [`Started::power_up`] |
//! | stop | driver | PASSIVE | [`Started::stop`] |
//! | deregister | driver | PASSIVE | drop of [`Registered`] |
//!
//! # Words
//!
//! * **Descriptor**: one thing to do, 64 bytes in physical memory. **Chain**: the descriptors that one call hands over. **List**: a chain
//!   and all that is appended to it.
//! * **Completion word**: 64 bits in which a channel says how far it is; see [`Completion`].
//! * **Page break**: copying that goes on at another page, on either side. **Fence**: the next descriptor waits for this one.
//! * **Link**: the way from a hardware channel to whoever has it allocated. **Claim**: a link taken for one allocation.
//! * **Term**: the time for which a channel has what one start handed over. **Lease**: the proof that it lasts.
//!
//! # C names
//!
//! Each has a page of its own, which is the source of what is said of it here. The names are also search aliases of the items.
//!
//! | in `netdma.h` | here | level | since NetDMA |
//! |---|---|---|---|
//! | [`NetDmaGetVersion`] | [`Interface::find`] | PASSIVE | 1.1 |
//! | [`NetDmaRegisterProvider`] | [`Registered::register`] | PASSIVE | 1.0 |
//! | [`NetDmaProviderStart`] | [`Registered::start`] | PASSIVE | 1.0 |
//! | [`NetDmaProviderStop`] | [`Started::stop`] | PASSIVE | 1.0 |
//! | [`NetDmaDeregisterProvider`] | [`Registered::deregister`] | PASSIVE | 1.0 |
//! | [`NetDmaPnPEventNotify`] | [`Started::power_down`], [`Started::power_up`] | PASSIVE | 1.1 |
//! | [`NetDmaIsr`] | [`Link::isr`] | device | 1.0 |
//! | [`NetDmaInterruptDpc`] | [`OpenLink::interrupt_dpc`] | DISPATCH | 1.0 |
//! | [`DMA_CHANNELS_CPU_AFFINITY_HANDLER`] | [`Provider::set_channel_cpu_affinity`] | PASSIVE | 1.0 |
//! | [`DMA_CHANNEL_ALLOCATE_HANDLER`] | [`Provider::allocate_channel`] | up to DISPATCH | 1.0 |
//! | [`DMA_CHANNEL_FREE_HANDLER`] | [`Channel::free`] | up to DISPATCH | 1.0 |
//! | [`DMA_START_HANDLER`] | [`Channel::start`] | up to DISPATCH | 1.0 |
//! | [`DMA_APPEND_HANDLER`] | [`Channel::append`] | up to DISPATCH | 1.0 |
//! | [`DMA_SUSPEND_HANDLER`] | [`SuspendResume::suspend`] | up to DISPATCH | 1.0 |
//! | [`DMA_RESUME_HANDLER`] | [`SuspendResume::resume`] | up to DISPATCH | 1.0 |
//! | [`DMA_ABORT_HANDLER`] | [`Abort::abort`] | up to DISPATCH | 1.0 |
//! | [`DMA_RESET_HANDLER`] | [`Reset::reset`] | up to DISPATCH | 1.0 |
//! | [`NET_DMA_PROVIDER_CHARACTERISTICS`] | [`Characteristics`], [`Capabilities`] |  | 1.0; name 2.0 |
//! | [`NET_DMA_PROVIDER_ATTRIBUTES`] | [`Attributes`] |  | 1.0 |
//! | [`NET_DMA_CHANNEL_PARAMETERS`] | [`ChannelParameters`] |  | 1.0; group 2.1 |
//! | [`NET_DMA_CHANNEL_CPU_AFFINITY`] | [`Affinity`] |  | 1.0 |
//! | [`NET_DMA_DESCRIPTOR`] | [`Transfer`], [`ControlFlags`] |  | 1.0; page breaks, cache 2.0 |
//!
//! [`NetDmaGetVersion`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmagetversion
//! [`NetDmaRegisterProvider`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmaregisterprovider
//! [`NetDmaProviderStart`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmaproviderstart
//! [`NetDmaProviderStop`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmaproviderstop
//! [`NetDmaDeregisterProvider`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmaderegisterprovider
//! [`NetDmaPnPEventNotify`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmapnpeventnotify
//! [`NetDmaIsr`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmaisr
//! [`NetDmaInterruptDpc`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nf-netdma-netdmainterruptdpc
//! [`DMA_CHANNELS_CPU_AFFINITY_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_channels_cpu_affinity_handler
//! [`DMA_CHANNEL_ALLOCATE_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_channel_allocate_handler
//! [`DMA_CHANNEL_FREE_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_channel_free_handler
//! [`DMA_START_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_start_handler
//! [`DMA_APPEND_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_append_handler
//! [`DMA_SUSPEND_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_suspend_handler
//! [`DMA_RESUME_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_resume_handler
//! [`DMA_ABORT_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_abort_handler
//! [`DMA_RESET_HANDLER`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/nc-netdma-dma_reset_handler
//! [`NET_DMA_PROVIDER_CHARACTERISTICS`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/ns-netdma-_net_dma_provider_characteristics
//! [`NET_DMA_PROVIDER_ATTRIBUTES`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/ns-netdma-_net_dma_provider_attributes
//! [`NET_DMA_CHANNEL_PARAMETERS`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/ns-netdma-_net_dma_channel_parameters
//! [`NET_DMA_CHANNEL_CPU_AFFINITY`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/ns-netdma-_net_dma_channel_cpu_affinity
//! [`NET_DMA_DESCRIPTOR`]: https://learn.microsoft.com/windows-hardware/drivers/ddi/netdma/ns-netdma-_net_dma_descriptor
//!
//! # Where header and documentation mislead
//!
//! | what they say | what is so, or what is done here |
//! |---|---|
//! | suspending answers a pointer to an address (header), an address (text) | not known; see [`TextOverHeader`] |
//! | a descriptor is aligned to 64 bits | to 64 bytes: six bits of its address are free for the status. Others are [`Refusal::Unaligned`] |
//! | `NextDescriptor` is NULL in the last descriptor | before 2.0 only. From 2.0 on it leads to what is appended next, and the count ends the list; [`Cursor`] does both |
//! | the count only informs | before 2.0 only |
//! | start comes after reset or stop; or after abort, reset and allocation | after all of them, and after a power-up: until then an append is [`Refusal::NotStarted`] |
//! | revision 1 of the channel parameters has 36 bytes, its C structure 40 | 36 are enough. Revision 2 has 56; its member is read only if revision and size have it |
//! | `ProcessorAffinityMask` is a mask of processors | of the first 32, on every system; [`ChannelParameters::processors`] prefers that of revision 2 |
//! | `CpuAffinityArraySize` is a size | in bytes, not in entries |
//! | the flag of direct cache access is one of the attributes (Vista SP1), of the characteristics (later) | it is set in the characteristics; the attributes have none |
//! | callbacks answer `STATUS_RESOURCES` | there is no such status; it is `STATUS_INSUFFICIENT_RESOURCES` |
//! | the handle of `NetDmaRegisterProvider` is an input | an output, and with success it is null on Windows 8 and later |
//! | `NET_DMA_OP_TYPE_MASK` and `NET_DMA_RESERVED_MASK` are bits that are zero | no header defines them, and a context change contradicts the first; see [`Refusal::ReservedBits`], [`Refusal::Operation`] |
//! | affinities are neither a mandatory nor an optional handler | the handler is always there |
//!
//! # Direct cache access
//!
//! From 2.0 on NetDMA tells an engine which processor will read the data: a descriptor that copies nothing
//! ([`Work::ContextChange`]) names it by its APIC identifier, and the descriptors behind it whose data is meant have
//! [`ControlFlags::DESTINATION_DCA`]. It is for the engine to put the hint on its writes, and only a device on the bus can. So the library
//! hands both over and a provider that can use them says [`Capabilities::DIRECT_CACHE_ACCESS`]; an engine in software has nothing to do
//! but to complete the context change. That data arrives in a cache can be seen in hardware only, and is not tested here.
//!
//! # The smallest provider
//!
//! One channel, whose engine takes descriptors from the [`Cursor`] when it gets to it.
//!
//! ```
//! use nmr_netdma::irql::{AtMostDispatch, Passive};
//! use nmr_netdma::lifetime::{Image, SpinLock};
//! use nmr_netdma::netdma::*;
//! use nmr_netdma::{Irql, Result};
//! # use simkernel as _;
//!
//! struct Copier {
//!     link: Link,
//!     work: SpinLock<Cursor>,
//! }
//!
//! struct OnlyChannel;
//!
//! impl Provider for Copier {
//!     type Channel = OnlyChannel;
//!
//!     fn set_channel_cpu_affinity(&self, _: Affinities<'_>, _: &mut Irql<Passive>) -> Result<()> {
//!         Ok(()) // without message interrupts there is nothing to choose
//!     }
//!
//!     fn allocate_channel(
//!         &self,
//!         parameters: &ChannelParameters,
//!         _: &mut Irql<AtMostDispatch>,
//!     ) -> Result<Allocated<OnlyChannel>> {
//!         let link = self.link.claim()?; // refused while another client has it
//!         // The first that the client asks for.
//!         let processor = parameters.processors().mask.trailing_zeros().min(63);
//!         Ok(Allocated { channel: OnlyChannel, processor, link })
//!     }
//! }
//!
//! impl Channel<Copier> for OnlyChannel {
//!     fn start(&self, copier: &Copier, chain: &Chain, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
//!         copier.work.with(irql, |cursor, _| cursor.start(chain));
//!         Ok(())
//!     }
//!
//!     fn append(&self, copier: &Copier, chain: &Chain, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
//!         copier.work.with(irql, |cursor, _| cursor.append(chain))?;
//!         Ok(())
//!     }
//!
//!     fn free(self, copier: &Copier, irql: &mut Irql<AtMostDispatch>) {
//!         copier.work.with(irql, |cursor, _| cursor.clear());
//!     }
//! }
//!
//! fn add_device(image: &Image, device: PhysicalDevice, irql: &mut Irql<Passive>) -> Result<Option<Engine<Copier>>> {
//!     let copier = Copier { link: Link::new(irql)?, work: SpinLock::new(Cursor::new()) };
//!     let characteristics = Characteristics {
//!         version: Version::V2_1,
//!         capabilities: Capabilities::empty(),
//!         device,
//!         maximum_channels: 1,
//!         name: const { Name::new("Copier") },
//!     };
//!     match Registered::register(image, &Interface::find(irql), copier, &characteristics, irql) {
//!         Ok(registered) => Ok(Some(registered.into_engine())),
//!         Err(Failed { error: RegisterError::Unsupported, .. }) => Ok(None), // Windows 8 or later
//!         Err(Failed { error, .. }) => Err(error.into()),
//!     }
//! }
//! ```
//!
//! # Design
//!
//! * **Phases are types.** [`Registered`] and [`Started`] own the registration; each exists only in its phase. A device
//!   context is shared, its callbacks have `&self`, and it cannot own a value of changing type without a lock around
//!   a call that waits; for it there is [`Engine`], which keeps the phase in one atomic word and refuses
//!   what the types would not let compile.
//! * **A channel reaches NetDMA through a [`Link`]**, which belongs to the hardware channel and outlives its users. The
//!   library opens it when a channel has been allocated and closes it before it is freed; whoever comes late, an
//!   interrupt or a DPC, finds it closed. A handle per allocation was rejected: an interrupt service routine would have
//!   needed a lock to find it. A provider takes the link with a [`Claim`], which the library gives up when the channel has been freed: a
//!   mark of the provider's own would be taken away a moment earlier, and whoever took the channel then would find the link in use.
//! * **The channel's callbacks get the provider** as an argument, so that a channel need not share ownership of it.
//! * **The version is the lower one** of what the provider can do and what the system has. It decides how chains end, so
//!   [`Cursor`] hides the difference.
//! * Optional handlers ([`SuspendResume`], [`Abort`], [`Reset`]) are sub-traits of [`Channel`] and not methods with a default
//!   body, because presence in the table is a promise. [`Provider::OPTIONAL`] names the ones that are offered.
//! * **Suspending needs an acknowledgement** ([`TextOverHeader`]), since two sources disagree on its result. `unsafe` was rejected: it
//!   asks for a proof, and there is none to be had.

pub mod affinity;
pub mod channel;
pub mod completion;
pub mod descriptor;
mod ffi;
pub mod interface;
mod lease;
pub mod provider;

pub use self::affinity::{Affinities, Affinity, Assignment, Plan};
pub use self::channel::{
    Abort, Allocated, Channel, ChannelParameters, Claim, Link, OpenLink, Processors, Reset,
    SuspendResume,
};
pub use self::completion::{Completion, TransferStatus};
pub use crate::physical_memory::PhysicalMemory;

pub use self::descriptor::{Chain, ControlFlags, Cursor, Piece, Refusal, Rules, Transfer, Work};
pub use self::interface::{Interface, Version};
pub use self::lease::Lease;
pub use self::provider::{
    Attributes, Capabilities, Characteristics, Engine, Failed, Name, NotStarted, Optional,
    PhysicalDevice, Provider, RegisterError, Registered, Started, TextOverHeader,
};
