//! [`Gate`]: what is behind a link.
//!
//! # Safety
//!
//! NetDMA's handle of a channel and the completion word live from the allocating callback until the freeing one returns. They are used
//! inside a gate only, or in a call that is noted there. A gate is open no longer than that: the freeing callback closes it and
//! waits for both.
//!
//! # Design
//!
//! * **Who calls `NetDmaInterruptDpc` leaves the gate first,** and is noted elsewhere for that time. NetDMA calls clients in it, who may
//!   abort their channel, several of them at the same time; if those were inside, each would wait for the others.
//! * **A client may free its channel in its own completion** as well. Freeing waits for the calls that are noted, because they use the
//!   handle, but to wait for the call that it is nested in would last for ever. So those of the waiter's own thread are not waited
//!   for. A call does not change its thread: below DISPATCH_LEVEL by nature, and in a DPC because the processor keeps the thread that
//!   it interrupted, which runs nowhere else meanwhile. The number of the processor was rejected, since it tells two calls
//!   apart only if all of them are at DISPATCH_LEVEL and a processor runs one of them at a time.
//! * **Who comes in is not told apart from who wants to:** one addition, taken back if the gate was closed. The waiter may
//!   wait a moment longer for it.
#![expect(unsafe_code, reason = "calls NDIS.SYS and writes the completion word")]

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::super::completion::Completion;
use super::super::lease::{Current, Lease, Term};
use crate::irql::{self, Dispatch, Irql};
use crate::sys;

const OPEN: u32 = 1;
const CALLER: u32 = 2;

/// Calls of `NetDmaInterruptDpc` for one channel at a time. More wait for each other.
const CALLS: usize = 16;

/// A door with NetDMA's handle and the completion word behind it.
///
/// # Invariants
///
/// While `word` has `OPEN`, or a caller that found it open is inside, `channel` and `completion` are those of a channel that has not
/// been freed. As long as a call is noted in `calls`, `channel` as the caller found it inside has not been freed either, unless the
/// call's own client frees it.
pub(in crate::netdma) struct Gate {
    claimed: AtomicBool,
    /// `OPEN`, and the number of callers times `CALLER`.
    word: AtomicU32,
    channel: AtomicPtr<c_void>,
    completion: AtomicPtr<u64>,
    /// What the channel has been handed over.
    current: Current,
    /// A number for the allocation, and the one that `NetDmaIsr` was called for last.
    allocation: AtomicU64,
    interrupted: AtomicU64,
    /// The threads that are in `NetDmaInterruptDpc`.
    calls: [AtomicPtr<c_void>; CALLS],
}

/// The thread that this runs in, or that this DPC interrupted.
fn current_thread() -> *mut c_void {
    // SAFETY: the function has no precondition.
    unsafe { sys::PsGetCurrentThread() }
}

impl Gate {
    pub(in crate::netdma) fn new() -> Self {
        Self {
            claimed: AtomicBool::new(false),
            word: AtomicU32::new(0),
            channel: AtomicPtr::new(ptr::null_mut()),
            completion: AtomicPtr::new(ptr::null_mut()),
            current: Current::none(),
            allocation: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            calls: [const { AtomicPtr::new(ptr::null_mut()) }; CALLS],
        }
    }

    /// Takes the gate for one allocation; whether nobody has it.
    pub(in crate::netdma) fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::Acquire)
    }

    /// Gives it up again, closed.
    pub(in crate::netdma) fn give_up(&self) {
        self.claimed.store(false, Ordering::Release);
    }

    /// Opens the gate.
    ///
    /// # Safety
    ///
    /// * The caller has the [`Claim`](super::super::channel::Claim) of the gate's link.
    /// * `channel` is NetDMA's handle of a channel, `completion` null or its completion word, and both live until
    ///   [`close`](Self::close) returns.
    pub(super) unsafe fn open(&self, channel: sys::PVOID, completion: *mut u64) {
        self.channel.store(channel, Ordering::Relaxed);
        self.completion.store(completion, Ordering::Relaxed);
        // Whoever is inside sees one number, since nobody comes in before the gate is open. Wrapping around, it would need a
        // DPC that waits for 2^64 allocations.
        self.allocation.fetch_add(1, Ordering::Relaxed);
        self.word.fetch_or(OPEN, Ordering::Release);
    }

    /// Closes the gate, ends its term, and waits until nobody is inside or calls NetDMA, but for the calls that this one is
    /// nested in.
    pub(super) fn close(&self) {
        self.word.fetch_and(!OPEN, Ordering::AcqRel);
        self.current.end();
        self.wait_empty();
        // A call is noted before its caller leaves, so none is missed.
        let thread = current_thread();
        for call in &self.calls {
            while ![ptr::null_mut(), thread].contains(&call.load(Ordering::Acquire)) {
                core::hint::spin_loop();
            }
        }
    }

    /// What the channel has been handed over.
    pub(super) fn current(&self) -> &Current {
        &self.current
    }

    /// Begins a term. Nobody is waited for: what is in progress may be finished.
    pub(super) fn begin_term(&self) -> Term {
        let term = Term::begin();
        self.current.set(term);
        term
    }

    /// Ends `term` if it is the current one, and waits until nobody touches what was handed over.
    pub(super) fn end_term(&self, term: Term) {
        self.current.end_only(term);
        self.wait_empty();
    }

    /// Ends whatever term there is, and waits until nobody touches what was handed over.
    pub(super) fn end_every_term(&self) {
        self.current.end();
        self.wait_empty();
    }

    /// Interrupts the term and waits until nobody touches what was handed over.
    pub(super) fn suspend_term(&self) {
        self.current.suspend();
        self.wait_empty();
    }

    /// Waits for a moment in which nobody is inside.
    ///
    /// With an open gate others may come in meanwhile; that they find no term leaves them nothing to stay for.
    fn wait_empty(&self) {
        while self.word.load(Ordering::SeqCst) >= CALLER {
            core::hint::spin_loop();
        }
    }

    pub(in crate::netdma) fn is_open(&self) -> bool {
        self.word.load(Ordering::Relaxed) & OPEN != 0
    }

    /// Enters if the gate is open.
    ///
    /// To be used at DISPATCH_LEVEL or above only, because [`close`](Self::close) waits for the caller at any level.
    #[inline]
    pub(in crate::netdma) fn enter(&self) -> Option<Entered<'_>> {
        // Sequentially consistent because of `Lease::covers`.
        let before = self.word.fetch_add(CALLER, Ordering::SeqCst);
        let entered = Entered {
            gate: self,
            channel: self.channel.load(Ordering::Relaxed),
            completion: self.completion.load(Ordering::Relaxed),
        };
        // Dropping it leaves.
        (before & OPEN != 0).then_some(entered)
    }

    /// Notes that `thread`, which is inside, calls NetDMA, and answers where that is noted.
    fn note_call(&self, thread: *mut c_void) -> &AtomicPtr<c_void> {
        let none = ptr::null_mut();
        loop {
            let free = self.calls.iter().find(|call| {
                call.compare_exchange(none, thread, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            });
            if let Some(call) = free {
                return call;
            }
            core::hint::spin_loop();
        }
    }
}

/// A caller inside a [`Gate`].
pub(in crate::netdma) struct Entered<'a> {
    gate: &'a Gate,
    channel: sys::PVOID,
    completion: *mut u64,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        self.gate.word.fetch_sub(CALLER, Ordering::Release);
    }
}

impl Entered<'_> {
    #[inline]
    pub(in crate::netdma) fn lease(&self) -> Lease<'_> {
        Lease::of(&self.gate.current)
    }

    #[inline]
    pub(in crate::netdma) fn isr(&self, completed: u64, _irql: &mut Irql<irql::Device>) -> u32 {
        let allocation = self.gate.allocation.load(Ordering::Relaxed);
        self.gate.interrupted.store(allocation, Ordering::Relaxed);
        let mut processor = 0;
        // SAFETY: the handle is that of an allocated channel by the invariant of the gate, which the caller is inside of; the
        // processor is written to a local variable; the level is proven by the argument.
        unsafe {
            sys::NetDmaIsr(
                self.channel,
                sys::physical_address(completed),
                &mut processor,
            )
        };
        processor
    }

    #[inline]
    pub(in crate::netdma) fn publish(&self, completion: Completion) {
        if self.completion.is_null() {
            return;
        }
        // SAFETY: by the invariant of the gate this is the completion word of an allocated channel: eight bytes, aligned as checked
        // when it was allocated, written by this function only and read by others with whole accesses.
        let word = unsafe { AtomicU64::from_ptr(self.completion) };
        word.store(completion.word(), Ordering::Release);
    }

    #[inline]
    pub(in crate::netdma) fn interrupt_dpc(self, completed: u64, _irql: &mut Irql<Dispatch>) {
        let Self { gate, channel, .. } = self;
        let allocation = gate.allocation.load(Ordering::Relaxed);
        if gate.interrupted.load(Ordering::Relaxed) != allocation {
            // The interrupt was one of an allocation before.
            return;
        }
        let call = gate.note_call(current_thread());
        // Leaves.
        drop(self);
        // SAFETY: the handle is that of an allocated channel by the invariant of the gate, where the call is noted; the level is
        // proven by the argument.
        unsafe { sys::NetDmaInterruptDpc(channel, sys::physical_address(completed)) };
        call.store(ptr::null_mut(), Ordering::Release);
    }
}
