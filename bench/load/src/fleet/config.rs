//! The gateway's configuration in a fleet: that of the other benchmarks, with NATS.

use std::path::Path;

use crate::error::LoadError;
use crate::suite::server::CONFIG;

/// Writes it to `file` for clients that move: with a history for every room, and with sessions that
/// outlast the longest drain.
pub(crate) fn write_for_moves(file: &Path, url: &str) -> Result<(), LoadError> {
    put(file, &for_moves(&read()?, url))
}

fn for_moves(plain: &str, url: &str) -> String {
    with_nats(plain, url, true).replacen("window: 10s", "window: 2m", 1)
}

/// Writes it to `file`, with the nats-server at `url`, and with a history for every room if that
/// is asked for.
pub(super) fn write(file: &Path, url: &str, history: bool) -> Result<(), LoadError> {
    put(file, &with_nats(&read()?, url, history))
}

fn read() -> Result<String, LoadError> {
    std::fs::read_to_string(CONFIG).map_err(|source| LoadError::Read {
        path: CONFIG.into(),
        source,
    })
}

fn put(file: &Path, text: &str) -> Result<(), LoadError> {
    std::fs::write(file, text).map_err(|source| LoadError::Write {
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

    const PLAIN: &str = include_str!("../../../sluice.yaml");

    #[test]
    fn sessions_outlast_a_drain_where_clients_move() {
        let text = for_moves(PLAIN, "nats://127.0.0.1:4222");
        let source = Source {
            name: "sluice.yaml",
            text: &text,
        };
        let window = load(&[source]).unwrap().cluster.spec.recovery.window;
        assert_eq!(std::time::Duration::from(window).as_secs(), 120);
    }

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
