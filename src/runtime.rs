//! What compiled code expects of its surroundings and a kernel image has to bring along.
//!
//! | symbol | who wants it |
//! |---|---|
//! | `memcpy`, `memmove`, `memset`, `memcmp` | the compiler, for copies and comparisons |
//! | `strlen` | the precompiled `alloc`, in its C strings |
//! | `_fltused` | the compiler, once floating point occurs |
//! | `__CxxFrameHandler3` | the precompiled `core`, whose unwind tables name it; nothing unwinds |
//! | `__chkstk` | the compiler, for stack frames beyond a page; imported from the kernel |
//! | global allocator | Rust, if the driver uses `alloc`: [`PoolAllocator`], with the feature `allocator` |
//! | panic handler | Rust: [`bug_check`], with the feature `panic-handler` |
//!
//! A host process has all of this; there the features do nothing, and what is public here can be tested.
//!
//! # Design
//!
//! * **The memory functions are string instructions**: short, quick on the processors in question, and not compiled into calls of
//!   themselves.
//! * **With the feature `wdk` none of this is built in**: the kit's libraries have the functions, and a driver takes the allocator of
//!   `wdk-alloc` and the panic handler of `wdk-panic`. They cannot be had for Windows Vista and 7: the one imports
//!   `ExAllocatePool2`, the other cannot be compiled for their framework.

mod allocator;
mod panic;
#[cfg(all(kernel_image, not(feature = "wdk")))]
mod symbols;

pub use self::allocator::PoolAllocator;
pub use self::panic::bug_check;

#[cfg(all(kernel_image, feature = "allocator", not(feature = "wdk")))]
#[global_allocator]
static ALLOCATOR: PoolAllocator = PoolAllocator::new();

#[cfg(all(kernel_image, feature = "panic-handler", not(feature = "wdk")))]
#[panic_handler]
fn panic(information: &core::panic::PanicInfo<'_>) -> ! {
    bug_check(information.location())
}

/// How many blocks the driver has allocated and not freed, if anybody counts.
#[cfg(all(kernel_image, not(feature = "wdk")))]
pub(crate) fn blocks_left() -> usize {
    #[cfg(feature = "allocator")]
    return ALLOCATOR.blocks().unwrap_or(0);
    #[cfg(not(feature = "allocator"))]
    0
}
