//! What comes late, too early, or at the same time: after a channel was freed, after its device lost power, while it is being
//! stopped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use nmr_netdma::irql::{self, Dispatch, Passive};
use nmr_netdma::kmdf::NewDevice;
use nmr_netdma::netdma::{Engine, PhysicalMemory, Version};
use nmr_netdma::physical_memory::PhysicalRange;
use nmr_netdma::{Error, Irql, Result, sys};
use simkernel::ndis::{Channel, Transfer};
use simkernel::{Kernel, Os};

use super::driver::{ATTRIBUTES, Case, Copier, Device, Driver, Hands, register};
use super::life::{boot, copy, load, unload};

/// The proof of PASSIVE_LEVEL, in a thread of the machine.
fn passive() -> Irql<Passive> {
    // SAFETY: the machine's threads begin at PASSIVE_LEVEL, and the proof of a higher one borrows this.
    unsafe { Irql::assume() }
}

/// The proof of DISPATCH_LEVEL, in a call that the kernel makes at that level.
fn dispatch() -> Irql<Dispatch> {
    // SAFETY: the callers are such calls.
    unsafe { Irql::assume() }
}

fn open(kernel: &Kernel) -> Channel {
    let provider = kernel.netdma().providers()[0].id;
    kernel
        .netdma()
        .open(provider, u64::MAX)
        .expect("a channel is free")
}

/// Something that a driver's case makes and its test uses.
struct Place<T>(Mutex<Option<T>>);

impl<T> Place<T> {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn put(&self, value: T) {
        *self.0.lock().unwrap() = Some(value);
    }

    fn take(&self) -> T {
        self.0.lock().unwrap().take().expect("it was put here")
    }
}

/// A provider whose hands are shown to the test.
fn add_and_show<C: Case>(
    place: &Place<Hands>,
    is_forgetful: bool,
    device: &NewDevice<'_, Device<C>>,
    irql: &mut Irql<Passive>,
) -> Result<Option<Engine<Copier>>> {
    let mut copier = Copier::new(irql)?;
    copier.is_forgetful = is_forgetful;
    place.put(copier.hands().clone());
    let registered = register(device, copier, irql).map_err(|failed| failed.error)?;
    Ok(Some(registered.into_engine()))
}

/// A provider that the driver does not own, but the test.
fn add_and_give<C: Case>(
    place: &Place<Engine<Copier>>,
    device: &NewDevice<'_, Device<C>>,
    irql: &mut Irql<Passive>,
) -> Result<Option<Engine<Copier>>> {
    let registered = register(device, Copier::new(irql)?, irql).map_err(|failed| failed.error)?;
    place.put(registered.into_engine());
    Ok(None)
}

macro_rules! case {
    ($module:ident, $case:ident, { $($item:tt)* }) => {
        struct $case;

        impl Case for $case { $($item)* }

        mod $module {
            nmr_netdma::kmdf::driver_entry!(super::Driver<super::$case>);
        }
    };
}

/// Memory that nobody may read.
struct Forbidden;

// SAFETY: it answers nothing.
unsafe impl PhysicalMemory for Forbidden {
    fn read(&mut self, range: PhysicalRange<'_>, _: &mut [u64]) -> Result<()> {
        panic!("{range:x?} is read")
    }
}

/// The list gives nothing, and nothing is read to find that out.
fn nothing_is_left(kernel: &Kernel, hands: &Hands) {
    let hands = hands.clone();
    let next = kernel.run_dpc_on(1, move || {
        let irql = &mut dispatch();
        let mut link = hands.link.open(irql).expect("the channel is allocated");
        let (lease, irql) = link.split();
        hands.work.with(irql, |cursor, _| {
            cursor
                .next(lease, &mut Forbidden)
                .map(|next| next.is_none())
        })
    });
    assert_eq!(next, Ok(true));
}

static FORGETFUL: Place<Hands> = Place::new();

case!(forgetful, Forgetful, {
    const VERSION: Version = Version::V1_1;

    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_show(&FORGETFUL, true, device, irql)
    }
});

/// A list that is not counted is continued by what its last descriptor says, so an engine that forgets to clear it would read
/// that descriptor again.
#[test]
fn a_list_of_an_allocation_before_is_empty() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, forgetful::driver_entry);
    let hands = FORGETFUL.take();
    let channel = open(&kernel);
    copy(&kernel, &channel);
    channel.free();
    let channel = open(&kernel);
    nothing_is_left(&kernel, &hands);
    copy(&kernel, &channel);
    channel.free();
    drop(hands);
    unload(kernel, loaded);
}

static STOPPED: Place<Hands> = Place::new();

case!(stopped, Stopped, {
    const VERSION: Version = Version::V1_1;

    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_show(&STOPPED, true, device, irql)
    }
});

#[test]
fn a_list_of_before_an_abort_or_a_suspension_is_empty() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, stopped::driver_entry);
    let hands = STOPPED.take();
    let channel = open(&kernel);
    copy(&kernel, &channel);
    channel.suspend().unwrap();
    nothing_is_left(&kernel, &hands);
    channel.resume().unwrap();
    copy(&kernel, &channel);
    channel.abort().unwrap();
    nothing_is_left(&kernel, &hands);
    copy(&kernel, &channel);
    drop((hands, channel));
    unload(kernel, loaded);
}

static REFUSED: Place<Hands> = Place::new();

case!(refused, Refused, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        let mut copier = Copier::new(irql)?;
        copier.refuses = true;
        REFUSED.put(copier.hands().clone());
        let registered = register(device, copier, irql).map_err(|failed| failed.error)?;
        Ok(Some(registered.into_engine()))
    }
});

#[test]
fn a_list_whose_start_was_refused_is_empty_and_not_appended_to() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, refused::driver_entry);
    let hands = REFUSED.take();
    let channel = open(&kernel);
    let nothing = [Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER,
        ..Transfer::default()
    }];
    let refusal = Err(sys::STATUS_UNSUCCESSFUL);
    assert_eq!(channel.submit(&nothing), refusal);
    nothing_is_left(&kernel, &hands);
    assert_eq!(channel.append(&nothing), refusal);
    drop((hands, channel));
    unload(kernel, loaded);
}

static INSIDE: Place<Hands> = Place::new();

case!(inside, Inside, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_show(&INSIDE, false, device, irql)
    }
});

#[test]
fn an_abort_and_a_suspension_wait_for_whoever_has_the_link_open() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, inside::driver_entry);
    let hands = INSIDE.take();
    let channel = open(&kernel);
    copy(&kernel, &channel);
    let stops: [fn(&Channel); 2] = [
        |channel| assert!(channel.suspend().is_ok()),
        |channel| assert!(channel.abort().is_ok()),
    ];
    for stop in stops {
        let has_left = Arc::new(AtomicBool::new(false));
        let (entered, has_entered) = mpsc::channel();
        thread::scope(|scope| {
            let (hands, leaves) = (hands.clone(), Arc::clone(&has_left));
            let kernel = &kernel;
            scope.spawn(move || {
                kernel.run_dpc_on(1, move || {
                    let irql = &mut dispatch();
                    let link = hands.link.open(irql).expect("the channel is allocated");
                    entered.send(()).unwrap();
                    // Long enough to be overtaken, if that can be.
                    thread::sleep(Duration::from_millis(50));
                    leaves.store(true, Ordering::SeqCst);
                    drop(link);
                });
            });
            has_entered.recv().unwrap();
            stop(&channel);
            assert!(has_left.load(Ordering::SeqCst), "somebody is inside");
        });
    }
    drop((hands, channel));
    unload(kernel, loaded);
}

static STALE: Place<Hands> = Place::new();

case!(stale, Stale, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_show(&STALE, false, device, irql)
    }
});

/// NetDMA's processor of the interrupt.
fn interrupt(kernel: &Kernel, hands: &Hands) -> Option<u32> {
    let link = hands.link.clone();
    kernel.run_isr_on(1, 5, move || {
        // SAFETY: the kernel makes this call at a device's level.
        link.isr(0, &mut unsafe { Irql::<irql::Device>::assume() })
    })
}

fn deferred(kernel: &Kernel, hands: &Hands) {
    let hands = hands.clone();
    kernel.run_dpc_on(1, move || {
        let irql = &mut dispatch();
        let link = hands.link.open(irql).expect("the channel is allocated");
        link.interrupt_dpc(None);
    });
}

#[test]
fn an_interrupt_of_an_allocation_before_is_not_told_to_the_next() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, stale::driver_entry);
    let hands = STALE.take();
    let channel = open(&kernel);
    assert_eq!(interrupt(&kernel, &hands), Some(1));
    channel.free();
    assert_eq!(interrupt(&kernel, &hands), None, "nobody has the channel");
    let channel = open(&kernel);
    // The DPC of the first interrupt.
    deferred(&kernel, &hands);
    assert!(channel.statistics().dpc_processors.is_empty());
    assert_eq!(interrupt(&kernel, &hands), Some(1));
    deferred(&kernel, &hands);
    assert_eq!(channel.statistics().dpc_processors[&1], 1);
    drop(hands);
    channel.free();
    unload(kernel, loaded);
}

static NESTED: Place<Hands> = Place::new();

case!(nested, Nested, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_show(&NESTED, false, device, irql)
    }
});

#[test]
fn a_client_may_free_its_channel_when_it_is_told_of_an_interrupt() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, nested::driver_entry);
    let hands = NESTED.take();
    let channel = Arc::new(Place::new());
    channel.put(open(&kernel));
    let frees = Arc::clone(&channel);
    kernel.netdma().set_completed(move || drop(frees.take()));
    interrupt(&kernel, &hands);
    deferred(&kernel, &hands);
    assert_eq!(interrupt(&kernel, &hands), None, "the channel was freed");
    // The link can be used again.
    drop(open(&kernel));
    drop(hands);
    unload(kernel, loaded);
}

static CROWDED: Place<Hands> = Place::new();

case!(crowded, Crowded, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_show(&CROWDED, false, device, irql)
    }
});

/// Two threads of one processor are both at DISPATCH_LEVEL here, which no processor does.
#[test]
fn freeing_waits_for_an_interrupt_that_another_thread_tells() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, crowded::driver_entry);
    let hands = CROWDED.take();
    let channel = open(&kernel);
    interrupt(&kernel, &hands);

    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    let (entered, has_entered) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    kernel.netdma().set_completed(move || {
        entered.send(()).unwrap();
        may_go_on.lock().unwrap().recv().unwrap();
        IS_TOLD.store(true, Ordering::SeqCst);
    });
    thread::scope(|scope| {
        let told = scope.spawn(|| deferred(&kernel, &hands));
        has_entered.recv().unwrap();
        let freed = scope.spawn(|| {
            kernel.run_on(1, || {
                passive().at_dispatch(|_| channel.free());
                assert!(IS_TOLD.load(Ordering::SeqCst), "freed in the middle");
            });
        });
        // Long enough to be overtaken, if that can be.
        thread::sleep(Duration::from_millis(50));
        go_on.send(()).unwrap();
        told.join().unwrap();
        freed.join().unwrap();
    });
    drop(hands);
    unload(kernel, loaded);
}

static CROSSED: Place<Hands> = Place::new();

case!(crossed, Crossed, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_show(&CROSSED, false, device, irql)
    }
});

/// Two DPCs of one channel, the second of which NetDMA wanted elsewhere while the first was running.
#[test]
fn clients_may_abort_a_channel_in_two_interrupts_of_it_at_the_same_time() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, crossed::driver_entry);
    let hands = CROSSED.take();
    let channel = Arc::new(open(&kernel));
    interrupt(&kernel, &hands);

    let both = Barrier::new(2);
    let aborts = Arc::clone(&channel);
    kernel.netdma().set_completed(move || {
        both.wait();
        aborts.abort().unwrap();
    });
    thread::scope(|scope| {
        scope.spawn(|| deferred(&kernel, &hands));
        scope.spawn(|| {
            kernel.run_on(1, || {
                passive().at_dispatch(|irql| {
                    let link = hands.link.open(irql).expect("the channel is allocated");
                    link.interrupt_dpc(None);
                });
            });
        });
    });
    kernel.netdma().set_completed(|| {});
    copy(&kernel, &channel);
    drop((hands, channel));
    unload(kernel, loaded);
}

case!(sleeping, Sleeping, {
    fn started(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        engine
            .power_up(irql)
            .or_else(|_| engine.start(&ATTRIBUTES, irql))
    }

    fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        engine.power_down(irql)
    }
});

#[test]
fn t65_after_a_power_up_nothing_is_appended_without_a_start() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, sleeping::driver_entry);
    let channel = open(&kernel);
    copy(&kernel, &channel);
    kernel.power_down(loaded.1).expect("it goes to sleep");
    kernel.power_up(loaded.1).expect("it wakes up");
    let nothing = Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER,
        ..Transfer::default()
    };
    assert_eq!(channel.append(&[nothing]), Err(sys::STATUS_UNSUCCESSFUL));
    copy(&kernel, &channel);
    channel.free();
    unload(kernel, loaded);
}

static FIRST: Place<Result<()>> = Place::new();

case!(first, First, {
    const VERSION: Version = Version::V1_0;

    fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        FIRST.put(engine.power_down(irql));
        engine.stop(irql)
    }
});

#[test]
fn a_provider_of_the_first_version_does_not_notify_of_power() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, first::driver_entry);
    unload(kernel, loaded);
    assert_eq!(FIRST.take(), Err(Error::NOT_SUPPORTED));
}

static RACING: Place<Engine<Copier>> = Place::new();

case!(racing, Racing, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_give(&RACING, device, irql)
    }
});

#[test]
fn stopping_misses_no_transition_that_is_under_way() {
    const ROUNDS: u32 = if cfg!(any(miri, sanitizer)) { 10 } else { 500 };

    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, racing::driver_entry);
    let engine = RACING.take();
    let round = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            kernel.run_on(0, || {
                while round.load(Ordering::Relaxed) < ROUNDS {
                    // Refused while it is stopped.
                    let _ = engine.power_down(&mut passive());
                    let _ = engine.power_up(&mut passive());
                }
            });
        });
        kernel.run_on(1, || {
            for _ in 0..ROUNDS {
                engine.start(&ATTRIBUTES, &mut passive()).expect("stopped");
                thread::yield_now();
                let stopped = engine.stop(&mut passive());
                round.fetch_add(1, Ordering::Relaxed);
                if stopped.is_err() {
                    round.store(ROUNDS, Ordering::Relaxed);
                }
                assert_eq!(stopped, Ok(()), "it was started");
            }
        });
    });
    kernel.run_on(0, || drop(engine));
    unload(kernel, loaded);
}

static KEPT: Place<Engine<Copier>> = Place::new();

case!(kept, Kept, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_give(&KEPT, device, irql)
    }
});

#[test]
fn a_provider_keeps_the_object_of_its_device_also_when_the_device_is_gone() {
    let kernel = boot(Os::Win7);
    let (driver, device) = load(&kernel, kept::driver_entry);
    let engine = KEPT.take();
    assert_eq!(kernel.references(device), 1);
    kernel.remove_device(device).expect("the device is removed");
    assert_eq!(kernel.references(device), 1);
    kernel.run_on(0, || drop(engine));
    assert_eq!(kernel.references(device), 0);
    kernel
        .unload_driver(driver)
        .expect("the driver is unloaded");
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

static DROPPED: Place<Engine<Copier>> = Place::new();

case!(dropped, Dropped, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        add_and_give(&DROPPED, device, irql)
    }
});

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn a_provider_that_is_dropped_at_dispatch_level_stays_registered_and_its_image_loaded() {
    let kernel = boot(Os::Win7);
    let (_, device) = load(&kernel, dropped::driver_entry);
    let engine = DROPPED.take();
    let dropped = kernel.run_on(0, || {
        catch_unwind(AssertUnwindSafe(|| {
            passive().at_dispatch(|_| drop(engine));
        }))
    });
    assert_eq!(dropped.is_err(), cfg!(debug_assertions));
    assert_eq!(kernel.netdma().providers().len(), 1);
    assert_eq!(kernel.references(device), 1);
    kernel.remove_device(device).expect("the device is removed");
    // Unloading the driver would wait for ever.
    let verdict = kernel.shutdown();
    let kinds: Vec<_> = verdict.leaks.iter().map(|leak| leak.kind).collect();
    assert!(
        kinds.contains(&"netdma provider registration") && verdict.violations.is_empty(),
        "{verdict}"
    );
}
