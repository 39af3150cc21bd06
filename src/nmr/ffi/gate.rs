//! [`Gate`]: the way to the other module, and who is on it.
//!
//! # Safety
//!
//! The unsafe code of this file hands out what is behind a gate while its rundown says that somebody is inside, and completes the
//! detach for whoever that says is last. What it relies on of NMR stands at the head of `ffi`.
#![expect(unsafe_code, reason = "guards what is behind a gate")]

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::context::Shared;
use crate::irql::{Irql, Passive};
use crate::nmr::binding::{Side, ToClient, ToProvider};
use crate::nmr::npi::Npi;
use crate::rundown::{Left, Rundown};
use crate::sys;

/// What is behind a gate: the other module, as a call through the binding needs it.
pub(in crate::nmr) struct Remote<N: Npi, S: Side> {
    pub(in crate::nmr) context: *mut c_void,
    pub(in crate::nmr) dispatch: S::Dispatch<N>,
    pub(in crate::nmr) characteristics: Option<S::Characteristics<N>>,
}

/// The door of one binding and what is behind it.
///
/// # Invariants
///
/// `remote` is written before the door is opened and not changed afterwards.
pub(in crate::nmr) struct Gate<N: Npi, S: Side> {
    pub(super) rundown: Rundown,
    pub(super) binding: sys::HANDLE,
    remote: UnsafeCell<MaybeUninit<Remote<N, S>>>,
}

// SAFETY: the handle and the peer's context may be used by any thread, the peer's structures are `Send`, and the gate frees nothing.
unsafe impl<N: Npi, S: Side> Send for Gate<N, S> {}
// SAFETY: as for `Send`; `remote` is only read once the door was opened, which is after it was written, and they are `Sync`.
unsafe impl<N: Npi, S: Side> Sync for Gate<N, S> {}

impl<N: Npi, S: Side> Gate<N, S> {
    pub(super) fn try_new(binding: sys::HANDLE, irql: &mut Irql<Passive>) -> Option<Shared<Self>> {
        let remote = UnsafeCell::new(MaybeUninit::uninit());
        let gate = Self {
            rundown: Rundown::new(),
            binding,
            remote,
        };
        Shared::try_new(gate, irql).ok()
    }

    /// # Safety
    ///
    /// Called once for this gate.
    pub(super) unsafe fn open(&self, remote: Remote<N, S>) {
        // SAFETY: nobody reads before the door is open, and nobody else writes, by the contract of this function.
        unsafe { (*self.remote.get()).write(remote) };
        self.rundown.open();
    }
}

/// Tells NMR that one side has finished detaching.
pub trait Complete {
    /// Takes the binding by value and nothing by reference: cleanup, which this may run, frees the gate.
    ///
    /// # Safety
    ///
    /// The caller has got [`Left::Last`] from the rundown of this binding's gate, and not in the detach callback. It does not use
    /// the gate afterwards unless it owns it.
    #[doc(hidden)]
    unsafe fn complete(binding: sys::HANDLE);
}

// SAFETY of both calls: the door is closed, so the detach callback was called, and since it was not the last one out it has
// answered or will answer STATUS_PENDING; `Left::Last` is answered once, so this is the one completion. The level is at most
// DISPATCH_LEVEL, as for every use of a binding.
impl Complete for ToProvider {
    unsafe fn complete(binding: sys::HANDLE) {
        // SAFETY: as above, and the binding is a client's, since a client's gate leads to a provider.
        unsafe { sys::NmrClientDetachProviderComplete(binding) }
    }
}

impl Complete for ToClient {
    unsafe fn complete(binding: sys::HANDLE) {
        // SAFETY: as above, and the binding is a provider's, since a provider's gate leads to a client.
        unsafe { sys::NmrProviderDetachClientComplete(binding) }
    }
}

/// Being inside a gate.
///
/// # Invariants
///
/// Made by a successful enter, so the gate is open or its last one out has not completed the detach; either way its `Bound`,
/// which owns it, has not been cleaned up.
pub(in crate::nmr) struct Inside<N: Npi, S: Side>(NonNull<Gate<N, S>>);

// SAFETY: the gate is `Sync`, and leaving it is possible from any thread.
unsafe impl<N: Npi, S: Side> Send for Inside<N, S> {}
// SAFETY: sharing gives shared access to the gate, which is `Sync`.
unsafe impl<N: Npi, S: Side> Sync for Inside<N, S> {}

impl<N: Npi, S: Side> Inside<N, S> {
    #[inline]
    pub(in crate::nmr) fn enter(gate: &Shared<Gate<N, S>>) -> Option<Self> {
        match gate.rundown.enter() {
            // INVARIANT: entered just now.
            Ok(()) => Some(Self(gate.as_ptr())),
            Err(Left::NotLast) => None,
            Err(Left::Last) => {
                // SAFETY: `Left::Last` was answered just above, and this is no detach callback.
                unsafe { S::complete(gate.binding) };
                None
            }
        }
    }

    #[inline]
    pub(in crate::nmr) fn remote(&self) -> &Remote<N, S> {
        // SAFETY: by the type invariant the gate is alive while this value is.
        let gate = unsafe { self.0.as_ref() };
        // SAFETY: nobody writes any more, since the door was opened and entered.
        let remote = unsafe { &*gate.remote.get() };
        // SAFETY: by the gate's invariant it was written before the door was opened.
        unsafe { remote.assume_init_ref() }
    }
}

impl<N: Npi, S: Side> Drop for Inside<N, S> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the type invariant the gate is alive until this caller has left, and then it is not used, unless the
        // caller was the last: only the completion below lets it go then.
        let gate = unsafe { self.0.as_ref() };
        if gate.rundown.leave() == Left::Last {
            // SAFETY: `Left::Last` was answered just above, and this is no detach callback.
            unsafe { S::complete(gate.binding) };
        }
    }
}
