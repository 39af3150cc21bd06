//! Chains, counts and addresses that Windows would not send, and channel parameters that it would not ask with.

use std::sync::mpsc;

use simkernel::ndis::{ChannelRequest, CompletionPlace, Malformed};

use super::machine::*;

impl Machine {
    fn open_as(&self, request: &ChannelRequest) -> Result<Channel, sys::NTSTATUS> {
        let netdma = self.kernel.netdma();
        netdma.open_as(netdma.providers()[0].id, request)
    }

    fn open_with(&self, completion: CompletionPlace) -> Result<Channel, sys::NTSTATUS> {
        self.open_as(&ChannelRequest {
            completion,
            ..ChannelRequest::default()
        })
    }
}

/// Copies of a line of 64 bytes each, the last with status and interrupt.
fn lines(source: &Buffer, destination: &Buffer, count: usize) -> Vec<Descriptor> {
    let copies = (0..count).map(|line| transfer(source, line * 64, destination, line * 64, 64));
    let mut descriptors: Vec<Descriptor> = copies.map(Into::into).collect();
    if let Some(last) = descriptors.last_mut() {
        last.transfer.flags |= STATUS | INTERRUPT;
    }
    descriptors
}

/// How many lines at the beginning were copied; nothing else was.
fn lines_copied(source: &Buffer, destination: &Buffer) -> usize {
    let pairs = source
        .as_slice()
        .chunks(64)
        .zip(destination.as_slice().chunks(64));
    let copied = pairs.take_while(|(from, to)| from == to).count();
    assert!(untouched(&destination.as_slice()[copied * 64..]));
    copied
}

fn counted(count: u32) -> Malformed {
    Malformed {
        count: Some(count),
        ..Malformed::default()
    }
}

#[test]
fn t22_without_completion_word_a_transfer_that_asks_for_no_status_is_done_and_nothing_is_written() {
    let machine = Machine::boot();
    let channel = machine.open_with(CompletionPlace::Absent).unwrap();
    let (source, destination) = (machine.source(64), machine.destination(128));
    let copy = Transfer {
        flags: INTERRUPT,
        ..transfer(&source, 0, &destination, 0, 64)
    };
    let ticket = channel.submit_descriptors(&[copy.into()]).unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    assert!(destination.as_slice()[..64] == *source.as_slice());
    assert!(untouched(&destination.as_slice()[64..]));
    assert_eq!(channel.statistics().completion_writes, 0);
    machine.end(channel);
}

#[test]
fn t23_a_status_that_is_asked_for_without_completion_word_is_not_written() {
    for place in [
        CompletionPlace::Absent,
        CompletionPlace::VirtualOnly,
        CompletionPlace::PhysicalOnly,
    ] {
        let machine = Machine::boot();
        let channel = machine.open_with(place).unwrap();
        let (source, destination) = (machine.source(64), machine.destination(64));
        for _ in 0..2 {
            let copy = lines(&source, &destination, 1);
            let ticket = channel.submit_descriptors(&copy).unwrap();
            assert!(channel.wait(ticket, TIMEOUT), "{place:?}");
        }
        assert!(source.as_slice() == destination.as_slice());
        machine.end(channel);
    }
}

/// Keeps processor 1 from its DPCs from when the first half of the answer receives until the second half sends.
fn keep_busy<'scope>(
    machine: &'scope Machine,
    scope: &'scope std::thread::Scope<'scope, '_>,
) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (keeps, is_kept) = mpsc::channel();
    let (release, released) = mpsc::channel();
    scope.spawn(|| {
        machine.kernel.run_dpc_on(1, move || {
            keeps.send(()).unwrap();
            released.recv().unwrap();
        });
    });
    (is_kept, release)
}

/// Without a completion word NetDMA takes an interrupt of no descriptor for an error.
#[test]
fn an_interrupt_of_a_list_that_was_dropped_is_no_error_of_the_next() {
    let machine = Machine::boot();
    let channel = machine
        .open_as(&ChannelRequest {
            completion: CompletionPlace::Absent,
            processors: 0b10,
            ..ChannelRequest::default()
        })
        .unwrap();
    let rings = Transfer {
        flags: sys::NET_DMA_NULL_TRANSFER | INTERRUPT,
        ..Transfer::default()
    };
    for _ in 0..5 {
        std::thread::scope(|scope| {
            let (is_kept, release) = keep_busy(&machine, scope);
            is_kept.recv().unwrap();
            channel.submit_descriptors(&[rings.into()]).unwrap();
            // Behind the work and, if this comes soon enough, before the DPC of the interrupt.
            let (is_kept, release_again) = keep_busy(&machine, scope);
            std::thread::sleep(Duration::from_millis(10));
            release.send(()).unwrap();
            is_kept.recv().unwrap();
            let ticket = channel.restart(&[rings]).unwrap();
            release_again.send(()).unwrap();
            assert!(channel.wait(ticket, TIMEOUT), "{channel:?}");
        });
    }
    assert_eq!(channel.statistics().faults, 0);
    machine.end(channel);
}

#[test]
fn t26_a_completion_word_that_is_not_aligned_or_crosses_a_page_is_refused() {
    let machine = Machine::boot();
    for offset in [1, 2, 4, 7, 12, 4092, 4095] {
        let refused = machine.open_with(CompletionPlace::At(offset));
        assert_eq!(refused.map(drop), Err(sys::STATUS_UNSUCCESSFUL), "{offset}");
    }
    for offset in [8, 56, 4088, 4096] {
        let channel = machine.open_with(CompletionPlace::At(offset)).unwrap();
        run(&channel, &[Transfer::default()]);
    }
    machine.end(());
}

#[test]
fn t31_what_follows_the_last_descriptor_is_not_looked_at_before_it_is_appended() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    // The last descriptor's link leads to one that cannot be executed.
    for _ in 0..600 {
        run(&channel, &[transfer(&source, 0, &destination, 0, 64)]);
        assert!(source.as_slice() == destination.as_slice());
    }
    assert_eq!(channel.statistics().faults, 0);
    machine.end(channel);
}

#[test]
fn t32_an_append_that_the_list_does_not_lead_to_is_refused_and_changes_nothing() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(4 * 64), machine.destination(4 * 64));
    let astray = Malformed {
        links: vec![(0, channel.descriptor_address(7).unwrap())],
        ..Malformed::default()
    };
    let first = lines(&source, &destination, 1);
    let ticket = channel.submit_malformed(true, &first, &astray).unwrap();
    assert!(channel.wait(ticket, TIMEOUT));
    machine.kernel.quiesce();
    let four = lines(&source, &destination, 4);
    let refused = channel.submit_malformed(false, &four, &Malformed::default());
    assert_eq!(refused, Err(sys::STATUS_UNSUCCESSFUL));
    machine.kernel.quiesce();
    assert_eq!(lines_copied(&source, &destination), 1);
    assert_eq!(channel.statistics().faults, 0);
    let ticket = channel.submit_malformed(true, &four, &Malformed::default());
    assert!(channel.wait(ticket.unwrap(), TIMEOUT));
    assert_eq!(lines_copied(&source, &destination), 4);
    machine.end(channel);
}

#[test]
fn t34_of_a_chain_no_more_is_done_than_counted() {
    let machine = Machine::boot();
    let channel = machine.open();
    let source = machine.source(8 * 64);
    for count in 1..=8 {
        let destination = machine.destination(8 * 64);
        let mut chain = lines(&source, &destination, 8);
        for descriptor in &mut chain {
            descriptor.transfer.flags = STATUS;
        }
        let counted = counted(count as u32);
        let ticket = channel.submit_malformed(true, &chain, &counted).unwrap();
        assert!(channel.wait(ticket, TIMEOUT));
        machine.kernel.quiesce();
        assert_eq!(lines_copied(&source, &destination), count);
    }
    machine.end(channel);
}

#[test]
fn a_count_beyond_the_chain_halts_at_its_end() {
    let machine = Machine::boot();
    let channel = machine.open();
    let source = machine.source(3 * 64);
    for count in [4, 5, 1000, 65_535, 65_536, u32::MAX] {
        let destination = machine.destination(3 * 64);
        let chain = lines(&source, &destination, 3);
        let faults = channel.statistics().faults;
        channel
            .submit_malformed(true, &chain, &counted(count))
            .unwrap();
        machine.kernel.quiesce();
        assert_eq!(lines_copied(&source, &destination), 3, "{count}");
        run(&channel, &[Transfer::default()]);
        assert_eq!(channel.statistics().faults, faults + 1, "{count}");
    }
    machine.end(channel);
}

#[test]
fn t35_a_start_of_nothing_is_refused_and_an_append_of_nothing_is_none() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    let copy = lines(&source, &destination, 1);
    let nothing = counted(0);
    assert_eq!(
        channel.submit_malformed(true, &copy, &nothing),
        Err(sys::STATUS_UNSUCCESSFUL)
    );
    run(&channel, &[Transfer::default()]);
    for _ in 0..3 {
        let ticket = channel.submit_malformed(false, &copy, &nothing).unwrap();
        machine.kernel.quiesce();
        assert!(untouched(destination.as_slice()));
        assert!(channel.wait(ticket, TIMEOUT));
    }
    let ticket = channel.submit_malformed(false, &copy, &Malformed::default());
    assert!(channel.wait(ticket.unwrap(), TIMEOUT));
    assert!(source.as_slice() == destination.as_slice());
    machine.end(channel);
}

#[test]
fn t37_a_ring_on_purpose_goes_round_as_often_as_counted() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(128), machine.destination(128));
    for rounds in [1, 2, 50] {
        let before = machine.delivered();
        let around = Malformed {
            links: vec![(1, channel.descriptor_address(0).unwrap())],
            ..counted(2 * rounds)
        };
        let mut chain = lines(&source, &destination, 2);
        // Without status, so that the interface takes no descriptor back.
        chain[1].transfer.flags = INTERRUPT;
        channel.submit_malformed(true, &chain, &around).unwrap();
        machine.kernel.quiesce();
        assert_eq!(machine.delivered() - before, u64::from(rounds));
        assert!(source.as_slice() == destination.as_slice());
        let done = channel.restart(&[Transfer::default()]).unwrap();
        assert!(channel.wait(done, TIMEOUT));
    }
    machine.end(channel);
}

#[test]
fn t38_more_than_can_be_counted_is_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    run(&channel, &[Transfer::default()]);
    channel.suspend().unwrap();
    let copy = lines(&source, &destination, 1);
    // Suspended, so that nothing is done meanwhile.
    channel
        .submit_malformed(false, &copy, &counted(u32::MAX))
        .unwrap();
    assert_eq!(
        channel.submit_malformed(false, &copy, &counted(1)),
        Err(sys::STATUS_UNSUCCESSFUL)
    );
    channel.abort().unwrap();
    run(&channel, &[Transfer::default()]);
    assert!(untouched(destination.as_slice()));
    machine.end(channel);
}

#[test]
fn t39_descriptors_that_are_not_aligned_are_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(2 * 64), machine.destination(2 * 64));
    let chain = lines(&source, &destination, 2);
    for off in [1, 8, 32, 63] {
        let physical = channel.descriptor_address(0).map(|address| address + off);
        let shifted = Malformed {
            physical,
            ..Malformed::default()
        };
        assert_eq!(
            channel.submit_malformed(true, &chain, &shifted),
            Err(sys::STATUS_UNSUCCESSFUL),
            "{off}"
        );
        let links = vec![(0, channel.descriptor_address(1).unwrap() + off)];
        let shifted = Malformed {
            links,
            ..Malformed::default()
        };
        let faults = channel.statistics().faults;
        let ticket = channel.submit_malformed(true, &chain, &shifted).unwrap();
        assert!(!channel.wait(ticket, TIMEOUT));
        assert_eq!(channel.statistics().faults, faults + 1);
    }
    assert_eq!(lines_copied(&source, &destination), 1);
    machine.end(channel);
}

#[test]
fn a_chain_without_address_is_refused() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(64), machine.destination(64));
    let copy = lines(&source, &destination, 1);
    let nowhere = [
        Malformed {
            null_virtual: true,
            ..Malformed::default()
        },
        Malformed {
            physical: Some(0),
            ..Malformed::default()
        },
    ];
    for malformed in &nowhere {
        for start in [true, false] {
            assert_eq!(
                channel.submit_malformed(start, &copy, malformed),
                Err(sys::STATUS_UNSUCCESSFUL),
                "{malformed:?}"
            );
        }
        run(&channel, &[Transfer::default()]);
    }
    assert!(untouched(destination.as_slice()));
    machine.end(channel);
}

#[test]
fn a_counted_chain_that_ends_halts() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(2 * 64), machine.destination(2 * 64));
    let chain = lines(&source, &destination, 2);
    let cut = Malformed {
        links: vec![(0, 0)],
        ..Malformed::default()
    };
    let ticket = channel.submit_malformed(true, &chain, &cut).unwrap();
    assert!(!channel.wait(ticket, TIMEOUT));
    assert_eq!(lines_copied(&source, &destination), 1);
    machine.end(channel);
}

#[test]
fn a_link_to_where_no_memory_is_halts() {
    let machine = Machine::boot();
    let channel = machine.open();
    let (source, destination) = (machine.source(2 * 64), machine.destination(2 * 64));
    let chain = lines(&source, &destination, 2);
    let links = [0x40, 1 << 52, u64::MAX - 63, (1 << 52) - 64];
    for link in links {
        let astray = Malformed {
            links: vec![(0, link)],
            ..Malformed::default()
        };
        let ticket = channel.submit_malformed(true, &chain, &astray).unwrap();
        assert!(!channel.wait(ticket, TIMEOUT), "{link:#x}");
        assert_eq!(lines_copied(&source, &destination), 1);
    }
    // The engine has to ask where it is.
    let asked = machine
        .kernel
        .take_violations(&simkernel::mm::violation::MAP_UNKNOWN);
    assert!(asked.len() <= links.len(), "{asked:?}");
    machine.end(channel);
}

#[test]
fn t61_processor_groups_are_not_read_behind_the_end_of_the_parameters() {
    let config = Config {
        os: Os::VistaSp1,
        processors: 2,
        ..Config::default()
    };
    let setup = Setup {
        config,
        ..Setup::default()
    };
    let machine = Machine::with(setup, |_| {});
    for form in [(1, 36), (1, 56), (2, 40), (2, 55)] {
        let request = ChannelRequest {
            processors: 0b10,
            form: Some(form),
            ..ChannelRequest::default()
        };
        let channel = machine.open_as(&request).unwrap();
        assert_eq!(channel.processor(), 1, "{form:?}");
    }
    machine.end(());
}

#[test]
fn t61_channel_parameters_are_taken_or_refused_by_their_size() {
    for (os, own) in [(Os::VistaSp1, 40), (Os::Win7, 56)] {
        let setup = Setup {
            config: Config {
                os,
                processors: 2,
                ..Config::default()
            },
            ..Setup::default()
        };
        let machine = Machine::with(setup, |_| {});
        let open = |revision, size| {
            machine.open_as(&ChannelRequest {
                form: Some((revision, size)),
                ..ChannelRequest::default()
            })
        };
        for (revision, size) in [
            (1, 36),
            (1, 40),
            (1, 120),
            (2, own),
            (2, 36),
            (7, own),
            (2, 120),
        ] {
            // What is not there reads as processors that the machine has not, which would be found out.
            if os == Os::VistaSp1 && revision >= 2 && size >= 56 {
                continue;
            }
            let channel = open(revision, size)
                .unwrap_or_else(|status| panic!("{os:?} {revision} {size}: {status:#x}"));
            run(&channel, &[Transfer::default()]);
        }
        for (revision, size) in [(1, 0), (1, 24), (1, 35), (2, 35), (0, 40), (0, 56)] {
            let refused = open(revision, size).map(drop);
            assert_eq!(
                refused,
                Err(sys::STATUS_UNSUCCESSFUL),
                "{os:?} {revision} {size}"
            );
        }
        machine.end(());
    }
}

#[test]
fn t61_priority_is_cut_and_flags_that_mean_nothing_are_no_reason_to_refuse() {
    let machine = Machine::boot();
    for (priority, flags) in [(1, 0), (u32::MAX, 0), (0, 1), (0, u32::MAX)] {
        let request = ChannelRequest {
            priority,
            flags,
            ..ChannelRequest::default()
        };
        let channel = machine.open_as(&request).unwrap();
        run(&channel, &[Transfer::default()]);
    }
    machine.end(());
}
