//! What `topology` shows, for machines of all sorts.

use std::fs;

use clap::Parser as _;
use serde_json::Value;
use tempfile::NamedTempFile;

use super::{ranges, run};
use crate::Failure;
use crate::arguments::{Command, CommandLine};

fn topology(options: &str) -> Result<(String, bool), Failure> {
    let words = ["lab", "topology"]
        .into_iter()
        .chain(options.split_whitespace());
    let line = CommandLine::try_parse_from(words).expect("arguments in order");
    let Some(Command::Topology(arguments)) = line.command else {
        panic!("{options}: not the command");
    };
    run(&arguments)
}

fn shown(options: &str) -> String {
    let (report, good) = topology(options).expect("a report");
    assert!(good, "{options}: {report}");
    report
}

fn document(options: &str) -> Value {
    serde_json::from_str(&shown(&format!("{options} --json"))).expect("JSON")
}

const MACHINES: [&str; 9] = [
    "",
    "--os vista-sp1 --messages 2",
    "--messages 0",
    "--granted 1 --channels 32",
    "--processors 8 --group-size 4 --channels 8 --messages 8",
    "--processors 64 --channels 32 --messages 40",
    "--ask 3,99,0 --channels 3",
    "--interrupts msi --channels 4",
    "--interrupts line-apart --granted 0 --registry-policy 4 --registry-processors 0x4",
];

#[test]
fn text_fits_eighty_columns_and_shows_every_channel() {
    for options in MACHINES {
        let text = shown(options);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{options}: {line}");
        }
        let channels = document(options)["channels"].as_array().unwrap().len();
        let shown = text
            .lines()
            .filter(|line| line.contains(" = ─") || line.contains(" ≠ ─") || line.contains("   ─"));
        assert_eq!(shown.count(), channels, "{options}: {text}");
    }
}

#[test]
fn both_ways_to_ask_for_processors_show_the_same() {
    for options in MACHINES {
        let by = |way: &str| {
            let mut document = document(&format!("{options} --affinity-by {way}"));
            document["affinity_by"].take();
            document
        };
        assert_eq!(by("requirements"), by("interrupts"), "{options}");
    }
}

#[test]
fn a_machine_with_more_channels_than_messages_is_described() {
    let document = document("--processors 96 --channels 16 --messages 5");
    let channels = document["channels"].as_array().unwrap();
    for (number, channel) in channels.iter().enumerate() {
        assert_eq!(channel["asked"], number, "{channel}");
        assert_eq!(channel["message"], number % 5, "{channel}");
        assert_eq!(channel["processors"][0], number % 5, "{channel}");
    }
    assert_eq!(
        document["interrupts"][0]["channels"],
        serde_json::json!([0, 5, 10, 15])
    );
}

#[test]
fn the_page_needs_no_other_and_names_everything() {
    for options in MACHINES {
        let file = NamedTempFile::new().expect("a temporary file");
        let path = file.path().to_str().expect("a name in Unicode");
        shown(&format!("{options} --html {path}"));
        let page = fs::read_to_string(path).expect("a page");
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
        for outside in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(outside), "{options}: {outside}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf,"), "{options}");
        for channel in document(options)["channels"].as_array().unwrap() {
            let name = format!(">\nchannel {}\n<", channel["channel"]);
            assert!(page.contains(&name), "{options}: {name} in {page}");
        }
    }
}

#[test]
fn without_netdma_the_page_and_the_text_say_so() {
    let file = NamedTempFile::new().expect("a temporary file");
    let path = file.path().to_str().expect("a name in Unicode");
    let text = shown(&format!("--os win10 --html {path}"));
    assert!(text.ends_with("NetDMA is not there on win10"), "{text}");
    let page = fs::read_to_string(path).expect("a page");
    assert!(page.contains("NetDMA is not there") && !page.contains("<svg"));
}

#[test]
fn what_cannot_be_is_an_input_that_is_refused() {
    for options in [
        "--os vista-sp1 --processors 65",
        "--group-size 2 --processors 9",
        "--html /",
    ] {
        let refused = topology(options);
        assert!(matches!(refused, Err(Failure::Input(_))), "{options}");
    }
}

#[test]
fn numbers_are_written_as_ranges() {
    assert_eq!(ranges(&[]), "");
    assert_eq!(ranges(&[3]), "3");
    assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), "0-2, 5, 7-8");
}
