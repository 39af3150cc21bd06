//! Spin locks.
//!
//! # Design
//!
//! The lock's word holds 0, or its owner's number above the level to return to, or [`AT_DPC_LEVEL`]. So each release is
//! held against its acquisition, and a word that was never a lock is seen, since it names a thread that never was.
//!
//! # Safety
//!
//! The unsafe code of this file touches a driver's lock word, atomically. The word is the driver's to keep while somebody
//! may use the lock.
#![expect(unsafe_code, reason = "defines functions with C names")]

use alloc::format;
use core::hint;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use nmr_netdma::sys::{KIRQL, PKSPIN_LOCK};

use super::{DISPATCH, HIGH, PASSIVE, level, require, take_interrupts, violation};
use crate::kernel::{self, Thread};
use crate::platform;

/// In place of the level to return to: acquired by `KeAcquireSpinLockAtDpcLevel`.
const AT_DPC_LEVEL: u8 = 0xFF;

/// Nanoseconds to wait for a lock before it is reported, and as long again before somebody who watches is told: there may never be a
/// verdict to read. Miri is slow.
const PATIENCE: u64 = if cfg!(miri) {
    300_000_000_000
} else {
    3_000_000_000
};

/// The word of a lock; a violation and `None` if it cannot be one.
///
/// # Safety
///
/// `lock` is null or points to a lock that stays while the result is used.
unsafe fn word<'a>(function: &'static str, lock: PKSPIN_LOCK) -> Option<&'a AtomicU64> {
    if lock.is_null() || !lock.is_aligned() {
        kernel::machine().violated(
            &violation::LOCK_WORD,
            format_args!("{function} got the lock {lock:p}"),
        );
        return None;
    }
    // SAFETY: aligned, and the caller passes a lock, which is touched by these functions only.
    Some(unsafe { AtomicU64::from_ptr(lock) })
}

/// Takes a lock, or says why that would never end.
fn acquire(thread: &Thread, function: &'static str, word: &AtomicU64, level: u8) {
    let mine = thread.id << 8 | u64::from(level);
    let mut spins = 0_u32;
    let mut since = None;
    let mut reports = 0;
    let mut expected = 0;
    // Also a failure acquires: the number of the thread that is found must be known to have been given.
    while let Err(found) =
        word.compare_exchange(expected, mine, Ordering::AcqRel, Ordering::Acquire)
    {
        expected = 0;
        if found == 0 {
            continue;
        }
        if found >> 8 == thread.id {
            thread.machine.violated(
                &violation::LOCK_RECURSIVE,
                format_args!("{function}: the thread holds the lock {word:p} already"),
            );
            return;
        }
        if !kernel::was_thread(found >> 8) {
            thread.machine.violated(
                &violation::LOCK_WORD,
                format_args!("{function}: the lock {word:p} contains {found:#018x}, which is no state of a lock"),
            );
            expected = found;
            continue;
        }
        spins += 1;
        if spins < 100 {
            hint::spin_loop();
            continue;
        }
        platform::yield_now();
        let now = platform::now();
        let waited = now - *since.get_or_insert(now);
        if reports == 2 || waited < PATIENCE * (reports + 1) {
            continue;
        }
        reports += 1;
        let detail = format!(
            "{function}: has waited {:?} for the lock {word:p}, which thread {} holds",
            Duration::from_nanos(waited),
            found >> 8
        );
        if reports == 1 {
            thread
                .machine
                .violated(&violation::LOCK_STUCK, format_args!("{detail}"));
        } else {
            platform::write_error(&format!("simkernel: {detail}"));
        }
    }
    thread.locks.set(thread.locks.get() + 1);
}

/// Gives a lock back: the level to return to, or `None` after a violation that leaves the lock as it is.
fn release(thread: &Thread, function: &'static str, word: &AtomicU64) -> Option<u8> {
    let found = word.load(Ordering::Relaxed);
    if found >> 8 != thread.id {
        let detail = if found == 0 {
            "nobody"
        } else {
            "another thread"
        };
        thread.machine.violated(
            &violation::LOCK_OWNER,
            format_args!("{function}: {detail} holds the lock {word:p}"),
        );
        return None;
    }
    word.store(0, Ordering::Release);
    thread.locks.set(thread.locks.get().saturating_sub(1));
    Some(found as u8)
}

/// Acquires a lock and raises to DISPATCH_LEVEL; the level before.
///
/// # Safety
///
/// The lock was initialised with zero and stays while somebody may use it.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeAcquireSpinLockRaiseToDpc(lock: PKSPIN_LOCK) -> KIRQL {
    const FUNCTION: &str = "KeAcquireSpinLockRaiseToDpc";

    require(FUNCTION, PASSIVE..=DISPATCH);
    let thread = kernel::current();
    let old = thread.irql.get();
    thread.irql.set(old.max(DISPATCH));
    // SAFETY: the caller passes a lock.
    if let Some(word) = unsafe { word(FUNCTION, lock) } {
        acquire(thread, FUNCTION, word, old);
    }
    take_interrupts();
    old
}

/// Releases a lock and returns to the level before.
///
/// # Safety
///
/// As for [`KeAcquireSpinLockRaiseToDpc`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeReleaseSpinLock(lock: PKSPIN_LOCK, new: KIRQL) {
    const FUNCTION: &str = "KeReleaseSpinLock";

    require(FUNCTION, DISPATCH..=DISPATCH);
    let thread = kernel::current();
    // SAFETY: the caller passes a lock.
    let Some(word) = (unsafe { word(FUNCTION, lock) }) else {
        return;
    };
    match release(thread, FUNCTION, word) {
        None => return,
        Some(AT_DPC_LEVEL) => thread.machine.violated(
            &violation::LOCK_PAIR,
            format_args!("{FUNCTION}: the lock {lock:p} was acquired by KeAcquireSpinLockAtDpcLevel"),
        ),
        Some(old) if old != new => thread.machine.violated(
            &violation::LOCK_LEVEL,
            format_args!("{FUNCTION}: the lock {lock:p} was acquired at IRQL {old} and is released to IRQL {new}"),
        ),
        Some(_) => {}
    }
    if new <= HIGH {
        level::lower(thread, FUNCTION, new);
    }
    take_interrupts();
}

/// Acquires a lock at DISPATCH_LEVEL or above.
///
/// # Safety
///
/// As for [`KeAcquireSpinLockRaiseToDpc`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeAcquireSpinLockAtDpcLevel(lock: PKSPIN_LOCK) {
    const FUNCTION: &str = "KeAcquireSpinLockAtDpcLevel";

    require(FUNCTION, DISPATCH..=HIGH);
    // SAFETY: the caller passes a lock.
    if let Some(word) = unsafe { word(FUNCTION, lock) } {
        acquire(kernel::current(), FUNCTION, word, AT_DPC_LEVEL);
    }
    take_interrupts();
}

/// Releases a lock and stays at the level.
///
/// # Safety
///
/// As for [`KeAcquireSpinLockRaiseToDpc`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeReleaseSpinLockFromDpcLevel(lock: PKSPIN_LOCK) {
    const FUNCTION: &str = "KeReleaseSpinLockFromDpcLevel";

    require(FUNCTION, DISPATCH..=HIGH);
    let thread = kernel::current();
    // SAFETY: the caller passes a lock.
    let Some(word) = (unsafe { word(FUNCTION, lock) }) else {
        return;
    };
    if let Some(old) = release(thread, FUNCTION, word)
        && old != AT_DPC_LEVEL
    {
        thread.machine.violated(
            &violation::LOCK_PAIR,
            format_args!(
                "{FUNCTION}: the lock {lock:p} was acquired by KeAcquireSpinLockRaiseToDpc"
            ),
        );
    }
    take_interrupts();
}
