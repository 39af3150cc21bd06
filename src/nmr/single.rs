//! [`Single`]: at most one binding at a time.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::context::Shared;
use crate::irql::{AtMostDispatch, Irql};
use crate::status::{Error, Result};

/// One place, for a module that has at most one binding at a time.
///
/// Whoever is accepted gets the [`Claim`], which goes into the binding's context; while it is held there is none for others, and
/// they are declined. Nothing has to be cleared by hand: the place is free again when the context goes, because the binding was
/// cleaned up or because attaching failed.
///
/// ```
/// # use simkernel as _;
/// # use nmr_netdma::irql::{Irql, Passive};
/// # use nmr_netdma::nmr::{Binding, Claim, Client, Decision, Dispatch, Npi, Offer, Single};
/// struct Caller {
///     single: Single,
/// }
/// # struct Bare;
/// # unsafe impl Npi for Bare {
/// #     const ID: nmr_netdma::Guid = nmr_netdma::Guid::parse("6f0c2a31-54b8-4b55-9a0e-2f4b1a7c9d11");
/// #     type ClientCharacteristics = ();
/// #     type ProviderCharacteristics = ();
/// #     type ClientDispatch = ();
/// #     type ProviderDispatch = ();
/// # }
///
/// impl Client for Caller {
/// #   type Npi = Bare;
///     type Context = (Claim, Binding<Bare>);
///
///     fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
///         let Some(claim) = self.single.claim() else {
///             return offer.decline();
///         };
///         let context = (claim, offer.binding());
///         match offer.accept(context, Dispatch::none(), irql) {
///             Ok(decision) => decision,
///             Err(refused) => refused.decline(),
///         }
///     }
/// }
/// ```
///
/// NMR offers each peer once. One that comes while the last is still being taken down is declined for good; a module that
/// would rather have it calls [`Claim::release`] in `detach`.
pub struct Single(Shared<AtomicBool>);

/// The one place of a [`Single`].
#[must_use = "the place is free again when the claim is dropped"]
pub struct Claim {
    taken: Shared<AtomicBool>,
    held: AtomicBool,
}

impl Single {
    /// A free place.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`].
    pub fn new(irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        match Shared::try_new(AtomicBool::new(false), irql) {
            Ok(taken) => Ok(Self(taken)),
            Err(_) => Err(Error::INSUFFICIENT_RESOURCES),
        }
    }

    /// Takes the place, if it is free.
    pub fn claim(&self) -> Option<Claim> {
        let free = !self.0.swap(true, Ordering::Acquire);
        free.then(|| Claim {
            taken: self.0.clone(),
            held: AtomicBool::new(true),
        })
    }
}

impl Claim {
    /// Gives the place up before the claim goes. A second time it does nothing.
    pub fn release(&self) {
        if self.held.swap(false, Ordering::Relaxed) {
            self.taken.store(false, Ordering::Release);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for Single {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.0.load(Ordering::Relaxed);
        formatter
            .debug_struct("Single")
            .field("taken", &taken)
            .finish()
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held.load(Ordering::Relaxed);
        formatter
            .debug_struct("Claim")
            .field("held", &held)
            .finish()
    }
}
