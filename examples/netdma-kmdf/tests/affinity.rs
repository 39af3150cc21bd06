//! Where the interrupts of the device go: a table of machines and devices, each tried with the requirements filter, with policies on the
//! interrupt objects, and with a raw list as a driver without the framework would filter it.
//!
//! The table was written by hand from the rules of `netdma::affinity`; nothing here computes what it expects.

use netdma_kmdf::{MAXIMUM_CHANNELS, driver_entry, driver_entry_by_interrupt};
use nmr_netdma::netdma::affinity::{ActiveProcessors, Affinities, Plan};
use nmr_netdma::resources::{
    CmResourceBytes, ProcessorGroups, RequirementsBytes, set_message_affinity,
};
use nmr_netdma::sys::NET_DMA_CHANNEL_CPU_AFFINITY as Entry;
use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::ndis::{Affinity, AffinityPlan};
use simkernel::pnp::{
    Bar, DeviceConfig, DeviceId, DriverEntry, InterruptReport, Layout, RegistryPolicy, Signal,
};
use simkernel::{Config, Kernel, Os};
use std::sync::Arc;

/// * The machine: the system, processors, and after a `/` processors of a group if not 64.
/// * The device: channels, messages and how they are asked for, and after a `/` how many are granted if not all.
/// * The processor that NetDMA asks for, channel by channel; `_` for none, `-` if it says nothing.
/// * The policy in the registry, and after a `:` its processors.
/// * The processors that each interrupt goes to in the end; `L` before those of the line.
/// * The message that each channel sends; `L` for the line.
const SITUATIONS: &str = "
    # As many messages as channels.
    win7 4     | 4 4msix    | 0 1 2 3         | - | 0 1 2 3         | 0 1 2 3
    win7 4     | 4 4msix    | 3 2 1 0         | - | 3 2 1 0         | 0 1 2 3
    win7 4     | 4 4msix    | 1 1 1 1         | - | 1 1 1 1         | 0 1 2 3
    vista 4    | 4 4msix    | 0 1 2 3         | - | 0 1 2 3         | 0 1 2 3
    vista 4    | 4 4msix    | 3 3 0 0         | - | 3 3 0 0         | 0 1 2 3
    win7 1     | 1 1msix    | 0               | - | 0               | 0
    win7 1     | 4 4msix    | 0 0 0 0         | - | 0 0 0 0         | 0 1 2 3
    vista 1    | 2 2msix    | 0 0             | - | 0 0             | 0 1
    win7 2     | 8 8msix    | 0 1 0 1 0 1 0 1 | - | 0 1 0 1 0 1 0 1 | 0 1 2 3 4 5 6 7
    win7 8     | 2 2msix    | 7 6             | - | 7 6             | 0 1
    win7 64    | 3 3msix    | 63 0 31         | - | 63 0 31         | 0 1 2
    vista 64   | 3 3msix    | 63 32 31        | - | 63 32 31        | 0 1 2

    # More messages than channels: nobody has a wish for the rest.
    win7 4     | 2 8msix    | 2 3             | - | 2 3 0-3 0-3 0-3 0-3 0-3 0-3 | 0 1
    vista 4    | 1 3msix    | 3               | - | 3 0-3 0-3       | 0
    win7 4     | 3 4msix    | 0 1 2           | - | 0 1 2 0-3       | 0 1 2

    # Fewer: shared in turn.
    win7 4     | 4 2msix    | 0 1 2 3         | - | 0 1             | 0 1 0 1
    win7 4     | 8 3msix    | 0 1 2 3 0 1 2 3 | - | 0 1 2           | 0 1 2 0 1 2 0 1
    win7 4     | 5 4msix    | 3 2 1 0 3       | - | 3 2 1 0         | 0 1 2 3 0
    vista 4    | 6 4msix    | 0 1 2 3 0 1     | - | 0 1 2 3         | 0 1 2 3 0 1
    vista 2    | 3 2msix    | 1 0 1           | - | 1 0             | 0 1 0
    win7 16    | 16 5msix   | 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 | - | 0 1 2 3 4 | 0 1 2 3 4 0 1 2 3 4 0 1 2 3 4 0

    # One message.
    win7 4     | 4 1msix    | 2 3 0 1         | - | 2               | 0 0 0 0
    vista 4    | 4 1msix    | 3 2 1 0         | - | 3               | 0 0 0 0
    win7 4     | 1 1msix    | 2               | - | 2               | 0

    # A line only: NetDMA asks no device without messages.
    win7 4     | 4 0msix    | -               | - | L0-3            | L L L L
    vista 4    | 2 0msix    | -               | - | L0-3            | L L
    win7 4     | 2 0msix    | 1 2             | - | L0-3            | L L

    # Fewer granted than asked for.
    win7 4     | 4 4msix/3  | 0 1 2 3         | - | 0 1 2           | 0 1 2 0
    win7 4     | 4 4msix/2  | 3 2 1 0         | - | 3 2             | 0 1 0 1
    win7 4     | 4 4msix/1  | 2 3 0 1         | - | 2               | 0 0 0 0
    win7 4     | 4 4msix/0  | 2 3 0 1         | - | L2              | L L L L
    vista 4    | 4 4msix/2  | 1 3 0 0         | - | 1 3             | 0 1 0 1
    vista 4    | 4 4msix/0  | 1 0 0 0         | - | L1              | L L L L
    win7 4     | 8 6msix/4  | 0 1 2 3 3 2 1 0 | - | 0 1 2 3         | 0 1 2 3 0 1 2 3
    win7 4     | 2 2msix/9  | 1 0             | - | 1 0             | 0 1

    # Channels for which nothing is asked.
    win7 4     | 4 4msix    | 0 _ 2 _         | - | 0 0-3 2 0-3     | 0 1 2 3
    win7 4     | 4 2msix    | _ 1 2 3         | - | 2 1             | 0 1 0 1
    win7 4     | 4 2msix    | _ _ 2 3         | - | 2 3             | 0 1 0 1
    win7 4     | 4 2msix    | _ 1 _ _         | - | 0-3 1           | 0 1 0 1
    win7 4     | 4 1msix    | _ _ _ 3         | - | 3               | 0 0 0 0
    vista 4    | 4 2msix    | _ 1 2 _         | - | 2 1             | 0 1 0 1
    win7 4     | 4 4msix/0  | _ _ 2 _         | - | L2              | L L L L
    win7 4     | 4 4msix/2  | _ _ 2 3         | - | 0-3 0-3         | 0 1 0 1
    win7 4     | 4 4msix    | -               | - | 0-3 0-3 0-3 0-3 | 0 1 2 3
    vista 2    | 2 2msix    | -               | - | 0-1 0-1         | 0 1

    # Processors that do not exist.
    win7 4     | 4 4msix    | 0 99 2 4        | - | 0 0-3 2 0-3     | 0 1 2 3
    win7 2     | 4 4msix    | 0 1 2 3         | - | 0 1 0-1 0-1     | 0 1 2 3
    win7 4     | 4 2msix    | 77 1 2 3        | - | 2 1             | 0 1 0 1
    vista 4    | 2 2msix    | 64 4294967295   | - | 0-3 0-3         | 0 1
    win7 4     | 2 2msix    | 4294967295 1    | - | 0-3 1           | 0 1

    # Groups; Windows Vista has none, and no more than 64 processors.
    win7 8/4   | 8 8msix    | 0 1 2 3 4 5 6 7 | - | 0 1 2 3 4 5 6 7 | 0 1 2 3 4 5 6 7
    win7 8/4   | 2 2msix    | 4 7             | - | 4 7             | 0 1
    win7 96    | 4 4msix    | 63 64 95 0      | - | 63 64 95 0      | 0 1 2 3
    win7 96/48 | 2 2msix    | 47 48           | - | 47 48           | 0 1
    win7 256   | 4 4msix    | 0 64 128 255    | - | 0 64 128 255    | 0 1 2 3
    win7 96    | 2 2msix    | 96 95           | - | 0-63 95         | 0 1
    win7 8/4   | 4 2msix    | 5 1 6 2         | - | 5 1             | 0 1 0 1
    win7 8/4   | 4 1msix    | 6 0 0 0         | - | 6               | 0 0 0 0
    win7 8/4   | 4 4msix/0  | 7 0 0 0         | - | L7              | L L L L
    win7 8/4   | 4 2msix/1  | _ 7 6 _         | - | 6               | 0 0 0 0
    win7 6/4   | 3 3msix    | 5 6 3           | - | 5 0-3 3         | 0 1 2
    vista 96   | 2 2msix    | 63 64           | - | 63 0-63         | 0 1
    vista 8/4  | 2 2msix    | 5 7             | - | 5 7             | 0 1

    # A policy in the registry wins: default, all close, one close (in turn), all, these, spread.
    win7 4     | 4 4msix    | 0 1 2 3         | 0     | 0-3 0-3 0-3 0-3 | 0 1 2 3
    win7 4     | 4 4msix    | 0 1 2 3         | 1     | 0-3 0-3 0-3 0-3 | 0 1 2 3
    win7 4     | 4 4msix    | 3 3 3 3         | 2     | 1 2 3 0         | 0 1 2 3
    win7 4     | 4 4msix    | 0 1 2 3         | 3     | 0-3 0-3 0-3 0-3 | 0 1 2 3
    win7 4     | 4 4msix    | 0 1 2 3         | 4:2   | 1 1 1 1         | 0 1 2 3
    win7 4     | 4 4msix    | 0 1 2 3         | 4:12  | 2-3 2-3 2-3 2-3 | 0 1 2 3
    win7 4     | 4 4msix    | 3 2 1 0         | 5     | 0 1 2 3         | 0 1 2 3
    vista 4    | 4 4msix    | 0 1 2 3         | 4:4   | 2 2 2 2         | 0 1 2 3
    vista 4    | 4 4msix/2  | 3 2 1 0         | 5     | 0 1             | 0 1 0 1
    win7 4     | 4 4msix/0  | 0 1 2 3         | 4:8   | L3              | L L L L
    win7 4     | 4 0msix    | -               | 4:1   | L0              | L L L L
    win7 4     | 2 2msix    | 0 1             | 4:240 | 0-3 0-3         | 0 1
    win7 8/4   | 2 2msix    | 4 5             | 4:2   | 1 1             | 0 1

    # MSI: one descriptor for all messages, and a power of two of them.
    win7 4     | 4 4msi     | 0 1 2 3         | - | 0 0 0 0         | 0 1 2 3
    win7 4     | 4 4msi     | _ _ 2 3         | - | 2 2 2 2         | 0 1 2 3
    win7 4     | 4 8msi/3   | 1 2 3 0         | - | 1 1             | 0 1 0 1
    vista 4    | 2 2msi     | 3 0             | - | 3 3             | 0 1
    win7 4     | 4 4msi/0   | 2 0 0 0         | - | L2              | L L L L
    win7 8/4   | 4 4msi     | 6 5 4 7         | - | 6 6 6 6         | 0 1 2 3
    win7 4     | 4 4msi     | 3 2 1 0         | 5 | 0 0 0 0         | 0 1 2 3

    # The line in an alternative list of its own.
    win7 4     | 4 4apart   | 3 2 1 0         | - | 3 2 1 0         | 0 1 2 3
    win7 4     | 4 4apart/0 | 3 2 1 0         | - | L3              | L L L L
    vista 4    | 4 4apart/0 | _ 1 _ _         | - | L1              | L L L L
    win7 8/4   | 2 2apart/0 | 6 5             | - | L6              | L L
    win7 4     | 4 4apart/0 | 0 1 2 3         | 4:4 | L2            | L L L L
    win7 4     | 4 2apart   | _ 1 2 3         | - | 2 1             | 0 1 0 1
";

/// A row of the table.
#[derive(Clone)]
struct Situation {
    row: &'static str,
    config: Config,
    channels: u32,
    messages: u32,
    layout: Layout,
    granted: Option<u32>,
    asked: Vec<Affinity>,
    policy: Option<RegistryPolicy>,
    interrupts: Vec<Expected>,
    messages_of_channels: Vec<Option<u32>>,
}

/// An interrupt that is expected: whether it is the line, and its processors.
#[derive(Clone, Debug, PartialEq)]
struct Expected(bool, Vec<u32>);

impl From<&InterruptReport> for Expected {
    fn from(report: &InterruptReport) -> Self {
        Self(report.message.is_none(), report.targets.clone())
    }
}

fn number(text: &str) -> u32 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no number"))
}

fn situations() -> Vec<Situation> {
    let rows = SITUATIONS.lines().map(str::trim);
    rows.filter(|row| !row.is_empty() && !row.starts_with('#'))
        .map(Situation::parse)
        .collect()
}

impl Situation {
    fn parse(row: &'static str) -> Self {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [machine, device, asked, policy, interrupts, channels] = cells[..] else {
            panic!("{row}: not six cells");
        };
        let (os, processors) = machine.split_once(' ').unwrap();
        let (processors, group_size) = processors.split_once('/').unwrap_or((processors, "64"));
        let (count, rest) = device.split_once(' ').unwrap();
        let (messages, granted) = match rest.split_once('/') {
            Some((messages, granted)) => (messages, Some(number(granted))),
            None => (rest, None),
        };
        let digits = messages.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let list = asked.split(' ').filter(|cell| *cell != "-");
        Self {
            row,
            config: Config {
                os: match os {
                    "vista" => Os::VistaSp1,
                    "win7" => Os::Win7,
                    other => panic!("{other}?"),
                },
                processors: number(processors),
                group_size: number(group_size),
                ..Config::default()
            },
            channels: number(count),
            messages: number(digits),
            layout: match &messages[digits.len()..] {
                "msix" => Layout::MsiX,
                "msi" => Layout::Msi,
                "apart" => Layout::LineApart,
                other => panic!("{other}?"),
            },
            granted,
            asked: (0..)
                .zip(list)
                .filter(|(_, cell)| *cell != "_")
                .map(|(channel, cell)| Affinity {
                    channel,
                    processor: number(cell),
                })
                .collect(),
            policy: (policy != "-").then(|| {
                let (policy, processors) = policy.split_once(':').unwrap_or((policy, "0"));
                RegistryPolicy {
                    policy: number(policy) as u16,
                    priority: 0,
                    processors: number(processors).into(),
                }
            }),
            interrupts: interrupts
                .split(' ')
                .map(|cell| {
                    let range = cell.trim_start_matches('L');
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    Expected(
                        cell.starts_with('L'),
                        (number(first)..=number(last)).collect(),
                    )
                })
                .collect(),
            messages_of_channels: channels
                .split(' ')
                .map(|cell| (cell != "L").then(|| number(cell)))
                .collect(),
        }
    }

    /// Boots the machine with the driver and the device, lets `body` look, and takes everything down again.
    fn with(&self, entry: DriverEntry, body: impl FnOnce(&Kernel, DeviceId, &Doorbell)) {
        let kernel = Kernel::boot(self.config.clone());
        kernel.netdma().set_affinity(if self.asked.is_empty() {
            AffinityPlan::Silent
        } else {
            AffinityPlan::Array {
                entries: self.asked.clone(),
                bytes: (self.asked.len() * size_of::<Entry>()) as u32,
            }
        });
        let driver = kernel.load_driver("netdma-kmdf", entry).unwrap();
        let signal = Signal::new();
        let model = Doorbell::new(self.channels, signal.clone());
        let config = DeviceConfig {
            name: "engine".into(),
            messages: self.messages,
            granted: self.granted,
            layout: self.layout,
            policy: self.policy,
            bars: vec![Bar {
                length: Doorbell::LENGTH,
                model: Arc::clone(&model) as Arc<dyn Registers>,
            }],
            signal,
        };
        let device = kernel.add_device(driver, config).unwrap();
        body(&kernel, device, &model);
        kernel.remove_device(device).unwrap();
        kernel.unload_driver(driver).unwrap();
        let verdict = kernel.shutdown();
        assert!(verdict.is_clean(), "{}: {verdict}", self.row);
    }

    /// The started device has what the table says.
    fn holds(&self, entry: DriverEntry, way: &str) {
        self.with(entry, |kernel, device, model| {
            let reports = kernel.interrupts(device);
            let interrupts: Vec<Expected> = reports.iter().map(Expected::from).collect();
            assert_eq!(interrupts, self.interrupts, "{way}: {}", self.row);
            let line = self.interrupts[0].0;
            let sent: Vec<_> = (0..self.channels as usize)
                .map(|channel| (!line).then(|| model.read(0x100 + 4 * channel)))
                .collect();
            assert_eq!(sent, self.messages_of_channels, "{way}: {}", self.row);
        });
    }

    /// The machine's processors, as the plan wants to know them.
    fn processors(&self) -> ActiveProcessors {
        let config = &self.config;
        if config.os == Os::VistaSp1 {
            return ActiveProcessors::from_mask(mask(config.processors.min(64)));
        }
        let mut left = config.processors;
        let mut groups = Vec::new();
        while left > 0 {
            let here = left.min(config.group_size);
            groups.push((here, mask(here)));
            left -= here;
        }
        ActiveProcessors::from_groups(&groups)
    }

    fn plan(&self) -> Plan {
        // A device without messages is not asked.
        let entries: Vec<_> = (self.messages > 0)
            .then_some(&self.asked)
            .into_iter()
            .flatten()
            .map(|asked| Entry {
                DmaChannel: asked.channel,
                CpuNumber: asked.processor,
            })
            .collect();
        Plan::new(
            MAXIMUM_CHANNELS,
            Affinities::new(&entries),
            self.processors(),
        )
    }
}

fn mask(processors: u32) -> u64 {
    u64::MAX >> (64 - processors)
}

#[test]
fn interrupts_go_where_the_table_says_by_the_requirements_filter() {
    let situations = situations();
    assert!(situations.len() >= 60, "{} situations", situations.len());
    for situation in situations {
        situation.holds(driver_entry, "filter");
    }
}

#[test]
fn interrupts_go_where_the_table_says_by_policies_of_interrupt_objects() {
    for situation in situations() {
        situation.holds(driver_entry_by_interrupt, "objects");
    }
}

#[test]
fn interrupts_go_where_the_table_says_by_a_raw_list() {
    for situation in situations() {
        let groups = match situation.config.os {
            Os::VistaSp1 => ProcessorGroups::Absent,
            _ => ProcessorGroups::Present,
        };
        let plan = situation.plan();
        situation.with(driver_entry, |kernel, device, _| {
            let mut list = kernel.requirements(device).unwrap();
            let mut requirements = RequirementsBytes::new(&mut list).unwrap();
            set_message_affinity(&mut requirements, groups, |interrupt| {
                plan.assign(interrupt.messages).target(interrupt.number)
            });
            let given = kernel.arbitrate(device, &list).unwrap().unwrap();
            let interrupts: Vec<Expected> = given.interrupts.iter().map(Expected::from).collect();
            assert_eq!(interrupts, situation.interrupts, "raw: {}", situation.row);

            // What the driver is told at its start says the same; of MSI it is told once for all messages.
            let translated = CmResourceBytes::new(&given.translated).unwrap();
            let raw = CmResourceBytes::new(&given.raw).unwrap();
            let told: Vec<_> = translated
                .iter()
                .zip(raw.iter())
                .filter_map(|(translated, raw)| {
                    let interrupt = translated.translated_interrupt(groups)?;
                    let count = raw.raw_message(groups).map_or(1, |raw| raw.message_count);
                    let first = u32::from(interrupt.processors.group) * kernel.config().group_size;
                    let numbers = interrupt.processors.iter().map(|bit| first + bit).collect();
                    let one = Expected(!interrupt.message, numbers);
                    Some(std::iter::repeat_n(one, count.into()))
                })
                .flatten()
                .collect();
            assert_eq!(told, situation.interrupts, "told: {}", situation.row);
        });
    }
}

/// What the driver said when it had filtered.
fn said(kernel: &Kernel) -> String {
    let events = kernel.events();
    let mut said = events.iter().filter(|event| event.source == "driver");
    said.next_back().unwrap().what.clone()
}

fn row(row: &'static str) -> Situation {
    Situation::parse(row)
}

#[test]
fn what_the_objects_ask_for_is_not_left_to_the_filter() {
    // Four messages and the line behind them.
    let situation = row("win7 4 | 4 4msix | 0 1 2 3 | - | 0 1 2 3 | 0 1 2 3");
    situation.with(driver_entry, |kernel, _, _| {
        let said = said(kernel);
        assert!(said.contains("5 interrupts now ask"), "{said}");
        assert!(said.contains("0 had asked"), "{said}");
    });
    situation.with(driver_entry_by_interrupt, |kernel, _, _| {
        let said = said(kernel);
        assert!(said.contains("0 interrupts now ask"), "{said}");
        assert!(said.contains("5 had asked"), "{said}");
    });
}

#[test]
fn a_wish_that_cannot_be_met_is_recorded() {
    let situation = row("win7 4 | 4 4msix | 0 99 2 4 | - | 0 0-3 2 0-3 | 0 1 2 3");
    assert_eq!(situation.plan().ignored(), 2);
    situation.with(driver_entry, |kernel, _, _| {
        let said = said(kernel);
        assert!(
            said.contains("2 of NetDMA's wishes cannot be met"),
            "{said}"
        );
    });
}
