//! What the completion word and interrupts tell.

use simkernel::ndis::{Part, Progress};

use super::machine::*;

#[test]
fn t07_a_polled_transfer_completes_without_interrupt() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4096), machine.destination(4096));
    let ticket = channel
        .submit_polled(&[transfer(&source, 0, &destination, 0, 4096)])
        .unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(source.as_slice() == destination.as_slice());
    assert_eq!(channel.statistics().interrupts, 0);
    machine.end(channel);
}

#[test]
fn t08_only_the_last_of_32_completes_and_interrupts() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(32 * 64), machine.destination(32 * 64));
    let transfers: Vec<_> = (0..32)
        .map(|index| transfer(&source, index * 64, &destination, index * 64, 64))
        .collect();
    run(&channel, &transfers);
    assert!(source.as_slice() == destination.as_slice());
    // The copy is seen in memory, perhaps before its interrupt.
    machine.kernel.quiesce();
    let statistics = channel.statistics();
    assert_eq!(
        (statistics.completion_writes, statistics.interrupts),
        (1, 1)
    );
    machine.end(channel);
}

#[test]
fn t10_a_zero_length_completes_and_touches_nothing() {
    let machine = Machine::boot();
    let channel = machine.open();
    run(
        &channel,
        &[Transfer {
            source: u64::MAX,
            destination: u64::MAX,
            ..Transfer::default()
        }],
    );
    assert_eq!(channel.statistics().descriptors, 1);
    machine.end(channel);
}

#[test]
fn t11_a_null_transfer_looks_at_neither_size_nor_addresses() {
    let machine = Machine::boot();
    let channel = machine.open();
    let garbage = Transfer {
        source: u64::MAX,
        destination: 7,
        length: u32::MAX,
        flags: sys::NET_DMA_NULL_TRANSFER,
    };
    run(&channel, &[garbage]);
    assert_eq!(channel.statistics().faults, 0);
    machine.end(channel);
}

#[test]
fn t11b_a_null_transfer_reports_for_the_31_before_it() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(31 * 64), machine.destination(31 * 64));
    let mut transfers: Vec<_> = (0..31)
        .map(|index| transfer(&source, index * 64, &destination, index * 64, 64))
        .collect();
    transfers.push(Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER,
        ..Transfer::default()
    });
    run(&channel, &transfers);
    assert!(source.as_slice() == destination.as_slice());
    // The copy is seen in memory, perhaps before its interrupt.
    machine.kernel.quiesce();
    let statistics = channel.statistics();
    assert_eq!(
        (statistics.completion_writes, statistics.interrupts),
        (1, 1)
    );
    machine.end(channel);
}

#[test]
fn t25_asking_when_nothing_is_finished_changes_nothing() {
    let machine = Machine::boot();
    let channel = machine.client();
    let done = channel.null_transfer().unwrap();
    assert!(channel.wait(&done, TIMEOUT));
    channel.channel().suspend().unwrap();
    let waiting = channel.null_transfer().unwrap();
    let before = channel.channel().statistics();
    for _ in 0..100 {
        assert_eq!(channel.is_dma_copy_complete(&waiting), Progress::Running);
        assert_eq!(channel.is_dma_copy_complete(&done), Progress::Complete);
    }
    assert_eq!(channel.channel().statistics(), before);
    channel.channel().resume().unwrap();
    assert!(channel.wait(&waiting, TIMEOUT));
    machine.end(channel);
}

#[test]
fn t27_whoever_sees_the_status_sees_the_data() {
    let machine = Machine::boot();
    let channel = machine.client();
    channel.set_polled(true);
    let (mut source, destination) = (machine.source(4096), machine.destination(4096));
    for round in 0..3000_u32 {
        source.as_mut_slice().fill(round as u8);
        let copy = channel
            .chain_copy_virtual_to_virtual(Part::whole(&destination), &[Part::whole(&source)])
            .unwrap();
        while channel.is_dma_copy_complete(&copy) == Progress::Running {
            std::hint::spin_loop();
        }
        let bytes = destination.as_slice();
        assert!(bytes.iter().all(|byte| *byte == round as u8), "{round}");
    }
    machine.end(channel);
}
