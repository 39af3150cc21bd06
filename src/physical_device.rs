//! [`PhysicalDevice`]: the name under which several parts of the system know one device.
//!
//! # Safety
//!
//! The unsafe code of this file promises that naming a device object from any thread is harmless; who makes such a name
//! promises how long the object exists.
#![expect(unsafe_code, reason = "names a device object of the system")]

use core::ptr::NonNull;

use crate::sys;

/// The physical device object of a device: what the bus driver made, and AddDevice got.
///
/// # Invariants
///
/// The pointer is that of a device object that is not deleted before the driver's own device is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The object exists until everything that the value, or a copy of it, was given to has been deregistered.
    pub const unsafe fn from_raw(object: NonNull<sys::DEVICE_OBJECT>) -> Self {
        Self(object)
    }

    pub(crate) const fn as_ptr(self) -> sys::PDEVICE_OBJECT {
        self.0.as_ptr()
    }
}
