//! A driver whose AddDevice does what a test says, and a machine with it.
#![allow(dead_code, reason = "each test uses its part")]

use std::any::Any;
use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{self, AddedDevice, DeviceInit, DriverInit, NewDevice, Parameters};
use nmr_netdma::{Result, sys};
use simkernel::pnp::{DeviceConfig, DeviceId, DriverId};
use simkernel::{Config, Kernel};

nmr_netdma::kmdf::driver_entry!(Driver);

/// What AddDevice is to make. The answer is kept in the device's context.
pub(crate) type Make =
    Box<dyn FnMut(&mut NewDevice<'_, Device>, &mut Irql<Passive>) -> Result<Parts>>;
/// What AddDevice does with the driver's parameters.
type Read = Box<dyn FnMut(&Parameters<'_>)>;
pub(crate) type Parts = Box<dyn Any + Send + Sync>;

thread_local! {
    static MAKE: RefCell<Option<Make>> = const { RefCell::new(None) };
    static READ: RefCell<Option<Read>> = const { RefCell::new(None) };
}

struct Driver;

impl kmdf::Driver for Driver {
    fn init(_: &DriverInit<'_>, _: &mut Irql<Passive>) -> Result<Self> {
        Ok(Self)
    }

    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> Result<AddedDevice<'a>> {
        READ.with_borrow_mut(|read| match read {
            Some(read) => init.parameters(irql).map(|parameters| read(&parameters)),
            None => Ok(()),
        })?;
        let mut device = init.create(irql)?;
        let parts = MAKE.with_borrow_mut(|make| make.as_mut().unwrap()(&mut device, irql))?;
        Ok(device.finish(Device(parts)))
    }
}

pub(crate) struct Device(#[expect(dead_code, reason = "dropped with the context")] Parts);

impl kmdf::Device for Device {}

/// A machine with the driver loaded.
pub(crate) struct Lab {
    pub(crate) kernel: Kernel,
    pub(crate) driver: DriverId,
}

impl Lab {
    pub(crate) fn new(
        make: impl FnMut(&mut NewDevice<'_, Device>, &mut Irql<Passive>) -> Result<Parts> + 'static,
    ) -> Self {
        Self::boot(Config::default(), make)
    }

    pub(crate) fn boot(
        config: Config,
        make: impl FnMut(&mut NewDevice<'_, Device>, &mut Irql<Passive>) -> Result<Parts> + 'static,
    ) -> Self {
        MAKE.set(Some(Box::new(make)));
        let kernel = Kernel::boot(config);
        let driver = kernel.load_driver("objects", driver_entry).unwrap();
        Self { kernel, driver }
    }

    /// Has AddDevice read the driver's parameters.
    pub(crate) fn read(&self, read: impl FnMut(&Parameters<'_>) + 'static) {
        READ.set(Some(Box::new(read)));
    }

    pub(crate) fn try_add(&self) -> std::result::Result<DeviceId, sys::NTSTATUS> {
        self.kernel.add_device(
            self.driver,
            DeviceConfig {
                name: "device".into(),
                ..DeviceConfig::default()
            },
        )
    }

    pub(crate) fn add(&self) -> DeviceId {
        self.try_add().unwrap()
    }

    pub(crate) fn finish(self) {
        MAKE.set(None);
        READ.set(None);
        self.kernel.unload_driver(self.driver).unwrap();
        let verdict = self.kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

/// A test's thread is at PASSIVE_LEVEL.
pub(crate) fn passive() -> Irql<Passive> {
    // SAFETY: the calling thread entered its machine at PASSIVE_LEVEL.
    unsafe { Irql::assume() }
}

pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "waited for {what}"
        );
        thread::sleep(Duration::from_millis(1));
    }
}
