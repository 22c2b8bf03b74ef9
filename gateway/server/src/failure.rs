//! Why an operation is refused.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use sluice_backbone::Error;
use sluice_backend::Refusal;
use sluice_contract::Code;
use sluice_net::Cause;
use sluice_policy::{AccessError, AuthError, SchemaError};
use sluice_rooms::NameError;

/// A refusal as clients get it: a stable code, and a sentence that says what to do.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    code: Origin,
    pub(crate) message: Cow<'static, str>,
    /// Whatever the application wants its client to have beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

/// Whose code a refusal has. What an application calls its refusals means nothing to the gateway,
/// even where it is spelled as a code of the gateway's.
#[derive(Debug, Clone)]
enum Origin {
    Gateway(Code),
    Application(Box<str>),
    /// The application's server code refused a client in words of its own, which it gets as they
    /// are.
    Words,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Origin::Gateway(code),
            message: message.into(),
            data: None,
        }
    }

    /// A message of so many bytes, of which so many are let in.
    pub(crate) fn oversized(bytes: usize, most: usize) -> Self {
        let message = format!(
            "the message has {bytes} bytes, and limits.payloadBytes lets in {most}: send less at once"
        );
        Self::new(Code::MessageTooLarge, message)
    }

    /// The application refuses, with a code of its own.
    pub(crate) fn of_application(refusal: Refusal) -> Self {
        Self {
            code: Origin::Application(refusal.code),
            message: refusal.message.into_string().into(),
            data: refusal
                .data
                .and_then(|json| RawValue::from_string(json.into()).ok()),
        }
    }

    /// The application's server code refuses a client: its error's message and data, as JSON.
    pub(crate) fn in_words_of_application(message: Box<str>, data: Option<Box<RawValue>>) -> Self {
        Self {
            code: Origin::Words,
            message: message.into_string().into(),
            data,
        }
    }

    /// What a Socket.IO client's `connect_error` carries beside the message.
    pub(crate) fn data(&self) -> Option<Box<str>> {
        match &self.code {
            Origin::Words => self.data.as_ref().map(|data| data.get().into()),
            _ => serde_json::to_string(self).ok().map(Box::from),
        }
    }

    /// The operation's arguments are not what the operation takes.
    pub(crate) fn arguments(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadArguments, message)
    }

    /// The code as the client is told.
    pub(crate) fn code(&self) -> &str {
        match &self.code {
            Origin::Gateway(code) => code.as_str(),
            Origin::Application(code) => code,
            Origin::Words => Code::ApplicationRefused.as_str(),
        }
    }

    /// The code as counters and traces know it, where a code of the gateway's means that the
    /// gateway refused.
    pub(crate) fn counted(&self) -> &str {
        match &self.code {
            Origin::Application(code) if Code::named(code).is_some() => {
                Code::BackendRefused.as_str()
            }
            _ => self.code(),
        }
    }

    /// Why a connection ends whose client is refused with this: it says whether to come back.
    pub(crate) fn cause(&self) -> Cause {
        match &self.code {
            Origin::Gateway(code) => code.cause(),
            Origin::Application(_) => Code::BackendRefused.cause(),
            Origin::Words => Code::ApplicationRefused.cause(),
        }
    }

    /// How to end the connection of a Socket.IO client that was refused a namespace only for now:
    /// see [`Code::passes`].
    pub(crate) fn passing(&self) -> Option<Cause> {
        match &self.code {
            Origin::Gateway(code) if code.passes() => Some(code.cause()),
            _ => None,
        }
    }
}

/// Refusals whose sentence is always the same.
impl Failure {
    const fn known(code: Code, message: &'static str) -> Self {
        Self {
            code: Origin::Gateway(code),
            message: Cow::Borrowed(message),
            data: None,
        }
    }

    pub(crate) const EVENT_RESERVED: Self = Self::known(
        Code::EventReserved,
        "the event's name means something to clients or to the gateway itself; choose another",
    );
    pub(crate) const RATE: Self = Self::known(
        Code::RateLimited,
        "too many messages from this connection; send more slowly",
    );
    pub(crate) const ROOM_UNKNOWN: Self = Self::known(
        Code::RoomUnknown,
        "no Room matches this name and rooms without one are denied; add a Room or choose another",
    );
    pub(crate) const NOT_MEMBER: Self = Self::known(
        Code::NotAMember,
        "the session is not in this room; join it first",
    );
    pub(crate) const TOO_MANY_ROOMS: Self = Self::known(
        Code::TooManyRooms,
        "the connection is in as many rooms as allowed; leave one first",
    );
    pub(crate) const IN_FLIGHT: Self = Self::known(
        Code::TooManyInFlight,
        "too many requests of this connection wait for an answer; wait for some of them",
    );
    pub(crate) const PRESENCE_OFF: Self = Self::known(
        Code::PresenceDisabled,
        "the room shows no presence; enable it in its Room",
    );
    pub(crate) const NO_BACKEND: Self = Self::known(
        Code::UnknownEvent,
        "the event is not built in and no backend takes events; set spec.backend or publish instead",
    );
    pub(crate) const BROADCAST_DENIED: Self = Self::known(
        Code::BroadcastDenied,
        "the token lacks the claim sluice.broadcast: true; ask for a token with it",
    );
    pub(crate) const CONNECTED: Self = Self::known(
        Code::AlreadyConnected,
        "the connection is connected already; connect once",
    );
    pub(crate) const NOT_CONNECTED: Self = Self::known(
        Code::NotConnected,
        "the first frame must be the connect operation",
    );
    pub(crate) const OTHER_USER: Self = Self::known(
        Code::TokenOtherUser,
        "the new token is another user's; open a new connection for another user",
    );
    pub(crate) const NAMESPACE_UNKNOWN: Self = Self::known(
        Code::NamespaceUnknown,
        "the cluster has no such namespace; add it to spec.namespaces or use another",
    );
    pub(crate) const NO_INSTANCE: Self = Self::known(
        Code::ApplicationUnavailable,
        "no instance of the namespace's application is there; connect again in a moment",
    );
    pub(crate) const APPLICATION_SILENT: Self = Self::known(
        Code::ApplicationUnavailable,
        "the namespace's application did not say in time whether the client may come in; connect again",
    );
    pub(crate) const DRAINING: Self = Self::known(
        Code::Draining,
        "this gateway is draining; connect again to reach another one",
    );
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Gateway(code) => code.as_str(),
            Self::Application(code) => code,
            Self::Words => Code::ApplicationRefused.as_str(),
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::new(Code::BadName, error.to_string())
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

    fn refused(code: &str) -> Failure {
        Failure::of_application(Refusal {
            code: code.into(),
            message: "No.".into(),
            data: Some("[7]".into()),
        })
    }

    #[test]
    fn what_an_application_refuses_with_reaches_the_client_whole() {
        let json = serde_json::to_string(&refused("sold_out")).unwrap();
        assert_eq!(json, r#"{"code":"sold_out","message":"No.","data":[7]}"#);
    }

    #[test]
    fn a_code_of_an_application_says_nothing_of_coming_back_however_it_is_spelled() {
        for code in Code::ALL {
            let refused = refused(code.as_str());
            assert_eq!(refused.code(), code.as_str());
            assert_eq!(refused.cause(), Cause::Unauthorized);
            assert_eq!(refused.passing(), None);
            assert_eq!(refused.counted(), "backend_refused");
        }
        let own = refused("sold_out");
        assert_eq!(own.counted(), "sold_out");
    }
}
