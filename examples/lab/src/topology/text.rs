//! The drawing as text. A machine of up to 64 processors in a group fits 80 columns.

use std::fmt::Write as _;

use super::{Channel, Interrupt, Topology, ranges};

/// The summary, the channels with their messages, the processors, the verdict.
pub(super) fn draw(topology: &Topology) -> String {
    let mut text = format!("{}\n", topology.summary().replacen("; ", "\n", 1));
    if topology.netdma {
        text.push('\n');
        text.push_str(&channels(topology));
        text.push('\n');
        text.push_str(&processors(topology));
    }
    text.push('\n');
    text.push_str(&topology.verdict());
    text
}

/// Each interrupt with the channels that send it: a bracket on the left, its processors on the right.
fn channels(topology: &Topology) -> String {
    let mut text = String::from(" channel  asked CPU        interrupt    vector    goes to CPU\n");
    let (used, unused): (Vec<_>, Vec<_>) = topology
        .interrupts
        .iter()
        .partition(|interrupt| !interrupt.channels.is_empty());
    for interrupt in used {
        let last = interrupt.channels.len() - 1;
        for (place, number) in interrupt.channels.iter().enumerate() {
            let Some(channel) = topology.channels.get(*number as usize) else {
                continue;
            };
            let bracket = match (place, last) {
                (0, 0) => "────",
                (0, _) => "─┬──",
                (place, last) if place == last => "─┘  ",
                _ => "─┤  ",
            };
            let target = if place == 0 {
                target(interrupt)
            } else {
                String::new()
            };
            let line = format!(
                "{:>8}  {:>9} {} {bracket}{target}",
                channel.channel,
                channel
                    .asked
                    .map_or_else(|| "-".into(), |asked| asked.to_string()),
                mark(channel),
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    if let (Some(first), Some(last)) = (unused.first(), unused.last()) {
        let names = if unused.len() == 1 {
            first.name()
        } else {
            format!("{} to {}", first.name(), last.name())
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "          no channel sends {names}");
    }
    text
}

fn target(interrupt: &Interrupt) -> String {
    format!(
        "► {:<12} 0x{:02X}  ──► {}",
        interrupt.name(),
        interrupt.vector,
        ranges(&interrupt.processors)
    )
}

/// Whether a channel's interrupts go where they should.
fn mark(channel: &Channel) -> char {
    match channel.is_as_asked() {
        Some(true) => '=',
        Some(false) => '≠',
        None => ' ',
    }
}

/// Each group's processors, one character for each: how many channels are asked for there and how many messages go there.
fn processors(topology: &Topology) -> String {
    let mut text = String::from(
        " processors: how many channels should interrupt there, how many messages do\n",
    );
    for group in 0..topology.groups() {
        let processors = topology.group(group);
        let asked = processors.clone().map(|processor| {
            let channels = topology.channels.iter();
            channels
                .filter(|channel| channel.asked == Some(processor))
                .count()
        });
        let used = || {
            let interrupts = topology.interrupts.iter();
            interrupts.filter(|interrupt| !interrupt.channels.is_empty())
        };
        let coming = processors.clone().map(|processor| {
            used()
                .filter(|one| one.processors.contains(&processor))
                .count()
        });
        let name = format!("{}-{}", processors.start, processors.end - 1);
        let asked: String = asked.map(digit).collect();
        let coming: String = coming.map(digit).collect();
        let _ = writeln!(text, "{name:>8} asked {asked}");
        let _ = writeln!(text, "         comes {coming}");
    }
    text
}

fn digit(count: usize) -> char {
    match count {
        0 => '·',
        1..=9 => char::from(b'0' + count as u8),
        _ => '+',
    }
}
