use std::time::{Duration, Instant};

use sluice_backend::BackendError;
use tokio::net::TcpListener;

use crate::backend::{Scripted, both, config, event, start, webhook};

#[tokio::test]
async fn a_failing_backend_is_asked_again_under_the_same_delivery() {
    let (backend, webhook) = both().await;
    backend.answer(500, "");
    backend.answer(503, "");
    backend.answer(200, r#"{"data":1}"#);
    assert_eq!(webhook.event(event()).await.unwrap().data.get(), "1");
    let deliveries: Vec<_> = (0..3)
        .map(|n| backend.header(n, "sluice-delivery"))
        .collect();
    assert!(deliveries[0] == deliveries[1] && deliveries[1] == deliveries[2]);
    webhook.event(event()).await.unwrap();
    assert_ne!(backend.header(3, "sluice-delivery"), deliveries[0]);
}

#[tokio::test]
async fn tries_are_bounded() {
    let (backend, webhook) = both().await;
    for _ in 0..9 {
        backend.answer(502, "");
    }
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::Failed(502)
    );
    assert_eq!(backend.count(), 4);
}

#[tokio::test]
async fn a_backend_that_asks_for_more_time_gets_it() {
    let (backend, webhook) = both().await;
    backend.script(Scripted {
        status: 429,
        retry_after: Some("1"),
        body: String::new(),
    });
    let started = Instant::now();
    webhook.event(event()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(backend.count(), 2);
}

#[tokio::test]
async fn more_time_than_there_is_ends_the_request_at_once() {
    let (backend, webhook) = both().await;
    backend.script(Scripted {
        status: 429,
        retry_after: Some("3600"),
        body: String::new(),
    });
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::Overloaded
    );
    assert_eq!(backend.count(), 1);
}

#[tokio::test]
async fn a_backend_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (webhook, _) = webhook(config(&url));
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::Unreachable
    );
}

#[tokio::test]
async fn a_try_that_takes_too_long_is_made_again_until_time_is_up() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    (config.timeout, config.try_timeout) = (Duration::from_secs(30), Duration::from_millis(100));
    let (webhook, _) = webhook(config);
    let _gate = backend.hold();
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::Timeout
    );
    assert!((2..=4).contains(&backend.count()));
}

#[tokio::test]
async fn all_tries_together_have_a_deadline() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    (config.timeout, config.try_timeout) = (Duration::from_millis(50), Duration::from_secs(30));
    let (webhook, _) = webhook(config);
    let _gate = backend.hold();
    assert_eq!(
        webhook.event(event()).await.unwrap_err(),
        BackendError::Timeout
    );
    assert!(backend.count() <= 1);
}
