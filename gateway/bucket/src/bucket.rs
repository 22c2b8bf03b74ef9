//! The bucket itself.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    kv::{Config, Store},
};

use crate::{BucketError, Connection};

/// How many servers keep an entry, where they are a cluster.
const REPLICAS: usize = 3;
/// How long it is remembered that an entry went by itself. It turns entries' times on.
const MARKERS: Duration = Duration::from_mins(1);

/// The bucket, which is made unless it is there.
pub(crate) async fn open(connection: &Connection) -> Result<Store, BucketError> {
    if !connection.is_connected() {
        return Err(BucketError::Unavailable(
            "there is no connection".to_owned(),
        ));
    }
    let context = jetstream::new(connection.client().clone());
    let bucket = connection.names().bucket();
    if let Ok(store) = context.get_key_value(&bucket).await {
        return Ok(store);
    }
    // A server by itself has nobody to copy to.
    let clustered = connection.client().server_info().cluster.is_some();
    let config = |num_replicas| Config {
        bucket: bucket.clone(),
        description: "Policy and revocations of a Sluice cluster".to_owned(),
        history: 1,
        num_replicas,
        limit_markers: Some(MARKERS),
        ..Config::default()
    };
    let made = match context
        .create_key_value(config(if clustered { REPLICAS } else { 1 }))
        .await
    {
        // A cluster of fewer servers.
        Err(_) if clustered => context.create_key_value(config(1)).await,
        other => other,
    };
    made.map_err(|error| BucketError::Bucket {
        bucket: bucket.clone(),
        why: error.to_string(),
    })
}
