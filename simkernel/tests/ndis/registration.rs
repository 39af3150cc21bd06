//! Registering a provider, and what it is told of processors.

use std::collections::BTreeMap;
use std::ptr::null_mut;

use nmr_netdma::sys;
use simkernel::ndis::{Affinity, AffinityPlan, violation};
use simkernel::{Config, Os, Rule};

use super::bench::*;
use super::engine::*;
use super::*;

#[test]
fn a_whole_life_on_each_system_leaves_nothing() {
    for (os, parameters) in [
        (Os::VistaSp1, (1, 40, 0b1100, None)),
        (Os::Win7, (2, 56, 0b1100, Some(0b1100))),
    ] {
        let mut bench = Bench::new(os);
        let mut from = bench.buffer(0x5000);
        let to = bench.buffer(0x5000);
        from.as_mut_slice().copy_from_slice(&pattern(0x5000));

        let provider = bench.register();
        let netdma = bench.kernel.netdma();
        let info = netdma.providers().remove(0);
        assert_eq!((info.name.as_str(), info.version), (NAME, (2, 0)));
        assert!(!info.started);
        assert_eq!(info.affinity, [0, 1, 2, 3, 0, 1].map(Some));
        assert_eq!(
            netdma.open(provider, EVERY).unwrap_err(),
            sys::STATUS_DEVICE_NOT_READY
        );

        bench.start();
        let info = netdma.providers().remove(0);
        assert!(info.started);
        assert_eq!((info.channels, info.maximum_transfer), (4, 0x10000));

        let channel = netdma.open(provider, 0b1100).unwrap();
        assert_eq!(bench.engine.seen().parameters, Some(parameters));
        assert_eq!(channel.processor(), 2);
        let transfers = pieces(&from, &to, 0x5000, 0x700);
        let ticket = channel.submit(&transfers).unwrap();
        let named = bench.interrupt(&bench.engine.unit(0));
        assert_eq!(named, 2);
        assert!(channel.wait(ticket, SOON));
        assert_eq!(to.as_slice(), from.as_slice());

        let statistics = channel.statistics();
        assert_eq!(
            (statistics.descriptors, statistics.bytes),
            (transfers.len() as u64, 0x5000)
        );
        assert_eq!(statistics.isr_processors, BTreeMap::from([(1, 1)]));
        assert_eq!(statistics.dpc_processors, BTreeMap::from([(2, 1)]));
        assert_eq!(
            (statistics.interrupts, statistics.missing_interrupts),
            (1, 0)
        );
        assert_eq!(statistics.completion_writes, 1);

        drop((from, to));
        channel.free();
        bench.stop();
        assert!(!netdma.providers()[0].started);
        bench.start();
        bench.stop();
        bench.deregister();
        assert!(netdma.providers().is_empty());
        let expected = [
            "SetDmaChannelCpuAffinity",
            "AllocateDmaChannel",
            "StartDma",
            "FreeDmaChannel",
        ];
        assert_eq!(bench.engine.called(), expected);
        let events = bench.kernel.events();
        let told = |what: &str| {
            events
                .iter()
                .any(|event| event.source == "netdma" && event.what.contains(what))
        };
        for what in [
            "registered",
            "asked",
            "started",
            "allocated",
            "freed",
            "stopped",
            "deregistered",
        ] {
            assert!(told(what), "the trace does not say {what}");
        }
        bench.end();
    }
}

#[test]
fn windows_10_registers_with_a_null_handle() {
    let mut bench = Bench::new(Os::Win10);
    assert_eq!(bench.kernel.netdma().version(), None);
    let characteristics = bench.characteristics();
    assert_eq!(
        bench.try_register(&characteristics),
        (sys::STATUS_SUCCESS, 0)
    );
    assert!(bench.kernel.netdma().providers().is_empty());
    assert_eq!(bench.kernel.run_isr_on(1, DEVICE, || isr(0, 0)), 0);
    assert!(
        !bench.routine("NetDmaGetVersion").is_null(),
        "the names are still there"
    );
    for call in [Bench::start, Bench::stop, Bench::deregister] {
        call(&bench);
        bench.broken(&violation::ABSENT);
    }
    assert!(bench.engine.seen().calls.is_empty());
    bench.end();
}

#[test]
fn the_version_is_found_by_name_only() {
    for (os, expected) in [
        (Os::VistaSp1, 0x0002_0000),
        (Os::Win7, 0x0002_0001),
        (Os::Win10, 0),
    ] {
        let bench = Bench::new(os);
        let routine = bench.routine("NetDmaGetVersion");
        // SAFETY: the routine of this name has this type.
        let version: sys::PFN_NETDMAGETVERSION = unsafe { std::mem::transmute(routine) };
        // SAFETY: it has no parameters.
        assert_eq!(unsafe { version.unwrap()() }, expected, "{os:?}");
        for name in [
            "NetDmaRegisterProvider",
            "NetDmaDeregisterProvider",
            "NetDmaProviderStart",
            "NetDmaProviderStop",
            "NetDmaIsr",
            "NetDmaInterruptDpc",
            "NetDmaPnPEventNotify",
        ] {
            assert!(!bench.routine(name).is_null(), "{name}");
        }
        assert!(bench.routine("NetDmaGetVersio").is_null());
        assert!(bench.routine("").is_null());
        bench.end();
    }
}

#[test]
fn characteristics_are_checked() {
    type Change = fn(&mut sys::NET_DMA_PROVIDER_CHARACTERISTICS);
    let cases: [(&Rule, Change); 17] = [
        (&violation::SIZE, |c| c.Size = 111),
        (&violation::SIZE, |c| c.Size = 96),
        (&violation::VERSION, |c| c.MinorVersion = 2),
        (&violation::VERSION, |c| c.MajorVersion = 3),
        (&violation::VERSION, |c| c.MajorVersion = 0),
        (&violation::FLAGS, |c| c.Flags = 2),
        (&violation::FLAGS, |c| (c.MajorVersion, c.Flags) = (1, 1)),
        (&violation::FLAGS, |c| (c.MinorVersion, c.Flags) = (1, 4)),
        (&violation::HANDLERS, |c| c.SetDmaChannelCpuAffinity = None),
        (&violation::HANDLERS, |c| c.AllocateDmaChannel = None),
        (&violation::HANDLERS, |c| c.FreeDmaChannel = None),
        (&violation::HANDLERS, |c| c.StartDma = None),
        (&violation::HANDLERS, |c| c.AppendDma = None),
        (&violation::SUSPEND_RESUME, |c| c.SuspendDma = Some(suspend)),
        (&violation::FRIENDLY_NAME, |c| c.FriendlyName.Length = 0),
        (&violation::CHANNEL_COUNT, |c| c.MaxDmaChannelCount = 0),
        (&violation::PHYSICAL_DEVICE, |c| {
            c.PhysicalDeviceObject = null_mut()
        }),
    ];
    let mut bench = Bench::new(Os::Win7);
    for (rule, change) in cases {
        let mut characteristics = bench.characteristics();
        change(&mut characteristics);
        assert_eq!(
            bench.try_register(&characteristics).0,
            sys::STATUS_UNSUCCESSFUL
        );
        bench.broken(rule);
    }
    assert!(bench.kernel.netdma().providers().is_empty());
    assert!(bench.engine.seen().calls.is_empty());
    bench.end();
}

#[test]
fn a_version_above_the_interface_is_refused() {
    let mut bench = Bench::new(Os::VistaSp1);
    let mut characteristics = bench.characteristics();
    characteristics.MinorVersion = 1;
    assert_eq!(
        bench.try_register(&characteristics).0,
        sys::STATUS_UNSUCCESSFUL
    );
    bench.broken(&violation::VERSION);
    bench.end();
}

#[test]
fn characteristics_of_their_version_are_accepted() {
    type Change = fn(&mut sys::NET_DMA_PROVIDER_CHARACTERISTICS);
    let cases: [Change; 4] = [
        |c| (c.MajorVersion, c.MinorVersion, c.Size) = (1, 0, 96),
        |c| (c.MajorVersion, c.MinorVersion, c.FriendlyName.Length) = (1, 1, 0),
        |c| c.Flags = 1,
        |c| (c.MinorVersion, c.Flags) = (1, 3),
    ];
    let mut bench = Bench::new(Os::Win7);
    for change in cases {
        let mut characteristics = bench.characteristics();
        change(&mut characteristics);
        bench.register_as(&characteristics);
        bench.deregister();
    }
    bench.end();
}

#[test]
fn an_engine_is_registered_once() {
    let mut bench = Bench::new(Os::Win7);
    bench.register();
    let characteristics = bench.characteristics();
    assert_eq!(
        bench.try_register(&characteristics).0,
        sys::STATUS_UNSUCCESSFUL
    );
    let detail = bench.broken(&violation::REGISTERED_TWICE);
    assert!(detail.contains(NAME), "{detail}");
    bench.deregister();
    bench.register();
    bench.deregister();
    bench.end();
}

#[test]
fn null_pointers_are_refused() {
    let mut bench = Bench::new(Os::Win7);
    let mut characteristics = bench.characteristics();
    let mut handle = null_mut();
    // SAFETY: null is what is tested.
    let status =
        unsafe { sys::NetDmaRegisterProvider(null_mut(), null_mut(), &raw mut characteristics) };
    assert_eq!(status, sys::STATUS_UNSUCCESSFUL);
    bench.broken(&violation::NULL_POINTER);
    // SAFETY: null is what is tested.
    let status = unsafe { sys::NetDmaRegisterProvider(null_mut(), &raw mut handle, null_mut()) };
    assert_eq!(status, sys::STATUS_UNSUCCESSFUL);
    bench.broken(&violation::NULL_POINTER);
    bench.register();
    // SAFETY: null is what is tested.
    unsafe { sys::NetDmaProviderStart(bench.engine.handle(), null_mut()) };
    bench.broken(&violation::NULL_POINTER);
    // SAFETY: null is what is tested.
    assert!(unsafe { sys::NdisGetRoutineAddress(null_mut()) }.is_null());
    bench.broken(&violation::NULL_POINTER);
    bench.deregister();
    bench.end();
}

#[test]
fn without_messages_no_processor_is_asked() {
    let mut bench = Bench::with(Config::default(), 0);
    bench.register();
    assert_eq!(bench.engine.seen().affinity, None);
    assert!(bench.kernel.netdma().providers()[0].affinity.is_empty());
    bench.deregister();
    bench.end();
}

#[test]
fn affinity_arrays_can_be_chosen() {
    let affinity = |channel, processor| Affinity { channel, processor };
    let odd = vec![affinity(1, 99), affinity(1, 2), affinity(77, 0)];
    let cases = [
        (
            AffinityPlan::Spread,
            Some((vec![(0, 0), (1, 1), (2, 2), (3, 3), (4, 0), (5, 1)], 48)),
            [0, 1, 2, 3, 0, 1].map(Some).to_vec(),
        ),
        (
            AffinityPlan::Processors(vec![3, 1]),
            Some((vec![(0, 3), (1, 1), (2, 3), (3, 1), (4, 3), (5, 1)], 48)),
            [3, 1, 3, 1, 3, 1].map(Some).to_vec(),
        ),
        (
            AffinityPlan::Array {
                entries: odd.clone(),
                bytes: 24,
            },
            Some((vec![(1, 99), (1, 2), (77, 0)], 24)),
            vec![None, Some(2), None, None, None, None],
        ),
        (
            // Short by half an entry.
            AffinityPlan::Array {
                entries: odd,
                bytes: 12,
            },
            Some((vec![(1, 99)], 12)),
            vec![None, Some(99), None, None, None, None],
        ),
        (
            // Longer than what is in it.
            AffinityPlan::Array {
                entries: vec![affinity(0, 1)],
                bytes: 16,
            },
            Some((vec![(0, 1), (u32::MAX, u32::MAX)], 16)),
            vec![Some(1), None, None, None, None, None],
        ),
        (AffinityPlan::Silent, None, Vec::new()),
    ];
    for (plan, seen, asked) in cases {
        let mut bench = Bench::new(Os::Win7);
        bench.kernel.netdma().set_affinity(plan);
        bench.register();
        assert_eq!(bench.engine.seen().affinity, seen);
        assert_eq!(bench.kernel.netdma().providers()[0].affinity, asked);
        assert!(
            bench
                .engine
                .seen()
                .calls
                .iter()
                .all(|call| call.1 == PASSIVE)
        );
        bench.deregister();
        bench.end();
    }
}

#[test]
fn a_provider_that_cannot_take_note_of_affinity_is_registered() {
    let mut bench = Bench::new(Os::Win7);
    bench
        .engine
        .set(|habits| habits.affinity_status = sys::STATUS_INSUFFICIENT_RESOURCES);
    bench.register();
    assert_eq!(bench.kernel.netdma().providers()[0].affinity, vec![None; 6]);
    bench.deregister();
    bench
        .engine
        .set(|habits| habits.affinity_status = sys::STATUS_PENDING);
    bench.register();
    bench.broken(&violation::STATUS);
    bench.deregister();
    bench.end();
}
