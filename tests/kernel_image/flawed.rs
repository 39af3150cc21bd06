//! A native image that does nothing, with one flaw of choice. Built by `../kernel_image.rs`, never loaded.
#![no_std]
#![allow(unexpected_cfgs, missing_docs)]

use core::panic::PanicInfo;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

// An address, so that there is something to relocate.
static ENTRY: extern "system" fn(usize, usize) -> i32 = driver_entry;

#[cfg(forbidden_import)]
#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    // From Windows 10 version 2004 on.
    fn ExAllocatePool2(flags: u64, length: usize, tag: u32) -> usize;
}

#[cfg(forbidden_module)]
#[link(name = "fltmgr.sys", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn FltRegisterFilter(driver: usize, registration: usize, filter: usize) -> i32;
}

#[cfg(late_import)]
#[link(name = "NDIS.SYS", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    // Not in Windows Vista before SP1.
    fn NetDmaGetVersion() -> u32;
}

#[cfg(delayed_import)]
#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn KeFlushQueuedDpcs();
}

/// What the linker has a delayed import call first.
#[cfg(delayed_import)]
#[unsafe(no_mangle)]
extern "system" fn __delayLoadHelper2(_descriptor: usize, _address: usize) -> usize {
    0
}

/// What the loader of a program looks for; a driver that has it expects storage for each thread.
#[cfg(thread_local)]
#[unsafe(no_mangle)]
#[used]
static _tls_used: [u64; 5] = [0; 5];

#[unsafe(export_name = "DriverEntry")]
extern "system" fn driver_entry(_driver: usize, _path: usize) -> i32 {
    #[cfg(forbidden_import)]
    unsafe {
        ExAllocatePool2(0, 1, 0);
    }
    #[cfg(forbidden_module)]
    unsafe {
        FltRegisterFilter(0, 0, 0);
    }
    #[cfg(late_import)]
    unsafe {
        NetDmaGetVersion();
    }
    #[cfg(delayed_import)]
    unsafe {
        KeFlushQueuedDpcs();
    }
    #[cfg(avx)]
    unsafe {
        core::arch::asm!("vaddps ymm0, ymm0, ymm0");
    }
    #[cfg(sse4)]
    unsafe {
        core::arch::asm!("roundps xmm0, xmm0, 0");
    }
    #[cfg(data_in_code)]
    unsafe {
        // An instruction of 32-bit code, and none of 64-bit code.
        core::arch::asm!(".byte 0x06");
    }
    // Read, or the linker would drop it.
    let _ = unsafe { (&raw const ENTRY).read_volatile() };
    0
}
