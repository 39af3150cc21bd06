//! A dispatch table lives as long as the driver's image.

use nmr_netdma::nmr::{Dispatch, Table, ToClient};

fn local<M, T: Table>(table: T) -> Dispatch<M, ToClient, T> {
    unsafe { Dispatch::new(&table) }
}

fn main() {}
