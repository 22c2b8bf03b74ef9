//! The wire version that a cluster's bucket says is finalised.

use std::time::{Duration, Instant};

use sluice_bucket::{BucketError, Connection};
use sluice_contract::WireVersion;

/// How long the bucket is taken for what it was: NATS may be put back in time.
const SURE: Duration = Duration::from_mins(1);

/// What the bucket holds, as it was last seen.
#[derive(Default)]
pub(super) struct Finalised {
    seen: Option<(Instant, Option<WireVersion>)>,
}

impl Finalised {
    /// Has the bucket say at least `wanted`, if that is any, and returns what it says.
    pub(super) async fn keep(
        &mut self,
        connection: &Connection,
        wanted: Option<WireVersion>,
    ) -> Result<Option<WireVersion>, BucketError> {
        let sure = self.seen.filter(|(at, _)| at.elapsed() < SURE);
        if let Some((_, there)) = sure.filter(|(_, there)| *there >= wanted) {
            return Ok(there);
        }
        let there = match wanted {
            Some(wanted) => Some(connection.finalise(wanted).await?),
            None => connection.finalised().await?,
        };
        self.seen = Some((Instant::now(), there));
        Ok(there)
    }
}
