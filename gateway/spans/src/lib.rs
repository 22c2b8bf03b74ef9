//! Spans: what a gateway tells a tracing backend of its work, by OTLP.
//!
//! A [`span!`] costs nothing but one look at a static until a subscriber has the layer of
//! [`Spans`]. Nothing of this is on the way of a message to a member.

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
