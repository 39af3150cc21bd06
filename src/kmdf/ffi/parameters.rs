//! The driver's Parameters key.
//!
//! # Safety
//!
//! An open key is known to its [`Key`] only, which borrows the proof of PASSIVE_LEVEL as long as it is open.
#![expect(unsafe_code, reason = "calls the framework")]

use core::fmt;
use core::marker::PhantomData;

use crate::irql::{Irql, Passive};
use crate::status::{Result, Status};
use crate::sys;

/// The driver object, in a callback that gets it.
#[derive(Clone, Copy)]
pub(in crate::kmdf) struct DriverHandle<'a> {
    driver: sys::WDFDRIVER,
    callback: PhantomData<(&'a (), *mut ())>,
}

impl fmt::Debug for DriverHandle<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DriverHandle").finish()
    }
}

impl DriverHandle<'_> {
    /// # Safety
    ///
    /// The handle is good while the type's lifetime lasts.
    pub(super) unsafe fn new(driver: sys::WDFDRIVER) -> Self {
        Self {
            driver,
            callback: PhantomData,
        }
    }

    pub(in crate::kmdf) fn open_parameters<'i>(
        &self,
        irql: &'i mut Irql<Passive>,
    ) -> Result<Key<'i>> {
        let mut key = core::ptr::null_mut();
        // SAFETY: the driver is good, by the contract of `new`; the place lives during the call, and the level is PASSIVE_LEVEL, as
        // the proof says.
        let status = unsafe {
            sys::WdfDriverOpenParametersRegistryKey(
                self.driver,
                sys::KEY_READ,
                sys::WDF_NO_OBJECT_ATTRIBUTES,
                &raw mut key,
            )
        };
        Status(status).into_result()?;
        // INVARIANT: opened just above.
        Ok(Key { key, _irql: irql })
    }
}

/// An open key of the registry.
///
/// # Invariants
///
/// The key is open and nobody else closes it.
pub(in crate::kmdf) struct Key<'i> {
    key: sys::WDFKEY,
    _irql: &'i mut Irql<Passive>,
}

/// What was read: the value's type, and how many bytes of the buffer it takes.
pub(in crate::kmdf) struct Value {
    pub(in crate::kmdf) kind: u32,
    pub(in crate::kmdf) length: usize,
}

impl Key<'_> {
    /// Reads a value into `buffer`.
    pub(in crate::kmdf) fn query(&self, name: &[u16], buffer: &mut [u8]) -> Result<Value> {
        // SAFETY: the buffer is borrowed during the call.
        unsafe { self.query_raw(name, buffer.as_mut_ptr(), buffer.len()) }
    }

    /// Reads a value into a buffer of characters.
    pub(in crate::kmdf) fn query_units(&self, name: &[u16], buffer: &mut [u16]) -> Result<Value> {
        // SAFETY: the buffer is borrowed during the call; any two bytes are a `u16`.
        unsafe { self.query_raw(name, buffer.as_mut_ptr().cast(), size_of_val(buffer)) }
    }

    /// # Safety
    ///
    /// The place is writable for `length` bytes.
    unsafe fn query_raw(&self, name: &[u16], place: *mut u8, length: usize) -> Result<Value> {
        // A longer one is not used up.
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let bytes = u16::try_from(size_of_val(name)).unwrap_or(u16::MAX - 1);
        let name = sys::UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            // The framework only reads it.
            Buffer: name.as_ptr().cast_mut(),
        };
        let (mut queried, mut kind) = (0, 0);
        // SAFETY:
        // * the key is open, by the type invariant, and its proof says that the level is PASSIVE_LEVEL;
        // * the name and all places live during the call; the buffer has the length that is given, by the contract of this
        //   function.
        let status = unsafe {
            sys::WdfRegistryQueryValue(
                self.key,
                &raw const name,
                length,
                place.cast(),
                &raw mut queried,
                &raw mut kind,
            )
        };
        Status(status).into_result()?;
        // CAST: 32 bits.
        let length = queried.min(length) as usize;
        Ok(Value { kind, length })
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        // SAFETY: by the type invariant the key is open and is closed here only; its proof says that the level is PASSIVE_LEVEL.
        unsafe { sys::WdfRegistryClose(self.key) }
    }
}
