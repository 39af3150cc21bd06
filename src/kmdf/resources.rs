//! [`Resources`]: what the device was assigned.

use core::fmt;

use super::ffi;
use super::registers::Windows;
use crate::resources::ProcessorSet;

/// The resources that the device was assigned, as the processor sees them.
#[doc(alias = "WDFCMRESLIST")]
pub struct Resources<'a>(ffi::resources::Assigned<'a>);

impl<'a> Resources<'a> {
    pub(super) fn new(lists: ffi::resources::Assigned<'a>) -> Self {
        Self(lists)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = AssignedResource<'_>> {
        (0..self.0.count()).filter_map(|index| self.0.get(index))
    }

    /// The ranges of device memory, in the order of the device's base address registers.
    pub fn memory(&self) -> impl Iterator<Item = MemoryResource<'_>> {
        self.iter().filter_map(|resource| match resource {
            AssignedResource::Memory(memory) => Some(memory),
            _ => None,
        })
    }

    /// The interrupts, one for each message, in the order of the messages; or the one line.
    ///
    /// The n-th is that of the n-th interrupt object.
    pub fn interrupts(&self) -> impl Iterator<Item = AssignedInterrupt> {
        let mut messages = 0..;
        let descriptors = self.iter().filter_map(|resource| match resource {
            AssignedResource::Interrupt(interrupts) => Some(interrupts),
            _ => None,
        });
        descriptors
            .flat_map(|interrupts| (0..interrupts.count).map(move |number| (interrupts, number)))
            .map(move |(interrupts, number)| AssignedInterrupt {
                message: if interrupts.message_signaled {
                    messages.next()
                } else {
                    None
                },
                vector: interrupts.vector.wrapping_add(number),
                irql: interrupts.irql,
                processors: interrupts.processors,
            })
    }

    /// How many messages there are; 0 if the device interrupts by a line, or not at all.
    pub fn messages(&self) -> u32 {
        self.iter()
            .map(|resource| match resource {
                AssignedResource::Interrupt(interrupts) if interrupts.message_signaled => {
                    interrupts.count
                }
                _ => 0,
            })
            .fold(0, u32::saturating_add)
    }
}

impl fmt::Debug for Resources<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// One assigned resource.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "CM_PARTIAL_RESOURCE_DESCRIPTOR")]
#[non_exhaustive]
pub enum AssignedResource<'a> {
    /// Interrupts.
    Interrupt(AssignedInterrupts),
    /// Device memory.
    Memory(MemoryResource<'a>),
    /// Something else, by its `CmResourceType`.
    Other(u8),
}

/// Interrupts that were assigned together: one, or several messages that the device cannot send to different addresses (MSI).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssignedInterrupts {
    /// Whether they are messages, not a line.
    pub message_signaled: bool,
    /// How many, at least 1.
    pub count: u32,
    /// The vector of the first; the others have the ones that follow.
    pub vector: u32,
    /// The level of the service routine.
    pub irql: u8,
    /// The processors that may take them.
    pub processors: ProcessorSet,
}

/// One assigned interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssignedInterrupt {
    /// The number of the message among the device's; `None` if it is a line.
    pub message: Option<u32>,
    /// The vector.
    pub vector: u32,
    /// The level of the service routine.
    pub irql: u8,
    /// The processors that may take it.
    pub processors: ProcessorSet,
}

/// A range of device memory that the device was assigned.
#[derive(Clone, Copy, Debug)]
pub struct MemoryResource<'a> {
    /// What may map it.
    windows: &'a Windows,
    start: u64,
    length: u64,
}

impl<'a> MemoryResource<'a> {
    pub(super) fn new(windows: &'a Windows, start: u64, length: u64) -> Self {
        Self {
            windows,
            start,
            length,
        }
    }

    /// The registers of the device that was assigned it.
    pub(super) fn windows(&self) -> &'a Windows {
        self.windows
    }

    /// The physical address of its first byte.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }
}
