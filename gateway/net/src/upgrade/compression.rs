//! What is agreed on about permessage-deflate (RFC 7692, section 7.1).
//!
//! Neither side keeps a context, and the server's window is always the full one: so what is
//! compressed for one connection is what any other gets too, and no connection has a compressor.

/// The window of the server's compressor, in bits.
const WINDOW: &str = "15";

const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The same where the client asks for a window of its choice, which the answer has to name.
const AGREED_WINDOW: &str = "permessage-deflate; server_no_context_takeover; \
                             client_no_context_takeover; server_max_window_bits=15";

/// The answer to the first of a client's offers that can be met, if there is one.
pub(super) fn agree<'a>(mut offers: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    offers.find_map(answer)
}

/// An offer must be declined that has a parameter which is not defined, comes twice or has a value
/// it cannot have; and this server declines a smaller window than its own.
fn answer(offer: &str) -> Option<&'static str> {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let mut seen = Vec::new();
    let mut agreed = AGREED;
    for parameter in parts {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim(), Some(unquoted(value.trim()))),
            None => (parameter, None),
        };
        if seen.contains(&name) {
            return None;
        }
        match (name, value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
            ("client_max_window_bits", value) if value.is_none_or(is_window) => {}
            ("server_max_window_bits", Some(WINDOW)) => agreed = AGREED_WINDOW,
            _ => return None,
        }
        seen.push(name);
    }
    Some(agreed)
}

fn is_window(bits: &str) -> bool {
    ["8", "9", "10", "11", "12", "13", "14", WINDOW].contains(&bits)
}

fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(offers: &[&str]) -> Option<&'static str> {
        agree(offers.iter().copied())
    }

    #[test]
    fn what_browsers_and_libraries_offer_is_agreed_on() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=15",
            "permessage-deflate;client_max_window_bits=\"10\"",
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
        ] {
            assert_eq!(agreed(&[offer]), Some(AGREED), "{offer}");
        }
    }

    #[test]
    fn a_full_window_that_is_asked_for_is_named_in_the_answer() {
        let offer = "permessage-deflate; client_max_window_bits; server_max_window_bits=15";
        assert_eq!(agreed(&[offer]), Some(AGREED_WINDOW));
    }

    #[test]
    fn an_offer_that_is_not_well_formed_or_needs_another_window_is_declined() {
        for offer in [
            "x-webkit-deflate-frame",
            "permessage-deflate; unknown",
            "permessage-deflate; unknown=1",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=08",
            "permessage-deflate; client_max_window_bits=",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=9",
            "permessage-deflate;",
        ] {
            assert_eq!(agreed(&[offer]), None, "{offer}");
        }
    }

    #[test]
    fn the_first_offer_that_can_be_met_is_taken() {
        let small = "permessage-deflate; server_max_window_bits=10";
        assert_eq!(agreed(&[small, "permessage-deflate"]), Some(AGREED));
    }
}
