//! Requests, and the programs that send them.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ptr;

use nmr_netdma::sys;

use super::object::{self, Attributes, Block, Payload, Ref, create};
use super::queue::{Queue, enqueue, give_up, present};
use super::{Call, DISPATCH, device, violation};
use crate::kernel::{Kernel, Machine};
use crate::platform::{Condvar, Mutex};
use crate::pnp::{self, DeviceId};

/// The part of a control code that says how buffers are passed.
const METHOD: u32 = 3;
/// Input and output in one buffer of the system.
const METHOD_BUFFERED: u32 = 0;
/// Addresses of the program's own.
const METHOD_NEITHER: u32 = 3;

/// WDFREQUEST
pub(super) struct Request {
    pub(super) code: u32,
    pub(super) input_length: usize,
    pub(super) output_length: usize,
    input: Block,
    /// Where the answer goes, if not where the input is.
    output: Option<Block>,
    pub(super) holder: Mutex<Holder>,
    outcome: Arc<Outcome>,
}

/// Who has a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// The queue with this handle.
    Queue(usize),
    /// The driver, from that queue.
    Driver(usize),
    Nobody,
}

/// What became of a request.
#[derive(Default)]
struct Outcome {
    done: Mutex<Option<Result<Vec<u8>, sys::NTSTATUS>>>,
    changed: Condvar,
}

impl Request {
    fn input(&self) -> (&Block, usize) {
        (&self.input, self.input_length)
    }

    fn output(&self) -> (&Block, usize) {
        let block = self.output.as_ref().unwrap_or(&self.input);
        (block, self.output_length)
    }
}

/// A device-control request on its way.
#[must_use]
pub struct ControlRequest {
    machine: Arc<Machine>,
    request: usize,
    outcome: Arc<Outcome>,
}

impl fmt::Debug for ControlRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ControlRequest")
            .field("done", &self.is_done())
            .finish_non_exhaustive()
    }
}

impl ControlRequest {
    /// Whether it is completed.
    pub fn is_done(&self) -> bool {
        self.outcome.done.lock().is_some()
    }

    /// Waits until it is completed: what the driver answered, or the status that it failed with.
    pub fn wait(self) -> Result<Vec<u8>, sys::NTSTATUS> {
        let mut done = self.outcome.done.lock();
        loop {
            match done.take() {
                Some(result) => return result,
                None => done = self.outcome.changed.wait(done),
            }
        }
    }

    /// Cancels it, as the end of its program does: at once while it is in a queue. What the driver has, the driver completes.
    pub fn cancel(&self) {
        let object = self.machine.wdf.objects.find(self.request);
        if let Some(request) = object.and_then(Ref::<Request>::new) {
            cancel(&self.machine, &request);
        }
    }
}

impl Kernel {
    /// The classes of the interfaces by which programs can find a device now.
    pub fn device_interfaces(&self, device: DeviceId) -> Vec<sys::GUID> {
        let Ok(node) = pnp::find_node(self.machine(), device) else {
            return Vec::new();
        };
        device::of(self.machine(), &node)
            .map_or_else(Vec::new, |device| device.interfaces.enabled())
    }

    /// Has a program find a device by `interface` and send it a control code, and waits for the answer.
    ///
    /// # Errors
    ///
    /// What the driver failed the request with; `STATUS_NO_SUCH_DEVICE` if the device has not enabled such an interface.
    pub fn device_control(
        &self,
        device: DeviceId,
        interface: &sys::GUID,
        code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<Vec<u8>, sys::NTSTATUS> {
        self.send_device_control(device, interface, code, input, output_length)?
            .wait()
    }

    /// As [`device_control`](Self::device_control), without waiting.
    ///
    /// # Errors
    ///
    /// `STATUS_NO_SUCH_DEVICE` if the device has not enabled such an interface; `STATUS_INSUFFICIENT_RESOURCES`.
    pub fn send_device_control(
        &self,
        device: DeviceId,
        interface: &sys::GUID,
        code: u32,
        input: &[u8],
        output_length: usize,
    ) -> Result<ControlRequest, sys::NTSTATUS> {
        let machine = self.machine();
        let node = pnp::find_node(machine, device)?;
        let device = device::of(machine, &node)
            .filter(|device| {
                device
                    .interfaces
                    .enabled()
                    .iter()
                    .any(|class| same(class, interface))
            })
            .ok_or(sys::STATUS_NO_SUCH_DEVICE)?;
        let outcome = Arc::<Outcome>::default();
        let length = if code & METHOD == METHOD_BUFFERED {
            input.len().max(output_length)
        } else {
            input.len()
        };
        let block = filled(length)?;
        // SAFETY: the block has room for the input, and nobody else knows it yet.
        unsafe { ptr::copy_nonoverlapping(input.as_ptr(), block.as_ptr(), input.len()) };
        let output = if code & METHOD == METHOD_BUFFERED {
            None
        } else {
            Some(filled(output_length)?)
        };
        let queue = device.default_queue(machine);
        let holder = queue.as_ref().map_or(0, |queue| queue.object().handle);
        let payload = |_| {
            Payload::Request(Request {
                code,
                input_length: input.len(),
                output_length,
                input: block,
                output,
                holder: Mutex::new(Holder::Queue(holder)),
                outcome: Arc::clone(&outcome),
            })
        };
        let driver = Arc::clone(&device.object().driver);
        let object = create(machine, driver, None, Attributes::default(), payload)?;
        machine.trace(
            "wdf",
            format_args!("{}: device control 0x{code:X}", node.name),
        );
        let handle = object.handle;
        if let Some(request) = Ref::<Request>::new(object) {
            match queue {
                Some(queue) => enqueue(machine, &queue, request),
                // The device has none, or has gone in between.
                None if device.object().alive() => {
                    finish(machine, &request, Err(sys::STATUS_INVALID_DEVICE_REQUEST));
                }
                None => finish(machine, &request, Err(sys::STATUS_CANCELLED)),
            }
        }
        Ok(ControlRequest {
            machine: Arc::clone(machine),
            request: handle,
            outcome,
        })
    }
}

fn same(one: &sys::GUID, other: &sys::GUID) -> bool {
    let members = |guid: &sys::GUID| (guid.Data1, guid.Data2, guid.Data3, guid.Data4);
    members(one) == members(other)
}

/// Garbage.
fn filled(length: usize) -> Result<Block, sys::NTSTATUS> {
    let block = Block::new(length).ok_or(sys::STATUS_INSUFFICIENT_RESOURCES)?;
    // SAFETY: the block has that many bytes, and nobody else knows it yet.
    unsafe { block.as_ptr().write_bytes(0xA5, length) };
    Ok(block)
}

/// Takes a request out of its queue and ends it, if it is in one.
fn cancel(machine: &Arc<Machine>, request: &Ref<Request>) {
    let Holder::Queue(queue) = *request.holder.lock() else {
        return;
    };
    let Some(queue) = machine.wdf.objects.find(queue).and_then(Ref::<Queue>::new) else {
        return;
    };
    let found = {
        let mut state = queue.state.lock();
        let place = state
            .waiting
            .iter()
            .position(|waiting| Arc::ptr_eq(waiting.object(), request.object()));
        place.and_then(|place| state.waiting.remove(place))
    };
    if let Some(request) = found {
        finish(machine, &request, Err(sys::STATUS_CANCELLED));
    }
}

/// Gives a request back to its program. Whoever calls it has taken the request from where it was.
pub(super) fn finish(
    machine: &Arc<Machine>,
    request: &Ref<Request>,
    result: Result<Vec<u8>, sys::NTSTATUS>,
) {
    *request.holder.lock() = Holder::Nobody;
    *request.outcome.done.lock() = Some(result);
    request.outcome.changed.notify_all();
    object::delete(machine, request.object());
}

/// The request, if it is the driver's, and the queue that it came from.
fn owned(call: &Call<'_>, request: sys::WDFREQUEST) -> Option<(Ref<Request>, Ref<Queue>)> {
    let request = call.object::<Request>(request)?;
    let holder = *request.holder.lock();
    let queue = match holder {
        Holder::Driver(queue) => call.machine.wdf.objects.find(queue),
        Holder::Queue(_) | Holder::Nobody => None,
    };
    let Some(queue) = queue.and_then(Ref::<Queue>::new) else {
        call.violated(
            &violation::REQUEST,
            format_args!("{} is not the driver's", request.object().describe()),
        );
        return None;
    };
    Some((request, queue))
}

pub(super) unsafe extern "C" fn request_forward_to_io_queue(
    globals: sys::PWDF_DRIVER_GLOBALS,
    request: sys::WDFREQUEST,
    destination: sys::WDFQUEUE,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfRequestForwardToIoQueue", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some((request, from)) = owned(&call, request) else {
        return sys::STATUS_INVALID_DEVICE_REQUEST;
    };
    let Some(to) = call.object::<Queue>(destination) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    let [device, other] = [&from, &to].map(|queue| queue.object().device());
    let one_device = match (device, other) {
        (Some(device), Some(other)) => Arc::ptr_eq(&device, &other),
        _ => false,
    };
    if !one_device || Arc::ptr_eq(from.object(), to.object()) {
        return sys::STATUS_INVALID_DEVICE_REQUEST;
    }
    {
        let mut state = to.state.lock();
        if state.purged {
            return sys::STATUS_WDF_BUSY;
        }
        *request.holder.lock() = Holder::Queue(to.object().handle);
        state.waiting.push_back(request);
    }
    give_up(&from);
    present(call.machine, &from);
    present(call.machine, &to);
    sys::STATUS_SUCCESS
}

pub(super) unsafe extern "C" fn request_get_parameters(
    globals: sys::PWDF_DRIVER_GLOBALS,
    request: sys::WDFREQUEST,
    result: sys::PWDF_REQUEST_PARAMETERS,
) {
    let Some(call) = Call::enter(globals, "WdfRequestGetParameters", DISPATCH) else {
        return;
    };
    let Some((request, _)) = owned(&call, request) else {
        return;
    };
    if !call.given("Parameters", result) {
        return;
    }
    // SAFETY: the driver passes the structure with its size in it, which are its first two bytes.
    let size = unsafe { result.cast::<u16>().read_unaligned() };
    if size != 40 {
        call.violated(
            &violation::SIZE,
            format_args!("Size of Parameters is {size}, not 40"),
        );
        return;
    }
    let parameters = sys::WDF_REQUEST_PARAMETERS {
        Size: size,
        MinorFunction: 0,
        Type: sys::_WDF_REQUEST_TYPE::WdfRequestTypeDeviceControl,
        Parameters: sys::WDF_REQUEST_PARAMETERS_Parameters {
            DeviceIoControl: sys::WDF_REQUEST_PARAMETERS_DeviceIoControl {
                OutputBufferLength: request.output_length,
                InputBufferLength: request.input_length,
                IoControlCode: request.code,
                Type3InputBuffer: ptr::null_mut(),
            },
        },
    };
    // SAFETY: the driver passes the structure, with its size.
    unsafe { call.store(result, parameters) };
}

/// What both of the functions that give buffers do.
///
/// # Safety
///
/// `place` and `length` are null or writable.
unsafe fn retrieve(
    call: &Call<'_>,
    request: sys::WDFREQUEST,
    minimum: usize,
    side: fn(&Request) -> (&Block, usize),
    place: *mut sys::PVOID,
    length: *mut usize,
) -> sys::NTSTATUS {
    let Some((request, _)) = owned(call, request) else {
        return sys::STATUS_INVALID_DEVICE_REQUEST;
    };
    if !call.given("Buffer", place) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    if request.code & METHOD == METHOD_NEITHER {
        return sys::STATUS_INVALID_DEVICE_REQUEST;
    }
    let (block, has) = side(&request);
    if has == 0 || has < minimum {
        return sys::STATUS_BUFFER_TOO_SMALL;
    }
    // SAFETY: the caller passes a place for the pointer.
    unsafe { call.store(place, block.as_ptr().cast()) };
    // SAFETY: the caller passes null or a place for the length.
    unsafe { call.store(length, has) };
    sys::STATUS_SUCCESS
}

pub(super) unsafe extern "C" fn request_retrieve_input_buffer(
    globals: sys::PWDF_DRIVER_GLOBALS,
    request: sys::WDFREQUEST,
    minimum: usize,
    place: *mut sys::PVOID,
    length: *mut usize,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfRequestRetrieveInputBuffer", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    // SAFETY: the driver passes a place for the pointer, and null or one for the length.
    unsafe { retrieve(&call, request, minimum, Request::input, place, length) }
}

pub(super) unsafe extern "C" fn request_retrieve_output_buffer(
    globals: sys::PWDF_DRIVER_GLOBALS,
    request: sys::WDFREQUEST,
    minimum: usize,
    place: *mut sys::PVOID,
    length: *mut usize,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfRequestRetrieveOutputBuffer", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    // SAFETY: the driver passes a place for the pointer, and null or one for the length.
    unsafe { retrieve(&call, request, minimum, Request::output, place, length) }
}

pub(super) unsafe extern "C" fn request_complete(
    globals: sys::PWDF_DRIVER_GLOBALS,
    request: sys::WDFREQUEST,
    status: sys::NTSTATUS,
) {
    if let Some(call) = Call::enter(globals, "WdfRequestComplete", DISPATCH) {
        complete(&call, request, status, 0);
    }
}

pub(super) unsafe extern "C" fn request_complete_with_information(
    globals: sys::PWDF_DRIVER_GLOBALS,
    request: sys::WDFREQUEST,
    status: sys::NTSTATUS,
    information: sys::ULONG_PTR,
) {
    if let Some(call) = Call::enter(globals, "WdfRequestCompleteWithInformation", DISPATCH) {
        complete(&call, request, status, information);
    }
}

fn complete(call: &Call<'_>, request: sys::WDFREQUEST, status: sys::NTSTATUS, information: u64) {
    let Some((request, queue)) = owned(call, request) else {
        return;
    };
    if status == sys::STATUS_PENDING {
        call.violated(
            &violation::VALUE,
            format_args!("a request is not completed with STATUS_PENDING"),
        );
    }
    let room = request.output_length as u64;
    if information > room {
        call.violated(
            &violation::REQUEST,
            format_args!("{information} bytes are said to be in a buffer of {room}"),
        );
    }
    let result = if sys::NT_SUCCESS(status) {
        let length = information.min(room) as usize;
        let mut answer = alloc::vec![0; length];
        let from = request.output().0.as_ptr();
        // SAFETY: the buffer has room for as much, and is the framework's from the completion on.
        unsafe { ptr::copy_nonoverlapping(from, answer.as_mut_ptr(), length) };
        Ok(answer)
    } else {
        Err(status)
    };
    finish(call.machine, &request, result);
    give_up(&queue);
    present(call.machine, &queue);
}
