//! The example drivers as native images: built here without a WDK, then read as the loader of Windows Vista SP1 would.
//!
//! Every demand of `image::flaws` is also shown to be made, on an image with that one flaw. These are really built so
//! (`kernel_image/flawed.rs`), but for another processor: for that the header of a good one is changed.

#[path = "common/checks.rs"]
mod checks;
#[path = "common/image.rs"]
mod image;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use checks::not_checked;
use image::{
    DRIVERS, Imports, TARGET, checksum_field, flaws, imports, rustc, target_directory, unable,
};
use object::pe;
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

/// What the table in the README has to say of an image.
fn row(name: &str, size: usize, imports: &Imports) -> String {
    let modules = imports.iter().map(|(module, names)| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("{module}: {}", names.join(", "))
    });
    let (thousands, rest) = (size / 1000, size % 1000);
    let modules: Vec<_> = modules.collect();
    let modules = modules.join("; ");
    format!("| `{name}.sys` | {thousands},{rest:03} bytes | {modules} |")
}

/// What it does say; the modules may be in any order.
fn told(name: &str) -> (usize, Imports) {
    let start = format!("| `{name}.sys` | ");
    let row = include_str!("../README.md")
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or_else(|| panic!("the table of images in README.md has no row for {name}.sys"));
    let (size, modules) = row.split_once(" bytes | ").unwrap();
    let modules = modules.trim_end_matches(" |").split("; ").map(|module| {
        let (module, names) = module.split_once(": ").unwrap();
        let names = names
            .split(", ")
            .map(|name| name.trim_matches('`').to_owned());
        (module.to_owned(), names.collect())
    });
    (size.replace(',', "").parse().unwrap(), modules.collect())
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
        let row = row(name, image.len(), &imports);
        writeln!(out, "{row}").unwrap();
        assert_eq!(flaws(&image), <[&str; 0]>::default(), "{name}");
        let (told_size, told_imports) = told(name);
        assert_eq!(imports, told_imports, "README.md must say\n{row}\n");
        // Not to the byte: the compiler is whichever is stable, and the path of cargo's registry is in the image.
        assert!(
            image.len().abs_diff(told_size) < told_size / 10,
            "README.md must say\n{row}\n"
        );
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
    let mut image = build_flawed("none", &[]);
    assert_eq!(flaws(&image), <[&str; 0]>::default());

    let flawed: [(&str, &[&str], &str); 15] = [
        (
            "program",
            &["-Clink-arg=/SUBSYSTEM:CONSOLE,6.00"],
            "not native",
        ),
        (
            "version",
            &[
                "-Clink-arg=/SUBSYSTEM:NATIVE,10.00",
                "-Clink-arg=/OSVERSION:6.00",
            ],
            "not for version 6.0 of the system",
        ),
        (
            "later",
            &["-Clink-arg=/OSVERSION:10.00"],
            "for a later system",
        ),
        ("entry", &["-Clink-arg=/NOENTRY"], "no entry point"),
        (
            "fixed",
            &["-Clink-arg=/FIXED", "-Clink-arg=/DYNAMICBASE:NO"],
            "cannot be relocated",
        ),
        ("tls", &["--cfg=thread_local"], "has thread-local storage"),
        (
            "delayed",
            &["--cfg=delayed_import", "-Clink-arg=/DELAYLOAD:ntoskrnl.exe"],
            "imports when first called",
        ),
        ("checksum", &["no checksum"], "the checksum is wrong"),
        (
            "section",
            &["-Clink-arg=/SECTION:.text,ERW"],
            "a section is writable and executable",
        ),
        ("avx", &["--cfg=avx"], "Vaddps needs [AVX]"),
        ("sse4", &["--cfg=sse4"], "Roundps needs [SSE4_1]"),
        ("data", &["--cfg=data_in_code"], "no instruction at 0x"),
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
    ];
    for (name, arguments, flaw) in flawed {
        let found = flaws(&build_flawed(name, arguments));
        assert!(
            matches!(&*found, [only] if only.starts_with(flaw)),
            "{name}: {flaw:?} must be found, and nothing else: {found:?}"
        );
    }

    let checksum = checksum_field(&image);
    let machine = checksum - 64 - size_of::<pe::ImageFileHeader>();
    image[machine..][..2].copy_from_slice(&pe::IMAGE_FILE_MACHINE_ARM64.0.to_le_bytes());
    let sum = image::checksum(&image);
    image[checksum..][..4].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(flaws(&image), ["not for amd64"]);
}
