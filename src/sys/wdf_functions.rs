//! `wdf.h`: the functions of the Kernel-Mode Driver Framework.
//!
//! * Functions are slots of a table that the loader fills. `wdf_functions!` lists those used here; each line
//!   gives the number of the slot, the type of its content and the function.
//! * Without a kit, each calls through the table, which the driver's entry stub defines, together with the globals: in a kernel
//!   image this crate's, in a host process whatever plays the framework. With the feature `wdk` each calls the macro of
//!   `wdk-sys`.
//!
//! # Safety
//!
//! The functions here add one thing to a call through the table: they find the entry. That is sound from the
//! moment the stub has bound the driver, and before it unbinds, for slots below the bound number of functions;
//! driver code runs at no other time. What each function asks of its arguments, and of the level, is stated by
//! Microsoft's page of that name and is the caller's duty; the `kmdf` module keeps those rules.

#![expect(non_snake_case, reason = "C names, documented by Microsoft")]
#![cfg_attr(
    not(all(feature = "wdk", windows)),
    expect(
        missing_docs,
        non_camel_case_types,
        non_upper_case_globals,
        reason = "C names, documented by Microsoft"
    )
)]
#![expect(
    unsafe_code,
    reason = "declares foreign functions and calls the framework"
)]

#[cfg(not(all(feature = "wdk", windows)))]
use super::{base_builtin::*, wdf_builtin::*};
#[cfg(all(feature = "wdk", windows))]
use super::{base_wdk::*, wdf_wdk::*};
#[cfg(all(feature = "wdk", windows))]
use wdk_sys::WdfDriverGlobals;

#[cfg(not(all(feature = "wdk", windows)))]
#[cfg_attr(
    kernel_image,
    link(name = "WDFLDR.SYS", kind = "raw-dylib", modifiers = "+verbatim")
)]
unsafe extern "system" {
    pub fn WdfVersionBind(
        DriverObject: PDRIVER_OBJECT,
        RegistryPath: PUNICODE_STRING,
        BindInfo: PWDF_BIND_INFO,
        ComponentGlobals: *mut PWDF_COMPONENT_GLOBALS,
    ) -> NTSTATUS;
    pub fn WdfVersionUnbind(
        RegistryPath: PUNICODE_STRING,
        BindInfo: PWDF_BIND_INFO,
        ComponentGlobals: PWDF_COMPONENT_GLOBALS,
    ) -> NTSTATUS;
}

#[cfg(not(all(feature = "wdk", windows)))]
unsafe extern "C" {
    /// First entry of the bound table.
    pub static mut WdfFunctions: *const WDFFUNC;
    /// First argument of every function in it.
    pub static mut WdfDriverGlobals: PWDF_DRIVER_GLOBALS;
}

/// First argument of every function of the framework.
///
/// # Safety
///
/// The driver is bound.
#[inline]
#[must_use]
pub unsafe fn wdf_driver_globals() -> PWDF_DRIVER_GLOBALS {
    // SAFETY: the stub, this crate's or the kit's, wrote the variable when it bound the driver and does not write it while
    // bound.
    unsafe { WdfDriverGlobals }
}

/// The content of a slot.
///
/// # Safety
///
/// The driver is bound, and `slot` is below the number of functions it is bound with.
#[cfg(not(all(feature = "wdk", windows)))]
#[inline]
#[must_use]
pub unsafe fn wdf_function(slot: _WDFFUNCENUM::Type) -> WDFFUNC {
    // SAFETY: the stub wrote the variable when it bound the driver and does not write it while bound.
    let table = unsafe { WdfFunctions };
    // SAFETY: the table has an entry for `slot`. CAST: slots are small and not negative.
    let entry = unsafe { table.add(slot as usize) };
    // SAFETY: the framework filled the entry when the driver was bound.
    unsafe { entry.read() }
}

/// The functions of the framework: slot, slot constant, type of the content, and the function itself.
#[cfg(not(all(feature = "wdk", windows)))]
macro_rules! wdf_functions {
    ($(
        $(#[doc = $doc:literal])*
        [$slot:literal, $index:ident, $pfn:ident]
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;
    )*) => {
        /// Slots of the table. None ever moves.
        pub mod _WDFFUNCENUM {
            pub type Type = i32;
            $(pub const $index: Type = $slot;)*
            /// Number of slots of the newest table known here, that of KMDF 1.31 and 1.33.
            pub const WdfFunctionTableNumEntries: Type = 458;
        }

        $(
            pub type $pfn =
                Option<unsafe extern "C" fn(DriverGlobals: PWDF_DRIVER_GLOBALS, $($argument: $type),*) $(-> $result)?>;

            $(#[doc = $doc])*
            ///
            /// # Safety
            ///
            /// The driver is bound, with more functions than the number of this slot, and the caller keeps the
            /// rules that Microsoft's page of this name states for arguments and level.
            #[inline]
            pub unsafe fn $name($($argument: $type),*) $(-> $result)? {
                // SAFETY: the driver is bound and has this slot.
                let entry = unsafe { wdf_function(_WDFFUNCENUM::$index) };
                // SAFETY: this slot holds a function of this type, or null; both types are one nullable pointer.
                let entry = unsafe { core::mem::transmute::<WDFFUNC, $pfn>(entry) };
                // SAFETY: the framework leaves no slot empty that it counts.
                let function = unsafe { entry.unwrap_unchecked() };
                // SAFETY: the driver is bound.
                let globals = unsafe { wdf_driver_globals() };
                // SAFETY: the globals belong to this table; the rest is the caller's promise.
                unsafe { function(globals, $($argument),*) }
            }
        )*
    };
}
#[cfg(not(all(feature = "wdk", windows)))]
pub type WDFFUNCENUM = _WDFFUNCENUM::Type;

/// The functions of the framework, through the kit's macro; their slots are those that the kit names.
#[cfg(all(feature = "wdk", windows))]
macro_rules! wdf_functions {
    ($(
        $(#[doc = $doc:literal])*
        [$slot:literal, $index:ident, $pfn:ident]
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;
    )*) => {$(
        const _: () = assert!(wdk_sys::_WDFFUNCENUM::$index == $slot, stringify!($name));

        $(#[doc = $doc])*
        ///
        /// # Safety
        ///
        /// The driver is bound, and the caller keeps the rules that Microsoft's page of this name states for arguments and
        /// level.
        #[inline]
        pub unsafe fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the driver is bound to the kit's version of the framework, which has this function; the rest is the
            // caller's promise.
            unsafe { wdk_sys::call_unsafe_wdf_function_binding!($name, $($argument),*) }
        }
    )*};
}

wdf_functions! {
    // Driver.

    [116, WdfDriverCreateTableIndex, PFN_WDFDRIVERCREATE]
    fn WdfDriverCreate(
        DriverObject: PDRIVER_OBJECT,
        RegistryPath: PCUNICODE_STRING,
        DriverAttributes: PWDF_OBJECT_ATTRIBUTES,
        DriverConfig: PWDF_DRIVER_CONFIG,
        Driver: *mut WDFDRIVER,
    ) -> NTSTATUS;
    [117, WdfDriverGetRegistryPathTableIndex, PFN_WDFDRIVERGETREGISTRYPATH]
    fn WdfDriverGetRegistryPath(Driver: WDFDRIVER) -> PWSTR;
    [118, WdfDriverWdmGetDriverObjectTableIndex, PFN_WDFDRIVERWDMGETDRIVEROBJECT]
    fn WdfDriverWdmGetDriverObject(Driver: WDFDRIVER) -> PDRIVER_OBJECT;
    [119, WdfDriverOpenParametersRegistryKeyTableIndex, PFN_WDFDRIVEROPENPARAMETERSREGISTRYKEY]
    fn WdfDriverOpenParametersRegistryKey(
        Driver: WDFDRIVER,
        DesiredAccess: ACCESS_MASK,
        KeyAttributes: PWDF_OBJECT_ATTRIBUTES,
        Key: *mut WDFKEY,
    ) -> NTSTATUS;
    [120, WdfWdmDriverGetWdfDriverHandleTableIndex, PFN_WDFWDMDRIVERGETWDFDRIVERHANDLE]
    fn WdfWdmDriverGetWdfDriverHandle(DriverObject: PDRIVER_OBJECT) -> WDFDRIVER;
    [122, WdfDriverRetrieveVersionStringTableIndex, PFN_WDFDRIVERRETRIEVEVERSIONSTRING]
    fn WdfDriverRetrieveVersionString(Driver: WDFDRIVER, String: WDFSTRING) -> NTSTATUS;
    [123, WdfDriverIsVersionAvailableTableIndex, PFN_WDFDRIVERISVERSIONAVAILABLE]
    fn WdfDriverIsVersionAvailable(
        Driver: WDFDRIVER,
        VersionAvailableParams: PWDF_DRIVER_VERSION_AVAILABLE_PARAMS,
    ) -> BOOLEAN;

    // Device initialisation, before `WdfDeviceCreate`.

    [54, WdfDeviceInitFreeTableIndex, PFN_WDFDEVICEINITFREE]
    fn WdfDeviceInitFree(DeviceInit: PWDFDEVICE_INIT);
    [55, WdfDeviceInitSetPnpPowerEventCallbacksTableIndex, PFN_WDFDEVICEINITSETPNPPOWEREVENTCALLBACKS]
    fn WdfDeviceInitSetPnpPowerEventCallbacks(
        DeviceInit: PWDFDEVICE_INIT,
        PnpPowerEventCallbacks: PWDF_PNPPOWER_EVENT_CALLBACKS,
    );
    [56, WdfDeviceInitSetPowerPolicyEventCallbacksTableIndex, PFN_WDFDEVICEINITSETPOWERPOLICYEVENTCALLBACKS]
    fn WdfDeviceInitSetPowerPolicyEventCallbacks(
        DeviceInit: PWDFDEVICE_INIT,
        PowerPolicyEventCallbacks: PWDF_POWER_POLICY_EVENT_CALLBACKS,
    );
    [57, WdfDeviceInitSetPowerPolicyOwnershipTableIndex, PFN_WDFDEVICEINITSETPOWERPOLICYOWNERSHIP]
    fn WdfDeviceInitSetPowerPolicyOwnership(DeviceInit: PWDFDEVICE_INIT, IsPowerPolicyOwner: BOOLEAN);
    [61, WdfDeviceInitSetIoTypeTableIndex, PFN_WDFDEVICEINITSETIOTYPE]
    fn WdfDeviceInitSetIoType(DeviceInit: PWDFDEVICE_INIT, IoType: WDF_DEVICE_IO_TYPE);
    [62, WdfDeviceInitSetExclusiveTableIndex, PFN_WDFDEVICEINITSETEXCLUSIVE]
    fn WdfDeviceInitSetExclusive(DeviceInit: PWDFDEVICE_INIT, IsExclusive: BOOLEAN);
    [63, WdfDeviceInitSetPowerNotPageableTableIndex, PFN_WDFDEVICEINITSETPOWERNOTPAGEABLE]
    fn WdfDeviceInitSetPowerNotPageable(DeviceInit: PWDFDEVICE_INIT);
    [64, WdfDeviceInitSetPowerPageableTableIndex, PFN_WDFDEVICEINITSETPOWERPAGEABLE]
    fn WdfDeviceInitSetPowerPageable(DeviceInit: PWDFDEVICE_INIT);
    [65, WdfDeviceInitSetPowerInrushTableIndex, PFN_WDFDEVICEINITSETPOWERINRUSH]
    fn WdfDeviceInitSetPowerInrush(DeviceInit: PWDFDEVICE_INIT);
    [66, WdfDeviceInitSetDeviceTypeTableIndex, PFN_WDFDEVICEINITSETDEVICETYPE]
    fn WdfDeviceInitSetDeviceType(DeviceInit: PWDFDEVICE_INIT, DeviceType: ULONG);
    [67, WdfDeviceInitAssignNameTableIndex, PFN_WDFDEVICEINITASSIGNNAME]
    fn WdfDeviceInitAssignName(DeviceInit: PWDFDEVICE_INIT, DeviceName: PCUNICODE_STRING) -> NTSTATUS;
    [68, WdfDeviceInitAssignSDDLStringTableIndex, PFN_WDFDEVICEINITASSIGNSDDLSTRING]
    fn WdfDeviceInitAssignSDDLString(DeviceInit: PWDFDEVICE_INIT, SDDLString: PCUNICODE_STRING) -> NTSTATUS;
    [69, WdfDeviceInitSetDeviceClassTableIndex, PFN_WDFDEVICEINITSETDEVICECLASS]
    fn WdfDeviceInitSetDeviceClass(DeviceInit: PWDFDEVICE_INIT, DeviceClassGuid: LPCGUID);
    [70, WdfDeviceInitSetCharacteristicsTableIndex, PFN_WDFDEVICEINITSETCHARACTERISTICS]
    fn WdfDeviceInitSetCharacteristics(
        DeviceInit: PWDFDEVICE_INIT,
        DeviceCharacteristics: ULONG,
        OrInValues: BOOLEAN,
    );
    [71, WdfDeviceInitSetFileObjectConfigTableIndex, PFN_WDFDEVICEINITSETFILEOBJECTCONFIG]
    fn WdfDeviceInitSetFileObjectConfig(
        DeviceInit: PWDFDEVICE_INIT,
        FileObjectConfig: PWDF_FILEOBJECT_CONFIG,
        FileObjectAttributes: PWDF_OBJECT_ATTRIBUTES,
    );
    [72, WdfDeviceInitSetRequestAttributesTableIndex, PFN_WDFDEVICEINITSETREQUESTATTRIBUTES]
    fn WdfDeviceInitSetRequestAttributes(DeviceInit: PWDFDEVICE_INIT, RequestAttributes: PWDF_OBJECT_ATTRIBUTES);
    [73, WdfDeviceInitAssignWdmIrpPreprocessCallbackTableIndex, PFN_WDFDEVICEINITASSIGNWDMIRPPREPROCESSCALLBACK]
    fn WdfDeviceInitAssignWdmIrpPreprocessCallback(
        DeviceInit: PWDFDEVICE_INIT,
        EvtDeviceWdmIrpPreprocess: PFN_WDFDEVICE_WDM_IRP_PREPROCESS,
        MajorFunction: UCHAR,
        MinorFunctions: PUCHAR,
        NumMinorFunctions: ULONG,
    ) -> NTSTATUS;
    /// From KMDF 1.11 on.
    [430, WdfDeviceInitSetReleaseHardwareOrderOnFailureTableIndex, PFN_WDFDEVICEINITSETRELEASEHARDWAREORDERONFAILURE]
    fn WdfDeviceInitSetReleaseHardwareOrderOnFailure(
        DeviceInit: PWDFDEVICE_INIT,
        ReleaseHardwareOrderOnFailure: WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE,
    );

    // Function device initialisation.

    [124, WdfFdoInitWdmGetPhysicalDeviceTableIndex, PFN_WDFFDOINITWDMGETPHYSICALDEVICE]
    fn WdfFdoInitWdmGetPhysicalDevice(DeviceInit: PWDFDEVICE_INIT) -> PDEVICE_OBJECT;
    [125, WdfFdoInitOpenRegistryKeyTableIndex, PFN_WDFFDOINITOPENREGISTRYKEY]
    fn WdfFdoInitOpenRegistryKey(
        DeviceInit: PWDFDEVICE_INIT,
        DeviceInstanceKeyType: ULONG,
        DesiredAccess: ACCESS_MASK,
        KeyAttributes: PWDF_OBJECT_ATTRIBUTES,
        Key: *mut WDFKEY,
    ) -> NTSTATUS;
    [126, WdfFdoInitQueryPropertyTableIndex, PFN_WDFFDOINITQUERYPROPERTY]
    fn WdfFdoInitQueryProperty(
        DeviceInit: PWDFDEVICE_INIT,
        DeviceProperty: DEVICE_REGISTRY_PROPERTY::Type,
        BufferLength: ULONG,
        PropertyBuffer: PVOID,
        ResultLength: PULONG,
    ) -> NTSTATUS;
    [127, WdfFdoInitAllocAndQueryPropertyTableIndex, PFN_WDFFDOINITALLOCANDQUERYPROPERTY]
    fn WdfFdoInitAllocAndQueryProperty(
        DeviceInit: PWDFDEVICE_INIT,
        DeviceProperty: DEVICE_REGISTRY_PROPERTY::Type,
        PoolType: POOL_TYPE,
        PropertyMemoryAttributes: PWDF_OBJECT_ATTRIBUTES,
        PropertyMemory: *mut WDFMEMORY,
    ) -> NTSTATUS;
    [128, WdfFdoInitSetEventCallbacksTableIndex, PFN_WDFFDOINITSETEVENTCALLBACKS]
    fn WdfFdoInitSetEventCallbacks(DeviceInit: PWDFDEVICE_INIT, FdoEventCallbacks: PWDF_FDO_EVENT_CALLBACKS);
    [129, WdfFdoInitSetFilterTableIndex, PFN_WDFFDOINITSETFILTER]
    fn WdfFdoInitSetFilter(DeviceInit: PWDFDEVICE_INIT);
    [131, WdfFdoQueryForInterfaceTableIndex, PFN_WDFFDOQUERYFORINTERFACE]
    fn WdfFdoQueryForInterface(
        Fdo: WDFDEVICE,
        InterfaceType: LPCGUID,
        Interface: PINTERFACE,
        Size: USHORT,
        Version: USHORT,
        InterfaceSpecificData: PVOID,
    ) -> NTSTATUS;

    // Device.

    [75, WdfDeviceCreateTableIndex, PFN_WDFDEVICECREATE]
    fn WdfDeviceCreate(
        DeviceInit: *mut PWDFDEVICE_INIT,
        DeviceAttributes: PWDF_OBJECT_ATTRIBUTES,
        Device: *mut WDFDEVICE,
    ) -> NTSTATUS;
    [30, WdfWdmDeviceGetWdfDeviceHandleTableIndex, PFN_WDFWDMDEVICEGETWDFDEVICEHANDLE]
    fn WdfWdmDeviceGetWdfDeviceHandle(DeviceObject: PDEVICE_OBJECT) -> WDFDEVICE;
    [31, WdfDeviceWdmGetDeviceObjectTableIndex, PFN_WDFDEVICEWDMGETDEVICEOBJECT]
    fn WdfDeviceWdmGetDeviceObject(Device: WDFDEVICE) -> PDEVICE_OBJECT;
    [32, WdfDeviceWdmGetAttachedDeviceTableIndex, PFN_WDFDEVICEWDMGETATTACHEDDEVICE]
    fn WdfDeviceWdmGetAttachedDevice(Device: WDFDEVICE) -> PDEVICE_OBJECT;
    [33, WdfDeviceWdmGetPhysicalDeviceTableIndex, PFN_WDFDEVICEWDMGETPHYSICALDEVICE]
    fn WdfDeviceWdmGetPhysicalDevice(Device: WDFDEVICE) -> PDEVICE_OBJECT;
    [39, WdfDeviceGetDriverTableIndex, PFN_WDFDEVICEGETDRIVER]
    fn WdfDeviceGetDriver(Device: WDFDEVICE) -> WDFDRIVER;
    [42, WdfDeviceGetIoTargetTableIndex, PFN_WDFDEVICEGETIOTARGET]
    fn WdfDeviceGetIoTarget(Device: WDFDEVICE) -> WDFIOTARGET;
    [28, WdfDeviceGetDeviceStateTableIndex, PFN_WDFDEVICEGETDEVICESTATE]
    fn WdfDeviceGetDeviceState(Device: WDFDEVICE, DeviceState: PWDF_DEVICE_STATE);
    [29, WdfDeviceSetDeviceStateTableIndex, PFN_WDFDEVICESETDEVICESTATE]
    fn WdfDeviceSetDeviceState(Device: WDFDEVICE, DeviceState: PWDF_DEVICE_STATE);
    [46, WdfDeviceAssignS0IdleSettingsTableIndex, PFN_WDFDEVICEASSIGNS0IDLESETTINGS]
    fn WdfDeviceAssignS0IdleSettings(
        Device: WDFDEVICE,
        Settings: PWDF_DEVICE_POWER_POLICY_IDLE_SETTINGS,
    ) -> NTSTATUS;
    [48, WdfDeviceOpenRegistryKeyTableIndex, PFN_WDFDEVICEOPENREGISTRYKEY]
    fn WdfDeviceOpenRegistryKey(
        Device: WDFDEVICE,
        DeviceInstanceKeyType: ULONG,
        DesiredAccess: ACCESS_MASK,
        KeyAttributes: PWDF_OBJECT_ATTRIBUTES,
        Key: *mut WDFKEY,
    ) -> NTSTATUS;
    [77, WdfDeviceCreateDeviceInterfaceTableIndex, PFN_WDFDEVICECREATEDEVICEINTERFACE]
    fn WdfDeviceCreateDeviceInterface(
        Device: WDFDEVICE,
        InterfaceClassGUID: LPCGUID,
        ReferenceString: PCUNICODE_STRING,
    ) -> NTSTATUS;
    [78, WdfDeviceSetDeviceInterfaceStateTableIndex, PFN_WDFDEVICESETDEVICEINTERFACESTATE]
    fn WdfDeviceSetDeviceInterfaceState(
        Device: WDFDEVICE,
        InterfaceClassGUID: LPCGUID,
        ReferenceString: PCUNICODE_STRING,
        IsInterfaceEnabled: BOOLEAN,
    );
    [80, WdfDeviceCreateSymbolicLinkTableIndex, PFN_WDFDEVICECREATESYMBOLICLINK]
    fn WdfDeviceCreateSymbolicLink(Device: WDFDEVICE, SymbolicLinkName: PCUNICODE_STRING) -> NTSTATUS;
    [81, WdfDeviceQueryPropertyTableIndex, PFN_WDFDEVICEQUERYPROPERTY]
    fn WdfDeviceQueryProperty(
        Device: WDFDEVICE,
        DeviceProperty: DEVICE_REGISTRY_PROPERTY::Type,
        BufferLength: ULONG,
        PropertyBuffer: PVOID,
        ResultLength: PULONG,
    ) -> NTSTATUS;
    [82, WdfDeviceAllocAndQueryPropertyTableIndex, PFN_WDFDEVICEALLOCANDQUERYPROPERTY]
    fn WdfDeviceAllocAndQueryProperty(
        Device: WDFDEVICE,
        DeviceProperty: DEVICE_REGISTRY_PROPERTY::Type,
        PoolType: POOL_TYPE,
        PropertyMemoryAttributes: PWDF_OBJECT_ATTRIBUTES,
        PropertyMemory: *mut WDFMEMORY,
    ) -> NTSTATUS;
    [83, WdfDeviceSetPnpCapabilitiesTableIndex, PFN_WDFDEVICESETPNPCAPABILITIES]
    fn WdfDeviceSetPnpCapabilities(Device: WDFDEVICE, PnpCapabilities: PWDF_DEVICE_PNP_CAPABILITIES);
    [84, WdfDeviceSetPowerCapabilitiesTableIndex, PFN_WDFDEVICESETPOWERCAPABILITIES]
    fn WdfDeviceSetPowerCapabilities(Device: WDFDEVICE, PowerCapabilities: PWDF_DEVICE_POWER_CAPABILITIES);
    [87, WdfDeviceSetFailedTableIndex, PFN_WDFDEVICESETFAILED]
    fn WdfDeviceSetFailed(Device: WDFDEVICE, FailedAction: WDF_DEVICE_FAILED_ACTION);
    [88, WdfDeviceStopIdleNoTrackTableIndex, PFN_WDFDEVICESTOPIDLENOTRACK]
    fn WdfDeviceStopIdleNoTrack(Device: WDFDEVICE, WaitForD0: BOOLEAN) -> NTSTATUS;
    [89, WdfDeviceResumeIdleNoTrackTableIndex, PFN_WDFDEVICERESUMEIDLENOTRACK]
    fn WdfDeviceResumeIdleNoTrack(Device: WDFDEVICE);
    /// From KMDF 1.15 on.
    [438, WdfDeviceStopIdleActualTableIndex, PFN_WDFDEVICESTOPIDLEACTUAL]
    fn WdfDeviceStopIdleActual(
        Device: WDFDEVICE,
        WaitForD0: BOOLEAN,
        Tag: PVOID,
        Line: LONG,
        File: PCCH,
    ) -> NTSTATUS;
    /// From KMDF 1.15 on.
    [439, WdfDeviceResumeIdleActualTableIndex, PFN_WDFDEVICERESUMEIDLEACTUAL]
    fn WdfDeviceResumeIdleActual(Device: WDFDEVICE, Tag: PVOID, Line: LONG, File: PCCH);
    [92, WdfDeviceGetDefaultQueueTableIndex, PFN_WDFDEVICEGETDEFAULTQUEUE]
    fn WdfDeviceGetDefaultQueue(Device: WDFDEVICE) -> WDFQUEUE;
    [93, WdfDeviceConfigureRequestDispatchingTableIndex, PFN_WDFDEVICECONFIGUREREQUESTDISPATCHING]
    fn WdfDeviceConfigureRequestDispatching(
        Device: WDFDEVICE,
        Queue: WDFQUEUE,
        RequestType: WDF_REQUEST_TYPE,
    ) -> NTSTATUS;
    [228, WdfDeviceAddQueryInterfaceTableIndex, PFN_WDFDEVICEADDQUERYINTERFACE]
    fn WdfDeviceAddQueryInterface(Device: WDFDEVICE, InterfaceConfig: PWDF_QUERY_INTERFACE_CONFIG) -> NTSTATUS;
    [25, WdfControlDeviceInitAllocateTableIndex, PFN_WDFCONTROLDEVICEINITALLOCATE]
    fn WdfControlDeviceInitAllocate(Driver: WDFDRIVER, SDDLString: PCUNICODE_STRING) -> PWDFDEVICE_INIT;
    [27, WdfControlFinishInitializingTableIndex, PFN_WDFCONTROLFINISHINITIALIZING]
    fn WdfControlFinishInitializing(Device: WDFDEVICE);

    // Objects and contexts.

    [202, WdfObjectGetTypedContextWorkerTableIndex, PFN_WDFOBJECTGETTYPEDCONTEXTWORKER]
    fn WdfObjectGetTypedContextWorker(Handle: WDFOBJECT, TypeInfo: PCWDF_OBJECT_CONTEXT_TYPE_INFO) -> PVOID;
    [203, WdfObjectAllocateContextTableIndex, PFN_WDFOBJECTALLOCATECONTEXT]
    fn WdfObjectAllocateContext(
        Handle: WDFOBJECT,
        ContextAttributes: PWDF_OBJECT_ATTRIBUTES,
        Context: *mut PVOID,
    ) -> NTSTATUS;
    [204, WdfObjectContextGetObjectTableIndex, PFN_WDFOBJECTCONTEXTGETOBJECT]
    fn WdfObjectContextGetObject(ContextPointer: PVOID) -> WDFOBJECT;
    [205, WdfObjectReferenceActualTableIndex, PFN_WDFOBJECTREFERENCEACTUAL]
    fn WdfObjectReferenceActual(Handle: WDFOBJECT, Tag: PVOID, Line: LONG, File: PCCH);
    [206, WdfObjectDereferenceActualTableIndex, PFN_WDFOBJECTDEREFERENCEACTUAL]
    fn WdfObjectDereferenceActual(Handle: WDFOBJECT, Tag: PVOID, Line: LONG, File: PCCH);
    [207, WdfObjectCreateTableIndex, PFN_WDFOBJECTCREATE]
    fn WdfObjectCreate(Attributes: PWDF_OBJECT_ATTRIBUTES, Object: *mut WDFOBJECT) -> NTSTATUS;
    [208, WdfObjectDeleteTableIndex, PFN_WDFOBJECTDELETE]
    fn WdfObjectDelete(Object: WDFOBJECT);
    [310, WdfObjectAcquireLockTableIndex, PFN_WDFOBJECTACQUIRELOCK]
    fn WdfObjectAcquireLock(Object: WDFOBJECT);
    [311, WdfObjectReleaseLockTableIndex, PFN_WDFOBJECTRELEASELOCK]
    fn WdfObjectReleaseLock(Object: WDFOBJECT);

    // Interrupts.

    [141, WdfInterruptCreateTableIndex, PFN_WDFINTERRUPTCREATE]
    fn WdfInterruptCreate(
        Device: WDFDEVICE,
        Configuration: PWDF_INTERRUPT_CONFIG,
        Attributes: PWDF_OBJECT_ATTRIBUTES,
        Interrupt: *mut WDFINTERRUPT,
    ) -> NTSTATUS;
    [142, WdfInterruptQueueDpcForIsrTableIndex, PFN_WDFINTERRUPTQUEUEDPCFORISR]
    fn WdfInterruptQueueDpcForIsr(Interrupt: WDFINTERRUPT) -> BOOLEAN;
    [143, WdfInterruptSynchronizeTableIndex, PFN_WDFINTERRUPTSYNCHRONIZE]
    fn WdfInterruptSynchronize(
        Interrupt: WDFINTERRUPT,
        Callback: PFN_WDF_INTERRUPT_SYNCHRONIZE,
        Context: WDFCONTEXT,
    ) -> BOOLEAN;
    [144, WdfInterruptAcquireLockTableIndex, PFN_WDFINTERRUPTACQUIRELOCK]
    fn WdfInterruptAcquireLock(Interrupt: WDFINTERRUPT);
    [145, WdfInterruptReleaseLockTableIndex, PFN_WDFINTERRUPTRELEASELOCK]
    fn WdfInterruptReleaseLock(Interrupt: WDFINTERRUPT);
    [146, WdfInterruptEnableTableIndex, PFN_WDFINTERRUPTENABLE]
    fn WdfInterruptEnable(Interrupt: WDFINTERRUPT);
    [147, WdfInterruptDisableTableIndex, PFN_WDFINTERRUPTDISABLE]
    fn WdfInterruptDisable(Interrupt: WDFINTERRUPT);
    [148, WdfInterruptWdmGetInterruptTableIndex, PFN_WDFINTERRUPTWDMGETINTERRUPT]
    fn WdfInterruptWdmGetInterrupt(Interrupt: WDFINTERRUPT) -> PKINTERRUPT;
    [149, WdfInterruptGetInfoTableIndex, PFN_WDFINTERRUPTGETINFO]
    fn WdfInterruptGetInfo(Interrupt: WDFINTERRUPT, Info: PWDF_INTERRUPT_INFO);
    [150, WdfInterruptSetPolicyTableIndex, PFN_WDFINTERRUPTSETPOLICY]
    fn WdfInterruptSetPolicy(
        Interrupt: WDFINTERRUPT,
        Policy: WDF_INTERRUPT_POLICY,
        Priority: WDF_INTERRUPT_PRIORITY,
        TargetProcessorSet: KAFFINITY,
    );
    [151, WdfInterruptGetDeviceTableIndex, PFN_WDFINTERRUPTGETDEVICE]
    fn WdfInterruptGetDevice(Interrupt: WDFINTERRUPT) -> WDFDEVICE;
    /// From KMDF 1.9 on.
    [389, WdfInterruptSetExtendedPolicyTableIndex, PFN_WDFINTERRUPTSETEXTENDEDPOLICY]
    fn WdfInterruptSetExtendedPolicy(Interrupt: WDFINTERRUPT, PolicyAndGroup: PWDF_INTERRUPT_EXTENDED_POLICY);
    /// From KMDF 1.11 on.
    [416, WdfInterruptQueueWorkItemForIsrTableIndex, PFN_WDFINTERRUPTQUEUEWORKITEMFORISR]
    fn WdfInterruptQueueWorkItemForIsr(Interrupt: WDFINTERRUPT) -> BOOLEAN;
    /// From KMDF 1.11 on.
    [417, WdfInterruptTryToAcquireLockTableIndex, PFN_WDFINTERRUPTTRYTOACQUIRELOCK]
    fn WdfInterruptTryToAcquireLock(Interrupt: WDFINTERRUPT) -> BOOLEAN;
    /// From KMDF 1.11 on.
    [428, WdfInterruptReportActiveTableIndex, PFN_WDFINTERRUPTREPORTACTIVE]
    fn WdfInterruptReportActive(Interrupt: WDFINTERRUPT);
    /// From KMDF 1.11 on.
    [429, WdfInterruptReportInactiveTableIndex, PFN_WDFINTERRUPTREPORTINACTIVE]
    fn WdfInterruptReportInactive(Interrupt: WDFINTERRUPT);

    // Resource requirements.

    [286, WdfIoResourceRequirementsListSetSlotNumberTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTSETSLOTNUMBER]
    fn WdfIoResourceRequirementsListSetSlotNumber(RequirementsList: WDFIORESREQLIST, SlotNumber: ULONG);
    [287, WdfIoResourceRequirementsListSetInterfaceTypeTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTSETINTERFACETYPE]
    fn WdfIoResourceRequirementsListSetInterfaceType(
        RequirementsList: WDFIORESREQLIST,
        InterfaceType: INTERFACE_TYPE,
    );
    [288, WdfIoResourceRequirementsListAppendIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTAPPENDIORESLIST]
    fn WdfIoResourceRequirementsListAppendIoResList(
        RequirementsList: WDFIORESREQLIST,
        IoResList: WDFIORESLIST,
    ) -> NTSTATUS;
    [289, WdfIoResourceRequirementsListInsertIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTINSERTIORESLIST]
    fn WdfIoResourceRequirementsListInsertIoResList(
        RequirementsList: WDFIORESREQLIST,
        IoResList: WDFIORESLIST,
        Index: ULONG,
    ) -> NTSTATUS;
    [290, WdfIoResourceRequirementsListGetCountTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTGETCOUNT]
    fn WdfIoResourceRequirementsListGetCount(RequirementsList: WDFIORESREQLIST) -> ULONG;
    [291, WdfIoResourceRequirementsListGetIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTGETIORESLIST]
    fn WdfIoResourceRequirementsListGetIoResList(RequirementsList: WDFIORESREQLIST, Index: ULONG) -> WDFIORESLIST;
    [292, WdfIoResourceRequirementsListRemoveTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTREMOVE]
    fn WdfIoResourceRequirementsListRemove(RequirementsList: WDFIORESREQLIST, Index: ULONG);
    [293, WdfIoResourceRequirementsListRemoveByIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTREMOVEBYIORESLIST]
    fn WdfIoResourceRequirementsListRemoveByIoResList(RequirementsList: WDFIORESREQLIST, IoResList: WDFIORESLIST);
    [294, WdfIoResourceListCreateTableIndex, PFN_WDFIORESOURCELISTCREATE]
    fn WdfIoResourceListCreate(
        RequirementsList: WDFIORESREQLIST,
        Attributes: PWDF_OBJECT_ATTRIBUTES,
        ResourceList: *mut WDFIORESLIST,
    ) -> NTSTATUS;
    [295, WdfIoResourceListAppendDescriptorTableIndex, PFN_WDFIORESOURCELISTAPPENDDESCRIPTOR]
    fn WdfIoResourceListAppendDescriptor(
        ResourceList: WDFIORESLIST,
        Descriptor: PIO_RESOURCE_DESCRIPTOR,
    ) -> NTSTATUS;
    [296, WdfIoResourceListInsertDescriptorTableIndex, PFN_WDFIORESOURCELISTINSERTDESCRIPTOR]
    fn WdfIoResourceListInsertDescriptor(
        ResourceList: WDFIORESLIST,
        Descriptor: PIO_RESOURCE_DESCRIPTOR,
        Index: ULONG,
    ) -> NTSTATUS;
    [297, WdfIoResourceListUpdateDescriptorTableIndex, PFN_WDFIORESOURCELISTUPDATEDESCRIPTOR]
    fn WdfIoResourceListUpdateDescriptor(
        ResourceList: WDFIORESLIST,
        Descriptor: PIO_RESOURCE_DESCRIPTOR,
        Index: ULONG,
    );
    [298, WdfIoResourceListGetCountTableIndex, PFN_WDFIORESOURCELISTGETCOUNT]
    fn WdfIoResourceListGetCount(ResourceList: WDFIORESLIST) -> ULONG;
    [299, WdfIoResourceListGetDescriptorTableIndex, PFN_WDFIORESOURCELISTGETDESCRIPTOR]
    fn WdfIoResourceListGetDescriptor(ResourceList: WDFIORESLIST, Index: ULONG) -> PIO_RESOURCE_DESCRIPTOR;
    [300, WdfIoResourceListRemoveTableIndex, PFN_WDFIORESOURCELISTREMOVE]
    fn WdfIoResourceListRemove(ResourceList: WDFIORESLIST, Index: ULONG);
    [301, WdfIoResourceListRemoveByDescriptorTableIndex, PFN_WDFIORESOURCELISTREMOVEBYDESCRIPTOR]
    fn WdfIoResourceListRemoveByDescriptor(ResourceList: WDFIORESLIST, Descriptor: PIO_RESOURCE_DESCRIPTOR);

    // Assigned resources.

    [302, WdfCmResourceListAppendDescriptorTableIndex, PFN_WDFCMRESOURCELISTAPPENDDESCRIPTOR]
    fn WdfCmResourceListAppendDescriptor(
        List: WDFCMRESLIST,
        Descriptor: PCM_PARTIAL_RESOURCE_DESCRIPTOR,
    ) -> NTSTATUS;
    [303, WdfCmResourceListInsertDescriptorTableIndex, PFN_WDFCMRESOURCELISTINSERTDESCRIPTOR]
    fn WdfCmResourceListInsertDescriptor(
        List: WDFCMRESLIST,
        Descriptor: PCM_PARTIAL_RESOURCE_DESCRIPTOR,
        Index: ULONG,
    ) -> NTSTATUS;
    [304, WdfCmResourceListGetCountTableIndex, PFN_WDFCMRESOURCELISTGETCOUNT]
    fn WdfCmResourceListGetCount(List: WDFCMRESLIST) -> ULONG;
    [305, WdfCmResourceListGetDescriptorTableIndex, PFN_WDFCMRESOURCELISTGETDESCRIPTOR]
    fn WdfCmResourceListGetDescriptor(List: WDFCMRESLIST, Index: ULONG) -> PCM_PARTIAL_RESOURCE_DESCRIPTOR;
    [306, WdfCmResourceListRemoveTableIndex, PFN_WDFCMRESOURCELISTREMOVE]
    fn WdfCmResourceListRemove(List: WDFCMRESLIST, Index: ULONG);
    [307, WdfCmResourceListRemoveByDescriptorTableIndex, PFN_WDFCMRESOURCELISTREMOVEBYDESCRIPTOR]
    fn WdfCmResourceListRemoveByDescriptor(List: WDFCMRESLIST, Descriptor: PCM_PARTIAL_RESOURCE_DESCRIPTOR);

    // Deferred calls.

    [111, WdfDpcCreateTableIndex, PFN_WDFDPCCREATE]
    fn WdfDpcCreate(Config: PWDF_DPC_CONFIG, Attributes: PWDF_OBJECT_ATTRIBUTES, Dpc: *mut WDFDPC) -> NTSTATUS;
    [112, WdfDpcEnqueueTableIndex, PFN_WDFDPCENQUEUE]
    fn WdfDpcEnqueue(Dpc: WDFDPC) -> BOOLEAN;
    [113, WdfDpcCancelTableIndex, PFN_WDFDPCCANCEL]
    fn WdfDpcCancel(Dpc: WDFDPC, Wait: BOOLEAN) -> BOOLEAN;
    [114, WdfDpcGetParentObjectTableIndex, PFN_WDFDPCGETPARENTOBJECT]
    fn WdfDpcGetParentObject(Dpc: WDFDPC) -> WDFOBJECT;
    [115, WdfDpcWdmGetDpcTableIndex, PFN_WDFDPCWDMGETDPC]
    fn WdfDpcWdmGetDpc(Dpc: WDFDPC) -> PKDPC;

    // Work items.

    [379, WdfWorkItemCreateTableIndex, PFN_WDFWORKITEMCREATE]
    fn WdfWorkItemCreate(
        Config: PWDF_WORKITEM_CONFIG,
        Attributes: PWDF_OBJECT_ATTRIBUTES,
        WorkItem: *mut WDFWORKITEM,
    ) -> NTSTATUS;
    [380, WdfWorkItemEnqueueTableIndex, PFN_WDFWORKITEMENQUEUE]
    fn WdfWorkItemEnqueue(WorkItem: WDFWORKITEM);
    [381, WdfWorkItemGetParentObjectTableIndex, PFN_WDFWORKITEMGETPARENTOBJECT]
    fn WdfWorkItemGetParentObject(WorkItem: WDFWORKITEM) -> WDFOBJECT;
    [382, WdfWorkItemFlushTableIndex, PFN_WDFWORKITEMFLUSH]
    fn WdfWorkItemFlush(WorkItem: WDFWORKITEM);

    // Timers.

    [318, WdfTimerCreateTableIndex, PFN_WDFTIMERCREATE]
    fn WdfTimerCreate(
        Config: PWDF_TIMER_CONFIG,
        Attributes: PWDF_OBJECT_ATTRIBUTES,
        Timer: *mut WDFTIMER,
    ) -> NTSTATUS;
    [319, WdfTimerStartTableIndex, PFN_WDFTIMERSTART]
    fn WdfTimerStart(Timer: WDFTIMER, DueTime: LONGLONG) -> BOOLEAN;
    [320, WdfTimerStopTableIndex, PFN_WDFTIMERSTOP]
    fn WdfTimerStop(Timer: WDFTIMER, Wait: BOOLEAN) -> BOOLEAN;
    [321, WdfTimerGetParentObjectTableIndex, PFN_WDFTIMERGETPARENTOBJECT]
    fn WdfTimerGetParentObject(Timer: WDFTIMER) -> WDFOBJECT;

    // Locks.

    [312, WdfWaitLockCreateTableIndex, PFN_WDFWAITLOCKCREATE]
    fn WdfWaitLockCreate(LockAttributes: PWDF_OBJECT_ATTRIBUTES, Lock: *mut WDFWAITLOCK) -> NTSTATUS;
    [313, WdfWaitLockAcquireTableIndex, PFN_WDFWAITLOCKACQUIRE]
    fn WdfWaitLockAcquire(Lock: WDFWAITLOCK, Timeout: PLONGLONG) -> NTSTATUS;
    [314, WdfWaitLockReleaseTableIndex, PFN_WDFWAITLOCKRELEASE]
    fn WdfWaitLockRelease(Lock: WDFWAITLOCK);
    [315, WdfSpinLockCreateTableIndex, PFN_WDFSPINLOCKCREATE]
    fn WdfSpinLockCreate(SpinLockAttributes: PWDF_OBJECT_ATTRIBUTES, SpinLock: *mut WDFSPINLOCK) -> NTSTATUS;
    [316, WdfSpinLockAcquireTableIndex, PFN_WDFSPINLOCKACQUIRE]
    fn WdfSpinLockAcquire(SpinLock: WDFSPINLOCK);
    [317, WdfSpinLockReleaseTableIndex, PFN_WDFSPINLOCKRELEASE]
    fn WdfSpinLockRelease(SpinLock: WDFSPINLOCK);

    // Registry, strings, memory.

    [229, WdfRegistryOpenKeyTableIndex, PFN_WDFREGISTRYOPENKEY]
    fn WdfRegistryOpenKey(
        ParentKey: WDFKEY,
        KeyName: PCUNICODE_STRING,
        DesiredAccess: ACCESS_MASK,
        KeyAttributes: PWDF_OBJECT_ATTRIBUTES,
        Key: *mut WDFKEY,
    ) -> NTSTATUS;
    [230, WdfRegistryCreateKeyTableIndex, PFN_WDFREGISTRYCREATEKEY]
    fn WdfRegistryCreateKey(
        ParentKey: WDFKEY,
        KeyName: PCUNICODE_STRING,
        DesiredAccess: ACCESS_MASK,
        CreateOptions: ULONG,
        CreateDisposition: PULONG,
        KeyAttributes: PWDF_OBJECT_ATTRIBUTES,
        Key: *mut WDFKEY,
    ) -> NTSTATUS;
    [231, WdfRegistryCloseTableIndex, PFN_WDFREGISTRYCLOSE]
    fn WdfRegistryClose(Key: WDFKEY);
    [232, WdfRegistryWdmGetHandleTableIndex, PFN_WDFREGISTRYWDMGETHANDLE]
    fn WdfRegistryWdmGetHandle(Key: WDFKEY) -> HANDLE;
    [235, WdfRegistryQueryValueTableIndex, PFN_WDFREGISTRYQUERYVALUE]
    fn WdfRegistryQueryValue(
        Key: WDFKEY,
        ValueName: PCUNICODE_STRING,
        ValueLength: ULONG,
        Value: PVOID,
        ValueLengthQueried: PULONG,
        ValueType: PULONG,
    ) -> NTSTATUS;
    [238, WdfRegistryQueryUnicodeStringTableIndex, PFN_WDFREGISTRYQUERYUNICODESTRING]
    fn WdfRegistryQueryUnicodeString(
        Key: WDFKEY,
        ValueName: PCUNICODE_STRING,
        ValueByteLength: PUSHORT,
        Value: PUNICODE_STRING,
    ) -> NTSTATUS;
    [240, WdfRegistryQueryULongTableIndex, PFN_WDFREGISTRYQUERYULONG]
    fn WdfRegistryQueryULong(Key: WDFKEY, ValueName: PCUNICODE_STRING, Value: PULONG) -> NTSTATUS;
    [246, WdfRegistryAssignULongTableIndex, PFN_WDFREGISTRYASSIGNULONG]
    fn WdfRegistryAssignULong(Key: WDFKEY, ValueName: PCUNICODE_STRING, Value: ULONG) -> NTSTATUS;
    [308, WdfStringCreateTableIndex, PFN_WDFSTRINGCREATE]
    fn WdfStringCreate(
        UnicodeString: PCUNICODE_STRING,
        StringAttributes: PWDF_OBJECT_ATTRIBUTES,
        String: *mut WDFSTRING,
    ) -> NTSTATUS;
    [309, WdfStringGetUnicodeStringTableIndex, PFN_WDFSTRINGGETUNICODESTRING]
    fn WdfStringGetUnicodeString(String: WDFSTRING, UnicodeString: PUNICODE_STRING);
    [194, WdfMemoryGetBufferTableIndex, PFN_WDFMEMORYGETBUFFER]
    fn WdfMemoryGetBuffer(Memory: WDFMEMORY, BufferSize: *mut usize) -> PVOID;

    // Queues.

    [152, WdfIoQueueCreateTableIndex, PFN_WDFIOQUEUECREATE]
    fn WdfIoQueueCreate(
        Device: WDFDEVICE,
        Config: PWDF_IO_QUEUE_CONFIG,
        QueueAttributes: PWDF_OBJECT_ATTRIBUTES,
        Queue: *mut WDFQUEUE,
    ) -> NTSTATUS;
    [153, WdfIoQueueGetStateTableIndex, PFN_WDFIOQUEUEGETSTATE]
    fn WdfIoQueueGetState(Queue: WDFQUEUE, QueueRequests: PULONG, DriverRequests: PULONG) -> WDF_IO_QUEUE_STATE;
    [154, WdfIoQueueStartTableIndex, PFN_WDFIOQUEUESTART]
    fn WdfIoQueueStart(Queue: WDFQUEUE);
    [155, WdfIoQueueStopTableIndex, PFN_WDFIOQUEUESTOP]
    fn WdfIoQueueStop(Queue: WDFQUEUE, StopComplete: PFN_WDF_IO_QUEUE_STATE, Context: WDFCONTEXT);
    [156, WdfIoQueueStopSynchronouslyTableIndex, PFN_WDFIOQUEUESTOPSYNCHRONOUSLY]
    fn WdfIoQueueStopSynchronously(Queue: WDFQUEUE);
    [157, WdfIoQueueGetDeviceTableIndex, PFN_WDFIOQUEUEGETDEVICE]
    fn WdfIoQueueGetDevice(Queue: WDFQUEUE) -> WDFDEVICE;
    [158, WdfIoQueueRetrieveNextRequestTableIndex, PFN_WDFIOQUEUERETRIEVENEXTREQUEST]
    fn WdfIoQueueRetrieveNextRequest(Queue: WDFQUEUE, OutRequest: *mut WDFREQUEST) -> NTSTATUS;
    [164, WdfIoQueuePurgeSynchronouslyTableIndex, PFN_WDFIOQUEUEPURGESYNCHRONOUSLY]
    fn WdfIoQueuePurgeSynchronously(Queue: WDFQUEUE);

    // Requests.

    [266, WdfRequestGetParametersTableIndex, PFN_WDFREQUESTGETPARAMETERS]
    fn WdfRequestGetParameters(Request: WDFREQUEST, Parameters: PWDF_REQUEST_PARAMETERS);
    [269, WdfRequestRetrieveInputBufferTableIndex, PFN_WDFREQUESTRETRIEVEINPUTBUFFER]
    fn WdfRequestRetrieveInputBuffer(
        Request: WDFREQUEST,
        MinimumRequiredLength: usize,
        Buffer: *mut PVOID,
        Length: *mut usize,
    ) -> NTSTATUS;
    [270, WdfRequestRetrieveOutputBufferTableIndex, PFN_WDFREQUESTRETRIEVEOUTPUTBUFFER]
    fn WdfRequestRetrieveOutputBuffer(
        Request: WDFREQUEST,
        MinimumRequiredSize: usize,
        Buffer: *mut PVOID,
        Length: *mut usize,
    ) -> NTSTATUS;
    [263, WdfRequestCompleteTableIndex, PFN_WDFREQUESTCOMPLETE]
    fn WdfRequestComplete(Request: WDFREQUEST, Status: NTSTATUS);
    [265, WdfRequestCompleteWithInformationTableIndex, PFN_WDFREQUESTCOMPLETEWITHINFORMATION]
    fn WdfRequestCompleteWithInformation(Request: WDFREQUEST, Status: NTSTATUS, Information: ULONG_PTR);
    [275, WdfRequestSetInformationTableIndex, PFN_WDFREQUESTSETINFORMATION]
    fn WdfRequestSetInformation(Request: WDFREQUEST, Information: ULONG_PTR);
    [276, WdfRequestGetInformationTableIndex, PFN_WDFREQUESTGETINFORMATION]
    fn WdfRequestGetInformation(Request: WDFREQUEST) -> ULONG_PTR;
    [254, WdfRequestGetStatusTableIndex, PFN_WDFREQUESTGETSTATUS]
    fn WdfRequestGetStatus(Request: WDFREQUEST) -> NTSTATUS;
    [255, WdfRequestMarkCancelableTableIndex, PFN_WDFREQUESTMARKCANCELABLE]
    fn WdfRequestMarkCancelable(Request: WDFREQUEST, EvtRequestCancel: PFN_WDF_REQUEST_CANCEL);
    /// From KMDF 1.9 on.
    [393, WdfRequestMarkCancelableExTableIndex, PFN_WDFREQUESTMARKCANCELABLEEX]
    fn WdfRequestMarkCancelableEx(Request: WDFREQUEST, EvtRequestCancel: PFN_WDF_REQUEST_CANCEL) -> NTSTATUS;
    [256, WdfRequestUnmarkCancelableTableIndex, PFN_WDFREQUESTUNMARKCANCELABLE]
    fn WdfRequestUnmarkCancelable(Request: WDFREQUEST) -> NTSTATUS;
    [257, WdfRequestIsCanceledTableIndex, PFN_WDFREQUESTISCANCELED]
    fn WdfRequestIsCanceled(Request: WDFREQUEST) -> BOOLEAN;
    [277, WdfRequestGetFileObjectTableIndex, PFN_WDFREQUESTGETFILEOBJECT]
    fn WdfRequestGetFileObject(Request: WDFREQUEST) -> WDFFILEOBJECT;
    [280, WdfRequestGetRequestorModeTableIndex, PFN_WDFREQUESTGETREQUESTORMODE]
    fn WdfRequestGetRequestorMode(Request: WDFREQUEST) -> KPROCESSOR_MODE;
    [281, WdfRequestForwardToIoQueueTableIndex, PFN_WDFREQUESTFORWARDTOIOQUEUE]
    fn WdfRequestForwardToIoQueue(Request: WDFREQUEST, DestinationQueue: WDFQUEUE) -> NTSTATUS;
    [282, WdfRequestGetIoQueueTableIndex, PFN_WDFREQUESTGETIOQUEUE]
    fn WdfRequestGetIoQueue(Request: WDFREQUEST) -> WDFQUEUE;
    [284, WdfRequestStopAcknowledgeTableIndex, PFN_WDFREQUESTSTOPACKNOWLEDGE]
    fn WdfRequestStopAcknowledge(Request: WDFREQUEST, Requeue: BOOLEAN);
    [285, WdfRequestWdmGetIrpTableIndex, PFN_WDFREQUESTWDMGETIRP]
    fn WdfRequestWdmGetIrp(Request: WDFREQUEST) -> PIRP;

    // Verifier.

    [367, WdfVerifierDbgBreakPointTableIndex, PFN_WDFVERIFIERDBGBREAKPOINT]
    fn WdfVerifierDbgBreakPoint();
    [368, WdfVerifierKeBugCheckTableIndex, PFN_WDFVERIFIERKEBUGCHECK]
    fn WdfVerifierKeBugCheck(
        BugCheckCode: ULONG,
        BugCheckParameter1: ULONG_PTR,
        BugCheckParameter2: ULONG_PTR,
        BugCheckParameter3: ULONG_PTR,
        BugCheckParameter4: ULONG_PTR,
    );
}
