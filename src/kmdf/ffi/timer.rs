//! Timers of the framework.
//!
//! # Safety
//!
//! See `object`: a handle is used while its object exists.
#![expect(unsafe_code, reason = "calls the framework and is called by it")]

use super::device::DeviceHandle;
use super::object::{self, Kept, Kind};
use super::slot::ContextType;
use crate::irql::{AtMostDispatch, Dispatch, Irql, Passive};
use crate::kmdf::device::Device;
use crate::kmdf::timer::{Timer, TimerRoutine};
use crate::status::Result;
use crate::sys;

static TIMER: ContextType = ContextType::new(c"NmrNetdmaTimer", &raw const TIMER);

pub(in crate::kmdf) enum TimerKind {}

impl Kind for TimerKind {
    type Raw = sys::WDFTIMER__;

    fn description() -> &'static ContextType {
        &TIMER
    }
}

impl<D: Device> DeviceHandle<'_, D> {
    /// `period` in milliseconds; 0 for once.
    pub(in crate::kmdf) fn create_timer<R: TimerRoutine>(
        &mut self,
        period: u32,
        routine: R,
        irql: &mut Irql<Passive>,
    ) -> Result<Kept<TimerKind>> {
        let mut config = sys::WDF_TIMER_CONFIG {
            Size: sys::WDF_TIMER_CONFIG_SIZE_V1_7,
            EvtTimerFunc: Some(expired::<R>),
            Period: period,
            // The device serialises none of its callbacks.
            AutomaticSerialization: 0,
            ..Default::default()
        };
        let create = |attributes, timer| {
            // SAFETY: the configuration has the size of KMDF 1.7, and attributes and place are those that `object::create` passes. The level
            // is PASSIVE_LEVEL, as the proof says.
            unsafe { sys::WdfTimerCreate(&raw mut config, attributes, timer) }
        };
        // SAFETY: the device is good, as AddDevice has not returned; the closure creates a timer with what it is given.
        unsafe { object::create(self.device, routine, irql, create) }
    }
}

impl Kept<TimerKind> {
    /// `due` in 100 nanoseconds, negative: from now on.
    pub(in crate::kmdf) fn start(&self, due: i64, _irql: &mut Irql<AtMostDispatch>) -> bool {
        // SAFETY: the timer exists, and the level is at most DISPATCH_LEVEL, as the proof says.
        self.with(|timer| unsafe { sys::WdfTimerStart(timer, due) != 0 })
            .unwrap_or(false)
    }

    pub(in crate::kmdf) fn stop(&self, _irql: &mut Irql<AtMostDispatch>) -> bool {
        // SAFETY: the timer exists, and the level is at most DISPATCH_LEVEL, as the proof says.
        self.with(|timer| unsafe { sys::WdfTimerStop(timer, 0) != 0 })
            .unwrap_or(false)
    }

    pub(in crate::kmdf) fn stop_and_wait(&self, _irql: &mut Irql<Passive>) -> bool {
        // SAFETY: the timer exists, and the level is PASSIVE_LEVEL, as the proof says.
        self.with(|timer| unsafe { sys::WdfTimerStop(timer, 1) != 0 })
            .unwrap_or(false)
    }
}

/// EvtTimerFunc.
unsafe extern "C" fn expired<R: TimerRoutine>(timer: sys::WDFTIMER) {
    // SAFETY: the framework passes the timer that `create_timer` made for this `R`, and keeps it during the callback.
    let Some(context) = (unsafe { object::context::<TimerKind, R>(timer) }) else {
        return;
    };
    // SAFETY: EvtTimerFunc is called at DISPATCH_LEVEL, since the timer's execution level is not passive.
    let mut irql = unsafe { Irql::<Dispatch>::assume() };
    context
        .routine()
        .run(&Timer::new(context.kept().clone()), &mut irql);
}
