//! The client, and providers of another version of the interface: one shows it, one gives it with its functions.
//!
//! # Safety
//!
//! The unsafe code of this file declares the other version, and says that the test's own thread is at PASSIVE_LEVEL.
#![expect(unsafe_code, reason = "declares another version of the interface")]

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};

use copy_offload::CopyOffload;
use copy_offload::raw::{self, ProviderCharacteristics, ProviderFunctions, VERSION};
use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Accept, Dispatch, Identity, ModuleId, Npi, Provider, ProviderRegistration, Request, Table,
};
use nmr_netdma::{Guid, Result};
use simkernel::{Config, Kernel};

const MODULE: ModuleId = ModuleId::Guid(Guid::parse("0b7dcd62-90f5-4d0c-8f5b-0e6e8b7d6a11"));
const LATER: u16 = VERSION + 1;

/// The interface as a later driver has it: what was a number of bytes is one of pages, and submitting takes something else.
enum Later {}

#[derive(Clone, Copy)]
#[repr(C)]
struct Shown {
    version: u16,
    size: u16,
    workers: u32,
    pages: u64,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Functions {
    version: u16,
    size: u16,
    submit: Option<unsafe extern "system" fn(*mut c_void, u64) -> i32>,
}

// SAFETY: C layout of integers.
unsafe impl Table for Shown {}
// SAFETY: C layout of integers and a function or null.
unsafe impl Table for Functions {}

// SAFETY: another version of the interface, and its structures say so.
unsafe impl Npi for Later {
    const ID: Guid = CopyOffload::ID;
    type ClientCharacteristics = ();
    type ProviderCharacteristics = Shown;
    type ClientDispatch = raw::ClientFunctions;
    type ProviderDispatch = Functions;
}

/// The interface with the characteristics that it has, and the later functions.
enum Mixed {}

// SAFETY: as above.
unsafe impl Npi for Mixed {
    const ID: Guid = CopyOffload::ID;
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ProviderCharacteristics;
    type ClientDispatch = raw::ClientFunctions;
    type ProviderDispatch = Functions;
}

static SUBMITTED: AtomicU32 = AtomicU32::new(0);

unsafe extern "system" fn submit(_: *mut c_void, _: u64) -> i32 {
    SUBMITTED.fetch_add(1, Ordering::SeqCst);
    0
}

static FUNCTIONS: Functions = Functions {
    version: LATER,
    size: raw::size::<ProviderFunctions>(),
    submit: Some(submit),
};

/// Accepts everybody, and counts them.
struct Engine<N: Npi>(AtomicU32, std::marker::PhantomData<fn() -> N>);

impl<N: Npi<ProviderDispatch = Functions>> Provider for Engine<N> {
    type Npi = N;
    type Context = ();

    fn attach(&self, _: Request<'_, Self>, _: &mut Irql<Passive>) -> Result<Accept<Self>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the function does not look at its context.
        let dispatch = unsafe { Dispatch::new(&FUNCTIONS) };
        Ok(Accept {
            context: (),
            dispatch,
        })
    }
}

/// Loads the client beside such a provider: how often that was asked, and how often the trace says `text`.
fn load<N: Npi<ProviderDispatch = Functions>>(
    shown: N::ProviderCharacteristics,
    text: &str,
) -> (u32, usize) {
    let kernel = Kernel::boot(Config::default());
    // SAFETY: this thread has just booted the machine.
    let mut irql = unsafe { Irql::<Passive>::assume() };
    let image = Image::new(&mut irql).expect("there is memory");
    let identity = Identity::new(MODULE).with_characteristics(shown);
    let engine = Engine::<N>(AtomicU32::new(0), std::marker::PhantomData);
    let provider = ProviderRegistration::register(&image, engine, identity, &mut irql)
        .expect("the provider registers");
    let client = kernel
        .load_driver("nmr-client", nmr_client::driver_entry)
        .expect("the client loads");
    kernel.unload_driver(client).expect("the client unloads");
    let asked = provider.0.load(Ordering::SeqCst);
    drop(provider);
    image.wait_empty(&mut irql);
    drop(image);
    let events = kernel.events();
    let said = events.iter().filter(|event| event.what.contains(text));
    let said = said.count();
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
    (asked, said)
}

#[test]
fn a_provider_that_shows_another_version_is_declined() {
    let shown = Shown {
        version: LATER,
        size: raw::size::<Shown>(),
        workers: 1,
        pages: 1,
    };
    let declined = "is declined: its characteristics are of another version";
    assert_eq!(load::<Later>(shown, declined), (0, 1));
}

#[test]
fn functions_of_another_version_are_not_called() {
    let shown = ProviderCharacteristics {
        version: VERSION,
        size: raw::size::<ProviderCharacteristics>(),
        maximum_length: 4096,
        workers: 1,
    };
    let shut = "is attached and cannot be called: its dispatch table is of another version";
    assert_eq!(load::<Mixed>(shown, shut), (1, 1));
    assert_eq!(SUBMITTED.load(Ordering::SeqCst), 0);
}
