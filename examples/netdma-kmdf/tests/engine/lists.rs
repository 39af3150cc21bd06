//! Start, append, suspend and resume.

use super::machine::*;

#[test]
fn t48_an_append_without_a_start_is_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    let nothing = [Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER,
        ..Transfer::default()
    }];
    let copy = [transfer(&source, 0, &destination, 0, 64)];
    let refusal = Err(sys::STATUS_UNSUCCESSFUL);
    assert_eq!(channel.append(&copy), refusal, "after allocation");
    run(&channel, &nothing);
    channel.abort().unwrap();
    assert_eq!(channel.append(&copy), refusal, "after abort");
    run(&channel, &nothing);
    channel.reset().unwrap();
    assert_eq!(channel.append(&copy), refusal, "after reset");
    run(&channel, &nothing);
    assert!(destination.as_slice().iter().all(|byte| *byte == GUARD));
    machine.end(channel);
}

#[test]
fn t50_a_start_while_active_drops_the_rest_of_the_old_list() {
    let machine = Machine::boot();
    let channel = machine.open();
    let length = 200 * MAXIMUM_TRANSFER_SIZE as usize;
    let source = machine.source(length);
    let in_the_middle = (0..50).any(|_| {
        let (old, new) = (machine.destination(length), machine.destination(4096));
        channel.submit(&long_list(&source, &old)).unwrap();
        let before = channel.statistics().descriptors;
        let ticket = channel
            .restart(&[transfer(&source, 0, &new, 0, 4096)])
            .unwrap();
        assert!(channel.wait(ticket, TIMEOUT));
        assert!(channel.statistics().descriptors > before);
        assert!(new.as_slice() == &source.as_slice()[..4096]);
        (0..200).contains(&copied(&source, &old, false))
    });
    assert!(in_the_middle, "no start came in the middle");
    machine.end(channel);
}

#[test]
fn t51_a_start_while_suspended_forgets_the_suspension() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(128), machine.destination(128));
    run(&channel, &[Transfer::default()]);
    channel.suspend().unwrap();
    let lost = channel
        .submit(&[transfer(&source, 0, &destination, 0, 64)])
        .unwrap();
    let ticket = channel
        .restart(&[transfer(&source, 64, &destination, 64, 64)])
        .unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(!channel.wait(lost, Duration::ZERO));
    assert!(destination.as_slice()[64..] == source.as_slice()[64..]);
    assert!(
        destination.as_slice()[..64]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    machine.end(channel);
}

#[test]
fn t52_a_suspension_in_the_middle_finishes_the_current_descriptor_and_no_more() {
    let machine = Machine::boot();
    let channel = machine.open();
    let length = 200 * MAXIMUM_TRANSFER_SIZE as usize;
    let source = machine.source(length);
    let in_the_middle = |flags| {
        let destination = machine.destination(length);
        let mut list = long_list(&source, &destination);
        list.iter_mut().for_each(|transfer| transfer.flags = flags);
        let ticket = channel.submit(&list).unwrap();
        std::thread::sleep(Duration::from_millis(1));
        let done = (channel.suspend().unwrap() + 200 - ticket) as usize;
        assert_eq!(copied(&source, &destination, false), done);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(copied(&source, &destination, false), done, "it goes on");
        channel.resume().unwrap();
        assert!(channel.wait(ticket, TIMEOUT));
        assert_eq!(copied(&source, &destination, false), 200);
        (1..200).contains(&done)
    };
    // Also of descriptors that ask for nothing the last one done is known.
    for flags in [STATUS, 0] {
        let once = (0..50).any(|_| in_the_middle(flags));
        assert!(once, "no suspension came in the middle");
    }
    machine.end(channel);
}

#[test]
fn t53_suspending_twice_is_as_once_and_a_resume_needs_a_suspension() {
    let machine = Machine::boot();
    let channel = machine.open();
    assert_eq!(channel.suspend(), Ok(0));
    channel.resume().unwrap();
    run(&channel, &[Transfer::default()]);
    assert_eq!(channel.suspend(), Ok(1));
    assert_eq!(channel.suspend(), Ok(1));
    channel.resume().unwrap();
    assert_eq!(channel.resume(), Err(sys::STATUS_UNSUCCESSFUL));
    run(&channel, &[Transfer::default()]);
    machine.end(channel);
}

#[test]
fn t53_a_channel_that_has_halted_is_not_suspended_so_that_the_halt_is_seen() {
    let machine = Machine::boot();
    let channel = machine.open();
    let bad = Transfer {
        length: MAXIMUM_TRANSFER_SIZE + 1,
        ..Transfer::default()
    };
    for _ in 0..200 {
        let faults = channel.statistics().faults;
        // Before the halt, or after it: either way nobody waits for what is lost.
        let lost = channel.submit(&[Transfer::default(), bad]).unwrap();
        if channel.suspend().is_ok() {
            channel.resume().unwrap();
        }
        assert!(!channel.wait(lost, TIMEOUT));
        assert_eq!(channel.statistics().faults, faults + 1);
        assert_eq!(channel.suspend(), Err(sys::STATUS_UNSUCCESSFUL));
        run(&channel, &[Transfer::default()]);
        // The new list has not halted.
        channel.suspend().unwrap();
        channel.resume().unwrap();
    }
    machine.end(channel);
}

#[test]
fn t54_a_list_that_was_edited_while_suspended_runs_as_edited() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(256), machine.destination(256));
    let copy = |index: usize| transfer(&source, index * 64, &destination, index * 64, 64);
    run(&channel, &[Transfer::default()]);
    channel.suspend().unwrap();
    channel.submit(&[copy(0), copy(1)]).unwrap();
    let ticket = channel.edit(&[copy(2), copy(3)]).unwrap();
    channel.resume().unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(
        destination.as_slice()[..128]
            .iter()
            .all(|byte| *byte == GUARD)
    );
    assert!(destination.as_slice()[128..] == source.as_slice()[128..]);
    run(&channel, &[copy(0)]);
    machine.end(channel);
}

#[test]
fn t55_an_append_while_suspended_runs_once_and_only_after_the_resume() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    run(&channel, &[Transfer::default()]);
    channel.suspend().unwrap();
    let ticket = channel
        .submit(&[transfer(&source, 0, &destination, 0, 64)])
        .unwrap();
    assert!(!channel.wait(ticket, Duration::from_millis(50)));
    assert!(destination.as_slice().iter().all(|byte| *byte == GUARD));
    channel.resume().unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(source.as_slice() == destination.as_slice());
    assert_eq!(channel.statistics().descriptors, 2);
    machine.end(channel);
}

#[test]
fn t30_what_is_appended_as_the_engine_comes_to_the_end_is_done_exactly_once() {
    const ROUNDS: usize = 20_000;
    let machine = Machine::boot();
    let channel = machine.open();
    // Each descriptor moves the bytes behind the beginning on by one, so that they tell how many were done.
    let length = 256;
    let mut buffer = machine.kernel.allocate(length + 1);
    let mut expected = vec![0; length + 1];
    for (round, start) in (0..ROUNDS).step_by(length).enumerate() {
        for (index, byte) in buffer.as_mut_slice().iter_mut().enumerate() {
            *byte = (round + index) as u8;
        }
        expected.copy_from_slice(buffer.as_slice());
        let shift = transfer(&buffer, 0, &buffer, 1, length);
        let mut last = 0;
        for step in 0..length.min(ROUNDS - start) {
            last = channel.submit_polled(&[shift]).unwrap();
            expected.copy_within(0..length, 1);
            for _ in 0..(step * 7919 + round * 31) % 400 {
                std::hint::spin_loop();
            }
        }
        assert!(channel.wait(last, TIMEOUT));
        assert!(buffer.as_slice() == expected, "round {round}");
    }
    assert_eq!(channel.statistics().descriptors, ROUNDS as u64);
    machine.end(channel);
}

#[test]
fn t63_suspend_writes_an_address_and_nothing_behind_it() {
    let machine = Machine::boot();
    let channel = machine.open();
    for done in 0..50 {
        // What lies behind the output is looked at each time, and a verdict that is not clean says so.
        assert_eq!(channel.suspend(), Ok(done));
        channel.resume().unwrap();
        run(&channel, &[Transfer::default()]);
    }
    machine.end(channel);
}
