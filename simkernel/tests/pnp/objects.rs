//! Handles, leaks, refused allocations, contexts.

use std::ptr;
use std::sync::Mutex;

use nmr_netdma::sys;
use simkernel::{Config, Kernel, Leak, Os, wdf};

use super::driver::*;
use super::machine::*;

#[test]
fn wrong_handles_are_named_and_followed_by_nothing() {
    fn misuse(device: sys::WDFDEVICE, interrupts: &[sys::WDFINTERRUPT]) {
        assert!(c!(WdfInterruptGetDevice(device.cast())).is_null());
        assert!(c!(WdfInterruptGetDevice(ptr::null_mut())).is_null());
        assert!(c!(WdfDeviceGetDriver(ptr::without_provenance_mut(0x1234))).is_null());
        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfSpinLockCreate(ptr::null_mut(), &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        c!(WdfObjectDelete(lock.cast()));
        c!(WdfSpinLockAcquire(lock));
        c!(WdfObjectDelete(interrupts[0].cast()));
        c!(WdfObjectDereferenceActual(
            device.cast(),
            ptr::null_mut(),
            0,
            ptr::null()
        ));
        assert!(c!(WdfObjectContextGetObject(device.cast())).is_null());
    }
    let (kernel, driver, _, id) = started(
        Script {
            interrupts: 1,
            added: Some(misuse),
            ..Script::default()
        },
        1,
    );
    let handles = kernel.take_violations(&wdf::violation::HANDLE);
    let said = |index: usize, what: &str| {
        let detail = &handles[index].detail;
        assert!(detail.contains(what), "{detail}");
    };
    assert_eq!(handles.len(), 3);
    said(
        0,
        "WdfInterruptGetDevice: wants a WDFINTERRUPT, got WDFDEVICE of engine",
    );
    said(1, "WdfDeviceGetDriver: 0x1234 is no WDFDEVICE");
    said(2, "WdfSpinLockAcquire: 0x");
    said(
        2,
        "was a WDFSPINLOCK of sample, which is gone, in EvtDriverDeviceAdd of engine",
    );
    assert_eq!(kernel.take_violations(&wdf::violation::NULL).len(), 1);
    assert_eq!(kernel.take_violations(&wdf::violation::DELETE).len(), 1);
    assert_eq!(kernel.take_violations(&wdf::violation::REFERENCE).len(), 1);
    assert_eq!(kernel.take_violations(&wdf::violation::CONTEXT).len(), 1);
    end(kernel, driver, id);
}

#[test]
fn a_leaked_object_is_named() {
    fn leak(device: sys::WDFDEVICE, _interrupts: &[sys::WDFINTERRUPT]) {
        let mut attributes = attributes();
        attributes.ParentObject = device.cast();
        let mut lock = ptr::null_mut();
        assert_eq!(
            c!(WdfSpinLockCreate(&raw mut attributes, &raw mut lock)),
            sys::STATUS_SUCCESS
        );
        c!(WdfObjectReferenceActual(
            lock.cast(),
            ptr::null_mut(),
            0,
            ptr::null()
        ));
    }
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(leak),
            ..Script::default()
        },
        1,
    );
    kernel.remove_device(id).unwrap();
    kernel.unload_driver(driver).unwrap();
    let violations = kernel.take_violations(&wdf::violation::OUTLIVES);
    assert_eq!(violations.len(), 1);
    let verdict = kernel.shutdown();
    let leaks: Vec<&Leak> = verdict
        .leaks
        .iter()
        .filter(|leak| leak.kind == "framework object")
        .collect();
    assert_eq!(leaks.len(), 1, "{verdict}");
    assert!(
        leaks[0].detail.contains("WDFSPINLOCK of sample"),
        "{verdict}"
    );
}

#[test]
fn a_device_and_a_driver_that_are_left_are_named() {
    let (kernel, driver, script) = boot(
        Os::Win7,
        Script {
            interrupts: 1,
            ..Script::default()
        },
    );
    kernel.add_device(driver, device(&script, 1)).unwrap();
    assert_eq!(kernel.unload_driver(driver), Err(sys::STATUS_DEVICE_BUSY));
    let verdict = kernel.shutdown();
    let found = |kind: &str, what: &str| {
        verdict
            .leaks
            .iter()
            .any(|leak| leak.kind == kind && leak.detail.contains(what))
    };
    assert!(found("device", "engine of sample, Started"), "{verdict}");
    assert!(found("driver", "sample"), "{verdict}");
    assert!(
        found("framework object", "WDFINTERRUPT of engine"),
        "{verdict}"
    );
}

#[test]
fn an_entry_that_fails_leaves_nothing() {
    SCRIPT.take();
    let kernel = Kernel::boot(Config::default());
    assert_eq!(
        kernel.load_driver("sample", failing_entry),
        Err(sys::STATUS_NO_MEMORY)
    );
    finish(kernel);
}

#[test]
fn a_refused_allocation_is_a_status_and_leaves_nothing() {
    let mut attempt = 1;
    loop {
        let (kernel, driver, script) = boot(
            Os::Win7,
            Script {
                interrupts: 1,
                ..Script::default()
            },
        );
        let before = kernel.failed_allocations();
        kernel.fail_allocation(Some(attempt));
        let result = kernel.add_device(driver, device(&script, 1));
        let failed = kernel.failed_allocations() > before;
        kernel.fail_allocation(None);
        if let Ok(id) = result {
            kernel.remove_device(id).unwrap();
        } else {
            assert_eq!(
                result,
                Err(sys::STATUS_INSUFFICIENT_RESOURCES),
                "allocation {attempt}"
            );
        }
        kernel.unload_driver(driver).unwrap();
        finish(kernel);
        if !failed {
            break;
        }
        attempt += 1;
    }
    assert!(
        attempt > 4,
        "the framework allocates for each object: {attempt}"
    );
}

#[test]
fn contexts_are_found_by_the_address_of_their_type() {
    static ORDER: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    unsafe extern "C" fn parent_cleanup(_object: sys::WDFOBJECT) {
        ORDER.lock().unwrap().push("parent cleanup");
    }
    unsafe extern "C" fn parent_destroy(_object: sys::WDFOBJECT) {
        ORDER.lock().unwrap().push("parent destroy");
    }
    unsafe extern "C" fn child_cleanup(_object: sys::WDFOBJECT) {
        ORDER.lock().unwrap().push("child cleanup");
    }
    unsafe extern "C" fn child_destroy(object: sys::WDFOBJECT) {
        assert!(!c!(WdfObjectGetTypedContextWorker(object, &raw const OTHER.0)).is_null());
        ORDER.lock().unwrap().push("child destroy");
    }
    fn use_contexts(device: sys::WDFDEVICE, _interrupts: &[sys::WDFINTERRUPT]) {
        let mut attributes = attributes();
        attributes.ParentObject = device.cast();
        attributes.EvtCleanupCallback = Some(parent_cleanup);
        attributes.EvtDestroyCallback = Some(parent_destroy);
        let mut parent = ptr::null_mut();
        assert_eq!(
            c!(WdfObjectCreate(&raw mut attributes, &raw mut parent)),
            sys::STATUS_SUCCESS
        );
        assert!(c!(WdfObjectGetTypedContextWorker(parent, &raw const OTHER.0)).is_null());

        attributes.ParentObject = parent;
        attributes.ContextTypeInfo = &raw const OTHER.0;
        attributes.EvtCleanupCallback = Some(child_cleanup);
        attributes.EvtDestroyCallback = Some(child_destroy);
        let mut child = ptr::null_mut();
        assert_eq!(
            c!(WdfObjectCreate(&raw mut attributes, &raw mut child)),
            sys::STATUS_SUCCESS
        );
        let memory = c!(WdfObjectGetTypedContextWorker(child, &raw const OTHER.0));
        assert_eq!(c!(WdfObjectContextGetObject(memory)), child);

        attributes.ParentObject = ptr::null_mut();
        let mut again = ptr::null_mut();
        let status = c!(WdfObjectAllocateContext(
            child,
            &raw mut attributes,
            &raw mut again
        ));
        assert_eq!((status, again), (sys::STATUS_OBJECT_NAME_EXISTS, memory));
        attributes.ContextTypeInfo = ptr::null();
        let status = c!(WdfObjectAllocateContext(
            child,
            &raw mut attributes,
            &raw mut again
        ));
        assert_eq!(status, sys::STATUS_OBJECT_NAME_INVALID);

        attributes.Size = 55;
        let status = c!(WdfObjectCreate(&raw mut attributes, &raw mut child));
        assert_eq!(status, sys::STATUS_INFO_LENGTH_MISMATCH);
        c!(WdfObjectDelete(parent));
    }
    let (kernel, driver, _, id) = started(
        Script {
            added: Some(use_contexts),
            ..Script::default()
        },
        1,
    );
    let expected = [
        "child cleanup",
        "parent cleanup",
        "child destroy",
        "parent destroy",
    ];
    assert_eq!(*ORDER.lock().unwrap(), expected);
    end(kernel, driver, id);
}
