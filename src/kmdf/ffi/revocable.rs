//! [`Revocable`]: a value that exists for a time, for users that may come at any time.
//!
//! # Design
//!
//! A spin lock cannot serve: interrupt service routines run above DISPATCH_LEVEL. Users count themselves in and out on one
//! word, and who takes the value away waits until none is inside. Waiting sleeps and does not spin, because a user at
//! PASSIVE_LEVEL may have been interrupted by the one who waits.
//!
//! # Safety
//!
//! The value is handed out while a user is counted and the door is open, and written only when the door is shut and nobody
//! who came in before is left.
#![expect(unsafe_code, reason = "hands out what others may take away")]

use core::cell::UnsafeCell;
use core::fmt;
use core::ops::Deref;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::irql::{Irql, Passive};
use crate::sys;

const OPEN: usize = 1;
const USER: usize = 2;

/// A value that exists for a time, such as mapped registers between prepare and release.
///
/// Users at any level get at it while it exists.
///
/// # Invariants
///
/// `value` is `Some` while the word has `OPEN`. It is written by the holder of `changing` only, while the word has no
/// `OPEN` and nobody is left who was counted while it had.
pub struct Revocable<T> {
    word: AtomicUsize,
    changing: AtomicBool,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is shared among threads, and may be dropped by another than made it.
unsafe impl<T: Send + Sync> Sync for Revocable<T> {}

impl<T> Revocable<T> {
    /// No value yet.
    pub const fn new() -> Self {
        Self {
            word: AtomicUsize::new(0),
            changing: AtomicBool::new(false),
            value: UnsafeCell::new(None),
        }
    }

    /// The value, kept from being taken away while it is used; `None` if there is none. At any level.
    #[inline]
    pub fn access(&self) -> Option<Access<'_, T>> {
        let before = self.word.fetch_add(USER, Ordering::Acquire);
        // Leaves on every way out.
        let entered = Entered(&self.word);
        if before & OPEN == 0 {
            return None;
        }
        // SAFETY: the door was open when this user was counted, so the value is written again only after it has left;
        // meanwhile everybody shares it.
        let value = unsafe { &*self.value.get() }.as_ref()?;
        Some(Access {
            value,
            _entered: entered,
        })
    }

    /// Puts a value in. Waits for another thread that changes it.
    ///
    /// # Errors
    ///
    /// The value, if there is one already.
    pub fn install(&self, value: T, irql: &mut Irql<Passive>) -> Result<(), T> {
        let _changing = Changing::begin(&self.changing, irql);
        if self.word.load(Ordering::Relaxed) & OPEN != 0 {
            return Err(value);
        }
        // SAFETY: this thread holds `changing` and the door is shut; whoever was counted while it was open has left before
        // the last `revoke` returned, and who is counted now does not touch the value.
        unsafe { *self.value.get() = Some(value) };
        // INVARIANT: the value is there.
        self.word.fetch_or(OPEN, Ordering::Release);
        Ok(())
    }

    /// Takes the value away, if there is one, after waiting for its users. The caller must not be one of them.
    pub fn revoke(&self, irql: &mut Irql<Passive>) -> Option<T> {
        let _changing = Changing::begin(&self.changing, irql);
        if self.word.fetch_and(!OPEN, Ordering::AcqRel) & OPEN == 0 {
            return None;
        }
        // Who is counted after the door was shut leaves at once, so one look without users means that the old ones left.
        while self.word.load(Ordering::Acquire) >= USER {
            sleep(irql);
        }
        // SAFETY: this thread holds `changing`, the door is shut, and nobody is left who was counted while it was open.
        unsafe { (*self.value.get()).take() }
    }
}

impl<T> Default for Revocable<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Revocable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.word.load(Ordering::Relaxed) & OPEN != 0;
        formatter
            .debug_struct("Revocable")
            .field("present", &present)
            .finish()
    }
}

/// The value of a [`Revocable`], in use.
#[derive(Debug)]
pub struct Access<'a, T> {
    value: &'a T,
    _entered: Entered<'a>,
}

impl<T> Deref for Access<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value
    }
}

/// Somebody who is counted.
#[derive(Debug)]
struct Entered<'a>(&'a AtomicUsize);

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.fetch_sub(USER, Ordering::Release);
    }
}

/// The one thread that changes the value.
struct Changing<'a>(&'a AtomicBool);

impl<'a> Changing<'a> {
    fn begin(changing: &'a AtomicBool, irql: &mut Irql<Passive>) -> Self {
        while changing.swap(true, Ordering::Acquire) {
            sleep(irql);
        }
        Self(changing)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Sleeps for a millisecond.
fn sleep(_irql: &mut Irql<Passive>) {
    // Negative: from now on, in units of 100 nanoseconds.
    let mut interval = sys::LARGE_INTEGER { QuadPart: -10_000 };
    let mode = sys::_MODE::KernelMode as sys::KPROCESSOR_MODE;
    // SAFETY: the level is PASSIVE_LEVEL, as the caller's proof says, and the interval lives during the call. The answer tells how the
    // wait ended, which the caller finds out by looking again.
    let _ = unsafe { sys::KeDelayExecutionThread(mode, 0, &raw mut interval) };
}
