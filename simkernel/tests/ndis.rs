//! The NetDMA interface, driven through its C functions as a provider written in C would.
//!
//! The provider here is an engine that executes descriptors inside start and append, or one at a time when the test says.
//! It can be told to break each rule.
//!
//! # Safety
//!
//! The unsafe code of this file calls the interface and is called by it. The engine is the context of everything; it lives in
//! the test until its kernel has shut down. Descriptors and completion words are accessed while their channel is
//! allocated, by addresses that the interface gave.
#![expect(unsafe_code, reason = "calls C functions and is called back")]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nmr_netdma::sys;
use simkernel::mm::Buffer;
use simkernel::ndis::{
    Affinity, AffinityPlan, Channel, ChannelRequest, CompletionPlace, ProviderId, Transfer,
    violation,
};
use simkernel::pnp::{DeviceConfig, DeviceId, DriverId};
use simkernel::{Config, Kernel, Os, Rule};

const PASSIVE: u8 = sys::PASSIVE_LEVEL as u8;
const DISPATCH: u8 = sys::DISPATCH_LEVEL as u8;
const DEVICE: u8 = 5;
const SOON: Duration = Duration::from_secs(20);
const EVERY: u64 = u64::MAX;
const STATUS: u32 = sys::NET_DMA_STATUS_UPDATE_ON_COMPLETION;
const NULL: u32 = sys::NET_DMA_NULL_TRANSFER;
const NAME: &str = "test engine";

/// What the engine does wrong, and how it works.
#[derive(Clone, Default)]
struct Habits {
    /// Executes inside start and append; otherwise when [`Unit::step`] is called.
    eager: bool,
    /// Instead of the lowest processor of the mask; `None` inside: writes nothing.
    processor: Option<Option<u32>>,
    /// Instead of one per channel; `None` inside: stores nothing.
    context: Option<Option<usize>>,
    meddles: bool,
    affinity_status: sys::NTSTATUS,
    allocate_status: sys::NTSTATUS,
    run_status: sys::NTSTATUS,
    /// Leaves the level raised by this much.
    raises: u8,
    /// Stops the provider from inside a handler.
    stops: bool,
    /// Halts instead of executing, and tells at once.
    halts: bool,
    /// Does not write the completion word.
    mute: bool,
}

/// What the engine's handlers were given.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Names and levels.
    calls: Vec<(&'static str, u8)>,
    affinity: Option<(Vec<(u32, u32)>, u32)>,
    /// Revision, size, mask; group mask of revision 2.
    parameters: Option<(u16, u16, u32, Option<u64>)>,
}

#[derive(Default)]
struct Engine {
    habits: Mutex<Habits>,
    seen: Mutex<Seen>,
    units: Mutex<Vec<Arc<Unit>>>,
    handle: Mutex<usize>,
    /// Physical address -> where it is mapped, and how long it is.
    memory: Mutex<BTreeMap<u64, (AtomicPtr<u8>, usize)>>,
    counts_chains: AtomicBool,
}

/// One channel of the engine.
struct Unit {
    engine: *const Engine,
    /// The interface's handle of the channel.
    handle: usize,
    completion: AtomicPtr<u64>,
    list: Mutex<List>,
}

// SAFETY: `engine` points to the engine of the test, which outlives the threads of the test and is shared.
unsafe impl Send for Unit {}
// SAFETY: as for `Send`.
unsafe impl Sync for Unit {}

#[derive(Default)]
struct List {
    /// One descriptor's physical address and where it is; all others follow from it.
    known: Option<(u64, AtomicPtr<u64>)>,
    /// The next descriptor; 0 at the end of a list that is not counted.
    next: u64,
    /// The last descriptor done.
    last: u64,
    remaining: u64,
    done: u64,
}

impl List {
    fn descriptor(&self, physical: u64) -> [u64; 8] {
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
    fn step(&self) -> bool {
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

    fn publish(&self, word: u64) {
        let completion = self.completion.load(Ordering::Relaxed);
        if completion.is_null() || !completion.is_aligned() {
            return;
        }
        // SAFETY: the word belongs to the channel, which is allocated, or to the test that writes late on purpose while the
        // interface keeps the memory. It is aligned.
        let completion = unsafe { AtomicU64::from_ptr(completion) };
        completion.store(word, Ordering::Release);
    }

    fn last(&self) -> u64 {
        self.list.lock().unwrap().last
    }
}

impl Engine {
    fn copy(&self, source: u64, destination: u64, length: usize) {
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

    fn enter(&self, what: &'static str) {
        // SAFETY: reading the level has no precondition.
        let irql = unsafe { sys::KeGetCurrentIrql() };
        self.seen.lock().unwrap().calls.push((what, irql));
    }

    fn leave(&self) {
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

    fn handle(&self) -> *mut c_void {
        ptr::without_provenance_mut(*self.handle.lock().unwrap())
    }

    fn unit(&self, index: usize) -> Arc<Unit> {
        Arc::clone(&self.units.lock().unwrap()[index])
    }

    fn set(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.habits.lock().unwrap());
    }

    fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

unsafe extern "system" fn set_affinity(
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

unsafe extern "system" fn allocate(
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
fn unit_of<'a>(context: sys::PVOID) -> &'a Unit {
    // SAFETY: contexts are the units that `allocate` made; the engine keeps them to its end.
    unsafe { &*context.cast_const().cast::<Unit>() }
}

unsafe extern "system" fn free(context: sys::PVOID) {
    if context.addr() < 0x1000 {
        return;
    }
    // SAFETY: the engine outlives its units.
    unsafe { &*unit_of(context).engine }.enter("FreeDmaChannel");
}

fn run(
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

unsafe extern "system" fn start(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    run("StartDma", context, descriptor, physical, count)
}

unsafe extern "system" fn append(
    context: sys::PVOID,
    descriptor: sys::PNET_DMA_DESCRIPTOR,
    physical: sys::PHYSICAL_ADDRESS,
    count: sys::ULONG,
) -> sys::NTSTATUS {
    run("AppendDma", context, descriptor, physical, count)
}

unsafe extern "system" fn suspend(
    _context: sys::PVOID,
    _last: *mut sys::PPHYSICAL_ADDRESS,
) -> sys::NTSTATUS {
    sys::STATUS_UNSUCCESSFUL
}

/// A machine with one device, and the engine that a driver would have for it.
struct Bench {
    kernel: Kernel,
    plugged: Plugged,
    engine: Arc<Engine>,
    name: Vec<u16>,
}

/// A device whose driver does nothing but find its physical device object.
struct Plugged {
    driver: DriverId,
    device: DeviceId,
    physical: sys::PDEVICE_OBJECT,
}

/// Memory and the engine's mapping of it.
struct Mapped {
    buffer: Buffer,
    mapping: sys::PVOID,
}

impl Deref for Mapped {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        &self.buffer
    }
}

impl DerefMut for Mapped {
    fn deref_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: `Bench::buffer` made the mapping, of this length.
        unsafe { sys::MmUnmapIoSpace(self.mapping, self.buffer.as_slice().len() as _) };
    }
}

/// Held while a device is added, since a C callback has no context then.
static PLUGGING: Mutex<()> = Mutex::new(());
static FOUND: AtomicPtr<sys::DEVICE_OBJECT> = AtomicPtr::new(null_mut());

unsafe extern "C" fn device_add(
    _driver: sys::WDFDRIVER,
    mut init: sys::PWDFDEVICE_INIT,
) -> sys::NTSTATUS {
    let mut device = null_mut();
    // SAFETY: the framework's own init; attributes may be absent.
    let status = unsafe { sys::WdfDeviceCreate(&raw mut init, null_mut(), &raw mut device) };
    if status == sys::STATUS_SUCCESS {
        // SAFETY: the device was created.
        let physical = unsafe { sys::WdfDeviceWdmGetPhysicalDevice(device) };
        FOUND.store(physical, Ordering::Relaxed);
    }
    status
}

unsafe extern "system" fn driver_entry(
    driver: *mut sys::DRIVER_OBJECT,
    path: *const sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let mut config = sys::WDF_DRIVER_CONFIG {
        Size: size_of::<sys::WDF_DRIVER_CONFIG>() as u32,
        EvtDriverDeviceAdd: Some(device_add),
        ..Default::default()
    };
    // SAFETY: the loader's own arguments; attributes and output may be absent.
    unsafe { sys::WdfDriverCreate(driver, path, null_mut(), &raw mut config, null_mut()) }
}

impl Plugged {
    fn new(kernel: &Kernel, messages: u32) -> Self {
        let _plugging = PLUGGING
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let driver = kernel.load_driver("engine", driver_entry).unwrap();
        let config = DeviceConfig {
            name: "engine".into(),
            messages,
            ..Default::default()
        };
        let device = kernel.add_device(driver, config).unwrap();
        let physical = FOUND.swap(null_mut(), Ordering::Relaxed);
        assert!(!physical.is_null());
        Self {
            driver,
            device,
            physical,
        }
    }
}

impl Bench {
    fn new(os: Os) -> Self {
        Self::with(
            Config {
                os,
                ..Config::default()
            },
            4,
        )
    }

    fn with(config: Config, messages: u32) -> Self {
        let kernel = Kernel::boot(config);
        let plugged = Plugged::new(&kernel, messages);
        let engine = Arc::new(Engine::default());
        engine.set(|habits| habits.eager = true);
        let name = NAME.encode_utf16().collect();
        Self {
            kernel,
            plugged,
            engine,
            name,
        }
    }

    fn characteristics(&mut self) -> sys::NET_DMA_PROVIDER_CHARACTERISTICS {
        let length = 2 * self.name.len() as u16;
        sys::NET_DMA_PROVIDER_CHARACTERISTICS {
            MajorVersion: 2,
            MinorVersion: 0,
            Size: 112,
            Flags: 0,
            PhysicalDeviceObject: self.plugged.physical,
            MaxDmaChannelCount: 6,
            SetDmaChannelCpuAffinity: Some(set_affinity),
            AllocateDmaChannel: Some(allocate),
            FreeDmaChannel: Some(free),
            StartDma: Some(start),
            SuspendDma: None,
            ResumeDma: None,
            AbortDma: None,
            AppendDma: Some(append),
            ResetChannel: None,
            FriendlyName: sys::UNICODE_STRING {
                Length: length,
                MaximumLength: length,
                Buffer: self.name.as_mut_ptr(),
            },
        }
    }

    fn attributes(&self) -> sys::NET_DMA_PROVIDER_ATTRIBUTES {
        sys::NET_DMA_PROVIDER_ATTRIBUTES {
            Size: 32,
            DmaChannelCount: 4,
            MaximumTransferSize: 0x10000,
            MaximumAddressSpace: sys::physical_address(u64::MAX),
            ..Default::default()
        }
    }

    /// Registers; the status and the handle.
    fn try_register(
        &self,
        characteristics: &sys::NET_DMA_PROVIDER_CHARACTERISTICS,
    ) -> (sys::NTSTATUS, usize) {
        const UNTOUCHED: usize = 0x5A5A;
        let mut characteristics = *characteristics;
        let mut handle = ptr::without_provenance_mut(UNTOUCHED);
        let context = Arc::as_ptr(&self.engine).cast::<c_void>().cast_mut();
        // SAFETY: the engine outlives the kernel, the structures outlive the call.
        let status = unsafe {
            sys::NetDmaRegisterProvider(context, &raw mut handle, &raw mut characteristics)
        };
        let counts = characteristics.MajorVersion >= 2;
        self.engine.counts_chains.store(counts, Ordering::Relaxed);
        if status == sys::STATUS_SUCCESS {
            *self.engine.handle.lock().unwrap() = handle.addr();
        } else {
            assert_eq!(
                handle.addr(),
                UNTOUCHED,
                "a refused registration has no handle"
            );
        }
        (status, handle.addr())
    }

    fn register(&mut self) -> ProviderId {
        let characteristics = self.characteristics();
        self.register_as(&characteristics)
    }

    fn register_as(
        &mut self,
        characteristics: &sys::NET_DMA_PROVIDER_CHARACTERISTICS,
    ) -> ProviderId {
        let (status, handle) = self.try_register(characteristics);
        assert_eq!(status, sys::STATUS_SUCCESS);
        assert_ne!(handle, 0);
        self.kernel.netdma().providers().last().unwrap().id
    }

    fn start(&self) {
        self.start_with(self.attributes());
    }

    fn start_with(&self, mut attributes: sys::NET_DMA_PROVIDER_ATTRIBUTES) {
        // SAFETY: the structure outlives the call.
        unsafe { sys::NetDmaProviderStart(self.engine.handle(), &raw mut attributes) };
    }

    fn stop(&self) {
        // SAFETY: takes a handle, which is checked.
        unsafe { sys::NetDmaProviderStop(self.engine.handle()) };
    }

    fn deregister(&self) {
        // SAFETY: takes a handle, which is checked.
        unsafe { sys::NetDmaDeregisterProvider(self.engine.handle()) };
    }

    /// Registers, starts and opens one channel.
    fn running(os: Os) -> (Self, Channel) {
        let mut bench = Self::new(os);
        let provider = bench.register();
        bench.start();
        let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
        (bench, channel)
    }

    /// The function that the interface gives for `name`.
    fn routine(&self, name: &str) -> sys::PVOID {
        let mut text: Vec<u16> = name.encode_utf16().collect();
        let length = 2 * text.len() as u16;
        let mut name = sys::UNICODE_STRING {
            Length: length,
            MaximumLength: length,
            Buffer: text.as_mut_ptr(),
        };
        // SAFETY: the string outlives the call.
        unsafe { sys::NdisGetRoutineAddress(&raw mut name) }
    }

    fn notify(&self, event: sys::NET_DMA_PNP_NOTIFICATION) {
        let mut event = event;
        let routine = self.routine("NetDmaPnPEventNotify");
        // SAFETY: the routine of this name has this type.
        let routine: sys::PFN_NETDMAPNPEVENTNOTIFY = unsafe { std::mem::transmute(routine) };
        // SAFETY: the structure outlives the call.
        unsafe { routine.unwrap()(self.engine.handle(), &raw mut event) };
    }

    fn power(&self, code: sys::NET_DMA_PNP_NOTIFICATION_CODE) {
        self.notify(sys::NET_DMA_PNP_NOTIFICATION {
            StructureRevision: 1,
            StructureSize: 32,
            NotificationCode: code,
            Buffer: null_mut(),
            BufferLength: 0,
        });
    }

    /// Physical memory that the engine can reach.
    fn buffer(&self, bytes: usize) -> Mapped {
        let buffer = self.kernel.allocate(bytes);
        let address = sys::physical_address(buffer.physical());
        // SAFETY: the range is memory and lives longer than the mapping.
        let mapping =
            unsafe { sys::MmMapIoSpace(address, bytes as _, sys::_MEMORY_CACHING_TYPE::MmCached) };
        assert!(!mapping.is_null());
        let mapped = (AtomicPtr::new(mapping.cast()), bytes);
        self.engine
            .memory
            .lock()
            .unwrap()
            .insert(buffer.physical(), mapped);
        Mapped { buffer, mapping }
    }

    /// The device's interrupt on processor 1, and the DPC on the processor that NetDMA names.
    fn interrupt(&self, unit: &Unit) -> u32 {
        let (handle, last) = (unit.handle, unit.last());
        let named = self.kernel.run_isr_on(1, DEVICE, move || isr(handle, last));
        self.kernel.run_dpc_on(named, move || dpc(handle, last));
        named
    }

    /// The one violation of `rule`, which the test broke on purpose.
    fn broken(&self, rule: &Rule) -> String {
        let mut violations = self.kernel.take_violations(rule);
        assert_eq!(violations.len(), 1, "{}: {violations:?}", rule.name);
        violations.remove(0).detail
    }

    /// Shuts down; what was wrong and left.
    fn verdict(self) -> simkernel::Verdict {
        self.kernel.remove_device(self.plugged.device).unwrap();
        self.kernel.unload_driver(self.plugged.driver).unwrap();
        self.kernel.shutdown()
    }

    fn end(self) {
        let verdict = self.verdict();
        assert!(verdict.is_clean(), "{verdict}");
    }

    fn stop_and_end(self) {
        self.stop();
        self.deregister();
        self.end();
    }
}

fn isr(handle: usize, last: u64) -> u32 {
    let mut processor = u32::MAX;
    let handle = ptr::without_provenance_mut(handle);
    // SAFETY: the number outlives the call; the handle is checked.
    unsafe { sys::NetDmaIsr(handle, sys::physical_address(last), &raw mut processor) };
    processor
}

fn dpc(handle: usize, last: u64) {
    let handle = ptr::without_provenance_mut(handle);
    // SAFETY: the handle is checked.
    unsafe { sys::NetDmaInterruptDpc(handle, sys::physical_address(last)) };
}

/// A channel with so many descriptors.
fn ring(descriptors: usize) -> ChannelRequest {
    ChannelRequest {
        descriptors,
        ..ChannelRequest::default()
    }
}

fn null_transfer() -> Transfer {
    Transfer {
        flags: NULL,
        ..Transfer::default()
    }
}

/// Copies all of `from` to `to` in pieces of `piece` bytes.
fn pieces(from: &Buffer, to: &Buffer, length: usize, piece: usize) -> Vec<Transfer> {
    (0..length)
        .step_by(piece)
        .map(|offset| Transfer {
            source: from.physical() + offset as u64,
            destination: to.physical() + offset as u64,
            length: piece.min(length - offset) as u32,
            flags: 0,
        })
        .collect()
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 251) as u8)
        .collect()
}

#[test]
fn a_whole_life_on_each_system_leaves_nothing() {
    for (os, parameters) in [
        (Os::VistaSp1, (1, 40, 0b1100, None)),
        (Os::Win7, (2, 56, 0b1100, Some(0b1100))),
    ] {
        let mut bench = Bench::new(os);
        let mut from = bench.buffer(0x5000);
        let to = bench.buffer(0x5000);
        from.as_mut_slice().copy_from_slice(&pattern(0x5000));

        let provider = bench.register();
        let netdma = bench.kernel.netdma();
        let info = netdma.providers().remove(0);
        assert_eq!((info.name.as_str(), info.version), (NAME, (2, 0)));
        assert!(!info.started);
        assert_eq!(info.affinity, [0, 1, 2, 3, 0, 1].map(Some));
        assert_eq!(
            netdma.open(provider, EVERY).unwrap_err(),
            sys::STATUS_DEVICE_NOT_READY
        );

        bench.start();
        let info = netdma.providers().remove(0);
        assert!(info.started);
        assert_eq!((info.channels, info.maximum_transfer), (4, 0x10000));

        let channel = netdma.open(provider, 0b1100).unwrap();
        assert_eq!(bench.engine.seen().parameters, Some(parameters));
        assert_eq!(channel.processor(), 2);
        let transfers = pieces(&from, &to, 0x5000, 0x700);
        let ticket = channel.submit(&transfers).unwrap();
        let named = bench.interrupt(&bench.engine.unit(0));
        assert_eq!(named, 2);
        assert!(channel.wait(ticket, SOON));
        assert_eq!(to.as_slice(), from.as_slice());

        let statistics = channel.statistics();
        assert_eq!(
            (statistics.descriptors, statistics.bytes),
            (transfers.len() as u64, 0x5000)
        );
        assert_eq!(statistics.isr_processors, BTreeMap::from([(1, 1)]));
        assert_eq!(statistics.dpc_processors, BTreeMap::from([(2, 1)]));
        assert_eq!(
            (statistics.interrupts, statistics.missing_interrupts),
            (1, 0)
        );
        assert_eq!(statistics.completion_writes, 1);

        drop((from, to));
        channel.free();
        bench.stop();
        assert!(!netdma.providers()[0].started);
        bench.start();
        bench.stop();
        bench.deregister();
        assert!(netdma.providers().is_empty());
        let names: Vec<_> = bench
            .engine
            .seen()
            .calls
            .iter()
            .map(|call| call.0)
            .collect();
        let expected = [
            "SetDmaChannelCpuAffinity",
            "AllocateDmaChannel",
            "StartDma",
            "FreeDmaChannel",
        ];
        assert_eq!(names, expected);
        let events = bench.kernel.events();
        let told = |what: &str| {
            events
                .iter()
                .any(|event| event.source == "netdma" && event.what.contains(what))
        };
        for what in [
            "registered",
            "asked",
            "started",
            "allocated",
            "freed",
            "stopped",
            "deregistered",
        ] {
            assert!(told(what), "the trace does not say {what}");
        }
        bench.end();
    }
}

#[test]
fn windows_10_registers_with_a_null_handle() {
    let mut bench = Bench::new(Os::Win10);
    assert_eq!(bench.kernel.netdma().version(), None);
    let characteristics = bench.characteristics();
    assert_eq!(
        bench.try_register(&characteristics),
        (sys::STATUS_SUCCESS, 0)
    );
    assert!(bench.kernel.netdma().providers().is_empty());
    assert_eq!(bench.kernel.run_isr_on(1, DEVICE, || isr(0, 0)), 0);
    assert!(
        !bench.routine("NetDmaGetVersion").is_null(),
        "the names are still there"
    );
    for call in [Bench::start, Bench::stop, Bench::deregister] {
        call(&bench);
        bench.broken(&violation::ABSENT);
    }
    assert!(bench.engine.seen().calls.is_empty());
    bench.end();
}

#[test]
fn the_version_is_found_by_name_only() {
    for (os, expected) in [
        (Os::VistaSp1, 0x0002_0000),
        (Os::Win7, 0x0002_0001),
        (Os::Win10, 0),
    ] {
        let bench = Bench::new(os);
        let routine = bench.routine("NetDmaGetVersion");
        // SAFETY: the routine of this name has this type.
        let version: sys::PFN_NETDMAGETVERSION = unsafe { std::mem::transmute(routine) };
        // SAFETY: it has no parameters.
        assert_eq!(unsafe { version.unwrap()() }, expected, "{os:?}");
        for name in [
            "NetDmaRegisterProvider",
            "NetDmaDeregisterProvider",
            "NetDmaProviderStart",
            "NetDmaProviderStop",
            "NetDmaIsr",
            "NetDmaInterruptDpc",
            "NetDmaPnPEventNotify",
        ] {
            assert!(!bench.routine(name).is_null(), "{name}");
        }
        assert!(bench.routine("NetDmaGetVersio").is_null());
        assert!(bench.routine("").is_null());
        bench.end();
    }
}

#[test]
fn characteristics_are_checked() {
    type Change = fn(&mut sys::NET_DMA_PROVIDER_CHARACTERISTICS);
    let cases: [(&Rule, Change); 17] = [
        (&violation::SIZE, |c| c.Size = 111),
        (&violation::SIZE, |c| c.Size = 96),
        (&violation::VERSION, |c| c.MinorVersion = 2),
        (&violation::VERSION, |c| c.MajorVersion = 3),
        (&violation::VERSION, |c| c.MajorVersion = 0),
        (&violation::FLAGS, |c| c.Flags = 2),
        (&violation::FLAGS, |c| (c.MajorVersion, c.Flags) = (1, 1)),
        (&violation::FLAGS, |c| (c.MinorVersion, c.Flags) = (1, 4)),
        (&violation::HANDLERS, |c| c.SetDmaChannelCpuAffinity = None),
        (&violation::HANDLERS, |c| c.AllocateDmaChannel = None),
        (&violation::HANDLERS, |c| c.FreeDmaChannel = None),
        (&violation::HANDLERS, |c| c.StartDma = None),
        (&violation::HANDLERS, |c| c.AppendDma = None),
        (&violation::SUSPEND_RESUME, |c| c.SuspendDma = Some(suspend)),
        (&violation::FRIENDLY_NAME, |c| c.FriendlyName.Length = 0),
        (&violation::CHANNEL_COUNT, |c| c.MaxDmaChannelCount = 0),
        (&violation::PHYSICAL_DEVICE, |c| {
            c.PhysicalDeviceObject = null_mut()
        }),
    ];
    let mut bench = Bench::new(Os::Win7);
    for (rule, change) in cases {
        let mut characteristics = bench.characteristics();
        change(&mut characteristics);
        assert_eq!(
            bench.try_register(&characteristics).0,
            sys::STATUS_UNSUCCESSFUL
        );
        bench.broken(rule);
    }
    assert!(bench.kernel.netdma().providers().is_empty());
    assert!(bench.engine.seen().calls.is_empty());
    bench.end();
}

#[test]
fn a_version_above_the_interface_is_refused() {
    let mut bench = Bench::new(Os::VistaSp1);
    let mut characteristics = bench.characteristics();
    characteristics.MinorVersion = 1;
    assert_eq!(
        bench.try_register(&characteristics).0,
        sys::STATUS_UNSUCCESSFUL
    );
    bench.broken(&violation::VERSION);
    bench.end();
}

#[test]
fn characteristics_of_their_version_are_accepted() {
    type Change = fn(&mut sys::NET_DMA_PROVIDER_CHARACTERISTICS);
    let cases: [Change; 4] = [
        |c| (c.MajorVersion, c.MinorVersion, c.Size) = (1, 0, 96),
        |c| (c.MajorVersion, c.MinorVersion, c.FriendlyName.Length) = (1, 1, 0),
        |c| c.Flags = 1,
        |c| (c.MinorVersion, c.Flags) = (1, 3),
    ];
    let mut bench = Bench::new(Os::Win7);
    for change in cases {
        let mut characteristics = bench.characteristics();
        change(&mut characteristics);
        bench.register_as(&characteristics);
        bench.deregister();
    }
    bench.end();
}

#[test]
fn an_engine_is_registered_once() {
    let mut bench = Bench::new(Os::Win7);
    bench.register();
    let characteristics = bench.characteristics();
    assert_eq!(
        bench.try_register(&characteristics).0,
        sys::STATUS_UNSUCCESSFUL
    );
    let detail = bench.broken(&violation::REGISTERED_TWICE);
    assert!(detail.contains(NAME), "{detail}");
    bench.deregister();
    bench.register();
    bench.deregister();
    bench.end();
}

#[test]
fn null_pointers_are_refused() {
    let mut bench = Bench::new(Os::Win7);
    let mut characteristics = bench.characteristics();
    let mut handle = null_mut();
    // SAFETY: null is what is tested.
    let status =
        unsafe { sys::NetDmaRegisterProvider(null_mut(), null_mut(), &raw mut characteristics) };
    assert_eq!(status, sys::STATUS_UNSUCCESSFUL);
    bench.broken(&violation::NULL_POINTER);
    // SAFETY: null is what is tested.
    let status = unsafe { sys::NetDmaRegisterProvider(null_mut(), &raw mut handle, null_mut()) };
    assert_eq!(status, sys::STATUS_UNSUCCESSFUL);
    bench.broken(&violation::NULL_POINTER);
    bench.register();
    // SAFETY: null is what is tested.
    unsafe { sys::NetDmaProviderStart(bench.engine.handle(), null_mut()) };
    bench.broken(&violation::NULL_POINTER);
    // SAFETY: null is what is tested.
    assert!(unsafe { sys::NdisGetRoutineAddress(null_mut()) }.is_null());
    bench.broken(&violation::NULL_POINTER);
    bench.deregister();
    bench.end();
}

#[test]
fn without_messages_no_processor_is_asked() {
    let mut bench = Bench::with(Config::default(), 0);
    bench.register();
    assert_eq!(bench.engine.seen().affinity, None);
    assert!(bench.kernel.netdma().providers()[0].affinity.is_empty());
    bench.deregister();
    bench.end();
}

#[test]
fn affinity_arrays_can_be_chosen() {
    let affinity = |channel, processor| Affinity { channel, processor };
    let odd = vec![affinity(1, 99), affinity(1, 2), affinity(77, 0)];
    let cases = [
        (
            AffinityPlan::Spread,
            Some((vec![(0, 0), (1, 1), (2, 2), (3, 3), (4, 0), (5, 1)], 48)),
            [0, 1, 2, 3, 0, 1].map(Some).to_vec(),
        ),
        (
            AffinityPlan::Processors(vec![3, 1]),
            Some((vec![(0, 3), (1, 1), (2, 3), (3, 1), (4, 3), (5, 1)], 48)),
            [3, 1, 3, 1, 3, 1].map(Some).to_vec(),
        ),
        (
            AffinityPlan::Array {
                entries: odd.clone(),
                bytes: 24,
            },
            Some((vec![(1, 99), (1, 2), (77, 0)], 24)),
            vec![None, Some(2), None, None, None, None],
        ),
        (
            // Short by half an entry.
            AffinityPlan::Array {
                entries: odd,
                bytes: 12,
            },
            Some((vec![(1, 99)], 12)),
            vec![None, Some(99), None, None, None, None],
        ),
        (
            // Longer than what is in it.
            AffinityPlan::Array {
                entries: vec![affinity(0, 1)],
                bytes: 16,
            },
            Some((vec![(0, 1), (u32::MAX, u32::MAX)], 16)),
            vec![Some(1), None, None, None, None, None],
        ),
        (AffinityPlan::Silent, None, Vec::new()),
    ];
    for (plan, seen, asked) in cases {
        let mut bench = Bench::new(Os::Win7);
        bench.kernel.netdma().set_affinity(plan);
        bench.register();
        assert_eq!(bench.engine.seen().affinity, seen);
        assert_eq!(bench.kernel.netdma().providers()[0].affinity, asked);
        assert!(
            bench
                .engine
                .seen()
                .calls
                .iter()
                .all(|call| call.1 == PASSIVE)
        );
        bench.deregister();
        bench.end();
    }
}

#[test]
fn a_provider_that_cannot_take_note_of_affinity_is_registered() {
    let mut bench = Bench::new(Os::Win7);
    bench
        .engine
        .set(|habits| habits.affinity_status = sys::STATUS_INSUFFICIENT_RESOURCES);
    bench.register();
    assert_eq!(bench.kernel.netdma().providers()[0].affinity, vec![None; 6]);
    bench.deregister();
    bench
        .engine
        .set(|habits| habits.affinity_status = sys::STATUS_PENDING);
    bench.register();
    bench.broken(&violation::STATUS);
    bench.deregister();
    bench.end();
}

#[test]
fn the_phases_follow_each_other() {
    let mut bench = Bench::new(Os::Win7);
    bench.register();
    bench.stop();
    bench.broken(&violation::STOP_WITHOUT_START);
    bench.start();
    bench.start();
    bench.broken(&violation::START_TWICE);
    bench.deregister();
    bench.broken(&violation::DEREGISTER_STARTED);
    for call in [Bench::start, Bench::stop, Bench::deregister] {
        call(&bench);
        bench.broken(&violation::PROVIDER_HANDLE);
    }
    bench.end();
}

#[test]
fn a_life_runs_at_passive_level() {
    let mut bench = Bench::new(Os::Win7);
    let register = |bench: &mut Bench| {
        bench.register();
    };
    let calls: [fn(&mut Bench); 4] = [
        register,
        |bench| bench.start(),
        |bench| bench.stop(),
        |bench| bench.deregister(),
    ];
    for call in calls {
        // SAFETY: lowered again below.
        let old = unsafe { sys::KfRaiseIrql(DISPATCH) };
        call(&mut bench);
        // SAFETY: `old` is the level from before.
        unsafe { sys::KeLowerIrql(old) };
        bench.broken(&violation::LEVEL);
    }
    bench.end();
}

#[test]
fn attributes_are_checked() {
    type Change = fn(&mut sys::NET_DMA_PROVIDER_ATTRIBUTES);
    let cases: [Change; 4] = [
        |a| a.Size = 24,
        |a| a.Flags = 1,
        |a| a.DmaChannelCount = 7,
        |a| a.MaximumTransferSize = 4095,
    ];
    let mut bench = Bench::new(Os::Win7);
    bench.register();
    for change in cases {
        let mut attributes = bench.attributes();
        change(&mut attributes);
        bench.start_with(attributes);
        bench.broken(&violation::ATTRIBUTES);
        assert!(!bench.kernel.netdma().providers()[0].started);
    }
    bench.start();
    bench.stop_and_end();
}

#[test]
fn callbacks_may_come_before_start_returns() {
    let mut bench = Bench::new(Os::Win7);
    bench.kernel.netdma().set_probe(true);
    bench.register();
    bench.start();
    let names: Vec<_> = bench
        .engine
        .seen()
        .calls
        .iter()
        .map(|call| call.0)
        .collect();
    let expected = [
        "SetDmaChannelCpuAffinity",
        "AllocateDmaChannel",
        "StartDma",
        "FreeDmaChannel",
    ];
    assert_eq!(names, expected);
    bench.stop_and_end();
}

#[test]
fn handlers_do_not_end_their_own_provider() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.stops = true);
    channel.submit(&[null_transfer()]).unwrap();
    bench.broken(&violation::REENTRANT);
    bench.kernel.take_violations(&violation::LEVEL);
    bench.engine.set(|habits| habits.stops = false);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn channel_handlers_run_at_both_levels_as_the_seed_says() {
    let levels = |seed| {
        let mut bench = Bench::with(
            Config {
                seed,
                ..Config::default()
            },
            4,
        );
        let provider = bench.register();
        bench.start();
        for _ in 0..8 {
            let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
            channel.submit(&[null_transfer()]).unwrap();
            channel.submit(&[null_transfer()]).unwrap();
        }
        let calls = bench.engine.seen().calls;
        bench.stop_and_end();
        calls
            .into_iter()
            .skip(1)
            .map(|call| call.1)
            .collect::<Vec<_>>()
    };
    let first = levels(1);
    assert_eq!(first, levels(1));
    assert_ne!(first, levels(2));
    let dispatch = first.iter().filter(|&&level| level == DISPATCH).count();
    let passive = first.iter().filter(|&&level| level == PASSIVE).count();
    assert_eq!(dispatch + passive, first.len());
    assert!(passive > 0 && dispatch > passive, "{first:?}");
}

#[test]
fn a_handler_returns_at_the_level_it_was_called_at() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.raises = 1);
    channel.submit(&[null_transfer()]).unwrap();
    bench.broken(&simkernel::ke::violation::LEVEL_CHANGED);
    bench.engine.set(|habits| habits.raises = 0);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn allocation_is_checked() {
    type Change = fn(&mut Habits);
    let cases: [(&Rule, Change, Result<(), sys::NTSTATUS>); 6] = [
        (
            &violation::CPU_NUMBER,
            |h| h.processor = Some(None),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (
            &violation::CPU_NUMBER,
            |h| h.processor = Some(Some(3)),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (
            &violation::CPU_NUMBER,
            |h| h.processor = Some(Some(64)),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (
            &violation::CHANNEL_CONTEXT,
            |h| h.context = Some(None),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (&violation::CHANNEL_PARAMETERS, |h| h.meddles = true, Ok(())),
        (
            &violation::STATUS,
            |h| h.allocate_status = sys::STATUS_PENDING,
            Err(sys::STATUS_PENDING),
        ),
    ];
    for os in [Os::VistaSp1, Os::Win7] {
        for (rule, change, expected) in cases {
            let mut bench = Bench::new(os);
            let provider = bench.register();
            bench.start();
            bench.engine.set(change);
            let opened = bench.kernel.netdma().open(provider, 0b110);
            assert_eq!(opened.map(drop), expected, "{}", rule.name);
            bench.broken(rule);
            bench.stop_and_end();
        }
    }
}

#[test]
fn an_allocation_is_refused_without_trace() {
    let mut bench = Bench::new(Os::Win7);
    let provider = bench.register();
    bench.start();
    bench
        .engine
        .set(|habits| habits.allocate_status = sys::STATUS_INSUFFICIENT_RESOURCES);
    let netdma = bench.kernel.netdma();
    let refused = netdma.open(provider, EVERY).unwrap_err();
    assert_eq!(refused, sys::STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(
        netdma.open(provider, 0).unwrap_err(),
        sys::STATUS_INVALID_PARAMETER
    );
    assert_eq!(
        netdma.open(provider, 1 << 40).unwrap_err(),
        sys::STATUS_INVALID_PARAMETER
    );
    for descriptors in [0, 1, 3, 1 << 17] {
        let refused = netdma.open_as(provider, &ring(descriptors)).unwrap_err();
        assert_eq!(refused, sys::STATUS_INVALID_PARAMETER);
    }
    bench.stop();
    bench.deregister();
    assert_eq!(
        netdma.open(provider, EVERY).unwrap_err(),
        sys::STATUS_NO_SUCH_DEVICE
    );
    bench.end();
}

#[test]
fn a_context_belongs_to_one_channel_and_channels_are_counted() {
    let mut bench = Bench::new(Os::Win7);
    let provider = bench.register();
    bench.start();
    let netdma = bench.kernel.netdma();
    bench.engine.set(|habits| habits.context = Some(Some(16)));
    let first = netdma.open(provider, EVERY).unwrap();
    assert_eq!(
        netdma.open(provider, EVERY).unwrap_err(),
        sys::STATUS_UNSUCCESSFUL
    );
    bench.broken(&violation::CHANNEL_CONTEXT);
    bench.engine.set(|habits| habits.context = None);
    let others: Vec<_> = (0..3)
        .map(|_| netdma.open(provider, EVERY).unwrap())
        .collect();
    let fifth = netdma.open(provider, EVERY).unwrap();
    bench.broken(&violation::TOO_MANY_CHANNELS);
    drop((first, others, fifth));
    bench.stop_and_end();
}

#[test]
fn a_ring_goes_round_and_its_rest_cannot_be_executed() {
    let mut bench = Bench::new(Os::Win7);
    let mut from = bench.buffer(0x4000);
    let to = bench.buffer(0x4000);
    from.as_mut_slice().copy_from_slice(&pattern(0x4000));
    let provider = bench.register();
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(8)).unwrap();
    let unit = bench.engine.unit(0);
    for batch in pieces(&from, &to, 0x4000, 0x100).chunks(5) {
        let ticket = channel.submit_polled(batch).unwrap();
        while unit.step() {}
        assert!(channel.wait(ticket, SOON));
        // What comes next in the ring has reserved bits and addresses that are no memory.
        let list = unit.list.lock().unwrap();
        let [control, source, ..] = list.descriptor(list.next);
        assert_ne!(control >> 32 & 0x00FF_FD00, 0);
        assert!(
            bench
                .engine
                .memory
                .lock()
                .unwrap()
                .keys()
                .all(|&start| source > start + 0x4000)
        );
    }
    assert_eq!(to.as_slice(), from.as_slice());
    let statistics = channel.statistics();
    assert_eq!((statistics.descriptors, statistics.interrupts), (64, 0));
    assert_eq!(statistics.completion_writes, 13);
    drop((from, to));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn chains_before_version_2_end_with_null_and_are_linked_on() {
    let mut bench = Bench::new(Os::Win7);
    let mut characteristics = bench.characteristics();
    (characteristics.MajorVersion, characteristics.MinorVersion) = (1, 1);
    let provider = bench.register_as(&characteristics);
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(8)).unwrap();
    let unit = bench.engine.unit(0);
    for round in 0..20 {
        let first = channel.submit_polled(&[null_transfer(); 2]).unwrap();
        if round % 2 == 0 {
            // The engine idles on the last descriptor before more is linked to it.
            while unit.step() {}
        }
        let second = channel.submit_polled(&[null_transfer(); 3]).unwrap();
        while unit.step() {}
        assert!(channel.wait(second, SOON));
        assert!(channel.wait(first, SOON));
        assert_eq!(unit.list.lock().unwrap().next, 0);
    }
    assert_eq!(channel.statistics().descriptors, 100);
    assert_eq!(unit.list.lock().unwrap().done, 100);
    let starts = bench
        .engine
        .seen()
        .calls
        .iter()
        .filter(|call| call.0 == "StartDma")
        .count();
    assert_eq!(
        starts, 1,
        "the first batch is a start, all others are appended"
    );
    channel.free();
    bench.stop_and_end();
}

/// Runs `body` while a thread of the engine steps through `unit`.
fn with_worker<R>(unit: &Arc<Unit>, pause: Duration, body: impl FnOnce() -> R) -> R {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                unit.step();
                std::thread::sleep(pause);
            }
        });
        let result = body();
        done.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn a_batch_longer_than_the_ring_is_split_and_waits_for_room() {
    let mut bench = Bench::new(Os::Win7);
    let mut from = bench.buffer(0x4000);
    let to = bench.buffer(0x4000);
    from.as_mut_slice().copy_from_slice(&pattern(0x4000));
    let provider = bench.register();
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(4)).unwrap();
    let transfers = pieces(&from, &to, 0x4000, 0x200);
    with_worker(&bench.engine.unit(0), Duration::ZERO, || {
        let ticket = channel.submit(&transfers).unwrap();
        assert_eq!(ticket, 32);
        assert!(channel.wait(ticket, SOON));
    });
    assert_eq!(to.as_slice(), from.as_slice());
    assert_eq!(channel.statistics().descriptors, 32);
    drop((from, to));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn several_threads_share_a_channel() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    with_worker(&bench.engine.unit(0), Duration::ZERO, || {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let ticket = channel.submit_polled(&[null_transfer(); 3]).unwrap();
                        assert!(channel.wait(ticket, SOON));
                    }
                });
            }
        });
    });
    assert_eq!(channel.statistics().descriptors, 450);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_lost_interrupt_shows_and_does_not_hang() {
    let (bench, channel) = Bench::running(Os::Win7);
    let ticket = channel.submit(&[null_transfer()]).unwrap();
    assert!(channel.wait(ticket, SOON));
    let statistics = channel.statistics();
    assert_eq!(
        (statistics.interrupts, statistics.missing_interrupts),
        (0, 1)
    );
    bench.interrupt(&bench.engine.unit(0));
    assert_eq!(channel.statistics().missing_interrupts, 0);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_wait_ends() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let ticket = channel.submit(&[null_transfer()]).unwrap();
    assert!(!channel.wait(ticket, Duration::from_millis(30)));
    assert!(!channel.wait(ticket + 1, SOON), "no such ticket");
    assert!(bench.engine.unit(0).step());
    assert!(channel.wait(ticket, SOON));
    assert_eq!(channel.submit(&[]), Err(sys::STATUS_INVALID_PARAMETER));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn refused_descriptors_are_taken_back() {
    for version in [1, 2] {
        let mut bench = Bench::new(Os::Win7);
        let mut characteristics = bench.characteristics();
        (characteristics.MajorVersion, characteristics.MinorVersion) = (version, 0);
        let provider = bench.register_as(&characteristics);
        bench.start();
        let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
        for _ in 0..2 {
            bench
                .engine
                .set(|habits| habits.run_status = sys::STATUS_UNSUCCESSFUL);
            assert_eq!(
                channel.submit(&[null_transfer()]),
                Err(sys::STATUS_UNSUCCESSFUL)
            );
            bench
                .engine
                .set(|habits| habits.run_status = sys::STATUS_SUCCESS);
            assert!(!bench.engine.unit(0).step(), "it can still be reached");
            let ticket = channel.submit(&[null_transfer()]).unwrap();
            assert!(channel.wait(ticket, SOON));
        }
        let names: Vec<_> = bench
            .engine
            .seen()
            .calls
            .iter()
            .skip(2)
            .map(|call| call.0)
            .collect();
        assert_eq!(names, ["StartDma", "StartDma", "AppendDma", "AppendDma"]);
        assert_eq!(channel.statistics().descriptors, 2);
        bench
            .engine
            .set(|habits| habits.run_status = sys::STATUS_INSUFFICIENT_RESOURCES);
        assert!(channel.submit(&[null_transfer()]).is_err());
        let detail = bench.broken(&violation::STATUS);
        assert!(detail.contains("AppendDma"), "{detail}");
        channel.free();
        bench.stop_and_end();
    }
}

#[test]
fn the_completion_word_names_what_is_outstanding() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer(); 2]).unwrap();
    let first = unit.list.lock().unwrap().next;
    for wrong in [first + 2 * 64, first - 64, 0x40, first + 256 * 64] {
        unit.publish(wrong);
        assert!(!channel.wait(ticket, Duration::from_millis(5)));
        bench.broken(&violation::COMPLETION_ADDRESS);
    }
    unit.publish(first | 5);
    assert!(!channel.wait(ticket, Duration::from_millis(5)));
    bench.broken(&violation::COMPLETION_STATUS);
    // Hardware reports errors in bits 3 to 5; they are no part of the address.
    unit.publish(first | 8);
    assert!(!channel.wait(ticket, Duration::from_millis(5)));
    assert_eq!(channel.statistics().descriptors, 1);
    assert!(unit.step() && unit.step());
    assert!(channel.wait(ticket, SOON));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn without_completion_word_the_dpc_tells_and_nothing_is_written() {
    for completion in [
        CompletionPlace::Absent,
        CompletionPlace::VirtualOnly,
        CompletionPlace::PhysicalOnly,
        CompletionPlace::At(4),
    ] {
        let mut bench = Bench::new(Os::Win7);
        let provider = bench.register();
        bench.start();
        let request = ChannelRequest {
            completion,
            ..ChannelRequest::default()
        };
        bench.engine.set(|habits| habits.mute = true);
        let channel = bench.kernel.netdma().open_as(provider, &request).unwrap();
        let unit = bench.engine.unit(0);
        let ticket = channel.submit(&[null_transfer(); 3]).unwrap();
        assert!(!channel.wait(ticket, Duration::from_millis(5)));
        bench.interrupt(&unit);
        assert!(channel.wait(ticket, SOON));
        // An error is told by an address of 0.
        bench.engine.set(|habits| habits.eager = false);
        let lost = channel.submit(&[null_transfer()]).unwrap();
        let handle = unit.handle;
        bench.kernel.run_dpc_on(0, move || dpc(handle, 0));
        assert!(!channel.wait(lost, SOON));
        let statistics = channel.statistics();
        assert_eq!((statistics.descriptors, statistics.faults), (3, 1));
        assert_eq!(statistics.completion_writes, 0);
        bench
            .engine
            .set(|habits| (habits.mute, habits.eager) = (false, true));
        let ticket = channel.submit(&[null_transfer()]).unwrap();
        if completion != CompletionPlace::VirtualOnly {
            bench.interrupt(&unit);
        } else {
            assert!(!channel.wait(ticket, Duration::from_millis(5)));
            bench.interrupt(&unit);
            bench.broken(&violation::COMPLETION_ABSENT);
        }
        assert!(channel.wait(ticket, SOON));
        channel.free();
        bench.stop_and_end();
    }
}

#[test]
fn a_halt_loses_what_is_outstanding_and_the_next_batch_is_a_start() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let unit = bench.engine.unit(0);
    for round in 1..=2 {
        let done = channel.submit_polled(&[null_transfer()]).unwrap();
        assert!(unit.step());
        assert!(channel.wait(done, SOON));
        let lost = channel.submit_polled(&[null_transfer(); 2]).unwrap();
        unit.publish(unit.last() | 3);
        assert!(!channel.wait(lost, SOON));
        assert!(channel.wait(done, SOON));
        // Before anything is done, a halt has no descriptor to name.
        let nothing = channel.submit_polled(&[null_transfer()]).unwrap();
        unit.publish(3);
        assert!(!channel.wait(nothing, SOON));
        let again = channel.submit_polled(&[null_transfer()]).unwrap();
        unit.publish(3);
        assert!(!channel.wait(again, SOON));
        assert_eq!(channel.statistics().faults, 3 * round);
    }
    let starts = bench
        .engine
        .seen()
        .calls
        .iter()
        .filter(|call| call.0 == "StartDma")
        .count();
    assert_eq!(starts, 6);
    assert_eq!(channel.statistics().descriptors, 2);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_halt_before_start_returns_is_not_forgotten() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.halts = true);
    for _ in 0..2 {
        let lost = channel.submit(&[null_transfer()]).unwrap();
        assert!(!channel.wait(lost, SOON));
        assert_eq!(bench.engine.seen().calls.last().unwrap().0, "StartDma");
    }
    assert_eq!(channel.statistics().faults, 2);
    // The handler told at once, and not through an interrupt.
    bench.kernel.take_violations(&violation::DPC_WITHOUT_ISR);
    bench.kernel.take_violations(&violation::DPC_LEVEL);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn descriptors_belong_to_the_interface() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer()]).unwrap();
    {
        let list = unit.list.lock().unwrap();
        let words = list.known.as_ref().unwrap().1.load(Ordering::Relaxed);
        // SAFETY: a word of the first descriptor.
        let context = unsafe { AtomicU64::from_ptr(words.wrapping_add(6)) };
        context.store(42, Ordering::Relaxed);
    }
    assert!(unit.step());
    assert!(channel.wait(ticket, SOON));
    bench.broken(&violation::DESCRIPTOR_CHANGED);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn interrupts_are_told_where_they_belong() {
    let (bench, channel) = Bench::running(Os::Win7);
    let unit = bench.engine.unit(0);
    let handle = unit.handle;
    channel.submit(&[null_transfer()]).unwrap();

    bench
        .kernel
        .run_dpc_on(channel.processor(), move || dpc(handle, 0));
    bench.broken(&violation::DPC_WITHOUT_ISR);
    isr(handle, 0);
    bench.broken(&violation::ISR_LEVEL);
    let elsewhere = channel.processor() + 1;
    bench.kernel.run_dpc_on(elsewhere, move || dpc(handle, 0));
    bench.broken(&violation::DPC_PROCESSOR);
    bench.kernel.run_on(channel.processor(), || dpc(handle, 0));
    bench.broken(&violation::DPC_LEVEL);
    let wrong = unit.last() + 64;
    bench
        .kernel
        .run_isr_on(0, DEVICE, move || isr(handle, wrong));
    bench.broken(&violation::ISR_DESCRIPTOR);
    bench.kernel.run_isr_on(0, DEVICE, move || {
        // SAFETY: null is what is tested.
        unsafe {
            sys::NetDmaIsr(
                ptr::without_provenance_mut(handle),
                sys::physical_address(0),
                null_mut(),
            )
        };
    });
    bench.broken(&violation::NULL_POINTER);

    channel.free();
    for (handle, what) in [(handle, "freed"), (handle + 1, "none"), (0, "none")] {
        assert_eq!(
            bench.kernel.run_isr_on(0, DEVICE, move || isr(handle, 0)),
            0
        );
        let detail = bench.broken(&violation::CHANNEL_HANDLE);
        assert!(detail.contains(what), "{detail}");
        bench.kernel.run_dpc_on(0, move || dpc(handle, 0));
        bench.broken(&violation::CHANNEL_HANDLE);
    }
    bench.stop_and_end();
}

#[test]
fn nothing_is_written_after_free() {
    let (bench, channel) = Bench::running(Os::Win7);
    let ticket = channel.submit_polled(&[null_transfer()]).unwrap();
    assert!(channel.wait(ticket, SOON));
    let unit = bench.engine.unit(0);
    channel.free();
    unit.publish(unit.last() | 1);
    bench.stop();
    bench.deregister();
    let verdict = bench.verdict();
    assert_eq!(verdict.violations.len(), 1, "{verdict}");
    assert_eq!(
        verdict.violations[0].rule,
        &violation::COMPLETION_AFTER_FREE
    );
    assert!(
        verdict.violations[0].detail.contains("channel 0"),
        "{verdict}"
    );
}

#[test]
fn stop_waits_for_outstanding_work_and_frees_the_channels() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let ticket = channel.submit(&[null_transfer(); 20]).unwrap();
    let unit = bench.engine.unit(0);
    with_worker(&unit, Duration::from_millis(1), || {
        bench.stop();
        assert_eq!(unit.list.lock().unwrap().done, 20, "stop returned early");
    });
    assert_eq!(
        bench.engine.seen().calls.last().unwrap().0,
        "FreeDmaChannel"
    );
    assert!(channel.wait(ticket, SOON));
    assert_eq!(
        channel.submit(&[null_transfer()]),
        Err(sys::STATUS_DEVICE_NOT_READY)
    );
    assert_eq!(channel.statistics().descriptors, 20);
    bench.start();
    let refused = channel.submit(&[null_transfer()]);
    assert_eq!(
        refused,
        Err(sys::STATUS_DEVICE_NOT_READY),
        "a channel does not come back"
    );
    channel.free();
    let frees = bench
        .engine
        .seen()
        .calls
        .iter()
        .filter(|call| call.0 == "FreeDmaChannel")
        .count();
    assert_eq!(frees, 1);
    bench.stop_and_end();
}

#[test]
fn a_stop_that_would_hang_says_what_is_outstanding() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench
        .kernel
        .netdma()
        .set_patience(Duration::from_millis(50));
    bench.engine.set(|habits| habits.mute = true);
    let ticket = channel.submit(&[null_transfer(); 3]).unwrap();
    bench.stop();
    let detail = bench.broken(&violation::OUTSTANDING);
    for what in [NAME, "channel 0", "3 of 3 descriptors"] {
        assert!(detail.contains(what), "{detail}");
    }
    assert!(!channel.wait(ticket, SOON));
    bench.deregister();
    drop(channel);
    bench.end();
}

#[test]
fn a_full_ring_times_out() {
    let mut bench = Bench::new(Os::Win7);
    let provider = bench.register();
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(4)).unwrap();
    bench
        .kernel
        .netdma()
        .set_patience(Duration::from_millis(50));
    channel.submit_polled(&[null_transfer(); 3]).unwrap();
    assert_eq!(
        channel.submit_polled(&[null_transfer()]),
        Err(sys::STATUS_IO_TIMEOUT)
    );
    let unit = bench.engine.unit(0);
    while unit.step() {}
    channel.submit_polled(&[null_transfer()]).unwrap();
    while unit.step() {}
    channel.free();
    bench.stop_and_end();
}

#[test]
fn power_down_drains_and_power_up_starts_again() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let ticket = channel.submit(&[null_transfer(); 4]).unwrap();
    let unit = bench.engine.unit(0);
    with_worker(&unit, Duration::from_millis(1), || {
        bench.power(sys::NetDmaNotificationProviderPowerDown);
        assert_eq!(
            unit.list.lock().unwrap().done,
            4,
            "the notification returned early"
        );
    });
    assert!(channel.wait(ticket, SOON));
    assert_eq!(
        channel.submit(&[null_transfer()]),
        Err(sys::STATUS_DEVICE_NOT_READY)
    );
    bench.power(sys::NetDmaNotificationProviderPowerUp);
    channel.submit(&[null_transfer()]).unwrap();
    assert_eq!(bench.engine.seen().calls.last().unwrap().0, "StartDma");
    assert!(unit.step());
    channel.free();
    bench.stop_and_end();
}

#[test]
fn notifications_are_checked() {
    let mut bench = Bench::new(Os::Win7);
    let (down, up) = (
        sys::NetDmaNotificationProviderPowerDown,
        sys::NetDmaNotificationProviderPowerUp,
    );
    bench.register();
    bench.power(down);
    bench.broken(&violation::NOTIFICATION_PHASE);
    bench.start();
    bench.power(up);
    bench.broken(&violation::POWER_ORDER);
    bench.power(down);
    bench.power(down);
    bench.broken(&violation::POWER_ORDER);
    bench.power(up);
    for code in [0, 1, 2, 3, 4, 7] {
        bench.power(code);
        bench.broken(&violation::NOTIFICATION_CODE);
    }
    let right = sys::NET_DMA_PNP_NOTIFICATION {
        StructureRevision: 1,
        StructureSize: 32,
        NotificationCode: down,
        Buffer: null_mut(),
        BufferLength: 0,
    };
    for wrong in [
        sys::NET_DMA_PNP_NOTIFICATION {
            StructureRevision: 2,
            ..right
        },
        sys::NET_DMA_PNP_NOTIFICATION {
            StructureSize: 28,
            ..right
        },
        sys::NET_DMA_PNP_NOTIFICATION {
            BufferLength: 1,
            ..right
        },
        sys::NET_DMA_PNP_NOTIFICATION {
            Buffer: null::<u8>().wrapping_add(8).cast_mut().cast(),
            ..right
        },
    ] {
        bench.notify(wrong);
        bench.broken(&violation::NOTIFICATION);
    }
    // A start is in D0.
    bench.power(down);
    bench.stop();
    bench.start();
    let provider = bench.kernel.netdma().providers()[0].id;
    drop(bench.kernel.netdma().open(provider, EVERY).unwrap());
    bench.stop_and_end();
}

#[test]
fn what_is_left_is_named() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    channel.submit(&[null_transfer(); 2]).unwrap();
    let verdict = bench.verdict();
    let leaks: Vec<_> = verdict.leaks.iter().map(ToString::to_string).collect();
    assert_eq!(
        leaks,
        [
            "leaked netdma provider registration: 'test engine'",
            "leaked netdma channel: channel 0 of 'test engine', 2 descriptors outstanding",
        ]
    );
    assert_eq!(
        channel.submit(&[null_transfer()]),
        Err(sys::STATUS_DEVICE_NOT_READY)
    );
    drop(channel);
}

#[test]
fn a_channel_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Channel>();
}

unsafe extern "system" fn halt(context: sys::PVOID) -> sys::NTSTATUS {
    let unit = unit_of(context);
    unit.publish(unit.last() | 3);
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn nothing(_context: sys::PVOID) -> sys::NTSTATUS {
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn stand_still(
    context: sys::PVOID,
    last: *mut sys::PPHYSICAL_ADDRESS,
) -> sys::NTSTATUS {
    let unit = unit_of(context);
    unit.publish(unit.last() | 2);
    // SAFETY: the interface passes room for an address.
    unsafe { last.cast::<u64>().write(unit.last()) };
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn say_nothing(
    _context: sys::PVOID,
    _last: *mut sys::PPHYSICAL_ADDRESS,
) -> sys::NTSTATUS {
    sys::STATUS_SUCCESS
}

/// A running channel of an engine that has `suspend` and `reset`, resumes without doing anything, and aborts as it should.
fn with_optional(
    suspend: sys::DMA_SUSPEND_HANDLER,
    reset: sys::DMA_RESET_HANDLER,
) -> (Bench, Channel) {
    let mut bench = Bench::new(Os::Win7);
    let characteristics = sys::NET_DMA_PROVIDER_CHARACTERISTICS {
        SuspendDma: suspend,
        ResumeDma: Some(nothing),
        AbortDma: Some(halt),
        ResetChannel: reset,
        ..bench.characteristics()
    };
    let provider = bench.register_as(&characteristics);
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
    (bench, channel)
}

#[test]
fn what_a_provider_does_not_offer_is_not_supported() {
    let (bench, channel) = Bench::running(Os::Win7);
    assert_eq!(channel.suspend(), Err(sys::STATUS_NOT_SUPPORTED));
    for answer in [channel.resume(), channel.abort(), channel.reset()] {
        assert_eq!(answer, Err(sys::STATUS_NOT_SUPPORTED));
    }
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_suspended_channel_says_what_it_did_last_and_does_no_more() {
    let (bench, channel) = with_optional(Some(stand_still), Some(halt));
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer(); 3]).unwrap();
    assert!(unit.step());
    assert_eq!(channel.suspend(), Ok(1));
    channel.resume().unwrap();
    assert_eq!(channel.suspend(), Ok(1));
    assert!(unit.step());
    assert!(unit.step());
    channel.resume().unwrap();
    bench.broken(&violation::RUNS_SUSPENDED);
    assert!(channel.wait(ticket, SOON));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_channel_that_a_stop_freed_reaches_its_provider_no_more() {
    let (bench, channel) = with_optional(Some(stand_still), Some(halt));
    bench.stop();
    bench.start();
    let calls = bench.engine.seen().calls.len();
    let gone = Err(sys::STATUS_DEVICE_NOT_READY);
    assert_eq!(channel.suspend().map(drop), gone);
    for answer in [channel.resume(), channel.abort(), channel.reset()] {
        assert_eq!(answer, gone);
    }
    for answer in [
        channel.submit(&[null_transfer()]),
        channel.append(&[null_transfer()]),
        channel.restart(&[null_transfer()]),
    ] {
        assert_eq!(answer.map(drop), gone);
    }
    channel.free();
    assert_eq!(bench.engine.seen().calls.len(), calls);
    bench.stop_and_end();
}

#[test]
fn after_a_halt_a_suspension_names_the_last_descriptor_done() {
    let (bench, channel) = with_optional(Some(stand_still), Some(halt));
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer(); 2]).unwrap();
    assert!(unit.step());
    unit.publish(unit.last() | 3);
    assert!(!channel.wait(ticket, SOON));
    channel.suspend().unwrap();
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_suspension_without_a_word_is_found_out() {
    let (bench, channel) = with_optional(Some(say_nothing), Some(halt));
    assert!(channel.suspend().is_ok());
    bench.broken(&violation::SUSPEND_OUTPUT);
    bench.broken(&violation::SUSPEND);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_reset_leaves_a_halted_channel_that_accepts_no_append() {
    let (bench, channel) = with_optional(None, Some(nothing));
    let lost = channel.append(&[null_transfer()]).unwrap();
    bench.broken(&violation::APPEND_WITHOUT_START);
    channel.reset().unwrap();
    bench.broken(&violation::HALT);
    channel.abort().unwrap();
    assert!(!channel.wait(lost, SOON));
    channel.free();
    bench.stop_and_end();
}
