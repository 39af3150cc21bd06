//! The cases that a copy engine has to stand, run by the driver on a simulated machine. The numbers are those of one table for
//! engines in hardware and software; those that are missing do not concern an engine in software or are shown elsewhere.

use std::time::{Duration, Instant};

use netdma_kmdf::{MAXIMUM_TRANSFER_SIZE, driver_entry};
use nmr_netdma::sys;
use simkernel::devices::Doorbell;
use simkernel::mm::Buffer;
use simkernel::ndis::{Channel, Descriptor, Transfer};
use simkernel::pnp::{Bar, DeviceConfig, DeviceId, DriverId, Signal};
use simkernel::{Config, Kernel};

const TIMEOUT: Duration = Duration::from_secs(30);
const GUARD: u8 = 0xA5;
const STATUS: u32 = sys::NET_DMA_STATUS_UPDATE_ON_COMPLETION;
const INTERRUPT: u32 = sys::NET_DMA_INTERRUPT_ON_COMPLETION;
const SOURCE_BREAK: u32 = sys::NET_DMA_SOURCE_PAGE_BREAK;
const DESTINATION_BREAK: u32 = sys::NET_DMA_DESTINATION_PAGE_BREAK;
const CONTEXT_CHANGE: u32 = sys::NET_DMA_OP_TYPE_CONTEXT_CHANGE | sys::NET_DMA_DCA_CONTEXT_CHANGE;

/// A machine with the driver and a device with two channels.
struct Machine {
    kernel: Kernel,
    driver: DriverId,
    device: DeviceId,
}

impl Machine {
    fn boot() -> Self {
        let kernel = Kernel::boot(Config {
            processors: 2,
            ..Config::default()
        });
        let driver = kernel.load_driver("netdma-kmdf", driver_entry).unwrap();
        let signal = Signal::new();
        let model = Doorbell::new(2, signal.clone());
        let config = DeviceConfig {
            name: "engine".into(),
            messages: 2,
            granted: None,
            bars: vec![Bar {
                length: Doorbell::LENGTH,
                model,
            }],
            signal,
        };
        let device = kernel.add_device(driver, config).unwrap();
        Self {
            kernel,
            driver,
            device,
        }
    }

    fn try_open(&self) -> Result<Channel, i32> {
        let provider = self.kernel.netdma().providers()[0].id;
        self.kernel.netdma().open(provider, u64::MAX)
    }

    fn open(&self) -> Channel {
        self.try_open().unwrap()
    }

    /// Bytes of which no two neighbouring pages are alike.
    fn source(&self, length: usize) -> Buffer {
        let mut buffer = self.kernel.allocate(length);
        for (index, byte) in buffer.as_mut_slice().iter_mut().enumerate() {
            *byte = ((index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8;
        }
        buffer
    }

    fn destination(&self, length: usize) -> Buffer {
        let mut buffer = self.kernel.allocate(length);
        buffer.as_mut_slice().fill(GUARD);
        buffer
    }

    fn end(self, channel: Channel) {
        drop(channel);
        self.kernel.remove_device(self.device).unwrap();
        self.kernel.unload_driver(self.driver).unwrap();
        let verdict = self.kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

fn transfer(
    source: &Buffer,
    from: usize,
    destination: &Buffer,
    to: usize,
    length: usize,
) -> Transfer {
    Transfer {
        source: source.physical() + from as u64,
        destination: destination.physical() + to as u64,
        length: length as u32,
        flags: 0,
    }
}

fn run(channel: &Channel, transfers: &[Transfer]) {
    let ticket = channel.submit(transfers).unwrap();
    assert!(channel.wait(ticket, TIMEOUT), "not completed: {channel:?}");
}

fn run_descriptors(channel: &Channel, descriptors: &[Descriptor]) {
    let ticket = channel.submit_descriptors(descriptors).unwrap();
    assert!(channel.wait(ticket, TIMEOUT), "not completed: {channel:?}");
}

/// The descriptor is refused when it is handed over, or halts the channel; either way a good one runs afterwards.
fn refused(channel: &Channel, bad: Descriptor, good: Transfer) {
    let faults = channel.statistics().faults;
    assert_eq!(
        channel.submit_descriptors(&[bad]),
        Err(sys::STATUS_UNSUCCESSFUL),
        "{bad:x?} as the first"
    );
    let ticket = channel.submit_descriptors(&[good.into(), bad]).unwrap();
    assert!(!channel.wait(ticket, TIMEOUT), "{bad:x?} as the second");
    assert_eq!(channel.statistics().faults, faults + 1, "{bad:x?}");
    run(channel, &[good]);
}

/// Copies that keep the engine busy for a while: piece k of `destination` gets piece k of `source`.
fn long_list(source: &Buffer, destination: &Buffer) -> Vec<Transfer> {
    let piece = MAXIMUM_TRANSFER_SIZE as usize;
    (0..source.as_slice().len() / piece)
        .map(|index| {
            let transfer = transfer(source, index * piece, destination, index * piece, piece);
            Transfer {
                flags: STATUS,
                ..transfer
            }
        })
        .collect()
}

/// How many pieces at the beginning were copied; behind them nothing was, or part of one if `partial`.
fn copied(source: &Buffer, destination: &Buffer, partial: bool) -> usize {
    let piece = MAXIMUM_TRANSFER_SIZE as usize;
    let mut pairs = source
        .as_slice()
        .chunks(piece)
        .zip(destination.as_slice().chunks(piece));
    let whole = pairs
        .clone()
        .take_while(|(source, destination)| source == destination)
        .count();
    if partial {
        let torn = pairs.nth(whole);
        assert!(torn.is_none_or(|(source, destination)| {
            let mut bytes = source.iter().zip(destination);
            bytes.all(|(source, destination)| destination == source || *destination == GUARD)
        }));
    }
    let rest = destination
        .as_slice()
        .chunks(piece)
        .skip(whole + usize::from(partial));
    assert!(
        rest.flatten().all(|byte| *byte == GUARD),
        "something behind was touched"
    );
    whole
}

#[test]
fn t01_one_page_is_copied_and_its_guards_are_intact() {
    let machine = Machine::boot();
    let channel = machine.open();
    let source = machine.source(4096);
    let destination = machine.destination(3 * 4096);
    run(&channel, &[transfer(&source, 0, &destination, 4096, 4096)]);
    let bytes = destination.as_slice();
    assert!(bytes[4096..8192] == *source.as_slice());
    assert!(
        bytes[..4096]
            .iter()
            .chain(&bytes[8192..])
            .all(|byte| *byte == GUARD)
    );
    machine.end(channel);
}

#[test]
fn t02_every_offset_in_a_cache_line_is_byte_exact() {
    let machine = Machine::boot();
    let channel = machine.open();
    let source = machine.source(2 * 4096);
    let room = 4096 + 2 * 64;
    for length in [1, 63, 64, 65, 4095, 4096] {
        for from in 0..64 {
            let mut destination = machine.destination(64 * room);
            let transfers: Vec<_> = (0..64)
                .map(|to| transfer(&source, from, &destination, to * room + to, length))
                .collect();
            run(&channel, &transfers);
            for (to, part) in destination.as_mut_slice().chunks(room).enumerate() {
                assert!(part[to..to + length] == source.as_slice()[from..from + length]);
                let mut guards = part[..to].iter().chain(&part[to + length..]);
                assert!(
                    guards.all(|byte| *byte == GUARD),
                    "{length} from {from} to {to}"
                );
            }
        }
    }
    machine.end(channel);
}

#[test]
fn t03_the_maximum_transfer_size_is_copied() {
    let machine = Machine::boot();
    let channel = machine.open();
    let length = MAXIMUM_TRANSFER_SIZE as usize;
    let (source, destination) = (machine.source(length), machine.destination(length));
    run(&channel, &[transfer(&source, 0, &destination, 0, length)]);
    assert!(source.as_slice() == destination.as_slice());
    machine.end(channel);
}

#[test]
fn t04_a_longer_transfer_is_refused_before_a_byte_is_written() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(2 * 4096));
    let good = transfer(&source, 0, &destination, 0, 64);
    for length in [MAXIMUM_TRANSFER_SIZE + 1, u32::MAX] {
        let to = destination.physical() + 4096;
        let bad = Transfer {
            length,
            destination: to,
            flags: STATUS,
            ..good
        };
        refused(&channel, bad.into(), good);
    }
    assert!(
        destination.as_slice()[64..]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    machine.end(channel);
}

#[test]
fn t07_a_polled_transfer_completes_without_interrupt() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    let ticket = channel
        .submit_polled(&[transfer(&source, 0, &destination, 0, 4096)])
        .unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(source.as_slice() == destination.as_slice());
    assert_eq!(channel.statistics().interrupts, 0);
    machine.end(channel);
}

#[test]
fn t08_only_the_last_of_32_completes_and_interrupts() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(32 * 64), machine.destination(32 * 64));
    let transfers: Vec<_> = (0..32)
        .map(|index| transfer(&source, index * 64, &destination, index * 64, 64))
        .collect();
    run(&channel, &transfers);
    assert!(source.as_slice() == destination.as_slice());
    let statistics = channel.statistics();
    assert_eq!(
        (statistics.completion_writes, statistics.interrupts),
        (1, 1)
    );
    machine.end(channel);
}

#[test]
fn t10_a_zero_length_completes_and_touches_nothing() {
    let machine = Machine::boot();
    let channel = machine.open();
    run(
        &channel,
        &[Transfer {
            source: u64::MAX,
            destination: u64::MAX,
            ..Transfer::default()
        }],
    );
    assert_eq!(channel.statistics().descriptors, 1);
    machine.end(channel);
}

#[test]
fn t11_a_null_transfer_looks_at_neither_size_nor_addresses() {
    let machine = Machine::boot();
    let channel = machine.open();
    let garbage = Transfer {
        source: u64::MAX,
        destination: 7,
        length: u32::MAX,
        flags: sys::NET_DMA_NULL_TRANSFER,
    };
    run(&channel, &[garbage]);
    assert_eq!(channel.statistics().faults, 0);
    machine.end(channel);
}

#[test]
fn t11b_a_null_transfer_reports_for_the_31_before_it() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(31 * 64), machine.destination(31 * 64));
    let mut transfers: Vec<_> = (0..31)
        .map(|index| transfer(&source, index * 64, &destination, index * 64, 64))
        .collect();
    transfers.push(Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER,
        ..Transfer::default()
    });
    run(&channel, &transfers);
    assert!(source.as_slice() == destination.as_slice());
    let statistics = channel.statistics();
    assert_eq!(
        (statistics.completion_writes, statistics.interrupts),
        (1, 1)
    );
    machine.end(channel);
}

#[test]
fn t13_the_source_breaks_after_any_number_of_bytes() {
    let machine = Machine::boot();
    let channel = machine.open();
    let source = machine.source(4 * 4096);
    for firsts in (1..4096).collect::<Vec<usize>>().chunks(64) {
        let destination = machine.destination(64 * 4096);
        let mut descriptors: Vec<_> = firsts
            .iter()
            .enumerate()
            .map(|(index, first)| {
                let copy = transfer(&source, 4096 - first, &destination, index * 4096, 4096);
                Descriptor {
                    transfer: Transfer {
                        flags: SOURCE_BREAK,
                        ..copy
                    },
                    next_source: source.physical() + 3 * 4096,
                    next_destination: 0,
                }
            })
            .collect();
        descriptors.last_mut().unwrap().transfer.flags |= STATUS | INTERRUPT;
        run_descriptors(&channel, &descriptors);
        for (first, page) in firsts.iter().zip(destination.as_slice().chunks(4096)) {
            let bytes = source.as_slice();
            assert!(
                page[..*first] == bytes[4096 - first..4096],
                "first piece of {first}"
            );
            assert!(
                page[*first..] == bytes[3 * 4096..][..4096 - first],
                "rest after {first}"
            );
        }
    }
    machine.end(channel);
}

#[test]
fn t14_both_sides_break_at_offsets_of_their_own() {
    let machine = Machine::boot();
    let channel = machine.open();
    let source = machine.source(4 * 4096);
    for (first_source, first_destination) in [(100, 2000), (2000, 100), (1000, 1000), (1, 4095)] {
        let destination = machine.destination(4 * 4096);
        let copy = transfer(
            &source,
            4096 - first_source,
            &destination,
            4096 - first_destination,
            4096,
        );
        let descriptor = Descriptor {
            transfer: Transfer {
                flags: SOURCE_BREAK | DESTINATION_BREAK | STATUS | INTERRUPT,
                ..copy
            },
            next_source: source.physical() + 3 * 4096,
            next_destination: destination.physical() + 2 * 4096,
        };
        run_descriptors(&channel, &[descriptor]);
        let mut expected = vec![GUARD; 4 * 4096];
        for index in 0..4096 {
            let from = if index < first_source {
                4096 - first_source + index
            } else {
                3 * 4096 + index - first_source
            };
            let to = if index < first_destination {
                4096 - first_destination + index
            } else {
                2 * 4096 + index - first_destination
            };
            expected[to] = source.as_slice()[from];
        }
        assert!(destination.as_slice() == expected);
    }
    machine.end(channel);
}

#[test]
fn t15_the_second_page_is_not_looked_at_if_the_first_suffices() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    let copy = transfer(&source, 96, &destination, 0, 4000);
    let descriptor = Descriptor {
        transfer: Transfer {
            flags: SOURCE_BREAK | STATUS | INTERRUPT,
            ..copy
        },
        next_source: 0xBAD,
        next_destination: 0,
    };
    run_descriptors(&channel, &[descriptor]);
    assert!(destination.as_slice()[..4000] == source.as_slice()[96..]);
    machine.end(channel);
}

#[test]
fn t17_a_second_page_that_is_missing_or_not_aligned_is_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(2 * 4096), machine.destination(2 * 4096));
    let good = transfer(&source, 0, &destination, 0, 64);
    for next_source in [0, source.physical() + 8] {
        let copy = transfer(&source, 4000, &destination, 4096, 4096);
        let bad = Descriptor {
            transfer: Transfer {
                flags: SOURCE_BREAK | STATUS,
                ..copy
            },
            next_source,
            next_destination: 0,
        };
        refused(&channel, bad, good);
    }
    assert!(
        destination.as_slice()[64..]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    machine.end(channel);
}

#[test]
fn t19_overlapping_ranges_are_moved() {
    let machine = Machine::boot();
    let channel = machine.open();
    for (from, to, length) in [
        (100, 101, 4096),
        (101, 100, 4096),
        (0, 64, 5000),
        (64, 0, 5000),
        (7, 7, 300),
    ] {
        let buffer = machine.source(2 * 4096);
        let mut expected = buffer.as_slice().to_vec();
        expected.copy_within(from..from + length, to);
        run(&channel, &[transfer(&buffer, from, &buffer, to, length)]);
        assert!(
            buffer.as_slice() == expected,
            "{length} bytes from {from} to {to}"
        );
    }
    machine.end(channel);
}

/// A to B, then B to C, a thousand times.
fn relay(flags: u32) {
    let machine = Machine::boot();
    let channel = machine.open();
    let a = machine.source(100 * 64);
    let (b, c) = (machine.destination(64), machine.destination(100 * 64));
    let transfers: Vec<_> = (0..100)
        .flat_map(|index| {
            let first = transfer(&a, index * 64, &b, 0, 64);
            [
                Transfer { flags, ..first },
                transfer(&b, 0, &c, index * 64, 64),
            ]
        })
        .collect();
    for _ in 0..10 {
        run(&channel, &transfers);
        assert!(a.as_slice() == c.as_slice());
    }
    machine.end(channel);
}

#[test]
fn t20_after_a_fence_the_next_descriptor_reads_what_was_written() {
    relay(sys::NET_DMA_SERIALIZE_TRANSFER);
}

#[test]
fn t21_without_a_fence_this_engine_keeps_the_order_all_the_same() {
    relay(0);
}

#[test]
fn t40_memory_beyond_the_address_space_is_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(2 * 4096));
    let good = transfer(&source, 0, &destination, 0, 64);
    let limit = 1 << 52;
    for outside in [limit, limit - 63, u64::MAX - 62, u64::MAX] {
        let untouched = destination.physical() + 4096;
        let from = Transfer {
            source: outside,
            destination: untouched,
            flags: STATUS,
            ..good
        };
        let to = Transfer {
            destination: outside,
            flags: STATUS,
            ..good
        };
        refused(&channel, from.into(), good);
        refused(&channel, to.into(), good);
    }
    assert!(
        destination.as_slice()[64..]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    machine.end(channel);
}

#[test]
fn t42_reserved_bits_and_unknown_operations_are_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    let good = transfer(&source, 0, &destination, 0, 64);
    let reserved = [8].into_iter().chain(10..24).map(|bit| 1 << bit);
    for flags in reserved.chain([0x0100_0000, 0x8700_0000, 0xFE00_0000]) {
        refused(&channel, Transfer { flags, ..good }.into(), good);
    }
    machine.end(channel);
}

#[test]
fn t43_an_abort_before_the_first_descriptor_returns() {
    let machine = Machine::boot();
    let channel = machine.open();
    channel.abort().unwrap();
    let (source, destination) = (machine.source(64), machine.destination(64));
    run(&channel, &[transfer(&source, 0, &destination, 0, 64)]);
    assert!(source.as_slice() == destination.as_slice());
    machine.end(channel);
}

#[test]
fn t44_abort_start_and_copy_a_thousand_times() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(2 * 4096), machine.destination(2 * 4096));
    for round in 0..1000 {
        let at = round % 4000;
        let lost = transfer(&source, at, &destination, at, 1);
        channel.submit(&[lost; 5]).unwrap();
        channel.abort().unwrap();
        run(&channel, &[transfer(&source, at, &destination, at, 64)]);
        assert!(
            destination.as_slice()[at..at + 64] == source.as_slice()[at..at + 64],
            "{round}"
        );
    }
    machine.end(channel);
}

/// Stops a long list in the middle by `stop`, and nothing is written afterwards.
fn stopped_in_the_middle(stop: impl Fn(&Channel)) {
    let machine = Machine::boot();
    let channel = machine.open();
    let length = 200 * MAXIMUM_TRANSFER_SIZE as usize;
    let source = machine.source(length);
    let in_the_middle = (0..50).any(|_| {
        let destination = machine.destination(length);
        let ticket = channel.submit(&long_list(&source, &destination)).unwrap();
        let begun = Instant::now();
        stop(&channel);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "the stop is not bounded"
        );
        let after = copied(&source, &destination, true);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(copied(&source, &destination, true), after, "it goes on");
        assert_eq!(channel.wait(ticket, Duration::ZERO), after == 200);
        let piece = destination.as_slice().len() / 200;
        run(&channel, &[transfer(&source, 0, &destination, 0, piece)]);
        (1..200).contains(&after)
    });
    assert!(in_the_middle, "no stop came in the middle");
    machine.end(channel);
}

#[test]
fn t45_an_abort_in_the_middle_stops_at_once() {
    stopped_in_the_middle(|channel| {
        std::thread::sleep(Duration::from_millis(1));
        channel.abort().unwrap();
    });
}

#[test]
fn t46_after_a_reset_no_old_descriptor_is_touched() {
    stopped_in_the_middle(|channel| {
        std::thread::sleep(Duration::from_millis(1));
        channel.reset().unwrap();
    });
}

#[test]
fn t47_resets_and_aborts_at_the_same_time_all_return() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    for _ in 0..100 {
        channel
            .submit(&[transfer(&source, 0, &destination, 0, 4096); 50])
            .unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (channel, kernel) = (&channel, &machine.kernel);
                scope.spawn(move || {
                    let _entered = kernel.enter(number % 2);
                    if number < 2 {
                        channel.abort()
                    } else {
                        channel.reset()
                    }
                    .unwrap();
                });
            }
        });
    }
    run(&channel, &[transfer(&source, 0, &destination, 0, 4096)]);
    assert!(source.as_slice() == destination.as_slice());
    machine.end(channel);
}

#[test]
fn t48_an_append_without_a_start_is_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    let nothing = [Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER,
        ..Transfer::default()
    }];
    let copy = [transfer(&source, 0, &destination, 0, 64)];
    let refusal = Err(sys::STATUS_UNSUCCESSFUL);
    assert_eq!(channel.append(&copy), refusal, "after allocation");
    run(&channel, &nothing);
    channel.abort().unwrap();
    assert_eq!(channel.append(&copy), refusal, "after abort");
    run(&channel, &nothing);
    channel.reset().unwrap();
    assert_eq!(channel.append(&copy), refusal, "after reset");
    run(&channel, &nothing);
    assert!(destination.as_slice().iter().all(|byte| *byte == GUARD));
    machine.end(channel);
}

#[test]
fn t50_a_start_while_active_drops_the_rest_of_the_old_list() {
    let machine = Machine::boot();
    let channel = machine.open();
    let length = 200 * MAXIMUM_TRANSFER_SIZE as usize;
    let source = machine.source(length);
    let in_the_middle = (0..50).any(|_| {
        let (old, new) = (machine.destination(length), machine.destination(4096));
        channel.submit(&long_list(&source, &old)).unwrap();
        let before = channel.statistics().descriptors;
        let ticket = channel
            .restart(&[transfer(&source, 0, &new, 0, 4096)])
            .unwrap();
        assert!(channel.wait(ticket, TIMEOUT));
        assert!(channel.statistics().descriptors > before);
        assert!(new.as_slice() == &source.as_slice()[..4096]);
        (0..200).contains(&copied(&source, &old, false))
    });
    assert!(in_the_middle, "no start came in the middle");
    machine.end(channel);
}

#[test]
fn t51_a_start_while_suspended_forgets_the_suspension() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(128), machine.destination(128));
    run(&channel, &[Transfer::default()]);
    channel.suspend().unwrap();
    let lost = channel
        .submit(&[transfer(&source, 0, &destination, 0, 64)])
        .unwrap();
    let ticket = channel
        .restart(&[transfer(&source, 64, &destination, 64, 64)])
        .unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(!channel.wait(lost, Duration::ZERO));
    assert!(destination.as_slice()[64..] == source.as_slice()[64..]);
    assert!(
        destination.as_slice()[..64]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    machine.end(channel);
}

#[test]
fn t52_a_suspension_in_the_middle_finishes_the_current_descriptor_and_no_more() {
    let machine = Machine::boot();
    let channel = machine.open();
    let length = 200 * MAXIMUM_TRANSFER_SIZE as usize;
    let source = machine.source(length);
    let in_the_middle = (0..50).any(|_| {
        let destination = machine.destination(length);
        let ticket = channel.submit(&long_list(&source, &destination)).unwrap();
        std::thread::sleep(Duration::from_millis(1));
        let done = (channel.suspend().unwrap() + 200 - ticket) as usize;
        assert_eq!(copied(&source, &destination, false), done);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(copied(&source, &destination, false), done, "it goes on");
        channel.resume().unwrap();
        assert!(channel.wait(ticket, TIMEOUT));
        assert_eq!(copied(&source, &destination, false), 200);
        (1..200).contains(&done)
    });
    assert!(in_the_middle, "no suspension came in the middle");
    machine.end(channel);
}

#[test]
fn t53_suspending_twice_is_as_once_and_a_resume_needs_a_suspension() {
    let machine = Machine::boot();
    let channel = machine.open();
    assert_eq!(channel.suspend(), Ok(0));
    channel.resume().unwrap();
    run(&channel, &[Transfer::default()]);
    assert_eq!(channel.suspend(), Ok(1));
    assert_eq!(channel.suspend(), Ok(1));
    channel.resume().unwrap();
    assert_eq!(channel.resume(), Err(sys::STATUS_UNSUCCESSFUL));
    run(&channel, &[Transfer::default()]);
    machine.end(channel);
}

#[test]
fn t54_a_list_that_was_edited_while_suspended_runs_as_edited() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(256), machine.destination(256));
    let copy = |index: usize| transfer(&source, index * 64, &destination, index * 64, 64);
    run(&channel, &[Transfer::default()]);
    channel.suspend().unwrap();
    channel.submit(&[copy(0), copy(1)]).unwrap();
    let ticket = channel.edit(&[copy(2), copy(3)]).unwrap();
    channel.resume().unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(
        destination.as_slice()[..128]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    assert!(destination.as_slice()[128..] == source.as_slice()[128..]);
    run(&channel, &[copy(0)]);
    machine.end(channel);
}

#[test]
fn t55_an_append_while_suspended_runs_once_and_only_after_the_resume() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    run(&channel, &[Transfer::default()]);
    channel.suspend().unwrap();
    let ticket = channel
        .submit(&[transfer(&source, 0, &destination, 0, 64)])
        .unwrap();
    assert!(!channel.wait(ticket, Duration::from_millis(50)));
    assert!(destination.as_slice().iter().all(|byte| *byte == GUARD));
    channel.resume().unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(source.as_slice() == destination.as_slice());
    assert_eq!(channel.statistics().descriptors, 2);
    machine.end(channel);
}

#[test]
fn t59_one_channel_too_many_is_refused_and_nothing_is_lost_by_allocating_often() {
    let machine = Machine::boot();
    let (first, second) = (machine.open(), machine.open());
    assert_eq!(
        machine.try_open().unwrap_err(),
        sys::STATUS_INSUFFICIENT_RESOURCES
    );
    drop(second);
    for _ in 0..2000 {
        drop(machine.open());
    }
    machine.end(first);
}

#[test]
fn t64_a_context_change_copies_nothing_and_is_no_request_for_an_interrupt() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(128));
    let change = Transfer {
        flags: CONTEXT_CHANGE,
        ..transfer(&source, 0, &destination, 64, 1)
    };
    let copy = Transfer {
        flags: sys::NET_DMA_DESTINATION_DCA_ENABLE,
        ..transfer(&source, 0, &destination, 0, 64)
    };
    let ticket = channel.submit_polled(&[change, copy]).unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(destination.as_slice()[..64] == *source.as_slice());
    assert!(
        destination.as_slice()[64..]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    assert_eq!(channel.statistics().interrupts, 0);
    machine.end(channel);
}

#[test]
fn t68_channels_that_use_the_same_pages_do_not_disturb_each_other() {
    let machine = Machine::boot();
    let (first, second) = (machine.open(), machine.open());
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    std::thread::scope(|scope| {
        for (number, channel) in [(0, &first), (1, &second)] {
            let (kernel, source, destination) = (&machine.kernel, &source, &destination);
            scope.spawn(move || {
                let _entered = kernel.enter(number);
                // Every other line of 64 bytes is this channel's.
                let transfers: Vec<_> = (0..32)
                    .map(|line| line * 128 + number as usize * 64)
                    .map(|at| transfer(source, at, destination, at, 64))
                    .collect();
                for _ in 0..50 {
                    run(channel, &transfers);
                }
            });
        }
    });
    assert!(source.as_slice() == destination.as_slice());
    drop(second);
    machine.end(first);
}
