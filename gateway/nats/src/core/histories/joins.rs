//! Workers that join a room, and from where on its messages come for sure.
//!
//! A subscription takes a moment to reach the stream's leader. A question to the leader over the
//! same connection, a barrier, follows it there, so what is stored after its answer is passed on
//! to us.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::{Error, Joined, Reply};
use sluice_rooms::{Position, RoomKey};
use tokio::sync::oneshot;

use super::{
    Io,
    ask::{Ask, ask},
    room::{Phase, Room},
    rooms::Rooms,
    stream::{self, Stream},
    watch::Watch,
};
use crate::{
    Packet,
    names::{self, Place},
};

/// How long a join waits for the backbone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rooms that were subscribed to, and the question that follows them to the leader.
#[derive(Debug, Default)]
pub(super) struct Joins {
    /// Behind the question that is on its way.
    passing: Option<Vec<Place>>,
    /// To go with the next one.
    next: Vec<Place>,
}

/// What came of the question.
#[derive(Debug)]
pub(super) enum Passed {
    /// Nothing, and it is asked again.
    Unknown,
    /// Messages of these rooms come for sure.
    Followed(Vec<Place>),
    /// The stream was made anew: all rooms are to be followed anew.
    Anew,
}

impl Joins {
    /// A worker has a member in a room from now on.
    pub(super) fn join(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        worker: usize,
        key: &RoomKey,
    ) -> Reply<Joined> {
        let place = names::place(key);
        if rooms.get(&place).is_none() {
            rooms.insert(io, Room::new(key.clone(), Arc::clone(&place), io.now));
            self.next.push(Arc::clone(&place));
        }
        let (watermark, epoch) = (rooms.watermark(), rooms.stream().epoch);
        let Some(room) = rooms.get_mut(&place) else {
            return Reply::Now(Err(Error::Unavailable));
        };
        room.idle_since = None;
        if let Phase::Joining { waiting, .. } = &mut room.phase {
            let (tell, told) = oneshot::channel();
            waiting.push((worker, tell));
            self.pass(io, rooms.stream());
            return Reply::told(told);
        }
        room.workers.insert(worker);
        let offset = watermark.max(room.floor);
        Reply::Now(epoch.map_or(Err(Error::Unavailable), |epoch| {
            Ok(Joined { epoch, offset })
        }))
    }

    /// Asks, unless a question is on its way: one serves all rooms that wait.
    pub(super) fn pass(&mut self, io: &mut Io<'_>, stream: &Stream) {
        let free = self.passing.is_none() && !self.next.is_empty();
        if free && io.connected && stream.epoch.is_some() {
            self.passing = Some(std::mem::take(&mut self.next));
            let subject = stream::info_subject(io.names);
            ask(io, subject, String::new(), Ask::Barrier);
        }
    }

    /// The leader has answered.
    pub(super) fn passed(
        &mut self,
        io: &mut Io<'_>,
        (rooms, watch): (&mut Rooms, &Watch),
        packet: &Packet,
    ) -> Passed {
        let Some(info) = stream::info(packet) else {
            self.forget();
            return Passed::Unknown;
        };
        let passed = self.passing.take().unwrap_or_default();
        let Some(epoch) = rooms.stream().epoch.filter(|_| watch.is_same(&info)) else {
            self.next.extend(passed);
            return Passed::Anew;
        };
        let last = info.last;
        let follows = |place: &Place| {
            follow(
                io,
                rooms,
                place,
                Position {
                    epoch,
                    offset: last,
                },
            )
        };
        Passed::Followed(passed.into_iter().filter(follows).collect())
    }

    /// No answer comes: all of them go with the next question.
    pub(super) fn forget(&mut self) {
        if let Some(passing) = self.passing.take() {
            self.next.extend(passing);
        }
    }

    /// Refuses who has waited for too long.
    pub(super) fn give_up(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) {
        let late = |place: &mut Place| {
            let room = rooms.get(place);
            room.is_none_or(|room| is_overdue(room, io.now))
        };
        let mut overdue: Vec<_> = self.next.extract_if(.., late).collect();
        if let Some(passing) = &mut self.passing {
            overdue.extend(passing.extract_if(.., late));
        }
        for place in overdue {
            let Some(room) = rooms.remove(io, &place) else {
                continue;
            };
            if let Phase::Joining { waiting, .. } = room.phase {
                for (worker, tell) in waiting {
                    io.answer(worker, tell, Err(Error::Unavailable));
                }
            }
        }
    }
}

fn is_overdue(room: &Room, now: Instant) -> bool {
    match &room.phase {
        Phase::Joining { since, .. } => now.duration_since(*since) > PATIENCE,
        _ => false,
    }
}

/// Follows a room from here on; false where nobody waits for that any more.
fn follow(io: &mut Io<'_>, rooms: &mut Rooms, place: &Place, last: Position) -> bool {
    let epoch = last.epoch;
    let offset = rooms.watermark().max(last.offset);
    let Some(room) = rooms.get_mut(place) else {
        return false;
    };
    let Phase::Joining { waiting, early, .. } = &mut room.phase else {
        return false;
    };
    let (waiting, early) = (std::mem::take(waiting), std::mem::take(early));
    room.follow(last.offset);
    if waiting.is_empty() {
        room.idle_since = Some(io.now);
    }
    for (worker, tell) in waiting {
        room.workers.insert(worker);
        io.answer(worker, tell, Ok(Joined { epoch, offset }));
    }
    for arrival in early {
        if arrival.offset > last.offset {
            rooms.take(io, place, arrival);
        }
    }
    true
}
