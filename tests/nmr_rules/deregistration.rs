//! Rules 44 to 51: the end of a registration, and of the driver.

use super::*;

#[test]
fn rule_44_deregistering_is_pending_even_without_a_binding() {
    let machine = Machine::plain();
    for make in [Raw::client, Raw::provider] {
        let raw = make("r", &machine.log);
        raw.register();
        assert_eq!(raw.deregister(), STATUS_PENDING);
        assert_eq!(machine.kernel.nmr().registrations(), 1);
        assert_eq!(raw.wait(), STATUS_SUCCESS);
    }
    let ending = machine
        .caller()
        .begin_deregister(&mut passive())
        .expect("as documented");
    assert_eq!(machine.kernel.nmr().registrations(), 1);
    assert_eq!(machine.image.registered(&mut passive()), 1);
    drop(ending);
    assert_eq!(machine.kernel.nmr().registrations(), 0);
    machine.end();
}

/// What is left of a module whose deregistration failed, by the verdict. It was not freed.
#[track_caller]
fn left(machine: Machine, gone: &str, leak: &str) {
    assert_eq!(machine.log.count(gone), 0);
    assert_eq!(machine.image.registered(&mut passive()), 1);
    let verdict = machine.shutdown();
    assert!(verdict.violations.is_empty(), "{verdict}");
    assert!(verdict.to_string().contains(leak), "{verdict}");
}

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn rule_44_a_module_whose_deregistration_is_refused_may_still_be_called() {
    let refuse = |machine: &Machine| machine.kernel.fail(Fault::Deregistration, Some(1));
    let machine = Machine::plain();
    let caller = machine.caller();
    refuse(&machine);
    let refused = caller.deregister(&mut passive()).map(drop);
    assert_eq!(refused, Err(Error::UNSUCCESSFUL));
    let raw = Raw::provider("r", &machine.log);
    raw.register();
    assert_eq!(raw.call_peer(1), 11);
    raw.end();
    left(machine, "gone c", "nmr client registration");

    let machine = Machine::plain();
    let server = machine.server();
    refuse(&machine);
    let refused = server.begin_deregister(&mut passive()).map(drop);
    assert_eq!(refused, Err(Error::UNSUCCESSFUL));
    let caller = machine.caller();
    assert_eq!(caller.call(1), [Some(Some(101))]);
    drop(caller);
    left(machine, "gone p", "nmr provider registration");

    let machine = Machine::plain();
    let caller = machine.caller();
    refuse(&machine);
    drop(caller);
    left(machine, "gone c", "nmr client registration");
}

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn rule_46_a_module_whose_wait_fails_is_not_freed() {
    let leak = "deregistered and never waited for";
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    machine.kernel.fail(Fault::Wait, Some(1));
    let failed = caller.deregister(&mut passive()).map(drop);
    assert_eq!(failed, Err(Error::UNSUCCESSFUL));
    assert_eq!(count(&machine.log, &["free c", "free p"]), [1, 1]);
    drop(server);
    left(machine, "gone c", leak);

    let machine = Machine::plain();
    let server = machine.server();
    machine.kernel.fail(Fault::Wait, Some(1));
    drop(server);
    left(machine, "gone p", leak);
}

#[test]
fn rule_44_what_is_deregistered_at_once_is_not_waited_for() {
    let machine = Machine::plain();
    machine.kernel.nmr().success_at_once(true);
    let (server, caller) = (machine.server(), machine.caller());
    // A binding that is in use is waited for all the same.
    let guard = guard(&caller);
    let ending = begin(caller);
    assert_eq!(machine.kernel.nmr().registrations(), 2);
    drop(guard);
    finish(ending);
    // From here on a wait would fail.
    machine.kernel.fail(Fault::Wait, Some(1));
    let caller = machine.caller();
    assert_eq!(caller.call(1), [Some(Some(101))]);
    let caller = caller.deregister(&mut passive()).expect("it is complete");
    assert_eq!((caller.name, machine.log.count("free c")), ("c", 2));
    drop(server);
    assert_eq!(machine.kernel.failed(Fault::Wait), 0);
    drop(caller);
    machine.end();
}

#[test]
fn rule_45_waiting_without_deregistering_is_named() {
    let machine = Machine::plain();
    let server = machine.server();
    let raw = Raw::client("r", &machine.log);
    raw.register();
    assert_eq!(raw.wait(), STATUS_INVALID_PARAMETER);
    machine.broken(&violation::WAIT_BEFORE_DEREGISTER, 1);
    assert_eq!(raw.call_peer(1), 101, "still attached");
    raw.end();
    assert_eq!(raw.wait(), STATUS_INVALID_PARAMETER);
    machine.broken(&violation::USED_AFTER_END, 1);
    drop(server);
    machine.end();
}

#[test]
fn rule_46_the_wait_ends_after_the_last_cleanup() {
    let machine = Machine::plain();
    let (entered, has_entered) = flag();
    let (done, is_done) = flag();
    let raw = Raw::provider("r", &machine.log).on_cleanup(move |_| {
        entered.store(true, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(20));
        done.store(true, Ordering::SeqCst);
    });
    raw.register();
    let caller = machine.caller();
    let guard = guard(&caller);
    let ending = begin(caller);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            drop(guard);
        });
        until("cleanup runs", || has_entered.load(Ordering::SeqCst));
        finish(ending);
        assert!(is_done.load(Ordering::SeqCst));
    });
    raw.end();
    machine.end();
}

#[test]
fn rule_47_unloading_waits_for_what_is_left_and_names_it() {
    let machine = Machine::plain();
    let caller = machine.caller();
    let (unloaded, is_unloaded) = flag();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            machine.image.wait_empty(&mut passive());
            unloaded.store(true, Ordering::SeqCst);
        });
        let line = "unload waits for NMR client of interface 3a7d2f10-91c4-4f0e-a2b7-5c1e7f0d4b01, module ";
        until("what is left is named", || machine.traced(line) > 0);
        assert!(!is_unloaded.load(Ordering::SeqCst));
        drop(caller);
    });
    assert!(is_unloaded.load(Ordering::SeqCst));
    machine.end();
}

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn rule_47_what_is_left_at_the_end_is_named() {
    let machine = Machine::plain();
    let server = machine.server();
    std::mem::forget(machine.caller());
    std::mem::forget(server);
    let verdict = machine.shutdown();
    assert!(verdict.violations.is_empty(), "{verdict}");
    for kind in [
        "nmr client registration",
        "nmr provider registration",
        "nmr binding",
    ] {
        let leaks = verdict.leaks.iter().filter(|leak| leak.kind == kind);
        assert_eq!(leaks.count(), 1, "{kind}: {verdict}");
    }
}

/// Which callback waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    Attach,
    Detach,
    Cleanup,
}

/// Debug builds panic before the simulated kernel sees it.
#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn rule_48_waiting_for_oneself_inside_a_callback_is_named() {
    for (waits_in, callback) in [
        (In::Attach, "ClientAttachProvider"),
        (In::Detach, "ClientDetachProvider"),
        (In::Cleanup, "ClientCleanupBindingContext"),
    ] {
        let machine = Machine::plain();
        let own = Arc::new(Mutex::new(None::<ClientRegistration<Caller>>));
        let (slot, log) = (Arc::clone(&own), Arc::clone(&machine.log));
        let wait = move || {
            let Some(own) = locked(&slot).take() else {
                return;
            };
            let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(own))) else {
                log.record("returned", "c");
                return;
            };
            let name = "NMR client of interface 3a7d2f10-91c4-4f0e-a2b7-5c1e7f0d4b01, module \
                        0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11 waits for its own deregistration";
            let says = panic
                .downcast_ref::<String>()
                .is_some_and(|text| text.starts_with(name));
            log.record(if says { "named" } else { "panicked" }, "c");
        };
        let wait = Arc::new(wait);
        let (attach, detach) = (Arc::clone(&wait), Arc::clone(&wait));
        let caller = Caller::new("c", &machine.log)
            .on_attach(move |caller, offer, irql| {
                let mut context = caller.context();
                match waits_in {
                    In::Attach => attach(),
                    In::Detach => {}
                    In::Cleanup => {
                        let wait = Arc::clone(&attach);
                        context.when_freed = Some(Box::new(move || wait()));
                    }
                }
                caller.accept_with(context, offer, irql)
            })
            .on_detach(move |_, _| {
                if waits_in == In::Detach {
                    detach();
                }
            });
        *locked(&own) = Some(register_caller(&machine.image, caller));
        drop(machine.server());
        assert!(locked(&own).is_none(), "{callback} was called");
        if cfg!(debug_assertions) {
            assert_eq!(count(&machine.log, &["named c", "returned c"]), [1, 0]);
        } else {
            let detail = machine.broken(&violation::WAIT_IN_CALLBACK, 1);
            let inside = format!("inside {callback} of client");
            assert!(detail.contains(&inside), "{detail}");
            assert_eq!(count(&machine.log, &["named c", "returned c"]), [0, 1]);
        }
        // The client may still be called, so it was not freed, and unloading would name it.
        assert_eq!(count(&machine.log, &["gone c"]), [0]);
        assert_eq!(machine.image.registered(&mut passive()), 1);
        let verdict = machine.shutdown();
        assert!(verdict.violations.is_empty(), "{verdict}");
        assert!(
            verdict
                .to_string()
                .contains("deregistered and never waited for"),
            "{verdict}"
        );
    }
}

#[test]
fn rule_48_waiting_for_oneself_in_c_is_named() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).on_attach(|raw, _| {
        assert_eq!(raw.deregister(), STATUS_PENDING);
        assert_ne!(raw.wait(), STATUS_SUCCESS);
        STATUS_NOINTERFACE
    });
    raw.register();
    let caller = machine.caller();
    let detail = machine.broken(&violation::WAIT_IN_CALLBACK, 1);
    assert!(
        detail.contains("inside ProviderAttachClient of provider"),
        "{detail}"
    );
    assert_eq!(raw.wait(), STATUS_SUCCESS);
    drop(caller);
    machine.end();
}

/// A module may begin in its own callback what it waits for elsewhere.
#[test]
fn rule_48_beginning_to_deregister_inside_a_callback_is_fine() {
    let machine = Machine::plain();
    let own = Arc::new(Mutex::new(None::<ClientRegistration<Caller>>));
    let begun = Arc::new(Mutex::new(None));
    let (slot, ending) = (Arc::clone(&own), Arc::clone(&begun));
    let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
        *locked(&ending) = locked(&slot).take().map(begin);
        caller.accept(offer, irql)
    });
    *locked(&own) = Some(register_caller(&machine.image, caller));
    let server = machine.server();
    let ending = locked(&begun).take().expect("it was offered the provider");
    finish(ending);
    assert_eq!(
        machine.log.texts(),
        [
            "attach c", "attach p", "detach c", "detach p", "free c", "free p", "gone c"
        ]
    );
    drop(server);
    machine.end();
}

/// The library cannot tell: the guard may be dropped elsewhere, as it is here when the wait is reported.
#[test]
fn rule_48_waiting_while_holding_a_guard_is_named() {
    let machine = Machine::plain();
    machine.kernel.nmr().patience(Duration::from_millis(20));
    let (server, caller) = (machine.server(), machine.caller());
    let held = Mutex::new(Some(guard(&caller)));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            until("the wait is reported", || {
                !machine.kernel.violations().is_empty()
            });
            drop(locked(&held).take());
        });
        drop(caller);
    });
    let detail = machine.broken(&violation::STUCK, 1);
    assert!(
        detail.contains("client answered STATUS_PENDING and has not completed"),
        "{detail}"
    );
    drop(server);
    machine.end();
}

#[test]
fn rule_48_waiting_for_another_inside_a_callback_is_fine() {
    let machine = Machine::plain();
    let other = Arc::new(Mutex::new(Some(bare_client(&machine, CALLER))));
    let slot = Arc::clone(&other);
    let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
        drop(locked(&slot).take());
        caller.accept(offer, irql)
    });
    let caller = register_caller(&machine.image, caller);
    let server = machine.server();
    assert!(locked(&other).is_none());
    assert_eq!(machine.image.registered(&mut passive()), 2);
    drop((caller, server));
    machine.end();
}

#[test]
fn rule_49_a_second_deregistration_is_named() {
    let machine = Machine::plain();
    for make in [Raw::client, Raw::provider] {
        let raw = make("r", &machine.log);
        raw.register();
        assert_eq!(raw.deregister(), STATUS_PENDING);
        assert_eq!(raw.deregister(), STATUS_INVALID_PARAMETER);
        machine.broken(&violation::DEREGISTERED_TWICE, 1);
        assert_eq!(raw.wait(), STATUS_SUCCESS);
        assert_eq!(raw.deregister(), STATUS_INVALID_PARAMETER);
        machine.broken(&violation::USED_AFTER_END, 1);
    }
    machine.end();
}

/// Not a test of its own: the process that [`rule_50_no_panic_unwinds_into_c`] starts.
#[test]
#[ignore = "panics inside a callback"]
fn panic_in_a_callback() {
    let machine = Machine::plain();
    let caller = Caller::new("c", &machine.log).on_attach(|_, _, _| panic!("on purpose"));
    let caller = register_caller(&machine.image, caller);
    let server = catch_unwind(AssertUnwindSafe(|| machine.server()));
    println!("survived");
    drop((caller, server));
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn rule_50_no_panic_unwinds_into_c() {
    let this = std::env::current_exe().expect("a test is a program");
    let output = Command::new(this)
        .args([
            "--exact",
            "deregistration::panic_in_a_callback",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .expect("the program runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains("on purpose"), "{error}");
    assert!(
        error.contains("cannot unwind") && error.contains("client_attach"),
        "{error}"
    );
    let survived = String::from_utf8_lossy(&output.stdout).contains("survived");
    assert!(!survived);
}

#[test]
fn rule_51_bindings_are_detached_in_any_order() {
    let order = |seed, choice| {
        let machine = Machine::with_seed(seed);
        machine.kernel.nmr().order(choice);
        let names = ["1", "2", "3", "4"];
        let server = |name| register_server(&machine.image, Server::new(name, &machine.log));
        let servers = names.map(server);
        let caller = machine.caller();
        machine.log.take();
        drop(caller);
        let mut texts = machine.log.texts();
        texts.retain(|text| text.starts_with("detach") && !text.ends_with('c'));
        assert_eq!(texts.len(), 4);
        drop(servers);
        machine.end();
        texts.join(", ")
    };
    let fixed = "detach 1, detach 2, detach 3, detach 4";
    assert_eq!(order(1, OrderChoice::Fixed), fixed);
    let mut orders: Vec<_> = (0..SEEDS)
        .map(|seed| order(seed, OrderChoice::Seeded))
        .collect();
    assert_eq!(orders[0], order(0, OrderChoice::Seeded), "reproducible");
    orders.sort();
    orders.dedup();
    assert!(orders.len() as u64 > SEEDS / 4, "{orders:?}");
}
