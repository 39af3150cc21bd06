//! The tasks for Windows, run here: the real makefile of `wdk-build` under ours, and stand-ins for the kit's tools that write down
//! how they are called. What is not tried is what the rust scripts of `wdk-build` do: they ask the kit where it is, and copy files.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::Table;

use super::checks::not_checked;
use super::{makefile, tasks};

/// What a script of `wdk-build` reads from the drivers' manifests. A shell does not hand on a variable of such a name.
const KIND: &str = "WDK_BUILD_METADATA-DRIVER_MODEL-DRIVER_TYPE=KMDF";
const TOOLS: [&str; 5] = ["infverif", "inf2cat", "makecert", "signtool", "stampinf"];

/// How rust scripts are run, without which no step of `wdk-build` begins, and the profile, without which its first one panics.
const EXPECTED: &str = r#"[ "$CARGO_MAKE_RUST_SCRIPT_PROVIDER" = rust-script ] && [ "$CARGO_MAKE_CARGO_PROFILE" = dev ]"#;

/// The makefile of `wdk-build`, of the version that the drivers are built with.
fn makefile_of_the_kit() -> Option<Table> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let packages = String::from_utf8_lossy(&output.stdout);
    let manifest = packages
        .split("\"manifest_path\":\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.contains("/wdk-build-"))?;
    let text = fs::read_to_string(Path::new(manifest).with_file_name("rust-driver-makefile.toml"));
    Some(text.unwrap().parse().unwrap())
}

/// Without what only runs with the kit.
fn without_rust_scripts(mut makefile: Table) -> Table {
    for (_, task) in makefile["tasks"].as_table_mut().unwrap() {
        let task = task.as_table_mut().unwrap();
        task.retain(|key, _| {
            !key.starts_with("condition_script")
                && !key.starts_with("script_runner")
                && !["plugin", "install_crate"].contains(&key)
        });
        // All scripts there are in Rust. What they expect of cargo-make's core tasks, which are not loaded, is looked at instead.
        if let Some(script) = task.get_mut("script") {
            *script = EXPECTED.into();
        }
    }
    makefile
}

/// Ours, with the tasks of Windows here.
fn for_this_system(mut makefile: Table) -> Table {
    let config = makefile["config"].as_table_mut().unwrap();
    assert!(config.remove("windows_load_script").is_some());
    for (_, task) in makefile["tasks"].as_table_mut().unwrap() {
        let task = task.as_table_mut().unwrap();
        if let Some(windows) = task.remove("windows") {
            task.insert("linux".into(), windows);
        }
    }
    makefile
}

fn write_script(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A workspace with two drivers that have no code, the makefiles, and the tools.
struct Workspace {
    directory: PathBuf,
    path: OsString,
}

impl Workspace {
    fn new(name: &str, kit: &Table) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        _ = fs::remove_dir_all(&directory);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["bin", "inf", "target"] {
            fs::create_dir_all(directory.join(folder)).unwrap();
        }
        let members = "[workspace]\nmembers = [\"examples/*\"]\nresolver = \"3\"\n";
        fs::write(directory.join("Cargo.toml"), members).unwrap();
        for driver in ["netdma-kmdf", "nmr-client"] {
            let package = directory.join("examples").join(driver);
            fs::create_dir_all(package.join("src")).unwrap();
            fs::write(package.join("src/lib.rs"), "").unwrap();
            let manifest = format!("[package]\nname = \"{driver}\"\n");
            fs::write(package.join("Cargo.toml"), manifest).unwrap();
            let inx = format!("inf/{driver}.inx");
            fs::copy(root.join(&inx), directory.join(&inx)).unwrap();
        }
        let ours = toml::to_string(&for_this_system(makefile())).unwrap();
        fs::write(directory.join("Makefile.toml"), ours).unwrap();
        let kit = toml::to_string(&without_rust_scripts(kit.clone())).unwrap();
        fs::write(directory.join("target/rust-driver-makefile.toml"), kit).unwrap();

        let log = directory.join("log").display().to_string();
        for tool in TOOLS {
            let script = format!(
                "#!/bin/sh\necho \"{tool} $*\" >>'{log}'\nfor last; do :; done\n[ {tool} != makecert ] || : >\"$last\"\n"
            );
            write_script(&directory.join("bin").join(tool), &script);
        }
        let cargo = env!("CARGO");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = build ]; then echo \"cargo $*\" >>'{log}'; else exec env '{KIND}' '{cargo}' \"$@\"; fi\n"
        );
        write_script(&directory.join("bin/cargo"), &script);
        let mut path = OsString::from(directory.join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        Self { directory, path }
    }

    /// How the tools are called by `task` for the driver `netdma-kmdf`, in order.
    fn calls(&self, task: &str, package: &str) -> Vec<String> {
        let log = self.directory.join("log");
        _ = fs::remove_file(&log);
        let mut command = Command::new(env!("CARGO"));
        // If this test itself is run by cargo-make.
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("CARGO_MAKE_") {
                command.env_remove(key);
            }
        }
        let output = command
            .args(["make", "--disable-check-for-updates", task])
            .current_dir(&self.directory)
            .env("PATH", &self.path)
            .env("PACKAGE", package)
            .env("WDK_BUILD_OUTPUT_DIRECTORY", self.directory.join("out"))
            .env_remove("SIGN_HASH")
            .env_remove("SIGN_ARGUMENTS")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{task}: {out}{error}");
        let log = fs::read_to_string(log).unwrap();
        let calls = log.lines().map(str::to_owned);
        calls.filter(|call| !call.contains("client")).collect()
    }
}

/// That the calls are `expected`, each of which is a tool and what is among its arguments.
fn assert_calls(calls: &[String], expected: &[(&str, &[&str])]) {
    let tools: Vec<_> = calls
        .iter()
        .map(|call| call.split(' ').next().unwrap())
        .collect();
    let wanted: Vec<_> = expected.iter().map(|(tool, _)| *tool).collect();
    assert_eq!(tools, wanted, "{calls:#?}");
    for (call, (_, parts)) in calls.iter().zip(expected) {
        for part in *parts {
            assert!(call.contains(part), "{call} has no {part}");
        }
    }
}

#[test]
fn the_kits_tools_are_called_in_order_for_each_package() {
    let Some(kit) = makefile_of_the_kit() else {
        return not_checked("Makefile.toml, steps", "wdk-build cannot be had");
    };
    if !super::has_cargo_make() {
        return not_checked("Makefile.toml, steps", "cargo-make is not installed");
    }
    assert!(tasks(&kit).contains_key("package-driver"));
    let workspace = Workspace::new("makefile-steps", &kit);
    for (package, hash, systems, framework, flags) in [
        (
            "modern",
            "SHA256",
            "/os:10_VB_X64",
            "-k 1.31",
            "--features wdk",
        ),
        (
            "down-level",
            "SHA1",
            "/os:Vista_X64,",
            "-k 1.7",
            "netdma-kmdf",
        ),
    ] {
        let hash = format!("/fd {hash}");
        let build: (&str, &[&str]) = ("cargo", &[flags]);
        let stamp: (&str, &[&str]) = ("stampinf", &[framework]);
        let certificate: (&str, &[&str]) = ("makecert", &[]);
        let sign: (&str, &[&str]) = ("signtool", &[&hash, "netdma_kmdf.sys"]);
        let catalog: (&str, &[&str]) = ("inf2cat", &[systems]);
        let sign_catalog: (&str, &[&str]) = ("signtool", &[&hash, "netdma_kmdf.cat"]);
        let verify: (&str, &[&str]) = ("infverif", &[]);
        let all = [
            build,
            stamp,
            certificate,
            sign,
            catalog,
            sign_catalog,
            verify,
        ];
        assert_calls(&workspace.calls(package, package), &all);
        // The certificate is there now.
        assert_calls(&workspace.calls("image", package), &[build]);
        assert_calls(&workspace.calls("stamp", package), &[stamp]);
        assert_calls(&workspace.calls("sign", package), &[build, sign]);
        let last = [build, sign, stamp, catalog, sign_catalog];
        assert_calls(&workspace.calls("catalog", package), &last);

        let inf = fs::read_to_string(workspace.directory.join("out/netdma_kmdf.inf")).unwrap();
        let models = match package {
            "modern" => "%Provider% = Engines,NT$ARCH$.10.0...19041\n",
            _ => "%Provider% = Engines,NT$ARCH$.6.0,NT$ARCH$.6.2\n",
        };
        assert!(inf.contains(models), "{inf}");
        let version = framework.replace("-k", "KmdfLibraryVersion =");
        assert!(inf.contains(&version), "{inf}");
    }
}
