//! A provider's life on the simulated kernel.

use std::time::Duration;

use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::NewDevice;
use nmr_netdma::netdma::{Attributes, Engine, Failed, NotStarted, Version};
use nmr_netdma::{Irql, Result};
use simkernel::ndis::{AffinityPlan, Channel, Transfer};
use simkernel::pnp::{DeviceConfig, DeviceId, DriverEntry, DriverId};
use simkernel::{Config, Kernel, Os};

use super::driver::{ATTRIBUTES, Case, Copier, Device, Driver, NAME, Record, register};

const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) fn boot(os: Os) -> Kernel {
    Kernel::boot(Config {
        os,
        ..Config::default()
    })
}

pub(crate) fn load(kernel: &Kernel, entry: DriverEntry) -> (DriverId, DeviceId) {
    let driver = kernel.load_driver("test", entry).expect("the driver loads");
    let config = DeviceConfig {
        name: "device".into(),
        ..DeviceConfig::default()
    };
    (
        driver,
        kernel
            .add_device(driver, config)
            .expect("the device starts"),
    )
}

pub(crate) fn unload(kernel: Kernel, (driver, device): (DriverId, DeviceId)) {
    kernel.remove_device(device).expect("the device is removed");
    kernel
        .unload_driver(driver)
        .expect("the driver is unloaded");
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// Copies three times, so that appended chains are among them.
pub(crate) fn copy(kernel: &Kernel, channel: &Channel) {
    for round in 0..3_u8 {
        let mut source = kernel.allocate(8192);
        let destination = kernel.allocate(8192);
        for (index, byte) in source.as_mut_slice().iter_mut().enumerate() {
            *byte = (index % 251) as u8 ^ round;
        }
        let half = |offset| Transfer {
            source: source.physical() + offset,
            destination: destination.physical() + offset,
            length: 4096,
            flags: 0,
        };
        let ticket = channel
            .submit(&[half(0), half(4096)])
            .expect("the chain is accepted");
        assert!(
            channel.wait(ticket, TIMEOUT),
            "round {round} does not complete"
        );
        assert_eq!(source.as_slice(), destination.as_slice(), "round {round}");
    }
}

fn one_life<C: Case>(os: Os, entry: DriverEntry, version: (u8, u8)) {
    let kernel = boot(os);
    let loaded = load(&kernel, entry);
    let providers = kernel.netdma().providers();
    let [provider] = &*providers else {
        panic!("one provider: {providers:?}")
    };
    assert_eq!(provider.version, version);
    assert!(provider.started);
    assert_eq!(
        (provider.channels, provider.maximum_transfer),
        (1, ATTRIBUTES.maximum_transfer_size)
    );
    if version >= (2, 0) {
        assert_eq!(provider.name, NAME);
    }
    let channel = kernel
        .netdma()
        .open(provider.id, u64::MAX)
        .expect("a channel");
    assert_eq!(channel.processor(), 1);
    copy(&kernel, &channel);
    // Its link is in use, so that a second owner is refused.
    assert!(kernel.netdma().open(provider.id, u64::MAX).is_err());
    channel.free();
    let channel = kernel
        .netdma()
        .open(provider.id, u64::MAX)
        .expect("the channel again");
    copy(&kernel, &channel);
    channel.free();
    unload(kernel, loaded);
}

/// A module with the entry point of a driver that does what its case says.
macro_rules! case {
    ($module:ident, $case:ident, { $($item:tt)* }) => {
        struct $case;

        impl Case for $case { $($item)* }

        mod $module {
            nmr_netdma::kmdf::driver_entry!(super::Driver<super::$case>);
        }
    };
}

case!(windows_7, Windows7, {});

#[test]
fn a_provider_lives_on_windows_7() {
    one_life::<Windows7>(Os::Win7, windows_7::driver_entry, (2, 1));
}

case!(vista, Vista, {});

#[test]
fn the_system_lowers_the_version_on_vista() {
    one_life::<Vista>(Os::VistaSp1, vista::driver_entry, (2, 0));
}

case!(uncounted, Uncounted, {
    const VERSION: Version = Version::V1_1;
});

#[test]
fn a_provider_may_state_a_lower_version_and_gets_chains_that_end() {
    one_life::<Uncounted>(Os::Win7, uncounted::driver_entry, (1, 1));
}

static UNSUPPORTED: Record = Record::new();

case!(windows_10, Windows10, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        match register(device, Copier::new(irql)?, irql) {
            Ok(_) => panic!("registered"),
            Err(Failed { provider, error }) => UNSUPPORTED.note((provider.mark, error)),
        }
        Ok(None)
    }
});

#[test]
fn success_with_a_null_handle_is_unsupported_and_gives_the_provider_back() {
    let kernel = boot(Os::Win10);
    let loaded = load(&kernel, windows_10::driver_entry);
    assert_eq!(UNSUPPORTED.take(), ["(7, Unsupported)"]);
    unload(kernel, loaded);
}

static ATTRIBUTES_REFUSED: Record = Record::new();

case!(attributes, BadAttributes, {
    fn started(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        for attributes in [
            Attributes {
                channels: 0,
                ..ATTRIBUTES
            },
            Attributes {
                channels: 2,
                ..ATTRIBUTES
            },
            Attributes {
                maximum_transfer_size: 4095,
                ..ATTRIBUTES
            },
        ] {
            ATTRIBUTES_REFUSED.note(engine.start(&attributes, irql));
        }
        engine.start(&ATTRIBUTES, irql)
    }
});

#[test]
fn attributes_out_of_bounds_are_refused_before_netdma_sees_them() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, attributes::driver_entry);
    assert_eq!(
        ATTRIBUTES_REFUSED.take(),
        ["Err(STATUS_INVALID_PARAMETER)"; 3]
    );
    unload(kernel, loaded);
}

static TRANSITIONS: Record = Record::new();

case!(transitions, Transitions, {
    fn started(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        TRANSITIONS.note(engine.stop(irql));
        TRANSITIONS.note(engine.power_down(irql));
        engine.start(&ATTRIBUTES, irql)?;
        TRANSITIONS.note(engine.start(&ATTRIBUTES, irql));
        TRANSITIONS.note(engine.power_up(irql));
        engine.power_down(irql)?;
        TRANSITIONS.note(engine.power_down(irql));
        engine.power_up(irql)?;
        engine.stop(irql)?;
        engine.start(&ATTRIBUTES, irql)
    }

    fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        engine.deregister(irql);
        TRANSITIONS.note(engine.stop(irql));
        TRANSITIONS.note(engine.start(&ATTRIBUTES, irql));
        Ok(())
    }
});

#[test]
fn an_engine_refuses_every_transition_out_of_order() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, transitions::driver_entry);
    assert_eq!(TRANSITIONS.take(), ["Err(STATUS_INVALID_DEVICE_STATE)"; 5]);
    kernel
        .remove_device(loaded.1)
        .expect("the device is removed");
    assert_eq!(TRANSITIONS.take(), ["Err(STATUS_INVALID_DEVICE_STATE)"; 2]);
    kernel
        .unload_driver(loaded.0)
        .expect("the driver is unloaded");
}

case!(never_stopped, NeverStopped, {
    fn stopping(_: &Engine<Copier>, _: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }
});

#[test]
fn dropping_a_started_engine_stops_and_deregisters_it() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, never_stopped::driver_entry);
    assert!(kernel.netdma().providers()[0].started);
    kernel
        .remove_device(loaded.1)
        .expect("the device is removed");
    assert_eq!(kernel.netdma().providers(), []);
    kernel
        .unload_driver(loaded.0)
        .expect("the driver is unloaded");
}

static PHASES: Record = Record::new();

case!(phases, Phases, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        let registered =
            register(device, Copier::new(irql)?, irql).map_err(|failed| failed.error)?;
        let bad = Attributes {
            channels: 0,
            ..ATTRIBUTES
        };
        let Err(NotStarted { registered, error }) = registered.start(&bad, irql) else {
            panic!("started")
        };
        PHASES.note(error);
        let started = registered
            .start(&ATTRIBUTES, irql)
            .map_err(|failed| failed.error)?;
        started.power_down(irql)?;
        started.power_up(irql)?;
        let registered = started.stop(irql);
        PHASES.note(registered.provider().mark);
        registered.deregister(irql);

        // Once more, to be dropped while started.
        let registered =
            register(device, Copier::new(irql)?, irql).map_err(|failed| failed.error)?;
        let started = registered
            .start(&ATTRIBUTES, irql)
            .map_err(|failed| failed.error)?;
        PHASES.note(started.version());
        Ok(None)
    }
});

#[test]
fn phases_as_types_give_the_registration_from_one_to_the_next() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, phases::driver_entry);
    assert_eq!(PHASES.take(), ["STATUS_INVALID_PARAMETER", "7", "2.1"]);
    assert_eq!(kernel.netdma().providers(), []);
    unload(kernel, loaded);
}

static LINKS: Record = Record::new();

case!(links, Links, {
    fn stopping(engine: &Engine<Copier>, irql: &mut Irql<Passive>) -> Result<()> {
        let mut note = || {
            irql.at_dispatch(|irql| LINKS.note(engine.provider().hands().link.open(irql).is_some()))
        };
        note();
        engine.stop(irql)?;
        irql.at_dispatch(|irql| LINKS.note(engine.provider().hands().link.open(irql).is_some()));
        Ok(())
    }
});

#[test]
fn stopping_frees_channels_and_a_link_is_open_only_while_its_channel_is_allocated() {
    let kernel = boot(Os::Win7);
    let loaded = load(&kernel, links::driver_entry);
    let provider = kernel.netdma().providers()[0].id;
    let channel = kernel.netdma().open(provider, u64::MAX).expect("a channel");
    kernel
        .remove_device(loaded.1)
        .expect("the device is removed");
    assert_eq!(LINKS.take(), ["true", "false"]);
    drop(channel);
    kernel
        .unload_driver(loaded.0)
        .expect("the driver is unloaded");
}

static ASKED: Record = Record::new();

case!(affinity, Asked, {
    fn add(
        device: &NewDevice<'_, Device<Self>>,
        irql: &mut Irql<Passive>,
    ) -> Result<Option<Engine<Copier>>> {
        let registered =
            register(device, Copier::new(irql)?, irql).map_err(|failed| failed.error)?;
        for affinity in registered.provider().asked() {
            ASKED.note((affinity.channel, affinity.processor));
        }
        Ok(Some(registered.into_engine()))
    }
});

#[test]
fn the_affinity_arrives_inside_the_registration_if_there_are_messages() {
    for (messages, expected) in [(2, &["(0, 3)"][..]), (0, &[])] {
        let kernel = boot(Os::Win7);
        kernel
            .netdma()
            .set_affinity(AffinityPlan::Processors(vec![3]));
        let driver = kernel
            .load_driver("test", affinity::driver_entry)
            .expect("the driver loads");
        let config = DeviceConfig {
            name: "device".into(),
            messages,
            ..DeviceConfig::default()
        };
        let device = kernel
            .add_device(driver, config)
            .expect("the device starts");
        assert_eq!(ASKED.take(), expected);
        unload(kernel, (driver, device));
    }
}

case!(no_memory, NoMemory, {});

#[test]
fn a_refused_allocation_anywhere_undoes_everything() {
    for n in 1.. {
        let kernel = boot(Os::Win7);
        let driver = kernel
            .load_driver("test", no_memory::driver_entry)
            .expect("the driver loads");
        kernel.fail_allocation(Some(n));
        let config = DeviceConfig {
            name: "device".into(),
            ..DeviceConfig::default()
        };
        let device = kernel.add_device(driver, config);
        let failed = kernel.failed_allocations() > 0;
        kernel.fail_allocation(None);
        if let Ok(device) = device {
            kernel.remove_device(device).expect("the device is removed");
        }
        kernel
            .unload_driver(driver)
            .expect("the driver is unloaded");
        let verdict = kernel.shutdown();
        assert!(verdict.is_clean(), "allocation {n}: {verdict}");
        if !failed {
            assert!(n > 2, "a registration allocates");
            return;
        }
        assert!(
            device.is_err(),
            "allocation {n} was refused, and nobody noticed"
        );
    }
}
