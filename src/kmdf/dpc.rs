//! [`Dpc`]: a deferred call that can be aimed at a processor.
//!
//! # Design
//!
//! Another processor may be running a queued call when its owner goes. So the owner waits, which only PASSIVE_LEVEL
//! allows, and a call that is queued by its own routine stops being queued first: [`Dpc`]'s drop shuts the queue,
//! lets running calls end, takes a queued one back, and waits once more for one that began in between.

use core::fmt;

use super::ffi;
use crate::irql::{AtMostDispatch, Dispatch, Irql};
use crate::lifetime::Image;
use crate::status::Result;

/// The number of this processor in its group. Below `DISPATCH_LEVEL` it may be another one when the answer is used.
#[doc(alias = "KeGetCurrentProcessorNumber")]
pub fn current_processor() -> u32 {
    ffi::current_processor()
}

/// What a [`Dpc`] runs.
pub trait DpcRoutine: Send + Sync + 'static {
    /// Runs on the processor that the call was aimed at, or on the one that queued it.
    ///
    /// Can run on two processors at once: as soon as it has begun, it can be queued again. `dpc` is the call itself.
    #[doc(alias = "CustomDpc")]
    #[doc(alias = "KDEFERRED_ROUTINE")]
    fn run(&self, dpc: &DpcHandle<'_>, irql: &mut Irql<Dispatch>);
}

/// A deferred procedure call with its routine.
///
/// To be dropped at PASSIVE_LEVEL, and not inside its own routine: dropping waits until the routine does not run any more. Dropped at
/// a higher level, debug builds panic, and release builds leave the memory allocated and the call counted, so that the driver is not
/// unloaded.
#[doc(alias = "KDPC")]
pub struct Dpc<R: DpcRoutine>(ffi::dpc::Deferred<R>);

impl<R: DpcRoutine> Dpc<R> {
    /// A call that is not queued, and not aimed: it runs where it is queued. It is counted in the driver's `image` until it is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`](crate::Error::INSUFFICIENT_RESOURCES). `routine` is dropped then.
    #[doc(alias = "KeInitializeDpc")]
    pub fn new(image: &Image, routine: R, irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        ffi::dpc::Deferred::new(image, routine, irql).map(Self)
    }

    /// Queues it, at any level. `false` if it was queued already and has not begun to run.
    #[doc(alias = "KeInsertQueueDpc")]
    pub fn enqueue(&self) -> bool {
        self.0.core().enqueue()
    }

    /// Aims it at a processor of group 0, at any level, for the next time it is queued; one that is queued already does not move.
    ///
    /// Processors of other groups cannot be named, as everywhere where Windows Vista's function is used.
    ///
    /// # Errors
    ///
    /// [`Error::INVALID_PARAMETER`](crate::Error::INVALID_PARAMETER) if group 0 had no such processor running when the call was made.
    #[doc(alias = "KeSetTargetProcessorDpc")]
    pub fn set_target_processor(&self, processor: u32) -> Result<()> {
        self.0.core().set_target_processor(processor)
    }

    /// What it runs.
    pub fn routine(&self) -> &R {
        self.0.routine()
    }
}

impl<R: DpcRoutine> fmt::Debug for Dpc<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Dpc").finish_non_exhaustive()
    }
}

/// A [`Dpc`] inside its own routine.
#[derive(Clone, Copy)]
pub struct DpcHandle<'a>(&'a ffi::dpc::Core);

impl<'a> DpcHandle<'a> {
    pub(super) fn new(core: &'a ffi::dpc::Core) -> Self {
        Self(core)
    }

    /// Queues it again, as [`Dpc::enqueue`] does. `false` also if it is being dropped.
    pub fn enqueue(&self) -> bool {
        self.0.enqueue()
    }

    /// As [`Dpc::set_target_processor`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_target_processor(&self, processor: u32) -> Result<()> {
        self.0.set_target_processor(processor)
    }
}

impl fmt::Debug for DpcHandle<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DpcHandle").finish_non_exhaustive()
    }
}
