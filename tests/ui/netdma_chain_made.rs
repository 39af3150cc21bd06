//! Safe code makes no chain, and no lease.

use nmr_netdma::netdma::{Chain, Lease, Rules};

fn chain(rules: Rules) {
    let _ = Chain::new(0x1000, &[0; 6], 1, rules);
}

fn lease() -> Lease<'static> {
    Lease::unbound()
}

fn main() {}
