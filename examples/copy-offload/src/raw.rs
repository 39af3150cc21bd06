//! The interface as C sees it: its identifier, its structures, its functions.
//!
//! Every structure begins with its version and its size in bytes. What is appended later changes the size; the version changes when
//! something else does, and modules of different versions do not attach.
//!
//! # Safety
//!
//! This file calls nothing. It signs the contracts of [`Npi`] and [`Table`], and states those of the functions.
#![expect(unsafe_code, reason = "declares an interface between drivers")]

use core::ffi::c_void;
use core::mem::offset_of;

use nmr_netdma::Guid;
use nmr_netdma::nmr::{Extent, Npi, Table};

use crate::CopyOffload;

/// The version of all structures here.
pub const VERSION: u16 = 1;

/// What a provider shows to clients.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ProviderCharacteristics {
    /// [`VERSION`].
    pub version: u16,
    /// The size of this structure in bytes.
    pub size: u16,
    /// The most bytes of one copy.
    pub maximum_length: u32,
    /// How many copies are worked on at a time.
    pub workers: u32,
}

/// What a provider gives its clients.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ProviderFunctions {
    /// [`VERSION`].
    pub version: u16,
    /// The size of this structure in bytes.
    pub size: u16,
    /// Submits a copy.
    pub submit: Option<Submit>,
    /// Asks what the provider has done.
    pub query_statistics: Option<QueryStatistics>,
}

/// What a client gives its providers.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ClientFunctions {
    /// [`VERSION`].
    pub version: u16,
    /// The size of this structure in bytes.
    pub size: u16,
    /// Says that a copy is done.
    pub complete: Option<Complete>,
}

/// Submits a copy; answers `STATUS_PENDING` or why not. The request is read during the call only.
///
/// # Safety
///
/// * Called with the provider's binding context, while attached, at or below `DISPATCH_LEVEL`.
/// * `request` is NULL or points to as many bytes as its `size` says, and to `version` and `size` in any case.
/// * A request that is accepted: source and destination are nonpaged memory, which nobody else writes, and of which
///   nobody else uses the destination, until completion. The client completes no detach until both this call has returned and the
///   completion has come.
/// * The provider gives each accepted request's token to the client's [`Complete`] once, and keeps attached until then. Of
///   a request that is not accepted it keeps nothing.
pub type Submit = unsafe extern "system" fn(context: *mut c_void, request: *const Request) -> i32;

/// Fills in what the provider has done, as much as the caller's `version` and `size` have room for.
///
/// Answers `STATUS_SUCCESS`, `STATUS_INVALID_PARAMETER` for NULL, `STATUS_REVISION_MISMATCH`, or `STATUS_BUFFER_TOO_SMALL`.
///
/// # Safety
///
/// * Called with the provider's binding context, while attached, at or below `DISPATCH_LEVEL`.
/// * `statistics` is NULL or points to as many bytes as its `size` says, and to `version` and `size` in any case; nobody else
///   uses them.
pub type QueryStatistics =
    unsafe extern "system" fn(context: *mut c_void, statistics: *mut Statistics) -> i32;

/// Says that a copy is done, and how many bytes of it.
///
/// # Safety
///
/// * Called with the client's binding context, while attached, at or below `DISPATCH_LEVEL`.
/// * `token` is that of a request of this binding that was accepted, once. The provider does not use its memory any more.
pub type Complete =
    unsafe extern "system" fn(context: *mut c_void, token: *mut c_void, status: i32, bytes: usize);

/// One copy.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Request {
    /// [`VERSION`].
    pub version: u16,
    /// The size of this structure in bytes.
    pub size: u16,
    /// How many bytes to copy.
    pub length: u32,
    /// Where from, a virtual address of the system.
    pub source: *const c_void,
    /// Where to, a virtual address of the system.
    pub destination: *mut c_void,
    /// The client's own; comes back with the completion.
    pub token: *mut c_void,
}

/// What a provider has done.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Statistics {
    /// [`VERSION`]. Set by the caller, and again by the provider.
    pub version: u16,
    /// The room there is, in bytes; then what was filled in.
    pub size: u16,
    /// Copies that were accepted.
    pub submitted: u64,
    /// Copies that were done.
    pub completed: u64,
    /// Copies that were accepted and cancelled.
    pub cancelled: u64,
    /// Copies that were not accepted.
    pub refused: u64,
    /// Bytes that were copied.
    pub bytes: u64,
}

/// How the structures begin that are passed in calls.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) version: u16,
    pub(crate) size: u16,
}

/// The size of a structure, for its header.
pub const fn size<T>() -> u16 {
    assert!(size_of::<T>() <= u16::MAX as usize);
    // CAST: checked just above.
    size_of::<T>() as u16
}

// SAFETY: this is the declaration that all drivers of the interface share.
unsafe impl Npi for CopyOffload {
    const ID: Guid = Guid::parse("5d2f0c6e-8a41-4b7d-9c35-e1f2a6b70c94");
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ProviderCharacteristics;
    type ClientDispatch = ClientFunctions;
    type ProviderDispatch = ProviderFunctions;
}

// SAFETY: C layout; integers, of which any bytes are valid.
unsafe impl Table for ProviderCharacteristics {
    const EXTENT: Extent = Extent::u16_at(offset_of!(Self, size), size_of::<Self>())
        .with_u16_version(offset_of!(Self, version), VERSION..=VERSION);
}

// SAFETY: C layout; integers and functions or null, of which any bytes that a provider has there are valid.
unsafe impl Table for ProviderFunctions {
    const EXTENT: Extent = Extent::u16_at(offset_of!(Self, size), size_of::<Self>())
        .with_u16_version(offset_of!(Self, version), VERSION..=VERSION);
}

// SAFETY: as above, for what a client has there.
unsafe impl Table for ClientFunctions {
    const EXTENT: Extent = Extent::u16_at(offset_of!(Self, size), size_of::<Self>())
        .with_u16_version(offset_of!(Self, version), VERSION..=VERSION);
}
