//! The second driver: has the first one copy for it, over NMR, whatever the system knows of NetDMA.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nmr_client::Statistics;
use simkernel::Kernel;
use simkernel::pnp::DriverId;

use crate::Failure;

const PATIENCE: Duration = Duration::from_secs(30);

/// The client while it is loaded.
pub(crate) struct Client {
    driver: DriverId,
    /// How many events came before it.
    start: usize,
}

impl Client {
    /// Loads the client. If a provider is there, its copies begin.
    pub(crate) fn load(kernel: &Kernel) -> Result<Self, Failure> {
        let start = kernel.events().len();
        let driver = kernel
            .load_driver("nmr-client", nmr_client::driver_entry)
            .map_err(|status| Failure::refused("loading the client", status))?;
        Ok(Self { driver, start })
    }

    /// Waits until its copies are over.
    pub(crate) fn wait(&self, kernel: &Kernel) -> Result<(), Failure> {
        let started = Instant::now();
        while self.said(kernel).is_none() {
            if started.elapsed() > PATIENCE {
                return Err(Failure::Machine(format!(
                    "the client's copies did not end within {} s",
                    PATIENCE.as_secs()
                )));
            }
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Unloads the client and answers what it said of its copies.
    pub(crate) fn unload(self, kernel: &Kernel) -> Result<Statistics, Failure> {
        kernel
            .unload_driver(self.driver)
            .map_err(|status| Failure::refused("unloading the client", status))?;
        self.said(kernel)
            .ok_or_else(|| Failure::Machine("the client did not say how its copies went".into()))
    }

    fn said(&self, kernel: &Kernel) -> Option<Statistics> {
        let events = kernel.events();
        let mut since = events.iter().skip(self.start).rev();
        since.find_map(|event| Statistics::parse(&event.what))
    }
}

/// The copies of the client, each time that it was loaded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Copies(Statistics);

impl Copies {
    pub(crate) fn add(&mut self, more: Statistics) {
        let Self(sum) = self;
        sum.verified += more.verified;
        sum.cancelled += more.cancelled;
        sum.failed += more.failed;
        sum.refused += more.refused;
        sum.bytes += more.bytes;
    }

    pub(crate) fn submitted(self) -> u64 {
        self.0.copies()
    }

    pub(crate) fn verified(self) -> u64 {
        self.0.verified
    }

    pub(crate) fn completed(self) -> u64 {
        self.0.verified + self.0.failed
    }

    pub(crate) fn cancelled(self) -> u64 {
        self.0.cancelled
    }

    pub(crate) fn bytes(self) -> u64 {
        self.0.bytes
    }

    /// What should not have happened.
    pub(crate) fn problems(self) -> Vec<String> {
        let Self(sum) = self;
        let mut problems = Vec::new();
        if sum.failed > 0 {
            problems.push(format!(
                "copy offload: {} copies came back wrong",
                sum.failed
            ));
        }
        if sum.refused > 0 {
            problems.push(format!("copy offload: {} copies were refused", sum.refused));
        }
        if sum.verified < u64::from(nmr_client::COPIES) {
            problems.push(format!(
                "copy offload: only {} copies were verified",
                sum.verified
            ));
        }
        problems
    }
}
