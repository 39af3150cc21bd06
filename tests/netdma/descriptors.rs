//! Descriptors, chains, completion words, and the plan of interrupts.

use nmr_netdma::netdma::affinity::{ActiveProcessors, MAXIMUM_CHANNELS};
use nmr_netdma::netdma::descriptor::{MAXIMUM_UNCOUNTED, WORDS};
use nmr_netdma::netdma::{
    Affinities, Chain, Completion, ControlFlags, Cursor, Lease, PhysicalMemory, Plan, Refusal,
    Rules, Transfer, TransferStatus, Version, Work,
};
use nmr_netdma::physical_memory::PhysicalRange;
use nmr_netdma::sys::{self, NET_DMA_CHANNEL_CPU_AFFINITY as AffinityEntry};
use nmr_netdma::{Error, Result};

const RULES: Rules = Rules {
    version: Version::V2_1,
    maximum_transfer_size: 65536,
    maximum_address: (1 << 40) - 1,
};
const RULES_1: Rules = Rules {
    version: Version::V1_1,
    ..RULES
};

/// A descriptor's words, as its C members.
#[derive(Clone, Copy, Default)]
struct Words {
    length: u32,
    control: u32,
    source: u64,
    destination: u64,
    next: u64,
    next_source: u64,
    next_destination: u64,
}

impl Words {
    fn copy(source: u64, destination: u64, length: u32) -> Self {
        Self {
            source,
            destination,
            length,
            ..Self::default()
        }
    }

    fn words(self) -> [u64; WORDS] {
        let head = u64::from(self.control) << 32 | u64::from(self.length);
        [
            head,
            self.source,
            self.destination,
            self.next,
            self.next_source,
            self.next_destination,
        ]
    }

    fn parse(self, rules: &Rules) -> Result<Transfer<'static>, Refusal> {
        // SAFETY: nobody touches the memory that the result names.
        unsafe { Transfer::parse(0x4_0000, &self.words(), rules) }
    }

    /// Source, destination and length of each piece.
    fn pieces(self) -> Vec<(u64, u64, u32)> {
        match self.parse(&RULES).map(|transfer| transfer.work) {
            Ok(Work::Copy(pieces)) => pieces
                .iter()
                .map(|piece| {
                    assert_eq!(piece.source.length(), piece.destination.length());
                    let source = piece.source.address();
                    (source, piece.destination.address(), piece.source.length())
                })
                .collect(),
            other => panic!("not a copy: {other:?}"),
        }
    }
}

/// Descriptors at physical addresses, and how often each word was read.
#[derive(Default)]
struct Memory {
    words: std::collections::BTreeMap<u64, u64>,
    reads: std::collections::BTreeMap<u64, u32>,
}

impl Memory {
    fn put(&mut self, address: u64, descriptor: Words) {
        for (index, word) in descriptor.words().into_iter().enumerate() {
            self.words.insert(address + 8 * index as u64, word);
        }
    }

    fn chain(&self, address: u64, count: u32, rules: Rules) -> Result<Chain, Refusal> {
        let words = std::array::from_fn(|index| self.words[&(address + 8 * index as u64)]);
        // SAFETY: nobody touches the memory that the result names.
        unsafe { Chain::new(address, &words, count, rules) }
    }
}

// SAFETY: nobody touches the memory that the descriptors name.
unsafe impl PhysicalMemory for Memory {
    fn read(&mut self, range: PhysicalRange<'_>, words: &mut [u64]) -> Result<()> {
        assert_eq!(range.length() as usize, size_of_val(words));
        let address = range.address();
        for (index, word) in words.iter_mut().enumerate() {
            let address = address + 8 * index as u64;
            *word = *self.words.get(&address).ok_or(Error::NOT_FOUND)?;
            *self.reads.entry(address).or_default() += 1;
        }
        Ok(())
    }
}

/// For chains that are no channel's.
fn unbound() -> Lease<'static> {
    // SAFETY: nobody touches the memory that the chains name.
    unsafe { Lease::unbound() }
}

fn run(cursor: &mut Cursor, memory: &mut Memory) -> Result<Vec<u64>, Refusal> {
    let mut addresses = Vec::new();
    while let Some(transfer) = cursor.next(unbound(), memory)? {
        addresses.push(transfer.descriptor);
    }
    Ok(addresses)
}

#[test]
fn a_plain_copy_is_one_piece_even_across_pages() {
    let pieces = Words::copy(0x1_0FF0, 0x2_0001, 0x3000).pieces();
    assert_eq!(pieces, [(0x1_0FF0, 0x2_0001, 0x3000)]);
}

#[test]
fn a_zero_length_is_legal_and_has_no_pieces() {
    let nowhere = Words::copy(u64::MAX, u64::MAX, 0);
    assert_eq!(nowhere.pieces(), []);
}

#[test]
fn a_null_transfer_ignores_size_and_addresses_and_keeps_its_completion() {
    let flags = ControlFlags::NULL | ControlFlags::STATUS | ControlFlags::INTERRUPT;
    let garbage = Words {
        control: flags.bits(),
        ..Words::copy(u64::MAX, 7, u32::MAX)
    };
    let transfer = garbage.parse(&RULES).unwrap();
    assert_eq!((transfer.work, transfer.flags), (Work::Null, flags));
}

#[test]
fn each_side_breaks_at_its_own_page_end() {
    let both = ControlFlags::SOURCE_PAGE_BREAK | ControlFlags::DESTINATION_PAGE_BREAK;
    let descriptor = Words {
        control: both.bits(),
        next_source: 0x5_0000,
        next_destination: 0x7_0000,
        ..Words::copy(0x1_0F00, 0x2_0800, 0x1000)
    };
    let expected = [
        (0x1_0F00, 0x2_0800, 0x100),
        (0x5_0000, 0x2_0900, 0x700),
        (0x5_0700, 0x7_0000, 0x800),
    ];
    assert_eq!(descriptor.pieces(), expected);
}

#[test]
fn every_page_break_covers_every_byte_once() {
    for first in 1..4096_u64 {
        let descriptor = Words {
            control: ControlFlags::SOURCE_PAGE_BREAK.bits(),
            next_source: 0x9_0000,
            ..Words::copy(0x2_0000 - first, 0x4_0123, 4096)
        };
        let pieces = descriptor.pieces();
        assert_eq!(
            pieces
                .iter()
                .map(|(_, _, length)| u64::from(*length))
                .sum::<u64>(),
            4096
        );
        assert_eq!(u64::from(pieces[0].2), first);
        assert_eq!((pieces[1].0, pieces[1].1), (0x9_0000, 0x4_0123 + first));
    }
}

#[test]
fn the_second_page_is_not_looked_at_if_the_first_suffices() {
    let descriptor = Words {
        control: ControlFlags::SOURCE_PAGE_BREAK.bits(),
        next_source: 0xBAD,
        ..Words::copy(0x1_0000, 0x2_0000, 4096)
    };
    assert_eq!(descriptor.pieces().len(), 1);
}

#[test]
fn a_page_break_needs_an_aligned_second_page_and_no_third() {
    let broken = Words {
        control: ControlFlags::SOURCE_PAGE_BREAK.bits(),
        ..Words::copy(0x1_0F00, 0x2_0000, 4096)
    };
    for next_source in [0, 0x5_0010] {
        assert_eq!(
            Words {
                next_source,
                ..broken
            }
            .parse(&RULES),
            Err(Refusal::PageBreak)
        );
    }
    let three_pages = Words {
        next_source: 0x5_0000,
        length: 0x100 + 4097,
        ..broken
    };
    assert_eq!(three_pages.parse(&RULES), Err(Refusal::PageBreak));
}

#[test]
fn t18_before_2_0_the_page_break_words_belong_to_the_provider() {
    for flag in [
        ControlFlags::SOURCE_PAGE_BREAK,
        ControlFlags::DESTINATION_PAGE_BREAK,
        ControlFlags::DESTINATION_DCA,
    ] {
        let descriptor = Words {
            control: flag.bits(),
            ..Words::copy(0x1000, 0x2000, 64)
        };
        assert_eq!(descriptor.parse(&RULES_1), Err(Refusal::ReservedBits));
    }
}

#[test]
fn reserved_bits_and_unknown_operations_are_refused() {
    for bit in (0..24).filter(|bit| *bit == 8 || *bit >= 10) {
        let descriptor = Words {
            control: 1 << bit,
            ..Words::copy(0x1000, 0x2000, 64)
        };
        assert_eq!(
            descriptor.parse(&RULES),
            Err(Refusal::ReservedBits),
            "bit {bit}"
        );
    }
    for operation in [0x01, 0x87, 0xFE, 0xFF] {
        let descriptor = Words {
            control: operation << 24,
            ..Words::copy(0x1000, 0x2000, 64)
        };
        assert_eq!(
            descriptor.parse(&RULES),
            Err(Refusal::Operation),
            "operation {operation:#x}"
        );
    }
}

#[test]
fn a_context_change_copies_nothing_and_asks_for_no_interrupt() {
    let control = sys::NET_DMA_OP_TYPE_CONTEXT_CHANGE | sys::NET_DMA_DCA_CONTEXT_CHANGE;
    let descriptor = Words {
        control,
        length: 0x2A,
        ..Words::default()
    };
    let transfer = descriptor.parse(&RULES).unwrap();
    assert_eq!(
        (transfer.work, transfer.flags),
        (Work::ContextChange(0x2A), ControlFlags::empty())
    );
    assert_eq!(descriptor.parse(&RULES_1), Err(Refusal::Operation));
}

#[test]
fn the_maximum_transfer_size_is_the_longest_copy() {
    let at = |length| {
        Words::copy(0x10_0000, 0x20_0000, length)
            .parse(&RULES)
            .map(|_| ())
    };
    assert_eq!(at(RULES.maximum_transfer_size), Ok(()));
    assert_eq!(at(RULES.maximum_transfer_size + 1), Err(Refusal::TooLong));
    assert_eq!(at(u32::MAX), Err(Refusal::TooLong));
}

#[test]
fn no_byte_may_lie_beyond_the_address_space_of_the_engine() {
    let limit = RULES.maximum_address;
    for outside in [limit + 1, limit - 62, u64::MAX - 62, u64::MAX] {
        assert_eq!(
            Words::copy(outside, 0x1000, 64).parse(&RULES),
            Err(Refusal::AddressRange)
        );
        assert_eq!(
            Words::copy(0x1000, outside, 64).parse(&RULES),
            Err(Refusal::AddressRange)
        );
    }
    assert!(Words::copy(limit - 63, 0x1000, 64).parse(&RULES).is_ok());
}

#[test]
fn t39_a_descriptor_is_aligned_to_64_bytes() {
    let words = Words::copy(0x1000, 0x2000, 64).words();
    for address in [0x4_0008, 0x4_0020, 0x4_003F] {
        assert_eq!(
            // SAFETY: nobody touches the memory that the result names.
            unsafe { Transfer::parse(address, &words, &RULES) },
            Err(Refusal::Unaligned)
        );
    }
}

#[test]
fn t37_a_counted_chain_runs_exactly_its_count_through_a_ring() {
    let mut memory = Memory::default();
    for index in 0..3 {
        let next = 0x1000 + (index + 1) % 3 * 64;
        memory.put(
            0x1000 + index * 64,
            Words {
                next,
                ..Words::copy(0x8000, 0x9000, 8)
            },
        );
    }
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 7, RULES).unwrap());
    let addresses = run(&mut cursor, &mut memory).unwrap();
    assert_eq!(
        addresses,
        [0x1000, 0x1040, 0x1080, 0x1000, 0x1040, 0x1080, 0x1000]
    );
    assert!(!cursor.has_more());
}

#[test]
fn t32_a_counted_append_continues_where_the_last_link_points_and_nowhere_else() {
    let mut memory = Memory::default();
    memory.put(
        0x1000,
        Words {
            next: 0x1040,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    memory.put(
        0x1040,
        Words {
            next: 0x1080,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    let mut cursor = Cursor::new();
    assert_eq!(
        cursor.append(&memory.chain(0x1000, 1, RULES).unwrap()),
        Err(Refusal::NotStarted)
    );
    cursor.start(&memory.chain(0x1000, 1, RULES).unwrap());
    assert_eq!(run(&mut cursor, &mut memory), Ok(vec![0x1000]));
    assert_eq!(
        cursor.append(&memory.chain(0x1000, 1, RULES).unwrap()),
        Err(Refusal::NotLinked)
    );
    assert_eq!(run(&mut cursor, &mut memory), Ok(vec![]));
    cursor
        .append(&memory.chain(0x1040, 1, RULES).unwrap())
        .unwrap();
    assert_eq!(run(&mut cursor, &mut memory), Ok(vec![0x1040]));
}

#[test]
fn a_counted_chain_may_not_end_before_its_count() {
    let mut memory = Memory::default();
    memory.put(0x1000, Words::copy(0x8000, 0x9000, 8));
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 2, RULES).unwrap());
    assert_eq!(run(&mut cursor, &mut memory), Err(Refusal::EndedEarly));
    assert_eq!(
        cursor.append(&memory.chain(0x1000, 1, RULES).unwrap()),
        Err(Refusal::NotStarted)
    );
}

#[test]
fn outstanding_descriptors_never_overflow_the_count() {
    let mut memory = Memory::default();
    memory.put(
        0x1000,
        Words {
            next: 0x1000,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, u32::MAX, RULES).unwrap());
    assert_eq!(
        cursor.append(&memory.chain(0x1000, 1, RULES).unwrap()),
        Err(Refusal::TooMany)
    );
}

#[test]
fn an_append_to_an_uncounted_list_may_bring_as_many_again() {
    let mut memory = Memory::default();
    let ring = Words {
        next: 0x1000,
        ..Words::default()
    };
    memory.put(0x1000, ring);
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 1, RULES_1).unwrap());
    for _ in 0..2 {
        for _ in 0..MAXIMUM_UNCOUNTED {
            assert!(cursor.next(unbound(), &mut memory).unwrap().is_some());
        }
        let more = memory.chain(0x1000, 1, RULES_1).unwrap();
        cursor.append(&more).unwrap();
    }
}

#[test]
fn t34_an_uncounted_chain_ends_at_the_null_link_whatever_the_count_says() {
    let mut memory = Memory::default();
    memory.put(
        0x1000,
        Words {
            next: 0x1040,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    memory.put(0x1040, Words::copy(0x8000, 0x9000, 8));
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 1, RULES_1).unwrap());
    assert_eq!(run(&mut cursor, &mut memory), Ok(vec![0x1000, 0x1040]));
}

#[test]
fn t29_an_uncounted_append_is_found_by_reading_the_last_link_again() {
    let mut memory = Memory::default();
    memory.put(0x1000, Words::copy(0x8000, 0x9000, 8));
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 1, RULES_1).unwrap());
    assert_eq!(run(&mut cursor, &mut memory), Ok(vec![0x1000]));
    memory.put(0x2000, Words::copy(0x8000, 0x9000, 8));
    memory.put(
        0x1000,
        Words {
            next: 0x2000,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    cursor
        .append(&memory.chain(0x2000, 1, RULES_1).unwrap())
        .unwrap();
    assert_eq!(run(&mut cursor, &mut memory), Ok(vec![0x2000]));
}

#[test]
fn an_uncounted_chain_without_end_is_refused() {
    let mut memory = Memory::default();
    memory.put(
        0x1000,
        Words {
            next: 0x1000,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 1, RULES_1).unwrap());
    assert_eq!(run(&mut cursor, &mut memory), Err(Refusal::Endless));
}

#[test]
fn every_word_of_a_descriptor_is_read_once_and_no_word_of_the_clients() {
    let mut memory = Memory::default();
    memory.put(
        0x1000,
        Words {
            next: 0x1040,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    memory.put(
        0x1040,
        Words {
            next: 0x1000,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 2, RULES).unwrap());
    run(&mut cursor, &mut memory).unwrap();
    let expected: Vec<_> = (0..WORDS as u64)
        .map(|index| (0x1040 + 8 * index, 1))
        .collect();
    assert_eq!(memory.reads.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn links_that_lead_nowhere_end_the_list() {
    for (next, refusal) in [
        (0x5000, Refusal::Unreachable(Error::NOT_FOUND)),
        (0x5001, Refusal::Unaligned),
    ] {
        let mut memory = Memory::default();
        memory.put(
            0x1000,
            Words {
                next,
                ..Words::copy(0x8000, 0x9000, 8)
            },
        );
        let mut cursor = Cursor::new();
        cursor.start(&memory.chain(0x1000, 2, RULES).unwrap());
        assert_eq!(run(&mut cursor, &mut memory), Err(refusal));
        assert_eq!(run(&mut cursor, &mut memory), Ok(vec![]));
    }
}

#[test]
fn a_start_drops_what_is_left_of_the_old_list() {
    let mut memory = Memory::default();
    memory.put(
        0x1000,
        Words {
            next: 0x1000,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    memory.put(
        0x2000,
        Words {
            next: 0x2000,
            ..Words::copy(0x8000, 0x9000, 8)
        },
    );
    let mut cursor = Cursor::new();
    cursor.start(&memory.chain(0x1000, 9, RULES).unwrap());
    assert!(cursor.next(unbound(), &mut memory).unwrap().is_some());
    cursor.start(&memory.chain(0x2000, 1, RULES).unwrap());
    assert_eq!(run(&mut cursor, &mut memory), Ok(vec![0x2000]));
}

#[test]
fn a_completion_word_is_an_address_and_a_status() {
    for (bits, status) in [
        TransferStatus::Active,
        TransferStatus::Idle,
        TransferStatus::Suspended,
        TransferStatus::Halted,
        TransferStatus::Armed,
    ]
    .into_iter()
    .enumerate()
    {
        let completion = Completion {
            descriptor: 0xFFFF_FFC0,
            status,
        };
        assert_eq!(completion.word(), 0xFFFF_FFC0 | bits as u64);
        assert_eq!(
            Completion::from_word(completion.word() | 0x18),
            Some(completion)
        );
    }
    assert_eq!(Completion::from_word(0xFFFF_FFC5), None);
}

fn entries(asked: &[(u32, u32)]) -> Vec<AffinityEntry> {
    asked
        .iter()
        .map(|&(channel, processor)| AffinityEntry {
            DmaChannel: channel,
            CpuNumber: processor,
        })
        .collect()
}

#[test]
fn processors_and_channels_that_do_not_exist_are_ignored_and_counted() {
    let entries = entries(&[(0, 1), (1, 4), (2, u32::MAX), (9, 0), (u32::MAX, 0), (3, 3)]);
    let plan = Plan::new(
        4,
        Affinities::new(&entries),
        ActiveProcessors::from_mask(0xF),
    );
    let asked: Vec<_> = (0..5).map(|channel| plan.asked(channel)).collect();
    assert_eq!(asked, [Some(1), None, None, Some(3), None]);
    assert_eq!(plan.ignored(), 4);
}

#[test]
fn fewer_messages_than_channels_are_shared_evenly() {
    for channels in 1..=MAXIMUM_CHANNELS {
        let plan = Plan::unasked(channels);
        for messages in 1..=channels + 1 {
            let assignment = plan.assign(messages);
            let loads: Vec<_> = (0..messages)
                .map(|message| assignment.channels(message).count())
                .collect();
            assert_eq!(loads.iter().sum::<usize>(), channels as usize);
            let used = &loads[..messages.min(channels) as usize];
            assert!(
                used.iter().max().unwrap() - used.iter().min().unwrap() <= 1,
                "{channels} on {messages}: {loads:?}"
            );
        }
    }
}

#[test]
fn a_message_goes_to_the_first_processor_that_its_channels_asked_for() {
    let entries = entries(&[(1, 3), (2, 2), (3, 1)]);
    let plan = Plan::new(
        4,
        Affinities::new(&entries),
        ActiveProcessors::from_mask(0xF),
    );
    let processors = |messages| {
        (0..messages)
            .map(|message| plan.assign(messages).processor(message))
            .collect::<Vec<_>>()
    };
    assert_eq!(processors(4), [None, Some(3), Some(2), Some(1)]);
    assert_eq!(processors(2), [Some(2), Some(3)]);
    assert_eq!(processors(1), [Some(3)]);
}

#[test]
fn with_a_line_no_channel_has_a_message() {
    let plan = Plan::unasked(4);
    assert!((0..4).all(|channel| plan.assign(0).message(channel).is_none()));
}

#[test]
fn a_plan_has_room_for_the_documented_maximum() {
    let plan = Plan::unasked(u32::MAX);
    assert_eq!(plan.channels(), MAXIMUM_CHANNELS);
    assert_eq!(plan.asked(MAXIMUM_CHANNELS), None);
}
