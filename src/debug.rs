//! [`debug_print`]: a line for the debugger.
//!
//! # Safety
//!
//! The unsafe code of this file passes a text to the debugger.
#![expect(unsafe_code, reason = "calls the debugger's text function")]

use core::ffi::CStr;
use core::fmt::{self, Write as _};

use crate::sys;

/// Bytes of one message, with the zero that ends it.
const ROOM: usize = 512;

/// Shows a text in the debugger, at any level. What does not fit into 511 bytes is cut off.
///
/// ```no_run
/// use nmr_netdma::debug::debug_print;
///
/// debug_print(format_args!("{} channels\n", 4));
/// # use simkernel as _;
/// ```
#[doc(alias = "DbgPrint")]
pub fn debug_print(text: fmt::Arguments<'_>) {
    let mut buffer = Buffer {
        bytes: [0; ROOM],
        length: 0,
    };
    // The one error is that the text is cut off.
    let _ = buffer.write_fmt(text);
    if let Ok(text) = CStr::from_bytes_until_nul(&buffer.bytes) {
        // SAFETY: the text ends in a zero byte, as the type says, and lives during the call; the debugger's text routine can be
        // called at any level.
        unsafe { sys::DebugPrint(text.as_ptr()) };
    }
}

/// The bytes after `length` are zero, and the last one always is.
struct Buffer {
    bytes: [u8; ROOM],
    length: usize,
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.length..ROOM - 1];
        let fits = room.len().min(text.len());
        room[..fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.length += fits;
        if fits == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}
