//! A module of an interface with functions cannot give none.

use nmr_netdma::irql::{Irql, Passive};
use nmr_netdma::nmr::{Client, Decision, Dispatch, Npi, Offer, Table};

#[derive(Clone, Copy)]
#[repr(C)]
struct Functions {
    done: Option<unsafe extern "system" fn()>,
}

unsafe impl Table for Functions {}

fn accept<'a, C>(offer: Offer<'a, C>, irql: &mut Irql<Passive>) -> Decision<'a>
where
    C: Client<Context = ()>,
    C::Npi: Npi<ClientDispatch = Functions>,
{
    match offer.accept((), Dispatch::none(), irql) {
        Ok(decision) => decision,
        Err(refused) => refused.decline(),
    }
}

fn main() {}
