//! Tokens that run out, are refreshed, and are revoked.

use reqwest::Method;
use serde_json::json;

use crate::{
    metrics::figure,
    native::Native,
    support::{cluster, kept, token, until, with},
};

#[test]
fn a_connection_ends_with_its_token_unless_it_was_refreshed() {
    let auth = json!({
        "required": true,
        "refreshGrace": "0s",
        "jwt": {"keySecretRef": {"name": "keys", "key": "jwt"}, "leeway": "0s"},
    });
    with(&[cluster(json!({"auth": auth}))], async |gateway| {
        let short = json!({"token": token("ann", 2)});
        let (mut ends, _) = Native::enter_with(&gateway, "ann", short.clone()).await;
        let (mut goes_on, _) = Native::enter_with(&gateway, "ann", short).await;
        for _ in 0..3 {
            let refresh = json!({"op": "refresh", "token": token("ann", 600)});
            goes_on.must(refresh).await;
        }
        let other = json!({"op": "refresh", "token": token("bob", 600)});
        let answer = goes_on.ask(other).await;
        assert_eq!(answer["error"]["code"], "token_other_user");
        assert_eq!(ends.closed().await, 4003);
        goes_on.must(json!({"op": "join", "room": "r"})).await;
        // A token that ends sooner counts at once.
        let sooner = json!({"op": "refresh", "token": token("ann", 1)});
        goes_on.must(sooner).await;
        assert_eq!(goes_on.closed().await, 4003);
    });
}

#[test]
fn a_longer_grace_does_not_keep_a_connection_for_ever() {
    let auth = |grace: &str| {
        let jwt = json!({"keySecretRef": {"name": "keys", "key": "jwt"}, "leeway": "0s"});
        json!({"auth": {"required": true, "refreshGrace": grace, "jwt": jwt}})
    };
    with(&[cluster(auth("0s"))], async |gateway| {
        let short = json!({"token": token("ann", 2)});
        let (mut ann, _) = Native::enter_with(&gateway, "ann", short).await;
        gateway.reload(&[cluster(auth("2s"))]);
        until(async || figure(&gateway, "sluice_policy_generation").await == 2).await;
        assert_eq!(ann.closed().await, 4003);
    });
}

#[test]
fn a_revoked_user_is_cut_off_with_all_sessions_that_could_come_back() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        // One that is issued in a later second than the revocation would count again.
        let token = json!({"token": token("ann", 600)});
        let (mut here, _) = Native::enter_with(&gateway, "ann", token.clone()).await;
        let (mut away, _) = Native::enter_with(&gateway, "ann", token.clone()).await;
        away.must(json!({"op": "join", "room": "kept-a"})).await;
        drop(away);
        until(async || figure(&gateway, "sluice_sessions_detached").await == 1).await;
        let revocation = json!({"user": "ann"});
        gateway
            .api(Method::POST, "/v1/revocations", &revocation)
            .await;
        here.push("revoked").await;
        assert_eq!(here.closed().await, 4501);
        until(async || figure(&gateway, "sluice_sessions").await == 0).await;
        let (_, answer) = Native::enter_with(&gateway, "ann", token).await;
        assert_eq!(answer["error"]["code"], "token_revoked");
    });
}
