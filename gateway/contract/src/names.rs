//! What subjects, streams and buckets are called.

mod subject;
mod token;

use std::fmt::Display;

pub use self::{
    subject::{Call, Subject},
    token::{at_place, message_id, message_id_after, place, token, untoken},
};
use crate::GatewayNumber;

/// The names that one cluster uses in NATS.
///
/// Subjects begin with `sluice.<namespace>.<cluster>`, so that clusters share a NATS without
/// meeting, and permissions can be given by prefix. Each method says where something goes, or
/// what is subscribed to in order to get it; [`Names::parse`] reads both back.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
    stem: String,
}

impl Names {
    /// The names of the cluster `cluster` in the Kubernetes namespace `namespace`.
    pub fn new(namespace: &str, cluster: &str) -> Self {
        let (namespace, cluster) = (token(namespace), token(cluster));
        Self {
            prefix: format!("sluice.{namespace}.{cluster}"),
            stem: format!("SLUICE_{namespace}_{cluster}"),
        }
    }

    /// What every subject begins with, without a dot at the end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fn subject(&self, kind: &str, rest: impl Display) -> String {
        format!("{}.{kind}.{rest}", self.prefix)
    }
}

/// Streams and buckets.
impl Names {
    /// The stream of the rooms' histories.
    pub fn rooms_stream(&self) -> String {
        format!("{}_ROOMS", self.stem)
    }

    /// The stream of stored sessions.
    pub fn sessions_stream(&self) -> String {
        format!("{}_SESSIONS", self.stem)
    }

    /// The bucket of documents and revocations.
    pub fn bucket(&self) -> String {
        format!("{}_CONTROL", self.stem)
    }
}

/// Places in the rooms' stream that are no room's: no room's token is a `=` alone.
impl Names {
    /// Where a gateway writes a message now and then to see that the stream takes it, and is the
    /// one that it was.
    pub const PULSE: &str = "=.pulse";

    /// Where the [`EpochMark`](crate::EpochMark) is.
    pub const EPOCH: &str = "=.epoch";

    /// What the stream passes on of both.
    pub fn own_republished(&self) -> String {
        self.republished("=.*")
    }
}

/// Messages of rooms.
impl Names {
    /// Messages for the history of the room at a place.
    pub fn stored(&self, place: &str) -> String {
        self.subject("in", place)
    }

    /// Those of all rooms.
    pub fn all_stored(&self) -> String {
        self.subject("in", '>')
    }

    /// Those of all rooms of a namespace.
    pub fn stored_in(&self, namespace: &str) -> String {
        self.subject("in", format_args!("{}.*", token(namespace)))
    }

    /// Messages that are stored, as the stream passes them on.
    pub fn republished(&self, place: &str) -> String {
        self.subject("out", place)
    }

    /// Those of all rooms.
    pub fn all_republished(&self) -> String {
        self.subject("out", '>')
    }

    /// Messages of the room at a place, where it has no history.
    pub fn live(&self, place: &str) -> String {
        self.subject("live", place)
    }
}

/// What gateways say to each other.
impl Names {
    /// Their signs of life.
    pub fn heartbeats(&self) -> String {
        format!("{}.fleet", self.prefix)
    }

    /// Who is in the room at a place.
    pub fn presence(&self, place: &str) -> String {
        self.subject("pres", place)
    }

    /// A question to all of them whom they have in a room.
    pub fn presence_of_all(&self) -> String {
        format!("{}.pres", self.prefix)
    }

    /// How many sessions users have.
    pub fn users(&self) -> String {
        format!("{}.users", self.prefix)
    }

    /// Commands to all of them.
    pub fn commands(&self) -> String {
        format!("{}.cmd", self.prefix)
    }

    /// Something for one gateway.
    pub fn call(&self, gateway: GatewayNumber, call: Call<'_>) -> String {
        self.subject("gw", format_args!("{gateway}.{}", call.as_str()))
    }

    /// All that is for it.
    pub fn calls(&self, gateway: GatewayNumber) -> String {
        self.subject("gw", format_args!("{gateway}.*"))
    }
}

/// Stored sessions.
impl Names {
    /// What a gateway has stored of a session, by the session's public id.
    pub fn session(&self, gateway: GatewayNumber, session: impl Display) -> String {
        self.subject("sess", format_args!("{gateway}.{session}"))
    }

    /// What any gateway has stored of it.
    pub fn session_anywhere(&self, session: impl Display) -> String {
        self.subject("sess", format_args!("*.{session}"))
    }

    /// All that a gateway has stored.
    pub fn sessions_of(&self, gateway: GatewayNumber) -> String {
        self.subject("sess", format_args!("{gateway}.*"))
    }

    /// All that gateways have stored.
    pub fn sessions(&self) -> String {
        self.subject("sess", '>')
    }

    /// That a gateway has stored sessions.
    pub fn owner(&self, gateway: GatewayNumber) -> String {
        self.subject("owner", gateway)
    }

    /// That any has.
    pub fn owners(&self) -> String {
        self.subject("owner", '*')
    }
}

/// What applications and the operator say and hear.
impl Names {
    /// Events for the application's backend.
    pub fn event(&self, namespace: &str, event: &str) -> String {
        self.subject("up", format_args!("{}.{}", token(namespace), token(event)))
    }

    /// Questions to it whether a session may begin.
    pub fn connect(&self, namespace: &str) -> String {
        self.subject("connect", token(namespace))
    }

    /// Word to it of sessions that have ended.
    pub fn disconnected(&self, namespace: &str) -> String {
        self.subject("disconnected", token(namespace))
    }

    /// What every subject of the server API begins with, without a dot at the end.
    pub fn api(&self) -> String {
        format!("{}.api", self.prefix)
    }

    /// An operation of the server API that any gateway does.
    pub fn operation(&self, operation: &str) -> String {
        self.subject("api", operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_the_stream_itself_are_no_rooms() {
        for place in [Names::PULSE, Names::EPOCH] {
            assert_eq!(crate::at_place(place), None);
        }
    }

    #[test]
    fn clusters_of_one_name_in_two_namespaces_do_not_meet() {
        let (a, b) = (Names::new("a", "chat"), Names::new("b", "chat"));
        assert_ne!(a.rooms_stream(), b.rooms_stream());
        assert_eq!(a.parse(&b.stored("x")), None);
        assert_eq!(a.parse(&a.stored("x.y")), Some(Subject::Stored("x.y")));
    }

    /// A gateway of 0.1.0 finds the others, and what they have stored, by these.
    #[test]
    fn subjects_streams_and_buckets_are_called_as_ever() {
        let names = Names::new("default", "chat.2");
        let gateway = GatewayNumber(10);
        for (name, wanted) in [
            (names.rooms_stream(), "SLUICE_default_chat=2E2_ROOMS"),
            (names.sessions_stream(), "SLUICE_default_chat=2E2_SESSIONS"),
            (names.bucket(), "SLUICE_default_chat=2E2_CONTROL"),
            (names.prefix().to_owned(), "sluice.default.chat=2E2"),
        ] {
            assert_eq!(name, wanted);
        }
        for (subject, wanted) in [
            (names.stored("=2F.a"), "in.=2F.a"),
            (names.all_stored(), "in.>"),
            (names.stored_in("/"), "in.=2F.*"),
            (names.republished("=2F.a"), "out.=2F.a"),
            (names.all_republished(), "out.>"),
            (names.stored(Names::PULSE), "in.=.pulse"),
            (names.stored(Names::EPOCH), "in.=.epoch"),
            (names.own_republished(), "out.=.*"),
            (names.live("=2F.a"), "live.=2F.a"),
            (names.heartbeats(), "fleet"),
            (names.presence("=2F.a"), "pres.=2F.a"),
            (names.presence_of_all(), "pres"),
            (names.users(), "users"),
            (names.commands(), "cmd"),
            (names.call(gateway, Call::Claim), "gw.0000000a.claim"),
            (names.calls(gateway), "gw.0000000a.*"),
            (names.session(gateway, "Zk"), "sess.0000000a.Zk"),
            (names.session_anywhere("Zk"), "sess.*.Zk"),
            (names.sessions_of(gateway), "sess.0000000a.*"),
            (names.sessions(), "sess.>"),
            (names.owner(gateway), "owner.0000000a"),
            (names.owners(), "owner.*"),
            (names.event("/", "say.it"), "up.=2F.say=2Eit"),
            (names.connect("/"), "connect.=2F"),
            (names.disconnected("/"), "disconnected.=2F"),
            (names.api(), "api"),
            (names.operation("publish"), "api.publish"),
        ] {
            assert_eq!(subject, format!("sluice.default.chat=2E2.{wanted}"));
        }
    }
}
