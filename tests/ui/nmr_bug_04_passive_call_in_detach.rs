//! What may only be called at PASSIVE_LEVEL cannot be called in a detach callback.

use nmr_netdma::Result;
use nmr_netdma::irql::{AtMostDispatch, Irql, Passive};
use nmr_netdma::nmr::{Accept, Npi, Provider, Request};

struct Filter<N>(std::marker::PhantomData<fn(N)>);

fn delete_filters(_: &mut Irql<Passive>) {}

impl<N: Npi> Provider for Filter<N> {
    type Npi = N;
    type Context = ();

    fn attach(&self, _: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        Err(nmr_netdma::Error::NO_INTERFACE)
    }

    fn detach(&self, _: &(), irql: &mut Irql<AtMostDispatch>) {
        delete_filters(irql);
    }
}

fn main() {}
