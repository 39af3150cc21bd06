//! Abort and reset.

use super::machine::*;

#[test]
fn t43_an_abort_before_the_first_descriptor_returns() {
    let machine = Machine::boot();
    let channel = machine.open();
    channel.abort().unwrap();
    let (source, destination) = (machine.source(64), machine.destination(64));
    run(&channel, &[transfer(&source, 0, &destination, 0, 64)]);
    assert!(source.as_slice() == destination.as_slice());
    machine.end(channel);
}

#[test]
fn t44_abort_start_and_copy_a_thousand_times() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(2 * 4096), machine.destination(2 * 4096));
    for round in 0..1000 {
        let at = round % 4000;
        let lost = transfer(&source, at, &destination, at, 1);
        channel.submit(&[lost; 5]).unwrap();
        channel.abort().unwrap();
        run(&channel, &[transfer(&source, at, &destination, at, 64)]);
        assert!(
            destination.as_slice()[at..at + 64] == source.as_slice()[at..at + 64],
            "{round}"
        );
    }
    machine.end(channel);
}

/// Stops a long list in the middle by `stop`, and nothing is written afterwards.
fn stopped_in_the_middle(stop: impl Fn(&Channel)) {
    let machine = Machine::boot();
    let channel = machine.open();
    let length = 200 * MAXIMUM_TRANSFER_SIZE as usize;
    let source = machine.source(length);
    let in_the_middle = (0..50).any(|_| {
        let destination = machine.destination(length);
        let ticket = channel.submit(&long_list(&source, &destination)).unwrap();
        let begun = Instant::now();
        stop(&channel);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "the stop is not bounded"
        );
        let after = copied(&source, &destination, true);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(copied(&source, &destination, true), after, "it goes on");
        assert_eq!(channel.wait(ticket, Duration::ZERO), after == 200);
        let piece = destination.as_slice().len() / 200;
        run(&channel, &[transfer(&source, 0, &destination, 0, piece)]);
        (1..200).contains(&after)
    });
    assert!(in_the_middle, "no stop came in the middle");
    machine.end(channel);
}

#[test]
fn t45_an_abort_in_the_middle_stops_at_once() {
    stopped_in_the_middle(|channel| {
        std::thread::sleep(Duration::from_millis(1));
        channel.abort().unwrap();
    });
}

#[test]
fn t46_after_a_reset_no_old_descriptor_is_touched() {
    stopped_in_the_middle(|channel| {
        std::thread::sleep(Duration::from_millis(1));
        channel.reset().unwrap();
    });
}

#[test]
fn t47_resets_and_aborts_at_the_same_time_all_return() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    for _ in 0..100 {
        channel
            .submit(&[transfer(&source, 0, &destination, 0, 4096); 50])
            .unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (channel, kernel) = (&channel, &machine.kernel);
                scope.spawn(move || {
                    let _entered = kernel.enter(number % 2);
                    if number < 2 {
                        channel.abort()
                    } else {
                        channel.reset()
                    }
                    .unwrap();
                });
            }
        });
    }
    run(&channel, &[transfer(&source, 0, &destination, 0, 4096)]);
    assert!(source.as_slice() == destination.as_slice());
    machine.end(channel);
}
