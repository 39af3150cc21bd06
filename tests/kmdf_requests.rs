//! What programs and administrators send to a driver of the KMDF layer: control codes and registry values, right and wrong ones.
#![expect(unsafe_code, reason = "tests are at the level that they say")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use nmr_netdma::irql::{AtMostDispatch, Irql};
use nmr_netdma::kmdf::{
    ControlAccess, ControlCode, Handled, ManualQueue, QueuePower, Request, RequestHandler,
};
use nmr_netdma::{Error, Guid, sys};
use simkernel::pnp::DeviceId;
use simkernel::wdf::{ControlRequest, RegistryValue};
use simkernel::{Config, Kernel};

use lab::{Lab, passive, until};

#[path = "common/kmdf_lab.rs"]
mod lab;

const CLASS: Guid = Guid::parse("0e7c4a35-7d2b-4d0e-8f5c-51b6a7f0c9d2");

/// Answers the input, reversed.
const REVERSE: ControlCode = ControlCode::new(0x22, 0x800, ControlAccess::Any);
/// Is parked.
const PARK: ControlCode = ControlCode::new(0x22, 0x801, ControlAccess::Read);
/// Fails.
const FAIL: ControlCode = ControlCode::new(0x22, 0x802, ControlAccess::Write);
/// Is dropped by a program that cannot be told otherwise: parked, taken out and dropped.
const DROP: ControlCode = ControlCode::new(0x22, 0x803, ControlAccess::ReadWrite);

struct Handler {
    parked: Arc<Mutex<Option<ManualQueue>>>,
    requests: Arc<AtomicU32>,
}

impl RequestHandler for Handler {
    fn device_control<'a>(
        &self,
        request: Request<'a>,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Handled<'a> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let parked = self.parked.lock().unwrap().clone().unwrap();
        match request.code() {
            REVERSE => {
                let mut bytes = request.input().unwrap().to_vec();
                bytes.reverse();
                request.reply(&bytes, irql)
            }
            PARK => park(request, &parked, irql),
            DROP => {
                let handled = park(request, &parked, irql);
                drop(parked.next(irql));
                handled
            }
            FAIL => request.fail(Error::DEVICE_BUSY, irql),
            _ => request.fail(Error::INVALID_DEVICE_REQUEST, irql),
        }
    }
}

fn park<'a>(
    request: Request<'a>,
    queue: &ManualQueue,
    irql: &mut Irql<AtMostDispatch>,
) -> Handled<'a> {
    match request.park(queue, irql) {
        Ok(handled) => handled,
        Err((request, error)) => request.fail(error, irql),
    }
}

/// A lab with a device that takes requests.
struct Office {
    lab: Lab,
    device: DeviceId,
    parked: Arc<Mutex<Option<ManualQueue>>>,
    requests: Arc<AtomicU32>,
}

impl Office {
    fn new(power: QueuePower) -> Self {
        Self::boot(Config::default(), power)
    }

    fn boot(config: Config, power: QueuePower) -> Self {
        let parked = Arc::<Mutex<Option<ManualQueue>>>::default();
        let requests = Arc::<AtomicU32>::default();
        let of_driver = (Arc::clone(&parked), Arc::clone(&requests));
        let lab = Lab::boot(config, move |device, irql| {
            let (parked, requests) = of_driver.clone();
            *parked.lock().unwrap() = Some(device.create_manual_queue(irql)?);
            device.create_default_queue(power, Handler { parked, requests }, irql)?;
            device.create_interface(CLASS, irql)?;
            Ok(Box::new(()))
        });
        let device = lab.add();
        Self {
            lab,
            device,
            parked,
            requests,
        }
    }

    fn kernel(&self) -> &Kernel {
        &self.lab.kernel
    }

    fn send(&self, code: ControlCode, input: &[u8], output: usize) -> ControlRequest {
        let class = CLASS.to_sys();
        self.kernel()
            .send_device_control(self.device, &class, code.to_raw(), input, output)
            .unwrap()
    }

    fn control(&self, code: u32, input: &[u8], output: usize) -> Result<Vec<u8>, sys::NTSTATUS> {
        let class = CLASS.to_sys();
        self.kernel()
            .device_control(self.device, &class, code, input, output)
    }

    fn queue(&self) -> ManualQueue {
        self.parked.lock().unwrap().clone().unwrap()
    }

    fn finish(self) {
        self.kernel().remove_device(self.device).unwrap();
        self.parked.lock().unwrap().take();
        self.lab.finish();
    }
}

#[test]
fn a_program_gets_what_the_handler_replies() {
    // The level at which a request comes depends on the seed.
    for seed in 0..8 {
        let config = Config {
            seed,
            ..Config::default()
        };
        let office = Office::boot(config, QueuePower::Managed);
        let reverse = REVERSE.to_raw();
        assert_eq!(office.control(reverse, b"abc", 3), Ok(b"cba".to_vec()));
        assert_eq!(office.control(reverse, b"abc", 100), Ok(b"cba".to_vec()));
        assert_eq!(office.control(reverse, b"", 0), Ok(vec![]));
        assert_eq!(office.control(reverse, b"", 9), Ok(vec![]));
        office.finish();
    }
}

#[test]
fn a_buffer_that_is_too_small_for_the_reply_is_an_error_and_stays_as_it_was() {
    let office = Office::new(QueuePower::Managed);
    for room in [0, 1, 2] {
        let answer = office.control(REVERSE.to_raw(), b"abc", room);
        assert_eq!(answer, Err(sys::STATUS_BUFFER_TOO_SMALL));
    }
    office.finish();
}

#[test]
fn a_request_that_fails_answers_its_status() {
    let office = Office::new(QueuePower::Managed);
    let answer = office.control(FAIL.to_raw(), b"", 10);
    assert_eq!(answer, Err(sys::STATUS_DEVICE_BUSY));
    office.finish();
}

#[test]
fn other_methods_than_the_buffered_one_do_not_reach_the_handler() {
    let office = Office::new(QueuePower::Managed);
    for method in 1..=3 {
        let answer = office.control(REVERSE.to_raw() | method, b"abc", 3);
        assert_eq!(answer, Err(sys::STATUS_INVALID_DEVICE_REQUEST));
        assert_eq!(ControlCode::from_raw(REVERSE.to_raw() | method), None);
    }
    assert_eq!(office.requests.load(Ordering::Relaxed), 0);
    office.finish();
}

#[test]
fn a_device_is_found_by_its_interface_while_it_is_there() {
    let office = Office::new(QueuePower::Managed);
    let interfaces = office.kernel().device_interfaces(office.device);
    assert_eq!(interfaces.len(), 1);
    assert_eq!(Guid::from_sys(interfaces[0]), CLASS);
    let other = Guid::parse("0e7c4a35-7d2b-4d0e-8f5c-51b6a7f0c9d3").to_sys();
    let code = REVERSE.to_raw();
    let answer = office
        .kernel()
        .device_control(office.device, &other, code, b"", 0);
    assert_eq!(answer, Err(sys::STATUS_NO_SUCH_DEVICE));

    office.kernel().surprise_remove(office.device).unwrap();
    assert!(office.kernel().device_interfaces(office.device).is_empty());
    assert_eq!(
        office.control(code, b"", 0),
        Err(sys::STATUS_NO_SUCH_DEVICE)
    );
    office.parked.lock().unwrap().take();
    office.lab.finish();
}

#[test]
fn a_request_of_a_power_managed_queue_waits_until_the_device_is_in_d0() {
    for power in [QueuePower::Managed, QueuePower::Unmanaged] {
        let office = Office::new(power);
        office.kernel().power_down(office.device).unwrap();
        let request = office.send(REVERSE, b"12", 2);
        assert_eq!(request.is_done(), power == QueuePower::Unmanaged);
        office.kernel().power_up(office.device).unwrap();
        assert_eq!(request.wait(), Ok(b"21".to_vec()));
        office.finish();
    }
}

#[test]
fn a_parked_request_is_completed_when_the_driver_likes() {
    let office = Office::new(QueuePower::Managed);
    let queue = office.queue();
    let irql = &mut passive();
    assert!(queue.next(irql).is_none());
    let requests = [1, 2].map(|number| office.send(PARK, &[number], 4));
    assert!(requests.iter().all(|request| !request.is_done()));
    for expected in [1, 2] {
        let pending = queue.next(irql).unwrap();
        assert_eq!(pending.code(), PARK);
        assert_eq!(pending.input(), Ok(&[expected][..]));
        assert_eq!(pending.output_length(), 4);
        match expected {
            1 => pending.reply(b"done", irql),
            _ => pending.fail(Error::NOT_FOUND, irql),
        }
    }
    assert!(queue.next(irql).is_none());
    let [first, second] = requests;
    assert_eq!(first.wait(), Ok(b"done".to_vec()));
    assert_eq!(second.wait(), Err(sys::STATUS_NOT_FOUND));
    drop(queue);
    office.finish();
}

#[test]
fn a_pending_request_that_is_dropped_is_cancelled() {
    let office = Office::new(QueuePower::Managed);
    let answer = office.control(DROP.to_raw(), b"", 0);
    assert_eq!(answer, Err(sys::STATUS_CANCELLED));
    office.finish();
}

#[test]
fn a_program_that_gives_up_takes_its_parked_request_along() {
    let office = Office::new(QueuePower::Managed);
    let queue = office.queue();
    let request = office.send(PARK, b"", 0);
    request.cancel();
    assert_eq!(request.wait(), Err(sys::STATUS_CANCELLED));
    assert!(queue.next(&mut passive()).is_none());
    // What the driver has is the driver's to complete.
    let request = office.send(PARK, b"", 0);
    let pending = queue.next(&mut passive()).unwrap();
    request.cancel();
    assert!(!request.is_done());
    pending.reply(b"", &mut passive());
    assert_eq!(request.wait(), Ok(vec![]));
    drop(queue);
    office.finish();
}

#[test]
fn removing_a_device_cancels_what_is_parked() {
    for surprise in [false, true] {
        let office = Office::new(QueuePower::Managed);
        let queue = office.queue();
        let request = office.send(PARK, b"", 0);
        if surprise {
            office.kernel().surprise_remove(office.device).unwrap();
        } else {
            office.kernel().remove_device(office.device).unwrap();
        }
        assert_eq!(request.wait(), Err(sys::STATUS_CANCELLED));
        assert!(queue.next(&mut passive()).is_none(), "the queue is gone");
        drop(queue);
        office.parked.lock().unwrap().take();
        office.lab.finish();
    }
}

#[test]
fn removing_a_device_waits_for_the_request_that_the_driver_has() {
    let office = Office::new(QueuePower::Managed);
    let request = office.send(PARK, b"", 1);
    let pending = office.queue().next(&mut passive()).unwrap();
    thread::scope(|scope| {
        let kernel = office.kernel();
        let remove = scope.spawn(|| {
            let _entered = kernel.enter(1);
            kernel.remove_device(office.device).unwrap();
        });
        until("the removal", || {
            kernel.device_interfaces(office.device).is_empty()
        });
        assert!(!remove.is_finished());
        pending.reply(b"x", &mut passive());
    });
    assert_eq!(request.wait(), Ok(b"x".to_vec()));
    office.parked.lock().unwrap().take();
    office.lab.finish();
}

#[test]
fn a_queue_of_another_device_refuses_a_request_which_stays_the_handlers() {
    let first = Office::new(QueuePower::Managed);
    let of_first = first.queue();
    // The same driver's next device has queues of its own; its handler is told to park in the first one's.
    let second = first.lab.add();
    *first.parked.lock().unwrap() = Some(of_first.clone());
    let class = CLASS.to_sys();
    let answer = first
        .kernel()
        .device_control(second, &class, PARK.to_raw(), b"", 0);
    assert_eq!(answer, Err(sys::STATUS_INVALID_DEVICE_REQUEST));
    drop(of_first);
    first.kernel().remove_device(second).unwrap();
    first.finish();
}

#[test]
fn a_device_has_one_default_queue() {
    let handler = || Handler {
        parked: Arc::default(),
        requests: Arc::default(),
    };
    let lab = Lab::new(move |device, irql| {
        device.create_default_queue(QueuePower::Managed, handler(), irql)?;
        let second = device.create_default_queue(QueuePower::Managed, handler(), irql);
        assert_eq!(second, Err(Error::UNSUCCESSFUL));
        Ok(Box::new(()))
    });
    let device = lab.add();
    lab.kernel.remove_device(device).unwrap();
    lab.finish();
}

#[test]
fn requests_come_from_many_programs_while_the_device_goes() {
    for _ in 0..5 {
        let office = Office::new(QueuePower::Managed);
        let class = CLASS.to_sys();
        thread::scope(|scope| {
            for processor in 0..3 {
                let (kernel, device) = (office.kernel(), office.device);
                scope.spawn(move || {
                    let _entered = kernel.enter(processor);
                    loop {
                        let answers = [REVERSE, PARK].map(|code| {
                            kernel.send_device_control(device, &class, code.to_raw(), b"ab", 2)
                        });
                        for (answer, code) in answers.into_iter().zip([REVERSE, PARK]) {
                            match answer {
                                Err(status) => {
                                    return assert_eq!(status, sys::STATUS_NO_SUCH_DEVICE);
                                }
                                Ok(request) => {
                                    if code == PARK {
                                        request.cancel();
                                    }
                                    match request.wait() {
                                        Ok(answer) => assert_eq!(answer, b"ba"),
                                        Err(status) => assert_eq!(status, sys::STATUS_CANCELLED),
                                    }
                                }
                            }
                        }
                    }
                });
            }
            until("requests", || office.requests.load(Ordering::Relaxed) > 50);
            office.kernel().remove_device(office.device).unwrap();
        });
        office.parked.lock().unwrap().take();
        office.lab.finish();
    }
}

#[test]
fn every_refused_allocation_of_a_queue_is_a_status_and_leaves_nothing() {
    let mut refused = 0;
    loop {
        let lab = Lab::new(|device, irql| {
            let parked = Arc::new(Mutex::new(Some(device.create_manual_queue(irql)?)));
            let requests = Arc::default();
            device.create_default_queue(
                QueuePower::Unmanaged,
                Handler { parked, requests },
                irql,
            )?;
            device.create_interface(CLASS, irql)?;
            Ok(Box::new(()))
        });
        lab.kernel.fail_allocation(Some(refused));
        let device = lab.try_add();
        lab.kernel.fail_allocation(None);
        let done = device.is_ok();
        match device {
            Ok(device) => lab.kernel.remove_device(device).unwrap(),
            Err(status) => assert_eq!(status, sys::STATUS_INSUFFICIENT_RESOURCES),
        }
        lab.finish();
        if done {
            break;
        }
        refused += 1;
    }
    assert!(refused >= 8, "only {refused} allocations");
}

#[test]
fn control_codes_are_cs() {
    // CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_READ_ACCESS)
    assert_eq!(PARK.to_raw(), 0x0022_6004);
    assert_eq!(ControlCode::from_raw(0x0022_6004), Some(PARK));
}

/// Has AddDevice read parameters from a registry with these values.
fn parameters(
    values: &[(&str, RegistryValue)],
    read: impl FnMut(&nmr_netdma::kmdf::Parameters<'_>) + 'static,
) {
    let (sender, receiver) = mpsc::channel();
    let lab = Lab::new(|_, _| Ok(Box::new(())));
    for (name, value) in values {
        lab.kernel.set_parameter("objects", name, value.clone());
    }
    let mut read = read;
    lab.read(move |parameters| {
        read(parameters);
        sender.send(()).unwrap();
    });
    let device = lab.add();
    receiver.recv().unwrap();
    lab.kernel.remove_device(device).unwrap();
    lab.finish();
}

#[test]
fn a_parameter_is_a_value_of_its_type_in_its_range() {
    let values = [
        ("Channels", RegistryValue::dword(4)),
        ("Limit", RegistryValue::qword(1 << 40)),
        ("Name", RegistryValue::string("engine")),
        ("Key", RegistryValue::binary(&[1, 2, 3])),
    ];
    parameters(&values, |parameters| {
        assert_eq!(parameters.u32("Channels", 1..=32), Ok(Some(4)));
        assert_eq!(parameters.u32("CHANNELS", 4..=4), Ok(Some(4)));
        assert_eq!(
            parameters.u32("Channels", 5..=32),
            Err(Error::INVALID_PARAMETER)
        );
        assert_eq!(parameters.u32("Absent", 0..=u32::MAX), Ok(None));
        assert_eq!(parameters.u64("Limit", 0..=u64::MAX), Ok(Some(1 << 40)));
        let mut units = [0xFFFF; 16];
        let name: Vec<u16> = "engine".encode_utf16().collect();
        assert_eq!(parameters.string("Name", &mut units), Ok(Some(&name[..])));
        assert_eq!(parameters.string("Absent", &mut units), Ok(None));
        let mut bytes = [0; 3];
        assert_eq!(
            parameters.bytes("Key", &mut bytes),
            Ok(Some(&[1, 2, 3][..]))
        );
    });
}

#[test]
fn a_parameter_of_another_type_or_length_is_an_error() {
    let of = |kind, data: &[u8]| RegistryValue {
        kind,
        data: data.to_vec(),
    };
    let values = [
        ("Text", RegistryValue::string("not a number")),
        ("Short", of(4, &[1, 2])),
        ("Empty", of(4, &[])),
        ("Long", of(4, &[0; 8])),
        ("Odd", of(1, b"abc")),
        ("Bare", of(1, &[b'x', 0])),
        ("Nothing", of(1, &[])),
        ("Two", of(1, &[b'x', 0, 0, 0, b'y', 0])),
    ];
    parameters(&values, |parameters| {
        let mismatch = Error::OBJECT_TYPE_MISMATCH;
        for name in ["Text", "Short", "Empty", "Long"] {
            assert_eq!(parameters.u32(name, 0..=u32::MAX), Err(mismatch), "{name}");
            assert_eq!(parameters.u64(name, 0..=u64::MAX), Err(mismatch), "{name}");
        }
        let mut units = [0; 8];
        assert_eq!(parameters.string("Odd", &mut units), Err(mismatch));
        assert_eq!(parameters.string("Short", &mut units), Err(mismatch));
        assert_eq!(
            parameters.string("Text", &mut units),
            Err(Error::BUFFER_TOO_SMALL)
        );
        let x = [u16::from(b'x')];
        assert_eq!(parameters.string("Bare", &mut units), Ok(Some(&x[..])));
        assert_eq!(parameters.string("Two", &mut units), Ok(Some(&x[..])));
        assert_eq!(parameters.string("Nothing", &mut units), Ok(Some(&[][..])));
        assert_eq!(parameters.bytes("Bare", &mut [0; 8]), Err(mismatch));
        assert_eq!(
            parameters.bytes("Text", &mut []),
            Err(Error::BUFFER_TOO_SMALL)
        );
        let name = "n".repeat(65);
        assert_eq!(parameters.u32(&name, 0..=9), Err(Error::INVALID_PARAMETER));
    });
}
