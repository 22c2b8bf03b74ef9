//! What other gateways ask of this one.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use sluice_codec::peer::{Answer, Ask, Refused, Tell};
use tokio::{sync::oneshot, time::Instant};

use super::{Answering, Leaving, PIECE, Parcel, PeerCounters, SharedPeers};
use crate::{refusal::Refusal, sid::Sid};

/// What other gateways ask of this one. Whoever implements [`Peers`](super::Peers) hands it in,
/// from any thread. A frame that cannot be read is counted, and nothing else comes of it.
#[derive(Debug, Clone)]
pub struct Inbound(pub(crate) Arc<SharedPeers>);

impl Inbound {
    /// The gateway `from` asks; the answer is for its [`Peers::call`](super::Peers::call). Where
    /// the answer to a poll or a post is dropped before it is there, its session ends as if its
    /// client had gone.
    pub fn call(&self, from: u32, kind: &str, request: Bytes) -> Answering<Bytes> {
        let shared = Arc::clone(&self.0);
        let ask = Ask::decode(request).ok().filter(|ask| ask.kind() == kind);
        Box::pin(async move {
            let answer = if let Some(ask) = ask {
                shared.answer(from, ask).await
            } else {
                shared.counters.malformed.add();
                Err(Refused::Bad)
            };
            answer.unwrap_or_else(Answer::Refused).encode()
        })
    }

    /// The gateway `from` tells something. Calls nothing of [`Peers`](super::Peers), so that it may
    /// be called under a lock.
    pub fn told(&self, from: u32, kind: &str, message: Bytes) {
        let tell = Tell::decode(message)
            .ok()
            .filter(|tell| tell.kind() == kind);
        match tell {
            Some(tell) => self.0.told(from, tell),
            None => self.0.counters.malformed.add(),
        }
    }

    /// The gateway is known to have ended: what goes through it ends, too. Calls nothing of
    /// [`Peers`](super::Peers), so that it may be called under a lock.
    pub fn gone(&self, gateway: u32) {
        self.0.tunnels.end(gateway);
    }

    /// What is counted of requests between gateways.
    pub fn counters(&self) -> &PeerCounters {
        &self.0.counters
    }

    /// Has clients whose WebSocket this gateway only passes on move away, because it drains: the
    /// owners close up to `most` of them with [`Cause::Drain`](sluice_net::Cause::Drain).
    pub fn leave(&self, most: usize) -> Leaving {
        self.0.leave(most)
    }
}

type Answered = Result<Answer, Refused>;

const DONE: Answer = Answer::Whole(Bytes::new());

impl SharedPeers {
    async fn answer(&self, from: u32, ask: Ask) -> Answered {
        match ask {
            Ask::Poll { sid } => self.answer_poll(from, Sid::from_bytes(sid)).await,
            Ask::Post {
                sid,
                transfer,
                after,
                body,
            } => {
                let body = self.parts().complete((from, transfer), after, body);
                let body = body.map_err(|_| Refused::Bad)?;
                let sid = Sid::from_bytes(sid);
                let (whole, coming) = oneshot::channel();
                let _ = whole.send(Ok(body));
                let parcel = |reply| Parcel::Post {
                    sid,
                    body: coming,
                    reply,
                };
                self.ask_worker(sid, parcel).await.map(|()| DONE)
            }
            Ask::Probe {
                sid,
                tunnel,
                deflate,
            } => {
                self.answer_probe((from, tunnel), Sid::from_bytes(sid), deflate)
                    .await
            }
            Ask::Part {
                transfer,
                after,
                body,
            } => {
                let kept = self
                    .parts()
                    .put((from, transfer), after, &body, Instant::now());
                kept.map(|()| DONE).map_err(|_| self.full())
            }
            Ask::Rest { transfer } => self.next_part(from, transfer),
            // Gateways of 0.1.0 take any answer for a sign of life.
            Ask::Alive => Ok(Answer::Whole(self.key.bytes())),
        }
    }

    async fn answer_poll(&self, from: u32, sid: Sid) -> Answered {
        let payload = self
            .ask_worker(sid, |reply| Parcel::Poll { sid, reply })
            .await?;
        if payload.len() <= PIECE {
            return Ok(Answer::Whole(payload));
        }
        let transfer = rand::random();
        let kept = self
            .parts()
            .keep((from, transfer), sid, payload, Instant::now());
        if kept.is_err() {
            // It was taken from what waits for the client, and cannot be put back.
            self.deliver(sid, Parcel::Lost { sid });
            return Err(self.full());
        }
        self.next_part(from, transfer)
    }

    fn next_part(&self, from: u32, transfer: u64) -> Answered {
        let next = self.parts().next((from, transfer), Instant::now());
        match next {
            Some((bytes, true)) => Ok(Answer::Part { transfer, bytes }),
            Some((bytes, false)) => Ok(Answer::Whole(bytes)),
            None => Err(Refused::Unknown),
        }
    }

    async fn answer_probe(&self, key: (u32, u64), sid: Sid, deflate: bool) -> Answered {
        let tunnel = self.tunnels.open(key, false).ok_or_else(|| self.full())?;
        let parcel = |reply| Parcel::Tunnel {
            sid,
            tunnel,
            deflate,
            reply,
        };
        self.ask_worker(sid, parcel).await.map(|()| DONE)
    }

    async fn ask_worker<T>(
        &self,
        sid: Sid,
        parcel: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Parcel,
    ) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        if !self.deliver(sid, parcel(reply)) {
            return Err(Refused::Unknown);
        }
        let answer = answer.await.unwrap_or(Err(Refusal::UNKNOWN_SID));
        answer.map_err(|refusal| Refused::from(&refusal))
    }

    fn full(&self) -> Refused {
        self.counters.full.add();
        Refused::Full
    }

    fn told(&self, from: u32, tell: Tell) {
        self.tunnels.heard(from);
        let (tunnel, expects) = match tell {
            Tell::Abandoned { sid } => {
                let sid = Sid::from_bytes(sid);
                self.deliver(sid, Parcel::Lost { sid });
                return;
            }
            Tell::Data { tunnel, .. }
            | Tell::Ack { tunnel, .. }
            | Tell::Missing { tunnel, .. }
            | Tell::Fin { tunnel, .. } => (tunnel, true),
            Tell::Reset { tunnel } | Tell::Leave { tunnel } => (tunnel, false),
        };
        // Whoever expects a tunnel to be there learns that it is gone.
        if !self.tunnels.told((from, tunnel), tell) && expects {
            self.reset(from, tunnel);
        }
    }
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        match refusal.status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Self::Full,
            _ if refusal.code == Refusal::UNKNOWN_SID.code => Self::Unknown,
            _ => Self::Bad,
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::UNKNOWN_SID,
            Refused::Bad => Self::BAD_REQUEST,
            Refused::TooLarge => Self::TOO_LARGE,
            Refused::Full => Self::FULL,
        }
    }
}
