//! What the buffers are filled with, such that a word says where it belongs.
//!
//! # Design
//!
//! Linux's test numbers bytes modulo 32, so a swapped page goes unnoticed there. Here each aligned word of 64 bits is a hash of its
//! buffer, its thread, its iteration and its place. The hash is a bijection: no two places hold the same word, and from a word that
//! is in the wrong place follows where it comes from. The test's three flag bits are not needed then: what they tell apart
//! follows from the expected bytes.

use std::fmt;

const WORD: usize = size_of::<u64>();

/// A bijection in which every bit of the result depends on every bit of `value`: the finaliser of SplitMix64.
pub(super) fn mix(mut value: u64) -> u64 {
    value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

/// What [`mix`] made `value` of.
fn unmix(mut value: u64) -> u64 {
    value = (value ^ value >> 31 ^ value >> 62).wrapping_mul(0x3196_42B2_D24D_8EC3);
    value = (value ^ value >> 27 ^ value >> 54).wrapping_mul(0x96DE_1B17_3F11_9089);
    value ^ value >> 30 ^ value >> 60
}

/// Random numbers, the same for the same seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed ^ mix(stream.wrapping_add(1))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// One below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Which of a thread's two buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

/// Where a word belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) side: Side,
    /// Of all channels, counted through; below 2^15.
    pub(super) thread: u16,
    pub(super) iteration: u32,
    /// In words.
    pub(super) index: u16,
}

impl Place {
    fn key(self) -> u64 {
        let side = u64::from(self.side == Side::Destination) << 63;
        side | u64::from(self.thread) << 48
            | u64::from(self.iteration) << 16
            | u64::from(self.index)
    }

    fn of_key(key: u64) -> Self {
        Self {
            side: if key >> 63 == 0 {
                Side::Source
            } else {
                Side::Destination
            },
            thread: (key >> 48) as u16 & 0x7FFF,
            iteration: (key >> 16) as u32,
            index: key as u16,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Source => "source",
            Side::Destination => "destination",
        };
        let offset = usize::from(self.index) * WORD;
        write!(
            formatter,
            "{side} {offset:#x} of iteration {}",
            self.iteration
        )
    }
}

/// The patterns of one seed.
#[derive(Clone, Copy)]
pub(super) struct Pattern(u64);

impl Pattern {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Fills `bytes`, a number of whole words, whose first one belongs to `place`.
    pub(super) fn fill(self, bytes: &mut [u8], place: Place) {
        let (words, _) = bytes.as_chunks_mut::<WORD>();
        for (index, word) in (0..).zip(words) {
            *word = mix(Place { index, ..place }.key() ^ self.0).to_le_bytes();
        }
    }

    /// Where the byte at `offset` comes from, if it is in a word of `thread` from an iteration up to `iteration`.
    pub(super) fn origin(
        self,
        bytes: &[u8],
        offset: usize,
        thread: u16,
        iteration: u32,
    ) -> Option<Place> {
        let words = bytes.len() / WORD;
        // The word need not be aligned any more.
        (0..WORD).find_map(|back| {
            let word = bytes
                .get(offset.checked_sub(back)?..)?
                .first_chunk::<WORD>()?;
            let place = Place::of_key(unmix(u64::from_le_bytes(*word)) ^ self.0);
            let likely = place.thread == thread
                && place.iteration <= iteration
                && usize::from(place.index) < words;
            likely.then_some(place)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_can_be_undone() {
        let mut random = Random::new(1, 0);
        for value in (0..10_000).map(|_| random.next()).chain([0, 1, u64::MAX]) {
            assert_eq!(unmix(mix(value)), value);
        }
    }

    #[test]
    fn a_displaced_word_says_where_it_belongs() {
        let place = Place {
            side: Side::Source,
            thread: 3,
            iteration: 9,
            index: 0,
        };
        let pattern = Pattern::new(7);
        let mut bytes = [0; 64];
        pattern.fill(&mut bytes, place);
        bytes.copy_within(16..24, 35);
        for offset in 35..43 {
            let origin = pattern.origin(&bytes, offset, 3, 9);
            assert_eq!(origin, Some(Place { index: 2, ..place }));
        }
        // Neither another thread's nor one from the future.
        assert_eq!(pattern.origin(&bytes, 35, 2, 9), None);
        assert_eq!(pattern.origin(&bytes, 35, 3, 8), None);
        assert_eq!(Pattern::new(8).origin(&bytes, 35, 3, 9), None);
    }
}
