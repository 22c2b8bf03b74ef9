//! The operator.

pub mod fleet;
pub mod gateways;
