//! `wdm.h` and `ntddk.h`: the executive, imported from `ntoskrnl.exe`.
//!
//! Every import exists in the amd64 kernel of Windows Vista SP1. What that kernel does not export because C
//! compiles it inline is compiled inline here as well; see the second half.
//!
//! # Safety
//!
//! Imports are declarations only. The inline functions touch what the processor keeps for kernel code: CR8,
//! the processor's control region behind GS, and device registers. They are sound in an image that runs in
//! kernel mode, which is what `kernel_image` says; elsewhere the same names are foreign functions.

#![expect(
    missing_docs,
    non_snake_case,
    reason = "C names, documented by Microsoft"
)]
#![expect(
    unsafe_code,
    reason = "declares foreign functions and reads processor state"
)]

use core::ffi::c_char;

use super::{
    BOOLEAN, CCHAR, DEVICE_REGISTRY_PROPERTY, EVENT_TYPE, KAFFINITY, KDPC_IMPORTANCE, KIRQL,
    KPRIORITY, KPROCESSOR_MODE, KWAIT_REASON, LONG, MEMORY_CACHING_TYPE, NTSTATUS, PCWSTR,
    PDEVICE_OBJECT, PHYSICAL_ADDRESS, PKAFFINITY, PKDEFERRED_ROUTINE, PKSPIN_LOCK, PLARGE_INTEGER,
    POOL_TYPE, PRKDPC, PRKEVENT, PRTL_OSVERSIONINFOW, PULONG, PUNICODE_STRING, PVOID, SIZE_T,
    ULONG, ULONG_PTR,
};

#[cfg_attr(
    kernel_image,
    link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")
)]
unsafe extern "system" {
    // Diagnosis.
    pub fn KeBugCheckEx(
        BugCheckCode: ULONG,
        BugCheckParameter1: ULONG_PTR,
        BugCheckParameter2: ULONG_PTR,
        BugCheckParameter3: ULONG_PTR,
        BugCheckParameter4: ULONG_PTR,
    ) -> !;

    // Pool.
    pub fn ExAllocatePoolWithTag(PoolType: POOL_TYPE, NumberOfBytes: SIZE_T, Tag: ULONG) -> PVOID;
    pub fn ExFreePoolWithTag(P: PVOID, Tag: ULONG);

    // The system and its routines.
    pub fn MmGetSystemRoutineAddress(SystemRoutineName: PUNICODE_STRING) -> PVOID;
    pub fn RtlInitUnicodeString(DestinationString: PUNICODE_STRING, SourceString: PCWSTR);
    pub fn RtlGetVersion(VersionInformation: PRTL_OSVERSIONINFOW) -> NTSTATUS;

    // Spin locks.
    pub fn KeAcquireSpinLockRaiseToDpc(SpinLock: PKSPIN_LOCK) -> KIRQL;
    pub fn KeReleaseSpinLock(SpinLock: PKSPIN_LOCK, NewIrql: KIRQL);
    pub fn KeAcquireSpinLockAtDpcLevel(SpinLock: PKSPIN_LOCK);
    pub fn KeReleaseSpinLockFromDpcLevel(SpinLock: PKSPIN_LOCK);

    // Deferred calls.
    pub fn KeInitializeDpc(
        Dpc: PRKDPC,
        DeferredRoutine: PKDEFERRED_ROUTINE,
        DeferredContext: PVOID,
    );
    pub fn KeInsertQueueDpc(Dpc: PRKDPC, SystemArgument1: PVOID, SystemArgument2: PVOID)
    -> BOOLEAN;
    pub fn KeRemoveQueueDpc(Dpc: PRKDPC) -> BOOLEAN;
    pub fn KeFlushQueuedDpcs();
    pub fn KeSetTargetProcessorDpc(Dpc: PRKDPC, Number: CCHAR);
    pub fn KeSetImportanceDpc(Dpc: PRKDPC, Importance: KDPC_IMPORTANCE);

    // Events and waiting.
    pub fn KeInitializeEvent(Event: PRKEVENT, Type: EVENT_TYPE, State: BOOLEAN);
    pub fn KeSetEvent(Event: PRKEVENT, Increment: KPRIORITY, Wait: BOOLEAN) -> LONG;
    pub fn KeClearEvent(Event: PRKEVENT);
    pub fn KeWaitForSingleObject(
        Object: PVOID,
        WaitReason: KWAIT_REASON,
        WaitMode: KPROCESSOR_MODE,
        Alertable: BOOLEAN,
        Timeout: PLARGE_INTEGER,
    ) -> NTSTATUS;
    pub fn KeDelayExecutionThread(
        WaitMode: KPROCESSOR_MODE,
        Alertable: BOOLEAN,
        Interval: PLARGE_INTEGER,
    ) -> NTSTATUS;

    // Processors and threads.
    pub fn PsGetCurrentThread() -> PVOID;
    pub fn KeQueryActiveProcessors() -> KAFFINITY;
    pub fn KeQueryActiveProcessorCount(ActiveProcessors: PKAFFINITY) -> ULONG;

    // Memory.
    pub fn MmMapIoSpace(
        PhysicalAddress: PHYSICAL_ADDRESS,
        NumberOfBytes: SIZE_T,
        CacheType: MEMORY_CACHING_TYPE,
    ) -> PVOID;
    pub fn MmUnmapIoSpace(BaseAddress: PVOID, NumberOfBytes: SIZE_T);
    pub fn MmGetPhysicalAddress(BaseAddress: PVOID) -> PHYSICAL_ADDRESS;
    pub fn MmAllocateContiguousMemory(
        NumberOfBytes: SIZE_T,
        HighestAcceptableAddress: PHYSICAL_ADDRESS,
    ) -> PVOID;
    pub fn MmFreeContiguousMemory(BaseAddress: PVOID);

    // Objects. They are fastcall, which is the one convention there is where pointers have 64 bits.
    pub fn ObfReferenceObject(Object: PVOID) -> isize;
    pub fn ObfDereferenceObject(Object: PVOID) -> isize;

    // Devices.
    pub fn IoGetDeviceProperty(
        DeviceObject: PDEVICE_OBJECT,
        DeviceProperty: DEVICE_REGISTRY_PROPERTY::Type,
        BufferLength: ULONG,
        PropertyBuffer: PVOID,
        ResultLength: PULONG,
    ) -> NTSTATUS;
}

// What C compiles inline on amd64. In a host process they are foreign functions, since there neither the level
// nor a register is the processor's.

#[cfg(not(kernel_image))]
unsafe extern "system" {
    pub fn KeGetCurrentIrql() -> KIRQL;
    pub fn KfRaiseIrql(NewIrql: KIRQL) -> KIRQL;
    pub fn KeLowerIrql(NewIrql: KIRQL);
    pub fn KeGetCurrentProcessorNumber() -> ULONG;
    pub fn READ_REGISTER_UCHAR(Register: *mut u8) -> u8;
    pub fn READ_REGISTER_USHORT(Register: *mut u16) -> u16;
    pub fn READ_REGISTER_ULONG(Register: *mut u32) -> u32;
    pub fn READ_REGISTER_ULONG64(Register: *mut u64) -> u64;
    pub fn WRITE_REGISTER_UCHAR(Register: *mut u8, Value: u8);
    pub fn WRITE_REGISTER_USHORT(Register: *mut u16, Value: u16);
    pub fn WRITE_REGISTER_ULONG(Register: *mut u32, Value: u32);
    pub fn WRITE_REGISTER_ULONG64(Register: *mut u64, Value: u64);
}

#[cfg(kernel_image)]
pub use self::inline::*;

#[cfg(kernel_image)]
mod inline {
    use core::sync::atomic::{Ordering, compiler_fence, fence};

    #[cfg(target_arch = "x86_64")]
    pub use self::amd64::*;
    #[cfg(not(target_arch = "x86_64"))]
    pub use self::imported::*;

    macro_rules! register_functions {
        ($($value:ty: $read:ident, $write:ident;)*) => {$(
            /// # Safety
            ///
            /// `Register` is aligned and maps a device register of this width that may be read here.
            #[inline]
            pub unsafe fn $read(Register: *mut $value) -> $value {
                compiler_fence(Ordering::SeqCst);
                // SAFETY: the caller vouches for a mapped and aligned register.
                let value = unsafe { Register.read_volatile() };
                compiler_fence(Ordering::SeqCst);
                value
            }

            /// Returns with the write ordered before every later access of this processor.
            ///
            /// # Safety
            ///
            /// `Register` is aligned and maps a device register of this width that may be written here.
            #[inline]
            pub unsafe fn $write(Register: *mut $value, Value: $value) {
                compiler_fence(Ordering::SeqCst);
                // SAFETY: the caller vouches for a mapped and aligned register.
                unsafe { Register.write_volatile(Value) };
                fence(Ordering::SeqCst);
            }
        )*};
    }

    register_functions! {
        u8: READ_REGISTER_UCHAR, WRITE_REGISTER_UCHAR;
        u16: READ_REGISTER_USHORT, WRITE_REGISTER_USHORT;
        u32: READ_REGISTER_ULONG, WRITE_REGISTER_ULONG;
        u64: READ_REGISTER_ULONG64, WRITE_REGISTER_ULONG64;
    }

    #[cfg(target_arch = "x86_64")]
    mod amd64 {
        use core::arch::asm;

        use crate::sys::{KIRQL, ULONG};

        /// # Safety
        ///
        /// The caller runs in kernel mode.
        #[inline]
        #[must_use]
        pub unsafe fn KeGetCurrentIrql() -> KIRQL {
            let level: u64;
            // SAFETY: in kernel mode CR8 can be read; reading it changes nothing. Not `nomem`: it must not move
            // across accesses that the level protects.
            unsafe { asm!("mov {}, cr8", out(reg) level, options(nostack, preserves_flags)) };
            // CAST: CR8 has four bits.
            level as KIRQL
        }

        /// # Safety
        ///
        /// The caller runs in kernel mode, `NewIrql` is at most 15 and not below the current level, and the
        /// returned level is restored with [`KeLowerIrql`].
        #[inline]
        pub unsafe fn KfRaiseIrql(NewIrql: KIRQL) -> KIRQL {
            // SAFETY: the caller runs in kernel mode.
            let old = unsafe { KeGetCurrentIrql() };
            // SAFETY: the caller names a level that CR8 can hold and promises to restore the old one.
            unsafe { write_cr8(NewIrql) };
            old
        }

        /// # Safety
        ///
        /// The caller runs in kernel mode, and `NewIrql` is what the matching [`KfRaiseIrql`] returned.
        #[inline]
        pub unsafe fn KeLowerIrql(NewIrql: KIRQL) {
            // SAFETY: the caller passes a level that CR8 held before.
            unsafe { write_cr8(NewIrql) };
        }

        /// # Safety
        ///
        /// The caller runs in kernel mode, `level` is at most 15 and may be the current level from here on.
        #[inline]
        unsafe fn write_cr8(level: KIRQL) {
            // SAFETY: in kernel mode CR8 can be written; the caller vouches for the value. Not `nomem`: memory
            // accesses stay on their side of the change.
            unsafe {
                asm!("mov cr8, {}", in(reg) u64::from(level), options(nostack, preserves_flags))
            };
        }

        /// The number of the processor in its group.
        ///
        /// The byte is `LegacyNumber` of the processor block since Windows 7 and `Number` before, at an offset
        /// that the headers compile into drivers. The 32-bit index of later headers does not exist on Windows
        /// Vista.
        ///
        /// # Safety
        ///
        /// The caller runs in kernel mode, where GS addresses the control region of the processor.
        #[inline]
        #[must_use]
        pub unsafe fn KeGetCurrentProcessorNumber() -> ULONG {
            let number: u32;
            // SAFETY: in kernel mode offset 0x184 of GS is a readable byte of the processor's own block.
            unsafe {
                asm!(
                    "movzx {:e}, byte ptr gs:[0x184]",
                    out(reg) number,
                    options(nostack, preserves_flags, readonly)
                );
            };
            number
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    mod imported {
        use crate::sys::{KIRQL, ULONG};

        #[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
        unsafe extern "system" {
            pub fn KeGetCurrentIrql() -> KIRQL;
            pub fn KfRaiseIrql(NewIrql: KIRQL) -> KIRQL;
            pub fn KeLowerIrql(NewIrql: KIRQL);
            #[link_name = "KeGetCurrentProcessorNumberEx"]
            fn current_processor_index(number: *mut crate::sys::PROCESSOR_NUMBER) -> ULONG;
        }

        /// # Safety
        ///
        /// The caller runs in kernel mode.
        #[inline]
        #[must_use]
        pub unsafe fn KeGetCurrentProcessorNumber() -> ULONG {
            // SAFETY: the number is not asked for, which the null pointer says.
            unsafe { current_processor_index(core::ptr::null_mut()) }
        }
    }
}

// Debugger output. `DbgPrint` takes variable arguments, which Rust can call but not define; a host process
// therefore has a function of one argument in its place, and both are reached through `DebugPrint`.

#[cfg(kernel_image)]
#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    pub fn DbgPrint(Format: *const c_char, ...) -> ULONG;
}

#[cfg(not(kernel_image))]
unsafe extern "C" {
    fn SimDebugPrint(text: *const c_char);
}

/// Sends a text to the debugger, unformatted.
///
/// # Safety
///
/// * `text` is terminated by a zero byte and stays as it is during the call.
/// * The level is at most that of inter-processor interrupts.
#[inline]
pub unsafe fn DebugPrint(text: *const c_char) {
    #[cfg(kernel_image)]
    // SAFETY: the format takes one string; the caller vouches for the text and the level.
    unsafe {
        DbgPrint(c"%s".as_ptr(), text);
    }
    #[cfg(not(kernel_image))]
    // SAFETY: the caller vouches for the text and the level.
    unsafe {
        SimDebugPrint(text);
    }
}
