//! A registration has no handle to give away.

use nmr_netdma::nmr::{Client, ClientRegistration};
use nmr_netdma::sys;

fn handle<C: Client>(client: &ClientRegistration<C>) -> sys::HANDLE {
    client.handle
}

fn main() {}
