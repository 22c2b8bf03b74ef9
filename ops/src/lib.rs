//! What the gateway and the operator show in the same way to whoever runs them: log lines, and the
//! port for health and metrics.

pub mod log;
pub mod port;
