//! What the API asks of the gateway's policy.

use std::{future::Future, pin::Pin};

use sluice_backbone::Target;
use sluice_rooms::{RoomKey, RoomSettings};

use crate::Refusal;

/// Whether something is kept beyond this gateway, once that is known.
pub type Kept = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// The gateway's policy as it is at the moment of each call. Calls never block for long.
pub trait Rules: Send + Sync + 'static {
    /// Whether the cluster has this namespace.
    fn has_namespace(&self, namespace: &str) -> bool;

    /// The settings of a room; nothing where no Room matches and the cluster allows no others.
    /// The namespace is one that the cluster has.
    fn room(&self, room: &RoomKey) -> Option<RoomSettings>;

    /// Refuses an event whose data the room's schemas do not allow, with
    /// [`Code::SchemaViolation`](sluice_contract::Code::SchemaViolation).
    fn check(&self, room: &RoomKey, event: &str, data: &str) -> Result<(), Refusal>;

    /// Counts a message that was published to a room.
    fn published(&self, room: &RoomKey);

    /// Refuses from now on the tokens that `target` speaks of: of a user, those issued up to and
    /// in the Unix second `issued`. They can be forgotten at the Unix second `until`. Refuses
    /// with [`Code::RevocationsFull`](sluice_contract::Code::RevocationsFull) where no more can be
    /// kept. When it returns, this gateway
    /// refuses them; what it returns tells when all others will, whatever happens to this one.
    fn revoke(&self, target: &Target, issued: Option<u64>, until: u64) -> Result<Kept, Refusal>;
}
