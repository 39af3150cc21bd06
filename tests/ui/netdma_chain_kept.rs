//! A chain is read in the call that hands it over. What goes on of it goes through a cursor.

use nmr_netdma::netdma::{Chain, Transfer};

fn copy(chain: &Chain) -> Chain {
    chain.clone()
}

fn first(chain: &Chain) -> Transfer<'static> {
    chain.first()
}

fn main() {}
