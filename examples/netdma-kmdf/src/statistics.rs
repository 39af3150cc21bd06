//! What the engine has done, and how a program asks for it.
//!
//! A program finds the device by [`DEVICE_INTERFACE`], opens it for reading and sends [`READ_STATISTICS`]; the answer is a [`Statistics`].

use core::iter::Sum;
use core::ops::Add;
use core::sync::atomic::{AtomicU64, Ordering};

use nmr_netdma::irql::AtMostDispatch;
use nmr_netdma::kmdf::{ControlAccess, ControlCode, Handled, Request, RequestHandler, Shared};
use nmr_netdma::{Error, Guid, Irql};

use crate::engine::Lanes;

/// The class of the device's interface.
pub const DEVICE_INTERFACE: Guid = Guid::parse("3b6d1f0a-52c4-4a8e-9d27-8e1f60c4b7a5");

/// `CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)`: the answer is a [`Statistics`] as
/// [`to_bytes`](Statistics::to_bytes) makes it.
pub const READ_STATISTICS: ControlCode = ControlCode::new(0x22, 0x800, ControlAccess::Read);

/// What the engine of a device has done since the device was added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Descriptors that were processed.
    pub descriptors: u64,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Interrupts that NetDMA was told of, channel by channel.
    pub interrupts: u64,
    /// How often a channel halted.
    pub halts: u64,
}

impl Statistics {
    /// Bytes of an answer.
    pub const LENGTH: usize = 32;

    /// The answer to a program: the members in order, little-endian.
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let members = [self.descriptors, self.bytes, self.interrupts, self.halts];
        let mut bytes = [0; Self::LENGTH];
        for (place, member) in bytes.chunks_exact_mut(8).zip(members) {
            place.copy_from_slice(&member.to_le_bytes());
        }
        bytes
    }

    /// What such an answer says.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let mut members = bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|member| u64::from_le_bytes(*member));
        let mut next = || members.next().unwrap_or_default();
        Self {
            descriptors: next(),
            bytes: next(),
            interrupts: next(),
            halts: next(),
        }
    }
}

impl Add for Statistics {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            descriptors: self.descriptors.wrapping_add(other.descriptors),
            bytes: self.bytes.wrapping_add(other.bytes),
            interrupts: self.interrupts.wrapping_add(other.interrupts),
            halts: self.halts.wrapping_add(other.halts),
        }
    }
}

impl Sum for Statistics {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// What one channel counts.
#[derive(Default)]
pub(crate) struct Counters {
    descriptors: AtomicU64,
    bytes: AtomicU64,
    interrupts: AtomicU64,
    halts: AtomicU64,
}

impl Counters {
    pub(crate) fn descriptor(&self, bytes: u32) {
        self.descriptors.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(u64::from(bytes), Ordering::Relaxed);
    }

    pub(crate) fn interrupt(&self) {
        self.interrupts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn halt(&self) {
        self.halts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Statistics {
        Statistics {
            descriptors: self.descriptors.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            interrupts: self.interrupts.load(Ordering::Relaxed),
            halts: self.halts.load(Ordering::Relaxed),
        }
    }
}

/// Answers programs.
pub(crate) struct Reporter {
    lanes: Shared<Lanes>,
}

impl Reporter {
    pub(crate) fn new(lanes: Shared<Lanes>) -> Self {
        Self { lanes }
    }
}

impl RequestHandler for Reporter {
    fn device_control<'a>(
        &self,
        request: Request<'a>,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Handled<'a> {
        match request.code() {
            READ_STATISTICS => request.reply(&self.lanes.statistics().to_bytes(), irql),
            _ => request.fail(Error::INVALID_DEVICE_REQUEST, irql),
        }
    }
}
