//! The Network Module Registrar, driven through its C functions as a driver written in C would.
//!
//! # Safety
//!
//! The unsafe code of this file calls the registrar and is called by it. Each module's characteristics, and the module
//! itself, which is the context of everything, live in the test until its kernel has shut down.
#![expect(unsafe_code, reason = "calls C functions and is called back")]

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

use nmr_netdma::sys::{
    DISPATCH_LEVEL, GUID, HANDLE, KeLowerIrql, KfRaiseIrql, MIT_GUID, MIT_IF_LUID,
    NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_PROVIDER_CHARACTERISTICS,
    NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrClientAttachProvider, NmrClientDetachProviderComplete,
    NmrDeregisterClient, NmrDeregisterProvider, NmrProviderDetachClientComplete, NmrRegisterClient,
    NmrRegisterProvider, NmrWaitForClientDeregisterComplete, NmrWaitForProviderDeregisterComplete,
    PNPI_REGISTRATION_INSTANCE, PVOID, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
};
use simkernel::netio::{LevelChoice, OrderChoice, violation};
use simkernel::{Config, Kernel, Rule};

const DISPATCH: u8 = DISPATCH_LEVEL as u8;

fn guid(number: u32) -> GUID {
    GUID {
        Data1: number,
        ..GUID::default()
    }
}

/// What happened to whom, at which level, on which thread.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    what: &'static str,
    who: &'static str,
    irql: u8,
    thread: std::thread::ThreadId,
}

#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl Log {
    fn record(&self, what: &'static str, who: &'static str) {
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

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// `what who`, in order.
    fn texts(&self) -> Vec<String> {
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
enum Role {
    Client,
    Provider,
}

/// A module under test: what it registers and what its callbacks do.
struct Module {
    name: &'static str,
    role: Role,
    log: Arc<Log>,
    interface: *mut GUID,
    id: *mut NPI_MODULEID,
    client: *mut NPI_CLIENT_CHARACTERISTICS,
    provider: *mut NPI_PROVIDER_CHARACTERISTICS,
    attach: AttachPlan,
    detach: DetachPlan,
    cleanup: CleanupPlan,
    /// The registration's handle and those of the bindings that were proposed.
    handle: AtomicUsize,
    bindings: Mutex<Vec<usize>>,
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
    fn new(role: Role, name: &'static str, log: &Arc<Log>, interface: u32) -> Self {
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
            bindings: Mutex::new(Vec::new()),
        }
    }

    fn client(name: &'static str, log: &Arc<Log>) -> Self {
        Self::new(Role::Client, name, log, 1)
    }

    fn provider(name: &'static str, log: &Arc<Log>) -> Self {
        Self::new(Role::Provider, name, log, 1)
    }

    fn on_attach(
        mut self,
        plan: impl Fn(&Self, HANDLE) -> NTSTATUS + Send + Sync + 'static,
    ) -> Self {
        self.attach = Box::new(plan);
        self
    }

    fn on_detach(mut self, plan: impl Fn(&Self) -> NTSTATUS + Send + Sync + 'static) -> Self {
        self.detach = Box::new(plan);
        self
    }

    fn on_cleanup(mut self, plan: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        self.cleanup = Box::new(plan);
        self
    }

    /// Changes what will be, or is, registered.
    fn edit_client(self, edit: impl FnOnce(&mut NPI_CLIENT_CHARACTERISTICS)) -> Self {
        // SAFETY: the module's own memory, and nobody else reads it while it is edited.
        edit(unsafe { &mut *self.client });
        self
    }

    fn edit_id(self, edit: impl FnOnce(&mut NPI_MODULEID)) -> Self {
        // SAFETY: as for `edit_client`.
        edit(unsafe { &mut *self.id });
        self
    }

    fn context(&self) -> PVOID {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn handle(&self) -> HANDLE {
        std::ptr::without_provenance_mut(self.handle.load(Ordering::SeqCst))
    }

    /// The handle of the latest binding proposed to this module.
    fn binding(&self) -> HANDLE {
        std::ptr::without_provenance_mut(*self.bindings.lock().unwrap().last().unwrap())
    }

    fn register(&self) -> NTSTATUS {
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

    fn deregister(&self) -> NTSTATUS {
        match self.role {
            // SAFETY: the module outlives its registration.
            Role::Client => unsafe { NmrDeregisterClient(self.handle()) },
            // SAFETY: as above.
            Role::Provider => unsafe { NmrDeregisterProvider(self.handle()) },
        }
    }

    fn wait(&self) -> NTSTATUS {
        match self.role {
            // SAFETY: any value is a safe handle here.
            Role::Client => unsafe { NmrWaitForClientDeregisterComplete(self.handle()) },
            // SAFETY: as above.
            Role::Provider => unsafe { NmrWaitForProviderDeregisterComplete(self.handle()) },
        }
    }

    /// Deregisters and waits.
    fn end(&self) {
        assert_eq!(self.deregister(), STATUS_PENDING);
        assert_eq!(self.wait(), STATUS_SUCCESS);
    }

    /// `NmrClientAttachProvider` with itself as context: the answer, context and table.
    fn attach_provider(&self, binding: HANDLE) -> (NTSTATUS, PVOID, *const c_void) {
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

    /// Completes the detach of `binding` as this module's side.
    fn complete(&self, binding: HANDLE) {
        match self.role {
            // SAFETY: any value is a safe handle here, and the module outlives its bindings.
            Role::Client => unsafe { NmrClientDetachProviderComplete(binding) },
            // SAFETY: as above.
            Role::Provider => unsafe { NmrProviderDetachClientComplete(binding) },
        }
    }
}

fn module<'a>(context: PVOID) -> &'a Module {
    // SAFETY: each context in this file is `Module::context` of a module that outlives its registration.
    unsafe { &*context.cast::<Module>() }
}

fn attach_as(context: PVOID, binding: HANDLE) -> NTSTATUS {
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
    if status != ACCEPT_WITHOUT_RESULTS {
        // SAFETY: the registrar's results, written during its call.
        unsafe { provider_context.write(context) };
        // SAFETY: as above.
        unsafe { provider_dispatch.write(null()) };
    }
    if status == ACCEPT_WITHOUT_RESULTS {
        STATUS_SUCCESS
    } else {
        status
    }
}

/// What a plan returns to make the provider accept and store nothing. Never seen by the registrar.
const ACCEPT_WITHOUT_RESULTS: NTSTATUS = 0x0ACC_0ACC;

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

/// A machine whose choices are the plainest.
fn plain() -> Kernel {
    let kernel = Kernel::boot(Config::default());
    kernel.nmr().order(OrderChoice::Fixed);
    kernel.nmr().detach_level(LevelChoice::Lowest);
    kernel
}

/// That exactly `rule` was broken, `times` times, and what the first report says.
fn broken(kernel: &Kernel, rule: &'static Rule, times: usize) -> String {
    let found = kernel.take_violations(rule);
    assert_eq!(found.len(), times, "{}: {found:?}", rule.name);
    let others = kernel.violations();
    assert!(others.is_empty(), "{others:?}");
    found[0].detail.clone()
}

fn finish(kernel: Kernel) {
    assert_eq!(kernel.nmr().registrations(), 0);
    assert_eq!(kernel.nmr().bindings(), 0);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// Runs `body` at DISPATCH_LEVEL.
fn at_dispatch<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: raises from PASSIVE_LEVEL and comes back below.
    let old = unsafe { KfRaiseIrql(DISPATCH) };
    let result = body();
    // SAFETY: the level that was left above.
    unsafe { KeLowerIrql(old) };
    result
}

// The life of a binding.

#[test]
fn a_binding_lives_from_register_to_cleanup() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    assert_eq!(provider.register(), STATUS_SUCCESS);
    assert_eq!(log.texts(), [""; 0]);
    assert_eq!(client.register(), STATUS_SUCCESS);
    assert_eq!(log.texts(), ["attach c", "attach p"]);
    assert_eq!(
        (kernel.nmr().registrations(), kernel.nmr().bindings()),
        (2, 1)
    );
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert_eq!(
        log.texts(),
        ["detach c", "detach p", "cleanup c", "cleanup p"]
    );
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    assert_eq!(log.texts(), [""; 0]);
    finish(kernel);
}

#[test]
fn rule_11_a_provider_that_comes_second_is_offered_too() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    client.register();
    provider.register();
    assert_eq!(log.texts(), ["attach c", "attach p"]);
    provider.end();
    assert_eq!(
        log.texts(),
        ["detach c", "detach p", "cleanup c", "cleanup p"]
    );
    client.end();
    finish(kernel);
}

#[test]
fn rule_07_other_interfaces_do_not_meet() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let others: Vec<_> = (2..60)
        .map(|number| Module::new(Role::Provider, "p", &log, number))
        .collect();
    for other in &others {
        other.register();
    }
    client.register();
    assert_eq!(log.texts(), [""; 0]);
    others.iter().for_each(Module::end);
    client.end();
    finish(kernel);
}

#[test]
fn rule_08_equal_module_ids_attach_and_rule_10_can_be_kept_apart() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("same", &log), Module::provider("same", &log));
    provider.register();
    client.register();
    assert_eq!(log.texts(), ["attach same", "attach same"]);
    client.end();
    kernel.nmr().self_attachment(false);
    log.take();
    client.register();
    assert_eq!(log.texts(), [""; 0]);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_12_the_handle_is_written_after_the_callbacks() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let seen = Arc::new(AtomicUsize::new(1));
    let seen_inside = Arc::clone(&seen);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        seen_inside.store(module.handle().addr(), Ordering::SeqCst);
        module.attach_provider(binding).0
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    assert_ne!(client.handle().addr(), 0);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_13_a_failed_registration_leaves_no_handle() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    kernel.nmr().fail_registration(Some(2));
    assert_eq!(client.register(), STATUS_SUCCESS);
    let first = client.handle();
    assert_eq!(client.register(), STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(client.deregister(), STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::DEAD_HANDLE, 1);
    client.handle.store(first.addr(), Ordering::SeqCst);
    client.end();
    finish(kernel);
}

#[test]
fn rule_17_a_refusal_is_followed_by_no_cleanup() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    // The plan's provider has stored its context all the same.
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    provider.register();
    client.register();
    assert_eq!(kernel.nmr().bindings(), 0);
    client.end();
    provider.end();
    assert_eq!(log.texts(), ["attach c", "attach p"]);
    finish(kernel);
}

#[test]
fn a_client_can_decline_without_asking() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    provider.end();
    assert_eq!(log.texts(), ["attach c"]);
    finish(kernel);
}

#[test]
fn rule_16_a_refused_client_may_try_again() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        assert_eq!(module.attach_provider(binding).0, STATUS_NOINTERFACE);
        assert_eq!(module.attach_provider(binding).0, STATUS_NOINTERFACE);
        module.attach_provider(binding).0
    });
    let asked = AtomicUsize::new(0);
    let provider = Module::provider("p", &log).on_attach(move |_, _| {
        match asked.fetch_add(1, Ordering::SeqCst) {
            2 => STATUS_SUCCESS,
            _ => STATUS_NOINTERFACE,
        }
    });
    provider.register();
    client.register();
    assert_eq!(kernel.nmr().bindings(), 1);
    client.end();
    provider.end();
    assert_eq!(
        log.texts(),
        [
            "attach c",
            "attach p",
            "attach p",
            "attach p",
            "detach c",
            "detach p",
            "cleanup c",
            "cleanup p"
        ]
    );
    finish(kernel);
}

#[test]
fn an_attach_can_be_made_to_fail() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    kernel.nmr().fail_attach(Some(1));
    provider.register();
    client.register();
    assert_eq!(log.texts(), ["attach c"]);
    assert_eq!(kernel.nmr().bindings(), 0);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_20_tables_may_be_null_and_contexts_come_back() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let result = Arc::new(Mutex::new((0, 1)));
    let inside = Arc::clone(&result);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        let (status, context, dispatch) = module.attach_provider(binding);
        *inside.lock().unwrap() = (context.addr(), dispatch.addr());
        status
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    assert_eq!(*result.lock().unwrap(), (provider.context().addr(), 0));
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_41_a_null_cleanup_is_skipped() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client =
        Module::client("c", &log).edit_client(|client| client.ClientCleanupBindingContext = None);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    log.take();
    client.end();
    provider.end();
    assert_eq!(log.texts(), ["detach c", "detach p", "cleanup p"]);
    finish(kernel);
}

#[test]
fn rule_31_each_side_is_told_once_when_both_deregister() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    log.take();
    client.deregister();
    provider.deregister();
    assert_eq!(log.texts(), ["detach c", "detach p"]);
    client.complete(client.binding());
    assert_eq!(log.texts(), ["cleanup c", "cleanup p"]);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    finish(kernel);
}

#[test]
fn rule_42_a_cleanup_may_call_the_registrar() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let inner = Arc::new(Module::new(Role::Provider, "inner", &log, 9));
    let registered = Arc::clone(&inner);
    let client = Module::client("c", &log).on_cleanup(move |_| {
        assert_eq!(registered.register(), STATUS_SUCCESS);
        registered.end();
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    provider.end();
    finish(kernel);
}

// Completion.

#[test]
fn rule_36_the_last_completion_cleans_up_on_its_thread() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    log.take();
    client.complete(client.binding());
    assert_eq!(log.texts(), [""; 0]);
    let completing = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _entered = kernel.enter(1);
            provider.complete(provider.binding());
        });
        let id = thread.thread().id();
        // The wait ends only after the cleanup callbacks.
        assert_eq!(client.wait(), STATUS_SUCCESS);
        id
    });
    let events = log.take();
    assert_eq!(events.len(), 2);
    assert!(
        events
            .iter()
            .all(|event| event.what == "cleanup" && event.thread == completing)
    );
    provider.end();
    finish(kernel);
}

#[test]
fn rule_35_a_completion_may_come_before_the_callback_returns() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let complete_inside = |module: &Module| {
        module.complete(module.binding());
        module.log.record("returning", module.name);
        STATUS_PENDING
    };
    let client = Module::client("c", &log).on_detach(complete_inside);
    let provider = Module::provider("p", &log).on_detach(complete_inside);
    provider.register();
    client.register();
    log.take();
    client.end();
    let expected = [
        "detach c",
        "returning c",
        "detach p",
        "returning p",
        "cleanup c",
        "cleanup p",
    ];
    assert_eq!(log.texts(), expected);
    client.register();
    log.take();
    kernel.nmr().early_cleanup(true);
    client.end();
    let expected = [
        "detach c",
        "returning c",
        "detach p",
        "cleanup c",
        "cleanup p",
        "returning p",
    ];
    assert_eq!(log.texts(), expected);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_37_a_completion_before_the_detach_is_flagged_or_remembered() {
    for compatibility in [false, true] {
        let kernel = plain();
        kernel.nmr().compatibility(compatibility);
        let log = Arc::new(Log::default());
        let client = Module::client("c", &log);
        let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
        provider.register();
        client.register();
        provider.complete(provider.binding());
        if !compatibility {
            let detail = broken(&kernel, &violation::COMPLETED_BEFORE_DETACH, 1);
            assert!(
                detail.contains("client ") && detail.contains("provider "),
                "{detail}"
            );
        }
        client.end();
        provider.end();
        finish(kernel);
    }
}

#[test]
fn rule_34_a_second_completion_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    client.complete(client.binding());
    client.complete(client.binding());
    broken(&kernel, &violation::COMPLETED_TWICE, 1);
    provider.complete(provider.binding());
    // The binding is gone.
    provider.complete(provider.binding());
    broken(&kernel, &violation::COMPLETED_TWICE, 1);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_34_a_completion_after_success_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    client.complete(client.binding());
    broken(&kernel, &violation::COMPLETED_AFTER_SUCCESS, 1);
    provider.complete(provider.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_34_success_after_a_completion_inside_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|module| {
        module.complete(module.binding());
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    broken(&kernel, &violation::COMPLETED_AFTER_SUCCESS, 1);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_33_a_detach_that_fails_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_UNSUCCESSFUL);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    let detail = broken(&kernel, &violation::DETACH_STATUS, 1);
    assert!(
        detail.contains("ClientDetachProvider of client "),
        "{detail}"
    );
    provider.end();
    finish(kernel);
}

// Late comers and races.

#[test]
fn rule_26_a_deregistration_inside_an_attach_detaches_it_at_once() {
    for peer_deregisters in [false, true] {
        let kernel = plain();
        let log = Arc::new(Log::default());
        let provider = Arc::new(Module::provider("p", &log));
        let peer = Arc::clone(&provider);
        // Registered first, so that its handle is known in the callback that the provider's registration causes.
        let client = Arc::new(Module::client("c", &log).on_attach(move |module, binding| {
            let status = module.attach_provider(binding).0;
            let leaving = if peer_deregisters { &*peer } else { module };
            if leaving.handle().addr() != 0 {
                assert_eq!(leaving.deregister(), STATUS_PENDING);
            }
            module.log.record("attached", module.name);
            status
        }));
        let (first, second) = if peer_deregisters {
            (&provider, &client)
        } else {
            (&client, &provider)
        };
        first.register();
        second.register();
        let expected = [
            "attach c",
            "attach p",
            "attached c",
            "detach c",
            "detach p",
            "cleanup c",
            "cleanup p",
        ];
        assert_eq!(log.texts(), expected);
        assert_eq!(first.wait(), STATUS_SUCCESS);
        second.end();
        finish(kernel);
    }
}

#[test]
fn rule_26_a_deregistration_on_another_thread_waits_for_the_attach() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (in_attach, attaching) = mpsc::sync_channel(0);
    let (go_on, going_on) = mpsc::sync_channel::<()>(0);
    let going_on = Mutex::new(going_on);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        let status = module.attach_provider(binding).0;
        in_attach.send(()).unwrap();
        going_on.lock().unwrap().recv().unwrap();
        module.log.record("attached", module.name);
        status
    });
    let provider = Module::provider("p", &log);
    provider.register();
    let waited = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let attaching_thread = scope.spawn(|| {
            let _entered = kernel.enter(1);
            client.register();
        });
        let attaching_thread = attaching_thread.thread().id();
        attaching.recv().unwrap();
        assert_eq!(provider.deregister(), STATUS_PENDING);
        assert_eq!(log.texts(), ["attach c", "attach p"]);
        let waiting = scope.spawn(|| {
            let _entered = kernel.enter(2);
            assert_eq!(provider.wait(), STATUS_SUCCESS);
            waited.store(true, Ordering::SeqCst);
        });
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waited.load(Ordering::SeqCst));
        go_on.send(()).unwrap();
        waiting.join().unwrap();
        let events = log.take();
        assert!(events.iter().all(|event| event.thread == attaching_thread));
        let what: Vec<_> = events.iter().map(|event| event.what).collect();
        assert_eq!(what, ["attached", "detach", "detach", "cleanup", "cleanup"]);
    });
    client.end();
    finish(kernel);
}

#[test]
fn rule_25_a_deregistering_module_is_not_proposed() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let (provider, late) = (Module::provider("p", &log), Module::provider("late", &log));
    provider.register();
    client.register();
    client.deregister();
    log.take();
    late.register();
    assert_eq!(log.texts(), [""; 0]);
    client.complete(client.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    late.end();
    finish(kernel);
}

#[test]
fn rule_25_a_proposal_not_begun_is_withdrawn() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let second = Arc::new(Module::provider("second", &log));
    let leaving = Arc::clone(&second);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        if leaving.handle().addr() != 0 {
            leaving.end();
            leaving.handle.store(0, Ordering::SeqCst);
        }
        module.attach_provider(binding).0
    });
    let first = Module::provider("first", &log);
    first.register();
    second.register();
    client.register();
    assert_eq!(log.texts(), ["attach c", "attach first"]);
    client.end();
    first.end();
    finish(kernel);
}

#[test]
fn rule_11_a_pair_is_attached_once_when_both_register_at_once() {
    let kernel = plain();
    kernel.nmr().tracing(false);
    let log = Arc::new(Log::default());
    for _ in 0..500 {
        let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            for (processor, module) in [(1, &client), (2, &provider)] {
                let (kernel, start) = (&kernel, &start);
                scope.spawn(move || {
                    let _entered = kernel.enter(processor);
                    start.wait();
                    assert_eq!(module.register(), STATUS_SUCCESS);
                });
            }
        });
        assert_eq!(log.texts(), ["attach c", "attach p"]);
        client.end();
        provider.end();
        log.take();
    }
    finish(kernel);
}

#[test]
fn rule_26_nothing_is_lost_when_modules_come_and_go_on_many_threads() {
    let kernel = Kernel::boot(Config::default());
    kernel.nmr().tracing(false);
    let log = Arc::new(Log::default());
    let threads = 4;
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (kernel, start, log) = (&kernel, &start, &log);
            scope.spawn(move || {
                let _entered = kernel.enter(thread as u32);
                start.wait();
                for round in 0..200 {
                    let module = match (thread + round) % 2 {
                        0 => Module::client("c", log),
                        _ => Module::provider("p", log),
                    };
                    assert_eq!(module.register(), STATUS_SUCCESS);
                    module.end();
                }
            });
        }
    });
    let events = log.take();
    let count = |what, who| {
        events
            .iter()
            .filter(|event| event.what == what && event.who == who)
            .count()
    };
    for who in ["c", "p"] {
        assert_eq!(count("attach", who), count("detach", who));
        assert_eq!(count("attach", who), count("cleanup", who));
    }
    assert_eq!(count("attach", "c"), count("attach", "p"));
    finish(kernel);
}

// Levels and orders.

#[test]
fn rule_06_detach_and_cleanup_come_at_both_levels_and_dispatch_is_favoured() {
    let kernel = Kernel::boot(Config::default());
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    for _ in 0..100 {
        client.register();
        client.end();
    }
    let events = log.take();
    let levels = |what: &str, irql: u8| {
        events
            .iter()
            .filter(|event| event.what == what && event.irql == irql)
            .count()
    };
    assert_eq!(levels("attach", 0), 200);
    for what in ["detach", "cleanup"] {
        assert_eq!(levels(what, 0) + levels(what, DISPATCH), 200);
        assert!(
            levels(what, 0) > 10 && levels(what, DISPATCH) > levels(what, 0),
            "{what}"
        );
    }
    provider.end();
    finish(kernel);
}

#[test]
fn rule_06_the_level_can_be_chosen_and_is_never_below_the_callers() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    for (choice, raised, expected) in [
        (LevelChoice::Lowest, false, 0),
        (LevelChoice::Dispatch, false, DISPATCH),
        (LevelChoice::Lowest, true, DISPATCH),
        (LevelChoice::Seeded, true, DISPATCH),
    ] {
        kernel.nmr().detach_level(choice);
        client.register();
        log.take();
        let status = if raised {
            at_dispatch(|| client.deregister())
        } else {
            client.deregister()
        };
        assert_eq!(status, STATUS_PENDING);
        assert_eq!(client.wait(), STATUS_SUCCESS);
        let levels: Vec<_> = log.take().iter().map(|event| event.irql).collect();
        assert_eq!(levels, [expected; 4], "{choice:?}");
    }
    provider.end();
    finish(kernel);
}

#[test]
fn rule_04_and_05_calls_at_the_wrong_level_are_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    at_dispatch(|| client.register());
    client.deregister();
    at_dispatch(|| client.wait());
    let violations = kernel.violations();
    let text = format!("{violations:?}");
    assert_eq!(violations.len(), 2, "{text}");
    assert!(
        violations
            .iter()
            .all(|violation| violation.rule.name == "ke::level"),
        "{text}"
    );
    assert!(
        text.contains("NmrRegisterClient") && text.contains("NmrWaitForClientDeregisterComplete"),
        "{text}"
    );
    let verdict = kernel.shutdown();
    assert!(verdict.leaks.is_empty(), "{verdict}");
}

#[test]
fn rule_30_40_51_orders_are_fixed_or_shuffled_by_the_seed() {
    let run = |seed: u64, order: OrderChoice| {
        let kernel = Kernel::boot(Config {
            seed,
            ..Config::default()
        });
        kernel.nmr().order(order);
        let log = Arc::new(Log::default());
        let client = Module::client("c", &log);
        let providers: Vec<_> = ["1", "2", "3", "4"]
            .map(|name| Module::provider(name, &log))
            .into();
        for provider in &providers {
            provider.register();
        }
        client.register();
        log.take();
        client.end();
        providers.iter().for_each(Module::end);
        finish(kernel);
        log.texts().join(", ")
    };
    let fixed: String = ["1", "2", "3", "4"]
        .map(|name| format!("detach c, detach {name}, cleanup c, cleanup {name}"))
        .join(", ");
    assert_eq!(run(1, OrderChoice::Fixed), fixed);
    assert_eq!(run(1, OrderChoice::Seeded), run(1, OrderChoice::Seeded));
    let different: BTreeSet<_> = (0..20).map(|seed| run(seed, OrderChoice::Seeded)).collect();
    assert!(different.len() > 15, "{different:?}");
    let starts_with = |start: &str| different.iter().any(|order| order.starts_with(start));
    assert!(
        starts_with("detach c, detach 3") || starts_with("detach 3, detach c"),
        "{different:?}"
    );
}

#[test]
fn a_callback_that_leaves_the_level_changed_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| {
        // SAFETY: raises from PASSIVE_LEVEL; that nobody lowers it again is the test.
        unsafe { KfRaiseIrql(DISPATCH) };
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    provider.end();
    let violations = kernel.violations();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].rule.name, "ke::level-changed");
    assert!(
        violations[0]
            .detail
            .contains("ClientDetachProvider of client"),
        "{violations:?}"
    );
    let _ = kernel.shutdown();
}

// Wrong registrations.

#[test]
fn rule_01_wrong_sizes_are_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let wrong: [Module; 4] = [
        Module::client("c", &log).edit_client(|client| client.Version = 7),
        Module::client("c", &log).edit_client(|client| client.Length = 1),
        Module::client("c", &log).edit_client(|client| client.ClientRegistrationInstance.Size = 0),
        Module::client("c", &log).edit_id(|id| id.Length = 16),
    ];
    for client in &wrong {
        assert_eq!(client.register(), STATUS_SUCCESS);
        broken(&kernel, &violation::SIZES, 1);
        client.end();
    }
    // The version of the instance is the modules' own business.
    let client = Module::client("c", &log)
        .edit_client(|client| client.ClientRegistrationInstance.Version = 1);
    client.register();
    client.end();
    finish(kernel);
}

#[test]
fn incomplete_registrations_are_refused() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let wrong: [Module; 3] = [
        Module::client("c", &log).edit_client(|client| client.ClientAttachProvider = None),
        Module::client("c", &log).edit_client(|client| client.ClientDetachProvider = None),
        Module::client("c", &log)
            .edit_client(|client| client.ClientRegistrationInstance.NpiId = null()),
    ];
    for client in &wrong {
        assert_eq!(client.register(), STATUS_INVALID_PARAMETER);
        broken(&kernel, &violation::INCOMPLETE, 1);
    }
    // Nothing needs the module id, so peers can be shown a NULL one.
    let client = Module::client("c", &log)
        .edit_client(|client| client.ClientRegistrationInstance.ModuleId = null());
    assert_eq!(client.register(), STATUS_SUCCESS);
    broken(&kernel, &violation::INCOMPLETE, 1);
    client.end();
    let mut handle = null_mut();
    // SAFETY: the handle is this frame's; NULL characteristics are the test.
    let status = unsafe { NmrRegisterClient(null(), null_mut(), &raw mut handle) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::INCOMPLETE, 1);
    finish(kernel);
}

#[test]
fn rule_02_a_changed_registration_is_flagged_once() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    client.register();
    // SAFETY: the module's own memory, which nobody reads now.
    unsafe { (*client.client).ClientRegistrationInstance.Number = 8 };
    assert_eq!(client.deregister(), STATUS_PENDING);
    let detail = broken(&kernel, &violation::CHANGED, 1);
    assert!(
        detail.contains("/7") && detail.contains("deregistered"),
        "{detail}"
    );
    assert_eq!(client.wait(), STATUS_SUCCESS);

    provider.register();
    let client = Module::client("c", &log);
    client.register();
    // SAFETY: the module's own memory, which nobody reads now.
    unsafe { client.interface.write(guid(99)) };
    let second = Module::provider("second", &log);
    second.register();
    let detail = broken(&kernel, &violation::CHANGED, 1);
    assert!(detail.contains("proposed"), "{detail}");
    client.end();
    provider.end();
    second.end();
    finish(kernel);
}

#[test]
fn modules_are_named_by_whatever_id_they_have() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let by_luid = Module::client("c", &log).edit_id(|id| {
        id.Type = MIT_IF_LUID;
        id.u.IfLuid.LowPart = 0x1234;
        id.u.IfLuid.HighPart = 0;
    });
    let unknown = Module::client("c", &log).edit_id(|id| id.Type = 77);
    let by_guid = Module::client("c", &log);
    let expected = [
        "client luid 0x1234/7",
        "client module id of type 77/7",
        "client 00000063-0000-0000-0000-000000000000/7",
    ];
    for (module, expected) in [by_luid, unknown, by_guid].iter().zip(expected) {
        module.register();
        module.end();
        module.deregister();
        kernel.take_violations(&violation::DEAD_HANDLE);
        let events = kernel.events();
        let registered = events
            .iter()
            .rev()
            .find(|event| event.what.contains("registered for"));
        assert_eq!(
            registered.unwrap().what,
            format!("{expected} registered for 00000001-0000-0000-0000-000000000000")
        );
    }
    finish(kernel);
}

// Wrong attaches.

#[test]
fn rule_14_an_attach_outside_the_callback_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    client.register();
    let (status, context, _) = client.attach_provider(client.binding());
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    assert_ne!(context, provider.context());
    broken(&kernel, &violation::ATTACH_OUTSIDE, 1);
    client.end();
    client.attach_provider(client.binding());
    broken(&kernel, &violation::DEAD_HANDLE, 1);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_14_an_attach_on_another_thread_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    // The client's callback returns when the other thread has tried and failed.
    let turn = Arc::new(Barrier::new(2));
    let callback_turn = Arc::clone(&turn);
    let client = Module::client("c", &log).on_attach(move |_, _| {
        callback_turn.wait();
        callback_turn.wait();
        STATUS_NOINTERFACE
    });
    let provider = Module::provider("p", &log);
    provider.register();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            turn.wait();
            let (status, ..) = client.attach_provider(client.binding());
            assert_eq!(status, STATUS_INVALID_PARAMETER);
            turn.wait();
        });
        client.register();
    });
    broken(&kernel, &violation::ATTACH_OUTSIDE, 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_16_an_attach_after_a_success_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        let status = module.attach_provider(binding).0;
        assert_eq!(module.attach_provider(binding).0, STATUS_INVALID_PARAMETER);
        status
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_TWICE, 1);
    client.end();
    provider.end();
    assert_eq!(
        log.texts(),
        [
            "attach c",
            "attach p",
            "detach c",
            "detach p",
            "cleanup c",
            "cleanup p"
        ]
    );
    finish(kernel);
}

#[test]
fn rule_15_failure_after_a_success_is_flagged_and_the_provider_is_told() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        module.attach_provider(binding);
        STATUS_NOINTERFACE
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    let detail = broken(&kernel, &violation::ATTACH_ANSWER, 1);
    assert!(
        detail.contains("STATUS_NOINTERFACE") && detail.contains("STATUS_SUCCESS"),
        "{detail}"
    );
    assert_eq!(
        log.texts(),
        ["attach c", "attach p", "detach p", "cleanup p"]
    );
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_15_a_client_that_fails_late_may_be_cleaned_up_early() {
    for seed in 0..8 {
        let kernel = Kernel::boot(Config {
            seed,
            ..Config::default()
        });
        kernel.nmr().early_cleanup(true);
        let log = Arc::new(Log::default());
        let client = Module::client("c", &log).on_attach(|module, binding| {
            module.attach_provider(binding);
            STATUS_NOINTERFACE
        });
        let provider = Module::provider("p", &log).on_detach(|module| {
            module.complete(module.binding());
            STATUS_PENDING
        });
        provider.register();
        client.register();
        broken(&kernel, &violation::ATTACH_ANSWER, 1);
        let expected = ["attach c", "attach p", "detach p", "cleanup p"];
        assert_eq!(log.texts(), expected);
        client.end();
        provider.end();
        finish(kernel);
    }
}

#[test]
fn rule_15_success_without_an_accepted_attach_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let plans: [fn(&Module, HANDLE) -> NTSTATUS; 2] = [
        |_, _| STATUS_SUCCESS,
        |module, binding| {
            module.attach_provider(binding);
            STATUS_SUCCESS
        },
    ];
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    provider.register();
    for plan in plans {
        let client = Module::client("c", &log).on_attach(plan);
        client.register();
        broken(&kernel, &violation::ATTACH_ANSWER, 1);
        assert_eq!(kernel.nmr().bindings(), 0);
        client.end();
    }
    provider.end();
    finish(kernel);
}

#[test]
fn rule_15_another_failure_than_the_one_handed_out_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        module.attach_provider(binding);
        STATUS_UNSUCCESSFUL
    });
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_ANSWER, 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_21_another_success_code_attaches_and_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_PENDING);
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_STATUS, 1);
    assert_eq!(kernel.nmr().bindings(), 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_19_accepting_without_results_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log)
        .on_attach(|_, _| ACCEPT_WITHOUT_RESULTS)
        .on_detach(|_| STATUS_SUCCESS);
    // Its context is poison then, so nobody may look behind it.
    // SAFETY: the module's own memory, before it is registered.
    let characteristics = unsafe { &mut *provider.provider };
    characteristics.ProviderDetachClient = Some(detach_nothing);
    characteristics.ProviderCleanupBindingContext = None;
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_OUTPUT, 1);
    client.end();
    provider.end();
    finish(kernel);
}

unsafe extern "system" fn detach_nothing(_context: PVOID) -> NTSTATUS {
    STATUS_SUCCESS
}

// Wrong handles, waits and ends.

#[test]
fn rule_38_handles_of_the_wrong_kind_are_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.complete(client.handle());
    let detail = broken(&kernel, &violation::HANDLE_KIND, 1);
    assert!(
        detail.contains("takes a binding") && detail.contains("the registration of client"),
        "{detail}"
    );
    // SAFETY: any value is a safe handle here.
    let status = unsafe { NmrDeregisterProvider(client.handle()) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::HANDLE_KIND, 1);
    // SAFETY: as above.
    let status = unsafe { NmrWaitForClientDeregisterComplete(client.binding()) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::HANDLE_KIND, 1);
    client.deregister();
    client.complete(client.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_45_and_49_dead_handles_are_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    client.register();
    let stale = client.handle();
    client.end();
    // Its place is taken again, its generation not.
    client.register();
    assert_ne!(client.handle(), stale);
    for bad in [stale.addr(), 0, 8, 0x9FFF_FFFF_FFFF_FFFF] {
        let bad: HANDLE = std::ptr::without_provenance_mut(bad);
        // SAFETY: any value is a safe handle here.
        let status = unsafe { NmrWaitForClientDeregisterComplete(bad) };
        assert_eq!(status, STATUS_INVALID_PARAMETER);
        // SAFETY: as above.
        let status = unsafe { NmrDeregisterClient(bad) };
        assert_eq!(status, STATUS_INVALID_PARAMETER);
        broken(&kernel, &violation::DEAD_HANDLE, 2);
    }
    // SAFETY: as above.
    unsafe { NmrClientDetachProviderComplete(null_mut()) };
    broken(&kernel, &violation::DEAD_HANDLE, 1);
    client.end();
    finish(kernel);
}

#[test]
fn rule_45_a_wait_without_a_deregistration_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    client.register();
    assert_eq!(client.wait(), STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::WAIT_BEFORE_DEREGISTER, 1);
    provider.register();
    assert_eq!(client.wait(), STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::WAIT_BEFORE_DEREGISTER, 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_49_a_second_deregistration_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    client.register();
    client.deregister();
    assert_eq!(client.deregister(), STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::DEREGISTERED_TWICE, 1);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    finish(kernel);
}

#[test]
fn rule_44_deregister_is_pending_with_no_binding_too() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    client.register();
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    finish(kernel);
}

#[test]
fn rule_48_a_wait_inside_the_callback_it_waits_for_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let provider = Arc::new(Module::provider("p", &log));
    let waited_for = Arc::clone(&provider);
    // The provider's deregistration waits for the client's callback as well.
    let client = Module::client("c", &log).on_detach(move |_| {
        assert_ne!(waited_for.wait(), STATUS_SUCCESS);
        STATUS_SUCCESS
    });
    provider.register();
    client.register();
    assert_eq!(provider.deregister(), STATUS_PENDING);
    let detail = broken(&kernel, &violation::WAIT_IN_CALLBACK, 1);
    assert!(
        detail.contains("for provider ")
            && detail.contains("inside ClientDetachProvider of client "),
        "{detail}"
    );
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    client.end();
    finish(kernel);
}

#[test]
fn a_wait_inside_the_callback_of_another_binding_is_fine() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let other = Arc::new(Module::new(Role::Provider, "other", &log, 2));
    let ended = Arc::clone(&other);
    let client = Module::client("c", &log).on_detach(move |_| {
        ended.end();
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log);
    other.register();
    provider.register();
    client.register();
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_29_a_stuck_deregistration_says_who_holds_what_and_goes_on() {
    let kernel = plain();
    kernel.nmr().patience(Duration::from_millis(20));
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    assert_eq!(client.deregister(), STATUS_PENDING);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            while kernel.violations().is_empty() {
                std::thread::yield_now();
            }
            provider.complete(provider.binding());
        });
        assert_eq!(client.wait(), STATUS_SUCCESS);
    });
    let detail = broken(&kernel, &violation::STUCK, 1);
    assert!(
        detail.contains("provider answered STATUS_PENDING and has not completed"),
        "{detail}"
    );
    assert!(!detail.contains("client answered"), "{detail}");
    provider.end();
    finish(kernel);
}

#[test]
fn rule_46_two_threads_may_wait_for_one_deregistration() {
    let kernel = plain();
    // Both have said that they wait before it is completed.
    kernel.nmr().patience(Duration::from_millis(1));
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.deregister();
    std::thread::scope(|scope| {
        for processor in 1..3 {
            let (kernel, client) = (&kernel, &client);
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                assert_eq!(client.wait(), STATUS_SUCCESS);
            });
        }
        while kernel.violations().len() < 2 {
            std::thread::yield_now();
        }
        client.complete(client.binding());
    });
    broken(&kernel, &violation::STUCK, 2);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_47_what_is_left_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    let unwaited = Module::new(Role::Client, "unwaited", &log, 5);
    provider.register();
    client.register();
    unwaited.register();
    unwaited.deregister();
    let verdict = kernel.shutdown();
    let mut leaks: Vec<_> = verdict.leaks.iter().map(ToString::to_string).collect();
    leaks.sort();
    assert_eq!(leaks.len(), 4, "{verdict}");
    assert!(
        leaks[0].starts_with("leaked nmr binding: client 00000063-"),
        "{verdict}"
    );
    assert!(
        leaks[0].contains(" with provider 00000070-") && leaks[0].ends_with("attached"),
        "{verdict}"
    );
    let registered = "interface 00000001-0000-0000-0000-000000000000, never deregistered";
    assert_eq!(
        leaks[1],
        format!(
            "leaked nmr client registration: client 00000063-0000-0000-0000-000000000000/7, {registered}"
        )
    );
    assert!(
        leaks[2].ends_with("deregistered and never waited for"),
        "{verdict}"
    );
    assert_eq!(
        leaks[3],
        format!(
            "leaked nmr provider registration: provider 00000070-0000-0000-0000-000000000000/7, {registered}"
        )
    );
}

#[test]
fn machines_do_not_meet() {
    let log = Arc::new(Log::default());
    let first = plain();
    let provider = Module::provider("p", &log);
    provider.register();
    {
        let second = plain();
        let client = Module::client("c", &log);
        client.register();
        client.end();
        finish(second);
    }
    assert_eq!(log.texts(), [""; 0]);
    provider.end();
    finish(first);
}

#[test]
fn the_trace_tells_the_story() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    client.register();
    client.end();
    provider.end();
    let events = kernel.events();
    let story: Vec<_> = events
        .iter()
        .filter(|event| event.source == "nmr")
        .map(|event| event.what.replace("-0000-0000-0000-000000000000/7", ""))
        .collect();
    assert_eq!(
        story,
        [
            "provider 00000070 registered for 00000001-0000-0000-0000-000000000000",
            "client 00000063 registered for 00000001-0000-0000-0000-000000000000",
            "ProviderAttachClient of provider 00000070, peer client 00000063: STATUS_SUCCESS",
            "ClientAttachProvider of client 00000063, peer provider 00000070: STATUS_SUCCESS",
            "client 00000063 is deregistering",
            "ClientDetachProvider of client 00000063, peer provider 00000070: STATUS_SUCCESS",
            "ProviderDetachClient of provider 00000070, peer client 00000063: STATUS_SUCCESS",
            "ClientCleanupBindingContext of client 00000063, peer was provider 00000070",
            "ProviderCleanupBindingContext of provider 00000070, peer was client 00000063",
            "client 00000063 deregistered",
            "provider 00000070 is deregistering",
            "provider 00000070 deregistered",
        ]
    );
    finish(kernel);
}
