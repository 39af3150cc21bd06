//! The crossing between [`netdma`](super) and `NDIS.SYS`: calls out, callbacks in, and the pointers that cross.
//!
//! | file | what crosses there |
//! |---|---|
//! | `provider` | registration, its phases, what NetDMA asks of a provider |
//! | `channel` | what NetDMA asks of a channel |
//! | `link` | what a channel tells NetDMA |
//!
//! Here is what concerns neither, and the functions with which others than NetDMA can make what NetDMA makes.
//!
//! # Safety
//!
//! What the unsafe code relies on is what `netdma.h` and its reference pages promise; each file says which part.
#![expect(unsafe_code, reason = "calls NDIS.SYS and vouches for its functions")]

pub(super) mod channel;
pub(super) mod link;
pub(super) mod provider;

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::NonNull;

use super::descriptor::{Chain, Refusal, Rules, Transfer, WORDS};
use super::interface::Version;
use super::lease::{Current, Lease, Term};
use crate::irql::{Irql, Passive};
use crate::status::{Error, Result};
use crate::sys;

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

/// The answer to a callback that documents success, no resources, and failure.
fn answer(result: Result<()>) -> sys::NTSTATUS {
    match result {
        Ok(()) => sys::STATUS_SUCCESS,
        Err(Error::INSUFFICIENT_RESOURCES) => sys::STATUS_INSUFFICIENT_RESOURCES,
        Err(_) => sys::STATUS_UNSUCCESSFUL,
    }
}

/// The answer to a callback that documents success and failure only.
fn done(result: Result<()>) -> sys::NTSTATUS {
    match result {
        Ok(()) => sys::STATUS_SUCCESS,
        Err(_) => sys::STATUS_UNSUCCESSFUL,
    }
}

impl Transfer<'_> {
    /// Reads the transfer out of the words of the descriptor at the physical address `descriptor`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    ///
    /// # Safety
    ///
    /// As far as the transfer is in order, the memory that the words name is as
    /// [`PhysicalRange::new`](crate::physical_memory::PhysicalRange::new) asks for, during the lifetime that the caller chooses.
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
    /// NetDMA's chains arrive made. This is for tests, and for work that a driver gives itself; its transfers are taken with
    /// [`Lease::unbound`].
    ///
    /// # Errors
    ///
    /// [`Refusal::Empty`], or what is wrong with the first descriptor.
    ///
    /// # Safety
    ///
    /// The memory that the descriptors of the chain name, and they themselves, are as
    /// [`PhysicalRange::new`](crate::physical_memory::PhysicalRange::new) asks for, whenever a [`Lease::unbound`] is used with a cursor
    /// that got this chain.
    pub unsafe fn new(
        descriptor: u64,
        words: &[u64; WORDS],
        count: u32,
        rules: Rules,
    ) -> Result<Self, Refusal> {
        Self::begin(descriptor, words, count, rules, Term::UNBOUND)
    }
}

impl Lease<'static> {
    /// The lease of all chains that were made by [`Chain::new`]. It never ends.
    ///
    /// # Safety
    ///
    /// What was promised for those chains is kept.
    pub unsafe fn unbound() -> Self {
        static UNBOUND: Current = Current::unbound();
        Self::of(&UNBOUND)
    }
}
