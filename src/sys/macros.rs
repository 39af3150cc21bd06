//! Notation for the tables of C names.

/// A C `enum`: a module named after its tag with the values, and the type under its public name.
macro_rules! c_enum {
    ($tag:ident, $name:ident { $($value:ident = $number:expr,)* }) => {
        pub mod $tag {
            pub type Type = i32;
            $(pub const $value: Type = $number;)*
        }
        pub type $name = $tag::Type;
    };
}

/// Structures that only ever occur behind a pointer.
macro_rules! opaque {
    ($($name:ident)*) => {
        $(
            #[repr(C)]
            #[derive(Debug)]
            pub struct $name {
                _opaque: [u8; 0],
            }
        )*
    };
}
