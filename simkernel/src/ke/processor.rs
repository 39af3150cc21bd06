//! The processors: what is queued to each, and the threads that run it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::dpc::Call;
use super::{DISPATCH, PASSIVE, at};
use crate::kernel::{self, Machine};
use crate::platform::{self, Condvar, Mutex, Thread};
use crate::verifier::Leak;

/// How many interrupts a processor takes in a row while a DPC waits, or the code that they cut into.
const BURST: u64 = 100;

/// Something for a processor to do.
pub(super) enum Work {
    /// An interrupt service routine and its level.
    Interrupt(u8, Box<dyn FnOnce() + Send>),
    /// A driver's DPC.
    Dpc(Call),
    /// Something else that takes its turn among the DPCs.
    Task(Box<dyn FnOnce() + Send>),
}

impl Work {
    fn run(self) {
        match self {
            Self::Interrupt(irql, body) => at(kernel::current(), irql, body),
            Self::Dpc(call) => call.run(),
            Self::Task(body) => at(kernel::current(), DISPATCH, body),
        }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    /// By level, in their order.
    interrupts: BTreeMap<u8, VecDeque<Work>>,
    deferred: VecDeque<Work>,
    /// Interrupts taken so far.
    taken: u64,
    /// The same when it was last the turn of what is deferred, or nothing was.
    turn: u64,
    thread: Option<Thread>,
    /// Whether the thread is running something.
    busy: bool,
    stopping: bool,
}

impl Queue {
    /// The first of the highest interrupts, if that is above `irql`.
    fn take_interrupt(&mut self, irql: u8) -> Option<Work> {
        let work = self
            .interrupts
            .iter_mut()
            .rev()
            .take_while(|(level, _)| **level > irql)
            .find_map(|(_, waiting)| waiting.pop_front())?;
        self.taken += 1;
        Some(work)
    }

    fn is_interrupted(&self) -> bool {
        self.interrupts.values().any(|waiting| !waiting.is_empty())
    }

    /// The next thing to do. A DPC is no longer queued from here on.
    fn take(&mut self) -> Option<Work> {
        if self.deferred.is_empty() {
            self.turn = self.taken;
        }
        if self.taken - self.turn < BURST
            && let Some(interrupt) = self.take_interrupt(PASSIVE)
        {
            return Some(interrupt);
        }
        self.turn = self.taken;
        let work = self.deferred.pop_front();
        if let Some(Work::Dpc(call)) = &work {
            call.dequeued();
        }
        work
    }

    pub(super) fn push_dpc(&mut self, call: Call, first: bool) {
        if first {
            self.deferred.push_front(Work::Dpc(call));
        } else {
            self.deferred.push_back(Work::Dpc(call));
        }
    }

    /// Takes out the DPC at `address`, if it is here.
    pub(super) fn remove_dpc(&mut self, address: usize) -> Option<Call> {
        let found = |work: &Work| matches!(work, Work::Dpc(call) if call.address() == address);
        match self
            .deferred
            .remove(self.deferred.iter().position(found)?)?
        {
            Work::Dpc(call) => Some(call),
            Work::Interrupt(..) | Work::Task(_) => None,
        }
    }

    /// Everything but DPCs, which will not be run. To be dropped without the lock.
    fn forget(&mut self) -> impl Sized + use<> {
        let interrupts = mem::take(&mut self.interrupts);
        let (dpcs, others): (VecDeque<Work>, VecDeque<Work>) = mem::take(&mut self.deferred)
            .into_iter()
            .partition(|work| matches!(work, Work::Dpc(_)));
        self.deferred = dpcs;
        (interrupts, others)
    }

    fn dpcs(&self) -> impl Iterator<Item = &Call> {
        self.deferred.iter().filter_map(|work| {
            if let Work::Dpc(call) = work {
                Some(call)
            } else {
                None
            }
        })
    }
}

#[derive(Default)]
struct Processor {
    queue: Mutex<Queue>,
    work: Condvar,
    /// Whether an interrupt was queued since the queue was looked at for one.
    interrupted: AtomicBool,
}

pub(super) struct Processors {
    all: Box<[Processor]>,
    /// Interrupts, DPCs and tasks that are queued or running on any processor.
    pending: AtomicUsize,
    idle: Mutex<()>,
    became_idle: Condvar,
}

impl Processors {
    pub(super) fn new(count: u32) -> Self {
        Self {
            all: (0..count).map(|_| Processor::default()).collect(),
            pending: AtomicUsize::new(0),
            idle: Mutex::new(()),
            became_idle: Condvar::new(),
        }
    }

    fn get(&self, number: u32) -> &Processor {
        match self.all.get(number as usize) {
            Some(processor) => processor,
            None => platform::fatal(&format!("simkernel: there is no processor {number}")),
        }
    }

    /// Something that was pending is done, or will not be done.
    fn done(&self) {
        if self.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _idle = self.idle.lock();
            self.became_idle.notify_all();
        }
    }

    pub(super) fn quiesce(&self) {
        let mut idle = self.idle.lock();
        while self.pending.load(Ordering::Acquire) > 0 {
            idle = self.became_idle.wait(idle);
        }
    }

    /// Waits for what each processor has now.
    pub(super) fn flush(&self) {
        let barrier = Arc::new(Barrier::default());
        for processor in &self.all {
            let mut queue = processor.queue.lock();
            if queue.stopping || !queue.busy && queue.deferred.is_empty() {
                continue;
            }
            *barrier.awaited.lock() += 1;
            self.pending.fetch_add(1, Ordering::Relaxed);
            let passage = Passage(Arc::clone(&barrier));
            queue
                .deferred
                .push_back(Work::Task(Box::new(move || drop(passage))));
        }
        let mut awaited = barrier.awaited.lock();
        while *awaited > 0 {
            awaited = barrier.passed.wait(awaited);
        }
    }

    /// Takes the DPC at `address` off the queue of processor `number`, if it is still there.
    pub(super) fn remove_dpc(&self, number: u32, address: usize) -> bool {
        let removed = {
            let call = self.get(number).queue.lock().remove_dpc(address);
            call.map(|call| call.dequeued()).is_some()
        };
        if removed {
            self.done();
        }
        removed
    }

    /// Takes the DPCs that lie in `range` off all queues and names the first.
    pub(super) fn remove_dpcs_in(&self, range: &Range<usize>) -> Option<usize> {
        if self.pending.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut first = None;
        for processor in &self.all {
            let mut queue = processor.queue.lock();
            let inside: Vec<usize> = queue
                .dpcs()
                .map(Call::address)
                .filter(|address| range.contains(address))
                .collect();
            for address in inside {
                queue.remove_dpc(address);
                self.done();
                first = first.or(Some(address));
            }
        }
        first
    }

    pub(super) fn stop(&self) {
        for processor in &self.all {
            let thread = {
                let mut queue = processor.queue.lock();
                queue.stopping = true;
                queue.thread.take()
            };
            processor.work.notify_all();
            if let Some(thread) = thread
                && !thread.join()
            {
                platform::write_error("simkernel: a processor's thread panicked");
            }
            let forgotten = processor.queue.lock().forget();
            drop(forgotten);
        }
    }

    pub(super) fn leaks(&self, leaks: &mut Vec<Leak>) {
        for (number, processor) in self.all.iter().enumerate() {
            let queue = processor.queue.lock();
            leaks.extend(queue.dpcs().map(|call| Leak {
                kind: "queued DPC",
                detail: format!("{call} on processor {number}"),
            }));
        }
    }
}

/// What [`Processors::flush`] waits at.
#[derive(Default)]
struct Barrier {
    awaited: Mutex<usize>,
    passed: Condvar,
}

/// One processor's turn at the barrier; passed when dropped, run or not.
struct Passage(Arc<Barrier>);

impl Drop for Passage {
    fn drop(&mut self) {
        *self.0.awaited.lock() -= 1;
        self.0.passed.notify_all();
    }
}

/// Lets `push` put something into the queue of a processor, if it wants, and sees to it that it is run.
pub(super) fn with_queue(
    machine: &Arc<Machine>,
    number: u32,
    push: impl FnOnce(&mut Queue) -> bool,
) -> bool {
    let processors = &machine.ke.processors;
    let processor = processors.get(number);
    let mut queue = processor.queue.lock();
    // Before it can be taken off again.
    processors.pending.fetch_add(1, Ordering::Relaxed);
    if !push(&mut queue) {
        drop(queue);
        processors.done();
        return false;
    }
    if queue.thread.is_none() && !queue.stopping {
        let machine = Arc::clone(machine);
        let body = move || kernel::enter(&machine, number, PASSIVE, || run(&machine, number));
        queue.thread = Thread::spawn(format!("processor {number}"), Box::new(body));
        if queue.thread.is_none() {
            platform::fatal("simkernel: the host refuses a thread");
        }
    }
    drop(queue);
    processor.work.notify_all();
    true
}

/// Takes the interrupts that the calling processor's level does not hold off, in the middle of what it is doing. For the end of what a
/// driver calls, where the kernel holds no lock of its own.
pub(crate) fn take_interrupts() {
    let thread = kernel::current();
    if !thread.is_processor.get() {
        return;
    }
    let processors = &thread.machine.ke.processors;
    let processor = processors.get(thread.processor.get());
    let mut first = None;
    while processor.interrupted.swap(false, Ordering::Acquire) {
        loop {
            let mut queue = processor.queue.lock();
            let first = *first.get_or_insert(queue.taken);
            let work = if queue.taken - first < BURST {
                queue.take_interrupt(thread.irql.get())
            } else {
                None
            };
            if work.is_none() && queue.is_interrupted() {
                // Held off: to be looked at again when the level is lower, or what was interrupted has got on.
                processor.interrupted.store(true, Ordering::Release);
                return;
            }
            drop(queue);
            let Some(work) = work else { break };
            work.run();
            processors.done();
        }
    }
}

/// Queues an interrupt or a task.
pub(super) fn queue(machine: &Arc<Machine>, number: u32, work: Work) {
    let interrupted = &machine.ke.processors.get(number).interrupted;
    with_queue(machine, number, |queue| {
        match work {
            _ if queue.stopping => return false,
            Work::Interrupt(irql, _) => {
                queue.interrupts.entry(irql).or_default().push_back(work);
                interrupted.store(true, Ordering::Release);
            }
            Work::Dpc(_) | Work::Task(_) => queue.deferred.push_back(work),
        }
        true
    });
}

/// A processor's life.
fn run(machine: &Arc<Machine>, number: u32) {
    kernel::current().is_processor.set(true);
    let processors = &machine.ke.processors;
    let processor = processors.get(number);
    let mut queue = processor.queue.lock();
    while !queue.stopping {
        let Some(work) = queue.take() else {
            queue = processor.work.wait(queue);
            continue;
        };
        queue.busy = true;
        drop(queue);
        work.run();
        processors.done();
        queue = processor.queue.lock();
        queue.busy = false;
    }
}
