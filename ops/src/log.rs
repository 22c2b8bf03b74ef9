//! Logging.

mod escaped;

use clap::ValueEnum;
use sluice_spans::{Spans, TARGET};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt as _, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error, and sending spans where there are any. `filter` is in the form
/// of `tracing`'s `EnvFilter`. To be called once.
///
/// # Errors
/// Where the filter cannot be understood; says what would be.
pub fn start(format: Format, filter: &str, spans: Option<&Spans>) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|e| format!("the log filter {filter:?} is not understood: {e}; try info"))?;
    // Lines are the same whether there are spans around them or not.
    let level = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let no_span = filter_fn(|metadata| metadata.target() != TARGET).with_max_level_hint(level);
    let filter = filter.and(no_span);
    let logs = fmt::layer().with_writer(std::io::stderr);
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![match format {
        Format::Text => logs
            .with_target(false)
            .fmt_fields(escaped::fields())
            .with_filter(filter)
            .boxed(),
        Format::Json => logs.json().flatten_event(true).with_filter(filter).boxed(),
    }];
    layers.extend(spans.map(|spans| spans.layer().boxed()));
    tracing_subscriber::registry().with(layers).init();
    Ok(())
}
