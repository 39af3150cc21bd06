//! The client: attach, submit, complete, detach.

use core::sync::atomic::{AtomicU32, Ordering};

use copy_offload::{
    Buffer, CANCELLED, CopyOffload, Finished, OffloadClient, Operation, client_functions,
    query_statistics, submit,
};
use nmr_netdma::irql::{AtMostDispatch, Passive};
use nmr_netdma::kmdf::{Shared, debug_print};
use nmr_netdma::nmr::{Binding, Client, Decision, Offer};
use nmr_netdma::{Error, Irql, Result};

use crate::pattern;
use crate::statistics::{Counters, Statistics};

/// How many copies each provider is asked for.
pub const COPIES: u32 = 64;

/// How many of them are in flight at a time.
const IN_FLIGHT: u32 = 8;
/// The most bytes of one copy.
const LONGEST: u32 = 16 * 1024;

/// The client.
#[derive(Default)]
pub(crate) struct Copier {
    counters: Counters,
}

/// What the client keeps for one provider.
pub(crate) struct Link {
    provider: Binding<CopyOffload>,
    /// The most bytes of one copy here.
    longest: u32,
    /// The number of the next copy.
    next: AtomicU32,
    /// Copies in flight, and the attach callback while it submits the first ones.
    active: AtomicU32,
}

impl Client for Copier {
    type Npi = CopyOffload;
    type Context = Shared<Link>;

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        let maximum = offer
            .peer()
            .characteristics()
            .map_or(0, |shown| shown.maximum_length);
        if maximum == 0 {
            return offer.decline();
        }
        let link = Link {
            provider: offer.binding(),
            longest: maximum.min(LONGEST),
            next: AtomicU32::new(0),
            active: AtomicU32::new(1),
        };
        let Ok(link) = Shared::try_new(link, irql) else {
            return offer.decline();
        };
        match offer.accept(link.clone(), client_functions(), irql) {
            Ok(decision) => {
                debug_print(format_args!("nmr-client: attached\n"));
                self.begin(&link, irql);
                decision
            }
            Err(refused) => refused.decline(),
        }
    }

    fn detach(&self, link: &Shared<Link>, _irql: &mut Irql<AtMostDispatch>) {
        debug_print(format_args!(
            "nmr-client: detaching, {} copies in flight\n",
            link.active.load(Ordering::Relaxed)
        ));
    }
}

impl Copier {
    pub(crate) fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    /// Submits the first copies. The others follow as these complete.
    fn begin(&self, link: &Link, irql: &mut Irql<AtMostDispatch>) {
        for _ in 0..IN_FLIGHT {
            match new_operation(link.longest) {
                Ok(operation) => self.submit_next(link, operation, irql),
                Err(_) => Counters::count(&self.counters.refused),
            }
        }
        self.leave(link, irql);
    }

    /// Submits the next copy, if one is left, in the buffers of `operation`.
    fn submit_next(&self, link: &Link, mut operation: Operation, irql: &mut Irql<AtMostDispatch>) {
        let number = link.next.fetch_add(1, Ordering::Relaxed);
        if number >= COPIES {
            return;
        }
        pattern::prepare(&mut operation, number, link.longest);
        link.active.fetch_add(1, Ordering::Relaxed);
        match submit(&link.provider, operation, irql) {
            Ok(()) => {}
            Err(failed) => {
                // Nobody refuses if there is nobody any more.
                if failed.error != Error::DEVICE_NOT_READY {
                    Counters::count(&self.counters.refused);
                }
                self.leave(link, irql);
            }
        }
    }

    /// The last one to leave says how it went.
    fn leave(&self, link: &Link, irql: &mut Irql<AtMostDispatch>) {
        // The others' counts are to be seen.
        if link.active.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        debug_print(format_args!("{}\n", self.statistics()));
        if let Ok(provider) = query_statistics(&link.provider, irql) {
            debug_print(format_args!(
                "nmr-client: the provider has done {} copies and refused {}\n",
                provider.completed, provider.refused
            ));
        }
    }
}

impl OffloadClient for Copier {
    fn completed(&self, link: &Shared<Link>, finished: Finished, irql: &mut Irql<AtMostDispatch>) {
        let Finished { operation, result } = finished;
        match result {
            Ok(bytes) if bytes == operation.length as usize && pattern::arrived(&operation) => {
                self.counters.verified(operation.length);
            }
            Err(CANCELLED) => Counters::count(&self.counters.cancelled),
            _ => Counters::count(&self.counters.failed),
        }
        self.submit_next(link, operation, irql);
        self.leave(link, irql);
    }
}

fn new_operation(longest: u32) -> Result<Operation> {
    Ok(Operation {
        source: Buffer::zeroed(longest as usize)?,
        destination: Buffer::zeroed(longest as usize)?,
        length: 0,
        tag: 0,
    })
}
