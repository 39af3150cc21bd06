//! Deregistering, and failures on this side: registrations that are late, leaked, or refused.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{ClientRegistration, Identity, ProviderRegistration};
use nmr_netdma::{Error, Result};
use simkernel::Config;
use simkernel::fault::{self, Fault};

use super::machine::*;

#[test]
fn deregistering_begins_at_dispatch_level_and_is_waited_for_later() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let ending = machine
        .irql
        .at_dispatch(|irql| caller.begin_deregister(irql));
    let ending = ending.expect("documented answers");
    let caller = ending.wait(&mut machine.irql).expect("documented answers");
    assert_eq!(caller.log.counts(), (1, 1, 1));
    drop(caller);
    let ending = machine
        .irql
        .at_dispatch(|irql| server.begin_deregister(irql));
    drop(ending);
    machine.end();
}

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn a_leaked_registration_is_named() {
    let mut machine = Machine::boot();
    std::mem::forget(machine.caller(Caller::default()));
    assert_eq!(machine.image.registered(&mut machine.irql), 1);
    // Not waited for: it would take for ever.
    drop(machine.image);
    let verdict = machine.kernel.shutdown();
    assert!(verdict.violations.is_empty(), "{verdict}");
    let leaked = |what: &str| {
        verdict
            .leaks
            .iter()
            .any(|leak| leak.to_string().contains(what))
    };
    assert!(
        leaked("client") && leaked("5d1f9c02-74c7-4f5e-8b28-6a8b90c25a01"),
        "{verdict}"
    );
}

// Failures on this side.

#[test]
fn a_failed_registration_hands_the_module_back() {
    let mut machine = Machine::boot();
    let log = Arc::<Log>::default();
    machine.kernel.nmr().fail_registration(Some(1));
    let caller = Caller {
        log: Arc::clone(&log),
        ..Caller::default()
    };
    let failed =
        ClientRegistration::register(&machine.image, caller, caller_identity(), &mut machine.irql)
            .expect_err("the registrar refuses");
    assert!(Arc::ptr_eq(&failed.value.log, &log));
    assert_eq!(failed.error, Error::INSUFFICIENT_RESOURCES);

    machine.kernel.nmr().fail_registration(Some(1));
    let server = Server {
        log: Arc::clone(&log),
        ..Server::default()
    };
    let identity = Identity::new(SERVER);
    let failed =
        ProviderRegistration::register(&machine.image, server, identity, &mut machine.irql)
            .expect_err("the registrar refuses");
    assert!(Arc::ptr_eq(&failed.value.log, &log));
    machine.end();
}

// Refusals, one by one.

/// Registers both, calls both ways and ends them, the first to come first; what the calls answered, or the first refusal. The
/// provider refuses the client as often as that tries again, so that attempts come after its answers, too.
fn pair(client_first: bool, retries: usize) -> Result<Vec<Option<Option<u32>>>> {
    // SAFETY: the thread that boots a machine is at PASSIVE_LEVEL in it.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    let image = Image::new(&mut irql)?;
    let client = |irql: &mut Irql<Passive>| {
        let caller = Caller {
            retries,
            ..Caller::default()
        };
        ClientRegistration::register(&image, caller, caller_identity(), irql).map_err(|failed| {
            assert_eq!(failed.value.log.counts(), (0, 0, 0));
            failed.error
        })
    };
    let provider = |irql: &mut Irql<Passive>| {
        let server = Server {
            refuses: AtomicUsize::new(retries),
            ..Server::default()
        };
        let identity = Identity::new(SERVER);
        ProviderRegistration::register(&image, server, identity, irql)
            .map_err(|failed| failed.error)
    };
    let (caller, server) = if client_first {
        let caller = client(&mut irql)?;
        (caller, provider(&mut irql)?)
    } else {
        let server = provider(&mut irql)?;
        (client(&mut irql)?, server)
    };
    let answers = [caller.echo(1), server.notify(1)].concat();
    let (ours, theirs) = (Arc::clone(&caller.log), Arc::clone(&server.log));
    if client_first {
        drop(caller);
        drop(server);
    } else {
        drop(server);
        drop(caller);
    }
    assert_eq!(image.registered(&mut irql), 0);
    // A client's context that comes back is dropped as one that is cleaned up.
    let ((attached, detached, _), (_, told, cleaned)) = (ours.counts(), theirs.counts());
    assert_eq!((detached, told, cleaned), (attached, attached, attached));
    Ok(answers)
}

/// Whichever call is refused, with a client that so often tries again. Each attempt makes three allocations: for the client's
/// context, and for the provider's context and gate.
fn refuse_each(client_first: bool, retries: usize) {
    const WORKS: [Option<Option<u32>>; 2] = [Some(Some(101)), Some(Some(11))];

    let attempts = 1 + retries;
    let outcomes = RefCell::new(Vec::new());
    let points = fault::each(&Config::default(), &Fault::RECOVERABLE, |_| {
        outcomes.borrow_mut().push(pair(client_first, retries));
    });
    let of_kind = |fault| points.iter().filter(|point| point.fault == fault).count();
    // The image; hold and block of each registration; the client's gate; the attempts.
    assert_eq!(
        of_kind(Fault::Allocation),
        1 + 4 + 1 + 3 * attempts,
        "{points:#?}"
    );
    assert_eq!(of_kind(Fault::Registration), 2, "{points:#?}");
    assert_eq!(of_kind(Fault::Attach), attempts, "{points:#?}");
    assert_eq!(points.len(), 8 + 4 * attempts, "{points:#?}");

    // The runs in which nothing failed: the first, and for each kind the one after its last point.
    let outcomes = outcomes.into_inner();
    let works = |outcome: &&Result<Vec<_>>| outcome.as_ref().is_ok_and(|calls| *calls == WORKS);
    assert_eq!(
        outcomes.iter().filter(works).count(),
        1 + Fault::RECOVERABLE.len()
    );
    // The image, hold, block and the registrar for each module.
    let refused = |outcome: &&Result<_>| **outcome == Err(Error::INSUFFICIENT_RESOURCES);
    assert_eq!(outcomes.iter().filter(refused).count(), 7);
    // The client's gate and the attempts: no binding, or one that was never open.
    let unbound = |outcome: &&Result<Vec<_>>| outcome.as_ref().is_ok_and(|calls| calls.is_empty());
    assert_eq!(outcomes.iter().filter(unbound).count(), 1 + 4 * attempts);
    assert_eq!(outcomes.len(), 1 + points.len() + Fault::RECOVERABLE.len());
}

#[test]
fn every_refusal_of_a_pair_is_orderly() {
    for client_first in [false, true] {
        refuse_each(client_first, 0);
    }
}

#[test]
fn every_refusal_of_a_client_that_tries_again_is_orderly() {
    for client_first in [false, true] {
        refuse_each(client_first, 1);
    }
}

#[test]
fn a_point_of_failure_says_which_call_it_was_and_where() {
    let points = fault::each(&Config::default(), &[Fault::Attach], |_| {
        let _ = pair(true, 0);
    });
    let [point] = &points[..] else {
        panic!("{points:#?}");
    };
    assert_eq!((point.fault, point.n), (Fault::Attach, 1));
    let text = point.to_string();
    let parts = [
        "Attach is made to fail: client",
        "provider",
        "in ClientAttachProvider of client",
    ];
    for part in parts {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
#[should_panic(expected = "leaked")]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn what_a_refusal_leaves_behind_is_found() {
    fault::each(&Config::default(), &[Fault::Registration], |kernel| {
        // SAFETY: as in `pair`.
        let mut irql = unsafe { Irql::<Passive>::assume() };
        let image = Image::new(&mut irql).expect("there is memory");
        let mut register = || {
            let caller = Caller::default();
            ClientRegistration::register(&image, caller, caller_identity(), &mut irql)
        };
        let (first, second) = (register(), register());
        // The mistake: the first is forgotten when the second is refused.
        if second.is_err() && kernel.failed(Fault::Registration) == 1 {
            std::mem::forget(first);
        }
    });
}
