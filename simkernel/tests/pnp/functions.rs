//! Binding to the framework, and its functions.

use std::cell::RefCell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_netdma::sys;
use simkernel::{Config, Kernel, Os, wdf};

use super::driver::*;
use super::machine::*;

fn extended_policy(_device: sys::WDFDEVICE, interrupts: &[sys::WDFINTERRUPT]) {
    let mut policy = sys::WDF_INTERRUPT_EXTENDED_POLICY {
        Size: 32,
        Policy: sys::_WDF_INTERRUPT_POLICY::WdfIrqPolicySpecifiedProcessors,
        Priority: sys::_WDF_INTERRUPT_PRIORITY::WdfIrqPriorityNormal,
        TargetProcessorSetAndGroup: sys::GROUP_AFFINITY {
            Mask: 1,
            Group: 1,
            Reserved: [0; 3],
        },
    };
    c!(WdfInterruptSetExtendedPolicy(
        interrupts[0],
        &raw mut policy
    ));
}

#[test]
fn a_driver_calls_only_what_it_is_bound_with() {
    for (functions, expected, broken) in [(387, 0..64, 1), (396, 64..65, 0)] {
        let config = Config {
            processors: 96,
            ..Config::default()
        };
        let script = Script {
            interrupts: 1,
            added: Some(extended_policy),
            ..Script::default()
        };
        let (kernel, driver, script) = boot_with(config, functions, script);
        let id = kernel.add_device(driver, device(&script, 1)).unwrap();
        assert_eq!(targets(&kernel, id), [expected.collect::<Vec<u32>>()]);
        assert_eq!(kernel.take_violations(&wdf::violation::SLOT).len(), broken);
        end(kernel, driver, id);
    }
}

#[test]
fn a_function_that_is_not_simulated_says_its_name() {
    let added: fn(sys::WDFDEVICE, &[sys::WDFINTERRUPT]) = |device, _| {
        let status = c!(WdfDeviceCreateSymbolicLink(device, ptr::null()));
        assert_eq!(status, sys::STATUS_NOT_IMPLEMENTED);
        assert!(c!(WdfDeviceGetDefaultQueue(device)).is_null());
    };
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(added),
            ..Script::default()
        },
        1,
    );
    let violations = kernel.take_violations(&wdf::violation::NOT_SIMULATED);
    assert_eq!(violations.len(), 2);
    assert!(
        violations[0].detail.contains("WdfDeviceCreateSymbolicLink"),
        "{}",
        violations[0].detail
    );
    end(kernel, driver, id);
}

#[test]
fn binding_takes_released_counts_that_the_system_has() {
    static CASES: [(Os, &[(u32, bool)]); 3] = [
        (
            Os::VistaSp1,
            &[(387, true), (386, true), (388, false), (396, false)],
        ),
        (
            Os::Win7,
            &[(387, true), (396, true), (432, false), (458, false)],
        ),
        (
            Os::Win10,
            &[
                (387, true),
                (438, true),
                (443, false),
                (444, true),
                (458, true),
                (459, false),
            ],
        ),
    ];
    static BOUND: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static COUNTS: RefCell<&'static [(u32, bool)]> = const { RefCell::new(&[]) };
    }
    unsafe extern "system" fn bind_entry(
        object: *mut sys::DRIVER_OBJECT,
        path: *const sys::UNICODE_STRING,
    ) -> sys::NTSTATUS {
        for (count, fine) in COUNTS.with_borrow(|counts| *counts) {
            let mut table: Vec<sys::WDFFUNC> = vec![None; *count as usize + 1];
            let mut info = sys::WDF_BIND_INFO {
                Size: 48,
                FuncCount: *count,
                FuncTable: table.as_mut_ptr(),
                ..Default::default()
            };
            let mut globals = ptr::null_mut();
            let status = c!(WdfVersionBind(
                object,
                path.cast_mut(),
                &raw mut info,
                &raw mut globals
            ));
            assert_eq!(sys::NT_SUCCESS(status), *fine, "{count} functions");
            if !fine {
                assert_eq!(status, sys::STATUS_INVALID_PARAMETER);
                continue;
            }
            let filled = table.iter().filter(|function| function.is_some()).count();
            let form = if *count <= 438 { *count as usize } else { 1 };
            assert_eq!(filled, form, "{count} functions");
            assert_eq!(
                c!(WdfVersionUnbind(path.cast_mut(), &raw mut info, globals)),
                sys::STATUS_SUCCESS
            );
            BOUND.fetch_add(1, Ordering::Relaxed);
        }
        sys::STATUS_NO_MEMORY
    }
    for (os, counts) in CASES {
        COUNTS.set(counts);
        let kernel = Kernel::boot(Config {
            os,
            ..Config::default()
        });
        assert_eq!(
            kernel.load_driver("stub", bind_entry),
            Err(sys::STATUS_NO_MEMORY)
        );
        finish(kernel);
    }
    assert_eq!(BOUND.load(Ordering::Relaxed), 8);
}
