//! `netdma`: descriptors, affinity and completion words, and a provider's life on the simulated kernel.
#![expect(unsafe_code, reason = "makes chains, which NetDMA makes otherwise")]

use nmr_netdma::netdma::affinity::{ActiveProcessors, MAXIMUM_CHANNELS};
use nmr_netdma::netdma::descriptor::WORDS;
use nmr_netdma::netdma::{
    Affinities, Chain, Completion, ControlFlags, Cursor, Lease, PhysicalMemory, Plan, Refusal,
    Rules, Transfer, TransferStatus, Version, Work,
};
use nmr_netdma::physical_memory::PhysicalRange;
use nmr_netdma::sys::{self, NET_DMA_CHANNEL_CPU_AFFINITY as AffinityEntry};
use nmr_netdma::{Error, Result};
use simkernel as _;

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

/// A provider with one channel that copies in the submitter's call, in a driver whose device has no hardware.
mod driver {
    use std::sync::Mutex;

    use nmr_netdma::irql::{AtMostDispatch, Dispatch, Passive};
    use nmr_netdma::kmdf::{
        self, AddedDevice, DeviceInit, DriverInit, NewDevice, PowerState, SpinLock, memory,
    };
    use nmr_netdma::netdma::{
        self, Affinities, Allocated, Attributes, Capabilities, Chain, ChannelParameters,
        Characteristics, ControlFlags, Cursor, Engine, Failed, Interface, Link, Name, OpenLink,
        PhysicalMemory, Provider, Registered, TransferStatus, Version, Work,
    };
    use nmr_netdma::physical_memory::PhysicalRange;
    use nmr_netdma::{Irql, Result};

    pub(crate) const NAME: &str = "test provider";

    pub(crate) const ATTRIBUTES: Attributes = Attributes {
        hardware_version: (1, 2),
        vendor: 0x8086,
        channels: 1,
        maximum_transfer_size: 8192,
        maximum_address: (1 << 48) - 1,
    };

    pub(crate) struct Copier {
        link: Link,
        work: SpinLock<Cursor>,
        asked: Mutex<Vec<netdma::Affinity>>,
        /// Tells this provider from others.
        pub(crate) mark: u32,
    }

    pub(crate) struct OnlyChannel;

    impl Copier {
        pub(crate) fn new(irql: &mut Irql<Passive>) -> Result<Self> {
            Ok(Self {
                link: Link::new(irql)?,
                work: SpinLock::new(Cursor::new()),
                asked: Mutex::new(Vec::new()),
                mark: 7,
            })
        }

        /// What NetDMA asked of the interrupts.
        pub(crate) fn asked(&self) -> Vec<netdma::Affinity> {
            self.asked.lock().unwrap().clone()
        }

        pub(crate) fn link(&self) -> &Link {
            &self.link
        }

        fn run(&self, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
            irql.at_dispatch(|irql| {
                let mut link = self.link.open(irql).expect("the channel is allocated");
                while let Some((descriptor, flags)) = self.step(&mut link)? {
                    if flags.contains(ControlFlags::STATUS) {
                        let more = self.work.with(link.irql(), |cursor, _| cursor.has_more());
                        let status = if more {
                            TransferStatus::Active
                        } else {
                            TransferStatus::Idle
                        };
                        link.publish(descriptor, status);
                    }
                }
                Ok(())
            })
        }

        /// Copies what the next descriptor asks for.
        fn step(&self, link: &mut OpenLink<'_>) -> Result<Option<(u64, ControlFlags)>> {
            let (lease, irql) = link.split();
            let Some(transfer) = self
                .work
                .with(irql, |cursor, irql| cursor.next(lease, &mut Reader(irql)))?
            else {
                return Ok(None);
            };
            if let Work::Copy(pieces) = transfer.work {
                for piece in pieces.iter() {
                    memory::copy_physical(piece.source, piece.destination, irql)?;
                }
            }
            Ok(Some((transfer.descriptor, transfer.flags)))
        }
    }

    struct Reader<'a>(&'a mut Irql<Dispatch>);

    // SAFETY: it reads the memory of the range.
    unsafe impl PhysicalMemory for Reader<'_> {
        fn read(&mut self, range: PhysicalRange<'_>, words: &mut [u64]) -> Result<()> {
            memory::read_words(range, words, self.0)
        }
    }

    impl Provider for Copier {
        type Channel = OnlyChannel;

        fn set_channel_cpu_affinity(
            &self,
            affinities: Affinities<'_>,
            _: &mut Irql<Passive>,
        ) -> Result<()> {
            self.asked.lock().unwrap().extend(affinities.iter());
            Ok(())
        }

        fn allocate_channel(
            &self,
            _: &ChannelParameters,
            _: &mut Irql<AtMostDispatch>,
        ) -> Result<Allocated<OnlyChannel>> {
            Ok(Allocated {
                channel: OnlyChannel,
                processor: 1,
                link: self.link.clone(),
            })
        }
    }

    impl netdma::Channel<Copier> for OnlyChannel {
        fn start(
            &self,
            copier: &Copier,
            chain: &Chain,
            irql: &mut Irql<AtMostDispatch>,
        ) -> Result<()> {
            copier.work.with(irql, |cursor, _| cursor.start(chain));
            copier.run(irql)
        }

        fn append(
            &self,
            copier: &Copier,
            chain: &Chain,
            irql: &mut Irql<AtMostDispatch>,
        ) -> Result<()> {
            copier.work.with(irql, |cursor, _| cursor.append(chain))?;
            copier.run(irql)
        }

        fn free(self, copier: &Copier, irql: &mut Irql<AtMostDispatch>) {
            copier.work.with(irql, |cursor, _| cursor.clear());
        }
    }

    /// What one test does differently. Each is used by one test, so that its records are its own.
    pub(crate) trait Case: Send + Sync + 'static {
        const VERSION: Version = Version::V2_1;

        /// In AddDevice.
        fn add(
            device: &NewDevice<'_, Device<Self>>,
            irql: &mut Irql<Passive>,
        ) -> Result<Option<Engine<Copier>>>
        where
            Self: Sized,
        {
            let provider = Copier::new(irql)?;
            match register::<Self>(device, provider, irql) {
                Ok(registered) => Ok(Some(registered.into_engine())),
                Err(Failed { error, .. }) => Err(error.into()),
            }
        }

        /// When the device works.
        fn started(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
            engine.start(&ATTRIBUTES, irql)
        }

        /// When it is about to stop working.
        fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
            engine.stop(irql)
        }
    }

    #[expect(clippy::result_large_err, reason = "the provider comes back by value")]
    pub(crate) fn register<C: Case>(
        device: &NewDevice<'_, Device<C>>,
        provider: Copier,
        irql: &mut Irql<Passive>,
    ) -> Result<Registered<Copier>, Failed<Copier>> {
        let characteristics = Characteristics {
            version: C::VERSION,
            capabilities: Capabilities::all(),
            device: device.physical_device(),
            maximum_channels: 1,
            name: const { Name::new(NAME) },
        };
        Registered::register(
            device.image(),
            &Interface::find(irql),
            provider,
            &characteristics,
            irql,
        )
    }

    pub(crate) struct Driver<C>(std::marker::PhantomData<C>);

    impl<C: Case> kmdf::Driver for Driver<C> {
        fn init(_: &DriverInit<'_>, _: &mut Irql<Passive>) -> Result<Self> {
            Ok(Self(std::marker::PhantomData))
        }

        fn device_add<'a>(
            &self,
            init: DeviceInit<'a>,
            irql: &mut Irql<Passive>,
        ) -> Result<AddedDevice<'a>> {
            let device = init.create::<Device<C>>(irql)?;
            let engine = C::add(&device, irql)?;
            Ok(device.finish(Device {
                engine,
                case: std::marker::PhantomData,
            }))
        }
    }

    pub(crate) struct Device<C> {
        engine: Option<Engine<Copier>>,
        case: std::marker::PhantomData<C>,
    }

    impl<C: Case> kmdf::Device for Device<C> {
        fn d0_entry_post_interrupts_enabled(
            &self,
            _: PowerState,
            irql: &mut Irql<Passive>,
        ) -> Result<()> {
            self.engine
                .as_ref()
                .map_or(Ok(()), |engine| C::started(engine, irql))
        }

        fn d0_exit_pre_interrupts_disabled(
            &self,
            _: PowerState,
            irql: &mut Irql<Passive>,
        ) -> Result<()> {
            self.engine
                .as_ref()
                .map_or(Ok(()), |engine| C::stopping(engine, irql))
        }
    }

    /// What the callbacks of a case found, in order.
    pub(crate) struct Record(Mutex<Vec<String>>);

    impl Record {
        pub(crate) const fn new() -> Self {
            Self(Mutex::new(Vec::new()))
        }

        pub(crate) fn note(&self, what: impl std::fmt::Debug) {
            self.0.lock().unwrap().push(format!("{what:?}"));
        }

        pub(crate) fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }
}

mod life {
    use std::time::Duration;

    use nmr_netdma::irql::Passive;
    use nmr_netdma::kmdf::NewDevice;
    use nmr_netdma::netdma::{Attributes, Engine, Failed, NotStarted, Version};
    use nmr_netdma::{Irql, Result};
    use simkernel::ndis::{AffinityPlan, Channel, Transfer};
    use simkernel::pnp::{DeviceConfig, DeviceId, DriverEntry, DriverId};
    use simkernel::{Config, Kernel, Os};

    use super::driver::{ATTRIBUTES, Case, Copier, Device, Driver, NAME, Record, register};

    const TIMEOUT: Duration = Duration::from_secs(20);

    fn boot(os: Os) -> Kernel {
        Kernel::boot(Config {
            os,
            ..Config::default()
        })
    }

    fn load(kernel: &Kernel, entry: DriverEntry) -> (DriverId, DeviceId) {
        let driver = kernel.load_driver("test", entry).expect("the driver loads");
        let config = DeviceConfig {
            name: "device".into(),
            ..DeviceConfig::default()
        };
        (
            driver,
            kernel
                .add_device(driver, config)
                .expect("the device starts"),
        )
    }

    fn unload(kernel: Kernel, (driver, device): (DriverId, DeviceId)) {
        kernel.remove_device(device).expect("the device is removed");
        kernel
            .unload_driver(driver)
            .expect("the driver is unloaded");
        let verdict = kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }

    /// Copies three times, so that appended chains are among them.
    fn copy(kernel: &Kernel, channel: &Channel) {
        for round in 0..3_u8 {
            let mut source = kernel.allocate(8192);
            let destination = kernel.allocate(8192);
            for (index, byte) in source.as_mut_slice().iter_mut().enumerate() {
                *byte = (index % 251) as u8 ^ round;
            }
            let half = |offset| Transfer {
                source: source.physical() + offset,
                destination: destination.physical() + offset,
                length: 4096,
                flags: 0,
            };
            let ticket = channel
                .submit(&[half(0), half(4096)])
                .expect("the chain is accepted");
            assert!(
                channel.wait(ticket, TIMEOUT),
                "round {round} does not complete"
            );
            assert_eq!(source.as_slice(), destination.as_slice(), "round {round}");
        }
    }

    fn one_life<C: Case>(os: Os, entry: DriverEntry, version: (u8, u8)) {
        let kernel = boot(os);
        let loaded = load(&kernel, entry);
        let providers = kernel.netdma().providers();
        let [provider] = &*providers else {
            panic!("one provider: {providers:?}")
        };
        assert_eq!(provider.version, version);
        assert!(provider.started);
        assert_eq!(
            (provider.channels, provider.maximum_transfer),
            (1, ATTRIBUTES.maximum_transfer_size)
        );
        if version >= (2, 0) {
            assert_eq!(provider.name, NAME);
        }
        let channel = kernel
            .netdma()
            .open(provider.id, u64::MAX)
            .expect("a channel");
        assert_eq!(channel.processor(), 1);
        copy(&kernel, &channel);
        // Its link is in use, so that a second owner is refused.
        assert!(kernel.netdma().open(provider.id, u64::MAX).is_err());
        channel.free();
        let channel = kernel
            .netdma()
            .open(provider.id, u64::MAX)
            .expect("the channel again");
        copy(&kernel, &channel);
        channel.free();
        unload(kernel, loaded);
    }

    /// A module with the entry point of a driver that does what its case says.
    macro_rules! case {
        ($module:ident, $case:ident, { $($item:tt)* }) => {
            struct $case;

            impl Case for $case { $($item)* }

            mod $module {
                nmr_netdma::kmdf::driver_entry!(super::Driver<super::$case>);
            }
        };
    }

    case!(windows_7, Windows7, {});

    #[test]
    fn a_provider_lives_on_windows_7() {
        one_life::<Windows7>(Os::Win7, windows_7::driver_entry, (2, 1));
    }

    case!(vista, Vista, {});

    #[test]
    fn the_system_lowers_the_version_on_vista() {
        one_life::<Vista>(Os::VistaSp1, vista::driver_entry, (2, 0));
    }

    case!(uncounted, Uncounted, {
        const VERSION: Version = Version::V1_1;
    });

    #[test]
    fn a_provider_may_state_a_lower_version_and_gets_chains_that_end() {
        one_life::<Uncounted>(Os::Win7, uncounted::driver_entry, (1, 1));
    }

    static UNSUPPORTED: Record = Record::new();

    case!(windows_10, Windows10, {
        fn add(
            device: &NewDevice<'_, Device<Self>>,
            irql: &mut Irql<Passive>,
        ) -> Result<Option<Engine<Copier>>> {
            match register(device, Copier::new(irql)?, irql) {
                Ok(_) => panic!("registered"),
                Err(Failed { provider, error }) => UNSUPPORTED.note((provider.mark, error)),
            }
            Ok(None)
        }
    });

    #[test]
    fn success_with_a_null_handle_is_unsupported_and_gives_the_provider_back() {
        let kernel = boot(Os::Win10);
        let loaded = load(&kernel, windows_10::driver_entry);
        assert_eq!(UNSUPPORTED.take(), ["(7, Unsupported)"]);
        unload(kernel, loaded);
    }

    static ATTRIBUTES_REFUSED: Record = Record::new();

    case!(attributes, BadAttributes, {
        fn started(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
            for attributes in [
                Attributes {
                    channels: 0,
                    ..ATTRIBUTES
                },
                Attributes {
                    channels: 2,
                    ..ATTRIBUTES
                },
                Attributes {
                    maximum_transfer_size: 4095,
                    ..ATTRIBUTES
                },
            ] {
                ATTRIBUTES_REFUSED.note(engine.start(&attributes, irql));
            }
            engine.start(&ATTRIBUTES, irql)
        }
    });

    #[test]
    fn attributes_out_of_bounds_are_refused_before_netdma_sees_them() {
        let kernel = boot(Os::Win7);
        let loaded = load(&kernel, attributes::driver_entry);
        assert_eq!(
            ATTRIBUTES_REFUSED.take(),
            ["Err(STATUS_INVALID_PARAMETER)"; 3]
        );
        unload(kernel, loaded);
    }

    static TRANSITIONS: Record = Record::new();

    case!(transitions, Transitions, {
        fn started(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
            TRANSITIONS.note(engine.stop(irql));
            TRANSITIONS.note(engine.power_down(irql));
            engine.start(&ATTRIBUTES, irql)?;
            TRANSITIONS.note(engine.start(&ATTRIBUTES, irql));
            TRANSITIONS.note(engine.power_up(irql));
            engine.power_down(irql)?;
            TRANSITIONS.note(engine.power_down(irql));
            engine.power_up(irql)?;
            engine.stop(irql)?;
            engine.start(&ATTRIBUTES, irql)
        }

        fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
            engine.deregister(irql);
            TRANSITIONS.note(engine.stop(irql));
            TRANSITIONS.note(engine.start(&ATTRIBUTES, irql));
            Ok(())
        }
    });

    #[test]
    fn an_engine_refuses_every_transition_out_of_order() {
        let kernel = boot(Os::Win7);
        let loaded = load(&kernel, transitions::driver_entry);
        assert_eq!(TRANSITIONS.take(), ["Err(STATUS_INVALID_DEVICE_STATE)"; 5]);
        kernel
            .remove_device(loaded.1)
            .expect("the device is removed");
        assert_eq!(TRANSITIONS.take(), ["Err(STATUS_INVALID_DEVICE_STATE)"; 2]);
        kernel
            .unload_driver(loaded.0)
            .expect("the driver is unloaded");
    }

    case!(never_stopped, NeverStopped, {
        fn stopping(_: &Engine<Copier>, _: &mut Irql<Passive>) -> Result<()> {
            Ok(())
        }
    });

    #[test]
    fn dropping_a_started_engine_stops_and_deregisters_it() {
        let kernel = boot(Os::Win7);
        let loaded = load(&kernel, never_stopped::driver_entry);
        assert!(kernel.netdma().providers()[0].started);
        kernel
            .remove_device(loaded.1)
            .expect("the device is removed");
        assert_eq!(kernel.netdma().providers(), []);
        kernel
            .unload_driver(loaded.0)
            .expect("the driver is unloaded");
    }

    static PHASES: Record = Record::new();

    case!(phases, Phases, {
        fn add(
            device: &NewDevice<'_, Device<Self>>,
            irql: &mut Irql<Passive>,
        ) -> Result<Option<Engine<Copier>>> {
            let registered =
                register(device, Copier::new(irql)?, irql).map_err(|failed| failed.error)?;
            let bad = Attributes {
                channels: 0,
                ..ATTRIBUTES
            };
            let Err(NotStarted { registered, error }) = registered.start(&bad, irql) else {
                panic!("started")
            };
            PHASES.note(error);
            let started = registered
                .start(&ATTRIBUTES, irql)
                .map_err(|failed| failed.error)?;
            started.power_down(irql)?;
            started.power_up(irql)?;
            let registered = started.stop(irql);
            PHASES.note(registered.provider().mark);
            registered.deregister(irql);

            // Once more, to be dropped while started.
            let registered =
                register(device, Copier::new(irql)?, irql).map_err(|failed| failed.error)?;
            let started = registered
                .start(&ATTRIBUTES, irql)
                .map_err(|failed| failed.error)?;
            PHASES.note(started.version());
            Ok(None)
        }
    });

    #[test]
    fn phases_as_types_give_the_registration_from_one_to_the_next() {
        let kernel = boot(Os::Win7);
        let loaded = load(&kernel, phases::driver_entry);
        assert_eq!(PHASES.take(), ["STATUS_INVALID_PARAMETER", "7", "2.1"]);
        assert_eq!(kernel.netdma().providers(), []);
        unload(kernel, loaded);
    }

    static LINKS: Record = Record::new();

    case!(links, Links, {
        fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
            let mut note = || {
                irql.at_dispatch(|irql| LINKS.note(engine.provider().link().open(irql).is_some()))
            };
            note();
            engine.stop(irql)?;
            irql.at_dispatch(|irql| LINKS.note(engine.provider().link().open(irql).is_some()));
            Ok(())
        }
    });

    #[test]
    fn stopping_frees_channels_and_a_link_is_open_only_while_its_channel_is_allocated() {
        let kernel = boot(Os::Win7);
        let loaded = load(&kernel, links::driver_entry);
        let provider = kernel.netdma().providers()[0].id;
        let channel = kernel.netdma().open(provider, u64::MAX).expect("a channel");
        kernel
            .remove_device(loaded.1)
            .expect("the device is removed");
        assert_eq!(LINKS.take(), ["true", "false"]);
        drop(channel);
        kernel
            .unload_driver(loaded.0)
            .expect("the driver is unloaded");
    }

    static ASKED: Record = Record::new();

    case!(affinity, Asked, {
        fn add(
            device: &NewDevice<'_, Device<Self>>,
            irql: &mut Irql<Passive>,
        ) -> Result<Option<Engine<Copier>>> {
            let registered =
                register(device, Copier::new(irql)?, irql).map_err(|failed| failed.error)?;
            for affinity in registered.provider().asked() {
                ASKED.note((affinity.channel, affinity.processor));
            }
            Ok(Some(registered.into_engine()))
        }
    });

    #[test]
    fn the_affinity_arrives_inside_the_registration_if_there_are_messages() {
        for (messages, expected) in [(2, &["(0, 3)"][..]), (0, &[])] {
            let kernel = boot(Os::Win7);
            kernel
                .netdma()
                .set_affinity(AffinityPlan::Processors(vec![3]));
            let driver = kernel
                .load_driver("test", affinity::driver_entry)
                .expect("the driver loads");
            let config = DeviceConfig {
                name: "device".into(),
                messages,
                ..DeviceConfig::default()
            };
            let device = kernel
                .add_device(driver, config)
                .expect("the device starts");
            assert_eq!(ASKED.take(), expected);
            unload(kernel, (driver, device));
        }
    }

    case!(no_memory, NoMemory, {});

    #[test]
    fn a_refused_allocation_anywhere_undoes_everything() {
        for n in 1.. {
            let kernel = boot(Os::Win7);
            let driver = kernel
                .load_driver("test", no_memory::driver_entry)
                .expect("the driver loads");
            kernel.fail_allocation(Some(n));
            let config = DeviceConfig {
                name: "device".into(),
                ..DeviceConfig::default()
            };
            let device = kernel.add_device(driver, config);
            let failed = kernel.failed_allocations() > 0;
            kernel.fail_allocation(None);
            if let Ok(device) = device {
                kernel.remove_device(device).expect("the device is removed");
            }
            kernel
                .unload_driver(driver)
                .expect("the driver is unloaded");
            let verdict = kernel.shutdown();
            assert!(verdict.is_clean(), "allocation {n}: {verdict}");
            if !failed {
                assert!(n > 2, "a registration allocates");
                return;
            }
            assert!(
                device.is_err(),
                "allocation {n} was refused, and nobody noticed"
            );
        }
    }
}
