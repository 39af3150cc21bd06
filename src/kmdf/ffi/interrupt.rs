//! Interrupt objects: their creation, and their callbacks.
//!
//! # Safety
//!
//! See the parent module.
#![expect(unsafe_code, reason = "calls the framework and is called by it")]

use core::marker::PhantomData;

use super::device::DeviceHandle;
use super::slot::{ContextType, Slot};
use crate::irql::{self, Dispatch, Irql};
use crate::kmdf::device::Device;
use crate::kmdf::interrupt::{Interrupt, InterruptHandle as PublicHandle, InterruptInfo};
use crate::resources::ProcessorSet;
use crate::status::{Error, Result, Status};
use crate::sys;

static INTERRUPT: ContextType = ContextType::new(c"NmrNetdmaInterrupt", &raw const INTERRUPT);

impl<D: Device> DeviceHandle<'_, D> {
    pub(in crate::kmdf) fn create_interrupt<I: Interrupt>(
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
        let mut attributes = Slot::<I>::attributes(&INTERRUPT, None, Some(destroy::<I>));
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
}

/// An interrupt object.
#[derive(Clone, Copy)]
pub(in crate::kmdf) struct InterruptHandle<'a> {
    interrupt: sys::WDFINTERRUPT,
    brand: PhantomData<(&'a (), *mut ())>,
}

impl InterruptHandle<'_> {
    pub(in crate::kmdf) fn queue_dpc(&self) -> bool {
        // SAFETY: the handle is good while a callback of the interrupt runs; the level is at most the interrupt's.
        unsafe { sys::WdfInterruptQueueDpcForIsr(self.interrupt) != 0 }
    }

    /// At or below DISPATCH_LEVEL, for which the caller has a proof.
    pub(in crate::kmdf) fn info(&self) -> InterruptInfo {
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

    pub(in crate::kmdf) fn set_policy(
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

/// EvtDestroyCallback of an interrupt.
unsafe extern "C" fn destroy<I: Interrupt>(object: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that `create_interrupt` made for this `I`, in this callback of it.
    unsafe { Slot::<I>::destroy(object, &INTERRUPT) };
}
