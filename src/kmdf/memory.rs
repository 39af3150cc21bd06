//! Physical memory, for a DMA engine in software.
//!
//! Which memory may be touched, and how long, says the [`PhysicalRange`]: whoever made it has vouched for it. Nothing here makes Rust
//! references to such memory.

use core::fmt;
use core::marker::PhantomData;

use super::ffi::mapping::Mapped;
use crate::irql::{AtMostDispatch, Irql};
use crate::physical_memory::PhysicalRange;
use crate::status::{Error, Result};
use crate::sys;

/// A range of main memory, mapped with cache. Unmapped when dropped, at or below `DISPATCH_LEVEL`.
pub struct PhysicalMapping<'a> {
    mapped: Mapped,
    address: u64,
    _vouched: PhantomData<PhysicalRange<'a>>,
}

impl<'a> PhysicalMapping<'a> {
    /// Maps `range`.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map it; [`Error::INVALID_PARAMETER`] if it is empty.
    #[doc(alias = "MmMapIoSpace")]
    pub fn map(range: PhysicalRange<'a>, irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        // CAST: a length of 32 bits fits into the size of memory.
        let length = range.length() as usize;
        let mapped = Mapped::new(
            range.address(),
            length,
            sys::_MEMORY_CACHING_TYPE::MmCached,
            irql,
        )?;
        Ok(Self {
            mapped,
            address: range.address(),
            _vouched: PhantomData,
        })
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.mapped.length()
    }

    /// Copies all of it to the first bytes of `destination`, which holds what this held before, also if the two overlap.
    ///
    /// Overlap is judged by physical address, since one memory may be mapped twice. Then it is copied in parts as long as the
    /// two are apart, which is slow if that is little.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if `destination` is shorter.
    pub fn copy_to(&self, destination: &PhysicalMapping<'_>) -> Result<()> {
        let length = self.length();
        if destination.length() < length {
            return Err(Error::INVALID_PARAMETER);
        }
        // CAST: both are 64 bits.
        let apart = self.address.abs_diff(destination.address) as usize;
        if apart == 0 {
            return Ok(());
        }
        let copy = |offset: usize| {
            self.mapped
                .copy_to(&destination.mapped, offset, apart.min(length - offset))
                .ok_or(Error::INVALID_PARAMETER)
        };
        if apart >= length {
            return copy(0);
        }
        let mut offsets = (0..length).step_by(apart);
        if destination.address > self.address {
            offsets.rev().try_for_each(copy)
        } else {
            offsets.try_for_each(copy)
        }
    }

    /// Reads the word `offset` bytes after the first, once.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if the word is not in the range or not aligned to 8 bytes.
    pub fn read_u64(&self, offset: usize) -> Result<u64> {
        self.mapped.read_u64(offset).ok_or(Error::INVALID_PARAMETER)
    }

    /// Writes the word `offset` bytes after the first. Whoever sees it sees everything that was written before.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if the word is not in the range or not aligned to 8 bytes.
    pub fn write_u64_release(&self, offset: usize, value: u64) -> Result<()> {
        self.mapped
            .write_u64_release(offset, value)
            .ok_or(Error::INVALID_PARAMETER)
    }
}

impl fmt::Debug for PhysicalMapping<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PhysicalMapping")
            .field("length", &self.length())
            .finish_non_exhaustive()
    }
}

/// Copies all of `source` to the first bytes of `destination`, as [`PhysicalMapping::copy_to`]: they may overlap.
///
/// # Errors
///
/// [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map one of them; [`Error::INVALID_PARAMETER`] if `destination` is shorter.
/// Nothing is copied then.
pub fn copy_physical(
    source: PhysicalRange<'_>,
    destination: PhysicalRange<'_>,
    irql: &mut Irql<AtMostDispatch>,
) -> Result<()> {
    if source.length() == 0 {
        return Ok(());
    }
    let source = PhysicalMapping::map(source, irql)?;
    let destination = PhysicalMapping::map(destination, irql)?;
    source.copy_to(&destination)
}

/// Reads consecutive words from the beginning of `range` on, each once.
///
/// # Errors
///
/// [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map them; [`Error::INVALID_PARAMETER`] if `range` is not aligned to 8 bytes or
/// has fewer words.
pub fn read_words(
    range: PhysicalRange<'_>,
    words: &mut [u64],
    irql: &mut Irql<AtMostDispatch>,
) -> Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let mapping = PhysicalMapping::map(range, irql)?;
    for (index, word) in words.iter_mut().enumerate() {
        *word = mapping.read_u64(index * size_of::<u64>())?;
    }
    Ok(())
}

/// Reads physical memory by mapping it: what an engine in software reads descriptors with.
#[derive(Debug)]
pub struct DescriptorReader<'a>(pub(super) &'a mut Irql<AtMostDispatch>);

impl<'a> DescriptorReader<'a> {
    /// A reader, while the level stays.
    pub fn new(irql: &'a mut Irql<AtMostDispatch>) -> Self {
        Self(irql)
    }
}
