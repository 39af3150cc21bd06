//! Reads a native image as the loader of Windows Vista SP1 would, and more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use iced_x86::{CpuidFeature, Decoder, DecoderOptions, Mnemonic};
use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, ImageThunkData, PeFile64};

/// The modules that a driver may import from, with what Windows Vista SP1 exports there.
const EXPORTS: [(&str, &str); 4] = [
    ("NDIS.SYS", include_str!("../vista-sp1/NDIS.SYS")),
    ("NETIO.SYS", include_str!("../vista-sp1/NETIO.SYS")),
    // Of the framework's loader a driver needs these two. Later ones have more.
    ("WDFLDR.SYS", "WdfVersionBind\nWdfVersionUnbind"),
    ("ntoskrnl.exe", include_str!("../vista-sp1/ntoskrnl.exe")),
];

/// What NetDMA 1.0, of Windows Vista before SP1, lacks. Whoever uses the library there must be able to load it, so it looks these up;
/// the example drivers themselves need SP1, for its KMDF 1.7.
const LOOKED_UP: [&str; 2] = ["NetDmaGetVersion", "NetDmaPnPEventNotify"];

/// Instruction sets that every amd64 processor has and the kernel saves for a driver without being asked.
const BASELINE: [CpuidFeature; 10] = [
    CpuidFeature::INTEL8086,
    CpuidFeature::INTEL186,
    CpuidFeature::INTEL286,
    CpuidFeature::INTEL386,
    CpuidFeature::INTEL486,
    CpuidFeature::X64,
    CpuidFeature::CPUID,
    CpuidFeature::CMOV,
    CpuidFeature::SSE,
    CpuidFeature::SSE2,
];
/// Encoded so that processors without them do something as good: `pause` and long `nop`s nothing, and `tzcnt` the `bsf` that
/// the compiler means (without BMI1 it counts in this way only what is not zero, where both agree).
const HARMLESS: [Mnemonic; 3] = [Mnemonic::Pause, Mnemonic::Nop, Mnemonic::Tzcnt];

/// The target of kernel images.
pub(crate) const TARGET: &str = "x86_64-pc-windows-msvc";
/// The example drivers, by the names of their images.
pub(crate) const DRIVERS: [&str; 2] = ["netdma_kmdf", "nmr_client"];

/// Why images cannot be built here, if they cannot.
pub(crate) fn unable() -> Option<String> {
    let libraries = Command::new(rustc())
        .args(["--print=target-libdir", "--target", TARGET])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("a toolchain");
    let directory = String::from_utf8_lossy(&libraries.stdout).trim().to_owned();
    (!Path::new(&directory).is_dir())
        .then(|| format!("the toolchain has no library for {TARGET} (rustup target add {TARGET})"))
}

pub(crate) fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Where drivers are built: a directory of its own, because cargo holds a lock on the one that tests are built in.
pub(crate) fn target_directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel-image")
}

/// Names by module.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// The import table.
pub(crate) fn imports(file: &PeFile64<'_>) -> Imports {
    let mut imports = Imports::new();
    let Some(table) = file.import_table().unwrap() else {
        return imports;
    };
    let mut descriptors = table.descriptors().unwrap();
    while let Some(descriptor) = descriptors.next().unwrap() {
        let module = table.name(descriptor.name.get(LE)).unwrap();
        let names = imports
            .entry(String::from_utf8(module.to_vec()).unwrap())
            .or_default();
        let mut thunks = table
            .thunks(descriptor.original_first_thunk.get(LE))
            .unwrap();
        while let Some(thunk) = thunks.next::<pe::ImageNtHeaders64>().unwrap() {
            names.insert(if thunk.is_ordinal() {
                format!("#{}", thunk.ordinal())
            } else {
                let (_, name) = table.hint_name(thunk.address()).unwrap();
                String::from_utf8(name.to_vec()).unwrap()
            });
        }
    }
    imports
}

/// What Windows Vista SP1 cannot resolve, as `module!name`.
fn unresolved(imports: &Imports) -> impl Iterator<Item = String> {
    imports.iter().flat_map(|(module, names)| {
        let exports = EXPORTS
            .iter()
            .find(|(name, _)| name == module)
            .map_or("", |(_, exports)| exports);
        names
            .iter()
            .filter(|name| !exports.lines().any(|export| export == *name))
            .map(move |name| format!("{module}!{name}"))
    })
}

/// Where an image has its checksum.
pub(crate) fn checksum_field(image: &[u8]) -> usize {
    let signature = u32::from_le_bytes(image[0x3C..0x40].try_into().unwrap());
    signature as usize + size_of::<u32>() + size_of::<pe::ImageFileHeader>() + 64
}

/// The sum that the loader demands of a driver: 16-bit words added with carry, the field itself as zero, plus the length.
pub(crate) fn checksum(image: &[u8]) -> u32 {
    let field = checksum_field(image);
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

/// Instructions beyond the baseline, and bytes that are none, in one section of code.
fn foreign_instructions(code: &[u8], address: u64) -> BTreeSet<String> {
    Decoder::with_ip(64, code, address, DecoderOptions::NONE)
        .iter()
        .filter_map(|instruction| {
            let address = instruction.ip();
            if instruction.is_invalid() {
                return Some(format!("no instruction at {address:#x}"));
            }
            let (mnemonic, features) = (instruction.mnemonic(), instruction.cpuid_features());
            let known = features.iter().all(|feature| BASELINE.contains(feature));
            (!known && !HARMLESS.contains(&mnemonic))
                .then(|| format!("{mnemonic:?} needs {features:?}"))
        })
        .collect()
}

/// Everything for which Windows Vista SP1 would refuse the image, or would come to grief with it.
pub(crate) fn flaws(image: &[u8]) -> Vec<String> {
    let file = PeFile64::parse(image).unwrap();
    let headers = file.nt_headers();
    let optional = headers.optional_header();
    let mut flaws = Vec::new();
    let mut demand = |holds: bool, flaw: &str| {
        if !holds {
            flaws.push(flaw.to_owned());
        }
    };

    let machine = headers.file_header().machine.get(LE);
    demand(machine == pe::IMAGE_FILE_MACHINE_AMD64, "not for amd64");
    let subsystem = optional.subsystem();
    demand(subsystem == pe::IMAGE_SUBSYSTEM_NATIVE, "not native");
    let version = |major, minor| (u32::from(major) << 16) | u32::from(minor);
    demand(
        version(
            optional.major_subsystem_version(),
            optional.minor_subsystem_version(),
        ) == version(6u16, 0u16),
        "not for version 6.0 of the system",
    );
    demand(
        version(
            optional.major_operating_system_version(),
            optional.minor_operating_system_version(),
        ) <= version(6u16, 0u16),
        "for a later system",
    );
    demand(optional.address_of_entry_point() != 0, "no entry point");

    let directory = |index| file.data_directory(index).is_some();
    let stripped = headers.file_header().characteristics.get(LE) & pe::IMAGE_FILE_RELOCS_STRIPPED;
    demand(
        directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC) && stripped.0 == 0,
        "cannot be relocated",
    );
    demand(
        !directory(pe::IMAGE_DIRECTORY_ENTRY_TLS),
        "has thread-local storage",
    );
    demand(
        !directory(pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT),
        "imports when first called",
    );

    demand(
        optional.check_sum() == checksum(image),
        "the checksum is wrong",
    );

    for section in file.section_table().iter() {
        let flags = section.characteristics.get(LE);
        let has = |flag: pe::SectionFlags| (flags & flag).0 != 0;
        demand(
            !(has(pe::IMAGE_SCN_MEM_WRITE) && has(pe::IMAGE_SCN_MEM_EXECUTE)),
            "a section is writable and executable",
        );
        if has(pe::IMAGE_SCN_MEM_EXECUTE) {
            // The file rounds sections up; what is beyond the section's own size is not code.
            let code = section.pe_data(image).unwrap();
            let code = &code[..code.len().min(section.virtual_size.get(LE) as usize)];
            let address = optional.image_base() + u64::from(section.virtual_address.get(LE));
            for instruction in foreign_instructions(code, address) {
                demand(false, &instruction);
            }
        }
    }

    let imports = imports(&file);
    for name in unresolved(&imports) {
        demand(false, &format!("imports {name}"));
    }
    for name in LOOKED_UP {
        demand(
            !imports.values().any(|names| names.contains(name)),
            &format!("imports {name} instead of looking it up"),
        );
    }
    flaws
}
