//! Registering takes proof of PASSIVE_LEVEL.

use nmr_netdma::Result;
use nmr_netdma::irql::{Dispatch, Irql};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{Client, ClientRegistration, Failed, Identity, ModuleId, Npi};

fn register<C: Client>(
    image: &Image,
    client: C,
    module: ModuleId,
    irql: &mut Irql<Dispatch>,
) -> Result<ClientRegistration<C>, Failed<C>>
where
    C::Npi: Npi<ClientCharacteristics = ()>,
{
    ClientRegistration::register(image, client, Identity::new(module), irql)
}

fn main() {}
