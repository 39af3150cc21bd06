//! Physical memory, for a DMA engine in software.
//!
//! # Design
//!
//! Physical addresses are plain numbers here, as they are in the descriptors that an engine is given, and these functions are
//! safe, as writing such a number into an engine's register is. Whoever writes the descriptors vouches for the addresses: a wrong
//! one destroys memory, with this engine as with any other. Nothing here makes Rust references to such memory.

use core::fmt;

use super::ffi::mapping::Mapped;
use crate::irql::{AtMostDispatch, Irql};
use crate::status::{Error, Result};
use crate::sys;

/// A range of main memory, mapped with cache. Unmapped when dropped, at or below `DISPATCH_LEVEL`.
pub struct PhysicalMapping(Mapped);

impl PhysicalMapping {
    /// Maps the `length` bytes from the physical address `address` on.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map it; [`Error::INVALID_PARAMETER`] if the range is empty or
    /// wraps around.
    #[doc(alias = "MmMapIoSpace")]
    pub fn map(address: u64, length: usize, irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        Mapped::new(address, length, sys::_MEMORY_CACHING_TYPE::MmCached, irql).map(Self)
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.0.length()
    }

    /// Copies all of it to the first bytes of `destination`. If the two overlap, the result is unspecified.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if `destination` is shorter.
    pub fn copy_to(&self, destination: &Self) -> Result<()> {
        self.0
            .copy_to(&destination.0)
            .ok_or(Error::INVALID_PARAMETER)
    }

    /// Reads the word `offset` bytes after the first, once.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if the word is not in the range or not aligned to 8 bytes.
    pub fn read_u64(&self, offset: usize) -> Result<u64> {
        self.0.read_u64(offset).ok_or(Error::INVALID_PARAMETER)
    }

    /// Writes the word `offset` bytes after the first. Whoever sees it sees everything that was written before.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if the word is not in the range or not aligned to 8 bytes.
    pub fn write_u64_release(&self, offset: usize, value: u64) -> Result<()> {
        self.0
            .write_u64_release(offset, value)
            .ok_or(Error::INVALID_PARAMETER)
    }
}

impl fmt::Debug for PhysicalMapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PhysicalMapping")
            .field("length", &self.length())
            .finish_non_exhaustive()
    }
}

/// Copies `length` bytes from one physical address to another. If the two ranges overlap, the result is unspecified.
///
/// # Errors
///
/// [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map one of them; [`Error::INVALID_PARAMETER`] if one wraps around. Nothing is
/// copied then.
pub fn copy_physical(
    source: u64,
    destination: u64,
    length: u32,
    irql: &mut Irql<AtMostDispatch>,
) -> Result<()> {
    if length == 0 {
        return Ok(());
    }
    let source = PhysicalMapping::map(source, length as usize, irql)?;
    let destination = PhysicalMapping::map(destination, length as usize, irql)?;
    source.copy_to(&destination)
}

/// Reads consecutive words from the physical address `address` on, each once.
///
/// # Errors
///
/// [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map them; [`Error::INVALID_PARAMETER`] if `address` is not aligned to 8 bytes or
/// the range wraps around.
pub fn read_words(address: u64, words: &mut [u64], irql: &mut Irql<AtMostDispatch>) -> Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let mapping = PhysicalMapping::map(address, size_of_val(words), irql)?;
    for (index, word) in words.iter_mut().enumerate() {
        *word = mapping.read_u64(index * size_of::<u64>())?;
    }
    Ok(())
}
