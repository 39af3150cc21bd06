//! Where the interrupts of the device go: a table of machines and devices, each tried with the requirements filter, with policies on the
//! interrupt objects, and with a raw list as a driver without the framework would filter it.
//!
//! The table is in `situation`. It was written by hand from the rules of `netdma::affinity`; nothing here computes what it expects.

use netdma_kmdf::{MAXIMUM_CHANNELS, driver_entry, driver_entry_by_interrupt};
use nmr_netdma::netdma::affinity::{ActiveProcessors, Affinities, Plan};
use nmr_netdma::resources::{
    CmResourceBytes, ProcessorGroups, RequirementsBytes, set_message_affinity,
};
use nmr_netdma::sys::NET_DMA_CHANNEL_CPU_AFFINITY as Entry;
use simkernel::devices::Doorbell;
use simkernel::mm::Registers;
use simkernel::pnp::{DeviceId, DriverEntry, Signal};
use simkernel::{Kernel, Os};
use std::sync::Arc;

use situation::{Expected, Situation, situations};

mod situation;

impl Situation {
    /// Boots the machine with the driver and the device, lets `body` look, and takes everything down again.
    fn with(&self, entry: DriverEntry, body: impl FnOnce(&Kernel, DeviceId, &Doorbell)) {
        let kernel = Kernel::boot(self.config.clone());
        self.ask(&kernel);
        let driver = kernel
            .load_driver_bound("netdma-kmdf", entry, self.functions)
            .unwrap();
        let signal = Signal::new();
        let model = Doorbell::new(self.channels, signal.clone());
        let config = self.device(Arc::clone(&model) as Arc<dyn Registers>, signal);
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
            let sent = self.messages_sent(model);
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
        // For a device without messages, or on a system without NetDMA, nothing is asked.
        let entries: Vec<_> = (self.messages > 0 && self.config.os != Os::Win10)
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
