//! Asking all gateways whom they have in a room: for those who are not in it, and as long as this
//! gateway is too new there to know.

mod inquiry;

use std::{sync::Arc, time::Duration};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sluice_backbone::{Error, Members, Reply};
use sluice_contract::GatewayNumber;
use sluice_rooms::{RoomKey, RoomSettings};
use tokio::sync::oneshot;

use self::inquiry::{Inquiry, Then};
use super::{Presence, room::COUNT_FROM, update::cost};
use crate::{
    Packet,
    core::{Purpose, fleet::Fleet, io::Io, json::json},
    names::{self, Place},
};

/// How long gateways have time to answer.
const WITHIN: Duration = Duration::from_secs(1);

/// The most questions that wait for answers.
const MAX_OPEN: usize = 16_384;

/// The most bytes of names in an answer.
const MAX_BYTES: usize = 480 * 1024;

/// Whom a gateway has in a room?
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    gateway: GatewayNumber,
    room: Place,
    /// The most users to name.
    #[serde(default)]
    names: usize,
}

/// Whom a gateway has in a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MembersAnswer {
    gateway: GatewayNumber,
    #[serde(default)]
    sessions: u32,
    #[serde(default)]
    count: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    users: Vec<Arc<str>>,
}

/// Questions that wait for answers.
#[derive(Debug, Default)]
pub(super) struct Inquiries {
    last: u64,
    open: FxHashMap<u64, Inquiry>,
}

impl Presence {
    /// Up to `limit` users of a room. Asked of the fleet where this gateway has no members there,
    /// or has not had them long enough to know.
    pub(crate) fn members(
        &mut self,
        io: &mut Io<'_>,
        fleet: &Fleet,
        key: &RoomKey,
        limit: usize,
    ) -> Reply<Members> {
        let alone = !io.connected || !fleet.is_anybody_heard(io.now);
        match self.rooms.get_mut(key) {
            None if alone => return Reply::Now(Ok(Members::default())),
            Some(room) if alone || (room.is_wanted() && room.is_settled(io.now)) => {
                return Reply::Now(Ok(room.members(limit)));
            }
            // Whatever changes after the others answer must reach this gateway.
            Some(room) if room.is_wanted() && room.introduced.is_none() => {
                room.introduce(io, &mut self.clock);
            }
            _ => {}
        }
        let (sender, answer) = oneshot::channel();
        let then = Then::Members { limit, sender };
        // As many as gateways name at all, so that nobody is counted twice.
        self.inquire(io, fleet, key, limit.max(COUNT_FROM), then);
        Reply::Later(Box::pin(async move {
            answer.await.map_err(|_| Error::Unavailable)
        }))
    }

    /// A session wants to join a room of up to `most` members of whom the others may have some.
    pub(super) fn ask_to_join(
        &mut self,
        io: &mut Io<'_>,
        fleet: &Fleet,
        key: &RoomKey,
        user: &Arc<str>,
        settings: &RoomSettings,
    ) -> Reply<()> {
        let (sender, answer) = oneshot::channel();
        let then = Then::Join {
            user: Arc::clone(user),
            settings: *settings,
            sender,
        };
        self.inquire(io, fleet, key, 0, then);
        Reply::Later(Box::pin(async move {
            answer.await.map_err(|_| Error::Unavailable)?
        }))
    }

    fn inquire(&mut self, io: &mut Io<'_>, fleet: &Fleet, key: &RoomKey, names: usize, then: Then) {
        if self.inquiries.open.len() >= MAX_OPEN {
            // Whoever waits learns that by its end.
            return drop(then);
        }
        self.inquiries.last += 1;
        let id = self.inquiries.last;
        let waiting = fleet.heard(io.now).into_iter().map(|(gateway, _)| gateway);
        let inquiry = Inquiry::new(key.clone(), waiting.collect(), then);
        self.inquiries.open.insert(id, inquiry);
        let question = Question {
            gateway: GatewayNumber(io.gateway),
            room: names::place(key),
            names,
        };
        let subject = io.names.presence_of_all();
        let purpose = Purpose::Members(id);
        io.request(subject, Vec::new(), json(&question), purpose, WITHIN);
    }

    /// Answers another gateway's question.
    pub(crate) fn question(&mut self, io: &mut Io<'_>, packet: &Packet) {
        let question = serde_json::from_slice::<Question>(&packet.payload).ok();
        let asked = question.and_then(|q| Some((names::room(&q.room)?, q)));
        let (Some((key, question)), Some(reply)) = (asked, packet.reply.clone()) else {
            self.garbage += 1;
            return;
        };
        if question.gateway.0 != io.gateway {
            let answer = self.own(io.gateway, &key, question.names);
            io.reply(reply, json(&answer));
        }
    }

    /// Whom this gateway has, itself.
    fn own(&self, gateway: u32, key: &RoomKey, names: usize) -> MembersAnswer {
        let room = self.rooms.get(key);
        let (mut users, count) = room.map(|room| room.local.users(names)).unwrap_or_default();
        let mut bytes = 0;
        let fit = users.iter().take_while(|user| {
            bytes += cost(user);
            bytes <= MAX_BYTES
        });
        let fit = fit.count();
        users.truncate(fit);
        MembersAnswer {
            gateway: GatewayNumber(gateway),
            sessions: room.map_or(0, |room| room.local.sessions()),
            count: count as u64,
            users,
        }
    }

    /// An answer to a question of this gateway's.
    pub(crate) fn answer(&mut self, io: &mut Io<'_>, request: u64, id: u64, packet: &Packet) {
        let Some(inquiry) = self.inquiries.open.get_mut(&id) else {
            return io.requests.close(request);
        };
        if packet.headers.status().is_none() {
            let Ok(answer) = serde_json::from_slice(&packet.payload) else {
                self.garbage += 1;
                return;
            };
            if !inquiry.add(answer) {
                return;
            }
        }
        // All have answered, or nobody is there to do so.
        io.requests.close(request);
        self.unanswered(io, id);
    }

    /// No more answers will come.
    pub(crate) fn unanswered(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(mut inquiry) = self.inquiries.open.remove(&id) else {
            return;
        };
        let key = inquiry.room.clone();
        if let Some(room) = self.rooms.get(&key) {
            inquiry.complete_from(room);
        }
        match inquiry.then {
            Then::Members { limit, sender } => {
                let own = self.own(io.gateway, &key, usize::MAX);
                let members = inquiry::merge(own, inquiry.answers, limit);
                // Whoever asked may have stopped waiting.
                let _ = sender.send(members);
            }
            Then::Join {
                user,
                settings,
                sender,
            } if !sender.is_closed() => {
                let others = inquiry.answers.iter().map(|a| u64::from(a.sessions)).sum();
                let joined = self.enter_if_free(io, &key, &user, &settings, others);
                if sender.send(joined).is_err() && joined.is_ok() {
                    self.leave(&key, &user);
                }
            }
            Then::Join { .. } => {}
        }
    }
}
