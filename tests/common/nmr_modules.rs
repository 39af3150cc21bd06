//! A machine, an interface, and a client and a provider of it whose callbacks do what the test says.
//!
//! # Safety
//!
//! The unsafe code of this file is what the author of an interface writes ([`relay`]), and the statement that test code
//! which is in no callback is at PASSIVE_LEVEL; debug builds check that.
#![expect(unsafe_code, reason = "declares an interface and states levels")]

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use nmr_netdma::irql::{self, AtMostDispatch, Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Binding, Client, ClientRegistration, Decision, DeregisteringClient, Guard, Identity,
    ModuleId, Offer, Peer, Provider, ProviderRegistration, Request, ToClient,
};
use nmr_netdma::{Error, Guid, Result};
use simkernel::netio::{LevelChoice, OrderChoice};
use simkernel::{Config, Kernel, Rule, Verdict};

use self::relay::{Relay, Shown};

pub(crate) const DISPATCH: u8 = 2;

/// The interface of the tests: both sides show the same structure and give each other the same functions.
pub(crate) mod relay {
    use core::ffi::c_void;
    use core::mem::offset_of;

    use nmr_netdma::Guid;
    use nmr_netdma::nmr::{
        ClientDispatch, Dispatch, Extent, Guard, Npi, ProviderDispatch, Side, Table,
        client_context, provider_context,
    };

    use super::{Caller, Server};

    pub(crate) enum Relay {}

    pub(crate) type Function = unsafe extern "system" fn(*mut c_void, u32) -> u32;

    /// What a function answers that does not want to be called now.
    pub(crate) const NOT_READY: u32 = u32::MAX;

    #[derive(Clone, Copy)]
    #[repr(C)]
    pub(crate) struct Functions {
        pub(crate) size: u32,
        pub(crate) call: Option<Function>,
        /// New in the second version.
        pub(crate) twice: Option<Function>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(C)]
    pub(crate) struct Shown {
        pub(crate) size: u16,
        pub(crate) kind: u16,
        /// New in the second version.
        pub(crate) colour: u32,
    }

    /// What the first version of [`Functions`] was long.
    pub(crate) const OLD_FUNCTIONS: usize = offset_of!(Functions, twice);
    /// What the first version of [`Shown`] was long.
    pub(crate) const OLD_SHOWN: usize = offset_of!(Shown, colour);

    // SAFETY: C layout, functions are optional, and zero is none.
    unsafe impl Table for Functions {
        const EXTENT: Extent = Extent::u32_at(0, OLD_FUNCTIONS);
    }
    // SAFETY: C layout of integers.
    unsafe impl Table for Shown {
        const EXTENT: Extent = Extent::u16_at(0, OLD_SHOWN);
    }

    // SAFETY: the modules of the tests are all there are. Those in C keep to it as far as they declare.
    unsafe impl Npi for Relay {
        const ID: Guid = Guid::parse("3a7d2f10-91c4-4f0e-a2b7-5c1e7f0d4b01");
        type ClientCharacteristics = Shown;
        type ProviderCharacteristics = Shown;
        type ClientDispatch = Functions;
        type ProviderDispatch = Functions;
    }

    /// Calls the other module.
    pub(crate) fn call<S: Side<Dispatch<Relay> = Functions>>(
        peer: &Guard<Relay, S>,
        value: u32,
    ) -> Option<u32> {
        let call = peer.dispatch().call?;
        // SAFETY: the peer is attached while the guard lives, and expects its own context.
        Some(unsafe { call(peer.context(), value) })
    }

    /// Calls the other module's newer function.
    pub(crate) fn twice<S: Side<Dispatch<Relay> = Functions>>(
        peer: &Guard<Relay, S>,
        value: u32,
    ) -> Option<u32> {
        let twice = peer.dispatch().twice?;
        // SAFETY: the peer is attached while the guard lives, and expects its own context.
        Some(unsafe { twice(peer.context(), value) })
    }

    const fn table(call: Function) -> Functions {
        Functions {
            size: size_of::<Functions>() as u32,
            call: Some(call),
            twice: Some(call),
        }
    }

    pub(crate) const fn caller_functions() -> ClientDispatch<Caller> {
        unsafe extern "system" fn call(context: *mut c_void, value: u32) -> u32 {
            // SAFETY: a server calls this with the context it got, until it has detached.
            match unsafe { client_context::<Caller>(context) } {
                Some((caller, context)) => caller.called(context, value),
                None => NOT_READY,
            }
        }

        // SAFETY: the functions take their context for that of `Caller`.
        unsafe { Dispatch::new(const { &table(call) }) }
    }

    pub(crate) const fn server_functions() -> ProviderDispatch<Server> {
        unsafe extern "system" fn call(context: *mut c_void, value: u32) -> u32 {
            // SAFETY: a caller calls this with the context it got, while attached.
            let (server, context) = unsafe { provider_context::<Server>(context) };
            server.called(context, value)
        }

        // SAFETY: the functions take their context for that of `Server`.
        unsafe { Dispatch::new(const { &table(call) }) }
    }
}

pub(crate) const CALLER: ModuleId =
    ModuleId::Guid(Guid::parse("0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11"));
pub(crate) const SERVER: ModuleId = ModuleId::InterfaceLuid(0x0006_0000_0123_4567);
pub(crate) const SHOWN: Shown = Shown {
    size: size_of::<Shown>() as u16,
    kind: 3,
    colour: 9,
};

pub(crate) fn caller_identity() -> Identity<Shown> {
    Identity::new(CALLER).with_characteristics(SHOWN)
}

pub(crate) fn server_identity() -> Identity<Shown> {
    Identity::new(SERVER).with_characteristics(SHOWN)
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread's level, which is PASSIVE_LEVEL.
pub(crate) fn passive() -> Irql<Passive> {
    // SAFETY: the tests call this on a thread that has entered a machine and is in no callback above PASSIVE_LEVEL; debug
    // builds check it.
    unsafe { Irql::assume() }
}

/// Waits until `reached`, for ten seconds at most.
pub(crate) fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !reached() {
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        std::thread::yield_now();
    }
}

/// What happened, at which level, on which thread.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) text: String,
    pub(crate) irql: u8,
    pub(crate) thread: ThreadId,
}

#[derive(Default)]
pub(crate) struct Log(Mutex<VecDeque<Event>>);

impl Log {
    pub(crate) fn record(&self, what: &str, who: &str) {
        let event = Event {
            text: format!("{what} {who}"),
            irql: irql::current(),
            thread: std::thread::current().id(),
        };
        locked(&self.0).push_back(event);
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        locked(&self.0).drain(..).collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.take().into_iter().map(|event| event.text).collect()
    }

    pub(crate) fn count(&self, text: &str) -> usize {
        locked(&self.0)
            .iter()
            .filter(|event| event.text == text)
            .count()
    }
}

/// What of a peer can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) module: ModuleId,
    pub(crate) version: u16,
    pub(crate) number: u32,
    pub(crate) shown: Option<Shown>,
}

impl From<&Peer<'_, Shown>> for Seen {
    fn from(peer: &Peer<'_, Shown>) -> Self {
        Self {
            module: peer.module(),
            version: peer.version(),
            number: peer.number(),
            shown: peer.characteristics().copied(),
        }
    }
}

type Action = Box<dyn FnOnce() + Send + Sync>;

/// A binding's context, which says when it is freed.
pub(crate) struct Context {
    name: &'static str,
    log: Arc<Log>,
    pub(crate) tag: u32,
    /// The client's way to its provider, held open by the context itself.
    pub(crate) held: Mutex<Option<Guard<Relay>>>,
    pub(crate) when_freed: Option<Action>,
}

impl Context {
    pub(crate) fn new(name: &'static str, log: &Arc<Log>, tag: u32) -> Self {
        Self {
            name,
            log: Arc::clone(log),
            tag,
            held: Mutex::new(None),
            when_freed: None,
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.log.record("free", self.name);
        if let Some(action) = self.when_freed.take() {
            action();
        }
    }
}

type CallerAttach = Box<
    dyn for<'a> Fn(&Caller, Offer<'a, Caller>, &mut Irql<Passive>) -> Decision<'a> + Send + Sync,
>;
type CallerDetach = Box<dyn Fn(&Caller, &Context) + Send + Sync>;

/// A client. Unless told otherwise it accepts every offer.
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    pub(crate) log: Arc<Log>,
    attach: CallerAttach,
    detach: CallerDetach,
    bindings: Mutex<Vec<Binding<Relay>>>,
    pub(crate) peers: Mutex<Vec<Seen>>,
    pub(crate) refusals: Mutex<Vec<Error>>,
}

impl Caller {
    pub(crate) fn new(name: &'static str, log: &Arc<Log>) -> Self {
        Self {
            name,
            log: Arc::clone(log),
            attach: Box::new(|caller, offer, irql| caller.accept(offer, irql)),
            detach: Box::new(|_, _| ()),
            bindings: Mutex::default(),
            peers: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    pub(crate) fn on_attach(
        mut self,
        plan: impl for<'a> Fn(&Self, Offer<'a, Self>, &mut Irql<Passive>) -> Decision<'a>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.attach = Box::new(plan);
        self
    }

    pub(crate) fn on_detach(
        mut self,
        plan: impl Fn(&Self, &Context) + Send + Sync + 'static,
    ) -> Self {
        self.detach = Box::new(plan);
        self
    }

    pub(crate) fn context(&self) -> Context {
        Context::new(self.name, &self.log, 10)
    }

    /// Accepts with a plain context.
    pub(crate) fn accept<'a>(
        &self,
        offer: Offer<'a, Self>,
        irql: &mut Irql<Passive>,
    ) -> Decision<'a> {
        self.accept_with(self.context(), offer, irql)
    }

    pub(crate) fn accept_with<'a>(
        &self,
        context: Context,
        offer: Offer<'a, Self>,
        irql: &mut Irql<Passive>,
    ) -> Decision<'a> {
        let binding = offer.binding();
        assert!(binding.enter().is_none(), "shut until attached");
        match offer.accept(context, relay::caller_functions(), irql) {
            Ok(decision) => {
                locked(&self.bindings).push(binding);
                decision
            }
            Err(refused) => {
                assert_eq!(refused.context.tag, 10, "the context comes back as it was");
                assert!(binding.enter().is_none(), "shut after a refusal");
                locked(&self.refusals).push(refused.error);
                refused.decline()
            }
        }
    }

    pub(crate) fn binding(&self, index: usize) -> Binding<Relay> {
        locked(&self.bindings)[index].clone()
    }

    /// Calls through each binding so far.
    pub(crate) fn call(&self, value: u32) -> Vec<Option<Option<u32>>> {
        let bindings = locked(&self.bindings).clone();
        let call = |binding: &Binding<Relay>| binding.call(|server| relay::call(server, value));
        bindings.iter().map(call).collect()
    }

    fn called(&self, context: &Context, value: u32) -> u32 {
        self.log.record("call", self.name);
        context.tag + value
    }
}

impl Client for Caller {
    type Npi = Relay;
    type Context = Context;

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        self.log.record("attach", self.name);
        locked(&self.peers).push(offer.peer().into());
        (self.attach)(self, offer, irql)
    }

    fn detach(&self, context: &Context, _: &mut Irql<AtMostDispatch>) {
        self.log.record("detach", self.name);
        (self.detach)(self, context);
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.log.record("gone", self.name);
    }
}

type ServerAttach =
    Box<dyn Fn(&Server, Request<'_, Server>) -> Result<Accept<Server>> + Send + Sync>;
type ServerCalled = Box<dyn Fn(u32) + Send + Sync>;

/// A provider. Unless told otherwise it accepts every client.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) log: Arc<Log>,
    attach: ServerAttach,
    called: ServerCalled,
    bindings: Mutex<Vec<Binding<Relay, ToClient>>>,
    pub(crate) peers: Mutex<Vec<Seen>>,
}

impl Server {
    pub(crate) fn new(name: &'static str, log: &Arc<Log>) -> Self {
        Self {
            name,
            log: Arc::clone(log),
            attach: Box::new(|server, request| server.accept(request)),
            called: Box::new(|_| ()),
            bindings: Mutex::default(),
            peers: Mutex::default(),
        }
    }

    pub(crate) fn on_attach(
        mut self,
        plan: impl Fn(&Self, Request<'_, Self>) -> Result<Accept<Self>> + Send + Sync + 'static,
    ) -> Self {
        self.attach = Box::new(plan);
        self
    }

    /// What it does when a client calls, before it answers.
    pub(crate) fn on_call(mut self, plan: impl Fn(u32) + Send + Sync + 'static) -> Self {
        self.called = Box::new(plan);
        self
    }

    pub(crate) fn accept(&self, request: Request<'_, Self>) -> Result<Accept<Self>> {
        let binding = request.binding();
        assert!(binding.enter().is_none(), "shut until accepted");
        locked(&self.bindings).push(binding);
        Ok(Accept {
            context: Context::new(self.name, &self.log, 100),
            dispatch: relay::server_functions(),
        })
    }

    pub(crate) fn binding(&self, index: usize) -> Binding<Relay, ToClient> {
        locked(&self.bindings)[index].clone()
    }

    /// Calls through each binding so far.
    pub(crate) fn call(&self, value: u32) -> Vec<Option<Option<u32>>> {
        let bindings = locked(&self.bindings).clone();
        let call =
            |binding: &Binding<Relay, ToClient>| binding.call(|caller| relay::call(caller, value));
        bindings.iter().map(call).collect()
    }

    fn called(&self, context: &Context, value: u32) -> u32 {
        self.log.record("call", self.name);
        (self.called)(value);
        context.tag + value
    }
}

impl Provider for Server {
    type Npi = Relay;
    type Context = Context;

    fn attach(&self, request: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        self.log.record("attach", self.name);
        locked(&self.peers).push(request.peer().into());
        (self.attach)(self, request)
    }

    fn detach(&self, _: &Context, _: &mut Irql<AtMostDispatch>) {
        self.log.record("detach", self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.log.record("gone", self.name);
    }
}

pub(crate) type CallerRegistration = ClientRegistration<Caller>;
pub(crate) type ServerRegistration = ProviderRegistration<Server>;

pub(crate) fn register_caller(image: &Image, caller: Caller) -> CallerRegistration {
    ClientRegistration::register(image, caller, caller_identity(), &mut passive())
        .expect("the client registers")
}

pub(crate) fn register_server(image: &Image, server: Server) -> ServerRegistration {
    ProviderRegistration::register(image, server, server_identity(), &mut passive())
        .expect("the provider registers")
}

/// A call in progress through the caller's first binding.
pub(crate) fn guard(caller: &Caller) -> Guard<Relay> {
    caller.binding(0).enter().expect("attached")
}

/// Begins to deregister a caller, as the documentation says that it ends.
pub(crate) fn begin(caller: CallerRegistration) -> DeregisteringClient<Caller> {
    caller
        .begin_deregister(&mut passive())
        .expect("as documented")
}

/// Waits for what [`begin`] began.
pub(crate) fn finish(ending: DeregisteringClient<Caller>) {
    drop(ending.wait(&mut passive()).expect("as documented"));
}

/// A flag, and the same one for somebody else.
pub(crate) fn flag() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let flag = Arc::new(AtomicBool::new(false));
    (Arc::clone(&flag), flag)
}

/// A machine and a driver on it, which goes before the machine does.
pub(crate) struct Machine {
    pub(crate) image: Image,
    pub(crate) kernel: Kernel,
    pub(crate) log: Arc<Log>,
}

impl Machine {
    /// Where every choice is drawn from `seed`.
    pub(crate) fn with_seed(seed: u64) -> Self {
        let kernel = Kernel::boot(Config {
            seed,
            ..Config::default()
        });
        Self {
            kernel,
            image: Image::new(&mut passive()).expect("there is memory"),
            log: Arc::default(),
        }
    }

    /// Where callbacks run at the caller's level, the client's first.
    pub(crate) fn plain() -> Self {
        let machine = Self::with_seed(1);
        machine.kernel.nmr().order(OrderChoice::Fixed);
        machine.kernel.nmr().detach_level(LevelChoice::Lowest);
        machine
    }

    pub(crate) fn caller(&self) -> CallerRegistration {
        register_caller(&self.image, Caller::new("c", &self.log))
    }

    pub(crate) fn server(&self) -> ServerRegistration {
        register_server(&self.image, Server::new("p", &self.log))
    }

    /// That exactly `rule` was broken, `times` times, and what the first report says.
    pub(crate) fn broken(&self, rule: &'static Rule, times: usize) -> String {
        let found = self.kernel.take_violations(rule);
        assert_eq!(found.len(), times, "{}: {found:?}", rule.name);
        let others = self.kernel.violations();
        assert!(others.is_empty(), "{others:?}");
        found[0].detail.clone()
    }

    /// How often the trace says `text`.
    pub(crate) fn traced(&self, text: &str) -> usize {
        let events = self.kernel.events();
        events
            .iter()
            .filter(|event| event.what.contains(text))
            .count()
    }

    pub(crate) fn shutdown(self) -> Verdict {
        drop(self.image);
        self.kernel.shutdown()
    }

    /// Unloads the driver and shuts down; nothing may be left.
    pub(crate) fn end(self) {
        self.image.wait_empty(&mut passive());
        assert_eq!(self.kernel.nmr().registrations(), 0);
        assert_eq!(self.kernel.nmr().bindings(), 0);
        let verdict = self.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}
