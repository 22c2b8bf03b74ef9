//! One room: its members here, and what other gateways say of theirs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::{FxHashMap, FxHashSet};
use sluice_backbone::Members;
use sluice_rooms::{Announcement, Presence, PresenceMode, RoomSettings};

use super::peer::{Peer, Users};
use crate::names::Place;

/// How long the other gateways have to say whom they have in a room that is new here. What they
/// say until then is no news.
pub(super) const SETTLING: Duration = Duration::from_secs(1);

/// Beyond so many users a gateway says how many it has, and no names.
pub(super) const COUNT_FROM: usize = 1_000;

/// Below so many it names them again.
const NAME_BELOW: usize = 800;

/// Whose business a room's members are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interest {
    /// Nobody's: they are neither shown nor bounded.
    None,
    /// The business of the other gateways.
    Fleet,
    /// The business of the members, too, who are told as others come and go.
    Members,
}

/// A room with members here.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) place: Place,
    interest: Interest,
    /// The sessions here.
    pub(super) local: Presence,
    /// The users everywhere, each once for every gateway that they are in.
    view: Presence,
    pub(super) peers: FxHashMap<u32, Peer>,
    /// The version of what was last told.
    pub(super) version: u64,
    /// How many sessions that was.
    pub(super) told: u32,
    /// Whether this gateway names nobody.
    pub(super) counting: bool,
    /// Whether it is among the rooms that have changed since the last tick.
    pub(super) changed: bool,
    /// When the others were told over this connection that this gateway has members here.
    pub(super) introduced: Option<Instant>,
    /// When they were told so for the first time. Since then this gateway listens.
    pub(super) first: Option<Instant>,
}

impl Room {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            interest: Interest::None,
            local: Presence::default(),
            view: Presence::default(),
            peers: FxHashMap::default(),
            version: 0,
            told: 0,
            counting: false,
            changed: false,
            introduced: None,
            first: None,
        }
    }

    /// Returns whether the room's members are now the fleet's business and were not before.
    pub(super) fn apply(&mut self, settings: &RoomSettings) -> bool {
        let before = self.is_wanted();
        self.interest = match settings.presence {
            PresenceMode::Announced => Interest::Members,
            PresenceMode::Asked => Interest::Fleet,
            // A session that comes back is not bounded, but the room may be.
            PresenceMode::Off if before || settings.members.is_some() => Interest::Fleet,
            PresenceMode::Off => Interest::None,
        };
        self.is_wanted() && !before
    }

    /// Whether its members are the fleet's business.
    pub(super) fn is_wanted(&self) -> bool {
        self.interest != Interest::None
    }

    /// A session of `user` came, here.
    pub(super) fn enter(&mut self, user: &Arc<str>) {
        if self.local.join(user) {
            self.view.join(user);
        }
    }

    /// One went. False where there was none.
    pub(super) fn exit(&mut self, user: &Arc<str>) -> bool {
        let before = self.local.sessions();
        if self.local.leave(user) {
            self.view.leave(user);
        }
        self.local.sessions() != before
    }

    /// Whether the others have had time to say whom they have.
    pub(super) fn is_settled(&self, now: Instant) -> bool {
        let settled = |at: Instant| now.saturating_duration_since(at) >= SETTLING;
        self.introduced.is_some_and(settled)
    }

    /// Whether the others are still saying whom they have had here before this gateway came.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        let fresh = |at: Instant| now.saturating_duration_since(at) < SETTLING;
        self.first.is_none_or(fresh)
    }

    /// How many sessions there are, over all gateways.
    pub(super) fn sessions(&self) -> u64 {
        let others = self.peers.values().map(|peer| u64::from(peer.sessions));
        u64::from(self.local.sessions()) + others.sum::<u64>()
    }

    /// How many users there are; those that are only counted once a gateway.
    pub(super) fn count(&self) -> u64 {
        let counted = self.peers.values().filter_map(|peer| match &peer.users {
            Users::Counted(count) => Some(*count),
            Users::Named(_) => None,
        });
        self.view.users(0).1 as u64 + counted.sum::<u64>()
    }

    pub(super) fn members(&self, limit: usize) -> Members {
        Members {
            users: self.view.users(limit).0,
            count: usize::try_from(self.count()).unwrap_or(usize::MAX),
        }
    }

    /// Whether this gateway names its users now, or only counts them.
    pub(super) fn recount(&mut self) {
        let users = self.local.users(0).1;
        let bound = if self.counting {
            NAME_BELOW
        } else {
            COUNT_FROM + 1
        };
        self.counting = users >= bound;
    }

    /// Whether coming and going is announced: not where some are only counted.
    fn announces(&self) -> bool {
        let counted = |peer: &Peer| matches!(peer.users, Users::Counted(_));
        self.interest == Interest::Members && !self.counting && !self.peers.values().any(counted)
    }

    /// Takes what is to be announced.
    pub(super) fn announcement(&mut self) -> Option<Announcement> {
        let announces = self.announces();
        self.view.announce().filter(|_| announces)
    }

    /// Makes a change that is no news; returns what was to be announced before it.
    pub(super) fn quietly(&mut self, change: impl FnOnce(&mut Self)) -> Option<Announcement> {
        let before = self.announcement();
        change(self);
        self.view.announce();
        before
    }

    /// What a gateway has said, where it has said anything.
    pub(super) fn peer(&mut self, gateway: u32) -> &mut Peer {
        // Whoever is silent since this gateway came was asked then.
        let asked = self.introduced;
        let unknown = || Peer::unknown(asked);
        self.peers.entry(gateway).or_insert_with(unknown)
    }

    /// These of a gateway's users came, and those went.
    pub(super) fn change(&mut self, gateway: u32, joined: Vec<Arc<str>>, left: &[Arc<str>]) {
        let Some(Peer { users, .. }) = self.peers.get_mut(&gateway) else {
            return;
        };
        let Users::Named(users) = users else {
            return;
        };
        for user in joined {
            if users.insert(Arc::clone(&user)) {
                self.view.join(&user);
            }
        }
        for user in left {
            if users.remove(user) {
                self.view.leave(user);
            }
        }
    }

    /// These are all of a gateway's users.
    pub(super) fn replace(&mut self, gateway: u32, users: Vec<Arc<str>>) {
        let named: FxHashSet<_> = users.into_iter().collect();
        // Those who stay are never away.
        for user in &named {
            self.view.join(user);
        }
        self.put(gateway, Users::Named(named));
    }

    /// A gateway has so many users, and does not name them.
    pub(super) fn count_only(&mut self, gateway: u32, count: u64) {
        self.put(gateway, Users::Counted(count));
    }

    /// Whom it named before is not there any more on its word.
    fn put(&mut self, gateway: u32, users: Users) {
        let before = std::mem::replace(&mut self.peer(gateway).users, users);
        self.view_without(before);
    }

    fn view_without(&mut self, users: Users) {
        if let Users::Named(users) = users {
            for user in &users {
                self.view.leave(user);
            }
        }
    }

    /// A gateway has nobody here any more. False where nothing was known of it.
    pub(super) fn remove(&mut self, gateway: u32) -> bool {
        let Some(peer) = self.peers.remove(&gateway) else {
            return false;
        };
        self.view_without(peer.users);
        true
    }
}
