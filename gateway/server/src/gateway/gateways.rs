//! The gateways of the fleet, for the server API.

use std::sync::Arc;

use arc_swap::ArcSwap;
use sluice_api::{
    DrainPhase, Fleet, GatewayState, GatewayStatus, PolicyStatus, RoomCount, RoomCounts,
};
use sluice_nats::{
    Nats,
    core::{PeerInfo, State},
};
use sluice_policy::Policy;

use crate::{admission::Admission, drain::Drainer, in_force::InForce};

/// This gateway, and those that it hears of.
pub(super) struct Gateways {
    pub(super) name: Arc<str>,
    pub(super) number: u32,
    pub(super) policy: Arc<ArcSwap<Policy>>,
    pub(super) in_force: Arc<InForce>,
    pub(super) admission: Arc<Admission>,
    pub(super) drainer: Arc<Drainer>,
    pub(super) nats: Option<Arc<Nats>>,
}

impl Fleet for Gateways {
    fn gateways(&self) -> Vec<GatewayStatus> {
        let peers = self
            .nats
            .as_ref()
            .map(|nats| nats.with(|core, at, _| core.peers(at)));
        let peers = peers
            .unwrap_or_default()
            .into_iter()
            .filter(|peer| !peer.ends);
        std::iter::once(self.own()).chain(peers.map(peer)).collect()
    }

    fn rooms(&self) -> RoomCounts {
        let policy = self.policy.load();
        let rooms = policy.rooms().map(|room| RoomCount {
            name: room.name.clone(),
            members: room.tally.members(),
            published: room.tally.messages(),
        });
        let stores = |nats: &Arc<Nats>| nats.with(|core, at, _| core.stores(at));
        RoomCounts {
            stores: self.nats.as_ref().is_none_or(stores),
            rooms: rooms.collect(),
        }
    }
}

impl Gateways {
    fn own(&self) -> GatewayStatus {
        GatewayStatus {
            name: Arc::clone(&self.name),
            number: number(self.number),
            state: match self.drainer.phase() {
                DrainPhase::Serving | DrainPhase::Rebalance => GatewayState::Serving,
                _ => GatewayState::Draining,
            },
            connections: self.admission.open(),
            policy: PolicyStatus::clone(&self.in_force.get()),
        }
    }
}

fn peer(peer: PeerInfo) -> GatewayStatus {
    let policy = peer.status.policy;
    GatewayStatus {
        name: peer.name,
        number: number(peer.gateway),
        state: match peer.status.state {
            State::Serving => GatewayState::Serving,
            State::Draining => GatewayState::Draining,
            State::Other => GatewayState::Other,
        },
        connections: peer.status.connections,
        policy: PolicyStatus {
            revision: policy.generation,
            digest: policy.digest,
            refused: policy.refused,
        },
    }
}

fn number(number: u32) -> String {
    format!("{number:08x}")
}
