//! What one descriptor costs on its way through the library: the handler that NetDMA calls, the walk of the chain, the completion
//! word; beside the same provider in C.
//!
//! # Safety
//!
//! The unsafe code of this file declares the C side.
#![expect(unsafe_code, reason = "declares C functions")]

use std::ffi::c_void;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use nmr_netdma::sys;

use super::provider::{
    self, Handle, MAXIMUM_ADDRESS, MAXIMUM_TRANSFER, Memory, PHYSICAL, Ring, Run,
};
use crate::report::Report;
use crate::{instructions, time};

unsafe extern "system" {
    fn bench_c_start(
        channel: *mut c_void,
        descriptor: sys::PNET_DMA_DESCRIPTOR,
        physical: sys::PHYSICAL_ADDRESS,
        count: u32,
    ) -> sys::NTSTATUS;
    fn bench_c_append_guarded(
        channel: *mut c_void,
        descriptor: sys::PNET_DMA_DESCRIPTOR,
        physical: sys::PHYSICAL_ADDRESS,
        count: u32,
    ) -> sys::NTSTATUS;
    fn bench_c_append_copying(
        channel: *mut c_void,
        descriptor: sys::PNET_DMA_DESCRIPTOR,
        physical: sys::PHYSICAL_ADDRESS,
        count: u32,
    ) -> sys::NTSTATUS;
    fn bench_c_append_bare(
        channel: *mut c_void,
        descriptor: sys::PNET_DMA_DESCRIPTOR,
        physical: sys::PHYSICAL_ADDRESS,
        count: u32,
    ) -> sys::NTSTATUS;
    fn bench_c_append_empty(
        channel: *mut c_void,
        descriptor: sys::PNET_DMA_DESCRIPTOR,
        physical: sys::PHYSICAL_ADDRESS,
        count: u32,
    ) -> sys::NTSTATUS;
    fn bench_c_channel(
        memory: *mut u8,
        physical: u64,
        length: u64,
        maximum_transfer_size: u32,
        maximum_address: u64,
        completion: *mut u64,
    ) -> *mut c_void;
}

pub(crate) const BATCHES: [usize; 4] = [1, 8, 32, 256];
const SIDES: [&str; 4] = ["empty", "library", "c-guarded", "c-bare"];

/// The channel in C, with `append` as its way. There is one: who asks again gets it as new.
fn in_c<'a>(memory: &'a Memory, completion: &'a AtomicU64) -> impl Fn(Run) -> Handle + use<'a> {
    // SAFETY: stretch and word outlive the channel's use, which ends with the measurement.
    let context = unsafe {
        bench_c_channel(
            memory.start(),
            PHYSICAL,
            memory.length() as u64,
            MAXIMUM_TRANSFER,
            MAXIMUM_ADDRESS,
            completion.as_ptr(),
        )
    };
    move |append| Handle {
        context,
        start: bench_c_start,
        append,
        completion,
    }
}

/// The channel in C whose engine copies.
pub(crate) fn copying_in_c(memory: &Memory, completion: &AtomicU64) -> Handle {
    in_c(memory, completion)(bench_c_append_copying)
}

/// The ways through each side, with one completion word for the C side.
fn sides(library: Handle, memory: &Memory, completion: &AtomicU64) -> [Handle; SIDES.len()] {
    let c = in_c(memory, completion);
    [
        c(bench_c_append_empty),
        library,
        c(bench_c_append_guarded),
        c(bench_c_append_bare),
    ]
}

/// Hands `batches` batches over, the first by a start; how many were done.
#[inline(never)]
fn drive(channel: &Handle, memory: &Memory, batch: usize, batches: u64) -> u64 {
    let data = PHYSICAL + Ring::BYTES as u64;
    let mut ring = Ring::new(memory, 0, batch, |_| (data, data + 4096, 4096));
    if !ring.hand_over(channel, channel.start, batch) {
        return 0;
    }
    let mut done = 1;
    while done < batches && ring.hand_over(channel, channel.append, batch) {
        done += 1;
    }
    done
}

fn stretch() -> Arc<Memory> {
    Memory::new(Ring::BYTES + 2 * 4096)
}

/// Does as many batches with the side `name`, written as in `library/8`; whether it did.
pub(crate) fn run_loop(name: &str, batches: u64) -> bool {
    let Some((side, batch)) = name.split_once('/') else {
        return false;
    };
    let (Some(side), Ok(batch)) = (
        SIDES.iter().position(|this| *this == side),
        batch.parse::<usize>(),
    ) else {
        return false;
    };
    let memory = stretch();
    let word = AtomicU64::new(0);
    provider::with_channels(provider::counting::driver_entry, &memory, |[library, _]| {
        let channel = sides(library, &memory, &word)[side];
        drive(&channel, &memory, batch, batches) == batches
    })
}

/// What a descriptor costs on each side, without the loop.
struct Costs([f64; SIDES.len()]);

impl Costs {
    fn of(&self, side: usize) -> f64 {
        self.0[side] - self.0[0]
    }
}

fn nanoseconds(batch: usize) -> Costs {
    const ROUNDS: usize = 60;
    /// Of one round.
    const DESCRIPTORS: usize = 32 * 1024;

    let memory = stretch();
    let word = AtomicU64::new(0);
    provider::with_channels(provider::counting::driver_entry, &memory, |[library, _]| {
        let batches = (DESCRIPTORS / batch) as u64;
        let memory = &*memory;
        let mut rounds = sides(library, memory, &word).map(|channel| {
            move || {
                time::of(|| {
                    let done = drive(black_box(&channel), memory, batch, black_box(batches));
                    assert_eq!(done, batches);
                })
            }
        });
        let sides = rounds.each_mut().map(|side| side as time::Side<'_>);
        let taken = time::in_turns(ROUNDS, sides);
        Costs(taken.map(|taken| taken.per(DESCRIPTORS).good))
    })
}

fn counted(batch: usize) -> Result<Costs, String> {
    const DESCRIPTORS: u64 = 512 * 1024;

    let batches = DESCRIPTORS / batch as u64;
    let mut costs = [0.0; SIDES.len()];
    for (cost, side) in costs.iter_mut().zip(SIDES) {
        let count = instructions::count(&format!("{side}/{batch}"), batches)?;
        *cost = count as f64 / DESCRIPTORS as f64;
    }
    Ok(Costs(costs))
}

/// What is compared with the library: the reference, its name, the goal.
const COMPARISONS: [(usize, &str, Option<f64>); 2] =
    [(2, "C, guarded", Some(1.05)), (3, "C, unguarded", None)];

/// Reports.
pub(crate) fn measure(report: &mut Report) {
    for batch in BATCHES {
        let times = nanoseconds(batch);
        let counts = counted(batch);
        for (reference, name, goal) in COMPARISONS {
            let row = format!("descriptor, batch {batch} / {name}");
            let remark = format!("{:.2} ns to {:.2} ns", times.of(1), times.of(reference));
            let ratio = times.of(1) / times.of(reference);
            report.add(format!("{row}, time"), ratio, "ratio", goal, remark);
            let row = format!("{row}, instructions");
            match &counts {
                Ok(counts) => {
                    let (this, other) = (counts.of(1), counts.of(reference));
                    let remark = format!("{this:.1} to {other:.1}");
                    report.add(row, this / other, "ratio", goal, remark);
                }
                Err(reason) => report.add_missing(row, "ratio", goal, reason),
            }
        }
    }
}
