//! The simulated machine of this process: one at a time, on a thread of its own, since it is booted and shut down by the same one.
//! Every other thread of the process belongs to it as soon as it calls.
//!
//! # Output
//!
//! What happens is written to the debugger line by line, as it happens, with a mark in front:
//!
//! | mark | what follows |
//! |---|---|
//! | `lab> ` | an event of the machine |
//! | `lab! ` | something that must not be: the run has failed |
//! | `lab= ` | the verdict on a machine |
//!
//! # Safety
//!
//! The unsafe code of this file hands out the machine while it exists. The commands that use it are services which the test stops
//! before the one that boots it.
#![expect(unsafe_code, reason = "shares the machine between services")]

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use nmr_netdma::sys;
use simkernel::platform::{self, Condvar, Mutex, Thread};
use simkernel::trace::Event;
use simkernel::{Config, Kernel, Os, Verdict};

use super::{framework, shim, trap};

/// Something wrong on purpose, to see that the judge finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    Nothing,
    /// The device is not the one that the driver is for.
    Start,
    /// There is no memory in AddDevice.
    AddDevice,
    /// An import is left to Wine.
    Import,
    /// The device does not ring once.
    Interrupt,
    /// The device stays when the machine is shut down.
    Leak,
}

impl Defect {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "" => Self::Nothing,
            "start" => Self::Start,
            "adddevice" => Self::AddDevice,
            "import" => Self::Import,
            "interrupt" => Self::Interrupt,
            "leak" => Self::Leak,
            _ => return None,
        })
    }
}

static KERNEL: AtomicPtr<Kernel> = AtomicPtr::new(ptr::null_mut());
static FAILURES: AtomicU64 = AtomicU64::new(0);
static DEFECT: Mutex<Defect> = Mutex::new(Defect::Nothing);

/// The machine's thread, and what it and its owner tell each other.
struct Life {
    thread: Option<Thread>,
    stopping: bool,
}

static LIFE: Mutex<Life> = Mutex::new(Life {
    thread: None,
    stopping: false,
});
static CHANGED: Condvar = Condvar::new();

/// The machine, if there is one.
pub(super) fn try_kernel() -> Option<&'static Kernel> {
    // SAFETY: null, or the machine, which stays until `shut_down`, by the head of this file.
    unsafe { KERNEL.load(Ordering::Acquire).as_ref() }
}

/// The machine; stops the process if there is none.
pub(super) fn kernel() -> &'static Kernel {
    match try_kernel() {
        Some(kernel) => kernel,
        None => platform::fatal("lab! there is no machine"),
    }
}

pub(super) fn defect() -> Defect {
    *DEFECT.lock()
}

/// A line of the harness, in the machine's trace if there is a machine.
pub(super) fn say(line: fmt::Arguments<'_>) {
    match try_kernel() {
        Some(kernel) => kernel.note("harness", line),
        None => platform::write_error(&format!("lab> harness {line}")),
    }
}

/// Something that must not be.
pub(super) fn failed(line: fmt::Arguments<'_>) {
    FAILURES.fetch_add(1, Ordering::Relaxed);
    platform::write_error(&format!("lab! {line}"));
}

/// An exception that is not handled here.
pub(super) fn exception(code: u32, at: usize) {
    const ERROR: u32 = 0xC000_0000;
    const WINE_STUB: u32 = 0x8000_0100;

    // Others are messages of some kind.
    if code >= ERROR || code == WINE_STUB {
        failed(format_args!("exception {code:#010x} at {at:#x}"));
    }
}

/// Whether a mapped register is at `address`.
pub(super) fn is_register(address: usize) -> bool {
    try_kernel().is_some_and(|kernel| kernel.is_register(address))
}

fn watch(event: &Event) {
    platform::write_error(&format!("lab> {event}"));
}

/// Lets a machine live: boots it, has `body` run, shuts it down and says how it ended.
pub(super) fn live(config: Config, body: impl FnOnce(&Kernel)) -> Verdict {
    let kernel = Kernel::boot(config);
    kernel.watch(watch);
    kernel.adopt_threads();
    KERNEL.store((&raw const kernel).cast_mut(), Ordering::Release);
    body(&kernel);
    KERNEL.store(ptr::null_mut(), Ordering::Release);
    kernel.shutdown()
}

/// Boots a machine for the drivers that Wine loads from here on.
pub(super) fn boot(defect: Defect) -> Result<(), String> {
    *DEFECT.lock() = defect;
    FAILURES.store(0, Ordering::Relaxed);
    let status = shim::start((defect == Defect::Import).then_some("KeInsertQueueDpc"));
    if !sys::NT_SUCCESS(status) {
        return Err(format!("loads cannot be watched: {status:#010x}"));
    }
    trap::start();
    let mut life = LIFE.lock();
    life.stopping = false;
    life.thread = Thread::spawn("machine".into(), Box::new(run));
    if life.thread.is_none() {
        return Err("no thread can be had".into());
    }
    while try_kernel().is_none() {
        life = CHANGED.wait(life);
    }
    Ok(())
}

fn run() {
    let config = Config {
        os: Os::Win7,
        ..Config::default()
    };
    let verdict = live(config, |_| {
        CHANGED.notify_all();
        let mut life = LIFE.lock();
        while !life.stopping {
            life = CHANGED.wait(life);
        }
    });
    conclude("machine", &verdict);
}

/// Says how a machine ended.
pub(super) fn conclude(name: &str, verdict: &Verdict) -> bool {
    for violation in &verdict.violations {
        failed(format_args!("{name}: {violation}"));
    }
    for leak in &verdict.leaks {
        failed(format_args!("{name}: {leak}"));
    }
    let failures = FAILURES.load(Ordering::Relaxed);
    let counts = trap::counts();
    platform::write_error(&format!(
        "lab= {name}: {failures} failures, {} violations, {} leaks; levels read {} times and written {} times, registers read {} \
         times and written {} times by instructions of drivers",
        verdict.violations.len(),
        verdict.leaks.len(),
        counts.level_reads,
        counts.level_writes,
        counts.register_reads,
        counts.register_writes,
    ));
    failures == 0
}

/// Shuts the machine down.
pub(super) fn shut_down() {
    framework::check_gone();
    let thread = {
        let mut life = LIFE.lock();
        life.stopping = true;
        life.thread.take()
    };
    CHANGED.notify_all();
    if let Some(thread) = thread {
        thread.join();
    }
    trap::stop();
    shim::stop();
}
