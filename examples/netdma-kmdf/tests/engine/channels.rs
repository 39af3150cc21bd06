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
