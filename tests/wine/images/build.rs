//! How the images are linked. Where they are not images, because the workspace is built for the host, nothing is special.

use std::env;

const KERNEL_IMAGE: &[&str] = &[
    "/DRIVER",
    "/SUBSYSTEM:NATIVE,6.00",
    "/ENTRY:DriverEntry",
    "/NODEFAULTLIB",
    "/OPT:REF,ICF",
];

/// What simkernel.sys gives to drivers, and the file that they import it from.
const FORWARDED: &[(&str, &[&str])] = &[
    (
        "netio",
        &[
            "NmrClientAttachProvider",
            "NmrClientDetachProviderComplete",
            "NmrDeregisterClient",
            "NmrDeregisterProvider",
            "NmrProviderDetachClientComplete",
            "NmrRegisterClient",
            "NmrRegisterProvider",
            "NmrWaitForClientDeregisterComplete",
            "NmrWaitForProviderDeregisterComplete",
        ],
    ),
    (
        "ndis",
        &[
            "NdisGetRoutineAddress",
            "NetDmaDeregisterProvider",
            "NetDmaInterruptDpc",
            "NetDmaIsr",
            "NetDmaProviderStart",
            "NetDmaProviderStop",
            "NetDmaRegisterProvider",
        ],
    ),
    ("wdfldr", &["WdfVersionBind", "WdfVersionUnbind"]),
];

/// The harness comes before the framework: it learns there which drivers there are.
const HARNESS: &str = "Harness";

fn main() {
    println!("cargo::rerun-if-env-changed=NMR_NETDMA_KERNEL_IMAGE");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernel_module)");
    let msvc = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|environment| environment == "msvc");
    if !msvc || env::var("NMR_NETDMA_KERNEL_IMAGE").as_deref() != Ok("simkernel") {
        return;
    }
    println!("cargo::rustc-cfg=kernel_module");
    for image in ["simkernel", "netio", "ndis", "wdfldr"] {
        for argument in KERNEL_IMAGE {
            println!("cargo::rustc-link-arg-bin={image}={argument}");
        }
    }
    for (image, names) in FORWARDED {
        for name in *names {
            let own = if *image == "wdfldr" {
                format!("{HARNESS}{name}")
            } else {
                (*name).to_owned()
            };
            println!("cargo::rustc-link-arg-bin={image}=/EXPORT:{name}=simkernel.sys.{own}");
            println!("cargo::rustc-link-arg-bin=simkernel=/EXPORT:{own}");
        }
    }
    for argument in ["/SUBSYSTEM:CONSOLE", "/ENTRY:start", "/NODEFAULTLIB"] {
        println!("cargo::rustc-link-arg-bin=install={argument}");
    }
}
