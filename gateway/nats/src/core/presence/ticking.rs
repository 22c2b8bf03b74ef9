//! What a gateway does with time: it tells what has changed, and repeats itself.

use std::time::Duration;

use rustc_hash::FxHashMap;
use sluice_contract::{Call, GatewayNumber};
use sluice_rooms::RoomKey;

use super::{
    Presence, announce,
    update::{PresenceUpdate, What},
};
use crate::{
    core::{io::Io, json::json},
    names::Place,
};

/// How many rooms are introduced again in a tick.
const INTRODUCTIONS: usize = 1_000;

/// How often versions are repeated, and of how many rooms at a time.
const REPEAT_EVERY: Duration = Duration::from_secs(1);
const REPETITIONS: usize = 64;

impl Presence {
    /// What the others said meanwhile is lost, and what was said to them.
    pub(crate) fn connected(&mut self) {
        for room in self.rooms.values_mut() {
            room.introduced = None;
        }
        self.introduce_again();
    }

    /// Has every room introduced again, some with each tick.
    pub(crate) fn introduce_again(&mut self) {
        let wanted = self.rooms.iter().filter(|(_, room)| room.is_wanted());
        self.waiting = wanted.map(|(key, _)| key.clone()).collect();
    }

    /// Tells the others what has changed, and the members here.
    pub(crate) fn tick(&mut self, io: &mut Io<'_>) {
        let rest = self.lingering.split_off(&(io.now, u64::MAX));
        for (key, user) in std::mem::replace(&mut self.lingering, rest).into_values() {
            self.leave(&key, &user);
        }
        if io.connected {
            for key in self.waiting.drain(..self.waiting.len().min(INTRODUCTIONS)) {
                if let Some(room) = self.rooms.get_mut(&key).filter(|room| room.is_wanted()) {
                    room.introduce(io, &mut self.clock);
                }
            }
        }
        for key in std::mem::take(&mut self.changed) {
            self.settle(io, &key);
        }
        if io.connected && self.next.is_none_or(|next| next <= io.now) {
            self.next = Some(io.now + REPEAT_EVERY);
            self.repeat(io);
        }
    }

    fn settle(&mut self, io: &mut Io<'_>, key: &RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        room.changed = false;
        if room.local.sessions() == 0 {
            if let Some(room) = self.rooms.remove(key) {
                room.withdraw(io, &mut self.clock);
            }
            return;
        }
        room.tell_changes(io, &mut self.clock);
        if let Some(news) = room.announcement() {
            announce(io, key, news);
        }
    }

    /// Repeats the versions of some rooms, and has others repeat what this gateway knows of them.
    fn repeat(&mut self, io: &mut Io<'_>) {
        if self.round.is_empty() {
            let told = self
                .rooms
                .iter()
                .filter(|(_, room)| room.introduced.is_some());
            self.round = told.map(|(key, _)| key.clone()).collect();
        }
        let mut checks = FxHashMap::<u32, Vec<(Place, u64)>>::default();
        let rest = self.round.len().saturating_sub(REPETITIONS);
        for key in self.round.split_off(rest) {
            let Some(room) = self.rooms.get_mut(&key) else {
                continue;
            };
            if room.introduced.is_some() && room.local.sessions() > 0 {
                room.repeat(io, &mut self.clock);
            }
            for (gateway, peer) in &room.peers {
                let known = (room.place.clone(), peer.version);
                checks.entry(*gateway).or_default().push(known);
            }
        }
        for (gateway, rooms) in checks {
            let update = PresenceUpdate {
                gateway: GatewayNumber(io.gateway),
                room: None,
                version: 0,
                sessions: 0,
                known: None,
                what: What::Check(rooms),
            };
            io.publish(
                io.names.call(GatewayNumber(gateway), Call::Presence),
                Vec::new(),
                json(&update),
            );
        }
    }
}
