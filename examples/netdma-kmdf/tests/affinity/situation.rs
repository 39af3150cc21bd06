//! The table of machines and devices, and how a row of it is read and set up. Needs no standard library: the driver's binary is held
//! against the same table under Wine.

extern crate alloc;

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use nmr_netdma::sys::NET_DMA_CHANNEL_CPU_AFFINITY as Entry;
use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::ndis::{Affinity, AffinityPlan};
use simkernel::pnp::{Bar, DeviceConfig, InterruptReport, Layout, RegistryPolicy, Signal};
use simkernel::{Config, Kernel, Os};

/// * The machine: the system, after a `+` the functions of the framework that the driver is bound with if not those of KMDF 1.7;
///   processors, and after a `/` processors of a group if not 64.
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

    # A driver that was bound for KMDF 1.9 asks for the same.
    win7+396 4     | 4 4msix   | 3 2 1 0       | - | 3 2 1 0         | 0 1 2 3
    win7+396 8/4   | 4 2msix   | 5 1 6 2       | - | 5 1             | 0 1 0 1
    win7+396 8/4   | 4 4msix/0 | 7 0 0 0       | - | L7              | L L L L
    win7+396 4     | 4 4msix   | 0 1 2 3       | 5 | 0 1 2 3         | 0 1 2 3

    # Without NetDMA there is no wish, and the device sends what it sends on its own.
    win10 4        | 4 4msix   | 3 2 1 0       | - | 0-3 0-3 0-3 0-3 | 0 1 2 3
    win10+458 4    | 4 4msix   | 3 2 1 0       | - | 0-3 0-3 0-3 0-3 | 0 1 2 3
    win10 8/4      | 4 4msix   | 7 6 5 4       | - | 0-3 0-3 0-3 0-3 | 0 1 2 3
    win10 4        | 4 2msix   | 0 1 2 3       | 4:8 | 3 3           | 0 1 2 3
    win10 4        | 2 0msix   | -             | - | L0-3            | L L
    win10 4        | 4 4msix/0 | 3 2 1 0       | - | L0-3            | L L L L
    win10 4        | 4 4msi    | 3 2 1 0       | - | 0-3 0-3 0-3 0-3 | 0 1 2 3

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
pub(crate) struct Situation {
    pub(crate) row: &'static str,
    pub(crate) config: Config,
    pub(crate) functions: u32,
    pub(crate) channels: u32,
    pub(crate) messages: u32,
    pub(crate) layout: Layout,
    pub(crate) granted: Option<u32>,
    pub(crate) asked: Vec<Affinity>,
    pub(crate) policy: Option<RegistryPolicy>,
    pub(crate) interrupts: Vec<Expected>,
    pub(crate) messages_of_channels: Vec<Option<u32>>,
}

/// An interrupt that is expected: whether it is the line, and its processors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expected(pub(crate) bool, pub(crate) Vec<u32>);

impl From<&InterruptReport> for Expected {
    fn from(report: &InterruptReport) -> Self {
        Self(report.message.is_none(), report.targets.clone())
    }
}

fn number(text: &str) -> u32 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no number"))
}

pub(crate) fn situations() -> Vec<Situation> {
    let rows = SITUATIONS.lines().map(str::trim);
    rows.filter(|row| !row.is_empty() && !row.starts_with('#'))
        .map(Situation::parse)
        .collect()
}

impl Situation {
    pub(crate) fn parse(row: &'static str) -> Self {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [machine, device, asked, policy, interrupts, channels] = cells[..] else {
            panic!("{row}: not six cells");
        };
        let (os, processors) = machine.split_once(' ').unwrap();
        let (os, functions) = os.split_once('+').unwrap_or((os, "387"));
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
                    "win10" => Os::Win10,
                    other => panic!("{other}?"),
                },
                processors: number(processors),
                group_size: number(group_size),
                ..Config::default()
            },
            functions: number(functions),
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

    /// Has NetDMA ask for the row's processors.
    pub(crate) fn ask(&self, kernel: &Kernel) {
        kernel.netdma().set_affinity(if self.asked.is_empty() {
            AffinityPlan::Silent
        } else {
            AffinityPlan::Array {
                entries: self.asked.clone(),
                bytes: (self.asked.len() * size_of::<Entry>()) as u32,
            }
        });
    }

    /// The row's device.
    pub(crate) fn device(&self, model: Arc<dyn Registers>, signal: Signal) -> DeviceConfig {
        DeviceConfig {
            name: "engine".into(),
            messages: self.messages,
            granted: self.granted,
            layout: self.layout,
            policy: self.policy,
            bars: vec![Bar {
                length: Doorbell::LENGTH,
                model,
            }],
            signal,
        }
    }

    /// The message that each channel of the device sends, as it was told; `None` for the line.
    pub(crate) fn messages_sent(&self, model: &Doorbell) -> Vec<Option<u32>> {
        let line = self.interrupts[0].0;
        (0..self.channels as usize)
            .map(|channel| (!line).then(|| model.read(0x100 + 4 * channel)))
            .collect()
    }
}
