//! What the trace keeps of the registrar's work, shown only when somebody looks.

use core::fmt;

use nmr_netdma::sys;

use super::name::{Id, Name};

/// One thing that the registrar did.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Note {
    Registered {
        module: Name,
        interface: Id,
    },
    /// A callback returned. `status` is what it answered, if it answers.
    Called {
        callback: &'static str,
        module: Name,
        peer: Name,
        status: Option<i32>,
    },
    Completed {
        module: Name,
        peer: Name,
    },
    Deregistering {
        module: Name,
    },
    Deregistered {
        module: Name,
    },
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
            } => {
                write!(formatter, "{callback} of {module}, peer was {peer}")
            }
            Self::Completed { module, peer } => {
                write!(formatter, "{module} completed its detach from {peer}")
            }
            Self::Deregistering { module } => write!(formatter, "{module} is deregistering"),
            Self::Deregistered { module } => write!(formatter, "{module} deregistered"),
        }
    }
}
