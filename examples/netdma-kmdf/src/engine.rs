//! The engine: a provider whose channels are copied for by software.
//!
//! Each channel of the device has a lane, which outlives its allocations: the list of descriptors, a DPC that works it off, and a DPC
//! that tells NetDMA of its interrupts. A [`Channel`] is what NetDMA has allocated, and no more than the lane's number.
//!
//! | file | what is in it |
//! |---|---|
//! | here | the provider and its channels: what NetDMA calls |
//! | `lanes` | the lanes of a device, and how its interrupts are laid out over them |
//! | `lane` | one lane: its list, how it is brought to a stop, and where it works |
//! | `worker` | the DPC that copies |
//! | `notifier` | from the interrupt to NetDMA |
//!
//! # In another driver
//!
//! Whoever takes this module brings the two that it uses. [`Hardware`](crate::hardware::Hardware) interrupts for a channel ([`ring`](crate::hardware::Hardware::ring)), sends
//! a channel's interrupt by a message ([`set_message`](crate::hardware::Hardware::set_message)), and says whether there is no hardware
//! ([`is_software`](crate::hardware::Hardware::is_software)); [`Counters`](crate::statistics::Counters) counts. The driver then
//!
//! 1. makes [`Lanes`] and a [`CopyEngine`] from them in AddDevice, and registers the engine;
//! 2. filters the requirements of its interrupts by [`CopyEngine::plan`];
//! 3. calls [`Lanes::assign`] with what it was granted, and [`Lanes::program`] whenever power is back;
//! 4. starts the provider with as many channels as [`Lanes::present`], and [`MAXIMUM_TRANSFER_SIZE`];
//! 5. has its service routine call [`notify_from_isr`](lane::Lane::notify_from_isr) of the lanes that interrupted.
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
//! * **A channel is free if its link is,** which the library gives up last when it frees a channel. There is no other mark.

mod lane;
mod lanes;
mod notifier;
mod worker;

use core::mem::replace;
use core::sync::atomic::Ordering;

use nmr_netdma::irql::{AtMostDispatch, Passive};
use nmr_netdma::kmdf::Shared;
use nmr_netdma::netdma::affinity::ActiveProcessors;
use nmr_netdma::netdma::{
    self, Affinities, Allocated, Chain, ChannelParameters, Claim, Optional, Plan, Processors,
    Provider, TextOverHeader, TransferStatus,
};
use nmr_netdma::{Error, Irql, Result};
use spin::Once;

use self::lane::{Lane, List};
pub(crate) use self::lanes::Lanes;

/// The most channels that the device can have: its status register has a bit for each.
pub const MAXIMUM_CHANNELS: u32 = 32;

/// The most bytes of one descriptor.
pub const MAXIMUM_TRANSFER_SIZE: u32 = 64 * 1024;

/// The provider.
pub(crate) struct CopyEngine {
    lanes: Shared<Lanes>,
    /// Set if NetDMA says where it wants interrupts.
    plan: Once<Plan>,
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
        }
    }

    /// Where NetDMA wants interrupts, as far as it says.
    pub(crate) fn plan(&self) -> &Plan {
        static UNASKED: Plan = Plan::unasked(MAXIMUM_CHANNELS);
        self.plan.get().unwrap_or(&UNASKED)
    }

    /// Takes a free channel, best one whose interrupts go to one of `processors`.
    fn take(&self, processors: Processors) -> Result<(u32, &Lane, Claim)> {
        let near = |(_, lane): &(u32, &Lane)| lane.common(processors) != 0;
        let lanes = || self.lanes.iter_present();
        lanes()
            .filter(near)
            .chain(lanes())
            .find_map(|(index, lane)| Some((index, lane, lane.state().link.claim().ok()?)))
            .ok_or(Error::INSUFFICIENT_RESOURCES)
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
        let (index, lane, link) = self.take(parameters.processors())?;
        Ok(Allocated {
            channel: Channel { index },
            processor: lane.aim(parameters.processors())?,
            link,
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
            // Of this list nothing is done, and a halt of the one before concerns nobody any more.
            lane.state().completed.store(0, Ordering::Release);
            lane.state().halted.store(false, Ordering::Relaxed);
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
