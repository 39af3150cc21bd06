//! Resource lists as bytes: what the policy's 32 bits are on which system, which descriptor is edited, and lists from hostile hands.

use nmr_netdma::Error;
use nmr_netdma::resources::{
    AffinityReport, CmResourceBytes, InterruptNumber, ProcessorGroups, ProcessorSet,
    RequirementsBytes, set_message_affinity,
};
use proptest::prelude::*;
use simkernel as _;

const INTERRUPT: u8 = 2;
const MEMORY: u8 = 3;
const ALTERNATIVE: u8 = 8;
const MESSAGE: u16 = 2;
const POLICY_INCLUDED: u16 = 4;
const TOKEN: u32 = 0xFFFF_FFFE;

type Descriptor = [u8; 32];

fn descriptor(option: u8, kind: u8, flags: u16, vectors: (u32, u32), policy: u32) -> Descriptor {
    let mut bytes = [0; 32];
    bytes[0] = option;
    bytes[1] = kind;
    bytes[4..6].copy_from_slice(&flags.to_le_bytes());
    bytes[8..12].copy_from_slice(&vectors.0.to_le_bytes());
    bytes[12..16].copy_from_slice(&vectors.1.to_le_bytes());
    bytes[16..20].copy_from_slice(&policy.to_le_bytes());
    bytes
}

fn message() -> Descriptor {
    descriptor(0, INTERRUPT, 1 | MESSAGE, (TOKEN, TOKEN), 0)
}

fn line(option: u8) -> Descriptor {
    descriptor(option, INTERRUPT, 0, (0, u32::MAX), 0)
}

fn list(alternatives: &[Vec<Descriptor>]) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    bytes[28..32].copy_from_slice(&(alternatives.len() as u32).to_le_bytes());
    for alternative in alternatives {
        bytes.extend([1, 0, 1, 0]);
        bytes.extend((alternative.len() as u32).to_le_bytes());
        bytes.extend(alternative.concat());
    }
    let size = bytes.len() as u32;
    bytes[..4].copy_from_slice(&size.to_le_bytes());
    bytes
}

fn word(bytes: &[u8], alternative_start: usize, index: usize, offset: usize) -> u32 {
    let at = alternative_start + 8 + index * 32 + offset;
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn edit(
    bytes: &mut [u8],
    groups: ProcessorGroups,
    processors: impl FnMut(InterruptNumber) -> Option<ProcessorSet>,
) -> AffinityReport {
    set_message_affinity(
        &mut RequirementsBytes::new(bytes).unwrap(),
        groups,
        processors,
    )
}

#[test]
fn the_upper_half_of_the_policy_stays_zero_without_groups_and_is_the_group_with_them() {
    for (groups, group, expected) in [
        (ProcessorGroups::Absent, 0, Some(0x0000_0004)),
        (ProcessorGroups::Present, 0, Some(0x0000_0004)),
        (ProcessorGroups::Present, 3, Some(0x0003_0004)),
        (ProcessorGroups::Absent, 3, None),
    ] {
        let mut bytes = list(&[vec![message()]]);
        let before = bytes.clone();
        let report = edit(&mut bytes, groups, |_| {
            Some(ProcessorSet {
                group,
                mask: 1 << 40,
            })
        });
        let Some(expected) = expected else {
            assert_eq!((report.written, report.refused), (0, 1));
            assert_eq!(bytes, before, "a refused group changes nothing");
            continue;
        };
        assert_eq!((report.written, report.refused), (1, 0));
        assert_eq!(word(&bytes, 32, 0, 16), expected);
        assert_eq!(
            (word(&bytes, 32, 0, 24), word(&bytes, 32, 0, 28)),
            (0, 0x100)
        );
    }
}

#[test]
fn reading_takes_the_upper_half_for_a_group_only_where_there_are_groups() {
    let flags = 1 | MESSAGE | POLICY_INCLUDED;
    let bytes = list(&[vec![descriptor(
        0,
        INTERRUPT,
        flags,
        (TOKEN, TOKEN),
        0x0002_0004,
    )]]);
    for (groups, group) in [(ProcessorGroups::Present, 2), (ProcessorGroups::Absent, 0)] {
        let mut copy = bytes.clone();
        let requirements = RequirementsBytes::new(&mut copy).unwrap();
        let (_, interrupt) = requirements.interrupts(groups).next().unwrap();
        assert_eq!((interrupt.policy, interrupt.processors.group), (4, group));
    }
}

#[test]
fn numbers_are_those_of_the_framework_in_every_alternative() {
    let kept = descriptor(
        0,
        INTERRUPT,
        1 | MESSAGE | POLICY_INCLUDED,
        (TOKEN, TOKEN),
        1,
    );
    let again = descriptor(ALTERNATIVE, INTERRUPT, 1 | MESSAGE, (TOKEN, TOKEN), 0);
    let memory = descriptor(0, MEMORY, MESSAGE, (1, 2), 3);
    let first = vec![memory, message(), again, kept, message(), line(ALTERNATIVE)];
    let second = vec![line(0), line(0)];
    let mut bytes = list(&[first, vec![], second]);
    let before = bytes.clone();
    let mut asked = Vec::new();
    let report = edit(&mut bytes, ProcessorGroups::Present, |interrupt| {
        asked.push((interrupt.number, interrupt.messages));
        ProcessorSet::single(interrupt.number)
    });
    assert_eq!(asked, [(0, 3), (0, 3), (2, 3), (0, 0), (0, 0), (1, 0)]);
    assert_eq!(
        report,
        AffinityReport {
            alternatives: 3,
            messages: 4,
            lines: 3,
            written: 6,
            kept: 1,
            refused: 0,
        }
    );
    assert_eq!(
        bytes[32..72],
        before[32..72],
        "memory is nobody's interrupt"
    );
    let kept = 32 + 8 + 3 * 32..32 + 8 + 4 * 32;
    assert_eq!(bytes[kept.clone()], before[kept]);
}

#[test]
fn a_list_that_is_not_sound_is_refused_and_what_is_behind_it_does_not_count() {
    let sound = list(&[vec![message()], vec![line(0)]]);
    let accepted = |bytes: &[u8]| RequirementsBytes::new(&mut bytes.to_vec()).map(|_| ());
    assert_eq!(accepted(&sound), Ok(()));
    for length in 0..sound.len() {
        assert_eq!(accepted(&sound[..length]), Err(Error::INVALID_PARAMETER));
        let mut short = sound.clone();
        short[..4].copy_from_slice(&(length as u32).to_le_bytes());
        assert_eq!(
            accepted(&short),
            Err(Error::INVALID_PARAMETER),
            "ListSize {length}"
        );
    }
    for (offset, value) in [(0, u32::MAX), (28, u32::MAX), (36, u32::MAX), (36, 3)] {
        let mut bad = sound.clone();
        bad[offset..offset + 4].copy_from_slice(&u32::to_le_bytes(value));
        assert_eq!(
            accepted(&bad),
            Err(Error::INVALID_PARAMETER),
            "{value} at {offset}"
        );
    }
    let mut longer = sound.clone();
    longer.extend([0xA5; 64]);
    edit(&mut longer, ProcessorGroups::Present, |interrupt| {
        ProcessorSet::single(interrupt.number)
    });
    assert_eq!(longer[sound.len()..], [0xA5; 64]);
}

#[test]
fn assigned_resources_are_read_with_and_without_groups() {
    let mut bytes = vec![1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 3, 0, 0, 0];
    // Data of the driver's own: two bytes of them behind their descriptor.
    bytes.extend([5, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0xEE, 0xEE]);
    // A message: level 9 (raw: group 9), group 1 (raw: one message), vector 0x91, processors 2^33.
    bytes.extend([INTERRUPT, 1, 3, 0, 9, 0, 1, 0, 0x91, 0, 0, 0]);
    bytes.extend((1_u64 << 33).to_le_bytes());
    bytes.extend([MEMORY; 20]);
    let read = CmResourceBytes::new(&bytes).unwrap();
    let kinds: Vec<_> = read.iter().map(|one| one.kind()).collect();
    assert_eq!(kinds, [5, INTERRUPT, MEMORY]);
    let message = read.iter().nth(1).unwrap();
    for (groups, group, raw_group) in [
        (ProcessorGroups::Present, 1, 9),
        (ProcessorGroups::Absent, 0, 0),
    ] {
        let translated = message.translated_interrupt(groups).unwrap();
        assert!(translated.message);
        assert_eq!((translated.level, translated.vector), (9, 0x91));
        assert_eq!(
            translated.processors,
            ProcessorSet {
                group,
                mask: 1 << 33
            }
        );
        let raw = message.raw_message(groups).unwrap();
        assert_eq!((raw.message_count, raw.processors.group), (1, raw_group));
    }
    for length in 0..bytes.len() {
        assert!(
            CmResourceBytes::new(&bytes[..length]).is_err(),
            "{length} bytes"
        );
    }
}

/// Bytes whose sizes and counts are plausible often enough.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let any_descriptor = (any::<[u8; 32]>(), 0_u8..4, any::<bool>()).prop_map(|(mut d, k, o)| {
        d[1] = k;
        d[0] = if o { ALTERNATIVE } else { d[0] };
        d
    });
    let lists = prop::collection::vec(prop::collection::vec(any_descriptor, 0..6), 0..4);
    let damage = prop::option::of((0..48_usize, any::<u8>()));
    let sound = (lists, damage, prop::collection::vec(any::<u8>(), 0..40)).prop_map(
        |(lists, damage, tail)| {
            let mut bytes = list(&lists);
            bytes.extend(tail);
            if let Some((at, value)) = damage {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            bytes
        },
    );
    prop_oneof![3 => sound, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn nothing_but_the_policy_of_interrupts_without_one_ever_changes(
        mut bytes in hostile(),
        groups in prop_oneof![Just(ProcessorGroups::Absent), Just(ProcessorGroups::Present)],
        group in 0_u16..3,
        mask in any::<u64>(),
    ) {
        let before = bytes.clone();
        let Ok(mut requirements) = RequirementsBytes::new(&mut bytes) else {
            prop_assert_eq!(bytes, before);
            return Ok(());
        };
        let report = set_message_affinity(&mut requirements, groups, |_| Some(ProcessorSet { group, mask }));
        let word = |at: usize| u32::from_le_bytes(before[at..at + 4].try_into().unwrap());
        // What may have changed, found by an own walk.
        let mut expected = before.clone();
        let (mut at, mut written) = (32, 0);
        for _ in 0..word(28) {
            let count = word(at + 4) as usize;
            at += 8;
            for _ in 0..count {
                let flags = before[at + 4];
                let free = before[at + 1] == INTERRUPT && flags & POLICY_INCLUDED as u8 == 0;
                let possible = group == 0 || groups == ProcessorGroups::Present;
                if free && possible && mask != 0 {
                    expected[at + 4] |= POLICY_INCLUDED as u8;
                    expected[at + 16..at + 18].copy_from_slice(&4_u16.to_le_bytes());
                    expected[at + 18..at + 20].copy_from_slice(&group.to_le_bytes());
                    expected[at + 24..at + 32].copy_from_slice(&mask.to_le_bytes());
                    written += 1;
                }
                at += 32;
            }
        }
        prop_assert_eq!(report.written, written);
        prop_assert_eq!(report.alternatives, word(28));
        prop_assert_eq!(bytes, expected);
    }

    #[test]
    fn assigned_resources_are_never_read_beyond_the_memory(
        bytes in prop::collection::vec(prop_oneof![2 => 0_u8..6, 1 => any::<u8>()], 0..200),
    ) {
        if let Ok(list) = CmResourceBytes::new(&bytes) {
            let count = list.iter().count();
            prop_assert!(4 + 20 * count <= bytes.len());
        }
    }
}
