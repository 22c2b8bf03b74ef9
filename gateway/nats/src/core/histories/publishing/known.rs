//! Messages whose id the stream knows already.
//!
//! The stream remembers ids longer than messages: one may have expired, have given way to newer ones
//! or have been purged, and its publisher may send it again all the same. It is a duplicate only
//! while the other is there. Where it is not, the message is stored under an id that names the one
//! that is gone, so that two who send it again at once still store it once.

use std::time::Instant;

use sluice_contract::message_id_after;
use sluice_rooms::Epoch;

use super::{AGAIN, Publishing};
use crate::{
    Packet,
    core::{
        histories::{
            ask::{Ask, ask},
            stream::{self, Kept},
        },
        io::Io,
    },
};

/// Asks for the message at an offset. The leader is asked: a follower may not have it yet.
pub(super) fn look_for(io: &mut Io<'_>, id: u64, offset: u64) {
    let leader = stream::leader_subject(io.names);
    ask(io, leader, stream::exactly(offset), Ask::Held(id));
}

impl Publishing {
    /// The stream says whether the message is there that it knows by the id.
    pub(in crate::core::histories) fn held(
        &mut self,
        now: Instant,
        epoch: Option<Epoch>,
        id: u64,
        packet: &Packet,
    ) {
        let Some(waiting) = self.waiting.get_mut(&id) else {
            return;
        };
        let Some(offset) = waiting.known else {
            return;
        };
        match stream::kept(packet) {
            Kept::Message(message) if message.subject == waiting.subject => {
                self.receipt(epoch, id, offset, true);
            }
            // A stream that lost its end may have given the offset to another message.
            Kept::Message(_) | Kept::Nothing => {
                for (name, value) in &mut waiting.headers {
                    if *name == "Nats-Msg-Id" {
                        *value = message_id_after(value, offset);
                    }
                }
                waiting.known = None;
                waiting.sent = 0;
                waiting.reach = waiting.reach.max(offset);
                waiting.again = Some(now);
            }
            Kept::Unavailable => waiting.again = Some(now + AGAIN),
        }
    }
}
