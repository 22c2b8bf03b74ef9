//! Giving a session up: another gateway claims one of this gateway's.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluice_backbone::{BackboneEvent, Claim, Gather, Record};
use sluice_contract::Decoded;
use sluice_rooms::{Pid, Reading, RoomKey, SessionId};

use super::{Io, Sessions};
use crate::{Packet, core::Done};

/// A claim on its way to the gateway that has the session.
#[derive(Serialize, Deserialize)]
struct Wire {
    pid: String,
    user: Arc<str>,
    namespace: Arc<str>,
    read: Option<String>,
}

/// What the owner answers a claim.
#[derive(Debug, Serialize, Deserialize)]
struct Given {
    rooms: Vec<(String, u64)>,
}

/// Writes a claim for the gateway that has the session.
pub(super) fn write_claim(claim: &Claim) -> String {
    let wire = Wire {
        pid: claim.pid.reveal(),
        user: Arc::clone(&claim.user),
        namespace: Arc::clone(&claim.namespace),
        read: claim.read.as_ref().map(Reading::to_string),
    };
    // Text can always be written to memory.
    serde_json::to_string(&wire).unwrap_or_default()
}

/// Reads a claim. One for a client whose position cannot be read here is of a newer version.
fn read_claim(payload: &[u8]) -> Decoded<Claim> {
    let Ok(wire) = serde_json::from_slice::<Wire>(payload) else {
        return Decoded::Garbage;
    };
    let read = match wire.read.as_deref().map(Reading::parse) {
        Some(None) => return Decoded::Newer,
        read => read.flatten(),
    };
    Decoded::from(Pid::parse(&wire.pid)).map(|pid| Claim {
        pid,
        user: wire.user,
        namespace: wire.namespace,
        read,
    })
}

/// What the other gateway gave up; `None` where it has no such session.
pub(super) fn read_given(payload: &[u8], namespace: &Arc<str>) -> Option<Record> {
    let given: Given = serde_json::from_slice::<Option<Given>>(payload).ok()??;
    let rooms = given.rooms.into_iter();
    Some(Record {
        rooms: rooms
            .map(|(name, from)| (RoomKey::new(Arc::clone(namespace), name), from))
            .collect(),
        present: false,
    })
}

impl Sessions {
    pub(crate) fn claimed(&mut self, io: &mut Io<'_>, packet: &Packet) {
        match (read_claim(&packet.payload), packet.reply.clone()) {
            (Decoded::Known(claim), _) => self.confirm_other(io, packet, claim.pid.session()),
            // Nobody here can tell what its client has and what it lacks, so nothing is given up.
            (Decoded::Newer, Some(reply)) => io.reply(reply, "null"),
            (Decoded::Newer | Decoded::Garbage, _) => {}
        }
    }

    /// Asks the workers for the session that another gateway claims.
    pub(super) fn ask_workers(&self, io: &Io<'_>, packet: &Packet) {
        let (Decoded::Known(claim), Some(reply)) =
            (read_claim(&packet.payload), packet.reply.clone())
        else {
            return;
        };
        let session = claim.pid.session();
        let user = Arc::clone(&claim.user);
        let completions = Arc::clone(&self.completions);
        let gather = Gather::then(move |mut records: Vec<Record>| {
            let record = records.pop();
            completions.add(Done::Claimed {
                reply,
                session,
                user,
                record,
            });
        });
        for worker in 0..io.workers.count() {
            let event = BackboneEvent::Claim(claim.clone(), gather.clone());
            io.workers.deliver(worker, event);
        }
    }

    /// The workers have given it up, or have no such session.
    pub(crate) fn give(
        &mut self,
        io: &mut Io<'_>,
        reply: Bytes,
        session: SessionId,
        record: Option<&Record>,
    ) {
        let given = record.map(|record| Given {
            rooms: record
                .rooms
                .iter()
                .map(|(key, from)| (key.name.to_string(), *from))
                .collect(),
        });
        if record.is_some() {
            self.forget(io, session);
        }
        io.reply(reply, serde_json::to_vec(&given).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(read: &str) -> Vec<u8> {
        let pid = Pid::random().reveal();
        let text = format!(r#"{{"pid":"{pid}","user":"ann","namespace":"/","read":{read}}}"#);
        text.into_bytes()
    }

    #[test]
    fn a_claim_for_a_position_that_cannot_be_read_is_not_one_for_none() {
        let read = |text: &str| read_claim(&claim(text)).known().map(|claim| claim.read);
        assert_eq!(read("null"), Some(None));
        assert_eq!(
            read(r#""0000000000000001-9""#),
            Some(Reading::parse("0000000000000001-9"))
        );
        let newer = read_claim(&claim(r#""0000000000000001-9,later""#));
        assert!(matches!(newer, Decoded::Newer));
    }
}
