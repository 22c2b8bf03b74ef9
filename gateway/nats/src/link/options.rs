//! What a link is told.

use std::{path::PathBuf, time::Duration};

use super::{Logins, ServerUrl};

/// Where a link goes, as whom, and how long it waits.
#[derive(Debug, Clone)]
pub struct Options {
    /// The servers to begin with; at least one. A link learns of the rest of their cluster.
    pub urls: Vec<ServerUrl>,
    /// The client's name, which the server shows.
    pub name: String,
    /// What it proves itself with where the URL has no user of its own.
    pub logins: Logins,
    /// Certificates in PEM that are trusted besides those of the system.
    pub ca: Option<String>,
    /// A folder with `ca.crt`, certificates in PEM that are trusted too, and with `tls.crt` and
    /// `tls.key`, with which the client shows who it is. Each may be missing. They are read anew for
    /// each connection.
    pub certificates: Option<PathBuf>,
    /// How long a server may take to connect, and again to greet.
    pub connect_timeout: Duration,
    /// How often a server is asked whether it is there. After three times as long without a sign
    /// of life the connection counts as lost.
    pub ping_interval: Duration,
}

impl Options {
    /// A link to these servers, without credentials, with the usual times.
    pub fn new(urls: Vec<ServerUrl>, name: impl Into<String>) -> Self {
        Self {
            urls,
            name: name.into(),
            logins: Logins::default(),
            ca: None,
            certificates: None,
            connect_timeout: Duration::from_secs(2),
            ping_interval: Duration::from_secs(2),
        }
    }
}
