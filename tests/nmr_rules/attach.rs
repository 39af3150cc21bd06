//! Rules 14 to 22 and 24 to 26: offers, decisions, and attaching while others come and go. Rule 23 is in `peers`.

use super::*;

#[test]
fn rule_14_attaching_happens_inside_the_callback_on_its_thread() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    // One callback inside the other, and both were over when registering returned.
    let events = machine.kernel.events();
    let position = |callback: &str| {
        events
            .iter()
            .position(|event| event.what.starts_with(callback))
            .expect("it was called")
    };
    assert!(position("ProviderAttachClient") < position("ClientAttachProvider"));
    assert_eq!(machine.log.texts(), ["attach c", "attach p"]);
    drop((caller, server));
    machine.end();
}

#[test]
fn rule_14_attaching_anywhere_else_is_named() {
    let machine = Machine::plain();
    let (client, server) = (Raw::client("r", &machine.log), machine.server());
    client.register();
    assert_eq!(
        client.attach_provider(client.binding()),
        STATUS_INVALID_PARAMETER
    );
    let detail = machine.broken(&violation::ATTACH_OUTSIDE, 1);
    assert!(
        detail.contains("client") && detail.contains("provider luid"),
        "{detail}"
    );
    assert_eq!(
        client.attach_provider(client.handle()),
        STATUS_INVALID_PARAMETER
    );
    machine.broken(&violation::HANDLE_KIND, 1);
    client.end();
    assert_eq!(
        client.attach_provider(client.binding()),
        STATUS_INVALID_PARAMETER
    );
    machine.broken(&violation::ATTACH_OUTSIDE, 1);
    drop(server);
    machine.end();
}

#[test]
fn rule_15_the_callback_answers_what_attaching_answered() {
    let expected = [
        (None, "STATUS_SUCCESS"),
        (Some(Error::NO_INTERFACE), "STATUS_NOINTERFACE"),
        (Some(Error::DEVICE_NOT_READY), "status 0xC00000A3"),
    ];
    for (refusal, answer) in expected {
        let machine = Machine::plain();
        let server =
            Server::new("p", &machine.log).on_attach(move |server, request| match refusal {
                None => server.accept(request),
                Some(error) => Err(error),
            });
        let server = register_server(&machine.image, server);
        let caller = machine.caller();
        for callback in ["ProviderAttachClient", "ClientAttachProvider"] {
            assert_eq!(answers(&machine, callback), [answer]);
        }
        drop((caller, server));
        machine.end();
    }
}

#[test]
fn rule_15_declining_without_asking_is_no_interface() {
    let machine = Machine::plain();
    let server = machine.server();
    let caller = Caller::new("c", &machine.log).on_attach(|_, offer, _| offer.decline());
    let caller = register_caller(&machine.image, caller);
    assert_eq!(
        answers(&machine, "ClientAttachProvider"),
        ["STATUS_NOINTERFACE"]
    );
    assert_eq!(machine.log.texts(), ["attach c"]);
    assert_eq!(machine.kernel.nmr().bindings(), 0);
    drop((caller, server));
    machine.end();
}

/// A client that tries again after each refusal, up to three times, and then gives up.
fn persistent(machine: &Machine) -> Caller {
    Caller::new("c", &machine.log).on_attach(|caller, offer, irql| {
        let (mut offer, mut context) = (offer, caller.context());
        for _ in 0..3 {
            match offer.accept(context, relay::caller_functions(), irql) {
                Ok(decision) => return decision,
                Err(refused) => {
                    locked(&caller.refusals).push(refused.error);
                    (offer, context) = (refused.offer, refused.context);
                }
            }
        }
        offer.decline()
    })
}

#[test]
fn rule_15_an_attempt_without_memory_does_not_change_what_attaching_answered() {
    let (memory, refused) = (Error::INSUFFICIENT_RESOURCES, Error::DEVICE_NOT_READY);
    let mut seen = Vec::new();
    for point in 1.. {
        let machine = Machine::plain();
        let refuses = move |_: &Server, _: Request<'_, Server>| Err(refused);
        let server = Server::new("p", &machine.log).on_attach(refuses);
        let server = register_server(&machine.image, server);
        machine.kernel.fail_allocation(Some(point));
        let caller = ClientRegistration::register(
            &machine.image,
            persistent(&machine),
            caller_identity(),
            &mut passive(),
        );
        let failed = machine.kernel.failed_allocations();
        machine.kernel.fail_allocation(None);
        if let Ok(caller) = caller {
            let answer = answers(&machine, "ClientAttachProvider").remove(0);
            seen.push((locked(&caller.refusals).clone(), answer));
        }
        drop(server);
        machine.end();
        if failed == 0 {
            break;
        }
    }
    let (no_memory, not_ready) = ("STATUS_INSUFFICIENT_RESOURCES", "status 0xC00000A3");
    let expected = [
        // No gate: not offered.
        (vec![], no_memory),
        // No memory for the client's context, and on the provider's side for the context and the gate, in each attempt.
        (vec![memory, refused, refused], not_ready),
        (vec![memory, refused, refused], not_ready),
        (vec![memory, refused, refused], not_ready),
        (vec![refused, memory, refused], not_ready),
        (vec![refused, memory, refused], not_ready),
        (vec![refused, memory, refused], not_ready),
        (vec![refused, refused, memory], not_ready),
        (vec![refused, refused, memory], no_memory),
        (vec![refused, refused, memory], no_memory),
        (vec![refused; 3], not_ready),
    ];
    let expected = expected.map(|(refusals, answer)| (refusals, String::from(answer)));
    assert_eq!(seen, expected);
}

#[test]
fn rule_15_an_attempt_without_memory_is_answered_if_there_was_no_other() {
    let machine = Machine::plain();
    let server = machine.server();
    // The client's hold, block, gate and context.
    machine.kernel.fail_allocation(Some(4));
    let caller = machine.caller();
    assert_eq!(*locked(&caller.refusals), [Error::INSUFFICIENT_RESOURCES]);
    assert_eq!(machine.log.texts(), ["attach c", "free c"]);
    assert_eq!(
        answers(&machine, "ClientAttachProvider"),
        ["STATUS_INSUFFICIENT_RESOURCES"]
    );
    drop((caller, server));
    machine.end();
}

#[test]
fn rule_15_another_answer_is_named() {
    let wrong: [fn(&Raw, nmr_netdma::sys::HANDLE) -> i32; 3] = [
        // Success without asking, failure after success, another failure.
        |_, _| STATUS_SUCCESS,
        |raw, binding| raw.attach_provider(binding) | STATUS_NOINTERFACE,
        |raw, binding| {
            assert_eq!(raw.attach_provider(binding), STATUS_INSUFFICIENT_RESOURCES);
            STATUS_UNSUCCESSFUL
        },
    ];
    for (index, plan) in wrong.into_iter().enumerate() {
        let machine = Machine::plain();
        let server = machine.server();
        if index == 2 {
            machine.kernel.nmr().fail_attach(Some(1));
        }
        let client = Raw::client("r", &machine.log).on_attach(plan);
        client.register();
        machine.broken(&violation::ATTACH_ANSWER, 1);
        assert_eq!(machine.kernel.nmr().bindings(), 0);
        // What the library's provider had accepted is detached and cleaned up.
        let accepted = usize::from(index == 1);
        assert_eq!(count(&machine.log, &["detach p", "free p"]), [accepted; 2]);
        client.end();
        drop(server);
        machine.end();
    }
}

#[test]
fn rule_16_a_refused_client_may_try_again() {
    let machine = Machine::plain();
    let refuses = AtomicUsize::new(2);
    let server = Server::new("p", &machine.log).on_attach(move |server, request| {
        match refuses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
            Ok(_) => Err(Error::NO_INTERFACE),
            Err(_) => server.accept(request),
        }
    });
    let server = register_server(&machine.image, server);
    let caller = Caller::new("c", &machine.log).on_attach(|caller, offer, irql| {
        let (mut offer, mut context) = (offer, caller.context());
        loop {
            match offer.accept(context, relay::caller_functions(), irql) {
                Ok(decision) => return decision,
                Err(refused) => {
                    locked(&caller.refusals).push(refused.error);
                    (offer, context) = (refused.offer, refused.context);
                }
            }
        }
    });
    let caller = register_caller(&machine.image, caller);
    assert_eq!(*locked(&caller.refusals), [Error::NO_INTERFACE; 2]);
    assert_eq!(server.call(1), [Some(Some(11))]);
    assert_eq!(
        answers(&machine, "ClientAttachProvider"),
        ["STATUS_SUCCESS"]
    );
    assert_eq!(
        count(&machine.log, &["attach c", "attach p", "free c"]),
        [1, 3, 0]
    );
    drop((caller, server));
    machine.end();
}

#[test]
fn rule_16_attaching_again_after_a_success_is_named() {
    let machine = Machine::plain();
    let server = machine.server();
    let client = Raw::client("r", &machine.log).on_attach(|raw, binding| {
        let status = raw.attach_provider(binding);
        assert_eq!(raw.attach_provider(binding), STATUS_INVALID_PARAMETER);
        status
    });
    client.register();
    machine.broken(&violation::ATTACH_TWICE, 1);
    assert_eq!(count(&machine.log, &["attach p"]), [1]);
    client.end();
    drop(server);
    machine.end();
}

#[test]
fn rule_17_after_a_refusal_the_client_frees_and_nobody_cleans_up() {
    let machine = Machine::plain();
    let refuses = |_: &Server, _: Request<'_, Server>| Err(Error::NO_INTERFACE);
    let server = Server::new("p", &machine.log).on_attach(refuses);
    let server = register_server(&machine.image, server);
    // This one stores a context and then refuses.
    let raw = Raw::provider("r", &machine.log).on_attach(|_, _| STATUS_NOINTERFACE);
    raw.register();
    let caller = machine.caller();
    assert_eq!(
        machine.log.texts(),
        [
            "attach c", "attach p", "free c", "attach c", "attach r", "free c"
        ]
    );
    drop((caller, server));
    raw.end();
    assert_eq!(machine.log.texts(), ["gone c", "gone p"]);
    machine.end();
}

#[test]
fn rule_18_the_binding_context_lives_until_cleanup() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).on_detach(|_| STATUS_PENDING);
    raw.register();
    let caller = machine.caller();
    let ending = begin(caller);
    // The client is done, the provider not: it may still call, with the client's context.
    machine.log.take();
    assert_eq!(raw.call_peer(1), 11);
    raw.complete(raw.binding());
    assert_eq!(machine.log.texts(), ["call c", "free c", "cleanup r"]);
    finish(ending);
    raw.end();
    machine.end();
}

#[test]
fn rule_19_a_provider_stores_both_or_refuses() {
    let machine = Machine::plain();
    let server = machine.server();
    let client = Raw::client("r", &machine.log);
    client.register();
    assert_eq!(client.call_peer(1), 101);
    client.end();
    drop(server);

    let refuses = |_: &Server, _: Request<'_, Server>| Err(Error::NO_INTERFACE);
    let server = Server::new("p", &machine.log).on_attach(refuses);
    let server = register_server(&machine.image, server);
    client.register();
    assert_eq!(
        answers(&machine, "ProviderAttachClient")
            .last()
            .expect("asked"),
        "STATUS_NOINTERFACE"
    );
    client.end();
    drop(server);
    machine.end();
}

#[test]
fn rule_19_accepting_without_results_is_named() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.stores = false);
    raw.register();
    let caller = machine.caller();
    machine.broken(&violation::ATTACH_OUTPUT, 1);
    assert_eq!(caller.call(1), [None], "there is nothing to call");
    drop(caller);
    raw.end();
    machine.end();
}

#[test]
fn rule_20_an_interface_without_functions_passes_null() {
    let machine = Machine::plain();
    let bare = |raw: &mut Raw| {
        raw.npi = Some(Bare::ID.to_sys());
        raw.functions = None;
    };
    let raw = Raw::provider("r", &machine.log).with(bare);
    raw.register();
    let client = bare_client(&machine, CALLER);
    let seen = locked(&raw.seen)[0];
    assert!(seen.dispatch.is_null() && seen.instance.NpiSpecificCharacteristics.is_null());
    assert!(locked(&client.0)[0].enter().is_some());
    drop(client);
    raw.end();

    let raw = Raw::client("r", &machine.log).with(bare);
    let provider = bare_provider(&machine, CALLER);
    raw.register();
    assert_eq!(
        answers(&machine, "ProviderAttachClient"),
        ["STATUS_SUCCESS"; 2]
    );
    assert!(
        locked(&raw.seen)[0]
            .instance
            .NpiSpecificCharacteristics
            .is_null()
    );
    raw.end();
    drop(provider);
    machine.end();
}

#[test]
fn rule_21_every_success_code_attaches_and_no_refusal_is_one() {
    for status in [STATUS_PENDING, 0x4000_0000] {
        let machine = Machine::plain();
        let raw = Raw::provider("r", &machine.log).on_attach(move |_, _| status);
        raw.register();
        let caller = machine.caller();
        machine.broken(&violation::ATTACH_STATUS, 1);
        assert_eq!(caller.call(1), [Some(Some(1001))]);
        drop(caller);
        assert_eq!(
            count(&machine.log, &["detach c", "free c", "cleanup r"]),
            [1; 3]
        );
        raw.end();
        machine.end();
        // And so the library's providers cannot refuse with it.
        assert_eq!(Error::new(Status(status)), None);
    }
}

#[test]
fn rule_22_no_call_before_the_attach_is_decided() {
    let machine = Machine::plain();
    let early = Arc::new(AtomicUsize::new(0));
    let answer = Arc::clone(&early);
    let raw = Raw::provider("r", &machine.log).on_attach(move |raw, _| {
        answer.store(raw.call_peer(1) as usize, Ordering::SeqCst);
        STATUS_SUCCESS
    });
    raw.register();
    // That the client's own way is shut before is checked by its attach callback.
    let caller = machine.caller();
    assert_eq!(early.load(Ordering::SeqCst), NOT_READY as usize);
    assert_eq!(count(&machine.log, &["call c"]), [0]);
    assert_eq!(raw.call_peer(1), 11);
    assert_eq!(caller.call(1), [Some(Some(1001))]);
    drop(caller);
    raw.end();
    machine.end();
}

#[test]
fn rule_22_nor_after_a_refusal() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).on_attach(|raw, _| {
        assert_eq!(raw.call_peer(1), NOT_READY);
        STATUS_NOINTERFACE
    });
    raw.register();
    let caller = machine.caller();
    assert_eq!(locked(&caller.refusals).len(), 1);
    drop(caller);
    raw.end();
    machine.end();
}

#[test]
fn rule_24_attach_callbacks_run_at_the_same_time() {
    let machine = Machine::with_seed(1);
    let inside = Arc::new(AtomicUsize::new(0));
    let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
        inside.fetch_add(1, Ordering::SeqCst);
        until("both are inside", || inside.load(Ordering::SeqCst) == 2);
        caller.accept(offer, irql)
    });
    let caller = register_caller(&machine.image, caller);
    let servers: Vec<_> = thread::scope(|scope| {
        let register = |processor| {
            let machine = &machine;
            scope.spawn(move || {
                let _entered = machine.kernel.enter(processor);
                machine.server()
            })
        };
        let threads = [register(1), register(2)];
        threads
            .map(|thread| thread.join().expect("no panic"))
            .into()
    });
    assert_eq!(caller.call(1), [Some(Some(101)); 2]);
    drop(servers);
    drop(caller);
    machine.end();
}

#[test]
fn rule_25_a_deregistering_module_gets_no_offers() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    let guard = guard(&caller);
    let ending = begin(caller);
    let later = machine.server();
    assert_eq!(count(&machine.log, &["attach c", "attach p"]), [1, 1]);
    drop(guard);
    finish(ending);
    drop((server, later));
    assert_eq!(count(&machine.log, &["attach c", "attach p"]), [1, 1]);
    machine.end();
}

#[test]
fn rule_26_an_attach_in_progress_is_finished_and_detached_at_once() {
    let machine = Machine::plain();
    let (attached, has_attached) = flag();
    let (began, has_begun) = flag();
    let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
        let decision = caller.accept(offer, irql);
        attached.store(true, Ordering::SeqCst);
        until("the provider deregisters", || {
            has_begun.load(Ordering::SeqCst)
        });
        // Detaching waits for this callback, so the binding is still good.
        caller.log.record(
            if caller.call(1) == [Some(Some(101))] {
                "open"
            } else {
                "shut"
            },
            "c",
        );
        decision
    });
    let server = machine.server();
    let (caller, thread) = thread::scope(|scope| {
        let register = scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            (
                register_caller(&machine.image, caller),
                thread::current().id(),
            )
        });
        until("the client has attached", || {
            has_attached.load(Ordering::SeqCst)
        });
        let ending = server
            .begin_deregister(&mut passive())
            .expect("as documented");
        assert_eq!(machine.log.texts(), ["attach c", "attach p"]);
        began.store(true, Ordering::SeqCst);
        drop(ending.wait(&mut passive()).expect("as documented"));
        register.join().expect("no panic")
    });
    let events = machine.log.take();
    let texts: Vec<_> = events.iter().map(|event| event.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "call p", "open c", "detach c", "detach p", "free c", "free p", "gone p"
        ]
    );
    assert!(events[..6].iter().all(|event| event.thread == thread));
    assert_eq!(caller.call(1), [None]);
    drop(caller);
    machine.end();
}
