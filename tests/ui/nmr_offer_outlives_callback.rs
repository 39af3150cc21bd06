//! An offer exists during its callback only.

use std::sync::Mutex;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, Decision, Npi, Offer};

struct Keeper<N: Npi>(Mutex<Option<Offer<'static, Self>>>)
where
    Self: Client;

fn keep<'a, N: Npi>(keeper: &Keeper<N>, offer: Offer<'a, Keeper<N>>)
where
    Keeper<N>: Client,
{
    *keeper.0.lock().unwrap() = Some(offer);
}

fn decide<'a, 'b, C: Client>(
    client: &C,
    offer: Offer<'a, C>,
    other: Offer<'b, C>,
    irql: &mut Irql<Passive>,
) -> Decision<'a> {
    let _ = client.attach(offer, irql);
    other.decline()
}

fn main() {}
