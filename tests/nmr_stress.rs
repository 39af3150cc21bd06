//! Stress: threads register, attach, call, detach and deregister at random.
//!
//! Each seed is a machine of its own and a bounded number of steps. At its end every call was served, every binding was detached
//! and cleaned up on both sides, no rule was broken and nothing is left. A watchdog stops the process and names the seed if one
//! does not end.
//!
//! 1000 seeds by default; `NMR_STRESS_SEEDS` is another number of them, or a range such as `17-17`. The order of threads is the host's,
//! so a seed repeats the choices and not the run.
//!
//! # Safety
//!
//! The unsafe code of this file is what the author of an interface writes ([`exchange`]), and the statement that a thread that has
//! just entered a machine is at PASSIVE_LEVEL.
#![expect(unsafe_code, reason = "declares an interface and states levels")]

use std::io::Write as _;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Binding, Client, ClientRegistration, Decision, DeregisteringClient,
    DeregisteringProvider, Guard, Identity, ModuleId, Offer, Provider, ProviderRegistration,
    Request, ToClient,
};
use nmr_netdma::{Error, Guid, Result};
use simkernel::{Config, Kernel};

use self::exchange::Exchange;

/// Calls in both directions.
mod exchange {
    use core::ffi::c_void;

    use nmr_netdma::Guid;
    use nmr_netdma::nmr::{
        ClientDispatch, Dispatch, Guard, Npi, ProviderDispatch, Table, ToClient, client_context,
        provider_context,
    };

    use super::{Asker, Server};

    pub(super) enum Exchange {}

    #[derive(Clone, Copy)]
    #[repr(C)]
    pub(super) struct Functions {
        serve: Option<unsafe extern "system" fn(context: *mut c_void, value: u32) -> u32>,
    }

    // SAFETY: C layout, and the function is optional.
    unsafe impl Table for Functions {}

    // SAFETY: the modules of this file are all there are, and keep to this declaration.
    unsafe impl Npi for Exchange {
        const ID: Guid = Guid::parse("b7b3c0a4-52f6-4c53-9d5e-3a0f6d5c1e01");
        type ClientCharacteristics = ();
        type ProviderCharacteristics = ();
        type ClientDispatch = Functions;
        type ProviderDispatch = Functions;
    }

    /// The server's answer.
    pub(super) fn ask(guard: &Guard<Exchange>, value: u32) -> Option<u32> {
        let serve = guard.dispatch().serve?;
        // SAFETY: the other side is attached while the guard lives, and expects its own context.
        Some(unsafe { serve(guard.context(), value) })
    }

    /// The asker's answer; 0 before it has decided to attach.
    pub(super) fn ask_back(guard: &Guard<Exchange, ToClient>, value: u32) -> Option<u32> {
        let serve = guard.dispatch().serve?;
        // SAFETY: the other side is attached while the guard lives, and expects its own context.
        Some(unsafe { serve(guard.context(), value) })
    }

    pub(super) const fn asker_functions() -> ClientDispatch<Asker> {
        unsafe extern "system" fn serve(context: *mut c_void, value: u32) -> u32 {
            // SAFETY: a server calls this with the context it got, until it has detached.
            let asker = unsafe { client_context::<Asker>(context) };
            asker.map_or(0, |(_, context)| context.serve(value))
        }

        // SAFETY: the function takes its context for that of an asker.
        unsafe { Dispatch::new(const { &Functions { serve: Some(serve) } }) }
    }

    pub(super) const fn server_functions() -> ProviderDispatch<Server> {
        unsafe extern "system" fn serve(context: *mut c_void, value: u32) -> u32 {
            // SAFETY: an asker calls this with the context it got, while attached.
            let (_, context) = unsafe { provider_context::<Server>(context) };
            context.serve(value)
        }

        // SAFETY: the function takes its context for that of a server.
        unsafe { Dispatch::new(const { &Functions { serve: Some(serve) } }) }
    }
}

/// Counted on one side of all bindings.
#[derive(Debug, Default)]
struct Counts {
    attached: AtomicU64,
    detached: AtomicU64,
    cleaned: AtomicU64,
    /// Calls of this side's functions, as this side counts them.
    served: AtomicU64,
    /// The same, as the other side counts them.
    asked: AtomicU64,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that the threads have together.
struct Pile<T>(Mutex<Vec<T>>);

impl<T> Default for Pile<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pile<T> {
    /// Puts it there; with more than `most` there, the oldest comes back.
    fn put(&self, value: T, most: usize) -> Option<T> {
        let mut pile = locked(&self.0);
        pile.push(value);
        (pile.len() > most).then(|| pile.remove(0))
    }

    fn take(&self, random: u64) -> Option<T> {
        let mut pile = locked(&self.0);
        let place = (random as usize).checked_rem(pile.len())?;
        Some(pile.swap_remove(place))
    }

    fn take_all(&self) -> Vec<T> {
        std::mem::take(&mut *locked(&self.0))
    }
}

impl<T: Clone> Pile<T> {
    fn any(&self, random: u64) -> Option<T> {
        let pile = locked(&self.0);
        let place = (random as usize).checked_rem(pile.len())?;
        Some(pile[place].clone())
    }
}

/// A registration, or one whose deregistration somebody has begun.
enum Registered {
    Asker(ClientRegistration<Asker>),
    Server(ProviderRegistration<Server>),
    EndingAsker(DeregisteringClient<Asker>),
    EndingServer(DeregisteringProvider<Server>),
}

/// A call that some thread has begun.
enum Begun {
    Forth(Guard<Exchange>),
    Back(Guard<Exchange, ToClient>),
}

/// What the threads of one seed share.
#[derive(Default)]
struct Run {
    random: AtomicU64,
    askers: Counts,
    servers: Counts,
    registered: Pile<Registered>,
    forth: Pile<Binding<Exchange>>,
    back: Pile<Binding<Exchange, ToClient>>,
    begun: Pile<Begun>,
}

/// Bindings that the threads remember, most of them shut.
const REMEMBERED: usize = 24;
/// Calls that are in progress beyond the step that began them.
const IN_PROGRESS: usize = 6;

impl Run {
    /// The next number of the seed's sequence (splitmix64), whichever thread asks.
    fn random(&self) -> u64 {
        let random = self
            .random
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (random ^ random >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn one_in(&self, cases: u64) -> bool {
        self.random().is_multiple_of(cases)
    }

    /// Lets another thread run, now and then.
    fn linger(&self) {
        if self.one_in(4) {
            thread::yield_now();
        }
    }
}

/// What either side keeps for a binding.
struct Context {
    run: Arc<Run>,
    counts: fn(&Run) -> &Counts,
    alive: AtomicU64,
}

impl Context {
    const ALIVE: u64 = 0x600D_C0DE;

    fn new(run: &Arc<Run>, counts: fn(&Run) -> &Counts) -> Self {
        Self {
            run: Arc::clone(run),
            counts,
            alive: AtomicU64::new(Self::ALIVE),
        }
    }

    fn counts(&self) -> &Counts {
        (self.counts)(&self.run)
    }

    fn serve(&self, value: u32) -> u32 {
        self.run.linger();
        assert_eq!(
            read(&self.alive),
            Self::ALIVE,
            "served with a context that is gone"
        );
        add(&self.counts().served);
        value + 1
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.alive.store(0, Ordering::Relaxed);
        add(&self.counts().cleaned);
    }
}

struct Asker(Arc<Run>);

impl Client for Asker {
    type Npi = Exchange;
    type Context = Context;

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        let Self(run) = self;
        run.linger();
        if run.one_in(8) {
            return offer.decline();
        }
        let binding = offer.binding();
        let context = Context::new(run, |run| &run.askers);
        match offer.accept(context, exchange::asker_functions(), irql) {
            Ok(decision) => {
                add(&run.askers.attached);
                run.forth.put(binding, REMEMBERED);
                run.linger();
                decision
            }
            Err(refused) => {
                // A context that came to nothing is not cleaned up.
                run.askers.cleaned.fetch_sub(1, Ordering::Relaxed);
                refused.decline()
            }
        }
    }

    fn detach(&self, context: &Context, _: &mut Irql<AtMostDispatch>) {
        self.0.linger();
        add(&context.counts().detached);
    }
}

struct Server(Arc<Run>);

impl Provider for Server {
    type Npi = Exchange;
    type Context = Context;

    fn attach(&self, request: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        let Self(run) = self;
        run.linger();
        if run.one_in(8) {
            return Err(Error::DEVICE_NOT_READY);
        }
        add(&run.servers.attached);
        run.back.put(request.binding(), REMEMBERED);
        Ok(Accept {
            context: Context::new(run, |run| &run.servers),
            dispatch: exchange::server_functions(),
        })
    }

    fn detach(&self, context: &Context, _: &mut Irql<AtMostDispatch>) {
        self.0.linger();
        add(&context.counts().detached);
    }
}

const MODULE: ModuleId = ModuleId::Guid(Guid::parse("b7b3c0a4-52f6-4c53-9d5e-3a0f6d5c1e02"));

/// One thread of a run.
struct Worker<'a> {
    run: &'a Arc<Run>,
    image: &'a Image,
    irql: Irql<Passive>,
}

impl Worker<'_> {
    fn step(&mut self) {
        let random = self.run.random();
        match random >> 32 & 15 {
            0 => self.register_asker(),
            1 => self.register_server(),
            2 => {
                if let Some(registered) = self.run.registered.take(random) {
                    self.end(registered);
                }
            }
            3 => {
                if let Some(registered) = self.run.registered.take(random) {
                    let ending = self.begin_to_end(registered);
                    self.keep(ending);
                }
            }
            4..=6 => self.call_forth(),
            7..=9 => self.call_back(),
            10..=11 => {
                if let Some(binding) = self.run.forth.any(random)
                    && let Some(guard) = binding.enter()
                {
                    self.put_off(Begun::Forth(guard));
                }
            }
            12..=13 => {
                if let Some(binding) = self.run.back.any(random)
                    && let Some(guard) = binding.enter()
                {
                    self.put_off(Begun::Back(guard));
                }
            }
            _ => {
                if let Some(begun) = self.run.begun.take(random) {
                    self.finish(begun);
                }
            }
        }
    }

    /// Runs `body` at PASSIVE_LEVEL or at DISPATCH_LEVEL.
    fn at_some_level<R>(&mut self, body: impl FnOnce(&mut Irql<AtMostDispatch>) -> R) -> R {
        if self.run.one_in(2) {
            body(&mut self.irql)
        } else {
            self.irql.at_dispatch(|irql| body(irql))
        }
    }

    fn register_asker(&mut self) {
        let asker = Asker(Arc::clone(self.run));
        let asker =
            ClientRegistration::register(self.image, asker, Identity::new(MODULE), &mut self.irql);
        self.keep(Registered::Asker(asker.expect("the client registers")));
    }

    fn register_server(&mut self) {
        let server = Server(Arc::clone(self.run));
        let server = ProviderRegistration::register(
            self.image,
            server,
            Identity::new(MODULE),
            &mut self.irql,
        );
        self.keep(Registered::Server(server.expect("the provider registers")));
    }

    /// Leaves a registration to whoever takes it; too many of them, and the oldest ends.
    fn keep(&mut self, registered: Registered) {
        if let Some(oldest) = self.run.registered.put(registered, 6) {
            self.end(oldest);
        }
    }

    fn begin_to_end(&mut self, registered: Registered) -> Registered {
        self.at_some_level(|irql| match registered {
            Registered::Asker(asker) => {
                Registered::EndingAsker(asker.begin_deregister(irql).expect("documented answers"))
            }
            Registered::Server(server) => {
                Registered::EndingServer(server.begin_deregister(irql).expect("documented answers"))
            }
            ending => ending,
        })
    }

    /// Deregisters and waits. Nobody waits while it is up to him to finish a call: everybody finishes all first, also those
    /// that others have begun.
    fn end(&mut self, registered: Registered) {
        let ending = self.begin_to_end(registered);
        self.finish_all();
        match ending {
            Registered::EndingAsker(asker) => {
                drop(asker.wait(&mut self.irql).expect("documented answers"))
            }
            Registered::EndingServer(server) => {
                drop(server.wait(&mut self.irql).expect("documented answers"))
            }
            Registered::Asker(_) | Registered::Server(_) => unreachable!("it has begun to end"),
        }
    }

    fn call_forth(&mut self) {
        let run = self.run;
        let Some(binding) = run.forth.any(run.random()) else {
            return;
        };
        self.at_some_level(|_| {
            binding.call(|server| ask(run, server));
        });
    }

    fn call_back(&mut self) {
        let run = self.run;
        let Some(binding) = run.back.any(run.random()) else {
            return;
        };
        self.at_some_level(|_| {
            binding.call(|asker| ask_back(run, asker));
        });
    }

    /// Leaves a call to whoever takes it.
    fn put_off(&mut self, begun: Begun) {
        if let Some(oldest) = self.run.begun.put(begun, IN_PROGRESS) {
            self.finish(oldest);
        }
    }

    fn finish(&mut self, begun: Begun) {
        let run = self.run;
        match &begun {
            Begun::Forth(server) => ask(run, server),
            Begun::Back(asker) => ask_back(run, asker),
        }
        self.at_some_level(|_| drop(begun));
    }

    fn finish_all(&mut self) {
        for begun in self.run.begun.take_all() {
            self.finish(begun);
        }
    }

    fn end_all(&mut self) {
        self.finish_all();
        for registered in self.run.registered.take_all() {
            self.end(registered);
        }
    }
}

fn ask(run: &Run, server: &Guard<Exchange>) {
    assert_eq!(exchange::ask(server, 41), Some(42));
    add(&run.servers.asked);
}

fn ask_back(run: &Run, asker: &Guard<Exchange, ToClient>) {
    // The asker may not have decided yet.
    match exchange::ask_back(asker, 41) {
        Some(42) => add(&run.askers.asked),
        answer => assert_eq!(answer, Some(0)),
    }
}

/// Lends the machine to other threads.
struct Threads<'a>(&'a Kernel);

// SAFETY: the other threads only enter, which reads what booting wrote.
unsafe impl Sync for Threads<'_> {}

/// Names the seed if the run panics.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("nmr_stress: seed {}", self.0);
        }
    }
}

/// Runs the seed; how many bindings and calls there were.
fn run(seed: u64) -> [u64; 2] {
    const THREADS: u32 = 4;
    const STEPS: u32 = if cfg!(miri) { 25 } else { 150 };

    let _seed = Seed(seed);
    let kernel = Kernel::boot(Config {
        seed,
        ..Config::default()
    });
    // The trace of all seeds is not read by anybody.
    kernel.nmr().tracing(false);
    kernel.nmr().patience(Duration::from_secs(5));
    // SAFETY: the thread that boots a machine is at PASSIVE_LEVEL in it.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    let image = Image::new(&mut irql).expect("there is memory");
    let run = Arc::new(Run {
        random: AtomicU64::new(seed.wrapping_mul(0xD134_2543_DE82_EF95)),
        ..Run::default()
    });
    let threads = Threads(&kernel);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (threads, run, image) = (&threads, &run, &image);
            scope.spawn(move || {
                let _entered = threads.0.enter(number);
                // SAFETY: a thread that has just entered is at PASSIVE_LEVEL, and returns to it after each step.
                let irql = unsafe { Irql::assume() };
                let mut worker = Worker { run, image, irql };
                (0..STEPS).for_each(|_| worker.step());
                worker.finish_all();
            });
        }
    });
    let mut worker = Worker {
        run: &run,
        image: &image,
        irql,
    };
    worker.end_all();
    image.wait_empty(&mut worker.irql);

    for (name, counts) in [("clients", &run.askers), ("providers", &run.servers)] {
        let attached = read(&counts.attached);
        let ended = [read(&counts.detached), read(&counts.cleaned)];
        assert_eq!(ended, [attached; 2], "seed {seed}: {name}: {counts:?}");
        assert_eq!(
            read(&counts.served),
            read(&counts.asked),
            "seed {seed}: calls of {name}"
        );
    }
    assert_eq!(
        read(&run.askers.attached),
        read(&run.servers.attached),
        "seed {seed}: both sides of a binding"
    );
    for binding in run.forth.take_all() {
        assert!(
            binding.enter().is_none(),
            "seed {seed}: a binding is open after its end"
        );
    }
    for binding in run.back.take_all() {
        assert!(
            binding.enter().is_none(),
            "seed {seed}: a binding is open after its end"
        );
    }
    drop(image);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "seed {seed}: {verdict}");
    let calls = read(&run.askers.served) + read(&run.servers.served);
    [read(&run.servers.attached), calls]
}

/// Stops the process if a seed takes too long.
fn watch(seeds: &mpsc::Receiver<u64>) {
    const PATIENCE: Duration = Duration::from_secs(60);

    let mut running = None;
    loop {
        match seeds.recv_timeout(PATIENCE) {
            Ok(seed) => running = Some(seed),
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // Past the test harness, which shows what a test prints only when the test has ended.
                _ = writeln!(
                    std::io::stderr(),
                    "nmr_stress: seed {running:?} has not ended after {PATIENCE:?}"
                );
                std::process::abort();
            }
        }
    }
}

/// The seeds that `NMR_STRESS_SEEDS` asks for.
fn seeds() -> RangeInclusive<u64> {
    let Ok(asked) = std::env::var("NMR_STRESS_SEEDS") else {
        return 1..=1000;
    };
    let number = |text: &str| {
        text.parse()
            .expect("NMR_STRESS_SEEDS is a number or a range like 17-17")
    };
    match asked.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => 1..=number(&asked),
    }
}

#[test]
fn nothing_is_lost_leaked_or_stuck() {
    let seeds = seeds();
    println!("seeds {} to {}", seeds.start(), seeds.end());
    let (sender, receiver) = mpsc::channel();
    let watchdog = thread::spawn(move || watch(&receiver));
    let mut totals = [0; 2];
    for seed in seeds {
        sender
            .send(seed)
            .expect("the watchdog lives as long as the sender");
        let numbers = run(seed);
        totals = [totals[0] + numbers[0], totals[1] + numbers[1]];
    }
    let [bindings, calls] = totals;
    println!("{bindings} bindings, {calls} calls");
    assert!(bindings > 0 && calls > 0, "nothing happened");
    drop(sender);
    watchdog.join().expect("the watchdog has nothing to say");
}
