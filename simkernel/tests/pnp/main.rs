//! The framework and the Plug and Play manager, driven by a small driver written as in C.
//!
//! What the driver does is told to it by a [`driver::Script`], which it finds in a thread-local while it is added and in its device's
//! context afterwards. Each callback notes its name there.
#![expect(unsafe_code, reason = "a driver in the manner of C")]

/// Calls a C function. The driver keeps the function's rules, or breaks one on purpose.
macro_rules! c {
    ($function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: pointers among the arguments are to locals that live through the call, to what the framework handed out,
        // or are the wrong ones that the test is about, which the simulated framework does not follow.
        unsafe { sys::$function($($argument),*) }
    };
}

mod assignment;
mod driver;
mod functions;
mod interrupts;
mod life;
mod machine;
mod objects;
