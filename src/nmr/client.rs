//! The client's side: [`Client`], [`ClientRegistration`] and the [`Offer`] of a provider.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;

use crate::irql::{AtMostDispatch, BelowDispatch, Irql, Passive};
use crate::lifetime::Image;
use crate::status::{Error, Result, Status};

use super::Failed;
use super::binding::{Binding, ToClient};
use super::ffi::{AsClient, Ending, Live, Proposal, Unattached};
use super::identity::{Identity, ModuleId, Peer};
use super::npi::{Dispatch, Npi};

/// The functions that the client `C` gives its providers.
pub type ClientDispatch<C> = Dispatch<C, ToClient, <<C as Client>::Npi as Npi>::ClientDispatch>;

/// What the provider of an offer shows to the client `C`.
type Shown<C> = <<C as Client>::Npi as Npi>::ProviderCharacteristics;

/// A client of a network programming interface.
///
/// Callbacks come on any thread, at the same time for different providers, and from within
/// [`ClientRegistration::register`]. The client lives until deregistration is complete.
pub trait Client: Send + Sync + Sized + 'static {
    /// The interface.
    type Npi: Npi;

    /// What the client keeps for one binding. Dropped when both modules have finished detaching, at or below
    /// `DISPATCH_LEVEL`.
    type Context: Send + Sync + 'static;

    /// A provider has come up, now or before this client was registered: accept or decline the offer.
    ///
    /// Once for each provider; all but the decision is up to the client. What the callback answers to NMR follows from
    /// what was done with the offer.
    #[doc(alias = "NPI_CLIENT_ATTACH_PROVIDER_FN")]
    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a>;

    /// The binding of `context` is being taken down: finish soon what is in progress in it.
    ///
    /// Once for each binding. Its [`Binding`] is shut already: no new call can begin, and those in progress keep the two modules
    /// attached until their guards are gone. Nothing has to be waited for here, nor could it be.
    #[doc(alias = "NPI_CLIENT_DETACH_PROVIDER_FN")]
    fn detach(&self, context: &Self::Context, irql: &mut Irql<AtMostDispatch>) {
        let _ = (context, irql);
    }
}

/// A provider that a client may attach to. Exists during the attach callback only, on its thread.
#[must_use = "an offer is accepted or declined"]
pub struct Offer<'a, C: Client> {
    proposal: Proposal<'a, C>,
    peer: Peer<'a, Shown<C>>,
    /// How the last attempt that NMR was asked for ended, or if there is none, the last one.
    last: Option<Unattached>,
}

/// What was decided about an [`Offer`]. Only the offer itself makes one.
///
/// One callback's decision is no other's: the lifetime is that callback's and fits no other.
#[must_use = "the attach callback returns it"]
pub struct Decision<'a> {
    status: Status,
    callback: PhantomData<fn(&'a ()) -> &'a ()>,
}

/// An offer that was accepted in vain. Both come back: try again, for example with the functions of an older version, or
/// [`decline`](Self::decline).
pub struct Refused<'a, C: Client> {
    /// The offer, still open.
    pub offer: Offer<'a, C>,
    /// The context that was to be the binding's.
    pub context: C::Context,
    /// Why: the provider's refusal, or [`Error::INSUFFICIENT_RESOURCES`].
    pub error: Error,
}

impl<'a, C: Client> Offer<'a, C> {
    pub(super) const fn new(proposal: Proposal<'a, C>, peer: Peer<'a, Shown<C>>) -> Self {
        Self {
            proposal,
            peer,
            last: None,
        }
    }

    /// Who the provider is.
    pub const fn peer(&self) -> &Peer<'a, Shown<C>> {
        &self.peer
    }

    /// Keeps the offer if it is of this module, and declines it otherwise. NMR compares no module identifiers, so a client that
    /// relies on one provider's code checks for it.
    ///
    /// ```
    /// # use simkernel as _;
    /// # use nmr_netdma::irql::{Irql, Passive};
    /// # use nmr_netdma::nmr::{Client, Decision, Dispatch, ModuleId, Npi, Offer};
    /// # fn attach<'a, C>(offer: Offer<'a, C>, irql: &mut Irql<Passive>, engine: ModuleId) -> Decision<'a>
    /// # where
    /// #     C: Client<Context = ()>,
    /// #     C::Npi: Npi<ClientDispatch = ()>,
    /// # {
    /// let offer = match offer.only_from(engine) {
    ///     Ok(offer) => offer,
    ///     Err(declined) => return declined,
    /// };
    /// # match offer.accept((), Dispatch::none(), irql) {
    /// #     Ok(decision) => decision,
    /// #     Err(refused) => refused.decline(),
    /// # }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The decision, for the callback to return.
    pub fn only_from(self, module: ModuleId) -> Result<Self, Decision<'a>> {
        if self.peer.module() == module {
            Ok(self)
        } else {
            Err(self.decline())
        }
    }

    /// The way to this provider, for the context or for wherever calls are made. It is shut, and opens when the offer is
    /// accepted.
    pub fn binding(&self) -> Binding<C::Npi> {
        Binding::new(self.proposal.gate.clone())
    }

    /// Attaches to the provider, with `context` as this side's binding context and `dispatch` for the provider to call.
    ///
    /// The provider's attach callback runs inside. Afterwards the [`binding`](Self::binding) is open. It stays shut, until the
    /// two are detached as others are, if the provider gave no functions though the interface defines some, less of them than it
    /// demands, or those of another version; then there is a line in the debugger.
    ///
    /// # Errors
    ///
    /// The provider refused, or there is no memory.
    #[doc(alias = "NmrClientAttachProvider")]
    pub fn accept(
        self,
        context: C::Context,
        dispatch: ClientDispatch<C>,
        irql: &mut Irql<Passive>,
    ) -> Result<Decision<'a>, Refused<'a, C>> {
        match self.proposal.attach(&self.peer, context, dispatch, irql) {
            Ok(status) => Ok(Decision {
                status,
                callback: PhantomData,
            }),
            Err((proposal, context, now)) => {
                // NMR does not know of an attempt that found no memory, so what it answered before stands.
                let last = match (self.last, now) {
                    (Some(answered @ Unattached::Answered(_)), Unattached::NoMemory) => answered,
                    _ => now,
                };
                let offer = Self {
                    proposal,
                    peer: self.peer,
                    last: Some(last),
                };
                Err(Refused {
                    offer,
                    context,
                    error: now.error(),
                })
            }
        }
    }

    /// Lets the provider go.
    ///
    /// The callback answers what NMR answered to the last attempt to accept. If NMR was never asked, it answers
    /// `STATUS_INSUFFICIENT_RESOURCES` if there was no memory for that, and `STATUS_NOINTERFACE` if it was not tried.
    pub fn decline(self) -> Decision<'a> {
        let answer = self.last.map_or(Error::NO_INTERFACE, Unattached::error);
        Decision {
            status: answer.status(),
            callback: PhantomData,
        }
    }
}

impl<C: Client> fmt::Debug for Offer<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Offer")
            .field("module", &self.peer.module())
            .finish_non_exhaustive()
    }
}

impl Decision<'_> {
    pub(super) const fn status(&self) -> Status {
        self.status
    }
}

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Decision")
            .field(&self.status)
            .finish()
    }
}

impl<'a, C: Client> Refused<'a, C> {
    /// Gives up: drops the context and declines the offer.
    pub fn decline(self) -> Decision<'a> {
        self.offer.decline()
    }
}

impl<C: Client> fmt::Debug for Refused<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Refused")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// A client that is registered; it dereferences to the client.
///
/// **Dropping it blocks:** it deregisters and waits until every binding is detached on both sides and cleaned up. So it is
/// dropped below `DISPATCH_LEVEL`, and not where that depends on this thread, as inside a callback of this client or while a
/// [`Guard`](super::Guard) of one of its bindings is held; see [waiting](super#waiting). At `DISPATCH_LEVEL` debug builds
/// panic, and others leave the client registered and say so in the debugger. One that is left or leaked stays registered;
/// unloading then stalls and names it, see [`lifetime`](crate::lifetime).
#[must_use = "dropping it deregisters the client"]
pub struct ClientRegistration<C: Client>(Live<AsClient<C>>);

impl<C: Client> ClientRegistration<C> {
    /// Registers `client`, to be offered every provider of its interface that there is and that will be.
    ///
    /// Its callbacks may come before this returns.
    ///
    /// # Errors
    ///
    /// NMR's, [`Error::INSUFFICIENT_RESOURCES`], or [`Error::INVALID_PARAMETER`] if the characteristics say another version or size
    /// than the interface demands, or more than they have; the client comes back.
    #[doc(alias = "NmrRegisterClient")]
    pub fn register(
        image: &Image,
        client: C,
        identity: Identity<<C::Npi as Npi>::ClientCharacteristics>,
        irql: &mut Irql<Passive>,
    ) -> Result<Self, Failed<C>> {
        Live::register(image, client, identity, irql).map(Self)
    }

    /// Deregisters and waits until nothing of it is left. Where that depends on this thread it never returns, see
    /// [waiting](super#waiting).
    ///
    /// # Errors
    ///
    /// NMR did not answer as documented. The client may then still be called, so it is not freed; unloading finds it left.
    pub fn deregister(self, irql: &mut Irql<BelowDispatch>) -> Result<C> {
        self.begin_deregister(irql)?.wait(irql)
    }

    /// Begins to deregister, where waiting is not possible. The client is offered no more providers, and all its bindings begin
    /// to detach.
    ///
    /// # Errors
    ///
    /// As for [`deregister`](Self::deregister).
    #[doc(alias = "NmrDeregisterClient")]
    pub fn begin_deregister(
        self,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<DeregisteringClient<C>> {
        self.0.begin(irql).map(DeregisteringClient)
    }
}

impl<C: Client> Deref for ClientRegistration<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.0.module()
    }
}

impl<C: Client> fmt::Debug for ClientRegistration<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ClientRegistration")
            .field(&C::Npi::ID)
            .finish()
    }
}

/// A client whose deregistration has begun.
///
/// **Dropping it blocks,** as for [`ClientRegistration`].
#[must_use = "dropping it waits"]
pub struct DeregisteringClient<C: Client>(Ending<AsClient<C>>);

impl<C: Client> DeregisteringClient<C> {
    /// Waits until every binding is detached on both sides and cleaned up, and gives the client back. Where that depends on this
    /// thread it never returns, see [waiting](super#waiting).
    ///
    /// # Errors
    ///
    /// As for [`ClientRegistration::deregister`].
    #[doc(alias = "NmrWaitForClientDeregisterComplete")]
    pub fn wait(self, irql: &mut Irql<BelowDispatch>) -> Result<C> {
        self.0.wait(irql)
    }
}

impl<C: Client> fmt::Debug for DeregisteringClient<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("DeregisteringClient")
            .field(&C::Npi::ID)
            .finish()
    }
}
