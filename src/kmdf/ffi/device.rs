//! Device objects: their creation, and their callbacks.
//!
//! # Safety
//!
//! See the parent module.
#![expect(unsafe_code, reason = "calls the framework and is called by it")]

use core::marker::PhantomData;
use core::ptr::NonNull;

use super::slot::{ContextType, Slot};
use super::{Brand, resources};
use crate::irql::{Irql, Passive};
use crate::kmdf::device::{Device, PowerState};
use crate::kmdf::registers::{Registers, Windows};
use crate::kmdf::requirements::RequirementsList;
use crate::kmdf::resources::Resources;
use crate::physical_device::PhysicalDevice;
use crate::resources::ProcessorGroups;
use crate::status::{Error, Result, Status};
use crate::sys;

static DEVICE: ContextType = ContextType::new(c"NmrNetdmaDevice", &raw const DEVICE);

/// What the framework keeps for a device.
struct DeviceContext<D> {
    device: D,
    registers: Windows,
}

/// The structure that the framework lends to EvtDriverDeviceAdd.
pub(in crate::kmdf) struct Init<'a> {
    pub(super) init: sys::PWDFDEVICE_INIT,
    pub(super) brand: Brand<'a>,
}

/// A device object that has just been created, in EvtDriverDeviceAdd.
///
/// # Invariants
///
/// The device was created with the callbacks and the slot of the `D` that [`create_device`] was called for, and the slot is
/// empty.
pub(in crate::kmdf) struct DeviceHandle<'a, D> {
    pub(super) device: sys::WDFDEVICE,
    physical: NonNull<sys::DEVICE_OBJECT>,
    registers: Windows,
    brand: Brand<'a>,
    context: PhantomData<fn(D)>,
}

/// Creates a device object with the callbacks of `D`.
pub(in crate::kmdf) fn create_device<'a, D: Device>(
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
    let mut attributes =
        Slot::<DeviceContext<D>>::attributes(&DEVICE, Some(cleanup::<D>), Some(destroy::<D>));
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
        registers: Windows::default(),
        brand,
        context: PhantomData,
    })
}

impl<'a, D: Device> DeviceHandle<'a, D> {
    pub(in crate::kmdf) fn physical_device(&self) -> PhysicalDevice {
        // SAFETY: the bus driver keeps its object until the device's own has been deleted, and that is just being made. A new device
        // is made, and used, at PASSIVE_LEVEL.
        unsafe { PhysicalDevice::from_raw(self.physical) }
    }

    pub(in crate::kmdf) fn create_registers(
        &mut self,
        irql: &mut Irql<Passive>,
    ) -> Result<Registers> {
        self.registers.add(irql)
    }

    /// Fills the slot. Without effect on a device that has lost it, which the framework does not do.
    pub(in crate::kmdf) fn install(self, context: D) -> Brand<'a> {
        // SAFETY: by the type invariant the device was created with this slot; it is good until AddDevice returns, at
        // least.
        if let Some(slot) = unsafe { Slot::<DeviceContext<D>>::of(self.device.cast(), &DEVICE) } {
            let context = DeviceContext {
                device: context,
                registers: self.registers,
            };
            // SAFETY: by the type invariant the slot is empty; no callback of the device comes before AddDevice has
            // returned.
            unsafe { slot.install(context) };
        }
        self.brand
    }
}

// Callbacks.

/// What a callback of a device begins with: the context, if there is one, and the level.
///
/// # Safety
///
/// `device` was created for `D`, and is good while `'a` lasts. The level is PASSIVE_LEVEL.
unsafe fn entered<'a, D: Device>(
    device: sys::WDFOBJECT,
) -> Option<(&'a DeviceContext<D>, Irql<Passive>)> {
    // SAFETY: by the contract of this function.
    let context = unsafe { Slot::<DeviceContext<D>>::of(device, &DEVICE) }?.get()?;
    // SAFETY: by the contract of this function.
    Some((context, unsafe { Irql::assume() }))
}

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
    let Some((context, mut irql)) = (unsafe { entered::<D>(device.cast()) }) else {
        return Error::INVALID_DEVICE_STATE.status().0;
    };
    answer(body(&context.device, &mut irql))
}

/// What a callback answers. To the framework, one status means that the callback is not there.
fn answer(result: Result<()>) -> sys::NTSTATUS {
    match result {
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
    // SAFETY: the framework calls it as EvtDevicePrepareHardware; see above.
    let Some((context, mut irql)) = (unsafe { entered::<D>(device.cast()) }) else {
        return Error::INVALID_DEVICE_STATE.status().0;
    };
    // SAFETY: the framework keeps both lists, which are this device's, until this callback returns.
    let lists = unsafe { resources::Assigned::new(&context.registers, raw, translated) };
    let resources = Resources::new(lists);
    answer(context.device.prepare_hardware(&resources, &mut irql))
}

unsafe extern "C" fn release_hardware<D: Device>(
    device: sys::WDFDEVICE,
    _translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    // SAFETY: the framework calls it as EvtDeviceReleaseHardware; see above.
    let status = unsafe { with_device::<D>(device, D::release_hardware) };
    // SAFETY: as above.
    if let Some((context, mut irql)) = unsafe { entered::<D>(device.cast()) } {
        context.registers.unmap(&mut irql);
    }
    status
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
unsafe extern "C" fn cleanup<D: Device>(object: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that it cleans up, which `create_device` created for this `D`, at
    // PASSIVE_LEVEL.
    if let Some((context, mut irql)) = unsafe { entered::<D>(object) } {
        context.device.cleanup(&mut irql);
        // Resources are released by now. This is for a framework that would not say so after a failed start.
        context.registers.unmap(&mut irql);
    }
}

/// EvtDestroyCallback of a device.
unsafe extern "C" fn destroy<D: Device>(object: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that `create_device` created for this `D`, in this callback of it.
    unsafe { Slot::<DeviceContext<D>>::destroy(object, &DEVICE) };
}
