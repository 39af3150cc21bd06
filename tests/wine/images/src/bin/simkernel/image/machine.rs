//! The simulated machine of this process: one at a time, on the harness's own thread, since it is booted and shut down by the same one.
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
use core::time::Duration;

use nmr_netdma::sys;
use simkernel::platform::{self, Condvar, Mutex, Thread};
use simkernel::trace::Event;
use simkernel::{Config, Kernel};

use super::{framework, shim, trap, wine};

/// What is different about a machine that Wine's drivers come to: mostly something wrong on purpose, to see that the judge finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    Plain,
    /// The simulated framework supplies the device's resources, since Wine has none.
    Resources,
    /// The device is not the one that the driver is for.
    Start,
    /// There is no memory in AddDevice.
    AddDevice,
    /// An import is left to Wine.
    Import,
    /// The device does not ring once.
    Interrupt,
}

impl Variant {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "" => Self::Plain,
            "resources" => Self::Resources,
            "start" => Self::Start,
            "adddevice" => Self::AddDevice,
            "import" => Self::Import,
            "interrupt" => Self::Interrupt,
            _ => return None,
        })
    }
}

/// How long Wine may take to start its Plug and Play manager.
const DEVICE_MANAGER: Duration = Duration::from_secs(30);

static KERNEL: AtomicPtr<Kernel> = AtomicPtr::new(ptr::null_mut());

/// What was wrong since the harness began.
struct Tally {
    failures: AtomicU64,
    violations: AtomicU64,
    leaks: AtomicU64,
}

static TALLY: Tally = Tally {
    failures: AtomicU64::new(0),
    violations: AtomicU64::new(0),
    leaks: AtomicU64::new(0),
};

static VARIANT: Mutex<Variant> = Mutex::new(Variant::Plain);

/// The machine's thread, and what it and its owner tell each other.
struct Life {
    thread: Option<Thread>,
    booted: bool,
    stopping: bool,
}

static LIFE: Mutex<Life> = Mutex::new(Life {
    thread: None,
    booted: false,
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

pub(super) fn variant() -> Variant {
    *VARIANT.lock()
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
    TALLY.failures.fetch_add(1, Ordering::Relaxed);
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

/// Makes a machine the one of this process, until dropped.
pub(super) struct Current;

impl Current {
    pub(super) fn new(kernel: &Kernel) -> Self {
        kernel.adopt_threads();
        KERNEL.store(ptr::from_ref(kernel).cast_mut(), Ordering::Release);
        Self
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        KERNEL.store(ptr::null_mut(), Ordering::Release);
    }
}

/// How much is said of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// Everything, as it happens.
    All,
    /// Everything, if it ends badly.
    Nothing,
}

/// Lets a machine live: boots it, has `body` run, shuts it down and takes account of how it ended.
pub(super) fn live(name: &str, config: Config, telling: Telling, body: impl FnOnce(&Kernel)) {
    let before = TALLY.failures.load(Ordering::Relaxed);
    let kernel = Kernel::boot(config);
    if telling == Telling::All {
        kernel.watch(watch);
    }
    let current = Current::new(&kernel);
    body(&kernel);
    drop(current);
    let verdict = kernel.shutdown();
    for violation in &verdict.violations {
        TALLY.violations.fetch_add(1, Ordering::Relaxed);
        failed(format_args!("{name}: {violation}"));
    }
    for leak in &verdict.leaks {
        TALLY.leaks.fetch_add(1, Ordering::Relaxed);
        failed(format_args!("{name}: {leak}"));
    }
    let bad = TALLY.failures.load(Ordering::Relaxed) != before;
    if bad && telling == Telling::Nothing {
        verdict.events.iter().for_each(watch);
    }
}

/// Boots a machine for the drivers that Wine loads from here on.
pub(super) fn boot(variant: Variant) -> Result<(), String> {
    *VARIANT.lock() = variant;
    begin(move || {
        live("machine", Config::default(), Telling::All, |_| {
            let mut life = LIFE.lock();
            life.booted = true;
            CHANGED.notify_all();
            while !life.stopping {
                life = CHANGED.wait(life);
            }
        });
        conclude("machine");
    })?;
    let mut life = LIFE.lock();
    while !life.booted {
        life = CHANGED.wait(life);
    }
    Ok(())
}

/// Has `body` run on a thread of its own, which says when it is done.
pub(super) fn job(name: &'static str, body: fn() -> Result<(), String>) -> Result<(), String> {
    *VARIANT.lock() = Variant::Resources;
    begin(move || {
        if let Err(problem) = body() {
            failed(format_args!("{name}: {problem}"));
        }
        conclude(name);
    })
}

/// Starts the harness, and its thread.
fn begin(body: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let started = platform::now();
    while !wine::has_device_manager() {
        if Duration::from_nanos(platform::now() - started) > DEVICE_MANAGER {
            return Err("Wine's Plug and Play manager does not start".into());
        }
        platform::sleep(Duration::from_millis(1));
    }
    let omitted = (variant() == Variant::Import).then_some("KeInsertQueueDpc");
    let status = shim::start(omitted);
    if !sys::NT_SUCCESS(status) {
        return Err(format!("loads cannot be watched: {status:#010x}"));
    }
    trap::start();
    let mut life = LIFE.lock();
    *life = Life {
        thread: Thread::spawn("machine".into(), Box::new(body)),
        booted: false,
        stopping: false,
    };
    if life.thread.is_none() {
        return Err("no thread can be had".into());
    }
    Ok(())
}

/// Ends the machine's thread, or waits for its job, and then the harness.
pub(super) fn end() {
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

/// Says how it all ended.
fn conclude(name: &str) {
    framework::check_gone();
    let counts = trap::counts();
    platform::write_error(&format!(
        "lab= {name}: {} failures, {} violations, {} leaks; by instructions of drivers levels were read {} times and written {} times, \
         registers read {} times and written {} times",
        TALLY.failures.load(Ordering::Relaxed),
        TALLY.violations.load(Ordering::Relaxed),
        TALLY.leaks.load(Ordering::Relaxed),
        counts.level_reads,
        counts.level_writes,
        counts.register_reads,
        counts.register_writes,
    ));
}
