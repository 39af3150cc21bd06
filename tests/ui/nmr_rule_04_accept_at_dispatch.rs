//! Attaching takes proof of PASSIVE_LEVEL.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, ClientDispatch, Offer};

fn attach<C: Client>(
    offer: Offer<'_, C>,
    context: C::Context,
    dispatch: ClientDispatch<C>,
    irql: &mut Irql<Passive>,
) {
    irql.at_dispatch(|irql| {
        let _ = offer.accept(context, dispatch, irql);
    });
}

fn main() {}
