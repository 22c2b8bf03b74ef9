//! Metrics.

use std::collections::BTreeMap;

use sluice_contract::{Metric, metrics::gateway};
use sluice_test_docs::{Page, pages, words};

use crate::{page, same};

/// A metric as pages write it: its name, and its labels in braces.
fn written(metric: &Metric) -> String {
    match metric.labels {
        [] => metric.name.to_owned(),
        labels => format!("{}{{{}}}", metric.name, labels.join(",")),
    }
}

/// Holds a page's table of metrics against a program's list.
fn described(path: &str, list: &[Metric]) {
    let table = page(path).table("type");
    // Rows without a type are headings within the table.
    let rows = table.rows().iter();
    let rows: Vec<_> = rows
        .filter(|row| !row.cell("type").text().is_empty())
        .collect();
    let listed = rows.iter().flat_map(|row| row.cell("name").words());
    same(path, "metric", listed, list.iter().map(written));
    let kinds = list.iter().map(|it| (written(it), it.kind.as_str()));
    let kinds: BTreeMap<_, _> = kinds.collect();
    for row in rows {
        for name in row.cell("name").words() {
            assert_eq!(row.cell("type").text(), kinds[&name], "{path}: {name}");
        }
    }
}

#[test]
fn a_gateways_metrics_are_described_with_their_labels_and_types() {
    described("docs/operations.md", gateway::ALL);
}

#[test]
fn the_operators_metrics_are_described_with_their_labels_and_types() {
    described("docs/operator.md", sluice_operator::METRICS);
}

#[test]
fn no_page_names_a_metric_that_is_not_there() {
    let known: Vec<_> = gateway::ALL
        .iter()
        .chain(sluice_operator::METRICS)
        .map(|it| it.name)
        .collect();
    for path in pages().unwrap() {
        let page = Page::read(&path).unwrap();
        for word in page.prose().flat_map(words) {
            let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = &word[..end.unwrap_or(word.len())];
            let is_metric = name.starts_with("sluice_") && name != "sluice_dev_cluster";
            assert!(
                !is_metric || known.contains(&name),
                "{} names {name}",
                path.display()
            );
        }
    }
}
