//! What a module is shown of its peer is there during the attach callback, and may point to what is.

use std::sync::Mutex;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Accept, Npi, Offer, Peer, Provider, Request};
use nmr_netdma::nmr::{Client, Decision};
use nmr_netdma::{Error, Result};

struct Keeper<N: Npi>(Mutex<Vec<Peer<'static, N::ProviderCharacteristics>>>);

impl<N: Npi> Client for Keeper<N> {
    type Npi = N;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, _: &mut Irql<Passive>) -> Decision<'a> {
        self.0.lock().unwrap().push(*offer.peer());
        offer.decline()
    }
}

struct Collector<N: Npi>(Mutex<Vec<Peer<'static, N::ClientCharacteristics>>>)
where
    Self: Provider;

impl<N: Npi> Provider for Collector<N> {
    type Npi = N;
    type Context = ();

    fn attach(&self, request: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        self.0.lock().unwrap().push(*request.peer());
        Err(Error::NO_INTERFACE)
    }
}

fn main() {}
