//! A device node: the physical device object, what the bus knows of the device, and where it is in its life.
//!
//! # Safety
//!
//! The unsafe code of this file frees the physical device object, which `Node::new` made from a box and nobody else
//! frees. It lives as long as the [`Node`]; the kernel itself does not look into it.
#![expect(unsafe_code, reason = "owns a C structure that drivers see by address")]

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering};

use nmr_netdma::sys;

use crate::kernel::{self, Machine};
use crate::mm::{self, Registers};
use crate::platform::{Condvar, Mutex};
use crate::pnp::arbiter::Assignment;
use crate::pnp::descriptors::{INTERFACE_PCI, IoDescriptor, OPTION_ALTERNATIVE, Requirements};
use crate::pnp::driver::Driver;
use crate::pnp::interrupt::Signal;
use crate::pnp::{DeviceConfig, Layout, RegistryPolicy, violation};

/// Where a device is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Added, not started, or start failed.
    Added,
    /// In D0.
    Started,
    /// In D3; its resources are kept.
    Asleep,
    /// Stopped, to be started with other resources.
    Stopped,
    /// Gone.
    Removed,
}

/// One device.
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) driver: Arc<Driver>,
    /// Messages that the hardware has.
    pub(crate) messages: u32,
    pub(crate) layout: Layout,
    pub(crate) policy: Option<RegistryPolicy>,
    pub(crate) signal: Signal,
    pdo: *mut sys::DEVICE_OBJECT,
    granted: Mutex<Option<u32>>,
    bars: Vec<Range>,
    /// Its WDFDEVICE, or 0.
    device: AtomicUsize,
    state: Mutex<Life>,
    idle: Condvar,
    assignment: Mutex<Assignment>,
    /// The hardware does not interrupt any more.
    silent: AtomicBool,
    /// Interrupts that came while it had no vectors.
    dropped: AtomicU64,
    /// References to its device object.
    references: AtomicIsize,
}

struct Life {
    phase: Phase,
    /// The thread that changes the phase.
    busy: Option<usize>,
    /// The driver called it broken.
    failed: bool,
}

/// A range of registers that the bus has placed.
struct Range {
    physical: u64,
    length: usize,
    gate: Arc<Gate>,
}

/// The registers of a device that may be pulled out: then they read as all ones.
struct Gate {
    model: Arc<dyn Registers>,
    gone: AtomicBool,
}

impl Registers for Gate {
    fn read(&self, offset: usize) -> u32 {
        // CAST: four bytes.
        self.read_bytes(offset, 4) as u32
    }

    fn write(&self, offset: usize, value: u32) {
        self.write_bytes(offset, 4, value.into());
    }

    fn read_bytes(&self, offset: usize, bytes: usize) -> u64 {
        if self.gone.load(Ordering::Relaxed) {
            u64::MAX
        } else {
            self.model.read_bytes(offset, bytes)
        }
    }

    fn write_bytes(&self, offset: usize, bytes: usize, value: u64) {
        if !self.gone.load(Ordering::Relaxed) {
            self.model.write_bytes(offset, bytes, value);
        }
    }
}

// SAFETY: `pdo` owns what it points to, and no method gives access to it but as a raw pointer.
unsafe impl Send for Node {}
// SAFETY: as for `Send`; the other members are locked, atomic or do not change.
unsafe impl Sync for Node {}

impl Node {
    /// A device on the bus: its registers are placed and its signal is wired.
    pub(crate) fn new(
        machine: &Arc<Machine>,
        id: u64,
        driver: Arc<Driver>,
        config: DeviceConfig,
    ) -> Arc<Self> {
        let bars = config
            .bars
            .into_iter()
            .map(|bar| {
                let gate = Arc::new(Gate {
                    model: bar.model,
                    gone: AtomicBool::new(false),
                });
                let physical =
                    mm::register_bar(machine, bar.length, Arc::clone(&gate) as Arc<dyn Registers>);
                Range {
                    physical,
                    length: bar.length,
                    gate,
                }
            })
            .collect();
        let node = Arc::new(Self {
            id,
            name: config.name,
            driver,
            messages: match config.layout {
                Layout::Root => 0,
                _ => config.messages,
            },
            layout: config.layout,
            policy: config.policy,
            signal: config.signal,
            pdo: device_object(),
            granted: Mutex::new(config.granted),
            bars,
            device: AtomicUsize::new(0),
            state: Mutex::new(Life {
                phase: Phase::Added,
                busy: None,
                failed: false,
            }),
            idle: Condvar::new(),
            assignment: Mutex::default(),
            silent: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            references: AtomicIsize::new(0),
        });
        node.signal.attach(&node);
        node
    }

    pub(crate) fn pdo(&self) -> *mut sys::DEVICE_OBJECT {
        self.pdo
    }

    /// References to the device object.
    pub(crate) fn references(&self) -> &AtomicIsize {
        &self.references
    }

    pub(crate) fn device(&self) -> usize {
        self.device.load(Ordering::Relaxed)
    }

    pub(crate) fn set_device(&self, handle: usize) {
        self.device.store(handle, Ordering::Relaxed);
    }

    pub(crate) fn granted(&self) -> Option<u32> {
        *self.granted.lock()
    }

    pub(crate) fn set_granted(&self, granted: Option<u32>) {
        *self.granted.lock() = granted;
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.state.lock().phase = phase;
    }

    /// Marks the device as failed; whether it was not before.
    pub(crate) fn set_failed(&self) -> bool {
        !core::mem::replace(&mut self.state.lock().failed, true)
    }

    /// Makes the calling thread the only one that changes the device's phase, until the result is dropped.
    pub(crate) fn change(self: &Arc<Self>) -> Option<Change> {
        let thread = kernel::current().id as usize;
        let mut state = self.state.lock();
        while let Some(busy) = state.busy {
            if busy == thread {
                drop(state);
                kernel::machine().violated(
                    &violation::REENTERED,
                    format_args!(
                        "{} is asked for another change of state by the thread that changes it",
                        self.name
                    ),
                );
                return None;
            }
            state = self.idle.wait(state);
        }
        state.busy = Some(thread);
        Some(Change(Arc::clone(self)))
    }

    /// What the bus driver says that the device needs.
    pub(crate) fn requirements(&self) -> Requirements {
        let bars = || {
            self.bars
                .iter()
                .map(|bar| IoDescriptor::memory(bar.physical, bar.length as u32))
        };
        let messages: Vec<_> = match (self.layout, self.messages) {
            (_, 0) => Vec::new(),
            (Layout::Msi, count) => alloc::vec![IoDescriptor::messages_together(count)],
            (_, count) => (0..count).map(|_| IoDescriptor::message()).collect(),
        };
        let mut alternatives = alloc::vec![];
        if self.layout == Layout::Root {
            return Requirements::default();
        }
        if messages.is_empty() || self.layout == Layout::LineApart {
            alternatives.push(bars().chain([IoDescriptor::line(0)]).collect());
        }
        if !messages.is_empty() {
            let line =
                (self.layout != Layout::LineApart).then(|| IoDescriptor::line(OPTION_ALTERNATIVE));
            alternatives.insert(0, bars().chain(messages).chain(line).collect());
        }
        if let Some(policy) = self.policy {
            let interrupts = alternatives
                .iter_mut()
                .flatten()
                .filter(|descriptor: &&mut IoDescriptor| descriptor.is_interrupt());
            for interrupt in interrupts {
                interrupt.set_policy(policy.policy, 0, policy.priority, policy.processors);
            }
        }
        Requirements {
            interface: INTERFACE_PCI,
            bus: 0,
            slot: self.id as u32,
            alternatives,
        }
    }

    /// Lets `body` look at what the device was given.
    pub(crate) fn with_assignment<R>(&self, body: impl FnOnce(&Assignment) -> R) -> R {
        body(&self.assignment.lock())
    }

    pub(crate) fn set_assignment(&self, assignment: Assignment) {
        *self.assignment.lock() = assignment;
    }

    /// Gives the vectors back; the record of who took them stays.
    pub(crate) fn release_vectors(&self, machine: &Machine) {
        let mut assignment = self.assignment.lock();
        let mut vectors = machine.pnp.vectors.lock();
        // The lists say whether the vectors are still held.
        if !core::mem::take(&mut assignment.translated).is_empty() {
            assignment.raw.clear();
            for vector in &assignment.vectors {
                vectors.release(vector);
            }
        }
    }

    pub(super) fn raise(&self, message: u32) {
        let vector = self.with_assignment(|assignment| {
            let messages = assignment
                .vectors
                .iter()
                .filter(|vector| vector.message.is_some());
            messages
                .clone()
                .nth(message as usize)
                .or_else(|| messages.clone().next())
                .cloned()
        });
        match vector {
            Some(vector) => vector.raise(),
            None => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn line(&self, asserted: bool) {
        // Under the lock, so that an assertion that is late is not seen after the silence.
        self.with_assignment(|assignment| {
            let asserted = asserted && !self.silent.load(Ordering::Relaxed);
            if let Some(vector) = assignment
                .vectors
                .iter()
                .find(|vector| vector.message.is_none())
            {
                vector.line(asserted);
            }
        });
    }

    pub(super) fn dropped(&self) -> u64 {
        let vectors = self.with_assignment(|assignment| {
            assignment
                .vectors
                .iter()
                .map(|vector| vector.dropped())
                .sum::<u64>()
        });
        vectors + self.dropped.load(Ordering::Relaxed)
    }

    /// The hardware no longer interrupts. A line that it asserts is deasserted: the model cannot do it any more.
    pub(super) fn silence(&self) {
        self.silent.store(true, Ordering::Relaxed);
        // While the model can still be heard, what it says of its line is taken for deasserted. After that it cannot be heard.
        self.line(false);
        self.signal.detach();
    }

    /// The hardware is pulled out: registers read as all ones and nothing interrupts.
    pub(crate) fn unplug(&self) {
        self.silence();
        for bar in &self.bars {
            bar.gate.gone.store(true, Ordering::Relaxed);
        }
    }

    /// The device is no longer on the bus.
    pub(crate) fn leave_bus(&self, machine: &Arc<Machine>) {
        self.unplug();
        for bar in &self.bars {
            mm::remove_bar(machine, bar.physical);
        }
        self.release_vectors(machine);
        self.set_phase(Phase::Removed);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY: `new` made the pointer from a box, and only this takes it back.
        drop(unsafe { Box::from_raw(self.pdo) });
    }
}

/// A new device object, as far as the kernel fills it.
pub(crate) fn device_object() -> *mut sys::DEVICE_OBJECT {
    Box::into_raw(Box::new(sys::DEVICE_OBJECT {
        Type: 3,
        Size: size_of::<sys::DEVICE_OBJECT>() as u16,
        ReferenceCount: 1,
        StackSize: 1,
        ..Default::default()
    }))
}

/// The right to change a device's phase.
pub(crate) struct Change(Arc<Node>);

impl Drop for Change {
    fn drop(&mut self) {
        self.0.state.lock().busy = None;
        self.0.idle.notify_all();
    }
}
