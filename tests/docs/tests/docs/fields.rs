//! The fields of the custom resources.

use std::collections::BTreeSet;

use kube::CustomResourceExt;
use serde_json::Value;
use sluice_crds::{RealtimeCluster, Room};

use crate::page;

const PAGE: &str = "docs/configuration.md";

/// Fields that hold what a Pod has, which Kubernetes describes.
const OF_A_POD: [&str; 5] = [
    "affinity",
    "imagePullSecrets",
    "resources",
    "tolerations",
    "topologySpreadConstraints",
];

/// The names of the fields below a schema, but not those inside what a Pod has.
fn names(schema: &Value, found: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name.clone());
        if !OF_A_POD.contains(&name.as_str()) {
            names(field, found);
        }
    }
    for below in ["items", "additionalProperties"] {
        if schema[below].is_object() {
            names(&schema[below], found);
        }
    }
}

fn fields<R: CustomResourceExt>() -> BTreeSet<String> {
    let definition = serde_json::to_value(R::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut found = BTreeSet::new();
    names(&schema["properties"]["spec"], &mut found);
    assert!(found.len() > 10, "{found:?}");
    found
}

#[test]
fn every_field_of_the_resources_is_described() {
    let page = page(PAGE);
    let words: BTreeSet<_> = page
        .text()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .collect();
    for (kind, fields) in [
        ("RealtimeCluster", fields::<RealtimeCluster>()),
        ("Room", fields::<Room>()),
    ] {
        let lacks: Vec<_> = fields
            .iter()
            .filter(|name| !words.contains(name.as_str()))
            .collect();
        assert!(
            lacks.is_empty(),
            "{PAGE} lacks fields of {kind}; describe them there: {lacks:?}"
        );
    }
}

#[test]
fn the_tables_of_fields_name_none_that_is_not_there() {
    let mut known = fields::<RealtimeCluster>();
    known.extend(fields::<Room>());
    let page = page(PAGE);
    for column in ["field", "changed"] {
        let tables = page.tables_with(column);
        assert!(!tables.is_empty(), "{PAGE} has no table of each {column}");
        for word in tables.iter().flat_map(|table| table.column(column).words()) {
            let is_path = word.starts_with(|c: char| c.is_ascii_lowercase());
            for name in word.split('.').filter(|_| is_path) {
                assert!(
                    known.contains(name),
                    "{PAGE} lists {word}, which is no field"
                );
            }
        }
    }
}
