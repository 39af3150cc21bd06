//! How often the example driver's engine interrupts and writes the completion word: counted by the simulated machine's NetDMA, through
//! every part of driver and machine.

use std::time::Duration;

use simkernel::devices::Doorbell;
use simkernel::ndis::Transfer;
use simkernel::pnp::{Bar, DeviceConfig, Signal};
use simkernel::{Config, Kernel};

use crate::report::Report;

const DESCRIPTORS: usize = 8192;
const LENGTH: u32 = 1024;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn measure(report: &mut Report) {
    for batch in [1, 8, 32, 128] {
        let (interrupts, writes) = count(batch);
        let per_thousand = |count: u64| count as f64 * 1000.0 / DESCRIPTORS as f64;
        let asked = 1000.0 / batch as f64;
        for (what, count) in [
            ("interrupts", interrupts),
            ("completion writes seen", writes),
        ] {
            report.add(
                format!("{what}, batch {batch}"),
                per_thousand(count),
                "of 1000",
                Some(asked),
                format!("{count} seen for {DESCRIPTORS} descriptors"),
            );
        }
    }
}

/// Interrupts and completion writes for so many descriptors, of which the last of each batch asks for both.
fn count(batch: usize) -> (u64, u64) {
    let kernel = Kernel::boot(Config::default());
    let driver = kernel
        .load_driver("netdma-kmdf", netdma_kmdf::driver_entry)
        .expect("the driver loads");
    let signal = Signal::new();
    let device = DeviceConfig {
        messages: 1,
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model: Doorbell::new(1, signal.clone()),
        }],
        signal,
        ..DeviceConfig::default()
    };
    let device = kernel
        .add_device(driver, device)
        .expect("the device starts");
    let provider = kernel.netdma().providers()[0].id;
    let channel = kernel.netdma().open(provider, 1).expect("it has a channel");
    let (source, destination) = (
        kernel.allocate(LENGTH as usize),
        kernel.allocate(LENGTH as usize),
    );
    let transfer = Transfer {
        source: source.physical(),
        destination: destination.physical(),
        length: LENGTH,
        flags: 0,
    };
    let mut last = 0;
    for _ in 0..DESCRIPTORS / batch {
        last = channel.submit(&vec![transfer; batch]).expect("it accepts");
    }
    assert!(channel.wait(last, PATIENCE), "it does not get done");
    let statistics = channel.statistics();
    channel.free();
    kernel.remove_device(device).expect("the device is removed");
    kernel.unload_driver(driver).expect("the driver unloads");
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
    (statistics.interrupts, statistics.completion_writes)
}
