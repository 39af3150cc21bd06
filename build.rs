//! Decides once whether this build is a kernel image, and says so in one cfg.
//!
//! A driver has Microsoft's ABI, so only the MSVC target makes one. A host process and a driver built on a Windows host
//! share that triple, so it alone does not tell. Built from another host it is always a kernel image. On a Windows host
//! it is one if `NMR_NETDMA_KERNEL_IMAGE` is set, as the tasks of `Makefile.toml` do, or with the feature `wdk`, since no program
//! can be made with the kit's bindings.
//!
//! If it is set to `simkernel`, what is built is the simulated kernel as a kernel image. It defines the functions that the
//! library imports in a driver, so for the library that is no kernel image.

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=NMR_NETDMA_KERNEL_IMAGE");
    println!("cargo::rerun-if-changed=build.rs");
    let msvc = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|environment| environment == "msvc");
    let cross = env::var("HOST").ok() != env::var("TARGET").ok();
    let asked = env::var("NMR_NETDMA_KERNEL_IMAGE").ok();
    let simulated = asked.as_deref() == Some("simkernel");
    let kit = env::var_os("CARGO_FEATURE_WDK").is_some();
    if msvc && !simulated && (cross || kit || asked.is_some()) {
        println!("cargo::rustc-cfg=kernel_image");
    }
}
