//! Waiting for what will be.

use std::time::Duration;

use tokio::time::{sleep, timeout};

const LONGEST: Duration = Duration::from_secs(30);

/// Waits until `condition` holds, and fails after half a minute with what was waited for.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = timeout(LONGEST, wait).await;
    assert!(waited.is_ok(), "it never came to it that {what}");
}
