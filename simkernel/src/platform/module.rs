//! The platform in an image that Wine loads as a kernel module. A Wine driver process is an ordinary process: beside the
//! kernel's functions, most of which Wine does not have, it has those of kernel32.dll and ntdll.dll, and these are used here.
//!
//! # Design
//!
//! * **Nothing of ntoskrnl.exe.** Its names are the ones that the rest of the crate defines, and one image cannot both define and
//!   import a name.
//! * **The registers of a device are a range that cannot be accessed.** Drivers read and write registers by plain instructions, so
//!   who is responsible for the image handles the exceptions.
//!
//! # Safety
//!
//! The unsafe code of this file calls functions of Windows' user mode. Locks and conditions are words that may be moved while
//! nobody uses them, start as zero, and need no release. Nothing unwinds.
#![expect(
    unsafe_code,
    reason = "calls the functions that a process without a standard library has"
)]

use alloc::boxed::Box;
use alloc::string::String;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::asm;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_void};
use core::ops::{Deref, DerefMut};
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

type Handle = *mut c_void;
/// `SRWLOCK` and `CONDITION_VARIABLE`: a pointer each, null at first.
type Word = *mut c_void;

#[link(name = "kernel32.dll", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn TlsAlloc() -> u32;
    fn TlsGetValue(slot: u32) -> *mut c_void;
    fn TlsSetValue(slot: u32, value: *mut c_void) -> i32;
    fn QueryPerformanceCounter(count: *mut i64) -> i32;
    fn QueryPerformanceFrequency(frequency: *mut i64) -> i32;
    fn Sleep(milliseconds: u32);
    fn SwitchToThread() -> i32;
    fn CreateThread(
        attributes: *const c_void,
        stack: usize,
        start: unsafe extern "system" fn(*mut c_void) -> u32,
        parameter: *mut c_void,
        flags: u32,
        id: *mut u32,
    ) -> Handle;
    fn WaitForSingleObject(object: Handle, milliseconds: u32) -> u32;
    fn CloseHandle(object: Handle) -> i32;
    fn VirtualAlloc(address: *mut c_void, bytes: usize, kind: u32, protection: u32) -> *mut c_void;
    fn VirtualFree(address: *mut c_void, bytes: usize, kind: u32) -> i32;
    fn GetProcessHeap() -> Handle;
    fn HeapAlloc(heap: Handle, flags: u32, bytes: usize) -> *mut c_void;
    fn HeapFree(heap: Handle, flags: u32, memory: *mut c_void) -> i32;
    fn TerminateProcess(process: Handle, code: u32) -> i32;
    fn AcquireSRWLockExclusive(lock: *mut Word);
    fn AcquireSRWLockShared(lock: *mut Word);
    fn TryAcquireSRWLockExclusive(lock: *mut Word) -> u8;
    fn ReleaseSRWLockExclusive(lock: *mut Word);
    fn ReleaseSRWLockShared(lock: *mut Word);
    fn SleepConditionVariableSRW(
        condition: *mut Word,
        lock: *mut Word,
        milliseconds: u32,
        flags: u32,
    ) -> i32;
    fn WakeAllConditionVariable(condition: *mut Word);
    fn WakeConditionVariable(condition: *mut Word);
}

#[link(name = "ntdll.dll", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    fn DbgPrint(format: *const c_char, ...) -> u32;
}

// Named here so that the linker finds them; the compiler calls them.
#[expect(dead_code, reason = "called by compiled code")]
#[link(name = "ntdll.dll", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    fn memcpy(to: *mut c_void, from: *const c_void, bytes: usize) -> *mut c_void;
    fn memmove(to: *mut c_void, from: *const c_void, bytes: usize) -> *mut c_void;
    fn memset(to: *mut c_void, value: i32, bytes: usize) -> *mut c_void;
    fn memcmp(left: *const c_void, right: *const c_void, bytes: usize) -> i32;
    fn strlen(text: *const c_char) -> usize;
    fn __chkstk();
}

const INFINITE: u32 = u32::MAX;

/// The index of the thread slot, plus one; 0 until it is allocated.
fn slot_index() -> u32 {
    static INDEX: AtomicU32 = AtomicU32::new(0);
    const OUT_OF_INDEXES: u32 = u32::MAX;

    let known = INDEX.load(Ordering::Relaxed);
    if known != 0 {
        return known - 1;
    }
    // SAFETY: it has no preconditions.
    let new = unsafe { TlsAlloc() };
    if new == OUT_OF_INDEXES {
        fatal("simkernel: no thread slot is left");
    }
    match INDEX.compare_exchange(0, new + 1, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => new,
        // Another thread was first. The index is lost, once.
        Err(first) => first - 1,
    }
}

/// The calling thread's pointer-sized slot; null in a new thread.
pub fn slot() -> *const () {
    // SAFETY: the index was allocated and is never freed.
    unsafe { TlsGetValue(slot_index()) }.cast()
}

/// Sets the calling thread's slot.
pub fn set_slot(value: *const ()) {
    // SAFETY: as for `slot`.
    unsafe { TlsSetValue(slot_index(), value.cast_mut().cast()) };
}

/// Tells the calling thread which processor it is on, where its code has a place to read that from: at `gs:[0x184]`, where
/// a kernel keeps it. In a process GS addresses the thread's own block, in which these bytes are reserved.
pub fn show_processor(number: u32) {
    // CAST: processors are counted by groups of 64.
    let number = (number % 64) as u8;
    // SAFETY: the byte lies in `SystemReserved1` of the thread's environment block, which is writable and which Wine does not use
    // on amd64.
    unsafe {
        asm!("mov byte ptr gs:[0x184], {}", in(reg_byte) number, options(nostack, preserves_flags));
    }
}

/// Nanoseconds since some moment before the first call.
pub fn now() -> u64 {
    let mut count = 0_i64;
    // SAFETY: the variable is writable.
    unsafe { QueryPerformanceCounter(&raw mut count) };
    let mut frequency = 0_i64;
    // SAFETY: as above.
    unsafe { QueryPerformanceFrequency(&raw mut frequency) };
    let nanoseconds = i128::from(count) * 1_000_000_000 / i128::from(frequency.max(1));
    u64::try_from(nanoseconds).unwrap_or(0)
}

/// `duration` in milliseconds, rounded up, and less than for ever.
fn milliseconds(duration: Duration) -> u32 {
    let rounded = duration.as_nanos().div_ceil(1_000_000);
    u32::try_from(rounded).map_or(INFINITE - 1, |milliseconds| milliseconds.min(INFINITE - 1))
}

/// Lets other threads run for about `duration`.
pub fn sleep(duration: Duration) {
    // SAFETY: it has no preconditions.
    unsafe { Sleep(milliseconds(duration)) };
}

/// Lets another thread run.
pub fn yield_now() {
    // SAFETY: it has no preconditions.
    unsafe { SwitchToThread() };
}

/// Writes a line for the person who watches.
pub fn write_error(line: &str) {
    // Wine's buffer has no room for more, and is not checked.
    const ROOM: usize = 480;

    let mut rest = line;
    while !rest.is_empty() {
        let mut end = rest.len().min(ROOM);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let mut text = [0_u8; ROOM + 1];
        text[..end].copy_from_slice(&rest.as_bytes()[..end]);
        if let Ok(text) = CStr::from_bytes_until_nul(&text) {
            // SAFETY: the format wants one text with an end, and gets it.
            unsafe { DbgPrint(c"%s\n".as_ptr(), text.as_ptr()) };
        }
        rest = &rest[end..];
    }
}

/// Stops the process: the simulated machine cannot go on.
pub fn fatal(line: &str) -> ! {
    const CURRENT_PROCESS: isize = -1;

    write_error(line);
    loop {
        // SAFETY: ending the process has no preconditions.
        unsafe { TerminateProcess(ptr::without_provenance_mut(CURRENT_PROCESS as usize), 1) };
    }
}

/// Whether the calling thread is unwinding, which does not happen here.
pub fn panicking() -> bool {
    false
}

/// Runs `body`. A panic in it ends the process.
pub fn catch<R>(body: impl FnOnce() -> R) -> Option<R> {
    Some(body())
}

/// Rust's allocator, for the image that this is part of.
#[derive(Debug)]
pub struct Allocator;

/// What the heap aligns to by itself.
const HEAP_ALIGNMENT: usize = 16;

// SAFETY: blocks come from the process's heap, at least as long as asked for. One that must be aligned to more than the heap does
// is a part of a larger one, whose address is stored right before the part. Nothing here unwinds.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let over = layout.align() > HEAP_ALIGNMENT;
        let more = if over { layout.align() } else { 0 };
        let Some(bytes) = layout.size().checked_add(more) else {
            return ptr::null_mut();
        };
        // SAFETY: it has no preconditions.
        let heap = unsafe { GetProcessHeap() };
        // SAFETY: the heap is the process's.
        let block = unsafe { HeapAlloc(heap, 0, bytes) }.cast::<u8>();
        if !over || block.is_null() {
            return block;
        }
        // At least as far as the heap aligns to, which is room for an address.
        let gap = layout.align() - block.addr() % layout.align();
        let part = block.wrapping_add(gap);
        // SAFETY: the gap before the part belongs to the block and has room for an address, to which it is aligned.
        unsafe { part.cast::<*mut u8>().wrapping_sub(1).write(block) };
        part
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let block = if layout.align() > HEAP_ALIGNMENT {
            // SAFETY: `alloc` stored the address of the block there.
            unsafe { memory.cast::<*mut u8>().wrapping_sub(1).read() }
        } else {
            memory
        };
        // SAFETY: it has no preconditions.
        let heap = unsafe { GetProcessHeap() };
        // SAFETY: the block is one of this heap, as the trait demands, and nobody uses it any more.
        unsafe { HeapFree(heap, 0, block.cast()) };
    }
}

/// A range of addresses at which there is nothing: every access is an exception.
#[derive(Debug)]
pub struct Reserved {
    start: *mut u8,
}

// SAFETY: it owns addresses and gives no access to anything.
unsafe impl Send for Reserved {}
// SAFETY: as for `Send`.
unsafe impl Sync for Reserved {}

impl Reserved {
    /// A range of at least `bytes` bytes; `None` if there is no room.
    pub fn new(bytes: usize) -> Option<Self> {
        const MEM_RESERVE: u32 = 0x2000;
        const PAGE_NOACCESS: u32 = 1;

        // SAFETY: it has no preconditions.
        let start = unsafe { VirtualAlloc(ptr::null_mut(), bytes, MEM_RESERVE, PAGE_NOACCESS) };
        (!start.is_null()).then_some(Self {
            start: start.cast(),
        })
    }

    /// Its first address.
    pub fn start(&self) -> *mut u8 {
        self.start
    }

    /// Whether nobody has written to it. Nobody can.
    pub fn is_intact(&self) -> bool {
        true
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        const MEM_RELEASE: u32 = 0x8000;

        // SAFETY: `new` reserved the range, and this is the only place that releases it.
        unsafe { VirtualFree(self.start.cast(), 0, MEM_RELEASE) };
    }
}

/// A thread that can be waited for.
#[derive(Debug)]
pub struct Thread(Handle);

// SAFETY: a handle names the same thread in the whole process.
unsafe impl Send for Thread {}
// SAFETY: as for `Send`.
unsafe impl Sync for Thread {}

type Body = Box<dyn FnOnce() + Send>;

/// # Safety
///
/// `body` came out of a box that is the new thread's from here on.
unsafe extern "system" fn start(body: *mut c_void) -> u32 {
    // SAFETY: by the contract of this function.
    let body = unsafe { Box::from_raw(body.cast::<Body>()) };
    body();
    0
}

impl Thread {
    /// Starts a thread; `None` if the system refuses.
    pub fn spawn(_name: String, body: Body) -> Option<Self> {
        let body: *mut Body = Box::into_raw(Box::new(body));
        let stack = 1 << 20;
        // SAFETY: the function is made for this parameter, and the thread starts at most once.
        let handle =
            unsafe { CreateThread(ptr::null(), stack, start, body.cast(), 0, ptr::null_mut()) };
        if handle.is_null() {
            // SAFETY: no thread has it, so it is still ours.
            drop(unsafe { Box::from_raw(body) });
            return None;
        }
        Some(Self(handle))
    }

    /// Waits until the thread has ended; whether it ended without a panic.
    pub fn join(self) -> bool {
        // SAFETY: the handle is open until this is dropped.
        unsafe { WaitForSingleObject(self.0, INFINITE) == 0 }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: `spawn` opened it, and this is the only place that closes it.
        unsafe { CloseHandle(self.0) };
    }
}

/// A lock word or a condition word.
#[derive(Debug)]
struct Shared(UnsafeCell<Word>);

// SAFETY: the functions that it is passed to are made to be called by several threads at once.
unsafe impl Send for Shared {}
// SAFETY: as for `Send`.
unsafe impl Sync for Shared {}

impl Shared {
    const fn new() -> Self {
        Self(UnsafeCell::new(ptr::null_mut()))
    }

    fn get(&self) -> *mut Word {
        self.0.get()
    }
}

/// A lock.
#[derive(Debug)]
pub struct Mutex<T> {
    lock: Shared,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives the value to one thread at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Access to what a [`Mutex`] guards.
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// To be released by the thread that took it.
    _here: core::marker::PhantomData<*mut ()>,
}

// SAFETY: a shared reference to it gives a shared reference to the value.
unsafe impl<T: Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            lock: Shared::new(),
            value: UnsafeCell::new(value),
        }
    }

    fn taken(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            mutex: self,
            _here: core::marker::PhantomData,
        }
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        // SAFETY: the word is a lock that lives as long as `self`.
        unsafe { AcquireSRWLockExclusive(self.lock.get()) };
        self.taken()
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        // SAFETY: the word is a lock that lives as long as `self`.
        let taken = unsafe { TryAcquireSRWLockExclusive(self.lock.get()) };
        (taken != 0).then(|| self.taken())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock, and is borrowed exclusively.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this guard's thread took the lock.
        unsafe { ReleaseSRWLockExclusive(self.mutex.lock.get()) };
    }
}

/// A lock that many readers have at once.
#[derive(Debug)]
pub struct RwLock<T> {
    lock: Shared,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives the value to one writer, or to readers that share it.
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

struct ReadGuard<'a, T>(&'a RwLock<T>);

struct WriteGuard<'a, T>(&'a RwLock<T>);

impl<T> RwLock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            lock: Shared::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody writes.
    pub fn read(&self) -> impl Deref<Target = T> + '_ {
        // SAFETY: the word is a lock that lives as long as `self`.
        unsafe { AcquireSRWLockShared(self.lock.get()) };
        ReadGuard(self)
    }

    /// Waits until nobody reads or writes.
    pub fn write(&self) -> impl DerefMut<Target = T> + '_ {
        // SAFETY: the word is a lock that lives as long as `self`.
        unsafe { AcquireSRWLockExclusive(self.lock.get()) };
        WriteGuard(self)
    }
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock, so nobody writes.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this guard took the lock as a reader.
        unsafe { ReleaseSRWLockShared(self.0.lock.get()) };
    }
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock alone.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock alone, and is borrowed exclusively.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for WriteGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this guard took the lock as the writer.
        unsafe { ReleaseSRWLockExclusive(self.0.lock.get()) };
    }
}

/// A condition to wait for under a [`Mutex`].
#[derive(Debug)]
pub struct Condvar(Shared);

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl Condvar {
    /// A condition nobody waits for.
    pub const fn new() -> Self {
        Self(Shared::new())
    }

    fn sleep<'a, T>(&self, guard: MutexGuard<'a, T>, milliseconds: u32) -> MutexGuard<'a, T> {
        // SAFETY: both words live through the call, and the guard's thread, which this is, holds the lock; it holds it again
        // when the function returns, whatever the result.
        unsafe {
            SleepConditionVariableSRW(self.0.get(), guard.mutex.lock.get(), milliseconds, 0);
        }
        guard
    }

    /// Waits until notified; may wake without reason.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.sleep(guard, INFINITE)
    }

    /// Waits until notified or `timeout` has passed.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> MutexGuard<'a, T> {
        self.sleep(guard, milliseconds(timeout))
    }

    /// Wakes everybody who waits.
    pub fn notify_all(&self) {
        // SAFETY: the word is a condition that lives as long as `self`.
        unsafe { WakeAllConditionVariable(self.0.get()) };
    }

    /// Wakes one who waits.
    pub fn notify_one(&self) {
        // SAFETY: the word is a condition that lives as long as `self`.
        unsafe { WakeConditionVariable(self.0.get()) };
    }
}
