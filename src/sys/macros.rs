//! Notation for the tables of C names.

/// A C `enum`: a module named after its tag with the values, and the type under its public name. One without a tag has a module of
/// its public name, and its type is `Type` there.
macro_rules! c_enum {
    ($tag:ident, $name:ident { $($value:ident = $number:expr,)* }) => {
        c_enum!($tag { $($value = $number,)* });
        pub type $name = $tag::Type;
    };
    ($tag:ident { $($value:ident = $number:expr,)* }) => {
        pub mod $tag {
            pub type Type = i32;
            $(pub const $value: Type = $number;)*
        }
        same_in_the_kit! { $($tag::$value)* }
    };
}

/// Constants that the kit has too.
macro_rules! constants {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(pub const $name: $type = $value;)*
        same_in_the_kit! { $($name)* }
    };
}

/// Where the kit is there, the values written out here are held against its own.
macro_rules! same_in_the_kit {
    ($($($path:ident)::+)*) => {
        #[cfg(all(feature = "wdk", windows))]
        const _: () = {
            $(assert!(wdk_sys::$($path)::+ == $($path)::+, stringify!($($path)::+));)*
        };
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
