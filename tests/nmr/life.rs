//! The whole life of a binding, and what refuses it.

use std::sync::atomic::AtomicUsize;

use nmr_netdma::Error;

use super::machine::*;

#[test]
fn a_client_meets_a_provider_that_was_there_before() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    assert_eq!(caller.echo(5), [Some(Some(105))]);
    assert_eq!(server.notify(7), [Some(Some(17))]);
    assert_eq!(*locked(&caller.log.notes), [7]);

    let caller = caller
        .deregister(&mut machine.irql)
        .expect("documented answers");
    assert_eq!(caller.log.counts(), (1, 1, 1));
    assert_eq!(server.log.counts(), (1, 1, 1));
    assert_eq!((caller.echo(5), server.notify(7)), (vec![None], vec![None]));
    drop((caller, server));
    machine.end();
}

#[test]
fn a_client_meets_a_provider_that_comes_later() {
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    assert_eq!(caller.echo(5), []);
    let server = machine.server(Server::default());
    assert_eq!(caller.echo(5), [Some(Some(105))]);

    let server = server
        .deregister(&mut machine.irql)
        .expect("documented answers");
    assert_eq!(
        (server.log.counts(), caller.log.counts()),
        ((1, 1, 1), (1, 1, 1))
    );
    assert_eq!(caller.echo(5), [None]);
    drop((caller, server));
    machine.end();
}

#[test]
fn each_side_sees_who_the_other_is() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let seen = locked(&server.peers)[0];
    assert_eq!((seen.module, seen.number, seen.version), (CALLER, 4, 1));
    assert_eq!(seen.shown, Some(SHOWS));
    let seen = locked(&caller.peers)[0];
    assert_eq!((seen.module, seen.number, seen.version), (SERVER, 0, 0));
    assert_eq!(seen.shown, None);
    drop(caller);
    drop(server);
    machine.end();
}

#[test]
fn one_client_has_a_binding_with_each_provider() {
    for seed in SEEDS {
        let mut machine = Machine::with_seed(seed);
        let first = machine.server(Server::default());
        let caller = machine.caller(Caller::default());
        let second = machine.server(Server::default());
        assert_eq!(caller.echo(1), [Some(Some(101)), Some(Some(101))]);
        drop(first);
        assert_eq!(caller.echo(1), [None, Some(Some(101))]);
        drop(caller);
        assert_eq!(second.log.counts(), (1, 1, 1));
        drop(second);
        machine.end();
    }
}

#[test]
fn a_provider_that_comes_back_is_a_new_binding() {
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    let server = machine.server(Server::default());
    drop(server);
    let server = machine.server(Server::default());
    assert_eq!(caller.echo(1), [None, Some(Some(101))]);
    assert_eq!(caller.log.counts(), (2, 1, 1));
    drop(server);
    drop(caller);
    machine.end();
}

#[test]
fn a_late_handle_is_harmless() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let (there, back) = (caller.binding(0), locked(&server.bindings)[0].clone());
    drop(caller.deregister(&mut machine.irql));
    drop(server.deregister(&mut machine.irql));
    assert!(there.enter().is_none() && back.enter().is_none());
    drop((there, back));
    machine.end();
}

// Refusal.

#[test]
fn declining_leaves_nothing_behind() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller {
        declines: true,
        ..Caller::default()
    });
    assert_eq!(
        (locked(&caller.peers).len(), locked(&server.peers).len()),
        (1, 0)
    );
    assert_eq!(machine.kernel.nmr().bindings(), 0);
    drop(caller);
    drop(server);
    machine.end();
}

#[test]
fn a_refusal_hands_the_context_back() {
    let mut machine = Machine::boot();
    let server = machine.server(Server {
        refuses: AtomicUsize::new(1),
        ..Server::default()
    });
    let caller = machine.caller(Caller::default());
    assert_eq!(*locked(&caller.log.refusals), [Error::DEVICE_NOT_READY]);
    // The context was dropped by the client itself: neither detach nor cleanup follows a failed attach.
    assert_eq!(
        (caller.log.counts(), server.log.counts()),
        ((0, 0, 1), (0, 0, 0))
    );
    drop(caller);
    drop(server);
    machine.end();
}

#[test]
fn a_refused_client_may_try_again() {
    let mut machine = Machine::boot();
    let server = machine.server(Server {
        refuses: AtomicUsize::new(2),
        ..Server::default()
    });
    let caller = machine.caller(Caller {
        retries: 2,
        ..Caller::default()
    });
    assert_eq!(*locked(&caller.log.refusals), [Error::DEVICE_NOT_READY; 2]);
    assert_eq!(caller.echo(1), [Some(Some(101))]);
    drop(server);
    assert_eq!(caller.log.counts(), (1, 1, 1));
    drop(caller);
    machine.end();
}
