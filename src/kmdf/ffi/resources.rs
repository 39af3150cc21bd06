//! Resource lists of the framework.
//!
//! # Safety
//!
//! The lists belong to a callback, which the types here are bound to. The framework answers with copies of descriptors that live in
//! the list object and are overwritten by the next question; they are copied out at once, on the callback's own thread.
#![expect(
    unsafe_code,
    reason = "calls the framework and reads unions that C fills"
)]

use core::marker::PhantomData;

use crate::kmdf::registers::Windows;
use crate::kmdf::resources::{AssignedInterrupts, AssignedResource, MemoryResource};
use crate::resources::{InterruptMembers, ProcessorSet};
use crate::status::{Result, Status};
use crate::sys;

/// The two views of what a device was assigned: as the bus sees it and as the processor does.
pub(in crate::kmdf) struct Assigned<'a> {
    windows: &'a Windows,
    raw: sys::WDFCMRESLIST,
    translated: sys::WDFCMRESLIST,
    callback: PhantomData<(&'a (), *mut ())>,
}

impl<'a> Assigned<'a> {
    /// # Safety
    ///
    /// The lists are what the device of `windows` was assigned, good while the type's lifetime lasts, and have the same length.
    pub(super) unsafe fn new(
        windows: &'a Windows,
        raw: sys::WDFCMRESLIST,
        translated: sys::WDFCMRESLIST,
    ) -> Self {
        Self {
            windows,
            raw,
            translated,
            callback: PhantomData,
        }
    }

    pub(in crate::kmdf) fn count(&self) -> u32 {
        // SAFETY: the list is good, by the contract of `new`.
        unsafe { sys::WdfCmResourceListGetCount(self.translated) }
    }

    pub(in crate::kmdf) fn get(&self, index: u32) -> Option<AssignedResource<'_>> {
        let translated = descriptor(self.translated, index)?;
        let kind = u32::from(translated.Type);
        if kind == sys::CmResourceTypeInterrupt {
            let mut interrupts = interrupts(&translated);
            if interrupts.message_signaled {
                let raw = descriptor(self.raw, index);
                interrupts.count = raw.map_or(1, |raw| message_count(&raw));
            }
            return Some(AssignedResource::Interrupt(interrupts));
        }
        Some(match memory(self.windows, &translated) {
            Some(memory) => AssignedResource::Memory(memory),
            None => AssignedResource::Other(translated.Type),
        })
    }
}

fn descriptor(list: sys::WDFCMRESLIST, index: u32) -> Option<sys::CM_PARTIAL_RESOURCE_DESCRIPTOR> {
    // SAFETY: the list is good: only `Assigned::get` calls this, with its own lists.
    let copy = unsafe { sys::WdfCmResourceListGetDescriptor(list, index) };
    // SAFETY: the framework answers null past the end, else a descriptor that lives until the next question.
    unsafe { copy.as_ref() }.copied()
}

/// What a translated descriptor says; how many interrupts it stands for, only the raw one does.
fn interrupts(descriptor: &sys::CM_PARTIAL_RESOURCE_DESCRIPTOR) -> AssignedInterrupts {
    // A translated message has the same fields at the same places.
    // SAFETY: all members of the union are integers over bytes that the framework filled.
    let fields = unsafe { descriptor.u.Interrupt };
    // The level is 16 bits; above it lies the group on systems that have groups, and zero on others.
    let level = fields.Level;
    AssignedInterrupts {
        message_signaled: u32::from(descriptor.Flags) & sys::CM_RESOURCE_INTERRUPT_MESSAGE != 0,
        count: 1,
        vector: fields.Vector,
        // CAST: levels end at 15.
        irql: level as u8,
        processors: ProcessorSet {
            // CAST: the upper 16 bits.
            group: (level >> 16) as u16,
            mask: fields.Affinity,
        },
    }
}

/// How many messages a raw descriptor stands for: more than one with MSI only.
fn message_count(raw: &sys::CM_PARTIAL_RESOURCE_DESCRIPTOR) -> u32 {
    // SAFETY: as in `interrupts`.
    let message = unsafe { raw.u.MessageInterrupt };
    // SAFETY: as in `interrupts`.
    let fields = unsafe { message.__bindgen_anon_1.Raw };
    u32::from(fields.MessageCount).max(1)
}

fn memory<'a>(
    windows: &'a Windows,
    descriptor: &sys::CM_PARTIAL_RESOURCE_DESCRIPTOR,
) -> Option<MemoryResource<'a>> {
    let kind = u32::from(descriptor.Type);
    let flags = u32::from(descriptor.Flags);
    // SAFETY: as in `interrupts`; all views of memory have their fields at the same places.
    let fields = unsafe { descriptor.u.Memory };
    let length = u64::from(fields.Length);
    let length = match kind {
        sys::CmResourceTypeMemory => length,
        sys::CmResourceTypeMemoryLarge if flags & sys::CM_RESOURCE_MEMORY_LARGE_40 != 0 => {
            length << 8
        }
        sys::CmResourceTypeMemoryLarge if flags & sys::CM_RESOURCE_MEMORY_LARGE_48 != 0 => {
            length << 16
        }
        sys::CmResourceTypeMemoryLarge if flags & sys::CM_RESOURCE_MEMORY_LARGE_64 != 0 => {
            length << 32
        }
        _ => return None,
    };
    Some(MemoryResource::new(
        windows,
        sys::physical_address_bits(fields.Start),
        length,
    ))
}

/// The alternatives that a device may be assigned.
pub(in crate::kmdf) struct Requirements<'a> {
    list: sys::WDFIORESREQLIST,
    callback: PhantomData<(&'a (), *mut ())>,
}

impl Requirements<'_> {
    /// # Safety
    ///
    /// The list is good while the type's lifetime lasts.
    pub(super) unsafe fn new(list: sys::WDFIORESREQLIST) -> Self {
        Self {
            list,
            callback: PhantomData,
        }
    }

    pub(in crate::kmdf) fn count(&self) -> u32 {
        // SAFETY: the list is good, by the contract of `new`.
        unsafe { sys::WdfIoResourceRequirementsListGetCount(self.list) }
    }

    pub(in crate::kmdf) fn get(&self, index: u32) -> Option<List<'_>> {
        // SAFETY: as above; past the end the framework answers null.
        let list = unsafe { sys::WdfIoResourceRequirementsListGetIoResList(self.list, index) };
        (!list.is_null()).then_some(List {
            list,
            callback: PhantomData,
        })
    }
}

/// One alternative. Nothing here removes one, so it lasts as long as the callback.
pub(in crate::kmdf) struct List<'a> {
    list: sys::WDFIORESLIST,
    callback: PhantomData<(&'a (), *mut ())>,
}

impl List<'_> {
    pub(in crate::kmdf) fn count(&self) -> u32 {
        // SAFETY: the list is good while the callback runs.
        unsafe { sys::WdfIoResourceListGetCount(self.list) }
    }

    pub(in crate::kmdf) fn get(&self, index: u32) -> Option<sys::IO_RESOURCE_DESCRIPTOR> {
        // SAFETY: the list is good while the callback runs.
        let copy = unsafe { sys::WdfIoResourceListGetDescriptor(self.list, index) };
        // SAFETY: the framework answers null past the end, else a descriptor that lives until the next question.
        unsafe { copy.as_ref() }.copied()
    }

    /// `index` is below [`count`](Self::count).
    pub(in crate::kmdf) fn update(
        &mut self,
        index: u32,
        mut descriptor: sys::IO_RESOURCE_DESCRIPTOR,
    ) {
        // SAFETY: the list is good while the callback runs; the framework copies the descriptor.
        unsafe { sys::WdfIoResourceListUpdateDescriptor(self.list, &raw mut descriptor, index) }
    }

    pub(in crate::kmdf) fn append(
        &mut self,
        mut descriptor: sys::IO_RESOURCE_DESCRIPTOR,
    ) -> Result<()> {
        // SAFETY: the list is good while the callback runs; the framework copies the descriptor.
        Status(unsafe { sys::WdfIoResourceListAppendDescriptor(self.list, &raw mut descriptor) })
            .into_result()
    }

    /// `index` is below [`count`](Self::count).
    pub(in crate::kmdf) fn remove(&mut self, index: u32) {
        // SAFETY: the list is good while the callback runs.
        unsafe { sys::WdfIoResourceListRemove(self.list, index) }
    }
}

/// The members of a descriptor that is an interrupt; of another, other members' bits.
pub(in crate::kmdf) fn interrupt_members(
    descriptor: &sys::IO_RESOURCE_DESCRIPTOR,
) -> InterruptMembers {
    // SAFETY: all members of the union are integers, and descriptors are initialised as a whole.
    let fields = unsafe { descriptor.u.Interrupt };
    InterruptMembers {
        flags: descriptor.Flags,
        minimum_vector: fields.MinimumVector,
        maximum_vector: fields.MaximumVector,
        policy: fields.AffinityPolicy.cast_unsigned(),
        priority: fields.PriorityPolicy,
        processors: fields.TargetedProcessors,
    }
}

/// Sets the policy and the processors of a descriptor that is an interrupt.
pub(in crate::kmdf) fn set_interrupt_policy(
    descriptor: &mut sys::IO_RESOURCE_DESCRIPTOR,
    policy: u32,
    processors: u64,
) {
    descriptor.u.Interrupt.AffinityPolicy = policy.cast_signed();
    descriptor.u.Interrupt.TargetedProcessors = processors;
}
