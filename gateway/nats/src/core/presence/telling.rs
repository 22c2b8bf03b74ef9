//! What a gateway says of its own members of a room.

use super::{
    room::Room,
    update::{PresenceUpdate, What, fit, parts},
};
use crate::core::{io::Io, json::json};
use sluice_contract::{Call, GatewayNumber};

/// Numbers whatever a gateway says, over all its rooms.
#[derive(Debug, Default)]
pub(super) struct Clock(u64);

impl Clock {
    pub(super) fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

impl Room {
    fn subject(&self, io: &Io<'_>) -> String {
        io.names.presence(&self.place)
    }

    fn say(&self, io: &mut Io<'_>, what: What, known: Option<Vec<(GatewayNumber, u64)>>) {
        let update = PresenceUpdate {
            gateway: GatewayNumber(io.gateway),
            room: None,
            version: self.version,
            sessions: self.told,
            known,
            what,
        };
        let subject = self.subject(io);
        io.publish(subject, Vec::new(), json(&update));
    }

    /// Tells what has changed since the last time. While nobody can be told, it only counts as
    /// another version, which the others ask for when they learn of it.
    pub(super) fn tell_changes(&mut self, io: &mut Io<'_>, clock: &mut Clock) {
        let changes = self.local.announce();
        if changes.is_none() && self.local.sessions() == self.told {
            return;
        }
        let after = std::mem::replace(&mut self.version, clock.next());
        self.told = self.local.sessions();
        let counted = self.counting;
        self.recount();
        if self.introduced.is_none() || !io.connected {
            return;
        }
        let changes = changes.unwrap_or_default();
        let short = fit(changes.joined.iter().chain(&changes.left));
        if self.counting || counted || !short {
            return self.tell_all(io, None);
        }
        let what = What::Changed {
            after,
            joined: changes.joined,
            left: changes.left,
        };
        self.say(io, what, None);
    }

    /// All users here, or how many they are.
    fn all(&self) -> Vec<What> {
        let (users, count) = self.local.users(if self.counting { 0 } else { usize::MAX });
        if self.counting {
            return vec![What::Count(count as u64)];
        }
        parts(users)
    }

    fn tell_all(&self, io: &mut Io<'_>, mut known: Option<Vec<(GatewayNumber, u64)>>) {
        let mut all = self.all().into_iter().peekable();
        while let Some(what) = all.next() {
            let known = all.peek().is_none().then(|| known.take()).flatten();
            self.say(io, what, known);
        }
    }

    /// Says that this gateway has members here, and has the others say what it does not know.
    /// Whoever has heard of them before asks for no more than what is new.
    pub(super) fn introduce(&mut self, io: &mut Io<'_>, clock: &mut Clock) {
        if self.first.is_none() {
            let subject = self.subject(io);
            io.subscribe(subject);
        }
        self.tell_changes(io, clock);
        self.introduced = Some(io.now);
        let known = self.peers.iter().filter(|(_, peer)| peer.version > 0);
        let known = known.map(|(gateway, peer)| (GatewayNumber(*gateway), peer.version));
        let known = Some(known.collect());
        if self.first.is_some() {
            return self.say(io, What::Same, known);
        }
        self.first = Some(io.now);
        self.tell_all(io, known);
    }

    /// Says which version is the newest, so that whoever lacks it notices.
    pub(super) fn repeat(&mut self, io: &mut Io<'_>, clock: &mut Clock) {
        self.tell_changes(io, clock);
        self.say(io, What::Same, None);
    }

    /// Tells one gateway everything, unless it knows that version.
    pub(super) fn tell(
        &mut self,
        io: &mut Io<'_>,
        clock: &mut Clock,
        to: GatewayNumber,
        known: Option<u64>,
    ) {
        // What is told must not hold changes that belong to a later version.
        self.tell_changes(io, clock);
        if known == Some(self.version) {
            return;
        }
        for what in self.all() {
            let update = PresenceUpdate {
                gateway: GatewayNumber(io.gateway),
                room: Some(self.place.clone()),
                version: self.version,
                sessions: self.told,
                known: None,
                what,
            };
            io.publish(io.names.call(to, Call::Presence), Vec::new(), json(&update));
        }
    }

    /// Says that this gateway has no members here any more, and hears no more of others.
    pub(super) fn withdraw(mut self, io: &mut Io<'_>, clock: &mut Clock) {
        (self.version, self.told) = (clock.next(), 0);
        if self.introduced.is_some() && io.connected {
            self.say(io, What::Out, None);
        }
        if self.first.is_some() {
            let subject = self.subject(io);
            io.unsubscribe(subject);
        }
    }
}
