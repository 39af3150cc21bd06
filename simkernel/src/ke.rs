//! Levels, spin locks, events, DPCs, processors and the interrupts they take.
// Signatures first; the bodies are being written.
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::kernel::{self, Config, Kernel, Machine};
use crate::verifier::Leak;

/// The rules of this module.
pub mod violation {
    use crate::verifier::Rule;
    /// See [`Rule::says`].
    pub static LEVEL: Rule = Rule { name: "ke::level", says: "a function is called at a level it allows" };
    /// See [`Rule::says`].
    pub static LEVEL_CHANGED: Rule = Rule { name: "ke::level-changed", says: "a callback returns at the level it was called at" };
}

pub(crate) struct State {}
impl State { pub(crate) fn new(_config: &Config) -> Self { Self {} } }
pub(crate) fn leaks(_machine: &Arc<Machine>, _leaks: &mut Vec<Leak>) {}
pub(crate) fn start(_machine: &Arc<Machine>) {}
pub(crate) fn stop(_machine: &Arc<Machine>) {}

/// The calling thread's level; 0 if it belongs to no machine.
pub(crate) fn irql() -> u8 { kernel::try_current().map_or(0, |thread| thread.irql.get()) }
/// Whether the level allows the call; records a violation if not.
pub(crate) fn require(what: &'static str, allowed: RangeInclusive<u8>) -> bool {
    let irql = irql();
    let right = allowed.contains(&irql);
    if !right {
        kernel::machine().violated(&violation::LEVEL, format_args!("{what} at level {irql}"));
    }
    right
}
/// Runs `body` at `irql` on this thread and checks that it returns at that level.
pub(crate) fn at<R>(irql: u8, body: impl FnOnce() -> R) -> R {
    let thread = kernel::current();
    let outer = thread.irql.replace(irql);
    let result = body();
    if thread.irql.get() != irql {
        thread.machine.violated(&violation::LEVEL_CHANGED, format_args!("returned at level {}", thread.irql.get()));
    }
    thread.irql.set(outer);
    result
}
/// Queues an interrupt service routine to a processor. May be called with locks held.
pub(crate) fn interrupt(_machine: &Arc<Machine>, _processor: u32, _irql: u8, _isr: Arc<dyn Fn() + Send + Sync>) {}
/// Waits until every DPC that is queued or running now has run.
pub(crate) fn flush_dpcs(_machine: &Arc<Machine>) {}
/// How many processors the machine has.
pub(crate) fn processor_count(machine: &Arc<Machine>) -> u32 { machine.config.processors }

impl Kernel {
    /// Waits until no interrupt and no DPC is queued or running. Not to be called by a callback.
    pub fn quiesce(&self) {}
    /// Runs `body` on the calling thread at PASSIVE_LEVEL as if on processor `processor`.
    pub fn run_on<R>(&self, _processor: u32, body: impl FnOnce() -> R) -> R { body() }
    /// Runs `body` as a DPC on a processor and waits for it.
    pub fn run_dpc_on<R: Send + 'static>(&self, _processor: u32, body: impl FnOnce() -> R + Send + 'static) -> R { body() }
    /// Runs `body` as an interrupt service routine on a processor and waits for it.
    pub fn run_isr_on<R: Send + 'static>(&self, _processor: u32, _irql: u8, body: impl FnOnce() -> R + Send + 'static) -> R { body() }
}
