//! The rules of the Network Module Registrar that a module can break, and what shows the others.
//!
//! The contract has 51 rules, which the tests are named by. The pages named are those of the Windows driver kit's reference
//! for `netioddk.h`.
//!
//! | rule | what it says | violation, or why there is none |
//! |---|---|---|
//! | 1 | `Version` of the characteristics is 0; `Length` and `Size` are those of their structures | [`SIZES`], [`INCOMPLETE`] |
//! | 2 | what was passed at registration stays valid and unchanged while registered | [`CHANGED`] |
//! | 3 | the registration context lives as long as the registration | [`CONTEXT_FREED`] |
//! | 4 | registering, attaching and both attach callbacks are at PASSIVE_LEVEL | [`ATTACH_LEVEL`] |
//! | 5 | deregistering and completing are at or below DISPATCH_LEVEL, waiting below | [`DEREGISTER_LEVEL`] |
//! | 6 | detach and cleanup may come at any level up to DISPATCH_LEVEL | [`CALLBACK_LEVEL`] |
//! | 7 | modules are matched by interface alone | none: only the registrar could break it |
//! | 8 | module ids may repeat | none: it allows |
//! | 9 | each registration is deregistered on its own | the leaks `nmr client registration`, `nmr provider registration` |
//! | 10 | a driver may be client and provider of one interface | none: it allows; [`self_attachment`](super::Nmr::self_attachment) chooses |
//! | 11 | a client is offered each provider once | none: only the registrar could break it |
//! | 12 | callbacks may come before registering has returned | [`HANDLE_EARLY`] |
//! | 13 | a failed registration gives no handle | [`HANDLE_NOT_GIVEN`] |
//! | 14 | `NmrClientAttachProvider` is for the attach callback in progress | [`ATTACH_OUTSIDE`] |
//! | 15 | the attach callback returns what it answered | [`ATTACH_ANSWER`] |
//! | 16 | a refused client may try again, an attached one may not | [`ATTACH_TWICE`] |
//! | 17 | after a refusal the client frees its context; no cleanup callback comes | none: the registrar has let go of it; what is not freed is the leak `pool` |
//! | 18 | a binding context lives until cleanup | [`BINDING_CONTEXT_FREED`] |
//! | 19 | a provider that accepts stores its context and table | [`ATTACH_OUTPUT`] |
//! | 20 | dispatch tables stay while attached, and may be NULL | [`TABLE_FREED`] |
//! | 21 | a provider accepts with `STATUS_SUCCESS` | [`ATTACH_STATUS`] |
//! | 22 | no call before the attach is decided | none: calls do not pass the registrar; the library has a gate |
//! | 23 | what a peer shows is read as far as it says | none: the registrar sees no read; tests put it before a page that faults |
//! | 24 | attach callbacks of different peers may run at once | none: it allows; a callback that cannot shows under Miri or a sanitizer |
//! | 25 | a deregistering module is not offered | none: only the registrar could break it |
//! | 26 | an attach in progress is finished and then detached | none: only the registrar could break it |
//! | 27 | a module counts its own calls in progress | none: calls do not pass the registrar; a wrong count ends as [`STUCK`] or [`COMPLETED_TWICE`] |
//! | 28 | no call begins after the detach callback was entered | none: calls do not pass the registrar; the library has a gate |
//! | 29 | a call is in progress until it completes, and then the detach is completed | [`STUCK`] |
//! | 30 | both sides are told to detach, whoever deregisters | none: only the registrar could break it |
//! | 31 | once for each binding | none: only the registrar could break it |
//! | 32 | on the deregistering thread | none: only the registrar could break it |
//! | 33 | a detach callback returns `STATUS_SUCCESS` or `STATUS_PENDING` | [`DETACH_STATUS`] |
//! | 34 | after `STATUS_PENDING` the side completes once, after `STATUS_SUCCESS` never | [`COMPLETED_TWICE`], [`COMPLETED_AFTER_SUCCESS`] |
//! | 35 | the completion may come before the callback has returned, which is then `STATUS_PENDING` | [`SUCCESS_AFTER_COMPLETION`] |
//! | 36 | when the completing call returns the binding may be gone | [`COMPLETED_AFTER_CLEANUP`] |
//! | 37 | no completion before the detach callback | [`COMPLETED_BEFORE_DETACH`] |
//! | 38 | each function takes its kind of handle | [`HANDLE_KIND`] |
//! | 39 | detach and cleanup cannot fail | [`ALLOCATION_IN_DETACH`] |
//! | 40 | cleanup comes when both sides have finished | none: only the registrar could break it |
//! | 41 | there may be no cleanup callback | none: it allows |
//! | 42 | cleanup may call the registrar | none: it allows |
//! | 43 | cleanup leaves the peer's context alone | none: a context is memory of its module; the order of cleanup is seeded so that Miri sees it |
//! | 44 | deregistering answers `STATUS_PENDING`, and is waited for | the leaks of rule 9, `deregistered and never waited for` |
//! | 45 | only what is being deregistered is waited for | [`WAIT_BEFORE_DEREGISTER`] |
//! | 46 | the wait ends after the last cleanup | none: only the registrar could break it |
//! | 47 | no unload before the wait has ended | [`UNLOADED`] |
//! | 48 | nobody waits for the callback that it is in | [`WAIT_IN_CALLBACK`] |
//! | 49 | no use of a handle after its end | [`DEREGISTERED_TWICE`], [`USED_AFTER_END`] |
//! | 50 | no panic unwinds into C | none: the process stops there, and says in which function |
//! | 51 | bindings are detached in any order | none: it allows; the order is seeded |
//!
//! # Design
//!
//! * **A rule has a name of its own,** and where it can be broken in two ways two, never the other way round: the name alone
//!   says which rule it was. Rules that oblige the registrar itself, and those that only allow something, have none.
//! * **A report names both modules and the interface,** the thread's callbacks, and, where the first of two calls is what made
//!   the second one wrong, when and where the first one was, as the trace has it.
//! * **What is freed too early is looked for where it is used next,** among the blocks that pool remembers. Under Miri it
//!   remembers none, and Miri itself reports the use.

use crate::verifier::Rule;

/// Rule 1. Reference: `NPI_CLIENT_CHARACTERISTICS`, `NPI_PROVIDER_CHARACTERISTICS`, `NPI_REGISTRATION_INSTANCE`.
pub static SIZES: Rule = Rule {
    name: "nmr::sizes",
    says: "the Version of the characteristics is 0, and Length and Size are the sizes of their structures",
};

/// Rule 1. Reference: `NPI_CLIENT_CHARACTERISTICS`, `NPI_PROVIDER_CHARACTERISTICS`,
/// `NPI_REGISTRATION_INSTANCE`, `NmrRegisterClient`.
pub static INCOMPLETE: Rule = Rule {
    name: "nmr::incomplete",
    says: "characteristics, interface, module identification, attach and detach callbacks and results have an address",
};

/// Rule 2. Reference: `NmrRegisterClient`, remarks: the characteristics remain valid and resident while registered.
pub static CHANGED: Rule = Rule {
    name: "nmr::changed",
    says: "what was passed at registration stays as it is until the deregistration is complete",
};

/// Rule 3. Reference: `NmrRegisterClient`, parameter `ClientContext`.
pub static CONTEXT_FREED: Rule = Rule {
    name: "nmr::context-freed",
    says: "the registration context stays until the deregistration is complete",
};

/// Rule 4. Reference: the requirements of `NmrRegisterClient`, `NmrRegisterProvider`, `NmrClientAttachProvider` and of both attach
/// callbacks.
pub static ATTACH_LEVEL: Rule = Rule {
    name: "nmr::attach-level",
    says: "registering and attaching are at PASSIVE_LEVEL, and an attach callback returns there",
};

/// Rule 5. Reference: the requirements of the functions named.
pub static DEREGISTER_LEVEL: Rule = Rule {
    name: "nmr::deregister-level",
    says: "deregistering and completing a detach are at or below DISPATCH_LEVEL, waiting is below it",
};

/// Rule 6. Reference: `NPI_CLIENT_DETACH_PROVIDER_FN` and the other detach and cleanup callbacks, remarks.
pub static CALLBACK_LEVEL: Rule = Rule {
    name: "nmr::callback-level",
    says: "detach and cleanup callbacks do what can be done at DISPATCH_LEVEL, and return at the level they were called at",
};

/// Rule 12. Follows from `NmrRegisterClient`: the handle is written when it returns, and callbacks come before.
pub static HANDLE_EARLY: Rule = Rule {
    name: "nmr::handle-early",
    says: "a registration handle is not used before the registering function has returned",
};

/// Rule 13. Follows from `NmrRegisterClient`, return value.
pub static HANDLE_NOT_GIVEN: Rule = Rule {
    name: "nmr::handle-not-given",
    says: "a registration handle is one that a successful registration has written",
};

/// Rule 14. Reference: `NmrClientAttachProvider`, called from the `ClientAttachProvider` callback for its binding handle.
pub static ATTACH_OUTSIDE: Rule = Rule {
    name: "nmr::attach-outside",
    says: "NmrClientAttachProvider is called inside ClientAttachProvider, on its thread and for its binding handle",
};

/// Rule 15. Reference: `NPI_CLIENT_ATTACH_PROVIDER_FN`, return value.
pub static ATTACH_ANSWER: Rule = Rule {
    name: "nmr::attach-answer",
    says: "ClientAttachProvider returns what NmrClientAttachProvider returned, and a failure if it did not call it",
};

/// Rule 16. Reference: `NmrClientAttachProvider`.
pub static ATTACH_TWICE: Rule = Rule {
    name: "nmr::attach-twice",
    says: "after a successful NmrClientAttachProvider there is no second one for the binding",
};

/// Rule 18. Reference: `NmrClientAttachProvider`, parameter `ClientBindingContext`.
pub static BINDING_CONTEXT_FREED: Rule = Rule {
    name: "nmr::binding-context-freed",
    says: "a binding context stays until its cleanup callback",
};

/// Rule 19. Reference: `NPI_PROVIDER_ATTACH_CLIENT_FN`, parameters.
pub static ATTACH_OUTPUT: Rule = Rule {
    name: "nmr::attach-output",
    says: "a provider that accepts stores its binding context and its dispatch table",
};

/// Rule 20. Reference: `NmrClientAttachProvider`, parameter `ClientDispatch`.
pub static TABLE_FREED: Rule = Rule {
    name: "nmr::table-freed",
    says: "a dispatch table stays until both modules are detached",
};

/// Rule 21. Reference: `NPI_PROVIDER_ATTACH_CLIENT_FN`, return value.
pub static ATTACH_STATUS: Rule = Rule {
    name: "nmr::attach-status",
    says: "ProviderAttachClient returns STATUS_SUCCESS or a failure, no other success code",
};

/// Rule 29. Follows from `NmrDeregisterClient`: the wait ends when both sides of each binding are finished.
pub static STUCK: Rule = Rule {
    name: "nmr::stuck",
    says: "a side that answered STATUS_PENDING completes the detach when its calls have ended",
};

/// Rule 33. Reference: `NPI_CLIENT_DETACH_PROVIDER_FN`, `NPI_PROVIDER_DETACH_CLIENT_FN`, return value.
pub static DETACH_STATUS: Rule = Rule {
    name: "nmr::detach-status",
    says: "a detach callback returns STATUS_SUCCESS or STATUS_PENDING",
};

/// Rule 34. Reference: `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
pub static COMPLETED_TWICE: Rule = Rule {
    name: "nmr::completed-twice",
    says: "a side completes the detach of a binding once",
};

/// Rule 34. Reference: `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
pub static COMPLETED_AFTER_SUCCESS: Rule = Rule {
    name: "nmr::completed-after-success",
    says: "a side whose detach callback has returned STATUS_SUCCESS does not complete the detach",
};

/// Rule 35. Reference: `NPI_CLIENT_DETACH_PROVIDER_FN`, return value.
pub static SUCCESS_AFTER_COMPLETION: Rule = Rule {
    name: "nmr::success-after-completion",
    says: "a detach callback whose detach was completed meanwhile returns STATUS_PENDING",
};

/// Rule 36. Follows from `NmrClientDetachProviderComplete`: the binding may be gone when it returns.
pub static COMPLETED_AFTER_CLEANUP: Rule = Rule {
    name: "nmr::completed-after-cleanup",
    says: "a binding handle is not used after both sides have finished",
};

/// Rule 37. Reference: `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
pub static COMPLETED_BEFORE_DETACH: Rule = Rule {
    name: "nmr::completed-before-detach",
    says: "a side completes the detach after its detach callback was called",
};

/// Rule 38. Reference: the parameter of each function.
pub static HANDLE_KIND: Rule = Rule {
    name: "nmr::handle-kind",
    says: "a function gets a handle of the kind it takes: client registration, provider registration or binding",
};

/// Rule 39. Follows from the detach and cleanup callbacks, which cannot fail.
pub static ALLOCATION_IN_DETACH: Rule = Rule {
    name: "nmr::allocation-in-detach",
    says: "what detach and cleanup callbacks need is reserved at attach: they allocate nothing",
};

/// Rule 45. Reference: `NmrWaitForClientDeregisterComplete`, `NmrWaitForProviderDeregisterComplete`, return value.
pub static WAIT_BEFORE_DEREGISTER: Rule = Rule {
    name: "nmr::wait-before-deregister",
    says: "what is waited for is a registered module whose deregistration has begun",
};

/// Rule 47. Reference: `NmrDeregisterClient`, remarks.
pub static UNLOADED: Rule = Rule {
    name: "nmr::unloaded",
    says: "a driver is unloaded after the deregistration of each of its modules is complete",
};

/// Rule 48. Follows from `NmrDeregisterClient`: the wait ends when the module's callbacks have returned.
pub static WAIT_IN_CALLBACK: Rule = Rule {
    name: "nmr::wait-in-callback",
    says: "no thread waits for a deregistration inside a callback that the deregistration waits for",
};

/// Rule 49. Reference: `NmrDeregisterClient`, `NmrDeregisterProvider`.
pub static DEREGISTERED_TWICE: Rule = Rule {
    name: "nmr::deregistered-twice",
    says: "a module is deregistered once",
};

/// Rule 49. Follows from `NmrWaitForClientDeregisterComplete`: the handle names nothing any more when it returns.
pub static USED_AFTER_END: Rule = Rule {
    name: "nmr::used-after-end",
    says: "a registration handle is not used after its deregistration is complete",
};
