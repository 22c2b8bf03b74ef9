//! The way to polling sessions of other gateways, over NATS.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use sluice_engineio::{Answering, Inbound, Joined, Mailboxes, Peers, Unreachable};
use sluice_nats::{
    Nats,
    core::{self, AnswerTo, Called},
};
use tokio::runtime::{Handle, Runtime};

/// Joins the engines of this gateway with those of others, where there is a way to them. Must be
/// called within `runtime`.
pub(super) fn join(
    mailboxes: Mailboxes,
    nats: Option<&Arc<Nats>>,
    (gateway, max_tunnels): (u32, usize),
    runtime: &Runtime,
) -> (Mailboxes, Option<Inbound>) {
    let Some(nats) = nats else {
        return (mailboxes, None);
    };
    let peers = Arc::new(NatsPeers(Arc::clone(nats)));
    let joined = Joined {
        gateway,
        peers,
        max_tunnels,
    };
    let (mailboxes, inbound) = mailboxes.join(joined);
    let calls = Arc::new(IncomingCalls {
        inbound: inbound.clone(),
        runtime: runtime.handle().clone(),
    });
    nats.with(|core, _, _| core.set_called(calls));
    (mailboxes, Some(inbound))
}

struct NatsPeers(Arc<Nats>);

impl Peers for NatsPeers {
    fn call(
        &self,
        gateway: u32,
        kind: &'static str,
        request: Bytes,
        within: Duration,
    ) -> Answering<Result<Bytes, Unreachable>> {
        let to = (gateway, kind);
        let nats = &self.0;
        let answer = nats.with(|core, at, out| core.call(at, to, &request, within, out));
        Box::pin(async move {
            match answer.await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(core::Unreachable::Absent)) => Err(Unreachable::Absent),
                Ok(Err(core::Unreachable::Silent)) | Err(_) => Err(Unreachable::Silent),
            }
        })
    }

    fn tell(&self, gateway: u32, kind: &'static str, message: Bytes) {
        self.0
            .with(|core, at, out| core.tell(at, (gateway, kind), &message, out));
    }
}

/// Where what other gateways ask comes in, under the lock of the core.
struct IncomingCalls {
    inbound: Inbound,
    runtime: Handle,
}

impl Called for IncomingCalls {
    fn called(&self, from: u32, kind: &str, request: Bytes, answer: Option<AnswerTo>) {
        let Some(answer) = answer else {
            return self.inbound.told(from, kind, request);
        };
        let call = self.inbound.call(from, kind, request);
        self.runtime.spawn(async move {
            answer.give(call.await);
        });
    }

    fn gone(&self, gateway: u32) {
        self.inbound.gone(gateway);
    }
}
