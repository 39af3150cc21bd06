//! The devices that the simulated framework gives resources for, and copies through the channels of their drivers.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use simkernel::Kernel;
use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::ndis::{Channel, ProviderInfo, Transfer};
use simkernel::platform::Mutex;
use simkernel::pnp::{Bar, DeviceConfig, DeviceId, InterruptReport, Layout, Signal};

use super::machine::{self, Variant, kernel};
use super::{framework, say, trap};

/// The service of the driver that has an engine, and that of the one which has the first one copy.
pub(super) const ENGINE: &str = "netdma_kmdf";
pub(super) const CLIENT: &str = "nmr_client";

const CHANNELS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(20);

/// The registers of an engine, counted.
pub(super) struct Counted {
    device: Arc<Doorbell>,
    reads: AtomicU64,
    writes: AtomicU64,
    rings: AtomicU64,
    variant: Variant,
}

/// Those of the machine's devices.
static REGISTERS: Mutex<Vec<Arc<Counted>>> = Mutex::new(Vec::new());

const IDENTITY: usize = 0;
const DOORBELLS: usize = 0x200;
/// The ring that a variant swallows.
const LOST: u64 = 3;

impl Registers for Counted {
    fn read(&self, offset: usize) -> u32 {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let value = self.device.read(offset);
        if self.variant == Variant::Start && offset == IDENTITY {
            !value
        } else {
            value
        }
    }

    fn write(&self, offset: usize, value: u32) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        if offset >= DOORBELLS {
            let ring = self.rings.fetch_add(1, Ordering::Relaxed) + 1;
            if self.variant == Variant::Interrupt && ring == LOST {
                return;
            }
        }
        self.device.write(offset, value);
    }
}

/// The device of a driver that Wine has found one for: without resources, as Wine starts it, or with what the simulated framework
/// supplies.
pub(super) fn device(driver: &str) -> DeviceConfig {
    if driver == ENGINE && machine::variant() != Variant::Plain {
        return engine(CHANNELS);
    }
    DeviceConfig {
        name: format!("device of {driver}"),
        layout: Layout::Root,
        ..DeviceConfig::default()
    }
}

/// A device of the driver that has an engine, with four channels and `messages` interrupt messages.
pub(super) fn engine(messages: u32) -> DeviceConfig {
    let signal = Signal::new();
    let model = Arc::new(Counted {
        device: Doorbell::new(CHANNELS, signal.clone()),
        reads: AtomicU64::new(0),
        writes: AtomicU64::new(0),
        rings: AtomicU64::new(0),
        variant: machine::variant(),
    });
    REGISTERS.lock().push(Arc::clone(&model));
    DeviceConfig {
        name: "copy engine".into(),
        messages,
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model,
        }],
        signal,
        ..DeviceConfig::default()
    }
}

/// Accesses that drivers' instructions made to devices that were not there any more.
static LOST_ACCESSES: Mutex<(u64, u64)> = Mutex::new((0, 0));

/// How often registers were read and written, as far as their devices know, and as far as instructions go.
fn accesses() -> [(u64, u64); 2] {
    let registers = REGISTERS.lock();
    let sum = |count: fn(&Counted) -> &AtomicU64| {
        registers
            .iter()
            .map(|device| count(device).load(Ordering::Relaxed))
            .sum::<u64>()
    };
    let lost = *LOST_ACCESSES.lock();
    let traps = trap::counts();
    [
        (sum(|device| &device.reads), sum(|device| &device.writes)),
        (
            traps.register_reads - lost.0,
            traps.register_writes - lost.1,
        ),
    ]
}

/// Every access that a driver's instruction made has reached a device, and no device was accessed otherwise: to be asked before
/// a device goes.
pub(super) fn check_registers() {
    let [devices, instructions] = accesses();
    if devices != instructions {
        machine::failed(format_args!(
            "devices were read and written {devices:?} times, but instructions did so {instructions:?} times"
        ));
    }
}

/// To be called when a device is gone: what its driver has done to it in the meantime has reached nothing.
pub(super) fn device_gone() {
    let [devices, instructions] = accesses();
    let mut lost = LOST_ACCESSES.lock();
    lost.0 += instructions.0 - devices.0;
    lost.1 += instructions.1 - devices.1;
}

/// Copies through every channel of the engine that Wine has started.
pub(super) fn copy_all() -> Result<(), String> {
    let kernel = kernel();
    let _entered = kernel.enter(0);
    let device = framework::added(ENGINE).ok_or("Wine has added no engine")?;
    copy(kernel, device)
}

/// Copies through every channel of the one provider, at the same time, and checks every byte and every processor.
pub(super) fn copy(kernel: &Kernel, device: DeviceId) -> Result<(), String> {
    const BATCHES: u32 = 4;
    const PIECES: usize = 16;

    let providers = kernel.netdma().providers();
    let [provider] = &*providers else {
        return Err(format!("{} NetDMA providers, not one", providers.len()));
    };
    if !provider.started {
        return Err("the NetDMA provider is not started".into());
    }
    let interrupts = kernel.interrupts(device);
    check_targets(provider, &interrupts)?;
    let channels = (0..provider.channels)
        .map(|index| {
            let asked = provider.affinity.get(index as usize).copied().flatten();
            let mask = asked.map_or(u64::MAX, |processor| 1 << processor);
            kernel
                .netdma()
                .open(provider.id, mask)
                .map_err(|status| format!("channel {index} is refused: {status:#010x}"))
        })
        .collect::<Result<Vec<Channel>, _>>()?;
    let mut bytes = 0;
    for batch in 0..BATCHES {
        bytes += copy_batch(kernel, &channels, batch, PIECES)?;
        // Completions are seen in memory. The interrupts that belong to them come by themselves.
        kernel.quiesce();
        for (index, channel) in channels.iter().enumerate() {
            if channel.statistics().interrupts != u64::from(batch) + 1 {
                return Err(format!("channel {index}: no interrupt for batch {batch}"));
            }
        }
    }
    for (index, channel) in channels.iter().enumerate() {
        let statistics = channel.statistics();
        let on = |processors: &BTreeMap<u32, u64>| processors.keys().copied().collect::<Vec<_>>();
        let service = on(&statistics.isr_processors);
        let call = on(&statistics.dpc_processors);
        say(format_args!(
            "channel {index}: {} interrupts on processor {service:?}, DPCs on {call:?}, {} descriptors, {} bytes",
            statistics.interrupts, statistics.descriptors, statistics.bytes
        ));
        if statistics.descriptors != u64::from(BATCHES) * PIECES as u64 {
            return Err(format!("channel {index} has not done all descriptors"));
        }
        if call != [channel.processor()] {
            return Err(format!("channel {index}: its DPC ran elsewhere"));
        }
        // Channels share messages in turn.
        let own = interrupts.get(index % interrupts.len().max(1));
        if let Some(own) = own
            && !service
                .iter()
                .all(|processor| own.targets.contains(processor))
        {
            return Err(format!("channel {index} interrupts elsewhere"));
        }
    }
    for interrupt in kernel.interrupts(device) {
        say(format_args!(
            "interrupt {}: vector 0x{:X}, IRQL {}, for processors {:?}, taken {:?} times",
            interrupt
                .message
                .map_or_else(|| "by line".into(), |message| format!("message {message}")),
            interrupt.vector,
            interrupt.irql,
            interrupt.targets,
            interrupt.delivered.values().sum::<u64>()
        ));
    }
    for channel in channels {
        channel.free();
    }
    say(format_args!(
        "verified: {bytes} bytes copied through {} channels",
        provider.channels
    ));
    Ok(())
}

/// Copies once through every channel of the provider, as far as that is not refused.
pub(super) fn copy_what_can_be(kernel: &Kernel) {
    for provider in kernel.netdma().providers() {
        let channels = (0..provider.channels).map(|_| kernel.netdma().open(provider.id, u64::MAX));
        let channels: Vec<_> = channels.filter_map(Result::ok).collect();
        if let Err(problem) = copy_batch(kernel, &channels, 0, 4) {
            say(format_args!("{problem}"));
        }
    }
}

/// The messages of the first channels go where NetDMA asked for those channels.
fn check_targets(provider: &ProviderInfo, interrupts: &[InterruptReport]) -> Result<(), String> {
    for (index, interrupt) in interrupts.iter().enumerate() {
        let asked = provider.affinity.get(index).copied().flatten();
        let wrong = |asked: u32| interrupt.targets != [asked];
        if interrupt.message.is_some() && asked.is_some_and(wrong) {
            return Err(format!(
                "message {index} goes to {:?}, asked was {asked:?}",
                interrupt.targets
            ));
        }
    }
    Ok(())
}

fn copy_batch(
    kernel: &Kernel,
    channels: &[Channel],
    batch: u32,
    pieces: usize,
) -> Result<u64, String> {
    const ROOM: usize = 0x2000;
    const GUARD: u8 = 0xA5;

    let range = |piece: usize| {
        let start = piece * ROOM + 64 + piece % 7;
        start..start + 1 + (piece * 977 + batch as usize) % 0x1800
    };
    let mut sent = Vec::new();
    for (index, channel) in channels.iter().enumerate() {
        let mut source = kernel.allocate(pieces * ROOM);
        let mut destination = kernel.allocate(pieces * ROOM);
        for (place, byte) in source.as_mut_slice().iter_mut().enumerate() {
            // CAST: the lowest bits of the product's upper half are as good as any.
            *byte = ((place as u32 + batch + index as u32).wrapping_mul(0x9E37_79B9) >> 16) as u8;
        }
        destination.as_mut_slice().fill(GUARD);
        let transfers: Vec<_> = (0..pieces)
            .map(|piece| Transfer {
                source: source.physical() + range(piece).start as u64,
                destination: destination.physical() + range(piece).start as u64,
                length: range(piece).len() as u32,
                flags: 0,
            })
            .collect();
        let ticket = channel
            .submit(&transfers)
            .map_err(|status| format!("channel {index} refuses a batch: {status:#010x}"))?;
        sent.push((ticket, source, destination));
    }
    let mut bytes = 0;
    for ((index, channel), (ticket, source, destination)) in channels.iter().enumerate().zip(sent) {
        if !channel.wait(ticket, PATIENCE) {
            return Err(format!("channel {index} does not complete batch {batch}"));
        }
        let mut expected = vec![GUARD; pieces * ROOM];
        for range in (0..pieces).map(range) {
            bytes += range.len() as u64;
            expected[range.clone()].copy_from_slice(&source.as_slice()[range]);
        }
        if destination.as_slice() != expected {
            return Err(format!("channel {index}: batch {batch} differs"));
        }
    }
    Ok(bytes)
}
