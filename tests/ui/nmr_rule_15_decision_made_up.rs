//! Only an offer makes a decision, and a decision is what the callback returns.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, Decision, Npi, Offer};
use nmr_netdma::status::Status;

struct Liar<N: Npi>(N);

fn made_up<'a>() -> Decision<'a> {
    Decision { status: Status::SUCCESS }
}

fn status<'a, C: Client>(client: &C, offer: Offer<'a, C>, irql: &mut Irql<Passive>) -> Status {
    client.attach(offer, irql)
}

fn main() {}
