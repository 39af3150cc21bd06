//! Threads, time, memory and output of what the simulated machine runs on: all that the rest of the crate does not do
//! itself. Two implementations of the same functions and types; nothing else may differ between them.
//!
//! | file | runs on |
//! |---|---|
//! | `host` | a process with Rust's standard library |
//! | `module` | an image that is loaded as a kernel module by Wine, without a standard library |

#[cfg(not(kernel_module))]
mod host;
#[cfg(kernel_module)]
mod module;

#[cfg(not(kernel_module))]
pub use self::host::*;
#[cfg(kernel_module)]
pub use self::module::*;
