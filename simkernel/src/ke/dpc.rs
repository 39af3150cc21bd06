//! Deferred procedure calls.
//!
//! # Design
//!
//! The members of a `KDPC` that Windows keeps for itself are used as follows. `TargetInfoAsUlong` holds the type, the
//! importance and the target processor; `DpcListEntry` the structure's own address; `DpcData` null, or one more than the number of
//! the processor that it is queued to. `DpcData` changes under the lock of that processor's queue. What is queued is a
//! copy, so that a call that has begun needs the structure no more.
//!
//! # Safety
//!
//! The unsafe code of this file touches a driver's `KDPC` as the contract of each function allows: it is the driver's to keep
//! until the DPC is neither queued nor being queued. The words that several processors touch are touched atomically.
#![expect(unsafe_code, reason = "defines functions with C names")]

use core::ffi::c_void;
use core::fmt;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use nmr_netdma::sys::{
    _KDPC_IMPORTANCE, BOOLEAN, CCHAR, KDPC, KDPC_IMPORTANCE, PKDEFERRED_ROUTINE, PRKDPC, PVOID,
    SINGLE_LIST_ENTRY,
};

use super::{DISPATCH, PASSIVE, at, flush_dpcs, processor, require, take_interrupts, violation};
use crate::kernel::{self, Machine};

/// `DpcObject` of `KOBJECTS`, the type of a `KDPC`.
const TYPE: u32 = 19;
/// In the number of `TargetInfoAsUlong`: a target was set.
const TARGETED: u32 = 0x100;

/// The words of `TargetInfoAsUlong`: `Type`, `Importance` and, above them, `Number`.
const fn target_info(importance: u32, number: u32) -> u32 {
    TYPE | importance << 8 | number << 16
}

/// A call as it was queued.
pub(super) struct Call {
    dpc: *mut KDPC,
    routine: unsafe extern "C" fn(*mut KDPC, PVOID, PVOID, PVOID),
    context: PVOID,
    arguments: [PVOID; 2],
}

// SAFETY: a DPC runs on any processor; what its driver passes along is made for that.
unsafe impl Send for Call {}

impl Call {
    pub(super) fn address(&self) -> usize {
        self.dpc.addr()
    }

    /// It is off the queue. The caller holds the queue's lock.
    pub(super) fn dequeued(&self) {
        // SAFETY: a queued KDPC is the driver's to keep, and until this store it is queued.
        let data = unsafe { data(self.dpc) };
        data.store(ptr::null_mut(), Ordering::Release);
    }

    pub(super) fn run(self) {
        let Self {
            dpc,
            routine,
            context,
            arguments: [first, second],
        } = self;
        let thread = kernel::current();
        kernel::in_callback(thread, "CustomDpc", "", dpc.addr(), || {
            // SAFETY: the driver gave the routine, its context and its arguments for this call.
            at(thread, DISPATCH, || unsafe {
                routine(dpc, context, first, second)
            });
        });
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "KDPC {:p}, routine {:p}, context {:p}",
            self.dpc, self.routine, self.context
        )
    }
}

/// # Safety
///
/// `dpc` points to a KDPC that stays while the result is used.
unsafe fn target<'a>(dpc: *mut KDPC) -> &'a AtomicU32 {
    // SAFETY: the caller passes a KDPC; the member is part of it.
    let member = unsafe { &raw mut (*dpc).TargetInfoAsUlong };
    // SAFETY: the member is aligned and all accesses after the initialisation are atomic.
    unsafe { AtomicU32::from_ptr(member) }
}

/// # Safety
///
/// As for [`target`].
unsafe fn data<'a>(dpc: *mut KDPC) -> &'a AtomicPtr<c_void> {
    // SAFETY: the caller passes a KDPC; the member is part of it.
    let member = unsafe { &raw mut (*dpc).DpcData };
    // SAFETY: the member is aligned and all accesses after the initialisation are atomic.
    unsafe { AtomicPtr::from_ptr(member) }
}

/// Whether `dpc` was initialised where it is; a violation if not.
///
/// # Safety
///
/// `dpc` is null or points to a KDPC.
unsafe fn check(function: &'static str, dpc: *mut KDPC) -> bool {
    if !dpc.is_null() && dpc.is_aligned() {
        // SAFETY: the caller passes a KDPC.
        let kind = unsafe { target(dpc) }.load(Ordering::Relaxed) & 0xFF;
        // SAFETY: the caller passes a KDPC.
        let entry = unsafe { &raw const (*dpc).DpcListEntry };
        // SAFETY: the member does not change after the initialisation.
        let own = unsafe { entry.read() }.Next;
        if kind == TYPE && own.addr() == dpc.addr() {
            return true;
        }
    }
    kernel::machine().violated(
        &violation::DPC,
        format_args!("{function}: the KDPC {dpc:p} was not initialised, or was moved since"),
    );
    false
}

/// Where a DPC is queued, from its `DpcData`.
fn queued_to(data: *mut c_void) -> Option<u32> {
    Some(data.addr().checked_sub(1)? as u32)
}

/// The DPCs in `range`, memory that is being freed, are taken off their queues; a violation if there are any.
pub(crate) fn memory_freed(machine: &Machine, range: &Range<usize>) {
    if let Some(address) = machine.ke.processors.remove_dpcs_in(range) {
        machine.violated(
            &violation::DPC_QUEUED,
            format_args!("the KDPC {address:#x} is queued and its memory is freed"),
        );
    }
}

/// Makes a DPC: not queued, for the processor that queues it, of medium importance.
///
/// # Safety
///
/// The DPC is writable, is not in use, and is used until the next initialisation by DPC functions only. The routine may be
/// called with the context whenever the DPC was queued.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeInitializeDpc(
    dpc: PRKDPC,
    routine: PKDEFERRED_ROUTINE,
    context: PVOID,
) {
    let machine = kernel::machine();
    if dpc.is_null() || !dpc.is_aligned() || routine.is_none() {
        machine.violated(
            &violation::DPC,
            format_args!("KeInitializeDpc got the KDPC {dpc:p}, routine {routine:?}"),
        );
        return;
    }
    let address = dpc.addr();
    if machine
        .ke
        .processors
        .remove_dpcs_in(&(address..address + 1))
        .is_some()
    {
        machine.violated(
            &violation::DPC_QUEUED,
            format_args!("KeInitializeDpc: the KDPC {dpc:p} is queued"),
        );
    }
    let value = KDPC {
        TargetInfoAsUlong: target_info(_KDPC_IMPORTANCE::MediumImportance as u32, 0),
        DpcListEntry: SINGLE_LIST_ENTRY { Next: dpc.cast() },
        DeferredRoutine: routine,
        DeferredContext: context,
        ..KDPC::default()
    };
    // SAFETY: not null, aligned, and the caller's to write.
    unsafe { dpc.write(value) };
}

/// Queues a DPC; FALSE if it is queued.
///
/// # Safety
///
/// The DPC was initialised and stays until it has begun to run or was removed.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeInsertQueueDpc(
    dpc: PRKDPC,
    argument1: PVOID,
    argument2: PVOID,
) -> BOOLEAN {
    // SAFETY: the caller passes a KDPC.
    if !unsafe { check("KeInsertQueueDpc", dpc) } {
        return 0;
    }
    // SAFETY: the caller passes a KDPC that stays.
    let info = unsafe { target(dpc) }.load(Ordering::Relaxed);
    // SAFETY: the caller passes a KDPC that stays.
    let data = unsafe { data(dpc) };
    let thread = kernel::current();
    let number = match info >> 16 {
        number if number >= TARGETED => number - TARGETED,
        _ => thread.processor.get(),
    };
    let first = info >> 8 & 0xFF == _KDPC_IMPORTANCE::HighImportance as u32;
    let queued = processor::with_queue(&thread.machine, number, |queue| {
        let mark = ptr::without_provenance_mut(number as usize + 1);
        if data
            .compare_exchange(ptr::null_mut(), mark, Ordering::AcqRel, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        // SAFETY: the caller passes a KDPC; the members are part of it.
        let routine = unsafe { &raw const (*dpc).DeferredRoutine };
        // SAFETY: as above.
        let context = unsafe { &raw const (*dpc).DeferredContext };
        // SAFETY: the member does not change after the initialisation.
        let routine = unsafe { routine.read() };
        // SAFETY: the member does not change after the initialisation.
        let context = unsafe { context.read() };
        // An initialised DPC has a routine.
        let Some(routine) = routine else { return false };
        queue.push_dpc(
            Call {
                dpc,
                routine,
                context,
                arguments: [argument1, argument2],
            },
            first,
        );
        true
    });
    take_interrupts();
    queued.into()
}

/// Takes a DPC off its queue; FALSE if it was not queued.
///
/// # Safety
///
/// The DPC was initialised.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeRemoveQueueDpc(dpc: PRKDPC) -> BOOLEAN {
    // SAFETY: the caller passes a KDPC.
    if !unsafe { check("KeRemoveQueueDpc", dpc) } {
        return 0;
    }
    // SAFETY: the caller passes a KDPC that stays during the call.
    let data = unsafe { data(dpc) };
    let processors = &kernel::machine().ke.processors;
    // It may begin to run, and be queued elsewhere, before the queue is searched.
    while let Some(number) = queued_to(data.load(Ordering::Acquire)) {
        if processors.remove_dpc(number, dpc.addr()) {
            return 1;
        }
    }
    0
}

/// Waits until every DPC that was queued before has run.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeFlushQueuedDpcs() {
    require("KeFlushQueuedDpcs", PASSIVE..=PASSIVE);
    flush_dpcs(kernel::machine());
}

/// Aims a DPC at a processor of group 0, for the next time it is queued.
///
/// # Safety
///
/// The DPC was initialised.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeSetTargetProcessorDpc(dpc: PRKDPC, number: CCHAR) {
    // SAFETY: the caller passes a KDPC.
    if !unsafe { check("KeSetTargetProcessorDpc", dpc) } {
        return;
    }
    let machine = kernel::machine();
    let processors = machine.config.group_mask(0).count_ones();
    match u32::try_from(number) {
        Ok(number) if number < processors => {
            // SAFETY: the caller passes a KDPC that stays during the call.
            let target = unsafe { target(dpc) };
            let set = |info: u32| Some(target_info(info >> 8 & 0xFF, TARGETED + number));
            // The closure always gives a value, so the update cannot fail.
            let _ = target.fetch_update(Ordering::Relaxed, Ordering::Relaxed, set);
        }
        _ => machine.violated(
            &violation::DPC_TARGET,
            format_args!("KeSetTargetProcessorDpc: processor {number} of {processors}"),
        ),
    }
}

/// Sets a DPC's importance; one of high importance goes to the front of its queue.
///
/// # Safety
///
/// The DPC was initialised.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeSetImportanceDpc(dpc: PRKDPC, importance: KDPC_IMPORTANCE) {
    // SAFETY: the caller passes a KDPC.
    if unsafe { check("KeSetImportanceDpc", dpc) } {
        // SAFETY: the caller passes a KDPC that stays during the call.
        let target = unsafe { target(dpc) };
        let set = |info: u32| Some(target_info(importance as u32 & 0xFF, info >> 16));
        // The closure always gives a value, so the update cannot fail.
        let _ = target.fetch_update(Ordering::Relaxed, Ordering::Relaxed, set);
    }
}
