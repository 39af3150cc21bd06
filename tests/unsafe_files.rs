//! The list of files with unsafe code in the crate's documentation is the real one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Whether a line of code contains unsafe code. The type of a function pointer is none.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or("");
    code.split("unsafe").skip(1).any(|rest| {
        let pointer = rest
            .strip_prefix(" extern \"C\" fn(")
            .or_else(|| rest.strip_prefix(" extern \"system\" fn("));
        let word = rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        pointer.is_none() && !word
    })
}

fn collect(directory: &Path, name: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let name = format!("{name}{stem}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found);
        } else if fs::read_to_string(&path).unwrap().lines().any(is_unsafe) {
            found.insert(name);
        }
    }
}

fn listed(documentation: &str) -> BTreeSet<String> {
    documentation
        .lines()
        .skip_while(|line| *line != "//! # Unsafe code")
        .skip(1)
        .take_while(|line| !line.starts_with("//! # "))
        .filter(|line| line.starts_with("//! |"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn unsafe_code_is_only_where_the_documentation_lists_it() {
    let mut found = BTreeSet::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    collect(&sources, "", &mut found);
    let listed = listed(include_str!("../src/lib.rs"));
    let covers = |entry: &str, file: &str| match entry.strip_suffix('*') {
        Some(directory) => file.starts_with(directory),
        None => file == entry,
    };
    for file in &found {
        let covered = listed.iter().any(|entry| covers(entry, file));
        assert!(covered, "{file} is not listed in src/lib.rs");
    }
    for entry in &listed {
        let covers_one = found.iter().any(|file| covers(entry, file));
        assert!(covers_one, "{entry} of src/lib.rs has no unsafe code");
    }
    assert!(!found.is_empty() && !listed.is_empty());
}

#[test]
fn unsafe_code_is_told_from_comments_and_types() {
    for code in [
        "unsafe { f() }",
        "    pub unsafe fn f();",
        "unsafe impl Send for T {}",
        "#[unsafe(no_mangle)]",
        "unsafe extern \"C\" fn unload(driver: D) {",
        "unsafe extern \"system\" {",
        "type F = unsafe extern \"C\" fn(); unsafe { f() }",
    ] {
        assert!(is_unsafe(code), "{code}");
    }
    for code in [
        "// unsafe { f() }",
        "f(); // not unsafe",
        "    Option<unsafe extern \"C\" fn(Device: WDFDEVICE) -> NTSTATUS>;",
        "#![expect(unsafe_code, reason = \"..\")]",
    ] {
        assert!(!is_unsafe(code), "{code}");
    }
}
