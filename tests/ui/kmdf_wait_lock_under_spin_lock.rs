//! Nobody waits with a spin lock held.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{SpinLock, WaitLock};

fn both(spin: &SpinLock<u32>, wait: &WaitLock<u32>, irql: &mut Irql<Passive>) {
    spin.with(irql, |_, _| wait.with(irql, |value, _| *value += 1));
}

fn main() {}
