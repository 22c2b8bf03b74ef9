//! More than the NATS servers take in one message.

use serde_json::{Value, json};
use sluice_test_nats::Settings;

use crate::{
    metrics::figure,
    native::Native,
    support::{fleet::with_fleet_on, kept},
};

/// What the servers take here: what goes between gateways fits well.
const TAKEN: usize = 64 * 1024;

fn code(answer: &Value) -> &Value {
    assert_eq!(answer["ok"], false, "{answer}");
    &answer["error"]["code"]
}

#[test]
fn what_nats_does_not_take_is_refused_at_once_and_delivered_to_nobody() {
    let settings = Settings::default().jetstream();
    let settings = settings.config(&format!("max_payload: {TAKEN}"));
    with_fleet_on(settings, async |fleet| {
        let documents = [fleet.cluster(json!({})), kept()];
        let a = fleet.gateway("a", &documents).await;
        let b = fleet.gateway("b", &documents).await;
        fleet.ready(&[&a, &b]).await;
        let (mut ann, _) = Native::enter(&a, "ann").await;
        let (mut bob, _) = Native::enter(&b, "bob").await;
        for room in ["kept-a", "plain"] {
            ann.must(json!({"op": "join", "room": room})).await;
            bob.must(json!({"op": "join", "room": room})).await;
        }
        let large = "x".repeat(TAKEN);
        for op in [
            json!({"op": "publish", "room": "kept-a"}),
            json!({"op": "publish", "room": "plain"}),
            json!({"op": "direct", "user": "bob"}),
        ] {
            let mut op = op;
            op["event"] = json!("m");
            op["data"] = json!(large);
            let answer = ann.ask(op.clone()).await;
            assert_eq!(code(&answer), "payload_too_large", "{}", op["op"]);
            op["data"] = json!("small");
            ann.must(op).await;
        }
        for _ in 0..3 {
            assert_eq!(bob.push("m").await["data"], "small");
        }
        let taken = figure(&a, "sluice_backbone_max_payload_bytes").await;
        assert_eq!(taken, TAKEN as u64);
    });
}
