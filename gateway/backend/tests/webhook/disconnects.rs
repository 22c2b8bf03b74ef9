use std::time::Duration;

use serde_json::Value;
use sluice_backend::Disconnected;
use sluice_rooms::Pid;

use crate::backend::{both, config, metrics, start, until, webhook};

const LONG: Duration = Duration::from_mins(1);

fn gone(user: &str) -> Disconnected {
    Disconnected {
        namespace: "/".into(),
        user: user.into(),
        session: Pid::random().session(),
        session_data: None,
        reason: "transport_closed".into(),
        time: 1_700_000_000_000,
    }
}

fn users(body: &Value) -> Vec<&str> {
    body["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["user"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn sessions_that_end_together_are_told_of_together() {
    let (backend, webhook) = both().await;
    let gate = backend.hold();
    webhook.disconnected(gone("first"));
    until(|| backend.count() == 1).await;
    for user in ["ann", "bob", "cid"] {
        webhook.disconnected(gone(user));
    }
    backend.gate.lock().unwrap().take();
    gate.notify_one();
    assert!(webhook.finish(LONG).await);
    let bodies = backend.bodies();
    assert_eq!(
        (users(&bodies[0]), users(&bodies[1])),
        (vec!["first"], vec!["ann", "bob", "cid"])
    );
    assert_eq!(
        (&bodies[1]["type"], &bodies[1]["dropped"]),
        (&"disconnected".into(), &0.into())
    );
    assert_eq!(bodies[1]["sessions"][0]["reason"], "transport_closed");
}

#[tokio::test]
async fn a_full_queue_forgets_its_oldest_and_says_so() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    config.disconnects = 2;
    let (webhook, registry) = webhook(config);
    let gate = backend.hold();
    webhook.disconnected(gone("first"));
    until(|| backend.count() == 1).await;
    for user in ["ann", "bob", "cid", "dan"] {
        webhook.disconnected(gone(user));
    }
    backend.gate.lock().unwrap().take();
    gate.notify_one();
    assert!(webhook.finish(LONG).await);
    let bodies = backend.bodies();
    assert_eq!(
        (users(&bodies[1]), &bodies[1]["dropped"]),
        (vec!["cid", "dan"], &2.into())
    );
    assert!(metrics(&registry).contains("sluice_webhook_disconnects_dropped_total 2"));
}

#[tokio::test]
async fn a_batch_is_told_again_under_the_same_delivery_until_it_is_taken() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    config.tries = 1;
    let (webhook, _) = webhook(config);
    backend.answer(500, "");
    webhook.disconnected(gone("ann"));
    assert!(webhook.finish(LONG).await);
    assert_eq!(backend.count(), 2);
    assert_eq!(
        backend.header(0, "sluice-delivery"),
        backend.header(1, "sluice-delivery")
    );
}

#[tokio::test]
async fn a_batch_that_is_refused_is_given_up() {
    let (backend, url) = start().await;
    let (webhook, registry) = webhook(config(&url));
    backend.answer(404, "");
    webhook.disconnected(gone("ann"));
    assert!(webhook.finish(LONG).await);
    assert_eq!(backend.count(), 1);
    assert!(metrics(&registry).contains("sluice_webhook_disconnects_dropped_total 1"));
}

#[tokio::test]
async fn finishing_has_a_bound() {
    let (backend, webhook) = both().await;
    let _gate = backend.hold();
    webhook.disconnected(gone("ann"));
    assert!(!webhook.finish(Duration::from_millis(10)).await);
}
