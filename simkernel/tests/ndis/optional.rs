//! What a provider need not offer: suspend, resume, abort, reset.

use nmr_netdma::sys;
use simkernel::Os;
use simkernel::ndis::{Channel, violation};

use super::bench::*;
use super::engine::*;
use super::*;

unsafe extern "system" fn halt(context: sys::PVOID) -> sys::NTSTATUS {
    let unit = unit_of(context);
    unit.publish(unit.last() | 3);
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn nothing(_context: sys::PVOID) -> sys::NTSTATUS {
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn stand_still(
    context: sys::PVOID,
    last: *mut sys::PPHYSICAL_ADDRESS,
) -> sys::NTSTATUS {
    let unit = unit_of(context);
    unit.publish(unit.last() | 2);
    // SAFETY: the interface passes room for an address.
    unsafe { last.cast::<u64>().write(unit.last()) };
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn say_nothing(
    _context: sys::PVOID,
    _last: *mut sys::PPHYSICAL_ADDRESS,
) -> sys::NTSTATUS {
    sys::STATUS_SUCCESS
}

/// A running channel of an engine that has `suspend` and `reset`, resumes without doing anything, and aborts as it should.
fn with_optional(
    suspend: sys::DMA_SUSPEND_HANDLER,
    reset: sys::DMA_RESET_HANDLER,
) -> (Bench, Channel) {
    let mut bench = Bench::new(Os::Win7);
    let characteristics = sys::NET_DMA_PROVIDER_CHARACTERISTICS {
        SuspendDma: suspend,
        ResumeDma: Some(nothing),
        AbortDma: Some(halt),
        ResetChannel: reset,
        ..bench.characteristics()
    };
    let provider = bench.register_as(&characteristics);
    bench.start();
    bench.engine.set(|habits| habits.eager = false);
    let channel = bench.kernel.netdma().open(provider, EVERY).unwrap();
    (bench, channel)
}

#[test]
fn what_a_provider_does_not_offer_is_not_supported() {
    let (bench, channel) = Bench::running(Os::Win7);
    assert_eq!(channel.suspend(), Err(sys::STATUS_NOT_SUPPORTED));
    for answer in [channel.resume(), channel.abort(), channel.reset()] {
        assert_eq!(answer, Err(sys::STATUS_NOT_SUPPORTED));
    }
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_suspended_channel_says_what_it_did_last_and_does_no_more() {
    let (bench, channel) = with_optional(Some(stand_still), Some(halt));
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer(); 3]).unwrap();
    assert!(unit.step());
    assert_eq!(channel.suspend(), Ok(1));
    channel.resume().unwrap();
    assert_eq!(channel.suspend(), Ok(1));
    assert!(unit.step());
    assert!(unit.step());
    channel.resume().unwrap();
    bench.broken(&violation::RUNS_SUSPENDED);
    assert!(channel.wait(ticket, SOON));
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_channel_that_a_stop_freed_reaches_its_provider_no_more() {
    let (bench, channel) = with_optional(Some(stand_still), Some(halt));
    bench.stop();
    bench.start();
    let calls = bench.engine.seen().calls.len();
    let gone = Err(sys::STATUS_DEVICE_NOT_READY);
    assert_eq!(channel.suspend().map(drop), gone);
    for answer in [channel.resume(), channel.abort(), channel.reset()] {
        assert_eq!(answer, gone);
    }
    for answer in [
        channel.submit(&[null_transfer()]),
        channel.append(&[null_transfer()]),
        channel.restart(&[null_transfer()]),
    ] {
        assert_eq!(answer.map(drop), gone);
    }
    channel.free();
    assert_eq!(bench.engine.seen().calls.len(), calls);
    bench.stop_and_end();
}

#[test]
fn after_a_halt_a_suspension_names_the_last_descriptor_done() {
    let (bench, channel) = with_optional(Some(stand_still), Some(halt));
    let unit = bench.engine.unit(0);
    let ticket = channel.submit_polled(&[null_transfer(); 2]).unwrap();
    assert!(unit.step());
    unit.publish(unit.last() | 3);
    assert!(!channel.wait(ticket, SOON));
    channel.suspend().unwrap();
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_suspension_without_a_word_is_found_out() {
    let (bench, channel) = with_optional(Some(say_nothing), Some(halt));
    assert!(channel.suspend().is_ok());
    bench.broken(&violation::SUSPEND_OUTPUT);
    bench.broken(&violation::SUSPEND);
    channel.free();
    bench.stop_and_end();
}

#[test]
fn a_reset_leaves_a_halted_channel_that_accepts_no_append() {
    let (bench, channel) = with_optional(None, Some(nothing));
    let lost = channel.append(&[null_transfer()]).unwrap();
    bench.broken(&violation::APPEND_WITHOUT_START);
    channel.reset().unwrap();
    bench.broken(&violation::HALT);
    channel.abort().unwrap();
    assert!(!channel.wait(lost, SOON));
    channel.free();
    bench.stop_and_end();
}
