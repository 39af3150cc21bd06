//! `deploy/package`: what a machine without Windows can make of a test package.

#[path = "common/checks.rs"]
mod checks;
#[path = "common/image.rs"]
mod image;

use std::fs;
use std::path::Path;
use std::process::Command;

use checks::not_checked;
use image::{DRIVERS, flaws, target_directory, unable};
use object::pe;
use object::read::pe::PeFile64;

fn installed(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok()
}

#[test]
fn the_package_has_stamped_files_signed_images_and_the_certificate() {
    if let Some(reason) = unable() {
        return not_checked("package", &reason);
    }
    for tool in ["bash", "openssl", "osslsigncode"] {
        if !installed(tool) {
            return not_checked("package", &format!("{tool} is not installed"));
        }
    }
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    fs::create_dir_all(&package).unwrap();
    let catalog = |driver| package.join(format!("{driver}.cat"));
    for driver in DRIVERS {
        fs::write(catalog(driver), "of other images").unwrap();
    }
    let output = Command::new("bash")
        .arg("deploy/package")
        .arg(&package)
        .env("CARGO_TARGET_DIR", target_directory())
        .env_remove("TIMESTAMP_URL")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(
        out.ends_with("still to be made on Windows: netdma_kmdf.cat, nmr_client.cat\n"),
        "{out}"
    );

    let certificate = fs::read(package.join("nmr-netdma-test.cer")).unwrap();
    assert!(certificate.starts_with(&[0x30, 0x82]), "not DER");
    for driver in DRIVERS {
        assert!(!catalog(driver).exists(), "{driver}: an old catalog stays");
        let image = fs::read(package.join(format!("{driver}.sys"))).unwrap();
        // Signing adds to the image; it stays one that loads, with a checksum that is right again.
        assert_eq!(flaws(&image), Vec::<String>::new(), "{driver}");
        assert_signed(driver, &image, &certificate);

        let inf = fs::read_to_string(package.join(format!("{driver}.inf"))).unwrap();
        assert_stamped(driver, &inf);
    }
}

/// Two signatures, SHA-1 and SHA-256, that carry the certificate. Whether they are right, the script has had checked.
fn assert_signed(driver: &str, image: &[u8], certificate: &[u8]) {
    let file = PeFile64::parse(image).unwrap();
    let table = file
        .data_directory(pe::IMAGE_DIRECTORY_ENTRY_SECURITY)
        .unwrap_or_else(|| panic!("{driver} is not signed"));
    let (offset, size) = table.address_range();
    let signatures = &image[offset as usize..][..size as usize];
    let count = |bytes: &[u8]| {
        signatures
            .windows(bytes.len())
            .filter(|window| *window == bytes)
            .count()
    };
    assert_eq!(count(certificate), 2, "{driver}");
    // The object identifiers of the hashes.
    assert_ne!(count(&[0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A]), 0);
    let sha256 = [
        0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
    ];
    assert_ne!(count(&sha256), 0);
}

fn assert_stamped(driver: &str, inf: &str) {
    assert!(!inf.contains("$ARCH$") && inf.contains(",NTamd64.6.0"));
    assert_eq!(inf.matches('\n').count(), inf.matches("\r\n").count());
    assert!(inf.contains(&format!("CatalogFile = {driver}.cat\r\n")));
    let stamp = inf
        .lines()
        .find_map(|line| line.strip_prefix("DriverVer = "))
        .unwrap();
    let (date, version) = stamp.split_once(',').unwrap();
    assert_eq!(version, concat!(env!("CARGO_PKG_VERSION"), ".0"));
    let date: Vec<u32> = date.split('/').map(|part| part.parse().unwrap()).collect();
    assert!(
        matches!(date[..], [1..=12, 1..=31, 2026..=9999]),
        "{driver}: {date:?}"
    );
}
