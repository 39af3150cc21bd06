//! Rules 30 to 39: both sides are told, and each says once that it is finished.

use super::*;

#[test]
fn rule_30_both_sides_are_told_whoever_deregisters_in_any_order() {
    let mut first = [0; 2];
    for seed in 0..SEEDS {
        let machine = Machine::with_seed(seed);
        let (server, caller) = (machine.server(), machine.caller());
        machine.log.take();
        if seed % 2 == 0 {
            drop(caller);
            drop(server);
        } else {
            drop(server);
            drop(caller);
        }
        let texts = machine.log.texts();
        let position = |text| {
            texts
                .iter()
                .position(|found| found == text)
                .expect("it happened")
        };
        first[usize::from(position("detach p") < position("detach c"))] += 1;
        let detached = texts.iter().filter(|text| text.starts_with("detach"));
        assert_eq!(detached.count(), 2);
        machine.end();
    }
    assert!(first[0] > 0 && first[1] > 0, "{first:?}");
}

#[test]
fn rule_31_detach_comes_once_even_if_both_deregister() {
    let machine = Machine::with_seed(1);
    for _ in 0..ROUNDS {
        let (server, caller) = (machine.server(), machine.caller());
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _entered = machine.kernel.enter(1);
                start.wait();
                drop(caller);
            });
            start.wait();
            drop(server);
        });
        let all = [
            "detach c", "detach p", "free c", "free p", "gone c", "gone p",
        ];
        assert_eq!(count(&machine.log, &all), [1; 6]);
        machine.log.take();
    }
    machine.end();
}

#[test]
fn rule_32_detach_runs_on_the_deregistering_thread_at_its_level() {
    let machine = Machine::plain();
    let server = machine.server();
    for level in [0, DISPATCH] {
        let caller = machine.caller();
        machine.log.take();
        let ending = if level == 0 {
            caller.begin_deregister(&mut passive())
        } else {
            passive().at_dispatch(|irql| caller.begin_deregister(irql))
        };
        let events = machine.log.take();
        assert_eq!(events.len(), 4);
        let here = thread::current().id();
        assert!(
            events
                .iter()
                .all(|event| (event.irql, event.thread) == (level, here))
        );
        drop(ending.expect("as documented").wait(&mut passive()));
    }
    drop(server);
    machine.end();
}

#[test]
fn rule_33_detach_answers_success_exactly_if_no_call_is_in_progress() {
    for busy in [false, true] {
        let machine = Machine::plain();
        let (server, caller) = (machine.server(), machine.caller());
        let guard = busy.then(|| guard(&caller));
        let ending = begin(caller);
        let answer = if busy {
            "STATUS_PENDING"
        } else {
            "STATUS_SUCCESS"
        };
        assert_eq!(answers(&machine, "ClientDetachProvider"), [answer]);
        assert_eq!(
            answers(&machine, "ProviderDetachClient"),
            ["STATUS_SUCCESS"]
        );
        drop(guard);
        assert_eq!(machine.traced("completed its detach"), usize::from(busy));
        finish(ending);
        drop(server);
        machine.end();
    }
}

#[test]
fn rule_33_another_answer_is_named() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).on_detach(|_| STATUS_UNSUCCESSFUL);
    raw.register();
    drop(machine.caller());
    let detail = machine.broken(&violation::DETACH_STATUS, 1);
    assert!(
        detail.contains("ProviderDetachClient of provider"),
        "{detail}"
    );
    assert_eq!(count(&machine.log, &["free c", "cleanup r"]), [1, 1]);
    raw.end();
    machine.end();
}

#[test]
fn rule_34_the_detach_is_completed_once_whoever_is_last() {
    let machine = Machine::with_seed(1);
    for round in 1..=ROUNDS {
        let (server, caller) = (machine.server(), machine.caller());
        let guards: [_; 3] = std::array::from_fn(|_| guard(&caller));
        let ending = begin(caller);
        let start = Barrier::new(3);
        thread::scope(|scope| {
            for guard in guards {
                let (machine, start) = (&machine, &start);
                scope.spawn(move || {
                    let _entered = machine.kernel.enter(1);
                    start.wait();
                    drop(guard);
                });
            }
        });
        finish(ending);
        assert_eq!(machine.traced("completed its detach"), round);
        drop(server);
    }
    machine.end();
}

#[test]
fn rule_34_completing_twice_or_after_success_is_named() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).on_detach(|_| STATUS_PENDING);
    raw.register();
    let caller = machine.caller();
    let guard = guard(&caller);
    let ending = begin(caller);
    raw.complete(raw.binding());
    raw.complete(raw.binding());
    machine.broken(&violation::COMPLETED_TWICE, 1);
    drop(guard);
    finish(ending);
    raw.end();

    let raw = Raw::provider("r", &machine.log);
    raw.register();
    let caller = machine.caller();
    let guard = self::guard(&caller);
    let ending = begin(caller);
    raw.complete(raw.binding());
    machine.broken(&violation::COMPLETED_AFTER_SUCCESS, 1);
    drop(guard);
    finish(ending);
    raw.end();
    machine.end();
}

#[test]
fn rule_35_a_completion_may_come_before_the_callback_returns() {
    for early_cleanup in [false, true] {
        for seed in 0..SEEDS / 2 {
            let machine = Machine::with_seed(seed);
            machine.kernel.nmr().early_cleanup(early_cleanup);
            let raw = Raw::provider("r", &machine.log).on_detach(|raw| {
                raw.complete(raw.binding());
                STATUS_PENDING
            });
            raw.register();
            drop(machine.caller());
            assert_eq!(
                count(&machine.log, &["detach c", "free c", "cleanup r"]),
                [1; 3]
            );
            raw.end();
            machine.end();
        }
    }
}

#[test]
fn rule_35_the_last_guard_may_go_while_the_callback_runs() {
    for early_cleanup in [false, true] {
        for seed in 0..SEEDS / 2 {
            let machine = Machine::with_seed(seed);
            machine.kernel.nmr().early_cleanup(early_cleanup);
            // The context holds the way open until its detach callback lets go.
            let caller = Caller::new("c", &machine.log)
                .on_detach(|_, context| drop(locked(&context.held).take()));
            let binding = Arc::new(Mutex::new(None));
            let slot = Arc::clone(&binding);
            let caller = caller.on_attach(move |caller, offer, irql| {
                *locked(&slot) = Some(offer.binding());
                caller.accept(offer, irql)
            });
            let server = machine.server();
            let caller = register_caller(&machine.image, caller);
            let guard = locked(&binding).take().and_then(|binding| binding.enter());
            assert!(guard.is_some());
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _entered = machine.kernel.enter(1);
                    until("detach has begun", || machine.log.count("detach c") == 1);
                    drop(guard);
                });
                drop(caller);
            });
            assert_eq!(
                count(&machine.log, &["detach c", "free c", "free p"]),
                [1; 3]
            );
            drop(server);
            machine.end();
        }
    }
}

#[test]
fn rule_36_the_completing_call_may_clean_up_inline() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    let guard = guard(&caller);
    let ending = begin(caller);
    machine.log.take();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            drop(guard);
            let events = machine.log.take();
            let texts: Vec<_> = events.iter().map(|event| event.text.as_str()).collect();
            assert_eq!(texts, ["free c", "free p"]);
            assert!(
                events
                    .iter()
                    .all(|event| event.thread == thread::current().id())
            );
        });
    });
    finish(ending);
    drop(server);
    machine.end();
}

#[test]
fn rule_37_calls_before_the_detach_complete_nothing() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    for _ in 0..ROUNDS {
        drop(guard(&caller));
        assert_eq!(server.call(1), [Some(Some(11))]);
    }
    assert_eq!(machine.traced("completed its detach"), 0);
    drop((caller, server));
    assert_eq!(machine.traced("completed its detach"), 0);
    machine.end();
}

#[test]
fn rule_37_a_completion_before_the_detach_is_named_or_remembered() {
    for compatible in [false, true] {
        let machine = Machine::plain();
        machine.kernel.nmr().compatibility(compatible);
        let raw = Raw::provider("r", &machine.log).on_detach(|_| STATUS_PENDING);
        raw.register();
        let caller = machine.caller();
        raw.complete(raw.binding());
        if !compatible {
            machine.broken(&violation::COMPLETED_BEFORE_DETACH, 1);
        }
        assert_eq!(caller.call(1), [Some(Some(1001))], "still attached");
        drop(caller);
        assert_eq!(count(&machine.log, &["free c", "cleanup r"]), [1, 1]);
        raw.end();
        machine.end();
    }
}

#[test]
fn rule_38_completing_with_a_registration_handle_is_named() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).on_detach(|_| STATUS_PENDING);
    raw.register();
    let caller = machine.caller();
    let ending = begin(caller);
    raw.complete(raw.handle());
    let detail = machine.broken(&violation::HANDLE_KIND, 1);
    assert!(detail.contains("takes a binding"), "{detail}");
    assert_eq!(count(&machine.log, &["free c"]), [0]);
    raw.complete(raw.binding());
    finish(ending);
    raw.end();
    machine.end();
}

#[test]
fn rule_39_detach_and_cleanup_allocate_nothing() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    let guard = guard(&caller);
    machine.kernel.fail_allocation(Some(1));
    let ending = begin(caller);
    drop(guard);
    finish(ending);
    drop(server);
    assert_eq!(count(&machine.log, &["free c", "free p"]), [1, 1]);
    assert_eq!(machine.kernel.failed_allocations(), 0);
    // The next one would have failed.
    assert!(Image::new(&mut passive()).is_err());
    assert_eq!(machine.kernel.failed_allocations(), 1);
    machine.end();
}
