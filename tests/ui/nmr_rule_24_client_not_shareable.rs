//! Callbacks come on several threads at once, so a client can be shared between threads.

use core::cell::Cell;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, Decision, Npi, Offer};

struct Counting<N: Npi> {
    attached: Cell<u32>,
    interface: core::marker::PhantomData<fn() -> N>,
}

impl<N: Npi> Client for Counting<N> {
    type Npi = N;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, _: &mut Irql<Passive>) -> Decision<'a> {
        self.attached.set(self.attached.get() + 1);
        offer.decline()
    }
}

fn main() {}
