//! After the call that may complete the detach there is no way to what it may have freed.

use nmr_netdma::nmr::{Guard, Npi};

fn late<N: Npi>(guard: Guard<N>) {
    let dispatch = guard.dispatch();
    drop(guard);
    let _ = *dispatch;
}

fn main() {}
