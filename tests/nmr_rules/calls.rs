//! Rules 27 to 29: calls in progress.

use super::*;

#[test]
fn rule_27_each_call_in_progress_counts() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    let mut there: Vec<_> = (0..3).map(|_| guard(&caller)).collect();
    let mut back: Vec<_> = (0..2).map(|_| server.binding(0).enter()).collect();
    assert!(back.iter().all(Option::is_some));
    let ending = begin(caller);
    while there.pop().is_some() {
        assert_eq!(count(&machine.log, &["free c", "free p"]), [0, 0]);
    }
    // The client's side is finished, the provider's not.
    assert_eq!(machine.traced("completed its detach"), 1);
    while back.len() > 1 {
        back.pop();
        assert_eq!(count(&machine.log, &["free c", "free p"]), [0, 0]);
    }
    back.pop();
    assert_eq!(machine.traced("completed its detach"), 2);
    assert_eq!(count(&machine.log, &["free c", "free p"]), [1, 1]);
    finish(ending);
    drop(server);
    machine.end();
}

#[test]
fn rule_28_no_call_begins_from_the_detach_callback_on() {
    let machine = Machine::plain();
    let caller = Caller::new("c", &machine.log).on_detach(|caller, _| {
        let found = if caller.binding(0).enter().is_none() {
            "shut"
        } else {
            "open"
        };
        caller.log.record(found, "c");
    });
    let (server, caller) = (machine.server(), register_caller(&machine.image, caller));
    let (there, back) = (caller.binding(0), server.binding(0));
    assert!(there.enter().is_some() && back.enter().is_some());
    machine.log.take();
    drop(caller);
    assert!(there.enter().is_none() && back.enter().is_none());
    assert_eq!(
        machine.log.texts(),
        [
            "detach c", "shut c", "detach p", "free c", "free p", "gone c"
        ]
    );
    drop((there, back));
    drop(server);
    machine.end();
}

#[test]
fn rule_28_a_call_that_has_begun_goes_on() {
    let machine = Machine::plain();
    // The provider begins to deregister inside a call of its own function.
    let own = Arc::new(Mutex::new(None::<ProviderRegistration<Server>>));
    let ending = Arc::new(Mutex::new(None));
    let (registration, begun) = (Arc::clone(&own), Arc::clone(&ending));
    let server = Server::new("p", &machine.log).on_call(move |_| {
        if let Some(own) = locked(&registration).take() {
            *locked(&begun) = own.begin_deregister(&mut passive()).ok();
        }
    });
    *locked(&own) = Some(register_server(&machine.image, server));
    let caller = machine.caller();
    let binding = caller.binding(0);
    let answers = binding.call(|server| {
        let first = relay::call(server, 1);
        assert!(binding.enter().is_none(), "detach has begun");
        (first, relay::call(server, 2))
    });
    assert_eq!(answers, Some((Some(101), Some(102))));
    assert_eq!(
        machine.log.texts(),
        [
            "attach c", "attach p", "call p", "detach c", "detach p", "call p", "free c", "free p"
        ]
    );
    let ending = locked(&ending).take().expect("as documented");
    drop(ending.wait(&mut passive()).expect("as documented"));
    drop((caller, binding));
    machine.end();
}

#[test]
fn rule_29_an_asynchronous_call_is_in_progress_until_it_completes() {
    let machine = Machine::plain();
    machine.kernel.nmr().patience(Duration::from_millis(20));
    let (server, caller) = (machine.server(), machine.caller());
    let operation = guard(&caller);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            let operation = operation;
            until("the wait is reported", || {
                !machine.kernel.violations().is_empty()
            });
            assert_eq!(relay::call(&operation, 1), Some(101));
        });
        drop(server);
    });
    // While it lasted, it was named: the binding, the side, and why.
    let detail = machine.broken(&violation::STUCK, 1);
    let client = "client 0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11/0";
    for part in [
        "NmrWaitForProviderDeregisterComplete",
        client,
        "with provider luid",
    ] {
        assert!(detail.contains(part), "{detail}");
    }
    assert!(
        detail.contains("client answered STATUS_PENDING and has not completed"),
        "{detail}"
    );
    assert_eq!(count(&machine.log, &["call p", "free c", "free p"]), [1; 3]);
    drop(caller);
    machine.end();
}
