//! The gateways of the fleet, for the server API.

use std::sync::Arc;

use arc_swap::ArcSwap;
use sluice_api::Fleet;
use sluice_contract::{
    DrainPhase, FleetStatus, GatewayNumber, GatewayState, GatewayStatus, PolicyStatus, RoomCount,
    RoomCounts, WireVersion,
};
use sluice_nats::{Nats, core::PeerInfo};
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
    fn gateways(&self) -> FleetStatus {
        let known = self.nats.as_ref();
        let known = known
            .map(|nats| nats.with(|core, at, _| (core.reads(), core.writes(), core.peers(at))));
        let alone = (WireVersion::CURRENT, WireVersion::CURRENT, Vec::new());
        let (reads, writes, peers) = known.unwrap_or(alone);
        let peers = peers.into_iter().filter(|peer| !peer.ends).map(peer);
        let gateways = std::iter::once(self.own(reads)).chain(peers).collect();
        FleetStatus {
            ok: true,
            writes,
            gateways,
        }
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
            ok: true,
            stores: self.nats.as_ref().is_none_or(stores),
            rooms: rooms.collect(),
        }
    }
}

impl Gateways {
    fn own(&self, reads: WireVersion) -> GatewayStatus {
        GatewayStatus {
            name: Arc::clone(&self.name),
            number: GatewayNumber(self.number),
            state: match self.drainer.phase() {
                DrainPhase::Serving | DrainPhase::Rebalance => GatewayState::Serving,
                _ => GatewayState::Draining,
            },
            connections: self.admission.open(),
            policy: PolicyStatus::clone(&self.in_force.get()),
            reads,
        }
    }
}

fn peer(peer: PeerInfo) -> GatewayStatus {
    GatewayStatus {
        name: peer.name,
        number: GatewayNumber(peer.gateway),
        state: peer.status.state,
        connections: peer.status.connections,
        policy: peer.status.policy,
        reads: peer.reads,
    }
}
