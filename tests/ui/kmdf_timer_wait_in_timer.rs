//! A timer's routine cannot wait for itself: it runs at DISPATCH_LEVEL.

use nmr_netdma::irql::{Dispatch, Irql};
use nmr_netdma::kmdf::{Timer, TimerRoutine};

struct Routine;

impl TimerRoutine for Routine {
    fn run(&self, timer: &Timer, irql: &mut Irql<Dispatch>) {
        timer.stop_and_wait(irql);
    }
}

fn main() {}
