//! A DPC cannot wait for a lock, nor try to take one that is for waiting.

use nmr_netdma::irql::{Dispatch, Irql};
use nmr_netdma::kmdf::{DpcHandle, DpcRoutine, WaitLock};

struct Routine(WaitLock<u32>);

impl DpcRoutine for Routine {
    fn run(&self, _: &DpcHandle<'_>, irql: &mut Irql<Dispatch>) {
        self.0.with(irql, |value, _| *value += 1);
        self.0.try_with(irql, |value, _| *value += 1);
    }
}

fn main() {}
