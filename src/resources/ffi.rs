//! Asks the system for its version.
//!
//! # Safety
//!
//! The unsafe code of this file fills a structure of its own.
#![expect(unsafe_code, reason = "calls the system")]

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
