//! Wire versions: what is finalised, and who is too old for it.

use sluice_contract::WireVersion;

use super::*;

fn reads(version: u32, pods: Vec<PodSeen>) -> Vec<PodSeen> {
    let heard = |pod| PodSeen {
        reads: Some(WireVersion(version)),
        ..pod
    };
    pods.into_iter().map(heard).collect()
}

fn finalised(version: u32, observed: Observed) -> Observed {
    Observed {
        finalised: Some(WireVersion(version)),
        ..observed
    }
}

fn finalises(observed: &Observed) -> Option<u32> {
    let decision = decide(observed, &settings());
    decision.finalise.map(|version| version.0)
}

/// Four of `a` that read 2, and one of `b` that is ready and reads 1, as it was born.
fn going_back() -> Vec<PodSeen> {
    let mut pods = reads(2, four());
    pods.extend(reads(1, vec![pod("b-1", 0)]));
    pods
}

#[test]
fn what_all_gateways_of_the_one_revision_read_is_finalised_and_never_less() {
    let all = reads(2, four());
    assert_eq!(finalises(&fleet("a", all.clone())), Some(2));
    assert_eq!(finalises(&finalised(1, fleet("a", all.clone()))), Some(2));
    assert_eq!(finalises(&finalised(2, fleet("a", all.clone()))), None);
    assert_eq!(finalises(&finalised(3, fleet("a", all.clone()))), None);
    let mut one_less = all;
    one_less[2].reads = Some(WireVersion(1));
    assert_eq!(finalises(&fleet("a", one_less)), Some(1));
}

#[test]
fn nothing_is_finalised_while_a_gateway_is_unheard_or_of_another_revision() {
    assert_eq!(finalises(&fleet("a", [])), None);
    let mut unheard = reads(2, four());
    unheard[3].reads = None;
    assert_eq!(finalises(&fleet("a", unheard)), None);
    // A rollout is to begin, or under way.
    assert_eq!(finalises(&fleet("b", reads(2, four()))), None);
    let mut both = four();
    both.push(pod("b-1", 0));
    assert_eq!(finalises(&fleet("b", reads(2, both.clone()))), None);
    // The last gateway of the old one still ends.
    both[4].terminating = true;
    assert_eq!(finalises(&fleet("a", reads(2, both))), None);
    // Its Deployment is still there.
    let mut left = fleet("a", reads(2, four()));
    left.revisions.push(RevisionSeen {
        name: "b".to_owned(),
        ..RevisionSeen::default()
    });
    assert_eq!(finalises(&left), None);
}

#[test]
fn until_a_version_is_finalised_a_rollout_can_go_back() {
    let decision = decide(&finalised(1, fleet("b", going_back())), &settings());
    assert!(decision.too_old.is_none());
    assert!(labels(&decision).contains(&("a-1", false)), "it goes on");
}

#[test]
fn a_gateway_that_is_too_old_is_not_led_traffic_and_those_before_go_on() {
    let decision = decide(&finalised(2, fleet("b", going_back())), &settings());
    assert_eq!(labels(&decision), [("b-1", false)]);
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1)]);
    assert!(decision.drain.is_empty());
    assert_eq!(decision.finalise, None);
    let why = decision.too_old.unwrap();
    assert!(
        why.contains("revision b read the wire version 1 (b-1 says so), and 2 is finalised")
            && why.contains("go forward instead"),
        "{why}"
    );
}

#[test]
fn who_goes_forward_again_is_told_nothing_more() {
    let mut pods = going_back();
    pods[4].serving = false;
    let decision = decide(&finalised(2, fleet("a", pods)), &settings());
    assert_eq!(decision.too_old, None);
    assert!(labels(&decision).is_empty() && decision.drain.is_empty());
}

#[test]
fn a_gateway_of_a_new_revision_is_led_traffic_once_it_has_said_what_it_reads() {
    let mut pods = reads(2, four());
    pods.push(starting(pod("b-1", 0)));
    let decide = |pods: &Vec<PodSeen>| {
        let observed = finalised(2, fleet("b", pods.clone()));
        super::decide(&observed, &settings())
    };
    assert_eq!(labels(&decide(&pods)), [("b-1", false)], "it has not yet");
    pods[4] = unserved(pod("b-1", 0));
    let waits = decide(&pods);
    assert!(labels(&waits).is_empty() && waits.too_old.is_none());
    assert_eq!(waits.look_again, Duration::from_secs(1));
    pods[4].reads = Some(WireVersion(2));
    assert!(labels(&decide(&pods)).contains(&("b-1", true)));
}

#[test]
fn a_gateway_that_has_not_said_it_counts_as_others_of_its_revision() {
    let mut pods = reads(2, four());
    pods[3] = unserved(pod("a-4", 0));
    let decision = decide(&finalised(2, fleet("a", pods)), &settings());
    assert_eq!(labels(&decision), [("a-4", true)]);
}

#[test]
fn an_operator_that_has_heard_nobody_leaves_those_that_serve() {
    let decision = decide(&finalised(2, fleet("a", four())), &settings());
    assert!(labels(&decision).is_empty() && decision.drain.is_empty());
}
