//! What a gateway does in its fleet, without any input or output of its own.
//!
//! Workers call in ([`Core::publish`] and the like), the network brings packets and answers, a
//! clock ticks; out come [`Action`]s for the link and deliveries for the workers. All of it runs
//! under one lock, so whatever is delivered under it has one order.

mod assembly;
mod calls;
mod commands;
mod completions;
mod counters;
mod fleet;
mod histories;
mod io;
mod json;
mod live;
mod members;
mod patience;
mod presence;
mod rooms;
mod seeded;
mod sessions;
#[cfg(test)]
mod tests;
mod users;
mod workers;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{SeedableRng as _, rngs::SmallRng};
use sluice_backbone::Workers;
use sluice_contract::{Call, GatewayNumber, Names, Subject, USUAL_MAX_PAYLOAD};

use self::{
    calls::Calls,
    commands::Commands,
    fleet::Fleet,
    histories::Histories,
    io::{Io, Requests},
    live::Live,
    presence::Presence,
    sessions::Sessions,
    users::Users,
};
pub use self::{
    calls::{AnswerTo, Called, Unreachable},
    completions::{Completions, Done},
    counters::{HistoryCounters, StreamLosses, Unsettled},
    fleet::PeerInfo,
    io::{Action, Fields},
    members::{Faults, Newer},
};
use crate::Packet;

/// How often [`Core::tick`] is to be called.
pub const TICK: Duration = Duration::from_millis(100);

/// How long after its last sign of life a gateway counts as gone: its members leave then.
pub const GONE_AFTER: Duration = Duration::from_secs(10);

/// How long what a client needs to recover is tried for: longer than NATS servers take to elect
/// leaders in the place of one that died, which is 9 s at most.
const RECOVERY: Duration = Duration::from_secs(12);

/// How long a user whose session goes to another gateway stays a member through this one, so that
/// nobody sees them leave before they are seen there.
const MOVE: Duration = Duration::from_secs(2);

/// The time, in both ways in which it is needed.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// For what lasts so long.
    pub now: Instant,
    /// Milliseconds since the Unix epoch, for what others are told.
    pub time: u64,
}

/// Who a gateway is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its number, which no other gateway of the fleet has.
    pub gateway: u32,
    /// Its name for people: a pod's name.
    pub name: Arc<str>,
    /// How its cluster's subjects and streams are called.
    pub names: Names,
    /// What its random choices begin from.
    pub seed: u64,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A command to all gateways.
    Command(u64),
    /// A question whom all gateways have in a room.
    Members(u64),
    /// A call to one of them.
    Call(u64),
    /// Something about rooms with history.
    Histories(histories::Ask),
    /// Something about stored sessions.
    Sessions(sessions::Ask),
}

/// Where the servers tell that the rooms' stream has another leader.
fn advisory(names: &Names) -> String {
    names.elected(&names.rooms_stream())
}

/// What every part of the core needs beside its own state.
struct World {
    identity: Identity,
    workers: Arc<dyn Workers>,
    requests: Requests,
    rng: SmallRng,
    connected: bool,
    max_payload: usize,
}

impl World {
    fn io<'a>(&'a mut self, at: At, out: &'a mut Vec<Action>) -> Io<'a> {
        Io {
            now: at.now,
            time: at.time,
            gateway: self.identity.gateway,
            names: &self.identity.names,
            workers: &*self.workers,
            out,
            requests: &mut self.requests,
            rng: &mut self.rng,
            connected: self.connected,
            max_payload: self.max_payload,
        }
    }
}

/// One gateway's part of its fleet.
pub struct Core {
    world: World,
    completions: Arc<Completions>,
    histories: Histories,
    live: Live,
    sessions: Sessions,
    calls: Calls,
    fleet: Fleet,
    presence: Presence,
    users: Users,
    commands: Commands,
    /// How many messages came on subjects of a kind that this version does not know.
    newer: u64,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("identity", &self.world.identity)
            .finish_non_exhaustive()
    }
}

impl Core {
    /// The core of a gateway that is not connected yet. `completions` is where workers leave what
    /// they have done; whoever drives the core calls [`Self::completed`] then.
    pub fn new(
        identity: Identity,
        workers: Arc<dyn Workers>,
        completions: Arc<Completions>,
    ) -> Self {
        let rng = SmallRng::seed_from_u64(identity.seed);
        Self {
            sessions: Sessions::new(Arc::clone(&completions)),
            completions,
            histories: Histories::new(identity.seed),
            live: Live::default(),
            calls: Calls::default(),
            fleet: Fleet::new(Arc::clone(&identity.name)),
            presence: Presence::new(identity.seed),
            users: Users::default(),
            commands: Commands::default(),
            newer: 0,
            world: World {
                identity,
                workers,
                requests: Requests::default(),
                rng,
                connected: false,
                max_payload: USUAL_MAX_PAYLOAD,
            },
        }
    }

    /// What this gateway gets from its beginning: to be called once, before anything else.
    pub fn start(&mut self, out: &mut Vec<Action>) {
        let names = &self.world.identity.names;
        let own = GatewayNumber(self.world.identity.gateway);
        let subjects = [
            advisory(names),
            names.own_republished(),
            names.calls(own),
            // The link does not echo, so these are others' doing.
            names.sessions_of(own),
            names.heartbeats(),
            names.presence_of_all(),
            names.users(),
            names.commands(),
        ];
        out.extend(subjects.map(Action::Subscribe));
    }

    /// The link is there, and has subscribed again to all that it is to get.
    pub fn connected(&mut self, at: At, out: &mut Vec<Action>) {
        self.world.connected = true;
        self.calls.connected(at.now);
        let mut io = self.world.io(at, out);
        self.histories.connected(&mut io);
        self.sessions.connected(&mut io);
        self.fleet.connected(&mut io);
        self.presence.connected();
        self.users.connected(&mut io);
    }

    /// The servers take messages of up to so many bytes from now on. Until this is called, what
    /// they take unless told otherwise is kept to.
    pub fn set_max_payload(&mut self, bytes: usize) {
        self.world.max_payload = bytes;
    }

    /// The most bytes of a message that the servers take, headers and payload together.
    pub fn max_payload(&self) -> usize {
        self.world.max_payload
    }

    /// The server that the link is connected to sends its clients away, some before others.
    pub fn lame_duck(&mut self) {
        self.calls.unsettled();
    }

    /// The link is lost: no answer to what was asked will come.
    pub fn disconnected(&mut self, at: At, out: &mut Vec<Action>) {
        self.world.connected = false;
        for (_, purpose) in self.world.requests.take_all() {
            self.unanswered(at, purpose, out);
        }
        self.fleet.disconnected();
        self.histories.disconnected(&self.world.io(at, out));
    }

    /// A message of a subject that was subscribed to.
    pub fn message(&mut self, at: At, packet: &Packet, out: &mut Vec<Action>) {
        let names = self.world.identity.names.clone();
        let Some(subject) = names.parse(packet.subject()) else {
            return self.advised(at, packet, out);
        };
        let mut io = self.world.io(at, out);
        match subject {
            Subject::Republished(place) => self.histories.message(&mut io, place, packet),
            Subject::Live(place) => self.live.message(&io, place, packet),
            // Whoever has said goodbye says nothing of those who leave with it.
            Subject::Presence(_) | Subject::PresenceOfAll | Subject::Users
                if self.fleet.has_ended() => {}
            Subject::Heartbeats => self.fleet.message(&mut io, packet),
            Subject::Presence(place) => {
                self.presence
                    .message(&mut io, &mut self.fleet, place, packet);
            }
            Subject::PresenceOfAll => self.presence.question(&mut io, packet),
            Subject::Users => self.users.message(&mut io, &mut self.fleet, packet),
            Subject::Commands => self.commands.message(&mut io, &self.completions, packet),
            Subject::Call(_, call) => self.called(at, call, packet, out),
            Subject::Session(_, session) => self.sessions.overwritten(&mut io, session),
            Subject::Newer(_) => self.newer += 1,
            // What this gateway does not subscribe to.
            Subject::Stored(_)
            | Subject::Owner(_)
            | Subject::Event(_)
            | Subject::Connect(_)
            | Subject::Disconnected(_)
            | Subject::Operation(_) => {}
        }
    }

    /// The servers tell of something.
    fn advised(&mut self, at: At, packet: &Packet, out: &mut Vec<Action>) {
        if packet.subject() == advisory(&self.world.identity.names) {
            self.histories.leader_changed(&self.world.io(at, out));
        }
    }

    /// Sessions that came from other gateways do not count there any more: at once, since who
    /// recovers is counted in here next.
    fn count_moved(&mut self) {
        for (user, from) in self.sessions.take_moved() {
            self.users.moved(&user, from);
        }
    }

    /// Another gateway calls this one.
    fn called(&mut self, at: At, call: Call<'_>, packet: &Packet, out: &mut Vec<Action>) {
        let mut io = self.world.io(at, out);
        match call {
            Call::Presence | Call::Users | Call::Claim if self.fleet.has_ended() => {}
            Call::Heartbeat => self.fleet.called(&mut io, packet),
            Call::Presence => self.presence.called(&mut io, &mut self.fleet, packet),
            Call::Users => self.users.message(&mut io, &mut self.fleet, packet),
            Call::Claim => self.sessions.claimed(&mut io, packet),
            Call::Other(kind) => self.calls.called(&self.completions, kind, packet),
        }
    }

    /// An answer to a question.
    pub fn answer(&mut self, at: At, request: u64, packet: &Packet, out: &mut Vec<Action>) {
        let Some(purpose) = self.world.requests.purpose(request) else {
            return;
        };
        let mut io = self.world.io(at, out);
        match purpose {
            Purpose::Command(id) => self.commands.answer(&mut io, request, id, packet),
            Purpose::Call(id) => self.calls.answer(&mut io, request, id, packet),
            Purpose::Histories(ask) => self.histories.answer(&mut io, request, &ask, packet),
            Purpose::Sessions(ask) => {
                self.sessions.answer(&mut io, request, &ask, packet);
                self.count_moved();
            }
            Purpose::Members(id) => self.presence.answer(&mut io, request, id, packet),
        }
    }

    /// A question stays without an answer.
    fn unanswered(&mut self, at: At, purpose: Purpose, out: &mut Vec<Action>) {
        let mut io = self.world.io(at, out);
        match purpose {
            Purpose::Command(id) => self.commands.unanswered(id),
            Purpose::Members(id) => self.presence.unanswered(&mut io, id),
            Purpose::Call(id) => self.calls.unanswered(id),
            Purpose::Histories(ask) => self.histories.unanswered(&mut io, &ask),
            Purpose::Sessions(ask) => self.sessions.unanswered(&mut io, &ask),
        }
    }

    /// Workers have left what they have done.
    pub fn completed(&mut self, at: At, out: &mut Vec<Action>) {
        for done in self.completions.take() {
            let mut io = self.world.io(at, out);
            match done {
                Done::Command { reply, sessions } => {
                    commands::executed(&mut io, reply, sessions);
                }
                Done::ClaimedHere { id, record } => {
                    self.sessions.claimed_here(&mut io, id, record);
                }
                // Others go by what is stored of it then.
                Done::Claimed { .. } if self.fleet.has_ended() => {}
                Done::Claimed {
                    reply,
                    session,
                    user,
                    record,
                } => {
                    if let Some(record) = record.as_ref().filter(|record| record.present) {
                        let rooms: Vec<_> =
                            record.rooms.iter().map(|(key, _)| key.clone()).collect();
                        self.presence.linger(&io, &rooms, &user, MOVE);
                    }
                    self.sessions.give(&mut io, reply, session, record.as_ref());
                }
                Done::Answered { reply, answer } => io.reply(reply, answer),
                Done::Sessions { reply, sessions } => {
                    commands::listed_here(&mut io, reply, &sessions);
                }
            }
        }
    }

    /// Does what is due. Called every [`TICK`].
    pub fn tick(&mut self, at: At, out: &mut Vec<Action>) {
        for (_, purpose) in self.world.requests.overdue(at.now) {
            self.unanswered(at, purpose, out);
        }
        if self.fleet.has_ended() {
            return;
        }
        let mut io = self.world.io(at, out);
        self.histories.tick(&mut io);
        self.live.tick(&mut io);
        self.calls.tick(io.now, &self.fleet);
        self.sessions.tick(&mut io, &self.fleet);
        let turn = self.fleet.tick(&mut io);
        for gone in turn.gone {
            self.presence.gone(gone);
            self.users.gone(gone);
            self.sessions.gone(gone);
        }
        for ended in turn.ended {
            self.calls.gone(ended);
            self.sessions.left(&mut io, ended);
        }
        if turn.returned {
            self.presence.introduce_again();
            self.users.introduce(&mut io);
        }
        self.presence.tick(&mut io);
        self.users.tick(&mut io);
    }
}
