//! A machine with the driver and one device, and what the tests do with it again and again.

pub(crate) use std::time::{Duration, Instant};

pub(crate) use netdma_kmdf::{MAXIMUM_TRANSFER_SIZE, driver_entry};
pub(crate) use nmr_netdma::sys;
use simkernel::devices::Doorbell;
pub(crate) use simkernel::mm::Buffer;
pub(crate) use simkernel::ndis::{Channel, ClientChannel, Descriptor, Transfer};
use simkernel::pnp::{Bar, DeviceConfig, DeviceId, DriverId, Signal};
pub(crate) use simkernel::{Config, Kernel, Os};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
pub(crate) const GUARD: u8 = 0xA5;
pub(crate) const STATUS: u32 = sys::NET_DMA_STATUS_UPDATE_ON_COMPLETION;
pub(crate) const INTERRUPT: u32 = sys::NET_DMA_INTERRUPT_ON_COMPLETION;
pub(crate) const SOURCE_BREAK: u32 = sys::NET_DMA_SOURCE_PAGE_BREAK;
pub(crate) const DESTINATION_BREAK: u32 = sys::NET_DMA_DESTINATION_PAGE_BREAK;
pub(crate) const CONTEXT_CHANGE: u32 =
    sys::NET_DMA_OP_TYPE_CONTEXT_CHANGE | sys::NET_DMA_DCA_CONTEXT_CHANGE;

/// What a machine is booted with.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) channels: u32,
    pub(crate) messages: u32,
    /// The most messages that are granted.
    pub(crate) granted: Option<u32>,
}

impl Default for Setup {
    /// Windows 7 on two processors, a device with two channels and a message for each.
    fn default() -> Self {
        Self {
            config: Config {
                processors: 2,
                ..Config::default()
            },
            channels: 2,
            messages: 2,
            granted: None,
        }
    }
}

/// The device, with a doorbell for each of `channels` channels.
pub(crate) fn device(channels: u32, messages: u32, granted: Option<u32>) -> DeviceConfig {
    let signal = Signal::new();
    let model = Doorbell::new(channels, signal.clone());
    DeviceConfig {
        name: "engine".into(),
        messages,
        granted,
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model,
        }],
        signal,
        ..DeviceConfig::default()
    }
}

pub(crate) struct Machine {
    pub(crate) kernel: Kernel,
    pub(crate) driver: DriverId,
    pub(crate) device: DeviceId,
    /// How the device interrupts.
    pub(crate) signal: Signal,
}

impl Machine {
    pub(crate) fn boot() -> Self {
        Self::with(Setup::default(), |_| {})
    }

    /// Boots, lets `before` change the machine, and loads the driver.
    pub(crate) fn with(setup: Setup, before: impl FnOnce(&Kernel)) -> Self {
        let kernel = Kernel::boot(setup.config);
        before(&kernel);
        let driver = kernel.load_driver("netdma-kmdf", driver_entry).unwrap();
        let config = device(setup.channels, setup.messages, setup.granted);
        let signal = config.signal.clone();
        let device = kernel.add_device(driver, config).unwrap();
        Self {
            kernel,
            driver,
            device,
            signal,
        }
    }

    fn open_of(&self, processors: u64) -> Result<Channel, sys::NTSTATUS> {
        let provider = self.kernel.netdma().providers()[0].id;
        self.kernel.netdma().open(provider, processors)
    }

    pub(crate) fn try_open(&self) -> Result<Channel, sys::NTSTATUS> {
        self.open_of(u64::MAX)
    }

    pub(crate) fn open_on(&self, processors: u64) -> Channel {
        self.open_of(processors).unwrap()
    }

    pub(crate) fn open(&self) -> Channel {
        self.open_on(u64::MAX)
    }

    /// A channel as the TCP/IP stack has one.
    pub(crate) fn client(&self) -> ClientChannel {
        let client = self.kernel.netdma().register_client().unwrap();
        client.allocate_channel(u64::MAX).unwrap()
    }

    /// How often the device has interrupted.
    pub(crate) fn delivered(&self) -> u64 {
        let reports = self.kernel.interrupts(self.device);
        let delivered = reports.iter().flat_map(|report| report.delivered.values());
        delivered.sum()
    }

    /// Bytes of which no two neighbouring pages are alike.
    pub(crate) fn source(&self, length: usize) -> Buffer {
        patterned(self.kernel.allocate(length))
    }

    pub(crate) fn destination(&self, length: usize) -> Buffer {
        guarded(self.kernel.allocate(length))
    }

    pub(crate) fn end(self, channel: impl Sized) {
        drop(channel);
        self.kernel.remove_device(self.device).unwrap();
        assert!(self.kernel.netdma().providers().is_empty());
        self.kernel.unload_driver(self.driver).unwrap();
        let verdict = self.kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

pub(crate) fn patterned(mut buffer: Buffer) -> Buffer {
    for (index, byte) in buffer.as_mut_slice().iter_mut().enumerate() {
        *byte = ((index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8;
    }
    buffer
}

pub(crate) fn guarded(mut buffer: Buffer) -> Buffer {
    buffer.as_mut_slice().fill(GUARD);
    buffer
}

pub(crate) fn untouched(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == GUARD)
}

pub(crate) fn transfer(
    source: &Buffer,
    from: usize,
    destination: &Buffer,
    to: usize,
    length: usize,
) -> Transfer {
    Transfer {
        source: source.physical() + from as u64,
        destination: destination.physical() + to as u64,
        length: length as u32,
        flags: 0,
    }
}

pub(crate) fn run(channel: &Channel, transfers: &[Transfer]) {
    let ticket = channel.submit(transfers).unwrap();
    assert!(channel.wait(ticket, TIMEOUT), "not completed: {channel:?}");
}

pub(crate) fn run_descriptors(channel: &Channel, descriptors: &[Descriptor]) {
    let ticket = channel.submit_descriptors(descriptors).unwrap();
    assert!(channel.wait(ticket, TIMEOUT), "not completed: {channel:?}");
}

/// The descriptor is refused when it is handed over, or halts the channel; either way a good one runs afterwards.
pub(crate) fn refused(channel: &Channel, bad: Descriptor, good: Transfer) {
    let faults = channel.statistics().faults;
    assert_eq!(
        channel.submit_descriptors(&[bad]),
        Err(sys::STATUS_UNSUCCESSFUL),
        "{bad:x?} as the first"
    );
    let ticket = channel.submit_descriptors(&[good.into(), bad]).unwrap();
    assert!(!channel.wait(ticket, TIMEOUT), "{bad:x?} as the second");
    assert_eq!(channel.statistics().faults, faults + 1, "{bad:x?}");
    run(channel, &[good]);
}

/// Copies that keep the engine busy for a while: piece k of `destination` gets piece k of `source`.
pub(crate) fn long_list(source: &Buffer, destination: &Buffer) -> Vec<Transfer> {
    let piece = MAXIMUM_TRANSFER_SIZE as usize;
    (0..source.as_slice().len() / piece)
        .map(|index| {
            let transfer = transfer(source, index * piece, destination, index * piece, piece);
            Transfer {
                flags: STATUS,
                ..transfer
            }
        })
        .collect()
}

/// How many pieces at the beginning were copied; behind them nothing was, or part of one if `partial`.
pub(crate) fn copied(source: &Buffer, destination: &Buffer, partial: bool) -> usize {
    let piece = MAXIMUM_TRANSFER_SIZE as usize;
    let mut pairs = source
        .as_slice()
        .chunks(piece)
        .zip(destination.as_slice().chunks(piece));
    let whole = pairs
        .clone()
        .take_while(|(source, destination)| source == destination)
        .count();
    if partial {
        let torn = pairs.nth(whole);
        assert!(torn.is_none_or(|(source, destination)| {
            let mut bytes = source.iter().zip(destination);
            bytes.all(|(source, destination)| destination == source || *destination == GUARD)
        }));
    }
    let rest = destination
        .as_slice()
        .chunks(piece)
        .skip(whole + usize::from(partial));
    assert!(
        rest.flatten().all(|byte| *byte == GUARD),
        "something behind was touched"
    );
    whole
}
