//! What compiled code expects of its surroundings and a kernel image has to bring along. Empty in a host process.
//!
//! | symbol | who wants it |
//! |---|---|
//! | `memcpy`, `memmove`, `memset`, `memcmp` | the compiler, for copies and comparisons |
//! | `strlen` | the precompiled `alloc`, in its C strings |
//! | `_fltused` | the compiler, once floating point occurs |
//! | `__CxxFrameHandler3` | the precompiled `core`, whose unwind tables name it; nothing unwinds |
//! | `__chkstk` | the compiler, for stack frames beyond a page; imported from the kernel |
//! | global allocator, panic handler | Rust; here if the features `allocator` and `panic-handler` say so |
//!
//! # Design
//!
//! The memory functions are string instructions: short, quick on the processors in question, and not compiled into calls of
//! themselves. With the feature `wdk` the kit's libraries and crates bring all of this.
//!
//! # Safety
//!
//! The functions here are what C defines under their names, with C's contracts. They are unmangled, and a kernel image
//! contains no other definition of them.
#![cfg(kernel_image)]
#![cfg_attr(
    any(not(feature = "wdk"), feature = "allocator", feature = "panic-handler"),
    expect(
        unsafe_code,
        reason = "defines symbols with C's contracts and calls the kernel"
    )
)]

#[cfg(not(feature = "wdk"))]
mod symbols {
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
    unsafe extern "C" fn memmove(
        destination: *mut u8,
        source: *const u8,
        length: usize,
    ) -> *mut u8 {
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
}

#[cfg(feature = "allocator")]
mod allocator {
    use core::alloc::{GlobalAlloc, Layout};
    use core::ptr;

    use crate::context::{POOL_TAG, pool_size};
    use crate::sys;

    /// Rust's allocator on the nonpaged pool, for what a driver itself allocates. To be used at or below
    /// `DISPATCH_LEVEL`.
    struct Pool;

    // SAFETY: blocks come from the kernel's pool, at least as long as asked for and aligned as `pool_size` says; a layout
    // that it cannot serve gets null. Nothing here unwinds.
    unsafe impl GlobalAlloc for Pool {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let Some(size) = pool_size(layout) else {
                return ptr::null_mut();
            };
            let pool = sys::_POOL_TYPE::NonPagedPool;
            // SAFETY: the size is not zero, as the trait demands of `layout`; the level is the allocator's user's to keep.
            unsafe { sys::ExAllocatePoolWithTag(pool, size as sys::SIZE_T, POOL_TAG) }.cast()
        }

        unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
            // SAFETY: the block is one that `alloc` took from the pool with this tag, as the trait demands.
            unsafe { sys::ExFreePoolWithTag(block.cast(), POOL_TAG) };
        }
    }

    #[global_allocator]
    static POOL: Pool = Pool;
}

#[cfg(feature = "panic-handler")]
mod panic {
    use core::panic::PanicInfo;

    use crate::sys;

    /// `MANUALLY_INITIATED_CRASH1`: a driver stopped the machine on purpose.
    const BUG_CHECK: u32 = 0xDEAD_DEAD;

    /// Stops the machine. The parameters of the bug check are the address and length of the source file's name, the line and
    /// the column of the panic.
    #[panic_handler]
    fn panic(information: &PanicInfo<'_>) -> ! {
        let (file, length, line, column) = match information.location() {
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
}
