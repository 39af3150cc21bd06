//! The C side: names, shapes and symbols of the Windows kernel, and no decisions.
//!
//! Everything here is called what C calls it, down to the structure members, and lies flat in this
//! module: [`sys::NmrRegisterClient`](NmrRegisterClient), [`sys::NTSTATUS`](NTSTATUS). Nothing here
//! checks, converts or allocates; the rest of the crate gives these names a Rust shape.
//!
//! | file | C header | symbols from |
//! |---|---|---|
//! | `base_builtin`, `base_wdk` | `ntdef.h`, `wdm.h`, `ntstatus.h` | |
//! | `kernel` | `wdm.h`, `ntddk.h` | `ntoskrnl.exe` |
//! | `netio` | `netioddk.h` | `NETIO.SYS` |
//! | `netdma` | `netdma.h`, `ndis.h` | `NDIS.SYS` |
//! | `wdf_builtin`, `wdf_wdk`, `wdf_functions` | `wdf.h` and the headers it includes | `WDFLDR.SYS` and the framework's table |
//! | `layout` | | |
//!
//! # Design
//!
//! * **Two bases, one source.** Base types and the framework come from `wdk-sys` with the feature `wdk` on a Windows
//!   target, from this crate otherwise. Both have the same names and shapes, those of `wdk-sys`, so
//!   that the code above compiles against either. Where both are there, they are held against each other: `layout` does it
//!   with structures, member by member, and what defines enumerations and constants (`macros`) with their values.
//! * **Calls of the framework** go through the macro of `wdk-sys` with the feature, through a table of our own without. The
//!   macro was written for newer tables; for that of KMDF 1.7 it does not compile.
//! * **NMR, NetDMA and the executive are ours in both**: `wdk-sys` has neither of the first two, and of the third it
//!   leaves out the functions that Windows Vista needs.
//! * **Conventions.** Callbacks and functions of WDF, and the base callbacks that `wdk-sys` declares, are
//!   `extern "C"`, those of NMR, NetDMA and the executive `extern "system"`. On amd64 and arm64 this is one
//!   convention under two names, but two types to Rust.
//! * **Where symbols come from** is settled by the linker: a kernel image imports them from the modules
//!   named in the table above, a host process finds them in whatever plays the kernel there.

#[macro_use]
mod macros;

mod address;
#[cfg_attr(
    all(feature = "wdk", windows),
    expect(dead_code, unreachable_pub, reason = "here for `layout` only")
)]
mod base_builtin;
#[cfg(all(feature = "wdk", windows))]
mod base_wdk;
mod kernel;
mod layout;
mod netdma;
mod netio;
#[cfg_attr(
    all(feature = "wdk", windows),
    expect(dead_code, unreachable_pub, reason = "here for `layout` only")
)]
mod wdf_builtin;
mod wdf_functions;
#[cfg(all(feature = "wdk", windows))]
mod wdf_wdk;

pub use self::address::{physical_address, physical_address_bits};
#[cfg(not(all(feature = "wdk", windows)))]
pub use self::base_builtin::*;
#[cfg(all(feature = "wdk", windows))]
pub use self::base_wdk::*;
pub use self::kernel::*;
pub use self::netdma::*;
pub use self::netio::*;
#[cfg(not(all(feature = "wdk", windows)))]
pub use self::wdf_builtin::*;
pub use self::wdf_functions::*;
#[cfg(all(feature = "wdk", windows))]
pub use self::wdf_wdk::*;
