//! The Network Module Registrar: the nine functions that netio.sys exports.
//!
//! | file | what it holds |
//! |---|---|
//! | `exports` | the functions with C names |
//! | `protocol` | register, attach, detach, complete, clean up, deregister, wait |
//! | `registry` | registrations, bindings and their states, under one lock a shard |
//! | `slab` | elements by index, and lists through them |
//! | `lock` | the lock of a shard |
//! | `handle` | the handles given out: kind, place and generation |
//! | `snapshot` | what a module registered, as it was at that moment |
//! | `callback` | the six callbacks |
//! | `name`, `note` | how modules are called, and the trace's compact record of what happened |
//! | [`violation`] | the rules that a module can break |
//!
//! # How a binding lives
//!
//! 1. Registering a module proposes it to every registered module of the other kind with the same interface. Inserting
//!    it and finding its peers is one locked step, so two modules that register at once find each other exactly once.
//! 2. The registering thread then runs the client's attach callback for each proposal, which asks the provider through
//!    `NmrClientAttachProvider`, as often as it likes until the provider accepts.
//! 3. Deregistering a module withdraws the proposals that nobody has begun, and detaches what is attached, on the
//!    deregistering thread. An attach in progress goes on; if it succeeds, its own thread detaches at once.
//! 4. A side is finished when its detach callback has answered `STATUS_SUCCESS`, or has answered `STATUS_PENDING` and the
//!    completion has come, in whichever order. The thread that finishes the second side runs both cleanup callbacks.
//! 5. A deregistration is complete when the module has no binding left, cleanup callbacks included.
//!
//! # Design
//!
//! * Modules of different interfaces never meet, so the registry is split into shards by interface, each with its own lock, and
//!   a handle names its shard. A module lists its bindings and an interface its modules by links inside the elements:
//!   what a step costs depends on what it touches only. A waiter has its own condition, so nobody else wakes it.
//! * What Windows leaves open is drawn from a generator per interface, seeded by the machine's seed: traffic on one
//!   interface does not change the choices of another.
//! * A client that answers failure after its attach succeeded is gone and has no more callbacks; its provider is told
//!   to detach and cleans up. A client that answers success without an accepted attach is not attached. Windows'
//!   behaviour is not documented in either case.

mod callback;
mod exports;
mod handle;
mod lock;
mod name;
mod note;
mod protocol;
mod registry;
mod slab;
mod snapshot;
pub mod violation;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use core::time::Duration;

use self::callback::{CLIENT_ATTACH, PROVIDER_ATTACH};
use self::handle::SHARDS;
use self::lock::Lock;
use self::registry::Registry;
use crate::Rule;
use crate::fault::{self, Fault};
use crate::kernel::{Config, Kernel, Machine, Owner, Thread, current};
use crate::verifier::Leak;

pub(crate) use self::name::Party;
pub(crate) use self::note::Note;

/// At which level detach and cleanup callbacks run. Never below the level of the thread that causes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LevelChoice {
    /// Three in four at DISPATCH_LEVEL, the others at APC_LEVEL or at the level of the thread.
    Seeded,
    /// At the level of the thread.
    Lowest,
    /// At APC_LEVEL, where pages may be touched and nothing may be waited for that needs an APC.
    Apc,
    /// At DISPATCH_LEVEL.
    Dispatch,
}

/// In which order a deregistration detaches its bindings, and which side of a binding comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderChoice {
    /// Shuffled by the seed.
    Seeded,
    /// In the order of the attachments, the client's side first.
    Fixed,
}

/// What the tests of a machine have chosen.
struct Settings {
    level: AtomicU8,
    order: AtomicU8,
    compatibility: AtomicBool,
    early_cleanup: AtomicBool,
    success_at_once: AtomicBool,
    self_attachment: AtomicBool,
    tracing: AtomicBool,
    /// In nanoseconds.
    patience: AtomicU64,
}

/// The registrar of one machine.
pub(crate) struct State {
    settings: Settings,
    shards: [Lock<Registry>; SHARDS],
}

impl State {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            settings: Settings {
                level: AtomicU8::new(LevelChoice::Seeded as u8),
                order: AtomicU8::new(OrderChoice::Seeded as u8),
                compatibility: AtomicBool::new(false),
                early_cleanup: AtomicBool::new(false),
                success_at_once: AtomicBool::new(false),
                self_attachment: AtomicBool::new(true),
                tracing: AtomicBool::new(true),
                patience: AtomicU64::new(Duration::from_secs(10).as_nanos() as u64),
            },
            shards: core::array::from_fn(|shard| Lock::new(Registry::new(config.seed, shard))),
        }
    }
}

impl Settings {
    fn level(&self) -> LevelChoice {
        match self.level.load(Ordering::Relaxed) {
            level if level == LevelChoice::Lowest as u8 => LevelChoice::Lowest,
            level if level == LevelChoice::Apc as u8 => LevelChoice::Apc,
            level if level == LevelChoice::Dispatch as u8 => LevelChoice::Dispatch,
            _ => LevelChoice::Seeded,
        }
    }

    fn shuffles(&self) -> bool {
        self.order.load(Ordering::Relaxed) == OrderChoice::Seeded as u8
    }

    fn patience(&self) -> Duration {
        Duration::from_nanos(self.patience.load(Ordering::Relaxed))
    }
}

/// The test's hand on the Network Module Registrar.
#[derive(Clone, Copy)]
pub struct Nmr<'a> {
    state: &'a State,
    faults: &'a fault::State,
}

impl Kernel {
    /// The Network Module Registrar of this machine.
    pub fn nmr(&self) -> Nmr<'_> {
        Nmr {
            state: &self.machine().netio,
            faults: &self.machine().faults,
        }
    }
}

impl Nmr<'_> {
    /// Chooses the level of detach and cleanup callbacks. [`LevelChoice::Seeded`] by default.
    pub fn detach_level(&self, level: LevelChoice) {
        self.state
            .settings
            .level
            .store(level as u8, Ordering::Relaxed);
    }

    /// Chooses the order of detach and cleanup callbacks. [`OrderChoice::Seeded`] by default.
    pub fn order(&self, order: OrderChoice) {
        self.state
            .settings
            .order
            .store(order as u8, Ordering::Relaxed);
    }

    /// Accepts, as Windows does, a completion that comes before the detach callback was called; it then counts for the
    /// `STATUS_PENDING` that the callback answers later. Off by default, when it is
    /// [`violation::COMPLETED_BEFORE_DETACH`].
    pub fn compatibility(&self, on: bool) {
        self.state
            .settings
            .compatibility
            .store(on, Ordering::Relaxed);
    }

    /// Lets a completion that comes while the side's detach callback still runs be the last one, so that the cleanup
    /// callbacks may run before the detach callback has returned. It is not known that Windows does not. Off by default.
    pub fn early_cleanup(&self, on: bool) {
        self.state
            .settings
            .early_cleanup
            .store(on, Ordering::Relaxed);
    }

    /// Answers, as other simulators do, `STATUS_SUCCESS` to a deregistration that is complete when the call returns; there is
    /// nothing to wait for then. Windows documents `STATUS_PENDING` only. Off by default.
    pub fn success_at_once(&self, on: bool) {
        self.state
            .settings
            .success_at_once
            .store(on, Ordering::Relaxed);
    }

    /// Whether a client and a provider that one driver registered are attached to each other. On by default.
    ///
    /// A registration is the driver's in whose callback it is made. What is registered outside every callback of a loaded driver, by
    /// the test itself or by a thread that it started, counts as the work of one more driver.
    pub fn self_attachment(&self, on: bool) {
        self.state
            .settings
            .self_attachment
            .store(on, Ordering::Relaxed);
    }

    /// How long a wait for a deregistration lasts before it is reported as [`violation::STUCK`], with who holds what, and
    /// goes on. 10 seconds by default.
    pub fn patience(&self, patience: Duration) {
        let nanoseconds = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        self.state
            .settings
            .patience
            .store(nanoseconds, Ordering::Relaxed);
    }

    /// Whether what happens is recorded in the machine's trace. On by default; a benchmark turns it off.
    pub fn tracing(&self, on: bool) {
        self.state.settings.tracing.store(on, Ordering::Relaxed);
    }

    /// Makes the `call`-th registration from now, counted from 1, fail with `STATUS_INSUFFICIENT_RESOURCES`; `None` takes
    /// it back.
    pub fn fail_registration(&self, call: Option<u64>) {
        self.faults.arm(Fault::Registration, call);
    }

    /// Makes the `call`-th `NmrClientAttachProvider` from now, counted from 1, fail with `STATUS_INSUFFICIENT_RESOURCES`
    /// before the provider is asked; `None` takes it back.
    pub fn fail_attach(&self, call: Option<u64>) {
        self.faults.arm(Fault::Attach, call);
    }

    /// Modules that are registered, or deregistered and not waited for.
    pub fn registrations(&self) -> usize {
        self.state
            .shards
            .iter()
            .map(|shard| shard.lock().modules())
            .sum()
    }

    /// Bindings that are proposed, attached or not yet cleaned up.
    pub fn bindings(&self) -> usize {
        self.state
            .shards
            .iter()
            .map(|shard| shard.lock().bindings())
            .sum()
    }
}

impl core::fmt::Debug for Nmr<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Nmr")
            .field("registrations", &self.registrations())
            .field("bindings", &self.bindings())
            .finish_non_exhaustive()
    }
}

/// For a report: when and where the first of two calls was, by the trace.
#[cold]
fn before(machine: &Machine, matches: impl Fn(&Note) -> bool) -> String {
    match machine.trace.latest_nmr(matches) {
        Some(event) => format!("; before that, {event}"),
        None => String::new(),
    }
}

/// The callback of the registrar that the calling thread is in, if no other is inside it: `true` for detach and cleanup.
fn innermost(thread: &Thread) -> Option<bool> {
    let innermost = thread.find_frame(|frame| {
        Some(match frame.owner {
            Owner::Module(_) => Some(!matches!(frame.callback, CLIENT_ATTACH | PROVIDER_ATTACH)),
            Owner::Name(_) => None,
        })
    });
    innermost.flatten()
}

/// The rule that a call at the wrong level breaks if it is about the callback that it comes from.
pub(crate) fn level_rule(thread: &Thread) -> Option<&'static Rule> {
    innermost(thread)?.then_some(&violation::CALLBACK_LEVEL)
}

/// The rule that a callback breaks that returns at another level.
pub(crate) fn level_changed_rule(thread: &Thread) -> Option<&'static Rule> {
    innermost(thread).map(|detach| match detach {
        true => &violation::CALLBACK_LEVEL,
        false => &violation::ATTACH_LEVEL,
    })
}

/// Reports an allocation in a callback that cannot fail.
pub(crate) fn allocating(machine: &Machine, function: &str) {
    if innermost(current()) == Some(true) {
        machine.violated(&violation::ALLOCATION_IN_DETACH, format_args!("{function}"));
    }
}

/// Reports what a driver that is gone has left registered.
pub(crate) fn driver_gone(machine: &Machine, driver: u64, name: &str) {
    for shard in &machine.netio.shards {
        let left: Vec<String> = shard.lock().left_by(driver).collect();
        for left in left {
            machine.violated(
                &violation::UNLOADED,
                format_args!("the driver {name} is gone and has left {left}"),
            );
        }
    }
}

pub(crate) fn leaks(machine: &Arc<Machine>, leaks: &mut Vec<Leak>) {
    for shard in &machine.netio.shards {
        let registry = shard.lock();
        for left in registry.left_modules() {
            leaks.push(Leak {
                kind: left.kind,
                detail: left.detail,
            });
        }
        for binding in registry.left_bindings() {
            leaks.push(Leak {
                kind: "nmr binding",
                detail: binding,
            });
        }
    }
}
