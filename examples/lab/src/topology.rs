//! `lab topology`: channels, messages and processors, as asked and as assigned.

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use crate::Failure;
use crate::arguments::MachineArguments;
use crate::machine::Machine;

/// Shows which message each channel was given, and on which processor NetDMA wants it and the system delivers it
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    machine: MachineArguments,
}

/// What is to be printed, and whether all went well.
pub(crate) fn run(arguments: &Arguments) -> Result<(String, bool), Failure> {
    let machine = Machine::boot(&arguments.machine)?;
    let interrupts = machine.kernel.interrupts(machine.device);
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header([
        "channel",
        "asked CPU",
        "message",
        "on CPU",
    ]);
    let provider = machine.provider();
    for channel in 0..provider.as_ref().map_or(0, |provider| provider.channels) {
        let asked = provider
            .as_ref()
            .and_then(|provider| provider.affinity.get(channel as usize).copied().flatten());
        let message = machine.message(channel as usize);
        // With the line there is one report, without a number.
        let report = interrupts
            .iter()
            .find(|report| report.message.is_none_or(|number| number == message));
        let processors = report.map_or_else(Vec::new, |report| {
            report.targets.iter().map(u32::to_string).collect()
        });
        table.add_row([
            channel.to_string(),
            asked.map_or_else(|| "-".into(), |processor| processor.to_string()),
            report
                .and_then(|report| report.message)
                .map_or_else(|| "line".into(), |message| message.to_string()),
            processors.join(", "),
        ]);
    }
    machine.remove_device()?;
    machine.unload_driver()?;
    let good = machine.kernel.shutdown().is_clean();
    let text = match provider {
        Some(_) => table.to_string(),
        None => "NetDMA is not there on this system".into(),
    };
    Ok((text, good))
}
