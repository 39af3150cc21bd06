//! Copies for other drivers: they are done later and elsewhere, what cannot be done is refused by the documented status, and
//! nothing is lost when one of the two goes.
//!
//! # Safety
//!
//! The unsafe code of this file says at which level the test's own thread is, and calls the provider's functions as a careless C
//! client would, within what they promise to check.
#![expect(unsafe_code, reason = "calls the provider as C would")]

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use copy_offload::raw::{self, ClientFunctions, ProviderFunctions, VERSION};
use copy_offload::{
    Buffer, CANCELLED, CopyOffload, Finished, OffloadClient, Operation, Statistics, TOO_LONG,
    client_functions, query_statistics, submit,
};
use netdma_kmdf::{MAXIMUM_COPY_LENGTH, driver_entry};
use nmr_netdma::irql::{self, AtMostDispatch, Passive};
use nmr_netdma::lifetime::Image;
use nmr_netdma::nmr::{
    Binding, Client, ClientDispatch, ClientRegistration, Decision, Dispatch, Identity, ModuleId,
    Offer,
};
use nmr_netdma::{Error, Guid, Irql, Status};
use simkernel::pnp::DriverId;
use simkernel::{Config, Kernel, Os};

const MODULE: ModuleId = ModuleId::Guid(Guid::parse("11b0c6a2-0f7e-4d0a-9d6c-5a3f8e2b7c41"));
const PATIENCE: Duration = Duration::from_secs(30);
const PROCESSORS: u32 = 4;

fn boot(os: Os) -> (Kernel, DriverId) {
    let kernel = Kernel::boot(Config {
        os,
        processors: PROCESSORS,
        ..Config::default()
    });
    let driver = kernel
        .load_driver("netdma-kmdf", driver_entry)
        .expect("the driver loads");
    (kernel, driver)
}

fn end(kernel: Kernel) {
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

fn passive() -> Irql<Passive> {
    // SAFETY: a test's own thread is at PASSIVE_LEVEL and stays there.
    unsafe { Irql::assume() }
}

/// A copy that came back.
struct Back {
    finished: Finished,
    level: u8,
    thread: ThreadId,
}

/// A client that keeps what comes back.
struct Tester {
    functions: fn() -> ClientDispatch<Self>,
    provider: Mutex<Option<Binding<CopyOffload>>>,
    shown: Mutex<Option<raw::ProviderCharacteristics>>,
    back: Mutex<Vec<Back>>,
    detached: AtomicU32,
}

impl Client for Tester {
    type Npi = CopyOffload;
    type Context = ();

    fn attach<'a>(&self, offer: Offer<'a, Self>, irql: &mut Irql<Passive>) -> Decision<'a> {
        *self.shown.lock().unwrap() = offer.peer().characteristics().copied();
        let provider = offer.binding();
        match offer.accept((), (self.functions)(), irql) {
            Ok(decision) => {
                *self.provider.lock().unwrap() = Some(provider);
                decision
            }
            Err(refused) => refused.decline(),
        }
    }

    fn detach(&self, _: &(), _: &mut Irql<AtMostDispatch>) {
        self.detached.fetch_add(1, Ordering::Relaxed);
    }
}

impl OffloadClient for Tester {
    fn completed(&self, _: &(), finished: Finished, _: &mut Irql<AtMostDispatch>) {
        self.back.lock().unwrap().push(Back {
            finished,
            level: irql::current(),
            thread: std::thread::current().id(),
        });
    }
}

impl Tester {
    fn register(image: &Image) -> ClientRegistration<Self> {
        Self::register_with(image, client_functions)
    }

    fn register_with(
        image: &Image,
        functions: fn() -> ClientDispatch<Self>,
    ) -> ClientRegistration<Self> {
        let tester = Self {
            functions,
            provider: Mutex::new(None),
            shown: Mutex::new(None),
            back: Mutex::new(Vec::new()),
            detached: AtomicU32::new(0),
        };
        ClientRegistration::register(image, tester, Identity::new(MODULE), &mut passive())
            .expect("the client is registered")
    }

    fn provider(&self) -> Binding<CopyOffload> {
        self.provider.lock().unwrap().clone().expect("attached")
    }

    fn statistics(&self) -> Statistics {
        query_statistics(&self.provider(), &mut passive()).expect("statistics")
    }

    fn submit(&self, tag: u64, length: u32) -> Result<(), Error> {
        let operation = operation(tag, length);
        submit(&self.provider(), operation, &mut passive()).map_err(Error::from)
    }

    fn wait(&self, copies: usize) {
        let started = Instant::now();
        while self.back.lock().unwrap().len() < copies {
            assert!(started.elapsed() < PATIENCE, "the copies do not come back");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn byte(tag: u64, index: usize) -> u8 {
    (tag as usize * 131 + index * 7 + (index >> 8)) as u8
}

fn operation(tag: u64, length: u32) -> Operation {
    let room = length as usize + 16;
    let mut source = Buffer::zeroed(room).expect("memory");
    for (index, place) in source.iter_mut().enumerate() {
        *place = byte(tag, index);
    }
    Operation {
        source,
        destination: Buffer::zeroed(room).expect("memory"),
        length,
        tag,
    }
}

fn is_right(finished: &Finished) -> bool {
    let Finished { operation, result } = finished;
    let length = operation.length as usize;
    let (copied, rest) = operation.destination.split_at(length);
    *result == Ok(length)
        && copied
            .iter()
            .enumerate()
            .all(|(index, place)| *place == byte(operation.tag, index))
        && rest.iter().all(|place| *place == 0)
}

/// Runs `body` while no processor runs any DPC, and until then `release` is set.
fn with_processors_held(kernel: &Kernel, body: impl FnOnce(&dyn Fn())) {
    static NEVER: &str = "the processors are released";
    let released = std::sync::Arc::new(AtomicBool::new(false));
    let (held, all_held) = mpsc::channel();
    std::thread::scope(|scope| {
        for processor in 0..PROCESSORS {
            let (held, released) = (held.clone(), released.clone());
            scope.spawn(move || {
                let _entered = kernel.enter(processor);
                kernel.run_dpc_on(processor, move || {
                    held.send(()).expect(NEVER);
                    while !released.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                });
            });
        }
        for _ in 0..PROCESSORS {
            all_held.recv_timeout(PATIENCE).expect("a processor");
        }
        let release = || released.store(true, Ordering::Release);
        body(&release);
        release();
    });
}

#[test]
fn copies_complete_later_elsewhere_and_right_on_every_windows() {
    const COPIES: u64 = 60;

    for os in [Os::VistaSp1, Os::Win7, Os::Win10] {
        let (kernel, driver) = boot(os);
        let image = Image::new(&mut passive()).unwrap();
        let tester = Tester::register(&image);
        let shown = tester.shown.lock().unwrap().expect("shown");
        assert_eq!(
            (shown.maximum_length, shown.workers),
            (MAXIMUM_COPY_LENGTH, PROCESSORS)
        );
        let mut bytes = 0;
        for tag in 0..COPIES {
            let length = match tag {
                0 => 1,
                1 => MAXIMUM_COPY_LENGTH,
                _ => 1 + (tag as u32 * 4973) % 20_000,
            };
            tester.submit(tag, length).expect("accepted");
            bytes += u64::from(length);
        }
        tester.wait(COPIES as usize);
        let here = std::thread::current().id();
        for back in tester.back.lock().unwrap().iter() {
            assert!(
                is_right(&back.finished),
                "copy {}",
                back.finished.operation.tag
            );
            assert_eq!(back.level, 2, "at DISPATCH_LEVEL");
            assert_ne!(back.thread, here, "not in the submitter's call");
        }
        let expected = Statistics {
            submitted: COPIES,
            completed: COPIES,
            cancelled: 0,
            refused: 0,
            bytes,
        };
        assert_eq!(tester.statistics(), expected);
        let tester = tester.deregister(&mut passive()).expect("deregistered");
        assert_eq!(tester.detached.load(Ordering::Relaxed), 1);
        drop(tester);
        image.wait_empty(&mut passive());
        drop(image);
        kernel.unload_driver(driver).expect("it is unloaded");
        end(kernel);
    }
}

/// What a careless C client may pass, and what it is told.
#[test]
fn hostile_requests_are_refused_by_the_documented_status() {
    let (kernel, driver) = boot(Os::Win10);
    let image = Image::new(&mut passive()).unwrap();
    let tester = Tester::register(&image);
    let mut memory = vec![0_u8; 2 * MAXIMUM_COPY_LENGTH as usize];
    let start: *mut u8 = memory.as_mut_ptr();
    let at = |offset: usize| start.wrapping_add(offset).cast::<c_void>();
    let good = raw::Request {
        version: VERSION,
        size: raw::size::<raw::Request>(),
        length: 64,
        source: at(0).cast_const(),
        destination: at(4096),
        token: ptr::null_mut(),
    };
    let last: *mut c_void = ptr::without_provenance_mut(usize::MAX - 10);
    let invalid = Error::INVALID_PARAMETER;
    let cases = [
        (
            "version 0",
            raw::Request { version: 0, ..good },
            Error::REVISION_MISMATCH,
        ),
        (
            "version 2",
            raw::Request { version: 2, ..good },
            Error::REVISION_MISMATCH,
        ),
        (
            "size 0",
            raw::Request { size: 0, ..good },
            Error::INFO_LENGTH_MISMATCH,
        ),
        (
            "a byte short",
            raw::Request {
                size: good.size - 1,
                ..good
            },
            Error::INFO_LENGTH_MISMATCH,
        ),
        ("no bytes", raw::Request { length: 0, ..good }, invalid),
        (
            "too long",
            raw::Request {
                length: MAXIMUM_COPY_LENGTH + 1,
                ..good
            },
            TOO_LONG,
        ),
        (
            "all bytes there are",
            raw::Request {
                length: u32::MAX,
                ..good
            },
            TOO_LONG,
        ),
        (
            "no source",
            raw::Request {
                source: ptr::null(),
                ..good
            },
            invalid,
        ),
        (
            "no destination",
            raw::Request {
                destination: ptr::null_mut(),
                ..good
            },
            invalid,
        ),
        (
            "the same range",
            raw::Request {
                destination: at(0),
                ..good
            },
            invalid,
        ),
        (
            "overlap from above",
            raw::Request {
                destination: at(63),
                ..good
            },
            invalid,
        ),
        (
            "overlap from below",
            raw::Request {
                source: at(4096 + 63).cast_const(),
                ..good
            },
            invalid,
        ),
        (
            "source wraps",
            raw::Request {
                source: last.cast_const(),
                ..good
            },
            invalid,
        ),
        (
            "destination wraps",
            raw::Request {
                destination: last,
                ..good
            },
            invalid,
        ),
    ];
    let provider = tester.provider();
    let send = |request: *const raw::Request| {
        let call = provider.enter().expect("attached");
        let submit = call.dispatch().submit.expect("a function");
        // SAFETY: the provider is attached while the call lives; the request is null, or lives during the call and has at
        // least the bytes it says.
        Status(unsafe { submit(call.context(), request) })
    };
    assert_eq!(send(ptr::null()), invalid.status(), "no request");
    for (what, request, error) in &cases {
        assert_eq!(send(request), error.status(), "{what}");
    }
    let refused = cases.len() as u64 + 1;
    let expected = Statistics {
        refused,
        ..Statistics::default()
    };
    assert_eq!(tester.statistics(), expected);
    assert!(memory.iter().all(|byte| *byte == 0), "nothing was written");
    tester.submit(7, 64).expect("it goes on");
    tester.wait(1);
    assert!(is_right(&tester.back.lock().unwrap()[0].finished));

    let query = |statistics: *mut raw::Statistics| {
        let call = provider.enter().expect("attached");
        let query = call.dispatch().query_statistics.expect("a function");
        // SAFETY: as above; nobody else uses the structure.
        Status(unsafe { query(call.context(), statistics) })
    };
    assert_eq!(query(ptr::null_mut()), invalid.status());
    let whole = raw::size::<raw::Statistics>();
    for (version, size, status) in [
        (0, whole, Error::REVISION_MISMATCH.status()),
        (VERSION, 4, Error::BUFFER_TOO_SMALL.status()),
        (VERSION, whole - 1, Error::BUFFER_TOO_SMALL.status()),
        (VERSION, whole, Status::SUCCESS),
    ] {
        let mut statistics = raw::Statistics {
            version,
            size,
            ..raw::Statistics::default()
        };
        assert_eq!(query(&raw mut statistics), status, "{version}, {size}");
        let written = statistics.refused == refused;
        assert_eq!(written, status == Status::SUCCESS, "{version}, {size}");
    }
    drop((provider, tester, image));
    kernel.unload_driver(driver).expect("it is unloaded");
    end(kernel);
}

#[test]
fn a_request_need_not_be_aligned_and_may_be_longer() {
    let (kernel, driver) = boot(Os::Win7);
    let image = Image::new(&mut passive()).unwrap();
    let tester = Tester::register(&image);
    let operation = operation(1, 64);
    let mut later = vec![0_u8; size_of::<raw::Request>() + 65];
    let unaligned: *mut raw::Request = later[1..].as_mut_ptr().cast();
    let request = raw::Request {
        version: VERSION,
        size: raw::size::<raw::Request>() + 64,
        // Refused after all of it was read, since this test keeps the buffers.
        length: MAXIMUM_COPY_LENGTH + 1,
        source: operation.source.as_ptr().cast(),
        destination: operation.destination.as_ptr().cast_mut().cast(),
        token: ptr::null_mut(),
    };
    // SAFETY: there is room for it and the 64 bytes that it says are behind it.
    unsafe { unaligned.write_unaligned(request) };
    let provider = tester.provider();
    let status = provider.call(|call| {
        let submit = call.dispatch().submit.expect("a function");
        // SAFETY: the provider is attached, and the request has the bytes it says.
        Status(unsafe { submit(call.context(), unaligned) })
    });
    assert_eq!(status, Some(TOO_LONG.status()));
    drop((operation, provider, tester, image));
    kernel.unload_driver(driver).expect("it is unloaded");
    end(kernel);
}

#[test]
fn a_copy_that_is_longer_than_its_buffers_never_reaches_the_provider() {
    let (kernel, driver) = boot(Os::Win7);
    let image = Image::new(&mut passive()).unwrap();
    let tester = Tester::register(&image);
    for (source, destination) in [(64, 63), (63, 64), (0, 0)] {
        let operation = Operation {
            source: Buffer::zeroed(source).unwrap(),
            destination: Buffer::zeroed(destination).unwrap(),
            length: 64,
            tag: 5,
        };
        let failed = submit(&tester.provider(), operation, &mut passive()).unwrap_err();
        assert_eq!(failed.error, Error::INVALID_PARAMETER);
        assert_eq!(failed.value.tag, 5, "it comes back");
    }
    assert_eq!(tester.statistics(), Statistics::default());
    drop((tester, image));
    kernel.unload_driver(driver).expect("it is unloaded");
    end(kernel);
}

#[test]
fn a_full_queue_refuses_and_takes_more_later() {
    let (kernel, driver) = boot(Os::Win7);
    let image = Image::new(&mut passive()).unwrap();
    let tester = Tester::register(&image);
    let mut accepted = 0;
    with_processors_held(&kernel, |_| {
        loop {
            match tester.submit(accepted, 256) {
                Ok(()) => accepted += 1,
                Err(error) => {
                    assert_eq!(error, Error::DEVICE_BUSY);
                    break;
                }
            }
            assert!(accepted < 10_000, "the queues never fill");
        }
        assert_eq!(tester.back.lock().unwrap().len(), 0);
    });
    tester.wait(accepted as usize);
    tester.submit(accepted, 256).expect("there is room again");
    tester.wait(accepted as usize + 1);
    let back = tester.back.lock().unwrap();
    assert!(back.iter().all(|back| is_right(&back.finished)));
    let mut tags: Vec<_> = back
        .iter()
        .map(|back| back.finished.operation.tag)
        .collect();
    tags.sort_unstable();
    assert!(tags.into_iter().eq(0..=accepted), "each came back once");
    drop(back);
    let statistics = tester.statistics();
    assert_eq!(
        (statistics.completed, statistics.refused),
        (accepted + 1, 1)
    );
    drop((tester, image));
    kernel.unload_driver(driver).expect("it is unloaded");
    end(kernel);
}

#[test]
fn a_client_that_goes_gets_back_what_is_in_flight_first() {
    const COPIES: usize = 20;

    let (kernel, driver) = boot(Os::Win10);
    let image = Image::new(&mut passive()).unwrap();
    let tester = Tester::register(&image);
    let mut ending = None;
    with_processors_held(&kernel, |_| {
        for tag in 0..COPIES {
            tester.submit(tag as u64, 4096).expect("accepted");
        }
        let provider = tester.provider();
        ending = Some(tester.begin_deregister(&mut passive()).expect("it begins"));
        assert_eq!(kernel.nmr().bindings(), 1, "the copies hold the binding");
        let failed = submit(&provider, operation(99, 64), &mut passive()).unwrap_err();
        assert_eq!(failed.error, Error::DEVICE_NOT_READY);
        assert_eq!(
            query_statistics(&provider, &mut passive()),
            Err(Error::DEVICE_NOT_READY)
        );
    });
    let tester = ending.expect("begun").wait(&mut passive()).expect("gone");
    let back = tester.back.lock().unwrap();
    assert_eq!(back.len(), COPIES);
    assert!(
        back.iter()
            .all(|back| back.finished.result == Err(CANCELLED))
    );
    assert_eq!(kernel.nmr().bindings(), 0);
    drop(back);
    drop((tester, image));
    kernel.unload_driver(driver).expect("it is unloaded");
    assert!(
        kernel.events().iter().any(|event| event
            .what
            .contains("20 submitted, 0 completed, 20 cancelled, 0 refused, 0 bytes")),
        "the driver counts them"
    );
    end(kernel);
}

#[test]
fn a_driver_that_is_unloaded_gives_back_what_is_in_flight_first() {
    const COPIES: usize = 20;

    let (kernel, driver) = boot(Os::Win7);
    let image = Image::new(&mut passive()).unwrap();
    let tester = Tester::register(&image);
    let kernel_ref = &kernel;
    std::thread::scope(|scope| {
        with_processors_held(kernel_ref, |release| {
            for tag in 0..COPIES {
                tester.submit(tag as u64, 4096).expect("accepted");
            }
            let unloading = scope.spawn(move || {
                let _entered = kernel_ref.enter(0);
                kernel_ref.unload_driver(driver).expect("it is unloaded");
            });
            let started = Instant::now();
            while tester.detached.load(Ordering::Relaxed) == 0 {
                assert!(started.elapsed() < PATIENCE, "unloading does not detach");
                std::thread::yield_now();
            }
            assert!(!unloading.is_finished(), "the copies hold the driver");
            assert_eq!(tester.back.lock().unwrap().len(), 0);
            release();
            unloading.join().expect("unloaded");
        });
    });
    let back = tester.back.lock().unwrap();
    assert_eq!(back.len(), COPIES);
    assert!(
        back.iter()
            .all(|back| back.finished.result == Err(CANCELLED))
    );
    drop(back);
    drop((tester, image));
    end(kernel);
}

/// A table of the right size, without the function.
static WITHOUT_COMPLETION: ClientFunctions = ClientFunctions {
    version: VERSION,
    size: raw::size::<ClientFunctions>(),
    complete: None,
};

/// A table that ends before the function.
static SHORT: ClientFunctions = ClientFunctions {
    version: VERSION,
    size: offset_of!(ClientFunctions, complete) as u16,
    complete: None,
};

/// A table of a version that the interface does not have.
static OF_ANOTHER_VERSION: ClientFunctions = ClientFunctions {
    version: VERSION + 1,
    ..WITHOUT_COMPLETION
};

#[test]
fn a_client_that_cannot_be_told_of_completion_is_refused() {
    let (kernel, driver) = boot(Os::Win7);
    let image = Image::new(&mut passive()).unwrap();
    // SAFETY: there is no function in the table.
    let tester = Tester::register_with(&image, || unsafe { Dispatch::new(&WITHOUT_COMPLETION) });
    assert_eq!(tester.submit(1, 64), Err(Error::NOT_SUPPORTED));
    drop(tester);
    // SAFETY: there is no function in the table.
    let tester = Tester::register_with(&image, || unsafe { Dispatch::new(&SHORT) });
    assert!(tester.provider.lock().unwrap().is_none(), "not attached");
    drop((tester, image));
    kernel.unload_driver(driver).expect("it is unloaded");
    end(kernel);
}

#[test]
fn a_client_of_another_version_is_declined() {
    let (kernel, driver) = boot(Os::Win7);
    let image = Image::new(&mut passive()).unwrap();
    // SAFETY: there is no function in the table.
    let tester = Tester::register_with(&image, || unsafe { Dispatch::new(&OF_ANOTHER_VERSION) });
    assert!(tester.provider.lock().unwrap().is_none(), "not attached");
    drop((tester, image));
    let declined = "is declined: its dispatch table is of another version";
    let mut events = kernel.events().into_iter();
    assert!(events.any(|event| event.what.contains(declined)));
    kernel.unload_driver(driver).expect("it is unloaded");
    end(kernel);
}

#[test]
fn the_structures_are_laid_out_as_in_c() {
    assert_eq!(
        (size_of::<ProviderFunctions>(), size_of::<ClientFunctions>()),
        (24, 16)
    );
    assert_eq!(
        (size_of::<raw::Request>(), offset_of!(raw::Request, token)),
        (32, 24)
    );
    assert_eq!(
        (
            size_of::<raw::Statistics>(),
            size_of::<raw::ProviderCharacteristics>()
        ),
        (48, 12)
    );
}

#[test]
fn a_refused_allocation_at_load_leaves_nothing_behind() {
    let mut refusals = 0;
    for n in 1.. {
        let kernel = Kernel::boot(Config::default());
        kernel.fail_allocation(Some(n));
        let loaded = kernel.load_driver("netdma-kmdf", driver_entry);
        let refused = kernel.failed_allocations() > 0;
        kernel.fail_allocation(None);
        assert_eq!(loaded.is_err(), refused, "allocation {n}: {loaded:?}");
        if let Ok(driver) = loaded {
            kernel.unload_driver(driver).expect("it is unloaded");
        }
        end(kernel);
        if !refused {
            break;
        }
        refusals += 1;
    }
    assert!(refusals > 5, "only {refusals} allocations");
}
