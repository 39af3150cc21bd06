//! What is copied: other bytes in each copy, so that neither a copy of a neighbour nor an old one passes for the right one.

use copy_offload::Operation;

/// What the destination holds before the copy, and behind it afterwards.
const BLANK: u8 = 0xA5;

/// Makes `operation` copy number `number`, of at most `longest` bytes.
pub(crate) fn prepare(operation: &mut Operation, number: u32, longest: u32) {
    // At least 1, and for 64 copies in a row never the same twice if `longest` is in the thousands.
    operation.length = 1 + number.wrapping_mul(0x9E37_79B9) % longest;
    operation.tag = u64::from(number);
    let bytes = operation.source.iter_mut().take(operation.length as usize);
    for (byte, expected) in bytes.zip(expected(operation.tag)) {
        *byte = expected;
    }
    operation.destination.fill(BLANK);
}

/// Whether the destination holds what the source was given, and nothing else was touched.
pub(crate) fn arrived(operation: &Operation) -> bool {
    let Some((copied, rest)) = operation
        .destination
        .split_at_checked(operation.length as usize)
    else {
        return false;
    };
    copied
        .iter()
        .copied()
        .zip(expected(operation.tag))
        .all(|(byte, expected)| byte == expected)
        && rest.iter().all(|byte| *byte == BLANK)
}

/// The endless bytes of copy `number`.
fn expected(number: u64) -> impl Iterator<Item = u8> {
    // Knuth's generator of 64 bits: other numbers start it elsewhere.
    let mut state = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    core::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // The highest bits are the best ones.
        state.to_be_bytes()[0]
    })
}
