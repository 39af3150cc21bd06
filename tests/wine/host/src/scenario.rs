//! What is played, and what must come of it.

use crate::build::Files;
use crate::inf::GROUP;

/// One command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Makes a service of the harness.
    Command(&'static str),
    Start(&'static str),
    Stop(&'static str),
    /// Makes a service of a driver, without a device.
    Service(&'static str),
    /// Waits for the verdict that the harness gives at the end of its work.
    WaitFor(&'static str),
    /// Has Wine install a driver from its INF, for a new device.
    Install(&'static str),
    /// Has Wine remove the device of a driver.
    Remove(&'static str),
}

/// What a run must come to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Good,
    /// The run is broken on purpose, and this is in what is found wrong.
    Problem(&'static str),
}

/// Something that must have happened: who says so, and a part of what is said.
pub(crate) type Marker = (&'static str, &'static str);

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) steps: &'static [Step],
    pub(crate) expected: Expected,
    /// Machines that live and end.
    pub(crate) machines: usize,
    /// Each sequence must be there, in order; others may be in between.
    pub(crate) sequences: &'static [&'static [Marker]],
    /// What must be there so many times.
    pub(crate) counts: &'static [(Marker, usize)],
    /// Numbers in front of what is said, once, that must be at least so high.
    pub(crate) minimums: &'static [(Marker, usize)],
    /// Errors of Wine's that belong to it.
    pub(crate) allowed: &'static [&'static str],
}

const BOOT: &str = "SimBoot";
const BOOT_WITH_RESOURCES: &str = "SimBoot.resources";
const COPY: &str = "SimCopy";
const MANAGER: &str = "SimManager";
const FAULTS: &str = "SimFaults";
const ENGINE: &str = "netdma_kmdf";
const CLIENT: &str = "nmr_client";

impl Step {
    pub(crate) fn arguments(self, files: &Files) -> Vec<String> {
        let driver = |service: &str| {
            let found = files
                .drivers
                .iter()
                .find(|driver| driver.service == service);
            found.unwrap_or(&files.drivers[0])
        };
        let create = |service: &str, path: &str| {
            let words = [
                "sc", "create", service, "type=", "kernel", "start=", "demand", "group=", GROUP,
                "binPath=", path,
            ];
            words.map(str::to_owned).to_vec()
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Command(service) => create(service, r"c:\windows\system32\drivers\simkernel.sys"),
            Self::Service(service) => create(service, &format!(r"c:\pkg\{service}.sys")),
            Self::WaitFor(_) => Vec::new(),
            Self::Start(service) => words(&["net", "start", service]),
            Self::Stop(service) => words(&["net", "stop", service]),
            Self::Install(service) => {
                let driver = driver(service);
                let inf = format!(r"c:\pkg\{service}.inf");
                words(&[
                    r"c:\pkg\install.exe",
                    "install",
                    &inf,
                    driver.hardware,
                    driver.instance,
                ])
            }
            Self::Remove(service) => {
                words(&[r"c:\pkg\install.exe", "remove", driver(service).instance])
            }
        }
    }
}

use Step::{Command, Install, Remove, Service, Start, Stop, WaitFor};

/// What happens to the driver with the engine, from the INF to its end, with a device of the name.
macro_rules! engine_life {
    ($device:literal) => {
        &[
            ("pnp", "driver netdma_kmdf loaded"),
            ("wdf", "netdma_kmdf: bound with 387 functions"),
            ("wine", "AddDevice of netdma_kmdf"),
            (
                "wdf",
                concat!($device, ": EvtDriverDeviceAdd of netdma_kmdf"),
            ),
            ("wine", "START of netdma_kmdf, with resources: none"),
            ("wdf", concat!($device, ": EvtDevicePrepareHardware")),
            ("wdf", concat!($device, ": EvtDeviceD0Entry")),
            ("pnp", concat!($device, ": started")),
            ("harness", "verified: "),
            ("wine", "SURPRISE_REMOVAL of netdma_kmdf"),
            ("wdf", concat!($device, ": EvtDeviceSurpriseRemoval")),
            ("wine", "REMOVE of netdma_kmdf"),
            ("wdf", concat!($device, ": EvtDeviceD0Exit")),
            ("wdf", concat!($device, ": EvtDeviceReleaseHardware")),
            ("pnp", concat!($device, ": removed")),
            ("wdf", "netdma_kmdf: EvtDriverUnload"),
            ("wdf", "netdma_kmdf: unbound"),
            ("pnp", "driver netdma_kmdf unloaded"),
        ]
    };
}

/// The same for the client.
const CLIENT_LIFE: &[Marker] = &[
    ("pnp", "driver nmr_client loaded"),
    ("wdf", "nmr_client: bound with 387 functions"),
    ("wine", "AddDevice of nmr_client"),
    (
        "wdf",
        "device of nmr_client: EvtDriverDeviceAdd of nmr_client",
    ),
    ("wine", "START of nmr_client, with resources: none"),
    ("pnp", "device of nmr_client: started"),
    ("wine", "SURPRISE_REMOVAL of nmr_client"),
    ("wine", "REMOVE of nmr_client"),
    ("pnp", "device of nmr_client: removed"),
    ("wdf", "nmr_client: EvtDriverUnload"),
    ("wdf", "nmr_client: unbound"),
    ("pnp", "driver nmr_client unloaded"),
];

/// Copies between the two drivers, seen from both.
const PAIR: &[Marker] = &[
    ("driver", "nmr-client: attached"),
    (
        "driver",
        "nmr-client: 64 copies, 64 verified, 0 cancelled, 0 failed, 0 refused",
    ),
    ("driver", "nmr-client: detaching, 0 copies in flight"),
];

const DONE: (Marker, usize) = (("driver", "nmr-client: 64 copies, 64 verified"), 2);

/// Boots with a defect, installs the engine, perhaps copies, and takes everything away.
macro_rules! broken {
    ($name:literal, $what:literal, $boot:literal, $finding:literal, [$($copy:expr),*]) => {
        Scenario {
            name: $name,
            what: $what,
            steps: &[
                Command($boot),
                Command(COPY),
                Start($boot),
                Install(ENGINE),
                $($copy,)*
                Remove(ENGINE),
                Stop(ENGINE),
                Stop($boot),
            ],
            expected: Expected::Problem($finding),
            machines: 1,
            sequences: &[],
            counts: &[],
            minimums: &[],
            allowed: &[],
        }
    };
}

/// Power, stop and start, removals, of the engine's device when the harness manages it.
const MANAGED: &[Marker] = &[
    ("wine", "ZwLoadDriver of nmr_client: 0x00000000"),
    ("wine", "ZwLoadDriver of netdma_kmdf: 0x00000000"),
    ("wdf", "copy engine: EvtDeviceFilterAddResourceRequirements"),
    ("pnp", "copy engine: 4 of 4 messages granted"),
    ("wdf", "copy engine: EvtDeviceD0EntryPostInterruptsEnabled"),
    ("harness", "interrupt message 3: vector 0x"),
    ("harness", "verified: "),
    ("pnp", "copy engine: in D3"),
    ("pnp", "copy engine: in D0"),
    ("harness", "verified: "),
    ("pnp", "copy engine: stopped"),
    ("pnp", "copy engine: 2 of 4 messages granted"),
    ("harness", "verified: "),
    ("pnp", "copy engine: stopped"),
    ("harness", "started again with the line"),
    ("harness", "interrupt by line: vector 0x"),
    ("harness", "verified: "),
    ("pnp", "copy engine: removed"),
    ("harness", "pulled out while it works"),
    ("wdf", "copy engine: EvtDeviceSurpriseRemoval"),
    ("pnp", "copy engine: removed"),
    ("harness", "pulled out while it sleeps"),
    ("wdf", "copy engine: EvtDeviceSurpriseRemoval"),
    ("pnp", "copy engine: removed"),
    ("wine", "ZwUnloadDriver of netdma_kmdf: 0x00000000"),
    ("wine", "ZwUnloadDriver of nmr_client: 0x00000000"),
];

pub(crate) const SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "inf",
        what: "A: installed from the INF by Wine, the provider first; the client goes first",
        steps: &[
            Command(BOOT),
            Command(COPY),
            Start(BOOT),
            Install(ENGINE),
            Install(CLIENT),
            Start(COPY),
            Stop(COPY),
            Remove(CLIENT),
            Stop(CLIENT),
            Remove(ENGINE),
            Stop(ENGINE),
            Stop(BOOT),
        ],
        expected: Expected::Good,
        machines: 1,
        sequences: &[engine_life!("device of netdma_kmdf"), CLIENT_LIFE, PAIR],
        counts: &[DONE],
        minimums: &[],
        allowed: &[],
    },
    Scenario {
        name: "inf-resources",
        what: "A: as before, the client first; resources from the simulated framework; the provider goes first, and comes again",
        steps: &[
            Command(BOOT_WITH_RESOURCES),
            Command(COPY),
            Start(BOOT_WITH_RESOURCES),
            Install(CLIENT),
            Install(ENGINE),
            Start(COPY),
            Stop(COPY),
            Remove(ENGINE),
            Stop(ENGINE),
            Remove(CLIENT),
            Stop(CLIENT),
            Install(ENGINE),
            Start(COPY),
            Stop(COPY),
            Remove(ENGINE),
            Stop(ENGINE),
            Stop(BOOT_WITH_RESOURCES),
        ],
        expected: Expected::Good,
        machines: 1,
        sequences: &[engine_life!("copy engine"), CLIENT_LIFE, PAIR],
        counts: &[DONE, (("harness", "verified: "), 2)],
        minimums: &[],
        allowed: &[],
    },
    Scenario {
        name: "manager",
        what: "B: the harness is the Plug and Play manager; Wine loads and unloads",
        steps: &[
            Service(ENGINE),
            Service(CLIENT),
            Command(MANAGER),
            Start(MANAGER),
            WaitFor("manager"),
            Stop(MANAGER),
        ],
        expected: Expected::Good,
        machines: 1,
        sequences: &[MANAGED, PAIR],
        counts: &[(("harness", "verified: "), 10)],
        minimums: &[(
            (
                "harness",
                "machines and devices: interrupts went where the table says",
            ),
            95,
        )],
        allowed: &[],
    },
    Scenario {
        name: "faults",
        what: "C: one call after the other fails; Wine loads and unloads the drivers each time",
        steps: &[
            Service(ENGINE),
            Service(CLIENT),
            Command(FAULTS),
            Start(FAULTS),
            WaitFor("faults"),
            Stop(FAULTS),
        ],
        expected: Expected::Good,
        machines: 1,
        sequences: &[],
        counts: &[(("harness", "Allocation: "), 1)],
        minimums: &[(("harness", "calls failed one after the other"), 451)],
        // A driver that is refused something at its start does not start.
        allowed: &["ZwLoadDriver failed to create driver"],
    },
    broken!(
        "broken-start",
        "a device that the driver refuses to start must be found",
        "SimBoot.start",
        "START of netdma_kmdf: 0xC0000182",
        []
    ),
    broken!(
        "broken-add",
        "an AddDevice that fails must be found",
        "SimBoot.adddevice",
        "AddDevice of netdma_kmdf: 0xC000009A",
        []
    ),
    broken!(
        "broken-import",
        "an import that is left to Wine must be found",
        "SimBoot.import",
        "KeInsertQueueDpc is not the simulated kernel's",
        []
    ),
    broken!(
        "broken-interrupt",
        "an interrupt that does not come must be found",
        "SimBoot.interrupt",
        "no interrupt for batch",
        [Start(COPY)]
    ),
    Scenario {
        name: "broken-end",
        what: "a driver that is still there when its machine ends must be found",
        steps: &[Command(BOOT), Start(BOOT), Install(ENGINE), Stop(BOOT)],
        expected: Expected::Problem("netdma_kmdf is still bound"),
        machines: 1,
        sequences: &[],
        counts: &[],
        minimums: &[],
        allowed: &[],
    },
];
