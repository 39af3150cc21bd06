//! [`PhysicalRange`]: main memory, named by physical address, that somebody has vouched for; [`PhysicalMemory`] reads it.
//!
//! # Design
//!
//! An engine in software reads and writes wherever a descriptor says. If it took plain numbers, safe code could destroy any
//! memory of the machine. So the functions that map memory take this type, and safe code gets values of it from NetDMA's
//! descriptors only; to make one from a number is `unsafe`.
//!
//! Nobody vouches for ever: descriptors name memory that its owner takes back. So the type has a lifetime, that of the guard which the
//! owner waits for, and everything made from it, a mapping too, has the same.
//!
//! # Safety
//!
//! The unsafe function of this file does nothing but carry its caller's promise.
#![expect(unsafe_code, reason = "to make such a name is a promise")]

use core::marker::PhantomData;

use crate::status::Result;

/// Bytes of main memory that follow each other, by physical address.
///
/// # Invariants
///
/// Whoever made it vouches that the range is main memory which an engine may read and write during `'a`. It does not wrap
/// around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PhysicalRange<'a> {
    address: u64,
    length: u32,
    _vouched: PhantomData<&'a ()>,
}

impl PhysicalRange<'_> {
    /// The `length` bytes from `address` on; `None` if that wraps around.
    ///
    /// # Safety
    ///
    /// During the lifetime that the caller chooses, the range is main memory that nobody but engines uses: writing to it breaks
    /// no Rust reference and nothing of the system.
    pub const unsafe fn new(address: u64, length: u32) -> Option<Self> {
        Self::vouched(address, length)
    }

    /// As [`new`](Self::new), for addresses that the caller's own caller has vouched for.
    #[inline]
    pub(crate) const fn vouched(address: u64, length: u32) -> Option<Self> {
        match address.checked_add(length as u64) {
            Some(_) => Some(Self {
                address,
                length,
                _vouched: PhantomData,
            }),
            None => None,
        }
    }

    /// The physical address of its first byte.
    #[inline]
    pub const fn address(self) -> u64 {
        self.address
    }

    /// Its length in bytes.
    #[inline]
    pub const fn length(self) -> u32 {
        self.length
    }
}

/// Reads main memory by physical address, as an engine in software reaches descriptors.
///
/// # Safety
///
/// [`read`](Self::read) answers what is in the memory of the range, or an error: the addresses in it are used as they are.
pub unsafe trait PhysicalMemory {
    /// Reads the 64-bit words of `range`, of which there are as many as `words`, each exactly once.
    ///
    /// # Errors
    ///
    /// The memory cannot be reached. What `words` holds does not matter then.
    fn read(&mut self, range: PhysicalRange<'_>, words: &mut [u64]) -> Result<()>;
}
