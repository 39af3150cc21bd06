//! A module type that is a subtype of another has binding contexts of its own: functions of one convert to those of the other in neither
//! direction.

use nmr_netdma::nmr::{Dispatch, ToClient};

struct Module<F>(F);
type Sub = Module<for<'a> fn(&'a u8)>;
type Super = Module<fn(&'static u8)>;

fn of_the_supertype(functions: Dispatch<Sub, ToClient, ()>) -> Dispatch<Super, ToClient, ()> {
    functions
}

fn of_the_subtype(functions: Dispatch<Super, ToClient, ()>) -> Dispatch<Sub, ToClient, ()> {
    functions
}

fn main() {}
