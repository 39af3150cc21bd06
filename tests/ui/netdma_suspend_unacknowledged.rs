//! Who offers to suspend says that it knows what is not known.
use nmr_netdma::irql::{AtMostDispatch, Passive};
use nmr_netdma::netdma::*;
use nmr_netdma::{Irql, Result};

struct Copier;
struct OnlyChannel;

impl Provider for Copier {
    type Channel = OnlyChannel;

    const OPTIONAL: Optional<Self> = Optional::none().suspend_resume();

    fn set_channel_cpu_affinity(&self, _: Affinities<'_>, _: &mut Irql<Passive>) -> Result<()> {
        Ok(())
    }

    fn allocate_channel(
        &self,
        _: &ChannelParameters,
        _: &mut Irql<AtMostDispatch>,
    ) -> Result<Allocated<OnlyChannel>> {
        Err(nmr_netdma::Error::INSUFFICIENT_RESOURCES)
    }
}

impl Channel<Copier> for OnlyChannel {
    fn start(&self, _: &Copier, _: &Chain, _: &mut Irql<AtMostDispatch>) -> Result<()> {
        Ok(())
    }

    fn append(&self, _: &Copier, _: &Chain, _: &mut Irql<AtMostDispatch>) -> Result<()> {
        Ok(())
    }

    fn free(self, _: &Copier, _: &mut Irql<AtMostDispatch>) {}
}

impl SuspendResume<Copier> for OnlyChannel {
    fn suspend(&self, _: &Copier, _: &mut Irql<AtMostDispatch>) -> Result<u64> {
        Ok(0)
    }

    fn resume(&self, _: &Copier, _: &mut Irql<AtMostDispatch>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
