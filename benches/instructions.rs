//! Counts the instructions of a loop with valgrind, if it is there.

use std::io;
use std::process::{Command, ExitCode};

/// The first argument of a program that is to run one loop and nothing else.
pub(crate) const MODE: &str = "--one-loop";

/// Has `run` run the loop `name`, `count` rounds. It answers whether it knows the name.
pub(crate) fn run_one(name: &str, count: &str, run: impl Fn(&str, u64) -> bool) -> ExitCode {
    match count.parse() {
        Ok(count) if run(name, count) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The instructions of a program that runs the loop `name`, `count` rounds.
///
/// # Errors
///
/// Why they were not counted.
pub(crate) fn count(name: &str, count: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([MODE, name, &count.to_string()])
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err("valgrind is not installed".into());
        }
        Err(error) => return Err(format!("valgrind does not start: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind ended with {}", output.status));
    }
    // `==pid== Collected : 123`
    text.lines()
        .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
        .ok_or_else(|| "valgrind printed no count".into())
}
