//! [`Lane`]: what belongs to one channel of the device, whoever has it allocated.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use nmr_netdma::irql::{self, AtMostDispatch, Dispatch, Passive};
use nmr_netdma::kmdf::{Dpc, Image, ProcessorSet, Shared, SpinLock};
use nmr_netdma::netdma::affinity::ActiveProcessors;
use nmr_netdma::netdma::{Cursor, Link, Processors, TransferStatus};
use nmr_netdma::{Error, Irql, Result};

use super::notifier::{self, Notifier};
use super::worker::Worker;
use crate::hardware::Hardware;
use crate::statistics::Counters;

/// What belongs to one channel of the device, whoever has it allocated.
pub(crate) struct Lane {
    pub(super) work: Dpc<Worker>,
    notify: Shared<Dpc<Notifier>>,
    /// The message that it sends.
    message: AtomicU32,
    /// The processors of group 0 that take that message, or the line, a bit for each.
    targets: AtomicU64,
}

/// What a lane's DPCs share.
///
/// Aligned so that no line of a cache is shared with another lane.
#[repr(align(64))]
pub(super) struct LaneState {
    pub(super) link: Link,
    pub(super) list: SpinLock<List>,
    /// The descriptor that was done last, by its physical address; 0 if none was.
    pub(super) completed: AtomicU64,
    /// The channel halted, and NetDMA has not been told. Changed under the lock of the list, or when it is told.
    pub(super) halted: AtomicBool,
    /// Numbers the allocations of the channel, from 1.
    pub(super) allocation: AtomicU64,
    /// The allocation whose interrupt is to be told to NetDMA; 0 if none is.
    pub(super) rang: AtomicU64,
    /// The processor that NetDMA wants to be told on.
    pub(super) wanted: AtomicU32,
    pub(super) counters: Counters,
}

/// What is to be done, and who is doing it.
#[derive(Default)]
pub(super) struct List {
    pub(super) cursor: Cursor,
    /// How often a list was begun.
    pub(super) generation: u64,
    /// A worker has taken a descriptor off and will come back.
    pub(super) at_work: bool,
    /// How often a worker came for a descriptor. What it had before is done then.
    pub(super) visits: u64,
    /// NetDMA wants nothing to be taken off.
    pub(super) suspended: bool,
    /// A descriptor could not be done, and no list was begun since.
    pub(super) halted: bool,
}

impl List {
    /// Drops what is left.
    pub(super) fn give_up(&mut self) {
        self.generation += 1;
        self.suspended = false;
        self.halted = false;
        self.cursor.clear();
    }
}

impl LaneState {
    /// Has no more descriptors taken off by `stop`, waits for the one in progress, and publishes `status`; not if the channel has
    /// halted meanwhile, which is what NetDMA has to learn. Whether it did.
    ///
    /// The wait is for one descriptor, done by another processor or by a DPC that interrupts this one: a DPC is
    /// not interrupted by a caller on its own processor.
    pub(super) fn quiesce(
        &self,
        irql: &mut Irql<AtMostDispatch>,
        status: TransferStatus,
        stop: impl FnOnce(&mut List),
    ) -> bool {
        let visits = self.list.with(irql, |list, _| {
            stop(list);
            list.visits
        });
        let publish = |list: &mut List, irql: &mut Irql<Dispatch>| {
            if list.at_work && list.visits == visits {
                return None;
            }
            if list.halted {
                list.suspended = false;
            } else if let Some(link) = self.link.open(irql) {
                link.publish(self.completed.load(Ordering::Acquire), status);
            }
            Some(!list.halted)
        };
        loop {
            if let Some(published) = self.list.with(irql, publish) {
                return published;
            }
            core::hint::spin_loop();
        }
    }
}

impl Lane {
    pub(super) fn new(
        image: &Image,
        index: u32,
        hardware: Shared<Hardware>,
        irql: &mut Irql<Passive>,
    ) -> Result<Self> {
        let state = LaneState {
            link: Link::new(irql)?,
            list: SpinLock::new(List::default()),
            completed: AtomicU64::new(0),
            halted: AtomicBool::new(false),
            allocation: AtomicU64::new(1),
            rang: AtomicU64::new(0),
            wanted: AtomicU32::new(0),
            counters: Counters::default(),
        };
        let state = Shared::try_new(state, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        let notify = Dpc::new(image, Notifier::new(state.clone()), irql)?;
        let notify = Shared::try_new(notify, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        let worker = Worker::new(index, state, notify.clone(), hardware);
        Ok(Self {
            work: Dpc::new(image, worker, irql)?,
            notify,
            message: AtomicU32::new(0),
            targets: AtomicU64::new(0),
        })
    }

    /// Has it interrupt by `message`, which the processors `targets` of group 0 take.
    pub(super) fn assign(&self, message: u32, targets: u64) {
        self.message.store(message, Ordering::Relaxed);
        self.targets.store(targets, Ordering::Relaxed);
    }

    pub(super) fn message(&self) -> u32 {
        self.message.load(Ordering::Relaxed)
    }

    pub(super) fn state(&self) -> &LaneState {
        self.work.routine().state()
    }

    /// The processors that take the channel's interrupt and are among `processors`.
    pub(super) fn common(&self, processors: Processors) -> u64 {
        if processors.group == 0 {
            self.targets.load(Ordering::Relaxed) & processors.mask
        } else {
            0
        }
    }

    /// Chooses the processor to work on for a client that wants one of `processors`, and works there from now on.
    pub(super) fn aim(&self, processors: Processors) -> Result<u32> {
        let targets = self.targets.load(Ordering::Relaxed);
        let active = ActiveProcessors::query_group_0();
        // Where the interrupt goes, if that is where the client wants it; where the client wants it; where the interrupt goes.
        let wanted = if processors.group == 0 {
            processors.mask
        } else {
            0
        };
        let choice = [self.common(processors), wanted, targets]
            .into_iter()
            .find_map(|mask| active.first_of(ProcessorSet { group: 0, mask }));
        let processor = choice.unwrap_or(0);
        self.work.set_target_processor(processor)?;
        self.notify.set_target_processor(processor)?;
        self.state().wanted.store(processor, Ordering::Relaxed);
        Ok(processor)
    }

    /// Tells NetDMA of an interrupt, and queues the rest of the work where NetDMA says.
    pub(crate) fn notify_from_isr(&self, irql: &mut Irql<irql::Device>) {
        notifier::notify(self.state(), &self.notify, irql);
    }
}
