//! DPCs, work items and timers, and the threads that run what may not run where it was asked for.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ptr;
use core::time::Duration;

use nmr_netdma::sys;

use super::locks::this_thread;
use super::object::{Attributes, Kind, Object, Parent, Payload, Ref, attributes, create};
use super::{ANY, Call, DISPATCH, PASSIVE, callback, violation};
use crate::ke;
use crate::kernel::{self, Machine};
use crate::platform::{self, Condvar, Mutex, Thread};

/// A KDPC whose context is a handle.
#[derive(Default)]
pub(super) struct Kdpc(UnsafeCell<sys::KDPC>);

// SAFETY: the structure is only touched by the DPC functions, which are made for any number of threads.
unsafe impl Send for Kdpc {}
// SAFETY: as for `Send`.
unsafe impl Sync for Kdpc {}

impl Kdpc {
    /// Makes it ready. It must not move afterwards, and is not queued yet.
    pub(super) fn initialise(&self, routine: sys::PKDEFERRED_ROUTINE, handle: usize) {
        // SAFETY: the cell is a KDPC that is part of an object, which does not move; nothing has queued it yet.
        unsafe { sys::KeInitializeDpc(self.0.get(), routine, ptr::without_provenance_mut(handle)) };
    }

    /// Queues it to the current processor; `false` if it was queued already.
    pub(super) fn queue(&self) -> bool {
        // SAFETY: `initialise` ran when the object was made, and its rundown takes the DPC off before it goes.
        unsafe { sys::KeInsertQueueDpc(self.0.get(), ptr::null_mut(), ptr::null_mut()) != 0 }
    }

    /// Takes it off the queue; `false` if it was not there.
    pub(super) fn remove(&self) -> bool {
        // SAFETY: as for `queue`.
        unsafe { sys::KeRemoveQueueDpc(self.0.get()) != 0 }
    }

    pub(super) fn as_ptr(&self) -> sys::PKDPC {
        self.0.get()
    }
}

/// System threads, one for each job.
#[derive(Default)]
pub(super) struct Worker {
    state: Mutex<Jobs>,
    idle: Condvar,
}

#[derive(Default)]
struct Jobs {
    threads: Vec<Thread>,
    /// Jobs that are not done.
    running: u32,
}

impl Worker {
    pub(super) fn run(&self, machine: &Arc<Machine>, job: Box<dyn FnOnce() + Send>) {
        self.state.lock().running += 1;
        let machine = Arc::clone(machine);
        let thread = Thread::spawn(
            String::from("system worker"),
            Box::new(move || {
                kernel::enter(&machine, 0, 0, job);
                let worker = &machine.wdf.worker;
                worker.state.lock().running -= 1;
                worker.idle.notify_all();
            }),
        );
        match thread {
            Some(thread) => self.state.lock().threads.push(thread),
            None => platform::fatal("simkernel: the host refuses a thread"),
        }
    }

    /// Waits for all jobs.
    pub(super) fn stop(&self) {
        let threads = {
            let mut state = self.state.lock();
            while state.running > 0 {
                state = self.idle.wait(state);
            }
            core::mem::take(&mut state.threads)
        };
        for thread in threads {
            thread.join();
        }
    }
}

/// Checks the attributes of a DPC, work item or timer and finds the object it belongs to.
///
/// # Safety
///
/// `given` is null or points to WDF_OBJECT_ATTRIBUTES.
unsafe fn parented(
    call: &Call<'_>,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
) -> Result<(Attributes, Arc<Object>), sys::NTSTATUS> {
    // SAFETY: the caller passes null or the structure.
    let attributes = unsafe { attributes(call, given, Parent::Required, false) }?;
    let parent = attributes
        .parent
        .clone()
        .ok_or(sys::STATUS_WDF_PARENT_NOT_SPECIFIED)?;
    if parent.device().is_none() {
        return Err(sys::STATUS_INVALID_DEVICE_REQUEST);
    }
    Ok((attributes, parent))
}

/// The parent of a DPC, work item or timer as C has it.
fn parent_of<T: Kind>(object: &Ref<T>) -> sys::WDFOBJECT {
    ptr::without_provenance_mut(object.object().parent().map_or(0, |parent| parent.handle))
}

/// The object of a deferred call, unless it was deleted in between.
fn deferred_object<T: Kind>(context: sys::PVOID) -> Option<Ref<T>> {
    Ref::new(kernel::machine().wdf.objects.find(context.addr())?)
}

/// WDFDPC
pub(super) struct Dpc {
    routine: sys::PFN_WDF_DPC,
    dpc: Kdpc,
}

impl Dpc {
    pub(super) fn rundown(&self, machine: &Arc<Machine>) {
        self.dpc.remove();
        ke::flush_dpcs(machine);
    }
}

unsafe extern "C" fn run_dpc(
    _dpc: *mut sys::KDPC,
    context: sys::PVOID,
    _first: sys::PVOID,
    _second: sys::PVOID,
) {
    let Some(dpc) = deferred_object::<Dpc>(context) else {
        return;
    };
    if let Some(routine) = dpc.routine {
        callback(
            "EvtDpcFunc",
            &dpc.object().owner(),
            context.addr(),
            ke::irql(),
            || {
                // SAFETY: the driver gave this routine for this DPC, whose object `dpc` keeps.
                unsafe { routine(dpc.handle()) }
            },
        );
    }
}

pub(super) unsafe extern "C" fn dpc_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    config: sys::PWDF_DPC_CONFIG,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFDPC,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfDpcCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    // SAFETY: the driver passes WDF_DPC_CONFIG, as the page of WdfDpcCreate demands.
    let config = match unsafe { call.sized("Config", config, &[24]) } {
        Ok(config) => config,
        Err(status) => return status,
    };
    if config.EvtDpcFunc.is_none() || !call.given("Dpc", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let (attributes, parent) = match unsafe { parented(&call, given) } {
        Ok(parented) => parented,
        Err(status) => return status,
    };
    let payload = |_| {
        Payload::Dpc(Dpc {
            routine: config.EvtDpcFunc,
            dpc: Kdpc::default(),
        })
    };
    match create(
        call.machine,
        Arc::clone(&parent.driver),
        None,
        attributes,
        payload,
    ) {
        Ok(object) => {
            if let Some(dpc) = Dpc::of(&object.payload) {
                dpc.dpc.initialise(Some(run_dpc), object.handle);
            }
            // SAFETY: the driver passes a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(object.handle)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn dpc_enqueue(
    globals: sys::PWDF_DRIVER_GLOBALS,
    dpc: sys::WDFDPC,
) -> sys::BOOLEAN {
    let Some(call) = Call::enter(globals, "WdfDpcEnqueue", ANY) else {
        return 0;
    };
    call.living::<Dpc>(dpc)
        .is_some_and(|dpc| dpc.dpc.queue())
        .into()
}

pub(super) unsafe extern "C" fn dpc_cancel(
    globals: sys::PWDF_DRIVER_GLOBALS,
    dpc: sys::WDFDPC,
    wait: sys::BOOLEAN,
) -> sys::BOOLEAN {
    let levels = if wait != 0 { PASSIVE } else { ANY };
    let Some(call) = Call::enter(globals, "WdfDpcCancel", levels) else {
        return 0;
    };
    let Some(dpc) = call.object::<Dpc>(dpc) else {
        return 0;
    };
    let removed = dpc.dpc.remove();
    if !removed && wait != 0 {
        ke::flush_dpcs(call.machine);
    }
    removed.into()
}

pub(super) unsafe extern "C" fn dpc_get_parent_object(
    globals: sys::PWDF_DRIVER_GLOBALS,
    dpc: sys::WDFDPC,
) -> sys::WDFOBJECT {
    let Some(call) = Call::enter(globals, "WdfDpcGetParentObject", ANY) else {
        return ptr::null_mut();
    };
    call.object::<Dpc>(dpc)
        .map_or(ptr::null_mut(), |dpc| parent_of(&dpc))
}

pub(super) unsafe extern "C" fn dpc_wdm_get_dpc(
    globals: sys::PWDF_DRIVER_GLOBALS,
    dpc: sys::WDFDPC,
) -> sys::PKDPC {
    let Some(call) = Call::enter(globals, "WdfDpcWdmGetDpc", ANY) else {
        return ptr::null_mut();
    };
    call.object::<Dpc>(dpc)
        .map_or(ptr::null_mut(), |dpc| dpc.dpc.as_ptr())
}

/// WDFWORKITEM
pub(super) struct WorkItem {
    routine: sys::PFN_WDF_WORKITEM,
    state: Mutex<WorkState>,
    idle: Condvar,
}

#[derive(Default)]
struct WorkState {
    queued: bool,
    /// The thread in the callback.
    running: Option<usize>,
}

impl WorkItem {
    /// Waits until the callback neither runs nor is to run; `false` if this is the callback.
    fn flush(&self) -> bool {
        let mut state = self.state.lock();
        while state.queued || state.running.is_some() {
            if state.running == Some(this_thread()) {
                return false;
            }
            state = self.idle.wait(state);
        }
        true
    }

    pub(super) fn rundown(&self) {
        self.flush();
    }
}

pub(super) unsafe extern "C" fn work_item_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    config: sys::PWDF_WORKITEM_CONFIG,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFWORKITEM,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfWorkItemCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    // SAFETY: the driver passes WDF_WORKITEM_CONFIG, as the page of WdfWorkItemCreate demands.
    let config = match unsafe { call.sized("Config", config, &[24]) } {
        Ok(config) => config,
        Err(status) => return status,
    };
    if config.EvtWorkItemFunc.is_none() || !call.given("WorkItem", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let (attributes, parent) = match unsafe { parented(&call, given) } {
        Ok(parented) => parented,
        Err(status) => return status,
    };
    let routine = config.EvtWorkItemFunc;
    let payload = |_| {
        Payload::WorkItem(WorkItem {
            routine,
            state: Mutex::default(),
            idle: Condvar::default(),
        })
    };
    match create(
        call.machine,
        Arc::clone(&parent.driver),
        None,
        attributes,
        payload,
    ) {
        Ok(object) => {
            // SAFETY: the driver passes a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(object.handle)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn work_item_enqueue(
    globals: sys::PWDF_DRIVER_GLOBALS,
    item: sys::WDFWORKITEM,
) {
    let Some(call) = Call::enter(globals, "WdfWorkItemEnqueue", DISPATCH) else {
        return;
    };
    let Some(item) = call.living::<WorkItem>(item) else {
        return;
    };
    if core::mem::replace(&mut item.state.lock().queued, true) {
        return;
    }
    super::defer(call.machine, move || {
        // Runs of one item follow each other.
        let mut state = item.state.lock();
        while state.running.is_some() {
            state = item.idle.wait(state);
        }
        state.queued = false;
        state.running = Some(this_thread());
        drop(state);
        if let Some(routine) = item.routine {
            callback(
                "EvtWorkItem",
                &item.object().owner(),
                item.object().handle,
                ke::irql(),
                || {
                    // SAFETY: the driver gave this routine for this work item, whose object `item` keeps.
                    unsafe { routine(item.handle()) }
                },
            );
        }
        item.state.lock().running = None;
        item.idle.notify_all();
    });
}

pub(super) unsafe extern "C" fn work_item_get_parent_object(
    globals: sys::PWDF_DRIVER_GLOBALS,
    item: sys::WDFWORKITEM,
) -> sys::WDFOBJECT {
    let Some(call) = Call::enter(globals, "WdfWorkItemGetParentObject", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<WorkItem>(item)
        .map_or(ptr::null_mut(), |item| parent_of(&item))
}

pub(super) unsafe extern "C" fn work_item_flush(
    globals: sys::PWDF_DRIVER_GLOBALS,
    item: sys::WDFWORKITEM,
) {
    let Some(call) = Call::enter(globals, "WdfWorkItemFlush", PASSIVE) else {
        return;
    };
    let Some(item) = call.object::<WorkItem>(item) else {
        return;
    };
    if !item.flush() {
        call.violated(
            &violation::VALUE,
            format_args!("called from the work item's own callback"),
        );
    }
}

/// WDFTIMER
pub(super) struct Timer {
    routine: sys::PFN_WDF_TIMER,
    /// Nanoseconds; 0: once.
    period: u64,
    dpc: Kdpc,
    /// When it is to expire.
    due: Mutex<Option<u64>>,
}

impl Timer {
    pub(super) fn rundown(&self, machine: &Arc<Machine>) {
        *self.due.lock() = None;
        self.dpc.remove();
        ke::flush_dpcs(machine);
    }
}

/// When timers expire, and the thread that waits for it.
#[derive(Default)]
pub(super) struct Timers {
    state: Mutex<Expiries>,
    changed: Condvar,
}

#[derive(Default)]
struct Expiries {
    /// Time and timer. A timer that was stopped or set again knows better.
    queue: BTreeSet<(u64, usize)>,
    thread: Option<Thread>,
    stopped: bool,
}

impl Timers {
    fn set(&self, machine: &Arc<Machine>, due: u64, timer: usize) {
        let mut state = self.state.lock();
        state.queue.insert((due, timer));
        if state.thread.is_none() && !state.stopped {
            let machine = Arc::clone(machine);
            let body =
                move || kernel::enter(&machine, 0, 2, || machine.wdf.timers.expire(&machine));
            state.thread = Thread::spawn(String::from("timers"), Box::new(body));
            if state.thread.is_none() {
                platform::fatal("simkernel: the host refuses a thread");
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn expire(&self, machine: &Arc<Machine>) {
        let mut state = self.state.lock();
        while !state.stopped {
            let now = platform::now();
            match state.queue.first().copied() {
                None => state = self.changed.wait(state),
                Some((due, _)) if due > now => {
                    state = self
                        .changed
                        .wait_timeout(state, Duration::from_nanos(due - now));
                }
                Some(entry @ (due, handle)) => {
                    state.queue.remove(&entry);
                    drop(state);
                    let timer = machine.wdf.objects.find(handle).and_then(Ref::<Timer>::new);
                    if let Some(timer) = timer.filter(|timer| timer.object().alive()) {
                        let next = {
                            let mut armed = timer.due.lock();
                            let expired = *armed == Some(due);
                            if expired {
                                *armed = (timer.period > 0).then_some(due + timer.period);
                            }
                            expired.then_some(*armed)
                        };
                        if let Some(next) = next {
                            timer.dpc.queue();
                            if let Some(next) = next {
                                self.set(machine, next, handle);
                            }
                        }
                    }
                    state = self.state.lock();
                }
            }
        }
    }

    /// Ends the thread; timers no longer expire.
    pub(super) fn stop(&self) {
        let thread = {
            let mut state = self.state.lock();
            state.stopped = true;
            state.thread.take()
        };
        self.changed.notify_all();
        if let Some(thread) = thread {
            thread.join();
        }
    }
}

unsafe extern "C" fn run_timer(
    _dpc: *mut sys::KDPC,
    context: sys::PVOID,
    _first: sys::PVOID,
    _second: sys::PVOID,
) {
    let Some(timer) = deferred_object::<Timer>(context) else {
        return;
    };
    if let Some(routine) = timer.routine {
        callback(
            "EvtTimerFunc",
            &timer.object().owner(),
            context.addr(),
            ke::irql(),
            || {
                // SAFETY: the driver gave this routine for this timer, whose object `timer` keeps.
                unsafe { routine(timer.handle()) }
            },
        );
    }
}

pub(super) unsafe extern "C" fn timer_create(
    globals: sys::PWDF_DRIVER_GLOBALS,
    config: sys::PWDF_TIMER_CONFIG,
    given: sys::PWDF_OBJECT_ATTRIBUTES,
    result: *mut sys::WDFTIMER,
) -> sys::NTSTATUS {
    let call = match Call::create(globals, "WdfTimerCreate", DISPATCH) {
        Ok(call) => call,
        Err(status) => return status,
    };
    let sizes: &[u32] = match super::function_count(call.machine.config.os) {
        387 => &[24],
        396 => &[24, 32],
        _ => &[24, 32, 40],
    };
    // SAFETY: the driver passes WDF_TIMER_CONFIG, as the page of WdfTimerCreate demands.
    let config = match unsafe { call.sized("Config", config, sizes) } {
        Ok(config) => config,
        Err(status) => return status,
    };
    if config.EvtTimerFunc.is_none() || !call.given("Timer", result) {
        return sys::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the driver passes null or WDF_OBJECT_ATTRIBUTES.
    let (attributes, parent) = match unsafe { parented(&call, given) } {
        Ok(parented) => parented,
        Err(status) => return status,
    };
    let (routine, period) = (config.EvtTimerFunc, u64::from(config.Period) * 1_000_000);
    let payload = |_| {
        Payload::Timer(Timer {
            routine,
            period,
            dpc: Kdpc::default(),
            due: Mutex::default(),
        })
    };
    match create(
        call.machine,
        Arc::clone(&parent.driver),
        None,
        attributes,
        payload,
    ) {
        Ok(object) => {
            if let Some(timer) = Timer::of(&object.payload) {
                timer.dpc.initialise(Some(run_timer), object.handle);
            }
            // SAFETY: the driver passes a place for the handle.
            unsafe { call.store(result, ptr::without_provenance_mut(object.handle)) };
            sys::STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn timer_start(
    globals: sys::PWDF_DRIVER_GLOBALS,
    timer: sys::WDFTIMER,
    due: sys::LONGLONG,
) -> sys::BOOLEAN {
    let Some(call) = Call::enter(globals, "WdfTimerStart", DISPATCH) else {
        return 0;
    };
    let Some(timer) = call.living::<Timer>(timer) else {
        return 0;
    };
    // Relative times are negative. An absolute one lies in the past of a machine without a calendar.
    let due = platform::now() + due.min(0).unsigned_abs() * 100;
    let was = timer.due.lock().replace(due);
    call.machine
        .wdf
        .timers
        .set(call.machine, due, timer.object().handle);
    was.is_some().into()
}

pub(super) unsafe extern "C" fn timer_stop(
    globals: sys::PWDF_DRIVER_GLOBALS,
    timer: sys::WDFTIMER,
    wait: sys::BOOLEAN,
) -> sys::BOOLEAN {
    let levels = if wait != 0 { PASSIVE } else { DISPATCH };
    let Some(call) = Call::enter(globals, "WdfTimerStop", levels) else {
        return 0;
    };
    let Some(timer) = call.object::<Timer>(timer) else {
        return 0;
    };
    let was = timer.due.lock().take();
    if wait != 0 {
        ke::flush_dpcs(call.machine);
    }
    was.is_some().into()
}

pub(super) unsafe extern "C" fn timer_get_parent_object(
    globals: sys::PWDF_DRIVER_GLOBALS,
    timer: sys::WDFTIMER,
) -> sys::WDFOBJECT {
    let Some(call) = Call::enter(globals, "WdfTimerGetParentObject", DISPATCH) else {
        return ptr::null_mut();
    };
    call.object::<Timer>(timer)
        .map_or(ptr::null_mut(), |timer| parent_of(&timer))
}
