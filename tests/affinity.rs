//! [`Plan`] against an oracle that is written on its own: it deals the channels out to the messages like cards.

use nmr_netdma::netdma::affinity::{ActiveProcessors, Affinities, Plan};
use nmr_netdma::sys::NET_DMA_CHANNEL_CPU_AFFINITY as Entry;
use proptest::prelude::*;
use simkernel as _;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_plan_deals_channels_out_to_messages_and_asks_for_processors_that_exist(
        channels in 0_u32..64,
        messages in 0_u32..70,
        groups in prop::collection::vec((1_u32..=64, any::<u64>()), 1..=4),
        wishes in prop::collection::vec((0_u32..70, 0_u32..270), 0..80),
    ) {
        // Every processor of the machine in the order of its number: its group, its place there, and whether it runs.
        let machine: Vec<(u16, u32, bool)> = (0..)
            .zip(&groups)
            .flat_map(|(group, (room, active))| {
                (0..*room).map(move |place| (group, place, active & (1 << place) != 0))
            })
            .collect();
        let mut asked = vec![None; channels as usize];
        let mut ignored = 0;
        for (channel, processor) in &wishes {
            let exists = machine.get(*processor as usize).is_some_and(|(.., runs)| *runs);
            if *channel < channels && exists {
                asked[*channel as usize] = Some(*processor);
            } else {
                ignored += 1;
            }
        }
        let mut hands = vec![Vec::new(); messages as usize];
        let mut message_of = vec![None; channels as usize];
        let mut turn = 0;
        for (channel, message_of) in (0..).zip(&mut message_of) {
            if messages > 0 {
                hands[turn].push(channel);
                *message_of = Some(turn as u32);
                turn = if turn + 1 == messages as usize { 0 } else { turn + 1 };
            }
        }

        let entries: Vec<_> = wishes
            .iter()
            .map(|(channel, processor)| Entry { DmaChannel: *channel, CpuNumber: *processor })
            .collect();
        let processors = ActiveProcessors::from_groups(&groups);
        let plan = Plan::new(channels, Affinities::new(&entries), processors);
        prop_assert_eq!(plan.ignored(), ignored);
        let assignment = plan.assign(messages);
        for channel in 0..channels {
            prop_assert_eq!(plan.asked(channel), asked[channel as usize]);
            prop_assert_eq!(assignment.message(channel), message_of[channel as usize]);
        }
        for (message, hand) in (0..).zip(&hands) {
            prop_assert_eq!(&assignment.channels(message).collect::<Vec<_>>(), hand);
            let mut wanted = hand.iter().filter_map(|channel| asked[*channel as usize]);
            let wanted = wanted.next();
            prop_assert_eq!(assignment.processor(message), wanted);
            let target = assignment.target(message).map(|set| (set.group, set.mask));
            let place = wanted.map(|processor| machine[processor as usize]);
            prop_assert_eq!(target, place.map(|(group, place, _)| (group, 1 << place)));
        }
    }
}
