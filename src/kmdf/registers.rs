//! [`Registers`]: a range of device memory, mapped.

use core::fmt;

use super::ffi::mapping::Mapped;
use super::resources::MemoryResource;
use crate::irql::{AtMostDispatch, Irql};
use crate::status::{Error, Result};
use crate::sys;

/// Device registers, mapped into the system's address space without cache. Unmapped when dropped, at or below `DISPATCH_LEVEL`.
///
/// Reading and writing is possible at any level. It is the driver's business to do it only while the device has power and its
/// resources, that is between [`prepare_hardware`](super::Device::prepare_hardware) and
/// [`release_hardware`](super::Device::release_hardware); [`Revocable`](super::Revocable) keeps them for that time.
pub struct Registers(Mapped);

impl Registers {
    /// Maps the range.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map it, [`Error::INVALID_PARAMETER`] if it is empty.
    #[doc(alias = "MmMapIoSpace")]
    pub fn map(memory: MemoryResource<'_>, irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        let length = usize::try_from(memory.length()).map_err(|_| Error::INVALID_PARAMETER)?;
        Mapped::new(
            memory.start(),
            length,
            sys::_MEMORY_CACHING_TYPE::MmNonCached,
            irql,
        )
        .map(Self)
    }

    /// The length of the range in bytes.
    pub fn length(&self) -> usize {
        self.0.length()
    }

    /// Reads the register `offset` bytes after the first.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if the register is not in the range, or `offset` no multiple of 4.
    #[doc(alias = "READ_REGISTER_ULONG")]
    #[inline]
    pub fn read_u32(&self, offset: usize) -> Result<u32> {
        self.0.read_register(offset).ok_or(Error::INVALID_PARAMETER)
    }

    /// Writes the register `offset` bytes after the first.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if the register is not in the range, or `offset` no multiple of 4.
    #[doc(alias = "WRITE_REGISTER_ULONG")]
    #[inline]
    pub fn write_u32(&self, offset: usize, value: u32) -> Result<()> {
        self.0
            .write_register(offset, value)
            .ok_or(Error::INVALID_PARAMETER)
    }
}

impl fmt::Debug for Registers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Registers")
            .field("length", &self.length())
            .finish_non_exhaustive()
    }
}
