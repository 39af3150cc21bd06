//! Between the framework and this module's traits: calls out, callbacks in.
//!
//! # Safety
//!
//! The unsafe code of this file and the files below it rests on these facts:
//!
//! * **Handles.** A handle that the framework gave to a callback is good until the callback returns; that of a device or interrupt
//!   that AddDevice creates is good until AddDevice returns, and beyond if it succeeds. The types here that hold handles
//!   are bound to the callback's lifetime.
//! * **Contexts.** See [`Slot`]. Which type a slot holds follows from the callback: an object created for the type `T` got the callbacks
//!   that are instantiated for `T`, and no others.
//! * **Levels.** The framework calls its callbacks at the levels that Microsoft's pages of these callbacks state. The
//!   executive runs deferred routines at DISPATCH_LEVEL.
//! * **Binding.** Driver code runs only while the driver is bound with at least the 387 functions of KMDF 1.7, and every function called here
//!   has a lower slot.
#![expect(unsafe_code, reason = "calls the framework and is called by it")]

pub(super) mod dpc;
pub(super) mod mapping;
pub(super) mod resources;
pub(super) mod revocable;

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

use super::device::{Device, DeviceInit, PowerState};
use super::driver::{Driver, DriverInit};
use super::interrupt::{Interrupt, InterruptHandle as PublicHandle, InterruptInfo};
use super::requirements::RequirementsList;
use super::resources::Resources;
use crate::irql::{self, Dispatch, Irql, Passive};
use crate::lifetime::Image;
use crate::physical_device::PhysicalDevice;
use crate::resources::{ProcessorGroups, ProcessorSet};
use crate::status::{Error, Result, Status};
use crate::sys;

// Contexts.

/// A description of contexts, which the framework knows by its address.
///
/// The cell keeps it in writable memory, as C has it, where the linker does not merge equal data.
struct ContextType(UnsafeCell<sys::WDF_OBJECT_CONTEXT_TYPE_INFO>);

// SAFETY: nobody writes it; the cell only decides where it lies.
unsafe impl Sync for ContextType {}

impl ContextType {
    /// A description with the address `this`.
    const fn new(name: &'static CStr, this: *const Self) -> Self {
        Self(UnsafeCell::new(sys::WDF_OBJECT_CONTEXT_TYPE_INFO {
            Size: size_of::<sys::WDF_OBJECT_CONTEXT_TYPE_INFO>() as u32,
            ContextName: name.as_ptr().cast_mut(),
            // What every context has at least; each object asks for its own size.
            ContextSize: size_of::<usize>(),
            // The cell is the description's only field.
            UniqueType: this.cast(),
            EvtDriverGetUniqueContextType: None,
        }))
    }
}

static DRIVER: ContextType = ContextType::new(c"NmrNetdmaDriver", &raw const DRIVER);
static DEVICE: ContextType = ContextType::new(c"NmrNetdmaDevice", &raw const DEVICE);
static INTERRUPT: ContextType = ContextType::new(c"NmrNetdmaInterrupt", &raw const INTERRUPT);

/// Context memory of an object. All zero, as the framework makes it, it is an empty slot.
///
/// # Invariants
///
/// `present` is set exactly while `value` is initialised.
struct Slot<T> {
    value: UnsafeCell<MaybeUninit<T>>,
    present: AtomicBool,
}

impl<T> Slot<T> {
    /// The framework aligns contexts to this (MEMORY_ALLOCATION_ALIGNMENT on amd64).
    const ALIGNMENT: usize = 16;

    /// Attributes of an object that gets such a slot.
    fn attributes(
        description: &'static ContextType,
        cleanup: sys::PFN_WDF_OBJECT_CONTEXT_CLEANUP,
    ) -> sys::WDF_OBJECT_ATTRIBUTES {
        const {
            assert!(
                align_of::<Self>() <= Self::ALIGNMENT,
                "the framework cannot align this context"
            )
        };
        sys::WDF_OBJECT_ATTRIBUTES {
            Size: size_of::<sys::WDF_OBJECT_ATTRIBUTES>() as u32,
            EvtCleanupCallback: cleanup,
            ExecutionLevel: sys::_WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
            SynchronizationScope:
                sys::_WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
            ContextSizeOverride: size_of::<Self>().max(size_of::<usize>()),
            ContextTypeInfo: description.0.get(),
            ..Default::default()
        }
    }

    /// The slot of `object`.
    ///
    /// # Safety
    ///
    /// The handle is good while `'a` lasts, and the object was created with [`Slot::<T>::attributes`](Self::attributes) of
    /// `description`.
    #[inline]
    unsafe fn of<'a>(
        object: sys::WDFOBJECT,
        description: &'static ContextType,
    ) -> Option<&'a Self> {
        // SAFETY: the handle is good, and the description is one that the framework may know.
        let memory = unsafe { sys::WdfObjectGetTypedContextWorker(object, description.0.get()) };
        // SAFETY: the framework answers null, or the memory that goes with this description, which is as large as the
        // attributes asked, aligned as they checked, was zero at first, and lives as long as the object.
        unsafe { memory.cast::<Self>().as_ref() }
    }

    fn pointer(&self) -> *mut T {
        self.value.get().cast()
    }

    #[inline]
    fn get(&self) -> Option<&T> {
        if !self.present.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: by the invariant the value is initialised. It is taken only when no callback that gets it runs or will
        // run; see `take`.
        Some(unsafe { &*self.pointer() })
    }

    /// Puts `value` in.
    ///
    /// # Safety
    ///
    /// The slot is empty, and nobody else installs or takes at the same time.
    unsafe fn install(&self, value: T) {
        // SAFETY: the slot is empty, so nobody has a reference to the value, and nobody else writes it.
        unsafe { self.pointer().write(value) };
        // INVARIANT: initialised just above.
        self.present.store(true, Ordering::Release);
    }

    /// Takes the value out, if there is one.
    ///
    /// # Safety
    ///
    /// Nobody borrows the value, and nobody else installs or takes at the same time.
    unsafe fn take(&self) -> Option<T> {
        if !self.present.swap(false, Ordering::AcqRel) {
            return None;
        }
        // SAFETY: the value was initialised, by the invariant, and with `present` cleared it is not read again.
        Some(unsafe { self.pointer().read() })
    }
}

// Driver.

struct DriverContext<T> {
    driver: T,
    image: Image,
}

/// What the entry function of [`driver_entry!`](super::driver_entry) does.
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
    let mut attributes = Slot::<DriverContext<T>>::attributes(&DRIVER, None);
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
    match T::init(&DriverInit::new(&image), irql) {
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
    driver: sys::WDFDRIVER,
    init: sys::PWDFDEVICE_INIT,
) -> sys::NTSTATUS {
    // SAFETY: the framework passes the object that `create_driver` made for this `T`, and keeps it during the callback.
    let context =
        unsafe { Slot::<DriverContext<T>>::of(driver.cast(), &DRIVER) }.and_then(Slot::get);
    let Some(DriverContext { driver, image }) = context else {
        return Error::INVALID_DEVICE_STATE.status().0;
    };
    // SAFETY: EvtDriverDeviceAdd is called at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::assume() };
    let init = DeviceInit::new(
        Init {
            init,
            brand: Brand::new(),
        },
        image,
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

// Devices: calls out.

/// Ties values to one callback: invariant in `'a`, and not to be sent to another thread.
#[derive(Debug)]
pub(super) struct Brand<'a>(PhantomData<Invariant<'a>>, PhantomData<*mut ()>);

type Invariant<'a> = fn(&'a ()) -> &'a ();

impl Brand<'_> {
    fn new() -> Self {
        Self(PhantomData, PhantomData)
    }
}

/// The structure that the framework lends to EvtDriverDeviceAdd.
pub(super) struct Init<'a> {
    init: sys::PWDFDEVICE_INIT,
    brand: Brand<'a>,
}

/// A device object that has just been created, in EvtDriverDeviceAdd.
///
/// # Invariants
///
/// The device was created with the callbacks and the slot of the `D` that [`create_device`] was called for, and the slot is
/// empty.
pub(super) struct DeviceHandle<'a, D> {
    device: sys::WDFDEVICE,
    physical: NonNull<sys::DEVICE_OBJECT>,
    brand: Brand<'a>,
    context: PhantomData<fn(D)>,
}

/// Creates a device object with the callbacks of `D`.
pub(super) fn create_device<'a, D: Device>(
    init: Init<'a>,
    _irql: &mut Irql<Passive>,
) -> Result<DeviceHandle<'a, D>> {
    let Init { mut init, brand } = init;
    let mut power = sys::WDF_PNPPOWER_EVENT_CALLBACKS {
        Size: sys::WDF_PNPPOWER_EVENT_CALLBACKS_SIZE_V1_7,
        EvtDeviceD0Entry: Some(d0_entry::<D>),
        EvtDeviceD0EntryPostInterruptsEnabled: Some(d0_entry_post_interrupts_enabled::<D>),
        EvtDeviceD0Exit: Some(d0_exit::<D>),
        EvtDeviceD0ExitPreInterruptsDisabled: Some(d0_exit_pre_interrupts_disabled::<D>),
        EvtDevicePrepareHardware: Some(prepare_hardware::<D>),
        EvtDeviceReleaseHardware: Some(release_hardware::<D>),
        EvtDeviceSelfManagedIoCleanup: Some(self_managed_io_cleanup::<D>),
        EvtDeviceSelfManagedIoFlush: Some(self_managed_io_flush::<D>),
        EvtDeviceSelfManagedIoInit: Some(self_managed_io_init::<D>),
        EvtDeviceSelfManagedIoSuspend: Some(self_managed_io_suspend::<D>),
        EvtDeviceSelfManagedIoRestart: Some(self_managed_io_restart::<D>),
        EvtDeviceSurpriseRemoval: Some(surprise_removal::<D>),
        ..Default::default()
    };
    // SAFETY: `init` is what the framework lent to the callback that is running, and has not been used up, since that takes
    // it by value; the callbacks have the size of KMDF 1.7, and the framework copies them.
    unsafe { sys::WdfDeviceInitSetPnpPowerEventCallbacks(init, &raw mut power) };
    let mut function = sys::WDF_FDO_EVENT_CALLBACKS {
        Size: size_of::<sys::WDF_FDO_EVENT_CALLBACKS>() as u32,
        EvtDeviceFilterAddResourceRequirements: Some(filter_resource_requirements::<D>),
        EvtDeviceFilterRemoveResourceRequirements: None,
        // Without this one the framework ignores the filter.
        EvtDeviceRemoveAddedResources: Some(remove_added_resources),
    };
    // SAFETY: as above; the level is PASSIVE_LEVEL, as the proof says.
    unsafe { sys::WdfFdoInitSetEventCallbacks(init, &raw mut function) };
    let mut attributes = Slot::<D>::attributes(&DEVICE, Some(device_cleanup::<D>));
    let mut device = core::ptr::null_mut();
    // SAFETY: as above; attributes and handle live during the call.
    let status =
        unsafe { sys::WdfDeviceCreate(&raw mut init, &raw mut attributes, &raw mut device) };
    Status(status).into_result()?;
    // SAFETY: the device was just created.
    let physical = unsafe { sys::WdfDeviceWdmGetPhysicalDevice(device) };
    let physical = NonNull::new(physical).ok_or(Error::INVALID_DEVICE_STATE)?;
    // INVARIANT: created just above; the framework's memory is zero, which is an empty slot.
    Ok(DeviceHandle {
        device,
        physical,
        brand,
        context: PhantomData,
    })
}

impl<'a, D: Device> DeviceHandle<'a, D> {
    pub(super) fn physical_device(&self) -> PhysicalDevice {
        // SAFETY: the bus driver keeps its object until the device's own has been deleted; what is registered with it goes
        // in the device's cleanup, before, as the public function demands.
        unsafe { PhysicalDevice::from_raw(self.physical) }
    }

    pub(super) fn create_interrupt<I: Interrupt>(
        &mut self,
        context: I,
    ) -> Result<InterruptHandle<'_>> {
        let mut config = sys::WDF_INTERRUPT_CONFIG {
            Size: sys::WDF_INTERRUPT_CONFIG_SIZE_V1_7,
            ShareVector: sys::_WDF_TRI_STATE::WdfUseDefault,
            EvtInterruptIsr: Some(isr::<I>),
            EvtInterruptDpc: Some(dpc::<I>),
            EvtInterruptEnable: Some(enable::<I>),
            EvtInterruptDisable: Some(disable::<I>),
            ..Default::default()
        };
        let mut attributes = Slot::<I>::attributes(&INTERRUPT, Some(interrupt_cleanup::<I>));
        let mut interrupt = core::ptr::null_mut();
        // SAFETY:
        // * the device is good, as AddDevice has not returned, where interrupts may be created;
        // * configuration, attributes and handle live during the call, the first two with the sizes of KMDF 1.7.
        let status = unsafe {
            sys::WdfInterruptCreate(
                self.device,
                &raw mut config,
                &raw mut attributes,
                &raw mut interrupt,
            )
        };
        Status(status).into_result()?;
        // SAFETY: the object was just created with these attributes and lives as long as its device.
        let slot =
            unsafe { Slot::<I>::of(interrupt.cast(), &INTERRUPT) }.ok_or(Error::UNSUCCESSFUL)?;
        // SAFETY: the slot of a new object is empty, and no interrupt callback comes before the device starts.
        unsafe { slot.install(context) };
        Ok(InterruptHandle {
            interrupt,
            brand: PhantomData,
        })
    }

    /// Fills the slot. Without effect on a device that has lost it, which the framework does not do.
    pub(super) fn install(self, context: D) -> Brand<'a> {
        // SAFETY: by the type invariant the device was created with this slot; it is good until AddDevice returns, at
        // least.
        if let Some(slot) = unsafe { Slot::<D>::of(self.device.cast(), &DEVICE) } {
            // SAFETY: by the type invariant the slot is empty; no callback of the device comes before AddDevice has
            // returned.
            unsafe { slot.install(context) };
        }
        self.brand
    }
}

// Devices: callbacks in.

/// Runs `body` with the context of `device`. Fails if there is none.
///
/// # Safety
///
/// `device` was created for `D`, and is good until this returns. The level is PASSIVE_LEVEL.
unsafe fn with_device<D: Device>(
    device: sys::WDFDEVICE,
    body: impl FnOnce(&D, &mut Irql<Passive>) -> Result<()>,
) -> sys::NTSTATUS {
    // SAFETY: by the contract of this function.
    let context = unsafe { Slot::<D>::of(device.cast(), &DEVICE) }.and_then(Slot::get);
    let Some(context) = context else {
        return Error::INVALID_DEVICE_STATE.status().0;
    };
    // SAFETY: by the contract of this function.
    let mut irql = unsafe { Irql::assume() };
    match body(context, &mut irql) {
        Err(Error::NOT_SUPPORTED) => Error::UNSUCCESSFUL.status().0,
        result => Status::from_result(result).0,
    }
}

// Each of these is called at PASSIVE_LEVEL, with a device that `create_device` created for this `D`.

unsafe extern "C" fn d0_entry<D: Device>(
    device: sys::WDFDEVICE,
    previous: sys::WDF_POWER_DEVICE_STATE,
) -> sys::NTSTATUS {
    // SAFETY: the framework calls it as EvtDeviceD0Entry; see above.
    unsafe {
        with_device::<D>(device, |context, irql| {
            context.d0_entry(PowerState::from_raw(previous), irql)
        })
    }
}

unsafe extern "C" fn d0_entry_post_interrupts_enabled<D: Device>(
    device: sys::WDFDEVICE,
    previous: sys::WDF_POWER_DEVICE_STATE,
) -> sys::NTSTATUS {
    let previous = PowerState::from_raw(previous);
    // SAFETY: the framework calls it as EvtDeviceD0EntryPostInterruptsEnabled; see above.
    unsafe {
        with_device::<D>(device, |context, irql| {
            context.d0_entry_post_interrupts_enabled(previous, irql)
        })
    }
}

unsafe extern "C" fn d0_exit<D: Device>(
    device: sys::WDFDEVICE,
    target: sys::WDF_POWER_DEVICE_STATE,
) -> sys::NTSTATUS {
    // SAFETY: the framework calls it as EvtDeviceD0Exit; see above.
    unsafe {
        with_device::<D>(device, |context, irql| {
            context.d0_exit(PowerState::from_raw(target), irql)
        })
    }
}

unsafe extern "C" fn d0_exit_pre_interrupts_disabled<D: Device>(
    device: sys::WDFDEVICE,
    target: sys::WDF_POWER_DEVICE_STATE,
) -> sys::NTSTATUS {
    let target = PowerState::from_raw(target);
    // SAFETY: the framework calls it as EvtDeviceD0ExitPreInterruptsDisabled; see above.
    unsafe {
        with_device::<D>(device, |context, irql| {
            context.d0_exit_pre_interrupts_disabled(target, irql)
        })
    }
}

unsafe extern "C" fn prepare_hardware<D: Device>(
    device: sys::WDFDEVICE,
    raw: sys::WDFCMRESLIST,
    translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    // SAFETY: the framework keeps both lists until this callback returns.
    let resources = Resources::new(unsafe { resources::Assigned::new(raw, translated) });
    // SAFETY: the framework calls it as EvtDevicePrepareHardware; see above.
    unsafe {
        with_device::<D>(device, |context, irql| {
            context.prepare_hardware(&resources, irql)
        })
    }
}

unsafe extern "C" fn release_hardware<D: Device>(
    device: sys::WDFDEVICE,
    _translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    // SAFETY: the framework calls it as EvtDeviceReleaseHardware; see above.
    unsafe { with_device::<D>(device, D::release_hardware) }
}

unsafe extern "C" fn self_managed_io_init<D: Device>(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    // SAFETY: the framework calls it as EvtDeviceSelfManagedIoInit; see above.
    unsafe { with_device::<D>(device, D::self_managed_io_init) }
}

unsafe extern "C" fn self_managed_io_suspend<D: Device>(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    // SAFETY: the framework calls it as EvtDeviceSelfManagedIoSuspend; see above.
    unsafe { with_device::<D>(device, D::self_managed_io_suspend) }
}

unsafe extern "C" fn self_managed_io_restart<D: Device>(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    // SAFETY: the framework calls it as EvtDeviceSelfManagedIoRestart; see above.
    unsafe { with_device::<D>(device, D::self_managed_io_restart) }
}

unsafe extern "C" fn self_managed_io_flush<D: Device>(device: sys::WDFDEVICE) {
    let body = |context: &D, irql: &mut Irql<Passive>| {
        context.self_managed_io_flush(irql);
        Ok(())
    };
    // SAFETY: the framework calls it as EvtDeviceSelfManagedIoFlush; see above.
    unsafe { with_device::<D>(device, body) };
}

unsafe extern "C" fn self_managed_io_cleanup<D: Device>(device: sys::WDFDEVICE) {
    let body = |context: &D, irql: &mut Irql<Passive>| {
        context.self_managed_io_cleanup(irql);
        Ok(())
    };
    // SAFETY: the framework calls it as EvtDeviceSelfManagedIoCleanup; see above.
    unsafe { with_device::<D>(device, body) };
}

unsafe extern "C" fn surprise_removal<D: Device>(device: sys::WDFDEVICE) {
    let body = |context: &D, irql: &mut Irql<Passive>| {
        context.surprise_removal(irql);
        Ok(())
    };
    // SAFETY: the framework calls it as EvtDeviceSurpriseRemoval; see above.
    unsafe { with_device::<D>(device, body) };
}

unsafe extern "C" fn filter_resource_requirements<D: Device>(
    device: sys::WDFDEVICE,
    list: sys::WDFIORESREQLIST,
) -> sys::NTSTATUS {
    // SAFETY: the framework keeps the list until this callback returns.
    let list = unsafe { resources::Requirements::new(list) };
    // SAFETY: the framework calls it as EvtDeviceFilterAddResourceRequirements; see above.
    unsafe {
        with_device::<D>(device, |context, irql| {
            let mut list = RequirementsList::new(list, ProcessorGroups::query(irql));
            context.filter_resource_requirements(&mut list, irql)
        })
    }
}

/// Nothing to remove: only messages can be added, and added messages have to stay.
unsafe extern "C" fn remove_added_resources(
    _device: sys::WDFDEVICE,
    _raw: sys::WDFCMRESLIST,
    _translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    Status::SUCCESS.0
}

/// EvtCleanupCallback of a device.
unsafe extern "C" fn device_cleanup<D: Device>(object: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that it cleans up, which was created for this `D`.
    let slot = unsafe { Slot::<D>::of(object, &DEVICE) };
    // SAFETY: cleanup comes once, when the device's other callbacks have returned and none is to come.
    let Some(context) = slot.and_then(|slot| unsafe { slot.take() }) else {
        return;
    };
    // SAFETY: devices are cleaned up at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::assume() };
    context.cleanup(&mut irql);
}

// Interrupts.

/// An interrupt object.
#[derive(Clone, Copy)]
pub(super) struct InterruptHandle<'a> {
    interrupt: sys::WDFINTERRUPT,
    brand: PhantomData<(&'a (), *mut ())>,
}

impl InterruptHandle<'_> {
    pub(super) fn queue_dpc(&self) -> bool {
        // SAFETY: the handle is good while a callback of the interrupt runs; the level is at most the interrupt's.
        unsafe { sys::WdfInterruptQueueDpcForIsr(self.interrupt) != 0 }
    }

    /// At or below DISPATCH_LEVEL, for which the caller has a proof.
    pub(super) fn info(&self) -> InterruptInfo {
        let mut info = sys::WDF_INTERRUPT_INFO {
            Size: sys::WDF_INTERRUPT_INFO_SIZE_V1_7,
            ..Default::default()
        };
        // SAFETY: the handle is good while a callback of the interrupt runs, and the structure lives during the call and
        // has the size of KMDF 1.7.
        unsafe { sys::WdfInterruptGetInfo(self.interrupt, &raw mut info) };
        InterruptInfo {
            message_number: info.MessageNumber,
            vector: info.Vector,
            irql: info.Irql,
            message_signaled: info.MessageSignaled != 0,
            processors: ProcessorSet {
                group: 0,
                mask: info.TargetProcessorSet,
            },
        }
    }

    pub(super) fn set_policy(
        &mut self,
        policy: sys::WDF_INTERRUPT_POLICY,
        priority: sys::WDF_INTERRUPT_PRIORITY,
        targets: sys::KAFFINITY,
    ) {
        // SAFETY: the handle is good, as AddDevice has not returned.
        unsafe { sys::WdfInterruptSetPolicy(self.interrupt, policy, priority, targets) }
    }
}

/// The context of `interrupt`, and the handle for its callback.
///
/// # Safety
///
/// `interrupt` was created for `I`, and is good while `'a` lasts.
#[inline]
unsafe fn interrupt_context<'a, I: Interrupt>(
    interrupt: sys::WDFINTERRUPT,
) -> Option<(&'a I, PublicHandle<'a>)> {
    // SAFETY: by the contract of this function.
    let context = unsafe { Slot::<I>::of(interrupt.cast(), &INTERRUPT) }?.get()?;
    Some((
        context,
        PublicHandle::new(InterruptHandle {
            interrupt,
            brand: PhantomData,
        }),
    ))
}

/// EvtInterruptIsr.
unsafe extern "C" fn isr<I: Interrupt>(
    interrupt: sys::WDFINTERRUPT,
    message: sys::ULONG,
) -> sys::BOOLEAN {
    // SAFETY: the framework passes the object that `create_interrupt` made for this `I`, and keeps it during the callback.
    let Some((context, handle)) = (unsafe { interrupt_context::<I>(interrupt) }) else {
        return 0;
    };
    // SAFETY: EvtInterruptIsr is called at the device's level: passive handling is off.
    let mut irql = unsafe { Irql::<irql::Device>::assume() };
    u8::from(context.isr(&handle, message, &mut irql))
}

/// EvtInterruptDpc.
unsafe extern "C" fn dpc<I: Interrupt>(interrupt: sys::WDFINTERRUPT, _device: sys::WDFOBJECT) {
    // SAFETY: as in `isr`.
    let Some((context, handle)) = (unsafe { interrupt_context::<I>(interrupt) }) else {
        return;
    };
    // SAFETY: EvtInterruptDpc is called at DISPATCH_LEVEL.
    let mut irql = unsafe { Irql::<Dispatch>::assume() };
    context.dpc(&handle, &mut irql);
}

/// EvtInterruptEnable.
unsafe extern "C" fn enable<I: Interrupt>(
    interrupt: sys::WDFINTERRUPT,
    _device: sys::WDFDEVICE,
) -> sys::NTSTATUS {
    // SAFETY: as in `isr`.
    let Some((context, handle)) = (unsafe { interrupt_context::<I>(interrupt) }) else {
        return Error::INVALID_DEVICE_STATE.status().0;
    };
    // SAFETY: EvtInterruptEnable is called at the device's level, with the interrupt's lock held.
    let mut irql = unsafe { Irql::<irql::Device>::assume() };
    Status::from_result(context.enable(&handle, &mut irql)).0
}

/// EvtInterruptDisable.
unsafe extern "C" fn disable<I: Interrupt>(
    interrupt: sys::WDFINTERRUPT,
    _device: sys::WDFDEVICE,
) -> sys::NTSTATUS {
    // SAFETY: as in `isr`.
    let Some((context, handle)) = (unsafe { interrupt_context::<I>(interrupt) }) else {
        return Error::INVALID_DEVICE_STATE.status().0;
    };
    // SAFETY: EvtInterruptDisable is called at the device's level, with the interrupt's lock held.
    let mut irql = unsafe { Irql::<irql::Device>::assume() };
    Status::from_result(context.disable(&handle, &mut irql)).0
}

/// EvtCleanupCallback of an interrupt.
unsafe extern "C" fn interrupt_cleanup<I: Interrupt>(object: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that it cleans up, which was created for this `I`.
    let slot = unsafe { Slot::<I>::of(object, &INTERRUPT) };
    // SAFETY: cleanup comes once, after the interrupt was disconnected and its DPCs were flushed.
    drop(slot.and_then(|slot| unsafe { slot.take() }));
}

// Processor and debugger.

pub(super) fn current_processor() -> u32 {
    // SAFETY: reading the processor's number has no precondition.
    unsafe { sys::KeGetCurrentProcessorNumber() }
}

/// Shows a text in the debugger.
pub(super) fn print(text: &CStr) {
    // SAFETY: the text ends in a zero byte, as the type says, and lives during the call; the debugger's text routine can be
    // called at any level that this library runs at.
    unsafe { sys::DebugPrint(text.as_ptr()) };
}

// Entry.

/// Makes `$driver`, a type that implements [`Driver`](crate::kmdf::Driver), the driver of this image.
///
/// Expands to an ordinary function `driver_entry` with the signature of C's `DriverEntry`, and in a kernel image to
/// the symbol `DriverEntry` as well, which binds the framework first. A host process has no such symbol, so that it can link several
/// drivers.
///
/// To be used once, in the root of a `no_std` driver crate, which needs to be built with `panic = "abort"`.
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_driver_entry {
    ($driver:ty) => {
        /// The driver's entry point, as C declares `DriverEntry`.
        ///
        /// # Safety
        ///
        /// Called once, by whatever loads the driver and has bound the framework, with its arguments.
        pub unsafe extern "system" fn driver_entry(
            driver: *mut $crate::sys::DRIVER_OBJECT,
            registry_path: *const $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            // SAFETY: passes on what the caller promises.
            unsafe { $crate::kmdf::__enter::<$driver>(driver, registry_path) }
        }

        $crate::__kmdf_entry_symbol!();
    };
}

/// A host process: what a dynamic library needs to link.
#[cfg(not(kernel_image))]
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_entry_symbol {
    () => {
        extern crate std as _;
    };
}

/// A kernel image that binds the framework itself.
#[cfg(all(kernel_image, not(feature = "wdk")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_entry_symbol {
    () => {
        #[doc(hidden)]
        #[unsafe(export_name = "DriverEntry")]
        pub unsafe extern "system" fn __driver_entry_symbol(
            driver: *mut $crate::sys::DRIVER_OBJECT,
            registry_path: *const $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            // SAFETY: the system calls this once, with its arguments.
            unsafe { $crate::kmdf::stub::enter(driver, registry_path, driver_entry) }
        }
    };
}

/// A kernel image whose framework Microsoft's stub binds, which then calls `DriverEntry`.
#[cfg(all(kernel_image, feature = "wdk"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_entry_symbol {
    () => {
        #[doc(hidden)]
        #[unsafe(export_name = "DriverEntry")]
        pub unsafe extern "system" fn __driver_entry_symbol(
            driver: *mut $crate::sys::DRIVER_OBJECT,
            registry_path: *const $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            // SAFETY: passes on what the caller promises.
            unsafe { driver_entry(driver, registry_path) }
        }
    };
}
