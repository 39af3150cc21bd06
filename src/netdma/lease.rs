//! [`Lease`]: how long a channel has what NetDMA handed over to it.
//!
//! NetDMA lends memory: descriptors, and the data that they name. It hands over by a start, and takes back when it frees the channel,
//! aborts, resets or suspends it. What one start hands over, with everything appended to it, is one *term*. A list remembers its
//! term, and transfers are taken from it with a lease of that term only.
//!
//! Who holds a lease is inside the channel's [`Link`](super::Link), and whoever takes memory back ends the term first and then
//! waits until nobody is inside. So no transfer is left when the memory is its owner's again.
//!
//! # Design
//!
//! * **Terms are numbers that do not come again,** of all channels together, so that a list is never taken for one of another
//!   channel, be it at the same address.
//! * **A start ends the term before without waiting,** since the descriptor in progress may be finished then.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

/// A number for what one start hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term(u64);

impl Term {
    /// Of chains that are no channel's.
    pub(super) const UNBOUND: Self = Self(0);
    /// Of no chain.
    const NONE: Self = Self(1);

    /// A term later than all before.
    pub(super) fn begin() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(Term::NONE.0);
        // INVARIANT: 2^63 starts take longer than a machine lasts.
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The term of a channel at the moment.
#[derive(Debug)]
pub(super) struct Current(AtomicU64);

/// Of [`Current`]: NetDMA holds the channel suspended, and has the memory for itself meanwhile.
const SUSPENDED: u64 = 1 << 63;

impl Current {
    pub(super) const fn none() -> Self {
        Self(AtomicU64::new(Term::NONE.0))
    }

    pub(super) const fn unbound() -> Self {
        Self(AtomicU64::new(Term::UNBOUND.0))
    }

    /// Begins `term`.
    pub(super) fn set(&self, term: Term) {
        self.0.store(term.0, Ordering::SeqCst);
    }

    /// Ends whatever term there is.
    pub(super) fn end(&self) {
        self.set(Term::NONE);
    }

    /// Ends `term`, interrupted or not, if no later one has begun.
    pub(super) fn end_only(&self, term: Term) {
        let ended = |value: u64| (value & !SUSPENDED == term.0).then_some(Term::NONE.0);
        // Whether it was another one makes no difference.
        let _ = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, ended);
    }

    /// Interrupts the term.
    pub(super) fn suspend(&self) {
        self.0.fetch_or(SUSPENDED, Ordering::SeqCst);
    }

    /// Takes the term up again; whether it was interrupted.
    pub(super) fn resume(&self) -> bool {
        self.0.fetch_and(!SUSPENDED, Ordering::SeqCst) & SUSPENDED != 0
    }

    /// The term, also an interrupted one.
    #[inline]
    pub(super) fn get(&self) -> Option<Term> {
        let term = Term(self.0.load(Ordering::Relaxed) & !SUSPENDED);
        (term != Term::NONE).then_some(term)
    }
}

/// A moment, before or after which a term began.
#[derive(Debug)]
pub(super) struct Mark(AtomicU64);

impl Mark {
    /// A moment before all terms.
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Makes it this moment.
    pub(super) fn set(&self) {
        self.0.store(Term::begin().0, Ordering::Relaxed);
    }

    /// Whether `term` began after it.
    #[inline]
    pub(super) fn is_before(&self, term: Term) -> bool {
        self.0.load(Ordering::Relaxed) < term.0
    }
}

/// Proof that nobody takes back what NetDMA handed over for the current term.
///
/// Got from [`OpenLink::split`](super::OpenLink::split).
#[derive(Clone, Copy)]
pub struct Lease<'a>(&'a Current);

impl<'a> Lease<'a> {
    #[inline]
    pub(super) const fn of(current: &'a Current) -> Self {
        Self(current)
    }

    /// Whether the memory of `term` can be touched as long as this exists.
    #[inline]
    pub(super) fn covers(self, term: Term) -> bool {
        // Sequentially consistent with entering the link before and with ending a term: either this sees the end, or whoever
        // ended it sees that somebody is inside.
        self.0.0.load(Ordering::SeqCst) == term.0
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Lease").field(&self.0.get()).finish()
    }
}
