//! Resource lists: what is common to the framework's lists and to lists that are bytes in memory, and the latter.
//!
//! A driver without the framework gets an `IO_RESOURCE_REQUIREMENTS_LIST` with `IRP_MN_FILTER_RESOURCE_REQUIREMENTS` and a
//! `CM_RESOURCE_LIST` with `IRP_MN_START_DEVICE`. [`RequirementsBytes`] edits the one and [`CmResourceBytes`] reads the other.
//! Drivers on the framework use [`kmdf::RequirementsList`](crate::kmdf::RequirementsList) and
//! [`kmdf::Resources`](crate::kmdf::Resources).
//!
//! # Design
//!
//! * A list is checked as a whole before anything of it is used: a list that is not sound is refused and stays as it is.
//!   Nothing beyond the size that the list declares is looked at.
//! * Members are read and written as bytes, so alignment does not matter: the assigned list is packed to 4 bytes.
//! * Which descriptor has which number, and which is left alone, is decided in one place for both forms of lists.

mod bytes;
mod ffi;
mod processors;

pub use self::bytes::{
    AssignedDescriptor, AssignedInterruptFields, CmResourceBytes, RequirementsBytes,
    set_message_affinity,
};
pub use self::processors::{ActiveProcessors, ProcessorSet};

use crate::irql::{Irql, Passive};
use crate::status::{Error, Result};
use crate::sys;

/// Whether the system knows processor groups, which decides what the policy's 32 bits in a descriptor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "NT_PROCESSOR_GROUPS")]
pub enum ProcessorGroups {
    /// Windows Vista: a policy of 32 bits, of which the upper 16 are 0.
    Absent,
    /// Windows 7 and later: a policy of 16 bits, and the group above it.
    Present,
}

impl ProcessorGroups {
    /// What the running system has.
    #[doc(alias = "RtlGetVersion")]
    pub fn query(_irql: &mut Irql<Passive>) -> Self {
        if ffi::version() >= (6, 1) {
            Self::Present
        } else {
            Self::Absent
        }
    }

    /// The policy's 32 bits that ask for `processors`.
    fn specified(self, processors: ProcessorSet) -> Result<u32> {
        let policy = sys::_IRQ_DEVICE_POLICY::IrqPolicySpecifiedProcessors.cast_unsigned();
        match (self, processors.group) {
            (_, 0) => Ok(policy),
            (Self::Present, group) => Ok(policy | u32::from(group) << 16),
            (Self::Absent, _) => Err(Error::NOT_SUPPORTED),
        }
    }

    /// Policy and group in the policy's 32 bits.
    const fn split(self, word: u32) -> (u16, u16) {
        // CAST: the two halves.
        match self {
            Self::Present => (word as u16, (word >> 16) as u16),
            Self::Absent => (word as u16, 0),
        }
    }
}

/// What a descriptor asks for, if it is an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterruptRequirement {
    /// Whether it is a message (or, with MSI, several), not a line.
    pub message: bool,
    /// The lowest vector; for messages a token.
    pub minimum_vector: u32,
    /// The highest vector; for messages a token.
    pub maximum_vector: u32,
    /// Whether `policy`, `priority` and `processors` count. If so, the registry or a driver has set them.
    pub policy_included: bool,
    /// The affinity policy, an `IRQ_DEVICE_POLICY`.
    pub policy: u16,
    /// The priority, an `IRQ_PRIORITY`.
    pub priority: i32,
    /// The processors, for the policy that specifies them.
    pub processors: ProcessorSet,
}

impl InterruptRequirement {
    /// How many messages it is; 0 for a line.
    pub fn messages(&self) -> u32 {
        if self.message {
            self.maximum_vector
                .saturating_sub(self.minimum_vector)
                .saturating_add(1)
        } else {
            0
        }
    }
}

/// A descriptor that is an interrupt, member by member.
#[derive(Clone, Copy)]
pub(crate) struct InterruptMembers {
    pub(crate) flags: u16,
    pub(crate) minimum_vector: u32,
    pub(crate) maximum_vector: u32,
    /// What it is depends on the [`ProcessorGroups`].
    pub(crate) policy: u32,
    pub(crate) priority: i32,
    pub(crate) processors: u64,
}

impl InterruptMembers {
    /// Whether it is a message that has a number of its own.
    pub(crate) fn is_counted(&self, alternative: bool) -> bool {
        u32::from(self.flags) & sys::CM_RESOURCE_INTERRUPT_MESSAGE != 0 && !alternative
    }

    pub(crate) fn read(&self, groups: ProcessorGroups) -> InterruptRequirement {
        let flags = u32::from(self.flags);
        let (policy, group) = groups.split(self.policy);
        InterruptRequirement {
            message: flags & sys::CM_RESOURCE_INTERRUPT_MESSAGE != 0,
            minimum_vector: self.minimum_vector,
            maximum_vector: self.maximum_vector,
            policy_included: flags & sys::CM_RESOURCE_INTERRUPT_POLICY_INCLUDED != 0,
            policy,
            priority: self.priority,
            processors: ProcessorSet {
                group,
                mask: self.processors,
            },
        }
    }

    /// Asks for `processors`; the priority stays.
    pub(crate) fn ask_for(
        &mut self,
        processors: ProcessorSet,
        groups: ProcessorGroups,
    ) -> Result<()> {
        self.policy = groups.specified(processors)?;
        self.processors = processors.mask;
        // CAST: a flag of a 16-bit field.
        self.flags |= sys::CM_RESOURCE_INTERRUPT_POLICY_INCLUDED as u16;
        Ok(())
    }
}

/// Which interrupt of an alternative `set_message_affinity` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InterruptNumber {
    /// Its number among the messages, or the lines, of its alternative.
    pub number: u32,
    /// How many messages with processors of their own the alternative has; 0 if this is a line, which stands for all of them.
    pub messages: u32,
}

/// What `set_message_affinity` found and did, over all alternatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AffinityReport {
    /// Alternatives walked.
    pub alternatives: u32,
    /// Descriptors of messages found.
    pub messages: u32,
    /// Descriptors of line interrupts found.
    pub lines: u32,
    /// Descriptors of either kind that now ask for processors.
    pub written: u32,
    /// Descriptors of either kind that had a policy already, which was left alone.
    pub kept: u32,
    /// Descriptors of either kind that were to ask for processors of a group, on a system without groups. Left alone.
    pub refused: u32,
}

/// The walk over the interrupts of all alternatives.
#[derive(Default)]
pub(crate) struct AffinityWalk {
    pub(crate) report: AffinityReport,
    /// How many messages the alternative has.
    messages: u32,
    message: Cursor,
    line: Cursor,
}

impl AffinityWalk {
    /// An alternative with this many messages begins.
    pub(crate) fn enter(&mut self, messages: u32) {
        self.report.alternatives += 1;
        self.messages = messages;
        self.message = Cursor::default();
        self.line = Cursor::default();
    }

    /// Numbers an interrupt of the alternative and edits it; whether it has to be written back.
    pub(crate) fn visit(
        &mut self,
        members: &mut InterruptMembers,
        alternative: bool,
        groups: ProcessorGroups,
        processors: &mut impl FnMut(InterruptNumber) -> Option<ProcessorSet>,
    ) -> bool {
        let interrupt = members.read(groups);
        let (cursor, found, messages) = if interrupt.message {
            (&mut self.message, &mut self.report.messages, self.messages)
        } else {
            (&mut self.line, &mut self.report.lines, 0)
        };
        *found += 1;
        let number = InterruptNumber {
            number: cursor.next(alternative),
            messages,
        };
        if interrupt.policy_included {
            self.report.kept += 1;
            return false;
        }
        let Some(set) = processors(number).filter(|set| !set.is_empty()) else {
            return false;
        };
        let asked = members.ask_for(set, groups).is_ok();
        if asked {
            self.report.written += 1;
        } else {
            self.report.refused += 1;
        }
        asked
    }
}

/// Numbers descriptors of one sort.
#[derive(Default)]
struct Cursor {
    next: u32,
}

impl Cursor {
    fn next(&mut self, alternative: bool) -> u32 {
        if !alternative {
            self.next += 1;
        }
        self.next.saturating_sub(1)
    }
}
