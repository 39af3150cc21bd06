//! The executive: what its functions do and which rules they hold their callers to.
//!
//! # Safety
//!
//! The unsafe code of this file calls kernel functions. Every structure that they get lies in a [`Still`], which is never moved
//! and never freed before the machine is shut down.
#![expect(unsafe_code, reason = "calls kernel functions by their C names")]

mod hanging;

use std::cell::UnsafeCell;
use std::env;
use std::ffi::c_void;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nmr_netdma::sys;
use simkernel::ke::violation;
use simkernel::{Config, Kernel, Os, Rule};

const SYNCHRONIZATION: i32 = sys::_EVENT_TYPE::SynchronizationEvent;
const NOTIFICATION: i32 = sys::_EVENT_TYPE::NotificationEvent;

fn boot(processors: u32) -> Kernel {
    Kernel::boot(Config {
        processors,
        ..Config::default()
    })
}

/// The rule was broken `times` times, and no other.
#[track_caller]
fn assert_broken(kernel: &Kernel, rule: &Rule, times: usize) {
    let broken = kernel.take_violations(rule);
    assert_eq!(broken.len(), times, "{}: {broken:?}", rule.name);
    assert!(kernel.violations().is_empty(), "{:?}", kernel.violations());
}

/// A structure that the kernel has the address of.
struct Still<T>(Arc<UnsafeCell<T>>);

// SAFETY: the structures of this file are made to be used by any thread.
unsafe impl<T> Send for Still<T> {}
// SAFETY: as above; they are touched by kernel functions only.
unsafe impl<T> Sync for Still<T> {}

impl<T: Default> Still<T> {
    fn new() -> Self {
        Self(Arc::default())
    }
}

impl<T> Still<T> {
    fn with(value: T) -> Self {
        Self(Arc::new(UnsafeCell::new(value)))
    }

    fn get(&self) -> *mut T {
        self.0.get()
    }

    /// What drivers must not do.
    fn moved(self) -> Self
    where
        T: Copy,
    {
        // SAFETY: nobody uses it.
        let value = unsafe { self.get().read() };
        // Both exist for a moment, so their addresses differ.
        Self::with(value)
    }
}

fn irql() -> u8 {
    // SAFETY: it only looks.
    unsafe { sys::KeGetCurrentIrql() }
}

fn raise(level: u8) -> u8 {
    // SAFETY: the level belongs to the simulated machine.
    unsafe { sys::KfRaiseIrql(level) }
}

fn lower(level: u8) {
    // SAFETY: the level belongs to the simulated machine.
    unsafe { sys::KeLowerIrql(level) }
}

fn processor() -> u32 {
    // SAFETY: it only looks.
    unsafe { sys::KeGetCurrentProcessorNumber() }
}

type Lock = Still<sys::KSPIN_LOCK>;

impl Lock {
    fn acquire(&self) -> u8 {
        // SAFETY: the lock is a zeroed word at first and stays.
        unsafe { sys::KeAcquireSpinLockRaiseToDpc(self.get()) }
    }

    fn release(&self, level: u8) {
        // SAFETY: as above.
        unsafe { sys::KeReleaseSpinLock(self.get(), level) }
    }

    fn acquire_at_dpc_level(&self) {
        // SAFETY: as above.
        unsafe { sys::KeAcquireSpinLockAtDpcLevel(self.get()) }
    }

    fn release_from_dpc_level(&self) {
        // SAFETY: as above.
        unsafe { sys::KeReleaseSpinLockFromDpcLevel(self.get()) }
    }
}

type Event = Still<sys::KEVENT>;

impl Event {
    fn initialised(kind: i32, state: bool) -> Self {
        let event = Self::new();
        // SAFETY: the event is not in use and stays.
        unsafe { sys::KeInitializeEvent(event.get(), kind, state.into()) };
        event
    }

    fn set(&self) -> i32 {
        // SAFETY: the event stays.
        unsafe { sys::KeSetEvent(self.get(), 0, 0) }
    }

    fn clear(&self) {
        // SAFETY: the event stays.
        unsafe { sys::KeClearEvent(self.get()) }
    }

    /// Waits, for so many units of 100 ns if there is a timeout.
    fn wait(&self, timeout: Option<i64>) -> i32 {
        let mut timeout = timeout.map(|timeout| sys::LARGE_INTEGER { QuadPart: timeout });
        let timeout = timeout.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: the event stays, the timeout is null or readable.
        unsafe { sys::KeWaitForSingleObject(self.get().cast(), 0, 0, 0, timeout) }
    }
}

fn delay(interval: i64) -> i32 {
    let mut interval = sys::LARGE_INTEGER { QuadPart: interval };
    // SAFETY: the interval is readable.
    unsafe { sys::KeDelayExecutionThread(0, 0, &raw mut interval) }
}

/// What a DPC tells of one of its runs.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    name: u32,
    processor: u32,
    irql: u8,
    arguments: [usize; 2],
}

/// A DPC that reports its runs and then does what it is told.
struct Dpc {
    dpc: Still<sys::KDPC>,
    context: Arc<Context>,
}

struct Context {
    name: u32,
    runs: Mutex<Sender<Run>>,
    body: Box<dyn Fn() + Send + Sync>,
}

unsafe extern "C" fn routine(
    _: *mut sys::KDPC,
    context: *mut c_void,
    first: *mut c_void,
    second: *mut c_void,
) {
    // SAFETY: the context is a `Context` that lives until the machine has shut down.
    let context = unsafe { &*context.cast::<Context>() };
    let arguments = [first.addr(), second.addr()];
    let run = Run {
        name: context.name,
        processor: processor(),
        irql: irql(),
        arguments,
    };
    context.runs.lock().unwrap().send(run).unwrap();
    (context.body)();
}

impl Dpc {
    fn new(name: u32, runs: &Sender<Run>) -> Self {
        Self::with(name, runs, || {})
    }

    fn with(name: u32, runs: &Sender<Run>, body: impl Fn() + Send + Sync + 'static) -> Self {
        let context = Arc::new(Context {
            name,
            runs: Mutex::new(runs.clone()),
            body: Box::new(body),
        });
        let dpc = Self {
            dpc: Still::new(),
            context,
        };
        dpc.initialise();
        dpc
    }

    fn initialise(&self) {
        let context = Arc::as_ptr(&self.context).cast_mut().cast();
        // SAFETY: the DPC and its context stay.
        unsafe { sys::KeInitializeDpc(self.dpc.get(), Some(routine), context) }
    }

    fn insert(&self) -> bool {
        self.insert_with([0; 2])
    }

    fn insert_with(&self, arguments: [usize; 2]) -> bool {
        let [first, second] = arguments.map(ptr::without_provenance_mut);
        // SAFETY: the DPC stays.
        unsafe { sys::KeInsertQueueDpc(self.dpc.get(), first, second) != 0 }
    }

    fn remove(&self) -> bool {
        // SAFETY: the DPC stays.
        unsafe { sys::KeRemoveQueueDpc(self.dpc.get()) != 0 }
    }

    fn target(&self, processor: i8) {
        // SAFETY: the DPC stays.
        unsafe { sys::KeSetTargetProcessorDpc(self.dpc.get(), processor) }
    }

    fn importance(&self, importance: i32) {
        // SAFETY: the DPC stays.
        unsafe { sys::KeSetImportanceDpc(self.dpc.get(), importance) }
    }
}

fn flush() {
    // SAFETY: it only waits.
    unsafe { sys::KeFlushQueuedDpcs() }
}

/// Keeps a processor busy in a DPC until the result is used.
fn occupy(kernel: &Kernel, processor: u32) -> (Dpc, Sender<()>) {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let (runs, ran) = channel();
    let dpc = Dpc::with(99, &runs, move || wait.lock().unwrap().recv().unwrap());
    dpc.target(processor as i8);
    assert!(dpc.insert());
    ran.recv().unwrap();
    assert!(kernel.violations().is_empty());
    (dpc, go)
}

fn names(runs: &Receiver<Run>) -> Vec<u32> {
    runs.try_iter().map(|run| run.name).collect()
}

// Levels.

#[test]
fn a_thread_outside_every_machine_is_at_passive_level() {
    assert_eq!(irql(), 0);
}

#[test]
fn raise_returns_the_level_before_and_lower_goes_back() {
    let _kernel = boot(1);
    assert_eq!(raise(2), 0);
    assert_eq!(raise(2), 2);
    assert_eq!(raise(15), 2);
    assert_eq!(irql(), 15);
    lower(2);
    lower(0);
    assert_eq!(irql(), 0);
}

#[test]
fn each_thread_has_its_own_level() {
    let kernel = boot(2);
    raise(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            assert_eq!((irql(), processor()), (0, 1));
        });
    });
    lower(0);
}

#[test]
fn raising_to_a_lower_level_breaks_ke_raise() {
    let kernel = boot(1);
    raise(2);
    assert_eq!(raise(1), 2);
    assert_eq!(irql(), 2);
    raise(16);
    lower(0);
    assert_broken(&kernel, &violation::RAISE, 2);
}

#[test]
fn lowering_to_a_higher_level_breaks_ke_lower() {
    let kernel = boot(1);
    lower(2);
    assert_eq!(irql(), 0);
    assert_broken(&kernel, &violation::LOWER, 1);
}

#[test]
fn a_function_at_a_wrong_level_breaks_ke_level_by_name() {
    let kernel = boot(1);
    raise(2);
    flush();
    lower(0);
    let broken = kernel.take_violations(&violation::LEVEL);
    assert_eq!(broken.len(), 1);
    assert!(
        broken[0]
            .detail
            .contains("KeFlushQueuedDpcs was called at IRQL 2"),
        "{}",
        broken[0].detail
    );
}

#[test]
fn a_callback_that_leaves_the_level_raised_breaks_ke_level_changed() {
    let kernel = boot(1);
    kernel.run_dpc_on(0, || raise(5));
    kernel.quiesce();
    assert_broken(&kernel, &violation::LEVEL_CHANGED, 1);
    assert_eq!(kernel.run_dpc_on(0, irql), 2);
}

// Processors.

#[test]
fn active_processors_are_those_of_group_0() {
    for (processors, mask, count) in [
        (1, 1, 1),
        (4, 0xF, 4),
        (64, u64::MAX, 64),
        (256, u64::MAX, 64),
    ] {
        let _kernel = boot(processors);
        let mut written = 0;
        // SAFETY: the result is writable.
        let counted = unsafe { sys::KeQueryActiveProcessorCount(&raw mut written) };
        assert_eq!(counted, count);
        assert_eq!(written, mask);
        // SAFETY: it only looks.
        assert_eq!(unsafe { sys::KeQueryActiveProcessors() }, mask);
    }
}

#[test]
fn a_processor_number_is_relative_to_its_group() {
    let kernel = boot(256);
    assert_eq!(kernel.run_dpc_on(255, || (processor(), irql())), (63, 2));
    assert_eq!(kernel.run_on(64, processor), 0);
}

#[test]
fn run_on_runs_at_passive_level_on_the_processor() {
    let kernel = boot(4);
    assert_eq!(kernel.run_on(3, || (processor(), irql())), (3, 0));
    assert_eq!(processor(), 0);
}

#[test]
fn an_isr_runs_at_its_level_on_its_processor() {
    let kernel = boot(4);
    assert_eq!(kernel.run_isr_on(2, 9, || (processor(), irql())), (2, 9));
}

#[test]
#[should_panic(expected = "it panicked on processor 0")]
fn a_panic_on_a_processor_reaches_who_waits() {
    let kernel = boot(1);
    kernel.run_dpc_on(0, || panic!("in the DPC"));
}

#[test]
fn interrupts_come_before_dpcs_and_high_levels_first() {
    let kernel = boot(1);
    let (busy, go) = occupy(&kernel, 0);
    let (runs, ran) = channel();
    let dpc = Dpc::new(0, &runs);
    dpc.insert();
    let order = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for irql in [4, 11, 7] {
            let (kernel, order) = (&kernel, Arc::clone(&order));
            scope.spawn(move || {
                let _entered = kernel.enter(0);
                kernel.run_isr_on(0, irql, move || order.lock().unwrap().push(irql));
            });
        }
        // The three are queued when they wait; there is nothing to see of it from here.
        thread::sleep(Duration::from_millis(100));
        assert!(ran.try_recv().is_err());
        go.send(()).unwrap();
    });
    kernel.quiesce();
    assert_eq!(*order.lock().unwrap(), [11, 7, 4]);
    assert_eq!(names(&ran), [0]);
    drop((kernel, busy));
}

#[test]
fn an_interrupt_cuts_into_a_dpc_where_it_calls_the_kernel_and_not_into_its_own_level() {
    let kernel = boot(1);
    let served = Arc::new(AtomicU32::new(0));
    let (begun, has_begun) = channel();
    thread::scope(|scope| {
        let count = Arc::clone(&served);
        let dpc = scope.spawn(|| {
            let _entered = kernel.enter(0);
            kernel.run_dpc_on(0, move || {
                let lock = Lock::new();
                let call = || {
                    lock.acquire_at_dpc_level();
                    lock.release_from_dpc_level();
                };
                raise(9);
                begun.send(()).unwrap();
                let limit = Instant::now() + Duration::from_millis(100);
                while Instant::now() < limit {
                    call();
                }
                let held_off = count.load(Ordering::Relaxed);
                lower(2);
                let limit = Instant::now() + Duration::from_secs(20);
                while count.load(Ordering::Relaxed) == 0 && Instant::now() < limit {
                    call();
                }
                (held_off, count.load(Ordering::Relaxed), irql())
            })
        });
        has_begun.recv().unwrap();
        let _entered = kernel.enter(0);
        let count = Arc::clone(&served);
        let level = kernel.run_isr_on(0, 9, move || {
            count.fetch_add(1, Ordering::Relaxed);
            irql()
        });
        assert_eq!(level, 9);
        assert_eq!(dpc.join().unwrap(), (0, 1, 2));
    });
}

// Spin locks.

#[test]
fn a_spin_lock_raises_to_dispatch_level_and_back() {
    let _kernel = boot(1);
    let lock = Lock::new();
    let old = lock.acquire();
    assert_eq!((old, irql()), (0, 2));
    lock.release(old);
    assert_eq!(irql(), 0);
    raise(2);
    lock.acquire_at_dpc_level();
    lock.release_from_dpc_level();
    assert_eq!(irql(), 2);
    lower(0);
}

#[test]
fn a_spin_lock_excludes_other_threads() {
    const ROUNDS: u32 = if cfg!(miri) { 10 } else { 5_000 };

    let kernel = boot(4);
    let lock = Lock::new();
    let counter = AtomicU32::new(0);
    thread::scope(|scope| {
        for processor in 0..4 {
            let (kernel, lock, counter) = (&kernel, &lock, &counter);
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                for _ in 0..ROUNDS {
                    let old = lock.acquire();
                    // Not one operation: only the lock makes it one.
                    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    lock.release(old);
                }
            });
        }
    });
    assert_eq!(counter.into_inner(), 4 * ROUNDS);
}

#[test]
fn acquiring_a_held_lock_breaks_ke_lock_recursive_and_does_not_hang() {
    let kernel = boot(1);
    let lock = Lock::new();
    let old = lock.acquire();
    lock.acquire_at_dpc_level();
    kernel.run_on(0, || {
        raise(2);
        lock.acquire_at_dpc_level();
        lower(0);
    });
    lock.release(old);
    assert_broken(&kernel, &violation::LOCK_RECURSIVE, 2);
}

#[test]
fn releasing_what_one_does_not_hold_breaks_ke_lock_owner() {
    let kernel = boot(2);
    let lock = Lock::new();
    raise(2);
    lock.release(2);
    assert_broken(&kernel, &violation::LOCK_OWNER, 1);
    lock.acquire_at_dpc_level();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            raise(2);
            lock.release_from_dpc_level();
            lower(0);
        });
    });
    assert_broken(&kernel, &violation::LOCK_OWNER, 1);
    lock.release_from_dpc_level();
    lower(0);
}

#[test]
fn releasing_to_another_level_breaks_ke_lock_level() {
    let kernel = boot(1);
    let lock = Lock::new();
    assert_eq!(lock.acquire(), 0);
    lock.release(1);
    assert_eq!(irql(), 1);
    lower(0);
    assert_broken(&kernel, &violation::LOCK_LEVEL, 1);
}

#[test]
fn mixing_the_two_kinds_of_release_breaks_ke_lock_pair() {
    let kernel = boot(1);
    let lock = Lock::new();
    lock.acquire();
    lock.release_from_dpc_level();
    lock.acquire_at_dpc_level();
    lock.release(2);
    lower(0);
    assert_broken(&kernel, &violation::LOCK_PAIR, 2);
}

#[test]
fn lowering_or_returning_with_a_lock_breaks_ke_lock_held() {
    let kernel = boot(1);
    let lock = Lock::new();
    let old = lock.acquire();
    lower(0);
    raise(2);
    lock.release(old);
    assert_broken(&kernel, &violation::LOCK_HELD, 1);

    let lock = Arc::new(lock);
    let taken = Arc::clone(&lock);
    kernel.run_dpc_on(0, move || taken.acquire_at_dpc_level());
    kernel.quiesce();
    assert_broken(&kernel, &violation::LOCK_HELD, 1);
}

#[test]
fn lock_functions_have_their_levels() {
    let kernel = boot(1);
    let lock = Lock::new();
    lock.acquire_at_dpc_level();
    assert_eq!(
        kernel.take_violations(&violation::LEVEL).len(),
        1,
        "KeAcquireSpinLockAtDpcLevel at 0"
    );
    lock.release_from_dpc_level();
    assert_eq!(
        kernel.take_violations(&violation::LEVEL).len(),
        1,
        "KeReleaseSpinLockFromDpcLevel at 0"
    );
    raise(5);
    let old = lock.acquire();
    assert_eq!(
        kernel.take_violations(&violation::LEVEL).len(),
        1,
        "KeAcquireSpinLockRaiseToDpc at 5"
    );
    assert_eq!((old, irql()), (5, 5));
    lock.release(old);
    lower(0);
    assert_broken(&kernel, &violation::LEVEL, 1);
}

#[test]
fn a_word_that_is_no_lock_breaks_ke_lock_word_and_does_not_hang() {
    let kernel = boot(1);
    let lock = Still::with(0xCBCB_CBCB_CBCB_CBCB);
    let old = lock.acquire();
    lock.release(old);
    // SAFETY: null is what is being tried.
    unsafe { sys::KeAcquireSpinLockRaiseToDpc(ptr::null_mut()) };
    lower(0);
    assert_broken(&kernel, &violation::LOCK_WORD, 2);
}

#[test]
#[cfg_attr(miri, ignore = "patience is long there")]
fn waiting_long_for_a_lock_breaks_ke_lock_stuck_and_goes_on() {
    let kernel = boot(2);
    let lock = Lock::new();
    let old = lock.acquire();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let _entered = kernel.enter(1);
            let old = lock.acquire();
            lock.release(old);
        });
        while kernel.violations().is_empty() {
            thread::sleep(Duration::from_millis(50));
        }
        assert!(!waiter.is_finished());
        lock.release(old);
    });
    assert_broken(&kernel, &violation::LOCK_STUCK, 1);
}

#[test]
#[ignore = "does not end: what follows runs it, and ends it"]
fn a_lock_that_is_never_released() {
    let kernel = boot(2);
    let lock = Lock::new();
    lock.acquire();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            lock.acquire();
        });
    });
}

#[test]
#[cfg_attr(miri, ignore = "runs a process")]
fn a_lock_that_is_never_released_is_told_to_somebody_who_watches() {
    let told = hanging::first_line_of("a_lock_that_is_never_released");
    let waited = told
        .strip_prefix("simkernel: KeAcquireSpinLockRaiseToDpc: has waited ")
        .and_then(|told| told.split_once("s for the lock 0x"));
    let Some((waited, holder)) = waited else {
        panic!("{told}");
    };
    // Patience twice: once until the violation, which nobody will read.
    assert!(waited.parse::<f64>().unwrap() >= 6.0, "{told}");
    assert!(holder.contains(", which thread "), "{told}");
}

// Events.

#[test]
fn a_notification_event_stays_signalled_until_it_is_cleared() {
    let _kernel = boot(1);
    let event = Event::initialised(NOTIFICATION, false);
    assert_eq!(event.wait(Some(0)), sys::STATUS_TIMEOUT);
    assert_eq!(event.set(), 0);
    assert_eq!(event.set(), 1);
    assert_eq!(event.wait(None), sys::STATUS_SUCCESS);
    assert_eq!(event.wait(Some(0)), sys::STATUS_SUCCESS);
    event.clear();
    assert_eq!(event.wait(Some(0)), sys::STATUS_TIMEOUT);
}

#[test]
fn a_synchronization_event_lets_one_waiter_through() {
    let kernel = boot(4);
    let event = Event::initialised(SYNCHRONIZATION, true);
    assert_eq!(event.wait(Some(0)), sys::STATUS_SUCCESS);
    assert_eq!(event.wait(Some(0)), sys::STATUS_TIMEOUT);
    let through = AtomicU32::new(0);
    thread::scope(|scope| {
        for processor in 0..3 {
            let (kernel, event, through) = (&kernel, &event, &through);
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                assert_eq!(event.wait(None), sys::STATUS_SUCCESS);
                through.fetch_add(1, Ordering::SeqCst);
            });
        }
        for set in 1..=3 {
            event.set();
            while through.load(Ordering::SeqCst) < set {
                thread::yield_now();
            }
        }
    });
}

#[test]
fn a_relative_timeout_passes_and_an_absolute_one_has() {
    let _kernel = boot(1);
    let event = Event::initialised(NOTIFICATION, false);
    let start = Instant::now();
    assert_eq!(event.wait(Some(1)), sys::STATUS_TIMEOUT);
    assert_eq!(event.wait(Some(-100_000)), sys::STATUS_TIMEOUT);
    assert!(start.elapsed() >= Duration::from_millis(10));
    assert_eq!(delay(-100_000), sys::STATUS_SUCCESS);
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert_eq!(delay(1), sys::STATUS_SUCCESS);
}

#[test]
fn a_dpc_wakes_a_waiter() {
    let kernel = boot(2);
    let event = Arc::new(Event::initialised(NOTIFICATION, false));
    let (runs, _ran) = channel();
    let set = Arc::clone(&event);
    let dpc = Dpc::with(0, &runs, move || {
        set.set();
    });
    dpc.target(1);
    dpc.insert();
    assert_eq!(event.wait(None), sys::STATUS_SUCCESS);
    kernel.quiesce();
    drop((kernel, dpc));
}

#[test]
fn waiting_above_apc_level_breaks_ke_level_and_does_not_hang() {
    let kernel = boot(1);
    let event = Arc::new(Event::initialised(NOTIFICATION, false));
    let waiting = Arc::clone(&event);
    assert_eq!(
        kernel.run_dpc_on(0, move || waiting.wait(Some(0))),
        sys::STATUS_TIMEOUT
    );
    assert!(kernel.violations().is_empty());
    let waiting = Arc::clone(&event);
    assert_eq!(
        kernel.run_dpc_on(0, move || waiting.wait(None)),
        sys::STATUS_TIMEOUT
    );
    assert_broken(&kernel, &violation::LEVEL, 1);
    kernel.run_dpc_on(0, || delay(-1));
    assert_broken(&kernel, &violation::LEVEL, 1);
    raise(3);
    event.set();
    event.clear();
    lower(0);
    assert_broken(&kernel, &violation::LEVEL, 2);
}

#[test]
fn an_event_that_was_moved_or_never_made_breaks_ke_event() {
    let kernel = boot(1);
    let event = Event::new();
    event.set();
    assert_broken(&kernel, &violation::EVENT, 1);
    let made = Event::initialised(NOTIFICATION, true);
    let moved = made.moved();
    assert_eq!(moved.wait(None), sys::STATUS_INVALID_PARAMETER);
    Event::initialised(7, false);
    assert_broken(&kernel, &violation::EVENT, 2);
}

// DPCs.

#[test]
fn a_dpc_runs_at_dispatch_level_with_its_arguments_where_it_was_queued() {
    let kernel = boot(4);
    let (runs, ran) = channel();
    let dpc = Dpc::new(7, &runs);
    kernel.run_on(2, || assert!(dpc.insert_with([11, 12])));
    kernel.quiesce();
    assert_eq!(
        ran.try_recv(),
        Ok(Run {
            name: 7,
            processor: 2,
            irql: 2,
            arguments: [11, 12]
        })
    );
    drop((kernel, dpc));
}

#[test]
fn a_dpc_runs_where_it_is_aimed() {
    let kernel = boot(4);
    let (runs, ran) = channel();
    let dpc = Dpc::new(0, &runs);
    for target in [3, 0, 1] {
        dpc.target(target);
        dpc.insert();
        kernel.quiesce();
        assert_eq!(ran.try_recv().unwrap().processor, target as u32);
    }
    drop((kernel, dpc));
}

#[test]
fn a_queued_dpc_is_not_queued_again_and_can_be_removed() {
    let kernel = boot(2);
    let (busy, go) = occupy(&kernel, 1);
    let (runs, ran) = channel();
    let dpc = Dpc::new(0, &runs);
    dpc.target(1);
    assert!(dpc.insert());
    dpc.target(0);
    assert!(!dpc.insert());
    assert!(dpc.remove());
    assert!(!dpc.remove());
    dpc.target(1);
    assert!(dpc.insert());
    go.send(()).unwrap();
    kernel.quiesce();
    assert_eq!(names(&ran), [0]);
    assert!(!dpc.remove());
    drop((kernel, busy, dpc));
}

#[test]
fn dpcs_run_in_order_and_important_ones_first() {
    let kernel = boot(1);
    let (busy, go) = occupy(&kernel, 0);
    let (runs, ran) = channel();
    let dpcs: Vec<Dpc> = (0..4).map(|name| Dpc::new(name, &runs)).collect();
    dpcs[2].importance(sys::_KDPC_IMPORTANCE::LowImportance);
    dpcs[3].importance(sys::_KDPC_IMPORTANCE::HighImportance);
    assert!(dpcs.iter().all(Dpc::insert));
    go.send(()).unwrap();
    kernel.quiesce();
    assert_eq!(names(&ran), [3, 0, 1, 2]);
    drop((kernel, busy, dpcs));
}

#[test]
fn a_dpc_can_queue_itself() {
    let kernel = boot(1);
    let (runs, ran) = channel();
    let left = Arc::new(AtomicUsize::new(9));
    let itself = Arc::new(AtomicPtr::new(ptr::null_mut()));
    let (count, address) = (Arc::clone(&left), Arc::clone(&itself));
    let dpc = Dpc::with(0, &runs, move || {
        if count.fetch_sub(1, Ordering::Relaxed) > 0 {
            let dpc = address.load(Ordering::Relaxed);
            // SAFETY: the DPC stays until the machine has shut down.
            let queued = unsafe { sys::KeInsertQueueDpc(dpc, ptr::null_mut(), ptr::null_mut()) };
            assert_ne!(queued, 0);
        }
    });
    itself.store(dpc.dpc.get(), Ordering::Relaxed);
    dpc.insert();
    kernel.quiesce();
    assert_eq!(names(&ran).len(), 10);
    drop((kernel, dpc));
}

#[test]
fn flush_waits_for_queued_and_running_dpcs_of_all_processors() {
    let kernel = boot(4);
    let (runs, ran) = channel();
    let dpcs: Vec<Dpc> = (0..4)
        .map(|name| {
            let dpc = Dpc::with(name, &runs, || thread::sleep(Duration::from_millis(20)));
            dpc.target(name as i8);
            assert!(dpc.insert());
            dpc
        })
        .collect();
    flush();
    let mut names = names(&ran);
    names.sort_unstable();
    assert_eq!(names, [0, 1, 2, 3]);
    assert!(dpcs.iter().all(|dpc| !dpc.remove()));
    drop((kernel, dpcs));
}

#[test]
fn flushing_in_a_dpc_or_with_a_lock_breaks_ke_flush_and_does_not_hang() {
    let kernel = boot(1);
    kernel.run_dpc_on(0, flush);
    assert_eq!(kernel.take_violations(&violation::LEVEL).len(), 1);
    assert_broken(&kernel, &violation::FLUSH, 1);
    let lock = Lock::new();
    let old = lock.acquire();
    flush();
    lock.release(old);
    assert_eq!(kernel.take_violations(&violation::LEVEL).len(), 1);
    assert_broken(&kernel, &violation::FLUSH, 1);
}

#[test]
fn a_dpc_that_was_moved_or_never_made_breaks_ke_dpc() {
    let kernel = boot(1);
    let (runs, ran) = channel();
    let dpc = Dpc {
        dpc: Still::new(),
        ..Dpc::new(0, &runs)
    };
    assert!(!dpc.insert());
    assert!(!dpc.remove());
    let made = Dpc::new(1, &runs);
    let moved = Dpc {
        dpc: made.dpc.moved(),
        context: made.context,
    };
    moved.target(0);
    moved.importance(0);
    assert!(!moved.insert());
    // SAFETY: a missing routine is what is being tried.
    unsafe { sys::KeInitializeDpc(dpc.dpc.get(), None, ptr::null_mut()) };
    assert_broken(&kernel, &violation::DPC, 6);
    assert!(names(&ran).is_empty());
}

#[test]
fn initialising_a_queued_dpc_breaks_ke_dpc_queued() {
    let kernel = boot(1);
    let (busy, go) = occupy(&kernel, 0);
    let (runs, ran) = channel();
    let dpc = Dpc::new(0, &runs);
    dpc.insert();
    dpc.initialise();
    go.send(()).unwrap();
    kernel.quiesce();
    assert_broken(&kernel, &violation::DPC_QUEUED, 1);
    assert!(names(&ran).is_empty());
    drop((kernel, busy, dpc));
}

#[test]
fn freeing_a_queued_dpc_breaks_ke_dpc_queued() {
    let kernel = boot(1);
    let (busy, go) = occupy(&kernel, 0);
    let tag = u32::from_le_bytes(*b"Test");
    let size = size_of::<sys::KDPC>() as u64;
    // SAFETY: a size and a tag.
    let memory = unsafe { sys::ExAllocatePoolWithTag(0, size, tag) };
    // SAFETY: the memory is that of a KDPC. It never runs, so the context does not matter.
    unsafe { sys::KeInitializeDpc(memory.cast(), Some(routine), ptr::null_mut()) };
    // SAFETY: initialised above.
    let queued = unsafe { sys::KeInsertQueueDpc(memory.cast(), ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(queued, 1);
    // SAFETY: that it is in use is what is being tried.
    unsafe { sys::ExFreePoolWithTag(memory, tag) };
    go.send(()).unwrap();
    kernel.quiesce();
    assert_broken(&kernel, &violation::DPC_QUEUED, 1);
    drop((kernel, busy));
}

#[test]
fn aiming_beyond_the_processors_breaks_ke_dpc_target() {
    let kernel = boot(4);
    let (runs, _ran) = channel();
    let dpc = Dpc::new(0, &runs);
    dpc.target(4);
    dpc.target(-1);
    assert_broken(&kernel, &violation::DPC_TARGET, 2);
}

#[test]
fn a_dpc_left_queued_is_a_leak() {
    let kernel = boot(1);
    let (busy, go) = occupy(&kernel, 0);
    let (runs, ran) = channel();
    let dpc = Dpc::new(0, &runs);
    dpc.insert();
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        go.send(()).unwrap();
    });
    let verdict = kernel.shutdown();
    late.join().unwrap();
    assert!(verdict.violations.is_empty());
    assert_eq!(verdict.leaks.len(), 1);
    assert_eq!(verdict.leaks[0].kind, "queued DPC");
    assert!(names(&ran).is_empty());
    drop((busy, dpc));
}

#[test]
fn every_processor_of_256_takes_its_dpc() {
    const PROCESSORS: u32 = if cfg!(miri) { 8 } else { 256 };

    let kernel = boot(PROCESSORS);
    let (runs, ran) = channel();
    let dpcs: Vec<Dpc> = (0..PROCESSORS).map(|name| Dpc::new(name, &runs)).collect();
    for (processor, dpc) in dpcs.iter().enumerate() {
        kernel.run_on(processor as u32, || assert!(dpc.insert()));
    }
    kernel.quiesce();
    let mut names = names(&ran);
    names.sort_unstable();
    assert!(names.into_iter().eq(0..PROCESSORS));
    drop((kernel, dpcs));
}

#[test]
fn inserting_and_removing_from_all_sides_loses_nothing() {
    const ROUNDS: usize = if cfg!(miri) { 20 } else { 2_000 };

    let kernel = boot(4);
    let (runs, ran) = channel();
    let dpc = Dpc::new(0, &runs);
    let (inserted, removed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for processor in 0..4_u32 {
            let (kernel, dpc, inserted, removed) = (&kernel, &dpc, &inserted, &removed);
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                for round in 0..ROUNDS {
                    dpc.target(((round + processor as usize) % 4) as i8);
                    inserted.fetch_add(dpc.insert().into(), Ordering::Relaxed);
                    if round % 3 == 0 {
                        removed.fetch_add(dpc.remove().into(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    flush();
    let ran = names(&ran).len();
    assert_eq!(inserted.into_inner(), removed.into_inner() + ran);
    assert!(ran > 0);
    drop((kernel, dpc));
}

// The system.

fn version(os: Os, size: u32) -> (sys::RTL_OSVERSIONINFOW, Kernel) {
    let kernel = Kernel::boot(Config {
        os,
        ..Config::default()
    });
    let mut information = sys::RTL_OSVERSIONINFOW {
        dwOSVersionInfoSize: size,
        ..Default::default()
    };
    // SAFETY: the structure is as long as its size says, or has the size that is being tried.
    let status = unsafe { sys::RtlGetVersion(&raw mut information) };
    assert_eq!(status, sys::STATUS_SUCCESS);
    (information, kernel)
}

#[test]
fn rtl_get_version_tells_the_three_systems_apart() {
    let expected = [
        (Os::VistaSp1, 6, 0, 6001),
        (Os::Win7, 6, 1, 7601),
        (Os::Win10, 10, 0, 19045),
    ];
    for (os, major, minor, build) in expected {
        let (information, _kernel) = version(os, 276);
        let sys::RTL_OSVERSIONINFOW {
            dwMajorVersion,
            dwMinorVersion,
            dwBuildNumber,
            dwPlatformId,
            ..
        } = information;
        assert_eq!(
            (dwMajorVersion, dwMinorVersion, dwBuildNumber, dwPlatformId),
            (major, minor, build, 2)
        );
    }
}

#[test]
fn a_wrong_size_breaks_ke_version_size() {
    let (_, kernel) = version(Os::Win7, 0);
    assert_broken(&kernel, &violation::VERSION_SIZE, 1);
}

#[test]
fn rtl_init_unicode_string_counts_bytes() {
    let _kernel = boot(1);
    let text: Vec<u16> = "NetDma\0".encode_utf16().collect();
    let mut string = sys::UNICODE_STRING::default();
    // SAFETY: the result is writable, the text ends with zero.
    unsafe { sys::RtlInitUnicodeString(&raw mut string, text.as_ptr()) };
    assert_eq!((string.Length, string.MaximumLength), (12, 14));
    assert_eq!(string.Buffer.cast_const(), text.as_ptr());
    // SAFETY: the result is writable, null is allowed.
    unsafe { sys::RtlInitUnicodeString(&raw mut string, ptr::null()) };
    assert_eq!(
        (string.Length, string.MaximumLength, string.Buffer),
        (0, 0, ptr::null_mut())
    );
}

#[test]
fn mm_get_system_routine_address_knows_what_each_system_exports() {
    let address = |name: &str| {
        let mut name: Vec<u16> = name.encode_utf16().collect();
        let bytes = 2 * name.len() as u16;
        let mut string = sys::UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: name.as_mut_ptr(),
        };
        // SAFETY: the name is readable.
        unsafe { sys::MmGetSystemRoutineAddress(&raw mut string) }
    };
    for (os, has_level_functions) in [(Os::VistaSp1, false), (Os::Win7, false), (Os::Win10, true)] {
        let _kernel = Kernel::boot(Config {
            os,
            ..Config::default()
        });
        // A function may have several addresses in Miri.
        let known = address("KeSetEvent");
        assert!(if cfg!(miri) {
            !known.is_null()
        } else {
            known == sys::KeSetEvent as *mut c_void
        });
        assert_eq!(
            !address("KfRaiseIrql").is_null(),
            has_level_functions,
            "{os:?}"
        );
        assert!(address("NetDmaGetVersion").is_null());
        assert!(address("KeSetEven").is_null());
    }
}

#[test]
fn what_a_driver_prints_is_in_the_trace() {
    let kernel = boot(1);
    // SAFETY: the text ends with zero.
    unsafe { sys::DebugPrint(c"2 channels\n".as_ptr()) };
    let events = kernel.events();
    let printed = events
        .iter()
        .find(|event| event.source == "driver")
        .map(|event| event.what.as_str());
    assert_eq!(printed, Some("2 channels"));
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_bug_check_says_why_and_ends_the_process() {
    const CHILD: &str = "SIMKERNEL_TEST_BUG_CHECK";

    if env::var_os(CHILD).is_some() {
        let kernel = boot(2);
        lower(1);
        // SAFETY: it does not return.
        kernel.run_dpc_on(1, || unsafe { sys::KeBugCheckEx(0xE2, 1, 2, 3, 4) });
        return;
    }
    let program = env::current_exe().unwrap();
    let name = "a_bug_check_says_why_and_ends_the_process";
    let output = Command::new(program)
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        text.contains("*** STOP: 0x000000e2 (0x1, 0x2, 0x3, 0x4)"),
        "{text}"
    );
    assert!(text.contains("on processor 1 at IRQL 2"), "{text}");
    assert!(text.contains("before: ke::lower"), "{text}");
}

#[test]
fn null_where_an_address_must_be_breaks_ke_null() {
    let kernel = boot(1);
    // SAFETY: null is what is being tried.
    unsafe { sys::KeDelayExecutionThread(0, 0, ptr::null_mut()) };
    // SAFETY: as above.
    unsafe { sys::RtlGetVersion(ptr::null_mut()) };
    // SAFETY: as above.
    unsafe { sys::MmGetSystemRoutineAddress(ptr::null_mut()) };
    assert_broken(&kernel, &violation::NULL, 3);
}
