//! Asks the system for its version and its processors.
//!
//! # Safety
//!
//! The unsafe code of this file fills structures of its own, and calls functions of the kernel by the addresses that the kernel names.
#![expect(unsafe_code, reason = "calls the system")]

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::NonNull;

use super::processors::{Group, MAXIMUM_GROUPS};
use crate::irql::{Irql, Passive};
use crate::sys;

/// Major and minor version; only at PASSIVE_LEVEL.
pub(super) fn version() -> (u32, u32) {
    let mut information = sys::RTL_OSVERSIONINFOW {
        // CAST: 276.
        dwOSVersionInfoSize: size_of::<sys::RTL_OSVERSIONINFOW>() as u32,
        ..Default::default()
    };
    // SAFETY: the structure is this function's own, and its first member says its size, as the page of RtlGetVersion asks. That
    // page knows no failure; the version would stay 0 then.
    let _ = unsafe { sys::RtlGetVersion(&raw mut information) };
    (information.dwMajorVersion, information.dwMinorVersion)
}

/// The processors of group 0 that are running, as a mask.
pub(super) fn group_0() -> u64 {
    // SAFETY: the function has no precondition and can be called at any level.
    unsafe { sys::KeQueryActiveProcessors() }
}

/// `KeQueryMaximumProcessorCountEx`
type MaximumCount = unsafe extern "system" fn(sys::USHORT) -> sys::ULONG;
/// `KeQueryGroupAffinity`
type GroupAffinity = unsafe extern "system" fn(sys::USHORT) -> sys::KAFFINITY;

/// The groups; `None` on a system without them.
pub(super) fn groups(irql: &mut Irql<Passive>) -> Option<[Group; MAXIMUM_GROUPS]> {
    const MAXIMUM_COUNT: &[u16] = &wide(b"KeQueryMaximumProcessorCountEx");
    const GROUP_AFFINITY: &[u16] = &wide(b"KeQueryGroupAffinity");
    let maximum_count = routine(MAXIMUM_COUNT, irql)?;
    // SAFETY: the kernel exports under this name the function that wdm.h declares with this signature.
    let maximum_count = unsafe { transmute::<NonNull<c_void>, MaximumCount>(maximum_count) };
    let affinity = routine(GROUP_AFFINITY, irql)?;
    // SAFETY: as above.
    let affinity = unsafe { transmute::<NonNull<c_void>, GroupAffinity>(affinity) };
    let mut groups = [Group::default(); MAXIMUM_GROUPS];
    for (number, group) in (0..).zip(&mut groups) {
        // SAFETY: the function has no precondition: for a group that does not exist it answers 0.
        group.room = unsafe { maximum_count(number) };
        // SAFETY: as above.
        group.active = unsafe { affinity(number) };
    }
    Some(groups)
}

/// The address of a function that the kernel may or may not export.
fn routine(name: &[u16], _irql: &mut Irql<Passive>) -> Option<NonNull<c_void>> {
    // CAST: the names above.
    let bytes = size_of_val(name) as u16;
    let mut name = sys::UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: name.as_ptr().cast_mut(),
    };
    // SAFETY: the string describes characters that outlive the call, which only reads them; the level is proven by the argument.
    NonNull::new(unsafe { sys::MmGetSystemRoutineAddress(&raw mut name) })
}

/// The letters of an ASCII name.
const fn wide<const LENGTH: usize>(text: &[u8; LENGTH]) -> [u16; LENGTH] {
    let mut wide = [0; LENGTH];
    let mut index = 0;
    while index < LENGTH {
        // CAST: a letter.
        wide[index] = text[index] as u16;
        index += 1;
    }
    wide
}
