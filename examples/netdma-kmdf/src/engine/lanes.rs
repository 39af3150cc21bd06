//! [`Lanes`]: the lanes of a device, and how its interrupts are laid out over them.

use core::sync::atomic::{AtomicU32, Ordering};

use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::{Image, Resources, Shared};
use nmr_netdma::netdma::Plan;
use nmr_netdma::{Error, Irql, Result};

use super::MAXIMUM_CHANNELS;
use super::lane::Lane;
use crate::hardware::Hardware;
use crate::statistics::Statistics;

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
                lane.assign(number, targets);
            }
        }
        Ok(())
    }

    /// Tells the device which channel sends which message.
    pub(crate) fn program(&self, hardware: &Hardware) -> Result<()> {
        if self.messages() == 0 {
            return Ok(());
        }
        self.iter_present()
            .try_for_each(|(channel, lane)| hardware.set_message(channel, lane.message()))
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

    /// The lanes of the channels that the device has.
    pub(super) fn iter_present(&self) -> impl Iterator<Item = (u32, &Lane)> {
        (0..self.present()).filter_map(|channel| Some((channel, self.get(channel)?)))
    }

    pub(super) fn get(&self, channel: u32) -> Option<&Lane> {
        self.lanes.get(channel as usize)?.as_ref()
    }
}
