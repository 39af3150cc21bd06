//! A provider with one channel that copies in the submitter's call, in a driver whose device has no hardware.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use nmr_netdma::irql::{AtMostDispatch, Dispatch, Passive};
use nmr_netdma::kmdf::{
    self, AddedDevice, DeviceInit, DriverInit, NewDevice, PowerState, Shared, SpinLock, memory,
};
use nmr_netdma::netdma::{
    self, Affinities, Allocated, Attributes, Capabilities, Chain, ChannelParameters,
    Characteristics, ControlFlags, Cursor, Engine, Failed, Interface, Link, Name, OpenLink,
    Optional, PhysicalMemory, Provider, Registered, TextOverHeader, TransferStatus, Version, Work,
};
use nmr_netdma::physical_memory::PhysicalRange;
use nmr_netdma::{Error, Irql, Result};

pub(crate) const NAME: &str = "test provider";

pub(crate) const ATTRIBUTES: Attributes = Attributes {
    hardware_version: (1, 2),
    vendor: 0x8086,
    channels: 1,
    maximum_transfer_size: 8192,
    maximum_address: (1 << 48) - 1,
};

pub(crate) struct Copier {
    hands: Hands,
    asked: Mutex<Vec<netdma::Affinity>>,
    /// Tells this provider from others.
    pub(crate) mark: u32,
    /// Whether a channel that is freed, aborted or suspended, or refuses to start, leaves its list as it is.
    pub(crate) is_forgetful: bool,
    /// Whether it refuses to start.
    pub(crate) refuses: bool,
}

/// What a provider copies with.
#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) link: Link,
    pub(crate) work: Shared<SpinLock<Cursor>>,
    /// The last descriptor done.
    last: Arc<AtomicU64>,
}

pub(crate) struct OnlyChannel;

impl Copier {
    pub(crate) fn new(irql: &mut Irql<Passive>) -> Result<Self> {
        let work = Shared::try_new(SpinLock::new(Cursor::new()), irql);
        let hands = Hands {
            link: Link::new(irql)?,
            work: work.map_err(|_| Error::INSUFFICIENT_RESOURCES)?,
            last: Arc::default(),
        };
        Ok(Self {
            hands,
            asked: Mutex::new(Vec::new()),
            mark: 7,
            is_forgetful: false,
            refuses: false,
        })
    }

    /// What NetDMA asked of the interrupts.
    pub(crate) fn asked(&self) -> Vec<netdma::Affinity> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn hands(&self) -> &Hands {
        &self.hands
    }
}

impl Hands {
    fn run(&self, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
        irql.at_dispatch(|irql| {
            let mut link = self.link.open(irql).expect("the channel is allocated");
            while let Some((descriptor, flags)) = self.step(&mut link)? {
                self.last.store(descriptor, Ordering::Relaxed);
                if flags.contains(ControlFlags::STATUS) {
                    let more = self.work.with(link.irql(), |cursor, _| cursor.has_more());
                    let status = if more {
                        TransferStatus::Active
                    } else {
                        TransferStatus::Idle
                    };
                    link.publish(descriptor, status);
                }
            }
            Ok(())
        })
    }

    /// Copies what the next descriptor asks for.
    fn step(&self, link: &mut OpenLink<'_>) -> Result<Option<(u64, ControlFlags)>> {
        let (lease, irql) = link.split();
        let Some(transfer) = self
            .work
            .with(irql, |cursor, irql| cursor.next(lease, &mut Reader(irql)))?
        else {
            return Ok(None);
        };
        if let Work::Copy(pieces) = transfer.work {
            for piece in pieces.iter() {
                memory::copy_physical(piece.source, piece.destination, irql)?;
            }
        }
        Ok(Some((transfer.descriptor, transfer.flags)))
    }
}

struct Reader<'a>(&'a mut Irql<Dispatch>);

// SAFETY: it reads the memory of the range.
unsafe impl PhysicalMemory for Reader<'_> {
    fn read(&mut self, range: PhysicalRange<'_>, words: &mut [u64]) -> Result<()> {
        memory::read_words(range, words, self.0)
    }
}

impl Provider for Copier {
    type Channel = OnlyChannel;

    const OPTIONAL: Optional<Self> = Optional::none().abort().suspend_resume(TextOverHeader);

    fn set_channel_cpu_affinity(
        &self,
        affinities: Affinities<'_>,
        _: &mut Irql<Passive>,
    ) -> Result<()> {
        self.asked.lock().unwrap().extend(affinities.iter());
        Ok(())
    }

    fn allocate_channel(
        &self,
        _: &ChannelParameters,
        _: &mut Irql<AtMostDispatch>,
    ) -> Result<Allocated<OnlyChannel>> {
        Ok(Allocated {
            channel: OnlyChannel,
            processor: 1,
            link: self.hands.link.claim()?,
        })
    }
}

impl netdma::Channel<Copier> for OnlyChannel {
    fn start(&self, copier: &Copier, chain: &Chain, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
        let hands = &copier.hands;
        hands.work.with(irql, |cursor, _| cursor.start(chain));
        if copier.refuses {
            return Err(Error::UNSUCCESSFUL);
        }
        hands.run(irql)
    }

    fn append(
        &self,
        copier: &Copier,
        chain: &Chain,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<()> {
        let hands = &copier.hands;
        hands.work.with(irql, |cursor, _| cursor.append(chain))?;
        hands.run(irql)
    }

    fn free(self, copier: &Copier, irql: &mut Irql<AtMostDispatch>) {
        if !copier.is_forgetful {
            copier.hands.work.with(irql, |cursor, _| cursor.clear());
        }
    }
}

impl OnlyChannel {
    /// Drops what is left, unless the copier is forgetful, and says why.
    fn stop(copier: &Copier, status: TransferStatus, irql: &mut Irql<AtMostDispatch>) -> u64 {
        let hands = &copier.hands;
        let last = hands.last.load(Ordering::Relaxed);
        hands.work.with(irql, |cursor, irql| {
            if !copier.is_forgetful {
                cursor.clear();
            }
            let link = hands.link.open(irql).expect("the channel is allocated");
            link.publish(last, status);
        });
        last
    }
}

impl netdma::Abort<Copier> for OnlyChannel {
    fn abort(&self, copier: &Copier, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
        Self::stop(copier, TransferStatus::Halted, irql);
        Ok(())
    }
}

impl netdma::SuspendResume<Copier> for OnlyChannel {
    fn suspend(&self, copier: &Copier, irql: &mut Irql<AtMostDispatch>) -> Result<u64> {
        Ok(Self::stop(copier, TransferStatus::Suspended, irql))
    }

    fn resume(&self, _: &Copier, _: &mut Irql<AtMostDispatch>) -> Result<()> {
        Ok(())
    }
}

/// What one test does differently. Each is used by one test, so that its records are its own.
pub(crate) trait Case: Send + Sync + 'static {
    const VERSION: Version = Version::V2_1;

    /// In AddDevice.
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>>
    where
        Self: Sized,
    {
        let provider = Copier::new(irql)?;
        match register::<Self>(device, provider, irql) {
            Ok(registered) => Ok(Some(registered.into_engine())),
            Err(Failed { error, .. }) => Err(error.into()),
        }
    }

    /// When the device works.
    fn started(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        engine.start(&ATTRIBUTES, irql)
    }

    /// When it is about to stop working.
    fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        engine.stop(irql)
    }
}

pub(crate) fn register<C: Case>(
    device: &NewDevice<'_, Device<C>>,
    provider: Copier,
    irql: &mut Irql<Passive>,
) -> Result<Registered<Copier>, Failed<Copier>> {
    let characteristics = Characteristics {
        version: C::VERSION,
        capabilities: Capabilities::all(),
        device: device.physical_device(),
        maximum_channels: 1,
        name: const { Name::new(NAME) },
    };
    Registered::register(
        device.image(),
        &Interface::find(irql),
        provider,
        &characteristics,
        irql,
    )
}

pub(crate) struct Driver<C>(std::marker::PhantomData<C>);

impl<C: Case> kmdf::Driver for Driver<C> {
    fn init(_: &DriverInit<'_>, _: &mut Irql<Passive>) -> Result<Self> {
        Ok(Self(std::marker::PhantomData))
    }

    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> Result<AddedDevice<'a>> {
        let device = init.create::<Device<C>>(irql)?;
        let engine = C::add(&device, irql)?;
        Ok(device.finish(Device {
            engine,
            case: std::marker::PhantomData,
        }))
    }
}

pub(crate) struct Device<C> {
    engine: Option<Engine<Copier>>,
    case: std::marker::PhantomData<C>,
}

impl<C: Case> kmdf::Device for Device<C> {
    fn d0_entry_post_interrupts_enabled(
        &self,
        _: PowerState,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        self.engine
            .as_ref()
            .map_or(Ok(()), |engine| C::started(engine, irql))
    }

    fn d0_exit_pre_interrupts_disabled(
        &self,
        _: PowerState,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        self.engine
            .as_ref()
            .map_or(Ok(()), |engine| C::stopping(engine, irql))
    }
}

/// What the callbacks of a case found, in order.
pub(crate) struct Record(Mutex<Vec<String>>);

impl Record {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn note(&self, what: impl std::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{what:?}"));
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
