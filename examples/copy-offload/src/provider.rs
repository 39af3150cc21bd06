//! For providers: be an [`Engine`], get [`Job`]s.
//!
//! # Safety
//!
//! The unsafe code of this file is called by clients, as [`raw`](crate::raw) says, reads and writes what they point to, copies, and
//! calls their completion function.
#![expect(unsafe_code, reason = "is called by clients and calls them")]

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use nmr_netdma::irql::{AtMostDispatch, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    self, Accept, Binding, Dispatch, Failed, Guard, Identity, ModuleId, Provider, ProviderDispatch,
    ProviderRegistration, ToClient, provider_context,
};
use nmr_netdma::{Error, Irql, Result, Status, sys};

use crate::raw::{self, Header, ProviderCharacteristics, ProviderFunctions, VERSION};
use crate::{CANCELLED, CopyOffload, Statistics, TOO_LONG};

/// What copies.
pub trait Engine: Send + Sync + Sized + 'static {
    /// The most bytes of one copy. Longer ones are refused before the engine sees them.
    fn maximum_length(&self) -> u32;

    /// How many copies are worked on at a time.
    fn workers(&self) -> u32;

    /// A client submits a copy: queue it or refuse it. It is to be done after this has returned.
    fn submit<'a>(&self, request: Request<'a>, irql: &mut Irql<AtMostDispatch>) -> Decision<'a>;

    /// A copy was refused, by the engine or before the engine saw it.
    fn refused(&self, error: Error);

    /// What was done so far.
    fn statistics(&self) -> Statistics;
}

/// The provider with the engine `E`. It accepts every client.
#[derive(Debug)]
pub struct Offload<E>(E);

/// The way to the client of a binding.
#[derive(Debug)]
pub struct Session(Binding<CopyOffload, ToClient>);

/// A copy that a client submits. Exists during [`Engine::submit`] only.
#[must_use = "a request is accepted or refused"]
pub struct Request<'a> {
    job: Job,
    call: PhantomData<fn(&'a ()) -> &'a ()>,
}

/// What was decided about a [`Request`]. Only the request itself makes one, and one call's is no other's.
#[must_use = "the engine returns it"]
pub struct Decision<'a> {
    status: Status,
    call: PhantomData<fn(&'a ()) -> &'a ()>,
}

/// A copy that was accepted. Completed when it is run, cancelled or dropped, at or below `DISPATCH_LEVEL`.
///
/// While it exists its client stays attached. One that is leaked keeps both modules from detaching for ever.
#[must_use = "a copy that is dropped is cancelled"]
pub struct Job {
    request: raw::Request,
    client: Binding<CopyOffload, ToClient>,
    /// `None` once it is completed or was refused.
    guard: Option<Guard<CopyOffload, ToClient>>,
}

// SAFETY: by the contract of `raw::Submit` the memory may be used and the copy completed on any thread.
unsafe impl Send for Job {}

impl<E: Engine> Offload<E> {
    /// Registers a provider with this engine, as `module`.
    ///
    /// # Errors
    ///
    /// As for [`ProviderRegistration::register`].
    pub fn register(
        image: &Image,
        engine: E,
        module: ModuleId,
        irql: &mut Irql<Passive>,
    ) -> Result<ProviderRegistration<Self>, Failed<Self>> {
        let characteristics = ProviderCharacteristics {
            version: VERSION,
            size: raw::size::<ProviderCharacteristics>(),
            maximum_length: engine.maximum_length(),
            workers: engine.workers(),
        };
        let identity = Identity::new(module).with_characteristics(characteristics);
        ProviderRegistration::register(image, Self(engine), identity, irql)
    }

    /// What copies.
    pub fn engine(&self) -> &E {
        &self.0
    }
}

impl<E: Engine> Provider for Offload<E> {
    type Npi = CopyOffload;
    type Context = Session;

    fn attach(
        &self,
        request: nmr::Request<'_, Self>,
        _: &mut Irql<Passive>,
    ) -> Result<Accept<Self>> {
        Ok(Accept {
            context: Session(request.binding()),
            dispatch: functions::<E>(),
        })
    }
}

impl Session {
    /// Checks what a client wants, as far as that is possible.
    ///
    /// # Safety
    ///
    /// As for [`raw::Submit`].
    unsafe fn open(&self, request: *const raw::Request, maximum_length: u32) -> Result<Job> {
        // SAFETY: by contract there is a header if there is anything.
        let header = unsafe { read_header(request.cast()) }?;
        if usize::from(header.size) < size_of::<raw::Request>() {
            return Err(Error::INFO_LENGTH_MISMATCH);
        }
        // SAFETY: by contract there are as many bytes as the header says, which are enough.
        let request = unsafe { request.read_unaligned() };
        let (source, destination) = (request.source.addr(), request.destination.addr());
        // CAST: no address is shorter than 32 bits.
        let length = request.length as usize;
        if length == 0 || source == 0 || destination == 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        if request.length > maximum_length {
            return Err(TOO_LONG);
        }
        let end = |start: usize| start.checked_add(length).ok_or(Error::INVALID_PARAMETER);
        let (source_end, destination_end) = (end(source)?, end(destination)?);
        if source < destination_end && destination < source_end {
            return Err(Error::INVALID_PARAMETER);
        }
        let guard = self.0.enter().ok_or(Error::DEVICE_NOT_READY)?;
        if guard.dispatch().complete.is_none() {
            return Err(Error::NOT_SUPPORTED);
        }
        Ok(Job {
            request,
            client: self.0.clone(),
            guard: Some(guard),
        })
    }
}

impl<'a> Request<'a> {
    /// How many bytes.
    pub fn length(&self) -> u32 {
        self.job.length()
    }

    /// Accepts it.
    pub fn accept(self) -> (Job, Decision<'a>) {
        let decision = Decision {
            status: Status::PENDING,
            call: PhantomData,
        };
        (self.job, decision)
    }

    /// Refuses it.
    pub fn refuse(mut self, error: Error) -> Decision<'a> {
        // Nothing is left to complete.
        self.job.guard = None;
        Decision {
            status: error.status(),
            call: PhantomData,
        }
    }
}

impl Job {
    /// How many bytes.
    pub fn length(&self) -> u32 {
        self.request.length
    }

    /// Whether its client is being detached, and nobody waits for the bytes any more.
    pub fn is_abandoned(&self) -> bool {
        self.client.enter().is_none()
    }

    /// Copies and completes.
    pub fn run(mut self, _irql: &mut Irql<AtMostDispatch>) {
        let raw::Request {
            source,
            destination,
            length,
            ..
        } = self.request;
        // SAFETY: by the contract of `raw::Submit` source and destination can be read and written until completion, which comes
        // below, and `open` has found them not to overlap.
        unsafe {
            ptr::copy_nonoverlapping(source.cast::<u8>(), destination.cast(), length as usize);
        }
        self.complete(Status::SUCCESS, length as usize);
    }

    /// Completes without having copied.
    pub fn cancel(mut self, _irql: &mut Irql<AtMostDispatch>) {
        self.complete(CANCELLED.status(), 0);
    }

    fn complete(&mut self, status: Status, bytes: usize) {
        let Some(guard) = self.guard.take() else {
            return;
        };
        if let Some(complete) = guard.dispatch().complete {
            // SAFETY:
            // * the client is attached while the guard lives, which is until after the call, and expects its own context;
            // * the token is that of this request, which was accepted and, since the guard was still there, not completed;
            // * the level is at most DISPATCH_LEVEL, as the type demands.
            unsafe { complete(guard.context(), self.request.token, status.0, bytes) };
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.complete(CANCELLED.status(), 0);
    }
}

const fn functions<E: Engine>() -> ProviderDispatch<Offload<E>> {
    // SAFETY: the functions take their context for that of `Offload<E>`.
    unsafe {
        Dispatch::new(
            const {
                &ProviderFunctions {
                    version: VERSION,
                    size: raw::size::<ProviderFunctions>(),
                    submit: Some(submit::<E>),
                    query_statistics: Some(query_statistics::<E>),
                }
            },
        )
    }
}

unsafe extern "system" fn submit<E: Engine>(
    context: *mut c_void,
    request: *const raw::Request,
) -> i32 {
    // SAFETY: a client calls this with the context it got, while attached; the references are not used after the call.
    let (Offload(engine), session) = unsafe { provider_context::<Offload<E>>(context) };
    // SAFETY: a client calls this at or below DISPATCH_LEVEL.
    let mut irql = unsafe { Irql::assume() };
    // SAFETY: the client promises what this function's type demands.
    let status = match unsafe { session.open(request, engine.maximum_length()) } {
        Ok(job) => {
            let call = PhantomData;
            engine.submit(Request { job, call }, &mut irql).status
        }
        Err(error) => error.status(),
    };
    if let Some(error) = Error::new(status) {
        engine.refused(error);
    }
    status.0
}

unsafe extern "system" fn query_statistics<E: Engine>(
    context: *mut c_void,
    statistics: *mut raw::Statistics,
) -> i32 {
    // SAFETY: as in `submit`.
    let (Offload(engine), _) = unsafe { provider_context::<Offload<E>>(context) };
    // SAFETY: by contract there is a header if there is anything.
    let header = match unsafe { read_header(statistics.cast_const().cast()) } {
        Ok(header) => header,
        Err(error) => return error.status().0,
    };
    if usize::from(header.size) < size_of::<raw::Statistics>() {
        return Error::BUFFER_TOO_SMALL.status().0;
    }
    let Statistics {
        submitted,
        completed,
        cancelled,
        refused,
        bytes,
    } = engine.statistics();
    let answer = raw::Statistics {
        version: VERSION,
        size: raw::size::<raw::Statistics>(),
        submitted,
        completed,
        cancelled,
        refused,
        bytes,
    };
    // SAFETY: by contract there are as many bytes as the header says, which are enough, and nobody else uses them.
    unsafe { statistics.write_unaligned(answer) };
    sys::STATUS_SUCCESS
}

/// # Safety
///
/// `header` is null or points to a header.
unsafe fn read_header(header: *const Header) -> Result<Header> {
    if header.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: not null, so there is a header, by contract; nothing is said of its alignment.
    let header = unsafe { header.read_unaligned() };
    if header.version == VERSION {
        Ok(header)
    } else {
        Err(Error::REVISION_MISMATCH)
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.job.fmt(formatter)
    }
}

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Decision")
            .field(&self.status)
            .finish()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Job")
            .field("length", &self.length())
            .finish_non_exhaustive()
    }
}
