//! `sluice-gateway push`.

use serde_json::json;

use crate::support::{
    Config,
    fleet::{command, policy, with_fleet},
    room,
};

#[test]
fn what_is_pushed_is_checked_first_and_reported_when_all_gateways_work_by_it() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({}))];
        let a = fleet.gateway("a", &documents).await;
        let b = fleet.gateway("b", &documents).await;
        let config = Config::without_secrets(&documents);
        let path = config.path();
        let pushed = command(&["push", "--config", &path]).await;
        let said = String::from_utf8_lossy(&pushed.stdout).into_owned();
        assert!(pushed.status.success(), "{pushed:?}");
        assert!(said.contains("All gateways (2) work by it."), "{said}");
        let status = policy(&a).await;
        assert_eq!(status, policy(&b).await);
        assert!(said.contains(status["digest"].as_str().unwrap()), "{said}");

        let bad = room("bad", "bad-*", json!({"access": {"join": "nonsense("}}));
        let config = Config::without_secrets(&[fleet.cluster(json!({})), bad]);
        let refused = command(&["push", "--config", &config.path()]).await;
        assert!(!refused.status.success());
        assert_eq!(policy(&a).await, status);
    });
}

#[test]
fn documents_with_a_secret_are_not_pushed() {
    with_fleet(async |fleet| {
        let config = Config::new(&[fleet.cluster(json!({}))]);
        let refused = command(&["push", "--config", &config.path()]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && said.contains("Secret keys"),
            "{said}"
        );
    });
}

#[test]
fn a_gateway_that_refuses_what_was_pushed_is_named() {
    with_fleet(async |fleet| {
        let _gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        // The gateway has no such Secret; whoever pushes cannot know.
        let spec = json!({"serverApi": {"keySecretRef": {"name": "keys", "key": "api"}},
            "auth": {"jwt": {"keySecretRef": {"name": "nowhere", "key": "jwt"}}}});
        let config = Config::without_secrets(&[fleet.cluster(spec)]);
        let refused = command(&["push", "--config", &config.path()]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            said.contains("a refuses it") && said.contains("nowhere"),
            "{refused:?}"
        );
        assert!(!refused.status.success());
    });
}
