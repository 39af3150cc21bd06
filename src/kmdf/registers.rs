//! [`Registers`]: a range of device memory, mapped while the device has its resources.
//!
//! # Design
//!
//! What a device is assigned is taken from it again, and may be given to another, while interrupts come when they like. So a mapping is
//! not a value that a driver could keep too long: AddDevice makes an empty [`Registers`], the driver maps a range into it when the hardware is
//! prepared, and this library takes the mapping away when the driver has released the hardware, whether the driver did or not. An
//! access counts itself in and out, which costs two additions beside the access to the device.

use core::fmt;
use core::iter::successors;

use super::ffi::mapping::Mapped;
use super::ffi::revocable::{Access, Revocable};
use super::resources::MemoryResource;
use crate::context::Shared;
use crate::irql::{AtMostDispatch, Irql, Passive};
use crate::status::{Error, Result};
use crate::sys;

/// Device registers, mapped into the system's address space without cache. Cloning it makes another handle to the same ones.
///
/// Made by [`NewDevice::create_registers`](super::NewDevice::create_registers). There is something in it from [`map`](Self::map), in
/// [`prepare_hardware`](super::Device::prepare_hardware), until [`release_hardware`](super::Device::release_hardware) has returned; before and
/// after, every access is refused with [`Error::DEVICE_NOT_READY`].
///
/// Reading and writing is possible at any level. It is the driver's business to do it only while the device has power.
#[derive(Clone)]
pub struct Registers(Shared<Window>);

/// # Invariants
///
/// `mapped` holds a range that was assigned to the device whose [`Windows`] this is one of, or nothing.
struct Window {
    mapped: Revocable<Mapped>,
    next: Option<Registers>,
}

impl Registers {
    /// Maps the range.
    ///
    /// # Errors
    ///
    /// * [`Error::INSUFFICIENT_RESOURCES`] if the system cannot map it;
    /// * [`Error::INVALID_PARAMETER`] if it is empty, or not one of the device that this was made for;
    /// * [`Error::INVALID_DEVICE_STATE`] if a range is mapped already.
    #[doc(alias = "MmMapIoSpace")]
    pub fn map(&self, memory: MemoryResource<'_>, irql: &mut Irql<Passive>) -> Result<()> {
        if !memory.windows().contain(self) {
            return Err(Error::INVALID_PARAMETER);
        }
        let length = usize::try_from(memory.length()).map_err(|_| Error::INVALID_PARAMETER)?;
        let cache = sys::_MEMORY_CACHING_TYPE::MmNonCached;
        let mapped = Mapped::new(memory.start(), length, cache, irql)?;
        self.0
            .mapped
            .install(mapped, irql)
            .map_err(|_| Error::INVALID_DEVICE_STATE)
    }

    /// Unmaps the range, if there is one, after waiting for who accesses it. Happens by itself after
    /// [`release_hardware`](super::Device::release_hardware).
    #[doc(alias = "MmUnmapIoSpace")]
    pub fn unmap(&self, irql: &mut Irql<Passive>) {
        self.0.mapped.revoke(irql);
    }

    /// The registers, kept from being unmapped while the answer lives: for several accesses that belong together. Let it go soon, because
    /// the device is not released before.
    ///
    /// # Errors
    ///
    /// [`Error::DEVICE_NOT_READY`] if nothing is mapped.
    #[inline]
    pub fn access(&self) -> Result<RegisterAccess<'_>> {
        let mapped = self.0.mapped.access().ok_or(Error::DEVICE_NOT_READY)?;
        Ok(RegisterAccess(mapped))
    }

    /// As [`RegisterAccess::read_u32`].
    ///
    /// # Errors
    ///
    /// As there, and [`Error::DEVICE_NOT_READY`] if nothing is mapped.
    #[doc(alias = "READ_REGISTER_ULONG")]
    #[inline]
    pub fn read_u32(&self, offset: usize) -> Result<u32> {
        self.access()?.read_u32(offset)
    }

    /// As [`RegisterAccess::write_u32`].
    ///
    /// # Errors
    ///
    /// As there, and [`Error::DEVICE_NOT_READY`] if nothing is mapped.
    #[doc(alias = "WRITE_REGISTER_ULONG")]
    #[inline]
    pub fn write_u32(&self, offset: usize, value: u32) -> Result<()> {
        self.access()?.write_u32(offset, value)
    }
}

impl fmt::Debug for Registers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Registers")
            .field("mapped", &self.0.mapped)
            .finish_non_exhaustive()
    }
}

/// [`Registers`] that stay mapped while this lives.
#[derive(Debug)]
pub struct RegisterAccess<'a>(Access<'a, Mapped>);

impl RegisterAccess<'_> {
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

/// All [`Registers`] of one device.
#[derive(Debug, Default)]
pub(super) struct Windows(Option<Registers>);

impl Windows {
    /// Adds empty registers of `device`.
    pub(super) fn add(&mut self, irql: &mut Irql<AtMostDispatch>) -> Result<Registers> {
        let window = Window {
            mapped: Revocable::new(),
            next: self.0.clone(),
        };
        let window = Shared::try_new(window, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        let registers = Registers(window);
        self.0 = Some(registers.clone());
        Ok(registers)
    }

    /// Whether `registers` are one of them: by what they are, since the name of a device that is gone may be that of another.
    fn contain(&self, registers: &Registers) -> bool {
        self.iter()
            .any(|one| one.0.as_ptr() == registers.0.as_ptr())
    }

    pub(super) fn unmap(&self, irql: &mut Irql<Passive>) {
        self.iter().for_each(|registers| registers.unmap(irql));
    }

    fn iter(&self) -> impl Iterator<Item = &Registers> {
        successors(self.0.as_ref(), |registers| registers.0.next.as_ref())
    }
}
