//! From the interrupt to NetDMA.

use nmr_netdma::Irql;
use nmr_netdma::irql;
use nmr_netdma::kmdf::{Interrupt, InterruptHandle, Shared};

use crate::engine::Lanes;
use crate::hardware::Hardware;

/// One interrupt message, or the line.
pub(crate) struct EngineInterrupt {
    lanes: Shared<Lanes>,
    hardware: Shared<Hardware>,
}

impl EngineInterrupt {
    pub(crate) fn new(lanes: Shared<Lanes>, hardware: Shared<Hardware>) -> Self {
        Self { lanes, hardware }
    }

    /// Serves the channels of `message` that rang; `None` if it was not this device.
    fn serve(&self, message: u32, irql: &mut Irql<irql::Device>) -> Option<()> {
        let by_message = self.lanes.messages() > 0;
        // A line may be shared with other devices, and this one may be asleep.
        if !by_message && !self.hardware.is_enabled().ok()? {
            return None;
        }
        let rang = self.hardware.status().ok()? & self.lanes.of_message(message);
        if rang == 0 && !by_message {
            return None;
        }
        // Before NetDMA is told: what completes from here on rings again.
        self.hardware.acknowledge(rang).ok()?;
        for lane in self.lanes.of_channels(rang) {
            lane.notify_from_isr(irql);
        }
        Some(())
    }
}

impl Interrupt for EngineInterrupt {
    fn isr(
        &self,
        _interrupt: &InterruptHandle<'_>,
        message: u32,
        irql: &mut Irql<irql::Device>,
    ) -> bool {
        self.serve(message, irql).is_some()
    }
}
