//! References to device objects.
//!
//! # Design
//!
//! A device object stays in memory as long as the machine, so that a reference that was given up too early is found out and not
//! followed. The references are counted for that, and so that none is left at the end.
//!
//! # Safety
//!
//! The functions look at no memory of the caller's.
#![expect(unsafe_code, reason = "defines functions with C names")]

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use nmr_netdma::sys::PVOID;

use super::node::{Node, Phase};
use super::violation;
use crate::ke;
use crate::kernel;

fn find(function: &'static str, object: PVOID) -> Option<Arc<Node>> {
    ke::require(function, ke::PASSIVE..=ke::DISPATCH);
    let machine = kernel::machine();
    let node = super::nodes(machine)
        .into_iter()
        .find(|node| node.pdo().addr() == object.addr());
    if node.is_none() {
        machine.violated(
            &violation::OBJECT,
            format_args!("{function}: {object:p} is no device object of a bus driver"),
        );
    }
    node
}

/// Takes a reference to a device object; how many there are then.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn ObfReferenceObject(object: PVOID) -> isize {
    const FUNCTION: &str = "ObfReferenceObject";

    let Some(node) = find(FUNCTION, object) else {
        return 0;
    };
    if node.phase() == Phase::Removed && node.references().load(Ordering::Relaxed) == 0 {
        kernel::machine().violated(
            &violation::OBJECT,
            format_args!("{FUNCTION}: {} is gone", node.name),
        );
    }
    node.references().fetch_add(1, Ordering::Relaxed) + 1
}

/// Gives a reference to a device object up; how many are left.
///
/// # Safety
///
/// None beyond being called in a machine.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn ObfDereferenceObject(object: PVOID) -> isize {
    const FUNCTION: &str = "ObfDereferenceObject";

    let Some(node) = find(FUNCTION, object) else {
        return 0;
    };
    let left = node.references().fetch_sub(1, Ordering::Relaxed) - 1;
    if left < 0 {
        kernel::machine().violated(
            &violation::OBJECT,
            format_args!("{FUNCTION}: nobody refers to {}", node.name),
        );
    }
    left
}
