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

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn rule_48_waiting_for_oneself_inside_a_callback_is_named() {
    let machine = Machine::plain();
    let own = Arc::new(Mutex::new(None::<ClientRegistration<Caller>>));
    let slot = Arc::clone(&own);
    let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
        if let Some(own) = locked(&slot).take() {
            let waited = own.deregister(irql).map(drop);
            let found = if waited.is_err() { "refused" } else { "waited" };
            caller.log.record(found, "c");
        }
        offer.decline()
    });
    *locked(&own) = Some(register_caller(&machine.image, caller));
    let server = machine.server();
    let detail = machine.broken(&violation::WAIT_IN_CALLBACK, 1);
    assert!(
        detail.contains("inside ClientAttachProvider of client"),
        "{detail}"
    );
    // The client may still be called, so it was not freed, and unloading would name it.
    assert_eq!(machine.log.texts(), ["attach c", "refused c"]);
    assert_eq!(machine.image.registered(&mut passive()), 2);
    drop(server);
    let verdict = machine.shutdown();
    assert!(
        verdict
            .to_string()
            .contains("deregistered and never waited for"),
        "{verdict}"
    );
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
