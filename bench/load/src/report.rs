//! A run's result: JSON for tools, a line for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::process::Used;

/// Figures by name. Names end in their unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Metrics(pub(crate) BTreeMap<String, f64>);

impl Metrics {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: f64) {
        self.0.insert(name.into(), value);
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// What `count` deliveries or replies cost: a second, and a million.
    pub(crate) fn throughput(&mut self, what: &str, count: u64, used: &Used) {
        let count = count as f64;
        let millions = (count / 1e6).max(f64::MIN_POSITIVE);
        self.set(format!("{what}_per_second"), count / used.elapsed);
        self.set("server_cpu_seconds_per_million", used.server / millions);
        if let Some(broker) = used.broker {
            self.set("broker_cpu_seconds_per_million", broker / millions);
            let gateways = used.server - broker;
            self.set("gateway_cpu_seconds_per_million", gateways / millions);
        }
        self.set("generator_cpu_seconds_per_million", used.own / millions);
        self.set("server_cpu_percent", 100.0 * used.server / used.elapsed);
        self.set("generator_cpu_percent", 100.0 * used.own / used.elapsed);
        self.set("other_cpu_percent", 100.0 * used.others / used.elapsed);
    }
}

/// What a scenario was run with, and what came out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    pub(crate) settings: serde_json::Value,
    pub(crate) metrics: Metrics,
}

impl Report {
    /// Writes the JSON to `file` or to stdout, and the line to stderr.
    pub(crate) fn publish(&self, file: Option<&Path>) -> Result<(), LoadError> {
        eprintln!("{}", self.line());
        let json = serde_json::to_string_pretty(self).map_err(std::io::Error::from)?;
        let Some(path) = file else {
            println!("{json}");
            return Ok(());
        };
        std::fs::write(path, json).map_err(|source| LoadError::Write {
            path: path.to_owned(),
            source,
        })
    }

    fn line(&self) -> String {
        let mut line = format!("{}:", self.scenario);
        for (name, value) in &self.metrics.0 {
            // Writing to a String cannot fail.
            let _ = write!(line, " {}={}", name, figure(*value));
        }
        line
    }
}

/// A figure as people read it: three digits that matter, thousands apart.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2}M", value / 1e6),
        size if size >= 1e4 => format!("{:.1}k", value / 1e3),
        size if size >= 100.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_the_digits_that_matter() {
        let values = [2_113_000.0, 73_400.0, 431.2, 13.84, 0.315, 0.0];
        assert_eq!(
            values.map(figure),
            ["2.11M", "73.4k", "431", "13.8", "0.32", "0"]
        );
    }

    #[test]
    fn throughput_is_a_second_and_costs_are_a_million() {
        let mut metrics = Metrics::default();
        let used = Used {
            elapsed: 2.0,
            server: 1.0,
            broker: Some(0.4),
            own: 0.5,
            others: 0.1,
        };
        metrics.throughput("deliveries", 4_000_000, &used);
        assert_eq!(metrics.get("deliveries_per_second"), Some(2_000_000.0));
        assert_eq!(metrics.get("server_cpu_seconds_per_million"), Some(0.25));
        assert_eq!(metrics.get("broker_cpu_seconds_per_million"), Some(0.1));
        assert_eq!(metrics.get("gateway_cpu_seconds_per_million"), Some(0.15));
        assert_eq!(metrics.get("generator_cpu_percent"), Some(25.0));
    }
}
