//! The WebSocket opening handshake (RFC 6455, section 4.2).

mod compression;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header, request::Parts};
use thiserror::Error;

use crate::http::{Body, accept_key, response};

/// A handshake that was accepted.
#[derive(Debug)]
pub struct Negotiated {
    /// `101 Switching Protocols`.
    pub response: Response<Body>,
    /// Whether permessage-deflate was agreed on (RFC 7692), with no context kept on either side.
    pub deflate: bool,
    /// Which subprotocol was chosen.
    pub protocol: Option<Box<str>>,
}

/// Why a handshake is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// The client speaks another version of the protocol (RFC 6455, section 4.4).
    #[error("only version 13 of the WebSocket protocol is spoken here")]
    Version,
    /// The request is no handshake; says what is wrong with it.
    #[error("{0}")]
    Malformed(&'static str),
}

use HandshakeError::Malformed;

/// Which of the subprotocols that a client asks for is chosen. A browser closes a connection for
/// which it asked for some and got none.
#[derive(Debug, Clone, Copy)]
pub enum Subprotocols<'a> {
    /// The first of these that it asks for.
    Known(&'a [&'static str]),
    /// The one that it asks for first: the server has none of its own.
    Any,
}

/// Whether a request asks to become a WebSocket. One of HTTP/1.0 cannot (RFC 9110, section 7.8).
pub fn is_websocket(head: &Parts) -> bool {
    head.version >= Version::HTTP_11 && has_token(&head.headers, header::UPGRADE, "websocket")
}

/// Accepts a handshake.
///
/// # Errors
/// What is wrong with it.
pub fn negotiate(
    head: &Parts,
    deflate: bool,
    subprotocols: Subprotocols<'_>,
) -> Result<Negotiated, HandshakeError> {
    let headers = &head.headers;
    if !is_websocket(head)
        || head.method != http::Method::GET
        || !has_token(headers, header::CONNECTION, "upgrade")
    {
        let how = "a WebSocket is opened by GET over HTTP/1.1 with Connection: Upgrade";
        return Err(Malformed(how));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|v| v != "13")
    {
        return Err(HandshakeError::Version);
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| key.len() == 24);
    let key = key.ok_or(Malformed("Sec-WebSocket-Key must be 16 bytes in base64"))?;
    let extension = if deflate {
        compression::agree(tokens(headers, header::SEC_WEBSOCKET_EXTENSIONS))
    } else {
        None
    };
    let protocol = subprotocols.choose(headers)?;
    let response = switching(&accept_key(key.as_bytes()), extension, protocol);
    Ok(Negotiated {
        response,
        deflate: extension.is_some(),
        protocol: protocol.map(Box::from),
    })
}

impl Subprotocols<'_> {
    fn choose<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h str>, HandshakeError> {
        let asked = || tokens(headers, header::SEC_WEBSOCKET_PROTOCOL);
        match self {
            Self::Known(known) => {
                let chosen = known
                    .iter()
                    .find_map(|known| asked().find(|asked| asked.eq_ignore_ascii_case(known)));
                Ok(chosen)
            }
            Self::Any => match asked().next() {
                Some(first) if !first.bytes().all(is_token) || first.is_empty() => {
                    let names = "Sec-WebSocket-Protocol must be names with commas between them";
                    Err(Malformed(names))
                }
                first => Ok(first),
            },
        }
    }
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn switching(
    accept: &str,
    extension: Option<&'static str>,
    protocol: Option<&str>,
) -> Response<Body> {
    let mut answer = Response::new(Body::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(extension) = extension {
        headers.insert(
            header::SEC_WEBSOCKET_EXTENSIONS,
            HeaderValue::from_static(extension),
        );
    }
    if let Some(Ok(protocol)) = protocol.map(HeaderValue::from_str) {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer
}

/// A refusal of the handshake as an HTTP response that names the version spoken here.
pub fn refuse(error: HandshakeError) -> Response<Body> {
    let status = match error {
        HandshakeError::Version => StatusCode::UPGRADE_REQUIRED,
        Malformed(_) => StatusCode::BAD_REQUEST,
    };
    let body = Bytes::from(error.to_string());
    let mut response = response(status, "text/plain; charset=utf-8", body);
    name_version(&mut response);
    response
}

/// Has a refusal name the version that is spoken here.
pub fn name_version(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    let version = HeaderValue::from_static("13");
    headers.insert(header::SEC_WEBSOCKET_VERSION, version);
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|t| t.eq_ignore_ascii_case(token))
}

fn tokens(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const NONE: Subprotocols<'_> = Subprotocols::Known(&[]);

    fn head(extra: &[(&'static str, &str)]) -> Parts {
        let mut request = Request::get("/ws")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_good_handshake_is_accepted() {
        let answer = negotiate(&head(&[]), true, NONE).unwrap();
        assert_eq!(answer.response.status(), 101);
        assert!(!answer.deflate);
    }

    #[test]
    fn a_known_subprotocol_is_chosen_among_others() {
        let head = head(&[("sec-websocket-protocol", "other, sluice.v1.json")]);
        let known = Subprotocols::Known(&["sluice.v1.json"]);
        let answer = negotiate(&head, false, known).unwrap();
        assert_eq!(answer.protocol.as_deref(), Some("sluice.v1.json"));
    }

    #[test]
    fn a_server_without_subprotocols_takes_the_first_that_is_asked_for() {
        for (asked, chosen) in [("x", "x"), ("b.2, a", "b.2")] {
            let head = head(&[("sec-websocket-protocol", asked)]);
            let answer = negotiate(&head, false, Subprotocols::Any).unwrap();
            assert_eq!(answer.response.headers()["sec-websocket-protocol"], chosen);
        }
        let answer = negotiate(&head(&[]), false, Subprotocols::Any).unwrap();
        assert!(
            !answer
                .response
                .headers()
                .contains_key("sec-websocket-protocol")
        );
        for wrong in ["", "a b", "a/b, c", ","] {
            let head = head(&[("sec-websocket-protocol", wrong)]);
            assert!(
                negotiate(&head, false, Subprotocols::Any).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn compression_is_agreed_on_only_where_both_want_it() {
        let head = head(&[(
            "sec-websocket-extensions",
            "permessage-deflate; client_max_window_bits",
        )]);
        assert!(negotiate(&head, true, NONE).unwrap().deflate);
        assert!(!negotiate(&head, false, NONE).unwrap().deflate);
    }

    #[test]
    fn an_offer_that_needs_a_small_server_window_is_passed_over() {
        let extensions = "permessage-deflate; server_max_window_bits=9";
        let head = head(&[("sec-websocket-extensions", extensions)]);
        assert!(!negotiate(&head, true, NONE).unwrap().deflate);
    }

    #[test]
    fn another_version_is_refused() {
        let mut head = head(&[]);
        head.headers
            .insert("sec-websocket-version", HeaderValue::from_static("8"));
        let error = negotiate(&head, false, NONE).unwrap_err();
        let answer = refuse(error);
        assert_eq!(answer.status(), 426);
        assert_eq!(answer.headers()["sec-websocket-version"], "13");
    }

    #[test]
    fn http_1_0_cannot_become_a_websocket() {
        let mut head = head(&[]);
        head.version = Version::HTTP_10;
        assert!(!is_websocket(&head));
        assert!(negotiate(&head, false, NONE).is_err());
    }
}
