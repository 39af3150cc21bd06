//! `lab topology`: channels, messages and processors, as asked and as assigned.
//!
//! | file | what is in it |
//! |---|---|
//! | `topology` | the command; what is known of a machine |
//! | `topology/text` | the same as text, for 80 columns |
//! | `topology/picture` | the same as one HTML file with a drawing |

mod picture;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};
use serde::Serialize;
use simkernel::ndis::{Affinity, AffinityPlan};
use simkernel::pnp::{Layout, RegistryPolicy};

use crate::Failure;
use crate::arguments::{MachineArguments, Way};
use crate::machine::{DeviceOptions, Machine};

/// Shows which message each channel was given, and on which processor NetDMA wants it and the system delivers it
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    machine: MachineArguments,

    /// Processors that NetDMA asks for, channel by channel, in turn [default: 0, 1, 2, ...]
    #[arg(long, value_name = "CPU,...", value_delimiter = ',', num_args = 1)]
    ask: Option<Vec<u32>>,

    /// How the bus asks for the interrupts
    #[arg(long, value_enum, default_value_t = Interrupts::MsiX)]
    interrupts: Interrupts,

    /// Affinity policy that the registry sets for the device: 0 default, 1 all close, 2 one close, 3 all, 4 --registry-processors, 5 spread
    #[arg(long, value_name = "POLICY", value_parser = value_parser!(u16).range(0..=5))]
    registry_policy: Option<u16>,

    /// Processors of the registry's policy 4, as a hexadecimal mask
    #[arg(long, value_name = "MASK", value_parser = mask, requires = "registry_policy")]
    registry_processors: Option<u64>,

    /// Write the drawing to this file, an HTML page that needs no other
    #[arg(long, value_name = "PATH")]
    html: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Interrupts {
    /// A descriptor for each message, and the line as their alternative
    #[value(name = "msi-x")]
    MsiX,
    /// One descriptor for all messages
    Msi,
    /// The line in an alternative list of its own
    LineApart,
}

fn mask(text: &str) -> Result<u64, std::num::ParseIntError> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16)
}

/// What is known of a machine and its device.
#[derive(Debug, Serialize)]
pub(crate) struct Topology {
    os: &'static str,
    netdma: bool,
    processors: u32,
    group_size: u32,
    /// Who asks for NetDMA's processors.
    affinity_by: &'static str,
    messages: u32,
    channels: Vec<Channel>,
    interrupts: Vec<Interrupt>,
}

/// One channel.
#[derive(Debug, Serialize)]
struct Channel {
    channel: u32,
    /// The processor that NetDMA asks for.
    asked: Option<u32>,
    /// The message that it sends; `None` for the line.
    message: Option<u32>,
    /// Where its interrupts go.
    processors: Vec<u32>,
}

/// One message, or the line.
#[derive(Debug, Serialize)]
struct Interrupt {
    message: Option<u32>,
    vector: u32,
    irql: u8,
    processors: Vec<u32>,
    /// Who sends it.
    channels: Vec<u32>,
}

impl Channel {
    /// Whether its interrupts go where NetDMA wants them, and nowhere else.
    fn is_as_asked(&self) -> Option<bool> {
        self.asked.map(|asked| self.processors == [asked])
    }
}

impl Interrupt {
    fn name(&self) -> String {
        self.message
            .map_or_else(|| "line".into(), |message| format!("message {message}"))
    }
}

impl Topology {
    fn of(machine: &Machine, arguments: &Arguments) -> Self {
        let config = machine.kernel.config();
        let provider = machine.provider();
        let reports = machine.kernel.interrupts(machine.device);
        let asked = |channel: u32| {
            let affinity = &provider.as_ref()?.affinity;
            affinity.get(channel as usize).copied().flatten()
        };
        let is_line = reports.iter().any(|report| report.message.is_none());
        let count = provider.as_ref().map_or(0, |provider| provider.channels);
        let channels: Vec<_> = (0..count)
            .map(|channel| {
                let message = (!is_line).then(|| machine.message(channel as usize));
                let report = reports.iter().find(|report| report.message == message);
                Channel {
                    channel,
                    asked: asked(channel),
                    message,
                    processors: report.map_or_else(Vec::new, |report| report.targets.clone()),
                }
            })
            .collect();
        let mut senders: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
        for channel in &channels {
            senders
                .entry(channel.message)
                .or_default()
                .push(channel.channel);
        }
        let interrupts = reports
            .into_iter()
            .map(|report| Interrupt {
                message: report.message,
                vector: report.vector,
                irql: report.irql,
                processors: report.targets,
                channels: senders.remove(&report.message).unwrap_or_default(),
            })
            .collect();
        Self {
            os: arguments.machine.os.name(),
            netdma: provider.is_some(),
            processors: config.processors,
            group_size: config.group_size,
            affinity_by: match arguments.machine.affinity_by {
                Way::Requirements => "requirements filter",
                Way::Interrupts => "interrupt objects",
            },
            messages: arguments.machine.device_messages(),
            channels,
            interrupts,
        }
    }

    fn groups(&self) -> u32 {
        self.processors.div_ceil(self.group_size)
    }

    /// The processors of a group, by their numbers in the machine.
    fn group(&self, group: u32) -> std::ops::Range<u32> {
        let first = group * self.group_size;
        first..self.processors.min(first + self.group_size)
    }

    /// The machine and the device in one sentence.
    fn summary(&self) -> String {
        let groups = match self.groups() {
            1 => String::new(),
            groups => format!(" in {groups} groups"),
        };
        let granted = match self.interrupts.as_slice() {
            [only] if only.message.is_none() => "the line granted".to_string(),
            messages => format!("{} granted", messages.len()),
        };
        format!(
            "{}, {}{groups}; {}, {}, {granted}; affinity by {}",
            self.os,
            plural(self.processors, "processor"),
            plural(self.channels.len() as u32, "channel"),
            plural(self.messages, "message"),
            self.affinity_by
        )
    }

    /// How many channels interrupt where NetDMA asked, as the last line.
    fn verdict(&self) -> String {
        if !self.netdma {
            return format!("NetDMA is not there on {}", self.os);
        }
        let count = |wanted| {
            let channels = self.channels.iter();
            channels
                .filter(|channel| channel.is_as_asked() == wanted)
                .count()
        };
        let (right, elsewhere, unasked) = (count(Some(true)), count(Some(false)), count(None));
        format!("{right} channels interrupt as asked, {elsewhere} elsewhere, {unasked} not asked")
    }
}

fn plural(count: u32, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Numbers in ascending order as ranges: `0-3, 7`.
fn ranges(numbers: &[u32]) -> String {
    let mut texts = Vec::new();
    for run in numbers.chunk_by(|one, next| one + 1 == *next) {
        match *run {
            [] => {}
            [one] => texts.push(one.to_string()),
            [first, .., last] => texts.push(format!("{first}-{last}")),
        }
    }
    texts.join(", ")
}

/// What is to be printed, and whether all went well.
pub(crate) fn run(arguments: &Arguments) -> Result<(String, bool), Failure> {
    let machine = Machine::boot_with(&arguments.machine, &arguments.device())?;
    let topology = Topology::of(&machine, arguments);
    machine.remove_device()?;
    machine.unload_driver()?;
    let good = machine.kernel.shutdown().is_clean();
    if let Some(path) = &arguments.html {
        fs::write(path, picture::page(&topology)).map_err(|error| {
            Failure::Input(format!("{} cannot be written: {error}", path.display()))
        })?;
    }
    let report = if arguments.json {
        serde_json::to_string_pretty(&topology)
            .map_err(|error| Failure::Machine(format!("the report cannot be made: {error}")))?
    } else {
        text::draw(&topology)
    };
    Ok((report, good))
}

impl Arguments {
    fn device(&self) -> DeviceOptions {
        DeviceOptions {
            layout: match self.interrupts {
                Interrupts::MsiX => Layout::MsiX,
                Interrupts::Msi => Layout::Msi,
                Interrupts::LineApart => Layout::LineApart,
            },
            policy: self.registry_policy.map(|policy| RegistryPolicy {
                policy,
                priority: 0,
                processors: self.registry_processors.unwrap_or(0),
            }),
            asked: self.ask.as_deref().map_or(AffinityPlan::Spread, |asked| {
                let channels = 0..netdma_kmdf::MAXIMUM_CHANNELS;
                let entries: Vec<_> = channels
                    .zip(asked.iter().cycle())
                    .map(|(channel, processor)| Affinity {
                        channel,
                        processor: *processor,
                    })
                    .collect();
                AffinityPlan::Array {
                    bytes: 8 * entries.len() as u32,
                    entries,
                }
            }),
        }
    }
}
