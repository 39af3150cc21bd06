//! The functions of one client do not go with the binding contexts of another.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, ClientDispatch, Offer};

fn mix<C: Client, D: Client<Npi = C::Npi>>(
    offer: Offer<'_, C>,
    context: C::Context,
    dispatch: ClientDispatch<D>,
    irql: &mut Irql<Passive>,
) {
    let _ = offer.accept(context, dispatch, irql);
}

fn main() {}
