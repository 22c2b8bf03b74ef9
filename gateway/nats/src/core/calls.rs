//! What gateways ask of each other for the layers above: `<prefix>.gw.<number>.<kind>`.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use sluice_contract::GatewayNumber;
use tokio::sync::oneshot;

use super::{Completions, Done, Purpose, fleet::Fleet, io::Io};
use crate::Packet;

/// The most calls of this gateway that wait for their answers.
const MOST: usize = 65_536;

/// How long a call waits for a gateway of which nothing was heard yet.
const HEARD: Duration = Duration::from_secs(3);

/// How long a connection must last until it proves something that nobody listens for a gateway: one
/// that lost its connection with this one is back then, or is not.
const STEADY: Duration = Duration::from_secs(5);

/// Why nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// NATS has been there for a while, and nobody listens for the gateway: it has ended, unless it
    /// is changing its connection right now.
    #[error("no gateway of this number is connected")]
    Absent,
    /// It did not answer in time, or NATS is or was away.
    #[error("the other gateway cannot be reached")]
    Silent,
}

/// What a layer above does with what other gateways ask.
pub trait Called: Send + Sync + 'static {
    /// The gateway `from` asks, or tells where it wants no answer. Must not block.
    fn called(&self, from: u32, kind: &str, request: Bytes, answer: Option<AnswerTo>);

    /// The gateway has said goodbye. One that only falls silent may be there, and the way to it away.
    /// Must not block.
    fn gone(&self, gateway: u32);
}

/// Where an answer to another gateway goes.
#[derive(Debug)]
pub struct AnswerTo {
    reply: Bytes,
    completions: Arc<Completions>,
}

impl AnswerTo {
    /// Sends the answer to the gateway that asked.
    pub fn give(self, answer: Bytes) {
        let reply = self.reply;
        self.completions.add(Done::Answered { reply, answer });
    }
}

/// A call that was not answered yet.
struct Call {
    gateway: u32,
    since: Instant,
    tell: oneshot::Sender<Result<Bytes, Unreachable>>,
}

/// Calls to other gateways, and what is done with theirs.
#[derive(Default)]
pub(crate) struct Calls {
    last: u64,
    open: BTreeMap<u64, Call>,
    called: Option<Arc<dyn Called>>,
    /// Since when NATS has been there, unless it is about to go.
    since: Option<Instant>,
}

impl Calls {
    pub(crate) fn set_called(&mut self, called: Arc<dyn Called>) {
        self.called = Some(called);
    }

    pub(crate) fn connected(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// NATS is about to go, for other gateways maybe sooner than for this one: that nobody listens
    /// proves nothing until it has been there again for a while.
    pub(crate) fn unsettled(&mut self) {
        self.since = None;
    }

    /// A gateway has said goodbye.
    pub(crate) fn gone(&self, gateway: u32) {
        if let Some(called) = &self.called {
            called.gone(gateway);
        }
    }

    /// Asks another gateway.
    pub(crate) fn call(
        &mut self,
        io: &mut Io<'_>,
        to: (u32, &str),
        request: &[u8],
        within: Duration,
    ) -> oneshot::Receiver<Result<Bytes, Unreachable>> {
        let (tell, told) = oneshot::channel();
        if !io.connected || self.open.len() >= MOST {
            // The receiver is right here.
            let _ = tell.send(Err(Unreachable::Silent));
            return told;
        }
        self.last += 1;
        let call = Call {
            gateway: to.0,
            since: io.now,
            tell,
        };
        self.open.insert(self.last, call);
        let (subject, payload) = (subject(io, to), signed(io, request));
        let purpose = Purpose::Call(self.last);
        io.request(subject, Vec::new(), payload, purpose, within);
        told
    }

    /// Tells another gateway.
    pub(crate) fn tell(io: &mut Io<'_>, to: (u32, &str), message: &[u8]) {
        let (subject, payload) = (subject(io, to), signed(io, message));
        io.publish(subject, Vec::new(), payload);
    }

    pub(crate) fn answer(&mut self, io: &mut Io<'_>, request: u64, id: u64, packet: &Packet) {
        io.requests.close(request);
        let result = match packet.headers.status() {
            None => Ok(packet.payload.clone()),
            Some(_) if self.is_steady(io.now) => Err(Unreachable::Absent),
            Some(_) => Err(Unreachable::Silent),
        };
        self.end(id, result);
    }

    fn is_steady(&self, now: Instant) -> bool {
        let lasted = |since| now.saturating_duration_since(since) >= STEADY;
        self.since.is_some_and(lasted)
    }

    pub(crate) fn unanswered(&mut self, id: u64) {
        self.end(id, Err(Unreachable::Silent));
    }

    fn end(&mut self, id: u64, result: Result<Bytes, Unreachable>) {
        if let Some(call) = self.open.remove(&id) {
            // Whoever asked may be gone.
            let _ = call.tell.send(result);
        }
    }

    /// Ends the calls to gateways that are silent: a call may wait for long, and its gateway have
    /// died meanwhile.
    pub(crate) fn tick(&mut self, now: Instant, fleet: &Fleet) {
        let lost = |call: &Call| {
            now.duration_since(call.since) > HEARD && !fleet.is_heard(call.gateway, now)
        };
        let lost: Vec<_> = self
            .open
            .iter()
            .filter(|(_, call)| lost(call))
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.end(id, Err(Unreachable::Silent));
        }
    }

    /// Another gateway asks or tells.
    pub(crate) fn called(&self, completions: &Arc<Completions>, kind: &str, packet: &Packet) {
        let Some((from, request)) = packet.payload.split_first_chunk::<4>() else {
            return;
        };
        if let Some(called) = &self.called {
            let answer = packet.reply.clone().map(|reply| AnswerTo {
                reply,
                completions: Arc::clone(completions),
            });
            let request = packet.payload.slice_ref(request);
            called.called(u32::from_be_bytes(*from), kind, request, answer);
        }
    }
}

fn subject(io: &Io<'_>, (gateway, kind): (u32, &str)) -> String {
    io.names
        .call(GatewayNumber(gateway), sluice_contract::Call::Other(kind))
}

/// The number of this gateway, then the request.
fn signed(io: &Io<'_>, request: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(request.len() + 4);
    bytes.put_u32(io.gateway);
    bytes.put_slice(request);
    bytes.freeze()
}
