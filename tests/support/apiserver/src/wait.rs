//! Waiting for what will be.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Generous: an API server starts slowly where much else is going on.
const LONGEST: Duration = Duration::from_mins(2);

/// Waits until `condition` holds, and fails after two minutes with what was waited for.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = timeout(LONGEST, wait).await;
    assert!(waited.is_ok(), "it never came to it that {what}");
}
