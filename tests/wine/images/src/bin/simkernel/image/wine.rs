//! Functions and structures of Wine's kernel, as far as they are called and read here. What the simulated kernel defines itself
//! cannot be named here.
//!
//! # Safety
//!
//! Structures are read and written at their offsets on amd64, which do not change.
#![expect(unsafe_code, reason = "foreign functions and structures")]

use alloc::vec::Vec;
use core::ffi::c_void;
use core::ptr;

use nmr_netdma::sys::{DEVICE_OBJECT, DRIVER_OBJECT, NT_SUCCESS, NTSTATUS, UNICODE_STRING};

/// An `IRP`, by its address.
pub(super) type Irp = *mut u8;

pub(super) type LoadNotify =
    unsafe extern "system" fn(name: *const UNICODE_STRING, process: *mut c_void, info: *const u8);

pub(super) type Completion = unsafe extern "system" fn(
    device: *mut DEVICE_OBJECT,
    irp: Irp,
    context: *mut c_void,
) -> NTSTATUS;

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    pub(super) fn IoCreateDevice(
        driver: *mut DRIVER_OBJECT,
        extension: u32,
        name: *const UNICODE_STRING,
        kind: u32,
        characteristics: u32,
        exclusive: u8,
        device: *mut *mut DEVICE_OBJECT,
    ) -> NTSTATUS;
    pub(super) fn IoDeleteDevice(device: *mut DEVICE_OBJECT);
    pub(super) fn IoAttachDeviceToDeviceStack(
        device: *mut DEVICE_OBJECT,
        onto: *mut DEVICE_OBJECT,
    ) -> *mut DEVICE_OBJECT;
    pub(super) fn IoDetachDevice(from: *mut DEVICE_OBJECT);
    pub(super) fn IofCallDriver(device: *mut DEVICE_OBJECT, irp: Irp) -> NTSTATUS;
    pub(super) fn IofCompleteRequest(irp: Irp, boost: i8);
    pub(super) fn PsSetLoadImageNotifyRoutine(routine: LoadNotify) -> NTSTATUS;
    pub(super) fn PsRemoveLoadImageNotifyRoutine(routine: LoadNotify) -> NTSTATUS;
    fn ObReferenceObjectByName(
        name: *const UNICODE_STRING,
        attributes: u32,
        state: *const c_void,
        access: u32,
        kind: *const c_void,
        mode: u8,
        context: *const c_void,
        object: *mut *const DRIVER_OBJECT,
    ) -> NTSTATUS;
    pub(super) fn ZwLoadDriver(service: *const UNICODE_STRING) -> NTSTATUS;
    pub(super) fn ZwUnloadDriver(service: *const UNICODE_STRING) -> NTSTATUS;
}

/// `IRP_MJ_POWER`, `IRP_MJ_PNP`
pub(super) const POWER: usize = 0x16;
pub(super) const PNP: usize = 0x1B;

/// `IRP_MN_START_DEVICE`, `IRP_MN_REMOVE_DEVICE`, `IRP_MN_SURPRISE_REMOVAL`
pub(super) const START_DEVICE: u8 = 0;
pub(super) const REMOVE_DEVICE: u8 = 2;
pub(super) const SURPRISE_REMOVAL: u8 = 0x17;

const IO_STATUS: usize = 0x30;
const CURRENT_LOCATION: usize = 0x43;
const CURRENT_STACK_LOCATION: usize = 0xB8;
/// The size of `IO_STACK_LOCATION`, and where its members are.
const STACK_LOCATION: usize = 0x48;
const MINOR_FUNCTION: usize = 1;
const CONTROL: usize = 3;
const PARAMETERS: usize = 8;
const COMPLETION_ROUTINE: usize = 0x38;
const COMPLETION_CONTEXT: usize = 0x40;

/// # Safety
///
/// `irp` is one that this driver has now, as in the rest of this file.
unsafe fn stack(irp: Irp) -> *mut u8 {
    // SAFETY: the member lies in the IRP.
    unsafe {
        irp.wrapping_add(CURRENT_STACK_LOCATION)
            .cast::<*mut u8>()
            .read()
    }
}

/// # Safety
///
/// As for `stack`.
pub(super) unsafe fn minor_function(irp: Irp) -> u8 {
    // SAFETY: by the contract of this function.
    let stack = unsafe { stack(irp) };
    // SAFETY: the member lies in the stack location.
    unsafe { stack.wrapping_add(MINOR_FUNCTION).read() }
}

/// The two resource lists of `IRP_MN_START_DEVICE`.
///
/// # Safety
///
/// As for `stack`, and it is such an IRP.
pub(super) unsafe fn start_resources(irp: Irp) -> [usize; 2] {
    // SAFETY: by the contract of this function.
    let stack = unsafe { stack(irp) };
    // SAFETY: the member lies in the stack location.
    unsafe { stack.wrapping_add(PARAMETERS).cast::<[usize; 2]>().read() }
}

/// # Safety
///
/// As for `stack`.
pub(super) unsafe fn set_status(irp: Irp, status: NTSTATUS) {
    // SAFETY: the member lies in the IRP.
    unsafe { irp.wrapping_add(IO_STATUS).cast::<NTSTATUS>().write(status) }
}

/// # Safety
///
/// As for `stack`.
pub(super) unsafe fn status(irp: Irp) -> NTSTATUS {
    // SAFETY: the member lies in the IRP.
    unsafe { irp.wrapping_add(IO_STATUS).cast::<NTSTATUS>().read() }
}

/// `IoSkipCurrentIrpStackLocation`
///
/// # Safety
///
/// As for `stack`.
pub(super) unsafe fn skip(irp: Irp) {
    // SAFETY: by the contract of this function.
    let stack = unsafe { stack(irp) };
    let location = irp.wrapping_add(CURRENT_LOCATION);
    // SAFETY: the member lies in the IRP.
    let number = unsafe { location.read() };
    // SAFETY: as above.
    unsafe { location.write(number.wrapping_add(1)) };
    let member = irp.wrapping_add(CURRENT_STACK_LOCATION).cast::<*mut u8>();
    // SAFETY: as above.
    unsafe { member.write(stack.wrapping_add(STACK_LOCATION)) };
}

/// `IoCopyCurrentIrpStackLocationToNext` and `IoSetCompletionRoutine` for all outcomes.
///
/// # Safety
///
/// As for `stack`; a lower driver has a location of its own.
pub(super) unsafe fn copy_to_next(irp: Irp, routine: Completion) {
    const ON_ANYTHING: u8 = 0xE0;

    // SAFETY: by the contract of this function.
    let stack = unsafe { stack(irp) };
    let next = stack.wrapping_sub(STACK_LOCATION);
    // SAFETY: the next location lies below this one, and they do not overlap.
    unsafe { next.copy_from_nonoverlapping(stack, COMPLETION_ROUTINE) };
    // SAFETY: the member lies in the next location.
    unsafe { next.wrapping_add(CONTROL).write(ON_ANYTHING) };
    let place = next.wrapping_add(COMPLETION_ROUTINE).cast::<Completion>();
    // SAFETY: as above.
    unsafe { place.write(routine) };
    let context = next.wrapping_add(COMPLETION_CONTEXT).cast::<usize>();
    // SAFETY: as above.
    unsafe { context.write(0) };
}

/// Whether the Plug and Play manager of this process is there. Wine reports the process as running, and sends it commands, before it
/// starts its Plug and Play manager; a device that is enumerated in between takes the process down.
pub(super) fn has_device_manager() -> bool {
    let name = Text::new("\\Driver\\PnpManager");
    let mut driver = ptr::null();
    // SAFETY: the name and the place for the object are there while the call lasts; the other arguments may be absent.
    let status = unsafe {
        ObReferenceObjectByName(
            &name.string(),
            0,
            ptr::null(),
            0,
            ptr::null(),
            0,
            ptr::null(),
            &mut driver,
        )
    };
    if !NT_SUCCESS(status) {
        return false;
    }
    // Wine sets this function last, on another thread. Until then all are the same one, which refuses.
    let [first, pnp] = [0, PNP].map(|function| {
        // SAFETY: the object was found, and is kept: the reference is never given back. The index is in range.
        let place = unsafe { &raw const (*driver).MajorFunction[function] };
        // SAFETY: the place is valid, as just said; it is read at once, as an aligned pointer, whatever the other thread does.
        unsafe { place.cast::<usize>().read_volatile() }
    });
    pnp != first
}

/// A counted string, with what it points to. It ends with a zero, since Wine counts on that here and there.
pub(super) struct Text {
    units: Vec<u16>,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self {
            units: text.encode_utf16().chain([0]).collect(),
        }
    }

    pub(super) fn string(&self) -> UNICODE_STRING {
        // CAST: names here are short.
        let bytes = (2 * self.units.len()) as u16;
        UNICODE_STRING {
            Length: bytes - 2,
            MaximumLength: bytes,
            Buffer: self.units.as_ptr().cast_mut(),
        }
    }
}
