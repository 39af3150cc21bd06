//! What a run of the test says.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use super::worker::Counts;
use super::{Arguments, Outcome};
use crate::Failure;

/// The first failures, the table of threads, and the verdict as the last line.
pub(super) fn text(arguments: &Arguments, outcome: &Outcome) -> String {
    if !outcome.netdma {
        return match outcome.problems.as_slice() {
            [] => format!(
                "passed: NetDMA is not there on {}; there was nothing to test",
                arguments.machine.os.name()
            ),
            problems => format!(
                "{}\nfailed: {} problems",
                problems.join("\n"),
                problems.len()
            ),
        };
    }
    let (iterations, failures) = (
        outcome.sum(|counts| counts.iterations),
        outcome.sum(Counts::failures),
    );
    let mut lines = outcome.described.clone();
    if outcome.described.len() as u64 != failures {
        lines.push(format!(
            "... and {} more",
            failures - outcome.described.len() as u64
        ));
    }
    lines.extend(outcome.problems.iter().cloned());
    lines.push(table(outcome).to_string());
    if arguments.corrupt.is_some() {
        lines.push(format!(
            "{} copies were spoilt on purpose",
            outcome.sum(|counts| counts.injected)
        ));
    }
    let bytes = outcome.sum(|counts| counts.bytes);
    let seconds = outcome.elapsed.as_secs_f64().max(1e-9);
    lines.push(format!(
        "{}: {iterations} copies, {failures} failures, {bytes} bytes, seed {}, {:.1} s with filling and checking, {:.0} copies/s",
        if outcome.is_good() { "passed" } else { "failed" },
        arguments.seed,
        seconds,
        iterations as f64 / seconds,
    ));
    lines.join("\n")
}

fn table(outcome: &Outcome) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header([
        "channel",
        "thread",
        "copies",
        "failures",
        "bytes",
        "polled",
        "page breaks",
    ]);
    for worker in &outcome.workers {
        let counts = &worker.counts;
        table.add_row([
            u64::from(worker.channel),
            u64::from(worker.thread),
            counts.iterations,
            counts.failures(),
            counts.bytes,
            counts.polled,
            counts.page_breaks,
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[derive(Serialize)]
struct Document<'a> {
    os: &'a str,
    netdma: &'a str,
    verdict: &'a str,
    seed: u64,
    iterations: u64,
    failures: u64,
    bytes: u64,
    /// Copies that were spoilt on purpose.
    injected: u64,
    seconds: f64,
    threads: Vec<Thread>,
    channels: Vec<Channel>,
    /// The first failures.
    failed: &'a [String],
    problems: &'a [String],
}

#[derive(Serialize)]
struct Thread {
    channel: u32,
    thread: u32,
    iterations: u64,
    failures: u64,
    bytes: u64,
    polled: u64,
    page_breaks: u64,
    refused: u64,
    timed_out: u64,
    lost: u64,
    wrong: u64,
}

#[derive(Serialize)]
struct Channel {
    channel: usize,
    descriptors: u64,
    interrupts: u64,
    completion_writes: u64,
}

/// One JSON document.
pub(super) fn json(arguments: &Arguments, outcome: &Outcome) -> Result<String, Failure> {
    let threads = outcome.workers.iter().map(|worker| {
        let counts = &worker.counts;
        Thread {
            channel: worker.channel,
            thread: worker.thread,
            iterations: counts.iterations,
            failures: counts.failures(),
            bytes: counts.bytes,
            polled: counts.polled,
            page_breaks: counts.page_breaks,
            refused: counts.refused,
            timed_out: counts.timed_out,
            lost: counts.lost,
            wrong: counts.wrong,
        }
    });
    let channels = outcome
        .channels
        .iter()
        .enumerate()
        .map(|(channel, statistics)| Channel {
            channel,
            descriptors: statistics.descriptors,
            interrupts: statistics.interrupts,
            completion_writes: statistics.completion_writes,
        });
    let document = Document {
        os: arguments.machine.os.name(),
        netdma: if outcome.netdma {
            "supported"
        } else {
            "unsupported"
        },
        verdict: if outcome.is_good() {
            "passed"
        } else {
            "failed"
        },
        seed: arguments.seed,
        iterations: outcome.sum(|counts| counts.iterations),
        failures: outcome.sum(Counts::failures),
        bytes: outcome.sum(|counts| counts.bytes),
        injected: outcome.sum(|counts| counts.injected),
        seconds: outcome.elapsed.as_secs_f64(),
        threads: threads.collect(),
        channels: channels.collect(),
        failed: &outcome.described,
        problems: &outcome.problems,
    };
    serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::Machine(format!("the report cannot be written: {error}")))
}
