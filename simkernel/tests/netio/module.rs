//! A module in C: what it registers, and what its callbacks do.
//!
//! # Safety
//!
//! The unsafe code of this file calls the registrar and is called by it. Each module's characteristics, and the module
//! itself, which is the context of everything, live in the test until its kernel has shut down.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nmr_netdma::sys::*;
use simkernel::netio::{LevelChoice, OrderChoice};
use simkernel::pnp::DriverId;
use simkernel::{Config, Kernel, Rule};

pub(crate) const APC: u8 = APC_LEVEL as u8;
pub(crate) const DISPATCH: u8 = DISPATCH_LEVEL as u8;

pub(crate) fn guid(number: u32) -> GUID {
    GUID {
        Data1: number,
        ..GUID::default()
    }
}

/// What happened to whom, at which level, on which thread.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) what: &'static str,
    pub(crate) who: &'static str,
    pub(crate) irql: u8,
    pub(crate) thread: std::thread::ThreadId,
}

#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Event>>);

impl Log {
    pub(crate) fn record(&self, what: &'static str, who: &'static str) {
        // SAFETY: reading the level has no precondition.
        let irql = unsafe { nmr_netdma::sys::KeGetCurrentIrql() };
        let thread = std::thread::current().id();
        self.0.lock().unwrap().push(Event {
            what,
            who,
            irql,
            thread,
        });
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// `what who`, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.take()
            .iter()
            .map(|event| format!("{} {}", event.what, event.who))
            .collect()
    }
}

type AttachPlan = Box<dyn Fn(&Module, HANDLE) -> NTSTATUS + Send + Sync>;
type DetachPlan = Box<dyn Fn(&Module) -> NTSTATUS + Send + Sync>;
type CleanupPlan = Box<dyn Fn(&Module) + Send + Sync>;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Client,
    Provider,
}

/// A module under test: what it registers and what its callbacks do.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) log: Arc<Log>,
    pub(crate) interface: *mut GUID,
    pub(crate) id: *mut NPI_MODULEID,
    pub(crate) client: *mut NPI_CLIENT_CHARACTERISTICS,
    pub(crate) provider: *mut NPI_PROVIDER_CHARACTERISTICS,
    attach: AttachPlan,
    detach: DetachPlan,
    cleanup: CleanupPlan,
    /// The registration's handle and those of the bindings that were proposed.
    pub(crate) handle: AtomicUsize,
    pub(crate) bindings: Mutex<Vec<usize>>,
    /// The contexts that it attached with, where they are not itself.
    contexts: Mutex<Vec<usize>>,
}

// SAFETY: the pointers are to memory of its own, which is written by the thread that makes the module, before it
// registers it, or by a test that does so alone.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw` in `Module::new`; the module is deregistered or its kernel gone.
        drop(unsafe { Box::from_raw(self.interface) });
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.id) });
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.client) });
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.provider) });
    }
}

impl Module {
    pub(crate) fn new(role: Role, name: &'static str, log: &Arc<Log>, interface: u32) -> Self {
        let interface = Box::into_raw(Box::new(guid(interface)));
        let mut id = NPI_MODULEID {
            Length: 24,
            Type: MIT_GUID,
            ..NPI_MODULEID::default()
        };
        id.u.Guid = guid(name.bytes().fold(0, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(byte))
        }));
        let id = Box::into_raw(Box::new(id));
        let instance = NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: 40,
            NpiId: interface,
            ModuleId: id,
            Number: 7,
            NpiSpecificCharacteristics: null(),
        };
        let client = NPI_CLIENT_CHARACTERISTICS {
            Version: 0,
            Length: 72,
            ClientAttachProvider: Some(client_attach),
            ClientDetachProvider: Some(detach),
            ClientCleanupBindingContext: Some(cleanup),
            ClientRegistrationInstance: instance,
        };
        let provider = NPI_PROVIDER_CHARACTERISTICS {
            Version: 0,
            Length: 72,
            ProviderAttachClient: Some(provider_attach),
            ProviderDetachClient: Some(detach),
            ProviderCleanupBindingContext: Some(cleanup),
            ProviderRegistrationInstance: instance,
        };
        Self {
            name,
            role,
            log: Arc::clone(log),
            interface,
            id,
            client: Box::into_raw(Box::new(client)),
            provider: Box::into_raw(Box::new(provider)),
            attach: Box::new(|module, binding| match module.role {
                Role::Client => module.attach_provider(binding).0,
                Role::Provider => STATUS_SUCCESS,
            }),
            detach: Box::new(|_| STATUS_SUCCESS),
            cleanup: Box::new(|_| ()),
            handle: AtomicUsize::new(0),
            bindings: Mutex::default(),
            contexts: Mutex::default(),
        }
    }

    pub(crate) fn client(name: &'static str, log: &Arc<Log>) -> Self {
        Self::new(Role::Client, name, log, 1)
    }

    pub(crate) fn provider(name: &'static str, log: &Arc<Log>) -> Self {
        Self::new(Role::Provider, name, log, 1)
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

    /// Changes what will be, or is, registered.
    pub(crate) fn edit_client(self, edit: impl FnOnce(&mut NPI_CLIENT_CHARACTERISTICS)) -> Self {
        // SAFETY: the module's own memory, and nobody else reads it while it is edited.
        edit(unsafe { &mut *self.client });
        self
    }

    pub(crate) fn edit_id(self, edit: impl FnOnce(&mut NPI_MODULEID)) -> Self {
        // SAFETY: as for `edit_client`.
        edit(unsafe { &mut *self.id });
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
        std::ptr::without_provenance_mut(*self.bindings.lock().unwrap().last().unwrap())
    }

    pub(crate) fn register(&self) -> NTSTATUS {
        let mut handle = null_mut();
        let status = match self.role {
            // SAFETY: the module keeps its characteristics and is its context until it is dropped.
            Role::Client => unsafe {
                NmrRegisterClient(self.client, self.context(), &raw mut handle)
            },
            // SAFETY: as above.
            Role::Provider => unsafe {
                NmrRegisterProvider(self.provider, self.context(), &raw mut handle)
            },
        };
        self.handle.store(handle.addr(), Ordering::SeqCst);
        status
    }

    /// Registers with `context` as the registration context, so that its callbacks must not come.
    pub(crate) fn register_with(&self, context: PVOID) {
        let mut handle = null_mut();
        // SAFETY: the module keeps its characteristics until it is dropped, and no peer of it is registered.
        let status = unsafe { NmrRegisterClient(self.client, context, &raw mut handle) };
        assert_eq!(status, STATUS_SUCCESS);
        self.handle.store(handle.addr(), Ordering::SeqCst);
    }

    /// Registers with the handle written to where the callbacks look for it.
    pub(crate) fn register_in_place(&self) {
        // SAFETY: as in `register`; an atomic is laid out as its integer, and is written by this thread only.
        let status =
            unsafe { NmrRegisterClient(self.client, self.context(), self.handle.as_ptr().cast()) };
        assert_eq!(status, STATUS_SUCCESS);
    }

    pub(crate) fn deregister(&self) -> NTSTATUS {
        match self.role {
            // SAFETY: the module outlives its registration.
            Role::Client => unsafe { NmrDeregisterClient(self.handle()) },
            // SAFETY: as above.
            Role::Provider => unsafe { NmrDeregisterProvider(self.handle()) },
        }
    }

    pub(crate) fn wait(&self) -> NTSTATUS {
        match self.role {
            // SAFETY: any value is a safe handle here.
            Role::Client => unsafe { NmrWaitForClientDeregisterComplete(self.handle()) },
            // SAFETY: as above.
            Role::Provider => unsafe { NmrWaitForProviderDeregisterComplete(self.handle()) },
        }
    }

    /// Deregisters and waits.
    pub(crate) fn end(&self) {
        assert_eq!(self.deregister(), STATUS_PENDING);
        assert_eq!(self.wait(), STATUS_SUCCESS);
    }

    /// `NmrClientAttachProvider` with itself as context: the answer, context and table.
    pub(crate) fn attach_provider(&self, binding: HANDLE) -> (NTSTATUS, PVOID, *const c_void) {
        let mut context = null_mut();
        let mut dispatch = null();
        // SAFETY: the results are this frame's; the contexts of the modules here are modules.
        let status = unsafe {
            NmrClientAttachProvider(
                binding,
                self.context(),
                null(),
                &raw mut context,
                &raw mut dispatch,
            )
        };
        (status, context, dispatch)
    }

    /// `NmrClientAttachProvider` with this binding context, which no callback may look behind, and this table.
    pub(crate) fn attach_with(
        &self,
        binding: HANDLE,
        context: PVOID,
        dispatch: *const c_void,
    ) -> NTSTATUS {
        self.contexts.lock().unwrap().push(context.addr());
        let (mut remote, mut table) = (null_mut(), null());
        // SAFETY: the results are this frame's.
        unsafe {
            NmrClientAttachProvider(binding, context, dispatch, &raw mut remote, &raw mut table)
        }
    }

    pub(crate) fn last_context(&self) -> PVOID {
        std::ptr::without_provenance_mut(*self.contexts.lock().unwrap().last().unwrap())
    }

    /// Completes the detach of `binding` as this module's side.
    pub(crate) fn complete(&self, binding: HANDLE) {
        match self.role {
            // SAFETY: any value is a safe handle here, and the module outlives its bindings.
            Role::Client => unsafe { NmrClientDetachProviderComplete(binding) },
            // SAFETY: as above.
            Role::Provider => unsafe { NmrProviderDetachClientComplete(binding) },
        }
    }
}

pub(crate) fn module<'a>(context: PVOID) -> &'a Module {
    // SAFETY: each context in this file is `Module::context` of a module that outlives its registration.
    unsafe { &*context.cast::<Module>() }
}

pub(crate) fn attach_as(context: PVOID, binding: HANDLE) -> NTSTATUS {
    let module = module(context);
    module.log.record("attach", module.name);
    module.bindings.lock().unwrap().push(binding.addr());
    (module.attach)(module, binding)
}

unsafe extern "system" fn client_attach(
    binding: HANDLE,
    context: PVOID,
    _provider: PNPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    attach_as(context, binding)
}

unsafe extern "system" fn provider_attach(
    binding: HANDLE,
    context: PVOID,
    _client: PNPI_REGISTRATION_INSTANCE,
    _client_context: PVOID,
    _client_dispatch: *const c_void,
    provider_context: *mut PVOID,
    provider_dispatch: *mut *const c_void,
) -> NTSTATUS {
    let status = attach_as(context, binding);
    if !matches!(status, ACCEPT_WITHOUT_RESULTS | ACCEPT_WITHOUT_CONTEXT) {
        // SAFETY: the registrar's results, written during its call.
        unsafe { provider_context.write(context) };
    }
    if !matches!(status, ACCEPT_WITHOUT_RESULTS | ACCEPT_WITHOUT_TABLE) {
        // SAFETY: as above.
        unsafe { provider_dispatch.write(null()) };
    }
    match status {
        ACCEPT_WITHOUT_RESULTS | ACCEPT_WITHOUT_CONTEXT | ACCEPT_WITHOUT_TABLE => STATUS_SUCCESS,
        status => status,
    }
}

/// What a plan returns to make the provider accept and store nothing, or one of the two only. Never seen by the registrar.
pub(crate) const ACCEPT_WITHOUT_RESULTS: NTSTATUS = 0x0ACC_0ACC;
pub(crate) const ACCEPT_WITHOUT_CONTEXT: NTSTATUS = 0x0ACC_0ACD;
pub(crate) const ACCEPT_WITHOUT_TABLE: NTSTATUS = 0x0ACC_0ACE;

unsafe extern "system" fn detach(context: PVOID) -> NTSTATUS {
    let module = module(context);
    module.log.record("detach", module.name);
    (module.detach)(module)
}

unsafe extern "system" fn cleanup(context: PVOID) {
    let module = module(context);
    module.log.record("cleanup", module.name);
    (module.cleanup)(module);
}

/// The detach callback of a module whose binding context is no module.
pub(crate) unsafe extern "system" fn detach_anything(_context: PVOID) -> NTSTATUS {
    STATUS_SUCCESS
}

/// The cleanup callback of a module that is not cleaned up.
pub(crate) unsafe extern "system" fn never_clean_up(_context: PVOID) {
    panic!("cleaned up");
}

thread_local! {
    /// What the entry point registers, which is called on the thread that loads the driver.
    static REGISTERS: RefCell<Vec<Arc<Module>>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "system" fn entry(
    _object: *mut DRIVER_OBJECT,
    _path: *const UNICODE_STRING,
) -> NTSTATUS {
    REGISTERS
        .take()
        .iter()
        .map(|module| module.register())
        .find(|status| *status != STATUS_SUCCESS)
        .unwrap_or(STATUS_SUCCESS)
}

/// Loads a driver that registers these modules.
pub(crate) fn load(kernel: &Kernel, name: &str, modules: &[&Arc<Module>]) -> DriverId {
    REGISTERS.set(modules.iter().copied().map(Arc::clone).collect());
    kernel.load_driver(name, entry).unwrap()
}

/// A machine whose choices are the plainest.
pub(crate) fn plain() -> Kernel {
    let kernel = Kernel::boot(Config::default());
    kernel.nmr().order(OrderChoice::Fixed);
    kernel.nmr().detach_level(LevelChoice::Lowest);
    kernel
}

/// That exactly `rule` was broken, `times` times, and what the first report says.
pub(crate) fn broken(kernel: &Kernel, rule: &'static Rule, times: usize) -> String {
    let found = kernel.take_violations(rule);
    assert_eq!(found.len(), times, "{}: {found:?}", rule.name);
    let others = kernel.violations();
    assert!(others.is_empty(), "{others:?}");
    found[0].detail.clone()
}

pub(crate) fn finish(kernel: Kernel) {
    assert_eq!(kernel.nmr().registrations(), 0);
    assert_eq!(kernel.nmr().bindings(), 0);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// Runs `body` at `level`.
pub(crate) fn at_level<R>(level: u8, body: impl FnOnce() -> R) -> R {
    // SAFETY: raises from PASSIVE_LEVEL and comes back below.
    let old = unsafe { KfRaiseIrql(level) };
    let result = body();
    // SAFETY: the level that was left above.
    unsafe { KeLowerIrql(old) };
    result
}

/// Runs `body` at DISPATCH_LEVEL.
pub(crate) fn at_dispatch<R>(body: impl FnOnce() -> R) -> R {
    at_level(DISPATCH, body)
}

/// Raises the level, and leaves it there.
pub(crate) fn raise() {
    // SAFETY: raises from PASSIVE_LEVEL; that nobody lowers it again is the test.
    unsafe { KfRaiseIrql(DISPATCH) };
}

/// What may be done at PASSIVE_LEVEL only.
pub(crate) fn sleep() {
    let mut interval = LARGE_INTEGER { QuadPart: -1 };
    // SAFETY: the interval is this frame's; that the level may be wrong is the test.
    let _ = unsafe { KeDelayExecutionThread(0, 0, &raw mut interval) };
}

const TAG: u32 = u32::from_le_bytes(*b"Test");
const BLOCK: u64 = 64;

/// A block of pool.
pub(crate) fn pool_block() -> PVOID {
    // SAFETY: nonpaged pool, at or below DISPATCH_LEVEL.
    let block = unsafe { ExAllocatePoolWithTag(_POOL_TYPE::NonPagedPool, BLOCK, TAG) };
    assert!(!block.is_null());
    block
}

/// Frees a block of pool.
pub(crate) fn free(block: PVOID) {
    // SAFETY: from `pool_block`; that it is freed too early is the test.
    unsafe { ExFreePoolWithTag(block, TAG) };
}
