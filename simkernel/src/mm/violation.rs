//! The rules of memory.
//!
//! The pages named are those of the Windows driver kit's reference for `wdm.h`.

use crate::verifier::Rule;

/// Reference: `ExAllocatePoolWithTag`.
pub static ALLOCATION: Rule = Rule {
    name: "mm::allocation",
    says: "pool is allocated with a size, a tag and a pool type that the system knows",
};

/// Reference: `ExFreePoolWithTag`, `MmFreeContiguousMemory`.
pub static FREE_UNKNOWN: Rule = Rule {
    name: "mm::free-unknown",
    says: "what is freed is the beginning of memory that was allocated",
};

/// Reference: `ExFreePoolWithTag`.
pub static FREE_TWICE: Rule = Rule {
    name: "mm::free-twice",
    says: "memory is freed once",
};

/// Reference: `ExFreePoolWithTag`, parameter `Tag`.
pub static FREE_TAG: Rule = Rule {
    name: "mm::free-tag",
    says: "pool is freed with the tag it was allocated with",
};

/// Reference: `ExAllocatePoolWithTag`, parameter `NumberOfBytes`.
pub static OVERRUN: Rule = Rule {
    name: "mm::overrun",
    says: "nothing is written before or after what was allocated",
};

/// Reference: `ExFreePoolWithTag`.
pub static USE_AFTER_FREE: Rule = Rule {
    name: "mm::use-after-free",
    says: "memory is not written after it was freed",
};

/// Reference: `MmMapIoSpace`.
pub static MAP_UNKNOWN: Rule = Rule {
    name: "mm::map-unknown",
    says: "what is mapped is not empty and lies in one piece of memory or in the registers of a device",
};

/// Reference: `MmUnmapIoSpace`.
pub static UNMAP_UNKNOWN: Rule = Rule {
    name: "mm::unmap-unknown",
    says: "what is unmapped is the beginning of a mapping",
};

/// Reference: `MmUnmapIoSpace`, parameter `NumberOfBytes`.
pub static UNMAP_SIZE: Rule = Rule {
    name: "mm::unmap-size",
    says: "a mapping is unmapped with the size it was made with",
};

/// Nothing may free what a device or a driver still has in use.
pub static FREED_WHILE_MAPPED: Rule = Rule {
    name: "mm::freed-while-mapped",
    says: "physical memory is not freed while it is mapped",
};

/// Reference: `READ_REGISTER_ULONG`, `WRITE_REGISTER_ULONG`.
pub static REGISTER: Rule = Rule {
    name: "mm::register",
    says: "a register is a mapped, aligned address, read and written by the register functions only",
};
