//! Models of device hardware for drivers under test.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::mm::Registers;
use crate::platform::Mutex;
use crate::pnp::Signal;

/// The device of the example driver: it copies nothing, it only rings.
///
/// Software writes a channel's doorbell; the device sets the channel's status bit and, if interrupts are enabled, sends
/// the channel's message or asserts its line. All registers are 32 bits wide.
///
/// | offset | register | |
/// |---|---|---|
/// | 0x00 | ID | read-only, [`Doorbell::IDENTITY`] |
/// | 0x04 | CHANNELS | read-only |
/// | 0x08 | INTERRUPT_STATUS | a bit per channel, write 1 to clear |
/// | 0x0C | INTERRUPT_CONTROL | bit 0: interrupts enabled; bit 1: by messages, else by line |
/// | 0x10 | RESET | write 1: all registers as after power-up |
/// | 0x100 + 4 * k | MESSAGE | the message of channel k; k by default |
/// | 0x200 + 4 * k | DOORBELL | write: channel k rings |
///
/// What is not listed reads as 0 and ignores writes.
pub struct Doorbell {
    channels: u32,
    signal: Signal,
    registers: Mutex<Values>,
}

/// What the device remembers.
struct Values {
    status: u32,
    control: u32,
    messages: Vec<u32>,
}

impl Values {
    fn reset(channels: u32) -> Self {
        Self {
            status: 0,
            control: 0,
            messages: (0..channels).collect(),
        }
    }

    /// Whether the line is asserted.
    fn line(&self) -> bool {
        self.control & (Doorbell::ENABLE | Doorbell::MESSAGES) == Doorbell::ENABLE
            && self.status != 0
    }
}

impl Doorbell {
    /// What the register ID reads as: `AMDN` in memory order.
    pub const IDENTITY: u32 = 0x4E44_4D41;
    /// The length of the register range in bytes.
    pub const LENGTH: usize = 0x1000;
    /// Channels at most, since the status register has a bit for each.
    pub const MAXIMUM_CHANNELS: u32 = 32;

    const ENABLE: u32 = 1;
    const MESSAGES: u32 = 2;

    /// A device with `channels` channels, at most [`MAXIMUM_CHANNELS`](Self::MAXIMUM_CHANNELS), that interrupts through
    /// `signal`.
    pub fn new(channels: u32, signal: Signal) -> Arc<Self> {
        let channels = channels.min(Self::MAXIMUM_CHANNELS);
        Arc::new(Self {
            channels,
            signal,
            registers: Mutex::new(Values::reset(channels)),
        })
    }

    /// The channel whose register of the bank at `base` lies at `offset`.
    fn channel(&self, base: usize, offset: usize) -> Option<usize> {
        let channel = offset.checked_sub(base)? / 4;
        (offset.is_multiple_of(4) && channel < self.channels as usize).then_some(channel)
    }
}

impl Registers for Doorbell {
    fn read(&self, offset: usize) -> u32 {
        let values = self.registers.lock();
        match offset {
            0x00 => Self::IDENTITY,
            0x04 => self.channels,
            0x08 => values.status,
            0x0C => values.control,
            _ => self
                .channel(0x100, offset)
                .map_or(0, |channel| values.messages[channel]),
        }
    }

    fn write(&self, offset: usize, value: u32) {
        // The signal only queues, so it may be used under the lock, which keeps the line's changes in order.
        let mut values = self.registers.lock();
        match offset {
            0x08 => values.status &= !value,
            0x0C => values.control = value & (Self::ENABLE | Self::MESSAGES),
            0x10 if value & 1 != 0 => *values = Values::reset(self.channels),
            _ => {
                if let Some(channel) = self.channel(0x200, offset) {
                    values.status |= 1 << channel;
                    if values.control == Self::ENABLE | Self::MESSAGES {
                        self.signal.raise(values.messages[channel]);
                    }
                } else if let Some(channel) = self.channel(0x100, offset) {
                    values.messages[channel] = value;
                }
            }
        }
        self.signal.line(values.line());
    }
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Doorbell")
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}
