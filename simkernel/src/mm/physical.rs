//! Memory with physical addresses.
//!
//! # Safety
//!
//! The unsafe code of this file owns host memory and hands out pointers into it; what is done with them is the business of
//! those who hold them.
#![expect(unsafe_code, reason = "owns the memory of the machine")]

use alloc::alloc::{alloc_zeroed, dealloc, handle_alloc_error};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::alloc::Layout;
use core::fmt;
use core::ptr;
use core::slice;

use nmr_netdma::sys::{self, PHYSICAL_ADDRESS, PVOID, SIZE_T};

use super::{PAGE, physical_of, violation};
use crate::fault::Fault;
use crate::ke;
use crate::kernel::{self, Machine};
use crate::platform::{Mutex, RwLock, fatal};
use crate::verifier::Leak;

/// Memory from here on is for devices that cannot reach beyond 4 GB; registers follow it.
const LOW_START: u64 = 0x0100_0000;
const LOW_END: u64 = 0xC000_0000;
const HIGH_START: u64 = 0x1_0000_0000;
/// Pages of [`HIGH_START`] among which the seed chooses the first.
const HIGH_CHOICES: u64 = 0x10_0000;

/// Host memory, owned.
struct Owned {
    start: *mut u8,
    layout: Layout,
}

// SAFETY: it owns its memory, which any thread may free.
unsafe impl Send for Owned {}
// SAFETY: it gives no access.
unsafe impl Sync for Owned {}

impl Owned {
    fn zeroed(bytes: usize) -> Self {
        // Whole pages, as a register may be read in the last word of one.
        let pages = bytes.max(1).checked_next_multiple_of(PAGE);
        let Some(layout) = pages.and_then(|bytes| Layout::from_size_align(bytes, PAGE).ok()) else {
            fatal(&format!("simkernel: {bytes} bytes of memory cannot be had"))
        };
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc_zeroed(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        Self { start, layout }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: `zeroed` allocated it with this layout, and this is the only place that frees it.
        unsafe { dealloc(self.start, self.layout) };
    }
}

/// A piece as the machine finds it.
#[derive(Clone, Copy)]
struct Piece {
    start: *mut u8,
    length: usize,
}

#[derive(Default)]
struct Map {
    by_physical: BTreeMap<u64, Piece>,
    /// Virtual to physical start.
    by_virtual: BTreeMap<usize, u64>,
}

// SAFETY: the pointers are not followed here.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

/// The physical addresses that come next.
struct Next {
    low: u64,
    high: u64,
    random: u64,
}

pub(super) struct Memory {
    map: RwLock<Map>,
    next: Mutex<Next>,
    /// What `MmAllocateContiguousMemory` gave, by address.
    contiguous: Mutex<BTreeMap<usize, Region>>,
    /// What was freed while it was mapped.
    abandoned: Mutex<Vec<Owned>>,
}

impl Memory {
    pub(super) fn new(seed: u64) -> Self {
        let random = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let high = HIGH_START + (random >> 32) % HIGH_CHOICES * PAGE as u64;
        Self {
            map: RwLock::default(),
            next: Mutex::new(Next {
                low: LOW_START,
                high,
                random,
            }),
            contiguous: Mutex::default(),
            abandoned: Mutex::default(),
        }
    }

    /// Takes physical addresses up to `highest` for `bytes`.
    fn place(&self, bytes: usize, highest: u64) -> Option<u64> {
        let span = (bytes.max(1) as u64).checked_next_multiple_of(PAGE as u64)?;
        let mut next = self.next.lock();
        // One to four free pages, so that neighbours do not touch.
        next.random = next
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let gap = ((next.random >> 62) + 1) * PAGE as u64;
        let fits = |start: u64, end: u64| {
            start
                .checked_add(span)
                .is_some_and(|after| after <= end && after - 1 <= highest)
        };
        if fits(next.high, u64::MAX) {
            let start = next.high;
            next.high += span + gap;
            Some(start)
        } else if fits(next.low, LOW_END) {
            let start = next.low;
            next.low += span + gap;
            Some(start)
        } else {
            None
        }
    }

    pub(super) fn virtual_of(&self, physical: u64, length: usize) -> Option<*mut u8> {
        let map = self.map.read();
        let (start, piece) = map.by_physical.range(..=physical).next_back()?;
        let offset = usize::try_from(physical - start).ok()?;
        let fits = offset < piece.length && length <= piece.length - offset;
        fits.then(|| {
            // SAFETY: the offset is within the piece, which lives while it is in the map.
            unsafe { piece.start.add(offset) }
        })
    }

    pub(super) fn physical_of(&self, address: usize) -> Option<u64> {
        let map = self.map.read();
        let (start, physical) = map.by_virtual.range(..=address).next_back()?;
        let piece = map.by_physical.get(physical)?;
        let offset = address - start;
        (offset < piece.length).then_some(physical + offset as u64)
    }

    pub(super) fn leaks(&self, leaks: &mut Vec<Leak>) {
        leaks.extend(self.contiguous.lock().values().map(|region| Leak {
            kind: "contiguous memory",
            detail: format!("{} bytes at physical {:#x}", region.length, region.physical),
        }));
    }
}

/// Memory with a physical address, or one for each of its pages; freed when dropped.
pub(crate) struct Region {
    pub(crate) virtual_address: *mut u8,
    /// Of the first byte.
    pub(crate) physical: u64,
    pub(crate) length: usize,
    /// Of each page, if they are not contiguous.
    scattered: Vec<u64>,
    memory: Option<Owned>,
    machine: Weak<Machine>,
}

// SAFETY: it owns its memory and gives it out as a raw pointer only.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    pub(super) fn new(machine: &Arc<Machine>, bytes: usize) -> Self {
        match Self::below(machine, bytes, u64::MAX) {
            Some(region) => region,
            None => fatal("simkernel: out of physical addresses"),
        }
    }

    /// Memory at addresses up to `highest`.
    fn below(machine: &Arc<Machine>, bytes: usize, highest: u64) -> Option<Self> {
        let state = &machine.mm.memory;
        let physical = state.place(bytes, highest)?;
        let memory = Owned::zeroed(bytes);
        let start = memory.start;
        let mut map = state.map.write();
        map.by_physical.insert(
            physical,
            Piece {
                start,
                length: bytes,
            },
        );
        map.by_virtual.insert(start.addr(), physical);
        drop(map);
        Some(Self {
            virtual_address: start,
            physical,
            length: bytes,
            scattered: Vec::new(),
            memory: Some(memory),
            machine: Arc::downgrade(machine),
        })
    }

    /// Memory of which no page follows the one before it in physical memory.
    pub(super) fn scattered(machine: &Arc<Machine>, bytes: usize) -> Self {
        let state = &machine.mm.memory;
        let memory = Owned::zeroed(bytes);
        let start = memory.start;
        let places = (0..bytes.max(1).div_ceil(PAGE)).map(|_| state.place(PAGE, u64::MAX));
        let Some(mut pages) = places.collect::<Option<Vec<_>>>() else {
            fatal("simkernel: out of physical addresses")
        };
        pages.reverse();
        let mut map = state.map.write();
        for (index, physical) in pages.iter().enumerate() {
            let offset = index * PAGE;
            let page = Piece {
                start: start.wrapping_add(offset),
                length: PAGE.min(bytes.saturating_sub(offset)),
            };
            map.by_virtual.insert(page.start.addr(), *physical);
            map.by_physical.insert(*physical, page);
        }
        drop(map);
        Self {
            virtual_address: start,
            physical: pages.first().copied().unwrap_or(0),
            length: bytes,
            scattered: pages,
            memory: Some(memory),
            machine: Arc::downgrade(machine),
        }
    }

    /// The physical address of the byte at `offset`.
    fn physical_at(&self, offset: usize) -> Option<u64> {
        if offset >= self.length {
            return None;
        }
        match self.scattered.get(offset / PAGE) {
            Some(page) => Some(page + (offset % PAGE) as u64),
            None => Some(self.physical + offset as u64),
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let Some(machine) = self.machine.upgrade() else {
            return;
        };
        let state = &machine.mm.memory;
        let start = self.virtual_address.addr();
        let mut map = state.map.write();
        map.by_physical.remove(&self.physical);
        map.by_virtual.remove(&start);
        for (index, physical) in self.scattered.iter().enumerate() {
            map.by_physical.remove(physical);
            map.by_virtual.remove(&(start + index * PAGE));
        }
        drop(map);
        if machine.mm.mappings.any_in(&(start..start + self.length)) {
            machine.violated(
                &violation::FREED_WHILE_MAPPED,
                format_args!("{} bytes at physical {:#x}", self.length, self.physical),
            );
            state.abandoned.lock().extend(self.memory.take());
        }
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} bytes at physical {:#x}",
            self.length, self.physical
        )
    }
}

/// Memory that a device can be given the address of. Freed when dropped.
///
/// A device, or a driver that plays one, reaches it by its physical address behind Rust's back. Look at the bytes, and
/// change them, only while no transfer from or to them is under way; what was completed is seen.
#[derive(Debug)]
pub struct Buffer(Region);

impl Buffer {
    pub(super) fn new(region: Region) -> Self {
        Self(region)
    }

    /// The physical address of the first byte.
    pub fn physical(&self) -> u64 {
        self.0.physical
    }

    /// The physical address of the byte at `offset`, if there is one.
    pub fn physical_at(&self, offset: usize) -> Option<u64> {
        self.0.physical_at(offset)
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.0.length
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the region has `length` initialised bytes and lives as long as `self`. That no device writes them
        // meanwhile is the caller's business, as the type says.
        unsafe { slice::from_raw_parts(self.0.virtual_address, self.0.length) }
    }

    /// The bytes, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as for `as_slice`; the borrow of `self` is exclusive.
        unsafe { slice::from_raw_parts_mut(self.0.virtual_address, self.0.length) }
    }
}

/// The physical address of memory or mapped registers; 0 if there is none.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn MmGetPhysicalAddress(address: PVOID) -> PHYSICAL_ADDRESS {
    sys::physical_address(physical_of(kernel::machine(), address.cast()).unwrap_or(0))
}

/// Physically contiguous memory at or below `highest`; null if there is none. It is not zeroed.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn MmAllocateContiguousMemory(
    bytes: SIZE_T,
    highest: PHYSICAL_ADDRESS,
) -> PVOID {
    const FUNCTION: &str = "MmAllocateContiguousMemory";

    ke::require(FUNCTION, ke::PASSIVE..=ke::DISPATCH);
    let machine = kernel::machine();
    if bytes == 0 {
        machine.violated(&violation::ALLOCATION, format_args!("{FUNCTION}: 0 bytes"));
        return ptr::null_mut();
    }
    if machine.fails(Fault::Allocation, format_args!("{bytes} contiguous bytes")) {
        return ptr::null_mut();
    }
    let Some(region) = Region::below(machine, bytes as usize, sys::physical_address_bits(highest))
    else {
        return ptr::null_mut();
    };
    let start = region.virtual_address;
    // SAFETY: the region has that many bytes and nobody else knows it yet.
    unsafe { start.write_bytes(0xCB, region.length) };
    machine
        .mm
        .memory
        .contiguous
        .lock()
        .insert(start.addr(), region);
    start.cast()
}

/// Frees contiguous memory.
///
/// # Safety
///
/// Nobody uses the memory any more.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn MmFreeContiguousMemory(memory: PVOID) {
    const FUNCTION: &str = "MmFreeContiguousMemory";

    ke::require(FUNCTION, ke::PASSIVE..=ke::DISPATCH);
    let machine = kernel::machine();
    let region = machine.mm.memory.contiguous.lock().remove(&memory.addr());
    match region {
        Some(region) => {
            let start = memory.addr();
            ke::dpc::memory_freed(machine, &(start..start + region.length));
        }
        None => machine.violated(
            &violation::FREE_UNKNOWN,
            format_args!("{FUNCTION}: {memory:p} is no contiguous memory"),
        ),
    }
}
