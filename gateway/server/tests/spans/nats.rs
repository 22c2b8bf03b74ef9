//! Traces that cross over NATS.

use async_nats::HeaderMap;
use futures_util::StreamExt as _;
use serde_json::json;
use sluice_test_nats::{Server, Settings, until};

use crate::{PARENT, TRACE, client::Client, collector::Collector, gateway::Gateway, hex, to};

#[tokio::test]
async fn a_trace_crosses_to_subscribers_and_from_those_who_ask_by_subject() {
    let server = Server::start(Settings::default().jetstream()).await;
    let collector = Collector::start().await;
    let gateway = Gateway::start(json!({
        "observability": to(&collector),
        "backbone": {"nats": {"external": {"url": server.url()}}},
        "backend": {"nats": {"timeout": "10s"}},
    }))
    .await;
    let nats = async_nats::connect(server.url()).await.unwrap();
    let mut events = nats.subscribe("sluice.default.test.up.>").await.unwrap();
    nats.flush().await.unwrap();
    let mut client = Client::enter(&gateway).await;
    let emit = json!({"op": "emit", "event": "order", "data": 1});
    let serve = async {
        let message = events.next().await.unwrap();
        let reply = message.reply.clone().unwrap();
        nats.publish(reply, r#"{"ok":true}"#.into()).await.unwrap();
        let headers = message.headers.unwrap();
        headers.get("traceparent").unwrap().to_string()
    };
    let (traceparent, _) = tokio::join!(serve, client.must(emit));
    let span = collector.span("backend event").await;
    let expected = format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id));
    assert_eq!(traceparent, expected);

    let mut headers = HeaderMap::new();
    headers.insert("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    until("the server API answers", async || {
        let publish = json!({"room": "lobby", "event": "hi", "data": 1}).to_string();
        let subject = "sluice.default.test.api.publish";
        let asked = nats.request_with_headers(subject, headers.clone(), publish.into());
        asked.await.is_ok()
    })
    .await;
    let span = collector.span("api publish").await;
    assert_eq!(hex(&span.parent_span_id), PARENT);
    gateway.terminate().await;
}
