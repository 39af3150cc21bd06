//! The registers of the device, all of 32 bits.

use core::sync::atomic::{AtomicBool, Ordering};

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{Register, Registers, Resources};
use nmr_netdma::{Error, Result};

const IDENTITY: Register<u32> = Register::at(0x00);
const CHANNELS: Register<u32> = Register::at(0x04);
/// A bit for each channel that rang; written ones clear.
const STATUS: Register<u32> = Register::at(0x08);
const CONTROL: Register<u32> = Register::at(0x0C);
const RESET: Register<u32> = Register::at(0x10);
/// For each channel, the message that it sends.
const MESSAGE: Register<u32> = Register::at(0x100);
/// For each channel, written to ring.
const DOORBELL: Register<u32> = Register::at(0x200);

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

    fn read(&self, register: Register<u32>) -> Result<u32> {
        self.registers.read(register)
    }

    fn write(&self, register: Register<u32>, value: u32) -> Result<()> {
        if self.is_software() {
            return Ok(());
        }
        self.registers.write(register, value)
    }
}

fn of_channel(first: Register<u32>, channel: u32) -> Register<u32> {
    first.further(4 * channel as usize)
}
