//! A client that keeps to the documentation, and knows what it has got.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::TcpStream,
    rc::Rc,
};

use serde_json::{Value, json};
use sluice_net::{Cause, Connection, SharedFrame};
use sluice_rooms::{Pid, Reading, SessionId};

use super::{super::bench::Bench, Model, frames::Frames};
use crate::{
    hub::{ClientPosition, Knock, Session},
    operation::{JoinOptions, Operation},
    outcome::Success,
};

/// How many times it looks for what is on its way.
const PATIENCE: u32 = 5_000;

/// What a join asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// What comes from then on.
    FromNow,
    /// All that comes after a message.
    After(u64),
}

/// A room as the client knows it.
#[derive(Debug, Default)]
struct Known {
    /// It has every message after this one that it should; none while it is no member.
    from: Option<u64>,
    /// The offset that it would join after.
    last: u64,
    got: BTreeSet<u64>,
    /// A join that is not answered yet.
    asked: Option<Asked>,
    /// Whether it asked for the same before, over another connection.
    asked_again: bool,
    /// Whether it asked to leave, which is not answered yet: messages may still come.
    leaving: bool,
}

pub(super) struct Client {
    user: String,
    pid: Pid,
    session: Rc<Session>,
    connection: Rc<Connection>,
    frames: Frames,
    rooms: BTreeMap<&'static str, Known>,
    position: Option<Reading>,
    /// What its session published without echo, and does not get.
    own: BTreeSet<u64>,
    unread: VecDeque<Value>,
}

impl Client {
    pub(super) async fn new(bench: &Bench, user: String) -> Self {
        let (session, connection, end, _) = bench.come(&user, Knock::default()).await;
        Self {
            pid: session.pid,
            user,
            session,
            connection,
            frames: Frames::of(end),
            rooms: BTreeMap::new(),
            position: None,
            own: BTreeSet::new(),
            unread: VecDeque::new(),
        }
    }

    pub(super) fn session(&self) -> SessionId {
        self.session.id
    }

    /// Its session published that without echo.
    pub(super) fn published(&mut self, offset: u64) {
        self.own.insert(offset);
    }

    /// Joins a room, anew or after the last message that it has of it.
    pub(super) fn join(&mut self, bench: &Bench, room: &'static str, goes_on: bool) {
        let known = self.rooms.entry(room).or_default();
        if known.asked.is_some() || known.leaving {
            return;
        }
        let asked = if goes_on {
            Asked::After(known.last)
        } else {
            Asked::FromNow
        };
        known.asked = Some(asked);
        self.ask(bench, room, asked);
    }

    fn ask(&self, bench: &Bench, room: &'static str, asked: Asked) {
        let after = match asked {
            Asked::FromNow => None,
            Asked::After(after) => Some(after),
        };
        let from = JoinOptions {
            after,
            ..JoinOptions::default()
        };
        let join = Operation::Join {
            room: room.into(),
            from,
        };
        let connection = Rc::clone(&self.connection);
        let _ = bench.hub.perform(&self.session, join, move |outcome| {
            let answer = match outcome {
                Ok(Success::Joined {
                    offset, recovered, ..
                }) => json!({"room": room, "offset": offset, "recovered": recovered}),
                Ok(_) => json!({"room": room}),
                Err(failure) => json!({"room": room, "refused": failure.code()}),
            };
            let _ = connection.send(&SharedFrame::text(&answer.to_string()));
        });
    }

    pub(super) fn leave(&mut self, bench: &Bench, room: &'static str) {
        let Some(known) = self.rooms.get_mut(room) else {
            return;
        };
        // A leave is done at once, and must not overtake a join.
        if known.asked.is_some() || known.from.take().is_none() {
            return;
        }
        known.leaving = true;
        let leave = Operation::Leave { room: room.into() };
        let connection = Rc::clone(&self.connection);
        let _ = bench.hub.perform(&self.session, leave, move |_| {
            let answer = json!({"room": room, "left": true});
            let _ = connection.send(&SharedFrame::text(&answer.to_string()));
        });
    }

    /// Reads so many frames.
    pub(super) fn read(&mut self, most: usize, model: &Model) {
        self.unread.extend(self.frames.take());
        for _ in 0..most {
            let Some(frame) = self.unread.pop_front() else {
                return;
            };
            if frame["meta"].is_object() {
                self.take_message(&frame);
            } else {
                self.take_answer(&frame, model);
            }
        }
    }

    fn take_message(&mut self, frame: &Value) {
        let offset = frame["meta"]["offset"].as_u64().unwrap();
        let room = frame["meta"]["room"].as_str().unwrap();
        let known = self.rooms.get_mut(room).expect("a room that it asked for");
        // It has asked again for what it has in part.
        let again = known.asked_again && known.got.contains(&offset);
        assert!(
            again || offset > known.last,
            "{}: {offset} of {room} comes after {}",
            self.user,
            known.last
        );
        known.last = known.last.max(offset);
        known.got.insert(offset);
        let position = frame["offset"].as_str().unwrap();
        self.position = Some(Reading::parse(position).unwrap());
    }

    fn take_answer(&mut self, frame: &Value, model: &Model) {
        let room = frame["room"].as_str().unwrap();
        let known = self.rooms.get_mut(room).unwrap();
        if frame["left"] == true {
            known.leaving = false;
            return;
        }
        assert_eq!(frame["refused"], Value::Null, "{}: {room}", self.user);
        let offset = frame["offset"].as_u64().unwrap();
        let asked = known.asked.take().expect("an answer to what it asked for");
        known.asked_again = false;
        match (frame["recovered"].as_bool(), asked) {
            (Some(true), Asked::After(after)) => {
                known.from = Some(known.from.unwrap_or(after).min(after));
            }
            (Some(_), _) => known.from = Some(offset),
            (None, _) => known.from = Some(known.from.unwrap_or(offset)),
        }
        let from = known.from.unwrap_or(offset);
        known.last = known.last.max(offset);
        self.has(model, room, from, offset);
    }

    fn missing(&self, model: &Model, room: &str, after: u64, through: u64) -> Vec<u64> {
        let known = &self.rooms[room];
        let mut all = model.between(room, after, through);
        all.retain(|offset| !known.got.contains(offset) && !self.own.contains(offset));
        all
    }

    /// Makes sure that it has all that was published in a room in between.
    fn has(&self, model: &Model, room: &str, after: u64, through: u64) {
        let missing = self.missing(model, room, after, through);
        assert!(
            missing.is_empty(),
            "{}: {missing:?} of {room}, of what comes after {after} up to {through}",
            self.user
        );
    }

    /// Reads to the end, and makes sure that it gets all that it should have by now.
    pub(super) fn get_everything(&mut self, model: &Model) {
        // What is written may take the kernel a moment to hand over.
        for _ in 0..PATIENCE {
            self.read(usize::MAX, model);
            let mut rooms = self.rooms.iter();
            let complete = rooms.all(|(room, known)| {
                let from = known.from.unwrap_or(u64::MAX);
                self.missing(model, room, from, u64::MAX).is_empty() && known.asked.is_none()
            });
            if complete {
                return;
            }
            self.frames.wait();
        }
        panic!("{} lacks messages or answers: {:?}", self.user, self.rooms);
    }

    /// Loses its connection and all that it has not read, and comes back.
    ///
    /// Where a join was not answered, it asks again, after the same message. Once it has some of
    /// what it missed it need not, since its session goes on with the rest.
    pub(super) async fn come_back(&mut self, bench: &Bench, model: &Model, is_noticed: bool) {
        self.unread.clear();
        if is_noticed {
            bench.hub.disconnected(&self.session, Cause::Lost);
        }
        let read = self.position.clone();
        let knock = Knock {
            pid: Some(self.pid),
            read: read.map_or(ClientPosition::None, ClientPosition::Known),
            ..Knock::default()
        };
        let (session, connection, end, recovered) = bench.come(&self.user, knock).await;
        (self.session, self.connection) = (session, connection);
        self.frames = Frames::of(end);
        self.pid = self.session.pid;
        if !recovered {
            self.begin_anew();
        }
        for known in self.rooms.values_mut() {
            known.leaving = false;
        }
        self.go_on(model);
        self.ask_again(bench);
    }

    fn begin_anew(&mut self) {
        self.position = None;
        for known in self.rooms.values_mut() {
            known.from = None;
            known.asked = None;
            known.asked_again = false;
        }
    }

    /// Counts on its session for every other join of which it has got the first messages.
    fn go_on(&mut self, model: &Model) {
        let begun = self.rooms.iter().filter_map(|(room, known)| {
            let Some(Asked::After(after)) = known.asked else {
                return None;
            };
            let some = known.last > after && !known.asked_again;
            let begun = some && self.missing(model, room, after, known.last).is_empty();
            (begun && known.last % 2 == 0).then_some((*room, after))
        });
        for (room, after) in begun.collect::<Vec<_>>() {
            let known = self.rooms.get_mut(room).unwrap();
            known.from = Some(known.from.unwrap_or(after).min(after));
            known.asked = None;
        }
    }

    /// Asks once more for what was not answered.
    fn ask_again(&mut self, bench: &Bench) {
        for known in self.rooms.values_mut() {
            known.asked_again = known.asked.is_some();
        }
        for (room, known) in &self.rooms {
            if let Some(asked) = known.asked {
                self.ask(bench, room, asked);
            }
        }
    }
}

impl Frames {
    /// The frames that a connection's other end gets.
    fn of(end: TcpStream) -> Self {
        end.set_nonblocking(true).unwrap();
        Self::new(end)
    }
}
