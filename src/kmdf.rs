//! The small part of the Kernel-Mode Driver Framework that a driver needs, without `unsafe` (`wdf.h`).
//!
//! ```no_run
//! #![no_std]
//! use nmr_netdma::irql::{Irql, Passive};
//! use nmr_netdma::kmdf::{self, AddedDevice, DeviceInit, DriverInit, Registers, Resources};
//! use nmr_netdma::{Error, Result};
//!
//! struct Driver;
//!
//! impl kmdf::Driver for Driver {
//!     fn init(_: &DriverInit<'_>, _: &mut Irql<Passive>) -> Result<Self> {
//!         Ok(Self)
//!     }
//!
//!     fn device_add<'a>(&self, init: DeviceInit<'a>, irql: &mut Irql<Passive>) -> Result<AddedDevice<'a>> {
//!         let mut device = init.create(irql)?;
//!         let registers = device.create_registers(irql)?;
//!         Ok(device.finish(Device { registers }))
//!     }
//! }
//!
//! struct Device {
//!     registers: Registers,
//! }
//!
//! impl kmdf::Device for Device {
//!     fn prepare_hardware(&self, resources: &Resources<'_>, irql: &mut Irql<Passive>) -> Result<()> {
//!         let memory = resources.memory().next().ok_or(Error::DEVICE_CONFIGURATION_ERROR)?;
//!         self.registers.map(memory, irql) // until the hardware is released
//!     }
//! }
//!
//! kmdf::driver_entry!(Driver);
//! # fn main() {}
//! # use simkernel as _;
//! ```
//!
//! # Protocol
//!
//! | step | who calls | level | here |
//! |---|---|---|---|
//! | entry | loader | PASSIVE | [`Driver::init`] |
//! | a device appeared: create its object, then what its context needs, then the interrupts, then install the context | framework | PASSIVE | [`Driver::device_add`], [`DeviceInit`], [`NewDevice`] |
//! | choose among resources; may be repeated at any time | framework | PASSIVE | [`Device::filter_resource_requirements`] |
//! | start: map registers | framework | PASSIVE | [`Device::prepare_hardware`] |
//! | power up, without interrupts | framework | PASSIVE | [`Device::d0_entry`] |
//! | switch each interrupt on | framework | device | [`Interrupt::enable`] |
//! | power up, with interrupts | framework | PASSIVE | [`Device::d0_entry_post_interrupts_enabled`], [`Device::self_managed_io_init`] |
//! | interrupts | processor | device, then DISPATCH | [`Interrupt::isr`], [`Interrupt::dpc`], [`Dpc`] |
//! | later, once or again | timer, work item | DISPATCH, PASSIVE | [`TimerRoutine`], [`WorkItemRoutine`] |
//! | a program sends a control code | framework | at most DISPATCH | [`RequestHandler`] |
//! | power down, with interrupts | framework | PASSIVE | [`Device::self_managed_io_suspend`], [`Device::d0_exit_pre_interrupts_disabled`] |
//! | switch each interrupt off, wait for its DPCs | framework | device | [`Interrupt::disable`] |
//! | power down | framework | PASSIVE | [`Device::d0_exit`] |
//! | stop; registers are unmapped afterwards | framework | PASSIVE | [`Device::release_hardware`] |
//! | remove: what names the device goes, then the contexts, the device's last | framework | PASSIVE | [`Device::cleanup`] |
//! | unload: what the driver registered must be gone | framework | PASSIVE | [`Driver::unload`] |
//!
//! A callback that fails undoes the steps before it, in this order reversed, and the device does not start. The pages
//! "PnP and Power Management Callback Sequences" of Microsoft's WDF documentation tell all of it.
//!
//! # Design
//!
//! * **A context is complete before anybody can see it.** The framework wants the context's memory when it creates an object,
//!   and a device's context cannot be built before the device exists. So device and context are made in two steps,
//!   [`DeviceInit::create`] and [`NewDevice::finish`], and [`Driver::device_add`] can only succeed by returning what the second
//!   one answers. The framework calls no callback of the device before that.
//! * **Contexts live in the framework's own memory**, behind one word that says whether they are there. The framework tells contexts
//!   apart by the address of a type description, and Rust has no static per generic type; so there is one description for each
//!   kind of object, not for each type, and the size is given for each object (`ContextSizeOverride`). Which type it
//!   is, is known from the callback: it is the one that the object was created for. An allocation of our own behind a pointer was
//!   rejected: it can fail where this cannot, and costs each interrupt an access more.
//! * **Contexts are dropped in EvtDestroyCallback**, which comes once, when nobody refers to the object any more; so no callback
//!   can be left that borrows the context. EvtCleanupCallback, which comes before the lower drivers lose the device, is
//!   [`Device::cleanup`]: the place for what names the device to others. To drop the contexts there was rejected: that nothing
//!   runs afterwards would rest on each object's rundown. The one exception is the driver's own value, which
//!   EvtDriverUnload consumes, because what it registered has to be gone before the image goes.
//! * **No handle outlives its object.** [`InterruptHandle`], [`Resources`], [`RequirementsList`] are borrowed from the callback that
//!   gets them. What must be kept, a context keeps: data shared between a device and its interrupts in a [`Shared`],
//!   the device's [`Registers`], and whatever else exists only between prepare and release in a [`Revocable`]. A [`Timer`] or
//!   [`WorkItem`] is a handle that the framework's cleanup takes away, before it stops the object: left over, it does nothing.
//! * **All callbacks are always registered.** A default body does what the framework does without the callback.
//! * **KMDF 1.7.** Only functions and structure sizes of that version are used, so one binary runs from Windows Vista SP1 on. The
//!   framework gives a driver as many functions as the driver bound, whatever else it has; so a driver that is bound for 1.7 cannot
//!   call one of 1.9 on any system, and to ask for the framework's version at run time would be no use. What 1.9 adds for interrupts is
//!   the group in a policy (`WdfInterruptSetExtendedPolicy`). The framework writes a policy into the device's resource requirements and no
//!   further, and there [`set_message_affinity`] names groups itself, wherever the system has them. So
//!   [`NewInterrupt::set_policy`] answers [`Error::NOT_SUPPORTED`](crate::Error::NOT_SUPPORTED) for other groups than 0, and the driver leaves such an interrupt to its
//!   filter, which does not touch what the objects asked for. Rejected: to bind for 1.9 and, where that is refused, once more for 1.7, since it is not documented what
//!   the loader does after a refusal, and the framework behaves by the version that is bound; and to use the function in builds with the
//!   feature `wdk`, where it is always there, since a driver would do different things in the two builds.
//! * **DPCs are the executive's**, not the framework's: NetDMA says on which processor a DPC has to run, and the
//!   framework's cannot be aimed.

mod device;
mod dpc;
mod driver;
mod ffi;
mod interrupt;
pub mod memory;
mod parameters;
mod queue;
mod registers;
mod requirements;
mod resources;
#[cfg(all(kernel_image, not(feature = "wdk")))]
#[doc(hidden)]
pub mod stub;
mod timer;
mod work_item;

pub use self::device::{AddedDevice, Device, DeviceInit, NewDevice, PowerState};
pub use self::dpc::{Dpc, DpcHandle, DpcRoutine, current_processor};
pub use self::driver::{Driver, DriverInit};
#[doc(hidden)]
pub use self::ffi::enter as __enter;
pub use self::ffi::mapping::RegisterValue;
pub use self::ffi::revocable::{Access, Revocable};
pub use self::ffi::wait_lock::WaitLock;
pub use self::interrupt::{
    Interrupt, InterruptHandle, InterruptInfo, InterruptPolicy, InterruptPriority, NewInterrupt,
};
pub use self::memory::PhysicalMapping;
pub use self::parameters::Parameters;
pub use self::queue::{
    ControlAccess, ControlCode, Handled, ManualQueue, PendingRequest, QueuePower, Request,
    RequestHandler,
};
pub use self::registers::{Register, RegisterAccess, Registers};
pub use self::requirements::{
    IoDescriptor, IoResourceList, RequirementsList, set_message_affinity,
};
pub use self::resources::{
    AssignedInterrupt, AssignedInterrupts, AssignedResource, MemoryResource, Resources,
};
pub use self::timer::{Timer, TimerRoutine};
pub use self::work_item::{WorkItem, WorkItemRoutine};
#[doc(inline)]
pub use crate::__kmdf_driver_entry as driver_entry;
pub use crate::context::Shared;
pub use crate::debug::debug_print;
pub use crate::lifetime::{Image, SpinLock};
pub use crate::resources::{
    AffinityReport, InterruptNumber, InterruptRequirement, ProcessorGroups, ProcessorSet,
};
