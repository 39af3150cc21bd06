//! Power, and interrupts that nobody expects.

use super::machine::*;

#[test]
fn t65_what_is_queued_is_done_before_power_goes_and_a_new_list_after_it_is_back() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64 * 64), machine.destination(64 * 64));
    let copies: Vec<_> = (0..64)
        .map(|line| transfer(&source, line * 64, &destination, line * 64, 64))
        .collect();
    for round in 1..=3 {
        let ticket = channel.submit(&copies).unwrap();
        machine.kernel.power_down(machine.device).unwrap();
        assert_eq!(channel.statistics().descriptors, round * 67 - 3);
        assert!(channel.wait(ticket, TIMEOUT));
        assert!(source.as_slice() == destination.as_slice());
        assert_eq!(channel.submit(&copies), Err(sys::STATUS_DEVICE_NOT_READY));
        machine.kernel.power_up(machine.device).unwrap();
        run(&channel, &[Transfer::default(); 3]);
    }
    machine.end(channel);
}

#[test]
fn t65_an_append_to_a_list_that_was_lost_with_power_is_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    run(&channel, &[Transfer::default()]);
    machine.kernel.power_down(machine.device).unwrap();
    machine.kernel.power_up(machine.device).unwrap();
    assert_eq!(
        channel.append(&[Transfer::default()]),
        Err(sys::STATUS_UNSUCCESSFUL)
    );
    run(&channel, &[Transfer::default()]);
    machine.end(channel);
}

#[test]
fn t66_interrupts_without_cause_tell_netdma_nothing() {
    let machine = Machine::boot();
    let channel = machine.open();
    for _ in 0..1000 {
        machine.signal.raise(0);
        machine.signal.raise(1);
    }
    machine.kernel.quiesce();
    assert!(machine.delivered() >= 2000);
    assert_eq!(channel.statistics().interrupts, 0);
    run(&channel, &[Transfer::default()]);
    machine.kernel.quiesce();
    assert_eq!(channel.statistics().interrupts, 1);
    machine.end(channel);
}

#[test]
fn t66_an_interrupt_on_a_shared_line_that_is_not_ours_is_left_to_others() {
    let setup = Setup {
        messages: 0,
        ..Setup::default()
    };
    let machine = Machine::with(setup, |_| {});
    let channel = machine.open();
    machine.signal.line(true);
    machine.kernel.quiesce();
    // Nobody said that it was his, so the line was masked.
    let unclaimed = machine
        .kernel
        .take_violations(&simkernel::pnp::violation::UNCLAIMED);
    assert_eq!(unclaimed.len(), 1, "{unclaimed:?}");
    assert_eq!(channel.statistics().interrupts, 0);
    machine.signal.line(false);
    run(&channel, &[Transfer::default()]);
    machine.kernel.quiesce();
    assert_eq!(channel.statistics().interrupts, 1);
    machine.end(channel);
}
