//! [`Interrupt`]: service routine, DPC, and on which processors.

use core::fmt;

use super::ffi;
use crate::irql::{self, AtMostDispatch, Dispatch, Irql};
use crate::resources::ProcessorSet;
use crate::status::{Error, Result};
use crate::sys;

/// The context of an interrupt object, one for each message or line.
///
/// It usually holds a [`Shared`](super::Shared) of what the device's context holds too.
pub trait Interrupt: Send + Sync + Sized + 'static {
    /// The interrupt service routine. `message` is the number of the message, 0 on a line.
    ///
    /// Answers whether it was the device that interrupted; on a shared line the next driver is asked otherwise. Runs on one
    /// processor at a time for each interrupt object.
    #[doc(alias = "EvtInterruptIsr")]
    fn isr(
        &self,
        interrupt: &InterruptHandle<'_>,
        message: u32,
        irql: &mut Irql<irql::Device>,
    ) -> bool;

    /// What the service routine queued with [`InterruptHandle::queue_dpc`]. Several interrupts may have led to one call.
    #[doc(alias = "EvtInterruptDpc")]
    fn dpc(&self, _interrupt: &InterruptHandle<'_>, _irql: &mut Irql<Dispatch>) {}

    /// Makes the device interrupt. The service routine does not run meanwhile, but may right afterwards.
    ///
    /// # Errors
    ///
    /// The device does not start.
    #[doc(alias = "EvtInterruptEnable")]
    fn enable(
        &self,
        _interrupt: &InterruptHandle<'_>,
        _irql: &mut Irql<irql::Device>,
    ) -> Result<()> {
        Ok(())
    }

    /// Makes the device not interrupt. The service routine does not run meanwhile, nor afterwards.
    ///
    /// # Errors
    ///
    /// Recorded; the interrupt goes nevertheless.
    #[doc(alias = "EvtInterruptDisable")]
    fn disable(
        &self,
        _interrupt: &InterruptHandle<'_>,
        _irql: &mut Irql<irql::Device>,
    ) -> Result<()> {
        Ok(())
    }
}

/// An interrupt object, while one of its callbacks runs.
#[derive(Clone, Copy)]
#[doc(alias = "WDFINTERRUPT")]
pub struct InterruptHandle<'a>(ffi::InterruptHandle<'a>);

impl<'a> InterruptHandle<'a> {
    pub(super) fn new(handle: ffi::InterruptHandle<'a>) -> Self {
        Self(handle)
    }

    /// Queues [`Interrupt::dpc`] on this processor. `false` if it was queued already.
    #[doc(alias = "WdfInterruptQueueDpcForIsr")]
    pub fn queue_dpc(&self) -> bool {
        self.0.queue_dpc()
    }

    /// What the interrupt object was assigned.
    #[doc(alias = "WdfInterruptGetInfo")]
    pub fn info(&self, _irql: &mut Irql<AtMostDispatch>) -> InterruptInfo {
        self.0.info()
    }
}

impl fmt::Debug for InterruptHandle<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InterruptHandle")
            .finish_non_exhaustive()
    }
}

/// What an interrupt object was assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "WDF_INTERRUPT_INFO")]
pub struct InterruptInfo {
    /// The number of the interrupt object among the device's, which is that of its message.
    pub message_number: u32,
    /// The vector; 0 if nothing was assigned.
    pub vector: u32,
    /// The level of the service routine.
    pub irql: u8,
    /// Whether it is a message, not a line.
    pub message_signaled: bool,
    /// The processors that take it, but not their group: KMDF 1.7 does not tell that, and 0 is given. It is in what
    /// [`Resources::interrupts`](super::Resources::interrupts) tells.
    pub processors: ProcessorSet,
}

/// An interrupt object that was just created.
pub struct NewInterrupt<'a>(ffi::InterruptHandle<'a>);

impl<'a> NewInterrupt<'a> {
    pub(super) fn new(handle: ffi::InterruptHandle<'a>) -> Self {
        Self(handle)
    }

    /// Says which processors the interrupt should go to.
    ///
    /// The framework writes it into the device's resource requirements, unless the registry or a filter has set a policy there.
    ///
    /// # Errors
    ///
    /// [`Error::NOT_SUPPORTED`] for processors of a group other than 0, which KMDF 1.7 cannot name on any system: leave such an interrupt to
    /// [`set_message_affinity`](super::set_message_affinity), which can. [`Error::INVALID_PARAMETER`] for an empty set.
    #[doc(alias = "WdfInterruptSetPolicy")]
    pub fn set_policy(
        &mut self,
        policy: InterruptPolicy,
        priority: InterruptPriority,
    ) -> Result<()> {
        let (policy, targets) = match policy {
            InterruptPolicy::MachineDefault => {
                (sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicyMachineDefault, 0)
            }
            InterruptPolicy::AllClose => (
                sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicyAllCloseProcessors,
                0,
            ),
            InterruptPolicy::OneClose => {
                (sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicyOneCloseProcessor, 0)
            }
            InterruptPolicy::All => (
                sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicyAllProcessorsInMachine,
                0,
            ),
            InterruptPolicy::Spread => (
                sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicySpreadMessagesAcrossAllProcessors,
                0,
            ),
            InterruptPolicy::Processors(set) if set.is_empty() => {
                return Err(Error::INVALID_PARAMETER);
            }
            InterruptPolicy::Processors(set) if set.group != 0 => return Err(Error::NOT_SUPPORTED),
            InterruptPolicy::Processors(set) => (
                sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicySpecifiedProcessors,
                set.mask,
            ),
        };
        let priority = match priority {
            InterruptPriority::Low => sys::_WDF_INTERRUPT_PRIORITY::WdfIrqPriorityLow,
            InterruptPriority::Normal => sys::_WDF_INTERRUPT_PRIORITY::WdfIrqPriorityNormal,
            InterruptPriority::High => sys::_WDF_INTERRUPT_PRIORITY::WdfIrqPriorityHigh,
        };
        self.0.set_policy(policy, priority, targets);
        Ok(())
    }
}

impl fmt::Debug for NewInterrupt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewInterrupt")
            .finish_non_exhaustive()
    }
}

/// Which processors an interrupt should go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "WDF_INTERRUPT_POLICY")]
#[non_exhaustive]
pub enum InterruptPolicy {
    /// What the machine does without being asked.
    MachineDefault,
    /// Processors near the device.
    AllClose,
    /// One processor near the device.
    OneClose,
    /// All processors.
    All,
    /// These processors.
    Processors(ProcessorSet),
    /// Different messages to different processors.
    Spread,
}

/// How urgent an interrupt is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "WDF_INTERRUPT_PRIORITY")]
pub enum InterruptPriority {
    /// Below others.
    Low,
    /// As others.
    #[default]
    Normal,
    /// Above others.
    High,
}
