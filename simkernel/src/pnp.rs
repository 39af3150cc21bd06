//! The loader and the Plug and Play manager: drivers, devices, their resources and their interrupts.
//!
//! | file | what it does |
//! |---|---|
//! | `driver` | a loaded driver and its driver object |
//! | `node` | a device: its physical device object, its registers, where it is in its life |
//! | `descriptors` | requirements lists, resource descriptors |
//! | `arbiter` | what was asked for becomes vectors on processors |
//! | `property` | what is known of a device |
//! | `interrupt` | from a device's signal to a processor |
//!
//! # Design
//!
//! A device's life is a sequence of calls of the test: add, which also starts it, and remove; stop and restart, power down
//! and up in between. Each returns when it is done, so a test says what happens when. What a driver does to the order, by
//! calling its device failed, happens on a system thread after the change that is under way.
//!
//! The requirements travel as bytes in the layout of `IO_RESOURCE_REQUIREMENTS_LIST`, between the bus, the driver's stack and
//! the arbiter; each side reads them against `ListSize`.

pub(crate) mod arbiter;
pub(crate) mod descriptors;
pub(crate) mod driver;
pub(crate) mod interrupt;
mod loader;
pub(crate) mod node;
mod object;
mod property;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use nmr_netdma::sys;

use crate::kernel::{Config, Kernel, Machine, Owner, Thread};
use crate::mm::Registers;
use crate::netio;
use crate::platform::Mutex;
use crate::verifier::Leak;
use crate::wdf;

use arbiter::{Assignment, Vectors};
use descriptors::{IoDescriptor, Requirements, encode_assigned};
use driver::Driver;
use node::{Change, Node, Phase};

pub use interrupt::Signal;

/// The rules of the Plug and Play manager.
pub mod violation {
    use crate::verifier::Rule;

    /// See its sentence.
    pub static UNCLAIMED: Rule = Rule {
        name: "pnp::unclaimed",
        says: "a line that a device asserts is claimed by its service routine",
    };
    /// See its sentence.
    pub static STUCK: Rule = Rule {
        name: "pnp::stuck",
        says: "a service routine that claims a line makes the device deassert it",
    };
    /// See its sentence.
    pub static PROCESSORS: Rule = Rule {
        name: "pnp::processors",
        says: "a policy of specified processors names at least one processor that exists",
    };
    /// See its sentence.
    pub static POLICY: Rule = Rule {
        name: "pnp::policy",
        says: "an affinity policy is one that the system knows; before Windows 7 it has 32 bits and no group",
    };
    /// See its sentence.
    pub static OBJECT: Rule = Rule {
        name: "pnp::object",
        says: "a reference is taken to an object that exists, and given up once",
    };
    /// See its sentence.
    pub static LIST: Rule = Rule {
        name: "pnp::list",
        says: "a requirements list is whole: its parts fit its size, an alternative follows its like",
    };
    /// See its sentence.
    pub static DEVICE: Rule = Rule {
        name: "pnp::device",
        says: "a physical device object is that of a device that is there",
    };
    /// See its sentence.
    pub static REENTERED: Rule = Rule {
        name: "pnp::reentered",
        says: "a device's state is not changed from within a change of its state",
    };
}

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
    /// How the bus asks for the messages and the line.
    pub layout: Layout,
    /// The policy under "Interrupt Management\\Affinity Policy" in the device's registry key.
    pub policy: Option<RegistryPolicy>,
    /// The device's registers.
    pub bars: Vec<Bar>,
    /// How the device model interrupts.
    pub signal: Signal,
}

/// How the bus asks for a device's interrupts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// MSI-X: a descriptor for each message, and the line as their alternative.
    #[default]
    MsiX,
    /// MSI: one descriptor for all messages, which interrupt the same processors, and the line as its alternative. As many are granted
    /// as the largest power of two.
    Msi,
    /// MSI-X, and the line in an alternative list of its own.
    LineApart,
    /// None, and no registers either: a device that the root bus made up.
    Root,
}

/// An affinity policy that an administrator or an INF set, and the bus writes into every interrupt that it asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegistryPolicy {
    /// `DevicePolicy`, an `IRQ_DEVICE_POLICY`.
    pub policy: u16,
    /// `DevicePriority`, an `IRQ_PRIORITY`.
    pub priority: u32,
    /// `AssignmentSetOverride`: the processors for the policy that specifies them.
    pub processors: u64,
}

/// What the arbiter makes of a requirements list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arbitration {
    /// The interrupts.
    pub interrupts: Vec<InterruptReport>,
    /// The `CM_RESOURCE_LIST` as the bus sees it.
    pub raw: Vec<u8>,
    /// The `CM_RESOURCE_LIST` as the processor sees it.
    pub translated: Vec<u8>,
}

/// One range of device registers.
#[derive(Clone)]
pub struct Bar {
    /// Its length in bytes.
    pub length: usize,
    /// What answers in it.
    pub model: Arc<dyn Registers>,
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

/// The drivers and devices of one machine.
pub(crate) struct State {
    next: AtomicU64,
    drivers: Mutex<Vec<Arc<Driver>>>,
    /// Also those that are gone: what became of their interrupts can still be asked.
    nodes: Mutex<Vec<Arc<Node>>>,
    pub(crate) vectors: Mutex<Vectors>,
}

impl State {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            next: AtomicU64::new(1),
            drivers: Mutex::default(),
            nodes: Mutex::default(),
            vectors: Mutex::new(Vectors::new(config)),
        }
    }
}

impl Kernel {
    /// Loads a driver: binds the framework with the functions of KMDF 1.7 and calls its entry point at PASSIVE_LEVEL.
    ///
    /// The error is the entry point's status. A driver that has been refused is not loaded.
    pub fn load_driver(&self, name: &str, entry: DriverEntry) -> Result<DriverId, sys::NTSTATUS> {
        self.load_driver_bound(name, entry, sys::WDF_FUNCTION_COUNT_V1_7)
    }

    /// As [`load_driver`](Self::load_driver), with the functions of another framework version, which the machine's
    /// system must have: 387 for KMDF 1.7 (Windows Vista SP1), 396 for 1.9 (Windows 7), up to 458 for 1.31 (Windows 10 2004).
    pub fn load_driver_bound(
        &self,
        name: &str,
        entry: DriverEntry,
        functions: u32,
    ) -> Result<DriverId, sys::NTSTATUS> {
        let machine = self.machine();
        let own = wdf::function_count(machine.config.os);
        if functions > own {
            machine.trace(
                "pnp",
                format_args!("{name}: wants {functions} framework functions, the system has {own}"),
            );
            return Err(sys::STATUS_INVALID_PARAMETER);
        }
        let id = machine.pnp.next.fetch_add(1, Ordering::Relaxed);
        let driver = Driver::new(id, name, functions);
        machine.pnp.drivers.lock().push(Arc::clone(&driver));
        machine.trace("pnp", format_args!("driver {name} loaded"));
        let status = loader::call_entry(&driver, entry);
        if sys::NT_SUCCESS(status) {
            return Ok(DriverId(id));
        }
        machine.trace(
            "pnp",
            format_args!(
                "driver {name}: entry failed with 0x{:08X}",
                status.cast_unsigned()
            ),
        );
        wdf::driver::delete(machine, &driver);
        forget(machine, &driver);
        Err(status)
    }

    /// Forgets a driver that its loader has unloaded, after a look at what it left.
    pub fn forget_driver(&self, driver: DriverId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let driver = find_driver(machine, driver)?;
        machine.trace("pnp", format_args!("driver {} unloaded", driver.name));
        forget(machine, &driver);
        Ok(())
    }

    /// Unloads a driver: calls its unload routine, which deletes what the framework keeps for it.
    ///
    /// STATUS_DEVICE_BUSY while it has devices; STATUS_INVALID_DEVICE_REQUEST if it has no unload routine.
    pub fn unload_driver(&self, driver: DriverId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let driver = find_driver(machine, driver)?;
        if nodes(machine)
            .iter()
            .any(|node| node.driver.id == driver.id && node.phase() != Phase::Removed)
        {
            return Err(sys::STATUS_DEVICE_BUSY);
        }
        if !loader::call_unload(&driver) {
            return Err(sys::STATUS_INVALID_DEVICE_REQUEST);
        }
        machine.trace("pnp", format_args!("driver {} unloaded", driver.name));
        forget(machine, &driver);
        Ok(())
    }

    /// Adds a device and starts it: EvtDriverDeviceAdd, the filtering of its requirements, the assignment, the start.
    ///
    /// The error is the status of what failed. The device is removed again then.
    pub fn add_device(
        &self,
        driver: DriverId,
        config: DeviceConfig,
    ) -> Result<DeviceId, sys::NTSTATUS> {
        let machine = self.machine();
        let (node, _change) = found(machine, driver, config)?;
        let result = start(machine, &node);
        if result.is_err() {
            remove(machine, &node);
        }
        result.map(|()| DeviceId(node.id))
    }

    /// The first half of [`add_device`](Self::add_device): the driver is told of the device.
    ///
    /// The error is the driver's status. The device is removed again then.
    pub fn find_device(
        &self,
        driver: DriverId,
        config: DeviceConfig,
    ) -> Result<DeviceId, sys::NTSTATUS> {
        found(self.machine(), driver, config).map(|(node, _)| DeviceId(node.id))
    }

    /// The second half of [`add_device`](Self::add_device): the device is given its resources and started.
    ///
    /// The error is the status of what failed. The device stays, not started.
    pub fn start_device(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let _change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
        in_phase(&node, Phase::Added)?;
        start(machine, &node)
    }

    /// Removes a device in the orderly way. A driver that objects in EvtDeviceQueryRemove keeps it: the error is its
    /// status.
    pub fn remove_device(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let _change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
        if node.phase() == Phase::Removed {
            return Err(sys::STATUS_NO_SUCH_DEVICE);
        }
        let status = wdf::power::query(machine, &node, true);
        if !sys::NT_SUCCESS(status) {
            return Err(status);
        }
        remove(machine, &node);
        Ok(())
    }

    /// Pulls a device out: its registers read as all ones and it no longer interrupts; then its driver is told, and the
    /// device is removed.
    pub fn surprise_remove(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let (node, _change) = pulled_out(machine, device)?;
        remove(machine, &node);
        Ok(())
    }

    /// The first half of [`surprise_remove`](Self::surprise_remove): the device is out, and its driver knows.
    pub fn pull_out(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        pulled_out(self.machine(), device).map(|_| ())
    }

    /// Removes a device that is not started, or was pulled out, without asking its driver.
    pub fn discard_device(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let _change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
        if node.phase() == Phase::Removed {
            return Err(sys::STATUS_NO_SUCH_DEVICE);
        }
        remove(machine, &node);
        Ok(())
    }

    /// Stops a started device and takes its resources, for a rebalance. A driver that objects in EvtDeviceQueryStop keeps
    /// them: the error is its status.
    pub fn stop_device(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let _change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
        in_phase(&node, Phase::Started)?;
        let status = wdf::power::query(machine, &node, false);
        if !sys::NT_SUCCESS(status) {
            return Err(status);
        }
        wdf::power::stop(machine, &node);
        node.release_vectors(machine);
        node.set_phase(Phase::Stopped);
        machine.trace("pnp", format_args!("{}: stopped", node.name));
        Ok(())
    }

    /// Starts a stopped device again, with resources assigned anew of which `granted` are messages at most.
    ///
    /// The error is the status of what failed. The device is removed then.
    pub fn restart_device(
        &self,
        device: DeviceId,
        granted: Option<u32>,
    ) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let _change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
        in_phase(&node, Phase::Stopped)?;
        node.set_granted(granted);
        let result = start(machine, &node);
        if result.is_err() {
            remove(machine, &node);
        }
        result
    }

    /// Sends a started device to D3. It keeps its resources.
    pub fn power_down(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let _change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
        in_phase(&node, Phase::Started)?;
        wdf::power::sleep(machine, &node);
        node.set_phase(Phase::Asleep);
        machine.trace("pnp", format_args!("{}: in D3", node.name));
        Ok(())
    }

    /// Brings a device back to D0. If its driver fails to, the error is the status, and the device is removed.
    pub fn power_up(&self, device: DeviceId) -> Result<(), sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let _change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
        in_phase(&node, Phase::Asleep)?;
        let status = wdf::power::wake(machine, &node);
        if !sys::NT_SUCCESS(status) {
            node.set_phase(Phase::Stopped);
            wdf::power::surprise(machine, &node);
            remove(machine, &node);
            return Err(status);
        }
        node.set_phase(Phase::Started);
        machine.trace("pnp", format_args!("{}: in D0", node.name));
        Ok(())
    }

    /// The interrupts that a device was assigned last, in order of their messages; also of a device that is gone.
    pub fn interrupts(&self, device: DeviceId) -> Vec<InterruptReport> {
        find_node(self.machine(), device).map_or_else(
            |_| Vec::new(),
            |node| node.with_assignment(Assignment::reports),
        )
    }

    /// The requirements list that a device's bus makes for it, an `IO_RESOURCE_REQUIREMENTS_LIST`.
    pub fn requirements(&self, device: DeviceId) -> Result<Vec<u8>, sys::NTSTATUS> {
        let node = find_node(self.machine(), device)?;
        Ok(to_bytes(&node.requirements().encode()))
    }

    /// What a device would be given for `requirements`, an `IO_RESOURCE_REQUIREMENTS_LIST`; `None` if no alternative can be satisfied.
    /// The device keeps what it has, which is not in the way.
    ///
    /// # Errors
    ///
    /// `STATUS_INVALID_PARAMETER` if the list is not whole; then [`violation::LIST`] is recorded, too.
    pub fn arbitrate(
        &self,
        device: DeviceId,
        requirements: &[u8],
    ) -> Result<Option<Arbitration>, sys::NTSTATUS> {
        let machine = self.machine();
        let node = find_node(machine, device)?;
        let (words, _) = requirements.as_chunks();
        let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let requirements = decode(machine, &node, &words)?;
        let mut vectors = Vectors::new(&machine.config);
        let assignment = arbiter::assign(machine, &node, &requirements, &mut vectors);
        Ok(assignment.map(|assignment| Arbitration {
            interrupts: assignment.reports(),
            raw: to_bytes(&encode_assigned(requirements.interface, &assignment.raw)),
            translated: to_bytes(&encode_assigned(
                requirements.interface,
                &assignment.translated,
            )),
        }))
    }

    /// How many references there are to the device's object, also if it is gone; 0 if it was never there.
    pub fn references(&self, device: DeviceId) -> isize {
        nodes(self.machine())
            .iter()
            .find(|node| node.id == device.0)
            .map_or(0, |node| node.references().load(Ordering::Relaxed))
    }

    /// Interrupts of a device that came while nobody was connected, and were dropped.
    pub fn dropped_interrupts(&self, device: DeviceId) -> u64 {
        find_node(self.machine(), device).map_or(0, |node| node.dropped())
    }
}

/// A new device of which the driver was told, and the right to change its phase.
fn found(
    machine: &Arc<Machine>,
    driver: DriverId,
    config: DeviceConfig,
) -> Result<(Arc<Node>, Option<Change>), sys::NTSTATUS> {
    let driver = find_driver(machine, driver)?;
    let id = machine.pnp.next.fetch_add(1, Ordering::Relaxed);
    machine.trace(
        "pnp",
        format_args!(
            "{}: found, {} messages, {} ranges",
            config.name,
            config.messages,
            config.bars.len()
        ),
    );
    let node = Node::new(machine, id, driver, config);
    machine.pnp.nodes.lock().push(Arc::clone(&node));
    let change = node.change();
    let status = wdf::device::add(machine, &node);
    if !sys::NT_SUCCESS(status) {
        remove(machine, &node);
        return Err(status);
    }
    Ok((node, change))
}

/// A device that is out and whose driver knows, and the right to change its phase.
fn pulled_out(
    machine: &Arc<Machine>,
    device: DeviceId,
) -> Result<(Arc<Node>, Change), sys::NTSTATUS> {
    let node = find_node(machine, device)?;
    node.unplug();
    let change = node.change().ok_or(sys::STATUS_INVALID_DEVICE_STATE)?;
    if node.phase() == Phase::Removed {
        return Err(sys::STATUS_NO_SUCH_DEVICE);
    }
    wdf::power::surprise(machine, &node);
    Ok((node, change))
}

/// Filters, assigns and starts.
fn start(machine: &Arc<Machine>, node: &Arc<Node>) -> Result<(), sys::NTSTATUS> {
    let from_bus = node.requirements().encode();
    let asked = wdf::power::filter(machine, node, from_bus)?;
    let requirements = decode(machine, node, &asked)?;
    machine.trace(
        "pnp",
        format_args!("{}: asks for {}", node.name, summary(&requirements)),
    );
    let assignment = {
        let mut vectors = machine.pnp.vectors.lock();
        arbiter::assign(machine, node, &requirements, &mut vectors)
    };
    let Some(assignment) = assignment else {
        machine.trace(
            "pnp",
            format_args!("{}: no alternative can be satisfied", node.name),
        );
        return Err(sys::STATUS_DEVICE_CONFIGURATION_ERROR);
    };
    node.set_assignment(assignment);
    let status = wdf::power::start(machine, node);
    if !sys::NT_SUCCESS(status) {
        machine.trace(
            "pnp",
            format_args!(
                "{}: start failed with 0x{:08X}",
                node.name,
                status.cast_unsigned()
            ),
        );
        return Err(status);
    }
    node.set_phase(Phase::Started);
    machine.trace("pnp", format_args!("{}: started", node.name));
    Ok(())
}

fn decode(machine: &Machine, node: &Node, words: &[u32]) -> Result<Requirements, sys::NTSTATUS> {
    Requirements::decode(words).map_err(|problem| {
        machine.violated(
            &violation::LIST,
            format_args!("the requirements of {}: {problem}", node.name),
        );
        sys::STATUS_INVALID_PARAMETER
    })
}

fn to_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn summary(requirements: &Requirements) -> String {
    let one = |list: &Vec<IoDescriptor>| {
        let interrupts = list.iter().filter(|descriptor| descriptor.is_interrupt());
        let (messages, lines): (Vec<&IoDescriptor>, Vec<&IoDescriptor>) =
            interrupts.partition(|descriptor| descriptor.is_message());
        let policies = messages
            .iter()
            .chain(&lines)
            .filter(|descriptor| descriptor.has_policy())
            .count();
        format!(
            "{} messages, {} lines, {policies} with a policy",
            messages.len(),
            lines.len()
        )
    };
    requirements
        .alternatives
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .join("; or ")
}

fn remove(machine: &Arc<Machine>, node: &Arc<Node>) {
    wdf::power::remove(machine, node);
    node.leave_bus(machine);
    machine.trace("pnp", format_args!("{}: removed", node.name));
}

/// Removes a device that its driver called failed.
pub(crate) fn tear_down(machine: &Arc<Machine>, node: &Arc<Node>) {
    let Some(_change) = node.change() else { return };
    if node.phase() != Phase::Removed {
        wdf::power::surprise(machine, node);
        remove(machine, node);
    }
}

fn in_phase(node: &Node, phase: Phase) -> Result<(), sys::NTSTATUS> {
    match node.phase() {
        Phase::Removed => Err(sys::STATUS_NO_SUCH_DEVICE),
        now if now == phase => Ok(()),
        _ => Err(sys::STATUS_INVALID_DEVICE_STATE),
    }
}

/// The drivers that are loaded.
pub(crate) fn drivers(machine: &Machine) -> Vec<Arc<Driver>> {
    machine.pnp.drivers.lock().clone()
}

fn nodes(machine: &Machine) -> Vec<Arc<Node>> {
    machine.pnp.nodes.lock().clone()
}

fn find_driver(machine: &Machine, id: DriverId) -> Result<Arc<Driver>, sys::NTSTATUS> {
    drivers(machine)
        .into_iter()
        .find(|driver| driver.id == id.0)
        .ok_or(sys::STATUS_INVALID_HANDLE)
}

pub(crate) fn find_node(machine: &Machine, id: DeviceId) -> Result<Arc<Node>, sys::NTSTATUS> {
    nodes(machine)
        .into_iter()
        .find(|node| node.id == id.0)
        .ok_or(sys::STATUS_NO_SUCH_DEVICE)
}

/// The driver whose driver object is at `object`.
pub(crate) fn driver_of(machine: &Machine, object: usize) -> Option<Arc<Driver>> {
    drivers(machine)
        .into_iter()
        .find(|driver| driver.object().addr() == object)
}

/// The driver whose code the innermost of a thread's callbacks is, as far as that can be told; 0 if it cannot.
pub(crate) fn driver_in(thread: &Thread) -> u64 {
    let machine = &thread.machine;
    let driver = thread.find_frame(|frame| match frame.owner {
        Owner::Module(party) => Some(party.driver()).filter(|driver| *driver != 0),
        Owner::Name(name) => {
            let by_key = drivers(machine)
                .into_iter()
                .find(|driver| [driver.object().addr(), driver.handle()].contains(&frame.key));
            let by_device = || {
                let nodes = nodes(machine);
                let node = nodes.iter().find(|node| node.name == name)?;
                Some(node.driver.id)
            };
            by_key.map(|driver| driver.id).or_else(by_device)
        }
    });
    driver.unwrap_or(0)
}

/// The driver, if there is just one.
pub(crate) fn only_driver(machine: &Machine) -> Option<Arc<Driver>> {
    match drivers(machine).as_slice() {
        [driver] => Some(Arc::clone(driver)),
        _ => None,
    }
}

/// Takes a driver out of the list, after a look at what it left.
fn forget(machine: &Arc<Machine>, driver: &Arc<Driver>) {
    wdf::driver::check_gone(machine, driver);
    netio::driver_gone(machine, driver.id, &driver.name);
    machine
        .pnp
        .drivers
        .lock()
        .retain(|known| known.id != driver.id);
}

/// The messages that a device has; `None` if `pdo` is no physical device object of this machine.
pub(crate) fn message_count(machine: &Arc<Machine>, pdo: *mut sys::DEVICE_OBJECT) -> Option<u32> {
    let node = nodes(machine)
        .into_iter()
        .find(|node| node.pdo() == pdo && node.phase() != Phase::Removed)?;
    Some(node.messages)
}

pub(crate) fn leaks(machine: &Arc<Machine>, leaks: &mut Vec<Leak>) {
    for node in nodes(machine)
        .iter()
        .filter(|node| node.phase() != Phase::Removed)
    {
        leaks.push(Leak {
            kind: "device",
            detail: format!("{} of {}, {:?}", node.name, node.driver.name, node.phase()),
        });
    }
    for node in nodes(machine) {
        let references = node.references().load(Ordering::Relaxed);
        if references != 0 {
            leaks.push(Leak {
                kind: "device object",
                detail: format!("{references} references to {}", node.name),
            });
        }
    }
    for driver in drivers(machine) {
        leaks.push(Leak {
            kind: "driver",
            detail: driver.name.clone(),
        });
    }
}

/// Devices no longer interrupt, and the framework's threads end. What is left stays for [`leaks`].
pub(crate) fn shutdown(machine: &Arc<Machine>) {
    for node in nodes(machine) {
        node.silence();
    }
    wdf::stop(machine);
}
