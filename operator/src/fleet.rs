//! How a fleet moves its clients: rollouts, scaling, autoscaling, node drains and rebalancing, as
//! one pure decision.
//!
//! [`decide`] looks at the fleet as it is and says what to do next. It knows no history but what
//! [`Remembered`] holds, which can be lost without harm: an operator that is restarted at any
//! moment goes on where the cluster stands.
//!
//! The rules, in the order in which they bind:
//!
//! 1. A gateway *leaves* when its revision is not the wanted one, when its node is cordoned, or
//!    when there are too many; the others *stay*.
//! 2. Clients are moved only once all gateways that leave are out of the Service, and enough that
//!    stay are in it. So a client that is moved meets a gateway that stays, and is moved once.
//! 3. While gateways leave, as many as wanted are ready all the while: those that replace them
//!    come first.
//! 4. Nobody is led to a gateway that reads less than the wire version that is finalised, and it
//!    counts as one that does not take connections.
//! 5. A gateway is removed when it is empty. Its pod gets a deletion cost first, so that its
//!    Deployment, with one replica less, removes this pod and no other.

mod decision;
mod desired;
mod moving;
mod observed;
mod outlook;
mod progress;
mod rebalance;
mod remembered;
mod replicas;
mod serving;
mod settings;
mod victims;
mod wire;

pub use decision::{Decision, DrainCommand, DrainReason, Phase, REMOVED_FIRST};
pub use observed::{Observed, PodSeen, RevisionSeen};
pub use remembered::Remembered;
pub use settings::{Settings, Surge};

use rebalance::Rebalance;
use victims::Fleet;

/// What to do next about the fleet `observed`, which is to be as `settings` say.
///
/// It is a function of its arguments alone. Once everything is as it should be it asks for
/// nothing, however often it is asked.
pub fn decide(observed: &Observed, settings: &Settings) -> Decision {
    let mut remember = observed.remembered.clone();
    let desired_replicas = desired::replicas(observed, settings, &mut remember);
    let fleet = Fleet::new(observed, settings, desired_replicas);
    let rebalance = Rebalance::of(&fleet, &mut remember);
    let removal = replicas::of(&fleet, &mut remember);
    let progress = progress::of(&fleet, &mut remember);
    let outlook = outlook::of(&fleet, &rebalance);
    Decision {
        replicas: removal.replicas,
        serving: serving::of(&fleet, &rebalance),
        drain: moving::of(&fleet, &rebalance, removal.missed),
        deletion_cost: removal.costs,
        desired_replicas,
        finalise: wire::finalises(observed),
        too_old: wire::too_old(&fleet),
        progress,
        phase: outlook.phase,
        message: outlook.message,
        look_again: outlook.look_again,
        remember,
    }
}

#[cfg(test)]
mod tests;
