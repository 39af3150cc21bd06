//! What was counted, and how it is said.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "nmr-client: ";

/// What became of the client's copies, since it was loaded.
///
/// Shown as the line that the driver prints: `nmr-client: 64 copies, 64 verified, 0 cancelled, 0 failed, 0 refused, 524288 bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Came back as they should.
    pub verified: u64,
    /// Came back cancelled, because client or provider went.
    pub cancelled: u64,
    /// Came back wrong.
    pub failed: u64,
    /// Were not accepted by a provider that was there, or could not be made.
    pub refused: u64,
    /// Bytes of those that were verified.
    pub bytes: u64,
}

impl Statistics {
    /// Copies that were submitted and came back.
    pub fn copies(&self) -> u64 {
        self.verified + self.cancelled + self.failed
    }

    /// Reads the line back: for a program that looks at the debugger's output. `None` for any other line.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.strip_prefix(PREFIX)?.split(", ");
        let mut next = |name: &str| {
            let (count, unit) = parts.next()?.split_once(' ')?;
            (unit == name).then_some(())?;
            count.parse::<u64>().ok()
        };
        next("copies")?;
        Some(Self {
            verified: next("verified")?,
            cancelled: next("cancelled")?,
            failed: next("failed")?,
            refused: next("refused")?,
            bytes: next("bytes")?,
        })
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verified,
            cancelled,
            failed,
            refused,
            bytes,
        } = self;
        write!(
            formatter,
            "{PREFIX}{} copies, {verified} verified, {cancelled} cancelled, {failed} failed, {refused} refused, {bytes} bytes",
            self.copies()
        )
    }
}

/// The counts, while they change.
#[derive(Default)]
pub(crate) struct Counters {
    verified: AtomicU64,
    bytes: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) refused: AtomicU64,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn verified(&self, bytes: u32) {
        Self::count(&self.verified);
        self.bytes.fetch_add(u64::from(bytes), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Statistics {
        Statistics {
            verified: self.verified.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
