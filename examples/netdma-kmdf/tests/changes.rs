//! Copies go on while the device loses its power, its resources, or itself: every copy is completed or reported as failed, none is done
//! twice, and nothing is left behind.
//!
//! Each run is made from a seed. `NETDMA_CHANGES_RUNS` says how many there are, `NETDMA_CHANGES_SEED` which is the first: to repeat one
//! that failed, set its seed and one run. Threads are the host's, so a run is repeated in what it does and not in how that interleaves.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netdma_kmdf::{driver_entry, driver_entry_by_interrupt};
use nmr_netdma::sys;
use simkernel::devices::Doorbell;
use simkernel::mm::{Buffer, Registers};
use simkernel::ndis::{Channel, Transfer};
use simkernel::pnp::{Bar, DeviceConfig, DeviceId, Layout, Signal};
use simkernel::{Config, Kernel, Os};

/// How long a copy may take before it counts as lost. Nothing else depends on it.
const LOST: Duration = Duration::from_secs(60);
/// Before and after each piece.
const GUARD: u8 = 0xA5;
/// The source once its copy is completed: whatever is copied later shows.
const SPOILT: u8 = 0x5A;

/// The numbers of one seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// What became of the copies of a run.
#[derive(Debug, Default)]
struct Tally {
    completed: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

/// A batch of copies whose end was told.
struct Batch {
    source: Buffer,
    destination: Buffer,
    expected: Vec<u8>,
    completed: bool,
}

/// Pieces of one batch, as many guards between them.
const PIECES: usize = 12;
const ROOM: usize = 1024;

impl Batch {
    fn new(kernel: &Kernel, random: &mut Random) -> (Self, Vec<Transfer>) {
        let mut source = kernel.allocate(PIECES * ROOM);
        let mut destination = kernel.allocate(PIECES * ROOM);
        source.as_mut_slice().fill_with(|| random.next() as u8 | 1);
        destination.as_mut_slice().fill(GUARD);
        let mut expected = vec![GUARD; PIECES * ROOM];
        let transfers = (0..PIECES)
            .map(|piece| {
                let start = piece * ROOM + 16;
                let range = start..start + 1 + random.below(ROOM as u64 - 32) as usize;
                expected[range.clone()].copy_from_slice(&source.as_slice()[range.clone()]);
                Transfer {
                    source: source.physical() + range.start as u64,
                    destination: destination.physical() + range.start as u64,
                    length: range.len() as u32,
                    flags: 0,
                }
            })
            .collect();
        let batch = Self {
            source,
            destination,
            expected,
            completed: false,
        };
        (batch, transfers)
    }

    /// Its end was told: the copies are there, or have been given up.
    fn end(&mut self, completed: bool) {
        self.completed = completed;
        if completed {
            assert!(self.destination.as_slice() == self.expected, "it differs");
        } else {
            // What was copied of it is right, and stays as it is from here on.
            let pairs = self.destination.as_slice().iter().zip(&self.expected);
            assert!(
                pairs
                    .into_iter()
                    .all(|(byte, expected)| byte == expected || *byte == GUARD),
                "a copy that was given up is wrong"
            );
            self.expected = self.destination.as_slice().to_vec();
        }
        self.source.as_mut_slice().fill(SPOILT);
    }

    /// Nothing has been written since the end.
    fn check(&self) {
        assert!(
            self.destination.as_slice() == self.expected,
            "a copy that was {} is written again",
            if self.completed {
                "completed"
            } else {
                "given up"
            }
        );
    }
}

/// Copies until told to end; the batches.
fn client(
    kernel: &Kernel,
    processor: u32,
    seed: u64,
    ending: &AtomicBool,
    tally: &Tally,
) -> Vec<Batch> {
    let _entered = kernel.enter(processor);
    let mut random = Random(seed);
    let mut batches = Vec::new();
    let mut channel: Option<Channel> = None;
    while !ending.load(Ordering::Relaxed) {
        let Some(open) = channel.take().or_else(|| open(kernel, &mut random)) else {
            thread::yield_now();
            continue;
        };
        let (mut batch, transfers) = Batch::new(kernel, &mut random);
        let submitted = if random.one_in(4) {
            open.submit_polled(&transfers)
        } else {
            open.submit(&transfers)
        };
        match submitted {
            Ok(ticket) => {
                if random.one_in(10) {
                    // Some copies are given up, unless the device is faster. The channel may be gone by then.
                    if random.one_in(2) {
                        pause(&mut random);
                    }
                    let _ = open.abort();
                }
                let begun = Instant::now();
                let completed = open.wait(ticket, LOST);
                assert!(begun.elapsed() < LOST, "neither completed nor given up");
                batch.end(completed);
                let counter = if completed {
                    &tally.completed
                } else {
                    &tally.failed
                };
                counter.fetch_add(1, Ordering::Relaxed);
                batches.push(batch);
            }
            Err(sys::STATUS_DEVICE_NOT_READY) => {
                // Nothing of it was begun.
                batch.expected.fill(GUARD);
                batch.check();
                tally.refused.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
                // The provider was stopped or sleeps; a channel survives the one and not the other.
                if random.one_in(2) {
                    continue;
                }
            }
            Err(other) => panic!("a batch was refused with {other:#010x}"),
        }
        if !random.one_in(8) {
            channel = Some(open);
        }
    }
    batches
}

fn open(kernel: &Kernel, random: &mut Random) -> Option<Channel> {
    let provider = kernel.netdma().providers().pop()?;
    let processors = 1 + random.below((1 << kernel.config().processors) - 1);
    kernel.netdma().open(provider.id, processors).ok()
}

/// Changes the device's state until it is gone.
fn change(kernel: &Kernel, device: DeviceId, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        pause(random);
        if random.one_in(2) {
            kernel.power_down(device).expect("it goes to sleep");
            pause(random);
            if random.one_in(8) {
                // Pulled out while it sleeps.
                break;
            }
            kernel.power_up(device).expect("it wakes up");
        } else {
            kernel.stop_device(device).expect("it stops");
            pause(random);
            let granted = (!random.one_in(3)).then(|| random.below(5) as u32);
            kernel.restart_device(device, granted).expect("it starts");
        }
    }
    pause(random);
    if random.one_in(2) {
        kernel.surprise_remove(device).expect("it is pulled out");
    } else {
        kernel.remove_device(device).expect("it is removed");
    }
}

fn pause(random: &mut Random) {
    thread::sleep(Duration::from_micros(random.below(1500)));
}

fn run(seed: u64, total: &Tally) {
    let mut random = Random(seed);
    let kernel = Kernel::boot(Config {
        os: if random.one_in(3) {
            Os::VistaSp1
        } else {
            Os::Win7
        },
        processors: 1 + random.below(3) as u32,
        seed: random.next(),
        ..Config::default()
    });
    let entry = if random.one_in(2) {
        driver_entry_by_interrupt
    } else {
        driver_entry
    };
    let driver = kernel.load_driver("netdma-kmdf", entry).unwrap();
    let signal = Signal::new();
    let channels = 1 + random.below(4) as u32;
    let layouts = [
        Layout::MsiX,
        Layout::MsiX,
        Layout::Msi,
        Layout::LineApart,
        Layout::Root,
    ];
    let layout = layouts[random.below(5) as usize];
    let bars = match layout {
        Layout::Root => Vec::new(),
        _ => vec![Bar {
            length: Doorbell::LENGTH,
            model: Doorbell::new(channels, signal.clone()) as Arc<dyn Registers>,
        }],
    };
    let config = DeviceConfig {
        name: "engine".into(),
        messages: random.below(5) as u32,
        layout,
        bars,
        signal,
        ..DeviceConfig::default()
    };
    let device = kernel.add_device(driver, config).unwrap();

    let ending = AtomicBool::new(false);
    let tally = Tally::default();
    let batches: Vec<Batch> = thread::scope(|scope| {
        let clients: Vec<_> = (0..1 + channels.min(2))
            .map(|number| {
                let (kernel, ending, tally) = (&kernel, &ending, &tally);
                let processor = number % kernel.config().processors;
                let seed = seed ^ u64::from(number + 1) << 32;
                scope.spawn(move || client(kernel, processor, seed, ending, tally))
            })
            .collect();
        change(&kernel, device, &mut random);
        ending.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client panicked"))
            .collect()
    });
    kernel
        .unload_driver(driver)
        .expect("the driver is unloaded");
    for batch in &batches {
        batch.check();
    }
    drop(batches);
    let verdict = kernel.shutdown();
    if !verdict.is_clean() {
        let events: Vec<_> = verdict.events.iter().map(ToString::to_string).collect();
        let last = &events[events.len().saturating_sub(80)..];
        panic!("{verdict}\n{}", last.join("\n"));
    }
    for (sum, part) in [
        (&total.completed, &tally.completed),
        (&total.failed, &tally.failed),
        (&total.refused, &tally.refused),
    ] {
        sum.fetch_add(part.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

fn variable(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

#[test]
fn copies_survive_rebalance_sleep_and_removal() {
    let runs = variable("NETDMA_CHANGES_RUNS", 1000);
    let first = variable("NETDMA_CHANGES_SEED", 1);
    let seeds = first..first.saturating_add(runs);
    println!("seeds {seeds:?}");
    let total = Tally::default();
    let next = AtomicU64::new(first);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        break;
                    }
                    let done = panic::catch_unwind(AssertUnwindSafe(|| run(seed, &total)));
                    if let Err(why) = done {
                        println!("NETDMA_CHANGES_SEED={seed} NETDMA_CHANGES_RUNS=1 fails");
                        panic::resume_unwind(why);
                    }
                }
            });
        }
    });
    println!("batches: {total:?}");
    if runs >= 1000 {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        assert!(count(&total.completed) > runs, "{total:?}");
        assert!(count(&total.failed) > 0, "{total:?}");
        assert!(count(&total.refused) > 0, "{total:?}");
    }
}
