//! Everything that a session missed is there: puts it together.

use std::sync::Arc;

use sluice_backbone::{Error, Missed};
use sluice_rooms::{Epoch, Message, Position, Reading, RoomMark};

use super::{Wish, want::Want};
use crate::core::kept::Kept;

/// How far a reader is in one of the rooms that it reads.
struct Row {
    mark: RoomMark,
    after: u64,
    through: u64,
    /// Whether there is more after `through` that is not here yet.
    behind: bool,
    /// Who says that it has read up to here, and no more, may have done so before a message came.
    late_to: u64,
}

impl Kept {
    /// What was missed as of this moment; nothing yet where it is ahead of what all rooms have
    /// still to catch up with.
    pub(super) fn gather(&mut self, wish: &Wish) -> Option<Result<Missed, Error>> {
        let mut missed = match self.gather_rooms(wish) {
            Ok(missed) => missed,
            Err(error) => return Some(Err(error)),
        };
        let last = missed.messages.last().map_or(0, |last| last.offset());
        if last > self.watermark && !self.standing.is_live() {
            return None;
        }
        if let Some(epoch) = self.epoch {
            self.note_readings(wish, epoch, &mut missed);
        }
        // From the stream may come what is ahead of all that was delivered here. Its reader must
        // not go back with what comes then.
        self.advance(last);
        Some(Ok(missed))
    }

    fn gather_rooms(&self, wish: &Wish) -> Result<Missed, Error> {
        let mut messages = Vec::new();
        let mut through = Vec::with_capacity(wish.wants.len());
        for want in &wish.wants {
            through.push(self.gather_room(want, &mut messages)?);
        }
        messages.retain(|message| message.except != Some(wish.reader.session));
        messages.sort_by_key(|message| message.offset());
        Ok(Missed { messages, through })
    }

    /// What was missed of one room, and up to where that is all.
    fn gather_room(&self, want: &Want, messages: &mut Vec<Arc<Message>>) -> Result<u64, Error> {
        if !want.kept {
            return Ok(want.after);
        }
        let room = self.rooms.get(&want.place).ok_or(Error::Unavailable)?;
        let before = messages.len();
        messages.extend(want.read.iter().cloned());
        messages.extend(room.recent_after(want.cursor).cloned());
        // The stream keeps as many as the largest Room asks for; others have theirs here.
        if messages.len() - before > want.max_messages {
            return Err(Error::Gone);
        }
        Ok(room.head.max(want.after))
    }

    /// Notes on each message how far its reader is with it.
    fn note_readings(&self, wish: &Wish, epoch: Epoch, missed: &mut Missed) {
        let wants = wish.wants.iter().zip(&missed.through);
        let rows = wants.filter_map(|(want, through)| self.row(want, *through));
        let rows: Vec<_> = rows.collect();
        let read = wish.reader.read.as_ref().map(Reading::position);
        let read = read.filter(|read| read.epoch == epoch);
        let read = read.map_or(0, |read| read.offset);
        for message in &mut missed.messages {
            let own = message.offset();
            let reading = if wish.reader.connected {
                let offset = self.watermark.max(read).max(own);
                rows_read(self.reading(Position { epoch, offset }), own, &rows)
            } else {
                let offset = read.max(own);
                rows_read(Reading::of(Position { epoch, offset }), own, &rows)
            };
            note(message, reading);
        }
    }

    fn row(&self, want: &Want, through: u64) -> Option<Row> {
        let room = self.rooms.get(&want.place).filter(|_| want.kept)?;
        Some(Row {
            mark: room.mark,
            after: want.after,
            through,
            behind: self.is_behind(&want.place),
            late_to: self.late.concern_up_to(&want.place),
        })
    }
}

/// With a message of offset `own` everything up to it is read in these rooms.
fn rows_read(mut reading: Reading, own: u64, rows: &[Row]) -> Reading {
    let offset = reading.position().offset;
    for row in rows {
        let most = if row.behind { row.through } else { u64::MAX };
        let read = own.min(most).max(row.after).min(offset);
        if read < offset || offset <= row.late_to {
            reading.name(row.mark, read);
        }
    }
    reading
}

fn note(message: &mut Arc<Message>, reading: Reading) {
    let plain = Some(reading.position()) == message.position && reading.is_even();
    if !plain || message.read.is_some() {
        Arc::make_mut(message).read = (!plain).then(|| Arc::new(reading));
    }
}
