//! Physical memory as an engine in software uses it.
#![expect(
    unsafe_code,
    reason = "vouches for buffers of the test, and for the level"
)]

use std::sync::Barrier;
use std::thread;

use nmr_netdma::Irql;
use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::memory::{PhysicalMapping, copy_physical};
use nmr_netdma::physical_memory::PhysicalRange;
use simkernel::mm::Buffer;
use simkernel::{Config, Kernel};

const LENGTH: usize = if cfg!(miri) { 256 } else { 16384 };
const ROUNDS: u32 = if cfg!(miri) { 2 } else { 1000 };

fn filled(kernel: &Kernel, byte: u8) -> Buffer {
    let mut buffer = kernel.allocate(LENGTH);
    buffer.as_mut_slice().fill(byte);
    buffer
}

/// The memory of a buffer, which nobody looks at meanwhile.
fn range(address: u64) -> PhysicalRange<'static> {
    part(address, LENGTH)
}

/// A part of it.
fn part(address: u64, length: usize) -> PhysicalRange<'static> {
    // SAFETY: the callers pass the addresses of buffers that they look at after all copies.
    unsafe { PhysicalRange::new(address, length as u32) }.unwrap()
}

/// How far the destination is behind the source in its page decides how bytes are moved.
#[test]
fn a_copy_is_exact_wherever_the_two_begin_in_their_pages() {
    const BEGIN: usize = 64;
    let lengths: &[usize] = if cfg!(miri) {
        &[1, 17]
    } else {
        &[1, 7, 8, 9, 63, 64, 100, 1460, 4096]
    };
    let step = if cfg!(miri) { 22 } else { 1 };
    let kernel = Kernel::boot(Config::default());
    let mut source = kernel.allocate(3 * 4096);
    for (index, byte) in source.as_mut_slice().iter_mut().enumerate() {
        *byte = (index % 251) as u8;
    }
    let mut destination = kernel.allocate(3 * 4096);
    for to in (BEGIN - 33..BEGIN + 33).step_by(step) {
        for &length in lengths {
            destination.as_mut_slice().fill(255);
            // SAFETY: the thread is at PASSIVE_LEVEL, as it booted the machine.
            let mut irql = unsafe { Irql::<Passive>::assume() };
            copy_physical(
                part(source.physical() + BEGIN as u64, length),
                part(destination.physical() + to as u64, length),
                &mut irql,
            )
            .unwrap();
            let bytes = destination.as_slice();
            let expected = &source.as_slice()[BEGIN..BEGIN + length];
            assert_eq!(&bytes[to..to + length], expected, "{to}, {length}");
            let around = bytes[..to].iter().chain(&bytes[to + length..]);
            assert!(
                around.into_iter().all(|byte| *byte == 255),
                "{to}, {length}"
            );
        }
    }
    drop((source, destination));
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// Two channels may be told to write the same memory. To the compiler that must be no data race; Miri would tell.
#[test]
fn two_copies_to_the_same_memory_leave_each_byte_as_one_of_them_wrote_it() {
    let kernel = Kernel::boot(Config::default());
    let sources = [filled(&kernel, 1), filled(&kernel, 2)];
    let destination = filled(&kernel, 0);
    let to = destination.physical();
    let both_are_mapped = Barrier::new(2);
    thread::scope(|scope| {
        for (processor, source) in (0..).zip(&sources) {
            let (kernel, from, both_are_mapped) = (&kernel, source.physical(), &both_are_mapped);
            scope.spawn(move || {
                kernel.run_on(processor, || {
                    // SAFETY: the kernel makes this call at PASSIVE_LEVEL.
                    let mut irql = unsafe { Irql::<Passive>::assume() };
                    let from = PhysicalMapping::map(range(from), &mut irql).unwrap();
                    let to = PhysicalMapping::map(range(to), &mut irql).unwrap();
                    // Mapping and unmapping take locks, which would put the copies in an order.
                    both_are_mapped.wait();
                    for _ in 0..ROUNDS {
                        from.copy_to(&to).unwrap();
                    }
                });
            });
        }
    });
    let bytes = destination.as_slice();
    assert!(bytes.iter().all(|byte| [1, 2].contains(byte)));
    drop((sources, destination));
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}
