//! The crossing between this module and NMR: nine calls out, six callbacks in, and the memory that both hold on to.
//!
//! Each callback takes the same five steps: recover the context, state the level, wrap the arguments, call the trait, convert
//! the result.
//!
//! # Who owns what
//!
//! | memory | made | freed | NMR knows it as |
//! |---|---|---|---|
//! | [`Block`] | before registering | after deregistration is complete | registration context, characteristics |
//! | [`Bound`] | in attach | in cleanup, or when attaching failed | binding context |
//! | [`Gate`] | in attach | with its last owner: the `Bound`, any `Binding` | |
//!
//! A [`Bound`] points to the module in its [`Block`], which outlives it, since deregistration is complete after the last
//! cleanup only. An [`Inside`] points to a [`Gate`], which outlives it, since cleanup comes after the last one is gone.
//!
//! # Safety
//!
//! The unsafe code of this file relies on NMR's documented contract: a registration context is handed back until the wait for
//! deregistration returns; a binding context from a successful attach until its cleanup callback, which comes once,
//! after both modules have finished detaching; detach comes at most once for each binding; attach callbacks run at
//! PASSIVE_LEVEL, detach and cleanup callbacks at or below DISPATCH_LEVEL.
#![expect(unsafe_code, reason = "calls NMR and is called by it")]

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};

use crate::context::{PoolBox, Shared, borrow};
use crate::debug::debug_print;
use crate::guid::Guid;
use crate::irql::{self, AtMostDispatch, BelowDispatch, Irql, Passive};
use crate::lifetime::{Hold, Image, Name};
use crate::rundown::{Left, Rundown};
use crate::status::{Error, Result, Status};
use crate::sys;

use super::Failed;
use super::binding::{Side, ToClient, ToProvider};
use super::client::{Client, ClientDispatch, Offer};
use super::identity::{Identity, ModuleId, Peer};
use super::npi::{Npi, Table};
use super::provider::{Provider, Request};

// The way to the other module.

/// What a call through a binding needs.
#[derive(Clone, Copy)]
pub(super) struct Remote<T> {
    pub(super) context: *mut c_void,
    pub(super) dispatch: T,
}

/// The door of one binding and what is behind it.
///
/// # Invariants
///
/// `remote` is written before the door is opened and not changed afterwards.
pub(super) struct Gate<N: Npi, S: Side> {
    rundown: Rundown,
    binding: sys::HANDLE,
    remote: UnsafeCell<MaybeUninit<Remote<S::Dispatch<N>>>>,
}

// SAFETY: the handle and the peer's context may be used by any thread, the peer's table is `Send`, and the gate frees nothing.
unsafe impl<N: Npi, S: Side> Send for Gate<N, S> {}
// SAFETY: as for `Send`; `remote` is only read once the door was opened, which is after it was written, and the table is `Sync`.
unsafe impl<N: Npi, S: Side> Sync for Gate<N, S> {}

impl<N: Npi, S: Side> Gate<N, S> {
    fn try_new(binding: sys::HANDLE, irql: &mut Irql<Passive>) -> Option<Shared<Self>> {
        let remote = UnsafeCell::new(MaybeUninit::uninit());
        let gate = Self {
            rundown: Rundown::new(),
            binding,
            remote,
        };
        Shared::try_new(gate, irql).ok()
    }

    /// # Safety
    ///
    /// Called once for this gate.
    unsafe fn open(&self, remote: Remote<S::Dispatch<N>>) {
        // SAFETY: nobody reads before the door is open, and nobody else writes, by the contract of this function.
        unsafe { (*self.remote.get()).write(remote) };
        self.rundown.open();
    }

    /// What completing the detach takes. To be asked for before leaving: afterwards the gate may be gone.
    fn completion(&self) -> Completion<S> {
        Completion {
            binding: self.binding,
            side: PhantomData,
        }
    }
}

/// Tells NMR that a module has finished detaching. Refers to nothing, because cleanup, which this may run, frees the gate.
struct Completion<S> {
    binding: sys::HANDLE,
    side: PhantomData<S>,
}

impl<S: Side> Completion<S> {
    /// # Safety
    ///
    /// The caller has got [`Left::Last`] from the rundown of this binding's gate, and not in the detach callback. It does not use
    /// the gate afterwards unless it owns it.
    unsafe fn complete(self) {
        // SAFETY: the door is closed, so the detach callback was called, and since it was not the last one out it has answered
        // or will answer STATUS_PENDING; `Left::Last` is answered once, so this is the one completion. The level is at most
        // DISPATCH_LEVEL, as for every use of a binding.
        unsafe { S::complete(self.binding) };
    }
}

/// Completes the detaching of one side.
pub trait Complete {
    /// # Safety
    ///
    /// As for [`Completion::complete`].
    #[doc(hidden)]
    unsafe fn complete(binding: sys::HANDLE);
}

impl Complete for ToProvider {
    unsafe fn complete(binding: sys::HANDLE) {
        // SAFETY: the caller vouches for the state of this binding, which is a client's.
        unsafe { sys::NmrClientDetachProviderComplete(binding) }
    }
}

impl Complete for ToClient {
    unsafe fn complete(binding: sys::HANDLE) {
        // SAFETY: the caller vouches for the state of this binding, which is a provider's.
        unsafe { sys::NmrProviderDetachClientComplete(binding) }
    }
}

/// Being inside a gate.
///
/// # Invariants
///
/// Made by a successful enter, so the gate is open or its last one out has not completed the detach; either way its `Bound`,
/// which owns it, has not been cleaned up.
pub(super) struct Inside<N: Npi, S: Side>(NonNull<Gate<N, S>>);

// SAFETY: the gate is `Sync`, and leaving it is possible from any thread.
unsafe impl<N: Npi, S: Side> Send for Inside<N, S> {}
// SAFETY: sharing gives shared access to the gate, which is `Sync`.
unsafe impl<N: Npi, S: Side> Sync for Inside<N, S> {}

impl<N: Npi, S: Side> Inside<N, S> {
    #[inline]
    pub(super) fn enter(gate: &Shared<Gate<N, S>>) -> Option<Self> {
        match gate.rundown.enter() {
            // INVARIANT: entered just now.
            Ok(()) => Some(Self(gate.as_ptr())),
            Err(Left::NotLast) => None,
            Err(Left::Last) => {
                // SAFETY: `Left::Last` was answered just above, and this is no detach callback.
                unsafe { gate.completion().complete() };
                None
            }
        }
    }

    #[inline]
    pub(super) fn remote(&self) -> &Remote<S::Dispatch<N>> {
        // SAFETY: by the type invariant the gate is alive while this value is.
        let gate = unsafe { self.0.as_ref() };
        // SAFETY: nobody writes any more, since the door was opened and entered.
        let remote = unsafe { &*gate.remote.get() };
        // SAFETY: by the gate's invariant it was written before the door was opened.
        unsafe { remote.assume_init_ref() }
    }
}

impl<N: Npi, S: Side> Drop for Inside<N, S> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the type invariant the gate is alive until this caller has left, and then it is not used, unless the
        // caller was the last: only the completion below lets it go then.
        let gate = unsafe { self.0.as_ref() };
        let completion = gate.completion();
        if gate.rundown.leave() == Left::Last {
            // SAFETY: `Left::Last` was answered just above, and this is no detach callback.
            unsafe { completion.complete() };
        }
    }
}

/// What a module keeps for one binding: its binding context.
struct Bound<M, X, N: Npi, S: Side> {
    gate: Shared<Gate<N, S>>,
    /// The module in its [`Block`], which outlives this.
    module: NonNull<M>,
    context: X,
}

type ClientBound<C> = Bound<C, <C as Client>::Context, <C as Client>::Npi, ToProvider>;
type ProviderBound<P> = Bound<P, <P as Provider>::Context, <P as Provider>::Npi, ToClient>;

impl<M, X, N: Npi, S: Side> Bound<M, X, N, S> {
    fn module<'a>(&self) -> &'a M {
        // SAFETY: the module outlives the binding, as the head of this file says, and is shared only while registered. The
        // callers are callbacks for this binding and keep the reference no longer than their own call.
        unsafe { self.module.as_ref() }
    }

    /// Shuts the door, runs the module's own `detach` and answers what the detach callback has to return.
    ///
    /// # Safety
    ///
    /// This is the detach callback for the binding context `context`, which is of this type.
    unsafe fn detach(
        context: sys::PVOID,
        detach: impl FnOnce(&M, &X, &mut Irql<AtMostDispatch>),
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
            detach(bound.module(), &bound.context, &mut irql);
            gate
        };
        match gate.rundown.leave() {
            Left::Last => sys::STATUS_SUCCESS,
            Left::NotLast => sys::STATUS_PENDING,
        }
    }
}

// Registrations.

/// One kind of registration: the calls that differ between clients and providers.
pub(super) trait Role: 'static {
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
pub(super) struct AsClient<C>(PhantomData<C>);

/// The providers `P`, to NMR.
pub(super) struct AsProvider<P>(PhantomData<P>);

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
struct Block<R: Role> {
    module: R::Module,
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
pub(super) struct Live<R: Role> {
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
pub(super) struct Ending<R: Role> {
    block: NonNull<Block<R>>,
    handle: sys::HANDLE,
    pending: bool,
}

// SAFETY: the handle may be used by any thread; the module is `Send` and `Sync`; the rest of the block is not changed.
unsafe impl<R: Role> Send for Live<R> {}
// SAFETY: as for `Send`; sharing gives access to the module only.
unsafe impl<R: Role> Sync for Live<R> {}
// SAFETY: as for `Live`.
unsafe impl<R: Role> Send for Ending<R> {}
// SAFETY: sharing gives access to nothing.
unsafe impl<R: Role> Sync for Ending<R> {}

impl<R: Role> Live<R> {
    pub(super) fn register(
        image: &Image,
        module: R::Module,
        identity: Identity<R::Shown>,
        irql: &mut Irql<Passive>,
    ) -> Result<Self, Failed<R::Module>> {
        if !says_its_size(&identity.characteristics) {
            return Err(Failed {
                value: module,
                error: Error::INVALID_PARAMETER,
            });
        }
        let hold = match image.hold(R::KIND, hold_name(R::ID, identity.module), irql) {
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
    pub(super) fn module(&self) -> &R::Module {
        // SAFETY: by the type invariant the block is alive, and while registered it is only shared.
        &unsafe { self.block.as_ref() }.module
    }

    /// On an error the registration remains, and so do its block and its hold.
    pub(super) fn begin(self, _irql: &mut Irql<AtMostDispatch>) -> Result<Ending<R>> {
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
    /// On an error NMR may still call the module, so its block and its hold remain.
    pub(super) fn wait(self, _irql: &mut Irql<BelowDispatch>) -> Result<R::Module> {
        let this = ManuallyDrop::new(self);
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
        let waits = u32::from(irql::current()) < sys::DISPATCH_LEVEL;
        debug_assert!(waits, "dropping a registration waits");
        if !waits {
            // The block stays, and so does its hold: unloading then says what was dropped where it could not be waited for.
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

/// How the unload path calls a module that is left.
const fn hold_name(interface: Guid, module: ModuleId) -> Name {
    match module {
        ModuleId::Guid(module) => Name::Module(interface, module),
        ModuleId::InterfaceLuid(luid) => Name::Luid(interface, luid),
    }
}

// What peers show.

const fn module_id(module: ModuleId) -> sys::NPI_MODULEID {
    let (kind, u) = match module {
        ModuleId::Guid(guid) => (
            sys::MIT_GUID,
            sys::NPI_MODULEID_u {
                Guid: guid.to_sys(),
            },
        ),
        ModuleId::InterfaceLuid(luid) => {
            // All 16 bytes are written, since the structure may be stored.
            let [a, b, c, d, e, f, g, h] = luid.to_le_bytes();
            let guid = sys::GUID {
                Data1: u32::from_le_bytes([a, b, c, d]),
                Data2: u16::from_le_bytes([e, f]),
                Data3: u16::from_le_bytes([g, h]),
                Data4: [0; 8],
            };
            (sys::MIT_IF_LUID, sys::NPI_MODULEID_u { Guid: guid })
        }
    };
    sys::NPI_MODULEID {
        Length: size_of::<sys::NPI_MODULEID>() as u16,
        Type: kind,
        u,
    }
}

/// Reads a module identifier, as far as it says that it goes. `None` for one of unknown type or too short.
///
/// # Safety
///
/// `id` is null or points to a module identifier as long as its first two bytes say.
unsafe fn read_module_id(id: *const sys::NPI_MODULEID) -> Option<ModuleId> {
    const HEADER: usize = core::mem::offset_of!(sys::NPI_MODULEID, u);

    if id.is_null() {
        return None;
    }
    // SAFETY: by contract not null and at least as long as its length, which comes first.
    let length = usize::from(unsafe { (*id).Length });
    if length < HEADER + size_of::<sys::LUID>() {
        return None;
    }
    let value = id.wrapping_byte_add(HEADER);
    // SAFETY: the type lies in the first 8 bytes, and it is at least 16 long.
    match unsafe { (*id).Type } {
        sys::MIT_GUID if length >= HEADER + size_of::<sys::GUID>() => {
            // SAFETY: the identifier is long enough, as tested just above, and any bytes are a GUID.
            let guid = unsafe { value.cast::<sys::GUID>().read() };
            Some(ModuleId::Guid(Guid::from_sys(guid)))
        }
        sys::MIT_IF_LUID => {
            // SAFETY: the identifier is long enough, as tested above, and any bytes are a LUID.
            let luid = unsafe { value.cast::<sys::LUID>().read() };
            let high = u64::from(luid.HighPart.cast_unsigned());
            Some(ModuleId::InterfaceLuid(
                high << 32 | u64::from(luid.LowPart),
            ))
        }
        _ => None,
    }
}

/// Says in the debugger what is wrong with a peer, and answers what an attach callback then does.
fn decline(peer: &str, interface: Guid, what: &str) -> sys::NTSTATUS {
    debug_print(format_args!(
        "nmr-netdma: a {peer} of interface {interface} is declined: {what}\n"
    ));
    sys::STATUS_NOINTERFACE
}

const NO_TABLE: &str = "its dispatch table is missing or too short";

/// Copies a structure of a peer, as far as it says that it goes; the rest is zero. `None` if it is missing or too short.
///
/// # Safety
///
/// `table` is null or points to a `T` as far as [`Table::EXTENT`] says.
unsafe fn read_table<T: Table>(table: *const c_void) -> Option<T> {
    let mut copy = MaybeUninit::<T>::zeroed();
    if size_of::<T>() != 0 {
        if table.is_null() {
            return None;
        }
        // SAFETY: not null, and by contract as long as it says.
        let length = unsafe { declared::<T>(table) }?;
        let bytes = length.min(size_of::<T>());
        // SAFETY: that many bytes can be read by contract, and fit into the copy; a new local variable overlaps nothing.
        unsafe { ptr::copy_nonoverlapping(table.cast::<u8>(), copy.as_mut_ptr().cast(), bytes) };
    }
    // SAFETY: by the contract of `Table` what a peer has in it is valid, and where it may be shorter zero is.
    Some(unsafe { copy.assume_init() })
}

/// How many bytes of a `T` there are. `None` if there are less than the interface demands.
///
/// # Safety
///
/// `table` points to a `T` as far as [`Table::EXTENT`] says.
unsafe fn declared<T: Table>(table: *const c_void) -> Option<usize> {
    const {
        assert!(
            T::EXTENT.minimum <= size_of::<T>(),
            "an interface demands no more of a structure than there is"
        );
    }
    let extent = T::EXTENT;
    let field = table.wrapping_byte_add(extent.offset);
    let length = match extent.width {
        0 => return Some(size_of::<T>()),
        // SAFETY: the field is inside the smallest structure, as `Extent` checks.
        2 => usize::from(unsafe { field.cast::<u16>().read_unaligned() }),
        // SAFETY: as above.
        4 => usize::try_from(unsafe { field.cast::<u32>().read_unaligned() }).ok()?,
        // SAFETY: as above.
        _ => usize::try_from(unsafe { field.cast::<u64>().read_unaligned() }).ok()?,
    };
    (length >= extent.minimum).then_some(length)
}

/// Whether what this module shows is as long as it says: then no peer reads past its end, and none of this library's declines it.
fn says_its_size<T: Table>(shown: &T) -> bool {
    // SAFETY: all of a `T` is there, and the field, if there is one, lies inside it, as `declared` checks.
    let said = unsafe { declared::<T>(ptr::from_ref(shown).cast()) };
    said.is_some_and(|said| said <= size_of::<T>())
}

/// Reads what NMR shows of a peer. The error says what is wrong with it.
///
/// # Safety
///
/// `instance` is what NMR passed to an attach callback of a module of the interface `id`, and `T` is what the interface has the
/// other side show.
unsafe fn read_peer<T: Table>(
    instance: *const sys::NPI_REGISTRATION_INSTANCE,
    id: Guid,
) -> Result<Peer<T>, &'static str> {
    if instance.is_null() {
        return Err("no registration instance");
    }
    // SAFETY: not null, so a registration instance, of which at least the head is there.
    let size = usize::from(unsafe { (*instance).Size });
    if size < size_of::<sys::NPI_REGISTRATION_INSTANCE>() {
        return Err("its registration instance is too short");
    }
    // SAFETY: it says that all of it is there.
    let instance = unsafe { instance.read() };
    // SAFETY: the peer's registration has null or its interface's identifier there, which stays while it is registered.
    let npi = unsafe { instance.NpiId.as_ref() }.ok_or("no interface")?;
    if Guid::from_sys(*npi) != id {
        return Err("another interface");
    }
    // SAFETY: the peer's registration has null or its module identifier there, which stays while it is registered.
    let module = unsafe { read_module_id(instance.ModuleId) };
    let module = module.ok_or("its module id is missing, too short or of unknown type")?;
    let shown = instance.NpiSpecificCharacteristics;
    let characteristics = if size_of::<T>() == 0 || shown.is_null() {
        None
    } else {
        // SAFETY: the interface defines `T` for the other side, as far as it says, and it stays while that is registered.
        let table = unsafe { read_table::<T>(shown) };
        Some(table.ok_or("its characteristics are too short")?)
    };
    Ok(Peer {
        module,
        version: instance.Version,
        number: instance.Number,
        characteristics,
    })
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
    client: &'a C,
    pub(super) gate: Shared<Gate<C::Npi, ToProvider>>,
    callback: PhantomData<Callback<'a>>,
}

impl<C: Client> Proposal<'_, C> {
    /// Attaches. Answers the status that the callback has to return; on failure all comes back.
    pub(super) fn attach(
        self,
        context: C::Context,
        dispatch: ClientDispatch<C>,
        irql: &mut Irql<Passive>,
    ) -> Result<Status, (Self, C::Context, Error)> {
        let bound = Bound {
            gate: self.gate.clone(),
            module: NonNull::from(self.client),
            context,
        };
        let bound: NonNull<ClientBound<C>> = match PoolBox::try_new(bound, irql) {
            Ok(bound) => bound.into_raw(),
            Err(bound) => return Err((self, bound.context, Error::INSUFFICIENT_RESOURCES)),
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
            return Err((self, bound.into_inner().context, error));
        }
        // From here on `bound` is NMR's and may be gone.
        // SAFETY: the provider's table is null or a table of this interface while attached, and NMR does not detach before
        // this callback has returned.
        match unsafe { read_table(remote_dispatch) } {
            Some(dispatch) => {
                let context = remote_context;
                // SAFETY: once, since the proposal is consumed.
                unsafe { self.gate.open(Remote { context, dispatch }) };
            }
            // It is attached, and the callback has to say so.
            None => debug_print(format_args!(
                "nmr-netdma: a provider of interface {} is attached and cannot be called: {NO_TABLE}\n",
                C::Npi::ID
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
    let peer = match unsafe { read_peer(provider, C::Npi::ID) } {
        Ok(peer) => peer,
        Err(what) => return decline("provider", C::Npi::ID, what),
    };
    let Some(gate) = Gate::try_new(binding, &mut irql) else {
        return sys::STATUS_INSUFFICIENT_RESOURCES;
    };
    let client = &block.module;
    // INVARIANT: this is the attach callback for the binding.
    let proposal = Proposal {
        client,
        gate,
        callback: PhantomData,
    };
    client
        .attach(Offer::new(proposal, peer), &mut irql)
        .status()
        .0
}

unsafe extern "system" fn client_detach<C: Client>(context: sys::PVOID) -> sys::NTSTATUS {
    // SAFETY: this is the detach callback, and the binding context is what `Proposal::attach` made.
    unsafe { ClientBound::<C>::detach(context, C::detach) }
}

unsafe extern "system" fn client_cleanup<C: Client>(context: sys::PVOID) {
    if let Some(context) = NonNull::new(context.cast::<ClientBound<C>>()) {
        // SAFETY: made by `into_raw` in `Proposal::attach`; cleanup comes once, and after it NMR and the provider have let go.
        drop(unsafe { PoolBox::from_raw(context) });
    }
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
    let peer = match unsafe { read_peer(client, P::Npi::ID) } {
        Ok(peer) => peer,
        Err(what) => return decline("client", P::Npi::ID, what),
    };
    // SAFETY: the client's table is null or a table of this interface, while attaching and attached.
    let Some(remote) = (unsafe { read_table(client_dispatch) }) else {
        return decline("client", P::Npi::ID, NO_TABLE);
    };
    // Reserved before the provider is asked, so that its agreement cannot fail.
    let Some(memory) = PoolBox::<ProviderBound<P>>::try_reserve(&mut irql) else {
        return sys::STATUS_INSUFFICIENT_RESOURCES;
    };
    let Some(gate) = Gate::try_new(binding, &mut irql) else {
        return sys::STATUS_INSUFFICIENT_RESOURCES;
    };
    let provider = &block.module;
    let request = Request::new(peer, gate.clone());
    let accept = match provider.attach(request, &mut irql) {
        Ok(accept) => accept,
        Err(error) => return error.status().0,
    };
    let module = NonNull::from(provider);
    let bound = memory.fill(Bound {
        gate: gate.clone(),
        module,
        context: accept.context,
    });
    // SAFETY: NMR passes a place for the binding context.
    unsafe { binding_context.write(bound.into_raw().as_ptr().cast()) };
    // SAFETY: NMR passes a place for the table, which is null or lives as long as this image.
    unsafe { dispatch.write(accept.dispatch.as_ptr()) };
    // SAFETY: once, since the gate is new.
    unsafe {
        gate.open(Remote {
            context: client_binding_context,
            dispatch: remote,
        })
    };
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn provider_detach<P: Provider>(context: sys::PVOID) -> sys::NTSTATUS {
    // SAFETY: this is the detach callback, and the binding context is what `provider_attach` made.
    unsafe { ProviderBound::<P>::detach(context, P::detach) }
}

unsafe extern "system" fn provider_cleanup<P: Provider>(context: sys::PVOID) {
    if let Some(context) = NonNull::new(context.cast::<ProviderBound<P>>()) {
        // SAFETY: made by `into_raw` in `provider_attach`; cleanup comes once, and after it NMR and the client have let go.
        drop(unsafe { PoolBox::from_raw(context) });
    }
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
