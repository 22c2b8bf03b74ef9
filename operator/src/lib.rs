//! The operator: builds fleets of gateways from `RealtimeCluster` and `Room` resources, and takes
//! them through rollouts, scaling and failures.
//!
//! Each resource goes through a pipeline: read → check → plan → apply → status. What decides is
//! pure and has no client ([`plan`], [`fleet`]); what has a client decides nothing.
//!
//! It promises that
//! - what is in the way is in the resource's status, with a reason that is stable and what to do;
//! - where a new spec cannot be used, the fleet goes on by the last one that could;
//! - an operator that is killed at any moment and started again decides as if it had not been: what
//!   it remembers can be found out again;
//! - once everything is as it should be, nothing is written.
//!
//! How a fleet moves its clients is one function of what is observed of it:
//!
//! ```
//! use sluice_crds::RealtimeClusterSpec;
//! use sluice_operator::fleet::{Observed, Phase, Settings, decide};
//!
//! let mut spec = RealtimeClusterSpec::default();
//! spec.gateway.replicas = 3;
//! let observed = Observed {
//!     revision: "7d4f".to_owned(),
//!     ..Observed::default()
//! };
//! let decision = decide(&observed, &Settings::from(&spec));
//! assert_eq!(decision.replicas["7d4f"], 3);
//! assert_eq!(decision.phase, Phase::Starting);
//! ```

mod apply;
mod backbone;
mod check;
pub mod cli;
mod cluster;
mod compare;
mod conditions;
mod context;
mod digest;
mod events;
pub mod fleet;
pub mod gateways;
mod kind;
pub mod lease;
mod metrics;
mod object;
mod operator;
mod ops;
pub mod plan;
mod quantity;
pub mod reason;
mod reconcile;
pub mod rights;
mod room;
mod secrets;
mod steady;
mod stores;
mod trouble;

pub use context::Settings;
pub use kind::Kind;
pub use metrics::{Metrics, list::ALL as METRICS};
pub use operator::Operator;

use digest::digest;
use object::Object;
