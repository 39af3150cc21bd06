//! What happened, in order.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::netio;
use crate::platform::{self, Mutex};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Nanoseconds since boot.
    pub time: u64,
    /// The processor it happened on.
    pub processor: u32,
    /// The level it happened at.
    pub irql: u8,
    /// Which part of the kernel, or of a driver, says so: `pnp`, `wdf`, `nmr`, `netdma`, `driver`.
    pub source: &'static str,
    /// What happened, in one line.
    pub what: String,
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            time,
            processor,
            irql,
            source,
            what,
        } = self;
        write!(
            formatter,
            "{:>10.3} ms  cpu {processor:<3} irql {irql:<2} {source:<7} {what}",
            *time as f64 / 1e6
        )
    }
}

/// The record of one machine.
#[derive(Debug)]
pub struct Trace {
    boot: u64,
    entries: Mutex<Vec<Entry>>,
    watcher: Mutex<Option<Watcher>>,
}

/// Is told of each event as it happens, by the thread that it happens to, at any level; must not call the kernel.
pub type Watcher = fn(&Event);

/// An event whose text is made when somebody asks.
#[derive(Debug)]
struct Entry {
    time: u64,
    processor: u32,
    irql: u8,
    source: &'static str,
    what: What,
}

#[derive(Debug)]
enum What {
    Text(String),
    Nmr(netio::Note),
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self {
            boot: platform::now(),
            entries: Mutex::new(Vec::new()),
            watcher: Mutex::new(None),
        }
    }

    pub(crate) fn watch(&self, watcher: Watcher) {
        *self.watcher.lock() = Some(watcher);
    }

    pub(crate) fn record(&self, processor: u32, irql: u8, source: &'static str, what: String) {
        self.push(processor, irql, source, What::Text(what));
    }

    /// Records what the Network Module Registrar did, without the cost of its text.
    pub(crate) fn record_nmr(&self, processor: u32, irql: u8, note: netio::Note) {
        self.push(processor, irql, "nmr", What::Nmr(note));
    }

    /// The latest of what the Network Module Registrar did that `matches`: when, where and what.
    pub(crate) fn latest_nmr(&self, matches: impl Fn(&netio::Note) -> bool) -> Option<String> {
        let entries = self.entries.lock();
        entries.iter().rev().find_map(|entry| match &entry.what {
            What::Nmr(note) if matches(note) => Some(format!(
                "at {:.3} ms on processor {} at IRQL {}: {note}",
                entry.time as f64 / 1e6,
                entry.processor,
                entry.irql
            )),
            _ => None,
        })
    }

    fn push(&self, processor: u32, irql: u8, source: &'static str, what: What) {
        let time = platform::now() - self.boot;
        let entry = Entry {
            time,
            processor,
            irql,
            source,
            what,
        };
        let watcher = *self.watcher.lock();
        if let Some(watcher) = watcher {
            watcher(&entry.event());
        }
        self.entries.lock().push(entry);
    }

    /// Everything so far, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.entries.lock().iter().map(Entry::event).collect()
    }
}

impl Entry {
    fn event(&self) -> Event {
        let &Self {
            time,
            processor,
            irql,
            source,
            ref what,
        } = self;
        Event {
            time,
            processor,
            irql,
            source,
            what: match what {
                What::Text(text) => text.clone(),
                What::Nmr(note) => format!("{note}"),
            },
        }
    }
}
