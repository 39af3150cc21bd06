//! Boots a simulated machine, loads the example drivers, copies a file through DMA channels with real interrupts and DPCs
//! between, lets one driver copy for the other, removes everything and says what happened. Commands do other things on the
//! same machine.
//!
//! | file | what is in it |
//! |---|---|
//! | `arguments` | the command line |
//! | `machine` | the machine with its driver and device, up and down |
//! | `copy`, `source`, `offload`, `report` | the copy of a file, which is what happens without a command |
//! | `dmatest` | random copies, each byte checked |
//! | `topology` | channels, messages and processors, as asked and as assigned |

mod arguments;
mod copy;
mod dmatest;
mod machine;
mod offload;
mod report;
mod source;
#[cfg(test)]
mod tests;
mod topology;

use std::process::ExitCode;

use arguments::{Command, CommandLine, CopyArguments};

/// An input that cannot be used, the copy's failure, or the report's: one line each.
#[derive(Debug)]
enum Failure {
    /// The arguments or the file they name. Exit code 2.
    Input(String),
    /// The simulated machine. Exit code 1.
    Machine(String),
}

impl Failure {
    fn refused(what: &str, status: i32) -> Self {
        Self::Machine(format!("{what} failed with NTSTATUS {status:#010X}"))
    }
}

fn main() -> ExitCode {
    let line = match CommandLine::parse_or_explain() {
        Ok(line) => line,
        Err(code) => return code,
    };
    let done = match &line.command {
        None => copy(&line.copy),
        Some(Command::Dmatest(arguments)) => dmatest::run(arguments),
        Some(Command::Topology(arguments)) => topology::run(arguments),
    };
    match done {
        Ok((report, good)) => {
            println!("{report}");
            ExitCode::from(u8::from(!good))
        }
        Err(Failure::Input(line)) => {
            eprintln!("error: {line}");
            ExitCode::from(2)
        }
        Err(Failure::Machine(line)) => {
            eprintln!("error: {line}");
            ExitCode::from(1)
        }
    }
}

/// Copies a file: what is to be printed, and whether all went well.
fn copy(arguments: &CopyArguments) -> Result<(String, bool), Failure> {
    let source = source::open(arguments.file.as_deref())?;
    let outcome = copy::run(arguments, source)?;
    let report = if arguments.json {
        report::json(&outcome)?
    } else {
        report::text(&outcome)
    };
    Ok((report, outcome.verdict.is_good()))
}
