//! [`Image`]: counts what one loaded driver has registered, so that it is not unloaded under a live registration.
//!
//! A driver's entry makes an [`Image`] and lends it to everything that registers a callback with the system. Each
//! registration takes a [`Hold`] before the system knows of it, and gives it up after the system has let go. The unload path
//! ends in [`Image::wait_empty`].
//!
//! A registration that was leaked (`core::mem::forget`) can still be called by the system. Then unloading stalls and says
//! in the debugger what is left, instead of unmapping code that is still to be called.
//!
//! # Design
//!
//! * **No global list.** The image is a value, because a host process holds several drivers, and a test several machines.
//! * **A list, not a number,** so that the stall can be diagnosed. Each hold owns its list node, so a registration costs one
//!   small block more; to embed the node in the registration would make every registration's block pinned and its unlinking
//!   unsafe.
//! * **Polling.** Unloading is rare, and mostly finds nothing left. An event would have to be signalled under the lock and
//!   could still be touched by the signalling thread when the waiter frees it.
//!
//! # Safety
//!
//! The unsafe code of this file links the nodes, which their holds own, under the list's lock, and waits.
#![expect(unsafe_code, reason = "keeps a linked list and waits")]

mod lock;

use core::fmt;
use core::ptr::NonNull;

use crate::context::{PoolBox, Shared};
use crate::debug::debug_print;
use crate::guid::Guid;
use crate::irql::{AtMostDispatch, Irql, Passive};
use crate::status::{Error, Result};
use crate::sys;

pub use self::lock::SpinLock;

/// How long [`Image::wait_empty`] sleeps between two looks, in milliseconds.
const INTERVAL: u64 = 10;
/// After how many looks it says what is left: two seconds.
const PATIENCE: u64 = 200;

/// What one loaded driver has registered with the system. Cloning it makes another handle to the same image.
#[derive(Clone)]
pub struct Image(Shared<SpinLock<List>>);

/// One registration of an [`Image`]. Made before the system knows of it, dropped after the system has let go.
///
/// Dropped at or below `DISPATCH_LEVEL`.
#[must_use = "dropping it says that nothing is registered any more"]
pub struct Hold {
    image: Image,
    node: PoolBox<Node>,
}

/// Which of its kind a registration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// An interface, a provider: what is known by a GUID.
    Guid(Guid),
    /// An object's address, a device's number.
    Number(usize),
    /// A module of an interface: the interface, and the module's own identifier.
    Module(Guid, Guid),
    /// A module of an interface that is known by a locally unique identifier: the interface, and that.
    Luid(Guid, u64),
}

impl From<Guid> for Name {
    fn from(guid: Guid) -> Self {
        Self::Guid(guid)
    }
}

impl From<usize> for Name {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(guid) => guid.fmt(formatter),
            Self::Number(number) => write!(formatter, "{number:#x}"),
            Self::Module(interface, module) => write!(formatter, "{interface}, module {module}"),
            Self::Luid(interface, luid) => write!(formatter, "{interface}, module luid {luid:#x}"),
        }
    }
}

/// # Invariants
///
/// `first` and the `next` of each node lead through all nodes of this list, ending in `None`; the `previous` lead back.
/// Each is the node of a live [`Hold`].
#[derive(Default)]
struct List {
    first: Option<NonNull<Node>>,
}

struct Node {
    kind: &'static str,
    name: Name,
    next: Option<NonNull<Node>>,
    previous: Option<NonNull<Node>>,
}

// SAFETY: a node's links are used under the list's lock only, whichever thread that is.
unsafe impl Send for Node {}
// SAFETY: a shared node gives access to nothing but under the list's lock.
unsafe impl Sync for Node {}
// SAFETY: the list is pointers to nodes, which are `Send` and used under the lock only.
unsafe impl Send for List {}

impl Image {
    /// An image that has nothing registered.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`].
    pub fn new(irql: &mut Irql<AtMostDispatch>) -> Result<Self> {
        match Shared::try_new(SpinLock::default(), irql) {
            Ok(list) => Ok(Self(list)),
            Err(_) => Err(Error::INSUFFICIENT_RESOURCES),
        }
    }

    /// Counts a registration that is about to be made: `kind` says of what sort, for the diagnosis, and `name` which.
    ///
    /// # Errors
    ///
    /// [`Error::INSUFFICIENT_RESOURCES`].
    pub fn hold(
        &self,
        kind: &'static str,
        name: impl Into<Name>,
        irql: &mut Irql<AtMostDispatch>,
    ) -> Result<Hold> {
        let node = Node {
            kind,
            name: name.into(),
            next: None,
            previous: None,
        };
        let node = PoolBox::try_new(node, irql).map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        let link = node.as_ptr();
        self.0.with(irql, |list, _| {
            // SAFETY: the list's lock is held, and the node is new: in no list, and alive in the hold made below.
            unsafe { list.link(link) };
        });
        Ok(Hold {
            image: self.clone(),
            node,
        })
    }

    /// How many registrations are left.
    pub fn registered(&self, irql: &mut Irql<AtMostDispatch>) -> usize {
        let mut count = 0;
        self.for_each(|_, _| count += 1, irql);
        count
    }

    /// Calls `visit` with kind and name of each registration that is left, the newest first, at `DISPATCH_LEVEL` and under a
    /// lock: `visit` must not register or deregister anything.
    fn for_each(&self, mut visit: impl FnMut(&'static str, Name), irql: &mut Irql<AtMostDispatch>) {
        self.0.with(irql, |list, _| {
            let mut next = list.first;
            while let Some(node) = next {
                // SAFETY: by the list's invariant the node is a live hold's, and the list's lock is held.
                let node = unsafe { node.as_ref() };
                visit(node.kind, node.name);
                next = node.next;
            }
        });
    }

    /// Waits until nothing is registered any more. The last thing that an unloading driver does.
    ///
    /// If that takes longer than two seconds, it says in the debugger what is left, and again every two seconds.
    pub fn wait_empty(&self, irql: &mut Irql<Passive>) {
        let mut looks: u64 = 0;
        while self.registered(irql) != 0 {
            looks += 1;
            if looks.is_multiple_of(PATIENCE) {
                self.print_what_is_left(irql);
            }
            sleep(INTERVAL, irql);
        }
    }

    fn print_what_is_left(&self, irql: &mut Irql<Passive>) {
        let print = |kind, name| {
            debug_print(format_args!("nmr-netdma: unload waits for {kind} {name}\n"));
        };
        self.for_each(print, irql);
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Image").finish_non_exhaustive()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // SAFETY: a hold is dropped at or below DISPATCH_LEVEL, as its documentation demands.
        let mut irql = unsafe { Irql::<AtMostDispatch>::assume() };
        let node = self.node.as_ptr();
        self.image.0.with(&mut irql, |list, _| {
            // SAFETY: the list's lock is held; `hold` linked the node into this list, and only here it is taken out.
            unsafe { list.unlink(node) };
        });
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The other members are not read: they change under the list's lock.
        formatter.debug_struct("Hold").finish_non_exhaustive()
    }
}

impl List {
    /// # Safety
    ///
    /// The list's lock is held; `node` is in no list, and stays where it is and alive until it is unlinked.
    unsafe fn link(&mut self, node: NonNull<Node>) {
        let next = self.first.replace(node);
        // SAFETY: the node is alive by contract and, under the lock, nobody else touches it.
        unsafe { (*node.as_ptr()).next = next };
        if let Some(next) = next {
            // SAFETY: by the list's invariant its nodes are alive, and the lock is held.
            unsafe { (*next.as_ptr()).previous = Some(node) };
        }
    }

    /// # Safety
    ///
    /// The list's lock is held and `node` is in this list.
    unsafe fn unlink(&mut self, node: NonNull<Node>) {
        // SAFETY: the node is in the list, so it is alive, and the lock is held.
        let Node { next, previous, .. } = *unsafe { node.as_ref() };
        match previous {
            // SAFETY: by the list's invariant its nodes are alive, and the lock is held.
            Some(previous) => unsafe { (*previous.as_ptr()).next = next },
            None => self.first = next,
        }
        if let Some(next) = next {
            // SAFETY: as above.
            unsafe { (*next.as_ptr()).previous = previous };
        }
    }
}

/// Sleeps for about `milliseconds`.
pub(crate) fn sleep(milliseconds: u64, _irql: &mut Irql<Passive>) {
    // Negative: from now on, in units of 100 nanoseconds.
    let mut interval = sys::LARGE_INTEGER {
        QuadPart: -10_000 * milliseconds.cast_signed(),
    };
    let mode = sys::_MODE::KernelMode as sys::KPROCESSOR_MODE;
    // SAFETY: the level is PASSIVE_LEVEL, as the caller's proof says, and the interval lives during the call.
    // The answer tells how the wait ended, which the caller finds out by looking again.
    let _ = unsafe { sys::KeDelayExecutionThread(mode, 0, &raw mut interval) };
}
