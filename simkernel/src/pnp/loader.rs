//! Calls a driver's entry point and its unload routine.
//!
//! # Safety
//!
//! The unsafe code of this file calls the two functions that a driver has outside the framework. They get what the system
//! gives them: the driver object, which lives as long as the driver is loaded, and a registry path that is readable during
//! the call.
#![expect(unsafe_code, reason = "calls a driver's entry point")]

use core::sync::atomic::Ordering;

use nmr_netdma::sys;

use crate::kernel::Kernel;
use crate::pnp::driver::Driver;
use crate::pnp::{DriverEntry, DriverId};
use crate::{ke, kernel};

pub(super) fn call_entry(driver: &Driver, entry: DriverEntry) -> sys::NTSTATUS {
    let object = driver.object();
    let path = driver.registry_path();
    let thread = kernel::current();
    ke::at(thread, 0, || {
        kernel::in_callback(
            thread,
            "DriverEntry",
            driver.name.as_str(),
            object.addr(),
            || {
                // SAFETY: `entry` is a driver's entry point, and gets what the page of DRIVER_INITIALIZE says.
                unsafe { entry(object, &raw const path) }
            },
        )
    })
}

/// Calls the unload routine; `false` if there is none.
pub(super) fn call_unload(driver: &Driver) -> bool {
    let Some(unload) = driver.unload_routine() else {
        return false;
    };
    let object = driver.object();
    let thread = kernel::current();
    ke::at(thread, 0, || {
        kernel::in_callback(
            thread,
            "DriverUnload",
            driver.name.as_str(),
            object.addr(),
            || {
                // SAFETY: the driver, or the framework for it, put this routine into the driver object for this very call.
                unsafe { unload(object) }
            },
        );
    });
    true
}

impl Kernel {
    /// Takes note of a driver that another loader has loaded, whose entry stub is about to bind it and whose unload routine that
    /// loader will call.
    ///
    /// # Safety
    ///
    /// The driver object stays until [`forget_driver`](Self::forget_driver) or the end of the kernel.
    pub unsafe fn adopt_driver(&self, name: &str, object: *mut sys::DRIVER_OBJECT) -> DriverId {
        let machine = self.machine();
        let id = machine.pnp.next.fetch_add(1, Ordering::Relaxed);
        machine
            .pnp
            .drivers
            .lock()
            .push(Driver::adopt(id, name, object));
        machine.trace("pnp", format_args!("driver {name} loaded"));
        DriverId(id)
    }
}
