//! Detaching with calls in progress.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, Decision, Guard, Offer};

use super::echo::{self, Echo};
use super::machine::*;

#[test]
fn the_last_guard_completes_the_detach() {
    for seed in SEEDS {
        let mut machine = Machine::with_seed(seed);
        let server = machine.server(Server::default());
        let caller = machine.caller(Caller::default());
        let guard = caller.binding(0).enter().expect("attached");
        let released = AtomicBool::new(false);
        let (start, wait) = mpsc::channel::<()>();
        let threads = Threads(&machine.kernel);
        let server = std::thread::scope(|scope| {
            scope.spawn(|| {
                let Threads(kernel) = &threads;
                let _entered = kernel.enter(1);
                let wait = wait;
                wait.recv()
                    .expect("the other thread is about to deregister");
                std::thread::sleep(Duration::from_millis(5));
                // The operation is still in progress, and the provider may be called.
                assert_eq!(echo::echo(&guard, 1), Some(101));
                released.store(true, Ordering::SeqCst);
                drop(guard);
            });
            start.send(()).expect("the other thread waits");
            let server = server
                .deregister(&mut machine.irql)
                .expect("documented answers");
            assert!(released.load(Ordering::SeqCst), "waited for the guard");
            server
        });
        assert_eq!(
            (server.log.counts(), caller.log.counts()),
            ((1, 1, 1), (1, 1, 1))
        );
        drop((caller, server));
        machine.end();
    }
}

#[test]
fn no_call_begins_once_detaching_has_begun() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let guard = caller.binding(0).enter().expect("attached");
    let ending = caller
        .begin_deregister(&mut machine.irql)
        .expect("documented answers");
    assert_eq!(echo::echo(&guard, 1), Some(101));
    assert_eq!(server.notify(1), [None]);
    assert_eq!(server.log.counts(), (1, 1, 0));
    drop(guard);
    assert_eq!(server.log.counts(), (1, 1, 1));
    let caller = ending.wait(&mut machine.irql).expect("documented answers");
    assert_eq!(caller.echo(1), [None]);
    drop((caller, server));
    machine.end();
}

#[test]
fn a_context_may_hold_its_own_guard_until_detach() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller {
        holds: true,
        ..Caller::default()
    });
    assert_eq!(server.notify(1), [Some(Some(11))]);
    drop(server);
    assert_eq!(caller.log.counts(), (1, 1, 1));
    drop(caller);
    machine.end();
}

#[test]
fn cleanup_may_follow_the_last_guard_at_once() {
    for seed in SEEDS {
        let mut machine = Machine::with_seed(seed);
        machine.kernel.nmr().early_cleanup(true);
        let server = machine.server(Server::default());
        let caller = machine.caller(Caller {
            holds: true,
            ..Caller::default()
        });
        server.notify(1);
        drop(caller);
        assert_eq!(server.log.counts(), (1, 1, 1));
        drop(server);
        machine.end();
    }
}

#[test]
fn callers_race_with_detaching() {
    const ROUNDS: u64 = if cfg!(miri) { 2 } else { 200 };

    for seed in 1..=ROUNDS {
        let mut machine = Machine::with_seed(seed);
        let server = machine.server(Server::default());
        let caller = machine.caller(Caller::default());
        let (there, back) = (caller.binding(0), locked(&server.bindings)[0].clone());
        let threads = Threads(&machine.kernel);
        let (caller, server) = std::thread::scope(|scope| {
            scope.spawn(|| {
                let Threads(kernel) = &threads;
                let _entered = kernel.enter(1);
                while let Some(answer) = there.call(|server| echo::echo(server, 1)) {
                    assert_eq!(answer, Some(101));
                }
            });
            scope.spawn(|| {
                let Threads(kernel) = &threads;
                let _entered = kernel.enter(2);
                while let Some(answer) = back.call(|caller| echo::notify(caller, 1)) {
                    assert_eq!(answer, Some(11));
                }
            });
            std::thread::yield_now();
            (caller.deregister(&mut machine.irql), server)
        });
        let caller = caller.expect("documented answers");
        assert_eq!(
            (caller.log.counts(), server.log.counts()),
            ((1, 1, 1), (1, 1, 1))
        );
        drop((caller, server));
        drop((there, back));
        machine.end();
    }
}

/// A client that keeps no handle of its binding.
struct Forgetful {
    guards: Mutex<Vec<Guard<Echo>>>,
}

impl Client for Forgetful {
    type Npi = Echo;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        let binding = offer.binding();
        match offer.accept((), echo::no_caller_functions(), irql) {
            Ok(decision) => {
                locked(&self.guards)
                    .extend([binding.enter(), binding.enter()].into_iter().flatten());
                decision
            }
            Err(refused) => refused.decline(),
        }
    }
}

/// The completion frees the gate while the guard that runs it is still being dropped: only Miri would see a use of it.
#[test]
fn the_last_guard_may_be_all_that_is_left_of_a_binding() {
    const ROUNDS: u64 = if cfg!(miri) { 8 } else { 100 };

    for seed in 1..=ROUNDS {
        let mut machine = Machine::with_seed(seed);
        let server = machine.server(Server::default());
        let client = Forgetful {
            guards: Mutex::default(),
        };
        let client = machine.caller(client);
        let guards = std::mem::take(&mut *locked(&client.guards));
        assert_eq!(guards.len(), 2);
        let ending = client
            .begin_deregister(&mut machine.irql)
            .expect("documented answers");
        let threads = Threads(&machine.kernel);
        std::thread::scope(|scope| {
            for (guard, processor) in guards.into_iter().zip(1..) {
                let threads = &threads;
                scope.spawn(move || {
                    let Threads(kernel) = threads;
                    let _entered = kernel.enter(processor);
                    assert_eq!(echo::echo(&guard, 1), Some(101));
                    drop(guard);
                });
            }
        });
        drop(ending.wait(&mut machine.irql).expect("documented answers"));
        assert_eq!(server.log.counts(), (1, 1, 1));
        drop(server);
        machine.end();
    }
}
