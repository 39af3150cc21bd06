//! What the test finds, and what it says.

use clap::Parser as _;
use indicatif::ProgressBar;
use serde_json::Value;
use simkernel::mm::violation;
use simkernel::ndis::Channel;
use simkernel::{Config, Kernel};

use super::Arguments;
use super::worker::Worker;
use crate::Failure;
use crate::arguments::{Command, CommandLine};
use crate::machine::Machine;

fn parsed(arguments: &[&str]) -> Arguments {
    let line = ["lab", "dmatest"].iter().chain(arguments);
    let line = CommandLine::try_parse_from(line).expect("arguments in order");
    match line.command {
        Some(Command::Dmatest(arguments)) => arguments,
        _ => panic!("another command"),
    }
}

/// The report, and whether it is good.
fn dmatest(arguments: &[&str]) -> Result<(String, bool), Failure> {
    super::run(&parsed(arguments))
}

fn document(arguments: &[&str]) -> (Value, bool) {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
    let (text, good) = dmatest(&arguments).expect("a run");
    let document = serde_json::from_str(&text).expect("one document");
    (document, good)
}

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name]
        .as_array()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

#[test]
fn every_copy_is_right_on_every_system_that_has_netdma() {
    for system in ["vista-sp1", "win7"] {
        let (document, good) = document(&["--os", system, "--iterations", "400"]);
        assert!(good, "{document}");
        assert_eq!(document["verdict"], "passed");
        assert_eq!(number(&document, "iterations"), 400);
        assert_eq!(number(&document, "failures"), 0);
        let threads = list(&document, "threads");
        assert_eq!(threads.len(), 8);
        let sum = |name| {
            threads
                .iter()
                .map(|thread| number(thread, name))
                .sum::<u64>()
        };
        assert_eq!(sum("iterations"), 400);
        assert_eq!(sum("bytes"), number(&document, "bytes"));
        assert!((1..400).contains(&sum("polled")), "{document}");
        assert!(sum("page_breaks") > 0, "{document}");
        let channels = list(&document, "channels");
        let done: u64 = channels
            .iter()
            .map(|channel| number(channel, "descriptors"))
            .sum();
        assert_eq!(done, 400);
    }
}

#[test]
fn the_same_seed_gives_the_same_copies() {
    let bytes = |seed| {
        let (document, _) = document(&["--seed", seed, "--iterations", "60"]);
        let threads = list(&document, "threads").to_vec();
        threads
            .iter()
            .map(|thread| number(thread, "bytes"))
            .collect::<Vec<_>>()
    };
    assert_eq!(bytes("5"), bytes("5"));
    assert_ne!(bytes("5"), bytes("6"));
}

/// A byte inside and outside of the copy, a byte of the source, and parts of the copy in each other's place.
#[test]
fn every_spoilt_copy_is_found_and_no_other() {
    for buffer in ["64", "16384"] {
        let arguments = ["--corrupt", "3", "--iterations", "240", "--buffer", buffer];
        let (document, good) = document(&arguments);
        assert!(!good, "{document}");
        assert_eq!(document["verdict"], "failed");
        // Each of the eight threads does 30 copies.
        assert_eq!(number(&document, "injected"), 80);
        assert_eq!(number(&document, "failures"), 80);
        assert!(list(&document, "problems").is_empty(), "{document}");
        assert_eq!(list(&document, "failed").len(), super::DESCRIBED);
    }
}

#[test]
fn a_failure_says_where_what_was_found_belongs() {
    let arguments = [
        "--channels",
        "1",
        "--threads",
        "1",
        "--length",
        "8192",
        "--buffer",
        "16384",
    ];
    let spoilt = ["--corrupt", "1", "--iterations", "4"];
    let (text, _) = dmatest(&[&arguments[..], &spoilt[..]].concat()).expect("a run");
    let lines: Vec<_> = text.lines().take(4).collect();
    assert!(lines[0].contains("it was copied wrong"), "{text}");
    assert!(lines[1].contains("it is outside of the copy"), "{text}");
    assert!(lines[2].contains("the source was written"), "{text}");
    assert!(lines[3].contains("belongs to source 0x"), "{text}");
    assert!(lines[3].ends_with("of iteration 3"), "{text}");
    assert!(
        text.lines()
            .next_back()
            .is_some_and(|line| line.starts_with("failed: 4 copies, 4 failures")),
        "{text}"
    );
}

#[test]
fn who_polls_is_not_interrupted() {
    let interrupts = |mode| {
        let (document, good) = document(&["--mode", mode, "--iterations", "80"]);
        assert!(good, "{document}");
        let channels = list(&document, "channels").to_vec();
        channels
            .iter()
            .map(|channel| number(channel, "interrupts"))
            .sum::<u64>()
    };
    assert_eq!(interrupts("polled"), 0);
    assert!(interrupts("interrupt") > 0);
}

#[test]
fn length_and_alignment_are_kept() {
    let arguments = [
        "--length",
        "512",
        "--alignment",
        "512",
        "--iterations",
        "40",
    ];
    let (document, good) = document(&arguments);
    assert!(good, "{document}");
    assert_eq!(number(&document, "bytes"), 40 * 512);
}

#[test]
fn a_system_without_netdma_has_nothing_to_test() {
    let (text, good) = dmatest(&["--os", "win10"]).expect("a run");
    assert!(
        good && text.starts_with("passed: NetDMA is not there"),
        "{text}"
    );
    let (document, _) = document(&["--os", "win10"]);
    assert_eq!(document["netdma"], "unsupported");
    assert_eq!(number(&document, "iterations"), 0);
}

#[test]
fn arguments_that_contradict_each_other_are_refused() {
    for arguments in [
        ["--length", "128", "--buffer", "64"],
        ["--alignment", "128", "--buffer", "64"],
        ["--length", "100", "--alignment", "64"],
    ] {
        match dmatest(&arguments) {
            Err(Failure::Input(line)) => assert!(line.starts_with(arguments[0]), "{line}"),
            other => panic!("{arguments:?}: {other:?}"),
        }
    }
}

/// A machine with one channel, for a thread that is run by itself.
struct OneChannel {
    arguments: Arguments,
    machine: Machine,
    channel: Channel,
}

impl OneChannel {
    fn new(arguments: &[&str]) -> Self {
        let arguments = parsed(&[arguments, &["--channels", "1"]].concat());
        let machine = Machine::boot(&arguments.machine).expect("a machine");
        let provider = machine.provider().expect("a provider");
        let channels = machine.open_channels(&provider, arguments.machine.every_processor());
        let channel = channels.expect("a channel").remove(0);
        Self {
            arguments,
            machine,
            channel,
        }
    }

    /// A thread with buffers in the memory of `kernel`.
    fn worker(&self, kernel: &Kernel) -> Worker {
        Worker::new(kernel, &self.arguments, 0, 0, 0)
    }

    fn run(&self, worker: &mut Worker, iterations: u64) {
        let (channel, progress) = (&self.channel, ProgressBar::hidden());
        worker.run(channel, &self.arguments, false, iterations, &progress);
    }

    /// Takes the machine down, which has to be in order. Until the channel is freed, it may use the thread's buffers.
    fn end(self, worker: Worker) {
        self.channel.free();
        drop(worker);
        // A test may have removed the device.
        if self.machine.provider().is_some() {
            self.machine.remove_device().expect("it is removed");
        }
        self.machine.unload_driver().expect("it is unloaded");
        let verdict = self.machine.kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

#[test]
fn a_refused_copy_is_a_failure_and_the_thread_goes_on() {
    let one = OneChannel::new(&[]);
    let mut worker = one.worker(&one.machine.kernel);
    one.run(&mut worker, 2);
    one.machine.remove_device().expect("it is removed");
    one.run(&mut worker, 3);
    let counts = worker.counts;
    assert_eq!((counts.iterations, counts.refused), (5, 3), "{counts:?}");
    assert_eq!(counts.failures(), 3, "{counts:?}");
    let described = &worker.described;
    assert!(
        described[0].contains(" iteration 0: ") && described[0].contains("refused with NTSTATUS"),
        "{described:?}"
    );
    one.end(worker);
}

#[test]
fn a_copy_that_a_halt_loses_is_a_failure_and_the_thread_goes_on() {
    let elsewhere = Kernel::boot(Config {
        seed: 77,
        ..Config::default()
    });
    let one = OneChannel::new(&[]);
    // At the addresses of its buffers the machine has no memory.
    let mut worker = one.worker(&elsewhere);
    one.run(&mut worker, 3);
    let counts = worker.counts;
    assert_eq!((counts.iterations, counts.lost), (3, 3), "{counts:?}");
    assert_eq!(counts.failures(), 3, "{counts:?}");
    let described = &worker.described;
    assert!(
        described[2].ends_with("lost in a halt of the channel"),
        "{described:?}"
    );
    // The channel is as good as new.
    let mut worker = one.worker(&one.machine.kernel);
    one.run(&mut worker, 3);
    assert_eq!(worker.counts.failures(), 0, "{:?}", worker.counts);
    let unknown = one.machine.kernel.take_violations(&violation::MAP_UNKNOWN);
    assert_eq!(unknown.len(), 3, "{unknown:?}");
    one.end(worker);
}

#[test]
fn a_copy_that_is_not_done_in_time_is_a_failure_and_ends_the_thread() {
    let mut one = OneChannel::new(&[]);
    let mut worker = one.worker(&one.machine.kernel);
    one.run(&mut worker, 1);
    one.channel.suspend().expect("the channel suspends");
    one.arguments.timeout = 30;
    one.run(&mut worker, 3);
    let counts = worker.counts;
    assert_eq!((counts.iterations, counts.timed_out), (2, 1), "{counts:?}");
    assert_eq!(counts.failures(), 1, "{counts:?}");
    let described = &worker.described;
    assert!(
        described[0].ends_with("not done within 30 ms"),
        "{described:?}"
    );
    one.channel.resume().expect("the channel goes on");
    one.end(worker);
}
