//! What modules show and give each other, in C: written for this module, read from a peer no further than that says.
//!
//! # Safety
//!
//! The unsafe code of this file reads a peer's structures, of which NMR and the author of the interface promise that they are as
//! long as they say.
#![expect(unsafe_code, reason = "reads what a peer shows")]

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use super::registration::module_name;
use crate::debug::debug_print;
use crate::guid::Guid;
use crate::lifetime::Name;
use crate::nmr::identity::{ModuleId, Peer};
use crate::nmr::npi::{Extent, Field, Table};
use crate::sys;

pub(super) const fn module_id(module: ModuleId) -> sys::NPI_MODULEID {
    let (kind, u) = match module {
        ModuleId::Guid(guid) => (
            sys::MIT_GUID,
            sys::NPI_MODULEID_u {
                Guid: guid.to_sys(),
            },
        ),
        ModuleId::InterfaceLuid(luid) => {
            // All 16 bytes are written, since the structure may be stored.
            let [a, b, c, d, e, f, g, h] = luid.to_le_bytes();
            let guid = sys::GUID {
                Data1: u32::from_le_bytes([a, b, c, d]),
                Data2: u16::from_le_bytes([e, f]),
                Data3: u16::from_le_bytes([g, h]),
                Data4: [0; 8],
            };
            (sys::MIT_IF_LUID, sys::NPI_MODULEID_u { Guid: guid })
        }
    };
    sys::NPI_MODULEID {
        Length: size_of::<sys::NPI_MODULEID>() as u16,
        Type: kind,
        u,
    }
}

/// Reads a module identifier, as far as it says that it goes. `None` for one of unknown type or too short.
///
/// # Safety
///
/// `id` is null or points to a module identifier as long as its first two bytes say.
unsafe fn read_module_id(id: *const sys::NPI_MODULEID) -> Option<ModuleId> {
    const HEADER: usize = core::mem::offset_of!(sys::NPI_MODULEID, u);

    if id.is_null() {
        return None;
    }
    // SAFETY: by contract not null and at least as long as its length, which comes first.
    let length = usize::from(unsafe { (*id).Length });
    if length < HEADER + size_of::<sys::LUID>() {
        return None;
    }
    let value = id.wrapping_byte_add(HEADER);
    // SAFETY: the type lies in the first 8 bytes, and it is at least 16 long.
    match unsafe { (*id).Type } {
        sys::MIT_GUID if length >= HEADER + size_of::<sys::GUID>() => {
            // SAFETY: the identifier is long enough, as tested just above, and any bytes are a GUID.
            let guid = unsafe { value.cast::<sys::GUID>().read() };
            Some(ModuleId::Guid(Guid::from_sys(guid)))
        }
        sys::MIT_IF_LUID => {
            // SAFETY: the identifier is long enough, as tested above, and any bytes are a LUID.
            let luid = unsafe { value.cast::<sys::LUID>().read() };
            let high = u64::from(luid.HighPart.cast_unsigned());
            Some(ModuleId::InterfaceLuid(
                high << 32 | u64::from(luid.LowPart),
            ))
        }
        _ => None,
    }
}

/// What a peer is to this module.
#[derive(Clone, Copy)]
pub(super) enum Is {
    Client,
    Provider,
}

/// Who a peer is, for a line in the debugger, as far as that can be read.
pub(super) struct Who {
    is: Is,
    interface: Guid,
    module: Option<ModuleId>,
    number: Option<u32>,
}

impl Who {
    pub(super) const fn of<T: Table>(is: Is, interface: Guid, peer: &Peer<'_, T>) -> Self {
        Self {
            is,
            interface,
            module: Some(peer.module),
            number: Some(peer.number),
        }
    }

    /// Says in the debugger that a pair is not attached, which NMR does not offer again, and answers `status`.
    #[cold]
    pub(super) fn decline(&self, what: &str, status: sys::NTSTATUS) -> sys::NTSTATUS {
        debug_print(format_args!("nmr-netdma: {self} is declined: {what}\n"));
        status
    }
}

impl fmt::Display for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = match self.is {
            Is::Client => "client",
            Is::Provider => "provider",
        };
        let name = match self.module {
            Some(module) => module_name(self.interface, module),
            None => Name::Guid(self.interface),
        };
        write!(formatter, "a {is} of interface {name}")?;
        match self.number {
            Some(number) => write!(formatter, ", number {number},"),
            None => Ok(()),
        }
    }
}

pub(super) const NO_MEMORY: &str = "there is no memory";

/// Why a structure of a peer is not made use of.
pub(super) enum Fault {
    Missing,
    Short,
    Version,
}

impl Fault {
    pub(super) const fn of_table(&self) -> &'static str {
        match self {
            Self::Missing => "its dispatch table is missing",
            Self::Short => "its dispatch table is too short",
            Self::Version => "its dispatch table is of another version",
        }
    }

    const fn of_characteristics(&self) -> &'static str {
        match self {
            Self::Missing => "its characteristics are missing",
            Self::Short => "its characteristics are too short",
            Self::Version => "its characteristics are of another version",
        }
    }
}

/// Copies a structure of a peer, as far as it says that it goes; the rest is zero.
///
/// # Safety
///
/// `table` is null or points to a `T` as far as [`Table::EXTENT`] says.
pub(super) unsafe fn read_table<T: Table>(table: *const c_void) -> Result<T, Fault> {
    let mut copy = MaybeUninit::<T>::zeroed();
    if size_of::<T>() != 0 {
        if table.is_null() {
            return Err(Fault::Missing);
        }
        // SAFETY: not null, and by contract as long as it says.
        let length = unsafe { declared::<T>(table) }?;
        let bytes = T::EXTENT.taken(length, size_of::<T>());
        // SAFETY: that many bytes can be read by contract, and fit into the copy; a new local variable overlaps nothing.
        unsafe { ptr::copy_nonoverlapping(table.cast::<u8>(), copy.as_mut_ptr().cast(), bytes) };
    }
    // SAFETY: by the contract of `Table` what a peer has in it is valid, and where it may be shorter zero is.
    Ok(unsafe { copy.assume_init() })
}

/// How many bytes of a `T` there are, if they are of a version that the interface knows and as many as it demands.
///
/// # Safety
///
/// `table` points to a `T` as far as [`Table::EXTENT`] says.
unsafe fn declared<T: Table>(table: *const c_void) -> Result<usize, Fault> {
    const {
        assert!(
            T::EXTENT.suits(size_of::<T>()),
            "an interface demands no more of a structure than there is"
        );
    }
    let extent = T::EXTENT;
    let Some(size) = extent.size else {
        // SAFETY: all of it is there, at least up to its version.
        unsafe { check_version(table, extent, size_of::<T>()) }?;
        return Ok(size_of::<T>());
    };
    // SAFETY: what comes before the size is there in any case, at least up to its version.
    unsafe { check_version(table, extent, size.offset) }?;
    // SAFETY: the size comes before the version, or this is a version that has it, in the smallest structure already.
    let length = unsafe { read_field(table, size) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    // SAFETY: by contract it is as long as it says.
    unsafe { check_version(table, extent, length) }?;
    if length < extent.minimum {
        return Err(Fault::Short);
    }
    Ok(length)
}

/// Compares the version, if the structure says one among its first `length` bytes. One that should say it and ends before is
/// too short, which is for the caller to find.
///
/// # Safety
///
/// `table` points to as much of a structure of this extent, or, if it is of another version, to what comes up to that.
unsafe fn check_version(table: *const c_void, extent: Extent, length: usize) -> Result<(), Fault> {
    let Some(versions) = extent.versions else {
        return Ok(());
    };
    if versions.field.end() > length {
        return Ok(());
    }
    // SAFETY: by contract the version is there.
    let version = unsafe { read_field(table, versions.field) };
    if (versions.lowest..=versions.highest).contains(&version) {
        Ok(())
    } else {
        Err(Fault::Version)
    }
}

/// # Safety
///
/// `field` lies inside of what there is at `table`.
unsafe fn read_field(table: *const c_void, field: Field) -> u64 {
    let value = table.wrapping_byte_add(field.offset);
    match field.width {
        // SAFETY: by contract it is there; nothing is said of its alignment.
        2 => u64::from(unsafe { value.cast::<u16>().read_unaligned() }),
        // SAFETY: as above.
        4 => u64::from(unsafe { value.cast::<u32>().read_unaligned() }),
        // SAFETY: as above; no other width is made.
        _ => unsafe { value.cast::<u64>().read_unaligned() },
    }
}

/// Whether what this module shows is as long as it says and of a version that the interface knows: then no peer reads past its end,
/// and none of this library's declines it.
pub(super) fn is_as_declared<T: Table>(shown: &T) -> bool {
    // SAFETY: all of a `T` is there, and the fields, if there are any, lie inside it, as `declared` checks.
    let said = unsafe { declared::<T>(ptr::from_ref(shown).cast()) };
    said.is_ok_and(|said| said <= size_of::<T>())
}

/// Reads what NMR shows of a peer. The error is what the attach callback answers to one that is malformed.
///
/// # Safety
///
/// `instance` is what NMR passed to an attach callback of a module of the interface `interface`, and `T` is what the interface has
/// the other side show. `'a` ends with that callback.
pub(super) unsafe fn read_peer<'a, T: Table>(
    is: Is,
    interface: Guid,
    instance: *const sys::NPI_REGISTRATION_INSTANCE,
) -> Result<Peer<'a, T>, sys::NTSTATUS> {
    let mut who = Who {
        is,
        interface,
        module: None,
        number: None,
    };
    // SAFETY: the caller vouches for the instance, for `T` and for the time.
    unsafe { read(instance, &mut who) }.map_err(|what| who.decline(what, sys::STATUS_NOINTERFACE))
}

/// Reads a peer, and who it is, as far as that goes. The error says what is wrong with it.
///
/// # Safety
///
/// As for [`read_peer`], of the interface that `who` says.
unsafe fn read<'a, T: Table>(
    instance: *const sys::NPI_REGISTRATION_INSTANCE,
    who: &mut Who,
) -> Result<Peer<'a, T>, &'static str> {
    if instance.is_null() {
        return Err("no registration instance");
    }
    // SAFETY: not null, so a registration instance, of which at least the head is there.
    let size = usize::from(unsafe { (*instance).Size });
    if size < size_of::<sys::NPI_REGISTRATION_INSTANCE>() {
        return Err("its registration instance is too short");
    }
    // SAFETY: it says that all of it is there.
    let instance = unsafe { instance.read() };
    who.number = Some(instance.Number);
    // SAFETY: the peer's registration has null or its module identifier there, which stays while it is registered.
    who.module = unsafe { read_module_id(instance.ModuleId) };
    // SAFETY: the peer's registration has null or its interface's identifier there, which stays while it is registered.
    let npi = unsafe { instance.NpiId.as_ref() }.ok_or("no interface")?;
    if Guid::from_sys(*npi) != who.interface {
        return Err("another interface");
    }
    let module = who
        .module
        .ok_or("its module id is missing, too short or of unknown type")?;
    let shown = instance.NpiSpecificCharacteristics;
    let characteristics = if size_of::<T>() == 0 || shown.is_null() {
        None
    } else {
        // SAFETY: the interface defines `T` for the other side, as far as it says, and it stays while that is registered.
        let table = unsafe { read_table::<T>(shown) };
        Some(table.map_err(|fault| fault.of_characteristics())?)
    };
    Ok(Peer {
        module,
        version: instance.Version,
        number: instance.Number,
        characteristics,
        registered: PhantomData,
    })
}
