//! Copies for a client as the TCP/IP stack is one: chains of packets into receive buffers.

use simkernel::ndis::{Notification, Part, PhysicalPart, Progress};

use super::machine::*;

fn part(buffer: &Buffer, start: usize, length: usize) -> Part<'_> {
    Part {
        buffer,
        start,
        length,
    }
}

#[test]
fn packets_are_gathered_into_a_buffer_that_is_scattered_in_physical_memory() {
    let machine = Machine::boot();
    let channel = machine.client();
    let packets: Vec<_> = (0..40).map(|_| machine.source(1514)).collect();
    let chain: Vec<_> = packets
        .iter()
        .map(|packet| part(packet, 54, 1460))
        .collect();
    let destination = guarded(machine.kernel.allocate_scattered(20 * 4096));
    let copy = channel
        .chain_copy_virtual_to_virtual(part(&destination, 100, 40 * 1460), &chain)
        .unwrap();
    assert!(channel.wait(&copy, TIMEOUT));
    let bytes = destination.as_slice();
    for got in bytes[100..][..40 * 1460].chunks(1460) {
        assert!(got == &packets[0].as_slice()[54..]);
    }
    assert!(untouched(&bytes[..100]) && untouched(&bytes[100 + 40 * 1460..]));
    machine.end(channel);
}

#[test]
fn both_sides_scattered_break_where_their_pages_end() {
    let machine = Machine::boot();
    let channel = machine.client();
    let source = patterned(machine.kernel.allocate_scattered(10 * 4096));
    for (from, to, length) in [
        (0, 0, 40960),
        (1, 4095, 20000),
        (4095, 1, 20000),
        (77, 78, 1),
    ] {
        let destination = guarded(machine.kernel.allocate_scattered(10 * 4096));
        let copy = channel
            .chain_copy_virtual_to_virtual(
                part(&destination, to, length),
                &[part(&source, from, length)],
            )
            .unwrap();
        assert!(channel.wait(&copy, TIMEOUT), "{copy:?}");
        let bytes = destination.as_slice();
        assert!(bytes[to..][..length] == source.as_slice()[from..][..length]);
        assert!(untouched(&bytes[..to]) && untouched(&bytes[to + length..]));
    }
    assert_eq!(channel.channel().statistics().faults, 0);
    machine.end(channel);
}

#[test]
fn descriptors_are_pending_until_they_are_many_or_asked_after() {
    let machine = Machine::boot();
    let channel = machine.client();
    channel.set_max_pending_descriptors(4);
    assert_eq!(channel.max_pending_descriptors(), 4);
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    let copy = || {
        channel
            .chain_copy_virtual_to_virtual(Part::whole(&destination), &[Part::whole(&source)])
            .unwrap()
    };
    let first = copy();
    let given = || channel.channel().statistics().descriptors;
    assert_eq!(given(), 0);
    assert!(untouched(destination.as_slice()));
    let rest = [copy(), copy(), channel.null_transfer().unwrap()];
    // The fourth made them many.
    for copy in rest.iter().chain([&first]) {
        assert!(channel.wait(copy, TIMEOUT));
        assert_eq!(channel.is_dma_copy_complete(copy), Progress::Complete);
    }
    assert_eq!(given(), 4);
    let alone = copy();
    while channel.is_dma_copy_complete(&alone) != Progress::Complete {
        std::thread::yield_now();
    }
    let flushed = copy();
    channel.flush_pending_descriptors().unwrap();
    assert!(channel.wait(&flushed, TIMEOUT));
    // Nothing is pending.
    channel.flush_pending_descriptors().unwrap();
    assert_eq!(given(), 6);
    machine.end(channel);
}

#[test]
fn a_polled_client_is_not_interrupted() {
    let machine = Machine::boot();
    let channel = machine.client();
    channel.set_polled(true);
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    let copy = channel
        .chain_copy_virtual_to_virtual(Part::whole(&destination), &[Part::whole(&source)])
        .unwrap();
    while channel.is_dma_copy_complete(&copy) == Progress::Running {
        std::thread::yield_now();
    }
    assert!(source.as_slice() == destination.as_slice());
    assert_eq!(channel.channel().statistics().interrupts, 0);
    machine.end(channel);
}

#[test]
fn a_physical_source_beyond_the_address_space_fails_its_copy_alone() {
    let machine = Machine::boot();
    let channel = machine.client();
    let (source, destination) = (machine.source(64), machine.destination(128));
    let from = |start| [PhysicalPart { start, length: 64 }];
    let good = channel
        .chain_copy_physical_to_virtual(part(&destination, 0, 64), &from(source.physical()))
        .unwrap();
    let bad = channel
        .chain_copy_physical_to_virtual(part(&destination, 64, 64), &from(1 << 52))
        .unwrap();
    assert!(!channel.wait(&bad, TIMEOUT));
    assert_eq!(channel.is_dma_copy_complete(&bad), Progress::Failed);
    assert!(destination.as_slice()[..64] == *source.as_slice());
    assert!(untouched(&destination.as_slice()[64..]));
    drop(good);
    machine.end(channel);
}

#[test]
fn parts_beyond_their_buffers_are_refused() {
    let machine = Machine::boot();
    let channel = machine.client();
    let (source, destination) = (machine.source(64), machine.destination(64));
    for (to, from) in [
        (part(&destination, 1, 64), part(&source, 0, 64)),
        (part(&destination, 0, 64), part(&source, 1, 64)),
        (part(&destination, 0, 32), part(&source, 0, 64)),
        (part(&destination, 0, 64), part(&source, usize::MAX, 1)),
        (part(&destination, 0, 64), part(&source, 0, 0)),
    ] {
        let refused = channel.chain_copy_virtual_to_virtual(to, &[from]);
        assert_eq!(refused.unwrap_err(), sys::STATUS_INVALID_PARAMETER);
    }
    machine.end(channel);
}

#[test]
fn threads_share_a_channel() {
    let machine = Machine::boot();
    let channel = machine.client();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (machine, channel) = (&machine, &channel);
            scope.spawn(move || {
                let _entered = machine.kernel.enter(number % 2);
                let source = patterned(machine.kernel.allocate_scattered(3 * 4096));
                let mut destination = machine.kernel.allocate_scattered(3 * 4096);
                for round in 0..100 {
                    destination.as_mut_slice().fill(GUARD);
                    let (to, length) = (round * 31 + number as usize, 1 + round * 80);
                    let copy = channel
                        .chain_copy_virtual_to_virtual(
                            part(&destination, to, length),
                            &[part(&source, round, length)],
                        )
                        .unwrap();
                    assert!(channel.wait(&copy, TIMEOUT));
                    let bytes = destination.as_slice();
                    assert!(bytes[to..][..length] == source.as_slice()[round..][..length]);
                    assert!(untouched(&bytes[..to]) && untouched(&bytes[to + length..]));
                }
            });
        }
    });
    machine.end(channel);
}

#[test]
fn a_client_is_told_of_providers() {
    let setup = Setup::default();
    let kernel = Kernel::boot(setup.config);
    let client = kernel.netdma().register_client().unwrap();
    assert_eq!(
        client.allocate_channel(1).unwrap_err(),
        sys::STATUS_NO_SUCH_DEVICE
    );
    let driver = kernel.load_driver("netdma-kmdf", driver_entry).unwrap();
    let engine = kernel.add_device(driver, device(2, 2, None)).unwrap();
    let id = client.providers()[0].id;
    assert_eq!(
        client.notifications(),
        [Notification::Registered(id), Notification::Arrival(id)]
    );
    kernel.remove_device(engine).unwrap();
    assert_eq!(client.notifications(), [Notification::Removal(id)]);
    assert!(client.providers().is_empty());
    drop(client);
    kernel.unload_driver(driver).unwrap();
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn where_there_is_no_netdma_there_are_no_clients() {
    let kernel = Kernel::boot(Config {
        os: Os::Win10,
        ..Config::default()
    });
    let refused = kernel.netdma().register_client();
    assert_eq!(refused.unwrap_err(), sys::STATUS_NOT_SUPPORTED);
}
