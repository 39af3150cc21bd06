//! A provider's life: registration, start, stop, deregistration, power, and the interrupts of its channels.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::time::Duration;

use nmr_netdma::sys;

use super::channel::Object;
use super::provider::{self, Attributes, Phase, Provider};
use super::{Affinity, AffinityPlan, ChannelRequest, Notification, Transfer, violation};
use crate::kernel::Machine;
use crate::pnp;

/// The least that an engine must be able to move at a time.
const SMALLEST_MAXIMUM: u32 = 4096;

pub(super) fn register(
    machine: &Arc<Machine>,
    context: *mut c_void,
    characteristics: &sys::NET_DMA_PROVIDER_CHARACTERISTICS,
    name: String,
) -> Result<usize, sys::NTSTATUS> {
    let refuse = |rule, detail: String| {
        machine.violated(rule, format_args!("{detail}"));
        Err(sys::STATUS_UNSUCCESSFUL)
    };
    let interface = machine.ndis.interface.unwrap_or_default();
    if let Some((rule, detail)) = provider::refusal(machine, interface, characteristics) {
        return refuse(rule, detail);
    }
    if name.is_empty() && characteristics.MajorVersion >= 2 {
        return refuse(&violation::FRIENDLY_NAME, "there is none".into());
    }
    let device = characteristics.PhysicalDeviceObject;
    {
        let registry = machine.ndis.registry.lock();
        if let Some(other) = registry
            .providers
            .values()
            .find(|other| other.device == device.addr())
        {
            return refuse(
                &violation::REGISTERED_TWICE,
                format!("the engine of '{}'", other.name),
            );
        }
    }
    let handle = machine.ndis.new_handle();
    let name = if name.is_empty() {
        format!("unnamed provider {handle:#x}")
    } else {
        name
    };
    let mut provider = Provider::new(handle, name, context, characteristics);
    let messages = pnp::message_count(machine, device).unwrap_or(0);
    if messages > 0 {
        provider.affinity = ask_affinity(machine, &provider);
    }
    let (major, minor) = provider.version;
    machine.trace(
        "netdma",
        format_args!(
            "'{}' registered with version {major}.{minor}, up to {} channels",
            provider.name, provider.maximum_channels
        ),
    );
    let provider = Arc::new(provider);
    let id = provider.id();
    machine
        .ndis
        .registry
        .lock()
        .providers
        .insert(handle, provider);
    machine.ndis.tell(Notification::Registered(id));
    Ok(handle)
}

/// Tells a provider which processors its channels shall interrupt; what it took note of.
fn ask_affinity(machine: &Arc<Machine>, provider: &Provider) -> Vec<Option<u32>> {
    let processors = machine.config.processors;
    let channels = 0..provider.maximum_channels;
    let entry = size_of::<sys::NET_DMA_CHANNEL_CPU_AFFINITY>() as u32;
    let plan = machine.ndis.settings.lock().affinity.clone();
    let (entries, bytes): (Vec<Affinity>, _) = match plan {
        AffinityPlan::Silent => return Vec::new(),
        AffinityPlan::Spread => {
            let spread = |channel| Affinity {
                channel,
                processor: channel % processors,
            };
            (
                channels.map(spread).collect(),
                provider.maximum_channels * entry,
            )
        }
        AffinityPlan::Processors(list) => {
            let pick = |channel: u32| {
                let processor = list.get(channel as usize % list.len().max(1)).copied()?;
                Some(Affinity { channel, processor })
            };
            let entries: Vec<_> = channels.filter_map(pick).collect();
            let bytes = entries.len() as u32 * entry;
            (entries, bytes)
        }
        AffinityPlan::Array { entries, bytes } => (entries, bytes),
    };
    let mut asked = vec![None; provider.maximum_channels as usize];
    if !provider.handlers.set_affinity(machine, &entries, bytes) {
        machine.trace(
            "netdma",
            format_args!("'{}' did not take note of the affinity", provider.name),
        );
        return asked;
    }
    for affinity in entries.iter().take((bytes / entry) as usize) {
        if let Some(slot) = asked.get_mut(affinity.channel as usize) {
            *slot = Some(affinity.processor);
        }
    }
    machine.trace(
        "netdma",
        format_args!(
            "'{}' asked to interrupt processors {asked:?}",
            provider.name
        ),
    );
    asked
}

/// The provider with this handle; records what is wrong if there is none, or if the call comes from one of its handlers.
fn find(machine: &Machine, handle: usize, function: &str) -> Option<Arc<Provider>> {
    let provider = machine.ndis.registry.lock().providers.get(&handle).cloned();
    match provider {
        Some(provider) if provider.handlers.running() => {
            machine.violated(
                &violation::REENTRANT,
                format_args!("{function} of '{}'", provider.name),
            );
            None
        }
        Some(provider) => Some(provider),
        None => {
            machine.violated(
                &violation::PROVIDER_HANDLE,
                format_args!("{function} with {handle:#x}"),
            );
            None
        }
    }
}

pub(super) fn start(
    machine: &Arc<Machine>,
    handle: usize,
    attributes: &sys::NET_DMA_PROVIDER_ATTRIBUTES,
) {
    let Some(provider) = find(machine, handle, "NetDmaProviderStart") else {
        return;
    };
    let name = &provider.name;
    let wrong = if usize::from(attributes.Size) != size_of::<sys::NET_DMA_PROVIDER_ATTRIBUTES>() {
        Some(format!("Size {}", attributes.Size))
    } else if attributes.Flags != 0 {
        Some(format!("Flags {:#x}", attributes.Flags))
    } else if attributes.DmaChannelCount > provider.maximum_channels {
        Some(format!(
            "{} channels of at most {}",
            attributes.DmaChannelCount, provider.maximum_channels
        ))
    } else if attributes.MaximumTransferSize < SMALLEST_MAXIMUM {
        Some(format!(
            "MaximumTransferSize {}",
            attributes.MaximumTransferSize
        ))
    } else {
        None
    };
    if let Some(detail) = wrong {
        machine.violated(&violation::ATTRIBUTES, format_args!("'{name}': {detail}"));
        return;
    }
    let (channels, maximum_transfer) = (attributes.DmaChannelCount, attributes.MaximumTransferSize);
    if !provider.start(Attributes {
        channels,
        maximum_transfer,
    }) {
        machine.violated(&violation::START_TWICE, format_args!("'{name}'"));
        return;
    }
    machine.trace(
        "netdma",
        format_args!(
            "'{name}' started: {channels} channels, transfers up to {maximum_transfer} bytes"
        ),
    );
    machine.ndis.tell(Notification::Arrival(provider.id()));
    if machine.ndis.settings.lock().probe {
        probe(machine, &provider);
    }
}

/// Uses a channel before the start has returned, as Windows may.
fn probe(machine: &Arc<Machine>, provider: &Arc<Provider>) {
    let request = ChannelRequest {
        processors: machine.ndis.every_processor(),
        ..ChannelRequest::default()
    };
    let Ok(channel) = Object::open(machine, provider, &request) else {
        return;
    };
    let nothing = Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER,
        ..Transfer::default()
    };
    if let Ok(ticket) = channel.submit(machine, &[nothing], true) {
        channel.wait(machine, ticket, machine.ndis.patience());
    }
    channel.free(machine);
}

pub(super) fn stop(machine: &Arc<Machine>, handle: usize) {
    let Some(provider) = find(machine, handle, "NetDmaProviderStop") else {
        return;
    };
    if !provider.begin_stop() {
        machine.violated(
            &violation::STOP_WITHOUT_START,
            format_args!("'{}'", provider.name),
        );
        return;
    }
    finish_stop(machine, &provider);
}

/// Waits for everything that is under way, and frees the channels.
fn finish_stop(machine: &Arc<Machine>, provider: &Provider) {
    machine.trace("netdma", format_args!("'{}' stopping", provider.name));
    machine.ndis.tell(Notification::Removal(provider.id()));
    if provider.wait_for_callers(long_patience(machine)) {
        for channel in machine.channels_of(provider) {
            channel.free(machine);
        }
        machine.trace("netdma", format_args!("'{}' stopped", provider.name));
    } else {
        // Its channels are in use by the handler, so they stay, and shutdown names them.
        machine.violated(
            &violation::OUTSTANDING,
            format_args!("a handler of '{}' does not return", provider.name),
        );
    }
    provider.end_stop();
}

/// Longer than a caller of the provider waits for its descriptors.
fn long_patience(machine: &Machine) -> Duration {
    machine.ndis.patience().saturating_mul(2)
}

pub(super) fn deregister(machine: &Arc<Machine>, handle: usize) {
    let Some(provider) = find(machine, handle, "NetDmaDeregisterProvider") else {
        return;
    };
    if provider.phase() != Phase::Registered {
        machine.violated(
            &violation::DEREGISTER_STARTED,
            format_args!("'{}'", provider.name),
        );
        if provider.begin_stop() {
            finish_stop(machine, &provider);
        } else {
            provider.wait_for_stop(long_patience(machine));
        }
    }
    machine.ndis.registry.lock().providers.remove(&handle);
    machine.trace("netdma", format_args!("'{}' deregistered", provider.name));
}

pub(super) fn notify(machine: &Arc<Machine>, handle: usize, event: &sys::NET_DMA_PNP_NOTIFICATION) {
    let Some(provider) = find(machine, handle, "NetDmaPnPEventNotify") else {
        return;
    };
    let name = &provider.name;
    let size = size_of::<sys::NET_DMA_PNP_NOTIFICATION>() as u32;
    if event.StructureRevision != sys::NET_DMA_PNP_NOTIFICATION_REVISION_1
        || event.StructureSize != size
        || !event.Buffer.is_null()
        || event.BufferLength != 0
    {
        machine.violated(
            &violation::NOTIFICATION,
            format_args!("'{name}': {event:?}"),
        );
        return;
    }
    let powered = match event.NotificationCode {
        sys::NetDmaNotificationProviderPowerDown => false,
        sys::NetDmaNotificationProviderPowerUp => true,
        code => {
            machine.violated(
                &violation::NOTIFICATION_CODE,
                format_args!("'{name}': {code}"),
            );
            return;
        }
    };
    if provider.phase() != Phase::Started {
        machine.violated(
            &violation::NOTIFICATION_PHASE,
            format_args!("'{name}' is not started"),
        );
        return;
    }
    let what = if powered { "up" } else { "down" };
    if !provider.set_power(powered) {
        machine.violated(
            &violation::POWER_ORDER,
            format_args!("'{name}': power {what} twice"),
        );
        return;
    }
    machine.ndis.tell(if powered {
        Notification::PowerUp(provider.id())
    } else {
        Notification::PowerDown(provider.id())
    });
    if !powered {
        if !provider.wait_for_callers(long_patience(machine)) {
            machine.violated(
                &violation::OUTSTANDING,
                format_args!("a handler of '{name}' does not return"),
            );
        }
        for channel in machine.channels_of(&provider) {
            channel.drain(machine);
            channel.forget_list();
        }
    }
    machine.trace("netdma", format_args!("'{name}' power {what}"));
}

/// The channel with this handle; records what is wrong if there is none.
fn find_channel(machine: &Machine, handle: usize, function: &str) -> Option<Arc<Object>> {
    let channel = machine.ndis.registry.lock().channels.get(&handle).cloned();
    if channel.is_none() {
        let what = if machine.ndis.was_given(handle) {
            "a freed one"
        } else {
            "none"
        };
        machine.violated(
            &violation::CHANNEL_HANDLE,
            format_args!("{function} with {handle:#x}, {what}"),
        );
    }
    channel
}

/// `NetDmaIsr`; the processor for the DPC.
pub(super) fn interrupted(machine: &Machine, handle: usize, descriptor: u64) -> u32 {
    find_channel(machine, handle, "NetDmaIsr")
        .map_or(0, |channel| channel.interrupted(machine, descriptor))
}

/// `NetDmaInterruptDpc`.
pub(super) fn deferred(machine: &Machine, handle: usize, descriptor: u64) {
    if let Some(channel) = find_channel(machine, handle, "NetDmaInterruptDpc") {
        channel.deferred(machine, descriptor);
        let completed = machine.ndis.settings.lock().completed.clone();
        if let Some(completed) = completed {
            completed();
        }
    }
}
