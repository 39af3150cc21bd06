//! [`Timer`]: something to be done later, or again and again.

use core::fmt;
use core::time::Duration;

use super::ffi::object::Kept;
use super::ffi::timer::TimerKind;
use crate::irql::{AtMostDispatch, Dispatch, Irql, Passive};

/// What a [`Timer`] runs.
pub trait TimerRoutine: Send + Sync + Sized + 'static {
    /// The time has come. Runs on one processor at a time, unless it is started anew while it runs.
    #[doc(alias = "EvtTimerFunc")]
    fn run(&self, timer: &Timer, irql: &mut Irql<Dispatch>);
}

/// A timer of a device, made by [`NewDevice::create_timer`](super::NewDevice::create_timer). Cloning it makes another handle to the same
/// timer.
///
/// The timer itself goes with its device: it is stopped then, its routine is waited for, and what is asked of a handle that is left has no
/// effect.
#[derive(Clone)]
#[doc(alias = "WDFTIMER")]
pub struct Timer(Kept<TimerKind>);

impl Timer {
    pub(super) fn new(kept: Kept<TimerKind>) -> Self {
        Self(kept)
    }

    /// Has the routine run after `delay`, and then in the timer's period if it has one. A timer that was started before is
    /// started anew; the answer is whether it was.
    ///
    /// The system's clock ticks every 15.6 milliseconds or less, which is how exact it is.
    #[doc(alias = "WdfTimerStart")]
    pub fn start(&self, delay: Duration, irql: &mut Irql<AtMostDispatch>) -> bool {
        self.0.start(due(delay), irql)
    }

    /// Stops it; whether it was started and had not expired. The routine may still be running.
    #[doc(alias = "WdfTimerStop")]
    pub fn stop(&self, irql: &mut Irql<AtMostDispatch>) -> bool {
        self.0.stop(irql)
    }

    /// Stops it and waits for the routine, if it runs; whether it was started and had not expired.
    #[doc(alias = "WdfTimerStop")]
    pub fn stop_and_wait(&self, irql: &mut Irql<Passive>) -> bool {
        self.0.stop_and_wait(irql)
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Timer").finish_non_exhaustive()
    }
}

/// As the framework counts it: in units of 100 nanoseconds, rounded up, and negative, which means from now on. Zero would be a date.
fn due(delay: Duration) -> i64 {
    let units = delay.as_nanos().div_ceil(100).max(1);
    i64::try_from(units).map_or(i64::MIN, |units| -units)
}

/// In whole milliseconds, rounded up; `None` if that is too much for the framework.
pub(super) fn milliseconds(period: Duration) -> Option<u32> {
    let milliseconds = period.as_nanos().div_ceil(1_000_000);
    // The framework takes it for a signed number.
    i32::try_from(milliseconds).ok().map(i32::cast_unsigned)
}
