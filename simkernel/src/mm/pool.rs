//! Pool.
//!
//! # Safety
//!
//! The unsafe code of this file allocates from the host, and reads and writes what is the pool's: a block's guards always, its
//! bytes before it is handed out and after it is freed.
#![expect(unsafe_code, reason = "owns the memory of the pool")]

use alloc::alloc::{alloc, dealloc};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::{AtomicBool, Ordering};

use nmr_netdma::sys::{_POOL_TYPE, POOL_TYPE, PVOID, SIZE_T, ULONG};

use super::PAGE;
use super::violation;
use crate::fault::Fault;
use crate::hash::WordSet;
use crate::ke;
use crate::kernel::{self, Machine, Os};
use crate::netio;
use crate::platform::Mutex;
use crate::verifier::Leak;

/// Bytes of each guard around a block, which is also what blocks are aligned to.
const GUARD: usize = 16;

const GUARD_PATTERN: u8 = 0x5A;
/// What new memory is full of.
const NEW_PATTERN: u8 = 0xCB;
/// What freed memory is full of.
const FREED_PATTERN: u8 = 0xDD;

/// Freed blocks that are remembered, and bytes that they may have together. Miri and sanitizers find every use of a block that is
/// really freed.
const REMEMBERED_BLOCKS: usize = if cfg!(any(miri, sanitizer)) { 0 } else { 256 };
const REMEMBERED_BYTES: usize = 1 << 20;

/// Where the physical addresses of pool begin: no other memory is there.
const PHYSICAL_BASE: u64 = 1 << 51;

/// A tag as tools show it, for reports.
struct Tag(ULONG);

impl core::fmt::Display for Tag {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "'{}'", self.0.to_le_bytes().escape_ascii())
    }
}

/// What is allocated under a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    /// The tag, as tools show it.
    pub tag: String,
    /// The sizes of the blocks in bytes.
    pub sizes: Vec<usize>,
}

/// A block. `start` is what the driver has; a guard follows the block, and one precedes it if it is below a page.
struct Block {
    start: NonNull<u8>,
    size: usize,
    tag: ULONG,
    paged: bool,
}

// SAFETY: a block owns its memory, which any thread may use.
unsafe impl Send for Block {}

impl Block {
    /// How the host is asked for the memory of a block of `size` bytes, and where in it the block begins.
    fn layout(size: usize) -> Option<(Layout, usize)> {
        if size < PAGE {
            // The front guard moves the block off the host's alignment of twice the promise.
            let layout = Layout::from_size_align(size + 2 * GUARD, 2 * GUARD).ok()?;
            Some((layout, GUARD))
        } else {
            let layout = Layout::from_size_align(size.checked_add(GUARD)?, PAGE).ok()?;
            Some((layout, 0))
        }
    }

    fn new(size: usize, tag: ULONG, paged: bool) -> Option<Self> {
        let (layout, offset) = Self::layout(size)?;
        // SAFETY: the layout's size is not zero, as there is a guard.
        let memory = NonNull::new(unsafe { alloc(layout) })?;
        // SAFETY: the front guard, if any, is at the beginning of the memory, which was just allocated and is nobody's yet.
        unsafe { memory.write_bytes(GUARD_PATTERN, offset) };
        // SAFETY: the offset is within the layout.
        let start = unsafe { memory.add(offset) };
        // SAFETY: the layout has room for the block and for a guard behind it.
        let behind = unsafe { start.add(size) };
        // SAFETY: as above.
        unsafe { behind.write_bytes(GUARD_PATTERN, GUARD) };
        let block = Self {
            start,
            size,
            tag,
            paged,
        };
        block.fill(NEW_PATTERN);
        Some(block)
    }

    fn address(&self) -> usize {
        self.start.addr().get()
    }

    fn fill(&self, pattern: u8) {
        // SAFETY: the block has `size` bytes, and its callers have it before or after the driver.
        unsafe { self.start.write_bytes(pattern, self.size) };
    }

    /// Whether the bytes from `from` on, seen from the start, are all `pattern`.
    fn is(&self, from: isize, length: usize, pattern: u8) -> bool {
        // SAFETY: the callers stay within the block and its guards.
        let first = unsafe { self.start.as_ptr().offset(from) };
        // SAFETY: as above; these bytes were written by this file, and nobody has the right to write them now.
        let bytes = unsafe { slice::from_raw_parts(first, length) };
        // Word by word: most of what pool costs is here.
        let word = u64::from_ne_bytes([pattern; 8]);
        let (words, rest) = bytes.as_chunks();
        words.iter().all(|bytes| u64::from_ne_bytes(*bytes) == word)
            && rest.iter().all(|byte| *byte == pattern)
    }

    /// Which guard was written to.
    fn overrun(&self) -> Option<&'static str> {
        if !self.is(self.size as isize, GUARD, GUARD_PATTERN) {
            Some("after")
        } else if self.size < PAGE && !self.is(-(GUARD as isize), GUARD, GUARD_PATTERN) {
            Some("before")
        } else {
            None
        }
    }

    fn check_guards(&self, machine: &Machine) {
        if let Some(side) = self.overrun() {
            machine.violated(
                &violation::OVERRUN,
                format_args!(
                    "bytes {side} the block {:p} ({} bytes, {}) were written",
                    self.start,
                    self.size,
                    Tag(self.tag)
                ),
            );
        }
    }

    fn check_freed(&self, machine: &Machine) {
        if !self.is(0, self.size, FREED_PATTERN) {
            machine.violated(
                &violation::USE_AFTER_FREE,
                format_args!(
                    "the freed block {:p} ({} bytes, {}) was written",
                    self.start,
                    self.size,
                    Tag(self.tag)
                ),
            );
        }
    }

    fn release(self) {
        let Some((layout, offset)) = Self::layout(self.size) else {
            return;
        };
        // SAFETY: `new` added the same offset to what the host gave.
        let memory = unsafe { self.start.sub(offset) };
        // SAFETY: `new` allocated it with this layout, and a block is released once, since this consumes it.
        unsafe { dealloc(memory.as_ptr(), layout) };
    }
}

#[derive(Default)]
struct Blocks {
    /// By address.
    live: BTreeMap<usize, Block>,
    /// Freed blocks, the latest last, with the pattern in them.
    freed: VecDeque<Block>,
    /// Where they are.
    freed_at: WordSet<usize>,
    freed_bytes: usize,
}

#[derive(Default)]
pub(super) struct Pool {
    blocks: Mutex<Blocks>,
    /// Whether there ever was a block, and a freed one.
    used: AtomicBool,
    remembers: AtomicBool,
}

impl Pool {
    /// Which of the addresses are those of freed blocks.
    #[inline]
    pub(super) fn were_freed<const N: usize>(&self, addresses: [usize; N]) -> [bool; N] {
        if self.remembers.load(Ordering::Relaxed) {
            let blocks = self.blocks.lock();
            addresses.map(|address| blocks.freed_at.contains(&address))
        } else {
            [false; N]
        }
    }

    /// Whether one of the addresses is that of a block.
    #[inline]
    pub(super) fn has_any<const N: usize>(&self, addresses: [usize; N]) -> bool {
        self.used.load(Ordering::Relaxed) && {
            let blocks = self.blocks.lock();
            addresses
                .iter()
                .any(|address| blocks.live.contains_key(address))
        }
    }

    fn allocate(&self, size: usize, tag: ULONG, paged: bool) -> Option<NonNull<u8>> {
        let block = Block::new(size, tag, paged)?;
        let start = block.start;
        self.used.store(true, Ordering::Relaxed);
        self.blocks.lock().live.insert(block.address(), block);
        Some(start)
    }

    /// Takes the block at `address` out of use; a violation and `None` if there is none.
    fn take(&self, machine: &Machine, address: usize) -> Option<Block> {
        let freed = {
            let mut blocks = self.blocks.lock();
            if let Some(block) = blocks.live.remove(&address) {
                return Some(block);
            }
            blocks.freed_at.contains(&address)
        };
        if freed {
            machine.violated(
                &violation::FREE_TWICE,
                format_args!("the block {address:#x} was freed before"),
            );
        } else {
            machine.violated(
                &violation::FREE_UNKNOWN,
                format_args!("{address:#x} is no block of pool"),
            );
        }
        None
    }

    /// Keeps a freed block for a while.
    fn bury(&self, machine: &Machine, block: Block) {
        block.fill(FREED_PATTERN);
        let mut forgotten = Vec::new();
        let mut blocks = self.blocks.lock();
        blocks.freed_bytes += block.size;
        blocks.freed_at.insert(block.address());
        self.remembers.store(true, Ordering::Relaxed);
        blocks.freed.push_back(block);
        while blocks.freed.len() > REMEMBERED_BLOCKS || blocks.freed_bytes > REMEMBERED_BYTES {
            let Some(block) = blocks.freed.pop_front() else {
                break;
            };
            blocks.freed_bytes -= block.size;
            blocks.freed_at.remove(&block.address());
            forgotten.push(block);
        }
        drop(blocks);
        for block in forgotten {
            block.check_freed(machine);
            block.release();
        }
    }

    /// The block that `address` lies in, and the offset.
    fn find<R>(&self, address: usize, found: impl FnOnce(&Block, usize) -> R) -> Option<R> {
        let blocks = self.blocks.lock();
        let (start, block) = blocks.live.range(..=address).next_back()?;
        let offset = address - start;
        (offset < block.size).then(|| found(block, offset))
    }

    pub(super) fn physical_of(&self, address: usize) -> Option<u64> {
        self.find(address, |_, _| PHYSICAL_BASE + address as u64)
    }

    pub(super) fn virtual_of(&self, physical: u64, length: usize) -> Option<*mut u8> {
        let address = usize::try_from(physical.checked_sub(PHYSICAL_BASE)?).ok()?;
        self.find(address, |block, offset| {
            // SAFETY: the offset is within the block.
            let place = unsafe { block.start.add(offset) };
            (length <= block.size - offset).then_some(place.as_ptr())
        })?
    }

    pub(super) fn usage(&self) -> Vec<PoolUsage> {
        let mut by_tag: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for block in self.blocks.lock().live.values() {
            let tag = block.tag.to_le_bytes().escape_ascii().to_string();
            by_tag.entry(tag).or_default().push(block.size);
        }
        by_tag
            .into_iter()
            .map(|(tag, sizes)| PoolUsage { tag, sizes })
            .collect()
    }

    /// Names what is left, and looks once more at everything that was or is allocated.
    pub(super) fn leaks(&self, machine: &Machine, leaks: &mut Vec<Leak>) {
        leaks.extend(
            self.usage()
                .into_iter()
                .map(|PoolUsage { tag, mut sizes }| {
                    let (blocks, bytes) = (sizes.len(), sizes.iter().sum::<usize>());
                    let more = if blocks > 16 { ", ..." } else { "" };
                    sizes.truncate(16);
                    Leak {
                        kind: "pool",
                        detail: format!("'{tag}': {blocks} blocks, {bytes} bytes {sizes:?}{more}"),
                    }
                }),
        );
        let blocks = self.blocks.lock();
        for block in blocks.live.values() {
            block.check_guards(machine);
        }
        for block in &blocks.freed {
            block.check_freed(machine);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut blocks = self.blocks.lock();
        let blocks = core::mem::take(&mut *blocks);
        for block in blocks.live.into_values().chain(blocks.freed) {
            block.release();
        }
    }
}

/// Whether the pool type is a paged one; `None` if the system does not know it.
fn is_paged(os: Os, pool: POOL_TYPE) -> Option<bool> {
    match pool {
        _POOL_TYPE::NonPagedPool | _POOL_TYPE::NonPagedPoolCacheAligned => Some(false),
        _POOL_TYPE::PagedPool | _POOL_TYPE::PagedPoolCacheAligned => Some(true),
        // From Windows 8 on.
        _POOL_TYPE::NonPagedPoolNx | _POOL_TYPE::NonPagedPoolNxCacheAligned if os == Os::Win10 => {
            Some(false)
        }
        _ => None,
    }
}

/// Memory from the pool; null if there is none. It is not zeroed.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn ExAllocatePoolWithTag(
    pool: POOL_TYPE,
    bytes: SIZE_T,
    tag: ULONG,
) -> PVOID {
    const FUNCTION: &str = "ExAllocatePoolWithTag";

    let machine: &Arc<Machine> = kernel::machine();
    let kind = is_paged(machine.config.os, pool);
    let paged = kind.unwrap_or(false);
    ke::require(
        FUNCTION,
        ke::PASSIVE..=if paged { ke::APC } else { ke::DISPATCH },
    );
    if kind.is_none() || bytes == 0 || tag == 0 {
        machine.violated(
            &violation::ALLOCATION,
            format_args!(
                "{FUNCTION}: {bytes} bytes of pool type {pool} for tag {}",
                Tag(tag)
            ),
        );
    }
    netio::allocating(machine, FUNCTION);
    let what = format_args!("{bytes} bytes of pool for {}", Tag(tag));
    if machine.fails(Fault::Allocation, what) {
        return ptr::null_mut();
    }
    let block = usize::try_from(bytes)
        .ok()
        .and_then(|size| machine.mm.pool.allocate(size, tag, paged));
    block.map_or(ptr::null_mut(), |block| block.as_ptr().cast())
}

/// Frees memory of the pool.
///
/// # Safety
///
/// Nobody uses the memory any more.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn ExFreePoolWithTag(memory: PVOID, tag: ULONG) {
    const FUNCTION: &str = "ExFreePoolWithTag";

    let machine = kernel::machine();
    let pool = &machine.mm.pool;
    let block = pool.take(machine, memory.addr());
    let paged = block.as_ref().is_some_and(|block| block.paged);
    ke::require(
        FUNCTION,
        ke::PASSIVE..=if paged { ke::APC } else { ke::DISPATCH },
    );
    let Some(block) = block else { return };
    // A tag of zero frees any block.
    if tag != 0 && tag != block.tag {
        machine.violated(
            &violation::FREE_TAG,
            format_args!(
                "{FUNCTION}: the block {memory:p} has tag {} and is freed with {}",
                Tag(block.tag),
                Tag(tag)
            ),
        );
    }
    ke::dpc::memory_freed(machine, &(block.address()..block.address() + block.size));
    block.check_guards(machine);
    pool.bury(machine, block);
}
