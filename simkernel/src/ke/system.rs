//! What the system says of itself, and what a driver says to the debugger.
//!
//! # Safety
//!
//! The unsafe code of this file reads the strings and writes the results that callers pass, as their contracts allow.
#![expect(unsafe_code, reason = "defines functions with C names")]

use alloc::format;
use alloc::string::String;
use core::ffi::{CStr, c_char, c_void};
use core::ptr;
use core::slice;

use nmr_netdma::sys::{
    self, NTSTATUS, PCWSTR, PRTL_OSVERSIONINFOW, PUNICODE_STRING, PVOID, RTL_OSVERSIONINFOW,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS, ULONG, ULONG_PTR, UNICODE_STRING,
};

use super::{PASSIVE, level, require, violation};
use crate::kernel::{self, Os};
use crate::platform;

/// The size of `RTL_OSVERSIONINFOEXW`, which adds three words and two bytes.
const EXTENDED_SIZE: u32 = size_of::<RTL_OSVERSIONINFOW>() as u32 + 8;

/// Stops the machine, and with it the process, and says why.
///
/// # Safety
///
/// None.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn KeBugCheckEx(
    code: ULONG,
    parameter1: ULONG_PTR,
    parameter2: ULONG_PTR,
    parameter3: ULONG_PTR,
    parameter4: ULONG_PTR,
) -> ! {
    if let Some(thread) = kernel::try_current() {
        let (processor, irql) = (thread.processor.get(), thread.irql.get());
        platform::write_error(&format!(
            "simkernel: bug check on processor {processor} at IRQL {irql}"
        ));
        thread.find_frame::<()>(|frame| {
            platform::write_error(&format!("  in {} {}", frame.callback, frame.owner));
            None
        });
        for violation in thread.machine.verifier.violations() {
            platform::write_error(&format!("  before: {violation}"));
        }
    }
    platform::fatal(&format!(
        "*** STOP: {code:#010x} ({parameter1:#x}, {parameter2:#x}, {parameter3:#x}, {parameter4:#x})"
    ))
}

/// Puts a driver's text into the trace.
///
/// # Safety
///
/// The text is null or ends with a zero byte.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn SimDebugPrint(text: *const c_char) {
    if text.is_null() {
        kernel::machine().violated(&violation::NULL, format_args!("DbgPrint got no text"));
        return;
    }
    // SAFETY: not null, and the caller passes a text with an end.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim_end();
    match kernel::try_current() {
        Some(thread) => thread.machine.trace("driver", format_args!("{text}")),
        None => platform::write_error(text),
    }
}

/// Major and minor version, build and service pack of a system.
const fn version(os: Os) -> (u32, u32, u32, &'static str) {
    match os {
        Os::VistaSp1 => (6, 0, 6001, "Service Pack 1"),
        Os::Win7 => (6, 1, 7601, "Service Pack 1"),
        Os::Win10 => (10, 0, 19045, ""),
    }
}

/// The version of the system.
///
/// # Safety
///
/// The structure is writable and its first member says which of the two it is.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn RtlGetVersion(information: PRTL_OSVERSIONINFOW) -> NTSTATUS {
    const FUNCTION: &str = "RtlGetVersion";

    require(FUNCTION, PASSIVE..=PASSIVE);
    let machine = kernel::machine();
    if information.is_null() {
        machine.violated(
            &violation::NULL,
            format_args!("{FUNCTION} got no structure"),
        );
        return STATUS_INVALID_PARAMETER;
    }
    // SAFETY: not null, and its size is the first member of either structure.
    let size = unsafe { information.cast::<u32>().read() };
    if size as usize != size_of::<RTL_OSVERSIONINFOW>() && size != EXTENDED_SIZE {
        machine.violated(
            &violation::VERSION_SIZE,
            format_args!("{FUNCTION}: dwOSVersionInfoSize is {size}"),
        );
    }
    let (major, minor, build, pack) = version(machine.config.os);
    let mut value = RTL_OSVERSIONINFOW {
        dwOSVersionInfoSize: size,
        dwMajorVersion: major,
        dwMinorVersion: minor,
        dwBuildNumber: build,
        dwPlatformId: 2,
        ..RTL_OSVERSIONINFOW::default()
    };
    for (target, unit) in value.szCSDVersion.iter_mut().zip(pack.encode_utf16()) {
        *target = unit;
    }
    // SAFETY: not null, and the caller's to write; the longer structure begins with the shorter.
    unsafe { information.write(value) };
    if size == EXTENDED_SIZE {
        // Service pack major and minor, suite, product type (1: workstation).
        let pack = u64::from(!pack.is_empty()) | 1 << 48;
        // SAFETY: the caller says by the size that the longer structure is there; its own part is 8 bytes long.
        let rest = unsafe { information.add(1) }.cast::<u64>();
        // SAFETY: as above; the structure is aligned to 4 bytes only.
        unsafe { rest.write_unaligned(pack) };
    }
    STATUS_SUCCESS
}

/// Makes a counted string of a terminated one.
///
/// # Safety
///
/// The result is writable. The source is null or ends with a zero unit, and lives as long as the result is used.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn RtlInitUnicodeString(
    destination: PUNICODE_STRING,
    source: PCWSTR,
) {
    if destination.is_null() {
        kernel::machine().violated(
            &violation::NULL,
            format_args!("RtlInitUnicodeString got no destination"),
        );
        return;
    }
    let mut string = UNICODE_STRING::default();
    if !source.is_null() {
        let mut units = 0_usize;
        let mut next = source;
        // SAFETY: the units before this one are not zero, so the source goes on.
        while unsafe { next.read() } != 0 {
            units += 1;
            // SAFETY: the unit there is not the last one.
            next = unsafe { next.add(1) };
        }
        // A length is counted in bytes, even, and leaves room for the terminator.
        let bytes = (2 * units).min(0xFFFC) as u16;
        string = UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes + 2,
            Buffer: source.cast_mut(),
        };
    }
    // SAFETY: not null, and the caller's to write.
    unsafe { destination.write(string) };
}

/// A name, the first system that exports it, and the function.
type Export = (&'static str, Os, *const c_void);

/// What ntoskrnl.exe exports of the functions that are defined here.
fn exports() -> [Export; 37] {
    [
        (
            "ExAllocatePoolWithTag",
            Os::VistaSp1,
            sys::ExAllocatePoolWithTag as *const c_void,
        ),
        (
            "ExFreePoolWithTag",
            Os::VistaSp1,
            sys::ExFreePoolWithTag as *const c_void,
        ),
        (
            "IoGetDeviceProperty",
            Os::VistaSp1,
            sys::IoGetDeviceProperty as *const c_void,
        ),
        (
            "KeAcquireSpinLockAtDpcLevel",
            Os::VistaSp1,
            sys::KeAcquireSpinLockAtDpcLevel as *const c_void,
        ),
        (
            "KeAcquireSpinLockRaiseToDpc",
            Os::VistaSp1,
            sys::KeAcquireSpinLockRaiseToDpc as *const c_void,
        ),
        (
            "KeBugCheckEx",
            Os::VistaSp1,
            sys::KeBugCheckEx as *const c_void,
        ),
        (
            "KeClearEvent",
            Os::VistaSp1,
            sys::KeClearEvent as *const c_void,
        ),
        (
            "KeDelayExecutionThread",
            Os::VistaSp1,
            sys::KeDelayExecutionThread as *const c_void,
        ),
        (
            "KeFlushQueuedDpcs",
            Os::VistaSp1,
            sys::KeFlushQueuedDpcs as *const c_void,
        ),
        (
            "KeGetCurrentIrql",
            Os::Win10,
            sys::KeGetCurrentIrql as *const c_void,
        ),
        (
            "KeInitializeDpc",
            Os::VistaSp1,
            sys::KeInitializeDpc as *const c_void,
        ),
        (
            "KeInitializeEvent",
            Os::VistaSp1,
            sys::KeInitializeEvent as *const c_void,
        ),
        (
            "KeInsertQueueDpc",
            Os::VistaSp1,
            sys::KeInsertQueueDpc as *const c_void,
        ),
        ("KeLowerIrql", Os::Win10, sys::KeLowerIrql as *const c_void),
        (
            "KeQueryActiveProcessorCount",
            Os::VistaSp1,
            sys::KeQueryActiveProcessorCount as *const c_void,
        ),
        (
            "KeQueryActiveProcessors",
            Os::VistaSp1,
            sys::KeQueryActiveProcessors as *const c_void,
        ),
        (
            "KeQueryGroupAffinity",
            Os::Win7,
            level::group_affinity as *const c_void,
        ),
        (
            "KeQueryMaximumProcessorCountEx",
            Os::Win7,
            level::maximum_processor_count as *const c_void,
        ),
        (
            "KeReleaseSpinLock",
            Os::VistaSp1,
            sys::KeReleaseSpinLock as *const c_void,
        ),
        (
            "KeReleaseSpinLockFromDpcLevel",
            Os::VistaSp1,
            sys::KeReleaseSpinLockFromDpcLevel as *const c_void,
        ),
        (
            "KeRemoveQueueDpc",
            Os::VistaSp1,
            sys::KeRemoveQueueDpc as *const c_void,
        ),
        ("KeSetEvent", Os::VistaSp1, sys::KeSetEvent as *const c_void),
        (
            "KeSetImportanceDpc",
            Os::VistaSp1,
            sys::KeSetImportanceDpc as *const c_void,
        ),
        (
            "KeSetTargetProcessorDpc",
            Os::VistaSp1,
            sys::KeSetTargetProcessorDpc as *const c_void,
        ),
        (
            "KeWaitForSingleObject",
            Os::VistaSp1,
            sys::KeWaitForSingleObject as *const c_void,
        ),
        ("KfRaiseIrql", Os::Win10, sys::KfRaiseIrql as *const c_void),
        (
            "MmAllocateContiguousMemory",
            Os::VistaSp1,
            sys::MmAllocateContiguousMemory as *const c_void,
        ),
        (
            "MmFreeContiguousMemory",
            Os::VistaSp1,
            sys::MmFreeContiguousMemory as *const c_void,
        ),
        (
            "MmGetPhysicalAddress",
            Os::VistaSp1,
            sys::MmGetPhysicalAddress as *const c_void,
        ),
        (
            "MmGetSystemRoutineAddress",
            Os::VistaSp1,
            sys::MmGetSystemRoutineAddress as *const c_void,
        ),
        (
            "MmMapIoSpace",
            Os::VistaSp1,
            sys::MmMapIoSpace as *const c_void,
        ),
        (
            "MmUnmapIoSpace",
            Os::VistaSp1,
            sys::MmUnmapIoSpace as *const c_void,
        ),
        (
            "ObfDereferenceObject",
            Os::VistaSp1,
            sys::ObfDereferenceObject as *const c_void,
        ),
        (
            "ObfReferenceObject",
            Os::VistaSp1,
            sys::ObfReferenceObject as *const c_void,
        ),
        (
            "PsGetCurrentThread",
            Os::VistaSp1,
            sys::PsGetCurrentThread as *const c_void,
        ),
        (
            "RtlGetVersion",
            Os::VistaSp1,
            sys::RtlGetVersion as *const c_void,
        ),
        (
            "RtlInitUnicodeString",
            Os::VistaSp1,
            sys::RtlInitUnicodeString as *const c_void,
        ),
    ]
}

/// The function of ntoskrnl.exe of that name, if it is defined here: for a loader that binds a driver's imports by itself.
pub fn export(name: &str) -> Option<*const c_void> {
    let exports = exports();
    let (_, _, function) = exports.into_iter().find(|(export, ..)| *export == name)?;
    Some(function)
}

/// The address of an exported function of the kernel; null if this system has none of that name.
///
/// # Safety
///
/// The name and its characters are readable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn MmGetSystemRoutineAddress(name: PUNICODE_STRING) -> PVOID {
    const FUNCTION: &str = "MmGetSystemRoutineAddress";

    require(FUNCTION, PASSIVE..=PASSIVE);
    let machine = kernel::machine();
    // SAFETY: the caller passes null or a name.
    let Some(name) = (unsafe { name.as_ref() }).filter(|name| !name.Buffer.is_null()) else {
        machine.violated(&violation::NULL, format_args!("{FUNCTION} got no name"));
        return ptr::null_mut();
    };
    // SAFETY: the caller passes a name whose characters are readable, two bytes each.
    let units = unsafe { slice::from_raw_parts(name.Buffer, usize::from(name.Length / 2)) };
    let name = String::from_utf16_lossy(units);
    let found = exports()
        .into_iter()
        .find(|(export, first, _)| *export == name && *first <= machine.config.os);
    found.map_or(ptr::null_mut(), |(_, _, function)| function.cast_mut())
}
