//! `nmr`: clients and providers on the simulated registrar, and peers that do not keep the contract.
//!
//! # Safety
//!
//! The unsafe code of these files is what the author of an interface writes ([`echo`]), what a careless C driver does
//! ([`careless`]), and the statement that the booting thread is at PASSIVE_LEVEL.
#![expect(
    unsafe_code,
    reason = "declares an interface and plays a careless C driver"
)]

mod careless;
mod choice;
mod echo;
mod failures;
mod guards;
mod life;
mod machine;
mod peers;
