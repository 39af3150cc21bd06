//! [`Deferred`]: the executive's deferred procedure call.
//!
//! # Safety
//!
//! The executive keeps a pointer to a queued call and its context. Both lie in one pool block, which is freed only after the
//! call is neither queued nor running and cannot be queued again.
#![expect(unsafe_code, reason = "lends a structure to the executive")]

use core::cell::UnsafeCell;
use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::context::{self, PoolBox};
use crate::irql::{self, AtMostDispatch, Dispatch, Irql};
use crate::kmdf::dpc::{DpcHandle, DpcRoutine};
use crate::lifetime::{Hold, Image};
use crate::status::{Error, Result};
use crate::sys;

/// The part of a call that does not depend on what it runs.
pub(in crate::kmdf) struct Core {
    dpc: UnsafeCell<sys::KDPC>,
    /// The processors that it can be aimed at.
    processors: sys::KAFFINITY,
    /// It is being dropped and must not be queued any more.
    closing: AtomicBool,
}

struct Block<R> {
    core: Core,
    routine: R,
    /// The image has the routine's code.
    _hold: Hold,
}

/// A call with its routine.
///
/// # Invariants
///
/// The structure in the block is initialised for the block, which stays where it is.
pub(in crate::kmdf) struct Deferred<R: DpcRoutine>(ManuallyDrop<PoolBox<Block<R>>>);

// SAFETY: the structure is touched by the executive only, which may be called from any thread.
unsafe impl Send for Core {}
// SAFETY: as above, also at the same time.
unsafe impl Sync for Core {}

impl Core {
    pub(in crate::kmdf) fn enqueue(&self) -> bool {
        if self.closing.load(Ordering::SeqCst) {
            return false;
        }
        let none = core::ptr::null_mut();
        // SAFETY: the structure is initialised, by the invariant of the `Deferred` that this is part of; while queued it
        // stays alive, see drop. Any level is allowed.
        unsafe { sys::KeInsertQueueDpc(self.dpc.get(), none, none) != 0 }
    }

    pub(in crate::kmdf) fn set_target_processor(&self, processor: u32) -> Result<()> {
        let bit = 1_u64
            .checked_shl(processor)
            .ok_or(Error::INVALID_PARAMETER)?;
        if self.processors & bit == 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // CAST: below 64.
        let processor = processor as sys::CCHAR;
        // SAFETY: the structure is initialised, as above, and the processor is one that runs.
        unsafe { sys::KeSetTargetProcessorDpc(self.dpc.get(), processor) };
        Ok(())
    }
}

impl<R: DpcRoutine> Deferred<R> {
    pub(in crate::kmdf) fn new(
        image: &Image,
        routine: R,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<Self> {
        let memory = PoolBox::try_reserve(irql).ok_or(Error::INSUFFICIENT_RESOURCES)?;
        let hold = image.hold("DPC", memory.as_ptr().addr().get(), irql)?;
        // SAFETY: reading which processors run has no precondition.
        let processors = unsafe { sys::KeQueryActiveProcessors() };
        let dpc = UnsafeCell::new(sys::KDPC::default());
        let core = Core {
            dpc,
            processors,
            closing: AtomicBool::new(false),
        };
        let block = memory.fill(Block {
            core,
            routine,
            _hold: hold,
        });
        let context = block.as_ptr().as_ptr().cast();
        // SAFETY: the structure lies in the pool, where it stays until it is freed in drop, and is not in use yet.
        unsafe { sys::KeInitializeDpc(block.core.dpc.get(), Some(deferred::<R>), context) };
        // INVARIANT: initialised just above.
        Ok(Self(ManuallyDrop::new(block)))
    }

    pub(in crate::kmdf) fn core(&self) -> &Core {
        &self.0.core
    }

    pub(in crate::kmdf) fn routine(&self) -> &R {
        &self.0.routine
    }
}

impl<R: DpcRoutine> Drop for Deferred<R> {
    fn drop(&mut self) {
        self.0.core.closing.store(true, Ordering::SeqCst);
        let level = irql::current();
        debug_assert_eq!(level, 0, "a Dpc must be dropped at PASSIVE_LEVEL");
        let dpc = self.0.core.dpc.get();
        if u32::from(level) != sys::PASSIVE_LEVEL {
            // Waiting is impossible, so the block stays.
            // SAFETY: the structure is initialised, by the type invariant.
            unsafe { sys::KeRemoveQueueDpc(dpc) };
            return;
        }
        // Only the routine itself could queue it now, if it looked before `closing` was set: let that end first.
        flush();
        // SAFETY: the structure is initialised, by the type invariant.
        unsafe { sys::KeRemoveQueueDpc(dpc) };
        flush();
        // SAFETY: this is the only place that drops it, and the executive does not use it any more: nobody queues it since
        // `closing` was set and what had been queued has run or was taken back.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

/// Waits until every call that is queued has run. At PASSIVE_LEVEL.
fn flush() {
    // SAFETY: the only caller has checked the level.
    unsafe { sys::KeFlushQueuedDpcs() };
}

/// CustomDpc.
unsafe extern "C" fn deferred<R: DpcRoutine>(
    _dpc: *mut sys::KDPC,
    context: sys::PVOID,
    _argument1: sys::PVOID,
    _argument2: sys::PVOID,
) {
    // SAFETY: the executive passes the context of `KeInitializeDpc`, the block's address, and the block is freed only after
    // this call has returned; see drop.
    let block = unsafe { context::borrow::<Block<R>>(context) };
    // SAFETY: the executive runs deferred procedure calls at DISPATCH_LEVEL.
    let mut irql = unsafe { Irql::<Dispatch>::assume() };
    block.routine.run(&DpcHandle::new(&block.core), &mut irql);
}
