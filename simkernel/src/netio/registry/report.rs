//! What the registry says of its elements: in violations, of a deregistration that is stuck, at the end of a machine or a driver.

use alloc::format;
use alloc::string::String;

use super::{Existence, Module, Registry, Stage};
use crate::kernel::Machine;
use crate::netio::handle::{Handle, Kind};
use crate::netio::name::Role;
use crate::netio::slab::NONE;
use crate::netio::violation;

/// What was left of a module.
pub(in crate::netio) struct Left {
    pub(in crate::netio) kind: &'static str,
    pub(in crate::netio) detail: String,
}

impl Registry {
    /// What the handle names, for a report.
    pub(in crate::netio) fn describe(&self, handle: Handle) -> String {
        match (self.existence(handle), handle.kind) {
            (Existence::Exists, Kind::Binding) => {
                format!("the binding of {}", self.pair(handle.index))
            }
            (Existence::Exists, _) => {
                format!("the registration of {}", self.title(handle))
            }
            (Existence::Existed, kind) => format!("a {} that is gone", kind.name()),
            (Existence::Never, kind) => format!("a {} that never was", kind.name()),
        }
    }

    /// A module and its interface, for a report.
    pub(in crate::netio) fn title(&self, module: Handle) -> String {
        let module = &self.modules[module.index];
        let interface = self.interfaces[module.interface as usize].id;
        format!("{}, interface {interface}", module.name)
    }

    /// Reports what a binding's sides freed before its cleanup, by role: contexts and tables.
    #[cold]
    pub(super) fn report_freed(
        &self,
        machine: &Machine,
        index: u32,
        contexts: [bool; 2],
        tables: [bool; 2],
    ) {
        for role in [Role::Client, Role::Provider] {
            let freed = [
                (
                    &violation::BINDING_CONTEXT_FREED,
                    "binding context",
                    contexts,
                ),
                (&violation::TABLE_FREED, "dispatch table", tables),
            ];
            for (rule, what, _) in freed.iter().filter(|(.., freed)| freed[role as usize]) {
                machine.violated(
                    rule,
                    format_args!(
                        "the {what} of {role} was freed before the cleanup: {}",
                        self.pair(index)
                    ),
                );
            }
        }
    }

    /// Which bindings a deregistration waits for, and for whom in each.
    pub(in crate::netio) fn holders(&self, module: Handle) -> String {
        let role = self.modules[module.index].name.role;
        let mut text = String::new();
        let mut binding = self.modules[module.index].bindings.first;
        while binding != NONE {
            text.push_str("; ");
            text.push_str(&self.describe_binding(binding));
            binding = self.bindings[binding].links[role as usize].next;
        }
        text
    }

    fn describe_binding(&self, index: u32) -> String {
        let pair = self.pair(index);
        let binding = &self.bindings[index];
        match binding.stage {
            Stage::Proposed => format!("{pair}: proposed"),
            Stage::Asking => format!("{pair}: {} is in its attach callback", pair.client),
            Stage::Offered => format!("{pair}: {} is in its attach callback", pair.provider),
            Stage::Accepted => format!(
                "{pair}: {} is at the end of its attach callback",
                pair.client
            ),
            Stage::Attached => format!("{pair}: attached"),
            Stage::Cleaning => format!("{pair}: in the cleanup callbacks"),
            Stage::Detaching => {
                let [client, provider] = binding.sides;
                let mut text = format!("{pair}:");
                for (role, side) in [(Role::Client, client), (Role::Provider, provider)] {
                    if !side.is_finished() {
                        text.push_str(&format!(" {role} {}", side.describe()));
                    }
                }
                text
            }
        }
    }

    pub(in crate::netio) fn left_modules(&self) -> impl Iterator<Item = Left> {
        self.modules.iter().map(|(_, module)| {
            let Module {
                name,
                deregistering,
                origin,
                ..
            } = module;
            let kind = match name.role {
                Role::Client => "nmr client registration",
                Role::Provider => "nmr provider registration",
            };
            let state = match deregistering {
                true => "deregistered and never waited for",
                false => "never deregistered",
            };
            let interface = self.interfaces[module.interface as usize].id;
            let mut detail = format!("{name}, interface {interface}, {state}");
            if let Some(origin) = origin {
                detail.push_str(&format!(", registered in {origin}"));
            }
            Left { kind, detail }
        })
    }

    /// What the driver `driver` has left registered, and with whom.
    pub(in crate::netio) fn left_by(&self, driver: u64) -> impl Iterator<Item = String> {
        self.modules
            .iter()
            .filter(move |(_, module)| module.name.driver == driver)
            .map(|(index, module)| {
                let state = match module.deregistering {
                    true => "deregistering",
                    false => "registered",
                };
                let handle = self
                    .modules
                    .handle(Kind::of(module.name.role), self.shard, index);
                format!("{}, {state}{}", self.title(handle), self.holders(handle))
            })
    }

    pub(in crate::netio) fn left_bindings(&self) -> impl Iterator<Item = String> {
        self.bindings
            .iter()
            .map(|(index, _)| self.describe_binding(index))
    }
}
