//! The platform in a process with a standard library.

extern crate std;

use alloc::boxed::Box;
use alloc::string::String;
use core::cell::Cell;
use core::ops::{Deref, DerefMut};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::Write as _;

std::thread_local! {
    static SLOT: Cell<*const ()> = const { Cell::new(ptr::null()) };
}

/// The calling thread's pointer-sized slot; null in a new thread.
pub fn slot() -> *const () {
    // A thread that is ending has no slot any more, and belongs to no machine.
    SLOT.try_with(Cell::get).unwrap_or(ptr::null())
}

/// Sets the calling thread's slot.
pub fn set_slot(value: *const ()) {
    // Nothing is lost if the thread is ending: it will not ask again.
    let _ = SLOT.try_with(|slot| slot.set(value));
}

/// Tells the calling thread which processor it is on, where its code has a place to read that from. Here it has none: it
/// asks by a function.
pub fn show_processor(_number: u32) {}

/// Nanoseconds since some moment before the first call.
pub fn now() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START
        .get_or_init(std::time::Instant::now)
        .elapsed()
        .as_nanos() as u64
}

/// Lets other threads run for about `duration`.
pub fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

/// Lets another thread run.
pub fn yield_now() {
    std::thread::yield_now();
}

/// Writes a line for the person who watches, past the test harness: it shows what a test prints only when the test has ended.
pub fn write_error(line: &str) {
    // Nobody may be there to read it.
    _ = writeln!(std::io::stderr(), "{line}");
}

/// Stops the process: the simulated machine cannot go on.
pub fn fatal(line: &str) -> ! {
    write_error(line);
    std::process::abort()
}

/// Whether the calling thread is unwinding.
pub fn panicking() -> bool {
    std::thread::panicking()
}

/// Runs `body`; `None` if it panics.
pub fn catch<R>(body: impl FnOnce() -> R) -> Option<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).ok()
}

/// A range of addresses at which there is nothing to read or write, though it cannot be kept from being accessed here:
/// it is memory with a pattern in it.
#[derive(Debug)]
pub struct Reserved(Box<[AtomicU64]>);

impl Reserved {
    const PATTERN: u64 = 0x5245_4749_5354_4552;

    /// A range of at least `bytes` bytes; `None` if there is no room.
    pub fn new(bytes: usize) -> Option<Self> {
        let words = (0..bytes.div_ceil(8)).map(|_| AtomicU64::new(Self::PATTERN));
        Some(Self(words.collect()))
    }

    /// Its first address.
    pub fn start(&self) -> *mut u8 {
        self.0.as_ptr().cast::<u8>().cast_mut()
    }

    /// Whether nobody has written to it.
    pub fn is_intact(&self) -> bool {
        let mut words = self.0.iter();
        words.all(|word| word.load(Ordering::Relaxed) == Self::PATTERN)
    }
}

/// A thread that can be waited for.
#[derive(Debug)]
pub struct Thread(std::thread::JoinHandle<()>);

impl Thread {
    /// Starts a thread; `None` if the host refuses.
    pub fn spawn(name: String, body: Box<dyn FnOnce() + Send>) -> Option<Self> {
        std::thread::Builder::new()
            .name(name)
            .spawn(body)
            .ok()
            .map(Self)
    }

    /// Waits until the thread has ended; whether it ended without a panic.
    pub fn join(self) -> bool {
        self.0.join().is_ok()
    }
}

/// A lock. A panic while it is held does not poison it.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

/// Access to what a [`Mutex`] guards.
#[derive(Debug)]
pub struct MutexGuard<'a, T>(std::sync::MutexGuard<'a, T>);

impl<T> Mutex<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(guard)),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => {
                Some(MutexGuard(poisoned.into_inner()))
            }
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A lock that many readers have at once. A panic while it is held does not poison it.
#[derive(Debug, Default)]
pub struct RwLock<T>(std::sync::RwLock<T>);

impl<T> RwLock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(std::sync::RwLock::new(value))
    }

    /// Waits until nobody writes.
    pub fn read(&self) -> impl Deref<Target = T> + '_ {
        self.0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits until nobody reads or writes.
    pub fn write(&self) -> impl DerefMut<Target = T> + '_ {
        self.0
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A condition to wait for under a [`Mutex`].
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// A condition nobody waits for.
    pub const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    /// Waits until notified; may wake without reason.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard(
            self.0
                .wait(guard.0)
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Waits until notified or `timeout` has passed.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> MutexGuard<'a, T> {
        let (guard, _) = self
            .0
            .wait_timeout(guard.0, timeout)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        MutexGuard(guard)
    }

    /// Wakes everybody who waits.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Wakes one who waits.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }
}
