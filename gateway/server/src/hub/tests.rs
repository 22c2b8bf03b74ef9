//! One worker's sessions, with a clock that runs as told.

mod admission;
mod application;
mod bench;
mod delivering;
mod joining;
mod model;
mod moving;
mod recovering;
mod slow;
mod timing;
mod waiting;

use sluice_backbone::Backbone;
use sluice_net::Cause;
use sluice_rooms::{Epoch, RoomKey, RoomSettings};

use self::bench::Bench;
use super::Session;
use crate::operation::{JoinOptions, Operation};

fn join(room: &str) -> Operation<'_> {
    Operation::Join {
        room: room.into(),
        from: JoinOptions::default(),
    }
}

fn refresh(token: &str) -> Operation<'_> {
    Operation::Refresh {
        token: token.into(),
    }
}

/// How many users presence shows in a room.
async fn present(bench: &Bench, room: &str) -> usize {
    let key = RoomKey::new("/", room);
    let members = bench.memory.members(&key, 10).wait().await;
    members.unwrap().count
}

/// Of all histories here.
async fn epoch(bench: &Bench) -> Epoch {
    let (key, settings) = (RoomKey::new("/", "any"), RoomSettings::default());
    let joined = bench.memory.subscribe(0, &key, &settings).wait().await;
    joined.unwrap().epoch
}

fn members(bench: &Bench, room: &str) -> usize {
    let room = bench.hub.namespace("/").known(room);
    room.map_or(0, |room| room.members.borrow().len())
}

fn is_closing(session: &Session) -> bool {
    match &*session.outlet.borrow() {
        super::Outlet::Native(connection) => connection.ended().is_some(),
        _ => true,
    }
}

fn ending(session: &Session) -> Option<Cause> {
    match &*session.outlet.borrow() {
        super::Outlet::Native(connection) => connection.ended(),
        _ => None,
    }
}

fn counts(bench: &Bench) -> (u64, u64, u64) {
    let counters = &bench.hub.counters;
    (
        counters.sessions.get(),
        counters.detached.get(),
        counters.memberships.get(),
    )
}
