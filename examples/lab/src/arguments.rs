//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use netdma_kmdf::{MAXIMUM_CHANNELS, MAXIMUM_TRANSFER_SIZE};
use simkernel::Os;

use crate::{dmatest, topology};

/// Copies a file through the DMA channels of a driver on a simulated Windows machine.
///
/// Boots the machine, loads the example driver, adds its device, lets NetDMA start it, copies the file through every
/// channel, checks the copy by hash, has the driver copy for a second one, removes the device, unloads the drivers and prints
/// what happened. Exit code: 0 if the copies are right and nothing was left behind, 1 if not, 2 for an argument that cannot be
/// used. The commands do something else on the same machine, with the same exit codes.
#[derive(Debug, Parser)]
#[command(name = "lab", version, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) copy: CopyArguments,
}

/// What the lab does besides copying a file.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Dmatest(dmatest::Arguments),
    Topology(topology::Arguments),
}

/// The options of the copy.
#[derive(Debug, Args)]
pub(crate) struct CopyArguments {
    #[command(flatten)]
    pub(crate) machine: MachineArguments,

    /// Largest transfer of one descriptor, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 65_536, value_parser = value_parser!(u32).range(1..=i64::from(MAXIMUM_TRANSFER_SIZE)))]
    pub(crate) transfer_size: u32,

    /// The file to copy [default: 8 MiB of generated data]
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// The options that describe the machine and its device.
#[derive(Debug, Args)]
pub(crate) struct MachineArguments {
    /// The Windows to simulate; Windows 10 no longer has NetDMA
    #[arg(long, value_enum, default_value_t = System::Win7)]
    pub(crate) os: System,

    /// Processors of the machine
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=256))]
    pub(crate) processors: u32,

    /// Processors of a group; Windows Vista has no groups
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=64))]
    pub(crate) group_size: u32,

    /// DMA channels of the device
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=i64::from(MAXIMUM_CHANNELS)))]
    pub(crate) channels: u32,

    /// MSI-X messages of the device; 0 for a line interrupt only [default: one per channel]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(0..=910))]
    pub(crate) messages: Option<u32>,

    /// Messages that the system grants at most [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) granted: Option<u32>,

    /// Who asks for the processors that NetDMA wants
    #[arg(long, value_enum, default_value_t = Way::Requirements)]
    pub(crate) affinity_by: Way,
}

/// The two ways to ask for an interrupt's processors. They have the same result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// The driver's filter of the resource requirements
    Requirements,
    /// The policies of the framework's interrupt objects
    Interrupts,
}

/// The systems by their names on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    VistaSp1,
    Win7,
    Win10,
}

impl System {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::VistaSp1 => "vista-sp1",
            Self::Win7 => "win7",
            Self::Win10 => "win10",
        }
    }

    pub(crate) fn os(self) -> Os {
        match self {
            Self::VistaSp1 => Os::VistaSp1,
            Self::Win7 => Os::Win7,
            Self::Win10 => Os::Win10,
        }
    }
}

impl CommandLine {
    /// The arguments, or the exit code after what was to be printed has been.
    pub(crate) fn parse_or_explain() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            if !error.use_stderr() {
                // Help or version. If it cannot be printed there is nobody to tell.
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            // The first paragraph names the argument; what follows is advice that the help gives better.
            let text = error.to_string();
            let line: Vec<_> = text
                .lines()
                .take_while(|line| !line.is_empty())
                .map(str::trim)
                .collect();
            eprintln!("{}", line.join(" "));
            ExitCode::from(2)
        })
    }
}

impl MachineArguments {
    /// The processors of the first group, a bit for each: those that a channel can be opened for.
    pub(crate) fn every_processor(&self) -> u64 {
        let group = match self.os {
            System::VistaSp1 => u64::BITS,
            System::Win7 | System::Win10 => self.group_size,
        };
        u64::MAX >> (u64::BITS - self.processors.min(group))
    }

    pub(crate) fn device_messages(&self) -> u32 {
        self.messages.unwrap_or(self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &[&str]) -> String {
        let arguments = std::iter::once("lab").chain(arguments.iter().copied());
        CommandLine::try_parse_from(arguments)
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn unusable_values_are_refused_by_name() {
        for (argument, value) in [
            ("--processors", "0"),
            ("--channels", "0"),
            ("--channels", "33"),
            ("--messages", "911"),
            ("--transfer-size", "0"),
            ("--transfer-size", "4294967295"),
            ("--os", "win95"),
        ] {
            let text = refused(&[argument, value]);
            assert!(
                text.lines()
                    .next()
                    .is_some_and(|line| line.contains(argument)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_device_has_one_message_for_each_channel_unless_told() {
        let arguments = CommandLine::try_parse_from(["lab", "--channels", "7"]).unwrap();
        assert_eq!(arguments.copy.machine.device_messages(), 7);
        let arguments = CommandLine::try_parse_from(["lab", "--messages", "0"]).unwrap();
        assert_eq!(arguments.copy.machine.device_messages(), 0);
    }

    #[test]
    fn options_of_the_copy_do_not_go_with_a_command() {
        let text = refused(&["--channels", "2", "topology"]);
        assert!(text.contains("topology"), "{text}");
    }
}
