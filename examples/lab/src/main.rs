//! Boots a simulated machine, loads the example drivers, copies a file through DMA channels with real interrupts and DPCs
//! between, lets one driver copy for the other, removes everything and says what happened.

mod arguments;
mod copy;
mod offload;
mod report;
mod source;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use arguments::Arguments;

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
    let arguments = match Arguments::from_command_line() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match run(&arguments) {
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

/// What is to be printed, and whether all went well.
fn run(arguments: &Arguments) -> Result<(String, bool), Failure> {
    let source = source::open(arguments.file.as_deref())?;
    let outcome = copy::run(arguments, source)?;
    let report = if arguments.json {
        report::json(&outcome)?
    } else {
        report::text(&outcome)
    };
    Ok((report, outcome.verdict.is_good()))
}
