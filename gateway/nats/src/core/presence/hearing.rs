//! What a gateway makes of what others say of their members.

use std::time::Instant;

use sluice_contract::{Call, GatewayNumber, is_of_newer_kind};
use sluice_rooms::{Announcement, RoomKey};

use super::{
    Presence,
    peer::Users,
    room::Room,
    update::{self, PresenceUpdate, What},
};
use crate::{
    Packet,
    core::{fleet::Fleet, io::Io, json::json},
    names,
};

/// The most rooms that one message asks about.
const MAX_CHECKED: usize = 1_024;

/// What follows from something that was heard.
#[derive(Debug, Default)]
struct Heard {
    /// What is to be announced before it.
    first: Option<Announcement>,
    /// Whether something is missing that must be asked for.
    incomplete: bool,
}

impl Presence {
    /// Something about a room.
    pub(crate) fn message(
        &mut self,
        io: &mut Io<'_>,
        fleet: &mut Fleet,
        place: &str,
        packet: &Packet,
    ) {
        match (self.read(io, fleet, packet), names::room(place)) {
            (Some(update), Some(key)) => self.hear(io, &key, update),
            (Some(_), None) => self.garbage += 1,
            (None, _) => {}
        }
    }

    /// Something that was said to this gateway only.
    pub(crate) fn called(&mut self, io: &mut Io<'_>, fleet: &mut Fleet, packet: &Packet) {
        let Some(update) = self.read(io, fleet, packet) else {
            return;
        };
        if let What::Check(rooms) = update.what {
            return self.check(io, update.gateway, rooms);
        }
        match update.room.as_deref().and_then(names::room) {
            Some(key) => self.hear(io, &key, update),
            None => self.garbage += 1,
        }
    }

    fn read(&mut self, io: &Io<'_>, fleet: &mut Fleet, packet: &Packet) -> Option<PresenceUpdate> {
        let Ok(update) = serde_json::from_slice::<PresenceUpdate>(&packet.payload) else {
            if is_of_newer_kind(&packet.payload, &update::KINDS) {
                self.newer += 1;
            } else {
                self.garbage += 1;
            }
            return None;
        };
        let other = update.gateway.0 != io.gateway;
        // Whoever speaks is there, and is gone some time after.
        (other && fleet.meet(io.now, update.gateway.0)).then_some(update)
    }

    fn hear(&mut self, io: &mut Io<'_>, key: &RoomKey, update: PresenceUpdate) {
        let gateway = update.gateway;
        let asks = update.what == What::Ask;
        let wanted = |room: &&mut Room| room.is_wanted();
        let Some(room) = self.rooms.get_mut(key).filter(wanted) else {
            if asks {
                self.deny(io, gateway, names::place(key));
            }
            return;
        };
        if asks {
            return room.tell(io, &mut self.clock, gateway, None);
        }
        if let Some(known) = &update.known {
            let own = known.iter().find(|(other, _)| other.0 == io.gateway);
            room.tell(
                io,
                &mut self.clock,
                gateway,
                own.map(|(_, version)| *version),
            );
        }
        let heard = room.hear(io.now, update);
        if heard.incomplete && room.peer(gateway.0).patience.is_over(io.now) {
            ask(io, room, gateway);
        }
        if let Some(news) = heard.first {
            super::announce(io, key, news);
        }
        self.touch(key);
    }

    /// Says what is newer than what another gateway knows of rooms.
    fn check(&mut self, io: &mut Io<'_>, from: GatewayNumber, rooms: Vec<(names::Place, u64)>) {
        for (place, version) in rooms.into_iter().take(MAX_CHECKED) {
            let Some(key) = names::room(&place) else {
                self.garbage += 1;
                continue;
            };
            match self.rooms.get_mut(&key).filter(|room| room.is_wanted()) {
                Some(room) => room.tell(io, &mut self.clock, from, Some(version)),
                None => self.deny(io, from, place),
            }
        }
    }

    /// Says that this gateway has no members in a room.
    fn deny(&mut self, io: &mut Io<'_>, to: GatewayNumber, place: names::Place) {
        let update = PresenceUpdate {
            gateway: GatewayNumber(io.gateway),
            room: Some(place),
            version: self.clock.next(),
            sessions: 0,
            known: None,
            what: What::Out,
        };
        io.publish(io.names.call(to, Call::Presence), Vec::new(), json(&update));
    }
}

fn ask(io: &mut Io<'_>, room: &Room, gateway: GatewayNumber) {
    let update = PresenceUpdate {
        gateway: GatewayNumber(io.gateway),
        room: Some(room.place.clone()),
        version: 0,
        sessions: 0,
        known: None,
        what: What::Ask,
    };
    io.publish(
        io.names.call(gateway, Call::Presence),
        Vec::new(),
        json(&update),
    );
}

impl Room {
    fn hear(&mut self, now: Instant, update: PresenceUpdate) -> Heard {
        let (gateway, version) = (update.gateway.0, update.version);
        let before = self.peer(gateway).version;
        let new = match update.what {
            What::All { .. } | What::Count(_) => version >= before && version > 0,
            What::Same => version != before,
            _ => version > before,
        };
        if !new {
            return Heard::default();
        }
        let mut first = None;
        match update.what {
            What::Changed {
                after,
                joined,
                left,
            } => {
                let named = matches!(self.peer(gateway).users, Users::Named(_));
                if after != before || !named {
                    return Heard {
                        first,
                        incomplete: true,
                    };
                }
                self.change(gateway, joined, &left);
            }
            What::All { users, part, parts } => {
                let Some(users) = self.peer(gateway).part(version, (part, parts), users) else {
                    return Heard::default();
                };
                // Whom it has had before this gateway came is no news; nor who was only counted.
                let had = before == 0 && update.known.is_none() && self.is_fresh(now);
                if had || matches!(self.peer(gateway).users, Users::Counted(_)) {
                    first = self.quietly(|room| room.replace(gateway, users));
                } else {
                    self.replace(gateway, users);
                }
            }
            What::Count(count) => first = self.quietly(|room| room.count_only(gateway, count)),
            What::Out => {
                self.remove(gateway);
                return Heard::default();
            }
            What::Same => {
                return Heard {
                    first,
                    incomplete: version > before,
                };
            }
            What::Ask | What::Check(_) => return Heard::default(),
        }
        let peer = self.peer(gateway);
        (peer.version, peer.sessions) = (version, update.sessions);
        Heard {
            first,
            incomplete: false,
        }
    }
}
