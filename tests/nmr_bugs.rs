//! Mistakes that shipping drivers and simulators have made with the registrar: each is impossible with the library,
//! harmless with it, or named by the simulated kernel when it is made in C. What does not compile is in
//! `tests/ui/nmr_bug_*.rs`, named there by the same numbers.
//!
//! # Safety
//!
//! The unsafe code of this file calls kernel functions as a careless driver does.
#![expect(unsafe_code, reason = "plays careless drivers")]

mod common {
    #[expect(dead_code, reason = "the tests of the rules use more of it")]
    pub(crate) mod nmr_modules;
    #[expect(dead_code, reason = "the tests of the rules use more of it")]
    pub(crate) mod raw_nmr;
}

use std::io::Write as _;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{
    Binding, Client, ClientRegistration, Decision, Dispatch, Guard, Identity, ModuleId, Npi, Offer,
    Peer, Table,
};
use nmr_netdma::sys::{
    self, STATUS_INVALID_PARAMETER, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS,
};
use nmr_netdma::{Error, Guid};
use simkernel::mm;
use simkernel::netio::{LevelChoice, violation};

use self::common::nmr_modules::relay::{NOT_READY, Relay};
use self::common::nmr_modules::{
    Caller, Machine, SERVER, SHOWN, Server, begin, caller_identity, finish, flag, guard, locked,
    passive, register_caller, register_server, relay, until,
};
use self::common::raw_nmr::{Block, Raw, guid};

const ROUNDS: usize = if cfg!(miri) { 4 } else { 100 };

/// Waits for a millisecond, as a driver does that thinks itself at PASSIVE_LEVEL.
fn sleep() {
    let mut interval = sys::LARGE_INTEGER { QuadPart: -10_000 };
    let mode = sys::_MODE::KernelMode as sys::KPROCESSOR_MODE;
    // SAFETY: the interval lives during the call; the level is what the tests are about.
    let _ = unsafe { sys::KeDelayExecutionThread(mode, 0, &raw mut interval) };
}

#[test]
fn bug_01_completing_with_the_registration_handle() {
    let machine = Machine::plain();
    machine.kernel.nmr().patience(Duration::from_millis(20));
    let raw = Raw::client("r", &machine.log).on_detach(|raw| {
        raw.complete(raw.handle());
        STATUS_PENDING
    });
    let server = machine.server();
    raw.register();
    raw.deregister();
    let detail = machine.broken(&violation::HANDLE_KIND, 1);
    assert!(
        detail.contains("NmrClientDetachProviderComplete takes a binding"),
        "{detail}"
    );
    assert!(
        detail.contains("ClientDetachProvider of client"),
        "{detail}"
    );
    // What hangs on Windows is named here as well.
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            until("the wait is reported", || {
                !machine.kernel.violations().is_empty()
            });
            raw.complete(raw.binding());
        });
        assert_eq!(raw.wait(), STATUS_SUCCESS);
    });
    let detail = machine.broken(&violation::STUCK, 1);
    assert!(
        detail.contains("client answered STATUS_PENDING and has not completed"),
        "{detail}"
    );
    drop(server);
    machine.end();
}

/// A client of one provider at a time: declines while a binding is open.
fn single(machine: &Machine) -> Caller {
    let current = Mutex::new(None::<nmr_netdma::nmr::Binding<Relay>>);
    Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
        let mut current = locked(&current);
        if current
            .as_ref()
            .is_some_and(|binding| binding.enter().is_some())
        {
            caller.log.record("decline", "c");
            return offer.decline();
        }
        *current = Some(offer.binding());
        caller.accept(offer, irql)
    })
}

#[test]
fn bug_02_attaching_again_after_a_detach() {
    let machine = Machine::plain();
    let caller = register_caller(&machine.image, single(&machine));
    for round in 1..=3 {
        let (first, second) = (machine.server(), machine.server());
        assert_eq!(machine.log.count("decline c"), round);
        let mut expected = vec![None; round - 1];
        expected.push(Some(Some(101)));
        assert_eq!(caller.call(1), expected);
        drop((first, second));
        // No table dangles: each binding of the past is shut.
        assert_eq!(caller.call(1), vec![None; round]);
    }
    drop(caller);
    machine.end();
}

#[test]
fn bug_03_waiting_in_a_detach_callback_at_dispatch_level() {
    let machine = Machine::plain();
    machine.kernel.nmr().detach_level(LevelChoice::Dispatch);
    let raw = Raw::provider("r", &machine.log).on_detach(|_| {
        sleep();
        STATUS_SUCCESS
    });
    raw.register();
    drop(machine.caller());
    let detail = machine.broken(&violation::CALLBACK_LEVEL, 1);
    for part in ["KeDelayExecutionThread", "ProviderDetachClient of provider"] {
        assert!(detail.contains(part), "{detail}");
    }
    raw.end();
    machine.end();
}

#[test]
fn bug_04_detach_and_cleanup_of_the_library_at_dispatch_level() {
    for level in [LevelChoice::Lowest, LevelChoice::Dispatch] {
        let machine = Machine::plain();
        machine.kernel.nmr().detach_level(level);
        let (server, caller) = (machine.server(), machine.caller());
        let guard = guard(&caller);
        let ending = begin(caller);
        drop(guard);
        finish(ending);
        drop(server);
        for event in machine.log.take() {
            let may_rise = event.text.starts_with("detach") || event.text.starts_with("free");
            let raised = may_rise && level == LevelChoice::Dispatch;
            assert_eq!(event.irql, if raised { 2 } else { 0 }, "{event:?}");
        }
        machine.end();
    }
}

#[test]
fn bug_05_the_context_after_the_completion() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    // Outlives the binding, and is what a careless driver would still look at.
    let (handle, guard) = (caller.binding(0), guard(&caller));
    let ending = begin(caller);
    drop(guard);
    assert_eq!(machine.log.count("free c"), 1);
    assert!(handle.enter().is_none());
    finish(ending);
    drop(server);
    assert!(handle.enter().is_none());
    drop(handle);
    machine.end();
}

#[test]
fn bug_06_the_peer_still_calls_after_detach() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    let guard = guard(&caller);
    let ending = begin(caller);
    // The provider's detach callback has returned; a call of before needs its context.
    assert_eq!(machine.log.count("detach p"), 1);
    assert_eq!(relay::call(&guard, 1), Some(101));
    assert_eq!(machine.log.count("free p"), 0);
    drop(guard);
    assert_eq!(machine.log.count("free p"), 1);
    finish(ending);
    drop(server);
    machine.end();
}

#[test]
fn bug_07_deregistering_what_was_never_registered() {
    let machine = Machine::plain();
    // SAFETY: the simulated kernel takes any value for a handle.
    let status = unsafe { sys::NmrDeregisterProvider(null_mut()) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    machine.broken(&violation::HANDLE_NOT_GIVEN, 1);

    // A driver's initialisation that fails in the middle: what there is ends, what there is not cannot.
    machine.kernel.nmr().fail_registration(Some(2));
    let initialise = || {
        let server = machine.server();
        let caller = Caller::new("c", &machine.log);
        let identity = caller_identity();
        let caller =
            ClientRegistration::register(&machine.image, caller, identity, &mut passive())?;
        Ok::<_, Error>((server, caller))
    };
    assert_eq!(initialise().map(drop), Err(Error::INSUFFICIENT_RESOURCES));
    assert_eq!(machine.image.registered(&mut passive()), 0);
    machine.end();
}

#[test]
fn bug_08_what_the_provider_shows_after_it_is_gone() {
    let machine = Machine::plain();
    let caller = machine.caller();
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.shows = Some(Block::of(&SHOWN)));
    raw.register();
    assert_eq!(caller.call(1), [Some(Some(1001))]);
    raw.end();
    // Its memory is unmapped now.
    drop(raw);
    assert_eq!(locked(&caller.peers)[0].shown, Some(SHOWN));
    assert_eq!(caller.call(1), [None]);
    drop(caller);
    machine.end();
}

/// An interface whose providers show a function.
mod naming {
    use super::*;

    pub(super) enum Naming {}

    #[derive(Clone, Copy)]
    #[repr(C)]
    pub(super) struct Shown {
        name: Option<unsafe extern "system" fn() -> u32>,
    }

    impl Shown {
        pub(super) const fn new(name: unsafe extern "system" fn() -> u32) -> Self {
            Self { name: Some(name) }
        }
    }

    // SAFETY: C layout, and the function is optional.
    unsafe impl Table for Shown {}
    // SAFETY: the modules of this file are all there are.
    unsafe impl Npi for Naming {
        const ID: Guid = Guid::parse("81f7a1f4-6d0b-4a53-8f0e-19c9a4b7c6a8");
        type ClientCharacteristics = ();
        type ProviderCharacteristics = Shown;
        type ClientDispatch = ();
        type ProviderDispatch = ();
    }

    fn call(shown: Option<&Shown>) -> Option<u32> {
        let name = shown?.name?;
        // SAFETY: the callers show that the provider is registered, and the interface has it called with no context.
        Some(unsafe { name() })
    }

    /// For clients: the name of a provider that is shown.
    pub(super) fn offered(provider: &Peer<'_, Shown>) -> Option<u32> {
        call(provider.characteristics())
    }

    /// For clients: the name of a provider that is attached.
    pub(super) fn attached(provider: &Guard<Naming>) -> Option<u32> {
        call(provider.characteristics())
    }
}

/// A client that asks for the name when it is offered a provider.
#[derive(Default)]
struct Asking {
    bindings: Mutex<Vec<Binding<naming::Naming>>>,
    offered: Mutex<Vec<Option<u32>>>,
}

impl Client for Asking {
    type Npi = naming::Naming;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        locked(&self.offered).push(naming::offered(offer.peer()));
        locked(&self.bindings).push(offer.binding());
        match offer.accept((), Dispatch::none(), irql) {
            Ok(decision) => decision,
            Err(refused) => refused.decline(),
        }
    }
}

#[test]
fn bug_08_functions_that_a_provider_shows_are_called_while_it_is_there() {
    unsafe extern "system" fn name() -> u32 {
        7
    }

    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).with(|raw| {
        raw.npi = Some(naming::Naming::ID.to_sys());
        raw.shows = Some(Block::of(&naming::Shown::new(name)));
        raw.functions = None;
    });
    raw.register();
    let (asking, identity) = (Asking::default(), Identity::new(SERVER));
    let client = ClientRegistration::register(&machine.image, asking, identity, &mut passive())
        .expect("the client registers");
    assert_eq!(*locked(&client.offered), [Some(7)]);
    let binding = locked(&client.bindings)[0].clone();
    assert_eq!(binding.call(naming::attached), Some(Some(7)));
    raw.end();
    // Its memory is unmapped now.
    drop(raw);
    assert_eq!(binding.call(naming::attached), None);
    drop((binding, client));
    machine.end();
}

#[test]
fn bug_08_a_call_in_progress_keeps_the_provider() {
    let machine = Machine::plain();
    let (inside, is_inside) = flag();
    let (leave, may_leave) = flag();
    let server = Server::new("p", &machine.log).on_call(move |_| {
        inside.store(true, Ordering::SeqCst);
        until("the call may end", || may_leave.load(Ordering::SeqCst));
    });
    let server = register_server(&machine.image, server);
    let caller = machine.caller();
    let ending = thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            assert_eq!(caller.call(1), [Some(Some(101))]);
        });
        until("the call has begun", || is_inside.load(Ordering::SeqCst));
        let ending = server
            .begin_deregister(&mut passive())
            .expect("as documented");
        assert_eq!(machine.log.count("detach p"), 1);
        assert_eq!(machine.log.count("free p"), 0);
        leave.store(true, Ordering::SeqCst);
        ending
    });
    assert_eq!(machine.log.count("free p"), 1);
    drop(ending.wait(&mut passive()).expect("as documented"));
    drop(caller);
    machine.end();
}

#[test]
fn bug_09_a_detach_that_races_the_end_of_the_attach() {
    let machine = Machine::with_seed(1);
    machine.kernel.nmr().tracing(false);
    for _ in 0..ROUNDS {
        let caller = machine.caller();
        let (done, is_done) = flag();
        thread::scope(|scope| {
            // Comes and goes at once.
            scope.spawn(|| {
                let _entered = machine.kernel.enter(1);
                drop(machine.server());
                done.store(true, Ordering::SeqCst);
            });
            // Calls as soon as there is a binding.
            scope.spawn(|| {
                let _entered = machine.kernel.enter(2);
                while !is_done.load(Ordering::SeqCst) {
                    for answer in caller.call(1) {
                        assert!(matches!(answer, None | Some(Some(101))));
                    }
                }
            });
        });
        assert_eq!(caller.call(1), [None]);
        for text in ["attach c", "detach c", "free c", "free p"] {
            assert_eq!(machine.log.count(text), 1, "{text}");
        }
        drop(caller);
        machine.log.take();
    }
    machine.end();
}

#[test]
fn bug_10_two_providers_or_none() {
    let machine = Machine::plain();
    let caller = machine.caller();
    // None: a value, not a wait.
    assert_eq!(caller.call(1), []);
    let first = Raw::provider("r", &machine.log);
    first.register();
    let second = machine.server();
    // Neither took the other's place.
    assert_eq!(caller.call(1), [Some(Some(1001)), Some(Some(101))]);
    drop(second);
    assert_eq!(caller.call(1), [Some(Some(1001)), None]);
    first.end();
    assert_eq!(caller.call(1), [None, None]);
    drop(caller);
    machine.end();
}

#[test]
fn bug_11_declining_a_second_provider_leaves_the_first_alone() {
    let machine = Machine::plain();
    let caller = register_caller(&machine.image, single(&machine));
    let first = machine.server();
    let guard = guard(&caller);
    let second = machine.server();
    assert_eq!(machine.log.count("decline c"), 1);
    assert_eq!(machine.kernel.nmr().bindings(), 1);
    assert_eq!(relay::call(&guard, 1), Some(101));
    // The first one's call still counts.
    let ending = first
        .begin_deregister(&mut passive())
        .expect("as documented");
    assert_eq!(machine.log.count("free c"), 0);
    drop(second);
    assert_eq!(machine.log.count("free c"), 0);
    drop(guard);
    assert_eq!(machine.log.count("free c"), 1);
    drop(ending.wait(&mut passive()).expect("as documented"));
    drop(caller);
    machine.end();
}

#[test]
fn bug_12_a_callback_before_registering_returns_finds_all_of_the_module() {
    let machine = Machine::plain();
    let server = machine.server();
    let prepared = Box::new(7_u32);
    let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
        let decision = caller.accept(offer, irql);
        let answers = caller.call(*prepared);
        caller.log.record(
            if answers == [Some(Some(107))] {
                "ready"
            } else {
                "half"
            },
            "c",
        );
        decision
    });
    let caller = register_caller(&machine.image, caller);
    assert_eq!(
        machine.log.texts(),
        ["attach c", "attach p", "call p", "ready c"]
    );
    drop((caller, server));
    machine.end();
}

#[test]
fn bug_13_calls_tried_before_the_binding_is_complete_do_not_count() {
    let machine = Machine::with_seed(1);
    machine.kernel.nmr().tracing(false);
    for _ in 0..ROUNDS {
        let slot = Arc::new(Mutex::new(None));
        let offered = Arc::clone(&slot);
        let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
            *locked(&offered) = Some(offer.binding());
            caller.accept(offer, irql)
        });
        let server = machine.server();
        let (done, is_done) = flag();
        let tries = AtomicUsize::new(0);
        let caller = thread::scope(|scope| {
            scope.spawn(|| {
                let _entered = machine.kernel.enter(1);
                let mut found = None;
                until("there is an offer", || {
                    found = locked(&slot).clone();
                    found.is_some()
                });
                // Begins before the binding is open and ends after.
                while !is_done.load(Ordering::SeqCst) || tries.load(Ordering::SeqCst) == 0 {
                    drop(found.as_ref().and_then(nmr_netdma::nmr::Binding::enter));
                    tries.fetch_add(1, Ordering::SeqCst);
                }
            });
            let caller = register_caller(&machine.image, caller);
            done.store(true, Ordering::SeqCst);
            caller
        });
        drop(caller);
        assert_eq!(machine.log.count("free c"), 1);
        drop(server);
        machine.log.take();
    }
    machine.end();
}

/// Stops the process if a wait is reported that does not end, until `is_over`: a thread that waits in the kernel cannot be stopped
/// alone.
fn watch(machine: &Machine, is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        if let Some(violation) = machine.kernel.violations().first() {
            // Past the test harness, which shows what a test prints only when the test has ended.
            _ = writeln!(std::io::stderr(), "a completion is lost: {violation}");
            std::process::abort();
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Who tries while the binding is not yet complete may be turned away only after it was detached. Then the detach waits for that
/// one, who ends it.
#[test]
fn bug_13_a_call_tried_before_the_binding_is_complete_may_outlast_it() {
    const TRYING: u32 = 3;

    let machine = Machine::with_seed(1);
    machine.kernel.nmr().tracing(false);
    let server = machine.server();
    let offered = Arc::new(Mutex::new(None));
    let (over, is_over) = flag();
    thread::scope(|scope| {
        scope.spawn(|| watch(&machine, &is_over));
        for processor in 1..=TRYING {
            let (machine, offered, is_over) = (&machine, &offered, &is_over);
            scope.spawn(move || {
                let _entered = machine.kernel.enter(processor);
                while !is_over.load(Ordering::SeqCst) {
                    let binding = locked(offered).clone();
                    for _ in 0..100 {
                        drop(binding.as_ref().and_then(nmr_netdma::nmr::Binding::enter));
                    }
                }
            });
        }
        for _ in 0..ROUNDS / 4 {
            let publish = Arc::clone(&offered);
            let caller = Caller::new("c", &machine.log).on_attach(move |caller, offer, irql| {
                *locked(&publish) = Some(offer.binding());
                // With fewer processors than threads, this one goes on when another is stopped in the middle of a try.
                for _ in 0..TRYING {
                    thread::yield_now();
                }
                caller.accept(offer, irql)
            });
            drop(register_caller(&machine.image, caller));
        }
        over.store(true, Ordering::SeqCst);
    });
    assert_eq!(machine.log.count("free c"), ROUNDS / 4);
    drop(server);
    drop(locked(&offered).take());
    machine.end();
}

#[test]
fn bug_14_data_is_there_while_a_call_uses_it() {
    let machine = Machine::plain();
    let (server, caller) = (machine.server(), machine.caller());
    // The other direction: the client's context, while the provider calls.
    let call = server.binding(0).enter().expect("attached");
    let ending = begin(caller);
    assert_eq!(machine.log.count("detach c"), 1);
    assert_eq!(relay::call(&call, 1), Some(11));
    assert_eq!(machine.log.count("free c"), 0);
    drop(call);
    assert_eq!(machine.log.count("free c"), 1);
    finish(ending);
    drop(server);
    machine.end();
}

#[test]
fn bug_15_a_failed_attach_rolls_back() {
    let machine = Machine::plain();
    let server = machine.server();
    machine.kernel.nmr().fail_attach(Some(1));
    // That the context comes back as it was is checked by the client.
    let caller = machine.caller();
    assert_eq!(*locked(&caller.refusals), [Error::INSUFFICIENT_RESOURCES]);
    assert_eq!(machine.log.texts(), ["attach c", "free c"]);
    assert_eq!(machine.kernel.nmr().bindings(), 0);
    // The next one attaches.
    let later = machine.server();
    assert_eq!(caller.call(1), [Some(Some(101))]);
    drop((server, later));
    drop(caller);
    assert_eq!(machine.log.count("free c"), 1);
    machine.end();
}

#[test]
fn bug_16_a_detach_that_waits_for_what_its_own_thread_holds() {
    let machine = Machine::plain();
    // The client waits, in the detach callback, for the deregistration that called it.
    let provider = Arc::new(Raw::provider("p", &machine.log));
    let waited_for = Arc::clone(&provider);
    let client = Raw::client("c", &machine.log).on_detach(move |_| {
        assert_ne!(waited_for.wait(), STATUS_SUCCESS);
        STATUS_SUCCESS
    });
    provider.register();
    client.register();
    assert_eq!(provider.deregister(), STATUS_PENDING);
    let detail = machine.broken(&violation::WAIT_IN_CALLBACK, 1);
    for part in ["provider", "inside ClientDetachProvider of client"] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    client.end();

    // Or for anything else, at the level that detach may have; here as a late comer on the registering thread.
    machine.kernel.nmr().detach_level(LevelChoice::Dispatch);
    let late = Raw::provider("late", &machine.log)
        .on_attach(|raw, _| {
            raw.deregister();
            STATUS_SUCCESS
        })
        .on_detach(|_| {
            sleep();
            STATUS_SUCCESS
        });
    late.register();
    let caller = machine.caller();
    let detail = machine.broken(&violation::CALLBACK_LEVEL, 1);
    assert!(
        detail.contains("ProviderDetachClient of provider"),
        "{detail}"
    );
    assert_eq!(late.wait(), STATUS_SUCCESS);
    drop(caller);
    machine.end();
}

#[test]
fn bug_17_calling_the_peer_before_the_binding_is_decided() {
    for accepts in [true, false] {
        let machine = Machine::plain();
        let answer = Arc::new(AtomicUsize::new(0));
        let early = Arc::clone(&answer);
        let raw = Raw::provider("r", &machine.log).on_attach(move |raw, _| {
            early.store(raw.call_peer(1) as usize, Ordering::SeqCst);
            if accepts {
                STATUS_SUCCESS
            } else {
                STATUS_NOINTERFACE
            }
        });
        raw.register();
        // The client's own way is shut until then, which its attach callback checks.
        let caller = machine.caller();
        assert_eq!(answer.load(Ordering::SeqCst), NOT_READY as usize);
        assert_eq!(machine.log.count("call c"), 0);
        drop(caller);
        raw.end();
        machine.end();
    }
}

#[test]
fn bug_18_a_provider_that_keeps_the_binding_is_named() {
    let machine = Machine::plain();
    machine.kernel.nmr().patience(Duration::from_millis(20));
    let raw = Raw::provider("r", &machine.log).on_detach(|_| STATUS_PENDING);
    raw.register();
    let (caller, other) = (machine.caller(), machine.server());
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = machine.kernel.enter(1);
            until("the wait is reported", || {
                !machine.kernel.violations().is_empty()
            });
            raw.complete(raw.binding());
        });
        drop(caller);
    });
    let detail = machine.broken(&violation::STUCK, 1);
    let client = "client 0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11/0";
    for part in [
        client,
        "with provider 00000072-0000-0000-0000-000000000000/7",
    ] {
        assert!(detail.contains(part), "{detail}");
    }
    let holder = "provider answered STATUS_PENDING and has not completed";
    assert!(detail.contains(holder), "{detail}");
    assert!(
        !detail.contains("provider luid"),
        "the other binding is done: {detail}"
    );
    drop(other);
    raw.end();
    machine.end();
}

#[test]
fn bug_19_a_client_can_insist_on_one_module() {
    let machine = Machine::plain();
    let caller = Caller::new("c", &machine.log).on_attach(|caller, offer, irql| {
        match offer.only_from(SERVER) {
            Ok(offer) => caller.accept(offer, irql),
            Err(declined) => declined,
        }
    });
    let caller = register_caller(&machine.image, caller);
    let stranger = Raw::provider("r", &machine.log);
    stranger.register();
    assert_eq!(
        machine.log.texts(),
        ["attach c"],
        "the stranger was not even asked"
    );
    let server = machine.server();
    assert_eq!(caller.call(1), [Some(Some(101))]);
    let modules: Vec<_> = locked(&caller.peers)
        .iter()
        .map(|peer| peer.module)
        .collect();
    let stranger_id = Guid::parse("00000072-0000-0000-0000-000000000000");
    assert_eq!(modules, [ModuleId::Guid(stranger_id), SERVER]);
    drop((caller, server));
    stranger.end();
    machine.end();
}

#[test]
fn bug_20_the_simulated_registrar_has_none_of_the_others_faults() {
    // A missing interface is refused and named.
    let machine = Machine::plain();
    let raw = Raw::client("r", &machine.log).with(|raw| raw.npi = None);
    assert_eq!(raw.register(), STATUS_INVALID_PARAMETER);
    machine.broken(&violation::INCOMPLETE, 1);

    // A failing attach races a deregistration: nothing hangs, nothing is called afterwards.
    for _ in 0..ROUNDS {
        let provider = Raw::provider("p", &machine.log).on_attach(|_, _| STATUS_NOINTERFACE);
        let client = Raw::client("c", &machine.log);
        provider.register();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _entered = machine.kernel.enter(1);
                start.wait();
                client.register();
            });
            start.wait();
            provider.end();
        });
        client.end();
        let texts = machine.log.texts();
        assert!(
            texts.is_empty() || texts == ["attach c", "attach p"],
            "{texts:?}"
        );
    }

    // Handles given out on several threads at once are different, and good.
    let start = Barrier::new(3);
    let handles: Vec<usize> = thread::scope(|scope| {
        let threads: Vec<_> = (1..=3)
            .map(|processor| {
                let (machine, start) = (&machine, &start);
                scope.spawn(move || {
                    let _entered = machine.kernel.enter(processor);
                    start.wait();
                    let clients: Vec<_> = (0..ROUNDS)
                        .map(|_| Raw::client("c", &machine.log).with(|raw| raw.npi = Some(guid(2))))
                        .collect();
                    for client in &clients {
                        assert_eq!(client.register(), STATUS_SUCCESS);
                    }
                    let handles: Vec<_> = clients
                        .iter()
                        .map(|client| client.handle().addr())
                        .collect();
                    clients.iter().for_each(Raw::end);
                    handles
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let mut different = handles.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), handles.len());

    // A client that fails after its attach succeeded: the provider is told and cleaned up.
    let server = machine.server();
    let client = Raw::client("r", &machine.log).on_attach(|raw, binding| {
        assert_eq!(raw.attach_provider(binding), STATUS_SUCCESS);
        STATUS_NOINTERFACE
    });
    client.register();
    machine.broken(&violation::ATTACH_ANSWER, 1);
    assert_eq!(
        machine.log.texts(),
        ["attach r", "attach p", "detach p", "free p"]
    );
    client.end();
    drop(server);
    machine.end();
}

#[test]
fn bug_21_memory_goes_back_where_it_came_from() {
    // In C: the pool's own memory, freed as another's, is named.
    let machine = Machine::plain();
    let pool = sys::_POOL_TYPE::NonPagedPool;
    // SAFETY: a size and a tag, at PASSIVE_LEVEL.
    let memory = unsafe { sys::ExAllocatePoolWithTag(pool, 64, u32::from_le_bytes(*b"Mine")) };
    assert!(!memory.is_null());
    // SAFETY: allocated above; the wrong tag is the test.
    unsafe { sys::ExFreePoolWithTag(memory, u32::from_le_bytes(*b"Thei")) };
    machine.broken(&mm::violation::FREE_TAG, 1);
    machine.end();

    // The library: each point of failure, on the way to a binding and back, until none is left.
    for point in 1.. {
        let machine = Machine::plain();
        let server = machine.server();
        machine.kernel.fail_allocation(Some(point));
        let caller = Caller::new("c", &machine.log);
        let registered =
            ClientRegistration::register(&machine.image, caller, caller_identity(), &mut passive());
        let failed = machine.kernel.failed_allocations();
        machine.kernel.fail_allocation(None);
        if let Ok(caller) = registered {
            let attached = caller.call(1) == [Some(Some(101))];
            assert_eq!(attached, failed == 0);
            drop(caller);
        }
        drop(server);
        machine.end();
        if failed == 0 {
            assert!(point > 4, "there are points of failure");
            break;
        }
    }
}
