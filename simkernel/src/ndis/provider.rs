//! A registered provider: checks at registration, its phases, and who is calling it.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::time::Duration;

use nmr_netdma::sys;

use super::channel::Object;
use super::handlers::Handlers;
use super::{ProviderId, ProviderInfo, violation};
use crate::kernel::Machine;
use crate::platform::{self, Condvar, Mutex};
use crate::verifier::Rule;

/// Where a provider is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Registered,
    Started,
    /// NetDmaProviderStop has been called and has not returned.
    Stopping,
}

/// What a provider said when it was started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes {
    pub(super) channels: u32,
    pub(super) maximum_transfer: u32,
}

struct Condition {
    phase: Phase,
    powered: bool,
    attributes: Option<Attributes>,
    /// Threads of the client side that use the provider now. Stop waits for them.
    callers: usize,
    /// Channels opened so far, to number them.
    opened: u32,
}

pub(super) struct Provider {
    pub(super) handle: usize,
    pub(super) name: String,
    pub(super) version: (u8, u8),
    pub(super) direct_cache_access: bool,
    /// The address of its physical device object.
    pub(super) device: usize,
    pub(super) maximum_channels: u32,
    pub(super) affinity: Vec<Option<u32>>,
    pub(super) handlers: Handlers,
    condition: Mutex<Condition>,
    changed: Condvar,
}

/// While it exists, the provider is started and does not finish stopping.
pub(super) struct Caller<'a>(&'a Provider);

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.condition.lock().callers -= 1;
        self.0.changed.notify_all();
    }
}

impl Provider {
    pub(super) fn new(
        handle: usize,
        name: String,
        context: *mut c_void,
        characteristics: &sys::NET_DMA_PROVIDER_CHARACTERISTICS,
    ) -> Self {
        Self {
            handle,
            version: (characteristics.MajorVersion, characteristics.MinorVersion),
            direct_cache_access: characteristics.Flags
                & sys::NET_DMA_PROVIDER_CHARACTERISTICS_DCA_SUPPORTED
                != 0,
            device: characteristics.PhysicalDeviceObject.addr(),
            maximum_channels: characteristics.MaxDmaChannelCount,
            affinity: Vec::new(),
            handlers: Handlers::new(format!("'{name}'"), handle, context, characteristics),
            name,
            condition: Mutex::new(Condition {
                phase: Phase::Registered,
                powered: true,
                attributes: None,
                callers: 0,
                opened: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Whether chains are counted and never end; before, they end with a null link.
    pub(super) fn counts_chains(&self) -> bool {
        self.version.0 >= 2
    }

    pub(super) fn info(&self) -> ProviderInfo {
        let condition = self.condition.lock();
        ProviderInfo {
            id: self.id(),
            name: self.name.clone(),
            version: self.version,
            started: condition.phase == Phase::Started,
            direct_cache_access: self.direct_cache_access,
            channels: condition
                .attributes
                .map_or(0, |attributes| attributes.channels),
            maximum_transfer: condition
                .attributes
                .map_or(0, |attributes| attributes.maximum_transfer),
            affinity: self.affinity.clone(),
        }
    }

    pub(super) fn id(&self) -> ProviderId {
        ProviderId(self.handle)
    }

    /// The channels that the provider was started with.
    pub(super) fn channels(&self) -> u32 {
        self.condition
            .lock()
            .attributes
            .map_or(0, |attributes| attributes.channels)
    }

    /// A number for a new channel.
    pub(super) fn number_channel(&self) -> u32 {
        let mut condition = self.condition.lock();
        condition.opened += 1;
        condition.opened - 1
    }

    /// Lets the caller use the provider, if it is started and its device has power.
    pub(super) fn admit(&self) -> Result<Caller<'_>, sys::NTSTATUS> {
        self.admit_if(|condition| condition.phase == Phase::Started && condition.powered)
    }

    /// Lets the caller free a channel, which needs no power.
    pub(super) fn admit_to_free(&self) -> Result<Caller<'_>, sys::NTSTATUS> {
        self.admit_if(|condition| condition.phase == Phase::Started)
    }

    fn admit_if(
        &self,
        admitted: impl FnOnce(&Condition) -> bool,
    ) -> Result<Caller<'_>, sys::NTSTATUS> {
        let mut condition = self.condition.lock();
        if !admitted(&condition) {
            return Err(sys::STATUS_DEVICE_NOT_READY);
        }
        condition.callers += 1;
        Ok(Caller(self))
    }

    /// Whether those that were admitted may go on.
    pub(super) fn open_for_work(&self) -> bool {
        let condition = self.condition.lock();
        condition.phase == Phase::Started && condition.powered
    }

    /// Registered -> started; whether it was registered.
    pub(super) fn start(&self, attributes: Attributes) -> bool {
        let mut condition = self.condition.lock();
        let registered = condition.phase == Phase::Registered;
        if registered {
            condition.phase = Phase::Started;
            condition.powered = true;
            condition.attributes = Some(attributes);
        }
        registered
    }

    /// Started -> stopping; whether it was started.
    pub(super) fn begin_stop(&self) -> bool {
        let mut condition = self.condition.lock();
        let started = condition.phase == Phase::Started;
        if started {
            condition.phase = Phase::Stopping;
        }
        started
    }

    /// Stopping -> registered.
    pub(super) fn end_stop(&self) {
        self.condition.lock().phase = Phase::Registered;
        self.changed.notify_all();
    }

    pub(super) fn phase(&self) -> Phase {
        self.condition.lock().phase
    }

    /// Sets whether the device has power; whether that changed anything.
    pub(super) fn set_power(&self, powered: bool) -> bool {
        let mut condition = self.condition.lock();
        let changed = condition.powered != powered;
        condition.powered = powered;
        changed
    }

    /// Waits until nobody uses the provider any more; whether that came within `patience`.
    pub(super) fn wait_for_callers(&self, patience: Duration) -> bool {
        self.wait_until(patience, |condition| condition.callers == 0)
    }

    /// Waits for a stop that another thread is in; whether it ended within `patience`.
    pub(super) fn wait_for_stop(&self, patience: Duration) -> bool {
        self.wait_until(patience, |condition| condition.phase != Phase::Stopping)
    }

    fn wait_until(&self, patience: Duration, done: impl Fn(&Condition) -> bool) -> bool {
        let deadline = super::deadline(patience);
        let mut condition = self.condition.lock();
        while !done(&condition) {
            let now = platform::now();
            if now >= deadline {
                return false;
            }
            condition = self
                .changed
                .wait_timeout(condition, Duration::from_nanos(deadline - now));
        }
        true
    }
}

/// What is wrong with `characteristics`, of which the first `Size` bytes were given.
pub(super) fn refusal(
    machine: &Arc<Machine>,
    interface: (u8, u8),
    characteristics: &sys::NET_DMA_PROVIDER_CHARACTERISTICS,
) -> Option<(&'static Rule, String)> {
    let version = (characteristics.MajorVersion, characteristics.MinorVersion);
    let (major, minor) = version;
    if !matches!(version, (1, 0..=1) | (2, 0..=1)) || version > interface {
        let detail = format!(
            "{major}.{minor}, the interface is {}.{}",
            interface.0, interface.1
        );
        return Some((&violation::VERSION, detail));
    }
    let allowed = match version {
        (1, _) => 0,
        (2, 0) => sys::NET_DMA_PROVIDER_CHARACTERISTICS_DCA_SUPPORTED,
        _ => {
            sys::NET_DMA_PROVIDER_CHARACTERISTICS_DCA_SUPPORTED
                | sys::NET_DMA_PROVIDER_SUPPORTS_PROC_GROUPS
        }
    };
    if characteristics.Flags & !allowed != 0 {
        return Some((
            &violation::FLAGS,
            format!("{:#x} in version {major}.{minor}", characteristics.Flags),
        ));
    }
    let handlers = [
        (
            "SetDmaChannelCpuAffinity",
            characteristics.SetDmaChannelCpuAffinity.is_some(),
        ),
        (
            "AllocateDmaChannel",
            characteristics.AllocateDmaChannel.is_some(),
        ),
        ("FreeDmaChannel", characteristics.FreeDmaChannel.is_some()),
        ("StartDma", characteristics.StartDma.is_some()),
        ("AppendDma", characteristics.AppendDma.is_some()),
    ];
    if let Some((name, _)) = handlers.iter().find(|(_, there)| !there) {
        return Some((&violation::HANDLERS, format!("{name} is null")));
    }
    if characteristics.SuspendDma.is_some() && characteristics.ResumeDma.is_none() {
        return Some((
            &violation::SUSPEND_RESUME,
            "SuspendDma without ResumeDma".into(),
        ));
    }
    if characteristics.MaxDmaChannelCount == 0 {
        return Some((&violation::CHANNEL_COUNT, "MaxDmaChannelCount is 0".into()));
    }
    if crate::pnp::message_count(machine, characteristics.PhysicalDeviceObject).is_none() {
        return Some((
            &violation::PHYSICAL_DEVICE,
            format!("{:p} is none", characteristics.PhysicalDeviceObject),
        ));
    }
    None
}

impl Machine {
    /// The channels of `provider`, in order of allocation.
    pub(super) fn channels_of(&self, provider: &Provider) -> Vec<Arc<Object>> {
        let registry = self.ndis.registry.lock();
        registry
            .channels
            .values()
            .filter(|channel| channel.provider.handle == provider.handle)
            .cloned()
            .collect()
    }
}
