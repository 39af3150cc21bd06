//! Calls that fail: once for each allocation, registration, attach and framework object, the drivers are loaded, work as far as
//! they can, and are unloaded. Wine loads and unloads them each time.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use simkernel::fault::{self, Fault, Point};
use simkernel::{Config, Kernel};

use super::machine::{self, Current};
use super::manager::{load, unload};
use super::say;
use super::traffic::{self, CLIENT, ENGINE};

/// Loads that were refused because something was.
static REFUSED_LOADS: AtomicU64 = AtomicU64::new(0);

pub(super) fn run() -> Result<(), String> {
    // A violation or a leak panics, which ends the process, and says at which point.
    let points = fault::each(&Config::default(), &Fault::RECOVERABLE, scenario);
    let mut kinds: BTreeMap<Fault, Vec<&Point>> = BTreeMap::new();
    for point in &points {
        kinds.entry(point.fault).or_default().push(point);
    }
    for fault in Fault::RECOVERABLE {
        let points = kinds.remove(&fault).unwrap_or_default();
        if points.is_empty() {
            machine::failed(format_args!("no {fault:?} was made to fail"));
        }
        say(format_args!("{fault:?}: {} made to fail", points.len()));
    }
    say(format_args!(
        "{} calls failed one after the other, {} loads were refused; nothing was left",
        points.len(),
        REFUSED_LOADS.load(Ordering::Relaxed)
    ));
    Ok(())
}

fn scenario(kernel: &Kernel) {
    let _current = Current::new(kernel);
    let client = load(CLIENT);
    let engine = load(ENGINE);
    if let Ok(engine) = engine
        && let Ok(device) = kernel.add_device(engine, traffic::engine(2))
    {
        traffic::copy_what_can_be(kernel);
        if let Err(status) = kernel.remove_device(device) {
            machine::failed(format_args!("the device is not removed: {status:#010x}"));
        }
    }
    kernel.quiesce();
    for (name, loaded) in [(ENGINE, engine), (CLIENT, client)] {
        if loaded.is_ok() {
            unload(name);
        } else {
            REFUSED_LOADS.fetch_add(1, Ordering::Relaxed);
        }
    }
}
