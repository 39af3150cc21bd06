//! What the Plug and Play manager knows of a device: the properties that a bus driver reports and an INF sets.
//!
//! # Design
//!
//! Every device here sits on one PCI bus and was installed by an INF that gave it a description and a class. What depends on more than
//! that is not there, as it may not be in Windows.
//!
//! # Safety
//!
//! The unsafe code of this file writes to the buffer and the length that a driver passes, after a check for null.
#![expect(unsafe_code, reason = "defines a function with a C name")]

use alloc::format;
use alloc::vec::Vec;

use nmr_netdma::sys::{self, DEVICE_REGISTRY_PROPERTY as property, NTSTATUS};

use super::node::{Node, Phase};
use super::{nodes, violation};
use crate::{ke, kernel};

/// `PCIBus` of `INTERFACE_TYPE`
const PCI_BUS: u32 = 5;
/// `InstallStateInstalled`
const INSTALLED: u32 = 0;

/// The value of a property, as bytes; `None` if the device has none.
fn value(node: &Node, which: property::Type) -> Option<Vec<u8>> {
    let text = |text: &str| {
        let units = text.encode_utf16().chain([0]);
        Some(units.flat_map(u16::to_le_bytes).collect())
    };
    let number = |number: u32| Some(number.to_le_bytes().into());
    match which {
        property::DevicePropertyDeviceDescription => text(&node.name),
        property::DevicePropertyClassName => text("System"),
        property::DevicePropertyEnumeratorName => text("PCI"),
        property::DevicePropertyPhysicalDeviceObjectName => {
            text(&format!("\\Device\\NTPNP_PCI{:04}", node.id))
        }
        property::DevicePropertyLegacyBusType => number(PCI_BUS),
        property::DevicePropertyBusNumber => number(0),
        // The device in the upper half, its function in the lower.
        property::DevicePropertyAddress => number((node.id as u32) << 16),
        property::DevicePropertyInstallState => number(INSTALLED),
        _ => None,
    }
}

/// Copies a property of a device into a buffer.
///
/// # Safety
///
/// The buffer is writable for its length, or null if that is zero; `result` is writable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn IoGetDeviceProperty(
    device: sys::PDEVICE_OBJECT,
    which: property::Type,
    length: sys::ULONG,
    buffer: sys::PVOID,
    result: sys::PULONG,
) -> NTSTATUS {
    const FUNCTION: &str = "IoGetDeviceProperty";

    ke::require(FUNCTION, ke::PASSIVE..=ke::PASSIVE);
    let machine = kernel::machine();
    if result.is_null() || buffer.is_null() && length > 0 {
        machine.violated(
            &ke::violation::NULL,
            format_args!("{FUNCTION} got the buffer {buffer:p} and the length {result:p}"),
        );
        return sys::STATUS_INVALID_PARAMETER;
    }
    let found = nodes(machine)
        .into_iter()
        .find(|node| node.pdo() == device && node.phase() != Phase::Removed);
    let Some(node) = found else {
        machine.violated(
            &violation::DEVICE,
            format_args!("{FUNCTION} got {device:p}"),
        );
        return sys::STATUS_INVALID_DEVICE_REQUEST;
    };
    if !(property::DevicePropertyDeviceDescription..=property::DevicePropertyContainerID)
        .contains(&which)
    {
        return sys::STATUS_INVALID_PARAMETER_2;
    }
    let Some(value) = value(&node, which) else {
        return sys::STATUS_OBJECT_NAME_NOT_FOUND;
    };
    // SAFETY: not null, and the caller's to write.
    unsafe { result.write(value.len() as u32) };
    if (length as usize) < value.len() {
        return sys::STATUS_BUFFER_TOO_SMALL;
    }
    // SAFETY: the buffer is not null, since no value is empty, and has room for as much; the value is a copy.
    unsafe { core::ptr::copy_nonoverlapping(value.as_ptr(), buffer.cast(), value.len()) };
    sys::STATUS_SUCCESS
}
