//! What a subject is about.

use super::Names;
use crate::GatewayNumber;

/// What a subject of a cluster is about: what [`Names::parse`] reads.
///
/// A room's place is what [`at_place`](crate::at_place) reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// Messages for the history of the room at this place, on their way to the stream.
    Stored(&'a str),
    /// The same, as the stream passes them on.
    Republished(&'a str),
    /// Messages of a room without history, at this place.
    Live(&'a str),
    /// Who is in the room at this place.
    Presence(&'a str),
    /// A question to all gateways whom they have in a room.
    PresenceOfAll,
    /// Signs of life, to all gateways.
    Heartbeats,
    /// How many sessions users have, to all gateways.
    Users,
    /// Commands to all gateways.
    Commands,
    /// Something for one gateway.
    Call(GatewayNumber, Call<'a>),
    /// What is stored of a session, by the gateway that stored it and the session's public id.
    Session(GatewayNumber, &'a str),
    /// That the gateway has stored sessions.
    Owner(GatewayNumber),
    /// An event for the application's backend, by the tokens of its namespace and name.
    Event(&'a str),
    /// A question to it whether a session may begin, by its namespace's token.
    Connect(&'a str),
    /// Word to it of a session that has ended, by its namespace's token.
    Disconnected(&'a str),
    /// An operation of the server API.
    Operation(&'a str),
    /// A subject of a kind that this version does not know: a newer one speaks, and it is skipped.
    Newer(&'a str),
}

/// What is asked of one gateway, or told to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'a> {
    /// A heartbeat, in answer to its first one.
    Heartbeat,
    /// Who is in rooms.
    Presence,
    /// How many sessions users have.
    Users,
    /// That it give up a session.
    Claim,
    /// What the layers above the backbone ask of each other, under kinds of their own.
    Other(&'a str),
}

impl<'a> Call<'a> {
    /// The kind as it is written.
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Heartbeat => "fleet",
            Self::Presence => "presence",
            Self::Users => "users",
            Self::Claim => "claim",
            Self::Other(kind) => kind,
        }
    }

    fn parse(kind: &'a str) -> Self {
        match kind {
            "fleet" => Self::Heartbeat,
            "presence" => Self::Presence,
            "users" => Self::Users,
            "claim" => Self::Claim,
            kind => Self::Other(kind),
        }
    }
}

impl Names {
    /// What a subject is about; `None` where it is none of this cluster, or one that nobody writes.
    pub fn parse<'a>(&self, subject: &'a str) -> Option<Subject<'a>> {
        let rest = subject.strip_prefix(self.prefix())?.strip_prefix('.')?;
        let Some((kind, rest)) = rest.split_once('.') else {
            return Some(match rest {
                "pres" => Subject::PresenceOfAll,
                "fleet" => Subject::Heartbeats,
                "users" => Subject::Users,
                "cmd" => Subject::Commands,
                kind => Subject::Newer(kind),
            });
        };
        Some(match kind {
            "in" => Subject::Stored(rest),
            "out" => Subject::Republished(rest),
            "live" => Subject::Live(rest),
            "pres" => Subject::Presence(rest),
            "gw" => {
                let (gateway, call) = of_gateway(rest)?;
                Subject::Call(gateway, Call::parse(call))
            }
            "sess" => {
                let (gateway, session) = of_gateway(rest)?;
                Subject::Session(gateway, session)
            }
            "owner" => Subject::Owner(GatewayNumber::parse(rest)?),
            "up" => Subject::Event(rest),
            "connect" => Subject::Connect(rest),
            "disconnected" => Subject::Disconnected(rest),
            "api" => Subject::Operation(rest),
            kind => Subject::Newer(kind),
        })
    }
}

fn of_gateway(rest: &str) -> Option<(GatewayNumber, &str)> {
    let (gateway, rest) = rest.split_once('.')?;
    Some((GatewayNumber::parse(gateway)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place;

    #[test]
    fn a_subject_reads_back_as_it_was_written() {
        let names = Names::new("default", "chat");
        let gateway = GatewayNumber(0x1a2b);
        let place = &*place("/", "a.b");
        let call = Call::Other("poll");
        for (subject, about) in [
            (names.stored(place), Subject::Stored(place)),
            (names.republished(place), Subject::Republished(place)),
            (names.live(place), Subject::Live(place)),
            (names.presence(place), Subject::Presence(place)),
            (names.presence_of_all(), Subject::PresenceOfAll),
            (names.heartbeats(), Subject::Heartbeats),
            (names.users(), Subject::Users),
            (names.commands(), Subject::Commands),
            (
                names.session(gateway, "Zk"),
                Subject::Session(gateway, "Zk"),
            ),
            (names.owner(gateway), Subject::Owner(gateway)),
            (names.call(gateway, call), Subject::Call(gateway, call)),
            (names.event("/", "say"), Subject::Event("=2F.say")),
            (names.connect("/"), Subject::Connect("=2F")),
            (names.disconnected("/"), Subject::Disconnected("=2F")),
            (names.operation("fleet"), Subject::Operation("fleet")),
        ] {
            assert_eq!(names.parse(&subject), Some(about), "{subject}");
        }
        for call in [Call::Heartbeat, Call::Presence, Call::Users, Call::Claim] {
            let subject = names.call(gateway, call);
            assert_eq!(names.parse(&subject), Some(Subject::Call(gateway, call)));
        }
    }

    #[test]
    fn a_kind_of_a_newer_version_is_known_as_one() {
        let names = Names::new("default", "chat");
        let parse = |rest: &str| names.parse(rest).map(|it| format!("{it:?}"));
        assert_eq!(
            parse("sluice.default.chat.shard.1").as_deref(),
            Some("Newer(\"shard\")")
        );
        assert_eq!(
            parse("sluice.default.chat.shard").as_deref(),
            Some("Newer(\"shard\")")
        );
    }

    #[test]
    fn what_nobody_writes_is_no_subject() {
        let names = Names::new("default", "chat");
        for subject in [
            "",
            "sluice.default.chat",
            "sluice.default.chats.in.x",
            "sluice.default.other.in.x",
            "sluice.default.chat.gw.1",
            "sluice.default.chat.gw.0000000A.claim",
            "sluice.default.chat.sess.0000000a",
            "sluice.default.chat.owner.a",
        ] {
            assert_eq!(names.parse(subject), None, "{subject}");
        }
    }
}
