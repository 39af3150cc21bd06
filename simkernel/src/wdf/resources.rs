//! Requirements lists and resource lists as drivers see them.
//!
//! # Design
//!
//! Reading a descriptor gives a pointer to a clone, which is refreshed by every read; writing through it changes nothing. An
//! entry that was removed keeps its clone until the list goes, so a pointer that a driver kept too long still points to
//! memory.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ptr;

use nmr_netdma::sys;

use super::object::{Attributes, Kind, Object, Parent, Payload, Ref, attributes, create, delete};
use super::{Call, DISPATCH, violation};
use crate::kernel::Machine;
use crate::platform::Mutex;
use crate::pnp::descriptors::{CmDescriptor, IoDescriptor, Requirements};
use crate::pnp::driver::Driver;

/// One element of a list, and the clone that a driver sees.
struct Entry<D> {
    descriptor: D,
    clone: UnsafeCell<D>,
}

// SAFETY: the clone is only touched through raw pointers; the driver sees to it that its threads do not do so at once.
unsafe impl<D: Send> Send for Entry<D> {}
// SAFETY: as for `Send`.
unsafe impl<D: Sync> Sync for Entry<D> {}

/// The elements of a list.
struct Entries<D> {
    entries: Vec<Arc<Entry<D>>>,
    removed: Vec<Arc<Entry<D>>>,
    changed: bool,
}

impl<D: Copy + PartialEq> Entries<D> {
    fn new(descriptors: &[D]) -> Self {
        Self {
            entries: descriptors
                .iter()
                .map(|descriptor| entry(*descriptor))
                .collect(),
            removed: Vec::new(),
            changed: false,
        }
    }

    fn descriptors(&self) -> Vec<D> {
        self.entries.iter().map(|entry| entry.descriptor).collect()
    }

    fn get(&self, index: u32) -> *mut D {
        let Some(entry) = self.entries.get(index as usize) else {
            return ptr::null_mut();
        };
        let clone = entry.clone.get();
        // SAFETY: the clone is a `D` of ours; the driver reads it in the thread that asks for it.
        unsafe { clone.write(entry.descriptor) };
        clone
    }

    fn insert(&mut self, index: u32, descriptor: D) -> sys::NTSTATUS {
        if index as usize > self.entries.len() {
            return sys::STATUS_ARRAY_BOUNDS_EXCEEDED;
        }
        self.entries.insert(index as usize, entry(descriptor));
        self.changed = true;
        sys::STATUS_SUCCESS
    }

    fn append(&mut self, descriptor: D) -> sys::NTSTATUS {
        self.insert(self.entries.len() as u32, descriptor)
    }

    /// `false` if there is no such element.
    fn remove(&mut self, index: usize) -> bool {
        let found = index < self.entries.len();
        if found {
            let entry = self.entries.remove(index);
            self.removed.push(entry);
            self.changed = true;
        }
        found
    }

    fn position(&self, descriptor: &D) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.descriptor == *descriptor)
    }
}

fn entry<D: Copy>(descriptor: D) -> Arc<Entry<D>> {
    Arc::new(Entry {
        descriptor,
        clone: UnsafeCell::new(descriptor),
    })
}

/// WDFIORESREQLIST
pub(super) struct RequirementsList {
    state: Mutex<Alternatives>,
}

struct Alternatives {
    interface: u32,
    slot: u32,
    lists: Vec<Ref<DescriptorList>>,
    changed: bool,
}

/// WDFIORESLIST
pub(super) struct DescriptorList {
    /// The requirements list that it was made for.
    owner: usize,
    state: Mutex<Entries<IoDescriptor>>,
}

/// WDFCMRESLIST
pub(super) struct AssignedList {
    writable: bool,
    state: Mutex<Entries<CmDescriptor>>,
}

/// Lets `body` have `requirements` as a list object; what the driver changed is in the result.
pub(super) fn with_requirements(
    machine: &Arc<Machine>,
    driver: &Arc<Driver>,
    requirements: &Requirements,
    body: impl FnOnce(sys::WDFIORESREQLIST) -> sys::NTSTATUS,
) -> Result<Option<Requirements>, sys::NTSTATUS> {
    let payload = |_| {
        let state = Alternatives {
            interface: requirements.interface,
            slot: requirements.slot,
            lists: Vec::new(),
            changed: false,
        };
        Payload::RequirementsList(RequirementsList {
            state: Mutex::new(state),
        })
    };
    let object = create(
        machine,
        Arc::clone(driver),
        None,
        Attributes::default(),
        payload,
    )?;
    let filled = fill(machine, &object, requirements);
    let status = match filled {
        Ok(()) => body(ptr::without_provenance_mut(object.handle)),
        Err(status) => status,
    };
    let result = result(&object, requirements.bus);
    delete(machine, &object);
    match (sys::NT_SUCCESS(status), result) {
        (false, _) => Err(status),
        (true, Some(list)) if list.alternatives.is_empty() => {
            Err(sys::STATUS_INSUFFICIENT_RESOURCES)
        }
        (true, result) => Ok(result),
    }
}

fn fill(
    machine: &Machine,
    object: &Arc<Object>,
    requirements: &Requirements,
) -> Result<(), sys::NTSTATUS> {
    let Some(list) = RequirementsList::of(&object.payload) else {
        return Ok(());
    };
    for alternative in &requirements.alternatives {
        let child = descriptor_list(machine, object, Attributes::default(), alternative)?;
        list.state.lock().lists.push(child);
    }
    Ok(())
}

fn descriptor_list(
    machine: &Machine,
    owner: &Arc<Object>,
    attributes: Attributes,
    descriptors: &[IoDescriptor],
) -> Result<Ref<DescriptorList>, sys::NTSTATUS> {
    let payload = |_| {
        Payload::DescriptorList(DescriptorList {
            owner: owner.handle,
            state: Mutex::new(Entries::new(descriptors)),
        })
    };
    let object = create(
        machine,
        Arc::clone(&owner.driver),
        Some(Arc::clone(owner)),
        attributes,
        payload,
    )?;
    Ref::new(object).ok_or(sys::STATUS_INTERNAL_ERROR)
}

/// The requirements after the callback, if it changed anything.
fn result(object: &Object, bus: u32) -> Option<Requirements> {
    let state = RequirementsList::of(&object.payload)?.state.lock();
    let changed = state.changed || state.lists.iter().any(|list| list.state.lock().changed);
    changed.then(|| Requirements {
        interface: state.interface,
        bus,
        slot: state.slot,
        alternatives: state
            .lists
            .iter()
            .map(|list| list.state.lock().descriptors())
            .collect(),
    })
}

/// Lets `body` have assigned resources as list objects.
pub(super) fn with_resources(
    machine: &Arc<Machine>,
    driver: &Arc<Driver>,
    [raw, translated]: [&[CmDescriptor]; 2],
    writable: bool,
    body: impl FnOnce(sys::WDFCMRESLIST, sys::WDFCMRESLIST) -> sys::NTSTATUS,
) -> sys::NTSTATUS {
    let list = |descriptors: &[CmDescriptor]| {
        let state = Mutex::new(Entries::new(descriptors));
        let payload = |_| Payload::AssignedList(AssignedList { writable, state });
        create(
            machine,
            Arc::clone(driver),
            None,
            Attributes::default(),
            payload,
        )
    };
    let raw = match list(raw) {
        Ok(raw) => raw,
        Err(status) => return status,
    };
    let status = match list(translated) {
        Ok(translated) => {
            let status = body(
                ptr::without_provenance_mut(raw.handle),
                ptr::without_provenance_mut(translated.handle),
            );
            delete(machine, &translated);
            status
        }
        Err(status) => status,
    };
    delete(machine, &raw);
    status
}

/// Reads a descriptor that a driver passes.
///
/// # Safety
///
/// `descriptor` is null or readable for a `D`, which is made of words.
unsafe fn given<D: Copy, T>(call: &Call<'_>, descriptor: *const T) -> Option<D> {
    // SAFETY: it is not null, so it can be read; C aligns some of these structures less than we do.
    call.given("Descriptor", descriptor)
        .then(|| unsafe { descriptor.cast::<D>().read_unaligned() })
}

pub(super) unsafe extern "C" fn requirements_set_slot_number(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    slot: sys::ULONG,
) {
    let Some(call) = Call::enter(
        globals,
        "WdfIoResourceRequirementsListSetSlotNumber",
        DISPATCH,
    ) else {
        return;
    };
    let Some(list) = call.object::<RequirementsList>(list) else {
        return;
    };
    let mut state = list.state.lock();
    state.changed |= state.slot != slot;
    state.slot = slot;
}

pub(super) unsafe extern "C" fn requirements_set_interface_type(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    interface: sys::INTERFACE_TYPE,
) {
    let Some(call) = Call::enter(
        globals,
        "WdfIoResourceRequirementsListSetInterfaceType",
        DISPATCH,
    ) else {
        return;
    };
    let Some(list) = call.object::<RequirementsList>(list) else {
        return;
    };
    let interface = interface.cast_unsigned();
    let mut state = list.state.lock();
    state.changed |= state.interface != interface;
    state.interface = interface;
}

pub(super) unsafe extern "C" fn requirements_append(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    added: sys::WDFIORESLIST,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(
        globals,
        "WdfIoResourceRequirementsListAppendIoResList",
        DISPATCH,
    ) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    insert_list(&call, list, added, None)
}

pub(super) unsafe extern "C" fn requirements_insert(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    added: sys::WDFIORESLIST,
    index: sys::ULONG,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(
        globals,
        "WdfIoResourceRequirementsListInsertIoResList",
        DISPATCH,
    ) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    insert_list(&call, list, added, Some(index as usize))
}

fn insert_list(
    call: &Call<'_>,
    list: sys::WDFIORESREQLIST,
    added: sys::WDFIORESLIST,
    index: Option<usize>,
) -> sys::NTSTATUS {
    let Some(list) = call.object::<RequirementsList>(list) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    let Some(added) = call.object::<DescriptorList>(added) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    let mut state = list.state.lock();
    let already = state
        .lists
        .iter()
        .any(|known| Arc::ptr_eq(known.object(), added.object()));
    if added.owner != list.object().handle || already {
        return sys::STATUS_INVALID_DEVICE_REQUEST;
    }
    let index = index.unwrap_or(state.lists.len());
    if index > state.lists.len() {
        return sys::STATUS_ARRAY_BOUNDS_EXCEEDED;
    }
    state.lists.insert(index, added);
    state.changed = true;
    sys::STATUS_SUCCESS
}

pub(super) unsafe extern "C" fn requirements_get_count(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
) -> sys::ULONG {
    let Some(call) = Call::enter(globals, "WdfIoResourceRequirementsListGetCount", DISPATCH) else {
        return 0;
    };
    call.object::<RequirementsList>(list)
        .map_or(0, |list| list.state.lock().lists.len() as u32)
}

pub(super) unsafe extern "C" fn requirements_get_io_res_list(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    index: sys::ULONG,
) -> sys::WDFIORESLIST {
    let Some(call) = Call::enter(
        globals,
        "WdfIoResourceRequirementsListGetIoResList",
        DISPATCH,
    ) else {
        return ptr::null_mut();
    };
    let Some(list) = call.object::<RequirementsList>(list) else {
        return ptr::null_mut();
    };
    let state = list.state.lock();
    state
        .lists
        .get(index as usize)
        .map_or(ptr::null_mut(), Ref::handle)
}

pub(super) unsafe extern "C" fn requirements_remove(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    index: sys::ULONG,
) {
    let Some(call) = Call::enter(globals, "WdfIoResourceRequirementsListRemove", DISPATCH) else {
        return;
    };
    let Some(list) = call.object::<RequirementsList>(list) else {
        return;
    };
    remove_list(&call, &list, Some(index as usize));
}

pub(super) unsafe extern "C" fn requirements_remove_by_io_res_list(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    removed: sys::WDFIORESLIST,
) {
    let Some(call) = Call::enter(
        globals,
        "WdfIoResourceRequirementsListRemoveByIoResList",
        DISPATCH,
    ) else {
        return;
    };
    let Some(list) = call.object::<RequirementsList>(list) else {
        return;
    };
    let Some(removed) = call.object::<DescriptorList>(removed) else {
        return;
    };
    let index = list
        .state
        .lock()
        .lists
        .iter()
        .position(|known| Arc::ptr_eq(known.object(), removed.object()));
    remove_list(&call, &list, index);
}

fn remove_list(call: &Call<'_>, list: &Ref<RequirementsList>, index: Option<usize>) {
    let removed = {
        let mut state = list.state.lock();
        match index {
            Some(index) if index < state.lists.len() => {
                state.changed = true;
                Some(state.lists.remove(index))
            }
            _ => None,
        }
    };
    match removed {
        Some(removed) => delete(call.machine, removed.object()),
        None => call.violated(
            &violation::INDEX,
            format_args!("the list has no such element"),
        ),
    }
}

pub(super) unsafe extern "C" fn list_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESREQLIST,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFIORESLIST,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfIoResourceListCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let Some(list) = call.object::<RequirementsList>(list) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    if !call.given("ResourceList", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let created = match unsafe { attributes(&call, given, Parent::Refused, false) } {
        Ok(attributes) => descriptor_list(call.machine, list.object(), attributes, &[]),
        Err(status) => return status,
    };
    match created {
        Ok(created) => {
            // SAFETY: the driver passes a place for the handle.
            unsafe { call.store(result, created.handle()) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn list_append_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESLIST,
    descriptor: sys::PIO_RESOURCE_DESCRIPTOR,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfIoResourceListAppendDescriptor", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(list) = call.object::<DescriptorList>(list) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    // SAFETY: the driver passes an IO_RESOURCE_DESCRIPTOR, which is eight words.
    let Some(descriptor) = (unsafe { given(&call, descriptor) }) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    list.state.lock().append(descriptor)
}

pub(super) unsafe extern "C" fn list_insert_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESLIST,
    descriptor: sys::PIO_RESOURCE_DESCRIPTOR,
    index: sys::ULONG,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfIoResourceListInsertDescriptor", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(list) = call.object::<DescriptorList>(list) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    // SAFETY: the driver passes an IO_RESOURCE_DESCRIPTOR, which is eight words.
    let Some(descriptor) = (unsafe { given(&call, descriptor) }) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    list.state.lock().insert(index, descriptor)
}

pub(super) unsafe extern "C" fn list_update_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESLIST,
    descriptor: sys::PIO_RESOURCE_DESCRIPTOR,
    index: sys::ULONG,
) {
    let Some(call) = Call::enter(globals, "WdfIoResourceListUpdateDescriptor", DISPATCH) else {
        return;
    };
    let Some(list) = call.object::<DescriptorList>(list) else {
        return;
    };
    // SAFETY: the driver passes an IO_RESOURCE_DESCRIPTOR, which is eight words.
    let Some(descriptor) = (unsafe { given::<IoDescriptor, _>(&call, descriptor) }) else {
        return;
    };
    let mut state = list.state.lock();
    if state.remove(index as usize) {
        state.insert(index, descriptor);
    } else {
        drop(state);
        call.violated(
            &violation::INDEX,
            format_args!("the list has no descriptor {index}"),
        );
    }
}

pub(super) unsafe extern "C" fn list_get_count(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESLIST,
) -> sys::ULONG {
    let Some(call) = Call::enter(globals, "WdfIoResourceListGetCount", DISPATCH) else {
        return 0;
    };
    call.object::<DescriptorList>(list)
        .map_or(0, |list| list.state.lock().entries.len() as u32)
}

pub(super) unsafe extern "C" fn list_get_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESLIST,
    index: sys::ULONG,
) -> sys::PIO_RESOURCE_DESCRIPTOR {
    let Some(call) = Call::enter(globals, "WdfIoResourceListGetDescriptor", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<DescriptorList>(list)
        .map_or(ptr::null_mut(), |list| list.state.lock().get(index).cast())
}

pub(super) unsafe extern "C" fn list_remove(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESLIST,
    index: sys::ULONG,
) {
    let Some(call) = Call::enter(globals, "WdfIoResourceListRemove", DISPATCH) else {
        return;
    };
    let Some(list) = call.object::<DescriptorList>(list) else {
        return;
    };
    let removed = list.state.lock().remove(index as usize);
    if !removed {
        call.violated(
            &violation::INDEX,
            format_args!("the list has no descriptor {index}"),
        );
    }
}

pub(super) unsafe extern "C" fn list_remove_by_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFIORESLIST,
    descriptor: sys::PIO_RESOURCE_DESCRIPTOR,
) {
    let Some(call) = Call::enter(globals, "WdfIoResourceListRemoveByDescriptor", DISPATCH) else {
        return;
    };
    let Some(list) = call.object::<DescriptorList>(list) else {
        return;
    };
    // SAFETY: the driver passes an IO_RESOURCE_DESCRIPTOR, which is eight words.
    let Some(descriptor) = (unsafe { given::<IoDescriptor, _>(&call, descriptor) }) else {
        return;
    };
    let mut state = list.state.lock();
    let index = state.position(&descriptor);
    let removed = index.is_some_and(|index| state.remove(index));
    drop(state);
    if !removed {
        call.violated(
            &violation::INDEX,
            format_args!("the list has no such descriptor"),
        );
    }
}

/// A resource list that may be written, or the status that refuses it.
fn writable(call: &Call<'_>, list: sys::WDFCMRESLIST) -> Result<Ref<AssignedList>, sys::NTSTATUS> {
    let list = call
        .object::<AssignedList>(list)
        .ok_or(sys::STATUS_INVALID_HANDLE)?;
    if list.writable {
        Ok(list)
    } else {
        Err(sys::STATUS_ACCESS_DENIED)
    }
}

pub(super) unsafe extern "C" fn assigned_append_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFCMRESLIST,
    descriptor: sys::PCM_PARTIAL_RESOURCE_DESCRIPTOR,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfCmResourceListAppendDescriptor", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let list = match writable(&call, list) {
        Ok(list) => list,
        Err(status) => return status,
    };
    // SAFETY: the driver passes a CM_PARTIAL_RESOURCE_DESCRIPTOR, which is five words.
    let Some(descriptor) = (unsafe { given(&call, descriptor) }) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    list.state.lock().append(descriptor)
}

pub(super) unsafe extern "C" fn assigned_insert_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFCMRESLIST,
    descriptor: sys::PCM_PARTIAL_RESOURCE_DESCRIPTOR,
    index: sys::ULONG,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfCmResourceListInsertDescriptor", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let list = match writable(&call, list) {
        Ok(list) => list,
        Err(status) => return status,
    };
    // SAFETY: the driver passes a CM_PARTIAL_RESOURCE_DESCRIPTOR, which is five words.
    let Some(descriptor) = (unsafe { given(&call, descriptor) }) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    list.state.lock().insert(index, descriptor)
}

pub(super) unsafe extern "C" fn assigned_get_count(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFCMRESLIST,
) -> sys::ULONG {
    let Some(call) = Call::enter(globals, "WdfCmResourceListGetCount", DISPATCH) else {
        return 0;
    };
    call.object::<AssignedList>(list)
        .map_or(0, |list| list.state.lock().entries.len() as u32)
}

pub(super) unsafe extern "C" fn assigned_get_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFCMRESLIST,
    index: sys::ULONG,
) -> sys::PCM_PARTIAL_RESOURCE_DESCRIPTOR {
    let Some(call) = Call::enter(globals, "WdfCmResourceListGetDescriptor", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<AssignedList>(list)
        .map_or(ptr::null_mut(), |list| list.state.lock().get(index).cast())
}

pub(super) unsafe extern "C" fn assigned_remove(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFCMRESLIST,
    index: sys::ULONG,
) {
    let Some(call) = Call::enter(globals, "WdfCmResourceListRemove", DISPATCH) else {
        return;
    };
    remove_assigned(&call, list, |_| Some(index as usize));
}

pub(super) unsafe extern "C" fn assigned_remove_by_descriptor(
    globals: sys::PWDF_DRIVER_GLOBALS,
    list: sys::WDFCMRESLIST,
    descriptor: sys::PCM_PARTIAL_RESOURCE_DESCRIPTOR,
) {
    let Some(call) = Call::enter(globals, "WdfCmResourceListRemoveByDescriptor", DISPATCH) else {
        return;
    };
    // SAFETY: the driver passes a CM_PARTIAL_RESOURCE_DESCRIPTOR, which is five words.
    let Some(descriptor) = (unsafe { given::<CmDescriptor, _>(&call, descriptor) }) else {
        return;
    };
    remove_assigned(&call, list, |entries| entries.position(&descriptor));
}

fn remove_assigned(
    call: &Call<'_>,
    list: sys::WDFCMRESLIST,
    find: impl FnOnce(&Entries<CmDescriptor>) -> Option<usize>,
) {
    match writable(call, list) {
        Ok(list) => {
            let mut state = list.state.lock();
            let index = find(&state);
            let removed = index.is_some_and(|index| state.remove(index));
            drop(state);
            if !removed {
                call.violated(
                    &violation::INDEX,
                    format_args!("the list has no such descriptor"),
                );
            }
        }
        Err(sys::STATUS_ACCESS_DENIED) => {
            call.violated(&violation::VALUE, format_args!("the list is read-only"))
        }
        Err(_) => {}
    }
}
