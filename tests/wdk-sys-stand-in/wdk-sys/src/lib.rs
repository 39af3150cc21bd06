//! Stands in for `wdk-sys` 0.5.2 in type checks: the names, and the shapes of the types, that it generates from the kit for KMDF 1.33
//! on amd64, as far as this project uses them. `types.rs` was written from the published layouts of those types, not from this
//! project's own declarations; but some status codes, pointer types and callbacks are in no published layout, and are here as this
//! project names them: of those it proves less. The macro behind [`call_unsafe_wdf_function_binding`] is the real one.
#![no_std]
#![allow(
    missing_docs,
    unexpected_cfgs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all
)]

#[doc(hidden)]
pub use wdk_macros as __proc_macros;

pub use self::types::*;

/// All bytes zero, as the generated types have it.
macro_rules! zeroed {
    ($type:ident) => {
        impl Default for $type {
            fn default() -> Self {
                unsafe { ::core::mem::zeroed() }
            }
        }
    };
}

/// Structures that only ever occur behind a pointer.
macro_rules! opaque {
    ($($type:ident),* $(,)?) => {
        $(
            #[repr(C)]
            #[derive(Debug, Copy, Clone)]
            pub struct $type {
                _unused: [u8; 0],
            }
        )*
    };
}

mod types;

/// A kit that is not the one this project knows: to show that the difference is found.
#[cfg(wrong_kit)]
mod wrong {
    use super::*;

    #[repr(C)]
    #[derive(Copy, Clone)]
    pub struct WDF_DPC_CONFIG {
        pub Size: ULONG,
        pub EvtDpcFunc: PFN_WDF_DPC,
        pub AutomaticSerialization: USHORT,
    }
    pub const CM_RESOURCE_INTERRUPT_MESSAGE: u32 = 4;
    pub const STATUS_TOO_LATE: NTSTATUS = 0;
    pub mod _WDF_IO_QUEUE_STATE {
        pub use crate::types::_WDF_IO_QUEUE_STATE::*;
        pub const WdfIoQueuePnpHeld: Type = 32;
    }
    pub mod DEVICE_REGISTRY_PROPERTY {
        pub use crate::types::DEVICE_REGISTRY_PROPERTY::*;
        pub const DevicePropertyAddress: Type = 22;
    }
}
#[cfg(wrong_kit)]
pub use self::wrong::{
    _WDF_IO_QUEUE_STATE, CM_RESOURCE_INTERRUPT_MESSAGE, DEVICE_REGISTRY_PROPERTY, STATUS_TOO_LATE, WDF_DPC_CONFIG,
};

pub mod wdf {
    #[doc(hidden)]
    pub mod __private {
        #[inline(always)]
        pub fn get_wdf_function_count() -> usize {
            unsafe { crate::WdfFunctionCount as usize }
        }
    }
}

#[must_use]
pub const fn NT_SUCCESS(status: NTSTATUS) -> bool {
    status >= 0
}

include!(concat!(env!("OUT_DIR"), "/macro.rs"));
