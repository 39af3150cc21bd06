//! Queues and requests of the framework.
//!
//! # Safety
//!
//! A request belongs to the driver from the moment that the framework presents it, or gives it out of a manual queue, until the driver
//! completes or forwards it; meanwhile handle and buffers are good. [`Owned`] is such a request, and completing or forwarding
//! uses it up.
#![expect(
    unsafe_code,
    reason = "calls the framework, is called by it, and reads its buffers"
)]

use core::mem;

use super::device::DeviceHandle;
use super::object::{self, Kept, Kind};
use super::slot::ContextType;
use crate::guid::Guid;
use crate::irql::{AtMostDispatch, Irql, Passive};
use crate::kmdf::device::Device;
use crate::kmdf::queue::{ControlCode, Handled, Request, RequestHandler};
use crate::status::{Error, Result, Status};
use crate::sys;

static QUEUE: ContextType = ContextType::new(c"NmrNetdmaQueue", &raw const QUEUE);

pub(in crate::kmdf) enum QueueKind {}

impl Kind for QueueKind {
    type Raw = sys::WDFQUEUE__;

    fn description() -> &'static ContextType {
        &QUEUE
    }
}

impl<D: Device> DeviceHandle<'_, D> {
    pub(in crate::kmdf) fn create_default_queue<H: RequestHandler>(
        &mut self,
        power_managed: bool,
        handler: H,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let config = sys::WDF_IO_QUEUE_CONFIG {
            Size: sys::WDF_IO_QUEUE_CONFIG_SIZE_V1_7,
            DispatchType: sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchParallel,
            PowerManaged: power_managed.into(),
            DefaultQueue: 1,
            EvtIoDeviceControl: Some(device_control::<H>),
            ..Default::default()
        };
        self.create_queue(config, handler, irql).map(drop)
    }

    pub(in crate::kmdf) fn create_manual_queue(
        &mut self,
        irql: &mut Irql<Passive>,
    ) -> Result<Kept<QueueKind>> {
        let config = sys::WDF_IO_QUEUE_CONFIG {
            Size: sys::WDF_IO_QUEUE_CONFIG_SIZE_V1_7,
            DispatchType: sys::_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual,
            PowerManaged: sys::_WDF_TRI_STATE::WdfFalse,
            ..Default::default()
        };
        self.create_queue(config, (), irql)
    }

    fn create_queue<H>(
        &mut self,
        mut config: sys::WDF_IO_QUEUE_CONFIG,
        handler: H,
        irql: &mut Irql<Passive>,
    ) -> Result<Kept<QueueKind>> {
        let device = self.device;
        let create = |attributes, queue| {
            // SAFETY: the device is good, as AddDevice has not returned; the configuration has the size of KMDF 1.7, and attributes
            // and place are those that `object::create` passes. The level is PASSIVE_LEVEL, as the proof says.
            unsafe { sys::WdfIoQueueCreate(device, &raw mut config, attributes, queue) }
        };
        // SAFETY: the device is good, as AddDevice has not returned; the closure creates a queue with what it is given. It
        // presents no request before the device starts.
        unsafe { object::create(device, handler, irql, create) }
    }

    pub(in crate::kmdf) fn create_interface(
        &mut self,
        class: Guid,
        _irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let class = class.to_sys();
        // SAFETY: the device is good, as AddDevice has not returned; the class lives during the call, and no reference string is a
        // null pointer. The level is PASSIVE_LEVEL, as the proof says.
        let status = unsafe {
            sys::WdfDeviceCreateDeviceInterface(self.device, &raw const class, core::ptr::null())
        };
        Status(status).into_result()
    }
}

impl Kept<QueueKind> {
    /// The next request, with its parameters.
    pub(in crate::kmdf) fn next(&self, _irql: &mut Irql<AtMostDispatch>) -> Option<Owned> {
        let mut request = core::ptr::null_mut();
        let status = self.with(|queue| {
            // SAFETY: the queue exists, the place lives during the call, and the level is at most DISPATCH_LEVEL, as the proof
            // says.
            unsafe { sys::WdfIoQueueRetrieveNextRequest(queue, &raw mut request) }
        })?;
        if !Status(status).is_success() {
            return None;
        }
        let mut parameters = sys::WDF_REQUEST_PARAMETERS {
            Size: size_of::<sys::WDF_REQUEST_PARAMETERS>() as u16,
            ..Default::default()
        };
        // SAFETY: the request is the driver's since just above, and the structure lives during the call.
        unsafe { sys::WdfRequestGetParameters(request, &raw mut parameters) };
        // SAFETY: only device-control requests are forwarded to manual queues, and all views are integers.
        let control = unsafe { parameters.Parameters.DeviceIoControl };
        Some(Owned {
            request,
            code: control.IoControlCode,
            input: control.InputBufferLength,
            output: control.OutputBufferLength,
        })
    }
}

/// A device-control request that the driver has.
///
/// # Invariants
///
/// The request is the driver's, its buffers are passed by the buffered method, and nobody else completes it.
pub(in crate::kmdf) struct Owned {
    request: sys::WDFREQUEST,
    code: u32,
    input: usize,
    output: usize,
}

// SAFETY: the framework takes the handle from any thread.
unsafe impl Send for Owned {}
// SAFETY: a shared request only gives its input to be read, which nobody writes.
unsafe impl Sync for Owned {}

impl Owned {
    pub(in crate::kmdf) fn code(&self) -> u32 {
        self.code
    }

    pub(in crate::kmdf) fn output_length(&self) -> usize {
        self.output
    }

    /// What was sent.
    pub(in crate::kmdf) fn input(&self) -> Result<&[u8]> {
        if self.input == 0 {
            return Ok(&[]);
        }
        let mut buffer = core::ptr::null_mut();
        let mut length = 0;
        // SAFETY: the request is the driver's, by the type invariant, and the places live during the call.
        let status = unsafe {
            sys::WdfRequestRetrieveInputBuffer(
                self.request,
                self.input,
                &raw mut buffer,
                &raw mut length,
            )
        };
        Status(status).into_result()?;
        // SAFETY:
        // * with the buffered method this is a buffer of the system's own, of this length, which the system has filled;
        // * it is good until the request is completed or forwarded, which uses `self` up, and is written by `reply` only, which does too.
        Ok(unsafe { core::slice::from_raw_parts(buffer.cast(), length) })
    }

    /// Completes it with `bytes` as the answer. Fails with the request if its buffer is too small.
    pub(in crate::kmdf) fn reply(self, bytes: &[u8], irql: &mut Irql<AtMostDispatch>) {
        let result = self.write(bytes);
        self.complete(result, irql);
    }

    /// Puts an answer into the buffer.
    fn write(&self, bytes: &[u8]) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.output < bytes.len() {
            return Err(Error::BUFFER_TOO_SMALL);
        }
        let mut buffer = core::ptr::null_mut();
        // SAFETY: the request is the driver's, by the type invariant, and the place lives during the call. The length is not
        // asked for.
        let status = unsafe {
            sys::WdfRequestRetrieveOutputBuffer(
                self.request,
                bytes.len(),
                &raw mut buffer,
                core::ptr::null_mut(),
            )
        };
        Status(status).into_result()?;
        // SAFETY: the buffer has room for as many bytes, and is the system's own; the bytes are not part of it, since `input`,
        // which gives it out, borrows the request that the caller has given away.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) };
        Ok(bytes.len())
    }

    /// Completes it: with as many bytes of the answer as were written, or with an error.
    pub(in crate::kmdf) fn complete(self, result: Result<usize>, _irql: &mut Irql<AtMostDispatch>) {
        let (status, information) = match result {
            Ok(written) => (Status::SUCCESS, written),
            Err(error) => (error.status(), 0),
        };
        // SAFETY: the request is the driver's, by the type invariant, and is used up; the level is at most DISPATCH_LEVEL, as the
        // proof says. CAST: both are 64 bits.
        unsafe {
            sys::WdfRequestCompleteWithInformation(
                self.request,
                status.0,
                information as sys::ULONG_PTR,
            )
        };
        mem::forget(self);
    }

    /// Moves it to a manual queue, or gives it back.
    pub(in crate::kmdf) fn forward(
        self,
        queue: &Kept<QueueKind>,
        _irql: &mut Irql<AtMostDispatch>,
    ) -> Result<(), (Self, Error)> {
        let forwarded = queue.with(|queue| {
            // SAFETY: the request is the driver's, by the type invariant, the queue exists, and the level is at most
            // DISPATCH_LEVEL, as the proof says. Where it fails, the request stays the driver's.
            unsafe { sys::WdfRequestForwardToIoQueue(self.request, queue) }
        });
        match forwarded.map(|status| Status(status).into_result()) {
            Some(Ok(())) => {
                mem::forget(self);
                Ok(())
            }
            Some(Err(error)) => Err((self, error)),
            None => Err((self, Error::DEVICE_NOT_READY)),
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the request is the driver's, by the type invariant, and is not used again. Who drops it is at most at
        // DISPATCH_LEVEL, as the documentation of the types around it demands.
        unsafe { sys::WdfRequestComplete(self.request, sys::STATUS_CANCELLED) }
    }
}

/// EvtIoDeviceControl.
unsafe extern "C" fn device_control<H: RequestHandler>(
    queue: sys::WDFQUEUE,
    request: sys::WDFREQUEST,
    output: usize,
    input: usize,
    code: sys::ULONG,
) {
    // SAFETY: EvtIoDeviceControl is called at most at DISPATCH_LEVEL.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    // INVARIANT: the framework has just given it to the driver, and other methods than the buffered one are refused below.
    let owned = Owned {
        request,
        code,
        input,
        output,
    };
    // SAFETY: the framework passes the queue that `create_default_queue` made for this `H`, and keeps it during the callback.
    let context = unsafe { object::context::<QueueKind, H>(queue) };
    match context {
        Some(context) if ControlCode::from_raw(code).is_some() => {
            let request = Request::new(owned);
            let Handled { .. } = context.routine().device_control(request, &mut irql);
        }
        _ => owned.complete(Err(Error::INVALID_DEVICE_REQUEST), &mut irql),
    }
}
