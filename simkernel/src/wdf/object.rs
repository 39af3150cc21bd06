//! Handles, the tree of objects, contexts, references and deletion.
//!
//! # Design
//!
//! Deletion is two passes over the subtree. Cleanup: children in creation order, each with its whole subtree first, then the
//! object's own rundown and its cleanup callbacks. Destroy: deepest first again; an object that nobody holds a reference to
//! runs its destroy callbacks and its memory goes. A held reference defers only the second.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

use nmr_netdma::sys;

use super::deferred::{Dpc, Timer, WorkItem};
use super::device::{Device, DeviceInit};
use super::driver::FrameworkDriver;
use super::interrupt::Interrupt;
use super::locks::{ObjectLock, SpinLock, WaitLock};
use super::queue::{self, Queue};
use super::registry::Key;
use super::request::Request;
use super::resources::{AssignedList, DescriptorList, RequirementsList};
use super::{ANY, Call, DISPATCH, callback, violation};
use crate::ke;
use crate::kernel::Machine;
use crate::platform::{self, Mutex};
use crate::pnp::driver::Driver;

/// What an object is.
pub(super) enum Payload {
    Driver(FrameworkDriver),
    DeviceInit(DeviceInit),
    Device(Device),
    Interrupt(Interrupt),
    RequirementsList(RequirementsList),
    DescriptorList(DescriptorList),
    AssignedList(AssignedList),
    Dpc(Dpc),
    WorkItem(WorkItem),
    Timer(Timer),
    SpinLock(SpinLock),
    WaitLock(WaitLock),
    Key(Key),
    Queue(Queue),
    Request(Request),
    General(General),
}

/// An object that is nothing but its contexts.
pub(super) struct General;

/// A type of object.
pub(super) trait Kind: Sized {
    /// What a pointer to this is the handle.
    type Handle;
    const NAME: &'static str;
    fn of(payload: &Payload) -> Option<&Self>;
}

macro_rules! kinds {
    ($($variant:ident($kind:ty): $name:literal, $handle:ty, $delete:literal, $passive:literal;)*) => {
        $(
            impl Kind for $kind {
                type Handle = $handle;
                const NAME: &'static str = $name;

                fn of(payload: &Payload) -> Option<&Self> {
                    match payload {
                        Payload::$variant(kind) => Some(kind),
                        _ => None,
                    }
                }
            }
        )*

        impl Payload {
            /// The name of its type.
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Whether a driver may delete it.
            fn deletable(&self) -> bool {
                match self {
                    $(Self::$variant(_) => $delete,)*
                }
            }

            /// Whether its cleanup needs `PASSIVE_LEVEL`.
            fn passive(&self) -> bool {
                match self {
                    $(Self::$variant(_) => $passive,)*
                }
            }
        }
    };
}

// Type, what its handle points to in C, whether drivers may delete it, whether its cleanup needs PASSIVE_LEVEL.
kinds! {
    Driver(FrameworkDriver): "WDFDRIVER", sys::WDFDRIVER__, false, true;
    DeviceInit(DeviceInit): "WDFDEVICE_INIT", sys::WDFDEVICE_INIT, false, true;
    Device(Device): "WDFDEVICE", sys::WDFDEVICE__, false, true;
    Interrupt(Interrupt): "WDFINTERRUPT", sys::WDFINTERRUPT__, false, true;
    RequirementsList(RequirementsList): "WDFIORESREQLIST", sys::WDFIORESREQLIST__, false, false;
    DescriptorList(DescriptorList): "WDFIORESLIST", sys::WDFIORESLIST__, false, false;
    AssignedList(AssignedList): "WDFCMRESLIST", sys::WDFCMRESLIST__, false, false;
    Dpc(Dpc): "WDFDPC", sys::WDFDPC__, true, true;
    WorkItem(WorkItem): "WDFWORKITEM", sys::WDFWORKITEM__, true, true;
    Timer(Timer): "WDFTIMER", sys::WDFTIMER__, true, true;
    SpinLock(SpinLock): "WDFSPINLOCK", sys::WDFSPINLOCK__, true, false;
    WaitLock(WaitLock): "WDFWAITLOCK", sys::WDFWAITLOCK__, true, false;
    Key(Key): "WDFKEY", sys::WDFKEY__, true, false;
    Queue(Queue): "WDFQUEUE", sys::WDFQUEUE__, true, true;
    Request(Request): "WDFREQUEST", sys::WDFREQUEST__, false, false;
    General(General): "WDFOBJECT", core::ffi::c_void, true, false;
}

/// A block of the simulated pool.
pub(super) struct Block(NonNull<u8>);

/// `FxOb`, as it shows in a list of blocks.
const TAG: u32 = u32::from_le_bytes(*b"FxOb");

// SAFETY: the block is owned, and no method gives access to it but as a raw pointer.
unsafe impl Send for Block {}
// SAFETY: as for `Send`.
unsafe impl Sync for Block {}

impl Block {
    /// A zeroed block; `None` if the pool refuses.
    pub(super) fn new(bytes: usize) -> Option<Self> {
        let bytes = bytes.max(1);
        // SAFETY: creating functions may be called up to DISPATCH_LEVEL, at which the nonpaged pool may be used.
        let block =
            unsafe { sys::ExAllocatePoolWithTag(sys::_POOL_TYPE::NonPagedPool, bytes as u64, TAG) };
        let block = NonNull::new(block.cast::<u8>())?;
        // SAFETY: the pool gave `bytes` bytes for exclusive use.
        unsafe { block.write_bytes(0, bytes) };
        Some(Self(block))
    }

    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.0.as_ptr()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the block came from the pool with this tag and is freed once, here.
        unsafe { sys::ExFreePoolWithTag(self.0.as_ptr().cast(), TAG) };
    }
}

/// The type of a context, and the callbacks that came with it.
#[derive(Clone, Copy, Default)]
pub(super) struct ContextType {
    /// The address of the type info; 0 for callbacks without a context.
    unique: usize,
    size: usize,
    cleanup: sys::PFN_WDF_OBJECT_CONTEXT_CLEANUP,
    destroy: sys::PFN_WDF_OBJECT_CONTEXT_DESTROY,
}

/// One context of an object.
struct Context {
    kind: ContextType,
    memory: Option<Block>,
}

/// Where an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alive,
    /// Deleted, its children are being cleaned up.
    Deleted,
    /// The framework stops it, or has; its own cleanup follows.
    RunDown,
    /// Only the context may be touched.
    Destroying,
}

/// An object of the framework.
pub(super) struct Object {
    pub(super) handle: usize,
    pub(super) payload: Payload,
    /// Whose it is.
    pub(super) driver: Arc<Driver>,
    pub(super) lock: ObjectLock,
    tree: Mutex<Tree>,
    /// What the object itself costs in pool.
    block: Mutex<Option<Block>>,
}

struct Tree {
    stage: Stage,
    references: u32,
    /// Whether one of the references is the object's own, which deletion gives up.
    own: bool,
    parent: Weak<Object>,
    children: Vec<Arc<Object>>,
    contexts: Vec<Context>,
}

impl Object {
    /// `WDFSPINLOCK 0x.. of driver x`
    pub(super) fn describe(&self) -> String {
        let references = self.tree.lock().references;
        let held = if references > 1 || self.tree.lock().stage != Stage::Alive {
            format!(", {references} references")
        } else {
            String::new()
        };
        format!("{} of {}{held}", self.payload.name(), self.owner())
    }

    /// Whose callbacks it has: the device's name, or the driver's.
    pub(super) fn owner(&self) -> String {
        match &self.payload {
            Payload::Device(device) => device.node.name.clone(),
            Payload::Interrupt(interrupt) => interrupt.node.name.clone(),
            _ => match self.parent() {
                Some(parent) if Driver::handle(&self.driver) != parent.handle => parent.owner(),
                _ => self.driver.name.clone(),
            },
        }
    }

    pub(super) fn parent(&self) -> Option<Arc<Object>> {
        self.tree.lock().parent.upgrade()
    }

    /// The closest WDFDEVICE among the object and its ancestors.
    pub(super) fn device(self: &Arc<Self>) -> Option<Arc<Object>> {
        let mut object = Some(Arc::clone(self));
        while let Some(current) = object {
            if matches!(current.payload, Payload::Device(_)) {
                return Some(current);
            }
            object = current.parent();
        }
        None
    }

    /// Leaves its memory to the pool, which lists it: for an object that is left when the machine ends.
    pub(super) fn abandon(&self) {
        core::mem::forget(core::mem::take(&mut self.tree.lock().contexts));
        core::mem::forget(self.block.lock().take());
    }

    /// Whether it is not deleted.
    pub(super) fn alive(&self) -> bool {
        self.tree.lock().stage == Stage::Alive
    }

    /// Whether the framework has not begun to stop it.
    pub(super) fn can_run(&self) -> bool {
        self.tree.lock().stage < Stage::RunDown
    }

    pub(super) fn children(&self) -> Vec<Arc<Object>> {
        self.tree.lock().children.clone()
    }
}

/// A checked object of type `T`.
pub(super) struct Ref<T> {
    object: Arc<Object>,
    kind: PhantomData<T>,
}

impl<T: Kind> Ref<T> {
    pub(super) fn new(object: Arc<Object>) -> Option<Self> {
        T::of(&object.payload).is_some().then_some(Self {
            object,
            kind: PhantomData,
        })
    }

    pub(super) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// The handle as C has it.
    pub(super) fn handle(&self) -> *mut T::Handle
    where
        T::Handle: Sized,
    {
        ptr::without_provenance_mut(self.object.handle)
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Self {
            object: Arc::clone(&self.object),
            kind: PhantomData,
        }
    }
}

impl<T: Kind> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match T::of(&self.object.payload) {
            Some(kind) => kind,
            // `new` looked, and a payload does not change its variant.
            None => platform::fatal("simkernel: an object changed its type"),
        }
    }
}

/// All objects of a machine.
#[derive(Default)]
pub(super) struct Objects {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    live: BTreeMap<usize, Arc<Object>>,
    dead: BTreeMap<usize, String>,
    /// Start of a context to its object.
    contexts: BTreeMap<usize, usize>,
}

impl Objects {
    pub(super) fn find(&self, handle: usize) -> Option<Arc<Object>> {
        self.table.lock().live.get(&handle).cloned()
    }

    /// What a handle was that is none any more.
    pub(super) fn dead(&self, handle: usize) -> Option<String> {
        self.table.lock().dead.get(&handle).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Object>> {
        self.table.lock().live.values().cloned().collect()
    }

    fn insert(&self, object: &Arc<Object>) {
        self.table
            .lock()
            .live
            .insert(object.handle, Arc::clone(object));
    }

    fn remove(&self, object: &Object) {
        let description = format!("a {} of {}", object.payload.name(), object.driver.name);
        let mut table = self.table.lock();
        table.contexts.retain(|_, handle| *handle != object.handle);
        table.live.remove(&object.handle);
        table.dead.insert(object.handle, description);
    }
}

/// What WDF_OBJECT_ATTRIBUTES says, checked.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) parent: Option<Arc<Object>>,
    /// The execution level is PASSIVE_LEVEL.
    pub(super) passive: bool,
    context: Option<ContextType>,
}

/// What an object's type allows in its attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    Refused,
    Optional,
    Required,
}

/// Reads WDF_OBJECT_ATTRIBUTES, with the checks in the framework's order.
///
/// # Safety
///
/// `attributes` is null or points to the structure, whose type info, if there is one, is readable.
pub(super) unsafe fn attributes(
    call: &Call<'_>,
    attributes: *const sys::WDF_OBJECT_ATTRIBUTES,
    parent: Parent,
    levels: bool,
) -> Result<Attributes, sys::NTSTATUS> {
    if attributes.is_null() {
        return match parent {
            Parent::Required => Err(sys::STATUS_WDF_PARENT_NOT_SPECIFIED),
            _ => Ok(Attributes::default()),
        };
    }
    // SAFETY: the caller passes a readable structure that begins with its size.
    let given = unsafe { call.sized("ObjectAttributes", attributes, &[56]) }?;
    let mut context = ContextType {
        unique: given.ContextTypeInfo.addr(),
        size: 0,
        cleanup: given.EvtCleanupCallback,
        destroy: given.EvtDestroyCallback,
    };
    if given.ContextTypeInfo.is_null() {
        if given.ContextSizeOverride != 0 {
            return Err(sys::STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
        }
    } else {
        // SAFETY: the driver's type info is readable and begins with its size.
        let info = unsafe { call.sized("ContextTypeInfo", given.ContextTypeInfo, &[40]) }?;
        if info.ContextSize > 0 && info.ContextName.is_null()
            || given.ContextSizeOverride != 0 && given.ContextSizeOverride < info.ContextSize
        {
            return Err(sys::STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
        }
        context.size = given.ContextSizeOverride.max(info.ContextSize);
    }
    let parent = match (parent, given.ParentObject.addr()) {
        (Parent::Required, 0) => return Err(sys::STATUS_WDF_PARENT_NOT_SPECIFIED),
        (_, 0) => None,
        (Parent::Refused, _) => return Err(sys::STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED),
        (_, handle) => Some(
            call.any(handle, Some("ParentObject"))
                .ok_or(sys::STATUS_INVALID_HANDLE)?,
        ),
    };
    let (level, scope) = (given.ExecutionLevel, given.SynchronizationScope);
    if !(1..=3).contains(&level) || !(1..=4).contains(&scope) {
        return Err(sys::STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    }
    if !levels {
        // Inherit or none, and inherit: whatever else they say would have no meaning.
        if scope != 1 && scope != 4 {
            return Err(sys::STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID);
        }
        if level != 1 {
            return Err(sys::STATUS_WDF_EXECUTION_LEVEL_INVALID);
        }
    }
    let used = context.unique != 0 || context.cleanup.is_some() || context.destroy.is_some();
    Ok(Attributes {
        parent,
        passive: level == sys::_WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive,
        context: used.then_some(context),
    })
}

/// Makes an object. Its parent is the one in the attributes, else `parent`.
pub(super) fn create(
    machine: &Machine,
    driver: Arc<Driver>,
    parent: Option<Arc<Object>>,
    attributes: Attributes,
    payload: impl FnOnce(usize) -> Payload,
) -> Result<Arc<Object>, sys::NTSTATUS> {
    static NEXT: AtomicU64 = AtomicU64::new(1);

    let parent = attributes.parent.or(parent);
    if let Some(parent) = &parent
        && !parent.alive()
    {
        return Err(sys::STATUS_DELETE_PENDING);
    }
    let block = Block::new(64).ok_or(sys::STATUS_INSUFFICIENT_RESOURCES)?;
    // Never used twice, and no address of anything.
    let handle = 0x5744_0000_0000_0000 | (NEXT.fetch_add(1, Ordering::Relaxed) << 3) as usize;
    let context = attributes.context.map(allocate).transpose()?;
    let object = Arc::new(Object {
        handle,
        payload: payload(handle),
        driver,
        lock: ObjectLock::default(),
        tree: Mutex::new(Tree {
            stage: Stage::Alive,
            references: 1,
            own: true,
            parent: parent.as_ref().map_or_else(Weak::new, Arc::downgrade),
            children: Vec::new(),
            contexts: Vec::new(),
        }),
        block: Mutex::new(Some(block)),
    });
    machine.wdf.objects.insert(&object);
    if let Some(context) = context {
        attach(machine, &object, context);
    }
    if let Some(parent) = parent {
        parent.tree.lock().children.push(Arc::clone(&object));
    }
    Ok(object)
}

fn allocate(kind: ContextType) -> Result<Context, sys::NTSTATUS> {
    let memory = match kind.unique {
        0 => None,
        _ => Some(Block::new(kind.size).ok_or(sys::STATUS_INSUFFICIENT_RESOURCES)?),
    };
    Ok(Context { kind, memory })
}

fn attach(machine: &Machine, object: &Object, context: Context) -> Option<NonNull<u8>> {
    let memory = context.memory.as_ref().map(|block| block.0);
    if let Some(memory) = memory {
        machine
            .wdf
            .objects
            .table
            .lock()
            .contexts
            .insert(memory.addr().get(), object.handle);
    }
    object.tree.lock().contexts.push(context);
    memory
}

/// Deletes an object and its subtree.
pub(super) fn delete(machine: &Arc<Machine>, object: &Arc<Object>) {
    if begin_delete(object) {
        if ke::irql() > 0 && needs_passive(object) {
            let object = Arc::clone(object);
            let machine_of_worker = Arc::clone(machine);
            super::defer(machine, move || finish_delete(&machine_of_worker, &object));
        } else {
            finish_delete(machine, object);
        }
    }
}

/// Takes the object out of its parent; whether it was not deleted before.
fn begin_delete(object: &Arc<Object>) -> bool {
    let parent = {
        let mut tree = object.tree.lock();
        if tree.stage != Stage::Alive {
            return false;
        }
        tree.stage = Stage::Deleted;
        tree.parent.upgrade()
    };
    if let Some(parent) = parent {
        parent
            .tree
            .lock()
            .children
            .retain(|child| !Arc::ptr_eq(child, object));
    }
    true
}

fn finish_delete(machine: &Arc<Machine>, object: &Arc<Object>) {
    cleanup(machine, object);
    destroy(machine, object);
}

fn needs_passive(object: &Object) -> bool {
    object.payload.passive() || object.children().iter().any(|child| needs_passive(child))
}

/// The first pass, for an object that is marked as deleted.
pub(super) fn cleanup(machine: &Arc<Machine>, object: &Arc<Object>) {
    object.tree.lock().stage = Stage::Deleted;
    for child in object.children() {
        // A child whose deletion another thread has begun is not ours.
        let ours = {
            let mut tree = child.tree.lock();
            core::mem::replace(&mut tree.stage, Stage::Deleted) == Stage::Alive
        };
        if ours {
            cleanup(machine, &child);
        }
    }
    object.tree.lock().stage = Stage::RunDown;
    match &object.payload {
        Payload::Interrupt(interrupt) => interrupt.rundown(machine),
        Payload::Dpc(dpc) => dpc.rundown(machine),
        Payload::WorkItem(item) => item.rundown(),
        Payload::Timer(timer) => timer.rundown(machine),
        Payload::Queue(queue) => queue::rundown(machine, queue),
        _ => {}
    }
    let callbacks: Vec<_> = object
        .tree
        .lock()
        .contexts
        .iter()
        .map(|context| context.kind.cleanup)
        .collect();
    for cleanup in callbacks.into_iter().flatten() {
        callback(
            "EvtCleanupCallback",
            &object.owner(),
            object.handle,
            ke::irql(),
            || {
                // SAFETY: the driver gave this callback for this object, which exists until its destroy pass.
                unsafe { cleanup(ptr::without_provenance_mut(object.handle)) }
            },
        );
    }
}

/// The second pass.
pub(super) fn destroy(machine: &Arc<Machine>, object: &Arc<Object>) {
    destroy_children(machine, object);
    object.tree.lock().own = false;
    dereference(machine, object);
}

pub(super) fn destroy_children(machine: &Arc<Machine>, object: &Arc<Object>) {
    let children = core::mem::take(&mut object.tree.lock().children);
    for child in children {
        destroy(machine, &child);
    }
}

/// Gives up one reference of an object; the last one destroys it.
fn dereference(machine: &Arc<Machine>, object: &Arc<Object>) {
    let destroys: Vec<_> = {
        let mut tree = object.tree.lock();
        tree.references = tree.references.saturating_sub(1);
        if tree.references > 0 {
            return;
        }
        tree.stage = Stage::Destroying;
        tree.contexts
            .iter()
            .map(|context| context.kind.destroy)
            .collect()
    };
    for destroy in destroys.into_iter().flatten() {
        callback(
            "EvtDestroyCallback",
            &object.driver.name,
            object.handle,
            ke::irql(),
            || {
                // SAFETY: the driver gave this callback for this object, whose contexts exist until it returns.
                unsafe { destroy(ptr::without_provenance_mut(object.handle)) }
            },
        );
    }
    machine.wdf.objects.remove(object);
    // The contexts go now, whoever still looks at the object.
    let contexts = core::mem::take(&mut object.tree.lock().contexts);
    drop(contexts);
}

pub(super) unsafe extern "C" fn get_typed_context_worker(
    globals: sys::PWDF_DRIVER_GLOBALS,
    handle: sys::WDFOBJECT,
    info: sys::PCWDF_OBJECT_CONTEXT_TYPE_INFO,
) -> sys::PVOID {
    let Some(call) = Call::enter(globals, "WdfObjectGetTypedContextWorker", ANY) else {
        return ptr::null_mut();
    };
    let Some(object) = call.any(handle.addr(), None) else {
        return ptr::null_mut();
    };
    if !call.given("TypeInfo", info) {
        return ptr::null_mut();
    }
    context(&object, info.addr()).map_or(ptr::null_mut(), |memory| memory.as_ptr().cast())
}

fn context(object: &Object, unique: usize) -> Option<NonNull<u8>> {
    let tree = object.tree.lock();
    tree.contexts
        .iter()
        .find(|context| context.kind.unique == unique)
        .and_then(|context| Some(context.memory.as_ref()?.0))
}

pub(super) unsafe extern "C" fn allocate_context(
    globals: sys::PWDF_DRIVER_GLOBALS,
    handle: sys::WDFOBJECT,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::PVOID,
) -> sys::NTSTATUS {
    let Some(call) = Call::enter(globals, "WdfObjectAllocateContext", DISPATCH) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(object) = call.any(handle.addr(), None) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    if !call.given("ContextAttributes", given) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes WDF_OBJECT_ATTRIBUTES, as the page of WdfObjectAllocateContext demands.
    let attributes = match unsafe { attributes(&call, given, Parent::Optional, true) } {
        Ok(attributes) => attributes,
        Err(status) => return status,
    };
    let Some(kind) = attributes.context.filter(|kind| kind.unique != 0) else {
        return sys::STATUS_OBJECT_NAME_INVALID;
    };
    let (memory, status) = match context(&object, kind.unique) {
        Some(memory) => (memory, sys::STATUS_OBJECT_NAME_EXISTS),
        None if !object.alive() => return sys::STATUS_DELETE_PENDING,
        None => match allocate(kind) {
            Ok(context) => match attach(call.machine, &object, context) {
                Some(memory) => (memory, sys::STATUS_SUCCESS),
                None => return sys::STATUS_OBJECT_NAME_INVALID,
            },
            Err(status) => return status,
        },
    };
    // SAFETY: the driver passes null or a place for the pointer.
    unsafe { call.store(result, memory.as_ptr().cast()) };
    status
}

pub(super) unsafe extern "C" fn context_get_object(
    globals: sys::PWDF_DRIVER_GLOBALS,
    context: sys::PVOID,
) -> sys::WDFOBJECT {
    let Some(call) = Call::enter(globals, "WdfObjectContextGetObject", ANY) else {
        return ptr::null_mut();
    };
    let handle = call
        .machine
        .wdf
        .objects
        .table
        .lock()
        .contexts
        .get(&context.addr())
        .copied();
    match handle {
        Some(handle) => ptr::without_provenance_mut(handle),
        None => {
            call.violated(
                &violation::CONTEXT,
                format_args!("{context:p} is not the start of a context"),
            );
            ptr::null_mut()
        }
    }
}

pub(super) unsafe extern "C" fn reference_actual(
    globals: sys::PWDF_DRIVER_GLOBALS,
    handle: sys::WDFOBJECT,
    _tag: sys::PVOID,
    _line: sys::LONG,
    _file: sys::PCCH,
) {
    let Some(call) = Call::enter(globals, "WdfObjectReference", DISPATCH) else {
        return;
    };
    let Some(object) = call.any(handle.addr(), None) else {
        return;
    };
    let mut tree = object.tree.lock();
    if tree.stage == Stage::Destroying {
        drop(tree);
        call.violated(
            &violation::REFERENCE,
            format_args!("{} is being destroyed", object.describe()),
        );
    } else {
        tree.references += 1;
    }
}

pub(super) unsafe extern "C" fn dereference_actual(
    globals: sys::PWDF_DRIVER_GLOBALS,
    handle: sys::WDFOBJECT,
    _tag: sys::PVOID,
    _line: sys::LONG,
    _file: sys::PCCH,
) {
    let Some(call) = Call::enter(globals, "WdfObjectDereference", DISPATCH) else {
        return;
    };
    let Some(object) = call.any(handle.addr(), None) else {
        return;
    };
    let refused = {
        let tree = object.tree.lock();
        tree.stage == Stage::Destroying || tree.own && tree.references == 1
    };
    if refused {
        call.violated(
            &violation::REFERENCE,
            format_args!("{} has no reference to give up", object.describe()),
        );
    } else {
        dereference(call.machine, &object);
    }
}

pub(super) unsafe extern "C" fn create_general(
    globals: sys::PWDF_DRIVER_GLOBALS,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFOBJECT,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfObjectCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES, and a place for the handle.
    unsafe { create_simple(&call, given, result, |_| Payload::General(General)) }
}

/// Makes an object of a type whose parent is the driver if no other is named, and which takes no level and no scope.
///
/// # Safety
///
/// `given` is null or points to WDF_OBJECT_ATTRIBUTES; `result` is null or writable.
pub(super) unsafe fn create_simple<H>(
    call: &Call<'_>,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut *mut H,
    payload: impl FnOnce(usize) -> Payload,
) -> sys::NTSTATUS {
    if !call.given("the place for the handle", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the caller passes null or the structure.
    let attributes = match unsafe { attributes(call, given, Parent::Optional, false) } {
        Ok(attributes) => attributes,
        Err(status) => return status,
    };
    let driver = match &attributes.parent {
        Some(parent) => Arc::clone(&parent.driver),
        None => match call.driver() {
            Some(driver) => driver,
            None => return sys::STATUS_INVALID_DEVICE_STATE,
        },
    };
    let parent = call.machine.wdf.objects.find(driver.handle());
    match create(call.machine, driver, parent, attributes, payload) {
        Ok(object) => {
            // SAFETY: the caller passes a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(object.handle)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn delete_object(
    globals: sys::PWDF_DRIVER_GLOBALS,
    handle: sys::WDFOBJECT,
) {
    let Some(call) = Call::enter(globals, "WdfObjectDelete", DISPATCH) else {
        return;
    };
    let Some(object) = call.any(handle.addr(), None) else {
        return;
    };
    if !object.payload.deletable() {
        call.violated(
            &violation::DELETE,
            format_args!("{} cannot be deleted by a driver", object.describe()),
        );
    } else if !object.alive() {
        call.violated(
            &violation::DELETE,
            format_args!("{} is deleted already", object.describe()),
        );
    } else {
        delete(call.machine, &object);
    }
}

pub(super) unsafe extern "C" fn acquire_lock(
    globals: sys::PWDF_DRIVER_GLOBALS,
    handle: sys::WDFOBJECT,
) {
    let Some(call) = Call::enter(globals, "WdfObjectAcquireLock", DISPATCH) else {
        return;
    };
    if let Some(device) = call.object::<Device>(handle.cast_const().cast()) {
        device.object().lock.acquire(&call);
    }
}

pub(super) unsafe extern "C" fn release_lock(
    globals: sys::PWDF_DRIVER_GLOBALS,
    handle: sys::WDFOBJECT,
) {
    let Some(call) = Call::enter(globals, "WdfObjectReleaseLock", DISPATCH) else {
        return;
    };
    if let Some(device) = call.object::<Device>(handle.cast_const().cast()) {
        device.object().lock.release(&call);
    }
}
