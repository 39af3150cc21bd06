//! A driver under test imports from ntoskrnl.exe, which is Wine's. When Wine has loaded it and before it runs, its imports are
//! directed to the simulated kernel, but for the few names that Wine has and the simulated kernel does not. The file and the code
//! stay as they are.
//!
//! # Safety
//!
//! The unsafe code of this file reads the headers and writes the import table of an image that Wine has just mapped, whose
//! structure Wine has checked by binding it, and that does not run yet.
#![expect(unsafe_code, reason = "reads and writes a loaded image")]

use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char, c_void};
use core::ops::Range;
use core::ptr;

use nmr_netdma::sys::{self, UNICODE_STRING};
use simkernel::ke;
use simkernel::platform::Mutex;

use super::{machine, say, wine};

/// What is left to Wine: the probing of a stack page by page.
const LEFT_TO_WINE: &[&str] = &["__chkstk"];

/// A loaded driver under test.
#[derive(Clone)]
struct Image {
    name: String,
    range: Range<usize>,
}

static IMAGES: Mutex<Vec<Image>> = Mutex::new(Vec::new());
/// The import that a run leaves to Wine, to see that this is found.
static OMITTED: Mutex<Option<&'static str>> = Mutex::new(None);

#[link(name = "kernel32.dll", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn VirtualProtect(address: *mut c_void, bytes: usize, new: u32, old: *mut u32) -> i32;
    fn GetModuleHandleA(name: *const c_char) -> *mut u8;
}

/// Whether an address lies in a driver under test.
pub(super) fn is_driver(address: usize) -> bool {
    let images = IMAGES.lock();
    images.iter().any(|image| image.range.contains(&address))
}

/// From here on every driver that is loaded is shimmed, but for the import `omitted`.
pub(super) fn start(omitted: Option<&'static str>) -> sys::NTSTATUS {
    *OMITTED.lock() = omitted;
    // SAFETY: the routine stays until `stop`.
    unsafe { wine::PsSetLoadImageNotifyRoutine(loaded) }
}

pub(super) fn stop() {
    // SAFETY: `start` set it.
    unsafe { wine::PsRemoveLoadImageNotifyRoutine(loaded) };
    IMAGES.lock().clear();
}

/// Wine calls this for every driver that it has loaded, before the driver runs.
unsafe extern "system" fn loaded(
    path: *const UNICODE_STRING,
    _process: *mut c_void,
    info: *const u8,
) {
    const IMAGE_BASE: usize = 0x08;
    const IMAGE_SIZE: usize = 0x18;

    // SAFETY: Wine passes the path of the image.
    let path = unsafe { text(path) };
    let name = last_part(&path);
    // SAFETY: Wine passes an IMAGE_INFO, whose members these are.
    let base = unsafe { info.wrapping_add(IMAGE_BASE).cast::<*mut u8>().read() };
    // SAFETY: as above.
    let size = unsafe { info.wrapping_add(IMAGE_SIZE).cast::<usize>().read() };
    if ptr::eq(base, own_base()) {
        return;
    }
    say(format_args!("image {name}: {size} bytes"));
    // SAFETY: Wine passes the base of an image that it has mapped and bound.
    unsafe { patch(&name, base) };
    let mut images = IMAGES.lock();
    // An image of that name that was there before is gone, or this one would not be loaded.
    images.retain(|image| image.name != name);
    images.push(Image {
        name,
        range: base.addr()..base.addr() + size,
    });
}

/// Where this very image is.
fn own_base() -> *mut u8 {
    // SAFETY: the name is a text with an end.
    unsafe { GetModuleHandleA(c"simkernel.sys".as_ptr()) }
}

/// # Safety
///
/// As for the callback of Wine's that calls this: `base` is that of an image that was just bound.
unsafe fn patch(image: &str, base: *mut u8) {
    const NEW_HEADER: usize = 0x3C;
    const IMPORT_DIRECTORY: usize = 24 + 112 + 8;
    const DESCRIPTOR: usize = 20;
    const NAME: usize = 12;
    const FIRST_THUNK: usize = 16;
    const BY_ORDINAL: u64 = 1 << 63;
    const HINT: usize = 2;

    let own = own_base().addr();
    // SAFETY: the headers of an image are readable, and Wine has followed the same numbers.
    let header = unsafe { number(base, NEW_HEADER) };
    // SAFETY: as above.
    let directory = unsafe { number(base, header + IMPORT_DIRECTORY) };
    let (mut simulated, mut forwarded) = (0, 0);
    let mut left = Vec::new();
    for index in 0.. {
        let descriptor = directory + index * DESCRIPTOR;
        // SAFETY: the table ends with a descriptor of zeroes.
        let names = unsafe { number(base, descriptor) };
        // SAFETY: as above.
        let module = unsafe { number(base, descriptor + NAME) };
        // SAFETY: as above.
        let slots = unsafe { number(base, descriptor + FIRST_THUNK) };
        if module == 0 {
            break;
        }
        // SAFETY: the name is a text with an end.
        let module = unsafe { CStr::from_ptr(base.wrapping_add(module).cast()) }.to_string_lossy();
        let kernel = module.eq_ignore_ascii_case("ntoskrnl.exe");
        for entry in 0.. {
            let entry = entry * size_of::<u64>();
            // SAFETY: the table of names ends with a zero.
            let name = unsafe { base.wrapping_add(names + entry).cast::<u64>().read() };
            if name == 0 {
                break;
            }
            if name & BY_ORDINAL != 0 {
                machine::failed(format_args!("{image} imports from {module} by a number"));
                continue;
            }
            let name = base.wrapping_add(name as usize + HINT);
            // SAFETY: the name is a text with an end.
            let name = unsafe { CStr::from_ptr(name.cast()) }.to_string_lossy();
            let slot = base.wrapping_add(slots + entry).cast::<*const c_void>();
            if !kernel {
                // SAFETY: the slot is Wine's to write and ours to read.
                let bound = unsafe { slot.read() }.addr();
                // The image is no larger than this.
                if (own..own + (16 << 20)).contains(&bound) {
                    forwarded += 1;
                } else {
                    machine::failed(format_args!(
                        "{image}: {module}!{name} is not the simulated kernel's"
                    ));
                }
                continue;
            }
            let omitted = *OMITTED.lock() == Some(&*name);
            match target(&name).filter(|_| !omitted) {
                Some(function) => {
                    // SAFETY: the slot is part of the import table, and the function has the type of what it stands for.
                    unsafe { write(slot, function) };
                    simulated += 1;
                }
                None if LEFT_TO_WINE.contains(&&*name) => left.push(name.into_owned()),
                None => machine::failed(format_args!(
                    "{image}: {module}!{name} is not the simulated kernel's"
                )),
            }
        }
    }
    say(format_args!(
        "image {image}: {simulated} imports from ntoskrnl.exe led to the simulated kernel, {} left to Wine ({}), {forwarded} others \
         bound to it by Wine",
        left.len(),
        left.join(", ")
    ));
}

/// What stands for a function of the kernel.
fn target(name: &str) -> Option<*const c_void> {
    if name == "DbgPrint" {
        return Some(debug_print as *const c_void);
    }
    ke::export(name)
}

/// `DbgPrint`, as the library calls it: with a format for one text.
unsafe extern "C" fn debug_print(format: *const c_char, text: *const c_char) -> u32 {
    // SAFETY: the caller passes a format, which is a text with an end.
    let format = unsafe { CStr::from_ptr(format) };
    if format == c"%s" {
        // SAFETY: by the format it passes a text with an end.
        unsafe { sys::DebugPrint(text) };
    } else {
        machine::failed(format_args!("DbgPrint with the format {format:?}"));
    }
    0
}

/// # Safety
///
/// `slot` is one of an import table.
unsafe fn write(slot: *mut *const c_void, value: *const c_void) {
    const PAGE_READWRITE: u32 = 4;

    let bytes = size_of::<usize>();
    let mut before = 0;
    // SAFETY: the slot lies in a mapped image, which nobody else accesses yet.
    unsafe { VirtualProtect(slot.cast(), bytes, PAGE_READWRITE, &raw mut before) };
    // SAFETY: it is writable now.
    unsafe { slot.write(value) };
    // SAFETY: as above; it becomes what it was.
    unsafe { VirtualProtect(slot.cast(), bytes, before, &raw mut before) };
}

/// The 32-bit number at an offset in an image.
///
/// # Safety
///
/// There is one.
unsafe fn number(base: *const u8, offset: usize) -> usize {
    // SAFETY: by the contract of this function.
    let number = unsafe { base.wrapping_add(offset).cast::<u32>().read_unaligned() };
    number as usize
}

/// # Safety
///
/// `string` is a readable counted string.
pub(super) unsafe fn text(string: *const UNICODE_STRING) -> String {
    // SAFETY: by the contract of this function.
    let string = unsafe { string.read() };
    let length = usize::from(string.Length / 2);
    // SAFETY: as above.
    let units = unsafe { core::slice::from_raw_parts(string.Buffer.cast_const(), length) };
    String::from_utf16_lossy(units)
}

/// What comes after the last backslash.
pub(super) fn last_part(path: &str) -> String {
    let last = path.rsplit(['\\', '/']).next().unwrap_or(path);
    last.into()
}
