//! A lock for steps of a few hundred instructions.
//!
//! # Design
//!
//! Releasing is a plain store, where the host's mutex needs an atomic exchange to learn whether somebody sleeps: a binding's
//! life takes a dozen such steps, and they are a large part of what it costs. Nobody sleeps here; who has to wait lets
//! others run.
//!
//! # Safety
//!
//! The unsafe code of this file gives access to what the lock guards, to one thread at a time.
#![expect(unsafe_code, reason = "a lock gives access to what it guards")]

use core::cell::UnsafeCell;
use core::hint;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::platform;

pub(super) struct Lock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time has the value, which therefore moves between threads and is not shared.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Access to what a [`Lock`] guards.
pub(super) struct Guard<'a, T>(&'a Lock<T>);

impl<T> Lock<T> {
    pub(super) const fn new(value: T) -> Self {
        Self {
            taken: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    #[inline]
    pub(super) fn lock(&self) -> Guard<'_, T> {
        if self.taken.swap(true, Ordering::Acquire) {
            self.wait();
        }
        Guard(self)
    }

    /// Takes the lock after somebody else.
    #[cold]
    fn wait(&self) {
        const SPINS: u32 = 100;

        loop {
            for _ in 0..SPINS {
                if !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire)
                {
                    return;
                }
                hint::spin_loop();
            }
            // The other may need this processor.
            platform::yield_now();
        }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a guard exists only while its thread has the lock.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as for `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.0.value.get() }
    }
}
