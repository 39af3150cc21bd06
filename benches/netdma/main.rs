//! `cargo bench --bench netdma`: what the library costs an engine beside the same in C and beside `memcpy`, how often the example driver's
//! engine interrupts, and whether two channels do twice as much as one.
//!
//! Prints a table and writes `bench/netdma.json` to the target directory; `README.md` says how to read both.
//!
//! # Design
//!
//! * **The simulated kernel is not measured.** [`path`] and [`throughput`] take the handlers out of the table that the library
//!   registered and call them as NetDMA would; the engine does its work in the call, and its memory is there. So neither DPCs nor
//!   mappings nor locks of the simulated kernel are in between. Only [`interrupts`] goes through all of it, and counts.
//! * **Ratios within one run,** the sides taking turns, as in the other benchmarks. Without the loop: what an empty handler
//!   costs is taken off both sides.

mod interrupts;
mod path;
mod provider;
mod throughput;

#[path = "../instructions.rs"]
mod instructions;
#[path = "../report.rs"]
mod report;
#[path = "../time.rs"]
mod time;

use std::process::ExitCode;

use self::report::Report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, name, count] = arguments.as_slice()
        && mode == instructions::MODE
    {
        return instructions::run_one(name, count, path::run_loop);
    }
    // `cargo bench` passes `--bench`; filters of names are not supported.
    let mut report = Report::default();
    path::measure(&mut report);
    throughput::measure(&mut report);
    interrupts::measure(&mut report);
    report.finish("netdma")
}
