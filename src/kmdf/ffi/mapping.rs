//! [`Mapped`]: physical memory in the system's address space.
//!
//! # Safety
//!
//! A mapping is reached through pointers within its bounds only, never through references: what is behind is a device, or
//! memory that others write.
#![expect(unsafe_code, reason = "maps physical memory and accesses it")]

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

use super::transfer::transfer;
use crate::irql::{AtMostDispatch, Irql};
use crate::kmdf::memory::{DescriptorReader, read_words};
use crate::physical_memory::{PhysicalMemory, PhysicalRange};
use crate::status::{Error, Result};
use crate::sys;

/// A mapped range.
///
/// # Invariants
///
/// `length` bytes from `base` on are mapped, until this is dropped.
#[derive(Debug)]
pub(in crate::kmdf) struct Mapped {
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: the system's address space is the same for every thread.
unsafe impl Send for Mapped {}
// SAFETY: every access is one volatile or atomic access, or a copy whose bytes the memory's owner answers for.
unsafe impl Sync for Mapped {}

impl Mapped {
    pub(in crate::kmdf) fn new(
        address: u64,
        length: usize,
        cache: sys::MEMORY_CACHING_TYPE,
        _irql: &mut Irql<AtMostDispatch>,
    ) -> Result<Self> {
        // CAST: both are 64 bits.
        if length == 0 || address.checked_add(length as u64).is_none() {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: the level is at most DISPATCH_LEVEL, as the caller's proof says; the range is not empty and does not
        // wrap around. Whether it can be mapped is for the system to say.
        let base = unsafe {
            sys::MmMapIoSpace(sys::physical_address(address), length as sys::SIZE_T, cache)
        };
        // INVARIANT: not null means mapped.
        let base = NonNull::new(base.cast()).ok_or(Error::INSUFFICIENT_RESOURCES)?;
        Ok(Self { base, length })
    }

    pub(in crate::kmdf) fn length(&self) -> usize {
        self.length
    }

    /// The `T` at `offset`, if it lies in the range and is aligned.
    #[inline]
    fn at<T>(&self, offset: usize) -> Option<*mut T> {
        let last = self.length.checked_sub(size_of::<T>())?;
        if offset > last {
            return None;
        }
        // SAFETY: `offset` and the `T` behind it are within the range, by the check above and the type invariant.
        let place = unsafe { self.base.as_ptr().add(offset) }.cast::<T>();
        place.is_aligned().then_some(place)
    }

    #[inline]
    pub(in crate::kmdf) fn read_register<T: RegisterValue>(&self, offset: usize) -> Option<T> {
        let register = self.at::<T>(offset)?;
        // SAFETY: the register is mapped and aligned.
        Some(unsafe { T::read(register) })
    }

    #[inline]
    pub(in crate::kmdf) fn write_register<T: RegisterValue>(
        &self,
        offset: usize,
        value: T,
    ) -> Option<()> {
        let register = self.at::<T>(offset)?;
        // SAFETY: the register is mapped and aligned.
        unsafe { T::write(register, value) };
        Some(())
    }

    pub(in crate::kmdf) fn read_u64(&self, offset: usize) -> Option<u64> {
        let word = self.word(offset)?;
        Some(word.load(Ordering::Acquire))
    }

    pub(in crate::kmdf) fn write_u64_release(&self, offset: usize, value: u64) -> Option<()> {
        let word = self.word(offset)?;
        word.store(value, Ordering::Release);
        Some(())
    }

    fn word(&self, offset: usize) -> Option<&AtomicU64> {
        let word = self.at::<u64>(offset)?;
        // SAFETY: the word is mapped while `self` is borrowed and aligned, and whoever else uses it at the same time, be it a device,
        // uses whole words.
        Some(unsafe { AtomicU64::from_ptr(word) })
    }

    /// Copies `length` bytes from `offset` on to the same offset of `destination`, if both have them and they do not overlap.
    pub(in crate::kmdf) fn copy_to(
        &self,
        destination: &Self,
        offset: usize,
        length: usize,
    ) -> Option<()> {
        let end = offset.checked_add(length)?;
        if end > self.length.min(destination.length) {
            return None;
        }
        // SAFETY: the offset is within the range, by the check above and the type invariant.
        let from = unsafe { self.base.as_ptr().add(offset) };
        // SAFETY: as above, for the other range.
        let to = unsafe { destination.base.as_ptr().add(offset) };
        // SAFETY: both ranges are mapped for this length, and there are no references to what is mapped. Where they overlap,
        // the callers copy in parts that do not.
        unsafe { transfer(from, to, length) };
        Some(())
    }
}

mod sealed {
    pub trait Width: Copy {
        /// # Safety
        ///
        /// The register is mapped and aligned.
        unsafe fn read(register: *mut Self) -> Self;

        /// # Safety
        ///
        /// The register is mapped and aligned.
        unsafe fn write(register: *mut Self, value: Self);
    }
}

/// What a register can hold: `u8`, `u16`, `u32` or `u64`.
pub trait RegisterValue: sealed::Width {}

macro_rules! register_values {
    ($($value:ty: $read:ident, $write:ident;)*) => {$(
        impl sealed::Width for $value {
            #[inline]
            unsafe fn read(register: *mut Self) -> Self {
                // SAFETY: passes on what the caller promises.
                unsafe { sys::$read(register) }
            }

            #[inline]
            unsafe fn write(register: *mut Self, value: Self) {
                // SAFETY: passes on what the caller promises.
                unsafe { sys::$write(register, value) }
            }
        }

        impl RegisterValue for $value {}
    )*};
}

register_values! {
    u8: READ_REGISTER_UCHAR, WRITE_REGISTER_UCHAR;
    u16: READ_REGISTER_USHORT, WRITE_REGISTER_USHORT;
    u32: READ_REGISTER_ULONG, WRITE_REGISTER_ULONG;
    u64: READ_REGISTER_ULONG64, WRITE_REGISTER_ULONG64;
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: by the type invariant this is mapped, with this length, and it is not used again.
        unsafe { sys::MmUnmapIoSpace(self.base.as_ptr().cast(), self.length as sys::SIZE_T) }
    }
}

// SAFETY: the words come from a mapping of the very range.
unsafe impl PhysicalMemory for DescriptorReader<'_> {
    fn read(&mut self, range: PhysicalRange<'_>, words: &mut [u64]) -> Result<()> {
        read_words(range, words, self.0)
    }
}
