//! One run: machine, drivers, device, channels, the copy, and everything back again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use simkernel::Verdict as Ended;
use simkernel::ndis::{Channel, ProviderInfo, Transfer};
use simkernel::pnp::InterruptReport;

use crate::Failure;
use crate::arguments::CopyArguments;
use crate::machine::Machine;
use crate::offload::{Client, Copies};
use crate::source::Source;

/// Bytes that are in flight at a time.
const WINDOW: usize = 4 << 20;
/// Descriptors that are handed to a channel at a time; the last of them asks for the interrupt.
const BATCH: usize = 16;
const PATIENCE: Duration = Duration::from_secs(30);

/// How a run ended.
pub(crate) struct Outcome {
    pub(crate) os: &'static str,
    pub(crate) source: String,
    pub(crate) netdma: bool,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) elapsed: Duration,
    pub(crate) channels: Vec<ChannelOutcome>,
    pub(crate) copy_offload: Copies,
    pub(crate) verdict: Verdict,
    pub(crate) ended: Ended,
}

/// What one channel was asked, given, and did.
pub(crate) struct ChannelOutcome {
    pub(crate) channel: u32,
    pub(crate) asked_processor: Option<u32>,
    pub(crate) message: Option<u32>,
    pub(crate) vector: Option<u32>,
    pub(crate) interrupt_processors: Vec<u32>,
    pub(crate) descriptors: u64,
    pub(crate) interrupts: u64,
    pub(crate) bytes: u64,
}

pub(crate) enum Verdict {
    /// The copy equals the source, interrupts came where they were asked, nothing was left.
    Verified,
    /// The system has no NetDMA; the driver loaded, said so and unloaded.
    Unsupported,
    /// What went wrong, one line each.
    Failed(Vec<String>),
}

impl Verdict {
    pub(crate) fn is_good(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

/// Boots, copies, shuts down.
pub(crate) fn run(arguments: &CopyArguments, mut source: Source) -> Result<Outcome, Failure> {
    let machine = Machine::boot(&arguments.machine)?;
    let kernel = &machine.kernel;
    // Its copies run beside those of the channels.
    let client = Client::load(kernel)?;

    let provider = machine.provider();
    let mut problems = Vec::new();
    let mut copied = Copied::default();
    let started = Instant::now();
    if let Some(provider) = &provider {
        copied = copy(arguments, &machine, provider, &mut source)?;
        problems.append(&mut copied.problems);
    }
    let elapsed = started.elapsed();
    let channels = match &provider {
        Some(provider) => channels(&machine, provider, &copied),
        None => Vec::new(),
    };

    let mut copy_offload = Copies::default();
    client.wait(kernel)?;
    copy_offload.add(client.unload(kernel)?);

    machine.remove_device()?;
    // Once more, and now the provider goes first, with copies in flight.
    let client = Client::load(kernel)?;
    machine.unload_driver()?;
    copy_offload.add(client.unload(kernel)?);
    let ended = machine.kernel.shutdown();

    problems.extend(misplaced(&channels));
    problems.extend(copy_offload.problems());
    problems.extend(ended.violations.iter().map(ToString::to_string));
    problems.extend(ended.leaks.iter().map(ToString::to_string));
    let verdict = match (problems.is_empty(), provider.is_some()) {
        (false, _) => Verdict::Failed(problems),
        (true, true) => Verdict::Verified,
        (true, false) => Verdict::Unsupported,
    };
    Ok(Outcome {
        os: arguments.machine.os.name(),
        source: source.name,
        netdma: provider.is_some(),
        bytes: copied.bytes,
        sha256: copied.sha256,
        elapsed,
        channels,
        copy_offload,
        verdict,
        ended,
    })
}

#[derive(Default)]
struct Copied {
    bytes: u64,
    /// Of the copy, in lower-case hexadecimal.
    sha256: String,
    problems: Vec<String>,
    statistics: Vec<simkernel::ndis::ChannelStatistics>,
}

fn copy(
    arguments: &CopyArguments,
    machine: &Machine,
    provider: &ProviderInfo,
    source: &mut Source,
) -> Result<Copied, Failure> {
    let channels = machine.open_channels(provider, arguments.machine.every_processor())?;

    let progress = progress_bar(source.length);
    let mut from = machine.kernel.allocate(WINDOW);
    let mut to = machine.kernel.allocate(WINDOW);
    let mut source_hash = Sha256::new();
    let mut copy_hash = Sha256::new();
    let mut copied = Copied::default();
    loop {
        let count = source.fill(from.as_mut_slice())?;
        if count == 0 {
            break;
        }
        to.as_mut_slice()[..count].fill(0xA5);
        source_hash.update(&from.as_slice()[..count]);
        let transfers = transfers(
            from.physical(),
            to.physical(),
            count,
            arguments.transfer_size,
        );
        if let Err(problem) = send(&channels, &transfers) {
            copied.problems.push(problem);
            break;
        }
        copy_hash.update(&to.as_slice()[..count]);
        copied.bytes += count as u64;
        progress.inc(count as u64);
    }
    progress.finish_and_clear();

    let copy_hash = copy_hash.finalize();
    if copied.problems.is_empty() && source_hash.finalize() != copy_hash {
        copied
            .problems
            .push("the copy differs from the source".into());
    }
    copied.sha256 = copy_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    for channel in channels {
        copied.statistics.push(channel.statistics());
        channel.free();
    }
    Ok(copied)
}

fn progress_bar(length: u64) -> ProgressBar {
    const TEMPLATE: &str = "copying {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    // Drawn on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(length);
    match ProgressStyle::with_template(TEMPLATE) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn transfers(source: u64, destination: u64, count: usize, transfer_size: u32) -> Vec<Transfer> {
    (0..count as u64)
        .step_by(transfer_size as usize)
        .map(|offset| Transfer {
            source: source + offset,
            destination: destination + offset,
            length: transfer_size.min((count as u64 - offset) as u32),
            flags: 0,
        })
        .collect()
}

/// Deals batches out to the channels in turn and waits for all of them.
fn send(channels: &[Channel], transfers: &[Transfer]) -> Result<(), String> {
    // Small windows still reach every channel.
    let batch = BATCH.min(transfers.len().div_ceil(channels.len()));
    let mut tickets = Vec::new();
    for (turn, batch) in transfers.chunks(batch).enumerate() {
        let index = turn % channels.len();
        let ticket = channels[index].submit(batch).map_err(|status| {
            format!("channel {index} refused a batch with NTSTATUS {status:#010X}")
        })?;
        tickets.push((index, ticket));
    }
    for (index, ticket) in tickets {
        if !channels[index].wait(ticket, PATIENCE) {
            return Err(format!(
                "channel {index} did not finish within {} s",
                PATIENCE.as_secs()
            ));
        }
    }
    Ok(())
}

fn channels(machine: &Machine, provider: &ProviderInfo, copied: &Copied) -> Vec<ChannelOutcome> {
    let interrupts: BTreeMap<Option<u32>, InterruptReport> = machine
        .kernel
        .interrupts(machine.device)
        .into_iter()
        .map(|report| (report.message, report))
        .collect();
    let line = interrupts.contains_key(&None);
    copied
        .statistics
        .iter()
        .enumerate()
        .map(|(index, statistics)| {
            let message = (!line).then(|| machine.message(index));
            ChannelOutcome {
                channel: index as u32,
                asked_processor: provider.affinity.get(index).copied().flatten(),
                message,
                vector: interrupts.get(&message).map(|report| report.vector),
                interrupt_processors: statistics.isr_processors.keys().copied().collect(),
                descriptors: statistics.descriptors,
                interrupts: statistics.interrupts,
                bytes: statistics.bytes,
            }
        })
        .collect()
}

/// Channels with a message of their own whose interrupts came elsewhere than NetDMA asked.
fn misplaced(channels: &[ChannelOutcome]) -> Vec<String> {
    channels
        .iter()
        .filter_map(|channel| {
            let asked = channel.asked_processor?;
            let message = channel.message?;
            let shared = channels
                .iter()
                .filter(|other| other.message == Some(message))
                .count()
                > 1;
            let elsewhere = channel
                .interrupt_processors
                .iter()
                .any(|&processor| processor != asked);
            (!shared && elsewhere).then(|| {
                format!(
                    "channel {}: interrupts on {:?}, asked for processor {asked}",
                    channel.channel, channel.interrupt_processors
                )
            })
        })
        .collect()
}
