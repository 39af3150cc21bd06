//! [`Parameters`]: what the registry says to the driver.
//!
//! # Design
//!
//! The values are written by whoever administers the machine, and by programs, so a value of the wrong type, of any length
//! and of any size is to be expected. A number is read with the range that makes sense, a text or bytes with the room that there is.

use core::fmt;
use core::ops::RangeInclusive;

use super::ffi::parameters::{Key, Value};
use crate::status::{Error, Result};

const REG_SZ: u32 = 1;
const REG_EXPAND_SZ: u32 = 2;
const REG_BINARY: u32 = 3;
const REG_DWORD: u32 = 4;
const REG_QWORD: u32 = 11;

/// The most characters of a value's name, in UTF-16.
const NAME: usize = 64;

/// The values below `HKLM\System\CurrentControlSet\Services\<driver>\Parameters`.
///
/// While it lives, the level stays PASSIVE_LEVEL.
///
/// A value that is not there is `None`. Names are not case sensitive, and have up to 64 characters.
#[doc(alias = "WdfDriverOpenParametersRegistryKey")]
pub struct Parameters<'i>(Key<'i>);

impl<'i> Parameters<'i> {
    pub(super) fn new(key: Key<'i>) -> Self {
        Self(key)
    }

    /// A `REG_DWORD`.
    ///
    /// # Errors
    ///
    /// [`Error::OBJECT_TYPE_MISMATCH`] if it is something else; [`Error::INVALID_PARAMETER`] if it is not in `range`.
    #[doc(alias = "WdfRegistryQueryULong")]
    pub fn u32(&self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>> {
        in_range(self.number(name, REG_DWORD)?.map(u32::from_le_bytes), range)
    }

    /// A `REG_QWORD`.
    ///
    /// # Errors
    ///
    /// As [`u32`](Self::u32).
    pub fn u64(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>> {
        in_range(self.number(name, REG_QWORD)?.map(u64::from_le_bytes), range)
    }

    /// The characters of a `REG_SZ`, or of a `REG_EXPAND_SZ` as it stands, up to the first that is zero.
    ///
    /// # Errors
    ///
    /// [`Error::BUFFER_TOO_SMALL`] if it is longer than `buffer`, with its terminator if it has one;
    /// [`Error::OBJECT_TYPE_MISMATCH`] if it is something else, or ends within a character.
    #[doc(alias = "WdfRegistryQueryString")]
    pub fn string<'b>(&self, name: &str, buffer: &'b mut [u16]) -> Result<Option<&'b [u16]>> {
        let value = present(named(name, |name| self.0.query_units(name, buffer)))?;
        let Some(Value { kind, length }) = value else {
            return Ok(None);
        };
        if !matches!(kind, REG_SZ | REG_EXPAND_SZ) || !length.is_multiple_of(2) {
            return Err(Error::OBJECT_TYPE_MISMATCH);
        }
        let units = buffer.get(..length / 2).unwrap_or_default();
        Ok(units.split(|unit| *unit == 0).next())
    }

    /// The bytes of a `REG_BINARY`.
    ///
    /// # Errors
    ///
    /// [`Error::BUFFER_TOO_SMALL`] if it is longer than `buffer`; [`Error::OBJECT_TYPE_MISMATCH`] if it is something else.
    #[doc(alias = "WdfRegistryQueryValue")]
    pub fn bytes<'b>(&self, name: &str, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>> {
        match present(named(name, |name| self.0.query(name, buffer)))? {
            None => Ok(None),
            Some(Value {
                kind: REG_BINARY,
                length,
            }) => Ok(buffer.get(..length)),
            Some(_) => Err(Error::OBJECT_TYPE_MISMATCH),
        }
    }

    fn number<const N: usize>(&self, name: &str, kind: u32) -> Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        match present(named(name, |name| self.0.query(name, &mut bytes))) {
            Ok(None) => Ok(None),
            Ok(Some(value)) if value.kind == kind && value.length == N => Ok(Some(bytes)),
            // What is longer than a number is none.
            Ok(Some(_)) | Err(Error::BUFFER_TOO_SMALL) => Err(Error::OBJECT_TYPE_MISMATCH),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parameters").finish_non_exhaustive()
    }
}

fn in_range<T: PartialOrd>(value: Option<T>, range: RangeInclusive<T>) -> Result<Option<T>> {
    match value {
        Some(value) if !range.contains(&value) => Err(Error::INVALID_PARAMETER),
        value => Ok(value),
    }
}

/// Calls `read` with a name as the system has it.
fn named<R>(name: &str, read: impl FnOnce(&[u16]) -> Result<R>) -> Result<R> {
    let mut units = [0; NAME];
    let mut length = 0;
    for unit in name.encode_utf16() {
        *units.get_mut(length).ok_or(Error::INVALID_PARAMETER)? = unit;
        length += 1;
    }
    read(units.get(..length).unwrap_or_default())
}

/// Tells a value that is not there from one that cannot be read.
fn present(value: Result<Value>) -> Result<Option<Value>> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Error::OBJECT_NAME_NOT_FOUND) => Ok(None),
        Err(Error::BUFFER_OVERFLOW) => Err(Error::BUFFER_TOO_SMALL),
        Err(error) => Err(error),
    }
}
