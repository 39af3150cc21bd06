//! An offer that was accepted is gone.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, ClientDispatch, Offer};

fn twice<C: Client>(
    offer: Offer<'_, C>,
    contexts: (C::Context, C::Context),
    dispatch: ClientDispatch<C>,
    irql: &mut Irql<Passive>,
) {
    let _ = offer.accept(contexts.0, dispatch, irql);
    let _ = offer.accept(contexts.1, dispatch, irql);
}

fn main() {}
