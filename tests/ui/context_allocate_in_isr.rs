//! The pool is not for interrupt service routines.

use nmr_netdma::context::PoolBox;
use nmr_netdma::irql::{Device, Irql};

fn isr(irql: &mut Irql<Device>) {
    let _ = PoolBox::try_new(1, irql);
}

fn main() {}
