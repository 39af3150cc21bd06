//! The framework: its function table and the objects behind it.
//!
//! One immutable table serves the whole process, so a function finds out whose call it is: the machine is the calling
//! thread's, the driver is the one that the handle belongs to. Where a function takes no handle, it is the driver whose
//! callback the thread is in.
//!
//! | file | what it does |
//! |---|---|
//! | `table` | the table, the variables of the entry stub, bind and unbind |
//! | `object` | handles, the tree of objects, contexts, references, deletion |
//! | `driver`, `device` | WDFDRIVER, WDFDEVICE_INIT, WDFDEVICE |
//! | `power` | the order of the callbacks from start to removal |
//! | `interrupt` | WDFINTERRUPT: creation, policy, assignment, connection |
//! | `resources` | requirements lists and resource lists, and the clones that drivers see |
//! | `deferred` | DPCs, work items, timers |
//! | `locks` | spin locks, wait locks |
//! | `queue`, `request` | queues and device interfaces; device-control requests and the programs that send them |
//! | `registry` | the driver's parameters |
//!
//! # Design
//!
//! * **A handle is a number that is never used twice**, in any machine of the process. What is wrong with a handle (it never
//!   was one, it is of another type, its object is gone) is said by name, and the function does nothing.
//! * **Where Windows would stop, the call is refused**; where Windows would silently ignore a wrong value, the value is
//!   ignored and the violation says so.
//! * **Context memory comes from the simulated pool**, so a test that lets an allocation fail reaches every creating function.
//!
//! # Safety
//!
//! The unsafe code of this file and its children reads and writes what drivers pass by pointer, after a check for null and,
//! where there is one, of the structure's size, and calls the functions that drivers pass in such structures. Both rest on
//! the driver's side of the contract: that a pointer argument is valid for the call and a callback has the type of its
//! member. The other unsafe code is about memory that this module owns, and says so.
#![expect(unsafe_code, reason = "plays the C side of the framework")]

mod deferred;
pub(crate) mod device;
pub(crate) mod driver;
mod interrupt;
mod locks;
mod object;
pub(crate) mod power;
mod queue;
mod registry;
mod request;
mod resources;
mod table;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use nmr_netdma::sys;

use crate::fault::Fault;
use crate::kernel::{self, Config, Machine, Os};
use crate::pnp::driver::Driver;
use crate::verifier::Leak;
use crate::{ke, pnp};

pub use registry::RegistryValue;
pub use request::ControlRequest;
pub use table::{WdfDriverGlobals, WdfFunctions, WdfVersionBind, WdfVersionUnbind};

use object::{Kind, Object, Objects, Ref};

/// The rules of the framework.
pub mod violation {
    use crate::verifier::Rule;

    /// See its sentence.
    pub static GLOBALS: Rule = Rule {
        name: "wdf::globals",
        says: "the first argument of every framework function is what binding returned",
    };
    /// See its sentence.
    pub static HANDLE: Rule = Rule {
        name: "wdf::handle",
        says: "a handle is of the type that the function takes, and its object exists",
    };
    /// See its sentence.
    pub static NULL: Rule = Rule {
        name: "wdf::null",
        says: "a required parameter is not NULL",
    };
    /// See its sentence.
    pub static SLOT: Rule = Rule {
        name: "wdf::slot",
        says: "a driver calls only functions of the framework version that it is bound with",
    };
    /// See its sentence.
    pub static NOT_SIMULATED: Rule = Rule {
        name: "wdf::not-simulated",
        says: "the function exists in Windows but not in this framework",
    };
    /// See its sentence.
    pub static DRIVER: Rule = Rule {
        name: "wdf::driver",
        says: "a function without a handle is called in a callback of a driver",
    };
    /// See its sentence.
    pub static SIZE: Rule = Rule {
        name: "wdf::size",
        says: "Size of a structure is one that the running framework knows",
    };
    /// See its sentence.
    pub static VALUE: Rule = Rule {
        name: "wdf::value",
        says: "a value is in its range and comes at its time; the framework ignores others",
    };
    /// See its sentence.
    pub static FDO_CALLBACKS: Rule = Rule {
        name: "wdf::fdo-callbacks",
        says: "EvtDeviceFilterAddResourceRequirements comes with EvtDeviceRemoveAddedResources, or the framework drops both",
    };
    /// See its sentence.
    pub static DELETE: Rule = Rule {
        name: "wdf::delete",
        says: "an object is deleted once, and not if the framework owns its life",
    };
    /// See its sentence.
    pub static DELETED: Rule = Rule {
        name: "wdf::deleted",
        says: "a DPC, work item or timer is not queued or started any more when the framework deletes it and stops it",
    };
    /// See its sentence.
    pub static REFERENCE: Rule = Rule {
        name: "wdf::reference",
        says: "a reference is given up once, and only by who took it",
    };
    /// See its sentence.
    pub static CONTEXT: Rule = Rule {
        name: "wdf::context",
        says: "a context pointer is the start of the context of an object that exists",
    };
    /// See its sentence.
    pub static STATUS: Rule = Rule {
        name: "wdf::status",
        says: "a Plug and Play or power callback does not return STATUS_NOT_SUPPORTED",
    };
    /// See its sentence.
    pub static LOCK: Rule = Rule {
        name: "wdf::lock",
        says: "a lock is not taken twice by a thread and is released by who took it",
    };
    /// See its sentence.
    pub static NOT_CONNECTED: Rule = Rule {
        name: "wdf::not-connected",
        says: "an interrupt is synchronised with, enabled or disabled only while it is connected",
    };
    /// See its sentence.
    pub static INDEX: Rule = Rule {
        name: "wdf::index",
        says: "an index is below the number of elements of the list",
    };
    /// See its sentence.
    pub static REQUEST: Rule = Rule {
        name: "wdf::request",
        says: "a request is used while the driver has it, completed once, and never with more bytes than its buffer holds",
    };
    /// See its sentence.
    pub static REQUEST_HELD: Rule = Rule {
        name: "wdf::request-held",
        says: "a driver completes what it has from a power-managed queue before the device leaves D0, and all else before it goes",
    };
    /// See its sentence.
    pub static OUTLIVES: Rule = Rule {
        name: "wdf::outlives",
        says: "no object of a driver is left when the driver is unloaded",
    };
}

/// The framework of one machine.
pub(crate) struct State {
    objects: Objects,
    worker: deferred::Worker,
    timers: deferred::Timers,
    registry: registry::Registry,
}

impl State {
    pub(crate) fn new(_config: &Config) -> Self {
        Self {
            objects: Objects::default(),
            worker: deferred::Worker::default(),
            timers: deferred::Timers::default(),
            registry: registry::Registry::default(),
        }
    }
}

/// Waits for the framework's threads and ends them.
pub(crate) fn stop(machine: &Arc<Machine>) {
    machine.wdf.timers.stop();
    machine.wdf.worker.stop();
}

/// Runs `body` on a system thread.
pub(crate) fn defer(machine: &Arc<Machine>, body: impl FnOnce() + Send + 'static) {
    machine
        .wdf
        .worker
        .run(machine, alloc::boxed::Box::new(body));
}

pub(crate) fn leaks(machine: &Arc<Machine>, leaks: &mut Vec<Leak>) {
    for object in machine.wdf.objects.all() {
        object.abandon();
        leaks.push(Leak {
            kind: "framework object",
            detail: object.describe(),
        });
    }
    for driver in table::forget(machine) {
        leaks.push(Leak {
            kind: "framework binding",
            detail: driver,
        });
    }
}

/// Functions of the framework that comes with a system.
pub(crate) fn function_count(os: Os) -> u32 {
    match os {
        Os::VistaSp1 => 387,
        Os::Win7 => 396,
        Os::Win10 => 458,
    }
}

/// `PASSIVE_LEVEL`
const PASSIVE: RangeInclusive<u8> = 0..=0;
/// Up to `DISPATCH_LEVEL`
const DISPATCH: RangeInclusive<u8> = 0..=2;
/// Up to a device's level
const DEVICE: RangeInclusive<u8> = 0..=12;
/// Any level
const ANY: RangeInclusive<u8> = 0..=15;

/// One call of a framework function.
#[derive(Clone, Copy)]
struct Call<'a> {
    function: &'static str,
    globals: sys::PWDF_DRIVER_GLOBALS,
    machine: &'a Arc<Machine>,
}

impl<'a> Call<'a> {
    /// What every function does first: checks the globals and the level. `None`: the call is refused.
    fn enter(
        globals: sys::PWDF_DRIVER_GLOBALS,
        function: &'static str,
        levels: RangeInclusive<u8>,
    ) -> Option<Self> {
        let call = Self {
            function,
            globals,
            machine: kernel::machine(),
        };
        if !table::is_globals(globals) {
            call.machine.violated(
                &violation::GLOBALS,
                format_args!("{function} got {globals:p}"),
            );
            return None;
        }
        // A wrong level is on record; the framework itself would go on.
        ke::require(function, levels);
        Some(call)
    }

    /// As [`enter`](Self::enter), for a function that creates an object; the error is what it answers instead.
    fn create(
        globals: sys::PWDF_DRIVER_GLOBALS,
        function: &'static str,
        levels: RangeInclusive<u8>,
    ) -> Result<Self, sys::NTSTATUS> {
        let call = Self::enter(globals, function, levels).ok_or(sys::STATUS_INVALID_PARAMETER)?;
        if call
            .machine
            .fails(Fault::FrameworkObject, format_args!("{function}"))
        {
            return Err(sys::STATUS_INSUFFICIENT_RESOURCES);
        }
        Ok(call)
    }

    fn violated(&self, rule: &'static crate::verifier::Rule, detail: core::fmt::Arguments<'_>) {
        self.machine
            .violated(rule, format_args!("{}: {detail}", self.function));
    }

    /// The object of type `T` behind `handle`.
    fn object<T: Kind>(&self, handle: *const T::Handle) -> Option<Ref<T>> {
        Ref::new(self.any(handle.addr(), Some(T::NAME))?).or_else(|| {
            let object = self.machine.wdf.objects.find(handle.addr())?;
            self.violated(
                &violation::HANDLE,
                format_args!("wants a {}, got {}", T::NAME, object.describe()),
            );
            None
        })
    }

    /// As [`object`](Self::object), for what makes the object run: the framework must not be stopping it.
    fn living<T: Kind>(&self, handle: *const T::Handle) -> Option<Ref<T>> {
        let object = self.object::<T>(handle)?;
        let living = object.object().can_run();
        if !living {
            self.violated(
                &violation::DELETED,
                format_args!("{}", object.object().describe()),
            );
        }
        living.then_some(object)
    }

    /// The object behind `handle`, of whatever type.
    fn any(&self, handle: usize, wanted: Option<&'static str>) -> Option<Arc<Object>> {
        let found = self.machine.wdf.objects.find(handle);
        if found.is_none() {
            let wanted = wanted.unwrap_or("handle");
            match self.machine.wdf.objects.dead(handle) {
                _ if handle == 0 => {
                    self.violated(&violation::NULL, format_args!("the {wanted} is NULL"))
                }
                Some(was) => self.violated(
                    &violation::HANDLE,
                    format_args!("0x{handle:X} was {was}, which is gone"),
                ),
                None => self.violated(
                    &violation::HANDLE,
                    format_args!("0x{handle:X} is no {wanted}"),
                ),
            }
        }
        found
    }

    /// The driver that calls: its own globals say so, or else the callback that the thread is in.
    fn driver(&self) -> Option<Arc<Driver>> {
        if let Some(bound) = table::bound_driver(self.globals) {
            return Some(bound);
        }
        let named =
            kernel::current().find_frame(|frame| match self.machine.wdf.objects.find(frame.key) {
                Some(object) => Some(Arc::clone(&object.driver)),
                None => pnp::driver_of(self.machine, frame.key),
            });
        // Callbacks of other parts of the kernel do not say whose they are; with one driver there is no doubt.
        let driver = named.or_else(|| pnp::only_driver(self.machine));
        if driver.is_none() {
            self.violated(
                &violation::DRIVER,
                format_args!("which driver calls is not known"),
            );
        }
        driver
    }

    /// Whether `driver` is bound with a function at `slot`.
    fn has_slot(&self, driver: &Driver, slot: u32) -> bool {
        let functions = driver.functions();
        if slot >= functions {
            self.violated(
                &violation::SLOT,
                format_args!(
                    "slot {slot}, but {} is bound with {functions} functions",
                    driver.name
                ),
            );
        }
        slot < functions
    }

    /// Whether a pointer argument is there.
    fn given<T>(&self, name: &str, pointer: *const T) -> bool {
        if pointer.is_null() {
            self.violated(&violation::NULL, format_args!("{name} is NULL"));
        }
        !pointer.is_null()
    }

    /// Copies a structure that begins with its size. What is beyond the size is zero.
    ///
    /// # Safety
    ///
    /// `pointer` is null or readable for the four bytes of its size and then for as much as they say. All-zero bytes are a
    /// `T`, and so is whatever the driver put into its members.
    unsafe fn sized<T: Copy + Default>(
        &self,
        name: &'static str,
        pointer: *const T,
        accepted: &[u32],
    ) -> Result<T, sys::NTSTATUS> {
        if !self.given(name, pointer) {
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        // SAFETY: it is not null, so it can be read for four bytes.
        let size = unsafe { pointer.cast::<u32>().read_unaligned() };
        if !accepted.contains(&size) {
            return Err(sys::STATUS_INFO_LENGTH_MISMATCH);
        }
        let mut value = T::default();
        let length = (size as usize).min(size_of::<T>());
        // SAFETY: the source can be read for `size` bytes, the target is a `T` and at least `length` long, and the driver's
        // structure does not overlap a local variable of this function.
        unsafe {
            core::ptr::copy_nonoverlapping(
                pointer.cast::<u8>(),
                (&raw mut value).cast::<u8>(),
                length,
            )
        };
        Ok(value)
    }

    /// As [`sized`](Self::sized), for a function without a status: a wrong size has no effect but is named.
    ///
    /// # Safety
    ///
    /// As for [`sized`](Self::sized).
    unsafe fn sized_or_named<T: Copy + Default>(
        &self,
        name: &'static str,
        pointer: *const T,
        accepted: &[u32],
    ) -> Option<T> {
        // SAFETY: the caller promises what this asks for.
        match unsafe { self.sized(name, pointer, accepted) } {
            Ok(value) => Some(value),
            Err(sys::STATUS_INFO_LENGTH_MISMATCH) => {
                self.violated(
                    &violation::SIZE,
                    format_args!("Size of {name} is none of {accepted:?}"),
                );
                None
            }
            Err(_) => None,
        }
    }

    /// Stores a result.
    ///
    /// # Safety
    ///
    /// `pointer` is null or writable for a `T`.
    unsafe fn store<T>(&self, pointer: *mut T, value: T) {
        if !pointer.is_null() {
            // SAFETY: it is not null, so it can be written.
            unsafe { pointer.write_unaligned(value) };
        }
    }
}

/// Runs a callback of the object `key` at `irql`.
fn callback<R>(
    name: &'static str,
    owner: &str,
    key: usize,
    irql: u8,
    body: impl FnOnce() -> R,
) -> R {
    let thread = kernel::current();
    ke::at(thread, irql, || {
        kernel::in_callback(thread, name, owner, key, body)
    })
}

/// A status as it is written.
fn status_text(status: sys::NTSTATUS) -> String {
    format!("0x{:08X}", status.cast_unsigned())
}
