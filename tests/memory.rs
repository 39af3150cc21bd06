//! Physical memory as an engine in software uses it.
#![expect(
    unsafe_code,
    reason = "vouches for buffers of the test, and for the level"
)]

use std::sync::Barrier;
use std::thread;

use nmr_netdma::Irql;
use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::memory::PhysicalMapping;
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
    // SAFETY: the callers pass the addresses of buffers that they look at after all copies.
    unsafe { PhysicalRange::new(address, LENGTH as u32) }.unwrap()
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
