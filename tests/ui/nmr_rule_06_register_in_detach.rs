//! A detach callback has no proof of PASSIVE_LEVEL, so what takes one cannot be called there.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{Identity, Npi, Provider, ProviderRegistration};

fn detach<P: Provider>(
    image: &Image,
    provider: P,
    identity: Identity<<P::Npi as Npi>::ProviderCharacteristics>,
    irql: &mut Irql<AtMostDispatch>,
) {
    let _ = ProviderRegistration::register(image, provider, identity, irql);
}

fn main() {}
