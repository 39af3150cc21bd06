//! Maps and sets whose keys are a word or two: addresses, indices, identifiers. Nobody chooses them to collide.

use core::hash::{BuildHasherDefault, Hasher};

/// A map by words.
pub(crate) type WordMap<K, V> = hashbrown::HashMap<K, V, BuildHasherDefault<WordHasher>>;
/// A set of words.
pub(crate) type WordSet<K> = hashbrown::HashSet<K, BuildHasherDefault<WordHasher>>;

/// Mixes words, by multiplication.
#[derive(Default)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(32) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 29;
    }
}
