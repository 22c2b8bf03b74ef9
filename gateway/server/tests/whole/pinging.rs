//! Asking whether the connection still carries anything.

use serde_json::json;

use crate::{
    native::Native,
    support::{cluster, with},
};

#[test]
fn a_ping_is_answered_with_nothing_but_its_id() {
    with(&[cluster(json!({}))], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        let answer = ann.ask(json!({"op": "ping"})).await;
        assert_eq!(answer, json!({"id": answer["id"], "ok": true}));
    });
}

#[test]
fn a_ping_is_no_way_to_connect() {
    with(&[cluster(json!({}))], async |gateway| {
        let mut nobody = Native::open(&gateway).await;
        let answer = nobody.ask(json!({"op": "ping"})).await;
        assert_eq!(answer["error"]["code"], "not_connected");
    });
}
