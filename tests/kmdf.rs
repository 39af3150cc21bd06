//! The KMDF layer, by a small driver for the doorbell device on the simulated kernel. Each test boots a machine of its own, and
//! fails if that finds a broken rule or anything left behind.
#![expect(unsafe_code, reason = "vouches for the memory of its buffers")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nmr_netdma::irql::{self, Dispatch, Irql, Passive};
use nmr_netdma::kmdf::{
    self, AddedDevice, AffinityReport, DeviceInit, Dpc, DpcHandle, DpcRoutine, DriverInit, Image,
    InterruptHandle, InterruptPolicy, InterruptPriority, PowerState, ProcessorSet, Register,
    Registers, RequirementsList, Resources, Revocable, Shared, current_processor, memory,
    set_message_affinity,
};
use nmr_netdma::physical_memory::PhysicalRange;
use nmr_netdma::{Error, Result, sys};
use simkernel::devices::Doorbell;
use simkernel::mm::Registers as Model;
use simkernel::pnp::{Bar, DeviceConfig, DeviceId, DriverId, Signal};
use simkernel::{Config, Kernel, Os};

nmr_netdma::kmdf::driver_entry!(Driver);

const IDENTITY: Register<u32> = Register::at(0);

thread_local! {
    /// For the driver that the test's thread loads next.
    static SCRIPT: RefCell<Option<Arc<Script>>> = const { RefCell::new(None) };
}

/// What a test wants of its driver, and what it did.
#[derive(Default)]
struct Script {
    /// The step that fails, and how.
    fails: Option<(&'static str, Option<Error>)>,
    /// How many interrupt objects to create.
    interrupts: u32,
    /// The processor that the policy of each interrupt object names.
    policies: Vec<Option<u32>>,
    /// The processor that the requirements filter asks for, for each number.
    filter: Vec<Option<u32>>,
    /// Done with the requirements instead of the filter.
    filtered: Option<fn(&Script, &mut RequirementsList<'_>)>,
    /// Done in the driver's own context, when the device has been prepared.
    prepared: Option<Probe>,
    /// The registers of a device, kept by its probe.
    registers: Mutex<Option<Registers>>,
    /// The registers could be accessed when the hardware was to be released.
    mapped_at_release: AtomicBool,
    log: Mutex<Vec<String>>,
    report: Mutex<Option<AffinityReport>>,
    assigned: Mutex<Vec<kmdf::AssignedInterrupt>>,
    /// How often each message's service routine and DPC ran on each processor.
    served: Mutex<BTreeMap<(u32, u32), u32>>,
    deferred: Mutex<BTreeMap<(u32, u32), u32>>,
}

type Probe = fn(&Script, &Resources<'_>, &Registers, &mut Irql<Passive>);

impl Script {
    fn note(&self, step: impl Into<String>) {
        self.log.lock().unwrap().push(step.into());
    }

    fn step(&self, step: &str) -> Result<()> {
        self.note(step);
        match self.fails {
            Some((fails, error)) if fails == step => Err(error.unwrap_or(Error::DEVICE_BUSY)),
            _ => Ok(()),
        }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// Notes when it is dropped.
struct Witness(Arc<Script>, String);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.note(format!("drop {}", self.1));
    }
}

struct Driver {
    script: Arc<Script>,
    _witness: Witness,
}

impl kmdf::Driver for Driver {
    fn init(_: &DriverInit<'_>, _: &mut Irql<Passive>) -> Result<Self> {
        let script = SCRIPT
            .with_borrow_mut(Option::take)
            .ok_or(Error::UNSUCCESSFUL)?;
        script.step("init")?;
        Ok(Self {
            _witness: Witness(Arc::clone(&script), "driver".into()),
            script,
        })
    }

    fn device_add<'a>(
        &self,
        init: DeviceInit<'a>,
        irql: &mut Irql<Passive>,
    ) -> Result<AddedDevice<'a>> {
        let script = &self.script;
        script.step("device_add")?;
        let mut device = init.create(irql)?;
        let state = State {
            script: Arc::clone(script),
            registers: device.create_registers(irql)?,
            messages: AtomicBool::new(false),
        };
        let state = Shared::try_new(state, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        for index in 0..script.interrupts {
            let context = Interrupt {
                index,
                state: state.clone(),
                _witness: Witness(Arc::clone(script), format!("interrupt {index}")),
            };
            let mut interrupt = device.create_interrupt(context)?;
            if let Some(processor) = script.policies.get(index as usize).copied().flatten() {
                let set = ProcessorSet::single(processor).ok_or(Error::INVALID_PARAMETER)?;
                interrupt
                    .set_policy(InterruptPolicy::Processors(set), InterruptPriority::Normal)?;
            }
        }
        script.step("created")?;
        let added = device.finish(Device {
            state,
            _witness: Witness(Arc::clone(script), "device".into()),
        });
        script.step("finished")?;
        Ok(added)
    }

    fn unload(self, _: &mut Irql<Passive>) {
        self.script.note("unload");
    }
}

struct State {
    script: Arc<Script>,
    registers: Registers,
    messages: AtomicBool,
}

struct Device {
    state: Shared<State>,
    _witness: Witness,
}

impl kmdf::Device for Device {
    fn filter_resource_requirements(
        &self,
        requirements: &mut RequirementsList<'_>,
        _: &mut Irql<Passive>,
    ) -> Result<()> {
        let script = &self.state.script;
        script.step("filter")?;
        if let Some(filtered) = script.filtered {
            filtered(script, requirements);
            return Ok(());
        }
        let report = set_message_affinity(requirements, |interrupt| {
            let processor = script
                .filter
                .get(interrupt.number as usize)
                .copied()
                .flatten()?;
            ProcessorSet::single(processor)
        });
        *script.report.lock().unwrap() = Some(report);
        Ok(())
    }

    fn prepare_hardware(&self, resources: &Resources<'_>, irql: &mut Irql<Passive>) -> Result<()> {
        let script = &self.state.script;
        *script.assigned.lock().unwrap() = resources.interrupts().collect();
        self.state
            .messages
            .store(resources.messages() > 0, Ordering::Relaxed);
        let memory = resources
            .memory()
            .next()
            .ok_or(Error::DEVICE_CONFIGURATION_ERROR)?;
        self.state.registers.map(memory, irql)?;
        if let Some(probe) = script.prepared {
            probe(script, resources, &self.state.registers, irql);
        }
        script.step("prepare_hardware")
    }

    fn release_hardware(&self, _: &mut Irql<Passive>) -> Result<()> {
        let mapped = self.state.registers.access().is_ok();
        let script = &self.state.script;
        script.mapped_at_release.store(mapped, Ordering::Relaxed);
        script.step("release_hardware")
    }

    fn d0_entry(&self, previous: PowerState, _: &mut Irql<Passive>) -> Result<()> {
        assert_eq!(previous, PowerState::D3Final);
        self.state.script.step("d0_entry")
    }

    fn d0_entry_post_interrupts_enabled(&self, _: PowerState, _: &mut Irql<Passive>) -> Result<()> {
        let enable = if self.state.messages.load(Ordering::Relaxed) {
            3
        } else {
            1
        };
        self.state
            .registers
            .write(Register::<u32>::at(0x0C), enable)?;
        self.state.script.step("d0_entry_post_interrupts_enabled")
    }

    fn d0_exit_pre_interrupts_disabled(
        &self,
        target: PowerState,
        _: &mut Irql<Passive>,
    ) -> Result<()> {
        assert_eq!(target, PowerState::D3Final);
        self.state.script.step("d0_exit_pre_interrupts_disabled")
    }

    fn d0_exit(&self, _: PowerState, _: &mut Irql<Passive>) -> Result<()> {
        self.state.script.step("d0_exit")
    }

    fn self_managed_io_init(&self, _: &mut Irql<Passive>) -> Result<()> {
        self.state.script.step("self_managed_io_init")
    }

    fn self_managed_io_suspend(&self, _: &mut Irql<Passive>) -> Result<()> {
        self.state.script.step("self_managed_io_suspend")
    }

    fn self_managed_io_flush(&self, _: &mut Irql<Passive>) {
        self.state.script.note("self_managed_io_flush");
    }

    fn self_managed_io_cleanup(&self, _: &mut Irql<Passive>) {
        self.state.script.note("self_managed_io_cleanup");
    }

    fn cleanup(&self, _: &mut Irql<Passive>) {
        assert_eq!(
            self.state.registers.read(IDENTITY),
            Err(Error::DEVICE_NOT_READY)
        );
        self.state.script.note("cleanup");
    }
}

struct Interrupt {
    index: u32,
    state: Shared<State>,
    _witness: Witness,
}

impl kmdf::Interrupt for Interrupt {
    fn isr(
        &self,
        interrupt: &InterruptHandle<'_>,
        message: u32,
        _: &mut Irql<irql::Device>,
    ) -> bool {
        assert_eq!(message, self.index);
        let Ok(registers) = self.state.registers.access() else {
            return false;
        };
        let Ok(status) = registers.read(Register::<u32>::at(0x08)) else {
            return false;
        };
        let mine = if self.state.messages.load(Ordering::Relaxed) {
            status & 1 << message
        } else {
            status
        };
        if mine == 0 || registers.write(Register::<u32>::at(0x08), mine).is_err() {
            return false;
        }
        *self
            .state
            .script
            .served
            .lock()
            .unwrap()
            .entry((message, current_processor()))
            .or_default() += 1;
        interrupt.queue_dpc();
        true
    }

    fn dpc(&self, interrupt: &InterruptHandle<'_>, irql: &mut Irql<Dispatch>) {
        let info = interrupt.info(irql);
        assert_eq!(info.message_number, self.index);
        assert_ne!(info.vector, 0);
        assert_eq!(
            info.message_signaled,
            self.state.messages.load(Ordering::Relaxed)
        );
        assert!(
            info.processors
                .iter()
                .any(|processor| processor == current_processor())
        );
        *self
            .state
            .script
            .deferred
            .lock()
            .unwrap()
            .entry((self.index, current_processor()))
            .or_default() += 1;
    }

    fn enable(&self, _: &InterruptHandle<'_>, _: &mut Irql<irql::Device>) -> Result<()> {
        self.state.script.step(&format!("enable {}", self.index))
    }

    fn disable(&self, _: &InterruptHandle<'_>, _: &mut Irql<irql::Device>) -> Result<()> {
        self.state.script.step(&format!("disable {}", self.index))
    }
}

/// A machine with the driver loaded.
struct Lab {
    kernel: Kernel,
    driver: DriverId,
    script: Arc<Script>,
    signal: Signal,
}

impl Lab {
    fn new(script: Script) -> Self {
        Self::boot(Config::default(), script)
    }

    fn boot(config: Config, script: Script) -> Self {
        let kernel = Kernel::boot(config);
        let script = Arc::new(script);
        let driver = load(&kernel, &script).unwrap();
        Self {
            kernel,
            driver,
            script,
            signal: Signal::new(),
        }
    }

    fn add(&self, messages: u32) -> std::result::Result<DeviceId, sys::NTSTATUS> {
        self.kernel
            .add_device(self.driver, device(messages, None, &self.signal))
    }

    /// Unloads the driver, shuts down and gives the driver's log.
    fn finish(self) -> Vec<String> {
        self.kernel.unload_driver(self.driver).unwrap();
        let verdict = self.kernel.shutdown();
        assert!(verdict.is_clean(), "{verdict}");
        self.script.log()
    }
}

fn load(kernel: &Kernel, script: &Arc<Script>) -> std::result::Result<DriverId, sys::NTSTATUS> {
    SCRIPT.set(Some(Arc::clone(script)));
    kernel.load_driver("doorbell", driver_entry)
}

fn device(messages: u32, granted: Option<u32>, signal: &Signal) -> DeviceConfig {
    DeviceConfig {
        name: "doorbell".into(),
        messages,
        granted,
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model: Doorbell::new(4, signal.clone()),
        }],
        signal: signal.clone(),
        ..DeviceConfig::default()
    }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "waited for {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

const START: [&str; 10] = [
    "init",
    "device_add",
    "created",
    "finished",
    "filter",
    "prepare_hardware",
    "d0_entry",
    "enable 0",
    "enable 1",
    "d0_entry_post_interrupts_enabled",
];

#[test]
fn a_device_goes_through_the_callbacks_in_the_documented_order_and_contexts_are_dropped_once() {
    let lab = Lab::new(Script {
        interrupts: 2,
        ..Script::default()
    });
    let device = lab.add(2).unwrap();
    lab.kernel.remove_device(device).unwrap();
    let mut expected = START.to_vec();
    expected.extend([
        "self_managed_io_init",
        "self_managed_io_suspend",
        "d0_exit_pre_interrupts_disabled",
        "disable 1",
        "disable 0",
        "d0_exit",
        "release_hardware",
        "self_managed_io_flush",
        "self_managed_io_cleanup",
        "cleanup",
        "drop interrupt 0",
        "drop interrupt 1",
        "drop device",
        "unload",
        "drop driver",
    ]);
    assert_eq!(lab.finish(), expected);
}

#[test]
fn every_windows_runs_it() {
    for os in [Os::VistaSp1, Os::Win7, Os::Win10] {
        let lab = Lab::boot(
            Config {
                os,
                ..Config::default()
            },
            Script {
                interrupts: 1,
                ..Script::default()
            },
        );
        let device = lab.add(1).unwrap();
        lab.kernel.remove_device(device).unwrap();
        lab.finish();
    }
}

#[test]
fn a_driver_that_fails_to_initialise_is_not_loaded() {
    let kernel = Kernel::boot(Config::default());
    let script = Arc::new(Script {
        fails: Some(("init", None)),
        ..Script::default()
    });
    assert_eq!(load(&kernel, &script).unwrap_err(), sys::STATUS_DEVICE_BUSY);
    assert_eq!(script.log(), ["init"]);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// What follows the step that fails, up to the driver's unload.
#[track_caller]
fn fails(step: &'static str, expected: &[&str]) {
    let lab = Lab::new(Script {
        fails: Some((step, None)),
        interrupts: 2,
        ..Script::default()
    });
    assert_eq!(lab.add(2).unwrap_err(), sys::STATUS_DEVICE_BUSY);
    let log = lab.finish();
    let failed = log.iter().position(|entry| entry == step).unwrap();
    let after: Vec<_> = log[failed + 1..].iter().map(String::as_str).collect();
    let mut expected = expected.to_vec();
    expected.extend(["unload", "drop driver"]);
    assert_eq!(after, expected, "after {step}");
}

const GONE: [&str; 4] = [
    "cleanup",
    "drop interrupt 0",
    "drop interrupt 1",
    "drop device",
];

#[track_caller]
fn fails_when_starting(step: &'static str, expected: &[&str]) {
    fails(step, &[expected, &GONE].concat());
}

#[test]
fn add_device_that_fails_leaves_nothing() {
    fails("device_add", &[]);
    fails("created", &["drop interrupt 0", "drop interrupt 1"]);
    fails("finished", &GONE);
}

#[test]
fn a_failed_filter_keeps_the_device_from_starting() {
    fails_when_starting("filter", &[]);
}

#[test]
fn a_failed_prepare_hardware_is_followed_by_release_hardware() {
    fails_when_starting("prepare_hardware", &["release_hardware"]);
}

#[test]
fn a_failed_d0_entry_is_not_followed_by_d0_exit() {
    fails_when_starting("d0_entry", &["release_hardware"]);
}

#[test]
fn a_failed_enable_disables_the_interrupts_before_it() {
    fails_when_starting("enable 1", &["disable 0", "d0_exit", "release_hardware"]);
}

#[test]
fn a_failed_d0_entry_post_interrupts_enabled_is_not_followed_by_its_counterpart() {
    let expected = ["disable 1", "disable 0", "d0_exit", "release_hardware"];
    fails_when_starting("d0_entry_post_interrupts_enabled", &expected);
}

#[test]
fn a_failed_self_managed_io_init_powers_the_device_down() {
    let expected = [
        "d0_exit_pre_interrupts_disabled",
        "disable 1",
        "disable 0",
        "d0_exit",
        "release_hardware",
        "self_managed_io_flush",
        "self_managed_io_cleanup",
    ];
    fails_when_starting("self_managed_io_init", &expected);
}

#[test]
fn plug_and_play_callbacks_never_answer_not_supported() {
    let fails = Some(("d0_entry", Some(Error::NOT_SUPPORTED)));
    let lab = Lab::new(Script {
        fails,
        ..Script::default()
    });
    assert_eq!(lab.add(1).unwrap_err(), sys::STATUS_UNSUCCESSFUL);
    lab.finish();
}

#[test]
fn every_refused_allocation_is_a_status_and_leaves_nothing() {
    let mut refused = 0;
    loop {
        let kernel = Kernel::boot(Config::default());
        let script = Arc::new(Script {
            interrupts: 2,
            ..Script::default()
        });
        kernel.fail_allocation(Some(refused));
        let driver = load(&kernel, &script);
        let device =
            driver.and_then(|driver| kernel.add_device(driver, device(2, None, &Signal::new())));
        kernel.fail_allocation(None);
        let done = device.is_ok();
        if let Ok(device) = device {
            kernel.remove_device(device).unwrap();
        }
        if let Ok(driver) = driver {
            kernel.unload_driver(driver).unwrap();
        }
        let verdict = kernel.shutdown();
        assert!(verdict.is_clean(), "allocation {refused}: {verdict}");
        if done {
            break;
        }
        refused += 1;
    }
    assert!(refused >= 5, "only {refused} allocations");
}

/// The processors that the messages were given.
fn targets(lab: &Lab, device: DeviceId) -> Vec<Vec<u32>> {
    lab.kernel
        .interrupts(device)
        .into_iter()
        .map(|report| report.targets)
        .collect()
}

/// The processors of all interrupts, with devices of several numbers of messages.
fn all_targets(script: Script) -> Vec<Vec<Vec<u32>>> {
    let lab = Lab::new(script);
    let answers = [4, 3, 1, 0].map(|messages| {
        let device = lab.add(messages).unwrap();
        let given = targets(&lab, device);
        let assigned = lab.script.assigned.lock().unwrap().clone();
        let told: Vec<Vec<u32>> = assigned
            .iter()
            .map(|interrupt| interrupt.processors.iter().collect())
            .collect();
        assert_eq!(
            told, given,
            "what the driver is told is what the machine does"
        );
        lab.kernel.remove_device(device).unwrap();
        given
    });
    lab.finish();
    answers.to_vec()
}

#[test]
fn policies_and_filter_give_interrupts_to_the_same_processors() {
    let wished = vec![Some(3), Some(1), None, Some(0)];
    let by_policy = all_targets(Script {
        interrupts: 4,
        policies: wished.clone(),
        ..Script::default()
    });
    let by_filter = all_targets(Script {
        interrupts: 4,
        filter: wished,
        ..Script::default()
    });
    assert_eq!(by_policy, by_filter);
    assert!(
        by_filter.iter().all(|messages| messages[0] == [3]),
        "{by_filter:?}"
    );
    assert_eq!(by_filter[0][1], [1]);
    assert_eq!(by_filter[0][3], [0]);
}

#[test]
fn a_policy_that_is_there_is_left_alone() {
    let script = Script {
        interrupts: 2,
        policies: vec![Some(2)],
        filter: vec![Some(1), Some(1)],
        ..Script::default()
    };
    let lab = Lab::new(script);
    let device = lab.add(2).unwrap();
    assert_eq!(targets(&lab, device), [[2], [1]]);
    let report = lab.script.report.lock().unwrap().unwrap();
    assert!(
        report.kept >= 1 && report.written >= 1 && report.messages >= 2,
        "{report:?}"
    );
    assert!(
        report.kept + report.written <= report.messages + report.lines,
        "{report:?}"
    );
    lab.kernel.remove_device(device).unwrap();
    lab.finish();
}

#[test]
fn fewer_messages_than_objects_leave_the_rest_unused() {
    let lab = Lab::new(Script {
        interrupts: 3,
        ..Script::default()
    });
    let device = lab
        .kernel
        .add_device(lab.driver, device(3, Some(1), &lab.signal))
        .unwrap();
    assert_eq!(lab.script.assigned.lock().unwrap().len(), 1);
    lab.kernel.remove_device(device).unwrap();
    let log = lab.finish();
    assert!(log.iter().any(|step| step == "enable 0"));
    assert!(!log.iter().any(|step| step == "enable 1"));
}

/// Rings channel `channel` of the device of `lab`.
fn ring(lab: &Lab, model: &Doorbell, channel: u32) {
    let _ = lab;
    simkernel::mm::Registers::write(model, 0x200 + 4 * channel as usize, 1);
}

#[test]
fn interrupts_are_served_and_deferred_on_the_processor_they_were_given_to() {
    for messages in [2, 0] {
        let filter = vec![Some(2), Some(1)];
        let lab = Lab::new(Script {
            interrupts: 2,
            filter,
            ..Script::default()
        });
        let model = Doorbell::new(2, lab.signal.clone());
        let bars = vec![Bar {
            length: Doorbell::LENGTH,
            model: Arc::clone(&model) as _,
        }];
        let config = DeviceConfig {
            bars,
            ..device(messages, None, &lab.signal)
        };
        let device = lab.kernel.add_device(lab.driver, config).unwrap();
        for round in 1..=10 {
            ring(&lab, &model, 0);
            until("the interrupt", || {
                lab.script.served.lock().unwrap().get(&(0, 2)) == Some(&round)
            });
        }
        until("a DPC", || {
            lab.script.deferred.lock().unwrap().contains_key(&(0, 2))
        });
        if messages == 2 {
            ring(&lab, &model, 1);
            until("the other DPC", || {
                lab.script.deferred.lock().unwrap().contains_key(&(1, 1))
            });
        }
        lab.kernel.remove_device(device).unwrap();
        let keys: Vec<_> = lab.script.served.lock().unwrap().keys().copied().collect();
        assert_eq!(
            keys,
            if messages == 2 {
                vec![(0, 2), (1, 1)]
            } else {
                vec![(0, 2)]
            }
        );
        lab.finish();
    }
}

#[test]
fn registers_are_bounded() {
    let prepared: Probe = |script, resources, registers, irql| {
        let memory = resources.memory().next().unwrap();
        assert_eq!(memory.length(), Doorbell::LENGTH as u64);
        assert_eq!(
            registers.map(memory, irql),
            Err(Error::INVALID_DEVICE_STATE)
        );
        let registers = registers.access().unwrap();
        assert_eq!(registers.length(), Doorbell::LENGTH);
        assert_eq!(registers.read(IDENTITY), Ok(Doorbell::IDENTITY));
        assert_eq!(
            registers.read(Register::<u32>::at(Doorbell::LENGTH - 4)),
            Ok(0)
        );
        for offset in [
            2,
            Doorbell::LENGTH - 2,
            Doorbell::LENGTH,
            usize::MAX,
            usize::MAX - 3,
        ] {
            assert_eq!(
                registers.read(Register::<u32>::at(offset)),
                Err(Error::INVALID_PARAMETER)
            );
            assert_eq!(
                registers.write(Register::<u32>::at(offset), 1),
                Err(Error::INVALID_PARAMETER)
            );
        }
        script.note("probed");
    };
    let script = Script {
        prepared: Some(prepared),
        ..Script::default()
    };
    probe(script, 1, |_, _| {});
}

/// A doorbell with memory behind its registers that has accesses of other widths than 32 bits.
struct Wide {
    doorbell: Arc<Doorbell>,
    memory: Mutex<[u8; Doorbell::LENGTH]>,
    /// The accesses of other widths: where, and how many bytes.
    accesses: Mutex<Vec<(usize, usize)>>,
}

impl Model for Wide {
    fn read(&self, offset: usize) -> u32 {
        self.doorbell.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.doorbell.write(offset, value);
    }

    fn read_bytes(&self, offset: usize, bytes: usize) -> u64 {
        if bytes == 4 {
            return self.read(offset).into();
        }
        self.accesses.lock().unwrap().push((offset, bytes));
        let mut value = [0; 8];
        value[..bytes].copy_from_slice(&self.memory.lock().unwrap()[offset..][..bytes]);
        u64::from_le_bytes(value)
    }

    fn write_bytes(&self, offset: usize, bytes: usize, value: u64) {
        if bytes == 4 {
            return self.write(offset, value as u32);
        }
        self.accesses.lock().unwrap().push((offset, bytes));
        let value = &value.to_le_bytes()[..bytes];
        self.memory.lock().unwrap()[offset..][..bytes].copy_from_slice(value);
    }
}

#[test]
fn a_register_is_accessed_at_once_in_its_own_width() {
    let prepared: Probe = |script, _, registers, _| {
        let whole = Register::<u64>::at(0x800);
        registers.write(whole, 0x0807_0605_0403_0201).unwrap();
        assert_eq!(registers.read(whole), Ok(0x0807_0605_0403_0201));
        let half = Register::<u16>::at(0x800);
        assert_eq!(registers.read(half.further(2)), Ok(0x0403));
        registers.write(half.further(6), 0xAAAA).unwrap();
        let last = Register::<u8>::at(Doorbell::LENGTH - 1);
        registers.write(last, 7).unwrap();
        assert_eq!(registers.read(last), Ok(7));
        assert_eq!(registers.read(whole), Ok(0xAAAA_0605_0403_0201));

        let refused = Err(Error::INVALID_PARAMETER);
        assert_eq!(registers.read(last.further(1)).map(drop), refused);
        assert_eq!(registers.read(last.further(usize::MAX)).map(drop), refused);
        assert_eq!(registers.read(half.further(1)).map(drop), refused);
        assert_eq!(registers.read(whole.further(4)).map(drop), refused);
        assert_eq!(registers.write(whole.further(0x7FC), 0), refused);
        script.note("probed");
    };
    let lab = Lab::new(Script {
        prepared: Some(prepared),
        ..Script::default()
    });
    let model = Arc::new(Wide {
        doorbell: Doorbell::new(4, lab.signal.clone()),
        memory: Mutex::new([0; Doorbell::LENGTH]),
        accesses: Mutex::default(),
    });
    let config = DeviceConfig {
        bars: vec![Bar {
            length: Doorbell::LENGTH,
            model: Arc::clone(&model) as _,
        }],
        ..device(1, None, &lab.signal)
    };
    let device = lab.kernel.add_device(lab.driver, config).unwrap();
    lab.kernel.remove_device(device).unwrap();
    assert!(lab.finish().iter().any(|step| step == "probed"));
    assert_eq!(
        *model.accesses.lock().unwrap(),
        [
            (0x800, 8),
            (0x800, 8),
            (0x802, 2),
            (0x806, 2),
            (0xFFF, 1),
            (0xFFF, 1),
            (0x800, 8),
        ]
    );
}

#[test]
fn registers_are_unmapped_when_the_hardware_is_released_and_mapped_again_when_it_is_prepared() {
    let prepared: Probe = |script, _, registers, _| {
        *script.registers.lock().unwrap() = Some(registers.clone());
    };
    let lab = Lab::new(Script {
        prepared: Some(prepared),
        ..Script::default()
    });
    let device = lab.add(1).unwrap();
    let registers = lab.script.registers.lock().unwrap().clone().unwrap();
    assert_eq!(registers.read(IDENTITY), Ok(Doorbell::IDENTITY));
    lab.kernel.stop_device(device).unwrap();
    assert!(lab.script.mapped_at_release.load(Ordering::Relaxed));
    assert_eq!(registers.read(IDENTITY), Err(Error::DEVICE_NOT_READY));
    assert_eq!(registers.write(IDENTITY, 0), Err(Error::DEVICE_NOT_READY));
    lab.kernel.restart_device(device, None).unwrap();
    assert_eq!(registers.read(IDENTITY), Ok(Doorbell::IDENTITY));
    lab.kernel.remove_device(device).unwrap();
    // The device is gone; the handle is not, and leads nowhere.
    assert_eq!(registers.read(IDENTITY), Err(Error::DEVICE_NOT_READY));
    lab.script.registers.lock().unwrap().take();
    drop(registers);
    lab.finish();
}

#[test]
fn registers_of_one_device_do_not_map_the_memory_of_another() {
    let prepared: Probe = |script, resources, registers, irql| {
        let memory = resources.memory().next().unwrap();
        match script.registers.lock().unwrap().replace(registers.clone()) {
            None => {}
            Some(of_another) => {
                of_another.unmap(irql);
                assert_eq!(of_another.map(memory, irql), Err(Error::INVALID_PARAMETER));
                script.note("probed");
            }
        }
    };
    let lab = Lab::new(Script {
        prepared: Some(prepared),
        ..Script::default()
    });
    let [first, second] = [lab.add(1).unwrap(), lab.add(1).unwrap()];
    lab.script.registers.lock().unwrap().take();
    lab.kernel.remove_device(second).unwrap();
    lab.kernel.remove_device(first).unwrap();
    assert!(lab.finish().iter().any(|step| step == "probed"));
}

/// A range of a buffer that only this test uses.
fn range(address: u64, length: u32) -> PhysicalRange<'static> {
    // SAFETY: the addresses in these tests are those of buffers of the test's own.
    unsafe { PhysicalRange::new(address, length) }.unwrap()
}

#[test]
fn a_range_of_physical_memory_does_not_wrap_around() {
    // SAFETY: nobody touches the memory.
    assert_eq!(unsafe { PhysicalRange::new(u64::MAX - 2, 16) }, None);
}

#[test]
fn physical_memory_is_copied_and_read_by_its_address() {
    let prepared: Probe = |script, _, _, irql| {
        let kernel_addresses = *ADDRESSES
            .lock()
            .unwrap()
            .get(&(std::ptr::from_ref(script) as usize))
            .unwrap();
        let (source, destination) = kernel_addresses;
        memory::copy_physical(range(source + 8, 1000), range(destination + 16, 1000), irql)
            .unwrap();
        memory::copy_physical(range(source, 0), range(destination, 0), irql).unwrap();
        let mut words = [0; 2];
        memory::read_words(range(source, 16), &mut words, irql).unwrap();
        assert_eq!(words, [0x0101_0101_0101_0101; 2]);
        let mapping = memory::PhysicalMapping::map(range(destination, 16), irql).unwrap();
        mapping.write_u64_release(8, 42).unwrap();
        assert_eq!(mapping.read_u64(8), Ok(42));
        for offset in [4, 9, 16, usize::MAX] {
            assert_eq!(mapping.read_u64(offset), Err(Error::INVALID_PARAMETER));
            assert_eq!(
                mapping.write_u64_release(offset, 0),
                Err(Error::INVALID_PARAMETER)
            );
        }
        assert_eq!(
            memory::copy_physical(range(source, 17), range(destination, 16), irql),
            Err(Error::INVALID_PARAMETER)
        );
        script.note("probed");
    };
    let lab = Lab::new(Script {
        prepared: Some(prepared),
        ..Script::default()
    });
    let mut source = lab.kernel.allocate(4096);
    source.as_mut_slice().fill(1);
    let destination = lab.kernel.allocate(4096);
    let key = Arc::as_ptr(&lab.script) as usize;
    ADDRESSES
        .lock()
        .unwrap()
        .insert(key, (source.physical(), destination.physical()));
    let device = lab.add(1).unwrap();
    lab.kernel.remove_device(device).unwrap();
    let bytes = destination.as_slice();
    assert_eq!(bytes[8..16], 42_u64.to_ne_bytes());
    assert!(bytes[16..1016].iter().all(|byte| *byte == 1));
    assert!(bytes[1016..].iter().all(|byte| *byte == 0));
    drop((source, destination));
    assert!(lab.finish().iter().any(|step| step == "probed"));
}

/// Physical addresses for a probe, by the address of its script.
static ADDRESSES: Mutex<BTreeMap<usize, (u64, u64)>> = Mutex::new(BTreeMap::new());

/// Counts its runs by processor, and queues itself again until told to stop.
#[derive(Default)]
struct Counting {
    again: AtomicBool,
    runs: [AtomicU32; 4],
}

struct Routine(Arc<Counting>);

impl DpcRoutine for Routine {
    fn run(&self, dpc: &DpcHandle<'_>, _: &mut Irql<Dispatch>) {
        self.0.runs[current_processor() as usize].fetch_add(1, Ordering::Relaxed);
        if self.0.again.load(Ordering::Relaxed) {
            dpc.enqueue();
        }
    }
}

fn passive() -> Irql<Passive> {
    // SAFETY: the thread that boots a machine is at PASSIVE_LEVEL in it, and these tests do not raise it.
    unsafe { Irql::assume() }
}

/// A DPC of an image of its own.
fn dpc<R: DpcRoutine>(routine: R) -> Result<Dpc<R>> {
    let mut irql = passive();
    let image = Image::new(&mut irql)?;
    Dpc::new(&image, routine, &mut irql)
}

#[test]
fn a_dpc_counts_in_its_image_until_it_is_dropped() {
    let kernel = Kernel::boot(Config::default());
    let mut irql = passive();
    let image = Image::new(&mut irql).unwrap();
    let counting = Arc::new(Counting::default());
    let dpc = Dpc::new(&image, Routine(counting), &mut irql).unwrap();
    assert_eq!(image.registered(&mut irql), 1);
    drop(dpc);
    assert_eq!(image.registered(&mut irql), 0);
    drop(image);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn a_dpc_runs_on_the_processor_it_is_aimed_at() {
    let kernel = Kernel::boot(Config::default());
    let counting = Arc::new(Counting::default());
    let dpc = dpc(Routine(Arc::clone(&counting))).unwrap();
    for processor in [3, 1, 2, 0] {
        dpc.set_target_processor(processor).unwrap();
        assert!(dpc.enqueue());
        until("the DPC", || {
            counting.runs[processor as usize].load(Ordering::Relaxed) == 1
        });
    }
    for processor in [4, 63, 64, u32::MAX] {
        assert_eq!(
            dpc.set_target_processor(processor),
            Err(Error::INVALID_PARAMETER)
        );
    }
    drop(dpc);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn dropping_a_dpc_waits_for_one_that_queues_itself() {
    let kernel = Kernel::boot(Config::default());
    for processor in 0..4 {
        let counting = Arc::new(Counting {
            again: AtomicBool::new(true),
            ..Counting::default()
        });
        let dpc = dpc(Routine(Arc::clone(&counting))).unwrap();
        dpc.set_target_processor(processor).unwrap();
        dpc.enqueue();
        until("a few runs", || {
            counting.runs[processor as usize].load(Ordering::Relaxed) > 3
        });
        drop(dpc);
        // The routine was dropped with it, so it does not run any more.
        assert_eq!(Arc::strong_count(&counting), 1);
    }
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// Tries to queue itself while it is being dropped.
struct Late(Arc<[AtomicBool; 3]>);

impl DpcRoutine for Late {
    fn run(&self, dpc: &DpcHandle<'_>, _: &mut Irql<Dispatch>) {
        let [running, dropping, queued] = &*self.0;
        running.store(true, Ordering::Release);
        until("the drop", || dropping.load(Ordering::Acquire));
        queued.store(dpc.enqueue(), Ordering::Release);
    }
}

#[test]
fn a_dpc_that_is_being_dropped_cannot_be_queued() {
    let kernel = Kernel::boot(Config::default());
    let flags = Arc::new([const { AtomicBool::new(false) }; 3]);
    let dpc = dpc(Late(Arc::clone(&flags))).unwrap();
    dpc.set_target_processor(1).unwrap();
    dpc.enqueue();
    let [running, dropping, queued] = &*flags;
    until("the DPC", || running.load(Ordering::Acquire));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Dropping shuts the queue at once and then waits for the routine.
            std::thread::sleep(Duration::from_millis(100));
            dropping.store(true, Ordering::Release);
        });
        drop(dpc);
    });
    assert!(!queued.load(Ordering::Acquire));
    assert_eq!(Arc::strong_count(&flags), 1);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn a_queued_dpc_is_not_queued_twice() {
    let kernel = Kernel::boot(Config::default());
    let counting = Arc::new(Counting::default());
    let dpc = Arc::new(dpc(Routine(Arc::clone(&counting))).unwrap());
    let queued = Arc::clone(&dpc);
    // The processor is busy meanwhile, so the DPC stays queued.
    let answers = kernel.run_dpc_on(1, move || {
        let answers = (queued.enqueue(), queued.enqueue());
        drop(queued);
        answers
    });
    assert_eq!(answers, (true, false));
    until("the DPC", || counting.runs[1].load(Ordering::Relaxed) == 1);
    assert_eq!(dpc.routine().0.runs[1].load(Ordering::Relaxed), 1);
    drop(dpc);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn a_refused_dpc_is_a_status() {
    let kernel = Kernel::boot(Config::default());
    // The image's allocation, then the DPC's, then its count in the image.
    for refused in 0..3 {
        kernel.fail_allocation(Some(refused));
        let counting = Arc::new(Counting::default());
        let dpc = dpc(Routine(Arc::clone(&counting)));
        assert_eq!(dpc.unwrap_err(), Error::INSUFFICIENT_RESOURCES);
        assert_eq!(Arc::strong_count(&counting), 1);
    }
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}

/// Runs `prepared` in prepare-hardware of a device, and `filtered` in its requirements filter.
fn probe(script: Script, messages: u32, check: impl FnOnce(&Lab, DeviceId)) {
    let lab = Lab::new(script);
    let device = lab.add(messages).unwrap();
    check(&lab, device);
    lab.kernel.remove_device(device).unwrap();
    assert!(lab.finish().iter().any(|step| step == "probed"));
}

#[test]
fn descriptors_are_values_that_only_an_update_changes() {
    let filtered = |script: &Script, requirements: &mut RequirementsList<'_>| {
        for mut list in requirements.alternatives() {
            let first = (0..list.count()).find(|index| {
                let interrupt = list
                    .get(*index)
                    .and_then(|descriptor| descriptor.interrupt());
                interrupt.is_some_and(|interrupt| interrupt.message)
            });
            let first = first.unwrap();
            let mut descriptor = list.get(first).unwrap();
            let before = descriptor.interrupt().unwrap();
            assert_eq!((before.messages(), before.policy_included), (1, false));
            descriptor
                .set_processors(ProcessorSet {
                    group: 0,
                    mask: 0b1010,
                })
                .unwrap();
            assert_eq!(list.get(first).unwrap().interrupt(), Some(before));

            list.update(first, &descriptor).unwrap();
            let after = list.get(first).unwrap().interrupt().unwrap();
            assert_eq!(
                (after.policy, after.processors.mask, after.policy_included),
                (4, 0b1010, true)
            );
            assert_eq!(
                (after.message, after.priority),
                (before.message, before.priority)
            );
            assert_eq!(
                list.update(list.count(), &descriptor),
                Err(Error::NOT_FOUND)
            );
        }
        script.note("probed");
    };
    let script = Script {
        interrupts: 2,
        filtered: Some(filtered),
        ..Script::default()
    };
    probe(script, 2, |lab, device| {
        assert!([1, 3].contains(&targets(lab, device)[0][0]))
    });
}

/// What a descriptor answers to processors of group 2, and what it asks for then.
fn ask_for_a_group(os: Os, expected: Result<()>) {
    let filtered = |script: &Script, requirements: &mut RequirementsList<'_>| {
        let list = requirements.alternatives().next().unwrap();
        let mut descriptor = list
            .descriptors()
            .find(|one| one.interrupt().is_some())
            .unwrap();
        let before = descriptor.interrupt();
        let answer = descriptor.set_processors(ProcessorSet { group: 2, mask: 1 });
        if answer.is_err() {
            assert_eq!(descriptor.interrupt(), before);
            descriptor
                .set_processors(ProcessorSet { group: 0, mask: 1 })
                .unwrap();
        }
        let interrupt = descriptor.interrupt().unwrap();
        let group = if answer.is_ok() { 2 } else { 0 };
        assert_eq!(
            (interrupt.policy, interrupt.processors),
            (4, ProcessorSet { group, mask: 1 })
        );
        script.note(format!("{answer:?}"));
    };
    let script = Script {
        filtered: Some(filtered),
        ..Script::default()
    };
    let config = Config {
        os,
        ..Config::default()
    };
    let lab = Lab::boot(config, script);
    let device = lab.add(1).unwrap();
    lab.kernel.remove_device(device).unwrap();
    let expected = format!("{expected:?}");
    assert!(lab.finish().contains(&expected), "{os:?}");
}

#[test]
fn a_processor_group_lies_above_the_policy_where_there_are_groups() {
    ask_for_a_group(Os::Win7, Ok(()));
    ask_for_a_group(Os::Win10, Ok(()));
}

#[test]
fn a_system_without_groups_refuses_a_processor_group() {
    ask_for_a_group(Os::VistaSp1, Err(Error::NOT_SUPPORTED));
}

#[test]
fn messages_can_be_removed_and_added() {
    let filtered = |script: &Script, requirements: &mut RequirementsList<'_>| {
        for mut list in requirements.alternatives() {
            let is_message = |one: &kmdf::IoDescriptor| {
                one.interrupt().is_some_and(|interrupt| interrupt.message)
            };
            let messages: Vec<_> = (0..list.count())
                .filter(|index| is_message(&list.get(*index).unwrap()))
                .collect();
            assert_eq!(messages.len(), 3);
            let message = list.get(messages[2]).unwrap();
            list.remove(messages[2]).unwrap();
            list.remove(messages[1]).unwrap();
            assert_eq!(list.remove(list.count()), Err(Error::NOT_FOUND));
            assert_eq!(list.descriptors().filter(is_message).count(), 1);

            let other = list
                .descriptors()
                .find(|one| one.interrupt().is_none())
                .unwrap();
            assert_eq!(list.append_message(&other), Err(Error::INVALID_PARAMETER));
            list.append_message(&message).unwrap();
            assert_eq!(list.descriptors().filter(is_message).count(), 2);
        }
        script.note("probed");
    };
    let script = Script {
        interrupts: 3,
        filtered: Some(filtered),
        ..Script::default()
    };
    probe(script, 3, |lab, device| {
        assert_eq!(lab.kernel.interrupts(device).len(), 2)
    });
}

#[test]
fn revoking_waits_for_who_uses_the_value() {
    let prepared: Probe = |script, _, _, irql| {
        let revocable = Revocable::new();
        assert_eq!(revocable.revoke(irql), None);
        assert!(revocable.access().is_none());
        for round in 0..3 {
            assert_eq!(revocable.install(round, irql), Ok(()));
            assert_eq!(revocable.install(9, irql), Err(9));
            let (inside, left) = (AtomicBool::new(false), AtomicBool::new(false));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let access = revocable.access().unwrap();
                    inside.store(true, Ordering::Release);
                    // Others come and go meanwhile, and are turned away once revoking has begun.
                    until("revoke", || revocable.access().is_none());
                    std::thread::sleep(Duration::from_millis(20));
                    assert_eq!(*access, round);
                    left.store(true, Ordering::Release);
                    drop(access);
                });
                until("the user", || inside.load(Ordering::Acquire));
                assert_eq!(revocable.revoke(irql), Some(round));
                assert!(left.load(Ordering::Acquire), "revoked under a user");
            });
        }
        script.note("probed");
    };
    let script = Script {
        prepared: Some(prepared),
        ..Script::default()
    };
    probe(script, 1, |_, _| {});
}

#[test]
fn what_does_not_fit_into_a_debugger_line_is_cut_off() {
    let kernel = Kernel::boot(Config::default());
    kmdf::debug_print(format_args!("{} of {}\n", 1, 2));
    kmdf::debug_print(format_args!("{:>600}{}", 'x', 'y'));
    kmdf::debug_print(format_args!("{0:y<300}{0:z<300}", 'x'));
    let printed: Vec<_> = kernel
        .events()
        .into_iter()
        .filter(|event| event.source == "driver")
        .map(|event| event.what)
        .collect();
    assert_eq!(printed[0], "1 of 2");
    assert_eq!(
        printed[2],
        format!("x{}x{}", "y".repeat(299), "z".repeat(210))
    );
    assert_eq!(printed.len(), 3);
    let verdict = kernel.shutdown();
    assert!(verdict.is_clean(), "{verdict}");
}
