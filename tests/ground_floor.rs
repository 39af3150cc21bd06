//! `status`, `guid`, `irql`, `context`, `rundown`, `lifetime`.
//!
//! # Safety
//!
//! The unsafe code of this file states the level that a booted machine's thread is at.
#![expect(unsafe_code, reason = "states the level of the test's thread")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use nmr_netdma::context::{PoolBox, Shared};
use nmr_netdma::irql::{self, Irql, Passive};
use nmr_netdma::lifetime::{Image, SpinLock};
use nmr_netdma::rundown::{Left, Rundown};
use nmr_netdma::{Error, Guid, Status};
use simkernel::ke::violation;
use simkernel::{Config, Kernel};

fn boot() -> (Kernel, Irql<Passive>) {
    let kernel = Kernel::boot(Config::default());
    // SAFETY: the thread that boots a machine is at PASSIVE_LEVEL in it.
    let irql = unsafe { Irql::assume() };
    (kernel, irql)
}

/// Counts how often it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

// Status.

#[test]
fn an_error_cannot_hold_a_success_code() {
    assert_eq!(Error::new(Status::SUCCESS), None);
    assert_eq!(Error::new(Status::PENDING), None);
    assert_eq!(Error::new(Status(0x4000_0000)), None);
    assert_eq!(
        Error::new(Error::NO_INTERFACE.status()),
        Some(Error::NO_INTERFACE)
    );
}

#[test]
fn pending_is_a_success_code() {
    assert!(Status::PENDING.is_success());
    assert_ne!(Status::PENDING, Status::SUCCESS);
}

#[test]
fn a_result_becomes_the_status_that_becomes_the_result() {
    assert_eq!(Status::from_result(Ok(())), Status::SUCCESS);
    let error = Error::INSUFFICIENT_RESOURCES;
    assert_eq!(Status::from_result(Err(error)).into_result(), Err(error));
    assert_eq!(Status::PENDING.into_result(), Ok(()));
}

#[test]
fn a_status_shows_its_name_or_its_number() {
    assert_eq!(Error::NO_INTERFACE.to_string(), "STATUS_NOINTERFACE");
    assert_eq!(Status::PENDING.to_string(), "STATUS_PENDING");
    assert_eq!(
        Status(0x8123_4567_u32.cast_signed()).to_string(),
        "NTSTATUS 0x81234567"
    );
}

// Guid.

const TEXT: &str = "227f3dea-3f49-4f2f-a53c-6ba5d24d2e1a";

#[test]
fn a_guid_reads_what_it_writes() {
    let guid = Guid::parse(TEXT);
    assert_eq!(guid.to_string(), TEXT);
    assert_eq!(
        Guid::try_parse("{227F3DEA-3F49-4F2F-A53C-6BA5D24D2E1A}"),
        Some(guid)
    );
    assert_eq!(Guid::from_u128(guid.to_u128()), guid);
    assert_eq!(Guid::from_sys(guid.to_sys()), guid);
}

#[test]
fn a_guid_lies_in_memory_as_in_c() {
    let guid = Guid::parse(TEXT).to_sys();
    assert_eq!(
        (guid.Data1, guid.Data2, guid.Data3),
        (0x227f_3dea, 0x3f49, 0x4f2f)
    );
    assert_eq!(guid.Data4, [0xa5, 0x3c, 0x6b, 0xa5, 0xd2, 0x4d, 0x2e, 0x1a]);
}

#[test]
fn what_is_no_guid_is_refused() {
    let wrong = [
        "",
        "227f3dea-3f49-4f2f-a53c-6ba5d24d2e1",
        "227f3dea-3f49-4f2f-a53c-6ba5d24d2e1ag",
        "227f3dea-3f49-4f2f-a53c-6ba5d24d2e1g",
        "227f3dea+3f49-4f2f-a53c-6ba5d24d2e1a",
        "{227f3dea-3f49-4f2f-a53c-6ba5d24d2e1a",
        "227f3dea-3f49-4f2f-a53c-6ba5d24d2e1a}",
        "227f3dea3f494f2fa53c6ba5d24d2e1a00000",
        "227f3dea-3f49-4f2f-a53c-6ba5d24d2e\u{e9}",
    ];
    for text in wrong {
        assert_eq!(Guid::try_parse(text), None, "{text}");
    }
}

// Levels.

#[test]
fn raising_is_undone_on_return() {
    let (_kernel, mut irql) = boot();
    let inside = irql.at_dispatch(|irql| {
        let once = irql::current();
        (once, irql.at_dispatch(|_| irql::current()))
    });
    assert_eq!((inside, irql::current()), ((2, 2), 0));
}

// Pool memory.

#[test]
fn a_box_gives_back_what_it_took() {
    let (_kernel, mut irql) = boot();
    let count = Arc::default();
    let dropped = PoolBox::try_new(Dropped(Arc::clone(&count)), &mut irql).ok();
    drop(dropped);
    assert_eq!(count.load(Ordering::Relaxed), 1);

    let kept = PoolBox::try_new(Dropped(Arc::clone(&count)), &mut irql)
        .ok()
        .map(PoolBox::into_inner);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    drop(kept);
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

#[test]
fn a_refused_allocation_gives_the_value_back() {
    let (kernel, mut irql) = boot();
    kernel.fail_allocation(Some(1));
    assert_eq!(PoolBox::try_new(7, &mut irql).err(), Some(7));
    kernel.fail_allocation(Some(1));
    assert_eq!(Shared::try_new(8, &mut irql).err(), Some(8));
    kernel.fail_allocation(Some(1));
    assert!(PoolBox::<u32>::try_reserve(&mut irql).is_none());
}

#[test]
fn a_value_without_size_takes_no_memory() {
    let (kernel, mut irql) = boot();
    kernel.fail_allocation(Some(1));
    assert!(PoolBox::try_new((), &mut irql).is_ok());
    kernel.fail_allocation(None);
}

#[test]
fn alignment_is_kept_up_to_a_page_and_refused_beyond() {
    #[repr(align(64))]
    struct Line(u8);
    #[repr(align(4096))]
    struct Page(u8);
    #[repr(align(8192))]
    struct Beyond(u8);

    let (_kernel, mut irql) = boot();
    let line = PoolBox::try_new(Line(1), &mut irql)
        .ok()
        .expect("a line fits");
    let page = PoolBox::try_new(Page(2), &mut irql)
        .ok()
        .expect("a page fits");
    assert!(line.as_ptr().is_aligned() && page.as_ptr().is_aligned());
    assert_eq!((line.0, page.0), (1, 2));
    assert!(PoolBox::try_new(Beyond(3), &mut irql).is_err_and(|beyond| beyond.0 == 3));
}

#[test]
fn memory_reserved_before_cannot_fail_later() {
    let (kernel, mut irql) = boot();
    let memory = PoolBox::try_reserve(&mut irql).expect("there is memory");
    kernel.fail_allocation(Some(1));
    assert_eq!(*memory.fill(9), 9);
    kernel.fail_allocation(None);
}

#[test]
fn the_last_owner_drops_a_shared_value() {
    let (_kernel, mut irql) = boot();
    let count = Arc::default();
    let first = Shared::try_new(Dropped(Arc::clone(&count)), &mut irql)
        .ok()
        .expect("there is memory");
    let second = first.clone();
    drop(first);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    drop(second);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

/// Miri sees it if the one that frees is not told of what the other did before.
#[test]
fn the_last_owner_frees_after_the_others_last_use() {
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 1000 };

    let (kernel, mut irql) = boot();
    let machine = Threads(&kernel);
    for _ in 0..ROUNDS {
        let Ok(shared) = Shared::try_new(Box::new(7), &mut irql) else {
            panic!("there is memory");
        };
        let other = shared.clone();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let Threads(kernel) = &machine;
                let _entered = kernel.enter(1);
                let other = other;
                assert_eq!(**other, 7);
            });
            assert_eq!(**shared, 7);
            drop(shared);
        });
    }
}

// Rundown.

#[test]
fn a_rundown_begins_shut_opens_once_and_closes_once() {
    let rundown = Rundown::new();
    assert!(!rundown.has_begun());
    assert_eq!(rundown.enter(), Err(Left::NotLast));
    rundown.open();
    assert!(rundown.has_begun());
    assert_eq!(rundown.enter(), Ok(()));
    assert_eq!(rundown.leave(), Left::NotLast);
    rundown.close();
    assert_eq!(rundown.enter(), Err(Left::NotLast));
    assert_eq!(rundown.leave(), Left::Last);
    rundown.open();
    assert_eq!(rundown.enter(), Err(Left::NotLast));
}

#[test]
fn whoever_closes_counts_as_inside() {
    let rundown = Rundown::new();
    rundown.open();
    assert_eq!(rundown.enter(), Ok(()));
    rundown.close();
    assert_eq!(rundown.leave(), Left::NotLast);
    assert_eq!(rundown.leave(), Left::Last);
}

#[test]
fn a_rundown_that_never_opened_has_one_last_as_well() {
    let rundown = Rundown::new();
    rundown.close();
    assert!(rundown.has_begun());
    assert_eq!(rundown.leave(), Left::Last);
}

/// Callers that hammer at the door while it is opened and closed: each round has one last one, and nobody is inside after.
#[test]
fn exactly_one_is_the_last_under_contention() {
    const ROUNDS: usize = if cfg!(miri) { 20 } else { 20_000 };
    const CALLERS: usize = 3;

    struct Round {
        rundown: Rundown,
        inside: AtomicUsize,
        last: AtomicUsize,
    }

    let rounds: Vec<Round> = (0..ROUNDS)
        .map(|_| Round {
            rundown: Rundown::new(),
            inside: AtomicUsize::new(0),
            last: AtomicUsize::new(0),
        })
        .collect();
    let left = |round: &Round, left: Left| {
        if left == Left::Last {
            assert_eq!(
                round.inside.load(Ordering::SeqCst),
                0,
                "the last one is alone"
            );
            round.last.fetch_add(1, Ordering::SeqCst);
        }
    };
    let barrier = Barrier::new(CALLERS + 1);
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                for round in &rounds {
                    barrier.wait();
                    for _ in 0..8 {
                        match round.rundown.enter() {
                            Ok(()) => {
                                round.inside.fetch_add(1, Ordering::SeqCst);
                                round.inside.fetch_sub(1, Ordering::SeqCst);
                                left(round, round.rundown.leave());
                            }
                            Err(turned_away) => left(round, turned_away),
                        }
                    }
                }
            });
        }
        for round in &rounds {
            barrier.wait();
            round.rundown.open();
            round.rundown.close();
            left(round, round.rundown.leave());
        }
    });
    for round in &rounds {
        assert_eq!(round.last.load(Ordering::SeqCst), 1);
    }
}

// Lifetime.

#[test]
fn a_spin_lock_raises_to_dispatch_and_restores() {
    let (_kernel, mut irql) = boot();
    let lock = SpinLock::new(1);
    let level = lock.with(&mut irql, |value, _| {
        *value += 1;
        irql::current()
    });
    assert_eq!((level, irql::current(), lock.into_inner()), (2, 0, 2));
}

/// On Windows the processor stops; here the kernel reports it and lets the thread go on, and the value must not be lent twice.
#[test]
fn a_spin_lock_is_not_taken_again_inside_itself() {
    let (kernel, mut irql) = boot();
    let lock = SpinLock::new(1);
    lock.with(&mut irql, |value, irql| {
        let again = catch_unwind(AssertUnwindSafe(|| {
            lock.with(irql, |value, _| *value += 1);
        }));
        assert!(again.is_err());
        *value += 10;
    });
    assert_eq!(
        kernel.take_violations(&violation::LOCK_RECURSIVE).len(),
        1,
        "named by the kernel"
    );
    assert_eq!(lock.with(&mut irql, |value, _| *value), 11);
    assert_eq!(irql::current(), 0);
}

#[test]
fn an_image_counts_its_holds() {
    let (_kernel, mut irql) = boot();
    let image = Image::new(&mut irql).expect("there is memory");
    let first = image.hold("test", 1, &mut irql).expect("there is memory");
    let second = image
        .hold("test", Guid::parse(TEXT), &mut irql)
        .expect("there is memory");
    let third = image
        .clone()
        .hold("test", 3, &mut irql)
        .expect("there is memory");
    assert_eq!(image.registered(&mut irql), 3);
    drop(second);
    assert_eq!(image.registered(&mut irql), 2);
    drop(third);
    drop(first);
    image.wait_empty(&mut irql);
}

#[test]
fn a_hold_outlives_the_images_handles() {
    let (_kernel, mut irql) = boot();
    let image = Image::new(&mut irql).expect("there is memory");
    let hold = image.hold("test", 1, &mut irql).expect("there is memory");
    drop(image);
    drop(hold);
}

#[test]
fn a_refused_hold_is_an_error() {
    let (kernel, mut irql) = boot();
    kernel.fail_allocation(Some(1));
    assert_eq!(
        Image::new(&mut irql).err(),
        Some(Error::INSUFFICIENT_RESOURCES)
    );
    let image = Image::new(&mut irql).expect("there is memory");
    kernel.fail_allocation(Some(1));
    assert_eq!(
        image.hold("test", 1, &mut irql).err(),
        Some(Error::INSUFFICIENT_RESOURCES)
    );
    assert_eq!(image.registered(&mut irql), 0);
}

#[test]
fn unloading_waits_and_names_what_is_left() {
    let (kernel, mut irql) = boot();
    let image = Image::new(&mut irql).expect("there is memory");
    let hold = image
        .hold("planted registration", Guid::parse(TEXT), &mut irql)
        .expect("there is memory");
    let wanted = format!("planted registration {TEXT}");
    let machine = Threads(&kernel);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let Threads(kernel) = &machine;
            let _entered = kernel.enter(1);
            let named = || {
                let events = kernel.events();
                events.iter().any(|event| event.what.contains(&wanted))
            };
            // If it is never named this goes on, and so does the wait.
            while !named() {
                std::thread::sleep(Duration::from_millis(10));
            }
            drop(hold);
        });
        image.wait_empty(&mut irql);
    });
}

/// Lends the machine to other threads.
struct Threads<'a>(&'a Kernel);

// SAFETY: the other threads only enter, which reads what booting wrote.
unsafe impl Sync for Threads<'_> {}
