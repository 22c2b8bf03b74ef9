//! What a gateway tells a tracing backend: its real process, and a receiver of OTLP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

mod client;
mod collector;
mod gateway;
mod nats;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::{
    client::Client,
    collector::Collector,
    gateway::{Gateway, KEY},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn to(collector: &Collector) -> Value {
    json!({"otlpEndpoint": collector.url(), "podMonitor": false})
}

#[tokio::test]
async fn what_a_client_asks_for_is_told_with_what_it_led_to() {
    let collector = Collector::start().await;
    let backend = json!({"askOnConnect": true, "webhook": collector.webhook()});
    let spec = json!({"observability": to(&collector), "backend": backend});
    let gateway = Gateway::start(spec).await;
    let mut client = Client::enter(&gateway).await;
    client.must(json!({"op": "join", "room": "lobby"})).await;
    let message = json!({"op": "publish", "room": "lobby", "event": "hi", "data": 1});
    client.must(message).await;
    let refused = client.ask(json!({"op": "history", "room": "lobby"})).await;
    assert_eq!(refused["ok"], false);
    let nowhere = json!({"op": "join", "room": ""});
    assert_eq!(client.ask(nowhere).await["ok"], false);
    client
        .must(json!({"op": "emit", "event": "order", "data": 1}))
        .await;

    let connect = collector.span("connect").await;
    assert!(connect.parent_span_id.is_empty());
    assert_eq!(collector::text(&connect, "protocol"), "websocket");
    assert!(!collector::text(&connect, "session").is_empty());
    for name in ["authenticate", "backend connect"] {
        let child = collector.span(name).await;
        assert_eq!(child.parent_span_id, connect.span_id, "{name}");
        assert_eq!(child.trace_id, connect.trace_id, "{name}");
    }
    let join = collector.span("join").await;
    assert_eq!(collector::text(&join, "room"), "lobby");
    let publish = collector.span("publish").await;
    assert_eq!(collector::text(&publish, "event"), "hi");
    assert!(publish.parent_span_id.is_empty());
    let event = collector.span("event").await;
    let asked = collector.span("backend event").await;
    assert_eq!(asked.parent_span_id, event.span_id);

    for (kind, name) in [("connect", "backend connect"), ("event", "backend event")] {
        let span = collector.span(name).await;
        let expected = format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id));
        assert_eq!(collector.traceparent(kind), Some(expected));
    }
    assert_eq!(
        collector.resource("service.name").as_deref(),
        Some("sluice-gateway")
    );
    assert_eq!(
        collector.resource("service.instance.id").as_deref(),
        Some("under-test")
    );
}

#[tokio::test]
async fn a_trace_crosses_from_whoever_asks_the_server_api() {
    let collector = Collector::start().await;
    let gateway = Gateway::start(json!({"observability": to(&collector)})).await;
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    assert_eq!(gateway.publish(KEY, &traceparent).await, 200);
    let span = collector.span("api publish").await;
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), PARENT);
}

#[tokio::test]
async fn what_only_reads_is_told_where_it_belongs_to_a_trace() {
    let collector = Collector::start().await;
    let gateway = Gateway::start(json!({"observability": to(&collector)})).await;
    gateway.read(None).await;
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    gateway.read(Some(&traceparent)).await;
    gateway.terminate().await;
    assert_eq!(
        collector.names(),
        ["api sessions", "settle", "move", "release", "drain"]
    );
    let span = collector.span("api sessions").await;
    assert_eq!(hex(&span.parent_span_id), PARENT);
}

#[tokio::test]
async fn who_has_no_key_has_no_say_in_what_is_traced() {
    let collector = Collector::start().await;
    let gateway = Gateway::start(json!({"observability": to(&collector)})).await;
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    assert_eq!(gateway.publish("wrong", &traceparent).await, 401);
    let span = collector.span("api publish").await;
    assert_ne!(hex(&span.trace_id), TRACE);
    assert_eq!(collector::text(&span, "error.type"), "api_key_invalid");
    let status = span.status.unwrap();
    assert_eq!(status.code, 2);
}

#[tokio::test]
async fn a_drain_is_told_by_its_phases_before_the_process_ends() {
    let collector = Collector::start().await;
    let gateway = Gateway::start(json!({"observability": to(&collector)})).await;
    let _client = Client::enter(&gateway).await;
    gateway.terminate().await;
    let drain = collector.span("drain").await;
    assert_eq!(collector::text(&drain, "reason"), "shutdown");
    for phase in ["settle", "move", "release"] {
        let span = collector.span(phase).await;
        assert_eq!(span.parent_span_id, drain.span_id, "{phase}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_away_is_complained_of_once_and_its_spans_are_counted() {
    let nowhere = format!("http://127.0.0.1:{}", sluice_test_nats::free_port());
    let observability = json!({"otlpEndpoint": nowhere});
    let gateway = Gateway::start(json!({"observability": observability})).await;
    for _ in 0..3 {
        Client::enter(&gateway).await;
    }
    gateway
        .figure("sluice_spans_total{outcome=\"failed\"}", 6)
        .await;
    Client::enter(&gateway).await;
    gateway
        .figure("sluice_spans_total{outcome=\"failed\"}", 8)
        .await;
    assert_eq!(gateway.logged("spans cannot be sent"), 1);
    gateway.terminate().await;
}

#[tokio::test]
async fn however_much_there_is_to_do_so_many_traces_begin_within_a_second() {
    let collector = Collector::start().await;
    let limits = json!({"messagesPerSecond": 100_000});
    let spec = json!({"observability": to(&collector), "limits": limits});
    let gateway = Gateway::start(spec).await;
    let mut client = Client::enter(&gateway).await;
    let began = Instant::now();
    let message = json!({"op": "publish", "room": "lobby", "event": "hi", "data": 1});
    for _ in 0..2_000 {
        client.send(message.clone()).await;
    }
    client.must(message).await;
    let most = 100 * (began.elapsed().as_secs() + 2);
    gateway.terminate().await;
    let names = collector.names();
    let told = names.iter().filter(|name| *name == "publish").count();
    assert!((1..=most).contains(&(told as u64)), "{told} of {most}");
}

#[tokio::test]
async fn a_receiver_that_never_answers_does_not_hold_up_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let gateway = Gateway::start(json!({"observability": {"otlpEndpoint": url}})).await;
    Client::enter(&gateway).await;
    let began = Instant::now();
    gateway.terminate().await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(gateway.logged("the last spans were not sent"), 1);
}

#[tokio::test]
async fn without_an_endpoint_no_trace_is_begun_or_passed_on() {
    let collector = Collector::start().await;
    let backend = json!({"askOnConnect": true, "webhook": collector.webhook()});
    let gateway = Gateway::start(json!({"backend": backend})).await;
    Client::enter(&gateway).await;
    assert_eq!(collector.asked(), ["connect"]);
    assert_eq!(collector.traceparent("connect"), None);
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
