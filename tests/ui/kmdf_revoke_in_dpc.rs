//! A DPC cannot wait.

use nmr_netdma::irql::{Dispatch, Irql};
use nmr_netdma::kmdf::{DpcHandle, DpcRoutine, Revocable};

struct Routine(Revocable<u32>);

impl DpcRoutine for Routine {
    fn run(&self, _: &DpcHandle<'_>, irql: &mut Irql<Dispatch>) {
        self.0.revoke(irql);
    }
}

fn main() {}
