//! Registers are mapped when the device is prepared, not later.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{Device, MemoryResource, Registers, Resources};
use nmr_netdma::{Error, Result};
use std::sync::Mutex;

struct Doorbell {
    registers: Registers,
    memory: Mutex<Option<MemoryResource<'static>>>,
}

impl Device for Doorbell {
    fn prepare_hardware(&self, resources: &Resources<'_>, _: &mut Irql<Passive>) -> Result<()> {
        *self.memory.lock().unwrap() = resources.memory().next();
        Ok(())
    }

    fn self_managed_io_init(&self, irql: &mut Irql<Passive>) -> Result<()> {
        let memory = self.memory.lock().unwrap().ok_or(Error::DEVICE_NOT_READY)?;
        self.registers.map(memory, irql)
    }
}

fn main() {}
