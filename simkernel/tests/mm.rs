//! Memory: what its functions do and which rules they hold their callers to.
//!
//! # Safety
//!
//! The unsafe code of this file calls kernel functions and touches memory that they gave. Where a test breaks a rule, it
//! stays within what the simulated kernel has allocated.
#![expect(unsafe_code, reason = "calls kernel functions by their C names")]

use std::ptr;
use std::sync::{Arc, Mutex};

use nmr_netdma::sys;
use simkernel::ke::violation as ke;
use simkernel::mm::{Registers, violation};
use simkernel::{Config, Kernel, Os, Rule};

const NONPAGED: i32 = sys::_POOL_TYPE::NonPagedPool;
const PAGED: i32 = sys::_POOL_TYPE::PagedPool;
const TAG: u32 = u32::from_le_bytes(*b"Test");

fn boot() -> Kernel {
    Kernel::boot(Config::default())
}

/// The rule was broken `times` times, and no other.
#[track_caller]
fn assert_broken(kernel: &Kernel, rule: &Rule, times: usize) {
    let broken = kernel.take_violations(rule);
    assert_eq!(broken.len(), times, "{}: {broken:?}", rule.name);
    assert!(kernel.violations().is_empty(), "{:?}", kernel.violations());
}

fn allocate_from(pool: i32, bytes: u64, tag: u32) -> *mut u8 {
    // SAFETY: any values are allowed, wrong ones are what is being tried.
    unsafe { sys::ExAllocatePoolWithTag(pool, bytes, tag) }.cast()
}

fn allocate(bytes: u64) -> *mut u8 {
    allocate_from(NONPAGED, bytes, TAG)
}

fn free(memory: *mut u8, tag: u32) {
    // SAFETY: nobody uses the memory; a wrong address is what is being tried.
    unsafe { sys::ExFreePoolWithTag(memory.cast(), tag) }
}

fn write(memory: *mut u8, offset: isize, value: u8) {
    // SAFETY: the tests stay within the guards of a block, or within one that the kernel still keeps.
    let place = unsafe { memory.offset(offset) };
    // SAFETY: as above.
    unsafe { place.write(value) }
}

fn raise(level: u8) {
    // SAFETY: the level belongs to the simulated machine.
    unsafe { sys::KfRaiseIrql(level) };
}

fn lower() {
    // SAFETY: the level belongs to the simulated machine.
    unsafe { sys::KeLowerIrql(0) }
}

fn map(physical: u64, bytes: u64) -> *mut u8 {
    // SAFETY: any values are allowed, wrong ones are what is being tried.
    unsafe { sys::MmMapIoSpace(sys::physical_address(physical), bytes, 0) }.cast()
}

fn unmap(address: *mut u8, bytes: u64) {
    // SAFETY: nobody uses the mapping; a wrong address is what is being tried.
    unsafe { sys::MmUnmapIoSpace(address.cast(), bytes) }
}

fn physical(address: *const u8) -> u64 {
    // SAFETY: any address is allowed.
    let physical = unsafe { sys::MmGetPhysicalAddress(address.cast_mut().cast()) };
    sys::physical_address_bits(physical)
}

fn allocate_contiguous(bytes: u64, highest: u64) -> *mut u8 {
    // SAFETY: any values are allowed.
    unsafe { sys::MmAllocateContiguousMemory(bytes, sys::physical_address(highest)) }.cast()
}

fn free_contiguous(memory: *mut u8) {
    // SAFETY: nobody uses the memory; a wrong address is what is being tried.
    unsafe { sys::MmFreeContiguousMemory(memory.cast()) }
}

fn read_register(register: *mut u8) -> u32 {
    // SAFETY: any address is allowed, wrong ones are what is being tried.
    unsafe { sys::READ_REGISTER_ULONG(register.cast()) }
}

fn write_register(register: *mut u8, value: u32) {
    // SAFETY: as above.
    unsafe { sys::WRITE_REGISTER_ULONG(register.cast(), value) }
}

// Pool.

#[test]
fn pool_is_aligned_to_16_bytes_and_no_more_and_to_a_page_from_a_page_on() {
    let _kernel = boot();
    for bytes in [1, 16, 100, 4095] {
        let memory = allocate(bytes);
        assert_eq!(memory.addr() % 32, 16, "{bytes}");
        free(memory, TAG);
    }
    for bytes in [4096, 10_000] {
        let memory = allocate(bytes);
        assert_eq!(memory.addr() % 4096, 0, "{bytes}");
        free(memory, TAG);
    }
}

#[test]
fn pool_is_not_zeroed() {
    let _kernel = boot();
    let memory = allocate(64);
    for offset in 0..64 {
        // SAFETY: the block has 64 bytes.
        let place = unsafe { memory.add(offset) };
        // SAFETY: as above, and the kernel has filled them.
        assert_ne!(unsafe { place.read() }, 0);
    }
    free(memory, TAG);
}

#[test]
fn pool_is_counted_by_tag() {
    let kernel = boot();
    let blocks = [
        allocate(10),
        allocate(20),
        allocate_from(PAGED, 30, u32::from_le_bytes(*b"Aaaa")),
    ];
    let usage = kernel.pool_usage();
    assert_eq!(usage.len(), 2);
    assert_eq!(
        (usage[0].tag.as_str(), usage[0].sizes.as_slice()),
        ("Aaaa", [30].as_slice())
    );
    assert_eq!(usage[1].tag, "Test");
    assert_eq!(usage[1].sizes.iter().sum::<usize>(), 30);
    // A tag of 0 frees any block.
    blocks.iter().for_each(|block| free(*block, 0));
    assert!(kernel.pool_usage().is_empty());
}

#[test]
fn pool_that_is_left_is_a_leak_by_tag_with_sizes() {
    let kernel = boot();
    allocate(10);
    allocate(20);
    let verdict = kernel.shutdown();
    assert_eq!(verdict.leaks.len(), 1);
    assert_eq!(verdict.leaks[0].kind, "pool");
    let detail = &verdict.leaks[0].detail;
    assert!(detail.starts_with("'Test': 2 blocks, 30 bytes"), "{detail}");
}

#[test]
fn the_nth_allocation_fails_once() {
    let kernel = boot();
    kernel.fail_allocation(Some(2));
    let first = allocate(8);
    assert!(!first.is_null());
    assert!(allocate(8).is_null());
    let third = allocate(8);
    assert!(!third.is_null());
    assert_eq!(kernel.failed_allocations(), 1);
    kernel.fail_allocation(Some(1));
    assert!(allocate_contiguous(8, u64::MAX).is_null());
    assert_eq!(kernel.failed_allocations(), 2);
    kernel.fail_allocation(Some(1));
    kernel.fail_allocation(None);
    free(allocate(8), TAG);
    free(first, TAG);
    free(third, TAG);
    assert_eq!(kernel.failed_allocations(), 2);
}

#[test]
fn an_allocation_without_size_tag_or_type_breaks_mm_allocation() {
    let kernel = boot();
    let blocks = [
        allocate(0),
        allocate_from(NONPAGED, 8, 0),
        // Windows 7 does not know it.
        allocate_from(sys::_POOL_TYPE::NonPagedPoolNx, 8, TAG),
    ];
    assert_broken(&kernel, &violation::ALLOCATION, 3);
    blocks.iter().for_each(|block| free(*block, 0));
    assert!(allocate_contiguous(0, u64::MAX).is_null());
    assert_broken(&kernel, &violation::ALLOCATION, 1);
}

#[test]
fn windows_10_knows_pool_that_does_not_execute() {
    let _kernel = Kernel::boot(Config {
        os: Os::Win10,
        ..Config::default()
    });
    free(allocate_from(sys::_POOL_TYPE::NonPagedPoolNx, 8, TAG), TAG);
}

#[test]
fn pool_functions_have_their_levels() {
    let kernel = boot();
    raise(2);
    free(allocate(8), TAG);
    assert!(kernel.violations().is_empty());
    let paged = allocate_from(PAGED, 8, TAG);
    assert_broken(&kernel, &ke::LEVEL, 1);
    free(paged, TAG);
    assert_broken(&kernel, &ke::LEVEL, 1);
    raise(3);
    free(allocate(8), TAG);
    assert_broken(&kernel, &ke::LEVEL, 2);
    lower();
}

#[test]
#[cfg_attr(any(miri, sanitizer), ignore = "freed pool is really freed there")]
fn freeing_twice_breaks_mm_free_twice() {
    let kernel = boot();
    let memory = allocate(8);
    free(memory, TAG);
    free(memory, TAG);
    assert_broken(&kernel, &violation::FREE_TWICE, 1);
}

#[test]
fn freeing_what_is_no_block_breaks_mm_free_unknown() {
    let kernel = boot();
    let mut local = 0_u8;
    free(&raw mut local, TAG);
    free(ptr::null_mut(), TAG);
    let memory = allocate(64);
    free(memory.wrapping_add(16), TAG);
    assert_broken(&kernel, &violation::FREE_UNKNOWN, 3);
    free(memory, TAG);
    free_contiguous(&raw mut local);
    let memory = allocate_contiguous(64, u64::MAX);
    free_contiguous(memory.wrapping_add(16));
    free_contiguous(memory);
    free_contiguous(memory);
    assert_broken(&kernel, &violation::FREE_UNKNOWN, 3);
}

#[test]
fn freeing_with_another_tag_breaks_mm_free_tag() {
    let kernel = boot();
    free(allocate(8), u32::from_le_bytes(*b"Else"));
    assert_broken(&kernel, &violation::FREE_TAG, 1);
    assert!(kernel.pool_usage().is_empty());
}

#[test]
fn writing_beyond_a_block_breaks_mm_overrun() {
    let kernel = boot();
    for (bytes, offset) in [(100, 100), (100, -1), (4096, 4096), (5000, 5010)] {
        let memory = allocate(bytes);
        write(memory, offset, 1);
        free(memory, TAG);
        assert_broken(&kernel, &violation::OVERRUN, 1);
    }
}

#[test]
fn an_overrun_of_a_leaked_block_is_found_at_shutdown() {
    let kernel = boot();
    write(allocate(8), 8, 1);
    let verdict = kernel.shutdown();
    assert_eq!(verdict.violations.len(), 1);
    assert_eq!(verdict.violations[0].rule, &violation::OVERRUN);
}

#[test]
#[cfg_attr(any(miri, sanitizer), ignore = "freed pool is really freed there")]
fn writing_to_a_freed_block_breaks_mm_use_after_free() {
    let kernel = boot();
    let memory = allocate(64);
    free(memory, TAG);
    write(memory, 10, 1);
    // The block is looked at when it is forgotten, ...
    (0..300).for_each(|_| free(allocate(8), TAG));
    assert_broken(&kernel, &violation::USE_AFTER_FREE, 1);
    // ... or at the end.
    let memory = allocate(64);
    free(memory, TAG);
    write(memory, 10, 1);
    let verdict = kernel.shutdown();
    assert_eq!(verdict.violations.len(), 1);
    assert_eq!(verdict.violations[0].rule, &violation::USE_AFTER_FREE);
}

// Physical memory.

#[test]
fn a_physical_address_is_not_a_virtual_one_and_depends_on_the_seed() {
    let address = |seed| {
        let kernel = Kernel::boot(Config {
            seed,
            ..Config::default()
        });
        let buffer = kernel.allocate(100);
        assert_eq!(buffer.physical() % 4096, 0);
        assert_eq!(physical(buffer.as_slice().as_ptr()), buffer.physical());
        assert_ne!(buffer.physical(), buffer.as_slice().as_ptr().addr() as u64);
        buffer.physical()
    };
    assert_eq!(address(1), address(1));
    assert_ne!(address(1), address(2));
}

#[test]
fn a_buffer_is_zeroed_and_shared_with_its_mapping() {
    let kernel = boot();
    let mut buffer = kernel.allocate(10_000);
    assert_eq!(buffer.length(), 10_000);
    assert!(buffer.as_slice().iter().all(|byte| *byte == 0));
    buffer.as_mut_slice()[9_999] = 7;
    let mapped = map(buffer.physical() + 9_000, 1_000);
    // SAFETY: 1000 bytes are mapped.
    let last = unsafe { mapped.add(999) };
    // SAFETY: as above.
    assert_eq!(unsafe { last.read() }, 7);
    // SAFETY: as above.
    unsafe { last.write(8) };
    unmap(mapped, 1_000);
    assert_eq!(buffer.as_slice()[9_999], 8);
}

#[test]
fn buffers_do_not_touch() {
    let kernel = boot();
    let buffers: Vec<_> = (0..50).map(|_| kernel.allocate(4096)).collect();
    for pair in buffers.windows(2) {
        assert!(pair[1].physical() >= pair[0].physical() + 2 * 4096);
    }
}

#[test]
fn pool_has_physical_addresses_that_can_be_mapped() {
    let _kernel = boot();
    let memory = allocate(100);
    let address = physical(memory.wrapping_add(50));
    assert_eq!(address, physical(memory) + 50);
    let mapped = map(address, 50);
    assert_eq!(mapped, memory.wrapping_add(50));
    unmap(mapped, 50);
    free(memory, TAG);
    assert_eq!(physical(memory), 0);
}

#[test]
fn unknown_memory_has_the_physical_address_0() {
    let _kernel = boot();
    let local = 0_u8;
    assert_eq!(physical(&raw const local), 0);
    assert_eq!(physical(ptr::null()), 0);
    assert_eq!(physical(ptr::without_provenance(usize::MAX)), 0);
}

#[test]
fn contiguous_memory_heeds_the_highest_address() {
    let _kernel = boot();
    let high = allocate_contiguous(10_000, u64::MAX);
    assert!(physical(high) >= 1 << 32);
    assert_eq!(physical(high.wrapping_add(9_999)), physical(high) + 9_999);
    let low = allocate_contiguous(10_000, u64::from(u32::MAX));
    assert!(physical(low) + 10_000 <= 1 << 32);
    assert!(allocate_contiguous(10_000, 0xFFFF).is_null());
    free_contiguous(high);
    free_contiguous(low);
}

#[test]
fn contiguous_memory_that_is_left_is_a_leak() {
    let kernel = boot();
    allocate_contiguous(123, u64::MAX);
    let verdict = kernel.shutdown();
    assert_eq!(verdict.leaks.len(), 1);
    assert_eq!(verdict.leaks[0].kind, "contiguous memory");
    assert!(verdict.leaks[0].detail.starts_with("123 bytes"));
}

// Mappings.

#[test]
fn mapping_what_is_not_there_breaks_mm_map_unknown() {
    let kernel = boot();
    let buffer = kernel.allocate(4096);
    for (address, bytes) in [
        (0, 4096),
        (buffer.physical(), 0),
        (buffer.physical(), 4097),
        (buffer.physical() - 1, 2),
        (buffer.physical() + 4096, 1),
        (u64::MAX, 16),
        (buffer.physical(), u64::MAX),
    ] {
        assert!(
            map(address, bytes).is_null(),
            "{bytes} bytes at {address:#x}"
        );
        assert_broken(&kernel, &violation::MAP_UNKNOWN, 1);
    }
}

#[test]
fn memory_of_the_past_cannot_be_mapped() {
    let kernel = boot();
    let past = kernel.allocate(4096).physical();
    assert_ne!(kernel.allocate(4096).physical(), past);
    assert!(map(past, 4096).is_null());
    assert_broken(&kernel, &violation::MAP_UNKNOWN, 1);
}

#[test]
fn unmapping_what_is_not_mapped_breaks_mm_unmap_unknown() {
    let kernel = boot();
    let buffer = kernel.allocate(4096);
    let first = map(buffer.physical(), 16);
    let second = map(buffer.physical(), 16);
    assert_eq!(first, second);
    unmap(first, 16);
    unmap(second, 16);
    assert!(kernel.violations().is_empty());
    unmap(first, 16);
    unmap(ptr::null_mut(), 16);
    assert_broken(&kernel, &violation::UNMAP_UNKNOWN, 2);
}

#[test]
fn unmapping_with_another_size_breaks_mm_unmap_size() {
    let kernel = boot();
    let buffer = kernel.allocate(4096);
    let mapped = map(buffer.physical(), 16);
    unmap(mapped, 32);
    assert_broken(&kernel, &violation::UNMAP_SIZE, 1);
}

#[test]
fn a_mapping_that_is_left_is_a_leak() {
    let kernel = boot();
    let memory = allocate(100);
    map(physical(memory), 100);
    map(physical(memory), 100);
    free(memory, TAG);
    let verdict = kernel.shutdown();
    assert_eq!(verdict.leaks.len(), 1);
    assert_eq!(verdict.leaks[0].kind, "mapping");
    assert!(verdict.leaks[0].detail.starts_with("2 times 100 bytes"));
}

#[test]
fn freeing_mapped_memory_breaks_mm_freed_while_mapped_and_keeps_it() {
    let kernel = boot();
    let mut buffer = kernel.allocate(4096);
    buffer.as_mut_slice()[0] = 9;
    let mapped = map(buffer.physical(), 16);
    drop(buffer);
    assert_broken(&kernel, &violation::FREED_WHILE_MAPPED, 1);
    // SAFETY: it is mapped.
    assert_eq!(unsafe { mapped.read() }, 9);
    unmap(mapped, 16);
}

#[test]
fn mapping_functions_have_their_levels() {
    let kernel = boot();
    let buffer = kernel.allocate(16);
    raise(2);
    unmap(map(buffer.physical(), 16), 16);
    assert!(kernel.violations().is_empty());
    raise(3);
    unmap(map(buffer.physical(), 16), 16);
    free_contiguous(allocate_contiguous(16, u64::MAX));
    lower();
    assert_broken(&kernel, &ke::LEVEL, 4);
}

// Registers.

#[test]
fn memory_can_be_read_and_written_as_registers() {
    let kernel = boot();
    let buffer = kernel.allocate(16);
    let mapped = map(buffer.physical(), 16);
    write_register(mapped.wrapping_add(4), 0x0102_0304);
    assert_eq!(read_register(mapped.wrapping_add(4)), 0x0102_0304);
    unmap(mapped, 16);
    assert_eq!(buffer.as_slice()[4..8], 0x0102_0304_u32.to_ne_bytes());
}

#[test]
fn an_address_that_is_no_register_breaks_mm_register() {
    let kernel = boot();
    let buffer = kernel.allocate(16);
    let mapped = map(buffer.physical(), 16);
    let mut local = 0_u32;
    assert_eq!(read_register((&raw mut local).cast()), u32::MAX);
    write_register((&raw mut local).cast(), 1);
    assert_eq!(local, 0);
    assert_eq!(read_register(ptr::null_mut()), u32::MAX);
    assert_eq!(read_register(mapped.wrapping_add(2)), u32::MAX);
    unmap(mapped, 16);
    assert_broken(&kernel, &violation::REGISTER, 4);
}

/// Registers that remember.
#[derive(Default)]
struct Model(Mutex<Vec<(usize, Option<u32>)>>);

impl Registers for Model {
    fn read(&self, offset: usize) -> u32 {
        self.0.lock().unwrap().push((offset, None));
        offset as u32 + 0x1000
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.lock().unwrap().push((offset, Some(value)));
    }
}

#[test]
fn registers_lead_to_their_device_by_address() {
    let kernel = boot();
    let model = Arc::new(Model::default());
    let registers = kernel.place_registers(0x1800, Arc::clone(&model) as Arc<dyn Registers>);
    let address = registers.physical();
    assert_eq!(address % 0x2000, 0);
    assert!(address < 1 << 32);
    let all = map(address, 0x1800);
    let part = map(address + 0x10, 8);
    assert_ne!(all, part);
    assert_eq!((all.addr() % 4096, part.addr() % 4096), (0, 0x10));
    assert_eq!(physical(part), address + 0x10);
    assert_eq!(read_register(all.wrapping_add(0x17FC)), 0x27FC);
    assert_eq!(read_register(part.wrapping_add(4)), 0x1014);
    write_register(part, 5);
    assert_eq!(
        *model.0.lock().unwrap(),
        [(0x17FC, None), (0x14, None), (0x10, Some(5))]
    );
    assert!(kernel.violations().is_empty());

    // Beyond the mapping, and in its last bytes.
    read_register(part.wrapping_add(8));
    read_register(all.wrapping_add(0x1800));
    unmap(part, 8);
    read_register(part);
    assert_broken(&kernel, &violation::REGISTER, 3);

    // Plain memory it is not.
    // SAFETY: the range is reserved for the mapping, though not to be written.
    unsafe { all.write(1) };
    unmap(all, 0x1800);
    assert_broken(&kernel, &violation::REGISTER, 1);

    assert!(map(address, 0x1801).is_null());
    drop(registers);
    assert!(map(address, 4).is_null());
    assert_broken(&kernel, &violation::MAP_UNKNOWN, 2);
}

#[test]
fn a_mapping_of_registers_that_is_left_is_a_leak() {
    let kernel = boot();
    let registers = kernel.place_registers(0x1000, Arc::new(Model::default()));
    map(registers.physical(), 0x1000);
    drop(registers);
    let verdict = kernel.shutdown();
    assert_eq!(verdict.leaks.len(), 1);
    assert_eq!(verdict.leaks[0].kind, "mapping");
}

#[test]
fn many_ranges_of_registers_find_room() {
    let kernel = boot();
    let registers: Vec<_> = (0..8)
        .map(|_| kernel.place_registers(0x1000_0000, Arc::new(Model::default())))
        .collect();
    let mut addresses: Vec<u64> = registers
        .iter()
        .map(|registers| registers.physical())
        .collect();
    assert!(addresses.iter().all(|address| address % 0x1000_0000 == 0));
    addresses.dedup_by(|next, previous| *next < *previous + 0x1000_0000);
    assert_eq!(addresses.len(), 8);
}

#[test]
fn pages_of_scattered_memory_do_not_follow_each_other() {
    let kernel = boot();
    let mut buffer = kernel.allocate_scattered(4 * 0x1000 + 100);
    buffer.as_mut_slice()[3 * 0x1000 + 5] = 7;
    let page = |index: usize| buffer.physical_at(index * 0x1000).unwrap();
    assert_eq!(buffer.physical(), page(0));
    for index in 0..4 {
        assert_ne!(page(index) + 0x1000, page(index + 1));
        assert_eq!(page(index) % 0x1000, 0);
    }
    assert_eq!(buffer.physical_at(4 * 0x1000 + 99), Some(page(4) + 99));
    assert_eq!(buffer.physical_at(4 * 0x1000 + 100), None);
    let map = |physical: u64, length: u64| {
        let address = sys::physical_address(physical);
        // SAFETY: what is no memory is refused.
        unsafe { sys::MmMapIoSpace(address, length, sys::_MEMORY_CACHING_TYPE::MmCached) }
    };
    let mapped = map(page(3), 0x1000).cast::<u8>();
    // SAFETY: the mapping is a page long.
    assert_eq!(unsafe { mapped.wrapping_add(5).read() }, 7);
    // SAFETY: the mapping is of this length.
    unsafe { sys::MmUnmapIoSpace(mapped.cast(), 0x1000) };
    assert!(map(page(1), 0x1001).is_null());
    assert!(map(page(4), 101).is_null());
    assert_broken(&kernel, &violation::MAP_UNKNOWN, 2);
    let first = page(0);
    drop(buffer);
    assert!(map(first, 1).is_null());
    assert_broken(&kernel, &violation::MAP_UNKNOWN, 1);
}
