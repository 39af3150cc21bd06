//! A loaded driver: its driver object and what the loader remembers.
//!
//! # Safety
//!
//! The unsafe code of this file frees the driver object and its extension, which `Driver::new` made from boxes and nobody
//! else frees, and touches their members. They live as long as the [`Driver`], as does the object of another loader, by the
//! promise of who handed it over; the loader's own accesses come from the thread that loads or unloads the driver.
#![expect(unsafe_code, reason = "owns C structures that drivers see by address")]

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use nmr_netdma::sys;

/// A loaded driver.
pub(crate) struct Driver {
    pub(crate) id: u64,
    pub(crate) name: String,
    object: *mut sys::DRIVER_OBJECT,
    /// Null if the driver object is another loader's.
    extension: *mut sys::DRIVER_EXTENSION,
    /// With a terminator; the registry path that the entry point is given.
    path: Box<[u16]>,
    /// Functions that it is bound with.
    functions: AtomicU32,
    /// Its WDFDRIVER, or 0.
    handle: AtomicUsize,
}

// SAFETY: the pointers own what they point to, and no method gives access to it but as a raw pointer.
unsafe impl Send for Driver {}
// SAFETY: as for `Send`; the other members are atomic or do not change.
unsafe impl Sync for Driver {}

impl Driver {
    pub(crate) fn new(id: u64, name: &str, functions: u32) -> Arc<Self> {
        let object = Box::into_raw(Box::new(sys::DRIVER_OBJECT {
            Type: 4,
            Size: size_of::<sys::DRIVER_OBJECT>() as i16,
            ..Default::default()
        }));
        let extension = Box::into_raw(Box::new(sys::DRIVER_EXTENSION {
            DriverObject: object,
            ..Default::default()
        }));
        // SAFETY: `object` was made from a box above and nobody else knows it yet.
        unsafe { (*object).DriverExtension = extension };
        Arc::new(Self::with(id, name, functions, object, extension))
    }

    /// A driver that another loader has loaded.
    pub(crate) fn adopt(id: u64, name: &str, object: *mut sys::DRIVER_OBJECT) -> Arc<Self> {
        Arc::new(Self::with(id, name, 0, object, ptr::null_mut()))
    }

    fn with(
        id: u64,
        name: &str,
        functions: u32,
        object: *mut sys::DRIVER_OBJECT,
        extension: *mut sys::DRIVER_EXTENSION,
    ) -> Self {
        let path = format!("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\{name}\0");
        let path: Box<[u16]> = path.encode_utf16().collect();
        Self {
            id,
            name: name.into(),
            object,
            extension,
            path,
            functions: AtomicU32::new(functions),
            handle: AtomicUsize::new(0),
        }
    }

    pub(crate) fn object(&self) -> *mut sys::DRIVER_OBJECT {
        self.object
    }

    /// The registry path; it points into the driver.
    pub(crate) fn registry_path(&self) -> sys::UNICODE_STRING {
        let length = 2 * self.path.len() as u16;
        sys::UNICODE_STRING {
            Length: length - 2,
            MaximumLength: length,
            Buffer: self.path.as_ptr().cast_mut(),
        }
    }

    pub(crate) fn functions(&self) -> u32 {
        self.functions.load(Ordering::Relaxed)
    }

    pub(crate) fn set_functions(&self, functions: u32) {
        self.functions.store(functions, Ordering::Relaxed);
    }

    pub(crate) fn handle(&self) -> usize {
        self.handle.load(Ordering::Relaxed)
    }

    pub(crate) fn set_handle(&self, handle: usize) {
        self.handle.store(handle, Ordering::Relaxed);
    }

    /// The unload routine that is in the driver object now.
    pub(crate) fn unload_routine(&self) -> sys::PDRIVER_UNLOAD {
        // SAFETY: the driver object lives as long as `self`; drivers write this member during their entry only.
        unsafe { (*self.object).DriverUnload }
    }

    pub(crate) fn set_unload_routine(&self, routine: sys::PDRIVER_UNLOAD) {
        // SAFETY: the driver object lives as long as `self`, and the caller is the framework inside the driver's entry.
        unsafe { (*self.object).DriverUnload = routine };
    }

    /// The first 31 bytes of the name, as the framework keeps it for a driver.
    pub(crate) fn short_name(&self) -> [sys::CHAR; sys::WDF_DRIVER_GLOBALS_NAME_LEN as usize] {
        let mut name = [0; sys::WDF_DRIVER_GLOBALS_NAME_LEN as usize];
        let bytes: Vec<u8> = self.name.bytes().take(name.len() - 1).collect();
        for (target, byte) in name.iter_mut().zip(bytes) {
            *target = sys::CHAR::from_ne_bytes([byte]);
        }
        name
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.extension.is_null() {
            return;
        }
        // SAFETY: `new` made the pointer from a box, and only this takes it back.
        drop(unsafe { Box::from_raw(self.object) });
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.extension) });
    }
}
