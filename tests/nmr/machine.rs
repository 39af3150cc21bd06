//! A machine, a client and a provider on it, and what happened to them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Binding, Client, ClientRegistration, Decision, Guard, Identity, ModuleId, Offer, Peer,
    Provider, ProviderRegistration, Request, Table, ToClient,
};
use nmr_netdma::{Error, Guid, Result};
use simkernel::{Config, Kernel, Verdict};

use super::echo::{self, CallerShows, Echo};

pub(crate) const CALLER: ModuleId =
    ModuleId::Guid(Guid::parse("0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11"));
pub(crate) const SERVER: ModuleId = ModuleId::InterfaceLuid(0x0006_0000_0123_4567);
pub(crate) const SHOWS: CallerShows = CallerShows {
    size: size_of::<CallerShows>() as u16,
    kind: 3,
    colour: 9,
};

pub(crate) fn caller_identity() -> Identity<CallerShows> {
    Identity::new(CALLER)
        .with_number(4)
        .with_version(1)
        .with_characteristics(SHOWS)
}

/// Which machines a test runs on.
pub(crate) const SEEDS: std::ops::RangeInclusive<u64> = 1..=if cfg!(miri) { 2 } else { 16 };

/// What happened to one module.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) attached: AtomicUsize,
    pub(crate) detached: AtomicUsize,
    pub(crate) cleaned: AtomicUsize,
    pub(crate) refusals: Mutex<Vec<Error>>,
    pub(crate) notes: Mutex<Vec<u32>>,
}

impl Log {
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (
            count(&self.attached),
            count(&self.detached),
            count(&self.cleaned),
        )
    }
}

pub(crate) fn add(counter: &AtomicUsize) -> usize {
    counter.fetch_add(1, Ordering::SeqCst)
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A binding's context, which says when it is cleaned up.
pub(crate) struct Context {
    pub(crate) log: Arc<Log>,
    pub(crate) tag: u32,
    pub(crate) held: Mutex<Option<Guard<Echo>>>,
}

impl Context {
    pub(crate) fn new(log: &Arc<Log>, tag: u32) -> Self {
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

/// What of a peer can be kept.
#[derive(Clone, Copy)]
pub(crate) struct Seen<T> {
    pub(crate) module: ModuleId,
    pub(crate) version: u16,
    pub(crate) number: u32,
    pub(crate) shown: Option<T>,
}

impl<T: Table> From<&Peer<'_, T>> for Seen<T> {
    fn from(peer: &Peer<'_, T>) -> Self {
        Self {
            module: peer.module(),
            version: peer.version(),
            number: peer.number(),
            shown: peer.characteristics().copied(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Caller {
    pub(crate) log: Arc<Log>,
    pub(crate) bindings: Mutex<Vec<Binding<Echo>>>,
    pub(crate) peers: Mutex<Vec<Seen<()>>>,
    /// How often to accept again after a refusal.
    pub(crate) retries: usize,
    pub(crate) declines: bool,
    /// Whether the context holds a guard of its own binding until detach.
    pub(crate) holds: bool,
}

impl Caller {
    pub(crate) fn binding(&self, index: usize) -> Binding<Echo> {
        locked(&self.bindings)[index].clone()
    }

    pub(crate) fn echo(&self, value: u32) -> Vec<Option<Option<u32>>> {
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
        locked(&self.peers).push(offer.peer().into());
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
pub(crate) struct Server {
    pub(crate) log: Arc<Log>,
    pub(crate) bindings: Mutex<Vec<Binding<Echo, ToClient>>>,
    pub(crate) peers: Mutex<Vec<Seen<CallerShows>>>,
    /// How many clients to refuse first.
    pub(crate) refuses: AtomicUsize,
}

impl Server {
    pub(crate) fn notify(&self, value: u32) -> Vec<Option<Option<u32>>> {
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

    fn attach(&self, request: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        locked(&self.peers).push(request.peer().into());
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

pub(crate) struct Machine {
    pub(crate) kernel: Kernel,
    pub(crate) image: Image,
    pub(crate) irql: Irql<Passive>,
}

impl Machine {
    pub(crate) fn boot() -> Self {
        Self::with_seed(1)
    }

    pub(crate) fn with_seed(seed: u64) -> Self {
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

    pub(crate) fn caller<C: Client<Npi = Echo>>(&mut self, client: C) -> ClientRegistration<C> {
        ClientRegistration::register(&self.image, client, caller_identity(), &mut self.irql)
            .expect("the client registers")
    }

    pub(crate) fn server(&mut self, server: Server) -> ProviderRegistration<Server> {
        ProviderRegistration::register(&self.image, server, Identity::new(SERVER), &mut self.irql)
            .expect("the provider registers")
    }

    pub(crate) fn shutdown(mut self) -> Verdict {
        self.image.wait_empty(&mut self.irql);
        drop(self.image);
        self.kernel.shutdown()
    }

    pub(crate) fn end(self) {
        let verdict = self.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

/// Lends the machine to other threads.
pub(crate) struct Threads<'a>(pub(crate) &'a Kernel);

// SAFETY: the other threads only enter, which reads what booting wrote.
unsafe impl Sync for Threads<'_> {}
