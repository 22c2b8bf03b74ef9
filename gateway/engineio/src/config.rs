//! What an engine is told to do.

use std::time::Duration;

use sluice_net::{Options, heartbeat::Rhythm};

/// The settings of an [`Engine`](crate::Engine). A session keeps those it was opened with, since
/// its client was told the heartbeat.
#[derive(Debug, Clone)]
pub struct Config {
    /// The path that requests come to, with both slashes: `/socket.io/`. The last one may be
    /// missing in a request.
    pub path: String,
    /// How often a client is pinged.
    pub ping_interval: Duration,
    /// How long it may take to answer.
    pub ping_timeout: Duration,
    /// The longest message or polling body, in bytes.
    pub max_payload: usize,
    /// The most bytes that may wait for one client.
    pub max_outbound: usize,
    /// Whether permessage-deflate is offered.
    pub deflate: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: "/socket.io/".into(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: 1_000_000,
            max_outbound: 1 << 20,
            deflate: false,
        }
    }
}

impl Config {
    pub(crate) fn serves(&self, path: &str) -> bool {
        path == self.path || Some(path) == self.path.strip_suffix('/')
    }

    pub(crate) fn rhythm(&self, tick: Duration) -> Rhythm {
        Rhythm::new(self.ping_interval, self.ping_timeout, tick)
    }

    pub(crate) fn options(&self, deflate: bool) -> Options {
        Options {
            max_message: self.max_payload,
            max_outbound: self.max_outbound,
            deflate,
        }
    }
}
