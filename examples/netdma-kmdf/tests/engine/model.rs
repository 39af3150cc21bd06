//! Any sequence of calls, legal and not, against a model of what may come of it.
//!
//! A descriptor's mark is a cell of its own that it moves on by one byte, so that the cell tells how often the descriptor was
//! done. The engine works beside the calls. What the model cannot know, because it is a race, it takes from the report: what is
//! reported done was done once, what is reported lost was done once or never, and nothing is done after a stop returns.
//!
//! `PROPTEST_CASES` says how many sequences are tried. A failure is shrunk to the shortest sequence that still fails.

use proptest::collection::vec;
use proptest::prelude::*;

use super::machine::*;

const CELL: usize = 64;
/// Descriptors in a batch at most.
const BATCH: usize = 4;
/// Bytes of a cell that are moved on.
const MARK: usize = 8;
const CHANNELS: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Leaves a mark.
    Mark,
    Null,
    Nothing,
    ContextChange,
    /// Is wrong in one of some ways.
    Bad(usize),
}

#[derive(Clone, Copy, Debug)]
enum Interface {
    Submit,
    Poll,
    Restart,
    Append,
}

#[derive(Clone, Copy, Debug)]
enum Control {
    Suspend,
    Resume,
    Abort,
    Reset,
}

impl Control {
    fn call(self, channel: &Channel) -> Result<(), sys::NTSTATUS> {
        match self {
            Self::Suspend => channel.suspend().map(drop),
            Self::Resume => channel.resume(),
            Self::Abort => channel.abort(),
            Self::Reset => channel.reset(),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Open(usize),
    Free(usize),
    FreeAtOnce(usize),
    Give(usize, Interface, Vec<Kind>),
    Control(usize, Control),
    Settle,
    Power,
    StopAndStart,
    Interrupt(u32),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        8 => Just(Kind::Mark),
        1 => Just(Kind::Null),
        1 => Just(Kind::Nothing),
        1 => Just(Kind::ContextChange),
        1 => (0..4_usize).prop_map(Kind::Bad),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let channel = 0..CHANNELS;
    let way = prop_oneof![
        4 => Just(Interface::Submit),
        2 => Just(Interface::Poll),
        1 => Just(Interface::Restart),
        2 => Just(Interface::Append),
    ];
    let control = prop_oneof![
        2 => Just(Control::Suspend),
        2 => Just(Control::Resume),
        1 => Just(Control::Abort),
        1 => Just(Control::Reset),
    ];
    prop_oneof![
        4 => channel.clone().prop_map(Step::Open),
        1 => channel.clone().prop_map(Step::Free),
        1 => channel.clone().prop_map(Step::FreeAtOnce),
        12 => (channel.clone(), way, vec(kind(), 1..=BATCH))
            .prop_map(|(channel, way, kinds)| Step::Give(channel, way, kinds)),
        6 => (channel, control).prop_map(|(channel, control)| Step::Control(channel, control)),
        3 => Just(Step::Settle),
        1 => Just(Step::Power),
        1 => Just(Step::StopAndStart),
        1 => (0..4_u32).prop_map(Step::Interrupt),
    ]
}

/// What is to come of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Done, all of it, and reported so.
    Done,
    /// What the report says.
    Reported,
    /// Never done, since it was refused.
    Refused,
}

struct Batch {
    fate: Fate,
    ticket: u64,
    /// A cell for each descriptor. To be looked at only when the engine stands still.
    cells: Buffer,
    /// The cells of marks.
    marks: Vec<usize>,
    /// Which descriptor is wrong, the first of them. What is behind it is never done.
    bad: Option<usize>,
}

impl Batch {
    fn new(machine: &Machine, kinds: &[Kind]) -> (Self, Vec<Transfer>) {
        let mut batch = Self {
            fate: Fate::Refused,
            ticket: 0,
            cells: machine.destination(BATCH * CELL),
            marks: Vec::new(),
            bad: kinds.iter().position(|kind| matches!(kind, Kind::Bad(_))),
        };
        for cell in batch.cells.as_mut_slice().chunks_mut(CELL) {
            cell[0] = 0;
        }
        let transfers = kinds.iter().enumerate();
        let transfers = transfers.map(|(cell, kind)| batch.transfer(cell, *kind));
        let transfers = transfers.collect();
        let mark = |cell: &usize| matches!(kinds[*cell], Kind::Mark);
        batch.marks = (0..kinds.len()).filter(mark).collect();
        (batch, transfers)
    }

    fn transfer(&self, cell: usize, kind: Kind) -> Transfer {
        let (from, to) = (cell * CELL, cell * CELL + 1);
        let mark = transfer(&self.cells, from, &self.cells, to, MARK);
        let with = |flags| Transfer {
            flags,
            ..Transfer::default()
        };
        match kind {
            Kind::Mark => mark,
            Kind::Null => with(sys::NET_DMA_NULL_TRANSFER),
            Kind::Nothing => with(0),
            Kind::ContextChange => with(CONTEXT_CHANGE),
            Kind::Bad(0) => Transfer {
                length: MAXIMUM_TRANSFER_SIZE + 1,
                ..mark
            },
            Kind::Bad(1) => Transfer {
                destination: 1 << 52,
                ..mark
            },
            Kind::Bad(2) => Transfer {
                flags: 1 << 8,
                ..mark
            },
            Kind::Bad(_) => Transfer {
                flags: 0x0100_0000,
                ..mark
            },
        }
    }

    /// How often the descriptor of this cell was done. It touched nothing but what it was to touch.
    fn done(&self, cell: usize) -> usize {
        let bytes = &self.cells.as_slice()[cell * CELL..][..CELL];
        let moved = bytes[1..].iter().take_while(|byte| **byte == 0).count();
        assert!(untouched(&bytes[1 + moved..]), "{bytes:x?}");
        moved
    }

    fn all_done(&self) -> Vec<usize> {
        self.marks.iter().map(|cell| self.done(*cell)).collect()
    }

    /// The engine stands still: is what was done what may have been?
    fn check(&self) {
        for cell in &self.marks {
            let behind = self.bad.is_some_and(|bad| *cell > bad);
            let most = usize::from(self.fate != Fate::Refused && !behind);
            let done = self.done(*cell);
            assert!(done <= most, "{:?}, done {done} times", self.fate);
        }
    }

    /// The engine has nothing to do: was everything done that should have been, and said?
    fn settle(&self, channel: &Channel) {
        self.check();
        let reported = self.fate != Fate::Refused && channel.wait(self.ticket, Duration::ZERO);
        assert!(
            reported || self.fate != Fate::Done,
            "{channel:?}: a batch is not done"
        );
        if reported {
            let done = self.all_done();
            assert!(
                done.iter().all(|done| *done == 1),
                "reported done: {done:?}"
            );
        }
    }
}

/// Where a channel is, as far as it can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    /// Only a start is taken.
    None,
    Running,
    /// A descriptor that is wrong was given; the channel halts at it, or has.
    Halts,
}

struct Client {
    channel: Channel,
    list: List,
    /// The list went with the power.
    lost: bool,
    suspended: bool,
    batches: Vec<Batch>,
    /// What was done of each batch when the channel was stopped or suspended: it stays so.
    still: Option<Vec<Vec<usize>>>,
}

impl Client {
    fn new(channel: Channel) -> Self {
        Self {
            channel,
            list: List::None,
            lost: false,
            suspended: false,
            batches: Vec::new(),
            still: None,
        }
    }

    fn give(&mut self, machine: &Machine, powered: bool, way: Interface, kinds: &[Kind]) {
        let restarts = matches!(way, Interface::Restart);
        let appends = matches!(way, Interface::Append);
        // A halt that is seen late may be taken for one of what was given meanwhile.
        let races = self.list == List::Halts;
        if races && self.suspended {
            // Whether the interface starts or appends depends on the race.
            return;
        }
        if restarts && powered {
            // Done or dropped. After a refusal the engine goes on with it, though nobody counts on it.
            self.reported();
        }
        let (mut batch, transfers) = Batch::new(machine, kinds);
        let result = match way {
            Interface::Submit => self.channel.submit(&transfers),
            Interface::Poll => self.channel.submit_polled(&transfers),
            Interface::Restart => self.channel.restart(&transfers),
            Interface::Append => self.channel.append(&transfers),
        };
        let refusal = Err(sys::STATUS_UNSUCCESSFUL);
        if !powered {
            assert_eq!(result, Err(sys::STATUS_DEVICE_NOT_READY));
        } else if batch.bad == Some(0) || self.list == List::None && appends {
            assert_eq!(result, refusal, "{way:?} {:?}", self.list);
        } else if races && !restarts {
            assert!(result.is_ok() || result == refusal, "{result:x?}");
        } else {
            assert!(result.is_ok(), "{way:?} {:?} {result:x?}", self.list);
        }
        if let Ok(ticket) = result {
            batch.ticket = ticket;
            batch.fate = if batch.bad.is_some() || races {
                Fate::Reported
            } else {
                Fate::Done
            };
            if restarts || self.list == List::None {
                self.suspended = false;
                self.lost = false;
            }
            if batch.bad.is_some() || races {
                self.list = List::Halts;
            } else {
                self.list = List::Running;
            }
        }
        self.batches.push(batch);
        if self.suspended {
            // More is to stand still.
            self.stand_still();
        } else if result.is_ok() {
            self.still = None;
        }
    }

    /// From here on only the report says what became of the batches.
    fn reported(&mut self) {
        for batch in &mut self.batches {
            if batch.fate == Fate::Done {
                batch.fate = Fate::Reported;
            }
        }
    }

    fn stop(&mut self) {
        self.reported();
        self.list = List::None;
        self.suspended = false;
        self.stand_still();
    }

    fn resume(&mut self) {
        self.channel.resume().unwrap();
        self.suspended = false;
        self.still = None;
    }

    fn stand_still(&mut self) {
        self.check();
        self.still = Some(self.batches.iter().map(Batch::all_done).collect());
    }

    /// What stands still is as it was.
    fn check(&self) {
        for (batch, still) in self.batches.iter().zip(self.still.iter().flatten()) {
            batch.check();
            assert_eq!(batch.all_done(), *still, "it goes on after a stop");
        }
    }

    /// The engine has nothing to do.
    fn settle(&mut self, powered: bool) {
        self.check();
        if self.suspended {
            return;
        }
        for batch in self.batches.drain(..) {
            batch.settle(&self.channel);
        }
        self.still = None;
        if self.list == List::Halts && powered {
            // Whether a list was begun after the halt is the interface's to know.
            self.channel.abort().unwrap();
            self.list = List::None;
        }
    }
}

struct World {
    machine: Machine,
    powered: bool,
    clients: [Option<Client>; CHANNELS],
}

impl World {
    fn settle(&mut self) {
        self.machine.kernel.quiesce();
        for client in self.clients.iter_mut().flatten() {
            client.settle(self.powered);
        }
    }

    /// As a client does before it waits for outstanding work.
    fn resume_all(&mut self) {
        let clients = self.clients.iter_mut().flatten();
        clients
            .filter(|client| client.suspended)
            .for_each(Client::resume);
    }

    fn open(&mut self, number: usize) {
        let channel = self.machine.try_open();
        if !self.powered {
            assert_eq!(channel.map(drop), Err(sys::STATUS_DEVICE_NOT_READY));
        } else if self.clients.iter().all(Option::is_some) {
            assert_eq!(channel.map(drop), Err(sys::STATUS_INSUFFICIENT_RESOURCES));
        } else if self.clients[number].is_none() {
            self.clients[number] = Some(Client::new(channel.unwrap()));
        }
    }

    fn free_at_once(&self, client: Client) {
        client.channel.free_at_once();
        for batch in &client.batches {
            batch.check();
        }
        let done = || {
            client
                .batches
                .iter()
                .map(Batch::all_done)
                .collect::<Vec<_>>()
        };
        let before = done();
        self.machine.kernel.quiesce();
        assert_eq!(done(), before, "it goes on after the channel was freed");
    }

    fn run(&mut self, step: &Step) {
        let powered = self.powered;
        let denied = Err(sys::STATUS_DEVICE_NOT_READY);
        match step {
            Step::Open(number) => self.open(*number),
            Step::Free(number) => {
                self.resume_all();
                self.settle();
                self.clients[*number] = None;
            }
            Step::FreeAtOnce(number) => {
                if let Some(client) = self.clients[*number].take() {
                    self.free_at_once(client);
                }
            }
            Step::Give(number, way, kinds) => {
                if let Some(client) = &mut self.clients[*number] {
                    client.give(&self.machine, powered, *way, kinds);
                }
            }
            Step::Control(number, control) => {
                let Some(client) = &mut self.clients[*number] else {
                    return;
                };
                match control {
                    _ if !powered => assert_eq!(control.call(&client.channel), denied),
                    Control::Resume if client.suspended => client.resume(),
                    Control::Resume => {
                        let refused = Err(sys::STATUS_UNSUCCESSFUL);
                        assert_eq!(client.channel.resume(), refused);
                    }
                    Control::Suspend => {
                        let result = control.call(&client.channel);
                        // What has halted is not suspended. Power makes no difference to that.
                        if client.list != List::Halts && !client.lost {
                            assert_eq!(result, Ok(()));
                        }
                        if result.is_ok() {
                            client.suspended = true;
                            client.stand_still();
                        }
                    }
                    Control::Abort | Control::Reset => {
                        control.call(&client.channel).unwrap();
                        client.stop();
                    }
                }
            }
            Step::Settle => self.settle(),
            Step::Power if powered => {
                self.resume_all();
                self.machine.kernel.power_down(self.machine.device).unwrap();
                self.powered = false;
                self.settle();
                for client in self.clients.iter_mut().flatten() {
                    client.list = List::None;
                    client.lost = true;
                }
            }
            Step::Power => {
                self.machine.kernel.power_up(self.machine.device).unwrap();
                self.powered = true;
            }
            Step::StopAndStart if powered => {
                self.resume_all();
                self.machine
                    .kernel
                    .stop_device(self.machine.device)
                    .unwrap();
                self.powered = false;
                self.settle();
                self.clients = [None, None];
                let kernel = &self.machine.kernel;
                kernel.restart_device(self.machine.device, None).unwrap();
                self.powered = true;
            }
            Step::StopAndStart => {}
            Step::Interrupt(message) => self.machine.signal.raise(*message),
        }
        self.clients.iter().flatten().for_each(Client::check);
    }

    fn end(mut self) {
        if !self.powered {
            self.run(&Step::Power);
        }
        self.resume_all();
        self.settle();
        let clients = std::mem::take(&mut self.clients);
        self.machine.end(clients);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_descriptor_is_done_once_or_reported(
        seed in 0..1000_u64,
        processors in 1..4_u32,
        messages in 0..3_u32,
        steps in vec(step(), 1..60),
    ) {
        let setup = Setup {
            config: Config { processors, seed, ..Config::default() },
            messages,
            ..Setup::default()
        };
        let mut world = World {
            machine: Machine::with(setup, |_| {}),
            powered: true,
            clients: [None, None],
        };
        for step in &steps {
            world.run(step);
        }
        world.end();
    }
}
