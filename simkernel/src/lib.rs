//! A Windows kernel in a user-mode process, for testing drivers built on `nmr-netdma`.
//!
//! It defines the functions that netio.sys, ndis.sys, wdfldr.sys and ntoskrnl.exe export, so a driver and the library
//! link against it unchanged. It is stricter than Windows: each broken rule is recorded by name as a [`Violation`], and
//! what is left at shutdown is a [`Leak`]. A [`Kernel`] that is dropped with either of them fails the test.
//!
//! ```
//! use simkernel::{Config, Kernel};
//!
//! let kernel = Kernel::boot(Config::default());
//! // ... load drivers, run traffic ...
//! let verdict = kernel.shutdown();
//! assert!(verdict.is_clean(), "{verdict}");
//! ```
//!
//! | module | what it stands for |
//! |---|---|
//! | [`kernel`] | one machine: boot, the current machine of a thread, shutdown and its verdict |
//! | [`ke`] | levels, spin locks, events, DPCs, processors and the interrupts they take |
//! | [`mm`] | pool, physical memory, mappings, device registers |
//! | [`netio`] | the Network Module Registrar |
//! | [`ndis`] | the NetDMA interface: the side that calls providers |
//! | [`wdf`] | the framework's function table and the objects behind it |
//! | [`pnp`] | the loader and the Plug and Play manager: devices, resources, vectors |
//! | [`fault`] | calls that are made to fail, one by one |
//! | [`trace`], [`verifier`] | what happened, and what should not have |
//! | [`platform`] | threads, time and memory of the host: all that the rest does not do itself |
//!
//! # Design
//!
//! Every thread that calls into the kernel belongs to one machine, which a thread-local pointer names; so several machines
//! run in one process and tests run in parallel. No lock is held over a callback. The functions with C names cannot
//! unwind, so a violation is recorded and the call answers as Windows would, or does nothing where Windows would stop.
#![no_std]

extern crate alloc;

pub mod devices;
pub mod fault;
mod hash;
pub mod ke;
pub mod kernel;
pub mod mm;
pub mod ndis;
pub mod netio;
pub mod platform;
pub mod pnp;
pub mod trace;
pub mod verifier;
pub mod wdf;

pub use kernel::{Config, Kernel, Os, Verdict};
pub use verifier::{Leak, Rule, Violation};
