//! Failures on demand: the n-th call of a kind is refused, and a scenario is run once for each call that can be.
//!
//! ```
//! use simkernel::fault::{self, Fault};
//! use simkernel::{Config, Kernel};
//!
//! // Loads a driver, works with it and unloads it, or stops where it is refused something.
//! let scenario = |kernel: &Kernel| {
//!     let _ = kernel;
//! };
//! let points = fault::each(&Config::default(), &Fault::RECOVERABLE, scenario);
//! assert!(points.is_empty(), "nothing was called that can be refused");
//! ```
//!
//! # Design
//!
//! * **Points are counted, not recognised.** The n-th call of its kind since boot is the point, so none is left out, those in loops
//!   included, and nothing has to be known of call stacks. Where threads make the order vary, a point is one of several calls
//!   in different runs; the runs end when one of them makes fewer calls than its point asks for.
//! * **One failure a run.** What a driver does after a refusal runs with everything else working, as on a machine that is
//!   short of memory for a moment.
//! * **A run that does not end stops the process** and says at which point, since a thread that waits in the kernel cannot be
//!   stopped alone.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use crate::kernel::{Config, Kernel, Machine};
use crate::platform::{self, Condvar, Mutex, Thread};

/// How long a scenario may take before it counts as stalled.
const PATIENCE: Duration = Duration::from_secs(120);

/// A kind of call that can be made to fail, and what it answers then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// An allocation of pool or of contiguous memory: null.
    Allocation,
    /// `NmrRegisterClient` or `NmrRegisterProvider`: `STATUS_INSUFFICIENT_RESOURCES`.
    Registration,
    /// `NmrClientAttachProvider`, before the provider is asked: `STATUS_INSUFFICIENT_RESOURCES`.
    Attach,
    /// `NetDmaRegisterProvider`: `STATUS_INSUFFICIENT_RESOURCES`.
    NetDmaRegistration,
    /// The creation of a framework object: `STATUS_INSUFFICIENT_RESOURCES`.
    FrameworkObject,
    /// `NmrDeregisterClient` or `NmrDeregisterProvider`, before anything is begun: `STATUS_UNSUCCESSFUL`.
    Deregistration,
    /// `NmrWaitForClientDeregisterComplete` or `NmrWaitForProviderDeregisterComplete`, at once: `STATUS_UNSUCCESSFUL`.
    Wait,
}

impl Fault {
    /// The kinds that a driver can give way to. [`Deregistration`](Self::Deregistration) and [`Wait`](Self::Wait) are not among
    /// them: what cannot be taken down stays, and so a run of [`each`] would not end clean.
    pub const RECOVERABLE: [Self; 5] = [
        Self::Allocation,
        Self::Registration,
        Self::Attach,
        Self::NetDmaRegistration,
        Self::FrameworkObject,
    ];
}

/// What is to fail on one machine, by kind.
#[derive(Debug, Default)]
pub(crate) struct State {
    allocation: Counter,
    registration: Counter,
    attach: Counter,
    net_dma_registration: Counter,
    framework_object: Counter,
    deregistration: Counter,
    wait: Counter,
}

#[derive(Debug, Default)]
struct Counter {
    /// Calls until one fails, that one included; 0: none fails.
    left: AtomicU64,
    failed: AtomicU64,
}

impl State {
    fn counter(&self, fault: Fault) -> &Counter {
        match fault {
            Fault::Allocation => &self.allocation,
            Fault::Registration => &self.registration,
            Fault::Attach => &self.attach,
            Fault::NetDmaRegistration => &self.net_dma_registration,
            Fault::FrameworkObject => &self.framework_object,
            Fault::Deregistration => &self.deregistration,
            Fault::Wait => &self.wait,
        }
    }

    pub(crate) fn arm(&self, fault: Fault, n: Option<u64>) {
        let left = n.map_or(0, |n| n.max(1));
        self.counter(fault).left.store(left, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, fault: Fault) -> u64 {
        self.counter(fault).failed.load(Ordering::Relaxed)
    }
}

impl Machine {
    /// Whether the call that is being made is to fail. `what` says which call it is.
    #[inline]
    pub(crate) fn fails(&self, fault: Fault, what: fmt::Arguments<'_>) -> bool {
        let counter = self.faults.counter(fault);
        counter.left.load(Ordering::Relaxed) != 0 && self.counts_down(fault, counter, what)
    }

    #[cold]
    fn counts_down(&self, fault: Fault, counter: &Counter, what: fmt::Arguments<'_>) -> bool {
        let last = |left: u64| left.checked_sub(1);
        let fails = counter
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, last)
            .is_ok_and(|left| left == 1);
        if fails {
            counter.failed.fetch_add(1, Ordering::Relaxed);
            let callbacks = crate::kernel::callbacks();
            self.trace(
                SOURCE,
                format_args!("{fault:?} is made to fail: {what}{callbacks}"),
            );
        }
        fails
    }
}

const SOURCE: &str = "fault";

impl Kernel {
    /// Makes the `n`-th call of this kind from now on fail, and only that; 1 is the next one. With `None` none fails any more.
    pub fn fail(&self, fault: Fault, n: Option<u64>) {
        self.machine().faults.arm(fault, n);
    }

    /// How many calls of this kind were made to fail so far.
    pub fn failed(&self, fault: Fault) -> u64 {
        self.machine().faults.failed(fault)
    }
}

/// One call that was made to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Its kind.
    pub fault: Fault,
    /// Which of its kind, from 1.
    pub n: u64,
    /// The call, and the callbacks that it was made in.
    pub what: String,
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (number {})", self.what, self.n)
    }
}

/// Runs `scenario` on a machine of its own for each call that can fail, with just that one failing, and answers which these
/// were. First it is run with none failing.
///
/// # Panics
///
/// If a machine is not clean after its run: a rule was broken, or something is left. A panic of the scenario itself is passed on.
/// Either way the point is printed. If a run does not end within two minutes the process is stopped.
pub fn each(config: &Config, faults: &[Fault], scenario: impl Fn(&Kernel)) -> Vec<Point> {
    run(config, None, &scenario);
    let mut points = Vec::new();
    for &fault in faults {
        points.extend((1..).map_while(|n| run(config, Some((fault, n)), &scenario)));
    }
    points
}

/// One run; the point, if there was such a call.
fn run(config: &Config, point: Option<(Fault, u64)>, scenario: &impl Fn(&Kernel)) -> Option<Point> {
    let _watch = Watch::new(match point {
        Some((fault, n)) => format!("with {fault:?} {n} failing"),
        None => "with nothing failing".into(),
    });
    let kernel = Kernel::boot(config.clone());
    if let Some((fault, n)) = point {
        kernel.fail(fault, Some(n));
    }
    scenario(&kernel);
    if let Some((fault, _)) = point {
        kernel.fail(fault, None);
    }
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
    let (fault, n) = point?;
    let failed = |event: &&crate::trace::Event| event.source == SOURCE;
    let event = verdict.events.iter().find(failed)?;
    let what = event.what.clone();
    Some(Point { fault, n, what })
}

/// Says which run it was that panicked, and stops one that does not end.
struct Watch {
    what: String,
    over: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<Thread>,
}

impl Watch {
    fn new(what: String) -> Self {
        let over = Arc::new((Mutex::new(false), Condvar::new()));
        let (shared, text) = (Arc::clone(&over), what.clone());
        let wait = move || {
            let deadline = platform::now().saturating_add(PATIENCE.as_nanos() as u64);
            let (over, changed) = &*shared;
            let mut over = over.lock();
            while !*over {
                let left = deadline.saturating_sub(platform::now());
                if left == 0 {
                    platform::fatal(&format!(
                        "simkernel: {text} the scenario does not end, for {PATIENCE:?} now"
                    ));
                }
                over = changed.wait_timeout(over, Duration::from_nanos(left));
            }
        };
        Self {
            what,
            over,
            thread: Thread::spawn("fault watch".into(), Box::new(wait)),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if platform::panicking() {
            platform::write_error(&format!("simkernel: {}", self.what));
        }
        *self.over.0.lock() = true;
        self.over.1.notify_all();
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}
