//! The client that `NetDmaInterruptDpc` calls may free the channel, so nothing of it can be used afterwards.

use nmr_netdma::netdma::{OpenLink, TransferStatus};

fn dpc(link: OpenLink<'_>) {
    link.interrupt_dpc(Some(0x1000));
    link.publish(0x1000, TransferStatus::Idle);
}

fn main() {}
