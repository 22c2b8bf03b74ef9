//! Everything that a session missed is there: puts it together.

use std::sync::Arc;

use sluice_backbone::{Error, Missed};
use sluice_rooms::{Epoch, Message, Position, Reading, RoomMark};

use super::{Wish, want::Want};
use crate::core::histories::rooms::Rooms;

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

impl Wish {
    /// What was missed as of this moment; nothing yet where it is ahead of what all rooms have
    /// still to catch up with.
    pub(super) fn gather(&self, rooms: &mut Rooms) -> Option<Result<Missed, Error>> {
        let mut missed = match self.gather_rooms(rooms) {
            Ok(missed) => missed,
            Err(error) => return Some(Err(error)),
        };
        let last = missed.messages.last().map_or(0, |last| last.offset());
        if last > rooms.watermark() && !rooms.is_live() {
            return None;
        }
        if let Some(epoch) = rooms.stream().epoch {
            self.note_readings(rooms, epoch, &mut missed);
        }
        // From the stream may come what is ahead of all that was delivered here. Its reader must
        // not go back with what comes then.
        rooms.advance(last);
        Some(Ok(missed))
    }

    fn gather_rooms(&self, rooms: &Rooms) -> Result<Missed, Error> {
        let mut messages = Vec::new();
        let mut through = Vec::with_capacity(self.wants.len());
        for want in &self.wants {
            through.push(gather_room(rooms, want, &mut messages)?);
        }
        messages.retain(|message| message.except != Some(self.reader.session));
        messages.sort_by_key(|message| message.offset());
        Ok(Missed { messages, through })
    }

    /// Notes on each message how far its reader is with it.
    fn note_readings(&self, rooms: &Rooms, epoch: Epoch, missed: &mut Missed) {
        let wants = self.wants.iter().zip(&missed.through);
        let rows = wants.filter_map(|(want, through)| row(rooms, want, *through));
        let rows: Vec<_> = rows.collect();
        let read = self.reader.read.as_ref().map(Reading::position);
        let read = read.filter(|read| read.epoch == epoch);
        let read = read.map_or(0, |read| read.offset);
        for message in &mut missed.messages {
            let own = message.offset();
            let reading = if self.reader.connected {
                let offset = rooms.watermark().max(read).max(own);
                rows_read(rooms.reading(Position { epoch, offset }), own, &rows)
            } else {
                let offset = read.max(own);
                rows_read(Reading::of(Position { epoch, offset }), own, &rows)
            };
            note(message, reading);
        }
    }
}

/// What was missed of one room, and up to where that is all.
fn gather_room(rooms: &Rooms, want: &Want, messages: &mut Vec<Arc<Message>>) -> Result<u64, Error> {
    if !want.kept {
        return Ok(want.after);
    }
    let room = rooms.get(&want.place).ok_or(Error::Unavailable)?;
    let before = messages.len();
    messages.extend(want.read.iter().cloned());
    messages.extend(room.recent_after(want.cursor).cloned());
    // The stream keeps as many as the largest Room asks for; others have theirs here.
    if messages.len() - before > want.max_messages {
        return Err(Error::Gone);
    }
    Ok(room.head.max(want.after))
}

fn row(rooms: &Rooms, want: &Want, through: u64) -> Option<Row> {
    let room = rooms.get(&want.place).filter(|_| want.kept)?;
    Some(Row {
        mark: room.mark,
        after: want.after,
        through,
        behind: rooms.is_behind(&want.place),
        late_to: rooms.late_up_to(&want.place),
    })
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
