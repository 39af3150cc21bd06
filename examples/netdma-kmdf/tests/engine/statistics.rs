//! A program asks the device what it has done.

use netdma_kmdf::{DEVICE_INTERFACE, READ_STATISTICS, Statistics};

use super::machine::*;

fn ask(machine: &Machine, code: u32, room: usize) -> Result<Vec<u8>, sys::NTSTATUS> {
    let interface = DEVICE_INTERFACE.to_sys();
    machine
        .kernel
        .device_control(machine.device, &interface, code, &[], room)
}

fn statistics(machine: &Machine) -> Statistics {
    let answer = ask(machine, READ_STATISTICS.to_raw(), Statistics::LENGTH).unwrap();
    Statistics::from_bytes(&answer.try_into().unwrap())
}

#[test]
fn a_program_reads_what_the_engine_has_done() {
    let machine = Machine::boot();
    assert_eq!(statistics(&machine), Statistics::default());
    let channel = machine.open();
    let (source, destination) = (machine.source(8192), machine.destination(8192));
    let transfers = [
        transfer(&source, 0, &destination, 0, 4096),
        transfer(&source, 4096, &destination, 4096, 100),
    ];
    run(&channel, &transfers);
    machine.kernel.quiesce();
    let first = statistics(&machine);
    assert_eq!((first.descriptors, first.bytes, first.halts), (2, 4196, 0));
    assert_eq!(first.interrupts, machine.delivered());

    let good = transfer(&source, 0, &destination, 0, 1);
    let bad = Transfer {
        length: MAXIMUM_TRANSFER_SIZE + 1,
        ..good
    };
    refused(&channel, bad.into(), good);
    let second = statistics(&machine);
    assert_eq!(second.halts, 1);
    assert!(second.descriptors > first.descriptors);
    drop((source, destination));
    machine.end(channel);
}

#[test]
fn statistics_are_there_while_the_device_sleeps() {
    let machine = Machine::boot();
    machine.kernel.power_down(machine.device).unwrap();
    assert_eq!(statistics(&machine), Statistics::default());
    machine.kernel.power_up(machine.device).unwrap();
    machine.end(());
}

#[test]
fn statistics_are_there_without_netdma() {
    let setup = Setup {
        config: Config {
            os: Os::Win10,
            ..Config::default()
        },
        ..Setup::default()
    };
    let machine = Machine::with(setup, |_| {});
    assert_eq!(statistics(&machine), Statistics::default());
    machine.end(());
}

#[test]
fn a_program_that_asks_wrongly_is_told_so() {
    let machine = Machine::boot();
    let code = READ_STATISTICS.to_raw();
    for room in [0, 1, Statistics::LENGTH - 1] {
        let answer = ask(&machine, code, room);
        assert_eq!(answer, Err(sys::STATUS_BUFFER_TOO_SMALL), "{room}");
    }
    for wrong in [0, code + 1, code + 2, code + 3, code + 4, u32::MAX] {
        let answer = ask(&machine, wrong, Statistics::LENGTH);
        assert_eq!(
            answer,
            Err(sys::STATUS_INVALID_DEVICE_REQUEST),
            "{wrong:#x}"
        );
    }
    machine.end(());
}
