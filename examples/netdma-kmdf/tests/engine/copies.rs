//! What is copied, and that nothing else is.

use simkernel::ndis::Part;

use super::machine::*;

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

/// A generator of numbers that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// A number of its own for each number.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Copies at random places, and compares both buffers whole with what `pattern` says: for buffer 0 or 1 in this round, byte by byte.
fn copies_at_random(threads: u64, rounds: u64, pattern: fn(u64, u64, usize) -> u8) {
    const LENGTH: usize = 16384;
    let machine = Machine::boot();
    let channel = machine.client();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (machine, channel) = (&machine, &channel);
            scope.spawn(move || {
                let _entered = machine.kernel.enter(thread as u32 % 2);
                let mut random = Random(thread);
                let mut source = machine.kernel.allocate_scattered(LENGTH);
                let mut destination = machine.kernel.allocate_scattered(LENGTH);
                for round in 0..rounds {
                    let key = thread << 32 | round;
                    let filled = |buffer| (0..LENGTH).map(move |at| pattern(buffer, key, at));
                    let before: Vec<_> = filled(0).collect();
                    let mut after: Vec<_> = filled(1).collect();
                    source.as_mut_slice().copy_from_slice(&before);
                    destination.as_mut_slice().copy_from_slice(&after);
                    let length = 1 + random.below(LENGTH);
                    let (from, to) = (
                        random.below(LENGTH - length + 1),
                        random.below(LENGTH - length + 1),
                    );
                    let part = |buffer, start| Part {
                        buffer,
                        start,
                        length,
                    };
                    let copy = channel
                        .chain_copy_virtual_to_virtual(
                            part(&destination, to),
                            &[part(&source, from)],
                        )
                        .unwrap();
                    assert!(channel.wait(&copy, TIMEOUT));
                    after[to..][..length].copy_from_slice(&before[from..][..length]);
                    assert!(source.as_slice() == before, "{key:#x}");
                    assert!(
                        destination.as_slice() == after,
                        "{key:#x}: {length} from {from} to {to}"
                    );
                }
            });
        }
    });
    assert_eq!(channel.channel().statistics().faults, 0);
    machine.end(channel);
}

#[test]
fn t05_copies_at_random_places_leave_everything_else_alone() {
    for threads in [1, 2, 4] {
        // Bit 7 tells the buffers apart, five bits the place.
        copies_at_random(threads, 150, |buffer, _, at| {
            (buffer as u8) << 7 | !(at as u8) & 31
        });
    }
}

#[test]
fn t06_a_displacement_by_whole_words_or_pages_would_show() {
    for threads in [1, 2, 4] {
        // Each word is a number of its own, of buffer, round and place.
        copies_at_random(threads, 150, |buffer, key, at| {
            mix((buffer << 63) ^ (key << 16) ^ (at as u64 / 8)).to_le_bytes()[at % 8]
        });
    }
}
