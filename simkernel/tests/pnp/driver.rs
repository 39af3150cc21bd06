//! A driver written as in C, which does what a test tells it.

use std::cell::RefCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nmr_netdma::sys;
use simkernel::pnp::Signal;

/// What the driver is to do, and what it saw.
#[derive(Default)]
pub(crate) struct Script {
    /// Interrupt objects to create.
    pub(crate) interrupts: u32,
    /// Processors to ask for, an interrupt each, by WdfInterruptSetPolicy.
    pub(crate) policies: Vec<u64>,
    /// The callback that fails.
    pub(crate) fails: Option<&'static str>,
    /// Edits the requirements on the way down.
    pub(crate) filter_remove: Option<fn(sys::WDFIORESREQLIST)>,
    /// Edits the requirements on the way up.
    pub(crate) filter_add: Option<fn(sys::WDFIORESREQLIST)>,
    /// Leave EvtDeviceRemoveAddedResources out.
    pub(crate) no_remove_added: bool,
    /// Runs in EvtDriverDeviceAdd, after the device and its interrupts were made.
    pub(crate) added: Option<fn(sys::WDFDEVICE, &[sys::WDFINTERRUPT])>,
    /// Runs in EvtDevicePrepareHardware.
    pub(crate) prepared: Option<fn(sys::WDFDEVICE, sys::WDFCMRESLIST, sys::WDFCMRESLIST)>,
    /// The driver does not claim its interrupts.
    pub(crate) unclaimed: AtomicBool,
    /// The service routine lasts until the driver is told that its device was pulled out.
    pub(crate) outlasted: bool,
    pub(crate) not_pageable: bool,
    /// How often the device, when it is served, still sends message 1.
    pub(crate) storm: AtomicU32,
    /// The device is in D0.
    pub(crate) powered: AtomicBool,
    pub(crate) signal: Signal,

    pub(crate) seen: Mutex<Vec<String>>,
    pub(crate) information: Mutex<Vec<sys::WDF_INTERRUPT_INFO>>,
    pub(crate) descriptors: Mutex<Vec<(u8, u16, i32, u64)>>,
    pub(crate) services: AtomicU32,
    /// Bit of the processor each.
    pub(crate) service_processors: AtomicU32,
    pub(crate) call_processors: AtomicU32,
    pub(crate) calls: AtomicU32,
    pub(crate) lowest_level: AtomicU32,
}

// SAFETY: the information holds no pointers, and all that changes is locked or atomic.
unsafe impl Send for Script {}
// SAFETY: as for `Send`.
unsafe impl Sync for Script {}

impl Script {
    pub(crate) fn note(&self, name: &'static str) -> sys::NTSTATUS {
        self.seen.lock().unwrap().push(name.to_owned());
        if self.fails == Some(name) {
            sys::STATUS_DEVICE_NOT_READY
        } else {
            sys::STATUS_SUCCESS
        }
    }

    pub(crate) fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

thread_local! {
    pub(crate) static SCRIPT: RefCell<Arc<Script>> = RefCell::default();
}

/// The context of a device: a reference to the script.
#[repr(C)]
pub(crate) struct Context {
    pub(crate) script: *const Script,
    pub(crate) interrupts: [sys::WDFINTERRUPT; 4],
}

/// A context type that may be a static.
pub(crate) struct TypeInfo(pub(crate) sys::WDF_OBJECT_CONTEXT_TYPE_INFO);

// SAFETY: the pointers in it are to other statics.
unsafe impl Sync for TypeInfo {}

pub(crate) static CONTEXT: TypeInfo = TypeInfo(sys::WDF_OBJECT_CONTEXT_TYPE_INFO {
    Size: 40,
    ContextName: c"Context".as_ptr().cast_mut(),
    ContextSize: size_of::<Context>(),
    UniqueType: &raw const CONTEXT.0,
    EvtDriverGetUniqueContextType: None,
});

pub(crate) static OTHER: TypeInfo = TypeInfo(sys::WDF_OBJECT_CONTEXT_TYPE_INFO {
    Size: 40,
    ContextName: c"Other".as_ptr().cast_mut(),
    ContextSize: 24,
    UniqueType: &raw const OTHER.0,
    EvtDriverGetUniqueContextType: None,
});

pub(crate) fn attributes() -> sys::WDF_OBJECT_ATTRIBUTES {
    sys::WDF_OBJECT_ATTRIBUTES {
        Size: 56,
        ExecutionLevel: sys::_WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
        SynchronizationScope:
            sys::_WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
        ..Default::default()
    }
}

pub(crate) fn context(device: sys::WDFDEVICE) -> *mut Context {
    c!(WdfObjectGetTypedContextWorker(
        device.cast(),
        &raw const CONTEXT.0
    ))
    .cast()
}

pub(crate) fn script(device: sys::WDFDEVICE) -> &'static Script {
    // SAFETY: every device here has the context, and `add` filled it before any other callback could run.
    let script = unsafe { (*context(device)).script };
    // SAFETY: the context holds a reference to the script until the destroy callback.
    unsafe { &*script }
}

pub(crate) unsafe extern "system" fn entry(
    object: *mut sys::DRIVER_OBJECT,
    path: *const sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let mut config = sys::WDF_DRIVER_CONFIG {
        Size: 32,
        EvtDriverDeviceAdd: Some(add),
        EvtDriverUnload: Some(unload),
        ..Default::default()
    };
    let mut driver = ptr::null_mut();
    let status = c!(WdfDriverCreate(
        object,
        path,
        ptr::null_mut(),
        &raw mut config,
        &raw mut driver
    ));
    assert_eq!(c!(WdfDriverWdmGetDriverObject(driver)), object);
    let again = c!(WdfDriverCreate(
        object,
        path,
        ptr::null_mut(),
        &raw mut config,
        ptr::null_mut()
    ));
    assert_eq!(
        again.cast_unsigned(),
        0xC000_0183,
        "a driver has one WDFDRIVER"
    );
    status
}

pub(crate) unsafe extern "system" fn failing_entry(
    object: *mut sys::DRIVER_OBJECT,
    path: *const sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    // SAFETY: the arguments are those of this entry point.
    let status = unsafe { entry(object, path) };
    assert_eq!(status, sys::STATUS_SUCCESS);
    sys::STATUS_NO_MEMORY
}

pub(crate) unsafe extern "C" fn unload(_driver: sys::WDFDRIVER) {
    SCRIPT.with_borrow(|script| script.note("unload"));
}

pub(crate) unsafe extern "C" fn add(
    _driver: sys::WDFDRIVER,
    mut init: sys::PWDFDEVICE_INIT,
) -> sys::NTSTATUS {
    let script = SCRIPT.with_borrow(Arc::clone);
    assert!(!c!(WdfFdoInitWdmGetPhysicalDevice(init)).is_null());
    let mut callbacks = sys::WDF_PNPPOWER_EVENT_CALLBACKS {
        Size: sys::WDF_PNPPOWER_EVENT_CALLBACKS_SIZE_V1_7,
        EvtDeviceD0Entry: Some(d0_entry),
        EvtDeviceD0EntryPostInterruptsEnabled: Some(post_interrupts),
        EvtDeviceD0Exit: Some(d0_exit),
        EvtDeviceD0ExitPreInterruptsDisabled: Some(pre_interrupts),
        EvtDevicePrepareHardware: Some(prepare),
        EvtDeviceReleaseHardware: Some(release),
        EvtDeviceSelfManagedIoCleanup: Some(io_cleanup),
        EvtDeviceSelfManagedIoFlush: Some(io_flush),
        EvtDeviceSelfManagedIoInit: Some(io_init),
        EvtDeviceSelfManagedIoSuspend: Some(io_suspend),
        EvtDeviceSelfManagedIoRestart: Some(io_restart),
        EvtDeviceSurpriseRemoval: Some(surprise),
        EvtDeviceQueryRemove: Some(query_remove),
        EvtDeviceQueryStop: Some(query_stop),
        ..Default::default()
    };
    c!(WdfDeviceInitSetPnpPowerEventCallbacks(
        init,
        &raw mut callbacks
    ));
    let mut filters = sys::WDF_FDO_EVENT_CALLBACKS {
        Size: 32,
        EvtDeviceFilterAddResourceRequirements: script.filter_add.map(|_| filter_add as _),
        EvtDeviceFilterRemoveResourceRequirements: script.filter_remove.map(|_| filter_remove as _),
        EvtDeviceRemoveAddedResources: if script.no_remove_added {
            None
        } else {
            Some(remove_added)
        },
    };
    c!(WdfFdoInitSetEventCallbacks(init, &raw mut filters));
    c!(WdfDeviceInitSetIoType(
        init,
        sys::_WDF_DEVICE_IO_TYPE::WdfDeviceIoDirect
    ));
    if script.not_pageable {
        c!(WdfDeviceInitSetPowerNotPageable(init));
    }

    let mut attributes = attributes();
    attributes.ContextTypeInfo = &raw const CONTEXT.0;
    attributes.EvtCleanupCallback = Some(device_cleanup);
    attributes.EvtDestroyCallback = Some(device_destroy);
    let mut device = ptr::null_mut();
    let status = c!(WdfDeviceCreate(
        &raw mut init,
        &raw mut attributes,
        &raw mut device
    ));
    if !sys::NT_SUCCESS(status) {
        return status;
    }
    assert!(init.is_null(), "WdfDeviceCreate takes the init structure");
    let context = context(device);
    assert_eq!(context.addr() % 16, 0, "contexts are aligned to 16");
    // SAFETY: the context is this driver's, and nobody else uses it yet.
    let context = unsafe { &mut *context };
    assert!(context.script.is_null(), "contexts are zeroed");
    context.script = Arc::into_raw(Arc::clone(&script));

    for index in 0..script.interrupts as usize {
        let mut config = sys::WDF_INTERRUPT_CONFIG {
            Size: sys::WDF_INTERRUPT_CONFIG_SIZE_V1_7,
            ShareVector: sys::_WDF_TRI_STATE::WdfUseDefault,
            EvtInterruptIsr: Some(isr),
            EvtInterruptDpc: Some(dpc),
            EvtInterruptEnable: Some(enable),
            EvtInterruptDisable: Some(disable),
            ..Default::default()
        };
        let mut interrupt = ptr::null_mut();
        let status = c!(WdfInterruptCreate(
            device,
            &raw mut config,
            ptr::null_mut(),
            &raw mut interrupt
        ));
        if !sys::NT_SUCCESS(status) {
            return status;
        }
        context.interrupts[index] = interrupt;
        if let Some(processors) = script.policies.get(index) {
            c!(WdfInterruptSetPolicy(
                interrupt,
                sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicySpecifiedProcessors,
                sys::_WDF_INTERRUPT_PRIORITY::WdfIrqPriorityNormal,
                *processors
            ));
        }
    }
    if let Some(added) = script.added {
        added(device, &context.interrupts[..script.interrupts as usize]);
    }
    script.note("add")
}

pub(crate) unsafe extern "C" fn device_cleanup(device: sys::WDFOBJECT) {
    script(device.cast()).note("cleanup");
}

pub(crate) unsafe extern "C" fn device_destroy(device: sys::WDFOBJECT) {
    let script = script(device.cast());
    script.note("destroy");
    // SAFETY: `add` turned a reference into this pointer, and nothing uses it after this.
    drop(unsafe { Arc::from_raw(ptr::from_ref(script)) });
}

pub(crate) unsafe extern "C" fn filter_add(
    device: sys::WDFDEVICE,
    list: sys::WDFIORESREQLIST,
) -> sys::NTSTATUS {
    let script = script(device);
    script.filter_add.unwrap()(list);
    let lists = c!(WdfIoResourceRequirementsListGetCount(list));
    let mut seen = script.descriptors.lock().unwrap();
    seen.clear();
    for index in 0..lists {
        each(
            c!(WdfIoResourceRequirementsListGetIoResList(list, index)),
            |_, _, descriptor| {
                // SAFETY: an interrupt descriptor has this member.
                let interrupt = unsafe { descriptor.u.Interrupt };
                seen.push((
                    descriptor.Option,
                    descriptor.Flags,
                    interrupt.AffinityPolicy,
                    interrupt.TargetedProcessors,
                ));
            },
        );
    }
    drop(seen);
    script.note("filter add")
}

pub(crate) unsafe extern "C" fn filter_remove(
    device: sys::WDFDEVICE,
    list: sys::WDFIORESREQLIST,
) -> sys::NTSTATUS {
    let script = script(device);
    script.filter_remove.unwrap()(list);
    script.note("filter remove")
}

/// Calls `body` with every interrupt descriptor of a list: its clone, its index, its copy.
pub(crate) fn each(
    list: sys::WDFIORESLIST,
    mut body: impl FnMut(*mut sys::IO_RESOURCE_DESCRIPTOR, u32, sys::IO_RESOURCE_DESCRIPTOR),
) {
    for index in 0..c!(WdfIoResourceListGetCount(list)) {
        let clone = c!(WdfIoResourceListGetDescriptor(list, index));
        // SAFETY: the index is below the count, so there is a clone, and nobody else has it.
        let descriptor = unsafe { *clone };
        if u32::from(descriptor.Type) == sys::CmResourceTypeInterrupt {
            body(clone, index, descriptor);
        }
    }
}

/// Processor `3 - k` for message `k`, as an affinity filter writes it.
pub(crate) fn reverse(list: sys::WDFIORESREQLIST) {
    let list = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
    let mut message = 0;
    each(list, |_, index, mut descriptor| {
        if u32::from(descriptor.Flags) & sys::CM_RESOURCE_INTERRUPT_MESSAGE != 0 {
            descriptor.Flags |= sys::CM_RESOURCE_INTERRUPT_POLICY_INCLUDED as u16;
            descriptor.u.Interrupt.AffinityPolicy =
                sys::_IRQ_DEVICE_POLICY::IrqPolicySpecifiedProcessors;
            descriptor.u.Interrupt.TargetedProcessors = 1 << (3 - message);
            message += 1;
            c!(WdfIoResourceListUpdateDescriptor(
                list,
                &raw mut descriptor,
                index
            ));
        }
    });
}

pub(crate) unsafe extern "C" fn remove_added(
    device: sys::WDFDEVICE,
    raw: sys::WDFCMRESLIST,
    translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    assert_eq!(
        c!(WdfCmResourceListGetCount(raw)),
        c!(WdfCmResourceListGetCount(translated))
    );
    script(device).note("remove added")
}

pub(crate) unsafe extern "C" fn prepare(
    device: sys::WDFDEVICE,
    raw: sys::WDFCMRESLIST,
    translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    let script = script(device);
    if let Some(prepared) = script.prepared {
        prepared(device, raw, translated);
    }
    // SAFETY: the context exists, and only this callback reads it now.
    let interrupts = unsafe { (*context(device)).interrupts };
    let mut information = script.information.lock().unwrap();
    information.clear();
    for interrupt in interrupts.into_iter().take(script.interrupts as usize) {
        let mut info = sys::WDF_INTERRUPT_INFO {
            Size: sys::WDF_INTERRUPT_INFO_SIZE_V1_7,
            ..Default::default()
        };
        c!(WdfInterruptGetInfo(interrupt, &raw mut info));
        information.push(info);
    }
    drop(information);
    script.note("prepare")
}

pub(crate) unsafe extern "C" fn release(
    device: sys::WDFDEVICE,
    _translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    script(device).note("release")
}

pub(crate) unsafe extern "C" fn d0_entry(device: sys::WDFDEVICE, previous: i32) -> sys::NTSTATUS {
    script(device).powered.store(true, Ordering::Relaxed);
    let last = previous == sys::_WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3Final;
    script(device).note(if last { "d0 entry" } else { "d0 entry from d3" })
}

pub(crate) unsafe extern "C" fn post_interrupts(
    device: sys::WDFDEVICE,
    _previous: i32,
) -> sys::NTSTATUS {
    script(device).note("post interrupts")
}

pub(crate) unsafe extern "C" fn pre_interrupts(
    device: sys::WDFDEVICE,
    _target: i32,
) -> sys::NTSTATUS {
    script(device).note("pre interrupts")
}

pub(crate) unsafe extern "C" fn d0_exit(device: sys::WDFDEVICE, target: i32) -> sys::NTSTATUS {
    script(device).powered.store(false, Ordering::Relaxed);
    let last = target == sys::_WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3Final;
    script(device).note(if last { "d0 exit" } else { "d0 exit to d3" })
}

pub(crate) unsafe extern "C" fn io_init(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("io init")
}

pub(crate) unsafe extern "C" fn io_suspend(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("io suspend")
}

pub(crate) unsafe extern "C" fn io_restart(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("io restart")
}

pub(crate) unsafe extern "C" fn io_flush(device: sys::WDFDEVICE) {
    script(device).note("io flush");
}

pub(crate) unsafe extern "C" fn io_cleanup(device: sys::WDFDEVICE) {
    script(device).note("io cleanup");
}

pub(crate) unsafe extern "C" fn surprise(device: sys::WDFDEVICE) {
    script(device).note("surprise");
}

pub(crate) unsafe extern "C" fn query_remove(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("query remove")
}

pub(crate) unsafe extern "C" fn query_stop(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("query stop")
}

pub(crate) unsafe extern "C" fn enable(
    interrupt: sys::WDFINTERRUPT,
    device: sys::WDFDEVICE,
) -> sys::NTSTATUS {
    assert_eq!(c!(WdfInterruptGetDevice(interrupt)), device);
    assert!(
        c!(KeGetCurrentIrql()) >= 3,
        "EvtInterruptEnable runs at the device's level"
    );
    script(device).note("enable")
}

pub(crate) unsafe extern "C" fn disable(
    _interrupt: sys::WDFINTERRUPT,
    device: sys::WDFDEVICE,
) -> sys::NTSTATUS {
    assert!(
        c!(KeGetCurrentIrql()) >= 3,
        "EvtInterruptDisable runs at the device's level"
    );
    script(device).note("disable")
}

pub(crate) unsafe extern "C" fn isr(interrupt: sys::WDFINTERRUPT, _message: u32) -> u8 {
    let script = script(c!(WdfInterruptGetDevice(interrupt)));
    assert!(
        script.powered.load(Ordering::Relaxed),
        "no service outside D0"
    );
    script.services.fetch_add(1, Ordering::Relaxed);
    script
        .service_processors
        .fetch_or(1 << c!(KeGetCurrentProcessorNumber()), Ordering::Relaxed);
    script
        .lowest_level
        .fetch_min(c!(KeGetCurrentIrql()).into(), Ordering::Relaxed);
    if script.unclaimed.load(Ordering::Relaxed) {
        return 0;
    }
    if script.outlasted {
        eventually("the removal", || {
            script
                .seen
                .lock()
                .unwrap()
                .iter()
                .any(|name| name == "surprise")
        });
    }
    let less = |left: u32| left.checked_sub(1);
    if script
        .storm
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
    {
        script.signal.raise(1);
    }
    script.signal.line(false);
    c!(WdfInterruptQueueDpcForIsr(interrupt));
    1
}

pub(crate) unsafe extern "C" fn dpc(_interrupt: sys::WDFINTERRUPT, device: sys::WDFOBJECT) {
    let script = script(device.cast());
    assert!(script.powered.load(Ordering::Relaxed), "no DPC outside D0");
    assert_eq!(
        c!(KeGetCurrentIrql()),
        2,
        "EvtInterruptDpc runs at DISPATCH_LEVEL"
    );
    script
        .call_processors
        .fetch_or(1 << c!(KeGetCurrentProcessorNumber()), Ordering::Relaxed);
    script.calls.fetch_add(1, Ordering::Relaxed);
}

/// Waits for what other threads do.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "{what} did not happen");
        thread::sleep(Duration::from_millis(1));
    }
}
