//! A machine with the engine, and what tests do to it.

use std::ffi::c_void;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nmr_netdma::sys;
use simkernel::mm::Buffer;
use simkernel::ndis::{Channel, ChannelRequest, ProviderId, Transfer};
use simkernel::pnp::{DeviceConfig, DeviceId, DriverId};
use simkernel::{Config, Kernel, Os, Rule};

use super::engine::*;
use super::*;

/// A machine with one device, and the engine that a driver would have for it.
pub(crate) struct Bench {
    pub(crate) kernel: Kernel,
    pub(crate) plugged: Plugged,
    pub(crate) engine: Arc<Engine>,
    pub(crate) name: Vec<u16>,
}

/// A device whose driver does nothing but find its physical device object.
pub(crate) struct Plugged {
    pub(crate) driver: DriverId,
    pub(crate) device: DeviceId,
    pub(crate) physical: sys::PDEVICE_OBJECT,
}

/// Memory and the engine's mapping of it.
pub(crate) struct Mapped {
    pub(crate) buffer: Buffer,
    pub(crate) mapping: sys::PVOID,
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
pub(crate) static PLUGGING: Mutex<()> = Mutex::new(());
pub(crate) static FOUND: AtomicPtr<sys::DEVICE_OBJECT> = AtomicPtr::new(null_mut());

pub(crate) unsafe extern "C" fn device_add(
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

pub(crate) unsafe extern "system" fn driver_entry(
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
    pub(crate) fn new(kernel: &Kernel, messages: u32) -> Self {
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
    pub(crate) fn new(os: Os) -> Self {
        Self::with(
            Config {
                os,
                ..Config::default()
            },
            4,
        )
    }

    pub(crate) fn with(config: Config, messages: u32) -> Self {
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

    pub(crate) fn characteristics(&mut self) -> sys::NET_DMA_PROVIDER_CHARACTERISTICS {
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

    pub(crate) fn attributes(&self) -> sys::NET_DMA_PROVIDER_ATTRIBUTES {
        sys::NET_DMA_PROVIDER_ATTRIBUTES {
            Size: 32,
            DmaChannelCount: 4,
            MaximumTransferSize: 0x10000,
            MaximumAddressSpace: sys::physical_address(u64::MAX),
            ..Default::default()
        }
    }

    /// Registers; the status and the handle.
    pub(crate) fn try_register(
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

    pub(crate) fn register(&mut self) -> ProviderId {
        let characteristics = self.characteristics();
        self.register_as(&characteristics)
    }

    pub(crate) fn register_as(
        &mut self,
        characteristics: &sys::NET_DMA_PROVIDER_CHARACTERISTICS,
    ) -> ProviderId {
        let (status, handle) = self.try_register(characteristics);
        assert_eq!(status, sys::STATUS_SUCCESS);
        assert_ne!(handle, 0);
        self.kernel.netdma().providers().last().unwrap().id
    }

    pub(crate) fn start(&self) {
        self.start_with(self.attributes());
    }

    pub(crate) fn start_with(&self, mut attributes: sys::NET_DMA_PROVIDER_ATTRIBUTES) {
        // SAFETY: the structure outlives the call.
        unsafe { sys::NetDmaProviderStart(self.engine.handle(), &raw mut attributes) };
    }

    pub(crate) fn stop(&self) {
        // SAFETY: takes a handle, which is checked.
        unsafe { sys::NetDmaProviderStop(self.engine.handle()) };
    }

    pub(crate) fn deregister(&self) {
        // SAFETY: takes a handle, which is checked.
        unsafe { sys::NetDmaDeregisterProvider(self.engine.handle()) };
    }

    /// Registers, starts and opens one channel.
    pub(crate) fn running(os: Os) -> (Self, Channel) {
        let mut bench = Self::new(os);
        let provider = bench.register();
        bench.start();
        let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
        (bench, channel)
    }

    /// The function that the interface gives for `name`.
    pub(crate) fn routine(&self, name: &str) -> sys::PVOID {
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

    pub(crate) fn notify(&self, event: sys::NET_DMA_PNP_NOTIFICATION) {
        let mut event = event;
        let routine = self.routine("NetDmaPnPEventNotify");
        // SAFETY: the routine of this name has this type.
        let routine: sys::PFN_NETDMAPNPEVENTNOTIFY = unsafe { std::mem::transmute(routine) };
        // SAFETY: the structure outlives the call.
        unsafe { routine.unwrap()(self.engine.handle(), &raw mut event) };
    }

    pub(crate) fn power(&self, code: sys::NET_DMA_PNP_NOTIFICATION_CODE) {
        self.notify(sys::NET_DMA_PNP_NOTIFICATION {
            StructureRevision: 1,
            StructureSize: 32,
            NotificationCode: code,
            Buffer: null_mut(),
            BufferLength: 0,
        });
    }

    /// Physical memory that the engine can reach.
    pub(crate) fn buffer(&self, bytes: usize) -> Mapped {
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
    pub(crate) fn interrupt(&self, unit: &Unit) -> u32 {
        let (handle, last) = (unit.handle, unit.last());
        let named = self.kernel.run_isr_on(1, DEVICE, move || isr(handle, last));
        self.kernel.run_dpc_on(named, move || dpc(handle, last));
        named
    }

    /// The one violation of `rule`, which the test broke on purpose.
    pub(crate) fn broken(&self, rule: &Rule) -> String {
        let mut violations = self.kernel.take_violations(rule);
        assert_eq!(violations.len(), 1, "{}: {violations:?}", rule.name);
        violations.remove(0).detail
    }

    /// Shuts down; what was wrong and left.
    pub(crate) fn verdict(self) -> simkernel::Verdict {
        self.kernel.remove_device(self.plugged.device).unwrap();
        self.kernel.unload_driver(self.plugged.driver).unwrap();
        self.kernel.shutdown()
    }

    pub(crate) fn end(self) {
        let verdict = self.verdict();
        assert!(verdict.is_clean(), "{verdict}");
    }

    pub(crate) fn stop_and_end(self) {
        self.stop();
        self.deregister();
        self.end();
    }
}

/// A channel with so many descriptors.
pub(crate) fn ring(descriptors: usize) -> ChannelRequest {
    ChannelRequest {
        descriptors,
        ..ChannelRequest::default()
    }
}

pub(crate) fn null_transfer() -> Transfer {
    Transfer {
        flags: NULL,
        ..Transfer::default()
    }
}

/// Copies all of `from` to `to` in pieces of `piece` bytes.
pub(crate) fn pieces(from: &Buffer, to: &Buffer, length: usize, piece: usize) -> Vec<Transfer> {
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

pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 251) as u8)
        .collect()
}

/// Runs `body` while a thread of the engine steps through `unit`.
pub(crate) fn with_worker<R>(unit: &Arc<Unit>, pause: Duration, body: impl FnOnce() -> R) -> R {
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
