//! Service routines, DPCs, work items: when and at which level they run, and when no more.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nmr_netdma::sys;
use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::pnp::{Bar, DeviceConfig, Signal};
use simkernel::{Os, ke, pnp, wdf};

use super::driver::*;
use super::machine::*;

#[test]
fn deferred_work_runs_at_its_level_and_is_over_when_its_object_is() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    static WORK: AtomicU32 = AtomicU32::new(0);
    static TICKS: AtomicU32 = AtomicU32::new(0);
    static QUEUED: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" fn call(dpc: sys::WDFDPC) {
        assert_eq!(c!(KeGetCurrentIrql()), 2);
        assert!(!c!(WdfDpcGetParentObject(dpc)).is_null());
        CALLS.fetch_add(1, Ordering::Relaxed);
    }
    unsafe extern "C" fn work(item: sys::WDFWORKITEM) {
        assert_eq!(c!(KeGetCurrentIrql()), 0);
        if !QUEUED.swap(true, Ordering::Relaxed) {
            c!(WdfWorkItemEnqueue(item));
        }
        WORK.fetch_add(1, Ordering::Relaxed);
    }
    unsafe extern "C" fn tick(_timer: sys::WDFTIMER) {
        assert_eq!(c!(KeGetCurrentIrql()), 2);
        TICKS.fetch_add(1, Ordering::Relaxed);
    }
    fn defer(device: sys::WDFDEVICE, _interrupts: &[sys::WDFINTERRUPT]) {
        let mut config = sys::WDF_DPC_CONFIG {
            Size: 24,
            EvtDpcFunc: Some(call),
            AutomaticSerialization: 1,
        };
        let mut dpc = ptr::null_mut();
        let status = c!(WdfDpcCreate(&raw mut config, ptr::null_mut(), &raw mut dpc));
        assert_eq!(status, sys::STATUS_WDF_PARENT_NOT_SPECIFIED);
        let mut attributes = attributes();
        attributes.ParentObject = device.cast();
        assert_eq!(
            c!(WdfDpcCreate(
                &raw mut config,
                &raw mut attributes,
                &raw mut dpc
            )),
            sys::STATUS_SUCCESS
        );
        assert_eq!(c!(WdfDpcEnqueue(dpc)), 1);

        let mut config = sys::WDF_WORKITEM_CONFIG {
            Size: 24,
            EvtWorkItemFunc: Some(work),
            AutomaticSerialization: 1,
        };
        let mut item = ptr::null_mut();
        let status = c!(WdfWorkItemCreate(
            &raw mut config,
            &raw mut attributes,
            &raw mut item
        ));
        assert_eq!(status, sys::STATUS_SUCCESS);
        c!(WdfWorkItemEnqueue(item));

        let mut config = sys::WDF_TIMER_CONFIG {
            Size: sys::WDF_TIMER_CONFIG_SIZE_V1_7,
            EvtTimerFunc: Some(tick),
            Period: 1,
            AutomaticSerialization: 1,
            ..Default::default()
        };
        let mut timer = ptr::null_mut();
        let status = c!(WdfTimerCreate(
            &raw mut config,
            &raw mut attributes,
            &raw mut timer
        ));
        assert_eq!(status, sys::STATUS_SUCCESS);
        assert_eq!(c!(WdfTimerStart(timer, -10_000)), 0);

        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfSpinLockCreate(&raw mut attributes, &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        c!(WdfSpinLockAcquire(lock));
        assert_eq!(c!(KeGetCurrentIrql()), 2);
        c!(WdfSpinLockRelease(lock));
        assert_eq!(c!(KeGetCurrentIrql()), 0);
        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfWaitLockCreate(&raw mut attributes, &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfWaitLockAcquire(lock, ptr::null_mut())),
            sys::STATUS_SUCCESS
        );
        c!(WdfWaitLockRelease(lock));
    }
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(defer),
            ..Script::default()
        },
        1,
    );
    eventually("a second tick", || TICKS.load(Ordering::Relaxed) >= 2);
    kernel.remove_device(id).unwrap();
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    assert_eq!(
        WORK.load(Ordering::Relaxed),
        2,
        "an item may queue itself again"
    );
    let ticks = TICKS.load(Ordering::Relaxed);
    thread::sleep(Duration::from_millis(5));
    assert_eq!(
        TICKS.load(Ordering::Relaxed),
        ticks,
        "a deleted timer does not tick"
    );
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn levels_are_checked_on_entry() {
    let added: fn(sys::WDFDEVICE, &[sys::WDFINTERRUPT]) = |device, _| {
        let old = c!(KfRaiseIrql(2));
        c!(WdfFdoInitSetFilter(device.cast()));
        c!(KeLowerIrql(old));
    };
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(added),
            ..Script::default()
        },
        1,
    );
    let violations = kernel.take_violations(&ke::violation::LEVEL);
    assert_eq!(rules(&violations), ["ke::level"]);
    assert!(
        violations[0].detail.contains("WdfFdoInitSetFilter"),
        "{}",
        violations[0].detail
    );
    assert_eq!(
        kernel.take_violations(&wdf::violation::HANDLE).len(),
        1,
        "a device is no init structure"
    );
    end(kernel, driver, id);
}

#[test]
fn the_doorbell_rings_by_message_and_by_line() {
    let signal = Signal::new();
    let doorbell = Doorbell::new(4, signal.clone());
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 4,
            signal,
            ..Script::default()
        },
    );
    let config = DeviceConfig {
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model: Arc::clone(&doorbell) as Arc<dyn Registers>,
        }],
        ..device(&script, 4)
    };
    let id = kernel.add_device(driver, config).unwrap();
    assert_eq!(
        (doorbell.read(0), doorbell.read(4)),
        (Doorbell::IDENTITY, 4)
    );
    doorbell.write(0x204, 1);
    assert_eq!(
        doorbell.read(8),
        2,
        "the status is set, whether interrupts are enabled or not"
    );
    doorbell.write(8, 2);
    assert_eq!(doorbell.read(8), 0);
    doorbell.write(0xC, 3);
    doorbell.write(0x108, 0);
    doorbell.write(0x208, 1);
    doorbell.write(0x20C, 1);
    kernel.quiesce();
    let delivered: Vec<u64> = kernel
        .interrupts(id)
        .iter()
        .map(|report| report.delivered.values().sum())
        .collect();
    assert_eq!(delivered, [1, 0, 0, 1]);
    doorbell.write(0x10, 1);
    assert_eq!(
        (doorbell.read(8), doorbell.read(0xC), doorbell.read(0x108)),
        (0, 0, 2)
    );
    end(kernel, driver, id);
}

#[test]
fn no_service_routine_and_no_dpc_run_outside_d0() {
    for messages in [2, 0] {
        let script = Script {
            interrupts: 2,
            ..Script::default()
        };
        let (kernel, driver, script) = boot(Os::Win7, script);
        let id = kernel
            .add_device(driver, device(&script, messages))
            .unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            // Also if something fails, or the scope would not end.
            let _end = Set(&over);
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    script.signal.raise(0);
                    script.signal.raise(1);
                    script.signal.line(true);
                    thread::sleep(Duration::from_micros(20));
                }
            });
            eventually("an interrupt", || {
                script.services.load(Ordering::Relaxed) > 0
            });
            for _ in 0..50 {
                kernel.power_down(id).unwrap();
                kernel.power_up(id).unwrap();
                kernel.stop_device(id).unwrap();
                kernel.restart_device(id, None).unwrap();
            }
            kernel.surprise_remove(id).unwrap();
        });
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
    }
}

#[test]
fn a_storm_of_interrupts_does_not_hold_up_a_power_down() {
    let script = Script {
        interrupts: 2,
        storm: AtomicU32::new(3_000_000),
        ..Script::default()
    };
    let (kernel, driver, script, id) = started(script, 2);
    let levels: Vec<u8> = kernel
        .interrupts(id)
        .iter()
        .map(|report| report.irql)
        .collect();
    assert!(
        levels[0] < levels[1],
        "the storm begins in a service routine that it cuts into: {levels:?}"
    );
    script.signal.raise(0);
    eventually("an interrupt", || {
        script.services.load(Ordering::Relaxed) > 0
    });
    kernel.power_down(id).unwrap();
    assert_ne!(
        script.storm.load(Ordering::Relaxed),
        0,
        "the storm was over before the power was down"
    );
    assert_ne!(
        script.calls.load(Ordering::Relaxed),
        0,
        "DPCs had their turn"
    );
    end(kernel, driver, id);
}

#[test]
fn interrupts_that_are_over_do_not_bring_a_dpc_forward() {
    let script = Script {
        interrupts: 1,
        unclaimed: AtomicBool::new(true),
        ..Script::default()
    };
    let (kernel, driver, script, id) = started(script, 1);
    for _ in 0..1000 {
        script.signal.raise(0);
    }
    kernel.quiesce();
    script.unclaimed.store(false, Ordering::Relaxed);
    script.storm.store(50, Ordering::Relaxed);
    script.signal.raise(0);
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 1051);
    assert_eq!(
        script.calls.load(Ordering::Relaxed),
        1,
        "a DPC comes after the interrupts that wait"
    );
    end(kernel, driver, id);
}

#[test]
fn messages_that_wait_without_end_are_merged() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 1,
            ..Script::default()
        },
        1,
    );
    let signal = script.signal.clone();
    kernel.run_dpc_on(0, move || {
        for _ in 0..10_003 {
            signal.raise(0);
        }
    });
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 10_000);
    let events = kernel.events();
    let told = events.iter().filter(|event| event.what.contains("merged"));
    assert_eq!(told.count(), 1);
    script.signal.raise(0);
    kernel.quiesce();
    assert_eq!(
        script.services.load(Ordering::Relaxed),
        10_001,
        "what comes later is served again"
    );
    end(kernel, driver, id);
}

#[test]
fn a_line_that_is_claimed_and_stays_asserted_is_named() {
    let script = Script {
        interrupts: 1,
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    // The service routine deasserts the script's signal, which is not the device's.
    let signal = Signal::new();
    let config = DeviceConfig {
        signal: signal.clone(),
        ..device(&script, 0)
    };
    let id = kernel.add_device(driver, config).unwrap();
    signal.line(true);
    kernel.quiesce();
    assert_eq!(kernel.take_violations(&pnp::violation::STUCK).len(), 1);
    end(kernel, driver, id);
}

#[test]
fn a_device_pulled_out_while_it_asserts_its_line_is_silent() {
    let script = Script {
        interrupts: 1,
        outlasted: true,
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let signal = Signal::new();
    let config = DeviceConfig {
        signal: signal.clone(),
        ..device(&script, 0)
    };
    let id = kernel.add_device(driver, config).unwrap();
    signal.line(true);
    eventually("the service", || {
        script.services.load(Ordering::Relaxed) > 0
    });
    kernel.surprise_remove(id).unwrap();
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 1);
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}
