//! The functions of a client do not go with the binding contexts of a provider, not even where one type is both and the two tables
//! are one type.

use nmr_netdma::nmr::{Accept, Client, ClientDispatch, Npi, Provider, Table};

fn give<M, N, T>(functions: ClientDispatch<M>, context: <M as Provider>::Context) -> Accept<M>
where
    M: Client<Npi = N> + Provider<Npi = N>,
    N: Npi<ClientDispatch = T, ProviderDispatch = T>,
    T: Table,
{
    Accept {
        context,
        dispatch: functions,
    }
}

fn main() {}
