//! [`WorkItem`]: something to be done at PASSIVE_LEVEL.

use core::fmt;

use super::ffi::object::Kept;
use super::ffi::work_item::WorkItemKind;
use crate::irql::{AtMostDispatch, Irql, Passive};

/// What a [`WorkItem`] runs.
pub trait WorkItemRoutine: Send + Sync + Sized + 'static {
    /// Runs on a thread of the system that others need too: it should not take long. It can be queued again from here on.
    #[doc(alias = "EvtWorkItem")]
    fn run(&self, item: &WorkItem, irql: &mut Irql<Passive>);
}

/// A work item of a device, made by [`NewDevice::create_work_item`](super::NewDevice::create_work_item). Cloning it makes another handle
/// to the same work item.
///
/// The work item itself goes with its device: its routine is waited for then, and what is asked of a handle that is left has no effect.
#[derive(Clone)]
#[doc(alias = "WDFWORKITEM")]
pub struct WorkItem(Kept<WorkItemKind>);

impl WorkItem {
    pub(super) fn new(kept: Kept<WorkItemKind>) -> Self {
        Self(kept)
    }

    /// Has the routine run soon. One that is queued already and has not begun stays queued once. `false` if the device is gone.
    #[doc(alias = "WdfWorkItemEnqueue")]
    pub fn enqueue(&self, irql: &mut Irql<AtMostDispatch>) -> bool {
        self.0.enqueue(irql)
    }

    /// Waits until the routine has run, if it is queued or running. Not to be called by the routine itself, which would wait for
    /// itself; the framework refuses that.
    #[doc(alias = "WdfWorkItemFlush")]
    pub fn flush(&self, irql: &mut Irql<Passive>) {
        self.0.flush(irql);
    }
}

impl fmt::Debug for WorkItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WorkItem").finish_non_exhaustive()
    }
}
