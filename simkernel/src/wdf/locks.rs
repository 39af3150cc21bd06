//! Spin locks and wait locks, the lock of an object, the lock of an interrupt.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use core::time::Duration;

use nmr_netdma::sys;

use super::object::{Payload, create_simple};
use super::{Call, DISPATCH, PASSIVE, violation};
use crate::platform::{self, Condvar, Mutex};
use crate::{ke, kernel};

/// The calling thread, as the owner of a lock.
pub(super) fn this_thread() -> usize {
    kernel::current().id as usize
}

/// A spin lock that remembers the level to return to.
#[derive(Default)]
struct RaisingLock {
    lock: UnsafeCell<sys::KSPIN_LOCK>,
    owner: AtomicUsize,
    /// The level before; belongs to the owner.
    level: AtomicU8,
}

// SAFETY: the word in the cell is only touched by the spin lock functions, which are made for any number of threads.
unsafe impl Sync for RaisingLock {}

impl RaisingLock {
    fn acquire(&self, call: &Call<'_>) {
        if self.owner.load(Ordering::Relaxed) == this_thread() {
            call.violated(
                &violation::LOCK,
                format_args!("the thread holds the lock already"),
            );
            return;
        }
        // SAFETY: the cell is a spin lock that lives as long as `self`; the level was checked on entry.
        let level = unsafe { sys::KeAcquireSpinLockRaiseToDpc(self.lock.get()) };
        self.owner.store(this_thread(), Ordering::Relaxed);
        self.level.store(level, Ordering::Relaxed);
    }

    fn release(&self, call: &Call<'_>) {
        if self.owner.load(Ordering::Relaxed) != this_thread() {
            call.violated(
                &violation::LOCK,
                format_args!("the thread does not hold the lock"),
            );
            return;
        }
        let level = self.level.load(Ordering::Relaxed);
        self.owner.store(0, Ordering::Relaxed);
        // SAFETY: this thread holds the lock, and `level` is where it came from.
        unsafe { sys::KeReleaseSpinLock(self.lock.get(), level) };
    }
}

/// The lock that every object of the framework has for its callbacks.
#[derive(Default)]
pub(super) struct ObjectLock(RaisingLock);

impl ObjectLock {
    pub(super) fn acquire(&self, call: &Call<'_>) {
        self.0.acquire(call);
    }

    pub(super) fn release(&self, call: &Call<'_>) {
        self.0.release(call);
    }
}

/// WDFSPINLOCK
#[derive(Default)]
pub(super) struct SpinLock {
    lock: RaisingLock,
    /// What it becomes as the lock of interrupts.
    interrupt: Mutex<Option<Arc<InterruptLock>>>,
}

impl SpinLock {
    /// Makes it the lock of an interrupt; from here on nobody else may take it.
    pub(super) fn for_interrupt(&self) -> Arc<InterruptLock> {
        Arc::clone(self.interrupt.lock().get_or_insert_default())
    }

    fn is_for_interrupt(&self, call: &Call<'_>) -> bool {
        let refused = self.interrupt.lock().is_some();
        if refused {
            call.violated(
                &violation::LOCK,
                format_args!("the lock belongs to interrupts, whose level it does not raise to"),
            );
        }
        refused
    }
}

/// What serialises an interrupt's service routine with what synchronises with it.
#[derive(Default)]
pub(super) struct InterruptLock {
    owner: Mutex<usize>,
    free: Condvar,
    /// The highest level of the interrupts that share it.
    irql: AtomicU8,
}

impl InterruptLock {
    pub(super) fn irql(&self) -> u8 {
        self.irql.load(Ordering::Relaxed)
    }

    pub(super) fn raise_irql(&self, irql: u8) {
        self.irql.fetch_max(irql, Ordering::Relaxed);
    }

    pub(super) fn forget_irql(&self) {
        self.irql.store(0, Ordering::Relaxed);
    }

    /// Takes the lock; `false` if the thread holds it already.
    pub(super) fn acquire(&self) -> bool {
        let mut owner = self.owner.lock();
        while *owner != 0 {
            if *owner == this_thread() {
                drop(owner);
                kernel::machine().violated(
                    &violation::LOCK,
                    format_args!("the thread holds the interrupt's lock and would wait for itself"),
                );
                return false;
            }
            owner = self.free.wait(owner);
        }
        *owner = this_thread();
        true
    }

    /// Gives the lock back; `false` if the thread does not hold it.
    pub(super) fn release(&self) -> bool {
        let mut owner = self.owner.lock();
        let held = *owner == this_thread();
        if held {
            *owner = 0;
            self.free.notify_one();
        }
        held
    }

    /// Runs `body` at the synchronise level with the lock held; `None` if the thread holds it already.
    pub(super) fn synchronized<R>(&self, body: impl FnOnce() -> R) -> Option<R> {
        ke::at(kernel::current(), self.irql().max(ke::irql()), || {
            if !self.acquire() {
                return None;
            }
            let result = body();
            self.release();
            Some(result)
        })
    }
}

/// WDFWAITLOCK
#[derive(Default)]
pub(super) struct WaitLock {
    owner: Mutex<usize>,
    free: Condvar,
}

pub(super) unsafe extern "C" fn spin_lock_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    attributes: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFSPINLOCK,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfSpinLockCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES, and a place for the handle.
    unsafe {
        create_simple(&call, attributes, result, |_| {
            Payload::SpinLock(SpinLock::default())
        })
    }
}

pub(super) unsafe extern "C" fn spin_lock_acquire(
    globals: sys::PWDF_DRIVER_GLOBALS,
    lock: sys::WDFSPINLOCK,
) {
    let Some(call) = Call::enter(globals, "WdfSpinLockAcquire", DISPATCH) else {
        return;
    };
    let Some(lock) = call.object::<SpinLock>(lock) else {
        return;
    };
    if !lock.is_for_interrupt(&call) {
        lock.lock.acquire(&call);
    }
}

pub(super) unsafe extern "C" fn spin_lock_release(
    globals: sys::PWDF_DRIVER_GLOBALS,
    lock: sys::WDFSPINLOCK,
) {
    let Some(call) = Call::enter(globals, "WdfSpinLockRelease", 2..=2) else {
        return;
    };
    let Some(lock) = call.object::<SpinLock>(lock) else {
        return;
    };
    if !lock.is_for_interrupt(&call) {
        lock.lock.release(&call);
    }
}

pub(super) unsafe extern "C" fn wait_lock_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    attributes: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFWAITLOCK,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfWaitLockCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES, and a place for the handle.
    unsafe {
        create_simple(&call, attributes, result, |_| {
            Payload::WaitLock(WaitLock::default())
        })
    }
}

pub(super) unsafe extern "C" fn wait_lock_acquire(
    globals: sys::PWDF_DRIVER_GLOBALS,
    lock: sys::WDFWAITLOCK,
    timeout: sys::PLONGLONG,
) -> sys::NTSTATUS {
    let timeout = if timeout.is_null() {
        None
    } else {
        // SAFETY: it is not null, and the driver passes a timeout in 100 ns units.
        Some(unsafe { timeout.read_unaligned() })
    };
    // With a timeout of zero it does not wait, and may be called up to APC_LEVEL.
    let levels = if timeout == Some(0) { 0..=1 } else { PASSIVE };
    let Some(call) = Call::enter(globals, "WdfWaitLockAcquire", levels) else {
        return sys::STATUS_INVALID_PARAMETER;
    };
    let Some(lock) = call.object::<WaitLock>(lock) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    let mut owner = lock.owner.lock();
    if *owner == this_thread() {
        drop(owner);
        call.violated(
            &violation::LOCK,
            format_args!("the thread holds the lock and would wait for itself"),
        );
        return sys::STATUS_TIMEOUT;
    }
    // Relative times are negative. An absolute one lies in the past of a machine without a calendar.
    let end = timeout.map(|timeout| platform::now() + timeout.min(0).unsigned_abs() * 100);
    while *owner != 0 {
        owner = match end {
            None => lock.free.wait(owner),
            Some(end) => {
                let Some(left) = end.checked_sub(platform::now()).filter(|left| *left > 0) else {
                    return sys::STATUS_TIMEOUT;
                };
                lock.free.wait_timeout(owner, Duration::from_nanos(left))
            }
        };
    }
    *owner = this_thread();
    sys::STATUS_SUCCESS
}

pub(super) unsafe extern "C" fn wait_lock_release(
    globals: sys::PWDF_DRIVER_GLOBALS,
    lock: sys::WDFWAITLOCK,
) {
    let Some(call) = Call::enter(globals, "WdfWaitLockRelease", DISPATCH) else {
        return;
    };
    let Some(lock) = call.object::<WaitLock>(lock) else {
        return;
    };
    let mut owner = lock.owner.lock();
    if *owner == this_thread() {
        *owner = 0;
        lock.free.notify_one();
    } else {
        drop(owner);
        call.violated(
            &violation::LOCK,
            format_args!("the thread does not hold the lock"),
        );
    }
}
