//! Rules 40 to 43: the contexts go.

use super::*;

#[test]
fn rule_40_cleanup_comes_after_both_sides_have_finished() {
    for seed in 0..SEEDS / 2 {
        let machine = Machine::with_seed(seed);
        let raw = Raw::provider("r", &machine.log).on_detach(|_| STATUS_PENDING);
        raw.register();
        let caller = machine.caller();
        let guard = guard(&caller);
        let ending = begin(caller);
        let both = ["free c", "cleanup r"];
        assert_eq!(count(&machine.log, &both), [0, 0]);
        // Either may be the last.
        if seed % 2 == 0 {
            drop(guard);
            assert_eq!(count(&machine.log, &both), [0, 0]);
            raw.complete(raw.binding());
        } else {
            raw.complete(raw.binding());
            assert_eq!(count(&machine.log, &both), [0, 0]);
            drop(guard);
        }
        assert_eq!(count(&machine.log, &both), [1, 1]);
        finish(ending);
        raw.end();
        machine.end();
    }
}

#[test]
fn rule_41_a_module_may_have_no_cleanup() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.has_cleanup = false);
    raw.register();
    drop(machine.caller());
    assert_eq!(count(&machine.log, &["free c", "cleanup r"]), [1, 0]);
    assert_eq!(machine.traced("ClientCleanupBindingContext of client"), 1);
    assert_eq!(machine.traced("ProviderCleanupBindingContext"), 0);
    raw.end();
    machine.end();
}

#[test]
fn rule_42_cleanup_may_call_the_registrar() {
    for seed in 0..SEEDS / 2 {
        let machine = Machine::with_seed(seed);
        let server = machine.server();
        // Freeing this client's context ends another's last call, and with it that one's detach.
        let slot = Arc::new(Mutex::new(None::<Guard<Relay>>));
        let freed = Arc::clone(&slot);
        let first = Caller::new("first", &machine.log).on_attach(move |caller, offer, irql| {
            let (slot, mut context) = (Arc::clone(&freed), caller.context());
            context.when_freed = Some(Box::new(move || drop(locked(&slot).take())));
            caller.accept_with(context, offer, irql)
        });
        let first = register_caller(&machine.image, first);
        let second = register_caller(&machine.image, Caller::new("second", &machine.log));
        *locked(&slot) = second.binding(0).enter();
        let ending = second
            .begin_deregister(&mut passive())
            .expect("as documented");
        assert_eq!(machine.log.count("free second"), 0);
        drop(first);
        assert_eq!(machine.log.count("free second"), 1);
        drop(ending.wait(&mut passive()).expect("as documented"));
        drop(server);
        machine.end();
    }
}

#[test]
fn rule_42_cleanup_in_c_may_deregister_another_module() {
    let machine = Machine::plain();
    let other = Arc::new(Raw::provider("other", &machine.log).with(|raw| raw.npi = Some(guid(2))));
    other.register();
    let ended = Arc::clone(&other);
    let raw = Raw::provider("r", &machine.log).on_cleanup(move |_| ended.end());
    raw.register();
    drop(machine.caller());
    assert_eq!(machine.kernel.nmr().registrations(), 1);
    raw.end();
    machine.end();
}

#[test]
fn rule_43_each_side_frees_its_own_in_either_order() {
    let mut first = [0; 2];
    for seed in 0..SEEDS {
        let machine = Machine::with_seed(seed);
        let (server, caller) = (machine.server(), machine.caller());
        machine.log.take();
        drop(caller);
        let texts = machine.log.texts();
        let freed: Vec<_> = texts
            .iter()
            .filter(|text| text.starts_with("free"))
            .collect();
        assert_eq!(freed.len(), 2);
        first[usize::from(freed[0] == "free p")] += 1;
        drop(server);
        // Freed memory is poisoned; a touch would be in the verdict.
        machine.end();
    }
    assert!(first[0] > 0 && first[1] > 0, "{first:?}");
}
