//! Example driver: an NMR client. Empty.
#![no_std]
