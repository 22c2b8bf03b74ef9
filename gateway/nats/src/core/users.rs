//! How many sessions each user has, over all gateways: `<prefix>.users`.
//!
//! Each gateway says how many sessions of which users it has: what changes with every tick, and
//! everything to whoever has missed something, which versions tell. What this gateway knows of
//! the others is therefore up to a second old: two sessions of a user that begin at two gateways
//! within that time do not know of each other.

mod update;

use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};
use sluice_backbone::Error;
use sluice_contract::{Call, GatewayNumber, is_of_newer_kind};

use self::update::{Counts, MAX_COUNTS, UsersUpdate, What, shortened};
use super::{assembly::Assembly, fleet::Fleet, io::Io, json::json, patience::Patience};
use crate::Packet;

/// How often a version is repeated at least, so that what was lost last is noticed.
const REPEAT_EVERY: Duration = Duration::from_secs(1);

/// The most users of one gateway.
const MAX_USERS: usize = 1 << 20;

/// What another gateway has said.
#[derive(Debug, Default)]
struct Peer {
    version: u64,
    counts: FxHashMap<u64, u32>,
    partial: Option<Box<Assembly<(u64, u32)>>>,
    patience: Patience,
}

/// How many sessions users have.
#[derive(Debug, Default)]
pub(crate) struct Users {
    here: FxHashMap<u64, u32>,
    changed: FxHashSet<u64>,
    version: u64,
    peers: FxHashMap<u32, Peer>,
    next: Option<Instant>,
    garbage: u64,
    newer: u64,
}

impl Users {
    /// A session of `user` begins, unless there are `limit` already. Sessions at gateways that
    /// are not heard do not count: those of one that died must not keep their users out.
    pub(crate) fn enter(
        &mut self,
        fleet: &Fleet,
        now: Instant,
        user: &str,
        limit: u32,
    ) -> Result<(), Error> {
        let user = shortened(user);
        let here = self.here.get(&user).copied().unwrap_or_default();
        let heard = |(gateway, _): &(&u32, &Peer)| fleet.is_heard(**gateway, now);
        let others = self.peers.iter().filter(heard);
        let others = others.filter_map(|(_, peer)| peer.counts.get(&user));
        if others.fold(here, |sum, n| sum.saturating_add(*n)) >= limit {
            return Err(Error::UserConnections);
        }
        self.here.insert(user, here + 1);
        self.changed.insert(user);
        Ok(())
    }

    /// A session of `user` has ended.
    pub(crate) fn exit(&mut self, user: &str) {
        let user = shortened(user);
        if let Some(sessions) = self.here.get_mut(&user) {
            *sessions -= 1;
            if *sessions == 0 {
                self.here.remove(&user);
            }
            self.changed.insert(user);
        }
    }

    /// A session of `user` was taken over from another gateway, which will say so itself: until
    /// then it counts as gone from there.
    pub(crate) fn moved(&mut self, user: &str, from: u32) {
        let counts = self.peers.get_mut(&from).map(|peer| &mut peer.counts);
        if let Some(sessions) = counts.and_then(|counts| counts.get_mut(&shortened(user))) {
            *sessions = sessions.saturating_sub(1);
        }
    }

    pub(crate) fn connected(&mut self, io: &mut Io<'_>) {
        self.introduce(io);
    }

    /// Says which version is the newest here, and has the others say what is newer there.
    pub(crate) fn introduce(&mut self, io: &mut Io<'_>) {
        self.tell_changes(io);
        let known = self.peers.iter().filter(|(_, peer)| peer.version > 0);
        let known = known.map(|(gateway, peer)| (GatewayNumber(*gateway), peer.version));
        let known = Some(known.collect());
        self.say(io, None, known, What::Same);
    }

    fn say(
        &mut self,
        io: &mut Io<'_>,
        to: Option<GatewayNumber>,
        known: Option<Vec<(GatewayNumber, u64)>>,
        what: What,
    ) {
        let update = UsersUpdate {
            gateway: GatewayNumber(io.gateway),
            version: self.version,
            known,
            what,
        };
        let subject = if let Some(to) = to {
            io.names.call(to, Call::Users)
        } else {
            self.next = Some(io.now + REPEAT_EVERY);
            io.names.users()
        };
        io.publish(subject, Vec::new(), json(&update));
    }

    /// Tells what has changed. While nobody can be told, it only counts as another version.
    fn tell_changes(&mut self, io: &mut Io<'_>) {
        let count = |user| (user, self.here.get(&user).copied().unwrap_or_default());
        let counts: Counts = self.changed.drain().map(count).collect();
        for chunk in counts.chunks(MAX_COUNTS) {
            self.version += 1;
            if io.connected {
                let what = What::Changed(chunk.to_vec());
                self.say(io, None, None, what);
            }
        }
    }

    /// Tells one gateway everything, unless it knows that version.
    fn tell(&mut self, io: &mut Io<'_>, to: GatewayNumber, known: u64) {
        self.tell_changes(io);
        if known == self.version {
            return;
        }
        let counts: Counts = self.here.iter().map(|(user, n)| (*user, *n)).collect();
        let parts = counts.len().div_ceil(MAX_COUNTS).max(1) as u32;
        for part in 0..parts {
            let counts = counts
                .iter()
                .skip(part as usize * MAX_COUNTS)
                .take(MAX_COUNTS);
            let counts = counts.copied().collect();
            let what = What::All {
                counts,
                part,
                parts,
            };
            self.say(io, Some(to), None, what);
        }
    }

    /// Something that another gateway says, to all or to this one.
    pub(crate) fn message(&mut self, io: &mut Io<'_>, fleet: &mut Fleet, packet: &Packet) {
        let Ok(update) = serde_json::from_slice::<UsersUpdate>(&packet.payload) else {
            if is_of_newer_kind(&packet.payload, &update::KINDS) {
                self.newer += 1;
            } else {
                self.garbage += 1;
            }
            return;
        };
        let from = update.gateway;
        if from.0 == io.gateway || !fleet.meet(io.now, from.0) {
            return;
        }
        if update.what == What::Ask {
            return self.tell(io, from, 0);
        }
        if let Some(known) = &update.known {
            let own = known.iter().find(|(other, _)| other.0 == io.gateway);
            self.tell(io, from, own.map_or(0, |(_, version)| *version));
        }
        let peer = self.peers.entry(from.0).or_default();
        if !peer.hear(update) && peer.patience.is_over(io.now) {
            self.say(io, Some(from), None, What::Ask);
        }
    }

    /// Counts the sessions of a gateway that is gone no more.
    pub(crate) fn gone(&mut self, gateway: u32) {
        self.peers.remove(&gateway);
    }

    /// Tells the others what has changed.
    pub(crate) fn tick(&mut self, io: &mut Io<'_>) {
        self.tell_changes(io);
        if io.connected && self.next.is_none_or(|next| next <= io.now) {
            self.say(io, None, None, What::Same);
        }
    }

    /// How many messages were of kinds that a newer version has.
    pub(crate) fn newer(&self) -> u64 {
        self.newer
    }

    /// How many messages could not be understood.
    pub(crate) fn garbage(&self) -> u64 {
        self.garbage
    }
}

impl Peer {
    /// False where something is missing.
    fn hear(&mut self, update: UsersUpdate) -> bool {
        match update.what {
            _ if update.version < self.version => return true,
            What::Changed(_) | What::Same if update.version == self.version => return true,
            What::Changed(counts) if update.version == self.version + 1 => {
                if self.counts.len() + counts.len() > MAX_USERS {
                    return true;
                }
                for (user, count) in counts {
                    self.put(user, count);
                }
            }
            What::Changed(_) | What::Same => return false,
            What::All {
                counts,
                part,
                parts,
            } => {
                let slot = &mut self.partial;
                let all = Assembly::add(slot, update.version, (part, parts), counts, MAX_USERS);
                let Some(counts) = all else {
                    return true;
                };
                self.counts = counts.into_iter().collect();
            }
            What::Ask => return true,
        }
        self.version = update.version;
        true
    }

    fn put(&mut self, user: u64, count: u32) {
        if count == 0 {
            self.counts.remove(&user);
        } else {
            self.counts.insert(user, count);
        }
    }
}
