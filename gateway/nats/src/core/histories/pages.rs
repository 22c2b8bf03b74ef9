//! Pages of a room's history, read from the stream.

mod newest;
mod onward;
mod question;
mod search;

use std::collections::BTreeMap;

use sluice_backbone::{Error, Reply};
use sluice_rooms::{Epoch, HistoryLimits, Page, Query, RoomKey};
use tokio::sync::oneshot;

use self::{
    newest::Newest,
    onward::Onward,
    question::{Counted, Kept, Part, Question, Turn},
};
use super::{
    Io,
    ask::{Ask, ask},
    stream::{self, BATCH, BATCH_BYTES, Got, Stream},
};
use crate::{
    Packet,
    names::{self, Place},
};

/// The most reads at once.
const MOST: usize = 1_024;

/// Which messages are read.
#[derive(Debug)]
enum Wanted {
    Newest(Newest),
    Onward(Onward),
}

impl Wanted {
    /// What a query asks for, and how its read begins.
    fn begin(query: Query) -> (Self, Turn) {
        if let Some(after) = query.after {
            let (onward, turn) = Onward::begin(query, after);
            return (Self::Onward(onward), turn);
        }
        let (newest, turn) = Newest::begin(query);
        (Self::Newest(newest), turn)
    }

    fn page(self) -> Page {
        match self {
            Self::Newest(newest) => newest.page(),
            Self::Onward(onward) => onward.page(),
        }
    }
}

/// A read under way.
#[derive(Debug)]
struct Read {
    place: Place,
    limits: HistoryLimits,
    max_bytes: u64,
    wanted: Wanted,
    tell: oneshot::Sender<Result<(Epoch, Page), Error>>,
}

/// All reads under way.
#[derive(Debug, Default)]
pub(super) struct Pages {
    last: u64,
    reads: BTreeMap<u64, Read>,
}

impl Pages {
    pub(super) fn fail(&mut self, id: u64) {
        if let Some(read) = self.reads.remove(&id) {
            // Whoever asked may be gone.
            let _ = read.tell.send(Err(Error::Unavailable));
        }
    }

    /// A page of a room's history.
    pub(super) fn read(
        &mut self,
        io: &mut Io<'_>,
        stream: &Stream,
        room: &RoomKey,
        limits: HistoryLimits,
        query: Query,
    ) -> Reply<(Epoch, Page)> {
        if !io.connected || stream.epoch.is_none() {
            return Reply::Now(Err(Error::Unavailable));
        }
        if self.reads.len() >= MOST {
            return Reply::Now(Err(Error::Overloaded));
        }
        let (tell, told) = oneshot::channel();
        self.last += 1;
        let id = self.last;
        let (wanted, turn) = Wanted::begin(query);
        let most = |bytes| (bytes as u64).clamp(1, BATCH_BYTES);
        let read = Read {
            place: names::place(room),
            limits,
            max_bytes: query.max_bytes.map_or(BATCH_BYTES, most),
            wanted,
            tell,
        };
        self.reads.insert(id, read);
        self.go_on(io, stream, id, turn);
        Reply::told(told)
    }

    /// A part of the answer to what was asked last for a page.
    pub(super) fn came(
        &mut self,
        io: &mut Io<'_>,
        stream: &Stream,
        request: u64,
        id: u64,
        packet: &Packet,
    ) {
        let (Some(read), Some(epoch)) = (self.reads.get_mut(&id), stream.epoch) else {
            return io.requests.close(request);
        };
        let count = stream::pending(packet) + 1;
        let part = match stream::got(io.names, packet, io.now) {
            Got::Message(found) => {
                let offset = found.offset;
                Part::Message(Counted { offset, count }, Some(found.into_message(epoch)))
            }
            Got::Unread(offset, _) => Part::Message(Counted { offset, count }, None),
            Got::End => Part::End,
            Got::Nothing => Part::Nothing,
            Got::Unavailable | Got::Refused => {
                io.requests.close(request);
                return self.fail(id);
            }
        };
        let kept = Kept {
            limits: read.limits,
            time: io.time,
        };
        let turn = match &mut read.wanted {
            Wanted::Newest(newest) => newest.came(part, &kept),
            Wanted::Onward(onward) => onward.came(part, &kept, stream.limits.per_room),
        };
        if turn != Turn::Wait {
            io.requests.close(request);
        }
        self.go_on(io, stream, id, turn);
    }

    fn go_on(&mut self, io: &mut Io<'_>, stream: &Stream, id: u64, turn: Turn) {
        match turn {
            Turn::Wait => {}
            Turn::Ask(question) => self.ask(io, id, question),
            Turn::Done => {
                if let (Some(read), Some(epoch)) = (self.reads.remove(&id), stream.epoch) {
                    // Whoever asked may be gone.
                    let _ = read.tell.send(Ok((epoch, read.wanted.page())));
                }
            }
        }
    }

    fn ask(&mut self, io: &mut Io<'_>, id: u64, question: Question) {
        let Some(read) = self.reads.get(&id) else {
            return;
        };
        let subject = io.names.stored(&read.place);
        let body = match question {
            Question::Look(offset) => stream::from_offset(&subject, offset.max(1), 1),
            Question::Last => stream::last_by(&subject),
            Question::Range(offset, messages) => {
                let most = (messages.min(BATCH), read.max_bytes);
                stream::from_offset_within(&subject, offset.max(1), most)
            }
            Question::Exactly(offset) => stream::exactly(offset),
        };
        ask(io, stream::batch_subject(io.names), body, Ask::Page(id));
    }
}
