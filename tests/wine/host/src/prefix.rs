//! Wine: a prefix, its server, and commands in it.
//!
//! # Design
//!
//! * **The server is persistent**: without that Wine ends it, and all drivers with it, whenever no program runs.
//! * **All commands write to one file, from the first one on**: the process of the drivers inherits it from the first command.
//! * **Every command has a time limit**, by `timeout`, which also ends what the command has started.
//! * **A copy of a prefix shares the modules**, the bulk of it, by hard links. Wine replaces them and does not write into them, as
//!   it does into its registry.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::build::{self, Files};
use crate::inf;
use crate::log::{self, COMMAND, Line};
use crate::scenario::{Scenario, Step};

const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";

/// Where drivers lie in a prefix.
const DRIVERS: &str = "drive_c/windows/system32/drivers";
/// What the test brings along.
const PACKAGE: &str = "drive_c/pkg";

const COMMAND_SECONDS: u32 = 60;
/// How long the harness may work.
const WORK: Duration = Duration::from_secs(240);

/// A finished prefix without a server.
pub(crate) struct Prefix {
    directory: PathBuf,
}

/// One run of a scenario.
pub(crate) struct Run {
    /// The exit code of each step, in order; `None` if it had to be ended.
    pub(crate) codes: Vec<Option<i32>>,
    pub(crate) log: String,
    /// Files in the prefix that are not what was built.
    pub(crate) altered: Vec<String>,
}

impl Prefix {
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        let prefix = Self {
            directory: directory.to_owned(),
        };
        prefix.discard()?;
        let log = directory.with_extension("log");
        let output = File::create(&log)?;
        let code = prefix.wine(&["wineboot", "-i"], 120, &output)?;
        let mut codes = vec![code];
        for change in [
            // How long a driver's entry may take, in milliseconds, on a machine that has other things to do.
            &[
                "add",
                r"HKLM\System\CurrentControlSet\Control",
                "/v",
                "ServicesPipeTimeout",
                "/d",
                "60000",
            ][..],
            // Wine's own buses, of no use here. Their process may die at each boot: it enumerates them even when its Plug and Play
            // manager is not there yet.
            &["delete", r"HKLM\System\CurrentControlSet\Enum\ROOT\WINE"],
        ] {
            let change = [&["reg"], change, &["/f"]].concat();
            codes.push(prefix.wine(&change, COMMAND_SECONDS, &output)?);
        }
        prefix.server(&["-k"], 60)?;
        prefix.server(&["-w"], 60)?;
        if codes.iter().any(|code| *code != Some(0)) {
            return Err(io::Error::other(format!(
                "the Wine prefix cannot be made, see {}",
                log.display()
            )));
        }
        Ok(prefix)
    }

    pub(crate) fn copy(&self, directory: &Path) -> io::Result<Self> {
        let copy = Self {
            directory: directory.to_owned(),
        };
        copy.discard()?;
        share(&self.directory, directory)?;
        Ok(copy)
    }

    /// Ends what runs in the directory from an earlier time, and removes it.
    fn discard(&self) -> io::Result<()> {
        if self.directory.exists() {
            self.server(&["-k"], 60)?;
            fs::remove_dir_all(&self.directory)?;
        }
        Ok(())
    }

    /// Plays a scenario and removes the prefix.
    pub(crate) fn play(self, scenario: &Scenario, files: &Files) -> io::Result<Run> {
        let log = self.directory.with_extension("log");
        let mut output = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&log)?;
        drop(output);
        output = OpenOptions::new().append(true).open(&log)?;
        self.place(scenario, files, &mut output)?;
        self.server(&["-p"], 20)?;
        let mut codes = Vec::new();
        for step in scenario.steps {
            let arguments = step.arguments(files);
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let (code, what) = match step {
                Step::WaitFor(work) => (wait(&log, work)?, format!("the end of {work}")),
                _ => (
                    self.wine(&arguments, COMMAND_SECONDS, &output)?,
                    arguments.join(" "),
                ),
            };
            let answer = code.map_or_else(|| "not in time".into(), |code| code.to_string());
            writeln!(output, "{COMMAND}{what}: {answer}")?;
            codes.push(code);
        }
        self.server(&["-k"], 30)?;
        self.server(&["-w"], 60)?;
        let altered = self.altered(files)?;
        let log = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        fs::remove_dir_all(&self.directory)?;
        Ok(Run {
            codes,
            log,
            altered,
        })
    }

    /// Puts the harness where Wine looks for it, and the drivers where the INF takes them from.
    fn place(&self, scenario: &Scenario, files: &Files, output: &mut File) -> io::Result<()> {
        let drivers = self.directory.join(DRIVERS);
        for image in ["simkernel", "netio", "ndis", "wdfldr"] {
            let to = drivers.join(format!("{image}.sys"));
            if to.exists() {
                fs::remove_file(&to)?;
            }
            fs::copy(files.images.join(format!("{image}.exe")), to)?;
        }
        let package = self.directory.join(PACKAGE);
        fs::create_dir_all(&package)?;
        fs::copy(
            files.images.join("install.exe"),
            package.join("install.exe"),
        )?;
        for driver in &files.drivers {
            fs::copy(
                &driver.file,
                package.join(format!("{}.sys", driver.service)),
            )?;
            let stamped = inf::stamp(&fs::read_to_string(&driver.inf)?);
            let name = format!("{}.inf", driver.service);
            fs::write(package.join(&name), stamped.text)?;
            let installed =
                |step: &Step| matches!(step, Step::Install(service) if *service == driver.service);
            if !scenario.steps.iter().any(installed) {
                continue;
            }
            for change in stamped.changes {
                writeln!(output, "{COMMAND}{name}, for Wine: {change}")?;
            }
        }
        Ok(())
    }

    /// The copies of the drivers that Wine made, if they are not what was built.
    fn altered(&self, files: &Files) -> io::Result<Vec<String>> {
        let mut altered = Vec::new();
        for driver in &files.drivers {
            let name = format!("{}.sys", driver.service);
            let copy = self.directory.join(DRIVERS).join(&name);
            if copy.exists() && build::sha256(&copy)? != build::sha256(&driver.file)? {
                altered.push(name);
            }
        }
        Ok(altered)
    }

    fn wine(&self, arguments: &[&str], seconds: u32, output: &File) -> io::Result<Option<i32>> {
        let mut command = self.command(WINE, arguments, seconds);
        command
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        code(&mut command)
    }

    fn server(&self, arguments: &[&str], seconds: u32) -> io::Result<Option<i32>> {
        let mut command = self.command(SERVER, arguments, seconds);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        code(&mut command)
    }

    fn command(&self, program: &str, arguments: &[&str], seconds: u32) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["-k", "5", &seconds.to_string(), program])
            .args(arguments)
            .env("WINEPREFIX", &self.directory)
            .env("WINEARCH", "win64")
            .env("WINEDEBUG", "-all,err+all,+debugstr")
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=;netio.sys,ndis.sys=n")
            .env("LC_ALL", "C")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null());
        command
    }
}

/// Waits for the harness's verdict on its work: 0, or `None` if it does not come.
fn wait(log: &Path, work: &str) -> io::Result<Option<i32>> {
    let started = Instant::now();
    while started.elapsed() < WORK {
        let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
        let verdict = |line: &str| match log::parse(line) {
            Line::Verdict(text) => text.starts_with(work),
            _ => false,
        };
        if text.lines().any(verdict) {
            return Ok(Some(0));
        }
        if text.contains("starting debugger") || text.contains("lab! the process ends") {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    Ok(None)
}

/// Copies a directory. What Wine may write into is copied, modules and fonts are linked.
fn share(from: &Path, to: &Path) -> io::Result<()> {
    const LINKED: &[&str] = &[
        "acm", "ax", "cpl", "dll", "drv", "ds", "exe", "msstyles", "nls", "ocx", "sys", "tlb",
        "ttf", "vxd",
    ];

    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        let extension = from.extension().and_then(|extension| extension.to_str());
        if kind.is_symlink() {
            symlink(fs::read_link(&from)?, to)?;
        } else if kind.is_dir() {
            share(&from, &to)?;
        } else if extension.is_some_and(|extension| LINKED.contains(&extension)) {
            fs::hard_link(from, to)?;
        } else if kind.is_file() {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

/// The exit code, or `None` if `timeout` or somebody else ended it.
fn code(command: &mut Command) -> io::Result<Option<i32>> {
    const ENDED: i32 = 124;

    Ok(command.status()?.code().filter(|code| *code != ENDED))
}
