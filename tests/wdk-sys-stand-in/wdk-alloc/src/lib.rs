//! Stands in for `wdk-alloc` 0.4.2 in type checks. Allocates nothing.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};

#[allow(missing_docs)]
pub struct WdkAllocator;

unsafe impl GlobalAlloc for WdkAllocator {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
