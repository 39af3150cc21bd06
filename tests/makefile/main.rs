//! `Makefile.toml` parses on every host, has its tasks, and `ci` is what CI runs; `steps` runs the tasks for Windows.

#[path = "../common/checks.rs"]
mod checks;
#[cfg(target_os = "linux")]
mod steps;

use std::fs;
use std::path::Path;
use std::process::Command;

use toml::{Table, Value};

const HOST_TASKS: [&str; 7] = [
    "bench",
    "ci",
    "kernel-images",
    "lab",
    "package",
    "test",
    "wine",
];
const KIT_TASKS: [&str; 6] = ["catalog", "down-level", "image", "modern", "sign", "stamp"];

fn makefile() -> Table {
    include_str!("../../Makefile.toml").parse().unwrap()
}

fn tasks(makefile: &Table) -> &Table {
    makefile["tasks"].as_table().unwrap()
}

#[test]
fn ci_runs_what_ci_runs() {
    assert_eq!(
        tasks(&makefile())["ci"]["script"].as_str(),
        Some("bash .ci/run")
    );
}

#[test]
fn host_tasks_run_what_exists() {
    let makefile = makefile();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in HOST_TASKS {
        let task = &tasks(&makefile)[name];
        assert!(task.get("windows").is_none(), "{name} is a host task");
        match task.get("script").and_then(Value::as_str) {
            Some(script) => {
                let file = script.strip_prefix("bash ").unwrap();
                assert!(root.join(file).is_file(), "{name} runs {file}");
            }
            None => assert_eq!(task["command"].as_str(), Some("cargo"), "{name}"),
        }
    }
}

#[test]
fn tasks_of_the_kit_are_for_windows_and_say_so_elsewhere() {
    let makefile = makefile();
    for name in KIT_TASKS {
        let task = &tasks(&makefile)[name];
        let script = task["script"].as_str().unwrap();
        assert!(script.starts_with(&format!("echo {name}: needs Windows")));
        assert!(script.ends_with("exit 1"));
        // Without it the script of other systems stays beside what Windows runs, which cargo-make refuses.
        assert_eq!(task["windows"]["clear"].as_bool(), Some(true), "{name}");
    }
    // What is of the kit is not there on other systems.
    assert_eq!(makefile["extend"]["optional"].as_bool(), Some(true));
    assert!(makefile["config"].get("windows_load_script").is_some());
    assert!(makefile["config"].get("load_script").is_none());
}

fn has_cargo_make() -> bool {
    let version = Command::new(env!("CARGO"))
        .args(["make", "--version"])
        .output();
    version.is_ok_and(|output| output.status.success())
}

#[test]
fn cargo_make_lists_every_task() {
    if !has_cargo_make() {
        return checks::not_checked("Makefile.toml", "cargo-make is not installed");
    }
    let output = Command::new(env!("CARGO"))
        .args(["make", "--disable-check-for-updates", "--list-all-steps"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{error}");
    assert!(
        !out.contains("WARN") && !error.contains("WARN"),
        "{out}{error}"
    );
    for name in HOST_TASKS.into_iter().chain(KIT_TASKS) {
        let line = format!("{name} - ");
        assert!(
            out.lines().any(|found| found.starts_with(&line)),
            "{name}: {out}"
        );
    }
}

#[test]
fn every_kit_version_that_is_named_is_the_one_that_is_built_with() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = makefile();
    let modern = &tasks(&makefile)["settings"]["env"]["KMDF_VERSION"]["mapping"]["modern"];
    for driver in ["netdma-kmdf", "nmr-client"] {
        let manifest = fs::read_to_string(root.join("examples").join(driver).join("Cargo.toml"));
        let manifest: Table = manifest.unwrap().parse().unwrap();
        let model = &manifest["package"]["metadata"]["wdk"]["driver-model"];
        let version = format!(
            "{}.{}",
            model["kmdf-version-major"], model["target-kmdf-version-minor"]
        );
        assert_eq!(modern.as_str(), Some(&*version), "{driver}");
    }
}
