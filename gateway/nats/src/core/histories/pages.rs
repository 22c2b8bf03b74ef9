//! Pages of a room's history, read from the stream.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use sluice_backbone::{Error, Reply};
use sluice_rooms::{Epoch, HistoryLimits, Message, Page, Query, RoomKey};
use tokio::sync::oneshot;

use super::{
    Io,
    ask::{Ask, ask},
    stream::{self, BATCH, Got, Limits, Stream},
};
use crate::{
    Packet,
    names::{self, Place},
};

/// The most reads at once.
const MOST: usize = 1_024;

/// A read under way.
#[derive(Debug)]
struct Read {
    place: Place,
    query: Query,
    limits: HistoryLimits,
    cursor: u64,
    /// The oldest message of the room that is not too old, and how many there are from it on.
    first: Option<(u64, u64)>,
    /// Whether there were older ones than the room keeps.
    beyond: bool,
    page: VecDeque<Arc<Message>>,
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
        let read = Read {
            place: names::place(room),
            query,
            limits,
            // All of it is looked at, to tell whether any of what was asked for is gone.
            cursor: 0,
            first: None,
            beyond: false,
            page: VecDeque::new(),
            tell,
        };
        self.reads.insert(id, read);
        self.read_on(io, id);
        Reply::told(told)
    }

    fn read_on(&mut self, io: &mut Io<'_>, id: u64) {
        if let Some(read) = self.reads.get(&id) {
            let subject = io.names.stored(&read.place);
            let body = stream::from_offset(&subject, read.cursor + 1, BATCH);
            ask(io, stream::batch_subject(io.names), body, Ask::Page(id));
        }
    }

    /// A message that may belong to a page, or the end of them.
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
        let before = read.cursor;
        match stream::got(io.names, packet, io.now) {
            Got::Message(found) => {
                read.cursor = found.offset;
                let pending = found.pending;
                let full = read.take(found.into_message(epoch), pending, io.time);
                if full || pending == 0 {
                    io.requests.close(request);
                    self.finish(io, stream, id);
                }
            }
            Got::Unread(offset, _) => read.cursor = offset,
            Got::End if before > 0 => {
                io.requests.close(request);
                self.read_on(io, id);
            }
            Got::End | Got::Nothing => {
                io.requests.close(request);
                self.finish(io, stream, id);
            }
            Got::Unavailable => {
                io.requests.close(request);
                self.fail(id);
            }
        }
    }

    /// The page is there; whether any of what was asked for is gone may have to be looked up.
    fn finish(&mut self, io: &mut Io<'_>, stream: &Stream, id: u64) {
        let Some(read) = self.reads.get(&id) else {
            return;
        };
        if let Some(truncated) = read.truncated(stream.limits) {
            self.tell(stream, id, truncated);
        } else {
            let body = stream::exactly(read.query.after.unwrap_or(0));
            ask(io, stream::batch_subject(io.names), body, Ask::Reach(id));
        }
    }

    /// The message after which a page begins is there, or is gone like all that was as old.
    pub(super) fn reached(
        &mut self,
        io: &mut Io<'_>,
        stream: &Stream,
        request: u64,
        id: u64,
        packet: &Packet,
    ) {
        io.requests.close(request);
        let Some(read) = self.reads.get(&id) else {
            return;
        };
        let max_age = read.limits.max_age;
        let truncated = match stream::got(io.names, packet, io.now) {
            Got::Message(found) => age(io.time, &found.message) > max_age,
            _ => true,
        };
        self.tell(stream, id, truncated);
    }

    fn tell(&mut self, stream: &Stream, id: u64, truncated: bool) {
        if let (Some(read), Some(epoch)) = (self.reads.remove(&id), stream.epoch) {
            let messages = read.page.into();
            let page = Page {
                messages,
                truncated,
            };
            // Whoever asked may be gone.
            let _ = read.tell.send(Ok((epoch, page)));
        }
    }
}

fn age(time: u64, message: &Message) -> Duration {
    Duration::from_millis(time.saturating_sub(message.time))
}

impl Read {
    /// Takes a message into the page if it belongs there. True once the page cannot change.
    fn take(&mut self, message: Arc<Message>, pending: u64, time: u64) -> bool {
        let offset = message.offset();
        let beyond = pending >= self.limits.max_messages as u64;
        if beyond || age(time, &message) > self.limits.max_age {
            self.beyond |= beyond;
            return false;
        }
        self.first.get_or_insert((offset, pending + 1));
        if self.query.before.is_some_and(|before| offset >= before) {
            return true;
        }
        if self.query.after.is_some_and(|after| offset <= after) {
            return false;
        }
        self.page.push_back(message);
        if self.query.after.is_some() {
            // The oldest ones after it.
            return self.page.len() >= self.query.limit;
        }
        // The newest ones.
        if self.page.len() > self.query.limit {
            self.page.pop_front();
        }
        false
    }

    /// Whether messages after the wanted offset are gone; none where it cannot be told from what
    /// was read.
    fn truncated(&self, limits: Limits) -> Option<bool> {
        let Some(after) = self.query.after else {
            return Some(false);
        };
        let count = match self.first {
            Some((first, _)) if first <= after => return Some(false),
            Some((_, count)) => count,
            None => 0,
        };
        if self.beyond || limits.per_room.is_some_and(|limit| count >= limit) {
            return Some(true);
        }
        // From the very beginning: there is nothing that could tell of older ones.
        (after == 0).then_some(false)
    }
}
