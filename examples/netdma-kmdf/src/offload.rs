//! "Copy offload": copies for other drivers, by virtual addresses. Offered over NMR on every Windows, NetDMA or not.
//!
//! Each worker is a queue and a DPC on a processor of its own. Copies go to the workers in turn.
//!
//! # Design
//!
//! * **The queues are of fixed length,** so that submitting allocates nothing; a client that is faster than the processors is told
//!   so by `STATUS_DEVICE_BUSY`.
//! * **Nothing is done in the submitter's call,** however short the copy: it may hold locks that its completion takes.
//! * **A client that detaches is not waited for here.** Its copies hold it; the worker finds its binding shut and cancels
//!   them, and with the last of them the detach completes.

use core::array::from_fn;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use copy_offload::{Decision, Engine, Job, Offload, Request, Statistics};
use nmr_netdma::irql::{AtMostDispatch, Dispatch, Passive};
use nmr_netdma::kmdf::{Dpc, DpcHandle, DpcRoutine, Image, Shared, SpinLock, debug_print};
use nmr_netdma::netdma::affinity::ActiveProcessors;
use nmr_netdma::nmr::{ModuleId, ProviderRegistration};
use nmr_netdma::{Error, Guid, Irql, Result};

/// This module of the driver, as clients see it.
const MODULE: ModuleId = ModuleId::Guid(Guid::parse("a7b1e8d4-3f02-4c59-8e6b-70d9c2415f3a"));

/// The most bytes of one copy.
pub const MAXIMUM_COPY_LENGTH: u32 = 64 * 1024;

const MAXIMUM_WORKERS: usize = 4;
/// Copies that wait for one worker at most.
const DEPTH: usize = 32;

/// How many copies one run of a worker does at most.
const SLICE_COPIES: u32 = 16;
/// After how many bytes one run of a worker ends.
const SLICE_BYTES: u32 = 128 * 1024;

/// The provider, registered.
pub(crate) struct CopyOffload(ProviderRegistration<Offload<Workers>>);

impl CopyOffload {
    /// Offers copies to all clients.
    pub(crate) fn register(image: &Image, irql: &mut Irql<Passive>) -> Result<Self> {
        let registration = Offload::register(image, Workers::new(image, irql)?, MODULE, irql)?;
        Ok(Self(registration))
    }

    /// Detaches all clients, cancels what they have not got yet, and waits for the last of it.
    pub(crate) fn deregister(self, irql: &mut Irql<Passive>) {
        match self.0.deregister(irql) {
            Ok(provider) => {
                let Statistics {
                    submitted,
                    completed,
                    cancelled,
                    refused,
                    bytes,
                } = provider.engine().statistics();
                debug_print(format_args!(
                    "netdma-kmdf: copy offload: {submitted} submitted, {completed} completed, {cancelled} cancelled, \
                     {refused} refused, {bytes} bytes\n"
                ));
            }
            Err(error) => debug_print(format_args!(
                "netdma-kmdf: copy offload cannot be deregistered: {error}\n"
            )),
        }
    }
}

/// The engine of the provider.
struct Workers {
    workers: [Option<Dpc<Worker>>; MAXIMUM_WORKERS],
    /// How many of them there are.
    count: usize,
    /// Whose turn it is.
    turn: AtomicUsize,
    counters: Shared<Counters>,
}

impl Workers {
    fn new(image: &Image, irql: &mut Irql<Passive>) -> Result<Self> {
        let counters = Shared::try_new(Counters::default(), irql)
            .map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        let active = ActiveProcessors::query_group_0();
        let mut workers = [const { None }; MAXIMUM_WORKERS];
        let mut count = 0;
        let processors = (0..u64::BITS).filter(|processor| active.contains(*processor));
        for (place, processor) in workers.iter_mut().zip(processors) {
            let worker = Worker {
                queue: SpinLock::new(Queue::new()),
                counters: counters.clone(),
            };
            let worker = Dpc::new(image, worker, irql)?;
            worker.set_target_processor(processor)?;
            *place = Some(worker);
            count += 1;
        }
        Ok(Self {
            workers,
            count,
            turn: AtomicUsize::new(0),
            counters,
        })
    }

    fn next(&self) -> Option<&Dpc<Worker>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let index = turn.checked_rem(self.count)?;
        self.workers.get(index)?.as_ref()
    }
}

impl Engine for Workers {
    fn maximum_length(&self) -> u32 {
        MAXIMUM_COPY_LENGTH
    }

    fn workers(&self) -> u32 {
        self.count as u32
    }

    fn submit<'a>(&self, request: Request<'a>, irql: &mut Irql<AtMostDispatch>) -> Decision<'a> {
        let Some(worker) = self.next() else {
            return request.refuse(Error::INSUFFICIENT_RESOURCES);
        };
        let decision = worker.routine().queue.with(irql, |queue, _| {
            let Some(place) = queue.free() else {
                return request.refuse(Error::DEVICE_BUSY);
            };
            // Before the worker can see it, so that no copy is completed and not submitted.
            Counters::add(&self.counters.submitted, 1);
            let (job, decision) = request.accept();
            *place = Some(job);
            queue.count += 1;
            decision
        });
        worker.enqueue();
        decision
    }

    fn refused(&self, _error: Error) {
        Counters::add(&self.counters.refused, 1);
    }

    fn statistics(&self) -> Statistics {
        let counters = &self.counters;
        Statistics {
            submitted: counters.submitted.load(Ordering::Relaxed),
            completed: counters.completed.load(Ordering::Relaxed),
            cancelled: counters.cancelled.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
        }
    }
}

#[derive(Default)]
struct Counters {
    submitted: AtomicU64,
    completed: AtomicU64,
    cancelled: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64, amount: u32) {
        counter.fetch_add(u64::from(amount), Ordering::Relaxed);
    }
}

/// The DPC that copies.
struct Worker {
    queue: SpinLock<Queue>,
    counters: Shared<Counters>,
}

impl DpcRoutine for Worker {
    fn run(&self, dpc: &DpcHandle<'_>, irql: &mut Irql<Dispatch>) {
        let (mut copies, mut bytes) = (0, 0);
        while copies < SLICE_COPIES && bytes < SLICE_BYTES {
            let Some(job) = self.queue.with(irql, |queue, _| queue.take()) else {
                return;
            };
            copies += 1;
            // Counted before the client hears of it, which may ask.
            if job.is_abandoned() {
                Counters::add(&self.counters.cancelled, 1);
                job.cancel(irql);
            } else {
                bytes += job.length();
                Counters::add(&self.counters.completed, 1);
                Counters::add(&self.counters.bytes, job.length());
                job.run(irql);
            }
        }
        dpc.enqueue();
    }
}

/// Copies that wait, the oldest at `first`.
struct Queue {
    jobs: [Option<Job>; DEPTH],
    first: usize,
    count: usize,
}

impl Queue {
    fn new() -> Self {
        Self {
            jobs: from_fn(|_| None),
            first: 0,
            count: 0,
        }
    }

    /// The place for the next copy, if there is one.
    fn free(&mut self) -> Option<&mut Option<Job>> {
        if self.count == DEPTH {
            return None;
        }
        self.jobs.get_mut((self.first + self.count) % DEPTH)
    }

    fn take(&mut self) -> Option<Job> {
        let job = self.jobs.get_mut(self.first)?.take()?;
        self.first = (self.first + 1) % DEPTH;
        self.count -= 1;
        Some(job)
    }
}
