//! [`Rundown`]: counts calls in progress and closes the door; the last one out says so.
//!
//! # Protocol
//!
//! A rundown begins shut, is opened once and closed once. [`enter`](Rundown::enter) succeeds only while it is open.
//! [`close`](Rundown::close) shuts it for good. Whoever closes counts as being inside and leaves like everybody else, so
//! after closing exactly one [`leave`](Rundown::leave) answers [`Left::Last`], and whoever gets that answer finishes what
//! closing began.
//!
//! # Design
//!
//! * **Entering is one addition, leaving one subtraction** on one word: the number of callers, and above it two bits for the
//!   state of the door. No branch is added to what C's rundown protection has, and there is no loop. That the door is closed
//!   is the sign: leaving needs no copy of the word then, only the processor's flags.
//! * **Who is last is decided on a second word,** which only callers that are inside when the door closes touch. Closing is
//!   one atomic operation, so its result tells exactly how many those are. On the first word alone the last one cannot be
//!   told: a caller that finds the door shut has already added itself, so the number may drop to zero more than once.
//! * **A caller that is not the last does not touch the rundown again** after the subtraction that says so; being inside
//!   keeps the rundown alive, and the last one may free it. A caller that is turned away needs the rundown to live
//!   while it calls [`enter`](Rundown::enter), by other means.
//! * The executive's `EX_RUNDOWN_REF` was rejected: its only way to learn of the last caller is to wait, which a detach
//!   callback at `DISPATCH_LEVEL` may not do. A compare-and-exchange loop for entering, which would do with one word, was
//!   rejected because it retries when callers contend.
//!
//! The protocol is model-checked: `RUSTFLAGS="--cfg loom" cargo test --release --test loom_rundown`.

#[cfg(not(loom))]
use core::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
#[cfg(loom)]
use loom::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

/// The door has been closed.
const CLOSED: isize = isize::MIN;
/// The door has not been opened. The bit below the sign.
const SHUT: isize = 1 << STATE;
const STATE: u32 = isize::BITS - 2;

/// Calls in progress through a door that opens once and closes once.
#[derive(Debug)]
pub struct Rundown {
    /// Callers inside, and the state of the door.
    door: AtomicIsize,
    /// After closing: how many of those that were inside have not left. Below zero, in two's complement, for the moment
    /// between closing and counting.
    owed: AtomicUsize,
}

/// What leaving found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the last one out has to finish what closing began"]
pub enum Left {
    /// The door is open, or others are inside.
    NotLast,
    /// The door is closed and nobody is left inside. Answered once.
    Last,
}

impl Rundown {
    /// A rundown whose door is shut and not yet closed.
    pub fn new() -> Self {
        Self {
            door: AtomicIsize::new(SHUT),
            owed: AtomicUsize::new(0),
        }
    }

    /// Opens the door. What was written before is visible to whoever enters.
    ///
    /// Has no effect after [`close`](Self::close).
    pub fn open(&self) {
        self.door.fetch_and(!SHUT, Ordering::Release);
    }

    /// Whether the door was opened or closed.
    #[inline]
    pub fn has_begun(&self) -> bool {
        self.door.load(Ordering::Acquire) & (SHUT | CLOSED) != SHUT
    }

    /// Enters if the door is open.
    ///
    /// # Errors
    ///
    /// The door is shut. [`Left::Last`] then means that closing counted this caller, who was turned away, and it was the
    /// last: it has to finish what closing began.
    #[inline]
    pub fn enter(&self) -> Result<(), Left> {
        let before = self.door.fetch_add(1, Ordering::Acquire);
        if before.cast_unsigned() >> STATE == 0 {
            Ok(())
        } else {
            Err(self.turn_away(before))
        }
    }

    #[cold]
    fn turn_away(&self, before: isize) -> Left {
        if before >= 0 {
            // Not yet opened. It may be opened and closed before this caller is gone, and then closing counts it.
            return self.leave();
        }
        // Closing did not count this caller, so it owes nothing; this keeps the number from growing.
        self.door.fetch_sub(1, Ordering::Relaxed);
        Left::NotLast
    }

    /// Leaves, after a successful [`enter`](Self::enter) or [`close`](Self::close).
    #[inline]
    pub fn leave(&self) -> Left {
        // More than zero, since this caller is inside, unless the door is closed.
        if self.door.fetch_sub(1, Ordering::Release) > 0 {
            Left::NotLast
        } else {
            self.settle()
        }
    }

    /// Shuts the door for good. Whoever closes is inside afterwards. To be called once.
    pub fn close(&self) {
        // Sets the bit and enters at once. Acquire: those who left before are not heard of again.
        let before = self.door.fetch_add(CLOSED + 1, Ordering::AcqRel);
        debug_assert!(before >= 0, "a rundown is closed once");
        let inside = (before & !SHUT) + 1;
        self.owed
            .fetch_add(inside.cast_unsigned(), Ordering::AcqRel);
    }

    #[cold]
    fn settle(&self) -> Left {
        if self.owed.fetch_sub(1, Ordering::AcqRel) == 1 {
            Left::Last
        } else {
            Left::NotLast
        }
    }
}

impl Default for Rundown {
    fn default() -> Self {
        Self::new()
    }
}
