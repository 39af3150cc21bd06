//! The provider of these tests: an engine that executes descriptors inside start and append, or one at a time when the test says,
//! and that can be told to break each rule.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use nmr_netdma::sys;

use super::*;

/// What the engine does wrong, and how it works.
#[derive(Clone, Default)]
pub(crate) struct Habits {
    /// Executes inside start and append; otherwise when [`Unit::step`] is called.
    pub(crate) eager: bool,
    /// Instead of the lowest processor of the mask; `None` inside: writes nothing.
    pub(crate) processor: Option<Option<u32>>,
    /// Instead of one per channel; `None` inside: stores nothing.
    pub(crate) context: Option<Option<usize>>,
    pub(crate) meddles: bool,
    pub(crate) affinity_status: sys::NTSTATUS,
    pub(crate) allocate_status: sys::NTSTATUS,
    pub(crate) run_status: sys::NTSTATUS,
    /// Leaves the level raised by this much.
    pub(crate) raises: u8,
    /// Stops the provider from inside a handler.
    pub(crate) stops: bool,
    /// Halts instead of executing, and tells at once.
    pub(crate) halts: bool,
    /// Does not write the completion word.
    pub(crate) mute: bool,
}

/// What the engine's handlers were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Names and levels.
    pub(crate) calls: Vec<(&'static str, u8)>,
    pub(crate) affinity: Option<(Vec<(u32, u32)>, u32)>,
    /// Revision, size, mask; group mask of revision 2.
    pub(crate) parameters: Option<(u16, u16, u32, Option<u64>)>,
}

#[derive(Default)]
pub(crate) struct Engine {
    pub(crate) habits: Mutex<Habits>,
    pub(crate) seen: Mutex<Seen>,
    pub(crate) units: Mutex<Vec<Arc<Unit>>>,
    pub(crate) handle: Mutex<usize>,
    /// Physical address -> where it is mapped, and how long it is.
    pub(crate) memory: Mutex<BTreeMap<u64, (AtomicPtr<u8>, usize)>>,
    pub(crate) counts_chains: AtomicBool,
}

/// One channel of the engine.
pub(crate) struct Unit {
    pub(crate) engine: *const Engine,
    /// The interface's handle of the channel.
    pub(crate) handle: usize,
    pub(crate) completion: AtomicPtr<u64>,
    pub(crate) list: Mutex<List>,
}

// SAFETY: `engine` points to the engine of the test, which outlives the threads of the test and is shared.
unsafe impl Send for Unit {}
// SAFETY: as for `Send`.
unsafe impl Sync for Unit {}

#[derive(Default)]
pub(crate) struct List {
    /// One descriptor's physical address and where it is; all others follow from it.
    pub(crate) known: Option<(u64, AtomicPtr<u64>)>,
    /// The next descriptor; 0 at the end of a list that is not counted.
    pub(crate) next: u64,
    /// The last descriptor done.
    pub(crate) last: u64,
    pub(crate) remaining: u64,
    pub(crate) done: u64,
}

impl List {
    pub(crate) fn descriptor(&self, physical: u64) -> [u64; 8] {
        let (known, at) = self.known.as_ref().unwrap();
        let offset = physical.wrapping_sub(*known) as isize / 8;
        let words = at.load(Ordering::Relaxed).wrapping_offset(offset);
        std::array::from_fn(|word| {
            // SAFETY: the interface lays the descriptors of a channel out in one ring, whose addresses these are.
            let word = unsafe { AtomicU64::from_ptr(words.wrapping_add(word)) };
            word.load(Ordering::Acquire)
        })
    }
}

impl Unit {
    /// Executes one descriptor; whether there was one.
    pub(crate) fn step(&self) -> bool {
        // SAFETY: the engine outlives its units.
        let engine = unsafe { &*self.engine };
        let mut list = self.list.lock().unwrap();
        if engine.counts_chains.load(Ordering::Relaxed) {
            if list.remaining == 0 {
                return false;
            }
        } else {
            if list.next == 0 && list.last != 0 {
                list.next = list.descriptor(list.last)[3];
            }
            if list.next == 0 {
                return false;
            }
        }
        let address = list.next;
        let [control, source, destination, next, ..] = list.descriptor(address);
        let (size, flags) = (control as u32, (control >> 32) as u32);
        if flags & NULL == 0 {
            engine.copy(source, destination, size as usize);
        }
        list.last = address;
        list.next = next;
        list.remaining = list.remaining.saturating_sub(1);
        list.done += 1;
        if flags & STATUS != 0 && !engine.habits.lock().unwrap().mute {
            self.publish(address | u64::from(list.remaining == 0));
        }
        true
    }

    pub(crate) fn publish(&self, word: u64) {
        let completion = self.completion.load(Ordering::Relaxed);
        if completion.is_null() || !completion.is_aligned() {
            return;
        }
        // SAFETY: the word belongs to the channel, which is allocated, or to the test that writes late on purpose while the
        // interface keeps the memory. It is aligned.
        let completion = unsafe { AtomicU64::from_ptr(completion) };
        completion.store(word, Ordering::Release);
    }

    pub(crate) fn last(&self) -> u64 {
        self.list.lock().unwrap().last
    }
}

impl Engine {
    pub(crate) fn copy(&self, source: u64, destination: u64, length: usize) {
        let memory = self.memory.lock().unwrap();
        let find = |address: u64| {
            let (start, (at, size)) = memory.range(..=address).next_back()?;
            let offset = (address - start) as usize;
            (offset + length <= *size).then(|| at.load(Ordering::Relaxed).wrapping_add(offset))
        };
        let (Some(from), Some(to)) = (find(source), find(destination)) else {
            panic!("the engine was sent to {source:#x} and {destination:#x}");
        };
        // SAFETY: both ranges are inside mappings that the test made of its buffers.
        unsafe { ptr::copy(from, to, length) };
    }

    pub(crate) fn enter(&self, what: &'static str) {
        // SAFETY: reading the level has no precondition.
        let irql = unsafe { sys::KeGetCurrentIrql() };
        self.seen.lock().unwrap().calls.push((what, irql));
    }

    pub(crate) fn leave(&self) {
        let Habits { raises, stops, .. } = *self.habits.lock().unwrap();
        if raises != 0 {
            // SAFETY: the interface puts the level right again.
            unsafe { sys::KfRaiseIrql(DISPATCH + raises) };
        }
        if stops {
            // SAFETY: the provider is registered.
            unsafe { sys::NetDmaProviderStop(self.handle()) };
        }
    }

    pub(crate) fn handle(&self) -> *mut c_void {
        ptr::without_provenance_mut(*self.handle.lock().unwrap())
    }

    pub(crate) fn unit(&self, index: usize) -> Arc<Unit> {
        Arc::clone(&self.units.lock().unwrap()[index])
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.habits.lock().unwrap());
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// The handlers that were called, in order.
    pub(crate) fn called(&self) -> Vec<&'static str> {
        self.seen().calls.iter().map(|call| call.0).collect()
    }

    /// How often the handler was called.
    pub(crate) fn times(&self, handler: &str) -> usize {
        let called = self.called();
        called.iter().filter(|name| **name == handler).count()
    }
}

pub(crate) unsafe extern "system" fn set_affinity(
    context: sys::PVOID,
    array: sys::PNET_DMA_CHANNEL_CPU_AFFINITY,
    bytes: sys::ULONG,
) -> sys::NTSTATUS {
    // SAFETY: the context of every provider here is its engine.
    let engine = unsafe { &*context.cast_const().cast::<Engine>() };
    engine.enter("SetDmaChannelCpuAffinity");
    let count = bytes as usize / size_of::<sys::NET_DMA_CHANNEL_CPU_AFFINITY>();
    // SAFETY: the interface passes an array of so many bytes.
    let array = unsafe { std::slice::from_raw_parts(array, count) };
    let entries = array
        .iter()
        .map(|entry| (entry.DmaChannel, entry.CpuNumber))
        .collect();
    engine.seen.lock().unwrap().affinity = Some((entries, bytes));
    engine.habits.lock().unwrap().affinity_status
}

pub(crate) unsafe extern "system" fn allocate(
    context: sys::PVOID,
    parameters: sys::PNET_DMA_CHANNEL_PARAMETERS,
    channel: sys::PVOID,
    channel_context: *mut sys::PVOID,
) -> sys::NTSTATUS {
    // SAFETY: the context of every provider here is its engine.
    let engine = unsafe { &*context.cast_const().cast::<Engine>() };
    engine.enter("AllocateDmaChannel");
    let habits = engine.habits.lock().unwrap().clone();
    let v1 = parameters.cast::<sys::NET_DMA_CHANNEL_PARAMETERS_V1>();
    // SAFETY: every revision begins with the first.
    let v1 = unsafe { &mut *v1 };
    let group = (v1.Revision >= 2).then(|| {
        // SAFETY: revision 2 has the member.
        unsafe { (*parameters).ProcessorAffinityMaskEx.Mask }
    });
    let mask = group.unwrap_or(u64::from(v1.ProcessorAffinityMask));
    let seen = (v1.Revision, v1.Size, v1.ProcessorAffinityMask, group);
    engine.seen.lock().unwrap().parameters = Some(seen);
    if let Some(processor) = habits.processor.unwrap_or(Some(mask.trailing_zeros())) {
        v1.CpuNumber = processor;
    }
    if habits.meddles {
        v1.ChannelPriority = 7;
    }
    if habits.allocate_status != sys::STATUS_SUCCESS {
        return habits.allocate_status;
    }
    let unit = Arc::new(Unit {
        engine,
        handle: channel.addr(),
        completion: AtomicPtr::new(v1.CompletionVirtualAddress.cast()),
        list: Mutex::default(),
    });
    let own = Arc::as_ptr(&unit).cast::<c_void>().cast_mut();
    let stored = match habits.context {
        None => Some(own),
        Some(instead) => instead.map(ptr::without_provenance_mut),
    };
    engine.units.lock().unwrap().push(unit);
    if let Some(stored) = stored {
        // SAFETY: the interface passes a place for the context.
        unsafe { channel_context.write(stored) };
    }
    sys::STATUS_SUCCESS
}

/// The unit that a channel context is.
pub(crate) fn unit_of<'a>(context: sys::PVOID) -> &'a Unit {
    // SAFETY: contexts are the units that `allocate` made; the engine keeps them to its end.
    unsafe { &*context.cast_const().cast::<Unit>() }
}

pub(crate) unsafe extern "system" fn free(context: sys::PVOID) {
    if context.addr() < 0x1000 {
        return;
    }
    // SAFETY: the engine outlives its units.
    unsafe { &*unit_of(context).engine }.enter("FreeDmaChannel");
}

pub(crate) fn run(
    what: &'static str,
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: u32,
) -> sys::NTSTATUS {
    let unit = unit_of(context);
    // SAFETY: the engine outlives its units.
    let engine = unsafe { &*unit.engine };
    engine.enter(what);
    let Habits {
        eager,
        halts,
        run_status,
        ..
    } = *engine.habits.lock().unwrap();
    engine.leave();
    if run_status != sys::STATUS_SUCCESS {
        return run_status;
    }
    {
        let mut list = unit.list.lock().unwrap();
        let physical = sys::physical_address_bits(physical);
        assert_eq!(physical % 64, 0, "descriptors are aligned to 64 bytes");
        if what == "StartDma" {
            list.known = Some((physical, AtomicPtr::new(descriptor.cast())));
            (list.next, list.last, list.remaining) = (physical, 0, u64::from(count));
        } else if engine.counts_chains.load(Ordering::Relaxed) {
            assert!(
                list.done == 0 || list.remaining > 0 || list.next == physical,
                "the ring goes on"
            );
            list.remaining += u64::from(count);
        }
    }
    if halts {
        unit.publish(3);
        dpc(unit.handle, 0);
    }
    while eager && !halts && unit.step() {}
    sys::STATUS_SUCCESS
}

pub(crate) unsafe extern "system" fn start(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    run("StartDma", context, descriptor, physical, count)
}

pub(crate) unsafe extern "system" fn append(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    run("AppendDma", context, descriptor, physical, count)
}

pub(crate) unsafe extern "system" fn suspend(
    _context: sys::PVOID,
    _last: *mut sys::PPHYSICAL_ADDRESS,
) -> sys::NTSTATUS {
    sys::STATUS_UNSUCCESSFUL
}

pub(crate) fn isr(handle: usize, last: u64) -> u32 {
    let mut processor = u32::MAX;
    let handle = ptr::without_provenance_mut(handle);
    // SAFETY: the number outlives the call; the handle is checked.
    unsafe { sys::NetDmaIsr(handle, sys::physical_address(last), &raw mut processor) };
    processor
}

pub(crate) fn dpc(handle: usize, last: u64) {
    let handle = ptr::without_provenance_mut(handle);
    // SAFETY: the handle is checked.
    unsafe { sys::NetDmaInterruptDpc(handle, sys::physical_address(last)) };
}
