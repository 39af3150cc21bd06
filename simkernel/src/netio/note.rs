//! What the trace keeps of the registrar's work, shown only when somebody looks.

use core::fmt;

use nmr_netdma::sys;

use super::handle::Handle;
use super::name::{Id, Name, Role};
use crate::kernel::{Owner, Thread};

/// One thing that the registrar did.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note {
    Registered {
        module: Name,
        interface: Id,
    },
    /// A callback returned. `status` is what it answered, if it answers.
    Called {
        binding: Handle,
        callback: &'static str,
        module: Name,
        peer: Name,
        status: Option<i32>,
    },
    Completed {
        binding: Handle,
        module: Name,
        peer: Name,
        inside: Option<Inside>,
    },
    Deregistering {
        handle: Handle,
        module: Name,
        inside: Option<Inside>,
    },
    Deregistered {
        handle: Handle,
        module: Name,
    },
}

/// The callback that a call came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inside {
    callback: &'static str,
    module: Option<Name>,
}

impl Inside {
    /// The innermost callback that the thread is in.
    pub(super) fn of(thread: &Thread) -> Option<Self> {
        thread.find_frame(|frame| {
            Some(Self {
                callback: frame.callback,
                module: match frame.owner {
                    Owner::Module(party) => Some(party.name()),
                    Owner::Name(_) => None,
                },
            })
        })
    }
}

/// `, in` the callback, or nothing.
struct In<'a>(&'a Option<Inside>);

impl fmt::Display for In<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Inside { callback, module }) = self.0 else {
            return Ok(());
        };
        write!(formatter, ", in {callback}")?;
        match module {
            Some(module) => write!(formatter, " of {module}"),
            None => Ok(()),
        }
    }
}

impl Note {
    /// Whether it is about this binding.
    pub(super) fn is_of(&self, of: Handle) -> bool {
        matches!(*self, Self::Called { binding, .. } | Self::Completed { binding, .. } if binding == of)
    }

    /// Whether it is the return of this callback for this binding.
    pub(super) fn is_call(&self, of: Handle, name: &str) -> bool {
        matches!(*self, Self::Called { binding, callback, .. } if binding == of && callback == name)
    }

    /// Whether this side of this binding completed its detach.
    pub(super) fn is_completion(&self, of: Handle, role: Role) -> bool {
        matches!(*self, Self::Completed { binding, module, .. } if binding == of && module.role == role)
    }

    /// Whether the deregistration of this module began.
    pub(super) fn is_deregistration(&self, of: Handle) -> bool {
        matches!(*self, Self::Deregistering { handle, .. } if handle == of)
    }

    /// Whether the deregistration of this module was complete.
    pub(super) fn is_end(&self, of: Handle) -> bool {
        matches!(*self, Self::Deregistered { handle, .. } if handle == of)
    }
}

/// A status, by name where the registrar's protocol has one.
pub(super) struct Answer(pub(super) i32);

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            sys::STATUS_SUCCESS => formatter.write_str("STATUS_SUCCESS"),
            sys::STATUS_PENDING => formatter.write_str("STATUS_PENDING"),
            sys::STATUS_NOINTERFACE => formatter.write_str("STATUS_NOINTERFACE"),
            sys::STATUS_INSUFFICIENT_RESOURCES => {
                formatter.write_str("STATUS_INSUFFICIENT_RESOURCES")
            }
            status => write!(formatter, "status {status:#010X}"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { module, interface } => {
                write!(formatter, "{module} registered for {interface}")
            }
            Self::Called {
                callback,
                module,
                peer,
                status: Some(status),
                ..
            } => {
                write!(
                    formatter,
                    "{callback} of {module}, peer {peer}: {}",
                    Answer(*status)
                )
            }
            Self::Called {
                callback,
                module,
                peer,
                status: None,
                ..
            } => {
                write!(formatter, "{callback} of {module}, peer was {peer}")
            }
            Self::Completed {
                module,
                peer,
                inside,
                ..
            } => {
                let inside = In(inside);
                write!(
                    formatter,
                    "{module} completed its detach from {peer}{inside}"
                )
            }
            Self::Deregistering { module, inside, .. } => {
                write!(formatter, "{module} is deregistering{}", In(inside))
            }
            Self::Deregistered { module, .. } => write!(formatter, "{module} deregistered"),
        }
    }
}
