//! The function table, the variables of the entry stub, and the loader's two functions.
//!
//! # Design
//!
//! In a host process there is no entry stub that binds a driver, so this file plays it: [`WdfFunctions`] points to the one
//! table and [`WdfDriverGlobals`] to one block of globals, both of which live as long as the process and never change. A
//! driver with a stub of its own calls [`WdfVersionBind`] and gets what Windows gives it: a copy of the table, or its
//! address, and globals of its own.
//!
//! Every slot holds a function. One that is not simulated records the call by its name or number and answers
//! `STATUS_NOT_IMPLEMENTED`, or 0 if it has no status to answer with.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr;

use nmr_netdma::sys;

use super::{
    Call, PASSIVE, deferred, device, driver, function_count, interrupt, locks, object, queue,
    registry, request, resources, violation,
};
use crate::ke;
use crate::kernel::{self, Machine};
use crate::platform::Mutex;
use crate::pnp;
use crate::pnp::driver::Driver;

/// Slots of the newest table, that of KMDF 1.31 and 1.33.
const SLOTS: usize = 458;

/// The numbers of functions that frameworks were released with.
const RELEASED: [u32; 13] = [
    383, 386, 387, 396, 432, 438, 444, 446, 448, 451, 453, 454, 458,
];

/// Up to here a driver's table is an array that the framework fills, above one pointer to the framework's table.
const LAST_ARRAY: u32 = 438;

/// Functions that are not simulated: slot, name, and whether they return a status.
const NOT_SIMULATED: &[(usize, &str, bool)] = &[
    (25, "WdfControlDeviceInitAllocate", false),
    (27, "WdfControlFinishInitializing", false),
    (28, "WdfDeviceGetDeviceState", false),
    (29, "WdfDeviceSetDeviceState", false),
    (42, "WdfDeviceGetIoTarget", false),
    (46, "WdfDeviceAssignS0IdleSettings", true),
    (48, "WdfDeviceOpenRegistryKey", true),
    (54, "WdfDeviceInitFree", false),
    (65, "WdfDeviceInitSetPowerInrush", false),
    (67, "WdfDeviceInitAssignName", true),
    (68, "WdfDeviceInitAssignSDDLString", true),
    (69, "WdfDeviceInitSetDeviceClass", false),
    (71, "WdfDeviceInitSetFileObjectConfig", false),
    (72, "WdfDeviceInitSetRequestAttributes", false),
    (73, "WdfDeviceInitAssignWdmIrpPreprocessCallback", true),
    (78, "WdfDeviceSetDeviceInterfaceState", false),
    (80, "WdfDeviceCreateSymbolicLink", true),
    (81, "WdfDeviceQueryProperty", true),
    (82, "WdfDeviceAllocAndQueryProperty", true),
    (83, "WdfDeviceSetPnpCapabilities", false),
    (84, "WdfDeviceSetPowerCapabilities", false),
    (88, "WdfDeviceStopIdleNoTrack", true),
    (89, "WdfDeviceResumeIdleNoTrack", false),
    (92, "WdfDeviceGetDefaultQueue", false),
    (93, "WdfDeviceConfigureRequestDispatching", true),
    (122, "WdfDriverRetrieveVersionString", true),
    (125, "WdfFdoInitOpenRegistryKey", true),
    (126, "WdfFdoInitQueryProperty", true),
    (127, "WdfFdoInitAllocAndQueryProperty", true),
    (131, "WdfFdoQueryForInterface", true),
    (148, "WdfInterruptWdmGetInterrupt", false),
    (153, "WdfIoQueueGetState", false),
    (154, "WdfIoQueueStart", false),
    (155, "WdfIoQueueStop", false),
    (156, "WdfIoQueueStopSynchronously", false),
    (157, "WdfIoQueueGetDevice", false),
    (164, "WdfIoQueuePurgeSynchronously", false),
    (194, "WdfMemoryGetBuffer", false),
    (201, "WdfDriverMiniportUnload", false),
    (209, "WdfObjectQuery", true),
    (228, "WdfDeviceAddQueryInterface", true),
    (229, "WdfRegistryOpenKey", true),
    (230, "WdfRegistryCreateKey", true),
    (232, "WdfRegistryWdmGetHandle", false),
    (238, "WdfRegistryQueryUnicodeString", true),
    (240, "WdfRegistryQueryULong", true),
    (246, "WdfRegistryAssignULong", true),
    (254, "WdfRequestGetStatus", true),
    (255, "WdfRequestMarkCancelable", false),
    (256, "WdfRequestUnmarkCancelable", true),
    (257, "WdfRequestIsCanceled", false),
    (275, "WdfRequestSetInformation", false),
    (276, "WdfRequestGetInformation", false),
    (277, "WdfRequestGetFileObject", false),
    (280, "WdfRequestGetRequestorMode", false),
    (282, "WdfRequestGetIoQueue", false),
    (284, "WdfRequestStopAcknowledge", false),
    (285, "WdfRequestWdmGetIrp", false),
    (308, "WdfStringCreate", true),
    (309, "WdfStringGetUnicodeString", false),
    (367, "WdfVerifierDbgBreakPoint", false),
    (368, "WdfVerifierKeBugCheck", false),
    (393, "WdfRequestMarkCancelableEx", true),
    (416, "WdfInterruptQueueWorkItemForIsr", false),
    (417, "WdfInterruptTryToAcquireLock", false),
    (428, "WdfInterruptReportActive", false),
    (429, "WdfInterruptReportInactive", false),
    (430, "WdfDeviceInitSetReleaseHardwareOrderOnFailure", false),
    (438, "WdfDeviceStopIdleActual", true),
    (439, "WdfDeviceResumeIdleActual", false),
    (452, "WdfDriverErrorReportApiMissing", true),
];

/// Stands in every slot that is not simulated.
extern "C" fn not_simulated<const SLOT: usize>(globals: sys::PWDF_DRIVER_GLOBALS) -> u64 {
    let known = NOT_SIMULATED.iter().find(|(slot, ..)| *slot == SLOT);
    let name = known.map_or_else(
        || format!("slot {SLOT}"),
        |(_, name, _)| String::from(*name),
    );
    let machine = kernel::machine();
    let bound = Call {
        function: known.map_or("the function", |(_, name, _)| name),
        globals,
        machine,
    }
    .driver()
    .map_or(function_count(machine.config.os), |driver| {
        driver.functions()
    });
    if SLOT >= bound as usize {
        machine.violated(
            &violation::SLOT,
            format_args!("{name} was called by a driver that is bound with {bound} functions"),
        );
    } else {
        machine.violated(&violation::NOT_SIMULATED, format_args!("{name} was called"));
    }
    // Most functions without a known type return a status; a pointer or a count is better as 0.
    if known.is_none_or(|(_, _, status)| *status) {
        u64::from(sys::STATUS_NOT_IMPLEMENTED.cast_unsigned())
    } else {
        0
    }
}

/// The table with nothing in it that is simulated.
macro_rules! empty_table {
    ($($slot:literal)*) => {
        [$({
            // SAFETY: both are function pointers, which have one representation; every caller passes the globals first, and callers of
            // the C convention clear the arguments that the function does not take.
            unsafe { core::mem::transmute::<extern "C" fn(sys::PWDF_DRIVER_GLOBALS) -> u64, sys::WDFFUNC>(not_simulated::<$slot>) }
        }),*]
    };
}

const EMPTY: [sys::WDFFUNC; SLOTS] = empty_table! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
    40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76
    77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 108 109
    110 111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130 131 132 133 134 135 136
    137 138 139 140 141 142 143 144 145 146 147 148 149 150 151 152 153 154 155 156 157 158 159 160 161 162 163
    164 165 166 167 168 169 170 171 172 173 174 175 176 177 178 179 180 181 182 183 184 185 186 187 188 189 190
    191 192 193 194 195 196 197 198 199 200 201 202 203 204 205 206 207 208 209 210 211 212 213 214 215 216 217
    218 219 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243 244
    245 246 247 248 249 250 251 252 253 254 255 256 257 258 259 260 261 262 263 264 265 266 267 268 269 270 271
    272 273 274 275 276 277 278 279 280 281 282 283 284 285 286 287 288 289 290 291 292 293 294 295 296 297 298
    299 300 301 302 303 304 305 306 307 308 309 310 311 312 313 314 315 316 317 318 319 320 321 322 323 324 325
    326 327 328 329 330 331 332 333 334 335 336 337 338 339 340 341 342 343 344 345 346 347 348 349 350 351 352
    353 354 355 356 357 358 359 360 361 362 363 364 365 366 367 368 369 370 371 372 373 374 375 376 377 378 379
    380 381 382 383 384 385 386 387 388 389 390 391 392 393 394 395 396 397 398 399 400 401 402 403 404 405 406
    407 408 409 410 411 412 413 414 415 416 417 418 419 420 421 422 423 424 425 426 427 428 429 430 431 432 433
    434 435 436 437 438 439 440 441 442 443 444 445 446 447 448 449 450 451 452 453 454 455 456 457
};

/// Puts each function into its slot; the compiler holds it against the type that the library has for the slot.
macro_rules! table {
    ($($index:ident, $kind:ident: $function:path;)*) => {{
        let mut table = EMPTY;
        $({
            let function: sys::$kind = Some($function);
            // SAFETY: both are nullable function pointers, which have one representation; who calls through the slot
            // turns it back into the type that it has here.
            table[sys::_WDFFUNCENUM::$index as usize] = unsafe { core::mem::transmute::<sys::$kind, sys::WDFFUNC>(function) };
        })*
        table
    }};
}

static TABLE: [sys::WDFFUNC; SLOTS] = table! {
    WdfDriverCreateTableIndex, PFN_WDFDRIVERCREATE: driver::driver_create;
    WdfDriverGetRegistryPathTableIndex, PFN_WDFDRIVERGETREGISTRYPATH: driver::driver_get_registry_path;
    WdfDriverWdmGetDriverObjectTableIndex, PFN_WDFDRIVERWDMGETDRIVEROBJECT: driver::driver_wdm_get_driver_object;
    WdfWdmDriverGetWdfDriverHandleTableIndex, PFN_WDFWDMDRIVERGETWDFDRIVERHANDLE: driver::wdm_driver_get_wdf_driver_handle;
    WdfDriverIsVersionAvailableTableIndex, PFN_WDFDRIVERISVERSIONAVAILABLE: driver::driver_is_version_available;
    WdfDeviceInitSetPnpPowerEventCallbacksTableIndex, PFN_WDFDEVICEINITSETPNPPOWEREVENTCALLBACKS: device::init_set_pnp_power_event_callbacks;
    WdfDeviceInitSetPowerPolicyEventCallbacksTableIndex, PFN_WDFDEVICEINITSETPOWERPOLICYEVENTCALLBACKS: device::init_set_power_policy_event_callbacks;
    WdfDeviceInitSetPowerPolicyOwnershipTableIndex, PFN_WDFDEVICEINITSETPOWERPOLICYOWNERSHIP: device::init_set_power_policy_ownership;
    WdfDeviceInitSetIoTypeTableIndex, PFN_WDFDEVICEINITSETIOTYPE: device::init_set_io_type;
    WdfDeviceInitSetExclusiveTableIndex, PFN_WDFDEVICEINITSETEXCLUSIVE: device::init_set_exclusive;
    WdfDeviceInitSetPowerNotPageableTableIndex, PFN_WDFDEVICEINITSETPOWERNOTPAGEABLE: device::init_set_power_not_pageable;
    WdfDeviceInitSetPowerPageableTableIndex, PFN_WDFDEVICEINITSETPOWERPAGEABLE: device::init_set_power_pageable;
    WdfDeviceInitSetDeviceTypeTableIndex, PFN_WDFDEVICEINITSETDEVICETYPE: device::init_set_device_type;
    WdfDeviceInitSetCharacteristicsTableIndex, PFN_WDFDEVICEINITSETCHARACTERISTICS: device::init_set_characteristics;
    WdfFdoInitWdmGetPhysicalDeviceTableIndex, PFN_WDFFDOINITWDMGETPHYSICALDEVICE: device::fdo_init_wdm_get_physical_device;
    WdfFdoInitSetEventCallbacksTableIndex, PFN_WDFFDOINITSETEVENTCALLBACKS: device::fdo_init_set_event_callbacks;
    WdfFdoInitSetFilterTableIndex, PFN_WDFFDOINITSETFILTER: device::fdo_init_set_filter;
    WdfDeviceCreateTableIndex, PFN_WDFDEVICECREATE: device::device_create;
    WdfWdmDeviceGetWdfDeviceHandleTableIndex, PFN_WDFWDMDEVICEGETWDFDEVICEHANDLE: device::wdm_device_get_wdf_device_handle;
    WdfDeviceWdmGetDeviceObjectTableIndex, PFN_WDFDEVICEWDMGETDEVICEOBJECT: device::device_wdm_get_device_object;
    WdfDeviceWdmGetAttachedDeviceTableIndex, PFN_WDFDEVICEWDMGETATTACHEDDEVICE: device::device_wdm_get_attached_device;
    WdfDeviceWdmGetPhysicalDeviceTableIndex, PFN_WDFDEVICEWDMGETPHYSICALDEVICE: device::device_wdm_get_physical_device;
    WdfDeviceGetDriverTableIndex, PFN_WDFDEVICEGETDRIVER: device::device_get_driver;
    WdfDeviceSetFailedTableIndex, PFN_WDFDEVICESETFAILED: device::device_set_failed;
    WdfObjectGetTypedContextWorkerTableIndex, PFN_WDFOBJECTGETTYPEDCONTEXTWORKER: object::get_typed_context_worker;
    WdfObjectAllocateContextTableIndex, PFN_WDFOBJECTALLOCATECONTEXT: object::allocate_context;
    WdfObjectContextGetObjectTableIndex, PFN_WDFOBJECTCONTEXTGETOBJECT: object::context_get_object;
    WdfObjectReferenceActualTableIndex, PFN_WDFOBJECTREFERENCEACTUAL: object::reference_actual;
    WdfObjectDereferenceActualTableIndex, PFN_WDFOBJECTDEREFERENCEACTUAL: object::dereference_actual;
    WdfObjectCreateTableIndex, PFN_WDFOBJECTCREATE: object::create_general;
    WdfObjectDeleteTableIndex, PFN_WDFOBJECTDELETE: object::delete_object;
    WdfObjectAcquireLockTableIndex, PFN_WDFOBJECTACQUIRELOCK: object::acquire_lock;
    WdfObjectReleaseLockTableIndex, PFN_WDFOBJECTRELEASELOCK: object::release_lock;
    WdfInterruptCreateTableIndex, PFN_WDFINTERRUPTCREATE: interrupt::interrupt_create;
    WdfInterruptQueueDpcForIsrTableIndex, PFN_WDFINTERRUPTQUEUEDPCFORISR: interrupt::interrupt_queue_dpc_for_isr;
    WdfInterruptSynchronizeTableIndex, PFN_WDFINTERRUPTSYNCHRONIZE: interrupt::interrupt_synchronize;
    WdfInterruptAcquireLockTableIndex, PFN_WDFINTERRUPTACQUIRELOCK: interrupt::interrupt_acquire_lock;
    WdfInterruptReleaseLockTableIndex, PFN_WDFINTERRUPTRELEASELOCK: interrupt::interrupt_release_lock;
    WdfInterruptEnableTableIndex, PFN_WDFINTERRUPTENABLE: interrupt::interrupt_enable;
    WdfInterruptDisableTableIndex, PFN_WDFINTERRUPTDISABLE: interrupt::interrupt_disable;
    WdfInterruptGetInfoTableIndex, PFN_WDFINTERRUPTGETINFO: interrupt::interrupt_get_info;
    WdfInterruptSetPolicyTableIndex, PFN_WDFINTERRUPTSETPOLICY: interrupt::interrupt_set_policy;
    WdfInterruptGetDeviceTableIndex, PFN_WDFINTERRUPTGETDEVICE: interrupt::interrupt_get_device;
    WdfInterruptSetExtendedPolicyTableIndex, PFN_WDFINTERRUPTSETEXTENDEDPOLICY: interrupt::interrupt_set_extended_policy;
    WdfIoResourceRequirementsListSetSlotNumberTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTSETSLOTNUMBER: resources::requirements_set_slot_number;
    WdfIoResourceRequirementsListSetInterfaceTypeTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTSETINTERFACETYPE: resources::requirements_set_interface_type;
    WdfIoResourceRequirementsListAppendIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTAPPENDIORESLIST: resources::requirements_append;
    WdfIoResourceRequirementsListInsertIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTINSERTIORESLIST: resources::requirements_insert;
    WdfIoResourceRequirementsListGetCountTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTGETCOUNT: resources::requirements_get_count;
    WdfIoResourceRequirementsListGetIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTGETIORESLIST: resources::requirements_get_io_res_list;
    WdfIoResourceRequirementsListRemoveTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTREMOVE: resources::requirements_remove;
    WdfIoResourceRequirementsListRemoveByIoResListTableIndex, PFN_WDFIORESOURCEREQUIREMENTSLISTREMOVEBYIORESLIST: resources::requirements_remove_by_io_res_list;
    WdfIoResourceListCreateTableIndex, PFN_WDFIORESOURCELISTCREATE: resources::list_create;
    WdfIoResourceListAppendDescriptorTableIndex, PFN_WDFIORESOURCELISTAPPENDDESCRIPTOR: resources::list_append_descriptor;
    WdfIoResourceListInsertDescriptorTableIndex, PFN_WDFIORESOURCELISTINSERTDESCRIPTOR: resources::list_insert_descriptor;
    WdfIoResourceListUpdateDescriptorTableIndex, PFN_WDFIORESOURCELISTUPDATEDESCRIPTOR: resources::list_update_descriptor;
    WdfIoResourceListGetCountTableIndex, PFN_WDFIORESOURCELISTGETCOUNT: resources::list_get_count;
    WdfIoResourceListGetDescriptorTableIndex, PFN_WDFIORESOURCELISTGETDESCRIPTOR: resources::list_get_descriptor;
    WdfIoResourceListRemoveTableIndex, PFN_WDFIORESOURCELISTREMOVE: resources::list_remove;
    WdfIoResourceListRemoveByDescriptorTableIndex, PFN_WDFIORESOURCELISTREMOVEBYDESCRIPTOR: resources::list_remove_by_descriptor;
    WdfCmResourceListAppendDescriptorTableIndex, PFN_WDFCMRESOURCELISTAPPENDDESCRIPTOR: resources::assigned_append_descriptor;
    WdfCmResourceListInsertDescriptorTableIndex, PFN_WDFCMRESOURCELISTINSERTDESCRIPTOR: resources::assigned_insert_descriptor;
    WdfCmResourceListGetCountTableIndex, PFN_WDFCMRESOURCELISTGETCOUNT: resources::assigned_get_count;
    WdfCmResourceListGetDescriptorTableIndex, PFN_WDFCMRESOURCELISTGETDESCRIPTOR: resources::assigned_get_descriptor;
    WdfCmResourceListRemoveTableIndex, PFN_WDFCMRESOURCELISTREMOVE: resources::assigned_remove;
    WdfCmResourceListRemoveByDescriptorTableIndex, PFN_WDFCMRESOURCELISTREMOVEBYDESCRIPTOR: resources::assigned_remove_by_descriptor;
    WdfDpcCreateTableIndex, PFN_WDFDPCCREATE: deferred::dpc_create;
    WdfDpcEnqueueTableIndex, PFN_WDFDPCENQUEUE: deferred::dpc_enqueue;
    WdfDpcCancelTableIndex, PFN_WDFDPCCANCEL: deferred::dpc_cancel;
    WdfDpcGetParentObjectTableIndex, PFN_WDFDPCGETPARENTOBJECT: deferred::dpc_get_parent_object;
    WdfDpcWdmGetDpcTableIndex, PFN_WDFDPCWDMGETDPC: deferred::dpc_wdm_get_dpc;
    WdfWorkItemCreateTableIndex, PFN_WDFWORKITEMCREATE: deferred::work_item_create;
    WdfWorkItemEnqueueTableIndex, PFN_WDFWORKITEMENQUEUE: deferred::work_item_enqueue;
    WdfWorkItemGetParentObjectTableIndex, PFN_WDFWORKITEMGETPARENTOBJECT: deferred::work_item_get_parent_object;
    WdfWorkItemFlushTableIndex, PFN_WDFWORKITEMFLUSH: deferred::work_item_flush;
    WdfTimerCreateTableIndex, PFN_WDFTIMERCREATE: deferred::timer_create;
    WdfTimerStartTableIndex, PFN_WDFTIMERSTART: deferred::timer_start;
    WdfTimerStopTableIndex, PFN_WDFTIMERSTOP: deferred::timer_stop;
    WdfTimerGetParentObjectTableIndex, PFN_WDFTIMERGETPARENTOBJECT: deferred::timer_get_parent_object;
    WdfDeviceCreateDeviceInterfaceTableIndex, PFN_WDFDEVICECREATEDEVICEINTERFACE: queue::device_create_device_interface;
    WdfIoQueueCreateTableIndex, PFN_WDFIOQUEUECREATE: queue::io_queue_create;
    WdfIoQueueRetrieveNextRequestTableIndex, PFN_WDFIOQUEUERETRIEVENEXTREQUEST: queue::io_queue_retrieve_next_request;
    WdfRequestForwardToIoQueueTableIndex, PFN_WDFREQUESTFORWARDTOIOQUEUE: request::request_forward_to_io_queue;
    WdfRequestGetParametersTableIndex, PFN_WDFREQUESTGETPARAMETERS: request::request_get_parameters;
    WdfRequestRetrieveInputBufferTableIndex, PFN_WDFREQUESTRETRIEVEINPUTBUFFER: request::request_retrieve_input_buffer;
    WdfRequestRetrieveOutputBufferTableIndex, PFN_WDFREQUESTRETRIEVEOUTPUTBUFFER: request::request_retrieve_output_buffer;
    WdfRequestCompleteTableIndex, PFN_WDFREQUESTCOMPLETE: request::request_complete;
    WdfRequestCompleteWithInformationTableIndex, PFN_WDFREQUESTCOMPLETEWITHINFORMATION: request::request_complete_with_information;
    WdfDriverOpenParametersRegistryKeyTableIndex, PFN_WDFDRIVEROPENPARAMETERSREGISTRYKEY: registry::driver_open_parameters_registry_key;
    WdfRegistryCloseTableIndex, PFN_WDFREGISTRYCLOSE: registry::registry_close;
    WdfRegistryQueryValueTableIndex, PFN_WDFREGISTRYQUERYVALUE: registry::registry_query_value;
    WdfWaitLockCreateTableIndex, PFN_WDFWAITLOCKCREATE: locks::wait_lock_create;
    WdfWaitLockAcquireTableIndex, PFN_WDFWAITLOCKACQUIRE: locks::wait_lock_acquire;
    WdfWaitLockReleaseTableIndex, PFN_WDFWAITLOCKRELEASE: locks::wait_lock_release;
    WdfSpinLockCreateTableIndex, PFN_WDFSPINLOCKCREATE: locks::spin_lock_create;
    WdfSpinLockAcquireTableIndex, PFN_WDFSPINLOCKACQUIRE: locks::spin_lock_acquire;
    WdfSpinLockReleaseTableIndex, PFN_WDFSPINLOCKRELEASE: locks::spin_lock_release;
};

/// The globals of every driver without a stub of its own. Nobody writes them.
static mut GLOBALS: sys::WDF_DRIVER_GLOBALS = sys::WDF_DRIVER_GLOBALS {
    Driver: ptr::null_mut(),
    DriverFlags: 0,
    DriverTag: u32::from_le_bytes(*b"SimK"),
    DriverName: [0; sys::WDF_DRIVER_GLOBALS_NAME_LEN as usize],
    DisplaceDriverUnload: 1,
};

/// First entry of the function table.
#[unsafe(no_mangle)]
pub static mut WdfFunctions: *const sys::WDFFUNC = (&raw const TABLE).cast();

/// First argument of every function in it.
#[unsafe(no_mangle)]
pub static mut WdfDriverGlobals: sys::PWDF_DRIVER_GLOBALS = &raw mut GLOBALS;

/// A driver that a stub has bound.
struct Bound {
    globals: Box<sys::WDF_DRIVER_GLOBALS>,
    driver: Arc<Driver>,
    machine: Arc<Machine>,
    /// What it was bound with before its stub asked for something else.
    before: u32,
}

// SAFETY: the pointer in the globals is a handle, which any thread may use.
unsafe impl Send for Bound {}

/// The drivers that a stub has bound, by the address of their globals; of all machines, since an address is unique.
static BOUND: Mutex<BTreeMap<usize, Bound>> = Mutex::new(BTreeMap::new());

/// Whether a call's first argument is one that it can have.
pub(super) fn is_globals(globals: sys::PWDF_DRIVER_GLOBALS) -> bool {
    ptr::eq(globals, &raw const GLOBALS) || BOUND.lock().contains_key(&globals.addr())
}

/// The driver that a stub has bound with these globals.
pub(super) fn bound_driver(globals: sys::PWDF_DRIVER_GLOBALS) -> Option<Arc<Driver>> {
    let bound = BOUND.lock();
    bound
        .get(&globals.addr())
        .map(|bound| Arc::clone(&bound.driver))
}

/// Tells a driver's own globals that its WDFDRIVER was made.
pub(super) fn created(
    globals: sys::PWDF_DRIVER_GLOBALS,
    driver: &Driver,
    handle: sys::WDFDRIVER,
    config: &sys::WDF_DRIVER_CONFIG,
    displace: bool,
) {
    if let Some(bound) = BOUND.lock().get_mut(&globals.addr()) {
        bound.globals.Driver = handle;
        bound.globals.DriverFlags = config.DriverInitFlags;
        bound.globals.DriverTag = config.DriverPoolTag;
        bound.globals.DriverName = driver.short_name();
        bound.globals.DisplaceDriverUnload = displace.into();
    }
}

/// Binds a driver to the framework.
///
/// `FuncCount` must be one that a framework was released with and at most that of the machine's system. Up to 438 the
/// table is an array that is filled, above it is a pointer that is set.
///
/// # Safety
///
/// The arguments are as the interface of wdfldr.sys has them: `object` is the driver's object, `path` a string, `info` and
/// the table that it names are writable and stay until the driver is unbound, `globals` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn WdfVersionBind(
    object: sys::PDRIVER_OBJECT,
    path: sys::PUNICODE_STRING,
    info: sys::PWDF_BIND_INFO,
    globals: *mut sys::PWDF_COMPONENT_GLOBALS,
) -> sys::NTSTATUS {
    let machine = kernel::machine();
    ke::require("WdfVersionBind", PASSIVE);
    if object.is_null() || path.is_null() || info.is_null() || globals.is_null() {
        machine.violated(
            &violation::NULL,
            format_args!("WdfVersionBind: an argument is NULL"),
        );
        return sys::STATUS_INVALID_PARAMETER;
    }
    let Some(driver) = pnp::driver_of(machine, object.addr()) else {
        machine.violated(
            &violation::HANDLE,
            format_args!("WdfVersionBind: {object:p} is no driver object"),
        );
        return sys::STATUS_INVALID_PARAMETER;
    };
    // SAFETY: the stub passes a bind info, as the caller promises.
    let bind = unsafe { info.read() };
    let count = bind.FuncCount;
    let own = function_count(machine.config.os);
    if !RELEASED.contains(&count) || count > own || bind.FuncTable.is_null() {
        machine.trace(
            "wdf",
            format_args!(
                "{}: refused to bind {count} functions; the framework has {own}",
                driver.name
            ),
        );
        return sys::STATUS_INVALID_PARAMETER;
    }
    if count <= LAST_ARRAY {
        for (slot, function) in TABLE.iter().take(count as usize).enumerate() {
            // SAFETY: the array has `count` entries, of which this is one.
            let entry = unsafe { bind.FuncTable.add(slot) };
            // SAFETY: as above; the stub's table is writable.
            unsafe { entry.write(*function) };
        }
    } else {
        // SAFETY: with such a count it is the address of one pointer to a table.
        unsafe {
            bind.FuncTable
                .cast::<*const sys::WDFFUNC>()
                .write((&raw const TABLE).cast())
        };
    }
    let mut own_globals = Box::new(sys::WDF_DRIVER_GLOBALS {
        DriverName: driver.short_name(),
        ..Default::default()
    });
    let address: sys::PWDF_DRIVER_GLOBALS = &raw mut *own_globals;
    let before = driver.functions();
    driver.set_functions(count);
    machine.trace(
        "wdf",
        format_args!("{}: bound with {count} functions", driver.name),
    );
    BOUND.lock().insert(
        address.addr(),
        Bound {
            globals: own_globals,
            driver,
            machine: Arc::clone(machine),
            before,
        },
    );
    // SAFETY: the caller passes a place for the pointer.
    unsafe { globals.write(address) };
    sys::STATUS_SUCCESS
}

/// Ends what [`WdfVersionBind`] began. A driver object that the driver left is deleted.
///
/// # Safety
///
/// The arguments are those of the bind, and what it returned.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn WdfVersionUnbind(
    _path: sys::PUNICODE_STRING,
    _info: sys::PWDF_BIND_INFO,
    globals: sys::PWDF_COMPONENT_GLOBALS,
) -> sys::NTSTATUS {
    let machine = kernel::machine();
    ke::require("WdfVersionUnbind", PASSIVE);
    let Some(bound) = BOUND.lock().remove(&globals.addr()) else {
        machine.violated(
            &violation::GLOBALS,
            format_args!("WdfVersionUnbind got {globals:p}, which nothing is bound with"),
        );
        return sys::STATUS_INVALID_PARAMETER;
    };
    driver::delete(machine, &bound.driver);
    bound.driver.set_functions(bound.before);
    machine.trace("wdf", format_args!("{}: unbound", bound.driver.name));
    sys::STATUS_SUCCESS
}

/// Forgets what the drivers of a machine bound and did not unbind, and names the drivers.
pub(super) fn forget(machine: &Machine) -> Vec<String> {
    let mut bound = BOUND.lock();
    let own = bound.extract_if(.., |_, bound| ptr::eq(Arc::as_ptr(&bound.machine), machine));
    own.map(|(_, bound)| bound.driver.name.clone()).collect()
}
