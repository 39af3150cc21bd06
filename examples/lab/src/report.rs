//! What a run says.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::Failure;
use crate::copy::{ChannelOutcome, Outcome, Verdict};

/// The timeline, the table of channels, what the second driver had copied, and the verdict as the last line.
pub(crate) fn text(outcome: &Outcome) -> String {
    let mut lines = vec!["Timeline".to_string()];
    lines.extend(outcome.ended.events.iter().map(ToString::to_string));
    if outcome.netdma {
        lines.push(format!("\nChannels\n{}", table(&outcome.channels)));
    }
    let copies = outcome.copy_offload;
    lines.push(format!(
        "\ncopy offload: {} copies, {} verified, {} cancelled",
        copies.submitted(),
        copies.verified(),
        copies.cancelled()
    ));
    match &outcome.verdict {
        Verdict::Verified => {
            let descriptors: u64 = outcome
                .channels
                .iter()
                .map(|channel| channel.descriptors)
                .sum();
            let seconds = outcome.elapsed.as_secs_f64();
            lines.push(format!(
                "verified: {} bytes of {} in {descriptors} descriptors, {:.0} MB/s, sha256 {}; nothing left behind",
                outcome.bytes,
                outcome.source,
                outcome.bytes as f64 / seconds.max(1e-9) / 1e6,
                outcome.sha256
            ));
        }
        Verdict::Unsupported => lines.push(format!(
            "verified: NetDMA is not there on {}; the driver loaded, said so, and unloaded cleanly",
            outcome.os
        )),
        Verdict::Failed(problems) => {
            lines.extend(problems.iter().cloned());
            lines.push(format!("failed: {} problems", problems.len()));
        }
    }
    lines.join("\n")
}

fn table(channels: &[ChannelOutcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header([
        "channel",
        "asked CPU",
        "message",
        "vector",
        "interrupts on CPU",
        "interrupts",
        "descriptors",
        "bytes",
    ]);
    for channel in channels {
        table.add_row([
            channel.channel.to_string(),
            or_dash(channel.asked_processor),
            channel
                .message
                .map_or_else(|| "line".into(), |message| message.to_string()),
            or_dash(channel.vector),
            match channel.interrupt_processors.as_slice() {
                [] => "-".into(),
                processors => processors
                    .iter()
                    .map(u32::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            },
            channel.interrupts.to_string(),
            channel.descriptors.to_string(),
            channel.bytes.to_string(),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn or_dash(value: Option<u32>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

#[derive(Serialize)]
struct Document<'a> {
    os: &'a str,
    netdma: &'a str,
    bytes: u64,
    sha256: Option<&'a str>,
    descriptors: u64,
    verdict: &'a str,
    problems: &'a [String],
    channels: Vec<Channel>,
    copy_offload: CopyOffload,
}

/// What the second driver had the first one copy.
#[derive(Serialize)]
struct CopyOffload {
    submitted: u64,
    completed: u64,
    cancelled: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Channel {
    channel: u32,
    asked_cpu: Option<u32>,
    message: Option<u32>,
    vector: Option<u32>,
    interrupt_cpu: Processors,
    descriptors: u64,
    interrupts: u64,
    bytes: u64,
}

/// One number if there is one processor, null if none, else a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Processors {
    None,
    One(u32),
    Several(Vec<u32>),
}

impl From<&ChannelOutcome> for Channel {
    fn from(channel: &ChannelOutcome) -> Self {
        Self {
            channel: channel.channel,
            asked_cpu: channel.asked_processor,
            message: channel.message,
            vector: channel.vector,
            interrupt_cpu: match *channel.interrupt_processors.as_slice() {
                [] => Processors::None,
                [processor] => Processors::One(processor),
                ref processors => Processors::Several(processors.to_vec()),
            },
            descriptors: channel.descriptors,
            interrupts: channel.interrupts,
            bytes: channel.bytes,
        }
    }
}

/// One JSON document.
pub(crate) fn json(outcome: &Outcome) -> Result<String, Failure> {
    let (verdict, problems) = match &outcome.verdict {
        Verdict::Verified => ("verified", &[][..]),
        Verdict::Unsupported => ("unsupported", &[][..]),
        Verdict::Failed(problems) => ("failed", problems.as_slice()),
    };
    let document = Document {
        os: outcome.os,
        netdma: if outcome.netdma {
            "supported"
        } else {
            "unsupported"
        },
        bytes: outcome.bytes,
        sha256: outcome.netdma.then_some(outcome.sha256.as_str()),
        descriptors: outcome
            .channels
            .iter()
            .map(|channel| channel.descriptors)
            .sum(),
        verdict,
        problems,
        channels: outcome.channels.iter().map(Channel::from).collect(),
        copy_offload: CopyOffload {
            submitted: outcome.copy_offload.submitted(),
            completed: outcome.copy_offload.completed(),
            cancelled: outcome.copy_offload.cancelled(),
            bytes: outcome.copy_offload.bytes(),
        },
    };
    serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::Machine(format!("the report cannot be written: {error}")))
}
