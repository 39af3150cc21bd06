//! The rules of the Network Module Registrar.
//!
//! Levels are rules of the whole kernel and have their names there: `ke::level` for a function that was called at the
//! wrong level, `ke::level-changed` for a callback that returned at another level than it was called at.
//! The pages named are those of the Windows driver kit's reference for `netioddk.h`.

use crate::verifier::Rule;

/// Reference: `NPI_CLIENT_CHARACTERISTICS`, `NPI_PROVIDER_CHARACTERISTICS`, `NPI_REGISTRATION_INSTANCE`.
pub static SIZES: Rule = Rule {
    name: "nmr::sizes",
    says: "the Version of the characteristics is 0, and Length and Size are the sizes of their structures",
};

/// Reference: `NPI_CLIENT_CHARACTERISTICS`, `NPI_REGISTRATION_INSTANCE`, `NmrRegisterClient`.
pub static INCOMPLETE: Rule = Rule {
    name: "nmr::incomplete",
    says: "characteristics, interface, module identification, attach and detach callbacks and results have an address",
};

/// Reference: `NmrRegisterClient`, remarks: the characteristics remain valid and resident while registered.
pub static CHANGED: Rule = Rule {
    name: "nmr::changed",
    says: "what was passed at registration stays as it is until the deregistration is complete",
};

/// Reference: `NmrClientAttachProvider`, called from the `ClientAttachProvider` callback for its binding handle.
pub static ATTACH_OUTSIDE: Rule = Rule {
    name: "nmr::attach-outside",
    says: "NmrClientAttachProvider is called inside ClientAttachProvider, on its thread and for its binding handle",
};

/// Reference: `NmrClientAttachProvider`.
pub static ATTACH_TWICE: Rule = Rule {
    name: "nmr::attach-twice",
    says: "after a successful NmrClientAttachProvider there is no second one for the binding",
};

/// Reference: `NPI_CLIENT_ATTACH_PROVIDER_FN`, return value.
pub static ATTACH_ANSWER: Rule = Rule {
    name: "nmr::attach-answer",
    says: "ClientAttachProvider returns what NmrClientAttachProvider returned, and a failure if it did not call it",
};

/// Reference: `NPI_PROVIDER_ATTACH_CLIENT_FN`, return value.
pub static ATTACH_STATUS: Rule = Rule {
    name: "nmr::attach-status",
    says: "ProviderAttachClient returns STATUS_SUCCESS or a failure, no other success code",
};

/// Reference: `NPI_PROVIDER_ATTACH_CLIENT_FN`, parameters.
pub static ATTACH_OUTPUT: Rule = Rule {
    name: "nmr::attach-output",
    says: "a provider that accepts stores its binding context and its dispatch table",
};

/// Reference: `NPI_CLIENT_DETACH_PROVIDER_FN`, `NPI_PROVIDER_DETACH_CLIENT_FN`, return value.
pub static DETACH_STATUS: Rule = Rule {
    name: "nmr::detach-status",
    says: "a detach callback returns STATUS_SUCCESS or STATUS_PENDING",
};

/// Reference: `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
pub static COMPLETED_TWICE: Rule = Rule {
    name: "nmr::completed-twice",
    says: "a side completes the detach of a binding once",
};

/// Reference: `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
pub static COMPLETED_AFTER_SUCCESS: Rule = Rule {
    name: "nmr::completed-after-success",
    says: "a side whose detach callback returns STATUS_SUCCESS does not complete the detach",
};

/// Reference: `NmrClientDetachProviderComplete`, `NmrProviderDetachClientComplete`.
pub static COMPLETED_BEFORE_DETACH: Rule = Rule {
    name: "nmr::completed-before-detach",
    says: "a side completes the detach after its detach callback was called",
};

/// Reference: the parameter of each function.
pub static HANDLE_KIND: Rule = Rule {
    name: "nmr::handle-kind",
    says: "a function gets a handle of the kind it takes: client registration, provider registration or binding",
};

/// Reference: the parameter of each function.
pub static DEAD_HANDLE: Rule = Rule {
    name: "nmr::dead-handle",
    says: "a handle came from the registrar and what it names still exists",
};

/// Reference: `NmrDeregisterClient`, `NmrDeregisterProvider`.
pub static DEREGISTERED_TWICE: Rule = Rule {
    name: "nmr::deregistered-twice",
    says: "a module is deregistered once",
};

/// Reference: `NmrWaitForClientDeregisterComplete`, `NmrWaitForProviderDeregisterComplete`.
pub static WAIT_BEFORE_DEREGISTER: Rule = Rule {
    name: "nmr::wait-before-deregister",
    says: "a module is deregistered before its deregistration is waited for",
};

/// Follows from `NmrDeregisterClient`: the wait ends when the module's callbacks have returned.
pub static WAIT_IN_CALLBACK: Rule = Rule {
    name: "nmr::wait-in-callback",
    says: "no thread waits for a deregistration inside a callback that the deregistration waits for",
};

/// Follows from `NmrDeregisterClient`: the wait ends when both sides of each binding are finished.
pub static STUCK: Rule = Rule {
    name: "nmr::stuck",
    says: "a side that answered STATUS_PENDING completes the detach when its calls have ended",
};
