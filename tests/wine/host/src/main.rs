//! Runs the example drivers, as they ship, under Wine, and judges what happened.
//!
//! ```text
//! wine-host [--only <name>]
//! ```
//!
//! Builds everything, makes a Wine prefix under `target/wine`, has each scenario played in a copy of it, prints the timeline of each
//! and the verdicts, and writes `target/wine/result.json`. The last line is `wine: N passed, M failed`; the exit code is 0 if M is 0.
//!
//! | file | what it does |
//! |---|---|
//! | `build` | the drivers and the images of the harness |
//! | `inf` | from an INF source to an INF that Wine understands |
//! | `prefix` | Wine: its files, its server, its commands |
//! | `log` | what the commands and the harness have written |
//! | `judge` | what is wrong with a run |
//! | `scenario` | what is played, and what must come of it |

mod build;
mod inf;
mod judge;
mod log;
mod prefix;
mod scenario;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs, io};

use serde::Serialize;

use crate::prefix::Prefix;
use crate::scenario::{Expected, SCENARIOS, Scenario};

/// What came of one scenario.
#[derive(Serialize)]
struct Outcome {
    name: &'static str,
    what: &'static str,
    passed: bool,
    seconds: f64,
    /// Why not, or, of a run that must fail, what was found.
    findings: Vec<String>,
}

#[derive(Serialize)]
struct Document {
    verdict: &'static str,
    passed: usize,
    failed: usize,
    seconds: f64,
    scenarios: Vec<Outcome>,
}

fn main() -> ExitCode {
    let only = match parse(env::args().skip(1)) {
        Ok(only) => only,
        Err(line) => {
            eprintln!("error: {line}");
            return ExitCode::from(2);
        }
    };
    match run(only.as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<String>, String> {
    match (
        arguments.next().as_deref(),
        arguments.next(),
        arguments.next(),
    ) {
        (None, ..) => Ok(None),
        (Some("--only"), Some(name), None) if SCENARIOS.iter().any(|known| known.name == name) => {
            Ok(Some(name))
        }
        (Some("--only"), ..) => Err(format!(
            "--only wants one of {}",
            SCENARIOS.map(|scenario| scenario.name).join(", ")
        )),
        (Some(other), ..) => Err(format!("{other} is not understood")),
    }
}

fn run(only: Option<&str>) -> io::Result<bool> {
    let started = Instant::now();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let root = fs::canonicalize(root)?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let directory = root.join(target).join("wine");
    fs::create_dir_all(&directory)?;

    let files = build::all(&root, &directory)?;
    let base = Prefix::create(&directory.join("prefix"))?;
    let mut outcomes = Vec::new();
    for scenario in SCENARIOS
        .iter()
        .filter(|scenario| only.is_none_or(|only| only == scenario.name))
    {
        outcomes.push(play(scenario, &files, &base, &directory)?);
    }

    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    let passed = outcomes.len() - failed;
    println!();
    for outcome in &outcomes {
        println!(
            "{:6} {} ({}), {:.1} s",
            if outcome.passed { "passed" } else { "FAILED" },
            outcome.name,
            outcome.what,
            outcome.seconds
        );
        for finding in &outcome.findings {
            println!("         {finding}");
        }
    }
    let document = Document {
        verdict: if failed == 0 { "passed" } else { "failed" },
        passed,
        failed,
        seconds: started.elapsed().as_secs_f64(),
        scenarios: outcomes,
    };
    let text = serde_json::to_string_pretty(&document).map_err(io::Error::other)?;
    fs::write(directory.join("result.json"), text + "\n")?;
    println!("wine: {passed} passed, {failed} failed");
    Ok(failed == 0)
}

fn play(
    scenario: &'static Scenario,
    files: &build::Files,
    base: &Prefix,
    directory: &Path,
) -> io::Result<Outcome> {
    println!("\n== {}: {}", scenario.name, scenario.what);
    let started = Instant::now();
    let prefix = base.copy(&directory.join(format!("prefix-{}", scenario.name)))?;
    let run = prefix.play(scenario, files)?;
    for line in log::timeline(&run.log) {
        println!("{line}");
    }
    let problems = judge::problems(scenario, &run);
    let (passed, findings) = match scenario.expected {
        Expected::Good => (problems.is_empty(), problems),
        Expected::Problem(what) => {
            let found: Vec<_> = problems
                .iter()
                .filter(|problem| problem.contains(what))
                .map(|problem| format!("found, as it must be: {problem}"))
                .collect();
            if found.is_empty() {
                let missed = format!("nothing was found that says: {what}");
                (false, [vec![missed], problems].concat())
            } else {
                (true, found)
            }
        }
    };
    if !passed {
        // The next run overwrites the log itself.
        let kept = directory.join(format!("failed-{}.log", scenario.name));
        fs::write(kept, &run.log)?;
    }
    Ok(Outcome {
        name: scenario.name,
        what: scenario.what,
        passed,
        seconds: started.elapsed().as_secs_f64(),
        findings,
    })
}
