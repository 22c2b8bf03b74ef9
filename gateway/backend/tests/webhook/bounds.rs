use std::{sync::Arc, time::Duration};

use sluice_backend::BackendError;

use crate::backend::{config, event, metrics, start, until, webhook};

#[tokio::test]
async fn more_events_than_allowed_at_once_are_refused() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    config.concurrency = 1;
    let webhook = Arc::new(webhook(config).0);
    let gate = backend.hold();
    let first = tokio::spawn({
        let webhook = Arc::clone(&webhook);
        async move { webhook.event(event()).await }
    });
    until(|| backend.count() == 1).await;
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::Overloaded
    );
    backend.gate.lock().unwrap().take();
    gate.notify_one();
    first.await.unwrap().unwrap();
    webhook.event(event()).await.unwrap();
}

#[tokio::test]
async fn a_backend_that_keeps_failing_is_left_alone_and_then_probed() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    config.tries = 1;
    (config.circuit.consecutive, config.circuit.open) = (2, Duration::from_secs(1));
    let (webhook, registry) = webhook(config);
    for _ in 0..2 {
        backend.answer(500, "");
        assert_eq!(
            webhook.event(event()).await.unwrap_err(),
            BackendError::Failed(500)
        );
    }
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::CircuitOpen
    );
    assert_eq!(backend.count(), 2);
    assert!(metrics(&registry).contains("sluice_webhook_circuit_open 1"));
    while webhook.event(event()).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(backend.count(), 3);
    assert!(metrics(&registry).contains("sluice_webhook_circuit_open 0"));
}

#[tokio::test]
async fn refusals_do_not_open_the_circuit() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    config.circuit.consecutive = 2;
    let (webhook, _) = webhook(config);
    for _ in 0..5 {
        backend.answer(403, "");
        assert_eq!(
            webhook.event(event()).await.unwrap_err().code().as_str(),
            "backend_refused"
        );
    }
}

#[tokio::test]
async fn an_event_is_delivered_even_if_its_caller_is_gone() {
    let (backend, url) = start().await;
    let (webhook, registry) = webhook(config(&url));
    let gate = backend.hold();
    let asked = async { webhook.event(event()).await };
    tokio::select! {
        _ = asked => panic!("answered"),
        () = until(|| backend.count() == 1) => {}
    }
    assert!(metrics(&registry).contains("sluice_webhook_requests_in_flight 1"));
    gate.notify_one();
    until(|| metrics(&registry).contains("sluice_webhook_requests_in_flight 0")).await;
}
