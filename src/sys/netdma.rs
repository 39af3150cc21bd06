//! `netdma.h`: the provider side of NetDMA, imported from `NDIS.SYS`.
//!
//! `NetDmaGetVersion` and `NetDmaPnPEventNotify` do not exist in NetDMA 1.0 and are not imported: a driver
//! that named them would not load there. They are found with [`NdisGetRoutineAddress`], hence only their
//! types are here.
//!
//! # Safety
//!
//! Declarations only: nothing is called or dereferenced here. Each caller answers for the level, the
//! handles and the lifetime of what it passes; the `netdma` module states and keeps those rules.

#![expect(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "C names, documented by Microsoft"
)]
#![expect(unsafe_code, reason = "declares foreign functions")]

use super::{
    GROUP_AFFINITY, NTSTATUS, PDEVICE_OBJECT, PHYSICAL_ADDRESS, PPHYSICAL_ADDRESS, PULONG,
    PUNICODE_STRING, PVOID, UCHAR, UINT, ULONG, ULONG64, UNICODE_STRING, USHORT,
};

// Descriptors.

/// One copy, in the layout the hardware reads.
///
/// Three members have a second name in C, through unions: the context of a context change
/// (`DCAContext32`, `DCAContext16`, `DCAContext8`) is the whole, the lower 16 or the lower 8 bits of
/// `TransferSize`; `Reserved1` and `Reserved2` are the bits of `NextSourceAddress` and
/// `NextDestinationAddress`, which exist from NetDMA 2.0 on.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct NET_DMA_DESCRIPTOR {
    pub TransferSize: ULONG,
    pub ControlFlags: ULONG,
    pub SourceAddress: PHYSICAL_ADDRESS,
    pub DestinationAddress: PHYSICAL_ADDRESS,
    pub NextDescriptor: PHYSICAL_ADDRESS,
    pub NextSourceAddress: PHYSICAL_ADDRESS,
    pub NextDestinationAddress: PHYSICAL_ADDRESS,
    pub UserContext1: ULONG64,
    pub UserContext2: ULONG64,
}
pub type PNET_DMA_DESCRIPTOR = *mut NET_DMA_DESCRIPTOR;

pub const NET_DMA_INTERRUPT_ON_COMPLETION: u32 = 0x0000_0001;
pub const NET_DMA_SOURCE_NO_SNOOP: u32 = 0x0000_0002;
pub const NET_DMA_DESTINATION_NO_SNOOP: u32 = 0x0000_0004;
pub const NET_DMA_STATUS_UPDATE_ON_COMPLETION: u32 = 0x0000_0008;
pub const NET_DMA_SERIALIZE_TRANSFER: u32 = 0x0000_0010;
pub const NET_DMA_NULL_TRANSFER: u32 = 0x0000_0020;
pub const NET_DMA_SOURCE_PAGE_BREAK: u32 = 0x0000_0040;
pub const NET_DMA_DESTINATION_PAGE_BREAK: u32 = 0x0000_0080;
pub const NET_DMA_DESTINATION_DCA_ENABLE: u32 = 0x0000_0200;

/// Bit 0 of a descriptor whose operation is [`NET_DMA_OP_TYPE_CONTEXT_CHANGE`].
pub const NET_DMA_DCA_CONTEXT_CHANGE: u32 = 0x0000_0001;

pub const NET_DMA_OP_TYPE_STANDARD_DMA: u32 = 0x0000_0000;
pub const NET_DMA_OP_TYPE_CONTEXT_CHANGE: u32 = 0xFF00_0000;

// Channels.

/// The completion word holds a descriptor's address and, in these bits, a `NET_DMA_TRANSFER_STATUS`.
pub const NET_DMA_TRANSFER_STATUS_MASK: u32 = 0x0000_0007;

pub type NET_DMA_TRANSFER_STATUS = i32;
pub const NetDmaTransferStatusActive: NET_DMA_TRANSFER_STATUS = 0;
pub const NetDmaTransferStatusIdle: NET_DMA_TRANSFER_STATUS = 1;
pub const NetDmaTransferStatusSuspend: NET_DMA_TRANSFER_STATUS = 2;
pub const NetDmaTransferStatusHalted: NET_DMA_TRANSFER_STATUS = 3;
pub const NetDmaTransferStatusArmed: NET_DMA_TRANSFER_STATUS = 4;

pub const NET_DMA_CHANNEL_REVISION_1: u32 = 1;
pub const NET_DMA_CHANNEL_REVISION_2: u32 = 2;

/// What revision 1 counts: up to and with `CpuNumber`, four bytes less than `sizeof` gives.
pub const SIZEOF_NET_DMA_CHANNEL_PARAMETERS_REVISION_1: u32 = 36;
pub const SIZEOF_NET_DMA_CHANNEL_PARAMETERS_REVISION_2: u32 = 56;

/// Revision 2, from Windows 7 on.
///
/// What arrives may be shorter: `ProcessorAffinityMaskEx` is there only if `Revision` is at least 2 and
/// `Size` at least 56. Before that, read through [`NET_DMA_CHANNEL_PARAMETERS_V1`].
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct NET_DMA_CHANNEL_PARAMETERS {
    pub Revision: USHORT,
    pub Size: USHORT,
    pub Flags: ULONG,
    pub CompletionVirtualAddress: PVOID,
    pub CompletionPhysicalAddress: PHYSICAL_ADDRESS,
    pub ProcessorAffinityMask: ULONG,
    pub ChannelPriority: ULONG,
    pub CpuNumber: ULONG,
    pub ProcessorAffinityMaskEx: GROUP_AFFINITY,
}
pub type PNET_DMA_CHANNEL_PARAMETERS = *mut NET_DMA_CHANNEL_PARAMETERS;

/// Revision 1, the whole structure on Windows Vista and a prefix of it later.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct NET_DMA_CHANNEL_PARAMETERS_V1 {
    pub Revision: USHORT,
    pub Size: USHORT,
    pub Flags: ULONG,
    pub CompletionVirtualAddress: PVOID,
    pub CompletionPhysicalAddress: PHYSICAL_ADDRESS,
    pub ProcessorAffinityMask: ULONG,
    pub ChannelPriority: ULONG,
    pub CpuNumber: ULONG,
}
pub type PNET_DMA_CHANNEL_PARAMETERS_V1 = *mut NET_DMA_CHANNEL_PARAMETERS_V1;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NET_DMA_CHANNEL_CPU_AFFINITY {
    pub DmaChannel: ULONG,
    pub CpuNumber: ULONG,
}
pub type PNET_DMA_CHANNEL_CPU_AFFINITY = *mut NET_DMA_CHANNEL_CPU_AFFINITY;

// What a provider supplies.

pub type DMA_CHANNELS_CPU_AFFINITY_HANDLER = Option<
    unsafe extern "system" fn(
        ProviderContext: PVOID,
        CpuAffinityArray: PNET_DMA_CHANNEL_CPU_AFFINITY,
        CpuAffinityArraySize: ULONG,
    ) -> NTSTATUS,
>;
pub type DMA_CHANNEL_ALLOCATE_HANDLER = Option<
    unsafe extern "system" fn(
        ProviderContext: PVOID,
        ChannelParameters: PNET_DMA_CHANNEL_PARAMETERS,
        NetDmaChannelHandle: PVOID,
        pProviderChannelContext: *mut PVOID,
    ) -> NTSTATUS,
>;
pub type DMA_CHANNEL_FREE_HANDLER =
    Option<unsafe extern "system" fn(ProviderChannelContext: PVOID)>;
pub type DMA_START_HANDLER = Option<
    unsafe extern "system" fn(
        ProviderChannelContext: PVOID,
        DescriptorVirtualAddress: PNET_DMA_DESCRIPTOR,
        DescriptorPhysicalAddress: PHYSICAL_ADDRESS,
        DescriptorCount: ULONG,
    ) -> NTSTATUS,
>;
/// `pLastDescriptor` is a pointer to a pointer in every header; the documentation stores the address of
/// the last descriptor itself through it.
pub type DMA_SUSPEND_HANDLER = Option<
    unsafe extern "system" fn(
        ProviderChannelContext: PVOID,
        pLastDescriptor: *mut PPHYSICAL_ADDRESS,
    ) -> NTSTATUS,
>;
pub type DMA_RESUME_HANDLER =
    Option<unsafe extern "system" fn(ProviderChannelContext: PVOID) -> NTSTATUS>;
pub type DMA_ABORT_HANDLER =
    Option<unsafe extern "system" fn(ProviderChannelContext: PVOID) -> NTSTATUS>;
pub type DMA_APPEND_HANDLER = DMA_START_HANDLER;
pub type DMA_RESET_HANDLER =
    Option<unsafe extern "system" fn(ProviderChannelContext: PVOID) -> NTSTATUS>;

pub const NET_DMA_PROVIDER_REVISION_1: u32 = 1;
pub const NET_DMA_PROVIDER_REVISION_2: u32 = 2;

pub const NET_DMA_PROVIDER_CHARACTERISTICS_DCA_SUPPORTED: u32 = 0x0000_0001;
pub const NET_DMA_PROVIDER_SUPPORTS_PROC_GROUPS: u32 = 0x0000_0002;

/// The name that [`NET_DMA_PROVIDER_CHARACTERISTICS_DCA_SUPPORTED`] has in the kit of Windows Vista. It is a
/// flag of the characteristics all the same.
pub const NET_DMA_PROVIDER_ATTRIBUTES_DCA_SUPPORTED: u32 = 0x0000_0001;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NET_DMA_PROVIDER_CHARACTERISTICS {
    pub MajorVersion: UCHAR,
    pub MinorVersion: UCHAR,
    pub Size: USHORT,
    pub Flags: ULONG,
    pub PhysicalDeviceObject: PDEVICE_OBJECT,
    pub MaxDmaChannelCount: ULONG,
    pub SetDmaChannelCpuAffinity: DMA_CHANNELS_CPU_AFFINITY_HANDLER,
    pub AllocateDmaChannel: DMA_CHANNEL_ALLOCATE_HANDLER,
    pub FreeDmaChannel: DMA_CHANNEL_FREE_HANDLER,
    pub StartDma: DMA_START_HANDLER,
    pub SuspendDma: DMA_SUSPEND_HANDLER,
    pub ResumeDma: DMA_RESUME_HANDLER,
    pub AbortDma: DMA_ABORT_HANDLER,
    pub AppendDma: DMA_APPEND_HANDLER,
    pub ResetChannel: DMA_RESET_HANDLER,
    pub FriendlyName: UNICODE_STRING,
}
pub type PNET_DMA_PROVIDER_CHARACTERISTICS = *mut NET_DMA_PROVIDER_CHARACTERISTICS;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct NET_DMA_PROVIDER_ATTRIBUTES {
    pub MajorHwVersion: UCHAR,
    pub MinorHwVersion: UCHAR,
    pub Size: USHORT,
    pub Flags: ULONG,
    pub VendorId: ULONG,
    pub DmaChannelCount: ULONG,
    pub MaximumTransferSize: ULONG,
    pub MaximumAddressSpace: PHYSICAL_ADDRESS,
}
pub type PNET_DMA_PROVIDER_ATTRIBUTES = *mut NET_DMA_PROVIDER_ATTRIBUTES;

// Plug and Play notifications.

pub const NET_DMA_PNP_NOTIFICATION_REVISION_1: u32 = 1;

pub type NET_DMA_PNP_NOTIFICATION_CODE = i32;
pub const NetDmaNotificationProviderRegistered: NET_DMA_PNP_NOTIFICATION_CODE = 1;
pub const NetDmaNotificationProviderArrival: NET_DMA_PNP_NOTIFICATION_CODE = 2;
pub const NetDmaNotificationProviderRemoval: NET_DMA_PNP_NOTIFICATION_CODE = 3;
pub const NetDmaNotificationChannelArrival: NET_DMA_PNP_NOTIFICATION_CODE = 4;
pub const NetDmaNotificationProviderPowerDown: NET_DMA_PNP_NOTIFICATION_CODE = 5;
pub const NetDmaNotificationProviderPowerUp: NET_DMA_PNP_NOTIFICATION_CODE = 6;
pub const NetDmaNotificationMax: NET_DMA_PNP_NOTIFICATION_CODE = 7;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NET_DMA_PNP_NOTIFICATION {
    pub StructureRevision: ULONG,
    pub StructureSize: ULONG,
    pub NotificationCode: NET_DMA_PNP_NOTIFICATION_CODE,
    pub Buffer: PVOID,
    pub BufferLength: ULONG,
}
pub type PNET_DMA_PNP_NOTIFICATION = *mut NET_DMA_PNP_NOTIFICATION;

// Functions.

/// `NetDmaGetVersion`: the major version in the upper 16 bits, the minor one in the lower.
pub type PFN_NETDMAGETVERSION = Option<unsafe extern "system" fn() -> UINT>;
/// `NetDmaPnPEventNotify`.
pub type PFN_NETDMAPNPEVENTNOTIFY = Option<
    unsafe extern "system" fn(NetDmaProviderHandle: PVOID, PnPEvent: PNET_DMA_PNP_NOTIFICATION),
>;

#[cfg_attr(
    kernel_image,
    link(name = "NDIS.SYS", kind = "raw-dylib", modifiers = "+verbatim")
)]
unsafe extern "system" {
    pub fn NetDmaRegisterProvider(
        ProviderContext: PVOID,
        pNetDmaProviderHandle: *mut PVOID,
        ProviderCharacteristics: PNET_DMA_PROVIDER_CHARACTERISTICS,
    ) -> NTSTATUS;
    pub fn NetDmaDeregisterProvider(NetDmaProviderHandle: PVOID);
    pub fn NetDmaProviderStart(
        NetDmaProviderHandle: PVOID,
        ProviderAttributes: PNET_DMA_PROVIDER_ATTRIBUTES,
    );
    pub fn NetDmaProviderStop(NetDmaProviderHandle: PVOID);
    pub fn NetDmaIsr(
        NetDmaChannelHandle: PVOID,
        DmaDescriptor: PHYSICAL_ADDRESS,
        pCpuNumber: PULONG,
    );
    pub fn NetDmaInterruptDpc(NetDmaChannelHandle: PVOID, DmaDescriptor: PHYSICAL_ADDRESS);

    pub fn NdisGetRoutineAddress(NdisRoutineName: PUNICODE_STRING) -> PVOID;
}
