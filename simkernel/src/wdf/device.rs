//! WDFDEVICE_INIT and WDFDEVICE.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nmr_netdma::sys;

use super::driver;
use super::interrupt::Interrupt;
use super::object::{self, Attributes, Object, Parent, Payload, Ref, attributes, create};
use super::queue::{Interfaces, Queue};
use super::{Call, DISPATCH, PASSIVE, callback, violation};
use crate::kernel::{Machine, Os};
use crate::platform::Mutex;
use crate::pnp;
use crate::pnp::node::{self, Node};

/// WDFDEVICE_INIT
pub(super) struct DeviceInit {
    node: Arc<Node>,
    settings: Mutex<Settings>,
}

/// What a driver sets before it creates the device.
#[derive(Clone, Copy)]
struct Settings {
    pnp: sys::WDF_PNPPOWER_EVENT_CALLBACKS,
    fdo: sys::WDF_FDO_EVENT_CALLBACKS,
    io_type: i32,
    device_type: u32,
    characteristics: u32,
    exclusive: bool,
    pageable: bool,
    filter: bool,
}

// SAFETY: the pointers in it are callbacks, which any thread may use.
unsafe impl Send for Settings {}
// SAFETY: as for `Send`.
unsafe impl Sync for Settings {}

/// WDFDEVICE
pub(super) struct Device {
    pub(super) node: Arc<Node>,
    settings: Settings,
    fdo: *mut sys::DEVICE_OBJECT,
    /// EvtDriverDeviceAdd is under way.
    adding: AtomicBool,
    /// EvtDeviceSelfManagedIoInit was tried.
    self_managed: AtomicBool,
    /// EvtDeviceSelfManagedIoFlush was called since the device was last up.
    flushed: AtomicBool,
    pub(super) interfaces: Interfaces,
    /// A handle, or 0.
    default_queue: AtomicUsize,
    handle: usize,
    driver: usize,
}

// SAFETY: `fdo` owns what it points to and is only handed out; the other members are shareable.
unsafe impl Send for Device {}
// SAFETY: as for `Send`.
unsafe impl Sync for Device {}

impl Device {
    pub(super) fn pnp(&self) -> &sys::WDF_PNPPOWER_EVENT_CALLBACKS {
        &self.settings.pnp
    }

    pub(super) fn fdo(&self) -> &sys::WDF_FDO_EVENT_CALLBACKS {
        &self.settings.fdo
    }

    pub(super) fn pageable(&self) -> bool {
        self.settings.pageable
    }

    pub(super) fn adding(&self) -> bool {
        self.adding.load(Ordering::Relaxed)
    }

    pub(super) fn self_managed(&self) -> &AtomicBool {
        &self.self_managed
    }

    pub(super) fn flushed(&self) -> &AtomicBool {
        &self.flushed
    }

    pub(super) fn default_queue(&self, machine: &Machine) -> Option<Ref<Queue>> {
        let handle = self.default_queue.load(Ordering::Relaxed);
        Ref::new(machine.wdf.objects.find(handle)?)
    }

    pub(super) fn set_default_queue(&self, handle: usize) {
        self.default_queue.store(handle, Ordering::Relaxed);
    }

    /// Its interrupts in the order of their creation.
    pub(super) fn interrupts(&self, machine: &Machine) -> Vec<Ref<Interrupt>> {
        let object = machine.wdf.objects.find(self.handle);
        object.map_or_else(Vec::new, |object| {
            object.children().into_iter().filter_map(Ref::new).collect()
        })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: WdfDeviceCreate made the pointer from a box, and only this takes it back.
        drop(unsafe { Box::from_raw(self.fdo) });
    }
}

/// The framework object of a device that has one.
pub(super) fn of(machine: &Machine, node: &Node) -> Option<Ref<Device>> {
    Ref::new(machine.wdf.objects.find(node.device())?)
}

/// Calls EvtDriverDeviceAdd. A device that it made and then did not want is deleted.
pub(crate) fn add(machine: &Arc<Machine>, node: &Arc<Node>) -> sys::NTSTATUS {
    let framework = driver::of(machine, &node.driver);
    let Some((framework, add)) =
        framework.and_then(|driver| Some((driver.clone(), driver.config.EvtDriverDeviceAdd?)))
    else {
        machine.trace(
            "pnp",
            format_args!("{}: {} adds no devices", node.name, node.driver.name),
        );
        return sys::STATUS_INVALID_DEVICE_REQUEST;
    };
    let settings = Settings {
        pnp: Default::default(),
        fdo: Default::default(),
        io_type: sys::_WDF_DEVICE_IO_TYPE::WdfDeviceIoBuffered,
        device_type: sys::FILE_DEVICE_UNKNOWN,
        characteristics: sys::FILE_DEVICE_SECURE_OPEN,
        exclusive: false,
        pageable: true,
        filter: false,
    };
    let payload = |_| {
        Payload::DeviceInit(DeviceInit {
            node: Arc::clone(node),
            settings: Mutex::new(settings),
        })
    };
    let init = match create(
        machine,
        Arc::clone(&node.driver),
        None,
        Attributes::default(),
        payload,
    ) {
        Ok(init) => init,
        Err(status) => return status,
    };
    machine.trace(
        "wdf",
        format_args!("{}: EvtDriverDeviceAdd of {}", node.name, node.driver.name),
    );
    let status = callback(
        "EvtDriverDeviceAdd",
        &node.name,
        framework.object().handle,
        0,
        || {
            // SAFETY: the driver gave this routine for its devices; the init handle is good during the call.
            unsafe { add(framework.handle(), ptr::without_provenance_mut(init.handle)) }
        },
    );
    object::delete(machine, &init);
    let device = of(machine, node);
    if let Some(device) = &device {
        device.adding.store(false, Ordering::Relaxed);
        device.initialised();
    }
    if !sys::NT_SUCCESS(status) {
        machine.trace(
            "wdf",
            format_args!(
                "{}: EvtDriverDeviceAdd failed with {}",
                node.name,
                super::status_text(status)
            ),
        );
        if let Some(device) = device {
            delete(machine, &device);
        }
    } else if device.is_none() {
        machine.trace(
            "wdf",
            format_args!("{}: {} made no device", node.name, node.driver.name),
        );
    }
    status
}

impl Ref<Device> {
    /// The device object may be opened from here on.
    fn initialised(&self) {
        // SAFETY: the device owns the device object, and before this nobody else changes its flags.
        unsafe { (*self.fdo).Flags &= !sys::DO_DEVICE_INITIALIZING };
    }
}

/// Detaches a device from its stack and deletes it with all below it.
pub(super) fn delete(machine: &Arc<Machine>, device: &Ref<Device>) {
    object::delete(machine, device.object());
    // SAFETY: the physical device object lives as long as its node, which `device` keeps; the stack has no other user now.
    unsafe { (*device.node.pdo()).AttachedDevice = ptr::null_mut() };
    device.node.set_device(0);
    machine.trace(
        "wdf",
        format_args!("{}: WDFDEVICE deleted", device.node.name),
    );
}

/// Calls `change` with the settings of an init handle.
fn with_settings(call: &Call<'_>, init: sys::PWDFDEVICE_INIT, change: impl FnOnce(&mut Settings)) {
    if let Some(init) = call.object::<DeviceInit>(init) {
        change(&mut init.settings.lock());
    }
}

pub(super) unsafe extern "C" fn init_set_pnp_power_event_callbacks(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    given: sys::PWDF_PNPPOWER_EVENT_CALLBACKS,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetPnpPowerEventCallbacks", DISPATCH)
    else {
        return;
    };
    let sizes: &[u32] = if call.machine.config.os == Os::Win10 {
        &[136, 144]
    } else {
        &[136]
    };
    // SAFETY: the driver passes the structure with its size in it.
    let Some(callbacks) = (unsafe { call.sized_or_named("PnpPowerEventCallbacks", given, sizes) })
    else {
        return;
    };
    with_settings(&call, init, |settings| settings.pnp = callbacks);
}

pub(super) unsafe extern "C" fn init_set_power_policy_event_callbacks(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    given: sys::PWDF_POWER_POLICY_EVENT_CALLBACKS,
) {
    let Some(call) = Call::enter(
        globals,
        "WdfDeviceInitSetPowerPolicyEventCallbacks",
        DISPATCH,
    ) else {
        return;
    };
    // The machine never arms a device for wake, so nothing calls them.
    // SAFETY: the driver passes the structure with its size in it.
    let checked = unsafe { call.sized_or_named("PowerPolicyEventCallbacks", given, &[64]) };
    if checked.is_some() {
        with_settings(&call, init, |_| {});
    }
}

pub(super) unsafe extern "C" fn init_set_power_policy_ownership(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    _owner: sys::BOOLEAN,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetPowerPolicyOwnership", DISPATCH) else {
        return;
    };
    // The machine has no idle policy to own.
    with_settings(&call, init, |_| {});
}

pub(super) unsafe extern "C" fn init_set_io_type(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    io_type: sys::WDF_DEVICE_IO_TYPE,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetIoType", DISPATCH) else {
        return;
    };
    if (1..=3).contains(&io_type) {
        with_settings(&call, init, |settings| settings.io_type = io_type);
    } else {
        call.violated(
            &violation::VALUE,
            format_args!("there is no I/O type {io_type}"),
        );
    }
}

pub(super) unsafe extern "C" fn init_set_exclusive(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    exclusive: sys::BOOLEAN,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetExclusive", DISPATCH) else {
        return;
    };
    with_settings(&call, init, |settings| settings.exclusive = exclusive != 0);
}

pub(super) unsafe extern "C" fn init_set_power_not_pageable(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetPowerNotPageable", DISPATCH) else {
        return;
    };
    with_settings(&call, init, |settings| settings.pageable = false);
}

pub(super) unsafe extern "C" fn init_set_power_pageable(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetPowerPageable", DISPATCH) else {
        return;
    };
    with_settings(&call, init, |settings| settings.pageable = true);
}

pub(super) unsafe extern "C" fn init_set_device_type(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    device_type: sys::ULONG,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetDeviceType", DISPATCH) else {
        return;
    };
    with_settings(&call, init, |settings| settings.device_type = device_type);
}

pub(super) unsafe extern "C" fn init_set_characteristics(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    characteristics: sys::ULONG,
    or: sys::BOOLEAN,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceInitSetCharacteristics", DISPATCH) else {
        return;
    };
    with_settings(&call, init, |settings| {
        let before = if or != 0 { settings.characteristics } else { 0 };
        settings.characteristics = before | characteristics;
    });
}

pub(super) unsafe extern "C" fn fdo_init_wdm_get_physical_device(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
) -> sys::PDEVICE_OBJECT {
    let Some(call) = Call::enter(globals, "WdfFdoInitWdmGetPhysicalDevice", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<DeviceInit>(init)
        .map_or(ptr::null_mut(), |init| init.node.pdo())
}

pub(super) unsafe extern "C" fn fdo_init_set_event_callbacks(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
    given: sys::PWDF_FDO_EVENT_CALLBACKS,
) {
    let Some(call) = Call::enter(globals, "WdfFdoInitSetEventCallbacks", PASSIVE) else {
        return;
    };
    // SAFETY: the driver passes the structure with its size in it.
    let callbacks: Option<sys::WDF_FDO_EVENT_CALLBACKS> =
        unsafe { call.sized_or_named("FdoEventCallbacks", given, &[32]) };
    let Some(callbacks) = callbacks else { return };
    if callbacks.EvtDeviceFilterAddResourceRequirements.is_some()
        && callbacks.EvtDeviceRemoveAddedResources.is_none()
    {
        call.violated(
            &violation::FDO_CALLBACKS,
            format_args!("the whole structure is ignored"),
        );
        return;
    }
    with_settings(&call, init, |settings| settings.fdo = callbacks);
}

pub(super) unsafe extern "C" fn fdo_init_set_filter(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: sys::PWDFDEVICE_INIT,
) {
    let Some(call) = Call::enter(globals, "WdfFdoInitSetFilter", PASSIVE) else {
        return;
    };
    with_settings(&call, init, |settings| settings.filter = true);
}

pub(super) unsafe extern "C" fn device_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    init: *mut sys::PWDFDEVICE_INIT,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFDEVICE,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfDeviceCreate", PASSIVE) {
        Ok(call) => call,
        Err(status) => return status,
    };
    if !call.given("DeviceInit", init) || !call.given("Device", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes the place of its init handle.
    let handle = unsafe { init.read_unaligned() };
    let Some(init_object) = call.object::<DeviceInit>(handle) else {
        return sys::STATUS_INVALID_HANDLE;
    };
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let attributes = match unsafe { attributes(&call, given, Parent::Refused, true) } {
        Ok(attributes) => attributes,
        Err(status) => return status,
    };
    let node = Arc::clone(&init_object.node);
    let driver = Arc::clone(&init_object.object().driver);
    let parent: Option<Arc<Object>> = call.machine.wdf.objects.find(driver.handle());
    let settings = *init_object.settings.lock();
    let fdo = attach(&node, &settings);
    let payload = |handle| {
        Payload::Device(Device {
            node: Arc::clone(&node),
            settings,
            fdo,
            adding: AtomicBool::new(true),
            self_managed: AtomicBool::new(false),
            flushed: AtomicBool::new(false),
            interfaces: Interfaces::default(),
            default_queue: AtomicUsize::new(0),
            handle,
            driver: driver.handle(),
        })
    };
    match create(
        call.machine,
        Arc::clone(&driver),
        parent,
        attributes,
        payload,
    ) {
        Ok(object) => {
            node.set_device(object.handle);
            object::delete(call.machine, init_object.object());
            // SAFETY: the driver passed the place of its init handle, which is used up now.
            unsafe { call.store(init, ptr::null_mut()) };
            // SAFETY: the driver passes a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(object.handle)) };
            call.machine
                .trace("wdf", format_args!("{}: WDFDEVICE created", node.name));
            sys::STATUS_SUCCESS
        }
        Err(status) => {
            // SAFETY: the physical device object lives as long as the node.
            unsafe { (*node.pdo()).AttachedDevice = ptr::null_mut() };
            // SAFETY: `attach` made it from a box, and no device took it over.
            drop(unsafe { Box::from_raw(fdo) });
            status
        }
    }
}

/// Makes the function device object and puts it on top of the physical one.
fn attach(node: &Node, settings: &Settings) -> *mut sys::DEVICE_OBJECT {
    let fdo = node::device_object();
    // SAFETY: it was made just now, and nobody else knows it yet.
    let object = unsafe { &mut *fdo };
    object.DriverObject = node.driver.object();
    object.DeviceType = settings.device_type;
    object.Characteristics = settings.characteristics;
    object.StackSize = 2;
    object.Flags = sys::DO_DEVICE_INITIALIZING
        | if settings.pageable {
            sys::DO_POWER_PAGABLE
        } else {
            0
        }
        | match settings.io_type {
            sys::_WDF_DEVICE_IO_TYPE::WdfDeviceIoBuffered => sys::DO_BUFFERED_IO,
            sys::_WDF_DEVICE_IO_TYPE::WdfDeviceIoDirect => sys::DO_DIRECT_IO,
            _ => 0,
        };
    // SAFETY: the physical device object lives as long as the node, and this thread is the one that builds the stack.
    unsafe { (*node.pdo()).AttachedDevice = fdo };
    fdo
}

pub(super) unsafe extern "C" fn device_get_driver(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
) -> sys::WDFDRIVER {
    let Some(call) = Call::enter(globals, "WdfDeviceGetDriver", DISPATCH) else {
        return ptr::null_mut();
    };
    let device = call.object::<Device>(device);
    device.map_or(ptr::null_mut(), |device| {
        ptr::without_provenance_mut(device.driver)
    })
}

pub(super) unsafe extern "C" fn device_wdm_get_device_object(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
) -> sys::PDEVICE_OBJECT {
    let Some(call) = Call::enter(globals, "WdfDeviceWdmGetDeviceObject", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<Device>(device)
        .map_or(ptr::null_mut(), |device| device.fdo)
}

pub(super) unsafe extern "C" fn device_wdm_get_attached_device(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
) -> sys::PDEVICE_OBJECT {
    let Some(call) = Call::enter(globals, "WdfDeviceWdmGetAttachedDevice", DISPATCH) else {
        return ptr::null_mut();
    };
    // The bus is the only one below.
    call.object::<Device>(device)
        .map_or(ptr::null_mut(), |device| device.node.pdo())
}

pub(super) unsafe extern "C" fn device_wdm_get_physical_device(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
) -> sys::PDEVICE_OBJECT {
    let Some(call) = Call::enter(globals, "WdfDeviceWdmGetPhysicalDevice", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<Device>(device)
        .map_or(ptr::null_mut(), |device| device.node.pdo())
}

pub(super) unsafe extern "C" fn wdm_device_get_wdf_device_handle(
    globals: sys::PWDF_DRIVER_GLOBALS,
    object: sys::PDEVICE_OBJECT,
) -> sys::WDFDEVICE {
    let Some(call) = Call::enter(globals, "WdfWdmDeviceGetWdfDeviceHandle", DISPATCH) else {
        return ptr::null_mut();
    };
    let all = call.machine.wdf.objects.all();
    let device = all
        .into_iter()
        .filter_map(Ref::<Device>::new)
        .find(|device| device.fdo == object);
    device.map_or(ptr::null_mut(), |device| device.handle())
}

pub(super) unsafe extern "C" fn device_set_failed(
    globals: sys::PWDF_DRIVER_GLOBALS,
    device: sys::WDFDEVICE,
    action: sys::WDF_DEVICE_FAILED_ACTION,
) {
    let Some(call) = Call::enter(globals, "WdfDeviceSetFailed", DISPATCH) else {
        return;
    };
    let Some(device) = call.object::<Device>(device) else {
        return;
    };
    if !(1..=2).contains(&action) {
        call.violated(
            &violation::VALUE,
            format_args!("there is no action {action}"),
        );
        return;
    }
    if device.node.set_failed() {
        call.machine.trace(
            "wdf",
            format_args!("{}: failed, says its driver", device.node.name),
        );
        let node = Arc::clone(&device.node);
        let machine = Arc::clone(call.machine);
        super::defer(call.machine, move || pnp::tear_down(&machine, &node));
    }
}
