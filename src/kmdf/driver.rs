//! [`Driver`]: from entry to unload.

use super::device::{AddedDevice, DeviceInit};
use super::ffi;
use super::parameters::Parameters;
use crate::irql::{Irql, Passive};
use crate::lifetime::Image;
use crate::status::Result;

/// A driver. There is one value of it while the driver is loaded.
pub trait Driver: Send + Sync + Sized + 'static {
    /// The driver was loaded.
    ///
    /// # Errors
    ///
    /// The driver is not loaded. What has been registered must have been deregistered.
    #[doc(alias = "DriverEntry")]
    #[doc(alias = "WdfDriverCreate")]
    fn init(driver: &DriverInit<'_>, irql: &mut Irql<Passive>) -> Result<Self>;

    /// The system found a device for this driver: create its object. Several devices may be added at the same time.
    ///
    /// # Errors
    ///
    /// The device gets no driver. If it had been created, it is deleted again.
    #[doc(alias = "EvtDriverDeviceAdd")]
    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> Result<AddedDevice<'a>>;

    /// The driver is about to be unloaded; no device is left. To deregister what the driver registered, by dropping it or
    /// with this proof of the level.
    ///
    /// Afterwards unloading waits until nothing is registered with the driver's [`Image`].
    #[doc(alias = "EvtDriverUnload")]
    fn unload(self, _irql: &mut Irql<Passive>) {}
}

/// What a driver is given when it is loaded.
#[derive(Debug)]
pub struct DriverInit<'a> {
    image: &'a Image,
    driver: ffi::DriverHandle<'a>,
}

impl<'a> DriverInit<'a> {
    pub(super) fn new(image: &'a Image, driver: ffi::DriverHandle<'a>) -> Self {
        Self { image, driver }
    }

    /// The driver's image, which every registration is counted in. Clone it to keep it.
    pub fn image(&self) -> &'a Image {
        self.image
    }

    /// The driver's parameters in the registry.
    ///
    /// # Errors
    ///
    /// What the framework answers, above all [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES).
    #[doc(alias = "WdfDriverOpenParametersRegistryKey")]
    pub fn parameters<'i>(&self, irql: &'i mut Irql<Passive>) -> Result<Parameters<'i>> {
        self.driver.open_parameters(irql).map(Parameters::new)
    }
}
