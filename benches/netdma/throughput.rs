//! Bytes per second of the engine, and of the library's copy alone, against `memcpy` of the same buffers; two channels on two
//! processors against one.
//!
//! # Design
//!
//! * **Three sides:** the engine, the same engine in C, and `memcpy` without descriptors. All of them call one `memcpy`. Where copies
//!   are so quick that no walk of descriptors reaches the goal beside `memcpy`, the C side shows it.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use super::path::{self, BATCHES};
use super::provider::{self, Handle, MAXIMUM_TRANSFER, Memory, PHYSICAL, Ring, Word, copy};
use crate::report::Report;

const SIZES: [usize; 8] = [
    64,
    256,
    1024,
    4096,
    16 << 10,
    64 << 10,
    256 << 10,
    MAXIMUM_TRANSFER as usize,
];
/// Bytes of the buffers on each side, where they are cold.
const COLD: usize = 64 << 20;
/// Bytes, and batches, of one round.
const ROUND_BYTES: usize = 2 << 20;
const ROUND_BATCHES: usize = 512;

/// Where the pairs of buffers lie that descriptors name in turn.
#[derive(Clone, Copy)]
struct Buffers {
    /// Offsets of the first pair.
    source: usize,
    destination: usize,
    size: usize,
    /// Pairs, at consecutive offsets.
    pairs: usize,
}

impl Buffers {
    fn pair(self, index: usize) -> (usize, usize) {
        let offset = index % self.pairs * self.size;
        (self.source + offset, self.destination + offset)
    }
}

/// Copies with the engine.
fn engine(channel: &Handle, ring: &mut Ring<'_>, batch: usize, batches: usize) {
    for _ in 0..batches {
        assert!(ring.hand_over(channel, channel.append, batch));
    }
}

/// Copies with `memcpy` as many pairs, from the pair that is `first` on.
fn plain(memory: &Memory, buffers: Buffers, first: &mut usize, copies: usize) {
    for index in *first..*first + copies {
        let (source, destination) = buffers.pair(index);
        copy(
            memory.start().wrapping_add(source),
            memory.start().wrapping_add(destination),
            black_box(buffers.size),
        );
    }
    *first = (*first + copies) % buffers.pairs;
}

/// A ring whose descriptors name the pairs in turn, and which has been started.
fn started<'a>(
    channel: &Handle,
    memory: &'a Memory,
    offset: usize,
    batch: usize,
    buffers: Buffers,
) -> Ring<'a> {
    let mut ring = Ring::new(memory, offset, batch, |index| {
        let (source, destination) = buffers.pair(index);
        (
            PHYSICAL + source as u64,
            PHYSICAL + destination as u64,
            buffers.size as u32,
        )
    });
    assert!(ring.hand_over(channel, channel.start, batch));
    ring
}

/// Seconds that the channels and `memcpy` take for a byte, in the best round of so many batches, in turns. `prepare` comes before each.
fn compare(
    channels: [&Handle; 2],
    memory: &Memory,
    (batch, batches): (usize, usize),
    buffers: Buffers,
    prepare: impl Fn(),
) -> [f64; 3] {
    const ROUNDS: usize = 30;

    // The descriptors are the same for both, and written once more.
    let mut sides = channels.map(|channel| (channel, started(channel, memory, 0, batch, buffers)));
    let mut first = batch % buffers.pairs;
    let mut best = [f64::INFINITY; 3];
    let [engines @ .., of_plain] = &mut best;
    let timed = |best: &mut f64, work: &mut dyn FnMut()| {
        prepare();
        let start = Instant::now();
        work();
        *best = best.min(start.elapsed().as_secs_f64());
    };
    for _ in 0..ROUNDS {
        for ((channel, ring), best) in sides.iter_mut().zip(&mut *engines) {
            timed(best, &mut || engine(channel, ring, batch, batches));
        }
        timed(of_plain, &mut || {
            plain(memory, buffers, &mut first, batch * batches)
        });
    }
    best.map(|best| best / (batch * batches * buffers.size) as f64)
}

pub(crate) fn measure(report: &mut Report) {
    let data = Ring::BYTES.next_multiple_of(4096);
    let memory = Memory::new(data + 2 * COLD);
    let word = Word::default();
    provider::with_channels(provider::copying::driver_entry, &memory, |[channel, _]| {
        let c = path::copying_in_c(&memory, &word.0);
        for size in SIZES {
            for batch in BATCHES {
                let batches = (ROUND_BYTES / (size * batch)).clamp(1, ROUND_BATCHES);
                // No more than a round touches, so that all of them are worth flushing.
                let pairs = (batch * batches).min(COLD / size).min(provider::RING);
                for (state, pairs) in [("hot", 1), ("cold", pairs)] {
                    let name = |reference| {
                        format!("engine / {reference}, {size} B, batch {batch}, {state}")
                    };
                    let goal = (size >= 4096 && batch >= 8).then_some(0.95);
                    let buffers = Buffers {
                        source: data,
                        destination: data + COLD,
                        size,
                        pairs,
                    };
                    let flush = || {
                        if state == "cold" {
                            memory.flush(buffers.source, pairs * size);
                            memory.flush(buffers.destination, pairs * size);
                        }
                    };
                    if state == "cold" && !Memory::CAN_FLUSH {
                        let reason = "no instruction to flush a cache line is known here";
                        report.add_missing(name("memcpy"), "ratio", goal, reason);
                        report.add_missing(name("C"), "ratio", goal, reason);
                        continue;
                    }
                    let channels = [&channel, &c];
                    let [ours, in_c, plain] =
                        compare(channels, &memory, (batch, batches), buffers, flush);
                    let [this, c, memcpy] = [ours, in_c, plain].map(|seconds| 1e-9 / seconds);
                    let remark = format!(
                        "{this:.2} to {memcpy:.2} GB/s; C reaches {:.2}",
                        plain / in_c
                    );
                    report.add_at_least(name("memcpy"), plain / ours, "ratio", goal, remark);
                    let remark = format!("{this:.2} to {c:.2} GB/s");
                    report.add_at_least(name("C"), in_c / ours, "ratio", goal, remark);
                }
            }
        }
    });
    alone(report);
    scale(report);
}

/// What the library copies with, between two mappings, without descriptors.
fn alone(report: &mut Report) {
    const ROUNDS: usize = 60;

    for size in SIZES {
        let copies = (ROUND_BYTES / size).clamp(1, 4096);
        let mut best = [f64::INFINITY; 2];
        provider::with_mappings(size, |source, destination, [from, to]| {
            for _ in 0..ROUNDS {
                let start = Instant::now();
                for _ in 0..copies {
                    let copied = black_box(source).copy_to(black_box(destination));
                    copied.expect("the lengths are the same");
                }
                best[0] = best[0].min(start.elapsed().as_secs_f64());
                let start = Instant::now();
                for _ in 0..copies {
                    copy(from, to, black_box(size));
                }
                best[1] = best[1].min(start.elapsed().as_secs_f64());
            }
        });
        let [ours, plain] = best.map(|best| best / copies as f64 * 1e9);
        report.add_at_least(
            format!("copy of a mapping / memcpy, {size} B"),
            plain / ours,
            "ratio",
            (size >= 4096).then_some(0.95),
            format!("{ours:.1} ns to {plain:.1} ns"),
        );
    }
}

const SCALED_SIZE: usize = 4096;
const SCALED_BATCH: usize = 32;
/// Bytes that each thread copies in a round.
const SCALED_BYTES: usize = 64 << 20;

/// Bytes a second of `threads` threads that do `work` at the same time, each with its number; the best of several rounds.
fn together(threads: usize, work: impl Fn(usize) + Sync) -> f64 {
    const ROUNDS: usize = 60;

    let round = || {
        let barrier = Barrier::new(threads);
        let run = |number| {
            barrier.wait();
            let start = Instant::now();
            work(number);
            (start, Instant::now())
        };
        let times: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|number| {
                    scope.spawn({
                        let run = &run;
                        move || run(number)
                    })
                })
                .collect();
            let done = running.into_iter().map(|thread| thread.join());
            done.map(|times| times.expect("nobody panicked")).collect()
        });
        let start = times.iter().map(|(start, _)| *start).min();
        let end = times.iter().map(|(_, end)| *end).max();
        let taken = end
            .zip(start)
            .map_or(0.0, |(end, start)| (end - start).as_secs_f64());
        (threads * SCALED_BYTES) as f64 / taken
    };
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}

/// Two channels, each with buffers of its own, on two threads.
fn scale(report: &mut Report) {
    let part = Ring::BYTES.next_multiple_of(4096) + 2 * SCALED_SIZE * SCALED_BATCH;
    let memory: Arc<Memory> = Memory::new(2 * part);
    let buffers = |number: usize| {
        let data = number * part + Ring::BYTES.next_multiple_of(4096);
        Buffers {
            source: data,
            destination: data + SCALED_SIZE * SCALED_BATCH,
            size: SCALED_SIZE,
            pairs: SCALED_BATCH,
        }
    };
    let copies = SCALED_BYTES / SCALED_SIZE;
    let (engine_one, engine_two) =
        provider::with_channels(provider::copying::driver_entry, &memory, |channels| {
            let channels = channels.map(std::sync::Mutex::new);
            let work = |number: usize| {
                let channel = channels[number].lock().expect("nobody panicked");
                let mut ring = started(
                    &channel,
                    &memory,
                    number * part,
                    SCALED_BATCH,
                    buffers(number),
                );
                engine(&channel, &mut ring, SCALED_BATCH, copies / SCALED_BATCH);
            };
            (together(1, work), together(2, work))
        });
    let work = |number: usize| plain(&memory, buffers(number), &mut 0, copies);
    let (plain_one, plain_two) = (together(1, work), together(2, work));
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let (engine_gain, plain_gain) = (engine_two / engine_one, plain_two / plain_one);
    // Where memcpy itself does not get there, neither memory nor processors allow it.
    let allowed = processors >= 2 && plain_gain >= 1.8;
    report.add_at_least(
        "two channels / one",
        engine_gain,
        "ratio",
        allowed.then_some(1.8),
        format!(
            "{:.1} to {:.1} GB/s; {processors} processors{}",
            engine_two / 1e9,
            engine_one / 1e9,
            if allowed {
                ""
            } else {
                "; no goal, since memcpy does not get there either"
            }
        ),
    );
    report.add_at_least(
        "memcpy on two threads / one",
        plain_gain,
        "ratio",
        None,
        format!("{:.1} to {:.1} GB/s", plain_two / 1e9, plain_one / 1e9),
    );
}
