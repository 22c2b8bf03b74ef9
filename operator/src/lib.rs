//! The operator: builds fleets of gateways from `RealtimeCluster` and `Room` resources, and takes
//! them through rollouts, scaling and failures.
//!
//! Each resource goes through a pipeline: read → check → plan → apply → status. What decides is
//! pure and has no client ([`check`], [`plan`]); what has a client decides nothing.

mod apply;
mod backbone;
pub mod check;
pub mod cli;
mod cluster;
mod compare;
mod conditions;
mod context;
mod digest;
pub mod fleet;
pub mod gateways;
mod kind;
pub mod lease;
mod lock;
mod metrics;
mod object;
mod operator;
mod ops;
pub mod plan;
mod quantity;
pub mod rights;
mod room;
mod secrets;
mod steady;
mod stores;
mod trouble;

pub use context::Settings;
pub use digest::digest;
pub use kind::Kind;
pub use metrics::Metrics;
pub use object::Object;
pub use operator::Operator;
pub use trouble::{Effect, Trouble};
