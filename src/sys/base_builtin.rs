//! Base types of the Windows kernel, written out, for builds without a Windows Driver Kit.
//!
//! Names and shapes are those of `wdk-sys`; the layout is that of amd64 and arm64. As there, the
//! interrupt members of the resource descriptors are seen without processor groups: the 32-bit
//! `AffinityPolicy` and `Level` cover the 16-bit value the kernel keeps there and, in the upper half, the
//! group.

#![cfg_attr(
    not(all(feature = "wdk", windows)),
    expect(missing_docs, reason = "C names, documented by Microsoft")
)]
#![expect(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "C names, documented by Microsoft"
)]

use core::ffi::c_void;

// Scalars.

pub type CHAR = core::ffi::c_char;
pub type CCHAR = i8;
pub type UCHAR = u8;
pub type BOOLEAN = u8;
pub type SHORT = i16;
pub type CSHORT = i16;
pub type USHORT = u16;
pub type WCHAR = u16;
pub type LONG = i32;
pub type ULONG = u32;
pub type UINT = u32;
pub type LONGLONG = i64;
pub type ULONGLONG = u64;
pub type ULONG64 = u64;
pub type ULONG_PTR = u64;
pub type SIZE_T = u64;
pub type KAFFINITY = u64;
pub type KSPIN_LOCK = u64;
pub type NTSTATUS = i32;
pub type KIRQL = u8;
pub type KPRIORITY = i32;
pub type KPROCESSOR_MODE = i8;
pub type ACCESS_MASK = u32;
pub type DEVICE_TYPE = u32;

pub type PVOID = *mut c_void;
pub type HANDLE = *mut c_void;
pub type PHANDLE = *mut HANDLE;
pub type PCHAR = *mut CHAR;
pub type PCCH = *const CHAR;
pub type PCSTR = *const CHAR;
pub type PUCHAR = *mut UCHAR;
pub type PBOOLEAN = *mut BOOLEAN;
pub type PUSHORT = *mut USHORT;
pub type PULONG = *mut ULONG;
pub type PLONGLONG = *mut LONGLONG;
pub type PWCHAR = *mut WCHAR;
pub type PWCH = *mut WCHAR;
pub type PWSTR = *mut WCHAR;
pub type PCWSTR = *const WCHAR;
pub type PKAFFINITY = *mut KAFFINITY;
pub type PKSPIN_LOCK = *mut KSPIN_LOCK;

constants! {
    TRUE: u32 = 1;
    FALSE: u32 = 0;
}

#[must_use]
pub const fn NT_SUCCESS(status: NTSTATUS) -> bool {
    status >= 0
}

// Identifiers, strings, lists.

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct GUID {
    pub Data1: ULONG,
    pub Data2: USHORT,
    pub Data3: USHORT,
    pub Data4: [UCHAR; 8],
}
pub type LPGUID = *mut GUID;
pub type LPCGUID = *const GUID;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct LUID {
    pub LowPart: ULONG,
    pub HighPart: LONG,
}
pub type PLUID = *mut LUID;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct LARGE_INTEGER_PARTS {
    pub LowPart: ULONG,
    pub HighPart: LONG,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union LARGE_INTEGER {
    pub u: LARGE_INTEGER_PARTS,
    pub QuadPart: LONGLONG,
}
pub type PLARGE_INTEGER = *mut LARGE_INTEGER;
pub type PHYSICAL_ADDRESS = LARGE_INTEGER;
pub type PPHYSICAL_ADDRESS = *mut PHYSICAL_ADDRESS;

impl Default for LARGE_INTEGER {
    fn default() -> Self {
        Self { QuadPart: 0 }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct UNICODE_STRING {
    pub Length: USHORT,
    pub MaximumLength: USHORT,
    pub Buffer: PWCH,
}
pub type PUNICODE_STRING = *mut UNICODE_STRING;
pub type PCUNICODE_STRING = *const UNICODE_STRING;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct LIST_ENTRY {
    pub Flink: *mut LIST_ENTRY,
    pub Blink: *mut LIST_ENTRY,
}
pub type PLIST_ENTRY = *mut LIST_ENTRY;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SINGLE_LIST_ENTRY {
    pub Next: *mut SINGLE_LIST_ENTRY,
}
pub type PSINGLE_LIST_ENTRY = *mut SINGLE_LIST_ENTRY;

// Processors.

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct PROCESSOR_NUMBER {
    pub Group: USHORT,
    pub Number: UCHAR,
    pub Reserved: UCHAR,
}
pub type PPROCESSOR_NUMBER = *mut PROCESSOR_NUMBER;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct GROUP_AFFINITY {
    pub Mask: KAFFINITY,
    pub Group: USHORT,
    pub Reserved: [USHORT; 3],
}
pub type PGROUP_AFFINITY = *mut GROUP_AFFINITY;

constants! {
    ALL_PROCESSOR_GROUPS: u32 = 0xFFFF;
    MAXIMUM_PROC_PER_GROUP: u32 = 64;
}

// Levels.

constants! {
    PASSIVE_LEVEL: u32 = 0;
    APC_LEVEL: u32 = 1;
    DISPATCH_LEVEL: u32 = 2;
    HIGH_LEVEL: u32 = 15;
}

// Resource requirements.

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IO_RESOURCE_DESCRIPTOR {
    pub Option: UCHAR,
    pub Type: UCHAR,
    pub ShareDisposition: UCHAR,
    pub Spare1: UCHAR,
    pub Flags: USHORT,
    pub Spare2: USHORT,
    pub u: IO_RESOURCE_DESCRIPTOR_u,
}
pub type PIO_RESOURCE_DESCRIPTOR = *mut IO_RESOURCE_DESCRIPTOR;

#[repr(C)]
#[derive(Clone, Copy)]
pub union IO_RESOURCE_DESCRIPTOR_u {
    pub Port: IO_RESOURCE_DESCRIPTOR_Range,
    pub Memory: IO_RESOURCE_DESCRIPTOR_Range,
    pub Interrupt: IO_RESOURCE_DESCRIPTOR_Interrupt,
    pub Dma: IO_RESOURCE_DESCRIPTOR_Dma,
    pub Generic: IO_RESOURCE_DESCRIPTOR_Range,
    pub DevicePrivate: IO_RESOURCE_DESCRIPTOR_DevicePrivate,
    pub BusNumber: IO_RESOURCE_DESCRIPTOR_BusNumber,
    pub ConfigData: IO_RESOURCE_DESCRIPTOR_ConfigData,
    pub Memory40: IO_RESOURCE_DESCRIPTOR_Memory40,
    pub Memory48: IO_RESOURCE_DESCRIPTOR_Memory48,
    pub Memory64: IO_RESOURCE_DESCRIPTOR_Memory64,
}

impl Default for IO_RESOURCE_DESCRIPTOR_u {
    fn default() -> Self {
        // The interrupt member has no padding and is as large as the union.
        Self {
            Interrupt: IO_RESOURCE_DESCRIPTOR_Interrupt::default(),
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_Range {
    pub Length: ULONG,
    pub Alignment: ULONG,
    pub MinimumAddress: PHYSICAL_ADDRESS,
    pub MaximumAddress: PHYSICAL_ADDRESS,
}

/// `AffinityPolicy` covers the policy in its lower 16 bits and the processor group in its upper ones.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_Interrupt {
    pub MinimumVector: ULONG,
    pub MaximumVector: ULONG,
    pub AffinityPolicy: IRQ_DEVICE_POLICY,
    pub PriorityPolicy: IRQ_PRIORITY,
    pub TargetedProcessors: KAFFINITY,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_Dma {
    pub MinimumChannel: ULONG,
    pub MaximumChannel: ULONG,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_DevicePrivate {
    pub Data: [ULONG; 3],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_BusNumber {
    pub Length: ULONG,
    pub MinBusNumber: ULONG,
    pub MaxBusNumber: ULONG,
    pub Reserved: ULONG,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_ConfigData {
    pub Priority: ULONG,
    pub Reserved1: ULONG,
    pub Reserved2: ULONG,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_Memory40 {
    pub Length40: ULONG,
    pub Alignment40: ULONG,
    pub MinimumAddress: PHYSICAL_ADDRESS,
    pub MaximumAddress: PHYSICAL_ADDRESS,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_Memory48 {
    pub Length48: ULONG,
    pub Alignment48: ULONG,
    pub MinimumAddress: PHYSICAL_ADDRESS,
    pub MaximumAddress: PHYSICAL_ADDRESS,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IO_RESOURCE_DESCRIPTOR_Memory64 {
    pub Length64: ULONG,
    pub Alignment64: ULONG,
    pub MinimumAddress: PHYSICAL_ADDRESS,
    pub MaximumAddress: PHYSICAL_ADDRESS,
}

/// `Descriptors` is a tail of `Count` elements.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IO_RESOURCE_LIST {
    pub Version: USHORT,
    pub Revision: USHORT,
    pub Count: ULONG,
    pub Descriptors: [IO_RESOURCE_DESCRIPTOR; 1],
}
pub type PIO_RESOURCE_LIST = *mut IO_RESOURCE_LIST;

/// `List` is a tail of `AlternativeLists` lists of different lengths: walked, never indexed.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IO_RESOURCE_REQUIREMENTS_LIST {
    pub ListSize: ULONG,
    pub InterfaceType: INTERFACE_TYPE,
    pub BusNumber: ULONG,
    pub SlotNumber: ULONG,
    pub Reserved: [ULONG; 3],
    pub AlternativeLists: ULONG,
    pub List: [IO_RESOURCE_LIST; 1],
}
pub type PIO_RESOURCE_REQUIREMENTS_LIST = *mut IO_RESOURCE_REQUIREMENTS_LIST;

// Assigned resources. Packed to four bytes: take members by value, never by reference.

#[repr(C, packed(4))]
#[derive(Clone, Copy, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR {
    pub Type: UCHAR,
    pub ShareDisposition: UCHAR,
    pub Flags: USHORT,
    pub u: CM_PARTIAL_RESOURCE_DESCRIPTOR_u,
}
pub type PCM_PARTIAL_RESOURCE_DESCRIPTOR = *mut CM_PARTIAL_RESOURCE_DESCRIPTOR;

#[repr(C, packed(4))]
#[derive(Clone, Copy)]
pub union CM_PARTIAL_RESOURCE_DESCRIPTOR_u {
    pub Generic: CM_PARTIAL_RESOURCE_DESCRIPTOR_Range,
    pub Port: CM_PARTIAL_RESOURCE_DESCRIPTOR_Range,
    pub Interrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_Interrupt,
    pub MessageInterrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_MessageInterrupt,
    pub Memory: CM_PARTIAL_RESOURCE_DESCRIPTOR_Range,
    pub Dma: CM_PARTIAL_RESOURCE_DESCRIPTOR_Dma,
    pub DevicePrivate: CM_PARTIAL_RESOURCE_DESCRIPTOR_DevicePrivate,
    pub BusNumber: CM_PARTIAL_RESOURCE_DESCRIPTOR_BusNumber,
    pub DeviceSpecificData: CM_PARTIAL_RESOURCE_DESCRIPTOR_DeviceSpecificData,
    pub Memory40: CM_PARTIAL_RESOURCE_DESCRIPTOR_Memory40,
    pub Memory48: CM_PARTIAL_RESOURCE_DESCRIPTOR_Memory48,
    pub Memory64: CM_PARTIAL_RESOURCE_DESCRIPTOR_Memory64,
}

impl Default for CM_PARTIAL_RESOURCE_DESCRIPTOR_u {
    fn default() -> Self {
        // The interrupt member has no padding and is as large as the union.
        Self {
            Interrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_Interrupt::default(),
        }
    }
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_Range {
    pub Start: PHYSICAL_ADDRESS,
    pub Length: ULONG,
}

/// `Level` covers the level in its lower 16 bits and the processor group in its upper ones.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_Interrupt {
    pub Level: ULONG,
    pub Vector: ULONG,
    pub Affinity: KAFFINITY,
}

/// The union has no name in C; this is the one `wdk-sys` gives it.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_MessageInterrupt {
    pub __bindgen_anon_1: CM_PARTIAL_RESOURCE_DESCRIPTOR_Message,
}

#[repr(C, packed(4))]
#[derive(Clone, Copy)]
pub union CM_PARTIAL_RESOURCE_DESCRIPTOR_Message {
    pub Raw: CM_PARTIAL_RESOURCE_DESCRIPTOR_Raw,
    pub Translated: CM_PARTIAL_RESOURCE_DESCRIPTOR_Interrupt,
}

impl Default for CM_PARTIAL_RESOURCE_DESCRIPTOR_Message {
    fn default() -> Self {
        Self {
            Translated: CM_PARTIAL_RESOURCE_DESCRIPTOR_Interrupt::default(),
        }
    }
}

/// `Reserved` is the processor group from Windows 7 on.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_Raw {
    pub Reserved: USHORT,
    pub MessageCount: USHORT,
    pub Vector: ULONG,
    pub Affinity: KAFFINITY,
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_Dma {
    pub Channel: ULONG,
    pub Port: ULONG,
    pub Reserved1: ULONG,
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_DevicePrivate {
    pub Data: [ULONG; 3],
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_BusNumber {
    pub Start: ULONG,
    pub Length: ULONG,
    pub Reserved: ULONG,
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_DeviceSpecificData {
    pub DataSize: ULONG,
    pub Reserved1: ULONG,
    pub Reserved2: ULONG,
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_Memory40 {
    pub Start: PHYSICAL_ADDRESS,
    pub Length40: ULONG,
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_Memory48 {
    pub Start: PHYSICAL_ADDRESS,
    pub Length48: ULONG,
}

#[repr(C, packed(4))]
#[derive(Clone, Copy, Default)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_Memory64 {
    pub Start: PHYSICAL_ADDRESS,
    pub Length64: ULONG,
}

/// `PartialDescriptors` is a tail of `Count` elements.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CM_PARTIAL_RESOURCE_LIST {
    pub Version: USHORT,
    pub Revision: USHORT,
    pub Count: ULONG,
    pub PartialDescriptors: [CM_PARTIAL_RESOURCE_DESCRIPTOR; 1],
}
pub type PCM_PARTIAL_RESOURCE_LIST = *mut CM_PARTIAL_RESOURCE_LIST;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CM_FULL_RESOURCE_DESCRIPTOR {
    pub InterfaceType: INTERFACE_TYPE,
    pub BusNumber: ULONG,
    pub PartialResourceList: CM_PARTIAL_RESOURCE_LIST,
}
pub type PCM_FULL_RESOURCE_DESCRIPTOR = *mut CM_FULL_RESOURCE_DESCRIPTOR;

/// `List` is a tail of `Count` elements of different lengths: walked, never indexed.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CM_RESOURCE_LIST {
    pub Count: ULONG,
    pub List: [CM_FULL_RESOURCE_DESCRIPTOR; 1],
}
pub type PCM_RESOURCE_LIST = *mut CM_RESOURCE_LIST;

constants! {
    CmResourceTypeNull: u32 = 0;
    CmResourceTypePort: u32 = 1;
    CmResourceTypeInterrupt: u32 = 2;
    CmResourceTypeMemory: u32 = 3;
    CmResourceTypeDma: u32 = 4;
    CmResourceTypeDeviceSpecific: u32 = 5;
    CmResourceTypeBusNumber: u32 = 6;
    CmResourceTypeMemoryLarge: u32 = 7;
    CmResourceTypeNonArbitrated: u32 = 128;
    CmResourceTypeConfigData: u32 = 128;
    CmResourceTypeDevicePrivate: u32 = 129;

    CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE: u32 = 0x00;
    CM_RESOURCE_INTERRUPT_LATCHED: u32 = 0x01;
    CM_RESOURCE_INTERRUPT_MESSAGE: u32 = 0x02;
    CM_RESOURCE_INTERRUPT_POLICY_INCLUDED: u32 = 0x04;
    CM_RESOURCE_INTERRUPT_SECONDARY_INTERRUPT: u32 = 0x10;
    CM_RESOURCE_INTERRUPT_WAKE_HINT: u32 = 0x20;

    CM_RESOURCE_MEMORY_LARGE_40: u32 = 0x0200;
    CM_RESOURCE_MEMORY_LARGE_48: u32 = 0x0400;
    CM_RESOURCE_MEMORY_LARGE_64: u32 = 0x0800;

    IO_RESOURCE_PREFERRED: u32 = 0x01;
    IO_RESOURCE_DEFAULT: u32 = 0x02;
    IO_RESOURCE_ALTERNATIVE: u32 = 0x08;
}
pub const CM_RESOURCE_INTERRUPT_MESSAGE_TOKEN: u32 = 0xFFFF_FFFE;

c_enum!(_INTERFACE_TYPE, INTERFACE_TYPE {
    InterfaceTypeUndefined = -1,
    Internal = 0,
    Isa = 1,
    Eisa = 2,
    MicroChannel = 3,
    TurboChannel = 4,
    PCIBus = 5,
    VMEBus = 6,
    NuBus = 7,
    PCMCIABus = 8,
    CBus = 9,
    MPIBus = 10,
    MPSABus = 11,
    ProcessorInternal = 12,
    InternalPowerBus = 13,
    PNPISABus = 14,
    PNPBus = 15,
    Vmcs = 16,
    ACPIBus = 17,
    MaximumInterfaceType = 18,
});

c_enum!(_CM_SHARE_DISPOSITION, CM_SHARE_DISPOSITION {
    CmResourceShareUndetermined = 0,
    CmResourceShareDeviceExclusive = 1,
    CmResourceShareDriverExclusive = 2,
    CmResourceShareShared = 3,
});

c_enum!(_IRQ_DEVICE_POLICY, IRQ_DEVICE_POLICY {
    IrqPolicyMachineDefault = 0,
    IrqPolicyAllCloseProcessors = 1,
    IrqPolicyOneCloseProcessor = 2,
    IrqPolicyAllProcessorsInMachine = 3,
    IrqPolicySpecifiedProcessors = 4,
    IrqPolicySpreadMessagesAcrossAllProcessors = 5,
    IrqPolicyAllProcessorsInMachineWhenSteered = 6,
});

c_enum!(_IRQ_PRIORITY, IRQ_PRIORITY {
    IrqPriorityUndefined = 0,
    IrqPriorityLow = 1,
    IrqPriorityNormal = 2,
    IrqPriorityHigh = 3,
});

c_enum!(_KINTERRUPT_MODE, KINTERRUPT_MODE {
    LevelSensitive = 0,
    Latched = 1,
});

// Power, properties, memory, waiting.

c_enum!(_DEVICE_POWER_STATE, DEVICE_POWER_STATE {
    PowerDeviceUnspecified = 0,
    PowerDeviceD0 = 1,
    PowerDeviceD1 = 2,
    PowerDeviceD2 = 3,
    PowerDeviceD3 = 4,
    PowerDeviceMaximum = 5,
});

c_enum!(_SYSTEM_POWER_STATE, SYSTEM_POWER_STATE {
    PowerSystemUnspecified = 0,
    PowerSystemWorking = 1,
    PowerSystemSleeping1 = 2,
    PowerSystemSleeping2 = 3,
    PowerSystemSleeping3 = 4,
    PowerSystemHibernate = 5,
    PowerSystemShutdown = 6,
    PowerSystemMaximum = 7,
});

c_enum!(_POOL_TYPE, POOL_TYPE {
    NonPagedPool = 0,
    PagedPool = 1,
    NonPagedPoolCacheAligned = 4,
    PagedPoolCacheAligned = 5,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = 516,
});

c_enum!(_MEMORY_CACHING_TYPE, MEMORY_CACHING_TYPE {
    MmNonCached = 0,
    MmCached = 1,
    MmWriteCombined = 2,
});

c_enum!(_KDPC_IMPORTANCE, KDPC_IMPORTANCE {
    LowImportance = 0,
    MediumImportance = 1,
    HighImportance = 2,
    MediumHighImportance = 3,
});

c_enum!(_EVENT_TYPE, EVENT_TYPE {
    NotificationEvent = 0,
    SynchronizationEvent = 1,
});

c_enum!(_MODE, MODE {
    KernelMode = 0,
    UserMode = 1,
});

c_enum!(_KWAIT_REASON, KWAIT_REASON {
    Executive = 0,
});

c_enum!(_DEVICE_RELATION_TYPE, DEVICE_RELATION_TYPE {
    BusRelations = 0,
    EjectionRelations = 1,
    PowerRelations = 2,
    RemovalRelations = 3,
    TargetDeviceRelation = 4,
});

c_enum!(DEVICE_REGISTRY_PROPERTY {
    DevicePropertyDeviceDescription = 0,
    DevicePropertyHardwareID = 1,
    DevicePropertyCompatibleIDs = 2,
    DevicePropertyBootConfiguration = 3,
    DevicePropertyBootConfigurationTranslated = 4,
    DevicePropertyClassName = 5,
    DevicePropertyClassGuid = 6,
    DevicePropertyDriverKeyName = 7,
    DevicePropertyManufacturer = 8,
    DevicePropertyFriendlyName = 9,
    DevicePropertyLocationInformation = 10,
    DevicePropertyPhysicalDeviceObjectName = 11,
    DevicePropertyBusTypeGuid = 12,
    DevicePropertyLegacyBusType = 13,
    DevicePropertyBusNumber = 14,
    DevicePropertyEnumeratorName = 15,
    DevicePropertyAddress = 16,
    DevicePropertyUINumber = 17,
    DevicePropertyInstallState = 18,
    DevicePropertyRemovalPolicy = 19,
    DevicePropertyResourceRequirements = 20,
    DevicePropertyAllocatedResources = 21,
    DevicePropertyContainerID = 22,
});

constants! {
    PAGE_SIZE: u32 = 0x1000;
    PLUGPLAY_REGKEY_DEVICE: u32 = 1;
    PLUGPLAY_REGKEY_DRIVER: u32 = 2;
    FILE_DEVICE_UNKNOWN: u32 = 0x22;
    FILE_DEVICE_SECURE_OPEN: u32 = 0x100;
    DO_BUFFERED_IO: u32 = 0x4;
    DO_DIRECT_IO: u32 = 0x10;
    DO_DEVICE_INITIALIZING: u32 = 0x80;
    DO_POWER_PAGABLE: u32 = 0x2000;
}
pub const KEY_READ: u32 = 0x0002_0019;

// Driver and device objects.

opaque! {
    DEVOBJ_EXTENSION FAST_IO_DISPATCH IO_SECURITY_CONTEXT IO_TIMER IRP KINTERRUPT VPB
}
pub type PIO_SECURITY_CONTEXT = *mut IO_SECURITY_CONTEXT;
pub type PIRP = *mut IRP;
pub type PKINTERRUPT = *mut KINTERRUPT;

pub type PDRIVER_INITIALIZE = Option<
    unsafe extern "C" fn(DriverObject: PDRIVER_OBJECT, RegistryPath: PUNICODE_STRING) -> NTSTATUS,
>;
pub type PDRIVER_STARTIO = Option<unsafe extern "C" fn(DeviceObject: PDEVICE_OBJECT, Irp: PIRP)>;
pub type PDRIVER_UNLOAD = Option<unsafe extern "C" fn(DriverObject: PDRIVER_OBJECT)>;
pub type PDRIVER_DISPATCH =
    Option<unsafe extern "C" fn(DeviceObject: PDEVICE_OBJECT, Irp: PIRP) -> NTSTATUS>;
pub type PDRIVER_ADD_DEVICE = Option<
    unsafe extern "C" fn(
        DriverObject: PDRIVER_OBJECT,
        PhysicalDeviceObject: PDEVICE_OBJECT,
    ) -> NTSTATUS,
>;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct DRIVER_OBJECT {
    pub Type: CSHORT,
    pub Size: CSHORT,
    pub DeviceObject: PDEVICE_OBJECT,
    pub Flags: ULONG,
    pub DriverStart: PVOID,
    pub DriverSize: ULONG,
    pub DriverSection: PVOID,
    pub DriverExtension: PDRIVER_EXTENSION,
    pub DriverName: UNICODE_STRING,
    pub HardwareDatabase: PUNICODE_STRING,
    pub FastIoDispatch: *mut FAST_IO_DISPATCH,
    pub DriverInit: PDRIVER_INITIALIZE,
    pub DriverStartIo: PDRIVER_STARTIO,
    pub DriverUnload: PDRIVER_UNLOAD,
    pub MajorFunction: [PDRIVER_DISPATCH; 28],
}
pub type PDRIVER_OBJECT = *mut DRIVER_OBJECT;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct DRIVER_EXTENSION {
    pub DriverObject: *mut DRIVER_OBJECT,
    pub AddDevice: PDRIVER_ADD_DEVICE,
    pub Count: ULONG,
    pub ServiceKeyName: UNICODE_STRING,
}
pub type PDRIVER_EXTENSION = *mut DRIVER_EXTENSION;

#[repr(C, align(16))]
#[derive(Clone, Copy, Default)]
pub struct DEVICE_OBJECT {
    pub Type: CSHORT,
    pub Size: USHORT,
    pub ReferenceCount: LONG,
    pub DriverObject: *mut DRIVER_OBJECT,
    pub NextDevice: *mut DEVICE_OBJECT,
    pub AttachedDevice: *mut DEVICE_OBJECT,
    pub CurrentIrp: *mut IRP,
    pub Timer: *mut IO_TIMER,
    pub Flags: ULONG,
    pub Characteristics: ULONG,
    pub Vpb: *mut VPB,
    pub DeviceExtension: PVOID,
    pub DeviceType: DEVICE_TYPE,
    pub StackSize: CCHAR,
    pub Queue: DEVICE_OBJECT_Queue,
    pub AlignmentRequirement: ULONG,
    pub DeviceQueue: KDEVICE_QUEUE,
    pub Dpc: KDPC,
    pub ActiveThreadCount: ULONG,
    pub SecurityDescriptor: PVOID,
    pub DeviceLock: KEVENT,
    pub SectorSize: USHORT,
    pub Spare1: USHORT,
    pub DeviceObjectExtension: *mut DEVOBJ_EXTENSION,
    pub Reserved: PVOID,
}
pub type PDEVICE_OBJECT = *mut DEVICE_OBJECT;

/// In C a union of a list entry and a wait context block.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct DEVICE_OBJECT_Queue {
    pub ListEntry: LIST_ENTRY,
    pub Wcb: [ULONG_PTR; 7],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct KDEVICE_QUEUE {
    pub Type: CSHORT,
    pub Size: CSHORT,
    pub DeviceListHead: LIST_ENTRY,
    pub Lock: KSPIN_LOCK,
    pub Busy: BOOLEAN,
}
pub type PKDEVICE_QUEUE = *mut KDEVICE_QUEUE;

// Deferred calls, events, rundown.

pub type PKDEFERRED_ROUTINE = Option<
    unsafe extern "C" fn(
        Dpc: *mut KDPC,
        DeferredContext: PVOID,
        SystemArgument1: PVOID,
        SystemArgument2: PVOID,
    ),
>;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct KDPC {
    pub TargetInfoAsUlong: ULONG,
    pub DpcListEntry: SINGLE_LIST_ENTRY,
    pub ProcessorHistory: KAFFINITY,
    pub DeferredRoutine: PKDEFERRED_ROUTINE,
    pub DeferredContext: PVOID,
    pub SystemArgument1: PVOID,
    pub SystemArgument2: PVOID,
    pub DpcData: PVOID,
}
pub type PKDPC = *mut KDPC;
pub type PRKDPC = *mut KDPC;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct DISPATCHER_HEADER {
    pub Lock: LONG,
    pub SignalState: LONG,
    pub WaitListHead: LIST_ENTRY,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct KEVENT {
    pub Header: DISPATCHER_HEADER,
}
pub type PKEVENT = *mut KEVENT;
pub type PRKEVENT = *mut KEVENT;

// Versions and query interfaces.

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RTL_OSVERSIONINFOW {
    pub dwOSVersionInfoSize: ULONG,
    pub dwMajorVersion: ULONG,
    pub dwMinorVersion: ULONG,
    pub dwBuildNumber: ULONG,
    pub dwPlatformId: ULONG,
    pub szCSDVersion: [WCHAR; 128],
}
pub type PRTL_OSVERSIONINFOW = *mut RTL_OSVERSIONINFOW;

impl Default for RTL_OSVERSIONINFOW {
    fn default() -> Self {
        Self {
            dwOSVersionInfoSize: 0,
            dwMajorVersion: 0,
            dwMinorVersion: 0,
            dwBuildNumber: 0,
            dwPlatformId: 0,
            szCSDVersion: [0; 128],
        }
    }
}

pub type PINTERFACE_REFERENCE = Option<unsafe extern "C" fn(Context: PVOID)>;
pub type PINTERFACE_DEREFERENCE = Option<unsafe extern "C" fn(Context: PVOID)>;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct INTERFACE {
    pub Size: USHORT,
    pub Version: USHORT,
    pub Context: PVOID,
    pub InterfaceReference: PINTERFACE_REFERENCE,
    pub InterfaceDereference: PINTERFACE_DEREFERENCE,
}
pub type PINTERFACE = *mut INTERFACE;

// Status codes.

/// Status codes, written as the unsigned numbers they are known by.
macro_rules! status_codes {
    ($($name:ident = $value:literal;)*) => {
        constants! { $($name: NTSTATUS = u32::cast_signed($value);)* }
    };
}

status_codes! {
    STATUS_SUCCESS = 0x0000_0000;
    STATUS_ALERTED = 0x0000_0101;
    STATUS_TIMEOUT = 0x0000_0102;
    STATUS_PENDING = 0x0000_0103;
    STATUS_OBJECT_NAME_EXISTS = 0x4000_0000;
    STATUS_BUFFER_OVERFLOW = 0x8000_0005;
    STATUS_DEVICE_BUSY = 0x8000_0011;
    STATUS_NO_MORE_ENTRIES = 0x8000_001A;
    STATUS_UNSUCCESSFUL = 0xC000_0001;
    STATUS_NOT_IMPLEMENTED = 0xC000_0002;
    STATUS_INFO_LENGTH_MISMATCH = 0xC000_0004;
    STATUS_ACCESS_VIOLATION = 0xC000_0005;
    STATUS_INVALID_HANDLE = 0xC000_0008;
    STATUS_INVALID_PARAMETER = 0xC000_000D;
    STATUS_NO_SUCH_DEVICE = 0xC000_000E;
    STATUS_INVALID_DEVICE_REQUEST = 0xC000_0010;
    STATUS_MORE_PROCESSING_REQUIRED = 0xC000_0016;
    STATUS_NO_MEMORY = 0xC000_0017;
    STATUS_ACCESS_DENIED = 0xC000_0022;
    STATUS_BUFFER_TOO_SMALL = 0xC000_0023;
    STATUS_OBJECT_TYPE_MISMATCH = 0xC000_0024;
    STATUS_OBJECT_NAME_INVALID = 0xC000_0033;
    STATUS_OBJECT_NAME_NOT_FOUND = 0xC000_0034;
    STATUS_OBJECT_NAME_COLLISION = 0xC000_0035;
    STATUS_DELETE_PENDING = 0xC000_0056;
    STATUS_REVISION_MISMATCH = 0xC000_0059;
    STATUS_PROCEDURE_NOT_FOUND = 0xC000_007A;
    STATUS_RESOURCE_TYPE_NOT_FOUND = 0xC000_008A;
    STATUS_ARRAY_BOUNDS_EXCEEDED = 0xC000_008C;
    STATUS_INTEGER_OVERFLOW = 0xC000_0095;
    STATUS_INSUFFICIENT_RESOURCES = 0xC000_009A;
    STATUS_DEVICE_NOT_READY = 0xC000_00A3;
    STATUS_IO_TIMEOUT = 0xC000_00B5;
    STATUS_NOT_SUPPORTED = 0xC000_00BB;
    STATUS_DEVICE_DOES_NOT_EXIST = 0xC000_00C0;
    STATUS_NOT_SAME_DEVICE = 0xC000_00D4;
    STATUS_INTERNAL_ERROR = 0xC000_00E5;
    STATUS_INVALID_PARAMETER_1 = 0xC000_00EF;
    STATUS_INVALID_PARAMETER_2 = 0xC000_00F0;
    STATUS_INVALID_PARAMETER_3 = 0xC000_00F1;
    STATUS_INVALID_PARAMETER_4 = 0xC000_00F2;
    STATUS_CANCELLED = 0xC000_0120;
    STATUS_DEVICE_CONFIGURATION_ERROR = 0xC000_0182;
    STATUS_INVALID_DEVICE_STATE = 0xC000_0184;
    STATUS_IO_DEVICE_ERROR = 0xC000_0185;
    STATUS_TOO_LATE = 0xC000_0189;
    STATUS_DEVICE_REMOVED = 0xC000_02B6;
    STATUS_NOINTERFACE = 0xC000_02B9;
    STATUS_INVALID_BUFFER_SIZE = 0xC000_0206;
    STATUS_NOT_FOUND = 0xC000_0225;
    STATUS_WDF_PAUSED = 0xC020_0203;
    STATUS_WDF_BUSY = 0xC020_0204;
    STATUS_WDF_OBJECT_ATTRIBUTES_INVALID = 0xC020_0209;
    STATUS_WDF_NO_CALLBACK = 0xC020_020B;
    STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL = 0xC020_020C;
    STATUS_WDF_PARENT_ALREADY_ASSIGNED = 0xC020_020D;
    STATUS_WDF_PARENT_IS_SELF = 0xC020_020E;
    STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED = 0xC020_020F;
    STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID = 0xC020_0210;
    STATUS_WDF_EXECUTION_LEVEL_INVALID = 0xC020_0211;
    STATUS_WDF_PARENT_NOT_SPECIFIED = 0xC020_0212;
}
