//! The ring of a channel: what was given in which slot, and how far it is.

use alloc::vec::Vec;
use core::ops::Range;

use crate::ndis::memory::{Memory, NEXT, Words};
use crate::ndis::{ChannelStatistics, Descriptor, Progress};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Allocating,
    Open,
    /// Nothing more is submitted; what is outstanding is waited for.
    Freeing,
    /// The provider's callback may have returned: what the channel had may be another's already.
    HandedBack,
    Freed,
}

pub(super) struct Inner {
    pub(super) life: Life,
    /// Whether a thread has its turn to submit or free.
    pub(super) turn: bool,
    /// Threads in an abort or a reset, which need no turn.
    pub(super) stopping: u32,
    /// Whether the engine has a list that more can be appended to.
    pub(super) running: bool,
    /// The completion word that the channel was suspended with.
    pub(super) suspended: Option<u64>,
    /// Descriptors that a start or a change dropped; the one in progress may still be done.
    pub(super) dropped: Range<u64>,
    pub(super) memory: Option<Memory>,
    /// What each slot of the ring was filled with.
    pub(super) given: Vec<Words>,
    /// Descriptors given so far.
    pub(super) head: u64,
    /// Descriptors done so far, or failed.
    pub(super) tail: u64,
    /// The last one that was done.
    pub(super) last_done: Option<u64>,
    /// Of those, the ones that were lost in a halt.
    pub(super) failed: Vec<Range<u64>>,
    pub(super) word: u64,
    pub(super) statistics: ChannelStatistics,
}

impl Inner {
    pub(super) fn capacity(&self) -> usize {
        self.given.len() - 1
    }

    pub(super) fn free_slots(&self) -> usize {
        self.capacity() - (self.head - self.tail) as usize
    }

    /// How far everything up to `ticket` is.
    pub(super) fn progress(&self, ticket: u64) -> Progress {
        let last = ticket.wrapping_sub(1);
        let over = ticket > self.head || matches!(self.life, Life::Allocating | Life::Freed);
        if self.failed.iter().any(|range| range.contains(&last)) {
            Progress::Failed
        } else if ticket <= self.tail {
            Progress::Complete
        } else if over {
            Progress::Failed
        } else {
            Progress::Running
        }
    }

    pub(super) fn slot(&self, descriptor: u64) -> usize {
        (descriptor % self.given.len() as u64) as usize
    }

    pub(super) fn flags(&self, descriptor: u64) -> u32 {
        (self.given[self.slot(descriptor)][0] >> 32) as u32
    }

    /// Counts what is not done as lost.
    pub(super) fn drop_outstanding(&mut self) {
        self.dropped = self.tail.saturating_sub(1)..self.head;
        if self.tail < self.head {
            self.failed.push(self.tail..self.head);
        }
        self.tail = self.head;
    }

    /// Makes the descriptors that were dropped traps, but not the last one done before.
    pub(super) fn poison_dropped(&self) {
        let Some(memory) = &self.memory else { return };
        for descriptor in self.dropped.clone().skip(1) {
            // Its slot may have been given again.
            if self.descriptor_in(self.slot(descriptor)) == Some(descriptor) {
                memory.poison(self.slot(descriptor));
            }
        }
    }

    /// Writes descriptors for `part` behind the last one given. The last one also has `ask`.
    pub(super) fn fill(&mut self, part: &[Descriptor], ask: u32, counts: bool) {
        for (index, descriptor) in part.iter().enumerate() {
            let last = index + 1 == part.len();
            let cookie = self.head + index as u64;
            let slot = self.slot(cookie);
            let Some(memory) = &self.memory else { return };
            let transfer = descriptor.transfer;
            let flags = transfer.flags | if last { ask } else { 0 };
            let next = if last && !counts {
                0
            } else {
                memory.physical(slot + 1)
            };
            let words: Words = [
                u64::from(transfer.length) | u64::from(flags) << 32,
                transfer.source,
                transfer.destination,
                next,
                descriptor.next_source,
                descriptor.next_destination,
                cookie,
                !cookie,
            ];
            memory.write(slot, &words);
            self.given[slot] = words;
        }
    }

    /// Changes links of descriptors that were just filled.
    pub(super) fn relink(&mut self, links: &[(usize, u64)]) {
        for (index, next) in links {
            let slot = self.slot(self.head + *index as u64);
            self.given[slot][NEXT] = *next;
            if let Some(memory) = &self.memory {
                memory.link(slot, *next);
            }
        }
    }

    /// The latest descriptor that was given in `slot`.
    pub(super) fn descriptor_in(&self, slot: usize) -> Option<u64> {
        let last = self.head.checked_sub(1)?;
        let back = (self.slot(last) + self.given.len() - slot) % self.given.len();
        last.checked_sub(back as u64)
    }
}
