//! Lists that are bytes in memory.

use core::iter::StepBy;
use core::ops::Range;

use super::{
    AffinityReport, AffinityWalk, InterruptMembers, InterruptNumber, InterruptRequirement,
    ProcessorGroups, ProcessorSet,
};
use crate::status::{Error, Result};
use crate::sys;

/// `sizeof(IO_RESOURCE_DESCRIPTOR)`
const IO_DESCRIPTOR: usize = size_of::<sys::IO_RESOURCE_DESCRIPTOR>();
/// `FIELD_OFFSET(IO_RESOURCE_REQUIREMENTS_LIST, List)`
const REQUIREMENTS_HEADER: usize = 32;
/// `FIELD_OFFSET(IO_RESOURCE_REQUIREMENTS_LIST, AlternativeLists)`
const ALTERNATIVE_LISTS: usize = 28;
/// `FIELD_OFFSET(IO_RESOURCE_LIST, Descriptors)`
const LIST_HEADER: usize = 8;
/// `FIELD_OFFSET(IO_RESOURCE_LIST, Count)`
const LIST_COUNT: usize = 4;

/// `sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR)`
const CM_DESCRIPTOR: usize = 20;
/// Of a `CM_FULL_RESOURCE_DESCRIPTOR`, what stands before the first descriptor.
const FULL_HEADER: usize = 16;

/// An `IO_RESOURCE_REQUIREMENTS_LIST` in memory.
///
/// ```
/// use nmr_netdma::resources::RequirementsBytes;
/// # use simkernel as _;
///
/// let mut list = [0_u8; 40];
/// list[0] = 40; // ListSize
/// list[28] = 1; // AlternativeLists, the only one of which is empty
/// assert!(RequirementsBytes::new(&mut list).is_ok());
/// list[36] = 1; // a descriptor beyond ListSize
/// assert!(RequirementsBytes::new(&mut list).is_err());
/// ```
#[derive(Debug)]
#[doc(alias = "IO_RESOURCE_REQUIREMENTS_LIST")]
pub struct RequirementsBytes<'a> {
    /// Exactly `ListSize` bytes, which all alternatives fit in.
    bytes: &'a mut [u8],
}

impl<'a> RequirementsBytes<'a> {
    /// The list at the start of `memory`. What is behind `ListSize` is not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if `ListSize` is more than `memory`, or less than what the list's counts ask for.
    pub fn new(memory: &'a mut [u8]) -> Result<Self> {
        let size = u32_at(memory, 0).ok_or(Error::INVALID_PARAMETER)?;
        let bytes = memory
            .get_mut(..size as usize)
            .ok_or(Error::INVALID_PARAMETER)?;
        let alternatives = u32_at(bytes, ALTERNATIVE_LISTS).ok_or(Error::INVALID_PARAMETER)?;
        let mut start = REQUIREMENTS_HEADER;
        for _ in 0..alternatives {
            start = alternative_end(bytes, start).ok_or(Error::INVALID_PARAMETER)?;
        }
        if start > bytes.len() {
            return Err(Error::INVALID_PARAMETER);
        }
        Ok(Self { bytes })
    }

    /// How many alternatives there are.
    pub fn alternatives(&self) -> u32 {
        u32_at(self.bytes, ALTERNATIVE_LISTS).unwrap_or(0)
    }

    /// The interrupts of each alternative: its number, and what the descriptor asks for.
    pub fn interrupts(
        &self,
        groups: ProcessorGroups,
    ) -> impl Iterator<Item = (u32, InterruptRequirement)> {
        let mut lists = self.lists();
        let lists = core::iter::from_fn(move || lists.next(self.bytes));
        (0..).zip(lists).flat_map(move |(alternative, list)| {
            list.filter_map(move |offset| Some((alternative, self.members(offset)?.read(groups))))
        })
    }

    fn lists(&self) -> Lists {
        Lists {
            left: self.alternatives(),
            next: REQUIREMENTS_HEADER,
        }
    }

    fn is_alternative(&self, offset: usize) -> bool {
        let option = self.bytes.get(offset).copied().unwrap_or(0);
        u32::from(option) & sys::IO_RESOURCE_ALTERNATIVE != 0
    }

    fn members(&self, offset: usize) -> Option<InterruptMembers> {
        let descriptor = self.bytes.get(offset..)?.get(..IO_DESCRIPTOR)?;
        if u32::from(descriptor[1]) != sys::CmResourceTypeInterrupt {
            return None;
        }
        Some(InterruptMembers {
            flags: u16_at(descriptor, 4)?,
            minimum_vector: u32_at(descriptor, 8)?,
            maximum_vector: u32_at(descriptor, 12)?,
            policy: u32_at(descriptor, 16)?,
            priority: u32_at(descriptor, 20)?.cast_signed(),
            processors: u64_at(descriptor, 24)?,
        })
    }
}

/// Where the alternatives are. It borrows nothing, so that they can be changed on the way.
struct Lists {
    left: u32,
    next: usize,
}

impl Lists {
    /// Where the descriptors of the next alternative start.
    fn next(&mut self, bytes: &[u8]) -> Option<StepBy<Range<usize>>> {
        self.left = self.left.checked_sub(1)?;
        let start = self.next;
        self.next = alternative_end(bytes, start)?;
        Some((start + LIST_HEADER..self.next).step_by(IO_DESCRIPTOR))
    }
}

/// Makes each interrupt ask for the processors that `processors` answers for its number; `None`, or an empty set, leaves it as
/// it is. Numbers and rules are those of [`kmdf::set_message_affinity`](crate::kmdf::set_message_affinity). The list's size
/// stays.
pub fn set_message_affinity(
    requirements: &mut RequirementsBytes<'_>,
    groups: ProcessorGroups,
    mut processors: impl FnMut(InterruptNumber) -> Option<ProcessorSet>,
) -> AffinityReport {
    let mut walk = AffinityWalk::default();
    let mut lists = requirements.lists();
    while let Some(list) = lists.next(requirements.bytes) {
        let counted = list.clone().filter(|offset| {
            let members = requirements.members(*offset);
            members.is_some_and(|one| one.is_counted(requirements.is_alternative(*offset)))
        });
        // CAST: no more than `Count` of the list, which has 32 bits.
        walk.enter(counted.count() as u32);
        for offset in list {
            let Some(mut members) = requirements.members(offset) else {
                continue;
            };
            let alternative = requirements.is_alternative(offset);
            if walk.visit(&mut members, alternative, groups, &mut processors) {
                let bytes = &mut *requirements.bytes;
                put(bytes, offset + 4, members.flags.to_le_bytes());
                put(bytes, offset + 16, members.policy.to_le_bytes());
                put(bytes, offset + 24, members.processors.to_le_bytes());
            }
        }
    }
    walk.report
}

/// A `CM_RESOURCE_LIST` in memory: what a device was assigned, in either view.
///
/// The list declares no size, so its bytes end where the memory does that the driver vouches for.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "CM_RESOURCE_LIST")]
pub struct CmResourceBytes<'a> {
    bytes: &'a [u8],
}

impl<'a> CmResourceBytes<'a> {
    /// The list at the start of `memory`.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] if the list's counts ask for more than `memory`.
    pub fn new(memory: &'a [u8]) -> Result<Self> {
        let list = Self { bytes: memory };
        let mut walk = list.walk().ok_or(Error::INVALID_PARAMETER)?;
        while walk.step().ok_or(Error::INVALID_PARAMETER)?.is_some() {}
        Ok(list)
    }

    /// The descriptors of all buses, in order.
    pub fn iter(&self) -> impl Iterator<Item = AssignedDescriptor<'a>> + use<'a> {
        let mut walk = self.walk();
        core::iter::from_fn(move || walk.as_mut()?.step()?)
    }

    fn walk(&self) -> Option<CmWalk<'a>> {
        Some(CmWalk {
            lists: u32_at(self.bytes, 0)?,
            descriptors: 0,
            rest: self.bytes.get(4..)?,
        })
    }
}

struct CmWalk<'a> {
    lists: u32,
    descriptors: u32,
    rest: &'a [u8],
}

impl<'a> CmWalk<'a> {
    /// `None` if the next descriptor is beyond the memory, `Some(None)` at the end.
    fn step(&mut self) -> Option<Option<AssignedDescriptor<'a>>> {
        while self.descriptors == 0 {
            let Some(left) = self.lists.checked_sub(1) else {
                return Some(None);
            };
            self.lists = left;
            let (header, rest) = self.rest.split_at_checked(FULL_HEADER)?;
            self.descriptors = u32_at(header, 12)?;
            self.rest = rest;
        }
        self.descriptors -= 1;
        let (bytes, rest) = self.rest.split_at_checked(CM_DESCRIPTOR)?;
        let descriptor = AssignedDescriptor { bytes };
        // Data of the driver's own stand behind their descriptor.
        let data = match u32::from(descriptor.kind()) {
            sys::CmResourceTypeDeviceSpecific => u32_at(bytes, 4)? as usize,
            _ => 0,
        };
        self.rest = rest.get(data..)?;
        Some(Some(descriptor))
    }
}

/// One assigned resource in memory.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "CM_PARTIAL_RESOURCE_DESCRIPTOR")]
pub struct AssignedDescriptor<'a> {
    /// 20 bytes.
    bytes: &'a [u8],
}

/// The members of an assigned interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssignedInterruptFields {
    /// Whether it is a message, not a line.
    pub message: bool,
    /// In the translated view the level of the service routine.
    pub level: u16,
    /// In the raw view of a message, how many messages it stands for.
    pub message_count: u16,
    /// The vector.
    pub vector: u32,
    /// The processors that take it.
    pub processors: ProcessorSet,
}

impl AssignedDescriptor<'_> {
    /// Its `CmResourceType`.
    pub fn kind(&self) -> u8 {
        self.bytes.first().copied().unwrap_or(0)
    }

    /// Its flags, whose meaning depends on [`kind`](Self::kind).
    pub fn flags(&self) -> u16 {
        u16_at(self.bytes, 2).unwrap_or(0)
    }

    /// The members, in the translated view, if it is an interrupt.
    pub fn translated_interrupt(&self, groups: ProcessorGroups) -> Option<AssignedInterruptFields> {
        let (level, group) = groups.split(u32_at(self.bytes, 4)?);
        self.interrupt(level, 0, group)
    }

    /// The members, in the raw view, if it is a message. A line's raw view is the bus's business.
    pub fn raw_message(&self, groups: ProcessorGroups) -> Option<AssignedInterruptFields> {
        let group = match groups {
            ProcessorGroups::Present => u16_at(self.bytes, 4)?,
            ProcessorGroups::Absent => 0,
        };
        self.interrupt(0, u16_at(self.bytes, 6)?, group)
            .filter(|interrupt| interrupt.message)
    }

    fn interrupt(
        &self,
        level: u16,
        message_count: u16,
        group: u16,
    ) -> Option<AssignedInterruptFields> {
        if u32::from(self.kind()) != sys::CmResourceTypeInterrupt {
            return None;
        }
        Some(AssignedInterruptFields {
            message: u32::from(self.flags()) & sys::CM_RESOURCE_INTERRUPT_MESSAGE != 0,
            level,
            message_count,
            vector: u32_at(self.bytes, 8)?,
            processors: ProcessorSet {
                group,
                mask: u64_at(self.bytes, 12)?,
            },
        })
    }
}

/// Where the alternative ends that begins at `start`; `None` if that is beyond the list.
fn alternative_end(bytes: &[u8], start: usize) -> Option<usize> {
    let count = u32_at(bytes, start.checked_add(LIST_COUNT)?)?;
    let descriptors = (count as usize).checked_mul(IO_DESCRIPTOR)?;
    let end = start.checked_add(LIST_HEADER)?.checked_add(descriptors)?;
    (end <= bytes.len()).then_some(end)
}

fn at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    at(bytes, offset).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    at(bytes, offset).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    at(bytes, offset).map(u64::from_le_bytes)
}

/// Writes to a place that has been read before.
fn put<const N: usize>(bytes: &mut [u8], offset: usize, value: [u8; N]) {
    if let Some(place) = bytes
        .get_mut(offset..)
        .and_then(|rest| rest.first_chunk_mut())
    {
        *place = value;
    }
}
