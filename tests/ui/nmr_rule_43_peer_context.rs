//! The other module's context is an address, which safe code cannot look behind.

use nmr_netdma::nmr::{Guard, Npi};

fn look<N: Npi>(guard: &Guard<N>) -> u32 {
    *guard.context().cast::<u32>()
}

fn main() {}
