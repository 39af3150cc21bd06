//! The order of a device's callbacks, from the filtering of its requirements to its removal.
//!
//! | on the way | callbacks |
//! |---|---|
//! | requirements | FilterRemoveResourceRequirements, the framework's policies, FilterAddResourceRequirements |
//! | start | RemoveAddedResources, PrepareHardware, then up |
//! | up | D0Entry; each interrupt connected and enabled; D0EntryPostInterruptsEnabled; queues present; SelfManagedIoInit or Restart |
//! | down | SelfManagedIoSuspend; queues hold; D0ExitPreInterruptsDisabled; each interrupt disabled and disconnected, newest first; D0Exit |
//! | stop | down, ReleaseHardware |
//! | removal | SurpriseRemoval if it was one; stop; interfaces disabled, queues purged; SelfManagedIoFlush, SelfManagedIoCleanup; deletion |
//!
//! Failures on the way down are recorded and stop nothing.
#![expect(unsafe_code, reason = "see the parent module")]

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use nmr_netdma::sys;

use super::device::{self, Device};
use super::interrupt;
use super::object::Ref;
use super::queue;
use super::resources::{with_requirements, with_resources};
use super::{callback, status_text, violation};
use crate::kernel::Machine;
use crate::pnp::descriptors::Requirements;
use crate::pnp::node::{Node, Phase};

/// `WdfPowerDeviceD3`
const D3: i32 = sys::_WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3;
/// `WdfPowerDeviceD3Final`
const D3_FINAL: i32 = sys::_WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3Final;

/// A driver's callbacks on the way of one device.
struct Driver<'a> {
    machine: &'a Arc<Machine>,
    device: Ref<Device>,
}

impl Driver<'_> {
    fn name(&self) -> &str {
        &self.device.node.name
    }

    /// Calls one of the callbacks, if the driver has it. `call` is told the device's handle.
    fn call<F>(
        &self,
        name: &'static str,
        routine: Option<F>,
        call: impl FnOnce(F, sys::WDFDEVICE) -> sys::NTSTATUS,
    ) -> sys::NTSTATUS {
        let Some(routine) = routine else {
            return sys::STATUS_SUCCESS;
        };
        self.machine
            .trace("wdf", format_args!("{}: {name}", self.name()));
        let handle = self.device.handle();
        let status = callback(name, self.name(), self.device.object().handle, 0, || {
            call(routine, handle)
        });
        if status == sys::STATUS_NOT_SUPPORTED {
            self.machine.violated(
                &violation::STATUS,
                format_args!("{name} of {} returned it", self.name()),
            );
        }
        if !sys::NT_SUCCESS(status) {
            self.machine.trace(
                "wdf",
                format_args!(
                    "{}: {name} failed with {}",
                    self.name(),
                    status_text(status)
                ),
            );
        }
        status
    }

    /// Calls one of the callbacks that return nothing.
    fn tell<F>(
        &self,
        name: &'static str,
        routine: Option<F>,
        call: impl FnOnce(F, sys::WDFDEVICE),
    ) {
        self.call(name, routine, |routine, device| {
            call(routine, device);
            sys::STATUS_SUCCESS
        });
    }

    /// To D0.
    fn up(&self, previous: i32) -> Result<(), Failure> {
        let callbacks = self.device.pnp();
        let status = self.call(
            "EvtDeviceD0Entry",
            callbacks.EvtDeviceD0Entry,
            |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists.
                unsafe { routine(device, previous) }
            },
        );
        if !sys::NT_SUCCESS(status) {
            return Err(Failure {
                status,
                flush: false,
            });
        }
        let mut status = sys::STATUS_SUCCESS;
        for interrupt in self.device.interrupts(self.machine) {
            status = interrupt::connect(self.machine, &interrupt);
            if !sys::NT_SUCCESS(status) {
                break;
            }
        }
        if sys::NT_SUCCESS(status) {
            let routine = callbacks.EvtDeviceD0EntryPostInterruptsEnabled;
            status = self.call(
                "EvtDeviceD0EntryPostInterruptsEnabled",
                routine,
                |routine, device| {
                    // SAFETY: the driver gave this routine for this device, which exists.
                    unsafe { routine(device, previous) }
                },
            );
        }
        if !sys::NT_SUCCESS(status) {
            self.interrupts_off(false);
            self.d0_exit(D3_FINAL);
            return Err(Failure {
                status,
                flush: false,
            });
        }
        queue::release(self.machine, &self.device);
        self.device.flushed().store(false, Ordering::Relaxed);
        let first = !self.device.self_managed().swap(true, Ordering::Relaxed);
        let (name, routine) = if first {
            (
                "EvtDeviceSelfManagedIoInit",
                callbacks.EvtDeviceSelfManagedIoInit,
            )
        } else {
            (
                "EvtDeviceSelfManagedIoRestart",
                callbacks.EvtDeviceSelfManagedIoRestart,
            )
        };
        let status = self.call(name, routine, |routine, device| {
            // SAFETY: the driver gave this routine for this device, which exists.
            unsafe { routine(device) }
        });
        if !sys::NT_SUCCESS(status) {
            self.leave_d0(D3_FINAL, false);
            return Err(Failure {
                status,
                flush: true,
            });
        }
        Ok(())
    }

    /// From D0 to `target`, interrupts and all, after self-managed I/O is suspended.
    fn down(&self, target: i32, stay_connected: bool) {
        let routine = self.device.pnp().EvtDeviceSelfManagedIoSuspend;
        self.call(
            "EvtDeviceSelfManagedIoSuspend",
            routine,
            |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists.
                unsafe { routine(device) }
            },
        );
        self.leave_d0(target, stay_connected);
    }

    fn leave_d0(&self, target: i32, stay_connected: bool) {
        queue::hold(self.machine, &self.device);
        let routine = self.device.pnp().EvtDeviceD0ExitPreInterruptsDisabled;
        self.call(
            "EvtDeviceD0ExitPreInterruptsDisabled",
            routine,
            |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists.
                unsafe { routine(device, target) }
            },
        );
        self.interrupts_off(stay_connected);
        self.d0_exit(target);
    }

    fn interrupts_off(&self, stay_connected: bool) {
        for interrupt in self.device.interrupts(self.machine).iter().rev() {
            interrupt::disconnect(self.machine, interrupt, stay_connected);
        }
    }

    fn d0_exit(&self, target: i32) {
        self.call(
            "EvtDeviceD0Exit",
            self.device.pnp().EvtDeviceD0Exit,
            |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists.
                unsafe { routine(device, target) }
            },
        );
    }

    fn release_hardware(&self) {
        // Non-pageable devices keep their interrupts connected in Dx, but not without resources.
        self.interrupts_off(false);
        let translated = self
            .device
            .node
            .with_assignment(|assignment| assignment.translated.clone());
        let driver = &self.device.object().driver;
        with_resources(
            self.machine,
            driver,
            [&[], &translated],
            false,
            |_, translated| {
                self.call(
                    "EvtDeviceReleaseHardware",
                    self.device.pnp().EvtDeviceReleaseHardware,
                    |routine, device| {
                        // SAFETY: the driver gave this routine for this device, which exists, as does the list.
                        unsafe { routine(device, translated) }
                    },
                )
            },
        );
    }

    fn flush(&self) {
        if self.device.flushed().swap(true, Ordering::Relaxed) {
            return;
        }
        self.tell(
            "EvtDeviceSelfManagedIoFlush",
            self.device.pnp().EvtDeviceSelfManagedIoFlush,
            |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists.
                unsafe { routine(device) }
            },
        );
    }

    fn clear_interrupts(&self) {
        for interrupt in self.device.interrupts(self.machine) {
            interrupt.clear();
        }
    }
}

/// Why a device did not come up.
struct Failure {
    status: sys::NTSTATUS,
    /// Self-managed I/O was tried, so it is flushed after the hardware is released.
    flush: bool,
}

fn of<'a>(machine: &'a Arc<Machine>, node: &Node) -> Option<Driver<'a>> {
    Some(Driver {
        machine,
        device: device::of(machine, node)?,
    })
}

/// IRP_MN_FILTER_RESOURCE_REQUIREMENTS: what the driver makes of the list that the bus asks for.
pub(crate) fn filter(
    machine: &Arc<Machine>,
    node: &Node,
    list: Vec<u32>,
) -> Result<Vec<u32>, sys::NTSTATUS> {
    let Some(driver) = of(machine, node) else {
        return Ok(list);
    };
    let Ok(mut requirements) = Requirements::decode(&list) else {
        return Err(sys::STATUS_INVALID_PARAMETER);
    };
    let callbacks = driver.device.fdo();
    let run = |name,
               routine: sys::PFN_WDF_DEVICE_FILTER_RESOURCE_REQUIREMENTS,
               requirements: &mut Requirements| {
        let Some(routine) = routine else {
            return Ok::<_, sys::NTSTATUS>(());
        };
        let changed = with_requirements(
            machine,
            &driver.device.object().driver,
            requirements,
            |list| {
                driver.call(name, Some(routine), |routine, device| {
                    // SAFETY: the driver gave this routine for this device, which exists, as does the list.
                    unsafe { routine(device, list) }
                })
            },
        )?;
        if let Some(changed) = changed {
            machine.trace(
                "wdf",
                format_args!("{}: {name} changed the requirements", node.name),
            );
            *requirements = changed;
        }
        Ok(())
    };
    let remove = callbacks.EvtDeviceFilterRemoveResourceRequirements;
    run(
        "EvtDeviceFilterRemoveResourceRequirements",
        remove,
        &mut requirements,
    )?;
    interrupt::apply_policies(&driver.device.interrupts(machine), &mut requirements);
    let add = callbacks.EvtDeviceFilterAddResourceRequirements;
    run(
        "EvtDeviceFilterAddResourceRequirements",
        add,
        &mut requirements,
    )?;
    Ok(requirements.encode())
}

/// IRP_MN_START_DEVICE, with what the node was assigned.
pub(crate) fn start(machine: &Arc<Machine>, node: &Node) -> sys::NTSTATUS {
    let Some(driver) = of(machine, node) else {
        return sys::STATUS_SUCCESS;
    };
    let (raw, translated, vectors) = node.with_assignment(|assignment| {
        (
            assignment.raw.clone(),
            assignment.translated.clone(),
            assignment.vectors.clone(),
        )
    });
    let owner = &driver.device.object().driver;
    if let Some(routine) = driver.device.fdo().EvtDeviceRemoveAddedResources {
        let status = with_resources(
            machine,
            owner,
            [&raw, &translated],
            true,
            |raw, translated| {
                driver.call(
                    "EvtDeviceRemoveAddedResources",
                    Some(routine),
                    |routine, device| {
                        // SAFETY: the driver gave this routine for this device, which exists, as do the lists.
                        unsafe { routine(device, raw, translated) }
                    },
                )
            },
        );
        if !sys::NT_SUCCESS(status) {
            return status;
        }
    }
    let interrupts = driver.device.interrupts(machine);
    interrupt::assign(&interrupts, [&raw, &translated], &vectors);
    let status = with_resources(
        machine,
        owner,
        [&raw, &translated],
        false,
        |raw, translated| {
            let routine = driver.device.pnp().EvtDevicePrepareHardware;
            driver.call("EvtDevicePrepareHardware", routine, |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists, as do the lists.
                unsafe { routine(device, raw, translated) }
            })
        },
    );
    let failure = if sys::NT_SUCCESS(status) {
        driver.up(D3_FINAL).err()
    } else {
        Some(Failure {
            status,
            flush: false,
        })
    };
    let Some(failure) = failure else {
        driver.device.interfaces.enable(true);
        return sys::STATUS_SUCCESS;
    };
    driver.release_hardware();
    if failure.flush {
        driver.flush();
    }
    driver.clear_interrupts();
    failure.status
}

/// Asks the driver whether the device may be removed, or stopped.
pub(crate) fn query(machine: &Arc<Machine>, node: &Node, remove: bool) -> sys::NTSTATUS {
    let Some(driver) = of(machine, node) else {
        return sys::STATUS_SUCCESS;
    };
    let callbacks = driver.device.pnp();
    let (name, routine) = if remove {
        ("EvtDeviceQueryRemove", callbacks.EvtDeviceQueryRemove)
    } else {
        ("EvtDeviceQueryStop", callbacks.EvtDeviceQueryStop)
    };
    driver.call(name, routine, |routine, device| {
        // SAFETY: the driver gave this routine for this device, which exists.
        unsafe { routine(device) }
    })
}

/// Takes the device's resources away; it can be started again.
pub(crate) fn stop(machine: &Arc<Machine>, node: &Node) {
    let Some(driver) = of(machine, node) else {
        return;
    };
    if node.phase() == Phase::Started {
        driver.down(D3_FINAL, false);
    }
    driver.release_hardware();
    driver.clear_interrupts();
}

/// From D0 to D3.
pub(crate) fn sleep(machine: &Arc<Machine>, node: &Node) {
    if let Some(driver) = of(machine, node) {
        driver.down(D3, !driver.device.pageable());
    }
}

/// From D3 to D0. A device that fails has its hardware released and is to be torn down.
pub(crate) fn wake(machine: &Arc<Machine>, node: &Node) -> sys::NTSTATUS {
    let Some(driver) = of(machine, node) else {
        return sys::STATUS_SUCCESS;
    };
    match driver.up(D3) {
        Ok(()) => sys::STATUS_SUCCESS,
        Err(Failure { status, .. }) => {
            driver.release_hardware();
            driver.clear_interrupts();
            status
        }
    }
}

/// IRP_MN_SURPRISE_REMOVAL, its first step.
pub(crate) fn surprise(machine: &Arc<Machine>, node: &Node) {
    if let Some(driver) = of(machine, node) {
        driver.tell(
            "EvtDeviceSurpriseRemoval",
            driver.device.pnp().EvtDeviceSurpriseRemoval,
            |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists.
                unsafe { routine(device) }
            },
        );
    }
}

/// The rest of a removal: the device is deleted.
pub(crate) fn remove(machine: &Arc<Machine>, node: &Node) {
    let Some(driver) = of(machine, node) else {
        return;
    };
    let phase = node.phase();
    if matches!(phase, Phase::Started | Phase::Asleep) {
        if phase == Phase::Started {
            driver.down(D3_FINAL, false);
        }
        driver.release_hardware();
    }
    driver.device.interfaces.enable(false);
    queue::purge(machine, &driver.device, true);
    let tried = driver.device.self_managed().load(Ordering::Relaxed);
    if tried {
        driver.flush();
    }
    driver.clear_interrupts();
    queue::purge(machine, &driver.device, false);
    if tried {
        let routine = driver.device.pnp().EvtDeviceSelfManagedIoCleanup;
        driver.tell(
            "EvtDeviceSelfManagedIoCleanup",
            routine,
            |routine, device| {
                // SAFETY: the driver gave this routine for this device, which exists.
                unsafe { routine(device) }
            },
        );
    }
    device::delete(machine, &driver.device);
}
