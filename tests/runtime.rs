//! `runtime`: the allocator and the panic handler of a kernel image, on the simulated kernel.
//!
//! # Safety
//!
//! The unsafe code of this file allocates and frees, as `GlobalAlloc` demands: with layouts that are not empty, and each block once.
#![expect(unsafe_code, reason = "calls an allocator")]

use std::alloc::{GlobalAlloc, Layout};
use std::env;
use std::panic::Location;
use std::process::Command;

use nmr_netdma::runtime::{PoolAllocator, bug_check};
use simkernel::{Config, Kernel};

#[test]
fn the_allocator_keeps_every_alignment_up_to_a_page() {
    let kernel = Kernel::boot(Config::default());
    let allocator = PoolAllocator::new();
    for alignment in (0..=12).map(|power| 1 << power) {
        for size in [1, 15, 16, 17, 4095, 4096, 4097] {
            let layout = Layout::from_size_align(size, alignment).unwrap();
            // SAFETY: the layout is not empty.
            let block = unsafe { allocator.alloc(layout) };
            assert!(!block.is_null(), "{layout:?}");
            assert!(block.addr().is_multiple_of(alignment), "{layout:?}");
            // SAFETY: the block has this many bytes.
            unsafe { block.write_bytes(0x5A, size) };
            // SAFETY: the block is this allocator's, and was allocated with this layout.
            unsafe { allocator.dealloc(block, layout) };
        }
    }
    // The simulated kernel reports memory that is left, a wrong tag, and a byte written beyond a block.
    assert!(kernel.shutdown().is_clean());
}

#[test]
fn the_allocator_refuses_an_alignment_beyond_a_page() {
    let kernel = Kernel::boot(Config::default());
    let allocator = PoolAllocator::new();
    let layout = Layout::from_size_align(1, 8192).unwrap();
    // SAFETY: the layout is not empty.
    assert!(unsafe { allocator.alloc(layout) }.is_null());
    assert_eq!(allocator.blocks(), cfg!(debug_assertions).then_some(0));
    assert!(kernel.shutdown().is_clean());
}

#[test]
fn the_allocator_counts_in_debug_builds() {
    let kernel = Kernel::boot(Config::default());
    let allocator = PoolAllocator::new();
    let counted = |blocks| cfg!(debug_assertions).then_some(blocks);
    let layout = Layout::new::<u64>();
    // SAFETY: the layout is not empty.
    let first = unsafe { allocator.alloc(layout) };
    // SAFETY: as above.
    let second = unsafe { allocator.alloc_zeroed(layout) };
    assert_eq!(allocator.blocks(), counted(2));
    // SAFETY: a block of eight bytes, written by the allocator.
    assert_eq!(unsafe { second.cast::<u64>().read() }, 0);
    let longer = Layout::array::<u64>(100).unwrap();
    // SAFETY: the block is this allocator's, of this layout, and the new size is not zero.
    let second = unsafe { allocator.realloc(second, layout, longer.size()) };
    assert_eq!(allocator.blocks(), counted(2));
    // SAFETY: the block is this allocator's, of this layout.
    unsafe { allocator.dealloc(first, layout) };
    // SAFETY: as above.
    unsafe { allocator.dealloc(second, longer) };
    assert_eq!(allocator.blocks(), counted(0));
    assert!(kernel.shutdown().is_clean());
}

#[test]
fn a_panic_stops_the_machine_with_file_and_line() {
    const CHILD: &str = "NMR_NETDMA_TEST_BUG_CHECK";
    let here = Location::caller();
    if env::var_os(CHILD).is_some() {
        let _kernel = Kernel::boot(Config::default());
        println!("the file is at {:#x}", here.file().as_ptr().addr());
        bug_check(Some(here));
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("a_panic_stops_the_machine_with_file_and_line")
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let out = String::from_utf8_lossy(&output.stdout);
    let (_, address) = out.split_once("the file is at ").expect(&out);
    let address = address.lines().next().unwrap();
    let expected = format!(
        "*** STOP: 0xdeaddead ({address}, {:#x}, {:#x}, {:#x})",
        here.file().len(),
        here.line(),
        here.column()
    );
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(&expected), "{expected} is not in {error}");
}
