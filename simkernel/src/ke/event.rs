//! Events, and waiting for them or for time to pass.
//!
//! # Design
//!
//! An event's signal lies in its structure; all changes happen under one lock of the machine, and one condition wakes who
//! waits for any event. Whoever sets an event does not touch it after letting go of that lock, so a waiter may free it.
//!
//! Relative times pass as on the host. An absolute time has passed: the machine has no calendar.
//!
//! # Safety
//!
//! The unsafe code of this file touches a driver's `KEVENT` during calls that pass it, as their contracts allow.
#![expect(unsafe_code, reason = "defines functions with C names")]

use core::sync::atomic::{AtomicI32, Ordering};
use core::time::Duration;

use nmr_netdma::sys::{
    _EVENT_TYPE, BOOLEAN, DISPATCHER_HEADER, EVENT_TYPE, KEVENT, KPRIORITY, KPROCESSOR_MODE,
    KWAIT_REASON, LIST_ENTRY, LONG, NTSTATUS, PLARGE_INTEGER, PRKEVENT, PVOID,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS, STATUS_TIMEOUT,
};

use super::{APC, DISPATCH, PASSIVE, require, violation};
use crate::kernel;
use crate::platform::{self, Condvar, Mutex};

/// Who waits for an event of the machine.
#[derive(Default)]
pub(super) struct Waiters {
    lock: Mutex<()>,
    signalled: Condvar,
}

/// The first word of an event: its type, and its size in words at bit 16.
const fn header(kind: i32) -> i32 {
    kind | (size_of::<KEVENT>() as i32 / 4) << 16
}

/// An event: whether it is a synchronization event, and its signal.
#[derive(Clone, Copy)]
struct Event<'a> {
    synchronization: bool,
    signal: &'a AtomicI32,
}

impl<'a> Event<'a> {
    /// The event at `event`; a violation and `None` if none was initialised there.
    ///
    /// # Safety
    ///
    /// `event` is null or points to an event that stays while the result is used.
    unsafe fn new(function: &'static str, event: *mut KEVENT) -> Option<Self> {
        if !event.is_null() && event.is_aligned() {
            // SAFETY: the caller passes an event.
            let lock = unsafe { &raw const (*event).Header.Lock };
            // SAFETY: the caller passes an event.
            let list = unsafe { &raw const (*event).Header.WaitListHead };
            // SAFETY: the member does not change after the initialisation.
            let lock = unsafe { lock.read() };
            // SAFETY: the member does not change after the initialisation.
            let own = unsafe { list.read() }.Flink;
            let synchronization = lock == header(_EVENT_TYPE::SynchronizationEvent);
            if own.addr() == list.addr()
                && (synchronization || lock == header(_EVENT_TYPE::NotificationEvent))
            {
                // SAFETY: the caller passes an event.
                let signal = unsafe { &raw mut (*event).Header.SignalState };
                // SAFETY: aligned as a member, and touched atomically after the initialisation.
                let signal = unsafe { AtomicI32::from_ptr(signal) };
                return Some(Self {
                    synchronization,
                    signal,
                });
            }
        }
        kernel::machine().violated(
            &violation::EVENT,
            format_args!(
                "{function}: at {event:p} no event was initialised, or it was moved since"
            ),
        );
        None
    }

    /// Whether it is signalled, which a synchronization event is for one waiter. The caller holds the lock.
    fn take(self) -> bool {
        let after = if self.synchronization { 0 } else { 1 };
        self.signal
            .compare_exchange(1, after, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

/// Nanoseconds from now on; an absolute time has passed.
///
/// # Safety
///
/// `time` points to a time.
unsafe fn nanoseconds(time: PLARGE_INTEGER) -> u64 {
    // SAFETY: the caller passes a time.
    let time = unsafe { time.read() };
    // SAFETY: all views of the union are 64 bits of integers.
    let time = unsafe { time.QuadPart };
    time.min(0).unsigned_abs().saturating_mul(100)
}

/// Makes an event.
///
/// # Safety
///
/// The event is writable, and is used until the next initialisation by event and wait functions only.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeInitializeEvent(
    event: PRKEVENT,
    kind: EVENT_TYPE,
    state: BOOLEAN,
) {
    let known = matches!(
        kind,
        _EVENT_TYPE::NotificationEvent | _EVENT_TYPE::SynchronizationEvent
    );
    if event.is_null() || !event.is_aligned() || !known {
        kernel::machine().violated(
            &violation::EVENT,
            format_args!("KeInitializeEvent got {event:p}, type {kind}"),
        );
        return;
    }
    // SAFETY: the caller passes a KEVENT; the member is part of it.
    let list: *mut LIST_ENTRY = unsafe { &raw mut (*event).Header.WaitListHead };
    let value = DISPATCHER_HEADER {
        Lock: header(kind),
        SignalState: LONG::from(state != 0),
        WaitListHead: LIST_ENTRY {
            Flink: list,
            Blink: list,
        },
    };
    // SAFETY: not null, aligned, and the caller's to write.
    unsafe { event.write(KEVENT { Header: value }) };
}

/// Signals an event; whether it was.
///
/// # Safety
///
/// The event was initialised and stays until this returns or a waiter was woken by it.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeSetEvent(
    event: PRKEVENT,
    _increment: KPRIORITY,
    wait: BOOLEAN,
) -> LONG {
    const FUNCTION: &str = "KeSetEvent";

    require(FUNCTION, PASSIVE..=if wait == 0 { DISPATCH } else { APC });
    let waiters = &kernel::machine().ke.events;
    let _lock = waiters.lock.lock();
    // SAFETY: the caller passes an event that stays at least until a waiter can see the signal, that is, under the lock.
    let Some(event) = (unsafe { Event::new(FUNCTION, event) }) else {
        return 0;
    };
    let before = event.signal.swap(1, Ordering::AcqRel);
    waiters.signalled.notify_all();
    before
}

/// Makes an event not signalled.
///
/// # Safety
///
/// The event was initialised and stays until this returns.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeClearEvent(event: PRKEVENT) {
    const FUNCTION: &str = "KeClearEvent";

    require(FUNCTION, PASSIVE..=DISPATCH);
    let _lock = kernel::machine().ke.events.lock.lock();
    // SAFETY: the caller passes an event.
    if let Some(event) = unsafe { Event::new(FUNCTION, event) } {
        event.signal.store(0, Ordering::Release);
    }
}

/// Waits for an event. Other objects cannot be waited for.
///
/// # Safety
///
/// The event was initialised and stays until this returns. The timeout is null or readable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeWaitForSingleObject(
    object: PVOID,
    _reason: KWAIT_REASON,
    _mode: KPROCESSOR_MODE,
    _alertable: BOOLEAN,
    timeout: PLARGE_INTEGER,
) -> NTSTATUS {
    const FUNCTION: &str = "KeWaitForSingleObject";

    let timeout = if timeout.is_null() {
        None
    } else {
        // SAFETY: not null, and the caller's to read.
        Some(unsafe { nanoseconds(timeout) })
    };
    let may_wait = require(
        FUNCTION,
        PASSIVE..=if timeout == Some(0) { DISPATCH } else { APC },
    );
    let thread = kernel::current();
    // SAFETY: the caller passes an event that stays until this returns.
    let Some(event) = (unsafe { Event::new(FUNCTION, object.cast()) }) else {
        return STATUS_INVALID_PARAMETER;
    };
    // What a DPC waits for would never come if its processor had to bring it.
    let timeout = if may_wait || !thread.is_processor.get() {
        timeout
    } else {
        Some(0)
    };
    let end = timeout.map(|timeout| platform::now().saturating_add(timeout));
    let waiters = &thread.machine.ke.events;
    let mut lock = waiters.lock.lock();
    while !event.take() {
        lock = match end {
            None => waiters.signalled.wait(lock),
            Some(end) => match end.saturating_sub(platform::now()) {
                0 => return STATUS_TIMEOUT,
                left => waiters
                    .signalled
                    .wait_timeout(lock, Duration::from_nanos(left)),
            },
        };
    }
    STATUS_SUCCESS
}

/// Lets time pass.
///
/// # Safety
///
/// The interval is readable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeDelayExecutionThread(
    _mode: KPROCESSOR_MODE,
    _alertable: BOOLEAN,
    interval: PLARGE_INTEGER,
) -> NTSTATUS {
    const FUNCTION: &str = "KeDelayExecutionThread";

    require(FUNCTION, PASSIVE..=APC);
    if interval.is_null() {
        kernel::machine().violated(&violation::NULL, format_args!("{FUNCTION} got no interval"));
        return STATUS_INVALID_PARAMETER;
    }
    // SAFETY: not null, and the caller's to read.
    let interval = unsafe { nanoseconds(interval) };
    platform::sleep(Duration::from_nanos(interval));
    STATUS_SUCCESS
}
