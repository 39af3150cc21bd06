//! The driver: load, unload, and a device that does nothing.

use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::{self, AddedDevice, DeviceInit, DriverInit, debug_print};
use nmr_netdma::nmr::{ClientRegistration, Identity, ModuleId};
use nmr_netdma::{Guid, Irql, Result};

use crate::client::Copier;

/// This driver, as providers see it.
const MODULE: ModuleId = ModuleId::Guid(Guid::parse("e4c90b17-62d5-4f8e-a1b3-95d0867c2e4f"));

pub(crate) struct Driver {
    client: ClientRegistration<Copier>,
}

/// On a real system a driver is loaded for a device, here one that the system only imagines.
pub(crate) struct Device;

impl kmdf::Device for Device {}

impl kmdf::Driver for Driver {
    fn init(driver: &DriverInit<'_>, irql: &mut Irql<Passive>) -> Result<Self> {
        let identity = Identity::new(MODULE);
        let client =
            ClientRegistration::register(driver.image(), Copier::default(), identity, irql)?;
        Ok(Self { client })
    }

    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> Result<AddedDevice<'a>> {
        let device = init.create(irql)?;
        Ok(device.finish(Device))
    }

    fn unload(self, irql: &mut Irql<Passive>) {
        match self.client.deregister(irql) {
            Ok(client) => debug_print(format_args!("{}\n", client.statistics())),
            Err(error) => debug_print(format_args!(
                "nmr-client: cannot be deregistered: {error}\n"
            )),
        }
    }
}
