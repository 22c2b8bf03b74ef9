use serde_json::json;
use sluice_backend::{BackendError, Refusal};

use crate::backend::{SECRET, both, config, event, metrics, start, webhook};

#[tokio::test]
async fn an_event_is_posted_and_its_answer_returned() {
    let (backend, webhook) = both().await;
    backend.answer(200, r#"{"data":{"total":3}}"#);
    let mut request = event();
    request.attachments = vec![vec![1, 2].into()];
    let session = request.session;
    let answer = webhook.event(request).await.unwrap();
    assert_eq!(answer.data.get(), r#"{"total":3}"#);
    let expected = json!({
        "type": "event", "namespace": "/", "event": "order", "user": "ann",
        "session": session, "data": {"item": 7}, "attachments": ["AQI="], "ack": true,
    });
    assert_eq!(backend.bodies(), [expected]);
    assert_eq!(backend.header(0, "content-type"), "application/json");
}

#[tokio::test]
async fn a_request_is_signed_over_its_time_and_body() {
    let (backend, webhook) = both().await;
    webhook.event(event()).await.unwrap();
    assert!(backend.is_signed(0, SECRET));
    assert!(!backend.is_signed(0, "another-secret"));
}

#[tokio::test]
async fn an_empty_answer_is_null() {
    let (backend, webhook) = both().await;
    backend.answer(204, "");
    assert_eq!(webhook.event(event()).await.unwrap().data.get(), "null");
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_ignored() {
    let (backend, webhook) = both().await;
    backend.answer(200, "thanks");
    let mut request = event();
    request.ack_expected = false;
    assert_eq!(webhook.event(request).await.unwrap().data.get(), "null");
}

#[tokio::test]
async fn a_refusal_passes_the_backends_own_code_through() {
    let (backend, webhook) = both().await;
    backend.answer(
        409,
        r#"{"error":{"code":"sold_out","message":"Nothing is left."}}"#,
    );
    let error = webhook.event(event()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "backend_refused");
    assert_eq!(
        error,
        BackendError::Refused {
            status: Some(409),
            own: Some(Box::new(Refusal {
                code: "sold_out".into(),
                message: "Nothing is left.".into(),
                data: None,
            }))
        }
    );
    backend.answer(404, "<html>");
    let error = webhook.event(event()).await.unwrap_err();
    assert_eq!(
        error,
        BackendError::Refused {
            status: Some(404),
            own: None
        }
    );
    assert_eq!(error.code().as_str(), "backend_refused");
    assert_eq!(backend.count(), 2);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_tried_again() {
    let (backend, webhook) = both().await;
    for (status, body) in [(200, "OK"), (200, r#"{"total":3}"#), (302, "")] {
        backend.answer(status, body);
        assert_eq!(
            webhook.event(event()).await.unwrap_err().code().as_str(),
            "backend_answer_invalid"
        );
    }
    assert_eq!(backend.count(), 3);
}

#[tokio::test]
async fn an_answer_has_a_bound() {
    let (backend, url) = start().await;
    let mut config = config(&url);
    config.answer_bytes = 20;
    let (webhook, _) = webhook(config);
    backend.answer(200, format!(r#"{{"data":"{}"}}"#, "x".repeat(20)));
    let error = webhook.event(event()).await.unwrap_err();
    assert_eq!(
        error,
        BackendError::AnswerInvalid("it is larger than 20 bytes".to_owned())
    );
}

#[tokio::test]
async fn requests_are_counted_by_kind_and_outcome() {
    let (backend, url) = start().await;
    let (webhook, registry) = webhook(config(&url));
    webhook.event(event()).await.unwrap();
    backend.answer(400, "");
    webhook.event(event()).await.unwrap_err();
    let metrics = metrics(&registry);
    for line in [
        r#"sluice_webhook_requests_total{kind="event",outcome="ok"} 1"#,
        r#"sluice_webhook_requests_total{kind="event",outcome="backend_refused"} 1"#,
        r#"sluice_webhook_request_duration_seconds_count{kind="event"} 2"#,
        "sluice_webhook_tries_total 2",
        "sluice_webhook_requests_in_flight 0",
        "sluice_webhook_circuit_open 0",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}
