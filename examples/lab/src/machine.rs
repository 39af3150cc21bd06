//! The machine with its driver and its device, up and down.

use std::sync::Arc;

use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::ndis::{AffinityPlan, Channel, ProviderInfo};
use simkernel::pnp::{
    Bar, DeviceConfig, DeviceId, DriverEntry, DriverId, Layout, RegistryPolicy, Signal,
};
use simkernel::{Config, Kernel};

use crate::Failure;
use crate::arguments::{MachineArguments, Way};

/// The first of the registers that say which message a channel sends.
const MESSAGE: usize = 0x100;

/// What only `topology` lets be chosen.
#[derive(Default)]
pub(crate) struct DeviceOptions {
    pub(crate) layout: Layout,
    pub(crate) policy: Option<RegistryPolicy>,
    pub(crate) asked: AffinityPlan,
}

/// A machine whose driver is loaded and whose device is started.
pub(crate) struct Machine {
    pub(crate) kernel: Kernel,
    pub(crate) device: DeviceId,
    driver: DriverId,
    doorbell: Arc<Doorbell>,
}

impl Machine {
    pub(crate) fn boot(arguments: &MachineArguments) -> Result<Self, Failure> {
        Self::boot_with(arguments, &DeviceOptions::default())
    }

    pub(crate) fn boot_with(
        arguments: &MachineArguments,
        options: &DeviceOptions,
    ) -> Result<Self, Failure> {
        let kernel = Kernel::boot(Config {
            os: arguments.os.os(),
            processors: arguments.processors,
            group_size: arguments.group_size,
            ..Config::default()
        });
        let possible = kernel.config().processors;
        if possible != arguments.processors {
            return Err(Failure::Input(format!(
                "--processors {}: there are at most 4 groups of --group-size, and on vista-sp1 one of 64, which makes {possible}",
                arguments.processors
            )));
        }
        kernel.netdma().set_affinity(options.asked.clone());
        let entry = match arguments.affinity_by {
            Way::Requirements => netdma_kmdf::driver_entry as DriverEntry,
            Way::Interrupts => netdma_kmdf::driver_entry_by_interrupt,
        };
        let driver = kernel
            .load_driver("netdma-kmdf", entry)
            .map_err(|status| Failure::refused("loading the driver", status))?;
        let signal = Signal::new();
        let doorbell = Doorbell::new(arguments.channels, signal.clone());
        let device = kernel
            .add_device(
                driver,
                DeviceConfig {
                    name: "copy engine".into(),
                    messages: arguments.device_messages(),
                    granted: arguments.granted,
                    layout: options.layout,
                    policy: options.policy,
                    bars: vec![Bar {
                        length: Doorbell::LENGTH,
                        model: doorbell.clone(),
                    }],
                    signal,
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
            let asked = asked.and_then(|processor| 1_u64.checked_shl(processor));
            let mask = asked
                .filter(|bit| processors & bit != 0)
                .unwrap_or(processors);
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
