//! The driver and its copy engine on simulated machines.
//!
//! Tests that are named `tNN` are the cases of one table for engines in hardware and software. Those that do not concern an engine
//! in software, or are shown elsewhere:

mod channels;
mod client;
mod completion;
mod copies;
mod hostile;
mod life;
mod lists;
mod machine;
mod pages;
mod refusals;
mod stops;
