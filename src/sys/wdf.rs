//! `wdf.h`: the Kernel-Mode Driver Framework.
//!
//! * Structures have their newest form. Members are only ever appended, so a driver bound to an older
//!   framework sets `Size` to what that version knows; the constants `.._SIZE_V1_7` and their like are those
//!   sizes. All-zero is not always a valid initial value: see the `*_INIT` functions of the C headers.
//! * Functions are slots of a table that the loader fills. `wdf_functions!` lists those used here; each line
//!   gives the number of the slot, the type of its content and a function that calls through it.
//! * The table and the globals are two variables that the driver's entry stub defines: in a kernel image this
//!   crate's, with the feature `wdk` the kit's, in a host process whatever plays the framework.
//!
//! # Safety
//!
//! The functions here add one thing to a call through the table: they find the entry. That is sound from the
//! moment the stub has bound the driver, and before it unbinds, for slots below the bound number of functions;
//! driver code runs at no other time. What each function asks of its arguments, and of the level, is stated by
//! Microsoft's page of that name and is the caller's duty; the `kmdf` module keeps those rules.

#![expect(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "C names, documented by Microsoft"
)]
#![expect(
    unsafe_code,
    reason = "declares foreign functions and calls through the table"
)]

use core::ffi::c_void;

use super::{
    ACCESS_MASK, BOOLEAN, CHAR, DEVICE_POWER_STATE, DEVICE_REGISTRY_PROPERTY, DEVICE_RELATION_TYPE,
    GROUP_AFFINITY, HANDLE, INTERFACE_TYPE, KAFFINITY, KINTERRUPT_MODE, KIRQL, KPROCESSOR_MODE,
    LONG, LONGLONG, LPCGUID, LPGUID, NTSTATUS, PCCH, PCHAR, PCM_PARTIAL_RESOURCE_DESCRIPTOR,
    PCUNICODE_STRING, PCWSTR, PDEVICE_OBJECT, PDRIVER_OBJECT, PINTERFACE, PIO_RESOURCE_DESCRIPTOR,
    PIO_SECURITY_CONTEXT, PIRP, PKDPC, PKINTERRUPT, PLONGLONG, POOL_TYPE, PUCHAR, PULONG,
    PUNICODE_STRING, PUSHORT, PVOID, PWSTR, SYSTEM_POWER_STATE, UCHAR, ULONG, ULONG_PTR, ULONG64,
    USHORT, WCHAR,
};

// Handles: each kind a type of its own, none a pointer to anything.

/// `WDFxxx` as a pointer to its own opaque structure.
macro_rules! handles {
    ($($handle:ident $opaque:ident,)*) => {
        opaque! { $($opaque)* }
        $(pub type $handle = *mut $opaque;)*
    };
}

handles! {
    WDFCMRESLIST WDFCMRESLIST__,
    WDFDEVICE WDFDEVICE__,
    WDFDPC WDFDPC__,
    WDFDRIVER WDFDRIVER__,
    WDFFILEOBJECT WDFFILEOBJECT__,
    WDFINTERRUPT WDFINTERRUPT__,
    WDFIORESLIST WDFIORESLIST__,
    WDFIORESREQLIST WDFIORESREQLIST__,
    WDFIOTARGET WDFIOTARGET__,
    WDFKEY WDFKEY__,
    WDFMEMORY WDFMEMORY__,
    WDFQUEUE WDFQUEUE__,
    WDFREQUEST WDFREQUEST__,
    WDFSPINLOCK WDFSPINLOCK__,
    WDFSTRING WDFSTRING__,
    WDFTIMER WDFTIMER__,
    WDFWAITLOCK WDFWAITLOCK__,
    WDFWORKITEM WDFWORKITEM__,
}

opaque! { WDFDEVICE_INIT }
pub type PWDFDEVICE_INIT = *mut WDFDEVICE_INIT;

/// Any framework object; every handle converts to it by a cast.
pub type WDFOBJECT = *mut c_void;
pub type WDFCONTEXT = *mut c_void;

pub const WDF_NO_HANDLE: PVOID = core::ptr::null_mut();
pub const WDF_NO_CONTEXT: PVOID = core::ptr::null_mut();
pub const WDF_NO_OBJECT_ATTRIBUTES: PWDF_OBJECT_ATTRIBUTES = core::ptr::null_mut();
pub const WDF_INSERT_AT_END: u32 = 0xFFFF_FFFF;

/// The bug check of every fatal misuse; its first parameter is one of `_WDF_BUGCHECK_CODES`.
pub const WDF_VIOLATION: u32 = 0x10D;

// Enumerations.

c_enum!(_WDF_TRI_STATE, WDF_TRI_STATE {
    WdfFalse = 0,
    WdfTrue = 1,
    WdfUseDefault = 2,
});

c_enum!(_WDF_EXECUTION_LEVEL, WDF_EXECUTION_LEVEL {
    WdfExecutionLevelInvalid = 0,
    WdfExecutionLevelInheritFromParent = 1,
    WdfExecutionLevelPassive = 2,
    WdfExecutionLevelDispatch = 3,
});

c_enum!(_WDF_SYNCHRONIZATION_SCOPE, WDF_SYNCHRONIZATION_SCOPE {
    WdfSynchronizationScopeInvalid = 0,
    WdfSynchronizationScopeInheritFromParent = 1,
    WdfSynchronizationScopeDevice = 2,
    WdfSynchronizationScopeQueue = 3,
    WdfSynchronizationScopeNone = 4,
});

c_enum!(_WDF_DRIVER_INIT_FLAGS, WDF_DRIVER_INIT_FLAGS {
    WdfDriverInitNonPnpDriver = 1,
    WdfDriverInitNoDispatchOverride = 2,
    WdfVerifyOn = 4,
    WdfVerifierOn = 8,
    WdfDriverInitCompanion = 16,
});

c_enum!(_WDF_DEVICE_IO_TYPE, WDF_DEVICE_IO_TYPE {
    WdfDeviceIoUndefined = 0,
    WdfDeviceIoNeither = 1,
    WdfDeviceIoBuffered = 2,
    WdfDeviceIoDirect = 3,
    WdfDeviceIoBufferedOrDirect = 4,
    WdfDeviceIoMaximum = 5,
});

c_enum!(_WDF_DEVICE_FAILED_ACTION, WDF_DEVICE_FAILED_ACTION {
    WdfDeviceFailedUndefined = 0,
    WdfDeviceFailedAttemptRestart = 1,
    WdfDeviceFailedNoRestart = 2,
});

c_enum!(_WDF_POWER_DEVICE_STATE, WDF_POWER_DEVICE_STATE {
    WdfPowerDeviceInvalid = 0,
    WdfPowerDeviceD0 = 1,
    WdfPowerDeviceD1 = 2,
    WdfPowerDeviceD2 = 3,
    WdfPowerDeviceD3 = 4,
    WdfPowerDeviceD3Final = 5,
    WdfPowerDevicePrepareForHibernation = 6,
    WdfPowerDeviceMaximum = 7,
});

c_enum!(_WDF_INTERRUPT_POLICY, WDF_INTERRUPT_POLICY {
    WdfIrqPolicyMachineDefault = 0,
    WdfIrqPolicyAllCloseProcessors = 1,
    WdfIrqPolicyOneCloseProcessor = 2,
    WdfIrqPolicyAllProcessorsInMachine = 3,
    WdfIrqPolicySpecifiedProcessors = 4,
    WdfIrqPolicySpreadMessagesAcrossAllProcessors = 5,
});

c_enum!(_WDF_INTERRUPT_PRIORITY, WDF_INTERRUPT_PRIORITY {
    WdfIrqPriorityUndefined = 0,
    WdfIrqPriorityLow = 1,
    WdfIrqPriorityNormal = 2,
    WdfIrqPriorityHigh = 3,
});

c_enum!(_WDF_INTERRUPT_POLARITY, WDF_INTERRUPT_POLARITY {
    WdfInterruptPolarityUnknown = 0,
    WdfInterruptActiveHigh = 1,
    WdfInterruptActiveLow = 2,
});

c_enum!(_WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE, WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE {
    WdfReleaseHardwareOrderOnFailureInvalid = 0,
    WdfReleaseHardwareOrderOnFailureEarly = 1,
    WdfReleaseHardwareOrderOnFailureAfterDescendants = 2,
});

c_enum!(_WDF_IO_QUEUE_DISPATCH_TYPE, WDF_IO_QUEUE_DISPATCH_TYPE {
    WdfIoQueueDispatchInvalid = 0,
    WdfIoQueueDispatchSequential = 1,
    WdfIoQueueDispatchParallel = 2,
    WdfIoQueueDispatchManual = 3,
    WdfIoQueueDispatchMax = 4,
});

c_enum!(_WDF_IO_QUEUE_STATE, WDF_IO_QUEUE_STATE {
    WdfIoQueueAcceptRequests = 1,
    WdfIoQueueDispatchRequests = 2,
    WdfIoQueueNoRequests = 4,
    WdfIoQueueDriverNoRequests = 8,
    WdfIoQueuePnpHeld = 16,
});

c_enum!(_WDF_REQUEST_TYPE, WDF_REQUEST_TYPE {
    WdfRequestTypeCreate = 0,
    WdfRequestTypeCreateNamedPipe = 1,
    WdfRequestTypeClose = 2,
    WdfRequestTypeRead = 3,
    WdfRequestTypeWrite = 4,
    WdfRequestTypeQueryInformation = 5,
    WdfRequestTypeSetInformation = 6,
    WdfRequestTypeQueryEA = 7,
    WdfRequestTypeSetEA = 8,
    WdfRequestTypeFlushBuffers = 9,
    WdfRequestTypeQueryVolumeInformation = 10,
    WdfRequestTypeSetVolumeInformation = 11,
    WdfRequestTypeDirectoryControl = 12,
    WdfRequestTypeFileSystemControl = 13,
    WdfRequestTypeDeviceControl = 14,
    WdfRequestTypeDeviceControlInternal = 15,
    WdfRequestTypeShutdown = 16,
    WdfRequestTypeLockControl = 17,
    WdfRequestTypeCleanup = 18,
    WdfRequestTypeCreateMailSlot = 19,
    WdfRequestTypeQuerySecurity = 20,
    WdfRequestTypeSetSecurity = 21,
    WdfRequestTypePower = 22,
    WdfRequestTypeSystemControl = 23,
    WdfRequestTypeDeviceChange = 24,
    WdfRequestTypeQueryQuota = 25,
    WdfRequestTypeSetQuota = 26,
    WdfRequestTypePnp = 27,
    WdfRequestTypeOther = 28,
    WdfRequestTypeUsb = 64,
    WdfRequestTypeNoFormat = 255,
    WdfRequestTypeMax = 256,
});

c_enum!(_WDF_REQUEST_STOP_ACTION_FLAGS, WDF_REQUEST_STOP_ACTION_FLAGS {
    WdfRequestStopActionInvalid = 0,
    WdfRequestStopActionSuspend = 1,
    WdfRequestStopActionPurge = 2,
    WdfRequestStopRequestCancelable = 0x1000_0000,
});

c_enum!(_WDF_FILEOBJECT_CLASS, WDF_FILEOBJECT_CLASS {
    WdfFileObjectInvalid = 0,
    WdfFileObjectNotRequired = 1,
    WdfFileObjectWdfCanUseFsContext = 2,
    WdfFileObjectWdfCanUseFsContext2 = 3,
    WdfFileObjectWdfCannotUseFsContexts = 4,
    WdfFileObjectCanBeOptional = i32::MIN,
});

c_enum!(_WDF_SPECIAL_FILE_TYPE, WDF_SPECIAL_FILE_TYPE {
    WdfSpecialFileUndefined = 0,
    WdfSpecialFilePaging = 1,
    WdfSpecialFileHibernation = 2,
    WdfSpecialFileDump = 3,
    WdfSpecialFileBoot = 4,
    WdfSpecialFilePostDisplay = 5,
    WdfSpecialFileGuestAssigned = 6,
    WdfSpecialFileMax = 7,
});

c_enum!(_WDF_POWER_POLICY_S0_IDLE_CAPABILITIES, WDF_POWER_POLICY_S0_IDLE_CAPABILITIES {
    IdleCapsInvalid = 0,
    IdleCannotWakeFromS0 = 1,
    IdleCanWakeFromS0 = 2,
    IdleUsbSelectiveSuspend = 3,
});

c_enum!(_WDF_POWER_POLICY_S0_IDLE_USER_CONTROL, WDF_POWER_POLICY_S0_IDLE_USER_CONTROL {
    IdleUserControlInvalid = 0,
    IdleDoNotAllowUserControl = 1,
    IdleAllowUserControl = 2,
});

c_enum!(_WDF_BUGCHECK_CODES, WDF_BUGCHECK_CODES {
    WDF_POWER_ROUTINE_TIMED_OUT = 1,
    WDF_RECURSIVE_LOCK = 2,
    WDF_VERIFIER_FATAL_ERROR = 3,
    WDF_REQUIRED_PARAMETER_IS_NULL = 4,
    WDF_INVALID_HANDLE = 5,
    WDF_REQUEST_FATAL_ERROR = 6,
    WDF_OBJECT_ERROR = 7,
    WDF_DMA_FATAL_ERROR = 8,
    WDF_INVALID_INTERRUPT = 9,
    WDF_QUEUE_FATAL_ERROR = 10,
    WDF_INVALID_LOCK_OPERATION = 11,
    WDF_PNP_FATAL_ERROR = 12,
    WDF_POWER_MULTIPLE_PPO = 13,
    WDF_VERIFIER_IRQL_MISMATCH = 14,
    WDF_VERIFIER_CRITICAL_REGION_MISMATCH = 15,
    WDF_API_UNAVAILABLE = 16,
});

c_enum!(_WDF_POWER_POLICY_IDLE_TIMEOUT_TYPE, WDF_POWER_POLICY_IDLE_TIMEOUT_TYPE {
    DriverManagedIdleTimeout = 0,
    SystemManagedIdleTimeout = 1,
    SystemManagedIdleTimeoutWithHint = 2,
});

// Callbacks.

pub type PFN_WDF_DRIVER_DEVICE_ADD =
    Option<unsafe extern "C" fn(Driver: WDFDRIVER, DeviceInit: PWDFDEVICE_INIT) -> NTSTATUS>;
pub type PFN_WDF_DRIVER_UNLOAD = Option<unsafe extern "C" fn(Driver: WDFDRIVER)>;
pub type PFN_WDF_OBJECT_CONTEXT_CLEANUP = Option<unsafe extern "C" fn(Object: WDFOBJECT)>;
pub type PFN_WDF_OBJECT_CONTEXT_DESTROY = Option<unsafe extern "C" fn(Object: WDFOBJECT)>;
pub type PFN_WDF_DEVICE_FILTER_RESOURCE_REQUIREMENTS = Option<
    unsafe extern "C" fn(
        Device: WDFDEVICE,
        IoResourceRequirementsList: WDFIORESREQLIST,
    ) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_REMOVE_ADDED_RESOURCES = Option<
    unsafe extern "C" fn(
        Device: WDFDEVICE,
        ResourcesRaw: WDFCMRESLIST,
        ResourcesTranslated: WDFCMRESLIST,
    ) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_PREPARE_HARDWARE = Option<
    unsafe extern "C" fn(
        Device: WDFDEVICE,
        ResourcesRaw: WDFCMRESLIST,
        ResourcesTranslated: WDFCMRESLIST,
    ) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_RELEASE_HARDWARE =
    Option<unsafe extern "C" fn(Device: WDFDEVICE, ResourcesTranslated: WDFCMRESLIST) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_D0_ENTRY = Option<
    unsafe extern "C" fn(Device: WDFDEVICE, PreviousState: WDF_POWER_DEVICE_STATE) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_D0_ENTRY_POST_INTERRUPTS_ENABLED = Option<
    unsafe extern "C" fn(Device: WDFDEVICE, PreviousState: WDF_POWER_DEVICE_STATE) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_D0_EXIT = Option<
    unsafe extern "C" fn(Device: WDFDEVICE, TargetState: WDF_POWER_DEVICE_STATE) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_D0_EXIT_PRE_INTERRUPTS_DISABLED = Option<
    unsafe extern "C" fn(Device: WDFDEVICE, TargetState: WDF_POWER_DEVICE_STATE) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_SELF_MANAGED_IO_INIT =
    Option<unsafe extern "C" fn(Device: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND =
    Option<unsafe extern "C" fn(Device: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_SELF_MANAGED_IO_RESTART =
    Option<unsafe extern "C" fn(Device: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_SELF_MANAGED_IO_FLUSH = Option<unsafe extern "C" fn(Device: WDFDEVICE)>;
pub type PFN_WDF_DEVICE_SELF_MANAGED_IO_CLEANUP = Option<unsafe extern "C" fn(Device: WDFDEVICE)>;
pub type PFN_WDF_DEVICE_SURPRISE_REMOVAL = Option<unsafe extern "C" fn(Device: WDFDEVICE)>;
pub type PFN_WDF_DEVICE_QUERY_REMOVE = Option<unsafe extern "C" fn(Device: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_QUERY_STOP = Option<unsafe extern "C" fn(Device: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_USAGE_NOTIFICATION = Option<
    unsafe extern "C" fn(
        Device: WDFDEVICE,
        NotificationType: WDF_SPECIAL_FILE_TYPE,
        IsInNotificationPath: BOOLEAN,
    ),
>;
/// From KMDF 1.11 on.
pub type PFN_WDF_DEVICE_USAGE_NOTIFICATION_EX = Option<
    unsafe extern "C" fn(
        Device: WDFDEVICE,
        NotificationType: WDF_SPECIAL_FILE_TYPE,
        IsInNotificationPath: BOOLEAN,
    ) -> NTSTATUS,
>;
pub type PFN_WDF_DEVICE_RELATIONS_QUERY =
    Option<unsafe extern "C" fn(Device: WDFDEVICE, RelationType: DEVICE_RELATION_TYPE)>;
pub type PFN_WDF_DEVICE_PROCESS_QUERY_INTERFACE_REQUEST = Option<
    unsafe extern "C" fn(
        Device: WDFDEVICE,
        InterfaceType: LPGUID,
        ExposedInterface: PINTERFACE,
        ExposedInterfaceSpecificData: PVOID,
    ) -> NTSTATUS,
>;
pub type PFN_WDF_INTERRUPT_ISR =
    Option<unsafe extern "C" fn(Interrupt: WDFINTERRUPT, MessageID: ULONG) -> BOOLEAN>;
pub type PFN_WDF_INTERRUPT_DPC =
    Option<unsafe extern "C" fn(Interrupt: WDFINTERRUPT, AssociatedObject: WDFOBJECT)>;
/// From KMDF 1.11 on.
pub type PFN_WDF_INTERRUPT_WORKITEM =
    Option<unsafe extern "C" fn(Interrupt: WDFINTERRUPT, AssociatedObject: WDFOBJECT)>;
pub type PFN_WDF_INTERRUPT_SYNCHRONIZE =
    Option<unsafe extern "C" fn(Interrupt: WDFINTERRUPT, Context: WDFCONTEXT) -> BOOLEAN>;
pub type PFN_WDF_INTERRUPT_ENABLE =
    Option<unsafe extern "C" fn(Interrupt: WDFINTERRUPT, AssociatedDevice: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_INTERRUPT_DISABLE =
    Option<unsafe extern "C" fn(Interrupt: WDFINTERRUPT, AssociatedDevice: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DPC = Option<unsafe extern "C" fn(Dpc: WDFDPC)>;
pub type PFN_WDF_WORKITEM = Option<unsafe extern "C" fn(WorkItem: WDFWORKITEM)>;
pub type PFN_WDF_TIMER = Option<unsafe extern "C" fn(Timer: WDFTIMER)>;
pub type PFN_WDF_IO_QUEUE_IO_DEFAULT =
    Option<unsafe extern "C" fn(Queue: WDFQUEUE, Request: WDFREQUEST)>;
pub type PFN_WDF_IO_QUEUE_IO_READ =
    Option<unsafe extern "C" fn(Queue: WDFQUEUE, Request: WDFREQUEST, Length: usize)>;
pub type PFN_WDF_IO_QUEUE_IO_WRITE =
    Option<unsafe extern "C" fn(Queue: WDFQUEUE, Request: WDFREQUEST, Length: usize)>;
pub type PFN_WDF_IO_QUEUE_IO_DEVICE_CONTROL = Option<
    unsafe extern "C" fn(
        Queue: WDFQUEUE,
        Request: WDFREQUEST,
        OutputBufferLength: usize,
        InputBufferLength: usize,
        IoControlCode: ULONG,
    ),
>;
pub type PFN_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL = Option<
    unsafe extern "C" fn(
        Queue: WDFQUEUE,
        Request: WDFREQUEST,
        OutputBufferLength: usize,
        InputBufferLength: usize,
        IoControlCode: ULONG,
    ),
>;
pub type PFN_WDF_IO_QUEUE_IO_STOP =
    Option<unsafe extern "C" fn(Queue: WDFQUEUE, Request: WDFREQUEST, ActionFlags: ULONG)>;
pub type PFN_WDF_IO_QUEUE_IO_RESUME =
    Option<unsafe extern "C" fn(Queue: WDFQUEUE, Request: WDFREQUEST)>;
pub type PFN_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE =
    Option<unsafe extern "C" fn(Queue: WDFQUEUE, Request: WDFREQUEST)>;
pub type PFN_WDF_IO_QUEUE_STATE =
    Option<unsafe extern "C" fn(Queue: WDFQUEUE, Context: WDFCONTEXT)>;
pub type PFN_WDF_DEVICE_FILE_CREATE =
    Option<unsafe extern "C" fn(Device: WDFDEVICE, Request: WDFREQUEST, FileObject: WDFFILEOBJECT)>;
pub type PFN_WDF_FILE_CLOSE = Option<unsafe extern "C" fn(FileObject: WDFFILEOBJECT)>;
pub type PFN_WDF_FILE_CLEANUP = Option<unsafe extern "C" fn(FileObject: WDFFILEOBJECT)>;
pub type PFN_WDF_REQUEST_CANCEL = Option<unsafe extern "C" fn(Request: WDFREQUEST)>;
pub type PFN_WDF_DEVICE_ARM_WAKE_FROM_S0 =
    Option<unsafe extern "C" fn(Device: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_DISARM_WAKE_FROM_S0 = Option<unsafe extern "C" fn(Device: WDFDEVICE)>;
pub type PFN_WDF_DEVICE_WAKE_FROM_S0_TRIGGERED = Option<unsafe extern "C" fn(Device: WDFDEVICE)>;
pub type PFN_WDF_DEVICE_ARM_WAKE_FROM_SX =
    Option<unsafe extern "C" fn(Device: WDFDEVICE) -> NTSTATUS>;
pub type PFN_WDF_DEVICE_DISARM_WAKE_FROM_SX = Option<unsafe extern "C" fn(Device: WDFDEVICE)>;
pub type PFN_WDF_DEVICE_WAKE_FROM_SX_TRIGGERED = Option<unsafe extern "C" fn(Device: WDFDEVICE)>;
pub type PFN_WDF_DEVICE_ARM_WAKE_FROM_SX_WITH_REASON = Option<
    unsafe extern "C" fn(
        Device: WDFDEVICE,
        DeviceWakeEnabled: BOOLEAN,
        ChildrenArmedForWake: BOOLEAN,
    ) -> NTSTATUS,
>;
pub type PFN_WDFDEVICE_WDM_IRP_PREPROCESS =
    Option<unsafe extern "C" fn(Device: WDFDEVICE, Irp: PIRP) -> NTSTATUS>;
pub type PFN_GET_UNIQUE_CONTEXT_TYPE =
    Option<unsafe extern "C" fn() -> PCWDF_OBJECT_CONTEXT_TYPE_INFO>;

// Objects.

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_OBJECT_ATTRIBUTES {
    pub Size: ULONG,
    pub EvtCleanupCallback: PFN_WDF_OBJECT_CONTEXT_CLEANUP,
    pub EvtDestroyCallback: PFN_WDF_OBJECT_CONTEXT_DESTROY,
    pub ExecutionLevel: WDF_EXECUTION_LEVEL,
    pub SynchronizationScope: WDF_SYNCHRONIZATION_SCOPE,
    pub ParentObject: WDFOBJECT,
    pub ContextSizeOverride: usize,
    pub ContextTypeInfo: PCWDF_OBJECT_CONTEXT_TYPE_INFO,
}
pub type PWDF_OBJECT_ATTRIBUTES = *mut WDF_OBJECT_ATTRIBUTES;

pub type PCWDF_OBJECT_CONTEXT_TYPE_INFO = *const WDF_OBJECT_CONTEXT_TYPE_INFO;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_OBJECT_CONTEXT_TYPE_INFO {
    pub Size: ULONG,
    pub ContextName: PCHAR,
    pub ContextSize: usize,
    pub UniqueType: PCWDF_OBJECT_CONTEXT_TYPE_INFO,
    pub EvtDriverGetUniqueContextType: PFN_GET_UNIQUE_CONTEXT_TYPE,
}
pub type PWDF_OBJECT_CONTEXT_TYPE_INFO = *mut WDF_OBJECT_CONTEXT_TYPE_INFO;

// Configuration.

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DRIVER_CONFIG {
    pub Size: ULONG,
    pub EvtDriverDeviceAdd: PFN_WDF_DRIVER_DEVICE_ADD,
    pub EvtDriverUnload: PFN_WDF_DRIVER_UNLOAD,
    pub DriverInitFlags: ULONG,
    pub DriverPoolTag: ULONG,
}
pub type PWDF_DRIVER_CONFIG = *mut WDF_DRIVER_CONFIG;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_PNPPOWER_EVENT_CALLBACKS {
    pub Size: ULONG,
    pub EvtDeviceD0Entry: PFN_WDF_DEVICE_D0_ENTRY,
    pub EvtDeviceD0EntryPostInterruptsEnabled: PFN_WDF_DEVICE_D0_ENTRY_POST_INTERRUPTS_ENABLED,
    pub EvtDeviceD0Exit: PFN_WDF_DEVICE_D0_EXIT,
    pub EvtDeviceD0ExitPreInterruptsDisabled: PFN_WDF_DEVICE_D0_EXIT_PRE_INTERRUPTS_DISABLED,
    pub EvtDevicePrepareHardware: PFN_WDF_DEVICE_PREPARE_HARDWARE,
    pub EvtDeviceReleaseHardware: PFN_WDF_DEVICE_RELEASE_HARDWARE,
    pub EvtDeviceSelfManagedIoCleanup: PFN_WDF_DEVICE_SELF_MANAGED_IO_CLEANUP,
    pub EvtDeviceSelfManagedIoFlush: PFN_WDF_DEVICE_SELF_MANAGED_IO_FLUSH,
    pub EvtDeviceSelfManagedIoInit: PFN_WDF_DEVICE_SELF_MANAGED_IO_INIT,
    pub EvtDeviceSelfManagedIoSuspend: PFN_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND,
    pub EvtDeviceSelfManagedIoRestart: PFN_WDF_DEVICE_SELF_MANAGED_IO_RESTART,
    pub EvtDeviceSurpriseRemoval: PFN_WDF_DEVICE_SURPRISE_REMOVAL,
    pub EvtDeviceQueryRemove: PFN_WDF_DEVICE_QUERY_REMOVE,
    pub EvtDeviceQueryStop: PFN_WDF_DEVICE_QUERY_STOP,
    pub EvtDeviceUsageNotification: PFN_WDF_DEVICE_USAGE_NOTIFICATION,
    pub EvtDeviceRelationsQuery: PFN_WDF_DEVICE_RELATIONS_QUERY,
    /// From KMDF 1.11 on.
    pub EvtDeviceUsageNotificationEx: PFN_WDF_DEVICE_USAGE_NOTIFICATION_EX,
}
pub type PWDF_PNPPOWER_EVENT_CALLBACKS = *mut WDF_PNPPOWER_EVENT_CALLBACKS;
pub const WDF_PNPPOWER_EVENT_CALLBACKS_SIZE_V1_7: u32 = 136;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_FDO_EVENT_CALLBACKS {
    pub Size: ULONG,
    pub EvtDeviceFilterAddResourceRequirements: PFN_WDF_DEVICE_FILTER_RESOURCE_REQUIREMENTS,
    pub EvtDeviceFilterRemoveResourceRequirements: PFN_WDF_DEVICE_FILTER_RESOURCE_REQUIREMENTS,
    pub EvtDeviceRemoveAddedResources: PFN_WDF_DEVICE_REMOVE_ADDED_RESOURCES,
}
pub type PWDF_FDO_EVENT_CALLBACKS = *mut WDF_FDO_EVENT_CALLBACKS;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_POWER_POLICY_EVENT_CALLBACKS {
    pub Size: ULONG,
    pub EvtDeviceArmWakeFromS0: PFN_WDF_DEVICE_ARM_WAKE_FROM_S0,
    pub EvtDeviceDisarmWakeFromS0: PFN_WDF_DEVICE_DISARM_WAKE_FROM_S0,
    pub EvtDeviceWakeFromS0Triggered: PFN_WDF_DEVICE_WAKE_FROM_S0_TRIGGERED,
    pub EvtDeviceArmWakeFromSx: PFN_WDF_DEVICE_ARM_WAKE_FROM_SX,
    pub EvtDeviceDisarmWakeFromSx: PFN_WDF_DEVICE_DISARM_WAKE_FROM_SX,
    pub EvtDeviceWakeFromSxTriggered: PFN_WDF_DEVICE_WAKE_FROM_SX_TRIGGERED,
    pub EvtDeviceArmWakeFromSxWithReason: PFN_WDF_DEVICE_ARM_WAKE_FROM_SX_WITH_REASON,
}
pub type PWDF_POWER_POLICY_EVENT_CALLBACKS = *mut WDF_POWER_POLICY_EVENT_CALLBACKS;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_INTERRUPT_CONFIG {
    pub Size: ULONG,
    pub SpinLock: WDFSPINLOCK,
    pub ShareVector: WDF_TRI_STATE,
    pub FloatingSave: BOOLEAN,
    pub AutomaticSerialization: BOOLEAN,
    pub EvtInterruptIsr: PFN_WDF_INTERRUPT_ISR,
    pub EvtInterruptDpc: PFN_WDF_INTERRUPT_DPC,
    pub EvtInterruptEnable: PFN_WDF_INTERRUPT_ENABLE,
    pub EvtInterruptDisable: PFN_WDF_INTERRUPT_DISABLE,
    /// From KMDF 1.11 on.
    pub EvtInterruptWorkItem: PFN_WDF_INTERRUPT_WORKITEM,
    /// From KMDF 1.11 on.
    pub InterruptRaw: PCM_PARTIAL_RESOURCE_DESCRIPTOR,
    /// From KMDF 1.11 on.
    pub InterruptTranslated: PCM_PARTIAL_RESOURCE_DESCRIPTOR,
    /// From KMDF 1.11 on.
    pub WaitLock: WDFWAITLOCK,
    /// From KMDF 1.11 on.
    pub PassiveHandling: BOOLEAN,
    /// From KMDF 1.11 on.
    pub ReportInactiveOnPowerDown: WDF_TRI_STATE,
    /// From KMDF 1.13 on.
    pub CanWakeDevice: BOOLEAN,
}
pub type PWDF_INTERRUPT_CONFIG = *mut WDF_INTERRUPT_CONFIG;
pub const WDF_INTERRUPT_CONFIG_SIZE_V1_7: u32 = 56;
pub const WDF_INTERRUPT_CONFIG_SIZE_V1_11: u32 = 96;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_INTERRUPT_INFO {
    pub Size: ULONG,
    pub Reserved1: ULONG64,
    pub TargetProcessorSet: KAFFINITY,
    pub Reserved2: ULONG,
    pub MessageNumber: ULONG,
    pub Vector: ULONG,
    pub Irql: KIRQL,
    pub Mode: KINTERRUPT_MODE,
    pub Polarity: WDF_INTERRUPT_POLARITY,
    pub MessageSignaled: BOOLEAN,
    pub ShareDisposition: UCHAR,
    /// C aligns the next member to eight bytes; the name is that of `wdk-sys`.
    pub __bindgen_padding_0: [UCHAR; 6],
    /// From KMDF 1.9 on.
    pub Group: USHORT,
}
pub type PWDF_INTERRUPT_INFO = *mut WDF_INTERRUPT_INFO;
pub const WDF_INTERRUPT_INFO_SIZE_V1_7: u32 = 56;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_INTERRUPT_EXTENDED_POLICY {
    pub Size: ULONG,
    pub Policy: WDF_INTERRUPT_POLICY,
    pub Priority: WDF_INTERRUPT_PRIORITY,
    pub TargetProcessorSetAndGroup: GROUP_AFFINITY,
}
pub type PWDF_INTERRUPT_EXTENDED_POLICY = *mut WDF_INTERRUPT_EXTENDED_POLICY;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DEVICE_PNP_CAPABILITIES {
    pub Size: ULONG,
    pub LockSupported: WDF_TRI_STATE,
    pub EjectSupported: WDF_TRI_STATE,
    pub Removable: WDF_TRI_STATE,
    pub DockDevice: WDF_TRI_STATE,
    pub UniqueID: WDF_TRI_STATE,
    pub SilentInstall: WDF_TRI_STATE,
    pub SurpriseRemovalOK: WDF_TRI_STATE,
    pub HardwareDisabled: WDF_TRI_STATE,
    pub NoDisplayInUI: WDF_TRI_STATE,
    pub Address: ULONG,
    pub UINumber: ULONG,
}
pub type PWDF_DEVICE_PNP_CAPABILITIES = *mut WDF_DEVICE_PNP_CAPABILITIES;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DEVICE_POWER_CAPABILITIES {
    pub Size: ULONG,
    pub DeviceD1: WDF_TRI_STATE,
    pub DeviceD2: WDF_TRI_STATE,
    pub WakeFromD0: WDF_TRI_STATE,
    pub WakeFromD1: WDF_TRI_STATE,
    pub WakeFromD2: WDF_TRI_STATE,
    pub WakeFromD3: WDF_TRI_STATE,
    pub DeviceState: [DEVICE_POWER_STATE; 7],
    pub DeviceWake: DEVICE_POWER_STATE,
    pub SystemWake: SYSTEM_POWER_STATE,
    pub D1Latency: ULONG,
    pub D2Latency: ULONG,
    pub D3Latency: ULONG,
    pub IdealDxStateForSx: DEVICE_POWER_STATE,
}
pub type PWDF_DEVICE_POWER_CAPABILITIES = *mut WDF_DEVICE_POWER_CAPABILITIES;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DEVICE_STATE {
    pub Size: ULONG,
    pub Disabled: WDF_TRI_STATE,
    pub DontDisplayInUI: WDF_TRI_STATE,
    pub Failed: WDF_TRI_STATE,
    pub NotDisableable: WDF_TRI_STATE,
    pub Removed: WDF_TRI_STATE,
    pub ResourcesChanged: WDF_TRI_STATE,
    /// From KMDF 1.31 on.
    pub AssignedToGuest: WDF_TRI_STATE,
}
pub type PWDF_DEVICE_STATE = *mut WDF_DEVICE_STATE;
pub const WDF_DEVICE_STATE_SIZE_V1_7: u32 = 28;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS {
    pub Size: ULONG,
    pub IdleCaps: WDF_POWER_POLICY_S0_IDLE_CAPABILITIES,
    pub DxState: DEVICE_POWER_STATE,
    pub IdleTimeout: ULONG,
    pub UserControlOfIdleSettings: WDF_POWER_POLICY_S0_IDLE_USER_CONTROL,
    pub Enabled: WDF_TRI_STATE,
    /// From KMDF 1.9 on.
    pub PowerUpIdleDeviceOnSystemWake: WDF_TRI_STATE,
    /// From KMDF 1.11 on.
    pub IdleTimeoutType: WDF_POWER_POLICY_IDLE_TIMEOUT_TYPE,
    /// From KMDF 1.11 on.
    pub ExcludeD3Cold: WDF_TRI_STATE,
}
pub type PWDF_DEVICE_POWER_POLICY_IDLE_SETTINGS = *mut WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS;
pub const WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_SIZE_V1_7: u32 = 24;
pub const WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_SIZE_V1_9: u32 = 28;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DPC_CONFIG {
    pub Size: ULONG,
    pub EvtDpcFunc: PFN_WDF_DPC,
    pub AutomaticSerialization: BOOLEAN,
}
pub type PWDF_DPC_CONFIG = *mut WDF_DPC_CONFIG;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_TIMER_CONFIG {
    pub Size: ULONG,
    pub EvtTimerFunc: PFN_WDF_TIMER,
    pub Period: ULONG,
    pub AutomaticSerialization: BOOLEAN,
    /// From KMDF 1.9 on.
    pub TolerableDelay: ULONG,
    /// C aligns the next member to eight bytes.
    pub __bindgen_padding_0: ULONG,
    /// From KMDF 1.13 on.
    pub UseHighResolutionTimer: BOOLEAN,
}
pub type PWDF_TIMER_CONFIG = *mut WDF_TIMER_CONFIG;
pub const WDF_TIMER_CONFIG_SIZE_V1_7: u32 = 24;
pub const WDF_TIMER_CONFIG_SIZE_V1_9: u32 = 32;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_WORKITEM_CONFIG {
    pub Size: ULONG,
    pub EvtWorkItemFunc: PFN_WDF_WORKITEM,
    pub AutomaticSerialization: BOOLEAN,
}
pub type PWDF_WORKITEM_CONFIG = *mut WDF_WORKITEM_CONFIG;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_FILEOBJECT_CONFIG {
    pub Size: ULONG,
    pub EvtDeviceFileCreate: PFN_WDF_DEVICE_FILE_CREATE,
    pub EvtFileClose: PFN_WDF_FILE_CLOSE,
    pub EvtFileCleanup: PFN_WDF_FILE_CLEANUP,
    pub AutoForwardCleanupClose: WDF_TRI_STATE,
    pub FileObjectClass: WDF_FILEOBJECT_CLASS,
}
pub type PWDF_FILEOBJECT_CONFIG = *mut WDF_FILEOBJECT_CONFIG;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_QUERY_INTERFACE_CONFIG {
    pub Size: ULONG,
    pub Interface: PINTERFACE,
    pub InterfaceType: LPCGUID,
    pub SendQueryToParentStack: BOOLEAN,
    pub EvtDeviceProcessQueryInterfaceRequest: PFN_WDF_DEVICE_PROCESS_QUERY_INTERFACE_REQUEST,
    pub ImportInterface: BOOLEAN,
}
pub type PWDF_QUERY_INTERFACE_CONFIG = *mut WDF_QUERY_INTERFACE_CONFIG;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DRIVER_VERSION_AVAILABLE_PARAMS {
    pub Size: ULONG,
    pub MajorVersion: ULONG,
    pub MinorVersion: ULONG,
}
pub type PWDF_DRIVER_VERSION_AVAILABLE_PARAMS = *mut WDF_DRIVER_VERSION_AVAILABLE_PARAMS;
// Queues and requests.

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct WDF_IO_QUEUE_CONFIG {
    pub Size: ULONG,
    pub DispatchType: WDF_IO_QUEUE_DISPATCH_TYPE,
    pub PowerManaged: WDF_TRI_STATE,
    pub AllowZeroLengthRequests: BOOLEAN,
    pub DefaultQueue: BOOLEAN,
    pub EvtIoDefault: PFN_WDF_IO_QUEUE_IO_DEFAULT,
    pub EvtIoRead: PFN_WDF_IO_QUEUE_IO_READ,
    pub EvtIoWrite: PFN_WDF_IO_QUEUE_IO_WRITE,
    pub EvtIoDeviceControl: PFN_WDF_IO_QUEUE_IO_DEVICE_CONTROL,
    pub EvtIoInternalDeviceControl: PFN_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL,
    pub EvtIoStop: PFN_WDF_IO_QUEUE_IO_STOP,
    pub EvtIoResume: PFN_WDF_IO_QUEUE_IO_RESUME,
    pub EvtIoCanceledOnQueue: PFN_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE,
    /// From KMDF 1.9 on.
    pub Settings: WDF_IO_QUEUE_CONFIG_Settings,
    /// From KMDF 1.11 on.
    pub Driver: WDFDRIVER,
}
pub type PWDF_IO_QUEUE_CONFIG = *mut WDF_IO_QUEUE_CONFIG;
pub const WDF_IO_QUEUE_CONFIG_SIZE_V1_7: u32 = 80;
pub const WDF_IO_QUEUE_CONFIG_SIZE_V1_9: u32 = 88;

#[repr(C)]
#[derive(Clone, Copy)]
pub union WDF_IO_QUEUE_CONFIG_Settings {
    pub Parallel: WDF_IO_QUEUE_CONFIG_Parallel,
}

impl Default for WDF_IO_QUEUE_CONFIG_Settings {
    fn default() -> Self {
        Self {
            Parallel: WDF_IO_QUEUE_CONFIG_Parallel::default(),
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_IO_QUEUE_CONFIG_Parallel {
    pub NumberOfPresentedRequests: ULONG,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct WDF_REQUEST_PARAMETERS {
    pub Size: USHORT,
    pub MinorFunction: UCHAR,
    pub Type: WDF_REQUEST_TYPE,
    pub Parameters: WDF_REQUEST_PARAMETERS_Parameters,
}
pub type PWDF_REQUEST_PARAMETERS = *mut WDF_REQUEST_PARAMETERS;

#[repr(C)]
#[derive(Clone, Copy)]
pub union WDF_REQUEST_PARAMETERS_Parameters {
    pub Create: WDF_REQUEST_PARAMETERS_Create,
    pub Read: WDF_REQUEST_PARAMETERS_Transfer,
    pub Write: WDF_REQUEST_PARAMETERS_Transfer,
    pub DeviceIoControl: WDF_REQUEST_PARAMETERS_DeviceIoControl,
    pub Others: WDF_REQUEST_PARAMETERS_Others,
}

impl Default for WDF_REQUEST_PARAMETERS_Parameters {
    fn default() -> Self {
        Self {
            DeviceIoControl: WDF_REQUEST_PARAMETERS_DeviceIoControl::default(),
        }
    }
}

/// C aligns `FileAttributes` and `EaLength` like pointers.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_REQUEST_PARAMETERS_Create {
    pub SecurityContext: PIO_SECURITY_CONTEXT,
    pub Options: ULONG,
    pub __bindgen_padding_0: ULONG,
    pub FileAttributes: USHORT,
    pub ShareAccess: USHORT,
    pub __bindgen_padding_1: ULONG,
    pub EaLength: ULONG,
    pub __bindgen_padding_2: ULONG,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_REQUEST_PARAMETERS_Transfer {
    pub Length: usize,
    pub Key: ULONG,
    pub DeviceOffset: LONGLONG,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_REQUEST_PARAMETERS_DeviceIoControl {
    pub OutputBufferLength: usize,
    pub InputBufferLength: usize,
    pub IoControlCode: ULONG,
    pub Type3InputBuffer: PVOID,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_REQUEST_PARAMETERS_Others {
    pub Arg1: PVOID,
    pub Arg2: PVOID,
    pub IoControlCode: ULONG,
    pub Arg4: PVOID,
}

// Binding.

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_DRIVER_GLOBALS {
    pub Driver: WDFDRIVER,
    pub DriverFlags: ULONG,
    pub DriverTag: ULONG,
    pub DriverName: [CHAR; 32],
    pub DisplaceDriverUnload: BOOLEAN,
}
pub type PWDF_DRIVER_GLOBALS = *mut WDF_DRIVER_GLOBALS;

pub const WDF_DRIVER_GLOBALS_NAME_LEN: usize = 32;

/// The library's name for what is [`PWDF_DRIVER_GLOBALS`] to a driver.
pub type PWDF_COMPONENT_GLOBALS = PWDF_DRIVER_GLOBALS;

/// A table entry of any type.
pub type WDFFUNC = Option<unsafe extern "C" fn()>;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_VERSION {
    pub Major: ULONG,
    pub Minor: ULONG,
    pub Build: ULONG,
}

/// What a driver asks of the loader. It stays in use until the driver is unbound.
///
/// `FuncCount` must be a released count and decides what `FuncTable` is: up to 438 (KMDF 1.13) an array of
/// that many entries, which the framework fills; from 444 (KMDF 1.15) one pointer, which it sets to its own.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WDF_BIND_INFO {
    pub Size: ULONG,
    pub Component: *const WCHAR,
    pub Version: WDF_VERSION,
    pub FuncCount: ULONG,
    pub FuncTable: *mut WDFFUNC,
    pub Module: PVOID,
}
pub type PWDF_BIND_INFO = *mut WDF_BIND_INFO;

/// Number of functions of KMDF 1.7, in Windows Vista SP1; array form.
pub const WDF_FUNCTION_COUNT_V1_7: u32 = 387;
/// Number of functions of KMDF 1.9, in Windows 7; array form.
pub const WDF_FUNCTION_COUNT_V1_9: u32 = 396;

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

/// First entry of the bound table.
///
/// # Safety
///
/// The driver is bound.
#[inline]
unsafe fn function_table() -> *const WDFFUNC {
    #[cfg(not(all(feature = "wdk", windows)))]
    // SAFETY: the stub wrote the variable when it bound the driver and does not write it while bound.
    unsafe {
        WdfFunctions
    }
    #[cfg(all(feature = "wdk", windows))]
    // SAFETY: as above; the stub is the kit's.
    unsafe {
        wdk_sys::WdfFunctions.cast()
    }
}

/// First argument of every function of the framework.
///
/// # Safety
///
/// The driver is bound.
#[inline]
#[must_use]
pub unsafe fn wdf_driver_globals() -> PWDF_DRIVER_GLOBALS {
    #[cfg(not(all(feature = "wdk", windows)))]
    // SAFETY: the stub wrote the variable when it bound the driver and does not write it while bound.
    unsafe {
        WdfDriverGlobals
    }
    #[cfg(all(feature = "wdk", windows))]
    // SAFETY: as above; the stub is the kit's.
    unsafe {
        wdk_sys::WdfDriverGlobals.cast()
    }
}

/// The content of a slot.
///
/// # Safety
///
/// The driver is bound, and `slot` is below the number of functions it is bound with.
#[inline]
#[must_use]
pub unsafe fn wdf_function(slot: _WDFFUNCENUM::Type) -> WDFFUNC {
    // SAFETY: the driver is bound.
    let table = unsafe { function_table() };
    // SAFETY: the table has an entry for `slot`. CAST: slots are small and not negative.
    let entry = unsafe { table.add(slot as usize) };
    // SAFETY: the framework filled the entry when the driver was bound.
    unsafe { entry.read() }
}

/// The functions of the framework: slot, slot constant, type of the content, and the function itself.
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
            /// Number of slots of the newest table known here, that of KMDF 1.33.
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
pub type WDFFUNCENUM = _WDFFUNCENUM::Type;

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
    [201, WdfDriverMiniportUnloadTableIndex, PFN_WDFDRIVERMINIPORTUNLOAD]
    fn WdfDriverMiniportUnload(Driver: WDFDRIVER);
    /// From KMDF 1.25 on.
    [452, WdfDriverErrorReportApiMissingTableIndex, PFN_WDFDRIVERERRORREPORTAPIMISSING]
    fn WdfDriverErrorReportApiMissing(
        Driver: WDFDRIVER,
        FrameworkExtensionName: PCWSTR,
        ApiIndex: ULONG,
        DoesApiReturnNtstatus: BOOLEAN,
    ) -> NTSTATUS;

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
    [209, WdfObjectQueryTableIndex, PFN_WDFOBJECTQUERY]
    fn WdfObjectQuery(Object: WDFOBJECT, Guid: LPCGUID, QueryBufferLength: ULONG, QueryBuffer: PVOID) -> NTSTATUS;
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
