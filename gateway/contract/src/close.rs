//! Why connections end, and the codes that tell a client what to do about it.

use std::fmt;

/// Makes the enum and all that is known of its variants from one list. A line is a cause, its
/// name, the close code that the gateway sends, and whether the session goes on if the client
/// comes back.
macro_rules! causes {
    ($(
        $(#[doc = $meaning:literal])+
        $cause:ident $(($own:ident: $type:ty = $sample:literal))?
            => $name:literal, $code:expr, $recoverable:ident;
    )+) => {
        /// Why a connection or session ended.
        ///
        /// [`name`](Self::name) is the stable word for logs, metrics and the application;
        /// [`code`](Self::code) is the WebSocket close code that the client sees. Codes from 4000
        /// to 4499 ask the client to come back; codes from 4500 to 4999 tell it that coming back
        /// with the same token or the same behaviour is of no use. (RFC 6455, section 7.4.2 leaves
        /// 4000 to 4999 to private use.)
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $( $(#[doc = $meaning])+ $cause $(($type))?, )+
        }

        impl Cause {
            /// Every cause once, for metrics that start at zero. Those that carry a code of their
            /// own have an example of it.
            pub const ALL: [Self; [$($name),+].len()] = [$( Self::$cause $(($sample))? ),+];

            const fn facts(self) -> Facts {
                match self {
                    $( Self::$cause $(($own))? => Facts {
                        name: $name,
                        code: $code,
                        recoverable: $recoverable,
                    }, )+
                }
            }
        }
    };
}

struct Facts {
    name: &'static str,
    code: u16,
    recoverable: bool,
}

const RECOVERABLE: bool = true;
const OVER: bool = false;

causes! {
    /// The client closed, with this code (1005 where it sent none).
    Client(code: u16 = 1000) => "client", code, RECOVERABLE;
    /// The client ended its session on purpose and will not recover it.
    Left => "left", 1000, OVER;
    /// The TCP connection ended without a close.
    Lost => "lost", 1000, RECOVERABLE;
    /// The connection broke a protocol rule; the code says which kind (1002, 1003, 1007, 1009).
    Protocol(code: u16 = 1002) => "protocol", code, RECOVERABLE;
    /// The gateway is draining: come back, to another gateway.
    Drain => "drain", 4000, RECOVERABLE;
    /// The client did not read fast enough: come back and recover.
    SlowConsumer => "slow_consumer", 4001, RECOVERABLE;
    /// A heartbeat was not answered.
    Heartbeat => "heartbeat", 4002, RECOVERABLE;
    /// The token ran out: come back with a new one.
    TokenExpired => "token_expired", 4003, RECOVERABLE;
    /// The gateway is full: come back later.
    Overloaded => "overloaded", 4004, OVER;
    /// The client never finished its connect.
    ConnectTimeout => "connect_timeout", 4005, OVER;
    /// Messages of a room were lost before they reached the gateway, or its history began anew:
    /// come back, and recovery says whether anything is missing.
    HistoryLost => "history_lost", 4006, RECOVERABLE;
    /// The session went on over a newer connection.
    Replaced => "replaced", 4500, OVER;
    /// The token, user or session was revoked.
    Revoked => "revoked", 4501, OVER;
    /// A backend disconnected the session.
    Disconnected => "disconnected", 4502, OVER;
    /// The token was refused.
    Unauthorized => "unauthorized", 4503, OVER;
    /// The client went on sending above its limits.
    Abuse => "abuse", 4504, OVER;
}

impl Cause {
    /// The stable name, for logs and the `cause` label.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The WebSocket close code that the gateway sends (RFC 6455, section 7.4).
    pub const fn code(self) -> u16 {
        self.facts().code
    }

    /// Whether the client is asked to come back by itself: a code from 4000 to 4499, or a
    /// connection that was lost. Not said of what the client itself did.
    pub const fn comes_back(self) -> bool {
        match self {
            Self::Lost => true,
            Self::Client(_) | Self::Left | Self::Protocol(_) => false,
            other => other.code() < 4500,
        }
    }

    /// Whether the client is told to stay away: a code from 4500 to 4999 of the gateway's own.
    pub const fn stays_away(self) -> bool {
        match self {
            Self::Client(_) => false,
            other => other.code() >= 4500,
        }
    }

    /// Whether the session may be recovered by a client that comes back.
    pub const fn recoverable(self) -> bool {
        self.facts().recoverable
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_causes_share_a_name_or_a_close_code_of_the_gateway() {
        for (at, cause) in Cause::ALL.iter().enumerate() {
            for other in &Cause::ALL[at + 1..] {
                assert_ne!(cause.name(), other.name());
                assert!(
                    cause.code() < 4000 || cause.code() != other.code(),
                    "{cause}, {other}"
                );
            }
        }
    }

    #[test]
    fn every_code_of_the_gateways_own_says_whether_to_come_back() {
        for cause in Cause::ALL.iter().filter(|cause| cause.code() >= 4000) {
            assert_eq!(cause.comes_back(), cause.code() < 4500, "{cause}");
            assert_eq!(cause.stays_away(), cause.code() >= 4500, "{cause}");
        }
        assert!(!Cause::Client(4600).stays_away());
        assert!(!Cause::Client(4100).comes_back());
    }

    #[test]
    fn a_session_that_cannot_go_on_is_never_asked_to_come_back_for_it() {
        for cause in Cause::ALL {
            assert!(cause.code() < 4500 || !cause.recoverable(), "{cause}");
        }
    }
}
