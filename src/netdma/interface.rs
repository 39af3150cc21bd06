//! [`Interface`]: whether this system has NetDMA, and which version.

use core::fmt;

use super::ffi;
use crate::irql::{Irql, Passive};

/// A version of NetDMA.
///
/// | version | Windows | what it added |
/// |---|---|---|
/// | 1.0 | Vista | |
/// | 1.1 | Vista SP1 | power notifications |
/// | 2.0 | Vista SP1 | chains that are counted, page breaks, direct cache access, the friendly name |
/// | 2.1 | 7 | processor groups |
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    /// The first one.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// With power notifications.
    pub const V1_1: Self = Self { major: 1, minor: 1 };
    /// With counted chains and page breaks.
    pub const V2_0: Self = Self { major: 2, minor: 0 };
    /// With processor groups.
    pub const V2_1: Self = Self { major: 2, minor: 1 };

    /// The number before the point.
    pub const fn major(self) -> u16 {
        self.major
    }

    /// The number after it.
    pub const fn minor(self) -> u16 {
        self.minor
    }

    /// The highest version that a provider of version `provider` can register with where the system has this one.
    pub(super) fn common(self, provider: Self) -> Option<Self> {
        let known = [Self::V2_1, Self::V2_0, Self::V1_1, Self::V1_0];
        known
            .into_iter()
            .find(|version| *version <= self && *version <= provider)
    }

    /// The version that `NetDmaGetVersion` means: the major number in the upper half.
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self {
            major: (bits >> 16) as u16,
            minor: bits as u16,
        }
    }

    /// Whether chains are counted; before, they end with a null link.
    pub(super) fn counts_chains(self) -> bool {
        self >= Self::V2_0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The provider interface of NetDMA on this system.
///
/// Six functions are imported from `NDIS.SYS`, since every Windows that can load the driver exports them. The two that
/// came with NetDMA 1.1 are looked up.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    pub(super) version: Version,
    pub(super) notify: Option<ffi::Notify>,
}

impl Interface {
    /// Finds the interface.
    ///
    /// That there is one does not mean that it works: Windows 8 and later still export the functions, and only registration
    /// tells ([`RegisterError::Unsupported`](super::RegisterError::Unsupported)).
    #[doc(alias = "NetDmaGetVersion")]
    #[doc(alias = "NdisGetRoutineAddress")]
    pub fn find(irql: &mut Irql<Passive>) -> Self {
        Self {
            version: ffi::version(irql),
            notify: ffi::notify(irql),
        }
    }

    /// The highest version that a provider can register with. 1.0 if the system has no function that tells.
    pub fn version(&self) -> Version {
        self.version
    }
}
