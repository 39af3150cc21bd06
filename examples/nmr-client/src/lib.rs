//! A KMDF driver without hardware that has another driver copy for it: a client of the NMR interface of the `copy-offload` package.
//!
//! The driver registers when it is loaded and deregisters when it is unloaded. Whenever a provider comes up it attaches, submits
//! [`COPIES`] copies, a few at a time, checks each when it completes, and says in the debugger how it went. A provider that goes, or
//! this driver's own unloading, may come at any moment: copies in flight come back first, done or cancelled.
//!
//! | file | what is in it |
//! |---|---|
//! | `driver` | load, unload, and a device that does nothing |
//! | `client` | attach, submit, complete, detach |
//! | `pattern` | what is copied, and whether it arrived |
//! | `statistics` | what was counted, and how it is said |
#![no_std]

mod client;
mod driver;
mod pattern;
mod statistics;

pub use client::COPIES;
pub use statistics::Statistics;

// Built with the kit, the driver takes the kit's allocator and panic handler.
#[cfg(all(feature = "wdk", windows))]
extern crate wdk_panic as _;

#[cfg(all(feature = "wdk", windows))]
#[global_allocator]
static ALLOCATOR: wdk_alloc::WdkAllocator = wdk_alloc::WdkAllocator;

nmr_netdma::kmdf::driver_entry!(driver::Driver);
