//! The device: what it is assigned, when it has power, when its engine is on offer.

use nmr_netdma::irql::Passive;
use nmr_netdma::kmdf::{
    self, PowerState, RequirementsList, Resources, Shared, debug_print, set_message_affinity,
};
use nmr_netdma::netdma::{Attributes, Engine};
use nmr_netdma::{Error, Irql, Result};

use crate::engine::{CopyEngine, Lanes, MAXIMUM_TRANSFER_SIZE};
use crate::hardware::Hardware;

const HARDWARE_VERSION: (u8, u8) = (1, 0);
const VENDOR: u32 = 0x1AF4;
/// A processor has no physical addresses beyond 52 bits.
const HIGHEST_ADDRESS: u64 = (1 << 52) - 1;

/// The context of a device.
pub(crate) struct Device {
    /// The provider; `None` on a system without NetDMA.
    engine: Option<Engine<CopyEngine>>,
    lanes: Shared<Lanes>,
    hardware: Shared<Hardware>,
}

impl Device {
    pub(crate) fn new(
        engine: Option<Engine<CopyEngine>>,
        lanes: Shared<Lanes>,
        hardware: Shared<Hardware>,
    ) -> Self {
        Self {
            engine,
            lanes,
            hardware,
        }
    }

    fn attributes(&self) -> Attributes {
        Attributes {
            hardware_version: HARDWARE_VERSION,
            vendor: VENDOR,
            channels: self.lanes.present(),
            maximum_transfer_size: MAXIMUM_TRANSFER_SIZE,
            maximum_address: HIGHEST_ADDRESS,
        }
    }
}

impl kmdf::Device for Device {
    fn filter_resource_requirements(
        &self,
        requirements: &mut RequirementsList<'_>,
        _irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        let plan = engine.provider().plan();
        let report = set_message_affinity(requirements, |interrupt| {
            plan.assign(interrupt.messages).target(interrupt.number)
        });
        debug_print(format_args!(
            "netdma-kmdf: {} interrupts now ask for NetDMA's processors, {} had asked before; {} of NetDMA's wishes cannot be met\n",
            report.written,
            report.kept,
            plan.ignored()
        ));
        Ok(())
    }

    fn prepare_hardware(&self, resources: &Resources<'_>, irql: &mut Irql<Passive>) -> Result<()> {
        self.hardware.map(resources, irql)?;
        if self.engine.is_some() {
            let channels = self.hardware.channels()?;
            self.lanes
                .assign(channels, self.hardware.is_software(), resources)?;
        }
        Ok(())
    }

    fn release_hardware(&self, irql: &mut Irql<Passive>) -> Result<()> {
        if let Some(engine) = &self.engine {
            // A device that was pulled out while it slept has not been stopped. Otherwise this is refused, as it should be.
            let _ = engine.stop(irql);
        }
        Ok(())
    }

    fn d0_entry(&self, _previous: PowerState, _irql: &mut Irql<Passive>) -> Result<()> {
        self.hardware.reset()?;
        self.lanes.program(&self.hardware)
    }

    fn d0_entry_post_interrupts_enabled(
        &self,
        previous: PowerState,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        self.hardware.enable(self.lanes.messages() > 0)?;
        match previous {
            PowerState::D3Final => engine.start(&self.attributes(), irql),
            _ => tolerate_old_system(engine.power_up(irql)),
        }
    }

    fn d0_exit_pre_interrupts_disabled(
        &self,
        target: PowerState,
        irql: &mut Irql<Passive>,
    ) -> Result<()> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        match target {
            PowerState::D3Final => engine.stop(irql)?,
            _ => tolerate_old_system(engine.power_down(irql))?,
        }
        self.hardware.disable()
    }

    fn d0_exit(&self, _target: PowerState, _irql: &mut Irql<Passive>) -> Result<()> {
        // A device that was pulled out takes no notice.
        self.hardware.disable()
    }

    fn cleanup(&self, irql: &mut Irql<Passive>) {
        if let Some(engine) = &self.engine {
            engine.deregister(irql);
        }
    }
}

/// NetDMA 1.0 has no notifications; there the engine goes on without.
fn tolerate_old_system(notified: Result<()>) -> Result<()> {
    match notified {
        Err(Error::NOT_SUPPORTED) => Ok(()),
        other => other,
    }
}
