use std::{sync::Arc, time::Duration};

use sluice_backend::{BackendError, webhook::Config};

use crate::backend::{SECRET, both, config, event, start, until, webhook};

#[tokio::test]
async fn a_new_secret_and_url_count_from_the_next_request_on() {
    let (old, webhook) = both().await;
    let webhook = Arc::new(webhook);
    let gate = old.hold();
    old.answer(200, r#"{"data":"old"}"#);
    let first = tokio::spawn({
        let webhook = Arc::clone(&webhook);
        async move { webhook.event(event()).await }
    });
    until(|| old.count() == 1).await;
    let (new, url) = start().await;
    let secret = "another-secret-of-the-tests";
    webhook.set_config(Config::new(&url, secret.as_bytes(), Duration::from_secs(30)).unwrap());
    new.answer(200, r#"{"data":"new"}"#);
    assert_eq!(webhook.event(event()).await.unwrap().data.get(), r#""new""#);
    gate.notify_one();
    assert_eq!(first.await.unwrap().unwrap().data.get(), r#""old""#);
    assert!(old.is_signed(0, SECRET) && new.is_signed(0, secret));
}

#[tokio::test]
async fn only_another_backend_begins_with_a_closed_circuit() {
    let (backend, url) = start().await;
    let mut failing = config(&url);
    failing.tries = 1;
    failing.circuit.consecutive = 1;
    failing.circuit.open = Duration::from_hours(1);
    let (webhook, _) = webhook(failing.clone());
    backend.answer(500, "");
    webhook.event(event()).await.unwrap_err();
    webhook.set_config(failing);
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::CircuitOpen
    );
    let (_other, url) = start().await;
    webhook.set_config(config(&url));
    webhook.event(event()).await.unwrap();
}
