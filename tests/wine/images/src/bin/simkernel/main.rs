//! simkernel.sys: the simulated kernel, and the harness that puts it between Wine and the drivers under test.
//!
//! | file | what it does |
//! |---|---|
//! | `image` | the entry point: each service of this file's is a command to the harness |
//! | `image/wine` | functions and structures of Wine's kernel |
//! | `image/shim` | a loaded driver's imports from ntoskrnl.exe lead to the simulated kernel |
//! | `image/trap` | instructions that only a kernel can execute, and accesses to device registers |
//! | `image/framework` | what Wine's Plug and Play manager sees of the simulated framework |
//! | `image/machine` | the simulated machine of the process |
//! | `image/traffic` | the devices, and copies through their channels |
//! | `image/manager` | the harness as Plug and Play manager |
//! | `image/faults` | calls that fail |
#![cfg_attr(kernel_module, no_std, no_main)]

#[cfg(kernel_module)]
extern crate alloc;

#[cfg(kernel_module)]
mod image;

#[cfg(not(kernel_module))]
fn main() {}
