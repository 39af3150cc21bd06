//! [`SpinLock`]: the kernel's spin lock around a value.
//!
//! # Design
//!
//! * **The lock is taken for the length of a closure** and not by a guard: what raising the level saved must be restored in
//!   reverse order, and two guards could be dropped in any order.
//! * **The lock remembers that its value is lent.** A processor that takes a lock again that it holds stops for ever on Windows, but
//!   a simulated kernel reports it and goes on, and then there would be two exclusive borrows. The mark is read and written under the
//!   lock, beside an atomic operation that costs more.
//!
//! # Safety
//!
//! The unsafe code of this file acquires and releases a spin lock and hands out what it protects in between.
#![expect(
    unsafe_code,
    reason = "acquires a spin lock and hands out what it protects"
)]

use core::cell::{Cell, UnsafeCell};
use core::fmt;

use crate::irql::{AtMostDispatch, Dispatch, Irql};
use crate::sys;

/// A value that one processor at a time has, at `DISPATCH_LEVEL`.
///
/// Taking a lock that the same processor already holds stops that processor for ever, as in C.
#[doc(alias = "KSPIN_LOCK")]
pub struct SpinLock<T> {
    lock: UnsafeCell<sys::KSPIN_LOCK>,
    /// Whether somebody has the value. Used under the lock only.
    lent: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is handed out under the lock only, to one thread at a time, so it moves between threads and is not
// shared; so does the mark beside it; the lock word is touched by the kernel's lock functions only.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// A lock that nobody holds.
    #[doc(alias = "KeInitializeSpinLock")]
    pub const fn new(value: T) -> Self {
        Self {
            lock: UnsafeCell::new(0),
            lent: Cell::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `body` with the value, at `DISPATCH_LEVEL`. The caller's level is restored afterwards.
    ///
    /// # Panics
    ///
    /// If `body` of the same lock is what calls this, and the kernel let it: Windows does not return.
    #[doc(alias = "KeAcquireSpinLock")]
    pub fn with<R>(
        &self,
        _irql: &mut Irql<AtMostDispatch>,
        body: impl FnOnce(&mut T, &mut Irql<Dispatch>) -> R,
    ) -> R {
        struct Release<'a>(&'a Cell<bool>, *mut sys::KSPIN_LOCK, sys::KIRQL);

        impl Drop for Release<'_> {
            fn drop(&mut self) {
                self.0.set(false);
                // SAFETY: the lock was acquired below with this saved level and is released here only.
                unsafe { sys::KeReleaseSpinLock(self.1, self.2) }
            }
        }

        let lock = self.lock.get();
        // SAFETY:
        // * the word was zero at first, which is an initialised lock, and lives while `self` is borrowed;
        // * the level is at most DISPATCH_LEVEL, as the caller's proof says.
        let old = unsafe { sys::KeAcquireSpinLockRaiseToDpc(lock) };
        assert!(
            !self.lent.replace(true),
            "a spin lock is taken by the processor that holds it"
        );
        let _release = Release(&self.lent, lock, old);
        // SAFETY: acquiring the lock raised the level to DISPATCH_LEVEL, where it stays until `_release` is dropped.
        let mut irql = unsafe { Irql::assume() };
        // SAFETY: the lock is held until after `body`, every access to the value is made here, under the lock, and nobody else has
        // it, as the mark said.
        body(unsafe { &mut *self.value.get() }, &mut irql)
    }

    /// The value, without locking: nobody else can have it.
    pub const fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value of a lock that is not needed any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: Default> Default for SpinLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for SpinLock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SpinLock").finish_non_exhaustive()
    }
}
