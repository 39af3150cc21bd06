//! Both example drivers, with each call that can be refused refused once: loading, attaching, copying and unloading in either
//! order. Whatever is refused, nothing breaks a rule, is left behind or stalls.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use nmr_client::Statistics;
use simkernel::devices::Doorbell;
use simkernel::fault::{self, Fault};
use simkernel::ndis::Transfer;
use simkernel::pnp::{Bar, DeviceConfig, Signal};
use simkernel::{Config, Kernel};

fn engine() -> DeviceConfig {
    let signal = Signal::new();
    DeviceConfig {
        name: "engine".into(),
        messages: 2,
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model: Doorbell::new(2, signal.clone()),
        }],
        signal,
        ..DeviceConfig::default()
    }
}

/// Copies as the network stack does, as far as the provider is there; whether it was copied.
fn copy(kernel: &Kernel) -> bool {
    let netdma = kernel.netdma();
    let Some(provider) = netdma.providers().first().map(|provider| provider.id) else {
        return false;
    };
    let Ok(channel) = netdma.open(provider, u64::MAX) else {
        return false;
    };
    let (mut source, destination) = (kernel.allocate(4096), kernel.allocate(4096));
    source.as_mut_slice().fill(0xA7);
    let transfer = Transfer {
        source: source.physical(),
        destination: destination.physical(),
        length: 4096,
        flags: 0,
    };
    let copied = channel
        .submit(&[transfer])
        .is_ok_and(|ticket| channel.wait(ticket, Duration::from_secs(30)));
    assert_eq!(copied, destination.as_slice() == source.as_slice());
    copied
}

/// What of both drivers' work was done.
#[derive(Default)]
struct Outcomes {
    loads_refused: Cell<u32>,
    devices_refused: Cell<u32>,
    copied: Cell<u32>,
    offloaded: Cell<u64>,
}

fn add(counter: &Cell<u32>, yes: bool) {
    counter.set(counter.get() + u32::from(yes));
}

fn scenario(kernel: &Kernel, client_first: bool, outcomes: &Outcomes) {
    let provider = || {
        let driver = kernel
            .load_driver("netdma-kmdf", netdma_kmdf::driver_entry)
            .ok();
        let device = driver.map(|driver| kernel.add_device(driver, engine()));
        add(&outcomes.devices_refused, matches!(device, Some(Err(_))));
        (driver, device.and_then(Result::ok))
    };
    let client = || {
        kernel
            .load_driver("nmr-client", nmr_client::driver_entry)
            .ok()
    };
    let (client, (provider, device)) = if client_first {
        let client = client();
        (client, provider())
    } else {
        let provider = provider();
        (client(), provider)
    };
    add(
        &outcomes.loads_refused,
        client.is_none() || provider.is_none(),
    );
    add(&outcomes.copied, copy(kernel));
    kernel.quiesce();
    let unload = |driver| kernel.unload_driver(driver).expect("it is unloaded");
    if client_first {
        client.map(unload);
    }
    if let Some(device) = device {
        kernel.remove_device(device).expect("the device is removed");
    }
    provider.map(unload);
    if !client_first {
        client.map(unload);
    }
    let events = kernel.events();
    let said = events.iter().filter(|event| event.source == "driver");
    if let Some(last) = said
        .filter_map(|event| Statistics::parse(&event.what))
        .next_back()
    {
        assert_eq!(last.failed, 0, "{last}");
        outcomes
            .offloaded
            .set(outcomes.offloaded.get() + last.verified);
    }
}

fn refuse_each(client_first: bool) {
    let config = Config {
        processors: 2,
        ..Config::default()
    };
    let outcomes = Outcomes::default();
    let points = fault::each(&config, &Fault::RECOVERABLE, |kernel| {
        scenario(kernel, client_first, &outcomes);
    });
    let visited: BTreeSet<Fault> = points.iter().map(|point| point.fault).collect();
    assert_eq!(visited, BTreeSet::from(Fault::RECOVERABLE), "{points:#?}");
    println!("{} points", points.len());
    assert!(points.len() > 100, "{points:#?}");
    assert!(outcomes.loads_refused.get() > 0);
    assert!(outcomes.devices_refused.get() > 0);
    assert!(outcomes.copied.get() > 0 && outcomes.offloaded.get() > 0);
}

#[test]
fn whatever_is_refused_nothing_is_left_and_nothing_stalls() {
    refuse_each(false);
}

#[test]
fn nor_if_the_client_comes_and_goes_first() {
    refuse_each(true);
}
