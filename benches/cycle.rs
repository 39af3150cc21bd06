//! Register, attach, detach, clean up, deregister: of so many clients and so many providers of one interface, through the C
//! functions and through the library.
//!
//! # Safety
//!
//! The unsafe code of this file is a minimal driver in the manner of C ([`raw`]), and the statement that a thread that has just
//! entered a machine is at PASSIVE_LEVEL.
#![expect(unsafe_code, reason = "plays a driver written in C")]

use nmr_netdma::Guid;
use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{ClientRegistration, Identity, ModuleId, ProviderRegistration};
use nmr_netdma::sys;
use simkernel::{Config, Kernel};

use crate::guard::{Steps, User};
use crate::report::Report;
use crate::time::{self, Taken};

/// Modules with the least that a callback can do.
mod raw {
    use std::ffi::c_void;
    use std::ptr;

    use nmr_netdma::sys;

    pub(super) enum Role {
        Client(sys::NPI_CLIENT_CHARACTERISTICS),
        Provider(sys::NPI_PROVIDER_CHARACTERISTICS),
    }

    /// A module, and its registration if it has one. Stays where it is while registered.
    pub(super) struct Module {
        interface: sys::GUID,
        id: sys::NPI_MODULEID,
        role: Role,
        handle: sys::HANDLE,
    }

    fn instance(number: u32) -> sys::NPI_REGISTRATION_INSTANCE {
        sys::NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: size_of::<sys::NPI_REGISTRATION_INSTANCE>() as u16,
            NpiId: ptr::null(),
            ModuleId: ptr::null(),
            Number: number,
            NpiSpecificCharacteristics: ptr::null(),
        }
    }

    impl Module {
        pub(super) fn client(interface: sys::GUID, number: u32) -> Box<Self> {
            Self::boxed(
                interface,
                Role::Client(sys::NPI_CLIENT_CHARACTERISTICS {
                    Version: 0,
                    Length: size_of::<sys::NPI_CLIENT_CHARACTERISTICS>() as u16,
                    ClientAttachProvider: Some(client_attach),
                    ClientDetachProvider: Some(detach),
                    ClientCleanupBindingContext: Some(cleanup),
                    ClientRegistrationInstance: instance(number),
                }),
            )
        }

        pub(super) fn provider(interface: sys::GUID, number: u32) -> Box<Self> {
            Self::boxed(
                interface,
                Role::Provider(sys::NPI_PROVIDER_CHARACTERISTICS {
                    Version: 0,
                    Length: size_of::<sys::NPI_PROVIDER_CHARACTERISTICS>() as u16,
                    ProviderAttachClient: Some(provider_attach),
                    ProviderDetachClient: Some(detach),
                    ProviderCleanupBindingContext: Some(cleanup),
                    ProviderRegistrationInstance: instance(number),
                }),
            )
        }

        fn boxed(interface: sys::GUID, role: Role) -> Box<Self> {
            let id = sys::NPI_MODULEID {
                Length: size_of::<sys::NPI_MODULEID>() as u16,
                Type: sys::MIT_GUID,
                u: sys::NPI_MODULEID_u { Guid: interface },
            };
            let mut module = Box::new(Self {
                interface,
                id,
                role,
                handle: ptr::null_mut(),
            });
            let (interface, id) = (&raw const module.interface, &raw const module.id);
            let instance = match &mut module.role {
                Role::Client(client) => &mut client.ClientRegistrationInstance,
                Role::Provider(provider) => &mut provider.ProviderRegistrationInstance,
            };
            instance.NpiId = interface;
            instance.ModuleId = id;
            module
        }

        pub(super) fn register(&mut self) {
            let context = ptr::from_mut(self).cast::<c_void>();
            let handle = &raw mut self.handle;
            let status = match &self.role {
                // SAFETY: the module is boxed and deregistered before it is dropped; the callbacks take any context.
                Role::Client(client) => unsafe { sys::NmrRegisterClient(client, context, handle) },
                // SAFETY: as above.
                Role::Provider(provider) => unsafe {
                    sys::NmrRegisterProvider(provider, context, handle)
                },
            };
            assert_eq!(status, sys::STATUS_SUCCESS);
        }

        pub(super) fn deregister(&mut self) {
            let handle = self.handle;
            let (begun, ended) = match &self.role {
                Role::Client(_) => {
                    // SAFETY: registered, and ended only here.
                    let begun = unsafe { sys::NmrDeregisterClient(handle) };
                    // SAFETY: its deregistration has begun.
                    (begun, unsafe {
                        sys::NmrWaitForClientDeregisterComplete(handle)
                    })
                }
                Role::Provider(_) => {
                    // SAFETY: registered, and ended only here.
                    let begun = unsafe { sys::NmrDeregisterProvider(handle) };
                    // SAFETY: its deregistration has begun.
                    (begun, unsafe {
                        sys::NmrWaitForProviderDeregisterComplete(handle)
                    })
                }
            };
            assert_eq!((begun, ended), (sys::STATUS_PENDING, sys::STATUS_SUCCESS));
        }
    }

    unsafe extern "system" fn client_attach(
        binding: sys::HANDLE,
        context: sys::PVOID,
        _provider: sys::PNPI_REGISTRATION_INSTANCE,
    ) -> sys::NTSTATUS {
        let mut provider_context = ptr::null_mut();
        let mut provider_dispatch = ptr::null();
        // SAFETY: inside the attach callback of this binding; the provider's callbacks take any context.
        unsafe {
            sys::NmrClientAttachProvider(
                binding,
                context,
                ptr::null(),
                &raw mut provider_context,
                &raw mut provider_dispatch,
            )
        }
    }

    unsafe extern "system" fn provider_attach(
        _binding: sys::HANDLE,
        context: sys::PVOID,
        _client: sys::PNPI_REGISTRATION_INSTANCE,
        _client_context: sys::PVOID,
        _client_dispatch: *const c_void,
        binding_context: *mut sys::PVOID,
        dispatch: *mut *const c_void,
    ) -> sys::NTSTATUS {
        // SAFETY: the registrar passes a place for the context.
        unsafe { binding_context.write(context) };
        // SAFETY: and for the table.
        unsafe { dispatch.write(ptr::null()) };
        sys::STATUS_SUCCESS
    }

    unsafe extern "system" fn detach(_context: sys::PVOID) -> sys::NTSTATUS {
        sys::STATUS_SUCCESS
    }

    unsafe extern "system" fn cleanup(_context: sys::PVOID) {}
}

use self::raw::Module;

/// The interface with this number.
fn interface(number: u32) -> sys::GUID {
    sys::GUID {
        Data1: number,
        ..sys::GUID::default()
    }
}

/// The life of clients and providers that are made once.
#[expect(
    clippy::vec_box,
    reason = "the registrar keeps pointers into a module, so it must not move"
)]
struct Raw {
    providers: Vec<Box<Module>>,
    clients: Vec<Box<Module>>,
}

impl Raw {
    fn new(providers: u32, clients: u32) -> Self {
        Self {
            providers: (0..providers)
                .map(|number| Module::provider(interface(0), number))
                .collect(),
            clients: (0..clients)
                .map(|number| Module::client(interface(0), number))
                .collect(),
        }
    }

    fn cycle(&mut self) {
        self.providers
            .iter_mut()
            .for_each(|module| module.register());
        self.clients.iter_mut().for_each(|module| module.register());
        self.clients
            .iter_mut()
            .for_each(|module| module.deregister());
        self.providers
            .iter_mut()
            .for_each(|module| module.deregister());
    }
}

/// The same through the library.
struct Library {
    image: Image,
    irql: Irql<Passive>,
    providers: Vec<ProviderRegistration<Steps>>,
    clients: Vec<ClientRegistration<User>>,
    counts: [u32; 2],
}

const MODULE: ModuleId = ModuleId::Guid(Guid::parse("e1a5f0d2-3c0b-4a6b-8a55-0d2a6a1b7c03"));

impl Library {
    fn new(providers: u32, clients: u32) -> Self {
        // SAFETY: this thread booted the machine and has not raised its level, and stays at it.
        let mut irql = unsafe { Irql::<Passive>::assume() };
        Self {
            image: Image::new(&mut irql).expect("there is memory"),
            irql,
            providers: Vec::new(),
            clients: Vec::new(),
            counts: [providers, clients],
        }
    }

    fn cycle(&mut self) {
        let Self {
            image,
            irql,
            providers,
            clients,
            counts,
        } = self;
        for number in 0..counts[0] {
            let identity = Identity::new(MODULE).with_number(number);
            let provider = ProviderRegistration::register(image, Steps, identity, irql);
            providers.push(provider.expect("the provider registers"));
        }
        for number in 0..counts[1] {
            let identity = Identity::new(MODULE).with_number(number);
            let client = ClientRegistration::register(image, User::default(), identity, irql);
            clients.push(client.expect("the client registers"));
        }
        for client in clients.drain(..) {
            client.deregister(irql).expect("documented answers");
        }
        for provider in providers.drain(..) {
            provider.deregister(irql).expect("documented answers");
        }
    }
}

/// A machine without a trace, and with a thread of its own level.
fn boot() -> Kernel {
    let kernel = Kernel::boot(Config::default());
    kernel.nmr().tracing(false);
    kernel
}

/// Raw and through the library, for each binding.
fn shape(providers: u32, clients: u32, cycles: usize, rounds: usize) -> [Taken; 2] {
    let _kernel = boot();
    let mut raw = Raw::new(providers, clients);
    let mut library = Library::new(providers, clients);
    let bindings = providers as usize * clients as usize;
    let mut raw = || time::of(|| (0..cycles).for_each(|_| raw.cycle()));
    let mut library = || time::of(|| (0..cycles).for_each(|_| library.cycle()));
    time::in_turns(rounds, [&mut raw, &mut library]).map(|taken| taken.per(cycles * bindings))
}

/// Without and with so many registrations of other interfaces, raw.
fn unrelated(count: u32) -> [Taken; 2] {
    const CYCLES: usize = 5000;

    let alone = boot();
    let crowded = boot();
    let mut others: Vec<Box<Module>> = (0..count)
        .map(|number| {
            let interface = interface(number + 1);
            match number % 2 {
                0 => Module::client(interface, number),
                _ => Module::provider(interface, number),
            }
        })
        .collect();
    crowded.run_on(0, || others.iter_mut().for_each(|module| module.register()));
    let (mut first, mut second) = (Raw::new(1, 1), Raw::new(1, 1));
    let mut without = || alone.run_on(0, || time::of(|| (0..CYCLES).for_each(|_| first.cycle())));
    let mut with = || crowded.run_on(0, || time::of(|| (0..CYCLES).for_each(|_| second.cycle())));
    let taken = time::in_turns(40, [&mut without, &mut with]);
    crowded.run_on(0, || {
        others.iter_mut().for_each(|module| module.deregister())
    });
    drop(crowded);
    drop(alone);
    taken.map(|taken| taken.per(CYCLES))
}

/// Providers, clients, cycles a round, rounds.
const SHAPES: [(u32, u32, usize, usize); 6] = [
    (1, 1, 5000, 40),
    (10, 10, 20, 40),
    (100, 100, 4, 12),
    (1000, 1, 2, 20),
    (1, 1000, 2, 20),
    (1000, 1000, 1, 5),
];

pub(crate) fn measure(report: &mut Report) {
    const UNIT: &str = "ns per binding";
    const SIDES: [&str; 2] = ["C functions", "library"];

    let mut costs = [[0.0; SHAPES.len()]; 2];
    for (index, (providers, clients, cycles, rounds)) in SHAPES.into_iter().enumerate() {
        let taken = shape(providers, clients, cycles, rounds);
        for side in 0..2 {
            let Taken { good, median } = taken[side];
            costs[side][index] = good;
            // usersim, which counts references atomically, publishes about 500 for the first.
            let goal = (index == 0 && side == 0).then_some(350.0);
            let name = format!("cycle {providers}x{clients}, {}", SIDES[side]);
            report.add(name, good, UNIT, goal, format!("median {median:.0}"));
        }
    }
    for (side, costs) in costs.into_iter().enumerate() {
        let [_, ten, larger @ ..] = costs;
        let worst = larger.into_iter().fold(ten, f64::max);
        let name = format!(
            "cycle, dearest from 10x10 to 1000x1000 / 10x10, {}",
            SIDES[side]
        );
        // The library's binding has four blocks of pool, each of which the simulated pool fills, keeps and checks.
        let goal = (side == 0).then_some(2.0);
        report.add(name, worst / ten, "ratio", goal, "");
    }
    let [without, with] = unrelated(10_000);
    report.add(
        "cycle 1x1, with 10000 unrelated registrations / without",
        with.good / without.good,
        "ratio",
        Some(1.1),
        format!("{:.0} ns to {:.0} ns", with.good, without.good),
    );
}
