//! Pool, physical memory, mappings, device registers.
//!
//! # Design
//!
//! * **A physical address is never a virtual one.** Memory with physical addresses starts somewhere between 4 and 8 GB, where
//!   the seed says, and neighbours do not touch; registers lie below 4 GB, where a bus puts them. What is in pool has a
//!   physical address as well, far above.
//! * **Nothing is reused early.** Physical addresses are given once. Freed pool is kept for a while, filled with a
//!   pattern, and looked at again: who wrote to it is late, but named.
//! * **Pool is no better than promised**: aligned to 16 bytes and not to 32, to a page only from a page on, and full of a
//!   pattern.
//! * **Registers are behind functions.** A mapping of registers is an address range that [`READ_REGISTER_ULONG`],
//!   [`WRITE_REGISTER_ULONG`] and those for other widths know; a plain write to it is found when the range is unmapped.
//!
//! [`READ_REGISTER_ULONG`]: nmr_netdma::sys::READ_REGISTER_ULONG
//! [`WRITE_REGISTER_ULONG`]: nmr_netdma::sys::WRITE_REGISTER_ULONG

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use crate::fault::Fault;
use crate::kernel::{Config, Kernel, Machine};
use crate::verifier::Leak;

mod mapping;
mod physical;
mod pool;
pub mod violation;

pub use self::physical::Buffer;
pub(crate) use self::physical::Region;
pub use self::pool::PoolUsage;

const PAGE: usize = 0x1000;

/// The registers of a device. If some are not 32 bits wide, it has to say what accesses of other widths do.
///
/// All functions may be called by any thread, at any level and by several at once.
pub trait Registers: Send + Sync {
    /// Reads the register `offset` bytes after the first.
    fn read(&self, offset: usize) -> u32;

    /// Writes the register `offset` bytes after the first.
    fn write(&self, offset: usize, value: u32);

    /// Reads a register of so many bytes, 1, 2, 4 or 8, which `offset` is a multiple of.
    fn read_bytes(&self, offset: usize, bytes: usize) -> u64 {
        match bytes {
            4 => self.read(offset).into(),
            _ => u64::MAX,
        }
    }

    /// Writes a register of so many bytes, as above, with the lowest of `value`.
    fn write_bytes(&self, offset: usize, bytes: usize, value: u64) {
        if bytes == 4 {
            // CAST: so many bytes.
            self.write(offset, value as u32);
        }
    }
}

pub(crate) struct State {
    pool: pool::Pool,
    memory: physical::Memory,
    mappings: mapping::Mappings,
}

impl State {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            pool: pool::Pool::default(),
            memory: physical::Memory::new(config.seed),
            mappings: mapping::Mappings::default(),
        }
    }
}

pub(crate) fn leaks(machine: &Arc<Machine>, leaks: &mut Vec<Leak>) {
    machine.mm.mappings.leaks(leaks);
    machine.mm.memory.leaks(leaks);
    machine.mm.pool.leaks(machine, leaks);
}

/// Zeroed memory, aligned to a page and physically contiguous.
pub(crate) fn allocate_physical(machine: &Arc<Machine>, bytes: usize) -> Region {
    Region::new(machine, bytes)
}

/// Where the `length` bytes from `physical` on lie; `None` if they are not all in one piece of memory.
pub(crate) fn virtual_of(machine: &Arc<Machine>, physical: u64, length: usize) -> Option<*mut u8> {
    let state = &machine.mm;
    state
        .memory
        .virtual_of(physical, length)
        .or_else(|| state.pool.virtual_of(physical, length))
}

/// The physical address of memory or mapped registers; `None` if the machine knows nothing at `address`.
pub(crate) fn physical_of(machine: &Arc<Machine>, address: *const u8) -> Option<u64> {
    let (state, address) = (&machine.mm, address.addr());
    let memory = state
        .memory
        .physical_of(address)
        .or_else(|| state.pool.physical_of(address));
    memory.or_else(|| state.mappings.physical_of(address))
}

/// Which of the addresses are those of blocks of pool that were freed, as far as pool remembers them.
pub(crate) fn were_freed<T, const N: usize>(
    machine: &Machine,
    addresses: [*const T; N],
) -> [bool; N] {
    machine
        .mm
        .pool
        .were_freed(addresses.map(|address| address.addr()))
}

/// Whether one of the addresses is that of a block of pool.
pub(crate) fn any_in_pool<T, const N: usize>(machine: &Machine, addresses: [*const T; N]) -> bool {
    machine
        .mm
        .pool
        .has_any(addresses.map(|address| address.addr()))
}

/// Places a range of registers on the bus and says where.
pub(crate) fn register_bar(
    machine: &Arc<Machine>,
    length: usize,
    registers: Arc<dyn Registers>,
) -> u64 {
    machine.mm.mappings.add_bar(length, registers)
}

/// Takes the range of registers at `physical` off the bus. Mappings of it stay until they are unmapped.
pub(crate) fn remove_bar(machine: &Arc<Machine>, physical: u64) {
    machine.mm.mappings.remove_bar(physical);
}

/// Registers on the bus that belong to no device. Taken off when dropped.
pub struct PlacedRegisters {
    physical: u64,
    machine: Weak<Machine>,
}

impl PlacedRegisters {
    /// The physical address of the first register.
    pub fn physical(&self) -> u64 {
        self.physical
    }
}

impl Drop for PlacedRegisters {
    fn drop(&mut self) {
        if let Some(machine) = self.machine.upgrade() {
            remove_bar(&machine, self.physical);
        }
    }
}

impl fmt::Debug for PlacedRegisters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "registers at physical {:#x}", self.physical)
    }
}

impl Kernel {
    /// Places `length` bytes of registers on the bus, without a device.
    ///
    /// Devices bring theirs: see [`DeviceConfig::bars`](crate::pnp::DeviceConfig::bars).
    pub fn place_registers(&self, length: usize, registers: Arc<dyn Registers>) -> PlacedRegisters {
        let machine = self.machine();
        PlacedRegisters {
            physical: register_bar(machine, length, registers),
            machine: Arc::downgrade(machine),
        }
    }

    /// Whether a mapped register is at `address`: for who handles exceptions where registers are accessed by instructions.
    pub fn is_register(&self, address: usize) -> bool {
        self.machine().mm.mappings.is_register(address)
    }

    /// Memory that a device can be given the address of. Zeroed, physically contiguous, aligned to a page.
    pub fn allocate(&self, bytes: usize) -> Buffer {
        Buffer::new(allocate_physical(self.machine(), bytes))
    }

    /// Memory that is contiguous for a program, and for a device only within each page: none of them follows the one before it.
    /// Zeroed, aligned to a page.
    pub fn allocate_scattered(&self, bytes: usize) -> Buffer {
        Buffer::new(Region::scattered(self.machine(), bytes))
    }

    /// Makes the `n`-th allocation of pool or contiguous memory from now on fail, and only that; 1 is the next one.
    /// With `None` none fails any more.
    pub fn fail_allocation(&self, n: Option<u64>) {
        self.fail(Fault::Allocation, n);
    }

    /// How many allocations were made to fail so far.
    pub fn failed_allocations(&self) -> u64 {
        self.failed(Fault::Allocation)
    }

    /// What is allocated from the pool now, by tag.
    pub fn pool_usage(&self) -> Vec<PoolUsage> {
        self.machine().mm.pool.usage()
    }
}
