//! Why connections end, and the codes that tell a client what to do about it.

use std::fmt;

/// Why a connection or session ended.
///
/// `name` is the stable word for logs and metrics; `code` is the WebSocket close code that the
/// client sees. Codes from 4000 to 4499 ask the client to come back; codes from 4500 to 4999 tell
/// it that coming back with the same token or the same behaviour is of no use. (RFC 6455,
/// section 7.4.2 leaves 4000 to 4999 to private use.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The client closed, with this code (1005 where it sent none).
    Client(u16),
    /// The client ended its session on purpose and will not recover it.
    Left,
    /// The TCP connection ended without a close.
    Lost,
    /// The connection broke a protocol rule; the code says which kind (1002, 1003, 1007, 1009).
    Protocol(u16),
    /// The gateway is draining: come back, to another gateway.
    Drain,
    /// The client did not read fast enough: come back and recover.
    SlowConsumer,
    /// A heartbeat was not answered.
    Heartbeat,
    /// The token ran out: come back with a new one.
    TokenExpired,
    /// The gateway is full: come back later.
    Overloaded,
    /// The client never finished its connect.
    ConnectTimeout,
    /// The session went on over a newer connection.
    Replaced,
    /// The token, user or session was revoked.
    Revoked,
    /// A backend disconnected the session.
    Disconnected,
    /// The token was refused.
    Unauthorized,
    /// The client went on sending above its limits.
    Abuse,
}

impl Cause {
    /// The stable name, for logs and the `cause` label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Left => "left",
            Self::Lost => "lost",
            Self::Protocol(_) => "protocol",
            Self::Drain => "drain",
            Self::SlowConsumer => "slow_consumer",
            Self::Heartbeat => "heartbeat",
            Self::TokenExpired => "token_expired",
            Self::Overloaded => "overloaded",
            Self::ConnectTimeout => "connect_timeout",
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
            Self::Disconnected => "disconnected",
            Self::Unauthorized => "unauthorized",
            Self::Abuse => "abuse",
        }
    }

    /// The WebSocket close code that the gateway sends (RFC 6455, section 7.4).
    pub fn code(self) -> u16 {
        match self {
            Self::Client(code) | Self::Protocol(code) => code,
            Self::Left | Self::Lost => 1000,
            Self::Drain => 4000,
            Self::SlowConsumer => 4001,
            Self::Heartbeat => 4002,
            Self::TokenExpired => 4003,
            Self::Overloaded => 4004,
            Self::ConnectTimeout => 4005,
            Self::Replaced => 4500,
            Self::Revoked => 4501,
            Self::Disconnected => 4502,
            Self::Unauthorized => 4503,
            Self::Abuse => 4504,
        }
    }

    /// Whether the session may be recovered by a client that comes back.
    pub fn recoverable(self) -> bool {
        match self {
            Self::Client(_)
            | Self::Lost
            | Self::Drain
            | Self::SlowConsumer
            | Self::Heartbeat
            | Self::TokenExpired
            | Self::Protocol(_) => true,
            Self::Left
            | Self::Overloaded
            | Self::ConnectTimeout
            | Self::Replaced
            | Self::Revoked
            | Self::Disconnected
            | Self::Unauthorized
            | Self::Abuse => false,
        }
    }

    /// Every cause that has a name of its own, for metrics that start at zero.
    pub const ALL: [Self; 15] = [
        Self::Client(1000),
        Self::Left,
        Self::Lost,
        Self::Protocol(1002),
        Self::Drain,
        Self::SlowConsumer,
        Self::Heartbeat,
        Self::TokenExpired,
        Self::Overloaded,
        Self::ConnectTimeout,
        Self::Replaced,
        Self::Revoked,
        Self::Disconnected,
        Self::Unauthorized,
        Self::Abuse,
    ];
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
