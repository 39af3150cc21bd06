//! Calling a provider: its handlers, at the levels that NetDMA calls them at.
//!
//! # Design
//!
//! Channel handlers are documented for "IRQL <= DISPATCH_LEVEL", and Windows mostly calls them at DISPATCH_LEVEL. Here each call
//! draws from the machine's seed, three of four at DISPATCH_LEVEL, so that a handler that waits is found out soon.
//!
//! # Safety
//!
//! The unsafe code of this file calls function pointers that a driver put into its characteristics, with the contexts that
//! the driver gave for them. That they are what the driver says is the driver's promise; that a channel's context is not
//! used after it was freed is this interface's, kept by the state of the channel.
#![expect(unsafe_code, reason = "calls the handlers of a driver")]

use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use nmr_netdma::sys;

use super::{Affinity, ChannelRequest, violation};
use crate::kernel::{self, Machine};
use crate::{Os, ke};

const PASSIVE: u8 = sys::PASSIVE_LEVEL as u8;
const DISPATCH: u8 = sys::DISPATCH_LEVEL as u8;

/// What output parameters hold before a handler is called.
const UNWRITTEN: u32 = 0xFFFF_FFFF;
/// What lies behind the parameters of revision 1, which a handler neither reads nor writes.
const FENCE: sys::GROUP_AFFINITY = sys::GROUP_AFFINITY {
    Mask: 0x0DD5_1DE5_0DD5_1DE5,
    Group: 0x1DE5,
    Reserved: [0x0DD5; 3],
};

/// A provider's handlers and the context that they are called with.
pub(super) struct Handlers {
    /// For diagnosis.
    owner: String,
    /// The provider's handle, which marks the frames of its handlers.
    key: usize,
    context: AtomicPtr<c_void>,
    affinity: sys::DMA_CHANNELS_CPU_AFFINITY_HANDLER,
    allocate: sys::DMA_CHANNEL_ALLOCATE_HANDLER,
    free: sys::DMA_CHANNEL_FREE_HANDLER,
    start: sys::DMA_START_HANDLER,
    append: sys::DMA_APPEND_HANDLER,
    suspend: sys::DMA_SUSPEND_HANDLER,
    resume: sys::DMA_RESUME_HANDLER,
    abort: sys::DMA_ABORT_HANDLER,
    reset: sys::DMA_RESET_HANDLER,
    calls: AtomicU64,
}

/// What a channel is allocated with.
pub(super) struct Request<'a> {
    pub(super) completion_virtual: sys::PVOID,
    pub(super) completion_physical: u64,
    pub(super) wanted: &'a ChannelRequest,
    pub(super) handle: sys::PVOID,
}

/// Channel parameters, and memory behind them for those that say to be longer.
#[derive(Clone, Copy)]
#[repr(C)]
struct Parameters {
    known: sys::NET_DMA_CHANNEL_PARAMETERS,
    more: [u64; 8],
}

/// The longest that channel parameters can say to be.
pub(super) const LONGEST: usize = size_of::<Parameters>();

/// What a provider said when it allocated a channel.
pub(super) struct Granted {
    /// `None` if it was not written.
    pub(super) context: Option<*mut c_void>,
    /// `None` if it was not written.
    pub(super) processor: Option<u32>,
}

impl Handlers {
    pub(super) fn new(
        owner: String,
        key: usize,
        context: *mut c_void,
        characteristics: &sys::NET_DMA_PROVIDER_CHARACTERISTICS,
    ) -> Self {
        Self {
            owner,
            key,
            context: AtomicPtr::new(context),
            affinity: characteristics.SetDmaChannelCpuAffinity,
            allocate: characteristics.AllocateDmaChannel,
            free: characteristics.FreeDmaChannel,
            start: characteristics.StartDma,
            append: characteristics.AppendDma,
            suspend: characteristics.SuspendDma,
            resume: characteristics.ResumeDma,
            abort: characteristics.AbortDma,
            reset: characteristics.ResetChannel,
            calls: AtomicU64::new(0),
        }
    }

    /// The handlers and their context, as they were registered.
    pub(super) fn table(&self) -> (sys::NET_DMA_PROVIDER_CHARACTERISTICS, *mut c_void) {
        let table = sys::NET_DMA_PROVIDER_CHARACTERISTICS {
            SetDmaChannelCpuAffinity: self.affinity,
            AllocateDmaChannel: self.allocate,
            FreeDmaChannel: self.free,
            StartDma: self.start,
            SuspendDma: self.suspend,
            ResumeDma: self.resume,
            AbortDma: self.abort,
            AppendDma: self.append,
            ResetChannel: self.reset,
            ..Default::default()
        };
        (table, self.context.load(Ordering::Acquire))
    }

    /// Whether the calling thread is in one of these handlers.
    pub(super) fn running(&self) -> bool {
        kernel::current()
            .find_frame(|frame| (frame.key == self.key).then_some(()))
            .is_some()
    }

    fn level(&self, machine: &Machine) -> u8 {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let drawn = if mix(machine.config.seed ^ mix(call)).is_multiple_of(4) {
            PASSIVE
        } else {
            DISPATCH
        };
        drawn.max(ke::irql())
    }

    fn call<R>(&self, name: &'static str, irql: u8, body: impl FnOnce() -> R) -> R {
        let thread = kernel::current();
        kernel::in_callback(thread, name, self.owner.as_str(), self.key, || {
            ke::at(thread, irql, body)
        })
    }

    fn check(
        &self,
        machine: &Machine,
        name: &str,
        status: sys::NTSTATUS,
        documented: &[sys::NTSTATUS],
    ) {
        if !documented.contains(&status) {
            let owner = &self.owner;
            machine.violated(
                &violation::STATUS,
                format_args!("{name} of {owner} answered {status:#010X}"),
            );
        }
    }

    /// Tells the provider which processors to interrupt; whether it took note.
    pub(super) fn set_affinity(&self, machine: &Machine, entries: &[Affinity], bytes: u32) -> bool {
        let Some(handler) = self.affinity else {
            return false;
        };
        let entry = size_of::<sys::NET_DMA_CHANNEL_CPU_AFFINITY>();
        let mut array: Vec<_> = entries
            .iter()
            .map(|entry| sys::NET_DMA_CHANNEL_CPU_AFFINITY {
                DmaChannel: entry.channel,
                CpuNumber: entry.processor,
            })
            .collect();
        // A size that says more than there are entries still describes memory that is there.
        let length = array.len().max((bytes as usize).div_ceil(entry));
        array.resize(
            length,
            sys::NET_DMA_CHANNEL_CPU_AFFINITY {
                DmaChannel: UNWRITTEN,
                CpuNumber: UNWRITTEN,
            },
        );
        let context = self.context.load(Ordering::Relaxed);
        let status = self.call("SetDmaChannelCpuAffinity", PASSIVE, || {
            // SAFETY: the driver registered the handler with this context. The array is at least `bytes` long and outlives the call.
            unsafe { handler(context, array.as_mut_ptr(), bytes) }
        });
        self.check(machine, "SetDmaChannelCpuAffinity", status, ALLOCATION);
        status == sys::STATUS_SUCCESS
    }

    /// Has the provider allocate a channel.
    pub(super) fn allocate(
        &self,
        machine: &Machine,
        request: &Request,
    ) -> Result<Granted, sys::NTSTATUS> {
        let Some(handler) = self.allocate else {
            return Err(sys::STATUS_UNSUCCESSFUL);
        };
        let groups = machine.config.os != Os::VistaSp1;
        let (revision, size, extension) = if groups {
            let group = sys::GROUP_AFFINITY {
                Mask: request.wanted.processors,
                Group: 0,
                Reserved: [0; 3],
            };
            (
                sys::NET_DMA_CHANNEL_REVISION_2,
                size_of::<sys::NET_DMA_CHANNEL_PARAMETERS>(),
                group,
            )
        } else {
            (
                sys::NET_DMA_CHANNEL_REVISION_1,
                size_of::<sys::NET_DMA_CHANNEL_PARAMETERS_V1>(),
                FENCE,
            )
        };
        let (revision, size) = request
            .wanted
            .form
            .unwrap_or((revision as u16, size as u16));
        let known = sys::NET_DMA_CHANNEL_PARAMETERS {
            Revision: revision,
            Size: size,
            Flags: request.wanted.flags,
            CompletionVirtualAddress: request.completion_virtual,
            CompletionPhysicalAddress: sys::physical_address(request.completion_physical),
            ProcessorAffinityMask: request.wanted.processors as u32,
            ChannelPriority: request.wanted.priority,
            CpuNumber: UNWRITTEN,
            ProcessorAffinityMaskEx: extension,
        };
        let sent = Parameters {
            known,
            more: [FENCE.Mask; 8],
        };
        let mut parameters = sent;
        let unwritten = ptr::without_provenance_mut::<c_void>(UNWRITTEN as usize);
        let mut channel_context = unwritten;
        let context = self.context.load(Ordering::Relaxed);
        let status = self.call("AllocateDmaChannel", self.level(machine), || {
            // SAFETY: the driver registered the handler with this context. The parameters are at least as long as
            // their `Size` says, and like the output they outlive the call.
            unsafe {
                handler(
                    context,
                    (&raw mut parameters).cast(),
                    request.handle,
                    &raw mut channel_context,
                )
            }
        });
        self.check(machine, "AllocateDmaChannel", status, ALLOCATION);
        let processor = parameters.known.CpuNumber;
        if !same_but_processor(&parameters.known, &known) || parameters.more != sent.more {
            machine.violated(
                &violation::CHANNEL_PARAMETERS,
                format_args!("by {}", self.owner),
            );
        }
        if status != sys::STATUS_SUCCESS {
            return Err(status);
        }
        Ok(Granted {
            context: (channel_context != unwritten).then_some(channel_context),
            processor: (processor != UNWRITTEN).then_some(processor),
        })
    }

    /// Frees the channel `context`, which is not used afterwards.
    pub(super) fn free(&self, machine: &Machine, context: *mut c_void) {
        let Some(handler) = self.free else { return };
        self.call("FreeDmaChannel", self.level(machine), || {
            // SAFETY: the driver stored the context for this channel, which is allocated until this call.
            unsafe { handler(context) }
        });
    }

    /// Gives the channel `context` descriptors: a new list, or more of the old one.
    pub(super) fn run(
        &self,
        machine: &Machine,
        context: *mut c_void,
        start: bool,
        first: (sys::PNET_DMA_DESCRIPTOR, u64),
        count: u32,
    ) -> sys::NTSTATUS {
        let (name, handler, documented) = if start {
            ("StartDma", self.start, ALLOCATION)
        } else {
            ("AppendDma", self.append, DONE)
        };
        let Some(handler) = handler else {
            return sys::STATUS_UNSUCCESSFUL;
        };
        let status = self.call(name, self.level(machine), || {
            // SAFETY: the driver stored the context for this channel, which is allocated and not being freed. The descriptors are
            // in the channel's ring, which outlives the channel.
            unsafe { handler(context, first.0, sys::physical_address(first.1), count) }
        });
        self.check(machine, name, status, documented);
        status
    }

    /// Suspends the channel `context`; what it says is the last descriptor done.
    pub(super) fn suspend(
        &self,
        machine: &Machine,
        context: *mut c_void,
    ) -> Result<u64, sys::NTSTATUS> {
        let Some(handler) = self.suspend else {
            return Err(sys::STATUS_NOT_SUPPORTED);
        };
        let mut output = [SUSPENDED, FENCE.Mask];
        let status = self.call("SuspendDma", self.level(machine), || {
            // SAFETY: the driver stored the context for this channel, which is allocated. The output has room for an address of
            // 64 bits, whatever the driver takes its type for, and outlives the call.
            unsafe { handler(context, (&raw mut output).cast()) }
        });
        self.check(machine, "SuspendDma", status, DONE);
        let [last, fence] = output;
        let success = status == sys::STATUS_SUCCESS;
        if fence != FENCE.Mask || success == (last == SUSPENDED) {
            machine.violated(
                &violation::SUSPEND_OUTPUT,
                format_args!("{}: {status:#010X}, {last:#x}", self.owner),
            );
        }
        if success { Ok(last) } else { Err(status) }
    }

    /// Has the channel `context` do `operation`.
    pub(super) fn control(
        &self,
        machine: &Machine,
        context: *mut c_void,
        operation: Operation,
    ) -> Result<(), sys::NTSTATUS> {
        let (name, handler) = match operation {
            Operation::Resume => ("ResumeDma", self.resume),
            Operation::Abort => ("AbortDma", self.abort),
            Operation::Reset => ("ResetChannel", self.reset),
        };
        let Some(handler) = handler else {
            return Err(sys::STATUS_NOT_SUPPORTED);
        };
        let status = self.call(name, self.level(machine), || {
            // SAFETY: the driver stored the context for this channel, which is allocated.
            unsafe { handler(context) }
        });
        self.check(machine, name, status, DONE);
        if status == sys::STATUS_SUCCESS {
            Ok(())
        } else {
            Err(status)
        }
    }
}

/// What a suspended channel has not written.
const SUSPENDED: u64 = 0x5BAD_ADD2_5BAD_ADD2;

/// An optional operation without result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Resume,
    Abort,
    Reset,
}

const DONE: &[sys::NTSTATUS] = &[sys::STATUS_SUCCESS, sys::STATUS_UNSUCCESSFUL];

const ALLOCATION: &[sys::NTSTATUS] = &[
    sys::STATUS_SUCCESS,
    sys::STATUS_INSUFFICIENT_RESOURCES,
    sys::STATUS_UNSUCCESSFUL,
];

fn same_but_processor(
    left: &sys::NET_DMA_CHANNEL_PARAMETERS,
    right: &sys::NET_DMA_CHANNEL_PARAMETERS,
) -> bool {
    let fields = |parameters: &sys::NET_DMA_CHANNEL_PARAMETERS| {
        let group = parameters.ProcessorAffinityMaskEx;
        (
            (parameters.Revision, parameters.Size, parameters.Flags),
            parameters.CompletionVirtualAddress,
            sys::physical_address_bits(parameters.CompletionPhysicalAddress),
            (parameters.ProcessorAffinityMask, parameters.ChannelPriority),
            (group.Mask, group.Group, group.Reserved),
        )
    };
    fields(left) == fields(right)
}

/// Spreads the bits of `value` (the output function of SplitMix64).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
