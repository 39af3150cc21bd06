//! The entry stub of a kernel image that is built without the WDK: binds the framework, and unbinds it.
//!
//! What Microsoft's `WdfDriverEntry.lib` does for C (its source is not public; this follows what the framework's source and
//! the documentation of the loader interface require):
//!
//! 1. copy the registry path, which is needed again at the end;
//! 2. `WdfVersionBind`: the framework fills the table of functions;
//! 3. call the driver's entry;
//! 4. if that failed, unbind; otherwise, if the framework asks for it (`DisplaceDriverUnload`), put a routine in place of the
//!    driver's unload routine that calls the original and unbinds.
//!
//! # Design
//!
//! * **KMDF 1.7, array form.** Every framework from Windows Vista SP1 on accepts a driver that was made for it, so one binary serves
//!   all of them and needs no co-installer. Up to KMDF 1.13 the framework copies its entries into an array of the driver's.
//! * **No class extensions, no miniport unload**: the driver uses no extension, and never sets the flag
//!   (`WdfDriverInitNoDispatchOverride`) that the second is for.
//!
//! # Safety
//!
//! The variables of this file are written by [`enter`], before any other code of the image runs, and by the loader and the framework
//! that it calls; after that they are only read, until [`unload`] or a failed [`enter`] ends the use of the image. An image is
//! loaded and unloaded by one thread at a time.
#![expect(
    unsafe_code,
    reason = "defines the variables that the framework fills, and binds them"
)]

use core::cell::UnsafeCell;
use core::ptr;

use super::debug_print;
use crate::runtime;
use crate::status::Status;
use crate::sys;

/// The driver's own entry point.
type Entry =
    unsafe extern "system" fn(*mut sys::DRIVER_OBJECT, *const sys::UNICODE_STRING) -> sys::NTSTATUS;

/// First entry of the table of the framework's functions.
#[unsafe(no_mangle)]
pub static mut WdfFunctions: *const sys::WDFFUNC = ptr::null();

/// First argument of every function in it.
#[unsafe(no_mangle)]
pub static mut WdfDriverGlobals: sys::PWDF_DRIVER_GLOBALS = ptr::null_mut();

/// Memory that the loader and the framework keep and write until the driver is unbound.
struct Lent<T>(UnsafeCell<T>);

// SAFETY: this file writes it before others know of it; afterwards it is theirs. See the head of this file.
unsafe impl<T> Sync for Lent<T> {}

const FUNCTIONS: usize = sys::WDF_FUNCTION_COUNT_V1_7 as usize;
/// As many characters as Microsoft's stub keeps.
const PATH: usize = 260;

static TABLE: Lent<[sys::WDFFUNC; FUNCTIONS]> = Lent(UnsafeCell::new([None; FUNCTIONS]));
static REGISTRY_PATH_TEXT: Lent<[u16; PATH]> = Lent(UnsafeCell::new([0; PATH]));
static REGISTRY_PATH: Lent<sys::UNICODE_STRING> = Lent(UnsafeCell::new(sys::UNICODE_STRING {
    Length: 0,
    MaximumLength: 0,
    Buffer: ptr::null_mut(),
}));
static DISPLACED_UNLOAD: Lent<sys::PDRIVER_UNLOAD> = Lent(UnsafeCell::new(None));

/// `KmdfLibrary`.
static COMPONENT: [u16; 12] = {
    let name = b"KmdfLibrary\0";
    let mut units = [0; 12];
    let mut index = 0;
    while index < name.len() {
        units[index] = name[index] as u16;
        index += 1;
    }
    units
};

static BIND_INFO: Lent<sys::WDF_BIND_INFO> = Lent(UnsafeCell::new(sys::WDF_BIND_INFO {
    Size: size_of::<sys::WDF_BIND_INFO>() as u32,
    Component: (&raw const COMPONENT).cast(),
    // The build number is that of the kit this version came with; it shows in logs only.
    Version: sys::WDF_VERSION {
        Major: 1,
        Minor: 7,
        Build: 6001,
    },
    FuncCount: sys::WDF_FUNCTION_COUNT_V1_7,
    FuncTable: TABLE.0.get().cast(),
    Module: ptr::null_mut(),
}));

/// Binds the framework and enters the driver.
///
/// # Safety
///
/// The system calls this once to load the image, with its arguments, and `entry` is the driver's.
pub unsafe fn enter(
    driver: *mut sys::DRIVER_OBJECT,
    registry_path: *const sys::UNICODE_STRING,
    entry: Entry,
) -> sys::NTSTATUS {
    // SAFETY: the path is the system's, and this is the image's first code.
    unsafe { copy_registry_path(registry_path) };
    let mut globals = ptr::null_mut();
    // SAFETY: the arguments are the system's; path, bind information and table are statics that live as long as the image.
    let status = unsafe {
        sys::WdfVersionBind(
            driver,
            REGISTRY_PATH.0.get(),
            BIND_INFO.0.get(),
            &raw mut globals,
        )
    };
    if !Status(status).is_success() {
        return status;
    }
    // SAFETY: no other code of the image runs yet; see the head of this file.
    unsafe { WdfFunctions = TABLE.0.get().cast() };
    // SAFETY: as above.
    unsafe { WdfDriverGlobals = globals };
    // SAFETY: passes on the system's arguments; the framework is bound.
    let status = unsafe { entry(driver, registry_path) };
    if !Status(status).is_success() {
        // SAFETY: the driver's entry has failed, so nothing of it runs or will.
        unsafe { unbind() };
        return status;
    }
    // SAFETY: binding answered with globals that live until unbinding.
    let displace = unsafe { (*globals).DisplaceDriverUnload };
    if displace != 0 {
        // SAFETY: the driver object is the system's and live; no other code of the image runs until this entry has returned.
        let routine = unsafe { &mut (*driver).DriverUnload };
        let original = routine.replace(unload);
        // SAFETY: nobody reads it before the driver is unloaded.
        unsafe { *DISPLACED_UNLOAD.0.get() = original };
    }
    status
}

/// # Safety
///
/// `path` is valid, and this is the only code that runs.
unsafe fn copy_registry_path(path: *const sys::UNICODE_STRING) {
    // SAFETY: by the contract of this function.
    let source = unsafe { path.read() };
    let length = (usize::from(source.Length) / 2).min(PATH - 1);
    let text = REGISTRY_PATH_TEXT.0.get().cast::<u16>();
    // SAFETY: the source has at least this many characters, the destination has room for one more, and they do not overlap.
    unsafe { ptr::copy_nonoverlapping(source.Buffer, text, length) };
    let copy = sys::UNICODE_STRING {
        // CAST: at most twice `PATH`.
        Length: (length * 2) as u16,
        MaximumLength: (PATH * 2) as u16,
        Buffer: text,
    };
    // SAFETY: this is the only code that runs.
    unsafe { *REGISTRY_PATH.0.get() = copy };
}

/// Takes the place of the driver's unload routine.
unsafe extern "C" fn unload(driver: sys::PDRIVER_OBJECT) {
    // SAFETY: `enter` wrote it before the system could unload the driver.
    let original = unsafe { *DISPLACED_UNLOAD.0.get() };
    if let Some(original) = original {
        // SAFETY: this is the routine that the framework put there for the system to call, with this argument.
        unsafe { original(driver) };
    }
    let blocks = runtime::blocks_left();
    if blocks != 0 {
        debug_print(format_args!(
            "nmr-netdma: {blocks} blocks of the pool were never freed\n"
        ));
    }
    // SAFETY: the driver is unloaded: the framework's routine has returned.
    unsafe { unbind() };
}

/// # Safety
///
/// The driver is bound, and nothing of it runs or will.
unsafe fn unbind() {
    // SAFETY: nothing else of the image runs.
    let globals = unsafe { WdfDriverGlobals };
    // SAFETY: these are what the driver was bound with. There is nothing left to do if it fails.
    let _ = unsafe { sys::WdfVersionUnbind(REGISTRY_PATH.0.get(), BIND_INFO.0.get(), globals) };
}
