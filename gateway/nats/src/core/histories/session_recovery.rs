//! What a session missed: from the recent messages where they reach back, else from the stream.
//!
//! An answer is whole or it is that some may be gone.

mod gather;
mod want;

use std::{collections::BTreeMap, time::Instant};

use sluice_backbone::{Bookmark, Error, Missed, Reader, Reply};
use tokio::sync::oneshot;

use self::want::{AGAIN, Proof, Want};
use super::{
    Io,
    ask::{Ask, Part, ask},
    rooms::Rooms,
    stream::{self, BATCH, Got, Stream},
};
use crate::{
    Packet,
    core::{RECOVERY, patience::is_due},
};

/// The most messages that one session can be given.
const MOST: usize = 100_000;

#[derive(Debug)]
struct Wish {
    worker: usize,
    reader: Reader,
    wants: Vec<Want>,
    tell: oneshot::Sender<Result<Missed, Error>>,
    until: Instant,
}

/// The sessions that wait for what they missed.
#[derive(Debug, Default)]
pub(super) struct Missing {
    last: u64,
    wishes: BTreeMap<u64, Wish>,
}

/// How far a room's part is.
enum Progress {
    Ready,
    Waiting,
    Failed(Error),
}

impl Missing {
    pub(super) fn len(&self) -> usize {
        self.wishes.len()
    }

    /// What a session missed in its rooms with history.
    pub(super) fn wish(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        worker: usize,
        bookmarks: &[Bookmark],
        reader: Reader,
    ) -> Reply<Missed> {
        let (tell, told) = oneshot::channel();
        let read = read_elsewhere(&reader);
        self.last += 1;
        let id = self.last;
        let wish = Wish {
            worker,
            reader,
            wants: bookmarks.iter().map(|b| Want::new(b, read)).collect(),
            tell,
            until: io.now + RECOVERY,
        };
        self.wishes.insert(id, wish);
        self.pursue(io, rooms, id);
        Reply::told(told)
    }

    /// Asks for what is still needed, and answers once nothing is.
    fn pursue(&mut self, io: &mut Io<'_>, rooms: &mut Rooms, id: u64) {
        let Some(mut wish) = self.wishes.remove(&id) else {
            return;
        };
        let mut ready = true;
        for at in 0..wish.wants.len() {
            match further(io, rooms, &mut wish.wants[at], (id, at)) {
                Progress::Ready => {}
                Progress::Waiting => ready = false,
                Progress::Failed(error) => return tell(io, wish, Err(error)),
            }
        }
        let missed = if ready { wish.gather(rooms) } else { None };
        match missed {
            Some(missed) => tell(io, wish, missed),
            None => _ = self.wishes.insert(id, wish),
        }
    }

    /// A part of what has to be known.
    pub(super) fn came(
        &mut self,
        io: &mut Io<'_>,
        rooms: &mut Rooms,
        request: u64,
        (id, at, part): (u64, usize, Part),
        packet: &Packet,
    ) {
        let Stream { epoch, limits } = *rooms.stream();
        let wish = self.wishes.get_mut(&id);
        let Some(want) = wish.and_then(|wish| wish.wants.get_mut(at)) else {
            return io.requests.close(request);
        };
        if stream::is_refused(packet) {
            io.requests.close(request);
            return self.fail(io, id, Error::Unavailable);
        }
        let room = rooms.get(&want.place);
        let floor = room.map_or(0, |room| room.floor);
        let over = match (part, epoch) {
            (Part::Tail, _) => want.tail_came(packet, io.now),
            (Part::Read, _) => want.read_came(packet, io.now),
            (_, None) => true,
            (Part::Range, Some(epoch)) => match stream::got(io.names, packet, io.now) {
                Got::Message(found) => {
                    if want.is_gone_before(&found, limits) {
                        io.requests.close(request);
                        return self.fail(io, id, Error::Gone);
                    }
                    want.range_came(*found, floor, epoch);
                    false
                }
                Got::Unread(offset, _) => {
                    want.cursor = want.cursor.max(offset.min(floor));
                    false
                }
                end => want.range_ended(&end, floor, io.now),
            },
            (_, Some(_)) => want.evidence_came(part, stream::got(io.names, packet, io.now), io),
        };
        if over {
            io.requests.close(request);
            want.asked.retain(|asked| *asked != part);
            self.pursue(io, rooms, id);
        }
    }

    fn fail(&mut self, io: &Io<'_>, id: u64, error: Error) {
        if let Some(wish) = self.wishes.remove(&id) {
            tell(io, wish, Err(error));
        }
    }

    pub(super) fn later(&mut self, io: &mut Io<'_>, id: u64, at: usize, part: Part) {
        let wish = self.wishes.get_mut(&id);
        if let Some(want) = wish.and_then(|wish| wish.wants.get_mut(at)) {
            want.asked.retain(|asked| *asked != part);
            want.again = Some(io.now + AGAIN);
        }
    }

    pub(super) fn go_on(&mut self, io: &mut Io<'_>, rooms: &mut Rooms) {
        let ids: Vec<_> = self.wishes.keys().copied().collect();
        for id in ids {
            let Some(wish) = self.wishes.get_mut(&id) else {
                continue;
            };
            if wish.until <= io.now {
                if let Some(wish) = self.wishes.remove(&id) {
                    tell(io, wish, Err(Error::Unavailable));
                }
                continue;
            }
            for want in &mut wish.wants {
                if io.connected && is_due(want.again, io.now) {
                    want.again = None;
                }
            }
            self.pursue(io, rooms, id);
        }
    }
}

fn further(io: &mut Io<'_>, rooms: &mut Rooms, want: &mut Want, of: (u64, usize)) -> Progress {
    if !want.kept {
        return Progress::Ready;
    }
    let Some(room) = rooms.get_mut(&want.place) else {
        return Progress::Failed(Error::Unavailable);
    };
    if !room.is_followed() || want.again.is_some() {
        return Progress::Waiting;
    }
    if want.read_elsewhere > room.head {
        match catch_up(io, rooms, want, of) {
            Progress::Ready => {}
            other => return other,
        }
    }
    let Some(room) = rooms.get_mut(&want.place) else {
        return Progress::Failed(Error::Unavailable);
    };
    if want.after >= room.floor {
        return Progress::Ready;
    }
    let Some(tail) = room.tail.or(want.tail) else {
        return ask_part(io, want, of, Part::Tail);
    };
    if tail <= room.floor {
        room.tail = Some(tail);
    }
    let floor = room.floor;
    let has_all = tail != 0 && tail <= want.after;
    if !want.proven && !has_all {
        match want.proof() {
            Proof::Whole => want.proven = true,
            Proof::Gone => return Progress::Failed(Error::Gone),
            Proof::Needs(part) => return ask_part(io, want, of, part),
        }
    }
    if want.cursor >= floor || tail <= want.cursor {
        want.cursor = want.cursor.max(floor);
        return Progress::Ready;
    }
    if want.read.len() > MOST {
        return Progress::Failed(Error::Gone);
    }
    ask_part(io, want, of, Part::Range)
}

/// A client that is behind in a room, and further in others than this gateway is, gets all of
/// the room up to where it is in the others. What came later would say less of the others.
fn catch_up(io: &mut Io<'_>, rooms: &mut Rooms, want: &mut Want, of: (u64, usize)) -> Progress {
    if rooms.is_behind(&want.place) {
        return Progress::Waiting;
    }
    if want.after >= want.read_elsewhere {
        return Progress::Ready;
    }
    let Some(tail) = want.tail else {
        return ask_part(io, want, of, Part::Tail);
    };
    let head = rooms.get(&want.place).map_or(tail, |room| room.head);
    if head < tail {
        rooms.miss(io, &want.place, tail);
        return Progress::Waiting;
    }
    Progress::Ready
}

fn ask_part(io: &mut Io<'_>, want: &mut Want, (id, at): (u64, usize), part: Part) -> Progress {
    if want.asked.contains(&part) {
        return Progress::Waiting;
    }
    want.asked.push(part);
    let subject = io.names.stored(&want.place);
    let (to, body) = match part {
        Part::Tail => (stream::leader_subject(io.names), stream::last_by(&subject)),
        Part::First => {
            let body = stream::from_offset(&subject, 1, 1);
            (stream::batch_subject(io.names), body)
        }
        Part::Read => (
            stream::leader_subject(io.names),
            stream::exactly(want.after),
        ),
        Part::Time => (stream::batch_subject(io.names), stream::exactly(want.after)),
        Part::Range => {
            want.joined = false;
            want.began = want.cursor;
            // From the last one that is known: if it is there, nothing is gone after it.
            let body = stream::from_offset(&subject, want.cursor.max(1), BATCH);
            (stream::batch_subject(io.names), body)
        }
    };
    ask(io, to, body, Ask::Missed(id, at, part));
    Progress::Waiting
}

/// How far a client has read that comes from elsewhere, over all rooms.
fn read_elsewhere(reader: &Reader) -> u64 {
    let read = reader.read.as_ref().filter(|_| !reader.connected);
    read.map_or(0, |read| read.position().offset)
}

fn tell(io: &Io<'_>, wish: Wish, missed: Result<Missed, Error>) {
    let Wish { worker, tell, .. } = wish;
    io.answer(worker, tell, missed);
}
