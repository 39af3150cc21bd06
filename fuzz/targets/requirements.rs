//! An `IO_RESOURCE_REQUIREMENTS_LIST` of any bytes: nothing is read beyond its size, nothing but interrupts is changed, and what was
//! asked for is there afterwards.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nmr_netdma::resources::{
    InterruptNumber, ProcessorGroups, ProcessorSet, RequirementsBytes, set_message_affinity,
};
use nmr_netdma_fuzz::Input;
use simkernel as _;

/// Bytes of the list's header, of an alternative's, and of a descriptor.
const HEADER: usize = 32;
const LIST: usize = 8;
const DESCRIPTOR: usize = 32;
const INTERRUPT: u8 = 2;

/// Which bytes of a valid list belong to descriptors of interrupts, by a walk of its own.
fn changeable(bytes: &[u8]) -> Vec<bool> {
    let word = |offset: usize| {
        u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("four bytes")) as usize
    };
    let mut changeable = vec![false; bytes.len()];
    let mut offset = HEADER;
    for _ in 0..word(28) {
        let count = word(offset + 4);
        offset += LIST;
        for _ in 0..count {
            if bytes[offset + 1] == INTERRUPT {
                // Flags, and from the policy on.
                changeable[offset + 4..offset + 6].fill(true);
                changeable[offset + 16..offset + DESCRIPTOR].fill(true);
            }
            offset += DESCRIPTOR;
        }
    }
    changeable
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let groups = match input.u8() % 2 {
        0 => ProcessorGroups::Absent,
        _ => ProcessorGroups::Present,
    };
    let wanted = ProcessorSet {
        group: input.u8().into(),
        mask: input.u64(),
    };
    let every = u32::from(input.u8() % 4) + 1;
    // Of exactly this length, so that a sanitizer sees a byte too many.
    let before: Box<[u8]> = input.rest().into();
    let mut bytes = before.clone();
    let Ok(mut list) = RequirementsBytes::new(&mut bytes) else {
        assert_eq!(bytes, before);
        return;
    };
    let found: Vec<_> = list.interrupts(groups).collect();
    let alternatives = list.alternatives();
    assert!(
        found
            .iter()
            .all(|(alternative, _)| *alternative < alternatives)
    );

    let choose = |number: InterruptNumber| number.number.is_multiple_of(every).then_some(wanted);
    let first = set_message_affinity(&mut list, groups, choose);
    assert_eq!(list.interrupts(groups).count(), found.len());
    let once = bytes.clone();
    let size = u32::from_le_bytes(before[..4].try_into().expect("a list has a size")) as usize;
    let changeable = changeable(&before[..size]);
    for (offset, (byte, old)) in bytes.iter().zip(&before).enumerate() {
        let may = changeable.get(offset).copied().unwrap_or(false);
        assert!(may || byte == old, "byte {offset} was changed");
    }
    if first.written == 0 {
        assert_eq!(bytes, before);
    }

    // What has been written stays.
    let mut list = RequirementsBytes::new(&mut bytes).expect("a list that was in order still is");
    set_message_affinity(&mut list, groups, choose);
    assert_eq!(bytes, once);
});
