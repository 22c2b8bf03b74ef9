//! Whatever headers come with the opening handshake of a WebSocket, it is accepted or refused, and
//! what is agreed on is what was asked for.
#![no_main]

use http::{HeaderName, HeaderValue, Request, header, request::Parts};
use libfuzzer_sys::fuzz_target;
use sluice_net::upgrade::{Subprotocols, is_websocket, negotiate};

/// The headers that a handshake is read from.
const HEADERS: [HeaderName; 6] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_EXTENSIONS,
];

fuzz_target!(|input: (bool, Vec<(u8, &[u8])>)| {
    let (right, headers) = input;
    let Some(head) = head(right, &headers) else {
        return;
    };
    let _ = is_websocket(&head);
    for subprotocols in [Subprotocols::Any, Subprotocols::Known(&["sluice.v1.json"])] {
        let Ok(agreed) = negotiate(&head, true, subprotocols) else {
            continue;
        };
        let said = agreed
            .response
            .headers()
            .get(header::SEC_WEBSOCKET_PROTOCOL);
        let said = said.map(|said| said.as_bytes());
        assert_eq!(said, agreed.protocol.as_deref().map(str::as_bytes));
        if let Some(said) = said {
            let mut asked = head.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
            assert!(asked.any(|asked| contains(asked.as_bytes(), said)));
        }
    }
});

/// A request with these headers, behind those that make it right where it is to be.
fn head(right: bool, headers: &[(u8, &[u8])]) -> Option<Parts> {
    let mut request = Request::get("/ws");
    if right {
        request = request
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
    }
    for (name, value) in headers {
        let name = &HEADERS[usize::from(*name) % HEADERS.len()];
        request = request.header(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(request.body(()).ok()?.into_parts().0)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
