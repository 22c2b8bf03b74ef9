//! What this gateway asks the owners of sessions.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sluice_codec::peer::{Answer, Ask, Refused, Tell};
use tokio::time::Instant;

use super::{ALIVE, PIECE, PROMPT, SharedPeers, Tunnel};
use crate::{
    polling::Polled,
    refusal::Refusal,
    sid::{Sid, SidKey},
};

/// The longest payload of a poll, whatever the owner says. Far beyond what waits for a client.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;

impl SharedPeers {
    /// Refuses a sid that its gateway has not made, so that a request with a forged one goes no
    /// further than here: what it brings is not even read.
    pub(crate) async fn vouch(&self, sid: Sid) -> Result<(), Refusal> {
        let known = self.keys().made(sid, Instant::now());
        let made = match known {
            Some(made) => made,
            None => self
                .ask_for_key(sid.gateway)
                .await?
                .is_none_or(|key| key.made(sid)),
        };
        if !made {
            self.counters.forged.add();
            return Err(Refusal::UNKNOWN_SID);
        }
        Ok(())
    }

    async fn ask_for_key(&self, gateway: u32) -> Result<Option<SidKey>, Refusal> {
        let key = match self.ask(gateway, &Ask::Alive, ALIVE).await? {
            Answer::Whole(bytes) => SidKey::read(&bytes),
            Answer::Part { .. } | Answer::Refused(_) => None,
        };
        self.keys().learn(gateway, key, Instant::now());
        Ok(key)
    }
}

impl SharedPeers {
    /// Passes a GET on; the owner may take as long as `within` to have something to say.
    pub(crate) async fn poll(&self, sid: Sid, within: Duration) -> Polled {
        self.counters.polls.add();
        let mut guard = Abandoned::new(self, sid);
        let ask = Ask::Poll { sid: sid.bytes() };
        let answer = self.ask(sid.gateway, &ask, within).await?;
        let payload = match answer {
            Answer::Whole(payload) => payload,
            Answer::Part { transfer, bytes } => self.rest(sid.gateway, transfer, &bytes).await?,
            Answer::Refused(refused) => {
                guard.answered = true;
                return Err(refused.into());
            }
        };
        guard.answered = true;
        Ok(payload)
    }

    /// Fetches what follows the beginning of an answer.
    async fn rest(&self, gateway: u32, mut transfer: u64, begin: &[u8]) -> Polled {
        let mut whole = BytesMut::from(begin);
        while whole.len() <= MAX_PAYLOAD {
            let ask = Ask::Rest { transfer };
            match self.ask(gateway, &ask, PROMPT).await? {
                Answer::Whole(bytes) => {
                    whole.extend_from_slice(&bytes);
                    return Ok(whole.freeze());
                }
                Answer::Part {
                    transfer: next,
                    bytes,
                } => {
                    whole.extend_from_slice(&bytes);
                    transfer = next;
                }
                Answer::Refused(refused) => return Err(refused.into()),
            }
        }
        self.counters.malformed.add();
        Err(Refusal::UNKNOWN_SID)
    }

    /// Passes on what a POST brought, in parts where it is long.
    pub(crate) async fn post(&self, sid: Sid, mut body: Bytes) -> Result<(), Refusal> {
        self.counters.posts.add();
        let mut guard = Abandoned::new(self, sid);
        let (transfer, mut after) = (rand::random(), 0);
        while body.len() > PIECE {
            let body = body.split_to(PIECE);
            let ask = Ask::Part {
                transfer,
                after,
                body,
            };
            self.prompt(sid.gateway, &ask).await?;
            after += PIECE as u64;
        }
        let ask = Ask::Post {
            sid: sid.bytes(),
            transfer,
            after,
            body,
        };
        let answer = self.ask(sid.gateway, &ask, PROMPT).await?;
        guard.answered = true;
        accepted(&answer)
    }

    /// Asks the owner to take a WebSocket through a tunnel.
    pub(crate) async fn probe(&self, sid: Sid, deflate: bool) -> Result<Tunnel, Refusal> {
        let key = (sid.gateway, rand::random());
        let Some(tunnel) = self.tunnels.open(key, true) else {
            self.counters.full.add();
            return Err(Refused::Full.into());
        };
        let ask = Ask::Probe {
            sid: sid.bytes(),
            tunnel: tunnel.id(),
            deflate,
        };
        self.prompt(sid.gateway, &ask).await?;
        Ok(tunnel)
    }

    async fn prompt(&self, gateway: u32, ask: &Ask) -> Result<(), Refusal> {
        accepted(&self.ask(gateway, ask, PROMPT).await?)
    }

    async fn ask(&self, gateway: u32, ask: &Ask, within: Duration) -> Result<Answer, Refusal> {
        let call = self.peers.call(gateway, ask.kind(), ask.encode(), within);
        let Ok(answer) = call.await else {
            self.counters.unreachable.add();
            return Err(Refusal::UNKNOWN_SID);
        };
        Answer::decode(answer).map_err(|_| {
            self.counters.malformed.add();
            Refusal::UNKNOWN_SID
        })
    }
}

fn accepted(answer: &Answer) -> Result<(), Refusal> {
    match answer {
        Answer::Refused(refused) => Err((*refused).into()),
        Answer::Whole(_) | Answer::Part { .. } => Ok(()),
    }
}

/// Tells the owner of a session when a request of it ends without its answer: the client went
/// away or will never know, and what the answer was to bring is lost.
struct Abandoned<'a> {
    shared: &'a SharedPeers,
    sid: Sid,
    answered: bool,
}

impl<'a> Abandoned<'a> {
    fn new(shared: &'a SharedPeers, sid: Sid) -> Self {
        Self {
            shared,
            sid,
            answered: false,
        }
    }
}

impl SharedPeers {
    /// Tells the owner of a session that what a client was to get is lost.
    pub(crate) fn abandon(&self, sid: Sid) {
        let gateway = sid.gateway;
        self.tell(gateway, &Tell::Abandoned { sid: sid.bytes() });
    }
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.shared.abandon(self.sid);
        }
    }
}
