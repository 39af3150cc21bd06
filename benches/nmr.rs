//! `cargo bench --bench nmr`: what the guard of a binding costs beside C's rundown protection, and what the simulated registrar
//! costs by the number of modules.
//!
//! Prints a table and writes `bench/nmr.json` to the target directory; `README.md` says how to read both.
//!
//! # Design
//!
//! * **Ratios within one run.** Sides that are compared take turns, in many short rounds. The processor time of the thread is measured,
//!   and the lower quartile counts (`time`), so that other work on the machine hardly shows.
//! * **Instructions are counted by valgrind,** which runs this program again with one loop only. What remains without the
//!   loop's own cost, that of an empty one, is the idiom's.

mod cycle;
mod guard;
mod instructions;
mod report;
mod time;

use std::process::ExitCode;

use self::report::Report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, name, count] = arguments.as_slice()
        && mode == instructions::MODE
    {
        return instructions::run_one(name, count, guard::run_loop);
    }
    // `cargo bench` passes `--bench`; filters of names are not supported.
    let mut report = Report::default();
    guard::measure(&mut report);
    cycle::measure(&mut report);
    report.finish("nmr")
}
