//! The rundown's protocol, model-checked: every interleaving, and every value that a load may answer under the C11 memory model.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom_rundown`; without the flag there is nothing here.
//!
//! The block that callers use while they are inside, and that whoever is last frees, is a cell that the checker watches: an
//! access that is not ordered before the freeing, or comes after it, fails the test.
//!
//! # Safety
//!
//! The unsafe code of this file reads and writes the watched block.
#![cfg(loom)]
#![expect(unsafe_code, reason = "accesses what the checker watches")]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, JoinHandle};

use nmr_netdma::rundown::{Left, Rundown};

/// What is behind the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Unwritten,
    Live,
    Freed,
}

/// A binding as the rundown sees it. Its handles, the `Arc`s, outlive the block, as those of a binding do.
struct Binding {
    rundown: Rundown,
    block: UnsafeCell<Block>,
    /// Who was told to be the last.
    completions: AtomicUsize,
}

// SAFETY: the block is accessed as the protocol allows, which is what the checker checks.
unsafe impl Sync for Binding {}

impl Binding {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            rundown: Rundown::new(),
            block: UnsafeCell::new(Block::Unwritten),
            completions: AtomicUsize::new(0),
        })
    }

    fn opened() -> Arc<Self> {
        let binding = Self::new();
        binding.open();
        binding
    }

    /// Writes the block and opens the door to it.
    fn open(&self) {
        self.block.with_mut(|block| {
            // SAFETY: nobody reads the block before the door is open; the checker would see it.
            unsafe { *block = Block::Live };
        });
        self.rundown.open();
    }

    /// What being inside allows.
    fn use_block(&self) {
        self.block.with(|block| {
            // SAFETY: nobody writes the block while a caller is inside; the checker would see it.
            assert_eq!(unsafe { *block }, Block::Live);
        });
    }

    /// Frees the block if the answer is that the caller was the last.
    fn settle(&self, left: Left) {
        if left == Left::NotLast {
            return;
        }
        self.completions.fetch_add(1, Ordering::Relaxed);
        self.block.with_mut(|block| {
            // SAFETY: the last one out is alone with the block; the checker would see others.
            unsafe { *block = Block::Freed };
        });
    }

    /// One call, as a guard makes it; whether it was let in.
    fn call(&self) -> bool {
        match self.rundown.enter() {
            Ok(()) => {
                self.use_block();
                self.settle(self.rundown.leave());
                true
            }
            Err(left) => {
                self.settle(left);
                false
            }
        }
    }

    /// A detach, as the detach callback does it.
    fn detach(&self) {
        self.rundown.close();
        self.settle(self.rundown.leave());
    }

    /// What holds when everybody is gone.
    fn assert_ended(&self) {
        assert_eq!(
            self.completions.load(Ordering::Relaxed),
            1,
            "told to be the last"
        );
        assert!(!self.call(), "let in after the end");
        assert_eq!(
            self.completions.load(Ordering::Relaxed),
            1,
            "told to be the last after the end"
        );
    }
}

fn spawn(binding: &Arc<Binding>, body: impl Fn(&Binding) + 'static) -> JoinHandle<()> {
    let binding = Arc::clone(binding);
    thread::spawn(move || body(&binding))
}

fn caller(binding: &Arc<Binding>) -> JoinHandle<()> {
    spawn(binding, |binding| {
        binding.call();
    })
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("the thread has not panicked");
    }
}

/// Checks all interleavings; with `preemptions`, those with at most so many involuntary switches of threads.
fn check(preemptions: Option<usize>, body: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(body);
}

#[test]
fn a_caller_against_detach() {
    check(None, || {
        let binding = Binding::opened();
        let caller = caller(&binding);
        binding.detach();
        join([caller]);
        binding.assert_ended();
    });
}

#[test]
fn two_callers_against_detach() {
    check(None, || {
        let binding = Binding::opened();
        let callers = [caller(&binding), caller(&binding)];
        binding.detach();
        join(callers);
        binding.assert_ended();
    });
}

#[test]
fn three_callers_against_detach() {
    check(Some(3), || {
        let binding = Binding::opened();
        let callers = [caller(&binding), caller(&binding), caller(&binding)];
        binding.detach();
        join(callers);
        binding.assert_ended();
    });
}

#[test]
fn a_caller_that_comes_again_and_again_against_detach() {
    check(None, || {
        let binding = Binding::opened();
        let caller = spawn(&binding, |binding| {
            // Who was turned away once is never let in again.
            let entered = [binding.call(), binding.call(), binding.call()];
            assert!(
                entered.is_sorted_by(|earlier, later| earlier >= later),
                "{entered:?}"
            );
        });
        binding.detach();
        join([caller]);
        binding.assert_ended();
    });
}

#[test]
fn a_guard_that_moves_to_another_thread_against_detach() {
    check(None, || {
        let binding = Binding::opened();
        assert_eq!(binding.rundown.enter(), Ok(()));
        let holder = spawn(&binding, |binding| {
            binding.use_block();
            binding.settle(binding.rundown.leave());
        });
        let caller = caller(&binding);
        binding.detach();
        join([holder, caller]);
        binding.assert_ended();
    });
}

#[test]
fn a_caller_nested_in_a_call_against_detach() {
    check(None, || {
        let binding = Binding::opened();
        let outer = spawn(&binding, |binding| {
            if binding.rundown.enter().is_ok() {
                binding.call();
                binding.use_block();
                binding.settle(binding.rundown.leave());
            }
        });
        binding.detach();
        join([outer]);
        binding.assert_ended();
    });
}

#[test]
fn who_enters_sees_what_was_written_before_opening() {
    check(None, || {
        let binding = Binding::new();
        let callers = [caller(&binding), caller(&binding)];
        binding.open();
        join(callers);
        assert!(binding.call(), "open");
        assert_eq!(binding.completions.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn who_finds_it_begun_sees_what_was_written_before_opening() {
    check(None, || {
        let binding = Binding::new();
        let asking = spawn(&binding, |binding| {
            if binding.rundown.has_begun() {
                binding.use_block();
            }
        });
        binding.open();
        join([asking]);
        assert!(binding.rundown.has_begun());
    });
}

#[test]
fn callers_before_opening_against_opening_and_detach() {
    // A caller that was turned away before the door was opened may be counted by closing, and then it may be the last.
    check(Some(4), || {
        let binding = Binding::new();
        let callers = [caller(&binding), caller(&binding)];
        binding.open();
        binding.detach();
        join(callers);
        binding.assert_ended();
    });
}

#[test]
fn a_caller_against_closing_what_never_opened() {
    check(None, || {
        let binding = Binding::new();
        let callers = [caller(&binding), caller(&binding)];
        binding.detach();
        join(callers);
        binding.assert_ended();
    });
}

#[test]
fn detach_ends_while_a_caller_is_inside_and_the_caller_completes_it() {
    check(None, || {
        let binding = Binding::opened();
        assert_eq!(binding.rundown.enter(), Ok(()));
        let detach = spawn(&binding, Binding::detach);
        join([detach]);
        assert_eq!(binding.completions.load(Ordering::Relaxed), 0);
        binding.use_block();
        assert_eq!(binding.rundown.leave(), Left::Last);
    });
}
