//! Descriptors that are refused before a byte is written, or halt the channel.

use super::machine::*;

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
