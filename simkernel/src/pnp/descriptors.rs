//! Resource descriptors and the lists they stand in, as `wdm.h` lays them out.
//!
//! # Design
//!
//! A descriptor is kept as its 32-bit words and read through methods, with the layout of a system that knows processor
//! groups: the words that older headers see as one 32-bit policy, or level, hold a 16-bit value and the group above it. This
//! file shares no structure with the library, so that a wrong offset there meets a right one here.

use alloc::vec::Vec;

/// `CmResourceTypeInterrupt`
pub(crate) const TYPE_INTERRUPT: u8 = 2;
/// `CmResourceTypeMemory`
pub(crate) const TYPE_MEMORY: u8 = 3;

/// `IO_RESOURCE_ALTERNATIVE`
pub(crate) const OPTION_ALTERNATIVE: u8 = 8;

/// `CM_RESOURCE_INTERRUPT_LATCHED`
pub(crate) const INTERRUPT_LATCHED: u16 = 1;
/// `CM_RESOURCE_INTERRUPT_MESSAGE`
pub(crate) const INTERRUPT_MESSAGE: u16 = 2;
/// `CM_RESOURCE_INTERRUPT_POLICY_INCLUDED`
pub(crate) const INTERRUPT_POLICY_INCLUDED: u16 = 4;

/// `CM_RESOURCE_INTERRUPT_MESSAGE_TOKEN`
pub(crate) const MESSAGE_TOKEN: u32 = 0xFFFF_FFFE;

/// `CmResourceShareDeviceExclusive`
pub(crate) const SHARE_DEVICE_EXCLUSIVE: u8 = 1;
/// `CmResourceShareShared`
pub(crate) const SHARE_SHARED: u8 = 3;

/// `PCIBus`
pub(crate) const INTERFACE_PCI: u32 = 5;

/// Builds the word that holds four byte-sized members, or two of them and a 16-bit one.
const fn bytes(first: u8, second: u8, upper: u16) -> u32 {
    first as u32 | (second as u32) << 8 | (upper as u32) << 16
}

/// `IO_RESOURCE_DESCRIPTOR`: something that a device wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub(crate) struct IoDescriptor(pub(crate) [u32; 8]);

impl IoDescriptor {
    /// One interrupt message of an MSI-X device.
    pub(crate) const fn message() -> Self {
        let head = bytes(0, TYPE_INTERRUPT, SHARE_DEVICE_EXCLUSIVE as u16);
        let flags = (INTERRUPT_LATCHED | INTERRUPT_MESSAGE) as u32;
        Self([head, flags, MESSAGE_TOKEN, MESSAGE_TOKEN, 0, 0, 0, 0])
    }

    /// All `count` messages of an MSI device, which has one address for them.
    pub(crate) const fn messages_together(count: u32) -> Self {
        let mut descriptor = Self::message();
        descriptor.0[2] = MESSAGE_TOKEN - (count - 1);
        descriptor
    }

    /// A line interrupt; `option` says whether it stands for what is before it.
    pub(crate) const fn line(option: u8) -> Self {
        Self([
            bytes(option, TYPE_INTERRUPT, SHARE_SHARED as u16),
            0,
            0,
            0xFFFF_FFFF,
            0,
            0,
            0,
            0,
        ])
    }

    /// Device registers at a place that the bus has fixed.
    pub(crate) const fn memory(start: u64, length: u32) -> Self {
        let last = start + (length as u64).saturating_sub(1);
        let head = bytes(0, TYPE_MEMORY, SHARE_DEVICE_EXCLUSIVE as u16);
        Self([
            head,
            0,
            length,
            1,
            start as u32,
            (start >> 32) as u32,
            last as u32,
            (last >> 32) as u32,
        ])
    }

    pub(crate) const fn option(&self) -> u8 {
        self.0[0] as u8
    }

    pub(crate) const fn kind(&self) -> u8 {
        (self.0[0] >> 8) as u8
    }

    pub(crate) const fn flags(&self) -> u16 {
        self.0[1] as u16
    }

    pub(crate) const fn is_interrupt(&self) -> bool {
        self.kind() == TYPE_INTERRUPT
    }

    pub(crate) const fn is_message(&self) -> bool {
        self.is_interrupt() && self.flags() & INTERRUPT_MESSAGE != 0
    }

    pub(crate) const fn is_alternative(&self) -> bool {
        self.option() & OPTION_ALTERNATIVE != 0
    }

    pub(crate) const fn has_policy(&self) -> bool {
        self.flags() & INTERRUPT_POLICY_INCLUDED != 0
    }

    /// Messages asked for: one, or with MSI as many as the token range is long.
    pub(crate) const fn messages(&self) -> u32 {
        let (minimum, maximum) = (self.0[2], self.0[3]);
        if maximum == MESSAGE_TOKEN && minimum <= maximum {
            maximum - minimum + 1
        } else {
            1
        }
    }

    pub(crate) const fn policy(&self) -> u16 {
        self.0[4] as u16
    }

    pub(crate) const fn group(&self) -> u16 {
        (self.0[4] >> 16) as u16
    }

    pub(crate) const fn targets(&self) -> u64 {
        self.0[6] as u64 | (self.0[7] as u64) << 32
    }

    pub(crate) const fn set_policy(
        &mut self,
        policy: u16,
        group: u16,
        priority: u32,
        targets: u64,
    ) {
        self.0[1] |= INTERRUPT_POLICY_INCLUDED as u32;
        self.0[4] = policy as u32 | (group as u32) << 16;
        self.0[5] = priority;
        self.0[6] = targets as u32;
        self.0[7] = (targets >> 32) as u32;
    }

    pub(crate) const fn set_share(&mut self, share: u8) {
        self.0[0] = self.0[0] & !0x00FF_0000 | (share as u32) << 16;
    }

    pub(crate) const fn memory_start(&self) -> u64 {
        self.0[4] as u64 | (self.0[5] as u64) << 32
    }

    pub(crate) const fn memory_length(&self) -> u32 {
        self.0[2]
    }
}

/// `CM_PARTIAL_RESOURCE_DESCRIPTOR`: something that a device got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct CmDescriptor(pub(crate) [u32; 5]);

impl CmDescriptor {
    pub(crate) const fn memory(start: u64, length: u32) -> Self {
        let head = bytes(TYPE_MEMORY, SHARE_DEVICE_EXCLUSIVE, 0);
        Self([head, start as u32, (start >> 32) as u32, length, 0])
    }

    /// Messages, as the bus sees them: a count in place of the level.
    pub(crate) const fn raw_messages(count: u16, group: u16, vector: u32, affinity: u64) -> Self {
        let head = bytes(
            TYPE_INTERRUPT,
            SHARE_DEVICE_EXCLUSIVE,
            INTERRUPT_LATCHED | INTERRUPT_MESSAGE,
        );
        Self([
            head,
            group as u32 | (count as u32) << 16,
            vector,
            affinity as u32,
            (affinity >> 32) as u32,
        ])
    }

    /// An interrupt: a level, a vector and the processors it may go to.
    pub(crate) const fn interrupt(
        share: u8,
        flags: u16,
        level: u16,
        group: u16,
        vector: u32,
        affinity: u64,
    ) -> Self {
        let level = level as u32 | (group as u32) << 16;
        let head = bytes(TYPE_INTERRUPT, share, flags);
        Self([
            head,
            level,
            vector,
            affinity as u32,
            (affinity >> 32) as u32,
        ])
    }

    pub(crate) const fn kind(&self) -> u8 {
        self.0[0] as u8
    }

    pub(crate) const fn share(&self) -> u8 {
        (self.0[0] >> 8) as u8
    }

    pub(crate) const fn flags(&self) -> u16 {
        (self.0[0] >> 16) as u16
    }

    pub(crate) const fn is_interrupt(&self) -> bool {
        self.kind() == TYPE_INTERRUPT
    }

    pub(crate) const fn level(&self) -> u16 {
        self.0[1] as u16
    }

    pub(crate) const fn group(&self) -> u16 {
        (self.0[1] >> 16) as u16
    }

    /// Of a raw message, how many messages it stands for.
    pub(crate) const fn message_count(&self) -> u16 {
        (self.0[1] >> 16) as u16
    }

    pub(crate) const fn vector(&self) -> u32 {
        self.0[2]
    }

    pub(crate) const fn with_vector(mut self, vector: u32) -> Self {
        self.0[2] = vector;
        self
    }

    pub(crate) const fn affinity(&self) -> u64 {
        self.0[3] as u64 | (self.0[4] as u64) << 32
    }
}

/// The words of a `CM_RESOURCE_LIST` with one bus. They follow each other without gaps, as the structure is packed.
pub(crate) fn encode_assigned(interface: u32, descriptors: &[CmDescriptor]) -> Vec<u32> {
    // One list; the bus and its number; version and revision, both 1; then the count.
    let mut words = alloc::vec![1, interface, 0, 0x0001_0001, descriptors.len() as u32];
    words.extend(descriptors.iter().flat_map(|descriptor| descriptor.0));
    words
}

/// `IO_RESOURCE_REQUIREMENTS_LIST`: the alternatives that a device can work with, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirements {
    pub(crate) interface: u32,
    pub(crate) bus: u32,
    pub(crate) slot: u32,
    pub(crate) alternatives: Vec<Vec<IoDescriptor>>,
}

/// Words before the first alternative list.
const HEADER: usize = 8;

impl Requirements {
    /// The words of the list in memory.
    pub(crate) fn encode(&self) -> Vec<u32> {
        let mut words = Vec::new();
        words.extend_from_slice(&[0, self.interface, self.bus, self.slot, 0, 0, 0]);
        words.push(self.alternatives.len() as u32);
        for list in &self.alternatives {
            // Version and revision, both 1; then the count.
            words.extend_from_slice(&[0x0001_0001, list.len() as u32]);
            words.extend(list.iter().flat_map(|descriptor| descriptor.0));
        }
        words[0] = 4 * words.len() as u32;
        words
    }

    /// Reads a list and holds every step against `ListSize`; the error says what is wrong with it.
    pub(crate) fn decode(words: &[u32]) -> Result<Self, &'static str> {
        let size = *words.first().ok_or("it is empty")? as usize;
        if !size.is_multiple_of(4) || size < 4 * HEADER {
            return Err("ListSize is no size of a list");
        }
        let words = words
            .get(..size / 4)
            .ok_or("ListSize is beyond the allocation")?;
        let mut requirements = Self {
            interface: words[1],
            bus: words[2],
            slot: words[3],
            alternatives: Vec::new(),
        };
        let mut rest = &words[HEADER..];
        for _ in 0..words[7] {
            let (&[version, count], tail) = rest
                .split_first_chunk()
                .ok_or("an alternative list is beyond ListSize")?;
            if version != 0x0001_0001 {
                return Err("an alternative list has a version or revision other than 1");
            }
            let descriptors = (count as usize)
                .checked_mul(8)
                .and_then(|length| tail.split_at_checked(length));
            let (descriptors, tail) = descriptors.ok_or("a descriptor is beyond ListSize")?;
            let (descriptors, _) = descriptors.as_chunks::<8>();
            requirements
                .alternatives
                .push(descriptors.iter().copied().map(IoDescriptor).collect());
            rest = tail;
        }
        if !rest.is_empty() {
            return Err("ListSize is more than the lists need");
        }
        for list in &requirements.alternatives {
            let mut before = None;
            for descriptor in list {
                if descriptor.is_alternative() && before != Some(descriptor.kind()) {
                    return Err(
                        "an alternative descriptor has no descriptor of its type before it",
                    );
                }
                before = Some(descriptor.kind());
            }
        }
        Ok(requirements)
    }
}
