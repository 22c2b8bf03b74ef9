//! What the API asks of the gateway's drain.

use sluice_contract::{DrainProgress, DrainRequest};

/// Moves connections off this gateway: all of them, or some.
pub trait Drain: Send + Sync + 'static {
    /// Begins to drain. A drain that has begun goes on, at the rate now given.
    fn start(&self, request: DrainRequest) -> DrainProgress;

    /// Goes back to serving. Nothing where it is too late: the process was told to end, or does.
    fn stop(&self) -> Option<DrainProgress>;

    /// How far a drain has come, now.
    fn progress(&self) -> DrainProgress;
}
