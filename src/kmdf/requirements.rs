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
use crate::resources::{
    AffinityReport, AffinityWalk, InterruptMembers, InterruptNumber, InterruptRequirement,
    ProcessorGroups, ProcessorSet,
};
use crate::status::{Error, Result};
use crate::sys;

/// The alternatives that the system may choose from.
#[doc(alias = "WDFIORESREQLIST")]
#[doc(alias = "IO_RESOURCE_REQUIREMENTS_LIST")]
pub struct RequirementsList<'a> {
    list: ffi::resources::Requirements<'a>,
    groups: ProcessorGroups,
}

impl<'a> RequirementsList<'a> {
    pub(super) fn new(list: ffi::resources::Requirements<'a>, groups: ProcessorGroups) -> Self {
        Self { list, groups }
    }

    /// The alternatives, the preferred one first.
    pub fn alternatives(&self) -> impl Iterator<Item = IoResourceList<'_>> {
        (0..self.list.count())
            .filter_map(|index| self.list.get(index))
            .map(|list| IoResourceList {
                list,
                groups: self.groups,
            })
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
pub struct IoResourceList<'a> {
    list: ffi::resources::List<'a>,
    groups: ProcessorGroups,
}

impl IoResourceList<'_> {
    /// How many descriptors it has.
    pub fn count(&self) -> u32 {
        self.list.count()
    }

    /// A copy of the descriptor at `index`.
    pub fn get(&self, index: u32) -> Option<IoDescriptor> {
        self.list.get(index).map(|raw| IoDescriptor {
            raw,
            groups: self.groups,
        })
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
        self.list.update(index, descriptor.raw);
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
        self.list.append(descriptor.raw)
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
        self.list.remove(index);
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
pub struct IoDescriptor {
    raw: sys::IO_RESOURCE_DESCRIPTOR,
    groups: ProcessorGroups,
}

impl IoDescriptor {
    /// Its `CmResourceType`.
    pub fn kind(&self) -> u8 {
        self.raw.Type
    }

    /// Whether it stands for the descriptor before it.
    #[doc(alias = "IO_RESOURCE_ALTERNATIVE")]
    pub fn is_alternative(&self) -> bool {
        u32::from(self.raw.Option) & sys::IO_RESOURCE_ALTERNATIVE != 0
    }

    /// What it asks for, if it is an interrupt.
    pub fn interrupt(&self) -> Option<InterruptRequirement> {
        Some(self.members()?.read(self.groups))
    }

    /// Makes it ask for exactly these processors; the priority stays.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if it is no interrupt; [`Error::NOT_SUPPORTED`] for a group other than 0 on a system without
    /// groups (Windows Vista), which would take it for part of the policy.
    pub fn set_processors(&mut self, processors: ProcessorSet) -> Result<()> {
        let mut members = self.members().ok_or(Error::INVALID_PARAMETER)?;
        members.ask_for(processors, self.groups)?;
        self.set_members(&members);
        Ok(())
    }

    fn members(&self) -> Option<InterruptMembers> {
        (u32::from(self.raw.Type) == sys::CmResourceTypeInterrupt)
            .then(|| ffi::resources::interrupt_members(&self.raw))
    }

    fn set_members(&mut self, members: &InterruptMembers) {
        self.raw.Flags = members.flags;
        ffi::resources::set_interrupt_policy(&mut self.raw, members.policy, members.processors);
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

/// Makes each interrupt ask for the processors that `processors` answers for its number; `None`, or an empty set, leaves it as
/// it is.
///
/// Numbers are given as the framework gives interrupts to interrupt objects, so this has the same effect as
/// [`NewInterrupt::set_policy`](super::NewInterrupt::set_policy) on the objects:
///
/// * In each alternative the descriptors of messages are numbered from 0. With MSI-X each is one message; with MSI one
///   descriptor stands for all messages and has number 0. How many numbers there are is told with each.
/// * A descriptor that is an alternative to the one before it has the same number.
/// * Line interrupts are numbered on their own; a line that is an alternative to messages has number 0.
/// * A policy that is there already is left alone: the registry's and the objects' come first.
/// * Processors of a group other than 0 are refused on a system without groups.
pub fn set_message_affinity(
    requirements: &mut RequirementsList<'_>,
    mut processors: impl FnMut(InterruptNumber) -> Option<ProcessorSet>,
) -> AffinityReport {
    let mut walk = AffinityWalk::default();
    for mut list in requirements.alternatives() {
        let counted = list.descriptors().filter(|descriptor| {
            let members = descriptor.members();
            members.is_some_and(|one| one.is_counted(descriptor.is_alternative()))
        });
        // CAST: no more than `count`, which has 32 bits.
        walk.enter(counted.count() as u32);
        for index in 0..list.count() {
            let Some((mut descriptor, mut members)) =
                list.get(index).and_then(|d| Some((d, d.members()?)))
            else {
                continue;
            };
            let alternative = descriptor.is_alternative();
            if walk.visit(&mut members, alternative, list.groups, &mut processors) {
                descriptor.set_members(&members);
                list.list.update(index, descriptor.raw);
            }
        }
    }
    walk.report
}
