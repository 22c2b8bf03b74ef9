//! Bytes of a client's WebSocket on their way through another gateway: in order, at most a window
//! ahead of the reader, and at an end when either side is.
//!
//! What gets lost on the way is sent again, so a tunnel outlasts any time without a way; that its
//! client or its owner is not there any more, their heartbeats find out. It ends when the gateway at
//! the other end is known to be gone, and when that gateway knows nothing of it.

mod flow;
mod pump;
mod table;
mod watch;

use std::sync::Arc;

use sluice_codec::peer::Tell;
use tokio::sync::mpsc;

use super::{PeerCounters, Peers};
pub(crate) use pump::pump;
pub(super) use table::Tunnels;
pub(super) use watch::Verdict;

/// What a tunnel's task is told.
#[derive(Debug)]
enum Told {
    /// What the other end says.
    By(Tell),
    /// That what was last told to the other end, or by it, may be lost.
    Remind,
}

/// One end of a tunnel. The other end learns when it is dropped.
pub(crate) struct Tunnel {
    tunnels: Arc<Tunnels>,
    gateway: u32,
    id: u64,
    told: mpsc::Receiver<Told>,
    /// Both directions have ended, and the other end knows.
    finished: bool,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tunnel({:08x}.{:016x})", self.gateway, self.id)
    }
}

impl Tunnel {
    /// The number by which both ends know it.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    fn tell(&self, tell: &Tell) {
        self.tunnels.peers.send(self.gateway, tell);
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.tunnels.close((self.gateway, self.id));
        self.tunnels.counters.tunnels.sub();
        if !self.finished {
            self.tell(&Tell::Reset { tunnel: self.id });
        }
    }
}
