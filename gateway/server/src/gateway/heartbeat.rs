//! What this gateway's heartbeat says.

use std::{sync::Arc, time::Duration};

use sluice_contract::{Draining, GatewayState, PolicyStatus, Status};
use sluice_nats::Nats;
use tokio::time::MissedTickBehavior;

use crate::{admission::Admission, drain::Drainer, in_force::InForce};

/// How often it is looked at how this gateway is; the backbone decides when to say it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Keeps the heartbeat true, for ever.
pub(super) async fn keep(
    nats: Arc<Nats>,
    admission: Arc<Admission>,
    in_force: Arc<InForce>,
    drainer: Arc<Drainer>,
) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let connections = admission.open();
        let to_move = drainer.to_move();
        let status = Status {
            state: if drainer.drains() {
                GatewayState::Draining
            } else {
                GatewayState::Serving
            },
            connections,
            draining: to_move.map(|remaining| Draining {
                remaining,
                ..Draining::default()
            }),
            policy: PolicyStatus::clone(&in_force.get()),
        };
        nats.with(|core, at, out| core.set_status(at, status, out));
    }
}
