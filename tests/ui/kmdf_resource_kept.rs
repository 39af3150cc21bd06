//! A resource does not outlive the callback that gets it.

use nmr_netdma::kmdf::{MemoryResource, Resources};

fn keep(resources: &Resources<'_>) -> Option<MemoryResource<'static>> {
    resources.memory().next()
}

fn main() {}
