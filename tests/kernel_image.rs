//! The example drivers as native images: built here without a WDK, then read as the loader would.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, ImageThunkData, PeFile64};

/// Every import that the drivers may have: functions that Windows Vista SP1 exports for amd64.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "NDIS.SYS",
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
    (
        "NETIO.SYS",
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
    ("WDFLDR.SYS", &["WdfVersionBind", "WdfVersionUnbind"]),
    (
        "ntoskrnl.exe",
        &[
            "DbgPrint",
            "ExAllocatePoolWithTag",
            "ExFreePoolWithTag",
            "KeAcquireSpinLockAtDpcLevel",
            "KeAcquireSpinLockRaiseToDpc",
            "KeBugCheckEx",
            "KeClearEvent",
            "KeDelayExecutionThread",
            "KeFlushQueuedDpcs",
            "KeInitializeDpc",
            "KeInitializeEvent",
            "KeInsertQueueDpc",
            "KeQueryActiveProcessorCount",
            "KeQueryActiveProcessors",
            "KeReleaseSpinLock",
            "KeReleaseSpinLockFromDpcLevel",
            "KeRemoveQueueDpc",
            "KeSetEvent",
            "KeSetImportanceDpc",
            "KeSetTargetProcessorDpc",
            "KeWaitForSingleObject",
            "MmAllocateContiguousMemory",
            "MmFreeContiguousMemory",
            "MmGetPhysicalAddress",
            "MmGetSystemRoutineAddress",
            "MmMapIoSpace",
            "MmUnmapIoSpace",
            "RtlGetVersion",
            "RtlInitUnicodeString",
            "__chkstk",
        ],
    ),
];

const TARGET: &str = "x86_64-pc-windows-msvc";

/// The directory of the images, or why they cannot be built here.
fn build() -> Result<PathBuf, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = Command::new(rustc)
        .args(["--print=target-libdir", "--target", TARGET])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| error.to_string())?;
    let directory = String::from_utf8_lossy(&libraries.stdout).trim().to_owned();
    if directory.is_empty() || !Path::new(&directory).is_dir() {
        return Err(format!(
            "the toolchain has no library for {TARGET} (rustup target add {TARGET})"
        ));
    }
    // A directory of its own: cargo holds a lock on the one that this test was built in.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel-image");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "-p",
            "netdma-kmdf",
            "-p",
            "nmr-client",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(&target)
        .env("NMR_NETDMA_KERNEL_IMAGE", "1")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .map_err(|error| error.to_string())?;
    assert!(status.success(), "the drivers do not build for {TARGET}");
    Ok(target.join(TARGET).join("release"))
}

fn imports(file: &PeFile64<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let table = file
        .import_table()
        .unwrap()
        .expect("a driver imports something");
    let mut imports = BTreeMap::new();
    let mut descriptors = table.descriptors().unwrap();
    while let Some(descriptor) = descriptors.next().unwrap() {
        let module = table.name(descriptor.name.get(LE)).unwrap();
        let names: &mut BTreeSet<String> = imports
            .entry(String::from_utf8(module.to_vec()).unwrap())
            .or_default();
        let mut thunks = table
            .thunks(descriptor.original_first_thunk.get(LE))
            .unwrap();
        while let Some(thunk) = thunks.next::<pe::ImageNtHeaders64>().unwrap() {
            assert!(!thunk.is_ordinal(), "an import by ordinal");
            let (_, name) = table.hint_name(thunk.address()).unwrap();
            names.insert(String::from_utf8(name.to_vec()).unwrap());
        }
    }
    imports
}

/// Names outside the allowed lists, as `module!name`.
fn forbidden(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    imports
        .iter()
        .flat_map(|(module, names)| {
            let allowed = ALLOWED
                .iter()
                .find(|(name, _)| name == module)
                .map_or(&[][..], |(_, names)| names);
            names
                .iter()
                .filter(|name| !allowed.contains(&name.as_str()))
                .map(move |name| format!("{module}!{name}"))
        })
        .collect()
}

/// The sum that the loader demands of a driver: 16-bit words added with carry, the field itself as zero, plus the length.
fn checksum(image: &[u8], field: usize) -> u32 {
    let mut sum = 0u64;
    for (index, word) in image.chunks(2).enumerate() {
        let offset = index * 2;
        if offset != field && offset != field + 2 {
            sum += u64::from(u16::from_le_bytes([word[0], *word.get(1).unwrap_or(&0)]));
        }
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u32 + image.len() as u32
}

#[test]
fn the_drivers_are_native_images_that_vista_sp1_can_load() {
    match build() {
        Ok(directory) => {
            for name in ["netdma_kmdf.dll", "nmr_client.dll"] {
                check(name, &fs::read(directory.join(name)).unwrap());
            }
        }
        // Past the test harness, which shows what a test prints only if it fails.
        Err(reason) => writeln!(std::io::stderr(), "kernel images: not checked: {reason}").unwrap(),
    }
}

fn check(name: &str, image: &[u8]) {
    let file = PeFile64::parse(image).unwrap();
    let headers = file.nt_headers();
    let optional = headers.optional_header();

    assert_eq!(
        headers.file_header().machine.get(LE),
        pe::IMAGE_FILE_MACHINE_AMD64
    );
    assert_eq!(optional.subsystem(), pe::IMAGE_SUBSYSTEM_NATIVE);
    assert_eq!(
        (
            optional.major_subsystem_version(),
            optional.minor_subsystem_version()
        ),
        (6, 0)
    );
    assert_ne!(optional.address_of_entry_point(), 0);

    let directory = |index| file.data_directory(index).is_some();
    assert!(
        directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC),
        "the loader moves drivers"
    );
    assert!(
        !directory(pe::IMAGE_DIRECTORY_ENTRY_TLS),
        "the kernel has no thread-local storage for drivers"
    );
    for section in file.section_table().iter() {
        let flags = section.characteristics.get(LE);
        let writable_code = pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE;
        assert_ne!(
            flags & writable_code,
            writable_code,
            "a section that is writable and executable"
        );
    }

    let stored = optional.check_sum();
    let field = image
        .windows(4)
        .position(|bytes| bytes == b"PE\0\0")
        .unwrap()
        + 4
        + 20
        + 64;
    assert_eq!(stored, checksum(image, field), "the checksum is wrong");

    let imports = imports(&file);
    println!("{name}: {} bytes, imports {imports:#?}", image.len());
    assert_eq!(forbidden(&imports), Vec::<String>::new());
    assert!(
        imports["WDFLDR.SYS"].contains("WdfVersionBind"),
        "the image binds the framework by itself"
    );
}

#[test]
fn an_import_that_vista_sp1_lacks_is_found() {
    let planted = BTreeMap::from([
        (
            "ntoskrnl.exe".into(),
            BTreeSet::from(["DbgPrint".into(), "ExAllocatePool2".into()]),
        ),
        (
            "fltmgr.sys".into(),
            BTreeSet::from(["FltRegisterFilter".into()]),
        ),
    ]);
    assert_eq!(
        forbidden(&planted),
        [
            "fltmgr.sys!FltRegisterFilter",
            "ntoskrnl.exe!ExAllocatePool2"
        ]
    );
}
