//! What a process needs whose drivers and threads are not the kernel's own: threads that entered nothing, drivers that another
//! loader has loaded, events as they happen.
//!
//! A program of its own, with one test at a time: which machine adopts is a matter of the process.
//!
//! # Safety
//!
//! The unsafe code of this file calls the kernel as a driver would, with structures of the test's own.
#![expect(unsafe_code, reason = "calls the kernel as C would")]

use std::sync::Mutex;
use std::thread;

use nmr_netdma::sys;
use simkernel::trace::Event;
use simkernel::{Config, Kernel, ke};

/// Held by the test that runs.
static TURN: Mutex<()> = Mutex::new(());

fn allocate_and_free() -> bool {
    // SAFETY: in a machine it can be called at any level up to DISPATCH_LEVEL.
    let memory = unsafe { sys::ExAllocatePoolWithTag(0, 16, 1) };
    // SAFETY: the block was just allocated with this tag, and nobody has it.
    unsafe { sys::ExFreePoolWithTag(memory, 1) };
    !memory.is_null()
}

#[test]
fn a_thread_that_entered_nothing_belongs_to_the_machine_that_adopts() {
    let _turn = TURN.lock();
    for _ in 0..2 {
        let kernel = Kernel::boot(Config::default());
        kernel.adopt_threads();
        kernel.fail_allocation(Some(3));
        let allocated = thread::spawn(|| [(); 3].map(|()| allocate_and_free()))
            .join()
            .unwrap();
        // The third is refused, and freeing nothing is on record: so it was this machine.
        assert_eq!(allocated, [true, true, false]);
        assert_eq!(kernel.failed_allocations(), 1);
        assert_eq!(
            kernel
                .take_violations(&simkernel::mm::violation::FREE_UNKNOWN)
                .len(),
            1
        );
        let verdict = kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

#[test]
fn a_thread_that_was_adopted_follows_to_the_next_machine() {
    let _turn = TURN.lock();
    let (first, second) = (
        Kernel::boot(Config::default()),
        Kernel::boot(Config::default()),
    );
    thread::scope(|scope| {
        scope.spawn(|| {
            first.adopt_threads();
            assert!(allocate_and_free());
            second.adopt_threads();
            second.fail_allocation(Some(1));
            assert!(!allocate_and_free());
        });
    });
    assert_eq!(
        (first.failed_allocations(), second.failed_allocations()),
        (0, 1)
    );
    drop(second.take_violations(&simkernel::mm::violation::FREE_UNKNOWN));
    // The one that was booted last is left first.
    assert!(second.shutdown().is_clean());
    assert!(first.shutdown().is_clean());
}

#[test]
fn a_driver_of_another_loader_is_known_until_it_is_forgotten() {
    let _turn = TURN.lock();
    let kernel = Kernel::boot(Config::default());
    let mut object = sys::DRIVER_OBJECT::default();
    // SAFETY: the object outlives the kernel.
    let driver = unsafe { kernel.adopt_driver("sample", &raw mut object) };
    kernel.forget_driver(driver).unwrap();
    assert_eq!(
        kernel.forget_driver(driver),
        Err(sys::STATUS_INVALID_HANDLE)
    );
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn a_driver_that_is_not_forgotten_is_named() {
    let _turn = TURN.lock();
    let kernel = Kernel::boot(Config::default());
    let mut object = sys::DRIVER_OBJECT::default();
    // SAFETY: the object outlives the kernel.
    unsafe { kernel.adopt_driver("sample", &raw mut object) };
    let verdict = kernel.shutdown();
    assert!(
        verdict.to_string().contains("leaked driver: sample"),
        "{verdict}"
    );
}

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn watch(event: &Event) {
    SEEN.lock().unwrap().push(event.to_string());
}

#[test]
fn a_watcher_sees_every_event_as_it_happens() {
    let _turn = TURN.lock();
    let kernel = Kernel::boot(Config::default());
    let before = kernel.events().len();
    kernel.watch(watch);
    kernel.note("test", format_args!("one"));
    assert!(SEEN.lock().unwrap()[0].ends_with("test    one"));
    kernel.note("test", format_args!("two"));
    let events: Vec<_> = kernel
        .events()
        .iter()
        .skip(before)
        .map(ToString::to_string)
        .collect();
    assert_eq!(*SEEN.lock().unwrap(), events);
    assert!(kernel.shutdown().is_clean());
}

#[test]
fn functions_are_found_by_their_names() {
    let insert = ke::export("KeInsertQueueDpc").expect("it is defined");
    assert_eq!(insert, sys::KeInsertQueueDpc as *const _);
    assert_eq!(ke::export("KeInsertQueueDpcX"), None);
}
