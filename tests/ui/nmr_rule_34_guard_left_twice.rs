//! A call ends once: its guard is neither copied nor dropped again.

use nmr_netdma::nmr::{Guard, Npi};

fn copied<N: Npi>(guard: &Guard<N>) -> Guard<N> {
    guard.clone()
}

fn again<N: Npi>(guard: Guard<N>) {
    drop(guard);
    drop(guard);
}

fn main() {}
