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
//! A policy that the system does not know counts as the machine's default.
//!
//! Messages of an MSI device have neighbouring vectors on the same processors.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::kernel::{Config, Machine, Os};
use crate::pnp::descriptors::{
    CmDescriptor, INTERRUPT_LATCHED, INTERRUPT_MESSAGE, IoDescriptor, Requirements,
    SHARE_DEVICE_EXCLUSIVE, SHARE_SHARED, TYPE_MEMORY,
};
use crate::pnp::interrupt::{Targets, Vector};
use crate::pnp::node::Node;
use crate::pnp::{InterruptReport, violation};

/// Vectors whose upper half is a device level.
const FIRST_VECTOR: usize = 0x31;
const LAST_VECTOR: usize = 0xBF;

/// The last `IRQ_DEVICE_POLICY` that may be asked for.
const LAST_POLICY: u16 = 5;

/// What a device was given.
#[derive(Default)]
pub(crate) struct Assignment {
    pub(crate) raw: Vec<CmDescriptor>,
    pub(crate) translated: Vec<CmDescriptor>,
    pub(crate) vectors: Vec<Arc<Vector>>,
}

impl Assignment {
    /// Its interrupts, and who took them.
    pub(crate) fn reports(&self) -> Vec<InterruptReport> {
        let vectors = self.vectors.iter();
        vectors.map(|vector| vector.report()).collect()
    }
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
    pub(crate) fn new(config: &Config) -> Self {
        let span = LAST_VECTOR + 1 - FIRST_VECTOR;
        Self {
            taken: vec![[false; LAST_VECTOR + 1]; config.processors as usize],
            users: [0; LAST_VECTOR + 1],
            next: FIRST_VECTOR + (config.seed % span as u64) as usize,
            turn: config.seed,
        }
    }

    /// Takes `count` neighbouring vectors of one level that are free on all of `processors`; the first.
    fn take(&mut self, processors: &[u32], count: usize) -> Option<u32> {
        let order = || (self.next..=LAST_VECTOR).chain(FIRST_VECTOR..self.next);
        let run = |first: usize| first..first + count;
        let fits = |first: &usize| {
            let last = first + count - 1;
            last <= LAST_VECTOR && first >> 4 == last >> 4
        };
        let free = |first: &usize| {
            processors.iter().all(|processor| {
                let taken = &self.taken[*processor as usize];
                !run(*first).any(|vector| taken[vector])
            })
        };
        let unused = |first: &usize| run(*first).all(|vector| self.users[vector] == 0);
        let first = order()
            .find(|first| fits(first) && unused(first))
            .or_else(|| order().find(|first| fits(first) && free(first)))?;
        for vector in run(first) {
            for processor in processors {
                self.taken[*processor as usize][vector] = true;
            }
            self.users[vector] += processors.len() as u32;
        }
        // The next level, so that neighbours differ in it; after the last one, the next vector of the first.
        self.next = first + 0x10;
        if self.next > LAST_VECTOR {
            self.next = (first & 0xF) + 0x31;
        }
        Some(first as u32)
    }

    pub(crate) fn release(&mut self, vector: &Vector) {
        for processor in &vector.processors {
            self.taken[*processor as usize][vector.vector as usize] = false;
            self.users[vector.vector as usize] -= 1;
        }
    }
}

/// The policy in a descriptor, and the group whose processors it means.
fn policy(machine: &Machine, device: &Node, descriptor: &IoDescriptor) -> (u16, u16) {
    if !descriptor.has_policy() {
        return (0, 0);
    }
    let (policy, group) = (descriptor.policy(), descriptor.group());
    let groups = machine.config.os >= Os::Win7;
    if policy > LAST_POLICY || !groups && group != 0 {
        machine.violated(
            &violation::POLICY,
            format_args!(
                "{} has a policy of 0x{:X}",
                device.name,
                u32::from(group) << 16 | u32::from(policy)
            ),
        );
        return (0, 0);
    }
    (policy, group)
}

/// Picks the processors for the `index`-th message, or the line, by the policy in its descriptor.
fn targets(
    machine: &Machine,
    vectors: &mut Vectors,
    device: &Node,
    descriptor: &IoDescriptor,
    index: u32,
) -> Targets {
    let config = &machine.config;
    let (policy, asked) = policy(machine, device, descriptor);
    // A policy other than the specified one names no group: `ALL_PROCESSOR_GROUPS`, or whatever was there before.
    let group = if policy == 4 && config.group_mask(asked) != 0 {
        asked
    } else {
        0
    };
    let all = config.group_mask(group);
    let nth = |n: u64| 1 << (n % u64::from(all.count_ones()));
    let mask = match policy {
        2 => {
            vectors.turn += 1;
            nth(vectors.turn - 1)
        }
        4 => match descriptor.targets() & config.group_mask(asked) {
            0 => {
                // What an administrator asks for is not the driver's fault.
                if device.policy.is_none() {
                    machine.violated(
                        &violation::PROCESSORS,
                        format_args!(
                            "{} asks for processors 0x{:X} of group {asked}; there are {} processors",
                            device.name,
                            descriptor.targets(),
                            config.processors
                        ),
                    );
                }
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

/// Finds resources for the first alternative of `requirements` that can be satisfied. Who asks for nothing gets it.
pub(crate) fn assign(
    machine: &Arc<Machine>,
    device: &Arc<Node>,
    requirements: &Requirements,
    vectors: &mut Vectors,
) -> Option<Assignment> {
    if requirements.alternatives.is_empty() {
        return Some(Assignment::default());
    }
    requirements
        .alternatives
        .iter()
        .find_map(|list| satisfy(machine, device, list, vectors))
}

fn satisfy(
    machine: &Arc<Machine>,
    device: &Arc<Node>,
    list: &[IoDescriptor],
    vectors: &mut Vectors,
) -> Option<Assignment> {
    let mut assignment = Assignment::default();
    for descriptor in list
        .iter()
        .filter(|descriptor| descriptor.kind() == TYPE_MEMORY)
    {
        let memory = CmDescriptor::memory(descriptor.memory_start(), descriptor.memory_length());
        assignment.raw.push(memory);
        assignment.translated.push(memory);
    }
    let preferred = list
        .iter()
        .filter(|descriptor| descriptor.is_message() && !descriptor.is_alternative());
    let asked = preferred
        .clone()
        .map(IoDescriptor::messages)
        .fold(0, u32::saturating_add);
    let most = device.messages.min(device.granted().unwrap_or(u32::MAX));
    let mut granted = 0;
    for descriptor in preferred {
        let count = match descriptor.messages().min(most - granted) {
            0 => break,
            // With MSI the number is a power of two, and the vectors have to share a level.
            count => 1 << count.ilog2().min(4),
        };
        let targets = targets(machine, vectors, device, descriptor, granted);
        let processors = targets.processors(machine.config.group_size);
        let Some(number) = vectors.take(&processors, count) else {
            break;
        };
        let irql = (number >> 4) as u8;
        assignment.raw.push(CmDescriptor::raw_messages(
            count as u16,
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
        for number in (number..).take(count) {
            let vector = Vector::new(machine, device, Some(granted), number, irql, targets);
            trace(machine, device, &vector, descriptor);
            assignment.vectors.push(vector);
            granted += 1;
        }
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

    let line = list
        .iter()
        .find(|descriptor| descriptor.is_interrupt() && !descriptor.is_message());
    let Some(descriptor) = line else {
        // Something that needs an interrupt cannot do without; something that asked for none can.
        return (asked == 0).then_some(assignment);
    };
    let targets = targets(machine, vectors, device, descriptor, 0);
    let number = vectors.take(&targets.processors(machine.config.group_size), 1)?;
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
            vector.processors,
        ),
    );
}
