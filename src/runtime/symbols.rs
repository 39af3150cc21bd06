//! The symbols that compiled code refers to and that a kernel image has to bring along. See the module above.
//!
//! # Safety
//!
//! The functions here are what C defines under their names, with C's contracts. They are unmangled, and a kernel image
//! contains no other definition of them.
#![expect(unsafe_code, reason = "defines symbols with C's contracts")]

use core::arch::asm;
use core::ffi::c_void;

// What C compilers for Windows reference where floating point is used. The value means nothing.
#[unsafe(no_mangle)]
static _fltused: i32 = 0;

/// Asks the search for handlers to go on. Never called: panics do not unwind.
#[unsafe(no_mangle)]
extern "system" fn __CxxFrameHandler3(
    _record: *mut c_void,
    _frame: *mut c_void,
    _context: *mut c_void,
    _dispatcher: *mut c_void,
) -> i32 {
    const EXCEPTION_CONTINUE_SEARCH: i32 = 1;
    EXCEPTION_CONTINUE_SEARCH
}

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    // Named here so that the linker finds it; the compiler calls it.
    fn __chkstk();
}

/// # Safety
///
/// As C: `text` points to bytes up to and including a zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: no byte before this one was the zero that the caller vouches for, so this one can be read. Volatile, so
    // that the loop is not compiled into a call of this very function.
    while unsafe { text.wrapping_add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
}

/// # Safety
///
/// As C: `length` bytes can be read at `source` and written at `destination`, and they do not overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(destination: *mut u8, source: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller vouches for both ranges; the direction flag is clear by the calling convention.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") length => _,
            inout("rdi") destination => _,
            inout("rsi") source => _,
            options(nostack, preserves_flags),
        );
    }
    destination
}

/// # Safety
///
/// As C: `length` bytes can be read at `source` and written at `destination`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(destination: *mut u8, source: *const u8, length: usize) -> *mut u8 {
    if destination.addr().wrapping_sub(source.addr()) >= length {
        // SAFETY: the caller vouches for both ranges, and a forward copy is right, since the destination does not
        // begin inside the source.
        return unsafe { memcpy(destination, source, length) };
    }
    // Backwards, from the last byte, which exists: the destination begins inside the source.
    let last_destination = destination.wrapping_add(length - 1);
    let last_source = source.wrapping_add(length - 1);
    // SAFETY: the caller vouches for both ranges; the direction flag is clear again afterwards, as the calling
    // convention wants it.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") length => _,
            inout("rdi") last_destination => _,
            inout("rsi") last_source => _,
            options(nostack),
        );
    }
    destination
}

/// # Safety
///
/// As C: `length` bytes can be written at `destination`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(destination: *mut u8, value: i32, length: usize) -> *mut u8 {
    // CAST: C fills with the value converted to a byte.
    let byte = value as u8;
    // SAFETY: the caller vouches for the range; the direction flag is clear by the calling convention.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") length => _,
            inout("rdi") destination => _,
            in("al") byte,
            options(nostack, preserves_flags),
        );
    }
    destination
}

/// # Safety
///
/// As C: `length` bytes can be read at `left` and at `right`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    for index in 0..length {
        // SAFETY: the caller vouches for `length` bytes, and the index is below.
        let a = unsafe { left.wrapping_add(index).read_volatile() };
        // SAFETY: as above.
        let b = unsafe { right.wrapping_add(index).read_volatile() };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}
