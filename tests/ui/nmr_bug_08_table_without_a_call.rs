//! The provider's functions are there for as long as a call lasts.

use nmr_netdma::nmr::{Binding, Npi};

fn keep<N: Npi>(binding: &Binding<N>) -> Option<&N::ProviderDispatch> {
    let guard = binding.enter()?;
    Some(guard.dispatch())
}

fn main() {}
