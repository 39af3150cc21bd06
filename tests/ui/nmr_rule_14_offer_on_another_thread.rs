//! An offer is taken on the thread of its callback.

use nmr_netdma::nmr::{Client, Offer};

fn hand_over<C: Client>(offer: Offer<'_, C>) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = offer.decline();
        });
    });
}

fn main() {}
