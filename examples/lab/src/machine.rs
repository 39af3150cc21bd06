//! The machine with its driver and its device, up and down.

use std::sync::Arc;

use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::ndis::{Channel, ProviderInfo};
use simkernel::pnp::{Bar, DeviceConfig, DeviceId, DriverId, Signal};
use simkernel::{Config, Kernel};

use crate::Failure;
use crate::arguments::MachineArguments;

/// The first of the registers that say which message a channel sends.
const MESSAGE: usize = 0x100;

/// A machine whose driver is loaded and whose device is started.
pub(crate) struct Machine {
    pub(crate) kernel: Kernel,
    pub(crate) device: DeviceId,
    driver: DriverId,
    doorbell: Arc<Doorbell>,
}

impl Machine {
    pub(crate) fn boot(arguments: &MachineArguments) -> Result<Self, Failure> {
        let kernel = Kernel::boot(Config {
            os: arguments.os.os(),
            processors: arguments.processors,
            ..Config::default()
        });
        let driver = kernel
            .load_driver("netdma-kmdf", netdma_kmdf::driver_entry)
            .map_err(|status| Failure::refused("loading the driver", status))?;
        let signal = Signal::new();
        let doorbell = Doorbell::new(arguments.channels, signal.clone());
        let device = kernel
            .add_device(
                driver,
                DeviceConfig {
                    name: "copy engine".into(),
                    messages: arguments.device_messages(),
                    granted: None,
                    bars: vec![Bar {
                        length: Doorbell::LENGTH,
                        model: doorbell.clone(),
                    }],
                    signal,
                    ..DeviceConfig::default()
                },
            )
            .map_err(|status| Failure::refused("starting the device", status))?;
        Ok(Self {
            kernel,
            device,
            driver,
            doorbell,
        })
    }

    /// The driver as NetDMA knows it; `None` where there is no NetDMA.
    pub(crate) fn provider(&self) -> Option<ProviderInfo> {
        self.kernel
            .netdma()
            .providers()
            .into_iter()
            .find(|provider| provider.started)
    }

    /// All channels, on some of `processors`.
    ///
    /// Channel k is opened as the k-th, and asks for the processor that NetDMA wants channel k on: the provider then answers
    /// with channel k.
    pub(crate) fn open_channels(
        &self,
        provider: &ProviderInfo,
        processors: u64,
    ) -> Result<Vec<Channel>, Failure> {
        let open = |index: u32| {
            let asked = provider.affinity.get(index as usize).copied().flatten();
            let mask = asked.map_or(processors, |processor| 1 << processor);
            let opened = self.kernel.netdma().open(provider.id, mask);
            opened.map_err(|status| Failure::refused(&format!("opening channel {index}"), status))
        };
        (0..provider.channels).map(open).collect()
    }

    /// The message that the device was told to send for `channel`.
    pub(crate) fn message(&self, channel: usize) -> u32 {
        self.doorbell.read(MESSAGE + 4 * channel)
    }

    pub(crate) fn remove_device(&self) -> Result<(), Failure> {
        self.kernel
            .remove_device(self.device)
            .map_err(|status| Failure::refused("removing the device", status))
    }

    pub(crate) fn unload_driver(&self) -> Result<(), Failure> {
        self.kernel
            .unload_driver(self.driver)
            .map_err(|status| Failure::refused("unloading the driver", status))
    }
}
