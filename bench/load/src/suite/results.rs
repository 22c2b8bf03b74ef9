//! The result file: every round's figures, their medians, and the rivals' ratios to the gateway.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use crate::error::LoadError;
use crate::report::{Metrics, Report};

/// The version of the file's shape.
const FORMAT: u32 = 1;
/// The server that all others are compared with.
const REFERENCE: &str = "sluice";

/// A run of the suite.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) format: u32,
    /// When it began: date and minute, UTC, as the file's name has it.
    pub(crate) started: String,
    /// Whether it was a quick run, whose figures mean little.
    pub(crate) quick: bool,
    pub(crate) machine: Machine,
    /// By scenario, then by server.
    pub(crate) scenarios: BTreeMap<String, BTreeMap<String, Figures>>,
    pub(crate) failures: Vec<Failure>,
}

/// One server in one scenario.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) settings: serde_json::Value,
    pub(crate) rounds: Vec<Metrics>,
    pub(crate) medians: Metrics,
    /// This server's medians divided by the gateway's.
    pub(crate) ratios: Metrics,
}

/// A run that gave no figures.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) scenario: String,
    pub(crate) server: String,
    pub(crate) round: u32,
    pub(crate) reason: String,
}

impl Results {
    pub(crate) fn new(machine: Machine, quick: bool) -> Self {
        Self {
            format: FORMAT,
            started: Timestamp::now().strftime("%Y-%m-%dT%H%MZ").to_string(),
            quick,
            machine,
            scenarios: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn read(path: &Path) -> Result<Self, LoadError> {
        let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_str(&text).map_err(|source| LoadError::Format {
            path: path.to_owned(),
            source,
        })
    }

    pub(crate) fn add(&mut self, scenario: &str, server: &str, report: &Report) {
        let servers = self.scenarios.entry(scenario.to_owned()).or_default();
        let figures = servers.entry(server.to_owned()).or_default();
        figures.settings.clone_from(&report.settings);
        figures.rounds.push(report.metrics.clone());
    }

    pub(crate) fn fail(&mut self, scenario: &str, server: &str, round: u32, error: &LoadError) {
        self.failures.push(Failure {
            scenario: scenario.to_owned(),
            server: server.to_owned(),
            round,
            reason: error.to_string(),
        });
    }

    /// Works out medians and ratios, once all rounds are in.
    pub(crate) fn conclude(&mut self) {
        for servers in self.scenarios.values_mut() {
            for figures in servers.values_mut() {
                figures.medians = medians(&figures.rounds);
            }
            let reference = servers
                .get(REFERENCE)
                .map(|figures| figures.medians.clone());
            for figures in servers.values_mut() {
                let reference = reference.clone().unwrap_or_default();
                figures.ratios = ratios(&figures.medians, &reference);
            }
        }
    }

    /// A median, if that scenario was run against that server.
    pub(crate) fn median(&self, scenario: &str, server: &str, metric: &str) -> Option<f64> {
        self.scenarios
            .get(scenario)?
            .get(server)?
            .medians
            .get(metric)
    }
}

fn medians(rounds: &[Metrics]) -> Metrics {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, value) in rounds.iter().flat_map(|round| &round.0) {
        values.entry(name).or_default().push(*value);
    }
    let median = |(name, values): (&str, Vec<f64>)| Some((name.to_owned(), median(values)?));
    Metrics(values.into_iter().filter_map(median).collect())
}

/// The middle value; of an even number, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*values.get(middle.checked_sub(1)?)?, upper))
}

fn ratios(medians: &Metrics, reference: &Metrics) -> Metrics {
    let ratio = |(name, value): (&String, &f64)| {
        let reference = reference.get(name).filter(|reference| *reference != 0.0)?;
        Some((name.clone(), value / reference))
    };
    Metrics(medians.0.iter().filter_map(ratio).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(value: f64) -> Report {
        let mut metrics = Metrics::default();
        metrics.set("replies_per_second", value);
        Report {
            scenario: "request".to_owned(),
            settings: serde_json::Value::Null,
            metrics,
        }
    }

    #[test]
    fn medians_and_ratios_come_from_all_rounds() {
        let mut results = Results::new(Machine::this(), false);
        for value in [90.0, 100.0, 500.0] {
            results.add("request", "sluice", &report(value));
        }
        for value in [40.0, 60.0] {
            results.add("request", "socket.io", &report(value));
        }
        results.conclude();
        let median = |server| results.median("request", server, "replies_per_second");
        assert_eq!(median("sluice"), Some(100.0));
        assert_eq!(median("socket.io"), Some(50.0));
        let rival = &results.scenarios["request"]["socket.io"];
        assert_eq!(rival.ratios.get("replies_per_second"), Some(0.5));
    }

    #[test]
    fn without_the_gateway_there_are_no_ratios() {
        let mut results = Results::new(Machine::this(), false);
        results.add("request", "socket.io", &report(1.0));
        results.conclude();
        assert_eq!(
            results.scenarios["request"]["socket.io"].ratios,
            Metrics::default()
        );
    }
}
