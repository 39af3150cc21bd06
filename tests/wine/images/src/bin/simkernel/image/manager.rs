//! The harness as Plug and Play manager. Wine loads the drivers and unloads them; everything in between, which Wine's own manager does
//! not know, is the simulated one's: the filtering of requirements, resources, interrupts, power, stop and start, orderly removal.
//!
//! # Safety
//!
//! The unsafe code of this file calls Wine's loader with names that live through the call.
#![expect(unsafe_code, reason = "calls Wine's loader")]

#[path = "../../../../../../../examples/netdma-kmdf/tests/affinity/situation.rs"]
mod situation;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use nmr_netdma::sys::{self, NTSTATUS};
use simkernel::devices::Doorbell;
use simkernel::pnp::{DeviceConfig, DriverId, Signal};
use simkernel::{Config, Kernel, Os};

use self::situation::{Expected, Situation, situations};
use super::machine::{self, Telling, live};
use super::traffic::{self, CLIENT, ENGINE};
use super::{framework, say, wine};

/// The registry path of a service.
fn service(name: &str) -> wine::Text {
    wine::Text::new(&format!(
        "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\{name}"
    ))
}

/// Has Wine load a driver.
pub(super) fn load(name: &str) -> Result<DriverId, NTSTATUS> {
    let path = service(name);
    // SAFETY: the text lives through the call.
    let status = unsafe { wine::ZwLoadDriver(&path.string()) };
    framework::wine_says(format_args!(
        "ZwLoadDriver of {name}: {}",
        framework::text(status)
    ));
    if !sys::NT_SUCCESS(status) {
        return Err(status);
    }
    framework::bound(name).ok_or(sys::STATUS_UNSUCCESSFUL)
}

/// Has Wine unload a driver.
pub(super) fn unload(name: &str) {
    let path = service(name);
    // SAFETY: the text lives through the call.
    let status = unsafe { wine::ZwUnloadDriver(&path.string()) };
    framework::wine_says(format_args!(
        "ZwUnloadDriver of {name}: {}",
        framework::text(status)
    ));
    if !sys::NT_SUCCESS(status) || framework::bound(name).is_some() {
        machine::failed(format_args!("{name} is not unloaded: {status:#010x}"));
    }
}

/// Words for a status.
fn text<T>(what: &str, result: Result<T, NTSTATUS>) -> Result<T, String> {
    result.map_err(|status| format!("{what}: 0x{:08X}", status.cast_unsigned()))
}

pub(super) fn run() -> Result<(), String> {
    for os in [Os::VistaSp1, Os::Win7] {
        let mut result = Ok(());
        let config = Config {
            os,
            ..Config::default()
        };
        live(&format!("{os:?}"), config, Telling::All, |kernel| {
            result = life(kernel);
        });
        result?;
    }
    let mut rows = 0;
    // The binary binds the framework by itself, for KMDF 1.7.
    let bound = |row: &Situation| row.functions == sys::WDF_FUNCTION_COUNT_V1_7;
    for situation in situations().into_iter().filter(bound) {
        let mut result = Ok(());
        let config = situation.config.clone();
        live(situation.row, config, Telling::Nothing, |kernel| {
            result = holds(kernel, &situation);
        });
        if let Err(problem) = result {
            machine::failed(format_args!("{}: {problem}", situation.row));
        }
        rows += 1;
    }
    say(format_args!(
        "{rows} machines and devices: interrupts went where the table says"
    ));
    Ok(())
}

/// Everything that can happen to devices of both drivers, with copies in between.
fn life(kernel: &Kernel) -> Result<(), String> {
    let client = text("load of the client", load(CLIENT))?;
    let engine = text("load of the engine", load(ENGINE))?;
    let config = DeviceConfig {
        name: format!("device of {CLIENT}"),
        ..DeviceConfig::default()
    };
    let other = text("the client's device", kernel.add_device(client, config))?;

    let device = text("the device", kernel.add_device(engine, traffic::engine(4)))?;
    traffic::copy(kernel, device)?;
    text("power down", kernel.power_down(device))?;
    text("power up", kernel.power_up(device))?;
    traffic::copy(kernel, device)?;
    text("stop", kernel.stop_device(device))?;
    say(format_args!("started again with two messages"));
    text("restart", kernel.restart_device(device, Some(2)))?;
    traffic::copy(kernel, device)?;
    text("stop", kernel.stop_device(device))?;
    say(format_args!("started again with the line"));
    text("restart", kernel.restart_device(device, Some(0)))?;
    traffic::copy(kernel, device)?;
    text("removal", kernel.remove_device(device))?;
    traffic::check_registers();

    say(format_args!("pulled out while it works"));
    let device = text("the device", kernel.add_device(engine, traffic::engine(4)))?;
    traffic::copy(kernel, device)?;
    traffic::check_registers();
    text("surprise removal", kernel.surprise_remove(device))?;
    traffic::device_gone();

    say(format_args!("pulled out while it sleeps"));
    let device = text("the device", kernel.add_device(engine, traffic::engine(4)))?;
    text("power down", kernel.power_down(device))?;
    traffic::check_registers();
    text("surprise removal", kernel.surprise_remove(device))?;
    traffic::device_gone();

    text("removal of the client's", kernel.remove_device(other))?;
    // The provider goes while its client is attached.
    unload(ENGINE);
    unload(CLIENT);
    Ok(())
}

/// One row of the table that the driver is held against on the host.
fn holds(kernel: &Kernel, situation: &Situation) -> Result<(), String> {
    situation.ask(kernel);
    let engine = text("load", load(ENGINE))?;
    let signal = Signal::new();
    let model = Doorbell::new(situation.channels, signal.clone());
    let config = situation.device(Arc::clone(&model) as _, signal);
    let device = text("the device", kernel.add_device(engine, config));
    let held = device.and_then(|device| {
        let interrupts: alloc::vec::Vec<_> = kernel
            .interrupts(device)
            .iter()
            .map(Expected::from)
            .collect();
        let sent = situation.messages_sent(&model);
        text("removal", kernel.remove_device(device))?;
        if interrupts != situation.interrupts {
            Err(format!("interrupts go to {interrupts:?}"))
        } else if sent != situation.messages_of_channels {
            Err(format!("channels send {sent:?}"))
        } else {
            Ok(())
        }
    });
    unload(ENGINE);
    held.map_err(|problem| problem.to_string())
}
