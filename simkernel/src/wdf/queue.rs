//! I/O queues and device interfaces.
//!
//! # Design
//!
//! * **Device control only.** A program finds a device by an interface that its driver enabled, sends a control code with a buffer
//!   and gets one back. Files, reads, writes and internal requests do not exist.
//! * **A request is presented on the thread that sends it**, at PASSIVE_LEVEL or, when the seed says so and the queue's execution level
//!   allows it, at DISPATCH_LEVEL.
//! * **A buffer begins with what was sent, and is garbage from there on**, as pool memory is.
//! * **Who waits for a driver's requests gives up.** A device does not leave D0 while its driver has a request of a power-managed queue, nor
//!   go while it has any. Windows waits for ever; here that is said after a while, and the device goes on.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use nmr_netdma::sys;

use super::device::Device;
use super::object::{Object, Parent, Payload, Ref, attributes, create};
use super::request::{Holder, Request, finish};
use super::{Call, DISPATCH, PASSIVE, callback, violation};
use crate::ke;
use crate::kernel::Machine;
use crate::platform::{self, Condvar, Mutex};
use crate::pnp::node::Phase;

/// Nanoseconds to wait for a driver's requests.
const PATIENCE: u64 = 3_000_000_000;

const MANUAL: i32 = sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual;
const SEQUENTIAL: i32 = sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchSequential;

/// WDFQUEUE
pub(super) struct Queue {
    config: sys::WDF_IO_QUEUE_CONFIG,
    power_managed: bool,
    /// The execution level is PASSIVE_LEVEL.
    passive: bool,
    /// The device's.
    name: String,
    pub(super) state: Mutex<State>,
    changed: Condvar,
}

// SAFETY: the pointers in it are callbacks, which any thread may use.
unsafe impl Send for Queue {}
// SAFETY: as for `Send`.
unsafe impl Sync for Queue {}

pub(super) struct State {
    pub(super) waiting: VecDeque<Ref<Request>>,
    /// Requests that the driver has from here.
    owned: usize,
    /// The device is not in D0.
    held: bool,
    /// The device is going.
    pub(super) purged: bool,
    /// A thread presents requests, of a queue that does so one by one.
    presenting: bool,
}

/// Puts a request into a queue, which presents it if it can.
pub(super) fn enqueue(machine: &Arc<Machine>, queue: &Ref<Queue>, request: Ref<Request>) {
    let mut state = queue.state.lock();
    if state.purged {
        drop(state);
        finish(machine, &request, Err(sys::STATUS_CANCELLED));
        return;
    }
    *request.holder.lock() = Holder::Queue(queue.object().handle);
    state.waiting.push_back(request);
    drop(state);
    present(machine, queue);
}

/// Presents what waits, as far as the queue may.
pub(super) fn present(machine: &Arc<Machine>, queue: &Ref<Queue>) {
    static PRESENTED: AtomicU64 = AtomicU64::new(0);

    let sequential = queue.config.DispatchType == SEQUENTIAL;
    loop {
        let request = {
            let mut state = queue.state.lock();
            let busy = sequential && (state.owned > 0 || state.presenting);
            if queue.config.DispatchType == MANUAL || state.held || busy {
                return;
            }
            let Some(request) = state.waiting.pop_front() else {
                return;
            };
            state.owned += 1;
            state.presenting = true;
            *request.holder.lock() = Holder::Driver(queue.object().handle);
            request
        };
        // Its program may send the next before this one is completed, or find it completed before the callback returns.
        let number = PRESENTED.fetch_add(1, Ordering::Relaxed);
        let raised = (machine.config.seed ^ number)
            .count_ones()
            .is_multiple_of(2);
        let level = if raised && !queue.passive {
            2
        } else {
            ke::irql()
        };
        let (handle, key) = (queue.handle(), queue.object().handle);
        if let Some(routine) = queue.config.EvtIoDeviceControl {
            callback("EvtIoDeviceControl", &queue.name, key, level, || {
                // SAFETY: the driver gave this routine for this queue; the request is the driver's until it is completed.
                unsafe {
                    routine(
                        handle,
                        request.handle(),
                        request.output_length,
                        request.input_length,
                        request.code,
                    )
                }
            });
        } else if let Some(routine) = queue.config.EvtIoDefault {
            callback("EvtIoDefault", &queue.name, key, level, || {
                // SAFETY: as above.
                unsafe { routine(handle, request.handle()) }
            });
        } else {
            give_up(queue);
            finish(machine, &request, Err(sys::STATUS_INVALID_DEVICE_REQUEST));
        }
        queue.state.lock().presenting = false;
    }
}

/// The driver has one request less from this queue.
pub(super) fn give_up(queue: &Queue) {
    let mut state = queue.state.lock();
    state.owned = state.owned.saturating_sub(1);
    queue.changed.notify_all();
}

impl Queue {
    /// Waits until the driver has no request from here.
    fn wait_for_driver(&self, machine: &Machine, why: &str) {
        let limit = platform::now() + PATIENCE;
        let mut state = self.state.lock();
        while state.owned > 0 {
            let Some(left) = limit.checked_sub(platform::now()).filter(|left| *left > 0) else {
                let owned = state.owned;
                drop(state);
                machine.violated(
                    &violation::REQUEST_HELD,
                    format_args!("{} is to {why}, its driver has {owned} requests", self.name),
                );
                return;
            };
            state = self.changed.wait_timeout(state, Duration::from_nanos(left));
        }
    }
}

/// The queues of a device.
fn queues(device: &Ref<Device>, power_managed: bool) -> Vec<Ref<Queue>> {
    let children = device.object().children().into_iter();
    children
        .filter_map(Ref::<Queue>::new)
        .filter(|queue| queue.power_managed == power_managed)
        .collect()
}

/// Power-managed queues present nothing from here on, and the driver has none of their requests any more.
pub(super) fn hold(machine: &Arc<Machine>, device: &Ref<Device>) {
    let queues = queues(device, true);
    for queue in &queues {
        queue.state.lock().held = true;
    }
    for queue in &queues {
        queue.wait_for_driver(machine, "leave D0");
    }
}

/// Power-managed queues present again.
pub(super) fn release(machine: &Arc<Machine>, device: &Ref<Device>) {
    for queue in queues(device, true) {
        queue.state.lock().held = false;
        present(machine, &queue);
    }
}

/// Ends what waits in the device's queues and waits for the driver to complete the rest. Nothing is taken from here on.
pub(super) fn purge(machine: &Arc<Machine>, device: &Ref<Device>, power_managed: bool) {
    for queue in queues(device, power_managed) {
        let waiting = {
            let mut state = queue.state.lock();
            state.purged = true;
            core::mem::take(&mut state.waiting)
        };
        for request in waiting {
            finish(machine, &request, Err(sys::STATUS_CANCELLED));
        }
        queue.wait_for_driver(machine, "go");
    }
}

/// The interfaces of a device, and whether programs see them.
#[derive(Default)]
pub(super) struct Interfaces(Mutex<(bool, Vec<sys::GUID>)>);

impl Interfaces {
    pub(super) fn enable(&self, enabled: bool) {
        self.0.lock().0 = enabled;
    }

    pub(super) fn enabled(&self) -> Vec<sys::GUID> {
        let interfaces = self.0.lock();
        if interfaces.0 {
            interfaces.1.clone()
        } else {
            Vec::new()
        }
    }
}

pub(super) unsafe extern "C" fn device_create_device_interface(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
    class: sys::LPCGUID,
    _reference: sys::PCUNICODE_STRING,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfDeviceCreateDeviceInterface", PASSIVE) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(device) = call.object::<Device>(device) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    if !call.given("InterfaceClassGUID", class) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes a GUID, as the page of WdfDeviceCreateDeviceInterface demands.
    let class = unsafe { class.read_unaligned() };
    device.interfaces.0.lock().1.push(class);
    sys::STATUS_SUCCESS
}

pub(super) unsafe extern "C" fn io_queue_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
    config: sys::PWDF_IO_QUEUE_CONFIG,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFQUEUE,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfIoQueueCreate", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(device) = call.object::<Device>(device) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    let sizes: &[u32] = match super::function_count(call.machine.config.os) {
        387 => &[80],
        396 => &[80, 88],
        _ => &[80, 88, 96],
    };
    // SAFETY: the driver passes WDF_IO_QUEUE_CONFIG, as the page of WdfIoQueueCreate demands.
    let config = match unsafe { call.sized("Config", config, sizes) } {
        Ok(config) => config,
        Err(status) => return status,
    };
    if let Err(status) = check(&call, &device, &config, result.is_null()) {
        return status;
    }
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let attributes = match unsafe { attributes(&call, given, Parent::Optional, true) } {
        Ok(attributes) => attributes,
        Err(status) => return status,
    };
    // By default those of a function driver are.
    let power_managed = config.PowerManaged != sys::_WDF_TRI_STATE::WdfFalse;
    let passive = attributes.passive;
    let payload = |_| {
        Payload::Queue(Queue {
            config,
            power_managed,
            passive,
            name: device.node.name.clone(),
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                owned: 0,
                held: power_managed && device.node.phase() != Phase::Started,
                purged: false,
                presenting: false,
            }),
            changed: Condvar::new(),
        })
    };
    let parent: Arc<Object> = Arc::clone(device.object());
    let driver = Arc::clone(&device.object().driver);
    match create(call.machine, driver, Some(parent), attributes, payload) {
        Ok(object) => {
            if config.DefaultQueue != 0 {
                device.set_default_queue(object.handle);
            }
            // SAFETY: the driver passes null or a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(object.handle)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// What WdfIoQueueCreate refuses.
fn check(
    call: &Call<'_>,
    device: &Ref<Device>,
    config: &sys::WDF_IO_QUEUE_CONFIG,
    no_result: bool,
) -> Result<(), sys::NTSTATUS> {
    let presents = config.EvtIoDefault.is_some() || config.EvtIoDeviceControl.is_some();
    let manual = config.DispatchType == MANUAL;
    if !(1..=3).contains(&config.DispatchType) || manual && presents {
        return Err(sys::STATUS_INVALID_PARAMETER);
    }
    if !manual && !presents {
        return Err(sys::STATUS_WDF_NO_CALLBACK);
    }
    if config.DefaultQueue == 0 && no_result {
        return Err(sys::STATUS_INVALID_PARAMETER_4);
    }
    if config.DefaultQueue != 0 {
        if device.node.phase() != Phase::Added {
            return Err(sys::STATUS_INVALID_DEVICE_STATE);
        }
        if device.default_queue(call.machine).is_some() {
            return Err(sys::STATUS_UNSUCCESSFUL);
        }
    }
    if config.EvtIoStop.is_some()
        || config.EvtIoResume.is_some()
        || config.EvtIoCanceledOnQueue.is_some()
    {
        call.violated(
            &violation::NOT_SIMULATED,
            format_args!("EvtIoStop, EvtIoResume and EvtIoCanceledOnQueue are not called"),
        );
    }
    Ok(())
}

pub(super) unsafe extern "C" fn io_queue_retrieve_next_request(
    globals: sys::PWDF_DRIVER_GLOBALS,
    queue: sys::WDFQUEUE,
    result: *mut sys::WDFREQUEST,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfIoQueueRetrieveNextRequest", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(queue) = call.object::<Queue>(queue) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    if !call.given("OutRequest", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    if queue.config.DispatchType != MANUAL && queue.config.DispatchType != SEQUENTIAL {
        return sys::STATUS_INVALID_DEVICE_STATE;
    }
    let mut state = queue.state.lock();
    if state.held {
        return sys::STATUS_WDF_PAUSED;
    }
    let Some(request) = state.waiting.pop_front() else {
        return sys::STATUS_NO_MORE_ENTRIES;
    };
    state.owned += 1;
    *request.holder.lock() = Holder::Driver(queue.object().handle);
    drop(state);
    // SAFETY: the driver passes a place for the handle.
    unsafe { call.store(result, request.handle()) };
    sys::STATUS_SUCCESS
}

/// Takes part in the deletion of a queue: of a device that failed to start, say.
pub(super) fn rundown(machine: &Arc<Machine>, queue: &Queue) {
    let waiting = {
        let mut state = queue.state.lock();
        state.purged = true;
        core::mem::take(&mut state.waiting)
    };
    for request in waiting {
        finish(machine, &request, Err(sys::STATUS_CANCELLED));
    }
}
