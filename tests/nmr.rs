//! `nmr`: clients and providers on the simulated registrar, and peers that do not keep the contract.
//!
//! # Safety
//!
//! The unsafe code of this file is what the author of an interface writes ([`echo`]), what a careless C driver does
//! ([`careless`]), and the statement that the booting thread is at PASSIVE_LEVEL.
#![expect(
    unsafe_code,
    reason = "declares an interface and plays a careless C driver"
)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Binding, Claim, Client, ClientRegistration, Decision, Guard, Identity, ModuleId, Offer,
    Peer, Provider, ProviderRegistration, Request, Single, ToClient,
};
use nmr_netdma::{Error, Guid, Result};
use simkernel::fault::{self, Fault};
use simkernel::{Config, Kernel, Verdict};

use self::echo::{CallerShows, Echo};

/// The interface that the tests speak.
mod echo {
    use core::ffi::c_void;
    use core::mem::offset_of;

    use nmr_netdma::Guid;
    use nmr_netdma::nmr::{
        Client, ClientDispatch, Dispatch, Extent, Guard, Npi, Provider, ProviderDispatch, Table,
        ToClient, client_context, provider_context,
    };

    pub(crate) enum Echo {}

    type Function = unsafe extern "system" fn(*mut c_void, u32) -> u32;

    /// What a function answers that does not want to be called now.
    pub(crate) const NOT_READY: u32 = u32::MAX;

    #[derive(Clone, Copy)]
    #[repr(C)]
    pub(crate) struct ServerFunctions {
        pub(crate) size: u32,
        pub(crate) echo: Option<Function>,
        /// New in the second version.
        pub(crate) twice: Option<Function>,
    }

    #[derive(Clone, Copy)]
    #[repr(C)]
    pub(crate) struct CallerFunctions {
        pub(crate) notify: Option<Function>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(C)]
    pub(crate) struct CallerShows {
        pub(crate) size: u16,
        pub(crate) kind: u16,
        /// New in the second version.
        pub(crate) colour: u32,
    }

    // SAFETY: C layout, functions are optional, and zero is none.
    unsafe impl Table for ServerFunctions {
        const EXTENT: Extent = Extent::u32_at(0, offset_of!(ServerFunctions, twice));
    }
    // SAFETY: C layout, and the function is optional.
    unsafe impl Table for CallerFunctions {}
    // SAFETY: C layout of integers.
    unsafe impl Table for CallerShows {
        const EXTENT: Extent = Extent::u16_at(0, offset_of!(CallerShows, colour));
    }

    // SAFETY: the modules of this file are all there are, and keep to this declaration.
    unsafe impl Npi for Echo {
        const ID: Guid = Guid::parse("5d1f9c02-74c7-4f5e-8b28-6a8b90c25a01");
        type ClientCharacteristics = CallerShows;
        type ProviderCharacteristics = ();
        type ClientDispatch = CallerFunctions;
        type ProviderDispatch = ServerFunctions;
    }

    pub(crate) fn echo(server: &Guard<Echo>, value: u32) -> Option<u32> {
        let echo = server.dispatch().echo?;
        // SAFETY: the server is attached while the guard lives, and expects its own context.
        Some(unsafe { echo(server.context(), value) })
    }

    pub(crate) fn twice(server: &Guard<Echo>, value: u32) -> Option<u32> {
        let twice = server.dispatch().twice?;
        // SAFETY: the server is attached while the guard lives, and expects its own context.
        Some(unsafe { twice(server.context(), value) })
    }

    pub(crate) fn notify(caller: &Guard<Echo, ToClient>, value: u32) -> Option<u32> {
        let notify = caller.dispatch().notify?;
        // SAFETY: the caller is attached while the guard lives, and expects its own context.
        Some(unsafe { notify(caller.context(), value) })
    }

    pub(crate) trait Serves: Provider<Npi = Echo> {
        fn echo(&self, context: &Self::Context, value: u32) -> u32;
    }

    pub(crate) trait Calls: Client<Npi = Echo> {
        fn notify(&self, context: &Self::Context, value: u32) -> u32;
    }

    pub(crate) const fn server_functions<P: Serves>() -> ProviderDispatch<P> {
        unsafe extern "system" fn echo<P: Serves>(context: *mut c_void, value: u32) -> u32 {
            // SAFETY: a caller calls this with the context it got, while attached.
            let (server, context) = unsafe { provider_context::<P>(context) };
            server.echo(context, value)
        }
        unsafe extern "system" fn twice<P: Serves>(context: *mut c_void, value: u32) -> u32 {
            // SAFETY: a caller calls this with the context it got, while attached.
            let (server, context) = unsafe { provider_context::<P>(context) };
            2 * server.echo(context, value)
        }

        // SAFETY: both functions take their context for that of `P`.
        unsafe {
            Dispatch::new(
                const {
                    &ServerFunctions {
                        size: size_of::<ServerFunctions>() as u32,
                        echo: Some(echo::<P>),
                        twice: Some(twice::<P>),
                    }
                },
            )
        }
    }

    pub(crate) const fn caller_functions<C: Calls>() -> ClientDispatch<C> {
        unsafe extern "system" fn notify<C: Calls>(context: *mut c_void, value: u32) -> u32 {
            // SAFETY: a server calls this with the context it got, until it has detached.
            match unsafe { client_context::<C>(context) } {
                Some((caller, context)) => caller.notify(context, value),
                None => NOT_READY,
            }
        }

        // SAFETY: the function takes its context for that of `C`.
        unsafe {
            Dispatch::new(
                const {
                    &CallerFunctions {
                        notify: Some(notify::<C>),
                    }
                },
            )
        }
    }

    /// The table of a client that cannot be called.
    pub(crate) const fn no_caller_functions<C: Client<Npi = Echo>>() -> ClientDispatch<C> {
        // SAFETY: there is no function in it.
        unsafe { Dispatch::new(const { &CallerFunctions { notify: None } }) }
    }

    /// The table of a provider that cannot be called.
    pub(crate) const fn no_server_functions<P: Provider<Npi = Echo>>() -> ProviderDispatch<P> {
        const NONE: ServerFunctions = ServerFunctions {
            size: size_of::<ServerFunctions>() as u32,
            echo: None,
            twice: None,
        };
        // SAFETY: there is no function in it.
        unsafe { Dispatch::new(&NONE) }
    }
}

const CALLER: ModuleId = ModuleId::Guid(Guid::parse("0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11"));
const SERVER: ModuleId = ModuleId::InterfaceLuid(0x0006_0000_0123_4567);
const SHOWS: CallerShows = CallerShows {
    size: size_of::<CallerShows>() as u16,
    kind: 3,
    colour: 9,
};

fn caller_identity() -> Identity<CallerShows> {
    Identity::new(CALLER)
        .with_number(4)
        .with_version(1)
        .with_characteristics(SHOWS)
}

/// Which machines a test runs on.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=if cfg!(miri) { 2 } else { 16 };

/// What happened to one module.
#[derive(Default)]
struct Log {
    attached: AtomicUsize,
    detached: AtomicUsize,
    cleaned: AtomicUsize,
    refusals: Mutex<Vec<Error>>,
    notes: Mutex<Vec<u32>>,
}

impl Log {
    fn counts(&self) -> (usize, usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (
            count(&self.attached),
            count(&self.detached),
            count(&self.cleaned),
        )
    }
}

fn add(counter: &AtomicUsize) -> usize {
    counter.fetch_add(1, Ordering::SeqCst)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A binding's context, which says when it is cleaned up.
struct Context {
    log: Arc<Log>,
    tag: u32,
    held: Mutex<Option<Guard<Echo>>>,
}

impl Context {
    fn new(log: &Arc<Log>, tag: u32) -> Self {
        Self {
            log: Arc::clone(log),
            tag,
            held: Mutex::new(None),
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        add(&self.log.cleaned);
    }
}

#[derive(Default)]
struct Caller {
    log: Arc<Log>,
    bindings: Mutex<Vec<Binding<Echo>>>,
    peers: Mutex<Vec<Peer>>,
    /// How often to accept again after a refusal.
    retries: usize,
    declines: bool,
    /// Whether the context holds a guard of its own binding until detach.
    holds: bool,
}

impl Caller {
    fn binding(&self, index: usize) -> Binding<Echo> {
        locked(&self.bindings)[index].clone()
    }

    fn echo(&self, value: u32) -> Vec<Option<Option<u32>>> {
        let bindings = locked(&self.bindings).clone();
        bindings
            .iter()
            .map(|binding| binding.call(|server| echo::echo(server, value)))
            .collect()
    }
}

impl Client for Caller {
    type Npi = Echo;
    type Context = Context;

    fn attach<'a>(&self, mut offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        locked(&self.peers).push(*offer.peer());
        if self.declines {
            return offer.decline();
        }
        let binding = offer.binding();
        assert!(binding.enter().is_none(), "shut until attached");
        let mut context = Context::new(&self.log, 10);
        for _ in 0..=self.retries {
            match offer.accept(context, echo::caller_functions(), irql) {
                Ok(decision) => {
                    add(&self.log.attached);
                    locked(&self.bindings).push(binding);
                    return decision;
                }
                Err(refused) => {
                    assert_eq!(refused.context.tag, 10);
                    locked(&self.log.refusals).push(refused.error);
                    (offer, context) = (refused.offer, refused.context);
                }
            }
        }
        offer.decline()
    }

    fn detach(&self, context: &Context, _: &mut Irql<AtMostDispatch>) {
        add(&self.log.detached);
        drop(locked(&context.held).take());
    }
}

impl echo::Calls for Caller {
    fn notify(&self, context: &Context, value: u32) -> u32 {
        locked(&self.log.notes).push(value);
        if self.holds {
            *locked(&context.held) = self.binding(0).enter();
        }
        context.tag + value
    }
}

#[derive(Default)]
struct Server {
    log: Arc<Log>,
    bindings: Mutex<Vec<Binding<Echo, ToClient>>>,
    peers: Mutex<Vec<Peer<CallerShows>>>,
    /// How many clients to refuse first.
    refuses: AtomicUsize,
}

impl Server {
    fn notify(&self, value: u32) -> Vec<Option<Option<u32>>> {
        let bindings = locked(&self.bindings).clone();
        bindings
            .iter()
            .map(|binding| binding.call(|caller| echo::notify(caller, value)))
            .collect()
    }
}

impl Provider for Server {
    type Npi = Echo;
    type Context = Context;

    fn attach(&self, request: Request<Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        locked(&self.peers).push(*request.peer());
        let refuses = self.refuses.load(Ordering::SeqCst);
        if refuses != 0 {
            self.refuses.store(refuses - 1, Ordering::SeqCst);
            return Err(Error::DEVICE_NOT_READY);
        }
        add(&self.log.attached);
        let binding = request.binding();
        assert!(binding.enter().is_none(), "shut until accepted");
        locked(&self.bindings).push(binding);
        Ok(Accept {
            context: Context::new(&self.log, 100),
            dispatch: echo::server_functions(),
        })
    }

    fn detach(&self, _: &Context, _: &mut Irql<AtMostDispatch>) {
        add(&self.log.detached);
    }
}

impl echo::Serves for Server {
    fn echo(&self, context: &Context, value: u32) -> u32 {
        context.tag + value
    }
}

struct Machine {
    kernel: Kernel,
    image: Image,
    irql: Irql<Passive>,
}

impl Machine {
    fn boot() -> Self {
        Self::with_seed(1)
    }

    fn with_seed(seed: u64) -> Self {
        let kernel = Kernel::boot(Config {
            seed,
            ..Config::default()
        });
        // SAFETY: the thread that boots a machine is at PASSIVE_LEVEL in it.
        let mut irql = unsafe { Irql::<Passive>::assume() };
        Self {
            kernel,
            image: Image::new(&mut irql).expect("there is memory"),
            irql,
        }
    }

    fn caller(&mut self, caller: Caller) -> ClientRegistration<Caller> {
        ClientRegistration::register(&self.image, caller, caller_identity(), &mut self.irql)
            .expect("the client registers")
    }

    fn server(&mut self, server: Server) -> ProviderRegistration<Server> {
        ProviderRegistration::register(&self.image, server, Identity::new(SERVER), &mut self.irql)
            .expect("the provider registers")
    }

    fn shutdown(mut self) -> Verdict {
        self.image.wait_empty(&mut self.irql);
        drop(self.image);
        self.kernel.shutdown()
    }

    fn end(self) {
        let verdict = self.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

/// Lends the machine to other threads.
struct Threads<'a>(&'a Kernel);

// SAFETY: the other threads only enter, which reads what booting wrote.
unsafe impl Sync for Threads<'_> {}

// The whole life of a binding.

#[test]
fn a_client_meets_a_provider_that_was_there_before() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    assert_eq!(caller.echo(5), [Some(Some(105))]);
    assert_eq!(server.notify(7), [Some(Some(17))]);
    assert_eq!(*locked(&caller.log.notes), [7]);

    let caller = caller
        .deregister(&mut machine.irql)
        .expect("documented answers");
    assert_eq!(caller.log.counts(), (1, 1, 1));
    assert_eq!(server.log.counts(), (1, 1, 1));
    assert_eq!((caller.echo(5), server.notify(7)), (vec![None], vec![None]));
    drop((caller, server));
    machine.end();
}

#[test]
fn a_client_meets_a_provider_that_comes_later() {
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    assert_eq!(caller.echo(5), []);
    let server = machine.server(Server::default());
    assert_eq!(caller.echo(5), [Some(Some(105))]);

    let server = server
        .deregister(&mut machine.irql)
        .expect("documented answers");
    assert_eq!(
        (server.log.counts(), caller.log.counts()),
        ((1, 1, 1), (1, 1, 1))
    );
    assert_eq!(caller.echo(5), [None]);
    drop((caller, server));
    machine.end();
}

#[test]
fn each_side_sees_who_the_other_is() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let seen = locked(&server.peers)[0];
    assert_eq!(
        (seen.module(), seen.number(), seen.version()),
        (CALLER, 4, 1)
    );
    assert_eq!(seen.characteristics(), Some(&SHOWS));
    let seen = locked(&caller.peers)[0];
    assert_eq!(
        (seen.module(), seen.number(), seen.version()),
        (SERVER, 0, 0)
    );
    assert_eq!(seen.characteristics(), None);
    drop(caller);
    drop(server);
    machine.end();
}

#[test]
fn one_client_has_a_binding_with_each_provider() {
    for seed in SEEDS {
        let mut machine = Machine::with_seed(seed);
        let first = machine.server(Server::default());
        let caller = machine.caller(Caller::default());
        let second = machine.server(Server::default());
        assert_eq!(caller.echo(1), [Some(Some(101)), Some(Some(101))]);
        drop(first);
        assert_eq!(caller.echo(1), [None, Some(Some(101))]);
        drop(caller);
        assert_eq!(second.log.counts(), (1, 1, 1));
        drop(second);
        machine.end();
    }
}

#[test]
fn a_provider_that_comes_back_is_a_new_binding() {
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    let server = machine.server(Server::default());
    drop(server);
    let server = machine.server(Server::default());
    assert_eq!(caller.echo(1), [None, Some(Some(101))]);
    assert_eq!(caller.log.counts(), (2, 1, 1));
    drop(server);
    drop(caller);
    machine.end();
}

#[test]
fn a_late_handle_is_harmless() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let (there, back) = (caller.binding(0), locked(&server.bindings)[0].clone());
    drop(caller.deregister(&mut machine.irql));
    drop(server.deregister(&mut machine.irql));
    assert!(there.enter().is_none() && back.enter().is_none());
    drop((there, back));
    machine.end();
}

// Refusal.

#[test]
fn declining_leaves_nothing_behind() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller {
        declines: true,
        ..Caller::default()
    });
    assert_eq!(
        (locked(&caller.peers).len(), locked(&server.peers).len()),
        (1, 0)
    );
    assert_eq!(machine.kernel.nmr().bindings(), 0);
    drop(caller);
    drop(server);
    machine.end();
}

#[test]
fn a_refusal_hands_the_context_back() {
    let mut machine = Machine::boot();
    let server = machine.server(Server {
        refuses: AtomicUsize::new(1),
        ..Server::default()
    });
    let caller = machine.caller(Caller::default());
    assert_eq!(*locked(&caller.log.refusals), [Error::DEVICE_NOT_READY]);
    // The context was dropped by the client itself: neither detach nor cleanup follows a failed attach.
    assert_eq!(
        (caller.log.counts(), server.log.counts()),
        ((0, 0, 1), (0, 0, 0))
    );
    drop(caller);
    drop(server);
    machine.end();
}

#[test]
fn a_refused_client_may_try_again() {
    let mut machine = Machine::boot();
    let server = machine.server(Server {
        refuses: AtomicUsize::new(2),
        ..Server::default()
    });
    let caller = machine.caller(Caller {
        retries: 2,
        ..Caller::default()
    });
    assert_eq!(*locked(&caller.log.refusals), [Error::DEVICE_NOT_READY; 2]);
    assert_eq!(caller.echo(1), [Some(Some(101))]);
    drop(server);
    assert_eq!(caller.log.counts(), (1, 1, 1));
    drop(caller);
    machine.end();
}

// Detaching with calls in progress.

#[test]
fn the_last_guard_completes_the_detach() {
    for seed in SEEDS {
        let mut machine = Machine::with_seed(seed);
        let server = machine.server(Server::default());
        let caller = machine.caller(Caller::default());
        let guard = caller.binding(0).enter().expect("attached");
        let released = AtomicBool::new(false);
        let (start, wait) = mpsc::channel::<()>();
        let threads = Threads(&machine.kernel);
        let server = std::thread::scope(|scope| {
            scope.spawn(|| {
                let Threads(kernel) = &threads;
                let _entered = kernel.enter(1);
                let wait = wait;
                wait.recv()
                    .expect("the other thread is about to deregister");
                std::thread::sleep(Duration::from_millis(5));
                // The operation is still in progress, and the provider may be called.
                assert_eq!(echo::echo(&guard, 1), Some(101));
                released.store(true, Ordering::SeqCst);
                drop(guard);
            });
            start.send(()).expect("the other thread waits");
            let server = server
                .deregister(&mut machine.irql)
                .expect("documented answers");
            assert!(released.load(Ordering::SeqCst), "waited for the guard");
            server
        });
        assert_eq!(
            (server.log.counts(), caller.log.counts()),
            ((1, 1, 1), (1, 1, 1))
        );
        drop((caller, server));
        machine.end();
    }
}

#[test]
fn no_call_begins_once_detaching_has_begun() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let guard = caller.binding(0).enter().expect("attached");
    let ending = caller
        .begin_deregister(&mut machine.irql)
        .expect("documented answers");
    assert_eq!(echo::echo(&guard, 1), Some(101));
    assert_eq!(server.notify(1), [None]);
    assert_eq!(server.log.counts(), (1, 1, 0));
    drop(guard);
    assert_eq!(server.log.counts(), (1, 1, 1));
    let caller = ending.wait(&mut machine.irql).expect("documented answers");
    assert_eq!(caller.echo(1), [None]);
    drop((caller, server));
    machine.end();
}

#[test]
fn a_context_may_hold_its_own_guard_until_detach() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller {
        holds: true,
        ..Caller::default()
    });
    assert_eq!(server.notify(1), [Some(Some(11))]);
    drop(server);
    assert_eq!(caller.log.counts(), (1, 1, 1));
    drop(caller);
    machine.end();
}

#[test]
fn cleanup_may_follow_the_last_guard_at_once() {
    for seed in SEEDS {
        let mut machine = Machine::with_seed(seed);
        machine.kernel.nmr().early_cleanup(true);
        let server = machine.server(Server::default());
        let caller = machine.caller(Caller {
            holds: true,
            ..Caller::default()
        });
        server.notify(1);
        drop(caller);
        assert_eq!(server.log.counts(), (1, 1, 1));
        drop(server);
        machine.end();
    }
}

#[test]
fn callers_race_with_detaching() {
    const ROUNDS: u64 = if cfg!(miri) { 2 } else { 200 };

    for seed in 1..=ROUNDS {
        let mut machine = Machine::with_seed(seed);
        let server = machine.server(Server::default());
        let caller = machine.caller(Caller::default());
        let (there, back) = (caller.binding(0), locked(&server.bindings)[0].clone());
        let threads = Threads(&machine.kernel);
        let (caller, server) = std::thread::scope(|scope| {
            scope.spawn(|| {
                let Threads(kernel) = &threads;
                let _entered = kernel.enter(1);
                while let Some(answer) = there.call(|server| echo::echo(server, 1)) {
                    assert_eq!(answer, Some(101));
                }
            });
            scope.spawn(|| {
                let Threads(kernel) = &threads;
                let _entered = kernel.enter(2);
                while let Some(answer) = back.call(|caller| echo::notify(caller, 1)) {
                    assert_eq!(answer, Some(11));
                }
            });
            std::thread::yield_now();
            (caller.deregister(&mut machine.irql), server)
        });
        let caller = caller.expect("documented answers");
        assert_eq!(
            (caller.log.counts(), server.log.counts()),
            ((1, 1, 1), (1, 1, 1))
        );
        drop((caller, server));
        drop((there, back));
        machine.end();
    }
}

/// A client that keeps no handle of its binding.
struct Forgetful {
    guards: Mutex<Vec<Guard<Echo>>>,
}

impl Client for Forgetful {
    type Npi = Echo;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        let binding = offer.binding();
        match offer.accept((), echo::no_caller_functions(), irql) {
            Ok(decision) => {
                locked(&self.guards)
                    .extend([binding.enter(), binding.enter()].into_iter().flatten());
                decision
            }
            Err(refused) => refused.decline(),
        }
    }
}

/// The completion frees the gate while the guard that runs it is still being dropped: only Miri would see a use of it.
#[test]
fn the_last_guard_may_be_all_that_is_left_of_a_binding() {
    const ROUNDS: u64 = if cfg!(miri) { 8 } else { 100 };

    for seed in 1..=ROUNDS {
        let mut machine = Machine::with_seed(seed);
        let server = machine.server(Server::default());
        let client = Forgetful {
            guards: Mutex::default(),
        };
        let client = ClientRegistration::register(
            &machine.image,
            client,
            caller_identity(),
            &mut machine.irql,
        )
        .expect("the client registers");
        let guards = std::mem::take(&mut *locked(&client.guards));
        assert_eq!(guards.len(), 2);
        let ending = client
            .begin_deregister(&mut machine.irql)
            .expect("documented answers");
        let threads = Threads(&machine.kernel);
        std::thread::scope(|scope| {
            for (guard, processor) in guards.into_iter().zip(1..) {
                let threads = &threads;
                scope.spawn(move || {
                    let Threads(kernel) = threads;
                    let _entered = kernel.enter(processor);
                    assert_eq!(echo::echo(&guard, 1), Some(101));
                    drop(guard);
                });
            }
        });
        drop(ending.wait(&mut machine.irql).expect("documented answers"));
        assert_eq!(server.log.counts(), (1, 1, 1));
        drop(server);
        machine.end();
    }
}

/// A client and provider of one peer at a time, and of one module only.
struct Picky {
    single: Single,
    module: ModuleId,
    /// Whether another peer may come as soon as this one goes.
    releases: bool,
    log: Log,
}

impl Picky {
    fn new(machine: &mut Machine, module: ModuleId, releases: bool) -> Self {
        Self {
            single: Single::new(&mut machine.irql).expect("there is memory"),
            module,
            releases,
            log: Log::default(),
        }
    }
}

impl Client for Picky {
    type Npi = Echo;
    type Context = (Claim, Binding<Echo>);

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        let offer = match offer.only_from(self.module) {
            Ok(offer) => offer,
            Err(declined) => return declined,
        };
        let Some(claim) = self.single.claim() else {
            return offer.decline();
        };
        let context = (claim, offer.binding());
        match offer.accept(context, echo::no_caller_functions(), irql) {
            Ok(decision) => {
                add(&self.log.attached);
                decision
            }
            Err(refused) => refused.decline(),
        }
    }

    fn detach(&self, (claim, _): &Self::Context, _: &mut Irql<AtMostDispatch>) {
        if self.releases {
            claim.release();
        }
    }
}

impl Provider for Picky {
    type Npi = Echo;
    type Context = Claim;

    fn attach(&self, request: Request<Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        request.only_from(self.module)?;
        let context = self.single.claim().ok_or(Error::NO_INTERFACE)?;
        add(&self.log.attached);
        Ok(Accept {
            context,
            dispatch: echo::no_server_functions(),
        })
    }
}

#[test]
fn a_client_can_have_one_provider_at_a_time() {
    for releases in [false, true] {
        let mut machine = Machine::boot();
        let client = Picky::new(&mut machine, SERVER, releases);
        let client = ClientRegistration::register(
            &machine.image,
            client,
            caller_identity(),
            &mut machine.irql,
        )
        .expect("the client registers");
        let attached = || client.log.counts().0;
        // A refusal gives the place back.
        let refusing = machine.server(Server {
            refuses: AtomicUsize::new(1),
            ..Server::default()
        });
        assert_eq!(attached(), 0);
        let first = machine.server(Server::default());
        assert_eq!(attached(), 1);
        let second = machine.server(Server::default());
        assert_eq!((attached(), machine.kernel.nmr().bindings()), (1, 1));
        drop(second);
        assert_eq!(
            machine.kernel.nmr().bindings(),
            1,
            "the first is left alone"
        );
        // While the first is taken down, the next one comes.
        let held = locked(&first.bindings)[0].enter().expect("attached");
        let ending = first
            .begin_deregister(&mut machine.irql)
            .expect("documented answers");
        let third = machine.server(Server::default());
        assert_eq!(attached(), if releases { 2 } else { 1 });
        drop(held);
        drop(ending.wait(&mut machine.irql).expect("documented answers"));
        let fourth = machine.server(Server::default());
        assert_eq!(attached(), 2);
        drop((client, refusing, third, fourth));
        machine.end();
    }
}

#[test]
fn a_module_can_insist_on_another() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    for (module, met) in [(CALLER, 0), (SERVER, 1)] {
        let client = Picky::new(&mut machine, module, false);
        let client = ClientRegistration::register(
            &machine.image,
            client,
            caller_identity(),
            &mut machine.irql,
        )
        .expect("the client registers");
        assert_eq!((client.log.counts().0, server.log.counts().0), (met, met));
    }
    drop(server);
    let caller = machine.caller(Caller::default());
    for (module, refusals) in [(SERVER, 1), (CALLER, 1)] {
        let provider = Picky::new(&mut machine, module, false);
        let identity = Identity::new(SERVER);
        let provider =
            ProviderRegistration::register(&machine.image, provider, identity, &mut machine.irql)
                .expect("the provider registers");
        assert_eq!(
            *locked(&caller.log.refusals),
            vec![Error::NO_INTERFACE; refusals]
        );
        assert_eq!(provider.log.counts().0, usize::from(module == CALLER));
    }
    drop(caller);
    machine.end();
}

// Deregistering.

#[test]
fn deregistering_begins_at_dispatch_level_and_is_waited_for_later() {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    let caller = machine.caller(Caller::default());
    let ending = machine
        .irql
        .at_dispatch(|irql| caller.begin_deregister(irql));
    let ending = ending.expect("documented answers");
    let caller = ending.wait(&mut machine.irql).expect("documented answers");
    assert_eq!(caller.log.counts(), (1, 1, 1));
    drop(caller);
    let ending = machine
        .irql
        .at_dispatch(|irql| server.begin_deregister(irql));
    drop(ending);
    machine.end();
}

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn a_leaked_registration_is_named() {
    let mut machine = Machine::boot();
    std::mem::forget(machine.caller(Caller::default()));
    assert_eq!(machine.image.registered(&mut machine.irql), 1);
    // Not waited for: it would take for ever.
    drop(machine.image);
    let verdict = machine.kernel.shutdown();
    assert!(verdict.violations.is_empty(), "{verdict}");
    let leaked = |what: &str| {
        verdict
            .leaks
            .iter()
            .any(|leak| leak.to_string().contains(what))
    };
    assert!(
        leaked("client") && leaked("5d1f9c02-74c7-4f5e-8b28-6a8b90c25a01"),
        "{verdict}"
    );
}

// Failures on this side.

#[test]
fn a_failed_registration_hands_the_module_back() {
    let mut machine = Machine::boot();
    let log = Arc::<Log>::default();
    machine.kernel.nmr().fail_registration(Some(1));
    let caller = Caller {
        log: Arc::clone(&log),
        ..Caller::default()
    };
    let failed =
        ClientRegistration::register(&machine.image, caller, caller_identity(), &mut machine.irql)
            .expect_err("the registrar refuses");
    assert!(Arc::ptr_eq(&failed.value.log, &log));
    assert_eq!(failed.error, Error::INSUFFICIENT_RESOURCES);

    machine.kernel.nmr().fail_registration(Some(1));
    let server = Server {
        log: Arc::clone(&log),
        ..Server::default()
    };
    let identity = Identity::new(SERVER);
    let failed =
        ProviderRegistration::register(&machine.image, server, identity, &mut machine.irql)
            .expect_err("the registrar refuses");
    assert!(Arc::ptr_eq(&failed.value.log, &log));
    machine.end();
}

// Refusals, one by one.

/// Registers both, calls both ways and ends them, the first to come first; what the calls answered, or the first refusal.
fn pair(client_first: bool) -> Result<Vec<Option<Option<u32>>>> {
    // SAFETY: the thread that boots a machine is at PASSIVE_LEVEL in it.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    let image = Image::new(&mut irql)?;
    let client = |irql: &mut Irql<Passive>| {
        let caller = Caller::default();
        ClientRegistration::register(&image, caller, caller_identity(), irql).map_err(|failed| {
            assert_eq!(failed.value.log.counts(), (0, 0, 0));
            failed.error
        })
    };
    let provider = |irql: &mut Irql<Passive>| {
        let (server, identity) = (Server::default(), Identity::new(SERVER));
        ProviderRegistration::register(&image, server, identity, irql)
            .map_err(|failed| failed.error)
    };
    let (caller, server) = if client_first {
        let caller = client(&mut irql)?;
        (caller, provider(&mut irql)?)
    } else {
        let server = provider(&mut irql)?;
        (client(&mut irql)?, server)
    };
    let answers = [caller.echo(1), server.notify(1)].concat();
    let (ours, theirs) = (Arc::clone(&caller.log), Arc::clone(&server.log));
    if client_first {
        drop(caller);
        drop(server);
    } else {
        drop(server);
        drop(caller);
    }
    assert_eq!(image.registered(&mut irql), 0);
    // A client's context that comes back is dropped as one that is cleaned up.
    let ((attached, detached, _), (_, told, cleaned)) = (ours.counts(), theirs.counts());
    assert_eq!((detached, told, cleaned), (attached, attached, attached));
    Ok(answers)
}

#[test]
fn every_refusal_of_a_pair_is_orderly() {
    const WORKS: [Option<Option<u32>>; 2] = [Some(Some(101)), Some(Some(11))];

    for client_first in [false, true] {
        let outcomes = RefCell::new(Vec::new());
        let points = fault::each(&Config::default(), &Fault::ALL, |_| {
            outcomes.borrow_mut().push(pair(client_first));
        });
        let of_kind = |fault| points.iter().filter(|point| point.fault == fault).count();
        // The image; hold and block of each registration; gate and context of each side.
        assert_eq!(of_kind(Fault::Allocation), 9, "{points:#?}");
        assert_eq!(of_kind(Fault::Registration), 2, "{points:#?}");
        assert_eq!(of_kind(Fault::Attach), 1, "{points:#?}");
        assert_eq!(points.len(), 12, "{points:#?}");

        // The runs in which nothing failed: the first, and for each kind the one after its last point.
        let outcomes = outcomes.into_inner();
        let works = |outcome: &&Result<Vec<_>>| outcome.as_ref().is_ok_and(|calls| *calls == WORKS);
        assert_eq!(outcomes.iter().filter(works).count(), 1 + Fault::ALL.len());
        // The image, hold, block and the registrar for each module.
        let refused = |outcome: &&Result<_>| **outcome == Err(Error::INSUFFICIENT_RESOURCES);
        assert_eq!(outcomes.iter().filter(refused).count(), 7);
        // Gate and context of each side and the attach itself: no binding, or one that was never open.
        let unbound =
            |outcome: &&Result<Vec<_>>| outcome.as_ref().is_ok_and(|calls| calls.is_empty());
        assert_eq!(outcomes.iter().filter(unbound).count(), 5);
        assert_eq!(outcomes.len(), 1 + points.len() + Fault::ALL.len());
    }
}

#[test]
fn a_point_of_failure_says_which_call_it_was_and_where() {
    let points = fault::each(&Config::default(), &[Fault::Attach], |_| {
        let _ = pair(true);
    });
    let [point] = &points[..] else {
        panic!("{points:#?}");
    };
    assert_eq!((point.fault, point.n), (Fault::Attach, 1));
    let text = point.to_string();
    let parts = [
        "Attach is made to fail: client",
        "provider",
        "in ClientAttachProvider of client",
    ];
    for part in parts {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
#[should_panic(expected = "leaked")]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn what_a_refusal_leaves_behind_is_found() {
    fault::each(&Config::default(), &[Fault::Registration], |kernel| {
        // SAFETY: as in `pair`.
        let mut irql = unsafe { Irql::<Passive>::assume() };
        let image = Image::new(&mut irql).expect("there is memory");
        let mut register = || {
            let caller = Caller::default();
            ClientRegistration::register(&image, caller, caller_identity(), &mut irql)
        };
        let (first, second) = (register(), register());
        // The mistake: the first is forgotten when the second is refused.
        if second.is_err() && kernel.failed(Fault::Registration) == 1 {
            std::mem::forget(first);
        }
    });
}

// Peers that do not keep the contract.

/// A driver in C that makes mistakes.
mod careless {
    use core::cell::Cell;
    use core::ffi::c_void;
    use core::ptr;

    use nmr_netdma::nmr::Npi;
    use nmr_netdma::sys;

    use super::echo::{CallerFunctions, Echo, ServerFunctions};

    /// What the careless driver registers, and what it saw.
    pub(crate) struct Careless {
        pub(crate) id: sys::NPI_MODULEID,
        pub(crate) npi: sys::GUID,
        pub(crate) instance_size: u16,
        pub(crate) shows: *const c_void,
        pub(crate) functions: *const c_void,
        pub(crate) calls_early: bool,
        pub(crate) early_answer: Cell<Option<u32>>,
        pub(crate) attach_answer: Cell<Option<i32>>,
    }

    impl Careless {
        pub(crate) fn new() -> Self {
            let guid = sys::GUID {
                Data1: 1,
                ..sys::GUID::default()
            };
            Self {
                id: sys::NPI_MODULEID {
                    Length: 24,
                    Type: sys::MIT_GUID,
                    u: sys::NPI_MODULEID_u { Guid: guid },
                },
                npi: Echo::ID.to_sys(),
                instance_size: 40,
                shows: ptr::null(),
                functions: ptr::null(),
                calls_early: false,
                early_answer: Cell::new(None),
                attach_answer: Cell::new(None),
            }
        }

        fn instance(&self) -> sys::NPI_REGISTRATION_INSTANCE {
            sys::NPI_REGISTRATION_INSTANCE {
                Version: 0,
                Size: self.instance_size,
                NpiId: &raw const self.npi,
                ModuleId: &raw const self.id,
                Number: 0,
                NpiSpecificCharacteristics: self.shows,
            }
        }

        /// Registers as a provider, runs `body`, deregisters and waits.
        pub(crate) fn provide(&self, body: impl FnOnce()) {
            let characteristics = sys::NPI_PROVIDER_CHARACTERISTICS {
                Version: 0,
                Length: 72,
                ProviderAttachClient: Some(provider_attach),
                ProviderDetachClient: Some(detach),
                ProviderCleanupBindingContext: None,
                ProviderRegistrationInstance: self.instance(),
            };
            let mut handle = ptr::null_mut();
            let context = ptr::from_ref(self).cast_mut().cast();
            // SAFETY: all of it lives until the wait below has returned.
            let status = unsafe {
                sys::NmrRegisterProvider(&raw const characteristics, context, &raw mut handle)
            };
            assert_eq!(status, sys::STATUS_SUCCESS);
            body();
            // SAFETY: registered above.
            let status = unsafe { sys::NmrDeregisterProvider(handle) };
            assert_eq!(status, sys::STATUS_PENDING);
            // SAFETY: deregistration is pending.
            let status = unsafe { sys::NmrWaitForProviderDeregisterComplete(handle) };
            assert_eq!(status, sys::STATUS_SUCCESS);
        }

        /// Registers as a client, runs `body`, deregisters and waits.
        pub(crate) fn consume(&self, body: impl FnOnce()) {
            let characteristics = sys::NPI_CLIENT_CHARACTERISTICS {
                Version: 0,
                Length: 72,
                ClientAttachProvider: Some(client_attach),
                ClientDetachProvider: Some(detach),
                ClientCleanupBindingContext: None,
                ClientRegistrationInstance: self.instance(),
            };
            let mut handle = ptr::null_mut();
            let context = ptr::from_ref(self).cast_mut().cast();
            // SAFETY: all of it lives until the wait below has returned.
            let status = unsafe {
                sys::NmrRegisterClient(&raw const characteristics, context, &raw mut handle)
            };
            assert_eq!(status, sys::STATUS_SUCCESS);
            body();
            // SAFETY: registered above.
            let status = unsafe { sys::NmrDeregisterClient(handle) };
            assert_eq!(status, sys::STATUS_PENDING);
            // SAFETY: deregistration is pending.
            let status = unsafe { sys::NmrWaitForClientDeregisterComplete(handle) };
            assert_eq!(status, sys::STATUS_SUCCESS);
        }
    }

    unsafe extern "system" fn provider_attach(
        _binding: sys::HANDLE,
        context: sys::PVOID,
        _client: sys::PNPI_REGISTRATION_INSTANCE,
        client_context: sys::PVOID,
        client_dispatch: *const c_void,
        binding_context: *mut sys::PVOID,
        dispatch: *mut *const c_void,
    ) -> sys::NTSTATUS {
        // SAFETY: the context is what `provide` registered.
        let this = unsafe { &*context.cast::<Careless>() };
        if this.calls_early {
            // SAFETY: the tests' clients always have a table.
            let functions = unsafe { client_dispatch.cast::<CallerFunctions>().read() };
            // SAFETY: the wrong moment, but the right context.
            let answer = functions
                .notify
                .map(|notify| unsafe { notify(client_context, 1) });
            this.early_answer.set(answer);
        }
        // SAFETY: the registrar passes places for both.
        unsafe { binding_context.write(context) };
        // SAFETY: as above.
        unsafe { dispatch.write(this.functions) };
        sys::STATUS_SUCCESS
    }

    unsafe extern "system" fn client_attach(
        binding: sys::HANDLE,
        context: sys::PVOID,
        _provider: sys::PNPI_REGISTRATION_INSTANCE,
    ) -> sys::NTSTATUS {
        // SAFETY: the context is what `consume` registered.
        let this = unsafe { &*context.cast::<Careless>() };
        let mut provider_context = ptr::null_mut();
        let mut provider_dispatch = ptr::null();
        // SAFETY: inside the attach callback, with a context that lives as long as the registration.
        let status = unsafe {
            sys::NmrClientAttachProvider(
                binding,
                context,
                this.functions,
                &raw mut provider_context,
                &raw mut provider_dispatch,
            )
        };
        this.attach_answer.set(Some(status));
        status
    }

    unsafe extern "system" fn detach(_context: sys::PVOID) -> sys::NTSTATUS {
        sys::STATUS_SUCCESS
    }

    pub(crate) unsafe extern "system" fn plus_one(_context: *mut c_void, value: u32) -> u32 {
        value + 1
    }

    /// A table as the first version of the interface had it, followed by what is not the table's.
    pub(crate) static OLD_TABLE: ServerFunctions = ServerFunctions {
        size: core::mem::offset_of!(ServerFunctions, twice) as u32,
        echo: Some(plus_one),
        twice: Some(plus_one),
    };
}

use self::careless::Careless;

/// What a client of the library makes of a careless provider: whether it was asked at all, and its bindings' answers.
fn meet(careless: &Careless) -> (usize, Vec<Option<Option<u32>>>) {
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    let mut answers = Vec::new();
    careless.provide(|| answers = caller.echo(1));
    let asked = locked(&caller.peers).len();
    drop(caller);
    let verdict = machine.shutdown();
    assert!(verdict.leaks.is_empty(), "{verdict}");
    (asked, answers)
}

#[test]
fn a_peer_with_an_unknown_module_identifier_is_declined() {
    let mut careless = Careless::new();
    careless.id.Type = 7;
    assert_eq!(meet(&careless), (0, vec![]));
    let mut careless = Careless::new();
    careless.id.Length = 8;
    assert_eq!(meet(&careless), (0, vec![]));
}

#[test]
fn a_peer_with_a_short_registration_instance_is_declined() {
    let mut careless = Careless::new();
    careless.instance_size = 32;
    assert_eq!(meet(&careless), (0, vec![]));
}

#[test]
fn a_provider_without_functions_leaves_the_binding_shut() {
    assert_eq!(meet(&Careless::new()), (1, vec![None]));
}

#[test]
fn a_provider_with_too_few_functions_leaves_the_binding_shut() {
    let table = echo::ServerFunctions {
        size: 4,
        ..careless::OLD_TABLE
    };
    let mut careless = Careless::new();
    careless.functions = (&raw const table).cast();
    assert_eq!(meet(&careless), (1, vec![None]));
}

#[test]
fn what_an_older_provider_lacks_is_none() {
    let mut careless = Careless::new();
    careless.functions = (&raw const careless::OLD_TABLE).cast();
    let mut machine = Machine::boot();
    let caller = machine.caller(Caller::default());
    careless.provide(|| {
        let guard = caller.binding(0).enter().expect("attached");
        assert_eq!(
            (echo::echo(&guard, 1), echo::twice(&guard, 1)),
            (Some(2), None)
        );
    });
    drop(caller);
    machine.end();
}

#[test]
fn a_provider_that_calls_before_the_attach_is_decided_is_turned_away() {
    let mut careless = Careless::new();
    careless.functions = (&raw const careless::OLD_TABLE).cast();
    careless.calls_early = true;
    assert_eq!(meet(&careless), (1, vec![Some(Some(2))]));
    assert_eq!(careless.early_answer.get(), Some(echo::NOT_READY));
}

/// What a provider of the library answers a careless client, and whether it was asked at all.
fn serve(careless: &Careless) -> (usize, Option<i32>) {
    let mut machine = Machine::boot();
    let server = machine.server(Server::default());
    careless.consume(|| ());
    let asked = locked(&server.peers).len();
    drop(server);
    let verdict = machine.shutdown();
    assert!(verdict.leaks.is_empty(), "{verdict}");
    (asked, careless.attach_answer.get())
}

#[test]
fn a_client_without_functions_is_declined() {
    let answer = Some(Error::NO_INTERFACE.status().0);
    assert_eq!(serve(&Careless::new()), (0, answer));
}

#[test]
fn a_client_that_shows_too_little_is_declined() {
    let functions = echo::CallerFunctions { notify: None };
    let shows = CallerShows { size: 2, ..SHOWS };
    let mut careless = Careless::new();
    careless.functions = (&raw const functions).cast();
    careless.shows = (&raw const shows).cast();
    assert_eq!(serve(&careless), (0, Some(Error::NO_INTERFACE.status().0)));
    careless.shows = std::ptr::from_ref(&SHOWS).cast();
    assert_eq!(serve(&careless), (1, Some(0)));
}
