//! Levels, spin locks, events, DPCs, processors and the interrupts they take.
//!
//! # Design
//!
//! * **A level belongs to a thread.** Each host thread that entered the machine has a level and a processor number. Two
//!   threads may claim the same processor at DISPATCH_LEVEL at once, which no Windows machine does: code that leans on its
//!   processor instead of on a lock is found out.
//! * **A processor has a thread of its own** for what comes to it: interrupts first, the highest level of them first, then
//!   DPCs in their order. It starts with its first work. A DPC therefore never runs in the middle of the thread that queued
//!   it. An interrupt cuts into a DPC of its processor, or a service routine of a lower level, where that takes or gives back a spin
//!   lock, queues a DPC, maps memory or writes a register; between such calls it waits, since nobody can stop a host
//!   thread.
//! * **A storm of interrupts holds up no DPC and no code that it cuts into.** A host thread can interrupt faster than another serves,
//!   by its speed alone. So these get their turn after a number of interrupts: to a driver the others came a little later. Interrupts
//!   of a lower level get none: they wait until the storm is over, as they do on a processor.
//! * **State lives in the driver's structure** where it has room: a spin lock's word holds its owner, an event its signal, a
//!   DPC where it is queued. So there is no registry to leak, and a structure in freed memory troubles nobody who leaves it
//!   alone. Events and DPCs know their address, so one that was moved after its initialisation is recognised.
//! * **Nothing hangs in silence.** Who would wait for itself is told so and goes on; who waits too long for a spin lock
//!   is reported and waits on.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use self::processor::{Processors, Work};
use crate::kernel::{self, Config, Kernel, Machine, Thread};
use crate::netio;
use crate::platform::{self, Condvar, Mutex};
use crate::verifier::Leak;

pub(crate) mod dpc;
pub(crate) mod event;
pub(crate) mod level;
pub(crate) mod lock;
mod processor;
pub(crate) mod system;
pub mod violation;

pub(crate) use self::processor::take_interrupts;
pub use self::system::export;

pub(crate) const PASSIVE: u8 = 0;
pub(crate) const APC: u8 = 1;
pub(crate) const DISPATCH: u8 = 2;
pub(crate) const HIGH: u8 = 15;

pub(crate) struct State {
    processors: Processors,
    events: event::Waiters,
}

impl State {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            processors: Processors::new(config.processors),
            events: event::Waiters::default(),
        }
    }
}

pub(crate) fn leaks(machine: &Arc<Machine>, leaks: &mut Vec<Leak>) {
    machine.ke.processors.leaks(leaks);
}

/// Does nothing yet: a processor starts with its first work.
pub(crate) fn start(_machine: &Arc<Machine>) {}

/// Stops the processors after what they are doing; what is queued stays queued.
pub(crate) fn stop(machine: &Arc<Machine>) {
    machine.ke.processors.stop();
}

/// The calling thread's level; 0 if it belongs to no machine.
pub(crate) fn irql() -> u8 {
    kernel::try_current().map_or(PASSIVE, |thread| thread.irql.get())
}

/// Whether the level of the calling thread is one at which `what` may be called; a violation if not.
pub(crate) fn require(what: &'static str, allowed: RangeInclusive<u8>) -> bool {
    let thread = kernel::current();
    let irql = thread.irql.get();
    let right = allowed.contains(&irql);
    if !right {
        let rule = netio::level_rule(thread).unwrap_or(&violation::LEVEL);
        let (first, last) = (allowed.start(), allowed.end());
        thread.machine.violated(
            rule,
            format_args!("{what} was called at IRQL {irql}, allowed are {first} to {last}"),
        );
    }
    right
}

/// Runs `body` on the calling thread, `thread`, at `irql`, and checks that it returns at that level and without a spin lock of
/// its own.
pub(crate) fn at<R>(thread: &Thread, irql: u8, body: impl FnOnce() -> R) -> R {
    let outer = thread.irql.replace(irql);
    let locks = thread.locks.get();
    let result = body();
    let left = thread.irql.replace(outer);
    if left != irql {
        let rule = netio::level_changed_rule(thread).unwrap_or(&violation::LEVEL_CHANGED);
        thread.machine.violated(
            rule,
            format_args!("called at IRQL {irql}, returned at IRQL {left}"),
        );
    }
    let held = thread.locks.get();
    thread.locks.set(held.min(locks));
    if held > locks {
        thread.machine.violated(
            &violation::LOCK_HELD,
            format_args!("returned with {} spin locks", held - locks),
        );
    }
    result
}

/// Queues `isr` to a processor, which runs it at `irql`. It only queues: the caller may hold locks.
pub(crate) fn interrupt(
    machine: &Arc<Machine>,
    processor: u32,
    irql: u8,
    isr: Arc<dyn Fn() + Send + Sync>,
) {
    processor::queue(
        machine,
        processor,
        Work::Interrupt(irql, Box::new(move || isr())),
    );
}

/// Waits until every DPC that is queued or running now has run. Not for a DPC or an ISR, which would wait for itself.
pub(crate) fn flush_dpcs(machine: &Arc<Machine>) {
    let thread = kernel::current();
    if thread.is_processor.get() || thread.locks.get() > 0 {
        machine.violated(
            &violation::FLUSH,
            format_args!(
                "a DPC, an ISR or the holder of a spin lock waits for DPCs at IRQL {}",
                thread.irql.get()
            ),
        );
        return;
    }
    machine.ke.processors.flush();
}

/// How many processors the machine has.
pub(crate) fn processor_count(machine: &Arc<Machine>) -> u32 {
    machine.config.processors
}

impl Kernel {
    /// Waits until no interrupt and no DPC is queued or running.
    ///
    /// # Panics
    ///
    /// If an ISR or a DPC calls it, which would wait for itself.
    pub fn quiesce(&self) {
        assert_waitable();
        self.machine().ke.processors.quiesce();
    }

    /// Runs `body` on the calling thread, at PASSIVE_LEVEL, as a thread of this machine that is bound to `processor`.
    pub fn run_on<R>(&self, processor: u32, body: impl FnOnce() -> R) -> R {
        kernel::enter(self.machine(), processor, PASSIVE, || {
            at(kernel::current(), PASSIVE, body)
        })
    }

    /// Runs `body` on a processor's own thread, at DISPATCH_LEVEL and in turn with the DPCs, and waits for it.
    ///
    /// # Panics
    ///
    /// If `body` panics, if there is no such processor, or if an ISR or a DPC calls it.
    pub fn run_dpc_on<R: Send + 'static>(
        &self,
        processor: u32,
        body: impl FnOnce() -> R + Send + 'static,
    ) -> R {
        self.run(processor, body, Work::Task)
    }

    /// Runs `body` on a processor's own thread as an interrupt service routine at `irql`, and waits for it.
    ///
    /// # Panics
    ///
    /// If `body` panics, if there is no such processor, or if an ISR or a DPC calls it.
    pub fn run_isr_on<R: Send + 'static>(
        &self,
        processor: u32,
        irql: u8,
        body: impl FnOnce() -> R + Send + 'static,
    ) -> R {
        self.run(processor, body, |body| Work::Interrupt(irql, body))
    }

    fn run<R: Send + 'static>(
        &self,
        processor: u32,
        body: impl FnOnce() -> R + Send + 'static,
        work: impl FnOnce(Box<dyn FnOnce() + Send>) -> Work,
    ) -> R {
        assert_waitable();
        assert!(
            processor < processor_count(self.machine()),
            "there is no processor {processor}"
        );
        let outcome = Arc::new((Mutex::new(None), Condvar::new()));
        let sender = Arc::clone(&outcome);
        let body = move || {
            let result = platform::catch(body);
            *sender.0.lock() = Some(result);
            sender.1.notify_all();
        };
        processor::queue(self.machine(), processor, work(Box::new(body)));
        let mut result = outcome.0.lock();
        loop {
            match result.take() {
                Some(Some(result)) => return result,
                Some(None) => panic!("it panicked on processor {processor}"),
                None => result = outcome.1.wait(result),
            }
        }
    }
}

/// Panics if the calling thread is a processor's own.
fn assert_waitable() {
    let waitable = kernel::try_current().is_none_or(|thread| !thread.is_processor.get());
    assert!(waitable, "an ISR or a DPC must not wait for its processor");
}
