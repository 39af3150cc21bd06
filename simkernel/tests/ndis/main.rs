//! The NetDMA interface, driven through its C functions as a provider written in C would.
//!
//! | module | what it holds |
//! |---|---|
//! | `engine` | the provider of the tests, which can be told to break each rule |
//! | `bench` | a machine with it |
//! | the others | tests, by what they are about |
//!
//! # Safety
//!
//! The unsafe code of these files calls the interface and is called by it. The engine is the context of everything; it lives in
//! the test until its kernel has shut down. Descriptors and completion words are accessed while their channel is
//! allocated, by addresses that the interface gave.
#![expect(unsafe_code, reason = "calls C functions and is called back")]

mod bench;
mod channels;
mod engine;
mod optional;
mod phases;
mod registration;
mod work;

use std::time::Duration;

use nmr_netdma::sys;

const PASSIVE: u8 = sys::PASSIVE_LEVEL as u8;
const DISPATCH: u8 = sys::DISPATCH_LEVEL as u8;
const DEVICE: u8 = 5;
const SOON: Duration = Duration::from_secs(20);
const EVERY: u64 = u64::MAX;
const STATUS: u32 = sys::NET_DMA_STATUS_UPDATE_ON_COMPLETION;
const NULL: u32 = sys::NET_DMA_NULL_TRANSFER;
const NAME: &str = "test engine";
