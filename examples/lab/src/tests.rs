//! What a run says, on every system. The program is not started for it: its exit codes are tried by `.ci/lab`.

use std::io::Write as _;

use clap::Parser as _;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::arguments::CommandLine;
use crate::copy;

const SYSTEMS: [&str; 3] = ["vista-sp1", "win7", "win10"];
const LENGTH: usize = 100_000;

/// The report of a run that must go well, with a file that is copied quickly.
fn lab(arguments: &[&str]) -> String {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(&[0x5A; LENGTH]).expect("room for it");
    let file = file.path().to_str().expect("a name in Unicode");
    let arguments = ["lab", "--file", file]
        .into_iter()
        .chain(arguments.iter().copied());
    let line = CommandLine::try_parse_from(arguments).expect("arguments in order");
    let (report, good) = copy(&line.copy).expect("a report");
    assert!(good, "{report}");
    report
}

#[test]
fn the_last_line_is_the_verdict_and_the_one_before_tells_of_the_second_driver() {
    for system in SYSTEMS {
        let text = lab(&["--os", system]);
        let mut lines = text.lines().rev();
        let verdict = lines.next().expect("a line");
        assert!(verdict.starts_with("verified:"), "{system}: {verdict}");
        let copies = lines.next().expect("another line");
        let numbers: Vec<u64> = copies
            .strip_prefix("copy offload: ")
            .unwrap_or_else(|| panic!("{system}: {copies}"))
            .split(", ")
            .filter_map(|part| part.split_once(' ')?.0.parse().ok())
            .collect();
        let &[copies, verified, cancelled] = numbers.as_slice() else {
            panic!("{system}: {copies}");
        };
        assert_eq!(copies, verified + cancelled, "{system}");
        assert!(
            verified >= u64::from(nmr_client::COPIES),
            "{system}: {verified}"
        );
    }
}

/// The client is unloaded first, then loaded again, and the second time the provider is unloaded first.
#[test]
fn the_timeline_shows_both_drivers_and_both_orders_of_unloading() {
    for system in SYSTEMS {
        let text = lab(&["--os", system]);
        let order: Vec<_> = text
            .lines()
            .filter_map(|line| Some(line.split_once(" driver ")?.1.trim()))
            .filter(|what| what.ends_with(" loaded") || what.ends_with(" unloaded"))
            .collect();
        assert_eq!(
            order,
            [
                "netdma-kmdf loaded",
                "nmr-client loaded",
                "nmr-client unloaded",
                "nmr-client loaded",
                "netdma-kmdf unloaded",
                "nmr-client unloaded",
            ],
            "{system}"
        );
        assert!(text.contains("nmr-client: attached"), "{system}");
    }
}

#[test]
fn the_document_tells_of_the_second_driver() {
    for system in SYSTEMS {
        let text = lab(&["--os", system, "--json"]);
        let document: Value = serde_json::from_str(&text).expect("one document");
        let copies = document["copy_offload"].as_object().expect("an object");
        let number = |name: &str| copies[name].as_u64().expect("a number");
        assert_eq!(copies.len(), 4, "{system}");
        assert_eq!(
            number("submitted"),
            number("completed") + number("cancelled"),
            "{system}"
        );
        assert!(number("bytes") > 0, "{system}");
        let channels = document["channels"].as_array().expect("a list");
        let bytes: u64 = channels
            .iter()
            .filter_map(|channel| channel["bytes"].as_u64())
            .sum();
        let expected = if system == "win10" { 0 } else { LENGTH as u64 };
        assert_eq!(bytes, expected, "{system}");
    }
}

#[test]
fn one_processor_is_enough() {
    let text = lab(&["--processors", "1", "--channels", "1"]);
    assert!(text.contains("\ncopy offload: "), "{text}");
}
