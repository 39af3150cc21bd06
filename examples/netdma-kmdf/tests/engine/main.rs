//! The driver and its copy engine on simulated machines.
//!
//! Tests that are named `tNN` are the cases of one table for engines in hardware and software. Those that do not concern an engine
//! in software, or are shown elsewhere:
//!
//! | case | |
//! |---|---|
//! | T12 | an erratum of hardware |
//! | T18, T29 | providers before version 2.0; shown with the library's chains in `tests/netdma` |
//! | T28 | a completion word torn by a processor of 32 bits; everything here is for 64 |
//!
//! T63 is about processors of 32 bits, but its canary is looked at here as well.

mod channels;
mod client;
mod completion;
mod copies;
mod hostile;
mod life;
mod lists;
mod machine;
mod model;
mod pages;
mod power;
mod refusals;
mod statistics;
mod stops;
