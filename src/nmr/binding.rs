//! [`Binding`]: the way to the other module, open while the two are attached.

use core::ffi::c_void;
use core::fmt;

use crate::context::Shared;

use super::ffi::{Complete, Gate, Inside};
use super::npi::{Npi, Table};

/// The direction of a binding. Implemented by [`ToProvider`] and [`ToClient`] only.
pub trait Side: Complete + 'static {
    /// The functions that are called in this direction.
    type Dispatch<N: Npi>: Table;
    /// What the module that is called shows.
    type Characteristics<N: Npi>: Table;
}

/// From a client to its provider.
#[derive(Debug)]
pub enum ToProvider {}

/// From a provider to its client.
#[derive(Debug)]
pub enum ToClient {}

impl Side for ToProvider {
    type Dispatch<N: Npi> = N::ProviderDispatch;
    type Characteristics<N: Npi> = N::ProviderCharacteristics;
}

impl Side for ToClient {
    type Dispatch<N: Npi> = N::ClientDispatch;
    type Characteristics<N: Npi> = N::ClientCharacteristics;
}

/// A handle to the way from one module to another, for the interface `N`. Cloneable; keep it wherever calls are made.
///
/// It is shut until the modules are attached, and shut for good from the moment detaching begins. In between, calls are made
/// inside a [`Guard`]. Detaching is complete when it has begun and the last guard is gone; nobody waits for that, the
/// last guard itself tells NMR.
///
/// Without a guard there is no way to the other module's functions. A handle may outlive its binding; it is merely shut then.
/// At or below `DISPATCH_LEVEL`.
pub struct Binding<N: Npi, S: Side = ToProvider>(Shared<Gate<N, S>>);

impl<N: Npi, S: Side> Binding<N, S> {
    pub(super) const fn new(gate: Shared<Gate<N, S>>) -> Self {
        Self(gate)
    }

    /// Runs `body` with the way open, or answers `None` without running it if it is shut, as [`enter`](Self::enter) does.
    #[inline]
    pub fn call<R>(&self, body: impl FnOnce(&Guard<N, S>) -> R) -> Option<R> {
        let guard = self.enter()?;
        Some(body(&guard))
    }

    /// Holds the way open for as long as the guard lives; `None` if it is shut.
    ///
    /// A caller that came before the way was open, and finds itself turned away after it was shut, counts as one that was inside:
    /// if it is the last, it completes the detach, and the cleanup of both modules may run before this returns.
    ///
    /// For a call that completes asynchronously: keep the guard with the operation, on whatever thread, and drop it when the
    /// operation has completed.
    #[inline]
    pub fn enter(&self) -> Option<Guard<N, S>> {
        Inside::enter(&self.0).map(Guard)
    }
}

impl<N: Npi, S: Side> Clone for Binding<N, S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<N: Npi, S: Side> fmt::Debug for Binding<N, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Binding").field(&N::ID).finish()
    }
}

/// A call in progress. While it lives the two modules stay attached and the other's functions may be called.
///
/// Owned and movable between threads; dropped at or below `DISPATCH_LEVEL`. Dropping the last one after detaching has begun
/// completes the detach, and the cleanup of both modules may run before the drop returns. A guard that is leaked keeps
/// the deregistration of both modules waiting for ever; so does one that is held by the thread that waits for either.
#[must_use = "the call is over when the guard is dropped"]
#[doc(alias = "NmrClientDetachProviderComplete")]
#[doc(alias = "NmrProviderDetachClientComplete")]
pub struct Guard<N: Npi, S: Side = ToProvider>(Inside<N, S>);

impl<N: Npi, S: Side> Guard<N, S> {
    /// The other module's functions. To call one takes the promise that its author asks for; the author of the interface
    /// wraps it.
    #[inline]
    pub fn dispatch(&self) -> &S::Dispatch<N> {
        &self.0.remote().dispatch
    }

    /// The other module's binding context, which its functions expect.
    #[inline]
    pub fn context(&self) -> *mut c_void {
        self.0.remote().context
    }

    /// What the other module shows, as [`Peer::characteristics`](super::Peer::characteristics) has it. Where they hold pointers or
    /// functions, these are good while the guard is held, since the other module stays registered until it is dropped; the
    /// author of the interface wraps them as those of the [`dispatch`](Self::dispatch) table.
    pub fn characteristics(&self) -> Option<&S::Characteristics<N>> {
        self.0.remote().characteristics.as_ref()
    }
}

impl<N: Npi, S: Side> fmt::Debug for Guard<N, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Guard").field(&N::ID).finish()
    }
}
