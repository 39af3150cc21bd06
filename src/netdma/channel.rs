//! [`Channel`], and the [`Link`] through which it reaches NetDMA.

use core::fmt;

use super::completion::{Completion, TransferStatus};
use super::descriptor::Chain;
use super::ffi::link::{Entered, Gate};
use super::lease::Lease;
use crate::context::Shared;
use crate::irql::{self, AtMostDispatch, Dispatch, Irql};
use crate::status::{Error, Result};
use crate::sys;

/// A channel that NetDMA has allocated, of the provider `P`.
///
/// NetDMA frees it and nobody else. Calls may come at DISPATCH_LEVEL; none may wait or touch pageable memory.
pub trait Channel<P>: Sized + Send + Sync + 'static {
    /// Runs a new chain. What is left of an old one is dropped after the descriptor in progress.
    ///
    /// The first call after the allocation, and after a power-up. The work is best done later and elsewhere: the
    /// caller may be in a hurry.
    ///
    /// # Errors
    ///
    /// The chain will not run. [`Error::INSUFFICIENT_RESOURCES`] or [`Error::UNSUCCESSFUL`]; others are reported as the latter.
    #[doc(alias = "StartDma")]
    fn start(&self, provider: &P, chain: &Chain, irql: &mut Irql<AtMostDispatch>) -> Result<()>;

    /// Runs a chain after the one before. Only called after a [`start`](Self::start) that succeeded, and not after an
    /// abort or a reset until the next.
    ///
    /// # Errors
    ///
    /// The chain will not run. Every error is reported as [`Error::UNSUCCESSFUL`].
    #[doc(alias = "AppendDma")]
    fn append(&self, provider: &P, chain: &Chain, irql: &mut Irql<AtMostDispatch>) -> Result<()>;

    /// NetDMA gives the channel back. Nothing is outstanding, its [`Link`] is closed, and no other call names it again.
    #[doc(alias = "FreeDmaChannel")]
    fn free(self, provider: &P, irql: &mut Irql<AtMostDispatch>);
}

/// A channel that can be suspended, and resumed.
///
/// Declared with [`Optional::suspend_resume`](super::Optional::suspend_resume). What is not known about it says
/// [`TextOverHeader`](super::TextOverHeader).
pub trait SuspendResume<P>: Channel<P> {
    /// Finishes the descriptor in progress, publishes [`TransferStatus::Suspended`], and answers the physical address of the last
    /// descriptor done, 0 if there is none. NetDMA may then change what follows it.
    ///
    /// An append is accepted all the same, and waits. Waits itself for one descriptor at most.
    ///
    /// # Errors
    ///
    /// The channel goes on. Every error is reported as [`Error::UNSUCCESSFUL`].
    #[doc(alias = "SuspendDma")]
    fn suspend(&self, provider: &P, irql: &mut Irql<AtMostDispatch>) -> Result<u64>;

    /// Goes on behind the last descriptor done, whose link has to be read again; see
    /// [`Cursor::reread_link`](super::Cursor::reread_link).
    ///
    /// # Errors
    ///
    /// Every error is reported as [`Error::UNSUCCESSFUL`].
    #[doc(alias = "ResumeDma")]
    fn resume(&self, provider: &P, irql: &mut Irql<AtMostDispatch>) -> Result<()>;
}

/// A channel that can be stopped at once.
pub trait Abort<P>: Channel<P> {
    /// Stops, be it in the middle of a descriptor, drops what is left and publishes [`TransferStatus::Halted`]. After
    /// it returns nothing is written any more. An append is refused until the next [`start`](Channel::start).
    ///
    /// # Errors
    ///
    /// Every error is reported as [`Error::UNSUCCESSFUL`].
    #[doc(alias = "AbortDma")]
    fn abort(&self, provider: &P, irql: &mut Irql<AtMostDispatch>) -> Result<()>;
}

/// A channel that can be put into the state that it was allocated in.
pub trait Reset<P>: Channel<P> {
    /// As [`Abort::abort`], and no descriptor that was handed over before is touched any more: their memory may be gone.
    ///
    /// # Errors
    ///
    /// Every error is reported as [`Error::UNSUCCESSFUL`].
    #[doc(alias = "ResetChannel")]
    fn reset(&self, provider: &P, irql: &mut Irql<AtMostDispatch>) -> Result<()>;
}

/// What [`Provider::allocate_channel`](super::Provider::allocate_channel) hands out.
#[derive(Debug)]
pub struct Allocated<C> {
    /// The channel.
    pub channel: C,
    /// The processor that its interrupts are handled on: that of its message, or where its DPC is sent.
    pub processor: u32,
    /// The link of the hardware channel. The library opens it, and gives it up when [`Channel::free`] has returned.
    pub link: Claim,
}

/// A set of processors of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Processors {
    /// The group. 0 before NetDMA 2.1.
    pub group: u16,
    /// Bit `n` stands for processor `n` of the group. Before NetDMA 2.1 only 32 bits are told.
    pub mask: u64,
}

/// What a client wants of the channel that it asks for.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "NET_DMA_CHANNEL_PARAMETERS")]
pub struct ChannelParameters {
    pub(super) processors: Processors,
    pub(super) priority: u32,
    pub(super) completion: Option<u64>,
}

impl ChannelParameters {
    /// The processors that the client would like the channel's interrupts on.
    pub fn processors(&self) -> Processors {
        self.processors
    }

    /// The relative priority, higher is more. To be cut to what the hardware has.
    pub fn priority(&self) -> u32 {
        self.priority
    }

    /// The physical address of the completion word, for an engine in hardware; `None` if there is no completion word.
    pub fn completion_address(&self) -> Option<u64> {
        self.completion
    }
}

/// The way from a hardware channel to whoever has allocated it.
///
/// Made once for each hardware channel, cloned to wherever its interrupts and its work are handled, and used for one
/// allocation after the other. It is open while the channel is allocated. Closed, it reaches nothing: a late interrupt or DPC has
/// no effect.
///
/// Made, cloned and dropped at or below DISPATCH_LEVEL. Closing waits for those who are inside, on other processors and for a moment: nobody stays in an interrupt service
/// routine or DPC for long.
#[derive(Clone)]
pub struct Link(Shared<Gate>);

impl Link {
    /// A closed link.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`] without memory.
    pub fn new(irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        Shared::try_new(Gate::new(), irql)
            .map(Self)
            .map_err(|_| Error::INSUFFICIENT_RESOURCES)
    }

    /// Takes the link for one allocation. Of several who want it at the same time one gets it, so that a provider can choose its free
    /// channels by this alone.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`] if it is taken.
    pub fn claim(&self) -> Result<Claim> {
        if self.0.claim() {
            Ok(Claim(self.clone()))
        } else {
            Err(Error::INSUFFICIENT_RESOURCES)
        }
    }

    /// Tells NetDMA of an interrupt of this channel and answers the processor on which to queue the DPC; `None` if the link
    /// is closed.
    ///
    /// `completed` is the physical address of the last descriptor done, 0 if none is. The processor is NetDMA's word: it need
    /// not exist.
    #[doc(alias = "NetDmaIsr")]
    pub fn isr(&self, completed: u64, irql: &mut Irql<irql::Device>) -> Option<u32> {
        let entered = self.0.enter()?;
        Some(entered.isr(completed, irql))
    }

    /// Enters the link; `None` if it is closed. The channel is not freed while somebody is inside.
    #[inline]
    pub fn open<'a>(&'a self, irql: &'a mut Irql<Dispatch>) -> Option<OpenLink<'a>> {
        let entered = self.0.enter()?;
        Some(OpenLink { entered, irql })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Link")
            .field("open", &self.0.is_open())
            .finish()
    }
}

/// A [`Link`] that is taken for one allocation. Dropped, it can be taken again.
#[derive(Debug)]
#[must_use = "dropping it gives the link up"]
pub struct Claim(Link);

impl Claim {
    pub(super) fn gate(&self) -> &Gate {
        &self.0.0
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.gate().give_up();
    }
}

/// A [`Link`] held open, at DISPATCH_LEVEL.
#[must_use = "the channel cannot be freed while this exists"]
pub struct OpenLink<'a> {
    entered: Entered<'a>,
    irql: &'a mut Irql<Dispatch>,
}

impl OpenLink<'_> {
    /// Writes the completion word: `descriptor`, a physical address, is the last one done.
    ///
    /// Everything written before is visible to whoever reads the word. No effect if the client gave no completion word. To
    /// be called for descriptors with [`ControlFlags::STATUS`](super::ControlFlags::STATUS), and when the channel halts.
    #[inline]
    pub fn publish(&self, descriptor: u64, status: TransferStatus) {
        self.entered.publish(Completion { descriptor, status });
    }

    /// The proof of the level, lent out while the link stays open.
    pub fn irql(&mut self) -> &mut Irql<Dispatch> {
        self.irql
    }

    /// The lease of what the channel was handed over, and the proof of the level, for as long as the link stays open.
    #[inline]
    pub fn split(&mut self) -> (Lease<'_>, &mut Irql<Dispatch>) {
        (self.entered.lease(), self.irql)
    }

    /// Tells NetDMA, in the DPC of an interrupt, that descriptors up to `completed` are done; `None` after an
    /// error.
    ///
    /// NetDMA calls clients in this, who may abort or free the channel; therefore the link is left, and the caller must not have it
    /// open a second time: freeing would wait for that. No effect if [`Link::isr`] has not been called
    /// since the channel was allocated: the DPC was queued for somebody before.
    #[doc(alias = "NetDmaInterruptDpc")]
    pub fn interrupt_dpc(self, completed: Option<u64>) {
        self.entered
            .interrupt_dpc(completed.unwrap_or(0), self.irql);
    }
}

impl fmt::Debug for OpenLink<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpenLink").finish_non_exhaustive()
    }
}

/// Reads the parameters that have `fixed` as their fixed part and `extended` as what revision 2 adds.
///
/// # Errors
///
/// [`Error::UNSUCCESSFUL`] if the completion word is not aligned.
pub(super) fn parameters(
    fixed: &sys::NET_DMA_CHANNEL_PARAMETERS_V1,
    extended: Option<sys::GROUP_AFFINITY>,
) -> Result<ChannelParameters> {
    let processors = match extended {
        Some(affinity) => Processors {
            group: affinity.Group,
            mask: affinity.Mask,
        },
        None => Processors {
            group: 0,
            mask: u64::from(fixed.ProcessorAffinityMask),
        },
    };
    let physical = sys::physical_address_bits(fixed.CompletionPhysicalAddress);
    let completion =
        (physical != 0 && !fixed.CompletionVirtualAddress.is_null()).then_some(physical);
    let aligned =
        physical.is_multiple_of(8) && fixed.CompletionVirtualAddress.addr().is_multiple_of(8);
    if completion.is_some() && !aligned {
        return Err(Error::UNSUCCESSFUL);
    }
    Ok(ChannelParameters {
        processors,
        priority: fixed.ChannelPriority,
        completion,
    })
}
