//! Sessions of other gateways: how this one reaches them, and how others reach those of this one.
//!
//! A transport below carries frames between gateways by their numbers. Polls and posts are asked
//! of the owner; a WebSocket that wants to take over from polling is accepted where it arrives,
//! and its bytes go to the owner and back through a [`tunnel`].

mod counters;
mod forward;
mod inbound;
mod keys;
mod parcel;
mod parts;
mod shared;
mod tunnel;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use sluice_codec::peer::Tell;
use thiserror::Error;

pub use self::{
    counters::{Count, PeerCounters},
    inbound::Inbound,
    shared::Leaving,
};
pub(crate) use self::{
    parcel::{Parcel, Posted, Senders},
    shared::SharedPeers,
    tunnel::{Tunnel, pump},
};
pub use sluice_codec::peer::{CALLS, TELLS};

/// The most bytes of a body or payload in one frame, well below what a transport must carry.
const PIECE: usize = 256 * 1024;

/// How long the owner may take over what needs no waiting: a post, a probe, a part.
const PROMPT: Duration = Duration::from_secs(10);

/// How long a gateway may take to say that it lives.
const ALIVE: Duration = Duration::from_secs(2);

/// Why another gateway did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreachable {
    /// The network is there, and no gateway of this number: it has ended, unless it comes back
    /// within a second.
    #[error("there is no such gateway")]
    Absent,
    /// It said nothing in time, or the network is away.
    #[error("the other gateway cannot be reached")]
    Silent,
}

/// What will be the answer of another gateway, or to it.
pub type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How requests reach the sessions of other gateways. Frames have up to 512 KiB.
pub trait Peers: Send + Sync + 'static {
    /// Asks the gateway `gateway`; `kind` is one of [`CALLS`]. The answer is what
    /// [`Inbound::call`] gives on the other side, or [`Unreachable`] if the gateway is not there, or
    /// silent for `within`.
    fn call(
        &self,
        gateway: u32,
        kind: &'static str,
        request: Bytes,
        within: Duration,
    ) -> Answering<Result<Bytes, Unreachable>>;

    /// Tells the gateway `gateway`, without an answer; `kind` is one of [`TELLS`]. What is told
    /// under one kind arrives at [`Inbound::told`] in its order, or is lost.
    fn tell(&self, gateway: u32, kind: &'static str, message: Bytes);
}

impl dyn Peers {
    fn send(&self, gateway: u32, tell: &Tell) {
        self.tell(gateway, tell.kind(), tell.encode());
    }
}

/// How a gateway is one of several.
#[derive(Clone)]
pub struct Joined {
    /// The number of this gateway, by which the others reach it.
    pub gateway: u32,
    /// The way to the others.
    pub peers: Arc<dyn Peers>,
    /// The most WebSocket connections that are passed on at once, in both directions together.
    pub max_tunnels: usize,
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined")
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}
