//! "Copy offload": an NMR interface of the example drivers. A client submits copies, the provider does them later and says so.
//!
//! Both drivers are built with this declaration of the interface, so the promises that the compiler cannot check are made here
//! once, and neither driver needs any. What C would have in a header is in [`raw`].
//!
//! # Protocol
//!
//! | step | who calls | level |
//! |---|---|---|
//! | the provider shows its longest copy and its number of workers: [`raw::ProviderCharacteristics`] | NMR, attach | passive |
//! | [`submit`]: the request is checked and queued | client | at most dispatch |
//! | [`OffloadClient::completed`]: once for each copy that was accepted, in any order, on any thread | provider | at most dispatch |
//! | [`query_statistics`] | client | at most dispatch |
//!
//! Submitting answers `STATUS_PENDING` if the copy was accepted; it may be complete before the call returns, on another
//! processor or in a DPC on this one. Every other answer is a refusal, and the copy is not heard of again:
//!
//! | status | why |
//! |---|---|
//! | `STATUS_INVALID_PARAMETER` | no request, no source, no destination, no bytes, a range that wraps around or overlaps the other |
//! | `STATUS_REVISION_MISMATCH` | the request is of an unknown version |
//! | `STATUS_INFO_LENGTH_MISMATCH` | the request is shorter than its version demands |
//! | `STATUS_INVALID_BUFFER_SIZE` | the copy is longer than the provider does |
//! | `STATUS_DEVICE_BUSY` | the queue is full; try again after a completion |
//! | `STATUS_DEVICE_NOT_READY` | the binding is being taken down |
//! | `STATUS_NOT_SUPPORTED` | the other module's table has no such function |
//!
//! A copy completes with `STATUS_SUCCESS`, or with `STATUS_CANCELLED` because the binding is being taken down; then its destination
//! holds anything. While copies are in flight both modules stay attached: detaching completes with the last of them.
//!
//! # Design
//!
//! * **A copy owns its buffers** ([`Operation`]) and its client's [`Guard`](nmr_netdma::nmr::Guard) from submission to completion. A
//!   buffer that was only borrowed could be freed or reused while the provider writes to it.
//! * **Two guards on each side of a submission.** One belongs to the copy and one to the call: the copy may complete, and let its
//!   guards go, while the submitter is still inside the provider.
//! * **The provider's [`Job`] completes exactly once.** It is consumed by running or cancelling it, and one that is dropped is
//!   cancelled. It holds the way to its own client, so no provider can complete it to another.
//! * **What was decided about a request is a value that only the request makes** ([`Decision`]), so that a copy is never both refused
//!   and completed.
//! * **The token is the address of the client's record of the copy,** as C would have it. A table of copies in flight would
//!   notice a provider that invents tokens; such a provider could as well write anywhere.
#![no_std]

mod buffer;
mod client;
mod provider;
pub mod raw;

use nmr_netdma::{Error, Status, sys};

pub use self::buffer::Buffer;
pub use self::client::{
    Finished, OffloadClient, Operation, client_functions, query_statistics, submit,
};
pub use self::provider::{Decision, Engine, Job, Offload, Request};

/// The interface. See the [crate].
#[derive(Debug)]
pub enum CopyOffload {}

/// What a provider has done since it was registered, for all of its clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
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

/// How a copy ends whose binding is being taken down.
pub const CANCELLED: Error = error(sys::STATUS_CANCELLED);

/// The refusal of a copy that is too long.
pub const TOO_LONG: Error = error(sys::STATUS_INVALID_BUFFER_SIZE);

const fn error(code: i32) -> Error {
    match Error::new(Status(code)) {
        Some(error) => error,
        None => panic!("a success code is no error"),
    }
}
