//! Memory cannot be written by a number: somebody has to vouch for the range.

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::kmdf::memory;
use nmr_netdma::physical_memory::PhysicalRange;

fn destroy(irql: &mut Irql<AtMostDispatch>) {
    let nowhere = PhysicalRange::new(0x1000, 64).unwrap();
    let _ = memory::copy_physical(nowhere, nowhere, irql);
}

fn main() {}
