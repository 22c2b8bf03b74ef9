//! What the operator writes.

use sluice_operator::Kind;

/// The kinds that the operator writes, in the plural.
pub(crate) fn written() -> Vec<&'static str> {
    let others = [Kind::RealtimeCluster, Kind::Room, Kind::Pod];
    let kinds = Kind::MADE.into_iter().chain(others).map(Kind::plural);
    kinds.chain(["events"]).collect()
}
