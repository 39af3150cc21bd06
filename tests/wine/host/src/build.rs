//! The drivers and the images of the harness.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use sha2::{Digest, Sha256};

const TARGET: &str = "x86_64-pc-windows-msvc";

/// A driver under test.
pub(crate) struct Driver {
    /// The name of its service and, with `.sys`, of its file.
    pub(crate) service: &'static str,
    pub(crate) hardware: &'static str,
    pub(crate) instance: &'static str,
    pub(crate) file: PathBuf,
    pub(crate) inf: PathBuf,
}

/// The drivers, the provider first.
pub(crate) struct Files {
    pub(crate) drivers: [Driver; 2],
    /// simkernel.sys and what leads to it.
    pub(crate) images: PathBuf,
}

/// Builds everything. The drivers are built as anybody would build them.
pub(crate) fn all(root: &Path, directory: &Path) -> io::Result<Files> {
    let drivers = directory.join("drivers");
    cargo(
        root,
        &drivers,
        &["-p", "netdma-kmdf", "-p", "nmr-client"],
        None,
    )?;
    let images = directory.join("images");
    cargo(root, &images, &["-p", "wine-images"], Some("simkernel"))?;
    let release = |directory: &Path| directory.join(TARGET).join("release");
    let driver = |service, hardware, instance, inf: &str| Driver {
        service,
        hardware,
        instance,
        file: release(&drivers).join(format!("{service}.dll")),
        inf: root.join("inf").join(inf),
    };
    Ok(Files {
        drivers: [
            driver(
                "netdma_kmdf",
                r"Root\NetDmaKmdf",
                r"Root\NetDmaKmdf\0000",
                "netdma-kmdf.inx",
            ),
            driver(
                "nmr_client",
                r"Root\NmrClient",
                r"Root\NmrClient\0000",
                "nmr-client.inx",
            ),
        ],
        images: release(&images),
    })
}

fn cargo(root: &Path, target: &Path, packages: &[&str], image: Option<&str>) -> io::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--release", "--target", TARGET])
        .args(packages)
        .arg("--target-dir")
        .arg(target)
        .current_dir(root);
    match image {
        Some(image) => command.env("NMR_NETDMA_KERNEL_IMAGE", image),
        None => command.env_remove("NMR_NETDMA_KERNEL_IMAGE"),
    };
    if command.status()?.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{packages:?} do not build")))
    }
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256(file: &Path) -> io::Result<String> {
    let digest = Sha256::digest(fs::read(file)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
