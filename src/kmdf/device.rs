//! [`Device`]: from AddDevice to removal.

use core::fmt;
use core::time::Duration;

use super::ffi;
use super::interrupt::{Interrupt, NewInterrupt};
use super::parameters::Parameters;
use super::queue::{ManualQueue, QueuePower, RequestHandler};
use super::registers::Registers;
use super::requirements::RequirementsList;
use super::resources::Resources;
use super::timer::{self, Timer, TimerRoutine};
use super::work_item::{WorkItem, WorkItemRoutine};
use crate::guid::Guid;
use crate::irql::{Irql, Passive};
use crate::lifetime::Image;
use crate::physical_device::PhysicalDevice;
use crate::status::{Error, Result};
use crate::sys;

/// The context of a device, which its Plug and Play and power callbacks belong to.
///
/// The framework never runs two of a device's callbacks at the same time, except
/// [`surprise_removal`](Self::surprise_removal), which may come during any other. Interrupts come when they like.
///
/// A callback must not fail with [`Error::NOT_SUPPORTED`](crate::Error::NOT_SUPPORTED), which means something else to the Plug and
/// Play manager; it is reported as [`Error::UNSUCCESSFUL`](crate::Error::UNSUCCESSFUL).
pub trait Device: Send + Sync + Sized + 'static {
    /// The system is about to choose resources: change what the device asks for. To set the processors of the
    /// interrupts there is [`set_message_affinity`](super::set_message_affinity).
    ///
    /// Comes after the framework has applied the policies of [`NewInterrupt::set_policy`]. May come again at any time, also
    /// while the device runs, so it must not depend on having been called or not.
    ///
    /// # Errors
    ///
    /// The device does not start.
    #[doc(alias = "EvtDeviceFilterAddResourceRequirements")]
    fn filter_resource_requirements(
        &self,
        _requirements: &mut RequirementsList<'_>,
        _irql: &mut Irql<Passive>,
    ) -> Result<()> {
        Ok(())
    }

    /// The device got resources: map registers and look at the device. No interrupt comes yet.
    ///
    /// # Errors
    ///
    /// The device does not start; [`release_hardware`](Self::release_hardware) follows and has to cope with half-done work.
    #[doc(alias = "EvtDevicePrepareHardware")]
    fn prepare_hardware(
        &self,
        _resources: &Resources<'_>,
        _irql: &mut Irql<Passive>,
    ) -> Result<()> {
        Ok(())
    }

    /// The device loses its resources: give up what [`prepare_hardware`](Self::prepare_hardware) made.
    ///
    /// # Errors
    ///
    /// Recorded; the device goes nevertheless.
    #[doc(alias = "EvtDeviceReleaseHardware")]
    fn release_hardware(&self, _irql: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    /// The device has power, after `previous`: program it. No interrupt comes yet.
    ///
    /// # Errors
    ///
    /// The device fails; [`release_hardware`](Self::release_hardware) follows, without [`d0_exit`](Self::d0_exit).
    #[doc(alias = "EvtDeviceD0Entry")]
    fn d0_entry(&self, _previous: PowerState, _irql: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    /// The device has power, and its interrupts are enabled.
    ///
    /// # Errors
    ///
    /// The device fails: interrupts are disabled, then [`d0_exit`](Self::d0_exit) and
    /// [`release_hardware`](Self::release_hardware) follow, without
    /// [`d0_exit_pre_interrupts_disabled`](Self::d0_exit_pre_interrupts_disabled).
    #[doc(alias = "EvtDeviceD0EntryPostInterruptsEnabled")]
    fn d0_entry_post_interrupts_enabled(
        &self,
        _previous: PowerState,
        _irql: &mut Irql<Passive>,
    ) -> Result<()> {
        Ok(())
    }

    /// The device is about to lose power, for `target`. Interrupts still come.
    ///
    /// # Errors
    ///
    /// The device counts as failed; the steps that follow are the same.
    #[doc(alias = "EvtDeviceD0ExitPreInterruptsDisabled")]
    fn d0_exit_pre_interrupts_disabled(
        &self,
        _target: PowerState,
        _irql: &mut Irql<Passive>,
    ) -> Result<()> {
        Ok(())
    }

    /// The device is about to lose power, for `target`. Interrupts are disabled and none of their routines runs.
    ///
    /// # Errors
    ///
    /// The device counts as failed; the steps that follow are the same.
    #[doc(alias = "EvtDeviceD0Exit")]
    fn d0_exit(&self, _target: PowerState, _irql: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    /// The device works for the first time: start what runs on its own.
    ///
    /// # Errors
    ///
    /// The device fails and is powered down.
    #[doc(alias = "EvtDeviceSelfManagedIoInit")]
    fn self_managed_io_init(&self, _irql: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    /// The device is about to stop working, before everything else: hold what runs on its own.
    ///
    /// # Errors
    ///
    /// The device counts as failed; the steps that follow are the same.
    #[doc(alias = "EvtDeviceSelfManagedIoSuspend")]
    fn self_managed_io_suspend(&self, _irql: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    /// The device works again.
    ///
    /// # Errors
    ///
    /// The device fails and is powered down.
    #[doc(alias = "EvtDeviceSelfManagedIoRestart")]
    fn self_managed_io_restart(&self, _irql: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    /// The device was removed: drop what is outstanding. Only after [`self_managed_io_init`](Self::self_managed_io_init) was called.
    #[doc(alias = "EvtDeviceSelfManagedIoFlush")]
    fn self_managed_io_flush(&self, _irql: &mut Irql<Passive>) {}

    /// The device was removed: undo [`self_managed_io_init`](Self::self_managed_io_init). Only after that was called.
    #[doc(alias = "EvtDeviceSelfManagedIoCleanup")]
    fn self_managed_io_cleanup(&self, _irql: &mut Irql<Passive>) {}

    /// The device was pulled out. The usual callbacks for its removal follow; reading its registers gives all ones.
    ///
    /// May come during any other callback.
    #[doc(alias = "EvtDeviceSurpriseRemoval")]
    fn surprise_removal(&self, _irql: &mut Irql<Passive>) {}

    /// The device object is being deleted, and what was created for it runs no more: no other callback follows. The lower drivers still
    /// have the device, so what [`Driver::device_add`](super::Driver::device_add) registered with [`NewDevice::physical_device`] is
    /// deregistered here. The context itself is dropped when the framework destroys the object.
    #[doc(alias = "EvtCleanupCallback")]
    fn cleanup(&self, _irql: &mut Irql<Passive>) {}
}

/// The state of a device's power that it comes from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "WDF_POWER_DEVICE_STATE")]
#[non_exhaustive]
pub enum PowerState {
    /// Working.
    D0,
    /// Asleep, lightly.
    D1,
    /// Asleep.
    D2,
    /// Off, to come back.
    D3,
    /// Off because the device starts, stops or goes.
    D3Final,
    /// On, but about to write the hibernation file.
    PrepareForHibernation,
    /// A state that this library does not know.
    Other(i32),
}

impl PowerState {
    pub(super) fn from_raw(state: sys::WDF_POWER_DEVICE_STATE) -> Self {
        use sys::_WDF_POWER_DEVICE_STATE as states;

        match state {
            states::WdfPowerDeviceD0 => Self::D0,
            states::WdfPowerDeviceD1 => Self::D1,
            states::WdfPowerDeviceD2 => Self::D2,
            states::WdfPowerDeviceD3 => Self::D3,
            states::WdfPowerDeviceD3Final => Self::D3Final,
            states::WdfPowerDevicePrepareForHibernation => Self::PrepareForHibernation,
            other => Self::Other(other),
        }
    }
}

/// A device that the system found, before its object is created.
#[doc(alias = "WDFDEVICE_INIT")]
pub struct DeviceInit<'a> {
    init: ffi::Init<'a>,
    image: &'a Image,
    driver: ffi::DriverHandle<'a>,
}

impl<'a> DeviceInit<'a> {
    pub(super) fn new(
        init: ffi::Init<'a>,
        image: &'a Image,
        driver: ffi::DriverHandle<'a>,
    ) -> Self {
        Self {
            init,
            image,
            driver,
        }
    }

    /// The driver's image, which every registration is counted in. Clone it to keep it.
    pub fn image(&self) -> &'a Image {
        self.image
    }

    /// The driver's parameters in the registry.
    ///
    /// # Errors
    ///
    /// What the framework answers, above all [`Error::INSUFFICIENT_RESOURCES`].
    #[doc(alias = "WdfDriverOpenParametersRegistryKey")]
    pub fn parameters<'i>(&self, irql: &'i mut Irql<Passive>) -> Result<Parameters<'i>> {
        self.driver.open_parameters(irql).map(Parameters::new)
    }

    /// Creates the device object and attaches it to the device's stack, with the callbacks of `D`.
    ///
    /// # Errors
    ///
    /// What the framework answers, above all [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES).
    #[doc(alias = "WdfDeviceCreate")]
    pub fn create<D: Device>(self, irql: &mut Irql<Passive>) -> Result<NewDevice<'a, D>> {
        let device = ffi::create_device(self.init, irql)?;
        Ok(NewDevice {
            device,
            image: self.image,
        })
    }
}

impl fmt::Debug for DeviceInit<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DeviceInit").finish_non_exhaustive()
    }
}

/// A device object that has no context yet, so that none of its callbacks can come.
///
/// Dropped without [`finish`](Self::finish), it is deleted when [`Driver::device_add`](super::Driver::device_add) returns, which can
/// only be with an error then.
#[must_use = "AddDevice succeeds only with a device that is finished"]
pub struct NewDevice<'a, D: Device> {
    device: ffi::DeviceHandle<'a, D>,
    image: &'a Image,
}

impl<'a, D: Device> NewDevice<'a, D> {
    /// The driver's image, which every registration is counted in. Clone it to keep it.
    pub fn image(&self) -> &'a Image {
        self.image
    }

    /// The object that the bus driver made for the device, by which other parts of the system know it.
    ///
    /// What is registered with it is best deregistered in [`Device::cleanup`]; what is later names a device that is gone.
    #[doc(alias = "WdfDeviceWdmGetPhysicalDevice")]
    pub fn physical_device(&self) -> PhysicalDevice {
        self.device.physical_device()
    }

    /// Creates the next interrupt object, with `context` as its own.
    ///
    /// Interrupt objects get the device's interrupts in the order of their creation: of messages, the first object gets message 0.
    /// One that gets none stays unused. So create one for each message that the device can have, and a line interrupt, if
    /// that is what the device is given, goes to the first.
    ///
    /// # Errors
    ///
    /// What the framework answers, above all [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES). `context` is
    /// dropped then.
    #[doc(alias = "WdfInterruptCreate")]
    pub fn create_interrupt<I: Interrupt>(&mut self, context: I) -> Result<NewInterrupt<'_>> {
        self.device.create_interrupt(context).map(NewInterrupt::new)
    }

    /// Registers of the device, to be mapped when it is prepared.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES).
    pub fn create_registers(&mut self, irql: &mut Irql<Passive>) -> Result<Registers> {
        self.device.create_registers(irql)
    }

    /// A timer, not started, that runs `routine`: once, or again after each `period`, which is counted in milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`] for a period of more than 24 days, and what the framework answers, above all
    /// [`Error::INSUFFICIENT_RESOURCES`]. `routine` is dropped then.
    #[doc(alias = "WdfTimerCreate")]
    pub fn create_timer<R: TimerRoutine>(
        &mut self,
        period: Option<Duration>,
        routine: R,
        irql: &mut Irql<Passive>,
    ) -> Result<Timer> {
        let period = timer::milliseconds(period.unwrap_or_default());
        let period = period.ok_or(Error::INVALID_PARAMETER)?;
        self.device
            .create_timer(period, routine, irql)
            .map(Timer::new)
    }

    /// A work item, not queued, that runs `routine`.
    ///
    /// # Errors
    ///
    /// What the framework answers, above all [`Error::INSUFFICIENT_RESOURCES`]. `routine` is dropped then.
    #[doc(alias = "WdfWorkItemCreate")]
    pub fn create_work_item<R: WorkItemRoutine>(
        &mut self,
        routine: R,
        irql: &mut Irql<Passive>,
    ) -> Result<WorkItem> {
        self.device
            .create_work_item(routine, irql)
            .map(WorkItem::new)
    }

    /// The device's default queue, which presents control codes to `handler`. A device has one at most; without, and for every other
    /// kind of request, the framework refuses.
    ///
    /// # Errors
    ///
    /// What the framework answers: [`Error::UNSUCCESSFUL`] for a second one, above all
    /// [`Error::INSUFFICIENT_RESOURCES`]. `handler` is dropped then.
    #[doc(alias = "WdfIoQueueCreate")]
    pub fn create_default_queue<H: RequestHandler>(
        &mut self,
        power: QueuePower,
        handler: H,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let managed = power == QueuePower::Managed;
        self.device.create_default_queue(managed, handler, irql)
    }

    /// A queue for requests that are completed later. It does not depend on the device's power.
    ///
    /// # Errors
    ///
    /// What the framework answers, above all [`Error::INSUFFICIENT_RESOURCES`].
    #[doc(alias = "WdfIoQueueCreate")]
    pub fn create_manual_queue(&mut self, irql: &mut Irql<Passive>) -> Result<ManualQueue> {
        self.device.create_manual_queue(irql).map(ManualQueue::new)
    }

    /// Lets programs find the device as one of `class`, from its start to its removal.
    ///
    /// # Errors
    ///
    /// What the framework answers, above all [`Error::INSUFFICIENT_RESOURCES`].
    #[doc(alias = "WdfDeviceCreateDeviceInterface")]
    pub fn create_interface(&mut self, class: Guid, irql: &mut Irql<Passive>) -> Result<()> {
        self.device.create_interface(class, irql)
    }

    /// Installs the device's context: from now on its callbacks can come.
    pub fn finish(self, context: D) -> AddedDevice<'a> {
        AddedDevice {
            _brand: self.device.install(context),
        }
    }
}

impl<D: Device> fmt::Debug for NewDevice<'_, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewDevice").finish_non_exhaustive()
    }
}

/// Says that the device of this very [`DeviceInit`] is complete. What [`Driver::device_add`](super::Driver::device_add) returns.
#[derive(Debug)]
pub struct AddedDevice<'a> {
    _brand: ffi::Brand<'a>,
}
