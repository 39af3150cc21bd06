//! What a detach callback answers is not for the module to say.

use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
use nmr_netdma::nmr::{Client, Decision, Npi, Offer};
use nmr_netdma::status::Status;

struct Module<N>(std::marker::PhantomData<fn(N)>);

impl<N: Npi> Client for Module<N> {
    type Npi = N;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, _: &mut Irql<Passive>) -> Decision<'a> {
        offer.decline()
    }

    fn detach(&self, _: &(), _: &mut Irql<AtMostDispatch>) -> Status {
        Status::SUCCESS
    }
}

fn main() {}
