use serde_json::{Value, json};

use super::*;

fn object(value: &Value) -> Object {
    serde_json::from_value(value.clone()).unwrap()
}

fn cluster_of(spec: &Value) -> Object {
    object(&json!({"metadata": {"name": "chat", "namespace": "prod", "uid": "u"}, "spec": spec}))
}

fn room(name: &str, generation: i64, spec: &Value) -> Arc<Object> {
    let mut spec = spec.clone();
    spec["clusterRef"] = json!({"name": "chat"});
    Arc::new(object(&json!({
        "metadata": {"name": name, "namespace": "prod", "generation": generation},
        "spec": spec,
    })))
}

fn checked(cluster: &Object, rooms: &[Arc<Object>], last_documents: &str) -> Checked {
    check(&Inputs {
        cluster,
        rooms,
        secrets: &Secrets::new(),
        last_documents,
    })
}

fn open() -> Object {
    cluster_of(&json!({"auth": {"required": false}}))
}

#[test]
fn a_cluster_and_its_rooms_become_documents_that_gateways_read() {
    let rooms = [room("support", 2, &json!({"match": "support-*"}))];
    let checked = checked(&open(), &rooms, "");
    assert_eq!(checked.troubles, []);
    assert!(checked.cluster.is_some());
    let source = Source {
        name: "x",
        text: &checked.documents,
    };
    let documents = load(&[source]).unwrap();
    assert_eq!(
        documents.cluster.metadata.namespace.as_deref(),
        Some("prod")
    );
    assert_eq!(documents.rooms.len(), 1);
    assert_eq!(checked.rooms["support"].given, Some(2));
}

#[test]
fn what_is_for_the_operator_alone_is_no_news_for_gateways() {
    let text = |spec: &Value| checked(&cluster_of(spec), &[], "").documents;
    let before = text(&json!({"auth": {"required": false}}));
    let scaled = json!({
        "auth": {"required": false},
        "gateway": {"replicas": 0, "podLabels": {"a": "b"}},
        "service": {"port": 81},
    });
    assert_eq!(text(&scaled), before);
    assert_ne!(
        text(&json!({"auth": {"required": false}, "origins": ["*"]})),
        before
    );
}

#[test]
fn a_room_that_cannot_be_used_spoils_no_other() {
    let rooms = [
        room(
            "bad",
            1,
            &json!({"match": "b", "access": {"join": "claims.("}}),
        ),
        room("good", 1, &json!({"match": "g"})),
    ];
    let checked = checked(&open(), &rooms, "");
    let bad = &checked.rooms["bad"];
    let (reason, message) = bad.refused.as_ref().unwrap();
    assert_eq!((*reason, bad.given), ("InvalidSpec", None));
    assert!(message.starts_with("spec.access.join: "), "{message}");
    assert_eq!(checked.rooms["good"].refused, None);
    assert!(checked.documents.contains("name: good") && !checked.documents.contains("name: bad"));
}

#[test]
fn a_room_stays_as_it_was_when_a_change_cannot_be_used() {
    let before = checked(&open(), &[room("a", 1, &json!({"match": "a"}))], "");
    let bad = room("a", 2, &json!({"match": "a", "access": {"join": "("}}));
    let after = checked(&open(), &[Arc::clone(&bad)], &before.documents);
    assert_eq!(after.documents, before.documents);
    let verdict = &after.rooms["a"];
    assert_eq!((verdict.generation, verdict.given), (2, Some(1)));
    assert!(verdict.refused.is_some());
    // With the same documents again, as after a restart.
    assert_eq!(
        checked(&open(), &[bad], &after.documents).documents,
        before.documents
    );
}

#[test]
fn of_two_rooms_for_the_same_the_elder_stays() {
    let at = |name: &str, time: &str| {
        let spec = json!({"match": "x", "clusterRef": {"name": "chat"}});
        let meta = json!({"name": name, "namespace": "prod", "creationTimestamp": time});
        Arc::new(object(&json!({"metadata": meta, "spec": spec})))
    };
    let rooms = [
        at("a", "2026-02-01T00:00:00Z"),
        at("b", "2026-01-01T00:00:00Z"),
    ];
    let checked = checked(&open(), &rooms, "");
    assert_eq!(checked.rooms["b"].refused, None);
    let (reason, message) = checked.rooms["a"].refused.as_ref().unwrap();
    assert_eq!(*reason, "Conflict");
    assert!(
        message.contains("the Room b is for the same rooms"),
        "{message}"
    );
}

#[test]
fn a_room_of_a_namespace_that_the_cluster_does_not_have_is_refused() {
    let rooms = [room("a", 1, &json!({"match": "a", "namespace": "/admin"}))];
    let checked = checked(&open(), &rooms, "");
    let (_, message) = checked.rooms["a"].refused.as_ref().unwrap();
    assert!(
        message.contains("add it to its spec.namespaces"),
        "{message}"
    );
}

#[test]
fn a_room_that_is_being_deleted_counts_no_more() {
    let gone = object(&json!({
        "metadata": {"name": "a", "namespace": "prod", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"clusterRef": {"name": "chat"}, "match": "a"},
    }));
    assert!(
        !checked(&open(), &[Arc::new(gone)], "")
            .documents
            .contains("Room")
    );
}

#[test]
fn fields_of_a_newer_version_are_told_of_and_left_out() {
    let cluster = cluster_of(&json!({"auth": {"required": false}, "shiny": {"new": 1}}));
    let rooms = [room("a", 1, &json!({"match": "a", "sparkle": true}))];
    let checked = checked(&cluster, &rooms, "");
    assert!(checked.cluster.is_some());
    assert_eq!(checked.troubles.len(), 1);
    assert_eq!(checked.troubles[0].reason, "UnknownFields");
    assert!(checked.troubles[0].message.contains("spec.shiny"));
    assert_eq!(checked.rooms["a"].unknown, ["spec.sparkle"]);
    assert_eq!(checked.rooms["a"].refused, None);
    assert!(!checked.documents.contains("shiny") && !checked.documents.contains("sparkle"));
}

#[test]
fn limits_that_0_1_0_accepted_and_that_cannot_work_are_told_of_and_used() {
    let cluster = cluster_of(&json!({
        "auth": {"required": false},
        "limits": {"payloadBytes": 2_097_152, "outboundBytes": 1_048_576},
    }));
    let checked = checked(&cluster, &[], "");
    assert!(checked.cluster.is_some());
    assert_eq!(checked.troubles.len(), 1);
    assert_eq!(checked.troubles[0].reason, "Undeliverable");
    assert_eq!(checked.troubles[0].effect, Effect::Notes);
    assert!(checked.documents.contains("2097152"));
}

#[test]
fn a_secret_that_is_missing_is_waited_for() {
    let jwt = json!({"keySecretRef": {"name": "keys", "key": "jwt"}});
    let cluster = cluster_of(&json!({"auth": {"jwt": jwt}, "tls": {"secretName": "tls"}}));
    let troubles = checked(&cluster, &[], "").troubles;
    let reasons: Vec<_> = troubles.iter().map(|it| (it.effect, it.reason)).collect();
    assert_eq!(
        reasons,
        [
            (Effect::Waits, "SecretMissing"),
            (Effect::Waits, "SecretMissing")
        ]
    );
    assert!(
        troubles[0]
            .message
            .contains("there is no Secret keys with the key jwt"),
        "{}",
        troubles[0].message
    );
    assert!(troubles[1].message.contains("tls.crt"));
}

#[test]
fn a_spec_that_makes_no_sense_stalls_with_every_problem() {
    let cluster = cluster_of(&json!({"auth": {}, "gateway": {"replicas": 3}}));
    let rooms = [room("a", 1, &json!({"match": "a"}))];
    let checked = checked(&cluster, &rooms, "");
    assert!(checked.cluster.is_none());
    assert_eq!(checked.troubles[0].effect, Effect::Stalls);
    assert!(checked.troubles[0].message.contains("auth.jwt"));
    assert!(checked.troubles[0].message.contains("spec.backbone"));
    assert_eq!(
        checked.rooms["a"].refused.as_ref().unwrap().0,
        "ClusterInvalid"
    );
}
