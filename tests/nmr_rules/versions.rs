//! Rule 23, of versions: a structure of one that the interface does not have is not made use of, and read no further than up to that.
//!
//! # Safety
//!
//! The unsafe code of this file declares an interface, whose tables have no functions.

use std::collections::HashSet;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::mem::offset_of;
use std::ops::RangeInclusive;

use nmr_netdma::nmr::{Extent, Table, ToClient};

use super::*;

/// The versions that the interface has.
const VERSIONS: RangeInclusive<u16> = 2..=3;
const ALL_VERSIONS: [u16; 6] = [0, 1, 2, 3, 4, u16::MAX];

/// A structure that both sides show and give, with its version at one place or another.
trait Layout: Table + Debug + PartialEq {
    /// How much of it there is whatever it says.
    const HEAD: usize;
    /// Where the version ends.
    const VERSION_END: usize;
    /// How long it may say that it is.
    fn lengths() -> Vec<usize>;
    fn new(version: u16, length: usize) -> Self;
    /// What a module makes of the first `length` bytes, if they are enough.
    fn taken(self, length: usize) -> Option<Self>;
    /// One that lives as long as the program.
    fn own() -> &'static Self;
}

/// The version, and then the size. It has grown twice, and once ended in the middle of what are eight bytes now.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct First {
    version: u16,
    size: u16,
    value: u32,
    last: u32,
    more: u64,
}

/// The size, and then the version.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Behind {
    size: u32,
    version: u32,
    value: u64,
    more: u64,
}

/// No size, and the version at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Whole {
    value: u64,
    version: u16,
}

const FIRST: usize = offset_of!(First, last);
const SECOND: usize = FIRST + size_of::<u32>();
const BEHIND: usize = offset_of!(Behind, more);

// SAFETY: C layout of integers; zero is valid for what is missing.
unsafe impl Table for First {
    const EXTENT: Extent = Extent::u16_at(offset_of!(First, size), FIRST)
        .with_sizes(&[SECOND])
        .with_u16_version(offset_of!(First, version), VERSIONS);
}

// SAFETY: as above.
unsafe impl Table for Behind {
    const EXTENT: Extent = Extent::u32_at(offset_of!(Behind, size), BEHIND).with_u32_version(
        offset_of!(Behind, version),
        *VERSIONS.start() as u32..=*VERSIONS.end() as u32,
    );
}

// SAFETY: as above.
unsafe impl Table for Whole {
    const EXTENT: Extent = Extent::WHOLE.with_u16_version(offset_of!(Whole, version), VERSIONS);
}

impl Layout for First {
    const HEAD: usize = 4;
    const VERSION_END: usize = 2;

    fn lengths() -> Vec<usize> {
        (0..size_of::<Self>() + 2).collect()
    }

    fn new(version: u16, length: usize) -> Self {
        Self {
            version,
            size: length as u16,
            value: 5,
            last: 6,
            more: u64::MAX,
        }
    }

    fn taken(self, length: usize) -> Option<Self> {
        let last = if length < SECOND { 0 } else { self.last };
        let more = if length < size_of::<Self>() {
            0
        } else {
            self.more
        };
        (length >= FIRST).then_some(Self { last, more, ..self })
    }

    fn own() -> &'static Self {
        const {
            &First {
                version: 2,
                size: size_of::<First>() as u16,
                value: 5,
                last: 6,
                more: u64::MAX,
            }
        }
    }
}

impl Layout for Behind {
    const HEAD: usize = 4;
    const VERSION_END: usize = 8;

    fn lengths() -> Vec<usize> {
        (0..size_of::<Self>() + 2)
            .chain([u32::MAX as usize])
            .collect()
    }

    fn new(version: u16, length: usize) -> Self {
        Self {
            size: length as u32,
            version: version.into(),
            value: 5,
            more: u64::MAX,
        }
    }

    fn taken(self, length: usize) -> Option<Self> {
        let more = if length < size_of::<Self>() {
            0
        } else {
            self.more
        };
        (length >= BEHIND).then_some(Self { more, ..self })
    }

    fn own() -> &'static Self {
        const {
            &Behind {
                size: size_of::<Behind>() as u32,
                version: 3,
                value: 5,
                more: u64::MAX,
            }
        }
    }
}

impl Layout for Whole {
    const HEAD: usize = size_of::<Self>();
    const VERSION_END: usize = 10;

    fn lengths() -> Vec<usize> {
        vec![size_of::<Self>()]
    }

    fn new(version: u16, _: usize) -> Self {
        Self { value: 5, version }
    }

    fn taken(self, _: usize) -> Option<Self> {
        Some(self)
    }

    fn own() -> &'static Self {
        const {
            &Whole {
                value: 5,
                version: 2,
            }
        }
    }
}

struct Versioned<T>(PhantomData<T>);

// SAFETY: one declaration for all modules that are registered at a time; those in C keep to it as far as they declare.
unsafe impl<T: Layout> Npi for Versioned<T> {
    const ID: Guid = Guid::parse("81f7a1f4-6d0b-4a53-8f0e-19c9a4b7c6f3");
    type ClientCharacteristics = T;
    type ProviderCharacteristics = T;
    type ClientDispatch = T;
    type ProviderDispatch = T;
}

/// A client or provider that accepts everybody, and what it was shown and given.
struct Module<T: Layout> {
    shown: Mutex<Vec<Option<T>>>,
    providers: Mutex<Vec<Binding<Versioned<T>>>>,
    clients: Mutex<Vec<Binding<Versioned<T>, ToClient>>>,
}

impl<T: Layout> Module<T> {
    fn new() -> Self {
        Self {
            shown: Mutex::default(),
            providers: Mutex::default(),
            clients: Mutex::default(),
        }
    }

    /// How many peers were shown, and what the last of them showed and gave.
    fn met(&self) -> (usize, Option<T>, Option<T>) {
        let shown = locked(&self.shown);
        let given = match (locked(&self.providers).last(), locked(&self.clients).last()) {
            (Some(provider), _) => provider.call(|provider| *provider.dispatch()),
            (_, Some(client)) => client.call(|client| *client.dispatch()),
            _ => None,
        };
        (shown.len(), shown.last().copied().flatten(), given)
    }
}

impl<T: Layout> Client for Module<T> {
    type Npi = Versioned<T>;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        locked(&self.shown).push(offer.peer().characteristics().copied());
        locked(&self.providers).push(offer.binding());
        // SAFETY: there is no function in the table.
        match offer.accept((), unsafe { Dispatch::new(T::own()) }, irql) {
            Ok(decision) => decision,
            Err(refused) => refused.decline(),
        }
    }
}

impl<T: Layout> Provider for Module<T> {
    type Npi = Versioned<T>;
    type Context = ();

    fn attach(&self, request: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        locked(&self.shown).push(request.peer().characteristics().copied());
        locked(&self.clients).push(request.binding());
        // SAFETY: there is no function in the table.
        let dispatch = unsafe { Dispatch::new(T::own()) };
        Ok(Accept {
            context: (),
            dispatch,
        })
    }
}

fn identity<T: Layout>(version: u16) -> Identity<T> {
    Identity::new(CALLER).with_characteristics(T::new(version, size_of::<T>()))
}

/// What a module in C has, as much of it as may be read.
fn block<T: Layout>(version: u16, length: usize) -> Block {
    let there = if VERSIONS.contains(&version) {
        length.max(T::HEAD)
    } else {
        length.max(T::HEAD).min(T::VERSION_END)
    };
    Block::prefix(&T::new(version, length), there.min(size_of::<T>()))
}

/// A client of the library meets `raw`, or a provider does.
fn meet<T: Layout>(machine: &Machine, raw: &Raw, serves: bool) -> (usize, Option<T>, Option<T>) {
    let (image, identity) = (&machine.image, identity::<T>(2));
    if serves {
        let module = ProviderRegistration::register(image, Module::new(), identity, &mut passive())
            .expect("the provider registers");
        raw.register();
        let met = module.met();
        raw.end();
        met
    } else {
        raw.register();
        let module = ClientRegistration::register(image, Module::new(), identity, &mut passive())
            .expect("the client registers");
        let met = module.met();
        drop(module);
        raw.end();
        met
    }
}

/// Peers of all versions and lengths, whose characteristics or whose table say so.
fn meet_all<T: Layout>() {
    let mut outcomes = HashSet::new();
    // Under Miri one version of either kind, and lengths that are too short, enough, and all.
    let (versions, step) = if cfg!(miri) {
        (1..3, 9)
    } else {
        (0..ALL_VERSIONS.len(), 1)
    };
    for &version in &ALL_VERSIONS[versions] {
        let machine = Machine::plain();
        let good = T::new(2, size_of::<T>());
        let mut of_another_version = 0;
        for length in T::lengths().into_iter().step_by(step) {
            let peer = T::new(version, length);
            let known = VERSIONS.contains(&version);
            let taken = peer.taken(length).filter(|_| known);
            outcomes.insert((known, taken.is_some()));
            let says_its_version = length.max(T::HEAD) >= T::VERSION_END;
            for (serves, shows) in [(false, true), (false, false), (true, true), (true, false)] {
                let case = format!("version {version}, {length} bytes, {serves}, {shows}");
                let make = if serves { Raw::client } else { Raw::provider };
                let raw = make("r", &machine.log).with(|raw| {
                    raw.npi = Some(Versioned::<T>::ID.to_sys());
                    let peer = Some(block::<T>(version, length));
                    (raw.shows, raw.functions) = if shows {
                        (peer, Some(Block::of(&good)))
                    } else {
                        (None, peer)
                    };
                });
                let expected = match taken {
                    Some(_) if shows => (1, taken, Some(good)),
                    Some(_) => (1, None, taken),
                    // Only a provider's table is seen when it is too late to decline: the binding stays shut.
                    None if !serves && !shows => (1, None, None),
                    None => (0, None, None),
                };
                assert_eq!(meet::<T>(&machine, &raw, serves), expected, "{case}");
                of_another_version += usize::from(!known && says_its_version);
            }
        }
        let said = machine.traced("its characteristics are of another version")
            + machine.traced("its dispatch table is of another version");
        assert_eq!(said, of_another_version, "version {version}");
        machine.end();
    }
    assert!(outcomes.contains(&(true, true)) && outcomes.contains(&(false, false)));
}

#[test]
fn rule_23_versions_before_the_size_are_looked_at_first() {
    meet_all::<First>();
}

#[test]
fn rule_23_versions_behind_the_size_are_looked_at_where_it_includes_them() {
    meet_all::<Behind>();
}

#[test]
fn rule_23_versions_of_structures_without_a_size_are_looked_at() {
    meet_all::<Whole>();
}

/// NMR says nothing of it: the answers are those of the two callbacks' pages.
#[test]
fn rule_23_a_peer_of_another_version_is_answered_no_interface() {
    let machine = Machine::plain();
    let other = |raw: &mut Raw| {
        raw.npi = Some(Versioned::<First>::ID.to_sys());
        raw.functions = Some(block::<First>(4, size_of::<First>()));
    };
    let showing = |raw: &mut Raw| {
        raw.npi = Some(Versioned::<First>::ID.to_sys());
        raw.shows = Some(block::<First>(4, size_of::<First>()));
    };
    for (raw, serves, answer) in [
        (
            Raw::client("r", &machine.log).with(other),
            true,
            "STATUS_NOINTERFACE",
        ),
        (
            Raw::client("r", &machine.log).with(showing),
            true,
            "STATUS_NOINTERFACE",
        ),
        (
            Raw::provider("r", &machine.log).with(showing),
            false,
            "STATUS_NOINTERFACE",
        ),
        // It has accepted, so the client is attached.
        (
            Raw::provider("r", &machine.log).with(other),
            false,
            "STATUS_SUCCESS",
        ),
    ] {
        meet::<First>(&machine, &raw, serves);
        let callback = if serves {
            "ProviderAttachClient"
        } else {
            "ClientAttachProvider"
        };
        assert_eq!(answers(&machine, callback).pop().as_deref(), Some(answer));
    }
    let attached = "is attached and cannot be called: its dispatch table is of another version";
    assert_eq!(machine.traced(attached), 1);
    machine.end();
}

#[test]
fn rule_23_a_module_that_shows_another_version_is_not_registered() {
    fn register<T: Layout>(machine: &Machine, version: u16) -> [Option<Error>; 2] {
        let image = &machine.image;
        let client = ClientRegistration::register(
            image,
            Module::new(),
            identity::<T>(version),
            &mut passive(),
        );
        let provider = ProviderRegistration::register(
            image,
            Module::new(),
            identity::<T>(version),
            &mut passive(),
        );
        [
            client.err().map(|failed| failed.error),
            provider.err().map(|failed| failed.error),
        ]
    }

    let machine = Machine::plain();
    for version in ALL_VERSIONS {
        let expected = (!VERSIONS.contains(&version)).then_some(Error::INVALID_PARAMETER);
        assert_eq!(register::<First>(&machine, version), [expected; 2]);
        assert_eq!(register::<Behind>(&machine, version), [expected; 2]);
        assert_eq!(register::<Whole>(&machine, version), [expected; 2]);
    }
    machine.end();
}

#[test]
#[should_panic(expected = "the smallest structure includes the field with its version")]
fn rule_23_a_version_that_may_lie_outside_is_no_declaration() {
    let _ = Extent::u16_at(0, 4).with_u16_version(3, 1..=1);
}

#[test]
#[should_panic(expected = "there is a version that is accepted")]
fn rule_23_a_range_without_versions_is_no_declaration() {
    let _ = Extent::WHOLE.with_u32_version(0, RangeInclusive::new(2, 1));
}

#[test]
#[should_panic(expected = "the sizes ascend from that of the smallest structure")]
fn rule_23_sizes_that_do_not_ascend_are_no_declaration() {
    let _ = Extent::u16_at(0, 8).with_sizes(&[16, 12]);
}
