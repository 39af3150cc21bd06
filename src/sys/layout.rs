//! Sizes and offsets of every structure, proved while compiling.
//!
//! The numbers are those of amd64 and arm64 and hold from Windows Vista SP1 to today, but where a comment
//! says otherwise. They are stated once and checked against whichever base is in use. With the feature `wdk` both bases are
//! there: then the numbers are checked against both, and members of one against those of the other.

#![cfg_attr(
    all(feature = "wdk", windows),
    expect(unsafe_code, reason = "names members of unions, to measure them")
)]

use core::mem::{align_of, offset_of, size_of};

#[cfg(not(all(feature = "wdk", windows)))]
use super::*;
#[cfg(all(feature = "wdk", windows))]
use super::{base_builtin::*, netdma::*, netio::*, wdf_builtin::*};

/// `layout!(TYPE: size, alignment; member: offset, union.member: offset, ..)`, for what both bases have.
macro_rules! layout {
    ($type:ident: $size:literal, $align:literal; $($($member:ident).+: $offset:literal),* $(,)?) => {
        own_layout!($type: $size, $align; $($($member).+: $offset),*);
        #[cfg(all(feature = "wdk", windows))]
        const _: () = {
            use wdk_sys::$type as Kit;
            assert!(size_of::<Kit>() == $size);
            assert!(align_of::<Kit>() == $align);
            $(
                assert!(offset_of!(Kit, $($member).+) == $offset);
                assert!(
                    member_size!(Kit, $($member).+) == member_size!($type, $($member).+),
                    concat!(stringify!($type), ".", stringify!($($member).+))
                );
            )*
        };
    };
}

/// The same for what only this crate has.
macro_rules! own_layout {
    ($type:ident: $size:literal, $align:literal; $($($member:ident).+: $offset:literal),* $(,)?) => {
        const _: () = {
            assert!(size_of::<$type>() == $size);
            assert!(align_of::<$type>() == $align);
            $(assert!(offset_of!($type, $($member).+) == $offset);)*
        };
    };
}

#[cfg(all(feature = "wdk", windows))]
macro_rules! member_size {
    ($type:ident, $($member:ident).+) => {{
        const fn size_of_target<T>(_: *const T) -> usize {
            size_of::<T>()
        }
        let structure = core::mem::MaybeUninit::<$type>::uninit();
        // SAFETY: no member is read, only its address is taken, and it lies within the structure.
        size_of_target(unsafe { &raw const (*structure.as_ptr()).$($member).+ })
    }};
}

/// The older, shorter form of a structure that grew ends where the first new member begins.
macro_rules! older_form {
    ($size:ident: $type:ident ends before $member:ident) => {
        const _: () = assert!($size as usize == offset_of!($type, $member));
    };
}

// Base types.

layout!(GUID: 16, 4; Data1: 0, Data2: 4, Data3: 6, Data4: 8);
layout!(LUID: 8, 4; LowPart: 0, HighPart: 4);
layout!(LARGE_INTEGER: 8, 8; u: 0, u.LowPart: 0, u.HighPart: 4, QuadPart: 0);
layout!(UNICODE_STRING: 16, 8; Length: 0, MaximumLength: 2, Buffer: 8);
layout!(LIST_ENTRY: 16, 8; Flink: 0, Blink: 8);
layout!(SINGLE_LIST_ENTRY: 8, 8; Next: 0);
layout!(PROCESSOR_NUMBER: 4, 2; Group: 0, Number: 2, Reserved: 3);
layout!(GROUP_AFFINITY: 16, 8; Mask: 0, Group: 8, Reserved: 10);

// Resources, as seen without processor groups.

layout!(IO_RESOURCE_DESCRIPTOR: 32, 8;
    Option: 0, Type: 1, ShareDisposition: 2, Spare1: 3, Flags: 4, Spare2: 6, u: 8,
    u.Port.Length: 8, u.Port.Alignment: 12, u.Port.MinimumAddress: 16, u.Port.MaximumAddress: 24,
    u.Memory.Length: 8, u.Memory.Alignment: 12, u.Memory.MinimumAddress: 16,
    u.Memory.MaximumAddress: 24,
    u.Interrupt.MinimumVector: 8, u.Interrupt.MaximumVector: 12, u.Interrupt.AffinityPolicy: 16,
    u.Interrupt.PriorityPolicy: 20, u.Interrupt.TargetedProcessors: 24,
    u.Dma.MinimumChannel: 8, u.Dma.MaximumChannel: 12,
    u.Generic.Length: 8, u.Generic.Alignment: 12, u.Generic.MinimumAddress: 16,
    u.Generic.MaximumAddress: 24,
    u.DevicePrivate.Data: 8,
    u.BusNumber.Length: 8, u.BusNumber.MinBusNumber: 12, u.BusNumber.MaxBusNumber: 16,
    u.BusNumber.Reserved: 20,
    u.ConfigData.Priority: 8, u.ConfigData.Reserved1: 12, u.ConfigData.Reserved2: 16,
    u.Memory40.Length40: 8, u.Memory40.Alignment40: 12, u.Memory40.MinimumAddress: 16,
    u.Memory40.MaximumAddress: 24,
    u.Memory48.Length48: 8, u.Memory48.Alignment48: 12, u.Memory48.MinimumAddress: 16,
    u.Memory48.MaximumAddress: 24,
    u.Memory64.Length64: 8, u.Memory64.Alignment64: 12, u.Memory64.MinimumAddress: 16,
    u.Memory64.MaximumAddress: 24,
);
layout!(IO_RESOURCE_LIST: 40, 8; Version: 0, Revision: 2, Count: 4, Descriptors: 8);
layout!(IO_RESOURCE_REQUIREMENTS_LIST: 72, 8;
    ListSize: 0, InterfaceType: 4, BusNumber: 8, SlotNumber: 12, Reserved: 16,
    AlternativeLists: 28, List: 32,
);
layout!(CM_PARTIAL_RESOURCE_DESCRIPTOR: 20, 4;
    Type: 0, ShareDisposition: 1, Flags: 2, u: 4,
    u.Generic.Start: 4, u.Generic.Length: 12,
    u.Port.Start: 4, u.Port.Length: 12,
    u.Interrupt.Level: 4, u.Interrupt.Vector: 8, u.Interrupt.Affinity: 12,
    u.MessageInterrupt.__bindgen_anon_1.Raw.Reserved: 4,
    u.MessageInterrupt.__bindgen_anon_1.Raw.MessageCount: 6,
    u.MessageInterrupt.__bindgen_anon_1.Raw.Vector: 8,
    u.MessageInterrupt.__bindgen_anon_1.Raw.Affinity: 12,
    u.MessageInterrupt.__bindgen_anon_1.Translated.Level: 4,
    u.MessageInterrupt.__bindgen_anon_1.Translated.Vector: 8,
    u.MessageInterrupt.__bindgen_anon_1.Translated.Affinity: 12,
    u.Memory.Start: 4, u.Memory.Length: 12,
    u.Dma.Channel: 4, u.Dma.Port: 8, u.Dma.Reserved1: 12,
    u.DevicePrivate.Data: 4,
    u.BusNumber.Start: 4, u.BusNumber.Length: 8, u.BusNumber.Reserved: 12,
    u.DeviceSpecificData.DataSize: 4, u.DeviceSpecificData.Reserved1: 8,
    u.DeviceSpecificData.Reserved2: 12,
    u.Memory40.Start: 4, u.Memory40.Length40: 12,
    u.Memory48.Start: 4, u.Memory48.Length48: 12,
    u.Memory64.Start: 4, u.Memory64.Length64: 12,
);
layout!(CM_PARTIAL_RESOURCE_LIST: 28, 4; Version: 0, Revision: 2, Count: 4, PartialDescriptors: 8);
layout!(CM_FULL_RESOURCE_DESCRIPTOR: 36, 4; InterfaceType: 0, BusNumber: 4, PartialResourceList: 8);
layout!(CM_RESOURCE_LIST: 40, 4; Count: 0, List: 4);

// Objects. Of those whose first members changed names, only the stable ones.

layout!(DRIVER_OBJECT: 336, 8;
    Type: 0, Size: 2, DeviceObject: 8, Flags: 16, DriverStart: 24, DriverSize: 32,
    DriverSection: 40, DriverExtension: 48, DriverName: 56, HardwareDatabase: 72,
    FastIoDispatch: 80, DriverInit: 88, DriverStartIo: 96, DriverUnload: 104, MajorFunction: 112,
);
layout!(DRIVER_EXTENSION: 40, 8; DriverObject: 0, AddDevice: 8, Count: 16, ServiceKeyName: 24);
layout!(DEVICE_OBJECT: 336, 16;
    Type: 0, Size: 2, ReferenceCount: 4, DriverObject: 8, NextDevice: 16, AttachedDevice: 24,
    CurrentIrp: 32, Timer: 40, Flags: 48, Characteristics: 52, Vpb: 56, DeviceExtension: 64,
    DeviceType: 72, StackSize: 76, Queue: 80, AlignmentRequirement: 152, DeviceQueue: 160,
    Dpc: 200, ActiveThreadCount: 264, SecurityDescriptor: 272, DeviceLock: 280, SectorSize: 304,
    Spare1: 306, DeviceObjectExtension: 312, Reserved: 320,
);
layout!(KDEVICE_QUEUE: 40, 8; Type: 0, Size: 2, DeviceListHead: 8, Lock: 24, Busy: 32);
layout!(KDPC: 64, 8;
    DeferredRoutine: 24, DeferredContext: 32, SystemArgument1: 40, SystemArgument2: 48,
    DpcData: 56,
);
layout!(DISPATCHER_HEADER: 24, 8; SignalState: 4, WaitListHead: 8);
layout!(KEVENT: 24, 8; Header: 0);
layout!(INTERFACE: 32, 8;
    Size: 0, Version: 2, Context: 8, InterfaceReference: 16, InterfaceDereference: 24,
);
layout!(RTL_OSVERSIONINFOW: 276, 4;
    dwOSVersionInfoSize: 0, dwMajorVersion: 4, dwMinorVersion: 8, dwBuildNumber: 12,
    dwPlatformId: 16, szCSDVersion: 20,
);

// NMR.

own_layout!(NPIID: 16, 4; Data1: 0, Data2: 4, Data3: 6, Data4: 8);
own_layout!(NPI_MODULEID: 24, 4; Length: 0, Type: 4, u.Guid: 8, u.IfLuid: 8);
own_layout!(NPI_REGISTRATION_INSTANCE: 40, 8;
    Version: 0, Size: 2, NpiId: 8, ModuleId: 16, Number: 24, NpiSpecificCharacteristics: 32,
);
own_layout!(NPI_CLIENT_CHARACTERISTICS: 72, 8;
    Version: 0, Length: 2, ClientAttachProvider: 8, ClientDetachProvider: 16,
    ClientCleanupBindingContext: 24, ClientRegistrationInstance: 32,
);
own_layout!(NPI_PROVIDER_CHARACTERISTICS: 72, 8;
    Version: 0, Length: 2, ProviderAttachClient: 8, ProviderDetachClient: 16,
    ProviderCleanupBindingContext: 24, ProviderRegistrationInstance: 32,
);

// NetDMA.

own_layout!(NET_DMA_DESCRIPTOR: 64, 8;
    TransferSize: 0, ControlFlags: 4, SourceAddress: 8, DestinationAddress: 16,
    NextDescriptor: 24, NextSourceAddress: 32, NextDestinationAddress: 40, UserContext1: 48,
    UserContext2: 56,
);
// Revision 2, from Windows 7 on, and revision 1, the whole structure before.
own_layout!(NET_DMA_CHANNEL_PARAMETERS: 56, 8;
    Revision: 0, Size: 2, Flags: 4, CompletionVirtualAddress: 8, CompletionPhysicalAddress: 16,
    ProcessorAffinityMask: 24, ChannelPriority: 28, CpuNumber: 32, ProcessorAffinityMaskEx: 40,
);
own_layout!(NET_DMA_CHANNEL_PARAMETERS_V1: 40, 8;
    Revision: 0, Size: 2, Flags: 4, CompletionVirtualAddress: 8, CompletionPhysicalAddress: 16,
    ProcessorAffinityMask: 24, ChannelPriority: 28, CpuNumber: 32,
);
own_layout!(NET_DMA_CHANNEL_CPU_AFFINITY: 8, 4; DmaChannel: 0, CpuNumber: 4);
own_layout!(NET_DMA_PROVIDER_ATTRIBUTES: 32, 8;
    MajorHwVersion: 0, MinorHwVersion: 1, Size: 2, Flags: 4, VendorId: 8, DmaChannelCount: 12,
    MaximumTransferSize: 16, MaximumAddressSpace: 24,
);
own_layout!(NET_DMA_PROVIDER_CHARACTERISTICS: 112, 8;
    MajorVersion: 0, MinorVersion: 1, Size: 2, Flags: 4, PhysicalDeviceObject: 8,
    MaxDmaChannelCount: 16, SetDmaChannelCpuAffinity: 24, AllocateDmaChannel: 32,
    FreeDmaChannel: 40, StartDma: 48, SuspendDma: 56, ResumeDma: 64, AbortDma: 72, AppendDma: 80,
    ResetChannel: 88, FriendlyName: 96,
);
own_layout!(NET_DMA_PNP_NOTIFICATION: 32, 8;
    StructureRevision: 0, StructureSize: 4, NotificationCode: 8, Buffer: 16, BufferLength: 24,
);
const _: () = {
    assert!(
        size_of::<NET_DMA_CHANNEL_PARAMETERS>()
            == SIZEOF_NET_DMA_CHANNEL_PARAMETERS_REVISION_2 as usize
    );
    let counted = offset_of!(NET_DMA_CHANNEL_PARAMETERS_V1, CpuNumber) + size_of::<ULONG>();
    assert!(counted == SIZEOF_NET_DMA_CHANNEL_PARAMETERS_REVISION_1 as usize);
};

// WDF, newest forms.

own_layout!(WDF_VERSION: 12, 4; Major: 0, Minor: 4, Build: 8);
own_layout!(WDF_BIND_INFO: 48, 8;
    Size: 0, Component: 8, Version: 16, FuncCount: 28, FuncTable: 32, Module: 40,
);
layout!(WDF_DRIVER_GLOBALS: 56, 8;
    Driver: 0, DriverFlags: 8, DriverTag: 12, DriverName: 16, DisplaceDriverUnload: 48,
);
layout!(WDF_DRIVER_CONFIG: 32, 8;
    Size: 0, EvtDriverDeviceAdd: 8, EvtDriverUnload: 16, DriverInitFlags: 24, DriverPoolTag: 28,
);
layout!(WDF_OBJECT_ATTRIBUTES: 56, 8;
    Size: 0, EvtCleanupCallback: 8, EvtDestroyCallback: 16, ExecutionLevel: 24,
    SynchronizationScope: 28, ParentObject: 32, ContextSizeOverride: 40, ContextTypeInfo: 48,
);
layout!(WDF_OBJECT_CONTEXT_TYPE_INFO: 40, 8;
    Size: 0, ContextName: 8, ContextSize: 16, UniqueType: 24, EvtDriverGetUniqueContextType: 32,
);
layout!(WDF_PNPPOWER_EVENT_CALLBACKS: 144, 8;
    Size: 0, EvtDeviceD0Entry: 8, EvtDeviceD0EntryPostInterruptsEnabled: 16, EvtDeviceD0Exit: 24,
    EvtDeviceD0ExitPreInterruptsDisabled: 32, EvtDevicePrepareHardware: 40,
    EvtDeviceReleaseHardware: 48, EvtDeviceSelfManagedIoCleanup: 56,
    EvtDeviceSelfManagedIoFlush: 64, EvtDeviceSelfManagedIoInit: 72,
    EvtDeviceSelfManagedIoSuspend: 80, EvtDeviceSelfManagedIoRestart: 88,
    EvtDeviceSurpriseRemoval: 96, EvtDeviceQueryRemove: 104, EvtDeviceQueryStop: 112,
    EvtDeviceUsageNotification: 120, EvtDeviceRelationsQuery: 128,
    EvtDeviceUsageNotificationEx: 136,
);
layout!(WDF_FDO_EVENT_CALLBACKS: 32, 8;
    Size: 0, EvtDeviceFilterAddResourceRequirements: 8,
    EvtDeviceFilterRemoveResourceRequirements: 16, EvtDeviceRemoveAddedResources: 24,
);
layout!(WDF_POWER_POLICY_EVENT_CALLBACKS: 64, 8;
    Size: 0, EvtDeviceArmWakeFromS0: 8, EvtDeviceDisarmWakeFromS0: 16,
    EvtDeviceWakeFromS0Triggered: 24, EvtDeviceArmWakeFromSx: 32, EvtDeviceDisarmWakeFromSx: 40,
    EvtDeviceWakeFromSxTriggered: 48, EvtDeviceArmWakeFromSxWithReason: 56,
);
layout!(WDF_INTERRUPT_CONFIG: 104, 8;
    Size: 0, SpinLock: 8, ShareVector: 16, FloatingSave: 20, AutomaticSerialization: 21,
    EvtInterruptIsr: 24, EvtInterruptDpc: 32, EvtInterruptEnable: 40, EvtInterruptDisable: 48,
    EvtInterruptWorkItem: 56, InterruptRaw: 64, InterruptTranslated: 72, WaitLock: 80,
    PassiveHandling: 88, ReportInactiveOnPowerDown: 92, CanWakeDevice: 96,
);
layout!(WDF_INTERRUPT_INFO: 64, 8;
    Size: 0, Reserved1: 8, TargetProcessorSet: 16, Reserved2: 24, MessageNumber: 28, Vector: 32,
    Irql: 36, Mode: 40, Polarity: 44, MessageSignaled: 48, ShareDisposition: 49, Group: 56,
);
layout!(WDF_INTERRUPT_EXTENDED_POLICY: 32, 8;
    Size: 0, Policy: 4, Priority: 8, TargetProcessorSetAndGroup: 16,
);
layout!(WDF_DEVICE_PNP_CAPABILITIES: 48, 4;
    Size: 0, LockSupported: 4, EjectSupported: 8, Removable: 12, DockDevice: 16, UniqueID: 20,
    SilentInstall: 24, SurpriseRemovalOK: 28, HardwareDisabled: 32, NoDisplayInUI: 36,
    Address: 40, UINumber: 44,
);
layout!(WDF_DEVICE_POWER_CAPABILITIES: 80, 4;
    Size: 0, DeviceD1: 4, DeviceD2: 8, WakeFromD0: 12, WakeFromD1: 16, WakeFromD2: 20,
    WakeFromD3: 24, DeviceState: 28, DeviceWake: 56, SystemWake: 60, D1Latency: 64, D2Latency: 68,
    D3Latency: 72, IdealDxStateForSx: 76,
);
layout!(WDF_DEVICE_STATE: 32, 4;
    Size: 0, Disabled: 4, DontDisplayInUI: 8, Failed: 12, NotDisableable: 16, Removed: 20,
    ResourcesChanged: 24, AssignedToGuest: 28,
);
layout!(WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS: 36, 4;
    Size: 0, IdleCaps: 4, DxState: 8, IdleTimeout: 12, UserControlOfIdleSettings: 16, Enabled: 20,
    PowerUpIdleDeviceOnSystemWake: 24, IdleTimeoutType: 28, ExcludeD3Cold: 32,
);
layout!(WDF_DPC_CONFIG: 24, 8; Size: 0, EvtDpcFunc: 8, AutomaticSerialization: 16);
layout!(WDF_TIMER_CONFIG: 40, 8;
    Size: 0, EvtTimerFunc: 8, Period: 16, AutomaticSerialization: 20, TolerableDelay: 24,
    UseHighResolutionTimer: 32,
);
layout!(WDF_WORKITEM_CONFIG: 24, 8; Size: 0, EvtWorkItemFunc: 8, AutomaticSerialization: 16);
layout!(WDF_IO_QUEUE_CONFIG: 96, 8;
    Size: 0, DispatchType: 4, PowerManaged: 8, AllowZeroLengthRequests: 12, DefaultQueue: 13,
    EvtIoDefault: 16, EvtIoRead: 24, EvtIoWrite: 32, EvtIoDeviceControl: 40,
    EvtIoInternalDeviceControl: 48, EvtIoStop: 56, EvtIoResume: 64, EvtIoCanceledOnQueue: 72,
    Settings: 80,
    Settings.Parallel: 80,
    Settings.Parallel.NumberOfPresentedRequests: 80,
    Driver: 88,
);
layout!(WDF_REQUEST_PARAMETERS: 40, 8;
    Size: 0, MinorFunction: 2, Type: 4, Parameters: 8,
    Parameters.Create: 8,
    Parameters.Create.SecurityContext: 8, Parameters.Create.Options: 16,
    Parameters.Create.FileAttributes: 24, Parameters.Create.ShareAccess: 26,
    Parameters.Create.EaLength: 32,
    Parameters.Read: 8,
    Parameters.Read.Length: 8, Parameters.Read.Key: 16, Parameters.Read.DeviceOffset: 24,
    Parameters.Write: 8,
    Parameters.Write.Length: 8, Parameters.Write.Key: 16, Parameters.Write.DeviceOffset: 24,
    Parameters.DeviceIoControl: 8,
    Parameters.DeviceIoControl.OutputBufferLength: 8,
    Parameters.DeviceIoControl.InputBufferLength: 16,
    Parameters.DeviceIoControl.IoControlCode: 24, Parameters.DeviceIoControl.Type3InputBuffer: 32,
    Parameters.Others: 8,
    Parameters.Others.Arg1: 8, Parameters.Others.Arg2: 16, Parameters.Others.IoControlCode: 24,
    Parameters.Others.Arg4: 32,
);
layout!(WDF_FILEOBJECT_CONFIG: 40, 8;
    Size: 0, EvtDeviceFileCreate: 8, EvtFileClose: 16, EvtFileCleanup: 24,
    AutoForwardCleanupClose: 32, FileObjectClass: 36,
);
layout!(WDF_QUERY_INTERFACE_CONFIG: 48, 8;
    Size: 0, Interface: 8, InterfaceType: 16, SendQueryToParentStack: 24,
    EvtDeviceProcessQueryInterfaceRequest: 32, ImportInterface: 40,
);
layout!(WDF_DRIVER_VERSION_AVAILABLE_PARAMS: 12, 4; Size: 0, MajorVersion: 4, MinorVersion: 8);

// What older versions of the framework know of these.

older_form!(
    WDF_PNPPOWER_EVENT_CALLBACKS_SIZE_V1_7:
        WDF_PNPPOWER_EVENT_CALLBACKS ends before EvtDeviceUsageNotificationEx
);
older_form!(WDF_INTERRUPT_CONFIG_SIZE_V1_7: WDF_INTERRUPT_CONFIG ends before EvtInterruptWorkItem);
older_form!(WDF_INTERRUPT_CONFIG_SIZE_V1_11: WDF_INTERRUPT_CONFIG ends before CanWakeDevice);
older_form!(WDF_INTERRUPT_INFO_SIZE_V1_7: WDF_INTERRUPT_INFO ends before Group);
older_form!(WDF_TIMER_CONFIG_SIZE_V1_7: WDF_TIMER_CONFIG ends before TolerableDelay);
older_form!(WDF_TIMER_CONFIG_SIZE_V1_9: WDF_TIMER_CONFIG ends before UseHighResolutionTimer);
older_form!(WDF_IO_QUEUE_CONFIG_SIZE_V1_7: WDF_IO_QUEUE_CONFIG ends before Settings);
older_form!(WDF_IO_QUEUE_CONFIG_SIZE_V1_9: WDF_IO_QUEUE_CONFIG ends before Driver);
older_form!(WDF_DEVICE_STATE_SIZE_V1_7: WDF_DEVICE_STATE ends before AssignedToGuest);
older_form!(
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_SIZE_V1_7:
        WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS ends before PowerUpIdleDeviceOnSystemWake
);
older_form!(
    WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS_SIZE_V1_9:
        WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS ends before IdleTimeoutType
);

// Values are compared where they are written out (`macros`), but for a pointer, of which only this can be said while compiling.

#[cfg(all(feature = "wdk", windows))]
const _: () = assert!(wdk_sys::WDF_NO_OBJECT_ATTRIBUTES.is_null());
