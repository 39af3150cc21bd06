//! Tells the linker what a kernel image is, where one is built, and elsewhere that the kernel comes later.
//!
//! What counts as a kernel image is decided as the library's build script decides it. Both example drivers are built with this.

use std::env;

const KERNEL_IMAGE: &[&str] = &[
    "/DRIVER",
    "/SUBSYSTEM:NATIVE,6.00",
    "/ENTRY:DriverEntry",
    "/NODEFAULTLIB",
    "/DYNAMICBASE",
    "/NXCOMPAT",
    "/OPT:REF,ICF",
    // The loader checks the checksum that this fills in.
    "/RELEASE",
];

fn main() {
    println!("cargo::rerun-if-env-changed=NMR_NETDMA_KERNEL_IMAGE");
    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let environment = env::var("CARGO_CFG_TARGET_ENV").unwrap_or_default();
    let cross = env::var("HOST").ok() != env::var("TARGET").ok();
    let asked = env::var_os("NMR_NETDMA_KERNEL_IMAGE").is_some();
    // With the kit, its own build crate knows. Without a Windows target the feature means nothing.
    #[cfg(feature = "wdk")]
    if system == "windows" {
        return wdk_build::configure_wdk_binary_build().expect("a Windows Driver Kit");
    }
    let arguments = match (system.as_str(), environment.as_str()) {
        ("windows", "msvc") if cross || asked => KERNEL_IMAGE,
        // The library of a host process is only ever linked into a program that brings the simulated kernel; by itself it is
        // of no use, but Cargo builds it.
        ("windows", "msvc") => &["/FORCE:UNRESOLVED"],
        ("windows", _) => &["-Wl,--noinhibit-exec"],
        ("macos", _) => &["-Wl,-undefined,dynamic_lookup"],
        _ => &[],
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
