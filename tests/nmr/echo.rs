//! The interface that the tests speak.

use core::ffi::c_void;
use core::mem::offset_of;

use nmr_netdma::Guid;
use nmr_netdma::nmr::{
    Client, ClientDispatch, Dispatch, Extent, Guard, Npi, Provider, ProviderDispatch, Table,
    ToClient, client_context, provider_context,
};

pub(crate) enum Echo {}

type Function = unsafe extern "system" fn(*mut c_void, u32) -> u32;

/// What a function answers that does not want to be called now.
pub(crate) const NOT_READY: u32 = u32::MAX;

#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct ServerFunctions {
    pub(crate) size: u32,
    pub(crate) echo: Option<Function>,
    /// New in the second version.
    pub(crate) twice: Option<Function>,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct CallerFunctions {
    pub(crate) notify: Option<Function>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct CallerShows {
    pub(crate) size: u16,
    pub(crate) kind: u16,
    /// New in the second version.
    pub(crate) colour: u32,
}

// SAFETY: C layout, functions are optional, and zero is none.
unsafe impl Table for ServerFunctions {
    const EXTENT: Extent = Extent::u32_at(0, offset_of!(ServerFunctions, twice));
}
// SAFETY: C layout, and the function is optional.
unsafe impl Table for CallerFunctions {}
// SAFETY: C layout of integers.
unsafe impl Table for CallerShows {
    const EXTENT: Extent = Extent::u16_at(0, offset_of!(CallerShows, colour));
}

// SAFETY: the modules of this file are all there are, and keep to this declaration.
unsafe impl Npi for Echo {
    const ID: Guid = Guid::parse("5d1f9c02-74c7-4f5e-8b28-6a8b90c25a01");
    type ClientCharacteristics = CallerShows;
    type ProviderCharacteristics = ();
    type ClientDispatch = CallerFunctions;
    type ProviderDispatch = ServerFunctions;
}

pub(crate) fn echo(server: &Guard<Echo>, value: u32) -> Option<u32> {
    let echo = server.dispatch().echo?;
    // SAFETY: the server is attached while the guard lives, and expects its own context.
    Some(unsafe { echo(server.context(), value) })
}

pub(crate) fn twice(server: &Guard<Echo>, value: u32) -> Option<u32> {
    let twice = server.dispatch().twice?;
    // SAFETY: the server is attached while the guard lives, and expects its own context.
    Some(unsafe { twice(server.context(), value) })
}

pub(crate) fn notify(caller: &Guard<Echo, ToClient>, value: u32) -> Option<u32> {
    let notify = caller.dispatch().notify?;
    // SAFETY: the caller is attached while the guard lives, and expects its own context.
    Some(unsafe { notify(caller.context(), value) })
}

pub(crate) trait Serves: Provider<Npi = Echo> {
    fn echo(&self, context: &Self::Context, value: u32) -> u32;
}

pub(crate) trait Calls: Client<Npi = Echo> {
    fn notify(&self, context: &Self::Context, value: u32) -> u32;
}

pub(crate) const fn server_functions<P: Serves>() -> ProviderDispatch<P> {
    unsafe extern "system" fn echo<P: Serves>(context: *mut c_void, value: u32) -> u32 {
        // SAFETY: a caller calls this with the context it got, while attached.
        let (server, context) = unsafe { provider_context::<P>(context) };
        server.echo(context, value)
    }
    unsafe extern "system" fn twice<P: Serves>(context: *mut c_void, value: u32) -> u32 {
        // SAFETY: a caller calls this with the context it got, while attached.
        let (server, context) = unsafe { provider_context::<P>(context) };
        2 * server.echo(context, value)
    }

    // SAFETY: both functions take their context for that of `P`.
    unsafe {
        Dispatch::new(
            const {
                &ServerFunctions {
                    size: size_of::<ServerFunctions>() as u32,
                    echo: Some(echo::<P>),
                    twice: Some(twice::<P>),
                }
            },
        )
    }
}

pub(crate) const fn caller_functions<C: Calls>() -> ClientDispatch<C> {
    unsafe extern "system" fn notify<C: Calls>(context: *mut c_void, value: u32) -> u32 {
        // SAFETY: a server calls this with the context it got, until it has detached.
        match unsafe { client_context::<C>(context) } {
            Some((caller, context)) => caller.notify(context, value),
            None => NOT_READY,
        }
    }

    // SAFETY: the function takes its context for that of `C`.
    unsafe {
        Dispatch::new(
            const {
                &CallerFunctions {
                    notify: Some(notify::<C>),
                }
            },
        )
    }
}

/// The table of a client that cannot be called.
pub(crate) const fn no_caller_functions<C: Client<Npi = Echo>>() -> ClientDispatch<C> {
    // SAFETY: there is no function in it.
    unsafe { Dispatch::new(const { &CallerFunctions { notify: None } }) }
}

/// The table of a provider that cannot be called.
pub(crate) const fn no_server_functions<P: Provider<Npi = Echo>>() -> ProviderDispatch<P> {
    const NONE: ServerFunctions = ServerFunctions {
        size: size_of::<ServerFunctions>() as u32,
        echo: None,
        twice: None,
    };
    // SAFETY: there is no function in it.
    unsafe { Dispatch::new(&NONE) }
}
