//! What a channel shares with its engine: a ring of descriptors and the completion word, in simulated physical memory.
//!
//! # Design
//!
//! The engine reads descriptors while the interface fills others and, before version 2.0, links the last one on. All words
//! are therefore written as atomics, though a correct engine never reads one that is being filled.
//!
//! A descriptor that the engine was not given holds a poison which no engine can execute: reserved control bits, and
//! addresses where no memory is. So one that runs too far, or again, faults instead of copying silently.
//!
//! # Safety
//!
//! The unsafe code of this file refers to words of two [`Region`]s which their [`Memory`] owns, at offsets that are
//! checked against their lengths. Regions are aligned to a page.
#![expect(unsafe_code, reason = "reads and writes simulated physical memory")]

use alloc::sync::Arc;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use nmr_netdma::sys;

use super::CompletionPlace;
use crate::kernel::Machine;
use crate::mm::{self, Region};

/// Words of a descriptor, by their offsets in `NET_DMA_DESCRIPTOR`.
pub(super) const WORDS: usize = size_of::<sys::NET_DMA_DESCRIPTOR>() / 8;
pub(super) const NEXT: usize = 3;
/// Bytes of the region that the completion word is in.
const COMPLETION: usize = 2 * 4096;
const POISON: u64 = 0xBADD_E5C8_BADD_E5C0;
const FREED: u64 = 0xDEAD_C0DE_DEAD_C0DE;

/// One descriptor, as its words.
pub(super) type Words = [u64; WORDS];

/// A ring and a completion word.
pub(super) struct Memory {
    ring: Region,
    completion: Region,
    place: CompletionPlace,
    slots: usize,
}

// SAFETY: the regions' addresses are used as shared atomics only, which any thread may do, and the memory stays where it is
// until the owner drops it.
unsafe impl Send for Memory {}
// SAFETY: as for `Send`; no method writes other than through atomics.
unsafe impl Sync for Memory {}

impl Memory {
    /// Poisoned descriptors and a completion word that says "armed". `slots` is a power of two.
    pub(super) fn new(machine: &Arc<Machine>, slots: usize, place: CompletionPlace) -> Self {
        let ring = mm::allocate_physical(machine, slots * size_of::<sys::NET_DMA_DESCRIPTOR>());
        let completion = mm::allocate_physical(machine, COMPLETION);
        let memory = Self {
            ring,
            completion,
            place,
            slots,
        };
        for slot in 0..slots {
            memory.poison(slot);
        }
        memory.arm();
        memory
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    fn ring_word(&self, slot: usize, word: usize) -> &AtomicU64 {
        let index = (slot & (self.slots - 1)) * WORDS + word % WORDS;
        let base = self.ring.virtual_address.cast::<u64>();
        // SAFETY: the masked slot and the word are inside the ring, which is `slots * WORDS` words long.
        let pointer = unsafe { base.add(index) };
        // SAFETY: the word is inside the region, aligned since regions are aligned to pages, and lives as long as `self`.
        // The machine accesses it through this function only; the engine's own plain accesses are those of hardware.
        unsafe { AtomicU64::from_ptr(pointer) }
    }

    /// Whether the provider was told of a completion word that it can write.
    pub(super) fn has_completion(&self) -> bool {
        match self.place {
            CompletionPlace::Given => true,
            CompletionPlace::At(offset) => offset.is_multiple_of(8) && offset < COMPLETION,
            CompletionPlace::Absent
            | CompletionPlace::VirtualOnly
            | CompletionPlace::PhysicalOnly => false,
        }
    }

    /// Where in the region the provider is told that the word is.
    fn offset(&self) -> usize {
        match self.place {
            CompletionPlace::At(offset) => offset.min(COMPLETION - 8),
            _ => 0,
        }
    }

    fn completion_word(&self) -> &AtomicU64 {
        let offset = if self.has_completion() {
            self.offset()
        } else {
            0
        };
        let word = self.completion.virtual_address.wrapping_add(offset);
        // SAFETY: the offset is a multiple of a word and a word of the region lies behind it; the region is aligned to a page,
        // and lives as long as `self`.
        unsafe { AtomicU64::from_ptr(word.cast()) }
    }

    /// The completion word. What was stored before it with release is visible afterwards.
    pub(super) fn completion(&self) -> u64 {
        self.completion_word().load(Ordering::Acquire)
    }

    /// Sets the completion word to "nothing done yet". The engine must be idle.
    pub(super) fn arm(&self) {
        self.completion_word()
            .store(sys::NetDmaTransferStatusArmed as u64, Ordering::Release);
    }

    /// What the provider is told, virtual and physical.
    pub(super) fn completion_addresses(&self) -> (sys::PVOID, u64) {
        let start = self.completion.virtual_address;
        let given = (
            start.wrapping_add(self.offset()).cast(),
            self.completion.physical + self.offset() as u64,
        );
        match self.place {
            CompletionPlace::Given | CompletionPlace::At(_) => given,
            CompletionPlace::Absent => (ptr::null_mut(), 0),
            CompletionPlace::VirtualOnly => (given.0, 0),
            CompletionPlace::PhysicalOnly => (ptr::null_mut(), given.1),
        }
    }

    pub(super) fn write(&self, slot: usize, words: &Words) {
        for (word, value) in words.iter().enumerate() {
            self.ring_word(slot, word).store(*value, Ordering::Release);
        }
    }

    pub(super) fn read(&self, slot: usize) -> Words {
        core::array::from_fn(|word| self.ring_word(slot, word).load(Ordering::Acquire))
    }

    pub(super) fn poison(&self, slot: usize) {
        self.write(slot, &[POISON; WORDS]);
    }

    /// Makes `next` follow the descriptor.
    pub(super) fn link(&self, slot: usize, next: u64) {
        self.ring_word(slot, NEXT).store(next, Ordering::Release);
    }

    pub(super) fn physical(&self, slot: usize) -> u64 {
        self.ring.physical
            + ((slot & (self.slots - 1)) * size_of::<sys::NET_DMA_DESCRIPTOR>()) as u64
    }

    pub(super) fn virtual_address(&self, slot: usize) -> sys::PNET_DMA_DESCRIPTOR {
        // Derived from the region and not from one word, since the engine uses the whole descriptor.
        self.ring
            .virtual_address
            .cast::<sys::NET_DMA_DESCRIPTOR>()
            .wrapping_add(slot & (self.slots - 1))
    }

    /// The slot whose descriptor lies at `physical`.
    pub(super) fn slot_at(&self, physical: u64) -> Option<usize> {
        let offset = usize::try_from(physical.checked_sub(self.ring.physical)?).ok()?;
        let size = size_of::<sys::NET_DMA_DESCRIPTOR>();
        (offset % size == 0 && offset / size < self.slots).then_some(offset / size)
    }

    /// Makes everything a trap for an engine that goes on after its channel was freed.
    pub(super) fn condemn(&self) {
        for slot in 0..self.slots {
            self.poison(slot);
        }
        self.completion_word().store(FREED, Ordering::Release);
    }

    /// Whether nothing was written since [`condemn`](Self::condemn).
    pub(super) fn untouched(&self) -> bool {
        self.completion() == FREED && (0..self.slots).all(|slot| self.read(slot) == [POISON; WORDS])
    }
}
