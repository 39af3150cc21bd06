//! What a wait lock protects cannot be kept beyond the lock.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::WaitLock;

fn keep<'a>(lock: &'a WaitLock<u32>, irql: &mut Irql<Passive>) -> &'a mut u32 {
    lock.with(irql, |value, _| value)
}

fn main() {}
