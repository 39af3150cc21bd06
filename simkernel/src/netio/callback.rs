//! The six callbacks, each as the values it is called with.
//!
//! # Safety
//!
//! The unsafe code of this file calls functions that a driver registered, with the contexts that it passed in for them. A
//! driver keeps both until its deregistration is complete, which the registrar says only when no such call is left to
//! make: a call exists only while its binding is listed.
#![expect(unsafe_code, reason = "calls the functions that a driver registered")]

use core::ffi::c_void;

use nmr_netdma::sys::{HANDLE, NTSTATUS, PNPI_REGISTRATION_INSTANCE, PVOID};

use super::handle::Handle;
use super::name::{Pair, Party, Role};
use super::note::Note;
use super::snapshot::{
    CleanupFunction, ClientAttachFunction, DetachFunction, ProviderAttachFunction,
};
use crate::ke;
use crate::kernel::{Thread, in_callback};

/// What stands where a value should be that nobody stored. No handle, and no address.
pub(super) const POISON: usize = 0xDEAD_BEEF_DEAD_BEEF;

/// What stands for a registration's handle until registering returns. No handle, and no address.
pub(super) const EARLY: usize = 0xEA51_EA51_EA51_EA51;

/// The client's attach callback, in which its provider may be asked.
pub(super) const CLIENT_ATTACH: &str = "ClientAttachProvider";

pub(super) const PROVIDER_ATTACH: &str = "ProviderAttachClient";

/// Calls the module `role` of a binding between `pair`.
#[inline]
fn call<R>(
    thread: &Thread,
    binding: Handle,
    pair: &Pair,
    (role, callback, irql): (Role, &'static str, u8),
    status: impl FnOnce(&R) -> Option<NTSTATUS>,
    body: impl FnOnce() -> R,
) -> R {
    in_callback(
        thread,
        callback,
        Party { role, pair },
        binding.bits(),
        || {
            ke::at(thread, irql, || {
                let result = body();
                thread.machine.netio.note(thread, || Note::Called {
                    binding,
                    callback,
                    module: pair.of(role),
                    peer: pair.of(role.other()),
                    status: status(&result),
                });
                result
            })
        },
    )
}

/// `ClientAttachProvider`.
pub(super) struct ClientAttach {
    pub(super) binding: Handle,
    pub(super) function: ClientAttachFunction,
    pub(super) context: PVOID,
    pub(super) provider: PNPI_REGISTRATION_INSTANCE,
}

impl ClientAttach {
    pub(super) fn run(&self, thread: &Thread, pair: &Pair) -> NTSTATUS {
        let handle = self.binding.raw();
        call(
            thread,
            self.binding,
            pair,
            (Role::Client, CLIENT_ATTACH, 0),
            |status| Some(*status),
            || {
                // SAFETY: the client registered the function and the context, the provider the instance; both are
                // registered as long as the binding that is proposed here is listed.
                unsafe { (self.function)(handle, self.context, self.provider) }
            },
        )
    }
}

/// `ProviderAttachClient`.
pub(super) struct ProviderAttach {
    pub(super) binding: Handle,
    pub(super) function: ProviderAttachFunction,
    pub(super) context: PVOID,
    pub(super) client: PNPI_REGISTRATION_INSTANCE,
    pub(super) client_context: PVOID,
    pub(super) client_dispatch: *const c_void,
}

/// What a provider answered.
#[derive(Clone, Copy)]
pub(super) struct ProviderAnswer {
    pub(super) status: NTSTATUS,
    pub(super) context: PVOID,
    pub(super) dispatch: *const c_void,
}

impl ProviderAttach {
    pub(super) fn run(&self, thread: &Thread, pair: &Pair) -> ProviderAnswer {
        let handle: HANDLE = self.binding.raw();
        call(
            thread,
            self.binding,
            pair,
            (Role::Provider, PROVIDER_ATTACH, 0),
            |answer: &ProviderAnswer| Some(answer.status),
            || {
                let mut context = core::ptr::without_provenance_mut(POISON);
                let mut dispatch = core::ptr::without_provenance(POISON);
                // SAFETY: the provider registered the function and the context, the client the instance, and the
                // client's callback, which is on this thread's stack, passed its context and table; the results are
                // this frame's.
                let status = unsafe {
                    (self.function)(
                        handle,
                        self.context,
                        self.client,
                        self.client_context,
                        self.client_dispatch,
                        &raw mut context,
                        &raw mut dispatch,
                    )
                };
                ProviderAnswer {
                    status,
                    context,
                    dispatch,
                }
            },
        )
    }
}

/// `ClientDetachProvider` or `ProviderDetachClient`.
pub(super) struct Detach {
    pub(super) binding: Handle,
    pub(super) role: Role,
    pub(super) function: DetachFunction,
    pub(super) context: PVOID,
    pub(super) irql: u8,
}

impl Detach {
    pub(super) fn run(&self, thread: &Thread, pair: &Pair) -> NTSTATUS {
        call(
            thread,
            self.binding,
            pair,
            (self.role, self.role.detach_callback(), self.irql),
            |status| Some(*status),
            || {
                // SAFETY: the module registered the function, and the context is the one it attached this binding with; it
                // keeps it until its cleanup callback, which comes after this callback.
                unsafe { (self.function)(self.context) }
            },
        )
    }
}

/// `ClientCleanupBindingContext` or `ProviderCleanupBindingContext`.
pub(super) struct Cleanup {
    pub(super) binding: Handle,
    pub(super) role: Role,
    pub(super) function: CleanupFunction,
    pub(super) context: PVOID,
    pub(super) irql: u8,
}

impl Cleanup {
    pub(super) fn run(&self, thread: &Thread, pair: &Pair) {
        call(
            thread,
            self.binding,
            pair,
            (self.role, self.role.cleanup_callback(), self.irql),
            |()| None,
            || {
                // SAFETY: the module registered the function, and the context is the one it attached this binding with,
                // which this call, made once, gives back.
                unsafe { (self.function)(self.context) }
            },
        );
    }
}
