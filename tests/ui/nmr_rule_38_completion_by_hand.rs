//! Completing a detach is the last guard's, and no safe call.

use nmr_netdma::nmr::Side;
use nmr_netdma::sys;

fn complete<S: Side>(handle: sys::HANDLE) {
    S::complete(handle);
}

fn main() {}
