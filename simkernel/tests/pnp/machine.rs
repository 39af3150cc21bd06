//! Machines with that driver and its device, and what tests ask of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_netdma::sys;
use simkernel::pnp::{DeviceConfig, DeviceId, DriverId};
use simkernel::{Config, Kernel, Os, Violation};

use super::driver::*;

/// A machine with the driver loaded and its script set.
pub(crate) fn boot(os: Os, script: Script) -> (Kernel, DriverId, Arc<Script>) {
    boot_with(
        Config {
            os,
            ..Config::default()
        },
        sys::WDF_FUNCTION_COUNT_V1_7,
        script,
    )
}

/// The same on Windows 7, with a device that has `messages` messages and is started.
pub(crate) fn started(script: Script, messages: u32) -> (Kernel, DriverId, Arc<Script>, DeviceId) {
    let (kernel, driver, script) = boot(Os::Win7, script);
    let id = kernel
        .add_device(driver, device(&script, messages))
        .unwrap();
    (kernel, driver, script, id)
}

/// Removes, unloads, shuts down, and nothing is wrong.
pub(crate) fn end(kernel: Kernel, driver: DriverId, id: DeviceId) {
    kernel.remove_device(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

pub(crate) fn boot_with(
    config: Config,
    functions: u32,
    script: Script,
) -> (Kernel, DriverId, Arc<Script>) {
    script.lowest_level.store(u32::MAX, Ordering::Relaxed);
    let script = Arc::new(script);
    SCRIPT.set(Arc::clone(&script));
    let kernel = Kernel::boot(config);
    let driver = kernel
        .load_driver_bound("sample", entry, functions)
        .unwrap();
    (kernel, driver, script)
}

pub(crate) fn device(script: &Script, messages: u32) -> DeviceConfig {
    DeviceConfig {
        name: "engine".into(),
        messages,
        signal: script.signal.clone(),
        ..DeviceConfig::default()
    }
}

/// Sets a flag when dropped.
pub(crate) struct Set<'a>(pub(crate) &'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn finish(kernel: Kernel) {
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

pub(crate) fn targets(kernel: &Kernel, device: DeviceId) -> Vec<Vec<u32>> {
    kernel
        .interrupts(device)
        .into_iter()
        .map(|report| report.targets)
        .collect()
}

pub(crate) fn rules(violations: &[Violation]) -> Vec<&'static str> {
    violations
        .iter()
        .map(|violation| violation.rule.name)
        .collect()
}

pub(crate) const START: [&str; 8] = [
    "add",
    "remove added",
    "prepare",
    "d0 entry",
    "enable",
    "enable",
    "post interrupts",
    "io init",
];
pub(crate) const REMOVE: [&str; 11] = [
    "query remove",
    "io suspend",
    "pre interrupts",
    "disable",
    "disable",
    "d0 exit",
    "release",
    "io flush",
    "io cleanup",
    "cleanup",
    "destroy",
];
