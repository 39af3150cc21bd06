//! [`WaitLock`]: the framework's wait lock around a value.
//!
//! # Design
//!
//! Taken for the length of a closure, as the spin lock is. The framework's object is deleted with the value, not with a device, since
//! its handle is nowhere else.
//!
//! # Safety
//!
//! The value is handed out between acquiring and releasing the lock, to the thread that did it.
#![expect(
    unsafe_code,
    reason = "acquires a lock of the framework and hands out what it protects"
)]

use core::cell::UnsafeCell;
use core::fmt;

use crate::irql::{AtMostDispatch, BelowDispatch, Irql, Passive};
use crate::status::{Result, Status};
use crate::sys;

/// A value that one thread at a time has. Who comes in between waits, so it is for `PASSIVE_LEVEL`; what DPCs use too needs a
/// [`SpinLock`](crate::lifetime::SpinLock).
///
/// While a thread has the value, the system does not suspend it. Taking a lock that the same thread has already waits for ever, as in C.
///
/// Dropped at or below `DISPATCH_LEVEL`.
///
/// # Invariants
///
/// `lock` is a wait lock of the framework that only this value knows.
#[doc(alias = "WDFWAITLOCK")]
pub struct WaitLock<T> {
    lock: sys::WDFWAITLOCK,
    value: UnsafeCell<T>,
}

// SAFETY: the framework takes the handle from any thread, and the value goes where the lock goes.
unsafe impl<T: Send> Send for WaitLock<T> {}
// SAFETY: the value is handed out under the lock only, to one thread at a time, so it moves between threads and is not shared.
unsafe impl<T: Send> Sync for WaitLock<T> {}

impl<T> WaitLock<T> {
    /// A lock that nobody has.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES). `value` is dropped then.
    #[doc(alias = "WdfWaitLockCreate")]
    pub fn new(value: T, _irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        let mut lock = core::ptr::null_mut();
        // SAFETY: the handle lives during the call. Without attributes the lock belongs to the driver, which outlives its values. The
        // level is at most DISPATCH_LEVEL, as the proof says.
        let status =
            unsafe { sys::WdfWaitLockCreate(sys::WDF_NO_OBJECT_ATTRIBUTES, &raw mut lock) };
        Status(status).into_result()?;
        // INVARIANT: created just above.
        Ok(Self {
            lock,
            value: UnsafeCell::new(value),
        })
    }

    /// Waits for the value and runs `body` with it.
    #[doc(alias = "WdfWaitLockAcquire")]
    pub fn with<R>(
        &self,
        irql: &mut Irql<Passive>,
        body: impl FnOnce(&mut T, &mut Irql<Passive>) -> R,
    ) -> R {
        // SAFETY: the lock exists, by the type invariant, and the level is PASSIVE_LEVEL, as the proof says.
        let status = unsafe { sys::WdfWaitLockAcquire(self.lock, core::ptr::null_mut()) };
        // The framework documents no other answer to a wait without a limit.
        assert_eq!(status, sys::STATUS_SUCCESS, "WdfWaitLockAcquire");
        let _release = Release(self.lock);
        // SAFETY: the lock was acquired just above and is held until after `body`, and every access to the value is made under it.
        body(unsafe { &mut *self.value.get() }, irql)
    }

    /// Runs `body` with the value, if nobody has it.
    #[doc(alias = "WdfWaitLockAcquire")]
    pub fn try_with<R>(
        &self,
        irql: &mut Irql<BelowDispatch>,
        body: impl FnOnce(&mut T, &mut Irql<BelowDispatch>) -> R,
    ) -> Option<R> {
        let mut timeout = 0;
        // SAFETY: the lock exists, by the type invariant; the limit is zero and lives during the call, and the level is
        // below DISPATCH_LEVEL, as the proof says.
        let status = unsafe { sys::WdfWaitLockAcquire(self.lock, &raw mut timeout) };
        // STATUS_TIMEOUT, a success code, says that somebody has it.
        if status != sys::STATUS_SUCCESS {
            return None;
        }
        let _release = Release(self.lock);
        // SAFETY: as in `with`.
        Some(body(unsafe { &mut *self.value.get() }, irql))
    }

    /// The value, without locking: nobody else can have it.
    pub const fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

/// Releases the lock when dropped.
struct Release(sys::WDFWAITLOCK);

impl Drop for Release {
    fn drop(&mut self) {
        // SAFETY: this thread acquired the lock when this was made, and releases it here only.
        unsafe { sys::WdfWaitLockRelease(self.0) }
    }
}

impl<T> Drop for WaitLock<T> {
    fn drop(&mut self) {
        // SAFETY: by the type invariant the lock exists and nobody else knows it; nobody holds it, since holding borrows.
        unsafe { sys::WdfObjectDelete(self.lock.cast()) }
    }
}

impl<T> fmt::Debug for WaitLock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WaitLock").finish_non_exhaustive()
    }
}
