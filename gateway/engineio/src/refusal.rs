//! Why a request gets no session, or nothing of its session.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use sluice_net::{
    Body, response,
    upgrade::{HandshakeError, name_version},
};

/// Why a request is refused before it becomes a session. Engine.IO clients get `code` and
/// `message` as JSON.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// Engine.IO's error number.
    pub code: u8,
    /// A sentence for the developer of the client.
    pub message: &'static str,
    /// Seconds after which the client may try again.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// The request names a transport that is not served.
    pub(crate) const UNKNOWN_TRANSPORT: Self = Self::bad(0, "Transport unknown");
    /// The request names a session that is not, or no longer, there.
    pub(crate) const UNKNOWN_SID: Self = Self::bad(1, "Session ID unknown");
    /// A session is opened by GET only.
    pub(crate) const BAD_METHOD: Self = Self::bad(2, "Bad handshake method");
    /// The request is not one of the protocol.
    pub const BAD_REQUEST: Self = Self::bad(3, "Bad request");
    /// The client speaks another version of the protocol.
    pub(crate) const UNSUPPORTED_VERSION: Self = Self::bad(
        5,
        "Unsupported protocol version: Engine.IO 4 is spoken here; connect with Socket.IO 3 or newer",
    );
    /// The client polls by script elements.
    pub(crate) const JSONP: Self = Self::bad(
        3,
        "Bad request: JSONP is not spoken here; leave the option forceJSONP out",
    );

    /// A body is longer than the session may send.
    pub(crate) const TOO_LARGE: Self = Self {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: 3,
        message: "The payload is too large",
        retry_after: None,
    };
    /// Gateways pass on as much for each other as they may.
    pub(crate) const FULL: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: 3,
        message: "Too much is passed on between gateways already; go on as you were",
        retry_after: None,
    };

    /// The client speaks another version of the WebSocket protocol.
    const WEBSOCKET_VERSION: Self = Self {
        status: StatusCode::UPGRADE_REQUIRED,
        code: 3,
        message: "Only version 13 of the WebSocket protocol is spoken here",
        retry_after: None,
    };

    /// A WebSocket handshake that is not accepted.
    pub(crate) fn of_handshake(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Version => Self::WEBSOCKET_VERSION,
            HandshakeError::Malformed(_) => Self::BAD_REQUEST,
        }
    }

    const fn bad(code: u8, message: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message,
            retry_after: None,
        }
    }

    /// A request that policy refuses.
    pub const fn forbidden(message: &'static str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: 4,
            message,
            retry_after: None,
        }
    }

    /// The refusal as an HTTP response.
    pub fn response(&self) -> Response<Body> {
        let json = format!(r#"{{"code":{},"message":"{}"}}"#, self.code, self.message);
        let mut response = response(self.status, "application/json", Bytes::from(json));
        if self.status == StatusCode::UPGRADE_REQUIRED {
            name_version(&mut response);
        }
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
