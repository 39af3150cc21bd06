//! What should not have happened: broken rules and leaks, each with a name.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::platform::Mutex;

/// A rule that code under test can break.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, unique: `nmr::wait-level`.
    pub name: &'static str,
    /// What it demands, in one sentence.
    pub says: &'static str,
}

/// A rule that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which one.
    pub rule: &'static Rule,
    /// Who broke it and how.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} ({})",
            self.rule.name, self.detail, self.rule.says
        )
    }
}

/// Something that was left behind.
#[derive(Clone, Debug)]
pub struct Leak {
    /// What kind of thing: `nmr client registration`, `pool block`.
    pub kind: &'static str,
    /// Which one.
    pub detail: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "leaked {}: {}", self.kind, self.detail)
    }
}

/// The violations of one machine.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    violations: Mutex<Vec<Violation>>,
}

impl Verifier {
    pub(crate) fn record(&self, violation: Violation) {
        self.violations.lock().push(violation);
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.violations.lock().clone()
    }

    pub(crate) fn take(&self, rule: &Rule) -> Vec<Violation> {
        self.violations
            .lock()
            .extract_if(.., |violation| violation.rule == rule)
            .collect()
    }
}
