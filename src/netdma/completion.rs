//! [`Completion`]: how far a channel is, as the 64-bit word that NetDMA polls.

use crate::sys;

/// The state of a channel, as the completion word tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "NET_DMA_TRANSFER_STATUS")]
pub enum TransferStatus {
    /// The descriptor is done, there is more to do.
    Active,
    /// The descriptor is done, it was the last.
    Idle,
    /// The descriptor is done, the channel is suspended.
    Suspended,
    /// The channel stopped because of an error or an abort.
    Halted,
    /// Started, nothing done yet; the address means nothing.
    Armed,
}

impl TransferStatus {
    const ALL: [Self; 5] = [
        Self::Active,
        Self::Idle,
        Self::Suspended,
        Self::Halted,
        Self::Armed,
    ];

    const fn bits(self) -> u64 {
        let value = match self {
            Self::Active => sys::NetDmaTransferStatusActive,
            Self::Idle => sys::NetDmaTransferStatusIdle,
            Self::Suspended => sys::NetDmaTransferStatusSuspend,
            Self::Halted => sys::NetDmaTransferStatusHalted,
            Self::Armed => sys::NetDmaTransferStatusArmed,
        };
        value as u64
    }
}

/// What a completion word says.
///
/// ```
/// use nmr_netdma::netdma::{Completion, TransferStatus};
///
/// let completion = Completion { descriptor: 0x1_2340, status: TransferStatus::Idle };
/// assert_eq!(completion.word(), 0x1_2341);
/// assert_eq!(Completion::from_word(0x1_2341), Some(completion));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Completion {
    /// The physical address of the last descriptor done, a multiple of 64.
    pub descriptor: u64,
    /// The state of the channel after it.
    pub status: TransferStatus,
}

impl Completion {
    /// The low bits of a descriptor's address, which are free for the status because descriptors are aligned to 64 bytes.
    const LOW_BITS: u64 = 63;

    /// The word that says this.
    pub const fn word(self) -> u64 {
        self.descriptor & !Self::LOW_BITS | self.status.bits()
    }

    /// What `word` says; `None` if its status is none of the known.
    ///
    /// Bits 3 to 5, where hardware may report errors, are ignored.
    pub fn from_word(word: u64) -> Option<Self> {
        let bits = word & u64::from(sys::NET_DMA_TRANSFER_STATUS_MASK);
        let status = TransferStatus::ALL
            .into_iter()
            .find(|status| status.bits() == bits)?;
        Some(Self {
            descriptor: word & !Self::LOW_BITS,
            status,
        })
    }
}
