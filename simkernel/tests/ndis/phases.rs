//! The phases of a provider, from start to what is left at the end: what may be called when, stop, power.

use std::ptr::{null, null_mut};
use std::time::Duration;

use nmr_netdma::sys;
use simkernel::ndis::violation;
use simkernel::{Config, Os};

use super::bench::*;
use super::*;

#[test]
fn the_phases_follow_each_other() {
    let mut bench = Bench::new(Os::Win7);
    bench.register();
    bench.stop();
    bench.broken(&violation::STOP_WITHOUT_START);
    bench.start();
    bench.start();
    bench.broken(&violation::START_TWICE);
    bench.deregister();
    bench.broken(&violation::DEREGISTER_STARTED);
    for call in [Bench::start, Bench::stop, Bench::deregister] {
        call(&bench);
        bench.broken(&violation::PROVIDER_HANDLE);
    }
    bench.end();
}

#[test]
fn a_life_runs_at_passive_level() {
    let mut bench = Bench::new(Os::Win7);
    let register = |bench: &mut Bench| {
        bench.register();
    };
    let calls: [fn(&mut Bench); 4] = [
        register,
        |bench| bench.start(),
        |bench| bench.stop(),
        |bench| bench.deregister(),
    ];
    for call in calls {
        // SAFETY: lowered again below.
        let old = unsafe { sys::KfRaiseIrql(DISPATCH) };
        call(&mut bench);
        // SAFETY: `old` is the level from before.
        unsafe { sys::KeLowerIrql(old) };
        bench.broken(&violation::LEVEL);
    }
    bench.end();
}

#[test]
fn attributes_are_checked() {
    type Change = fn(&mut sys::NET_DMA_PROVIDER_ATTRIBUTES);
    let cases: [Change; 4] = [
        |a| a.Size = 24,
        |a| a.Flags = 1,
        |a| a.DmaChannelCount = 7,
        |a| a.MaximumTransferSize = 4095,
    ];
    let mut bench = Bench::new(Os::Win7);
    bench.register();
    for change in cases {
        let mut attributes = bench.attributes();
        change(&mut attributes);
        bench.start_with(attributes);
        bench.broken(&violation::ATTRIBUTES);
        assert!(!bench.kernel.netdma().providers()[0].started);
    }
    bench.start();
    bench.stop_and_end();
}

#[test]
fn callbacks_may_come_before_start_returns() {
    let mut bench = Bench::new(Os::Win7);
    bench.kernel.netdma().set_probe(true);
    bench.register();
    bench.start();
    let expected = [
        "SetDmaChannelCpuAffinity",
        "AllocateDmaChannel",
        "StartDma",
        "FreeDmaChannel",
    ];
    assert_eq!(bench.engine.called(), expected);
    bench.stop_and_end();
}

#[test]
fn handlers_do_not_end_their_own_provider() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.stops = true);
    channel.submit(&[null_transfer()]).unwrap();
    bench.broken(&violation::REENTRANT);
    bench.kernel.take_violations(&violation::LEVEL);
    bench.engine.set(|habits| habits.stops = false);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn channel_handlers_run_at_both_levels_as_the_seed_says() {
    let levels = |seed| {
        let mut bench = Bench::with(
            Config {
                seed,
                ..Config::default()
            },
            4,
        );
        let provider = bench.register();
        bench.start();
        for _ in 0..8 {
            let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
            channel.submit(&[null_transfer()]).unwrap();
            channel.submit(&[null_transfer()]).unwrap();
        }
        let calls = bench.engine.seen().calls;
        bench.stop_and_end();
        calls
            .into_iter()
            .skip(1)
            .map(|call| call.1)
            .collect::<Vec<_>>()
    };
    let first = levels(1);
    assert_eq!(first, levels(1));
    assert_ne!(first, levels(2));
    let dispatch = first.iter().filter(|&&level| level == DISPATCH).count();
    let passive = first.iter().filter(|&&level| level == PASSIVE).count();
    assert_eq!(dispatch + passive, first.len());
    assert!(passive > 0 && dispatch > passive, "{first:?}");
}

#[test]
fn a_handler_returns_at_the_level_it_was_called_at() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.raises = 1);
    channel.submit(&[null_transfer()]).unwrap();
    bench.broken(&simkernel::ke::violation::LEVEL_CHANGED);
    bench.engine.set(|habits| habits.raises = 0);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn nothing_is_written_after_free() {
    let (bench, channel) = Bench::running(Os::Win7);
    let ticket = channel.submit_polled(&[null_transfer()]).unwrap();
    assert!(channel.wait(ticket, SOON));
    let unit = bench.engine.unit(0);
    channel.free();
    unit.publish(unit.last() | 1);
    bench.stop();
    bench.deregister();
    let verdict = bench.verdict();
    assert_eq!(verdict.violations.len(), 1, "{verdict}");
    assert_eq!(
        verdict.violations[0].rule,
        &violation::COMPLETION_AFTER_FREE
    );
    assert!(
        verdict.violations[0].detail.contains("channel 0"),
        "{verdict}"
    );
}

#[test]
fn stop_waits_for_outstanding_work_and_frees_the_channels() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let ticket = channel.submit(&[null_transfer(); 20]).unwrap();
    let unit = bench.engine.unit(0);
    with_worker(&unit, Duration::from_millis(1), || {
        bench.stop();
        assert_eq!(unit.list.lock().unwrap().done, 20, "stop returned early");
    });
    assert_eq!(
        bench.engine.seen().calls.last().unwrap().0,
        "FreeDmaChannel"
    );
    assert!(channel.wait(ticket, SOON));
    assert_eq!(
        channel.submit(&[null_transfer()]),
        Err(sys::STATUS_DEVICE_NOT_READY)
    );
    assert_eq!(channel.statistics().descriptors, 20);
    bench.start();
    let refused = channel.submit(&[null_transfer()]);
    assert_eq!(
        refused,
        Err(sys::STATUS_DEVICE_NOT_READY),
        "a channel does not come back"
    );
    channel.free();
    assert_eq!(bench.engine.times("FreeDmaChannel"), 1);
    bench.stop_and_end();
}

#[test]
fn a_stop_that_would_hang_says_what_is_outstanding() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench
        .kernel
        .netdma()
        .set_patience(Duration::from_millis(50));
    bench.engine.set(|habits| habits.mute = true);
    let ticket = channel.submit(&[null_transfer(); 3]).unwrap();
    bench.stop();
    let detail = bench.broken(&violation::OUTSTANDING);
    for what in [NAME, "channel 0", "3 of 3 descriptors"] {
        assert!(detail.contains(what), "{detail}");
    }
    assert!(!channel.wait(ticket, SOON));
    bench.deregister();
    drop(channel);
    bench.end();
}

#[test]
fn a_full_ring_times_out() {
    let mut bench = Bench::new(Os::Win7);
    let provider = bench.register();
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open_as(provider, &ring(4)).unwrap();
    bench
        .kernel
        .netdma()
        .set_patience(Duration::from_millis(50));
    channel.submit_polled(&[null_transfer(); 3]).unwrap();
    assert_eq!(
        channel.submit_polled(&[null_transfer()]),
        Err(sys::STATUS_IO_TIMEOUT)
    );
    let unit = bench.engine.unit(0);
    while unit.step() {}
    channel.submit_polled(&[null_transfer()]).unwrap();
    while unit.step() {}
    channel.free();
    bench.stop_and_end();
}

#[test]
fn power_down_drains_and_power_up_starts_again() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    let ticket = channel.submit(&[null_transfer(); 4]).unwrap();
    let unit = bench.engine.unit(0);
    with_worker(&unit, Duration::from_millis(1), || {
        bench.power(sys::NetDmaNotificationProviderPowerDown);
        assert_eq!(
            unit.list.lock().unwrap().done,
            4,
            "the notification returned early"
        );
    });
    assert!(channel.wait(ticket, SOON));
    assert_eq!(
        channel.submit(&[null_transfer()]),
        Err(sys::STATUS_DEVICE_NOT_READY)
    );
    bench.power(sys::NetDmaNotificationProviderPowerUp);
    channel.submit(&[null_transfer()]).unwrap();
    assert_eq!(bench.engine.seen().calls.last().unwrap().0, "StartDma");
    assert!(unit.step());
    channel.free();
    bench.stop_and_end();
}

#[test]
fn notifications_are_checked() {
    let mut bench = Bench::new(Os::Win7);
    let (down, up) = (
        sys::NetDmaNotificationProviderPowerDown,
        sys::NetDmaNotificationProviderPowerUp,
    );
    bench.register();
    bench.power(down);
    bench.broken(&violation::NOTIFICATION_PHASE);
    bench.start();
    bench.power(up);
    bench.broken(&violation::POWER_ORDER);
    bench.power(down);
    bench.power(down);
    bench.broken(&violation::POWER_ORDER);
    bench.power(up);
    for code in [0, 1, 2, 3, 4, 7] {
        bench.power(code);
        bench.broken(&violation::NOTIFICATION_CODE);
    }
    let right = sys::NET_DMA_PNP_NOTIFICATION {
        StructureRevision: 1,
        StructureSize: 32,
        NotificationCode: down,
        Buffer: null_mut(),
        BufferLength: 0,
    };
    for wrong in [
        sys::NET_DMA_PNP_NOTIFICATION {
            StructureRevision: 2,
            ..right
        },
        sys::NET_DMA_PNP_NOTIFICATION {
            StructureSize: 28,
            ..right
        },
        sys::NET_DMA_PNP_NOTIFICATION {
            BufferLength: 1,
            ..right
        },
        sys::NET_DMA_PNP_NOTIFICATION {
            Buffer: null::<u8>().wrapping_add(8).cast_mut().cast(),
            ..right
        },
    ] {
        bench.notify(wrong);
        bench.broken(&violation::NOTIFICATION);
    }
    // A start is in D0.
    bench.power(down);
    bench.stop();
    bench.start();
    let provider = bench.kernel.netdma().providers()[0].id;
    drop(bench.kernel.netdma().open(provider, EVERY).unwrap());
    bench.stop_and_end();
}

#[test]
fn what_is_left_is_named() {
    let (bench, channel) = Bench::running(Os::Win7);
    bench.engine.set(|habits| habits.eager = false);
    channel.submit(&[null_transfer(); 2]).unwrap();
    let verdict = bench.verdict();
    let leaks: Vec<_> = verdict.leaks.iter().map(ToString::to_string).collect();
    assert_eq!(
        leaks,
        [
            "leaked netdma provider registration: 'test engine'",
            "leaked netdma channel: channel 0 of 'test engine', 2 descriptors outstanding",
        ]
    );
    assert_eq!(
        channel.submit(&[null_transfer()]),
        Err(sys::STATUS_DEVICE_NOT_READY)
    );
    drop(channel);
}
