//! The arbiter: what a device asked for becomes vectors on processors.
//!
//! # Design
//!
//! A vector number is given once on the machine while there are free ones, after that once per processor. Its upper half is
//! the level of its service routine, as on amd64, and device levels are 3 to 11. The processors come from the policy in
//! the descriptor:
//!
//! | policy | processors |
//! |---|---|
//! | machine default, all close, all in machine | all of the group |
//! | one close | one, the next in turn for each device interrupt |
//! | specified | those of the mask that exist; all if none does, which is a violation |
//! | spread messages | message n goes to the n-th, round and round |
//!
//! A system without processor groups ignores the group of a descriptor.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::kernel::{Machine, Os};
use crate::pnp::descriptors::{
    CmDescriptor, INTERRUPT_LATCHED, INTERRUPT_MESSAGE, IoDescriptor, Requirements,
    SHARE_DEVICE_EXCLUSIVE, SHARE_SHARED, TYPE_MEMORY,
};
use crate::pnp::interrupt::{Targets, Vector};
use crate::pnp::node::Node;
use crate::pnp::violation;

/// Vectors whose upper half is a device level.
const FIRST_VECTOR: usize = 0x31;
const LAST_VECTOR: usize = 0xBF;

/// What a device was given.
#[derive(Default)]
pub(crate) struct Assignment {
    pub(crate) raw: Vec<CmDescriptor>,
    pub(crate) translated: Vec<CmDescriptor>,
    pub(crate) vectors: Vec<Arc<Vector>>,
}

/// Which vectors are taken, and by how many processors.
pub(crate) struct Vectors {
    /// By processor.
    taken: Vec<[bool; LAST_VECTOR + 1]>,
    /// On how many processors each is.
    users: [u32; LAST_VECTOR + 1],
    /// Where the next search begins.
    next: usize,
    /// Whose turn it is under the policy of one close processor.
    turn: u64,
}

impl Vectors {
    pub(crate) fn new(processors: u32, seed: u64) -> Self {
        let span = LAST_VECTOR + 1 - FIRST_VECTOR;
        Self {
            taken: vec![[false; LAST_VECTOR + 1]; processors as usize],
            users: [0; LAST_VECTOR + 1],
            next: FIRST_VECTOR + (seed % span as u64) as usize,
            turn: seed,
        }
    }

    /// Takes a vector that is free on all of `processors`.
    fn take(&mut self, processors: &[u32]) -> Option<u32> {
        let order = || (self.next..=LAST_VECTOR).chain(FIRST_VECTOR..self.next);
        let free = |vector: &usize| {
            processors
                .iter()
                .all(|processor| !self.taken[*processor as usize][*vector])
        };
        let vector = order()
            .find(|vector| self.users[*vector] == 0)
            .or_else(|| order().find(free))?;
        for processor in processors {
            self.taken[*processor as usize][vector] = true;
        }
        self.users[vector] += processors.len() as u32;
        // The next level, so that neighbours differ in it; after the last one, the next vector of the first.
        self.next = vector + 0x10;
        if self.next > LAST_VECTOR {
            self.next = (vector & 0xF) + 0x31;
        }
        Some(vector as u32)
    }

    pub(crate) fn release(&mut self, vector: &Vector) {
        for processor in vector.targets.processors() {
            self.taken[processor as usize][vector.vector as usize] = false;
            self.users[vector.vector as usize] -= 1;
        }
    }
}

/// Picks the processors for the `index`-th message, or the line, by the policy in its descriptor.
fn targets(
    machine: &Machine,
    vectors: &mut Vectors,
    device: &str,
    descriptor: &IoDescriptor,
    index: u32,
) -> Targets {
    let processors = machine.config.processors;
    let groups = machine.config.os != Os::VistaSp1;
    let asked = if groups && descriptor.has_policy() {
        descriptor.group()
    } else {
        0
    };
    let active = |group: u16| match processors.saturating_sub(u32::from(group) * 64) {
        0 => 0,
        count @ 1..64 => (1 << count) - 1,
        _ => u64::MAX,
    };
    let policy = if descriptor.has_policy() {
        descriptor.policy()
    } else {
        0
    };
    // A policy other than the specified one names no group: `ALL_PROCESSOR_GROUPS`, or whatever was there before.
    let group = if policy == 4 && active(asked) != 0 {
        asked
    } else {
        0
    };
    let all = active(group);
    let nth = |n: u64| {
        let set = Targets { group, mask: all }.processors();
        1 << (set[(n % set.len() as u64) as usize] % 64)
    };
    let mask = match policy {
        2 => {
            vectors.turn += 1;
            nth(vectors.turn - 1)
        }
        4 => match descriptor.targets() & active(asked) {
            0 => {
                machine.violated(
                    &violation::PROCESSORS,
                    format_args!(
                        "{device} asks for processors 0x{:X} of group {asked}; there are {processors} processors",
                        descriptor.targets(),
                    ),
                );
                all
            }
            mask => mask,
        },
        5 => nth(u64::from(index)),
        _ => all,
    };
    Targets { group, mask }
}

/// How a descriptor's policy reads in a trace.
fn policy_text(descriptor: &IoDescriptor) -> String {
    if !descriptor.has_policy() {
        return String::from("no policy");
    }
    match descriptor.policy() {
        0 => String::from("machine default"),
        1 => String::from("all close processors"),
        2 => String::from("one close processor"),
        3 => String::from("all processors"),
        4 => match descriptor.group() {
            0 => format!("processors 0x{:X}", descriptor.targets()),
            group => format!("processors 0x{:X} of group {group}", descriptor.targets()),
        },
        5 => String::from("spread over all processors"),
        other => format!("unknown policy {other}"),
    }
}

/// Finds resources for the first alternative of `requirements` that can be satisfied.
pub(crate) fn assign(
    machine: &Arc<Machine>,
    device: &Arc<Node>,
    requirements: &Requirements,
) -> Option<Assignment> {
    requirements
        .alternatives
        .iter()
        .find_map(|list| satisfy(machine, device, list))
}

fn satisfy(
    machine: &Arc<Machine>,
    device: &Arc<Node>,
    list: &[IoDescriptor],
) -> Option<Assignment> {
    let mut assignment = Assignment::default();
    let preferred: Vec<&IoDescriptor> = list
        .iter()
        .filter(|descriptor| descriptor.is_message() && !descriptor.is_alternative())
        .collect();
    let asked = preferred
        .iter()
        .map(|descriptor| descriptor.messages())
        .sum::<u32>();
    let messages = asked
        .min(device.messages)
        .min(device.granted().unwrap_or(u32::MAX));
    let line = list
        .iter()
        .find(|descriptor| descriptor.is_interrupt() && !descriptor.is_message());

    for descriptor in list
        .iter()
        .filter(|descriptor| descriptor.kind() == TYPE_MEMORY)
    {
        let memory = CmDescriptor::memory(descriptor.memory_start(), descriptor.memory_length());
        assignment.raw.push(memory);
        assignment.translated.push(memory);
    }

    let mut vectors = machine.pnp.vectors.lock();
    let mut granted = 0;
    // One descriptor of plain MSI asks for several messages; each MSI-X message has its own.
    let wishes = preferred
        .iter()
        .flat_map(|descriptor| (0..descriptor.messages()).map(|_| *descriptor));
    for (descriptor, index) in wishes.zip(0..messages) {
        let targets = targets(machine, &mut vectors, &device.name, descriptor, index);
        let Some(number) = vectors.take(&targets.processors()) else {
            break;
        };
        let irql = (number >> 4) as u8;
        let vector = Vector::new(machine, device, Some(index), number, irql, targets);
        assignment.raw.push(CmDescriptor::raw_message(
            targets.group,
            number,
            targets.mask,
        ));
        assignment.translated.push(CmDescriptor::interrupt(
            SHARE_DEVICE_EXCLUSIVE,
            INTERRUPT_LATCHED | INTERRUPT_MESSAGE,
            u16::from(irql),
            targets.group,
            number,
            targets.mask,
        ));
        trace(machine, device, &vector, descriptor);
        assignment.vectors.push(vector);
        granted += 1;
    }
    if asked > 0 {
        machine.trace(
            "pnp",
            format_args!("{}: {granted} of {asked} messages granted", device.name),
        );
    }
    if granted > 0 {
        return Some(assignment);
    }

    match line {
        // Something that needs an interrupt cannot do without; something that asked for none can.
        None => (asked == 0).then_some(assignment),
        Some(descriptor) => {
            let targets = targets(machine, &mut vectors, &device.name, descriptor, 0);
            let number = vectors.take(&targets.processors())?;
            let irql = (number >> 4) as u8;
            let vector = Vector::new(machine, device, None, number, irql, targets);
            // The line's own number is the bus's business; the vector is what the system made of it.
            let raw = 16 + (device.id % 8) as u32;
            assignment.raw.push(CmDescriptor::interrupt(
                SHARE_SHARED,
                0,
                raw as u16,
                0,
                raw,
                targets.mask,
            ));
            assignment.translated.push(CmDescriptor::interrupt(
                SHARE_SHARED,
                0,
                u16::from(irql),
                targets.group,
                number,
                targets.mask,
            ));
            trace(machine, device, &vector, descriptor);
            assignment.vectors.push(vector);
            Some(assignment)
        }
    }
}

fn trace(machine: &Machine, device: &Node, vector: &Vector, descriptor: &IoDescriptor) {
    let which = vector.message.map_or_else(
        || String::from("line"),
        |message| format!("message {message}"),
    );
    machine.trace(
        "pnp",
        format_args!(
            "{}: {which} ({}) is vector 0x{:X}, IRQL {}, processors {:?}",
            device.name,
            policy_text(descriptor),
            vector.vector,
            vector.irql,
            vector.targets.processors(),
        ),
    );
}
