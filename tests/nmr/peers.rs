//! Peers that do not keep the contract.

use nmr_netdma::Error;

use super::careless::{self, Careless};
use super::echo::{self, CallerShows};
use super::machine::*;

/// What a client of the library makes of a careless provider: whether it was asked at all, and its bindings' answers.
fn meet(careless: &Careless) -> (usize, Vec<Option<Option<u32>>>) {
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    let mut answers = Vec::new();
    careless.provide(|| answers = caller.echo(1));
    let asked = locked(&caller.peers).len();
    drop(caller);
    let verdict = machine.shutdown();
    assert!(verdict.leaks.is_empty(), "{verdict}");
    (asked, answers)
}

#[test]
fn a_peer_with_an_unknown_module_identifier_is_declined() {
    let mut careless = Careless::new();
    careless.id.Type = 7;
    assert_eq!(meet(&careless), (0, vec![]));
    let mut careless = Careless::new();
    careless.id.Length = 8;
    assert_eq!(meet(&careless), (0, vec![]));
}

#[test]
fn a_peer_with_a_short_registration_instance_is_declined() {
    let mut careless = Careless::new();
    careless.instance_size = 32;
    assert_eq!(meet(&careless), (0, vec![]));
}

#[test]
fn a_provider_without_functions_leaves_the_binding_shut() {
    assert_eq!(meet(&Careless::new()), (1, vec![None]));
}

#[test]
fn a_provider_with_too_few_functions_leaves_the_binding_shut() {
    let table = echo::ServerFunctions {
        size: 4,
        ..careless::OLD_TABLE
    };
    let mut careless = Careless::new();
    careless.functions = (&raw const table).cast();
    assert_eq!(meet(&careless), (1, vec![None]));
}

#[test]
fn what_an_older_provider_lacks_is_none() {
    let mut careless = Careless::new();
    careless.functions = (&raw const careless::OLD_TABLE).cast();
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    careless.provide(|| {
        let guard = caller.binding(0).enter().expect("attached");
        assert_eq!(
            (echo::echo(&guard, 1), echo::twice(&guard, 1)),
            (Some(2), None)
        );
    });
    drop(caller);
    machine.end();
}

#[test]
fn a_provider_that_calls_before_the_attach_is_decided_is_turned_away() {
    let mut careless = Careless::new();
    careless.functions = (&raw const careless::OLD_TABLE).cast();
    careless.calls_early = true;
    assert_eq!(meet(&careless), (1, vec![Some(Some(2))]));
    assert_eq!(careless.early_answer.get(), Some(echo::NOT_READY));
}

/// What a provider of the library answers a careless client, and whether it was asked at all.
fn serve(careless: &Careless) -> (usize, Option<i32>) {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    careless.consume(|| ());
    let asked = locked(&server.peers).len();
    drop(server);
    let verdict = machine.shutdown();
    assert!(verdict.leaks.is_empty(), "{verdict}");
    (asked, careless.attach_answer.get())
}

#[test]
fn a_client_without_functions_is_declined() {
    let answer = Some(Error::NO_INTERFACE.status().0);
    assert_eq!(serve(&Careless::new()), (0, answer));
}

#[test]
fn a_client_that_shows_too_little_is_declined() {
    let functions = echo::CallerFunctions { notify: None };
    let shows = CallerShows { size: 2, ..SHOWS };
    let mut careless = Careless::new();
    careless.functions = (&raw const functions).cast();
    careless.shows = (&raw const shows).cast();
    assert_eq!(serve(&careless), (0, Some(Error::NO_INTERFACE.status().0)));
    careless.shows = std::ptr::from_ref(&SHOWS).cast();
    assert_eq!(serve(&careless), (1, Some(0)));
}
