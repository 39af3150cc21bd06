//! The crossing between this module and NMR: nine calls out, six callbacks in, and the memory that both hold on to.
//!
//! Each callback takes the same five steps: recover the context, state the level, wrap the arguments, call the trait, convert
//! the result.
//!
//! | file | what is in it |
//! |---|---|
//! | this | the callbacks, and a binding's context |
//! | `gate` | the way to the other module |
//! | `registration` | what is registered |
//! | `peer` | what modules show and give each other |
//! | `callbacks` | whose callbacks a thread is in |
//!
//! # Who owns what
//!
//! | memory | made | freed | NMR knows it as |
//! |---|---|---|---|
//! | [`Block`] | before registering | after deregistration is complete | registration context, characteristics |
//! | [`Bound`] | in attach | in cleanup, or when attaching failed | binding context |
//! | [`Gate`] | in attach | with its last owner: the `Bound`, any `Binding` | |
//!
//! A [`Bound`] points to its module's [`Block`], which outlives it, since deregistration is complete after the last
//! cleanup only. An [`Inside`] points to a [`Gate`], which outlives it, since cleanup comes after the last one is gone.
//!
//! # Safety
//!
//! The unsafe code of this file relies on NMR's documented contract: a registration context is handed back until the wait for
//! deregistration returns; a binding context from a successful attach until its cleanup callback, which comes once,
//! after both modules have finished detaching; detach comes at most once for each binding; attach callbacks run at
//! PASSIVE_LEVEL, detach and cleanup callbacks at or below DISPATCH_LEVEL.
#![expect(unsafe_code, reason = "calls NMR and is called by it")]

mod callbacks;
mod gate;
mod peer;
mod registration;

use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use self::peer::{Is, NO_MEMORY, Who, read_peer, read_table};
use self::registration::{Block, Role};
use super::binding::{Side, ToClient, ToProvider};
use super::client::{Client, ClientDispatch, Offer};
use super::identity::Peer;
use super::npi::Npi;
use super::provider::{Provider, Request};
use crate::context::{PoolBox, Shared, borrow};
use crate::debug::debug_print;
use crate::irql::{AtMostDispatch, Irql, Passive};
use crate::rundown::Left;
use crate::status::{Error, Result, Status};
use crate::sys;

pub(super) use self::gate::{Complete, Gate, Inside, Remote};
pub(super) use self::registration::{AsClient, AsProvider, Ending, Live};

/// What a module keeps for one binding: its binding context.
struct Bound<R: Role, X, N: Npi, S: Side> {
    gate: Shared<Gate<N, S>>,
    /// The module's, which outlives this.
    block: NonNull<Block<R>>,
    context: X,
}

type ClientBound<C> = Bound<AsClient<C>, <C as Client>::Context, <C as Client>::Npi, ToProvider>;
type ProviderBound<P> =
    Bound<AsProvider<P>, <P as Provider>::Context, <P as Provider>::Npi, ToClient>;

impl<R: Role, X, N: Npi, S: Side> Bound<R, X, N, S> {
    fn block(&self) -> &Block<R> {
        // SAFETY: the block outlives the binding, as the head of this file says, and is shared only while registered.
        unsafe { self.block.as_ref() }
    }

    fn module(&self) -> &R::Module {
        &self.block().module
    }

    /// Shuts the door, runs the module's own `detach` and answers what the detach callback has to return.
    ///
    /// # Safety
    ///
    /// This is the detach callback for the binding context `context`, which is of this type.
    unsafe fn detach(
        context: sys::PVOID,
        detach: impl FnOnce(&R::Module, &X, &mut Irql<AtMostDispatch>),
    ) -> sys::NTSTATUS {
        // SAFETY: NMR calls the detach callbacks at or below DISPATCH_LEVEL.
        let mut irql = unsafe { Irql::assume() };
        // Once this callback has left the gate another thread may complete the detach, and cleanup frees the context. So no
        // reference to it lives longer than this block, and the gate is owned.
        let gate = {
            // SAFETY: the cleanup callback, which frees the context, comes after this callback has left the gate below, and
            // only shared borrows of it exist until then.
            let bound = unsafe { borrow::<Self>(context) };
            let gate = bound.gate.clone();
            gate.rundown.close();
            let _inside = bound.block().callbacks.enter();
            detach(bound.module(), &bound.context, &mut irql);
            gate
        };
        match gate.rundown.leave() {
            Left::Last => sys::STATUS_SUCCESS,
            Left::NotLast => sys::STATUS_PENDING,
        }
    }

    /// Frees the binding context.
    ///
    /// # Safety
    ///
    /// This is the cleanup callback for the binding context `context`, which is of this type and came from
    /// [`PoolBox::into_raw`].
    unsafe fn clean_up(context: sys::PVOID) {
        let Some(context) = NonNull::new(context.cast::<Self>()) else {
            return;
        };
        // SAFETY: cleanup comes once for each binding context, and after it NMR and the other module have let go.
        let bound = unsafe { PoolBox::from_raw(context) };
        // SAFETY: the block outlives this callback, in which the binding is not yet cleaned up, as the head of this file says.
        let block = unsafe { bound.block.as_ref() };
        let _inside = block.callbacks.enter();
        drop(bound);
    }
}

// The client's callbacks.

/// The time of one callback, which converts to no other, on its thread.
type Callback<'a> = (fn(&'a ()) -> &'a (), *mut ());

/// A proposal of NMR to a client, not yet answered.
///
/// # Invariants
///
/// Exists only during the attach callback for `gate.binding`, on its thread, while that binding is not attached. `'a` is the
/// time of that callback and no other's.
pub(super) struct Proposal<'a, C: Client> {
    block: &'a Block<AsClient<C>>,
    pub(super) gate: Shared<Gate<C::Npi, ToProvider>>,
    callback: PhantomData<Callback<'a>>,
}

/// Why a client is not attached.
#[derive(Clone, Copy)]
pub(super) enum Unattached {
    /// NMR was not asked, for want of memory.
    NoMemory,
    /// NMR was asked, and answered this.
    Answered(Error),
}

impl Unattached {
    pub(super) const fn error(self) -> Error {
        match self {
            Self::NoMemory => Error::INSUFFICIENT_RESOURCES,
            Self::Answered(error) => error,
        }
    }
}

impl<C: Client> Proposal<'_, C> {
    /// Attaches. Answers the status that the callback has to return; on failure all comes back.
    pub(super) fn attach(
        self,
        peer: &Peer<'_, <C::Npi as Npi>::ProviderCharacteristics>,
        context: C::Context,
        dispatch: ClientDispatch<C>,
        irql: &mut Irql<Passive>,
    ) -> Result<Status, (Self, C::Context, Unattached)> {
        let bound = Bound {
            gate: self.gate.clone(),
            block: NonNull::from(self.block),
            context,
        };
        let bound: NonNull<ClientBound<C>> = match PoolBox::try_new(bound, irql) {
            Ok(bound) => bound.into_raw(),
            Err(bound) => return Err((self, bound.context, Unattached::NoMemory)),
        };
        let mut remote_context = ptr::null_mut();
        let mut remote_dispatch = ptr::null();
        // SAFETY:
        // * by the type invariant this is the attach callback for this binding, which is not attached;
        // * the binding context is a complete `ClientBound<C>`, which the detach and cleanup callbacks expect, and lives until
        //   cleanup or until it is taken back below;
        // * the table is null or lives as long as this image, and its functions expect this context, as `Dispatch` says;
        // * the level is PASSIVE_LEVEL, as the caller's proof says.
        let status = Status(unsafe {
            sys::NmrClientAttachProvider(
                self.gate.binding,
                bound.as_ptr().cast(),
                dispatch.as_ptr(),
                &raw mut remote_context,
                &raw mut remote_dispatch,
            )
        });
        if let Some(error) = Error::new(status) {
            // SAFETY: the pointer came from `into_raw` above, and a binding that failed to attach has no cleanup callback: NMR
            // and the provider have let go of it.
            let bound = unsafe { PoolBox::from_raw(bound) };
            return Err((
                self,
                bound.into_inner().context,
                Unattached::Answered(error),
            ));
        }
        // From here on `bound` is NMR's and may be gone.
        // SAFETY: the provider's table is null or a table of this interface while attached, and NMR does not detach before
        // this callback has returned.
        match unsafe { read_table(remote_dispatch) } {
            Ok(dispatch) => {
                let remote = Remote {
                    context: remote_context,
                    dispatch,
                    characteristics: peer.characteristics,
                };
                // SAFETY: once, since the proposal is consumed.
                unsafe { self.gate.open(remote) };
            }
            // It is attached, and the callback has to say so.
            Err(fault) => debug_print(format_args!(
                "nmr-netdma: {} is attached and cannot be called: {}\n",
                Who::of(Is::Provider, C::Npi::ID, peer),
                fault.of_table()
            )),
        }
        Ok(status)
    }
}

unsafe extern "system" fn client_attach<C: Client>(
    binding: sys::HANDLE,
    context: sys::PVOID,
    provider: sys::PNPI_REGISTRATION_INSTANCE,
) -> sys::NTSTATUS {
    // SAFETY: the registration context is the block that `Live::register` made, and lives until deregistration is complete.
    let block = unsafe { borrow::<Block<AsClient<C>>>(context) };
    // SAFETY: NMR calls attach callbacks at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    // SAFETY: NMR passes what the provider registered under the interface of `C`.
    let peer = match unsafe { read_peer(Is::Provider, C::Npi::ID, provider) } {
        Ok(peer) => peer,
        Err(status) => return status,
    };
    let Some(gate) = Gate::try_new(binding, &mut irql) else {
        let who = Who::of(Is::Provider, C::Npi::ID, &peer);
        return who.decline(NO_MEMORY, sys::STATUS_INSUFFICIENT_RESOURCES);
    };
    // INVARIANT: this is the attach callback for the binding.
    let proposal = Proposal {
        block,
        gate,
        callback: PhantomData,
    };
    let _inside = block.callbacks.enter();
    block
        .module
        .attach(Offer::new(proposal, peer), &mut irql)
        .status()
        .0
}

unsafe extern "system" fn client_detach<C: Client>(context: sys::PVOID) -> sys::NTSTATUS {
    // SAFETY: this is the detach callback, and the binding context is what `Proposal::attach` made.
    unsafe { ClientBound::<C>::detach(context, C::detach) }
}

unsafe extern "system" fn client_cleanup<C: Client>(context: sys::PVOID) {
    // SAFETY: this is the cleanup callback, and the binding context is what `Proposal::attach` made.
    unsafe { ClientBound::<C>::clean_up(context) }
}

/// For the author of an interface: the client and its context of a binding, from the binding context that a function of the
/// client's dispatch table gets.
///
/// `None` if the provider calls before the attach is decided, which it must not.
///
/// # Safety
///
/// * `context` is what the provider got as the client's binding context of a client `C`, together with a dispatch table made for
///   `C`;
/// * the provider calls between attach and the completion of its own detach;
/// * the references are not used after the dispatch function has returned.
#[inline]
pub unsafe fn client_context<'a, C: Client>(
    context: *mut c_void,
) -> Option<(&'a C, &'a C::Context)> {
    // SAFETY: the client's binding context is what `Proposal::attach` made. It lives until cleanup, which comes after the
    // provider has completed its detach.
    let bound = unsafe { borrow::<ClientBound<C>>(context) };
    bound
        .gate
        .rundown
        .has_begun()
        .then(|| (bound.module(), &bound.context))
}

// The provider's callbacks.

unsafe extern "system" fn provider_attach<P: Provider>(
    binding: sys::HANDLE,
    context: sys::PVOID,
    client: sys::PNPI_REGISTRATION_INSTANCE,
    client_binding_context: sys::PVOID,
    client_dispatch: *const c_void,
    binding_context: *mut sys::PVOID,
    dispatch: *mut *const c_void,
) -> sys::NTSTATUS {
    // SAFETY: the registration context is the block that `Live::register` made, and lives until deregistration is complete.
    let block = unsafe { borrow::<Block<AsProvider<P>>>(context) };
    // SAFETY: NMR calls attach callbacks at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    // SAFETY: NMR passes what the client registered under the interface of `P`.
    let peer = match unsafe { read_peer(Is::Client, P::Npi::ID, client) } {
        Ok(peer) => peer,
        Err(status) => return status,
    };
    let decline = |what, status| Who::of(Is::Client, P::Npi::ID, &peer).decline(what, status);
    // SAFETY: the client's table is null or a table of this interface, while attaching and attached.
    let functions = match unsafe { read_table(client_dispatch) } {
        Ok(functions) => functions,
        Err(fault) => return decline(fault.of_table(), sys::STATUS_NOINTERFACE),
    };
    // Reserved before the provider is asked, so that its agreement cannot fail.
    let Some(memory) = PoolBox::<ProviderBound<P>>::try_reserve(&mut irql) else {
        return decline(NO_MEMORY, sys::STATUS_INSUFFICIENT_RESOURCES);
    };
    let Some(gate) = Gate::try_new(binding, &mut irql) else {
        return decline(NO_MEMORY, sys::STATUS_INSUFFICIENT_RESOURCES);
    };
    let request = Request::new(peer, gate.clone());
    let inside = block.callbacks.enter();
    let accept = match block.module.attach(request, &mut irql) {
        Ok(accept) => accept,
        Err(error) => return error.status().0,
    };
    drop(inside);
    let remote = Remote {
        context: client_binding_context,
        dispatch: functions,
        characteristics: peer.characteristics,
    };
    let bound = memory.fill(Bound {
        gate: gate.clone(),
        block: NonNull::from(block),
        context: accept.context,
    });
    // SAFETY: NMR passes a place for the binding context.
    unsafe { binding_context.write(bound.into_raw().as_ptr().cast()) };
    // SAFETY: NMR passes a place for the table, which is null or lives as long as this image.
    unsafe { dispatch.write(accept.dispatch.as_ptr()) };
    // SAFETY: once, since the gate is new.
    unsafe { gate.open(remote) };
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn provider_detach<P: Provider>(context: sys::PVOID) -> sys::NTSTATUS {
    // SAFETY: this is the detach callback, and the binding context is what `provider_attach` made.
    unsafe { ProviderBound::<P>::detach(context, P::detach) }
}

unsafe extern "system" fn provider_cleanup<P: Provider>(context: sys::PVOID) {
    // SAFETY: this is the cleanup callback, and the binding context is what `provider_attach` made.
    unsafe { ProviderBound::<P>::clean_up(context) }
}

/// For the author of an interface: the provider and its context of a binding, from the binding context that a function of the
/// provider's dispatch table gets.
///
/// # Safety
///
/// * `context` is what the client got as the provider's binding context of a provider `P`, together with a dispatch table made
///   for `P`;
/// * the client calls between attach and the completion of its own detach;
/// * the references are not used after the dispatch function has returned.
#[inline]
pub unsafe fn provider_context<'a, P: Provider>(context: *mut c_void) -> (&'a P, &'a P::Context) {
    // SAFETY: the provider's binding context is what `provider_attach` made. It lives until cleanup, which comes after the
    // client has completed its detach.
    let bound = unsafe { borrow::<ProviderBound<P>>(context) };
    (bound.module(), &bound.context)
}
