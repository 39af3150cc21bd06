//! `netdma`: what a provider is asked for and promises, and its life on the simulated kernel.
#![expect(unsafe_code, reason = "makes chains, which NetDMA makes otherwise")]

mod descriptors;
mod driver;
mod late;
mod life;
