//! Registrations, bindings and their states: what one shard's lock guards.
//!
//! Everything here is one locked step. Callbacks are handed out as values, to be run when the lock is released.
//!
//! # Safety
//!
//! The unsafe code of this file reads registered characteristics again and moves the pointers that modules passed in
//! between threads, as the registrar promises its callers to do.
#![expect(unsafe_code, reason = "keeps the pointers of drivers")]

mod report;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::time::Duration;

use nmr_netdma::sys::{NT_SUCCESS, NTSTATUS, PVOID, STATUS_PENDING, STATUS_SUCCESS};

use super::callback::{self, POISON, PROVIDER_ATTACH};
use super::handle::{Handle, Kind};
use super::name::{Id, Name, Pair, Role};
use super::note::Answer;
use super::slab::{Linked, Links, List, NONE, Slab};
use super::snapshot::{AttachFunction, CleanupFunction, DetachFunction, Snapshot, Source};
use super::{LevelChoice, Settings, before, violation};
use crate::hash::WordMap;
use crate::kernel::Machine;
use crate::mm;
use crate::platform::{self, Condvar, Mutex};

/// A registered client or provider.
struct Module {
    name: Name,
    characteristics: *const c_void,
    /// Of the characteristics, as they were then.
    fingerprint: u64,
    attach: AttachFunction,
    detach: DetachFunction,
    cleanup: Option<CleanupFunction>,
    context: PVOID,
    interface: u32,
    /// In the interface's list, until deregistered.
    links: Links,
    bindings: List,
    deregistering: bool,
    /// A change of the characteristics, or that the context was freed, is reported once.
    reported: bool,
    waiter: Option<Arc<Waiter>>,
    /// The callback in which it registered, if it was in one.
    origin: Option<Box<str>>,
}

impl Module {
    fn source(&self) -> Source {
        Source::new(self.name.role, self.characteristics)
    }
}

impl Linked for Module {
    fn links(&mut self, _list: Role) -> &mut Links {
        &mut self.links
    }
}

/// For those who wait for a module's deregistration.
#[derive(Default)]
pub(super) struct Waiter {
    complete: Mutex<bool>,
    changed: Condvar,
}

impl Waiter {
    fn complete(&self) {
        *self.complete.lock() = true;
        self.changed.notify_all();
    }

    /// Waits until the deregistration is complete, or so long; whether it is.
    pub(super) fn wait(&self, patience: Option<Duration>) -> bool {
        let mut complete = self.complete.lock();
        let Some(patience) = patience else {
            while !*complete {
                complete = self.changed.wait(complete);
            }
            return true;
        };
        let nanoseconds = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        let deadline = platform::now().saturating_add(nanoseconds);
        while !*complete {
            let now = platform::now();
            if now >= deadline {
                return false;
            }
            let left = Duration::from_nanos(deadline - now);
            complete = self.changed.wait_timeout(complete, left);
        }
        true
    }
}

/// How far a binding has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// To be begun by the thread that registered the later of the two.
    Proposed,
    /// The client's attach callback runs.
    Asking,
    /// Inside it, the provider's attach callback runs.
    Offered,
    /// The provider has accepted, the client's callback has not returned.
    Accepted,
    Attached,
    Detaching,
    /// Both sides are finished; the cleanup callbacks run.
    Cleaning,
}

/// How far the detach of one side has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Its detach callback was not called.
    Idle,
    /// Nor was this, but it has completed already.
    Remembered,
    /// Its detach callback runs.
    Calling,
    /// Its detach callback runs, and it has completed.
    CompletedInside,
    /// Its detach callback answered `STATUS_PENDING`.
    Pending,
    Completed,
    /// Its detach callback answered `STATUS_SUCCESS`.
    Succeeded,
    /// It has refused what it had accepted, and has no callbacks any more.
    Absent,
}

impl Side {
    const fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Succeeded | Self::Absent)
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Idle => "has not been told to detach",
            Self::Remembered => "has completed, and not been told to detach",
            Self::Calling => "is in its detach callback",
            Self::CompletedInside => "has completed, and is in its detach callback",
            Self::Pending => "answered STATUS_PENDING and has not completed",
            Self::Completed => "has completed",
            Self::Succeeded => "is detached",
            Self::Absent => "refused after it had attached",
        }
    }
}

/// One client and one provider.
struct Binding {
    /// By [`Role`]: the module, its list, its binding context, its state.
    modules: [u32; 2],
    links: [Links; 2],
    contexts: [PVOID; 2],
    sides: [Side; 2],
    stage: Stage,
    interface: u32,
    /// What the latest `NmrClientAttachProvider` answered.
    answer: Option<NTSTATUS>,
}

impl Linked for Binding {
    fn links(&mut self, list: Role) -> &mut Links {
        &mut self.links[list as usize]
    }
}

/// A network programming interface. Kept for ever: a program has few.
struct Interface {
    id: Id,
    random: u64,
    /// By [`Role`]: the modules that take part in attachment.
    modules: [List; 2],
}

impl Interface {
    /// The next number of the interface's sequence (splitmix64).
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ self.random >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// The level of a detach or cleanup callback on a thread at level `irql`.
    fn level(&mut self, choice: LevelChoice, irql: u8) -> u8 {
        const APC: u8 = 1;
        const DISPATCH: u8 = 2;
        let lowest = match choice {
            LevelChoice::Lowest => irql,
            LevelChoice::Apc => APC,
            LevelChoice::Dispatch => DISPATCH,
            LevelChoice::Seeded => match self.random() % 8 {
                0 => irql,
                1 => APC,
                _ => DISPATCH,
            },
        };
        irql.max(lowest)
    }

    /// Which side comes first.
    fn first(&mut self, shuffles: bool) -> Role {
        if shuffles && self.random().is_multiple_of(2) {
            Role::Provider
        } else {
            Role::Client
        }
    }
}

/// One shard: interfaces, their modules and bindings.
pub(super) struct Registry {
    shard: u8,
    seed: u64,
    by_id: WordMap<Id, u32>,
    interfaces: Vec<Interface>,
    modules: Slab<Module>,
    bindings: Slab<Binding>,
    /// By role, the dispatch tables of the bindings that have one in pool.
    tables: WordMap<u32, [*const c_void; 2]>,
    /// An empty vector with room, for the next who needs one.
    spare: Vec<Handle>,
}

// SAFETY: the pointers in it are those that drivers passed in. The registry hands contexts back and never looks behind
// them; functions and characteristics are used from any thread, as the registrar's callers have to expect.
unsafe impl Send for Registry {}

/// What a module registers.
pub(super) struct Registering<'a> {
    pub(super) source: Source,
    pub(super) snapshot: &'a Snapshot,
    pub(super) name: Name,
    pub(super) interface: Id,
    pub(super) attach: AttachFunction,
    pub(super) detach: DetachFunction,
    pub(super) context: PVOID,
    pub(super) origin: Option<Box<str>>,
}

/// What follows when a client's attach callback has returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterAttach {
    Nothing,
    /// Detach at once: a side has deregistered meanwhile, or the client changed its mind.
    Detach,
}

/// Whether a handle names something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Existence {
    Exists,
    Existed,
    Never,
}

impl Registry {
    pub(super) fn new(seed: u64, shard: usize) -> Self {
        Self {
            shard: shard as u8,
            seed,
            by_id: WordMap::default(),
            interfaces: Vec::new(),
            modules: Slab::new(),
            bindings: Slab::new(),
            tables: WordMap::default(),
            spare: Vec::new(),
        }
    }

    /// Takes a vector that [`register`](Self::register) or [`deregister`](Self::deregister) returned, to be used again.
    pub(super) fn give_back(&mut self, mut handles: Vec<Handle>) {
        handles.clear();
        self.spare = handles;
    }

    pub(super) fn modules(&self) -> usize {
        self.modules.len()
    }

    pub(super) fn bindings(&self) -> usize {
        self.bindings.len()
    }

    #[inline]
    pub(super) fn exists(&self, handle: Handle) -> bool {
        match handle.kind {
            Kind::Binding => self.bindings.contains(handle),
            Kind::Client | Kind::Provider => self
                .modules
                .get(handle)
                .is_some_and(|module| Kind::of(module.name.role) == handle.kind),
        }
    }

    pub(super) fn existence(&self, handle: Handle) -> Existence {
        let existed = || match handle.kind {
            Kind::Binding => self.bindings.contained(handle),
            // Another kind of module may be there, whose handle differs in its kind only.
            Kind::Client | Kind::Provider => {
                self.modules.contained(handle) || self.modules.contains(handle)
            }
        };
        if self.exists(handle) {
            Existence::Exists
        } else if existed() {
            Existence::Existed
        } else {
            Existence::Never
        }
    }

    pub(super) fn name(&self, module: Handle) -> Name {
        self.modules[module.index].name
    }

    /// The names of a live binding's sides.
    pub(super) fn pair_of(&self, binding: Handle) -> Pair {
        self.pair(binding.index)
    }

    fn pair(&self, binding: u32) -> Pair {
        let binding = &self.bindings[binding];
        let [client, provider] = binding.modules;
        Pair {
            client: self.modules[client].name,
            provider: self.modules[provider].name,
            interface: self.interfaces[binding.interface as usize].id,
        }
    }

    /// Inserts a module and its proposals, to be begun in order by the caller.
    pub(super) fn register(
        &mut self,
        registering: Registering<'_>,
        self_attachment: bool,
    ) -> (Handle, Vec<Handle>) {
        let Registering {
            source,
            snapshot,
            name,
            interface: id,
            attach,
            detach,
            context,
            origin,
        } = registering;
        let role = name.role;
        let (seed, interfaces) = (self.seed, &mut self.interfaces);
        let interface = *self.by_id.entry(id).or_insert_with(|| {
            interfaces.push(Interface {
                id,
                random: seed ^ id.mixed(),
                modules: [List::EMPTY; 2],
            });
            (interfaces.len() - 1) as u32
        });
        let index = self.modules.insert(|| Module {
            name,
            characteristics: source.address(),
            fingerprint: snapshot.fingerprint,
            attach,
            detach,
            cleanup: snapshot.cleanup,
            context,
            interface,
            links: Links::UNLINKED,
            bindings: List::EMPTY,
            deregistering: false,
            reported: false,
            waiter: None,
            origin,
        });
        let lists = &mut self.interfaces[interface as usize].modules;
        lists[role as usize].push(&mut self.modules, role, index);
        let mut peer = lists[role.other() as usize].first;
        let mut proposals = core::mem::take(&mut self.spare);
        while peer != NONE {
            let module = &self.modules[peer];
            let next = module.links.next;
            if self_attachment || module.name.driver != name.driver {
                proposals.push(self.propose(role, index, peer, interface));
            }
            peer = next;
        }
        let module = self.modules.handle(Kind::of(role), self.shard, index);
        (module, proposals)
    }

    fn propose(&mut self, role: Role, module: u32, peer: u32, interface: u32) -> Handle {
        let modules = match role {
            Role::Client => [module, peer],
            Role::Provider => [peer, module],
        };
        let index = self.bindings.insert(|| Binding {
            modules,
            links: [Links::UNLINKED; 2],
            contexts: [core::ptr::null_mut(); 2],
            sides: [Side::Idle; 2],
            stage: Stage::Proposed,
            interface,
            answer: None,
        });
        for role in [Role::Client, Role::Provider] {
            self.modules[modules[role as usize]]
                .bindings
                .push(&mut self.bindings, role, index);
        }
        self.bindings.handle(Kind::Binding, self.shard, index)
    }

    /// Takes a binding out; wakes who waits for its modules.
    fn remove_binding(&mut self, index: u32) {
        let modules = self.bindings[index].modules;
        for role in [Role::Client, Role::Provider] {
            let module = &mut self.modules[modules[role as usize]];
            module.bindings.remove(&mut self.bindings, role, index);
            if module.bindings.is_empty()
                && module.deregistering
                && let Some(waiter) = &module.waiter
            {
                waiter.complete();
            }
        }
        self.bindings.remove(index);
    }

    /// Reports a module whose characteristics are no longer what it registered, or whose context is gone.
    fn check_unchanged(&mut self, machine: &Machine, module: u32, when: &str) {
        let module = &mut self.modules[module];
        if module.reported {
            return;
        }
        // SAFETY: the module is listed, so nobody has waited for its deregistration.
        let now = unsafe { module.source().read() };
        let changed = !now.is_ok_and(|now| now.fingerprint == module.fingerprint);
        let [freed] = mm::were_freed(machine, [module.context.cast_const()]);
        let (rule, what) = if changed {
            (&violation::CHANGED, "the characteristics have changed")
        } else if freed {
            (
                &violation::CONTEXT_FREED,
                "the registration context is freed",
            )
        } else {
            return;
        };
        module.reported = true;
        let (name, interface) = (module.name, self.interfaces[module.interface as usize].id);
        machine.violated(
            rule,
            format_args!("{what}, seen {when}: {name}, interface {interface}"),
        );
    }

    /// The client's attach callback for a proposal, unless it was withdrawn. The characteristics of the side `fresh` were read
    /// just now.
    pub(super) fn begin_attach(
        &mut self,
        machine: &Machine,
        handle: Handle,
        fresh: Option<Role>,
    ) -> Option<callback::ClientAttach> {
        let binding = self.bindings.get_mut(handle)?;
        binding.stage = Stage::Asking;
        let [client, provider] = binding.modules;
        if fresh != Some(Role::Client) {
            self.check_unchanged(machine, client, "when a provider was proposed to it");
        }
        if fresh != Some(Role::Provider) {
            self.check_unchanged(machine, provider, "when it was proposed to a client");
        }
        let (client, provider) = (&self.modules[client], &self.modules[provider]);
        let AttachFunction::Client(function) = client.attach else {
            return None;
        };
        let (context, provider) = (client.context, provider.source().instance());
        Some(callback::ClientAttach {
            binding: handle,
            function,
            context,
            provider,
        })
    }

    /// Whether the binding's client may ask its provider now.
    pub(super) fn may_offer(&self, handle: Handle) -> Result<(), &'static crate::Rule> {
        match self.bindings[handle.index].stage {
            Stage::Asking => Ok(()),
            Stage::Accepted => Err(&violation::ATTACH_TWICE),
            _ => Err(&violation::ATTACH_OUTSIDE),
        }
    }

    /// The provider's attach callback, if the client may ask and is in its attach callback.
    pub(super) fn begin_offer(
        &mut self,
        handle: Handle,
        client_context: PVOID,
        client_dispatch: *const c_void,
    ) -> Option<callback::ProviderAttach> {
        let binding = &mut self.bindings[handle.index];
        binding.stage = Stage::Offered;
        let [client, provider] = binding.modules;
        let (client, provider) = (&self.modules[client], &self.modules[provider]);
        let AttachFunction::Provider(function) = provider.attach else {
            return None;
        };
        let (context, client) = (provider.context, client.source().instance());
        Some(callback::ProviderAttach {
            binding: handle,
            function,
            context,
            client,
            client_context,
            client_dispatch,
        })
    }

    /// Takes what was answered without asking the provider.
    pub(super) fn refuse_offer(&mut self, handle: Handle, status: NTSTATUS) {
        let binding = &mut self.bindings[handle.index];
        binding.answer = Some(status);
        binding.stage = Stage::Asking;
    }

    /// Takes the provider's answer.
    pub(super) fn end_offer(
        &mut self,
        machine: &Machine,
        handle: Handle,
        (client_context, client_dispatch): (PVOID, *const c_void),
        answer: &callback::ProviderAnswer,
    ) {
        let status = answer.status;
        if !NT_SUCCESS(status) {
            self.refuse_offer(handle, status);
            return;
        }
        if status != STATUS_SUCCESS {
            machine.violated(
                &violation::ATTACH_STATUS,
                format_args!(
                    "{PROVIDER_ATTACH} returned {}: {}",
                    Answer(status),
                    self.pair(handle.index)
                ),
            );
        }
        if answer.context.addr() == POISON || answer.dispatch.addr() == POISON {
            machine.violated(
                &violation::ATTACH_OUTPUT,
                format_args!(
                    "{PROVIDER_ATTACH} accepted and stored no context or no table: {}",
                    self.pair(handle.index)
                ),
            );
        }
        let binding = &mut self.bindings[handle.index];
        binding.answer = Some(status);
        binding.stage = Stage::Accepted;
        binding.contexts = [client_context, answer.context];
        let tables = [client_dispatch, answer.dispatch];
        if mm::any_in_pool(machine, tables) {
            self.tables.insert(handle.index, tables);
        }
    }

    /// Takes what the client's attach callback returned.
    pub(super) fn end_attach(
        &mut self,
        machine: &Machine,
        handle: Handle,
        status: NTSTATUS,
    ) -> AfterAttach {
        let index = handle.index;
        let binding = &self.bindings[index];
        let (accepted, answer, modules) = (
            binding.stage == Stage::Accepted,
            binding.answer,
            binding.modules,
        );
        match answer {
            Some(answer) if answer != status => machine.violated(
                &violation::ATTACH_ANSWER,
                format_args!(
                    "ClientAttachProvider returned {} after NmrClientAttachProvider had answered {}: {}{}",
                    Answer(status),
                    Answer(answer),
                    self.pair(index),
                    before(machine, |note| note.is_call(handle, PROVIDER_ATTACH)),
                ),
            ),
            None if NT_SUCCESS(status) => machine.violated(
                &violation::ATTACH_ANSWER,
                format_args!(
                    "ClientAttachProvider returned {} and had not called NmrClientAttachProvider: {}",
                    Answer(status),
                    self.pair(index)
                ),
            ),
            _ => {}
        }
        if !accepted {
            self.remove_binding(index);
            return AfterAttach::Nothing;
        }
        let late = modules
            .iter()
            .any(|&module| self.modules[module].deregistering);
        let binding = &mut self.bindings[index];
        if !NT_SUCCESS(status) {
            binding.sides[Role::Client as usize] = Side::Absent;
        } else if !late {
            binding.stage = Stage::Attached;
            return AfterAttach::Nothing;
        }
        binding.stage = Stage::Detaching;
        AfterAttach::Detach
    }

    /// Ends a module's part in attachment. What is returned is to be detached by the caller; `None` if it was
    /// deregistered before.
    pub(super) fn deregister(
        &mut self,
        machine: &Machine,
        handle: Handle,
        shuffles: bool,
    ) -> Option<Vec<Handle>> {
        let index = handle.index;
        let module = &mut self.modules[index];
        if core::mem::replace(&mut module.deregistering, true) {
            return None;
        }
        let (role, interface) = (module.name.role, module.interface as usize);
        let mut binding = module.bindings.first;
        self.interfaces[interface].modules[role as usize].remove(&mut self.modules, role, index);
        self.check_unchanged(machine, index, "when it was deregistered");
        let mut attached = core::mem::take(&mut self.spare);
        while binding != NONE {
            let state = &mut self.bindings[binding];
            let next = state.links[role as usize].next;
            match state.stage {
                Stage::Proposed => self.remove_binding(binding),
                Stage::Attached => {
                    state.stage = Stage::Detaching;
                    attached.push(self.bindings.handle(Kind::Binding, self.shard, binding));
                }
                // Its attaching thread detaches it, or the peer's deregistration is at it.
                _ => {}
            }
            binding = next;
        }
        if shuffles {
            let interface = &mut self.interfaces[interface];
            for last in (1..attached.len()).rev() {
                let other = (interface.random() % (last as u64 + 1)) as usize;
                attached.swap(last, other);
            }
        }
        Some(attached)
    }

    /// The order in which the sides of a binding are called.
    pub(super) fn sides(&mut self, handle: Handle, shuffles: bool) -> [Role; 2] {
        let interface = self.bindings[handle.index].interface as usize;
        let first = self.interfaces[interface].first(shuffles);
        [first, first.other()]
    }

    /// A side's detach callback, unless it has none.
    pub(super) fn begin_detach(
        &mut self,
        settings: &Settings,
        handle: Handle,
        role: Role,
        irql: u8,
    ) -> Option<callback::Detach> {
        // With early cleanup, the peer's completion may have ended the binding.
        let binding = self.bindings.get_mut(handle)?;
        let side = &mut binding.sides[role as usize];
        *side = match side {
            Side::Idle => Side::Calling,
            Side::Remembered => Side::CompletedInside,
            _ => return None,
        };
        let interface = &mut self.interfaces[binding.interface as usize];
        Some(callback::Detach {
            binding: handle,
            role,
            function: self.modules[binding.modules[role as usize]].detach,
            context: binding.contexts[role as usize],
            irql: interface.level(settings.level(), irql),
        })
    }

    /// Takes what a side's detach callback returned.
    pub(super) fn end_detach(
        &mut self,
        machine: &Machine,
        handle: Handle,
        (role, pair): (Role, &Pair),
        status: NTSTATUS,
    ) {
        // With early cleanup, the completion inside the callback may have ended the binding.
        let binding = self.bindings.get_mut(handle);
        let side = match &binding {
            Some(binding) => binding.sides[role as usize],
            None => Side::Completed,
        };
        let next = match (side, status) {
            (Side::Calling, STATUS_PENDING) => Side::Pending,
            (_, STATUS_PENDING) => Side::Completed,
            (Side::Calling, STATUS_SUCCESS) => Side::Succeeded,
            (_, STATUS_SUCCESS) => {
                machine.violated(
                    &violation::SUCCESS_AFTER_COMPLETION,
                    format_args!(
                        "{} of {role} returned STATUS_SUCCESS: {pair}{}",
                        role.detach_callback(),
                        before(machine, |note| note.is_completion(handle, role)),
                    ),
                );
                Side::Completed
            }
            _ => {
                machine.violated(
                    &violation::DETACH_STATUS,
                    format_args!(
                        "{} of {role} returned {}: {pair}",
                        role.detach_callback(),
                        Answer(status),
                    ),
                );
                Side::Succeeded
            }
        };
        if let Some(binding) = binding {
            binding.sides[role as usize] = next;
        }
    }

    /// Takes a side's completion.
    pub(super) fn complete(
        &mut self,
        settings: &Settings,
        handle: Handle,
        role: Role,
    ) -> Result<(), &'static crate::Rule> {
        use core::sync::atomic::Ordering::Relaxed;

        let binding = &mut self.bindings[handle.index];
        let attached = matches!(
            binding.stage,
            Stage::Accepted | Stage::Attached | Stage::Detaching
        );
        let side = &mut binding.sides[role as usize];
        match *side {
            Side::Idle => {
                // Remembered even where it is wrong, or the detach would never end.
                if attached {
                    *side = Side::Remembered;
                }
                match attached && settings.compatibility.load(Relaxed) {
                    true => Ok(()),
                    false => Err(&violation::COMPLETED_BEFORE_DETACH),
                }
            }
            Side::Calling if settings.early_cleanup.load(Relaxed) => {
                *side = Side::Completed;
                Ok(())
            }
            Side::Calling => {
                *side = Side::CompletedInside;
                Ok(())
            }
            Side::Pending => {
                *side = Side::Completed;
                Ok(())
            }
            Side::Remembered | Side::CompletedInside | Side::Completed => {
                Err(&violation::COMPLETED_TWICE)
            }
            Side::Succeeded => Err(&violation::COMPLETED_AFTER_SUCCESS),
            Side::Absent => Err(&violation::COMPLETED_BEFORE_DETACH),
        }
    }

    /// Whether the caller is the one to run the cleanup callbacks, and which; once for each binding.
    pub(super) fn begin_cleanup(
        &mut self,
        machine: &Machine,
        handle: Handle,
        irql: u8,
    ) -> Option<[Option<callback::Cleanup>; 2]> {
        let settings = &machine.netio.settings;
        let binding = self.bindings.get_mut(handle)?;
        if binding.stage != Stage::Detaching || !binding.sides.iter().all(|side| side.is_finished())
        {
            return None;
        }
        binding.stage = Stage::Cleaning;
        let freed = mm::were_freed(machine, binding.contexts.map(<*mut _>::cast_const));
        let interface = &mut self.interfaces[binding.interface as usize];
        let first = interface.first(settings.shuffles());
        let callbacks = [first, first.other()].map(|role| {
            // What was freed too early is not freed again.
            if binding.sides[role as usize] == Side::Absent || freed[role as usize] {
                return None;
            }
            Some(callback::Cleanup {
                binding: handle,
                role,
                function: self.modules[binding.modules[role as usize]].cleanup?,
                context: binding.contexts[role as usize],
                irql: interface.level(settings.level(), irql),
            })
        });
        let mut tables = [false; 2];
        if !self.tables.is_empty()
            && let Some(known) = self.tables.remove(&handle.index)
        {
            tables = mm::were_freed(machine, known);
        }
        if freed != [false; 2] || tables != [false; 2] {
            self.report_freed(machine, handle.index, freed, tables);
        }
        Some(callbacks)
    }

    pub(super) fn end_cleanup(&mut self, handle: Handle) {
        self.remove_binding(handle.index);
    }

    pub(super) fn is_deregistering(&self, module: Handle) -> bool {
        self.modules[module.index].deregistering
    }

    /// Ends the module if its deregistration is complete, otherwise what to wait for.
    pub(super) fn dispose(&mut self, handle: Handle) -> Result<(), Arc<Waiter>> {
        let module = &mut self.modules[handle.index];
        if module.bindings.is_empty() {
            self.modules.remove(handle.index);
            return Ok(());
        }
        Err(Arc::clone(
            module
                .waiter
                .get_or_insert_with(|| Arc::new(Waiter::default())),
        ))
    }

    /// Whether the deregistration of `module` waits for callbacks of the live binding `binding` to return.
    pub(super) fn waits_for(&self, module: Handle, binding: Handle) -> bool {
        self.bindings.contains(binding)
            && self.bindings[binding.index].modules.contains(&module.index)
    }
}
