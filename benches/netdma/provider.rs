//! A provider whose engine does its work in NetDMA's call, so that nothing of the kernel is in between: the library's path and no more.
//!
//! # Design
//!
//! * **One stretch of memory** holds descriptors and data; a physical address is an offset into it, on both sides of the
//!   comparison. How long it takes to map memory is the system's business and not measured.
//! * **No lock.** A driver has one around its list, in C as in Rust; it would be the simulated kernel's.
//! * **The handlers are called through the table that the library registered,** from a loop that is the same for the C side's.
//!
//! # Safety
//!
//! The unsafe code of this file reads and writes the stretch at checked offsets, states that channels are called by one thread at a time
//! and at DISPATCH_LEVEL, as the loop does, and calls the handlers as NetDMA would.
#![expect(unsafe_code, reason = "plays NetDMA and an engine's memory")]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use nmr_netdma::irql::{AtMostDispatch, Dispatch, Passive};
use nmr_netdma::kmdf::memory::PhysicalMapping;
use nmr_netdma::kmdf::{self, AddedDevice, DeviceInit, DriverInit, PowerState};
use nmr_netdma::netdma::descriptor::ALIGNMENT;
use nmr_netdma::netdma::{
    Affinities, Allocated, Attributes, Capabilities, Chain, Channel, ChannelParameters,
    Characteristics, ControlFlags, Cursor, Engine, Interface, Link, Name, PhysicalMemory, Provider,
    Registered, Transfer, TransferStatus, Version, Work,
};
use nmr_netdma::physical_memory::PhysicalRange;
use nmr_netdma::{Error, Irql, Result, sys};
use simkernel::pnp::{DeviceConfig, DriverEntry};
use simkernel::{Config, Kernel};

/// The physical address of the first byte of the stretch.
pub(crate) const PHYSICAL: u64 = 1 << 32;
pub(crate) const MAXIMUM_TRANSFER: u32 = 1 << 20;
pub(crate) const MAXIMUM_ADDRESS: u64 = (1 << 52) - 1;
pub(crate) const CHANNELS: usize = 2;
/// Descriptors of a channel's ring.
pub(crate) const RING: usize = 1024;

/// Zeroed memory, aligned to a page, that stands for all there is.
pub(crate) struct Memory {
    start: *mut u8,
    layout: Layout,
}

// SAFETY: the memory is nobody's but the value's, and is accessed through raw pointers only; who writes where is the measurements'
// business, which give each thread a part of its own.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) fn new(length: usize) -> Arc<Self> {
        let layout = Layout::from_size_align(length.max(4096), 4096).expect("a sensible length");
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc_zeroed(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        Arc::new(Self { start, layout })
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start
    }

    pub(crate) fn length(&self) -> usize {
        self.layout.size()
    }

    /// Whether [`flush`](Self::flush) does anything.
    pub(crate) const CAN_FLUSH: bool = cfg!(target_arch = "x86_64");

    /// Puts `length` bytes from `offset` on out of all caches.
    pub(crate) fn flush(&self, offset: usize, length: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            let end = (offset + length).min(self.length());
            for line in (offset..end).step_by(64) {
                // SAFETY: every x86-64 processor has the instruction, and the line is in the stretch.
                unsafe { std::arch::x86_64::_mm_clflush(self.start.wrapping_add(line)) };
            }
            // SAFETY: every x86-64 processor has the instruction.
            unsafe { std::arch::x86_64::_mm_mfence() };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (offset, length);
    }

    /// The address of `length` bytes from `physical` on, if they are in the stretch.
    #[inline]
    fn at(&self, physical: u64, length: usize) -> Option<*mut u8> {
        let offset = physical.wrapping_sub(PHYSICAL) as usize;
        let rest = self.length().checked_sub(offset)?;
        (rest >= length).then(|| self.start.wrapping_add(offset))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `new`, and freed here only.
        unsafe { dealloc(self.start, self.layout) };
    }
}

/// Reads the stretch.
struct Reader<'a>(&'a Memory);

// SAFETY: what is read is what is in the stretch.
unsafe impl PhysicalMemory for Reader<'_> {
    #[inline]
    fn read(&mut self, range: PhysicalRange<'_>, words: &mut [u64]) -> Result<()> {
        let start = self
            .0
            .at(range.address(), range.length() as usize)
            .filter(|start| start.addr().is_multiple_of(8))
            .ok_or(Error::INVALID_PARAMETER)?;
        for (index, word) in words.iter_mut().enumerate() {
            let place = start.cast::<u64>().wrapping_add(index);
            // SAFETY: the range, whose length is that of `words`, is in the stretch and aligned, by the test above.
            *word = unsafe { place.read_volatile() };
        }
        Ok(())
    }
}

/// What an engine does with a piece.
pub(crate) trait Execute: Send + Sync + 'static {
    fn execute(memory: &Memory, transfer: &Transfer<'_>, sum: &mut u64);
}

/// Nothing but a sum, which keeps everything from being left out.
pub(crate) struct Count;

impl Execute for Count {
    #[inline]
    fn execute(_: &Memory, transfer: &Transfer<'_>, sum: &mut u64) {
        if let Work::Copy(pieces) = &transfer.work {
            for piece in pieces.iter() {
                let addresses = piece.source.address() ^ piece.destination.address();
                *sum = sum.wrapping_add(addresses.wrapping_add(piece.source.length().into()));
            }
        }
    }
}

/// The copy.
pub(crate) struct Copy;

impl Execute for Copy {
    #[inline]
    fn execute(memory: &Memory, transfer: &Transfer<'_>, _: &mut u64) {
        if let Work::Copy(pieces) = &transfer.work {
            for piece in pieces.iter() {
                let length = piece.source.length() as usize;
                let source = memory.at(piece.source.address(), length);
                let destination = memory.at(piece.destination.address(), length);
                if let (Some(source), Some(destination)) = (source, destination) {
                    copy(source, destination, length);
                }
            }
        }
    }
}

/// Copies like C's `memcpy`; both sides of the comparison call it.
#[inline(never)]
pub(crate) fn copy(source: *const u8, destination: *mut u8, length: usize) {
    // SAFETY: the callers pass parts of a stretch, which do not overlap.
    unsafe { ptr::copy_nonoverlapping(source, destination, length) };
}

#[derive(Default)]
struct Progress {
    cursor: Cursor,
    sum: u64,
}

/// What a channel works on. Two channels share no cache line, nor a pair of them.
#[repr(align(128))]
struct Lane {
    link: Link,
    work: UnsafeCell<Progress>,
}

// SAFETY: the loop calls each channel from one thread at a time.
unsafe impl Sync for Lane {}

struct Inline<E> {
    memory: Arc<Memory>,
    lanes: Vec<Lane>,
    allocated: AtomicU64,
    _execute: std::marker::PhantomData<E>,
}

struct Numbered(usize);

impl<E: Execute> Inline<E> {
    #[inline]
    fn run(&self, lane: &Lane, chain: impl FnOnce(&mut Cursor) -> Result<()>) -> Result<()> {
        // SAFETY: only this thread calls the channel, and nothing in here does.
        let work = unsafe { &mut *lane.work.get() };
        chain(&mut work.cursor)?;
        // SAFETY: the loop has raised the level.
        let mut irql = unsafe { Irql::<Dispatch>::assume() };
        let Some(mut link) = lane.link.open(&mut irql) else {
            return Ok(());
        };
        let mut reader = Reader(&self.memory);
        loop {
            let (lease, _) = link.split();
            let Some(transfer) = work.cursor.next(lease, &mut reader)? else {
                return Ok(());
            };
            E::execute(&self.memory, &transfer, &mut work.sum);
            if transfer.flags.contains(ControlFlags::STATUS) {
                let status = if work.cursor.has_more() {
                    TransferStatus::Active
                } else {
                    TransferStatus::Idle
                };
                let descriptor = transfer.descriptor;
                link.publish(descriptor, status);
            }
        }
    }
}

impl<E: Execute> Provider for Inline<E> {
    type Channel = Numbered;

    fn set_channel_cpu_affinity(&self, _: Affinities<'_>, _: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    fn allocate_channel(
        &self,
        _: &ChannelParameters,
        _: &mut Irql<AtMostDispatch>,
    ) -> Result<Allocated<Numbered>> {
        let index = self.allocated.fetch_add(1, Ordering::Relaxed) as usize;
        let lane = self.lanes.get(index).ok_or(Error::INSUFFICIENT_RESOURCES)?;
        Ok(Allocated {
            channel: Numbered(index),
            processor: 0,
            link: lane.link.claim()?,
        })
    }
}

impl<E: Execute> Channel<Inline<E>> for Numbered {
    #[inline]
    fn start(
        &self,
        provider: &Inline<E>,
        chain: &Chain,
        _: &mut Irql<AtMostDispatch>,
    ) -> Result<()> {
        provider.run(&provider.lanes[self.0], |cursor| {
            cursor.start(chain);
            Ok(())
        })
    }

    #[inline]
    fn append(
        &self,
        provider: &Inline<E>,
        chain: &Chain,
        _: &mut Irql<AtMostDispatch>,
    ) -> Result<()> {
        provider.run(&provider.lanes[self.0], |cursor| Ok(cursor.append(chain)?))
    }

    fn free(self, _: &Inline<E>, _: &mut Irql<AtMostDispatch>) {}
}

// The driver around it.

/// The stretch of the machine that is being booted.
static NEXT_MEMORY: Mutex<Option<Arc<Memory>>> = Mutex::new(None);

struct Driver<E>(std::marker::PhantomData<E>);

struct Device<E: Execute>(Engine<Inline<E>>);

impl<E: Execute> kmdf::Driver for Driver<E> {
    fn init(_: &DriverInit<'_>, _: &mut Irql<Passive>) -> Result<Self> {
        Ok(Self(std::marker::PhantomData))
    }

    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> Result<AddedDevice<'a>> {
        let device = init.create::<Device<E>>(irql)?;
        let memory = NEXT_MEMORY.lock().ok().and_then(|mut next| next.take());
        let lanes = (0..CHANNELS).map(|_| {
            Ok(Lane {
                link: Link::new(irql)?,
                work: UnsafeCell::default(),
            })
        });
        let provider = Inline::<E> {
            memory: memory.ok_or(Error::INVALID_DEVICE_STATE)?,
            lanes: lanes.collect::<Result<_>>()?,
            allocated: AtomicU64::new(0),
            _execute: std::marker::PhantomData,
        };
        let characteristics = Characteristics {
            version: Version::V2_1,
            capabilities: Capabilities::empty(),
            device: device.physical_device(),
            maximum_channels: CHANNELS as u32,
            name: const { Name::new("Measured") },
        };
        let interface = Interface::find(irql);
        let image = device.image();
        let registered = Registered::register(image, &interface, provider, &characteristics, irql)
            .map_err(|failed| Error::from(failed.error))?;
        Ok(device.finish(Device(registered.into_engine())))
    }
}

impl<E: Execute> kmdf::Device for Device<E> {
    fn d0_entry_post_interrupts_enabled(
        &self,
        _: PowerState,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let attributes = Attributes {
            hardware_version: (1, 0),
            vendor: 0x1AF4,
            channels: CHANNELS as u32,
            maximum_transfer_size: MAXIMUM_TRANSFER,
            maximum_address: MAXIMUM_ADDRESS,
        };
        self.0.start(&attributes, irql)
    }

    fn d0_exit_pre_interrupts_disabled(
        &self,
        _: PowerState,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        self.0.stop(irql)
    }
}

pub(crate) mod counting {
    nmr_netdma::kmdf::driver_entry!(super::Driver<super::Count>);
}

pub(crate) mod copying {
    nmr_netdma::kmdf::driver_entry!(super::Driver<super::Copy>);
}

/// `DMA_START_HANDLER` and `DMA_APPEND_HANDLER`.
pub(crate) type Run = unsafe extern "system" fn(
    *mut c_void,
    sys::PNET_DMA_DESCRIPTOR,
    sys::PHYSICAL_ADDRESS,
    u32,
) -> sys::NTSTATUS;

/// A completion word with its cache lines for itself, as NetDMA's are.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Word(pub(crate) AtomicU64);

/// A channel of either side, as NetDMA has it.
#[derive(Clone, Copy)]
pub(crate) struct Handle {
    pub(crate) context: *mut c_void,
    pub(crate) start: Run,
    pub(crate) append: Run,
    /// Its completion word.
    pub(crate) completion: *const AtomicU64,
}

// SAFETY: the context is a channel's, which any thread may call, one at a time; the word is atomic.
unsafe impl Send for Handle {}

/// Boots a machine with the provider that `entry` registers, and gives `body` its channels.
pub(crate) fn with_channels<R>(
    entry: DriverEntry,
    memory: &Arc<Memory>,
    body: impl FnOnce([Handle; CHANNELS]) -> R,
) -> R {
    let kernel = Kernel::boot(Config::default());
    *NEXT_MEMORY.lock().expect("nobody panicked") = Some(memory.clone());
    let driver = kernel.load_driver("measured", entry).expect("it loads");
    let device = kernel
        .add_device(driver, DeviceConfig::default())
        .expect("the device starts");
    let provider = kernel.netdma().providers()[0].id;
    let (table, context) = kernel
        .netdma()
        .handlers(provider)
        .expect("it is registered");

    let words: [Word; CHANNELS] = Default::default();
    let handles = words.each_ref().map(|Word(word)| {
        let mut parameters = sys::NET_DMA_CHANNEL_PARAMETERS {
            Revision: 2,
            Size: size_of::<sys::NET_DMA_CHANNEL_PARAMETERS>() as u16,
            CompletionVirtualAddress: word.as_ptr().cast(),
            // Whatever it is, it is there.
            CompletionPhysicalAddress: sys::physical_address(8),
            ProcessorAffinityMask: 1,
            ..Default::default()
        };
        let mut channel = ptr::null_mut();
        let allocate = table.AllocateDmaChannel.expect("a handler");
        // SAFETY: the structure is of the revision and size that it says, the word outlives the channel.
        let status = unsafe {
            allocate(
                context,
                &mut parameters,
                ptr::without_provenance_mut(0x1000),
                &mut channel,
            )
        };
        assert_eq!(status, sys::STATUS_SUCCESS);
        Handle {
            context: channel,
            start: table.StartDma.expect("a handler"),
            append: table.AppendDma.expect("a handler"),
            completion: word,
        }
    });
    let mut old = 0;
    // SAFETY: the variable takes the level; the thread is at PASSIVE_LEVEL, as it booted the machine.
    unsafe { raise(&mut old) };
    let result = body(handles);
    // SAFETY: `old` is the level before.
    unsafe { sys::KeLowerIrql(old) };
    for handle in handles {
        // SAFETY: allocated above and done with.
        unsafe { table.FreeDmaChannel.expect("a handler")(handle.context) };
    }
    kernel.remove_device(device).expect("it is removed");
    kernel.unload_driver(driver).expect("it unloads");
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
    result
}

/// Gives `body` two pieces of a machine's memory, mapped as engines map them, and where they are.
pub(crate) fn with_mappings(
    length: usize,
    body: impl FnOnce(&PhysicalMapping<'_>, &PhysicalMapping<'_>, [*mut u8; 2]),
) {
    let kernel = Kernel::boot(Config::default());
    let mut buffers = [kernel.allocate(length), kernel.allocate(length)];
    let places = buffers
        .each_mut()
        .map(|buffer| buffer.as_mut_slice().as_mut_ptr());
    // SAFETY: the thread is at PASSIVE_LEVEL, as it booted the machine.
    let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
    let [source, destination] = buffers.each_ref().map(|buffer| {
        // SAFETY: the buffer is main memory until it is dropped, which is later, and nobody but the body uses it.
        let range = unsafe { PhysicalRange::new(buffer.physical(), length as u32) };
        PhysicalMapping::map(range.expect("no end"), &mut irql).expect("it is there")
    });
    body(&source, &destination, places);
    drop((source, destination));
    drop(buffers);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// # Safety
///
/// The thread is in a machine, at or below DISPATCH_LEVEL.
unsafe fn raise(old: &mut sys::KIRQL) {
    // SAFETY: by this function's own.
    *old = unsafe { sys::KfRaiseIrql(sys::DISPATCH_LEVEL as u8) };
}

/// Descriptors in the first bytes of a stretch, or from an offset on, linked to a ring.
pub(crate) struct Ring<'a> {
    memory: &'a Memory,
    offset: usize,
    next: usize,
}

impl<'a> Ring<'a> {
    pub(crate) const BYTES: usize = RING * ALIGNMENT as usize;

    /// Fills the ring at `offset`. Every `batch`-th descriptor asks for status; `copies` tells source, destination and length of
    /// each by its number.
    pub(crate) fn new(
        memory: &'a Memory,
        offset: usize,
        batch: usize,
        copies: impl Fn(usize) -> (u64, u64, u32),
    ) -> Self {
        assert!(RING.is_multiple_of(batch));
        let ring = Self {
            memory,
            offset,
            next: 0,
        };
        for index in 0..RING {
            let (source, destination, length) = copies(index);
            let flags = if (index + 1).is_multiple_of(batch) {
                ControlFlags::STATUS
            } else {
                ControlFlags::empty()
            };
            let words = [
                u64::from(length) | u64::from(flags.bits()) << 32,
                source,
                destination,
                ring.physical((index + 1) % RING),
            ];
            for (number, word) in words.into_iter().enumerate() {
                let place = ring.descriptor(index).cast::<u64>().wrapping_add(number);
                // SAFETY: the stretch has room for the ring, by `descriptor`, and nobody else looks at it yet.
                unsafe { place.write(word) };
            }
        }
        ring
    }

    fn physical(&self, index: usize) -> u64 {
        PHYSICAL + (self.offset + index * ALIGNMENT as usize) as u64
    }

    fn descriptor(&self, index: usize) -> sys::PNET_DMA_DESCRIPTOR {
        let bytes = ALIGNMENT as usize;
        let start = self.memory.at(self.physical(index), bytes);
        start.expect("room for the ring").cast()
    }

    /// Hands the next `batch` descriptors over by `run`; whether they are done.
    #[inline]
    pub(crate) fn hand_over(&mut self, channel: &Handle, run: Run, batch: usize) -> bool {
        let (first, last) = (self.next, self.next + batch - 1);
        self.next = (self.next + batch) % RING;
        let descriptor = self
            .memory
            .start
            .wrapping_add(self.offset + first * ALIGNMENT as usize);
        // SAFETY: the channel is allocated, the descriptors are filled in, and their number is exact.
        let status = unsafe {
            run(
                channel.context,
                descriptor.cast(),
                sys::physical_address(self.physical(first)),
                batch as u32,
            )
        };
        // SAFETY: the word lives as long as the channel.
        let word = unsafe { &*channel.completion }.load(Ordering::Acquire);
        status == sys::STATUS_SUCCESS && word == self.physical(last) | 1
    }
}
