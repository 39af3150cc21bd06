//! Who interrupts whom: the resource-requirements filter, the arbiter, the lists.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_netdma::sys;
use simkernel::pnp::DeviceConfig;
use simkernel::{Config, Os, pnp, wdf};

use super::driver::*;
use super::machine::*;

#[test]
fn each_message_is_served_on_the_processor_that_was_asked_for() {
    let policies = vec![1 << 3, 1 << 2, 1 << 1, 1 << 0];
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 4,
            policies,
            ..Script::default()
        },
        4,
    );
    assert_eq!(targets(&kernel, id), [[3], [2], [1], [0]]);
    for (message, processor) in [(0, 3), (1, 2), (2, 1), (3, 0)] {
        script.service_processors.store(0, Ordering::Relaxed);
        script.call_processors.store(0, Ordering::Relaxed);
        for _ in 0..10 {
            script.signal.raise(message);
        }
        kernel.quiesce();
        assert_eq!(
            script.service_processors.load(Ordering::Relaxed),
            1 << processor
        );
        assert_eq!(
            script.call_processors.load(Ordering::Relaxed),
            1 << processor,
            "the DPC follows the interrupt"
        );
    }
    let reports = kernel.interrupts(id);
    for (report, processor) in reports.iter().zip([3, 2, 1, 0]) {
        assert_eq!(report.delivered, [(processor, 10)].into());
        assert!((3..=11).contains(&report.irql));
    }
    let mut vectors: Vec<u32> = reports.iter().map(|report| report.vector).collect();
    vectors.sort_unstable();
    vectors.dedup();
    assert_eq!(vectors.len(), 4, "vectors are unique");
    assert_eq!(script.services.load(Ordering::Relaxed), 40);
    assert!(script.calls.load(Ordering::Relaxed) >= 4);
    assert!(
        script.lowest_level.load(Ordering::Relaxed) >= 3,
        "service routines run at the device's level"
    );
    let information = script.information.lock().unwrap().clone();
    for (information, (number, report)) in information.iter().zip((0..).zip(&reports)) {
        assert_eq!(information.MessageNumber, number);
        assert_eq!(information.Vector, report.vector);
        assert_eq!(information.Irql, report.irql);
        assert_eq!(information.TargetProcessorSet, 1 << report.targets[0]);
        assert_eq!(information.MessageSignaled, 1);
    }
    end(kernel, driver, id);
}

#[test]
fn writing_through_a_clone_changes_nothing() {
    fn write_through(list: sys::WDFIORESREQLIST) {
        let list = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        each(list, |clone, index, _| {
            // SAFETY: the clone belongs to the list, which exists, and nobody else has it.
            unsafe { (*clone).Flags = 0xFFFF };
            let again = c!(WdfIoResourceListGetDescriptor(list, index));
            assert_eq!(again, clone, "the clone of an element stays where it is");
            // SAFETY: as above.
            let flags = unsafe { (*again).Flags };
            assert_ne!(flags, 0xFFFF, "reading refreshes the clone");
        });
    }
    let (kernel, driver, _, id) = started(
        Script {
            interrupts: 2,
            filter_add: Some(write_through),
            ..Script::default()
        },
        2,
    );
    assert_eq!(targets(&kernel, id), [[0, 1, 2, 3], [0, 1, 2, 3]]);
    assert!(
        !kernel
            .events()
            .iter()
            .any(|event| event.what.contains("changed the requirements"))
    );
    end(kernel, driver, id);
}

#[test]
fn an_updated_descriptor_decides_the_processors() {
    for os in [Os::VistaSp1, Os::Win7, Os::Win10] {
        let (kernel, driver, script) = boot(
            os,
            Script {
                interrupts: 4,
                filter_add: Some(reverse),
                ..Script::default()
            },
        );
        let id = kernel.add_device(driver, device(&script, 4)).unwrap();
        assert_eq!(targets(&kernel, id), [[3], [2], [1], [0]]);
        end(kernel, driver, id);
    }
}

#[test]
fn the_filter_sees_the_policies_of_interrupt_objects_and_the_line_behind_the_messages() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 2,
            policies: vec![2, 4],
            filter_add: Some(|_| ()),
            ..Script::default()
        },
        3,
    );
    // Messages 0 and 1 have objects; the line goes with the first object; the third message has none.
    let expected = [(0, 7, 4, 2), (0, 7, 4, 4), (0, 3, 0, 0), (8, 4, 4, 2)];
    assert_eq!(*script.descriptors.lock().unwrap(), expected);
    end(kernel, driver, id);
}

#[test]
fn a_policy_that_is_in_the_descriptor_wins_over_the_object() {
    let script = Script {
        interrupts: 4,
        policies: vec![1, 1, 1, 1],
        filter_remove: Some(reverse),
        ..Script::default()
    };
    let (kernel, driver, _, id) = started(script, 4);
    assert_eq!(targets(&kernel, id), [[3], [2], [1], [0]]);
    end(kernel, driver, id);
}

#[test]
fn filter_add_without_remove_added_drops_both() {
    let script = Script {
        interrupts: 4,
        filter_add: Some(reverse),
        no_remove_added: true,
        ..Script::default()
    };
    let (kernel, driver, script, id) = started(script, 4);
    assert!(!script.take_seen().contains(&"filter add".to_owned()));
    assert_eq!(targets(&kernel, id)[0], [0, 1, 2, 3]);
    assert_eq!(
        kernel.take_violations(&wdf::violation::FDO_CALLBACKS).len(),
        1
    );
    end(kernel, driver, id);
}

#[test]
fn an_arbiter_that_runs_short_grants_the_first_messages() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 4,
            policies: vec![1, 2, 4, 8],
            ..Script::default()
        },
    );
    let config = DeviceConfig {
        granted: Some(2),
        ..device(&script, 4)
    };
    let id = kernel.add_device(driver, config).unwrap();
    assert_eq!(targets(&kernel, id), [[0], [1]]);
    assert_eq!(
        script
            .take_seen()
            .iter()
            .filter(|name| *name == "enable")
            .count(),
        2
    );
    assert_eq!(
        script.information.lock().unwrap()[3].Vector,
        0,
        "a surplus object is left alone"
    );
    script.signal.raise(3);
    kernel.quiesce();
    assert_eq!(
        kernel.interrupts(id)[0].delivered,
        [(0, 1)].into(),
        "a surplus message goes to message 0"
    );
    end(kernel, driver, id);
}

#[test]
fn without_messages_there_is_the_line() {
    for (messages, granted) in [(4, Some(0)), (0, None)] {
        let (kernel, driver, script) = boot(
            Os::Win7,
            Script {
                interrupts: 4,
                policies: vec![4],
                ..Script::default()
            },
        );
        let id = kernel
            .add_device(
                driver,
                DeviceConfig {
                    granted,
                    ..device(&script, messages)
                },
            )
            .unwrap();
        let report = &kernel.interrupts(id)[0];
        assert_eq!(
            (report.message, report.targets.as_slice()),
            (None, [2].as_slice())
        );
        for served in 1..=3 {
            script.signal.line(true);
            kernel.quiesce();
            assert_eq!(script.services.load(Ordering::Relaxed), served);
        }
        assert_eq!(script.information.lock().unwrap()[0].MessageSignaled, 0);
        script.signal.raise(0);
        assert_eq!(
            kernel.dropped_interrupts(id),
            1,
            "there is no message to send"
        );
        end(kernel, driver, id);
    }
}

#[test]
fn a_line_that_nobody_claims_is_named() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 1,
            unclaimed: AtomicBool::new(true),
            ..Script::default()
        },
    );
    let id = kernel.add_device(driver, device(&script, 0)).unwrap();
    script.signal.line(true);
    kernel.quiesce();
    let violations = kernel.take_violations(&pnp::violation::UNCLAIMED);
    assert_eq!(violations.len(), 1);
    assert!(
        violations[0].detail.contains("engine"),
        "{}",
        violations[0].detail
    );
    end(kernel, driver, id);
}

#[test]
fn a_line_asserted_before_it_is_connected_is_served_then() {
    let (kernel, driver, script, id) = started(
        Script {
            interrupts: 1,
            prepared: Some(|device, _, _| script(device).signal.line(true)),
            ..Script::default()
        },
        0,
    );
    kernel.quiesce();
    assert_eq!(script.services.load(Ordering::Relaxed), 1);
    kernel.remove_device(id).unwrap();
    script.signal.line(true);
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn a_device_cannot_start_without_an_alternative() {
    fn remove_all(list: sys::WDFIORESREQLIST) {
        c!(WdfIoResourceRequirementsListRemove(list, 0));
    }
    fn remove_messages(list: sys::WDFIORESREQLIST) {
        let list = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        c!(WdfIoResourceListRemove(list, 0));
    }
    let script = Script {
        interrupts: 1,
        filter_add: Some(remove_all),
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    let result = kernel.add_device(driver, device(&script, 1));
    assert_eq!(result, Err(sys::STATUS_INSUFFICIENT_RESOURCES));
    kernel.unload_driver(driver).unwrap();
    finish(kernel);

    let script = Script {
        interrupts: 1,
        filter_add: Some(remove_messages),
        ..Script::default()
    };
    let (kernel, driver, script) = boot(Os::Win7, script);
    assert_eq!(
        kernel.add_device(driver, device(&script, 1)),
        Err(sys::STATUS_INVALID_PARAMETER)
    );
    let violations = kernel.take_violations(&pnp::violation::LIST);
    assert_eq!(
        violations.len(),
        1,
        "the line is left as an alternative to nothing"
    );
    kernel.unload_driver(driver).unwrap();
    finish(kernel);
}

#[test]
fn lists_of_descriptors_are_edited_by_their_rules() {
    fn edit(list: sys::WDFIORESREQLIST) {
        let first = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        assert!(c!(WdfIoResourceRequirementsListGetIoResList(list, 1)).is_null());
        let count = c!(WdfIoResourceListGetCount(first));
        assert!(c!(WdfIoResourceListGetDescriptor(first, count)).is_null());
        let clone = c!(WdfIoResourceListGetDescriptor(first, 0));
        // SAFETY: there are descriptors, and nobody else has the clone.
        let mut message = unsafe { *clone };
        let message = &raw mut message;
        assert_eq!(
            c!(WdfIoResourceListInsertDescriptor(first, message, count + 1)),
            sys::STATUS_ARRAY_BOUNDS_EXCEEDED
        );
        assert_eq!(
            c!(WdfIoResourceListInsertDescriptor(first, message, 0)),
            sys::STATUS_SUCCESS
        );
        c!(WdfIoResourceListRemoveByDescriptor(first, message));
        assert_eq!(c!(WdfIoResourceListGetCount(first)), count);
        let mut second = ptr::null_mut();
        assert_eq!(
            c!(WdfIoResourceListCreate(
                list,
                ptr::null_mut(),
                &raw mut second
            )),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfIoResourceRequirementsListGetCount(list)),
            1,
            "it is in the list when it is appended"
        );
        assert_eq!(
            c!(WdfIoResourceListAppendDescriptor(second, message)),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfIoResourceRequirementsListAppendIoResList(list, second)),
            sys::STATUS_SUCCESS
        );
        assert_eq!(
            c!(WdfIoResourceRequirementsListAppendIoResList(list, second)),
            sys::STATUS_INVALID_DEVICE_REQUEST
        );
        assert_eq!(c!(WdfIoResourceRequirementsListGetCount(list)), 2);
        c!(WdfIoResourceRequirementsListRemoveByIoResList(list, first));
        assert_eq!(c!(WdfIoResourceRequirementsListGetCount(list)), 1);
    }
    fn read_only(_device: sys::WDFDEVICE, raw: sys::WDFCMRESLIST, translated: sys::WDFCMRESLIST) {
        assert_eq!(c!(WdfCmResourceListGetCount(raw)), 1);
        let descriptor = c!(WdfCmResourceListGetDescriptor(translated, 0));
        assert_eq!(
            c!(WdfCmResourceListAppendDescriptor(translated, descriptor)),
            sys::STATUS_ACCESS_DENIED
        );
    }
    let script = Script {
        interrupts: 2,
        filter_remove: Some(edit),
        prepared: Some(read_only),
        ..Script::default()
    };
    let (kernel, driver, _, id) = started(script, 2);
    assert_eq!(
        kernel.interrupts(id).len(),
        1,
        "the second list asks for one message"
    );
    end(kernel, driver, id);
}

#[test]
fn a_device_that_is_stopped_starts_with_other_resources() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 2,
            ..Script::default()
        },
    );
    let id = kernel.add_device(driver, device(&script, 2)).unwrap();
    script.take_seen();
    kernel.stop_device(id).unwrap();
    let stopped = [
        "query stop",
        "io suspend",
        "pre interrupts",
        "disable",
        "disable",
        "d0 exit",
        "release",
    ];
    assert_eq!(script.take_seen(), stopped);
    script.signal.raise(0);
    assert_eq!(kernel.dropped_interrupts(id), 1);
    kernel.restart_device(id, Some(1)).unwrap();
    let restarted = [
        "remove added",
        "prepare",
        "d0 entry",
        "enable",
        "post interrupts",
        "io restart",
    ];
    assert_eq!(script.take_seen(), restarted);
    assert_eq!(kernel.interrupts(id).len(), 1);
    end(kernel, driver, id);
}

#[test]
fn processor_groups_count_from_windows_7_on() {
    fn second_group(list: sys::WDFIORESREQLIST) {
        let list = c!(WdfIoResourceRequirementsListGetIoResList(list, 0));
        each(list, |_, index, mut descriptor| {
            descriptor.Flags |= sys::CM_RESOURCE_INTERRUPT_POLICY_INCLUDED as u16;
            descriptor.u.Interrupt.AffinityPolicy = 4 | 1 << 16;
            descriptor.u.Interrupt.TargetedProcessors = 0b110;
            c!(WdfIoResourceListUpdateDescriptor(
                list,
                &raw mut descriptor,
                index
            ));
        });
    }
    let every: Vec<u32> = (0..64).collect();
    for (os, group_size, expected, broken) in [
        (Os::VistaSp1, 64, &*every, 1),
        (Os::Win7, 64, &[65, 66], 0),
        (Os::Win7, 48, &[49, 50], 0),
    ] {
        let config = Config {
            os,
            processors: 96,
            group_size,
            ..Config::default()
        };
        let script = Script {
            interrupts: 1,
            filter_add: Some(second_group),
            ..Script::default()
        };
        let (kernel, driver, script) = boot_with(config, 387, script);
        let id = kernel.add_device(driver, device(&script, 1)).unwrap();
        assert_eq!(targets(&kernel, id), [expected]);
        // The one message; the line behind it has the same policy, and is not looked at.
        let named = kernel.take_violations(&pnp::violation::POLICY);
        assert_eq!(named.len(), broken, "{named:?}");
        end(kernel, driver, id);
    }
}

#[test]
fn processors_that_do_not_exist_are_named() {
    let (kernel, driver, _, id) = started(
        Script {
            interrupts: 2,
            policies: vec![1 << 9, 0b1_0010],
            ..Script::default()
        },
        2,
    );
    assert_eq!(targets(&kernel, id), [vec![0, 1, 2, 3], vec![1]]);
    assert_eq!(kernel.take_violations(&pnp::violation::PROCESSORS).len(), 1);
    end(kernel, driver, id);
}
