//! The level and the processor of the calling thread, and the processors there are.
//!
//! # Safety
//!
//! The unsafe code of this file writes one result, which the caller passes as null or writable.
#![expect(unsafe_code, reason = "defines functions with C names")]

use core::ptr;

use nmr_netdma::sys::{KAFFINITY, KIRQL, PKAFFINITY, PVOID, ULONG, USHORT};

use super::{DISPATCH, HIGH, irql, violation};
use crate::kernel::{self, Thread};

/// Sets the level of a thread, which may not hold spin locks below DISPATCH_LEVEL.
pub(super) fn lower(thread: &Thread, function: &'static str, new: KIRQL) {
    thread.irql.set(new);
    let locks = thread.locks.get();
    if new < DISPATCH && locks > 0 {
        thread.machine.violated(
            &violation::LOCK_HELD,
            format_args!("{function} lowers the IRQL to {new} with {locks} spin locks held"),
        );
    }
}

/// The calling thread's level; PASSIVE_LEVEL if it belongs to no machine.
///
/// # Safety
///
/// None.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeGetCurrentIrql() -> KIRQL {
    irql()
}

/// Raises the level; the one before.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KfRaiseIrql(new: KIRQL) -> KIRQL {
    let thread = kernel::current();
    let old = thread.irql.get();
    if (old..=HIGH).contains(&new) {
        thread.irql.set(new);
    } else {
        thread.machine.violated(
            &violation::RAISE,
            format_args!("KfRaiseIrql from IRQL {old} to {new}"),
        );
    }
    old
}

/// Lowers the level.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeLowerIrql(new: KIRQL) {
    let thread = kernel::current();
    let old = thread.irql.get();
    if new <= old {
        lower(thread, "KeLowerIrql", new);
    } else {
        thread.machine.violated(
            &violation::LOWER,
            format_args!("KeLowerIrql from IRQL {old} to {new}"),
        );
    }
}

/// The number, in its group, of the processor that the calling thread is on.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeGetCurrentProcessorNumber() -> ULONG {
    let thread = kernel::current();
    thread.processor.get() % thread.machine.config.group_size
}

/// A number for the calling thread, which no other has.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn PsGetCurrentThread() -> PVOID {
    // CAST: an address where there is nothing, since nobody may look.
    ptr::without_provenance_mut(kernel::current().id as usize)
}

/// The processors of group 0.
fn active_processors() -> KAFFINITY {
    kernel::machine().config.group_mask(0)
}

/// A bit for each processor of group 0.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeQueryActiveProcessors() -> KAFFINITY {
    active_processors()
}

/// The number of processors of group 0.
///
/// # Safety
///
/// The mask is null or writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeQueryActiveProcessorCount(mask: PKAFFINITY) -> ULONG {
    if !mask.is_null() {
        // SAFETY: not null, and the caller's to write.
        unsafe { mask.write(active_processors()) };
    }
    active_processors().count_ones()
}

/// `ALL_PROCESSOR_GROUPS`
const ALL_GROUPS: USHORT = 0xFFFF;

/// `KeQueryMaximumProcessorCountEx`: how many processors a group has room for; 0 if there is no such group. Found by name only: Windows Vista has none of this name.
///
/// # Safety
///
/// None beyond being called in a machine.
pub(super) unsafe extern "system" fn maximum_processor_count(group: USHORT) -> ULONG {
    let config = &kernel::machine().config;
    match group {
        ALL_GROUPS => config.processors,
        group => config.group_mask(group).count_ones(),
    }
}

/// `KeQueryGroupAffinity`: a bit for each processor of a group; 0 if there is no such group. Found by name only, as above.
///
/// # Safety
///
/// None beyond being called in a machine.
pub(super) unsafe extern "system" fn group_affinity(group: USHORT) -> KAFFINITY {
    kernel::machine().config.group_mask(group)
}
