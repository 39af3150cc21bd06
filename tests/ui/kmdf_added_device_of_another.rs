//! The device that AddDevice answers is the one it was called for.

use nmr_netdma::kmdf::AddedDevice;

fn add_device<'a, 'b>(other: AddedDevice<'b>) -> AddedDevice<'a> {
    other
}

fn main() {}
