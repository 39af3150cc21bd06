//! Pool, physical memory, mappings, device registers.
// Signatures first; the bodies are being written.
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::kernel::{Config, Kernel, Machine};
use crate::verifier::Leak;

/// A device's registers.
pub trait Registers: Send + Sync {
    /// Reads the register at `offset`.
    fn read(&self, offset: usize) -> u32;
    /// Writes the register at `offset`.
    fn write(&self, offset: usize, value: u32);
}

pub(crate) struct State {}
impl State { pub(crate) fn new(_config: &Config) -> Self { Self {} } }
pub(crate) fn leaks(_machine: &Arc<Machine>, _leaks: &mut Vec<Leak>) {}

/// Physical memory, freed when dropped.
pub(crate) struct Region {
    pub(crate) virtual_address: *mut u8,
    pub(crate) physical: u64,
    pub(crate) length: usize,
}
/// Zeroed, page-aligned physical memory.
pub(crate) fn allocate_physical(_machine: &Arc<Machine>, length: usize) -> Region { Region { virtual_address: core::ptr::null_mut(), physical: 0, length } }
/// Where `length` bytes of memory from `physical` on are; `None` if they are not all memory.
pub(crate) fn virtual_of(_machine: &Arc<Machine>, _physical: u64, _length: usize) -> Option<*mut u8> { None }
/// The physical address of `address`.
pub(crate) fn physical_of(_machine: &Arc<Machine>, _address: *const u8) -> Option<u64> { None }
/// Places registers on the bus and says where.
pub(crate) fn register_bar(_machine: &Arc<Machine>, _length: usize, _registers: Arc<dyn Registers>) -> u64 { 0 }
/// Takes registers off the bus.
pub(crate) fn remove_bar(_machine: &Arc<Machine>, _physical: u64) {}

/// Memory with a physical address, for tests. Freed when dropped.
pub struct Buffer(#[expect(dead_code, reason = "being written")] Region);
impl Buffer {
    /// Its physical address.
    pub fn physical(&self) -> u64 { 0 }
    /// Its length in bytes.
    pub fn length(&self) -> usize { 0 }
    /// The bytes. Not while a device writes them.
    pub fn as_slice(&self) -> &[u8] { &[] }
    /// The bytes. Not while a device reads or writes them.
    pub fn as_mut_slice(&mut self) -> &mut [u8] { &mut [] }
}
impl Kernel {
    /// Allocates zeroed physical memory.
    pub fn allocate(&self, bytes: usize) -> Buffer { Buffer(allocate_physical(self.machine(), bytes)) }
    /// Makes the `n`-th allocation of pool from now on fail, once; 1 is the next. `None`: no failure any more.
    pub fn fail_allocation(&self, _n: Option<u64>) {}
    /// How many allocations were made to fail.
    pub fn failed_allocations(&self) -> u64 { 0 }
}
