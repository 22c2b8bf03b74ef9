use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    backbone::{Gateway, Given, InForce},
    check::Checked,
};

fn room(generation: i64) -> Object {
    serde_json::from_value(json!({
        "metadata": {"name": "support", "namespace": "a", "generation": generation},
        "spec": {"clusterRef": {"name": "chat"}, "match": "support-*"},
    }))
    .unwrap()
}

fn verdict(generation: i64, given: Option<i64>, refused: Option<&str>) -> Verdict {
    Verdict {
        generation,
        refused: refused.map(|why| ("InvalidSpec", why.to_owned())),
        unknown: Vec::new(),
        given,
    }
}

fn gateway(name: &str, revision: u64) -> Gateway {
    Gateway {
        name: name.to_owned(),
        connections: 0,
        policy: InForce {
            revision,
            refused: None,
        },
    }
}

fn decided(verdict: Verdict, gateways: Vec<Gateway>) -> Decided {
    let of = |generation| Arc::new(BTreeMap::from([("support".to_owned(), generation)]));
    Decided {
        checked: Arc::new(Checked {
            rooms: BTreeMap::from([("support".to_owned(), verdict)]),
            ..Checked::default()
        }),
        given: Some(Given {
            revision: Some(8),
            gateways,
            rooms: BTreeMap::from([(7, of(1)), (8, of(2))]),
            ..Given::default()
        }),
        nats: true,
        revisions: ["g-0", "g-1"]
            .map(|pod| (pod.to_owned(), "r1".to_owned()))
            .into(),
    }
}

fn now(decided: Option<&Decided>, generation: i64) -> RoomStatus {
    status(
        &RoomStatus::default(),
        &room(generation),
        decided,
        Timestamp::UNIX_EPOCH,
    )
}

fn ready(status: &RoomStatus) -> (&str, &str, &str) {
    let ready = &status.conditions[0];
    (&ready.status, &ready.reason, &ready.message)
}

#[test]
fn a_room_is_ready_when_every_gateway_works_by_it() {
    let late = decided(
        verdict(2, Some(2), None),
        vec![gateway("g-0", 7), gateway("g-1", 8)],
    );
    let status = now(Some(&late), 2);
    assert_eq!(
        ready(&status),
        ("False", "Pending", "1 of 2 gateways work by it.")
    );
    assert_eq!(
        (status.accepted[0].generation, status.accepted[0].gateways),
        (1, 2)
    );
    let all = decided(
        verdict(2, Some(2), None),
        vec![gateway("g-0", 8), gateway("g-1", 8)],
    );
    let status = now(Some(&all), 2);
    assert_eq!(
        ready(&status),
        ("True", "InForce", "All gateways (2) work by it.")
    );
    assert_eq!(
        (status.accepted[0].generation, status.accepted[0].gateways),
        (2, 2)
    );
}

#[test]
fn a_room_that_is_refused_says_what_goes_on() {
    let decided = decided(verdict(2, Some(1), Some("spec.match: no")), Vec::new());
    let status = now(Some(&decided), 2);
    assert_eq!(
        ready(&status),
        (
            "False",
            "InvalidSpec",
            "spec.match: no; the gateways go on by generation 1"
        )
    );
    assert!(
        status
            .conditions
            .iter()
            .any(|it| it.type_ == "Stalled" && it.status == "True")
    );
}

#[test]
fn a_room_without_a_cluster_says_so() {
    let status = now(None, 1);
    let (is, reason, message) = ready(&status);
    assert_eq!((is, reason), ("False", "ClusterMissing"));
    assert!(message.contains("no RealtimeCluster chat"), "{message}");
}

#[test]
fn a_verdict_about_an_earlier_generation_is_waited_past() {
    let decided = decided(verdict(1, Some(1), None), Vec::new());
    assert_eq!(ready(&now(Some(&decided), 2)).1, "Pending");
}
