//! The table at the end of a run, as Markdown: a row a server, medians in the cells.

use std::fmt::Write as _;

use clap::ValueEnum;

use super::results::Results;
use super::server::Contender;
use crate::report::figure;

/// A column: its title, and the figures in its cells, with what stands behind each.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) cells: &'static [(&'static str, &'static str, &'static str)],
}

const THROUGHPUT: [Column; 8] = [
    Column {
        title: "KiB/conn at 10k / 18k / 18k TLS",
        cells: &[
            ("idle-10k", "kib_per_connection", ""),
            ("idle-18k", "kib_per_connection", ""),
            ("idle-tls", "kib_per_connection", ""),
        ],
    },
    Column {
        title: "accepts/s at 10k / 18k",
        cells: &[
            ("idle-10k", "accepts_per_second", ""),
            ("idle-18k", "accepts_per_second", ""),
        ],
    },
    Column {
        title: "fan-out W=1: CPU s/1M / per s",
        cells: &[
            ("fan-out-1", "server_cpu_seconds_per_million", ""),
            ("fan-out-1", "deliveries_per_second", ""),
        ],
    },
    Column {
        title: "W=16: CPU s/1M / per s",
        cells: &[
            ("fan-out-16", "server_cpu_seconds_per_million", ""),
            ("fan-out-16", "deliveries_per_second", ""),
        ],
    },
    Column {
        title: "20k/s: p50 / p99 ms",
        cells: &[
            ("open-20k", "delivery_p50_ms", ""),
            ("open-20k", "delivery_p99_ms", ""),
        ],
    },
    Column {
        title: "100k/s: p50 / p99 ms, achieved",
        cells: &[
            ("open-100k", "delivery_p50_ms", ""),
            ("open-100k", "delivery_p99_ms", ""),
            ("open-100k", "achieved_percent", " %"),
        ],
    },
    Column {
        title: "request: CPU s/1M / per s",
        cells: &[
            ("request", "server_cpu_seconds_per_million", ""),
            ("request", "replies_per_second", ""),
        ],
    },
    Column {
        title: "request: p50 / p99 ms",
        cells: &[
            ("request", "reply_p50_ms", ""),
            ("request", "reply_p99_ms", ""),
        ],
    },
];

const LIFE: [Column; 5] = [
    Column {
        title: "CPU while 18k are idle",
        cells: &[("idle-18k", "idle_cpu_percent", " %")],
    },
    Column {
        title: "others while all close: p99 before / during / max ms",
        cells: &[
            ("close-all", "before_p99_ms", ""),
            ("close-all", "during_p99_ms", ""),
            ("close-all", "during_max_ms", ""),
        ],
    },
    Column {
        title: "churn: KiB at the end less those after the first round",
        cells: &[("churn", "growth_after_first_round_kib", "")],
    },
    Column {
        title: "slow consumers: others' p99 without / with ms",
        cells: &[
            ("slow-consumers", "without_p99_ms", ""),
            ("slow-consumers", "with_p99_ms", ""),
        ],
    },
    Column {
        title: "memory grew KiB / ended",
        cells: &[
            ("slow-consumers", "peak_growth_kib", ""),
            ("slow-consumers", "stalled_ended_by_server", ""),
        ],
    },
];

/// The tables of this suite, and the runs that failed.
pub(crate) fn markdown(results: &Results) -> String {
    let contenders = Contender::value_variants().iter();
    let servers: Vec<&str> = contenders.map(|contender| contender.name()).collect();
    tables(results, &servers, &[&THROUGHPUT, &LIFE])
}

/// A table for each list of columns, with a row for each of `servers` that was run, and the runs
/// that failed.
pub(crate) fn tables(results: &Results, servers: &[&str], all: &[&[Column]]) -> String {
    let mut text = String::new();
    if results.quick {
        text.push_str("A quick run: it shows that all works; its figures mean little.\n\n");
    }
    for columns in all {
        text.push_str(&table(results, servers, columns));
        text.push('\n');
    }
    text.extend(noise(results));
    for failure in &results.failures {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "- failed: {} against {}, round {}: {}",
            failure.scenario, failure.server, failure.round, failure.reason
        );
    }
    text
}

fn table(results: &Results, servers: &[&str], columns: &[Column]) -> String {
    let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
    let mut text = format!("| server | {} |\n", titles.join(" | "));
    text.push_str(&"|---".repeat(columns.len() + 1));
    text.push_str("|\n");
    for server in servers.iter().filter(|server| ran(results, server)) {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| cell(results, server, column))
            .collect();
        let _ = writeln!(text, "| {server} | {} |", cells.join(" | "));
    }
    text
}

fn cell(results: &Results, server: &str, column: &Column) -> String {
    let one = |(scenario, metric, unit): &(&str, &str, &str)| {
        let value = results.median(scenario, server, metric);
        value.map_or("–".to_owned(), |value| format!("{}{unit}", figure(value)))
    };
    column.cells.iter().map(one).collect::<Vec<_>>().join(" / ")
}

fn ran(results: &Results, server: &str) -> bool {
    let mut scenarios = results.scenarios.values();
    scenarios.any(|servers| servers.contains_key(server))
}

/// A sentence on how far the figures can be trusted, when other processes took part of the cores.
fn noise(results: &Results) -> Option<String> {
    const NOTEWORTHY: f64 = 5.0;
    let figures = results
        .scenarios
        .values()
        .flat_map(|servers| servers.values());
    let rounds = figures.flat_map(|figures| &figures.rounds);
    let most = rounds
        .filter_map(|round| round.get("other_cpu_percent"))
        .fold(0.0, f64::max);
    (most > NOTEWORTHY).then(|| {
        let most = figure(most);
        format!("Other processes used up to {most} % of a core during a run: compare with care.\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Metrics, Report};
    use crate::suite::machine::Machine;

    #[test]
    fn a_row_has_the_medians_and_a_dash_for_what_was_not_run() {
        let mut results = Results::new(Machine::this(), false);
        let mut metrics = Metrics::default();
        metrics.set("server_cpu_seconds_per_million", 9.81);
        metrics.set("replies_per_second", 101_000.0);
        let settings = serde_json::Value::Null;
        let report = Report {
            scenario: "request".to_owned(),
            settings,
            metrics,
        };
        results.add("request", "socketioxide", &report);
        results.conclude();
        let text = markdown(&results);
        assert!(text.contains("| socketioxide | – / – / – |"), "{text}");
        assert!(text.contains("| 9.81 / 101.0k |"), "{text}");
    }
}
