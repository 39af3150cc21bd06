//! The drawing as one HTML page: it needs no other file, and follows the reader's light or dark.

use std::fmt::Write as _;

use svg::node::element::{Circle, Element, Group, Path, Rectangle, Text, Title};
use svg::{Document, Node};

use super::{Channel, Interrupt, Topology, ranges};

/// The columns' left edges and the width of a box, in the drawing's units.
const COLUMNS: [f64; 3] = [20.0, 380.0, 740.0];
const BOX: (f64, f64) = (200.0, 28.0);
const ROW: f64 = 38.0;
const TOP: f64 = 60.0;
const WIDTH: f64 = 960.0;
/// A processor of the map, and how many stand in a row.
const CELL: f64 = 27.0;
const CELLS: u32 = 32;
/// Names of groups stand left of the map.
const MAP_LEFT: f64 = 90.0;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2330; --soft: #667085; --paper: #ffffff; --box: #f2f4f7; --line: #d0d5dd; --bad: #c4320a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9f0; --soft: #98a2b3; --paper: #12151c; --box: #1f2530; --line: #3a4252; --bad: #ff8a5c; }
}
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0; } p { margin: .3rem 0 1rem; color: var(--soft); }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg .head { font-weight: 600; } svg .soft { fill: var(--soft); font-size: 11px; }
svg .on { fill: #ffffff; font-size: 11px; font-weight: 600; }
svg rect { fill: var(--box); stroke: var(--line); } svg path { fill: none; }
svg .asked { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 5; opacity: .7; }
svg .missed { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 5; }
svg .comes { stroke-width: 3; opacity: .85; }
svg .wish { fill: none; stroke: var(--ink); stroke-width: 2; }
table { border-collapse: collapse; margin-top: 1.5rem; width: 100%; } th, td { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid var(--line); }
";

/// The page.
pub(super) fn page(topology: &Topology) -> String {
    let drawing = if topology.netdma {
        format!("{}{}", drawing(topology), table(topology))
    } else {
        String::new()
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>NetDMA topology</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Channels, messages and processors</h1>\n\
         <p>{}.<br>{}.</p>\n{drawing}</body>\n</html>\n",
        topology.summary(),
        topology.verdict()
    )
}

/// What stands in the third column: a processor, or a set of them.
fn destinations(topology: &Topology, used: &[&Interrupt]) -> Vec<Vec<u32>> {
    let asked = topology.channels.iter().filter_map(|channel| channel.asked);
    let mut all: Vec<_> = asked.map(|processor| vec![processor]).collect();
    all.extend(used.iter().map(|interrupt| interrupt.processors.clone()));
    all.sort();
    all.dedup();
    all
}

fn drawing(topology: &Topology) -> Document {
    let used: Vec<_> = topology
        .interrupts
        .iter()
        .filter(|interrupt| !interrupt.channels.is_empty())
        .collect();
    let destinations = destinations(topology, &used);
    let rows = topology
        .channels
        .len()
        .max(used.len())
        .max(destinations.len());
    let height = rows as f64 * ROW;
    let middle = |count: usize, index: usize| TOP + height * (index as f64 + 0.5) / count as f64;
    let channel_at = |index| middle(topology.channels.len(), index);
    let interrupt_at = |index| middle(used.len(), index);
    let destination_at = |processors: &[u32]| {
        let place = destinations.iter().position(|one| one == processors);
        middle(destinations.len(), place.unwrap_or(0))
    };

    let mut wishes = Group::new();
    let mut arrows = Group::new();
    let mut boxes = Group::new();
    for (index, channel) in topology.channels.iter().enumerate() {
        if let Some(asked) = channel.asked {
            let class = match channel.is_as_asked() {
                Some(false) => "missed",
                _ => "asked",
            };
            let from = (COLUMNS[0] + BOX.0, channel_at(index));
            let to = (COLUMNS[2], destination_at(&[asked]));
            wishes.append(titled(
                curve(from, to).set("class", class),
                &format!(
                    "channel {} is asked to interrupt CPU {asked}",
                    channel.channel
                ),
            ));
        }
        let note = channel
            .asked
            .map_or_else(|| "not asked".into(), |asked| format!("asked: CPU {asked}"));
        let name = format!("channel {}", channel.channel);
        boxes.append(label(0, channel_at(index), &name, &note));
    }
    for (index, interrupt) in used.iter().enumerate() {
        let color = color(index, used.len());
        for channel in &interrupt.channels {
            let from = (COLUMNS[0] + BOX.0, channel_at(*channel as usize));
            let arrow = curve(from, (COLUMNS[1], interrupt_at(index)));
            arrows.append(titled(
                arrow.set("class", "comes").set("stroke", color.as_str()),
                &format!("channel {channel} sends {}", interrupt.name()),
            ));
        }
        let from = (COLUMNS[1] + BOX.0, interrupt_at(index));
        let arrow = curve(from, (COLUMNS[2], destination_at(&interrupt.processors)));
        arrows.append(titled(
            arrow.set("class", "comes").set("stroke", color.as_str()),
            &format!(
                "{} interrupts CPU {}",
                interrupt.name(),
                ranges(&interrupt.processors)
            ),
        ));
        let note = format!("vector 0x{:02X}", interrupt.vector);
        boxes.append(label(1, interrupt_at(index), &interrupt.name(), &note));
    }
    for processors in &destinations {
        let first = processors.first().copied().unwrap_or(0);
        let note = match topology.groups() {
            _ if first >= topology.processors => "does not exist".into(),
            1 => String::new(),
            _ => format!("group {}", first / topology.group_size),
        };
        let name = format!("CPU {}", ranges(processors));
        boxes.append(label(2, destination_at(processors), &name, &note));
    }
    let mut heads = Group::new();
    for (left, head) in COLUMNS.iter().zip(["Channels", "Interrupts", "Processors"]) {
        heads.append(text(*left, 24.0, head).set("class", "head"));
    }
    let legend = "solid: as assigned — dashed: as asked, and red where it is not so";
    heads.append(text(COLUMNS[0], 44.0, legend).set("class", "soft"));

    let map_top = TOP + height + 50.0;
    let (map, map_height) = map(topology, &used, map_top);
    Document::new()
        .set("viewBox", (0.0, 0.0, WIDTH, map_top + map_height))
        .set("role", "img")
        .add(heads)
        .add(wishes)
        .add(arrows)
        .add(boxes)
        .add(map)
}

/// Every processor of the machine, group by group, and the height of that.
fn map(topology: &Topology, used: &[&Interrupt], top: f64) -> (Group, f64) {
    let mut map = Group::new();
    let head =
        "All processors: filled where an interrupt goes to that one only, ringed where NetDMA asks";
    map.append(text(COLUMNS[0], top - 16.0, head).set("class", "head"));
    let mut y = top;
    for group in 0..topology.groups() {
        let processors = topology.group(group);
        map.append(text(COLUMNS[0], y + 18.0, &format!("group {group}")).set("class", "soft"));
        for (place, processor) in (0..).zip(processors.clone()) {
            let (row, column) = (place / CELLS, place % CELLS);
            let (x, y) = (
                MAP_LEFT + f64::from(column) * CELL,
                y + f64::from(row) * CELL,
            );
            map.append(cell(topology, used, processor, (x, y)));
        }
        y += f64::from((processors.end - processors.start).div_ceil(CELLS)) * CELL + 12.0;
    }
    (map, y - top + 10.0)
}

fn cell(topology: &Topology, used: &[&Interrupt], processor: u32, (x, y): (f64, f64)) -> Group {
    let size = CELL - 3.0;
    let comes: Vec<_> = used
        .iter()
        .enumerate()
        .filter(|(_, interrupt)| interrupt.processors == [processor])
        .collect();
    let asked: Vec<_> = topology
        .channels
        .iter()
        .filter(|channel| channel.asked == Some(processor))
        .map(|channel| channel.channel)
        .collect();
    let mut square = Rectangle::new()
        .set("x", x)
        .set("y", y)
        .set("width", size)
        .set("height", size)
        .set("rx", 4);
    if let Some((index, _)) = comes.first() {
        let fill = format!("fill:{}", color(*index, used.len()));
        square = square.set("style", fill);
    }
    let mut title = format!("CPU {processor}");
    for (_, interrupt) in &comes {
        let _ = write!(title, ", {}", interrupt.name());
    }
    if !asked.is_empty() {
        let _ = write!(title, ", asked for channels {}", ranges(&asked));
    }
    let center = (x + size / 2.0, y + size / 2.0);
    let class = if comes.is_empty() { "soft" } else { "on" };
    let number = text(center.0, center.1 + 4.0, &processor.to_string())
        .set("class", class)
        .set("text-anchor", "middle");
    let mut cell = Group::new().add(Title::new(title)).add(square).add(number);
    if !asked.is_empty() {
        cell.append(
            Circle::new()
                .set("class", "wish")
                .set("cx", center.0)
                .set("cy", center.1)
                .set("r", size / 2.0 - 1.0),
        );
    }
    cell
}

/// A colour for each interrupt, far from its neighbours'.
fn color(index: usize, count: usize) -> String {
    // Red stands for what is not as asked.
    let hue = 40 + index * 290 / count.max(1);
    format!("hsl({hue} 65% 52%)")
}

fn curve((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Path {
    let bend = (x2 - x1) / 2.0;
    let data = format!(
        "M{x1:.1},{y1:.1} C{:.1},{y1:.1} {:.1},{y2:.1} {x2:.1},{y2:.1}",
        x1 + bend,
        x2 - bend
    );
    Path::new().set("d", data)
}

fn titled(shape: impl Into<Element>, title: &str) -> Group {
    Group::new().add(Title::new(title)).add(shape.into())
}

/// A box of a column, with its name and a note.
fn label(column: usize, middle: f64, name: &str, note: &str) -> Group {
    let left = COLUMNS[column];
    let frame = Rectangle::new()
        .set("x", left)
        .set("y", middle - BOX.1 / 2.0)
        .set("width", BOX.0)
        .set("height", BOX.1)
        .set("rx", 6);
    let note = text(left + BOX.0 - 10.0, middle + 4.0, note)
        .set("class", "soft")
        .set("text-anchor", "end");
    Group::new()
        .add(frame)
        .add(text(left + 10.0, middle + 4.5, name))
        .add(note)
}

fn text(x: f64, y: f64, content: &str) -> Text {
    Text::new(content).set("x", x).set("y", y)
}

/// The same for those who do not look at drawings.
fn table(topology: &Topology) -> String {
    let mut table = String::from(
        "\n<table>\n<tr><th>Channel</th><th>Asked</th><th>Interrupt</th><th>Goes to</th><th></th></tr>\n",
    );
    for channel in &topology.channels {
        let _ = writeln!(table, "{}", row(channel));
    }
    table.push_str("</table>\n");
    table
}

fn row(channel: &Channel) -> String {
    let asked = channel
        .asked
        .map_or_else(|| "–".into(), |asked| format!("CPU {asked}"));
    let interrupt = channel
        .message
        .map_or_else(|| "line".into(), |message| format!("message {message}"));
    let remark = match channel.is_as_asked() {
        Some(true) => "as asked",
        Some(false) => "elsewhere",
        None => "not asked",
    };
    format!(
        "<tr><td>{}</td><td>{asked}</td><td>{interrupt}</td><td>CPU {}</td><td>{remark}</td></tr>",
        channel.channel,
        ranges(&channel.processors)
    )
}
