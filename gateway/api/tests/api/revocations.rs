use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use sluice_backbone::{Command, Target};

use crate::harness::{assert_refused, start};

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[tokio::test]
async fn a_users_tokens_are_revoked_up_to_now() {
    let api = start().await;
    api.session("ann");
    let before = now();
    let (_, body) = api.post("/v1/revocations", json!({"user": "ann"})).await;
    assert_eq!(body, json!({"ok": true, "sessions": 1}));
    let (target, issued, until) = api.policy.revoked.lock().unwrap()[0].clone();
    assert_eq!(target, Target::User("ann".into()));
    let month = 30 * 24 * 3600;
    assert!(issued.unwrap() >= before && until >= before + month);
    assert!(
        matches!(&api.commands()[0], Command::Revoke(Target::User(_), second) if *second == issued)
    );
}

#[tokio::test]
async fn a_token_and_a_session_are_revoked() {
    let api = start().await;
    let (ann, until) = (api.session("ann"), now() + 60);
    api.post("/v1/revocations", json!({"token": "t1", "until": until}))
        .await;
    api.post("/v1/revocations", json!({"session": ann, "until": until}))
        .await;
    let revoked = api.policy.revoked.lock().unwrap().clone();
    assert_eq!(revoked[0], (Target::Token("t1".into()), None, until));
    assert_eq!(revoked[1], (Target::Session(ann), None, until));
    assert_eq!(api.commands().len(), 2);
}

#[tokio::test]
async fn a_revocation_is_of_one_thing_and_in_force() {
    let api = start().await;
    for (body, code) in [
        (json!({}), "revocation_unclear"),
        (json!({"user": "ann", "token": "t1"}), "revocation_unclear"),
        (
            json!({"token": "t1", "issuedBefore": 5}),
            "revocation_unclear",
        ),
        (json!({"token": "t1", "until": 5}), "until_passed"),
        (json!({"session": "ann"}), "body_invalid"),
    ] {
        assert_refused(&api.post("/v1/revocations", body).await, 422, code);
    }
    assert!(api.policy.revoked.lock().unwrap().is_empty() && api.commands().is_empty());
}

#[tokio::test]
async fn nobody_is_disconnected_by_a_revocation_that_is_not_kept() {
    let api = start().await;
    *api.policy.full.lock().unwrap() = true;
    let answer = api.post("/v1/revocations", json!({"token": "t1"})).await;
    assert_refused(&answer, 507, "revocations_full");
    assert!(api.commands().is_empty());
}

#[tokio::test]
async fn a_revocation_that_other_gateways_cannot_be_told_of_disconnects_and_says_so() {
    let api = start().await;
    *api.policy.unkept.lock().unwrap() = true;
    let answer = api.post("/v1/revocations", json!({"token": "t1"})).await;
    assert_refused(&answer, 503, "backbone_unavailable");
    assert_eq!(api.commands().len(), 1);
}
