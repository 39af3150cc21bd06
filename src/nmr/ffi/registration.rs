//! [`Live`] and [`Ending`]: a registered module, and one that is being deregistered.
//!
//! # Safety
//!
//! The unsafe code of this file registers a block of memory with NMR and takes it back when NMR has let go of it. What it relies on
//! of NMR stands at the head of `ffi`.
#![expect(unsafe_code, reason = "registers with NMR and deregisters")]

use core::cell::Cell;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};

use super::callbacks::Callbacks;
use super::peer::{is_as_declared, module_id};
use super::{
    client_attach, client_cleanup, client_detach, provider_attach, provider_cleanup,
    provider_detach,
};
use crate::context::PoolBox;
use crate::debug::debug_print;
use crate::guid::Guid;
use crate::irql::{self, AtMostDispatch, BelowDispatch, Irql, Passive};
use crate::lifetime::{Hold, Image, Name};
use crate::nmr::Failed;
use crate::nmr::client::Client;
use crate::nmr::identity::{Identity, ModuleId};
use crate::nmr::npi::{Npi, Table};
use crate::nmr::provider::Provider;
use crate::status::{Error, Result, Status};
use crate::sys;

/// One kind of registration: the calls that differ between clients and providers.
pub(in crate::nmr) trait Role: 'static {
    type Module: Send + Sync + 'static;
    /// What the interface has this kind of module show its peers.
    type Shown: Table;
    type Characteristics: 'static;
    const KIND: &'static str;
    const ID: Guid;
    const NPI_ID: &'static sys::GUID = &Self::ID.to_sys();

    fn characteristics(instance: sys::NPI_REGISTRATION_INSTANCE) -> Self::Characteristics;

    /// # Safety
    ///
    /// As for the two functions `NmrRegister*`.
    unsafe fn register(
        characteristics: *const Self::Characteristics,
        context: *mut c_void,
        handle: *mut sys::HANDLE,
    ) -> sys::NTSTATUS;

    /// # Safety
    ///
    /// `handle` is registered; as for the two functions `NmrDeregister*`.
    unsafe fn deregister(handle: sys::HANDLE) -> sys::NTSTATUS;

    /// # Safety
    ///
    /// The deregistration of `handle` is pending; as for the two functions `NmrWaitFor*DeregisterComplete`.
    unsafe fn wait(handle: sys::HANDLE) -> sys::NTSTATUS;
}

/// The clients `C`, to NMR.
pub(in crate::nmr) struct AsClient<C>(PhantomData<C>);

/// The providers `P`, to NMR.
pub(in crate::nmr) struct AsProvider<P>(PhantomData<P>);

impl<C: Client> Role for AsClient<C> {
    type Module = C;
    type Shown = <C::Npi as Npi>::ClientCharacteristics;
    type Characteristics = sys::NPI_CLIENT_CHARACTERISTICS;
    const KIND: &'static str = "NMR client of interface";
    const ID: Guid = C::Npi::ID;

    fn characteristics(instance: sys::NPI_REGISTRATION_INSTANCE) -> Self::Characteristics {
        sys::NPI_CLIENT_CHARACTERISTICS {
            Version: 0,
            Length: size_of::<Self::Characteristics>() as u16,
            ClientAttachProvider: Some(client_attach::<C>),
            ClientDetachProvider: Some(client_detach::<C>),
            ClientCleanupBindingContext: Some(client_cleanup::<C>),
            ClientRegistrationInstance: instance,
        }
    }

    unsafe fn register(
        characteristics: *const Self::Characteristics,
        context: *mut c_void,
        handle: *mut sys::HANDLE,
    ) -> sys::NTSTATUS {
        // SAFETY: the caller vouches for what the function asks.
        unsafe { sys::NmrRegisterClient(characteristics, context, handle) }
    }

    unsafe fn deregister(handle: sys::HANDLE) -> sys::NTSTATUS {
        // SAFETY: the caller vouches for the handle.
        unsafe { sys::NmrDeregisterClient(handle) }
    }

    unsafe fn wait(handle: sys::HANDLE) -> sys::NTSTATUS {
        // SAFETY: the caller vouches for the handle.
        unsafe { sys::NmrWaitForClientDeregisterComplete(handle) }
    }
}

impl<P: Provider> Role for AsProvider<P> {
    type Module = P;
    type Shown = <P::Npi as Npi>::ProviderCharacteristics;
    type Characteristics = sys::NPI_PROVIDER_CHARACTERISTICS;
    const KIND: &'static str = "NMR provider of interface";
    const ID: Guid = P::Npi::ID;

    fn characteristics(instance: sys::NPI_REGISTRATION_INSTANCE) -> Self::Characteristics {
        sys::NPI_PROVIDER_CHARACTERISTICS {
            Version: 0,
            Length: size_of::<Self::Characteristics>() as u16,
            ProviderAttachClient: Some(provider_attach::<P>),
            ProviderDetachClient: Some(provider_detach::<P>),
            ProviderCleanupBindingContext: Some(provider_cleanup::<P>),
            ProviderRegistrationInstance: instance,
        }
    }

    unsafe fn register(
        characteristics: *const Self::Characteristics,
        context: *mut c_void,
        handle: *mut sys::HANDLE,
    ) -> sys::NTSTATUS {
        // SAFETY: the caller vouches for what the function asks.
        unsafe { sys::NmrRegisterProvider(characteristics, context, handle) }
    }

    unsafe fn deregister(handle: sys::HANDLE) -> sys::NTSTATUS {
        // SAFETY: the caller vouches for the handle.
        unsafe { sys::NmrDeregisterProvider(handle) }
    }

    unsafe fn wait(handle: sys::HANDLE) -> sys::NTSTATUS {
        // SAFETY: the caller vouches for the handle.
        unsafe { sys::NmrWaitForProviderDeregisterComplete(handle) }
    }
}

/// All that NMR may look at while the module is registered.
pub(super) struct Block<R: Role> {
    pub(super) module: R::Module,
    pub(super) callbacks: Callbacks,
    name: Name,
    id: sys::NPI_MODULEID,
    shown: R::Shown,
    /// Points to the fields above. Written once, before NMR knows the block.
    characteristics: Cell<MaybeUninit<R::Characteristics>>,
    hold: Hold,
}

/// A registered module.
///
/// Dropping it deregisters and waits.
///
/// # Invariants
///
/// `handle` is registered with NMR, which has `block`. The block came from [`PoolBox::into_raw`] and is taken back only after
/// deregistration is complete.
pub(in crate::nmr) struct Live<R: Role> {
    block: NonNull<Block<R>>,
    handle: sys::HANDLE,
}

/// A module that is being deregistered.
///
/// Dropping it waits.
///
/// # Invariants
///
/// As for [`Live`], except that deregistration has begun, and is still to be waited for if `pending`.
pub(in crate::nmr) struct Ending<R: Role> {
    block: NonNull<Block<R>>,
    handle: sys::HANDLE,
    pending: bool,
}

// SAFETY: the members are `Sync`, but for `characteristics`, which is written before there is a second thread to see it and then only
// read.
unsafe impl<R: Role> Sync for Block<R> {}

// SAFETY: the handle may be used by any thread; the module is `Send` and `Sync`; the rest of the block is not changed.
unsafe impl<R: Role> Send for Live<R> {}
// SAFETY: as for `Send`; sharing gives access to the module only.
unsafe impl<R: Role> Sync for Live<R> {}
// SAFETY: as for `Live`.
unsafe impl<R: Role> Send for Ending<R> {}
// SAFETY: sharing gives access to nothing.
unsafe impl<R: Role> Sync for Ending<R> {}

impl<R: Role> Live<R> {
    pub(in crate::nmr) fn register(
        image: &Image,
        module: R::Module,
        identity: Identity<R::Shown>,
        irql: &mut Irql<Passive>,
    ) -> Result<Self, Failed<R::Module>> {
        if !is_as_declared(&identity.characteristics) {
            return Err(Failed {
                value: module,
                error: Error::INVALID_PARAMETER,
            });
        }
        let name = module_name(R::ID, identity.module);
        let hold = match image.hold(R::KIND, name, irql) {
            Ok(hold) => hold,
            Err(error) => {
                return Err(Failed {
                    value: module,
                    error,
                });
            }
        };
        let block = Block::<R> {
            module,
            callbacks: Callbacks::new(),
            name,
            id: module_id(identity.module),
            shown: identity.characteristics,
            characteristics: Cell::new(MaybeUninit::uninit()),
            hold,
        };
        let block = match PoolBox::try_new(block, irql) {
            Ok(block) => block,
            Err(block) => {
                return Err(Failed {
                    value: block.module,
                    error: Error::INSUFFICIENT_RESOURCES,
                });
            }
        };
        let instance = sys::NPI_REGISTRATION_INSTANCE {
            Version: identity.version,
            Size: size_of::<sys::NPI_REGISTRATION_INSTANCE>() as u16,
            NpiId: R::NPI_ID,
            ModuleId: &raw const block.id,
            Number: identity.number,
            NpiSpecificCharacteristics: if size_of::<R::Shown>() == 0 {
                ptr::null()
            } else {
                (&raw const block.shown).cast()
            },
        };
        block
            .characteristics
            .set(MaybeUninit::new(R::characteristics(instance)));
        let characteristics = block.characteristics.as_ptr().cast();
        let block = block.into_raw();
        let mut handle = ptr::null_mut();
        // SAFETY:
        // * the characteristics are written just above, with their sizes, and like all they point to live in the block or in
        //   this image until deregistration is complete, or until the block is taken back below;
        // * the context is the block, and the three callbacks in the characteristics expect just that;
        // * the level is PASSIVE_LEVEL, as the caller's proof says;
        // * the block is complete, so callbacks may come at once.
        let status =
            unsafe { R::register(characteristics, block.as_ptr().cast(), &raw mut handle) };
        match Error::new(Status(status)) {
            // INVARIANT: registered just now with this block.
            None => Ok(Self { block, handle }),
            Some(error) => {
                // SAFETY: `into_raw` was called just above, and NMR did not register the block, so it has let go of it.
                let block = unsafe { PoolBox::from_raw(block) };
                Err(Failed {
                    value: block.into_inner().module,
                    error,
                })
            }
        }
    }

    #[inline]
    pub(in crate::nmr) fn module(&self) -> &R::Module {
        // SAFETY: by the type invariant the block is alive, and while registered it is only shared.
        &unsafe { self.block.as_ref() }.module
    }

    /// On an error the registration remains, and so do its block and its hold.
    pub(in crate::nmr) fn begin(self, _irql: &mut Irql<AtMostDispatch>) -> Result<Ending<R>> {
        let this = ManuallyDrop::new(self);
        // SAFETY: by the type invariant the handle is registered, and this is the one place that ends it: the value is
        // consumed. The level is at most DISPATCH_LEVEL, as the caller's proof says.
        let status = Status(unsafe { R::deregister(this.handle) });
        let pending = match status {
            Status::PENDING => true,
            // Undocumented, but older simulators answer it when there is nothing to wait for.
            Status::SUCCESS => false,
            other => return Err(Error::new(other).unwrap_or(Error::UNSUCCESSFUL)),
        };
        // INVARIANT: deregistration has begun just now.
        Ok(Ending {
            block: this.block,
            handle: this.handle,
            pending,
        })
    }
}

impl<R: Role> Drop for Live<R> {
    fn drop(&mut self) {
        let same = Self {
            block: self.block,
            handle: self.handle,
        };
        // SAFETY: a registration may be dropped at any level up to DISPATCH_LEVEL; above, nothing of this library's may be.
        let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
        // An error leaves the registration in its image's list, where unloading finds it. Otherwise the drop waits.
        drop(same.begin(&mut irql));
    }
}

impl<R: Role> Ending<R> {
    fn block(&self) -> &Block<R> {
        // SAFETY: by the type invariant the block is alive, and until deregistration is complete it is only shared.
        unsafe { self.block.as_ref() }
    }

    /// On an error NMR may still call the module, so its block and its hold remain.
    pub(in crate::nmr) fn wait(self, _irql: &mut Irql<BelowDispatch>) -> Result<R::Module> {
        let this = ManuallyDrop::new(self);
        if this.block().callbacks.is_inside() {
            let (kind, name) = (R::KIND, this.block().name);
            panic!(
                "{kind} {name} waits for its own deregistration, in a callback that has to return first"
            );
        }
        if this.pending {
            // SAFETY: by the type invariant deregistration of this handle is pending, and it is waited for once: the value is
            // consumed. The level is below DISPATCH_LEVEL, as the caller's proof says.
            let status = Status(unsafe { R::wait(this.handle) });
            if status != Status::SUCCESS {
                return Err(Error::new(status).unwrap_or(Error::UNSUCCESSFUL));
            }
        }
        // SAFETY: the block came from `into_raw`; deregistration is complete, so NMR has let go of it, and nobody else had it.
        let block = unsafe { PoolBox::from_raw(this.block) };
        let Block { module, hold, .. } = block.into_inner();
        drop(hold);
        Ok(module)
    }
}

impl<R: Role> Drop for Ending<R> {
    fn drop(&mut self) {
        if u32::from(irql::current()) >= sys::DISPATCH_LEVEL {
            // The block stays, and so does its hold: unloading says again what was dropped where it could not be waited for.
            debug_print(format_args!(
                "nmr-netdma: {} {} is dropped at DISPATCH_LEVEL, where it cannot be waited for: it stays\n",
                R::KIND,
                self.block().name
            ));
            debug_assert!(false, "dropping a registration waits");
            return;
        }
        // SAFETY: the level has been read just above, and is that of this thread until it changes it itself.
        let mut irql = unsafe { Irql::<BelowDispatch>::assume() };
        let same = Self {
            block: self.block,
            handle: self.handle,
            pending: self.pending,
        };
        // An error leaves the registration in its image's list, where unloading finds it.
        let _ = same.wait(&mut irql);
    }
}

/// How a line in the debugger calls a module.
pub(super) const fn module_name(interface: Guid, module: ModuleId) -> Name {
    match module {
        ModuleId::Guid(module) => Name::Module(interface, module),
        ModuleId::InterfaceLuid(luid) => Name::Luid(interface, luid),
    }
}
