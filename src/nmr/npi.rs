//! What an interface is: [`Npi`], the structures its modules give each other ([`Table`]) and how one gives its functions away
//! ([`Dispatch`]).
//!
//! C declarations: `NPIID` and the `CONST VOID *` members of `netioddk.h`.
//!
//! # Safety
//!
//! This file calls nothing. It states the contracts that the author of an interface signs.
#![expect(
    unsafe_code,
    reason = "declares the contracts that an interface's author signs"
)]

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::ops::RangeInclusive;
use core::ptr;

use super::binding::Side;
use crate::guid::Guid;

/// A network programming interface: an identifier, and what its clients and providers give each other.
///
/// Implemented once per interface, for a type that is never instantiated, by whoever defines the interface. A structure that
/// the interface does not have is `()`, and the modules pass NULL for it.
///
/// # Safety
///
/// All modules that register under [`ID`](Self::ID), in whatever driver and language, agree on this declaration: what
/// they pass as characteristics and dispatch table is NULL or points to the structure named here, as far as its
/// [`Table::EXTENT`] says. Of a structure of another version that is what comes up to its version.
pub unsafe trait Npi: Sized + 'static {
    /// The interface's identifier, on which alone NMR matches clients and providers.
    #[doc(alias = "NPIID")]
    const ID: Guid;

    /// What a client shows to providers when it registers.
    type ClientCharacteristics: Table;
    /// What a provider shows to clients when it registers.
    type ProviderCharacteristics: Table;
    /// The functions of a client that its provider calls.
    type ClientDispatch: Table;
    /// The functions of a provider that its clients call.
    type ProviderDispatch: Table;
}

/// A structure that one module gives another. The receiver copies it when it is attached.
///
/// What its pointers and functions refer to is there while the other module is registered, if that shows them as its
/// characteristics, and while the two are attached, if they are in a dispatch table. A copy can be kept for longer, by safe code as
/// well. So the author of the interface keeps such members private, or functions unsafe, and what wraps them for safe code takes a
/// [`Guard`](super::Guard), or in an attach callback the [`Peer`](super::Peer), and not the structure.
///
/// # Safety
///
/// * The type is laid out as in C (`#[repr(C)]`), and a bitwise copy is as good as the original for as long as that is.
/// * Whatever bytes a module of the interface may have in it are a valid value: functions are
///   `Option<unsafe extern "system" fn(..)>`, enumerations are integers.
/// * Where [`EXTENT`](Self::EXTENT) allows less than the whole, zero bytes are valid for what is missing, and each size that it
///   names ends between two fields.
pub unsafe trait Table: Copy + Send + Sync + 'static {
    /// How much of the structure a module has, and of which versions it may be.
    const EXTENT: Extent = Extent::WHOLE;
}

// SAFETY: the unit type has no bytes.
unsafe impl Table for () {}

/// How much of a [`Table`] a module has, and of which versions it may be.
///
/// A structure that grows says its own size in a field. What an older module lacks reads as zero, so a missing function is
/// `None`; what a newer one has in addition is ignored. A version says something else: it changes when modules of one version
/// cannot make use of a structure of the other, whatever its size.
///
/// ```
/// use std::mem::offset_of;
/// use nmr_netdma::nmr::{Extent, Table};
///
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Functions {
///     version: u16,
///     size: u16,
///     start: Option<unsafe extern "system" fn()>,
///     stop: Option<unsafe extern "system" fn()>, // came later, and broke nothing
/// }
///
/// // SAFETY: C layout, any bytes are valid, zero is `None`.
/// unsafe impl Table for Functions {
///     const EXTENT: Extent = Extent::u16_at(offset_of!(Functions, size), offset_of!(Functions, stop))
///         .with_u16_version(offset_of!(Functions, version), 1..=1);
/// }
/// ```
///
/// Of a structure that is shorter than this side's declaration as much is taken as one of its versions had: the smallest
/// size, or one of [`with_sizes`](Self::with_sizes). So no function is half there, whatever size a peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where the structure says its size; all of it is there if it does not.
    pub(super) size: Option<Field>,
    /// The smallest size that is accepted.
    pub(super) minimum: usize,
    /// Sizes between the smallest and this side's, in ascending order.
    pub(super) sizes: &'static [usize],
    /// Which versions are accepted; any if `None`.
    pub(super) versions: Option<Versions>,
}

/// A number in a structure, `width` bytes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) offset: usize,
    pub(super) width: usize,
}

impl Field {
    pub(super) const fn end(self) -> usize {
        self.offset + self.width
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) field: Field,
    pub(super) lowest: u64,
    pub(super) highest: u64,
}

impl Extent {
    /// All of it: every module is built with the same declaration.
    pub const WHOLE: Self = Self {
        size: None,
        minimum: 0,
        sizes: &[],
        versions: None,
    };

    /// As many bytes as the `u16` at `offset` says. A module with less than `minimum` bytes is declined.
    ///
    /// # Panics
    ///
    /// If `minimum` does not include the field; in a `const` that is a compile-time error. The same goes for the others.
    pub const fn u16_at(offset: usize, minimum: usize) -> Self {
        Self::declared(Field { offset, width: 2 }, minimum)
    }

    /// As many bytes as the `u32` at `offset` says. A module with less than `minimum` bytes is declined.
    pub const fn u32_at(offset: usize, minimum: usize) -> Self {
        Self::declared(Field { offset, width: 4 }, minimum)
    }

    /// As many bytes as the `u64`, C's `SIZE_T`, at `offset` says. A module with less than `minimum` bytes is declined.
    pub const fn u64_at(offset: usize, minimum: usize) -> Self {
        Self::declared(Field { offset, width: 8 }, minimum)
    }

    /// Names the sizes that the structure has had between the smallest and that of this side's declaration, in ascending order.
    /// Without them a module with a size in between has the smallest.
    ///
    /// # Panics
    ///
    /// If they do not ascend from the smallest size; in a `const` that is a compile-time error.
    #[must_use]
    pub const fn with_sizes(self, sizes: &'static [usize]) -> Self {
        let mut last = self.minimum;
        let mut index = 0;
        while index < sizes.len() {
            assert!(
                sizes[index] > last,
                "the sizes ascend from that of the smallest structure"
            );
            last = sizes[index];
            index += 1;
        }
        Self { sizes, ..self }
    }

    /// Demands that the `u16` at `offset` is one of `versions`. A module with another is declined before anything else of the
    /// structure is looked at.
    ///
    /// The field is at the same place in every version. If it lies behind that of the size, it is looked at only where the size includes
    /// it.
    ///
    /// # Panics
    ///
    /// If the smallest structure does not include the field, or there are no `versions`; in a `const` that is a compile-time
    /// error.
    #[must_use]
    pub const fn with_u16_version(self, offset: usize, versions: RangeInclusive<u16>) -> Self {
        let (lowest, highest) = (*versions.start() as u64, *versions.end() as u64);
        self.with_versions(Versions {
            field: Field { offset, width: 2 },
            lowest,
            highest,
        })
    }

    /// As [`with_u16_version`](Self::with_u16_version), for a `u32`.
    #[must_use]
    pub const fn with_u32_version(self, offset: usize, versions: RangeInclusive<u32>) -> Self {
        let (lowest, highest) = (*versions.start() as u64, *versions.end() as u64);
        self.with_versions(Versions {
            field: Field { offset, width: 4 },
            lowest,
            highest,
        })
    }

    const fn declared(size: Field, minimum: usize) -> Self {
        assert!(
            minimum >= size.end(),
            "the smallest structure includes the field with its size"
        );
        Self {
            size: Some(size),
            minimum,
            sizes: &[],
            versions: None,
        }
    }

    const fn with_versions(self, versions: Versions) -> Self {
        assert!(
            self.size.is_none() || self.minimum >= versions.field.end(),
            "the smallest structure includes the field with its version"
        );
        assert!(
            versions.lowest <= versions.highest,
            "there is a version that is accepted"
        );
        Self {
            versions: Some(versions),
            ..self
        }
    }

    /// Whether a structure of `size` bytes includes all that is demanded of it.
    pub(super) const fn suits(self, size: usize) -> bool {
        let versions = match self.versions {
            Some(versions) => versions.field.end(),
            None => 0,
        };
        let largest = match self.sizes {
            [.., largest] => *largest,
            [] => self.minimum,
        };
        largest <= size && versions <= size
    }

    /// How much is taken of a structure with `length` bytes, at least the smallest size, where this side's has `whole`.
    pub(super) fn taken(self, length: usize, whole: usize) -> usize {
        if length >= whole {
            return whole;
        }
        let sizes = self.sizes.iter().copied();
        sizes
            .take_while(|size| *size <= length)
            .last()
            .unwrap_or(self.minimum)
    }
}

/// The functions that the module `M` gives its peers, which call them in the direction `S`: those of a client are called
/// [`ToClient`](super::ToClient).
///
/// The type keeps them together with the module whose binding contexts they expect, and with its side, so that a table of one
/// client cannot be given away with the context of another, nor with that of a provider, be it the same type. Written
/// [`ClientDispatch`](super::ClientDispatch) and [`ProviderDispatch`](super::ProviderDispatch). The author of an interface
/// makes it in a function generic over the module; see the example in [`nmr`](super).
pub struct Dispatch<M, S: Side, T: Table> {
    table: Option<&'static T>,
    /// Invariant: of two modules one of which is a subtype of the other each has contexts of its own.
    module: PhantomData<fn(M) -> M>,
    side: PhantomData<S>,
}

impl<M, S: Side, T: Table> Dispatch<M, S, T> {
    /// Says that the functions in `table` belong to `M` and are called in the direction `S`.
    ///
    /// # Safety
    ///
    /// * Each function in `table` may be called, in the way the interface says, with a binding context of `M` on the side that
    ///   `S` leads to. [`ToClient`](super::ToClient): it takes the context for nothing else than
    ///   [`client_context::<M>`](super::client_context) does. [`ToProvider`](super::ToProvider): than
    ///   [`provider_context::<M>`](super::provider_context) does. One type may be both modules, with other contexts on either
    ///   side.
    /// * Where the interface has the structure say its version, `table` is of that one; where its size, `table` says no more than it
    ///   has.
    pub const unsafe fn new(table: &'static T) -> Self {
        Self {
            table: Some(table),
            module: PhantomData,
            side: PhantomData,
        }
    }

    pub(super) fn as_ptr(self) -> *const c_void {
        match self.table {
            Some(table) if size_of::<T>() != 0 => ptr::from_ref(table).cast(),
            _ => ptr::null(),
        }
    }
}

impl<M, S: Side> Dispatch<M, S, ()> {
    /// No functions, for an interface that defines none on this side.
    pub const fn none() -> Self {
        Self {
            table: None,
            module: PhantomData,
            side: PhantomData,
        }
    }
}

impl<M, S: Side, T: Table> Clone for Dispatch<M, S, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, S: Side, T: Table> Copy for Dispatch<M, S, T> {}

impl<M, S: Side, T: Table> fmt::Debug for Dispatch<M, S, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Dispatch")
            .field(&self.as_ptr())
            .finish()
    }
}
