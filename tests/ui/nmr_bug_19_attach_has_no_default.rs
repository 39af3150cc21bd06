//! Whom to attach to has to be decided.

use nmr_netdma::nmr::{Client, Npi};

struct Module<N>(std::marker::PhantomData<fn(N)>);

impl<N: Npi> Client for Module<N> {
    type Npi = N;
    type Context = ();
}

fn main() {}
