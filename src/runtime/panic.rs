//! [`bug_check`]: what a panic comes to.
//!
//! # Safety
//!
//! The unsafe code of this file stops the machine.
#![expect(unsafe_code, reason = "calls the kernel")]

use core::panic::Location;

use crate::sys;

/// `MANUALLY_INITIATED_CRASH1`: a driver stopped the machine on purpose.
const BUG_CHECK: u32 = 0xDEAD_DEAD;

/// Stops the machine because of a panic.
///
/// The bug check is `0xDEADDEAD`. Its parameters are the address and the length of the source file's name, the line and the
/// column, as far as they are known: in a debugger, `da` with the first two shows the file.
///
/// The feature `panic-handler` makes this the panic handler of a kernel image that is built without the WDK.
#[doc(alias = "KeBugCheckEx")]
#[cold]
pub fn bug_check(location: Option<&Location<'_>>) -> ! {
    let (file, length, line, column) = match location {
        Some(at) => (
            at.file().as_ptr().addr() as u64,
            at.file().len() as u64,
            at.line(),
            at.column(),
        ),
        None => (0, 0, 0, 0),
    };
    // SAFETY: it can be called at any level, and its parameters are numbers for whoever reads the dump.
    unsafe { sys::KeBugCheckEx(BUG_CHECK, file, length, line.into(), column.into()) }
}
