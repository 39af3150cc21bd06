//! Rules 1 to 13: what a module registers, and whom it then meets.

use super::*;

#[test]
fn rule_01_the_library_fills_in_versions_and_sizes() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log);
    assert_eq!(raw.register(), STATUS_SUCCESS);
    let identity = caller_identity().with_version(5).with_number(6);
    let caller = Caller::new("c", &machine.log);
    let caller = ClientRegistration::register(&machine.image, caller, identity, &mut passive())
        .expect("the client registers");
    let seen = locked(&raw.seen)[0];
    let instance = seen.instance;
    assert_eq!(
        (
            instance.Version,
            instance.Size,
            instance.Number,
            seen.id_length
        ),
        (5, 40, 6, 24)
    );
    drop(caller);
    raw.end();

    let raw = Raw::client("r", &machine.log);
    assert_eq!(raw.register(), STATUS_SUCCESS);
    let server = machine.server();
    let seen = locked(&raw.seen)[0];
    let instance = seen.instance;
    assert_eq!(
        (
            instance.Version,
            instance.Size,
            instance.Number,
            seen.id_length
        ),
        (0, 40, 0, 24)
    );
    drop(server);
    raw.end();
    machine.end();
}

#[test]
fn rule_01_wrong_versions_and_sizes_are_named() {
    type Mistake = (fn(&mut Raw), &'static str);

    let machine = Machine::plain();
    let wrong: [Mistake; 4] = [
        (|raw| raw.version = 7, "Version of the characteristics is 7"),
        (|raw| raw.length = 80, "Length of the characteristics is 80"),
        (
            |raw| raw.instance_size = 48,
            "Size of the registration instance is 48",
        ),
        (
            |raw| {
                raw.id = Some(Block::of(&NPI_MODULEID {
                    Length: 28,
                    ..module_id(1)
                }))
            },
            "Length of the module id is 28",
        ),
    ];
    for make in [Raw::client, Raw::provider] {
        for (change, says) in wrong {
            let raw = make("r", &machine.log).with(change);
            assert_eq!(raw.register(), STATUS_SUCCESS);
            let detail = machine.broken(&violation::SIZES, 1);
            assert!(detail.contains(says), "{detail}");
            raw.end();
        }
    }
    machine.end();
}

#[test]
fn rule_01_characteristics_that_are_too_short_are_refused_and_not_read_on() {
    let machine = Machine::plain();
    for make in [Raw::client, Raw::provider] {
        for length in [4, 32, 64] {
            let raw = make("r", &machine.log).with(|raw| raw.length = length);
            assert_eq!(raw.register(), STATUS_INVALID_PARAMETER);
            let detail = machine.broken(&violation::SIZES, 1);
            assert!(
                detail.contains(&format!("Length of the characteristics is {length}")),
                "{detail}"
            );
        }
    }
    machine.end();
}

#[test]
fn rule_02_what_is_registered_stays_where_it_is_while_the_value_moves() {
    let machine = Machine::plain();
    let (mut first, mut second) = (machine.caller(), machine.caller());
    std::mem::swap(&mut first, &mut second);
    let moved = vec![Box::new(first), Box::new(second)];
    // Everything that was registered is compared at each proposal and at the end.
    let server = machine.server();
    for caller in &moved {
        assert_eq!(locked(&caller.peers).len(), 1);
    }
    assert_eq!(locked(&server.peers)[0].shown, Some(SHOWN));
    drop(moved);
    drop(server);
    machine.end();
}

#[test]
fn rule_02_a_changed_registration_is_named() {
    let machine = Machine::plain();
    let raw = Raw::client("r", &machine.log);
    raw.register();
    raw.change_number(8);
    let server = machine.server();
    let detail = machine.broken(&violation::CHANGED, 1);
    assert!(
        detail.contains("client") && detail.contains("proposed"),
        "{detail}"
    );
    drop(server);
    raw.end();
    machine.end();
}

#[test]
fn rule_03_the_module_lives_as_long_as_its_registration() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    let guard = guard(&caller);
    let ending = begin(caller);
    machine.log.take();
    // The registration's value is gone, but not what NMR has of it.
    assert_eq!(server.call(1), [None]);
    assert_eq!(relay::call(&guard, 1), Some(101));
    drop(guard);
    finish(ending);
    assert_eq!(
        machine.log.texts(),
        ["call p", "free c", "free p", "gone c"]
    );
    drop(server);
    machine.end();
}

#[test]
fn rule_04_attach_callbacks_are_at_passive_level() {
    let machine = Machine::plain();
    machine.kernel.nmr().detach_level(LevelChoice::Dispatch);
    for _ in 0..2 {
        let (server, caller) = (machine.server(), machine.caller());
        drop((caller, server));
    }
    let events = machine.log.take();
    let attached = events
        .iter()
        .filter(|event| event.text.starts_with("attach"));
    assert_eq!(attached.clone().count(), 4);
    assert!(attached.clone().all(|event| event.irql == 0), "{events:?}");
    machine.end();
}

#[test]
fn rule_04_registering_and_attaching_above_passive_level_are_named() {
    let machine = Machine::plain();
    let provider = Raw::provider("p", &machine.log);
    at_dispatch(|| provider.register());
    let detail = machine.broken(&violation::ATTACH_LEVEL, 1);
    assert!(detail.contains("NmrRegisterProvider"), "{detail}");
    let client = Raw::client("c", &machine.log)
        .on_attach(|raw, binding| at_dispatch(|| raw.attach_provider(binding)));
    client.register();
    let detail = machine.broken(&violation::ATTACH_LEVEL, 1);
    assert!(detail.contains("NmrClientAttachProvider"), "{detail}");
    client.end();
    provider.end();
    machine.end();
}

#[test]
fn rule_05_deregistering_and_completing_at_dispatch_level_and_waiting_later() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    let guard = guard(&caller);
    let ending = passive().at_dispatch(|irql| {
        let ending = caller.begin_deregister(irql).expect("as documented");
        assert_eq!(machine.log.count("free c"), 0);
        drop(guard);
        ending
    });
    assert_eq!(machine.log.count("free c"), 1);
    drop(ending.wait(&mut passive()).expect("as documented"));
    drop(server);
    machine.end();
}

/// Debug builds panic as well.
#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn rule_05_a_registration_that_is_dropped_at_dispatch_level_is_left_and_named() {
    let machine = Machine::plain();
    let caller = machine.caller();
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        passive().at_dispatch(|_| drop(caller));
    }));
    assert_eq!(dropped.is_err(), cfg!(debug_assertions));
    let line = "nmr-netdma: NMR client of interface 3a7d2f10-91c4-4f0e-a2b7-5c1e7f0d4b01, module \
                0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11 is dropped at DISPATCH_LEVEL";
    assert_eq!(machine.traced(line), 1);
    assert_eq!(machine.image.registered(&mut passive()), 1);
    let verdict = machine.shutdown();
    assert!(verdict.violations.is_empty(), "{verdict}");
    assert!(
        verdict.to_string().contains("nmr client registration"),
        "{verdict}"
    );
}

#[test]
fn rule_05_waiting_at_dispatch_level_is_named() {
    let machine = Machine::plain();
    let raw = Raw::client("r", &machine.log);
    raw.register();
    assert_eq!(at_dispatch(|| raw.deregister()), STATUS_PENDING);
    at_dispatch(|| raw.wait());
    let detail = machine.broken(&violation::DEREGISTER_LEVEL, 1);
    assert!(
        detail.contains("NmrWaitForClientDeregisterComplete"),
        "{detail}"
    );
    machine.end();
}

#[test]
fn rule_06_detach_and_cleanup_work_at_both_levels() {
    let mut seen = [0; 2];
    for seed in 0..SEEDS {
        let machine = Machine::with_seed(seed);
        let (server, caller) = (machine.server(), machine.caller());
        machine.log.take();
        drop(caller);
        drop(server);
        for event in machine.log.take() {
            if event.text.starts_with("detach") || event.text.starts_with("free") {
                seen[usize::from(event.irql == DISPATCH)] += 1;
            }
        }
        machine.end();
    }
    assert_eq!(seen[0] + seen[1], SEEDS * 4);
    assert!(0 < seen[0] && seen[0] < seen[1], "{seen:?}");
}

#[test]
fn rule_07_the_interface_alone_decides_who_meets() {
    let machine = Machine::plain();
    // The same identity everywhere, and two interfaces.
    let (server, bare) = (machine.server(), bare_provider(&machine, SERVER));
    let client = bare_client(&machine, SERVER);
    assert_eq!(locked(&client.0).len(), 1);
    assert_eq!(count(&machine.log, &["attach p"]), [0]);
    // Another identity in every respect, and the same interface.
    let identity = caller_identity().with_version(9).with_number(u32::MAX);
    let caller = Caller::new("c", &machine.log);
    let caller = ClientRegistration::register(&machine.image, caller, identity, &mut passive())
        .expect("the client registers");
    assert_eq!(caller.call(1), [Some(Some(101))]);
    assert_eq!(locked(&client.0).len(), 1);
    drop((caller, client));
    drop((server, bare));
    machine.end();
}

#[test]
fn rule_08_module_ids_may_repeat_and_are_shown() {
    let machine = Machine::plain();
    let providers = [
        bare_provider(&machine, CALLER),
        bare_provider(&machine, CALLER),
    ];
    let clients = [bare_client(&machine, CALLER), bare_client(&machine, CALLER)];
    for client in &clients {
        let bindings = locked(&client.0).clone();
        assert_eq!(bindings.len(), 2);
        assert!(bindings.iter().all(|binding| binding.enter().is_some()));
    }
    assert_eq!(machine.kernel.nmr().bindings(), 4);
    drop((clients, providers));

    let (server, caller) = (machine.server(), machine.caller());
    assert_eq!(locked(&caller.peers)[0].module, SERVER);
    assert_eq!(locked(&server.peers)[0].module, CALLER);
    drop((caller, server));
    machine.end();
}

#[test]
fn rule_09_each_registration_ends_on_its_own() {
    let machine = Machine::plain();
    let server = machine.server();
    let (first, second) = (machine.caller(), machine.caller());
    let bare = bare_client(&machine, CALLER);
    assert_eq!(machine.image.registered(&mut passive()), 4);
    drop(first);
    assert_eq!(machine.image.registered(&mut passive()), 3);
    assert_eq!(second.call(1), [Some(Some(101))]);
    drop(bare);
    assert_eq!(second.call(1), [Some(Some(101))]);
    drop(server);
    assert_eq!(second.call(1), [None]);
    drop(second);
    assert_eq!(machine.image.registered(&mut passive()), 0);
    machine.end();
}

#[test]
fn rule_10_a_driver_may_attach_to_itself_or_not() {
    for attaches in [true, false] {
        let machine = Machine::plain();
        machine.kernel.nmr().self_attachment(attaches);
        let (provider, client) = (
            bare_provider(&machine, CALLER),
            bare_client(&machine, CALLER),
        );
        assert_eq!(locked(&client.0).len(), usize::from(attaches));
        drop(provider);
        drop(client);
        machine.end();
    }
}

#[test]
fn rule_11_each_provider_is_offered_once_on_the_registering_thread() {
    let machine = Machine::plain();
    let earlier = machine.server();
    let caller = machine.caller();
    let later = thread::scope(|scope| {
        let register = scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            (thread::current().id(), machine.server())
        });
        register.join().expect("no panic")
    });
    let (thread, later) = later;
    let threads: Vec<_> = machine
        .log
        .take()
        .iter()
        .map(|event| event.thread)
        .collect();
    let here = thread::current().id();
    assert_eq!(threads, [here, here, thread, thread]);
    assert_eq!(caller.call(1), [Some(Some(101)); 2]);
    drop((earlier, later));
    drop(caller);
    machine.end();
}

#[test]
fn rule_11_a_pair_meets_once_when_both_register_at_once() {
    let machine = Machine::with_seed(1);
    for _ in 0..ROUNDS {
        let start = Barrier::new(2);
        let (caller, server) = thread::scope(|scope| {
            let caller = scope.spawn(|| {
                let _entered = machine.kernel.enter(1);
                start.wait();
                machine.caller()
            });
            let server = scope.spawn(|| {
                let _entered = machine.kernel.enter(2);
                start.wait();
                machine.server()
            });
            (
                caller.join().expect("no panic"),
                server.join().expect("no panic"),
            )
        });
        assert_eq!(machine.log.texts(), ["attach c", "attach p"]);
        assert_eq!(caller.call(1), [Some(Some(101))]);
        drop((caller, server));
        machine.log.take();
    }
    machine.end();
}

#[test]
fn rule_12_attach_and_detach_may_both_come_before_registering_returns() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).on_attach(|raw, _| {
        assert_eq!(raw.deregister(), STATUS_PENDING);
        STATUS_SUCCESS
    });
    raw.register();
    let caller = machine.caller();
    let events = machine.log.take();
    let texts: Vec<_> = events.iter().map(|event| event.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "attach c",
            "attach r",
            "detach c",
            "detach r",
            "free c",
            "cleanup r"
        ]
    );
    let here = thread::current().id();
    assert!(events.iter().all(|event| event.thread == here));
    assert_eq!(raw.wait(), STATUS_SUCCESS);
    assert_eq!(caller.call(1), [None]);
    drop(caller);
    machine.end();
}

#[test]
fn rule_13_a_failed_registration_is_no_registration() {
    let machine = Machine::plain();
    let nmr = machine.kernel.nmr();
    nmr.fail_registration(Some(1));
    let raw = Raw::client("r", &machine.log);
    assert_eq!(raw.register(), STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(raw.handle().addr(), 0xDEAD_BEEF_DEAD_BEEF);

    nmr.fail_registration(Some(1));
    let caller = Caller::new("c", &machine.log);
    let failed =
        ClientRegistration::register(&machine.image, caller, caller_identity(), &mut passive())
            .expect_err("the registrar refuses");
    assert_eq!(failed.error, Error::INSUFFICIENT_RESOURCES);
    assert_eq!(
        (failed.value.name, machine.image.registered(&mut passive())),
        ("c", 0)
    );
    drop(failed);

    nmr.fail_registration(Some(1));
    let server = Server::new("p", &machine.log);
    let failed =
        ProviderRegistration::register(&machine.image, server, server_identity(), &mut passive())
            .expect_err("the registrar refuses");
    assert_eq!(
        (failed.value.name, machine.image.registered(&mut passive())),
        ("p", 0)
    );
    drop(failed);
    assert_eq!(machine.log.texts(), ["gone c", "gone p"]);
    machine.end();
}
