//! Nothing: its dependencies are what is checked.
#![no_std]
