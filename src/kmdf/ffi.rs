//! Between the framework and this module's traits: calls out, callbacks in.
//!
//! # Safety
//!
//! The unsafe code of this file and the files below it rests on these facts:
//!
//! * **Handles.** A handle that the framework gave to a callback is good until the callback returns; that of a device or interrupt
//!   that AddDevice creates is good until AddDevice returns, and beyond if it succeeds. The types here that hold handles
//!   are bound to the callback's lifetime.
//! * **Contexts.** See [`Slot`](slot::Slot). Which type a slot holds follows from the callback: an object created for the type `T` got the callbacks
//!   that are instantiated for `T`, and no others.
//! * **Levels.** The framework calls its callbacks at the levels that Microsoft's pages of these callbacks state. The
//!   executive runs deferred routines at DISPATCH_LEVEL.
//! * **Binding.** Driver code runs only while the driver is bound with at least the 387 functions of KMDF 1.7, and every function called here
//!   has a lower slot.
#![expect(unsafe_code, reason = "calls the framework and is called by it")]

mod device;
pub(super) mod dpc;
mod driver;
mod entry;
mod interrupt;
pub(super) mod mapping;
pub(super) mod object;
pub(super) mod parameters;
pub(super) mod queue;
pub(super) mod resources;
pub(super) mod revocable;
mod slot;
pub(super) mod timer;
mod transfer;
pub(super) mod wait_lock;
pub(super) mod work_item;

use core::marker::PhantomData;

use crate::sys;

pub(super) use self::device::{DeviceHandle, Init, create_device};
pub use self::driver::enter;
pub(super) use self::interrupt::InterruptHandle;
pub(super) use self::parameters::DriverHandle;

/// Ties values to one callback: invariant in `'a`, and not to be sent to another thread.
#[derive(Debug)]
pub(super) struct Brand<'a>(PhantomData<Invariant<'a>>, PhantomData<*mut ()>);

type Invariant<'a> = fn(&'a ()) -> &'a ();

impl Brand<'_> {
    fn new() -> Self {
        Self(PhantomData, PhantomData)
    }
}

// Processor.

pub(super) fn current_processor() -> u32 {
    // SAFETY: reading the processor's number has no precondition.
    unsafe { sys::KeGetCurrentProcessorNumber() }
}
