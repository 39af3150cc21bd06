//! `NTSTATUS`: what the kernel answers ([`Status`]) and what went wrong ([`Error`]).
//!
//! # Design
//!
//! A status is an integer with constants, not an enum: the kernel may hand over any value. [`Error`] cannot hold a success
//! code, so a callback that returns `Result` cannot report a refusal that the kernel would take for agreement.
//! Protocol answers are compared with their documented set by the module that asks; [`Status::is_success`] is for calls
//! whose documentation speaks of success and failure only, because `STATUS_PENDING` is a success code.

use core::fmt;
use core::num::NonZeroI32;

use crate::sys;

/// What a kernel function answered, any `NTSTATUS`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
#[must_use = "a status may report a failure"]
#[doc(alias = "NTSTATUS")]
pub struct Status(pub i32);

/// A failed `NTSTATUS`.
///
/// # Invariants
///
/// The code is negative: its severity is warning or error, which `NT_SUCCESS` refuses.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Error(NonZeroI32);

/// The result of a kernel operation.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Status {
    /// The operation completed.
    pub const SUCCESS: Self = Self(sys::STATUS_SUCCESS);
    /// The operation has begun and completes later. A success code.
    pub const PENDING: Self = Self(sys::STATUS_PENDING);

    /// Whether the severity is success or information, as the macro `NT_SUCCESS` judges.
    #[doc(alias = "NT_SUCCESS")]
    pub const fn is_success(self) -> bool {
        self.0 >= 0
    }

    /// `Ok` for a success code, the error otherwise.
    ///
    /// # Errors
    ///
    /// The status itself, if it is not a success code.
    pub const fn into_result(self) -> Result<()> {
        match Error::new(self) {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// The code that a callback returns for `result`.
    pub const fn from_result(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::SUCCESS,
            Err(error) => error.status(),
        }
    }
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:ident;)*) => {
        impl Error {
            $($(#[$doc])* pub const $name: Self = Self::known(sys::$code);)*
        }

        /// The names under which codes are shown.
        const NAMES: &[(i32, &str)] = &[
            (sys::STATUS_SUCCESS, "STATUS_SUCCESS"),
            (sys::STATUS_PENDING, "STATUS_PENDING"),
            $((sys::$code, stringify!($code)),)*
        ];
    };
}

errors! {
    /// Something failed without a better code.
    UNSUCCESSFUL = STATUS_UNSUCCESSFUL;
    /// An argument is not acceptable.
    INVALID_PARAMETER = STATUS_INVALID_PARAMETER;
    /// No memory, or no free channel.
    INSUFFICIENT_RESOURCES = STATUS_INSUFFICIENT_RESOURCES;
    /// The documented refusal of an NMR attach: these two modules do not bind.
    NO_INTERFACE = STATUS_NOINTERFACE;
    /// This system does not offer the operation.
    NOT_SUPPORTED = STATUS_NOT_SUPPORTED;
    /// The object is in a state that does not allow the operation.
    INVALID_DEVICE_STATE = STATUS_INVALID_DEVICE_STATE;
    /// The device is not ready.
    DEVICE_NOT_READY = STATUS_DEVICE_NOT_READY;
    /// The request is not valid for this device.
    INVALID_DEVICE_REQUEST = STATUS_INVALID_DEVICE_REQUEST;
    /// The assigned resources do not fit the device.
    DEVICE_CONFIGURATION_ERROR = STATUS_DEVICE_CONFIGURATION_ERROR;
    /// A structure has the wrong size.
    INFO_LENGTH_MISMATCH = STATUS_INFO_LENGTH_MISMATCH;
    /// A structure has an unknown revision.
    REVISION_MISMATCH = STATUS_REVISION_MISMATCH;
    /// The buffer is too small.
    BUFFER_TOO_SMALL = STATUS_BUFFER_TOO_SMALL;
    /// What was asked for does not exist.
    NOT_FOUND = STATUS_NOT_FOUND;
    /// The operation was cancelled.
    CANCELLED = STATUS_CANCELLED;
    /// There is nothing of that name.
    OBJECT_NAME_NOT_FOUND = STATUS_OBJECT_NAME_NOT_FOUND;
    /// What is there is of another type.
    OBJECT_TYPE_MISMATCH = STATUS_OBJECT_TYPE_MISMATCH;
    /// There was more than the buffer holds. A warning, in C's terms.
    BUFFER_OVERFLOW = STATUS_BUFFER_OVERFLOW;
    /// The device is busy.
    DEVICE_BUSY = STATUS_DEVICE_BUSY;
}

impl Error {
    /// The error in `status`, or `None` for a success code.
    pub const fn new(status: Status) -> Option<Self> {
        if status.0 >= 0 {
            return None;
        }
        match NonZeroI32::new(status.0) {
            Some(code) => Some(Self(code)),
            None => None,
        }
    }

    const fn known(code: i32) -> Self {
        match Self::new(Status(code)) {
            Some(error) => error,
            None => panic!("a success code is no error"),
        }
    }

    /// The error as the kernel knows it.
    pub const fn status(self) -> Status {
        Status(self.0.get())
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(code, _)| *code == self.0) {
            Some((_, name)) => formatter.write_str(name),
            None => write!(formatter, "NTSTATUS {:#010X}", self.0),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.status(), formatter)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.status(), formatter)
    }
}

impl core::error::Error for Error {}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        error.status()
    }
}
