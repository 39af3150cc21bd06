//! `wdf.h`: the types of the Kernel-Mode Driver Framework, written out, for builds without a Windows Driver Kit.
//!
//! Structures have their newest form. Members are only ever appended, so a driver bound to an older
//! framework sets `Size` to what that version knows; the constants `.._SIZE_V1_7` and their like are those
//! sizes. All-zero is not always a valid initial value: see the `*_INIT` functions of the C headers.

#![expect(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "C names, documented by Microsoft"
)]

use core::ffi::c_void;

use super::base_builtin::*;

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

constants! {
    WDF_DRIVER_GLOBALS_NAME_LEN: u32 = 32;
}

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
