//! A client or provider as a driver in C has it, with as many mistakes as the test likes.
//!
//! What it shows its peers lies in memory that is exactly as long as it is declared to be, at the end of a page with
//! nothing behind it where the host can do that, so that reading on stops the test.
//!
//! # Safety
//!
//! The unsafe code of this file calls the registrar and is called by it. A module is the context of everything of its
//! own, and stays where it is until its kernel has shut down.
#![expect(unsafe_code, reason = "calls C functions and is called back")]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nmr_netdma::nmr::Npi;
use nmr_netdma::sys::{
    self, GUID, HANDLE, MIT_GUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, PNPI_REGISTRATION_INSTANCE,
    PVOID, STATUS_PENDING, STATUS_SUCCESS,
};

use self::block::Memory;
use super::nmr_modules::relay::{Functions, Relay};
use super::nmr_modules::{DISPATCH, Log, locked};

/// Memory of an exact length.
#[cfg(any(miri, not(target_os = "linux")))]
mod block {
    use std::alloc::{Layout, alloc, dealloc};
    use std::ptr::NonNull;

    /// From the heap, as long as asked for; Miri and sanitizers see what goes beyond.
    pub(super) struct Memory {
        pub(super) start: NonNull<u8>,
        layout: Layout,
    }

    impl Memory {
        pub(super) fn new(length: usize) -> Self {
            let layout = Layout::from_size_align(length.max(1), 8).expect("a small block");
            // SAFETY: the layout has a size.
            let start = NonNull::new(unsafe { alloc(layout) }).expect("there is memory");
            Self { start, layout }
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: allocated in `new` with this layout.
            unsafe { dealloc(self.start.as_ptr(), self.layout) };
        }
    }
}

/// Memory of an exact length.
#[cfg(all(not(miri), target_os = "linux"))]
mod block {
    use std::ffi::{c_int, c_void};
    use std::ptr::{NonNull, null_mut};

    const PAGE: usize = 4096;

    unsafe extern "C" {
        fn mmap(
            address: *mut c_void,
            length: usize,
            protection: c_int,
            flags: c_int,
            file: c_int,
            offset: i64,
        ) -> *mut c_void;
        fn mprotect(address: *mut c_void, length: usize, protection: c_int) -> c_int;
        fn munmap(address: *mut c_void, length: usize) -> c_int;
    }

    /// At the end of a page; the next one cannot be touched.
    pub(super) struct Memory {
        pub(super) start: NonNull<u8>,
        pages: *mut c_void,
    }

    impl Memory {
        pub(super) fn new(length: usize) -> Self {
            const READ_WRITE: c_int = 3;
            const PRIVATE_ANONYMOUS: c_int = 0x22;
            assert!(length <= PAGE);
            // SAFETY: new pages, wherever there is room.
            let pages = unsafe { mmap(null_mut(), 2 * PAGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0) };
            assert!(pages.addr() != usize::MAX, "there is memory");
            // SAFETY: the second of the two pages, which nobody uses.
            let protected = unsafe { mprotect(pages.wrapping_byte_add(PAGE), PAGE, 0) };
            assert_eq!(protected, 0);
            let start = pages.wrapping_byte_add(PAGE - length).cast();
            let start = NonNull::new(start).expect("mapped");
            Self { start, pages }
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: mapped in `new`, and nobody else's.
            unsafe { munmap(self.pages, 2 * PAGE) };
        }
    }
}

/// A copy of a value, or of the beginning of it, with nothing behind.
pub(crate) struct Block(Memory);

impl Block {
    pub(crate) fn of<T: Copy>(value: &T) -> Self {
        Self::prefix(value, size_of::<T>())
    }

    pub(crate) fn prefix<T: Copy>(value: &T, length: usize) -> Self {
        assert!(length <= size_of::<T>());
        let memory = Memory::new(length);
        let from = std::ptr::from_ref(value).cast::<u8>();
        // SAFETY: both are that long, and the memory is new.
        unsafe { std::ptr::copy_nonoverlapping(from, memory.start.as_ptr(), length) };
        Self(memory)
    }

    fn as_ptr<T>(&self) -> *mut T {
        self.0.start.as_ptr().cast()
    }
}

pub(crate) fn guid(number: u32) -> GUID {
    GUID {
        Data1: number,
        ..GUID::default()
    }
}

/// A module identification with the GUID `number`.
pub(crate) fn module_id(number: u32) -> NPI_MODULEID {
    NPI_MODULEID {
        Length: 24,
        Type: MIT_GUID,
        u: sys::NPI_MODULEID_u { Guid: guid(number) },
    }
}

/// The table of a module in C.
pub(crate) const FUNCTIONS: Functions = Functions {
    size: size_of::<Functions>() as u32,
    call: Some(call),
    twice: Some(call),
};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Client,
    Provider,
}

/// What the module saw of a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) instance: NPI_REGISTRATION_INSTANCE,
    pub(crate) id_length: u16,
    pub(crate) dispatch: *const c_void,
}

type AttachPlan = Box<dyn Fn(&Raw, HANDLE) -> NTSTATUS + Send + Sync>;
type DetachPlan = Box<dyn Fn(&Raw) -> NTSTATUS + Send + Sync>;
type CleanupPlan = Box<dyn Fn(&Raw) + Send + Sync>;

/// A client or provider in C: what it registers and what its callbacks do.
pub(crate) struct Raw {
    name: &'static str,
    role: Role,
    log: Arc<Log>,
    pub(crate) version: u16,
    pub(crate) length: u16,
    pub(crate) instance_version: u16,
    pub(crate) instance_size: u16,
    pub(crate) npi: Option<GUID>,
    pub(crate) id: Option<Block>,
    pub(crate) shows: Option<Block>,
    pub(crate) functions: Option<Block>,
    pub(crate) has_cleanup: bool,
    /// Whether, as a provider, it stores its context and table, also when it refuses.
    pub(crate) stores: bool,
    attach: AttachPlan,
    detach: DetachPlan,
    cleanup: CleanupPlan,
    /// What is registered.
    registered: Mutex<Vec<Block>>,
    handle: AtomicUsize,
    bindings: Mutex<Vec<usize>>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    /// What the peer gave last: context and table.
    remote: Mutex<(PVOID, *const Functions)>,
}

// SAFETY: the pointers are to blocks of its own, written before it is registered or by a test that does so alone, and to
// what peers gave, which the registrar lets any thread use.
unsafe impl Send for Raw {}
// SAFETY: as above.
unsafe impl Sync for Raw {}

impl Raw {
    fn new(role: Role, name: &'static str, log: &Arc<Log>) -> Self {
        let id = name.bytes().fold(0, |sum: u32, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(byte))
        });
        Self {
            name,
            role,
            log: Arc::clone(log),
            version: 0,
            length: 72,
            instance_version: 0,
            instance_size: 40,
            npi: Some(Relay::ID.to_sys()),
            id: Some(Block::of(&module_id(id))),
            shows: None,
            functions: Some(Block::of(&FUNCTIONS)),
            has_cleanup: true,
            stores: true,
            attach: Box::new(|raw, binding| match raw.role {
                Role::Client => raw.attach_provider(binding),
                Role::Provider => STATUS_SUCCESS,
            }),
            detach: Box::new(|_| STATUS_SUCCESS),
            cleanup: Box::new(|_| ()),
            registered: Mutex::default(),
            handle: AtomicUsize::new(0),
            bindings: Mutex::default(),
            seen: Mutex::default(),
            remote: Mutex::new((null_mut(), null())),
        }
    }

    pub(crate) fn client(name: &'static str, log: &Arc<Log>) -> Self {
        Self::new(Role::Client, name, log)
    }

    pub(crate) fn provider(name: &'static str, log: &Arc<Log>) -> Self {
        Self::new(Role::Provider, name, log)
    }

    pub(crate) fn on_attach(
        mut self,
        plan: impl Fn(&Self, HANDLE) -> NTSTATUS + Send + Sync + 'static,
    ) -> Self {
        self.attach = Box::new(plan);
        self
    }

    pub(crate) fn on_detach(
        mut self,
        plan: impl Fn(&Self) -> NTSTATUS + Send + Sync + 'static,
    ) -> Self {
        self.detach = Box::new(plan);
        self
    }

    pub(crate) fn on_cleanup(mut self, plan: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        self.cleanup = Box::new(plan);
        self
    }

    /// Changes it, before it is registered.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn context(&self) -> PVOID {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    pub(crate) fn handle(&self) -> HANDLE {
        std::ptr::without_provenance_mut(self.handle.load(Ordering::SeqCst))
    }

    /// The handle of the latest binding proposed to this module.
    pub(crate) fn binding(&self) -> HANDLE {
        std::ptr::without_provenance_mut(*locked(&self.bindings).last().expect("one was proposed"))
    }

    /// Puts together what was said so far and registers it.
    pub(crate) fn register(&self) -> NTSTATUS {
        let npi = self.npi.map(|npi| Block::of(&npi));
        let address = |block: Option<&Block>| block.map_or(null(), |block| block.as_ptr());
        let instance = NPI_REGISTRATION_INSTANCE {
            Version: self.instance_version,
            Size: self.instance_size,
            NpiId: npi.as_ref().map_or(null(), |npi| npi.as_ptr()),
            ModuleId: self.id.as_ref().map_or(null(), |id| id.as_ptr()),
            Number: 7,
            NpiSpecificCharacteristics: address(self.shows.as_ref()),
        };
        let mut handle = null_mut();
        // As much of the characteristics as they say, and all that there is if they say more.
        let length = usize::from(self.length).min(size_of::<NPI_CLIENT_CHARACTERISTICS>());
        let (status, characteristics) = match self.role {
            Role::Client => {
                let characteristics = NPI_CLIENT_CHARACTERISTICS {
                    Version: self.version,
                    Length: self.length,
                    ClientAttachProvider: Some(client_attach),
                    ClientDetachProvider: Some(detach),
                    ClientCleanupBindingContext: self.has_cleanup.then_some(cleanup as _),
                    ClientRegistrationInstance: instance,
                };
                let block = Block::prefix(&characteristics, length);
                // SAFETY: all of it is kept until the module is dropped, and the module is its context.
                let status = unsafe {
                    sys::NmrRegisterClient(block.as_ptr(), self.context(), &raw mut handle)
                };
                (status, block)
            }
            Role::Provider => {
                let characteristics = NPI_PROVIDER_CHARACTERISTICS {
                    Version: self.version,
                    Length: self.length,
                    ProviderAttachClient: Some(provider_attach),
                    ProviderDetachClient: Some(detach),
                    ProviderCleanupBindingContext: self.has_cleanup.then_some(cleanup as _),
                    ProviderRegistrationInstance: instance,
                };
                let block = Block::prefix(&characteristics, length);
                // SAFETY: as above.
                let status = unsafe {
                    sys::NmrRegisterProvider(block.as_ptr(), self.context(), &raw mut handle)
                };
                (status, block)
            }
        };
        self.handle.store(handle.addr(), Ordering::SeqCst);
        let mut registered = locked(&self.registered);
        registered.clear();
        registered.push(characteristics);
        registered.extend(npi);
        status
    }

    /// Changes the number that it has registered, which nobody may.
    pub(crate) fn change_number(&self, number: u32) {
        let registered = locked(&self.registered);
        // The two kinds of characteristics differ in nothing but names.
        let characteristics = registered[0].as_ptr::<NPI_CLIENT_CHARACTERISTICS>();
        // SAFETY: the block that was registered, which nobody reads at this moment.
        unsafe { (*characteristics).ClientRegistrationInstance.Number = number };
    }

    /// Changes the interface that it has registered for, which nobody may.
    pub(crate) fn change_interface(&self, npi: GUID) {
        let registered = locked(&self.registered);
        // SAFETY: the block that was registered, which nobody reads at this moment.
        unsafe { registered[1].as_ptr::<GUID>().write(npi) };
    }

    pub(crate) fn deregister(&self) -> NTSTATUS {
        match self.role {
            // SAFETY: the module outlives its registration, and any value is a safe handle here.
            Role::Client => unsafe { sys::NmrDeregisterClient(self.handle()) },
            // SAFETY: as above.
            Role::Provider => unsafe { sys::NmrDeregisterProvider(self.handle()) },
        }
    }

    pub(crate) fn wait(&self) -> NTSTATUS {
        match self.role {
            // SAFETY: any value is a safe handle here.
            Role::Client => unsafe { sys::NmrWaitForClientDeregisterComplete(self.handle()) },
            // SAFETY: as above.
            Role::Provider => unsafe { sys::NmrWaitForProviderDeregisterComplete(self.handle()) },
        }
    }

    /// Deregisters and waits.
    pub(crate) fn end(&self) {
        assert_eq!(self.deregister(), STATUS_PENDING);
        assert_eq!(self.wait(), STATUS_SUCCESS);
    }

    /// `NmrClientAttachProvider` with itself as context and its table.
    pub(crate) fn attach_provider(&self, binding: HANDLE) -> NTSTATUS {
        let mut context = null_mut();
        let mut dispatch = null();
        let functions = self
            .functions
            .as_ref()
            .map_or(null(), |block| block.as_ptr());
        // SAFETY: the results are this frame's; the module and its table outlive its registration.
        let status = unsafe {
            sys::NmrClientAttachProvider(
                binding,
                self.context(),
                functions,
                &raw mut context,
                &raw mut dispatch,
            )
        };
        if status >= 0 {
            *locked(&self.remote) = (context, dispatch.cast());
        }
        status
    }

    /// Calls the peer that it attached to last, whatever has become of it.
    pub(crate) fn call_peer(&self, value: u32) -> u32 {
        let (context, functions) = *locked(&self.remote);
        // SAFETY: the tests' peers have static tables.
        let call = unsafe { (*functions).call }.expect("the peer can be called");
        // SAFETY: the peer's context; that it may be the wrong moment is what the test is about.
        unsafe { call(context, value) }
    }

    /// Completes the detach of `binding` as this module's side.
    pub(crate) fn complete(&self, binding: HANDLE) {
        match self.role {
            // SAFETY: any value is a safe handle here, and the module outlives its bindings.
            Role::Client => unsafe { sys::NmrClientDetachProviderComplete(binding) },
            // SAFETY: as above.
            Role::Provider => unsafe { sys::NmrProviderDetachClientComplete(binding) },
        }
    }

    fn attached(&self, binding: HANDLE, peer: PNPI_REGISTRATION_INSTANCE, dispatch: *const c_void) {
        self.log.record("attach", self.name);
        locked(&self.bindings).push(binding.addr());
        // SAFETY: the registrar shows what the peer has registered; the tests' other modules register all of it.
        let instance = unsafe { peer.read() };
        // SAFETY: as above.
        let id_length = unsafe { (*instance.ModuleId).Length };
        locked(&self.seen).push(Seen {
            instance,
            id_length,
            dispatch,
        });
    }
}

/// Runs `body` at DISPATCH_LEVEL.
pub(crate) fn at_dispatch<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: raises from a lower level and comes back below.
    let old = unsafe { sys::KfRaiseIrql(DISPATCH) };
    let result = body();
    // SAFETY: the level that was left above.
    unsafe { sys::KeLowerIrql(old) };
    result
}

fn raw<'a>(context: PVOID) -> &'a Raw {
    // SAFETY: each context in this file is `Raw::context` of a module that outlives its registration.
    unsafe { &*context.cast::<Raw>() }
}

unsafe extern "system" fn client_attach(
    binding: HANDLE,
    context: PVOID,
    provider: PNPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let raw = raw(context);
    raw.attached(binding, provider, null());
    (raw.attach)(raw, binding)
}

unsafe extern "system" fn provider_attach(
    binding: HANDLE,
    context: PVOID,
    client: PNPI_REGISTRATION_INSTANCE,
    client_context: PVOID,
    client_dispatch: *const c_void,
    provider_context: *mut PVOID,
    provider_dispatch: *mut *const c_void,
) -> NTSTATUS {
    let raw = raw(context);
    raw.attached(binding, client, client_dispatch);
    *locked(&raw.remote) = (client_context, client_dispatch.cast());
    if raw.stores {
        let functions = raw
            .functions
            .as_ref()
            .map_or(null(), |block| block.as_ptr());
        // SAFETY: the registrar's results, written during its call.
        unsafe { provider_context.write(context) };
        // SAFETY: as above.
        unsafe { provider_dispatch.write(functions) };
    }
    (raw.attach)(raw, binding)
}

unsafe extern "system" fn detach(context: PVOID) -> NTSTATUS {
    if context.addr() == UNSTORED {
        return STATUS_SUCCESS;
    }
    let raw = raw(context);
    raw.log.record("detach", raw.name);
    (raw.detach)(raw)
}

unsafe extern "system" fn cleanup(context: PVOID) {
    if context.addr() == UNSTORED {
        return;
    }
    let raw = raw(context);
    raw.log.record("cleanup", raw.name);
    (raw.cleanup)(raw);
}

unsafe extern "system" fn call(context: *mut c_void, value: u32) -> u32 {
    let raw = raw(context);
    raw.log.record("call", raw.name);
    1000 + value
}

/// What the simulated registrar puts where a provider stores nothing.
const UNSTORED: usize = 0xDEAD_BEEF_DEAD_BEEF;
