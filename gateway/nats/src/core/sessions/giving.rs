//! Giving a session up: another gateway claims one of this gateway's.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluice_backbone::{BackboneEvent, Claim, Gather, Record};
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

fn read_claim(payload: &[u8]) -> Option<Claim> {
    let wire: Wire = serde_json::from_slice(payload).ok()?;
    Some(Claim {
        pid: Pid::parse(&wire.pid)?,
        user: wire.user,
        namespace: wire.namespace,
        read: wire.read.as_deref().and_then(Reading::parse),
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
        if let Some(claim) = read_claim(&packet.payload) {
            self.confirm_other(io, packet, claim.pid.session());
        }
    }

    /// Asks the workers for the session that another gateway claims.
    pub(super) fn ask_workers(&self, io: &Io<'_>, packet: &Packet) {
        let (Some(claim), Some(reply)) = (read_claim(&packet.payload), packet.reply.clone()) else {
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
