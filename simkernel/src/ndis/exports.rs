//! The functions that ndis.sys exports for NetDMA providers, and those that it gives by name only.
//!
//! # Design
//!
//! `NetDmaGetVersion` and `NetDmaPnPEventNotify` have no symbol here. A driver that imports them would not load where
//! NetDMA is 1.0, so it must not link against this kernel either; `NdisGetRoutineAddress` gives them.
//!
//! # Safety
//!
//! The unsafe code of this file defines symbols, and reads and writes through pointers that a driver passed. Null is refused.
//! What else they point to is the driver's promise, by the declarations in `netdma.h`.
#![expect(
    unsafe_code,
    reason = "defines C functions and reads what drivers pass"
)]
#![expect(non_snake_case, reason = "C names")]

use alloc::string::String;
use core::ffi::c_void;
use core::ptr;
use core::slice;

use nmr_netdma::sys;

use super::{life, violation};
use crate::fault::Fault;
use crate::ke;
use crate::kernel::{self, Machine};

/// Records that `function` was called at another level than PASSIVE_LEVEL.
fn require_passive(machine: &Machine, function: &str) {
    let irql = ke::irql();
    if irql != sys::PASSIVE_LEVEL as u8 {
        machine.violated(
            &violation::LEVEL,
            format_args!("{function} at level {irql}"),
        );
    }
}

/// Whether there is a NetDMA here to call `function` of.
fn present(machine: &Machine, function: &str) -> bool {
    let present = machine.ndis.interface.is_some();
    if !present {
        machine.violated(&violation::ABSENT, format_args!("{function}"));
    }
    present
}

fn refuse_null(machine: &Machine, function: &str, parameter: &str) {
    machine.violated(
        &violation::NULL_POINTER,
        format_args!("{parameter} of {function}"),
    );
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NetDmaRegisterProvider(
    context: sys::PVOID,
    handle: *mut sys::PVOID,
    characteristics: sys::PNET_DMA_PROVIDER_CHARACTERISTICS,
) -> sys::NTSTATUS {
    const FUNCTION: &str = "NetDmaRegisterProvider";
    let machine = kernel::machine();
    require_passive(machine, FUNCTION);
    if handle.is_null() {
        refuse_null(machine, FUNCTION, "pNetDmaProviderHandle");
        return sys::STATUS_UNSUCCESSFUL;
    }
    if characteristics.is_null() {
        refuse_null(machine, FUNCTION, "ProviderCharacteristics");
        return sys::STATUS_UNSUCCESSFUL;
    }
    if machine.ndis.interface.is_none() {
        machine.trace(
            "netdma",
            format_args!("registration answered with a null handle: there is no NetDMA"),
        );
        // SAFETY: the driver passes a place for the handle.
        unsafe { handle.write(ptr::null_mut()) };
        return sys::STATUS_SUCCESS;
    }
    // SAFETY: whatever its size, the structure begins with two bytes of version and two of size.
    let [major, _, size @ ..] = unsafe { characteristics.cast::<[u8; 4]>().read() };
    let size = u16::from_ne_bytes(size);
    let whole = size_of::<sys::NET_DMA_PROVIDER_CHARACTERISTICS>();
    let unnamed = whole - size_of::<sys::UNICODE_STRING>();
    if usize::from(size) != whole && !(usize::from(size) == unnamed && major < 2) {
        machine.violated(
            &violation::SIZE,
            format_args!("{size} in version {major}.x"),
        );
        return sys::STATUS_UNSUCCESSFUL;
    }
    if machine.fails(Fault::NetDmaRegistration, format_args!("{FUNCTION}")) {
        return sys::STATUS_INSUFFICIENT_RESOURCES;
    }
    let mut copy = sys::NET_DMA_PROVIDER_CHARACTERISTICS::default();
    // SAFETY: the structure is as long as it says, which is at most the length of the copy. All its members are valid for the
    // bytes that a driver, or C, can put there.
    unsafe {
        ptr::copy_nonoverlapping(
            characteristics.cast::<u8>(),
            (&raw mut copy).cast(),
            usize::from(size),
        );
    }
    // SAFETY: the string is part of a structure of the driver, or empty.
    let name = unsafe { text(&copy.FriendlyName) };
    match life::register(machine, context, &copy, name) {
        Ok(provider) => {
            // SAFETY: the driver passes a place for the handle.
            unsafe { handle.write(ptr::without_provenance_mut(provider)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NetDmaDeregisterProvider(handle: sys::PVOID) {
    const FUNCTION: &str = "NetDmaDeregisterProvider";
    let machine = kernel::machine();
    require_passive(machine, FUNCTION);
    if present(machine, FUNCTION) {
        life::deregister(machine, handle.addr());
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NetDmaProviderStart(
    handle: sys::PVOID,
    attributes: sys::PNET_DMA_PROVIDER_ATTRIBUTES,
) {
    const FUNCTION: &str = "NetDmaProviderStart";
    let machine = kernel::machine();
    require_passive(machine, FUNCTION);
    if !present(machine, FUNCTION) {
        return;
    }
    if attributes.is_null() {
        refuse_null(machine, FUNCTION, "ProviderAttributes");
        return;
    }
    // SAFETY: the structure has had the same length in every version.
    let attributes = unsafe { attributes.read_unaligned() };
    life::start(machine, handle.addr(), &attributes);
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NetDmaProviderStop(handle: sys::PVOID) {
    const FUNCTION: &str = "NetDmaProviderStop";
    let machine = kernel::machine();
    require_passive(machine, FUNCTION);
    if present(machine, FUNCTION) {
        life::stop(machine, handle.addr());
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NetDmaIsr(
    channel: sys::PVOID,
    descriptor: sys::PHYSICAL_ADDRESS,
    processor: sys::PULONG,
) {
    const FUNCTION: &str = "NetDmaIsr";
    let machine = kernel::machine();
    let irql = ke::irql();
    if irql <= sys::DISPATCH_LEVEL as u8 {
        machine.violated(&violation::ISR_LEVEL, format_args!("at level {irql}"));
    }
    let number = if machine.ndis.interface.is_some() {
        life::interrupted(
            machine,
            channel.addr(),
            sys::physical_address_bits(descriptor),
        )
    } else {
        0
    };
    if processor.is_null() {
        refuse_null(machine, FUNCTION, "pCpuNumber");
        return;
    }
    // SAFETY: the driver passes a place for the number.
    unsafe { processor.write(number) };
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NetDmaInterruptDpc(
    channel: sys::PVOID,
    descriptor: sys::PHYSICAL_ADDRESS,
) {
    let machine = kernel::machine();
    let irql = ke::irql();
    if irql != sys::DISPATCH_LEVEL as u8 {
        machine.violated(&violation::DPC_LEVEL, format_args!("at level {irql}"));
    }
    if machine.ndis.interface.is_some() {
        life::deferred(
            machine,
            channel.addr(),
            sys::physical_address_bits(descriptor),
        );
    }
}

unsafe extern "system" fn NetDmaGetVersion() -> sys::UINT {
    let machine = kernel::machine();
    require_passive(machine, "NetDmaGetVersion");
    machine.ndis.interface.map_or(0, |(major, minor)| {
        u32::from(major) << 16 | u32::from(minor)
    })
}

unsafe extern "system" fn NetDmaPnPEventNotify(
    handle: sys::PVOID,
    event: sys::PNET_DMA_PNP_NOTIFICATION,
) {
    const FUNCTION: &str = "NetDmaPnPEventNotify";
    let machine = kernel::machine();
    require_passive(machine, FUNCTION);
    if !present(machine, FUNCTION) {
        return;
    }
    if event.is_null() {
        refuse_null(machine, FUNCTION, "PnPEvent");
        return;
    }
    // SAFETY: the structure has had the same length in every version.
    let event = unsafe { event.read_unaligned() };
    life::notify(machine, handle.addr(), &event);
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "system" fn NdisGetRoutineAddress(
    name: sys::PUNICODE_STRING,
) -> sys::PVOID {
    const FUNCTION: &str = "NdisGetRoutineAddress";
    let machine = kernel::machine();
    require_passive(machine, FUNCTION);
    if name.is_null() {
        refuse_null(machine, FUNCTION, "NdisRoutineName");
        return ptr::null_mut();
    }
    // SAFETY: the driver passes a string structure.
    let name = unsafe { name.read_unaligned() };
    // SAFETY: the string is the driver's.
    let name = unsafe { text(&name) };
    let address: *const () = match name.as_str() {
        "NdisGetRoutineAddress" => NdisGetRoutineAddress as *const (),
        "NetDmaDeregisterProvider" => NetDmaDeregisterProvider as *const (),
        "NetDmaGetVersion" => NetDmaGetVersion as *const (),
        "NetDmaInterruptDpc" => NetDmaInterruptDpc as *const (),
        "NetDmaIsr" => NetDmaIsr as *const (),
        "NetDmaPnPEventNotify" => NetDmaPnPEventNotify as *const (),
        "NetDmaProviderStart" => NetDmaProviderStart as *const (),
        "NetDmaProviderStop" => NetDmaProviderStop as *const (),
        "NetDmaRegisterProvider" => NetDmaRegisterProvider as *const (),
        _ => ptr::null(),
    };
    address.cast::<c_void>().cast_mut()
}

/// What a counted string says.
///
/// # Safety
///
/// If the buffer is not null, `Length` bytes of it are readable.
unsafe fn text(string: &sys::UNICODE_STRING) -> String {
    if string.Buffer.is_null() || string.Length > string.MaximumLength {
        return String::new();
    }
    // SAFETY: the caller vouches for the buffer; characters are aligned to their size.
    let units = unsafe { slice::from_raw_parts(string.Buffer, usize::from(string.Length / 2)) };
    String::from_utf16_lossy(units)
}
