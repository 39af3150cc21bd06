//! Registry keys: of all the registry, the values below a driver's Parameters key, which tests set.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use nmr_netdma::sys;

use super::driver::FrameworkDriver;
use super::object::{self, Payload, create_simple};
use super::{Call, PASSIVE};
use crate::kernel::Kernel;
use crate::platform::Mutex;

/// A value of the registry: its type, as `REG_DWORD` is one, and its bytes, which need not fit the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryValue {
    /// The type's number.
    pub kind: u32,
    /// The data.
    pub data: Vec<u8>,
}

impl RegistryValue {
    /// `REG_DWORD`
    pub fn dword(value: u32) -> Self {
        Self {
            kind: 4,
            data: value.to_le_bytes().into(),
        }
    }

    /// `REG_QWORD`
    pub fn qword(value: u64) -> Self {
        Self {
            kind: 11,
            data: value.to_le_bytes().into(),
        }
    }

    /// `REG_SZ`, with the terminator that most have.
    pub fn string(text: &str) -> Self {
        let units = text.encode_utf16().chain([0]);
        Self {
            kind: 1,
            data: units.flat_map(u16::to_le_bytes).collect(),
        }
    }

    /// `REG_BINARY`
    pub fn binary(bytes: &[u8]) -> Self {
        Self {
            kind: 3,
            data: bytes.to_owned(),
        }
    }
}

/// The values of all drivers: the driver's name, and the value's in lower case.
#[derive(Default)]
pub(super) struct Registry(Mutex<BTreeMap<(String, String), RegistryValue>>);

/// WDFKEY
pub(super) struct Key {
    /// The driver whose parameters it is.
    driver: String,
}

impl Kernel {
    /// Sets a value below the Parameters key of the driver with this name, loaded or not.
    pub fn set_parameter(&self, driver: &str, name: &str, value: RegistryValue) {
        let key = (driver.to_owned(), name.to_lowercase());
        self.machine().wdf.registry.0.lock().insert(key, value);
    }
}

pub(super) unsafe extern "C" fn driver_open_parameters_registry_key(
    globals: sys::PWDF_DRIVER_GLOBALS,
    driver: sys::WDFDRIVER,
    _access: sys::ACCESS_MASK,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFKEY,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfDriverOpenParametersRegistryKey", PASSIVE) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(driver) = call.object::<FrameworkDriver>(driver) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    let key = Key {
        driver: driver.driver.name.clone(),
    };
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES, and a place for the handle.
    unsafe { create_simple(&call, given, result, |_| Payload::Key(key)) }
}

pub(super) unsafe extern "C" fn registry_close(
    globals: sys::PWDF_DRIVER_GLOBALS,
    key: sys::WDFKEY,
) {
    let Some(call) = Call::enter(globals, "WdfRegistryClose", PASSIVE) else {
        return;
    };
    if let Some(key) = call.object::<Key>(key) {
        object::delete(call.machine, key.object());
    }
}

pub(super) unsafe extern "C" fn registry_query_value(
    globals: sys::PWDF_DRIVER_GLOBALS,
    key: sys::WDFKEY,
    name: sys::PCUNICODE_STRING,
    length: sys::ULONG,
    place: sys::PVOID,
    queried: sys::PULONG,
    kind: sys::PULONG,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfRegistryQueryValue", PASSIVE) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(key) = call.object::<Key>(key) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    if !call.given("ValueName", name) || length > 0 && !call.given("Value", place) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes a string, as the page of WdfRegistryQueryValue demands.
    let name = unsafe { text(name) }.to_lowercase();
    let value = {
        let values = call.machine.wdf.registry.0.lock();
        values.get(&(key.driver.clone(), name)).cloned()
    };
    let Some(value) = value else {
        return sys::STATUS_OBJECT_NAME_NOT_FOUND;
    };
    let all = value.data.len() as u32;
    // SAFETY: the driver passes null or a place for the length.
    unsafe { call.store(queried, all) };
    // SAFETY: the driver passes null or a place for the type.
    unsafe { call.store(kind, value.kind) };
    if length < all {
        return sys::STATUS_BUFFER_OVERFLOW;
    }
    if all > 0 {
        // SAFETY: the place is not null, since a length was given with it, and holds that many bytes; the value is a copy.
        unsafe { core::ptr::copy_nonoverlapping(value.data.as_ptr(), place.cast(), all as usize) };
    }
    sys::STATUS_SUCCESS
}

/// # Safety
///
/// The string is readable, and so are its characters.
unsafe fn text(string: sys::PCUNICODE_STRING) -> Arc<str> {
    // SAFETY: the caller passes a readable string.
    let string = unsafe { string.read_unaligned() };
    let mut units = Vec::new();
    for index in 0..usize::from(string.Length / 2) {
        // SAFETY: the string has that many characters.
        let unit = unsafe { string.Buffer.add(index) };
        // SAFETY: as above.
        units.push(unsafe { unit.read_unaligned() });
    }
    String::from_utf16_lossy(&units).into()
}
