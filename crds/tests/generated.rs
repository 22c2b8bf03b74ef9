//! The YAML in the repository is what the types say.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use sluice_crds::{RealtimeCluster, Room, definition_yaml};

fn assert_in_step(file: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("yaml")
        .join(file);
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "crds/yaml/{file} is not what the types say; run: cargo run -p sluice-crds --example generate"
    );
}

#[test]
fn the_yaml_of_realtime_clusters_is_in_step_with_the_types() {
    assert_in_step(
        "realtimeclusters.yaml",
        &definition_yaml::<RealtimeCluster>().unwrap(),
    );
}

#[test]
fn the_yaml_of_rooms_is_in_step_with_the_types() {
    assert_in_step("rooms.yaml", &definition_yaml::<Room>().unwrap());
}
