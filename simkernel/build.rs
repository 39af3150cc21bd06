//! Decides whether this is the simulated kernel in a process, or as a kernel module: see `platform`.

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=NMR_NETDMA_KERNEL_IMAGE");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernel_module)");
    let msvc = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|environment| environment == "msvc");
    if msvc && env::var("NMR_NETDMA_KERNEL_IMAGE").is_ok_and(|what| what == "simkernel") {
        println!("cargo::rustc-cfg=kernel_module");
    }
}
