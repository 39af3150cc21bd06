//! `wdf.h` from `wdk-sys`, for builds with a Windows Driver Kit: the types and functions that this crate uses.
//!
//! No WDF function exists as a function in `wdk-sys`; all are called through its macro, by name. Here each becomes a function
//! with the name and the signature that it has without a kit.
//!
//! # Safety
//!
//! A call through the macro is sound while the driver is bound, and driver code runs at no other time. What each function asks of
//! its arguments, and of the level, is stated by Microsoft's page of that name and is the caller's duty; the `kmdf` module keeps
//! those rules.

#![expect(non_snake_case, reason = "C names, documented by Microsoft")]
#![expect(unsafe_code, reason = "calls the framework")]

// Handles.
pub use wdk_sys::{
    PWDFDEVICE_INIT, WDFCMRESLIST, WDFDEVICE, WDFDRIVER, WDFINTERRUPT, WDFIORESLIST,
    WDFIORESREQLIST, WDFOBJECT,
};

// Enumerations.
pub use wdk_sys::{
    _WDF_EXECUTION_LEVEL, _WDF_INTERRUPT_POLICY, _WDF_INTERRUPT_PRIORITY, _WDF_POWER_DEVICE_STATE,
    _WDF_SYNCHRONIZATION_SCOPE, _WDF_TRI_STATE, WDF_INTERRUPT_POLICY, WDF_INTERRUPT_PRIORITY,
    WDF_POWER_DEVICE_STATE,
};

// Structures and callbacks.
pub use wdk_sys::{
    PCWDF_OBJECT_CONTEXT_TYPE_INFO, PFN_WDF_OBJECT_CONTEXT_CLEANUP, PWDF_DRIVER_CONFIG,
    PWDF_DRIVER_GLOBALS, PWDF_FDO_EVENT_CALLBACKS, PWDF_INTERRUPT_CONFIG, PWDF_INTERRUPT_INFO,
    PWDF_OBJECT_ATTRIBUTES, PWDF_PNPPOWER_EVENT_CALLBACKS, WDF_DRIVER_CONFIG, WDF_DRIVER_GLOBALS,
    WDF_FDO_EVENT_CALLBACKS, WDF_INTERRUPT_CONFIG, WDF_INTERRUPT_INFO, WDF_OBJECT_ATTRIBUTES,
    WDF_OBJECT_CONTEXT_TYPE_INFO, WDF_PNPPOWER_EVENT_CALLBACKS,
};

// Sizes that older frameworks know, for which the kit has no names.
pub use super::wdf_builtin::{
    WDF_INTERRUPT_CONFIG_SIZE_V1_7, WDF_INTERRUPT_CONFIG_SIZE_V1_11, WDF_INTERRUPT_INFO_SIZE_V1_7,
    WDF_PNPPOWER_EVENT_CALLBACKS_SIZE_V1_7,
};

use wdk_sys::{
    BOOLEAN, KAFFINITY, NTSTATUS, PCM_PARTIAL_RESOURCE_DESCRIPTOR, PCUNICODE_STRING,
    PDEVICE_OBJECT, PDRIVER_OBJECT, PIO_RESOURCE_DESCRIPTOR, PVOID, ULONG,
};

/// First argument of every function of the framework.
///
/// # Safety
///
/// The driver is bound.
#[inline]
#[must_use]
pub unsafe fn wdf_driver_globals() -> PWDF_DRIVER_GLOBALS {
    // SAFETY: the kit's stub wrote the variable when it bound the driver and does not write it while bound.
    unsafe { wdk_sys::WdfDriverGlobals }
}

macro_rules! wdf_functions {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;)*) => {$(
        /// # Safety
        ///
        /// The driver is bound, and the caller keeps the rules that Microsoft's page of this name states for arguments and
        /// level.
        #[inline]
        pub unsafe fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the driver is bound, with the kit's version of the framework, which has this function; the rest is
            // the caller's promise.
            unsafe { wdk_sys::call_unsafe_wdf_function_binding!($name, $($argument),*) }
        }
    )*};
}

wdf_functions! {
    fn WdfDriverCreate(
        DriverObject: PDRIVER_OBJECT,
        RegistryPath: PCUNICODE_STRING,
        DriverAttributes: PWDF_OBJECT_ATTRIBUTES,
        DriverConfig: PWDF_DRIVER_CONFIG,
        Driver: *mut WDFDRIVER,
    ) -> NTSTATUS;
    fn WdfDeviceInitSetPnpPowerEventCallbacks(
        DeviceInit: PWDFDEVICE_INIT,
        PnpPowerEventCallbacks: PWDF_PNPPOWER_EVENT_CALLBACKS,
    );
    fn WdfFdoInitSetEventCallbacks(
        DeviceInit: PWDFDEVICE_INIT,
        FdoEventCallbacks: PWDF_FDO_EVENT_CALLBACKS,
    );
    fn WdfDeviceCreate(
        DeviceInit: *mut PWDFDEVICE_INIT,
        DeviceAttributes: PWDF_OBJECT_ATTRIBUTES,
        Device: *mut WDFDEVICE,
    ) -> NTSTATUS;
    fn WdfDeviceWdmGetPhysicalDevice(Device: WDFDEVICE) -> PDEVICE_OBJECT;
    fn WdfObjectGetTypedContextWorker(Handle: WDFOBJECT, TypeInfo: PCWDF_OBJECT_CONTEXT_TYPE_INFO) -> PVOID;
    fn WdfInterruptCreate(
        Device: WDFDEVICE,
        Configuration: PWDF_INTERRUPT_CONFIG,
        Attributes: PWDF_OBJECT_ATTRIBUTES,
        Interrupt: *mut WDFINTERRUPT,
    ) -> NTSTATUS;
    fn WdfInterruptQueueDpcForIsr(Interrupt: WDFINTERRUPT) -> BOOLEAN;
    fn WdfInterruptGetInfo(Interrupt: WDFINTERRUPT, Info: PWDF_INTERRUPT_INFO);
    fn WdfInterruptSetPolicy(
        Interrupt: WDFINTERRUPT,
        Policy: WDF_INTERRUPT_POLICY,
        Priority: WDF_INTERRUPT_PRIORITY,
        TargetProcessorSet: KAFFINITY,
    );
    fn WdfIoResourceRequirementsListGetCount(RequirementsList: WDFIORESREQLIST) -> ULONG;
    fn WdfIoResourceRequirementsListGetIoResList(RequirementsList: WDFIORESREQLIST, Index: ULONG) -> WDFIORESLIST;
    fn WdfIoResourceListAppendDescriptor(ResourceList: WDFIORESLIST, Descriptor: PIO_RESOURCE_DESCRIPTOR) -> NTSTATUS;
    fn WdfIoResourceListUpdateDescriptor(ResourceList: WDFIORESLIST, Descriptor: PIO_RESOURCE_DESCRIPTOR, Index: ULONG);
    fn WdfIoResourceListGetCount(ResourceList: WDFIORESLIST) -> ULONG;
    fn WdfIoResourceListGetDescriptor(ResourceList: WDFIORESLIST, Index: ULONG) -> PIO_RESOURCE_DESCRIPTOR;
    fn WdfIoResourceListRemove(ResourceList: WDFIORESLIST, Index: ULONG);
    fn WdfCmResourceListGetCount(List: WDFCMRESLIST) -> ULONG;
    fn WdfCmResourceListGetDescriptor(List: WDFCMRESLIST, Index: ULONG) -> PCM_PARTIAL_RESOURCE_DESCRIPTOR;
}
