//! Boots a simulated machine, loads the example driver, copies a file through its DMA channels with real interrupts
//! and DPCs between, removes everything and says what happened.

mod arguments;
mod copy;
mod report;
mod source;

use std::process::ExitCode;

use arguments::Arguments;

/// An input that cannot be used, the copy's failure, or the report's: one line each.
enum Failure {
    /// The arguments or the file they name. Exit code 2.
    Input(String),
    /// The simulated machine. Exit code 1.
    Machine(String),
}

fn main() -> ExitCode {
    let arguments = match Arguments::from_command_line() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
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

fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let source = source::open(arguments.file.as_deref())?;
    let outcome = copy::run(arguments, source)?;
    if arguments.json {
        report::json(&outcome)?;
    } else {
        report::text(&outcome);
    }
    Ok(outcome.verdict.is_good())
}
