//! Delivery: from a device's signal to the service routine on a processor.
//!
//! # Design
//!
//! A [`Vector`] is one assigned interrupt. It knows where it may go and who serves it while connected. A message is
//! delivered once for each time it was sent, so counts do not depend on timing; an interrupt controller would merge those
//! that wait, which is done here beyond [`WAITING_LIMIT`]. A line is delivered again as long as it is asserted, one delivery
//! at a time. It is held to be broken, and masked until it is deasserted, when nobody claims it for [`UNCLAIMED_LIMIT`]
//! times in a row, or when it stays asserted through [`STUCK_LIMIT`] deliveries. What arrives while nobody is connected is
//! dropped and counted, except that a line which is still asserted is seen when somebody connects.
//!
//! Of several processors the lowest takes the interrupt if the machine's seed is 0 or 1; with another seed each delivery
//! goes to the next one, and the seed says which is first.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::{fmt, mem};

use crate::ke;
use crate::kernel::{self, Machine};
use crate::platform::Mutex;
use crate::pnp::node::Node;
use crate::pnp::{InterruptReport, violation};

/// How often a line is served in a row without anybody claiming it.
pub(crate) const UNCLAIMED_LIMIT: u32 = 100;

/// How many deliveries a line may stay asserted through.
pub(crate) const STUCK_LIMIT: u32 = 10_000;

/// How many of one message wait to be served.
const WAITING_LIMIT: u32 = 10_000;

/// The processors of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Targets {
    pub(crate) group: u16,
    pub(crate) mask: u64,
}

impl Targets {
    /// Their numbers in a machine with groups of this size.
    pub(crate) fn processors(self, group_size: u32) -> Vec<u32> {
        let first = u32::from(self.group) * group_size;
        (0..64)
            .filter(|bit| self.mask & 1 << bit != 0)
            .map(|bit| first + bit)
            .collect()
    }
}

/// Serves an interrupt and says whether the device interrupted.
pub(crate) type Handler = Box<dyn Fn() -> bool + Send + Sync>;

/// One assigned interrupt.
pub(crate) struct Vector {
    /// The message's number; `None` for the line.
    pub(crate) message: Option<u32>,
    pub(crate) vector: u32,
    pub(crate) irql: u8,
    /// The processors that it may go to, as numbers in the machine.
    pub(crate) processors: Vec<u32>,
    device: Weak<Node>,
    machine: Weak<Machine>,
    /// What a processor runs.
    service: Arc<dyn Fn() + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    handler: Option<Arc<Handler>>,
    /// Message: deliveries under way that have not begun.
    waiting: u32,
    /// Message: whether one was ever merged with these.
    merged: bool,
    /// Line: whether the device wants service.
    asserted: bool,
    /// Line: whether a delivery is under way.
    queued: bool,
    /// Line: deliveries in a row that nobody claimed.
    unclaimed: u32,
    /// Line: deliveries since it was deasserted.
    served: u32,
    deliveries: u64,
    delivered: BTreeMap<u32, u64>,
    dropped: u64,
}

impl Vector {
    pub(crate) fn new(
        machine: &Arc<Machine>,
        device: &Arc<Node>,
        message: Option<u32>,
        vector: u32,
        irql: u8,
        targets: Targets,
    ) -> Arc<Self> {
        Arc::new_cyclic(|own: &Weak<Self>| {
            let own = own.clone();
            Self {
                message,
                vector,
                irql,
                processors: targets.processors(machine.config.group_size),
                device: Arc::downgrade(device),
                machine: Arc::downgrade(machine),
                service: Arc::new(move || {
                    if let Some(vector) = own.upgrade() {
                        vector.serve();
                    }
                }),
                state: Mutex::default(),
            }
        })
    }

    /// From here on `handler` serves the interrupt.
    pub(crate) fn connect(&self, handler: Handler) {
        let mut state = self.state.lock();
        state.handler = Some(Arc::new(handler));
        state.unclaimed = 0;
        state.served = 0;
        self.deliver_line(&mut state);
    }

    /// From here on nobody does. A delivery may still be in its handler, which has its own gate.
    pub(crate) fn disconnect(&self) {
        let handler = self.state.lock().handler.take();
        drop(handler);
    }

    /// The device sent the message.
    pub(super) fn raise(&self) {
        let mut state = self.state.lock();
        if state.handler.is_none() || self.message.is_none() {
            state.dropped += 1;
        } else if state.waiting < WAITING_LIMIT {
            state.waiting += 1;
            self.deliver(&mut state);
        } else {
            let first = !mem::replace(&mut state.merged, true);
            drop(state);
            if first && let Some(machine) = self.machine.upgrade() {
                machine.trace(
                    "pnp",
                    format_args!(
                        "{}: {WAITING_LIMIT} messages wait at vector 0x{:X}, more are merged with them",
                        self.device_name(),
                        self.vector
                    ),
                );
            }
        }
    }

    fn device_name(&self) -> String {
        let device = self.device.upgrade();
        device.map_or_else(String::new, |device| device.name.clone())
    }

    /// The device asserts its line or not.
    pub(super) fn line(&self, asserted: bool) {
        let mut state = self.state.lock();
        if asserted && !state.asserted && state.handler.is_none() {
            state.dropped += 1;
        }
        state.asserted = asserted;
        if !asserted {
            state.unclaimed = 0;
            state.served = 0;
        }
        self.deliver_line(&mut state);
    }

    /// Delivers the line if it is to be delivered.
    fn deliver_line(&self, state: &mut State) {
        let wanted = state.asserted && self.message.is_none() && state.handler.is_some();
        if wanted
            && !state.queued
            && state.unclaimed < UNCLAIMED_LIMIT
            && state.served < STUCK_LIMIT
        {
            state.queued = true;
            self.deliver(state);
        }
    }

    fn deliver(&self, state: &mut State) {
        let Some(machine) = self.machine.upgrade() else {
            return;
        };
        let turn = match machine.config.seed {
            0 | 1 => 0,
            seed => seed.wrapping_add(state.deliveries),
        };
        state.deliveries += 1;
        let processor = self.processors[(turn % self.processors.len() as u64) as usize];
        ke::interrupt(&machine, processor, self.irql, Arc::clone(&self.service));
    }

    /// Runs on the processor, at the interrupt's level.
    fn serve(&self) {
        let processor = kernel::current().processor.get();
        let handler = {
            let mut state = self.state.lock();
            if self.message.is_some() {
                state.waiting -= 1;
            }
            let handler = state.handler.clone();
            if handler.is_some() {
                *state.delivered.entry(processor).or_default() += 1;
            } else {
                state.dropped += 1;
            }
            handler
        };
        let claimed = handler.is_some_and(|handler| handler());
        if self.message.is_some() {
            return;
        }
        let mut state = self.state.lock();
        state.queued = false;
        if claimed || !state.asserted || state.handler.is_none() {
            state.unclaimed = 0;
        } else {
            state.unclaimed += 1;
        }
        if state.asserted {
            state.served += 1;
        }
        let broken = if state.unclaimed == UNCLAIMED_LIMIT {
            Some((&violation::UNCLAIMED, "was not claimed", UNCLAIMED_LIMIT))
        } else if state.served == STUCK_LIMIT {
            Some((&violation::STUCK, "stayed asserted", STUCK_LIMIT))
        } else {
            None
        };
        self.deliver_line(&mut state);
        drop(state);
        if let Some((rule, what, times)) = broken {
            let name = self.device_name();
            kernel::machine().violated(
                rule,
                format_args!(
                    "the line of {name}, vector 0x{:X}, {what} {times} times",
                    self.vector
                ),
            );
        }
    }

    pub(super) fn report(&self) -> InterruptReport {
        InterruptReport {
            message: self.message,
            vector: self.vector,
            targets: self.processors.clone(),
            irql: self.irql,
            delivered: self.state.lock().delivered.clone(),
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.state.lock().dropped
    }
}

/// How a device model interrupts. Put a clone into [`DeviceConfig::signal`](super::DeviceConfig::signal).
///
/// Every method may be called by any thread, at any time, also under a lock of the model: it only queues.
#[derive(Clone, Default)]
pub struct Signal(Arc<Mutex<Weak<Node>>>);

impl Signal {
    /// A signal that belongs to no device yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends message `message`. A message that the device was not granted goes to message 0, as the entries of an MSI-X
    /// table do that have no message of their own. While 10 000 wait to be served, one more is merged with them.
    pub fn raise(&self, message: u32) {
        if let Some(device) = self.device() {
            device.raise(message);
        }
    }

    /// Asserts the line or not. While it is asserted, the service routine is called again and again.
    pub fn line(&self, asserted: bool) {
        if let Some(device) = self.device() {
            device.line(asserted);
        }
    }

    fn device(&self) -> Option<Arc<Node>> {
        self.0.lock().upgrade()
    }

    pub(super) fn attach(&self, device: &Arc<Node>) {
        *self.0.lock() = Arc::downgrade(device);
    }

    pub(super) fn detach(&self) {
        *self.0.lock() = Weak::new();
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signal")
            .field("attached", &self.device().is_some())
            .finish()
    }
}
