//! AddDevice succeeds only with a device whose context is installed.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{AddedDevice, Device, DeviceInit, NewDevice};
use nmr_netdma::Result;

fn add_device<'a, D: Device>(init: DeviceInit<'a>, irql: &mut Irql<Passive>) -> Result<AddedDevice<'a>> {
    let device: NewDevice<'a, D> = init.create(irql)?;
    Ok(device)
}

fn main() {}
