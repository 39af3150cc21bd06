//! What the nine functions do: locked steps of the registry with callbacks between them.

use alloc::format;
use alloc::string::String;
use core::ffi::c_void;
use core::sync::atomic::Ordering;
use core::time::Duration;

use nmr_netdma::sys::{
    HANDLE, NT_SUCCESS, NTSTATUS, PVOID, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_PENDING, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
};

use super::callback::{CLIENT_ATTACH, EARLY, POISON, PROVIDER_ATTACH, ProviderAnswer};
use super::handle::{Handle, Kind, SHARDS};
use super::lock::{Guard, Lock};
use super::name::{Pair, Role};
use super::note::{Inside, Note};
use super::registry::{AfterAttach, Existence, Registering, Registry};
use super::snapshot::{Snapshot, Source};
use super::{State, before, violation};
use crate::Rule;
use crate::fault::Fault;
use crate::kernel::{Machine, Thread};
use crate::{platform, pnp};

/// What a wait inside a callback that it would wait for answers: Windows would not return.
const STATUS_POSSIBLE_DEADLOCK: NTSTATUS = 0xC000_0194_u32 as i32;

/// How long after a wait was found to be stuck somebody who watches is told: there may never be a verdict to read.
const WATCHED: Duration = Duration::from_secs(5);

/// A refused call's outputs.
const NOTHING: ProviderAnswer = ProviderAnswer {
    status: STATUS_INVALID_PARAMETER,
    context: core::ptr::without_provenance_mut(POISON),
    dispatch: core::ptr::without_provenance(POISON),
};

impl State {
    pub(super) fn note(&self, thread: &Thread, note: impl FnOnce() -> Note) {
        if self.settings.tracing.load(Ordering::Relaxed) {
            let (processor, irql) = (thread.processor.get(), thread.irql.get());
            thread.machine.trace.record_nmr(processor, irql, note());
        }
    }

    fn shard(&self, shard: u8) -> &Lock<Registry> {
        &self.shards[usize::from(shard) % SHARDS]
    }

    /// What a handle names, for a report.
    #[cold]
    pub(super) fn describe(&self, raw: HANDLE) -> String {
        match Handle::from_bits(raw.addr()) {
            Some(handle) => self.shard(handle.shard).lock().describe(handle),
            None => format!("{raw:p}, no handle of the registrar"),
        }
    }

    /// The shard of the handle `raw`, locked, if it names something of the kind `wanted`. Reports
    /// it if not: what existed as a breach of the first of the rules, what never did as one of the second.
    #[inline]
    fn find(
        &self,
        machine: &Machine,
        function: &str,
        wanted: Kind,
        raw: HANDLE,
        rules: [&'static Rule; 2],
    ) -> Option<(Handle, Guard<'_, Registry>)> {
        if let Some(handle) = Handle::from_bits(raw.addr())
            && handle.kind == wanted
        {
            let registry = self.shard(handle.shard).lock();
            if registry.exists(handle) {
                return Some((handle, registry));
            }
        }
        self.not_found(machine, function, wanted, raw, rules);
        None
    }

    /// Reports that [`find`](Self::find) found nothing.
    #[cold]
    fn not_found(
        &self,
        machine: &Machine,
        function: &str,
        wanted: Kind,
        raw: HANDLE,
        [gone, unknown]: [&'static Rule; 2],
    ) {
        let handle = Handle::from_bits(raw.addr());
        let existence = handle.map(|handle| self.shard(handle.shard).lock().existence(handle));
        let rule = match (handle, existence) {
            (Some(handle), _) if handle.kind != wanted => &violation::HANDLE_KIND,
            (_, Some(Existence::Existed)) => gone,
            _ if raw.addr() == EARLY && wanted != Kind::Binding => &violation::HANDLE_EARLY,
            _ => unknown,
        };
        let what = match raw.addr() {
            EARLY => "what is there until registering returns".into(),
            POISON => "what is there after registering failed".into(),
            _ => self.describe(raw),
        };
        let first = before(machine, |note| {
            handle.is_some_and(|handle| match handle.kind {
                Kind::Binding => note.is_of(handle),
                Kind::Client | Kind::Provider => note.is_end(handle),
            })
        });
        machine.violated(
            rule,
            format_args!(
                "{function} takes a {} and got {raw:p}, {what}{first}",
                wanted.name()
            ),
        );
    }
}

/// What a registration handle breaks that names nothing any more, or never did.
const REGISTRATION: [&Rule; 2] = [&violation::USED_AFTER_END, &violation::HANDLE_NOT_GIVEN];
const WAITING: [&Rule; 2] = [
    &violation::USED_AFTER_END,
    &violation::WAIT_BEFORE_DEREGISTER,
];

/// Registers a module and attaches it to its peers.
pub(super) fn register(
    thread: &Thread,
    source: Source,
    snapshot: Result<Snapshot, u16>,
    context: PVOID,
) -> Result<Handle, NTSTATUS> {
    let machine = &thread.machine;
    let state = &machine.netio;
    let role = source.role();
    let snapshot = match snapshot {
        Ok(snapshot) => snapshot,
        Err(length) => {
            machine.violated(
                &violation::SIZES,
                format_args!("registration of a {role}: Length of the characteristics is {length}"),
            );
            return Err(STATUS_INVALID_PARAMETER);
        }
    };
    let mut name = snapshot.name(role);
    if let Some(wrong) = snapshot.wrong_size(role) {
        machine.violated(
            &violation::SIZES,
            format_args!("registration of {name}: {wrong}"),
        );
    }
    if let Some(missing) = snapshot.missing() {
        machine.violated(
            &violation::INCOMPLETE,
            format_args!("registration of {name}: {missing} is NULL"),
        );
    }
    // Without a module id a module can do everything; what else is missing is needed.
    let (Some(interface), Some(attach), Some(detach)) =
        (snapshot.interface, snapshot.attach, snapshot.detach)
    else {
        return Err(STATUS_INVALID_PARAMETER);
    };
    if machine.fails(Fault::Registration, format_args!("{name}")) {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    name.driver = pnp::driver_in(thread);
    let origin = thread.find_frame(|frame| {
        let origin = || format!("{} of {}", frame.callback, frame.owner).into_boxed_str();
        frame.is_outermost().then(origin)
    });
    state.note(thread, || Note::Registered {
        module: name,
        interface,
    });

    let shard = state.shard((interface.mixed() % SHARDS as u64) as u8);
    let registering = Registering {
        source,
        snapshot: &snapshot,
        name,
        interface,
        attach,
        detach,
        context,
        origin,
    };
    let mut registry = shard.lock();
    let (module, proposals) = registry.register(
        registering,
        state.settings.self_attachment.load(Ordering::Relaxed),
    );
    // What was read just now is not read again for the first proposal.
    let mut fresh = Some(role);
    for &binding in &proposals {
        let Some(callback) = registry.begin_attach(machine, binding, fresh.take()) else {
            continue;
        };
        let pair = registry.pair_of(binding);
        drop(registry);
        let status = callback.run(thread, &pair);
        registry = shard.lock();
        if registry.end_attach(machine, binding, status) == AfterAttach::Detach {
            registry = detach_both(thread, shard, registry, binding);
        }
    }
    registry.give_back(proposals);
    Ok(module)
}

/// Asks the provider of a proposed binding.
pub(super) fn attach(
    thread: &Thread,
    raw: HANDLE,
    client_context: PVOID,
    client_dispatch: *const c_void,
) -> ProviderAnswer {
    const FUNCTION: &str = "NmrClientAttachProvider";

    let machine = &thread.machine;
    let state = &machine.netio;
    let Some((binding, mut registry)) = state.find(
        machine,
        FUNCTION,
        Kind::Binding,
        raw,
        [&violation::ATTACH_OUTSIDE; 2],
    ) else {
        return NOTHING;
    };
    let here = thread.find_frame(|frame| {
        (frame.key == binding.bits() && frame.callback == CLIENT_ATTACH).then_some(())
    });
    let allowed = registry
        .may_offer(binding)
        .and(here.ok_or(&violation::ATTACH_OUTSIDE));
    if let Err(rule) = allowed {
        let pair = registry.pair_of(binding);
        drop(registry);
        let first = before(machine, |note| note.is_call(binding, PROVIDER_ATTACH));
        machine.violated(rule, format_args!("{FUNCTION} for {pair}{first}"));
        return NOTHING;
    }
    let pair = registry.pair_of(binding);
    if machine.fails(Fault::Attach, format_args!("{pair}")) {
        let status = STATUS_INSUFFICIENT_RESOURCES;
        registry.refuse_offer(binding, status);
        return ProviderAnswer { status, ..NOTHING };
    }
    let Some(callback) = registry.begin_offer(binding, client_context, client_dispatch) else {
        return NOTHING;
    };
    drop(registry);
    let answer = callback.run(thread, &pair);
    state.shard(binding.shard).lock().end_offer(
        machine,
        binding,
        (client_context, client_dispatch),
        &answer,
    );
    if !NT_SUCCESS(answer.status) {
        return ProviderAnswer {
            status: answer.status,
            ..NOTHING
        };
    }
    if answer.dispatch.addr() == POISON {
        // Reported. A table that is not there is one that clients know; of contexts there is no such one.
        return ProviderAnswer {
            dispatch: core::ptr::null(),
            ..answer
        };
    }
    answer
}

/// Runs both detach callbacks of a binding whose detach the caller has begun, and what follows.
fn detach_both<'a>(
    thread: &Thread,
    shard: &'a Lock<Registry>,
    mut registry: Guard<'a, Registry>,
    binding: Handle,
) -> Guard<'a, Registry> {
    let machine = &thread.machine;
    let settings = &machine.netio.settings;
    let irql = thread.irql.get();
    let pair = registry.pair_of(binding);
    let sides = registry.sides(binding, settings.shuffles());
    for &role in &sides {
        let Some(callback) = registry.begin_detach(settings, binding, role, irql) else {
            continue;
        };
        drop(registry);
        let status = callback.run(thread, &pair);
        registry = shard.lock();
        registry.end_detach(machine, binding, (role, &pair), status);
    }
    clean_up(thread, shard, registry, binding, &pair)
}

/// Runs the cleanup callbacks if both sides are finished and nobody else does.
fn clean_up<'a>(
    thread: &Thread,
    shard: &'a Lock<Registry>,
    mut registry: Guard<'a, Registry>,
    binding: Handle,
    pair: &Pair,
) -> Guard<'a, Registry> {
    let machine = &thread.machine;
    let irql = thread.irql.get();
    let Some(callbacks) = registry.begin_cleanup(machine, binding, irql) else {
        return registry;
    };
    drop(registry);
    for callback in callbacks.iter().flatten() {
        callback.run(thread, pair);
    }
    registry = shard.lock();
    registry.end_cleanup(binding);
    registry
}

/// Completes one side of a detach.
pub(super) fn complete(thread: &Thread, function: &str, raw: HANDLE, role: Role) {
    let machine = &thread.machine;
    let state = &machine.netio;
    let Some((binding, mut registry)) = state.find(
        machine,
        function,
        Kind::Binding,
        raw,
        [&violation::COMPLETED_AFTER_CLEANUP, &violation::HANDLE_KIND],
    ) else {
        return;
    };
    let pair = registry.pair_of(binding);
    if let Err(rule) = registry.complete(&state.settings, binding, role) {
        drop(registry);
        let first = before(machine, |note| {
            note.is_completion(binding, role) || note.is_call(binding, role.detach_callback())
        });
        machine.violated(rule, format_args!("{function}: {pair}{first}"));
        return;
    }
    state.note(thread, || Note::Completed {
        binding,
        inside: Inside::of(thread),
        module: pair.of(role),
        peer: pair.of(role.other()),
    });
    let shard = state.shard(binding.shard);
    drop(clean_up(thread, shard, registry, binding, &pair));
}

/// Deregisters a module and detaches its bindings.
pub(super) fn deregister(thread: &Thread, function: &str, raw: HANDLE, role: Role) -> NTSTATUS {
    let machine = &thread.machine;
    let state = &machine.netio;
    let Some((module, mut registry)) =
        state.find(machine, function, Kind::of(role), raw, REGISTRATION)
    else {
        return STATUS_INVALID_PARAMETER;
    };
    let name = registry.name(module);
    if machine.fails(Fault::Deregistration, format_args!("{function} for {name}")) {
        return STATUS_UNSUCCESSFUL;
    }
    let Some(bindings) = registry.deregister(machine, module, state.settings.shuffles()) else {
        let title = registry.title(module);
        drop(registry);
        let first = before(machine, |note| note.is_deregistration(module));
        machine.violated(
            &violation::DEREGISTERED_TWICE,
            format_args!("{function} for {title}{first}"),
        );
        return STATUS_INVALID_PARAMETER;
    };
    state.note(thread, || Note::Deregistering {
        handle: module,
        module: name,
        inside: Inside::of(thread),
    });
    let shard = state.shard(module.shard);
    for &binding in &bindings {
        registry = detach_both(thread, shard, registry, binding);
    }
    registry.give_back(bindings);
    // Somebody else who waited may have ended the module.
    if state.settings.success_at_once.load(Ordering::Relaxed)
        && registry.exists(module)
        && registry.dispose(module).is_ok()
    {
        drop(registry);
        state.note(thread, || Note::Deregistered {
            handle: module,
            module: name,
        });
        return STATUS_SUCCESS;
    }
    STATUS_PENDING
}

/// Waits for a module's deregistration.
pub(super) fn wait(thread: &Thread, function: &str, raw: HANDLE, role: Role) -> NTSTATUS {
    let machine = &thread.machine;
    let state = &machine.netio;
    let Some((module, mut registry)) = state.find(machine, function, Kind::of(role), raw, WAITING)
    else {
        return STATUS_INVALID_PARAMETER;
    };
    let name = registry.name(module);
    if machine.fails(Fault::Wait, format_args!("{function} for {name}")) {
        return STATUS_UNSUCCESSFUL;
    }
    if !registry.is_deregistering(module) {
        let title = registry.title(module);
        drop(registry);
        machine.violated(
            &violation::WAIT_BEFORE_DEREGISTER,
            format_args!("{function} for {title}"),
        );
        return STATUS_INVALID_PARAMETER;
    }
    let own = thread.find_frame(|frame| {
        let binding = Handle::from_bits(frame.key)?;
        let waits = binding.kind == Kind::Binding
            && binding.shard == module.shard
            && registry.waits_for(module, binding);
        waits.then(|| format!("{} of {}", frame.callback, frame.owner))
    });
    if let Some(own) = own {
        let title = registry.title(module);
        drop(registry);
        machine.violated(
            &violation::WAIT_IN_CALLBACK,
            format_args!("{function} for {title} inside {own}, which the deregistration waits for"),
        );
        return STATUS_POSSIBLE_DEADLOCK;
    }
    let shard = state.shard(module.shard);
    let patience = state.settings.patience();
    let mut limits = [patience, WATCHED].into_iter();
    let mut limit = limits.next();
    // Somebody else who waited may have ended the module.
    while registry.exists(module) {
        let waiter = match registry.dispose(module) {
            Ok(()) => break,
            Err(waiter) => waiter,
        };
        drop(registry);
        let complete = waiter.wait(limit);
        registry = shard.lock();
        if complete || !registry.exists(module) {
            continue;
        }
        let (title, holders) = (registry.title(module), registry.holders(module));
        drop(registry);
        limit = limits.next();
        if limit.is_some() {
            machine.violated(
                &violation::STUCK,
                format_args!("{function} for {title} has waited for {patience:?}{holders}"),
            );
        } else {
            platform::write_error(&format!(
                "simkernel: {function} for {title} still waits{holders}"
            ));
        }
        registry = shard.lock();
    }
    drop(registry);
    state.note(thread, || Note::Deregistered {
        handle: module,
        module: name,
    });
    STATUS_SUCCESS
}
