//! What is copied, and that nothing else is.

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
