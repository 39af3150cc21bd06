//! What a module registered, as it was at that moment.
//!
//! # Safety
//!
//! The unsafe code of this file reads characteristics that a driver passed to a register function. The driver keeps
//! them, and what they point to, until its deregistration is complete; that it also leaves them as they are is checked
//! by reading them again.
#![expect(unsafe_code, reason = "reads what a driver registered")]

use alloc::format;
use alloc::string::String;
use core::ffi::c_void;

use nmr_netdma::sys::{
    HANDLE, MIT_GUID, MIT_IF_LUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, PNPI_CLIENT_CHARACTERISTICS,
    PNPI_MODULEID, PNPI_PROVIDER_CHARACTERISTICS, PNPI_REGISTRATION_INSTANCE, PNPIID, PVOID,
};

use super::name::{Id, ModuleId, Name, Role};

/// `ClientAttachProvider`.
pub(super) type ClientAttachFunction =
    unsafe extern "system" fn(HANDLE, PVOID, PNPI_REGISTRATION_INSTANCE) -> NTSTATUS;

/// `ProviderAttachClient`.
pub(super) type ProviderAttachFunction = unsafe extern "system" fn(
    HANDLE,
    PVOID,
    PNPI_REGISTRATION_INSTANCE,
    PVOID,
    *const c_void,
    *mut PVOID,
    *mut *const c_void,
) -> NTSTATUS;

/// `ClientDetachProvider`, `ProviderDetachClient`.
pub(super) type DetachFunction = unsafe extern "system" fn(PVOID) -> NTSTATUS;

/// `ClientCleanupBindingContext`, `ProviderCleanupBindingContext`.
pub(super) type CleanupFunction = unsafe extern "system" fn(PVOID);

/// The attach callback of either kind of module.
#[derive(Clone, Copy)]
pub(super) enum AttachFunction {
    Client(ClientAttachFunction),
    Provider(ProviderAttachFunction),
}

/// Where a module's characteristics are.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Client(PNPI_CLIENT_CHARACTERISTICS),
    Provider(PNPI_PROVIDER_CHARACTERISTICS),
}

/// What the characteristics, and what they point to, say.
#[derive(Clone, Copy)]
pub(super) struct Snapshot {
    pub(super) attach: Option<AttachFunction>,
    pub(super) detach: Option<DetachFunction>,
    pub(super) cleanup: Option<CleanupFunction>,
    pub(super) fields: Fields,
}

/// All of it, to compare.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Fields {
    version: u16,
    length: u16,
    /// Addresses, 0 for none.
    callbacks: [usize; 3],
    instance_version: u16,
    instance_size: u16,
    npi_id: PNPIID,
    module_id: PNPI_MODULEID,
    number: u32,
    /// Of unknown length, so only the address is compared.
    specific: *const c_void,
    interface: Option<Id>,
    module: Option<Module>,
}

#[derive(Clone, Copy, PartialEq)]
struct Module {
    length: u16,
    id: ModuleId,
}

impl Source {
    pub(super) fn is_null(self) -> bool {
        match self {
            Self::Client(characteristics) => characteristics.is_null(),
            Self::Provider(characteristics) => characteristics.is_null(),
        }
    }

    pub(super) fn role(self) -> Role {
        match self {
            Self::Client(_) => Role::Client,
            Self::Provider(_) => Role::Provider,
        }
    }

    /// The instance, which the peers are shown where it is.
    pub(super) fn instance(self) -> PNPI_REGISTRATION_INSTANCE {
        let (address, offset) = match self {
            Self::Client(characteristics) => (
                characteristics.cast::<u8>(),
                core::mem::offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance),
            ),
            Self::Provider(characteristics) => (
                characteristics.cast::<u8>(),
                core::mem::offset_of!(NPI_PROVIDER_CHARACTERISTICS, ProviderRegistrationInstance),
            ),
        };
        address.wrapping_add(offset).cast()
    }

    /// What is there now.
    ///
    /// # Safety
    ///
    /// The characteristics are those of a register call in progress, or of a registration that has not been waited
    /// for: then they, and the interface and module identification that they point to, are readable.
    pub(super) unsafe fn read(self) -> Snapshot {
        let (version, length, attach, detach, cleanup, instance) = match self {
            Self::Client(characteristics) => {
                // SAFETY: readable, as the caller promises.
                let client = unsafe { characteristics.read() };
                (
                    client.Version,
                    client.Length,
                    client.ClientAttachProvider.map(AttachFunction::Client),
                    client.ClientDetachProvider,
                    client.ClientCleanupBindingContext,
                    client.ClientRegistrationInstance,
                )
            }
            Self::Provider(characteristics) => {
                // SAFETY: readable, as the caller promises.
                let provider = unsafe { characteristics.read() };
                (
                    provider.Version,
                    provider.Length,
                    provider.ProviderAttachClient.map(AttachFunction::Provider),
                    provider.ProviderDetachClient,
                    provider.ProviderCleanupBindingContext,
                    provider.ProviderRegistrationInstance,
                )
            }
        };
        let NPI_REGISTRATION_INSTANCE {
            Version,
            Size,
            NpiId,
            ModuleId: module_id,
            Number,
            NpiSpecificCharacteristics,
        } = instance;
        // SAFETY: null or readable, as the caller promises.
        let interface = unsafe { NpiId.as_ref() };
        // SAFETY: null or readable, as the caller promises.
        let module = unsafe { module_id.as_ref() };
        let attach_address = attach.map_or(0, |function| match function {
            AttachFunction::Client(function) => function as usize,
            AttachFunction::Provider(function) => function as usize,
        });
        let fields = Fields {
            version,
            length,
            callbacks: [
                attach_address,
                detach.map_or(0, |function| function as usize),
                cleanup.map_or(0, |function| function as usize),
            ],
            instance_version: Version,
            instance_size: Size,
            npi_id: NpiId,
            module_id,
            number: Number,
            specific: NpiSpecificCharacteristics,
            interface: interface.map(|&interface| Id::new(interface)),
            module: module.map(|module| Module {
                length: module.Length,
                id: module_id_of(module),
            }),
        };
        Snapshot {
            attach,
            detach,
            cleanup,
            fields,
        }
    }
}

fn module_id_of(module: &NPI_MODULEID) -> ModuleId {
    match module.Type {
        MIT_GUID => {
            // SAFETY: the type says that the union holds a GUID, which is valid with any bits.
            ModuleId::Guid(Id::new(unsafe { module.u.Guid }))
        }
        MIT_IF_LUID => {
            // SAFETY: the type says that the union holds a LUID, which is valid with any bits.
            let luid = unsafe { module.u.IfLuid };
            ModuleId::Luid(u64::from(luid.HighPart as u32) << 32 | u64::from(luid.LowPart))
        }
        other => ModuleId::Other(other),
    }
}

impl Snapshot {
    /// The interface that the module is for.
    pub(super) fn interface(&self) -> Option<Id> {
        self.fields.interface
    }

    pub(super) fn name(&self, role: Role) -> Name {
        Name {
            role,
            id: self.fields.module.map(|module| module.id),
            number: self.fields.number,
        }
    }

    /// Which of the sizes and versions is wrong.
    pub(super) fn wrong_size(&self, role: Role) -> Option<String> {
        let characteristics = match role {
            Role::Client => size_of::<NPI_CLIENT_CHARACTERISTICS>(),
            Role::Provider => size_of::<NPI_PROVIDER_CHARACTERISTICS>(),
        };
        let checks = [
            ("Version of the characteristics", self.fields.version, 0),
            (
                "Length of the characteristics",
                self.fields.length,
                characteristics,
            ),
            (
                "Size of the registration instance",
                self.fields.instance_size,
                size_of::<NPI_REGISTRATION_INSTANCE>(),
            ),
            (
                "Length of the module id",
                self.fields
                    .module
                    .map_or(size_of::<NPI_MODULEID>() as u16, |module| module.length),
                size_of::<NPI_MODULEID>(),
            ),
        ];
        checks
            .iter()
            .find(|(_, found, wanted)| usize::from(*found) != *wanted)
            .map(|(what, found, wanted)| format!("{what} is {found} and not {wanted}"))
    }

    /// What must not be null and is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        if self.attach.is_none() {
            Some("attach callback")
        } else if self.detach.is_none() {
            Some("detach callback")
        } else if self.fields.npi_id.is_null() {
            Some("NpiId")
        } else if self.fields.module_id.is_null() {
            Some("ModuleId")
        } else {
            None
        }
    }
}
