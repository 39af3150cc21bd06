//! A good round of several, the sides taking turns.

use std::time::Duration;

use cpu_time::ThreadTime;

/// A side of a comparison: does its work once, and says how long [`of`] it took.
pub(crate) type Side<'a> = &'a mut dyn FnMut() -> Duration;

/// How long this thread works on `work`: what others do on the machine meanwhile counts less.
pub(crate) fn of(work: impl FnOnce()) -> Duration {
    let start = ThreadTime::now();
    work();
    start.elapsed()
}

/// What one side took, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// In a round that three in four were not faster than. Not in the best one: now and then the clock runs slow.
    pub(crate) good: f64,
    /// In its median round.
    pub(crate) median: f64,
}

/// Runs each side once without looking, and then `rounds` times, in turns.
pub(crate) fn in_turns<const SIDES: usize>(
    rounds: usize,
    mut sides: [Side<'_>; SIDES],
) -> [Taken; SIDES] {
    let mut times = [const { Vec::new() }; SIDES];
    for side in &mut sides {
        side();
    }
    for _ in 0..rounds {
        for (side, times) in sides.iter_mut().zip(&mut times) {
            times.push(side().as_nanos() as f64);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        Taken {
            good: times[times.len() / 4],
            median: times[times.len() / 2],
        }
    })
}

impl Taken {
    /// For each of `count` pieces of the work.
    pub(crate) fn per(self, count: usize) -> Self {
        Self {
            good: self.good / count as f64,
            median: self.median / count as f64,
        }
    }
}
