//! The entry macro.

/// Makes `$driver`, a type that implements [`Driver`](crate::kmdf::Driver), the driver of this image.
///
/// Expands to an ordinary function `driver_entry` with the signature of C's `DriverEntry`, and in a kernel image to
/// the symbol `DriverEntry` as well, which binds the framework first. A host process has no such symbol, so that it can link several
/// drivers.
///
/// `driver_entry!(fn name = Driver)` expands to the function alone, under that name: for tests of another form of the driver.
///
/// To be used once, in the root of a `no_std` driver crate, which needs to be built with `panic = "abort"`.
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_driver_entry {
    (fn $name:ident = $driver:ty) => {
        /// The driver's entry point, as C declares `DriverEntry`.
        ///
        /// # Safety
        ///
        /// Called once, by whatever loads the driver and has bound the framework, with its arguments.
        pub unsafe extern "system" fn $name(
            driver: *mut $crate::sys::DRIVER_OBJECT,
            registry_path: *const $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            // SAFETY: passes on what the caller promises.
            unsafe { $crate::kmdf::__enter::<$driver>(driver, registry_path) }
        }
    };
    ($driver:ty) => {
        $crate::__kmdf_driver_entry!(fn driver_entry = $driver);
        $crate::__kmdf_entry_symbol!();
    };
}

/// A host process: what a dynamic library needs to link.
#[cfg(not(kernel_image))]
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_entry_symbol {
    () => {
        extern crate std as _;
    };
}

/// A kernel image that binds the framework itself.
#[cfg(all(kernel_image, not(feature = "wdk")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_entry_symbol {
    () => {
        #[doc(hidden)]
        #[unsafe(export_name = "DriverEntry")]
        pub unsafe extern "system" fn __driver_entry_symbol(
            driver: *mut $crate::sys::DRIVER_OBJECT,
            registry_path: *const $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            // SAFETY: the system calls this once, with its arguments.
            unsafe { $crate::kmdf::stub::enter(driver, registry_path, driver_entry) }
        }
    };
}

/// A kernel image whose framework Microsoft's stub binds, which then calls `DriverEntry`.
#[cfg(all(kernel_image, feature = "wdk"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __kmdf_entry_symbol {
    () => {
        #[doc(hidden)]
        #[unsafe(export_name = "DriverEntry")]
        pub unsafe extern "system" fn __driver_entry_symbol(
            driver: *mut $crate::sys::DRIVER_OBJECT,
            registry_path: *const $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            // SAFETY: passes on what the caller promises.
            unsafe { driver_entry(driver, registry_path) }
        }
    };
}
