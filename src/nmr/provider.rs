//! The provider's side: [`Provider`], [`ProviderRegistration`] and the [`Request`] of a client.

use core::fmt;
use core::ops::Deref;

use crate::context::Shared;
use crate::irql::{AtMostDispatch, BelowDispatch, Irql, Passive};
use crate::lifetime::Image;
use crate::status::{Error, Result};

use super::Failed;
use super::binding::{Binding, ToClient, ToProvider};
use super::ffi::{AsProvider, Ending, Gate, Live};
use super::identity::{Identity, ModuleId, Peer};
use super::npi::{Dispatch, Npi};

/// The functions that the provider `P` gives its clients.
pub type ProviderDispatch<P> =
    Dispatch<P, ToProvider, <<P as Provider>::Npi as Npi>::ProviderDispatch>;

/// What the client of a request shows to the provider `P`.
type Shown<P> = <<P as Provider>::Npi as Npi>::ClientCharacteristics;

/// A provider of a network programming interface.
///
/// Callbacks come on any thread, at the same time for different clients, and from within
/// [`ProviderRegistration::register`]. The provider lives until deregistration is complete.
pub trait Provider: Send + Sync + Sized + 'static {
    /// The interface.
    type Npi: Npi;

    /// What the provider keeps for one binding. Dropped when both modules have finished detaching, at or below
    /// `DISPATCH_LEVEL`.
    type Context: Send + Sync + 'static;

    /// A client wants to attach. It may ask again after a refusal.
    ///
    /// # Errors
    ///
    /// The refusal, [`Error::NO_INTERFACE`] by NMR's documentation. The client sees it.
    #[doc(alias = "NPI_PROVIDER_ATTACH_CLIENT_FN")]
    fn attach(&self, request: Request<'_, Self>, irql: &mut Irql<Passive>) -> Result<Accept<Self>>;

    /// The binding of `context` is being taken down: finish soon what is in progress in it.
    ///
    /// Once for each binding. Its [`Binding`] is shut already: no new call can begin, and those in progress keep the two modules
    /// attached until their guards are gone. Nothing has to be waited for here, nor could it be. The client may still be
    /// inside calls that it began before.
    #[doc(alias = "NPI_PROVIDER_DETACH_CLIENT_FN")]
    fn detach(&self, context: &Self::Context, irql: &mut Irql<AtMostDispatch>) {
        let _ = (context, irql);
    }
}

/// A client that wants to attach to the provider `P`. Exists during the attach callback only.
pub struct Request<'a, P: Provider> {
    peer: Peer<'a, Shown<P>>,
    gate: Shared<Gate<P::Npi, ToClient>>,
}

/// What a provider gives a client that it accepts.
pub struct Accept<P: Provider> {
    /// The provider's binding context.
    pub context: P::Context,
    /// The functions for the client to call.
    pub dispatch: ProviderDispatch<P>,
}

impl<'a, P: Provider> Request<'a, P> {
    pub(super) const fn new(
        peer: Peer<'a, Shown<P>>,
        gate: Shared<Gate<P::Npi, ToClient>>,
    ) -> Self {
        Self { peer, gate }
    }

    /// Who the client is.
    pub const fn peer(&self) -> &Peer<'a, Shown<P>> {
        &self.peer
    }

    /// Keeps the request if it is of this module: `let request = request.only_from(MODULE)?`.
    ///
    /// # Errors
    ///
    /// [`Error::NO_INTERFACE`] if it is another's.
    pub fn only_from(self, module: ModuleId) -> Result<Self> {
        if self.peer.module() == module {
            Ok(self)
        } else {
            Err(Error::NO_INTERFACE)
        }
    }

    /// The way to this client, for the context or for wherever calls are made. It is shut, opens when the provider has
    /// accepted, and never opens if it has not.
    ///
    /// A provider is not told when the client's side of attaching is done, which is a moment later. A call before that is
    /// turned away by a client that is written with this library.
    pub fn binding(&self) -> Binding<P::Npi, ToClient> {
        Binding::new(self.gate.clone())
    }
}

impl<P: Provider> fmt::Debug for Request<'_, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("module", &self.peer.module())
            .finish_non_exhaustive()
    }
}

impl<P: Provider> fmt::Debug for Accept<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Accept")
            .field("dispatch", &self.dispatch)
            .finish_non_exhaustive()
    }
}

/// A provider that is registered; it dereferences to the provider.
///
/// **Dropping it blocks:** it deregisters and waits until every binding is detached on both sides and cleaned up. So it is
/// dropped below `DISPATCH_LEVEL`, and not where that depends on this thread, as inside a callback of this provider or while a
/// [`Guard`](super::Guard) of one of its bindings is held; see [waiting](super#waiting). At `DISPATCH_LEVEL` debug builds
/// panic, and others leave the provider registered and say so in the debugger. One that is left or leaked stays registered;
/// unloading then stalls and names it, see [`lifetime`](crate::lifetime).
#[must_use = "dropping it deregisters the provider"]
pub struct ProviderRegistration<P: Provider>(Live<AsProvider<P>>);

impl<P: Provider> ProviderRegistration<P> {
    /// Registers `provider`, to be offered to every client of its interface that there is and that will be.
    ///
    /// Its callbacks may come before this returns.
    ///
    /// # Errors
    ///
    /// NMR's, [`Error::INSUFFICIENT_RESOURCES`], or [`Error::INVALID_PARAMETER`] if the characteristics say another version or size
    /// than the interface demands, or more than they have; the provider comes back.
    #[doc(alias = "NmrRegisterProvider")]
    pub fn register(
        image: &Image,
        provider: P,
        identity: Identity<<P::Npi as Npi>::ProviderCharacteristics>,
        irql: &mut Irql<Passive>,
    ) -> Result<Self, Failed<P>> {
        Live::register(image, provider, identity, irql).map(Self)
    }

    /// Deregisters and waits until nothing of it is left. Where that depends on this thread it never returns, see
    /// [waiting](super#waiting).
    ///
    /// # Errors
    ///
    /// NMR did not answer as documented. The provider may then still be called, so it is not freed; unloading finds it left.
    pub fn deregister(self, irql: &mut Irql<BelowDispatch>) -> Result<P> {
        self.begin_deregister(irql)?.wait(irql)
    }

    /// Begins to deregister, where waiting is not possible. The provider is offered to no more clients, and all its bindings
    /// begin to detach.
    ///
    /// # Errors
    ///
    /// As for [`deregister`](Self::deregister).
    #[doc(alias = "NmrDeregisterProvider")]
    pub fn begin_deregister(
        self,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<DeregisteringProvider<P>> {
        self.0.begin(irql).map(DeregisteringProvider)
    }
}

impl<P: Provider> Deref for ProviderRegistration<P> {
    type Target = P;

    fn deref(&self) -> &P {
        self.0.module()
    }
}

impl<P: Provider> fmt::Debug for ProviderRegistration<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ProviderRegistration")
            .field(&P::Npi::ID)
            .finish()
    }
}

/// A provider whose deregistration has begun.
///
/// **Dropping it blocks,** as for [`ProviderRegistration`].
#[must_use = "dropping it waits"]
pub struct DeregisteringProvider<P: Provider>(Ending<AsProvider<P>>);

impl<P: Provider> DeregisteringProvider<P> {
    /// Waits until every binding is detached on both sides and cleaned up, and gives the provider back. Where that depends on this
    /// thread it never returns, see [waiting](super#waiting).
    ///
    /// # Errors
    ///
    /// As for [`ProviderRegistration::deregister`].
    #[doc(alias = "NmrWaitForProviderDeregisterComplete")]
    pub fn wait(self, irql: &mut Irql<BelowDispatch>) -> Result<P> {
        self.0.wait(irql)
    }
}

impl<P: Provider> fmt::Debug for DeregisteringProvider<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("DeregisteringProvider")
            .field(&P::Npi::ID)
            .finish()
    }
}
