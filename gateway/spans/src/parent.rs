//! Traces that cross from one program to the next (W3C Trace Context).

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header by which a trace crosses.
pub const TRACEPARENT: &str = "traceparent";

/// All headers by which it does.
pub const NAMES: [&str; 2] = [TRACEPARENT, "tracestate"];

/// Names and values of headers.
pub type Headers = Vec<(&'static str, String)>;

/// What to send along with a request, so that the work on it belongs to the current span. Empty
/// where there is none.
pub fn headers() -> Headers {
    let current = Span::current();
    if current.is_disabled() {
        return Vec::new();
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&current.context(), &mut carrier);
    let value = |name| carrier.remove(name).filter(|value| !value.is_empty());
    let mut value = value;
    NAMES
        .into_iter()
        .filter_map(|name| Some((name, value(name)?)))
        .collect()
}

/// Makes a span, which was not entered yet, part of the trace that came with a request, if any.
pub fn follow<'a>(span: &Span, header: impl Fn(&str) -> Option<&'a str>) {
    if span.is_disabled() {
        return;
    }
    let found = |name: &str| Some((name.to_owned(), header(name)?.to_owned()));
    let carrier: HashMap<_, _> = NAMES.into_iter().filter_map(found).collect();
    if !carrier.is_empty() {
        // Fails only where the span is in no trace.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
    }
}
