//! A call that cannot go to a module that is gone: the library's guard, C's rundown protection, and no protection.
//!
//! # Safety
//!
//! The unsafe code of this file is what the author of an interface writes ([`stepper`]), calls of C functions without
//! obligations, and the statement that the booting thread is at PASSIVE_LEVEL.
#![expect(unsafe_code, reason = "declares an interface and calls C functions")]

use std::hint::black_box;
use std::sync::OnceLock;

use nmr_netdma::Guid;
use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Binding, Client, ClientRegistration, Decision, Dispatch, Identity, ModuleId, Offer,
    Provider, ProviderRegistration, Request,
};
use simkernel::{Config, Kernel};

use self::stepper::Stepper;
use crate::report::Report;
use crate::{instructions, time};

/// The interface that the calls go through.
pub(crate) mod stepper {
    use std::ffi::c_void;

    use nmr_netdma::Guid;
    use nmr_netdma::nmr::{Dispatch, Guard, Npi, Provider, ProviderDispatch, Table};

    pub(crate) enum Stepper {}

    #[derive(Clone, Copy)]
    #[repr(C)]
    pub(crate) struct Functions {
        step: Option<unsafe extern "system" fn(context: *mut c_void, value: u32) -> u32>,
    }

    // SAFETY: laid out as in C, and the function is optional.
    unsafe impl Table for Functions {}

    // SAFETY: the modules of this program are all there are.
    unsafe impl Npi for Stepper {
        const ID: Guid = Guid::parse("e1a5f0d2-3c0b-4a6b-8a55-0d2a6a1b7c01");
        type ClientCharacteristics = ();
        type ProviderCharacteristics = ();
        type ClientDispatch = ();
        type ProviderDispatch = Functions;
    }

    unsafe extern "system" {
        /// The C side's provider: the value and one. Looks at no context.
        fn provider_step(context: *mut c_void, value: u32) -> u32;
    }

    #[inline]
    pub(crate) fn call(provider: &Guard<Stepper>, value: u32) -> Option<u32> {
        let step = provider.dispatch().step?;
        // SAFETY: the provider is attached while the guard lives, and expects its own context.
        Some(unsafe { step(provider.context(), value) })
    }

    pub(crate) const fn functions<P: Provider<Npi = Stepper>>() -> ProviderDispatch<P> {
        // SAFETY: the function does not look at its context.
        unsafe {
            Dispatch::new(
                const {
                    &Functions {
                        step: Some(provider_step),
                    }
                },
            )
        }
    }
}

unsafe extern "C" {
    safe fn bench_c_empty(count: u64) -> u64;
    safe fn bench_c_guard_called(count: u64) -> u64;
    safe fn bench_c_guard_inline(count: u64) -> u64;
    safe fn bench_c_call_bare(count: u64) -> u64;
    safe fn bench_c_call_guarded(count: u64) -> u64;
}

/// A client that gives its first binding away.
#[derive(Default)]
pub(crate) struct User(OnceLock<Binding<Stepper>>);

impl Client for User {
    type Npi = Stepper;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        // Later ones are let go.
        let _ = self.0.set(offer.binding());
        match offer.accept((), Dispatch::none(), irql) {
            Ok(decision) => decision,
            Err(refused) => refused.decline(),
        }
    }
}

/// A provider that accepts everybody.
pub(crate) struct Steps;

impl Provider for Steps {
    type Npi = Stepper;
    type Context = ();

    fn attach(
        &self,
        _: Request<'_, Self>,
        _: &mut Irql<Passive>,
    ) -> nmr_netdma::Result<Accept<Self>> {
        Ok(Accept {
            context: (),
            dispatch: stepper::functions(),
        })
    }
}

const MODULE: ModuleId = ModuleId::Guid(Guid::parse("e1a5f0d2-3c0b-4a6b-8a55-0d2a6a1b7c02"));

/// Runs `body` with an attached binding.
fn attached<R>(body: impl FnOnce(&Binding<Stepper>) -> R) -> R {
    let kernel = Kernel::boot(Config::default());
    kernel.nmr().tracing(false);
    // SAFETY: the thread that boots a machine is at PASSIVE_LEVEL in it.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    let image = Image::new(&mut irql).expect("there is memory");
    let identity = || Identity::new(MODULE);
    let provider = ProviderRegistration::register(&image, Steps, identity(), &mut irql)
        .expect("the provider registers");
    let client = ClientRegistration::register(&image, User::default(), identity(), &mut irql)
        .expect("the client registers");
    let result = body(client.0.get().expect("they have met"));
    drop(client);
    drop(provider);
    image.wait_empty(&mut irql);
    result
}

/// A loop of so many rounds, which answers how many it has done.
type Loop = fn(&Binding<Stepper>, u64) -> u64;

#[inline(never)]
fn guard(binding: &Binding<Stepper>, count: u64) -> u64 {
    let mut done = 0;
    while done < count {
        let Some(guard) = binding.enter() else { break };
        drop(guard);
        done += 1;
    }
    done
}

#[inline(never)]
fn call(binding: &Binding<Stepper>, count: u64) -> u64 {
    let mut done = 0;
    while done < count {
        let value = done as u32;
        let answer = binding.call(|provider| stepper::call(provider, value));
        if answer != Some(Some(value.wrapping_add(1))) {
            break;
        }
        done += 1;
    }
    done
}

/// The loops by name.
const LOOPS: [(&str, Loop); 7] = [
    ("empty", |_, count| bench_c_empty(count)),
    ("guard", guard),
    ("guard-c-called", |_, count| bench_c_guard_called(count)),
    ("guard-c-inline", |_, count| bench_c_guard_inline(count)),
    ("call", call),
    ("call-c-bare", |_, count| bench_c_call_bare(count)),
    ("call-c-guarded", |_, count| bench_c_call_guarded(count)),
];

/// Does `count` rounds of the loop `name`; whether it did.
pub(crate) fn run_loop(name: &str, count: u64) -> bool {
    LOOPS
        .iter()
        .find(|(this, _)| *this == name)
        .is_some_and(|(_, body)| attached(|binding| body(binding, count) == count))
}

/// What one round of a loop costs, without the loop itself.
struct Costs([f64; LOOPS.len()]);

impl Costs {
    fn of(&self, name: &str) -> f64 {
        let index = LOOPS.iter().position(|(this, _)| *this == name);
        index.map_or(f64::NAN, |index| self.0[index] - self.0[0])
    }
}

fn nanoseconds() -> Costs {
    const ROUNDS: usize = 60;
    const COUNT: u64 = 50_000;

    attached(|binding| {
        let mut sides = LOOPS.map(|(name, body)| {
            move || {
                time::of(|| {
                    let done = body(black_box(binding), black_box(COUNT));
                    assert_eq!(done, COUNT, "{name}");
                })
            }
        });
        let taken = time::in_turns(ROUNDS, sides.each_mut().map(|side| side as time::Side<'_>));
        Costs(taken.map(|taken| taken.per(COUNT as usize).good))
    })
}

fn instructions() -> Result<Costs, String> {
    const COUNT: u64 = 1_000_000;

    let mut costs = [0.0; LOOPS.len()];
    for (cost, (name, _)) in costs.iter_mut().zip(LOOPS) {
        *cost = instructions::count(name, COUNT)? as f64 / COUNT as f64;
    }
    Ok(Costs(costs))
}

const GUARD: &str = "guard enter+leave";
const CALL: &str = "call through a binding";

/// What is compared.
struct Comparison {
    what: &'static str,
    this: &'static str,
    reference: &'static str,
    /// How the rows call the reference.
    name: &'static str,
    goal: Option<f64>,
}

const COMPARISONS: [Comparison; 4] = [
    Comparison {
        what: GUARD,
        this: "guard",
        reference: "guard-c-called",
        name: "C rundown protection",
        goal: Some(1.0),
    },
    Comparison {
        what: GUARD,
        this: "guard",
        reference: "guard-c-inline",
        name: "the same inlined in C",
        goal: Some(1.0),
    },
    Comparison {
        what: CALL,
        this: "call",
        reference: "call-c-guarded",
        name: "C rundown protection",
        goal: None,
    },
    Comparison {
        what: CALL,
        this: "call",
        reference: "call-c-bare",
        name: "bare indirect call in C",
        goal: None,
    },
];

pub(crate) fn measure(report: &mut Report) {
    let times = nanoseconds();
    for row in &COMPARISONS {
        let (this, reference) = (times.of(row.this), times.of(row.reference));
        let remark = format!("{this:.2} ns to {reference:.2} ns");
        let name = format!("{} / {}, time", row.what, row.name);
        report.add(name, this / reference, "ratio", row.goal, remark);
    }
    let counts = instructions();
    for row in &COMPARISONS {
        let name = format!("{} / {}, instructions", row.what, row.name);
        match &counts {
            Ok(counts) => {
                let (this, reference) = (counts.of(row.this), counts.of(row.reference));
                let remark = format!("{this:.1} to {reference:.1}");
                report.add(name, this / reference, "ratio", row.goal, remark);
            }
            Err(reason) => report.add_missing(name, "ratio", row.goal, reason),
        }
    }
}
