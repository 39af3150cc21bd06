//! [`PhysicalDevice`]: the name under which several parts of the system know one device.
//!
//! # Design
//!
//! * **It refers to its object,** which therefore outlives it, whatever becomes of the device. A bare pointer with a lifetime was
//!   rejected: a registration outlives the call that it is made in, and may be kept anywhere.
//!
//! # Safety
//!
//! The unsafe code of this file counts the references to a device object of the system.
#![expect(unsafe_code, reason = "names a device object of the system")]

use core::ptr::NonNull;

use crate::sys;

/// The physical device object of a device: what the bus driver made, and AddDevice got.
///
/// Cloned and dropped at or below `DISPATCH_LEVEL`.
///
/// # Invariants
///
/// The pointer is that of a device object, to which this holds a reference.
#[derive(Debug, PartialEq, Eq)]
#[doc(alias = "PhysicalDeviceObject")]
pub struct PhysicalDevice(NonNull<sys::DEVICE_OBJECT>);

// SAFETY: a device object belongs to the system and to no thread; this only names it.
unsafe impl Send for PhysicalDevice {}
// SAFETY: as for `Send`.
unsafe impl Sync for PhysicalDevice {}

impl PhysicalDevice {
    /// Names a device by its physical device object.
    ///
    /// # Safety
    ///
    /// The object exists during the call, and the level is at or below `DISPATCH_LEVEL`.
    #[doc(alias = "ObReferenceObject")]
    pub unsafe fn from_raw(object: NonNull<sys::DEVICE_OBJECT>) -> Self {
        // SAFETY: the object exists and the level is right, as the caller promises.
        unsafe { sys::ObfReferenceObject(object.as_ptr().cast()) };
        // INVARIANT: the reference was taken just above.
        Self(object)
    }

    pub(crate) const fn as_ptr(&self) -> sys::PDEVICE_OBJECT {
        self.0.as_ptr()
    }
}

impl Clone for PhysicalDevice {
    fn clone(&self) -> Self {
        // SAFETY: the object exists, since this holds a reference to it; the level is as the type's documentation demands.
        unsafe { Self::from_raw(self.0) }
    }
}

impl Drop for PhysicalDevice {
    #[doc(alias = "ObDereferenceObject")]
    fn drop(&mut self) {
        // SAFETY: by the type invariant there is a reference, which is given up once; the level is as the type's documentation
        // demands.
        unsafe { sys::ObfDereferenceObject(self.0.as_ptr().cast()) };
    }
}
