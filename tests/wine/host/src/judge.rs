//! What is wrong with a run.
//!
//! Wine and its commands succeed in many cases in which a driver has failed. So the exit codes are the least of it: whatever must
//! have happened must be in the log, and nothing that must not.

use crate::log::{self, Line};
use crate::prefix::Run;
use crate::scenario::{Marker, Scenario};

/// Lines of Wine's that are always there, or say nothing about a driver.
const HARMLESS: &[&str] = &[
    "nodrv_CreateWindow",
    "The explorer process failed to start",
    "systray",
    "syswow64\\rundll32.exe",
    "start_rpcss",
    "getaddrinfo",
    // The INF names a catalog, which only exists for a signed package.
    "Could not add catalog",
];

/// What makes any line a problem.
const FORBIDDEN: &[&str] = &[
    ":err:",
    "wine: Unhandled",
    "wine: Unimplemented",
    "wine: Call from",
    "starting debugger",
    "KeBugCheckEx",
    "*** STOP",
    "service protocol error",
    "timed out",
    "cannot unload",
    "AddDevice failed",
    "failed to create driver",
    "Failed to start",
    "Failed to control",
    "Failed to load",
    "import_dll",
    "forward '",
    "Service request timeout",
    "Could not get handle",
    "simkernel: ",
];

/// What is wrong; empty if nothing is.
pub(crate) fn problems(scenario: &Scenario, run: &Run) -> Vec<String> {
    let mut problems = Vec::new();
    let lines: Vec<_> = run.log.lines().map(log::parse).collect();
    for (step, code) in scenario.steps.iter().zip(&run.codes) {
        match code {
            Some(0) => {}
            Some(code) => problems.push(format!("{step:?} has the exit code {code}")),
            None => problems.push(format!("{step:?} does not end")),
        }
    }
    for line in &lines {
        match line {
            Line::Failure(text) => problems.push((*text).to_owned()),
            Line::Other(text) if is_forbidden(text, scenario.allowed) => {
                problems.push((*text).to_owned())
            }
            _ => {}
        }
    }
    let verdicts: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Verdict(text) => Some(*text),
            _ => None,
        })
        .collect();
    if verdicts.len() != scenario.machines {
        problems.push(format!(
            "{} machines have ended, not {}",
            verdicts.len(),
            scenario.machines
        ));
    }
    for verdict in verdicts {
        if !verdict.contains(": 0 failures, 0 violations, 0 leaks") {
            problems.push(verdict.to_owned());
        }
    }
    let events: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Event(source, what) => Some((*source, *what)),
            _ => None,
        })
        .collect();
    for sequence in scenario.sequences {
        let mut rest = events.iter();
        for marker in *sequence {
            if !rest.any(|event| matches(event, marker)) {
                problems.push(format!("{}: {:?} is not in its place", marker.0, marker.1));
                break;
            }
        }
    }
    for (marker, expected) in scenario.counts {
        let found = events.iter().filter(|event| matches(event, marker)).count();
        if found != *expected {
            problems.push(format!(
                "{}: {:?} is there {found} times, not {expected}",
                marker.0, marker.1
            ));
        }
    }
    for ((source, what), least) in scenario.minimums {
        let numbers: Vec<_> = events
            .iter()
            .filter(|event| event.0 == *source)
            .filter_map(|event| event.1.split_once(' '))
            .filter(|(_, said)| said.starts_with(what))
            .map(|(number, _)| number.parse::<usize>())
            .collect();
        if !matches!(&*numbers, [Ok(number)] if number >= least) {
            problems.push(format!(
                "{source}: {what:?} is there with {numbers:?}, not once with {least} or more"
            ));
        }
    }
    for file in &run.altered {
        problems.push(format!("{file} is not the file that was built"));
    }
    problems
}

fn is_forbidden(line: &str, allowed: &[&str]) -> bool {
    let found = |list: &[&str]| list.iter().any(|part| line.contains(part));
    found(FORBIDDEN) && !found(HARMLESS) && !found(allowed)
}

fn matches(event: &(&str, &str), marker: &Marker) -> bool {
    event.0 == marker.0 && event.1.contains(marker.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Expected, Step};

    const SCENARIO: Scenario = Scenario {
        name: "test",
        what: "",
        steps: &[Step::Start("x")],
        expected: Expected::Good,
        machines: 1,
        sequences: &[&[("pnp", "started"), ("pnp", "removed")]],
        counts: &[(("pnp", "started"), 1)],
        minimums: &[(("harness", "calls failed"), 12)],
        allowed: &[],
    };

    const GOOD: &str = "0044:err:systray:initialize_systray Could not create tray window\n\
                        lab> 1.0 ms  cpu 0   irql 0  pnp     x: started\n\
                        lab> 2.0 ms  cpu 0   irql 0  pnp     x: removed\n\
                        lab> 3.0 ms  cpu 0   irql 0  harness 12 calls failed, one after the other\n\
                        lab= machine: 0 failures, 0 violations, 0 leaks; \n";

    fn judged(code: Option<i32>, log: &str, altered: &[&str]) -> Vec<String> {
        let run = Run {
            codes: vec![code],
            log: log.into(),
            altered: altered.iter().map(|file| (*file).to_owned()).collect(),
        };
        problems(&SCENARIO, &run)
    }

    #[test]
    fn a_run_that_is_in_order_is_good() {
        assert_eq!(judged(Some(0), GOOD, &[]), <[&str; 0]>::default());
    }

    #[test]
    fn each_of_these_is_found() {
        let with = |line: &str| format!("{GOOD}{line}\n");
        let without = |part: &str| {
            let lines = GOOD.lines().filter(|line| !line.contains(part));
            lines.map(|line| format!("{line}\n")).collect::<String>()
        };
        for (code, log, altered) in [
            (Some(1), GOOD.to_owned(), &[][..]),
            (None, GOOD.to_owned(), &[]),
            (Some(0), GOOD.to_owned(), &["x.sys"]),
            (Some(0), with("lab! AddDevice of x: 0xC000009A"), &[]),
            (
                Some(0),
                with("0024:err:module:import_dll Library x not found"),
                &[],
            ),
            (Some(0), with("wine: Unhandled page fault"), &[]),
            (
                Some(0),
                with("lab> 3.0 ms  cpu 0   irql 0  pnp     x: started"),
                &[],
            ),
            (
                Some(0),
                with("lab= machine: 0 failures, 0 violations, 0 leaks; "),
                &[],
            ),
            (Some(0), without("started"), &[]),
            (Some(0), without("removed"), &[]),
            (Some(0), without("lab="), &[]),
            (Some(0), without("calls failed"), &[]),
            (Some(0), GOOD.replace("12 calls", "11 calls"), &[]),
            (Some(0), GOOD.replace("12 calls", "0 calls"), &[]),
            (Some(0), GOOD.replace("12 calls", "some calls"), &[]),
            (
                Some(0),
                with("lab> 4.0 ms  cpu 0   irql 0  harness 12 calls failed"),
                &[],
            ),
            (Some(0), GOOD.replace("0 leaks", "1 leaks"), &[]),
            (Some(0), String::new(), &[]),
        ] {
            assert!(!judged(code, &log, altered).is_empty(), "{code:?} {log}");
        }
    }

    #[test]
    fn a_number_above_the_minimum_is_good() {
        let log = GOOD.replace("12 calls", "13 calls");
        assert_eq!(judged(Some(0), &log, &[]), <[&str; 0]>::default());
    }

    #[test]
    fn the_order_counts() {
        let mut lines: Vec<_> = GOOD.lines().collect();
        lines.swap(1, 2);
        let log = lines.join("\n");
        assert_eq!(judged(Some(0), &log, &[]).len(), 1);
    }
}
