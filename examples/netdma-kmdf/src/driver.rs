//! The driver and AddDevice.

use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::{
    self, AddedDevice, DeviceInit, DriverInit, InterruptPolicy, InterruptPriority, NewInterrupt,
    ProcessorSet, QueuePower, Shared, debug_print,
};
use nmr_netdma::netdma::{
    Capabilities, Characteristics, Failed, Interface, Name, RegisterError, Registered, Version,
};
use nmr_netdma::{Error, Irql, Result};

use crate::device::Device;
use crate::engine::{CopyEngine, Lanes, MAXIMUM_CHANNELS};
use crate::hardware::Hardware;
use crate::interrupt::EngineInterrupt;
use crate::offload::CopyOffload;
use crate::statistics::{DEVICE_INTERFACE, Reporter};

const NAME: Name = Name::new("nmr-netdma example copy engine");

/// The driver itself keeps what does not depend on a device.
///
/// With `BY_INTERRUPT`, AddDevice asks for NetDMA's processors itself, interrupt by interrupt. What it leaves open, the filter asks for in
/// either form.
pub(crate) struct Driver<const BY_INTERRUPT: bool> {
    offload: CopyOffload,
}

impl<const BY_INTERRUPT: bool> kmdf::Driver for Driver<BY_INTERRUPT> {
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

        let reporter = Reporter::new(lanes.clone());
        device.create_default_queue(QueuePower::Unmanaged, reporter, irql)?;
        device.create_interface(DEVICE_INTERFACE, irql)?;

        let interface = Interface::find(irql);
        let characteristics = Characteristics {
            version: Version::V2_1,
            capabilities: Capabilities::empty(),
            device: device.physical_device(),
            maximum_channels: MAXIMUM_CHANNELS,
            name: NAME,
        };
        // NetDMA names the processors of the interrupts inside this call. They are asked for below, or when resources are filtered.
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
        if let Some(engine) = &engine {
            // How many channels there are will be known when the device starts; interrupts must be created now.
            for channel in 0..MAXIMUM_CHANNELS {
                let interrupt = EngineInterrupt::new(lanes.clone(), hardware.clone());
                let mut interrupt = device.create_interrupt(interrupt)?;
                if BY_INTERRUPT && let Some(processors) = engine.provider().plan().target(channel) {
                    ask_for(&mut interrupt, processors)?;
                }
            }
        }
        Ok(device.finish(Device::new(engine, lanes, hardware)))
    }

    fn unload(self, irql: &mut Irql<Passive>) {
        self.offload.deregister(irql);
    }
}

/// Has the framework ask for `processors`. The requirements of an interrupt can name a group even if the framework cannot, and are
/// filtered.
fn ask_for(interrupt: &mut NewInterrupt<'_>, processors: ProcessorSet) -> Result<()> {
    let policy = InterruptPolicy::Processors(processors);
    match interrupt.set_policy(policy, InterruptPriority::Normal) {
        Err(Error::NOT_SUPPORTED) => Ok(()),
        done => done,
    }
}

fn share<T>(value: T, irql: &mut Irql<Passive>) -> Result<Shared<T>> {
    Shared::try_new(value, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)
}
