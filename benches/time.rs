//! The best of several rounds, the sides taking turns.

use std::time::Instant;

/// A side of a comparison: does its work once.
pub(crate) type Side<'a> = &'a mut dyn FnMut();

/// What one side took, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// In its best round.
    pub(crate) best: f64,
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
            let start = Instant::now();
            side();
            times.push(start.elapsed().as_nanos() as f64);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        Taken {
            best: times[0],
            median: times[times.len() / 2],
        }
    })
}

impl Taken {
    /// For each of `count` pieces of the work.
    pub(crate) fn per(self, count: usize) -> Self {
        Self {
            best: self.best / count as f64,
            median: self.median / count as f64,
        }
    }
}
