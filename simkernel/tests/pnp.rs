//! The framework and the Plug and Play manager, driven by a small driver written as in C.
//!
//! What the driver does is told to it by a [`Script`], which it finds in a thread-local while it is added and in its device's
//! context afterwards. Each callback notes its name there.
#![expect(unsafe_code, reason = "a driver in the manner of C")]

use std::cell::RefCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nmr_netdma::sys;
use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::pnp::{Bar, DeviceConfig, DeviceId, DriverId, Signal};
use simkernel::{Config, Kernel, Leak, Os, Violation, ke, pnp, wdf};

/// Calls a C function. The driver keeps the function's rules, or breaks one on purpose.
macro_rules! c {
    ($function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: pointers among the arguments are to locals that live through the call, to what the framework handed out,
        // or are the wrong ones that the test is about, which the simulated framework does not follow.
        unsafe { sys::$function($($argument),*) }
    };
}

/// What the driver is to do, and what it saw.
#[derive(Default)]
struct Script {
    /// Interrupt objects to create.
    interrupts: u32,
    /// Processors to ask for, an interrupt each, by WdfInterruptSetPolicy.
    policies: Vec<u64>,
    /// The callback that fails.
    fails: Option<&'static str>,
    /// Edits the requirements on the way down.
    filter_remove: Option<fn(sys::WDFIORESREQLIST)>,
    /// Edits the requirements on the way up.
    filter_add: Option<fn(sys::WDFIORESREQLIST)>,
    /// Leave EvtDeviceRemoveAddedResources out.
    no_remove_added: bool,
    /// Runs in EvtDriverDeviceAdd, after the device and its interrupts were made.
    added: Option<fn(sys::WDFDEVICE, &[sys::WDFINTERRUPT])>,
    /// Runs in EvtDevicePrepareHardware.
    prepared: Option<fn(sys::WDFDEVICE, sys::WDFCMRESLIST, sys::WDFCMRESLIST)>,
    /// The driver does not claim its interrupts.
    unclaimed: AtomicBool,
    /// The service routine lasts until the driver is told that its device was pulled out.
    outlasted: bool,
    not_pageable: bool,
    /// How often the device, when it is served, still sends message 1.
    storm: AtomicU32,
    /// The device is in D0.
    powered: AtomicBool,
    signal: Signal,

    seen: Mutex<Vec<String>>,
    information: Mutex<Vec<sys::WDF_INTERRUPT_INFO>>,
    descriptors: Mutex<Vec<(u8, u16, i32, u64)>>,
    services: AtomicU32,
    /// Bit of the processor each.
    service_processors: AtomicU32,
    call_processors: AtomicU32,
    calls: AtomicU32,
    lowest_level: AtomicU32,
}

// SAFETY: the information holds no pointers, and all that changes is locked or atomic.
unsafe impl Send for Script {}
// SAFETY: as for `Send`.
unsafe impl Sync for Script {}

impl Script {
    fn note(&self, name: &'static str) -> sys::NTSTATUS {
        self.seen.lock().unwrap().push(name.to_owned());
        if self.fails == Some(name) {
            sys::STATUS_DEVICE_NOT_READY
        } else {
            sys::STATUS_SUCCESS
        }
    }

    fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

thread_local! {
    static SCRIPT: RefCell<Arc<Script>> = RefCell::default();
}

/// The context of a device: a reference to the script.
#[repr(C)]
struct Context {
    script: *const Script,
    interrupts: [sys::WDFINTERRUPT; 4],
}

/// A context type that may be a static.
struct TypeInfo(sys::WDF_OBJECT_CONTEXT_TYPE_INFO);

// SAFETY: the pointers in it are to other statics.
unsafe impl Sync for TypeInfo {}

static CONTEXT: TypeInfo = TypeInfo(sys::WDF_OBJECT_CONTEXT_TYPE_INFO {
    Size: 40,
    ContextName: c"Context".as_ptr().cast_mut(),
    ContextSize: size_of::<Context>(),
    UniqueType: &raw const CONTEXT.0,
    EvtDriverGetUniqueContextType: None,
});

static OTHER: TypeInfo = TypeInfo(sys::WDF_OBJECT_CONTEXT_TYPE_INFO {
    Size: 40,
    ContextName: c"Other".as_ptr().cast_mut(),
    ContextSize: 24,
    UniqueType: &raw const OTHER.0,
    EvtDriverGetUniqueContextType: None,
});

fn attributes() -> sys::WDF_OBJECT_ATTRIBUTES {
    sys::WDF_OBJECT_ATTRIBUTES {
        Size: 56,
        ExecutionLevel: sys::_WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
        SynchronizationScope:
            sys::_WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
        ..Default::default()
    }
}

fn context(device: sys::WDFDEVICE) -> *mut Context {
    c!(WdfObjectGetTypedContextWorker(
        device.cast(),
        &raw const CONTEXT.0
    ))
    .cast()
}

fn script(device: sys::WDFDEVICE) -> &'static Script {
    // SAFETY: every device here has the context, and `add` filled it before any other callback could run.
    let script = unsafe { (*context(device)).script };
    // SAFETY: the context holds a reference to the script until the destroy callback.
    unsafe { &*script }
}

unsafe extern "system" fn entry(
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

unsafe extern "system" fn failing_entry(
    object: *mut sys::DRIVER_OBJECT,
    path: *const sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    // SAFETY: the arguments are those of this entry point.
    let status = unsafe { entry(object, path) };
    assert_eq!(status, sys::STATUS_SUCCESS);
    sys::STATUS_NO_MEMORY
}

unsafe extern "C" fn unload(_driver: sys::WDFDRIVER) {
    SCRIPT.with_borrow(|script| script.note("unload"));
}

unsafe extern "C" fn add(_driver: sys::WDFDRIVER, mut init: sys::PWDFDEVICE_INIT) -> sys::NTSTATUS {
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

unsafe extern "C" fn device_cleanup(device: sys::WDFOBJECT) {
    script(device.cast()).note("cleanup");
}

unsafe extern "C" fn device_destroy(device: sys::WDFOBJECT) {
    let script = script(device.cast());
    script.note("destroy");
    // SAFETY: `add` turned a reference into this pointer, and nothing uses it after this.
    drop(unsafe { Arc::from_raw(ptr::from_ref(script)) });
}

unsafe extern "C" fn filter_add(
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

unsafe extern "C" fn filter_remove(
    device: sys::WDFDEVICE,
    list: sys::WDFIORESREQLIST,
) -> sys::NTSTATUS {
    let script = script(device);
    script.filter_remove.unwrap()(list);
    script.note("filter remove")
}

/// Calls `body` with every interrupt descriptor of a list: its clone, its index, its copy.
fn each(
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
fn reverse(list: sys::WDFIORESREQLIST) {
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

unsafe extern "C" fn remove_added(
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

unsafe extern "C" fn prepare(
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

unsafe extern "C" fn release(
    device: sys::WDFDEVICE,
    _translated: sys::WDFCMRESLIST,
) -> sys::NTSTATUS {
    script(device).note("release")
}

unsafe extern "C" fn d0_entry(device: sys::WDFDEVICE, previous: i32) -> sys::NTSTATUS {
    script(device).powered.store(true, Ordering::Relaxed);
    let last = previous == sys::_WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3Final;
    script(device).note(if last { "d0 entry" } else { "d0 entry from d3" })
}

unsafe extern "C" fn post_interrupts(device: sys::WDFDEVICE, _previous: i32) -> sys::NTSTATUS {
    script(device).note("post interrupts")
}

unsafe extern "C" fn pre_interrupts(device: sys::WDFDEVICE, _target: i32) -> sys::NTSTATUS {
    script(device).note("pre interrupts")
}

unsafe extern "C" fn d0_exit(device: sys::WDFDEVICE, target: i32) -> sys::NTSTATUS {
    script(device).powered.store(false, Ordering::Relaxed);
    let last = target == sys::_WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3Final;
    script(device).note(if last { "d0 exit" } else { "d0 exit to d3" })
}

unsafe extern "C" fn io_init(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("io init")
}

unsafe extern "C" fn io_suspend(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("io suspend")
}

unsafe extern "C" fn io_restart(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("io restart")
}

unsafe extern "C" fn io_flush(device: sys::WDFDEVICE) {
    script(device).note("io flush");
}

unsafe extern "C" fn io_cleanup(device: sys::WDFDEVICE) {
    script(device).note("io cleanup");
}

unsafe extern "C" fn surprise(device: sys::WDFDEVICE) {
    script(device).note("surprise");
}

unsafe extern "C" fn query_remove(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("query remove")
}

unsafe extern "C" fn query_stop(device: sys::WDFDEVICE) -> sys::NTSTATUS {
    script(device).note("query stop")
}

unsafe extern "C" fn enable(interrupt: sys::WDFINTERRUPT, device: sys::WDFDEVICE) -> sys::NTSTATUS {
    assert_eq!(c!(WdfInterruptGetDevice(interrupt)), device);
    assert!(
        c!(KeGetCurrentIrql()) >= 3,
        "EvtInterruptEnable runs at the device's level"
    );
    script(device).note("enable")
}

unsafe extern "C" fn disable(
    _interrupt: sys::WDFINTERRUPT,
    device: sys::WDFDEVICE,
) -> sys::NTSTATUS {
    assert!(
        c!(KeGetCurrentIrql()) >= 3,
        "EvtInterruptDisable runs at the device's level"
    );
    script(device).note("disable")
}

unsafe extern "C" fn isr(interrupt: sys::WDFINTERRUPT, _message: u32) -> u8 {
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

unsafe extern "C" fn dpc(_interrupt: sys::WDFINTERRUPT, device: sys::WDFOBJECT) {
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

/// A machine with the driver loaded and its script set.
fn boot(os: Os, script: Script) -> (Kernel, DriverId, Arc<Script>) {
    boot_with(
        Config {
            os,
            ..Config::default()
        },
        sys::WDF_FUNCTION_COUNT_V1_7,
        script,
    )
}

/// The same on Windows 7, with a device that has `messages` messages and is started.
fn started(script: Script, messages: u32) -> (Kernel, DriverId, Arc<Script>, DeviceId) {
    let (kernel, driver, script) = boot(Os::Win7, script);
    let id = kernel
        .add_device(driver, device(&script, messages))
        .unwrap();
    (kernel, driver, script, id)
}

/// Removes, unloads, shuts down, and nothing is wrong.
fn end(kernel: Kernel, driver: DriverId, id: DeviceId) {
    kernel.remove_device(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

fn boot_with(config: Config, functions: u32, script: Script) -> (Kernel, DriverId, Arc<Script>) {
    script.lowest_level.store(u32::MAX, Ordering::Relaxed);
    let script = Arc::new(script);
    SCRIPT.set(Arc::clone(&script));
    let kernel = Kernel::boot(config);
    let driver = kernel
        .load_driver_bound("sample", entry, functions)
        .unwrap();
    (kernel, driver, script)
}

fn device(script: &Script, messages: u32) -> DeviceConfig {
    DeviceConfig {
        name: "engine".into(),
        messages,
        signal: script.signal.clone(),
        ..DeviceConfig::default()
    }
}

/// Waits for what other threads do.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "{what} did not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sets a flag when dropped.
struct Set<'a>(&'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn finish(kernel: Kernel) {
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

fn targets(kernel: &Kernel, device: DeviceId) -> Vec<Vec<u32>> {
    kernel
        .interrupts(device)
        .into_iter()
        .map(|report| report.targets)
        .collect()
}

fn rules(violations: &[Violation]) -> Vec<&'static str> {
    violations
        .iter()
        .map(|violation| violation.rule.name)
        .collect()
}

const START: [&str; 8] = [
    "add",
    "remove added",
    "prepare",
    "d0 entry",
    "enable",
    "enable",
    "post interrupts",
    "io init",
];
const REMOVE: [&str; 11] = [
    "query remove",
    "io suspend",
    "pre interrupts",
    "disable",
    "disable",
    "d0 exit",
    "release",
    "io flush",
    "io cleanup",
    "cleanup",
    "destroy",
];

#[test]
fn a_device_lives_in_the_order_of_the_framework() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 2,
            ..Script::default()
        },
        2,
    );
    assert_eq!(script.take_seen(), START);
    kernel.remove_device(id).unwrap();
    assert_eq!(script.take_seen(), REMOVE);
    assert_eq!(kernel.remove_device(id), Err(sys::STATUS_NO_SUCH_DEVICE));
    kernel.unload_driver(driver).unwrap();
    assert_eq!(script.take_seen(), ["unload"]);
    finish(kernel);
    SCRIPT.take();
    assert_eq!(
        Arc::strong_count(&script),
        1,
        "the destroy callback ran once"
    );
}

#[test]
fn each_message_is_served_on_the_processor_that_was_asked_for() {
    let policies = vec![1 << 3, 1 << 2, 1 << 1, 1 << 0];
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 4,
            policies,
            ..Script::default()
        },
        4,
    );
    assert_eq!(targets(&kernel, id), [[3], [2], [1], [0]]);
    for (message, processor) in [(0, 3), (1, 2), (2, 1), (3, 0)] {
        script.service_processors.store(0, Ordering::Relaxed);
        script.call_processors.store(0, Ordering::Relaxed);
        for _ in 0..10 {
            script.signal.raise(message);
        }
        kernel.quiesce();
        assert_eq!(
            script.service_processors.load(Ordering::Relaxed),
            1 << processor
        );
        assert_eq!(
            script.call_processors.load(Ordering::Relaxed),
            1 << processor,
            "the DPC follows the interrupt"
        );
    }
    let reports = kernel.interrupts(id);
    for (report, processor) in reports.iter().zip([3, 2, 1, 0]) {
        assert_eq!(report.delivered, [(processor, 10)].into());
        assert!((3..=11).contains(&report.irql));
    }
    let mut vectors: Vec<u32> = reports.iter().map(|report| report.vector).collect();
    vectors.sort_unstable();
    vectors.dedup();
    assert_eq!(vectors.len(), 4, "vectors are unique");
    assert_eq!(script.services.load(Ordering::Relaxed), 40);
    assert!(script.calls.load(Ordering::Relaxed) >= 4);
    assert!(
        script.lowest_level.load(Ordering::Relaxed) >= 3,
        "service routines run at the device's level"
    );
    let information = script.information.lock().unwrap().clone();
    for (information, (number, report)) in information.iter().zip((0..).zip(&reports)) {
        assert_eq!(information.MessageNumber, number);
        assert_eq!(information.Vector, report.vector);
        assert_eq!(information.Irql, report.irql);
        assert_eq!(information.TargetProcessorSet, 1 << report.targets[0]);
        assert_eq!(information.MessageSignaled, 1);
    }
    end(kernel, driver, id);
}

#[test]
fn writing_through_a_clone_changes_nothing() {
    fn write_through(list: sys::WDFIORESREQLIST) {
        let list = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        each(list, |clone, index, _| {
            // SAFETY: the clone belongs to the list, which exists, and nobody else has it.
            unsafe { (*clone).Flags = 0xFFFF };
            let again = c!(WdfIoResourceListGetDescriptor(list, index));
            assert_eq!(again, clone, "the clone of an element stays where it is");
            // SAFETY: as above.
            let flags = unsafe { (*again).Flags };
            assert_ne!(flags, 0xFFFF, "reading refreshes the clone");
        });
    }
    let (kernel, driver, _, id) = started(
        Script {
            interrupts: 2,
            filter_add: Some(write_through),
            ..Script::default()
        },
        2,
    );
    assert_eq!(targets(&kernel, id), [[0, 1, 2, 3], [0, 1, 2, 3]]);
    assert!(
        !kernel
            .events()
            .iter()
            .any(|event| event.what.contains("changed the requirements"))
    );
    end(kernel, driver, id);
}

#[test]
fn an_updated_descriptor_decides_the_processors() {
    for os in [Os::VistaSp1, Os::Win7, Os::Win10] {
        let (kernel, driver, script) = boot(
            os,
            Script {
                interrupts: 4,
                filter_add: Some(reverse),
                ..Script::default()
            },
        );
        let id = kernel.add_device(driver, device(&script, 4)).unwrap();
        assert_eq!(targets(&kernel, id), [[3], [2], [1], [0]]);
        end(kernel, driver, id);
    }
}

#[test]
fn the_filter_sees_the_policies_of_interrupt_objects_and_the_line_behind_the_messages() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 2,
            policies: vec![2, 4],
            filter_add: Some(|_| ()),
            ..Script::default()
        },
        3,
    );
    // Messages 0 and 1 have objects; the line goes with the first object; the third message has none.
    let expected = [(0, 7, 4, 2), (0, 7, 4, 4), (0, 3, 0, 0), (8, 4, 4, 2)];
    assert_eq!(*script.descriptors.lock().unwrap(), expected);
    end(kernel, driver, id);
}

#[test]
fn a_policy_that_is_in_the_descriptor_wins_over_the_object() {
    let script = Script {
        interrupts: 4,
        policies: vec![1, 1, 1, 1],
        filter_remove: Some(reverse),
        ..Script::default()
    };
    let (kernel, driver, _, id) = started(script, 4);
    assert_eq!(targets(&kernel, id), [[3], [2], [1], [0]]);
    end(kernel, driver, id);
}

#[test]
fn filter_add_without_remove_added_drops_both() {
    let script = Script {
        interrupts: 4,
        filter_add: Some(reverse),
        no_remove_added: true,
        ..Script::default()
    };
    let (kernel, driver, script, id) = started(script, 4);
    assert!(!script.take_seen().contains(&"filter add".to_owned()));
    assert_eq!(targets(&kernel, id)[0], [0, 1, 2, 3]);
    assert_eq!(
        kernel.take_violations(&wdf::violation::FDO_CALLBACKS).len(),
        1
    );
    end(kernel, driver, id);
}

#[test]
fn an_arbiter_that_runs_short_grants_the_first_messages() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 4,
            policies: vec![1, 2, 4, 8],
            ..Script::default()
        },
    );
    let config = DeviceConfig {
        granted: Some(2),
        ..device(&script, 4)
    };
    let id = kernel.add_device(driver, config).unwrap();
    assert_eq!(targets(&kernel, id), [[0], [1]]);
    assert_eq!(
        script
            .take_seen()
            .iter()
            .filter(|name| *name == "enable")
            .count(),
        2
    );
    assert_eq!(
        script.information.lock().unwrap()[3].Vector,
        0,
        "a surplus object is left alone"
    );
    script.signal.raise(3);
    kernel.quiesce();
    assert_eq!(
        kernel.interrupts(id)[0].delivered,
        [(0, 1)].into(),
        "a surplus message goes to message 0"
    );
    end(kernel, driver, id);
}

#[test]
fn without_messages_there_is_the_line() {
    for (messages, granted) in [(4, Some(0)), (0, None)] {
        let (kernel, driver, script) = boot(
            Os::Win7,
            Script {
                interrupts: 4,
                policies: vec![4],
                ..Script::default()
            },
        );
        let id = kernel
            .add_device(
                driver,
                DeviceConfig {
                    granted,
                    ..device(&script, messages)
                },
            )
            .unwrap();
        let report = &kernel.interrupts(id)[0];
        assert_eq!(
            (report.message, report.targets.as_slice()),
            (None, [2].as_slice())
        );
        for served in 1..=3 {
            script.signal.line(true);
            kernel.quiesce();
            assert_eq!(script.services.load(Ordering::Relaxed), served);
        }
        assert_eq!(script.information.lock().unwrap()[0].MessageSignaled, 0);
        script.signal.raise(0);
        assert_eq!(
            kernel.dropped_interrupts(id),
            1,
            "there is no message to send"
        );
        end(kernel, driver, id);
    }
}

#[test]
fn a_line_that_nobody_claims_is_named() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 1,
            unclaimed: AtomicBool::new(true),
            ..Script::default()
        },
    );
    let id = kernel.add_device(driver, device(&script, 0)).unwrap();
    script.signal.line(true);
    kernel.quiesce();
    let violations = kernel.take_violations(&pnp::violation::UNCLAIMED);
    assert_eq!(violations.len(), 1);
    assert!(
        violations[0].detail.contains("engine"),
        "{}",
        violations[0].detail
    );
    end(kernel, driver, id);
}

#[test]
fn a_line_asserted_before_it_is_connected_is_served_then() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 1,
            prepared: Some(|device, _, _| script(device).signal.line(true)),
            ..Script::default()
        },
        0,
    );
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 1);
    kernel.remove_device(id).unwrap();
    script.signal.line(true);
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_start_that_fails_is_undone_in_the_order_of_the_framework() {
    let prepared = ["add", "remove added", "prepare"];
    let entered = [&prepared[..], &["d0 entry"]].concat();
    let deleted = ["cleanup", "destroy"];
    let off = ["disable", "disable", "d0 exit", "release"];
    let cases: [(&str, Vec<&str>); 8] = [
        ("add", [&["add"], &deleted[..]].concat()),
        (
            "remove added",
            [&["add", "remove added"], &deleted[..]].concat(),
        ),
        ("prepare", [&prepared[..], &["release"], &deleted].concat()),
        ("d0 entry", [&entered[..], &["release"], &deleted].concat()),
        (
            "enable",
            [&entered[..], &["enable", "d0 exit", "release"], &deleted].concat(),
        ),
        (
            "post interrupts",
            [
                &entered[..],
                &["enable", "enable", "post interrupts"],
                &off,
                &deleted,
            ]
            .concat(),
        ),
        (
            "io init",
            [
                &entered[..],
                &[
                    "enable",
                    "enable",
                    "post interrupts",
                    "io init",
                    "pre interrupts",
                ],
                &off,
                &["io flush", "io cleanup"],
                &deleted,
            ]
            .concat(),
        ),
        (
            "filter add",
            [&["add", "filter add"], &deleted[..]].concat(),
        ),
    ];
    for (fails, expected) in cases {
        let filter_add: Option<fn(_)> = if fails == "filter add" {
            Some(|_| ())
        } else {
            None
        };
        let script = Script {
            interrupts: 2,
            fails: Some(fails),
            filter_add,
            ..Script::default()
        };
        let (kernel, driver, script) = boot(Os::Win7, script);
        let result = kernel.add_device(driver, device(&script, 2));
        assert_eq!(result, Err(sys::STATUS_DEVICE_NOT_READY), "{fails}");
        assert_eq!(script.take_seen(), expected, "{fails}");
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
    }
}

#[test]
fn a_device_cannot_start_without_an_alternative() {
    fn remove_all(list: sys::WDFIORESREQLIST) {
        c!(WdfIoResourceRequirementsListRemove(list, 0));
    }
    fn remove_messages(list: sys::WDFIORESREQLIST) {
        let list = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        c!(WdfIoResourceListRemove(list, 0));
    }
    let script = Script {
        interrupts: 1,
        filter_add: Some(remove_all),
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let result = kernel.add_device(driver, device(&script, 1));
    assert_eq!(result, Err(sys::STATUS_INSUFFICIENT_RESOURCES));
    kernel.unload_driver(driver).unwrap();
    finish(kernel);

    let script = Script {
        interrupts: 1,
        filter_add: Some(remove_messages),
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    assert_eq!(
        kernel.add_device(driver, device(&script, 1)),
        Err(sys::STATUS_INVALID_PARAMETER)
    );
    let violations = kernel.take_violations(&pnp::violation::LIST);
    assert_eq!(
        violations.len(),
        1,
        "the line is left as an alternative to nothing"
    );
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn lists_of_descriptors_are_edited_by_their_rules() {
    fn edit(list: sys::WDFIORESREQLIST) {
        let first = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        assert!(c!(WdfIoResourceRequirementsListGetIoResList(list, 1)).is_null());
        let count = c!(WdfIoResourceListGetCount(first));
        assert!(c!(WdfIoResourceListGetDescriptor(first, count)).is_null());
        let clone = c!(WdfIoResourceListGetDescriptor(first, 0));
        // SAFETY: there are descriptors, and nobody else has the clone.
        let mut message = unsafe { *clone };
        let message = &raw mut message;
        assert_eq!(
            c!(WdfIoResourceListInsertDescriptor(first, message, count + 1)),
            sys::STATUS_ARRAY_BOUNDS_EXCEEDED
        );
        assert_eq!(
            c!(WdfIoResourceListInsertDescriptor(first, message, 0)),
            sys::STATUS_SUCCESS
        );
        c!(WdfIoResourceListRemoveByDescriptor(first, message));
        assert_eq!(c!(WdfIoResourceListGetCount(first)), count);
        let mut second = ptr::null_mut();
        assert_eq!(
            c!(WdfIoResourceListCreate(
                list,
                ptr::null_mut(),
                &raw mut second
            )),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfIoResourceRequirementsListGetCount(list)),
            1,
            "it is in the list when it is appended"
        );
        assert_eq!(
            c!(WdfIoResourceListAppendDescriptor(second, message)),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfIoResourceRequirementsListAppendIoResList(list, second)),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfIoResourceRequirementsListAppendIoResList(list, second)),
            sys::STATUS_INVALID_DEVICE_REQUEST
        );
        assert_eq!(c!(WdfIoResourceRequirementsListGetCount(list)), 2);
        c!(WdfIoResourceRequirementsListRemoveByIoResList(list, first));
        assert_eq!(c!(WdfIoResourceRequirementsListGetCount(list)), 1);
    }
    fn read_only(_device: sys::WDFDEVICE, raw: sys::WDFCMRESLIST, translated: sys::WDFCMRESLIST) {
        assert_eq!(c!(WdfCmResourceListGetCount(raw)), 1);
        let descriptor = c!(WdfCmResourceListGetDescriptor(translated, 0));
        assert_eq!(
            c!(WdfCmResourceListAppendDescriptor(translated, descriptor)),
            sys::STATUS_ACCESS_DENIED
        );
    }
    let script = Script {
        interrupts: 2,
        filter_remove: Some(edit),
        prepared: Some(read_only),
        ..Script::default()
    };
    let (kernel, driver, _, id) = started(script, 2);
    assert_eq!(
        kernel.interrupts(id).len(),
        1,
        "the second list asks for one message"
    );
    end(kernel, driver, id);
}

#[test]
fn wrong_handles_are_named_and_followed_by_nothing() {
    fn misuse(device: sys::WDFDEVICE, interrupts: &[sys::WDFINTERRUPT]) {
        assert!(c!(WdfInterruptGetDevice(device.cast())).is_null());
        assert!(c!(WdfInterruptGetDevice(ptr::null_mut())).is_null());
        assert!(c!(WdfDeviceGetDriver(ptr::without_provenance_mut(0x1234))).is_null());
        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfSpinLockCreate(ptr::null_mut(), &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        c!(WdfObjectDelete(lock.cast()));
        c!(WdfSpinLockAcquire(lock));
        c!(WdfObjectDelete(interrupts[0].cast()));
        c!(WdfObjectDereferenceActual(
            device.cast(),
            ptr::null_mut(),
            0,
            ptr::null()
        ));
        assert!(c!(WdfObjectContextGetObject(device.cast())).is_null());
    }
    let (kernel, driver, _, id) = started(
        Script {
            interrupts: 1,
            added: Some(misuse),
            ..Script::default()
        },
        1,
    );
    let handles = kernel.take_violations(&wdf::violation::HANDLE);
    let said = |index: usize, what: &str| {
        let detail = &handles[index].detail;
        assert!(detail.contains(what), "{detail}");
    };
    assert_eq!(handles.len(), 3);
    said(
        0,
        "WdfInterruptGetDevice: wants a WDFINTERRUPT, got WDFDEVICE of engine",
    );
    said(1, "WdfDeviceGetDriver: 0x1234 is no WDFDEVICE");
    said(2, "WdfSpinLockAcquire: 0x");
    said(
        2,
        "was a WDFSPINLOCK of sample, which is gone, in EvtDriverDeviceAdd of engine",
    );
    assert_eq!(kernel.take_violations(&wdf::violation::NULL).len(), 1);
    assert_eq!(kernel.take_violations(&wdf::violation::DELETE).len(), 1);
    assert_eq!(kernel.take_violations(&wdf::violation::REFERENCE).len(), 1);
    assert_eq!(kernel.take_violations(&wdf::violation::CONTEXT).len(), 1);
    end(kernel, driver, id);
}

#[test]
fn a_leaked_object_is_named() {
    fn leak(device: sys::WDFDEVICE, _interrupts: &[sys::WDFINTERRUPT]) {
        let mut attributes = attributes();
        attributes.ParentObject = device.cast();
        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfSpinLockCreate(&raw mut attributes, &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        c!(WdfObjectReferenceActual(
            lock.cast(),
            ptr::null_mut(),
            0,
            ptr::null()
        ));
    }
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(leak),
            ..Script::default()
        },
        1,
    );
    kernel.remove_device(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    let violations = kernel.take_violations(&wdf::violation::OUTLIVES);
    assert_eq!(violations.len(), 1);
    let verdict = kernel.shutdown();
    let leaks: Vec<&Leak> = verdict
        .leaks
        .iter()
        .filter(|leak| leak.kind == "framework object")
        .collect();
    assert_eq!(leaks.len(), 1, "{verdict}");
    assert!(
        leaks[0].detail.contains("WDFSPINLOCK of sample"),
        "{verdict}"
    );
}

#[test]
fn a_device_and_a_driver_that_are_left_are_named() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 1,
            ..Script::default()
        },
    );
    kernel.add_device(driver, device(&script, 1)).unwrap();
    assert_eq!(kernel.unload_driver(driver), Err(sys::STATUS_DEVICE_BUSY));
    let verdict = kernel.shutdown();
    let found = |kind: &str, what: &str| {
        verdict
            .leaks
            .iter()
            .any(|leak| leak.kind == kind && leak.detail.contains(what))
    };
    assert!(found("device", "engine of sample, Started"), "{verdict}");
    assert!(found("driver", "sample"), "{verdict}");
    assert!(
        found("framework object", "WDFINTERRUPT of engine"),
        "{verdict}"
    );
}

#[test]
fn an_entry_that_fails_leaves_nothing() {
    SCRIPT.take();
    let kernel = Kernel::boot(Config::default());
    assert_eq!(
        kernel.load_driver("sample", failing_entry),
        Err(sys::STATUS_NO_MEMORY)
    );
    finish(kernel);
}

#[test]
fn a_refused_allocation_is_a_status_and_leaves_nothing() {
    let mut attempt = 1;
    loop {
        let (kernel, driver, script) = boot(
            Os::Win7,
            Script {
                interrupts: 1,
                ..Script::default()
            },
        );
        let before = kernel.failed_allocations();
        kernel.fail_allocation(Some(attempt));
        let result = kernel.add_device(driver, device(&script, 1));
        let failed = kernel.failed_allocations() > before;
        kernel.fail_allocation(None);
        if let Ok(id) = result {
            kernel.remove_device(id).unwrap();
        } else {
            assert_eq!(
                result,
                Err(sys::STATUS_INSUFFICIENT_RESOURCES),
                "allocation {attempt}"
            );
        }
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
        if !failed {
            break;
        }
        attempt += 1;
    }
    assert!(
        attempt > 4,
        "the framework allocates for each object: {attempt}"
    );
}

#[test]
fn a_device_that_is_stopped_starts_with_other_resources() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 2,
            ..Script::default()
        },
    );
    let id = kernel.add_device(driver, device(&script, 2)).unwrap();
    script.take_seen();
    kernel.stop_device(id).unwrap();
    let stopped = [
        "query stop",
        "io suspend",
        "pre interrupts",
        "disable",
        "disable",
        "d0 exit",
        "release",
    ];
    assert_eq!(script.take_seen(), stopped);
    script.signal.raise(0);
    assert_eq!(kernel.dropped_interrupts(id), 1);
    kernel.restart_device(id, Some(1)).unwrap();
    let restarted = [
        "remove added",
        "prepare",
        "d0 entry",
        "enable",
        "post interrupts",
        "io restart",
    ];
    assert_eq!(script.take_seen(), restarted);
    assert_eq!(kernel.interrupts(id).len(), 1);
    end(kernel, driver, id);
}

#[test]
fn power_goes_down_and_up() {
    for not_pageable in [false, true] {
        let (kernel, driver, script, id) = started(
            Script {
                interrupts: 1,
                not_pageable,
                ..Script::default()
            },
            1,
        );
        script.take_seen();
        kernel.power_down(id).unwrap();
        assert_eq!(
            script.take_seen(),
            ["io suspend", "pre interrupts", "disable", "d0 exit to d3"]
        );
        assert_eq!(kernel.power_down(id), Err(sys::STATUS_INVALID_DEVICE_STATE));
        kernel.power_up(id).unwrap();
        assert_eq!(
            script.take_seen(),
            [
                "d0 entry from d3",
                "enable",
                "post interrupts",
                "io restart"
            ]
        );
        script.signal.raise(0);
        kernel.quiesce();
        assert_eq!(script.services.load(Ordering::Relaxed), 1);
        kernel.power_down(id).unwrap();
        script.take_seen();
        kernel.remove_device(id).unwrap();
        let removed = [
            "query remove",
            "release",
            "io flush",
            "io cleanup",
            "cleanup",
            "destroy",
        ];
        assert_eq!(
            script.take_seen(),
            removed,
            "from D3 there is no way through D0"
        );
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
    }
}

#[test]
fn a_device_that_is_pulled_out_is_told_first() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 2,
            ..Script::default()
        },
        2,
    );
    script.take_seen();
    kernel.surprise_remove(id).unwrap();
    let mut expected = REMOVE;
    expected[0] = "surprise";
    assert_eq!(script.take_seen(), expected);
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_device_can_be_taken_through_its_life_in_halves() {
    let script = Script {
        interrupts: 2,
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let id = kernel.find_device(driver, device(&script, 2)).unwrap();
    assert_eq!(script.take_seen(), ["add"]);
    kernel.start_device(id).unwrap();
    assert_eq!(script.take_seen(), START[1..]);
    assert_eq!(
        kernel.start_device(id),
        Err(sys::STATUS_INVALID_DEVICE_STATE),
        "it is started once"
    );
    kernel.pull_out(id).unwrap();
    assert_eq!(script.take_seen(), ["surprise"]);
    kernel.discard_device(id).unwrap();
    assert_eq!(script.take_seen(), REMOVE[1..]);
    assert_eq!(
        kernel.discard_device(id),
        Err(sys::STATUS_NO_SUCH_DEVICE),
        "it is gone"
    );
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_device_that_does_not_start_stays_until_it_is_discarded() {
    let script = Script {
        fails: Some("prepare"),
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let id = kernel.find_device(driver, device(&script, 1)).unwrap();
    assert_eq!(kernel.start_device(id), Err(sys::STATUS_DEVICE_NOT_READY));
    assert_eq!(
        kernel.unload_driver(driver),
        Err(sys::STATUS_DEVICE_BUSY),
        "it is still there"
    );
    kernel.discard_device(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_driver_may_object_to_removal() {
    let (kernel, driver, _, id) = started(
        Script {
            fails: Some("query remove"),
            ..Script::default()
        },
        1,
    );
    assert_eq!(kernel.remove_device(id), Err(sys::STATUS_DEVICE_NOT_READY));
    kernel.surprise_remove(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_device_that_is_called_failed_is_torn_down() {
    let prepared: fn(_, _, _) = |device, _, _| {
        c!(WdfDeviceSetFailed(
            device,
            sys::_WDF_DEVICE_FAILED_ACTION::WdfDeviceFailedNoRestart
        ));
    };
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 1,
            prepared: Some(prepared),
            ..Script::default()
        },
        1,
    );
    let destroyed = || {
        script
            .seen
            .lock()
            .unwrap()
            .last()
            .is_some_and(|name| name == "destroy")
    };
    eventually("the removal", destroyed);
    eventually("its end", || {
        kernel.remove_device(id) == Err(sys::STATUS_NO_SUCH_DEVICE)
    });
    let seen = script.take_seen();
    let position = |name: &str| seen.iter().position(|seen| seen == name);
    assert!(position("io init") < position("surprise"), "{seen:?}");
    assert!(position("surprise") < position("d0 exit"), "{seen:?}");
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn processor_groups_count_from_windows_7_on() {
    fn second_group(list: sys::WDFIORESREQLIST) {
        let list = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        each(list, |_, index, mut descriptor| {
            descriptor.Flags |= sys::CM_RESOURCE_INTERRUPT_POLICY_INCLUDED as u16;
            descriptor.u.Interrupt.AffinityPolicy = 4 | 1 << 16;
            descriptor.u.Interrupt.TargetedProcessors = 0b110;
            c!(WdfIoResourceListUpdateDescriptor(
                list,
                &raw mut descriptor,
                index
            ));
        });
    }
    let every: Vec<u32> = (0..64).collect();
    for (os, group_size, expected, broken) in [
        (Os::VistaSp1, 64, &*every, 1),
        (Os::Win7, 64, &[65, 66], 0),
        (Os::Win7, 48, &[49, 50], 0),
    ] {
        let config = Config {
            os,
            processors: 96,
            group_size,
            ..Config::default()
        };
        let script = Script {
            interrupts: 1,
            filter_add: Some(second_group),
            ..Script::default()
        };
        let (kernel, driver, script) = boot_with(config, 387, script);
        let id = kernel.add_device(driver, device(&script, 1)).unwrap();
        assert_eq!(targets(&kernel, id), [expected]);
        // The one message; the line behind it has the same policy, and is not looked at.
        let named = kernel.take_violations(&pnp::violation::POLICY);
        assert_eq!(named.len(), broken, "{named:?}");
        end(kernel, driver, id);
    }
}

#[test]
fn processors_that_do_not_exist_are_named() {
    let (kernel, driver, _, id) = started(
        Script {
            interrupts: 2,
            policies: vec![1 << 9, 0b1_0010],
            ..Script::default()
        },
        2,
    );
    assert_eq!(targets(&kernel, id), [vec![0, 1, 2, 3], vec![1]]);
    assert_eq!(kernel.take_violations(&pnp::violation::PROCESSORS).len(), 1);
    end(kernel, driver, id);
}

fn extended_policy(_device: sys::WDFDEVICE, interrupts: &[sys::WDFINTERRUPT]) {
    let mut policy = sys::WDF_INTERRUPT_EXTENDED_POLICY {
        Size: 32,
        Policy: sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicySpecifiedProcessors,
        Priority: sys::_WDF_INTERRUPT_PRIORITY::WdfIrqPriorityNormal,
        TargetProcessorSetAndGroup: sys::GROUP_AFFINITY {
            Mask: 1,
            Group: 1,
            Reserved: [0; 3],
        },
    };
    c!(WdfInterruptSetExtendedPolicy(
        interrupts[0],
        &raw mut policy
    ));
}

#[test]
fn a_driver_calls_only_what_it_is_bound_with() {
    for (functions, expected, broken) in [(387, 0..64, 1), (396, 64..65, 0)] {
        let config = Config {
            processors: 96,
            ..Config::default()
        };
        let script = Script {
            interrupts: 1,
            added: Some(extended_policy),
            ..Script::default()
        };
        let (kernel, driver, script) = boot_with(config, functions, script);
        let id = kernel.add_device(driver, device(&script, 1)).unwrap();
        assert_eq!(targets(&kernel, id), [expected.collect::<Vec<u32>>()]);
        assert_eq!(kernel.take_violations(&wdf::violation::SLOT).len(), broken);
        end(kernel, driver, id);
    }
}

#[test]
fn a_function_that_is_not_simulated_says_its_name() {
    let added: fn(sys::WDFDEVICE, &[sys::WDFINTERRUPT]) = |device, _| {
        let status = c!(WdfDeviceCreateSymbolicLink(device, ptr::null()));
        assert_eq!(status, sys::STATUS_NOT_IMPLEMENTED);
        assert!(c!(WdfDeviceGetDefaultQueue(device)).is_null());
    };
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(added),
            ..Script::default()
        },
        1,
    );
    let violations = kernel.take_violations(&wdf::violation::NOT_SIMULATED);
    assert_eq!(violations.len(), 2);
    assert!(
        violations[0].detail.contains("WdfDeviceCreateSymbolicLink"),
        "{}",
        violations[0].detail
    );
    end(kernel, driver, id);
}

#[test]
fn binding_takes_released_counts_that_the_system_has() {
    static CASES: [(Os, &[(u32, bool)]); 3] = [
        (
            Os::VistaSp1,
            &[(387, true), (386, true), (388, false), (396, false)],
        ),
        (
            Os::Win7,
            &[(387, true), (396, true), (432, false), (458, false)],
        ),
        (
            Os::Win10,
            &[
                (387, true),
                (438, true),
                (443, false),
                (444, true),
                (458, true),
                (459, false),
            ],
        ),
    ];
    static BOUND: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static COUNTS: RefCell<&'static [(u32, bool)]> = const { RefCell::new(&[]) };
    }
    unsafe extern "system" fn bind_entry(
        object: *mut sys::DRIVER_OBJECT,
        path: *const sys::UNICODE_STRING,
    ) -> sys::NTSTATUS {
        for (count, fine) in COUNTS.with_borrow(|counts| *counts) {
            let mut table: Vec<sys::WDFFUNC> = vec![None; *count as usize + 1];
            let mut info = sys::WDF_BIND_INFO {
                Size: 48,
                FuncCount: *count,
                FuncTable: table.as_mut_ptr(),
                ..Default::default()
            };
            let mut globals = ptr::null_mut();
            let status = c!(WdfVersionBind(
                object,
                path.cast_mut(),
                &raw mut info,
                &raw mut globals
            ));
            assert_eq!(sys::NT_SUCCESS(status), *fine, "{count} functions");
            if !fine {
                assert_eq!(status, sys::STATUS_INVALID_PARAMETER);
                continue;
            }
            let filled = table.iter().filter(|function| function.is_some()).count();
            let form = if *count <= 438 { *count as usize } else { 1 };
            assert_eq!(filled, form, "{count} functions");
            assert_eq!(
                c!(WdfVersionUnbind(path.cast_mut(), &raw mut info, globals)),
                sys::STATUS_SUCCESS
            );
            BOUND.fetch_add(1, Ordering::Relaxed);
        }
        sys::STATUS_NO_MEMORY
    }
    for (os, counts) in CASES {
        COUNTS.set(counts);
        let kernel = Kernel::boot(Config {
            os,
            ..Config::default()
        });
        assert_eq!(
            kernel.load_driver("stub", bind_entry),
            Err(sys::STATUS_NO_MEMORY)
        );
        finish(kernel);
    }
    assert_eq!(BOUND.load(Ordering::Relaxed), 8);
}

#[test]
fn contexts_are_found_by_the_address_of_their_type() {
    static ORDER: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    unsafe extern "C" fn parent_cleanup(_object: sys::WDFOBJECT) {
        ORDER.lock().unwrap().push("parent cleanup");
    }
    unsafe extern "C" fn parent_destroy(_object: sys::WDFOBJECT) {
        ORDER.lock().unwrap().push("parent destroy");
    }
    unsafe extern "C" fn child_cleanup(_object: sys::WDFOBJECT) {
        ORDER.lock().unwrap().push("child cleanup");
    }
    unsafe extern "C" fn child_destroy(object: sys::WDFOBJECT) {
        assert!(!c!(WdfObjectGetTypedContextWorker(object, &raw const OTHER.0)).is_null());
        ORDER.lock().unwrap().push("child destroy");
    }
    fn use_contexts(device: sys::WDFDEVICE, _interrupts: &[sys::WDFINTERRUPT]) {
        let mut attributes = attributes();
        attributes.ParentObject = device.cast();
        attributes.EvtCleanupCallback = Some(parent_cleanup);
        attributes.EvtDestroyCallback = Some(parent_destroy);
        let mut parent = ptr::null_mut();
        assert_eq!(
            c!(WdfObjectCreate(&raw mut attributes, &raw mut parent)),
            sys::STATUS_SUCCESS
        );
        assert!(c!(WdfObjectGetTypedContextWorker(parent, &raw const OTHER.0)).is_null());

        attributes.ParentObject = parent;
        attributes.ContextTypeInfo = &raw const OTHER.0;
        attributes.EvtCleanupCallback = Some(child_cleanup);
        attributes.EvtDestroyCallback = Some(child_destroy);
        let mut child = ptr::null_mut();
        assert_eq!(
            c!(WdfObjectCreate(&raw mut attributes, &raw mut child)),
            sys::STATUS_SUCCESS
        );
        let memory = c!(WdfObjectGetTypedContextWorker(child, &raw const OTHER.0));
        assert_eq!(c!(WdfObjectContextGetObject(memory)), child);

        attributes.ParentObject = ptr::null_mut();
        let mut again = ptr::null_mut();
        let status = c!(WdfObjectAllocateContext(
            child,
            &raw mut attributes,
            &raw mut again
        ));
        assert_eq!((status, again), (sys::STATUS_OBJECT_NAME_EXISTS, memory));
        attributes.ContextTypeInfo = ptr::null();
        let status = c!(WdfObjectAllocateContext(
            child,
            &raw mut attributes,
            &raw mut again
        ));
        assert_eq!(status, sys::STATUS_OBJECT_NAME_INVALID);

        attributes.Size = 55;
        let status = c!(WdfObjectCreate(&raw mut attributes, &raw mut child));
        assert_eq!(status, sys::STATUS_INFO_LENGTH_MISMATCH);
        c!(WdfObjectDelete(parent));
    }
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(use_contexts),
            ..Script::default()
        },
        1,
    );
    let expected = [
        "child cleanup",
        "parent cleanup",
        "child destroy",
        "parent destroy",
    ];
    assert_eq!(*ORDER.lock().unwrap(), expected);
    end(kernel, driver, id);
}

#[test]
fn deferred_work_runs_at_its_level_and_is_over_when_its_object_is() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    static WORK: AtomicU32 = AtomicU32::new(0);
    static TICKS: AtomicU32 = AtomicU32::new(0);
    static QUEUED: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" fn call(dpc: sys::WDFDPC) {
        assert_eq!(c!(KeGetCurrentIrql()), 2);
        assert!(!c!(WdfDpcGetParentObject(dpc)).is_null());
        CALLS.fetch_add(1, Ordering::Relaxed);
    }
    unsafe extern "C" fn work(item: sys::WDFWORKITEM) {
        assert_eq!(c!(KeGetCurrentIrql()), 0);
        if !QUEUED.swap(true, Ordering::Relaxed) {
            c!(WdfWorkItemEnqueue(item));
        }
        WORK.fetch_add(1, Ordering::Relaxed);
    }
    unsafe extern "C" fn tick(_timer: sys::WDFTIMER) {
        assert_eq!(c!(KeGetCurrentIrql()), 2);
        TICKS.fetch_add(1, Ordering::Relaxed);
    }
    fn defer(device: sys::WDFDEVICE, _interrupts: &[sys::WDFINTERRUPT]) {
        let mut config = sys::WDF_DPC_CONFIG {
            Size: 24,
            EvtDpcFunc: Some(call),
            AutomaticSerialization: 1,
        };
        let mut dpc = ptr::null_mut();
        let status = c!(WdfDpcCreate(&raw mut config, ptr::null_mut(), &raw mut dpc));
        assert_eq!(status, sys::STATUS_WDF_PARENT_NOT_SPECIFIED);
        let mut attributes = attributes();
        attributes.ParentObject = device.cast();
        assert_eq!(
            c!(WdfDpcCreate(
                &raw mut config,
                &raw mut attributes,
                &raw mut dpc
            )),
            sys::STATUS_SUCCESS
        );
        assert_eq!(c!(WdfDpcEnqueue(dpc)), 1);

        let mut config = sys::WDF_WORKITEM_CONFIG {
            Size: 24,
            EvtWorkItemFunc: Some(work),
            AutomaticSerialization: 1,
        };
        let mut item = ptr::null_mut();
        let status = c!(WdfWorkItemCreate(
            &raw mut config,
            &raw mut attributes,
            &raw mut item
        ));
        assert_eq!(status, sys::STATUS_SUCCESS);
        c!(WdfWorkItemEnqueue(item));

        let mut config = sys::WDF_TIMER_CONFIG {
            Size: sys::WDF_TIMER_CONFIG_SIZE_V1_7,
            EvtTimerFunc: Some(tick),
            Period: 1,
            AutomaticSerialization: 1,
            ..Default::default()
        };
        let mut timer = ptr::null_mut();
        let status = c!(WdfTimerCreate(
            &raw mut config,
            &raw mut attributes,
            &raw mut timer
        ));
        assert_eq!(status, sys::STATUS_SUCCESS);
        assert_eq!(c!(WdfTimerStart(timer, -10_000)), 0);

        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfSpinLockCreate(&raw mut attributes, &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        c!(WdfSpinLockAcquire(lock));
        assert_eq!(c!(KeGetCurrentIrql()), 2);
        c!(WdfSpinLockRelease(lock));
        assert_eq!(c!(KeGetCurrentIrql()), 0);
        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfWaitLockCreate(&raw mut attributes, &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfWaitLockAcquire(lock, ptr::null_mut())),
            sys::STATUS_SUCCESS
        );
        c!(WdfWaitLockRelease(lock));
    }
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(defer),
            ..Script::default()
        },
        1,
    );
    eventually("a second tick", || TICKS.load(Ordering::Relaxed) >= 2);
    kernel.remove_device(id).unwrap();
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    assert_eq!(
        WORK.load(Ordering::Relaxed),
        2,
        "an item may queue itself again"
    );
    let ticks = TICKS.load(Ordering::Relaxed);
    thread::sleep(Duration::from_millis(5));
    assert_eq!(
        TICKS.load(Ordering::Relaxed),
        ticks,
        "a deleted timer does not tick"
    );
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn levels_are_checked_on_entry() {
    let added: fn(sys::WDFDEVICE, &[sys::WDFINTERRUPT]) = |device, _| {
        let old = c!(KfRaiseIrql(2));
        c!(WdfFdoInitSetFilter(device.cast()));
        c!(KeLowerIrql(old));
    };
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(added),
            ..Script::default()
        },
        1,
    );
    let violations = kernel.take_violations(&ke::violation::LEVEL);
    assert_eq!(rules(&violations), ["ke::level"]);
    assert!(
        violations[0].detail.contains("WdfFdoInitSetFilter"),
        "{}",
        violations[0].detail
    );
    assert_eq!(
        kernel.take_violations(&wdf::violation::HANDLE).len(),
        1,
        "a device is no init structure"
    );
    end(kernel, driver, id);
}

#[test]
fn the_doorbell_rings_by_message_and_by_line() {
    let signal = Signal::new();
    let doorbell = Doorbell::new(4, signal.clone());
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 4,
            signal,
            ..Script::default()
        },
    );
    let config = DeviceConfig {
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model: Arc::clone(&doorbell) as Arc<dyn Registers>,
        }],
        ..device(&script, 4)
    };
    let id = kernel.add_device(driver, config).unwrap();
    assert_eq!(
        (doorbell.read(0), doorbell.read(4)),
        (Doorbell::IDENTITY, 4)
    );
    doorbell.write(0x204, 1);
    assert_eq!(
        doorbell.read(8),
        2,
        "the status is set, whether interrupts are enabled or not"
    );
    doorbell.write(8, 2);
    assert_eq!(doorbell.read(8), 0);
    doorbell.write(0xC, 3);
    doorbell.write(0x108, 0);
    doorbell.write(0x208, 1);
    doorbell.write(0x20C, 1);
    kernel.quiesce();
    let delivered: Vec<u64> = kernel
        .interrupts(id)
        .iter()
        .map(|report| report.delivered.values().sum())
        .collect();
    assert_eq!(delivered, [1, 0, 0, 1]);
    doorbell.write(0x10, 1);
    assert_eq!(
        (doorbell.read(8), doorbell.read(0xC), doorbell.read(0x108)),
        (0, 0, 2)
    );
    end(kernel, driver, id);
}

#[test]
fn no_service_routine_and_no_dpc_run_outside_d0() {
    for messages in [2, 0] {
        let script = Script {
            interrupts: 2,
            ..Script::default()
        };
        let (kernel, driver, script) = boot(Os::Win7, script);
        let id = kernel
            .add_device(driver, device(&script, messages))
            .unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            // Also if something fails, or the scope would not end.
            let _end = Set(&over);
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    script.signal.raise(0);
                    script.signal.raise(1);
                    script.signal.line(true);
                    thread::sleep(Duration::from_micros(20));
                }
            });
            eventually("an interrupt", || {
                script.services.load(Ordering::Relaxed) > 0
            });
            for _ in 0..50 {
                kernel.power_down(id).unwrap();
                kernel.power_up(id).unwrap();
                kernel.stop_device(id).unwrap();
                kernel.restart_device(id, None).unwrap();
            }
            kernel.surprise_remove(id).unwrap();
        });
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
    }
}

#[test]
fn a_storm_of_interrupts_does_not_hold_up_a_power_down() {
    let script = Script {
        interrupts: 2,
        storm: AtomicU32::new(3_000_000),
        ..Script::default()
    };
    let (kernel, driver, script, id) = started(script, 2);
    let levels: Vec<u8> = kernel
        .interrupts(id)
        .iter()
        .map(|report| report.irql)
        .collect();
    assert!(
        levels[0] < levels[1],
        "the storm begins in a service routine that it cuts into: {levels:?}"
    );
    script.signal.raise(0);
    eventually("an interrupt", || {
        script.services.load(Ordering::Relaxed) > 0
    });
    kernel.power_down(id).unwrap();
    assert_ne!(
        script.storm.load(Ordering::Relaxed),
        0,
        "the storm was over before the power was down"
    );
    assert_ne!(
        script.calls.load(Ordering::Relaxed),
        0,
        "DPCs had their turn"
    );
    end(kernel, driver, id);
}

#[test]
fn interrupts_that_are_over_do_not_bring_a_dpc_forward() {
    let script = Script {
        interrupts: 1,
        unclaimed: AtomicBool::new(true),
        ..Script::default()
    };
    let (kernel, driver, script, id) = started(script, 1);
    for _ in 0..1000 {
        script.signal.raise(0);
    }
    kernel.quiesce();
    script.unclaimed.store(false, Ordering::Relaxed);
    script.storm.store(50, Ordering::Relaxed);
    script.signal.raise(0);
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 1051);
    assert_eq!(
        script.calls.load(Ordering::Relaxed),
        1,
        "a DPC comes after the interrupts that wait"
    );
    end(kernel, driver, id);
}

#[test]
fn messages_that_wait_without_end_are_merged() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 1,
            ..Script::default()
        },
        1,
    );
    let signal = script.signal.clone();
    kernel.run_dpc_on(0, move || {
        for _ in 0..10_003 {
            signal.raise(0);
        }
    });
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 10_000);
    let events = kernel.events();
    let told = events.iter().filter(|event| event.what.contains("merged"));
    assert_eq!(told.count(), 1);
    script.signal.raise(0);
    kernel.quiesce();
    assert_eq!(
        script.services.load(Ordering::Relaxed),
        10_001,
        "what comes later is served again"
    );
    end(kernel, driver, id);
}

#[test]
fn a_line_that_is_claimed_and_stays_asserted_is_named() {
    let script = Script {
        interrupts: 1,
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    // The service routine deasserts the script's signal, which is not the device's.
    let signal = Signal::new();
    let config = DeviceConfig {
        signal: signal.clone(),
        ..device(&script, 0)
    };
    let id = kernel.add_device(driver, config).unwrap();
    signal.line(true);
    kernel.quiesce();
    assert_eq!(kernel.take_violations(&pnp::violation::STUCK).len(), 1);
    end(kernel, driver, id);
}

#[test]
fn a_device_pulled_out_while_it_asserts_its_line_is_silent() {
    let script = Script {
        interrupts: 1,
        outlasted: true,
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let signal = Signal::new();
    let config = DeviceConfig {
        signal: signal.clone(),
        ..device(&script, 0)
    };
    let id = kernel.add_device(driver, config).unwrap();
    signal.line(true);
    eventually("the service", || {
        script.services.load(Ordering::Relaxed) > 0
    });
    kernel.surprise_remove(id).unwrap();
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 1);
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}
