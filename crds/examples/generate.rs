//! Writes the YAML of the custom resources to `crds/yaml`. Run it after a change of the types:
//! `cargo run -p sluice-crds --example generate`.

use std::error::Error;
use std::path::Path;

use sluice_crds::{RealtimeCluster, Room, definition_yaml};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("yaml");
    std::fs::write(
        directory.join("realtimeclusters.yaml"),
        definition_yaml::<RealtimeCluster>()?,
    )?;
    std::fs::write(directory.join("rooms.yaml"), definition_yaml::<Room>()?)?;
    Ok(())
}
