//! How interfaces and modules are called in reports.

use core::fmt;

use nmr_netdma::sys::GUID;

/// A GUID as a value to compare, hash and show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    high: u64,
    low: u64,
}

impl Id {
    pub(super) fn new(guid: GUID) -> Self {
        let GUID {
            Data1,
            Data2,
            Data3,
            Data4,
        } = guid;
        Self {
            high: u64::from(Data1) << 32 | u64::from(Data2) << 16 | u64::from(Data3),
            low: u64::from_be_bytes(Data4),
        }
    }

    /// A number that differs wherever the identifiers do, as far as 64 bits can.
    pub(super) fn mixed(self) -> u64 {
        let mixed = (self.high ^ self.low.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ mixed >> 29
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { high, low } = self;
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

/// What `NPI_MODULEID` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModuleId {
    Guid(Id),
    Luid(u64),
    /// A type that is not defined; its bytes are not looked at.
    Other(i32),
}

impl fmt::Display for ModuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(id) => write!(formatter, "{id}"),
            Self::Luid(luid) => write!(formatter, "luid {luid:#x}"),
            Self::Other(kind) => write!(formatter, "module id of type {kind}"),
        }
    }
}

/// Which side of an interface a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Provider,
}

impl Role {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Provider,
            Self::Provider => Self::Client,
        }
    }

    pub(super) const fn detach_callback(self) -> &'static str {
        match self {
            Self::Client => "ClientDetachProvider",
            Self::Provider => "ProviderDetachClient",
        }
    }

    pub(super) const fn cleanup_callback(self) -> &'static str {
        match self {
            Self::Client => "ClientCleanupBindingContext",
            Self::Provider => "ProviderCleanupBindingContext",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Client => "client",
            Self::Provider => "provider",
        })
    }
}

/// A module: its role, module identification and number. Small, so that it is copied and shown only when somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(super) role: Role,
    pub(super) id: Option<ModuleId>,
    pub(super) number: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, id, number } = self;
        match id {
            Some(id) => write!(formatter, "{role} {id}/{number}"),
            None => write!(formatter, "{role} without module id/{number}"),
        }
    }
}
