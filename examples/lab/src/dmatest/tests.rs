//! What the test finds, and what it says.

use clap::Parser as _;
use serde_json::Value;

use crate::Failure;
use crate::arguments::{Command, CommandLine};

/// The report, and whether it is good.
fn dmatest(arguments: &[&str]) -> Result<(String, bool), Failure> {
    let line = ["lab", "dmatest"].iter().chain(arguments);
    let line = CommandLine::try_parse_from(line).expect("arguments in order");
    let Some(Command::Dmatest(arguments)) = line.command else {
        panic!("another command");
    };
    super::run(&arguments)
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
