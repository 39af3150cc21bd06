//! What a driver does that only a kernel can: read and write its level in CR8, and access device registers by plain
//! instructions. Both raise an exception under Wine, and are handed to the simulated kernel here.
//!
//! # Design
//!
//! An access to a register is decoded and done by the handler; the address range never becomes accessible, so accesses of several
//! threads do not meet. The few forms that compilers make of a volatile access of 32 bits are known. Another one stops the
//! test, with its bytes.
//!
//! # Safety
//!
//! The unsafe code of this file reads and changes the state of the thread that raised the exception, which waits for the
//! handler, at the offsets that the structures have on amd64.
#![expect(unsafe_code, reason = "handles exceptions")]

use alloc::format;
use core::ffi::c_void;
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use nmr_netdma::sys;
use simkernel::platform;

use super::{machine, shim};

#[link(name = "ntdll.dll", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn RtlAddVectoredExceptionHandler(
        first: u32,
        handler: unsafe extern "system" fn(*const Pointers) -> i32,
    ) -> *mut c_void;
    fn RtlRemoveVectoredExceptionHandler(handle: *mut c_void) -> u32;
}

/// `EXCEPTION_POINTERS`
#[repr(C)]
struct Pointers {
    record: *const u8,
    context: *mut u8,
}

const CONTINUE_EXECUTION: i32 = -1;
const CONTINUE_SEARCH: i32 = 0;

const ACCESS_VIOLATION: u32 = 0xC000_0005;
const PRIVILEGED_INSTRUCTION: u32 = 0xC000_0096;

/// The longest instruction.
const LONGEST: usize = 15;

/// How often each kind was handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) level_reads: u64,
    pub(super) level_writes: u64,
    pub(super) register_reads: u64,
    pub(super) register_writes: u64,
}

static LEVEL_READS: AtomicU64 = AtomicU64::new(0);
static LEVEL_WRITES: AtomicU64 = AtomicU64::new(0);
static REGISTER_READS: AtomicU64 = AtomicU64::new(0);
static REGISTER_WRITES: AtomicU64 = AtomicU64::new(0);

static HANDLE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

pub(super) fn start() {
    // SAFETY: the handler stays until `stop`.
    let handle = unsafe { RtlAddVectoredExceptionHandler(1, handle) };
    HANDLE.store(handle, Ordering::Relaxed);
}

pub(super) fn stop() {
    // SAFETY: `start` got it.
    unsafe { RtlRemoveVectoredExceptionHandler(HANDLE.load(Ordering::Relaxed)) };
}

pub(super) fn counts() -> Counts {
    Counts {
        level_reads: LEVEL_READS.load(Ordering::Relaxed),
        level_writes: LEVEL_WRITES.load(Ordering::Relaxed),
        register_reads: REGISTER_READS.load(Ordering::Relaxed),
        register_writes: REGISTER_WRITES.load(Ordering::Relaxed),
    }
}

/// The state of the thread: a `CONTEXT`.
#[derive(Clone, Copy)]
struct Context(*mut u8);

impl Context {
    const RAX: usize = 0x78;
    const RIP: usize = 0xF8;

    /// # Safety
    ///
    /// The system passed the context to the handler that runs now, and the offset is that of a member of 8 bytes.
    unsafe fn member(self, offset: usize) -> &'static AtomicU64 {
        // SAFETY: by the contract of this function; nobody else accesses the context, and the reference is not kept.
        unsafe { AtomicU64::from_ptr(self.0.wrapping_add(offset).cast()) }
    }

    /// A general register, by its number in instructions.
    ///
    /// # Safety
    ///
    /// As for `member`.
    unsafe fn general(self, number: u8) -> &'static AtomicU64 {
        // SAFETY: by the contract of this function.
        unsafe { self.member(Self::RAX + 8 * usize::from(number & 15)) }
    }
}

unsafe extern "system" fn handle(pointers: *const Pointers) -> i32 {
    const PARAMETERS: usize = 0x20;

    // SAFETY: the system passes both structures.
    let Pointers { record, context } = unsafe { pointers.read() };
    // SAFETY: the code is the first member of the record.
    let code = unsafe { record.cast::<u32>().read() };
    let context = Context(context);
    // SAFETY: the context is the system's.
    let rip = unsafe { context.member(Context::RIP) };
    let at = rip.load(Ordering::Relaxed) as usize;
    if !matches!(code, ACCESS_VIOLATION | PRIVILEGED_INSTRUCTION) || !shim::is_driver(at) {
        machine::exception(code, at);
        return CONTINUE_SEARCH;
    }
    let instruction = ptr::with_exposed_provenance::<u8>(at);
    // SAFETY: the thread has just fetched the instruction there; what follows it in the image is more code or padding.
    let bytes = unsafe { slice::from_raw_parts(instruction, LONGEST) };
    // SAFETY: the context is the system's.
    if let Some(length) = unsafe { level(bytes, context) } {
        rip.fetch_add(length, Ordering::Relaxed);
        return CONTINUE_EXECUTION;
    }
    let parameters = record.wrapping_add(PARAMETERS).cast::<[usize; 2]>();
    // SAFETY: the record has room for parameters, and an access violation has two.
    let [_, address] = unsafe { parameters.read() };
    if code != ACCESS_VIOLATION || !machine::is_register(address) {
        machine::exception(code, at);
        return CONTINUE_SEARCH;
    }
    let Some(access) = Access::decode(bytes) else {
        platform::fatal(&format!(
            "simkernel: an access to a device register by an unknown instruction: {bytes:02X?}"
        ));
    };
    let register = ptr::without_provenance_mut::<u32>(address);
    match access.kind {
        Kind::Load(number) => {
            REGISTER_READS.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the address is that of a mapped register.
            let value = unsafe { sys::READ_REGISTER_ULONG(register) };
            // SAFETY: the context is the system's.
            let target = unsafe { context.general(number) };
            target.store(value.into(), Ordering::Relaxed);
        }
        Kind::Store(number) => {
            REGISTER_WRITES.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the context is the system's.
            let source = unsafe { context.general(number) };
            // CAST: the lower half is what is stored.
            let value = source.load(Ordering::Relaxed) as u32;
            // SAFETY: the address is that of a mapped register.
            unsafe { sys::WRITE_REGISTER_ULONG(register, value) };
        }
        Kind::StoreNumber(value) => {
            REGISTER_WRITES.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the address is that of a mapped register.
            unsafe { sys::WRITE_REGISTER_ULONG(register, value) };
        }
    }
    rip.fetch_add(access.length, Ordering::Relaxed);
    CONTINUE_EXECUTION
}

/// Does `mov reg, cr8` and `mov cr8, reg`; the length of the instruction, or `None` if it is another.
///
/// # Safety
///
/// The context is the one that the system passed.
unsafe fn level(bytes: &[u8], context: Context) -> Option<u64> {
    let &[
        prefix @ (0x44 | 0x45),
        0x0F,
        operation @ (0x20 | 0x22),
        operands,
        ..,
    ] = bytes
    else {
        return None;
    };
    // Register to register, and the control register is number 8.
    if operands >> 6 != 3 || operands >> 3 & 7 != 0 {
        return None;
    }
    // SAFETY: by the contract of this function.
    let general = unsafe { context.general(operands & 7 | (prefix & 1) << 3) };
    // SAFETY: reading the level has no precondition.
    let now = unsafe { sys::KeGetCurrentIrql() };
    if operation == 0x20 {
        LEVEL_READS.fetch_add(1, Ordering::Relaxed);
        general.store(now.into(), Ordering::Relaxed);
    } else {
        LEVEL_WRITES.fetch_add(1, Ordering::Relaxed);
        // CAST: CR8 has four bits.
        let new = general.load(Ordering::Relaxed) as u8;
        if new >= now {
            // SAFETY: the driver asks for a level above its own, which the simulated kernel checks.
            unsafe { sys::KfRaiseIrql(new) };
        } else {
            // SAFETY: the driver goes back to a level, which the simulated kernel checks.
            unsafe { sys::KeLowerIrql(new) };
        }
    }
    Some(4)
}

/// An access of 32 bits.
#[derive(Debug)]
struct Access {
    kind: Kind,
    length: u64,
}

#[derive(Debug)]
enum Kind {
    /// Into a general register.
    Load(u8),
    /// From a general register.
    Store(u8),
    StoreNumber(u32),
}

impl Access {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (rex, rest) = match bytes {
            [rex @ 0x40..=0x4F, rest @ ..] => (*rex, rest),
            _ => (0, bytes),
        };
        let wide = rex & 8 != 0;
        let [operation, operands, rest @ ..] = rest else {
            return None;
        };
        let (mode, register, memory) = (operands >> 6, operands >> 3 & 7, operands & 7);
        let indexed = memory == 4;
        let no_base = indexed && mode == 0 && rest.first()? & 7 == 5;
        let displacement = match mode {
            0 if memory == 5 || no_base => 4,
            0 => 0,
            1 => 1,
            2 => 4,
            _ => return None,
        };
        let address = usize::from(indexed) + displacement;
        let length = usize::from(rex != 0) + 2 + address;
        let register = register | (rex & 4) << 1;
        let (kind, length) = match operation {
            0x8B if !wide => (Kind::Load(register), length),
            0x89 if !wide => (Kind::Store(register), length),
            0xC7 if !wide && register == 0 => {
                let number = rest.get(address..address + 4)?.try_into().ok()?;
                (Kind::StoreNumber(u32::from_le_bytes(number)), length + 4)
            }
            _ => return None,
        };
        Some(Self {
            kind,
            length: length as u64,
        })
    }
}
