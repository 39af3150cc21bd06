//! The driver object: entry, AddDevice, unload.
//!
//! # Safety
//!
//! See the parent module.
#![expect(unsafe_code, reason = "calls the framework and is called by it")]

use super::Brand;
use super::device::Init;
use super::parameters::DriverHandle;
use super::slot::{ContextType, Slot};
use crate::irql::{Irql, Passive};
use crate::kmdf::device::DeviceInit;
use crate::kmdf::driver::{Driver, DriverInit};
use crate::lifetime::Image;
use crate::status::{Error, Result, Status};
use crate::sys;

static DRIVER: ContextType = ContextType::new(c"NmrNetdmaDriver", &raw const DRIVER);

struct DriverContext<T> {
    driver: T,
    image: Image,
}

/// What the entry function of [`driver_entry!`](crate::kmdf::driver_entry) does.
///
/// # Safety
///
/// The system, or what binds the framework for it, calls this once to load the driver, with its arguments.
pub unsafe fn enter<T: Driver>(
    driver: *mut sys::DRIVER_OBJECT,
    registry_path: *const sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    // SAFETY: a driver's entry is called at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::assume() };
    // SAFETY: passes on what the caller promises.
    let result = unsafe { create_driver::<T>(driver, registry_path, &mut irql) };
    Status::from_result(result).0
}

/// # Safety
///
/// As for [`enter`].
unsafe fn create_driver<T: Driver>(
    driver: *mut sys::DRIVER_OBJECT,
    registry_path: *const sys::UNICODE_STRING,
    irql: &mut Irql<Passive>,
) -> Result<()> {
    let image = Image::new(irql)?;
    let mut attributes = Slot::<DriverContext<T>>::attributes(&DRIVER, None, None);
    let mut config = sys::WDF_DRIVER_CONFIG {
        Size: size_of::<sys::WDF_DRIVER_CONFIG>() as u32,
        EvtDriverDeviceAdd: Some(device_add::<T>),
        EvtDriverUnload: Some(unload::<T>),
        ..Default::default()
    };
    let mut handle = core::ptr::null_mut();
    // SAFETY:
    // * driver object and path are the system's, by the contract of this function;
    // * attributes, configuration and handle live during the call, the first two with the sizes of KMDF 1.7;
    // * the level is PASSIVE_LEVEL, as the proof says.
    let status = unsafe {
        sys::WdfDriverCreate(
            driver,
            registry_path,
            &raw mut attributes,
            &raw mut config,
            &raw mut handle,
        )
    };
    Status(status).into_result()?;
    // SAFETY: the driver object was just created with these attributes and lives beyond this function.
    let slot = unsafe { Slot::<DriverContext<T>>::of(handle.cast(), &DRIVER) }
        .ok_or(Error::UNSUCCESSFUL)?;
    // SAFETY: the driver object was just created, and lives beyond this function.
    let driver = unsafe { DriverHandle::new(handle) };
    match T::init(&DriverInit::new(&image, driver), irql) {
        Ok(driver) => {
            // SAFETY: the slot of a new object is empty, and the framework calls the driver only after this entry.
            unsafe { slot.install(DriverContext { driver, image }) };
            Ok(())
        }
        Err(error) => {
            image.wait_empty(irql);
            Err(error)
        }
    }
}

/// EvtDriverDeviceAdd.
unsafe extern "C" fn device_add<T: Driver>(
    object: sys::WDFDRIVER,
    init: sys::PWDFDEVICE_INIT,
) -> sys::NTSTATUS {
    // SAFETY: the framework passes the object that `create_driver` made for this `T`, and keeps it during the callback.
    let context =
        unsafe { Slot::<DriverContext<T>>::of(object.cast(), &DRIVER) }.and_then(Slot::get);
    let Some(DriverContext { driver, image }) = context else {
        return Error::INVALID_DEVICE_STATE.status().0;
    };
    // SAFETY: EvtDriverDeviceAdd is called at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::assume() };
    // SAFETY: the framework keeps the driver object during the callback.
    let handle = unsafe { DriverHandle::new(object) };
    let init = DeviceInit::new(
        Init {
            init,
            brand: Brand::new(),
        },
        image,
        handle,
    );
    Status::from_result(driver.device_add(init, &mut irql).map(drop)).0
}

/// EvtDriverUnload.
unsafe extern "C" fn unload<T: Driver>(driver: sys::WDFDRIVER) {
    // SAFETY: as in `device_add`.
    let slot = unsafe { Slot::<DriverContext<T>>::of(driver.cast(), &DRIVER) };
    // SAFETY: the framework calls this once, when no device is left and no other callback of the driver runs or will.
    let Some(DriverContext { driver, image }) = slot.and_then(|slot| unsafe { slot.take() }) else {
        return;
    };
    // SAFETY: EvtDriverUnload is called at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::assume() };
    driver.unload(&mut irql);
    image.wait_empty(&mut irql);
}
