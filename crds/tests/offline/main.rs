//! Documents that are read and checked without an API server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod defaults;
mod problems;
mod rules;
mod secrets;
mod together;

use sluice_crds::{Documents, Problem, Source, load};

/// The smallest cluster that is accepted.
const CLUSTER: &str = "
apiVersion: sluice.dev/v1alpha1
kind: RealtimeCluster
metadata: {name: chat}
spec: {auth: {required: false}}
";

fn read(text: &str) -> Result<Documents, Vec<Problem>> {
    load(&[Source {
        name: "chat.yaml",
        text,
    }])
}

/// The problems of a text, each as the line that people see.
fn problems(text: &str) -> Vec<String> {
    read(text)
        .expect_err("this should have been refused")
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// A cluster with the given fields in its spec, each on its own line.
fn cluster(fields: &[&str]) -> String {
    document("RealtimeCluster", "chat", fields)
}

/// A room of `chat` with the given fields in its spec, and the smallest cluster before it.
fn cluster_and_room(fields: &[&str]) -> String {
    let mut spec = vec!["clusterRef: {name: chat}"];
    spec.extend(fields);
    format!("{CLUSTER}---\n{}", document("Room", "support", &spec))
}

fn document(kind: &str, name: &str, fields: &[&str]) -> String {
    let spec = fields.join("\n  ");
    format!(
        "apiVersion: sluice.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n"
    )
}
