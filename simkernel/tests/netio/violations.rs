//! Each rule that a module can break, broken: that the report has that rule's name and no other, and says who and where.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock};
use std::time::Duration;

use nmr_netdma::sys::*;
use simkernel::netio::{LevelChoice, violation};
use simkernel::{Config, Kernel};

use crate::hanging::first_line_of;
use crate::module::*;

/// How the report calls the modules that the tests call `c` and `p`, and their interface.
const CLIENT: &str = "client 00000063-0000-0000-0000-000000000000/7";
const PROVIDER: &str = "provider 00000070-0000-0000-0000-000000000000/7";
const INTERFACE: &str = "interface 00000001-0000-0000-0000-000000000000";

const HIGH: u8 = 15;

/// Gives a module another GUID.
fn rename(module: &Module) {
    // SAFETY: the module's own memory, which nobody reads now.
    let guid = unsafe { &raw mut (*module.id).u }.cast::<GUID>();
    // SAFETY: as above; the identifier is a GUID.
    unsafe { (*guid).Data4[7] = 1 };
}

fn says(detail: &str, texts: &[&str]) {
    for text in texts {
        assert!(detail.contains(text), "no {text:?} in: {detail}");
    }
}

// Wrong registrations.

#[test]
fn rule_01_wrong_sizes_are_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let wrong: [Module; 4] = [
        Module::client("c", &log).edit_client(|client| client.Version = 7),
        Module::client("c", &log).edit_client(|client| client.Length = 80),
        Module::client("c", &log).edit_client(|client| client.ClientRegistrationInstance.Size = 0),
        Module::client("c", &log).edit_id(|id| id.Length = 16),
    ];
    for client in &wrong {
        assert_eq!(client.register(), STATUS_SUCCESS);
        broken(&kernel, &violation::SIZES, 1);
        client.end();
    }
    // Nothing is read of characteristics that are too short, and nothing registered.
    for length in [0, 4, 71] {
        let client = Module::client("c", &log).edit_client(|client| {
            client.Length = length;
            client.ClientRegistrationInstance.NpiId = std::ptr::without_provenance(8);
        });
        assert_eq!(client.register(), STATUS_INVALID_PARAMETER);
        let detail = broken(&kernel, &violation::SIZES, 1);
        says(
            &detail,
            &[&format!("Length of the characteristics is {length}")],
        );
    }
    // The version of the instance is the modules' own business.
    let client = Module::client("c", &log)
        .edit_client(|client| client.ClientRegistrationInstance.Version = 1);
    client.register();
    client.end();
    finish(kernel);
}

#[test]
fn rule_01_incomplete_registrations_are_refused() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let wrong: [Module; 3] = [
        Module::client("c", &log).edit_client(|client| client.ClientAttachProvider = None),
        Module::client("c", &log).edit_client(|client| client.ClientDetachProvider = None),
        Module::client("c", &log)
            .edit_client(|client| client.ClientRegistrationInstance.NpiId = null()),
    ];
    for client in &wrong {
        assert_eq!(client.register(), STATUS_INVALID_PARAMETER);
        broken(&kernel, &violation::INCOMPLETE, 1);
    }
    // Nothing needs the module id, so peers can be shown a NULL one.
    let client = Module::client("c", &log)
        .edit_client(|client| client.ClientRegistrationInstance.ModuleId = null());
    assert_eq!(client.register(), STATUS_SUCCESS);
    broken(&kernel, &violation::INCOMPLETE, 1);
    client.end();
    let mut handle = null_mut();
    // SAFETY: the handle is this frame's; NULL characteristics are the test.
    let status = unsafe { NmrRegisterClient(null(), null_mut(), &raw mut handle) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::INCOMPLETE, 1);
    finish(kernel);
}

#[test]
fn rule_02_a_changed_registration_is_flagged_once() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    client.register();
    // SAFETY: the module's own memory, which nobody reads now.
    unsafe { (*client.client).ClientRegistrationInstance.Number = 8 };
    assert_eq!(client.deregister(), STATUS_PENDING);
    let detail = broken(&kernel, &violation::CHANGED, 1);
    assert!(
        detail.contains("/7") && detail.contains("deregistered"),
        "{detail}"
    );
    assert_eq!(client.wait(), STATUS_SUCCESS);

    provider.register();
    let client = Module::client("c", &log);
    client.register();
    // SAFETY: the module's own memory, which nobody reads now.
    unsafe { client.interface.write(guid(99)) };
    let second = Module::provider("second", &log);
    second.register();
    let detail = broken(&kernel, &violation::CHANGED, 1);
    assert!(
        detail.contains("when a provider was proposed to it"),
        "{detail}"
    );
    client.end();
    provider.end();
    second.end();

    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    rename(&provider);
    client.register();
    let detail = broken(&kernel, &violation::CHANGED, 1);
    assert!(
        detail.contains("when it was proposed to a client"),
        "{detail}"
    );
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_02_a_change_of_anything_is_flagged() {
    type Change = fn(&Module);

    let changes: [Change; 8] = [
        // SAFETY: here and below the module's own memory, which nobody reads now.
        |module| unsafe { (*module.client).ClientCleanupBindingContext = None },
        // SAFETY: as above.
        |module| unsafe { (*module.client).ClientRegistrationInstance.Version = 1 },
        // SAFETY: as above.
        |module| unsafe { (*module.client).ClientRegistrationInstance.Number = 8 },
        |module| {
            let elsewhere = std::ptr::without_provenance(8);
            // SAFETY: as above.
            unsafe {
                (*module.client)
                    .ClientRegistrationInstance
                    .NpiSpecificCharacteristics = elsewhere;
            }
        },
        // SAFETY: as above.
        |module| unsafe { (*module.interface).Data1 = 99 },
        // SAFETY: as above.
        |module| unsafe { (*module.interface).Data4[7] = 1 },
        // SAFETY: as above.
        |module| unsafe { (*module.id).Type = MIT_IF_LUID },
        rename,
    ];
    let kernel = plain();
    let log = Arc::new(Log::default());
    for (number, change) in changes.iter().enumerate() {
        let client = Module::client("c", &log);
        client.register();
        change(&client);
        assert_eq!(client.deregister(), STATUS_PENDING);
        let reports = kernel.take_violations(&violation::CHANGED);
        assert_eq!(reports.len(), 1, "change {number}: {reports:?}");
        assert_eq!(client.wait(), STATUS_SUCCESS);
    }
    finish(kernel);
}

// Wrong attaches.

#[test]
fn rule_14_an_attach_outside_the_callback_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    provider.register();
    client.register();
    let (status, context, _) = client.attach_provider(client.binding());
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    assert_ne!(context, provider.context());
    broken(&kernel, &violation::ATTACH_OUTSIDE, 1);
    client.end();
    client.attach_provider(client.binding());
    broken(&kernel, &violation::ATTACH_OUTSIDE, 1);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_14_an_attach_on_another_thread_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    // The client's callback returns when the other thread has tried and failed.
    let turn = Arc::new(Barrier::new(2));
    let callback_turn = Arc::clone(&turn);
    let client = Module::client("c", &log).on_attach(move |_, _| {
        callback_turn.wait();
        callback_turn.wait();
        STATUS_NOINTERFACE
    });
    let provider = Module::provider("p", &log);
    provider.register();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            turn.wait();
            let (status, ..) = client.attach_provider(client.binding());
            assert_eq!(status, STATUS_INVALID_PARAMETER);
            turn.wait();
        });
        client.register();
    });
    broken(&kernel, &violation::ATTACH_OUTSIDE, 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_14_an_attach_of_a_binding_that_another_thread_is_asked_about_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let turn = Arc::new(Barrier::new(2));
    let callback_turn = Arc::clone(&turn);
    let asked = Arc::new(Module::client("c", &log).on_attach(move |_, _| {
        callback_turn.wait();
        callback_turn.wait();
        STATUS_NOINTERFACE
    }));
    let theirs = Arc::clone(&asked);
    // In an attach callback itself, but of its own binding.
    let meddling = Module::client("d", &log).on_attach(move |_, _| {
        let (status, ..) = theirs.attach_provider(theirs.binding());
        assert_eq!(status, STATUS_INVALID_PARAMETER);
        STATUS_NOINTERFACE
    });
    let provider = Module::provider("p", &log);
    provider.register();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            turn.wait();
            meddling.register();
            turn.wait();
        });
        asked.register();
    });
    broken(&kernel, &violation::ATTACH_OUTSIDE, 1);
    meddling.end();
    asked.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_16_an_attach_after_a_success_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        let status = module.attach_provider(binding).0;
        assert_eq!(module.attach_provider(binding).0, STATUS_INVALID_PARAMETER);
        status
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_TWICE, 1);
    client.end();
    provider.end();
    assert_eq!(
        log.texts(),
        [
            "attach c",
            "attach p",
            "detach c",
            "detach p",
            "cleanup c",
            "cleanup p"
        ]
    );
    finish(kernel);
}

#[test]
fn rule_15_failure_after_a_success_is_flagged_and_the_provider_is_told() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        module.attach_provider(binding);
        STATUS_NOINTERFACE
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    let detail = broken(&kernel, &violation::ATTACH_ANSWER, 1);
    assert!(
        detail.contains("STATUS_NOINTERFACE") && detail.contains("STATUS_SUCCESS"),
        "{detail}"
    );
    assert_eq!(
        log.texts(),
        ["attach c", "attach p", "detach p", "cleanup p"]
    );
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_15_a_client_that_fails_late_may_be_cleaned_up_early() {
    for seed in 0..8 {
        let kernel = Kernel::boot(Config {
            seed,
            ..Config::default()
        });
        kernel.nmr().early_cleanup(true);
        let log = Arc::new(Log::default());
        let client = Module::client("c", &log).on_attach(|module, binding| {
            module.attach_provider(binding);
            STATUS_NOINTERFACE
        });
        let provider = Module::provider("p", &log).on_detach(|module| {
            module.complete(module.binding());
            STATUS_PENDING
        });
        provider.register();
        client.register();
        broken(&kernel, &violation::ATTACH_ANSWER, 1);
        let expected = ["attach c", "attach p", "detach p", "cleanup p"];
        assert_eq!(log.texts(), expected);
        client.end();
        provider.end();
        finish(kernel);
    }
}

#[test]
fn rule_15_success_without_an_accepted_attach_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let plans: [fn(&Module, HANDLE) -> NTSTATUS; 2] = [
        |_, _| STATUS_SUCCESS,
        |module, binding| {
            module.attach_provider(binding);
            STATUS_SUCCESS
        },
    ];
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    provider.register();
    for plan in plans {
        let client = Module::client("c", &log).on_attach(plan);
        client.register();
        broken(&kernel, &violation::ATTACH_ANSWER, 1);
        assert_eq!(kernel.nmr().bindings(), 0);
        client.end();
    }
    provider.end();
    finish(kernel);
}

#[test]
fn rule_15_another_failure_than_the_one_handed_out_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        module.attach_provider(binding);
        STATUS_UNSUCCESSFUL
    });
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_NOINTERFACE);
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_ANSWER, 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_21_another_success_code_attaches_and_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_attach(|_, _| STATUS_PENDING);
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_STATUS, 1);
    assert_eq!(kernel.nmr().bindings(), 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_19_accepting_without_results_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    for without in [
        ACCEPT_WITHOUT_RESULTS,
        ACCEPT_WITHOUT_CONTEXT,
        ACCEPT_WITHOUT_TABLE,
    ] {
        let provider = Module::provider("p", &log).on_attach(move |_, _| without);
        // Its context may be poison then, so nobody may look behind it.
        // SAFETY: the module's own memory, before it is registered.
        let characteristics = unsafe { &mut *provider.provider };
        characteristics.ProviderDetachClient = Some(detach_nothing);
        characteristics.ProviderCleanupBindingContext = None;
        provider.register();
        client.register();
        broken(&kernel, &violation::ATTACH_OUTPUT, 1);
        client.end();
        provider.end();
    }
    finish(kernel);
}

unsafe extern "system" fn detach_nothing(_context: PVOID) -> NTSTATUS {
    STATUS_SUCCESS
}

// Wrong handles, waits and ends.

#[test]
fn rule_38_handles_of_the_wrong_kind_are_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.complete(client.handle());
    let detail = broken(&kernel, &violation::HANDLE_KIND, 1);
    assert!(
        detail.contains("takes a binding") && detail.contains("the registration of client"),
        "{detail}"
    );
    // SAFETY: any value is a safe handle here.
    let status = unsafe { NmrDeregisterProvider(client.handle()) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::HANDLE_KIND, 1);
    // SAFETY: as above.
    let status = unsafe { NmrWaitForClientDeregisterComplete(client.binding()) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::HANDLE_KIND, 1);
    client.deregister();
    client.complete(client.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_13_and_45_handles_that_never_were_are_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    client.register();
    for bad in [0, 8, 0x9FFF_FFFF_FFFF_FFFF] {
        let bad: HANDLE = std::ptr::without_provenance_mut(bad);
        // SAFETY: any value is a safe handle here.
        let status = unsafe { NmrDeregisterClient(bad) };
        assert_eq!(status, STATUS_INVALID_PARAMETER);
        broken(&kernel, &violation::HANDLE_NOT_GIVEN, 1);
        // SAFETY: as above.
        let status = unsafe { NmrWaitForClientDeregisterComplete(bad) };
        assert_eq!(status, STATUS_INVALID_PARAMETER);
        broken(&kernel, &violation::WAIT_BEFORE_DEREGISTER, 1);
    }
    // SAFETY: as above.
    unsafe { NmrClientDetachProviderComplete(null_mut()) };
    broken(&kernel, &violation::HANDLE_KIND, 1);
    client.end();
    finish(kernel);
}

#[test]
fn rule_12_a_handle_used_before_registering_returned_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, _| {
        assert_eq!(module.deregister(), STATUS_INVALID_PARAMETER);
        STATUS_NOINTERFACE
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register_in_place();
    let detail = broken(&kernel, &violation::HANDLE_EARLY, 1);
    says(
        &detail,
        &[
            "NmrDeregisterClient",
            "ClientAttachProvider of client",
            CLIENT,
            PROVIDER,
            INTERFACE,
        ],
    );
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_49_a_handle_used_after_its_end_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    client.register();
    let stale = client.handle();
    client.end();
    // Its place is taken again, its generation not.
    client.register();
    assert_ne!(client.handle(), stale);
    // SAFETY: any value is a safe handle here.
    let status = unsafe { NmrDeregisterClient(stale) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    let detail = broken(&kernel, &violation::USED_AFTER_END, 1);
    says(&detail, &["before that, at", "deregistered"]);
    // SAFETY: as above.
    let status = unsafe { NmrWaitForClientDeregisterComplete(stale) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::USED_AFTER_END, 1);
    client.end();
    finish(kernel);
}

#[test]
fn rule_36_a_completion_after_the_cleanup_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    provider.complete(provider.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.complete(provider.binding());
    let detail = broken(&kernel, &violation::COMPLETED_AFTER_CLEANUP, 1);
    says(
        &detail,
        &[
            "NmrProviderDetachClientComplete",
            "a binding that is gone",
            "before that, at",
            CLIENT,
            PROVIDER,
        ],
    );
    provider.end();
    finish(kernel);
}

#[test]
#[cfg_attr(
    any(miri, sanitizer),
    ignore = "pool remembers nothing, the tool finds the use"
)]
fn rule_03_a_registration_context_freed_too_early_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let block = pool_block();
    client.register_with(block);
    free(block);
    assert_eq!(client.deregister(), STATUS_PENDING);
    let detail = broken(&kernel, &violation::CONTEXT_FREED, 1);
    says(&detail, &["when it was deregistered", CLIENT, INTERFACE]);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    finish(kernel);
}

#[test]
#[cfg_attr(
    any(miri, sanitizer),
    ignore = "pool remembers nothing, the tool finds the use"
)]
fn rule_18_a_binding_context_freed_too_early_is_named_and_not_cleaned_up() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log)
        .on_attach(|module, binding| module.attach_with(binding, pool_block(), null()))
        .edit_client(|client| {
            client.ClientDetachProvider = Some(detach_anything);
            client.ClientCleanupBindingContext = Some(never_clean_up);
        });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    free(client.last_context());
    provider.end();
    let detail = broken(&kernel, &violation::BINDING_CONTEXT_FREED, 1);
    says(
        &detail,
        &["binding context of client", CLIENT, PROVIDER, INTERFACE],
    );
    assert_eq!(
        log.texts(),
        ["attach c", "attach p", "detach p", "cleanup p"]
    );
    client.end();
    finish(kernel);
}

#[test]
#[cfg_attr(
    any(miri, sanitizer),
    ignore = "pool remembers nothing, the tool finds the use"
)]
fn rule_20_a_dispatch_table_freed_too_early_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let table = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&table);
    let client = Module::client("c", &log).on_attach(move |module, binding| {
        let block = pool_block();
        shared.store(block.addr(), Ordering::SeqCst);
        module.attach_with(binding, module.context(), block)
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    free(std::ptr::without_provenance_mut(
        table.load(Ordering::SeqCst),
    ));
    client.end();
    let detail = broken(&kernel, &violation::TABLE_FREED, 1);
    says(
        &detail,
        &["dispatch table of client", CLIENT, PROVIDER, INTERFACE],
    );
    provider.end();
    finish(kernel);
}

#[test]
fn rule_39_an_allocation_in_a_detach_or_cleanup_callback_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| {
        free(pool_block());
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log).on_cleanup(|_| free(pool_block()));
    provider.register();
    client.register();
    client.end();
    let reports = kernel.take_violations(&violation::ALLOCATION_IN_DETACH);
    let [detach, cleanup] = &reports[..] else {
        panic!("{reports:?}");
    };
    let function = "ExAllocatePoolWithTag";
    says(
        &detach.detail,
        &[
            function,
            "ClientDetachProvider",
            CLIENT,
            PROVIDER,
            INTERFACE,
        ],
    );
    says(
        &cleanup.detail,
        &[function, "ProviderCleanupBindingContext", CLIENT, PROVIDER],
    );
    provider.end();
    finish(kernel);
}

static LEFT: OnceLock<Module> = OnceLock::new();

unsafe extern "system" fn careless_entry(
    driver: *mut DRIVER_OBJECT,
    _path: *const UNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the loader passes a driver object, and nobody else uses it meanwhile.
    unsafe { (*driver).DriverUnload = Some(careless_unload) };
    LEFT.get().map_or(STATUS_UNSUCCESSFUL, Module::register)
}

unsafe extern "C" fn careless_unload(_driver: *mut DRIVER_OBJECT) {}

#[test]
fn rule_47_a_driver_unloaded_before_its_deregistration_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let provider = Module::provider("p", &log);
    provider.register();
    let left = LEFT.get_or_init(|| Module::client("c", &log));
    let driver = kernel
        .load_driver("careless", careless_entry)
        .expect("it loads");
    assert_eq!(kernel.unload_driver(driver), Ok(()));
    let detail = broken(&kernel, &violation::UNLOADED, 1);
    says(
        &detail,
        &[
            "the driver careless is gone",
            "registered",
            CLIENT,
            PROVIDER,
            INTERFACE,
            "attached",
        ],
    );
    left.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_45_a_wait_without_a_deregistration_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    client.register();
    assert_eq!(client.wait(), STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::WAIT_BEFORE_DEREGISTER, 1);
    provider.register();
    assert_eq!(client.wait(), STATUS_INVALID_PARAMETER);
    broken(&kernel, &violation::WAIT_BEFORE_DEREGISTER, 1);
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_49_a_second_deregistration_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    client.register();
    client.deregister();
    assert_eq!(client.deregister(), STATUS_INVALID_PARAMETER);
    let detail = broken(&kernel, &violation::DEREGISTERED_TWICE, 1);
    says(
        &detail,
        &[CLIENT, INTERFACE, "before that, at", "is deregistering"],
    );
    assert_eq!(client.wait(), STATUS_SUCCESS);
    finish(kernel);
}

#[test]
fn rule_48_a_wait_inside_the_callback_it_waits_for_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let provider = Arc::new(Module::provider("p", &log));
    let waited_for = Arc::clone(&provider);
    // The provider's deregistration waits for the client's callback as well.
    let client = Module::client("c", &log).on_detach(move |_| {
        assert_ne!(waited_for.wait(), STATUS_SUCCESS);
        STATUS_SUCCESS
    });
    provider.register();
    client.register();
    assert_eq!(provider.deregister(), STATUS_PENDING);
    let detail = broken(&kernel, &violation::WAIT_IN_CALLBACK, 1);
    assert!(
        detail.contains("for provider ")
            && detail.contains("inside ClientDetachProvider of client "),
        "{detail}"
    );
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    client.end();
    finish(kernel);
}

#[test]
fn rule_29_a_stuck_deregistration_says_who_holds_what_and_goes_on() {
    let kernel = plain();
    kernel.nmr().patience(Duration::from_millis(20));
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    assert_eq!(client.deregister(), STATUS_PENDING);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = kernel.enter(1);
            while kernel.violations().is_empty() {
                std::thread::yield_now();
            }
            provider.complete(provider.binding());
        });
        assert_eq!(client.wait(), STATUS_SUCCESS);
    });
    let detail = broken(&kernel, &violation::STUCK, 1);
    assert!(
        detail.contains("provider answered STATUS_PENDING and has not completed"),
        "{detail}"
    );
    assert!(!detail.contains("client answered"), "{detail}");
    says(
        &detail,
        &[
            "NmrWaitForClientDeregisterComplete",
            CLIENT,
            PROVIDER,
            INTERFACE,
        ],
    );
    provider.end();
    finish(kernel);
}

#[test]
#[ignore = "does not end: what follows runs it, and ends it"]
fn a_wait_that_does_not_end() {
    let kernel = plain();
    kernel.nmr().patience(Duration::from_millis(1));
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    client.wait();
}

#[test]
#[cfg_attr(miri, ignore = "runs a process")]
fn a_wait_that_does_not_end_is_told_to_somebody_who_watches() {
    let told = first_line_of("violations::a_wait_that_does_not_end");
    says(&told, &["still waits", CLIENT, PROVIDER, INTERFACE]);
}

#[test]
fn rule_47_what_is_left_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let (client, provider) = (Module::client("c", &log), Module::provider("p", &log));
    let unwaited = Module::new(Role::Client, "unwaited", &log, 5);
    provider.register();
    client.register();
    unwaited.register();
    unwaited.deregister();
    let verdict = kernel.shutdown();
    let mut leaks: Vec<_> = verdict.leaks.iter().map(ToString::to_string).collect();
    leaks.sort();
    assert_eq!(leaks.len(), 4, "{verdict}");
    assert!(
        leaks[0].starts_with("leaked nmr binding: client 00000063-"),
        "{verdict}"
    );
    assert!(
        leaks[0].contains(" with provider 00000070-") && leaks[0].ends_with("attached"),
        "{verdict}"
    );
    let registered = "interface 00000001-0000-0000-0000-000000000000, never deregistered";
    assert_eq!(
        leaks[1],
        format!(
            "leaked nmr client registration: client 00000063-0000-0000-0000-000000000000/7, {registered}"
        )
    );
    assert!(
        leaks[2].ends_with("deregistered and never waited for"),
        "{verdict}"
    );
    assert_eq!(
        leaks[3],
        format!(
            "leaked nmr provider registration: provider 00000070-0000-0000-0000-000000000000/7, {registered}"
        )
    );
}

#[test]
fn rule_13_a_failed_registration_leaves_no_handle() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    kernel.nmr().fail_registration(Some(2));
    assert_eq!(client.register(), STATUS_SUCCESS);
    let first = client.handle();
    assert_eq!(client.register(), STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(client.deregister(), STATUS_INVALID_PARAMETER);
    let detail = broken(&kernel, &violation::HANDLE_NOT_GIVEN, 1);
    assert!(detail.contains("registering failed"), "{detail}");
    client.handle.store(first.addr(), Ordering::SeqCst);
    client.end();
    finish(kernel);
}

#[test]
fn rule_34_a_second_completion_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    client.complete(client.binding());
    client.complete(client.binding());
    let detail = broken(&kernel, &violation::COMPLETED_TWICE, 1);
    says(
        &detail,
        &[
            CLIENT,
            PROVIDER,
            INTERFACE,
            "before that, at",
            "completed its detach",
        ],
    );
    provider.complete(provider.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    finish(kernel);
}

/// Inside the detach callback, and before it where that is allowed: also there the second one is one too many.
#[test]
fn rule_34_a_second_completion_is_flagged_however_early() {
    let kernel = plain();
    kernel.nmr().compatibility(true);
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|module| {
        module.complete(module.binding());
        module.complete(module.binding());
        STATUS_PENDING
    });
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    provider.complete(provider.binding());
    provider.complete(provider.binding());
    let detail = broken(&kernel, &violation::COMPLETED_TWICE, 1);
    says(
        &detail,
        &["NmrProviderDetachClientComplete", "before that, at"],
    );
    client.deregister();
    let detail = broken(&kernel, &violation::COMPLETED_TWICE, 1);
    says(
        &detail,
        &[
            "NmrClientDetachProviderComplete",
            "in ClientDetachProvider of client",
        ],
    );
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_34_a_completion_after_success_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    client.deregister();
    client.complete(client.binding());
    let detail = broken(&kernel, &violation::COMPLETED_AFTER_SUCCESS, 1);
    says(
        &detail,
        &[
            CLIENT,
            PROVIDER,
            INTERFACE,
            "before that, at",
            "STATUS_SUCCESS",
        ],
    );
    provider.complete(provider.binding());
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.end();
    finish(kernel);
}

#[test]
fn rule_35_success_after_a_completion_inside_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|module| {
        module.complete(module.binding());
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    let detail = broken(&kernel, &violation::SUCCESS_AFTER_COMPLETION, 1);
    says(
        &detail,
        &[
            CLIENT,
            PROVIDER,
            INTERFACE,
            "before that, at",
            "in ClientDetachProvider of client",
        ],
    );
    provider.end();
    finish(kernel);
}

#[test]
fn rule_33_a_detach_that_fails_is_flagged() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_UNSUCCESSFUL);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    let detail = broken(&kernel, &violation::DETACH_STATUS, 1);
    assert!(
        detail.contains("ClientDetachProvider of client "),
        "{detail}"
    );
    provider.end();
    finish(kernel);
}

#[test]
fn rule_04_registering_and_attaching_above_passive_level_are_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let provider = Module::provider("p", &log);
    at_dispatch(|| provider.register());
    let detail = broken(&kernel, &violation::ATTACH_LEVEL, 1);
    says(&detail, &["NmrRegisterProvider at IRQL 2"]);
    let client = Module::client("c", &log)
        .on_attach(|module, binding| at_dispatch(|| module.attach_provider(binding).0));
    client.register();
    let detail = broken(&kernel, &violation::ATTACH_LEVEL, 1);
    let stack = "in ClientAttachProvider of client";
    says(
        &detail,
        &[
            "NmrClientAttachProvider at IRQL 2",
            CLIENT,
            PROVIDER,
            INTERFACE,
            stack,
        ],
    );
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_04_an_attach_callback_that_leaves_the_level_changed_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log);
    let provider = Module::provider("p", &log).on_attach(|_, _| {
        raise();
        STATUS_SUCCESS
    });
    provider.register();
    client.register();
    let detail = broken(&kernel, &violation::ATTACH_LEVEL, 1);
    says(
        &detail,
        &[
            "returned at IRQL 2",
            "ProviderAttachClient of provider",
            CLIENT,
            INTERFACE,
        ],
    );
    client.end();
    provider.end();
    finish(kernel);
}

#[test]
fn rule_05_ending_at_too_high_a_level_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| STATUS_PENDING);
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    at_level(HIGH, || client.deregister());
    let detail = broken(&kernel, &violation::DEREGISTER_LEVEL, 1);
    says(
        &detail,
        &["NmrDeregisterClient at IRQL 15", CLIENT, INTERFACE],
    );
    at_level(HIGH, || client.complete(client.binding()));
    let detail = broken(&kernel, &violation::DEREGISTER_LEVEL, 1);
    says(
        &detail,
        &[
            "NmrClientDetachProviderComplete",
            CLIENT,
            PROVIDER,
            INTERFACE,
        ],
    );
    at_dispatch(|| client.wait());
    let detail = broken(&kernel, &violation::DEREGISTER_LEVEL, 1);
    says(
        &detail,
        &[
            "NmrWaitForClientDeregisterComplete at IRQL 2",
            CLIENT,
            INTERFACE,
        ],
    );
    provider.end();
    finish(kernel);
}

#[test]
fn rule_06_what_a_detach_callback_may_not_do_at_dispatch_level_is_named() {
    let kernel = plain();
    kernel.nmr().detach_level(LevelChoice::Dispatch);
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| {
        sleep();
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log).on_cleanup(|_| sleep());
    provider.register();
    client.register();
    client.end();
    let reports = kernel.take_violations(&violation::CALLBACK_LEVEL);
    let [detach, cleanup] = &reports[..] else {
        panic!("{reports:?}");
    };
    let function = "KeDelayExecutionThread was called at IRQL 2";
    says(
        &detach.detail,
        &[
            function,
            "ClientDetachProvider",
            CLIENT,
            PROVIDER,
            INTERFACE,
        ],
    );
    says(
        &cleanup.detail,
        &[function, "ProviderCleanupBindingContext", CLIENT, PROVIDER],
    );
    provider.end();
    finish(kernel);
}

#[test]
fn rule_06_a_detach_callback_that_leaves_the_level_changed_is_named() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_detach(|_| {
        raise();
        STATUS_SUCCESS
    });
    let provider = Module::provider("p", &log);
    provider.register();
    client.register();
    client.end();
    provider.end();
    let detail = broken(&kernel, &violation::CALLBACK_LEVEL, 1);
    says(
        &detail,
        &[
            "ClientDetachProvider of client",
            CLIENT,
            PROVIDER,
            INTERFACE,
        ],
    );
    finish(kernel);
}

#[test]
fn rule_37_a_completion_before_the_detach_is_flagged_or_remembered() {
    for compatibility in [false, true] {
        let kernel = plain();
        kernel.nmr().compatibility(compatibility);
        let log = Arc::new(Log::default());
        let client = Module::client("c", &log);
        let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
        provider.register();
        client.register();
        provider.complete(provider.binding());
        if !compatibility {
            let detail = broken(&kernel, &violation::COMPLETED_BEFORE_DETACH, 1);
            assert!(
                detail.contains("client ") && detail.contains("provider "),
                "{detail}"
            );
        }
        client.end();
        provider.end();
        finish(kernel);
    }
}

#[test]
fn rule_37_who_refused_after_a_success_has_nothing_to_complete() {
    let kernel = plain();
    let log = Arc::new(Log::default());
    let client = Module::client("c", &log).on_attach(|module, binding| {
        module.attach_provider(binding);
        STATUS_NOINTERFACE
    });
    let provider = Module::provider("p", &log).on_detach(|_| STATUS_PENDING);
    provider.register();
    client.register();
    broken(&kernel, &violation::ATTACH_ANSWER, 1);
    client.complete(client.binding());
    broken(&kernel, &violation::COMPLETED_BEFORE_DETACH, 1);
    provider.complete(provider.binding());
    client.end();
    provider.end();
    finish(kernel);
}
