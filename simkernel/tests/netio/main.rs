//! The Network Module Registrar, driven through its C functions as a driver written in C would: what it does here, and in
//! `violations` what it says of those who break its rules.
//!
//! # Safety
//!
//! The unsafe code of these files calls the registrar and is called by it, as `module` says.
#![expect(unsafe_code, reason = "calls C functions and is called back")]

#[path = "../hanging/mod.rs"]
mod hanging;
mod module;
mod violations;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

use nmr_netdma::sys::*;
use simkernel::netio::{LevelChoice, OrderChoice, violation};
use simkernel::{Config, Kernel};

use self::module::*;

// The life of a binding.

#[test]
fn a_binding_lives_from_register_to_cleanup() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    assert_eq!(provider.register(), STATUS_SUCCESS);
    assert_eq!(log.texts(), [""; 0]);
    assert_eq!(client.register(), STATUS_SUCCESS);
    assert_eq!(log.texts(), ["attach c", "attach p"]);
    assert_eq!(
        (kernel.nmr().registrations(), kernel.nmr().bindings()),
        (2, 1)
    );
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert_eq!(
        log.texts(),
        ["detach c", "detach p", "cleanup c", "cleanup p"]
    );
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    assert_eq!(log.texts(), [""; 0]);
    finish(kernel);
}

#[test]
fn rule_11_a_provider_that_comes_second_is_offered_too() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    client.register();
    provider.register();
    assert_eq!(log.texts(), ["attach c", "attach p"]);
    provider.end();
    assert_eq!(
        log.texts(),
        ["detach c", "detach p", "cleanup c", "cleanup p"]
    );
    client.end();
    finish(kernel);
}

#[test]
fn rule_07_other_interfaces_do_not_meet() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let others: Vec<_> = (2..60)
        .map(|number| Module::new(Role::Provider, "p", &log, number))
        .collect();
    for other in &others {
        other.register();
    }
    client.register();
    assert_eq!(log.texts(), [""; 0]);
    others.iter().for_each(Module::end);
    client.end();
    finish(kernel);
}

#[test]
fn rule_08_equal_module_ids_attach_and_rule_10_can_be_kept_apart() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("same", &log), Module::provider("same", &log));
    provider.register();
    client.register();
    assert_eq!(log.texts(), ["attach same", "attach same"]);
    client.end();
    kernel.nmr().self_attachment(false);
    log.take();
    client.register();
    assert_eq!(log.texts(), [""; 0]);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_10_one_driver_is_kept_apart_whatever_its_module_ids_are() {
    let kernel = plain();
    kernel.nmr().self_attachment(false);
    let log = Arc::new(Log::default());
    let client = Arc::new(Module::client("c", &log));
    let provider = Arc::new(Module::provider("p", &log));
    let driver = load(&kernel, "both", &[&client, &provider]);
    assert_eq!(log.texts(), [""; 0]);
    client.end();
    provider.end();
    kernel.forget_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn rule_10_two_drivers_attach_even_with_equal_module_ids() {
    let kernel = plain();
    kernel.nmr().self_attachment(false);
    let log = Arc::new(Log::default());
    let client = Arc::new(Module::client("same", &log));
    let provider = Arc::new(Module::provider("same", &log));
    let drivers = [
        load(&kernel, "first", &[&client]),
        load(&kernel, "second", &[&provider]),
    ];
    assert_eq!(log.texts(), ["attach same", "attach same"]);
    client.end();
    provider.end();
    for driver in drivers {
        kernel.forget_driver(driver).unwrap();
    }
    finish(kernel);
}

#[test]
fn rule_10_what_no_driver_registers_counts_as_one_driver_more() {
    let kernel = plain();
    kernel.nmr().self_attachment(false);
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let of_a_thread = Module::provider("thread", &log);
    let of_a_driver = Arc::new(Module::provider("driver", &log));
    client.register();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            of_a_thread.register();
        });
    });
    assert_eq!(log.texts(), [""; 0]);
    let driver = load(&kernel, "loaded", &[&of_a_driver]);
    assert_eq!(log.texts(), ["attach c", "attach driver"]);
    client.end();
    of_a_thread.end();
    of_a_driver.end();
    kernel.forget_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn rule_12_the_handle_is_written_after_the_callbacks() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let seen = Arc::new(AtomicUsize::new(1));
    let seen_inside = Arc::clone(&seen);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        seen_inside.store(module.handle().addr(), Ordering::SeqCst);
        module.attach_provider(binding).0
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    assert_ne!(client.handle().addr(), 0);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_17_a_refusal_is_followed_by_no_cleanup() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    // The plan's provider has stored its context all the same.
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    provider.register();
    client.register();
    assert_eq!(kernel.nmr().bindings(), 0);
    client.end();
    provider.end();
    assert_eq!(log.texts(), ["attach c", "attach p"]);
    finish(kernel);
}

#[test]
fn a_client_can_decline_without_asking() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    provider.end();
    assert_eq!(log.texts(), ["attach c"]);
    finish(kernel);
}

#[test]
fn rule_16_a_refused_client_may_try_again() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        assert_eq!(module.attach_provider(binding).0, STATUS_NOINTERFACE);
        assert_eq!(module.attach_provider(binding).0, STATUS_NOINTERFACE);
        module.attach_provider(binding).0
    });
    let asked = AtomicUsize::new(0);
    let provider = Module::provider("p", &log).on_attach(move |_, _| {
        match asked.fetch_add(1, Ordering::SeqCst) {
            2 => STATUS_SUCCESS,
            _ => STATUS_NOINTERFACE,
        }
    });
    provider.register();
    client.register();
    assert_eq!(kernel.nmr().bindings(), 1);
    client.end();
    provider.end();
    assert_eq!(
        log.texts(),
        [
            "attach c",
            "attach p",
            "attach p",
            "attach p",
            "detach c",
            "detach p",
            "cleanup c",
            "cleanup p"
        ]
    );
    finish(kernel);
}

#[test]
fn an_attach_can_be_made_to_fail() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    kernel.nmr().fail_attach(Some(1));
    provider.register();
    client.register();
    assert_eq!(log.texts(), ["attach c"]);
    assert_eq!(kernel.nmr().bindings(), 0);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_20_tables_may_be_null_and_contexts_come_back() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let result = Arc::new(Mutex::new((0, 1)));
    let inside = Arc::clone(&result);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        let (status, context, dispatch) = module.attach_provider(binding);
        *inside.lock().unwrap() = (context.addr(), dispatch.addr());
        status
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    assert_eq!(*result.lock().unwrap(), (provider.context().addr(), 0));
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_41_a_null_cleanup_is_skipped() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client =
        Module::client("c", &log).edit_client(|client| client.ClientCleanupBindingContext = None);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    log.take();
    client.end();
    provider.end();
    assert_eq!(log.texts(), ["detach c", "detach p", "cleanup p"]);
    finish(kernel);
}

#[test]
fn rule_31_each_side_is_told_once_when_both_deregister() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    log.take();
    client.deregister();
    provider.deregister();
    assert_eq!(log.texts(), ["detach c", "detach p"]);
    client.complete(client.binding());
    assert_eq!(log.texts(), ["cleanup c", "cleanup p"]);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    finish(kernel);
}

#[test]
fn rule_42_a_cleanup_may_call_the_registrar() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let inner = Arc::new(Module::new(Role::Provider, "inner", &log, 9));
    let registered = Arc::clone(&inner);
    let client = Module::client("c", &log).on_cleanup(move |_| {
        assert_eq!(registered.register(), STATUS_SUCCESS);
        registered.end();
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    provider.end();
    finish(kernel);
}

// Completion.

#[test]
fn rule_36_the_last_completion_cleans_up_on_its_thread() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    log.take();
    client.complete(client.binding());
    assert_eq!(log.texts(), [""; 0]);
    let completing = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let _entered = kernel.enter(1);
            provider.complete(provider.binding());
        });
        let id = thread.thread().id();
        // The wait ends only after the cleanup callbacks.
        assert_eq!(client.wait(), STATUS_SUCCESS);
        id
    });
    let events = log.take();
    assert_eq!(events.len(), 2);
    assert!(
        events
            .iter()
            .all(|event| event.what == "cleanup" && event.thread == completing)
    );
    provider.end();
    finish(kernel);
}

#[test]
fn rule_35_a_completion_may_come_before_the_callback_returns() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let complete_inside = |module: &Module| {
        module.complete(module.binding());
        module.log.record("returning", module.name);
        STATUS_PENDING
    };
    let client = Module::client("c", &log).on_detach(complete_inside);
    let provider = Module::provider("p", &log).on_detach(complete_inside);
    provider.register();
    client.register();
    log.take();
    client.end();
    let expected = [
        "detach c",
        "returning c",
        "detach p",
        "returning p",
        "cleanup c",
        "cleanup p",
    ];
    assert_eq!(log.texts(), expected);
    client.register();
    log.take();
    kernel.nmr().early_cleanup(true);
    client.end();
    let expected = [
        "detach c",
        "returning c",
        "detach p",
        "cleanup c",
        "cleanup p",
        "returning p",
    ];
    assert_eq!(log.texts(), expected);
    provider.end();
    finish(kernel);
}

// Late comers and races.

#[test]
fn rule_26_a_deregistration_inside_an_attach_detaches_it_at_once() {
    for peer_deregisters in [false, true] {
        let kernel = plain();
        let log = Arc::new(Log::default());
        let provider = Arc::new(Module::provider("p", &log));
        let peer = Arc::clone(&provider);
        // Registered first, so that its handle is known in the callback that the provider's registration causes.
        let client = Arc::new(Module::client("c", &log).on_attach(move |module, binding| {
            let status = module.attach_provider(binding).0;
            let leaving = if peer_deregisters { &*peer } else { module };
            if leaving.handle().addr() != 0 {
                assert_eq!(leaving.deregister(), STATUS_PENDING);
            }
            module.log.record("attached", module.name);
            status
        }));
        let (first, second) = if peer_deregisters {
            (&provider, &client)
        } else {
            (&client, &provider)
        };
        first.register();
        second.register();
        let expected = [
            "attach c",
            "attach p",
            "attached c",
            "detach c",
            "detach p",
            "cleanup c",
            "cleanup p",
        ];
        assert_eq!(log.texts(), expected);
        assert_eq!(first.wait(), STATUS_SUCCESS);
        second.end();
        finish(kernel);
    }
}

#[test]
fn rule_26_a_deregistration_on_another_thread_waits_for_the_attach() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (in_attach, attaching) = mpsc::sync_channel(0);
    let (go_on, going_on) = mpsc::sync_channel::<()>(0);
    let going_on = Mutex::new(going_on);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        let status = module.attach_provider(binding).0;
        in_attach.send(()).unwrap();
        going_on.lock().unwrap().recv().unwrap();
        module.log.record("attached", module.name);
        status
    });
    let provider = Module::provider("p", &log);
    provider.register();
    let waited = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let attaching_thread = scope.spawn(|| {
            let _entered = kernel.enter(1);
            client.register();
        });
        let attaching_thread = attaching_thread.thread().id();
        attaching.recv().unwrap();
        assert_eq!(provider.deregister(), STATUS_PENDING);
        assert_eq!(log.texts(), ["attach c", "attach p"]);
        let waiting = scope.spawn(|| {
            let _entered = kernel.enter(2);
            assert_eq!(provider.wait(), STATUS_SUCCESS);
            waited.store(true, Ordering::SeqCst);
        });
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waited.load(Ordering::SeqCst));
        go_on.send(()).unwrap();
        waiting.join().unwrap();
        let events = log.take();
        assert!(events.iter().all(|event| event.thread == attaching_thread));
        let what: Vec<_> = events.iter().map(|event| event.what).collect();
        assert_eq!(what, ["attached", "detach", "detach", "cleanup", "cleanup"]);
    });
    client.end();
    finish(kernel);
}

#[test]
fn rule_25_a_deregistering_module_is_not_proposed() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let (provider, late) = (Module::provider("p", &log), Module::provider("late", &log));
    provider.register();
    client.register();
    client.deregister();
    log.take();
    late.register();
    assert_eq!(log.texts(), [""; 0]);
    client.complete(client.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    late.end();
    finish(kernel);
}

#[test]
fn rule_25_a_proposal_not_begun_is_withdrawn() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let second = Arc::new(Module::provider("second", &log));
    let leaving = Arc::clone(&second);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        if leaving.handle().addr() != 0 {
            leaving.end();
            leaving.handle.store(0, Ordering::SeqCst);
        }
        module.attach_provider(binding).0
    });
    let first = Module::provider("first", &log);
    first.register();
    second.register();
    client.register();
    assert_eq!(log.texts(), ["attach c", "attach first"]);
    client.end();
    first.end();
    finish(kernel);
}

#[test]
fn rule_11_a_pair_is_attached_once_when_both_register_at_once() {
    let kernel = plain();
    kernel.nmr().tracing(false);
    let log = Arc::new(Log::default());
    for _ in 0..500 {
        let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            for (processor, module) in [(1, &client), (2, &provider)] {
                let (kernel, start) = (&kernel, &start);
                scope.spawn(move || {
                    let _entered = kernel.enter(processor);
                    start.wait();
                    assert_eq!(module.register(), STATUS_SUCCESS);
                });
            }
        });
        assert_eq!(log.texts(), ["attach c", "attach p"]);
        client.end();
        provider.end();
        log.take();
    }
    finish(kernel);
}

#[test]
fn rule_26_nothing_is_lost_when_modules_come_and_go_on_many_threads() {
    let kernel = Kernel::boot(Config::default());
    kernel.nmr().tracing(false);
    let log = Arc::new(Log::default());
    let threads = 4;
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (kernel, start, log) = (&kernel, &start, &log);
            scope.spawn(move || {
                let _entered = kernel.enter(thread as u32);
                start.wait();
                for round in 0..200 {
                    let module = match (thread + round) % 2 {
                        0 => Module::client("c", log),
                        _ => Module::provider("p", log),
                    };
                    assert_eq!(module.register(), STATUS_SUCCESS);
                    module.end();
                }
            });
        }
    });
    let events = log.take();
    let count = |what, who| {
        events
            .iter()
            .filter(|event| event.what == what && event.who == who)
            .count()
    };
    for who in ["c", "p"] {
        assert_eq!(count("attach", who), count("detach", who));
        assert_eq!(count("attach", who), count("cleanup", who));
    }
    assert_eq!(count("attach", "c"), count("attach", "p"));
    finish(kernel);
}

// Levels and orders.

#[test]
fn rule_06_detach_and_cleanup_come_at_all_levels_and_dispatch_is_favoured() {
    let kernel = Kernel::boot(Config::default());
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    for _ in 0..100 {
        client.register();
        client.end();
    }
    let events = log.take();
    let levels = |what: &str, irql: u8| {
        events
            .iter()
            .filter(|event| event.what == what && event.irql == irql)
            .count()
    };
    assert_eq!(levels("attach", 0), 200);
    for what in ["detach", "cleanup"] {
        let [passive, apc, dispatch] = [0, APC, DISPATCH].map(|irql| levels(what, irql));
        assert_eq!(passive + apc + dispatch, 200);
        assert!(passive > 5 && apc > 5, "{what}: {passive}, {apc}");
        assert!(dispatch > passive + apc, "{what}: {dispatch}");
    }
    provider.end();
    finish(kernel);
}

#[test]
fn rule_06_the_level_can_be_chosen_and_is_never_below_the_callers() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    for (choice, raised, expected) in [
        (LevelChoice::Lowest, false, 0),
        (LevelChoice::Apc, false, APC),
        (LevelChoice::Dispatch, false, DISPATCH),
        (LevelChoice::Lowest, true, DISPATCH),
        (LevelChoice::Apc, true, DISPATCH),
        (LevelChoice::Seeded, true, DISPATCH),
    ] {
        kernel.nmr().detach_level(choice);
        client.register();
        log.take();
        let status = if raised {
            at_dispatch(|| client.deregister())
        } else {
            client.deregister()
        };
        assert_eq!(status, STATUS_PENDING);
        assert_eq!(client.wait(), STATUS_SUCCESS);
        let levels: Vec<_> = log.take().iter().map(|event| event.irql).collect();
        assert_eq!(levels, [expected; 4], "{choice:?}");
    }
    provider.end();
    finish(kernel);
}

#[test]
fn rule_30_40_51_orders_are_fixed_or_shuffled_by_the_seed() {
    let run = |seed: u64, order: OrderChoice| {
        let kernel = Kernel::boot(Config {
            seed,
            ..Config::default()
        });
        kernel.nmr().order(order);
        let log = Arc::new(Log::default());
        let client = Module::client("c", &log);
        let providers: Vec<_> = ["1", "2", "3", "4"]
            .map(|name| Module::provider(name, &log))
            .into();
        for provider in &providers {
            provider.register();
        }
        client.register();
        log.take();
        client.end();
        providers.iter().for_each(Module::end);
        finish(kernel);
        log.texts().join(", ")
    };
    let fixed: String = ["1", "2", "3", "4"]
        .map(|name| format!("detach c, detach {name}, cleanup c, cleanup {name}"))
        .join(", ");
    assert_eq!(run(1, OrderChoice::Fixed), fixed);
    assert_eq!(run(1, OrderChoice::Seeded), run(1, OrderChoice::Seeded));
    let different: BTreeSet<_> = (0..20).map(|seed| run(seed, OrderChoice::Seeded)).collect();
    assert!(different.len() > 15, "{different:?}");
    let starts_with = |start: &str| different.iter().any(|order| order.starts_with(start));
    assert!(
        starts_with("detach c, detach 3") || starts_with("detach 3, detach c"),
        "{different:?}"
    );
}

// The end.

#[test]
fn rule_44_deregister_is_pending_with_no_binding_too() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    client.register();
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    finish(kernel);
}

#[test]
fn a_wait_inside_the_callback_of_another_binding_is_fine() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let other = Arc::new(Module::new(Role::Provider, "other", &log, 2));
    let ended = Arc::clone(&other);
    let client = Module::client("c", &log).on_detach(move |_| {
        ended.end();
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log);
    other.register();
    provider.register();
    client.register();
    client.end();
    provider.end();
    finish(kernel);
}

/// Bindings of different interfaces are numbered alike, each in its part of the registry.
#[test]
fn a_wait_for_a_binding_of_another_interface_is_fine() {
    let kernel = plain();
    kernel.nmr().patience(Duration::from_millis(1));
    let log = Arc::new(Log::default());
    for interface in 2..6 {
        let left = Arc::new(
            Module::new(Role::Client, "left", &log, interface).on_detach(|_| STATUS_PENDING),
        );
        let peer = Module::new(Role::Provider, "peer", &log, interface);
        peer.register();
        left.register();
        let waited_for = Arc::clone(&left);
        let client = Module::client("c", &log).on_detach(move |_| {
            assert_eq!(waited_for.deregister(), STATUS_PENDING);
            assert_eq!(waited_for.wait(), STATUS_SUCCESS);
            STATUS_SUCCESS
        });
        let provider = Module::provider("p", &log);
        provider.register();
        client.register();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _entered = kernel.enter(1);
                // Until the other thread has said that it waits.
                while kernel.violations().is_empty() {
                    std::thread::yield_now();
                }
                left.complete(left.binding());
            });
            client.end();
        });
        broken(&kernel, &violation::STUCK, 1);
        provider.end();
        peer.end();
    }
    finish(kernel);
}

#[test]
fn rule_46_two_threads_may_wait_for_one_deregistration() {
    let kernel = plain();
    // Both have said that they wait before it is completed.
    kernel.nmr().patience(Duration::from_millis(1));
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.deregister();
    std::thread::scope(|scope| {
        for processor in 1..3 {
            let (kernel, client) = (&kernel, &client);
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                assert_eq!(client.wait(), STATUS_SUCCESS);
            });
        }
        while kernel.violations().len() < 2 {
            std::thread::yield_now();
        }
        client.complete(client.binding());
    });
    broken(&kernel, &violation::STUCK, 2);
    provider.end();
    finish(kernel);
}

#[test]
fn machines_do_not_meet() {
    let log = Arc::new(Log::default());
    let first = plain();
    let provider = Module::provider("p", &log);
    provider.register();
    {
        let second = plain();
        let client = Module::client("c", &log);
        client.register();
        client.end();
        finish(second);
    }
    assert_eq!(log.texts(), [""; 0]);
    provider.end();
    finish(first);
}

#[test]
fn the_trace_tells_the_story() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    client.register();
    client.end();
    provider.end();
    let events = kernel.events();
    let story: Vec<_> = events
        .iter()
        .filter(|event| event.source == "nmr")
        .map(|event| event.what.replace("-0000-0000-0000-000000000000/7", ""))
        .collect();
    assert_eq!(
        story,
        [
            "provider 00000070 registered for 00000001-0000-0000-0000-000000000000",
            "client 00000063 registered for 00000001-0000-0000-0000-000000000000",
            "ProviderAttachClient of provider 00000070, peer client 00000063: STATUS_SUCCESS",
            "ClientAttachProvider of client 00000063, peer provider 00000070: STATUS_SUCCESS",
            "client 00000063 is deregistering",
            "ClientDetachProvider of client 00000063, peer provider 00000070: STATUS_SUCCESS",
            "ProviderDetachClient of provider 00000070, peer client 00000063: STATUS_SUCCESS",
            "ClientCleanupBindingContext of client 00000063, peer was provider 00000070",
            "ProviderCleanupBindingContext of provider 00000070, peer was client 00000063",
            "client 00000063 deregistered",
            "provider 00000070 is deregistering",
            "provider 00000070 deregistered",
        ]
    );
    finish(kernel);
}

#[test]
fn modules_are_named_by_whatever_id_they_have() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let by_luid = Module::client("c", &log).edit_id(|id| {
        id.Type = MIT_IF_LUID;
        id.u.IfLuid.LowPart = 0x1234;
        id.u.IfLuid.HighPart = 0;
    });
    let unknown = Module::client("c", &log).edit_id(|id| id.Type = 77);
    let by_guid = Module::client("c", &log);
    let expected = [
        "client luid 0x1234/7",
        "client module id of type 77/7",
        "client 00000063-0000-0000-0000-000000000000/7",
    ];
    for (module, expected) in [by_luid, unknown, by_guid].iter().zip(expected) {
        module.register();
        module.end();
        module.deregister();
        kernel.take_violations(&violation::USED_AFTER_END);
        let events = kernel.events();
        let registered = events
            .iter()
            .rev()
            .find(|event| event.what.contains("registered for"));
        assert_eq!(
            registered.unwrap().what,
            format!("{expected} registered for 00000001-0000-0000-0000-000000000000")
        );
    }
    finish(kernel);
}
