//! Chains in memory of any content: the walk ends, reads no word of a descriptor twice in a visit and none that it was not given, and lets through only
//! what an engine can do.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use nmr_netdma::netdma::descriptor::{MAXIMUM_UNCOUNTED, WORDS};
use nmr_netdma::netdma::{
    Chain, Cursor, Lease, PhysicalMemory, Refusal, Rules, Transfer, Version, Work,
};
use nmr_netdma::physical_memory::PhysicalRange;
use nmr_netdma::{Error, Result};
use nmr_netdma_fuzz::Input;
use simkernel as _;

/// Descriptors that there is memory for.
const SLOTS: usize = 32;
const SIZE: u64 = 64;
const BASE: u64 = 0x1_0000;

/// Memory from [`BASE`] on, as words, and which of them this visit has read.
struct Memory<'a> {
    words: &'a [u64],
    read: BTreeSet<u64>,
}

// SAFETY: what is read is what is in the memory, and nobody uses the addresses in it.
unsafe impl PhysicalMemory for Memory<'_> {
    fn read(&mut self, range: PhysicalRange<'_>, words: &mut [u64]) -> Result<()> {
        assert_eq!(range.length() as usize, size_of_val(words));
        for (index, word) in (0..).zip(words) {
            let address = range.address() + 8 * index;
            assert!(address.is_multiple_of(8), "{address:#x}");
            let place = address.checked_sub(BASE).ok_or(Error::NOT_FOUND)? / 8;
            *word = *self.words.get(place as usize).ok_or(Error::NOT_FOUND)?;
            // A link may be read alone, and again if it leads to its own descriptor.
            let alone = range.length() == 8;
            assert!(alone || self.read.insert(address), "{address:#x} twice");
        }
        Ok(())
    }
}

fn check(transfer: &Transfer<'_>, length: u32, rules: &Rules) {
    assert!(transfer.descriptor.is_multiple_of(SIZE));
    let Work::Copy(pieces) = &transfer.work else {
        return;
    };
    let mut sum = 0;
    for piece in pieces.iter() {
        let bytes = piece.source.length();
        assert!(bytes > 0 && bytes == piece.destination.length());
        for range in [piece.source, piece.destination] {
            let last = range.address().checked_add(u64::from(bytes) - 1);
            assert!(last.is_some_and(|last| last <= rules.maximum_address));
        }
        sum += bytes;
    }
    assert_eq!(sum, length);
    assert!(length <= rules.maximum_transfer_size);
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let version = match input.u8() % 4 {
        0 => Version::V1_0,
        1 => Version::V1_1,
        2 => Version::V2_0,
        _ => Version::V2_1,
    };
    let rules = Rules {
        version,
        maximum_transfer_size: input.u32(),
        maximum_address: input.u64(),
    };
    let slots = usize::from(input.u8()) % SLOTS + 1;
    let words: Vec<u64> = (0..slots * SIZE as usize / 8)
        .map(|_| input.u64())
        .collect();
    let mut memory = Memory {
        words: &words,
        read: BTreeSet::new(),
    };
    let chain_at = |slot: u8, count: u32| {
        let slot = usize::from(slot) % slots;
        let mut first = [0; WORDS];
        first.copy_from_slice(&words[8 * slot..][..WORDS]);
        // SAFETY: nobody uses the memory that the descriptors name.
        unsafe { Chain::new(BASE + SIZE * slot as u64, &first, count, rules) }
    };

    // SAFETY: nobody uses the memory that the descriptors name.
    let lease = unsafe { Lease::unbound() };
    let mut cursor = Cursor::new();
    // What may still be taken, by the rule of the version.
    let mut allowed = 0_u64;
    while !input.is_empty() {
        match input.u8() % 8 {
            0 => {
                let count = input.u32();
                if let Ok(chain) = chain_at(input.u8(), count) {
                    assert_ne!(count, 0);
                    cursor.start(&chain);
                    allowed = budget(version, count);
                }
            }
            1 => {
                let count = input.u32();
                if let Ok(chain) = chain_at(input.u8(), count) {
                    match cursor.append(&chain) {
                        Ok(()) if version >= Version::V2_0 => allowed += u64::from(count),
                        Ok(()) => allowed = budget(version, count),
                        Err(refusal) => assert!(matches!(
                            refusal,
                            Refusal::NotStarted | Refusal::TooMany | Refusal::NotLinked
                        )),
                    }
                }
            }
            2 => cursor.reread_link(),
            3 => {
                cursor.clear();
                assert!(!cursor.has_more());
            }
            _ => {
                memory.read.clear();
                match cursor.next(lease, &mut memory) {
                    Ok(Some(transfer)) => {
                        let slot = ((transfer.descriptor - BASE) / SIZE) as usize;
                        check(&transfer, words[8 * slot] as u32, &rules);
                        allowed = allowed.checked_sub(1).expect("more than was handed over");
                    }
                    Ok(None) => {}
                    Err(_) => {
                        assert!(!cursor.has_more());
                        allowed = 0;
                    }
                }
            }
        }
    }
});

fn budget(version: Version, count: u32) -> u64 {
    if version >= Version::V2_0 {
        count.into()
    } else {
        MAXIMUM_UNCOUNTED.into()
    }
}
