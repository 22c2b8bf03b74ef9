//! From where on the messages of a room come for sure.
//!
//! A subscription takes a moment to reach the stream's leader. A question to the leader over the
//! same connection follows it there, so what is stored after its answer is passed on to us.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::{BackboneEvent, Completion, Error, Joined};
use sluice_rooms::Epoch;

use super::{
    Ask, Io, Kept,
    reading::{self, Info},
    room::{Phase, Room, Waiting},
};
use crate::{Packet, names::Place};

/// How long a join waits for the backbone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rooms that were subscribed to, and the question that follows them to the leader.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    /// Behind the question that is on its way.
    passing: Option<Vec<Place>>,
    /// To go with the next one.
    next: Vec<Place>,
}

impl Barrier {
    pub(super) fn want(&mut self, place: Place) {
        self.next.push(place);
    }

    /// No answer comes: all of them go with the next question.
    pub(super) fn forget(&mut self) {
        if let Some(passing) = self.passing.take() {
            self.next.extend(passing);
        }
    }
}

impl Kept {
    /// Asks, unless a question is on its way: one serves all rooms that wait.
    pub(super) fn pass_barrier(&mut self, io: &mut Io<'_>) {
        let free = self.barrier.passing.is_none() && !self.barrier.next.is_empty();
        if free && io.connected && self.epoch.is_some() {
            self.barrier.passing = Some(std::mem::take(&mut self.barrier.next));
            let subject = reading::info_subject(io.names);
            Self::ask(io, subject, String::new(), Ask::Barrier);
        }
    }

    pub(super) fn barrier_passed(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        io.requests.close(request);
        let Some(info) = reading::info(packet) else {
            return self.barrier.forget();
        };
        let passed = self.barrier.passing.take().unwrap_or_default();
        if Some(info.epoch) == self.epoch {
            for place in passed {
                self.follow(io, &place, &info);
            }
            self.pass_barrier(io);
        } else {
            // The stream was made anew: all rooms are followed anew.
            self.barrier.next.extend(passed);
            self.begin_resync(io);
        }
    }

    fn follow(&mut self, io: &mut Io<'_>, place: &Place, info: &Info) {
        let Some(room) = self.rooms.get_mut(place) else {
            return;
        };
        let Phase::Joining { waiting, early, .. } = &mut room.phase else {
            return;
        };
        let (waiting, early) = (std::mem::take(waiting), std::mem::take(early));
        room.follow(info.last);
        self.audit.follow(Arc::clone(place));
        if waiting.is_empty() {
            room.idle_since = Some(io.now);
        }
        let offset = self.watermark.max(info.last);
        tell_joined(io, room, waiting, info.epoch, offset);
        for arrival in early {
            if arrival.offset > info.last {
                if self.standing.is_live() {
                    self.arrive(io, place, arrival);
                } else {
                    self.hold(Arc::clone(place), arrival);
                }
            }
        }
    }

    /// Refuses who has waited for too long.
    pub(super) fn give_up_joining(&mut self, io: &mut Io<'_>) {
        let rooms = &self.rooms;
        let late = |place: &mut Place| {
            let room = rooms.get(place);
            room.is_none_or(|room| is_overdue(room, io.now))
        };
        let overdue: Vec<_> = self.barrier.next.extract_if(.., late).collect();
        for place in overdue {
            let Some(room) = self.rooms.remove(&place) else {
                continue;
            };
            io.unsubscribe(io.names.subject("out", &place));
            if let Phase::Joining { waiting, .. } = room.phase {
                for (worker, tell) in waiting {
                    let refuse = move || {
                        let _ = tell.send(Err(Error::Unavailable));
                    };
                    let answer = BackboneEvent::Completion(Completion::new(refuse));
                    io.workers.deliver(worker, answer);
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

fn tell_joined(io: &Io<'_>, room: &mut Room, waiting: Vec<Waiting>, epoch: Epoch, offset: u64) {
    let joined = Joined { epoch, offset };
    for (worker, tell) in waiting {
        room.workers.insert(worker);
        let answer = Completion::new(move || {
            // Whoever waited may be gone.
            let _ = tell.send(Ok(joined));
        });
        io.workers
            .deliver(worker, BackboneEvent::Completion(answer));
    }
}
