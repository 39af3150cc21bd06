//! The entry point. Each service that is made of this file is a command, named by the service:
//!
//! | service | starting it | stopping it |
//! |---|---|---|
//! | `SimBoot`, `SimBoot.`*variant* | boots a machine for the drivers that Wine loads | shuts it down and says how it ended |
//! | `SimCopy` | copies through every channel of the engine that Wine has started | |
//! | `SimManager` | begins to manage the drivers' devices instead of Wine | waits for the end of that |
//! | `SimFaults` | begins to make calls of the drivers fail, one after the other | waits for the end of that |
//!
//! # Safety
//!
//! The unsafe code of this file is called by Wine as a driver's entry point and unload routine.
#![expect(unsafe_code, reason = "defines the entry point")]

mod faults;
mod framework;
mod machine;
mod manager;
mod shim;
mod traffic;
mod trap;
mod wine;

use core::fmt;

use nmr_netdma::sys::{self, DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

use self::machine::Variant;

/// A line of the harness.
fn say(line: fmt::Arguments<'_>) {
    machine::say(line);
}

#[unsafe(no_mangle)]
unsafe extern "system" fn DriverEntry(
    object: *mut DRIVER_OBJECT,
    path: *const UNICODE_STRING,
) -> NTSTATUS {
    if wine_images::is_library_call(path.addr()) {
        return 1;
    }
    // SAFETY: the system passes the service's registry path.
    let path = unsafe { shim::text(path) };
    let service = shim::last_part(&path);
    let (command, variant) = service.split_once('.').unwrap_or((&service, ""));
    let (done, unload) = match (command, Variant::parse(variant)) {
        (_, None) => (Err("there is no such variant".into()), nothing as _),
        ("SimBoot", Some(variant)) => (machine::boot(variant), end as _),
        ("SimManager", _) => (machine::job("manager", manager::run), end as _),
        ("SimFaults", _) => (machine::job("faults", faults::run), end as _),
        ("SimCopy", _) => (traffic::copy_all(), nothing as _),
        _ => (Err("there is no such command".into()), nothing as _),
    };
    // SAFETY: the driver object is the system's, and this is the driver's entry.
    unsafe { (*object).DriverUnload = Some(unload) };
    match done {
        Ok(()) => {
            say(format_args!("{service}: done"));
            sys::STATUS_SUCCESS
        }
        Err(problem) => {
            machine::failed(format_args!("{service}: {problem}"));
            sys::STATUS_UNSUCCESSFUL
        }
    }
}

unsafe extern "C" fn end(_object: *mut DRIVER_OBJECT) {
    machine::end();
}

unsafe extern "C" fn nothing(_object: *mut DRIVER_OBJECT) {}
