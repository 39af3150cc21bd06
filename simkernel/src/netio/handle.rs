//! The handles given out: numbers that say what they name, where it is and which of those that were there.
//!
//! # Design
//!
//! Not addresses, so that any number can be looked at. The kind is in the topmost bits, which makes a handle an address
//! that no processor accepts: code that takes one for a pointer faults at once.

use nmr_netdma::sys::HANDLE;

use super::name::Role;

const _: () = assert!(size_of::<usize>() == 8, "a handle needs 64 bits");

const KIND_SHIFT: u32 = 60;
const SHARD_SHIFT: u32 = 56;
const GENERATION_SHIFT: u32 = 28;
const PART: usize = (1 << GENERATION_SHIFT) - 1;

/// Parts of the registry, each with its own lock.
pub(super) const SHARDS: usize = 16;

/// What a handle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
    Provider,
    Binding,
}

impl Kind {
    pub(super) const fn of(role: Role) -> Self {
        match role {
            Role::Client => Self::Client,
            Role::Provider => Self::Provider,
        }
    }

    const fn number(self) -> usize {
        match self {
            Self::Client => 0x9,
            Self::Provider => 0xA,
            Self::Binding => 0xB,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client registration",
            Self::Provider => "provider registration",
            Self::Binding => "binding",
        }
    }
}

/// A handle, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(super) kind: Kind,
    pub(super) shard: u8,
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Handle {
    /// Generations come round after this many, the index is below it.
    pub(super) const LIMIT: u32 = 1 << GENERATION_SHIFT;

    pub(super) fn bits(self) -> usize {
        self.kind.number() << KIND_SHIFT
            | (self.shard as usize) << SHARD_SHIFT
            | (self.generation as usize & PART) << GENERATION_SHIFT
            | (self.index as usize & PART)
    }

    pub(super) fn raw(self) -> HANDLE {
        core::ptr::without_provenance_mut(self.bits())
    }

    /// The handle that `bits` are; `None` if no such handle is ever given out.
    pub(super) fn from_bits(bits: usize) -> Option<Self> {
        const CLIENT: usize = Kind::Client.number();
        const PROVIDER: usize = Kind::Provider.number();
        const BINDING: usize = Kind::Binding.number();

        Some(Self {
            kind: match bits >> KIND_SHIFT {
                CLIENT => Kind::Client,
                PROVIDER => Kind::Provider,
                BINDING => Kind::Binding,
                _ => return None,
            },
            shard: (bits >> SHARD_SHIFT) as u8 & (SHARDS as u8 - 1),
            index: (bits & PART) as u32,
            generation: (bits >> GENERATION_SHIFT & PART) as u32,
        })
    }
}
