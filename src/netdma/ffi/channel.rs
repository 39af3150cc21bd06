//! A channel as NetDMA knows it: allocation, the callbacks that name it, and which of them there are.
//!
//! Every callback does the same: recover the context, state the level, wrap the arguments, call the trait, convert the
//! result.
//!
//! # Safety
//!
//! NetDMA uses a channel's context from the allocating callback until the freeing one, which comes once, at the latest inside
//! `NetDmaProviderStop`. It is a `PoolBox<Allocation<P>>`, made in [`allocate`] and freed in [`free`].
#![expect(unsafe_code, reason = "is called by NDIS.SYS")]

use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use super::super::channel::{self, Abort, Channel, Claim, Reset, SuspendResume};
use super::super::descriptor::{ALIGNMENT, Chain, Refusal, Rules, WORDS};
use super::super::lease::Term;
use super::super::provider::Provider;
use super::link::Gate;
use super::provider::Inner;
use super::{answer, done};
use crate::context::{self, PoolBox};
use crate::debug::debug_print;
use crate::irql::{AtMostDispatch, Irql};
use crate::status::{Error, Result};
use crate::sys;

/// The optional operations of a provider's channels.
///
/// Each can be chosen only if the channel has its trait, as in `Optional::none().abort().reset()`, and suspending cannot be chosen
/// without resuming.
pub struct Optional<P> {
    pub(super) suspend: sys::DMA_SUSPEND_HANDLER,
    pub(super) resume: sys::DMA_RESUME_HANDLER,
    pub(super) abort: sys::DMA_ABORT_HANDLER,
    pub(super) reset: sys::DMA_RESET_HANDLER,
    _of: PhantomData<fn(P)>,
}

/// Acknowledges that nobody who can be asked knows what suspending answers, and that the driver takes the risk.
///
/// `netdma.h` declares the result (`pLastDescriptor` of `DMA_SUSPEND_HANDLER`) as a pointer to a pointer to a physical address. The
/// text of its reference page says that the parameter receives a physical address. This library follows the text: it stores the address
/// where the parameter points. If Windows follows the header, it takes that address for a pointer, and stops. Both are 64
/// bits wide; where pointers are shorter the library does not compile, since the store would overwrite what lies behind.
///
/// Suspending is optional: a driver that has not been tried on every Windows that it is for leaves it out.
#[derive(Clone, Copy, Debug)]
pub struct TextOverHeader;

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

    /// Suspending and resuming, by a driver that follows one of two sources that contradict each other; see [`TextOverHeader`].
    #[doc(alias = "SuspendDma")]
    #[doc(alias = "ResumeDma")]
    pub const fn suspend_resume(self, _acknowledged: TextOverHeader) -> Self
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

/// What NetDMA holds as the context of a channel.
struct Allocation<P: Provider> {
    inner: NonNull<Inner<P>>,
    channel: P::Channel,
    link: Claim,
}

impl<P: Provider> Allocation<P> {
    fn inner<'a>(&self) -> &'a Inner<P> {
        // SAFETY: NetDMA frees every channel before the provider is stopped, hence before the context of the provider is
        // freed, and the caller is a callback of the channel.
        unsafe { self.inner.as_ref() }
    }

    fn gate(&self) -> &Gate {
        self.link.gate()
    }

    /// What may be appended to: what a start began, unless it was ended or the device lost power.
    fn term(&self) -> Option<Term> {
        let term = self.gate().current().get()?;
        self.inner().has_power_since(term).then_some(term)
    }

    /// Takes back what was handed over, after an abort or a reset that succeeded.
    fn stopped(&self, result: Result<()>) -> sys::NTSTATUS {
        if result.is_ok() {
            self.gate().end_every_term();
        }
        done(result)
    }
}

/// Recovers a channel, its provider, and the level.
///
/// # Safety
///
/// * `context` was made in [`allocate`] for the same `P` and has not been freed.
/// * The level is DISPATCH_LEVEL or below.
unsafe fn enter<'a, P: Provider>(
    context: sys::PVOID,
) -> (&'a Allocation<P>, &'a P, Irql<AtMostDispatch>) {
    // SAFETY: the context is an allocation's by contract, which is only shared until it is freed.
    let allocation = unsafe { context::borrow::<Allocation<P>>(context) };
    // SAFETY: the level is the caller's promise.
    let irql = unsafe { Irql::<AtMostDispatch>::assume() };
    (allocation, &allocation.inner().provider, irql)
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
pub(super) unsafe extern "system" fn allocate<P: Provider>(
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
        Err(error) => {
            debug_print(format_args!(
                "nmr-netdma: allocate refused: channel parameters that are too short, or whose completion word is not aligned\n"
            ));
            return answer(Err(error));
        }
    };
    let channel::Allocated {
        channel,
        processor,
        link,
    } = match inner.provider.allocate_channel(&wanted, &mut irql) {
        Ok(allocated) => allocated,
        Err(error) => return answer(Err(error)),
    };
    let allocation = Allocation::<P> {
        inner: NonNull::from(inner),
        channel,
        link,
    };
    let allocation = match PoolBox::try_new(allocation, &mut irql) {
        Ok(allocation) => allocation,
        Err(Allocation { channel, link, .. }) => {
            channel.free(&inner.provider, &mut irql);
            drop(link);
            return sys::STATUS_INSUFFICIENT_RESOURCES;
        }
    };
    // SAFETY: `read_parameters` accepted the structure, so it has this member, which is the provider's to write.
    unsafe { (*parameters).CpuNumber = processor };
    // SAFETY: the allocation has the claim of the gate. Handle and completion word live until the freeing callback returns, which
    // closes it first.
    unsafe { allocation.gate().open(handle, completion) };
    // SAFETY: NetDMA passes the address of the variable that receives the context.
    unsafe { result.write(allocation.into_raw().as_ptr().cast()) };
    sys::STATUS_SUCCESS
}

/// `DMA_CHANNEL_FREE_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it once for each channel, at DISPATCH_LEVEL or below, and does not name the channel again.
pub(super) unsafe extern "system" fn free<P: Provider>(context: sys::PVOID) {
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
    // Not before: who gets the link next may share with this channel what `free` puts in order.
    drop(link);
}

/// The answer to a chain that is not accepted.
#[cold]
fn refused(callback: &str, refusal: Refusal) -> sys::NTSTATUS {
    debug_print(format_args!("nmr-netdma: {callback} refused: {refusal}\n"));
    answer(Err(refusal.into()))
}

/// What the first descriptor of a chain makes of it; `None` if it is empty.
///
/// # Safety
///
/// `descriptor` is null or points to a descriptor that can be read.
#[inline(always)]
unsafe fn read_chain(
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: u32,
    rules: Rules,
    term: Term,
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
    let physical = sys::physical_address_bits(physical);
    Chain::begin(physical, &copy, count, rules, term).map(Some)
}

/// `DMA_START_HANDLER`.
///
/// # Safety
///
/// NetDMA calls it for an allocated channel, at DISPATCH_LEVEL or below, with the virtual and the physical address of the first
/// descriptor.
pub(super) unsafe extern "system" fn start<P: Provider>(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    // SAFETY: NetDMA passes the context that `allocate` gave it, until it frees the channel, at the documented level.
    let (allocation, provider, mut irql) = unsafe { enter::<P>(context) };
    let rules = allocation.inner().rules();
    // SAFETY: NetDMA passes the address of the first descriptor.
    let read = unsafe { read_chain(descriptor, physical, count, rules, Term::UNBOUND) };
    let chain = match read.and_then(|chain| chain.ok_or(Refusal::Empty)) {
        Ok(chain) => chain,
        Err(refusal) => return refused("start", refusal),
    };
    // Before the call: the work may be done in it, and appended to from another processor before it returns.
    let term = allocation.gate().begin_term();
    let result = allocation
        .channel
        .start(provider, &chain.of_term(term), &mut irql);
    if result.is_err() {
        allocation.gate().end_term(term);
    }
    answer(result)
}

/// `DMA_APPEND_HANDLER`.
///
/// # Safety
///
/// As for [`start`].
pub(super) unsafe extern "system" fn append<P: Provider>(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    // SAFETY: NetDMA passes the context that `allocate` gave it, until it frees the channel, at the documented level.
    let (allocation, provider, mut irql) = unsafe { enter::<P>(context) };
    let Some(term) = allocation.term() else {
        return refused("append", Refusal::NotStarted);
    };
    let rules = allocation.inner().rules();
    // SAFETY: NetDMA passes the address of the first descriptor.
    match unsafe { read_chain(descriptor, physical, count, rules, term) } {
        Ok(Some(chain)) => done(allocation.channel.append(provider, &chain, &mut irql)),
        Ok(None) => sys::STATUS_SUCCESS,
        Err(refusal) => refused("append", refusal),
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
    // SAFETY: NetDMA passes the context that `allocate` gave it, until it frees the channel, at the documented level.
    let (allocation, provider, mut irql) = unsafe { enter::<P>(context) };
    if last.is_null() {
        return sys::STATUS_UNSUCCESSFUL;
    }
    let Ok(descriptor) = allocation.channel.suspend(provider, &mut irql) else {
        return sys::STATUS_UNSUCCESSFUL;
    };
    allocation.gate().suspend_term();
    // SAFETY: NetDMA passes the address of a variable of eight bytes, a pointer or an address, to be written.
    unsafe {
        last.cast::<sys::PHYSICAL_ADDRESS>()
            .write_unaligned(sys::physical_address(descriptor));
    }
    sys::STATUS_SUCCESS
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
    // SAFETY: NetDMA passes the context that `allocate` gave it, until it frees the channel, at the documented level.
    let (allocation, provider, mut irql) = unsafe { enter::<P>(context) };
    // Before the call, in which the work may go on.
    let suspended = allocation.gate().current().resume();
    let result = allocation.channel.resume(provider, &mut irql);
    if result.is_err() && suspended {
        allocation.gate().suspend_term();
    }
    done(result)
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
    // SAFETY: NetDMA passes the context that `allocate` gave it, until it frees the channel, at the documented level.
    let (allocation, provider, mut irql) = unsafe { enter::<P>(context) };
    allocation.stopped(allocation.channel.abort(provider, &mut irql))
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
    // SAFETY: NetDMA passes the context that `allocate` gave it, until it frees the channel, at the documented level.
    let (allocation, provider, mut irql) = unsafe { enter::<P>(context) };
    allocation.stopped(allocation.channel.reset(provider, &mut irql))
}
