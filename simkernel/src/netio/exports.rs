//! The functions of netio.sys.
//!
//! # Safety
//!
//! Their callers answer for what they pass as on Windows: characteristics readable while registered, results writable.
//! Handles and contexts are not looked behind, so any value of them is safe.
#![expect(unsafe_code, reason = "defines functions with C names")]

use alloc::string::String;
use core::ffi::c_void;

use nmr_netdma::sys::{
    HANDLE, NTSTATUS, PHANDLE, PNPI_CLIENT_CHARACTERISTICS, PNPI_PROVIDER_CHARACTERISTICS, PVOID,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};

use super::callback::{EARLY, POISON};
use super::name::Role;
use super::snapshot::Source;
use super::{protocol, violation};
use crate::kernel::Thread;
use crate::{Rule, kernel};

const PASSIVE: u8 = 0;
const APC: u8 = 1;
const DISPATCH: u8 = 2;

/// # Safety
///
/// As for [`NmrRegisterClient`].
unsafe fn register(
    function: &'static str,
    source: Source,
    context: PVOID,
    handle: PHANDLE,
) -> NTSTATUS {
    let thread = kernel::current();
    let machine = &thread.machine;
    require(thread, &violation::ATTACH_LEVEL, function, PASSIVE, || {
        "a registration".into()
    });
    if source.is_null() || handle.is_null() {
        machine.violated(
            &violation::INCOMPLETE,
            format_args!("{function} got NULL for the characteristics or the handle"),
        );
        return STATUS_INVALID_PARAMETER;
    }
    // SAFETY: not null, and the caller's to write.
    unsafe { handle.write(core::ptr::without_provenance_mut(EARLY)) };
    // SAFETY: not null, and readable as of this call in progress, as far as they say.
    let snapshot = unsafe { source.read() };
    let (value, status) = match protocol::register(thread, source, snapshot, context) {
        Ok(module) => (module.raw(), STATUS_SUCCESS),
        Err(status) => (core::ptr::without_provenance_mut(POISON), status),
    };
    // SAFETY: not null, and the caller's to write until this call returns.
    unsafe { handle.write(value) };
    status
}

/// Reports, as a breach of `rule`, that `function` was called above the level `highest`, and for whom.
#[inline]
fn require(
    thread: &Thread,
    rule: &'static Rule,
    function: &str,
    highest: u8,
    what: impl FnOnce() -> String,
) {
    let irql = thread.irql.get();
    if irql > highest {
        let what = what();
        thread.machine.violated(
            rule,
            format_args!("{function} at IRQL {irql}, the highest allowed is {highest}, for {what}"),
        );
    }
}

/// Registers a client and offers it the registered providers of its interface, on this thread.
///
/// # Safety
///
/// The characteristics, and what they point to, are readable until the deregistration was waited for. The callbacks may
/// be called, with the contexts they are for, until then. The handle is writable.
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrRegisterClient(
    characteristics: PNPI_CLIENT_CHARACTERISTICS,
    context: PVOID,
    handle: PHANDLE,
) -> NTSTATUS {
    // SAFETY: the same contract.
    unsafe {
        register(
            "NmrRegisterClient",
            Source::Client(characteristics),
            context,
            handle,
        )
    }
}

/// Registers a provider and offers it to the registered clients of its interface, on this thread.
///
/// # Safety
///
/// As for [`NmrRegisterClient`].
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrRegisterProvider(
    characteristics: PNPI_PROVIDER_CHARACTERISTICS,
    context: PVOID,
    handle: PHANDLE,
) -> NTSTATUS {
    // SAFETY: the same contract.
    unsafe {
        register(
            "NmrRegisterProvider",
            Source::Provider(characteristics),
            context,
            handle,
        )
    }
}

/// Offers a binding to its provider.
///
/// # Safety
///
/// The results are writable; context and table are what the provider expects of the interface.
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrClientAttachProvider(
    binding: HANDLE,
    client_context: PVOID,
    client_dispatch: *const c_void,
    provider_context: *mut PVOID,
    provider_dispatch: *mut *const c_void,
) -> NTSTATUS {
    const FUNCTION: &str = "NmrClientAttachProvider";

    let thread = kernel::current();
    let machine = &thread.machine;
    require(thread, &violation::ATTACH_LEVEL, FUNCTION, PASSIVE, || {
        machine.netio.describe(binding)
    });
    if provider_context.is_null() || provider_dispatch.is_null() {
        machine.violated(
            &violation::INCOMPLETE,
            format_args!("{FUNCTION} got NULL for a result"),
        );
        return STATUS_INVALID_PARAMETER;
    }
    let answer = protocol::attach(thread, binding, client_context, client_dispatch);
    // SAFETY: not null, and the caller's to write.
    unsafe { provider_context.write(answer.context) };
    // SAFETY: not null, and the caller's to write.
    unsafe { provider_dispatch.write(answer.dispatch) };
    answer.status
}

/// Completes a detach that the client's detach callback left pending.
///
/// # Safety
///
/// The client has no use of the binding's contexts any more: they may be gone when this returns.
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrClientDetachProviderComplete(binding: HANDLE) {
    const FUNCTION: &str = "NmrClientDetachProviderComplete";

    complete(FUNCTION, binding, Role::Client);
}

/// Completes a detach that the provider's detach callback left pending.
///
/// # Safety
///
/// The provider has no use of the binding's contexts any more: they may be gone when this returns.
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrProviderDetachClientComplete(binding: HANDLE) {
    const FUNCTION: &str = "NmrProviderDetachClientComplete";

    complete(FUNCTION, binding, Role::Provider);
}

fn complete(function: &str, binding: HANDLE, role: Role) {
    let thread = kernel::current();
    require_for(thread, function, DISPATCH, binding);
    protocol::complete(thread, function, binding, role);
}

fn deregister(function: &str, handle: HANDLE, role: Role) -> NTSTATUS {
    let thread = kernel::current();
    require_for(thread, function, DISPATCH, handle);
    protocol::deregister(thread, function, handle, role)
}

fn wait(function: &str, handle: HANDLE, role: Role) -> NTSTATUS {
    let thread = kernel::current();
    require_for(thread, function, APC, handle);
    protocol::wait(thread, function, handle, role)
}

/// The level of the functions that take apart what `handle` names.
#[inline]
fn require_for(thread: &Thread, function: &str, highest: u8, handle: HANDLE) {
    require(
        thread,
        &violation::DEREGISTER_LEVEL,
        function,
        highest,
        || thread.machine.netio.describe(handle),
    );
}

/// Begins the deregistration of a client; the answer is `STATUS_PENDING`, unless the test has it otherwise.
///
/// # Safety
///
/// What the module registered stays until the deregistration was waited for.
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrDeregisterClient(handle: HANDLE) -> NTSTATUS {
    deregister("NmrDeregisterClient", handle, Role::Client)
}

/// Begins the deregistration of a provider; the answer is `STATUS_PENDING`, unless the test has it otherwise.
///
/// # Safety
///
/// As for [`NmrDeregisterClient`].
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrDeregisterProvider(handle: HANDLE) -> NTSTATUS {
    deregister("NmrDeregisterProvider", handle, Role::Provider)
}

/// Waits until a client's deregistration is complete.
///
/// # Safety
///
/// None beyond that of the declaration it stands for: any value is a safe handle.
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrWaitForClientDeregisterComplete(
    handle: HANDLE,
) -> NTSTATUS {
    wait("NmrWaitForClientDeregisterComplete", handle, Role::Client)
}

/// Waits until a provider's deregistration is complete.
///
/// # Safety
///
/// As for [`NmrWaitForClientDeregisterComplete`].
#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NmrWaitForProviderDeregisterComplete(
    handle: HANDLE,
) -> NTSTATUS {
    wait(
        "NmrWaitForProviderDeregisterComplete",
        handle,
        Role::Provider,
    )
}
