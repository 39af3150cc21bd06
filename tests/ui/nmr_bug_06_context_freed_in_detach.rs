//! A detach callback sees its binding context and does not own it.

use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
use nmr_netdma::nmr::{Client, Decision, Npi, Offer};

struct Module<N>(std::marker::PhantomData<fn(N)>);

impl<N: Npi> Client for Module<N> {
    type Npi = N;
    type Context = Vec<u8>;

    fn attach<'a>(&self, offer: Offer<'a, Self>, _: &mut Irql<Passive>) -> Decision<'a> {
        offer.decline()
    }

    fn detach(&self, context: &Vec<u8>, _: &mut Irql<AtMostDispatch>) {
        drop(*context);
    }
}

fn main() {}
