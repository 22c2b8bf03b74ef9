//! Why an operation is refused.

use std::borrow::Cow;

use serde::Serialize;
use sluice_backbone::Error;
use sluice_net::Cause;
use sluice_policy::{AccessError, AuthError};
use sluice_rooms::NameError;

/// A refusal as clients get it: a stable code, and a sentence that says what to do.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
}

impl Failure {
    pub(crate) const fn new(code: &'static str, message: &'static str) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: Cow::Borrowed(message),
        }
    }

    /// How to end the connection of a Socket.IO client that was refused a namespace only for now:
    /// after a refusal within the protocol the stock client would not come back by itself.
    pub(crate) fn passing(&self) -> Option<Cause> {
        match &*self.code {
            "draining" => Some(Cause::Drain),
            "overloaded" | "backbone_unavailable" => Some(Cause::Overloaded),
            _ => None,
        }
    }

    /// Why a connection ends whose client is refused with this: it says whether to come back.
    pub(crate) fn cause(&self) -> Cause {
        self.passing().unwrap_or(match &*self.code {
            "token_expired" => Cause::TokenExpired,
            "user_connections_exceeded"
            | "backend_timeout"
            | "backend_unreachable"
            | "backend_failed"
            | "backend_answer_invalid"
            | "backend_circuit_open"
            | "backend_overloaded" => Cause::Overloaded,
            _ => Cause::Unauthorized,
        })
    }

    /// The operation's arguments are not what the operation takes.
    pub(crate) fn arguments(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Cow::Borrowed("bad_arguments"),
            message: message.into(),
        }
    }

    pub(crate) const EVENT_RESERVED: Self = Self::new(
        "event_reserved",
        "the event's name means something to clients or to the gateway itself; choose another",
    );
    pub(crate) const RATE: Self = Self::new(
        "rate_limited",
        "too many messages from this connection; send more slowly",
    );
    pub(crate) const ROOM_UNKNOWN: Self = Self::new(
        "room_unknown",
        "no Room matches this name and rooms without one are denied; add a Room or choose another",
    );
    pub(crate) const NOT_MEMBER: Self = Self::new(
        "not_a_member",
        "the session is not in this room; join it first",
    );
    pub(crate) const TOO_MANY_ROOMS: Self = Self::new(
        "too_many_rooms",
        "the connection is in as many rooms as allowed; leave one first",
    );
    pub(crate) const IN_FLIGHT: Self = Self::new(
        "too_many_in_flight",
        "too many requests of this connection wait for an answer; wait for some of them",
    );
    pub(crate) const PRESENCE_OFF: Self = Self::new(
        "presence_disabled",
        "the room shows no presence; enable it in its Room",
    );
    pub(crate) const NO_BACKEND: Self = Self::new(
        "unknown_event",
        "the event is not built in and no backend takes events; set spec.backend or publish instead",
    );
    pub(crate) const BROADCAST_DENIED: Self = Self::new(
        "broadcast_denied",
        "the token lacks the claim sluice.broadcast: true; ask for a token with it",
    );
    pub(crate) const CONNECTED: Self = Self::new(
        "already_connected",
        "the connection is connected already; connect once",
    );
    pub(crate) const NOT_CONNECTED: Self = Self::new(
        "not_connected",
        "the first frame must be the connect operation",
    );
    pub(crate) const OTHER_USER: Self = Self::new(
        "token_other_user",
        "the new token is another user's; open a new connection for another user",
    );
    pub(crate) const NAMESPACE_UNKNOWN: Self = Self::new(
        "namespace_unknown",
        "the cluster has no such namespace; add it to spec.namespaces or use another",
    );
    pub(crate) const DRAINING: Self = Self::new(
        "draining",
        "this gateway is draining; connect again to reach another one",
    );
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.code().into(),
            message: error.to_string().into(),
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self {
            code: error.code().into(),
            message: error.to_string().into(),
        }
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        Self {
            code: error.code().into(),
            message: error.to_string().into(),
        }
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self {
            code: "bad_name".into(),
            message: error.to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_may_come_back_is_told_so_by_the_close_code() {
        assert_eq!(Failure::DRAINING.cause().code(), 4000);
        assert_eq!(Failure::from(AuthError::Expired).cause().code(), 4003);
        assert_eq!(Failure::from(Error::UserConnections).cause().code(), 4004);
        assert_eq!(Failure::from(AuthError::Signature).cause().code(), 4503);
    }
}
