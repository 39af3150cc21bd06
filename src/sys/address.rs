//! `PHYSICAL_ADDRESS` and the number in it.
//!
//! # Safety
//!
//! `PHYSICAL_ADDRESS` is a union whose members overlap in full and are integers: each of its 64 bits is
//! part of every view, so reading any of them is sound for whatever was written.

#![expect(unsafe_code, reason = "reads a union")]

use super::PHYSICAL_ADDRESS;

/// The physical address with these 64 bits.
#[must_use]
pub const fn physical_address(bits: u64) -> PHYSICAL_ADDRESS {
    PHYSICAL_ADDRESS {
        QuadPart: bits.cast_signed(),
    }
}

/// The 64 bits of a physical address.
#[must_use]
pub const fn physical_address_bits(address: PHYSICAL_ADDRESS) -> u64 {
    // SAFETY: `QuadPart` spans the whole union and every bit pattern is an `i64`.
    unsafe { address.QuadPart }.cast_unsigned()
}
