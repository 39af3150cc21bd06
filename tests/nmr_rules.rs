//! The registrar's rules, one by one: what the library makes of each, and what the simulated kernel says to a driver in C
//! that breaks it. What does not compile is in `tests/ui/nmr_*.rs`, named there by the same numbers.
//!
//! # Safety
//!
//! The unsafe code of this file declares an interface that has no functions.
#![expect(unsafe_code, reason = "declares an interface")]

mod common {
    pub(crate) mod nmr_modules;
    pub(crate) mod raw_nmr;
}

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Binding, Client, ClientRegistration, Decision, Dispatch, Guard, Identity, ModuleId,
    Npi, Offer, Provider, ProviderRegistration, Request,
};
use nmr_netdma::status::Status;
use nmr_netdma::sys::{
    MIT_IF_LUID, NPI_MODULEID, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
};
use nmr_netdma::{Error, Guid, Result};
use simkernel::netio::{LevelChoice, OrderChoice, violation};

use self::common::nmr_modules::relay::{
    Functions, NOT_READY, OLD_FUNCTIONS, OLD_SHOWN, Relay, Shown,
};
use self::common::nmr_modules::{
    CALLER, Caller, DISPATCH, Log, Machine, SERVER, SHOWN, Server, begin, caller_identity, finish,
    flag, guard, locked, passive, register_caller, register_server, relay, server_identity, until,
};
use self::common::raw_nmr::{Block, FUNCTIONS, Raw, at_dispatch, guid, module_id};

const ROUNDS: usize = if cfg!(miri) { 4 } else { 100 };
const SEEDS: u64 = if cfg!(miri) { 6 } else { 16 };

/// An interface without functions, whose modules show nothing.
enum Bare {}

// SAFETY: no structure is passed under this interface.
unsafe impl Npi for Bare {
    const ID: Guid = Guid::parse("81f7a1f4-6d0b-4a53-8f0e-19c9a4b7c602");
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ();
    type ClientDispatch = ();
    type ProviderDispatch = ();
}

/// A client or provider of it that accepts everybody.
#[derive(Default)]
struct Accepting(Mutex<Vec<Binding<Bare>>>);

impl Client for Accepting {
    type Npi = Bare;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        locked(&self.0).push(offer.binding());
        match offer.accept((), Dispatch::none(), irql) {
            Ok(decision) => decision,
            Err(refused) => refused.decline(),
        }
    }
}

impl Provider for Accepting {
    type Npi = Bare;
    type Context = ();

    fn attach(&self, _: Request<Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        Ok(Accept {
            context: (),
            dispatch: Dispatch::none(),
        })
    }
}

fn bare_client(machine: &Machine, module: ModuleId) -> ClientRegistration<Accepting> {
    let identity = Identity::new(module);
    ClientRegistration::register(
        &machine.image,
        Accepting::default(),
        identity,
        &mut passive(),
    )
    .expect("the client registers")
}

fn bare_provider(machine: &Machine, module: ModuleId) -> ProviderRegistration<Accepting> {
    let identity = Identity::new(module);
    ProviderRegistration::register(
        &machine.image,
        Accepting::default(),
        identity,
        &mut passive(),
    )
    .expect("the provider registers")
}

/// What each call of `callback` answered, from the trace.
fn answers(machine: &Machine, callback: &str) -> Vec<String> {
    let events = machine.kernel.events();
    let of_callback = |what: &String| what.starts_with(callback);
    let answer = |what: String| what.rsplit(": ").next().map(String::from);
    events
        .into_iter()
        .map(|event| event.what)
        .filter(of_callback)
        .filter_map(answer)
        .collect()
}

fn count(log: &Log, texts: &[&str]) -> Vec<usize> {
    texts.iter().map(|text| log.count(text)).collect()
}

// Registration.

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
    assert_eq!(locked(&server.peers)[0].characteristics(), Some(&SHOWN));
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

#[test]
#[cfg(debug_assertions)]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn rule_05_dropping_a_registration_at_dispatch_level_is_caught() {
    let machine = Machine::plain();
    let caller = machine.caller();
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        passive().at_dispatch(|_| drop(caller));
    }));
    assert!(dropped.is_err());
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
    assert_eq!(locked(&caller.peers)[0].module(), SERVER);
    assert_eq!(locked(&server.peers)[0].module(), CALLER);
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

// Attach.

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
    let refuses = |_: &Server, _| Err(Error::NO_INTERFACE);
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

    let refuses = |_: &Server, _| Err(Error::NO_INTERFACE);
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

/// A client of the library meets `raw`; whether it was asked, and what a call answers.
fn meet(machine: &Machine, raw: &Raw) -> (usize, Vec<Option<Option<u32>>>) {
    assert_eq!(raw.register(), STATUS_SUCCESS);
    let caller = machine.caller();
    let met = (locked(&caller.peers).len(), caller.call(1));
    drop(caller);
    raw.end();
    met
}

/// A provider of the library meets `raw`; whether it was asked, and what it answered.
fn serve(machine: &Machine, raw: &Raw) -> (usize, String) {
    let server = machine.server();
    assert_eq!(raw.register(), STATUS_SUCCESS);
    raw.end();
    let asked = locked(&server.peers).len();
    drop(server);
    let mut answers = answers(machine, "ProviderAttachClient");
    (asked, answers.pop().expect("the callback was called"))
}

const DECLINED: &str = "STATUS_NOINTERFACE";
const ACCEPTED: &str = "STATUS_SUCCESS";

#[test]
fn rule_23_what_an_older_peer_lacks_is_zero_and_is_not_read() {
    let machine = Machine::plain();
    let old = |raw: &mut Raw| {
        let functions = Functions {
            size: OLD_FUNCTIONS as u32,
            ..FUNCTIONS
        };
        raw.functions = Some(Block::prefix(&functions, OLD_FUNCTIONS));
        let shows = Shown {
            size: OLD_SHOWN as u16,
            ..SHOWN
        };
        raw.shows = Some(Block::prefix(&shows, OLD_SHOWN));
    };
    let raw = Raw::provider("r", &machine.log).with(old);
    raw.register();
    let caller = machine.caller();
    let shown = Shown {
        size: OLD_SHOWN as u16,
        colour: 0,
        ..SHOWN
    };
    assert_eq!(locked(&caller.peers)[0].characteristics(), Some(&shown));
    let provider = guard(&caller);
    assert_eq!(
        (relay::call(&provider, 1), relay::twice(&provider, 1)),
        (Some(1001), None)
    );
    drop(provider);
    drop(caller);
    raw.end();

    let raw = Raw::client("r", &machine.log).with(old);
    let server = machine.server();
    raw.register();
    assert_eq!(locked(&server.peers)[0].characteristics(), Some(&shown));
    let client = server.binding(0).enter().expect("attached");
    assert_eq!(
        (relay::call(&client, 1), relay::twice(&client, 1)),
        (Some(1001), None)
    );
    drop(client);
    raw.end();
    drop(server);
    machine.end();
}

#[test]
fn rule_23_what_a_newer_peer_has_in_addition_is_ignored() {
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Newer<T> {
        known: T,
        unknown: [u64; 4],
    }

    let machine = Machine::plain();
    let newer = |raw: &mut Raw| {
        let size = size_of::<Newer<Functions>>() as u32;
        let known = Functions { size, ..FUNCTIONS };
        raw.functions = Some(Block::of(&Newer {
            known,
            unknown: [u64::MAX; 4],
        }));
        let known = Shown {
            size: size_of::<Newer<Shown>>() as u16,
            ..SHOWN
        };
        raw.shows = Some(Block::of(&Newer {
            known,
            unknown: [u64::MAX; 4],
        }));
    };
    let raw = Raw::provider("r", &machine.log).with(newer);
    assert_eq!(meet(&machine, &raw), (1, vec![Some(Some(1001))]));
    let raw = Raw::client("r", &machine.log).with(newer);
    assert_eq!(serve(&machine, &raw), (1, ACCEPTED.into()));
    machine.end();
}

#[test]
fn rule_23_peers_that_show_nothing_are_shown_as_such() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log);
    raw.register();
    let caller = machine.caller();
    assert_eq!(locked(&caller.peers)[0].characteristics(), None);
    assert_eq!(caller.call(1), [Some(Some(1001))]);
    drop(caller);
    raw.end();
    machine.end();
}

#[test]
fn rule_23_characteristics_that_are_too_short_are_declined() {
    let machine = Machine::plain();
    // As long as they say, down to the two bytes that say so.
    for size in [2, 3, OLD_SHOWN as u16 - 1, 0] {
        let short = |raw: &mut Raw| {
            let shows = Shown { size, ..SHOWN };
            raw.shows = Some(Block::prefix(&shows, usize::from(size.max(2))));
        };
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        assert_eq!(
            answers(&machine, "ClientAttachProvider")
                .last()
                .expect("asked"),
            DECLINED
        );
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    }
    machine.end();
}

/// A peer whose declaration is longer reads as far as it is told: from safe code it must not be told of what is not there.
#[test]
fn rule_23_characteristics_that_say_another_size_are_not_registered() {
    let machine = Machine::plain();
    for size in [
        0,
        OLD_SHOWN as u16 - 1,
        size_of::<Shown>() as u16 + 1,
        u16::MAX,
    ] {
        let identity = Identity::new(SERVER).with_characteristics(Shown { size, ..SHOWN });
        let server = Server::new("p", &machine.log);
        let failed =
            ProviderRegistration::register(&machine.image, server, identity, &mut passive())
                .expect_err("it says another size");
        assert_eq!(failed.error, Error::INVALID_PARAMETER);
        assert_eq!(failed.value.name, "p", "the provider comes back");
        let identity = Identity::new(CALLER).with_characteristics(Shown { size, ..SHOWN });
        let caller = Caller::new("c", &machine.log);
        let failed = ClientRegistration::register(&machine.image, caller, identity, &mut passive())
            .expect_err("it says another size");
        assert_eq!(failed.error, Error::INVALID_PARAMETER);
    }
    // The size of an older version is one that the interface knows.
    let size = OLD_SHOWN as u16;
    let identity = Identity::new(SERVER).with_characteristics(Shown { size, ..SHOWN });
    let server = Server::new("p", &machine.log);
    let server = ProviderRegistration::register(&machine.image, server, identity, &mut passive())
        .expect("the provider registers");
    let caller = machine.caller();
    let shown = locked(&caller.peers)[0];
    assert_eq!(shown.characteristics().map(|shown| shown.colour), Some(0));
    drop((caller, server));
    machine.end();
}

#[test]
fn rule_23_dispatch_tables_that_are_too_short_are_not_used() {
    let machine = Machine::plain();
    for size in [4, OLD_FUNCTIONS as u32 - 1, 0] {
        let short = |raw: &mut Raw| {
            let functions = Functions { size, ..FUNCTIONS };
            raw.functions = Some(Block::prefix(&functions, (size as usize).max(4)));
        };
        // A provider has accepted when its table is seen: the binding is there and stays shut.
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (1, vec![None]));
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    }
    machine.end();
}

#[test]
fn rule_23_a_missing_dispatch_table_is_not_used() {
    let machine = Machine::plain();
    let none = |raw: &mut Raw| raw.functions = None;
    // The provider has accepted: the binding exists, and is shut. That is said, and it is taken down as others are.
    let raw = Raw::provider("r", &machine.log).with(none);
    assert_eq!(meet(&machine, &raw), (1, vec![None]));
    assert_eq!(answers(&machine, "ClientAttachProvider"), [ACCEPTED]);
    assert_eq!(
        machine.traced("is attached and cannot be called: its dispatch table"),
        1
    );
    assert_eq!(
        count(
            &machine.log,
            &["detach c", "free c", "detach r", "cleanup r"]
        ),
        [1; 4]
    );
    let raw = Raw::client("r", &machine.log).with(none);
    assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    assert_eq!(
        machine.traced("is declined: its dispatch table is missing"),
        1
    );
    machine.end();
}

#[test]
fn rule_23_a_missing_function_is_none() {
    let machine = Machine::plain();
    let without = |raw: &mut Raw| {
        raw.functions = Some(Block::of(&Functions {
            call: None,
            ..FUNCTIONS
        }));
    };
    let raw = Raw::provider("r", &machine.log).with(without);
    assert_eq!(meet(&machine, &raw), (1, vec![Some(None)]));
    machine.end();
}

#[test]
fn rule_23_short_registration_instances_are_declined() {
    let machine = Machine::plain();
    for size in [0, 4, 32, 39] {
        let short = |raw: &mut Raw| raw.instance_size = size;
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        machine.broken(&violation::SIZES, 1);
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
        machine.broken(&violation::SIZES, 1);
    }
    let declined = "is declined: its registration instance is too short";
    assert_eq!(machine.traced(declined), 8);
    machine.end();
}

#[test]
fn rule_23_module_ids_of_unknown_type_and_short_ones_are_declined() {
    let machine = Machine::plain();
    for kind in [0, 3, -1, i32::MAX] {
        let unknown = |raw: &mut Raw| {
            raw.id = Some(Block::of(&NPI_MODULEID {
                Type: kind,
                ..module_id(1)
            }));
        };
        let raw = Raw::provider("r", &machine.log).with(unknown);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        let raw = Raw::client("r", &machine.log).with(unknown);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    }
    // A GUID that is cut off, and a LUID that is; only as much memory as they declare.
    for (kind, length) in [(1, 8), (1, 16), (1, 20), (2, 8), (2, 12)] {
        let short = |raw: &mut Raw| {
            let id = NPI_MODULEID {
                Length: length,
                Type: kind,
                ..module_id(1)
            };
            raw.id = Some(Block::prefix(&id, usize::from(length)));
        };
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        machine.broken(&violation::SIZES, 1);
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
        machine.broken(&violation::SIZES, 1);
    }
    machine.end();
}

#[test]
fn rule_23_a_module_id_that_ends_with_its_luid_is_accepted() {
    let machine = Machine::plain();
    let by_luid = |raw: &mut Raw| {
        let id = NPI_MODULEID {
            Length: 16,
            Type: MIT_IF_LUID,
            ..module_id(0x1234)
        };
        raw.id = Some(Block::prefix(&id, 16));
    };
    let raw = Raw::provider("r", &machine.log).with(by_luid);
    raw.register();
    machine.broken(&violation::SIZES, 1);
    let caller = machine.caller();
    assert_eq!(
        locked(&caller.peers)[0].module(),
        ModuleId::InterfaceLuid(0x1234)
    );
    drop(caller);
    raw.end();
    machine.end();
}

#[test]
fn rule_23_a_missing_module_id_is_declined_and_a_missing_interface_cannot_register() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.id = None);
    assert_eq!(meet(&machine, &raw), (0, vec![]));
    machine.broken(&violation::INCOMPLETE, 1);
    let raw = Raw::client("r", &machine.log).with(|raw| raw.id = None);
    assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    machine.broken(&violation::INCOMPLETE, 1);
    for make in [Raw::client, Raw::provider] {
        let raw = make("r", &machine.log).with(|raw| raw.npi = None);
        assert_eq!(raw.register(), STATUS_INVALID_PARAMETER);
        machine.broken(&violation::INCOMPLETE, 1);
    }
    machine.end();
}

#[test]
fn rule_23_any_version_is_shown_and_left_to_the_module() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.instance_version = u16::MAX);
    raw.register();
    let caller = machine.caller();
    assert_eq!(locked(&caller.peers)[0].version(), u16::MAX);
    assert_eq!(caller.call(1), [Some(Some(1001))]);
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

// Calls.

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

// Detach.

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

// Cleanup.

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

// Deregistration.

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
        .args(["--exact", "panic_in_a_callback", "--ignored", "--nocapture"])
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
