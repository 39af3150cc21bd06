//! The rules of NetDMA that a provider can break.

use crate::verifier::Rule;

macro_rules! rules {
    ($($name:ident: $id:literal, $says:literal;)*) => {$(
        #[doc = $says]
        pub static $name: Rule = Rule { name: $id, says: $says };
    )*};
}

rules! {
    LEVEL: "netdma::level",
        "The functions of a provider's life run at PASSIVE_LEVEL.";
    ISR_LEVEL: "netdma::isr-level",
        "NetDmaIsr is called from an interrupt service routine, at the level of the device.";
    DPC_LEVEL: "netdma::dpc-level",
        "NetDmaInterruptDpc is called from a DPC, at DISPATCH_LEVEL.";
    DPC_PROCESSOR: "netdma::dpc-processor",
        "NetDmaInterruptDpc is called on the processor that NetDmaIsr named.";
    DPC_WITHOUT_ISR: "netdma::dpc-without-isr",
        "NetDmaInterruptDpc follows a NetDmaIsr of the same channel.";
    ISR_DESCRIPTOR: "netdma::isr-descriptor",
        "NetDmaIsr and NetDmaInterruptDpc are told the physical address of a descriptor that the channel was given, or 0.";
    NULL_POINTER: "netdma::null-pointer",
        "Pointers that NetDMA reads or writes through are not null.";
    ABSENT: "netdma::absent",
        "Where a registration gave a null handle there is no NetDMA, and nothing else of it is called.";
    SIZE: "netdma::characteristics-size",
        "The characteristics say their size: 112 bytes, or 96 without friendly name before version 2.0.";
    VERSION: "netdma::version",
        "A provider registers with a version that exists, at most that of the interface.";
    HANDLERS: "netdma::handlers",
        "Affinity, allocate, free, start and append handlers are always there.";
    SUSPEND_RESUME: "netdma::suspend-resume",
        "Who can suspend can resume.";
    FLAGS: "netdma::flags",
        "Characteristics have flags of their version only: none in 1.x, DCA from 2.0 on, processor groups from 2.1 on.";
    FRIENDLY_NAME: "netdma::friendly-name",
        "A provider has a friendly name from version 2.0 on.";
    PHYSICAL_DEVICE: "netdma::physical-device",
        "A provider names the physical device object that AddDevice was given.";
    CHANNEL_COUNT: "netdma::channel-count",
        "MaxDmaChannelCount is what the hardware has, at least 1.";
    REGISTERED_TWICE: "netdma::registered-twice",
        "An engine is registered once.";
    PROVIDER_HANDLE: "netdma::provider-handle",
        "A provider handle is used from the end of its registration to its deregistration.";
    CHANNEL_HANDLE: "netdma::channel-handle",
        "A channel handle is used from the allocation of the channel until it is freed.";
    ATTRIBUTES: "netdma::attributes",
        "Attributes have their size, no flags, at most MaxDmaChannelCount channels and transfers of at least 4096 bytes.";
    START_TWICE: "netdma::start-twice",
        "A provider is started once, and again only after a stop.";
    STOP_WITHOUT_START: "netdma::stop-without-start",
        "Only a started provider is stopped.";
    DEREGISTER_STARTED: "netdma::deregister-started",
        "A provider is stopped before it is deregistered.";
    REENTRANT: "netdma::reentrant",
        "A provider is not started, stopped or deregistered from one of its own handlers.";
    NOTIFICATION: "netdma::notification",
        "A notification has revision 1, size 32 and no buffer.";
    NOTIFICATION_CODE: "netdma::notification-code",
        "A provider notifies of nothing but power down and power up.";
    NOTIFICATION_PHASE: "netdma::notification-phase",
        "A provider notifies while it is started.";
    POWER_ORDER: "netdma::power-order",
        "Power goes down once, and up once after it.";
    STATUS: "netdma::status",
        "A handler answers with one of its documented statuses.";
    CPU_NUMBER: "netdma::cpu-number",
        "Allocation sets CpuNumber to a processor of the mask that it was given.";
    CHANNEL_CONTEXT: "netdma::channel-context",
        "Allocation stores a channel context, a different one for each channel that is in use.";
    CHANNEL_PARAMETERS: "netdma::channel-parameters",
        "Allocation writes nothing of the channel parameters but CpuNumber.";
    TOO_MANY_CHANNELS: "netdma::too-many-channels",
        "A provider allocates no more channels at a time than it was started with.";
    COMPLETION_ADDRESS: "netdma::completion-address",
        "The completion word names a descriptor that the channel has been given and that is not done, or the last one done.";
    COMPLETION_STATUS: "netdma::completion-status",
        "The completion word has one of the five states in its low bits.";
    COMPLETION_ABSENT: "netdma::completion-absent",
        "Without both addresses of a completion word, aligned, none is written.";
    COMPLETION_AFTER_FREE: "netdma::completion-after-free",
        "Nothing is written to completion word and descriptors of a channel that was freed.";
    DESCRIPTOR_CHANGED: "netdma::descriptor-changed",
        "A provider does not write to descriptors; before version 2.0 the two reserved fields are its own.";
    SUSPEND_OUTPUT: "netdma::suspend-output",
        "Suspend writes a physical address of 64 bits where its parameter points, and nothing behind it.";
    SUSPEND: "netdma::suspend",
        "A suspended channel says so in its completion word, with the last descriptor done, which it also answers.";
    RUNS_SUSPENDED: "netdma::runs-suspended",
        "A suspended channel does nothing until it is resumed or started.";
    HALT: "netdma::halt",
        "After abort and reset the completion word says that the channel is halted.";
    APPEND_WITHOUT_START: "netdma::append-without-start",
        "After allocation, abort and reset only a start is accepted.";
    OUTSTANDING: "netdma::outstanding",
        "Every descriptor that a provider accepted is completed, and every handler returns.";
}
