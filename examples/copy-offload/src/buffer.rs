//! [`Buffer`]: bytes in nonpaged pool.
//!
//! # Safety
//!
//! The unsafe code of this file owns a pool block and lends it as a slice.
#![expect(unsafe_code, reason = "owns a pool block")]

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use nmr_netdma::{Error, Result, sys};

/// `CpyO`, as tools show it.
const TAG: u32 = u32::from_le_bytes(*b"CpyO");

/// Bytes in nonpaged pool, owned. They stay where they are when the buffer is moved.
///
/// Made and dropped at or below `DISPATCH_LEVEL`.
///
/// # Invariants
///
/// `bytes` is a pool block with this file's tag, nobody else's, whose first `length` bytes are initialised.
pub struct Buffer {
    bytes: NonNull<u8>,
    length: usize,
}

// SAFETY: the buffer owns its bytes, and the pool does not care which thread frees.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer gives shared access to the bytes only.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// `length` zero bytes.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`].
    pub fn zeroed(length: usize) -> Result<Self> {
        if isize::try_from(length).is_err() {
            return Err(Error::INSUFFICIENT_RESOURCES);
        }
        let pool = sys::_POOL_TYPE::NonPagedPool;
        // SAFETY: a size that is not zero and a tag of four characters, at or below DISPATCH_LEVEL, as the type demands.
        let memory = unsafe { sys::ExAllocatePoolWithTag(pool, length.max(1) as sys::SIZE_T, TAG) };
        let bytes = NonNull::new(memory.cast::<u8>()).ok_or(Error::INSUFFICIENT_RESOURCES)?;
        // SAFETY: the block is new and at least `length` bytes long.
        unsafe { bytes.write_bytes(0, length) };
        // INVARIANT: allocated and written just above.
        Ok(Self { bytes, length })
    }

    /// Where the bytes are. For the one who owns the buffer meanwhile.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.bytes.as_ptr()
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: by the type invariant these bytes are initialised and this buffer's, and it is borrowed.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr(), self.length) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`; the buffer is borrowed exclusively.
        unsafe { core::slice::from_raw_parts_mut(self.bytes.as_ptr(), self.length) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: by the type invariant the block is this buffer's and has this tag; the level is at most DISPATCH_LEVEL, as
        // the type demands.
        unsafe { sys::ExFreePoolWithTag(self.bytes.as_ptr().cast(), TAG) };
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Buffer")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
