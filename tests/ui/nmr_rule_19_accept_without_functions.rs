//! A provider that accepts gives its context and its functions.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Accept, Npi, Provider, Request};
use nmr_netdma::Result;

struct Engine<N: Npi>(core::marker::PhantomData<fn() -> N>);

impl<N: Npi> Provider for Engine<N> {
    type Npi = N;
    type Context = u32;

    fn attach(&self, _: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        Ok(Accept { context: 1 })
    }
}

fn main() {}
