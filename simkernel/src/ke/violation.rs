//! The rules of the executive.
//!
//! The pages named are those of the Windows driver kit's reference for `wdm.h`.

use crate::verifier::Rule;

/// The requirements at the end of each function's page.
pub static LEVEL: Rule = Rule {
    name: "ke::level",
    says: "a function is called at a level that its reference page allows",
};

/// The pages of the callbacks.
pub static LEVEL_CHANGED: Rule = Rule {
    name: "ke::level-changed",
    says: "a callback returns at the level that it was called at",
};

/// Reference: `KeRaiseIrql`.
pub static RAISE: Rule = Rule {
    name: "ke::raise",
    says: "the level is raised to one that exists and is not below the current one",
};

/// Reference: `KeLowerIrql`.
pub static LOWER: Rule = Rule {
    name: "ke::lower",
    says: "the level is lowered to one that is not above the current one",
};

/// Reference: `KeAcquireSpinLock`, remarks, and "Preventing Errors and Deadlocks While Using Spin Locks".
pub static LOCK_RECURSIVE: Rule = Rule {
    name: "ke::lock-recursive",
    says: "a spin lock is not acquired by the thread that holds it",
};

/// Reference: `KeReleaseSpinLock`.
pub static LOCK_OWNER: Rule = Rule {
    name: "ke::lock-owner",
    says: "a spin lock is released by the thread that holds it",
};

/// Reference: `KeReleaseSpinLock`, parameter `NewIrql`.
pub static LOCK_LEVEL: Rule = Rule {
    name: "ke::lock-level",
    says: "KeReleaseSpinLock is given the level that the acquisition of the same lock returned",
};

/// Reference: "Calling Support Routines That Use Spin Locks".
pub static LOCK_PAIR: Rule = Rule {
    name: "ke::lock-pair",
    says: "a lock from KeAcquireSpinLockAtDpcLevel is released by KeReleaseSpinLockFromDpcLevel, and no other is",
};

/// Reference: "Preventing Errors and Deadlocks While Using Spin Locks".
pub static LOCK_HELD: Rule = Rule {
    name: "ke::lock-held",
    says: "spin locks are released before the level is lowered below DISPATCH_LEVEL and before a callback returns",
};

/// Reference: `KeInitializeSpinLock`.
pub static LOCK_WORD: Rule = Rule {
    name: "ke::lock-word",
    says: "a spin lock is an aligned word that was initialised with zero and is touched by the lock functions only",
};

/// No page sets a limit; Windows would stop responding.
pub static LOCK_STUCK: Rule = Rule {
    name: "ke::lock-stuck",
    says: "a spin lock is held for microseconds",
};

/// Reference: `KeInitializeEvent`.
pub static EVENT: Rule = Rule {
    name: "ke::event",
    says: "an event, or what else is waited for, is initialised before its use and stays where it is",
};

/// Reference: `KeDelayExecutionThread`, and the pages of other functions with a pointer that is not optional.
pub static NULL: Rule = Rule {
    name: "ke::null",
    says: "a pointer that is not optional has an address",
};

/// Reference: `KeInitializeDpc`.
pub static DPC: Rule = Rule {
    name: "ke::dpc",
    says: "a DPC is initialised with a routine before its use and stays where it is",
};

/// Reference: `KeInitializeDpc`, `ExFreePoolWithTag`.
pub static DPC_QUEUED: Rule = Rule {
    name: "ke::dpc-queued",
    says: "a DPC is not queued when it is initialised or its memory is freed",
};

/// Reference: `KeSetTargetProcessorDpc`.
pub static DPC_TARGET: Rule = Rule {
    name: "ke::dpc-target",
    says: "a DPC is aimed at a processor that is there, in group 0",
};

/// Reference: `KeFlushQueuedDpcs`.
pub static FLUSH: Rule = Rule {
    name: "ke::flush",
    says: "queued DPCs are not waited for by a DPC, an ISR or the holder of a spin lock",
};

/// Reference: `RtlGetVersion`.
pub static VERSION_SIZE: Rule = Rule {
    name: "ke::version-size",
    says: "dwOSVersionInfoSize is the size of RTL_OSVERSIONINFOW or RTL_OSVERSIONINFOEXW",
};
