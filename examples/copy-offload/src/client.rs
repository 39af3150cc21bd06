//! For clients: submit a copy, get it back.
//!
//! # Safety
//!
//! The unsafe code of this file calls the provider's functions and is called by it, as [`raw`](crate::raw) says. A copy's
//! record is given away as a raw pointer in [`submit`] and taken back in exactly one place: there if the copy was
//! refused, in [`complete`] if it was accepted.
#![expect(unsafe_code, reason = "calls the provider and is called by it")]

use core::ffi::c_void;
use core::ptr::NonNull;

use nmr_netdma::context::PoolBox;
use nmr_netdma::irql::AtMostDispatch;
use nmr_netdma::nmr::{Binding, Client, ClientDispatch, Dispatch, Failed, Guard, client_context};
use nmr_netdma::{Error, Irql, Result, Status};

use crate::raw::{self, ClientFunctions, VERSION};
use crate::{Buffer, CopyOffload, Statistics};

/// A client of the interface.
pub trait OffloadClient: Client<Npi = CopyOffload> {
    /// A copy is over. Once for each that was accepted, on any thread, several at a time.
    ///
    /// Its binding may be shut already.
    fn completed(
        &self,
        context: &Self::Context,
        finished: Finished,
        irql: &mut Irql<AtMostDispatch>,
    );
}

/// A copy to submit. It owns its buffers until it comes back.
#[derive(Debug)]
pub struct Operation {
    /// Where from.
    pub source: Buffer,
    /// Where to.
    pub destination: Buffer,
    /// How many bytes, from the beginning of one buffer to the beginning of the other.
    pub length: u32,
    /// The client's own.
    pub tag: u64,
}

/// A copy that is over.
#[derive(Debug)]
pub struct Finished {
    /// The copy.
    pub operation: Operation,
    /// How many bytes were copied, or why not all of them were.
    pub result: Result<usize>,
}

/// A copy in flight. Its address is the token.
struct InFlight {
    operation: Operation,
    /// Keeps client and provider attached.
    guard: Guard<CopyOffload>,
}

/// Submits a copy. It comes back in [`OffloadClient::completed`], perhaps before this returns.
///
/// # Errors
///
/// The copy, which was not begun, with one of the statuses that the [crate] lists, or
/// [`Error::INSUFFICIENT_RESOURCES`].
pub fn submit(
    provider: &Binding<CopyOffload>,
    operation: Operation,
    irql: &mut Irql<AtMostDispatch>,
) -> Result<(), Failed<Operation>> {
    let refuse = |value, error| Err(Failed { value, error });
    let Some(call) = provider.enter() else {
        return refuse(operation, Error::DEVICE_NOT_READY);
    };
    let Some(submit) = call.dispatch().submit else {
        return refuse(operation, Error::NOT_SUPPORTED);
    };
    let room = operation.source.len().min(operation.destination.len());
    if operation.length as usize > room {
        return refuse(operation, Error::INVALID_PARAMETER);
    }
    let Some(memory) = PoolBox::<InFlight>::try_reserve(irql) else {
        return refuse(operation, Error::INSUFFICIENT_RESOURCES);
    };
    let Some(guard) = provider.enter() else {
        return refuse(operation, Error::DEVICE_NOT_READY);
    };
    let (source, destination) = (operation.source.as_ptr(), operation.destination.as_ptr());
    let length = operation.length;
    let token = memory.fill(InFlight { operation, guard }).into_raw();
    let request = raw::Request {
        version: VERSION,
        size: raw::size::<raw::Request>(),
        length,
        source: source.cast_const().cast(),
        destination: destination.cast(),
        token: token.as_ptr().cast(),
    };
    // SAFETY:
    // * the provider is attached while `call` lives, which is until after the call, and expects its own context;
    // * both buffers are nonpaged, at least `length` bytes long, and different ones; the record, which nobody touches until
    //   it is taken back, owns them and keeps the provider attached until completion;
    // * the level is at most DISPATCH_LEVEL, as the caller's proof says.
    let status = Status(unsafe { submit(call.context(), &raw const request) });
    if status == Status::PENDING {
        return Ok(());
    }
    // SAFETY: the pointer came from `into_raw` above, and the provider keeps nothing of a request that it did not accept.
    let refused = unsafe { PoolBox::from_raw(token) }.into_inner();
    let error = Error::new(status).unwrap_or(Error::UNSUCCESSFUL);
    refuse(refused.operation, error)
}

/// Asks what the provider has done.
///
/// # Errors
///
/// [`Error::DEVICE_NOT_READY`] if the binding is shut; [`Error::NOT_SUPPORTED`] if the provider cannot tell; what it answers.
pub fn query_statistics(
    provider: &Binding<CopyOffload>,
    _irql: &mut Irql<AtMostDispatch>,
) -> Result<Statistics> {
    let call = provider.enter().ok_or(Error::DEVICE_NOT_READY)?;
    let query = call
        .dispatch()
        .query_statistics
        .ok_or(Error::NOT_SUPPORTED)?;
    let mut statistics = raw::Statistics {
        version: VERSION,
        size: raw::size::<raw::Statistics>(),
        ..raw::Statistics::default()
    };
    // SAFETY:
    // * the provider is attached while `call` lives, and expects its own context;
    // * the structure says its size, lives during the call and is nobody else's;
    // * the level is at most DISPATCH_LEVEL, as the caller's proof says.
    Status(unsafe { query(call.context(), &raw mut statistics) }).into_result()?;
    let raw::Statistics {
        submitted,
        completed,
        cancelled,
        refused,
        bytes,
        ..
    } = statistics;
    Ok(Statistics {
        submitted,
        completed,
        cancelled,
        refused,
        bytes,
    })
}

/// The functions of the client `C`.
pub const fn client_functions<C: OffloadClient>() -> ClientDispatch<C> {
    // SAFETY: the function takes its context for that of `C`.
    unsafe {
        Dispatch::new(
            const {
                &ClientFunctions {
                    version: VERSION,
                    size: raw::size::<ClientFunctions>(),
                    complete: Some(complete::<C>),
                }
            },
        )
    }
}

unsafe extern "system" fn complete<C: OffloadClient>(
    context: *mut c_void,
    token: *mut c_void,
    status: i32,
    bytes: usize,
) {
    // SAFETY: the provider calls this with the client's context, while attached; the references are not used after the call.
    let Some((client, context)) = (unsafe { client_context::<C>(context) }) else {
        return;
    };
    let Some(token) = NonNull::new(token.cast::<InFlight>()) else {
        return;
    };
    // SAFETY: the token of a request that was accepted, once: `submit` made the record and did not take it back.
    let InFlight { operation, guard } = unsafe { PoolBox::from_raw(token) }.into_inner();
    // SAFETY: the provider calls this at or below DISPATCH_LEVEL.
    let mut irql = unsafe { Irql::assume() };
    let result = match Error::new(Status(status)) {
        None => Ok(bytes),
        Some(error) => Err(error),
    };
    let finished = Finished { operation, result };
    client.completed(context, finished, &mut irql);
    // The last one completes the client's detach.
    drop(guard);
}
