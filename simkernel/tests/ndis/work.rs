//! Batches of descriptors: submitted, executed, waited for, reported, and taken back.

use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nmr_netdma::sys;
use simkernel::Os;
use simkernel::ndis::{ChannelRequest, CompletionPlace, violation};

use super::bench::*;
use super::engine::*;
use super::*;

#[test]
fn a_batch_longer_than_the_ring_is_split_and_waits_for_room() {
    let mut bench = Bench::new(Os::Win7);
    let mut from = bench.buffer(0x4000);
    let to = bench.buffer(0x4000);
    from.as_mut_slice().copy_from_slice(&pattern(0x4000));
    let provider = bench.register();
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(4)).unwrap();
    let transfers = pieces(&from, &to, 0x4000, 0x200);
    with_worker(&bench.engine.unit(0), Duration::ZERO, || {
        let ticket = channel.submit(&transfers).unwrap();
        assert_eq!(ticket, 32);
        assert!(channel.wait(ticket, SOON));
    });
    assert_eq!(to.as_slice(), from.as_slice());
    assert_eq!(channel.statistics().descriptors, 32);
    drop((from, to));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn several_threads_share_a_channel() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    with_worker(&bench.engine.unit(0), Duration::ZERO, || {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let ticket = channel.submit_polled(&[null_transfer(); 3]).unwrap();
                        assert!(channel.wait(ticket, SOON));
                    }
                });
            }
        });
    });
    assert_eq!(channel.statistics().descriptors, 450);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_lost_interrupt_shows_and_does_not_hang() {
    let (bench, channel) = Bench::running(Os::Win7);
    let ticket = channel.submit(&[null_transfer()]).unwrap();
    assert!(channel.wait(ticket, SOON));
    let statistics = channel.statistics();
    assert_eq!(
        (statistics.interrupts, statistics.missing_interrupts),
        (0, 1)
    );
    bench.interrupt(&bench.engine.unit(0));
    assert_eq!(channel.statistics().missing_interrupts, 0);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_wait_ends() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let ticket = channel.submit(&[null_transfer()]).unwrap();
    assert!(!channel.wait(ticket, Duration::from_millis(30)));
    assert!(!channel.wait(ticket + 1, SOON), "no such ticket");
    assert!(bench.engine.unit(0).step());
    assert!(channel.wait(ticket, SOON));
    assert_eq!(channel.submit(&[]), Err(sys::STATUS_INVALID_PARAMETER));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn refused_descriptors_are_taken_back() {
    for version in [1, 2] {
        let mut bench = Bench::new(Os::Win7);
        let mut characteristics = bench.characteristics();
        (characteristics.MajorVersion, characteristics.MinorVersion) = (version, 0);
        let provider = bench.register_as(&characteristics);
        bench.start();
        let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
        for _ in 0..2 {
            bench
                .engine
                .set(|habits| habits.run_status = sys::STATUS_UNSUCCESSFUL);
            assert_eq!(
                channel.submit(&[null_transfer()]),
                Err(sys::STATUS_UNSUCCESSFUL)
            );
            bench
                .engine
                .set(|habits| habits.run_status = sys::STATUS_SUCCESS);
            assert!(!bench.engine.unit(0).step(), "it can still be reached");
            let ticket = channel.submit(&[null_transfer()]).unwrap();
            assert!(channel.wait(ticket, SOON));
        }
        assert_eq!(
            bench.engine.called()[2..],
            ["StartDma", "StartDma", "AppendDma", "AppendDma"]
        );
        assert_eq!(channel.statistics().descriptors, 2);
        bench
            .engine
            .set(|habits| habits.run_status = sys::STATUS_INSUFFICIENT_RESOURCES);
        assert!(channel.submit(&[null_transfer()]).is_err());
        let detail = bench.broken(&violation::STATUS);
        assert!(detail.contains("AppendDma"), "{detail}");
        channel.free();
        bench.stop_and_end();
    }
}

#[test]
fn the_completion_word_names_what_is_outstanding() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer(); 2]).unwrap();
    let first = unit.list.lock().unwrap().next;
    for wrong in [first + 2 * 64, first - 64, 0x40, first + 256 * 64] {
        unit.publish(wrong);
        assert!(!channel.wait(ticket, Duration::from_millis(5)));
        bench.broken(&violation::COMPLETION_ADDRESS);
    }
    unit.publish(first | 5);
    assert!(!channel.wait(ticket, Duration::from_millis(5)));
    bench.broken(&violation::COMPLETION_STATUS);
    // Hardware reports errors in bits 3 to 5; they are no part of the address.
    unit.publish(first | 8);
    assert!(!channel.wait(ticket, Duration::from_millis(5)));
    assert_eq!(channel.statistics().descriptors, 1);
    assert!(unit.step() && unit.step());
    assert!(channel.wait(ticket, SOON));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn without_completion_word_the_dpc_tells_and_nothing_is_written() {
    for completion in [
        CompletionPlace::Absent,
        CompletionPlace::VirtualOnly,
        CompletionPlace::PhysicalOnly,
        CompletionPlace::At(4),
    ] {
        let mut bench = Bench::new(Os::Win7);
        let provider = bench.register();
        bench.start();
        let request = ChannelRequest {
            completion,
            ..ChannelRequest::default()
        };
        bench.engine.set(|habits| habits.mute = true);
        let channel = bench.kernel.netdma().open_as(provider, &request).unwrap();
        let unit = bench.engine.unit(0);
        let ticket = channel.submit(&[null_transfer(); 3]).unwrap();
        assert!(!channel.wait(ticket, Duration::from_millis(5)));
        bench.interrupt(&unit);
        assert!(channel.wait(ticket, SOON));
        // An error is told by an address of 0.
        bench.engine.set(|habits| habits.eager = false);
        let lost = channel.submit(&[null_transfer()]).unwrap();
        let handle = unit.handle;
        bench.kernel.run_dpc_on(0, move || dpc(handle, 0));
        assert!(!channel.wait(lost, SOON));
        let statistics = channel.statistics();
        assert_eq!((statistics.descriptors, statistics.faults), (3, 1));
        assert_eq!(statistics.completion_writes, 0);
        bench
            .engine
            .set(|habits| (habits.mute, habits.eager) = (false, true));
        let ticket = channel.submit(&[null_transfer()]).unwrap();
        if completion != CompletionPlace::VirtualOnly {
            bench.interrupt(&unit);
        } else {
            assert!(!channel.wait(ticket, Duration::from_millis(5)));
            bench.interrupt(&unit);
            bench.broken(&violation::COMPLETION_ABSENT);
        }
        assert!(channel.wait(ticket, SOON));
        channel.free();
        bench.stop_and_end();
    }
}

#[test]
fn a_halt_loses_what_is_outstanding_and_the_next_batch_is_a_start() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let unit = bench.engine.unit(0);
    for round in 1..=2 {
        let done = channel.submit_polled(&[null_transfer()]).unwrap();
        assert!(unit.step());
        assert!(channel.wait(done, SOON));
        let lost = channel.submit_polled(&[null_transfer(); 2]).unwrap();
        unit.publish(unit.last() | 3);
        assert!(!channel.wait(lost, SOON));
        assert!(channel.wait(done, SOON));
        // Before anything is done, a halt has no descriptor to name.
        let nothing = channel.submit_polled(&[null_transfer()]).unwrap();
        unit.publish(3);
        assert!(!channel.wait(nothing, SOON));
        let again = channel.submit_polled(&[null_transfer()]).unwrap();
        unit.publish(3);
        assert!(!channel.wait(again, SOON));
        assert_eq!(channel.statistics().faults, 3 * round);
    }
    assert_eq!(bench.engine.times("StartDma"), 6);
    assert_eq!(channel.statistics().descriptors, 2);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_halt_before_start_returns_is_not_forgotten() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.halts = true);
    for _ in 0..2 {
        let lost = channel.submit(&[null_transfer()]).unwrap();
        assert!(!channel.wait(lost, SOON));
        assert_eq!(bench.engine.seen().calls.last().unwrap().0, "StartDma");
    }
    assert_eq!(channel.statistics().faults, 2);
    // The handler told at once, and not through an interrupt.
    bench.kernel.take_violations(&violation::DPC_WITHOUT_ISR);
    bench.kernel.take_violations(&violation::DPC_LEVEL);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn descriptors_belong_to_the_interface() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer()]).unwrap();
    {
        let list = unit.list.lock().unwrap();
        let words = list.known.as_ref().unwrap().1.load(Ordering::Relaxed);
        // SAFETY: a word of the first descriptor.
        let context = unsafe { AtomicU64::from_ptr(words.wrapping_add(6)) };
        context.store(42, Ordering::Relaxed);
    }
    assert!(unit.step());
    assert!(channel.wait(ticket, SOON));
    bench.broken(&violation::DESCRIPTOR_CHANGED);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn interrupts_are_told_where_they_belong() {
    let (bench, channel) = Bench::running(Os::Win7);
    let unit = bench.engine.unit(0);
    let handle = unit.handle;
    channel.submit(&[null_transfer()]).unwrap();

    bench
        .kernel
        .run_dpc_on(channel.processor(), move || dpc(handle, 0));
    bench.broken(&violation::DPC_WITHOUT_ISR);
    isr(handle, 0);
    bench.broken(&violation::ISR_LEVEL);
    let elsewhere = channel.processor() + 1;
    bench.kernel.run_dpc_on(elsewhere, move || dpc(handle, 0));
    bench.broken(&violation::DPC_PROCESSOR);
    bench.kernel.run_on(channel.processor(), || dpc(handle, 0));
    bench.broken(&violation::DPC_LEVEL);
    let wrong = unit.last() + 64;
    bench
        .kernel
        .run_isr_on(0, DEVICE, move || isr(handle, wrong));
    bench.broken(&violation::ISR_DESCRIPTOR);
    bench.kernel.run_isr_on(0, DEVICE, move || {
        // SAFETY: null is what is tested.
        unsafe {
            sys::NetDmaIsr(
                ptr::without_provenance_mut(handle),
                sys::physical_address(0),
                null_mut(),
            )
        };
    });
    bench.broken(&violation::NULL_POINTER);

    channel.free();
    for (handle, what) in [(handle, "freed"), (handle + 1, "none"), (0, "none")] {
        assert_eq!(
            bench.kernel.run_isr_on(0, DEVICE, move || isr(handle, 0)),
            0
        );
        let detail = bench.broken(&violation::CHANNEL_HANDLE);
        assert!(detail.contains(what), "{detail}");
        bench.kernel.run_dpc_on(0, move || dpc(handle, 0));
        bench.broken(&violation::CHANNEL_HANDLE);
    }
    bench.stop_and_end();
}
