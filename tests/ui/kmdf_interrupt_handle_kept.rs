//! An interrupt's handle does not outlive the callback that gets it.

use nmr_netdma::kmdf::InterruptHandle;

fn keep(interrupt: &InterruptHandle<'_>) -> InterruptHandle<'static> {
    *interrupt
}

fn main() {}
