//! [`Kept`]: handles of objects that belong to a device, for who may have them longer than the device lasts.
//!
//! # Design
//!
//! The handle has to be taken away before the framework stops the object, or a timer could be started again in between. What the
//! framework does first with an object is to clean up its children; so each object gets a child, its gate, whose cleanup
//! callback takes the handle away. The object's own cleanup callback would be too late.
//!
//! # Safety
//!
//! The framework cleans an object up when its device goes, at PASSIVE_LEVEL, and keeps it until that has returned. The gate's callback
//! takes the handle away from its users and waits for those that have it in hand; so whoever gets at the handle has an object behind
//! it.
#![expect(
    unsafe_code,
    reason = "makes objects of the framework and their contexts"
)]

use core::fmt;

use super::revocable::Revocable;
use super::slot::{ContextType, Slot};
use crate::context::Shared;
use crate::irql::{Irql, Passive};
use crate::status::{Error, Result, Status};
use crate::sys;

/// A sort of objects that have a routine.
pub(in crate::kmdf) trait Kind: 'static {
    /// What the handle points to.
    type Raw: 'static;

    /// The description of the contexts of such objects, used for nothing else.
    fn description() -> &'static ContextType;
}

struct Handle<K: Kind>(*mut K::Raw);

// SAFETY: a handle is a number, which the framework takes from any thread.
unsafe impl<K: Kind> Send for Handle<K> {}
// SAFETY: as for `Send`.
unsafe impl<K: Kind> Sync for Handle<K> {}

static GATE: ContextType = ContextType::new(c"NmrNetdmaGate", &raw const GATE);

/// The handle of an object, while the object exists.
pub(in crate::kmdf) struct Kept<K: Kind>(Shared<Revocable<Handle<K>>>);

impl<K: Kind> Clone for Kept<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Kind> fmt::Debug for Kept<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<K: Kind> Kept<K> {
    /// Runs `body` with the handle, which is good meanwhile; `None` if the object is going or gone.
    #[inline]
    pub(super) fn with<T>(&self, body: impl FnOnce(*mut K::Raw) -> T) -> Option<T> {
        let access = self.0.access()?;
        Some(body(access.0))
    }
}

/// What the framework keeps for an object: its routine, and the handle that its users share.
pub(super) struct Context<K: Kind, R> {
    kept: Kept<K>,
    routine: R,
}

impl<K: Kind, R> Context<K, R> {
    pub(super) fn kept(&self) -> &Kept<K> {
        &self.kept
    }

    pub(super) fn routine(&self) -> &R {
        &self.routine
    }
}

/// Makes an object below `device` by `create`.
///
/// # Safety
///
/// * The device is good, and AddDevice has not returned.
/// * `create` creates an object of this kind with the attributes that it is given and, if it answers success, has stored the handle.
pub(super) unsafe fn create<K: Kind, R>(
    device: sys::WDFDEVICE,
    routine: R,
    irql: &mut Irql<Passive>,
    create: impl FnOnce(sys::PWDF_OBJECT_ATTRIBUTES, *mut *mut K::Raw) -> sys::NTSTATUS,
) -> Result<Kept<K>> {
    let kept =
        Shared::try_new(Revocable::new(), irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
    let kept = Kept(kept);
    let mut attributes =
        Slot::<Context<K, R>>::attributes(K::description(), None, Some(destroy::<K, R>));
    attributes.ParentObject = device.cast();
    let mut object = core::ptr::null_mut();
    Status(create(&raw mut attributes, &raw mut object)).into_result()?;
    // SAFETY: the object was just created with these attributes, and lives as long as its device.
    let slot = unsafe { Slot::<Context<K, R>>::of(object.cast(), K::description()) }
        .ok_or(Error::UNSUCCESSFUL)?;
    let context = Context {
        kept: kept.clone(),
        routine,
    };
    // SAFETY: the slot of a new object is empty, and nobody has the handle yet who could make the framework call the routine.
    unsafe { slot.install(context) };
    // SAFETY: the object was just created, and lives as long as its device.
    unsafe { create_gate(object.cast(), kept.clone()) }?;
    // It was made empty.
    let _ = kept.0.install(Handle(object), irql);
    Ok(kept)
}

/// Makes the gate of `object`.
///
/// # Safety
///
/// The object is good, and AddDevice has not returned.
unsafe fn create_gate<K: Kind>(object: sys::WDFOBJECT, kept: Kept<K>) -> Result<()> {
    let mut attributes =
        Slot::<Kept<K>>::attributes(&GATE, Some(shut::<K>), Some(destroy_gate::<K>));
    attributes.ParentObject = object;
    let mut gate = core::ptr::null_mut();
    // SAFETY: the parent is good by the contract of this function; attributes and handle live during the call, and the level is
    // PASSIVE_LEVEL in AddDevice.
    let status = unsafe { sys::WdfObjectCreate(&raw mut attributes, &raw mut gate) };
    Status(status).into_result()?;
    // SAFETY: the gate was just created with these attributes, and lives as long as its parent.
    let slot = unsafe { Slot::<Kept<K>>::of(gate, &GATE) }.ok_or(Error::UNSUCCESSFUL)?;
    // SAFETY: the slot of a new object is empty, and AddDevice keeps the framework from cleaning up.
    unsafe { slot.install(kept) };
    Ok(())
}

/// The context of `object`.
///
/// # Safety
///
/// [`create`] made the object, of this kind and for an `R`, and it is good while `'a` lasts.
#[inline]
pub(super) unsafe fn context<'a, K: Kind, R>(object: *mut K::Raw) -> Option<&'a Context<K, R>> {
    // SAFETY: by the contract of this function.
    unsafe { Slot::of(object.cast(), K::description()) }?.get()
}

/// EvtCleanupCallback of a gate.
unsafe extern "C" fn shut<K: Kind>(gate: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that `create_gate` made, and keeps it during the callback.
    if let Some(kept) = unsafe { Slot::<Kept<K>>::of(gate, &GATE) }.and_then(Slot::get) {
        // SAFETY: a gate is cleaned up with its device only, and devices are cleaned up at PASSIVE_LEVEL.
        let mut irql = unsafe { Irql::assume() };
        kept.0.revoke(&mut irql);
    }
}

/// EvtDestroyCallback of a gate.
unsafe extern "C" fn destroy_gate<K: Kind>(gate: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that `create_gate` made, in this callback of it.
    unsafe { Slot::<Kept<K>>::destroy(gate, &GATE) };
}

/// EvtDestroyCallback of an object.
unsafe extern "C" fn destroy<K: Kind, R>(object: sys::WDFOBJECT) {
    // SAFETY: the framework passes the object that `create` made, in this callback of it.
    unsafe { Slot::<Context<K, R>>::destroy(object, K::description()) };
}
