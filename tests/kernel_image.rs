//! The example drivers as native images: built here without a WDK, then read as the loader of Windows Vista SP1 would.
//!
//! Every check is also shown to fail, on an image that is really built with that one flaw (`kernel_image/flawed.rs`).

#[path = "common/image.rs"]
mod image;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{DRIVERS, TARGET, flaws, imports, not_checked, rustc, target_directory, unable};
use object::read::pe::PeFile64;

/// Builds the drivers and returns the directory of their images.
fn build_drivers() -> PathBuf {
    let target = target_directory();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", TARGET])
        .args(["-p", "netdma-kmdf", "-p", "nmr-client", "--target-dir"])
        .arg(&target)
        .env("NMR_NETDMA_KERNEL_IMAGE", "1")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success(), "the drivers do not build for {TARGET}");
    target.join(TARGET).join("release")
}

/// An image with the flaws that `arguments` plant; without any it is in order.
fn build_flawed(name: &str, arguments: &[&str]) -> Vec<u8> {
    let mut linker_arguments = vec![
        "/DRIVER",
        "/SUBSYSTEM:NATIVE,6.00",
        "/ENTRY:DriverEntry",
        "/NODEFAULTLIB",
        "/RELEASE",
    ];
    // Of two contradicting switches the linker takes the last one, but this one cannot be taken back.
    if arguments.contains(&"no checksum") {
        linker_arguments.retain(|argument| *argument != "/RELEASE");
    }
    let arguments = arguments
        .iter()
        .filter(|argument| **argument != "no checksum");
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("flawed-{name}.sys"));
    let status = Command::new(rustc())
        .args(["--edition=2024", "--crate-type=cdylib", "--target", TARGET])
        .args(["-Cpanic=abort", "-Copt-level=1", "-Clinker=rust-lld"])
        .args(
            linker_arguments
                .iter()
                .map(|argument| format!("-Clink-arg={argument}")),
        )
        .args(arguments)
        .arg("-o")
        .arg(&output)
        .arg("tests/kernel_image/flawed.rs")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success(), "{name} does not build");
    fs::read(output).unwrap()
}

#[test]
fn the_drivers_are_native_images_that_vista_sp1_can_load() {
    if let Some(reason) = unable() {
        return not_checked("kernel images", &reason);
    }
    let directory = build_drivers();
    let mut out = std::io::stdout().lock();
    for name in DRIVERS {
        let image = fs::read(directory.join(format!("{name}.dll"))).unwrap();
        let imports = imports(&PeFile64::parse(&*image).unwrap());
        writeln!(out, "{name}.sys: {} bytes", image.len()).unwrap();
        for (module, names) in &imports {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            writeln!(out, "  {module}: {}", names.join(", ")).unwrap();
        }
        assert_eq!(flaws(&image), Vec::<String>::new(), "{name}");
        assert!(
            imports["WDFLDR.SYS"].contains("WdfVersionBind"),
            "{name} binds the framework by itself"
        );
        // Under Wine they are led there by name. `DbgPrint` takes variable arguments, and the harness has its own.
        let simulated =
            |import: &&String| *import == "DbgPrint" || simkernel::ke::export(import).is_some();
        let unknown: Vec<_> = imports["ntoskrnl.exe"]
            .iter()
            .filter(|import| !simulated(import))
            .collect();
        assert_eq!(unknown, <[&str; 0]>::default(), "{name}");
    }
}

#[test]
fn an_image_with_a_flaw_is_found() {
    if let Some(reason) = unable() {
        return not_checked("kernel images", &reason);
    }
    assert_eq!(flaws(&build_flawed("none", &[])), Vec::<String>::new());

    let flawed: [(&str, &[&str], &str); 11] = [
        (
            "import",
            &["--cfg=forbidden_import"],
            "imports ntoskrnl.exe!ExAllocatePool2",
        ),
        (
            "module",
            &["--cfg=forbidden_module"],
            "imports fltmgr.sys!FltRegisterFilter",
        ),
        (
            "late",
            &["--cfg=late_import"],
            "imports NetDmaGetVersion instead of looking it up",
        ),
        ("tls", &["--cfg=thread_local"], "has thread-local storage"),
        ("avx", &["--cfg=avx"], "Vaddps needs [AVX]"),
        ("sse4", &["--cfg=sse4"], "Roundps needs [SSE4_1]"),
        ("data", &["--cfg=data_in_code"], "no instruction at 0x"),
        (
            "section",
            &["-Clink-arg=/SECTION:.text,ERW"],
            "a section is writable and executable",
        ),
        (
            "fixed",
            &["-Clink-arg=/FIXED", "-Clink-arg=/DYNAMICBASE:NO"],
            "cannot be relocated",
        ),
        (
            "version",
            &["-Clink-arg=/SUBSYSTEM:NATIVE,10.00"],
            "not for version 6.0 of the system",
        ),
        ("checksum", &["no checksum"], "the checksum is wrong"),
    ];
    for (name, arguments, flaw) in flawed {
        let found = flaws(&build_flawed(name, arguments));
        assert!(
            found.iter().any(|found| found.starts_with(flaw)),
            "{name}: {flaw:?} is not among {found:?}"
        );
    }
}
