//! WDFDRIVER.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::sync::Arc;
use core::ptr;

use nmr_netdma::sys;

use super::object::{self, Parent, Payload, Ref, attributes, create};
use super::{ANY, Call, DISPATCH, PASSIVE, callback, violation};
use crate::kernel::{self, Machine};
use crate::pnp;
use crate::pnp::driver::Driver;

/// Not one of the library's.
const STATUS_DRIVER_INTERNAL_ERROR: sys::NTSTATUS = 0xC000_0183_u32.cast_signed();

/// WDFDRIVER
pub(super) struct FrameworkDriver {
    pub(super) driver: Arc<Driver>,
    pub(super) config: sys::WDF_DRIVER_CONFIG,
}

/// The framework object of a driver that has one.
pub(super) fn of(machine: &Machine, driver: &Driver) -> Option<Ref<FrameworkDriver>> {
    Ref::new(machine.wdf.objects.find(driver.handle())?)
}

/// Deletes the driver's object and all below it, if the driver has made one.
pub(crate) fn delete(machine: &Arc<Machine>, driver: &Driver) {
    if let Some(object) = of(machine, driver) {
        object::delete(machine, object.object());
        driver.set_handle(0);
        machine.trace("wdf", format_args!("{}: WDFDRIVER deleted", driver.name));
    }
}

/// Names what is left of a driver that is going.
pub(crate) fn check_gone(machine: &Arc<Machine>, driver: &Driver) {
    for object in machine
        .wdf
        .objects
        .all()
        .iter()
        .filter(|object| object.driver.id == driver.id)
    {
        machine.violated(
            &violation::OUTLIVES,
            format_args!(
                "{} is unloaded and leaves {}",
                driver.name,
                object.describe()
            ),
        );
    }
}

/// What the framework puts into DRIVER_OBJECT.DriverUnload.
unsafe extern "C" fn unload(object: sys::PDRIVER_OBJECT) {
    let machine = kernel::machine();
    let Some(driver) = pnp::driver_of(machine, object.addr()) else {
        return;
    };
    let Some(framework) = of(machine, &driver) else {
        return;
    };
    if let Some(routine) = framework.config.EvtDriverUnload {
        machine.trace("wdf", format_args!("{}: EvtDriverUnload", driver.name));
        callback(
            "EvtDriverUnload",
            &driver.name,
            framework.object().handle,
            0,
            || {
                // SAFETY: the driver gave this routine for its unload, and its object still exists.
                unsafe { routine(framework.handle()) }
            },
        );
    }
    delete(machine, &driver);
}

pub(super) unsafe extern "C" fn driver_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    object: sys::PDRIVER_OBJECT,
    path: sys::PCUNICODE_STRING,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    config: sys::PWDF_DRIVER_CONFIG,
    result: *mut sys::WDFDRIVER,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfDriverCreate", PASSIVE) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if !call.given("DriverObject", object) || !call.given("RegistryPath", path) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    let Some(driver) = pnp::driver_of(call.machine, object.addr()) else {
        call.violated(
            &violation::HANDLE,
            format_args!("{object:p} is no driver object"),
        );
        return sys::STATUS_INVALID_PARAMETER;
    };
    // SAFETY: the driver passes WDF_DRIVER_CONFIG, as the page of WdfDriverCreate demands.
    let config = match unsafe { call.sized("DriverConfig", config, &[32]) } {
        Ok(config) => config,
        Err(status) => return status,
    };
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let attributes = match unsafe { attributes(&call, given, Parent::Refused, true) } {
        Ok(attributes) => attributes,
        Err(status) => return status,
    };
    let non_pnp =
        config.DriverInitFlags & sys::_WDF_DRIVER_INIT_FLAGS::WdfDriverInitNonPnpDriver as u32 != 0;
    let no_override = config.DriverInitFlags
        & sys::_WDF_DRIVER_INIT_FLAGS::WdfDriverInitNoDispatchOverride as u32
        != 0;
    if non_pnp && config.EvtDriverDeviceAdd.is_some() {
        return sys::STATUS_INVALID_PARAMETER;
    }
    if driver.handle() != 0 {
        return STATUS_DRIVER_INTERNAL_ERROR;
    }
    let payload = |_| {
        Payload::Driver(FrameworkDriver {
            driver: Arc::clone(&driver),
            config,
        })
    };
    match create(call.machine, Arc::clone(&driver), None, attributes, payload) {
        Ok(created) => {
            driver.set_handle(created.handle);
            let displace = !(non_pnp || no_override) || config.EvtDriverUnload.is_some();
            if displace {
                driver.set_unload_routine(Some(unload));
            }
            super::table::created(
                globals,
                &driver,
                ptr::without_provenance_mut(created.handle),
                &config,
                displace,
            );
            call.machine
                .trace("wdf", format_args!("{}: WDFDRIVER created", driver.name));
            // SAFETY: the driver passes null or a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(created.handle)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn driver_get_registry_path(
    globals: sys::PWDF_DRIVER_GLOBALS,
    driver: sys::WDFDRIVER,
) -> sys::PWSTR {
    let Some(call) = Call::enter(globals, "WdfDriverGetRegistryPath", PASSIVE) else {
        return ptr::null_mut();
    };
    let driver = call.object::<FrameworkDriver>(driver);
    driver.map_or(ptr::null_mut(), |driver| {
        driver.driver.registry_path().Buffer
    })
}

pub(super) unsafe extern "C" fn driver_wdm_get_driver_object(
    globals: sys::PWDF_DRIVER_GLOBALS,
    driver: sys::WDFDRIVER,
) -> sys::PDRIVER_OBJECT {
    let Some(call) = Call::enter(globals, "WdfDriverWdmGetDriverObject", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<FrameworkDriver>(driver)
        .map_or(ptr::null_mut(), |driver| driver.driver.object())
}

pub(super) unsafe extern "C" fn wdm_driver_get_wdf_driver_handle(
    globals: sys::PWDF_DRIVER_GLOBALS,
    object: sys::PDRIVER_OBJECT,
) -> sys::WDFDRIVER {
    let Some(call) = Call::enter(globals, "WdfWdmDriverGetWdfDriverHandle", ANY) else {
        return ptr::null_mut();
    };
    let driver = pnp::driver_of(call.machine, object.addr());
    ptr::without_provenance_mut(driver.map_or(0, |driver| driver.handle()))
}

pub(super) unsafe extern "C" fn driver_is_version_available(
    globals: sys::PWDF_DRIVER_GLOBALS,
    driver: sys::WDFDRIVER,
    given: sys::PWDF_DRIVER_VERSION_AVAILABLE_PARAMS,
) -> sys::BOOLEAN {
    let Some(call) = Call::enter(globals, "WdfDriverIsVersionAvailable", PASSIVE) else {
        return 0;
    };
    if call.object::<FrameworkDriver>(driver).is_none() {
        return 0;
    }
    // SAFETY: the driver passes the structure with its size in it.
    let Some(wanted) = (unsafe { call.sized_or_named("VersionAvailableParams", given, &[12]) })
    else {
        return 0;
    };
    let minor = match super::function_count(call.machine.config.os) {
        387 => 7,
        396 => 9,
        _ => 31,
    };
    (wanted.MajorVersion == 1 && wanted.MinorVersion <= minor).into()
}
