//! [`RequestHandler`]: requests that programs send to a device.
//!
//! ```
//! use nmr_netdma::Irql;
//! use nmr_netdma::irql::AtMostDispatch;
//! use nmr_netdma::kmdf::{ControlAccess, ControlCode, Handled, Request, RequestHandler};
//!
//! /// Answers a number with the one that follows.
//! const NEXT: ControlCode = ControlCode::new(0x22, 0x800, ControlAccess::Any);
//!
//! struct Counter;
//!
//! impl RequestHandler for Counter {
//!     fn device_control<'a>(&self, request: Request<'a>, irql: &mut Irql<AtMostDispatch>) -> Handled<'a> {
//!         match request.code() {
//!             NEXT => match request.input().map(<[u8; 4]>::try_from) {
//!                 Ok(Ok(number)) => {
//!                     let next = u32::from_le_bytes(number).wrapping_add(1);
//!                     request.reply(&next.to_le_bytes(), irql)
//!                 }
//!                 _ => request.fail(nmr_netdma::Error::INVALID_PARAMETER, irql),
//!             },
//!             _ => request.fail(nmr_netdma::Error::INVALID_DEVICE_REQUEST, irql),
//!         }
//!     }
//! }
//! # use simkernel as _;
//! ```
//!
//! # Design
//!
//! * **A request is completed once, by type.** The handler is given a [`Request`] and must answer a [`Handled`], which only completing
//!   or parking that very request gives.
//! * **Buffers are copied.** With the buffered method, input and answer are one buffer of the system, whose rest is whatever the pool
//!   had there. So the input is read while the request is there, and an answer is handed in whole; that a driver sends more than
//!   it wrote, and with it what others left in memory, cannot happen. Other methods share memory with the program, which writes
//!   there when it likes; they are refused before the handler sees them.
//! * **What takes time is parked** in a [`ManualQueue`]. There the framework itself ends it when its program or the device goes, so that
//!   no driver has to get the race between completing and cancelling right.

use core::fmt;
use core::marker::PhantomData;

use super::ffi::object::Kept;
use super::ffi::queue::{Owned, QueueKind};
use crate::irql::{AtMostDispatch, Irql};
use crate::status::{Error, Result};

/// What a device's default queue presents its requests to.
pub trait RequestHandler: Send + Sync + Sized + 'static {
    /// A program sends a control code. Comes on any thread, on several at once.
    ///
    /// The input and its length are whatever the program chose, as is the code.
    #[doc(alias = "EvtIoDeviceControl")]
    fn device_control<'a>(
        &self,
        request: Request<'a>,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Handled<'a>;
}

/// Whether a device's requests wait while it is not in D0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "WDF_IO_QUEUE_CONFIG::PowerManaged")]
pub enum QueuePower {
    /// They are presented in D0 only: for handlers that use the hardware.
    Managed,
    /// They are presented from the start of the device to its removal.
    Unmanaged,
}

/// Which access to the device a control code takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlAccess {
    /// Whoever can open it.
    Any,
    /// Who has it open for reading.
    Read,
    /// Who has it open for writing.
    Write,
    /// Who has it open for both.
    ReadWrite,
}

/// A control code whose buffers are passed by the buffered method.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "CTL_CODE")]
pub struct ControlCode(u32);

impl ControlCode {
    const METHOD: u32 = 3;

    /// The code of `function`, of those from 0x800 on that are left to drivers, for devices of the type `device`, such as
    /// `FILE_DEVICE_UNKNOWN`, 0x22.
    ///
    /// # Panics
    ///
    /// If `function` has more than 12 bits; in a `const` that is a compile-time error.
    pub const fn new(device: u16, function: u16, access: ControlAccess) -> Self {
        assert!(function < 0x1000, "a function has 12 bits");
        let access = match access {
            ControlAccess::Any => 0,
            ControlAccess::Read => 1,
            ControlAccess::Write => 2,
            ControlAccess::ReadWrite => 3,
        };
        Self((device as u32) << 16 | access << 14 | (function as u32) << 2)
    }

    /// The code as C has it; `None` if its method is not the buffered one.
    pub const fn from_raw(code: u32) -> Option<Self> {
        if code & Self::METHOD == 0 {
            Some(Self(code))
        } else {
            None
        }
    }

    /// The code as C has it.
    pub const fn to_raw(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for ControlCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ControlCode({:#x})", self.0)
    }
}

type Invariant<'a> = PhantomData<fn(&'a ()) -> &'a ()>;

/// A device-control request, presented to a [`RequestHandler`].
#[must_use]
#[doc(alias = "WDFREQUEST")]
pub struct Request<'a> {
    owned: Owned,
    callback: Invariant<'a>,
}

/// Says that this very [`Request`] is completed or parked.
#[derive(Debug)]
#[must_use = "it is what a request's handler answers"]
pub struct Handled<'a>(Invariant<'a>);

impl<'a> Request<'a> {
    pub(super) fn new(owned: Owned) -> Self {
        Self {
            owned,
            callback: PhantomData,
        }
    }

    /// The control code.
    pub fn code(&self) -> ControlCode {
        ControlCode(self.owned.code())
    }

    /// What the program sent.
    ///
    /// # Errors
    ///
    /// What the framework answers; none is known for a request in this state.
    #[doc(alias = "WdfRequestRetrieveInputBuffer")]
    pub fn input(&self) -> Result<&[u8]> {
        self.owned.input()
    }

    /// The most bytes that an answer can have.
    pub fn output_length(&self) -> usize {
        self.owned.output_length()
    }

    /// Completes it with `answer`. If the program's buffer is too small for that, it fails with
    /// [`Error::BUFFER_TOO_SMALL`].
    #[doc(alias = "WdfRequestCompleteWithInformation")]
    pub fn reply(self, answer: &[u8], irql: &mut Irql<AtMostDispatch>) -> Handled<'a> {
        self.owned.reply(answer, irql);
        Handled(PhantomData)
    }

    /// Completes it with an error.
    #[doc(alias = "WdfRequestComplete")]
    pub fn fail(self, error: Error, irql: &mut Irql<AtMostDispatch>) -> Handled<'a> {
        self.owned.complete(Err(error), irql);
        Handled(PhantomData)
    }

    /// Puts it into a queue to be completed later, or cancelled by the framework.
    ///
    /// # Errors
    ///
    /// The request and what the framework answers, if the queue is of another device or its device is going.
    #[doc(alias = "WdfRequestForwardToIoQueue")]
    pub fn park(
        self,
        queue: &ManualQueue,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<Handled<'a>, (Self, Error)> {
        match self.owned.forward(&queue.0, irql) {
            Ok(()) => Ok(Handled(PhantomData)),
            Err((owned, error)) => Err((Self::new(owned), error)),
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("code", &self.code())
            .finish_non_exhaustive()
    }
}

/// A queue that keeps requests until the driver asks for them, made by
/// [`NewDevice::create_manual_queue`](super::NewDevice::create_manual_queue). Cloning it makes another handle to the same queue.
///
/// A request whose program gives it up or ends is taken out and cancelled by the framework, as are all when the device is
/// removed.
#[derive(Clone)]
#[doc(alias = "WDFQUEUE")]
pub struct ManualQueue(Kept<QueueKind>);

impl ManualQueue {
    pub(super) fn new(kept: Kept<QueueKind>) -> Self {
        Self(kept)
    }

    /// Takes out the request that waits longest; `None` if none does, or the device is gone.
    #[doc(alias = "WdfIoQueueRetrieveNextRequest")]
    pub fn next(&self, irql: &mut Irql<AtMostDispatch>) -> Option<PendingRequest> {
        self.0.next(irql).map(PendingRequest)
    }
}

impl fmt::Debug for ManualQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ManualQueue")
            .finish_non_exhaustive()
    }
}

/// A request out of a [`ManualQueue`]. It cannot be cancelled any more, and its device is not removed before it is completed: so soon.
///
/// Dropped at or below `DISPATCH_LEVEL`, it fails with `STATUS_CANCELLED`.
#[must_use = "dropping it cancels the request"]
pub struct PendingRequest(Owned);

impl PendingRequest {
    /// As [`Request::code`].
    pub fn code(&self) -> ControlCode {
        ControlCode(self.0.code())
    }

    /// As [`Request::input`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn input(&self) -> Result<&[u8]> {
        self.0.input()
    }

    /// As [`Request::output_length`].
    pub fn output_length(&self) -> usize {
        self.0.output_length()
    }

    /// As [`Request::reply`].
    pub fn reply(self, answer: &[u8], irql: &mut Irql<AtMostDispatch>) {
        self.0.reply(answer, irql);
    }

    /// As [`Request::fail`].
    pub fn fail(self, error: Error, irql: &mut Irql<AtMostDispatch>) {
        self.0.complete(Err(error), irql);
    }
}

impl fmt::Debug for PendingRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PendingRequest")
            .field("code", &self.code())
            .finish_non_exhaustive()
    }
}
