//! `cargo bench --bench msix`: what it costs to give each interrupt message its processor, by the number of messages, on a machine with
//! 256 processors in four groups.
//!
//! Prints a table and writes `bench/msix.json` to the target directory, as `nmr` does. The goal is a cost that grows as the list does: a
//! message of 2,048 costs at most 1.2 times what one of 8 does, and the other way round.
//!
//! # Design
//!
//! * **A list is filtered once.** A message that has its processor is left alone, so each round starts with a fresh copy of the list, and
//!   the copying counts.
//! * **Rounds have the same number of messages,** whatever the length of the list, so that all are as well measured.
//! * **A list of the framework is filtered by the simulated kernel,** whose handles and locks cost more than the editing. It is measured
//!   inside the driver's callback.

mod instructions;
mod report;
mod time;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::kmdf::{self, AddedDevice, DeviceInit, DriverInit, RequirementsList};
use nmr_netdma::netdma::affinity::{ActiveProcessors, Affinities, MAXIMUM_CHANNELS, Plan};
use nmr_netdma::resources::{
    self, InterruptNumber, ProcessorGroups, ProcessorSet, RequirementsBytes,
};
use nmr_netdma::sys::NET_DMA_CHANNEL_CPU_AFFINITY as Entry;
use simkernel::pnp::DeviceConfig;
use simkernel::{Config, Kernel};

use self::report::Report;

/// The lengths of the lists.
const MESSAGES: [usize; 5] = [8, 32, 128, 512, 2048];
/// Messages of a round.
const ROUND: usize = 2048;
/// What a message may cost at one length against another.
const FLAT: f64 = 1.2;
const PROCESSORS: u32 = 256;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, name, count] = arguments.as_slice()
        && mode == instructions::MODE
    {
        return instructions::run_one(name, count, run_loop);
    }
    let mut report = Report::default();
    measure_instructions(&mut report);
    measure_time(&mut report);
    measure_framework(&mut report);
    report.finish("msix")
}

/// A requirements list with `messages` messages.
fn list(messages: usize) -> Vec<u8> {
    let count = messages as u32;
    let size = 40 + 32 * count;
    let mut bytes = vec![0; 40];
    bytes[..4].copy_from_slice(&size.to_le_bytes());
    bytes[28] = 1;
    bytes[32..36].copy_from_slice(&[1, 0, 1, 0]);
    bytes[36..40].copy_from_slice(&count.to_le_bytes());
    for _ in 0..messages {
        let mut descriptor = [0; 32];
        (descriptor[1], descriptor[4]) = (2, 3);
        let token = u32::to_le_bytes(u32::MAX - 1);
        descriptor[8..12].copy_from_slice(&token);
        descriptor[12..16].copy_from_slice(&token);
        bytes.extend(descriptor);
    }
    bytes
}

/// A plan for all channels that a plan has room for, whose processors are far apart.
fn plan() -> Plan {
    let processors = ActiveProcessors::from_groups(&[(64, u64::MAX); 4]);
    let entries: Vec<_> = (0..MAXIMUM_CHANNELS)
        .map(|channel| Entry {
            DmaChannel: channel,
            CpuNumber: channel * 37 % PROCESSORS,
        })
        .collect();
    Plan::new(MAXIMUM_CHANNELS, Affinities::new(&entries), processors)
}

/// What an interrupt is to ask for. The channels' wishes are used again and again, so that each message costs the same to look up.
fn target(plan: &Plan, interrupt: InterruptNumber) -> Option<ProcessorSet> {
    let number = interrupt.number % MAXIMUM_CHANNELS;
    plan.assign(interrupt.messages).target(number)
}

/// Filters fresh copies of a list of this length, a round's worth.
fn round(fresh: &[u8], copy: &mut [u8], plan: &Plan, messages: usize) {
    for _ in 0..ROUND / messages {
        copy.copy_from_slice(fresh);
        let mut list = RequirementsBytes::new(black_box(copy)).expect("the list is whole");
        let report =
            resources::set_message_affinity(&mut list, ProcessorGroups::Present, |interrupt| {
                target(plan, interrupt)
            });
        assert_eq!(report.written as usize, messages);
    }
}

fn run_loop(name: &str, count: u64) -> bool {
    let Ok(messages) = name.parse() else {
        return false;
    };
    let (fresh, plan) = (list(messages), plan());
    let mut copy = fresh.clone();
    for _ in 0..count {
        round(&fresh, &mut copy, &plan, messages);
    }
    true
}

fn measure_instructions(report: &mut Report) {
    const ROUNDS: u64 = 20;
    let mut costs = Vec::new();
    for messages in MESSAGES {
        let name = format!("raw list, {messages} messages");
        // What is left is the rounds': the rest of the program is in both.
        let counted = instructions::count(&messages.to_string(), ROUNDS)
            .and_then(|more| Ok((more, instructions::count(&messages.to_string(), 0)?)));
        match counted {
            Ok((more, less)) => {
                let cost = (more - less) as f64 / (ROUNDS * ROUND as u64) as f64;
                report.add(name, cost, "instr/message", None, "");
                costs.push(cost);
            }
            Err(reason) => report.add_missing(name, "instr/message", None, &reason),
        }
    }
    match spread(&costs) {
        Some(ratio) => report.add(
            "raw list, dearest length / cheapest",
            ratio,
            "of instr",
            Some(FLAT),
            "",
        ),
        None => report.add_missing(
            "raw list, dearest length / cheapest",
            "of instr",
            Some(FLAT),
            "nothing was counted",
        ),
    }
}

fn measure_time(report: &mut Report) {
    let plan = plan();
    let mut work = MESSAGES.map(|messages| {
        let fresh = list(messages);
        let mut copy = fresh.clone();
        let plan = &plan;
        move || time::of(|| round(&fresh, &mut copy, plan, messages))
    });
    let taken = time::in_turns(400, work.each_mut().map(|side| side as time::Side<'_>));
    let costs = taken.map(|taken| taken.per(ROUND));
    for (messages, taken) in MESSAGES.iter().zip(costs) {
        let remark = format!("median {:.1}", taken.median);
        report.add(
            format!("raw list, {messages} messages"),
            taken.good,
            "ns/message",
            None,
            remark,
        );
    }
    if let Some(ratio) = spread(&costs.map(|taken| taken.good)) {
        report.add(
            "raw list, dearest length / cheapest",
            ratio,
            "of ns",
            Some(FLAT),
            "",
        );
    }
}

/// The highest cost by the lowest.
fn spread(costs: &[f64]) -> Option<f64> {
    let highest = costs.iter().copied().max_by(f64::total_cmp)?;
    let lowest = costs.iter().copied().min_by(f64::total_cmp)?;
    Some(highest / lowest)
}

/// The best time of a filter callback, in nanoseconds.
static BEST: Mutex<Option<f64>> = Mutex::new(None);

struct Driver;

impl kmdf::Driver for Driver {
    fn init(_: &DriverInit<'_>, _: &mut Irql<Passive>) -> nmr_netdma::Result<Self> {
        Ok(Self)
    }

    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> nmr_netdma::Result<AddedDevice<'a>> {
        let device = init.create::<Device>(irql)?;
        Ok(device.finish(Device(plan())))
    }
}

struct Device(Plan);

impl kmdf::Device for Device {
    fn filter_resource_requirements(
        &self,
        requirements: &mut RequirementsList<'_>,
        _: &mut Irql<Passive>,
    ) -> nmr_netdma::Result<()> {
        let start = Instant::now();
        kmdf::set_message_affinity(requirements, |interrupt| target(&self.0, interrupt));
        let taken = start.elapsed().as_nanos() as f64;
        let mut best = BEST.lock().expect("nobody panics with it");
        *best = Some(best.map_or(taken, |best| best.min(taken)));
        Ok(())
    }
}

kmdf::driver_entry!(Driver);

fn measure_framework(report: &mut Report) {
    for messages in [8, 2048] {
        BEST.lock().expect("nobody panics with it").take();
        let kernel = Kernel::boot(Config {
            processors: PROCESSORS,
            ..Config::default()
        });
        let driver = kernel.load_driver("bench", driver_entry).expect("it loads");
        let config = DeviceConfig {
            name: "bench".into(),
            messages,
            ..DeviceConfig::default()
        };
        let device = kernel.add_device(driver, config).expect("it starts");
        for _ in 0..30 {
            kernel.stop_device(device).expect("it stops");
            kernel
                .restart_device(device, None)
                .expect("it starts again");
        }
        let name = format!("simulated framework's list, {messages} messages");
        match *BEST.lock().expect("nobody panics with it") {
            Some(best) => report.add(name, best / f64::from(messages), "ns/message", None, ""),
            None => report.add_missing(name, "ns/message", None, "the filter was not called"),
        }
        kernel.remove_device(device).expect("it is removed");
        kernel.unload_driver(driver).expect("it is unloaded");
        assert!(kernel.shutdown().is_clean());
    }
}
