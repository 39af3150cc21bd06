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
use core::marker::PhantomData;

use super::ffi::mapping::{Mapped, RegisterValue};
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

    /// As [`RegisterAccess::read`].
    ///
    /// # Errors
    ///
    /// As there, and [`Error::DEVICE_NOT_READY`] if nothing is mapped.
    #[inline]
    pub fn read<T: RegisterValue>(&self, register: Register<T>) -> Result<T> {
        self.access()?.read(register)
    }

    /// As [`RegisterAccess::write`].
    ///
    /// # Errors
    ///
    /// As there, and [`Error::DEVICE_NOT_READY`] if nothing is mapped.
    #[inline]
    pub fn write<T: RegisterValue>(&self, register: Register<T>, value: T) -> Result<()> {
        self.access()?.write(register, value)
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

    /// Reads a register, in one access of its width.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if it is not in the range, or not aligned to its width.
    #[doc(alias = "READ_REGISTER_UCHAR")]
    #[doc(alias = "READ_REGISTER_USHORT")]
    #[doc(alias = "READ_REGISTER_ULONG")]
    #[doc(alias = "READ_REGISTER_ULONG64")]
    #[inline]
    pub fn read<T: RegisterValue>(&self, register: Register<T>) -> Result<T> {
        let value = self.0.read_register(register.offset);
        value.ok_or(Error::INVALID_PARAMETER)
    }

    /// Writes a register, in one access of its width.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    #[doc(alias = "WRITE_REGISTER_UCHAR")]
    #[doc(alias = "WRITE_REGISTER_USHORT")]
    #[doc(alias = "WRITE_REGISTER_ULONG")]
    #[doc(alias = "WRITE_REGISTER_ULONG64")]
    #[inline]
    pub fn write<T: RegisterValue>(&self, register: Register<T>, value: T) -> Result<()> {
        let written = self.0.write_register(register.offset, value);
        written.ok_or(Error::INVALID_PARAMETER)
    }
}

/// A register: where it is, and what it holds, which is [`u8`], [`u16`], [`u32`] or [`u64`].
///
/// ```
/// use nmr_netdma::Result;
/// use nmr_netdma::kmdf::{Register, Registers};
/// # use simkernel as _;
///
/// const CHANNELS: Register<u8> = Register::at(0x00);
/// const FIRST_DESCRIPTOR: Register<u64> = Register::at(0x90);
/// const CHANNEL_LENGTH: usize = 0x80;
///
/// fn begin(registers: &Registers, channel: u8, address: u64) -> Result<()> {
///     assert!(channel < registers.read(CHANNELS)?);
///     let descriptor = FIRST_DESCRIPTOR.further(usize::from(channel) * CHANNEL_LENGTH);
///     registers.write(descriptor, address)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register<T> {
    offset: usize,
    value: PhantomData<fn() -> T>,
}

impl<T> Register<T> {
    /// The register that begins so many bytes after the range does.
    pub const fn at(offset: usize) -> Self {
        Self {
            offset,
            value: PhantomData,
        }
    }

    /// The one that is so many bytes further, where there are several of a kind.
    pub const fn further(self, bytes: usize) -> Self {
        Self::at(self.offset.saturating_add(bytes))
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
