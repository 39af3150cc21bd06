//! What a device of the KMDF layer can have beside interrupts: timers, work items, locks. Each test says in a closure what
//! AddDevice makes, and fails if the simulated kernel finds a broken rule or anything left behind.
#![expect(unsafe_code, reason = "tests are at the level that they say")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use nmr_netdma::irql::{Dispatch, Irql, Passive};
use nmr_netdma::kmdf::{Timer, TimerRoutine, WaitLock, WorkItem, WorkItemRoutine};
use nmr_netdma::{Error, sys};
use simkernel::pnp::DeviceId;
use simkernel::{Config, Os};

use lab::{Lab, passive, until};

#[path = "common/kmdf_lab.rs"]
mod lab;

/// How often a routine ran. The latter of the two has it wait.
#[derive(Default)]
struct Runs {
    count: AtomicU32,
    hold: AtomicBool,
    inside: AtomicBool,
}

impl Runs {
    fn run(&self) {
        self.inside.store(true, Ordering::SeqCst);
        until("the test", || !self.hold.load(Ordering::SeqCst));
        self.count.fetch_add(1, Ordering::SeqCst);
        self.inside.store(false, Ordering::SeqCst);
    }

    fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }
}

struct Routine(Arc<Runs>);

impl TimerRoutine for Routine {
    fn run(&self, _: &Timer, irql: &mut Irql<Dispatch>) {
        let _: &mut Irql<Dispatch> = irql;
        self.0.run();
    }
}

impl WorkItemRoutine for Routine {
    fn run(&self, _: &WorkItem, _: &mut Irql<Passive>) {
        self.0.run();
    }
}

/// A lab with one device that has a timer.
fn timer(period: Option<Duration>) -> (Lab, DeviceId, Timer, Arc<Runs>) {
    let runs = Arc::new(Runs::default());
    let (sender, receiver) = mpsc::channel();
    let of_driver = Arc::clone(&runs);
    let lab = Lab::new(move |device, irql| {
        let timer = device.create_timer(period, Routine(Arc::clone(&of_driver)), irql)?;
        sender.send(timer.clone()).unwrap();
        Ok(Box::new(timer))
    });
    let device = lab.add();
    (lab, device, receiver.recv().unwrap(), runs)
}

const SOON: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn a_timer_runs_once_for_each_start() {
    let (lab, device, timer, runs) = timer(None);
    let irql = &mut passive();
    for round in 1..=3 {
        assert!(!timer.start(SOON, irql), "it was not started");
        until("the timer", || runs.count() == round);
    }
    timer.start(Duration::ZERO, irql);
    until("a timer without delay", || runs.count() == 4);
    lab.kernel.remove_device(device).unwrap();
    drop(timer);
    lab.finish();
}

#[test]
fn a_timer_with_a_period_runs_until_it_is_stopped() {
    let (lab, device, timer, runs) = timer(Some(SOON));
    let irql = &mut passive();
    timer.start(SOON, irql);
    until("three periods", || runs.count() >= 3);
    assert!(timer.stop_and_wait(irql), "it was started");
    let count = runs.count();
    thread::sleep(Duration::from_millis(20));
    assert_eq!(runs.count(), count);
    assert!(!timer.stop(irql), "it was stopped");
    lab.kernel.remove_device(device).unwrap();
    drop(timer);
    lab.finish();
}

#[test]
fn a_timer_that_is_stopped_before_its_time_does_not_run() {
    let (lab, device, timer, runs) = timer(None);
    let irql = &mut passive();
    timer.start(NEVER, irql);
    assert!(timer.start(NEVER, irql), "it was started");
    irql.at_dispatch(|irql| assert!(timer.stop(irql)));
    assert_eq!(runs.count(), 0);
    lab.kernel.remove_device(device).unwrap();
    drop(timer);
    lab.finish();
}

#[test]
fn a_period_that_the_framework_cannot_count_is_refused() {
    let lab = Lab::new(|device, irql| {
        let runs = Arc::default();
        let period = Some(Duration::from_secs(25 * 24 * 3600));
        device.create_timer(period, Routine(runs), irql)?;
        Ok(Box::new(()))
    });
    assert_eq!(lab.try_add(), Err(sys::STATUS_INVALID_PARAMETER));
    lab.finish();
}

#[test]
fn a_timer_goes_with_its_device_and_a_handle_that_is_left_does_nothing() {
    let (lab, device, timer, runs) = timer(Some(SOON));
    let irql = &mut passive();
    timer.start(SOON, irql);
    until("the timer", || runs.count() >= 1);
    lab.kernel.remove_device(device).unwrap();
    // The routine was dropped with the timer.
    assert_eq!(Arc::strong_count(&runs), 2, "the test's and the closure's");
    assert!(!timer.start(SOON, irql));
    assert!(!timer.stop(irql));
    assert!(!timer.stop_and_wait(irql));
    drop(timer);
    lab.finish();
}

/// Removes the device while other threads use `object` all the time.
fn race<T: Clone + Send + 'static>(
    lab: &Lab,
    device: DeviceId,
    object: &T,
    act: fn(&T, &mut Irql<Passive>),
) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for processor in 0..2 {
            let (object, stop, kernel) = (object.clone(), &stop, &lab.kernel);
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                while !stop.load(Ordering::Relaxed) {
                    act(&object, &mut passive());
                }
                drop(object);
            });
        }
        thread::sleep(Duration::from_millis(5));
        lab.kernel.remove_device(device).unwrap();
        thread::sleep(Duration::from_millis(5));
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_timer_can_be_started_while_its_device_goes() {
    for _ in 0..10 {
        let (lab, device, timer, runs) = timer(Some(SOON));
        race(&lab, device, &timer, |timer, irql| {
            timer.start(Duration::ZERO, irql);
        });
        let count = runs.count();
        thread::sleep(Duration::from_millis(5));
        assert_eq!(runs.count(), count, "it runs after its device");
        drop(timer);
        lab.finish();
    }
}

/// A lab with one device that has a work item.
fn work_item() -> (Lab, DeviceId, WorkItem, Arc<Runs>) {
    let runs = Arc::new(Runs::default());
    let (sender, receiver) = mpsc::channel();
    let of_driver = Arc::clone(&runs);
    let lab = Lab::new(move |device, irql| {
        let item = device.create_work_item(Routine(Arc::clone(&of_driver)), irql)?;
        sender.send(item.clone()).unwrap();
        Ok(Box::new(item))
    });
    let device = lab.add();
    (lab, device, receiver.recv().unwrap(), runs)
}

#[test]
fn a_work_item_that_waits_runs_once_however_often_it_is_queued() {
    let (lab, device, item, runs) = work_item();
    let irql = &mut passive();
    runs.hold.store(true, Ordering::SeqCst);
    assert!(irql.at_dispatch(|irql| item.enqueue(irql)));
    until("the work item", || runs.inside.load(Ordering::SeqCst));
    for _ in 0..3 {
        assert!(item.enqueue(irql));
    }
    runs.hold.store(false, Ordering::SeqCst);
    item.flush(irql);
    assert_eq!(runs.count(), 2);
    lab.kernel.remove_device(device).unwrap();
    drop(item);
    lab.finish();
}

#[test]
fn removing_a_device_waits_for_its_work_item() {
    let (lab, device, item, runs) = work_item();
    runs.hold.store(true, Ordering::SeqCst);
    item.enqueue(&mut passive());
    until("the work item", || runs.inside.load(Ordering::SeqCst));
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            runs.hold.store(false, Ordering::SeqCst);
        });
        lab.kernel.remove_device(device).unwrap();
    });
    assert_eq!(runs.count(), 1);
    assert!(!item.enqueue(&mut passive()), "its device is gone");
    item.flush(&mut passive());
    drop(item);
    lab.finish();
}

#[test]
fn a_work_item_can_be_queued_while_its_device_goes() {
    for _ in 0..10 {
        let (lab, device, item, runs) = work_item();
        race(&lab, device, &item, |item, irql| {
            item.enqueue(irql);
        });
        let count = runs.count();
        thread::sleep(Duration::from_millis(2));
        assert_eq!(runs.count(), count, "it runs after its device");
        drop(item);
        lab.finish();
    }
}

#[test]
fn a_wait_lock_gives_its_value_to_one_thread_at_a_time() {
    let (sender, receiver) = mpsc::channel();
    let lab = Lab::new(move |_, irql| {
        let lock = Arc::new(WaitLock::new(0_u32, irql)?);
        sender.send(Arc::clone(&lock)).unwrap();
        Ok(Box::new(lock))
    });
    let device = lab.add();
    let lock: Arc<WaitLock<u32>> = receiver.recv().unwrap();
    thread::scope(|scope| {
        for processor in 0..4 {
            let (lock, kernel) = (&lock, &lab.kernel);
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                for _ in 0..200 {
                    lock.with(&mut passive(), |value, _| {
                        let before = *value;
                        thread::yield_now();
                        *value = before + 1;
                    });
                }
            });
        }
    });
    lock.with(&mut passive(), |value, irql| {
        assert_eq!(*value, 800);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _entered = lab.kernel.enter(1);
                assert_eq!(lock.try_with(&mut passive(), |_, _| ()), None);
            });
        });
        let _: &mut Irql<Passive> = irql;
    });
    assert_eq!(lock.try_with(&mut passive(), |value, _| *value), Some(800));
    drop(lock);
    lab.kernel.remove_device(device).unwrap();
    lab.finish();
}

#[test]
fn every_refused_allocation_is_a_status_and_leaves_nothing() {
    for os in [Os::VistaSp1, Os::Win7, Os::Win10] {
        let log = Arc::new(Mutex::new(0));
        let mut refused = 0;
        loop {
            let made = Arc::clone(&log);
            let config = Config {
                os,
                ..Config::default()
            };
            let lab = Lab::boot(config, move |device, irql| {
                let runs = Arc::<Runs>::default();
                let timer = device.create_timer(None, Routine(Arc::clone(&runs)), irql)?;
                let item = device.create_work_item(Routine(runs), irql)?;
                let lock = WaitLock::new(0, irql)?;
                *made.lock().unwrap() += 1;
                Ok(Box::new((timer, item, lock)))
            });
            lab.kernel.fail_allocation(Some(refused));
            let device = lab.try_add();
            lab.kernel.fail_allocation(None);
            let done = device.is_ok();
            match device {
                Ok(device) => lab.kernel.remove_device(device).unwrap(),
                Err(status) => assert_eq!(Some(Error::INSUFFICIENT_RESOURCES), error(status)),
            }
            lab.finish();
            if done {
                break;
            }
            refused += 1;
        }
        assert!(refused >= 8, "only {refused} allocations");
        assert!(*log.lock().unwrap() >= 1);
    }
}

fn error(status: sys::NTSTATUS) -> Option<Error> {
    Error::new(nmr_netdma::Status(status))
}
