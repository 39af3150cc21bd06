//! The other module's functions are reached through a guard, and no longer than it lives.

use nmr_netdma::nmr::{Binding, Npi};

fn without<N: Npi>(binding: &Binding<N>) -> &N::ProviderDispatch {
    binding.dispatch()
}

fn after<N: Npi>(binding: &Binding<N>) -> Option<&N::ProviderDispatch> {
    binding.call(|provider| provider.dispatch())
}

fn main() {}
