//! The gateway's configuration in a fleet: that of the other benchmarks, with NATS.

use std::path::Path;

use crate::error::LoadError;
use crate::suite::server::CONFIG;

/// Writes it to `file`, with the nats-server at `url`, and with a history for every room if that
/// is asked for.
pub(super) fn write(file: &Path, url: &str, history: bool) -> Result<(), LoadError> {
    let plain = std::fs::read_to_string(CONFIG).map_err(|source| LoadError::Read {
        path: CONFIG.into(),
        source,
    })?;
    std::fs::write(file, with_nats(&plain, url, history)).map_err(|source| LoadError::Write {
        path: file.to_owned(),
        source,
    })
}

fn with_nats(plain: &str, url: &str, history: bool) -> String {
    let nats = format!("nats: {{external: {{url: \"{url}\"}}}}");
    let fleet = plain
        .replacen("memory: {}", &nats, 1)
        .replacen("replicas: 1", "replicas: 3", 1);
    if !history {
        return fleet;
    }
    let room = "  match: \"*\"\n";
    let kept = format!("{room}  history: {{maxMessages: 1000, maxAge: 10m}}\n");
    fleet.replacen(room, &kept, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_crds::load::{Source, load};

    const PLAIN: &str = include_str!("../../../bench/sluice.yaml");

    #[test]
    fn the_configuration_of_a_fleet_is_valid_with_and_without_history() {
        for history in [false, true] {
            let text = with_nats(PLAIN, "nats://127.0.0.1:4222", history);
            let documents = load(&[Source {
                name: "sluice.yaml",
                text: &text,
            }])
            .unwrap();
            let backbone = documents.cluster.spec.backbone.as_ref().unwrap();
            let external = backbone.nats.as_ref().unwrap().external.as_ref().unwrap();
            assert_eq!(external.url, "nats://127.0.0.1:4222");
            let room = documents.rooms.first().unwrap();
            assert_eq!(room.spec.history.is_some(), history);
        }
    }
}
