//! Safe, `no_std` Rust for two Windows kernel interfaces: the Network Module Registrar (NMR) and NetDMA providers,
//! with the small KMDF layer that a driver needs to use them.
//!
//! | module | what it is for |
//! |---|---|
//! | [`nmr`] | network programming interfaces: register, attach, call, detach, deregister (Windows Vista and later) |
//! | [`netdma`] | a DMA engine offered to the network stack (Windows Vista SP1 to Windows 7) |
//! | [`kmdf`] | driver, device, interrupts, DPCs, resource requirements on the Kernel-Mode Driver Framework |
//! | [`status`], [`guid`], [`irql`], [`context`], [`rundown`], [`lifetime`], [`debug`], [`physical_device`], [`physical_memory`] | the ground floor, one idea each |
//! | [`runtime`] | what compiled code wants of a kernel image: allocator, panic handler |
//! | [`sys`] | the C declarations under all of it |
//!
//! # Glossary
//!
//! * **NPI**, network programming interface: a GUID and the two tables of functions that its client and provider give
//!   each other.
//! * **Binding**: one client attached to one provider.
//! * **Engine**, **provider**, **channel**: the DMA hardware, the object a driver registers for it, and one list of
//!   descriptors that it processes.
//! * **IRQL**: the interrupt request level, which says what code may wait, page or be interrupted. See [`irql`].
//! * **Image**: one loaded driver. It must not be unloaded while the system can still call it. See [`lifetime`].
//!
//! # Unsafe code
//!
//! Denied for the crate and allowed in the files listed here; a test holds the list against the sources. A block holds one
//! operation and says why it is sound. Drivers need none.
//!
//! | files | what for |
//! |---|---|
//! | `sys/*` | C declarations, and what C compiles inline |
//! | `context`, `debug`, `irql`, `lifetime`, `lifetime/lock` | pool memory, levels, lists, locks and the debugger: the ground floor |
//! | `nmr/ffi`, `nmr/ffi/*`, `netdma/ffi`, `netdma/ffi/*`, `resources/ffi`, `kmdf/ffi`, `kmdf/ffi/*` | callbacks and calls of the system |
//! | `nmr/npi`, `physical_device`, `physical_memory` | what only the implementor or the caller can vouch for |
//! | `kmdf/stub`, `runtime/*` | what a kernel image brings along |
//!
//! # Where it runs
//!
//! The same source runs in a Windows kernel and in a host process on the simulated kernel of the `simkernel` crate,
//! which defines the functions that `sys` imports.
#![no_std]

// Counts of callers and owners can be raised without being lowered, by leaking: only in 64 bits that never ends.
#[cfg(not(target_pointer_width = "64"))]
compile_error!("nmr-netdma is for 64-bit Windows");

pub mod context;
pub mod debug;
pub mod guid;
pub mod irql;
pub mod kmdf;
pub mod lifetime;
pub mod netdma;
pub mod nmr;
pub mod physical_device;
pub mod physical_memory;
pub mod resources;
pub mod rundown;
pub mod runtime;
pub mod status;
pub mod sys;

pub use guid::Guid;
pub use irql::Irql;
pub use status::{Error, Result, Status};

// The README's programs are tested like those of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
