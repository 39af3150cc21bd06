//! The Network Module Registrar: how kernel modules find each other by interface, attach, call each other and part.
//!
//! C header: `netioddk.h`. Windows Vista and later; WSK and the Windows Filtering Platform's helpers are built on it, and drivers
//! use it for private interfaces between them.
//!
//! # Protocol
//!
//! An interface ([`Npi`]) is a GUID and the structures its modules give each other. A module is a [`Client`] or a
//! [`Provider`] of it, registered under an [`Identity`]. NMR offers every provider to every client of the same interface, once. One
//! client attached to one provider is a binding.
//!
//! | state of a binding | begins when | what happens | level |
//! |---|---|---|---|
//! | proposed | one of the two registers | [`Client::attach`] gets an [`Offer`], on the registering thread, before registering returns | passive |
//! | attaching | the client accepts: [`Offer::accept`] | inside, [`Provider::attach`] answers; a refusal gives the client all back, and it may try again | passive |
//! | attached | both have accepted | each calls the other through its [`Binding`] | as the interface says |
//! | detaching | either begins to deregister | both bindings are shut, then [`Client::detach`] and [`Provider::detach`] run, once each, in any order, on the deregistering thread | at most dispatch |
//! | detached | the last [`Guard`] of each side is gone | the side tells NMR, on the thread that dropped the guard | at most dispatch |
//! | cleaned up | both sides are detached | both contexts are dropped | at most dispatch |
//!
//! Deregistering is complete when every binding of the module is cleaned up. A module that begins to deregister gets no new
//! offers; an attach that is in progress then is finished and at once detached.
//!
//! Between modules NMR is not involved: a call goes through the other's dispatch table with the other's binding context. What a
//! [`Guard`] adds is that it cannot go to a module that is gone.
//!
//! # Waiting
//!
//! `deregister`, `wait` and dropping a registration return when every binding of the module is cleaned up. They never do where that
//! depends on the thread that waits:
//!
//! * inside an attach or detach callback of the module, or while a binding's context is dropped in cleanup. Debug builds
//!   panic and name the module;
//! * inside a callback of its peer for a binding of the two, or in a function of the module that its peer calls;
//! * while the thread holds a [`Guard`] of one of its bindings, be it the peer's.
//!
//! The library sees the first only: a peer may be another driver's, and a guard may go to another thread and be dropped there. The
//! simulated kernel names all of them. Beginning to deregister is possible in each of these places.
//!
//! # An interface, a client, a provider
//!
//! The interface is declared once, by its author, for both drivers. This is the only place with `unsafe`:
//!
//! ```
//! # use simkernel as _;
//! mod adder {
//!     use core::ffi::c_void;
//!     use nmr_netdma::Guid;
//!     use nmr_netdma::nmr::{
//!         Dispatch, Guard, Npi, Provider, ProviderDispatch, Table, provider_context,
//!     };
//!
//!     /// The interface.
//!     pub enum Adder {}
//!
//!     /// What a provider gives its clients.
//!     #[derive(Clone, Copy)]
//!     #[repr(C)]
//!     pub struct Functions {
//!         add: Option<unsafe extern "system" fn(context: *mut c_void, a: u32, b: u32) -> u32>,
//!     }
//!
//!     // SAFETY: laid out as in C, and any bytes that a provider has there are a function or null.
//!     unsafe impl Table for Functions {}
//!
//!     // SAFETY: this is the declaration that all drivers of this interface share.
//!     unsafe impl Npi for Adder {
//!         const ID: Guid = Guid::parse("6f0c2a31-54b8-4b55-9a0e-2f4b1a7c9d10");
//!         type ClientCharacteristics = ();
//!         type ProviderCharacteristics = ();
//!         type ClientDispatch = ();
//!         type ProviderDispatch = Functions;
//!     }
//!
//!     /// For clients: the sum, or `None` if the provider cannot add.
//!     pub fn add(provider: &Guard<Adder>, a: u32, b: u32) -> Option<u32> {
//!         let add = provider.dispatch().add?;
//!         // SAFETY: the provider is attached while the guard lives, and expects its own context.
//!         Some(unsafe { add(provider.context(), a, b) })
//!     }
//!
//!     /// For providers.
//!     pub trait Adds: Provider<Npi = Adder> {
//!         fn add(&self, context: &Self::Context, a: u32, b: u32) -> u32;
//!     }
//!
//!     /// The functions of the provider `P`.
//!     pub const fn functions<P: Adds>() -> ProviderDispatch<P> {
//!         unsafe extern "system" fn add<P: Adds>(context: *mut c_void, a: u32, b: u32) -> u32 {
//!             // SAFETY: a client calls this with the context it got, while attached.
//!             let (provider, context) = unsafe { provider_context::<P>(context) };
//!             provider.add(context, a, b)
//!         }
//!
//!         // SAFETY: the function takes its context for that of `P`.
//!         unsafe { Dispatch::new(const { &Functions { add: Some(add::<P>) } }) }
//!     }
//! }
//!
//! use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
//! use nmr_netdma::lifetime::Image;
//! use nmr_netdma::nmr::{
//!     Accept, Binding, Client, ClientRegistration, Decision, Dispatch, Identity, ModuleId, Offer,
//!     Provider, ProviderRegistration, Request,
//! };
//! use nmr_netdma::{Guid, Result};
//!
//! struct Calculator;
//!
//! impl Client for Calculator {
//!     type Npi = adder::Adder;
//!     type Context = Binding<adder::Adder>;
//!
//!     fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
//!         let binding = offer.binding();
//!         match offer.accept(binding.clone(), Dispatch::none(), irql) {
//!             Ok(decision) => {
//!                 let sum = binding.call(|provider| adder::add(provider, 2, 3));
//!                 assert_eq!(sum, Some(Some(5)));
//!                 decision
//!             }
//!             Err(refused) => refused.decline(),
//!         }
//!     }
//!
//!     fn detach(&self, binding: &Binding<adder::Adder>, _: &mut Irql<AtMostDispatch>) {
//!         assert!(binding.enter().is_none());
//!     }
//! }
//!
//! const MODULE: ModuleId = ModuleId::Guid(Guid::parse("0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11"));
//!
//! struct Engine;
//!
//! impl Provider for Engine {
//!     type Npi = adder::Adder;
//!     type Context = ();
//!
//!     fn attach(&self, _: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
//!         Ok(Accept { context: (), dispatch: adder::functions() })
//!     }
//! }
//!
//! impl adder::Adds for Engine {
//!     fn add(&self, _: &(), a: u32, b: u32) -> u32 {
//!         a + b
//!     }
//! }
//!
//! // Mostly in two drivers.
//! fn run(image: &Image, irql: &mut Irql<Passive>) -> Result<()> {
//!     let provider = ProviderRegistration::register(image, Engine, Identity::new(MODULE), irql)?;
//!     let client = ClientRegistration::register(image, Calculator, Identity::new(MODULE), irql)?;
//!     client.deregister(irql)?;
//!     provider.deregister(irql)?;
//!     Ok(())
//! }
//! # fn main() -> Result<()> {
//! #     let _kernel = simkernel::Kernel::boot(simkernel::Config::default());
//! #     let mut irql = unsafe { Irql::<Passive>::assume() };
//! #     let image = Image::new(&mut irql)?;
//! #     run(&image, &mut irql)?;
//! #     image.wait_empty(&mut irql);
//! #     Ok(())
//! # }
//! ```
//!
//! # Design
//!
//! * **A registration is a value.** It exists only while registered; the module is handed back when it is deregistered, and when
//!   registering failed.
//! * **The last caller out completes the detach.** Answering "pending" and completing later is NMR's own way of waiting for calls
//!   in progress. A detach callback that waits was rejected, since it may run at `DISPATCH_LEVEL`; so was a work item that
//!   waits, since it has to be reserved for each binding and held against unloading. See [`rundown`](crate::rundown).
//! * **The detach callback is a caller itself.** It counts as inside until the module's own `detach` has returned, so neither
//!   the binding nor its context can go away under it.
//! * **A guard does not count references.** Being inside keeps the binding's memory, because cleanup comes after the last
//!   guard. Only the handles, [`Binding`], are counted, so that late ones find the door shut and not freed memory.
//! * **Debug builds note which threads are in a module's callbacks,** in a few places that each registration has, so that one that
//!   waits for itself is named. A list of all threads was rejected, since it needs a lock that every callback takes; release
//!   builds note nothing.
//! * **The decision is a value that only the offer makes,** so a client cannot answer success without having attached, or the
//!   opposite. Its lifetime is that of the one callback. A client that gives up answers what NMR answered last; an attempt that
//!   found no memory before NMR was asked does not count, unless there was no other.
//! * **Tables are copied at attach.** An older or newer peer has a shorter or longer table; the copy is as long as this side's
//!   declaration, and its missing part is zero. Where fields end only the interface's author knows, so a peer whose size is
//!   none of the sizes that the structure has had is taken for the next smaller one. A call costs what it costs in C.
//! * **A version is compared, and is no size** ([`Extent`]). Of a structure of another version nothing behind that is looked at, since
//!   no more is known of it than where it says its version. Which ones are good is said by the interface's author; the version of a
//!   registration ([`Peer::version`]), which drivers in the field use as they like, is left to the module.
//! * **What a peer shows is lent, not given,** in an attach callback ([`Peer`]) and while a [`Guard`] is held: its pointers and
//!   functions are good while the peer is registered, and both of these keep it so. The copy lies beside that of the dispatch
//!   table, and entering does not touch it.
//! * **Tables are tied to their module's type and side** ([`Dispatch`]), because the functions in them recover that module's context
//!   from a bare pointer. The side is in it, since one type may be client and provider of an interface whose two tables are
//!   one type; and no table converts to that of a subtype of its module.
//! * **Malformed peers are declined** with `STATUS_NOINTERFACE` before the module is asked: registration instances that are too
//!   short, of another interface, or with an identifier of unknown type; characteristics, and a client's dispatch table, of a version
//!   that the interface does not have, shorter than it demands, or missing though it defines them. A provider's table is seen only
//!   when both have accepted: such a binding is attached and stays shut. NMR offers a pair once,
//!   so each time there is a line in the debugger that says whose it was, as far as that can be read; also if a pair is not
//!   attached because this library found no memory.
//! * **A provider that accepts and gives no usable functions stays attached, and shut.** By the page of
//!   `NPI_CLIENT_ATTACH_PROVIDER_FN` a client that has called `NmrClientAttachProvider` returns what that returned, and it
//!   returned success: both modules are attached, and there is no call that takes it back. To answer `STATUS_NOINTERFACE` all the
//!   same was rejected, since the provider would then hold a binding of which nobody knows whether it is ever detached. Drivers
//!   in the field also store NULL on purpose, where their interface has no provider functions; that is `()` here, and open.

mod binding;
mod client;
mod ffi;
mod identity;
mod npi;
mod provider;
mod single;

use core::fmt;

use crate::status::Error;

pub use self::binding::{Binding, Guard, Side, ToClient, ToProvider};
pub use self::client::{
    Client, ClientDispatch, ClientRegistration, Decision, DeregisteringClient, Offer, Refused,
};
pub use self::ffi::{client_context, provider_context};
pub use self::identity::{Identity, ModuleId, Peer};
pub use self::npi::{Dispatch, Extent, Npi, Table};
pub use self::provider::{
    Accept, DeregisteringProvider, Provider, ProviderDispatch, ProviderRegistration, Request,
};
pub use self::single::{Claim, Single};

/// An operation that did not happen, with the value that was to go into it.
pub struct Failed<T> {
    /// The value, untouched.
    pub value: T,
    /// Why.
    pub error: Error,
}

impl<T> fmt::Debug for Failed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Failed")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Failed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl<T> core::error::Error for Failed<T> {}

impl<T> From<Failed<T>> for Error {
    fn from(failed: Failed<T>) -> Self {
        failed.error
    }
}
