//! The loader and the Plug and Play manager: drivers, devices, their resources and their interrupts.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use nmr_netdma::sys;

use crate::kernel::{Config, Kernel, Machine};
use crate::mm::Registers;
use crate::verifier::Leak;

/// A driver's entry point. The simulated loader binds the framework before it calls it.
pub type DriverEntry =
    unsafe extern "system" fn(*mut sys::DRIVER_OBJECT, *const sys::UNICODE_STRING) -> sys::NTSTATUS;

/// A loaded driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DriverId(u64);

/// A device that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(u64);

/// A device to add.
#[derive(Clone, Default)]
pub struct DeviceConfig {
    /// Its name, for traces and diagnoses.
    pub name: String,
    /// MSI-X messages that the device has; 0: a line interrupt only.
    pub messages: u32,
    /// Messages that the arbiter grants at most; 0: only the line interrupt.
    pub granted: Option<u32>,
    /// The device's registers.
    pub bars: Vec<Bar>,
    /// How the device model interrupts.
    pub signal: Signal,
}

/// One range of device registers.
#[derive(Clone)]
pub struct Bar {
    /// Its length in bytes.
    pub length: usize,
    /// What answers in it.
    pub model: Arc<dyn Registers>,
}

/// How a device model interrupts. Put a clone into [`DeviceConfig::signal`].
#[derive(Clone, Debug, Default)]
pub struct Signal {}

impl Signal {
    /// A signal that belongs to no device yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends message `message`. A message that the device was not granted goes to message 0.
    pub fn raise(&self, _message: u32) {}

    /// Asserts or deasserts the line. While it is asserted, the service routine is called again and again.
    pub fn line(&self, _asserted: bool) {}
}

/// One interrupt that a device was assigned, and who took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterruptReport {
    /// The message's number; `None` for the line.
    pub message: Option<u32>,
    /// The interrupt vector.
    pub vector: u32,
    /// The processors that it may be delivered to.
    pub targets: Vec<u32>,
    /// The level of its service routine.
    pub irql: u8,
    /// How often each processor took it.
    pub delivered: BTreeMap<u32, u64>,
}

impl Kernel {
    /// Loads a driver: binds the framework (KMDF 1.7) and calls its entry point.
    pub fn load_driver(&self, _name: &str, _entry: DriverEntry) -> Result<DriverId, sys::NTSTATUS> {
        Err(sys::STATUS_NOT_IMPLEMENTED)
    }

    /// Unloads a driver: calls its unload routine and deletes what the framework keeps for it.
    pub fn unload_driver(&self, _driver: DriverId) -> Result<(), sys::NTSTATUS> {
        Err(sys::STATUS_NOT_IMPLEMENTED)
    }

    /// Adds a device and starts it.
    pub fn add_device(&self, _driver: DriverId, _config: DeviceConfig) -> Result<DeviceId, sys::NTSTATUS> {
        Err(sys::STATUS_NOT_IMPLEMENTED)
    }

    /// Removes a device in the orderly way.
    pub fn remove_device(&self, _device: DeviceId) -> Result<(), sys::NTSTATUS> {
        Err(sys::STATUS_NOT_IMPLEMENTED)
    }

    /// The interrupts that a device was assigned last, in order of their messages.
    pub fn interrupts(&self, _device: DeviceId) -> Vec<InterruptReport> {
        Vec::new()
    }
}

/// The messages that a device has; `None` if `pdo` is no physical device object of this machine.
pub(crate) fn message_count(_machine: &Arc<Machine>, _pdo: *mut sys::DEVICE_OBJECT) -> Option<u32> {
    None
}

pub(crate) struct State {}

impl State {
    pub(crate) fn new(_config: &Config) -> Self {
        Self {}
    }
}

pub(crate) fn leaks(_machine: &Arc<Machine>, _leaks: &mut Vec<Leak>) {}

pub(crate) fn shutdown(_machine: &Arc<Machine>) {}
