//! Spans: what a gateway tells a tracing backend of its work, by OTLP.
//!
//! A [`span!`] costs nothing but one look at a static until a subscriber has the layer of
//! [`Spans`]. Nothing of this is on the way of a message to a member, and spans that cannot be
//! sent are dropped and counted: tracing never holds up what it traces.
//!
//! ```
//! use sluice_spans::{TRACEPARENT, brief, failed, follow, headers, span};
//!
//! /// Works on a request, as a part of the trace that it came with.
//! fn publish(room: &str, traceparent: Option<&str>) -> Result<(), &'static str> {
//!     let span = span!("publish", room = brief(room));
//!     follow(&span, |name| traceparent.filter(|_| name == TRACEPARENT));
//!     let _entered = span.enter();
//!     // What is asked of others goes on in the same trace.
//!     let _headers = headers();
//!     failed(&span, "room_full");
//!     Err("room_full")
//! }
//!
//! assert_eq!(publish("lobby", None), Err("room_full"));
//! ```

mod exporter;
mod http;
mod limit;
mod parent;
mod queue;
mod spans;

pub use self::{
    parent::{Headers, NAMES, TRACEPARENT, follow, headers},
    spans::{Spans, SpansError},
};

/// The target of all spans, by which the logs leave them out.
pub const TARGET: &str = "sluice::spans";

/// The longest text of an attribute that clients choose, in bytes.
const LONGEST: usize = 256;

/// A span with a name and fields, as in `tracing::info_span!`. [`failed`] can be told of it.
#[macro_export]
macro_rules! span {
    ($name:literal $(, $($fields:tt)+)?) => {
        ::tracing::info_span!(
            target: $crate::TARGET,
            $name,
            "error.type" = ::tracing::field::Empty,
            "otel.status_code" = ::tracing::field::Empty
            $(, $($fields)+)?
        )
    };
}

/// Says that what a span is about was refused or went wrong, with a stable code.
pub fn failed(span: &tracing::Span, code: &str) {
    span.record("error.type", code);
    span.record("otel.status_code", "ERROR");
}

/// As much of a text as an attribute has.
pub fn brief(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let long = "ä".repeat(LONGEST);
        assert_eq!(brief(&long).len(), LONGEST);
        assert_eq!(brief(&format!("a{long}")).len(), LONGEST - 1);
        assert_eq!(brief("short"), "short");
    }
}
