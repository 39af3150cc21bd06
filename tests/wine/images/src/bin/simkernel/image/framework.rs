//! The simulated framework as Wine's Plug and Play manager sees it: an AddDevice routine, a device object in the stack, and an
//! answer to each request. What a request means for the driver is the simulated kernel's business.
//!
//! # Design
//!
//! * **Wine decides what happens when.** It calls AddDevice, sends START, SURPRISE_REMOVAL and REMOVE, and unloads; each of them leads to
//!   the same function of the simulated Plug and Play manager that tests call on the host.
//! * **Two physical device objects.** Wine's carries its requests; the driver is shown the simulated one, since the simulated
//!   kernel knows the device by it.
//! * **No request is pended**, since Wine does not wait for most of them.
//!
//! # Safety
//!
//! The unsafe code of this file is called by Wine with its driver objects, device objects and requests, and by drivers' entry
//! stubs, with what the loader of the framework is called with.
#![expect(unsafe_code, reason = "is called by Wine and by drivers")]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::fmt;
use core::ptr;

use nmr_netdma::sys::{
    self, DEVICE_OBJECT, DRIVER_OBJECT, NTSTATUS, PUNICODE_STRING, PWDF_BIND_INFO,
    PWDF_COMPONENT_GLOBALS,
};
use simkernel::platform::Mutex;
use simkernel::pnp::{DeviceId, DriverId};

use super::machine::{self, Variant, kernel};
use super::wine::{self, Irp};
use super::{shim, traffic};

/// A driver that has bound the framework.
struct Driver {
    name: String,
    object: usize,
    id: DriverId,
}

/// A device of Wine's that a driver has added.
#[derive(Clone)]
struct Device {
    name: String,
    own: usize,
    lower: usize,
    id: DeviceId,
}

static DRIVERS: Mutex<Vec<Driver>> = Mutex::new(Vec::new());
static DEVICES: Mutex<Vec<Device>> = Mutex::new(Vec::new());

/// Takes note of the driver, then binds it.
///
/// # Safety
///
/// As for `WdfVersionBind`.
#[unsafe(no_mangle)]
unsafe extern "system" fn HarnessWdfVersionBind(
    object: *mut DRIVER_OBJECT,
    path: PUNICODE_STRING,
    info: PWDF_BIND_INFO,
    globals: *mut PWDF_COMPONENT_GLOBALS,
) -> NTSTATUS {
    // SAFETY: the stub passes the registry path.
    let name = shim::last_part(&unsafe { shim::text(path) });
    // SAFETY: the driver object is Wine's and stays until the driver is unloaded, which it unbinds before.
    let id = unsafe { kernel().adopt_driver(&name, object) };
    // SAFETY: passes on what the stub passes.
    let status = unsafe { sys::WdfVersionBind(object, path, info, globals) };
    if !sys::NT_SUCCESS(status) {
        forget(id);
        return status;
    }
    // SAFETY: the driver object is Wine's, and has an extension.
    let extension = unsafe { (*object).DriverExtension };
    // SAFETY: the driver's entry runs, so nobody else uses the extension.
    unsafe { (*extension).AddDevice = Some(add_device) };
    // SAFETY: as above, for the driver object.
    let functions = unsafe { &mut (*object).MajorFunction };
    functions[wine::PNP] = Some(dispatch_pnp);
    functions[wine::POWER] = Some(dispatch_power);
    DRIVERS.lock().push(Driver {
        name,
        object: object.addr(),
        id,
    });
    status
}

/// Unbinds the driver, then forgets it.
///
/// # Safety
///
/// As for `WdfVersionUnbind`.
#[unsafe(no_mangle)]
unsafe extern "system" fn HarnessWdfVersionUnbind(
    path: PUNICODE_STRING,
    info: PWDF_BIND_INFO,
    globals: PWDF_COMPONENT_GLOBALS,
) -> NTSTATUS {
    // SAFETY: the stub passes the registry path.
    let name = shim::last_part(&unsafe { shim::text(path) });
    // SAFETY: passes on what the stub passes.
    let status = unsafe { sys::WdfVersionUnbind(path, info, globals) };
    let known = DRIVERS
        .lock()
        .extract_if(.., |driver| driver.name == name)
        .last();
    match known {
        Some(driver) => forget(driver.id),
        None => machine::failed(format_args!("{name} is unbound and was not bound")),
    }
    status
}

fn forget(id: DriverId) {
    if let Err(status) = kernel().forget_driver(id) {
        machine::failed(format_args!("a driver is not known: {status:#010x}"));
    }
}

/// The driver that is bound under the name of its service.
pub(super) fn bound(name: &str) -> Option<DriverId> {
    let drivers = DRIVERS.lock();
    Some(drivers.iter().find(|driver| driver.name == name)?.id)
}

/// The device of Wine's that a driver has added.
pub(super) fn added(name: &str) -> Option<DeviceId> {
    let devices = DEVICES.lock();
    Some(devices.iter().find(|device| device.name == name)?.id)
}

/// Says what is still there though it should not.
pub(super) fn check_gone() {
    for driver in DRIVERS.lock().drain(..) {
        machine::failed(format_args!("{} is still bound", driver.name));
    }
    for device in DEVICES.lock().drain(..) {
        machine::failed(format_args!("{} is still there", device.name));
    }
}

/// What Wine does, in the machine's trace.
pub(super) fn wine_says(line: fmt::Arguments<'_>) {
    kernel().note("wine", line);
}

pub(super) fn text(status: NTSTATUS) -> String {
    format!("0x{:08X}", status.cast_unsigned())
}

/// Wine's Plug and Play manager has found a device for the driver.
unsafe extern "C" fn add_device(object: *mut DRIVER_OBJECT, pdo: *mut DEVICE_OBJECT) -> NTSTATUS {
    let found = {
        let drivers = DRIVERS.lock();
        let driver = drivers.iter().find(|driver| driver.object == object.addr());
        driver.map(|driver| (driver.name.clone(), driver.id))
    };
    let Some((name, id)) = found else {
        machine::failed(format_args!("AddDevice for a driver that is not bound"));
        return sys::STATUS_NO_SUCH_DEVICE;
    };
    wine_says(format_args!("AddDevice of {name}"));
    if machine::variant() == Variant::AddDevice {
        kernel().fail_allocation(Some(1));
    }
    let status = match kernel().find_device(id, traffic::device(&name)) {
        // SAFETY: both objects are Wine's.
        Ok(device) => unsafe { attach(name.clone(), device, object, pdo) },
        Err(status) => status,
    };
    if !sys::NT_SUCCESS(status) {
        machine::failed(format_args!("AddDevice of {name}: {}", text(status)));
    }
    status
}

/// # Safety
///
/// Both objects are Wine's, in AddDevice.
unsafe fn attach(
    name: String,
    id: DeviceId,
    object: *mut DRIVER_OBJECT,
    pdo: *mut DEVICE_OBJECT,
) -> NTSTATUS {
    let mut own: *mut DEVICE_OBJECT = ptr::null_mut();
    // SAFETY: the driver object is Wine's, and there is no name.
    let status = unsafe {
        wine::IoCreateDevice(
            object,
            0,
            ptr::null(),
            sys::FILE_DEVICE_UNKNOWN,
            0,
            0,
            &raw mut own,
        )
    };
    if !sys::NT_SUCCESS(status) {
        return status;
    }
    // SAFETY: both devices exist.
    let lower = unsafe { wine::IoAttachDeviceToDeviceStack(own, pdo) };
    // SAFETY: the device was just made and is ours.
    unsafe { (*own).Flags &= !sys::DO_DEVICE_INITIALIZING };
    DEVICES.lock().push(Device {
        name,
        own: own.addr(),
        lower: lower.expose_provenance(),
        id,
    });
    status
}

fn device(own: *mut DEVICE_OBJECT) -> Option<Device> {
    let devices = DEVICES.lock();
    devices
        .iter()
        .find(|device| device.own == own.addr())
        .cloned()
}

/// # Safety
///
/// `irp` is ours now, and `lower` is the device below ours.
unsafe fn pass_down(lower: usize, irp: Irp) -> NTSTATUS {
    // SAFETY: the request is ours now.
    unsafe { wine::skip(irp) };
    // SAFETY: the lower device exists as long as ours is attached to it.
    unsafe { wine::IofCallDriver(ptr::with_exposed_provenance_mut(lower), irp) }
}

unsafe extern "C" fn dispatch_pnp(own: *mut DEVICE_OBJECT, irp: *mut sys::IRP) -> NTSTATUS {
    let irp: Irp = irp.cast();
    let Some(Device {
        name, lower, id, ..
    }) = device(own)
    else {
        machine::failed(format_args!("a request for a device that is not known"));
        // SAFETY: the request is ours.
        return unsafe { complete(irp, sys::STATUS_NO_SUCH_DEVICE) };
    };
    // SAFETY: the request is ours.
    match unsafe { wine::minor_function(irp) } {
        wine::START_DEVICE => {
            // SAFETY: the request is ours and is this one.
            let lists = unsafe { wine::start_resources(irp) };
            let what = if lists == [0, 0] { "none" } else { "some" };
            wine_says(format_args!("START of {name}, with resources: {what}"));
            // SAFETY: the request is ours, and the device below has a location of its own.
            unsafe { wine::copy_to_next(irp, keep) };
            // SAFETY: the lower device exists as long as ours is attached to it.
            unsafe { wine::IofCallDriver(ptr::with_exposed_provenance_mut(lower), irp) };
            // SAFETY: `keep` has kept the request.
            let below = unsafe { wine::status(irp) };
            let status = if sys::NT_SUCCESS(below) {
                kernel().start_device(id).err().unwrap_or(below)
            } else {
                below
            };
            if !sys::NT_SUCCESS(status) {
                machine::failed(format_args!("START of {name}: {}", text(status)));
            }
            // SAFETY: as above.
            unsafe { complete(irp, status) }
        }
        wine::SURPRISE_REMOVAL => {
            wine_says(format_args!("SURPRISE_REMOVAL of {name}"));
            traffic::check_registers();
            report(&name, "SURPRISE_REMOVAL", kernel().pull_out(id));
            // SAFETY: the request is ours.
            unsafe { wine::set_status(irp, sys::STATUS_SUCCESS) };
            // SAFETY: as above.
            unsafe { pass_down(lower, irp) }
        }
        wine::REMOVE_DEVICE => {
            wine_says(format_args!("REMOVE of {name}"));
            report(&name, "REMOVE", kernel().discard_device(id));
            traffic::device_gone();
            // SAFETY: the request is ours.
            unsafe { wine::set_status(irp, sys::STATUS_SUCCESS) };
            // SAFETY: as above.
            let status = unsafe { pass_down(lower, irp) };
            // SAFETY: our device is attached to this one.
            unsafe { wine::IoDetachDevice(ptr::with_exposed_provenance_mut(lower)) };
            DEVICES.lock().retain(|device| device.own != own.addr());
            // SAFETY: the device is ours, and out of the stack.
            unsafe { wine::IoDeleteDevice(own) };
            status
        }
        // SAFETY: the request is ours.
        _ => unsafe { pass_down(lower, irp) },
    }
}

fn report(name: &str, what: &str, result: Result<(), NTSTATUS>) {
    if let Err(status) = result {
        machine::failed(format_args!("{what} of {name}: {}", text(status)));
    }
}

/// Keeps a request that the lower drivers are done with.
unsafe extern "system" fn keep(
    _device: *mut DEVICE_OBJECT,
    _irp: Irp,
    _context: *mut c_void,
) -> NTSTATUS {
    sys::STATUS_MORE_PROCESSING_REQUIRED
}

unsafe extern "C" fn dispatch_power(own: *mut DEVICE_OBJECT, irp: *mut sys::IRP) -> NTSTATUS {
    machine::failed(format_args!("Wine has sent a power request"));
    let lower = device(own).map_or(0, |device| device.lower);
    // SAFETY: the request is ours.
    unsafe { pass_down(lower, irp.cast()) }
}

/// # Safety
///
/// `irp` is ours now; it no longer is afterwards.
unsafe fn complete(irp: Irp, status: NTSTATUS) -> NTSTATUS {
    // SAFETY: by the contract of this function.
    unsafe { wine::set_status(irp, status) };
    // SAFETY: as above.
    unsafe { wine::IofCompleteRequest(irp, 0) };
    status
}
