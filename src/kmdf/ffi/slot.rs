//! [`Slot`]: contexts in the framework's memory.
//!
//! # Safety
//!
//! The framework gives an object the memory that its attributes ask for, zeroed, and keeps it as long as the object.
#![expect(unsafe_code, reason = "reads and writes memory of the framework")]

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::sys;

/// A description of contexts, which the framework knows by its address.
///
/// The cell keeps it in writable memory, as C has it, where the linker does not merge equal data.
pub(in crate::kmdf) struct ContextType(UnsafeCell<sys::WDF_OBJECT_CONTEXT_TYPE_INFO>);

// SAFETY: nobody writes it; the cell only decides where it lies.
unsafe impl Sync for ContextType {}

impl ContextType {
    /// A description with the address `this`.
    pub(super) const fn new(name: &'static CStr, this: *const Self) -> Self {
        Self(UnsafeCell::new(sys::WDF_OBJECT_CONTEXT_TYPE_INFO {
            Size: size_of::<sys::WDF_OBJECT_CONTEXT_TYPE_INFO>() as u32,
            ContextName: name.as_ptr().cast_mut(),
            // What every context has at least; each object asks for its own size.
            ContextSize: size_of::<usize>(),
            // The cell is the description's only field.
            UniqueType: this.cast(),
            EvtDriverGetUniqueContextType: None,
        }))
    }
}

/// Context memory of an object. All zero, as the framework makes it, it is an empty slot.
///
/// # Invariants
///
/// `present` is set exactly while `value` is initialised.
pub(super) struct Slot<T> {
    value: UnsafeCell<MaybeUninit<T>>,
    present: AtomicBool,
}

impl<T> Slot<T> {
    /// The framework aligns contexts to this (MEMORY_ALLOCATION_ALIGNMENT on amd64).
    const ALIGNMENT: usize = 16;

    /// Attributes of an object that gets such a slot. `destroy` is to call [`destroy`](Self::destroy).
    pub(super) fn attributes(
        description: &'static ContextType,
        cleanup: sys::PFN_WDF_OBJECT_CONTEXT_CLEANUP,
        destroy: sys::PFN_WDF_OBJECT_CONTEXT_DESTROY,
    ) -> sys::WDF_OBJECT_ATTRIBUTES {
        const {
            assert!(
                align_of::<Self>() <= Self::ALIGNMENT,
                "the framework cannot align this context"
            )
        };
        sys::WDF_OBJECT_ATTRIBUTES {
            Size: size_of::<sys::WDF_OBJECT_ATTRIBUTES>() as u32,
            EvtCleanupCallback: cleanup,
            EvtDestroyCallback: destroy,
            ExecutionLevel: sys::_WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
            SynchronizationScope:
                sys::_WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
            ContextSizeOverride: size_of::<Self>().max(size_of::<usize>()),
            ContextTypeInfo: description.0.get(),
            ..Default::default()
        }
    }

    /// The slot of `object`.
    ///
    /// # Safety
    ///
    /// The handle is good while `'a` lasts, and the object was created with [`Slot::<T>::attributes`](Self::attributes) of
    /// `description`.
    #[inline]
    pub(super) unsafe fn of<'a>(
        object: sys::WDFOBJECT,
        description: &'static ContextType,
    ) -> Option<&'a Self> {
        // SAFETY: the handle is good, and the description is one that the framework may know.
        let memory = unsafe { sys::WdfObjectGetTypedContextWorker(object, description.0.get()) };
        // SAFETY: the framework answers null, or the memory that goes with this description, which is as large as the
        // attributes asked, aligned as they checked, was zero at first, and lives as long as the object.
        unsafe { memory.cast::<Self>().as_ref() }
    }

    fn pointer(&self) -> *mut T {
        self.value.get().cast()
    }

    #[inline]
    pub(super) fn get(&self) -> Option<&T> {
        if !self.present.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: by the invariant the value is initialised. It is taken only when no callback that gets it runs or will
        // run; see `take`.
        Some(unsafe { &*self.pointer() })
    }

    /// Puts `value` in.
    ///
    /// # Safety
    ///
    /// The slot is empty, and nobody else installs or takes at the same time.
    pub(super) unsafe fn install(&self, value: T) {
        // SAFETY: the slot is empty, so nobody has a reference to the value, and nobody else writes it.
        unsafe { self.pointer().write(value) };
        // INVARIANT: initialised just above.
        self.present.store(true, Ordering::Release);
    }

    /// Takes the value out, if there is one.
    ///
    /// # Safety
    ///
    /// Nobody borrows the value, and nobody else installs or takes at the same time.
    pub(super) unsafe fn take(&self) -> Option<T> {
        if !self.present.swap(false, Ordering::AcqRel) {
            return None;
        }
        // SAFETY: the value was initialised, by the invariant, and with `present` cleared it is not read again.
        Some(unsafe { self.pointer().read() })
    }

    /// Drops the value, if there is one: what EvtDestroyCallback of an object does.
    ///
    /// # Safety
    ///
    /// The framework calls its EvtDestroyCallback with `object`, which was created with attributes of `description`.
    pub(super) unsafe fn destroy(object: sys::WDFOBJECT, description: &'static ContextType) {
        // SAFETY: the framework keeps the contexts of an object until this callback has returned.
        let slot = unsafe { Self::of(object, description) };
        // SAFETY: the framework destroys an object once, when nobody refers to it any more, so no other callback of it
        // runs or will.
        drop(slot.and_then(|slot| unsafe { slot.take() }));
    }
}
