//! No structure and no constant is forgotten in `sys::layout`. Enumerations cannot be: what defines them compares them.

use std::collections::BTreeSet;

const LAYOUT: &str = include_str!("../src/sys/layout.rs");
/// Where structures and constants are written out.
const SOURCES: [&str; 4] = [
    include_str!("../src/sys/base_builtin.rs"),
    include_str!("../src/sys/wdf_builtin.rs"),
    include_str!("../src/sys/netdma.rs"),
    include_str!("../src/sys/netio.rs"),
];
/// What builds with the kit take from there instead, in lists.
const KIT: [&str; 2] = [
    include_str!("../src/sys/base_wdk.rs"),
    include_str!("../src/sys/wdf_wdk.rs"),
];

fn of_the_kit() -> BTreeSet<&'static str> {
    KIT.iter()
        .flat_map(|source| source.split("pub use wdk_sys::{").skip(1))
        .flat_map(|list| list.split("};").next().unwrap().split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

/// The names that are declared with a word.
fn declared(word: &str) -> BTreeSet<&'static str> {
    SOURCES
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.strip_prefix(word)?.split([' ', ':']).next())
        .collect()
}

#[test]
fn every_structure_is_measured_and_every_one_of_the_kit_is_compared() {
    let kit = of_the_kit();
    let structures = &declared("pub struct ") | &declared("pub union ");
    assert!(structures.len() > 50, "{structures:?}");
    // A part without a name in C is called after the whole, and measured with that.
    let is_part = |name: &str| {
        structures.iter().any(|whole| {
            name.strip_prefix(whole)
                .is_some_and(|part| part.starts_with('_'))
        })
    };
    for name in &structures {
        let notation = match kit.contains(name) {
            true => "layout",
            false if is_part(name) => continue,
            false => "own_layout",
        };
        let measured = format!("\n{notation}!({name}:");
        assert!(LAYOUT.contains(&measured), "{notation}! lacks {name}");
    }
}

/// `constants!` compares; what is declared without it is the kit's only if `layout` says something of it.
#[test]
fn every_constant_of_the_kit_is_compared() {
    let constants = declared("pub const ");
    for name in constants.intersection(&of_the_kit()) {
        assert!(LAYOUT.contains(name), "{name} is not compared");
    }
}
