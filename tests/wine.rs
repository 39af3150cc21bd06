//! The example drivers, as they ship, under Wine's loader and Plug and Play manager: `tests/wine/run`, where Wine is there.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

/// Set where Wine must be there.
const REQUIRED: &str = "NMR_NETDMA_REQUIRE_WINE";

#[test]
fn the_drivers_run_under_wine() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wine/run");
    let check = Command::new("bash").arg(&script).arg("--check").output();
    let missing = match check {
        Ok(check) if check.status.success() => None,
        Ok(check) => Some(String::from_utf8_lossy(&check.stdout).trim().to_owned()),
        Err(error) => Some(format!("bash: {error}")),
    };
    if let Some(missing) = missing {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "{REQUIRED} is set, but: {missing}"
        );
        // Past the test harness, which shows what a test prints only if it fails.
        writeln!(io::stderr(), "wine: not run: {missing}").unwrap();
        return;
    }
    let run = Command::new("bash").arg(&script).output().unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    println!("{output}{}", String::from_utf8_lossy(&run.stderr));
    let last = output.lines().last().unwrap_or_default();
    assert!(run.status.success(), "{last}");
    assert!(
        last.starts_with("wine: ") && last.ends_with(" passed, 0 failed"),
        "{last}"
    );
    assert!(!last.starts_with("wine: 0 "), "{last}");
}
