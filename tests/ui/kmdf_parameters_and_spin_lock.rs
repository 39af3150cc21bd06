//! The registry is read at PASSIVE_LEVEL, so the level is not raised while its key is open.

use nmr_netdma::Result;
use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{DriverInit, SpinLock};

fn read(driver: &DriverInit<'_>, lock: &SpinLock<u32>, irql: &mut Irql<Passive>) -> Result<()> {
    let parameters = driver.parameters(irql)?;
    lock.with(irql, |value, _| {
        *value = parameters.u32("Value", 0..=9)?.unwrap_or(0);
        Ok(())
    })
}

fn main() {}
