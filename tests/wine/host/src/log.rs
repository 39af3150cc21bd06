//! What the commands and the harness have written.

/// What begins a line of the harness, behind what Wine puts in front of it.
const MARK: &str = "lab";

/// A line, by who wrote it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Something happened: the source and what it says.
    Event(&'a str, &'a str),
    /// The harness says that something is wrong.
    Failure(&'a str),
    /// The verdict on a machine.
    Verdict(&'a str),
    /// A command of the test, which it has written itself.
    Command(&'a str),
    /// Wine, or a command.
    Other(&'a str),
}

pub(crate) const COMMAND: &str = "lab$ ";

/// What the harness has written in a line, with its mark.
fn marked(line: &str) -> Option<(char, &str)> {
    let start = if line.starts_with(MARK) {
        0
    } else {
        line.find(&format!(": {MARK}"))? + 2
    };
    let rest = line.get(start + MARK.len()..)?;
    let mark = rest.chars().next()?;
    let text = rest.get(1..)?.strip_prefix(' ')?;
    "$>!=".contains(mark).then_some((mark, text))
}

pub(crate) fn parse(line: &str) -> Line<'_> {
    match marked(line) {
        Some(('!', text)) => Line::Failure(text),
        Some(('=', text)) => Line::Verdict(text),
        Some(('$', text)) => Line::Command(text),
        Some((_, text)) => event(text).unwrap_or(Line::Other(line)),
        None => Line::Other(line),
    }
}

/// `0.123 ms  cpu 0   irql 0  pnp     what`, or, without a machine, `source what`.
fn event(text: &str) -> Option<Line<'_>> {
    let text = match text.split_once(" irql ") {
        Some((_, rest)) => rest.split_once(' ')?.1,
        None => text,
    };
    let (source, what) = text.trim_start().split_once(' ')?;
    Some(Line::Event(source, what.trim()))
}

/// The lines of the timeline: what the test did, what the machine did, what was found wrong.
pub(crate) fn timeline(log: &str) -> impl Iterator<Item = String> + '_ {
    log.lines().filter_map(|line| {
        let (mark, text) = marked(line)?;
        Some(match mark {
            '!' => format!("!! {text}"),
            '$' => format!("$ {text}"),
            '=' => format!("== {text}"),
            _ => text.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let front = "016c:warn:debugstr:vDbgPrintExWithPrefix 00000000:00000001: ";
        let line = |text: &str| format!("{front}{text}");
        assert_eq!(
            parse(&line(
                "lab>    307.699 ms  cpu 0   irql 2  nmr     client e4/0 registered"
            )),
            Line::Event("nmr", "client e4/0 registered")
        );
        assert_eq!(
            parse(&line("lab! a: pool leaked")),
            Line::Failure("a: pool leaked")
        );
        assert_eq!(
            parse(&line("lab= machine: 0 failures")),
            Line::Verdict("machine: 0 failures")
        );
        assert_eq!(
            parse("lab$ net start X: 0"),
            Line::Command("net start X: 0")
        );
        let other = "002c:err:module:import_dll Library wdfldr.sys not found";
        assert_eq!(parse(other), Line::Other(other));
    }
}
