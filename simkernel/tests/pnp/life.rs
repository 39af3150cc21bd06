//! The life of a device: start, power, stop, removal, and what is undone when a step fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nmr_netdma::sys;
use simkernel::Os;

use super::driver::*;
use super::machine::*;

#[test]
fn a_device_lives_in_the_order_of_the_framework() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 2,
            ..Script::default()
        },
        2,
    );
    assert_eq!(script.take_seen(), START);
    kernel.remove_device(id).unwrap();
    assert_eq!(script.take_seen(), REMOVE);
    assert_eq!(kernel.remove_device(id), Err(sys::STATUS_NO_SUCH_DEVICE));
    kernel.unload_driver(driver).unwrap();
    assert_eq!(script.take_seen(), ["unload"]);
    finish(kernel);
    SCRIPT.take();
    assert_eq!(
        Arc::strong_count(&script),
        1,
        "the destroy callback ran once"
    );
}

#[test]
fn a_start_that_fails_is_undone_in_the_order_of_the_framework() {
    let prepared = ["add", "remove added", "prepare"];
    let entered = [&prepared[..], &["d0 entry"]].concat();
    let deleted = ["cleanup", "destroy"];
    let off = ["disable", "disable", "d0 exit", "release"];
    let cases: [(&str, Vec<&str>); 8] = [
        ("add", [&["add"], &deleted[..]].concat()),
        (
            "remove added",
            [&["add", "remove added"], &deleted[..]].concat(),
        ),
        ("prepare", [&prepared[..], &["release"], &deleted].concat()),
        ("d0 entry", [&entered[..], &["release"], &deleted].concat()),
        (
            "enable",
            [&entered[..], &["enable", "d0 exit", "release"], &deleted].concat(),
        ),
        (
            "post interrupts",
            [
                &entered[..],
                &["enable", "enable", "post interrupts"],
                &off,
                &deleted,
            ]
            .concat(),
        ),
        (
            "io init",
            [
                &entered[..],
                &[
                    "enable",
                    "enable",
                    "post interrupts",
                    "io init",
                    "pre interrupts",
                ],
                &off,
                &["io flush", "io cleanup"],
                &deleted,
            ]
            .concat(),
        ),
        (
            "filter add",
            [&["add", "filter add"], &deleted[..]].concat(),
        ),
    ];
    for (fails, expected) in cases {
        let filter_add: Option<fn(_)> = if fails == "filter add" {
            Some(|_| ())
        } else {
            None
        };
        let script = Script {
            interrupts: 2,
            fails: Some(fails),
            filter_add,
            ..Script::default()
        };
        let (kernel, driver, script) = boot(Os::Win7, script);
        let result = kernel.add_device(driver, device(&script, 2));
        assert_eq!(result, Err(sys::STATUS_DEVICE_NOT_READY), "{fails}");
        assert_eq!(script.take_seen(), expected, "{fails}");
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
    }
}

#[test]
fn power_goes_down_and_up() {
    for not_pageable in [false, true] {
        let (kernel, driver, script, id) = started(
            Script {
                interrupts: 1,
                not_pageable,
                ..Script::default()
            },
            1,
        );
        script.take_seen();
        kernel.power_down(id).unwrap();
        assert_eq!(
            script.take_seen(),
            ["io suspend", "pre interrupts", "disable", "d0 exit to d3"]
        );
        assert_eq!(kernel.power_down(id), Err(sys::STATUS_INVALID_DEVICE_STATE));
        kernel.power_up(id).unwrap();
        assert_eq!(
            script.take_seen(),
            [
                "d0 entry from d3",
                "enable",
                "post interrupts",
                "io restart"
            ]
        );
        script.signal.raise(0);
        kernel.quiesce();
        assert_eq!(script.services.load(Ordering::Relaxed), 1);
        kernel.power_down(id).unwrap();
        script.take_seen();
        kernel.remove_device(id).unwrap();
        let removed = [
            "query remove",
            "release",
            "io flush",
            "io cleanup",
            "cleanup",
            "destroy",
        ];
        assert_eq!(
            script.take_seen(),
            removed,
            "from D3 there is no way through D0"
        );
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
    }
}

#[test]
fn a_device_that_is_pulled_out_is_told_first() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 2,
            ..Script::default()
        },
        2,
    );
    script.take_seen();
    kernel.surprise_remove(id).unwrap();
    let mut expected = REMOVE;
    expected[0] = "surprise";
    assert_eq!(script.take_seen(), expected);
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_device_can_be_taken_through_its_life_in_halves() {
    let script = Script {
        interrupts: 2,
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let id = kernel.find_device(driver, device(&script, 2)).unwrap();
    assert_eq!(script.take_seen(), ["add"]);
    kernel.start_device(id).unwrap();
    assert_eq!(script.take_seen(), START[1..]);
    assert_eq!(
        kernel.start_device(id),
        Err(sys::STATUS_INVALID_DEVICE_STATE),
        "it is started once"
    );
    kernel.pull_out(id).unwrap();
    assert_eq!(script.take_seen(), ["surprise"]);
    kernel.discard_device(id).unwrap();
    assert_eq!(script.take_seen(), REMOVE[1..]);
    assert_eq!(
        kernel.discard_device(id),
        Err(sys::STATUS_NO_SUCH_DEVICE),
        "it is gone"
    );
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_device_that_does_not_start_stays_until_it_is_discarded() {
    let script = Script {
        fails: Some("prepare"),
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let id = kernel.find_device(driver, device(&script, 1)).unwrap();
    assert_eq!(kernel.start_device(id), Err(sys::STATUS_DEVICE_NOT_READY));
    assert_eq!(
        kernel.unload_driver(driver),
        Err(sys::STATUS_DEVICE_BUSY),
        "it is still there"
    );
    kernel.discard_device(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_driver_may_object_to_removal() {
    let (kernel, driver, _, id) = started(
        Script {
            fails: Some("query remove"),
            ..Script::default()
        },
        1,
    );
    assert_eq!(kernel.remove_device(id), Err(sys::STATUS_DEVICE_NOT_READY));
    kernel.surprise_remove(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_device_that_is_called_failed_is_torn_down() {
    let prepared: fn(_, _, _) = |device, _, _| {
        c!(WdfDeviceSetFailed(
            device,
            sys::_WDF_DEVICE_FAILED_ACTION::WdfDeviceFailedNoRestart
        ));
    };
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 1,
            prepared: Some(prepared),
            ..Script::default()
        },
        1,
    );
    let destroyed = || {
        script
            .seen
            .lock()
            .unwrap()
            .last()
            .is_some_and(|name| name == "destroy")
    };
    eventually("the removal", destroyed);
    eventually("its end", || {
        kernel.remove_device(id) == Err(sys::STATUS_NO_SUCH_DEVICE)
    });
    let seen = script.take_seen();
    let position = |name: &str| seen.iter().position(|seen| seen == name);
    assert!(position("io init") < position("surprise"), "{seen:?}");
    assert!(position("surprise") < position("d0 exit"), "{seen:?}");
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}
