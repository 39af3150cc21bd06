//! What every image of this package needs: the symbols that compiled code expects, and the panic handler.
//!
//! The package is built for the host as well, since it is part of the workspace; it is empty there.
//!
//! # Safety
//!
//! The unsafe code of this file defines symbols under the names that compiled code knows.
#![cfg_attr(kernel_module, no_std)]
#![cfg_attr(
    kernel_module,
    expect(unsafe_code, reason = "defines symbols that compiled code expects")
)]

#[cfg(kernel_module)]
extern crate alloc;

#[cfg(kernel_module)]
mod runtime {
    use alloc::format;
    use core::ffi::c_void;
    use core::panic::PanicInfo;

    use simkernel::platform;

    // What compilers for Windows reference where floating point is used. The value means nothing.
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

    #[global_allocator]
    static ALLOCATOR: platform::Allocator = platform::Allocator;

    #[panic_handler]
    fn panic(information: &PanicInfo<'_>) -> ! {
        platform::fatal(&format!("simkernel: {information}"))
    }
}

/// Whether an image's entry point is being called for a process or a thread that comes or goes, not as a driver's: Wine does that
/// to images that import kernel32.dll. The second argument is then a small number and not an address.
pub fn is_library_call(second: usize) -> bool {
    second < 16
}
