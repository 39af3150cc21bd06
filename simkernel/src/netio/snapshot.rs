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
    GUID, HANDLE, LUID, MIT_GUID, MIT_IF_LUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, PNPI_CLIENT_CHARACTERISTICS,
    PNPI_MODULEID, PNPI_PROVIDER_CHARACTERISTICS, PNPI_REGISTRATION_INSTANCE, PVOID,
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
    version: u16,
    length: u16,
    instance_size: u16,
    number: u32,
    pub(super) interface: Option<Id>,
    module: Option<ModuleId>,
    /// Of all that there is. It differs wherever one field does, and wherever several do as far as 64 bits can.
    pub(super) fingerprint: u64,
}

impl Source {
    pub(super) fn new(role: Role, characteristics: *const c_void) -> Self {
        match role {
            Role::Client => Self::Client(characteristics.cast()),
            Role::Provider => Self::Provider(characteristics.cast()),
        }
    }

    pub(super) fn address(self) -> *const c_void {
        match self {
            Self::Client(characteristics) => characteristics.cast(),
            Self::Provider(characteristics) => characteristics.cast(),
        }
    }

    pub(super) fn is_null(self) -> bool {
        self.address().is_null()
    }

    pub(super) fn role(self) -> Role {
        match self {
            Self::Client(_) => Role::Client,
            Self::Provider(_) => Role::Provider,
        }
    }

    /// How long the characteristics are.
    const fn size(self) -> usize {
        match self {
            Self::Client(_) => size_of::<NPI_CLIENT_CHARACTERISTICS>(),
            Self::Provider(_) => size_of::<NPI_PROVIDER_CHARACTERISTICS>(),
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

    /// What is there now. The error is the length that the characteristics say they have, if that is too short for
    /// them; nothing but their first four bytes was read then.
    ///
    /// # Safety
    ///
    /// The characteristics are those of a register call in progress, or of a registration that has not been waited
    /// for: then they are readable as far as their length says, at least that; and so is the interface that
    /// they point to, and the module identification as far as its length says.
    // In both of its callers, since each needs a part of it only.
    #[inline(always)]
    pub(super) unsafe fn read(self) -> Result<Snapshot, u16> {
        let head = self.address().cast::<[u16; 2]>();
        // SAFETY: the version and the length, which the caller promises are there.
        let [_, length] = unsafe { head.read() };
        if usize::from(length) < self.size() {
            return Err(length);
        }
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
        let interface = (!NpiId.is_null()).then(|| {
            // SAFETY: readable, as the caller promises, and a GUID has as many bytes and no gaps.
            unsafe { NpiId.cast::<[u64; 2]>().read_unaligned() }
        });
        // SAFETY: null or readable as far as its length says, as the caller promises.
        let module = unsafe { read_module(module_id) };
        let attach_address = attach.map_or(0, |function| match function {
            AttachFunction::Client(function) => function as usize,
            AttachFunction::Provider(function) => function as usize,
        });
        let sizes = [version, length, Version, Size]
            .iter()
            .fold(0, |sizes, &size| sizes << 16 | u64::from(size));
        // What is not there is known from the pointers and lengths.
        let interface_bits = interface.unwrap_or_default();
        let (module_head, module_bits) = module.map_or((0, [0; 2]), |module| {
            let kind = u64::from(module.kind.cast_unsigned());
            (u64::from(module.length) << 32 | kind, module.value)
        });
        let words = [
            sizes,
            attach_address as u64,
            detach.map_or(0, |function| function as usize) as u64,
            cleanup.map_or(0, |function| function as usize) as u64,
            NpiId.addr() as u64,
            module_id.addr() as u64,
            u64::from(Number),
            // Of unknown length, so only the address is looked at.
            NpiSpecificCharacteristics.addr() as u64,
            interface_bits[0],
            interface_bits[1],
            module_head,
            module_bits[0],
            module_bits[1],
        ];
        let products = words.iter().zip(FACTORS);
        Ok(Snapshot {
            attach,
            detach,
            cleanup,
            version,
            length,
            instance_size: Size,
            number: Number,
            interface: interface.map(Id::from_bits),
            module,
            fingerprint: products.fold(0, |sum, (word, factor)| {
                word.wrapping_mul(factor).wrapping_add(sum)
            }),
        })
    }
}

/// Reads a module identification, as far as its own length says that it goes.
///
/// # Safety
///
/// It is null, or readable that far.
#[inline]
unsafe fn read_module(module: PNPI_MODULEID) -> Option<ModuleId> {
    const VALUE: usize = core::mem::offset_of!(NPI_MODULEID, u);

    if module.is_null() {
        return None;
    }
    // SAFETY: not null, and it begins with its length.
    let length = unsafe { (*module).Length };
    let holds = |value: usize| usize::from(length) >= VALUE + value;
    let mut id = ModuleId {
        length,
        whole: false,
        kind: 0,
        value: [0; 2],
    };
    if !holds(0) {
        return Some(id);
    }
    let value = module.wrapping_byte_add(VALUE);
    // SAFETY: it is long enough for its type.
    id.kind = unsafe { (*module).Type };
    id.whole = match id.kind {
        MIT_GUID => holds(size_of::<GUID>()),
        MIT_IF_LUID => holds(size_of::<LUID>()),
        _ => true,
    };
    match id.kind {
        MIT_GUID if id.whole => {
            // SAFETY: it is long enough for a GUID, which has as many bytes and no gaps.
            id.value = unsafe { value.cast::<[u64; 2]>().read_unaligned() };
        }
        MIT_IF_LUID if id.whole => {
            // SAFETY: it is long enough for a LUID, which has as many bytes and no gaps.
            id.value[0] = unsafe { value.cast::<u64>().read_unaligned() };
        }
        _ => {}
    }
    Some(id)
}

/// Odd, so that a product differs wherever the word does, and otherwise without a pattern (splitmix64).
const FACTORS: [u64; 13] = {
    let mut factors = [0; 13];
    let mut place = 0;
    while place < factors.len() {
        let state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(place as u64 + 1);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        factors[place] = (mixed ^ mixed >> 31) | 1;
        place += 1;
    }
    factors
};

impl Snapshot {
    /// The module's name, for whichever driver.
    pub(super) fn name(&self, role: Role) -> Name {
        Name {
            role,
            id: self.module,
            number: self.number,
            driver: 0,
        }
    }

    /// Which of the sizes and versions is wrong.
    pub(super) fn wrong_size(&self, role: Role) -> Option<String> {
        let Self {
            version,
            length,
            instance_size,
            ..
        } = *self;
        let characteristics = match role {
            Role::Client => size_of::<NPI_CLIENT_CHARACTERISTICS>(),
            Role::Provider => size_of::<NPI_PROVIDER_CHARACTERISTICS>(),
        };
        let instance = size_of::<NPI_REGISTRATION_INSTANCE>();
        let identification = size_of::<NPI_MODULEID>();
        let module = self.module.as_ref();
        let module = module.map_or(identification as u16, |module| module.length);
        let check = |what: &str, found: u16, wanted: usize| {
            (usize::from(found) != wanted).then(|| not_wanted(what, found, wanted))
        };
        check("Version of the characteristics", version, 0)
            .or_else(|| check("Length of the characteristics", length, characteristics))
            .or_else(|| check("Size of the registration instance", instance_size, instance))
            .or_else(|| check("Length of the module id", module, identification))
    }

    /// What must not be null and is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        if self.attach.is_none() {
            Some("attach callback")
        } else if self.detach.is_none() {
            Some("detach callback")
        } else if self.interface.is_none() {
            Some("NpiId")
        } else if self.module.is_none() {
            Some("ModuleId")
        } else {
            None
        }
    }
}

#[cold]
fn not_wanted(what: &str, found: u16, wanted: usize) -> String {
    format!("{what} is {found} and not {wanted}")
}
