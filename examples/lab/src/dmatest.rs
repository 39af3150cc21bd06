//! `lab dmatest`: random copies through every channel, each byte of both buffers checked.
//!
//! What Linux's dmatest does, with Windows' descriptors: lengths and offsets at random, bytes around the copy that nobody may
//! touch, several threads on a channel with one copy each, interrupts or none. Beyond it, copies break at the end of a
//! page and go on elsewhere, which only NetDMA knows, and a byte in the wrong place is found wherever it comes from; see
//! [`pattern`].

mod pattern;
mod report;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use netdma_kmdf::MAXIMUM_TRANSFER_SIZE;
use simkernel::ndis::{Channel, ChannelStatistics, ProviderInfo};

use self::worker::{DESCRIBED, Worker};
use crate::Failure;
use crate::arguments::MachineArguments;
use crate::machine::Machine;

const MAXIMUM_BUFFER: i64 = MAXIMUM_TRANSFER_SIZE as i64;

/// Copies at random through every channel and checks each byte, as Linux's dmatest does
///
/// Each thread fills two buffers with words that say where they belong, has a part of random length and offset copied, and
/// checks both buffers whole, guard bytes on either side included. The same seed gives the same copies. Exit code: 0 if
/// every copy was right and nothing was left behind, 1 if not, 2 for an argument that cannot be used.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    machine: MachineArguments,

    /// Threads on each channel, each with one copy under way
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = value_parser!(u16).range(1..=64))]
    threads: u16,

    /// Copies in all
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..=u64::from(u32::MAX)))]
    iterations: u64,

    /// Length of the buffers in bytes, guards aside
    #[arg(long, value_name = "BYTES", default_value_t = 16_384, value_parser = value_parser!(u32).range(64..=MAXIMUM_BUFFER))]
    buffer: u32,

    /// Length of every copy in bytes [default: random, up to the buffer's]
    #[arg(long, value_name = "BYTES", value_parser = value_parser!(u32).range(1..=MAXIMUM_BUFFER))]
    length: Option<u32>,

    /// What lengths and offsets are multiples of: a power of two
    #[arg(long, value_name = "BYTES", default_value_t = 1, value_parser = power_of_two)]
    alignment: u32,

    /// How a thread learns that a copy is done
    #[arg(long, value_enum, default_value_t = Mode::Mixed)]
    mode: Mode,

    /// How long a copy may take, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 3_000, value_parser = value_parser!(u64).range(1..=3_600_000))]
    timeout: u64,

    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Spoil every N-th copy of a thread, to see that it is found
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    corrupt: Option<u64>,

    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// The descriptor asks for an interrupt
    Interrupt,
    /// It does not, and the completion word is looked at
    Polled,
    /// Either, at random
    Mixed,
}

fn power_of_two(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(value) if u32::is_power_of_two(value) && value <= 4096 => Ok(value),
        _ => Err("not a power of two from 1 to 4096".into()),
    }
}

impl Arguments {
    fn check(&self) -> Result<(), Failure> {
        if self.alignment > self.buffer {
            return Err(Failure::Input(format!(
                "--alignment {}: longer than the buffer",
                self.alignment
            )));
        }
        match self.length {
            Some(length) if length > self.buffer => Err(Failure::Input(format!(
                "--length {length}: longer than the buffer"
            ))),
            Some(length) if !length.is_multiple_of(self.alignment) => Err(Failure::Input(format!(
                "--length {length}: not a multiple of the alignment"
            ))),
            _ => Ok(()),
        }
    }
}

/// How a run ended.
struct Outcome {
    netdma: bool,
    workers: Vec<Worker>,
    channels: Vec<ChannelStatistics>,
    /// The first wrong copies, at most [`DESCRIBED`].
    described: Vec<String>,
    /// What went wrong besides copies.
    problems: Vec<String>,
    elapsed: Duration,
}

impl Outcome {
    fn sum(&self, count: impl Fn(&worker::Counts) -> u64) -> u64 {
        self.workers
            .iter()
            .map(|worker| count(&worker.counts))
            .sum()
    }

    fn is_good(&self) -> bool {
        self.sum(worker::Counts::failures) == 0 && self.problems.is_empty()
    }
}

/// What is to be printed, and whether all went well.
pub(crate) fn run(arguments: &Arguments) -> Result<(String, bool), Failure> {
    let outcome = test(arguments)?;
    let report = if arguments.json {
        report::json(arguments, &outcome)?
    } else {
        report::text(arguments, &outcome)
    };
    Ok((report, outcome.is_good()))
}

fn test(arguments: &Arguments) -> Result<Outcome, Failure> {
    arguments.check()?;
    let machine = Machine::boot(&arguments.machine)?;
    let mut outcome = match machine.provider() {
        Some(provider) => copy(arguments, &machine, &provider)?,
        None => Outcome {
            netdma: false,
            workers: Vec::new(),
            channels: Vec::new(),
            described: Vec::new(),
            problems: Vec::new(),
            elapsed: Duration::ZERO,
        },
    };
    machine.remove_device()?;
    machine.unload_driver()?;
    let ended = machine.kernel.shutdown();
    let violations = ended.violations.iter().map(ToString::to_string);
    let leaks = ended.leaks.iter().map(ToString::to_string);
    outcome.problems.extend(violations.chain(leaks));
    Ok(outcome)
}

fn copy(
    arguments: &Arguments,
    machine: &Machine,
    provider: &ProviderInfo,
) -> Result<Outcome, Failure> {
    let channels = machine.open_channels(provider, arguments.machine.every_processor())?;
    let breaks = provider.version >= (2, 0);
    let mut workers = Vec::new();
    for channel in 0..channels.len() as u32 {
        for thread in 0..u32::from(arguments.threads) {
            let number = workers.len() as u16;
            let kernel = &machine.kernel;
            workers.push(Worker::new(kernel, arguments, channel, thread, number));
        }
    }
    let progress = progress_bar(arguments.iterations);
    let (share, more) = (
        arguments.iterations / workers.len() as u64,
        arguments.iterations % workers.len() as u64,
    );
    let started = Instant::now();
    thread::scope(|scope| {
        for (number, worker) in (0..).zip(&mut workers) {
            let channel = &channels[worker.channel as usize];
            let iterations = share + u64::from(number < more);
            let progress = &progress;
            scope.spawn(move || worker.run(channel, arguments, breaks, iterations, progress));
        }
    });
    let elapsed = started.elapsed();
    progress.finish_and_clear();

    let statistics: Vec<_> = channels.iter().map(Channel::statistics).collect();
    // Before the buffers are freed: copies that were not waited for are finished here.
    for channel in channels {
        channel.free();
    }
    let described = workers
        .iter()
        .flat_map(|worker| worker.described.iter().cloned())
        .take(DESCRIBED)
        .collect();
    let problems = problems(&workers, &statistics);
    Ok(Outcome {
        netdma: true,
        workers,
        channels: statistics,
        described,
        problems,
        elapsed,
    })
}

fn progress_bar(iterations: u64) -> ProgressBar {
    const TEMPLATE: &str = "testing {wide_bar} {human_pos}/{human_len} copies {per_sec} {eta}";
    // Drawn on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(iterations);
    match ProgressStyle::with_template(TEMPLATE) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What is wrong although every copy may be right.
fn problems(workers: &[Worker], channels: &[ChannelStatistics]) -> Vec<String> {
    let mut problems = Vec::new();
    let undetected: u64 = workers.iter().map(|worker| worker.counts.undetected).sum();
    if undetected > 0 {
        problems.push(format!("{undetected} spoilt copies were not found"));
    }
    let mut asked = BTreeMap::<u32, u64>::new();
    for worker in workers {
        *asked.entry(worker.channel).or_default() +=
            worker.counts.iterations - worker.counts.polled;
    }
    for (channel, (statistics, asked)) in channels.iter().zip(asked.values()).enumerate() {
        if statistics.interrupts > *asked {
            problems.push(format!(
                "channel {channel}: {} interrupts, and only {asked} copies asked for one",
                statistics.interrupts
            ));
        }
    }
    problems
}
