//! Rules of the framework, each broken by a driver in the manner of C: functions beyond the bound version, requests, the life
//! of objects; and what the Plug and Play manager says of a device.
#![expect(unsafe_code, reason = "a driver in the manner of C")]

use std::cell::RefCell;
use std::ptr;
use std::sync::Mutex;

use nmr_netdma::sys;
use simkernel::pnp::{DeviceConfig, DeviceId, DriverId};
use simkernel::wdf::{ControlRequest, violation};
use simkernel::{Config, Kernel, Os, Rule, pnp};

/// Calls a C function. The driver keeps the function's rules, or breaks one on purpose.
macro_rules! c {
    ($function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: pointers among the arguments are to locals that live through the call, to what the framework handed out,
        // or are the wrong ones that the test is about, which the simulated framework does not follow.
        unsafe { sys::$function($($argument),*) }
    };
}

type Added = Box<dyn Fn(sys::WDFDEVICE)>;
type Control = fn(sys::WDFQUEUE, sys::WDFREQUEST);

thread_local! {
    /// Runs in EvtDriverDeviceAdd.
    static ADDED: RefCell<Option<Added>> = const { RefCell::new(None) };
    /// Runs in EvtIoDeviceControl, which comes on the thread that sends the request.
    static CONTROL: RefCell<Option<Control>> = const { RefCell::new(None) };
}

unsafe extern "system" fn entry(
    object: *mut sys::DRIVER_OBJECT,
    path: *const sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let mut config = sys::WDF_DRIVER_CONFIG {
        Size: 32,
        EvtDriverDeviceAdd: Some(device_add),
        EvtDriverUnload: Some(unload),
        ..Default::default()
    };
    c!(WdfDriverCreate(
        object,
        path,
        ptr::null_mut(),
        &raw mut config,
        ptr::null_mut()
    ))
}

unsafe extern "C" fn unload(_driver: sys::WDFDRIVER) {}

unsafe extern "C" fn device_add(
    _driver: sys::WDFDRIVER,
    mut init: sys::PWDFDEVICE_INIT,
) -> sys::NTSTATUS {
    let mut device = ptr::null_mut();
    let status = c!(WdfDeviceCreate(
        &raw mut init,
        ptr::null_mut(),
        &raw mut device
    ));
    ADDED.with_borrow(|added| {
        if let Some(added) = added {
            added(device);
        }
    });
    status
}

unsafe extern "C" fn device_control(
    queue: sys::WDFQUEUE,
    request: sys::WDFREQUEST,
    _output: usize,
    _input: usize,
    _code: sys::ULONG,
) {
    let control = CONTROL.with_borrow(|control| *control);
    control.unwrap()(queue, request);
}

struct Machine {
    kernel: Kernel,
    driver: DriverId,
    device: DeviceId,
}

impl Machine {
    fn new(os: Os, functions: u32, added: impl Fn(sys::WDFDEVICE) + 'static) -> Self {
        ADDED.set(Some(Box::new(added)));
        let kernel = Kernel::boot(Config {
            os,
            ..Config::default()
        });
        let driver = kernel
            .load_driver_bound("sample", entry, functions)
            .unwrap();
        let config = DeviceConfig {
            name: "device".into(),
            ..DeviceConfig::default()
        };
        let device = kernel.add_device(driver, config).unwrap();
        Self {
            kernel,
            driver,
            device,
        }
    }

    /// That `rule` was broken, so often.
    #[track_caller]
    fn broke(&self, rule: &Rule, times: usize) {
        let violations = self.kernel.take_violations(rule);
        assert_eq!(violations.len(), times, "{violations:?}");
    }

    fn finish(self) {
        // Removed already by some.
        let _ = self.kernel.remove_device(self.device);
        self.kernel.unload_driver(self.driver).unwrap();
        ADDED.set(None);
        CONTROL.set(None);
        let verdict = self.kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

/// The versions of the framework that add functions: how many there are, and the first system that has them.
const VERSIONS: [(&str, u32, Os); 5] = [
    ("1.7", 387, Os::VistaSp1),
    ("1.9", 396, Os::Win7),
    ("1.11", 432, Os::Win10),
    ("1.15", 444, Os::Win10),
    ("1.31", 458, Os::Win10),
];

/// Calls whatever is in a slot, as a function without further arguments.
fn call(slot: u32) {
    // SAFETY: the table has an entry for every slot of the newest version.
    let function = unsafe { sys::wdf_function(slot as i32) }.unwrap();
    type Any = unsafe extern "C" fn(sys::PWDF_DRIVER_GLOBALS) -> u64;
    // SAFETY: both are function pointers; those in the slots that are called here take no more.
    let function: Any = unsafe { std::mem::transmute(function) };
    // SAFETY: the driver is bound.
    let globals = unsafe { sys::wdf_driver_globals() };
    // SAFETY: the first argument is what every function takes.
    unsafe { function(globals) };
}

/// A slot of this version that no function of the simulated framework is in.
fn last_slot_of(functions: u32) -> u32 {
    match functions {
        387 => 386,
        396 => 395,
        432 => 431,
        444 => 443,
        _ => 457,
    }
}

#[test]
fn a_driver_calls_up_to_the_last_function_of_the_version_that_it_is_bound_with() {
    for (version, functions, os) in VERSIONS {
        let last = last_slot_of(functions);
        let machine = Machine::new(os, functions, move |_| call(last));
        machine.broke(&violation::NOT_SIMULATED, 1);
        assert!(machine.kernel.violations().is_empty(), "{version}");
        machine.finish();
    }
}

#[test]
fn a_function_of_a_later_version_is_a_violation_whatever_the_system_has() {
    for (version, functions, _) in VERSIONS {
        let later = VERSIONS.iter().filter(|(_, more, _)| *more > functions);
        for (_, more, os) in later {
            for slot in [functions + 1, more - 1] {
                let machine = Machine::new(*os, functions, move |_| call(slot));
                let violations = machine.kernel.take_violations(&violation::SLOT);
                assert_eq!(violations.len(), 1, "slot {slot} of {version}");
                let bound = format!("bound with {functions} functions");
                assert!(violations[0].detail.contains(&bound), "{violations:?}");
                machine.finish();
            }
        }
    }
}

#[test]
fn a_driver_is_told_which_versions_its_system_has() {
    for (os, newest) in [(Os::VistaSp1, 7), (Os::Win7, 9), (Os::Win10, 31)] {
        let machine = Machine::new(os, 387, move |device| {
            let driver = c!(WdfDeviceGetDriver(device));
            let available = |major, minor| {
                let mut version = sys::WDF_DRIVER_VERSION_AVAILABLE_PARAMS {
                    Size: 12,
                    MajorVersion: major,
                    MinorVersion: minor,
                };
                c!(WdfDriverIsVersionAvailable(driver, &raw mut version)) != 0
            };
            assert!(available(1, 7) && available(1, newest), "{os:?}");
            assert!(!available(1, newest + 1) && !available(2, 0), "{os:?}");
        });
        machine.finish();
    }
}

#[test]
fn a_driver_of_a_later_version_than_the_systems_is_not_loaded() {
    for (os, functions) in [(Os::VistaSp1, 396), (Os::Win7, 432), (Os::Win7, 458)] {
        let kernel = Kernel::boot(Config {
            os,
            ..Config::default()
        });
        let loaded = kernel.load_driver_bound("sample", entry, functions);
        assert_eq!(loaded, Err(sys::STATUS_INVALID_PARAMETER));
        assert!(kernel.shutdown().is_clean());
    }
}

static CLASS: sys::GUID = sys::GUID {
    Data1: 1,
    Data2: 2,
    Data3: 3,
    Data4: [4; 8],
};
const CODE: u32 = 0x0022_2000;

fn queue_config(dispatch: i32) -> sys::WDF_IO_QUEUE_CONFIG {
    let manual = dispatch == sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual;
    sys::WDF_IO_QUEUE_CONFIG {
        Size: 80,
        DispatchType: dispatch,
        PowerManaged: sys::_WDF_TRI_STATE::WdfUseDefault,
        DefaultQueue: u8::from(!manual),
        EvtIoDeviceControl: if manual { None } else { Some(device_control) },
        ..Default::default()
    }
}

/// A machine whose device has a default queue of this sort and an interface.
fn with_queue(dispatch: i32, control: Control) -> Machine {
    CONTROL.set(Some(control));
    Machine::new(Os::Win7, 387, move |device| {
        let mut config = queue_config(dispatch);
        let status = c!(WdfIoQueueCreate(
            device,
            &raw mut config,
            ptr::null_mut(),
            ptr::null_mut()
        ));
        assert_eq!(status, sys::STATUS_SUCCESS);
        let status = c!(WdfDeviceCreateDeviceInterface(
            device,
            &raw const CLASS,
            ptr::null()
        ));
        assert_eq!(status, sys::STATUS_SUCCESS);
    })
}

const PARALLEL: i32 = sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchParallel;
const SEQUENTIAL: i32 = sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchSequential;
const MANUAL: i32 = sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual;

fn send(machine: &Machine, code: u32, room: usize) -> Result<Vec<u8>, sys::NTSTATUS> {
    machine
        .kernel
        .device_control(machine.device, &CLASS, code, b"abc", room)
}

#[test]
fn a_request_is_completed_once() {
    let machine = with_queue(PARALLEL, |_, request| {
        c!(WdfRequestComplete(request, sys::STATUS_SUCCESS));
        c!(WdfRequestComplete(request, sys::STATUS_SUCCESS));
    });
    assert_eq!(send(&machine, CODE, 0), Ok(vec![]));
    machine.broke(&violation::HANDLE, 1);
    machine.finish();
}

#[test]
fn a_request_is_not_used_after_its_completion() {
    let machine = with_queue(PARALLEL, |_, request| {
        c!(WdfRequestComplete(request, sys::STATUS_SUCCESS));
        let (mut buffer, mut length) = (ptr::null_mut(), 0);
        let status = c!(WdfRequestRetrieveInputBuffer(
            request,
            1,
            &raw mut buffer,
            &raw mut length
        ));
        assert_ne!(status, sys::STATUS_SUCCESS);
    });
    assert_eq!(send(&machine, CODE, 0), Ok(vec![]));
    machine.broke(&violation::HANDLE, 1);
    machine.finish();
}

#[test]
fn a_request_is_not_completed_with_more_than_its_buffer_holds_nor_as_pending() {
    let machine = with_queue(PARALLEL, |_, request| {
        c!(WdfRequestCompleteWithInformation(
            request,
            sys::STATUS_SUCCESS,
            5
        ));
    });
    assert_eq!(send(&machine, CODE, 3), Ok(b"abc".to_vec()));
    machine.broke(&violation::REQUEST, 1);
    machine.finish();

    let machine = with_queue(PARALLEL, |_, request| {
        c!(WdfRequestComplete(request, sys::STATUS_PENDING));
    });
    assert_eq!(send(&machine, CODE, 3), Ok(vec![]));
    machine.broke(&violation::VALUE, 1);
    machine.finish();
}

#[test]
fn the_rest_of_an_output_buffer_is_garbage() {
    let machine = with_queue(PARALLEL, |_, request| {
        c!(WdfRequestCompleteWithInformation(
            request,
            sys::STATUS_SUCCESS,
            5
        ));
    });
    assert_eq!(send(&machine, CODE, 5), Ok(b"abc\xA5\xA5".to_vec()));
    machine.finish();
}

#[test]
fn a_buffer_that_is_too_short_or_of_the_programs_own_is_not_given() {
    let machine = with_queue(PARALLEL, |_, request| {
        let (mut buffer, mut length) = (ptr::null_mut(), 0);
        let input = c!(WdfRequestRetrieveInputBuffer(
            request,
            4,
            &raw mut buffer,
            &raw mut length
        ));
        let output = c!(WdfRequestRetrieveOutputBuffer(
            request,
            0,
            &raw mut buffer,
            &raw mut length
        ));
        assert_eq!(input, output);
        c!(WdfRequestComplete(request, input));
    });
    let short = send(&machine, CODE, 0);
    assert_eq!(short, Err(sys::STATUS_BUFFER_TOO_SMALL));
    let neither = send(&machine, CODE | 3, 9);
    assert_eq!(neither, Err(sys::STATUS_INVALID_DEVICE_REQUEST));
    machine.finish();
}

static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());

#[test]
fn a_sequential_queue_presents_the_next_request_when_the_last_is_completed() {
    let machine = with_queue(SEQUENTIAL, |_, request| {
        KEPT.lock().unwrap().push(request.addr());
    });
    let sent: Vec<ControlRequest> = (0..3)
        .map(|_| {
            machine
                .kernel
                .send_device_control(machine.device, &CLASS, CODE, b"", 0)
                .unwrap()
        })
        .collect();
    for presented in 1..=3 {
        let kept = KEPT.lock().unwrap().clone();
        assert_eq!(kept.len(), presented);
        let request = ptr::without_provenance_mut(kept[presented - 1]);
        c!(WdfRequestComplete(request, sys::STATUS_SUCCESS));
    }
    assert!(sent.iter().all(ControlRequest::is_done));
    machine.finish();
}

#[test]
fn a_request_that_the_driver_keeps_while_its_device_goes_is_named() {
    let machine = with_queue(PARALLEL, |_, request| {
        REQUEST.with_borrow_mut(|kept| *kept = request);
    });
    let request = machine
        .kernel
        .send_device_control(machine.device, &CLASS, CODE, b"", 0)
        .unwrap();
    machine.kernel.power_down(machine.device).unwrap();
    machine.broke(&violation::REQUEST_HELD, 1);
    REQUEST.with_borrow(|kept| c!(WdfRequestComplete(*kept, sys::STATUS_SUCCESS)));
    assert_eq!(request.wait(), Ok(vec![]));
    machine.finish();
}

thread_local! {
    static REQUEST: RefCell<sys::WDFREQUEST> = const { RefCell::new(ptr::null_mut()) };
}

#[test]
fn what_makes_no_queue_is_refused() {
    let machine = Machine::new(Os::Win7, 387, |device| {
        let refused = |config: sys::WDF_IO_QUEUE_CONFIG, expected| {
            let mut config = config;
            let status = c!(WdfIoQueueCreate(
                device,
                &raw mut config,
                ptr::null_mut(),
                ptr::null_mut()
            ));
            assert_eq!(status, expected);
        };
        let sized = |size| sys::WDF_IO_QUEUE_CONFIG {
            Size: size,
            ..queue_config(PARALLEL)
        };
        refused(sized(79), sys::STATUS_INFO_LENGTH_MISMATCH);
        refused(sized(96), sys::STATUS_INFO_LENGTH_MISMATCH);
        refused(queue_config(0), sys::STATUS_INVALID_PARAMETER);
        refused(queue_config(4), sys::STATUS_INVALID_PARAMETER);
        refused(queue_config(MANUAL), sys::STATUS_INVALID_PARAMETER_4);
        let silent = sys::WDF_IO_QUEUE_CONFIG {
            EvtIoDeviceControl: None,
            ..queue_config(PARALLEL)
        };
        refused(silent, sys::STATUS_WDF_NO_CALLBACK);
    });
    machine.finish();
}

#[test]
fn a_timer_is_not_started_when_the_framework_has_stopped_it() {
    thread_local! {
        static TIMER: RefCell<sys::WDFTIMER> = const { RefCell::new(ptr::null_mut()) };
    }
    unsafe extern "C" fn expired(_timer: sys::WDFTIMER) {}
    unsafe extern "C" fn cleanup(_timer: sys::WDFOBJECT) {
        TIMER.with_borrow(|timer| c!(WdfTimerStart(*timer, -1)));
    }

    let machine = Machine::new(Os::Win7, 387, |device| {
        let mut config = sys::WDF_TIMER_CONFIG {
            Size: 24,
            EvtTimerFunc: Some(expired),
            ..Default::default()
        };
        let mut attributes = sys::WDF_OBJECT_ATTRIBUTES {
            Size: 56,
            EvtCleanupCallback: Some(cleanup),
            ExecutionLevel: 1,
            SynchronizationScope: 1,
            ParentObject: device.cast(),
            ..Default::default()
        };
        let mut timer = ptr::null_mut();
        let status = c!(WdfTimerCreate(
            &raw mut config,
            &raw mut attributes,
            &raw mut timer
        ));
        assert_eq!(status, sys::STATUS_SUCCESS);
        TIMER.set(timer);
    });
    machine.kernel.remove_device(machine.device).unwrap();
    machine.broke(&violation::DELETED, 1);
    machine.finish();
}

/// A property of the device, with room for so many bytes; what was said of its length.
fn property(
    device: sys::PDEVICE_OBJECT,
    which: i32,
    room: usize,
) -> (Result<Vec<u8>, sys::NTSTATUS>, u32) {
    let mut buffer = vec![0; room];
    let mut length = 0;
    let status = c!(IoGetDeviceProperty(
        device,
        which,
        room as u32,
        buffer.as_mut_ptr().cast(),
        &raw mut length
    ));
    let value = if status == sys::STATUS_SUCCESS {
        buffer.truncate(length as usize);
        Ok(buffer)
    } else {
        Err(status)
    };
    (value, length)
}

#[test]
fn a_device_has_properties() {
    use sys::DEVICE_REGISTRY_PROPERTY as properties;

    let machine = Machine::new(Os::Win7, 387, |device| {
        let physical = c!(WdfDeviceWdmGetPhysicalDevice(device));
        let text = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16().chain([0]);
            units.flat_map(u16::to_le_bytes).collect()
        };
        let (value, length) = property(physical, properties::DevicePropertyDeviceDescription, 99);
        assert_eq!((value, length), (Ok(text("device")), 14));
        let (value, length) = property(physical, properties::DevicePropertyDeviceDescription, 13);
        assert_eq!((value, length), (Err(sys::STATUS_BUFFER_TOO_SMALL), 14));
        let (value, _) = property(physical, properties::DevicePropertyEnumeratorName, 8);
        assert_eq!(value, Ok(text("PCI")));
        let (value, _) = property(physical, properties::DevicePropertyLegacyBusType, 4);
        assert_eq!(value, Ok(vec![5, 0, 0, 0]));
        let (value, _) = property(physical, properties::DevicePropertyFriendlyName, 4);
        assert_eq!(value, Err(sys::STATUS_OBJECT_NAME_NOT_FOUND));
        for which in [-1, 23] {
            let (value, _) = property(physical, which, 4);
            assert_eq!(value, Err(sys::STATUS_INVALID_PARAMETER_2));
        }
        let own = c!(WdfDeviceWdmGetDeviceObject(device));
        let (value, _) = property(own, properties::DevicePropertyAddress, 4);
        assert_eq!(value, Err(sys::STATUS_INVALID_DEVICE_REQUEST));
    });
    machine.broke(&pnp::violation::DEVICE, 1);
    let name: Vec<u16> = "IoGetDeviceProperty".encode_utf16().collect();
    let mut name = sys::UNICODE_STRING {
        Length: 2 * name.len() as u16,
        MaximumLength: 2 * name.len() as u16,
        Buffer: name.as_ptr().cast_mut(),
    };
    assert!(!c!(MmGetSystemRoutineAddress(&raw mut name)).is_null());
    machine.finish();
}
