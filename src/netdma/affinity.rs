//! [`Plan`]: which channel interrupts through which message on which processor.
//!
//! NetDMA names a processor for every channel that the driver says it may have, while the provider registers. The driver
//! turns that into the affinity of its interrupt messages before the system assigns resources, and meets the
//! result when the device starts, perhaps with fewer messages than it wished for.
//!
//! | messages | channel `k` uses | message `m` is for the processor that |
//! |---|---|---|
//! | as many as channels, or more | message `k` | channel `m` asked for |
//! | fewer, `n` | message `k mod n` | the first of its channels that asked |
//! | one | message 0 | the first channel that asked |
//! | none: a line | the line, as message 0 | the first channel that asked |
//!
//! # Design
//!
//! Nothing is allocated: a plan has room for [`MAXIMUM_CHANNELS`]. Sharing by remainder is even to within one
//! channel and does not depend on what was asked, so it is the same before and after a partial grant.

use crate::resources::ProcessorSet;
use crate::sys;

pub use crate::resources::ActiveProcessors;

/// The most channels that a plan has room for.
pub const MAXIMUM_CHANNELS: u32 = 64;

/// The processor on which a channel is to interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "NET_DMA_CHANNEL_CPU_AFFINITY")]
pub struct Affinity {
    /// The channel, counted from 0.
    pub channel: u32,
    /// The processor, as the system counts them through all its groups.
    pub processor: u32,
}

/// What NetDMA asks of the interrupts of all channels. Not checked: it may name channels or processors that do not exist.
#[derive(Clone, Copy)]
pub struct Affinities<'a>(&'a [sys::NET_DMA_CHANNEL_CPU_AFFINITY]);

impl<'a> Affinities<'a> {
    /// The wishes in `entries`.
    pub const fn new(entries: &'a [sys::NET_DMA_CHANNEL_CPU_AFFINITY]) -> Self {
        Self(entries)
    }

    /// One wish after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Affinity> + use<'a> {
        self.0.iter().map(|entry| Affinity {
            channel: entry.DmaChannel,
            processor: entry.CpuNumber,
        })
    }
}

impl core::fmt::Debug for Affinities<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// The processor that each channel is to interrupt on.
///
/// ```
/// use nmr_netdma::netdma::affinity::{ActiveProcessors, Affinities, Plan};
/// use nmr_netdma::sys::NET_DMA_CHANNEL_CPU_AFFINITY as Entry;
/// # use simkernel as _;
///
/// let asked = [3, 2, 1, 9].into_iter().enumerate();
/// let entries: Vec<_> = asked.map(|(k, cpu)| Entry { DmaChannel: k as u32, CpuNumber: cpu }).collect();
/// let plan = Plan::new(4, Affinities::new(&entries), ActiveProcessors::from_mask(0xF));
/// assert_eq!(plan.asked(0), Some(3));
/// assert_eq!((plan.asked(3), plan.ignored()), (None, 1)); // there is no processor 9
///
/// let two = plan.assign(2);
/// assert_eq!(two.message(2), Some(0)); // shared with channel 0
/// assert_eq!(two.processor(0), Some(3));
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    channels: u32,
    asked: [Option<u32>; MAXIMUM_CHANNELS as usize],
    processors: ActiveProcessors,
    ignored: u32,
}

impl Plan {
    /// A plan for `channels` channels for which nothing was asked. More than [`MAXIMUM_CHANNELS`] are treated as that many.
    pub const fn unasked(channels: u32) -> Self {
        let channels = if channels < MAXIMUM_CHANNELS {
            channels
        } else {
            MAXIMUM_CHANNELS
        };
        Self {
            channels,
            asked: [None; MAXIMUM_CHANNELS as usize],
            processors: ActiveProcessors::from_mask(0),
            ignored: 0,
        }
    }

    /// The plan that follows what NetDMA asked, as far as the channels and the processors exist. Of two wishes for one
    /// channel the last counts.
    pub fn new(channels: u32, affinities: Affinities<'_>, processors: ActiveProcessors) -> Self {
        let mut plan = Self {
            processors,
            ..Self::unasked(channels)
        };
        for Affinity { channel, processor } in affinities.iter() {
            let slot = plan
                .asked
                .get_mut(channel as usize)
                .filter(|_| channel < plan.channels);
            match slot {
                Some(slot) if processors.contains(processor) => *slot = Some(processor),
                _ => plan.ignored = plan.ignored.saturating_add(1),
            }
        }
        plan
    }

    /// How many channels it is for.
    pub fn channels(&self) -> u32 {
        self.channels
    }

    /// The processor that NetDMA asked for, if it did and the processor exists.
    pub fn asked(&self, channel: u32) -> Option<u32> {
        self.asked.get(channel as usize).copied().flatten()
    }

    /// The same processor, in its group.
    pub fn target(&self, channel: u32) -> Option<ProcessorSet> {
        self.processors.set(self.asked(channel)?)
    }

    /// How many wishes named a channel or a processor that does not exist.
    pub fn ignored(&self) -> u32 {
        self.ignored
    }

    /// How the channels use `messages` messages; 0 means a line interrupt.
    pub fn assign(&self, messages: u32) -> Assignment<'_> {
        Assignment {
            plan: self,
            messages,
        }
    }
}

/// A [`Plan`] carried out with a number of messages.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    plan: &'a Plan,
    messages: u32,
}

impl<'a> Assignment<'a> {
    /// The message that `channel` uses; `None` if there is only a line.
    pub fn message(&self, channel: u32) -> Option<u32> {
        channel.checked_rem(self.messages)
    }

    /// The channels that use `message`, the lowest first. The line counts as message 0.
    pub fn channels(&self, message: u32) -> impl Iterator<Item = u32> + use<'a> {
        let interrupts = self.messages.max(1);
        let channels = self.plan.channels;
        let first = (message < interrupts).then_some(message);
        core::iter::successors(first, move |channel| channel.checked_add(interrupts))
            .take_while(move |channel| *channel < channels)
    }

    /// The processor that `message` should interrupt; `None` if none of its channels asked for one.
    pub fn processor(&self, message: u32) -> Option<u32> {
        self.channels(message)
            .find_map(|channel| self.plan.asked(channel))
    }

    /// The same processor, in its group: what the requirements of `message` are to ask for.
    pub fn target(&self, message: u32) -> Option<ProcessorSet> {
        self.plan.processors.set(self.processor(message)?)
    }
}
