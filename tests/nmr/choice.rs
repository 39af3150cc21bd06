//! Modules that choose whom they bind to.

use std::sync::atomic::AtomicUsize;

use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
use nmr_netdma::nmr::{
    Accept, Binding, Claim, Client, Decision, Identity, ModuleId, Offer, Provider,
    ProviderRegistration, Request, Single,
};
use nmr_netdma::{Error, Result};

use super::echo::{self, Echo};
use super::machine::*;

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

    fn attach(&self, request: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
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
        let client = machine.caller(client);
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
        let client = machine.caller(client);
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
