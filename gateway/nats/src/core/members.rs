//! What workers ask of the fleet's members, users and sessions.

use std::sync::Arc;

use sluice_backbone::{Command, Error, Members, Reply, SessionInfo, Stats};
use sluice_contract::{Status, WireVersion};
use sluice_rooms::{RoomKey, RoomSettings};

use super::{Action, At, Core, fleet::PeerInfo};

/// How often something from other gateways was not as it should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Heartbeats that could not be understood, or of more gateways than there can be.
    pub fleet: u64,
    /// Messages about members that could not be understood.
    pub presence: u64,
    /// Messages about users that could not be understood.
    pub users: u64,
    /// Commands, and answers to them, that could not be understood.
    pub commands: u64,
    /// How often a gateway did not answer a command in time.
    pub silent: u64,
}

/// How often something was of a newer version and not to be read by this one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Newer {
    /// Messages on subjects of a kind that this version does not know.
    pub subjects: u64,
    /// Messages of rooms without history.
    pub live: u64,
    /// Stored sessions that a client wanted to go on with.
    pub sessions: u64,
    /// Messages about members.
    pub presence: u64,
    /// Messages about users.
    pub users: u64,
    /// Commands.
    pub commands: u64,
}

impl Core {
    /// A session of `user` is a member of `room`. The answer is late where the room is bounded
    /// and the other gateways must be asked how many members they have.
    pub fn join(
        &mut self,
        at: At,
        room: &RoomKey,
        user: &Arc<str>,
        settings: &RoomSettings,
        out: &mut Vec<Action>,
    ) -> Reply<()> {
        let mut io = self.world.io(at, out);
        self.presence
            .join(&mut io, &self.fleet, room, user, settings)
    }

    /// A session of `user` is no longer a member of `room`. Others learn of it with the next tick.
    pub fn leave(&mut self, room: &RoomKey, user: &Arc<str>) {
        self.presence.leave(room, user);
    }

    /// Up to `limit` users of a room, over all gateways, and how many there are.
    pub fn members(
        &mut self,
        at: At,
        room: &RoomKey,
        limit: usize,
        out: &mut Vec<Action>,
    ) -> Reply<Members> {
        let mut io = self.world.io(at, out);
        self.presence.members(&mut io, &self.fleet, room, limit)
    }

    /// Has every session of the fleet that a command speaks of carry it out.
    pub fn command(&mut self, at: At, command: Command, out: &mut Vec<Action>) -> Reply<u64> {
        let mut io = self.world.io(at, out);
        self.commands.command(&mut io, &self.fleet, command)
    }

    /// The sessions of the fleet, up to `limit`, those of `user` only if one is given.
    pub fn sessions(
        &mut self,
        at: At,
        user: Option<Arc<str>>,
        limit: usize,
        out: &mut Vec<Action>,
    ) -> Reply<Vec<SessionInfo>> {
        let mut io = self.world.io(at, out);
        self.commands.sessions(&mut io, &self.fleet, user, limit)
    }

    /// Counts a session into its user's, over the fleet, unless there are `limit` already.
    pub fn enter(&mut self, at: At, user: &Arc<str>, limit: u32) -> Result<(), Error> {
        self.users.enter(&self.fleet, at.now, user, limit)
    }

    /// Counts a session out.
    pub fn exit(&mut self, user: &Arc<str>) {
        self.users.exit(user);
    }

    /// The other gateways, as they say of themselves, for a status.
    pub fn peers(&self, at: At) -> Vec<PeerInfo> {
        self.fleet.peers(at.now)
    }

    /// Whether this gateway has been connected for long enough, once, to know all others.
    pub fn is_acquainted(&self, at: At) -> bool {
        self.fleet.is_acquainted(at.now)
    }

    /// How many other gateways have the name of this one.
    pub fn namesakes(&self) -> usize {
        self.fleet.namesakes()
    }

    /// What this gateway says of itself from now on.
    pub fn set_status(&mut self, at: At, status: Status, out: &mut Vec<Action>) {
        let mut io = self.world.io(at, out);
        self.fleet.set_status(&mut io, status);
    }

    /// Rollouts of the cluster are finalised up to this wire version; the first, unless told.
    pub fn set_finalised(&mut self, finalised: WireVersion) {
        self.fleet.set_finalised(finalised);
    }

    /// The newest wire version that this gateway reads.
    pub fn reads(&self) -> WireVersion {
        self.fleet.reads()
    }

    /// The wire version up to which rollouts are finalised, where it is more than this gateway
    /// reads: others may write then what it cannot read.
    pub fn finalised_beyond(&self) -> Option<WireVersion> {
        self.fleet.finalised_beyond()
    }

    /// The wire version in whose forms this gateway writes: the least that it and all gateways
    /// read which are not gone, and no more than what is finalised.
    pub fn writes(&self) -> WireVersion {
        self.fleet.writes()
    }

    /// This gateway's part of `rate`, the connections that the fleet's draining gateways may
    /// close a second.
    pub fn share(&self, at: At, rate: f64) -> f64 {
        self.fleet.share(at.now, rate)
    }

    /// This gateway ends: it says so, and nothing more. Its members stay for as long as those of
    /// a gateway that died, so that they are not seen leaving while they move to others.
    pub(crate) fn bye(&mut self, at: At, out: &mut Vec<Action>) {
        let mut io = self.world.io(at, out);
        self.fleet.bye(&mut io);
    }

    /// Rooms with members here and those members, and the sizes of those rooms over all gateways,
    /// in buckets of these upper bounds. Histories are not counted.
    pub(crate) fn member_stats(&self, bounds: &[u64]) -> Stats {
        self.presence.stats(bounds)
    }

    /// How often something from other gateways was not as it should be.
    pub fn faults(&self) -> Faults {
        Faults {
            fleet: self.fleet.garbage(),
            presence: self.presence.garbage(),
            users: self.users.garbage(),
            commands: self.commands.garbage(),
            silent: self.commands.silent(),
        }
    }

    /// How often something was of a newer version and not to be read by this one. Messages of
    /// rooms with history are counted among [`HistoryCounters`](super::HistoryCounters).
    pub fn newer(&self) -> Newer {
        Newer {
            subjects: self.newer,
            live: self.live.newer(),
            sessions: self.sessions.newer(),
            presence: self.presence.newer(),
            users: self.users.newer(),
            commands: self.commands.newer(),
        }
    }
}
