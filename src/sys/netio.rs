//! `netioddk.h`: the Network Module Registrar, imported from `NETIO.SYS`.
//!
//! # Safety
//!
//! Declarations only: nothing is called or dereferenced here. Each caller answers for the level, the
//! handles and the lifetime of what it passes; the `nmr` module states and keeps those rules.

#![expect(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    reason = "C names, documented by Microsoft"
)]
#![expect(unsafe_code, reason = "declares foreign functions")]

use core::ffi::c_void;

use super::{GUID, HANDLE, LUID, NTSTATUS, PHANDLE, PVOID, ULONG, USHORT};

pub type NPIID = GUID;
pub type PNPIID = *const NPIID;

/// An integer, since a peer may store any value; see [`MIT_GUID`] and [`MIT_IF_LUID`].
pub type NPI_MODULEID_TYPE = i32;
pub const MIT_GUID: NPI_MODULEID_TYPE = 1;
pub const MIT_IF_LUID: NPI_MODULEID_TYPE = 2;

/// The union has no name in C, where `Guid` and `IfLuid` are members of the structure itself.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct NPI_MODULEID {
    pub Length: USHORT,
    pub Type: NPI_MODULEID_TYPE,
    pub u: NPI_MODULEID_u,
}
pub type PNPI_MODULEID = *const NPI_MODULEID;

#[repr(C)]
#[derive(Clone, Copy)]
pub union NPI_MODULEID_u {
    pub Guid: GUID,
    pub IfLuid: LUID,
}

impl Default for NPI_MODULEID_u {
    fn default() -> Self {
        Self {
            Guid: GUID::default(),
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NPI_REGISTRATION_INSTANCE {
    pub Version: USHORT,
    pub Size: USHORT,
    pub NpiId: PNPIID,
    pub ModuleId: PNPI_MODULEID,
    pub Number: ULONG,
    pub NpiSpecificCharacteristics: *const c_void,
}
/// Not a typing slip: the header's pointer is to constant data, as for the other `PNPI_` names.
pub type PNPI_REGISTRATION_INSTANCE = *const NPI_REGISTRATION_INSTANCE;

impl Default for NPI_REGISTRATION_INSTANCE {
    fn default() -> Self {
        Self {
            Version: 0,
            Size: 0,
            NpiId: core::ptr::null(),
            ModuleId: core::ptr::null(),
            Number: 0,
            NpiSpecificCharacteristics: core::ptr::null(),
        }
    }
}

pub type PNPI_CLIENT_ATTACH_PROVIDER_FN = Option<
    unsafe extern "system" fn(
        NmrBindingHandle: HANDLE,
        ClientContext: PVOID,
        ProviderRegistrationInstance: PNPI_REGISTRATION_INSTANCE,
    ) -> NTSTATUS,
>;
pub type PNPI_CLIENT_DETACH_PROVIDER_FN =
    Option<unsafe extern "system" fn(ClientBindingContext: PVOID) -> NTSTATUS>;
pub type PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN =
    Option<unsafe extern "system" fn(ClientBindingContext: PVOID)>;

pub type PNPI_PROVIDER_ATTACH_CLIENT_FN = Option<
    unsafe extern "system" fn(
        NmrBindingHandle: HANDLE,
        ProviderContext: PVOID,
        ClientRegistrationInstance: PNPI_REGISTRATION_INSTANCE,
        ClientBindingContext: PVOID,
        ClientDispatch: *const c_void,
        ProviderBindingContext: *mut PVOID,
        ProviderDispatch: *mut *const c_void,
    ) -> NTSTATUS,
>;
pub type PNPI_PROVIDER_DETACH_CLIENT_FN =
    Option<unsafe extern "system" fn(ProviderBindingContext: PVOID) -> NTSTATUS>;
pub type PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN =
    Option<unsafe extern "system" fn(ProviderBindingContext: PVOID)>;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NPI_CLIENT_CHARACTERISTICS {
    pub Version: USHORT,
    pub Length: USHORT,
    pub ClientAttachProvider: PNPI_CLIENT_ATTACH_PROVIDER_FN,
    pub ClientDetachProvider: PNPI_CLIENT_DETACH_PROVIDER_FN,
    pub ClientCleanupBindingContext: PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN,
    pub ClientRegistrationInstance: NPI_REGISTRATION_INSTANCE,
}
pub type PNPI_CLIENT_CHARACTERISTICS = *const NPI_CLIENT_CHARACTERISTICS;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NPI_PROVIDER_CHARACTERISTICS {
    pub Version: USHORT,
    pub Length: USHORT,
    pub ProviderAttachClient: PNPI_PROVIDER_ATTACH_CLIENT_FN,
    pub ProviderDetachClient: PNPI_PROVIDER_DETACH_CLIENT_FN,
    pub ProviderCleanupBindingContext: PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN,
    pub ProviderRegistrationInstance: NPI_REGISTRATION_INSTANCE,
}
pub type PNPI_PROVIDER_CHARACTERISTICS = *const NPI_PROVIDER_CHARACTERISTICS;

#[cfg_attr(
    kernel_image,
    link(name = "NETIO.SYS", kind = "raw-dylib", modifiers = "+verbatim")
)]
unsafe extern "system" {
    pub fn NmrRegisterClient(
        ClientCharacteristics: PNPI_CLIENT_CHARACTERISTICS,
        ClientContext: PVOID,
        NmrClientHandle: PHANDLE,
    ) -> NTSTATUS;
    pub fn NmrDeregisterClient(NmrClientHandle: HANDLE) -> NTSTATUS;
    pub fn NmrWaitForClientDeregisterComplete(NmrClientHandle: HANDLE) -> NTSTATUS;
    pub fn NmrClientAttachProvider(
        NmrBindingHandle: HANDLE,
        ClientBindingContext: PVOID,
        ClientDispatch: *const c_void,
        ProviderBindingContext: *mut PVOID,
        ProviderDispatch: *mut *const c_void,
    ) -> NTSTATUS;
    pub fn NmrClientDetachProviderComplete(NmrBindingHandle: HANDLE);

    pub fn NmrRegisterProvider(
        ProviderCharacteristics: PNPI_PROVIDER_CHARACTERISTICS,
        ProviderContext: PVOID,
        NmrProviderHandle: PHANDLE,
    ) -> NTSTATUS;
    pub fn NmrDeregisterProvider(NmrProviderHandle: HANDLE) -> NTSTATUS;
    pub fn NmrWaitForProviderDeregisterComplete(NmrProviderHandle: HANDLE) -> NTSTATUS;
    pub fn NmrProviderDetachClientComplete(NmrBindingHandle: HANDLE);
}
