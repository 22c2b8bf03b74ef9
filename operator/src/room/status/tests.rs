use std::sync::Arc;

use serde_json::json;
use sluice_contract::{GatewayNumber, GatewayState, GatewayStatus, PolicyStatus, WireVersion};

use super::*;
use crate::{backbone::Delivery, check::Checked};

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

fn gateway(name: &str, revision: u64) -> GatewayStatus {
    GatewayStatus {
        name: name.into(),
        number: GatewayNumber(1),
        state: GatewayState::Serving,
        connections: 0,
        policy: PolicyStatus {
            revision,
            ..PolicyStatus::default()
        },
        reads: WireVersion::FIRST,
    }
}

fn findings(verdict: Verdict, gateways: Vec<GatewayStatus>) -> Findings {
    let of = |generation| Arc::new(BTreeMap::from([("support".to_owned(), generation)]));
    Findings {
        checked: Arc::new(Checked {
            rooms: BTreeMap::from([("support".to_owned(), verdict)]),
            ..Checked::default()
        }),
        delivery: Some(Delivery {
            revision: Some(8),
            gateways,
            rooms: BTreeMap::from([(7, of(1)), (8, of(2))]),
            ..Delivery::default()
        }),
        nats: true,
        revisions: ["g-0", "g-1"]
            .map(|pod| (pod.to_owned(), "r1".to_owned()))
            .into(),
        activities: None,
    }
}

fn now(findings: Option<&Findings>, generation: i64) -> RoomStatus {
    status(
        &RoomStatus::default(),
        &room(generation),
        findings,
        Timestamp::UNIX_EPOCH,
    )
}

fn ready(status: &RoomStatus) -> (&str, &str, &str) {
    let ready = &status.conditions[0];
    (&ready.status, &ready.reason, &ready.message)
}

#[test]
fn a_room_is_ready_when_every_gateway_works_by_it() {
    let late = findings(
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
    let all = findings(
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
    let findings = findings(verdict(2, Some(1), Some("spec.match: no")), Vec::new());
    let status = now(Some(&findings), 2);
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
    let findings = findings(verdict(1, Some(1), None), Vec::new());
    assert_eq!(ready(&now(Some(&findings), 2)).1, "Pending");
}

#[test]
fn a_room_says_what_goes_on_in_it_and_small_changes_are_not_written() {
    let counted = |members, rate| {
        let mut findings = findings(verdict(2, Some(2), None), Vec::new());
        let activity = crate::room::Activity { members, rate };
        findings.activities = Some(Arc::new(BTreeMap::from([("support".to_owned(), activity)])));
        findings
    };
    let next = |before: &RoomStatus, findings: &Findings| {
        let at = Timestamp::UNIX_EPOCH;
        status(before, &room(2), Some(findings), at)
    };
    let first = next(&RoomStatus::default(), &counted(1000, None));
    assert_eq!((first.members, first.rate), (Some(1000), None));
    let second = next(&first, &counted(1010, Some(50)));
    assert_eq!((second.members, second.rate), (Some(1000), Some(50)));
    assert_eq!(next(&second, &counted(995, Some(54))), second);
    let mut quiet = counted(0, Some(0));
    quiet.activities = Some(Arc::default());
    let empty = next(&second, &quiet);
    assert_eq!((empty.members, empty.rate), (Some(0), Some(0)));
    quiet.activities = None;
    assert_eq!(next(&second, &quiet), second, "what is not known stays");
}
