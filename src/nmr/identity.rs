//! Who a module says it is when it registers ([`Identity`]), and what its peer is shown of that ([`Peer`]).
//!
//! C declarations: `NPI_REGISTRATION_INSTANCE` and `NPI_MODULEID` of `netioddk.h`.

use crate::guid::Guid;

use core::marker::PhantomData;

use super::npi::Table;

/// Identifies a module. Several modules may have the same one: NMR does not compare them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "NPI_MODULEID")]
pub enum ModuleId {
    /// A GUID.
    #[doc(alias = "MIT_GUID")]
    Guid(Guid),
    /// The locally unique identifier of a network interface.
    #[doc(alias = "MIT_IF_LUID")]
    InterfaceLuid(u64),
}

/// Who a module says it is. `T` is what the interface has it show its peers, `()` for nothing.
///
/// ```
/// use nmr_netdma::Guid;
/// use nmr_netdma::nmr::{Identity, ModuleId};
///
/// const MODULE: ModuleId = ModuleId::Guid(Guid::parse("9c3ad3a8-7a5c-4cf5-8f0a-0d5a5b1f9e11"));
/// let identity = Identity::new(MODULE).with_number(2);
/// # let _ = identity;
/// ```
#[derive(Clone, Copy, Debug)]
#[doc(alias = "NPI_REGISTRATION_INSTANCE")]
pub struct Identity<T: Table = ()> {
    pub(super) module: ModuleId,
    pub(super) version: u16,
    pub(super) number: u32,
    pub(super) characteristics: T,
}

impl Identity {
    /// A module with this identifier, version 0, number 0 and nothing to show.
    pub const fn new(module: ModuleId) -> Self {
        Self {
            module,
            version: 0,
            number: 0,
            characteristics: (),
        }
    }
}

impl<T: Table> Identity<T> {
    /// Sets the version of the registration. Zero by Microsoft's documentation; drivers in the field use others and check
    /// them in attach.
    #[must_use]
    pub const fn with_version(self, version: u16) -> Self {
        Self { version, ..self }
    }

    /// Sets the number that tells several instances of one module apart.
    #[must_use]
    pub const fn with_number(self, number: u32) -> Self {
        Self { number, ..self }
    }

    /// Sets what the interface has this module show its peers. It is copied into the registration.
    #[must_use]
    #[doc(alias = "NpiSpecificCharacteristics")]
    pub const fn with_characteristics<U: Table>(self, characteristics: U) -> Identity<U> {
        let Self {
            module,
            version,
            number,
            ..
        } = self;
        Identity {
            module,
            version,
            number,
            characteristics,
        }
    }
}

/// What a module is shown, during its attach callback, of the one it may attach to. `T` is what the interface has that one show.
///
/// `'a` is the time of the callback, while which the peer is registered: that is how long what its characteristics point to is
/// good. Later, while attached, they are read through [`Guard::characteristics`](super::Guard::characteristics). The other three
/// are values to keep.
///
/// A peer whose identity is malformed is declined by the library and never shown.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "NPI_REGISTRATION_INSTANCE")]
pub struct Peer<'a, T: Table = ()> {
    pub(super) module: ModuleId,
    pub(super) version: u16,
    pub(super) number: u32,
    pub(super) characteristics: Option<T>,
    pub(super) registered: PhantomData<&'a T>,
}

impl<T: Table> Peer<'_, T> {
    /// The module's identifier.
    pub const fn module(&self) -> ModuleId {
        self.module
    }

    /// The version of its registration, any number.
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// Its instance number.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// What it shows under this interface, copied; what an older module lacks is zero. `None` if it shows nothing or the
    /// interface defines nothing.
    pub const fn characteristics(&self) -> Option<&T> {
        self.characteristics.as_ref()
    }
}
