//! A provider's refusal cannot be a success code.

use nmr_netdma::Result;
use nmr_netdma::nmr::{Accept, Provider};
use nmr_netdma::status::Status;

fn refuse<P: Provider>() -> Result<Accept<P>> {
    Err(Status::PENDING)
}

fn main() {}
