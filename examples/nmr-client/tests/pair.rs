//! Both example drivers on simulated machines: whichever is loaded or unloaded first, and whatever is in flight then.

use std::time::{Duration, Instant};

use nmr_client::{COPIES, Statistics};
use simkernel::netio::LevelChoice;
use simkernel::pnp::{DeviceConfig, DriverId};
use simkernel::{Config, Kernel, Os};

const PATIENCE: Duration = Duration::from_secs(30);

fn boot(os: Os, seed: u64) -> Kernel {
    Kernel::boot(Config {
        os,
        processors: 4,
        seed,
        ..Config::default()
    })
}

fn load_provider(kernel: &Kernel) -> DriverId {
    kernel
        .load_driver("netdma-kmdf", netdma_kmdf::driver_entry)
        .expect("the provider loads")
}

fn load_client(kernel: &Kernel) -> DriverId {
    kernel
        .load_driver("nmr-client", nmr_client::driver_entry)
        .expect("the client loads")
}

/// The lines in which the client said how it went.
fn said(kernel: &Kernel) -> Vec<Statistics> {
    let events = kernel.events();
    let lines = events.iter().filter(|event| event.source == "driver");
    lines
        .filter_map(|event| Statistics::parse(&event.what))
        .collect()
}

/// Waits until the client has said `times` times how it went, and answers what it said last.
fn wait(kernel: &Kernel, times: usize) -> Statistics {
    let started = Instant::now();
    loop {
        let said = said(kernel);
        if let Some(last) = said.last()
            && said.len() >= times
        {
            return *last;
        }
        assert!(started.elapsed() < PATIENCE, "the copies do not end");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn all_verified(statistics: Statistics, rounds: u32) {
    let copies = u64::from(COPIES * rounds);
    assert_eq!(
        (statistics.copies(), statistics.verified),
        (copies, copies),
        "{statistics}"
    );
    assert_eq!(statistics.refused, 0, "{statistics}");
    assert!(statistics.bytes > copies, "{statistics}");
}

fn end(kernel: Kernel) {
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn either_driver_is_loaded_first_and_either_unloaded_first() {
    for os in [Os::VistaSp1, Os::Win7, Os::Win10] {
        for (client_first, client_goes_first) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let kernel = boot(os, 1);
            let (provider, client) = if client_first {
                let client = load_client(&kernel);
                (load_provider(&kernel), client)
            } else {
                (load_provider(&kernel), load_client(&kernel))
            };
            all_verified(wait(&kernel, 1), 1);
            let order = if client_goes_first {
                [client, provider]
            } else {
                [provider, client]
            };
            for driver in order {
                kernel.unload_driver(driver).expect("it is unloaded");
            }
            all_verified(wait(&kernel, 2), 1);
            end(kernel);
        }
    }
}

#[test]
fn a_client_alone_loads_and_unloads_without_a_device() {
    let kernel = boot(Os::Win10, 1);
    let client = load_client(&kernel);
    kernel.unload_driver(client).expect("it is unloaded");
    assert_eq!(said(&kernel), [Statistics::default()]);
    end(kernel);
}

#[test]
fn a_client_with_a_device_works_as_without() {
    let kernel = boot(Os::Win7, 1);
    let client = load_client(&kernel);
    let config = DeviceConfig {
        name: "client".into(),
        ..DeviceConfig::default()
    };
    let device = kernel
        .add_device(client, config)
        .expect("the device starts");
    let provider = load_provider(&kernel);
    all_verified(wait(&kernel, 1), 1);
    kernel.remove_device(device).expect("the device is removed");
    kernel.unload_driver(client).expect("it is unloaded");
    kernel.unload_driver(provider).expect("it is unloaded");
    end(kernel);
}

#[test]
fn a_provider_that_comes_again_is_used_again() {
    let kernel = boot(Os::Win7, 1);
    let client = load_client(&kernel);
    for round in 1..=3 {
        let provider = load_provider(&kernel);
        all_verified(wait(&kernel, round as usize), round);
        kernel.unload_driver(provider).expect("it is unloaded");
    }
    kernel.unload_driver(client).expect("it is unloaded");
    end(kernel);
}

#[test]
fn two_clients_share_a_provider() {
    let kernel = boot(Os::Win7, 1);
    let provider = load_provider(&kernel);
    let clients = [load_client(&kernel), load_client(&kernel)];
    let started = Instant::now();
    while said(&kernel).len() < 2 {
        assert!(started.elapsed() < PATIENCE, "the copies do not end");
        std::thread::sleep(Duration::from_millis(2));
    }
    for driver in [clients[0], provider, clients[1]] {
        kernel.unload_driver(driver).expect("it is unloaded");
    }
    for statistics in said(&kernel) {
        all_verified(statistics, 1);
    }
    end(kernel);
}

/// Everything that is in flight comes back, verified or cancelled, before the driver that goes is gone.
#[test]
fn either_driver_may_go_while_copies_are_in_flight() {
    let mut cancelled = 0;
    for seed in 0..40 {
        for level in [LevelChoice::Lowest, LevelChoice::Dispatch] {
            let kernel = boot(Os::Win7, seed);
            kernel.nmr().detach_level(level);
            let (provider, client) = (load_provider(&kernel), load_client(&kernel));
            let order = if seed % 2 == 0 {
                [provider, client]
            } else {
                [client, provider]
            };
            for driver in order {
                kernel.unload_driver(driver).expect("it is unloaded");
            }
            let last = *said(&kernel).last().expect("it says how it went");
            assert!(last.copies() >= 8, "the first ones are accepted: {last}");
            assert_eq!((last.failed, last.refused), (0, 0), "seed {seed}: {last}");
            cancelled += last.cancelled;
            end(kernel);
        }
    }
    assert!(cancelled > 0, "never was one in flight");
}

#[test]
fn what_the_driver_says_reads_back() {
    let statistics = Statistics {
        verified: 1,
        cancelled: 22,
        failed: 333,
        refused: 4,
        bytes: 55,
    };
    assert_eq!(Statistics::parse(&statistics.to_string()), Some(statistics));
    for other in [
        "",
        "nmr-client: attached",
        "nmr-client: 1 copies",
        "nmr-client: detaching, 3 copies in flight",
    ] {
        assert_eq!(Statistics::parse(other), None);
    }
}
