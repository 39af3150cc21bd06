//! There is no registration but one that succeeded.

use nmr_netdma::nmr::{Client, ClientRegistration};

fn none<C: Client>() -> ClientRegistration<C> {
    ClientRegistration(std::ptr::null_mut())
}

fn default<C: Client>() -> ClientRegistration<C> {
    Default::default()
}

fn main() {}
