//! One machine: boot, the machine that a thread belongs to, shutdown and its verdict.
//!
//! # Safety
//!
//! The unsafe code of this file reads the calling thread's slot, which holds null or a pointer to a `Thread` that its
//! [`Entered`] guard keeps alive and takes out again; and the callbacks that a thread is in, which lie on its stack, each
//! with a pointer to the one around it, until `in_callback` takes it out again.
#![expect(
    unsafe_code,
    reason = "a thread finds its machine, and its callbacks, through pointers"
)]

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::platform::Mutex;
use crate::trace::{Event, Trace, Watcher};
use crate::verifier::{Leak, Rule, Verifier, Violation};
use crate::{fault, ke, mm, ndis, netio, platform, pnp, wdf};

/// The Windows that a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Os {
    /// Windows Vista SP1: NetDMA 2.0, no processor groups, KMDF 1.7.
    VistaSp1,
    /// Windows 7 SP1: NetDMA 2.1, processor groups, KMDF 1.9.
    Win7,
    /// Windows 10 22H2: NetDMA functions are there and do nothing, KMDF 1.31.
    Win10,
}

/// What to boot.
#[derive(Clone, Debug)]
pub struct Config {
    /// The system. Windows 7 by default.
    pub os: Os,
    /// Processors: at least 1 and at most four groups, or on Windows Vista 64. 4 by default.
    pub processors: u32,
    /// Processors of a group, 64 at most and by default; the last group has what is left. No effect on Windows Vista. As the boot
    /// option `groupsize`, it lets a driver meet several groups on a small machine.
    pub group_size: u32,
    /// Where every choice that Windows leaves open comes from.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            os: Os::Win7,
            processors: 4,
            group_size: GROUP,
            seed: 1,
        }
    }
}

/// The most processors of a group.
const GROUP: u32 = 64;
/// The most groups.
const GROUPS: u32 = 4;

impl Config {
    /// The nearest machine that there can be.
    fn possible(self) -> Self {
        let (group_size, groups) = match self.os {
            Os::VistaSp1 => (GROUP, 1),
            Os::Win7 | Os::Win10 => (self.group_size.clamp(1, GROUP), GROUPS),
        };
        Self {
            processors: self.processors.clamp(1, groups * group_size),
            group_size,
            ..self
        }
    }

    /// A bit for each processor of a group.
    pub(crate) fn group_mask(&self, group: u16) -> u64 {
        let before = u32::from(group).saturating_mul(self.group_size);
        match self.processors.saturating_sub(before).min(self.group_size) {
            0 => 0,
            count => u64::MAX >> (u64::BITS - count),
        }
    }
}

/// Everything that one machine holds. The parts live in their modules.
pub(crate) struct Machine {
    pub(crate) config: Config,
    pub(crate) trace: Trace,
    pub(crate) verifier: Verifier,
    pub(crate) faults: fault::State,
    pub(crate) ke: ke::State,
    pub(crate) mm: mm::State,
    pub(crate) netio: netio::State,
    pub(crate) ndis: ndis::State,
    pub(crate) wdf: wdf::State,
    pub(crate) pnp: pnp::State,
}

/// A callback that a thread is in, for diagnosis.
pub(crate) struct Frame<'a> {
    /// The callback's C name.
    pub(crate) callback: &'static str,
    /// Whose it is.
    pub(crate) owner: Owner<'a>,
    /// Identifies the owner to the part of the kernel that called: a handle, an object's address.
    pub(crate) key: usize,
    /// The callback that it was called in; null if it was called in none.
    outer: *const Frame<'static>,
}

impl Frame<'_> {
    pub(crate) fn is_outermost(&self) -> bool {
        self.outer.is_null()
    }
}

/// Whose a callback is: a device's or a driver's name, or a module's of the registrar, whose name is made when somebody looks.
#[derive(Clone, Copy)]
pub(crate) enum Owner<'a> {
    Name(&'a str),
    Module(netio::Party<'a>),
}

impl<'a> From<&'a str> for Owner<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl<'a> From<netio::Party<'a>> for Owner<'a> {
    fn from(party: netio::Party<'a>) -> Self {
        Self::Module(party)
    }
}

impl Owner<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Name(name) if name.is_empty())
    }
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Module(party) => write!(formatter, "{party}"),
        }
    }
}

/// What a machine knows of one host thread.
pub(crate) struct Thread {
    pub(crate) machine: Arc<Machine>,
    /// Not 0, and never that of another host thread.
    pub(crate) id: u64,
    pub(crate) irql: Cell<u8>,
    pub(crate) processor: Cell<u32>,
    /// Whether it is a processor's own thread, which takes interrupts and runs DPCs.
    pub(crate) is_processor: Cell<bool>,
    /// Spin locks that it holds.
    pub(crate) locks: Cell<u32>,
    /// The innermost callback that it is in, or null.
    frame: Cell<*const Frame<'static>>,
    /// Whether it belongs to its machine only because the machine adopts.
    adopted: bool,
}

impl Thread {
    /// The first answer of `look`, which sees the callbacks that the thread is in, the innermost first.
    pub(crate) fn find_frame<R>(&self, mut look: impl FnMut(&Frame<'_>) -> Option<R>) -> Option<R> {
        let mut next = self.frame.get();
        // SAFETY: null, or a frame of an `in_callback` that has not returned, since that takes it out before it does; it is
        // this thread's, which therefore does not leave it before `look` has returned, and `look` cannot keep it.
        while let Some(frame) = unsafe { next.as_ref() } {
            if let Some(found) = look(frame) {
                return Some(found);
            }
            next = frame.outer;
        }
        None
    }
}

/// The machine that adopts: a thread that belongs to none becomes one of its threads when it calls.
static ADOPTER: Mutex<Option<Arc<Machine>>> = Mutex::new(None);

/// The last [`Thread::id`] given.
static LAST_THREAD: AtomicU64 = AtomicU64::new(0);

/// Whether `id` was given to a thread.
pub(crate) fn was_thread(id: u64) -> bool {
    (1..=LAST_THREAD.load(Ordering::Relaxed)).contains(&id)
}

/// Makes the calling thread one of the machine's threads until dropped.
pub struct Entered<'a> {
    thread: *const Thread,
    outer: *const (),
    /// Bound to its thread, and not longer than the kernel.
    lifetime: PhantomData<(&'a (), *const ())>,
}

// SAFETY: a shared reference to it gives access to nothing. Only its drop does something, and that stays on its thread,
// since it is not `Send`.
unsafe impl Sync for Entered<'_> {}

impl Entered<'_> {
    fn new(machine: &Arc<Machine>, processor: u32, irql: u8) -> Self {
        Self::with(machine, processor, irql, false)
    }

    fn with(machine: &Arc<Machine>, processor: u32, irql: u8, adopted: bool) -> Self {
        let new_id = || LAST_THREAD.fetch_add(1, Ordering::Relaxed) + 1;
        let thread = Box::into_raw(Box::new(Thread {
            machine: Arc::clone(machine),
            id: entered().map_or_else(new_id, |outer| outer.id),
            irql: Cell::new(irql),
            processor: Cell::new(processor),
            is_processor: Cell::new(false),
            locks: Cell::new(0),
            frame: Cell::new(core::ptr::null()),
            adopted,
        }));
        let outer = platform::slot();
        platform::set_slot(thread.cast());
        platform::show_processor(processor);
        Self {
            thread,
            outer,
            lifetime: PhantomData,
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        platform::set_slot(self.outer);
        if let Some(outer) = entered() {
            platform::show_processor(outer.processor.get());
        }
        // SAFETY: `with` made the pointer from a box, this is the only place that takes it back, and the slot no longer
        // names it, so no later call of this thread reaches it.
        drop(unsafe { Box::from_raw(self.thread.cast_mut()) });
    }
}

/// The calling thread as its machine sees it, if it belongs to one.
pub(crate) fn try_current<'a>() -> Option<&'a Thread> {
    match entered() {
        Some(thread) if !thread.adopted => Some(thread),
        adopted => adopt(adopted),
    }
}

/// The calling thread, `known` or not, as one of the machine that adopts now.
fn adopt(known: Option<&Thread>) -> Option<&Thread> {
    let adopter = ADOPTER.lock().clone();
    let Some(machine) = adopter else {
        return known;
    };
    if known.is_none_or(|thread| !Arc::ptr_eq(&thread.machine, &machine)) {
        // For as long as the thread lives, since nobody says when it leaves. What it was to an earlier machine is lost.
        platform::set_slot(core::ptr::null());
        core::mem::forget(Entered::with(&machine, 0, 0, true));
    }
    entered()
}

/// The calling thread as its slot has it.
fn entered<'a>() -> Option<&'a Thread> {
    // SAFETY: the slot holds null or the pointer that an `Entered` of this very thread put there and takes out before it
    // frees the thread. `Entered` cannot leave its thread, and no caller keeps the reference beyond its own call.
    unsafe { platform::slot().cast::<Thread>().as_ref() }
}

/// The calling thread; stops the process if it belongs to no machine.
pub(crate) fn current<'a>() -> &'a Thread {
    match try_current() {
        Some(thread) => thread,
        None => platform::fatal(
            "simkernel: a kernel function was called by a thread that entered no Kernel",
        ),
    }
}

/// The machine of the calling thread.
pub(crate) fn machine<'a>() -> &'a Arc<Machine> {
    &current().machine
}

/// The callbacks that the calling thread is in, the innermost first.
pub(crate) fn callbacks() -> String {
    let mut text = String::new();
    if let Some(thread) = try_current() {
        thread.find_frame::<()>(|frame| {
            text.push_str(&format!(", in {}", frame.callback));
            if !frame.owner.is_empty() {
                text.push_str(&format!(" of {}", frame.owner));
            }
            None
        });
    }
    text
}

impl Machine {
    /// Records that the calling thread broke `rule`.
    pub(crate) fn violated(&self, rule: &'static Rule, detail: fmt::Arguments<'_>) {
        let detail = format!("{detail}{}", callbacks());
        self.trace("verifier", format_args!("{}: {detail}", rule.name));
        self.verifier.record(Violation { rule, detail });
    }

    /// Records that something happened.
    pub(crate) fn trace(&self, source: &'static str, what: fmt::Arguments<'_>) {
        let (processor, irql) =
            try_current().map_or((0, 0), |thread| (thread.processor.get(), thread.irql.get()));
        self.trace
            .record(processor, irql, source, format!("{what}"));
    }
}

/// Runs `body` on the calling thread, `thread`, as the callback `callback`, so that diagnoses can name it.
pub(crate) fn in_callback<'a, R>(
    thread: &Thread,
    callback: &'static str,
    owner: impl Into<Owner<'a>>,
    key: usize,
    body: impl FnOnce() -> R,
) -> R {
    /// Takes the innermost frame out, whether its callback returns or unwinds.
    struct Leave<'a>(&'a Thread, *const Frame<'static>);

    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            self.0.frame.set(self.1);
        }
    }

    let frame = Frame {
        callback,
        owner: owner.into(),
        key,
        outer: thread.frame.get(),
    };
    let _leave = Leave(thread, frame.outer);
    thread.frame.set((&raw const frame).cast());
    body()
}

/// Makes the calling host thread a thread of `machine` while `body` runs: for processors and system threads.
pub(crate) fn enter<R>(
    machine: &Arc<Machine>,
    processor: u32,
    irql: u8,
    body: impl FnOnce() -> R,
) -> R {
    let _entered = Entered::new(machine, processor, irql);
    body()
}

/// A running machine. The thread that booted it belongs to it; others [`enter`](Self::enter).
///
/// Dropping it shuts it down and panics if the verdict is not clean.
#[must_use]
pub struct Kernel {
    machine: Option<Arc<Machine>>,
    entered: Option<Entered<'static>>,
}

impl Kernel {
    /// Boots a machine; the calling thread becomes a thread of it, on processor 0 at PASSIVE_LEVEL.
    pub fn boot(config: Config) -> Self {
        let config = config.possible();
        let machine = Arc::new(Machine {
            trace: Trace::new(),
            verifier: Verifier::default(),
            faults: fault::State::default(),
            ke: ke::State::new(&config),
            mm: mm::State::new(&config),
            netio: netio::State::new(&config),
            ndis: ndis::State::new(&config),
            wdf: wdf::State::new(&config),
            pnp: pnp::State::new(&config),
            config,
        });
        ke::start(&machine);
        machine.trace(
            "boot",
            format_args!(
                "{:?}, {} processors",
                machine.config.os, machine.config.processors
            ),
        );
        let entered = Entered::new(&machine, 0, 0);
        Self {
            machine: Some(machine),
            entered: Some(entered),
        }
    }

    pub(crate) fn machine(&self) -> &Arc<Machine> {
        match &self.machine {
            Some(machine) => machine,
            // Only `finish` takes it, and that consumes the kernel or runs in its drop.
            None => platform::fatal("simkernel: used after shutdown"),
        }
    }

    /// What was booted.
    pub fn config(&self) -> &Config {
        &self.machine().config
    }

    /// Makes the calling thread a thread of this machine, on processor `processor` at PASSIVE_LEVEL.
    pub fn enter(&self, processor: u32) -> Entered<'_> {
        Entered::new(self.machine(), processor, 0)
    }

    /// From here on every thread of the process that has entered no kernel belongs to this one, on processor 0: for a process
    /// whose threads are started by others. Such threads do not leave it, so what they are given is not given back.
    pub fn adopt_threads(&self) {
        *ADOPTER.lock() = Some(Arc::clone(self.machine()));
    }

    /// Has `watcher` told of everything that happens from here on.
    pub fn watch(&self, watcher: Watcher) {
        self.machine().trace.watch(watcher);
    }

    /// Records what somebody outside of the kernel has to say.
    pub fn note(&self, source: &'static str, what: fmt::Arguments<'_>) {
        self.machine().trace(source, what);
    }

    /// What happened so far.
    pub fn events(&self) -> Vec<Event> {
        self.machine().trace.events()
    }

    /// The rules broken so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.machine().verifier.violations()
    }

    /// Takes the violations of `rule` out of the record: for a test that breaks it on purpose.
    pub fn take_violations(&self, rule: &Rule) -> Vec<Violation> {
        self.machine().verifier.take(rule)
    }

    /// Stops the processors and says what went wrong and what was left.
    pub fn shutdown(mut self) -> Verdict {
        match self.finish() {
            Some(verdict) => verdict,
            None => platform::fatal("simkernel: shut down twice"),
        }
    }

    fn finish(&mut self) -> Option<Verdict> {
        let machine = self.machine.take()?;
        {
            let mut adopter = ADOPTER.lock();
            if adopter
                .as_ref()
                .is_some_and(|other| Arc::ptr_eq(other, &machine))
            {
                *adopter = None;
            }
        }
        let mut leaks = Vec::new();
        pnp::shutdown(&machine);
        ke::stop(&machine);
        netio::leaks(&machine, &mut leaks);
        ndis::leaks(&machine, &mut leaks);
        wdf::leaks(&machine, &mut leaks);
        pnp::leaks(&machine, &mut leaks);
        ke::leaks(&machine, &mut leaks);
        mm::leaks(&machine, &mut leaks);
        drop(self.entered.take());
        Some(Verdict {
            violations: machine.verifier.violations(),
            leaks,
            events: machine.trace.events(),
        })
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        if let Some(verdict) = self.finish()
            && !verdict.is_clean()
            && !platform::panicking()
        {
            panic!("{verdict}");
        }
    }
}

/// How a machine ended.
#[derive(Clone, Debug)]
#[must_use]
pub struct Verdict {
    /// The rules that were broken.
    pub violations: Vec<Violation>,
    /// What was left behind.
    pub leaks: Vec<Leak>,
    /// Everything that happened.
    pub events: Vec<Event>,
}

impl Verdict {
    /// Whether no rule was broken and nothing left.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.leaks.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return formatter.write_str("clean: no rule broken, nothing leaked");
        }
        for violation in &self.violations {
            writeln!(formatter, "{violation}")?;
        }
        for leak in &self.leaks {
            writeln!(formatter, "{leak}")?;
        }
        Ok(())
    }
}
