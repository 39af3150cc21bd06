//! Transfers that go on in another page.

use super::machine::*;

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
