//! Work items of the framework.
//!
//! # Safety
//!
//! See `object`: a handle is used while its object exists.
#![expect(unsafe_code, reason = "calls the framework and is called by it")]

use super::device::DeviceHandle;
use super::object::{self, Kept, Kind};
use super::slot::ContextType;
use crate::irql::{AtMostDispatch, Irql, Passive};
use crate::kmdf::device::Device;
use crate::kmdf::work_item::{WorkItem, WorkItemRoutine};
use crate::status::Result;
use crate::sys;

static WORK_ITEM: ContextType = ContextType::new(c"NmrNetdmaWorkItem", &raw const WORK_ITEM);

pub(in crate::kmdf) enum WorkItemKind {}

impl Kind for WorkItemKind {
    type Raw = sys::WDFWORKITEM__;

    fn description() -> &'static ContextType {
        &WORK_ITEM
    }
}

impl<D: Device> DeviceHandle<'_, D> {
    pub(in crate::kmdf) fn create_work_item<R: WorkItemRoutine>(
        &mut self,
        routine: R,
        irql: &mut Irql<Passive>,
    ) -> Result<Kept<WorkItemKind>> {
        let mut config = sys::WDF_WORKITEM_CONFIG {
            Size: size_of::<sys::WDF_WORKITEM_CONFIG>() as u32,
            EvtWorkItemFunc: Some(work::<R>),
            // The device serialises none of its callbacks.
            AutomaticSerialization: 0,
        };
        let create = |attributes, item| {
            // SAFETY: the configuration lives during the call, and attributes and place are those that `object::create` passes. The level
            // is PASSIVE_LEVEL, as the proof says.
            unsafe { sys::WdfWorkItemCreate(&raw mut config, attributes, item) }
        };
        // SAFETY: the device is good, as AddDevice has not returned; the closure creates a work item with what it is given.
        unsafe { object::create(self.device, routine, irql, create) }
    }
}

impl Kept<WorkItemKind> {
    pub(in crate::kmdf) fn enqueue(&self, _irql: &mut Irql<AtMostDispatch>) -> bool {
        // SAFETY: the work item exists, and the level is at most DISPATCH_LEVEL, as the proof says.
        self.with(|item| unsafe { sys::WdfWorkItemEnqueue(item) })
            .is_some()
    }

    pub(in crate::kmdf) fn flush(&self, _irql: &mut Irql<Passive>) {
        // SAFETY: the work item exists, and the level is PASSIVE_LEVEL, as the proof says.
        self.with(|item| unsafe { sys::WdfWorkItemFlush(item) });
    }
}

/// EvtWorkItem.
unsafe extern "C" fn work<R: WorkItemRoutine>(item: sys::WDFWORKITEM) {
    // SAFETY: the framework passes the work item that `create_work_item` made for this `R`, and keeps it during the callback.
    let Some(context) = (unsafe { object::context::<WorkItemKind, R>(item) }) else {
        return;
    };
    // SAFETY: EvtWorkItem is called at PASSIVE_LEVEL.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    context
        .routine()
        .run(&WorkItem::new(context.kept().clone()), &mut irql);
}
