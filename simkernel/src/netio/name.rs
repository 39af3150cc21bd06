//! How interfaces and modules are called in reports.

use core::fmt;

use nmr_netdma::sys::{MIT_GUID, MIT_IF_LUID, NPI_MODULEID_TYPE};

/// A GUID as a value to compare, hash and show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    high: u64,
    low: u64,
}

impl Id {
    /// From the bits of a GUID in memory.
    pub(super) fn from_bits([first, second]: [u64; 2]) -> Self {
        const _: () = assert!(cfg!(target_endian = "little"), "Windows is little-endian");

        Self {
            high: first << 32 | first >> 16 & 0xFFFF_0000 | first >> 48,
            low: second.swap_bytes(),
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

/// What of an `NPI_MODULEID` is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModuleId {
    pub(super) length: u16,
    /// Whether it has a type, and all that the type takes.
    pub(super) whole: bool,
    /// 0 if it is too short to have one.
    pub(super) kind: NPI_MODULEID_TYPE,
    /// The bits of the GUID or the LUID; 0 if it is neither, or too short.
    pub(super) value: [u64; 2],
}

impl fmt::Display for ModuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length, kind, .. } = *self;
        match kind {
            _ if !self.whole => write!(formatter, "module id of {length} bytes"),
            MIT_GUID => write!(formatter, "{}", Id::from_bits(self.value)),
            MIT_IF_LUID => write!(formatter, "luid {:#x}", self.value[0]),
            _ => write!(formatter, "module id of type {kind}"),
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
    /// The driver in whose callback it was registered, as the loader numbers them; 0 if it was in none's.
    pub(super) driver: u64,
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            role, id, number, ..
        } = self;
        match id {
            Some(id) => write!(formatter, "{role} {id}/{number}"),
            None => write!(formatter, "{role} without module id/{number}"),
        }
    }
}

/// The two sides of a binding.
pub(crate) struct Pair {
    pub(super) client: Name,
    pub(super) provider: Name,
    pub(super) interface: Id,
}

impl fmt::Display for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            client,
            provider,
            interface,
        } = self;
        write!(formatter, "{client} with {provider}, interface {interface}")
    }
}

impl Pair {
    pub(super) fn of(&self, role: Role) -> Name {
        match role {
            Role::Client => self.client,
            Role::Provider => self.provider,
        }
    }
}

/// One side of a binding, whose callback runs.
#[derive(Clone, Copy)]
pub(crate) struct Party<'a> {
    pub(super) role: Role,
    pub(super) pair: &'a Pair,
}

impl Party<'_> {
    pub(super) fn name(&self) -> Name {
        self.pair.of(self.role)
    }

    /// The driver in whose callback the module was registered; 0 if it was in none's.
    pub(crate) fn driver(&self) -> u64 {
        self.name().driver
    }
}

impl fmt::Display for Party<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, peer) = (self.name(), self.pair.of(self.role.other()));
        let interface = self.pair.interface;
        write!(formatter, "{name} (peer {peer}, interface {interface})")
    }
}
