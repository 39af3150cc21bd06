//! Channels: allocation, contexts, the ring.

use nmr_netdma::sys;
use simkernel::ndis::{Channel, violation};
use simkernel::{Os, Rule};

use super::bench::*;
use super::engine::*;
use super::*;

#[test]
fn allocation_is_checked() {
    type Change = fn(&mut Habits);
    let cases: [(&Rule, Change, Result<(), sys::NTSTATUS>); 6] = [
        (
            &violation::CPU_NUMBER,
            |h| h.processor = Some(None),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (
            &violation::CPU_NUMBER,
            |h| h.processor = Some(Some(3)),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (
            &violation::CPU_NUMBER,
            |h| h.processor = Some(Some(64)),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (
            &violation::CHANNEL_CONTEXT,
            |h| h.context = Some(None),
            Err(sys::STATUS_UNSUCCESSFUL),
        ),
        (&violation::CHANNEL_PARAMETERS, |h| h.meddles = true, Ok(())),
        (
            &violation::STATUS,
            |h| h.allocate_status = sys::STATUS_PENDING,
            Err(sys::STATUS_PENDING),
        ),
    ];
    for os in [Os::VistaSp1, Os::Win7] {
        for (rule, change, expected) in cases {
            let mut bench = Bench::new(os);
            let provider = bench.register();
            bench.start();
            bench.engine.set(change);
            let opened = bench.kernel.netdma().open(provider, 0b110);
            assert_eq!(opened.map(drop), expected, "{}", rule.name);
            bench.broken(rule);
            bench.stop_and_end();
        }
    }
}

#[test]
fn an_allocation_is_refused_without_trace() {
    let mut bench = Bench::new(Os::Win7);
    let provider = bench.register();
    bench.start();
    bench
        .engine
        .set(|habits| habits.allocate_status = sys::STATUS_INSUFFICIENT_RESOURCES);
    let netdma = bench.kernel.netdma();
    let refused = netdma.open(provider, EVERY).unwrap_err();
    assert_eq!(refused, sys::STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(
        netdma.open(provider, 0).unwrap_err(),
        sys::STATUS_INVALID_PARAMETER
    );
    assert_eq!(
        netdma.open(provider, 1 << 40).unwrap_err(),
        sys::STATUS_INVALID_PARAMETER
    );
    for descriptors in [0, 1, 3, 1 << 17] {
        let refused = netdma.open_as(provider, &ring(descriptors)).unwrap_err();
        assert_eq!(refused, sys::STATUS_INVALID_PARAMETER);
    }
    bench.stop();
    bench.deregister();
    assert_eq!(
        netdma.open(provider, EVERY).unwrap_err(),
        sys::STATUS_NO_SUCH_DEVICE
    );
    bench.end();
}

#[test]
fn a_context_belongs_to_one_channel_and_channels_are_counted() {
    let mut bench = Bench::new(Os::Win7);
    let provider = bench.register();
    bench.start();
    let netdma = bench.kernel.netdma();
    bench.engine.set(|habits| habits.context = Some(Some(16)));
    let first = netdma.open(provider, EVERY).unwrap();
    assert_eq!(
        netdma.open(provider, EVERY).unwrap_err(),
        sys::STATUS_UNSUCCESSFUL
    );
    bench.broken(&violation::CHANNEL_CONTEXT);
    bench.engine.set(|habits| habits.context = None);
    let others: Vec<_> = (0..3)
        .map(|_| netdma.open(provider, EVERY).unwrap())
        .collect();
    let fifth = netdma.open(provider, EVERY).unwrap();
    bench.broken(&violation::TOO_MANY_CHANNELS);
    drop((first, others, fifth));
    bench.stop_and_end();
}

#[test]
fn a_ring_goes_round_and_its_rest_cannot_be_executed() {
    let mut bench = Bench::new(Os::Win7);
    let mut from = bench.buffer(0x4000);
    let to = bench.buffer(0x4000);
    from.as_mut_slice().copy_from_slice(&pattern(0x4000));
    let provider = bench.register();
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(8)).unwrap();
    let unit = bench.engine.unit(0);
    for batch in pieces(&from, &to, 0x4000, 0x100).chunks(5) {
        let ticket = channel.submit_polled(batch).unwrap();
        while unit.step() {}
        assert!(channel.wait(ticket, SOON));
        // What comes next in the ring has reserved bits and addresses that are no memory.
        let list = unit.list.lock().unwrap();
        let [control, source, ..] = list.descriptor(list.next);
        assert_ne!(control >> 32 & 0x00FF_FD00, 0);
        assert!(
            bench
                .engine
                .memory
                .lock()
                .unwrap()
                .keys()
                .all(|&start| source > start + 0x4000)
        );
    }
    assert_eq!(to.as_slice(), from.as_slice());
    let statistics = channel.statistics();
    assert_eq!((statistics.descriptors, statistics.interrupts), (64, 0));
    assert_eq!(statistics.completion_writes, 13);
    drop((from, to));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn chains_before_version_2_end_with_null_and_are_linked_on() {
    let mut bench = Bench::new(Os::Win7);
    let mut characteristics = bench.characteristics();
    (characteristics.MajorVersion, characteristics.MinorVersion) = (1, 1);
    let provider = bench.register_as(&characteristics);
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(8)).unwrap();
    let unit = bench.engine.unit(0);
    for round in 0..20 {
        let first = channel.submit_polled(&[null_transfer(); 2]).unwrap();
        if round % 2 == 0 {
            // The engine idles on the last descriptor before more is linked to it.
            while unit.step() {}
        }
        let second = channel.submit_polled(&[null_transfer(); 3]).unwrap();
        while unit.step() {}
        assert!(channel.wait(second, SOON));
        assert!(channel.wait(first, SOON));
        assert_eq!(unit.list.lock().unwrap().next, 0);
    }
    assert_eq!(channel.statistics().descriptors, 100);
    assert_eq!(unit.list.lock().unwrap().done, 100);
    assert_eq!(
        bench.engine.times("StartDma"),
        1,
        "the first batch is a start, all others are appended"
    );
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_channel_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Channel>();
}
