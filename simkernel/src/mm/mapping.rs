//! Registers on the bus, and mappings of them and of memory.
//!
//! # Design
//!
//! Memory is always where it is: a mapping of it is a count. A mapping of registers reserves an address range of its own, which
//! holds a pattern and leads to the device. Mappings are kept in parts by their address, each with its lock, since engines map
//! and unmap for every descriptor on all processors.
//!
//! # Safety
//!
//! The unsafe code of this file accesses memory that a driver names as a register, after finding it in memory of the machine.
#![expect(unsafe_code, reason = "reads and writes registers that are memory")]

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{Ordering, fence};

use nmr_netdma::sys::{self, MEMORY_CACHING_TYPE, PHYSICAL_ADDRESS, PVOID, SIZE_T};

use super::{PAGE, Registers, violation, virtual_of};
use crate::ke;
use crate::kernel::{self, Machine};
use crate::platform::{Mutex, Reserved, RwLock};
use crate::verifier::Leak;

/// Where a bus places registers.
const BUS_START: u64 = 0xC000_0000;
const BUS_END: u64 = 0xFEC0_0000;
/// Where it goes on when that is full.
const HIGH_BUS_START: u64 = 1 << 40;

const PARTS: usize = 16;

/// A range of registers on the bus.
struct Bar {
    length: usize,
    registers: Arc<dyn Registers>,
}

struct Bus {
    bars: BTreeMap<u64, Bar>,
    next: u64,
}

/// Mapped registers.
struct View {
    physical: u64,
    /// Of the first mapped byte.
    offset: usize,
    length: usize,
    registers: Arc<dyn Registers>,
    /// Nobody but a driver in error touches it, where the register functions are functions.
    range: Reserved,
}

/// The mappings of one range.
struct Mapping {
    physical: u64,
    count: u64,
}

/// By address and length.
type Part = BTreeMap<(usize, usize), Mapping>;

pub(super) struct Mappings {
    bus: Mutex<Bus>,
    parts: [Mutex<Part>; PARTS],
    views: RwLock<BTreeMap<usize, View>>,
}

impl Default for Mappings {
    fn default() -> Self {
        Self {
            bus: Mutex::new(Bus {
                bars: BTreeMap::new(),
                next: BUS_START,
            }),
            parts: Default::default(),
            views: RwLock::default(),
        }
    }
}

impl View {
    fn new(
        physical: u64,
        offset: usize,
        length: usize,
        registers: Arc<dyn Registers>,
    ) -> Option<Self> {
        let range = Reserved::new(physical as usize % PAGE + length + PAGE)?;
        Some(Self {
            physical,
            offset,
            length,
            registers,
            range,
        })
    }

    /// The first mapped byte, which lies in its page as the register does.
    fn start(&self) -> *mut u8 {
        let first = self.range.start();
        let gap = (self.physical as usize).wrapping_sub(first.addr()) % PAGE;
        // The range is a page longer than what is mapped.
        first.wrapping_add(gap)
    }
}

impl Mappings {
    fn part(&self, address: usize) -> &Mutex<Part> {
        &self.parts[(address / PAGE).wrapping_mul(0x9E37_79B9) >> 8 & (PARTS - 1)]
    }

    pub(super) fn add_bar(&self, length: usize, registers: Arc<dyn Registers>) -> u64 {
        // A range of registers is aligned to its size, a power of two.
        let size = (length.max(PAGE) as u64).next_power_of_two();
        let mut bus = self.bus.lock();
        let mut physical = bus.next.next_multiple_of(size);
        if bus.next < BUS_END && physical + size > BUS_END {
            physical = HIGH_BUS_START.next_multiple_of(size);
        }
        bus.next = physical + size;
        bus.bars.insert(physical, Bar { length, registers });
        physical
    }

    pub(super) fn remove_bar(&self, physical: u64) {
        self.bus.lock().bars.remove(&physical);
    }

    /// The registers that all of the range lies in, and its offset there.
    fn registers(&self, physical: u64, length: usize) -> Option<(Arc<dyn Registers>, usize)> {
        let bus = self.bus.lock();
        let (start, bar) = bus.bars.range(..=physical).next_back()?;
        let offset = usize::try_from(physical - start).ok()?;
        let fits = offset < bar.length && length <= bar.length - offset;
        fits.then(|| (Arc::clone(&bar.registers), offset))
    }

    fn map(&self, machine: &Arc<Machine>, physical: u64, length: usize) -> Option<*mut u8> {
        let start = match virtual_of(machine, physical, length) {
            Some(memory) => memory,
            None => {
                let (registers, offset) = self.registers(physical, length)?;
                let view = View::new(physical, offset, length, registers)?;
                let start = view.start();
                self.views.write().insert(start.addr(), view);
                start
            }
        };
        let mut part = self.part(start.addr()).lock();
        part.entry((start.addr(), length))
            .or_insert(Mapping { physical, count: 0 })
            .count += 1;
        Some(start)
    }

    /// Takes one mapping away; the length it had, or `None` if there is none at `address`.
    fn unmap(&self, machine: &Machine, address: usize, length: usize) -> Option<usize> {
        let length = {
            let mut part = self.part(address).lock();
            let length = if part.contains_key(&(address, length)) {
                length
            } else {
                part.range((address, 0)..=(address, usize::MAX)).next()?.0.1
            };
            let mapping = part.get_mut(&(address, length))?;
            mapping.count -= 1;
            if mapping.count == 0 {
                part.remove(&(address, length));
            }
            length
        };
        let view = self.views.write().remove(&address);
        if let Some(view) = view
            && !view.range.is_intact()
        {
            machine.violated(
                &violation::REGISTER,
                format_args!(
                    "mapped registers, physical {:#x}, were written as if they were memory",
                    view.physical
                ),
            );
        }
        Some(length)
    }

    /// Whether anything in the range is mapped.
    pub(super) fn any_in(&self, range: &Range<usize>) -> bool {
        self.parts.iter().any(|part| {
            part.lock()
                .range((range.start, 0)..(range.end, 0))
                .next()
                .is_some()
        })
    }

    pub(super) fn physical_of(&self, address: usize) -> Option<u64> {
        let views = self.views.read();
        let (start, view) = views.range(..=address).next_back()?;
        let offset = address - start;
        (offset < view.length).then_some(view.physical + offset as u64)
    }

    /// The mapped register at `address`, and its offset.
    fn register(&self, address: usize, bytes: usize) -> Option<(Arc<dyn Registers>, usize)> {
        let views = self.views.read();
        let (start, view) = views.range(..=address).next_back()?;
        let offset = address - start;
        let inside = offset < view.length && view.length - offset >= bytes;
        inside.then(|| (Arc::clone(&view.registers), view.offset + offset))
    }

    pub(super) fn is_register(&self, address: usize) -> bool {
        self.register(address, 1).is_some()
    }

    pub(super) fn leaks(&self, leaks: &mut Vec<Leak>) {
        for part in &self.parts {
            leaks.extend(
                part.lock()
                    .iter()
                    .map(|((_, length), Mapping { physical, count })| Leak {
                        kind: "mapping",
                        detail: format!("{count} times {length} bytes at physical {physical:#x}"),
                    }),
            );
        }
    }
}

/// Maps physical memory or registers; null if there are none.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn MmMapIoSpace(
    physical: PHYSICAL_ADDRESS,
    bytes: SIZE_T,
    _cache: MEMORY_CACHING_TYPE,
) -> PVOID {
    const FUNCTION: &str = "MmMapIoSpace";

    ke::take_interrupts();
    ke::require(FUNCTION, ke::PASSIVE..=ke::DISPATCH);
    let machine = kernel::machine();
    let physical = sys::physical_address_bits(physical);
    let length = usize::try_from(bytes).ok().filter(|length| *length > 0);
    let mapped = length.and_then(|length| machine.mm.mappings.map(machine, physical, length));
    mapped.map_or_else(
        || {
            machine.violated(
                &violation::MAP_UNKNOWN,
                format_args!("{FUNCTION}: {bytes} bytes at physical {physical:#x}"),
            );
            ptr::null_mut()
        },
        |mapped| mapped.cast(),
    )
}

/// Takes a mapping away.
///
/// # Safety
///
/// Nobody uses this mapping any more.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn MmUnmapIoSpace(address: PVOID, bytes: SIZE_T) {
    const FUNCTION: &str = "MmUnmapIoSpace";

    ke::require(FUNCTION, ke::PASSIVE..=ke::DISPATCH);
    let machine = kernel::machine();
    let bytes = bytes as usize;
    match machine.mm.mappings.unmap(machine, address.addr(), bytes) {
        Some(length) if length == bytes => {}
        Some(length) => machine.violated(
            &violation::UNMAP_SIZE,
            format_args!("{FUNCTION}: the mapping at {address:p} has {length} bytes, not {bytes}"),
        ),
        None => machine.violated(
            &violation::UNMAP_UNKNOWN,
            format_args!("{FUNCTION}: nothing is mapped at {address:p}"),
        ),
    }
}

/// What a register function got.
enum Target {
    Device(Arc<dyn Registers>, usize),
    Memory,
    /// Nothing; recorded as a violation.
    Nothing,
}

fn target<T>(function: &'static str, address: *mut T) -> Target {
    let machine = kernel::machine();
    if address.is_aligned() {
        if let Some((registers, offset)) =
            machine.mm.mappings.register(address.addr(), size_of::<T>())
        {
            return Target::Device(registers, offset);
        }
        if machine.mm.memory.physical_of(address.addr()).is_some() {
            return Target::Memory;
        }
    }
    machine.violated(
        &violation::REGISTER,
        format_args!("{function}: {address:p} is no mapped register"),
    );
    Target::Nothing
}

macro_rules! register_functions {
    ($($value:ty: $read:ident, $write:ident;)*) => {$(
        /// Reads a register; all ones if there is none.
        ///
        /// # Safety
        ///
        /// Memory that is read as a register is not written by others meanwhile, unless atomically.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "system" fn $read(register: *mut $value) -> $value {
            match target(stringify!($read), register) {
                // CAST: so many bytes.
                Target::Device(registers, offset) => {
                    registers.read_bytes(offset, size_of::<$value>()) as $value
                }
                // SAFETY: aligned and found in the machine's memory, which has whole pages.
                Target::Memory => unsafe { register.read_volatile() },
                Target::Nothing => <$value>::MAX,
            }
        }

        /// Writes a register.
        ///
        /// # Safety
        ///
        /// As for reading.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "system" fn $write(register: *mut $value, value: $value) {
            match target(stringify!($write), register) {
                Target::Device(registers, offset) => {
                    registers.write_bytes(offset, size_of::<$value>(), value.into());
                }
                // SAFETY: aligned and found in the machine's memory, which has whole pages.
                Target::Memory => unsafe { register.write_volatile(value) },
                Target::Nothing => {}
            }
            fence(Ordering::SeqCst);
            ke::take_interrupts();
        }
    )*};
}

register_functions! {
    u8: READ_REGISTER_UCHAR, WRITE_REGISTER_UCHAR;
    u16: READ_REGISTER_USHORT, WRITE_REGISTER_USHORT;
    u32: READ_REGISTER_ULONG, WRITE_REGISTER_ULONG;
    u64: READ_REGISTER_ULONG64, WRITE_REGISTER_ULONG64;
}
