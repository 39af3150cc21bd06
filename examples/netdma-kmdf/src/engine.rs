//! The engine: a provider whose channels are copied for by software.
//!
//! Each channel of the device has a [`Lane`], which outlives its allocations: the list of descriptors, a DPC that works it off, and a DPC
//! that tells NetDMA of its interrupts. A [`Channel`] is what NetDMA has allocated, and no more than the lane's number.
//!
//! # Design
//!
//! * **Work is done in a DPC, in slices,** so that neither the submitter nor a processor is held up for long.
//! * **One at a time.** A DPC can be queued again while it runs, and then run on two processors. Who takes a descriptor off the list
//!   holds the list's lock for that moment and says that it is at work; who finds that said, leaves. Descriptors are therefore done in
//!   order and once.
//! * **Suspend, abort and reset wait for the descriptor in progress,** which is never long, so that nothing is written
//!   after they return.
//! * **Without interrupts the work does what the service routine does,** at a device's level, as NetDMA wants it.
//! * **The lock covers the list, not the copying.** Two channels share nothing that is written.

use core::mem::replace;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use nmr_netdma::irql::{self, AtMostDispatch, Dispatch, Passive};
use nmr_netdma::kmdf::memory::DescriptorReader;
use nmr_netdma::kmdf::{
    Dpc, DpcHandle, DpcRoutine, Image, ProcessorSet, Resources, Shared, SpinLock,
    current_processor, debug_print, memory,
};
use nmr_netdma::netdma::affinity::ActiveProcessors;
use nmr_netdma::netdma::{
    self, Affinities, Allocated, Chain, ChannelParameters, ControlFlags, Cursor, Link, OpenLink,
    Optional, Plan, Processors, Provider, TextOverHeader, Transfer, TransferStatus, Work,
};
use nmr_netdma::{Error, Irql, Result};
use spin::Once;

use crate::hardware::Hardware;
use crate::statistics::{Counters, Statistics};

/// The most channels that the device can have: its status register has a bit for each.
pub const MAXIMUM_CHANNELS: u32 = 32;

/// The most bytes of one descriptor.
pub const MAXIMUM_TRANSFER_SIZE: u32 = 64 * 1024;

/// How many descriptors one run of the DPC does at most.
const SLICE_DESCRIPTORS: u32 = 64;
/// After how many bytes one run of the DPC ends.
const SLICE_BYTES: u32 = 256 * 1024;

/// The provider.
pub(crate) struct CopyEngine {
    lanes: Shared<Lanes>,
    /// Set if NetDMA says where it wants interrupts.
    plan: Once<Plan>,
    /// The channels that are allocated, a bit for each.
    allocated: AtomicU32,
}

/// A channel that NetDMA has allocated.
pub(crate) struct Channel {
    index: u32,
}

impl CopyEngine {
    pub(crate) fn new(lanes: Shared<Lanes>) -> Self {
        Self {
            lanes,
            plan: Once::new(),
            allocated: AtomicU32::new(0),
        }
    }

    /// Where NetDMA wants interrupts, as far as it says.
    pub(crate) fn plan(&self) -> &Plan {
        static UNASKED: Plan = Plan::unasked(MAXIMUM_CHANNELS);
        self.plan.get().unwrap_or(&UNASKED)
    }

    /// Takes a free channel, best one whose interrupts go to one of `processors`.
    fn take(&self, processors: Processors) -> Result<u32> {
        let mut allocated = self.allocated.load(Ordering::Relaxed);
        loop {
            let free = |channel: &u32| allocated & 1 << channel == 0;
            let channels = 0..self.lanes.present();
            let near = channels.clone().filter(free).find(|channel| {
                self.lanes
                    .get(*channel)
                    .is_some_and(|lane| lane.common(processors) != 0)
            });
            let channel = near
                .or_else(|| channels.clone().find(free))
                .ok_or(Error::INSUFFICIENT_RESOURCES)?;
            let taken = allocated | 1 << channel;
            match self.allocated.compare_exchange_weak(
                allocated,
                taken,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(channel),
                Err(current) => allocated = current,
            }
        }
    }

    fn give_back(&self, channel: u32) {
        self.allocated.fetch_and(!(1 << channel), Ordering::Release);
    }

    fn lane(&self, channel: u32) -> Result<&Lane> {
        self.lanes.get(channel).ok_or(Error::UNSUCCESSFUL)
    }
}

impl Provider for CopyEngine {
    type Channel = Channel;

    const OPTIONAL: Optional<Self> = {
        let optional = Optional::none().abort().reset();
        if cfg!(feature = "suspend-resume") {
            optional.suspend_resume(TextOverHeader)
        } else {
            optional
        }
    };

    fn set_channel_cpu_affinity(
        &self,
        affinities: Affinities<'_>,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let processors = ActiveProcessors::query(irql);
        self.plan
            .call_once(|| Plan::new(MAXIMUM_CHANNELS, affinities, processors));
        Ok(())
    }

    fn allocate_channel(
        &self,
        parameters: &ChannelParameters,
        _irql: &mut Irql<AtMostDispatch>,
    ) -> Result<Allocated<Channel>> {
        let index = self.take(parameters.processors())?;
        let aimed = self
            .lane(index)
            .and_then(|lane| Ok((lane, lane.aim(parameters.processors())?)));
        let (lane, processor) = aimed.inspect_err(|_| self.give_back(index))?;
        let channel = Channel { index };
        Ok(Allocated {
            channel,
            processor,
            link: lane.state().link.clone(),
        })
    }
}

impl netdma::Channel<CopyEngine> for Channel {
    fn start(
        &self,
        engine: &CopyEngine,
        chain: &Chain,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<()> {
        let lane = engine.lane(self.index)?;
        lane.state().list.with(irql, |list, _| {
            list.generation += 1;
            list.suspended = false;
            list.halted = false;
            list.cursor.start(chain);
            // Of this list nothing is done.
            lane.state().completed.store(0, Ordering::Release);
        });
        lane.work.enqueue();
        Ok(())
    }

    fn append(
        &self,
        engine: &CopyEngine,
        chain: &Chain,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<()> {
        let lane = engine.lane(self.index)?;
        lane.state()
            .list
            .with(irql, |list, _| list.cursor.append(chain))?;
        lane.work.enqueue();
        Ok(())
    }

    fn free(self, engine: &CopyEngine, irql: &mut Irql<AtMostDispatch>) {
        if let Ok(lane) = engine.lane(self.index) {
            lane.state().list.with(irql, |list, _| list.give_up());
            lane.state().completed.store(0, Ordering::Relaxed);
            lane.state().halted.store(false, Ordering::Relaxed);
            lane.state().allocation.fetch_add(1, Ordering::Release);
        }
        engine.give_back(self.index);
    }
}

impl netdma::SuspendResume<CopyEngine> for Channel {
    fn suspend(&self, engine: &CopyEngine, irql: &mut Irql<AtMostDispatch>) -> Result<u64> {
        let state = engine.lane(self.index)?.state();
        let suspended = state.quiesce(irql, TransferStatus::Suspended, |list| {
            if !replace(&mut list.suspended, true) {
                list.cursor.reread_link();
            }
        });
        if !suspended {
            return Err(Error::UNSUCCESSFUL);
        }
        Ok(state.completed.load(Ordering::Acquire))
    }

    fn resume(&self, engine: &CopyEngine, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
        let lane = engine.lane(self.index)?;
        let suspended = lane
            .state()
            .list
            .with(irql, |list, _| replace(&mut list.suspended, false));
        if !suspended {
            return Err(Error::UNSUCCESSFUL);
        }
        lane.work.enqueue();
        Ok(())
    }
}

impl netdma::Abort<CopyEngine> for Channel {
    fn abort(&self, engine: &CopyEngine, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
        let state = engine.lane(self.index)?.state();
        state.quiesce(irql, TransferStatus::Halted, List::give_up);
        Ok(())
    }
}

impl netdma::Reset<CopyEngine> for Channel {
    fn reset(&self, engine: &CopyEngine, irql: &mut Irql<AtMostDispatch>) -> Result<()> {
        let state = engine.lane(self.index)?.state();
        state.quiesce(irql, TransferStatus::Halted, List::give_up);
        state.completed.store(0, Ordering::Release);
        state.halted.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// The lanes of all channels that the device can have, and how their interrupts are laid out.
pub(crate) struct Lanes {
    lanes: [Option<Lane>; MAXIMUM_CHANNELS as usize],
    /// How many channels the device has.
    present: AtomicU32,
    /// How many messages it was granted; 0 if it has the line.
    messages: AtomicU32,
    /// For each message the channels that send it, a bit for each. The line counts as message 0.
    of_message: [AtomicU32; MAXIMUM_CHANNELS as usize],
}

impl Lanes {
    pub(crate) fn new(
        image: &Image,
        hardware: &Shared<Hardware>,
        irql: &mut Irql<Passive>,
    ) -> Result<Self> {
        let mut lanes = [const { None }; MAXIMUM_CHANNELS as usize];
        for (index, lane) in (0..).zip(&mut lanes) {
            *lane = Some(Lane::new(image, index, hardware.clone(), irql)?);
        }
        Ok(Self {
            lanes,
            present: AtomicU32::new(0),
            messages: AtomicU32::new(0),
            of_message: [const { AtomicU32::new(0) }; MAXIMUM_CHANNELS as usize],
        })
    }

    /// Lays the interrupts of `channels` channels out over what the device was granted.
    pub(crate) fn assign(
        &self,
        channels: u32,
        is_software: bool,
        resources: &Resources<'_>,
    ) -> Result<()> {
        // Without an interrupt of the hardware, descriptors that ask for one could not be served.
        if !is_software && resources.interrupts().next().is_none() {
            return Err(Error::DEVICE_CONFIGURATION_ERROR);
        }
        let messages = resources.messages().min(MAXIMUM_CHANNELS);
        let plan = Plan::unasked(channels.min(MAXIMUM_CHANNELS));
        let assignment = plan.assign(messages);
        self.present.store(plan.channels(), Ordering::Relaxed);
        self.messages.store(messages, Ordering::Relaxed);
        for (number, bits) in (0..).zip(&self.of_message) {
            bits.store(
                assignment
                    .channels(number)
                    .fold(0, |bits, channel| bits | 1 << channel),
                Ordering::Relaxed,
            );
        }
        for (number, interrupt) in (0..MAXIMUM_CHANNELS).zip(resources.interrupts()) {
            // DPCs can be aimed at group 0 only.
            let targets = match interrupt.processors.group {
                0 => interrupt.processors.mask,
                _ => 0,
            };
            for lane in assignment
                .channels(number)
                .filter_map(|channel| self.get(channel))
            {
                lane.message.store(number, Ordering::Relaxed);
                lane.targets.store(targets, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Tells the device which channel sends which message.
    pub(crate) fn program(&self, hardware: &Hardware) -> Result<()> {
        if self.messages() == 0 {
            return Ok(());
        }
        for channel in 0..self.present() {
            if let Some(lane) = self.get(channel) {
                hardware.set_message(channel, lane.message.load(Ordering::Relaxed))?;
            }
        }
        Ok(())
    }

    pub(crate) fn present(&self) -> u32 {
        self.present.load(Ordering::Relaxed)
    }

    pub(crate) fn messages(&self) -> u32 {
        self.messages.load(Ordering::Relaxed)
    }

    /// The channels that send `message`, a bit for each.
    pub(crate) fn of_message(&self, message: u32) -> u32 {
        self.of_message
            .get(message as usize)
            .map_or(0, |bits| bits.load(Ordering::Relaxed))
    }

    /// The lanes of `channels`, a bit for each.
    pub(crate) fn of_channels(&self, channels: u32) -> impl Iterator<Item = &Lane> {
        (0..)
            .zip(&self.lanes)
            .filter(move |(index, _)| channels & 1 << index != 0)
            .filter_map(|(_, lane)| lane.as_ref())
    }

    /// What all of them have done.
    pub(crate) fn statistics(&self) -> Statistics {
        let lanes = self.lanes.iter().flatten();
        lanes.map(|lane| lane.state().counters.read()).sum()
    }

    fn get(&self, channel: u32) -> Option<&Lane> {
        self.lanes.get(channel as usize)?.as_ref()
    }
}

/// What belongs to one channel of the device, whoever has it allocated.
pub(crate) struct Lane {
    work: Dpc<Worker>,
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
struct LaneState {
    link: Link,
    list: SpinLock<List>,
    /// The descriptor that was done last, by its physical address; 0 if none was.
    completed: AtomicU64,
    /// The channel halted, and NetDMA has not been told.
    halted: AtomicBool,
    /// Numbers the allocations of the channel, from 1.
    allocation: AtomicU64,
    /// The allocation whose interrupt is to be told to NetDMA; 0 if none is.
    rang: AtomicU64,
    /// The processor that NetDMA wants to be told on.
    wanted: AtomicU32,
    counters: Counters,
}

#[derive(Default)]
struct List {
    cursor: Cursor,
    /// How often a list was begun.
    generation: u64,
    /// A worker has taken a descriptor off and will come back.
    at_work: bool,
    /// How often a worker came for a descriptor. What it had before is done then.
    visits: u64,
    /// NetDMA wants nothing to be taken off.
    suspended: bool,
    /// A descriptor could not be done, and no list was begun since.
    halted: bool,
}

impl List {
    fn give_up(&mut self) {
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
    fn quiesce(
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
    fn new(
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
        let notifier = Notifier {
            state: state.clone(),
        };
        let notify = Dpc::new(image, notifier, irql)?;
        let notify = Shared::try_new(notify, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        let worker = Worker {
            index,
            state,
            notify: notify.clone(),
            hardware,
        };
        Ok(Self {
            work: Dpc::new(image, worker, irql)?,
            notify,
            message: AtomicU32::new(0),
            targets: AtomicU64::new(0),
        })
    }

    fn state(&self) -> &LaneState {
        &self.work.routine().state
    }

    /// The processors that take the channel's interrupt and are among `processors`.
    fn common(&self, processors: Processors) -> u64 {
        if processors.group == 0 {
            self.targets.load(Ordering::Relaxed) & processors.mask
        } else {
            0
        }
    }

    /// Chooses the processor to work on for a client that wants one of `processors`, and works there from now on.
    fn aim(&self, processors: Processors) -> Result<u32> {
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
        notify_from_isr(self.state(), &self.notify, irql);
    }
}

fn notify_from_isr(state: &LaneState, notify: &Dpc<Notifier>, irql: &mut Irql<irql::Device>) {
    state.counters.interrupt();
    let allocation = state.allocation.load(Ordering::Acquire);
    if let Some(processor) = state
        .link
        .isr(state.completed.load(Ordering::Acquire), irql)
    {
        // A processor that does not exist leaves the DPC where it was aimed when the channel was allocated.
        if notify.set_target_processor(processor).is_ok() {
            state.wanted.store(processor, Ordering::Relaxed);
        }
        state.rang.store(allocation, Ordering::Release);
        notify.enqueue();
    }
}

/// The DPC that tells NetDMA of interrupts.
struct Notifier {
    state: Shared<LaneState>,
}

impl DpcRoutine for Notifier {
    fn run(&self, dpc: &DpcHandle<'_>, irql: &mut Irql<Dispatch>) {
        let wanted = self.state.wanted.load(Ordering::Relaxed);
        // One that was queued for an allocation before, is where that one wanted it.
        if current_processor() != wanted && dpc.set_target_processor(wanted).is_ok() {
            dpc.enqueue();
            return;
        }
        if let Some(link) = self.state.link.open(irql) {
            // Inside the link, so that nothing is told that is of an allocation before.
            let rang = self.state.rang.swap(0, Ordering::Acquire);
            if rang != self.state.allocation.load(Ordering::Acquire) {
                return;
            }
            let halted = self.state.halted.swap(false, Ordering::Acquire);
            let completed = self.state.completed.load(Ordering::Acquire);
            link.interrupt_dpc((!halted).then_some(completed));
        }
    }
}

/// The DPC that copies.
struct Worker {
    index: u32,
    state: Shared<LaneState>,
    notify: Shared<Dpc<Notifier>>,
    hardware: Shared<Hardware>,
}

impl DpcRoutine for Worker {
    fn run(&self, dpc: &DpcHandle<'_>, irql: &mut Irql<Dispatch>) {
        // While the link is open the channel is not freed: whoever frees it waits for the end of the slice.
        let Some(mut link) = self.state.link.open(irql) else {
            return;
        };
        if self.list(&mut link, |list| replace(&mut list.at_work, true)) {
            return;
        }
        let (mut descriptors, mut bytes) = (0, 0);
        while descriptors < SLICE_DESCRIPTORS && bytes < SLICE_BYTES {
            match self.step(&mut link) {
                Step::Copied(length) => bytes += length,
                Step::Halted => {}
                Step::NothingToDo => return,
            }
            descriptors += 1;
        }
        self.list(&mut link, |list| list.at_work = false);
        dpc.enqueue();
    }
}

/// What a worker did with one descriptor.
enum Step {
    /// So many bytes.
    Copied(u32),
    /// The channel stands still until it is started anew.
    Halted,
    NothingToDo,
}

impl Worker {
    fn list<R>(&self, link: &mut OpenLink<'_>, body: impl FnOnce(&mut List) -> R) -> R {
        self.state.list.with(link.irql(), |list, _| body(list))
    }

    /// Takes the next descriptor off the list and does what it asks for. If there is none, the work is over.
    fn step(&self, link: &mut OpenLink<'_>) -> Step {
        let (lease, irql) = link.split();
        let (next, generation) = self.state.list.with(irql, |list, irql| {
            list.visits += 1;
            let next = if list.suspended {
                Ok(None)
            } else {
                list.cursor.next(lease, &mut DescriptorReader::new(irql))
            };
            list.at_work = !matches!(next, Ok(None));
            (next, list.generation)
        });
        let copied = match next {
            Ok(Some(transfer)) => {
                copy(&transfer, irql).map(|bytes| (transfer.descriptor, transfer.flags, bytes))
            }
            Ok(None) => return Step::NothingToDo,
            Err(refusal) => {
                debug_print(format_args!(
                    "netdma-kmdf: channel {}: {refusal}\n",
                    self.index
                ));
                Err(refusal.into())
            }
        };
        match copied {
            Ok((descriptor, flags, bytes)) => {
                self.state.counters.descriptor(bytes);
                self.complete(descriptor, flags, link);
                Step::Copied(bytes)
            }
            Err(_) => {
                self.halt(generation, link);
                Step::Halted
            }
        }
    }

    /// Tells what `flags` ask to be told.
    fn complete(&self, descriptor: u64, flags: ControlFlags, link: &mut OpenLink<'_>) {
        self.state.completed.store(descriptor, Ordering::Release);
        if flags.contains(ControlFlags::STATUS) {
            let more = self.list(link, |list| list.cursor.has_more());
            let status = if more {
                TransferStatus::Active
            } else {
                TransferStatus::Idle
            };
            link.publish(descriptor, status);
        }
        if flags.contains(ControlFlags::INTERRUPT) {
            self.ring(link);
        }
    }

    /// Gives up the list of this generation and says that the channel stands still until it is started anew. No effect if it
    /// has been.
    fn halt(&self, generation: u64, link: &mut OpenLink<'_>) {
        let state = &self.state;
        let halts = state.list.with(link.irql(), |list, irql| {
            if list.generation != generation {
                return false;
            }
            list.cursor.clear();
            list.halted = true;
            // Under the lock, so that a list that is begun now is not taken for halted.
            if let Some(link) = state.link.open(irql) {
                let last = state.completed.load(Ordering::Relaxed);
                link.publish(last, TransferStatus::Halted);
            }
            true
        });
        if halts {
            self.state.counters.halt();
            self.state.halted.store(true, Ordering::Release);
            self.ring(link);
        }
    }

    fn ring(&self, link: &mut OpenLink<'_>) {
        if self.hardware.is_software() {
            let irql = link.irql();
            irql.at_device(|irql| notify_from_isr(&self.state, &self.notify, irql));
            return;
        }
        // It fails only if the device is gone, and interrupts with it. The completion word tells as well.
        let _ = self.hardware.ring(self.index);
    }
}

/// Copies what `transfer` asks for, and answers how many bytes that were.
fn copy(transfer: &Transfer<'_>, irql: &mut Irql<AtMostDispatch>) -> Result<u32> {
    let mut bytes = 0;
    if let Work::Copy(pieces) = &transfer.work {
        for piece in pieces.iter() {
            memory::copy_physical(piece.source, piece.destination, irql)?;
            bytes += piece.source.length();
        }
    }
    Ok(bytes)
}
