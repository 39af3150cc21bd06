//! Allocation, channel parameters, direct cache access.

use super::machine::*;

#[test]
fn t59_one_channel_too_many_is_refused_and_nothing_is_lost_by_allocating_often() {
    let machine = Machine::boot();
    let (first, second) = (machine.open(), machine.open());
    assert_eq!(
        machine.try_open().unwrap_err(),
        sys::STATUS_INSUFFICIENT_RESOURCES
    );
    drop(second);
    for _ in 0..2000 {
        drop(machine.open());
    }
    machine.end(first);
}

#[test]
fn t59_what_is_freed_and_allocated_at_the_same_time_is_not_lost() {
    let machine = Machine::boot();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..3000 {
                    // Refused while the two others have the channels.
                    drop(machine.try_open());
                }
            });
        }
    });
    let both = (machine.open(), machine.open());
    machine.end(both);
}

#[test]
fn of_the_free_channels_one_is_taken_that_interrupts_where_the_client_wants_it() {
    let machine = Machine::boot();
    // The first channel, which is free as well, interrupts processor 0.
    let channel = machine.open_on(0b10);
    run(&channel, &[Transfer::default()]);
    let reports = machine.kernel.interrupts(machine.device);
    let delivered = reports.iter().flat_map(|report| &report.delivered);
    let took: Vec<_> = delivered
        .filter(|(_, times)| **times > 0)
        .map(|(processor, _)| *processor)
        .collect();
    assert_eq!(took, [1]);
    machine.end(channel);
}

#[test]
fn t64_a_context_change_copies_nothing_and_is_no_request_for_an_interrupt() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(128));
    let change = Transfer {
        flags: CONTEXT_CHANGE,
        ..transfer(&source, 0, &destination, 64, 1)
    };
    let copy = Transfer {
        flags: sys::NET_DMA_DESTINATION_DCA_ENABLE,
        ..transfer(&source, 0, &destination, 0, 64)
    };
    let ticket = channel.submit_polled(&[change, copy]).unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(destination.as_slice()[..64] == *source.as_slice());
    assert!(
        destination.as_slice()[64..]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    assert_eq!(channel.statistics().interrupts, 0);
    machine.end(channel);
}

#[test]
fn t56_a_channel_that_is_freed_while_active_stops_first() {
    let machine = Machine::boot();
    let length = 200 * MAXIMUM_TRANSFER_SIZE as usize;
    let source = machine.source(length);
    let in_the_middle = (0..50).any(|_| {
        let channel = machine.open();
        let destination = machine.destination(length);
        channel.submit(&long_list(&source, &destination)).unwrap();
        std::thread::sleep(Duration::from_millis(1));
        channel.free_at_once();
        let done = copied(&source, &destination, true);
        // Completion word and descriptors are traps now, and nothing is to step on them.
        let again = machine.open();
        run(&again, &[Transfer::default()]);
        machine.kernel.quiesce();
        assert_eq!(copied(&source, &destination, true), done, "it goes on");
        (1..200).contains(&done)
    });
    assert!(in_the_middle, "no channel was freed in the middle");
    machine.end(());
}

#[test]
fn t58_a_stop_with_work_and_notifications_on_the_way_comes_to_an_end() {
    for descriptors in [1, 50, 250] {
        let machine = Machine::boot();
        let (first, second) = (machine.open(), machine.open());
        let (source, destination) = (machine.source(4096), machine.destination(4096));
        let copy = Transfer {
            flags: STATUS | INTERRUPT,
            ..transfer(&source, 0, &destination, 0, 4096)
        };
        for channel in [&first, &second] {
            channel.submit(&vec![copy; descriptors]).unwrap();
        }
        // Removes the device, and all that is not done is waited for.
        let statistics = {
            machine.kernel.remove_device(machine.device).unwrap();
            [first.statistics(), second.statistics()]
        };
        for statistics in statistics {
            assert_eq!(statistics.descriptors, descriptors as u64);
        }
        assert!(source.as_slice() == destination.as_slice());
        let after = machine.kernel.events().len();
        machine.kernel.quiesce();
        assert_eq!(machine.kernel.events().len(), after, "something ran later");
        drop((first, second));
        machine.kernel.unload_driver(machine.driver).unwrap();
        let verdict = machine.kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

#[test]
fn t60_a_refused_allocation_in_a_channels_calls_is_undone() {
    let machine = Machine::boot();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let before = machine.kernel.failed_allocations();
        machine.kernel.fail_allocation(Some(attempts));
        if let Ok(channel) = machine.try_open() {
            if let Ok(ticket) = channel.submit(&[Transfer::default()]) {
                channel.wait(ticket, TIMEOUT);
            }
            drop(channel);
        }
        machine.kernel.fail_allocation(None);
        // Nothing is lost: both channels are there.
        let both = [machine.open(), machine.open()];
        for channel in &both {
            run(channel, &[Transfer::default()]);
        }
        if machine.kernel.failed_allocations() == before {
            break;
        }
    }
    machine.end(());
}

#[test]
fn t67_every_call_of_a_channel_may_come_at_dispatch_level() {
    let machine = Machine::boot();
    let channel = std::sync::Arc::new(machine.open());
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    let copy = transfer(&source, 0, &destination, 0, 4096);
    for processor in [0, 1, 0, 1] {
        let channel = std::sync::Arc::clone(&channel);
        machine.kernel.run_dpc_on(processor, move || {
            channel.submit(&[copy; 20]).unwrap();
            channel.append(&[copy]).unwrap();
            channel.suspend().unwrap();
            channel.resume().unwrap();
            channel.abort().unwrap();
            channel.restart(&[copy; 20]).unwrap();
            channel.reset().unwrap();
            channel.submit_polled(&[copy]).unwrap();
        });
        machine.kernel.quiesce();
    }
    assert!(source.as_slice() == destination.as_slice());
    let channel = std::sync::Arc::into_inner(channel);
    machine.end(channel);
}
