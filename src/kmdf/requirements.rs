//! [`RequirementsList`]: what the device may be assigned, before the system chooses.
//!
//! The bus driver offers alternatives, each a list of descriptors; the system grants one alternative. In it, a descriptor marked as
//! alternative stands for the one before it.
//!
//! # Design
//!
//! The framework hands out copies of descriptors and wants to be told of changes. Here a descriptor is a value, and
//! [`IoResourceList::update`] is the only way to change one, so a change cannot get lost.

use core::fmt;

use super::ffi;
use super::resources::ProcessorSet;
use crate::status::{Error, Result};
use crate::sys;

/// The alternatives that the system may choose from.
#[doc(alias = "WDFIORESREQLIST")]
#[doc(alias = "IO_RESOURCE_REQUIREMENTS_LIST")]
pub struct RequirementsList<'a>(ffi::resources::Requirements<'a>);

impl<'a> RequirementsList<'a> {
    pub(super) fn new(list: ffi::resources::Requirements<'a>) -> Self {
        Self(list)
    }

    /// The alternatives, the preferred one first.
    pub fn alternatives(&self) -> impl Iterator<Item = IoResourceList<'_>> {
        (0..self.0.count())
            .filter_map(|index| self.0.get(index))
            .map(IoResourceList)
    }
}

impl fmt::Debug for RequirementsList<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.alternatives()).finish()
    }
}

/// One alternative: descriptors that are granted together.
#[doc(alias = "WDFIORESLIST")]
#[doc(alias = "IO_RESOURCE_LIST")]
pub struct IoResourceList<'a>(ffi::resources::List<'a>);

impl IoResourceList<'_> {
    /// How many descriptors it has.
    pub fn count(&self) -> u32 {
        self.0.count()
    }

    /// A copy of the descriptor at `index`.
    pub fn get(&self, index: u32) -> Option<IoDescriptor> {
        self.0.get(index).map(IoDescriptor)
    }

    /// Copies of the descriptors, in order.
    pub fn descriptors(&self) -> impl Iterator<Item = IoDescriptor> {
        (0..self.count()).filter_map(|index| self.get(index))
    }

    /// Replaces the descriptor at `index`.
    ///
    /// # Errors
    ///
    /// [`Error::NOT_FOUND`] if there is none.
    #[doc(alias = "WdfIoResourceListUpdateDescriptor")]
    pub fn update(&mut self, index: u32, descriptor: &IoDescriptor) -> Result<()> {
        if index >= self.count() {
            return Err(Error::NOT_FOUND);
        }
        self.0.update(index, descriptor.0);
        Ok(())
    }

    /// Adds a descriptor at the end. Interrupt messages only: whatever else is added has to be taken out again before the lower drivers
    /// start the device, which this library does not do.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if it is no message; otherwise what the framework answers.
    #[doc(alias = "WdfIoResourceListAppendDescriptor")]
    pub fn append_message(&mut self, descriptor: &IoDescriptor) -> Result<()> {
        if !descriptor
            .interrupt()
            .is_some_and(|interrupt| interrupt.message)
        {
            return Err(Error::INVALID_PARAMETER);
        }
        self.0.append(descriptor.0)
    }

    /// Removes the descriptor at `index`. A descriptor that is an alternative to it would become one to the descriptor before.
    ///
    /// # Errors
    ///
    /// [`Error::NOT_FOUND`] if there is none.
    #[doc(alias = "WdfIoResourceListRemove")]
    pub fn remove(&mut self, index: u32) -> Result<()> {
        if index >= self.count() {
            return Err(Error::NOT_FOUND);
        }
        self.0.remove(index);
        Ok(())
    }
}

impl fmt::Debug for IoResourceList<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.descriptors()).finish()
    }
}

/// One descriptor.
#[derive(Clone, Copy)]
#[doc(alias = "IO_RESOURCE_DESCRIPTOR")]
pub struct IoDescriptor(sys::IO_RESOURCE_DESCRIPTOR);

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

impl IoDescriptor {
    /// Its `CmResourceType`.
    pub fn kind(&self) -> u8 {
        self.0.Type
    }

    /// Whether it stands for the descriptor before it.
    #[doc(alias = "IO_RESOURCE_ALTERNATIVE")]
    pub fn is_alternative(&self) -> bool {
        u32::from(self.0.Option) & sys::IO_RESOURCE_ALTERNATIVE != 0
    }

    /// What it asks for, if it is an interrupt.
    pub fn interrupt(&self) -> Option<InterruptRequirement> {
        if u32::from(self.0.Type) != sys::CmResourceTypeInterrupt {
            return None;
        }
        let flags = u32::from(self.0.Flags);
        let fields = ffi::resources::interrupt_fields(&self.0);
        Some(InterruptRequirement {
            message: flags & sys::CM_RESOURCE_INTERRUPT_MESSAGE != 0,
            minimum_vector: fields.minimum_vector,
            maximum_vector: fields.maximum_vector,
            policy_included: flags & sys::CM_RESOURCE_INTERRUPT_POLICY_INCLUDED != 0,
            // CAST: the field is two 16-bit numbers since Windows 7, the policy below the group; on Vista a small number.
            policy: fields.policy as u16,
            priority: fields.priority,
            processors: ProcessorSet {
                group: (fields.policy >> 16) as u16,
                mask: fields.processors,
            },
        })
    }

    /// Makes it ask for exactly these processors; the priority stays. No effect if it is no interrupt.
    ///
    /// A group other than 0 must not be set on a system without groups, which takes it for part of the policy.
    pub fn set_processors(&mut self, processors: ProcessorSet) {
        if u32::from(self.0.Type) != sys::CmResourceTypeInterrupt {
            return;
        }
        let policy = sys::_IRQ_DEVICE_POLICY::IrqPolicySpecifiedProcessors.cast_unsigned();
        let group = u32::from(processors.group) << 16;
        ffi::resources::set_interrupt_policy(&mut self.0, policy | group, processors.mask);
        // CAST: a flag of a 16-bit field.
        self.0.Flags |= sys::CM_RESOURCE_INTERRUPT_POLICY_INCLUDED as u16;
    }
}

impl fmt::Debug for IoDescriptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interrupt() {
            Some(interrupt) => interrupt.fmt(formatter),
            None => write!(formatter, "CmResourceType {}", self.kind()),
        }
    }
}

/// What [`set_message_affinity`] found and did, over all alternatives.
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
}

/// Makes each interrupt ask for the processors that `processors` answers for its number; `None`, or an empty set, leaves it as
/// it is.
///
/// Numbers are given as the framework gives interrupts to interrupt objects, so this has the same effect as
/// [`NewInterrupt::set_policy`](super::NewInterrupt::set_policy) on the objects:
///
/// * In each alternative the descriptors of messages are numbered from 0. With MSI-X each is one message; with MSI one
///   descriptor stands for all messages and has number 0.
/// * A descriptor that is an alternative to the one before it has the same number.
/// * Line interrupts are numbered on their own; a line that is an alternative to messages has number 0.
/// * A policy that is there already is left alone: the registry's and the objects' come first.
pub fn set_message_affinity(
    requirements: &mut RequirementsList<'_>,
    mut processors: impl FnMut(u32) -> Option<ProcessorSet>,
) -> AffinityReport {
    let mut report = AffinityReport::default();
    for mut list in requirements.alternatives() {
        report.alternatives += 1;
        let mut message = Cursor::default();
        let mut line = Cursor::default();
        for index in 0..list.count() {
            let Some((mut descriptor, interrupt)) =
                list.get(index).and_then(|d| Some((d, d.interrupt()?)))
            else {
                continue;
            };
            let (cursor, found) = if interrupt.message {
                (&mut message, &mut report.messages)
            } else {
                (&mut line, &mut report.lines)
            };
            *found += 1;
            let number = cursor.next(descriptor.is_alternative());
            if interrupt.policy_included {
                report.kept += 1;
                continue;
            }
            let Some(set) = processors(number).filter(|set| !set.is_empty()) else {
                continue;
            };
            descriptor.set_processors(set);
            if list.update(index, &descriptor).is_ok() {
                report.written += 1;
            }
        }
    }
    report
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
