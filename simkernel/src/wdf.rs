use alloc::sync::Arc;
use alloc::vec::Vec;
use crate::kernel::{Config, Machine};
use crate::verifier::Leak;
pub(crate) struct State {}
impl State { pub(crate) fn new(_config: &Config) -> Self { Self {} } }
pub(crate) fn leaks(_machine: &Arc<Machine>, _leaks: &mut Vec<Leak>) {}
