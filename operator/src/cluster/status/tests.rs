use sluice_contract::WireVersion;

use super::*;
use crate::{cluster::facts::Backbone, fleet::RevisionSeen};

const T0: i64 = 1_700_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(T0 + seconds).unwrap()
}

fn facts(ready: u32) -> Facts {
    Facts {
        revision: "b".to_owned(),
        wanted: 2,
        revisions: vec![RevisionSeen {
            name: "b".to_owned(),
            replicas: 2,
            ready,
        }],
        running: 2,
        phase: if ready < 2 {
            Phase::Starting
        } else {
            Phase::Steady
        },
        selector: "a=b".to_owned(),
        backbone: Backbone {
            ready: true,
            reason: "Memory",
            message: "It is.".to_owned(),
        },
        ..Facts::default()
    }
}

fn after(
    before: &RealtimeClusterStatus,
    ready: u32,
    troubles: &[Trouble],
    seconds: i64,
) -> RealtimeClusterStatus {
    status(before, 1, Some(&facts(ready)), troubles, at(seconds))
}

fn said(status: &RealtimeClusterStatus, type_: &str) -> (String, String) {
    let condition = status
        .conditions
        .iter()
        .find(|it| it.type_ == type_)
        .unwrap();
    (condition.status.clone(), condition.reason.clone())
}

fn says(status: &RealtimeClusterStatus, type_: &str, value: &str, reason: &str) {
    assert_eq!(said(status, type_), (value.to_owned(), reason.to_owned()));
}

#[test]
fn a_fleet_is_not_ready_before_its_gateways_have_the_documents() {
    let taking = Facts {
        taking: true,
        ..facts(2)
    };
    let before = RealtimeClusterStatus::default();
    let first = status(&before, 1, Some(&taking), &[], at(0));
    says(&first, "Ready", "False", "Starting");
    says(&first, "Reconciling", "True", "Starting");
    let taken = after(&first, 2, &[], 1);
    says(&taken, "Ready", "True", "Serving");
}

#[test]
fn the_finalised_wire_version_is_what_the_bucket_says_and_never_less() {
    let mut before = RealtimeClusterStatus::default();
    for (bucket, said) in [
        (None, None),
        (Some(2), Some(2)),
        (None, Some(2)),
        (Some(1), Some(2)),
    ] {
        let facts = Facts {
            finalised: bucket.map(WireVersion),
            ..facts(2)
        };
        before = status(&before, 1, Some(&facts), &[], at(0));
        assert_eq!(before.wire_version, said, "the bucket says {bucket:?}");
    }
}

#[test]
fn a_way_back_that_is_refused_is_said_and_told_once() {
    let good = after(&RealtimeClusterStatus::default(), 2, &[], 0);
    let trouble = Trouble::stalls(reason::WIRE_VERSION_TOO_OLD, "go forward instead");
    let refused = after(&good, 1, std::slice::from_ref(&trouble), 5);
    says(&refused, "Ready", "False", "WireVersionTooOld");
    says(&refused, "Stalled", "True", "WireVersionTooOld");
    let told: Vec<_> = news(&good, &refused)
        .into_iter()
        .map(|it| it.reason)
        .collect();
    assert_eq!(told, ["WireVersionTooOld"]);
    assert!(news(&refused, &after(&refused, 1, &[trouble], 9)).is_empty());
}

#[test]
fn a_fleet_becomes_ready_and_stops_reconciling() {
    let starting = after(&RealtimeClusterStatus::default(), 1, &[], 0);
    says(&starting, "Ready", "False", "Starting");
    says(&starting, "Reconciling", "True", "GatewaysStarting");
    let ready = after(&starting, 2, &[], 5);
    says(&ready, "Ready", "True", "Serving");
    says(&ready, "Reconciling", "False", "Done");
    says(&ready, "Stalled", "False", "Going");
    assert_eq!(ready.observed_generation, Some(1));
}

#[test]
fn nothing_new_gives_the_same_status_later() {
    let ready = after(&RealtimeClusterStatus::default(), 2, &[], 0);
    assert_eq!(after(&ready, 2, &[], 500), ready);
    assert_eq!(news(&ready, &ready), []);
}

#[test]
fn the_time_of_a_condition_is_when_it_became_true() {
    let starting = after(&RealtimeClusterStatus::default(), 0, &[], 0);
    let still = after(&starting, 1, &[], 9);
    assert_ne!(still, starting);
    assert_eq!(
        still.conditions[0].last_transition_time,
        starting.conditions[0].last_transition_time
    );
}

#[test]
fn what_only_a_person_can_mend_stalls() {
    let trouble = Trouble::stalls("NameTaken", "there is another one");
    let stalled = after(&RealtimeClusterStatus::default(), 2, &[trouble], 0);
    says(&stalled, "Stalled", "True", "NameTaken");
    says(&stalled, "Ready", "False", "NameTaken");
    says(&stalled, "Reconciling", "False", "Stalled");
    let told = news(&RealtimeClusterStatus::default(), &stalled);
    assert!(
        told.iter()
            .any(|news| news.bad && news.reason == "NameTaken"),
        "{told:?}"
    );
    // Several conditions have that reason, and people are told of it once.
    assert_eq!(
        told.iter()
            .filter(|news| news.reason == "NameTaken")
            .count(),
        1
    );
}

#[test]
fn what_may_go_by_itself_is_tried_again() {
    let trouble = Trouble::waits("QuotaExceeded", "no more");
    let waiting = after(&RealtimeClusterStatus::default(), 2, &[trouble], 0);
    says(&waiting, "Stalled", "False", "Going");
    says(&waiting, "Ready", "False", "QuotaExceeded");
    says(&waiting, "Reconciling", "True", "QuotaExceeded");
}

#[test]
fn fields_of_a_newer_version_are_no_reason_to_stop() {
    let note = Trouble::notes("UnknownFields", "spec.shiny");
    let status = after(&RealtimeClusterStatus::default(), 2, &[note], 0);
    says(&status, "Ready", "True", "Serving");
    says(&status, "Accepted", "False", "UnknownFields");
}

#[test]
fn a_change_is_hot_or_takes_new_gateways() {
    let first = after(&RealtimeClusterStatus::default(), 2, &[], 0);
    assert_eq!(first.last_change, None);
    let hot = status(&first, 2, Some(&facts(2)), &[], at(1));
    let class = |status: &RealtimeClusterStatus| {
        status
            .last_change
            .as_ref()
            .map(|it| (it.generation, it.class))
    };
    assert_eq!(class(&hot), Some((2, ChangeClass::Hot)));
    let other = Facts {
        revision: "c".to_owned(),
        ..facts(2)
    };
    let restart = status(&hot, 3, Some(&other), &[], at(2));
    assert_eq!(class(&restart), Some((3, ChangeClass::Restart)));
    says(&restart, "Ready", "False", "RollingOut");
    // The class of the last change stays while nothing changes.
    assert_eq!(
        class(&status(&restart, 3, Some(&other), &[], at(3))),
        class(&restart)
    );
}

#[test]
fn small_changes_of_the_number_of_connections_are_not_written() {
    let connected = |before: &RealtimeClusterStatus, connections| {
        let facts = Facts {
            connections: Some(connections),
            ..facts(2)
        };
        status(before, 1, Some(&facts), &[], at(0))
    };
    let first = connected(&RealtimeClusterStatus::default(), 1000);
    assert_eq!(connected(&first, 1015), first);
    assert_eq!(connected(&first, 1100).connections, Some(1100));
}
