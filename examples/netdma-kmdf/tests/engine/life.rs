//! The driver from load to unload on simulated machines: where interrupts go, what is copied, and what happens when the device has
//! fewer messages than channels, or NetDMA is not there.

use std::collections::BTreeSet;

use simkernel::ndis::AffinityPlan;
use simkernel::pnp::{DeviceConfig, Layout, Signal};

use super::machine::*;

fn boot(os: Os, channels: u32, messages: u32, granted: Option<u32>) -> Machine {
    boot_with(os, channels, messages, granted, |_| {})
}

fn boot_with(
    os: Os,
    channels: u32,
    messages: u32,
    granted: Option<u32>,
    before: impl FnOnce(&Kernel),
) -> Machine {
    let setup = Setup {
        config: Config {
            os,
            ..Config::default()
        },
        channels,
        messages,
        granted,
    };
    Machine::with(setup, before)
}

/// Copies `batches` batches of `pieces` pieces of different lengths and checks every byte, also around the copies.
fn copy(machine: &Machine, channel: &Channel, batches: u32, pieces: usize) {
    const ROOM: usize = 0x3000;

    for batch in 0..batches {
        let mut source = machine.kernel.allocate(pieces * ROOM);
        let mut destination = machine.kernel.allocate(pieces * ROOM);
        for (index, byte) in source.as_mut_slice().iter_mut().enumerate() {
            *byte = (index as u32).wrapping_mul(0x9E37_79B9).wrapping_add(batch) as u8;
        }
        destination.as_mut_slice().fill(GUARD);
        let range = |piece: usize| {
            let start = piece * ROOM + 64 + piece % 7;
            start..start + 1 + (piece * 977 + batch as usize) % 0x2800
        };
        let transfers: Vec<_> = (0..pieces)
            .map(|piece| Transfer {
                source: source.physical() + range(piece).start as u64,
                destination: destination.physical() + range(piece).start as u64,
                length: range(piece).len() as u32,
                flags: 0,
            })
            .collect();
        let ticket = channel.submit(&transfers).expect("the batch is accepted");
        assert!(
            channel.wait(ticket, TIMEOUT),
            "batch {batch} does not complete"
        );
        let mut expected = vec![GUARD; pieces * ROOM];
        for range in (0..pieces).map(range) {
            expected[range.clone()].copy_from_slice(&source.as_slice()[range]);
        }
        assert!(destination.as_slice() == expected, "batch {batch} differs");
    }
}

/// Every channel of the device, copying at the same time.
fn copy_on_all(machine: &Machine, channels: u32) -> Vec<Channel> {
    let open: Vec<_> = (0..channels)
        .map(|channel| machine.open_on(1 << (channel % 4)))
        .collect();
    std::thread::scope(|scope| {
        for (index, channel) in (0..).zip(&open) {
            let kernel = &machine.kernel;
            scope.spawn(move || {
                let _entered = kernel.enter(index % 4);
                copy(machine, channel, 12, 16);
            });
        }
    });
    open
}

#[test]
fn each_channel_interrupts_and_completes_on_the_processor_that_netdma_asked_for() {
    let machine = boot(Os::Win7, 8, 8, None);
    let info = machine.kernel.netdma().providers().remove(0);
    assert_eq!((info.channels, info.version), (8, (2, 1)));
    assert_eq!(info.maximum_transfer, MAXIMUM_TRANSFER_SIZE);
    let reports = machine.kernel.interrupts(machine.device);
    assert_eq!(reports.len(), 8);
    for (report, asked) in reports.iter().zip(&info.affinity) {
        assert_eq!(
            report.targets,
            [asked.unwrap()],
            "message {:?}",
            report.message
        );
    }
    let channels = copy_on_all(&machine, 8);
    machine.kernel.quiesce();
    for channel in &channels {
        let statistics = channel.statistics();
        assert_eq!(statistics.descriptors, 12 * 16);
        assert!(statistics.interrupts > 0, "no interrupt");
        let here = [channel.processor()];
        assert!(
            statistics.isr_processors.keys().eq(&here),
            "{statistics:?}, not {here:?}"
        );
        assert!(
            statistics.dpc_processors.keys().eq(&here),
            "{statistics:?}, not {here:?}"
        );
    }
    machine.end(channels);
}

#[test]
fn fewer_messages_than_channels_are_shared() {
    let machine = boot(Os::Win7, 8, 3, None);
    let channels = copy_on_all(&machine, 8);
    let reports = machine.kernel.interrupts(machine.device);
    assert_eq!(reports.len(), 3);
    assert!(
        reports
            .iter()
            .all(|report| report.delivered.values().sum::<u64>() > 0),
        "{reports:?}"
    );
    machine.end(channels);
}

#[test]
fn a_grant_that_runs_short_is_shared() {
    let machine = boot(Os::Win7, 8, 8, Some(2));
    let channels = copy_on_all(&machine, 8);
    assert_eq!(machine.kernel.interrupts(machine.device).len(), 2);
    machine.end(channels);
}

#[test]
fn one_message_serves_all_channels() {
    let machine = boot(Os::Win7, 4, 1, None);
    let channels = copy_on_all(&machine, 4);
    for channel in &channels {
        assert!(
            channel
                .statistics()
                .dpc_processors
                .keys()
                .eq(&[channel.processor()])
        );
    }
    machine.end(channels);
}

#[test]
fn a_line_interrupt_serves_all_channels() {
    let machine = boot(Os::VistaSp1, 4, 0, None);
    assert_eq!(machine.kernel.netdma().providers()[0].version, (2, 0));
    let channels = copy_on_all(&machine, 4);
    let reports = machine.kernel.interrupts(machine.device);
    assert!(
        matches!(&*reports, [report] if report.message.is_none()),
        "{reports:?}"
    );
    machine.end(channels);
}

#[test]
fn a_client_gets_a_channel_that_interrupts_on_its_processor_while_there_is_one() {
    let machine = boot(Os::Win7, 4, 4, None);
    let on_two = machine.open_on(1 << 2);
    assert_eq!(on_two.processor(), 2);
    // The one whose message goes to processor 2 is taken; the next one works there all the same.
    let also_on_two = machine.open_on(1 << 2);
    assert_eq!(also_on_two.processor(), 2);
    copy(&machine, &also_on_two, 2, 4);
    machine.end((on_two, also_on_two));
}

/// DPCs are aimed at group 0 only; the interrupts themselves go where NetDMA asked.
#[test]
fn a_channel_whose_message_goes_to_another_group_completes_where_its_client_wants_it() {
    let setup = Setup {
        config: Config {
            processors: 8,
            group_size: 4,
            ..Config::default()
        },
        ..Setup::default()
    };
    let machine = Machine::with(setup, |kernel| {
        kernel
            .netdma()
            .set_affinity(AffinityPlan::Processors(vec![5, 6]));
    });
    let channels = [machine.open_on(1 << 2), machine.open_on(1 << 1)];
    for (channel, wanted) in channels.iter().zip([2, 1]) {
        assert_eq!(channel.processor(), wanted);
        copy(&machine, channel, 12, 16);
    }
    machine.kernel.quiesce();
    for (channel, (interrupted, wanted)) in channels.iter().zip([(5, 2), (6, 1)]) {
        let statistics = channel.statistics();
        assert!(
            statistics.isr_processors.keys().eq(&[interrupted]),
            "{statistics:?}"
        );
        assert!(
            statistics.dpc_processors.keys().eq(&[wanted]),
            "{statistics:?}"
        );
    }
    machine.end(channels);
}

#[test]
fn no_more_channels_than_the_device_has() {
    let machine = boot(Os::Win7, 2, 2, None);
    let provider = machine.kernel.netdma().providers()[0].id;
    let channels = [machine.open_on(u64::MAX), machine.open_on(u64::MAX)];
    assert!(machine.kernel.netdma().open(provider, u64::MAX).is_err());
    drop(channels);
    let again = machine.open_on(u64::MAX);
    copy(&machine, &again, 1, 1);
    machine.end(again);
}

#[test]
fn processors_that_do_not_exist_are_left_out_of_the_plan() {
    let machine = boot_with(Os::Win7, 2, 2, None, |kernel| {
        kernel
            .netdma()
            .set_affinity(AffinityPlan::Processors(vec![99, 1]));
    });
    let reports = machine.kernel.interrupts(machine.device);
    assert_eq!(reports[1].targets, [1]);
    assert!(
        reports[0].targets.iter().all(|processor| *processor < 4),
        "{reports:?}"
    );
    let channels = copy_on_all(&machine, 2);
    machine.end(channels);
}

#[test]
fn without_a_word_of_netdma_interrupts_go_where_the_system_likes() {
    let machine = boot_with(Os::Win7, 2, 2, None, |kernel| {
        kernel.netdma().set_affinity(AffinityPlan::Silent);
    });
    let channels = copy_on_all(&machine, 2);
    machine.end(channels);
}

#[test]
fn a_descriptor_that_is_too_long_halts_the_channel_and_a_new_list_goes_on() {
    let machine = boot(Os::Win7, 1, 1, None);
    let channel = machine.open_on(u64::MAX);
    let (source, destination) = (machine.kernel.allocate(4096), machine.kernel.allocate(4096));
    let good = Transfer {
        source: source.physical(),
        destination: destination.physical(),
        length: 64,
        flags: 0,
    };
    let bad = Transfer {
        length: MAXIMUM_TRANSFER_SIZE + 1,
        ..good
    };
    let ticket = channel
        .submit(&[good, bad])
        .expect("the first descriptor is in order");
    assert!(!channel.wait(ticket, TIMEOUT));
    assert_eq!(channel.statistics().faults, 1);
    copy(&machine, &channel, 2, 4);
    machine.end(channel);
}

#[test]
fn without_netdma_the_driver_loads_says_so_and_goes() {
    let machine = boot(Os::Win10, 4, 4, None);
    let said = machine
        .kernel
        .events()
        .iter()
        .any(|event| event.what.contains("NetDMA is not supported"));
    assert!(said, "{:?}", machine.kernel.events());
    machine.end(());
}

#[test]
fn a_refused_allocation_at_any_moment_leaves_nothing_behind() {
    let mut failures = BTreeSet::new();
    for n in 1.. {
        let kernel = Kernel::boot(Config::default());
        kernel.fail_allocation(Some(n));
        if let Ok(driver) = kernel.load_driver("netdma-kmdf", driver_entry) {
            match kernel.add_device(driver, device(2, 2, None)) {
                Ok(device) => kernel.remove_device(device).expect("the device is removed"),
                Err(status) => _ = failures.insert(status),
            }
            kernel
                .unload_driver(driver)
                .expect("the driver is unloaded");
        }
        let refused = kernel.failed_allocations() > 0;
        kernel.fail_allocation(None);
        let verdict = kernel.shutdown();
        assert!(verdict.is_clean(), "allocation {n}: {verdict}");
        if !refused {
            break;
        }
    }
    assert!(!failures.is_empty());
}

#[test]
fn a_device_without_resources_copies_without_interrupts() {
    for os in [Os::VistaSp1, Os::Win7] {
        let kernel = Kernel::boot(Config {
            os,
            ..Config::default()
        });
        let driver = kernel.load_driver("netdma-kmdf", driver_entry).unwrap();
        let config = DeviceConfig {
            name: r"Root\NetDmaKmdf".into(),
            layout: Layout::Root,
            ..DeviceConfig::default()
        };
        let device = kernel.add_device(driver, config).unwrap();
        let machine = Machine {
            kernel,
            driver,
            device,
            signal: Signal::new(),
        };
        assert_eq!(machine.kernel.interrupts(device), []);
        assert_eq!(machine.kernel.netdma().providers()[0].channels, 4);
        drop(copy_on_all(&machine, 4));
        machine.kernel.power_down(device).unwrap();
        machine.kernel.power_up(device).unwrap();
        drop(copy_on_all(&machine, 4));
        machine.end(());
    }
}
