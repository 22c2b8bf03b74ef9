//! What a request asks for, read from its query.

use http::{Method, request::Parts};
use sluice_net::upgrade::is_websocket;

use crate::{refusal::Refusal, sid::Sid};

/// A well-formed request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    OpenPolling,
    OpenWebSocket,
    Poll(Sid),
    Post(Sid),
    Probe(Sid),
}

/// Reads a request's head; the order of the checks is that of the protocol's error codes.
pub(crate) fn read(head: &Parts) -> Result<Asked, Refusal> {
    let query = head.uri.query().unwrap_or_default();
    let websocket = match value(query, "transport") {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(Refusal::UNKNOWN_TRANSPORT),
    };
    if value(query, "EIO") != Some("4") {
        return Err(Refusal::UNSUPPORTED_VERSION);
    }
    if value(query, "j").is_some() {
        return Err(Refusal::JSONP);
    }
    if websocket != is_websocket(head) {
        return Err(Refusal::BAD_REQUEST);
    }
    let sid = value(query, "sid")
        .map(|sid| Sid::parse(sid).ok_or(Refusal::UNKNOWN_SID))
        .transpose()?;
    match (sid, &head.method, websocket) {
        (None, &Method::GET, true) => Ok(Asked::OpenWebSocket),
        (None, &Method::GET, false) => Ok(Asked::OpenPolling),
        (Some(sid), &Method::GET, true) => Ok(Asked::Probe(sid)),
        (Some(sid), &Method::GET, false) => Ok(Asked::Poll(sid)),
        (Some(sid), &Method::POST, false) => Ok(Asked::Post(sid)),
        (None, ..) => Err(Refusal::BAD_METHOD),
        _ => Err(Refusal::BAD_REQUEST),
    }
}

/// The value of a parameter; those of the protocol need no decoding.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(n, _)| *n == name)
        .map(|p| p.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::SidKey;
    use http::Request;

    fn asked(method: &str, query: &str) -> Result<Asked, u8> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/socket.io/?{query}"));
        read(&request.body(()).unwrap().into_parts().0).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_get_without_a_session_opens_one() {
        assert_eq!(
            asked("GET", "EIO=4&transport=polling&t=abc"),
            Ok(Asked::OpenPolling)
        );
    }

    #[test]
    fn requests_of_a_session_name_it() {
        let sid = Sid::new(&SidKey::random(), 1, 0, 2);
        let query = format!("EIO=4&transport=polling&sid={sid}");
        assert_eq!(asked("GET", &query), Ok(Asked::Poll(sid)));
        assert_eq!(asked("POST", &query), Ok(Asked::Post(sid)));
    }

    #[test]
    fn each_fault_has_the_protocols_code() {
        assert_eq!(asked("GET", "EIO=4&transport=abc"), Err(0));
        assert_eq!(asked("GET", "EIO=4&transport=polling&sid=abc"), Err(1));
        assert_eq!(asked("POST", "EIO=4&transport=polling"), Err(2));
        assert_eq!(asked("GET", "EIO=4&transport=websocket"), Err(3));
        assert_eq!(asked("GET", "EIO=4&transport=polling&j=0"), Err(3));
        assert_eq!(asked("GET", "EIO=3&transport=polling"), Err(5));
        assert_eq!(asked("GET", "transport=polling"), Err(5));
    }
}
