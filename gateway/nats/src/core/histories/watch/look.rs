//! Looking at the stream: what it says of itself, which epoch it is marked with, and whether
//! messages are in it that were.

use std::time::Instant;

use sluice_contract::{EpochMark, Names};
use sluice_rooms::Epoch;

use super::{AGAIN, Anchor, Ask, Doubt, Info, Io, KEPT, PULSES, Rooms, Watch, ask, begin, stream};
use crate::{
    Packet,
    core::histories::{ask::Look, stream::Kept},
};

/// What a look has brought so far.
#[derive(Debug)]
pub(super) struct Looking {
    number: u64,
    /// The greatest offset that was known when it began.
    reach: u64,
    info: Option<Info>,
    mark: Marked,
    anchors: Vec<Anchor>,
    open: usize,
    /// Whether another message is where one of them was.
    differs: bool,
    /// One that is not there.
    missing: Option<Anchor>,
}

/// What is known of the mark.
#[derive(Debug)]
enum Marked {
    Unknown,
    Without,
    With(Mark),
}

/// The mark of an epoch, and its offset.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    epoch: Epoch,
    created: Box<str>,
    offset: u64,
}

/// What came of a look.
#[derive(Debug)]
pub(in crate::core::histories) enum Verdict {
    /// The stream is the one that it was.
    Same(Info),
    /// Its history is another one, or is seen for the first time: this is its epoch.
    Anew(Info, Epoch),
}

impl Watch {
    /// Asks the leader. One look at a time.
    pub(in crate::core::histories) fn look(&mut self, io: &mut Io<'_>, rooms: &Rooms) {
        self.again = None;
        self.looks += 1;
        let number = self.looks;
        let anchors = self.anchors(rooms);
        self.looking = Some(Looking {
            number,
            reach: self.reach(rooms),
            info: None,
            mark: Marked::Unknown,
            open: anchors.len(),
            anchors: anchors.clone(),
            differs: false,
            missing: None,
        });
        let (info, leader) = (
            stream::info_subject(io.names),
            stream::leader_subject(io.names),
        );
        ask(io, info, String::new(), Ask::Look(number, Look::Info));
        let mark = stream::last_by(&io.names.stored(Names::EPOCH));
        ask(io, leader.clone(), mark, Ask::Look(number, Look::Mark));
        for (at, anchor) in anchors.iter().enumerate() {
            let body = stream::exactly(anchor.offset);
            ask(
                io,
                leader.clone(),
                body,
                Ask::Look(number, Look::Anchor(at)),
            );
        }
    }

    /// What must be there.
    fn anchors(&self, rooms: &Rooms) -> Vec<Anchor> {
        let newest = rooms.newest().map(|message| Anchor {
            offset: message.offset(),
            identity: message.id.clone(),
            pulse: None,
        });
        let doubted = self.doubt.iter().map(|(anchor, _)| anchor.clone());
        let all = newest.into_iter().chain(self.pulse.clone()).chain(doubted);
        all.filter(|anchor| anchor.offset > 0).collect()
    }

    /// An answer did not come, or says nothing.
    pub(in crate::core::histories) fn unseen(&mut self, now: Instant, number: u64) {
        if self.looking.as_ref().is_some_and(|it| it.number == number) {
            self.looking = None;
            self.again = Some(now + AGAIN);
        }
    }

    /// A part of a look. What comes of it is told once it is whole.
    pub(in crate::core::histories) fn came(
        &mut self,
        io: &mut Io<'_>,
        rooms: &Rooms,
        (number, part): (u64, Look),
        packet: &Packet,
    ) -> Option<Verdict> {
        let looking = self.looking.as_mut().filter(|it| it.number == number)?;
        let understood = match part {
            Look::Info if stream::is_gone(packet) => {
                self.looking = None;
                self.missing(io);
                return None;
            }
            Look::Info => looking.info_came(packet),
            Look::Mark => looking.mark_came(packet),
            Look::Anchor(at) => looking.anchor_came(io.names, at, packet),
        };
        if !understood {
            self.unseen(io.now, number);
            return None;
        }
        if !looking.is_whole() {
            return None;
        }
        let looking = self.looking.take()?;
        self.judge(io, rooms, looking)
    }

    fn judge(&mut self, io: &mut Io<'_>, rooms: &Rooms, looking: Looking) -> Option<Verdict> {
        let Looking {
            info: Some(info),
            mark,
            ..
        } = looking
        else {
            return None;
        };
        let same = self.created.as_ref().is_none_or(|it| *it == info.created);
        let mark = mark.of(&info);
        let epoch = mark.as_ref().map_or(info.epoch, |mark| mark.epoch);
        let after = mark.map_or(0, |mark| mark.offset);
        // A mark that is gone went with all that came after it.
        let unmarked = same && after == 0 && self.epoch.is_some_and(|known| known != epoch);
        if self.epoch != Some(epoch) && !unmarked {
            return Some(self.adopt(info, epoch, same));
        }
        let missing = looking.missing.filter(|it| is_due_there(it, &info, io.now));
        let late = self
            .doubt
            .as_ref()
            .is_some_and(|(_, doubt)| *doubt == Doubt::Late);
        if unmarked || self.went_back || looking.differs || (missing.is_some() && late) {
            self.again = Some(io.now + AGAIN);
            begin(io, &info.created, after);
            return None;
        }
        self.doubt = missing.map(|anchor| (anchor, Doubt::Early));
        if self.doubt.is_some() || info.last < looking.reach {
            // What the stream takes next tells.
            self.again = Some(io.now + AGAIN);
            self.pulse(io, rooms);
            return None;
        }
        self.reach = self.reach.max(info.last);
        Some(Verdict::Same(info))
    }

    /// Goes by another history from now on.
    fn adopt(&mut self, info: Info, epoch: Epoch, same: bool) -> Verdict {
        match self.epoch.replace(epoch) {
            None => {}
            Some(_) if same => self.losses.back += 1,
            Some(_) => self.losses.anew += 1,
        }
        self.created = Some(info.created.clone());
        (self.reach, self.pulse, self.doubt) = (info.last, None, None);
        (self.went_back, self.gone) = (false, false);
        Verdict::Anew(info, epoch)
    }
}

/// Whether a message must still be there: a pulse is kept for a while, if the stream keeps so many.
fn is_due_there(anchor: &Anchor, info: &Info, now: Instant) -> bool {
    let Some(age) = anchor
        .pulse
        .map(|since| now.saturating_duration_since(since))
    else {
        return false;
    };
    let newer = age.as_secs() * PULSES + 1;
    age + KEPT / 10 < KEPT && info.limits.per_room.is_none_or(|most| newer < most)
}

impl Marked {
    /// The mark, where it is this stream's.
    fn of(self, info: &Info) -> Option<Mark> {
        match self {
            Self::With(mark) if mark.created == info.created => Some(mark),
            _ => None,
        }
    }
}

impl Looking {
    fn is_whole(&self) -> bool {
        self.info.is_some() && !matches!(self.mark, Marked::Unknown) && self.open == 0
    }

    fn info_came(&mut self, packet: &Packet) -> bool {
        self.info = stream::info(packet);
        self.info.is_some()
    }

    fn mark_came(&mut self, packet: &Packet) -> bool {
        self.mark = match stream::kept(packet) {
            Kept::Message(message) => mark(&message.payload(), message.seq),
            Kept::Nothing => Marked::Without,
            Kept::Unavailable => return false,
        };
        true
    }

    fn anchor_came(&mut self, names: &Names, at: usize, packet: &Packet) -> bool {
        let Some(anchor) = self.anchors.get(at) else {
            return true;
        };
        match stream::kept(packet) {
            Kept::Message(message) => self.differs |= message.identity(names) != anchor.identity,
            Kept::Nothing => self.missing = Some(anchor.clone()),
            Kept::Unavailable => return false,
        }
        self.open -= 1;
        true
    }
}

fn mark(payload: &[u8], offset: u64) -> Marked {
    let mark = EpochMark::decode(payload).known();
    let mark = mark.and_then(|mark| {
        Some(Mark {
            epoch: Epoch::parse(&mark.epoch)?,
            created: mark.created.into(),
            offset,
        })
    });
    mark.map_or(Marked::Without, Marked::With)
}
