//! Processors: sets of them, and which there are.

use super::ffi;
use crate::irql::{Irql, Passive};

/// The most groups that a system has.
pub(super) const MAXIMUM_GROUPS: usize = 4;

/// A set of processors of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "GROUP_AFFINITY")]
#[doc(alias = "KAFFINITY")]
pub struct ProcessorSet {
    /// The group. 0 on systems without groups.
    pub group: u16,
    /// Bit `n` stands for processor `n` of the group.
    pub mask: u64,
}

impl ProcessorSet {
    /// The processor with this number in group 0; `None` if a group has no room for such a number.
    pub const fn single(processor: u32) -> Option<Self> {
        match 1_u64.checked_shl(processor) {
            Some(mask) => Some(Self { group: 0, mask }),
            None => None,
        }
    }

    /// Whether no processor is in it.
    pub const fn is_empty(self) -> bool {
        self.mask == 0
    }

    /// The processors, as numbers in the group, from the lowest on.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |processor| self.mask >> processor & 1 != 0)
    }
}

/// The processors that are running, and how the system counts them.
///
/// The system gives every processor a number, from group to group: the first of group 1 follows the last that group 0 has room for. A
/// system without groups has one, of up to 64 processors.
///
/// ```
/// use nmr_netdma::resources::{ActiveProcessors, ProcessorSet};
/// # use simkernel as _;
///
/// // Two groups of 40 processors, of which the second has one that is not running.
/// let processors = ActiveProcessors::from_groups(&[(40, (1 << 40) - 1), (40, (1 << 39) - 1)]);
/// assert_eq!(processors.set(41), Some(ProcessorSet { group: 1, mask: 1 << 1 }));
/// assert_eq!(processors.set(79), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActiveProcessors {
    groups: [Group; MAXIMUM_GROUPS],
}

/// One group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// How many processors it has room for.
    pub(super) room: u32,
    /// Those that are running, a bit for each.
    pub(super) active: u64,
}

impl ActiveProcessors {
    /// Those of all groups, as they are now.
    #[doc(alias = "KeQueryGroupAffinity")]
    #[doc(alias = "KeQueryMaximumProcessorCountEx")]
    pub fn query(irql: &mut Irql<Passive>) -> Self {
        match ffi::groups(irql) {
            Some(groups) => Self { groups },
            None => Self::query_group_0(),
        }
    }

    /// Those of group 0, as they are now. At any level.
    #[doc(alias = "KeQueryActiveProcessors")]
    pub fn query_group_0() -> Self {
        Self::from_mask(ffi::group_0())
    }

    /// Those of group 0 whose bits are set.
    pub const fn from_mask(mask: u64) -> Self {
        Self::from_groups(&[(u64::BITS, mask)])
    }

    /// Those whose bits are set, group by group: how many processors the group has room for, and which run. Groups beyond the fourth
    /// do not count.
    pub const fn from_groups(groups: &[(u32, u64)]) -> Self {
        let none = Group { room: 0, active: 0 };
        let mut all = [none; MAXIMUM_GROUPS];
        let mut index = 0;
        while index < groups.len() && index < MAXIMUM_GROUPS {
            let (room, active) = groups[index];
            all[index] = Group { room, active };
            index += 1;
        }
        Self { groups: all }
    }

    /// The processor that the system gives this number, if it runs.
    #[doc(alias = "KeGetProcessorNumberFromIndex")]
    pub fn set(&self, processor: u32) -> Option<ProcessorSet> {
        let mut left = processor;
        for (group, known) in (0..).zip(&self.groups) {
            if let Some(beyond) = left.checked_sub(known.room) {
                left = beyond;
                continue;
            }
            let mask = 1_u64.checked_shl(left)? & known.active;
            return (mask != 0).then_some(ProcessorSet { group, mask });
        }
        None
    }

    /// Whether the processor with this number is among them.
    pub fn contains(&self, processor: u32) -> bool {
        self.set(processor).is_some()
    }

    /// The number of the lowest one that is also in `set`.
    #[doc(alias = "KeGetProcessorIndexFromNumber")]
    pub fn first_of(&self, set: ProcessorSet) -> Option<u32> {
        let (before, rest) = self.groups.split_at_checked(usize::from(set.group))?;
        let common = rest.first()?.active & set.mask;
        let first = before.iter().map(|group| group.room).sum::<u32>();
        (common != 0).then(|| first + common.trailing_zeros())
    }
}
