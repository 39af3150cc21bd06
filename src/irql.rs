//! [`Irql`]: zero-sized proof of the interrupt request level that code runs at.
//!
//! A function that may only be called at some level takes `&mut Irql<L>`. Callbacks of the system receive theirs. What is
//! allowed at a stricter level is allowed at a weaker one, so `Irql<Passive>` dereferences to `Irql<BelowDispatch>` and that to
//! `Irql<AtMostDispatch>`; `Irql<Dispatch>` dereferences to `Irql<AtMostDispatch>` only, `Irql<Device>` to nothing.
//!
//! ```compile_fail
//! use nmr_netdma::irql::{Dispatch, Irql, Passive};
//!
//! fn wait(_: &mut Irql<Passive>) {}
//! fn in_a_dpc(irql: &mut Irql<Dispatch>) {
//!     wait(irql); // waiting at DISPATCH_LEVEL does not compile
//! }
//! ```
//!
//! # Design
//!
//! Being at the wrong level is no memory-safety question in itself, so the proof is a value and not an `unsafe fn`. It is
//! passed as `&mut`, because raising the level takes rights away: [`at_dispatch`](Irql::at_dispatch) borrows the outer proof
//! while the inner one exists. The one exception to "the proof is right" is foreign code that changes the level and
//! returns; debug builds and the simulated kernel check the real level.
//!
//! # Safety
//!
//! The unsafe code of this file calls the level functions of the processor.
#![expect(unsafe_code, reason = "reads and raises the interrupt request level")]

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut, RangeInclusive};

use crate::sys;

mod sealed {
    pub trait Sealed {}
}

/// A set of levels that a proof can be about.
pub trait Level: sealed::Sealed {
    /// The levels, as `KIRQL` numbers.
    const RANGE: RangeInclusive<u8>;
}

macro_rules! levels {
    ($($(#[$doc:meta])* $name:ident: $first:literal, $last:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl sealed::Sealed for $name {}

        impl Level for $name {
            const RANGE: RangeInclusive<u8> = $first..=$last;
        }
    )*};
}

levels! {
    /// `PASSIVE_LEVEL`: may wait and touch pageable memory.
    Passive: 0, 0;
    /// `PASSIVE_LEVEL` or `APC_LEVEL`: may wait.
    BelowDispatch: 0, 1;
    /// Up to `DISPATCH_LEVEL`, not known which: must not wait.
    AtMostDispatch: 0, 2;
    /// Exactly `DISPATCH_LEVEL`: in a DPC, or holding a spin lock.
    Dispatch: 2, 2;
    /// A device's interrupt level: in an interrupt service routine.
    Device: 3, 12;
}

/// Proof that the current thread runs at a level of the set `L`.
///
/// Zero-sized and bound to its thread.
#[derive(Debug)]
pub struct Irql<L: Level>(PhantomData<(L, *mut ())>);

impl<L: Level> Irql<L> {
    /// States that the current level is in `L`.
    ///
    /// Debug builds check it.
    ///
    /// # Safety
    ///
    /// The current thread is at a level of `L` and stays there while the value, or a borrow of it, is used.
    #[inline]
    pub unsafe fn assume() -> Self {
        #[cfg(debug_assertions)]
        {
            let current = current();
            assert!(
                L::RANGE.contains(&current),
                "at IRQL {current}, but the code says {:?}",
                L::RANGE
            );
        }
        Self(PhantomData)
    }
}

/// The level that the processor is at.
#[doc(alias = "KeGetCurrentIrql")]
pub fn current() -> u8 {
    // SAFETY: reading the level has no precondition and no effect.
    unsafe { sys::KeGetCurrentIrql() }
}

impl Irql<AtMostDispatch> {
    /// Runs `body` at `DISPATCH_LEVEL` and returns to the current level.
    ///
    /// The outer proof cannot be used inside:
    ///
    /// ```compile_fail
    /// use nmr_netdma::irql::{Irql, Passive};
    ///
    /// fn wait(_: &mut Irql<Passive>) {}
    /// fn body(irql: &mut Irql<Passive>) {
    ///     irql.at_dispatch(|_| wait(irql));
    /// }
    /// ```
    #[doc(alias = "KeRaiseIrql")]
    pub fn at_dispatch<R>(&mut self, body: impl FnOnce(&mut Irql<Dispatch>) -> R) -> R {
        // SAFETY: `self` proves that the current level is at most DISPATCH_LEVEL, so this raises it or leaves it.
        let _raised = unsafe { Raised::to(sys::DISPATCH_LEVEL as u8) };
        // SAFETY: the level was raised to DISPATCH_LEVEL just above and is restored after the proof is gone.
        let mut irql = unsafe { Irql::assume() };
        body(&mut irql)
    }
}

impl Irql<Dispatch> {
    /// Runs `body` at a device's level, as its service routine would be run, and returns to `DISPATCH_LEVEL`. For a device that
    /// cannot interrupt, so that a DPC stands in for the interrupt.
    #[doc(alias = "KeRaiseIrql")]
    pub fn at_device<R>(&mut self, body: impl FnOnce(&mut Irql<Device>) -> R) -> R {
        // SAFETY: `self` proves that the current level is DISPATCH_LEVEL, which is below every device's.
        let _raised = unsafe { Raised::to(*Device::RANGE.start()) };
        // SAFETY: the level was raised to a device's just above and is restored after the proof is gone.
        let mut irql = unsafe { Irql::assume() };
        body(&mut irql)
    }
}

/// A raised level. Its drop restores the one before.
struct Raised(u8);

impl Raised {
    /// # Safety
    ///
    /// The current level is not above `level`, and nothing lowers it while the value lives.
    unsafe fn to(level: u8) -> Self {
        // SAFETY: by the contract of this function.
        Self(unsafe { sys::KfRaiseIrql(level) })
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        // SAFETY: the level was saved when it was raised, and by the contract of `to` nothing has lowered it since.
        unsafe { sys::KeLowerIrql(self.0) }
    }
}

macro_rules! weakens {
    ($($strong:ident => $weak:ident;)*) => {$(
        impl Deref for Irql<$strong> {
            type Target = Irql<$weak>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                // SAFETY: both types are zero-sized with alignment 1, so a reference to one is a reference to the
                // other, and every level of the first set is in the second.
                unsafe { &*core::ptr::from_ref(self).cast() }
            }
        }

        impl DerefMut for Irql<$strong> {
            #[inline]
            fn deref_mut(&mut self) -> &mut Self::Target {
                // SAFETY: as for `deref`; the borrow of `self` is exclusive and passes to the result.
                unsafe { &mut *core::ptr::from_mut(self).cast() }
            }
        }
    )*};
}

weakens! {
    Passive => BelowDispatch;
    BelowDispatch => AtMostDispatch;
    Dispatch => AtMostDispatch;
}
