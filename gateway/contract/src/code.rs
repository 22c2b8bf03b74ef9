//! The codes of refusals, and what each says of coming back.

use std::fmt;

use crate::Cause;

/// Makes the enum and all that is known of its variants from one list. A line is a code and its
/// text, the HTTP status that it is refused with where it is, and how the connection of a client
/// ends that is refused with it while it connects, where that is not [`Cause::Unauthorized`].
macro_rules! codes {
    ($(
        $(#[doc = $meaning:literal])+
        $code:ident = $text:literal
            $(, http $status:literal)?
            $(, close $cause:ident $($passes:ident)?)?;
    )+) => {
        /// The code of a refusal, for programs. Its text never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $( $(#[doc = $meaning])+ $code, )+
        }

        impl Code {
            /// Every code once.
            pub const ALL: [Self; [$($text),+].len()] = [$( Self::$code ),+];

            const fn facts(self) -> Facts {
                match self {
                    $( Self::$code => Facts::of($text)
                        $( .http($status) )?
                        $( .close(Cause::$cause) $( .$passes() )? )?, )+
                }
            }
        }
    };
}

struct Facts {
    text: &'static str,
    status: Option<u16>,
    close: Cause,
    passes: bool,
}

impl Facts {
    /// A refusal that stays as long as nobody changes anything.
    const fn of(text: &'static str) -> Self {
        Self {
            text,
            status: None,
            close: Cause::Unauthorized,
            passes: false,
        }
    }

    const fn http(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    const fn close(mut self, cause: Cause) -> Self {
        self.close = cause;
        self
    }

    const fn passes(mut self) -> Self {
        self.passes = true;
        self
    }
}

codes! {
    /// There is no token, and one is needed.
    TokenMissing = "token_missing";
    /// The token is not a signed JSON Web Token, or has no `exp`.
    TokenMalformed = "token_malformed";
    /// The token is longer than 8 KiB.
    TokenTooLarge = "token_too_large";
    /// The token's time is over.
    TokenExpired = "token_expired", close TokenExpired;
    /// The token's `nbf` lies ahead.
    TokenNotYetValid = "token_not_yet_valid";
    /// The token's signature is not the key's.
    TokenSignature = "token_signature";
    /// The token's algorithm is not allowed, or not one for its key.
    TokenAlgorithm = "token_algorithm";
    /// The token's `iss` is not the issuer that the cluster accepts.
    TokenIssuer = "token_issuer";
    /// The token's `aud` does not contain the cluster's audience.
    TokenAudience = "token_audience";
    /// The token names no user that can be used.
    TokenUserMissing = "token_user_missing";
    /// The token or its user was revoked.
    TokenRevoked = "token_revoked";
    /// The key that the token names is not in the key set.
    KeyUnknown = "key_unknown";
    /// The cluster does not list the namespace.
    NamespaceUnknown = "namespace_unknown", http 404;
    /// The user has as many sessions as they may.
    UserConnectionsExceeded = "user_connections_exceeded", http 409, close Overloaded;
    /// The gateway drains.
    Draining = "draining", http 503, close Drain passes;
    /// An argument is missing or has the wrong type.
    BadArguments = "bad_arguments";
    /// The event is not built in, and there is no backend that takes it.
    UnknownEvent = "unknown_event";
    /// A worker of the gateway is too far behind.
    Overloaded = "overloaded", http 503, close Overloaded passes;
    /// The backbone cannot be reached.
    BackboneUnavailable = "backbone_unavailable", http 503, close Overloaded passes;

    /// No instance of the namespace's application is there, or none answers.
    ApplicationUnavailable = "application_unavailable", close Overloaded passes;
    /// The application's server code refused the client, in words of its own.
    ApplicationRefused = "application_refused";

    /// The page's origin is not allowed.
    OriginDenied = "origin_denied", http 403;
    /// The address has as many connections as it may.
    IpConnectionsExceeded = "ip_connections_exceeded", http 429;
    /// The address has shown as many tokens that were refused as it may.
    IpBadTokensExceeded = "ip_bad_tokens_exceeded", http 429;
    /// The gateway has as many connections as it takes.
    GatewayFull = "gateway_full", http 503;
    /// An HTTP request that is not one of the protocol.
    BadRequest = "bad_request", http 400;
    /// A path where nothing is.
    NotFound = "not_found", http 404;
    /// A method that the path does not take.
    MethodNotAllowed = "method_not_allowed", http 405;
    /// A request that had to be a WebSocket's.
    UpgradeRequired = "upgrade_required", http 426;
    /// A message larger than the gateway, or the servers behind it, take.
    MessageTooLarge = "message_too_large", http 413;
    /// Binary data in the plain protocol.
    UnsupportedData = "unsupported_data";
    /// Text that is not UTF-8, or data that is not DEFLATE.
    InvalidText = "invalid_text";
    /// A frame or packet that breaks the protocol.
    ProtocolError = "protocol_error";
    /// A connection of the plain protocol that did not ask to connect in time.
    ConnectTimeout = "connect_timeout", close ConnectTimeout;
    /// A connection of the plain protocol that a drain ended before it asked to connect.
    Drain = "drain", close Drain;

    /// The frame is not a JSON object with `op`, or a field has the wrong type.
    BadFrame = "bad_frame";
    /// There is no such `op`.
    UnknownOperation = "unknown_operation";
    /// More CONNECT packets of one Socket.IO connection than it may send.
    TooManyConnects = "too_many_connects", close Abuse;
    /// The first frame was not `connect`.
    NotConnected = "not_connected";
    /// A second `connect`.
    AlreadyConnected = "already_connected";

    /// The name of a room, user, event or message is empty or too long.
    BadName = "bad_name";
    /// More messages than a connection may send.
    RateLimited = "rate_limited";
    /// More requests than may wait for an answer.
    TooManyInFlight = "too_many_in_flight";
    /// No Room matches, and rooms without one are denied.
    RoomUnknown = "room_unknown", http 404;
    /// The Room's rule says no.
    AccessDenied = "access_denied";
    /// The Room's rule could not be evaluated.
    AccessError = "access_error";
    /// The session is not in the room.
    NotAMember = "not_a_member";
    /// The connection is in as many rooms as it may.
    TooManyRooms = "too_many_rooms";
    /// The room has as many members as it may.
    RoomFull = "room_full", http 409;
    /// The room's publishers together are too fast.
    RoomRateLimited = "room_rate_limited", http 429;
    /// The Room has schemas, and none for the event.
    EventUnknown = "event_unknown", http 422;
    /// The data does not fit the event's schema.
    SchemaViolation = "schema_violation", http 422;
    /// Checking the data against the event's schema takes too long.
    SchemaTooCostly = "schema_too_costly", http 422;
    /// The Room keeps no history.
    NoHistory = "no_history", http 409;
    /// The Room shows no presence to clients.
    PresenceDisabled = "presence_disabled";
    /// The token lacks the claim that broadcasts need.
    BroadcastDenied = "broadcast_denied";
    /// The new token is another user's.
    TokenOtherUser = "token_other_user";
    /// Messages are no longer kept.
    HistoryGone = "history_gone", http 410;

    /// The backend refused without a code of its own.
    BackendRefused = "backend_refused";
    /// The backend did not answer in time.
    BackendTimeout = "backend_timeout", close Overloaded;
    /// The backend cannot be reached.
    BackendUnreachable = "backend_unreachable", close Overloaded;
    /// The backend answered that it failed.
    BackendFailed = "backend_failed", close Overloaded;
    /// The backend, or this gateway for it, has too many requests.
    BackendOverloaded = "backend_overloaded", close Overloaded;
    /// The backend failed so often that it is left alone for a while.
    BackendCircuitOpen = "backend_circuit_open", close Overloaded;
    /// The backend's answer could not be read.
    BackendAnswerInvalid = "backend_answer_invalid", close Overloaded;

    /// A name in the path is not valid.
    PathInvalid = "path_invalid", http 400;
    /// A parameter is unknown or not valid.
    QueryInvalid = "query_invalid", http 400;
    /// The body is not JSON.
    JsonInvalid = "json_invalid", http 400;
    /// The body broke off.
    BodyIncomplete = "body_incomplete", http 400;
    /// More entries were asked for than an answer has, or none.
    LimitOutOfRange = "limit_out_of_range", http 400;
    /// The reason does not fit into a close frame.
    ReasonTooLong = "reason_too_long", http 400;
    /// The id of a message is not valid.
    IdInvalid = "id_invalid", http 400;
    /// The body and a header name different ids.
    IdConflict = "id_conflict", http 400;
    /// There is no key.
    ApiKeyMissing = "api_key_missing", http 401;
    /// The key is not one of the gateway's.
    ApiKeyInvalid = "api_key_invalid", http 401;
    /// The gateway has no key and refuses everything.
    ApiKeyNotConfigured = "api_key_not_configured", http 403;
    /// There is no such operation.
    OperationUnknown = "operation_unknown", http 404;
    /// The Room shows no presence.
    NoPresence = "no_presence", http 409;
    /// The gateway ends already.
    DrainFinished = "drain_finished", http 409;
    /// The body, or a message in it, is larger than it may be.
    PayloadTooLarge = "payload_too_large", http 413;
    /// The body is JSON, but not what the operation takes.
    BodyInvalid = "body_invalid", http 422;
    /// Clients could not read the data.
    DataInvalid = "data_invalid", http 422;
    /// The event's name means something to clients or to the gateway itself.
    EventReserved = "event_reserved", http 422;
    /// An attachment is not base64.
    AttachmentInvalid = "attachment_invalid", http 422;
    /// There are more attachments than a message may have.
    AttachmentsTooMany = "attachments_too_many", http 422;
    /// The data refers to an attachment that is not there.
    PlaceholderInvalid = "placeholder_invalid", http 422;
    /// It is not clear what a revocation is to revoke.
    RevocationUnclear = "revocation_unclear", http 422;
    /// A revocation was to hold until a time in the past.
    UntilPassed = "until_passed", http 422;
    /// The rate of a drain is not a number above 0.
    RateInvalid = "rate_invalid", http 422;
    /// A drain was to move no connections.
    ConnectionsInvalid = "connections_invalid", http 422;
    /// A stored message is not JSON.
    StoredDataInvalid = "stored_data_invalid", http 500;
    /// The answer is larger than NATS takes.
    AnswerTooLarge = "answer_too_large", http 500;
    /// As many requests are under way as may be.
    ApiOverloaded = "api_overloaded", http 503;
    /// The request took too long, and may have been carried out.
    RequestTimeout = "request_timeout", http 504;
    /// No more revocations can be kept.
    RevocationsFull = "revocations_full", http 507;
}

impl Code {
    /// The code as it is said and counted.
    pub const fn as_str(self) -> &'static str {
        self.facts().text
    }

    /// The code that has this text.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The status of an HTTP answer that refuses with it, where one does.
    pub const fn status(self) -> Option<u16> {
        self.facts().status
    }

    /// Why the connection of a client ends that is refused with it while it connects: the close
    /// code says whether to come back.
    pub const fn cause(self) -> Cause {
        self.facts().close
    }

    /// Whether it passes by itself, without anybody changing anything. A Socket.IO client that is
    /// refused a namespace with such a code has its transport closed instead: after a refusal
    /// within the protocol the stock client would not come back by itself.
    pub const fn passes(self) -> bool {
        self.facts().passes
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_text_of_its_own_in_snake_case() {
        for code in Code::ALL {
            assert_eq!(Code::named(code.as_str()), Some(code));
            let snake = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(code.as_str().bytes().all(snake), "{code}");
        }
        assert_eq!(Code::named("sold_out"), None);
    }

    #[test]
    fn a_client_is_asked_to_come_back_after_what_passes_by_itself() {
        for code in Code::ALL.into_iter().filter(|code| code.passes()) {
            assert!((4000..4500).contains(&code.cause().code()), "{code}");
        }
    }
}
