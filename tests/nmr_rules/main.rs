//! The registrar's rules, one by one: what the library makes of each, and what the simulated kernel says to a driver in C
//! that breaks it. What does not compile is in `tests/ui/nmr_*.rs`, named there by the same numbers.
//!
//! A file holds one chapter of the rules; what several of them use is here.
//!
//! # Safety
//!
//! The unsafe code of this file declares an interface that has no functions.
#![expect(unsafe_code, reason = "declares an interface")]

mod attach;
mod calls;
mod cleanup;
mod deregistration;
mod detach;
mod peers;
mod registration;
mod versions;

#[path = "../common"]
mod common {
    pub(crate) mod nmr_modules;
    pub(crate) mod raw_nmr;
}

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Binding, Client, ClientRegistration, Decision, Dispatch, Guard, Identity, ModuleId,
    Npi, Offer, Provider, ProviderRegistration, Request,
};
use nmr_netdma::status::Status;
use nmr_netdma::sys::{
    MIT_IF_LUID, NPI_MODULEID, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
};
use nmr_netdma::{Error, Guid, Result};
use simkernel::fault::Fault;
use simkernel::netio::{LevelChoice, OrderChoice, violation};

use self::common::nmr_modules::relay::{
    Functions, NOT_READY, OLD_FUNCTIONS, OLD_SHOWN, Relay, Shown,
};
use self::common::nmr_modules::{
    CALLER, Caller, DISPATCH, Log, Machine, SERVER, SHOWN, Server, begin, caller_identity, finish,
    flag, guard, locked, passive, register_caller, register_server, relay, server_identity, until,
};
use self::common::raw_nmr::{Block, FUNCTIONS, Raw, at_dispatch, guid, module_id};

const ROUNDS: usize = if cfg!(miri) { 4 } else { 100 };
const SEEDS: u64 = if cfg!(miri) { 6 } else { 16 };

/// An interface without functions, whose modules show nothing.
enum Bare {}

// SAFETY: no structure is passed under this interface.
unsafe impl Npi for Bare {
    const ID: Guid = Guid::parse("81f7a1f4-6d0b-4a53-8f0e-19c9a4b7c602");
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ();
    type ClientDispatch = ();
    type ProviderDispatch = ();
}

/// A client or provider of it that accepts everybody.
#[derive(Default)]
struct Accepting(Mutex<Vec<Binding<Bare>>>);

impl Client for Accepting {
    type Npi = Bare;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        locked(&self.0).push(offer.binding());
        match offer.accept((), Dispatch::none(), irql) {
            Ok(decision) => decision,
            Err(refused) => refused.decline(),
        }
    }
}

impl Provider for Accepting {
    type Npi = Bare;
    type Context = ();

    fn attach(&self, _: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        Ok(Accept {
            context: (),
            dispatch: Dispatch::none(),
        })
    }
}

fn bare_client(machine: &Machine, module: ModuleId) -> ClientRegistration<Accepting> {
    let identity = Identity::new(module);
    ClientRegistration::register(
        &machine.image,
        Accepting::default(),
        identity,
        &mut passive(),
    )
    .expect("the client registers")
}

fn bare_provider(machine: &Machine, module: ModuleId) -> ProviderRegistration<Accepting> {
    let identity = Identity::new(module);
    ProviderRegistration::register(
        &machine.image,
        Accepting::default(),
        identity,
        &mut passive(),
    )
    .expect("the provider registers")
}

/// What each call of `callback` answered, from the trace.
fn answers(machine: &Machine, callback: &str) -> Vec<String> {
    let events = machine.kernel.events();
    let of_callback = |what: &String| what.starts_with(callback);
    let answer = |what: String| what.rsplit(": ").next().map(String::from);
    events
        .into_iter()
        .map(|event| event.what)
        .filter(of_callback)
        .filter_map(answer)
        .collect()
}

fn count(log: &Log, texts: &[&str]) -> Vec<usize> {
    texts.iter().map(|text| log.count(text)).collect()
}
