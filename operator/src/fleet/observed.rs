//! What the operator sees of a fleet before it decides.

use jiff::Timestamp;
use sluice_contract::{DrainProgress, WireVersion};

use super::Remembered;

/// A fleet as it is. Everything but [`Self::remembered`] is read from the cluster and from the
/// gateways, so that an operator that has just started decides as one that was there all along.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The revision that the spec asks for.
    pub revision: String,
    /// Whether the user has paused the rollout (`spec.rollout.paused`).
    pub paused: bool,
    /// The time of the decision.
    pub now: Timestamp,
    /// How many gateways autoscaling last asked for (`status.desiredReplicas`), if it ever did.
    pub desired_replicas: Option<u32>,
    /// The wire version that is finalised (`status.wireVersion`), if one ever was.
    pub finalised: Option<WireVersion>,
    /// The Deployments of the fleet, one a revision.
    pub revisions: Vec<RevisionSeen>,
    /// All pods of these Deployments, those that are being deleted too.
    pub pods: Vec<PodSeen>,
    /// [`Decision::remember`](super::Decision::remember) of the last time; the default after a
    /// start.
    pub remembered: Remembered,
}

/// A Deployment of the fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevisionSeen {
    /// The revision that it runs.
    pub name: String,
    /// Its `spec.replicas`.
    pub replicas: u32,
    /// Its `status.readyReplicas`.
    pub ready: u32,
}

/// A gateway's pod.
#[expect(
    clippy::struct_excessive_bools,
    reason = "what a pod says of itself in independent ways"
)]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PodSeen {
    /// Its name.
    pub name: String,
    /// The revision that it runs.
    pub revision: String,
    /// Whether its container runs. One that does not holds no connection.
    pub running: bool,
    /// Whether its gateway is gone, which Kubernetes does not know yet: it has ended, or its node
    /// has.
    pub gone: bool,
    /// Whether nothing is known of its gateway: it does not answer, and neither did it since the
    /// operator has started, nor was it heard of.
    pub unsure: bool,
    /// Its condition `Ready`, which says nothing of a drain. One that is gone is not ready.
    pub ready: bool,
    /// Whether it has the label that the Service selects by.
    pub serving: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Whether its node takes no new pods: it was cordoned, most often because it is about to be
    /// drained.
    pub node_unschedulable: bool,
    /// Its annotation `controller.kubernetes.io/pod-deletion-cost`.
    pub deletion_cost: Option<i32>,
    /// How far its drain is; `None` where its gateway does not answer.
    pub drain: Option<DrainProgress>,
    /// The client connections open at it; `None` where its gateway does not answer.
    pub connections: Option<u64>,
    /// The newest wire version that its gateway reads; `None` until it has said so.
    pub reads: Option<WireVersion>,
    /// When it was created.
    pub created: Timestamp,
}
