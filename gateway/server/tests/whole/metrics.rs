//! Reading the gateway's metrics.

use std::collections::BTreeMap;

use serde_json::json;
use sluice_contract::metrics;

use crate::{
    native::Native,
    support::{Gateway, cluster, kept, with},
};

/// All figures, by name with labels.
pub(crate) async fn scrape(gateway: &Gateway) -> BTreeMap<String, f64> {
    let url = format!("http://{}/metrics", gateway.embedded.ops());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let figures = text.lines().filter(|line| !line.starts_with('#'));
    figures
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect(line);
            (name.to_owned(), value.parse().expect(line))
        })
        .collect()
}

/// One figure, zero where it is not there.
pub(crate) async fn figure(gateway: &Gateway, name: &str) -> u64 {
    let value = scrape(gateway).await.get(name).copied().unwrap_or_default();
    assert!((0.0..1e15).contains(&value), "{name} is {value}");
    format!("{value:.0}").parse().unwrap()
}

/// How often something was refused with this code.
pub(crate) async fn refused(gateway: &Gateway, code: &str) -> u64 {
    figure(gateway, &format!("sluice_errors_total{{code=\"{code}\"}}")).await
}

#[test]
fn every_metric_is_described_and_counts_what_was_done() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "kept-a"})).await;
        ann.publish("kept-a", 1).await;
        ann.data(1).await;

        let url = format!("http://{}/metrics", gateway.embedded.ops());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name: String = line
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .filter(|base| text.contains(&format!("# TYPE {base} histogram")))
                .unwrap_or(&name);
            assert!(text.contains(&format!("# HELP {base} ")), "{name}");
            let listed = metrics::gateway::ALL.iter().find(|it| it.name == base);
            let listed = listed.unwrap_or_else(|| panic!("{base} is not in the list"));
            let kind = listed.kind.as_str();
            assert!(text.contains(&format!("# TYPE {base} {kind}\n")), "{base}");
        }
        assert_eq!(figure(&gateway, "sluice_messages_published_total").await, 1);
        assert_eq!(figure(&gateway, "sluice_messages_delivered_total").await, 1);
        assert_eq!(figure(&gateway, "sluice_connections").await, 1);
        let accepted = "sluice_auth_total{outcome=\"accepted\"}";
        assert_eq!(figure(&gateway, accepted).await, 1);
    });
}
