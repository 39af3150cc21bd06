//! [`Callbacks`]: whose callbacks a thread is in, so that debug builds find a module that waits for itself.
//!
//! # Safety
//!
//! The unsafe code of this file asks which thread it runs in.
#![expect(unsafe_code, reason = "asks for the thread")]

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::sys;

/// How many callbacks of one module are noted at a time. One more than these is not found to wait for itself.
const PLACES: usize = if cfg!(debug_assertions) { 8 } else { 0 };

/// The threads that are in a callback of one module. Notes nothing, and takes no room, in release builds.
///
/// A DPC has the thread that it interrupted, which runs nowhere meanwhile: no other is taken for one that waits.
pub(super) struct Callbacks([AtomicPtr<c_void>; PLACES]);

/// A callback in progress.
#[must_use = "the callback is over when this is dropped"]
pub(super) struct Noted<'a>(Option<&'a AtomicPtr<c_void>>);

fn current_thread() -> *mut c_void {
    // SAFETY: the function has no precondition.
    unsafe { sys::PsGetCurrentThread() }
}

impl Callbacks {
    pub(super) const fn new() -> Self {
        Self([const { AtomicPtr::new(ptr::null_mut()) }; PLACES])
    }

    /// Notes that this thread is in a callback.
    #[inline]
    pub(super) fn enter(&self) -> Noted<'_> {
        // Each thread looks for itself only, so there is nothing to order.
        let take = |place: &&AtomicPtr<c_void>| {
            let thread = current_thread();
            let taken = place.compare_exchange(
                ptr::null_mut(),
                thread,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            taken.is_ok()
        };
        Noted(self.0.iter().find(take))
    }

    /// Whether this thread is in one of them.
    pub(super) fn is_inside(&self) -> bool {
        let mut places = self.0.iter();
        places.any(|place| place.load(Ordering::Relaxed) == current_thread())
    }
}

impl Drop for Noted<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            place.store(ptr::null_mut(), Ordering::Relaxed);
        }
    }
}
