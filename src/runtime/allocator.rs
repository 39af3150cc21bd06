//! [`PoolAllocator`]: Rust's allocator on the nonpaged pool.
//!
//! # Safety
//!
//! The unsafe code of this file takes blocks from the pool and gives them back, as `GlobalAlloc` demands.
#![expect(unsafe_code, reason = "an allocator")]

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
#[cfg(debug_assertions)]
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::context::{POOL_TAG, pool_size};
use crate::sys;

/// Rust's allocator on the nonpaged pool, for what a driver itself allocates: nothing in this crate uses it.
///
/// Blocks are tagged like those of [`PoolBox`](crate::context::PoolBox) ([`POOL_TAG`]) and aligned as asked for. An alignment
/// beyond a page is refused. To be used at or below `DISPATCH_LEVEL`.
///
/// The feature `allocator` makes one the global allocator of a kernel image that is built without the WDK. With debug assertions
/// it counts; what was never freed is told to the debugger when the driver has been unloaded.
#[derive(Debug, Default)]
pub struct PoolAllocator {
    #[cfg(debug_assertions)]
    blocks: AtomicUsize,
}

impl PoolAllocator {
    /// An allocator that has allocated nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            #[cfg(debug_assertions)]
            blocks: AtomicUsize::new(0),
        }
    }

    /// How many blocks are allocated; `None` without debug assertions, where nobody counts.
    pub fn blocks(&self) -> Option<usize> {
        #[cfg(debug_assertions)]
        return Some(self.blocks.load(Ordering::Relaxed));
        #[cfg(not(debug_assertions))]
        None
    }
}

// SAFETY: blocks come from the kernel's pool, at least as long as asked for and aligned as `pool_size` says; a layout
// that it cannot serve gets null. Nothing here unwinds.
unsafe impl GlobalAlloc for PoolAllocator {
    #[doc(alias = "ExAllocatePoolWithTag")]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(size) = pool_size(layout) else {
            return ptr::null_mut();
        };
        let pool = sys::_POOL_TYPE::NonPagedPool;
        // SAFETY: the size is not zero, as the trait demands of `layout`; the level is the allocator's user's to keep.
        let block = unsafe { sys::ExAllocatePoolWithTag(pool, size as sys::SIZE_T, POOL_TAG) };
        #[cfg(debug_assertions)]
        if !block.is_null() {
            self.blocks.fetch_add(1, Ordering::Relaxed);
        }
        block.cast()
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the block is one that `alloc` took from the pool with this tag, as the trait demands.
        unsafe { sys::ExFreePoolWithTag(block.cast(), POOL_TAG) };
        #[cfg(debug_assertions)]
        self.blocks.fetch_sub(1, Ordering::Relaxed);
    }
}
