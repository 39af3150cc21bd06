//! The registers of the device, all of 32 bits.

use core::sync::atomic::{AtomicBool, Ordering};

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{Registers, Resources};
use nmr_netdma::{Error, Result};

const IDENTITY: usize = 0x00;
const CHANNELS: usize = 0x04;
/// A bit for each channel that rang; written ones clear.
const STATUS: usize = 0x08;
const CONTROL: usize = 0x0C;
const RESET: usize = 0x10;
/// For each channel, the message that it sends.
const MESSAGE: usize = 0x100;
/// For each channel, written to ring.
const DOORBELL: usize = 0x200;

/// What `IDENTITY` reads as: `AMDN` in memory.
const THIS_DEVICE: u32 = u32::from_le_bytes(*b"AMDN");
/// Of `CONTROL`: interrupts are enabled.
const ENABLE: u32 = 1;
/// Of `CONTROL`: interrupt by messages, not by the line.
const BY_MESSAGE: u32 = 2;

/// How many channels a device without registers has.
const SOFTWARE_CHANNELS: u32 = 4;

/// The device's registers, while they are mapped.
///
/// A device that was assigned nothing at all, as one that the root bus made up, has none: it is software, and does not interrupt.
pub(crate) struct Hardware {
    registers: Registers,
    is_software: AtomicBool,
}

impl Hardware {
    pub(crate) fn new(registers: Registers) -> Self {
        Self {
            registers,
            is_software: AtomicBool::new(false),
        }
    }

    /// Maps the registers, if there are resources, and makes sure that they are those of the device.
    pub(crate) fn map(&self, resources: &Resources<'_>, irql: &mut Irql<Passive>) -> Result<()> {
        let is_software = resources.iter().next().is_none();
        self.is_software.store(is_software, Ordering::Relaxed);
        if is_software {
            return Ok(());
        }
        let memory = resources
            .memory()
            .next()
            .ok_or(Error::DEVICE_CONFIGURATION_ERROR)?;
        self.registers.map(memory, irql)?;
        if self.read(IDENTITY)? != THIS_DEVICE {
            return Err(Error::DEVICE_CONFIGURATION_ERROR);
        }
        Ok(())
    }

    /// Whether it has neither registers nor interrupts.
    pub(crate) fn is_software(&self) -> bool {
        self.is_software.load(Ordering::Relaxed)
    }

    /// How many channels the device has.
    pub(crate) fn channels(&self) -> Result<u32> {
        if self.is_software() {
            return Ok(SOFTWARE_CHANNELS);
        }
        self.read(CHANNELS)
    }

    /// The channels that rang, a bit for each.
    pub(crate) fn status(&self) -> Result<u32> {
        self.read(STATUS)
    }

    /// Takes note that `channels` rang.
    pub(crate) fn acknowledge(&self, channels: u32) -> Result<()> {
        self.write(STATUS, channels)
    }

    /// Whether the device may interrupt.
    pub(crate) fn is_enabled(&self) -> Result<bool> {
        Ok(self.read(CONTROL)? & ENABLE != 0)
    }

    /// Lets the device interrupt.
    pub(crate) fn enable(&self, by_message: bool) -> Result<()> {
        self.write(
            CONTROL,
            if by_message {
                ENABLE | BY_MESSAGE
            } else {
                ENABLE
            },
        )
    }

    /// Keeps the device from interrupting.
    pub(crate) fn disable(&self) -> Result<()> {
        self.write(CONTROL, 0)
    }

    /// Brings the device into the state after power-up.
    pub(crate) fn reset(&self) -> Result<()> {
        self.write(RESET, 1)
    }

    /// Has `channel` send `message`.
    pub(crate) fn set_message(&self, channel: u32, message: u32) -> Result<()> {
        self.write(of_channel(MESSAGE, channel), message)
    }

    /// Has `channel` interrupt.
    pub(crate) fn ring(&self, channel: u32) -> Result<()> {
        self.write(of_channel(DOORBELL, channel), 1)
    }

    fn read(&self, register: usize) -> Result<u32> {
        self.registers.read_u32(register)
    }

    fn write(&self, register: usize, value: u32) -> Result<()> {
        if self.is_software() {
            return Ok(());
        }
        self.registers.write_u32(register, value)
    }
}

fn of_channel(bank: usize, channel: u32) -> usize {
    bank + 4 * channel as usize
}
