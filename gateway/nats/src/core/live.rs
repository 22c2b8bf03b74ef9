//! Rooms without history: what is published goes to who is there, once at most.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::{BackboneEvent, Error, Publication, Receipt};
use sluice_contract::Decoded;
use sluice_rooms::{Message, RoomKey};

use super::{io::Io, workers::Workers};
use crate::{
    Packet, envelope,
    names::{self, Place},
};

/// How long a room stays subscribed to that no worker needs.
const LINGER: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Room {
    key: RoomKey,
    workers: Workers,
    idle_since: Option<Instant>,
    /// How many messages came in which second.
    rate: (u64, u32),
}

/// All rooms without history that this gateway has members in.
#[derive(Debug, Default)]
pub(crate) struct Live {
    rooms: BTreeMap<Place, Room>,
    sweep: Option<Instant>,
    /// The rates of rooms that others have members in.
    rates: BTreeMap<Place, (u64, u32)>,
    newer: u64,
}

impl Live {
    pub(crate) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// How many messages were of a newer version and could not be read.
    pub(crate) fn newer(&self) -> u64 {
        self.newer
    }

    pub(crate) fn subscribe(&mut self, io: &mut Io<'_>, worker: usize, key: &RoomKey) {
        let place = names::place(key);
        let room = self.rooms.entry(place).or_insert_with_key(|place| {
            io.subscribe(io.names.live(place));
            Room {
                key: key.clone(),
                workers: Workers::default(),
                idle_since: None,
                rate: (0, 0),
            }
        });
        room.workers.insert(worker);
        room.idle_since = None;
    }

    pub(crate) fn unsubscribe(&mut self, io: &Io<'_>, worker: usize, key: &RoomKey) {
        if let Some(room) = self.rooms.get_mut(&names::place(key)) {
            room.workers.remove(worker);
            if room.workers.is_empty() {
                room.idle_since = Some(io.now);
            }
        }
    }

    /// Delivers here, and sends to the others, who do the same.
    pub(crate) fn publish(
        &mut self,
        io: &mut Io<'_>,
        publication: Publication,
    ) -> Result<Receipt, Error> {
        let place = names::place(&publication.room);
        if self.is_anyone_behind(io, &place) {
            return Err(Error::Overloaded);
        }
        let per_second = publication.settings.messages_per_second;
        if !self.admit(&place, per_second, io.time / 1000) {
            return Err(Error::RoomRate);
        }
        let message = io.accept(publication);
        let payload = envelope::encode(&message, io.gateway);
        if !io.fits(&Vec::new(), payload.len()) {
            return Err(Error::TooLarge);
        }
        io.publish(io.names.live(&place), Vec::new(), payload);
        let id = message.id.clone();
        if let Some(room) = self.rooms.get(&place) {
            deliver(io, room, &Arc::new(message));
        }
        Ok(Receipt {
            id,
            position: None,
            duplicate: false,
        })
    }

    /// Whether a worker that has members in a room is too far behind to be left more.
    fn is_anyone_behind(&self, io: &Io<'_>, place: &Place) -> bool {
        let room = self.rooms.get(place);
        room.is_some_and(|room| room.workers.iter().any(|worker| io.workers.is_full(worker)))
    }

    fn admit(&mut self, place: &Place, per_second: Option<u32>, second: u64) -> bool {
        let Some(per_second) = per_second else {
            return true;
        };
        let rate = match self.rooms.get_mut(place) {
            Some(room) => &mut room.rate,
            None => self.rates.entry(Arc::clone(place)).or_default(),
        };
        count(rate, second) <= per_second
    }

    pub(crate) fn message(&mut self, io: &Io<'_>, place: &str, packet: &Packet) {
        let Some(room) = self.rooms.get_mut(place) else {
            return;
        };
        match envelope::decode(room.key.clone(), &packet.payload, io.now) {
            Decoded::Known(received) => {
                count(&mut room.rate, io.time / 1000);
                deliver(io, room, &Arc::new(received.message));
            }
            Decoded::Newer => self.newer += 1,
            Decoded::Garbage => {}
        }
    }

    pub(crate) fn tick(&mut self, io: &mut Io<'_>) {
        if self.sweep.is_some_and(|at| at > io.now) {
            return;
        }
        self.sweep = Some(io.now + LINGER);
        self.rates.clear();
        let idle = |room: &Room| {
            let since = room.idle_since.filter(|_| room.workers.is_empty());
            since.is_some_and(|since| io.now.duration_since(since) >= LINGER)
        };
        let gone: Vec<_> = self
            .rooms
            .iter()
            .filter(|(_, room)| idle(room))
            .map(|(place, _)| Arc::clone(place))
            .collect();
        for place in gone {
            self.rooms.remove(&place);
            io.unsubscribe(io.names.live(&place));
        }
    }
}

fn deliver(io: &Io<'_>, room: &Room, message: &Arc<Message>) {
    for worker in room.workers.iter() {
        io.workers
            .deliver(worker, BackboneEvent::Room(Arc::clone(message)));
    }
}

/// Counts one more message in this second; returns how many there are.
fn count(rate: &mut (u64, u32), second: u64) -> u32 {
    if rate.0 != second {
        *rate = (second, 0);
    }
    rate.1 = rate.1.saturating_add(1);
    rate.1
}
