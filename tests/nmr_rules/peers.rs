//! Rule 23: what a peer shows and gives is read no further than it says.

use super::*;

/// A client of the library meets `raw`; whether it was asked, and what a call answers.
fn meet(machine: &Machine, raw: &Raw) -> (usize, Vec<Option<Option<u32>>>) {
    assert_eq!(raw.register(), STATUS_SUCCESS);
    let caller = machine.caller();
    let met = (locked(&caller.peers).len(), caller.call(1));
    drop(caller);
    raw.end();
    met
}

/// A provider of the library meets `raw`; whether it was asked, and what it answered.
fn serve(machine: &Machine, raw: &Raw) -> (usize, String) {
    let server = machine.server();
    assert_eq!(raw.register(), STATUS_SUCCESS);
    raw.end();
    let asked = locked(&server.peers).len();
    drop(server);
    let mut answers = answers(machine, "ProviderAttachClient");
    (asked, answers.pop().expect("the callback was called"))
}

const DECLINED: &str = "STATUS_NOINTERFACE";
const ACCEPTED: &str = "STATUS_SUCCESS";

#[test]
fn rule_23_what_an_older_peer_lacks_is_zero_and_is_not_read() {
    let machine = Machine::plain();
    let old = |raw: &mut Raw| {
        let functions = Functions {
            size: OLD_FUNCTIONS as u32,
            ..FUNCTIONS
        };
        raw.functions = Some(Block::prefix(&functions, OLD_FUNCTIONS));
        let shows = Shown {
            size: OLD_SHOWN as u16,
            ..SHOWN
        };
        raw.shows = Some(Block::prefix(&shows, OLD_SHOWN));
    };
    let raw = Raw::provider("r", &machine.log).with(old);
    raw.register();
    let caller = machine.caller();
    let shown = Shown {
        size: OLD_SHOWN as u16,
        colour: 0,
        ..SHOWN
    };
    assert_eq!(locked(&caller.peers)[0].shown, Some(shown));
    let provider = guard(&caller);
    assert_eq!(provider.characteristics(), Some(&shown));
    assert_eq!(
        (relay::call(&provider, 1), relay::twice(&provider, 1)),
        (Some(1001), None)
    );
    drop(provider);
    drop(caller);
    raw.end();

    let raw = Raw::client("r", &machine.log).with(old);
    let server = machine.server();
    raw.register();
    assert_eq!(locked(&server.peers)[0].shown, Some(shown));
    let client = server.binding(0).enter().expect("attached");
    assert_eq!(client.characteristics(), Some(&shown));
    assert_eq!(
        (relay::call(&client, 1), relay::twice(&client, 1)),
        (Some(1001), None)
    );
    drop(client);
    raw.end();
    drop(server);
    machine.end();
}

#[test]
fn rule_23_what_a_newer_peer_has_in_addition_is_ignored() {
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Newer<T> {
        known: T,
        unknown: [u64; 4],
    }

    let machine = Machine::plain();
    let newer = |raw: &mut Raw| {
        let size = size_of::<Newer<Functions>>() as u32;
        let known = Functions { size, ..FUNCTIONS };
        raw.functions = Some(Block::of(&Newer {
            known,
            unknown: [u64::MAX; 4],
        }));
        let known = Shown {
            size: size_of::<Newer<Shown>>() as u16,
            ..SHOWN
        };
        raw.shows = Some(Block::of(&Newer {
            known,
            unknown: [u64::MAX; 4],
        }));
    };
    let raw = Raw::provider("r", &machine.log).with(newer);
    assert_eq!(meet(&machine, &raw), (1, vec![Some(Some(1001))]));
    let raw = Raw::client("r", &machine.log).with(newer);
    assert_eq!(serve(&machine, &raw), (1, ACCEPTED.into()));
    machine.end();
}

#[test]
fn rule_23_peers_that_show_nothing_are_shown_as_such() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log);
    raw.register();
    let caller = machine.caller();
    assert_eq!(locked(&caller.peers)[0].shown, None);
    assert_eq!(guard(&caller).characteristics(), None);
    assert_eq!(caller.call(1), [Some(Some(1001))]);
    drop(caller);
    raw.end();
    machine.end();
}

#[test]
fn rule_23_characteristics_that_are_too_short_are_declined() {
    let machine = Machine::plain();
    // As long as they say, down to the two bytes that say so.
    for size in [2, 3, OLD_SHOWN as u16 - 1, 0] {
        let short = |raw: &mut Raw| {
            let shows = Shown { size, ..SHOWN };
            raw.shows = Some(Block::prefix(&shows, usize::from(size.max(2))));
        };
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        assert_eq!(
            answers(&machine, "ClientAttachProvider")
                .last()
                .expect("asked"),
            DECLINED
        );
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    }
    machine.end();
}

/// A peer whose declaration is longer reads as far as it is told: from safe code it must not be told of what is not there.
#[test]
fn rule_23_characteristics_that_say_another_size_are_not_registered() {
    let machine = Machine::plain();
    for size in [
        0,
        OLD_SHOWN as u16 - 1,
        size_of::<Shown>() as u16 + 1,
        u16::MAX,
    ] {
        let identity = Identity::new(SERVER).with_characteristics(Shown { size, ..SHOWN });
        let server = Server::new("p", &machine.log);
        let failed =
            ProviderRegistration::register(&machine.image, server, identity, &mut passive())
                .expect_err("it says another size");
        assert_eq!(failed.error, Error::INVALID_PARAMETER);
        assert_eq!(failed.value.name, "p", "the provider comes back");
        let identity = Identity::new(CALLER).with_characteristics(Shown { size, ..SHOWN });
        let caller = Caller::new("c", &machine.log);
        let failed = ClientRegistration::register(&machine.image, caller, identity, &mut passive())
            .expect_err("it says another size");
        assert_eq!(failed.error, Error::INVALID_PARAMETER);
    }
    // The size of an older version is one that the interface knows.
    let size = OLD_SHOWN as u16;
    let identity = Identity::new(SERVER).with_characteristics(Shown { size, ..SHOWN });
    let server = Server::new("p", &machine.log);
    let server = ProviderRegistration::register(&machine.image, server, identity, &mut passive())
        .expect("the provider registers");
    let caller = machine.caller();
    let shown = locked(&caller.peers)[0].shown;
    assert_eq!(shown.map(|shown| shown.colour), Some(0));
    drop((caller, server));
    machine.end();
}

#[test]
fn rule_23_dispatch_tables_that_are_too_short_are_not_used() {
    let machine = Machine::plain();
    for size in [4, OLD_FUNCTIONS as u32 - 1, 0] {
        let short = |raw: &mut Raw| {
            let functions = Functions { size, ..FUNCTIONS };
            raw.functions = Some(Block::prefix(&functions, (size as usize).max(4)));
        };
        // A provider has accepted when its table is seen: the binding is there and stays shut.
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (1, vec![None]));
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    }
    machine.end();
}

#[test]
fn rule_23_a_table_that_ends_inside_a_function_has_not_got_it() {
    let machine = Machine::plain();
    for size in OLD_FUNCTIONS + 1..size_of::<Functions>() {
        let cut = |raw: &mut Raw| {
            let functions = Functions {
                size: size as u32,
                ..FUNCTIONS
            };
            raw.functions = Some(Block::prefix(&functions, size));
        };
        let raw = Raw::provider("r", &machine.log).with(cut);
        raw.register();
        let caller = machine.caller();
        let provider = guard(&caller);
        assert!(provider.dispatch().twice.is_none(), "{size} bytes");
        assert_eq!(relay::call(&provider, 1), Some(1001), "{size} bytes");
        drop(provider);
        drop(caller);
        raw.end();

        let raw = Raw::client("r", &machine.log).with(cut);
        let server = machine.server();
        raw.register();
        let client = server.binding(0).enter().expect("attached");
        assert!(client.dispatch().twice.is_none(), "{size} bytes");
        drop(client);
        raw.end();
        drop(server);
    }
    machine.end();
}

#[test]
fn rule_23_a_missing_dispatch_table_is_not_used() {
    let machine = Machine::plain();
    let none = |raw: &mut Raw| raw.functions = None;
    // The provider has accepted: the binding exists, and is shut. That is said, and it is taken down as others are.
    let raw = Raw::provider("r", &machine.log).with(none);
    assert_eq!(meet(&machine, &raw), (1, vec![None]));
    assert_eq!(answers(&machine, "ClientAttachProvider"), [ACCEPTED]);
    assert_eq!(
        machine.traced("is attached and cannot be called: its dispatch table"),
        1
    );
    assert_eq!(
        count(
            &machine.log,
            &["detach c", "free c", "detach r", "cleanup r"]
        ),
        [1; 4]
    );
    let raw = Raw::client("r", &machine.log).with(none);
    assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    assert_eq!(
        machine.traced("is declined: its dispatch table is missing"),
        1
    );
    machine.end();
}

/// How the lines in the debugger call a [`Raw`] whose name is `r`.
const IDENTIFIED: &str = "interface 3a7d2f10-91c4-4f0e-a2b7-5c1e7f0d4b01, module \
                          00000072-0000-0000-0000-000000000000, number 7,";

#[test]
fn rule_23_a_peer_that_is_not_used_is_named() {
    let machine = Machine::plain();
    let says = |peer: &str, what: &str| machine.traced(&format!("nmr-netdma: a {peer} of {what}"));
    let none = |raw: &mut Raw| raw.functions = None;
    let raw = Raw::provider("r", &machine.log).with(none);
    meet(&machine, &raw);
    let uncallable = format!("{IDENTIFIED} is attached and cannot be called: ");
    assert_eq!(says("provider", &uncallable), 1);
    let raw = Raw::client("r", &machine.log).with(none);
    serve(&machine, &raw);
    let declined = format!("{IDENTIFIED} is declined: ");
    assert_eq!(says("client", &declined), 1);
    // A number and no module id; and nothing, since the instance ends before the number.
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.id = None);
    meet(&machine, &raw);
    machine.broken(&violation::INCOMPLETE, 1);
    let interface = Relay::ID;
    let declined = format!("interface {interface}, number 7, is declined: its module id");
    assert_eq!(says("provider", &declined), 1);
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.instance_size = 4);
    meet(&machine, &raw);
    machine.broken(&violation::SIZES, 1);
    let declined = format!("interface {interface} is declined: its registration instance");
    assert_eq!(says("provider", &declined), 1);
    machine.end();
}

/// The registrar offers a pair once.
#[test]
fn rule_11_a_pair_that_is_lost_for_want_of_memory_is_named() {
    // After the client's hold and block: its gate and context, the provider's context and gate.
    let unnamed = "what the module itself was told";
    let expected = ["provider", unnamed, "client", "client"];
    for (point, lost) in (3..).zip(expected) {
        let machine = Machine::plain();
        let server = machine.server();
        machine.kernel.fail_allocation(Some(point));
        let caller = machine.caller();
        assert_eq!(machine.kernel.failed_allocations(), 1);
        assert_eq!(caller.call(1), []);
        let says = |peer: &str, module: &str| {
            machine.traced(&format!(
                "nmr-netdma: a {peer} of interface {}, module {module}, number 0, is declined: \
                 there is no memory",
                Relay::ID
            ))
        };
        let said = [
            says("provider", "luid 0x6000001234567"),
            says("client", "0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11"),
        ];
        let expected = ["provider", "client"].map(|peer| usize::from(peer == lost));
        assert_eq!(said, expected, "point {point}");
        if lost == unnamed {
            assert_eq!(*locked(&caller.refusals), [Error::INSUFFICIENT_RESOURCES]);
        }
        drop((caller, server));
        machine.end();
    }
}

#[test]
fn rule_23_a_missing_function_is_none() {
    let machine = Machine::plain();
    let without = |raw: &mut Raw| {
        raw.functions = Some(Block::of(&Functions {
            call: None,
            ..FUNCTIONS
        }));
    };
    let raw = Raw::provider("r", &machine.log).with(without);
    assert_eq!(meet(&machine, &raw), (1, vec![Some(None)]));
    machine.end();
}

#[test]
fn rule_23_short_registration_instances_are_declined() {
    let machine = Machine::plain();
    for size in [0, 4, 32, 39] {
        let short = |raw: &mut Raw| raw.instance_size = size;
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        machine.broken(&violation::SIZES, 1);
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
        machine.broken(&violation::SIZES, 1);
    }
    let declined = "is declined: its registration instance is too short";
    assert_eq!(machine.traced(declined), 8);
    machine.end();
}

#[test]
fn rule_23_module_ids_of_unknown_type_and_short_ones_are_declined() {
    let machine = Machine::plain();
    for kind in [0, 3, -1, i32::MAX] {
        let unknown = |raw: &mut Raw| {
            raw.id = Some(Block::of(&NPI_MODULEID {
                Type: kind,
                ..module_id(1)
            }));
        };
        let raw = Raw::provider("r", &machine.log).with(unknown);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        let raw = Raw::client("r", &machine.log).with(unknown);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    }
    // A GUID that is cut off, and a LUID that is; only as much memory as they declare.
    for (kind, length) in [(1, 8), (1, 16), (1, 20), (2, 8), (2, 12)] {
        let short = |raw: &mut Raw| {
            let id = NPI_MODULEID {
                Length: length,
                Type: kind,
                ..module_id(1)
            };
            raw.id = Some(Block::prefix(&id, usize::from(length)));
        };
        let raw = Raw::provider("r", &machine.log).with(short);
        assert_eq!(meet(&machine, &raw), (0, vec![]));
        machine.broken(&violation::SIZES, 1);
        let raw = Raw::client("r", &machine.log).with(short);
        assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
        machine.broken(&violation::SIZES, 1);
    }
    machine.end();
}

#[test]
fn rule_23_a_module_id_that_ends_with_its_luid_is_accepted() {
    let machine = Machine::plain();
    let by_luid = |raw: &mut Raw| {
        let id = NPI_MODULEID {
            Length: 16,
            Type: MIT_IF_LUID,
            ..module_id(0x1234)
        };
        raw.id = Some(Block::prefix(&id, 16));
    };
    let raw = Raw::provider("r", &machine.log).with(by_luid);
    raw.register();
    machine.broken(&violation::SIZES, 1);
    let caller = machine.caller();
    assert_eq!(
        locked(&caller.peers)[0].module,
        ModuleId::InterfaceLuid(0x1234)
    );
    drop(caller);
    raw.end();
    machine.end();
}

#[test]
fn rule_23_a_missing_module_id_is_declined_and_a_missing_interface_cannot_register() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.id = None);
    assert_eq!(meet(&machine, &raw), (0, vec![]));
    machine.broken(&violation::INCOMPLETE, 1);
    let raw = Raw::client("r", &machine.log).with(|raw| raw.id = None);
    assert_eq!(serve(&machine, &raw), (0, DECLINED.into()));
    machine.broken(&violation::INCOMPLETE, 1);
    for make in [Raw::client, Raw::provider] {
        let raw = make("r", &machine.log).with(|raw| raw.npi = None);
        assert_eq!(raw.register(), STATUS_INVALID_PARAMETER);
        machine.broken(&violation::INCOMPLETE, 1);
    }
    machine.end();
}

#[test]
fn rule_23_any_version_is_shown_and_left_to_the_module() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log).with(|raw| raw.instance_version = u16::MAX);
    raw.register();
    let caller = machine.caller();
    assert_eq!(locked(&caller.peers)[0].version, u16::MAX);
    assert_eq!(caller.call(1), [Some(Some(1001))]);
    drop(caller);
    raw.end();
    machine.end();
}

/// The registrar matches what it read when the peer registered; the peer's own memory may say something else by now.
#[test]
fn rule_23_a_peer_that_shows_another_interface_is_declined() {
    let machine = Machine::plain();
    let raw = Raw::provider("r", &machine.log);
    raw.register();
    raw.change_interface(guid(9));
    let caller = machine.caller();
    machine.broken(&violation::CHANGED, 1);
    assert_eq!(machine.traced("is declined: another interface"), 1);
    assert_eq!(locked(&caller.peers).len(), 0, "the module is not asked");
    drop(caller);
    raw.end();
    machine.end();
}
