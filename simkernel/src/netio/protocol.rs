//! What the nine functions do: locked steps of the registry with callbacks between them.

use alloc::boxed::Box;
use alloc::format;
use core::ffi::c_void;
use core::sync::atomic::Ordering;

use nmr_netdma::sys::{
    HANDLE, NT_SUCCESS, NTSTATUS, PVOID, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_PENDING, STATUS_SUCCESS,
};

use super::callback::{CLIENT_ATTACH, POISON, ProviderAnswer};
use super::handle::{Handle, Kind, SHARDS};
use super::lock::{Guard, Lock};
use super::name::Role;
use super::note::Note;
use super::registry::{AfterAttach, Existence, Pair, Registering, Registry};
use super::snapshot::{Snapshot, Source};
use super::{State, fails, violation};
use crate::Rule;
use crate::kernel::{Machine, current};
use crate::platform;

/// What a wait inside a callback that it would wait for answers: Windows would not return.
const STATUS_POSSIBLE_DEADLOCK: NTSTATUS = 0xC000_0194_u32 as i32;

/// A refused call's outputs.
const NOTHING: ProviderAnswer = ProviderAnswer {
    status: STATUS_INVALID_PARAMETER,
    context: core::ptr::without_provenance_mut(POISON),
    dispatch: core::ptr::without_provenance(POISON),
};

impl State {
    pub(super) fn note(&self, machine: &Machine, note: impl FnOnce() -> Note) {
        if self.settings.tracing.load(Ordering::Relaxed) {
            let thread = current();
            machine
                .trace
                .record_nmr(thread.processor.get(), thread.irql.get(), note());
        }
    }

    fn shard(&self, shard: u8) -> &Lock<Registry> {
        &self.shards[usize::from(shard) % SHARDS]
    }

    /// The shard of the handle `raw`, locked, if it names something of the kind `wanted`. Reports
    /// it if not; what existed and is gone as a breach of the rule `gone`.
    #[inline]
    fn find(
        &self,
        machine: &Machine,
        function: &str,
        wanted: Kind,
        raw: HANDLE,
        gone: &'static Rule,
    ) -> Option<(Handle, Guard<'_, Registry>)> {
        if let Some(handle) = Handle::from_bits(raw.addr())
            && handle.kind == wanted
        {
            let registry = self.shard(handle.shard).lock();
            if registry.exists(handle) {
                return Some((handle, registry));
            }
        }
        self.not_found(machine, function, wanted, raw, gone);
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
        gone: &'static Rule,
    ) {
        let Some(handle) = Handle::from_bits(raw.addr()) else {
            machine.violated(
                &violation::DEAD_HANDLE,
                format_args!("{function} got {raw:p}, no handle of the registrar"),
            );
            return;
        };
        let registry = self.shard(handle.shard).lock();
        let existence = registry.existence(handle);
        let found = registry.describe(handle);
        drop(registry);
        let rule = match existence {
            _ if handle.kind != wanted => &violation::HANDLE_KIND,
            Existence::Existed => gone,
            _ => &violation::DEAD_HANDLE,
        };
        machine.violated(
            rule,
            format_args!(
                "{function} takes a {} and got {raw:p}, {found}",
                wanted.name()
            ),
        );
    }
}

/// Registers a module and attaches it to its peers.
pub(super) fn register(
    machine: &Machine,
    source: Source,
    snapshot: &Snapshot,
    context: PVOID,
) -> Result<Handle, NTSTATUS> {
    let state = &machine.netio;
    let role = source.role();
    let name = snapshot.name(role);
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
        (snapshot.interface(), snapshot.attach, snapshot.detach)
    else {
        return Err(STATUS_INVALID_PARAMETER);
    };
    if fails(&state.settings.failing_registration) {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    let origin = current().frames.borrow().first().cloned().map(Box::new);
    state.note(machine, || Note::Registered {
        module: name,
        interface,
    });

    let shard = state.shard((interface.mixed() % SHARDS as u64) as u8);
    let registering = Registering {
        source,
        snapshot,
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
        let status = callback.run(machine, &pair);
        registry = shard.lock();
        if registry.end_attach(machine, binding, status) == AfterAttach::Detach {
            registry = detach_both(machine, shard, registry, binding);
        }
    }
    registry.give_back(proposals);
    Ok(module)
}

/// Asks the provider of a proposed binding.
pub(super) fn attach(
    machine: &Machine,
    raw: HANDLE,
    client_context: PVOID,
    client_dispatch: *const c_void,
) -> ProviderAnswer {
    const FUNCTION: &str = "NmrClientAttachProvider";

    let state = &machine.netio;
    let Some((binding, mut registry)) = state.find(
        machine,
        FUNCTION,
        Kind::Binding,
        raw,
        &violation::DEAD_HANDLE,
    ) else {
        return NOTHING;
    };
    let here = current()
        .frames
        .borrow()
        .iter()
        .any(|frame| frame.key == binding.bits() && frame.callback == CLIENT_ATTACH);
    let allowed = registry.may_offer(binding).and(if here {
        Ok(())
    } else {
        Err(&violation::ATTACH_OUTSIDE)
    });
    if let Err(rule) = allowed {
        machine.violated(
            rule,
            format_args!("{FUNCTION} for {}", registry.pair_of(binding)),
        );
        return NOTHING;
    }
    if fails(&state.settings.failing_attach) {
        let status = STATUS_INSUFFICIENT_RESOURCES;
        registry.refuse_offer(binding, status);
        return ProviderAnswer { status, ..NOTHING };
    }
    let Some(callback) = registry.begin_offer(binding, client_context, client_dispatch) else {
        return NOTHING;
    };
    let pair = registry.pair_of(binding);
    drop(registry);
    let answer = callback.run(machine, &pair);
    state
        .shard(binding.shard)
        .lock()
        .end_offer(machine, binding, client_context, &answer);
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
    machine: &Machine,
    shard: &'a Lock<Registry>,
    mut registry: Guard<'a, Registry>,
    binding: Handle,
) -> Guard<'a, Registry> {
    let settings = &machine.netio.settings;
    let irql = current().irql.get();
    let pair = registry.pair_of(binding);
    let sides = registry.sides(binding, settings.shuffles());
    for &role in &sides {
        let Some(callback) = registry.begin_detach(settings, binding, role, irql) else {
            continue;
        };
        drop(registry);
        let status = callback.run(machine, &pair);
        registry = shard.lock();
        registry.end_detach(machine, binding, (role, &pair), status);
    }
    clean_up(machine, shard, registry, binding, &pair)
}

/// Runs the cleanup callbacks if both sides are finished and nobody else does.
fn clean_up<'a>(
    machine: &Machine,
    shard: &'a Lock<Registry>,
    mut registry: Guard<'a, Registry>,
    binding: Handle,
    pair: &Pair,
) -> Guard<'a, Registry> {
    let irql = current().irql.get();
    let Some(callbacks) = registry.begin_cleanup(&machine.netio.settings, binding, irql) else {
        return registry;
    };
    drop(registry);
    for callback in callbacks.iter().flatten() {
        callback.run(machine, pair);
    }
    registry = shard.lock();
    registry.end_cleanup(binding);
    registry
}

/// Completes one side of a detach.
pub(super) fn complete(machine: &Machine, function: &str, raw: HANDLE, role: Role) {
    let state = &machine.netio;
    let Some((binding, mut registry)) = state.find(
        machine,
        function,
        Kind::Binding,
        raw,
        &violation::COMPLETED_TWICE,
    ) else {
        return;
    };
    let pair = registry.pair_of(binding);
    if let Err(rule) = registry.complete(&state.settings, binding, role) {
        drop(registry);
        machine.violated(rule, format_args!("{function}: {pair}"));
        return;
    }
    state.note(machine, || Note::Completed {
        module: pair.of(role),
        peer: pair.of(role.other()),
    });
    let shard = state.shard(binding.shard);
    drop(clean_up(machine, shard, registry, binding, &pair));
}

/// Deregisters a module and detaches its bindings.
pub(super) fn deregister(machine: &Machine, function: &str, raw: HANDLE, role: Role) -> NTSTATUS {
    let state = &machine.netio;
    let Some((module, mut registry)) = state.find(
        machine,
        function,
        Kind::of(role),
        raw,
        &violation::DEAD_HANDLE,
    ) else {
        return STATUS_INVALID_PARAMETER;
    };
    let name = registry.name(module);
    let Some(bindings) = registry.deregister(machine, module, state.settings.shuffles()) else {
        drop(registry);
        machine.violated(
            &violation::DEREGISTERED_TWICE,
            format_args!("{function} for {name}"),
        );
        return STATUS_INVALID_PARAMETER;
    };
    state.note(machine, || Note::Deregistering { module: name });
    let shard = state.shard(module.shard);
    for &binding in &bindings {
        registry = detach_both(machine, shard, registry, binding);
    }
    registry.give_back(bindings);
    STATUS_PENDING
}

/// Waits for a module's deregistration.
pub(super) fn wait(machine: &Machine, function: &str, raw: HANDLE, role: Role) -> NTSTATUS {
    let state = &machine.netio;
    let Some((module, mut registry)) = state.find(
        machine,
        function,
        Kind::of(role),
        raw,
        &violation::DEAD_HANDLE,
    ) else {
        return STATUS_INVALID_PARAMETER;
    };
    let name = registry.name(module);
    if !registry.is_deregistering(module) {
        drop(registry);
        machine.violated(
            &violation::WAIT_BEFORE_DEREGISTER,
            format_args!("{function} for {name}"),
        );
        return STATUS_INVALID_PARAMETER;
    }
    let own = current().frames.borrow().iter().rev().find_map(|frame| {
        let binding = Handle::from_bits(frame.key)?;
        let waits = binding.kind == Kind::Binding
            && binding.shard == module.shard
            && registry.waits_for(module, binding);
        waits.then(|| format!("{} of {}", frame.callback, frame.owner))
    });
    if let Some(own) = own {
        drop(registry);
        machine.violated(
            &violation::WAIT_IN_CALLBACK,
            format_args!("{function} for {name} inside {own}, which the deregistration waits for"),
        );
        return STATUS_POSSIBLE_DEADLOCK;
    }
    let shard = state.shard(module.shard);
    let patience = state.settings.patience();
    let mut reported = false;
    // Somebody else who waited may have ended the module.
    while registry.exists(module) {
        let waiter = match registry.dispose(module) {
            Ok(()) => break,
            Err(waiter) => waiter,
        };
        drop(registry);
        let complete = waiter.wait((!reported).then_some(patience));
        registry = shard.lock();
        if complete || !registry.exists(module) {
            continue;
        }
        reported = true;
        let holders = registry.holders(module);
        drop(registry);
        let detail = format!("{function} for {name} has waited for {patience:?}{holders}");
        platform::write_error(&format!("simkernel: {detail}"));
        machine.violated(&violation::STUCK, format_args!("{detail}"));
        registry = shard.lock();
    }
    drop(registry);
    state.note(machine, || Note::Deregistered { module: name });
    STATUS_SUCCESS
}
