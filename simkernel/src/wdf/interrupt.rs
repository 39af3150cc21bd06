//! WDFINTERRUPT: creation, policy, assignment, connection, service.
//!
//! # Design
//!
//! The service routine, enable, disable and synchronise callbacks of an interrupt exclude each other by its lock and run at
//! the highest level of the interrupts that share the lock. Disconnecting takes the lock to close the gate, so that no
//! service routine is running or will run when it returns, and flushes the DPCs before and after.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ptr;

use nmr_netdma::sys;

use super::deferred::Kdpc;
use super::device::Device;
use super::locks::{InterruptLock, SpinLock};
use super::object::{Kind, Parent, Payload, Ref, attributes, create};
use super::{Call, DEVICE, DISPATCH, PASSIVE, callback, function_count, violation};
use crate::ke;
use crate::kernel::{self, Machine, Os};
use crate::platform::Mutex;
use crate::pnp::descriptors::{CmDescriptor, INTERRUPT_LATCHED, INTERRUPT_MESSAGE, Requirements};
use crate::pnp::interrupt::Vector;
use crate::pnp::node::Node;

/// WDFINTERRUPT
pub(super) struct Interrupt {
    pub(super) node: Arc<Node>,
    /// The WDFDEVICE.
    device: usize,
    /// Creation index, and what the service routine gets as message.
    number: u32,
    config: sys::WDF_INTERRUPT_CONFIG,
    lock: Arc<InterruptLock>,
    dpc: Kdpc,
    state: Mutex<State>,
}

// SAFETY: the pointers in `config` are callbacks and handles, which any thread may use.
unsafe impl Send for Interrupt {}
// SAFETY: as for `Send`; the rest is locked or does not change.
unsafe impl Sync for Interrupt {}

#[derive(Default)]
struct State {
    policy: Option<Policy>,
    assigned: Option<(CmDescriptor, Arc<Vector>)>,
    connected: bool,
    enabled: bool,
    /// Level before WdfInterruptAcquireLock; belongs to who holds the lock.
    level: u8,
}

/// What WdfInterruptSetPolicy was told.
#[derive(Clone, Copy)]
struct Policy {
    policy: u16,
    group: u16,
    priority: u32,
    targets: u64,
}

impl Interrupt {
    fn connected(&self) -> bool {
        self.state.lock().connected
    }

    fn device(&self) -> sys::WDFDEVICE {
        ptr::without_provenance_mut(self.device)
    }

    /// Before the object goes.
    pub(super) fn rundown(&self, machine: &Arc<Machine>) {
        self.dpc.remove();
        ke::flush_dpcs(machine);
    }

    /// Forgets what was assigned.
    pub(super) fn clear(&self) {
        self.state.lock().assigned = None;
        self.lock.forget_irql();
    }

    fn assign(&self, translated: CmDescriptor, vector: &Arc<Vector>) {
        self.lock.raise_irql(vector.irql);
        self.state.lock().assigned = Some((translated, Arc::clone(vector)));
    }
}

/// Gives the assigned interrupts to the objects: the n-th to the n-th object created. A descriptor of MSI stands for several.
pub(super) fn assign(
    interrupts: &[Ref<Interrupt>],
    [raw, translated]: [&[CmDescriptor]; 2],
    vectors: &[Arc<Vector>],
) {
    for interrupt in interrupts {
        interrupt.clear();
    }
    let descriptors = raw
        .iter()
        .zip(translated)
        .filter(|(_, translated)| translated.is_interrupt())
        .flat_map(|(raw, translated)| {
            let message = translated.flags() & INTERRUPT_MESSAGE != 0;
            let count = if message { raw.message_count() } else { 1 };
            core::iter::repeat_n(*translated, usize::from(count))
        });
    for ((interrupt, descriptor), vector) in interrupts.iter().zip(descriptors).zip(vectors) {
        interrupt.assign(descriptor.with_vector(vector.vector), vector);
    }
}

/// The framework's own pass over the requirements: writes the objects' policies into descriptors that have none yet.
pub(super) fn apply_policies(interrupts: &[Ref<Interrupt>], requirements: &mut Requirements) {
    for list in &mut requirements.alternatives {
        // Messages and lines are counted on their own, each from the first object; an alternative goes with the one before it.
        let mut next = [0_usize, 0];
        let mut messages = 0;
        for descriptor in list
            .iter_mut()
            .filter(|descriptor| descriptor.is_interrupt())
        {
            let message = descriptor.is_message();
            let cursor = &mut next[usize::from(!message)];
            let index = match (message, descriptor.is_alternative()) {
                // The line that stands for the messages.
                (false, true) if messages > 0 && *cursor == 0 => 0,
                (_, true) => cursor.saturating_sub(1),
                (_, false) => {
                    *cursor += 1;
                    *cursor - 1
                }
            };
            messages += u32::from(message);
            let Some(interrupt) = interrupts.get(index) else {
                continue;
            };
            match interrupt.config.ShareVector {
                sys::_WDF_TRI_STATE::WdfTrue => descriptor.set_share(3),
                sys::_WDF_TRI_STATE::WdfFalse => descriptor.set_share(1),
                _ => {}
            }
            let policy = interrupt.state.lock().policy;
            if let Some(Policy {
                policy,
                group,
                priority,
                targets,
            }) = policy
                && !descriptor.has_policy()
            {
                descriptor.set_policy(policy, group, priority, targets);
            }
        }
    }
}

/// Connects an interrupt and calls EvtInterruptEnable; an object that was assigned nothing is left alone.
pub(super) fn connect(machine: &Machine, interrupt: &Ref<Interrupt>) -> sys::NTSTATUS {
    let vector = {
        let mut state = interrupt.state.lock();
        let Some((_, vector)) = state.assigned.clone() else {
            return sys::STATUS_SUCCESS;
        };
        if state.connected {
            None
        } else {
            state.connected = true;
            Some(vector)
        }
    };
    if let Some(vector) = vector {
        let served = interrupt.clone();
        vector.connect(Box::new(move || serve(&served)));
        machine.trace(
            "wdf",
            format_args!(
                "{}: interrupt {} connected to vector 0x{:X}",
                interrupt.node.name, interrupt.number, vector.vector
            ),
        );
    }
    let status = enable(interrupt);
    if sys::NT_SUCCESS(status) {
        interrupt.state.lock().enabled = true;
    } else {
        machine.trace(
            "wdf",
            format_args!(
                "{}: EvtInterruptEnable failed with {}",
                interrupt.node.name,
                super::status_text(status)
            ),
        );
    }
    status
}

/// The interrupt's service, on the processor that took it.
fn serve(interrupt: &Ref<Interrupt>) -> bool {
    let claimed = interrupt.lock.synchronized(|| {
        if !interrupt.connected() {
            return false;
        }
        let Some(isr) = interrupt.config.EvtInterruptIsr else {
            return false;
        };
        kernel::in_callback(
            kernel::current(),
            "EvtInterruptIsr",
            interrupt.node.name.as_str(),
            interrupt.object().handle,
            || {
                // SAFETY: the driver gave this routine for this interrupt, whose object `interrupt` keeps; it runs at the
                // interrupt's level with its lock held.
                unsafe { isr(interrupt.handle(), interrupt.number) != 0 }
            },
        )
    });
    claimed.unwrap_or(false)
}

fn enable(interrupt: &Ref<Interrupt>) -> sys::NTSTATUS {
    let Some(enable) = interrupt.config.EvtInterruptEnable else {
        return sys::STATUS_SUCCESS;
    };
    let status = interrupt.lock.synchronized(|| {
        callback(
            "EvtInterruptEnable",
            &interrupt.node.name,
            interrupt.object().handle,
            ke::irql(),
            || {
                // SAFETY: the driver gave this callback for this interrupt, and its level and lock are taken.
                unsafe { enable(interrupt.handle(), interrupt.device()) }
            },
        )
    });
    status.unwrap_or(sys::STATUS_INVALID_DEVICE_STATE)
}

fn disable(machine: &Machine, interrupt: &Ref<Interrupt>) {
    let Some(disable) = interrupt.config.EvtInterruptDisable else {
        return;
    };
    let status = interrupt.lock.synchronized(|| {
        callback(
            "EvtInterruptDisable",
            &interrupt.node.name,
            interrupt.object().handle,
            ke::irql(),
            || {
                // SAFETY: the driver gave this callback for this interrupt, and its level and lock are taken.
                unsafe { disable(interrupt.handle(), interrupt.device()) }
            },
        )
    });
    if let Some(status) = status.filter(|status| !sys::NT_SUCCESS(*status)) {
        // Recorded, and on it goes.
        machine.trace(
            "wdf",
            format_args!(
                "{}: EvtInterruptDisable failed with {}",
                interrupt.node.name,
                super::status_text(status)
            ),
        );
    }
}

/// Disables an interrupt, flushes its DPC and, unless it is to `stay` connected, disconnects it.
pub(super) fn disconnect(machine: &Arc<Machine>, interrupt: &Ref<Interrupt>, stay: bool) {
    let (enabled, vector) = {
        let mut state = interrupt.state.lock();
        if !state.connected {
            return;
        }
        (
            core::mem::take(&mut state.enabled),
            state
                .assigned
                .as_ref()
                .map(|(_, vector)| Arc::clone(vector)),
        )
    };
    if enabled {
        disable(machine, interrupt);
    }
    ke::flush_dpcs(machine);
    if stay {
        return;
    }
    if let Some(vector) = &vector {
        vector.disconnect();
    }
    interrupt
        .lock
        .synchronized(|| interrupt.state.lock().connected = false);
    ke::flush_dpcs(machine);
    if let Some(vector) = &vector {
        machine.trace(
            "wdf",
            format_args!(
                "{}: interrupt {} disconnected from vector 0x{:X}",
                interrupt.node.name, interrupt.number, vector.vector
            ),
        );
    }
}

unsafe extern "C" fn run_dpc(
    _dpc: *mut sys::KDPC,
    context: sys::PVOID,
    _first: sys::PVOID,
    _second: sys::PVOID,
) {
    let object = kernel::machine().wdf.objects.find(context.addr());
    let Some(interrupt) = object.and_then(Ref::<Interrupt>::new) else {
        return;
    };
    if let Some(routine) = interrupt.config.EvtInterruptDpc {
        callback(
            "EvtInterruptDpc",
            &interrupt.node.name,
            context.addr(),
            ke::irql(),
            || {
                // SAFETY: the driver gave this routine for this interrupt, whose object `interrupt` keeps.
                unsafe { routine(interrupt.handle(), interrupt.device().cast()) }
            },
        );
    }
}

pub(super) unsafe extern "C" fn interrupt_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
    config: sys::PWDF_INTERRUPT_CONFIG,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFINTERRUPT,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfInterruptCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let Some(device) = call.object::<Device>(device) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    if !call.given("Interrupt", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    let sizes: &[u32] = if call.machine.config.os == Os::Win10 {
        &[56, 96, 104]
    } else {
        &[56]
    };
    // SAFETY: the driver passes WDF_INTERRUPT_CONFIG, as the page of WdfInterruptCreate demands.
    let config = match unsafe { call.sized("Configuration", config, sizes) } {
        Ok(config) => config,
        Err(status) => return status,
    };
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let attributes = match unsafe { attributes(&call, given, Parent::Refused, false) } {
        Ok(attributes) => attributes,
        Err(status) => return status,
    };
    let both = config.EvtInterruptDpc.is_some() && config.EvtInterruptWorkItem.is_some();
    let descriptors = !config.InterruptRaw.is_null() || !config.InterruptTranslated.is_null();
    if config.EvtInterruptIsr.is_none()
        || both
        || !config.WaitLock.is_null() && config.PassiveHandling == 0
    {
        return sys::STATUS_INVALID_PARAMETER;
    }
    if config.EvtInterruptWorkItem.is_some() || config.PassiveHandling != 0 {
        call.violated(
            &violation::NOT_SIMULATED,
            format_args!("passive-level interrupts are not simulated"),
        );
        return sys::STATUS_NOT_IMPLEMENTED;
    }
    if !device.adding() {
        return sys::STATUS_INVALID_DEVICE_STATE;
    }
    if descriptors {
        return sys::STATUS_INVALID_PARAMETER;
    }
    let lock = if config.SpinLock.is_null() {
        Arc::default()
    } else {
        match call.object::<SpinLock>(config.SpinLock) {
            Some(lock) => lock.for_interrupt(),
            None => return sys::STATUS_INVALID_HANDLE,
        }
    };
    let parent = Arc::clone(device.object());
    let number = device.interrupts(call.machine).len() as u32;
    let payload = |_| {
        Payload::Interrupt(Interrupt {
            node: Arc::clone(&device.node),
            device: parent.handle,
            number,
            config,
            lock,
            dpc: Kdpc::default(),
            state: Mutex::default(),
        })
    };
    match create(
        call.machine,
        Arc::clone(&parent.driver),
        Some(Arc::clone(&parent)),
        attributes,
        payload,
    ) {
        Ok(object) => {
            if let Some(interrupt) = Interrupt::of(&object.payload) {
                interrupt.dpc.initialise(Some(run_dpc), object.handle);
            }
            // SAFETY: the driver passes a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(object.handle)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn interrupt_queue_dpc_for_isr(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
) -> sys::BOOLEAN {
    let Some(call) = Call::enter(globals, "WdfInterruptQueueDpcForIsr", DEVICE) else {
        return 0;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return 0;
    };
    if interrupt.config.EvtInterruptDpc.is_none() {
        call.violated(
            &violation::VALUE,
            format_args!("the interrupt has no EvtInterruptDpc"),
        );
        return 0;
    }
    interrupt.dpc.queue().into()
}

pub(super) unsafe extern "C" fn interrupt_synchronize(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
    routine: sys::PFN_WDF_INTERRUPT_SYNCHRONIZE,
    context: sys::WDFCONTEXT,
) -> sys::BOOLEAN {
    let Some(call) = Call::enter(globals, "WdfInterruptSynchronize", DISPATCH) else {
        return 0;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return 0;
    };
    let Some(routine) = routine else {
        call.violated(&violation::NULL, format_args!("Callback is NULL"));
        return 0;
    };
    if !is_connected(&call, &interrupt) {
        return 0;
    }
    let result = interrupt.lock.synchronized(|| {
        callback(
            "EvtInterruptSynchronize",
            &interrupt.node.name,
            interrupt.object().handle,
            ke::irql(),
            || {
                // SAFETY: the driver passes its routine and what the routine wants, for this call.
                unsafe { routine(interrupt.handle(), context) }
            },
        )
    });
    result.unwrap_or(0)
}

fn is_connected(call: &Call<'_>, interrupt: &Ref<Interrupt>) -> bool {
    let connected = interrupt.connected();
    if !connected {
        call.violated(
            &violation::NOT_CONNECTED,
            format_args!(
                "interrupt {} of {} is not connected",
                interrupt.number, interrupt.node.name
            ),
        );
    }
    connected
}

pub(super) unsafe extern "C" fn interrupt_acquire_lock(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
) {
    let Some(call) = Call::enter(globals, "WdfInterruptAcquireLock", DEVICE) else {
        return;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return;
    };
    // As in the framework, there is no lock to take before the interrupt is connected.
    if !interrupt.connected() {
        return;
    }
    // SAFETY: raising to a device level is allowed from every level that was checked on entry, and release restores it.
    let level = unsafe { sys::KfRaiseIrql(interrupt.lock.irql().max(ke::irql())) };
    if interrupt.lock.acquire() {
        interrupt.state.lock().level = level;
    } else {
        // SAFETY: the level is the one from before the raise above.
        unsafe { sys::KeLowerIrql(level) };
    }
}

pub(super) unsafe extern "C" fn interrupt_release_lock(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
) {
    let Some(call) = Call::enter(globals, "WdfInterruptReleaseLock", DEVICE) else {
        return;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return;
    };
    if !interrupt.connected() {
        return;
    }
    let level = interrupt.state.lock().level;
    if interrupt.lock.release() {
        // SAFETY: this is the level from which the lock was acquired, and the lock was held until just now.
        unsafe { sys::KeLowerIrql(level) };
    } else {
        call.violated(
            &violation::LOCK,
            format_args!("the thread does not hold the lock"),
        );
    }
}

pub(super) unsafe extern "C" fn interrupt_enable(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
) {
    let Some(call) = Call::enter(globals, "WdfInterruptEnable", PASSIVE) else {
        return;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return;
    };
    if is_connected(&call, &interrupt) && sys::NT_SUCCESS(enable(&interrupt)) {
        interrupt.state.lock().enabled = true;
    }
}

pub(super) unsafe extern "C" fn interrupt_disable(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
) {
    let Some(call) = Call::enter(globals, "WdfInterruptDisable", PASSIVE) else {
        return;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return;
    };
    if is_connected(&call, &interrupt) {
        interrupt.state.lock().enabled = false;
        disable(call.machine, &interrupt);
    }
}

pub(super) unsafe extern "C" fn interrupt_get_info(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
    result: sys::PWDF_INTERRUPT_INFO,
) {
    let Some(call) = Call::enter(globals, "WdfInterruptGetInfo", DISPATCH) else {
        return;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return;
    };
    let sizes: &[u32] = if function_count(call.machine.config.os) == 387 {
        &[56]
    } else {
        &[56, 64]
    };
    // SAFETY: the driver passes WDF_INTERRUPT_INFO with its size in it, as the page of WdfInterruptGetInfo demands.
    let Some(given) = (unsafe { call.sized_or_named("Info", result, sizes) }) else {
        return;
    };
    let mut info = sys::WDF_INTERRUPT_INFO {
        Size: given.Size,
        MessageNumber: interrupt.number,
        ..Default::default()
    };
    if let Some((descriptor, _)) = &interrupt.state.lock().assigned {
        info.TargetProcessorSet = descriptor.affinity();
        info.Group = descriptor.group();
        info.Vector = descriptor.vector();
        info.Irql = descriptor.level() as u8;
        info.Mode = i32::from(descriptor.flags() & INTERRUPT_LATCHED != 0);
        info.MessageSignaled = u8::from(descriptor.flags() & INTERRUPT_MESSAGE != 0);
        info.ShareDisposition = descriptor.share();
    }
    // SAFETY: the driver's structure is `Size` bytes long, which is no more than ours, and is no local of this function.
    unsafe {
        ptr::copy_nonoverlapping(
            (&raw const info).cast::<u8>(),
            result.cast::<u8>(),
            given.Size as usize,
        )
    };
}

pub(super) unsafe extern "C" fn interrupt_set_policy(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
    policy: sys::WDF_INTERRUPT_POLICY,
    priority: sys::WDF_INTERRUPT_PRIORITY,
    targets: sys::KAFFINITY,
) {
    let Some(call) = Call::enter(globals, "WdfInterruptSetPolicy", DISPATCH) else {
        return;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return;
    };
    set_policy(&call, &interrupt, policy, priority, 0, targets);
}

pub(super) unsafe extern "C" fn interrupt_set_extended_policy(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
    given: sys::PWDF_INTERRUPT_EXTENDED_POLICY,
) {
    let Some(call) = Call::enter(globals, "WdfInterruptSetExtendedPolicy", DISPATCH) else {
        return;
    };
    let Some(interrupt) = call.object::<Interrupt>(interrupt) else {
        return;
    };
    if !call.has_slot(&interrupt.object().driver, 389) {
        return;
    }
    // SAFETY: the driver passes WDF_INTERRUPT_EXTENDED_POLICY, as the page of WdfInterruptSetExtendedPolicy demands.
    let Some(given) = (unsafe { call.sized_or_named("PolicyAndGroup", given, &[32]) }) else {
        return;
    };
    let targets = given.TargetProcessorSetAndGroup;
    if targets.Reserved != [0; 3] {
        call.violated(
            &violation::VALUE,
            format_args!("a reserved member of the affinity is not 0"),
        );
        return;
    }
    set_policy(
        &call,
        &interrupt,
        given.Policy,
        given.Priority,
        targets.Group,
        targets.Mask,
    );
}

fn set_policy(
    call: &Call<'_>,
    interrupt: &Ref<Interrupt>,
    policy: i32,
    priority: i32,
    group: u16,
    targets: u64,
) {
    if !(0..=5).contains(&policy) || !(1..=3).contains(&priority) {
        call.violated(
            &violation::VALUE,
            format_args!(
                "policy {policy} is not in 0..=5, or priority {priority} is not in 1..=3: no effect"
            ),
        );
        return;
    }
    let (policy, priority) = (policy as u16, priority as u32);
    interrupt.state.lock().policy = Some(Policy {
        policy,
        group,
        priority,
        targets,
    });
}

pub(super) unsafe extern "C" fn interrupt_get_device(
    globals: sys::PWDF_DRIVER_GLOBALS,
    interrupt: sys::WDFINTERRUPT,
) -> sys::WDFDEVICE {
    let Some(call) = Call::enter(globals, "WdfInterruptGetDevice", DEVICE) else {
        return ptr::null_mut();
    };
    call.object::<Interrupt>(interrupt)
        .map_or(ptr::null_mut(), |interrupt| interrupt.device())
}
