//! The driver and AddDevice.

use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::{self, AddedDevice, DeviceInit, DriverInit, Shared, debug_print};
use nmr_netdma::netdma::{
    Capabilities, Characteristics, Failed, Interface, Name, RegisterError, Registered, Version,
};
use nmr_netdma::{Error, Irql, Result};

use crate::device::Device;
use crate::engine::{CopyEngine, Lanes, MAXIMUM_CHANNELS};
use crate::hardware::Hardware;
use crate::interrupt::EngineInterrupt;
use crate::offload::CopyOffload;

const NAME: Name = Name::new("nmr-netdma example copy engine");

/// The driver itself keeps what does not depend on a device.
pub(crate) struct Driver {
    offload: CopyOffload,
}

impl kmdf::Driver for Driver {
    fn init(driver: &DriverInit<'_>, irql: &mut Irql<Passive>) -> Result<Self> {
        let offload = CopyOffload::register(driver.image(), irql)?;
        Ok(Self { offload })
    }

    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> Result<AddedDevice<'a>> {
        let mut device = init.create::<Device>(irql)?;
        let hardware = share(Hardware::new(device.create_registers(irql)?), irql)?;
        let lanes = share(Lanes::new(device.image(), &hardware, irql)?, irql)?;

        let interface = Interface::find(irql);
        let characteristics = Characteristics {
            version: Version::V2_1,
            capabilities: Capabilities::empty(),
            device: device.physical_device(),
            maximum_channels: MAXIMUM_CHANNELS,
            name: NAME,
        };
        // NetDMA names the processors of the interrupts inside this call. They are applied when resources are filtered.
        let engine = CopyEngine::new(lanes.clone());
        let engine = match Registered::register(
            device.image(),
            &interface,
            engine,
            &characteristics,
            irql,
        ) {
            Ok(registered) => Some(registered.into_engine()),
            Err(Failed {
                error: RegisterError::Unsupported,
                ..
            }) => {
                debug_print(format_args!(
                    "netdma-kmdf: NetDMA is not supported by this system\n"
                ));
                None
            }
            Err(Failed { error, .. }) => return Err(error.into()),
        };
        if engine.is_some() {
            // How many channels there are will be known when the device starts; interrupts must be created now.
            for _ in 0..MAXIMUM_CHANNELS {
                device.create_interrupt(EngineInterrupt::new(lanes.clone(), hardware.clone()))?;
            }
        }
        Ok(device.finish(Device::new(engine, lanes, hardware)))
    }

    fn unload(self, irql: &mut Irql<Passive>) {
        self.offload.deregister(irql);
    }
}

fn share<T>(value: T, irql: &mut Irql<Passive>) -> Result<Shared<T>> {
    Shared::try_new(value, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)
}
